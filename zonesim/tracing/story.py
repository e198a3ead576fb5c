"""
The story of one token: each step with its times, each wait with what was short and who was ahead, marks and
misfortunes.

Everything is read off the rows of the run. A wait is for a resource as long as that resource had fewer free units
than asked for; with no unit at all it was closed. Where all had units enough, somebody in front asked for more, the
work would not have been done before closing time, or units were broken down. Ahead was who held units when the token
came, who came before it and was served no later, and who came later but was served first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.plan import (
    NEVER,
    NOWHERE,
    UNLIMITED,
    AtShiftEnd,
    Ints,
    Plan,
    Units,
    WaitsFor,
    child_of,
    consignment_of,
    number_of,
    place_of,
)
from zonesim.tracing.trail import Trail

NAMED: Final = 5
"""So many of those ahead are named; the others are counted."""

INSTANTS: Final = ("opening", "closing")
"""What WAIT_UNTIL waits for, by its operand."""

SILENT_MARKS: Final = frozenset({"arrived", "left"})
"""Marks that set themselves: the story has its own lines for them."""


@dataclass(frozen=True)
class Ahead:
    """
    A token that was ahead in a wait: `served` (had units in hand), `before` (stood in line) or `overtook` (came later,
    served first); at which step; the ms it had its units (NEVER: it still had them when the story ended).
    """

    token: str
    step: int
    how: str
    took: int


@dataclass(frozen=True)
class Shortage:
    """
    What a wait was for: units of a resource, of how many; ms that these were short while open, and ms without any unit
    (closed). Of the time in which nothing that is asked for was short: ms `behind` somebody in line who asks for more
    than was free, ms in which the work would not have been done before closing time (`unfit`), and ms in which units
    were `broken` down, so that fewer were there than the calendar says.
    """

    resource: int
    units: int
    capacity: int
    short: int
    closed: int
    behind: int
    unfit: int
    broken: int
    ahead: tuple[Ahead, ...]
    more: int


@dataclass(frozen=True)
class Uses:
    """Who wanted units of a resource and had them when: arrays of tokens, steps, and ms (NEVER: not in this story)."""

    number: Ints
    step: Ints
    queued: Ints
    started: Ints
    ended: Ints


def _cut(visits: Ints, stops: Ints) -> Ints:
    """Return visits, given as columns of `Uses`, cut where their work was interrupted and went on."""
    stops_of: dict[int, list[list[int]]] = {}
    for stop in sorted(stops.T.tolist(), key=lambda stop: stop[2]):
        stops_of.setdefault(stop[0], []).append(stop)
    found: list[tuple[int, ...]] = []
    for number, step, queued, started, ended in visits.T.tolist():
        last = np.iinfo(np.int64).max if ended == NEVER else ended
        own = [stop for stop in stops_of.get(number, []) if started != NEVER and started <= stop[2] < last]
        ends = [*(stop[2] for stop in own), ended]
        found.append((number, step, queued, started, ends[0]))
        found += [(*stop[:4], end if stop[3] != NEVER else NEVER) for stop, end in zip(own, ends[1:], strict=True)]
    return np.array(found, dtype=np.int64).reshape(-1, 5).T


@dataclass(frozen=True)
class Moment:
    """
    A line of the story. Times are ms from the start of the run; `ended` NEVER: not before the story ends.

    `kind`: `arrived`, `step`, `marks`, `left`, or `begins` and `leaves` of a child. `token`: 0 for the consignment
    itself, else the child. `depth`: how many steps the step stands in. `waited`: ms in line or for a batch. `paused`:
    ms of the time taken that did not count, because its calendar was closed. `until`: whether it waited for the
    `opening` or `closing` of a calendar. `interruption`: whether `waited` is how
    long the work of the step around it was interrupted.
    """

    kind: str
    token: int
    time: int
    step: int = NOWHERE
    depth: int = 0
    waited: int = 0
    started: int = NEVER
    ended: int = NEVER
    paused: int = 0
    for_batch: bool = False
    until: str = ""
    shortages: tuple[Shortage, ...] = ()
    marks: tuple[int, ...] = ()
    interruption: bool = False

    @property
    def gave_up(self) -> bool:
        """Return whether the token ended its wait without the units."""
        return self.kind == "step" and self.started == NEVER and self.ended != NEVER

    @property
    def took(self) -> int:
        """Return the ms from getting the units to the end of the step, NEVER when it did not end."""
        return self.ended - self.started if NEVER not in {self.ended, self.started} else NEVER


def tell(plan: Plan, trail: Trail) -> list[Moment]:
    """Return the story of a token and its children, in the order of time."""
    return _Teller(plan, trail).tell()


def reasons(plan: Plan, trail: Trail, rows: Iterable[int]) -> Iterator[tuple[int, tuple[Shortage, ...]]]:
    """Yield, of those rows of the trail's visits that tell of a wait, what each wait was for, as `tell` says it."""
    teller = _Teller(plan, trail)
    for row in rows:
        found = teller.shortages_of(row)
        if found:
            yield row, found


