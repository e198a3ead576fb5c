"""
The compiled engine: the same records as the SimPy engine, row for row, some fifty times as fast.

Here a plan is laid out for the kernel, blocks are handed on, arrays grow, and what the kernel cannot say itself is put
into words; `kernel` is the loop.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zonesim.engine import kernel as k
from zonesim.engine.arriving import Population
from zonesim.engine.batches import Batch
from zonesim.engine.memory import free_memory
from zonesim.engine.pools import Pool, Request
from zonesim.engine.sampling import prepare, whole
from zonesim.engine.standstill import check_standstill
from zonesim.engine.streams import run_key
from zonesim.engine.tokens import Token, Visit
from zonesim.engine.wording import endless, made_twice, overdrawn, spawn_loop, too_large, too_many_tokens
from zonesim.plan.laws import Law
from zonesim.plan.operations import NOWHERE, AtShiftEnd, BranchOn, Clock, GatherBy, Op
from zonesim.plan.plan import Plan
from zonesim.plan.records import NEVER, NUMBER_BITS, Block, Ints, Sink, Totals

BLOCK_ROWS: Final = 16_384
"""Visits (and marks) in a record block."""

SLICE: Final = 1_000_000
"""Timed events after which a run looks up: an interrupt is answered between slices, each about a tenth of a second."""

_COMPOSED: Final = (Law.MIXTURE, Law.BY_CLASS, Law.SHIFTED)

_IN_RESERVE: Final = 4
"""A round of the kernel's loop adds fewer rows and events than this without looking."""

_MOST_AHEAD: Final = 16
_SIDE_BY_SIDE: Final = 4
_LIKELY: Final = 0.5
"""How many draws are made when a token starts, how many at once, and from which share on a way is the usual one."""

KNOWN: Final = frozenset(op.name for op in Op)
"""Operations that the kernel knows: today all that there are."""

_FIRST_SLOTS: Final = 512
_FIRST_EVENTS: Final = 1024
_FIRST_BATCHES: Final = 64

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]


def simulate(plan: Plan, seed: int, replication: int, sink: Sink) -> Totals:
    """
    Run one replication of `plan`; `sink` gets the records in blocks.

    `seed` and `replication` (both from 0) choose the luck; equal ones give equal records. Raises RunFault when the
    run cannot go on.
    """
    return _Run(plan, seed, replication, sink).run()


@dataclass(frozen=True)
class _Layout:
    """A plan as the kernel reads it, and where in it everything lies. The arrays are never written."""

    state: Ints
    program: Ints
    world: Ints
    laws: Ints
    numbers: Floats
    reals: Floats
    streams: Words
    pools: Ints
    sources: Ints
    places: int
    """How many batches can form at a time."""


class _Tables:
    """Tables put behind each other in one array."""

    def __init__(self, dtype: type) -> None:
        self.dtype = dtype
        self.parts: list[NDArray[Any]] = []
        self.length = 0

    def add(self, table: Iterable[object]) -> int:
        """Append a table, whatever its shape, and return where it begins."""
        part: NDArray[Any] = np.asarray(table, dtype=self.dtype).ravel()
        begin = self.length
        self.parts.append(part)
        self.length += len(part)
        return begin

    def array(self) -> NDArray[Any]:
        """Return everything, with room so that no table is empty."""
        return np.concatenate([*self.parts, np.zeros(1, dtype=self.dtype)])


