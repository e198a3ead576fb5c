"""
The compiled engine's inner loop: the meaning of `simpy_engine`, on flat arrays.

All state lies in the arrays, so a call can return at any instruction that has not acted yet ("not now": a full block,
no free slot) and the next call goes on from there. Nothing is allocated; growing is the caller's job.

Conventions. Arrays are one-dimensional int64 with rows of constant width; a field is `row + FIELD`, all uint64, for an
unsigned index needs no test for wrap-around. Tokens and batches are named by their slot, 0 is nobody. Within one
instant: capacity changes, breakdowns and repairs, then those made ready, first come first served, then timed events by
(time, rank, number).

Rows and events are added without looking, for a round of the loop looks whether a few more fit; each interrupted token
takes one of both from what may be used, for it adds them when it goes on.

Integrals over the measured window are kept as sums: whatever begins at t adds the window's rest after t, whatever ends
takes it away again. `left` is that rest.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.compiled.arithmetic import log
from zonesim.compiled.jit import inlined, kernel
from zonesim.compiled.streams import lineage, random_bits, uniform, unit
from zonesim.engine.sampling import draw_ms, quantile, sample, whole
from zonesim.plan import CHILD_BITS, LARGEST_ORDINAL, NUMBER_BITS, BranchOn, GatherBy, Op, SetWhat

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Words = NDArray[np.uint64]

_u = np.uint64

# --- why a call returns

DONE: Final = 0
FULL: Final = 1
"""A record block is full."""
NEED_SLOTS: Final = 2
NEED_EVENTS: Final = 3
NEED_BATCHES: Final = 4
YIELD: Final = 5
"""The budget of events is used up: time to look at the clock and at the keyboard."""
TWICE: Final = 6
"""A child is made that still exists; `FAULT` holds its leave step."""
ENDLESS: Final = 7
"""A token goes back again and again within one instant; `FAULT` holds its leave step."""
OVERDRAWN: Final = 8
"""`FAULT` holds the account, `FAULT_AMOUNT` what is booked, `FAULT_TOKEN` the slot."""
TOO_MANY: Final = 9
"""A source has more tokens than there are numbers; `FAULT` holds the source."""
SPAWN_LOOP: Final = 10

# --- fields of `state`

NOW: Final = _u(0)
LEFT: Final = _u(1)
CURRENT: Final = _u(2)
READY_FIRST: Final = _u(3)
READY_LAST: Final = _u(4)
EVENTS: Final = _u(5)
HOLE: Final = _u(6)
"""1: the event that was taken last is still at the top of the event list."""
FREE: Final = _u(7)
"""First of the freed slots."""
FRESH: Final = _u(8)
"""First slot never used."""
FREE_COUNT: Final = _u(9)
VISITS: Final = _u(10)
MARKS: Final = _u(11)
LOG: Final = _u(12)
COUNT: Final = _u(13)
"""Timed events processed."""
CHANGE: Final = _u(14)
"""Next capacity change."""
PEAKED: Final = _u(15)
PENDING: Final = _u(16)
"""Batch whose members are parting."""
PENDING_NEXT: Final = _u(17)
PENDING_LAST: Final = _u(18)
"""1: the batch is done with when they have parted."""
BATCH_FREE: Final = _u(19)
BATCH_FRESH: Final = _u(20)
BATCH_LIMIT: Final = _u(21)
STARTED: Final = _u(22)
FAULT: Final = _u(23)
FAULT_AMOUNT: Final = _u(24)
FAULT_TOKEN: Final = _u(25)
STALE: Final = _u(26)
"""Timers in the event list whose token waits no more, and ends of work that was interrupted."""
BUDGET: Final = _u(27)
SPAWN_TIME: Final = _u(28)
SPAWNS: Final = _u(29)
BEGIN: Final = _u(30)
END: Final = _u(31)
HORIZON: Final = _u(32)
WIDTH: Final = _u(33)
"""Fields of a token."""
CLASSES: Final = _u(34)
LEVELS: Final = _u(35)
NODE_BITS: Final = _u(36)
POOLS: Final = _u(37)
SOURCES: Final = _u(38)
FIRMS: Final = _u(39)
CHANGES: Final = _u(41)
VISITS_LIMIT: Final = _u(42)
MARKS_LIMIT: Final = _u(43)
LOG_LIMIT: Final = _u(44)
EVENTS_LIMIT: Final = _u(45)
SLOTS: Final = _u(46)
"""Places for visits with units in a token."""
GROUPS: Final = _u(47)
AT_GROUPS: Final = _u(48)
AT_FIRMS: Final = _u(49)
AT_NODES: Final = _u(50)
AT_AHEAD: Final = _u(40)
"""Where in a token the counts of children, the firms, the places in line and the draws made ahead begin."""
IN_NEEDS: Final = _u(51)
IN_PRIORITIES: Final = _u(52)
IN_CALENDARS: Final = _u(53)
IN_SPANS: Final = _u(54)
IN_CHANGES: Final = _u(55)
IN_CLOSINGS: Final = _u(56)
IN_TIMES: Final = _u(57)
IN_FIRM_CLASS: Final = _u(58)
IN_FIRM_FLAGS: Final = _u(59)
IN_SPECIAL: Final = _u(60)
IN_DELAYING: Final = _u(61)
IN_ADOPTERS: Final = _u(62)
IN_FORMING: Final = _u(63)
"""Where in `world` each table begins."""
OF_SHARES: Final = _u(64)
OF_RATES: Final = _u(65)
OF_MIXES: Final = _u(66)
OF_VOLUME: Final = _u(67)
OF_ADOPTION: Final = _u(68)
"""Where in `reals` each table begins."""
BY_PROGRAM: Final = _u(69)
BY_SOURCE: Final = _u(70)
BY_ADOPTION: Final = _u(71)
BY_AHEAD: Final = _u(72)
"""Where in `streams` each table begins; the first word is the run's key."""
IN_AHEAD: Final = _u(73)
NEXT_CHANGE: Final = _u(74)
"""When the capacity of a pool may change next: by the calendar, a breakdown or a repair, not later."""
CLOCKS: Final = _u(75)
DUES: Final = _u(76)
"""How many clocks of breakdowns there are, and where in `pools` the times at which they are due begin."""
TOUCHED_FIRST: Final = _u(77)
TOUCHED_LAST: Final = _u(78)
"""The pools, from one to the other, among which are all whose capacity has changed in this instant."""
AT_WORK: Final = _u(79)
"""Where in a token its work that can be interrupted begins; 0: there is no resource with such work."""
GRANTS: Final = _u(80)
"""Grants of units whose work can be interrupted."""
RESUME_FIRST: Final = _u(81)
RESUME_LAST: Final = _u(82)
"""Interrupted tokens that have got a unit, in order; their work goes on before anything else."""
STATE_FIELDS: Final = 83

# --- fields of a program row: those of the plan, then what is worked out for the kernel

ROW_BITS: Final = _u(5)
OP: Final = _u(0)
STEP: Final = _u(1)
A: Final = _u(2)
B: Final = _u(3)
C: Final = _u(4)
D: Final = _u(5)
E: Final = _u(6)
F: Final = _u(7)
G: Final = _u(8)
EASY: Final = _u(9)
"""SEIZE, RELEASE: 1 for one unit of a resource of which all ask one unit. DELAY: 1 where the time is fixed."""
POOL: Final = _u(10)
"""SEIZE, RELEASE: its resource if EASY. DELAY: the fixed time. SPLIT: local group."""
TIMED: Final = _u(11)
"""SEIZE: 1 where nothing starts that does not end before a closing."""
LEAVES_AT: Final = _u(12)
"""Step of the LEAVE that ends the routine."""
KIND: Final = _u(13)
NUMBERS: Final = _u(14)
NUMBERS_COUNT: Final = _u(15)
"""DELAY: its law as `quantile` wants it; KIND is -1 for one that is put together of others."""
INTERRUPTS: Final = _u(13)
"""SEIZE, RELEASE: 1 where work with the one unit that is asked for can be interrupted."""
AHEAD: Final = _u(16)
"""DELAY, BRANCH: place of its draw among those that are made when the token starts, -1: none."""
AHEAD_FIRST: Final = _u(17)
AHEAD_COUNT: Final = _u(18)
"""First operation of a routine: the draws that are made when a token starts there, in the table of them."""
AHEAD_CLASS: Final = _u(19)
"""First operation of a source whose classes are drawn: the place of that draw, -1: none."""
ROW_FIELDS: Final = 32

# --- fields of a pool

POOL_BITS: Final = _u(5)
CAPACITY: Final = _u(0)
USED: Final = _u(1)
WAITING: Final = _u(2)
BUSY: Final = _u(3)
QUEUE: Final = _u(4)
PEAK: Final = _u(5)
OPEN: Final = _u(6)
EVEN: Final = _u(7)
"""1 where all who ask for units of it ask for equally many: then nobody ahead is short unless the newcomer is."""
CLOSING: Final = _u(8)
CLOSINGS_END: Final = _u(9)
"""Next closing in the table of closings, and the end of those of this pool."""
SCHEDULED: Final = _u(10)
DOWN: Final = _u(11)
BROKEN: Final = _u(12)
"""Units on duty, those broken down (`ALL_UNITS` for all of them at once), and those on duty but broken down, summed."""
PREEMPTS: Final = _u(13)
PAUSES: Final = _u(14)
"""1 where who is more important takes the unit of another; 1 where work in hand is cut short when units are gone."""
WORKERS: Final = _u(15)
"""First of the tokens whose work with a unit of it goes on and can be interrupted."""
CLOCK: Final = _u(16)
"""Row of its clock that counts the time in which its unit is in use; 0: none."""
TOUCHED: Final = _u(17)
"""What is to be done with it in this instant, for its capacity has changed."""
POOL_FIELDS: Final = 32
_UNLIMITED: Final = 1 << 40
ALL_UNITS: Final = 1 << 41
_TO_CUT: Final = 1
_TO_SERVE: Final = 2

# --- fields of a clock of breakdowns: these rows follow those of the pools, then when each clock is due

CLOCK_POOL: Final = _u(0)
CLOCK_UNITS: Final = _u(1)
CLOCK_BUSY: Final = _u(2)
"""1: it runs while the unit of its pool is in use, else always."""
UP_LAW: Final = _u(3)
UP_STREAM: Final = _u(4)
REPAIR_LAW: Final = _u(5)
REPAIR_STREAM: Final = _u(6)
CYCLE: Final = _u(7)
CLOCK_DOWN: Final = _u(8)
"""1 while what it breaks down is repaired."""
CLOCK_LEFT: Final = _u(9)
"""Time until the breakdown, while it does not run."""

# --- fields of a token

NUMBER: Final = _u(0)
LUCK: Final = _u(1)
CHILD: Final = _u(2)
PC: Final = _u(3)
CLASS: Final = _u(4)
PASSES: Final = _u(5)
FLAGS: Final = _u(6)
READY_NEXT: Final = _u(7)
STATE: Final = _u(8)
DELAY_STEP: Final = _u(9)
DELAY_QUEUED: Final = _u(10)
DELAY_STARTED: Final = _u(11)
ARRIVED: Final = _u(13)
STATUS: Final = _u(14)
PARENT: Final = _u(15)
GROUP: Final = _u(16)
JOINS: Final = _u(17)
OFFSPRING: Final = _u(18)
"""Children that somebody may wait for."""
LINE_ROW: Final = _u(19)
LEVEL: Final = _u(20)
LASTS: Final = _u(21)
DEADLINE: Final = _u(22)
BATCH: Final = _u(23)
BATCH_NEXT: Final = _u(24)
LEADS: Final = _u(25)
TURN_TIME: Final = _u(26)
TURNS: Final = _u(27)
KIN_NEXT: Final = _u(28)
KIN_BEFORE: Final = _u(29)
LEAVE_STEP: Final = _u(30)
GIVES_UP: Final = _u(31)
AHEAD_PASSES: Final = _u(32)
"""The pass for which draws are made ahead."""
TOKEN_FIELDS: Final = 34
"""
Then, `SLOTS` times, the open visits; the counts of children; the firms; the places in line (next, before); the draws
made ahead: how long a DELAY takes (ms), the random bits of a BRANCH; where work can be interrupted, what follows here.
"""

WORK_ROW: Final = _u(0)
WORK_LEVEL: Final = _u(1)
WORK_GRANTED: Final = _u(2)
"""The SEIZE of the unit, how important it was, and the number of the grant that gave it last."""
WORK_LEFT: Final = _u(3)
WORK_SINCE: Final = _u(4)
WORK_END: Final = _u(5)
"""What was left of the work when it last went on, when that was (in open time, if only that counts), and its end."""
WORK_KEYED: Final = _u(6)
"""Latest end of the work that is in the event list; those before it are none. -1: there is no such."""
WORK_STOPPED: Final = _u(7)
WORK_NEXT: Final = _u(8)
WORK_BEFORE: Final = _u(9)
"""Who else works with a unit of the same pool."""
WORK_FIELDS: Final = 10

