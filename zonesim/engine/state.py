"""What a run is made of: tokens, their visits and requests, resources, batches, and work that can be interrupted."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from zonesim.plan import CHILD_BITS, LARGEST_ORDINAL, NEVER, NOWHERE, UNLIMITED

Needs = tuple[tuple["ResourceState", int], ...]
"""Resources, each with a number of its units."""


@dataclass(slots=True, eq=False)
class Visit:
    """
    An open visit: the step, when the token came, when it got its units (NEVER while it waits), and those units.

    `priority` is that with which they were asked for, `granted` the number of the grant that gave them, counted
    over the whole run. While the work is interrupted there are no units. `way`: which of several requests it was.
    """

    step: int
    queued: int
    started: int
    needs: Needs = ()
    priority: int = 0
    granted: int = 0
    way: int = 0


@dataclass(slots=True, eq=False)
class Token:
    """
    A consignment or one of its children.

    `row` is the next operation, `loop_count` counts backward jumps, `open` are its visits with units by slot, `delay`
    is the visit of a delay that is not in a block or of a wait for a batch or an hour. `waits_for` is set while it
    waits for units, `joins` while it waits for children, `batch` while it is in one that has not gone on; `leads` are
    the batches whose work it does. `work` is its delay that can be interrupted, while it lasts. `members` are those of
    the group to whom it belongs. `status` is -1 for none, `dues` are its deadlines (ms) by number.
    What it draws follows from `ordinal`, `child` and
    `loop_count`.
    """

    number: int
    ordinal: int
    child: int
    row: int
    arrived: int
    leave_step: int
    klass: int = 0
    flags: int = 0
    loop_count: int = 0
    parent: Token | None = None
    group: int = NOWHERE
    open: dict[int, Visit] = field(default_factory=dict)
    delay: Visit | None = None
    work: Work | None = None
    waits_for: Request | None = None
    joins: int = NOWHERE
    children: dict[int, int] = field(default_factory=dict)
    members: tuple[int, ...] = ()
    status: int = NOWHERE
    batch: Batch | None = None
    leads: dict[int, Batch] = field(default_factory=dict)
    looped_at: int = -1
    loops_at_once: int = 0
    dues: dict[int, int] = field(default_factory=dict)

    @property
    def sequence(self) -> int:
        """Return which of its source it is; the same as `ordinal` but for spawned tokens."""
        return self.number >> CHILD_BITS & LARGEST_ORDINAL

    def loop(self, now: int) -> int:
        """Count one more backward jump, so that it draws anew; return how many there were in this instant."""
        self.loop_count += 1
        if self.looped_at != now:
            self.looped_at, self.loops_at_once = now, 0
        self.loops_at_once += 1
        return self.loops_at_once


@dataclass(slots=True, eq=False)
class Way:
    """Units that may be granted, all or nothing, and how long (ms) they would be in use, where that is asked."""

    needs: Needs
    lasts: int = 0


@dataclass(slots=True, eq=False)
class Request:
    """
    Units of resources that a token waits for, in one of several ways, the preferred first. It stands in the queue of
    each resource of its `needs`, which are those of all ways, at (priority, arrival there).
    """

    token: Token
    visit: Visit
    priority: int
    arrival: int
    needs: Needs
    ways: tuple[Way, ...]
    gives_up: bool = False
    """Whether it ends by itself when nobody grants it."""
    resumes: Work | None = None
    """The interrupted work that goes on when it is granted."""

    @property
    def rank(self) -> tuple[int, int]:
        """Return the place in a queue."""
        return (self.priority, self.arrival)

    def need(self, resource: ResourceState) -> int:
        """Return how many units of `resource` are asked for."""
        for other, units in self.needs:
            if other is resource:
                return units
        return 0


class UseClock(Protocol):
    """Runs while the one unit of a resource is in use."""

    def start_or_stop(self, now: int) -> None:
        """Start or stop as the unit has come into use or out of it, has opened or closed."""


@dataclass(slots=True, eq=False)
class Fall:
    """A time at which units go off duty: how many stay, and how many are in use by work that ends later."""

    time: int
    stay: int
    beyond: int = 0


def _time(fall: Fall) -> int:
    return fall.time


@dataclass(slots=True, eq=False)
class ResourceState:
    """
    Units of one resource, and who waits for them.

    `scheduled` units are on duty; `down` are broken down by themselves, and all of them while `cuts` is above 0; the
    rest is the `capacity`. `used` may exceed it after a closing or a breakdown (work in hand is finished). The
    integrals `busy`, `open`, `broken` (unit-ms) and `queued` (token-ms) are those of the measured window [`begin`,
    `end`); an unlimited resource has no open integral. `falls` are the times at which units go off duty, where nothing
    starts that would not end before. `work` is what can be interrupted, if the resource `preempts` or work in hand
    `pauses` when units break down or leave; `clock` runs while its one unit is in use.
    """

    number: int
    begin: int
    end: int
    scheduled: int = 0
    capacity: int = 0
    down: int = 0
    cuts: int = 0
    used: int = 0
    queue: list[tuple[tuple[int, int], Request]] = field(default_factory=list)
    last: int = 0
    busy: int = 0
    open: int = 0
    broken: int = 0
    queued: int = 0
    peak: int = 0
    falls: Sequence[Fall] = ()
    preempts: bool = False
    pauses: bool = False
    work: list[Work] = field(default_factory=list)
    clock: UseClock | None = None

    def count(self, now: int) -> None:
        """Bring the integrals up to `now`; call before anything changes."""
        time = min(max(now, self.begin), self.end)
        passed = time - self.last
        if passed:
            self.busy += passed * self.used
            if self.scheduled < UNLIMITED:
                self.open += passed * self.scheduled
                self.broken += passed * (self.scheduled - self.capacity)
            self.queued += passed * len(self.queue)
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
            self.clock.start_or_stop(now)

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

    def falls_within(self, now: int, end: int) -> Sequence[Fall]:
        """Return the falls later than `now` and before `end`."""
        first, last = (
            bisect_right(self.falls, now, key=_time),
            bisect_left(self.falls, end, key=_time),
        )
        return self.falls[first:last]

    def use(self, units: int, now: int) -> None:
        """Have `units` more in use, or fewer where they are below 0."""
        self.count(now)
        self.used += units
        if self.clock is not None:
            self.clock.start_or_stop(now)


@dataclass(slots=True, eq=False)
class Batch:
    """
    Tokens in the order in which they joined.

    `number` is that of the operation table, `key` what its tokens have in common. `due` is when it is complete
    whoever has come, -1: not by itself. The first who joined leads when `led`.
    """

    number: int
    key: tuple[int, int]
    tokens: list[Token] = field(default_factory=list)
    due: int = NOWHERE
    complete: bool = False
    led: bool = False

    @property
    def leader(self) -> Token:
        """Return the first who joined."""
        return self.tokens[0]


@dataclass(slots=True, eq=False)
class Work:
    """
    A DELAY that can be interrupted: who does it with which unit (`visit`), the `step` of its interruptions, the
    `calendar` it counts in, what was `left` of it (ms) when it last went on at `since`, and its `end` as it stands.

    `epoch` counts how often it went on: an end that was scheduled in an earlier epoch is none. `stopped` is when it was
    interrupted, NEVER while it goes on.
    """

    token: Token
    visit: Visit
    resource: ResourceState
    step: int
    calendar: int
    left: int
    since: int
    end: int
    epoch: int = 0
    stopped: int = NEVER


Act = Callable[[int], None]
"""Does something at a time (ms)."""
