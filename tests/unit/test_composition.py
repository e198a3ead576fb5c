"""Measures together: any set of them resolves, in any order, and what cannot stand together is named."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from tests.helper import HEAD, ROOT, add_measure, plan_of, run_plan, shipped
from zonesim.faults import Faults
from zonesim.plan import compile_plan
from zonesim.plan.operations import Op
from zonesim.policy import Arm, Chosen, apply, load_world, parse_setting, resolve, world_of
from zonesim.scenario import load_catalogue, read_text

TYPICAL = ROOT / "scenarios" / "typical_zone.yaml"
ALL_FLOWS = ROOT / "scenarios" / "all_flows.yaml"
LIBRARY = load_catalogue().measures
MEASURES = [measure.name for measure in load_catalogue().in_plan_order()]


def arm(*names: str) -> Arm:
    """Return the arm of these measures."""
    return Arm("+".join(names), tuple(Chosen(name) for name in names))


# --- the library


@pytest.mark.slow
def test_every_pair_resolves():
    """
    Any two measures of the library stand together, or the conflict names both; what each of them edits is changed.
    """
    world = load_world(ALL_FLOWS)
    for pair in combinations(MEASURES, 2):
        try:
            resolved = resolve(world, arm(*pair))
        except Faults as found:
            assert all(all(f"'{name}'" in fault.fault for name in pair) for fault in found.faults), pair
            continue
        assert [chosen.measure for chosen in resolved.arm.measures] == list(pair)
        edits = {
            name
            for name in pair
            if LIBRARY[name].zone_edits or any(practice.edits for practice in LIBRARY[name].practices.values())
        }
        assert {change.by.partition(".")[0] for change in resolved.changes} >= edits


@pytest.mark.slow
@pytest.mark.parametrize("name", ["all_flows", "services", "goods"])
def test_all_measures_but_one_resolve(name):
    """
    All of them but one, whichever it is, in the scenarios that they act on.
    """
    world = load_world(ROOT / "scenarios" / f"{name}.yaml")
    for names in combinations(MEASURES, len(MEASURES) - 1):
        assert resolve(world, arm(*names)).changes


@pytest.mark.parametrize("path", shipped())
def test_all_measures_together_compile(path):
    """
    The arm with every measure of the library has a plan, of at most forty thousand operations.
    """
    world = load_world(path)
    apply(world, [parse_setting(f"clock.{part}=1 d") for part in ("warm_up", "measure", "cool_down")])
    plan = compile_plan(resolve(world, arm(*MEASURES)))

    assert 0 < len(plan.program) < 150_000


def test_the_order_in_an_arm_does_not_matter():
    """
    Measures chosen in any order make one plan.
    """
    world = load_world(TYPICAL)
    plans = set()
    for seed in range(3):
        names = random.Random(seed).sample(MEASURES, len(MEASURES))
        plans.add(compile_plan(resolve(world, arm(*names))).identity)

    assert len(plans) == 1


# --- how edits compose

FLOW = """
clock: {start: "2018-09-03", measure: 1 d}
zones: {A: {desk: {units: 1}}, B: {desk: {units: 1}}}
flows: {f: {params: {zone: zone}, steps: {work: {take: 60 min}, rest: {take: 5 min}}}}
traffic: {a: {flow: f, with: {zone: A}, at: [0 min]}, b: {flow: f, with: {zone: B}, at: [0 min]}}
"""


def measure(number: int, *edits: str, after: str = "", share: str = "100 %", practice: str = "p") -> str:
    """Return the text of a measure with one practice."""
    return (
        f"name: m{number}\nannex: {number}\n{f'after: [{after}]' if after else 'after: []'}\n"
        f"practices:\n  {practice}:\n    label: {{en: P, zh: 做法}}\n    adoption: {{share: {share}, of: volume}}\n"
        "    edits:\n" + "".join(f"      - {{{edit}}}\n" for edit in edits)
    )


def left(*names: str, text: str = FLOW) -> dict[str, float]:
    """Return when each token leaves, in minutes."""
    return run_plan(plan_of(text, arm=arm(*names))).marks("left")


def test_two_scales_multiply(monkeypatch):
    """
    Half of a third of 60 min, then 5 min.
    """
    add_measure(monkeypatch, measure(91, "scale: flows.f.work.take, by: 0.5"))
    add_measure(monkeypatch, measure(92, "scale: flows.f.work.take, by: 0.3"))

    assert left("m91", "m92") == left("m92", "m91") == {"a0": 14, "b0": 14}


def test_a_measure_acts_after_the_one_it_names(monkeypatch):
    """
    `after: [m92]` comes second although its number is the smaller one, and may edit what the other adds.
    """
    add_measure(monkeypatch, measure(91, "set: flows.f.more.take, to: 3 min", after="m92"))
    add_measure(monkeypatch, measure(92, "add: flows.f.more, to: {take: 9 min}, after: work"))

    assert left("m92") == {"a0": 74, "b0": 74}
    assert left("m91", "m92") == {"a0": 68, "b0": 68}


def test_the_order_holds_between_partly_and_fully_followed_ones(monkeypatch):
    """
    A measure that everybody follows acts after one that some follow, for those who follow both.
    """
    add_measure(monkeypatch, measure(91, "set: flows.f.work.take, to: 10 min", after="m92"))
    add_measure(monkeypatch, measure(92, "set: flows.f.work.take, to: 20 min", share="99.9999 %"))

    assert left("m91", "m92") == {"a0": 15, "b0": 15}
    assert left("m92") == {"a0": 25, "b0": 25}


def test_measures_in_different_zones_do_not_conflict(monkeypatch):
    """
    Two measures that edit one value hold in a zone each; in one zone they conflict.
    """
    add_measure(monkeypatch, measure(91, "set: flows.f.work.take, to: 10 min"))
    add_measure(monkeypatch, measure(92, "set: flows.f.work.take, to: 20 min"))
    apart = Arm("x", (Chosen("m91", zones=("A",)), Chosen("m92", zones=("B",))))

    assert run_plan(plan_of(FLOW, arm=apart)).marks("left") == {"a0": 15, "b0": 25}
    with pytest.raises(Faults) as caught:
        plan_of(FLOW, arm=Arm("x", (Chosen("m91", zones=("A",)), Chosen("m92", zones=("A", "B")))))
    assert str(caught.value) == (
        "timeline.yaml:1:1: measures 'm91' and 'm92' both edit 'flows.f.work.take'"
        " (the other at library/measures/m91.yaml:13:9)\n"
        "    used at zonesim's own library/measures/m92.yaml:13:9\n"
        "    Leave one out, or declare `after: [m91]`."
    )


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ("remove: flows.f.work", "set: flows.f.work.take, to: 1 min", "flows.f.work"),
        ("remove: flows.f.work", "remove: flows.f.work", "flows.f.work"),
        ("add: flows.f.more, to: {take: 1 min}", "add: flows.f.more, to: {take: 2 min}", "flows.f.more"),
        ("set: flows.f.work, to: {take: 1 min}", "scale: flows.f.work.take, by: 2", "flows.f.work"),
        ("set: flows.*.work.take, to: 1 min", "scale: flows.f.work.take, by: 2", "flows.f.work.take"),
    ],
)
def test_what_conflicts(monkeypatch, first, second, value):
    """
    Removing, adding and setting meet also when one edit means a part of what the other means.
    """
    add_measure(monkeypatch, measure(91, first))
    add_measure(monkeypatch, measure(92, second))
    with pytest.raises(Faults) as caught:
        plan_of(FLOW, arm=arm("m92", "m91"))

    assert str(caught.value) == (
        f"timeline.yaml:1:1: measures 'm91' and 'm92' both edit '{value}'"
        " (the other at library/measures/m91.yaml:13:9)\n"
        "    used at zonesim's own library/measures/m92.yaml:13:9\n"
        "    Leave one out, or declare `after: [m91]`."
    )


def test_every_conflict_is_told(monkeypatch):
    """
    Two values that two measures edit are two faults.
    """
    edits = ("set: flows.f.work.take, to: 1 min", "set: flows.f.rest.take, to: 1 min")
    add_measure(monkeypatch, measure(91, *edits))
    add_measure(monkeypatch, measure(92, *edits))
    with pytest.raises(Faults) as caught:
        plan_of(FLOW, arm=arm("m91", "m92"))

    assert len(caught.value.faults) == 2


def test_a_circle_of_measures_is_a_fault(monkeypatch):
    """
    Two measures that come after each other have no order.
    """
    add_measure(monkeypatch, measure(91, "remove: flows.f.work", after="m92"))
    add_measure(monkeypatch, measure(92, "remove: flows.f.rest", after="m91"))
    with pytest.raises(Faults) as caught:
        plan_of(FLOW, arm=arm("m91", "m92"))

    assert str(caught.value) == (
        "timeline.yaml:1:1: measures m91 and m92 come after each other in a circle\n"
        "    used at zonesim's own library/measures/m91.yaml:7:8"
    )


def test_a_measure_after_none_that_exists_is_a_fault(monkeypatch):
    """
    `after` names a measure of the library.
    """
    add_measure(monkeypatch, measure(91, "remove: flows.f.work", after="m99"))
    with pytest.raises(Faults) as caught:
        plan_of(FLOW, arm=arm("m91"))

    assert str(caught.value) == (
        "timeline.yaml:1:1: measure 'm91' comes after 'm99', which is no measure\n"
        "    used at zonesim's own library/measures/m91.yaml:7:8"
    )


def test_a_measure_twice_is_a_fault():
    """
    Also when an arm is made in Python.
    """
    with pytest.raises(Faults) as caught:
        resolve(load_world(TYPICAL), arm("m11", "m11"))

    assert str(caught.value) == "arm 'm11+m11': measure 'm11' stands twice in arm 'm11+m11'\n    Keep one of them."


# --- editions


def practices(count: int, *shares: str) -> str:
    """Return a measure with practices that each edit a step of their own."""
    text = "name: m91\nannex: 91\npractices:\n"
    for number in range(count):
        text += (
            f"  p{number}:\n    label: {{en: P, zh: 做法}}\n    adoption: {{share: {shares[number % len(shares)]}, of: volume}}\n"
            f"    edits: [{{set: flows.f.s{number}.take, to: 1 min}}]\n"
        )
    return text


def steps(count: int) -> str:
    """Return a scenario with a flow of as many steps."""
    own = ", ".join(f"s{number}: {{take: {10 + number} min}}" for number in range(count))
    return f"\nclock: {{measure: 1 d}}\nflows: {{f: {{steps: {{{own}}}}}}}\ntraffic: {{a: {{flow: f, at: [0 min]}}}}\n"


def test_practices_with_one_share_have_two_editions(monkeypatch):
    """
    Five practices of one measure with one share are adopted together: a flow is written twice, not 32 times.
    """
    add_measure(monkeypatch, practices(5, "50 %"))
    plan = plan_of(steps(5), arm=arm("m91"))

    assert plan.names.flags == ("adopts m91.p0, m91.p1, m91.p2, m91.p3, m91.p4",)
    assert (plan.program["op"] == Op.DELAY).sum() == 2 * 5


def test_practices_of_other_steps_do_not_multiply(monkeypatch):
    """
    Three shares of one order of firms make three flags, and two editions of each of the three steps.
    """
    add_measure(monkeypatch, practices(3, "30 %", "50 %", "70 %"))
    plan = plan_of(steps(3), arm=arm("m91"))

    assert len(plan.names.flags) == 3
    assert (plan.program["op"] == Op.DELAY).sum() == 2 * 3


def test_measures_of_other_steps_do_not_multiply(monkeypatch):
    """
    Three measures are adopted apart from each other: two editions of each of the three steps.
    """
    for number in range(3):
        add_measure(
            monkeypatch, measure(91 + number, f"set: flows.f.s{number}.take, to: 1 min", share=f"{40 + number} %")
        )
    plan = plan_of(steps(3), arm=arm("m91", "m92", "m93"))

    assert (plan.program["op"] == Op.DELAY).sum() == 2 * 3


def test_editions_with_one_text_are_one(monkeypatch):
    """
    An edit that changes nothing (the value is there already) makes no second edition.
    """
    add_measure(monkeypatch, measure(91, "set: flows.f.s0.take, to: 10 min", share="50 %"))
    plan = plan_of(steps(3), arm=arm("m91"))

    assert len(plan.names.flags) == 0
    assert (plan.program["op"] == Op.DELAY).sum() == 3


def test_a_regimes_practice_conflicts_like_a_chosen_one(monkeypatch):
    """
    What some already do in the baseline is edited there too, and a measure that edits the same value has to say what comes first.
    """
    add_measure(monkeypatch, measure(91, "set: flows.f.work.take, to: 10 min", share="90 %"))
    add_measure(monkeypatch, measure(92, "set: flows.f.work.take, to: 20 min"))
    text = FLOW + "adopted: {m91: {p: 20 %}}\n"

    assert resolve(world_of(read_text(HEAD + text, "x.yaml")), Arm("base")).shares["m91.p"] == 0.2
    with pytest.raises(Faults, match="measures 'm91' and 'm92' both edit"):
        plan_of(text, arm=arm("m92"))
