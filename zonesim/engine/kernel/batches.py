"""Batches: tokens that wait for each other, and go on one by one when theirs is complete."""

from __future__ import annotations

from zonesim.compiled.jit import inlined, kernel
from zonesim.engine.kernel.calendars import next_opening
from zonesim.engine.kernel.draws import draw_for
from zonesim.engine.kernel.events import schedule
from zonesim.engine.kernel.layout import (
    BATCH_DUE,
    FOREVER,
    GATHERING,
    NEVER,
    Batches,
    Draws,
    Flow,
    Hours,
    Output,
    Record,
    Rows,
    Tokens,
    at,
    wide,
)
from zonesim.engine.kernel.output import begin_visit, write_visit
from zonesim.engine.kernel.tokens import ready
from zonesim.plan import GatherBy

_BY_FIRM = int(GatherBy.FIRM)
_BY_CLASS = int(GatherBy.CLASS)


@kernel
def part(s: Record, tokens: Tokens, batches: Batches, output: Output) -> bool:
    """Let the tokens of a complete batch go on, with a row each; return False when there is no room for more rows."""
    batch = batches.batches[at(s.parting)]
    slot = s.parting_next
    while slot != 0 and s.visits < s.visits_limit:
        token = tokens.tokens[at(slot)]
        write_visit(s, output, wide(token.delay_step), token.number, token.delay_queued, token.delay_started)
        token.delay_step = -1
        token.batch = 0
        following = wide(token.next_in_batch)
        ready(s, tokens, slot)
        if s.parting_ends == 0:  # the leader; the others wait until it has led them
            batch.first = following
            following = 0
        slot = following
    s.parting_next = slot
    if slot != 0:
        return False
    if s.parting_ends == 1:
        batch.next = s.free_batch
        s.free_batch = s.parting
    s.parting = 0
    return True


@kernel
def complete(s: Record, tokens: Tokens, batches: Batches, number: int) -> None:
    """Let the tokens of a batch go on in the order in which they joined, or its leader alone."""
    batch = batches.batches[at(number)]
    batches.forming[at(batch.place)] = 0
    _let_go(s, tokens, batches, number)


@kernel
def _let_go(s: Record, tokens: Tokens, batches: Batches, number: int) -> None:
    """Let the tokens of a batch that is forming no more go on."""
    batch = batches.batches[at(number)]
    batch.complete = 1
    s.parting = number
    s.parting_next = batch.first
    s.parting_ends = 1
    if batch.led != 0:
        leader = tokens.tokens[at(batch.first)]
        batch.next = leader.leads
        leader.leads = number
        s.parting_ends = 0
    slot = batch.first
    while slot != 0:
        token = tokens.tokens[at(slot)]
        token.delay_started = s.now
        slot = wide(token.next_in_batch)


@kernel
def is_due(s: Record, tokens: Tokens, batches: Batches, slot: int, number: int) -> bool:
    """Return whether the batch of a token that began one is still to be completed, and now."""
    token = tokens.tokens[at(slot)]
    if token.number != number or token.state != GATHERING:
        return False
    batch = batches.batches[at(token.batch)]
    return batch.complete == 0 and batch.first == slot and batch.due == s.now


@kernel
def scatter(s: Record, batches: Batches, token: Record, which: int) -> None:
    """Let the others of a batch go on as well, for its leader has done the work; there may be none."""
    number = wide(token.leads)
    before = 0
    while number != 0 and batches.batches[at(number)].number != which:
        before = number
        number = batches.batches[at(number)].next
    if number == 0:
        return
    batch = batches.batches[at(number)]
    if before == 0:
        token.leads = batch.next
    else:
        batches.batches[at(before)].next = batch.next
    s.parting = number
    s.parting_next = batch.first
    s.parting_ends = 1


@kernel
def _new_batch(s: Record, batches: Batches) -> int:
    """Return a place for a batch that is not in use; there is one."""
    number = wide(s.free_batch)
    if number != 0:
        s.free_batch = batches.batches[at(number)].next
    else:
        number = wide(s.fresh_batch)
        s.fresh_batch = number + 1
    return number


@kernel
def _join(s: Record, tokens: Tokens, batches: Batches, slot: int, row: Record) -> int:
    """Let a token join the batch that is forming, or begin one; return the batch."""
    token = tokens.tokens[at(slot)]
    place = batches.first_place[at(row.gather_batch)]
    if row.gather_by == _BY_FIRM:
        own = slot * s.parties
        if tokens.members[at(own)] > 0:
            place += tokens.members[at(own + 1)] + 1
    elif row.gather_by == _BY_CLASS:
        place += token.klass
    number = batches.forming[at(place)]
    if number == 0:
        number = _new_batch(s, batches)
        batches.forming[at(place)] = number
        batch = batches.batches[at(number)]
        batch.number = row.gather_batch
        batch.place = place
        batch.first = slot
        batch.count = 0
        batch.due = -1
        batch.complete = 0
        batch.led = row.gather_others_to >= 0
        batch.next = 0
    else:
        batch = batches.batches[at(number)]
        tokens.tokens[at(batch.last)].next_in_batch = slot
    batch.last = slot
    batch.count += 1
    token.batch = number
    token.next_in_batch = 0
    token.state = GATHERING
    return number


