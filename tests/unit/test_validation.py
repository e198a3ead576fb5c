"""The page of validation: held to the pairs and to the model, and the pairs held to figures of other rows."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from functools import cache

import pytest

from tests.helper import ROOT
from zonesim.briefing.tables.validation import figure, predicted_row, told, validation_page
from zonesim.experiment import Execution, read_design
from zonesim.faults import Faults, ScenarioFault
from zonesim.policy import flows_in_use, register
from zonesim.verification import Published, predict, read_pairs, spread_factor

FOLDER = ROOT / "tests" / "validation"
PAGE = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
PAIRS = read_pairs(FOLDER)

ONE = """zonesim: 1
kind: validation
pairs:
  - id: a
    label: {en: A, zh: 甲}
    place: {en: here, zh: 此处}
    change: {en: none, zh: 无}
    rows: [V1]
    experiment: e.yaml
    form: level
    kpis: [x.mean]
    unit: h
    published: {value: 1, kind: mean}
    reading: None.
"""


def row(pair_id):
    """Return the cells of a pair's row on the page."""
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| {pair_id} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


@cache
def modes(experiment):
    """Return the predictions of an experiment's pairs at the modes of all doubts."""
    pairs = [pair for pair in PAIRS.pairs if pair.experiment == experiment]
    return predict(pairs, FOLDER, Execution(1), futures=0)


def test_the_page_tells_every_pair_and_what_is_untested():
    """
    Each pair has a row with its published figure, each prediction a reading, and each sentence on what cannot be tested
    stands on the page.
    """
    for pair in PAIRS.pairs:
        assert pair.label["zh"] in PAGE
        assert told(pair.published, pair.unit) in PAGE
        if not pair.calibrated:
            assert row(pair.id)[8] == told(pair.published, pair.unit)
            assert f"**{pair.id}** " in PAGE
            assert pair.reading in PAGE
    assert all(f"- {each}\n" in PAGE for each in PAIRS.untested)


@pytest.mark.parametrize("experiment", ["T7.yaml", "T9.yaml"])
def test_the_page_has_the_numbers_of_the_model(experiment):
    """
    What the model says with every doubt at its mode is what the page says.
    """
    found = modes(experiment)

    assert found
    for each in found:
        assert row(each.pair.id)[6] == figure(each.mode, each.pair.unit)
        assert row(each.pair.id)[:7] == [cell.strip() for cell in predicted_row(each).strip("|\n").split("|")][:7]


@pytest.mark.slow
def test_the_page_is_written_by_its_command():
    """
    `python tools/validation.py --check`: every range over a hundred futures is that of the page.
    """
    done = subprocess.run(
        [sys.executable, "tools/validation.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stdout == ""
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("experiment", sorted({pair.experiment for pair in PAIRS.pairs if not pair.calibrated}))
def test_no_scenario_uses_the_row_that_it_is_tested_by(experiment):
    """
    In no arm of an experiment is a number from where one of its predictions was published, unless the page says so; and
    every range is over a hundred futures at least.
    """
    design = read_design(FOLDER / experiment, (), sample=0)
    urls = {pair.url for pair in PAIRS.pairs if pair.experiment == experiment and not (pair.calibrated or pair.fitted)}
    used = {
        entry.source.url
        for arm in design.resolved.values()
        for entry in register(arm.world, flows_in_use(arm.world))
        if entry.source is not None and entry.path[0] not in {"costs", "investments"}  # no time comes of a price
    }

    assert used
    assert not (urls - {""}) & used
    assert int(re.search(r"sample: (\d+)", (FOLDER / experiment).read_text(encoding="utf-8"))[1]) >= 100


@pytest.mark.slow
def test_predictions_do_not_depend_on_the_workers():
    """
    The range of a pair is equal from one process and from two.
    """
    pairs = [pair for pair in PAIRS.pairs if pair.experiment == "T9.yaml"]
    one, two = (predict(pairs, FOLDER, Execution(workers), futures=3) for workers in (1, 2))

    assert [each.range for each in one] == [each.range for each in two]
    assert all(each.range.n == 3 for each in one)


@pytest.mark.parametrize(
    ("published", "low", "high", "holds"),
    [
        ({"value": -3}, -4, -2, True),
        ({"value": -3}, -2.9, -2, False),
        ({"least": -60}, -70, -50, True),
        ({"least": -60}, -59, -50, False),
        ({"least": 6}, 5, 7, True),
        ({"least": 6}, 5, 5.9, False),
        ({"most": 72}, 60, 90, True),
        ({"most": 72}, 73, 90, False),
        ({"between": [2, 3]}, 2.9, 4, True),
        ({"between": [2, 3]}, 3.1, 4, False),
    ],
)
def test_a_range_agrees_with_a_value_or_reaches_a_bound(published, low, high, holds):
    """
    A value lies in the range, a bound is reached or passed, two ends are met.
    """
    assert Published(**published, kind="mean").holds(low, high) is holds


def test_the_width_of_a_range_is_told_in_size():
    """
    From -6 to -2 is a factor 3, a range with 0 inside has none.
    """
    assert spread_factor(-6, -2) == 3 == spread_factor(2, 6)
    assert math.isinf(spread_factor(-1, 2))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("value: 1,", "value: 1, most: 2,"), "one of value, least, most and between is due"),
        (
            ("published: {value: 1, kind: mean}", "published: {kind: mean}"),
            "one of value, least, most and between is due",
        ),
        (("form: level", "form: levels"), "level"),
        (("unit: h", "units: h"), "unknown key 'units'"),
    ],
)
def test_faults_of_pairs_have_their_place(tmp_path, change, expected):
    """
    What is wrong in a file of pairs is told with file and line.
    """
    (tmp_path / "pairs.yaml").write_text(ONE.replace(*change) + "untested: []\n", encoding="utf-8")
    with pytest.raises(ScenarioFault) as found:
        read_pairs(tmp_path)

    assert expected in str(found.value)
    assert "pairs.yaml:" in str(found.value)


def test_a_pair_stands_once(tmp_path):
    """
    Two pairs of one name are a fault at the second.
    """
    twice = ONE + ONE.split("pairs:\n")[1] + "untested: []\n"
    (tmp_path / "pairs.yaml").write_text(twice, encoding="utf-8")
    with pytest.raises(Faults, match="pairs.yaml:15:.*the pair 'a' stands twice"):
        read_pairs(tmp_path)


def test_failures_and_agreement_are_told_apart():
    """
    A prediction whose range misses the published value stands under the failures, with `no` in its row.
    """
    found = modes("T9.yaml")
    text = validation_page(PAIRS, found, 0)

    assert "## Failures" in text
    for each in found:
        assert not each.inside or each.range.n
        assert "| **no** |" in predicted_row(each)
        assert f"**{each.pair.id}** " in text.split("## Failures")[1].split("## Agreement")[0]
