"""Capacity that changes by calendars, and clocks that make units fail and be repaired in turns."""

from __future__ import annotations

from typing import Final

from zonesim.compiled.jit import inlined, kernel
from zonesim.engine.kernel.draws import draw
from zonesim.engine.kernel.layout import (
    FOREVER,
    TO_CUT,
    TO_SERVE,
    UNLIMITED,
    Draws,
    Record,
    Resources,
    at,
    wide,
)

_ZERO: Final = wide(0)


@kernel
def start_or_stop(s: Record, resources: Resources, state: Record) -> None:
    """Start or stop the clock of a resource: its unit comes into use or out of it, opens or closes."""
    clock = resources.clocks[at(state.clock - 1)]
    if clock.down != 0:
        return
    runs = state.used > 0 and (state.scheduled > 0 or state.pauses == 0)
    if runs and clock.due == FOREVER:
        clock.due = s.now + clock.left
        s.next_change = min(s.next_change, clock.due)
    elif not runs and clock.due != FOREVER:
        clock.left = clock.due - s.now
        clock.due = FOREVER


@inlined
def _draw(s: Record, draws: Draws, distribution: int, stream: int, cycle: int) -> int:
    """Return a time (ms) that a clock draws in a cycle."""
    identity = draws.streams[at(stream)]
    return draw(s, draws.distributions, draws.numbers, distribution, identity, _ZERO, cycle, _ZERO, _ZERO)


@kernel
def _begin_cycle(s: Record, draws: Draws, resources: Resources, number: int) -> None:
    """Draw the time until the next breakdown, at least 1 ms."""
    clock = resources.clocks[at(number)]
    time = max(1, _draw(s, draws, clock.up, clock.up_stream, clock.cycle))
    clock.down = 0
    if clock.busy != 0:
        clock.left = time
        clock.due = FOREVER
        start_or_stop(s, resources, resources.states[at(clock.resource)])
    else:
        clock.due = s.now + time


@kernel
def start_clocks(s: Record, draws: Draws, resources: Resources) -> None:
    """Set the clocks of all breakdowns going, before a run."""
    for number in range(s.clocks):
        _begin_cycle(s, draws, resources, number)


@kernel
def set_capacity(s: Record, resources: Resources, resource: int, scheduled: int, down: int) -> None:
    """Have so many units of a resource on duty, and so many broken down, from now on."""
    state = resources.states[at(resource)]
    before = state.scheduled
    if before < UNLIMITED:
        state.open -= before * s.left
        state.broken -= (before - state.capacity) * s.left
    capacity = max(0, scheduled - down)
    if scheduled < UNLIMITED:
        state.open += scheduled * s.left
        state.broken += (scheduled - capacity) * s.left
    state.scheduled = scheduled
    state.down = down
    state.capacity = capacity
    state.touched = TO_CUT | TO_SERVE
    s.touched_first = min(s.touched_first, resource)
    s.touched_last = max(s.touched_last, resource)


@kernel
def open_and_close(s: Record, resources: Resources) -> None:
    """Apply the capacity changes of calendars of this instant."""
    while s.changes_made < s.changes:
        change = resources.changes[at(s.changes_made)]
        if change.time > s.now:
            break
        state = resources.states[at(change.resource)]
        set_capacity(s, resources, change.resource, change.units, state.down)
        if state.clock != 0:
            start_or_stop(s, resources, state)
        s.changes_made += 1


@kernel
def break_and_mend(s: Record, draws: Draws, resources: Resources) -> None:
    """Let all that is due now break down or be repaired; no clock breaks down twice in an instant."""
    for number in range(s.clocks):
        clock = resources.clocks[at(number)]
        state = resources.states[at(clock.resource)]
        while clock.due <= s.now:
            if clock.down == 0:
                clock.down = 1
                set_capacity(s, resources, clock.resource, state.scheduled, state.down + clock.units)
                clock.due = s.now + _draw(s, draws, clock.repair, clock.repair_stream, clock.cycle)
            else:
                set_capacity(s, resources, clock.resource, state.scheduled, state.down - clock.units)
                clock.cycle += 1
                _begin_cycle(s, draws, resources, number)


@kernel
def look_ahead(s: Record, resources: Resources) -> None:
    """Find out when a capacity may change next."""
    due = FOREVER
    if s.changes_made < s.changes:
        due = resources.changes[at(s.changes_made)].time
    for number in range(s.clocks):
        due = min(due, resources.clocks[at(number)].due)
    s.next_change = due
