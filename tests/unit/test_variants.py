"""Variants: an arm in a future is made concrete by way of the arm without it, and is what it would be otherwise."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.helper import HEAD, ROOT
from zonesim.experiment import planning, read_design, tree_hash
from zonesim.experiment.futures import setting_of
from zonesim.faults import Faults, Place
from zonesim.plan import compile_plan
from zonesim.policy import Arm, Chosen, apply, load_world, resolve, variant

ARMS = {"baseline": Arm("R1"), "gate": Arm("gate", (Chosen("m11"), Chosen("m10")))}


@cache
def typical():
    """Return the world of the typical zone."""
    return load_world(ROOT / "scenarios" / "typical_zone.yaml")


@cache
def base(name):
    """Return an arm in it without edits."""
    return resolve(typical(), ARMS[name])


FREE = {
    "all rates": [("traffic.*.rate", 1.5, True)],
    "a rate and units": [("traffic.import_sea.rate", "40 /d", False), ("zones.TYP.docks.units", 7, False)],
    "firms and a flow": [("firms.count", 30, False), ("library.F2.*.take", 2.0, True)],
    "two flows": [("library.F2.*.take", 2.0, True), ("library.F3.*.take", 0.5, True)],
}
"""Edits that neither regime nor measures have to do with: path, value, and whether it is a factor."""

BOUND = {
    "a parameter of a measure": [("measures.m11.coverage", "50 %", False)],
    "the regime": [("regime", "R0", False)],
    "what a measure edits": [("library.F6.*.share", 1.5, True)],
    "a whole resource": [("zones.TYP.docks", {"units": 2}, False)],
    "another form of law": [("library.F2.*.take", {"exponential": {"mean": "5 min"}}, False)],
    "the flow of an entry": [("traffic.import_sea.flow", "F2", False)],
    "a flow in one use": [("traffic.import_sea.flow.*.take", 2.0, True)],
    "the share of adopters": [("adopted.m11.gate", "40 %", False)],
    "a parameter that nobody knows": [("zones.TYP.docks.units", "$docks", False)],
    "a wrong value": [("zones.TYP.docks.units", -1, False)],
    "the clock": [("clock.measure", "2 week", False)],
}


def requests(edits):
    """Return the edits of a future."""
    place = Place("experiment.yaml", 3, 5)
    return [setting_of(path, value, factor=factor, by="a future", place=place).request for path, value, factor in edits]


def told(arm):
    """Return all that results and pages take from an arm."""
    plan = compile_plan(arm)
    adopted = frozenset(use.name for use in arm.partial)
    return (
        (tree_hash(arm), planning.cell_key(plan, 1, 0), plan.names),
        (arm.arm, arm.changes, arm.uses, arm.edits, arm.upgrades, arm.warnings, arm.scenario),
        (arm.world.tree, arm.world.places, arm.world.keys, arm.world.edited, arm.world.settings),
        (arm.flows(), arm.flows(adopted), {key: arm.bare_flow(key) for key in arm.world.flow_keys()}),
    )


@pytest.mark.parametrize("what", FREE)
@pytest.mark.parametrize("name", ARMS)
def test_a_variant_is_the_arm_made_concrete_anew(name, what):
    """
    Where the future changes what neither regime nor measures read or change, its arm is had without resolving it, equal
    in world, flows, plan and all that is told of it; an edit of the arm's own is among its changes.
    """
    ahead, own = requests(FREE[what][:1]), requests(FREE[what][1:])
    world = typical().copy()
    apply(world, ahead)
    changes = apply(world, own)
    anew = resolve(world, ARMS[name])
    anew.changes[:0] = changes
    before = tree_hash(base(name))

    found = variant(base(name), typical(), ARMS[name], ahead, own)

    assert found is not None
    assert told(found) == told(anew)
    assert tree_hash(found) != before == tree_hash(base(name))


@pytest.mark.parametrize("what", BOUND)
def test_what_regime_or_measures_have_to_do_with_has_no_variant(what):
    """
    Edits of what they read or change, of parts of the world, and wrong ones are left to resolving the arm anew.
    """
    assert variant(base("gate"), typical(), ARMS["gate"], requests(BOUND[what]), []) is None


SCENARIO = f"""{HEAD}clock: {{measure: 1 h}}
zones: {{B: {{c: {{units: 3}}}}}}
flows: {{f: {{steps: {{s: {{hold: {{k: B.c}}, take: 1 min}}}}}}}}
traffic: {{t: {{flow: f, rate: 1 /d}}}}
"""

EXPERIMENT = """zonesim: 1
kind: experiment
name: grid
label: {en: Grid}
scenario: s.yaml
replications: 1
arms: {today: [], more: {set: {zones.B.c.units: 4}}, twin: [], again: {set: {zones.B.c.units: 4}}}
futures: {grid: {traffic.t.rate: {scale: [FACTORS]}}}
"""


def experiment(folder: Path, count: int) -> Path:
    """Write an experiment of four arms, two of each kind, in `count` futures."""
    (folder / "s.yaml").write_text(SCENARIO)
    factors = ", ".join(str(1 + number / 8) for number in range(count))
    (folder / "e.yaml").write_text(EXPERIMENT.replace("FACTORS", factors))
    return folder / "e.yaml"


def test_futures_do_not_resolve_their_arms_anew(tmp_path, monkeypatch):
    """
    Nine futures of arms without measures take one resolving; cells come in the order of futures and arms, and are those that
    resolving each of them gives.
    """
    calls = []
    monkeypatch.setattr(planning, "resolve", lambda *given: calls.append(given) or resolve(*given))
    file = experiment(tmp_path, 9)
    found = read_design(file, [])
    assert len(calls) == 1
    monkeypatch.setattr(planning, "variant", lambda *_: None)
    anew = read_design(file, [])

    assert list(found.cells) == [(arm, future.name) for future in found.futures for arm in found.options]
    assert [(cell.key, cell.tree, cell.changes, cell.shares) for cell in found.cells.values()] == [
        (cell.key, cell.tree, cell.changes, cell.shares) for cell in anew.cells.values()
    ]
    assert found.cells["today", "traffic.t.rate ×2"] is found.cells["twin", "traffic.t.rate ×2"]
    assert [arm.arm.name for arm in found.resolved.values()] == ["today", "more", "twin", "again"]


def test_a_fault_of_one_future_is_told_where_it_is_written(tmp_path):
    """
    Of futures of which one has a rate that cannot be, that one is told, at its line.
    """
    file = experiment(tmp_path, 3)
    file.write_text(file.read_text().replace("traffic.t.rate: {scale: [1.0", "traffic.t.rate: {scale: [1e300"))
    with pytest.raises(Faults) as wrong:
        read_design(file, [])

    assert "e.yaml:8:" in str(wrong.value)