VISIT_ROW: Final = _u(0)
"""The operation that began the visit, and from bit 32 on which of its needs are kept by other visits."""
VISIT_QUEUED: Final = _u(1)
VISIT_STARTED: Final = _u(2)
VISIT_FIELDS: Final = 3
EMPTY: Final = -2
"""VISIT_QUEUED of a place that is not in use."""
_NEVER: Final = -1
KEPT_SHIFT: Final = 32

GOING: Final = 0
DELAYING: Final = 1
IN_LINE: Final = 2
JOINING: Final = 3
GATHERING: Final = 4
UNTIL: Final = 5
UNBORN: Final = 6
WORKING: Final = 7
"""In a hold that can be interrupted; this state and those above it have ends in the event list that are none."""
INTERRUPTED: Final = 8
"""In line for a unit to go on with."""

# --- fields of a source

SOURCE_BITS: Final = _u(5)
FIRST_ROW: Final = _u(0)
LISTED: Final = _u(1)
FIRST: Final = _u(2)
ROWS: Final = _u(3)
GROUPED: Final = _u(4)
MEMBERS: Final = _u(5)
FIXED: Final = _u(6)
MIX: Final = _u(7)
BATCH_LAW: Final = _u(8)
SPECIAL: Final = _u(9)
SPECIALS: Final = _u(10)
ORDINAL: Final = _u(11)
ARRIVAL: Final = _u(12)
IN_HAND: Final = _u(13)
"""Tokens of the arrival that are still to come."""
AT_ROW: Final = _u(14)
ARRIVED_COUNT: Final = _u(15)
BEFORE_BEGIN: Final = _u(16)
BEFORE_END: Final = _u(17)
SPAWNED: Final = _u(18)
TOKENS_TOLD: Final = _u(19)
ARRIVES_AT: Final = _u(20)
SOURCE_FIELDS: Final = 32

# --- fields of a batch

BATCH_BITS: Final = _u(4)
BATCH_NUMBER: Final = _u(0)
BATCH_PLACE: Final = _u(1)
BATCH_FIRST: Final = _u(2)
BATCH_LAST: Final = _u(3)
BATCH_COUNT: Final = _u(4)
BATCH_DUE: Final = _u(5)
BATCH_COMPLETE: Final = _u(6)
BATCH_LED: Final = _u(7)
BATCH_LEFT_NEXT: Final = _u(8)
"""Next batch that the same token leads, or next free one."""
BATCH_FIELDS: Final = 16

# --- fields of an account

LEVEL_NOW: Final = _u(0)
FLOOR: Final = _u(1)
LEVEL_TIME: Final = _u(2)
ACCOUNT_FIELDS: Final = 4

# --- timed events: (time << 3 | rank, number << 23 | slot)

RANK_BITS: Final = 3
DELAY_END_RANK: Final = 1
ARRIVAL_RANK: Final = 2
PATIENCE_RANK: Final = 3
BATCH_RANK: Final = 4
SLOT_BITS: Final = 23
LARGEST_SLOT: Final = (1 << SLOT_BITS) - 1
_SLOT_MASK: Final = LARGEST_SLOT
_RANK_MASK: Final = 7
_FOREVER: Final = np.iinfo(np.int64).max

MOST_TURNS: Final = 200_000
MOST_SPAWNS: Final = 200_000
MOST_CHILDREN: Final = 64
MOST_STALE: Final = 1024
"""Events that are none any more: with more of them, and more than of others, the event list is swept."""

_SEIZE: Final = int(Op.SEIZE)
_HOLD: Final = int(Op.DELAY)
_RELEASE: Final = int(Op.RELEASE)
_MARK: Final = int(Op.MARK)
_SPLIT: Final = int(Op.SPLIT)
_GATHER: Final = int(Op.GATHER)
_SPAWN: Final = int(Op.SPAWN)
_BRANCH: Final = int(Op.BRANCH)
_JUMP: Final = int(Op.JUMP)
_SET: Final = int(Op.SET)
_JOIN: Final = int(Op.JOIN)
_WAIT_UNTIL: Final = int(Op.WAIT_UNTIL)
_LEAVE: Final = int(Op.LEAVE)
_KEEP: Final = int(Op.KEEP)
_WAITS: Final = -1
"""In place of an operation: the token that seized waits."""
_ON_SHARE: Final = int(BranchOn.SHARE)
_ON_FLAG: Final = int(BranchOn.FLAG)
_ON_CLASS: Final = int(BranchOn.CLASS)
_ON_QUEUE: Final = int(BranchOn.QUEUE_LONGER)
_ON_STATUS: Final = int(BranchOn.STATUS)
_ON_SHORTEST: Final = int(BranchOn.SHORTEST)
_RAISE: Final = int(SetWhat.RAISE_FLAG)
_LOWER: Final = int(SetWhat.LOWER_FLAG)
_TO_CLASS: Final = int(SetWhat.CLASS)
_TO_STATUS: Final = int(SetWhat.STATUS)
_BY_FIRM: Final = int(GatherBy.FIRM)
_BY_CLASS: Final = int(GatherBy.CLASS)
_ONE: Final = _u(1)
_TWO: Final = _u(2)
_THREE: Final = _u(3)
_FOUR: Final = _u(4)
_BY_TOKEN: Final = 2
_LISTED_CLASS: Final = -2


# --- the event list: a binary heap
# --------------------------------------------------------------------------------------------------------------------


@inlined
def _sift_down(events: Ints, size: int, first: int, second: int) -> None:
    """Put an event in from the top, where there is room."""
    place = 0
    while True:
        below = 2 * place + 1
        if below >= size:
            break
        if below + 1 < size:  # to the smaller of two: added, for a branch could not be foreseen
            lower, other = events[_u(2 * below)], events[_u(2 * below + 2)]
            if other == lower:
                below += events[_u(2 * below + 3)] < events[_u(2 * below + 1)]
            else:
                below += other < lower
        lower = events[_u(2 * below)]
        if first < lower or (first == lower and second < events[_u(2 * below + 1)]):
            break
        events[_u(2 * place)] = lower
        events[_u(2 * place + 1)] = events[_u(2 * below + 1)]
        place = below
    events[_u(2 * place)] = first
    events[_u(2 * place + 1)] = second


@inlined
def _push(events: Ints, size: int, hole: int, first: int, second: int) -> int:
    """
    Add an event to a list of `size` and return its new size; most often it takes the place of the event that has just
    been taken, which is still at the top (`hole`).
    """
    if hole != 0:
        _sift_down(events, size, first, second)
        return size
    place = size
    while place > 0:
        above = (place - 1) >> 1
        upper = events[_u(2 * above)]
        if upper < first or (upper == first and events[_u(2 * above + 1)] < second):
            break
        events[_u(2 * place)] = upper
        events[_u(2 * place + 1)] = events[_u(2 * above + 1)]
        place = above
    events[_u(2 * place)] = first
    events[_u(2 * place + 1)] = second
    return size + 1


@kernel
def _sweep(state: Ints, events: Ints, tokens: Ints, size: int) -> int:
    """Throw out events that are none any more, order the rest anew and return how many are left."""
    width = state[WIDTH]
    kept = 0
    for place in range(size):
        first, second = events[2 * place], events[2 * place + 1]
        token = _u((second & _SLOT_MASK) * width)
        rank = first & _RANK_MASK
        if rank == PATIENCE_RANK and (
            tokens[token + NUMBER] != second >> SLOT_BITS
            or tokens[token + STATE] != IN_LINE
            or tokens[token + DEADLINE] != first >> RANK_BITS
        ):
            continue
        if rank == DELAY_END_RANK and tokens[token + STATE] >= WORKING:
            work = token + _u(state[AT_WORK])
            if tokens[token + STATE] == INTERRUPTED or tokens[work + WORK_END] != first >> RANK_BITS:
                if tokens[work + WORK_KEYED] == first >> RANK_BITS:
                    tokens[work + WORK_KEYED] = _NEVER
                continue
        kept = _push(events, kept, 0, first, second)
    state[STALE] = 0
    return kept


# --- draws
# --------------------------------------------------------------------------------------------------------------------


@kernel
def _draw(
    laws: Ints,
    numbers: Floats,
    law: int,
    klass: int,
    key: np.uint64,
    stream: np.uint64,
    luck: int,
    child: int,
    passes: int,
) -> int:
    """Return `draw_ms` of the same: for whatever is not drawn ahead."""
    return draw_ms(laws, numbers, law, klass, key, stream, luck, child, passes)


@kernel
def _uniform(key: np.uint64, stream: np.uint64, luck: int, child: int, passes: int) -> float:
    """Return `uniform` of the same: where it is seldom called."""
    return uniform(key, stream, luck, child, passes)


@kernel
def _sample(laws: Ints, numbers: Floats, law: int, drawn: float, klass: int) -> float:
    """Return `sample` of the same: for laws that are put together of others."""
    return sample(laws, numbers, law, drawn, klass)


# --- breakdowns: clocks that make units fail and be repaired in turns
# --------------------------------------------------------------------------------------------------------------------


@kernel
def _turn(state: Ints, pools: Ints, here: np.uint64) -> None:
    """Start or stop the clock of a pool, whose row is `here`: its unit comes into use or out of it, opens or closes."""
    clock = _u(pools[here + CLOCK]) << POOL_BITS
    due = _u(state[DUES] + pools[here + CLOCK] - state[POOLS])
    if pools[clock + CLOCK_DOWN] != 0:
        return
    runs = pools[here + USED] > 0 and (pools[here + SCHEDULED] > 0 or pools[here + PAUSES] == 0)
    if runs and pools[due] == _FOREVER:
        pools[due] = state[NOW] + pools[clock + CLOCK_LEFT]
        state[NEXT_CHANGE] = min(state[NEXT_CHANGE], pools[due])
    elif not runs and pools[due] != _FOREVER:
        pools[clock + CLOCK_LEFT] = pools[due] - state[NOW]
        pools[due] = _FOREVER


@kernel
def _begin_cycle(state: Ints, laws: Ints, numbers: Floats, streams: Words, pools: Ints, number: int) -> None:
    """Draw the time until the next breakdown, at least 1 ms."""
    clock = _u(state[POOLS] + number) << POOL_BITS
    stream = streams[_u(state[BY_PROGRAM] + pools[clock + UP_STREAM])]
    time = _draw(laws, numbers, pools[clock + UP_LAW], 0, streams[_u(0)], stream, pools[clock + CYCLE], 0, 0)
    pools[clock + CLOCK_DOWN] = 0
    if pools[clock + CLOCK_BUSY] != 0:
        pools[clock + CLOCK_LEFT] = max(1, time)
        pools[_u(state[DUES] + number)] = _FOREVER
        _turn(state, pools, _u(pools[clock + CLOCK_POOL]) << POOL_BITS)
    else:
        pools[_u(state[DUES] + number)] = state[NOW] + max(1, time)


@kernel
def start_clocks(state: Ints, laws: Ints, numbers: Floats, streams: Words, pools: Ints) -> None:
    """Set the clocks of all breakdowns going, before a run."""
    for number in range(state[CLOCKS]):
        _begin_cycle(state, laws, numbers, streams, pools, number)


@kernel
def _set_capacity(state: Ints, pools: Ints, pool: int, scheduled: int, down: int) -> None:
    """Have so many units of a pool on duty, and so many broken down, from now on."""
    here = _u(pool) << POOL_BITS
    left = state[LEFT]
    before = pools[here + SCHEDULED]
    if before < _UNLIMITED:
        pools[here + OPEN] -= before * left
        pools[here + BROKEN] -= (before - pools[here + CAPACITY]) * left
    capacity = max(0, scheduled - down)
    if scheduled < _UNLIMITED:
        pools[here + OPEN] += scheduled * left
        pools[here + BROKEN] += (scheduled - capacity) * left
    pools[here + SCHEDULED] = scheduled
    pools[here + DOWN] = down
    pools[here + CAPACITY] = capacity
    pools[here + TOUCHED] = _TO_CUT | _TO_SERVE
    state[TOUCHED_FIRST] = min(state[TOUCHED_FIRST], pool)
    state[TOUCHED_LAST] = max(state[TOUCHED_LAST], pool)


@kernel
def _break_and_mend(state: Ints, laws: Ints, numbers: Floats, streams: Words, pools: Ints) -> None:
    """Let all that is due now break down or be repaired; no clock breaks down twice in an instant."""
    now = state[NOW]
    for number in range(state[CLOCKS]):
        due = _u(state[DUES] + number)
        while pools[due] <= now:
            clock = _u(state[POOLS] + number) << POOL_BITS
            pool = pools[clock + CLOCK_POOL]
            here = _u(pool) << POOL_BITS
            units = pools[clock + CLOCK_UNITS]
            if pools[clock + CLOCK_DOWN] == 0:
                pools[clock + CLOCK_DOWN] = 1
                _set_capacity(state, pools, pool, pools[here + SCHEDULED], pools[here + DOWN] + units)
                stream = streams[_u(state[BY_PROGRAM] + pools[clock + REPAIR_STREAM])]
                law, cycle = pools[clock + REPAIR_LAW], pools[clock + CYCLE]
                pools[due] = now + _draw(laws, numbers, law, 0, streams[_u(0)], stream, cycle, 0, 0)
            else:
                _set_capacity(state, pools, pool, pools[here + SCHEDULED], pools[here + DOWN] - units)
                pools[clock + CYCLE] += 1
                _begin_cycle(state, laws, numbers, streams, pools, number)


