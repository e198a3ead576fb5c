"""
The compiled engine: the same records as the SimPy engine, row for row, many times as fast (docs/performance.md).

Here blocks are handed on, arrays grow, and what the kernel cannot say itself is put into words; `kernel` is the loop,
`layout` what it reads.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.compiled.streams import run_key
from zonesim.engine import kernel as k
from zonesim.engine.arrivals import Population
from zonesim.engine.deadlock import check_deadlock
from zonesim.engine.kernel_input import MOST_AHEAD, SIDE_BY_SIDE, laid_out, with_population
from zonesim.engine.run_faults import endless, made_twice, overdrawn, spawn_loop, too_large, too_many_tokens
from zonesim.engine.state import Batch, Needs, Request, ResourceState, Token, Visit
from zonesim.limits import LARGEST_ROOM, free_memory
from zonesim.plan import (
    MARK,
    NEVER,
    NOWHERE,
    NUMBER_BITS,
    VISIT,
    Block,
    Clock,
    Ints,
    Plan,
    Sink,
    Totals,
    flat,
    structured,
)

BLOCK_ROWS: Final = 16_384
"""Visits (and marks) in a record block."""

SLICE: Final = 1_000_000
"""Timed events after which a run looks up: an interrupt is answered between slices, each about a tenth of a second."""

_IN_RESERVE: Final = 4
"""A round of the kernel's loop adds fewer rows and events than this without looking."""

_FIRST_SLOTS: Final = 512
_FIRST_EVENTS: Final = 1024
_FIRST_BATCHES: Final = 64

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]


def simulate(plan: Plan, seed: int, replication: int, sink: Sink) -> Totals:
    """
    Run one replication of `plan`; `sink` gets the records in blocks.

    `seed` and `replication` (both from 0) choose what is drawn; equal ones give equal records. Raises RunFault when the
    run cannot go on.
    """
    return _Run(plan, seed, replication, sink).run()


