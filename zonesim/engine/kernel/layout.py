"""
The records of the kernel, each declared once, and the bundles of arrays that its functions are handed.

A field's name and type are those of its declaration; the operands of an operation are those of the operation table.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zonesim.plan import NUMBER_BITS, OPERATIONS, TABLES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Words = NDArray[np.uint64]
Rows = NDArray[np.void]
Record = Any
"""A record of an array: what is written to it is written to the array."""

at: Final[Any] = np.uint64
"""Makes an index: unsigned, for it needs no test for wrap-around."""
wide: Final[Any] = np.int64
"""Makes a number of 64 bits of a field: a function is compiled for each type that it is called with."""

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
"""A child is made that still exists; `fault` is its leave step."""
ENDLESS: Final = 7
"""A token goes back again and again within one instant; `fault` is its leave step."""
OVERDRAWN: Final = 8
"""`fault` is the account, `fault_amount` what is booked, `fault_token` the slot."""
TOO_MANY: Final = 9
"""A source has more tokens than there are numbers; `fault` is the source."""
SPAWN_LOOP: Final = 10
"""Tokens start one another within one instant; `fault` is the source."""

# --- limits and marks

MOST_LOOPS: Final = 200_000
MOST_SPAWNS: Final = 200_000
MOST_CHILDREN: Final = 64
MOST_STALE: Final = 1024
"""Stale events: with more of them, and more than of others, the event list is swept."""
FOREVER: Final = int(np.iinfo(np.int64).max)
UNLIMITED: Final = 1 << 40
ALL_UNITS: Final = 1 << 41
"""Units that break down: more than any resource has."""
EMPTY: Final = -2
"""`queued` of an open visit's place that is not in use."""
NEVER: Final = wide(-1)

# --- what a token does

GOING: Final = 0
DELAYING: Final = 1
IN_QUEUE: Final = 2
JOINING: Final = 3
GATHERING: Final = 4
UNTIL: Final = 5
UNBORN: Final = 6
WORKING: Final = 7
"""In a delay that can be interrupted; this state and those above it have stale ends in the event list."""
INTERRUPTED: Final = 8
"""In the queue for a unit to go on with."""

# --- timed events

DELAY_END: Final = wide(1)
ARRIVAL: Final = wide(2)
PATIENCE: Final = wide(3)
BATCH_DUE: Final = wide(4)
"""Ranks within an instant."""
RANK_BITS: Final = 3
RANK_MASK: Final = (1 << RANK_BITS) - 1
SLOT_BITS: Final = 63 - NUMBER_BITS
LARGEST_SLOT: Final = (1 << SLOT_BITS) - 1

# --- what is to be done with a resource whose capacity has changed in this instant

TO_CUT: Final = 1
TO_SERVE: Final = 2


def _record(fields: str, **others: str) -> np.dtype[Any]:
    """Return a record of int64 fields, then those of other types."""
    return np.dtype([*((name, "i8") for name in fields.split()), *others.items()], align=True)


STATE: Final = _record(
    """
    now left begin end horizon budget event_count
    current ready_first ready_last resume_first resume_last
    events events_limit hole stale
    free_slot fresh_slot free_slots
    visits visits_limit marks marks_limit arrivals arrivals_limit
    changes changes_made next_change touched_first touched_last peaked
    left_queues
    parting parting_next parting_ends free_batch fresh_batch batch_limit
    sources sources_started spawn_time spawns grants
    fault fault_amount fault_token
    resources clocks classes priorities members
    node_bits open_visits groups parties ahead interruptible timed deadlines
    """,
    key="u8",
)
"""
The state of a run.

`left` is what is left of the measured window; `hole`: 1 while the event that was taken last is still at the top of the
event list, of length `events`; `stale`: timers whose token waits no more, and ends of work that was interrupted.
Freed slots form a list from `free_slot` on, those from `fresh_slot` on were never used; so with batches. `visits`,
`marks`, `arrivals` are rows written in the block at hand. `next_change` is when a capacity may change next, not later
(by a change of a calendar, a breakdown or a repair); the resources from `touched_first` to `touched_last` are those of
which some capacity has changed in this instant. `left_queues` are to be served because somebody has left them who was
granted elsewhere. `parting` is the batch whose tokens go on one by one, `parting_ends`: 1
when it is done with then. Interrupted tokens that have got a unit go on from `resume_first` on, before anything else.
`resources` to `members` are counts; `node_bits` to `deadlines` say how much of each array belongs to a token.
"""

