"""The list of timed events: a binary heap of (time, rank, token number)."""

from __future__ import annotations

from zonesim.compiled.jit import inlined, kernel
from zonesim.engine.kernel.layout import (
    DELAY_END,
    IN_QUEUE,
    INTERRUPTED,
    LARGEST_SLOT,
    MOST_STALE,
    NEVER,
    PATIENCE,
    RANK_BITS,
    RANK_MASK,
    SLOT_BITS,
    WORKING,
    Record,
    Rows,
    Tokens,
    at,
    wide,
)


@inlined
def schedule(s: Record, events: Rows, time: int, rank: int, number: int, slot: int) -> None:
    """
    Add an event; most often it takes the place of the one that has just been taken, which is still at the top.
    """
    due = (time << RANK_BITS) | rank
    who = (number << SLOT_BITS) | slot
    if s.hole != 0:
        s.hole = 0
        _sift_down(events, s.events, due, who)
    else:
        _sift_up(events, s.events, due, who)
        s.events += 1


@inlined
def close_hole(s: Record, events: Rows) -> None:
    """Take the event that has happened off the list."""
    if s.hole != 0:
        s.hole = 0
        s.events -= 1
        if s.events > 0:
            last = events[at(s.events)]
            _sift_down(events, s.events, last.due, last.who)


@inlined
def _sift_down(events: Rows, size: int, due: int, who: int) -> None:
    """Put an event in from the top, where there is room."""
    place = 0
    while True:
        below = 2 * place + 1
        if below >= size:
            break
        if below + 1 < size:  # to the smaller of two: added, for a branch could not be foreseen
            left, right = events[at(below)], events[at(below + 1)]
            if left.due == right.due:
                below += right.who < left.who
            else:
                below += right.due < left.due
        lower = events[at(below)]
        if due < lower.due or (due == lower.due and who < lower.who):
            break
        here = events[at(place)]
        here.due = lower.due
        here.who = lower.who
        place = below
    here = events[at(place)]
    here.due = due
    here.who = who


@inlined
def _sift_up(events: Rows, place: int, due: int, who: int) -> None:
    """Put an event in from the bottom, where there is room."""
    while place > 0:
        above = (place - 1) >> 1
        upper = events[at(above)]
        if upper.due < due or (upper.due == due and upper.who < who):
            break
        here = events[at(place)]
        here.due = upper.due
        here.who = upper.who
        place = above
    here = events[at(place)]
    here.due = due
    here.who = who


@inlined
def sweep_if_stale(s: Record, events: Rows, tokens: Tokens) -> None:
    """Throw out stale events when most of them are."""
    if s.stale > MOST_STALE and 2 * s.stale > s.events:
        _sweep(s, events, tokens)


@kernel
def _sweep(s: Record, events: Rows, tokens: Tokens) -> None:
    """Throw out stale events and order the rest anew."""
    kept = wide(0)
    for place in range(s.events):
        event = events[at(place)]
        due, who = event.due, event.who
        slot = who & LARGEST_SLOT
        token = tokens.tokens[at(slot)]
        rank = due & RANK_MASK
        time = due >> RANK_BITS
        if rank == PATIENCE and not is_waiting(token, who >> SLOT_BITS, time):
            continue
        if rank == DELAY_END and token.state >= WORKING:
            work = tokens.works[at(slot)]
            if token.state == INTERRUPTED or work.end != time:
                if work.scheduled == time:
                    work.scheduled = NEVER
                continue
        _sift_up(events, kept, due, who)
        kept += 1
    s.stale = 0
    s.events = kept


@inlined
def is_waiting(token: Record, number: int, deadline: int) -> bool:
    """Return whether the patience that ends at a deadline is still that of a token in a queue."""
    return token.number == number and token.state == IN_QUEUE and token.deadline == deadline
