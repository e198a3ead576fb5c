"""Which effects are given, and which depend on the length of the run."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from tests.helper import ROOT, plan_of, plan_of_file
from zonesim.analysis import compare, echoes, mixed, paired, trivially_changed, unstable
from zonesim.kpi import RunResult, catalogue

VALUES = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))

GATE = """
clock: {measure: 10 h}
zones: {Z: {lanes: {units: 5}, free: {units: 5}, desk: {units: 1}}}
flows:
  gate:
    entity: truck
    place: $lanes
    params: {lanes: resource, desk: resource}
    steps:
      arrive: {mark: gate_arrived}
      lane: {hold: {l: $lanes}, take: 1 min}
      talk: {hold: {d: $desk}, take: 10 min}
      passed: {mark: gate_passed}
  visit: {entity: truck, steps: {in: {call: gate, with: {lanes: Z.lanes, desk: Z.desk}}}}
  drive: {entity: truck, steps: {in: {call: gate, with: {lanes: Z.free, desk: Z.free}}}}
traffic: {a: {flow: visit, rate: 7 /h}, b: {flow: drive, rate: 7 /h}}
"""


def test_a_gate_grows_with_its_desk():
    """
    A desk that is offered too much makes the pass time of its gate grow, though the lanes have room; another gate, its
    flow and the hours of work do not.
    """
    plan = plan_of(GATE)
    found = unstable(plan, 0, catalogue(plan))

    assert {"Z.lanes.pass.mean", "Z.lanes.pass.missing", "visit.dwell.mean", "visit.dwell.within_24h"} <= found
    assert {"Z.desk.queue.mean", "visit.truck_hours.day", "all.truck_hours.day"} <= found
    assert not {"Z.desk.busy_hours.day", "Z.desk.utilisation", "visit.completed.day", "Z.lanes.passes.day"} & found
    assert not any(kpi.startswith(("drive.", "Z.free.")) for kpi in found)


def test_nothing_grows_where_everything_is_served():
    """
    Below a load of 100 % no KPI depends on the length of the run.
    """
    plan = plan_of(GATE, "traffic.a.rate=5 /h")

    assert unstable(plan, 0, catalogue(plan)) == frozenset()


def test_no_difference_is_not_material():
    """
    A difference of nothing is not material, also where the baseline is nothing; one from nothing is.
    """
    results = {
        "R1": [RunResult({"same": 0.0, "new": 0.0}) for _ in range(2)],
        "11": [RunResult({"same": 0.0, "new": 0.1}) for _ in range(2)],
    }
    tags = {effect.kpi: effect.tag for effect in compare(results, ["same", "new"]).effects}

    assert tags == {"same": "not material", "new": ""}


def test_a_kpi_that_an_arm_lacks_has_no_effect():
    """
    A step that only one arm has gives values there and no difference.
    """
    results = {"R1": [RunResult({"a": 1.0})] * 2, "11": [RunResult({"a": 2.0, "b": 5.0})] * 2}
    found = compare(results, ["a", "b"])
    effect = {effect.kpi: effect.difference for effect in found.effects}

    assert found.arms["11"]["b"].value == 5
    assert found.arms["R1"]["b"].n == effect["b"].n == 0
    assert math.isnan(effect["b"].value)
    assert effect["a"].value == 1


def test_the_variance_reduction_is_a_median_over_what_varies():
    """
    KPIs that do not vary, or that differ by a constant, say nothing about common luck.
    """
    base = [RunResult({"same": 3.0, "shifted": float(n), "noisy": float(n)}) for n in range(4)]
    noise = (0.5, -0.5, 0.5, -0.5)
    arm = [RunResult({"same": 3.0, "shifted": n + 1.0, "noisy": n + noise[n]}) for n in range(4)]
    found = compare({"R1": base, "11": arm}, ["same", "shifted", "noisy"])
    expected = paired([0, 1, 2, 3], [n + noise[n] for n in range(4)]).variance_reduction

    assert found.variance_reduction({"same", "shifted", "noisy"}) == expected
    assert math.isnan(found.variance_reduction({"same", "shifted"}))


@given(st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=20), VALUES)
def test_a_common_shock_leaves_the_difference_alone(pairs, shock):
    """
    Luck that both arms share does not enter the paired difference or its interval; exchanging the arms turns the sign.
    """
    base, arm = zip(*pairs, strict=True)
    plain = paired(base, arm)
    shaken = paired([value + shock for value in base], [value + shock for value in arm])
    turned = paired(arm, base)

    assert math.isclose(plain.value, shaken.value, abs_tol=1e-6)
    assert math.isclose(plain.low, shaken.low, rel_tol=1e-6, abs_tol=1e-3)
    assert math.isclose(plain.low, -turned.high, rel_tol=1e-9, abs_tol=1e-9)
    assert plain.low <= plain.value <= plain.high


YARD_GATE = """
clock: {measure: 1 d}
zones: {P: {lanes: {units: 2}, bays: {units: 3}}}
flows:
  f:
    entity: truck
    steps:
      lane:
        hold: {lane: P.lanes}
        steps:
          check: {take: 2 min}
          bay: {hold: {bay: P.bays}, keep: {bay: until park}}
      park: {take: 20 min}
      exit: {take: 5 min}
