"""A scenario's own edits of library flows, and edits that give keys which are not written yet."""

from __future__ import annotations

import pytest

from tests.helper import HEAD
from zonesim.faults import Faults
from zonesim.policy import (
    Arm,
    Chosen,
    ResolvedTree,
    apply,
    parse_setting,
    register,
    resolve,
    world_of,
)
from zonesim.scenario import read_text

SCENARIO = (
    HEAD
    + """clock: {measure: 1 d}
source: assumed
zones:
  G: {lanes_in: {units: 2, role: lane}, gate_officers: {units: 3, role: officer}, exception_desk: {units: 2, role: desk}}
truth: {papers_wrong: {all: 2 %}}
flows:
  come: {entity: truck, steps: {gate: {call: gate, with: {zone: G, lanes: G.lanes_in, vehicle: freight}}, work: {take: 5 min}}}
traffic: {trucks: {flow: come, rate: 60 /h}}
"""
)
EDITS = """edits:
  - {set: library.gate.lane.identify.take, to: 6 s}
  - {scale: traffic.trucks.rate, by: 2}
  - {add: library.gate.lane.photo, to: {take: 3 s}, after: identify, source: lane_manual_parts}
  - {remove: library.gate.lane.by_hand}
"""


def _world(more: str = "", *settings: str) -> ResolvedTree:
    world = world_of(read_text(SCENARIO + more, "own.yaml"))
    apply(world, [parse_setting(setting) for setting in settings])
    return world


def _lane(world: ResolvedTree, *measures: str) -> dict[str, object]:
    arm = Arm("arm", tuple(Chosen(measure) for measure in measures))
    flow = resolve(world, arm).flow("gate", frozenset(f"{measure}.gate" for measure in measures))
    return {name: step.take for name, step in flow.steps["lane"].steps.items()}


def _fault(more: str, *settings: str) -> str:
    with pytest.raises(Faults) as found:
        resolve(_world(more, *settings), Arm("arm"))
    return str(found.value)


def test_edits_change_a_flow_of_the_library():
    """
    All four kinds of edits are made, in their order, and count as values of the scenario, at its lines.
    """
    world = _world(EDITS)
    lane = _lane(world)

    assert list(lane)[:4] == ["begin", "identify", "photo", "weigh"]
    assert (lane["identify"], lane["photo"]) == ("6 s", "3 s")
    assert world.tree["traffic"]["trucks"]["rate"] == "120 /h"
    entries = {entry.dotted: entry for entry in register(world, ["gate", "come"])}
    assert str(entries["library.gate.lane.identify.take"].place) == "own.yaml:13:5"
    assert entries["library.gate.lane.identify.take"].kind == "assumed"
    assert entries["library.gate.lane.photo.take"].source_id == "lane_manual_parts"


def test_measures_still_act_and_have_the_last_word():
    """
    A measure edits what the scenario's edits leave: the automatic gate sets the time to identify that they set before.
    """
    before, plain = (
        _lane(_world(EDITS.replace("  - {remove: library.gate.lane.by_hand}\n", "")), "m11"),
        _lane(_world(), "m11"),
    )

    assert before.pop("photo") == "3 s"
    assert before == plain


def test_a_regime_gives_way_and_settings_go_before():
    """
    Entering another regime leaves what the scenario's edits say, and `--set` has the last word over both.
    """
    world = _world(EDITS, "regime=R0")

    assert _lane(world)["identify"] == "6 s"
    assert _lane(_world(EDITS, "regime=R0", "library.gate.lane.identify.take=9 s"))["identify"] == "9 s"
    assert list(_lane(world)) == list(_lane(_world(EDITS)))


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ("{set: library.gate.lane.idntify.take, to: 6 s}", "own.yaml:13:5: an edit of the scenario sets 'library.gate.lane.idntify.take', but 'library.gate.lane' has no 'idntify'\n    Did you mean 'identify'?"),
        ("{set: library.gate.lane.identify.tkae, to: 6 s}", "own.yaml:13:5: an edit of the scenario sets 'library.gate.lane.identify.tkae', but 'library.gate.lane.identify' has no 'tkae'\n    Did you mean 'take'?"),
        ("{set: library.gate.lane.identify.take, to: 6 cows}", "own.yaml:13:5: "),
        ("{set: library.gate.lane.identify.take}", "'set' needs 'to'\n    Write {set: PATH, to: VALUE}."),
        ("{remove: library.gate.lane.phto}", "an edit of the scenario removes 'library.gate.lane.phto', but 'library.gate.lane' has no 'phto'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_edit_is_told_at_its_line(edits, message):
    """
    A path that is none and a value that is none are told where the reader wrote them.
    """
    assert message in _fault(f"edits:\n  - {edits}\n")


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("zones.G.lanes_in.preempt=true", "zones.G.lanes_in.preempt", True),
        ("traffic.trucks.batch=4", "traffic.trucks.batch", 4),
        ("firms={count: 5}", "firms.count", 5),
        ("zones.G.spare={units: 1}", "zones.G.spare.units", 1),
        ("zones.G.lanes_inn={units: 1}", "zones.G.lanes_inn.units", 1),
        ("traffic.cars={flow: come, rate: 1 /h}", "traffic.cars.rate", "1 /h"),
        ("flows.come.work.during=office", "flows.come.steps.work.during", "office"),
        ("flows.come.rest={take: 1 min}", "flows.come.steps.rest.take", "1 min"),
        ("library.gate.lane.priority=3", "library.gate.steps.lane.priority", 3),
        ("truth.papers_wrong.AEO=1 %", "truth.papers_wrong.AEO", "1 %"),
        ("clock.holidays=cn", "clock.holidays", "cn"),
    ],
)
def test_a_setting_gives_keys_that_are_not_written_yet(setting, path, value):
    """
    What the format knows at a place can be set there, and new things among names that people choose.
    """
    node = _world("", setting).tree
    for part in path.split("."):
        node = node[part]

    assert node == value


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("zones.G.lanes_in.preemt=true", "'zones.G.lanes_in' has no 'preemt'\n    Did you mean 'preempt'?"),
        ("zones.G.lanes_in.rol=lane", "'zones.G.lanes_in' has no 'rol'\n    Did you mean 'role'?"),
        ("traffic.trucks.bach=4", "'traffic.trucks' has no 'bach'\n    Did you mean 'batch'?"),
        ("flows.come.wrok.take=1 min", "'flows.come' has no 'wrok'\n    Did you mean 'work'?"),
        ("zones.G.lane_in=3", "'zones.G' has no 'lane_in'\n    Did you mean 'lanes_in'?"),
        ("zones.G.other=3", "'other' must be a mapping, found '3'"),
        ("truth.papers_wrong.al=1 %", "'truth.papers_wrong' has no 'al'\n    Did you mean 'all'?"),
        ("zones.G.like=H", "'zones.G' has no 'like'"),
        ("zones.H={like: G}", "--set sets 'zones.H' with 'like', which is done on reading\n    Write it in the file."),
        ("edits=[]", "'the scenario' has no 'edits'"),
        ("measures.m11.covrage=3 %", "'measures.m11' has no 'covrage'\n    Did you mean 'coverage'?"),
    ],
)
def test_slips_stay_faults(setting, message):
    """
    A key that the format does not know, a name that is nearly another, and what only reading does, are refused.
    """
    assert message in _fault("", setting)
