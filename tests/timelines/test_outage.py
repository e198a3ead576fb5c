"""A system that is down for a while: steps that ask whether a calendar is shut, days of the window, and how long a line needs to recover."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.helper import HEAD, kpis, plan_of, plan_of_world, run, run_plan
from zonesim.faults import Faults
from zonesim.plan import loads
from zonesim.policy import Arm, Chosen, world_of
from zonesim.scenario import read_text
from zonesim.units import DAY, HOUR

DOWN = """
clock: {measure: 180 min}
calendars: {system: {mon-sun: ["00:00-01:00", "02:00-24:00"]}}
zones: {Z: {lane: {units: 1}}}
flows:
  pass:
    entity: truck
    steps:
      serve:
        hold: {lane: Z.lane}
        steps:
          machine: {take: 1 min}
          by_hand: {when: {shut: system}, take: 9 min}
          checked: {when: {open: system}, mark: seen_by_machine}
traffic: {t: {flow: pass, at: [55 min, 61 min, 62 min, 63 min, 64 min, 65 min, 66 min, 110 min, 119 min, 125 min]}}
kpis:
  recovered: {recovery: {after: system}, scope: step, only: [pass.serve], statistics: {longest: {}, mean: {}}}
"""


def test_a_step_is_done_while_a_calendar_is_shut(engine):
    """
    Who asks at a moment at which the system is down works by hand, 9 min, also beyond its return at 120; the others take 1 min.
    """
    line = run(DOWN, engine=engine)

    assert line.ends("serve") == {
        "t0": 56,
        "t1": 71,  # asked at 62
        "t2": 81,
        "t3": 91,
        "t4": 101,
        "t5": 111,
        "t6": 121,  # asked at 112
        "t7": 122,  # came at 110, asked at 122
        "t8": 123,
        "t9": 126,
    }
    assert set(line.visits("serve.by_hand")) == {"t1", "t2", "t3", "t4", "t5", "t6"}
    assert line.marks("seen_by_machine") == {"t0": 56, "t6": 121, "t7": 122, "t8": 123, "t9": 126}


def test_the_moments_of_closing_and_opening_count_with_what_follows(engine):
    """
    Who asks at 60, when the system goes down, finds it shut, who asks at 120, when it is back, finds it open.
    """
    text = DOWN.replace(
        "55 min, 61 min, 62 min, 63 min, 64 min, 65 min, 66 min, 110 min, 119 min, 125 min", "59 min, 119 min"
    )
    line = run(text, engine=engine)

    assert line.ends("serve") == {"t0": 69, "t1": 120}


def test_recovery_lasts_until_nobody_waits_who_came_before(engine):
    """
    At 120 t7 and t8 wait; t8 is the last of them to get the lane, at 122: 2 min. That t9 comes at 125 does not matter.
    """
    (found,) = kpis(plan_of(DOWN), engine=engine)

    assert (found.values["pass.serve.recovered.longest"], found.values["pass.serve.recovered.mean"]) == (2, 2)


def test_where_nobody_waits_recovery_is_over_at_once():
    """
    Where the line is empty when the system is back it takes 0 min.
    """
    (found,) = kpis(plan_of(DOWN, "traffic.t.at=[55 min, 61 min, 130 min]"))

    assert found.values["pass.serve.recovered.longest"] == 0


def test_of_several_closings_the_longest_and_the_mean_are_told():
    """
    The system comes back at 120 and at 160: 2 min, and with nobody waiting 0 min; the mean is 1.
    """
    (found,) = kpis(plan_of(DOWN.replace('"02:00-24:00"', '"02:00-02:30", "02:40-24:00"')))

    assert (found.values["pass.serve.recovered.longest"], found.values["pass.serve.recovered.mean"]) == (2, 1)


def test_who_gives_up_waits_no_longer(engine):
    """
    t0 works from 111 to 121; t1 comes at 119 and gives up at 120.5, half a minute after the system is back, which is when nobody waits
    any more who had come before.
    """
    patience = "hold: {lane: Z.lane}\n        patience: {longest: 90 s, next: leave}\n"
    plan = plan_of(DOWN.replace("hold: {lane: Z.lane}\n", patience), "traffic.t.at=[111 min, 119 min]")
    (found,) = kpis(plan, engine=engine)

    assert found.values["pass.serve.recovered.longest"] == 0.5


def test_a_recovery_that_the_run_does_not_see_is_not_known():
    """
    Where somebody who came before still waits when the run ends, nothing is told, and all of it is missing.
    """
    (found,) = kpis(plan_of(DOWN, "clock.measure=121 min"))

    assert math.isnan(found.values["pass.serve.recovered.longest"])
    assert found.withheld["pass.serve.recovered.longest"] == 1


def test_recovery_is_told_of_closings_that_end_in_the_window():
    """
    A closing that ends before the window, or none at all, leaves no such KPI, and an open calendar none of the plan that it need ask for.
    """
    assert "pass.serve.recovered.longest" not in kpis(plan_of(DOWN, "clock.warm_up=130 min"))[0].values
    always = plan_of(DOWN.replace('["00:00-01:00", "02:00-24:00"]', '["00:00-24:00"]'))
    without = plan_of(
        DOWN.replace('["00:00-01:00", "02:00-24:00"]', '["00:00-24:00"]').replace(
            "by_hand: {when: {shut: system}, take: 9 min}\n", "\n"
        )
    )

    assert "pass.serve.recovered.longest" not in kpis(always)[0].values
    assert always.program.tobytes() == without.program.tobytes()
    assert [str(each) for each in always.names.resources] == ["Z.lane"]


def test_a_calendar_that_is_never_open_is_always_shut(engine):
    """
    Where the system is down during the whole run everybody works by hand.
    """
    line = run(DOWN.replace('["00:00-01:00", "02:00-24:00"]', "[]"), "traffic.t.at=[55 min, 130 min]", engine=engine)

    assert line.ends("serve") == {"t0": 65, "t1": 140}


def test_days_of_the_measured_window_go_before_others(engine):
    """
    `measure+1` is the second day of the window, wherever this begins: here the fourth of the run, in which a Thursday is shut from 1:00 to 2:00.
    """
    text = DOWN.replace(
        'mon-sun: ["00:00-01:00", "02:00-24:00"]', 'mon-sun: ["00:00-24:00"], measure+1: ["00:00-01:00", "02:00-24:00"]'
    )
    text = text.replace("{measure: 180 min}", "{warm_up: 2 d, measure: 2 d}")
    plan = plan_of(text, "traffic.t.at=[49 h, 73 h, 74 h]")
    (opening,) = plan.reopenings("system")

    assert opening == 3 * DAY + 2 * HOUR
    assert run_plan(plan, engine=engine).ends("serve") == {"t0": 49 * 60 + 1, "t1": 73 * 60 + 10, "t2": 74 * 60 + 1}


def test_profiles_and_staff_know_the_days_of_the_window():
    """
    A table of units and a profile may say what holds on a day of the window.
    """
    text = """
