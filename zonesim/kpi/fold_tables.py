"""What KPIs want of each row of a run: the tables that `folding` reads, worked out once for a plan."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from zonesim.kpi import fold_layout as f
from zonesim.kpi.catalogue import LIBRARY_MARKS, Kpi, Layout, catalogue, layout
from zonesim.kpi.weekly import Occupancy
from zonesim.plan.operations import Op
from zonesim.plan.plan import MarkName, Plan
from zonesim.plan.records import Ints

GATE_MARKS: Final = ("gate_arrived", "lane_left", "gate_passed", "manual", "stopped")
TRUTH_MARKS: Final = ("true", "checked", "caught", "missed", "false_stop", "corrected")
"""What is marked of a truth: that it is so, and what is found out or done about it."""
MILESTONES: Final = (*LIBRARY_MARKS, "inspected")
"""Marks of which a dossier tells when they were reached; `arrived` comes first, and there it begins."""

HOURS: Final = 24
"""Hours of a day, by which waits and passages are told."""

_NONE: Final = -1
_KINDS: Final = {(False, False): f.PLAIN, (True, False): f.LEAVES, (False, True): f.INTERRUPTED}


@dataclass(frozen=True)
class Wanted:
    """
    What is wanted of a plan's rows.

    `marks` and `steps`: tables with the fields that `fields` names; sums are 0. `takes` and
    `lanes`: pairs for the steps. `milestones`: the milestones that a dossier tells of, but for
    `arrived`. `passages`: by gate direction, kinds of the notes of its passages; `truths`: by truth that of its
    findings, and `owners` whose these are by LEAVE pseudo-step, as `folding.fold_inside` reads it; `reached` that of
    the milestones of a child. `noting`: whether there are any notes. `reachable`: by LEAVE pseudo-step, the library
    marks of the routine that it ends, but for `arrived`.
    """

    scopes: Layout
    kpis: tuple[Kpi, ...]
    ids: frozenset[str]
    marks: Ints
    steps: Ints
    takes: Ints
    lanes: Ints
    milestones: tuple[str, ...]
    passages: tuple[tuple[int, ...], ...]
    truths: tuple[int, ...]
    owners: Ints
    reached: int
    noting: bool
    reachable: dict[int, tuple[str, ...]]


class _Same:
    """A plan that is equal to itself only: a key of a cache."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.plan is self.plan

    def __hash__(self) -> int:
        return id(self.plan)


def wanted(plan: Plan) -> Wanted:
    """Return what is wanted of a plan; asked again for the same object, it is there."""
    return _wanted(_Same(plan))


@lru_cache(maxsize=8)
def _wanted(same: _Same) -> Wanted:
    plan = same.plan
    scopes, kpis = layout(plan), catalogue(plan)
    names = {mark.name for mark in plan.names.marks}
    milestones = tuple(name for name in MILESTONES[1:] if name in names)
    marks, gates = _marks(plan, scopes, milestones)
    steps, takes, lanes = _steps(plan, scopes)
    first_truth = len(gates)
    reached = first_truth + len(scopes.truths)
    return Wanted(
        scopes=scopes,
        kpis=kpis,
        ids=frozenset(kpi.id for kpi in kpis),
        marks=marks,
        steps=steps,
        takes=takes,
        lanes=lanes,
        milestones=milestones,
        passages=tuple(
            tuple(kind for (place, _, _), kind in gates.items() if place == direction) for direction in scopes.lanes
        ),
        truths=tuple(range(first_truth, reached)),
        owners=_owners(plan, scopes, first_truth),
        reached=reached,
        noting=bool(reached) or bool((plan.program["op"] == Op.SPLIT).any()),
        reachable=_reachable(plan),
    )


def _marks(
    plan: Plan, scopes: Layout, milestones: tuple[str, ...]
) -> tuple[Ints, dict[tuple[str, str, tuple[str, ...]], int]]:
    """Return the table of marks, and the kinds of notes of passages by place, entry and call of the gate."""
    directions = list(scopes.lanes)
    names = plan.names.marks
    gates: dict[tuple[str, str, tuple[str, ...]], int] = {}
    for mark in names:
        if _is_gate(mark, directions):
            gates.setdefault((mark.place, mark.entry, mark.scope), len(gates))
    rows = np.full((max(len(names), 1), f.MARK_FIELDS), _NONE, dtype=np.int64)
    for row, mark in zip(rows, names, strict=False):
        row[f.ARRIVES] = mark.name == "arrived" and not mark.scope
        row[f.TELLS] = mark.name in milestones
        row[f.MILESTONE] = milestones.index(mark.name) if row[f.TELLS] else 0
        row[f.DECLARES] = mark.name == "declared"
        if _is_gate(mark, directions):
            row[f.GATE] = gates[mark.place, mark.entry, mark.scope]
            row[f.WHAT] = GATE_MARKS.index(mark.name)
        if mark.name == "gate_arrived":
            row[f.BEGINS] = _position(mark.place, directions)
        if mark.truth:
            finding = mark.name.rpartition(".")[2]
            row[f.TRUTH] = scopes.truths.index(mark.truth)
            row[f.FINDING] = TRUTH_MARKS.index(finding)
            row[[f.OWNER_BASE, f.OWNER_FIRST, f.OWNER_SIZE]] = mark.owner
            if finding in {"true", "caught", "corrected"}:
                row[f.TRUTH_NOTE] = len(gates) + row[f.TRUTH]
        row[f.ACCOUNT], row[f.AMOUNT] = mark.account, mark.amount
        row[f.MORE] = row[f.DECLARES] or any(row[field] >= 0 for field in (f.BEGINS, f.GATE, f.TRUTH, f.ACCOUNT))
        row[f.WANTED] = row[f.ARRIVES] or row[f.TELLS] or row[f.MORE]
    return rows.ravel(), gates


def _steps(plan: Plan, scopes: Layout) -> tuple[Ints, Ints, Ints]:
    """Return the table of steps, and what they take and which lanes they hold, as `fields` says."""
    rows = np.zeros((max(len(plan.names.steps), 1), f.STEP_FIELDS), dtype=np.int64)
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


def _owners(plan: Plan, scopes: Layout, first_truth: int) -> Ints:
    """Return, flat, whose the truths are of the tokens that each LEAVE ends."""
    rows = [
        (number, first_truth + scopes.truths.index(truth), *owner)
        for number, step in enumerate(plan.names.steps)
        for truth, *owner in step.truths
        if truth in scopes.truths
    ]
    return np.array(rows, dtype=np.int64).ravel()


def _reachable(plan: Plan) -> dict[int, tuple[str, ...]]:
    """Return, by the LEAVE pseudo-step that ends a routine, the library marks but for `arrived` that stand in it."""
    found: dict[int, set[str]] = {}
    routine: set[str] = set()
    for op, step, mark, *_ in plan.program.tolist():
        if op == Op.MARK and plan.names.marks[mark].name in LIBRARY_MARKS[1:]:
            routine.add(plan.names.marks[mark].name)
        elif op == Op.LEAVE:
            found.setdefault(step, set()).update(routine)
            routine = set()
    return {step: tuple(name for name in LIBRARY_MARKS if name in marks) for step, marks in found.items()}


def _is_gate(mark: MarkName, directions: list[str]) -> bool:
    return mark.place in directions and mark.name in GATE_MARKS


def _position(name: str, names: list[str] | tuple[str, ...]) -> int:
    return names.index(name) if name in names else _NONE
