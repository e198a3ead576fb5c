"""Futures that are drawn over ranges, by a Latin hypercube or a Sobol sequence, and the signs of effects over them."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.unit.test_experiment_documents import BANK, design, faults, folder
from zonesim import cli
from zonesim.analysis import Difference, share_interval, stability
from zonesim.experiment import AS_WRITTEN
from zonesim.experiment.samples import latin_hypercube, sobol, value_at

__all__ = ["folder"]

MEAN = "flows.bank.serve.take.exponential.mean"
UNITS = "zones.BANK.clerks.units"


def drawn(folder, how: str, over: str = "", n: int = 8, more: str = "", **options):
    """Return the drawn futures of an experiment: settings by name."""
    told = f", over: {over}" if over else ""
    found = design(folder, f"arms: {{R1: []}}\nfutures: {{{how}: {{n: {n}{told}}}}}\n{more}", **options)
    return {each.name: {own.path: own.text for own in each.settings} for each in found.futures}


@pytest.mark.parametrize("how", ["latin_hypercube", "sobol"])
def test_all_doubts_are_drawn_where_nothing_is_said(folder, how):
    """
    Each future has a number in its name and a value of every doubt between its low and high end; the scenario as written stands first.
    """
    found = drawn(folder, how)
    units = [int(each[UNITS]) for name, each in found.items() if name != AS_WRITTEN]
    minutes = [float(each[MEAN].removesuffix(" min")) for name, each in found.items() if name != AS_WRITTEN]

    assert list(found) == [AS_WRITTEN, *(f"future_{number:02d}" for number in range(1, 9))]
    assert found[AS_WRITTEN] == {}
    assert set(units) <= {2, 3, 4}
    assert 8 <= min(minutes) < 10 < max(minutes) <= 15


def test_each_slice_has_one_value_of_a_latin_hypercube():
    """
    Each path has one probability in each of n slices; a further path leaves those of the others, and another seed changes them.
    """
    rows = latin_hypercube(["a", "b"], 16, 1)
    more = latin_hypercube(["b", "c", "a"], 16, 1)

    for path in ("a", "b"):
        assert sorted(math.floor(16 * row[path]) for row in rows) == list(range(16))
        assert [row[path] for row in rows] == [row[path] for row in more]
    assert [row["a"] for row in rows] != [row["b"] for row in rows]
    assert [row["a"] for row in rows] != [row["a"] for row in latin_hypercube(["a"], 16, 2)]


def test_a_sobol_sequence_is_even_in_two_dimensions():
    """
    Of 64 points each of the 8 × 8 squares has one, which luck would not give; another seed gives another one.
    """
    rows = sobol(["a", "b"], 64, 1)
    squares = {(math.floor(8 * row["a"]), math.floor(8 * row["b"])) for row in rows}

    assert len(squares) == 64
    assert rows == sobol(["a", "b"], 64, 1)
    assert rows != sobol(["a", "b"], 64, 2)


def test_ranges_of_ones_own(folder):
    """
    Two ends are uniform, three triangular, factors multiply, and `doubted` takes the doubt there; whole numbers are as likely as each other.
    """
    over = f"{{traffic.*.rate: {{scale: [0.5, 2]}}, {UNITS}: [1, 6], {MEAN}: doubted}}"
    found = drawn(folder, "latin_hypercube", over, n=60)
    rows = [each for name, each in found.items() if name != AS_WRITTEN]
    units = [int(each[UNITS]) for each in rows]
    factors = [float(each["traffic.*.rate"].removeprefix("×")) for each in rows]

    assert sorted(set(units)) == [1, 2, 3, 4, 5, 6]
    assert {units.count(number) for number in range(1, 7)} == {10}
    assert np.mean(factors) == pytest.approx(1.25, abs=0.01)
    assert {each[MEAN].rpartition(" ")[2] for each in rows} == {"min"}
    assert value_at(("1 h", "3 h"), 0.25) == "1.5 h"
    assert value_at((0.5, 1.5), 0.75) == 1.25
    assert value_at((2, 4), 1.0) == 4
    assert drawn(folder, "sobol", f"[{MEAN}]", n=2)["future_01"].keys() == {MEAN}


def test_the_seed_of_the_experiment_draws_the_futures(folder):
    """
    The same file gives the same futures; its seed, and --seed in place of it, give others.
    """
    first = drawn(folder, "sobol")

    assert drawn(folder, "sobol") == first
    assert drawn(folder, "sobol", more="seed: 7\n") != first
    assert drawn(folder, "sobol", seed=7) == drawn(folder, "sobol", more="seed: 7\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "futures: {sobol: {n: 20}}",
            "e.yaml:6:19: 20 futures of a Sobol sequence, which is even over powers of two\n    Write n: 16 or n: 32.",
        ),
        (
            "futures: {sobol: {n: 4}, latin_hypercube: {n: 4}}",
            "e.yaml:6:11: 'latin_hypercube' and 'sobol' both draw futures\n    Keep one of them.",
        ),
        (
            "futures: {sobol: {n: 4}}\ndoubts: {sample: 5}",
            "e.yaml:7:10: 'sample' and 'sobol' both draw futures\n    Keep one of them.",
        ),
        (
            f"futures: {{latin_hypercube: {{n: 4, over: {{{UNITS}: [6, 1]}}}}}}",
            "the range [6, 1] does not ascend\n    Write [low, high] or [low, mode, high].",
        ),
        (
            f"futures: {{latin_hypercube: {{n: 4, over: {{{UNITS}: 6}}}}}}",
            "expected a range, found '6'\n    Write [low, high], [low, mode, high], {scale: [0.8, 1.5]}, or doubted.",
        ),
        (
            "futures: {latin_hypercube: {n: 4, over: {traffic.*.rate: {scale: [0, 1]}}}}",
            "expected factors above 0\n    Write {scale: [0.8, 1.5]}.",
        ),
        (
            "futures: {latin_hypercube: {n: 4, over: {traffic.customers.rate: doubted}}}",
            "'traffic.customers.rate' holds no doubt\n    Write {uncertain: [low, mode, high]} in the scenario, or use futures.",
        ),
        (
            "futures: {latin_hypercube: {n: 4, over: {traffic.custmers.rate: [1 /h, 2 /h]}}}",
            "a future sets 'traffic.custmers.rate', but 'traffic' has no 'custmers'\n    Did you mean 'customers'?",
        ),
        (
            "futures: {latin_hypercube: {n: 4, over: {traffic.*.rate: [1 /h, 2 /h], traffic.customers.rate: [1 /h, 2 /h]}}}",
            "two paths of the futures change 'traffic.customers.rate': 'traffic.*.rate' and 'traffic.customers.rate'",
        ),
        (
            "futures: {latin_hypercube: {n: 4, over: {traffic.customers.rate: [1 /h, 2 km]}}}",
            "1 /h, 2 km are not of one kind\n    Write low, mode and high as quantities of one kind.",
        ),
        ("futures: {latin_hypercube: {n: 4, over: everything}}", "e.yaml:6:41: "),
        ("futures: {latin_hypercube: {n: 0}}", "e.yaml:6:32: 'n' is '0', which is outside its bounds (limit 1)"),
    ],
)
def test_what_is_wrong_with_drawn_futures(folder, text, expected):
    """
    Each fault is told with its place before anything runs.
    """
    told = faults(folder, f"arms: {{R1: []}}\n{text}\n")

    assert expected in told
    assert told.startswith("e.yaml:")


def test_nothing_to_draw(folder):
    """
    Where nothing is doubted there is nothing to draw from, and the message says what would be.
    """
    (folder / "bank.yaml").write_text(
        BANK.replace("{uncertain: [2, 3, 4]}", "3").replace("{uncertain: [8 min, 10 min, 15 min]}", "10 min"),
        encoding="utf-8",
    )

    assert faults(folder, "arms: {R1: []}\nfutures: {sobol: {n: 4}}\n") == (
        "e.yaml:6:18: nothing here is doubted, so there is nothing to draw\n"
        "    Give ranges, e.g. over: {traffic.*.rate: {scale: [0.8, 1.5]}}."
    )


def difference(value: float, half: float) -> Difference:
    """Return a difference with half an interval."""
    return Difference(value, value - half, value + half, 5, math.nan)


def test_signs_over_futures():
    """
    Five futures lower, three of them surely, one surely higher, one unknown: lower in 5 of 6 that are known.
    """
    found = [
        difference(-2, 1),
        difference(-2, 3),
        difference(-3, 1),
        difference(-1, 0.5),
        difference(-1, 2),
        difference(2, 1),
        None,
    ]
    told = stability("a", "k", found, is_sample=True)

    assert (told.sign, told.same, told.sure, told.opposite, told.surely_opposite, told.unknown, told.futures) == (
        -1,
        5,
        3,
        1,
        1,
        1,
        7,
    )
    assert (told.low, told.high) == pytest.approx((0.3588, 0.9958), abs=1e-4)
    assert math.isnan(stability("a", "k", found, is_sample=False).low)
    assert stability("a", "k", [difference(0, 0)] * 3, is_sample=True).sign == 0
    assert stability("a", "k", [None, None], is_sample=True).unknown == 2


def test_limits_of_a_share():
    """
    Of 10 draws 8: the exact limits of Clopper and Pearson, 44.4 to 97.5 %; none and all have a limit of 0 and 1.
    """
    assert share_interval(8, 10) == pytest.approx((0.44390, 0.97479), abs=1e-5)
    assert share_interval(0, 10) == (0.0, pytest.approx(0.30850, abs=1e-5))
    assert share_interval(10, 10) == (pytest.approx(0.69150, abs=1e-5), 1.0)


def test_futures_and_signs_are_written(folder):
    """
    The values of each future are in futures.csv, the signs of effects over the drawn ones in stability.csv, the JSON and the table.
    """
    text = (
        "arms: {three: [], six: {set: {zones.BANK.clerks.units: 6}}}\n"
        f"futures: {{latin_hypercube: {{n: 4, over: [{MEAN}]}}}}\nreplications: 3\nkpis: [bank.dwell.mean]\n"
    )
    design(folder, text)
    run = ("sweep", str(folder / "e.yaml"), "--workers", "1", "--out", str(folder / "out"))
    done = CliRunner().invoke(cli.app, [*run])
    assert done.exit_code == 0, done.output
    with (folder / "out" / "clerks" / "futures.csv").open(encoding="utf-8-sig", newline="") as file:
        futures = list(csv.DictReader(file))
    with (folder / "out" / "clerks" / "stability.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    (told,) = json.loads(CliRunner().invoke(cli.app, [*run, "--json"]).stdout)["stability"]

    assert [each["future"] for each in futures] == [AS_WRITTEN, "future_01", "future_02", "future_03", "future_04"]
    assert [each["path"] for each in futures] == ["", MEAN, MEAN, MEAN, MEAN]
    assert float(futures[1]["number"]) == float(futures[1]["text"].removesuffix(" min"))
    assert (row["arm"], row["sign"], row["same"], row["futures"]) == ("six", "lower", "4", "4")
    assert told["same"] == 4
    assert told["futures"] == 4
    assert "In how many futures a difference to the baseline has the same sign" in done.output
    assert "与基准之差的方向在多少个情景下一致" in done.output
