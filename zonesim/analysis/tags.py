"""Which KPIs only echo an edited value, and which depend on the length of the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from zonesim.experiment import CellTags, Design
from zonesim.kpi import Kpi, Quantity, Scopes, fold_tables, quantities
from zonesim.plan import (
    NOWHERE,
    BranchOn,
    Load,
    MarkName,
    Plan,
    StepName,
    Units,
    departures,
    grown_queues,
    loads,
    overloaded_sources,
    successors,
)
from zonesim.plan import Distribution as Kind
from zonesim.policy import Change

Law = tuple[object, ...]

StepKey = tuple[str, tuple[str, ...]]
"""Entry and path of a step."""

_TIMED = frozenset({"time", "time once", "stages", "visits wait", "visits open"})
"""Kinds of quantities whose shares say how many are in time, wait, or are missing."""

_MARK, _QUEUE, _CHOICE = "mark", "queue", "choice"
"""Beside delays and shares, what a consignment meets on its way."""

_UNITS_OF_TIME = frozenset({"h", "min", "s", "tokens"})


def tags_of(design: Design) -> dict[tuple[str, str], CellTags]:
    """Return, by arm and future, which KPIs of a design only echo its edits, and which depend on the run length."""
    return {
        (arm, future): CellTags(
            trivially_changed(design.cells[design.baseline, future].plan, cell.plan, cell.changes)
            if arm != design.baseline
            else frozenset(),
            unstable(cell.plan, design.offset, design.kpis),
            overruled(cell.plan, design.offset, design.kpis),
        )
        for (arm, future), cell in design.cells.items()
    }


def trivially_changed(base: Plan, arm: Plan, changes: Sequence[Change]) -> frozenset[str]:
    """
    Return the KPIs of `arm` that follow from its edits alone, with no queue between.

    These are: time in a step whose laws differ from the baseline's, lane occupancy likewise, a duration between two
    marks with no queue between them and other laws, and the inspection rate of a flow whose shares were edited. Where
    work can be interrupted there is a queue in the middle of it.
    """
    found = set()
    old, new = _step_laws(base), _step_laws(arm)
    stopped = {(step.entry, step.path[:-1]) for step in arm.names.steps if step.is_interruption}
    scopes, measured = fold_tables(arm).scopes, quantities(arm)
    for scope, subjects in (("step", scopes.steps), ("gate", scopes.lanes)):
        names = [f"{each.name}.mean" for each in measured if each.scope == scope and each.rule.visits == "service"]
        for subject, rows in subjects.items():
            keys = {(arm.names.steps[row].entry, arm.names.steps[row].path) for row in rows}
            if not _within(keys, stopped) and any(old.get(key) != new.get(key) for key in keys):
                found |= {f"{subject}.{name}" for name in names}
    for group, sources in scopes.groups.items():
        passages = [(_passage(base, source), _passage(arm, source)) for source in sources]
        for (early, late), names in _between_marks(scopes, group, measured).items():
            before = [_between(own, early, late) for own, _ in passages]
            after = [_between(own, early, late) for _, own in passages]
            if before != after and None not in before and None not in after:
                found |= {f"{group}.{name}" for name in names}
    edited = {change.path[1] for change in changes if change.path[-1] == "share" and len(change.path) > 1}
    rates = [
        definition.what for each in measured if each.rule.share and each.scope == "flow" for definition in each.told
    ]
    for flow in edited:
        entries = [name for name, own in zip(arm.names.sources, arm.names.source_flows, strict=True) if own == flow]
        found |= {f"{subject}.{rate}" for subject in (flow, *entries) for rate in rates}
    return frozenset(found)


def _between_marks(scopes: Scopes, group: str, measured: Sequence[Quantity]) -> dict[tuple[str, str], list[str]]:
    """Return, by two marks of a group, what is told of the time between them."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in measured:
        rule = each.rule
        if rule.time is not None and each.scope == "flow" and not rule.time.once:
            end = scopes.first(group, rule.time.to)
            names = [definition.what for definition in each.told if definition.statistic != "missing"]
            found.setdefault((rule.time.from_, end or ""), []).extend(names)
        elif rule.stages is not None:
            for early, late in combinations(rule.stages.through, 2):
                found.setdefault((early, late), []).append(f"{each.name}.{early}_to_{late}.mean")
    return found


def _within(keys: Iterable[StepKey], stopped: Iterable[StepKey]) -> bool:
    """Return whether work in one of these steps, or in a step inside it, can be interrupted."""
    return any(entry == other and path[: len(own)] == own for entry, own in keys for other, path in stopped)


def _law(plan: Plan, row: int) -> Law:
    """Return kind and numbers of a law, those of its parts included."""
    kind, first, count = plan.distributions[row].tolist()
    numbers = plan.parameters[first : first + count].tolist()
    if kind == Kind.BY_CLASS:
        return (kind, *(_law(plan, int(number)) for number in numbers))
    if kind == Kind.MIXTURE:
        return (
            kind,
            *((_law(plan, int(part)), share) for part, share in zip(numbers[::2], numbers[1::2], strict=True)),
        )
    return (kind, *numbers)


