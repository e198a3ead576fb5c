"""The page of the experiments says what the stored results say, and these are of the files as they are."""

from __future__ import annotations

import sys

import pytest

from tests.helper import ROOT
from zonesim.experiment import read_design, run_id

sys.path.insert(0, str(ROOT / "tools"))

from finding_words import FalseClaim, Number, Table, environment, number, sure, with_half
from findings import PAGE, STORED, page, questions, run

EXPERIMENTS = sorted((ROOT / "experiments").glob("*.yaml"))
MANY = {
    "cheapest_package",
    "demand_growth_by_measures",
    "gate_lanes_by_measures",
    "province_transfers",
    "where_11_does_not_pay",
}
"""Of dozens of plans, or of plans of many zones, which take long to write."""

QUESTIONS = questions()

ROW = {"arm": "m11", "future": "as written", "kpi": "gate.pass.mean", "unit": "s", "value": "120", "low": "100"}
ROW |= {"high": "140", "difference": "-90", "diff_low": "-96", "diff_high": "-84", "tag": ""}
TABLE = Table("made up", (ROW, {**ROW, "arm": "m10", "difference": "3", "diff_low": "-3", "diff_high": "9"}))


def asked_of(path):
    """Return the question whose command reads an experiment and keeps the results of its arms, or what they lead to."""
    return [each for each in QUESTIONS.values() if path.name in each.command]


def test_the_page_is_what_the_results_say():
    """`python tools/findings.py --text` writes experiments/README.md, and it is that."""
    assert PAGE.read_text(encoding="utf-8") == page(QUESTIONS), "run python tools/findings.py --text"


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=pytest.mark.slow) if path.stem in MANY else path for path in EXPERIMENTS],
    ids=lambda path: path.stem,
)
def test_the_results_are_of_the_file(path):
    """
    Every experiment compiles in all its arms and futures and has a part of the page; the number of its run is that of
    the stored results, so that nothing has changed since which they depend on: else `python tools/findings.py NAME`.
    """
    design = read_design(path, [])
    own = asked_of(path)

    assert len(design.cells) == len(design.options) * len(design.futures) > 1
    assert f"## {path.name}" in PAGE.read_text(encoding="utf-8")
    assert own
    for each in own:
        if each.command.startswith(("sweep", "robust")):
            runs = {row["run"] for table in each.stored.values() for row in table.rows}
            assert runs == {run_id(design)}, f"run python tools/findings.py {each.name}"


@pytest.mark.parametrize("name", [name for name, each in QUESTIONS.items() if each.figure])
def test_a_figure_is_of_the_run(name):
    """The figure beside a finding names the run that its numbers are of."""
    each = QUESTIONS[name]
    (own,) = {row["run"] for table in each.stored.values() for row in table.rows}

    assert f"run {own}" in each.picture.read_text(encoding="utf-8")
    assert f"({STORED.name}/{each.picture.name})" in PAGE.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_answered_again(name, tmp_path, monkeypatch):
    """Run anew, every command gives the tables and figures that are kept, to the byte."""
    each = QUESTIONS[name]
    kept = [each.path(table) for table in each.tables] + ([each.picture] if each.figure else [])
    before = [path.read_bytes() for path in kept]
    monkeypatch.setattr("findings.STORED", tmp_path / "stored")
    run(each, tmp_path / "results")

    assert [(tmp_path / "stored" / path.name).read_bytes() for path in kept] == before


def test_a_claim_that_is_not_true_is_refused():
    """A sentence that says more than the interval is no page: neither sign, nor value, nor a row that is not there."""
    assert TABLE.less("m11", "gate.pass.mean", unit="min") == "1.50 ± 0.10"
    assert TABLE.by("m10", "gate.pass.mean") == "3.0 ± 6.0"
    for false in (
        lambda: TABLE.more("m11", "gate.pass.mean"),
        lambda: TABLE.less("m10", "gate.pass.mean"),
        lambda: TABLE.at("m12", "gate.pass.mean"),
        lambda: sure(TABLE.grows("m11", "gate.pass.mean")),
    ):
        with pytest.raises(FalseClaim):
            false()


def test_what_is_not_stored_is_a_fault():
    """A template that asks for a table that there is none of is not filled in."""
    with pytest.raises(Exception, match="'nothing' is undefined"):
        environment().from_string("{{ nothing.at('a', 'b') }}").render()


@pytest.mark.parametrize(
    ("value", "digits", "text"), [(20.34, 3, "20.3"), (3323.4, 3, "3,323"), (-0.914, 2, "−0.91"), (0, 3, "0")]
)
def test_numbers_are_rounded_to_digits_that_count(value, digits, text):
    """A number has as many digits as are asked for, and a larger whole number all of its own."""
    assert number(value, digits) == text


def test_a_half_is_told_with_two_digits():
    """Value and half of the interval end at the same place."""
    assert with_half(Number(16.532, 15.013, 18.051)) == "16.5 ± 1.5"
    assert with_half(Number(-63, -621, 495)) == "−63 ± 558"
