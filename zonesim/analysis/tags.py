"""Which KPIs only echo an edited value, and which depend on the length of the run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ParamSpec, TypeVar

from zonesim.analysis.control import control_of
from zonesim.analysis.echoes import echoes
from zonesim.analysis.newcomers import mixed
from zonesim.experiment import NO_CONTROL, CellControl, CellTags, Design
from zonesim.kpi import Kpi, fold_tables, pooled
from zonesim.plan import Load, MarkName, Plan, StepName, departures, grown_queues, loads, overloaded_sources

Key = TypeVar("Key")
Told = TypeVar("Told")
Given = ParamSpec("Given")

_TIMED = frozenset({"time", "time once", "stages", "visits wait", "visits open"})
"""Kinds of quantities whose shares say how many are in time, wait, or are missing."""

_UNITS_OF_TIME = frozenset({"h", "min", "s", "tokens"})


def tags_of(design: Design) -> dict[tuple[str, str], CellTags]:
    """
    Return, by arm and future, which KPIs of a design only echo its edits, which depend on the run length or are over
    another mix of goods than the baseline's, and what is expected of control; of what is run beside the first future,
    only the second.
    """
    main = design.main()
    known: dict[tuple[str, bytes, bytes], dict[str, bool]] = {}
    growing: dict[tuple[str, tuple[bool | None, ...]], tuple[frozenset[str], frozenset[str]]] = {}
    # Of a thousand packages of measures many have one plan, which tells the same of all of them.
    echoed: dict[tuple[int, int], dict[str, bool]] = {}
    others: dict[tuple[int, int], frozenset[str]] = {}
    control: dict[int, CellControl] = {}
    found = {}
    for (arm, future), cell in design.cells.items():
        own: dict[str, bool] = {}
        base = design.cells[design.baseline, future].plan
        pair, differs = (id(base), id(cell.plan)), arm != design.baseline and (arm, future) in main
        if differs:
            key = arm, _way(base), _way(cell.plan)
            if key not in known:  # futures that differ in demand or in units alone have the same echoes
                known[key] = _once(echoed, pair, echoes, base, cell.plan)
            own = known[key]
        said = cell.key, tuple(each.stable for each in cell.plan.names.resources)  # what is said by hand changes no run
        if said not in growing:
            asked = cell.plan, design.offset, design.kpis
            growing[said] = unstable(*asked), overruled(*asked)
        found[arm, future] = CellTags(
            frozenset(kpi for kpi, waits in own.items() if not waits),
            *growing[said],
            frozenset(kpi for kpi, waits in own.items() if waits),
            _once(control, id(cell.plan), control_of, cell.plan) if (arm, future) in main else NO_CONTROL,
            _once(others, pair, mixed, base, cell.plan, design.kpis) if differs else frozenset(),
        )
    return found


def _once(
    told: dict[Key, Told], key: Key, tell: Callable[Given, Told], *given: Given.args, **more: Given.kwargs
) -> Told:
    """Return what `tell` says, or has said before under this key."""
    if key not in told:
        told[key] = tell(*given, **more)
    return told[key]


def _way(plan: Plan) -> bytes:
    """Return a hash of what tokens go through in a plan, whoever comes and whatever there is of resources."""
    digest = hashlib.sha256()
    for table in (plan.program, plan.shares, plan.distributions, plan.parameters, plan.calendars, plan.spans):
        digest.update(table.tobytes())
    for table in (plan.adoptions, plan.adoption_shares, plan.sources["first_row"]):
        digest.update(table.tobytes())
    return digest.digest()


def unstable(plan: Plan, offset: int, kpis: Sequence[Kpi]) -> frozenset[str]:
    """
    Return the KPIs that depend on the run length because some line grows as long as the run lasts.

    These are times, queues and shares of those in time: of the resource in front of which the line stands, of flows
    that use it or wait for a departure without room for all, of gates that it is a part of, and truck hours. Counts per
    day and hours of work do not grow.
    """
    return _depending(plan, [*loads(plan, offset), *departures(plan, offset)], kpis)


def overruled(plan: Plan, offset: int, kpis: Sequence[Kpi]) -> frozenset[str]:
    """Return the KPIs that would depend on the run length, but that the scenario says by hand that a line is stable."""
    found = [*loads(plan, offset), *departures(plan, offset)]
    if not any(load.said for load in found):
        return frozenset()
    computed = [replace(load, said=None) for load in found]
    return _depending(plan, computed, kpis) - _depending(plan, found, kpis)


def _depending(plan: Plan, found: Sequence[Load], kpis: Sequence[Kpi]) -> frozenset[str]:
    full, sources = grown_queues(found), overloaded_sources(found)
    if not full and not sources:
        return frozenset()
    subjects = {str(plan.names.resources[resource]) for resource in full}
    tables = fold_tables(plan)
    subjects |= {
        mark.place
        for mark in plan.names.marks
        if mark.name == tables.passage[0] and any(_takes(step, mark, full) for step in plan.names.steps)
    }
    groups = {group for group, members in tables.scopes.groups.items() if sources & set(members)}
    goods = {kpi for kpi, members in pooled(plan).items() if sources & set(members)}
    grown = set()
    for kpi in kpis:
        kind = kpi.definition.kind
        timed = kpi.unit in _UNITS_OF_TIME or (kpi.unit == "share" and kind in _TIMED)
        touched = (
            kpi.subject in subjects
            or kpi.id in goods
            or (kpi.definition.scope in {"flow", "step"} and kpi.subject.partition(".")[0] in groups)
        )
        if (timed and touched) or (kind == "inside" and (touched or kpi.subject == "all")):
            grown.add(kpi.id)
    return frozenset(grown)


def _takes(step: StepName, gate: MarkName, resources: frozenset[int]) -> bool:
    """Return whether `step` is part of the passage of a gate that `gate` belongs to, and takes one of `resources`."""
    inside = step.entry == gate.entry and step.path[: len(gate.scope)] == gate.scope
    return inside and bool(resources & set(step.resources))
