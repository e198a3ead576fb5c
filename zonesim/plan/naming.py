"""
Whether names tell things apart: ids of KPIs are made of them, and no two things may share one.

An id begins with a flow, with an entry of the traffic (or the group that it is told with) or with a zone. What follows
differs in form, but for the waits at a step of a flow and at a lane of a gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from zonesim.faults import Place, ScenarioFault
from zonesim.plan.plan import MarkName, StepName
from zonesim.policy import ResolvedTree
from zonesim.scenario import load_catalogue
from zonesim.scenario.traffic import Traffic


def colliding(
    world: ResolvedTree, traffic: dict[str, Traffic], steps: Iterable[StepName], marks: Iterable[MarkName]
) -> Iterator[ScenarioFault]:
    """Yield a fault, with both places, for every two things of a plan that would share an id."""
    users: dict[str, set[str]] = {}
    groups: dict[str, set[str]] = {}
    for name, entry in traffic.items():
        users.setdefault(entry.flow, set()).add(name)
        groups.setdefault(entry.group or name, set()).add(name)
    for name, entry in traffic.items():
        own = world.key_place(("traffic", name))
        if entry.group is None and groups[name] != {name}:
            other = min(groups[name] - {name})
            yield _alike(f"entry '{name}'", own, f"group '{name}'", world.place(("traffic", other, "group")))
        called = entry.group or name
        if users.get(called, groups[called]) != groups[called]:
            kind, place = ("group", world.place(("traffic", name, "group"))) if entry.group else ("entry", own)
            flow = world.key_place(world.flow_path(called))
            yield _alike(f"{kind} '{called}'", place, f"flow '{called}', which others use", flow)
    passage = load_catalogue().passage
    lanes = {mark.place for mark in marks if passage is not None and mark.name == passage.from_}
    for step in steps:
        heads = {step.flow, traffic[step.entry].group or step.entry} if len(step.path) == 1 else set()
        for lane in sorted({f"{head}.{step.path[0]}" for head in heads} & lanes):
            own = world.key_place((*world.flow_path(world.flow_key(step.entry)), "steps", step.path[0]))
            zone, _, resource = lane.partition(".")
            yield _alike(f"step '{lane}'", own, f"lanes '{lane}'", world.key_place(("zones", zone, resource)))


def _alike(one: str, place: Place, other: str, there: Place) -> ScenarioFault:
    return ScenarioFault(f"{one} would have the ids of {other}", place, f"The other is at {there}; rename one of them.")