class _Run:
    """One replication."""

    def __init__(self, plan: Plan, seed: int, replication: int, sink: Sink) -> None:
        self.plan = plan
        self.sink = sink
        layout = _laid_out(plan.identity, _Held(plan))
        key = run_key(seed, replication)
        population = Population(plan, key)
        self.state = layout.state.copy()
        self.pools = layout.pools.copy()
        self.sources = layout.sources.copy()
        self.world = _with_population(layout, self.state, self.sources, population)
        self.streams = layout.streams.copy()
        self.streams[0] = key
        self.scratch = np.zeros(_MOST_AHEAD + _SIDE_BY_SIDE, dtype=np.uint64)
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
        accounts[: len(plan.accounts), :2] = plan.accounts
        accounts[:, int(k.LEVEL_TIME)] = accounts[:, 0] * int(plan.window[1] - plan.window[0])
        self.accounts = accounts.ravel()
        self.calendars = np.full(max(len(plan.calendars), 1), -1, dtype=np.int64)
        # A clock that counts busy time may cut short at once what its unit has just gone on with.
        self.reserve = _IN_RESERVE + 2 * int((plan.breakdowns[:, 2] == Clock.BUSY).sum())
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
        block = Block(self.visits[: 4 * visits].reshape(-1, 4), self.marks[: 2 * marks].reshape(-1, 2))
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
        if have > k.LARGEST_SLOT // 2 or 2 * self.tokens.nbytes > free_memory():
            raise too_large(have, 2 * self.tokens.nbytes, int(self.state[k.NOW]))
        self.tokens = np.concatenate([self.tokens, self._slots(have)])
        self.state[k.FREE_COUNT] += have

    def _slots(self, count: int) -> Ints:
        """Return slots of tokens that have nothing in hand and wait for nobody."""
        fresh = np.zeros((count, self.width), dtype=np.int64)
        fresh[:, [k.NUMBER, k.HOLD_STEP, k.JOINS, k.DEADLINE]] = NOWHERE
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
            check_standstill(self.plan, self._people(rows), self.plan.horizon)
        columns: list[Ints] = []
        masks: list[NDArray[np.bool_]] = []
        steps = self.layout.program[int(k.STEP) :: k.ROW_FIELDS]
        number = rows[:, k.NUMBER]
        for slot in range(int(self.state[k.SLOTS])):
            place = k.TOKEN_FIELDS + k.VISIT_FIELDS * slot
            row, queued, started = (rows[:, place + field] for field in range(k.VISIT_FIELDS))
            masks.append(queued != k.EMPTY)
            columns.append(_visits(steps[row & 0xFFFFFFFF], number, queued, started))
        held = rows[:, k.HOLD_STEP]
        masks.append(held >= 0)
        columns.append(_visits(held, number, rows[:, k.HOLD_QUEUED], rows[:, k.HOLD_STARTED]))
        if self.state[k.AT_WORK]:
            stopped = rows[:, int(self.state[k.AT_WORK] + k.WORK_STOPPED)]
            interruptions = self.layout.program.reshape(-1, k.ROW_FIELDS)[rows[:, k.PC] - 1, int(k.D)]
            masks.append(rows[:, k.STATE] == k.INTERRUPTED)
            columns.append(_visits(interruptions, number, stopped, np.full_like(stopped, NEVER)))
        masks.append(np.ones(len(rows), dtype=bool))
        arrived = rows[:, k.ARRIVED]
        columns.append(_visits(rows[:, k.LEAVE_STEP], number, arrived, arrived))
        visits = np.stack(columns, axis=1)[np.stack(masks, axis=1)]
        none = np.zeros((0, 2), dtype=np.int64)
        for first in range(0, len(visits), BLOCK_ROWS):
            self.sink.take(Block(visits[first : first + BLOCK_ROWS], none))

    def _people(self, rows: Ints) -> list[Token]:
        """Return the tokens that are still inside as the search for a standstill knows them."""
        plan, width = self.plan, self.width
        pools = [Pool(number, 0, 0) for number in range(len(plan.resources))]
        program = self.layout.program.reshape(-1, k.ROW_FIELDS)
        every = self.tokens.reshape(-1, width)
        slots = int(self.state[k.SLOTS])

        def needs_of(row: int, kept: int = 0) -> tuple[tuple[Pool, int], ...]:
            first, count = program[row, k.A], program[row, k.B]
            pairs = plan.needs[first : first + count].tolist()
            return tuple((pools[pool], units) for each, (pool, units) in enumerate(pairs) if not kept >> each & 1)

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
            if row[k.HOLD_STEP] >= 0:
                token.hold = Visit(row[k.HOLD_STEP], row[k.HOLD_QUEUED], row[k.HOLD_STARTED])
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
                    batches[led].members = [token]
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
    most = [int(plan.changes[first : first + count, 1].max()) for first, count, *_ in plan.resources.tolist()]
    for row in np.unique(waiting[:, k.LINE_ROW]).tolist():
        _, _, first, count, *_ = plan.program[row].tolist()
        if any(units > most[pool] for pool, units in plan.needs[first : first + count].tolist()):
            return True
    return False


