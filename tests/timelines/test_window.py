"""Warm-up, measured window, cool-down, and what is unfinished at the end."""

from __future__ import annotations

import math

import pytest

from tests.helper import kpis, plan_of, run

TEXT = """
clock: {{warm_up: 10 min, measure: 20 min, cool_down: {cool_down}}}
zones: {{Z: {{desk: {{units: 1}}}}}}
flows: {{f: {{steps: {{work: {{hold: {{d: Z.desk}}, take: 6 min}}}}}}}}
traffic: {{a: {{flow: f, at: [8 min, 9 min, 10 min, 29 min, 30 min]}}}}
"""


def test_integrals_are_clipped_to_the_window(engine):
    """
    Busy and queue count only between 10 and 30: busy 10-26 and 29-30, waiting 10-14 and 10-20.
    """
    line = run(TEXT.format(cool_down="20 min"), engine=engine)

    assert line.totals.busy.tolist() == [17 * 60_000]
    assert line.totals.queue.tolist() == [14 * 60_000]
    assert line.totals.open.tolist() == [20 * 60_000]
    assert line.totals.peak.tolist() == [2]


def test_measured_are_those_who_arrive_inside(engine):
    """
    The cohort begins with an arrival at the first instant of the window and ends before one at its last.
    """
    line = run(TEXT.format(cool_down="20 min"), engine=engine)

    assert line.totals.cohort.tolist() == [[2, 4]]
    assert line.totals.arrivals.tolist() == [5]


def test_events_at_the_end_do_not_happen(engine):
    """
    A service that would end exactly when the run ends has not ended; an arrival at that instant does not come.
    """
    line = run(TEXT.format(cool_down="5 min"), engine=engine)

    assert line.visits("work")["a3"] == (29, 29, -1)
    assert line.visits("work")["a4"] == (30, -1, -1)
    assert run(TEXT.format(cool_down="0 min"), engine=engine).totals.arrivals.tolist() == [4]


def test_a_mean_is_withheld_while_many_are_missing():
    """
    With one of two measured tokens unfinished the mean has no value, the share missing is told, and a quantile among the missing has none.
    """
    values = kpis(plan_of(TEXT.format(cool_down="2 min")))[0].values

    assert values["f.stay.missing"] == 0.5
    assert math.isnan(values["f.stay.mean"])
    assert math.isnan(values["f.stay.p95"])
    assert values["f.dwell.median"] != values["f.dwell.median"]


def test_all_values_when_everybody_is_through():
    """
    With a cool-down long enough both measured tokens count: 10 to 26 and 29 to 35 minutes.
    """
    values = kpis(plan_of(TEXT.format(cool_down="30 min")))[0].values

    assert values["f.stay.mean"] == pytest.approx(11 / 60)
    assert values["f.work.wait.mean"] == pytest.approx(5)
    assert values["f.completed.day"] == pytest.approx(3 * 72)
    assert values["Z.desk.utilisation"] == pytest.approx(17 / 20)


def test_waiting_and_closing_units_are_open_only_when_open(engine):
    """
    An unlimited resource is never waited for and has no open time of its own.
    """
    line = run(TEXT.format(cool_down="20 min"), "zones.Z.desk.units=unlimited", engine=engine)

    assert line.totals.queue.tolist() == [0]
    assert line.totals.open.tolist() == [0]
    assert line.ends("work") == {"a0": 14, "a1": 15, "a2": 16, "a3": 35, "a4": 36}
