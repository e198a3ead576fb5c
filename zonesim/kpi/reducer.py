"""Folding the record blocks of a run into the few columns that KPIs need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.kpi.catalogue import LIBRARY_MARKS, Layout, layout
from zonesim.kpi.identity import Books, Integrals, check_cohort
from zonesim.kpi.weekly import WEEK_HOURS, Occupancy
from zonesim.plan.operations import Op
from zonesim.plan.plan import Plan
from zonesim.plan.records import (
    NEVER,
    Block,
    Ints,
    Totals,
    child_of,
    consignment_of,
    number_of,
    ordinal_of,
    place_of,
    source_of,
)
from zonesim.units import DAY, HOUR

GATE_MARKS: Final = ("gate_arrived", "lane_left", "gate_passed", "manual", "stopped")
TRUTH_MARKS: Final = ("checked", "caught", "missed", "false_stop")
INSPECTED: Final = len(LIBRARY_MARKS)
"""Milestone number of `inspected`; the library marks come before it."""

Floats = NDArray[np.float64]

_UNSEEN: Final = np.iinfo(np.int64).max
_HOURS: Final = 24


@dataclass(frozen=True)
class Columns:
    """
    What is left of a run's records: rows of measured tokens, but `ends` and `unsettled` of all. Times are ms.

    `gave_up`: measured tokens that gave up waiting, by step. `visits`: step, wait (-1: still waits), time with units in
    hand (-1: not ended). `milestones`: position in
    LIBRARY_MARKS or INSPECTED, token, time. `unsettled`: position, consignment, where a token that is still inside may
    yet reach the milestone. `ends`: position, token, time of the marks usable and left. `gates`: mark, token, time of
    gate marks in order. `truths`: truth, position in TRUTH_MARKS, token. `declarations`: by source, marks declared made
    inside the window by any token.

    By gate direction and hour of the day, shape (directions, 24): `passages` begun by any token inside the window;
    `waiting`, ms that any token waited for a lane inside the window; `waits` and `waits_begun`, summed waits and their
    number by the hour of joining the line, of measured tokens. By hour of the run's weeks, means over the window:
    `queue_week` (directions, 168), tokens waiting for a lane, and `busy_week` (limited resources, 168), units in use.

    `booked`: by account, what anybody credited and debited inside the window, shape (accounts, 2).
    """

    visits: Ints
    gave_up: Ints
    milestones: Ints
    unsettled: Ints
    ends: Ints
    gates: Ints
    truths: Ints
    declarations: Ints
    passages: Ints
    waiting: Ints
    waits: Ints
    waits_begun: Ints
    booked: Ints
    queue_week: Floats
    busy_week: Floats


class Reducer:
    """A sink that folds the blocks of one run; memory grows with the measured tokens only."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.scopes: Layout = layout(plan)
        self.integrals = Integrals(plan)
        self.begin, self.end, self.horizon = (int(value) for value in plan.window)
        sources = len(plan.names.sources)
        self.first = np.full(sources, _UNSEEN)
        self.after = np.full(sources, _UNSEEN)
        self.declarations = np.zeros(sources, dtype=np.int64)
        self._sort_marks()
        self.gave_up = np.zeros(len(plan.names.steps), dtype=np.int64)
        self.is_leave = np.array([step.is_leave for step in plan.names.steps], dtype=bool)
        self.is_interruption = np.array([step.is_interruption for step in plan.names.steps], dtype=bool)
        self.reachable = _reachable(plan, self.milestone)
        self.lanes = np.zeros((len(self.scopes.lanes), len(plan.names.steps)), dtype=bool)
        for direction, rows in enumerate(self.scopes.lanes.values()):
            self.lanes[direction, list(rows)] = True
        self.passages, self.waits, self.waits_begun = (
            np.zeros((len(self.lanes), _HOURS), dtype=np.int64) for _ in range(3)
        )
        self.books = Books(plan)
        self.waiting = Occupancy(len(self.lanes), self.begin, self.end)
        self.busy = Occupancy(len(self.scopes.limited), self.begin, self.end)
        self.takes = _takes(plan, self.scopes.limited)
        self.visits: list[Ints] = []
        self.milestones: list[Ints] = []
        self.ends: list[Ints] = []
        self.gates: list[Ints] = []
        self.truths: list[Ints] = []
        self.inside: list[Ints] = []

    def _sort_marks(self) -> None:
        """Prepare, for each mark: milestone, gate and truth it belongs to (-1: none)."""
        names = self.plan.names.marks
        ends = [LIBRARY_MARKS.index(name) for name in ("usable", "left")]
        directions, truths = list(self.scopes.lanes), list(self.scopes.truths)
        self.milestone = _codes([_position(mark.name, (*LIBRARY_MARKS, "inspected")) for mark in names])
        self.is_declared = self.milestone == LIBRARY_MARKS.index("declared")
        self.is_end = np.isin(self.milestone, ends)
        self.is_arrival = np.array([mark.name == "arrived" and not mark.scope for mark in names], dtype=bool)
        self.is_gate = np.array([mark.place in directions and mark.name in GATE_MARKS for mark in names], dtype=bool)
        self.begins_at = _codes([_position(mark.place, directions) for mark in names])
        self.begins_at[[mark.name != "gate_arrived" for mark in names]] = -1
        parts = [mark.name.rpartition(".") for mark in names]
        self.truth = _codes([_position(truth, truths) for truth, _, _ in parts])
        self.finding = _codes([_position(finding, TRUTH_MARKS) for _, _, finding in parts])
        self.truth[self.finding < 0] = -1

    def take(self, block: Block) -> None:
        """Fold one block. The mark of a consignment's arrival never comes in a later block than its other rows."""
        self._take_marks(block.marks)
        self._take_visits(block.visits)

    def _take_marks(self, marks: Ints) -> None:
        if not len(marks):
            return
        mark, number, time = place_of(marks[:, 0]), number_of(marks[:, 0]), marks[:, 1]
        self.books.add(mark, time)
        arrivals = self.is_arrival[mark]
        source, ordinal, when = source_of(number[arrivals]), ordinal_of(number[arrivals]), time[arrivals]
        for bound, edge in ((self.first, self.begin), (self.after, self.end)):
            late = when >= edge
            np.minimum.at(bound, source[late], ordinal[late])
        direction = self.begins_at[mark]
        begun = (direction >= 0) & (time >= self.begin) & (time < self.end)
        np.add.at(self.passages, (direction[begun], _hour(time[begun])), 1)
        filed = self.is_declared[mark] & (time >= self.begin) & (time < self.end)
        np.add.at(self.declarations, source_of(number[filed]), 1)
        ended = self.is_end[mark]
        self.ends.append(np.column_stack([self.milestone[mark[ended]], number[ended], time[ended]]))
        measured = self._measured(number)
        mark, number, time = mark[measured], number[measured], time[measured]
        kept = self.milestone[mark] >= 0
        self.milestones.append(np.column_stack([self.milestone[mark[kept]], number[kept], time[kept]]))
        kept = self.is_gate[mark]
        self.gates.append(np.column_stack([mark[kept], number[kept], time[kept]]))
        kept = self.truth[mark] >= 0
        self.truths.append(np.column_stack([self.truth[mark[kept]], self.finding[mark[kept]], number[kept]]))

    def _measured(self, number: Ints) -> NDArray[np.bool_]:
        """
        Return which tokens belong to consignments that arrived inside the window.

        Arrivals seen so far decide it for good: ordinals of a source grow with time, so the first arrival inside (or
        after) the window is seen before any row of a later consignment.
        """
        source, ordinal = source_of(number), ordinal_of(number)
        return (ordinal >= self.first[source]) & (ordinal < self.after[source])

    def _take_visits(self, visits: Ints) -> None:
        if not len(visits):
            return
        step, number = place_of(visits[:, 0]), number_of(visits[:, 0])
        queued, started, ended = visits[:, 1], visits[:, 2], visits[:, 3]
        begun, over = started != NEVER, ended != NEVER
        come = np.clip(queued, self.begin, self.end)
        gone = np.clip(np.where(over, ended, self.horizon), self.begin, self.end)
        start = np.where(begun, np.clip(started, self.begin, self.end), gone)
        self.integrals.add(step, come, start, gone)
        wait = np.where(begun, started - queued, NEVER)
        service = np.where(begun & over, ended - started, NEVER)
        leaves = self.is_leave[step]
        stopped = self.is_interruption[step]  # while it waits for its unit, the visit of its step seems to use one
        begin, until = np.where(stopped, come, start), np.where(stopped, start, gone)
        for group, units in self.takes:
            self.busy.add(group[step], begin, until, np.where(stopped, -units[step], units[step]))
        measured = self._measured(number)
        for direction, holds in enumerate(self.lanes):
            here = holds[step]
            self.waiting.add(np.where(here, direction, -1), come, start)
            known = here & measured & begun
            np.add.at(self.waits[direction], _hour(queued[known]), wait[known])
            np.add.at(self.waits_begun[direction], _hour(queued[known]), 1)
        kept = measured & ~leaves & (begun | ~over)  # whoever gave up waiting has neither a wait nor a service
        self.visits.append(np.column_stack([step[kept], wait[kept], service[kept]]))
        np.add.at(self.gave_up, step[measured & ~leaves & ~begun & over], 1)
        kept = leaves & ~over
        self.inside.append(np.column_stack([step[kept], number[kept]]))

    def finish(self, totals: Totals) -> Columns:
        """Check the run against its own records, to the millisecond, and return the columns; raises BrokenPromise."""
        self.integrals.check(totals)
        self.books.check(totals)
        check_cohort(totals, self.first, self.after, self.plan.names.sources)
        milestones, ends = _stacked(self.milestones, 3), _stacked(self.ends, 3)
        return Columns(
            visits=_stacked(self.visits, 3),
            gave_up=self.gave_up,
            milestones=milestones,
            unsettled=self._unsettled(np.concatenate([milestones, ends])),
            ends=ends,
            gates=_stacked(self.gates, 3),
            truths=_stacked(self.truths, 3),
            declarations=self.declarations,
            passages=self.passages,
            waiting=self.waiting.folded(_HOURS),
            waits=self.waits,
            waits_begun=self.waits_begun,
            booked=self.books.booked,
            queue_week=self.waiting.means(WEEK_HOURS),
            busy_week=self.busy.means(WEEK_HOURS),
        )

    def _unsettled(self, noted: Ints) -> Ints:
        """Return (position, consignment) of milestones that a child which is still inside has yet to reach."""
        found: list[tuple[int, int]] = []
        inside = _stacked(self.inside, 2)
        children = inside[child_of(inside[:, 1]) != 0]
        mine = noted[np.isin(noted[:, 1], children[:, 1])]
        reached = set(zip(mine[:, 0].tolist(), mine[:, 1].tolist(), strict=True))
        consignments = consignment_of(children[:, 1]).tolist()
        for (step, number), consignment in zip(children.tolist(), consignments, strict=True):
            found += [(each, consignment) for each in self.reachable[step] if (each, number) not in reached]
        return np.array(found, dtype=np.int64).reshape(-1, 2)


