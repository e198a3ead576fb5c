"""Work that is interrupted (the rules stand in `zonesim.engine.preemption`), and instants of changed capacity."""

from __future__ import annotations

from zonesim.compiled.jit import kernel
from zonesim.engine.kernel.breakdowns import break_and_mend, look_ahead, open_and_close, start_or_stop
from zonesim.engine.kernel.calendars import end_of, passed
from zonesim.engine.kernel.events import schedule, sweep_if_stale
from zonesim.engine.kernel.layout import (
    DELAY_END,
    GOING,
    INTERRUPTED,
    NEVER,
    TO_CUT,
    TO_SERVE,
    WORKING,
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
from zonesim.engine.kernel.output import begin_visit, write_visit
from zonesim.engine.kernel.queues import grant, leave_queues, note_peak, prepend, seize, serve_apart
from zonesim.engine.kernel.tokens import has_unit


@kernel
def begin_work(
    s: Record,
    flow: Flow,
    tokens: Tokens,
    resources: Resources,
    hours: Hours,
    events: Rows,
    output: Output,
    slot: int,
    duration: int,
) -> None:
    """Let a token begin a delay that can be interrupted: from now on who is more important may take its unit."""
    token, work = tokens.tokens[at(slot)], tokens.works[at(slot)]
    token.queue_row = work.row
    token.priority = work.priority
    work.left = duration
    work.scheduled = NEVER
    resource = wide(flow.program[at(work.row)].resource)
    _go_on(s, flow, tokens, resources, hours, events, slot, resource)
    carry_on(s, flow, tokens, resources, hours, events, output, resource)


@kernel
def _go_on(
    s: Record, flow: Flow, tokens: Tokens, resources: Resources, hours: Hours, events: Rows, slot: int, resource: int
) -> None:
    """Schedule the end of a delay that can be interrupted; one that is still in the event list is good again."""
    token, work = tokens.tokens[at(slot)], tokens.works[at(slot)]
    calendar = flow.program[at(token.pc - 1)].delay_calendar
    due = end_of(s, hours, calendar, work.left)
    token.state = WORKING
    work.since = passed(s, hours, calendar)
    work.end = due
    state = resources.states[at(resource)]
    first = state.workers
    work.next = first
    work.before = 0
    if first != 0:
        tokens.works[at(first)].before = slot
    state.workers = slot
    if due == work.scheduled:
        s.stale -= 1
    elif due < s.horizon:
        work.scheduled = due
        schedule(s, events, due, DELAY_END, token.number, slot)
        sweep_if_stale(s, events, tokens)


@kernel
def _works_no_more(tokens: Tokens, state: Record, slot: int) -> None:
    """Take a token out of those whose work with a unit of a resource can be interrupted."""
    work = tokens.works[at(slot)]
    if work.before == 0:
        state.workers = work.next
    else:
        tokens.works[at(work.before)].next = work.next
    if work.next != 0:
        tokens.works[at(work.next)].before = work.before


@kernel
def work_ends(s: Record, flow: Flow, tokens: Tokens, resources: Resources, slot: int) -> bool:
    """Return whether the work of a token ends now, else the event is that of an end before it was interrupted."""
    token = tokens.tokens[at(slot)]
    if token.state == INTERRUPTED or tokens.works[at(slot)].end != s.now:
        s.stale -= 1
        return False
    _works_no_more(tokens, resources.states[at(flow.program[at(token.queue_row)].resource)], slot)
    token.state = GOING
    return True


@kernel
def _victim(s: Record, tokens: Tokens, state: Record, priority: int) -> int:
    """Return whose unit of a resource somebody of this priority may take; 0: nobody's."""
    found, least, latest = 0, priority, 0
    slot = state.workers
    while slot != 0:
        work = tokens.works[at(slot)]
        less = work.priority > least or (work.priority == least and work.granted > latest)
        if work.end > s.now and work.priority > priority and less:
            found, least, latest = slot, work.priority, work.granted
        slot = work.next
    return found


@kernel
def _interrupt(
    s: Record,
    flow: Flow,
    tokens: Tokens,
    resources: Resources,
    hours: Hours,
    output: Output,
    slot: int,
    resource: int,
) -> None:
    """Interrupt the work of a token: its unit is free, and it stands at the head of its priority."""
    token, work = tokens.tokens[at(slot)], tokens.works[at(slot)]
    state = resources.states[at(resource)]
    row = flow.program[at(token.pc - 1)]
    _works_no_more(tokens, state, slot)
    work.left -= passed(s, hours, row.delay_calendar) - work.since
    work.stopped = s.now
    token.state = INTERRUPTED
    if work.end < s.horizon:
        s.stale += 1
    # When it goes on there is one more row and one more event.
    s.events_limit -= 1
    s.visits_limit -= 1
    state.used -= 1
    state.busy -= s.left
    if state.clock != 0:
        start_or_stop(s, resources, state)
    prepend(s, resources, tokens.nodes, resource, work.priority, slot << s.node_bits)
    note_peak(s, state)
    begin_visit(s, output, row.delay_interrupted)


@kernel
def _resume(
    s: Record,
    flow: Flow,
    tokens: Tokens,
    resources: Resources,
    hours: Hours,
    events: Rows,
    output: Output,
    slot: int,
) -> None:
    """Let interrupted work go on with the unit that its token has got."""
    token = tokens.tokens[at(slot)]
    resource = wide(flow.program[at(tokens.works[at(slot)].row)].resource)
    step = flow.program[at(token.pc - 1)].delay_interrupted
    write_visit(s, output, step, token.number, tokens.works[at(slot)].stopped, s.now)
    s.events_limit += 1
    s.visits_limit += 1
    _go_on(s, flow, tokens, resources, hours, events, slot, resource)


@kernel
def _first_in_queue(s: Record, resources: Resources, resource: int) -> int:
    """Return the slot of who is first in the queue of a resource for which somebody waits."""
    place = resource * s.priorities
    while resources.queues[at(place)].first == 0:
        place += 1
    return resources.queues[at(place)].first >> s.node_bits


@kernel
def _overtakes(
    s: Record,
    flow: Flow,
    tokens: Tokens,
    resources: Resources,
    hours: Hours,
    output: Output,
    slot: int,
    resource: int,
) -> bool:
    """Let the first in the queue take the unit of a victim; return whether there is one."""
    state = resources.states[at(resource)]
    if state.used > state.capacity:
        return False
    token = tokens.tokens[at(slot)]
    found = _victim(s, tokens, state, wide(token.priority))
    if found == 0:
        return False
    leave_queues(s, flow, tokens, resources, slot)
    _interrupt(s, flow, tokens, resources, hours, output, found, resource)
    seize(s, flow, tokens, resources, slot, flow.program[at(token.queue_row)], 0)
    return True


@kernel
def takes_over(
    s: Record,
    flow: Flow,
    tokens: Tokens,
    resources: Resources,
    hours: Hours,
    output: Output,
    slot: int,
) -> bool:
    """Let a newcomer that has joined the queue of a resource take the unit of a victim; return whether it did."""
    resource = wide(flow.program[at(tokens.tokens[at(slot)].queue_row)].resource)
    if resources.states[at(resource)].preempts == 0 or _first_in_queue(s, resources, resource) != slot:
        return False
    return _overtakes(s, flow, tokens, resources, hours, output, slot, resource)


@kernel
def resume_all(
    s: Record,
    flow: Flow,
    tokens: Tokens,
    resources: Resources,
    hours: Hours,
    events: Rows,
    output: Output,
) -> None:
    """
    Let all interrupted work go on that has got a unit, of whichever resource: who is granted in one way of an EITHER
    holds up nobody any more in the queues of the others.
    """
    slot = s.resume_first
    while slot != 0:
        following = wide(tokens.tokens[at(slot)].next_ready)
        _resume(s, flow, tokens, resources, hours, events, output, slot)
        slot = following
    s.resume_first = s.resume_last = 0


@kernel
def carry_on(
    s: Record,
    flow: Flow,
    tokens: Tokens,
    resources: Resources,
    hours: Hours,
    events: Rows,
    output: Output,
    resource: int,
) -> None:
    """Let interrupted work go on that has got a unit, then those who wait for a resource take the units of victims."""
    resume_all(s, flow, tokens, resources, hours, events, output)
    state = resources.states[at(resource)]
    while state.preempts != 0 and state.waiting > 0:
        slot = _first_in_queue(s, resources, resource)
        if not _overtakes(s, flow, tokens, resources, hours, output, slot, resource):
            break
        has_unit(s, tokens, slot)
        if tokens.tokens[at(slot)].state == INTERRUPTED:
            _resume(s, flow, tokens, resources, hours, events, output, slot)
        else:
            grant(s, flow, tokens, slot)


@kernel
def change_capacity(
    s: Record,
    flow: Flow,
    draws: Draws,
    tokens: Tokens,
    resources: Resources,
    hours: Hours,
    events: Rows,
    output: Output,
) -> None:
    """
    Apply all capacity changes, breakdowns and repairs of this instant; then, resource by resource, cut short the work
    that has no unit any more; then, resource by resource, serve the queues. A unit that is due to break down when it
    comes into use does so before the next queue is served.
    """
    s.touched_first, s.touched_last = s.resources, -1
    again = True
    while again:
        again = False
        open_and_close(s, resources)
        break_and_mend(s, draws, resources)
        look_ahead(s, resources)
        for resource in range(s.touched_first, s.touched_last + 1):
            state = resources.states[at(resource)]
            if state.touched & TO_CUT == 0:
                continue
            state.touched = TO_SERVE
            while state.used > state.capacity:
                found = 0
                if state.pauses != 0 and state.scheduled > 0:
                    found = _victim(s, tokens, state, wide(-1))
                if found == 0:
                    break
                _interrupt(s, flow, tokens, resources, hours, output, found, resource)
        for resource in range(s.touched_first, s.touched_last + 1):
            state = resources.states[at(resource)]
            if state.touched == 0:
                continue
            state.touched = 0
            if state.waiting > 0:
                serve_apart(s, flow, tokens, resources, resource)
            if state.preempts + state.pauses != 0:
                carry_on(s, flow, tokens, resources, hours, events, output, resource)
            elif s.resume_first != 0:
                resume_all(s, flow, tokens, resources, hours, events, output)
            if s.next_change <= s.now:
                again = True
                break