def _step_laws(plan: Plan) -> dict[StepKey, set[Law]]:
    """Return, by entry and path of a step, the laws of the delays that happen in it."""
    found: dict[StepKey, set[Law]] = {}
    in_slots: dict[int, int] = {}
    for each in plan.code:
        facts = each.facts
        if facts.units is Units.RELEASES:
            in_slots.pop(each.slot, None)
        elif facts.units is not None:
            in_slots[each.slot] = each.step
        elif facts.ends:
            in_slots.clear()
        elif facts.delays:
            for number in [*in_slots.values(), *([each.step] if each.step >= 0 else [])]:
                name = plan.names.steps[number]
                found.setdefault((name.entry, name.path), set()).add(_law(plan, each.duration))
    return found


def _passage(plan: Plan, source: int) -> list[tuple[str, Any]]:
    """
    Return what a source's consignments meet on their way through the program: their own marks, delays and shares by
    their laws, where there may be a queue, and the editions of a step: who adopts, and what both meet.
    """
    entry = plan.names.sources[source]
    first = int(plan.sources["first_row"][source])
    last = next(row for row in range(first, len(plan.code)) if plan.code[row].facts.ends)

    def met(row: int, end: int) -> Iterator[tuple[str, Any]]:
        while row < end:
            each = plan.code[row]
            facts = each.facts
            row += 1
            if facts.asks is BranchOn.FLAG and each.flag < len(plan.names.flags):
                adopters, after = each.target, _behind(plan, each.target)
                yield _CHOICE, (_who_adopts(plan, source, each.flag), [*met(row, adopters)], [*met(adopters, after)])
                row = after
            elif facts.marks:
                if plan.names.marks[each.mark].entry == entry:
                    yield _MARK, plan.names.marks[each.mark].name
            elif facts.waits is not None or (facts.delays and each.interrupted != NOWHERE):
                yield _QUEUE, None
            elif facts.delays:
                yield "delay", _law(plan, each.duration)
            elif facts.asks is BranchOn.SHARE:
                yield "share", tuple(plan.shares[each.share].tolist())

    return list(met(first, last))


def _behind(plan: Plan, adopters: int) -> int:
    """Return the row behind a choice between editions, that of adopters at row `adopters`: where the others jump to."""
    (target,) = [row for _, row in successors(plan.code[adopters - 1], adopters - 1)][-1:] or [adopters]
    return max(target, adopters)


def _who_adopts(plan: Plan, source: int, flag: int) -> Law:
    """Return the shares of a source's tokens that have a flag of adoption, with of what, of whom and when."""
    own = (plan.adoptions["flag"] == flag) & np.isin(plan.adoptions["source"], (source, NOWHERE))
    whom = plan.adoptions[["by", "party", "begins", "until"]][own].tolist()
    return (*whom, *plan.adoption_shares[own].tolist())


def _between(passage: Sequence[tuple[str, Any]], early: str, late: str) -> list[object] | None:
    """
    Return the delays and shares between two marks of a passage, in all editions of the steps, with the shares that
    choose between these; None when something to wait for is in the way, or the marks do not follow each other.
    """
    rows: list[object] = []
    ended, held_up = False, False

    def read(passage: Sequence[tuple[str, Any]], begun: frozenset[bool]) -> frozenset[bool]:
        """Return whether tokens are between the marks behind a passage, of those before: both, where some are."""
        nonlocal ended, held_up
        for kind, value in passage:
            if kind == _CHOICE:
                who, no, yes = value
                count = len(rows)
                behind = read(no, begun), read(yes, begun)
                if len(rows) > count or behind[0] != behind[1]:
                    rows.append(("adoption", who))
                begun = behind[0] | behind[1]
            elif kind == _MARK and value == early:
                begun = frozenset([True])
            elif kind == _MARK and value == late and True in begun:
                begun = frozenset([False])
                ended = True
            elif True in begun and kind == _QUEUE:
                held_up = True
            elif True in begun and kind != _MARK:
                rows.append((kind, value))
        return begun

    begun = read(passage, frozenset([False]))
    return rows if ended and not held_up and True not in begun else None


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
    grown = set()
    for kpi in kpis:
        kind = kpi.definition.kind
        timed = kpi.unit in _UNITS_OF_TIME or (kpi.unit == "share" and kind in _TIMED)
        touched = kpi.subject in subjects or (
            kpi.definition.scope in {"flow", "step"} and kpi.subject.partition(".")[0] in groups
        )
        if (timed and touched) or (kind == "inside" and (touched or kpi.subject == "all")):
            grown.add(kpi.id)
    return frozenset(grown)


def _takes(step: StepName, gate: MarkName, resources: frozenset[int]) -> bool:
    """Return whether `step` is part of the passage of a gate that `gate` belongs to, and takes one of `resources`."""
    inside = step.entry == gate.entry and step.path[: len(gate.scope)] == gate.scope
    return inside and bool(resources & set(step.resources))
