"""Names that nothing has, and what does not fit together, are found when a scenario is compiled."""

from __future__ import annotations

import math

import pytest

from tests.helper import ROOT, plan_of, plan_of_file
from zonesim.faults import Faults, MeasureConflict, Place, ScenarioFault
from zonesim.plan import loads, overloaded_sources
from zonesim.policy import Request, apply, load_world, parse_setting
from zonesim.policy.conflicts import check_conflicts
from zonesim.scenario import Edit

TEXT = """zonesim: 1
kind: scenario
name: x
clock: {measure: 1 d}
zones: {Z: {desk: {units: 1}, other: {units: 2, open: office}}}
truth: {wrong: {all: 5 %}}
flows:
  f:
    params: {kind: [a, b]}
    steps:
      work: {hold: {d: Z.desk}, take: 5 min}
      check: {detect: {truth: wrong, sensitivity: 50 %}}
traffic: {a: {flow: f, rate: 1 /h, with: {kind: a}}}
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("flow: f,", "flow: g,", "no flow 'g'"),
        ("Z.desk", "Z.desc", "zone 'Z' has no resource 'desc'\n    Did you mean 'Z.desk'?"),
        ("Z.desk", "Y.desk", "'Y.desk' is no resource: no zone 'Y'\n    Known zones: Z."),
        ("open: office", "open: ofice", "no calendar 'ofice'\n    Did you mean 'office'?"),
        ("truth: wrong", "truth: wrnog", "no truth 'wrnog' in the scenario\n    Did you mean 'wrong'?"),
        ("with: {kind: a}", "with: {kind: c}", "'c' is not allowed for parameter 'kind' of flow 'f'\n    Known: a, b."),
        ("with: {kind: a}", "with: {}", "flow 'f' needs the parameter 'kind'\n    Add `with: {kind: …}`."),
        ("with: {kind: a}", "with: {kind: a, kid: b}", "flow 'f' has no parameter 'kid'\n    Did you mean 'kind'?"),
        ("{d: Z.desk}", "{d: {resource: Z.desk, units: 2}}", "needs 2 units of Z.desk, which never has more than 1\n    Give it more units, or take fewer."),
        ("take: 5 min}", "take: 5 min, next: wrok}", "no step 'wrok' to go on with\n    Did you mean 'work'?"),
        ("take: 5 min}", "share: {gold: 5 %, all: 1 %}, take: 5 min}", "no class 'gold'\n    Known classes: all."),
        ("take: 5 min}", "call: f}", None),
        ("rate: 1 /h,", "rate: 1 /h, profile: plantday,", "no profile 'plantday'\n    Did you mean 'plant_day'?"),
        ("take: 5 min}", "take: 5 min, during: $shift}", "no parameter 'shift' here\n    Known parameters: kind."),
        ("check: {detect: {truth: wrong, sensitivity: 50 %}}", "t: {split: {count: 2}}", "the split 't' is never joined\n    Add a step {join: t} after the children's steps."),
        ("check: {detect: {truth: wrong, sensitivity: 50 %}}", "t: {join: work}", "'t' joins 'work', which is no split before it\n    A join names a step with `split` that stands before it in the same list."),
        ("clock: {measure: 1 d}", "clock: {measure: 0 d}", "nothing is measured\n    Write `measure: 4 week`."),
    ],
)  # fmt: skip
def test_what_does_not_fit(old, new, message):
    """
    Every fault says what is wrong and what is near, at a place in the file.
    """
    with pytest.raises(Faults) as caught:
        plan_of(TEXT.replace(old, new))

    text = str(caught.value)
    assert text.startswith("timeline.yaml:")
    assert message is None or message in text


def test_a_flow_that_calls_itself_is_a_fault():
    """
    A call of the flow itself is refused instead of nesting for ever.
    """
    with pytest.raises(Faults, match="A flow may not call itself"):
        plan_of(TEXT.replace("hold: {d: Z.desk}, take: 5 min", "call: f, with: {kind: a}"))


def test_too_many_children_are_refused():
    """
    A consignment has at most 63 children.
    """
    steps = "t: {split: {count: 9}}\n      u: {split: {count: 9}}\n      w: {take: 1 min}\n      v: {join: u}\n      z: {join: t}"

    with pytest.raises(Faults, match="more than 63 tokens"):
        plan_of(TEXT.replace("check: {detect: {truth: wrong, sensitivity: 50 %}}", steps))


def test_settings_change_values_by_path():
    """
    `--set` edits what is there, with wildcards, and refuses what is not.
    """
    world = load_world(ROOT / "scenarios" / "typical_zone.yaml")
    changes = apply(world, [parse_setting("traffic.*.profile=plant_day"), parse_setting("zones.TYP.docks.units=30")])

    assert len(changes) == 14
    assert world.tree["zones"]["TYP"]["docks"]["units"] == 30
    with pytest.raises(Faults, match="Did you mean 'lanes_in' or"):
        apply(world, [parse_setting("zones.TYP.lane_in.units=4")])
    for text in ("zones", "=4", "a="):
        with pytest.raises(ScenarioFault, match="PATH=VALUE|a value is due"):
            parse_setting(text)


def test_scaling_keeps_shares_and_spreads():
    """
    `scale` multiplies every duration of a law, and neither its shares nor its coefficient of variation.
    """
    world = load_world(ROOT / "scenarios" / "typical_zone.yaml")
    mixed = {
        "mixture": {
            "fast": {"share": "93.1 %", "pert": ["1 h", "2 h", "3 h"]},
            "slow": {"share": "6.9 %", "pert": ["48 h", "70 h", "96 h"]},
        }
    }
    apply(world, [Request(Edit(set="library.F1.unload.take", to=mixed), "m1", Place("here"))])
    apply(world, [Request(Edit(scale="library.F1.unload.take", by=0.5), "m1", Place("here"))])
    apply(world, [Request(Edit(scale="library.F1.prepare.take", by=2.0), "m1", Place("here"))])
    steps = world.tree["library"]["F1"]["steps"]

    assert steps["unload"]["take"]["mixture"]["slow"] == {"share": "6.9 %", "pert": ["24 h", "35 h", "48 h"]}
    doubt = {"uncertain": ["32 h", "66 h", "132 h"]}
    assert steps["prepare"]["take"] == {"lognormal": {"mean": doubt, "cv": 0.7}}


def edit(measure: str, after: tuple[str, ...] = (), **action: object) -> Request:
    """Return a request of a measure."""
    return Request(Edit(**action), measure, Place(f"{measure}.yaml", 3, 5), (), after)


def test_two_measures_may_not_edit_one_value():
    """
    The conflict names both measures, both places and the value; both scaling, or an order, resolves it.
    """
    world = load_world(ROOT / "scenarios" / "typical_zone.yaml")
    first = edit("m1", set="library.F1.unload.take", to="1 h")
    second = edit("m2", set="library.F1.unload.take", to="2 h")

    with pytest.raises(Faults) as caught:
        check_conflicts(world, [first, second])
    assert isinstance(caught.value.faults[0], MeasureConflict)
    assert str(caught.value) == (
        "m2.yaml:3:5: measures 'm1' and 'm2' both edit 'library.F1.unload.take' (the other at m1.yaml:3:5)\n"
        "    Leave one out, or declare `after: [m1]`."
    )
    check_conflicts(world, [first, edit("m2", ("m1",), set="library.F1.unload.take", to="2 h")])
    check_conflicts(world, [edit(name, scale="library.F1.unload.take", by=0.5) for name in ("m1", "m2")])
    with pytest.raises(Faults, match="both edit"):
        check_conflicts(world, [edit("m1", remove="library.F1.unload"), second])


@pytest.mark.parametrize("share", ["0 %", "30 %", "100 %"])
def test_adoption_sets_how_many_walk_the_new_edition(share):
    """
    The adopters of a practice hold its share of the volume, in the mean over replications.
    """
    from zonesim.compiled.streams import run_key
    from zonesim.engine.arrivals import Population
    from zonesim.policy import Arm, Chosen

    plan = plan_of_file(
        ROOT / "scenarios" / "typical_zone.yaml", f"measures.m10.coverage={share}", arm=Arm("10", (Chosen("m10"),))
    )
    flags = [name for name in plan.names.flags if name == "adopts m10.simplified"]
    if share != "30 %":
        assert flags == []
        return
    flag = plan.names.flags.index(flags[0])
    found = []
    for replication in range(200):
        population = Population(plan, run_key(1, replication))
        found.append(sum(plan.members["share"][firm] for firm, own in enumerate(population.flags) if own >> flag & 1))

    assert sum(found) / len(found) == pytest.approx(0.3, abs=0.02)


def test_credit_classes_hold_their_shares_exactly():
    """
    Firms have volumes by Zipf's law, scaled so that each class has its share; the first class has the largest firms.
    """
    from zonesim.policy import generate
    from zonesim.scenario.models import Firms

    firms = generate(
        Firms(count=60, volume={"zipf": 1.0}, credit={"AEO": "40 %", "ordinary": "59.9 %", "discredited": "0.1 %"})
    )
    shares = {
        name: sum(firm.share for firm in firms if firm.credit == name) for name in ("AEO", "ordinary", "discredited")
    }

    assert shares == pytest.approx({"AEO": 0.4, "ordinary": 0.599, "discredited": 0.001})
    assert firms[0].credit == "AEO"
    assert len(firms) == 60


CIRCLE = """
clock: {measure: 10 d}
zones: {SHOP: {repairer: {units: 1}, gate: {units: 1}}}
flows:
  life: {steps: {run: {take: 10 h}, repair: {hold: {r: SHOP.repairer}, take: 2 h, next: run}}}
  visit: {steps: {pass: {hold: {g: SHOP.gate}, take: 30 min}}}
traffic:
  machines: {flow: life, at: [0 h], batch: 5}
  visitors: {flow: visit, rate: 1 /h}
"""


def test_a_circle_without_end_has_no_load():
    """
    How often machines come back depends on how long they wait, so the load of their repairer is not known; others have
    theirs. Nothing grows, though five machines would need more than there is of one who waits for nobody.
    """
    plan = plan_of(CIRCLE)
    found = {str(plan.names.resources[load.resource]): load.mean for load in loads(plan)}

    assert found == pytest.approx({"SHOP.gate": 0.5, "SHOP.repairer": math.nan}, nan_ok=True)
    assert overloaded_sources(loads(plan)) == frozenset()


def test_a_circle_that_takes_no_time_has_no_load_either():
    """
    The run says what is wrong with it; the load does not take for ever.
    """
    plan = plan_of(CIRCLE, "flows.life.run.take=0 s", "flows.life.repair.take=0 s")
    found = {str(plan.names.resources[load.resource]): load.mean for load in loads(plan)}

    assert found["SHOP.gate"] == pytest.approx(0.5)
