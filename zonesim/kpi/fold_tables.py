"""The fold tables of a plan: what the KPIs ask of each row of a run, as `folding` reads it, worked out once a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from zonesim.kpi import fold_layout as f
from zonesim.kpi.catalogue import Applied, applied, quantities
from zonesim.kpi.scopes import Scopes, scopes_of
from zonesim.kpi.weekly import Occupancy
from zonesim.plan import Ints, MarkName, Plan, Who
from zonesim.scenario import load_catalogue
from zonesim.scenario.kpis import NO_TIME, limit_of, quantile_of

TRUTH_MARKS: Final = ("true", "checked", "caught", "missed", "false_stop", "corrected")
"""What is marked of a truth: that it is so, and what is found out or done about it."""

ARRIVED: Final = "arrived"
LEFT: Final = "left"
"""Marks that every consignment makes by itself."""

HOURS: Final = 24
"""Hours of a day, by which waits and passages are told."""

KEPT: Final = 8
"""Plans whose tables are kept."""

_NONE: Final = -1
_KINDS: Final = {(False, False): f.PLAIN, (True, False): f.LEAVES, (False, True): f.INTERRUPTED}


@dataclass(frozen=True, eq=False)
class FoldTables:
    """
    What the KPIs ask of a plan's rows.

    `applied`: all that is measured. `marks` and `steps`: tables with the fields that `fold_layout` names; sums are 0.
    `takes` and `lanes`: pairs for the steps. `milestones`: marks of which a dossier tells when they were reached, but
    for `arrived`; `counted`: marks that are counted by source. `passage`: marks of the passage of a gate, that with
    which it begins first, and `passes` that with which it ends; `passages`: by gate direction, kinds of the notes of
    its passages. `truths`: by truth that of its findings, and `owners` whose these are by LEAVE pseudo-step, as
    `folding.fold_inside` reads it; `reached` that of the milestones of a child. `noting`: whether there are any notes.
    `reachable`: by step, for a LEAVE pseudo-step the bits of the milestones that stand in the routine that it ends.
    `times`: times of day (ms) at which a backlog is counted, and `reopenings` moments of the run (ms) from which on one
    is worked off.
    """

    scopes: Scopes
    applied: tuple[Applied, ...]
    marks: Ints
    steps: Ints
    takes: Ints
    lanes: Ints
    milestones: tuple[str, ...]
    counted: tuple[str, ...]
    passage: tuple[str, ...]
    passes: str
    passages: tuple[tuple[int, ...], ...]
    truths: tuple[int, ...]
    owners: Ints
    reached: int
    noting: bool
    reachable: Ints
    times: tuple[int, ...]
    reopenings: tuple[int, ...]


@lru_cache(maxsize=KEPT)
def fold_tables(plan: Plan) -> FoldTables:
    """Return the fold tables of a plan; asked again for the same object, they are there."""
    scopes = scopes_of(plan)
    asked = [quantity.rule for quantity in quantities(plan)]
    names = {mark.name for mark in plan.names.marks}
    begins, passes = _passage()
    # Who is inside without a mark is undecided: whether they have left is always asked.
    reached = [*(name for rule in asked for name in rule.consignment_marks()), LEFT]
    milestones = tuple(dict.fromkeys(name for name in reached if name in names and name != ARRIVED))
    counted = tuple(dict.fromkeys(name for rule in asked for name in rule.counted_marks() if name in names))
    passage = tuple(dict.fromkeys([begins, passes, *(name for rule in asked for name in rule.passage_marks())]))
    marks, gates = _marks(plan, scopes, milestones, counted, passage)
    told = applied(plan, scopes)
    steps, takes, lanes = _steps(plan, scopes, _sampled(scopes, told))
    calendars = {rule.after for rule in (each.quantity.rule.recovery for each in told) if rule is not None}
    first_truth = len(gates)
    after_truths = first_truth + len(scopes.truths)
    return FoldTables(
        scopes=scopes,
        applied=told,
        marks=marks,
        steps=steps,
        takes=takes,
        lanes=lanes,
        milestones=milestones,
        counted=counted,
        passage=passage,
        passes=passes,
        passages=tuple(
            tuple(kind for (place, _, _), kind in gates.items() if place == direction) for direction in scopes.lanes
        ),
        truths=tuple(range(first_truth, after_truths)),
        owners=_owners(plan, scopes, first_truth),
        reached=after_truths,
        noting=bool(after_truths) or _has_children(plan),
        reachable=_reachable(plan, milestones),
        times=tuple(sorted({each.quantity.rule.time_of_day for each in told} - {NO_TIME})),
        reopenings=tuple(sorted({time for calendar in calendars for time in plan.reopenings(calendar)})),
    )


@lru_cache(maxsize=KEPT)
def pooled(plan: Plan) -> dict[str, tuple[int, ...]]:
    """Return the sources whose consignments the KPIs of the goods of a zone, or of all goods, are of, by id."""
    tables = fold_tables(plan)
    return {
        kpi.id: tables.scopes.pooled(each.subject, each.quantity.rule)
        for each in tables.applied
        if each.form == "time" and each.quantity.scope in {"zone", "all"}
        for kpi in each.kpis
    }


def _has_children(plan: Plan) -> bool:
    """Return whether any token has children."""
    return any(then.who is Who.CHILD for each in plan.code for then in each.facts.then)


def _passage() -> tuple[str, str]:
    """Return the marks with which the passage of a gate begins and ends."""
    passage = load_catalogue().passage
    return (passage.from_, passage.to) if passage is not None else ("", "")


def _marks(
    plan: Plan, scopes: Scopes, milestones: tuple[str, ...], counted: tuple[str, ...], passage: tuple[str, ...]
) -> tuple[Ints, dict[tuple[str, str, tuple[str, ...]], int]]:
    """Return the table of marks, and the kinds of notes of passages by place, entry and call of the gate."""
    directions = list(scopes.lanes)
    names = plan.names.marks
    gates: dict[tuple[str, str, tuple[str, ...]], int] = {}

    def of_gate(mark: MarkName) -> bool:
        return mark.place in directions and mark.name in passage

    for mark in names:
        if of_gate(mark):
            gates.setdefault((mark.place, mark.entry, mark.scope), len(gates))
    rows = np.full((max(len(names), 1), f.MARK_FIELDS), _NONE, dtype=np.int64)
    for row, mark in zip(rows, names, strict=False):
        row[f.ARRIVES] = mark.name == ARRIVED and not mark.scope
        row[f.TELLS] = mark.name in milestones
        row[f.MILESTONE] = milestones.index(mark.name) if row[f.TELLS] else 0
        row[f.COUNTED] = _position(mark.name, counted)
        if of_gate(mark):
            row[f.GATE] = gates[mark.place, mark.entry, mark.scope]
            row[f.WHAT] = passage.index(mark.name)
        if mark.name == passage[0]:
            row[f.BEGINS] = _position(mark.place, directions)
        if mark.truth:
            finding = mark.name.rpartition(".")[2]
            row[f.TRUTH] = scopes.truths.index(mark.truth)
            row[f.FINDING] = TRUTH_MARKS.index(finding)
            row[[f.OWNER_BASE, f.OWNER_FIRST, f.OWNER_SIZE]] = mark.owner
            if finding in {"true", "caught", "corrected"}:
                row[f.TRUTH_NOTE] = len(gates) + row[f.TRUTH]
        row[f.ACCOUNT], row[f.AMOUNT] = mark.account, mark.amount
        row[f.MORE] = any(row[field] >= 0 for field in (f.COUNTED, f.BEGINS, f.GATE, f.TRUTH, f.ACCOUNT))
        row[f.WANTED] = row[f.ARRIVES] or row[f.TELLS] or row[f.MORE]
    return rows.ravel(), gates


def _sampled(scopes: Scopes, asked: Iterable[Applied]) -> list[int]:
    """Return the steps whose services and stays are kept one by one: those of which more than means are told."""
    found: set[int] = set()
    for each in asked:
        if each.quantity.rule.visits in {"service", "stay"} and any(
            quantile_of(name) is not None or limit_of(name) is not None for name in each.ids
        ):
            found.update((scopes.lanes if each.quantity.scope == "gate" else scopes.steps)[each.subject])
    return sorted(found)


def _steps(plan: Plan, scopes: Scopes, sampled: Sequence[int]) -> tuple[Ints, Ints, Ints]:
    """Return the table of steps, and what they take and which lanes they hold, as `fold_layout` says."""
    count = max(len(plan.names.steps), 1)
    rows = np.zeros((count + 2 * len(sampled), f.STEP_FIELDS), dtype=np.int64)
    rows[list(sampled), int(f.SAMPLES)] = count + 2 * np.arange(len(sampled))
    cells = Occupancy(1, int(plan.window[0]), int(plan.window[1])).cells.size
    takes: list[int] = []
    lanes: list[int] = []
    for number, step in enumerate(plan.names.steps):
        row = rows[number]
        row[f.KIND] = _KINDS[step.is_leave, step.is_interruption]
        row[f.TAKES], row[f.LANES] = len(takes), len(lanes)
        pairs = zip(step.resources, step.units, strict=True)
        sign = -1 if step.is_interruption else 1  # its unit is not in use, though the visit of its step goes on
        taken = [
            (scopes.limited.index(resource), sign * units) for resource, units in pairs if resource in scopes.limited
        ]
        if taken and not step.is_interruption:
            (group, row[f.UNITS]), *taken = taken
            row[f.GROUP] = group * cells
        takes += [place for group, units in taken for place in (group * cells, units)]
        held = [direction for direction, rows_of in enumerate(scopes.lanes.values()) if number in rows_of]
        lanes += [place for direction in held for place in (direction * cells, direction * HOURS)]
        row[f.TAKES_END], row[f.LANES_END] = len(takes), len(lanes)
        row[f.MORE_ROWS] = len(taken) + len(held)
    return rows.ravel(), np.array([*takes, 0], dtype=np.int64), np.array([*lanes, 0], dtype=np.int64)


def _owners(plan: Plan, scopes: Scopes, first_truth: int) -> Ints:
    """Return, flat, whose the truths are of the tokens that each LEAVE ends."""
    rows = [
        (number, first_truth + scopes.truths.index(truth), *owner)
        for number, step in enumerate(plan.names.steps)
        for truth, *owner in step.truths
        if truth in scopes.truths
    ]
    return np.array(rows, dtype=np.int64).ravel()


def _reachable(plan: Plan, milestones: tuple[str, ...]) -> Ints:
    """Return, by the LEAVE pseudo-step that ends a routine, the bits of the milestones that stand in it."""
    found = np.zeros(max(len(plan.names.steps), 1), dtype=np.int64)
    routine = 0
    for each in plan.code:
        if each.facts.marks and plan.names.marks[each.mark].name in milestones:
            routine |= 1 << milestones.index(plan.names.marks[each.mark].name)
        elif each.facts.ends:
            found[each.step] |= routine
            routine = 0
    return found


def _position(name: str, names: list[str] | tuple[str, ...]) -> int:
    return names.index(name) if name in names else _NONE
