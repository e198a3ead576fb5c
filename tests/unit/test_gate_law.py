"""No load passes the gate, or leaves the zone, unreleased: whatever a measure or an edit does to a flow, it is told before anything is run."""

from __future__ import annotations

import pytest

from tests.helper import HEAD, add_measure, plan_of, plan_of_world
from zonesim.faults import Faults
from zonesim.plan import Plan
from zonesim.policy import Arm, Chosen, world_of
from zonesim.scenario import Document, load_catalogue, read_file
from zonesim.verification.situations import ENTRY, STAGE, situations_folder

ARM = Arm("99", (Chosen("m99"),))


def plan_of_flow(flow: str, arm: Arm | None = None, edits: tuple[dict[str, object], ...] = ()) -> Plan:
    """Return the plan of one load of a flow on the stage of the situations."""
    stage = read_file(situations_folder() / STAGE)
    tree = {**stage.tree, "edits": list(edits)}
    known = tree["traffic"][ENTRY]["with"]
    params = load_catalogue().flows[flow]["params"]
    entry = {**tree["traffic"][ENTRY], "flow": flow, "with": {name: known[name] for name in params if name in known}}
    return plan_of_world(world_of(Document(stage.file, {**tree, "traffic": {ENTRY: entry}}, stage.places, stage.keys)), arm=arm)  # fmt: skip


def measure(monkeypatch: pytest.MonkeyPatch, share: str, *edits: str) -> None:
    """Put measure 99, with these edits, into the library."""
    lines = "".join(f"      - {{{edit}}}\n" for edit in edits)
    practice = (
        f"  p:\n    label: {{en: P, zh: 做法}}\n    adoption: {{share: {share}, of: volume}}\n    edits:\n{lines}"
    )
    add_measure(monkeypatch, f"name: m99\nannex: 99\npractices:\n{practice}")


UNRELEASED = {
    "F2": ("release", "goods that are 'declared' may make the mark 'goods_vehicle' at A.lanes_out"),
    "F3": ("release", "goods that are 'selected' may make the mark 'goods_vehicle' at A.lanes_out"),
    "F4a": ("release", "goods that are 'declared' may make the mark 'goods_vehicle' at A.lanes_in"),
    "F4b": ("allow", "goods of no status may make the mark 'in_zone'"),
    "F5": ("release", "goods that are 'bonded' may make the mark 'goods_vehicle' at A.lanes_out"),
    "F7a": ("release", "goods that are 'declared' may make the mark 'goods_vehicle' at A.lanes_out"),
    "F7b": ("release", "goods that are 'declared' may make the mark 'goods_vehicle' at A.lanes_out"),
    "F9": ("release", "goods that are 'declared' may make the mark 'goods_vehicle' at A.lanes_out"),
    "F13": ("release", "goods that are 'selected' may make the mark 'goods_vehicle' at A.lanes_in"),
}
"""The step that lets goods of a flow go, and what is said without it."""


@pytest.mark.parametrize(("flow", "share"), [*((flow, "100 %") for flow in UNRELEASED), ("F2", "50 %"), ("F5", "50 %")])
def test_a_measure_that_leaves_the_release_out_is_refused(monkeypatch, flow, share):
    """
    Without its release no load of a flow passes the gate, whether all follow the measure or some; the measure and its edit are named.
    """
    step, told = UNRELEASED[flow]
    measure(monkeypatch, share, f"remove: library.{flow}.{step}")
    with pytest.raises(Faults) as caught:
        plan_of_flow(flow, ARM)

    assert told in str(caught.value)
    assert f"Edited by measure 'm99.p' (remove library.{flow}.{step}, library/measures/m99.yaml:" in str(caught.value)


