"""Samples of doubts: their marginals, their order, their futures, and what is told of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.unit.test_experiment_documents import design, faults, folder
from zonesim.analysis import range_of
from zonesim.api import load
from zonesim.experiment import AS_WRITTEN, Execution
from zonesim.experiment.samples import drawn, triangular, value_at
from zonesim.faults import UnitFault
from zonesim.jobs.sweep import sweep_job

__all__ = ["folder"]

MEAN = "flows.bank.serve.take.exponential.mean"
UNITS = "zones.BANK.clerks.units"


@pytest.mark.parametrize(("low", "mode", "high"), [(1, 2, 72), (0, 0, 90), (5, 15, 15), (3, 3, 3)])
def test_quantiles_are_those_of_the_triangular_law(low, mode, high):
    """
    A quantile is that of scipy's triangular law, also where the mode is at an end; where low and high are one, it is that.
    """
    for probability in (0.0, 0.01, 0.3, 0.5, 0.99, 1.0):
        width = high - low
        law = stats.triang((mode - low) / width, low, width) if width else stats.uniform(low, 0)
        assert triangular(probability, low, mode, high) == pytest.approx(law.ppf(probability) if width else low)


def test_each_value_falls_once_into_each_slice():
    """
    Of 50 futures exactly one is in each slice of probability 1/50, in every value, and no two values go together.
    """
    futures = drawn(dict.fromkeys(("a", "b"), (0.0, 0.5, 1.0)), 50)
    found = {path: np.array([each[path] for each in futures]) for path in ("a", "b")}

    for column in found.values():
        slices = np.floor(50 * stats.triang(0.5, 0, 1).cdf(column))
        assert sorted(slices) == list(range(50))
    assert abs(np.corrcoef(found["a"], found["b"])[0, 1]) < 0.3


def test_a_further_doubt_leaves_the_others_as_they_are():
    """
    The values of a path follow from the path and the number of futures alone.
    """
    alone = drawn({"a": ("1 %", "2 %", "9 %")}, 20)

    assert [each["a"] for each in drawn({"b": (1, 2, 3), "a": ("1 %", "2 %", "9 %")}, 20)] == [
        each["a"] for each in alone
    ]
    assert drawn({"a": ("1 %", "2 %", "9 %")}, 20) == alone


def test_values_are_written_in_the_unit_of_the_mode():
    """
    Low and high may be in other units of one kind; three whole numbers give whole numbers; kinds that differ are a
    fault.
    """
    assert value_at(("30 min", "2 h", "1 d"), 1.0) == "24 h"
    assert value_at(("0", "0 %", "90 %"), 0.0) == "0 %"
    assert value_at((2, 3, 4), 0.5) == 3
    assert isinstance(value_at((2, 3, 4), 0.9), int)
    assert value_at((1, 2.5, 4), 0.5) == pytest.approx(2.5)
    with pytest.raises(UnitFault, match="are not of one kind"):
        value_at(("1 h", "2 km", "3 h"), 0.5)


def test_a_sample_is_futures_beside_the_scenario_as_written(folder):
    """
    `{sample: 3}` gives three futures that change every doubt at once, with short names; `of` chooses the doubts, with all below a path;
    a sample of none leaves the modes.
    """
    found = design(folder, "arms: {R1: []}\ndoubts: {sample: 3}\n")
    one = design(folder, f"arms: {{R1: []}}\ndoubts: {{sample: 2, of: [{MEAN}]}}\n")
    below = design(folder, "arms: {R1: []}\ndoubts: {sample: 2, of: [flows.bank]}\n")
    none = design(folder, "arms: {R1: []}\ndoubts: {sample: 0}\n")

    assert [each.name for each in found.futures] == [AS_WRITTEN, "sample 1", "sample 2", "sample 3"]
    assert all([setting.path for setting in each.settings] == [UNITS, MEAN] for each in found.futures[1:])
    assert [[setting.path for setting in each.settings] for each in one.futures] == [[], [MEAN], [MEAN]]
    assert below.futures == one.futures
    assert [each.name for each in none.futures] == [AS_WRITTEN]


def test_what_is_wrong_in_a_sample_is_told_with_its_place(folder):
    """
    A path without doubt, too many futures and an unknown key are faults at their places.
    """
    assert faults(folder, "arms: {R1: []}\ndoubts: {sample: 2, of: [traffic.others.rate]}\n") == (
        "e.yaml:6:26: 'traffic.others.rate' holds no doubt\n"
        "    Write {uncertain: [low, mode, high]} in the scenario, or use futures."
    )
    assert "outside its bounds (limit 1,000)" in faults(folder, "arms: {R1: []}\ndoubts: {sample: 1001}\n").replace(
        "limit 1000", "limit 1,000"
    )
    assert "unknown key 'samples'" in faults(folder, "arms: {R1: []}\ndoubts: {samples: 10}\n")


def test_the_range_of_a_sample_leaves_out_what_has_no_value():
    """
    Median, 5th and 95th percentile of 0 to 100 are 50, 5 and 95; a future without a value is not counted.
    """
    found = range_of([*range(101), float("nan")])

    assert (found.median, found.low, found.high, found.n) == (50, 5, 95, 101)
    assert np.isnan(range_of([]).median)


@pytest.mark.slow
def test_tables_show_the_range_and_python_gets_it_whatever_the_workers(folder):
    """
    A sweep prints no row for a future of a sample but their median and range, equal for one and two processes; from
    Python they are those of the study.
    """
    arms = f"arms: {{R1: [], fast: {{scale: {{{MEAN}: 0.5}}}}}}\n"
    design(folder, f"{arms}doubts: {{sample: 4, of: [{UNITS}]}}\nreplications: 2\nkpis: [bank.serve.wait.mean]\n")
    file = folder / "e.yaml"
    jobs = [sweep_job(file, (), None, None, Execution(workers), folder / f"out{workers}") for workers in (1, 2)]
    spread = load(file).sweep().spread("bank.serve.wait.mean", "fast")
    told = next(each for each in jobs[0].document["sample"] if each["arm"] == "fast")
    printed = jobs[0].text.split("over 4 futures")[1]
    line = next(line for line in printed.splitlines() if line.startswith("fast")).split()

    assert jobs[0].document["sample"] == jobs[1].document["sample"]
    assert "sample 1" not in jobs[0].text
    assert spread.value.n == 4 == told["futures"]
    assert (spread.value.median, spread.value.low) == pytest.approx((told["median"], told["p5"]))
    assert spread.difference.high == pytest.approx(told["diff_p95"])
    assert float(line[1]) == pytest.approx(spread.value.median, abs=0.006)
