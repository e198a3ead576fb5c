"""Edits of one use of a flow: `traffic.NAME.flow.STEP…` changes that entry and no other."""

from __future__ import annotations

import pytest

from tests.helper import HEAD, ROOT, add_measure, plan_of, plan_of_file, run
from zonesim.faults import Faults, ScenarioFault
from zonesim.policy import Arm, Chosen, apply, dotted, load_world, parse_setting, register, resolve, world_of
from zonesim.scenario import read_text

TEXT = """
clock: {measure: 1 d}
flows:
  f: {steps: {work: {take: 60 min, source: {kind: assumed}}, rest: {take: 5 min}}}
traffic:
  a: {flow: f, at: [0 min]}
  b: {flow: f, at: [0 min]}
"""

MEASURE = """name: m95
annex: 95
practices:
  one:
    label: {en: One, zh: 一}
    adoption: {share: 100 %, of: volume}
    edits: [{set: traffic.a.flow.work.take, to: 20 min}]
"""


def minutes(text: str, *settings: str, arm: Arm | None = None) -> dict[str, float]:
    """Return when each token of a run has left."""
    if arm is not None:
        from tests.helper import run_plan

        return run_plan(plan_of(text, *settings, arm=arm)).marks("left")
    return run(text, *settings).marks("left")


def test_set_changes_one_use():
    """
    The flow of the entry is another one from then on; the other entry keeps the flow as it was.
    """
    assert minutes(TEXT, "traffic.a.flow.work.take=10 min") == {"a0": 15, "b0": 65}


def test_an_edit_of_every_use_reaches_the_one_use_too():
    """
    In whichever order they come: what is said of every use holds for the copy, but for what is said of it alone.
    """
    one, every, other = "traffic.a.flow.work.take=10 min", "flows.f.rest.take=1 min", "traffic.a.flow.rest.take=2 min"

    assert minutes(TEXT, one, every) == {"a0": 11, "b0": 61}
    assert minutes(TEXT, every, one) == {"a0": 11, "b0": 61}
    assert minutes(TEXT, every, one, other) == {"a0": 12, "b0": 61}


def test_a_star_reaches_every_entry_that_has_the_step():
    """
    `traffic.*.flow.work.take` is every entry's own; a scale of one use leaves the others.
    """
    assert minutes(TEXT, "traffic.*.flow.work.take=10 min") == {"a0": 15, "b0": 15}
    assert minutes(TEXT, "traffic.b.flow.work.take*=2") == {"a0": 65, "b0": 125}


def test_steps_of_one_use_can_be_added_and_removed(monkeypatch):
    """
    A practice adds and removes steps of one entry's flow.
    """
    edits = "[{remove: traffic.a.flow.rest}, {add: traffic.a.flow.more, to: {take: 1 min}, after: work}]"
    add_measure(monkeypatch, MEASURE.replace("[{set: traffic.a.flow.work.take, to: 20 min}]", edits))

    assert minutes(TEXT, arm=Arm("x", (Chosen("m95"),))) == {"a0": 61, "b0": 65}


def test_a_practice_followed_by_some_edits_one_use(monkeypatch):
    """
    The entry has two editions of the step, the others one: a branch, a jump and another DELAY.
    """
    add_measure(monkeypatch, MEASURE.replace("100 %", "50 %"))
    plan = plan_of(TEXT, arm=Arm("x", (Chosen("m95"),)))
    plain = plan_of(TEXT)

    assert plan.names.flags == ("adopts m95.one",)
    assert len(plan.program) == len(plain.program) + 3
    assert set(plan.adoptions["source"].tolist()) == {0}


def test_another_flow_for_the_entry_ends_the_copy():
    """
    `traffic.a.flow=g` after an edit of its copy of f means g.
    """
    text = TEXT.replace("traffic:", "  g: {steps: {work: {take: 3 min}}}\ntraffic:")

    assert minutes(text, "traffic.a.flow.work.take=10 min", "traffic.a.flow=g") == {"a0": 3, "b0": 65}