# --- lines
# --------------------------------------------------------------------------------------------------------------------


@inlined
def _ready(state: Ints, tokens: Ints, slot: int) -> None:
    """Let a token go on when those made ready before it have had their turn."""
    width = _u(state[WIDTH])
    token = _u(slot) * width
    tokens[token + READY_NEXT] = 0
    tokens[token + STATE] = GOING
    last = state[READY_LAST]
    if last == 0:
        state[READY_FIRST] = slot
    else:
        tokens[_u(last) * width + READY_NEXT] = slot
    state[READY_LAST] = slot


@inlined
def _append(state: Ints, lines: Ints, tokens: Ints, pools: Ints, pool: int, level: int, node: int) -> None:
    """Let a request join the line of a pool behind those of its level; a node is a token's place in one line."""
    width, bits = _u(state[WIDTH]), _u(state[NODE_BITS])
    place = _u(2 * (pool * state[LEVELS] + level))
    mask = (1 << state[NODE_BITS]) - 1
    mine = (_u(node) >> bits) * width + _u(state[AT_NODES]) + _u(2 * (node & mask))
    last = lines[place + _ONE]
    tokens[mine] = 0
    tokens[mine + _ONE] = last
    if last == 0:
        lines[place] = node
    else:
        tokens[(_u(last) >> bits) * width + _u(state[AT_NODES]) + _u(2 * (last & mask))] = node
    lines[place + _ONE] = node
    row = _u(pool) << POOL_BITS
    pools[row + WAITING] += 1
    pools[row + QUEUE] += state[LEFT]


@kernel
def _prepend(state: Ints, lines: Ints, tokens: Ints, pools: Ints, pool: int, level: int, node: int) -> None:
    """Let a request join the line of a pool ahead of those of its level."""
    width, bits = _u(state[WIDTH]), _u(state[NODE_BITS])
    place = _u(2 * (pool * state[LEVELS] + level))
    mask = (1 << state[NODE_BITS]) - 1
    mine = (_u(node) >> bits) * width + _u(state[AT_NODES]) + _u(2 * (node & mask))
    first = lines[place]
    tokens[mine] = first
    tokens[mine + _ONE] = 0
    if first == 0:
        lines[place + _ONE] = node
    else:
        tokens[(_u(first) >> bits) * width + _u(state[AT_NODES]) + _u(2 * (first & mask)) + _ONE] = node
    lines[place] = node
    row = _u(pool) << POOL_BITS
    pools[row + WAITING] += 1
    pools[row + QUEUE] += state[LEFT]


@inlined
def _remove(state: Ints, lines: Ints, tokens: Ints, pools: Ints, pool: int, level: int, node: int) -> None:
    """Let a request leave the line of a pool."""
    width, bits = _u(state[WIDTH]), _u(state[NODE_BITS])
    place = _u(2 * (pool * state[LEVELS] + level))
    mask = (1 << state[NODE_BITS]) - 1
    mine = (_u(node) >> bits) * width + _u(state[AT_NODES]) + _u(2 * (node & mask))
    following, before = tokens[mine], tokens[mine + _ONE]
    if before == 0:
        lines[place] = following
    else:
        tokens[(_u(before) >> bits) * width + _u(state[AT_NODES]) + _u(2 * (before & mask))] = following
    if following == 0:
        lines[place + _ONE] = before
    else:
        tokens[(_u(following) >> bits) * width + _u(state[AT_NODES]) + _u(2 * (following & mask)) + _ONE] = before
    row = _u(pool) << POOL_BITS
    pools[row + WAITING] -= 1
    pools[row + QUEUE] -= state[LEFT]


@kernel
def _need_of(state: Ints, program: Ints, tokens: Ints, node: int) -> int:
    """Return the row, in `world`, of the need for which a node stands in line."""
    bits = state[NODE_BITS]
    token = (_u(node) >> _u(bits)) * _u(state[WIDTH])
    row = _u(tokens[token + LINE_ROW]) << ROW_BITS
    return state[IN_NEEDS] + 2 * (program[row + A] + (node & ((1 << bits) - 1)))


@kernel
def _in_time(state: Ints, program: Ints, world: Ints, tokens: Ints, pools: Ints, slot: int) -> bool:
    """Return whether work that starts now ends before any of its units goes off duty, where that is asked."""
    token = _u(slot) * _u(state[WIDTH])
    row = _u(tokens[token + LINE_ROW]) << ROW_BITS
    if program[row + TIMED] == 0:
        return True
    now = state[NOW]
    for each in range(program[row + B]):
        pool = _u(world[_u(state[IN_NEEDS] + 2 * (program[row + A] + each))]) << POOL_BITS
        closing = pools[pool + CLOSING]
        while closing < pools[pool + CLOSINGS_END] and world[_u(state[IN_CLOSINGS] + closing)] <= now:
            closing += 1
        pools[pool + CLOSING] = closing
        if (
            closing < pools[pool + CLOSINGS_END]
            and now + tokens[token + LASTS] > world[_u(state[IN_CLOSINGS] + closing)]
        ):
            return False
    return True


@kernel
def _grantable(
    state: Ints, program: Ints, world: Ints, tokens: Ints, pools: Ints, lines: Ints, slot: int, known: int
) -> bool:
    """
    Return whether a request in line fits the free units and nobody ahead is short of one of its resources; `known` is a
    pool of which that is known (-1: none).
    """
    bits = state[NODE_BITS]
    width = _u(state[WIDTH])
    token = _u(slot) * width
    row = _u(tokens[token + LINE_ROW]) << ROW_BITS
    for each in range(program[row + B]):
        need = _u(state[IN_NEEDS] + 2 * (program[row + A] + each))
        pool = world[need]
        if pool == known:
            continue
        here = _u(pool) << POOL_BITS
        free = pools[here + CAPACITY] - pools[here + USED]
        if world[need + _ONE] > free:
            return False
        if pools[here + EVEN] != 0:
            continue
        mine = (slot << bits) + each
        found = False
        for level in range(tokens[token + LEVEL] + 1):
            node = lines[_u(2 * (pool * state[LEVELS] + level))]
            while node != 0:
                if node == mine:
                    found = True
                    break
                if world[_u(_need_of(state, program, tokens, node)) + _ONE] > free:
                    return False
                node = tokens[(_u(node) >> _u(bits)) * width + _u(state[AT_NODES]) + _u(2 * (node & ((1 << bits) - 1)))]
            if found:
                break
    return True


@kernel
def _take(state: Ints, program: Ints, world: Ints, pools: Ints, row: np.uint64) -> None:
    for each in range(program[row + B]):
        need = _u(state[IN_NEEDS] + 2 * (program[row + A] + each))
        here = _u(world[need]) << POOL_BITS
        pools[here + USED] += world[need + _ONE]
        pools[here + BUSY] += world[need + _ONE] * state[LEFT]
        if pools[here + CLOCK] != 0:
            _turn(state, pools, here)


@kernel
def _leave_lines(state: Ints, program: Ints, world: Ints, tokens: Ints, pools: Ints, lines: Ints, slot: int) -> None:
    token = _u(slot) * _u(state[WIDTH])
    row = _u(tokens[token + LINE_ROW]) << ROW_BITS
    for each in range(program[row + B]):
        pool = world[_u(state[IN_NEEDS] + 2 * (program[row + A] + each))]
        _remove(state, lines, tokens, pools, pool, tokens[token + LEVEL], (slot << state[NODE_BITS]) + each)


@kernel
def _enter(state: Ints, program: Ints, world: Ints, tokens: Ints, pools: Ints, lines: Ints, slot: int) -> bool:
    """Let a newcomer join its lines; return True, with the units taken, when it need not wait."""
    token = _u(slot) * _u(state[WIDTH])
    row = _u(tokens[token + LINE_ROW]) << ROW_BITS
    in_time = _in_time(state, program, world, tokens, pools, slot)
    if in_time:
        at_once = True
        for each in range(program[row + B]):
            need = _u(state[IN_NEEDS] + 2 * (program[row + A] + each))
            here = _u(world[need]) << POOL_BITS
            if pools[here + WAITING] != 0 or world[need + _ONE] > pools[here + CAPACITY] - pools[here + USED]:
                at_once = False
                break
        if at_once:
            _take(state, program, world, pools, row)
            return True
    for each in range(program[row + B]):
        pool = world[_u(state[IN_NEEDS] + 2 * (program[row + A] + each))]
        _append(state, lines, tokens, pools, pool, tokens[token + LEVEL], (slot << state[NODE_BITS]) + each)
    if in_time and _grantable(state, program, world, tokens, pools, lines, slot, -1):
        _leave_lines(state, program, world, tokens, pools, lines, slot)
        _take(state, program, world, pools, row)
        return True
    if state[BEGIN] <= state[NOW] < state[END]:
        for each in range(program[row + B]):
            here = _u(world[_u(state[IN_NEEDS] + 2 * (program[row + A] + each))]) << POOL_BITS
            pools[here + PEAK] = max(pools[here + PEAK], pools[here + WAITING])
    return False


@inlined
def _granted(state: Ints, program: Ints, tokens: Ints, slot: int) -> None:
    """Give a waiter its units now; it moves when its turn comes."""
    token = _u(slot) * _u(state[WIDTH])
    place = token + _u(TOKEN_FIELDS) + _u(program[(_u(tokens[token + LINE_ROW]) << ROW_BITS) + D]) * _THREE
    tokens[place + VISIT_STARTED] = state[NOW]
    if tokens[token + DEADLINE] >= 0:
        tokens[token + DEADLINE] = -1
        state[STALE] += 1
    _ready(state, tokens, slot)


@kernel
def _serve(state: Ints, program: Ints, world: Ints, tokens: Ints, pools: Ints, lines: Ints, pool: int) -> None:
    """Grant, in order, every waiting request that the rule allows now."""
    bits = state[NODE_BITS]
    width = _u(state[WIDTH])
    here = _u(pool) << POOL_BITS
    passed_over = 0
    for level in range(state[LEVELS]):
        node = lines[_u(2 * (pool * state[LEVELS] + level))]
        while node != 0:
            slot = node >> bits
            token = _u(slot) * width
            need = _u(_need_of(state, program, tokens, node))
            units = world[need + _ONE]
            # Whoever is short of this resource blocks all behind; also someone passed over, whom a later grant has
            # made short.
            if max(units, passed_over) > pools[here + CAPACITY] - pools[here + USED]:
                return
            following = tokens[token + _u(state[AT_NODES]) + _u(2 * (node & ((1 << bits) - 1)))]
            row = _u(tokens[token + LINE_ROW]) << ROW_BITS
            if (
                program[row + B] == 1 or _grantable(state, program, world, tokens, pools, lines, slot, pool)
            ) and _in_time(state, program, world, tokens, pools, slot):
                _leave_lines(state, program, world, tokens, pools, lines, slot)
                _take(state, program, world, pools, row)
                if program[row + INTERRUPTS] != 0:
                    _has_unit(state, tokens, slot)
                if tokens[token + STATE] == INTERRUPTED:
                    _will_resume(state, tokens, slot)
                else:
                    _granted(state, program, tokens, slot)
            else:
                passed_over = max(passed_over, units)
            node = following


@inlined
def _pass_on(state: Ints, program: Ints, tokens: Ints, pools: Ints, lines: Ints, pool: int) -> None:
    """Give a unit that comes free to the first in line, at a pool of which all ask one unit alone."""
    place = _u(2 * pool * state[LEVELS])
    level = 0
    while lines[place] == 0:
        place += _TWO
        level += 1
    node = lines[place]
    _remove(state, lines, tokens, pools, pool, level, node)
    _granted(state, program, tokens, node >> state[NODE_BITS])


@kernel
def _shortest(state: Ints, world: Ints, pools: Ints, first: int, count: int) -> int:
    """Return which of some pools is the first of those with the fewest tokens in line and units in use."""
    found, least = 0, _FOREVER
    for each in range(count):
        here = _u(world[_u(state[IN_NEEDS] + 2 * (first + each))]) << POOL_BITS
        there = pools[here + WAITING] + pools[here + USED]
        if there < least:
            found, least = each, there
    return found


# --- calendars
# --------------------------------------------------------------------------------------------------------------------


@kernel
def _span_at(state: Ints, world: Ints, calendars: Ints, calendar: int) -> int:
    """Return the last span of a calendar that has opened by now (-1: none); the clock only goes on, so it looks on."""
    row = _u(state[IN_CALENDARS] + 2 * calendar)
    first, count = world[row], world[row + _ONE]
    position = calendars[_u(calendar)]
    now = state[NOW]
    while position + 1 < count and world[_u(state[IN_SPANS] + 3 * (first + position + 1))] <= now:
        position += 1
    calendars[_u(calendar)] = position
    return position