# --- laying out a plan


class _Held:
    """A plan on its way to a cache that knows it by its identity."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=8)
def _laid_out(_identity: str, held: _Held) -> _Layout:
    plan = held.plan
    world, reals = _Tables(np.int64), _Tables(np.float64)
    state = np.zeros(k.STATE_FIELDS, dtype=np.int64)
    state[k.BEGIN], state[k.END], state[k.HORIZON] = plan.window
    laws, numbers = prepare(plan.laws, plan.numbers)
    levels, ranked = np.unique(plan.priorities, return_inverse=True)
    state[k.IN_NEEDS] = world.add(plan.needs)
    state[k.IN_PRIORITIES] = world.add(ranked)
    state[k.IN_CALENDARS] = world.add(plan.calendars)
    state[k.IN_SPANS] = world.add(plan.spans)
    changes = _merged_changes(plan)
    state[k.IN_CHANGES] = world.add(changes)
    state[k.IN_TIMES] = world.add(plan.times)
    state[k.IN_FIRM_CLASS] = world.add(plan.members[:, 2].astype(np.int64))
    state[k.OF_SHARES] = reals.add(plan.shares)
    state[k.OF_RATES] = reals.add(plan.rates)
    state[k.OF_MIXES] = reals.add(plan.mixes)
    state[k.OF_VOLUME] = reals.add(plan.members[:, 1])
    state[k.OF_ADOPTION] = reals.add(plan.adoption_shares)
    pools, closings = _pools(plan)
    state[k.IN_CLOSINGS] = world.add(closings)
    places, firsts = _batch_places(plan)
    state[k.IN_FORMING] = world.add(firsts)
    program, slots, groups = _program(plan, laws, numbers, pools)
    ahead = _Ahead(plan, program)
    state[k.IN_AHEAD] = world.add(ahead.holds)
    parties = max([int(row[5]) for row in plan.sources.tolist() if row[4] != NOWHERE], default=0)
    nodes = max([int(row[3]) for row in plan.program.tolist() if row[0] == Op.SEIZE], default=1)
    bits = (nodes - 1).bit_length()
    state[k.SLOTS], state[k.GROUPS], state[k.NODE_BITS] = slots, groups, bits
    state[k.AT_GROUPS] = k.TOKEN_FIELDS + k.VISIT_FIELDS * slots
    state[k.AT_FIRMS] = state[k.AT_GROUPS] + groups
    state[k.AT_NODES] = state[k.AT_FIRMS] + 1 + parties
    state[k.AT_AHEAD] = state[k.AT_NODES] + 2 * (1 << bits)
    state[k.WIDTH] = state[k.AT_AHEAD] + ahead.most
    if pools[:, [k.PREEMPTS, k.PAUSES]].any():
        state[k.AT_WORK] = state[k.WIDTH]
        state[k.WIDTH] += k.WORK_FIELDS
    state[k.CLASSES] = max(len(plan.names.classes), 1)
    state[k.LEVELS] = max(len(levels), 1)
    state[k.POOLS], state[k.SOURCES], state[k.CHANGES] = len(plan.resources), len(plan.sources), len(changes)
    state[k.FIRMS] = len(plan.members)
    state[k.CLOCKS], state[k.DUES] = len(plan.breakdowns), k.POOL_FIELDS * (len(pools) + len(plan.breakdowns))
    streams = _Tables(np.uint64)
    streams.add([0])  # the key of the run
    state[k.BY_PROGRAM] = streams.add(plan.streams)
    state[k.BY_SOURCE] = streams.add(plan.source_streams)
    state[k.BY_ADOPTION] = streams.add(plan.adoption_streams)
    state[k.BY_AHEAD] = streams.add(ahead.streams)
    return _Layout(
        state,
        program.ravel(),
        world.array().astype(np.int64),
        laws if len(laws) else np.zeros((1, 3), dtype=np.int64),
        numbers if len(numbers) else np.zeros(1),
        reals.array().astype(np.float64),
        streams.array().astype(np.uint64),
        _with_clocks(plan, pools),
        _sources(plan),
        places,
    )


def _merged_changes(plan: Plan) -> Ints:
    """Return capacity changes of all resources by (time, resource): time, resource, units."""
    rows = [
        (time, number, units)
        for number, (first, count, *_) in enumerate(plan.resources.tolist())
        for time, units in plan.changes[first : first + count].tolist()
        if time < plan.horizon
    ]
    return np.array(sorted(rows), dtype=np.int64).reshape(-1, 3)


def _pools(plan: Plan) -> tuple[Ints, list[int]]:
    """Return the pools, and when units go off duty where nothing starts that would not end before."""
    pools = np.zeros((max(len(plan.resources), 1), k.POOL_FIELDS), dtype=np.int64)
    closings: list[int] = []
    asked: dict[int, set[int]] = {}
    for op, _, first, count, *_ in plan.program.tolist():
        if op == Op.SEIZE:
            for pool, units in plan.needs[first : first + count].tolist():
                asked.setdefault(pool, set()).add(units)
    broken = set(plan.breakdowns[:, 0].tolist())
    for number, (first, count, rule, preempts) in enumerate(plan.resources.tolist()):
        pools[number, k.EVEN] = len(asked.get(number, ())) <= 1
        pools[number, k.CLOSING] = len(closings)
        if rule == AtShiftEnd.FITS:
            changes = plan.changes[first : first + count].tolist()
            closings += [time for (_, before), (time, units) in pairwise(changes) if units < before]
        pools[number, k.CLOSINGS_END] = len(closings)
        pools[number, k.PREEMPTS] = preempts
        pools[number, k.PAUSES] = rule == AtShiftEnd.PAUSE and (preempts or number in broken)
    for number, (resource, _, counts, *_) in enumerate(plan.breakdowns.tolist()):
        if counts == Clock.BUSY:
            pools[resource, k.CLOCK] = len(plan.resources) + number
    return pools, closings


def _with_clocks(plan: Plan, pools: Ints) -> Ints:
    """Return the pools, behind them the clocks of breakdowns, and when each is due."""
    clocks = np.zeros((len(plan.breakdowns), k.POOL_FIELDS), dtype=np.int64)
    clocks[:, : plan.breakdowns.shape[1]] = plan.breakdowns
    clocks[:, k.CLOCK_BUSY] = plan.breakdowns[:, 2] == Clock.BUSY
    clocks[plan.breakdowns[:, 1] == NOWHERE, k.CLOCK_UNITS] = k.ALL_UNITS
    return np.concatenate([pools.ravel(), clocks.ravel(), np.zeros(len(clocks) + 1, dtype=np.int64)])


def _batch_places(plan: Plan) -> tuple[int, list[int]]:
    """Return how many batches can form at a time, and by batch number the first of its places; place 0 is not used."""
    sizes = {int(GatherBy.SOURCE): 1, int(GatherBy.FIRM): len(plan.members) + 1}
    sizes[int(GatherBy.CLASS)] = max(len(plan.names.classes), 1)
    wanted: dict[int, int] = {}
    for op, _, number, _, _, _, _, by, _ in plan.program.tolist():
        if op == Op.GATHER:
            wanted[number] = max(wanted.get(number, 0), sizes[by])
    firsts = [0] * (max(wanted, default=0) + 1)
    length = 1
    for number in sorted(wanted):
        firsts[number] = length
        length += wanted[number]
    return length, firsts


def _program(plan: Plan, laws: Ints, numbers: Floats, pools: Ints) -> tuple[Ints, int, int]:
    """
    Return the program with what is worked out for the kernel, and how many places for visits and counts of children
    a token needs: places and groups are numbered anew in each routine, which ends with its LEAVE.
    """
    rows = np.zeros((max(len(plan.program), 1), k.ROW_FIELDS), dtype=np.int64)
    rows[: len(plan.program), : plan.program.shape[1]] = plan.program
    alone = _asked_alone(plan, pools)
    most_slots = most_groups = 0
    begin = 0
    for end in np.flatnonzero(plan.program[:, 0] == Op.LEAVE).tolist():
        routine = rows[begin : end + 1]
        routine[:, k.LEAVES_AT] = routine[-1, k.STEP]
        most_slots = max(most_slots, _renumber(routine, {Op.SEIZE: (k.D,), Op.RELEASE: (k.C,), Op.KEEP: (k.C, k.D)}))
        most_groups = max(most_groups, _renumber(routine, {Op.SPLIT: (k.G,), Op.JOIN: (k.A,)}))
        begin = end + 1
    for row in rows:
        op = row[k.OP]
        if op in (Op.SEIZE, Op.RELEASE):
            needs = plan.needs[row[k.A] : row[k.A] + row[k.B]]
            row[k.EASY] = len(needs) == 1 and alone[needs[0, 0]]
            row[k.POOL] = needs[0, 0] if len(needs) else NOWHERE
            row[k.TIMED] = any(pools[pool, k.CLOSING] < pools[pool, k.CLOSINGS_END] for pool in needs[:, 0])
            row[k.INTERRUPTS] = any(pools[pool, k.PREEMPTS] + pools[pool, k.PAUSES] for pool in needs[:, 0])
        elif op == Op.HOLD:
            kind, first, count = laws[row[k.A]]
            row[k.KIND] = NOWHERE if kind in _COMPOSED else kind
            row[k.NUMBERS], row[k.NUMBERS_COUNT] = first, count
            if kind == Law.CONSTANT:
                row[k.EASY] = 1
                row[k.POOL] = whole(numbers[first])
        elif op == Op.SPLIT:
            row[k.POOL] = row[k.G]
    return rows, most_slots, most_groups


class _Ahead:
    """
    The draws that are made when a token starts: for each place where tokens start, how long the holds on its most usual
    way take and which way its branches go, as far as they depend on nothing else; and the class of who arrives.
    """

    def __init__(self, plan: Plan, rows: Ints) -> None:
        self.holds: list[int] = []
        """The hold of each draw, -1 for one whose random bits are kept. Each place has a multiple of four."""
        self.streams: list[int] = []
        self.most = 0
        rows[:, k.AHEAD] = NOWHERE
        classes = {
            int(first): int(streams[2])
            for (first, *_, mix, _), streams in zip(plan.sources.tolist(), plan.source_streams, strict=True)
            if mix != NOWHERE
        }
        starts = {int(row[0]) for row in plan.sources.tolist()}
        starts |= {int(row[k.C]) for row in rows if row[k.OP] == Op.SPLIT}
        for start in sorted(starts):
            self._add(plan, rows, start, classes.get(start))

    def _add(self, plan: Plan, rows: Ints, start: int, class_stream: int | None) -> None:
        rows[start, k.AHEAD_FIRST], rows[start, k.AHEAD_CLASS] = len(self.holds), NOWHERE
        begin = len(self.holds)
        for at in _usual_draws(plan, rows, start):
            hold = rows[at, k.OP] == Op.HOLD
            rows[at, k.AHEAD] = len(self.holds) - begin
            self.holds.append(at if hold else NOWHERE)
            self.streams.append(int(plan.streams[rows[at, k.B if hold else k.C]]))
        if class_stream is not None:
            rows[start, k.AHEAD_CLASS] = len(self.holds) - begin
            self.holds.append(NOWHERE)
            self.streams.append(class_stream)
        rows[start, k.AHEAD_COUNT] = len(self.holds) - begin
        while (len(self.holds) - begin) % _SIDE_BY_SIDE:
            self.holds.append(NOWHERE)
            self.streams.append(0)
        self.most = max(self.most, len(self.holds) - begin)


def _usual_draws(plan: Plan, rows: Ints, start: int) -> list[int]:
    """Return the draws on the way that a token most often takes from `start` on, up to the end or a way back."""
    found: list[int] = []
    at = start
    while len(found) < _MOST_AHEAD and rows[at, k.OP] != Op.LEAVE:
        row = rows[at]
        share = row[k.OP] == Op.BRANCH and row[k.A] == BranchOn.SHARE
        if share or (row[k.OP] == Op.HOLD and row[k.EASY] == 0 and row[k.KIND] >= 0):
            found.append(at)
        at += 1
        if row[k.OP] == Op.JUMP:
            if row[k.B]:
                break
            at = int(row[k.A])
        elif share and plan.shares[row[k.B]].mean() > _LIKELY:
            at = int(row[k.D])
    return found


def _asked_alone(plan: Plan, pools: Ints) -> list[bool]:
    """
    Return the resources of which all ask one unit and nothing else, and where it does not matter how long, whether
    somebody is interrupted, and what a clock counts.
    """
    alone = [
        bool(pool[k.CLOSING] == pool[k.CLOSINGS_END]) and not pool[[k.PREEMPTS, k.PAUSES, k.CLOCK]].any()
        for pool in pools
    ]
    for op, _, first, count, *_ in plan.program.tolist():
        if op in (Op.SEIZE, Op.RELEASE, Op.KEEP):
            for pool, units in plan.needs[first : first + count].tolist():
                alone[pool] &= units == 1 and (count == 1 or op == Op.KEEP)
    return alone


def _renumber(routine: Ints, operands: dict[Op, tuple[np.uint64, ...]]) -> int:
    """Number, from 0 on and in their order, what these operands of a routine name; return how many there are."""
    names = {
        int(row[operand]) for row in routine for operand in operands.get(Op(int(row[k.OP])), ()) if row[operand] >= 0
    }
    numbers = {name: number for number, name in enumerate(sorted(names))}
    for row in routine:
        for operand in operands.get(Op(int(row[k.OP])), ()):
            row[operand] = numbers.get(int(row[operand]), NOWHERE)
    return len(numbers)


def _sources(plan: Plan) -> Ints:
    rows = np.zeros((max(len(plan.sources), 1), k.SOURCE_FIELDS), dtype=np.int64)
    rows[: len(plan.sources), : plan.sources.shape[1]] = plan.sources
    return rows.ravel()


def _with_population(layout: _Layout, state: Ints, sources: Ints, population: Population) -> Ints:
    """Return the world with the firms as they are in this replication, and say in `state` where they lie."""
    tables = _Tables(np.int64)
    tables.add(layout.world)
    state[k.IN_FIRM_FLAGS] = tables.add(population.flags)
    state[k.IN_ADOPTERS] = tables.add(population.adopters)
    special: list[tuple[int, int, int]] = []
    holding: list[tuple[int, ...]] = []
    rows = sources.reshape(-1, k.SOURCE_FIELDS)
    for source, entries in enumerate(population.special):
        rows[source, k.SPECIAL], rows[source, k.SPECIALS] = len(special), len(entries)
        for flag, adoptions in entries:
            special.append((flag, len(holding), len(adoptions)))
            holding += [tuple(adoption) for adoption in adoptions]
    state[k.IN_SPECIAL] = tables.add(special)
    state[k.IN_HOLDING] = tables.add(holding)
    return tables.array().astype(np.int64)