_EXTRAS: Final = (
    ("fixed_time", "i8"),
    ("resource", "i4"),
    ("kind", "i4"),
    ("first_number", "i4"),
    ("numbers", "i4"),
    ("ahead", "i4"),
    ("leaves_at", "i4"),
    ("ahead_first", "i4"),
    ("ahead_count", "i4"),
    ("ahead_class", "i4"),
    ("ways", "i4"),
    ("simple", "i1"),
    ("timed", "i1"),
    ("interruptible", "i1"),
)


def _instruction() -> np.dtype[Any]:
    """Return the record of a program row: `seize_slot` is the operand `slot` of SEIZE, in its one column."""
    offsets = {"op": 0, "step": 8}
    for operation in OPERATIONS.values():
        for form in operation.forms:
            for operand in form.operands:
                if operand is not None:
                    name, offset = f"{operation.op.name.lower()}_{operand.name}", 8 * form.column(operand.name)
                    if offsets.setdefault(name, offset) != offset:
                        raise TypeError(f"{name} stands in two columns")
    names, formats, places = [*offsets], ["i8"] * len(offsets), [*offsets.values()]
    end = 8 * len(TABLES["program"].columns)
    for name, kind in _EXTRAS:
        names.append(name)
        formats.append(kind)
        places.append(end)
        end += np.dtype(kind).itemsize
    return np.dtype({"names": names, "formats": formats, "offsets": places, "itemsize": 128, "aligned": True})


INSTRUCTION: Final = _instruction()
"""
A program row: op, step and operands as in the plan, then what is worked out for the kernel.

SEIZE, RELEASE: `simple` is 1 for one unit of a `resource` of which all ask one unit alone; `interruptible`: 1 where
work with that unit can be interrupted. SEIZE: `timed` is 1 where nothing starts that does not end before a closing.
EITHER: its operands are those of a SEIZE, in the same columns, and read as such; `ways` are the SEIZEs that it is for.
DELAY: `simple` is 1 where it takes the `fixed_time`; else `kind`, `first_number` and `numbers` are its distribution
as `quantile` wants it, `kind` -1 for one that is put together of others.
DELAY, BRANCH: `ahead` is the place of its draw among those made when the token starts, -1: none.
Where tokens start: `ahead_count` draws are made then, in the table of them from `ahead_first` on, and `ahead_class` is
the place of the one for the class, -1: none. Everywhere: `leaves_at` is the step of the LEAVE that ends the routine.
"""

TOKEN: Final = np.dtype(
    [
        # what nearly every event needs
        ("number", "i8"),
        ("delay_queued", "i8"),
        ("delay_started", "i8"),
        ("pc", "i4"),
        ("next_ready", "i4"),
        ("delay_step", "i4"),
        ("loop_count", "i4"),
        ("ahead_loop", "i4"),
        ("ordinal", "u4"),
        ("priority", "i4"),
        ("queue_row", "i4"),
        ("klass", "i2"),
        ("status", "i2"),
        ("state", "i1"),
        ("gives_up", "i1"),
        ("child", "u1"),
        # what it needs to come, to wait with patience, to leave
        ("arrived", "i8"),
        ("deadline", "i8"),
        ("flags", "i8"),
        ("leave_step", "i4"),
        ("children", "i4"),
        ("parent", "i4"),
        ("group", "i4"),
        ("joins", "i4"),
        ("next_kin", "i4"),
        ("last_kin", "i4"),
        ("leads", "i4"),
        # what few need
        ("looped_at", "i8"),
        ("loops_at_once", "i4"),
        ("batch", "i4"),
        ("next_in_batch", "i4"),
    ],
    align=True,
)
"""
A token; the fields of nearly every event come first, so that they lie together in the processor's cache.

`ahead_loop` is the loop count for which draws were made ahead; `queue_row` and `priority` are those of its last SEIZE;
`children` those that somebody may wait for; kin is every token of the same consignment, in a ring.
"""

OPEN_VISIT: Final = _record("queued started", row="i4", kept="i4")
"""
A visit in hand: `row` is the operation that began it, of an EITHER the SEIZE that was granted; `kept` has a bit for
each need that another visit keeps.
"""

NODE: Final = _record("next before")
"""A token's place in one queue: number slot << node_bits | which of its needs."""

WORK: Final = _record("row priority granted left since end scheduled stopped next before")
"""
A token's work that can be interrupted: the SEIZE of the unit, how important it was, the number of the grant that gave
it last; what was `left` when it last went on, when that was (in open time, if only that counts), and its `end`;
`scheduled` is the latest end in the event list that is not stale, -1: none. `next` and `before` are who else works with
a unit of the same resource.
"""