@kernel
def _open_end(state: Ints, world: Ints, calendars: Ints, calendar: int, duration: int) -> int:
    """Return when `duration` of open time has passed; exactly at closing still counts, 0 ends at once."""
    now = state[NOW]
    if duration == 0:
        return now
    row = _u(state[IN_CALENDARS] + 2 * calendar)
    first, count = world[row], world[row + _ONE]
    if count == 0:
        return state[HORIZON]
    position = _span_at(state, world, calendars, calendar)
    due = duration
    if position >= 0:
        span = _u(state[IN_SPANS] + 3 * (first + position))
        due += world[span + _TWO] + min(now, world[span + _ONE]) - world[span]
    position = max(position, 0)
    while position + 1 < count and world[_u(state[IN_SPANS] + 3 * (first + position + 1) + 2)] < due:
        position += 1
    span = _u(state[IN_SPANS] + 3 * (first + position))
    rest = due - world[span + _TWO]
    return world[span] + rest if rest <= world[span + _ONE] - world[span] else state[HORIZON]


@kernel
def _next_opening(state: Ints, world: Ints, calendars: Ints, calendar: int) -> int:
    """Return when a calendar opens next, now included; -1: not again in this run."""
    position = _span_at(state, world, calendars, calendar)
    row = _u(state[IN_CALENDARS] + 2 * calendar)
    first, count = world[row], world[row + _ONE]
    if position >= 0 and world[_u(state[IN_SPANS] + 3 * (first + position))] == state[NOW]:
        return state[NOW]
    if position + 1 < count:
        return world[_u(state[IN_SPANS] + 3 * (first + position + 1))]
    return -1


@kernel
def _until(state: Ints, world: Ints, calendars: Ints, calendar: int, closing: int) -> int:
    """Return when a calendar is open (or shut) next, now included; -1: not again in this run."""
    now = state[NOW]
    position = _span_at(state, world, calendars, calendar)
    closes = -1
    if position >= 0:
        first = world[_u(state[IN_CALENDARS] + 2 * calendar)]
        closes = world[_u(state[IN_SPANS] + 3 * (first + position)) + _ONE]
    if closing != 0:
        return max(now, closes)
    return now if now < closes else _next_opening(state, world, calendars, calendar)


# --- work that is interrupted (the rules stand in `interrupting`)
# --------------------------------------------------------------------------------------------------------------------


@kernel
def _passed(state: Ints, world: Ints, calendars: Ints, calendar: int) -> int:
    """Return how much time has passed by now, or how much open time of a calendar."""
    if calendar < 0:
        return state[NOW]
    position = _span_at(state, world, calendars, calendar)
    if position < 0:
        return 0
    span = _u(state[IN_SPANS] + 3 * (world[_u(state[IN_CALENDARS] + 2 * calendar)] + position))
    return world[span + _TWO] + min(state[NOW], world[span + _ONE]) - world[span]


@kernel
def _has_unit(state: Ints, tokens: Ints, slot: int) -> None:
    """Note which grant gave a token the unit with which it works."""
    state[GRANTS] += 1
    tokens[_u(slot) * _u(state[WIDTH]) + _u(state[AT_WORK]) + WORK_GRANTED] = state[GRANTS]


@kernel
def _will_resume(state: Ints, tokens: Ints, slot: int) -> None:
    """Let the work of a token that has got a unit go on after that of those before it."""
    width = _u(state[WIDTH])
    tokens[_u(slot) * width + READY_NEXT] = 0
    last = state[RESUME_LAST]
    if last == 0:
        state[RESUME_FIRST] = slot
    else:
        tokens[_u(last) * width + READY_NEXT] = slot
    state[RESUME_LAST] = slot


@kernel
def _go_on(
    state: Ints,
    program: Ints,
    world: Ints,
    tokens: Ints,
    pools: Ints,
    events: Ints,
    calendars: Ints,
    slot: int,
    pool: int,
) -> None:
    """Key the end of a hold that can be interrupted; one that is still in the event list is good again."""
    width = _u(state[WIDTH])
    token = _u(slot) * width
    work = token + _u(state[AT_WORK])
    calendar = program[(_u(tokens[token + PC] - 1) << ROW_BITS) + C]
    left = tokens[work + WORK_LEFT]
    due = state[NOW] + left if calendar < 0 else _open_end(state, world, calendars, calendar, left)
    tokens[token + STATE] = WORKING
    tokens[work + WORK_SINCE] = _passed(state, world, calendars, calendar)
    tokens[work + WORK_END] = due
    first = pools[(_u(pool) << POOL_BITS) + WORKERS]
    tokens[work + WORK_NEXT] = first
    tokens[work + WORK_BEFORE] = 0
    if first != 0:
        tokens[_u(first) * width + _u(state[AT_WORK]) + WORK_BEFORE] = slot
    pools[(_u(pool) << POOL_BITS) + WORKERS] = slot
    if due == tokens[work + WORK_KEYED]:
        state[STALE] -= 1
    elif due < state[HORIZON]:
        tokens[work + WORK_KEYED] = due
        key = (due << RANK_BITS) | DELAY_END_RANK
        size = _push(events, state[EVENTS], state[HOLE], key, (tokens[token + NUMBER] << SLOT_BITS) | slot)
        if state[STALE] > MOST_STALE and 2 * state[STALE] > size:
            size = _sweep(state, events, tokens, size)
        state[EVENTS], state[HOLE] = size, 0


@kernel
def _works_no_more(state: Ints, tokens: Ints, pools: Ints, slot: int, pool: int) -> None:
    """Take a token out of those whose work with a unit of a pool can be interrupted."""
    width = _u(state[WIDTH])
    here = _u(state[AT_WORK])
    work = _u(slot) * width + here
    following, before = tokens[work + WORK_NEXT], tokens[work + WORK_BEFORE]
    if before == 0:
        pools[(_u(pool) << POOL_BITS) + WORKERS] = following
    else:
        tokens[_u(before) * width + here + WORK_NEXT] = following
    if following != 0:
        tokens[_u(following) * width + here + WORK_BEFORE] = before


@kernel
def _work_ends(state: Ints, program: Ints, tokens: Ints, pools: Ints, slot: int) -> bool:
    """Return whether the work of a token ends now, else the event is that of an end before it was interrupted."""
    token = _u(slot) * _u(state[WIDTH])
    if tokens[token + STATE] == INTERRUPTED or tokens[token + _u(state[AT_WORK]) + WORK_END] != state[NOW]:
        state[STALE] -= 1
        return False
    _works_no_more(state, tokens, pools, slot, program[(_u(tokens[token + LINE_ROW]) << ROW_BITS) + POOL])
    tokens[token + STATE] = GOING
    return True


@kernel
def _victim(state: Ints, tokens: Ints, pools: Ints, pool: int, level: int) -> int:
    """Return whose unit of a pool somebody of this level may take; 0: nobody's."""
    width = _u(state[WIDTH])
    found, least, latest = 0, level, 0
    slot = pools[(_u(pool) << POOL_BITS) + WORKERS]
    while slot != 0:
        work = _u(slot) * width + _u(state[AT_WORK])
        importance, granted = tokens[work + WORK_LEVEL], tokens[work + WORK_GRANTED]
        less = importance > least or (importance == least and granted > latest)
        if tokens[work + WORK_END] > state[NOW] and importance > level and less:
            found, least, latest = slot, importance, granted
        slot = tokens[work + WORK_NEXT]
    return found


@kernel
def _interrupt(
    state: Ints,
    program: Ints,
    world: Ints,
    tokens: Ints,
    pools: Ints,
    lines: Ints,
    at: Ints,
    calendars: Ints,
    slot: int,
    pool: int,
) -> None:
    """Interrupt the work of a token: its unit is free, and it stands at the head of its level."""
    token = _u(slot) * _u(state[WIDTH])
    work = token + _u(state[AT_WORK])
    here = _u(pool) << POOL_BITS
    row = _u(tokens[token + PC] - 1) << ROW_BITS
    _works_no_more(state, tokens, pools, slot, pool)
    tokens[work + WORK_LEFT] -= _passed(state, world, calendars, program[row + C]) - tokens[work + WORK_SINCE]
    tokens[work + WORK_STOPPED] = state[NOW]
    tokens[token + STATE] = INTERRUPTED
    if tokens[work + WORK_END] < state[HORIZON]:
        state[STALE] += 1
    # When it goes on there is one more row and one more event.
    state[EVENTS_LIMIT] -= 1
    state[VISITS_LIMIT] -= 1
    pools[here + USED] -= 1
    pools[here + BUSY] -= state[LEFT]
    if pools[here + CLOCK] != 0:
        _turn(state, pools, here)
    _prepend(state, lines, tokens, pools, pool, tokens[work + WORK_LEVEL], slot << state[NODE_BITS])
    if state[BEGIN] <= state[NOW] < state[END]:
        pools[here + PEAK] = max(pools[here + PEAK], pools[here + WAITING])
    at[_u(program[row + D])] += state[LEFT]


@kernel
def _resume(
    state: Ints,
    program: Ints,
    world: Ints,
    tokens: Ints,
    pools: Ints,
    events: Ints,
    at: Ints,
    calendars: Ints,
    visits: Ints,
    slot: int,
    pool: int,
) -> None:
    """Let interrupted work go on with the unit that its token has got."""
    token = _u(slot) * _u(state[WIDTH])
    now = state[NOW]
    step = program[(_u(tokens[token + PC] - 1) << ROW_BITS) + D]
    line = _u(state[VISITS]) << _TWO
    visits[line] = (step << NUMBER_BITS) | tokens[token + NUMBER]
    visits[line + _ONE] = tokens[token + _u(state[AT_WORK]) + WORK_STOPPED]
    visits[line + _TWO] = now
    visits[line + _THREE] = now
    state[VISITS] += 1
    state[EVENTS_LIMIT] += 1
    state[VISITS_LIMIT] += 1
    at[_u(step)] -= state[LEFT]
    _go_on(state, program, world, tokens, pools, events, calendars, slot, pool)


@kernel
def _first_in_line(state: Ints, lines: Ints, pool: int) -> int:
    """Return the slot of who is first in the line of a pool in which somebody waits."""
    place = _u(2 * pool * state[LEVELS])
    while lines[place] == 0:
        place += _TWO
    return lines[place] >> state[NODE_BITS]


@kernel
def _overtakes(
    state: Ints,
    program: Ints,
    world: Ints,
    tokens: Ints,
    pools: Ints,
    lines: Ints,
    at: Ints,
    calendars: Ints,
    slot: int,
    pool: int,
) -> bool:
    """Let the first in line take the unit of a victim; return whether there is one."""
    here = _u(pool) << POOL_BITS
    if pools[here + USED] > pools[here + CAPACITY]:
        return False
    token = _u(slot) * _u(state[WIDTH])
    found = _victim(state, tokens, pools, pool, tokens[token + LEVEL])
    if found == 0:
        return False
    _leave_lines(state, program, world, tokens, pools, lines, slot)
    _interrupt(state, program, world, tokens, pools, lines, at, calendars, found, pool)
    _take(state, program, world, pools, _u(tokens[token + LINE_ROW]) << ROW_BITS)
    return True


@kernel
def _takes_over(
    state: Ints,
    program: Ints,
    world: Ints,
    tokens: Ints,
    pools: Ints,
    lines: Ints,
    at: Ints,
    calendars: Ints,
    slot: int,
) -> bool:
    """Let a newcomer that has joined the line of a pool take the unit of a victim; return whether it did."""
    pool = program[(_u(tokens[_u(slot) * _u(state[WIDTH]) + LINE_ROW]) << ROW_BITS) + POOL]
    if pools[(_u(pool) << POOL_BITS) + PREEMPTS] == 0 or _first_in_line(state, lines, pool) != slot:
        return False
    return _overtakes(state, program, world, tokens, pools, lines, at, calendars, slot, pool)


@kernel
def _carry_on(
    state: Ints,
    program: Ints,
    world: Ints,
    tokens: Ints,
    pools: Ints,
    lines: Ints,
    events: Ints,
    at: Ints,
    calendars: Ints,
    visits: Ints,
    pool: int,
) -> None:
    """Let interrupted work go on that has got a unit of a pool, then those who wait take the units of victims."""
    width = _u(state[WIDTH])
    slot = state[RESUME_FIRST]
    while slot != 0:
        following = tokens[_u(slot) * width + READY_NEXT]
        _resume(state, program, world, tokens, pools, events, at, calendars, visits, slot, pool)
        slot = following
    state[RESUME_FIRST] = state[RESUME_LAST] = 0
    here = _u(pool) << POOL_BITS
    while pools[here + PREEMPTS] != 0 and pools[here + WAITING] > 0:
        slot = _first_in_line(state, lines, pool)
        if not _overtakes(state, program, world, tokens, pools, lines, at, calendars, slot, pool):
            break
        _has_unit(state, tokens, slot)
        if tokens[_u(slot) * width + STATE] == INTERRUPTED:
            _resume(state, program, world, tokens, pools, events, at, calendars, visits, slot, pool)
        else:
            _granted(state, program, tokens, slot)


# --- arrivals
# --------------------------------------------------------------------------------------------------------------------


