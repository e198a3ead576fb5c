"""Operations that a token seldom meets, and whatever asks no resource for a unit."""

from __future__ import annotations

from typing import Final

from zonesim.compiled.jit import inlined, kernel
from zonesim.compiled.streams import unit
from zonesim.engine.kernel.calendars import end_of, instant_after, instant_of
from zonesim.engine.kernel.draws import draw_for, uniform_for
from zonesim.engine.kernel.events import schedule
from zonesim.engine.kernel.layout import (
    DELAY_END,
    DONE,
    NEVER,
    OVERDRAWN,
    UNTIL,
    Draws,
    Flow,
    Hours,
    Output,
    Record,
    Resources,
    Rows,
    Tokens,
    at,
    wide,
)
from zonesim.engine.kernel.output import begin_visit, write_mark_at, write_row
from zonesim.engine.kernel.queues import shortest
from zonesim.plan import BranchOn, SetWhat

_ON_SHARE: Final = int(BranchOn.SHARE)
_ON_FLAG: Final = int(BranchOn.FLAG)
_ON_CLASS: Final = int(BranchOn.CLASS)
_ON_QUEUE: Final = int(BranchOn.QUEUE_LONGER)
_ON_STATUS: Final = int(BranchOn.STATUS)
_ON_OVERDUE: Final = int(BranchOn.OVERDUE)
_ON_LAST: Final = int(BranchOn.LAST)
_ON_SHORTEST: Final = int(BranchOn.SHORTEST)
_RAISE: Final = int(SetWhat.RAISE_FLAG)
_LOWER: Final = int(SetWhat.LOWER_FLAG)
_CLASS: Final = int(SetWhat.CLASS)
_STATUS: Final = int(SetWhat.STATUS)


@inlined
def is_answered_yes(
    s: Record, flow: Flow, draws: Draws, tokens: Tokens, resources: Resources, slot: int, row: Record
) -> bool:
    """Return whether the question of a BRANCH is answered yes."""
    token = tokens.tokens[at(slot)]
    on = row.branch_on
    if on == _ON_SHARE:
        share = flow.shares[at(row.branch_share * s.classes + token.klass)]
        if share <= 0.0:
            return False
        loop_count = wide(0 if row.branch_steady != 0 else token.loop_count)
        if row.ahead >= 0 and token.ahead_loop == loop_count:
            return unit(tokens.ahead[at(slot * s.ahead + row.ahead)]) < share
        return uniform_for(s, draws, token, row.branch_stream, loop_count) < share
    if on == _ON_FLAG:
        return (token.flags >> row.branch_flag) & 1 != 0
    if on == _ON_CLASS:
        return (row.branch_classes >> token.klass) & 1 != 0
    if on == _ON_QUEUE:
        return resources.states[at(row.branch_resource)].waiting > row.branch_length
    if on == _ON_STATUS:
        return token.status >= 0 and (row.branch_statuses >> token.status) & 1 != 0
    if on == _ON_OVERDUE:
        due = tokens.dues[at(slot * s.deadlines + row.branch_deadline)]
        return due >= 0 and (s.now > due) == (row.branch_passed != 0)
    if on == _ON_LAST:
        return _is_last(tokens, slot, row.branch_flag)
    if on == _ON_SHORTEST:
        return shortest(flow, resources, row.branch_first_need, row.branch_needs) == row.branch_candidate
    return resources.states[at(row.branch_resource)].capacity == 0


@kernel
def _is_last(tokens: Tokens, slot: int, flag: int) -> bool:
    """Return whether all other children that somebody still waits for with this one have a flag."""
    every = tokens.tokens
    token = every[at(slot)]
    if token.parent == 0:
        return False
    kin = wide(token.next_kin)
    while kin != slot:
        other = every[at(kin)]
        if other.parent == token.parent and other.group == token.group and (other.flags >> flag) & 1 == 0:
            return False
        kin = wide(other.next_kin)
    return True


@inlined
def set_attribute(s: Record, accounts: Rows, token: Record, slot: int, row: Record) -> int:
    """Change an attribute of a token or an account; return DONE or a fault."""
    what = row.set_what
    if what == _RAISE:
        token.flags |= 1 << row.set_flag
    elif what == _LOWER:
        token.flags &= ~(1 << row.set_flag)
    elif what == _CLASS:
        token.klass = row.set_new_class
    elif what == _STATUS:
        token.status = row.set_status
    else:
        account = accounts[at(row.set_account)]
        account.balance += row.set_amount
        account.integral += row.set_amount * s.left
        if account.balance < account.floor:
            s.fault = row.set_account
            s.fault_amount = row.set_amount
            s.fault_token = slot
            return OVERDRAWN
    return DONE


@kernel
def due_at(s: Record, draws: Draws, tokens: Tokens, hours: Hours, output: Output, slot: int, row: Record) -> None:
    """Note a deadline of a token."""
    token = tokens.tokens[at(slot)]
    time = wide(0)
    if row.due_duration >= 0:
        time = draw_for(s, draws, token, row.due_duration, row.due_stream)
    if row.due_which < 0:
        due = end_of(s, hours, row.due_calendar, time)
    else:
        due = instant_after(s, hours, row.due_calendar, s.now + time, row.due_which)
    tokens.dues[at(slot * s.deadlines + row.due_deadline)] = due
    if due >= 0:
        write_mark_at(s, output, row.due_mark, token.number, due)


@inlined
def keep(s: Record, flow: Flow, tokens: Tokens, output: Output, slot: int, row: Record, pc: int) -> None:
    """Let some units of a visit belong to another one from now on; the first notes which of its needs are no longer."""
    place = slot * s.open_visits
    before = tokens.visits[at(place + row.keep_from_slot)]
    seized = flow.program[at(before.row)]
    for each in range(row.keep_needs):
        resource = flow.needs[at(row.keep_first_need + each)].resource
        for which in range(seized.seize_needs):
            if flow.needs[at(seized.seize_first_need + which)].resource == resource:
                before.kept |= 1 << which
    visit = tokens.visits[at(place + row.keep_slot)]
    visit.row = pc
    visit.kept = 0
    visit.queued = s.now
    visit.started = s.now
    begin_visit(s, output, row.step)


@inlined
def wait_until(s: Record, hours: Hours, events: Rows, output: Output, token: Record, slot: int, row: Record) -> bool:
    """Let a token wait for an instant of a calendar; return whether it has to."""
    due = instant_of(s, hours, row.wait_until_calendar, row.wait_until_which)
    if due == s.now:
        write_row(s, output, row.step, token.number, s.now, s.now)
        return False
    begin_visit(s, output, row.step)
    token.delay_step = row.step
    token.delay_queued = s.now
    token.delay_started = NEVER
    token.state = UNTIL
    if due >= 0 and due < s.horizon:
        schedule(s, events, due, DELAY_END, token.number, slot)
    return True
