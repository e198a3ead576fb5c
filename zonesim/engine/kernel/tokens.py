"""Tokens: how they begin, wait for their turn, go back, have children, resume work and leave."""

from __future__ import annotations

from zonesim.compiled.jit import inlined, kernel
from zonesim.engine.kernel.draws import draw_ahead_apart
from zonesim.engine.kernel.layout import (
    DONE,
    ENDLESS,
    GOING,
    MOST_LOOPS,
    TWICE,
    Draws,
    Flow,
    Output,
    Record,
    Tokens,
    at,
    wide,
)
from zonesim.engine.kernel.output import begin_visit


@inlined
def ready(s: Record, tokens: Tokens, slot: int) -> None:
    """Let a token go on when those made ready before it have had their turn."""
    token = tokens.tokens[at(slot)]
    token.next_ready = 0
    token.state = GOING
    if s.ready_last == 0:
        s.ready_first = slot
    else:
        tokens.tokens[at(s.ready_last)].next_ready = slot
    s.ready_last = slot


@inlined
def new_slot(s: Record, tokens: Tokens) -> int:
    """Return a free slot; the caller has seen that there is one."""
    s.free_slots -= 1
    slot = s.free_slot
    if slot != 0:
        s.free_slot = tokens.tokens[at(slot)].next_ready
        return slot
    slot = s.fresh_slot
    s.fresh_slot = slot + 1
    return slot


@inlined
def clear(token: Record) -> None:
    """
    Make a token one that has done nothing yet. A token that leaves has empty hands, waits for nothing and nobody, and
    a slot that was never used is made so; the rest is done here.
    """
    token.loop_count = 0
    token.state = GOING
    token.status = -1
    token.parent = 0
    token.looped_at = -1


@kernel
def loop_again(s: Record, token: Record) -> int:
    """Count one more backward jump of a token, so that it draws anew; return DONE or a fault."""
    token.loop_count += 1
    if token.looped_at != s.now:
        token.looped_at = s.now
        token.loops_at_once = 0
    token.loops_at_once += 1
    if token.loops_at_once > MOST_LOOPS:
        s.fault = token.leave_step
        return ENDLESS
    return DONE


@inlined
def split(
    s: Record, flow: Flow, draws: Draws, tokens: Tokens, output: Output, slot: int, row: Record, first: int, count: int
) -> int:
    """Make children, each ready to start; return DONE or a fault."""
    every = tokens.tokens
    token = every[at(slot)]
    start, group = row.split_child, row.split_group
    leave = wide(flow.program[at(start)].leaves_at)
    for child in range(first, first + count):
        number = token.number - token.child + child
        kin = wide(token.next_kin)
        while kin != slot and every[at(kin)].number != number:
            kin = wide(every[at(kin)].next_kin)
        if every[at(kin)].number == number:
            s.fault = leave
            return TWICE
        other = new_slot(s, tokens)
        new = every[at(other)]
        clear(new)
        new.number = number
        new.ordinal = token.ordinal
        new.child = child
        new.pc = start
        new.arrived = s.now
        new.leave_step = leave
        new.klass = token.klass
        new.flags = token.flags
        new.loop_count = token.loop_count
        new.status = token.status
        inherit_members(s, tokens, slot, other)
        for number in range(s.deadlines):
            tokens.dues[at(other * s.deadlines + number)] = tokens.dues[at(slot * s.deadlines + number)]
        draw_ahead_apart(s, flow.program, draws.ahead, new, tokens.ahead, other * s.ahead, start)
        if group >= 0:
            new.parent = slot
            new.group = group
            token.children += 1
            tokens.children[at(slot * s.groups + group)] += 1
        following = token.next_kin
        new.next_kin = following
        new.last_kin = slot
        every[at(following)].last_kin = other
        token.next_kin = other
        begin_visit(s, output, leave)
        ready(s, tokens, other)
    return DONE


@inlined
def inherit_members(s: Record, tokens: Tokens, slot: int, other: int) -> None:
    """Let a token belong to the same members of its group as another one."""
    mine, its = slot * s.parties, other * s.parties
    for place in range(tokens.members[at(mine)] + 1):
        tokens.members[at(its + place)] = tokens.members[at(mine + place)]


@inlined
def leave_run(s: Record, tokens: Tokens, slot: int) -> None:
    """Free the slot of a token that leaves; a parent that waits for it goes on after the last child."""
    every = tokens.tokens
    token = every[at(slot)]
    following, before = token.next_kin, token.last_kin
    if following != slot:
        if token.children > 0:  # nobody waits for these any more
            _disown(s, tokens, slot)
        every[at(before)].next_kin = following
        every[at(following)].last_kin = before
    token.leads = 0
    for number in range(s.deadlines):
        tokens.dues[at(slot * s.deadlines + number)] = -1
    parent = wide(token.parent)
    if parent != 0:
        elder = every[at(parent)]
        group = token.group
        count = at(parent * s.groups + group)
        elder.children -= 1
        tokens.children[count] -= 1
        if elder.joins == group and tokens.children[count] == 0:
            elder.joins = -1
            ready(s, tokens, parent)
    token.number = -1
    token.next_ready = s.free_slot
    s.free_slot = slot
    s.free_slots += 1


@kernel
def _disown(s: Record, tokens: Tokens, slot: int) -> None:
    """Let nobody wait any more for the children of a token that leaves."""
    token = tokens.tokens[at(slot)]
    kin = token.next_kin
    while kin != slot:
        other = tokens.tokens[at(kin)]
        if other.parent == slot:
            other.parent = 0
        kin = other.next_kin
    token.children = 0
    for group in range(s.groups):
        tokens.children[at(slot * s.groups + group)] = 0


@kernel
def has_unit(s: Record, tokens: Tokens, slot: int) -> None:
    """Note which grant gave a token the unit with which it works."""
    s.grants += 1
    tokens.works[at(slot)].granted = s.grants


@kernel
def will_resume(s: Record, tokens: Tokens, slot: int) -> None:
    """Let the work of a token that has got a unit go on after that of those before it."""
    tokens.tokens[at(slot)].next_ready = 0
    if s.resume_last == 0:
        s.resume_first = slot
    else:
        tokens.tokens[at(s.resume_last)].next_ready = slot
    s.resume_last = slot