RESOURCE: Final = _record(
    "capacity used waiting busy queued peak open even fall falls_end scheduled down broken preempts pauses"
    " workers clock touched left"
)
"""
A resource: units there are, in use, and tokens in its queue; the integrals; `even`: 1 where all who ask for units of it
ask for equally many, for then nobody ahead is short unless the newcomer is; its falls in the table of them that is
still to come, and the end of those; units on duty and broken down; `workers`: the first of the tokens whose work with a
unit of it can be interrupted; `clock`: the clock (from 1) that counts the time in which its unit is in use, 0: none;
`left`: 1 where somebody has left the queue so that it is to be served.
"""

QUEUE: Final = _record("first last")
"""The queue of a resource for one priority, as nodes."""

CLOCK: Final = _record("resource units busy up up_stream repair repair_stream cycle down left due")
"""
A clock of breakdowns: what it breaks down, 1 if it runs only while the unit is in use, distributions and streams of the
time until a breakdown and of the repair; `down`: 1 during a repair; `left` until the breakdown while it does not run;
`due`: when it breaks down or is repaired.
"""

FALL: Final = _record("time stay beyond")
"""A time at which units go off duty where nothing starts that would not end before: how many stay, and how many are in
use by work that ends later.
"""

CHANGE: Final = _record("time resource units")
"""A change of a resource's units on duty."""

SOURCE: Final = _record(
    "first_row arrivals first count group parties klass mix batch first_rule rules first_attribute attributes"
    " most gap calendar begins until open_before"
    " ordinal arrival in_hand rate_row arrived before_begin before_end spawned announced due"
)
"""
A source: the columns of the plan's table, the flags that depend on the token, arrivals at `most`, the columns of its
renewal with the open time before it begins, and how far it is: tokens and arrivals so far, tokens of the arrival at
hand that are still to come, row of its rates (or open span of its renewal), tokens that have come (before the window
begins, before it ends), tokens started by others, tokens announced, and when the next one comes.
"""

FLAG_RULES: Final = _record("flag first count")
"""A flag of a source that depends on the token, and the rows of `FLAG_RULE` of which those that hold have to be met."""

FLAG_RULE: Final = _record("row by party begins until")
"""A row of the plan's table of adoptions."""

BATCH: Final = _record("number place first last count due complete led next")
"""Tokens that wait for each other; `next` is the next batch that the same token leads, or the next free one."""

ACCOUNT: Final = _record("balance floor integral")
"""How an account stands, the least it may, and quantity-ms."""

EVENT: Final = _record("due who")
"""A timed event: time << 3 | rank, token number << SLOT_BITS | slot."""


class Flow(NamedTuple):
    """The program and what its rows refer to."""

    program: Rows
    needs: Rows
    priorities: Ints
    shares: Floats


class Ahead(NamedTuple):
    """The draws that are made when tokens start: the DELAY of each, -1: its random bits are kept; and its stream."""

    delays: Ints
    streams: Words
    numbers: Floats
    scratch: Words


class Draws(NamedTuple):
    """What draws are made from."""

    distributions: Ints
    numbers: Floats
    streams: Words
    ahead: Ahead


class Hours(NamedTuple):
    """Calendars, their open spans, and for each the last one that has opened."""

    calendars: Rows
    spans: Rows
    last_opened: Ints


class Resources(NamedTuple):
    """Resources, their queues by priority, when they open and close, and their breakdowns."""

    states: Rows
    queues: Rows
    changes: Rows
    falls: Rows
    clocks: Rows


class Tokens(NamedTuple):
    """Tokens, and what each has so many of as `STATE` says."""

    tokens: Rows
    visits: Rows
    nodes: Rows
    ahead: Ints
    members: Ints
    children: Ints
    works: Rows
    lasts: Ints
    """How long the work of each SEIZE of a request would take, where that decides whether it starts."""
    dues: Ints
    """When each deadline is, -1: the token has none of this number."""


class Arrivals(NamedTuple):
    """Sources, and what is drawn for who arrives."""

    sources: Rows
    expected: Floats
    streams: Rows
    times: Rows
    rates: Rows
    mixes: Floats
    cumulative_share: Floats
    member_class: Ints
    member_flags: Ints
    rules: Rows
    rule_rows: Rows
    raised: NDArray[np.bool_]
    """By rule and member: whether it raises its flag for that member."""
    shares: Floats
    share_streams: Words
    attributes: Rows
    attribute_shares: Floats
    attribute_streams: Words


class Batches(NamedTuple):
    """
    Batches, those that are forming by place, the first place of each batch number, and by place the last departure.
    """

    batches: Rows
    forming: Ints
    first_place: Ints
    departed: Ints


class Output(NamedTuple):
    """What a run writes: visits, marks, who arrived (source << 16 | class), and the integral of tokens at each step."""

    visits: Rows
    marks: Rows
    arrivals: Ints
    at_step: Ints
