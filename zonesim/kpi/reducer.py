"""Folding the record blocks of a run into the few columns that KPIs need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.faults import InternalError
from zonesim.kpi import fold_layout as f
from zonesim.kpi import folding
from zonesim.kpi.backlog import DailyBacklog
from zonesim.kpi.conservation import Books, check_cohort, check_integrals, overtime
from zonesim.kpi.consignment_table import Dossiers, Waits
from zonesim.kpi.fold_tables import HOURS, TRUTH_MARKS, fold_tables
from zonesim.kpi.recovery import Backlogs
from zonesim.kpi.weekly import WEEK_HOURS, Occupancy
from zonesim.plan import NEVER, Block, Ints, Plan, Rows, Totals, flat, place_of
from zonesim.units import DAY, HOUR

Floats = NDArray[np.float64]

SLICE: Final = 65_536
"""Rows folded at a time; before each slice there is made room for what they may bring."""


@dataclass(frozen=True)
class Columns:
    """
    What is left of a run's records. Times are ms.

    `dossiers`: what each consignment reached, and notes of the measured tokens. `measured`: by source, ordinals of the
    first measured consignment and of the first one after them; `known`: by source, how many arrived.
    `steps`: sums of visits of measured tokens, with the fields that `fold_layout` names; `waits`: those above 0, by
    step, and the services and stays of some steps, where these fields say. `truths`: by truth, how often measured
    tokens made each of TRUTH_MARKS. `counted`: by source and mark that is counted, how often any token made it inside
    the window.

    By gate direction and hour of the day, shape (directions, 24): `passages` begun by any token inside the window;
    `waiting`, ms that any token waited for a lane inside the window; `waits_sum` and `waits_begun`, summed waits and
    their number by the hour of joining the line, of measured tokens. By hour of the run's weeks, means over the window:
    `queue_week` (directions, 168), tokens waiting for a lane, and `busy_week` (limited resources, 168), units in use.

    Of runs that end empty: `last`, when the last visit ends (NEVER: somebody is still inside), and `overtime`, by
    resource, unit-ms in use after the window.

    `backlogs`: by moment, who waits then: rows of step and the time until which (NEVER: not known).
    `daily`: who waits for each limited resource at some times of day.

    `booked`: by account, what anybody credited and debited inside the window, shape (accounts, 2).
    """

    dossiers: Dossiers
    measured: Ints
    known: Ints
    steps: Ints
    waits: Waits
    truths: Ints
    counted: Ints
    passages: Ints
    waiting: Ints
    waits_sum: Ints
    waits_begun: Ints
    daily: DailyBacklog
    booked: Ints
    queue_week: Floats
    busy_week: Floats
    last: int
    overtime: Ints
    backlogs: dict[int, Ints]


class Reducer:
    """A sink that folds the blocks of one run; memory grows with its consignments, passages and waits only."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.tables = fold_tables(plan)
        self.scopes = self.tables.scopes
        begin, end, horizon = (int(value) for value in plan.window)
        sources, lanes = len(plan.names.sources), len(self.scopes.lanes)
        self.waiting = Occupancy(lanes, begin, end)
        self.busy = Occupancy(len(self.scopes.limited), begin, end)
        self.state = np.zeros(f.STATE_FIELDS, dtype=np.int64)
        self.state[f.BEGIN], self.state[f.END], self.state[f.HORIZON] = begin, end, horizon
        self.state[f.TRUTHS] = bool(self.scopes.truths)
        self.dossiers = Dossiers(self.tables, sources, self.state)
        rows = len(self.tables.steps) // f.STEP_FIELDS
        self.waits = Waits(rows, self.state, 3 if rows > max(len(plan.names.steps), 1) else 1)
        self.steps = self.tables.steps.copy()
        self.books = Books(plan)
        self.state[f.COUNTS] = counts = max(len(self.tables.counted), 1)
        self.counted = np.zeros(max(sources, 1) * counts, dtype=np.int64)
        self.passages, self.waits_sum, self.waits_begun = (
            np.zeros(max(lanes, 1) * HOURS, dtype=np.int64) for _ in range(3)
        )
        self.truths = np.zeros(max(len(self.scopes.truths), 1) * len(TRUTH_MARKS), dtype=np.int64)
        self.backlogs = Backlogs(self.tables.reopenings)
        self.daily = DailyBacklog(plan, self.scopes, self.tables.times)
        self.inside: list[Ints] = []
        self.last, self.late = 0, [np.zeros((0, 4), dtype=np.int64)]
        self._is_finished = False
        self._inside = np.empty(2 * SLICE * self.waits.times, dtype=np.int64)

    def take(self, block: Block) -> None:
        """Fold one block. The mark of a consignment's arrival never comes in a later block than its other rows."""
        marks, visits = _flat(block.marks), _flat(block.visits)
        for first in range(0, len(marks), 2 * SLICE):
            self._take_marks(marks[first : first + 2 * SLICE])
        for first in range(0, len(visits), 4 * SLICE):
            self._take_visits(visits[first : first + 4 * SLICE])

    def _take_marks(self, marks: Ints) -> None:
        own = self.dossiers
        own.make_room(len(marks) // 2)
        folding.fold_marks(
            self.state,
            marks,
            self.tables.marks,
            own.sources.ravel(),
            own.directory,
            own.bases,
            own.arrivals,
            own.far,
            own.milestones,
            own.heads,
            own.notes,
            own.late,
            self.counted,
            self.passages,
            self.truths,
            self.books.accounts,
        )

    def _take_visits(self, visits: Ints) -> None:
        own = self.waits
        own.make_room(len(visits) // 4)
        self.backlogs.take(visits)
        rows = visits.reshape(-1, 4)
        self.daily.take(rows)
        if self.plan.terminates:
            self._note_late(rows)
        folding.fold_visits(
            self.state,
            visits,
            self.steps,
            self.tables.takes,
            self.tables.lanes,
            self.dossiers.sources.ravel(),
            self.busy.cells,
            self.waiting.cells,
            self.waits_sum,
            self.waits_begun,
            own.kept,
            own.owners,
            own.late,
            self._inside,
        )
        if found := int(self.state[f.INSIDE]):
            self.inside.append(self._inside[: 2 * found].reshape(-1, 2).copy())
            self.state[f.INSIDE] = 0

    def _note_late(self, visits: Ints) -> None:
        """Keep the visits that end after the window, or not at all, and when the last one ends."""
        ended = visits[:, 3]
        if len(visits) and self.last != NEVER:
            self.last = NEVER if (ended == NEVER).any() else max(self.last, int(ended.max()))
        late = visits[(ended > self.plan.end) | (ended == NEVER)]
        self.late.append(np.column_stack([place_of(late[:, 0]), late[:, 1:]]))

    def finish(self, totals: Totals) -> Columns:
        """
        Check the run against its own records, to the millisecond, and return the columns, once; raises InternalError.
        """
        if self._is_finished:  # what is told of a run is folded in place
            raise InternalError("a run that has been told is told again")
        plan, lanes = self.plan, len(self.scopes.lanes)
        rows = self.steps.reshape(-1, f.STEP_FIELDS)
        steps = rows[: len(plan.names.steps)]
        waited = steps[:, f.WAIT] + steps[:, f.MORE_WAIT]
        check_integrals(plan, totals, steps[:, f.WAIT] + steps[:, f.SERVICE] + steps[:, f.MORE_STAY], waited)
        self.books.check(totals)
        sources = self.dossiers.sources[: len(plan.names.sources)]
        known = sources[:, f.SEEN]
        check_cohort(totals, sources[:, f.FIRST], sources[:, f.AFTER], plan.names.sources)
        self._is_finished = True
        still = np.concatenate([np.zeros((0, 2), dtype=np.int64), *self.inside])
        leaves = rows[still[:, 0], f.KIND] == f.LEAVES
        own = self.dossiers
        folding.fold_inside(
            self.state,
            still[leaves].ravel(),
            self.tables.owners,
            own.sources.ravel(),
            own.directory,
            own.heads,
            own.notes,
        )
        own.settle(still[leaves])
        self.waits.settle(rows, still[~leaves])
        return Columns(
            dossiers=self.dossiers,
            measured=np.minimum(sources[:, : f.SEEN], known[:, None]),
            known=known,
            steps=steps,
            waits=self.waits,
            truths=self.truths.reshape(-1, len(TRUTH_MARKS))[: len(self.scopes.truths)],
            counted=self.counted.reshape(-1, int(self.state[f.COUNTS]))[: len(sources)],
            passages=self.passages.reshape(-1, HOURS)[:lanes],
            waiting=self.waiting.folded(HOURS),
            waits_sum=self.waits_sum.reshape(-1, HOURS)[:lanes],
            waits_begun=self.waits_begun.reshape(-1, HOURS)[:lanes],
            daily=self.daily,
            booked=self.books.booked,
            queue_week=self.waiting.means(WEEK_HOURS),
            busy_week=self.busy.means(WEEK_HOURS),
            last=self.last,
            overtime=overtime(plan, np.concatenate(self.late)),
            backlogs=self.backlogs.finish(),
        )


def by_hour(time: Ints) -> Ints:
    """Return, summed over `time` (ms), how much of [0, time) lies in each hour of the day; shape (24,)."""
    days, rest = time // DAY, time % DAY
    hours = np.arange(HOURS, dtype=np.int64) * HOUR
    spent: Ints = days.sum() * HOUR + np.clip(rest[:, None] - hours, 0, HOUR).sum(axis=0)
    return spent


def _flat(rows: Rows) -> Ints:
    """Return rows behind each other, as the compiled loops read them."""
    return np.require(flat(rows), requirements=("C", "W")).reshape(-1)