clock: {warm_up: 1 d, measure: 2 d}
profiles: {strike: {hours: {mon-sun: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], measure+0: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]}}}
zones: {Z: {lane: {units: {mon-sun: {"00:00-24:00": 2}, measure+1: {"00:00-24:00": 1}}}}}
flows: {pass: {steps: {serve: {hold: {lane: Z.lane}, take: 1 min}}}}
traffic: {t: {flow: pass, rate: 60 /h, profile: strike}}
"""
    plan = plan_of(text)
    line = run_plan(plan)
    days = {int(start // (24 * 60)) for _, start, _ in line.visits("serve").values() if start != -1}

    assert plan.changes["units"].tolist() == [2, 1]
    assert days == {0, 2}


def test_an_unknown_calendar_of_a_recovery_is_named():
    """
    The fault stands at the KPI.
    """
    with pytest.raises(Faults) as found:
        plan_of(DOWN.replace("recovery: {after: system}", "recovery: {after: systme}"))

    assert "no calendar 'systme'\n    Did you mean 'system'?" in str(found.value)


def test_loads_are_bounds_where_a_calendar_decides():
    """
    What depends on the hour at which somebody asks is not known exactly: the load of the lane lies between 1 and 10 min a truck.
    """
    text = DOWN.partition("traffic:")[0] + "traffic: {t: {flow: pass, rate: 3 /h}}\n"
    (lane,) = loads(plan_of(text))

    assert (lane.low, lane.high) == (pytest.approx(0.05), pytest.approx(0.5))


GATE = (
    HEAD
    + """clock: {start: "2018-09-03", warm_up: 1 d, measure: 3 d, cool_down: 1 d}
