"""
The ground of the reference engine: its event list, its tables, luck, open time.

SimPy's event list keeps the order of an instant by priority: capacity changes, breakdowns and repairs (CHANGE); then,
resource by resource, what has to be interrupted (INTERRUPT); then, resource by resource, the lines (SERVE); tokens made
ready, first come first served (1); then timed events by rank and token number (2 and above).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any, Final

import simpy

from zonesim.compiled.streams import run_key
from zonesim.engine.recording import Recorder
from zonesim.engine.resources import Pool
from zonesim.engine.sampling import draw_ms, prepare
from zonesim.engine.tokens import Token
from zonesim.plan.operations import NOWHERE
from zonesim.plan.plan import Plan
from zonesim.plan.records import NUMBER_BITS, Sink

CHANGE: Final = -3 << 32
INTERRUPT: Final = -2 << 32
SERVE: Final = -1 << 32
READY: Final = 1
TIMED: Final = 2
"""
Priorities of SimPy events. INTERRUPT and SERVE have the number of the resource added; a timed event has TIMED + (rank
<< 40 | token number).
"""

DELAY_END: Final = 1 << NUMBER_BITS
ARRIVAL: Final = 2 << NUMBER_BITS
PATIENCE: Final = 3 << NUMBER_BITS
BATCH_TIMEOUT: Final = 4 << NUMBER_BITS
"""Ranks of timed events, shifted above the token number."""


class Event(simpy.Event):
    """An event that is due at a fixed time, with a priority of our own."""

    def __init__(
        self, env: simpy.Environment, callback: Callable[[Any], None], value: object, priority: int, delay: int
    ) -> None:
        super().__init__(env)
        self._ok = True
        self._value = value
        self.callbacks = [callback]
        env.schedule(self, priority, delay)  # type: ignore[arg-type]  # any int orders the event list


class Ground(ABC):
    """One replication: what all operations stand on."""

    def __init__(self, plan: Plan, seed: int, replication: int, sink: Sink) -> None:
        self.plan = plan
        self.key = run_key(seed, replication)
        # SimPy types its clock as a float; ours only ever holds whole milliseconds.
        self.env: Any = simpy.Environment(0)
        begin, end, self.horizon = (int(value) for value in plan.window)
        self.begin, self.end = begin, end
        self.recorder = Recorder(sink, len(plan.names.steps), begin, end)
        self.program: list[list[int]] = plan.program.tolist()
        self.laws, self.numbers = prepare(plan.laws, plan.numbers)
        self.streams = list(plan.streams)
        self.pools = [Pool(number, begin, end, last=begin) for number in range(len(plan.resources))]
        self.spans = [plan.spans[first : first + rows].tolist() for first, rows in plan.calendars.tolist()]
        self.events = 0

    @abstractmethod
    def _go(self, token: Token) -> None:
        """Let a token act until it waits or leaves."""

    @abstractmethod
    def _pass_again(self, token: Token) -> None:
        """Count one more pass of a token that goes back, so that it draws anew."""

    def _ready(self, token: Token) -> None:
        """Let a token go on when those made ready before it have had their turn."""
        Event(self.env, self._turn, token, READY, 0)

    def _turn(self, event: Any) -> None:  # noqa: ANN401
        self._go(event.value)

    # --- luck and time

    def _draw(self, token: Token, law: int, stream: int) -> int:
        value: int = draw_ms(
            self.laws,
            self.numbers,
            law,
            token.klass,
            self.key,
            self.streams[stream],
            token.ordinal,
            token.child,
            token.passes,
        )
        return value

    def _draw_for_cycle(self, law: int, stream: int, cycle: int) -> int:
        value: int = draw_ms(self.laws, self.numbers, law, 0, self.key, self.streams[stream], cycle, 0, 0)
        return value

    def _end_of(self, calendar: int, now: int, duration: int) -> int:
        return now + duration if calendar == NOWHERE else self._open_end(calendar, now, duration)

    def _open_end(self, calendar: int, now: int, duration: int) -> int:
        """
        Return when `duration` of open time has passed since `now`; exactly at closing still counts, 0 ends at once.
        """
        if duration == 0:
            return now
        spans = self.spans[calendar]
        if not spans:
            return self.horizon
        position = bisect_right(spans, now, key=lambda span: span[0]) - 1
        done = 0
        if position >= 0:
            opens, closes, before = spans[position]
            done = before + min(now, closes) - opens
        due = done + duration
        position = bisect_left(spans, due, key=lambda span: span[2]) - 1
        opens, closes, before = spans[position]
        return opens + due - before if due <= before + closes - opens else self.horizon

    def _open_time(self, calendar: int, begin: int, end: int) -> int:
        """Return how much of a time is open."""
        return self._open_before(calendar, end) - self._open_before(calendar, begin)

    def _open_before(self, calendar: int, time: int) -> int:
        spans = self.spans[calendar]
        position = bisect_right(spans, time, key=lambda span: span[0]) - 1
        if position < 0:
            return 0
        opens, closes, before = spans[position]
        return int(before + min(time, closes) - opens)
