"""
Clocks of breakdowns: each row of the breakdowns table fails and is repaired in turns.

Cycle n (from 0) draws its time until the breakdown, at least 1 ms, when the repair of cycle n - 1 ends (cycle 0 at time
0), and its time of repair when it breaks down. Breakdowns and repairs are capacity changes: of all that happens at an
instant they come first, in any order (they only add up), then what has to be interrupted, then the lines. One that is
due at or after the end of the run does not happen, and none counts as a timed event.

A clock that is `busy` counts the time in which the one unit of its resource is in use and, where work pauses, open.
It does not count while the unit is broken down, also where work in hand is finished meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zonesim.engine.resources import Pool

Draw = Callable[[int, int, int], int]
"""Returns what a law gives with a stream in a cycle, in ms."""

At = Callable[[int, Pool, Callable[[int], None]], None]
"""Has something done at a time (ms), with this time, among the capacity changes of a resource."""


@dataclass(eq=False)
class Clock:
    """A clock that runs always: `units` of a resource (-1: all) that break down together."""

    pool: Pool
    units: int
    up: tuple[int, int]
    repair: tuple[int, int]
    draw: Draw
    at: At
    cycle: int = 0

    def start(self, now: int) -> None:
        """Begin a cycle."""
        self.at(now + self.until(), self.pool, self.fail)

    def until(self) -> int:
        """Return the time until the breakdown of this cycle."""
        return max(1, self.draw(*self.up, self.cycle))

    def fail(self, now: int) -> None:
        """Break down."""
        self.pool.put_out(self.units, now)
        self.at(now + self.draw(*self.repair, self.cycle), self.pool, self.mend)

    def mend(self, now: int) -> None:
        """Be repaired, and begin the next cycle."""
        self.pool.put_out(self.units, now, back=True)
        self.cycle += 1
        self.start(now)


@dataclass(eq=False)
class BusyClock(Clock):
    """
    A clock that runs while the one unit of its resource is in use: `left` ms until the breakdown when it last
    started or stopped, `due` while it runs. `turns` counts stops: what was due before the last one is not.
    """

    left: int = 0
    due: int | None = None
    turns: int = 0
    broken: bool = False

    def start(self, now: int) -> None:
        """Begin a cycle."""
        self.left = self.until()
        self.broken = False
        self.turn(now)

    def turn(self, now: int) -> None:
        """Start or stop as the unit has come into use or out of it, has opened or closed."""
        runs = self.pool.used > 0 and not self.broken and (self.pool.scheduled > 0 or not self.pool.pauses)
        if runs and self.due is None:
            self.due = now + self.left
            turn = self.turns
            self.at(self.due, self.pool, lambda time: self.fail(time) if self.turns == turn else None)
        elif not runs and self.due is not None:
            self.left, self.due = self.due - now, None
            self.turns += 1

    def fail(self, now: int) -> None:
        """Break down."""
        self.broken = True
        self.turn(now)
        super().fail(now)