@inlined
def _above(reals: Floats, first: int, count: int, value: float) -> int:
    """Return how many of `count` rising numbers are not above `value`."""
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if value < reals[_u(first + middle)]:
            high = middle
        else:
            low = middle + 1
    return low


@inlined
def _next_arrival(
    state: Ints,
    world: Ints,
    laws: Ints,
    numbers: Floats,
    reals: Floats,
    streams: Words,
    sources: Ints,
    expected: Floats,
    source: int,
) -> int:
    """Return when the next token of a source comes (time << 3 | rank); 0: no more, below 0: a fault."""
    row = _u(source) << SOURCE_BITS
    key = streams[_u(0)]
    by = _u(state[BY_SOURCE] + 4 * source)
    horizon = state[HORIZON]
    time = sources[row + ARRIVES_AT]
    while sources[row + IN_HAND] == 0:
        number = sources[row + ARRIVAL]
        if sources[row + LISTED] != 0:
            if number >= sources[row + ROWS]:
                return 0
            time = world[_u(state[IN_TIMES] + 2 * (sources[row + FIRST] + number))]
            if time >= horizon:
                return 0
        else:
            if sources[row + ROWS] == 0:
                return 0
            total = expected[_u(source)] - log(uniform(key, streams[by], number, 0, 0))
            expected[_u(source)] = total
            at = sources[row + AT_ROW]
            table = state[OF_RATES] + 3 * sources[row + FIRST]
            while at + 1 < sources[row + ROWS] and reals[_u(table + 3 * (at + 1) + 2)] <= total:
                at += 1
            sources[row + AT_ROW] = at
            here = _u(table + 3 * at)
            if reals[here + _ONE] == 0.0:
                return 0
            when = reals[here] + (total - reals[here + _TWO]) / reals[here + _ONE]
            if not when < horizon - 0.5:
                return 0
            time = int(when + 0.5)
        sources[row + ARRIVAL] = number + 1
        size = 1
        law = sources[row + BATCH_LAW]
        if law >= 0:
            first, count = laws[law, 1], laws[law, 2]
            part = first
            if count > 2:  # noqa: PLR2004  more than one size
                drawn = uniform(key, streams[by + _THREE], number, 0, 0)
                while drawn >= numbers[_u(part + 1)] and part + 2 < first + count:
                    part += 2
            size = int(numbers[_u(part)])
        sources[row + IN_HAND] = size
        sources[row + ARRIVES_AT] = time
        sources[row + TOKENS_TOLD] += size
        if sources[row + TOKENS_TOLD] > LARGEST_ORDINAL + 1:
            state[FAULT] = source
            return -TOO_MANY
    sources[row + IN_HAND] -= 1
    sources[row + ORDINAL] += 1
    return (time << RANK_BITS) | ARRIVAL_RANK


@kernel
def _adopted(
    state: Ints,
    world: Ints,
    reals: Floats,
    streams: Words,
    sources: Ints,
    tokens: Ints,
    token: np.uint64,
    source: int,
) -> int:
    """Return the adoption flags of a token that arrives now; it adopts what all its firms do."""
    row = _u(source) << SOURCE_BITS
    firms = token + _u(state[AT_FIRMS])
    members = tokens[firms]
    firms += _ONE
    flags = 0
    if members > 0:
        flags = world[_u(state[IN_FIRM_FLAGS] + tokens[firms])]
        for party in range(1, members):
            flags &= world[_u(state[IN_FIRM_FLAGS] + tokens[firms + _u(party)])]
    now = state[NOW]
    for each in range(sources[row + SPECIALS]):
        entry = _u(state[IN_SPECIAL] + 3 * (sources[row + SPECIAL] + each))
        some, every = False, True
        for which in range(world[entry + _TWO]):
            holding = _u(state[IN_DELAYING] + 5 * (world[entry + _ONE] + which))
            adoption = world[holding]
            if not world[holding + _THREE] <= now < world[holding + _FOUR]:
                continue
            some = True
            if world[holding + _ONE] == _BY_TOKEN:
                stream = streams[_u(state[BY_ADOPTION] + adoption)]
                every &= (
                    uniform(streams[_u(0)], stream, tokens[token + LUCK], 0, 0)
                    < reals[_u(state[OF_ADOPTION] + adoption)]
                )
            else:
                party = world[holding + _TWO]
                first, last = (0, members) if party < 0 else (party, min(party + 1, members))
                if first >= last:
                    every = False
                for place in range(first, last):
                    firm = tokens[firms + _u(place)]
                    every &= world[_u(state[IN_ADOPTERS] + adoption * state[FIRMS] + firm)] != 0
        if some and every:
            flags |= 1 << world[entry]
    return flags


@inlined
def _describe(
    state: Ints,
    program: Ints,
    world: Ints,
    reals: Floats,
    streams: Words,
    sources: Ints,
    tokens: Ints,
    token: np.uint64,
    source: int,
) -> None:
    """Give a consignment that arrives its firms, class and adoption flags."""
    row = _u(source) << SOURCE_BITS
    by = _u(state[BY_SOURCE] + 4 * source)
    luck = tokens[token + LUCK]
    fixed = sources[row + FIXED]
    if fixed == _LISTED_CLASS:
        fixed = world[_u(state[IN_TIMES] + 2 * (sources[row + FIRST] + sources[row + ARRIVAL] - 1) + 1)]
    klass = max(fixed, 0)
    mix = sources[row + MIX]
    firms = token + _u(state[AT_FIRMS])
    tokens[firms] = 0
    if sources[row + GROUPED] >= 0:
        tokens[firms] = sources[row + MEMBERS]
        for party in range(sources[row + MEMBERS]):
            drawn = uniform(streams[_u(0)], streams[by + _ONE], luck, 0, party)
            firm = min(_above(reals, state[OF_VOLUME], state[FIRMS], drawn), state[FIRMS] - 1)
            tokens[firms + _u(party + 1)] = firm
        if fixed == -1 and mix == -1:
            klass = world[_u(state[IN_FIRM_CLASS] + tokens[firms + _ONE])]
    if mix >= 0:
        last = state[CLASSES] - 1
        place = program[(_u(sources[row + FIRST_ROW]) << ROW_BITS) + AHEAD_CLASS]
        drawn = unit(tokens[token + _u(state[AT_AHEAD] + place)])
        shares = state[OF_MIXES] + mix * (last + 1)
        klass = 0
        for part in range(last):
            klass += drawn >= reals[_u(shares + part)]
    tokens[token + CLASS] = klass
    tokens[token + FLAGS] = 0
    if tokens[firms] + sources[row + SPECIALS] > 0:
        tokens[token + FLAGS] = _adopted(state, world, reals, streams, sources, tokens, token, source)


# --- tokens
# --------------------------------------------------------------------------------------------------------------------


@inlined
def _new_token(state: Ints, tokens: Ints) -> int:
    """Return a free slot; the caller has seen that there is one."""
    state[FREE_COUNT] -= 1
    slot = state[FREE]
    if slot != 0:
        state[FREE] = tokens[_u(slot) * _u(state[WIDTH]) + READY_NEXT]
        return slot
    slot = state[FRESH]
    state[FRESH] = slot + 1
    return slot


@inlined
def _clear(tokens: Ints, token: np.uint64) -> None:
    """
    Make a token one that has done nothing yet. A token that leaves has empty hands, waits for nothing and nobody, and
    a slot that was never used is made so; the rest is done here.
    """
    tokens[token + PASSES] = 0
    tokens[token + STATE] = GOING
    tokens[token + STATUS] = -1
    tokens[token + PARENT] = 0
    tokens[token + TURN_TIME] = -1


@inlined
def _come(
    state: Ints, program: Ints, sources: Ints, tokens: Ints, at: Ints, log_: Ints, slot: int, source: int
) -> None:
    """Let the next token of a source arrive; class, flags and firms are known."""
    row = _u(source) << SOURCE_BITS
    token = _u(slot) * _u(state[WIDTH])
    now = state[NOW]
    count = sources[row + ARRIVED_COUNT]
    sources[row + ARRIVED_COUNT] = count + 1
    sources[row + BEFORE_BEGIN] += now < state[BEGIN]
    sources[row + BEFORE_END] += now < state[END]
    log_[_u(state[LOG])] = (source << 16) | tokens[token + CLASS]
    state[LOG] += 1
    first = sources[row + FIRST_ROW]
    tokens[token + NUMBER] = (source << 32) | (count << CHILD_BITS)
    tokens[token + CHILD] = 0
    tokens[token + PC] = first
    tokens[token + ARRIVED] = now
    tokens[token + KIN_NEXT] = slot
    tokens[token + KIN_BEFORE] = slot
    leave = program[(_u(first) << ROW_BITS) + LEAVES_AT]
    tokens[token + LEAVE_STEP] = leave
    at[_u(leave)] += state[LEFT]


@kernel
def _pass_again(state: Ints, tokens: Ints, token: np.uint64) -> int:
    """Count one more pass of a token that goes back, so that it draws anew; return DONE or a fault."""
    tokens[token + PASSES] += 1
    if tokens[token + TURN_TIME] != state[NOW]:
        tokens[token + TURN_TIME] = state[NOW]
        tokens[token + TURNS] = 0
    tokens[token + TURNS] += 1
    if tokens[token + TURNS] > MOST_TURNS:
        state[FAULT] = tokens[token + LEAVE_STEP]
        return ENDLESS
    return DONE


@inlined
def _draw_ahead(
    state: Ints,
    program: Ints,
    world: Ints,
    numbers: Floats,
    streams: Words,
    scratch: Words,
    tokens: Ints,
    token: np.uint64,
    start: int,
) -> None:
    """
    Make the draws that a token which starts will most often need: how long its holds take, which way it goes.

    None depends on another, so the processor makes several at once; made when they are needed, each would be waited
    for. They come in fours, for as many fit side by side.
    """
    row = _u(start) << ROW_BITS
    first, count = program[row + AHEAD_FIRST], program[row + AHEAD_COUNT]
    passes = tokens[token + PASSES]
    tokens[token + AHEAD_PASSES] = passes
    random_bits(
        scratch, streams, state[BY_AHEAD] + first, (count + 3) & -4, tokens[token + LUCK], tokens[token + CHILD], passes
    )
    place = token + _u(state[AT_AHEAD])
    for each in range(count):
        at = world[_u(state[IN_AHEAD] + first + each)]
        drawn = int(scratch[_u(each)])
        if at >= 0:
            hold = _u(at) << ROW_BITS
            value = quantile(
                numbers, program[hold + KIND], program[hold + NUMBERS], program[hold + NUMBERS_COUNT], unit(drawn)
            )
            drawn = whole(value)
        tokens[place + _u(each)] = drawn


@kernel
def _draw_ahead_away(
    state: Ints,
    program: Ints,
    world: Ints,
    numbers: Floats,
    streams: Words,
    scratch: Words,
    tokens: Ints,
    token: np.uint64,
    start: int,
) -> None:
    _draw_ahead(state, program, world, numbers, streams, scratch, tokens, token, start)


@kernel
def _split(
    state: Ints,
    program: Ints,
    world: Ints,
    numbers: Floats,
    streams: Words,
    scratch: Words,
    tokens: Ints,
    at: Ints,
    slot: int,
    row: np.uint64,
    first: int,
    count: int,
) -> int:
    """Make children, each ready to start; return DONE or a fault."""
    width = _u(state[WIDTH])
    token = _u(slot) * width
    start = program[row + C]
    group = program[row + POOL]
    leave = program[(_u(start) << ROW_BITS) + LEAVES_AT]
    for child in range(first, first + count):
        number = tokens[token + NUMBER] - tokens[token + CHILD] + child
        kin = tokens[token + KIN_NEXT]
        while kin != slot:
            if tokens[_u(kin) * width + NUMBER] == number:
                break
            kin = tokens[_u(kin) * width + KIN_NEXT]
        if tokens[_u(kin) * width + NUMBER] == number:
            state[FAULT] = leave
            return TWICE
        other = _new_token(state, tokens)
        new = _u(other) * width
        _clear(tokens, new)
        tokens[new + NUMBER] = number
        tokens[new + LUCK] = tokens[token + LUCK]
        tokens[new + CHILD] = child
        tokens[new + PC] = start
        tokens[new + ARRIVED] = state[NOW]
        tokens[new + LEAVE_STEP] = leave
        tokens[new + CLASS] = tokens[token + CLASS]
        tokens[new + FLAGS] = tokens[token + FLAGS]
        tokens[new + PASSES] = tokens[token + PASSES]
        tokens[new + STATUS] = tokens[token + STATUS]
        _inherit_firms(state, tokens, token, new)
        _draw_ahead_away(state, program, world, numbers, streams, scratch, tokens, new, start)
        if group >= 0:
            tokens[new + PARENT] = slot
            tokens[new + GROUP] = group
            tokens[token + OFFSPRING] += 1
            tokens[token + _u(state[AT_GROUPS]) + _u(group)] += 1
        following = tokens[token + KIN_NEXT]
        tokens[new + KIN_NEXT] = following
        tokens[new + KIN_BEFORE] = slot
        tokens[_u(following) * width + KIN_BEFORE] = other
        tokens[token + KIN_NEXT] = other
        at[_u(leave)] += state[LEFT]
        _ready(state, tokens, other)
    return DONE


