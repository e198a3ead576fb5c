"""Folding the record blocks of a run into the few columns that KPIs need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.faults import BrokenPromise
from zonesim.kpi.catalogue import LIBRARY_MARKS, Layout, layout
from zonesim.plan.plan import Plan
from zonesim.plan.records import (
    NEVER,
    Block,
    Ints,
    Totals,
    consignment_of,
    number_of,
    ordinal_of,
    place_of,
    source_of,
)
from zonesim.units import DAY, HOUR

GATE_MARKS: Final = ("gate_arrived", "lane_left", "gate_passed", "manual", "stopped")
_UNSEEN: Final = np.iinfo(np.int64).max


@dataclass
class Columns:
    """
    What is left of a run's records, over measured tokens.

    `visits`: step, wait, service (ms) of ended visits. `milestones`: group of library mark, consignment, time.
    `gates`: mark, token, time of gate marks in order. `truths`: mark, token. `waiting`: ms spent waiting for a lane
    by hour of day.
    """

    visits: Ints
    milestones: Ints
    gates: Ints
    truths: Ints
    waiting: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    open_visits: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    in_window: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """How many marks of each kind fall into the window, of all tokens."""


class Reducer:
    """A sink that folds the blocks of one run; memory grows with the measured tokens only."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.scopes: Layout = layout(plan)
        steps, sources = len(plan.names.steps), len(plan.names.sources)
        self.begin, self.end, self.horizon = (int(value) for value in plan.window)
        self.first = np.full(sources, _UNSEEN)
        self.after = np.full(sources, _UNSEEN)
        self.at_step = np.zeros(steps, dtype=np.int64)
        self.waited = np.zeros(steps, dtype=np.int64)
        self.served = np.zeros(steps, dtype=np.int64)
        self.open_visits = np.zeros(steps, dtype=np.int64)
        self.in_window = np.zeros(len(plan.names.marks), dtype=np.int64)
        self.visits: list[Ints] = []
        self.milestones: list[Ints] = []
        self.gates: list[Ints] = []
        self.truths: list[Ints] = []
        names = plan.names.marks
        self.milestone_of = np.array([_position(mark.name, LIBRARY_MARKS) for mark in names], dtype=np.int64)
        inspected = np.array([mark.name == "inspected" for mark in names], dtype=bool)
        self.milestone_of[inspected] = len(LIBRARY_MARKS)
        self.is_arrival = np.array([mark.name == "arrived" and not mark.scope for mark in names], dtype=bool)
        self.is_gate = np.array([bool(mark.place) and mark.name in GATE_MARKS for mark in names], dtype=bool)
        self.is_truth = np.array([mark.name.rpartition(".")[0] in self.scopes.truths for mark in names], dtype=bool)
        self.is_leave = np.array([step.is_leave for step in plan.names.steps], dtype=bool)
        self.lane_rows = {place: np.array(rows, dtype=np.int64) for place, rows in self.scopes.lanes.items()}
        self.waiting = {place: np.zeros(24) for place in self.lane_rows}

    def take(self, block: Block) -> None:
        """Fold one block. Arrival marks of a token never come later than its other rows."""
        self._take_marks(block.marks)
        self._take_visits(block.visits)

    def _take_marks(self, marks: Ints) -> None:
        if not len(marks):
            return
        mark, number, time = place_of(marks[:, 0]), number_of(marks[:, 0]), marks[:, 1]
        arrivals = self.is_arrival[mark]
        source, ordinal, when = source_of(number[arrivals]), ordinal_of(number[arrivals]), time[arrivals]
        for bound, edge in ((self.first, self.begin), (self.after, self.end)):
            late = when >= edge
            np.minimum.at(bound, source[late], ordinal[late])
        np.add.at(self.in_window, mark[(time >= self.begin) & (time < self.end)], 1)
        measured = self._measured(number)
        mark, number, time = mark[measured], number[measured], time[measured]
        stage = self.milestone_of[mark]
        kept = stage >= 0
        self.milestones.append(np.column_stack([stage[kept], consignment_of(number[kept]), time[kept]]))
        for chosen, store in ((self.is_gate[mark], self.gates), (self.is_truth[mark], self.truths)):
            store.append(np.column_stack([mark[chosen], number[chosen], time[chosen]]))

    def _measured(self, number: Ints) -> NDArray[np.bool_]:
        """Return which tokens belong to consignments that arrived inside the window."""
        source, ordinal = source_of(number), ordinal_of(number)
        return (ordinal >= self.first[source]) & (ordinal < self.after[source])

    def _take_visits(self, visits: Ints) -> None:
        if not len(visits):
            return
        step, number = place_of(visits[:, 0]), number_of(visits[:, 0])
        queued, started, ended = visits[:, 1], visits[:, 2], visits[:, 3]
        end = np.clip(np.where(ended == NEVER, self.horizon, ended), self.begin, self.end)
        come = np.clip(queued, self.begin, self.end)
        start = np.where(started == NEVER, end, np.clip(started, self.begin, self.end))
        np.add.at(self.at_step, step, end - come)
        np.add.at(self.waited, step, start - come)
        np.add.at(self.served, step, end - start)
        self._count_waiting(step, come, start)
        measured = self._measured(number) & ~self.is_leave[step]
        done = measured & (ended != NEVER)
        self.visits.append(np.column_stack([step[done], (started - queued)[done], (ended - started)[done]]))
        np.add.at(self.open_visits, step[measured & (ended == NEVER)], 1)

    def _count_waiting(self, step: Ints, come: Ints, start: Ints) -> None:
        """Spread the waits for lanes over the hours of the day."""
        for place, rows in self.lane_rows.items():
            mine = np.isin(step, rows) & (start > come)
            if mine.any():
                self.waiting[place] += (_by_hour(start[mine]) - _by_hour(come[mine])).sum(axis=0)

    def finish(self, totals: Totals) -> Columns:
        """Check the run's time integrals, to the millisecond, and return the columns; raises BrokenPromise."""
        self._check_identity(totals)
        return Columns(
            visits=_stacked(self.visits, 3),
            milestones=_stacked(self.milestones, 3),
            gates=_stacked(self.gates, 3),
            truths=_stacked(self.truths, 3),
            waiting=self.waiting,
            open_visits=self.open_visits,
            in_window=self.in_window,
        )

    def _check_identity(self, totals: Totals) -> None:
        """
        Raise BrokenPromise unless the engine's own integrals equal those of the records.

        Tokens at a step over the window = the sum of their stays clipped to it; the same for each resource's queue
        and busy units.
        """
        _equal(totals.at_step, self.at_step, [f"{step.entry}/{'.'.join(step.path)}" for step in self.plan.names.steps])
        resources = len(self.plan.names.resources)
        queue, busy = np.zeros(resources, dtype=np.int64), np.zeros(resources, dtype=np.int64)
        for number, step in enumerate(self.plan.names.steps):
            for resource, units in zip(step.resources, step.units, strict=True):
                queue[resource] += self.waited[number]
                busy[resource] += units * self.served[number]
        names = [str(resource) for resource in self.plan.names.resources]
        _equal(totals.queue, queue, [f"queue of {name}" for name in names])
        _equal(totals.busy, busy, [f"use of {name}" for name in names])


def _equal(engine: Ints, records: Ints, names: list[str]) -> None:
    if not np.array_equal(engine, records):
        row = int(np.flatnonzero(engine != records)[0])
        message = (
            f"time integral of {names[row]}: the engine counts {engine[row]} ms, the records say {records[row]} ms"
        )
        raise BrokenPromise(message)


def _position(name: str, names: tuple[str, ...]) -> int:
    return names.index(name) if name in names else -1


def _stacked(parts: list[Ints], width: int) -> Ints:
    return np.concatenate(parts) if parts else np.zeros((0, width), dtype=np.int64)


def _by_hour(time: Ints) -> NDArray[np.float64]:
    """Return, for each time, how much of [0, time) lies in each hour of the day; shape (n, 24)."""
    days, rest = time // DAY, time % DAY
    hours = np.arange(24) * HOUR
    spent: NDArray[np.float64] = (days[:, None] * HOUR + np.clip(rest[:, None] - hours[None, :], 0, HOUR)).astype(
        np.float64
    )
    return spent
