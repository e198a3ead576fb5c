"""Closed forms with interruptions: preemptive priorities, and breakdowns whose clock runs always or only in use."""

from __future__ import annotations

import math

import pytest

from tests.helper import column, kpis, plan_of

REPLICATIONS = 30
LARGEST_Z = 3.5
WIDEST = 0.05

SHOP = """
clock: {warm_up: 1000 min, measure: 9000 min, cool_down: 500 min}
zones: {Z: {saw: {units: 1, at_shift_end: pause, RULE}}}
flows: {f: {steps: {cut: {hold: {s: Z.saw}, priority: PRIORITY, take: {exponential: {mean: 1 min}}}}}}
traffic:
"""

BREAKDOWNS = "breakdowns: {up: {exponential: {mean: 10 min}}, repair: {exponential: {mean: 2 min}}, clock: CLOCK}"


def shop(rule: str, *traffic: str, priority: str = "1") -> str:
    """Return a scenario with a saw of a rule and some traffic."""
    lines = "".join(f"  {entry}\n" for entry in traffic)
    return SHOP.replace("RULE", rule).replace("PRIORITY", priority) + lines


def always(rate: float, service: float, failure: float, repair: float) -> float:
    """Return the mean time in system of M/M/1 that fails by the clock and goes on after the repair (rates)."""
    top = (failure + repair) ** 2 + failure * service
    return top / ((failure + repair) * (repair * service - rate * (failure + repair)))


def busy(rate: float, service: float, failure: float, repair: float) -> float:
    """Return the mean time in system where it fails in use alone: Pollaczek and Khinchine on completion times."""
    mean = (1 + failure / repair) / service
    second = 2 * (1 + failure / repair) ** 2 / service**2 + 2 * failure / (service * repair**2)
    return mean + rate * second / (2 * (1 - rate * mean))


def preempted(high: float, low: float) -> tuple[float, float]:
    """Return the mean times in system of two classes with service of mean 1, the first preempting the second."""
    return 1 / (1 - high), 1 / (1 - high) + (high + low) / ((1 - high) * (1 - high - low))


CASES = {
    "clock always": (
        shop(BREAKDOWNS.replace("CLOCK", "always"), "boards: {flow: f, rate: 0.5 /min}"),
        {"f.cut.stay.mean": always(0.5, 1, 0.1, 0.5), "Z.saw.availability": 5 / 6, "Z.saw.utilisation": 0.5},
    ),
    "clock busy": (
        shop(BREAKDOWNS.replace("CLOCK", "busy"), "boards: {flow: f, rate: 0.5 /min}"),
        {
            "f.cut.stay.mean": busy(0.5, 1, 0.1, 0.5),
            "f.cut.service.mean": 1.2,
            "Z.saw.availability": 0.9,
            "f.cut.interruptions.day": 0.1 * 0.5 * 24 * 60,
            "f.cut.interrupted.mean": 2.0,
        },
    ),
    "preemptive resume": (
        shop(
            "preempt: true",
            "high: {flow: f, rate: 0.2 /min, class: high}",
            "low: {flow: f, rate: 0.6 /min, class: low}",
            priority="{high: 1, low: 2}",
        ),
        {"high.cut.stay.mean": preempted(0.2, 0.6)[0], "low.cut.stay.mean": preempted(0.2, 0.6)[1]},
    ),
}


def test_the_formulas_give_the_published_values():
    """
    3.8333 and 3.5 tell the two clocks apart; 1.25 and 6.25 are preemptive-resume after Ciw's comparison with the literature.
    """
    assert always(0.5, 1, 0.1, 0.5) == pytest.approx(3.833333, abs=1e-6)
    assert busy(0.5, 1, 0.1, 0.5) == pytest.approx(3.5)
    assert preempted(0.2, 0.6) == pytest.approx((1.25, 6.25))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_closed_form(case: str):
    """
    Thirty replications agree with the exact value: within 3.5 standard errors, and within an interval of 5 %.
    """
    text, expected = CASES[case]
    results = kpis(plan_of(text), seed=11, replications=REPLICATIONS)

    for kpi, exact in expected.items():
        values = column(results, kpi)
        error = values.std(ddof=1) / math.sqrt(len(values))

        assert abs(values.mean() - exact) < LARGEST_Z * error, (kpi, values.mean(), error, exact)
        assert 2.05 * error <= WIDEST * exact, (kpi, error)
