"""Curves by hour of the week: the same time that KPIs count, hour by hour."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helper import kpis, plan_of
from zonesim.kpi.weekly import WEEK_HOURS, Occupancy
from zonesim.units import HOUR, MINUTE

ZONE = """\
clock: {start: "2018-09-05", warm_up: 5 h, measure: 9 d, cool_down: 1 d}
calendars: {day: {mon-fri: ["08:00-20:00"]}}
zones: {Z: {lanes: {units: 1}, yard: {units: 3}, desk: {units: 1, open: day}}}
flows:
  pass:
    entity: truck
    place: Z.lanes
    steps:
      come: {mark: gate_arrived}
      lane: {hold: {lane: Z.lanes, bays: {resource: Z.yard, units: 2}}, take: {exponential: {mean: 20 min}}}
      desk: {hold: {desk: Z.desk}, take: 2 min}
      out: {mark: gate_passed}
traffic: {cars: {flow: pass, rate: 40 /d}}
"""


def scattered(count: int, most: int) -> np.ndarray:
    """Return numbers below `most` that follow no pattern."""
    return (np.arange(1, count + 1, dtype=np.int64) ** 3 * 2_654_435_761) % most


def test_every_millisecond_is_in_its_hour():
    """
    Stays of any begin and end, in pieces or at once, give the time that a walk over the hours finds.
    """
    begin, end = 5 * HOUR + 17 * MINUTE, 61 * HOUR
    start = begin + scattered(60, end - begin)
    stop = np.minimum(start + scattered(60, 7 * HOUR)[::-1], end)
    group = np.arange(60) % 4 - 1
    units = 1 + np.arange(60) % 3
    whole, parts = Occupancy(3, begin, end), Occupancy(3, begin, end)
    whole.add(group, start, stop, units)
    for place in (slice(0, 1), slice(1, 40), slice(40, 60)):
        parts.add(group[place], start[place], stop[place], units[place])
    expected = np.zeros((3, 56), dtype=np.int64)
    for which, first, last, amount in zip(group, start, stop, units, strict=True):
        for hour in range(5, 61):
            inside = min(last, (hour + 1) * HOUR) - max(first, hour * HOUR)
            expected[which, hour - 5] += amount * max(inside, 0) if which >= 0 else 0

    assert np.array_equal(whole.by_hour(), expected)
    assert np.array_equal(parts.by_hour(), expected)
    assert whole.folded(24).sum() == expected.sum()


def test_means_know_how_often_an_hour_is_there():
    """
    One token that is there all the time is 1 in every hour of the window, and nan in hours that it lacks.
    """
    always = Occupancy(1, 3 * HOUR, 31 * HOUR + 30 * MINUTE)
    there = np.array([3 * HOUR]), np.array([31 * HOUR + 30 * MINUTE])
    always.add(np.zeros(1, dtype=np.int64), *there, np.ones(1, dtype=np.int64))

    assert np.array_equal(always.means(24), np.ones((1, 24)))
    week = always.means(WEEK_HOURS)[0]
    assert np.array_equal(week[3:32], np.ones(29))
    assert np.isnan(week[:3]).all()
    assert np.isnan(week[32:]).all()


def test_curves_add_up_to_the_kpis(engine):
    """
    Over the hours of the window, tokens waiting add up to the mean queue, and units in use to the utilisation, also
    with several units and where a resource is shut at night.
    """
    plan = plan_of(ZONE)
    found = kpis(plan, engine=engine)[0]
    often = np.zeros(WEEK_HOURS)
    hours = np.arange(5, 5 + 9 * 24) % WEEK_HOURS
    np.add.at(often, hours, 1)

    def mean(curve: str) -> float:
        return float(np.nansum(found.curves[curve] * often) / often.sum())

    assert found.values["Z.lanes.queue.mean"] > 0.1
    assert mean("Z.lanes.queue_week") == pytest.approx(found.values["Z.lanes.queue.mean"], rel=1e-12)
    assert mean("Z.yard.busy_week") * 24 == pytest.approx(found.values["Z.yard.busy_hours.day"], rel=1e-12)
    assert mean("Z.desk.busy_week") * 24 == pytest.approx(found.values["Z.desk.busy_hours.day"], rel=1e-12)
    day = found.curves["Z.lanes.queue_week"].reshape(7, 24)
    assert (day * often.reshape(7, 24)).sum(axis=0) / often.reshape(7, 24).sum(axis=0) == pytest.approx(
        found.curves["Z.lanes.queue"], rel=1e-12
    )
