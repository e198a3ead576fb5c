"""Runs that end empty: how long they last, the overtime of resources, and whose mean is told."""

from __future__ import annotations

from math import isnan

import pytest

from tests.helper import HEAD, kpis, plan_of
from zonesim.analysis import load_warnings
from zonesim.jobs.validate import validate_file, validation_text
from zonesim.kpi import catalogue
from zonesim.plan import loads

CLINIC = """
clock: {{start: "2018-09-03", {clock}}}
zones: {{Z: {{desk: {{units: 1{more}}}}}}}
flows:
  f:
    steps:
      see: {{hold: {{d: Z.desk}}, take: {take}}}
traffic: {{a: {{flow: f, at: [0 min, 30 min, 55 min, 58 min]{traffic}}}}}
"""


def told(clock="measure: 1 h, ends: empty", take="10 min", more="", traffic="", engine="compiled"):
    """Return the KPIs of a clinic: one desk, patients at 0, 30, 55 and 58 minutes."""
    plan = plan_of(CLINIC.format(clock=clock, take=take, more=more, traffic=traffic))
    return kpis(plan, engine=engine)[0]


def test_a_clinic_closes_when_the_last_has_left(engine):
    """
    Seen from 0, 30, 55 and 65 on for 10 minutes: the last leaves at 75, after 15 minutes of overtime. Of the four, who stayed
    10, 10, 10 and 17 minutes, two had left by the end of the window.
    """
    found = told(engine=engine).values

    assert found["all.makespan"] == pytest.approx(75 / 60)
    assert found["Z.desk.overtime"] == pytest.approx(15 / 60)
    assert found["Z.desk.utilisation"] == pytest.approx(25 / 60)
    assert found["f.stay.mean"] == pytest.approx((10 + 10 + 10 + 17) / 4 / 60)
    assert found["f.stay_by_end.mean"] == pytest.approx(10 / 60)


def test_who_leaves_at_the_end_of_the_window_has_not_left_before_it(engine):
    """
    Of 5 minutes each the last two leave at 60 and 65: of the window's end on they are not among those who left inside.
    """
    found = told(take="5 min", engine=engine).values

    assert found["all.makespan"] == pytest.approx(65 / 60)
    assert found["Z.desk.overtime"] == pytest.approx(5 / 60)
    assert found["f.stay_by_end.mean"] == pytest.approx(5 / 60)


def test_interrupted_work_has_no_unit_meanwhile(engine):
    """
    Somebody urgent comes at 59 and takes 4 minutes; the one who is interrupted goes on at 63. Both are overtime, no minute
    twice: from 60 to 79.
    """
    text = CLINIC.format(
        clock="measure: 1 h, ends: empty",
        take="{by: class, urgent: 4 min, all: 10 min}",
        more=", preempt: true",
        traffic="",
    ).replace("hold: {d: Z.desk}", "hold: {d: Z.desk}, priority: {urgent: 0, all: 1}")
    text = text.replace("traffic: {", "traffic: {u: {flow: f, at: [59 min], class: urgent}, ")
    found = kpis(plan_of(text), engine=engine)[0].values

    assert found["all.makespan"] == pytest.approx(79 / 60)
    assert found["Z.desk.overtime"] == pytest.approx(19 / 60)


def test_whoever_is_inside_is_missing_and_told():
    """
    Followed for five minutes only, the last two are still inside: no makespan, no overtime, no mean of all; who had left is told.
    """
    found = told("measure: 1 h, ends: empty, cool_down: 4 min")

    assert isnan(found.values["all.makespan"])
    assert found.withheld["all.makespan"] == pytest.approx(2 / 4)
    assert isnan(found.values["Z.desk.overtime"])
    assert isnan(found.values["f.stay.mean"])
    assert found.values["f.stay.missing"] == pytest.approx(0.5)
    assert found.values["f.stay_by_end.mean"] == pytest.approx(10 / 60)


def test_a_run_may_warm_up_first(engine):
    """
    With half an hour of warm-up the makespan still counts from the start, and the first patient is not measured.
    """
    found = told("warm_up: 30 min, measure: 30 min, ends: empty", engine=engine).values

    assert found["all.makespan"] == pytest.approx(75 / 60)
    assert found["f.stay_by_end.mean"] == pytest.approx(10 / 60)
    assert found["f.arrived.day"] == pytest.approx(3 * 48)


@pytest.mark.parametrize(("clock", "known"), [("measure: 1 h", False), ("measure: 8 h", True)])
def test_a_load_is_known_where_the_day_is_long_beside_the_work(clock, known):
    """
    What is in hand at the end of an hour is much of its work of 10 minutes, and of eight hours little.
    """
    text = CLINIC.format(clock=f"{clock}, ends: empty", take="{exponential: {mean: 10 min}}", more="", traffic="")
    text = text.replace("at: [0 min, 30 min, 55 min, 58 min]", "rate: 3 /h")
    (load,) = loads(plan_of(text))

    assert load.is_known is known
    assert not load.grows


def test_a_run_that_ends_empty_does_not_warn_of_lines_that_may_grow(tmp_path):
    """
    Nothing is known of the load of an hour with much work after it, and no line can grow: no warning, and no table of dashes.
    """
    text = CLINIC.format(clock="measure: 1 h, ends: empty", take="{exponential: {mean: 10 min}}", more="", traffic="")
    path = tmp_path / "clinic.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    told = validation_text(validate_file(path, []))

    assert "warning" not in told
    assert "busiest day" not in told
    assert told.endswith(
        "Z.desk: unknown, because much of the work of arrivals that come to an end lies outside of the window"
    )
    assert load_warnings(plan_of(text.replace(", ends: empty", "")), 0)


def test_other_runs_have_no_such_numbers():
    """
    A run that ends at a time has no makespan: somebody always comes.
    """
    ids = {kpi.id for kpi in catalogue(plan_of(CLINIC.format(clock="measure: 1 h", take="1 min", more="", traffic="")))}

    assert not ids & {"all.makespan", "Z.desk.overtime", "f.stay_by_end.mean"}