def test_a_measure_for_every_use_and_one_for_this_use_conflict(monkeypatch):
    """
    They edit one value, the one in the copy; the fault names both measures and both lines.
    """
    add_measure(monkeypatch, MEASURE)
    add_measure(monkeypatch, MEASURE.replace("95", "96").replace("traffic.a.flow", "flows.f"))
    with pytest.raises(Faults) as caught:
        plan_of(TEXT, arm=Arm("x", (Chosen("m95"), Chosen("m96"))))

    assert str(caught.value) == (
        "timeline.yaml:1:1: measures 'm95' and 'm96' both edit 'traffic.a.flow.work.take'"
        " (the other at library/measures/m95.yaml:11:13)\n"
        "    used at zonesim's own library/measures/m96.yaml:11:13\n"
        "    Leave one out, or declare `after: [m95]`."
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("traffic.a.flow.wrok.take=1 min", "--set sets 'traffic.a.flow.wrok.take', but 'traffic.a.flow' has no 'wrok'\n    Did you mean 'work'?"),
        ("traffic.c.flow.work.take=1 min", "--set sets 'traffic.c.flow.work.take', but 'traffic' has no 'c'\n    Known: a, b."),
        ("traffic.a.flow.work.take*=0", "expected a factor above 0, found '0'\n    Write --set 'traffic.*.rate*=1.5'."),
        ("traffic.a.flow.work.take*=two", "expected a factor above 0, found 'two'\n    Write --set 'traffic.*.rate*=1.5'."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_edit_of_one_use(setting, message):
    """
    The fault says which name nothing has, and what is near.
    """
    with pytest.raises(ScenarioFault) as caught:
        minutes(TEXT, setting)

    assert str(caught.value) == f"--set {setting}: {message}"


def test_a_wrong_value_stands_at_its_edit():
    """
    The copy is checked like any flow.
    """
    with pytest.raises(Faults) as caught:
        minutes(TEXT, "traffic.a.flow.work.take=1 km")

    assert str(caught.value).startswith("--set traffic.a.flow.work.take=1 km: '1 km' is a distance, but a duration")


def test_rates_are_scaled_together():
    """
    `--set 'traffic.*.rate*=1.5'` multiplies every rate.
    """
    world = load_world(ROOT / "scenarios" / "typical_zone.yaml")
    before = {name: entry["rate"] for name, entry in world.tree["traffic"].items()}
    apply(world, [parse_setting("traffic.*.rate*=1.5")])

    assert before["import_sea"] == "30 /d"
    assert world.tree["traffic"]["import_sea"]["rate"] == "45 /d"
    assert len(before) == 13


def test_the_library_stays_for_the_others():
    """
    One entry's import without waiting for pick-up is another plan for it alone: no draw of the others moves, and the register shows
    the number under the entry's name.
    """
    path = ROOT / "scenarios" / "typical_zone.yaml"
    short = ("clock.warm_up=0 d", "clock.measure=1 d", "clock.cool_down=0 d")
    world = load_world(path)
    apply(world, [parse_setting("traffic.import_sea.flow.pick_up.take=1 h")])
    entries = [entry for entry in register(resolve(world, Arm("R1")).world) if entry.path[0] == "uses"]

    assert [(entry.dotted, entry.text) for entry in entries] == [("traffic.import_sea.flow.pick_up.take", "1 h")]
    assert (
        plan_of_file(path, *short).names == plan_of_file(path, *short, "traffic.import_sea.flow.pick_up.take=1 h").names
    )


def test_paths_of_copies_read_as_people_write_them():
    """
    The change of a copy is told as an edit of the traffic entry.
    """
    world = world_of(read_text(HEAD + TEXT, "x.yaml"))
    (change,) = apply(world, [parse_setting("traffic.a.flow.work.take=10 min")])

    assert change.dotted == "traffic.a.flow.work.take"
    assert dotted(("flows", "f", "steps", "work")) == "flows.f.work"