def by_hour(time: Ints) -> Ints:
    """Return, summed over `time` (ms), how much of [0, time) lies in each hour of the day; shape (24,)."""
    days, rest = time // DAY, time % DAY
    hours = np.arange(_HOURS, dtype=np.int64) * HOUR
    spent: Ints = days.sum() * HOUR + np.clip(rest[:, None] - hours, 0, HOUR).sum(axis=0)
    return spent


def _hour(time: Ints) -> Ints:
    """Return the hour of the day; a run starts at midnight."""
    return time % DAY // HOUR


def _takes(plan: Plan, limited: Sequence[int]) -> list[tuple[Ints, Ints]]:
    """
    Return, by step, what it takes of the resources in `limited`: position there (-1: nothing) and units.

    A step that takes of several resources needs several such tables.
    """
    rows = [
        [(limited.index(resource), units) for resource, units in pairs if resource in limited]
        for pairs in (zip(step.resources, step.units, strict=True) for step in plan.names.steps)
    ]
    tables = []
    for turn in range(max(map(len, rows), default=0)):
        pairs = [row[turn] if turn < len(row) else (-1, 0) for row in rows]
        tables.append((_codes([group for group, _ in pairs]), _codes([units for _, units in pairs])))
    return tables


def _reachable(plan: Plan, milestone: Ints) -> dict[int, tuple[int, ...]]:
    """Return, by the LEAVE pseudo-step that ends a routine, the library marks that stand in it."""
    found: dict[int, set[int]] = {}
    routine: set[int] = set()
    for op, step, mark, *_ in plan.program.tolist():
        if op == Op.MARK and 0 <= milestone[mark] < INSPECTED:
            routine.add(int(milestone[mark]))
        elif op == Op.LEAVE:
            found.setdefault(step, set()).update(routine)
            routine = set()
    return {step: tuple(sorted(marks)) for step, marks in found.items()}


def _position(name: str, names: list[str] | tuple[str, ...]) -> int:
    return names.index(name) if name in names else -1


def _codes(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _stacked(parts: list[Ints], width: int) -> Ints:
    return np.concatenate(parts) if parts else np.zeros((0, width), dtype=np.int64)
