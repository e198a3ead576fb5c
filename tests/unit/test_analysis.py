"""Intervals, paired differences, tags."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.helper import ROOT, column, kpis, plan_of, plan_of_file
from zonesim.analysis import compare, interval, paired, trivially_changed, unstable
from zonesim.kpi import RunResult, catalogue
from zonesim.plan import loads, overloaded_sources
from zonesim.policy import Arm, Chosen

TYPICAL = ROOT / "scenarios" / "typical_zone.yaml"


def test_students_interval():
    """
    10, 20, 30: mean 20, half-width 24.841377 (the data of a published test).
    """
    found = interval([10, 20, 30])

    assert found.value == 20
    assert (found.high - found.low) / 2 == pytest.approx(24.841377, abs=1e-6)
    assert found.n == 3


def test_an_interval_needs_two_values():
    """
    One value has no limits, none has no value, and what is withheld is left out.
    """
    assert math.isnan(interval([5.0]).low)
    assert math.isnan(interval([]).value)
    assert interval([1.0, math.nan, 3.0]).n == 2


def test_paired_differences_use_pairs():
    """
    The interval is over differences of the same replication; the variance reduction compares with independent luck.
    """
    found = paired([1.0, 2.0, 3.0, 9.0], [2.0, 3.5, 4.0, math.nan])

    assert found.value == pytest.approx(7 / 6)
    assert found.n == 3
    assert found.variance_reduction == pytest.approx((1 + np.var([2, 3.5, 4], ddof=1)) / np.var([1, 1.5, 1], ddof=1))


def test_tags_say_what_an_effect_is_worth():
    """
    `grows` beats bound beats input beats not material; an effect that grows has no size.
    """
    results = {
        "R1": [RunResult({"a": 100.0, "b": 100.0, "c": 1.0, "d": 5.0, "e": 2.0}) for _ in range(2)],
        "11": [RunResult({"a": 100.5, "b": 120.0, "c": 2.0, "d": 9.0, "e": 4.0}) for _ in range(2)],
    }
    found = compare(results, list("abcde"), bounds=["c"], inputs={"11": ["b"]}, unstable={"11": ["d"]})
    tags = {effect.kpi: effect.tag for effect in found.effects}
    sizes = {effect.kpi: effect.difference.value for effect in found.effects}

    assert tags == {"a": "not material", "b": "input", "c": "bound", "d": "grows", "e": ""}
    assert math.isnan(sizes["d"])
    assert sizes["e"] == 2


def test_echoes_are_what_follows_from_edits_alone():
    """
    Measure 11 edits lane times and the transfer's documents, with no queue between; waits and imports are no echoes.
    """
    found = trivially_changed(plan_of_file(TYPICAL), plan_of_file(TYPICAL, arm=Arm("11", (Chosen("m11"),))))

    assert {"TYP.lanes_in.lane.mean", "F5.customs.mean", "F5.inspected.rate"} <= found
    assert (
        not {"TYP.lanes_in.wait.mean", "TYP.lanes_in.pass.mean", "F1.customs.mean", "F1.dwell.mean", "F4b.dwell.mean"}
        & found
    )


def test_an_overloaded_resource_makes_its_flows_grow():
    """
    A station that is offered more than it can do tags the times of the flows that use it, and only those.
    """
    text = """
clock: {measure: 10 h}
zones: {Z: {full: {units: 1}, idle: {units: 1}}}
flows:
  f: {steps: {work: {hold: {d: Z.full}, take: 10 min}}}
  g: {steps: {work: {hold: {d: Z.idle}, take: 1 min}}}
traffic: {a: {flow: f, rate: 7 /h}, b: {flow: g, rate: 7 /h}}
"""
    plan = plan_of(text)
    found = unstable(plan, 0, catalogue(plan))

    assert overloaded_sources(loads(plan)) == {0}
    assert {"f.work.wait.mean", "f.stay.mean", "Z.full.queue.mean"} <= found
    assert not any(kpi.startswith(("g.", "Z.idle")) for kpi in found)


def test_loads_agree_with_the_simulation():
    """
    Where little waits with units in hand, utilisation by simulation is the load of the traffic equations, loops and
    children included.
    """
    plan = plan_of_file(TYPICAL, "clock.measure=2 week", "zones.TYP.yard.units=100", "clock.start=2018-05-07")
    results = kpis(plan, replications=4)
    for load in loads(plan):
        name = str(plan.names.resources[load.resource])
        if name in {"TYP.lanes_in", "TYP.lanes_out", "TYP.docks", "TYP.yard", "TYP.gate_officers"}:
            assert column(results, f"{name}.utilisation").mean() == pytest.approx(load.mean, rel=0.06), name


def test_load_of_a_loop_and_of_a_calendar():
    """
    Rework of one half doubles the work; half a day of opening doubles the load of the open hours.
    """
    text = """
clock: {start: "2018-09-03", measure: 1 week}
calendars: {half: {mon-sun: ["06:00-18:00"]}}
zones: {Z: {desk: {units: 1, open: half}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: 10 min, next: {work: 50 %}}}}}
traffic: {a: {flow: f, rate: 1 /h}}
"""
    load = loads(plan_of(text))[0]

    assert load.mean == pytest.approx(2 * 10 / 60 * 2)
    assert load.hourly[5] == 0
    assert load.hourly[12] == pytest.approx(load.mean)