@inlined
def _come(s: Record, tokens: Tokens, batches: Batches, output: Output, slot: int, row: Record) -> int:
    """Let the visit of a token begin that waits with others; return the batch that it joins."""
    token = tokens.tokens[at(slot)]
    begin_visit(s, output, row.step)
    token.delay_step = row.step
    token.delay_queued = s.now
    token.delay_started = NEVER
    token.pc += 1
    return _join(s, tokens, batches, slot, row)


@kernel
def gather(
    s: Record,
    draws: Draws,
    tokens: Tokens,
    batches: Batches,
    hours: Hours,
    events: Rows,
    output: Output,
    slot: int,
    row: Record,
) -> None:
    """Let a token wait for its batch, which may be complete with it."""
    token = tokens.tokens[at(slot)]
    number = _come(s, tokens, batches, output, slot, row)
    batch = batches.batches[at(number)]
    if row.gather_others_to >= 0 and batch.count > 1:
        token.pc = row.gather_others_to
    if batch.count == row.gather_number:
        complete(s, tokens, batches, number)
    elif batch.count == 1:
        due = FOREVER
        if row.gather_timeout >= 0:
            due = s.now + draw_for(s, draws, token, row.gather_timeout, row.gather_stream)
        if row.gather_calendar >= 0:
            opening = next_opening(s, hours, row.gather_calendar, wide(0))
            if opening >= 0:
                due = min(due, opening)
        if due < s.horizon:
            batch.due = due
            schedule(s, events, due, BATCH_DUE, token.number, slot)


@kernel
def board(
    s: Record,
    tokens: Tokens,
    batches: Batches,
    hours: Hours,
    events: Rows,
    output: Output,
    slot: int,
    row: Record,
) -> None:
    """Let a token wait for a departure that has room for it."""
    number = _come(s, tokens, batches, output, slot, row)
    if batches.batches[at(number)].count == 1:
        _await(s, tokens, batches, hours, events, number, row)


@kernel
def _await(s: Record, tokens: Tokens, batches: Batches, hours: Hours, events: Rows, number: int, row: Record) -> None:
    """Have those who are first in a line depart at the next opening of their calendar; none is joined late."""
    batch = batches.batches[at(number)]
    batch.due = -1
    due = next_opening(s, hours, row.board_calendar, wide(batches.departed[at(batch.place)] == s.now))
    if 0 <= due < s.horizon:
        batch.due = due
        schedule(s, events, due, BATCH_DUE, tokens.tokens[at(batch.first)].number, wide(batch.first))


@kernel
def depart(
    s: Record,
    flow: Flow,
    draws: Draws,
    tokens: Tokens,
    batches: Batches,
    hours: Hours,
    events: Rows,
    number: int,
) -> None:
    """Let as many of a line go on as there is room for; the others wait for the next departure."""
    batch = batches.batches[at(number)]
    first = tokens.tokens[at(batch.first)]
    row = flow.program[at(first.pc - 1)]
    most = draw_for(s, draws, first, row.board_most, row.board_stream)
    batches.departed[at(batch.place)] = s.now
    gone = number
    if batch.count > most:
        gone = _new_batch(s, batches)
        going = batches.batches[at(gone)]
        going.number = batch.number
        going.place = batch.place
        going.first = batch.first
        going.count = most
        going.next = 0
        slot = wide(batch.first)
        for each in range(most):
            token = tokens.tokens[at(slot)]
            token.batch = gone
            slot = wide(token.next_in_batch)
            if each == most - 1:
                token.next_in_batch = 0
        batch.first = slot
        batch.count -= most
        _await(s, tokens, batches, hours, events, number, flow.program[at(tokens.tokens[at(slot)].pc - 1)])
    else:
        batches.forming[at(batch.place)] = 0
    going = batches.batches[at(gone)]
    going.led = row.board_others_to >= 0
    slot = wide(first.next_in_batch)
    while going.led != 0 and slot != 0:
        token = tokens.tokens[at(slot)]
        others_to = flow.program[at(token.pc - 1)].board_others_to
        if others_to >= 0:
            token.pc = others_to
        slot = wide(token.next_in_batch)
    _let_go(s, tokens, batches, gone)