traffic: {t: {flow: f, rate: 8 /h}}
"""


def test_time_with_kept_units_in_hand_belongs_to_their_step():
    """
    What a kept bay is in hand for echoes an edit; a step after the bay was given back does not make the bay's time an echo.
    """
    base = plan_of(YARD_GATE)
    slower_park = trivially_changed(base, plan_of(YARD_GATE, "flows.f.park.take=30 min"))
    slower_exit = trivially_changed(base, plan_of(YARD_GATE, "flows.f.exit.take=30 min"))

    assert "f.park.service.mean" in slower_park
    assert any(name.startswith("f.lane.bay") for name in slower_park)
    assert not any(name.startswith("f.lane.bay") for name in slower_exit)


BLOCK = """
clock: {measure: 10 h}
zones: {Z: {desk: {units: 1}}}
flows:
  f:
    steps:
      block:
        hold: {d: Z.desk}
        steps: {ask: {take: 5 min, mark: declared}, answer: {take: 10 min, mark: released}}
traffic: {a: {flow: f, rate: 2 /h}}
"""


def test_work_that_can_be_interrupted_is_no_echo():
    """
    A time that is edited gives the time in its step, and that between two marks; where a desk preempts, the work may be
    interrupted and both also depend on who comes.
    """
    echo = {
        "f.block.answer.service.mean",
        "f.block.service.mean",
        "f.customs.mean",
        "f.stage.declared_to_released.mean",
    }
    longer = "flows.f.block.answer.take=12 min"
    plain = trivially_changed(plan_of(BLOCK), plan_of(BLOCK, longer))
    preempted = [plan_of(BLOCK, "zones.Z.desk.preempt=true", *each) for each in ((), (longer,))]

    assert echo <= plain
    assert not echo & trivially_changed(*preempted)


def test_who_adopts_is_an_edited_value_where_editions_differ():
    """
    Where only the share that follows a practice differs, the steps and shares that it edits echo that; what it leaves
    alone, or has in both editions, does not.
    """
    typical = ROOT / "scenarios" / "typical_zone.yaml"
    shares = [[f"adopted.m11.{practice}={share}" for practice in ("gate", "comparison")] for share in ("20 %", "60 %")]
    found = trivially_changed(*(plan_of_file(typical, *own) for own in shares))

    assert {"TYP.lanes_in.lane.mean", "TYP.lanes_in.exceptions.rate", "all.papers_wrong.missed.share"} <= found
    assert not {"F1.inspected.rate", "F1.customs.mean", "F5.customs.mean", "all.irregular.missed.share"} & found


def test_a_task_in_the_background_is_no_part_of_the_way():
    """
    A task that others do in the background may go without making another way of it; a step that is put into the
    background is more than a time that is left out.
    """
    background = BLOCK.replace("block:", "aside: {take: 1 h, background: true}\n      block:")
    own = BLOCK.replace("block:", "aside: {take: 1 h}\n      block:")
    longer = "flows.f.block.answer.take=12 min"

    assert "f.stay.mean" in echoes(plan_of(background), plan_of(BLOCK, longer))
    assert "f.stay.mean" in echoes(plan_of(own), plan_of(BLOCK, longer))
    assert "f.stay.mean" not in echoes(plan_of(own), plan_of(background, longer))


MIXED = """
clock: {measure: 10 d}
zones: {Z: {lanes: {units: 5}, free: {units: 5}, officers: {units: 9}}}
truth: {wrong: {all: 10 %}}
flows:
  gate:
    entity: truck
    place: $lanes
    params: {lanes: resource}
    steps:
      arrive: {mark: gate_arrived}
      lane: {hold: {l: $lanes}, take: 1 min}
      check: {detect: {truth: wrong, sensitivity: 50 %}}
      passed: {mark: gate_passed}
  visit: {entity: truck, params: {lanes: resource}, steps: {in: {call: gate, with: {lanes: $lanes}}}}
  ask: {steps: {ask: {take: 1 min, SPAWN mark: asked}}}
traffic:
  a: {flow: visit, with: {lanes: Z.lanes}, rate: 7 /h}
  b: {flow: visit, with: {lanes: Z.free}, rate: 7 /h}
  wish: {flow: ask, rate: 1 /h}
  new: {flow: visit, with: {lanes: Z.lanes}, spawned: true}
"""


def test_means_over_goods_that_only_one_arm_has_are_mixed():
    """
    Where trucks come that the baseline has not, means and shares over them and others together are another mix: of the gate that both pass, of the flow that
    both walk, of the truth that both may have. Counts, other gates and entries, and an arm that brings nobody are not.
    """
    base, more = (plan_of(MIXED.replace("SPAWN", spawn)) for spawn in ("", "spawn: new,"))
    kpis = catalogue(more)
    found = mixed(base, more, kpis)

    assert {"Z.lanes.pass.mean", "Z.lanes.wait.p95", "visit.stay.mean", "all.wrong.missed.share"} <= found
    assert (
        not {"Z.lanes.passes.day", "visit.completed.day", "all.wrong.cases.day", "a.stay.mean", "ask.stay.mean"} & found
    )
    assert not any(kpi.startswith("Z.free.") for kpi in found)
    assert mixed(more, more, kpis) == mixed(more, base, kpis) == frozenset()


def test_a_mixed_mean_has_levels_and_no_difference():
    """
    What is mixed in an arm is told with its level, tagged `mix`, and without a difference; in other arms it has one.
    """
    runs = {
        arm: [RunResult({"x": value + run}) for run in range(3)] for arm, value in (("R", 1.0), ("m", 4.0), ("n", 9.0))
    }
    found = compare(runs, ["x"], mixed={"m": ["x"]})
    effects = {effect.arm: effect for effect in found.effects}

    assert found.arms["m"]["x"].value == 5
    assert (effects["m"].tag, math.isnan(effects["m"].difference.value)) == ("mix", True)
    assert effects["n"].difference.value == 8