@kernel
def _inherit_firms(state: Ints, tokens: Ints, token: np.uint64, new: np.uint64) -> None:
    firms = _u(state[AT_FIRMS])
    for place in range(tokens[token + firms] + 1):
        tokens[new + firms + _u(place)] = tokens[token + firms + _u(place)]


@kernel
def _disown(state: Ints, tokens: Ints, slot: int) -> None:
    """Let nobody wait any more for the children of a token that leaves."""
    width = _u(state[WIDTH])
    token = _u(slot) * width
    kin = tokens[token + KIN_NEXT]
    while kin != slot:
        if tokens[_u(kin) * width + PARENT] == slot:
            tokens[_u(kin) * width + PARENT] = 0
        kin = tokens[_u(kin) * width + KIN_NEXT]
    tokens[token + OFFSPRING] = 0
    for group in range(state[GROUPS]):
        tokens[token + _u(state[AT_GROUPS]) + _u(group)] = 0


@inlined
def _go_away(state: Ints, tokens: Ints, slot: int) -> None:
    """Free the slot of a token that leaves; a parent that waits for it goes on after the last child."""
    width = _u(state[WIDTH])
    token = _u(slot) * width
    following, before = tokens[token + KIN_NEXT], tokens[token + KIN_BEFORE]
    if following != slot:
        if tokens[token + OFFSPRING] > 0:  # nobody waits for these any more
            _disown(state, tokens, slot)
        tokens[_u(before) * width + KIN_NEXT] = following
        tokens[_u(following) * width + KIN_BEFORE] = before
    tokens[token + LEADS] = 0
    parent = tokens[token + PARENT]
    if parent != 0:
        elder = _u(parent) * width
        group = tokens[token + GROUP]
        tokens[elder + OFFSPRING] -= 1
        tokens[elder + _u(state[AT_GROUPS]) + _u(group)] -= 1
        if tokens[elder + JOINS] == group and tokens[elder + _u(state[AT_GROUPS]) + _u(group)] == 0:
            tokens[elder + JOINS] = -1
            _ready(state, tokens, parent)
    tokens[token + NUMBER] = -1
    tokens[token + READY_NEXT] = state[FREE]
    state[FREE] = slot
    state[FREE_COUNT] += 1


@kernel
def _book(state: Ints, accounts: Ints, account: int, amount: int, slot: int) -> int:
    """Add to an account; return DONE or a fault."""
    row = _u(account) << _TWO
    accounts[row + LEVEL_NOW] += amount
    accounts[row + LEVEL_TIME] += amount * state[LEFT]
    if accounts[row + LEVEL_NOW] < accounts[row + FLOOR]:
        state[FAULT] = account
        state[FAULT_AMOUNT] = amount
        state[FAULT_TOKEN] = slot
        return OVERDRAWN
    return DONE


@kernel
def _keep(state: Ints, program: Ints, world: Ints, tokens: Ints, token: np.uint64, row: np.uint64) -> None:
    """Note, in the visit that units are taken from, which of its needs are no longer its own."""
    place = token + _u(TOKEN_FIELDS) + _u(program[row + C]) * _THREE
    began = tokens[place + VISIT_ROW]
    seized = _u(began & 0xFFFFFFFF) << ROW_BITS
    for each in range(program[row + B]):
        pool = world[_u(state[IN_NEEDS] + 2 * (program[row + A] + each))]
        for which in range(program[seized + B]):
            if world[_u(state[IN_NEEDS] + 2 * (program[seized + A] + which))] == pool:
                began |= 1 << (KEPT_SHIFT + which)
    tokens[place + VISIT_ROW] = began


# --- batches
# --------------------------------------------------------------------------------------------------------------------


@kernel
def _complete(state: Ints, tokens: Ints, batches: Ints, forming: Ints, number: int) -> None:
    """Let the members of a batch go on in the order in which they joined, or its leader alone."""
    width = _u(state[WIDTH])
    batch = _u(number) << BATCH_BITS
    forming[_u(batches[batch + BATCH_PLACE])] = 0
    batches[batch + BATCH_COMPLETE] = 1
    state[PENDING_NEXT] = batches[batch + BATCH_FIRST]
    state[PENDING_LAST] = 1
    if batches[batch + BATCH_LED] != 0:
        slot = batches[batch + BATCH_FIRST]
        leader = _u(slot) * width
        batches[batch + BATCH_LEFT_NEXT] = tokens[leader + LEADS]
        tokens[leader + LEADS] = number
        state[PENDING_LAST] = 0
    slot = batches[batch + BATCH_FIRST]
    while slot != 0:
        tokens[_u(slot) * width + DELAY_STARTED] = state[NOW]
        slot = tokens[_u(slot) * width + BATCH_NEXT]


@kernel
def _scatter(state: Ints, tokens: Ints, batches: Ints, token: np.uint64, which: int) -> int:
    """Return the batch whose other members now go on as well, for their leader has done the work; 0: none."""
    number = tokens[token + LEADS]
    before = 0
    while number != 0 and batches[(_u(number) << BATCH_BITS) + BATCH_NUMBER] != which:
        before = number
        number = batches[(_u(number) << BATCH_BITS) + BATCH_LEFT_NEXT]
    if number == 0:
        return 0
    batch = _u(number) << BATCH_BITS
    if before == 0:
        tokens[token + LEADS] = batches[batch + BATCH_LEFT_NEXT]
    else:
        batches[(_u(before) << BATCH_BITS) + BATCH_LEFT_NEXT] = batches[batch + BATCH_LEFT_NEXT]
    state[PENDING_NEXT] = batches[batch + BATCH_FIRST]
    state[PENDING_LAST] = 1
    return number


@kernel
def _gather(
    state: Ints, program: Ints, world: Ints, tokens: Ints, batches: Ints, forming: Ints, slot: int, row: np.uint64
) -> int:
    """Let a token join the batch that is forming, or begin one; return the batch."""
    width = _u(state[WIDTH])
    token = _u(slot) * width
    place = world[_u(state[IN_FORMING] + program[row + A])]
    if program[row + F] == _BY_FIRM:
        firms = token + _u(state[AT_FIRMS])
        if tokens[firms] > 0:
            place += tokens[firms + _ONE] + 1
    elif program[row + F] == _BY_CLASS:
        place += tokens[token + CLASS]
    number = forming[_u(place)]
    if number == 0:
        number = state[BATCH_FREE]
        if number != 0:
            state[BATCH_FREE] = batches[(_u(number) << BATCH_BITS) + BATCH_LEFT_NEXT]
        else:
            number = state[BATCH_FRESH]
            state[BATCH_FRESH] = number + 1
        forming[_u(place)] = number
        new = _u(number) << BATCH_BITS
        batches[new + BATCH_NUMBER] = program[row + A]
        batches[new + BATCH_PLACE] = place
        batches[new + BATCH_FIRST] = slot
        batches[new + BATCH_COUNT] = 0
        batches[new + BATCH_DUE] = -1
        batches[new + BATCH_COMPLETE] = 0
        batches[new + BATCH_LED] = program[row + E] >= 0
        batches[new + BATCH_LEFT_NEXT] = 0
    else:
        last = batches[(_u(number) << BATCH_BITS) + BATCH_LAST]
        tokens[_u(last) * width + BATCH_NEXT] = slot
    batch = _u(number) << BATCH_BITS
    batches[batch + BATCH_LAST] = slot
    batches[batch + BATCH_COUNT] += 1
    tokens[token + BATCH] = number
    tokens[token + BATCH_NEXT] = 0
    tokens[token + STATE] = GATHERING
    return number


# --- capacity
# --------------------------------------------------------------------------------------------------------------------


@kernel
def _peak_now(state: Ints, pools: Ints) -> None:
    """Let the longest queue count what already waits when the measured window begins."""
    state[PEAKED] = 1
    for pool in range(state[POOLS]):
        here = _u(pool) << POOL_BITS
        pools[here + PEAK] = max(pools[here + PEAK], pools[here + WAITING])


@kernel
def _open_and_close(state: Ints, world: Ints, pools: Ints) -> None:
    """Apply the capacity changes of this instant."""
    change = state[CHANGE]
    while change < state[CHANGES]:
        row = _u(state[IN_CHANGES] + 3 * change)
        if world[row] > state[NOW]:
            break
        pool = world[row + _ONE]
        here = _u(pool) << POOL_BITS
        _set_capacity(state, pools, pool, world[row + _TWO], pools[here + DOWN])
        if pools[here + CLOCK] != 0:
            _turn(state, pools, here)
        change += 1
    state[CHANGE] = change


@kernel
def _look_ahead(state: Ints, world: Ints, pools: Ints) -> None:
    """Find out when a capacity may change next."""
    due = _FOREVER
    if state[CHANGE] < state[CHANGES]:
        due = world[_u(state[IN_CHANGES] + 3 * state[CHANGE])]
    for number in range(state[CLOCKS]):
        due = min(due, pools[_u(state[DUES] + number)])
    state[NEXT_CHANGE] = due


@kernel
def _change(
    state: Ints,
    program: Ints,
    world: Ints,
    laws: Ints,
    numbers: Floats,
    streams: Words,
    tokens: Ints,
    pools: Ints,
    lines: Ints,
    events: Ints,
    at: Ints,
    calendars: Ints,
    visits: Ints,
) -> None:
    """
    Apply all capacity changes, breakdowns and repairs of this instant; then, pool by pool, cut short the work that has
    no unit any more; then, pool by pool, serve the lines. A unit that is due to break down when it comes into use does
    so before the next line is served.
    """
    state[TOUCHED_FIRST], state[TOUCHED_LAST] = state[POOLS], -1
    again = True
    while again:
        again = False
        _open_and_close(state, world, pools)
        _break_and_mend(state, laws, numbers, streams, pools)
        _look_ahead(state, world, pools)
        for pool in range(state[TOUCHED_FIRST], state[TOUCHED_LAST] + 1):
            here = _u(pool) << POOL_BITS
            if pools[here + TOUCHED] & _TO_CUT == 0:
                continue
            pools[here + TOUCHED] = _TO_SERVE
            while pools[here + USED] > pools[here + CAPACITY]:
                found = 0
                if pools[here + PAUSES] != 0 and pools[here + SCHEDULED] > 0:
                    found = _victim(state, tokens, pools, pool, -1)
                if found == 0:
                    break
                _interrupt(state, program, world, tokens, pools, lines, at, calendars, found, pool)
        for pool in range(state[TOUCHED_FIRST], state[TOUCHED_LAST] + 1):
            here = _u(pool) << POOL_BITS
            if pools[here + TOUCHED] == 0:
                continue
            pools[here + TOUCHED] = 0
            if pools[here + WAITING] > 0:
                _serve(state, program, world, tokens, pools, lines, pool)
            if pools[here + PREEMPTS] + pools[here + PAUSES] != 0:
                _carry_on(state, program, world, tokens, pools, lines, events, at, calendars, visits, pool)
            if state[NEXT_CHANGE] <= state[NOW]:
                again = True
                break


# --- the run
# --------------------------------------------------------------------------------------------------------------------