@pytest.mark.parametrize(
    ("flow", "step", "behind"),
    [
        ("F2", "{mark: released, set: {status: released}}", "outside"),
        ("F3", "{mark: released, set: {status: duty_paid}}", "outside"),
        ("F5", "{mark: released, set: {status: in_transit}}", "haul"),
        ("F7a", "{mark: released, set: {status: released}}", "bag"),
        ("F13", "{mark: cleared, set: {status: released}}", "inside"),
    ],
)
def test_a_measure_that_lets_go_behind_the_gate_is_refused(monkeypatch, flow, step, behind):
    """
    A release that stands behind the gate is none for who passes it, though every change of status is legal.
    """
    measure(monkeypatch, "100 %", f"remove: library.{flow}.release", f"add: library.{flow}.later, to: {step}, after: {behind}")  # fmt: skip
    with pytest.raises(Faults, match=r"may make the mark 'goods_vehicle' at A\.lanes_(in|out), which is not legal"):
        plan_of_flow(flow, ARM)


def test_a_way_past_the_release_is_refused(monkeypatch):
    """
    Who may jump over the release, or be let go in one of two cases only, is found on that way.
    """
    measure(monkeypatch, "100 %", "add: library.F2.review.next, to: {trucks: 1 %}")
    with pytest.raises(
        Faults, match=r"They went declare → by_hand → review → trucks → empty_in → load → gate_out\.lane\.begin\."
    ):
        plan_of_flow("F2", ARM)
    measure(monkeypatch, "100 %", "add: library.F2.release.share, to: 99 %")
    with pytest.raises(Faults, match=r"Edited by measure 'm99\.p' \(add library\.F2\.release\.share"):
        plan_of_flow("F2", ARM)


def test_the_fault_names_the_steps_since_the_last_status_and_whose_edit_it_was():
    """
    An edit of the scenario is told at its flow, with the whole way and what would be legal; a measure that has nothing to do with it is not named.
    """
    edits = ({"remove": "library.F2.release", "source": "assumed"}, {"set": "library.F2.load.take", "to": "1 h"})
    with pytest.raises(Faults) as caught:
        plan_of_flow("F2", edits=edits)
    text = next(
        str(fault) for fault in caught.value.faults if "'declared'" in fault.fault and "goods_vehicle" in fault.fault
    )

    assert "goods that are 'declared' may make the mark 'goods_vehicle' at A.lanes_out, which is not legal\n" in text
    assert "They went declare → by_hand → review → trucks → empty_in → load → gate_out.lane.begin. " in text
    assert "Edited by an edit of the scenario (remove library.F2.release, " in text
    assert "load.take" not in text
    assert text.endswith("Legal with: in_transit, released, non_bonded, duty_paid, domestic, exported.")


def test_nothing_is_asked_of_plain_traffic_nor_of_empty_trucks():
    """
    A vehicle of which nothing says what it carries passes, and so does the empty truck of a load that is not free yet.
    """
    assert plan_of_flow("visit").names.statuses
    assert plan_of_flow("F1b").names.statuses


OWN = """\
clock: {measure: 1 d}
zones: {Z: {desk: {units: 1}}}
statuses:
  new: {to: {sealed: assumed}}
  sealed: {passes: {door: assumed}}
  released: {passes: {door: assumed}}
flows: {f: {steps: {a: {set: {status: new}}, seal: {set: {status: sealed}}, out: {mark: door}}}}
traffic: {t: {flow: f, at: [0 h]}}
"""


def test_a_scenario_has_passages_of_its_own():
    """
    A scenario says with which statuses a mark of its own may be made, also of those of the library, whose other passages stay.
    """
    plan_of(HEAD + OWN)
    plan_of(HEAD + OWN.replace("{status: sealed}", "{class: x}").replace("statuses:", "firms: {count: 1, credit: {x: 100 %}}\nstatuses:").replace("{status: new}", "{status: released}"))  # fmt: skip
    with pytest.raises(Faults) as caught:
        plan_of(HEAD + OWN.replace("set: {status: sealed}", "take: 1 min"))

    assert str(caught.value) == (
        "timeline.yaml:10:72: goods that are 'new' may make the mark 'door', which is not legal\n"
        "    They went a → seal → out. Legal with: released, sealed."
    )
