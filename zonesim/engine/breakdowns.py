"""
Clocks of breakdowns: each row of the breakdowns table fails and is repaired in turns.

Cycle n (from 0) draws its time until the breakdown, at least 1 ms, when the repair of cycle n - 1 ends (cycle 0 at time
0), and its time of repair when it breaks down. Breakdowns and repairs are capacity changes: of all that happens at an
instant they come first, in any order (they only add up), then what has to be interrupted, then the queues. One that is
due at or after the end of the run does not happen, and none counts as a timed event.

A clock that is `busy` counts the time in which the one unit of its resource is in use and, where work pauses, open.
It does not count while the unit is broken down, also where work in hand is finished meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zonesim.engine.state import Act, ResourceState

Draw = Callable[[int, int, int], int]
"""Returns what a distribution gives with a stream in a cycle, in ms."""

At = Callable[[int, ResourceState, Act], None]
"""Has something done at a time (ms), with this time, among the capacity changes of a resource."""


@dataclass(eq=False)
class Clock:
    """A clock that runs always: `units` of a resource (-1: all) that break down together."""

    resource: ResourceState
    units: int
    up: tuple[int, int]
    repair: tuple[int, int]
    draw: Draw
    at: At
    cycle: int = 0

    def start(self, now: int) -> None:
        """Begin a cycle."""
        self.at(now + self.until(), self.resource, self.fail)

    def until(self) -> int:
        """Return the time until the breakdown of this cycle."""
        return max(1, self.draw(*self.up, self.cycle))

    def fail(self, now: int) -> None:
        """Break down."""
        self.resource.put_out(self.units, now)
        self.at(now + self.draw(*self.repair, self.cycle), self.resource, self.mend)

    def mend(self, now: int) -> None:
        """Be repaired, and begin the next cycle."""
        self.resource.put_out(self.units, now, back=True)
        self.cycle += 1
        self.start(now)


@dataclass(eq=False)
class BusyClock(Clock):
    """
    A clock that runs while the one unit of its resource is in use: `left` ms until the breakdown when it last
    started or stopped, `due` while it runs. `epoch` counts stops: what was due before the last one is not.
    """

    left: int = 0
    due: int | None = None
    epoch: int = 0
    broken: bool = False

    def start(self, now: int) -> None:
        """Begin a cycle."""
        self.left = self.until()
        self.broken = False
        self.start_or_stop(now)

    def start_or_stop(self, now: int) -> None:
        """Start or stop as the unit has come into use or out of it, has opened or closed."""
        runs = self.resource.used > 0 and not self.broken and (self.resource.scheduled > 0 or not self.resource.pauses)
        if runs and self.due is None:
            self.due = now + self.left
            epoch = self.epoch
            self.at(self.due, self.resource, lambda time: self.fail(time) if self.epoch == epoch else None)
        elif not runs and self.due is not None:
            self.left, self.due = self.due - now, None
            self.epoch += 1

    def fail(self, now: int) -> None:
        """Break down."""
        self.broken = True
        self.start_or_stop(now)
        super().fail(now)