class _Run:
    """One replication."""

    def __init__(self, plan: Plan, seed: int, replication: int, sink: Sink) -> None:
        self.plan = plan
        self.sink = sink
        layout = laid_out(plan)
        key = run_key(seed, replication)
        population = Population(plan, key)
        self.state = layout.state.copy()
        self.pools = layout.pools.copy()
        self.sources = layout.sources.copy()
        self.world = with_population(layout, self.state, self.sources, population)
        self.streams = layout.streams.copy()
        self.streams[0] = key
        self.scratch = np.zeros(MOST_AHEAD + SIDE_BY_SIDE, dtype=np.uint64)
        self.layout = layout
        self.width = int(self.state[k.WIDTH])
        self.lines = np.zeros(2 * max(len(plan.resources), 1) * int(self.state[k.LEVELS]), dtype=np.int64)
        self.tokens = self._slots(_FIRST_SLOTS)
        self.events = np.zeros(2 * _FIRST_EVENTS, dtype=np.int64)
        self.at = np.zeros(max(len(plan.names.steps), 1), dtype=np.int64)
        self.expected = np.zeros(max(len(plan.sources), 1))
        self.batches = np.zeros(_FIRST_BATCHES * k.BATCH_FIELDS, dtype=np.int64)
        self.forming = np.zeros(layout.places + 1, dtype=np.int64)
        accounts = np.zeros((max(len(plan.accounts), 1), k.ACCOUNT_FIELDS), dtype=np.int64)
        accounts[: len(plan.accounts), :2] = flat(plan.accounts)
        accounts[:, int(k.LEVEL_TIME)] = accounts[:, 0] * (plan.end - plan.begin)
        self.accounts = accounts.ravel()
        self.calendars = np.full(max(len(plan.calendars), 1), -1, dtype=np.int64)
        # A clock that counts busy time may cut short at once what its unit has just gone on with.
        self.reserve = _IN_RESERVE + 2 * int((plan.breakdowns["clock"] == Clock.BUSY).sum())
        self.rows = BLOCK_ROWS + self.reserve
        self.visits = np.zeros(4 * self.rows, dtype=np.int64)
        self.marks = np.zeros(2 * BLOCK_ROWS, dtype=np.int64)
        self.log = np.zeros(BLOCK_ROWS, dtype=np.int64)
        self.classes: list[list[NDArray[np.int16]]] = [[] for _ in plan.names.sources]
        self._start()

    def _start(self) -> None:
        state = self.state
        begin, end, _ = (int(value) for value in self.plan.window)
        state[k.LEFT] = end - min(max(0, begin), end)
        state[k.FRESH] = state[k.BATCH_FRESH] = 1
        state[k.FREE_COUNT] = _FIRST_SLOTS - 1
        state[k.BATCH_LIMIT] = _FIRST_BATCHES
        state[k.EVENTS_LIMIT] = _FIRST_EVENTS - _IN_RESERVE
        state[k.MARKS_LIMIT] = state[k.LOG_LIMIT] = BLOCK_ROWS - _IN_RESERVE
        state[k.VISITS_LIMIT] = self.rows - self.reserve
        state[k.SPAWN_TIME] = -1
        if state[k.CLOCKS]:
            k.start_clocks(state, self.layout.laws, self.layout.numbers, self.streams, self.pools)

    def run(self) -> Totals:
        """Run to the horizon and return the totals."""
        while True:
            reason = self.advance(SLICE)
            if reason == k.DONE:
                break
            if reason == k.FULL:
                self._flush()
            elif reason == k.NEED_SLOTS:
                self._more_slots()
            elif reason == k.NEED_EVENTS:
                self.state[k.EVENTS_LIMIT] += len(self.events) // 2
                self.events = np.concatenate([self.events, np.zeros_like(self.events)])
            elif reason == k.NEED_BATCHES:
                self.batches = np.concatenate([self.batches, np.zeros_like(self.batches)])
                self.state[k.BATCH_LIMIT] *= 2
            elif reason != k.YIELD:
                self._fail(reason)
        self._close()
        return self._totals()

    def advance(self, events: int) -> int:
        """Let at most so many timed events happen; return why the kernel has come back."""
        layout = self.layout
        self.state[k.BUDGET] = events
        reason: int = k.run(
            self.state,
            layout.program,
            self.world,
            layout.laws,
            layout.numbers,
            layout.reals,
            self.streams,
            self.scratch,
            self.pools,
            self.lines,
            self.tokens,
            self.events,
            self.at,
            self.sources,
            self.expected,
            self.batches,
            self.forming,
            self.accounts,
            self.calendars,
            self.visits,
            self.marks,
            self.log,
        )
        return reason

    def _flush(self) -> None:
        """Hand the rows written so far to the sink."""
        visits, marks, log = (int(self.state[field]) for field in (k.VISITS, k.MARKS, k.LOG))
        if log:
            self._note_classes(self.log[:log])
        self.state[k.VISITS] = self.state[k.MARKS] = self.state[k.LOG] = 0
        block = Block(self.visits[: 4 * visits].view(VISIT), self.marks[: 2 * marks].view(MARK))
        if self.state[k.VISITS_LIMIT] < self.rows // 2:  # each interrupted token keeps a row for when it goes on
            self.state[k.VISITS_LIMIT] += self.rows
            self.rows *= 2
        self.visits = np.empty(4 * self.rows, dtype=np.int64)  # a block is the sink's own
        self.marks = np.empty_like(self.marks)
        self.sink.take(block)

    def _note_classes(self, log: Ints) -> None:
        """Keep the classes of those who have arrived, by source; few sources arrive in a block of a small plan."""
        source, klass = log >> 16, (log & 0xFFFF).astype(np.int16)
        for each in np.flatnonzero(np.bincount(source)).tolist():
            self.classes[each].append(klass[source == each])

    def _more_slots(self) -> None:
        have = len(self.tokens) // self.width
        if have > k.LARGEST_SLOT // 2 or 2 * self.tokens.nbytes > min(free_memory(), LARGEST_ROOM):
            raise too_large(have, 2 * self.tokens.nbytes, int(self.state[k.NOW]))
        self.tokens = np.concatenate([self.tokens, self._slots(have)])
        self.state[k.FREE_COUNT] += have

    def _slots(self, count: int) -> Ints:
        """Return slots of tokens that have nothing in hand and wait for nobody."""
        fresh = np.zeros((count, self.width), dtype=np.int64)
        fresh[:, [k.NUMBER, k.DELAY_STEP, k.JOINS, k.DEADLINE]] = NOWHERE
        first = k.TOKEN_FIELDS + int(k.VISIT_QUEUED)
        fresh[:, first : int(self.state[k.AT_GROUPS]) : k.VISIT_FIELDS] = k.EMPTY
        return fresh.ravel()

    def _fail(self, reason: int) -> None:
        plan, fault = self.plan, int(self.state[k.FAULT])
        if reason == k.TWICE:
            raise made_twice(plan, fault)
        if reason == k.ENDLESS:
            raise endless(plan, fault)
        if reason == k.TOO_MANY:
            raise too_many_tokens(plan, fault)
        if reason == k.SPAWN_LOOP:
            raise spawn_loop(plan, fault)
        token = self.tokens[int(self.state[k.FAULT_TOKEN]) * self.width :]
        amount, level = int(self.state[k.FAULT_AMOUNT]), int(self.accounts[fault * k.ACCOUNT_FIELDS])
        raise overdrawn(plan, fault, int(token[k.NUMBER]), amount, level - amount, int(self.state[k.NOW]))

    # --- the end

    def _close(self) -> None:
        """Write open rows of whoever is still inside, in the order of token numbers."""
        self._flush()
        rows = self.tokens.reshape(-1, self.width)[1 : int(self.state[k.FRESH])]
        rows = rows[rows[:, k.NUMBER] >= 0]
        if not len(rows):
            return
        rows = rows[np.argsort(rows[:, k.NUMBER])]
        if _may_stand_still(self.plan, rows, int(self.state[k.SLOTS])):
            check_deadlock(self.plan, self._people(rows), self.plan.horizon)
        columns: list[Ints] = []
        masks: list[NDArray[np.bool_]] = []
        steps = self.layout.program[int(k.STEP) :: k.ROW_FIELDS]
        number = rows[:, k.NUMBER]
        for slot in range(int(self.state[k.SLOTS])):
            place = k.TOKEN_FIELDS + k.VISIT_FIELDS * slot
            row, queued, started = (rows[:, place + field] for field in range(k.VISIT_FIELDS))
            masks.append(queued != k.EMPTY)
            columns.append(_visits(steps[row & 0xFFFFFFFF], number, queued, started))
        held = rows[:, k.DELAY_STEP]
        masks.append(held >= 0)
        columns.append(_visits(held, number, rows[:, k.DELAY_QUEUED], rows[:, k.DELAY_STARTED]))
        if self.state[k.AT_WORK]:
            stopped = rows[:, int(self.state[k.AT_WORK] + k.WORK_STOPPED)]
            interruptions = self.layout.program.reshape(-1, k.ROW_FIELDS)[rows[:, k.PC] - 1, int(k.D)]
            masks.append(rows[:, k.STATE] == k.INTERRUPTED)
            columns.append(_visits(interruptions, number, stopped, np.full_like(stopped, NEVER)))
        masks.append(np.ones(len(rows), dtype=bool))
        arrived = rows[:, k.ARRIVED]
        columns.append(_visits(rows[:, k.LEAVE_STEP], number, arrived, arrived))
        visits = structured(np.stack(columns, axis=1)[np.stack(masks, axis=1)], VISIT)
        none = np.zeros(0, dtype=MARK)
        for first in range(0, len(visits), BLOCK_ROWS):
            self.sink.take(Block(visits[first : first + BLOCK_ROWS], none))

    def _people(self, rows: Ints) -> list[Token]:
        """Return the tokens that are still inside as the search for a standstill knows them."""
        plan, width = self.plan, self.width
        resources = [ResourceState(number, 0, 0) for number in range(len(plan.resources))]
        program = self.layout.program.reshape(-1, k.ROW_FIELDS)
        every = self.tokens.reshape(-1, width)
        slots = int(self.state[k.SLOTS])

        def needs_of(row: int, kept: int = 0) -> Needs:
            first, count = program[row, k.A], program[row, k.B]
            pairs = plan.needs[first : first + count].tolist()
            return tuple(
                (resources[number], units) for each, (number, units) in enumerate(pairs) if not kept >> each & 1
            )

        found: dict[int, Token] = {}
        batches: dict[int, Batch] = {}
        for row in rows.tolist():
            token = Token(
                number=row[k.NUMBER],
                ordinal=row[k.LUCK],
                child=row[k.CHILD],
                row=row[k.PC],
                arrived=row[k.ARRIVED],
                leave_step=row[k.LEAVE_STEP],
            )
            for slot in range(slots):
                began, queued, started = row[k.TOKEN_FIELDS + 3 * slot : k.TOKEN_FIELDS + 3 * slot + 3]
                if queued != k.EMPTY:
                    at, kept = began & 0xFFFFFFFF, began >> k.KEPT_SHIFT
                    token.open[slot] = Visit(int(program[at, k.STEP]), queued, started, needs_of(at, kept))
            if row[k.DELAY_STEP] >= 0:
                token.delay = Visit(row[k.DELAY_STEP], row[k.DELAY_QUEUED], row[k.DELAY_STARTED])
            if row[k.STATE] == k.IN_LINE:
                at = row[k.LINE_ROW]
                visit = token.open[int(program[at, k.D])]
                token.waits_for = Request(token, visit, row[k.LEVEL], 0, needs_of(at), gives_up=bool(row[k.GIVES_UP]))
            elif row[k.STATE] == k.INTERRUPTED:
                visit = token.open[int(program[row[k.LINE_ROW], k.D])]
                token.waits_for = Request(token, visit, row[k.LEVEL], 0, visit.needs)
                visit.needs = ()
            elif row[k.STATE] == k.GATHERING:
                fields = self.batches[row[k.BATCH] * k.BATCH_FIELDS :][: k.BATCH_FIELDS].tolist()
                token.batch = batches.setdefault(
                    row[k.BATCH],
                    Batch(
                        fields[k.BATCH_NUMBER],
                        (0, 0),
                        due=fields[k.BATCH_DUE],
                        complete=bool(fields[k.BATCH_COMPLETE]),
                        led=bool(fields[k.BATCH_LED]),
                    ),
                )
            elif row[k.STATE] == k.JOINING:
                token.joins = row[k.JOINS]
            found[row[k.NUMBER]] = token
        by_number = {row[k.NUMBER]: row for row in rows.tolist()}
        for number, token in found.items():
            row = by_number[number]
            if row[k.PARENT]:
                token.parent, token.group = found[int(every[row[k.PARENT], k.NUMBER])], row[k.GROUP]
            led = row[k.LEADS]
            while led:
                if led in batches:
                    batches[led].tokens = [token]
                led = int(self.batches[led * k.BATCH_FIELDS + int(k.BATCH_LEFT_NEXT)])
        return list(found.values())

    def _totals(self) -> Totals:
        plan, resources = self.plan, len(self.plan.resources)
        pools = self.pools[: k.POOL_FIELDS * resources].reshape(-1, k.POOL_FIELDS)
        sources = self.sources.reshape(-1, k.SOURCE_FIELDS)[: len(plan.sources)]
        accounts = self.accounts.reshape(-1, k.ACCOUNT_FIELDS)[: len(plan.accounts)]
        return Totals(
            busy=pools[:, k.BUSY].copy(),
            open=pools[:, k.OPEN].copy(),
            broken=pools[:, k.BROKEN].copy(),
            queue=pools[:, k.QUEUE].copy(),
            peak=pools[:, k.PEAK].copy(),
            at_step=self.at[: len(plan.names.steps)],
            arrivals=sources[:, k.ARRIVED_COUNT].copy(),
            cohort=sources[:, [k.BEFORE_BEGIN, k.BEFORE_END]],
            classes=tuple(np.concatenate([np.zeros(0, dtype=np.int16), *parts]) for parts in self.classes),
            events=int(self.state[k.COUNT]),
            levels=accounts[:, k.LEVEL_NOW].copy(),
            level_time=accounts[:, k.LEVEL_TIME].copy(),
        )


def _visits(step: Ints, number: Ints, queued: Ints, started: Ints) -> Ints:
    return np.stack([step << NUMBER_BITS | number, queued, started, np.full_like(number, NEVER)], axis=1)


def _may_stand_still(plan: Plan, rows: Ints, slots: int) -> bool:
    """Return whether to look closer: somebody waits with units in hand, for others, or for what never comes."""
    state = rows[:, k.STATE]
    if np.isin(state, (k.JOINING, k.GATHERING)).any():
        return True
    waiting = rows[state == k.IN_LINE]
    if not len(waiting):
        return False
    places = waiting[:, k.TOKEN_FIELDS : k.TOKEN_FIELDS + k.VISIT_FIELDS * slots].reshape(len(waiting), slots, -1)
    taken = (places[:, :, k.VISIT_QUEUED] != k.EMPTY) & (places[:, :, k.VISIT_STARTED] != NEVER)
    if taken.any():
        return True
    most = [plan.most_units(resource) for resource in range(len(plan.resources))]
    for row in np.unique(waiting[:, k.LINE_ROW]).tolist():
        _, _, first, count, *_ = plan.program[row].tolist()
        if any(units > most[pool] for pool, units in plan.needs[first : first + count].tolist()):
            return True
    return False
