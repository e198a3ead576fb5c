"""Which measures act in a scenario: whether anything that they change is run there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from zonesim.faults import ScenarioFault
from zonesim.policy.edits import ANY, Request, targets
from zonesim.policy.register import flows_in_use
from zonesim.policy.resolved_tree import ResolvedTree
from zonesim.scenario import Catalogue, Edit, Measure


def acting(world: ResolvedTree, catalogue: Catalogue, among: Collection[str] | None = None) -> list[Measure]:
    """
    Return the measures, in the order of the plan, that change anything which a scenario runs: a flow in use, a class
    that firms have, or what stands in its zones and traffic. `among`: of these names only.
    """
    flows = frozenset(flows_in_use(world))
    return [
        measure
        for measure in catalogue.in_plan_order()
        if (among is None or measure.name in among) and _acts(measure, world, flows, catalogue)
    ]


def idle(world: ResolvedTree, catalogue: Catalogue, among: Collection[str] | None = None) -> list[Measure]:
    """Return the measures, in the order of the plan, that change nothing which a scenario runs."""
    busy = acting(world, catalogue, among)
    known = catalogue.in_plan_order()
    return [each for each in known if (among is None or each.name in among) and each not in busy]


def _acts(measure: Measure, world: ResolvedTree, flows: Collection[str], catalogue: Catalogue) -> bool:
    firms: Mapping[str, Any] = world.tree.get("firms") or {}
    classes = set(firms.get("credit", {}))
    practices = measure.practices.values()
    if any(_reaches(edit, world, flows) for practice in practices for edit in practice.edits):
        return True
    if any(classes & set(practice.sets_class) for practice in practices):
        return True
    document = catalogue.documents[measure.name]
    places = [document.place(("zone_edits", str(number))) for number in range(len(measure.zone_edits))]
    found = [Request(edit, measure.name, place) for edit, place in zip(measure.zone_edits, places, strict=True)]
    return any(_finds(world, request) for request in found)


def _reaches(edit: Edit, world: ResolvedTree, flows: Collection[str]) -> bool:
    """Return whether an edit of a practice is one of a flow in use, or of the one use of a flow by an entry."""
    root, name = edit.path.split(".")[:2]
    return name == ANY or name in (world.tree.get("traffic", {}) if root == "traffic" else flows)


def _finds(world: ResolvedTree, request: Request) -> bool:
    """Return whether what an edit means is there."""
    try:
        return bool(targets(world, request))
    except ScenarioFault:
        return False