source: assumed
zones:
  G: {lanes_in: {units: 1, role: lane}, gate_officers: {units: 1, role: officer}, exception_desk: {units: 4, role: desk}}
truth: {papers_wrong: {all: 5 %}}
flows:
  come: {entity: truck, steps: {gate: {call: gate, with: {zone: G, lanes: G.lanes_in, vehicle: $vehicle}}}, params: {vehicle: [freight, other]}}
traffic:
  trucks: {flow: come, with: {vehicle: freight}, rate: 32 /h}
  cars: {flow: come, with: {vehicle: other}, rate: 6 /h}
"""
)
BEGINS, ENDS = (24 + 24 + 13) * 60, (24 + 24 + 17) * 60
"""Minutes of the run between which the library's outage lasts: 13:00 to 17:00 on the second day of the window."""


def gate(coverage: str, *settings: str):
    """Return the plan of the gate with measure 11 for a share of the volume."""
    arm = Arm("11", (Chosen("m11", (("coverage", coverage),)),))
    return plan_of_world(world_of(read_text(GATE, "gate.yaml")), *settings, arm=arm)


def test_the_automatic_gate_falls_back_to_hand_and_eye():
    """
    In the outage everybody who passed automatically takes the manual lane's time with an officer in hand, and nobody outside of it.
    """
    line = run_plan(gate("100 %", "future=outage"))
    for step, before in (("gate.lane.by_officer", "gate.lane.compare"), ("gate.light.by_officer", "gate.light.look")):
        asked = {name: ended for name, (_, _, ended) in line.visits(before).items()}
        fell = {name for name, when in asked.items() if BEGINS <= when < ENDS}
        assert set(line.visits(step)) == fell != set()
    lanes = [(ended - started, started) for _, started, ended in line.visits("gate.lane").values() if ended != -1]
    inside = np.array([span for span, started in lanes if BEGINS < started < ENDS - 5])
    outside = np.array([span for span, started in lanes if not BEGINS - 5 < started < ENDS])
    # PERT 60/120/240 s has the mean 130 s, PERT 6/12/30 s 14 s; an officer who is with a car is waited for.
    assert inside.mean() * 60 == pytest.approx(130, rel=0.1)
    assert outside.mean() * 60 == pytest.approx(14, rel=0.1)


def test_a_queue_grows_in_the_outage_and_recovery_is_told():
    """
    32 trucks an hour are more than a manual lane takes: a queue stands at 17:00, which the automatic lane works off; the KPI is the
    time until the last of those in it gets the lane, as its records say.
    """
    plan = gate("100 %", "future=outage")
    line = run_plan(plan)
    visits = [*line.visits("gate.lane").values(), *line.visits("gate.light").values()]
    waits = [started for queued, started, _ in visits if queued < ENDS < started]
    (found,) = kpis(plan)

    assert len(waits) > 10
    assert found.values["G.lanes_in.recovery.longest"] == pytest.approx(max(waits) - ENDS)
    assert 1 < max(waits) - ENDS < 60


def test_without_the_outage_nothing_is_otherwise():
    """
    With the system up the program has no step by hand for those who pass automatically, and no KPI of recovery.
    """
    plan = gate("100 %")

    assert not [step for step in plan.names.steps if step.path[-1] in {"by_officer", "by_eye"}]
    assert not plan.reopenings("automatic_release")
    assert "G.lanes_in.recovery.longest" not in kpis(plan)[0].values


def test_the_manual_gate_does_not_notice():
    """
    Where nobody passes automatically the outage changes no program and no visit, and its recovery is told beside the other arm's.
    """
    before, after = gate("0 %"), gate("0 %", "future=outage")

    assert before.program.tobytes() == after.program.tobytes()
    assert run_plan(before).sink.visits.tobytes() == run_plan(after).sink.visits.tobytes()
    assert "G.lanes_in.recovery.longest" in kpis(after)[0].values
