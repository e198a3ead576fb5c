"""A plan as the kernel reads it: flat tables behind each other, and what is worked out once for all replications."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zonesim.engine import kernel as k
from zonesim.engine.arrivals import Population
from zonesim.engine.sampling import prepare, whole
from zonesim.plan import NOWHERE, TABLES, AtShiftEnd, BranchOn, Clock, GatherBy, Ints, Law, Op, Plan, flat

_COMPOSED: Final = (Law.MIXTURE, Law.BY_CLASS, Law.SHIFTED)

MOST_AHEAD: Final = 16
SIDE_BY_SIDE: Final = 4
_LIKELY: Final = 0.5
"""How many draws are made when a token starts, how many at once, and from which share on a way is the usual one."""

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]


@dataclass(frozen=True)
class KernelInput:
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
        rows = flat(table) if isinstance(table, np.ndarray) else table
        part: NDArray[Any] = np.asarray(rows, dtype=self.dtype).ravel()
        begin = self.length
        self.parts.append(part)
        self.length += len(part)
        return begin

    def array(self) -> NDArray[Any]:
        """Return everything, with room so that no table is empty."""
        return np.concatenate([*self.parts, np.zeros(1, dtype=self.dtype)])


def laid_out(plan: Plan) -> KernelInput:
    """Return the layout of a plan; equal plans have the same."""
    return _of_identity(plan.identity, _Held(plan))


class _Held:
    """A plan on its way to a cache that knows it by its identity."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=8)
def _of_identity(_identity: str, held: _Held) -> KernelInput:
    plan = held.plan
    world, reals = _Tables(np.int64), _Tables(np.float64)
    state = np.zeros(k.STATE_FIELDS, dtype=np.int64)
    state[k.BEGIN], state[k.END], state[k.HORIZON] = plan.window
    laws, numbers = prepare(plan.distributions, plan.parameters)
    levels, ranked = np.unique(plan.priorities, return_inverse=True)
    state[k.IN_NEEDS] = world.add(plan.needs)
    state[k.IN_PRIORITIES] = world.add(ranked)
    state[k.IN_CALENDARS] = world.add(plan.calendars)
    state[k.IN_SPANS] = world.add(plan.spans)
    changes = _merged_changes(plan)
    state[k.IN_CHANGES] = world.add(changes)
    state[k.IN_TIMES] = world.add(plan.times)
    state[k.IN_FIRM_CLASS] = world.add(plan.members["class"].astype(np.int64))
    state[k.OF_SHARES] = reals.add(plan.shares)
    state[k.OF_RATES] = reals.add(plan.rates)
    state[k.OF_MIXES] = reals.add(plan.mixes)
    state[k.OF_VOLUME] = reals.add(plan.members["cumulative_share"])
    state[k.OF_ADOPTION] = reals.add(plan.adoption_shares)
    pools, closings = _pools(plan)
    state[k.IN_CLOSINGS] = world.add(closings)
    places, firsts = _batch_places(plan)
    state[k.IN_FORMING] = world.add(firsts)
    program, slots, groups = _program(plan, laws, numbers, pools)
    ahead = _Ahead(plan, program)
    state[k.IN_AHEAD] = world.add(ahead.holds)
    parties = int(plan.sources["parties"][plan.sources["group"] != NOWHERE].max(initial=0))
    nodes = max(plan.program["b"][plan.program["op"] == Op.SEIZE].tolist(), default=1)
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
    return KernelInput(
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
        for number in range(len(plan.resources))
        for time, units in plan.changes_of(number).tolist()
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
    broken = set(plan.breakdowns["resource"].tolist())
    for number, (_, _, rule, preempts) in enumerate(plan.resources.tolist()):
        pools[number, k.EVEN] = len(asked.get(number, ())) <= 1
        pools[number, k.CLOSING] = len(closings)
        if rule == AtShiftEnd.FITS:
            changes = plan.changes_of(number).tolist()
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
    clocks[:, : len(TABLES["breakdowns"].columns)] = flat(plan.breakdowns)
    clocks[:, k.CLOCK_BUSY] = plan.breakdowns["clock"] == Clock.BUSY
    clocks[plan.breakdowns["units"] == NOWHERE, k.CLOCK_UNITS] = k.ALL_UNITS
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
    rows[: len(plan.program), : len(TABLES["program"].columns)] = flat(plan.program)
    alone = _asked_alone(plan, pools)
    most_slots = most_groups = 0
    begin = 0
    for end in np.flatnonzero(plan.program["op"] == Op.LEAVE).tolist():
        routine = rows[begin : end + 1]
        routine[:, k.LEAVES_AT] = routine[-1, k.STEP]
        most_slots = max(most_slots, _renumber(routine, {Op.SEIZE: (k.D,), Op.RELEASE: (k.C,), Op.KEEP: (k.C, k.D)}))
        most_groups = max(most_groups, _renumber(routine, {Op.SPLIT: (k.G,), Op.JOIN: (k.A,)}))
        begin = end + 1
    for row in rows:
        op = row[k.OP]
        if op in (Op.SEIZE, Op.RELEASE):
            needs = flat(plan.needs[row[k.A] : row[k.A] + row[k.B]])
            row[k.EASY] = len(needs) == 1 and alone[needs[0, 0]]
            row[k.POOL] = needs[0, 0] if len(needs) else NOWHERE
            row[k.TIMED] = any(pools[pool, k.CLOSING] < pools[pool, k.CLOSINGS_END] for pool in needs[:, 0])
            row[k.INTERRUPTS] = any(pools[pool, k.PREEMPTS] + pools[pool, k.PAUSES] for pool in needs[:, 0])
        elif op == Op.DELAY:
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
            int(own["first_row"]): int(streams["class"])
            for own, streams in zip(plan.sources, plan.source_streams, strict=True)
            if own["mix"] != NOWHERE
        }
        starts = set(plan.sources["first_row"].tolist())
        starts |= {int(row[k.C]) for row in rows if row[k.OP] == Op.SPLIT}
        for start in sorted(starts):
            self._add(plan, rows, start, classes.get(start))

    def _add(self, plan: Plan, rows: Ints, start: int, class_stream: int | None) -> None:
        rows[start, k.AHEAD_FIRST], rows[start, k.AHEAD_CLASS] = len(self.holds), NOWHERE
        begin = len(self.holds)
        for at in _usual_draws(plan, rows, start):
            hold = rows[at, k.OP] == Op.DELAY
            rows[at, k.AHEAD] = len(self.holds) - begin
            self.holds.append(at if hold else NOWHERE)
            self.streams.append(int(plan.streams[rows[at, k.B if hold else k.C]]))
        if class_stream is not None:
            rows[start, k.AHEAD_CLASS] = len(self.holds) - begin
            self.holds.append(NOWHERE)
            self.streams.append(class_stream)
        rows[start, k.AHEAD_COUNT] = len(self.holds) - begin
        while (len(self.holds) - begin) % SIDE_BY_SIDE:
            self.holds.append(NOWHERE)
            self.streams.append(0)
        self.most = max(self.most, len(self.holds) - begin)


