"""
Resources as pools of units with one waiting line, and the rule by which requests are granted.

A request is granted when every need fits the free units now and nobody ahead of it, at any of its resources, is
short of that resource. Nothing is reserved while waiting. A waiter that is short of something else does not block
those behind it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zonesim.plan.plan import UNLIMITED

if TYPE_CHECKING:
    from zonesim.engine.breakdowns import BusyClock
    from zonesim.engine.preemption import Work
    from zonesim.engine.tokens import Token, Visit


@dataclass(slots=True, eq=False)
class Request:
    """Units of one or more pools that a token waits for. It stands in every line at (priority, arrival in line)."""

    token: Token
    visit: Visit
    priority: int
    arrival: int
    needs: tuple[tuple[Pool, int], ...]
    lasts: int = 0
    """How long (ms) the units would be in use; only asked where nothing starts that does not fit."""
    gives_up: bool = False
    """Whether it ends by itself when nobody grants it."""
    resumes: Work | None = None
    """The interrupted work that goes on when it is granted."""

    @property
    def rank(self) -> tuple[int, int]:
        """Return the place in line."""
        return (self.priority, self.arrival)

    def need(self, pool: Pool) -> int:
        """Return how many units of `pool` are asked for."""
        for other, units in self.needs:
            if other is pool:
                return units
        return 0


@dataclass(slots=True, eq=False)
class Pool:
    """
    Units of one resource.

    `scheduled` units are on duty; `down` are broken down by themselves, and all of them while `cuts` is above 0; the
    rest is the `capacity`. `used` may exceed it after a closing or a breakdown
    (work in hand is finished). The integrals count unit-ms and token-ms inside the measured window [`begin`, `end`);
    an unlimited resource has no open integral. `closings` are the times at which units go off duty, where nothing
    starts that would not end before. `work` is what can be interrupted, if the resource `preempts` or work in hand
    `pauses` when units break down; `clock` runs while its one unit is in use.
    """

    number: int
    begin: int
    end: int
    scheduled: int = 0
    capacity: int = 0
    down: int = 0
    cuts: int = 0
    used: int = 0
    line: list[tuple[tuple[int, int], Request]] = field(default_factory=list)
    last: int = 0
    busy: int = 0
    open: int = 0
    broken: int = 0
    queue: int = 0
    peak: int = 0
    closings: Sequence[int] = ()
    preempts: bool = False
    pauses: bool = False
    work: list[Work] = field(default_factory=list)
    clock: BusyClock | None = None

    def count(self, now: int) -> None:
        """Bring the integrals up to `now`; call before anything changes."""
        time = min(max(now, self.begin), self.end)
        passed = time - self.last
        if passed:
            self.busy += passed * self.used
            if self.scheduled < UNLIMITED:
                self.open += passed * self.scheduled
                self.broken += passed * (self.scheduled - self.capacity)
            self.queue += passed * len(self.line)
            self.last = time

    @property
    def free(self) -> int:
        """Return the units free now; negative when more are in use than there are."""
        return self.capacity - self.used

    def schedule(self, units: int, now: int) -> None:
        """Have so many units on duty from now on."""
        self.count(now)
        self.scheduled = units
        self._settle()
        if self.clock is not None:
            self.clock.turn(now)

    def put_out(self, units: int, now: int, *, back: bool = False) -> None:
        """Let `units` (-1: all) break down, or come back from their repair."""
        self.count(now)
        sign = -1 if back else 1
        if units < 0:
            self.cuts += sign
        else:
            self.down += sign * units
        self._settle()

    def _settle(self) -> None:
        self.capacity = 0 if self.cuts else max(0, self.scheduled - self.down)

    def use(self, units: int, now: int) -> None:
        """Take `units`, or give them back where they are below 0."""
        self.count(now)
        self.used += units
        if self.clock is not None:
            self.clock.turn(now)


def enter(request: Request, now: int) -> bool:
    """Let a newcomer join its lines; return True, with the units taken, when it need not wait."""
    ends_in_time = in_time(request, now)
    if ends_in_time and all(not pool.line and units <= pool.capacity - pool.used for pool, units in request.needs):
        take(request, now)
        return True
    join(request, now)
    if ends_in_time and _grantable(request, None):
        leave(request, now)
        take(request, now)
        return True
    for pool, _ in request.needs:
        note_peak(pool, now)
    return False


def note_peak(pool: Pool, now: int) -> None:
    """Let the longest queue count a line that has grown."""
    if pool.begin <= now < pool.end and len(pool.line) > pool.peak:
        pool.peak = len(pool.line)


def give_back(needs: tuple[tuple[Pool, int], ...], now: int) -> list[Request]:
    """Give units back; return the requests that are granted by it, in order."""
    for pool, units in needs:
        pool.use(-units, now)
    granted: list[Request] = []
    for pool, _ in needs:
        if pool.line:
            granted += serve(pool, now)
    return granted


def serve(pool: Pool, now: int) -> list[Request]:
    """Grant, in order, every waiting request that the rule allows now; return them with their units taken."""
    granted: list[Request] = []
    position = 0
    passed_over = 0
    while position < len(pool.line):
        request = pool.line[position][1]
        units = request.need(pool)
        # Whoever is short of this resource blocks all behind; also someone passed over, whom a later grant has made
        # short.
        if max(units, passed_over) > pool.free:
            break
        if (len(request.needs) == 1 or _grantable(request, pool)) and in_time(request, now):
            leave(request, now)
            take(request, now)
            granted.append(request)
        else:
            passed_over = max(passed_over, units)
            position += 1
    return granted


def in_time(request: Request, now: int) -> bool:
    """Return whether work that starts now ends before any of its units goes off duty, where that is asked."""
    for pool, _ in request.needs:
        following = bisect_right(pool.closings, now)
        if following < len(pool.closings) and now + request.lasts > pool.closings[following]:
            return False
    return True


def peak_now(pools: list[Pool], now: int) -> None:
    """Let the longest queue count what already waits when the measured window begins."""
    for pool in pools:
        pool.count(now)
        pool.peak = max(pool.peak, len(pool.line))


def _grantable(request: Request, known: Pool | None) -> bool:
    for pool, units in request.needs:
        if pool is known:
            continue
        free = pool.capacity - pool.used
        if units > free:
            return False
        for _, ahead in pool.line:
            if ahead is request:
                break
            if ahead.need(pool) > free:
                return False
    return True


def take(request: Request, now: int) -> None:
    """Take the units of a request."""
    for pool, units in request.needs:
        pool.use(units, now)


def join(request: Request, now: int) -> None:
    """Put a request into its lines, each at its place."""
    for pool, _ in request.needs:
        pool.count(now)
        insort(pool.line, (request.rank, request), key=_rank)


def leave(request: Request, now: int) -> None:
    """Take a waiting request out of its lines."""
    for pool, _ in request.needs:
        pool.count(now)
        del pool.line[bisect_left(pool.line, request.rank, key=_rank)]


def _rank(entry: tuple[tuple[int, int], Request]) -> tuple[int, int]:
    return entry[0]