class _Teller:
    def __init__(self, plan: Plan, trail: Trail) -> None:
        self.plan = plan
        self.trail = trail
        self.steps = plan.names.steps
        visits = trail.visits
        self.number, self.step = number_of(visits["key"]), place_of(visits["key"])
        self.queued, self.started, self.ended = visits["queued"], visits["started"], visits["ended"]
        waits = {each.step: each.facts for each in plan.code if each.facts.waits is WaitsFor.BATCH}
        self.gathers = {step for step, facts in waits.items() if not facts.departs}
        self.instants = {each.step: INSTANTS[each.which] for each in plan.code if each.facts.waits is WaitsFor.INSTANT}
        self.instants |= {step: "departure" for step, facts in waits.items() if facts.departs}
        self.calendars = _calendars(plan)
        self.breaks = set(plan.breakdowns["resource"].tolist())
        # Several waits are often for one resource.
        self._uses = cache(self._found_uses)
        self._asked = cache(self._found_asked)

    def tell(self) -> list[Moment]:
        own = consignment_of(self.number) == self.trail.number
        moments = [self._moment(row) for row in np.flatnonzero(own).tolist()]
        moments += self._marks()
        moments += [
            Moment("arrived" if each.token == 0 else "begins", each.token, each.started)
            for each in moments
            if each.kind in {"left", "leaves"}
        ]
        return sorted((each for each in moments if not self._open_end(each)), key=self._order)

    @staticmethod
    def _open_end(each: Moment) -> bool:
        return each.kind in {"left", "leaves"} and each.ended == NEVER

    @staticmethod
    def _order(each: Moment) -> tuple[int, int, int, int, int]:
        """Order by time; within an instant arrivals, marks, steps from the outside in, leaving; then by child."""
        rank = {"arrived": 0, "begins": 0, "marks": 1, "step": 2, "leaves": 3, "left": 4}[each.kind]
        return (each.time, rank, each.depth, each.token, each.step)

    def _moment(self, row: int) -> Moment:
        step, number = int(self.step[row]), int(self.number[row])
        token = child_of(number)
        queued, started, ended = int(self.queued[row]), int(self.started[row]), int(self.ended[row])
        if self.steps[step].is_leave:
            kind = "leaves" if token else "left"
            return Moment(kind, token, ended if ended != NEVER else self.trail.end, step, 0, 0, queued, ended)
        waited = self._until(row) - queued
        paused = 0
        if step in self.calendars and started != NEVER:
            paused = self._closed_time(self.calendars[step], started, ended if ended != NEVER else self.trail.end)
        gathers = step in self.gathers
        depth = self._depth(row)
        stopped = self.steps[step].is_interruption
        return Moment(
            "step",
            token,
            queued,
            step,
            depth,
            waited,
            started,
            ended,
            paused,
            gathers,
            self.instants.get(step, ""),
            self.shortages_of(row),
            interruption=stopped,
        )

    def shortages_of(self, row: int) -> tuple[Shortage, ...]:
        """Return what the wait of a visit was for; nothing where it did not wait."""
        step, queued, until = int(self.step[row]), int(self.queued[row]), self._until(row)
        if until <= queued or not self.steps[step].asked:
            return ()
        return tuple(self._shortages(int(self.number[row]), step, queued, until))

    def _until(self, row: int) -> int:
        """Return when the wait of a visit was over, or the story."""
        started, ended = int(self.started[row]), int(self.ended[row])
        return started if started != NEVER else ended if ended != NEVER else self.trail.end

    def _depth(self, row: int) -> int:
        """Return how many steps of the token's own visit this visit stands in."""
        step, number = int(self.step[row]), self.number[row]
        path = self.steps[step].path
        rows = np.flatnonzero((self.number == number) & (self.queued <= self.queued[row]) & (self.step != step))
        outer = {
            self.steps[int(self.step[each])].path
            for each in rows.tolist()
            if self.ended[each] == NEVER or self.ended[each] >= self.queued[row]
        }
        return sum(path[:end] in outer for end in range(1, len(path)))

    def _shortages(self, number: int, step: int, queued: int, until: int) -> Iterator[Shortage]:
        asked = self.steps[step].asked
        uses = {resource: self._uses(resource) for resource in asked}
        lost = self._lost(asked, uses, number, queued, until)
        for resource, units in asked.items():
            capacity = self._units_at(resource, until)
            ahead = self._ahead(uses[resource], number, queued, until) if capacity < UNLIMITED else []
            if lost[resource] or ahead:
                ms = {why: lost[resource].get(why, 0) for why in ("short", "closed", "behind", "unfit", "broken")}
                yield Shortage(resource, units, capacity, **ms, ahead=tuple(ahead[:NAMED]), more=len(ahead[NAMED:]))

    def _lost(
        self, asked: dict[int, int], uses: dict[int, Uses], number: int, queued: int, until: int
    ) -> dict[int, dict[str, int]]:
        """Return, by resource that is asked for, the ms of a wait that went by for each reason."""
        held = {resource: self._held(uses[resource], resource, number, queued, until) for resource in asked}
        edges = [self._levels(resource)[0] for resource in asked]
        for use in uses.values():
            edges += [use.queued, use.started, use.ended]
        within = [edge[(edge >= queued) & (edge <= until)] for edge in edges]
        times = np.unique(np.concatenate([*within, [queued, until]]))
        lost: dict[int, dict[str, int]] = {resource: {} for resource in asked}
        for begin, end in pairwise(times.tolist()):
            found: list[tuple[int, str]] = []
            free: dict[int, int] = {}
            for resource, units in asked.items():
                capacity = self._units_at(resource, begin)
                begins, ends, taken = held[resource]
                free[resource] = capacity - int(taken[(begins <= begin) & (ends >= end)].sum())
                if free[resource] < units:
                    found.append((resource, "short" if capacity or resource in self.plan.stocks else "closed"))
            for resource, why in found or self._where_none_is_short(uses, free, number, begin):
                lost[resource][why] = lost[resource].get(why, 0) + end - begin
        return lost

    def _where_none_is_short(
        self, uses: dict[int, Uses], free: dict[int, int], number: int, time: int
    ) -> list[tuple[int, str]]:
        """Return why a token waits at a time at which enough is `free` of all that it asks for; nothing: unknown."""
        for resource, use in uses.items():
            waits = (use.queued <= time) & ((use.started > time) | ((use.started == NEVER) & ~_ended(use.ended, time)))
            waits &= use.number != number
            if (self._units(use.step[waits], resource) > free[resource]).any():
                return [(resource, "behind")]
        rules = self.plan.resources["at_shift_end"]
        unfit = [(resource, "unfit") for resource in uses if rules[resource] == AtShiftEnd.FITS]
        return (unfit or [(resource, "broken") for resource in uses if resource in self.breaks])[:1]

    def _found_uses(self, resource: int) -> Uses:
        """Return who wanted and had units of a resource; work that was interrupted is several uses."""
        steps = [number for number, step in enumerate(self.steps) if resource in step.resources]
        drawing = []
        if resource in self.plan.stocks:
            drawing = [number for number, step in enumerate(self.steps) if resource in step.asked]
        rows = np.flatnonzero(np.isin(self.step, steps + drawing))
        columns = (self.number, self.step, self.queued, self.started, self.ended)
        found = np.stack([column[rows] for column in columns])
        used_up = ~np.isin(found[1], steps)
        found[4, used_up] = found[3, used_up]  # at the moment at which they are had
        stopped = np.isin(found[1], [number for number in steps if self.steps[number].is_interruption])
        if stopped.any():
            found = _cut(found[:, ~stopped], found[:, stopped])
        return Uses(*found)

    def _units(self, steps: Ints, resource: int) -> Ints:
        units = self._asked(resource)
        return np.array([units[step] for step in steps.tolist()], dtype=np.int64)

    def _found_asked(self, resource: int) -> dict[int, int]:
        """Return, by step that asks for a resource, how many units it asks for."""
        return {number: step.asked[resource] for number, step in enumerate(self.steps) if resource in step.asked}

    def _units_at(self, resource: int, time: int) -> int:
        times, units = self._levels(resource)
        return int(units[np.searchsorted(times, time, side="right") - 1])

    def _levels(self, resource: int) -> tuple[Ints, Ints]:
        """Return when how many units of a resource are there: by its calendar, of a stock by what is booked."""
        changes = self.plan.changes_of(resource)
        if resource not in self.plan.stocks:
            return changes["time"], changes["units"]
        name = str(self.plan.names.resources[resource])
        booked = {
            number: mark.amount
            for number, mark in enumerate(self.plan.names.marks)
            if mark.account != NOWHERE and str(self.plan.names.accounts[mark.account]) == name
        }
        marks = self.trail.marks
        own = np.isin(place_of(marks["key"]), [*booked])
        times = marks["time"][own]
        order = np.argsort(times, kind="stable")
        amounts = np.array([booked[mark] for mark in place_of(marks["key"])[own].tolist()], dtype=np.int64)[order]
        start = changes["units"][:1]
        return np.concatenate([[0], times[order]]), np.concatenate([start, start + amounts.cumsum()])

    def _held(self, uses: Uses, resource: int, number: int, queued: int, until: int) -> tuple[Ints, Ints, Ints]:
        """Return from when to when units were in hand within a wait, and how many, also those that the token had."""
        ended = np.where(uses.ended == NEVER, self.trail.end + 1, uses.ended)
        holds = (uses.started != NEVER) & (uses.started < until) & (ended > queued)
        holds &= (uses.number != number) | (uses.started < queued)
        taken = self._units(uses.step[holds], resource)
        return np.maximum(uses.started[holds], queued), np.minimum(ended[holds], until), taken

    def _ahead(self, uses: Uses, number: int, queued: int, until: int) -> list[Ahead]:
        """Return who was ahead: first those being served, then the others, each by the moment they got their units."""
        found: list[tuple[int, int, Ahead]] = []
        near = (uses.started != NEVER) & (uses.started <= until) & ((uses.ended == NEVER) | (uses.ended >= queued))
        rows = zip(
            *(part[near].tolist() for part in (uses.number, uses.step, uses.queued, uses.started, uses.ended)),
            strict=True,
        )
        for other, step, came, began, ended in rows:
            if other == number:
                continue
            if began != NEVER and began <= queued and (ended == NEVER or ended > queued):
                how, rank = "served", 0
            elif began == NEVER or began <= queued:
                continue
            elif began < until or (began == until and came < queued):
                # Of those served in the instant in which the token is, only who came before it was ahead for sure.
                how, rank = "before" if came <= queued else "overtook", 1
            else:
                continue
            took = ended - began if ended != NEVER else NEVER
            found.append((rank, began, Ahead(self.plan.names.token(other), step, how, took)))
        return [each for _, _, each in sorted(found, key=lambda item: (item[0], item[1], item[2].token))]

    def _closed_time(self, calendar: int, begin: int, end: int) -> int:
        spans = self.plan.spans_of(calendar)
        opens = np.minimum(spans["closes"], end) - np.maximum(spans["opens"], begin)
        return end - begin - int(opens[opens > 0].sum())

    def _marks(self) -> list[Moment]:
        """Return the marks of the token and its children, those of one instant together."""
        marks = self.trail.marks
        number = number_of(marks["key"])
        together: dict[tuple[int, int], list[int]] = {}
        for row in np.flatnonzero(consignment_of(number) == self.trail.number).tolist():
            mark = int(place_of(marks["key"][row]))
            if self.plan.names.marks[mark].name in SILENT_MARKS or marks["time"][row] > self.trail.end:
                continue  # what sets itself, and deadlines that are still to come
            child = child_of(int(number[row]))
            together.setdefault((int(marks["time"][row]), child), []).append(mark)
        return [
            Moment("marks", child, time, marks=tuple(dict.fromkeys(names))) for (time, child), names in together.items()
        ]


def _ended(ended: Ints, time: int) -> NDArray[np.bool_]:
    """Return which visits have ended by a time."""
    gone: NDArray[np.bool_] = (ended != NEVER) & (ended <= time)
    return gone


def _calendars(plan: Plan) -> dict[int, int]:
    """Return the calendar in whose open time a step's work counts, for the steps that have one."""
    found: dict[int, int] = {}
    step = NOWHERE
    for each in plan.code:
        if each.facts.units is Units.SEIZES:
            step = each.step
        elif each.facts.delays and each.calendar != NOWHERE:
            found[each.step if each.step != NOWHERE else step] = each.calendar
    return found


def total_waited(moments: Sequence[Moment]) -> int:
    """Return the ms that a token and its children stood in lines or waited for batches."""
    return sum(each.waited for each in moments)