@kernel
def run(
    state: Ints,
    program: Ints,
    world: Ints,
    laws: Ints,
    numbers: Floats,
    reals: Floats,
    streams: Words,
    scratch: Words,
    pools: Ints,
    lines: Ints,
    tokens: Ints,
    events: Ints,
    at: Ints,
    sources: Ints,
    expected: Floats,
    batches: Ints,
    forming: Ints,
    accounts: Ints,
    calendars: Ints,
    visits: Ints,
    marks: Ints,
    log_: Ints,
) -> int:
    """
    Go on with a run until it is done, a block is full, something has to grow, or the budget of events is used up.

    Returns why; everything is in the arrays. A round of the loop takes the next token and lets it do what mostly comes
    in a row: give units back, note a moment, ask a question, take units, let time pass; whatever comes otherwise takes
    another round. What changes all the time is kept in variables between calls.
    """
    key = streams[_u(0)]
    width = _u(state[WIDTH])
    begin, end, horizon = state[BEGIN], state[END], state[HORIZON]
    classes, node_bits = state[CLASSES], state[NODE_BITS]
    in_needs, in_priorities, of_shares = state[IN_NEEDS], state[IN_PRIORITIES], state[OF_SHARES]
    by_program, at_ahead = state[BY_PROGRAM], _u(state[AT_AHEAD])
    visits_limit, marks_limit = state[VISITS_LIMIT], state[MARKS_LIMIT]
    events_limit = state[EVENTS_LIMIT]
    now, left = state[NOW], state[LEFT]
    size, hole = state[EVENTS], state[HOLE]
    visit, mark = state[VISITS], state[MARKS]
    budget, count = state[BUDGET], state[COUNT]
    pending = state[PENDING]
    slot = state[CURRENT]
    token = _u(slot) * width
    pc = tokens[token + PC]
    reason = DONE

    while state[STARTED] < state[SOURCES]:
        source = state[STARTED]
        state[STARTED] += 1
        first = _next_arrival(state, world, laws, numbers, reals, streams, sources, expected, source)
        if first < 0:
            return -first
        if first > 0:
            size = _push(events, size, 0, first, source << (32 + SLOT_BITS))

    while True:
        if pending != 0:
            # --- members of a complete batch part, one row each
            batch = _u(pending) << BATCH_BITS
            member = state[PENDING_NEXT]
            while member != 0 and visit < visits_limit:
                other = _u(member) * width
                step = tokens[other + DELAY_STEP]
                line = _u(visit) << _TWO
                visits[line] = (step << NUMBER_BITS) | tokens[other + NUMBER]
                visits[line + _ONE] = tokens[other + DELAY_QUEUED]
                visits[line + _TWO] = tokens[other + DELAY_STARTED]
                visits[line + _THREE] = now
                visit += 1
                at[_u(step)] -= left
                tokens[other + DELAY_STEP] = -1
                tokens[other + BATCH] = 0
                following = tokens[other + BATCH_NEXT]
                _ready(state, tokens, member)
                if state[PENDING_LAST] == 0:  # the leader; the others wait until it has led them
                    batches[batch + BATCH_FIRST] = following
                    following = 0
                member = following
            state[PENDING_NEXT] = member
            if member != 0:
                reason = FULL
                break
            if state[PENDING_LAST] == 1:
                batches[batch + BATCH_LEFT_NEXT] = state[BATCH_FREE]
                state[BATCH_FREE] = pending
            pending = 0
            if slot == 0:
                continue

        if slot == 0:
            # --- who is next: the first of those made ready, else the next timed event
            slot = state[READY_FIRST]
            if slot != 0 and state[NEXT_CHANGE] > now:
                token = _u(slot) * width
                following = tokens[token + READY_NEXT]
                state[READY_FIRST] = following
                if following == 0:
                    state[READY_LAST] = 0
                pc = tokens[token + PC]
            else:
                slot = 0
                if budget <= 0:
                    reason = YIELD
                    break
                budget -= 1
                if hole != 0:
                    hole = 0
                    size -= 1
                    if size > 0:
                        _sift_down(events, size, events[_u(2 * size)], events[_u(2 * size + 1)])
                first = _FOREVER
                if size > 0:
                    first = events[_u(0)]
                time = first >> RANK_BITS
                next_change = state[NEXT_CHANGE]
                due = min(time, next_change)
                if due > now:
                    if due >= horizon:
                        if state[PEAKED] == 0:
                            _peak_now(state, pools)
                        break
                    if state[PEAKED] == 0 and due > begin:
                        _peak_now(state, pools)
                    now = due
                    left = end - min(max(now, begin), end)
                    state[NOW] = now
                    state[LEFT] = left
                if next_change <= time:
                    if visit >= visits_limit:
                        reason = FULL
                        break
                    if size >= events_limit:
                        reason = NEED_EVENTS
                        break
                    state[EVENTS], state[HOLE], state[VISITS] = size, hole, visit
                    _change(
                        state,
                        program,
                        world,
                        laws,
                        numbers,
                        streams,
                        tokens,
                        pools,
                        lines,
                        events,
                        at,
                        calendars,
                        visits,
                    )
                    size, hole, visit = state[EVENTS], state[HOLE], state[VISITS]
                    events_limit, visits_limit = state[EVENTS_LIMIT], state[VISITS_LIMIT]
                    if state[PEAKED] == 0 and now >= begin:
                        _peak_now(state, pools)
                    continue
                if state[PEAKED] == 0 and now >= begin:
                    _peak_now(state, pools)
                if visit >= visits_limit or state[LOG] >= state[LOG_LIMIT]:
                    reason = FULL
                    break
                if size >= events_limit:
                    reason = NEED_EVENTS
                    break
                rank = first & _RANK_MASK
                second = events[_u(1)]
                slot = second & _SLOT_MASK
                token = _u(slot) * width
                number = second >> SLOT_BITS
                if rank == DELAY_END_RANK:
                    hole = 1
                    if tokens[token + STATE] >= WORKING and not _work_ends(state, program, tokens, pools, slot):
                        slot = 0
                        continue
                    count += 1
                    step = tokens[token + DELAY_STEP]
                    pc = tokens[token + PC]
                    if step >= 0:
                        started = tokens[token + DELAY_STARTED]
                        if tokens[token + STATE] == UNTIL:
                            started = now
                        line = _u(visit) << _TWO
                        visits[line] = (step << NUMBER_BITS) | number
                        visits[line + _ONE] = tokens[token + DELAY_QUEUED]
                        visits[line + _TWO] = started
                        visits[line + _THREE] = now
                        visit += 1
                        at[_u(step)] -= left
                        tokens[token + DELAY_STEP] = -1
                elif rank == ARRIVAL_RANK:
                    if state[FREE_COUNT] < 1:
                        slot = 0
                        reason = NEED_SLOTS
                        break
                    hole = 1
                    count += 1
                    source = number >> 32
                    if slot == 0:
                        slot = _new_token(state, tokens)
                        token = _u(slot) * width
                        _clear(tokens, token)
                        tokens[token + LUCK] = (number >> CHILD_BITS) & LARGEST_ORDINAL
                        tokens[token + CHILD] = 0
                        start = sources[(_u(source) << SOURCE_BITS) + FIRST_ROW]
                        _draw_ahead(state, program, world, numbers, streams, scratch, tokens, token, start)
                        _describe(state, program, world, reals, streams, sources, tokens, token, source)
                        first = _next_arrival(state, world, laws, numbers, reals, streams, sources, expected, source)
                        if first < 0:
                            reason = -first
                            break
                        if first > 0:
                            ordinal = sources[(_u(source) << SOURCE_BITS) + ORDINAL] - 1
                            second = ((source << 32) | (ordinal << CHILD_BITS)) << SLOT_BITS
                            size = _push(events, size, hole, first, second)
                            hole = 0
                    else:
                        tokens[token + STATE] = GOING
                        tokens[token + CHILD] = 0
                        start = sources[(_u(source) << SOURCE_BITS) + FIRST_ROW]
                        _draw_ahead_away(state, program, world, numbers, streams, scratch, tokens, token, start)
                        tokens[token + FLAGS] = _adopted(state, world, reals, streams, sources, tokens, token, source)
                    _come(state, program, sources, tokens, at, log_, slot, source)
                    pc = tokens[token + PC]
                elif rank == PATIENCE_RANK:
                    hole = 1
                    if (
                        tokens[token + NUMBER] != number
                        or tokens[token + STATE] != IN_LINE
                        or tokens[token + DEADLINE] != now
                    ):
                        state[STALE] -= 1
                        slot = 0
                        continue
                    count += 1
                    tokens[token + DEADLINE] = -1
                    pc = tokens[token + LINE_ROW]
                    row = _u(pc) << ROW_BITS
                    _leave_lines(state, program, world, tokens, pools, lines, slot)
                    place = token + _u(TOKEN_FIELDS) + _u(program[row + D]) * _THREE
                    step = program[row + STEP]
                    line = _u(visit) << _TWO
                    visits[line] = (step << NUMBER_BITS) | number
                    visits[line + _ONE] = tokens[place + VISIT_QUEUED]
                    visits[line + _TWO] = _NEVER
                    visits[line + _THREE] = now
                    visit += 1
                    at[_u(step)] -= left
                    tokens[place + VISIT_QUEUED] = EMPTY
                    target = program[row + F]
                    if target <= pc:
                        reason = _pass_again(state, tokens, token)
                        if reason != DONE:
                            break
                    tokens[token + PC] = target
                    _ready(state, tokens, slot)
                    for each in range(program[row + B]):
                        pool = world[_u(in_needs + 2 * (program[row + A] + each))]
                        if pools[(_u(pool) << POOL_BITS) + WAITING] > 0:
                            _serve(state, program, world, tokens, pools, lines, pool)
                    if program[row + INTERRUPTS] != 0:
                        state[EVENTS], state[HOLE], state[VISITS] = size, hole, visit
                        pool = program[row + POOL]
                        _carry_on(state, program, world, tokens, pools, lines, events, at, calendars, visits, pool)
                        size, hole, visit = state[EVENTS], state[HOLE], state[VISITS]
                        events_limit, visits_limit = state[EVENTS_LIMIT], state[VISITS_LIMIT]
                    slot = 0
                    continue
                else:
                    hole = 1
                    if tokens[token + NUMBER] == number and tokens[token + STATE] == GATHERING:
                        batch = _u(tokens[token + BATCH]) << BATCH_BITS
                        if (
                            batches[batch + BATCH_COMPLETE] == 0
                            and batches[batch + BATCH_FIRST] == slot
                            and batches[batch + BATCH_DUE] == now
                        ):
                            count += 1
                            pending = tokens[token + BATCH]
                            _complete(state, tokens, batches, forming, pending)
                    slot = 0
                    continue

        # --- the token in hand acts
        if visit >= visits_limit or mark >= marks_limit:
            reason = FULL
            break
        if size >= events_limit:
            reason = NEED_EVENTS
            break
        row = _u(pc) << ROW_BITS
        op = program[row]
        if op == _RELEASE:
            place = token + _u(TOKEN_FIELDS) + _u(program[row + C]) * _THREE
            queued = tokens[place + VISIT_QUEUED]
            if queued != EMPTY or program[row + D] == 0:
                step = program[row + STEP]
                line = _u(visit) << _TWO
                visits[line] = (step << NUMBER_BITS) | tokens[token + NUMBER]
                visits[line + _ONE] = queued
                visits[line + _TWO] = tokens[place + VISIT_STARTED]
                visits[line + _THREE] = now
                visit += 1
                at[_u(step)] -= left
                tokens[place + VISIT_QUEUED] = EMPTY
                if program[row + EASY] != 0:
                    pool = program[row + POOL]
                    here = _u(pool) << POOL_BITS
                    if pools[here + WAITING] > 0 and pools[here + USED] <= pools[here + CAPACITY]:
                        _pass_on(state, program, tokens, pools, lines, pool)
                    else:
                        pools[here + USED] -= 1
                        pools[here + BUSY] -= left
                else:
                    for each in range(program[row + B]):
                        need = _u(in_needs + 2 * (program[row + A] + each))
                        here = _u(world[need]) << POOL_BITS
                        pools[here + USED] -= world[need + _ONE]
                        pools[here + BUSY] -= world[need + _ONE] * left
                        if pools[here + CLOCK] != 0:
                            _turn(state, pools, here)
                    for each in range(program[row + B]):
                        pool = world[_u(in_needs + 2 * (program[row + A] + each))]
                        if pools[(_u(pool) << POOL_BITS) + WAITING] > 0:
                            _serve(state, program, world, tokens, pools, lines, pool)
                    if program[row + INTERRUPTS] != 0:
                        state[EVENTS], state[HOLE], state[VISITS] = size, hole, visit
                        pool = program[row + POOL]
                        _carry_on(state, program, world, tokens, pools, lines, events, at, calendars, visits, pool)
                        size, hole, visit = state[EVENTS], state[HOLE], state[VISITS]
                        events_limit, visits_limit = state[EVENTS_LIMIT], state[VISITS_LIMIT]
            pc += 1
            row += _u(ROW_FIELDS)
            op = program[row]
        if op == _MARK:
            line = _u(mark) << _ONE
            marks[line] = (program[row + A] << NUMBER_BITS) | tokens[token + NUMBER]
            marks[line + _ONE] = now
            mark += 1
            pc += 1
            row += _u(ROW_FIELDS)
            op = program[row]
        if op == _BRANCH:
            on = program[row + A]
            operand = program[row + B]
            yes = False
            if on == _ON_SHARE:
                share = reals[_u(of_shares + operand * classes + tokens[token + CLASS])]
                if share > 0.0:
                    passes = 0 if program[row + E] != 0 else tokens[token + PASSES]
                    if program[row + AHEAD] >= 0 and tokens[token + AHEAD_PASSES] == passes:
                        drawn = unit(tokens[token + at_ahead + _u(program[row + AHEAD])])
                    else:
                        drawn = _uniform(
                            key,
                            streams[_u(by_program + program[row + C])],
                            tokens[token + LUCK],
                            tokens[token + CHILD],
                            passes,
                        )
                    yes = drawn < share
            elif on == _ON_FLAG:
                yes = (tokens[token + FLAGS] >> operand) & 1 != 0
            elif on == _ON_CLASS:
                yes = (operand >> tokens[token + CLASS]) & 1 != 0
            elif on == _ON_QUEUE:
                yes = pools[(_u(operand) << POOL_BITS) + WAITING] > program[row + C]
            elif on == _ON_STATUS:
                status = tokens[token + STATUS]
                yes = status >= 0 and (operand >> status) & 1 != 0
            elif on == _ON_SHORTEST:
                yes = _shortest(state, world, pools, operand, program[row + C]) == program[row + E]
            else:
                yes = pools[(_u(operand) << POOL_BITS) + CAPACITY] == 0
            pc = program[row + D] if yes else pc + 1
            row = _u(pc) << ROW_BITS
            op = program[row]
        if op == _SEIZE:
            step = program[row + STEP]
            place = token + _u(TOKEN_FIELDS) + _u(program[row + D]) * _THREE
            klass = tokens[token + CLASS]
            tokens[place + VISIT_ROW] = pc
            tokens[place + VISIT_QUEUED] = now
            at[_u(step)] += left
            if program[row + EASY] != 0:
                pool = program[row + POOL]
                here = _u(pool) << POOL_BITS
                has_units = pools[here + USED] < pools[here + CAPACITY]  # then nobody waits
                if has_units:
                    pools[here + USED] += 1
                    pools[here + BUSY] += left
                else:
                    level = world[_u(in_priorities + program[row + C] * classes + klass)]
                    tokens[token + LEVEL] = level
                    tokens[token + LINE_ROW] = pc
                    _append(state, lines, tokens, pools, pool, level, slot << node_bits)
                    if begin <= now < end:
                        pools[here + PEAK] = max(pools[here + PEAK], pools[here + WAITING])
            else:
                tokens[token + LEVEL] = world[_u(in_priorities + program[row + C] * classes + klass)]
                tokens[token + LINE_ROW] = pc
                if program[row + TIMED] != 0:  # the work is the one hold that follows
                    work = row + _u(ROW_FIELDS)
                    tokens[token + LASTS] = _draw(
                        laws,
                        numbers,
                        program[work + A],
                        klass,
                        key,
                        streams[_u(by_program + program[work + B])],
                        tokens[token + LUCK],
                        tokens[token + CHILD],
                        tokens[token + PASSES],
                    )
                has_units = _enter(state, program, world, tokens, pools, lines, slot)
                if program[row + INTERRUPTS] != 0:
                    has_units = has_units or _takes_over(
                        state, program, world, tokens, pools, lines, at, calendars, slot
                    )
                    events_limit, visits_limit = state[EVENTS_LIMIT], state[VISITS_LIMIT]
                    work = token + _u(state[AT_WORK])
                    tokens[work + WORK_ROW] = pc
                    tokens[work + WORK_LEVEL] = tokens[token + LEVEL]
                    if has_units:
                        _has_unit(state, tokens, slot)
            if has_units:
                tokens[place + VISIT_STARTED] = now
                pc += 1
                row += _u(ROW_FIELDS)
                op = program[row]
            else:
                tokens[place + VISIT_STARTED] = _NEVER
                tokens[token + STATE] = IN_LINE
                tokens[token + PC] = pc + 1
                tokens[token + GIVES_UP] = 0
                if program[row + E] >= 0:
                    tokens[token + GIVES_UP] = 1
                    wait = _draw(
                        laws,
                        numbers,
                        program[row + E],
                        klass,
                        key,
                        streams[_u(by_program + program[row + G])],
                        tokens[token + LUCK],
                        tokens[token + CHILD],
                        tokens[token + PASSES],
                    )
                    if now + wait < horizon:
                        tokens[token + DEADLINE] = now + wait
                        first = ((now + wait) << RANK_BITS) | PATIENCE_RANK
                        size = _push(events, size, hole, first, (tokens[token + NUMBER] << SLOT_BITS) | slot)
                        hole = 0
                        if state[STALE] > MOST_STALE and 2 * state[STALE] > size:
                            size = _sweep(state, events, tokens, size)
                slot = 0
                op = _WAITS
        if op == _HOLD:
            duration = program[row + POOL]
            if program[row + EASY] == 0:
                if program[row + KIND] < 0:
                    drawn = _uniform(
                        key,
                        streams[_u(by_program + program[row + B])],
                        tokens[token + LUCK],
                        tokens[token + CHILD],
                        tokens[token + PASSES],
                    )
                    duration = whole(_sample(laws, numbers, program[row + A], drawn, tokens[token + CLASS]))
                elif program[row + AHEAD] >= 0 and tokens[token + AHEAD_PASSES] == tokens[token + PASSES]:
                    duration = tokens[token + at_ahead + _u(program[row + AHEAD])]
                else:
                    duration = _draw(
                        laws,
                        numbers,
                        program[row + A],
                        tokens[token + CLASS],
                        key,
                        streams[_u(by_program + program[row + B])],
                        tokens[token + LUCK],
                        tokens[token + CHILD],
                        tokens[token + PASSES],
                    )
            step = program[row + STEP]
            tokens[token + DELAY_STEP] = step
            if step >= 0:
                tokens[token + DELAY_QUEUED] = now
                tokens[token + DELAY_STARTED] = now
                at[_u(step)] += left
            tokens[token + PC] = pc + 1
            if program[row + D] >= 0 and duration > 0:
                work = token + _u(state[AT_WORK])
                tokens[token + LINE_ROW] = tokens[work + WORK_ROW]
                tokens[token + LEVEL] = tokens[work + WORK_LEVEL]
                tokens[work + WORK_LEFT] = duration
                tokens[work + WORK_KEYED] = _NEVER
                pool = program[(_u(tokens[work + WORK_ROW]) << ROW_BITS) + POOL]
                state[EVENTS], state[HOLE], state[VISITS] = size, hole, visit
                _go_on(state, program, world, tokens, pools, events, calendars, slot, pool)
                _carry_on(state, program, world, tokens, pools, lines, events, at, calendars, visits, pool)
                size, hole, visit = state[EVENTS], state[HOLE], state[VISITS]
                events_limit, visits_limit = state[EVENTS_LIMIT], state[VISITS_LIMIT]
            else:
                due = now + duration
                if program[row + C] >= 0:
                    due = _open_end(state, world, calendars, program[row + C], duration)
                tokens[token + STATE] = DELAYING
                if due < horizon:
                    first = (due << RANK_BITS) | DELAY_END_RANK
                    size = _push(events, size, hole, first, (tokens[token + NUMBER] << SLOT_BITS) | slot)
                    hole = 0
            slot = 0
        elif op == _LEAVE:
            step = program[row + STEP]
            line = _u(visit) << _TWO
            visits[line] = (step << NUMBER_BITS) | tokens[token + NUMBER]
            visits[line + _ONE] = tokens[token + ARRIVED]
            visits[line + _TWO] = tokens[token + ARRIVED]
            visits[line + _THREE] = now
            visit += 1
            at[_u(step)] -= left
            _go_away(state, tokens, slot)
            slot = 0
        elif op in (_WAITS, _RELEASE, _MARK, _BRANCH, _SEIZE):
            pass  # in the next round
        elif op == _JUMP:
            pc = program[row + A]
            if program[row + B] != 0:
                reason = _pass_again(state, tokens, token)
                if reason != DONE:
                    break
        elif op == _SET:
            what = program[row + A]
            operand = program[row + B]
            if what == _RAISE:
                tokens[token + FLAGS] |= 1 << operand
            elif what == _LOWER:
                tokens[token + FLAGS] &= ~(1 << operand)
            elif what == _TO_CLASS:
                tokens[token + CLASS] = operand
            elif what == _TO_STATUS:
                tokens[token + STATUS] = operand
            else:
                reason = _book(state, accounts, operand, program[row + C], slot)
                if reason != DONE:
                    break
            pc += 1
        elif op == _SPLIT:
            if state[FREE_COUNT] < MOST_CHILDREN:
                reason = NEED_SLOTS
                break
            children = _draw(
                laws,
                numbers,
                program[row + A],
                tokens[token + CLASS],
                key,
                streams[_u(by_program + program[row + B])],
                tokens[token + LUCK],
                tokens[token + CHILD],
                tokens[token + PASSES],
            )
            most = program[row + E]
            eldest = program[row + D] + (tokens[token + CHILD] - program[row + F]) * most
            reason = _split(
                state, program, world, numbers, streams, scratch, tokens, at, slot, row, eldest, min(children, most)
            )
            if reason != DONE:
                break
            pc += 1
        elif op == _JOIN:
            pc += 1
            if tokens[token + _u(state[AT_GROUPS]) + _u(program[row + A])] > 0:
                tokens[token + JOINS] = program[row + A]
                tokens[token + STATE] = JOINING
                tokens[token + PC] = pc
                slot = 0
        elif op == _KEEP:
            _keep(state, program, world, tokens, token, row)
            place = token + _u(TOKEN_FIELDS) + _u(program[row + D]) * _THREE
            tokens[place + VISIT_ROW] = pc
            tokens[place + VISIT_QUEUED] = now
            tokens[place + VISIT_STARTED] = now
            at[_u(program[row + STEP])] += left
            pc += 1
        elif op == _WAIT_UNTIL:
            step = program[row + STEP]
            due = _until(state, world, calendars, program[row + A], program[row + B])
            pc += 1
            if due == now:
                line = _u(visit) << _TWO
                visits[line] = (step << NUMBER_BITS) | tokens[token + NUMBER]
                visits[line + _ONE] = now
                visits[line + _TWO] = now
                visits[line + _THREE] = now
                visit += 1
            else:
                at[_u(step)] += left
                tokens[token + DELAY_STEP] = step
                tokens[token + DELAY_QUEUED] = now
                tokens[token + DELAY_STARTED] = _NEVER
                tokens[token + STATE] = UNTIL
                tokens[token + PC] = pc
                if due >= 0 and due < horizon:
                    first = (due << RANK_BITS) | DELAY_END_RANK
                    size = _push(events, size, hole, first, (tokens[token + NUMBER] << SLOT_BITS) | slot)
                    hole = 0
                slot = 0
        elif op == _SPAWN:
            if state[FREE_COUNT] < 1:
                reason = NEED_SLOTS
                break
            stream = streams[_u(by_program + program[row + C])]
            after = _draw(
                laws,
                numbers,
                program[row + B],
                tokens[token + CLASS],
                key,
                stream,
                tokens[token + LUCK],
                tokens[token + CHILD],
                tokens[token + PASSES],
            )
            source = program[row + A]
            here = _u(source) << SOURCE_BITS
            order = sources[here + SPAWNED]
            if order > LARGEST_ORDINAL:
                state[FAULT] = source
                reason = TOO_MANY
                break
            if state[SPAWN_TIME] != now:
                state[SPAWN_TIME] = now
                state[SPAWNS] = 0
            state[SPAWNS] += 1
            if state[SPAWNS] > MOST_SPAWNS:
                state[FAULT] = source
                reason = SPAWN_LOOP
                break
            sources[here + SPAWNED] = order + 1
            if now + after < horizon:
                unborn = _new_token(state, tokens)
                other = _u(unborn) * width
                _clear(tokens, other)
                tokens[other + STATE] = UNBORN
                tokens[other + NUMBER] = -1
                tokens[other + LUCK] = lineage(
                    stream, tokens[token + LUCK], tokens[token + CHILD], tokens[token + PASSES]
                )
                tokens[other + CLASS] = tokens[token + CLASS]
                _inherit_firms(state, tokens, token, other)
                first = ((now + after) << RANK_BITS) | ARRIVAL_RANK
                second = (((source << 32) | (order << CHILD_BITS)) << SLOT_BITS) | unborn
                size = _push(events, size, hole, first, second)
                hole = 0
            pc += 1
        elif op == _GATHER:
            if state[BATCH_FREE] == 0 and state[BATCH_FRESH] >= state[BATCH_LIMIT]:
                reason = NEED_BATCHES
                break
            step = program[row + STEP]
            at[_u(step)] += left
            tokens[token + DELAY_STEP] = step
            tokens[token + DELAY_QUEUED] = now
            tokens[token + DELAY_STARTED] = _NEVER
            tokens[token + PC] = pc + 1
            joined = _gather(state, program, world, tokens, batches, forming, slot, row)
            batch = _u(joined) << BATCH_BITS
            members = batches[batch + BATCH_COUNT]
            if program[row + E] >= 0 and members > 1:
                tokens[token + PC] = program[row + E]
            if members == program[row + B]:
                pending = joined
                _complete(state, tokens, batches, forming, joined)
            elif members == 1:
                due = _FOREVER
                if program[row + C] >= 0:
                    due = now + _draw(
                        laws,
                        numbers,
                        program[row + C],
                        tokens[token + CLASS],
                        key,
                        streams[_u(by_program + program[row + G])],
                        tokens[token + LUCK],
                        tokens[token + CHILD],
                        tokens[token + PASSES],
                    )
                if program[row + D] >= 0:
                    opening = _next_opening(state, world, calendars, program[row + D])
                    if opening >= 0:
                        due = min(due, opening)
                if due < horizon:
                    batches[batch + BATCH_DUE] = due
                    first = (due << RANK_BITS) | BATCH_RANK
                    size = _push(events, size, hole, first, (tokens[token + NUMBER] << SLOT_BITS) | slot)
                    hole = 0
            slot = 0
        else:  # SCATTER
            pending = _scatter(state, tokens, batches, token, program[row + A])
            pc += 1

    if slot != 0:
        tokens[token + PC] = pc
    state[CURRENT] = slot
    state[EVENTS], state[HOLE] = size, hole
    state[VISITS], state[MARKS] = visit, mark
    state[COUNT] = count
    state[PENDING] = pending
    return reason
