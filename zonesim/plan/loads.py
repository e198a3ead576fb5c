"""
Load of every resource from the traffic equations, before anything runs.

Load = expected busy units over units there, in the measured window; of units that break down, the share that is in
order on average. The work follows from the shares of the program (see `zonesim.plan.work`): it is known, or it lies
between two bounds because it depends on the state of the system. What waits in a queue with units in hand comes on top.

By the hour: the arrivals' profile is moved by the mean time from arrival to the step, and flattened when that is more
than half a day; where a resource closes, work waits for the opening, so its mean load is given for every open hour.
Where its units differ by the hour, each has its own work over its own units, and only what comes while it is closed is
spread over all open ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.plan.columns import Floats
from zonesim.plan.graph import Cause, Line
from zonesim.plan.growth import must_be_done
from zonesim.plan.kinds import MOST_KINDS
from zonesim.plan.operations import NOWHERE, GatherBy
from zonesim.plan.pace import (
    HOURS,
    in_order,
    is_cut_off_somewhere,
    mean_present,
    opening_rate,
    spills,
    weekly_rate,
    weekly_units,
    window_rate,
    window_units,
)
from zonesim.plan.plan import UNLIMITED, Plan
from zonesim.plan.settling import settle
from zonesim.plan.ways import Ways
from zonesim.plan.work import SAME, Work
from zonesim.units import DAY, HOUR

FULL: Final = 1 - SAME

ROUNDS: Final = 50
"""So many times it is asked how many go on from departures that are full, where these lie behind each other."""

REMEMBERED: Final = 20_000
"""So many loads are kept that have been asked for before: they follow from the plan, and take up to a second."""

Starts = dict[int, list[tuple[float, int]]]
"""By source: the share of each kind of its tokens, and the node at which they start."""


@dataclass(frozen=True)
class Load:
    """Load of a resource, or of departures: tokens over places; 1 = 100 %."""

    resource: int
    """Row of the resources table; -1: of departures."""
    low: float
    """The least that it may be."""
    high: float
    """The most that it may be."""
    waits: bool
    """Whether it may be in hand in a queue for others, on top."""
    hourly: Floats
    """By hour of the week, 168 values, Monday 00:00 first."""
    causes: tuple[Cause, ...] = ()
    """Why it is not known."""
    must: float = 0.0
    """
    The load that cannot be turned away, once the queue is long, by arrivals that go on without end; its queue grows
    where that is 1 or more.
    """
    queues: frozenset[int] = frozenset()
    """The resources in front of which that queue stands."""
    sources: frozenset[int] = frozenset()
    """The sources whose tokens use it."""
    said: bool | None = None
    """What the scenario says by hand of its being stable, None for nothing."""
    step: int = NOWHERE
    """Of departures: the row of the step table at which tokens wait for them."""
    klass: int = NOWHERE
    """The class that these are for, -1: for all."""

    @property
    def is_known(self) -> bool:
        """Return whether all work is accounted for, but for waits with units in hand."""
        return self.high - self.low <= SAME * max(self.low, 1.0)

    @property
    def mean(self) -> float:
        """Return the mean load in the measured window, nan where it is not known."""
        return self.low if self.is_known else math.nan

    @property
    def peak(self) -> float:
        """Return the load of the busiest hour, nan where it is not known."""
        return float(self.hourly.max()) if self.is_known else math.nan

    @property
    def peak_hour(self) -> int:
        """Return the busiest hour of the week (0 = Monday 00:00 to 01:00)."""
        return int(self.hourly.argmax())

    @property
    def is_overloaded(self) -> bool:
        """Return whether more has to be done than can be: some queue grows as long as the run lasts."""
        return self.must >= FULL

    @property
    def grows(self) -> bool:
        """Return whether its queue is taken to grow: as it is computed, unless the scenario says by hand."""
        return self.is_overloaded if self.said is None else not self.said


Loads = tuple[list[Load], list[Load]]
"""Those of resources, and those of lines for a departure."""


@dataclass
class _Remembered:
    """Loads by what they follow from, and how many there are."""

    of: dict[tuple[str, tuple[bool | None, ...], int], Loads] = field(default_factory=dict)
    count: int = 0


_remembered = _Remembered()


def _key(plan: Plan, offset: int) -> tuple[str, tuple[bool | None, ...], int]:
    return plan.identity, tuple(name.stable for name in plan.names.resources), offset


@dataclass
class _Offered:
    """What arrives in the window, in unit-ms per ms."""

    low: Floats
    """At least, by column."""
    high: Floats
    """At most, by column."""
    endless: Floats
    """What of it goes on for ever, at least."""
    endless_most: Floats
    """The same at most."""
    weekly: Floats
    """By resource and hour of the week."""
    sources: list[set[int]]
    """By resource, with whom it arrives."""
    waits: NDArray[np.bool_]
    """By resource, whether it may be in hand in a queue for others."""


def loads(plan: Plan, offset: int = 0) -> list[Load]:
    """
    Return the load of every resource that is not unlimited and has units at some time.

    `offset` is the distance of the run's start from Monday 00:00 in ms (see `zonesim.plan.calendars.monday_offset`).
    """
    return list(all_loads(plan, offset)[0])


def departures(plan: Plan, offset: int = 0) -> list[Load]:
    """
    Return the load of every line for a departure (a step that gathers with `most`): tokens that come over places;
    none where there are too many ways to follow.
    """
    return list(all_loads(plan, offset)[1])


def all_loads(plan: Plan, offset: int) -> Loads:
    """Return the loads of resources, and those of lines for a departure."""
    found = _remembered.of.get(_key(plan, offset))
    if found is None:
        found = _loads(plan, offset)
        remember(plan, offset, found)
    return found


def remember(plan: Plan, offset: int, found: Loads) -> None:
    """Keep the loads of a plan, which another process may have worked out, for when they are asked for."""
    if _remembered.count >= REMEMBERED:
        _remembered.of.clear()
        _remembered.count = 0
    _remembered.of[_key(plan, offset)] = found
    _remembered.count += sum(map(len, found))


def _loads(plan: Plan, offset: int) -> Loads:
    limited = _limited(plan, offset)
    if not limited and not any(each.facts.departs for each in plan.code):
        return [], []  # there is nothing to load: the way through the program need not be followed
    followed = _followed(plan)
    if followed is None:
        return [_unknown(each, Cause.SIZE) for each in limited], []
    ways, starts = followed
    work = Work(ways)
    if settle(ways, starts, work):
        work = Work(ways)
    room = np.full(ways.columns, np.inf)
    for blank in limited:
        for calendar in (NOWHERE, *ways.calendars):
            there = window_units(plan, blank.resource, calendar)
            room[ways.column(blank.resource, calendar)] = there * in_order(plan, blank.resource)
    spread = {line: _places(ways, line) for line in ways.lines}
    for line, (_, most) in spread.items():
        room[ways.column_of_line(line)] = most
    offered = _offered(work, starts, room, offset)
    must = must_be_done(work, starts, offered.endless, offered.endless_most, room)
    for _ in range(ROUNDS):
        if not _hold_back(ways, spread, must, offered):
            break
        work = Work(ways)
        offered = _offered(work, starts, room, offset)
        must = must_be_done(work, starts, offered.endless, offered.endless_most, room)
    found = []
    for blank in limited:
        resource = blank.resource
        if room[resource] <= 0:
            found.append(_unknown(blank, Cause.HOURS))
            continue
        low, high = (float(bound[resource] / room[resource]) for bound in (offered.low, offered.high))
        units = weekly_units(plan, resource, offset) * in_order(plan, resource)
        hourly = _by_hour(plan, resource, units, offered.weekly[resource], low)
        found.append(
            replace(
                blank,
                low=low,
                high=max(low, high),
                waits=bool(offered.waits[resource]),
                hourly=hourly,
                causes=tuple(sorted(work.causes.get(resource, ()), key=list(Cause).index)),
                must=float(must[resource]),
                queues=frozenset(ways.queues.get(resource, {resource})),
                sources=frozenset(offered.sources[resource]),
            )
        )
    return found, [_of_line(work, line, places, offered, must) for line, places in spread.items()]


def _places(ways: Ways, line: Line) -> tuple[float, float]:
    """
    Return the places per ms at a line's departures, at least and at most: where each firm has a line of its own, those
    of one firm and of all.
    """
    plan = ways.plan
    found = []
    for row in ways.lines[line]:
        each = ways.code[row]
        places = plan.mean(each.most, max(line.klass, 0)) * opening_rate(plan, each.calendar)
        found += [places, places * (len(plan.members) if each.by == GatherBy.FIRM else 1)]
    return min(found), max(found)


def _hold_back(ways: Ways, spread: Mapping[Line, tuple[float, float]], must: Floats, offered: _Offered) -> bool:
    """
    Let no more tokens go on from lines for a departure than there are places; return whether that changes anything.

    What is offered to a line behind another one depends on it, so this is asked again until nothing changes.
    """
    changed = False
    for line, (least, most) in spread.items():
        column = ways.column_of_line(line)
        full = must[column] >= FULL and most > 0
        bounds = (1.0, 1.0)
        if full:
            bounds = (min(1.0, least / float(offered.endless_most[column])), min(1.0, 1 / float(must[column])))
        before = next(((node.edges[0].low, node.edges[0].high) for node in ways.nodes if node.line == line), bounds)
        if max(abs(new - old) for new, old in zip(bounds, before, strict=True)) > SAME:
            ways.let_go(line, *bounds)
            changed = True
    return changed


def _of_line(work: Work, line: Line, places: tuple[float, float], offered: _Offered, must: Floats) -> Load:
    """Return the load of a line for a departure."""
    ways = work.ways
    column, (least, most) = ways.column_of_line(line), places
    low = float(offered.low[column]) / most if most > 0 else 0.0
    high = float(offered.high[column]) / least if least > 0 else math.inf if offered.high[column] > 0 else 0.0
    causes = set(work.causes.get(column, ()))
    if high - low > SAME and not causes:
        causes = {Cause.FIRM if most > 0 else Cause.HOURS}
    return Load(
        resource=NOWHERE,
        low=low,
        high=max(low, high),
        waits=False,
        hourly=np.zeros(HOURS),
        causes=tuple(sorted(causes, key=list(Cause).index)),
        must=float(must[column]),
        queues=frozenset(ways.queues.get(column, ())),
        sources=frozenset(offered.sources[column]),
        step=ways.code[ways.lines[line][0]].step,
        klass=line.klass,
    )


def _by_hour(plan: Plan, resource: int, units: Floats, work: Floats, mean: float) -> Floats:
    """Return the load of each hour of the week, from the units there and the work that comes in it."""
    is_open = units > 0
    levels = {count for count in plan.changes_of(resource)["units"].tolist() if count}
    if len(levels) == 1 and not is_open.all():
        return np.where(is_open, mean, 0.0)
    return np.where(is_open, work / np.where(is_open, units, 1.0) + work[~is_open].sum() / units.sum(), 0.0)


def overloaded_sources(found: Sequence[Load]) -> frozenset[int]:
    """Return the sources of tokens that use a resource whose queue grows, or have what such a queue is for in hand."""
    queues = grown_queues(found)
    return frozenset().union(*(each.sources for each in found if each.grows or each.resource in queues))


def grown_queues(found: Sequence[Load]) -> frozenset[int]:
    """Return the resources in front of which a queue grows as long as the run lasts."""
    stable = {each.resource for each in found if each.said}
    return frozenset().union(*(each.queues for each in found if each.grows)) - stable


def _followed(plan: Plan) -> tuple[Ways, Starts] | None:
    """Return the ways of all tokens, told apart by what they adopt if that is not too much; None where all is."""
    for most in (MOST_KINDS, 1):
        ways = Ways(plan, most)
        with suppress(OverflowError):
            return ways, {source: ways.of_source(source) for source in range(len(plan.sources))}
    return None


def _limited(plan: Plan, offset: int) -> list[Load]:
    """Return blank loads of the resources that have one."""
    found = []
    for resource in range(len(plan.resources)):
        if resource in plan.stocks:
            continue  # what is used up and brought again is no server
        if plan.most_units(resource) < UNLIMITED and weekly_units(plan, resource, offset).any():
            said = plan.names.resources[resource].stable
            found.append(Load(resource, 0.0, 0.0, waits=False, hourly=np.zeros(HOURS), said=said))
    return found


def _unknown(blank: Load, cause: Cause) -> Load:
    return replace(blank, high=math.inf, causes=(cause,))


def _offered(work: Work, starts: Starts, room: Floats, offset: int) -> _Offered:
    """Return what arrives for every resource."""
    plan, columns, resources = work.ways.plan, work.ways.columns, work.resources
    found = _Offered(
        low=np.zeros(columns),
        high=np.zeros(columns),
        endless=np.zeros(columns),
        endless_most=np.zeros(columns),
        weekly=np.zeros((resources, HOURS)),
        sources=[set() for _ in range(resources)],
        waits=np.zeros(resources, dtype=bool),
    )
    for source, kinds in starts.items():
        rate, there, ends = window_rate(plan, source), mean_present(plan, source), plan.comes_to_an_end(source)
        bounded = ends or bool((plan.limits_of(source)["begins"] > plan.begin).any())
        unclear = is_cut_off_somewhere(plan, source)
        if not there:
            continue
        values = [(share, work.values[number]) for share, number in kinds]
        low, high, likely, late = (
            sum((share * getattr(value, name) for share, value in values), start=np.zeros(1))
            for name in ("low", "high", "likely", "late")
        )
        weekly, least = weekly_rate(plan, source, offset), low.copy()
        for resource in np.flatnonzero((high[:, :resources] > 0).any(axis=0)).tolist():
            found.sources[resource].add(source)
            found.waits[resource] |= any(bool(value.waits[resource]) for _, value in values)
            delay = late[resource] / likely[resource] if likely[resource] > 0 else 0.0
            shape = np.roll(weekly, int(delay // HOUR)) if delay < DAY / 2 else np.full(HOURS, weekly.mean())
            found.weekly[resource] += shape * likely[resource] + there * low[1, resource]
            if unclear or (bounded and spills(plan, source, delay, float(likely[resource]), float(room[resource]))):
                found.high[resource] = np.inf
                low[0, resource] = 0.0
                work.causes.setdefault(resource, set()).add(Cause.LISTED if ends else Cause.LATE)
        found.low += rate * low[0] + there * low[1]
        found.high += _times(rate, high[0]) + there * high[1]
        if ends:
            found.endless += there * low[1]
            found.endless_most += there * high[1]
            continue
        # Who never leaves, and has more and more with him, is more than anything can do.
        found.endless += rate * least[0] + np.where(low[1] > 0, np.inf, 0.0)
        found.endless_most += _times(rate, high[0]) + np.where(high[1] > 0, np.inf, 0.0)
        found.high[high[1] > 0] = np.inf
    return found


def _times(rate: float, most: Floats) -> Floats:
    """Return the work of arrivals that may each have any amount: nothing where nobody arrives in the window."""
    return rate * most if rate else np.zeros_like(most)
