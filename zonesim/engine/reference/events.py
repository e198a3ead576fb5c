"""
The event list of the reference engine, on SimPy.

SimPy keeps the order of an instant by priority: capacity changes, breakdowns and repairs (CHANGE); then, resource by
resource, what has to be interrupted (INTERRUPT); then, resource by resource, the queues (SERVE); tokens made ready,
first come first served (READY); then timed events by rank and token number (TIMED and above).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import simpy

from zonesim.plan import NUMBER_BITS

CHANGE: Final = -3 << 32
INTERRUPT: Final = -2 << 32
SERVE: Final = -1 << 32
READY: Final = 1
TIMED: Final = 2
"""
Priorities of SimPy events. INTERRUPT and SERVE have the number of the resource added; a timed event has TIMED + (rank
<< NUMBER_BITS | token number).
"""

DELAY_END: Final = TIMED + (1 << NUMBER_BITS)
ARRIVAL: Final = TIMED + (2 << NUMBER_BITS)
PATIENCE: Final = TIMED + (3 << NUMBER_BITS)
BATCH_TIMEOUT: Final = TIMED + (4 << NUMBER_BITS)
"""Priorities of timed events by rank, without the token number."""


class _Event(simpy.Event):
    """An event that is due at a fixed time, with a priority of our own."""

    def __init__(self, env: simpy.Environment, callback: Callable[[Any], None], priority: int, delay: int) -> None:
        super().__init__(env)
        self._ok = True
        self._value = None
        self.callbacks = [callback]
        env.schedule(self, priority, delay)  # type: ignore[arg-type]  # any int orders the event list


class EventList:
    """What is to happen, up to the `horizon`; `count` is how many timed events of tokens have happened."""

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self.count = 0
        # SimPy types its clock as a float; ours only ever holds whole milliseconds.
        self._env: Any = simpy.Environment(0)

    @property
    def now(self) -> int:
        """Return the time (ms)."""
        now: int = self._env.now
        return now

    def at(self, time: int, priority: int, act: Callable[[], None]) -> None:
        """Have something done at a time from now on; nothing that is due at or after the horizon is done."""
        if time < self.horizon:
            _Event(self._env, lambda _: act(), priority, time - self._env.now)

    def run(self) -> None:
        """Let everything happen; SimPy's own stop comes before every timed event of its instant."""
        self._env.run(until=self.horizon)