def _usual_draws(plan: Plan, rows: Ints, start: int) -> list[int]:
    """Return the draws on the way that a token most often takes from `start` on, up to the end or a way back."""
    found: list[int] = []
    at = start
    while len(found) < MOST_AHEAD and rows[at, k.OP] != Op.LEAVE:
        row = rows[at]
        share = row[k.OP] == Op.BRANCH and row[k.A] == BranchOn.SHARE
        if share or (row[k.OP] == Op.DELAY and row[k.EASY] == 0 and row[k.KIND] >= 0):
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
    rows[: len(plan.sources), : len(TABLES["sources"].columns)] = flat(plan.sources)
    return rows.ravel()


def with_population(layout: KernelInput, state: Ints, sources: Ints, population: Population) -> Ints:
    """Return the world with the members as they are in this replication, and say in `state` where they lie."""
    tables = _Tables(np.int64)
    tables.add(layout.world)
    state[k.IN_FIRM_FLAGS] = tables.add(population.flags)
    state[k.IN_ADOPTERS] = tables.add(population.raised)
    special: list[tuple[int, int, int]] = []
    holding: list[tuple[int, ...]] = []
    rows = sources.reshape(-1, k.SOURCE_FIELDS)
    for source, entries in enumerate(population.special):
        rows[source, k.SPECIAL], rows[source, k.SPECIALS] = len(special), len(entries)
        for flag, adoptions in entries:
            special.append((flag, len(holding), len(adoptions)))
            holding += [tuple(adoption) for adoption in adoptions]
    state[k.IN_SPECIAL] = tables.add(special)
    state[k.IN_DELAYING] = tables.add(holding)
    return tables.array().astype(np.int64)
