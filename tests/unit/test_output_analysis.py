"""Output analysis beside numbers that others have worked out: intervals, replications, warm-up, quantiles, precision."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.special import stdtrit
from typer.testing import CliRunner

from tests.helper import column, kpis, plan_of, run_plan
from zonesim import cli
from zonesim.analysis import (
    first_precise,
    interval,
    lag_one,
    looks_ahead,
    mser,
    paired,
    relative_half_widths,
    replications_for,
    replications_needed,
    welch,
)
from zonesim.kpi.censoring import quantile
from zonesim.plan import NUMBER_BITS

NAN = math.nan

LOSS = """
clock: {measure: 100 min}
zones: {Z: {desk: {units: 1}}}
flows:
  f: {steps: {serve: {hold: {d: Z.desk}, patience: {longest: 0 s}, take: {exponential: {mean: 1 min}}}}}
traffic: {a: {flow: f, rate: 1 /min}}
"""

# --- intervals and replications

SERVICE = [
    9.842379990825465,
    10.060423560536304,
    9.925089673744292,
    9.938503720153147,
    10.016611116790997,
    9.883800932020227,
    10.040555259165185,
    10.086612424440187,
    10.202806309000646,
]
"""Mean service times of nine replications: pydesrap_mms, tests/exp_results/replications.csv."""


def test_the_interval_of_three_values():
    """
    10, 20, 30: mean 20, sd 10, half-width t(0.975, 2) × 10 / √3 = 24.841377 (pydesrap, OnlineStatistics).
    """
    found = interval([10, 20, 30])

    assert found.value == 20
    assert (found.low, found.high) == pytest.approx((-4.841377, 44.841377), abs=1e-6)
    assert relative_half_widths([10, 20, 30])[-1] == pytest.approx(1.242069, abs=1e-6)


def test_relative_half_widths_of_running_replications():
    """
    After 3 to 9 replications as published; 5 % is met at 3, 1 % first at 6, and 1 % stays met over the next three.
    """
    found = relative_half_widths(SERVICE)

    assert math.isnan(found[0])
    assert found[2:] == pytest.approx(
        [0.0275019, 0.0143891, 0.0105721, 0.0085945, 0.0076845, 0.0074639, 0.0086773], abs=5e-8
    )
    assert first_precise(found[:3], 0.05, 0) == 3
    assert first_precise(found, 0.01, 0) == 6
    assert first_precise(found, 0.01, 3) == 6
    assert first_precise(found, 0.01, 4) is None


def test_replications_from_a_pilot():
    """
    Five replications with half-width 9.09 have sd 7.320821; a half-width of 1 takes 209 (Rossetti, chapter 3), and the
    next number fewer does not do.
    """
    sd = 9.09 * math.sqrt(5) / 2.7764451051977987

    assert sd == pytest.approx(7.320821, abs=1e-6)
    assert replications_for(sd, 1) == 209


def test_replications_from_the_replications_that_are_there():
    """
    The number is that at which Student's half-width passes the share of the mean, whatever has no value.
    """
    values = [10.0, NAN, 20.0, 30.0]
    needed = replications_needed(values, 0.1)

    assert needed is not None
    assert needed == replications_for(10, 2)
    assert replications_needed([1.0, -1.0], 0.1) is None
    assert replications_needed([1.0, NAN], 0.1) is None
    assert replications_needed([4.0, 4.0, 4.0], 0.1) == 2


@pytest.mark.parametrize(
    ("half_widths", "look_ahead", "expected"),
    [
        ([NAN, NAN, 0.8, 0.4, 0.3], 0, 4),
        ([0.4, 0.3, 0.2, 0.1], 0, 1),
        ([0.8, 0.9, 0.8, 0.7], 0, None),
        ([NAN, NAN, 0.8, 0.8, 0.3, 0.3, 0.3], 3, None),
        ([NAN, NAN, 0.8, 0.8, 0.3, 0.3, 0.3, 0.3], 3, 5),
    ],
)
def test_the_rule_that_looks_ahead(half_widths, look_ahead, expected):
    """
    Hoad, Robinson and Davies's rule with a threshold of 0.5 (pydesrap, test_find_position).
    """
    assert first_precise(half_widths, 0.5, look_ahead) == expected


def test_the_look_ahead_grows_with_the_replications():
    """
    100 up to 100 replications, 101 at 101; none stays none.
    """
    assert [looks_ahead(100, 100), looks_ahead(101, 100), looks_ahead(101, 0)] == [100, 101, 0]


def test_run_says_how_many_replications_are_needed(tmp_path):
    """
    The last column and the document have the number that brings the interval to ±5 % of the mean; nobody waits without
    room to wait, so no number brings that interval anywhere.
    """
    file = tmp_path / "loss.yaml"
    file.write_text("zonesim: 1\nkind: scenario\nname: loss\n" + LOSS, encoding="utf-8")
    words = ["run", str(file), "--replications", "5", "--workers", "1", "--out", str(tmp_path)]
    shown = CliRunner().invoke(cli.app, words)
    document = json.loads(next(tmp_path.rglob("run.json")).read_text(encoding="utf-8"))
    values = column(kpis(plan_of(LOSS), replications=5), "f.serve.gave_up.share")
    told = document["arms"]["R1"]["f.serve.gave_up.share"]

    assert told["needed"] == replications_needed(list(values), 0.05)
    assert document["arms"]["R1"]["f.serve.wait.mean"]["needed"] is None
    assert "n for ±5 %: so many replications bring the interval to ±5 % of the mean" in shown.stdout
    line = next(line for line in shown.stdout.splitlines() if line.startswith("f.serve Gave up waiting"))
    assert line.split()[-1] == f"{told['needed']:,}"


# --- warm-up

SERIES = [
    *range(15),
    *(20, 22, 18, 21, 19, 19, 21, 20, 18, 22, 21, 20, 19, 22, 18, 22, 19, 20, 21, 18, 18, 20, 22, 19, 21),
    *(20, 18, 21, 22, 24, 19, 21, 20, 18, 17, 20, 22, 19, 21, 23, 21, 20, 18, 19, 22),
]


def test_mser_5_cuts_off_the_start():
    """
    Batch means 2 7 12 20 20 20 20 20 21 19 21 20: three batches are left out, the mean after them is 20.111111.
    """
    found = mser(SERIES)

    assert (found.leave_out, found.found) == (15, True)
    assert found.mean == pytest.approx(20.111111, abs=1e-6)
    assert found.statistics == pytest.approx(
        (3.053241, 1.649887, 0.621000, 0.035665, 0.044922, 0.058309, 0.078704), abs=1e-6
    )


def test_mser_5_does_not_find_a_start_that_never_ends():
    """
    A series that only rises is cut in its middle, where the search ends, and that is said; one batch is too few.
    """
    assert not mser(range(100)).found
    with pytest.raises(ValueError, match="9 values do not make two batches of 5"):
        mser(range(9))


# --- quantiles and precision


@pytest.mark.parametrize(("q", "expected"), [(0.25, 20), (0.4, 29), (0.9, 46)])
def test_quantiles_are_type_7(q, expected):
    """
    Of 15 20 35 40 50; other definitions give 17.5, 18.33 or 18.75 for a quarter.
    """
    assert quantile(np.array([15, 20, 35, 40, 50]), np.zeros(0, dtype=np.int64), q) == pytest.approx(
        expected, abs=1e-12
    )


CERTIFIED = {
    "NumAcc1": ([10000001, 10000003, 10000002], 10000002, 1, -0.5),
    "NumAcc2": ([1.2, *([1.1, 1.3] * 500)], 1.2, 0.1, -0.999),
    "NumAcc3": ([1000000.2, *([1000000.1, 1000000.3] * 500)], 1000000.2, 0.1, -0.999),
    "NumAcc4": ([10000000.2, *([10000000.1, 10000000.3] * 500)], 10000000.2, 0.1, -0.999),
}
"""NIST Statistical Reference Datasets, univariate: mean, sd and lag-1 autocorrelation, certified."""


@pytest.mark.parametrize("name", CERTIFIED)
def test_certified_means_and_deviations(name):
    """
    The sd behind the half-width has eight right digits even where it is a hundred-millionth of the mean.
    """
    values, mean, sd, correlation = CERTIFIED[name]
    found = interval(values)
    student = float(stdtrit(len(values) - 1, 0.975)) / math.sqrt(len(values))

    assert found.value == pytest.approx(mean, rel=1e-14)
    assert (found.high - found.value) / student == pytest.approx(sd, rel=2e-8)
    assert lag_one(values) == pytest.approx(correlation, abs=1e-7)


# --- common random numbers

QUEUE = """
clock: {measure: 160 min}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {serve: {hold: {d: Z.desk}, take: {exponential: {mean: 0.9 min}}}}}}
traffic: {a: {flow: f, rate: 1 /min}}
"""
PAIRS = 60
FIRST = 100


def _mean_delays(*settings):
    plan = plan_of(QUEUE, *settings)
    found = []
    for replication in range(PAIRS):
        visits = run_plan(plan, engine="compiled", seed=7, replication=replication).sink.visits
        served = visits[visits["key"] >> NUMBER_BITS == 0]
        order = np.argsort(served["queued"], kind="stable")[:FIRST]
        assert len(order) == FIRST
        found.append(float((served["started"] - served["queued"])[order].mean()) / 60_000)
    return found


def test_common_random_numbers_make_a_difference_sharp():
    """
    M/M/1 from empty, mean gap 1 min, the mean of the first 100 delays with a mean service of 0.9 and of 0.8 min. The
    exact mean is 4.134185 min; an independent simulation of 200,000 pairs has a difference of 1.654 min and variances
    of 1.653 under common and 11.66 under independent numbers, a ratio of 7.06. Asked for is more than 4.
    """
    slow, fast = _mean_delays(), _mean_delays("flows.f.serve.take={exponential: {mean: 0.8 min}}")
    found = paired(fast, slow)
    error = np.std(slow, ddof=1) / math.sqrt(PAIRS)

    assert np.mean(slow) == pytest.approx(4.134185, abs=3.5 * error)
    assert found.low < 1.654 < found.high
    assert found.variance_reduction > 4


def test_welch_averages_by_hand():
    """
    Of 1 to 7 and then 0, two to either side: 1, the mean of three, then of five (Law, Simulation Modeling and Analysis, chapter 9);
    the last two have none. A window of more than half the series fits nowhere.
    """
    values = [1.0, 2, 6, 3, 8, 5, 7, 0]

    assert welch(values, 2).tolist() == pytest.approx([1, 3, 4, 24 / 5, 29 / 5, 23 / 5])
    assert welch([3.0] * 10, 4).tolist() == [3] * 6
    with pytest.raises(ValueError, match="a window of 5 to either side does not fit into 8 values"):
        welch(values, 5)


def test_mser_on_weekly_means_cuts_a_start_that_was_put_there():
    """
    Thirty weekly means around 10 after four that rise to it: one by one, the four are cut, or one more.
    """
    noise = np.random.default_rng(4).normal(scale=0.3, size=30)
    found = mser([2.0, 5.0, 7.0, 8.5, *(10 + noise).tolist()], 1)

    assert found.leave_out in {4, 5}
    assert found.mean == pytest.approx(10, abs=0.2)
