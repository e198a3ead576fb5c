"""
A day of a run as it is played back: who is there, and how long the lines at each resource are at every moment.

Everything is counted from visits. A token stands in the queue of a resource from `queued` until `started` (or until it
gives up, or the run ends) at every step that asks for it; so does one whose work was interrupted, until it goes on.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.faults import Place, ScenarioFault
from zonesim.plan import NEVER, Ints, Plan, Rows, child_of, consignment_of, number_of, place_of
from zonesim.units import DAY, HOUR

WEEKDAYS: Final = 5
"""Days of a week that are no weekend, from Monday on."""

WHICH: Final = Place("--day")


@dataclass(frozen=True)
class Day:
    """
    A calendar day of the measured window: its `number` there, from 1, of how many; begin and end in ms from the start
    of the run, less than a day where the window begins or ends within it.
    """

    number: int
    of: int
    begin: int
    end: int

    @property
    def hours(self) -> list[tuple[int, int]]:
        """Return begin and end of each clock hour of it, ms."""
        first, last = self.begin // HOUR, -(-self.end // HOUR)
        return [(max(self.begin, each * HOUR), min(self.end, (each + 1) * HOUR)) for each in range(first, last)]


def days_of(plan: Plan) -> list[Day]:
    """Return the days of the measured window in their order."""
    first, last = plan.begin // DAY, -(-plan.end // DAY)
    count = last - first
    return [
        Day(number, count, max(plan.begin, each * DAY), min(plan.end, (each + 1) * DAY))
        for number, each in enumerate(range(first, last), start=1)
    ]


def day_numbered(plan: Plan, number: int) -> Day:
    """Return a day of the measured window by its number, from 1; raises ScenarioFault."""
    days = days_of(plan)
    if not 1 <= number <= len(days):
        raise ScenarioFault(f"no day {number} in the measured window", WHICH, f"It has days 1 to {len(days)}.")
    return days[number - 1]


def busiest_day(plan: Plan, start: datetime.date, visits: Rows) -> Day:
    """
    Return the weekday of the measured window on which most consignments arrive, the first of equals.

    `start`: the date of the run's start. Whole days go before parts of days, weekdays before weekends.
    """
    arrived = arrivals(plan, visits)
    days = days_of(plan)
    whole = [day for day in days if day.end - day.begin == DAY] or days
    weekdays = [day for day in whole if (start.weekday() + day.begin // DAY) % 7 < WEEKDAYS] or whole
    counts = [int(((arrived >= day.begin) & (arrived < day.end)).sum()) for day in weekdays]
    return weekdays[counts.index(max(counts))]


def arrivals(plan: Plan, visits: Rows) -> Ints:
    """Return when each consignment arrived, ms, in no order."""
    number = number_of(visits["key"])
    is_leave = np.array([step.is_leave for step in plan.names.steps], dtype=np.bool_)
    found: Ints = visits["queued"][is_leave[place_of(visits["key"])] & (child_of(number) == 0)]
    return found


def last_moment(visits: Rows, horizon: int) -> Ints:
    """Return when each visit is over: `ended`, or the end of the run where it goes on."""
    found: Ints = np.where(visits["ended"] == NEVER, horizon, visits["ended"])
    return found


def line_ends(visits: Rows, horizon: int) -> Ints:
    """Return when each visit leaves the line: `started`, or where it never does, when it gives up or the run ends."""
    found: Ints = np.where(visits["started"] == NEVER, last_moment(visits, horizon), visits["started"])
    return found


def present(plan: Plan, visits: Rows, begin: int, end: int, resources: frozenset[int] | None = None) -> Ints:
    """
    Return the numbers of the consignments of which anything is there between `begin` and `end`, in ascending order.

    `resources`: only consignments that ever ask for one of these, whenever it is.
    """
    consignments = consignment_of(number_of(visits["key"]))
    there = (visits["queued"] < end) & (last_moment(visits, plan.horizon) >= begin)
    found: Ints = np.unique(consignments[there])
    if resources is None:
        return found
    asks = np.array([bool(resources & step.asked.keys()) for step in plan.names.steps], dtype=np.bool_)
    own: Ints = np.intersect1d(found, consignments[asks[place_of(visits["key"])]])
    return own


@dataclass(frozen=True)
class Curve:
    """
    How a resource fared, as steps that last until the next one: from `time` on (ms; the first is the begin) so many
    tokens stand in its `queue` and so many of its units are in use (`used`); since the begin so many got their units
    (`served`), who had waited so many ms in all (`waited`). Arrays of one length.
    """

    time: Ints
    queue: Ints
    used: Ints
    served: Ints
    waited: Ints

    def at(self, moment: int) -> tuple[int, int, int, int]:
        """Return queue, units in use, served and ms waited at a moment, which is not before the begin."""
        row = int(np.searchsorted(self.time, moment, side="right")) - 1
        return int(self.queue[row]), int(self.used[row]), int(self.served[row]), int(self.waited[row])

    def queue_time(self, begin: int, end: int) -> int:
        """Return the token-ms in the queue from `begin` to `end`."""
        lasts = np.diff(np.clip(np.append(self.time, end), begin, end))
        return int((self.queue * lasts).sum())


def curve_of(plan: Plan, visits: Rows, resource: int, begin: int, end: int) -> Curve:
    """Return how a resource fared between `begin` and `end`; `visits` holds all of the run that lie there."""
    steps = plan.names.steps
    asks = np.array([resource in step.asked for step in steps], dtype=np.bool_)
    takes = np.array(
        [dict(zip(step.resources, step.units, strict=True)).get(resource, 0) for step in steps], dtype=np.int64
    )
    stops = np.array([step.is_interruption for step in steps], dtype=np.bool_)
    served = np.array(
        [resource in step.resources and not (step.is_kept or step.is_interruption) for step in steps], dtype=np.bool_
    )
    step = place_of(visits["key"])
    rows = visits[asks[step] | (takes[step] > 0)]
    step = place_of(rows["key"])
    moved = _Moves()
    out = line_ends(rows, plan.horizon)
    ask = asks[step] & (out > rows["queued"])
    moved.between(0, rows["queued"][ask], out[ask], np.ones(int(ask.sum()), dtype=np.int64))
    gone = last_moment(rows, plan.horizon)
    holds = (takes[step] > 0) & ~stops[step] & (rows["started"] != NEVER)
    moved.between(1, rows["started"][holds], gone[holds], takes[step][holds])
    stopped = (takes[step] > 0) & stops[step]
    moved.between(1, rows["queued"][stopped], out[stopped], -takes[step][stopped])
    had = served[step] & (rows["started"] >= begin)
    moved.at(2, rows["started"][had], np.ones(int(had.sum()), dtype=np.int64))
    moved.at(3, rows["started"][had], rows["started"][had] - rows["queued"][had])
    return moved.curve(begin, end)


class _Moves:
    """Changes of the four numbers of a curve, in any order."""

    def __init__(self) -> None:
        self.time: list[Ints] = []
        self.change: list[NDArray[np.int64]] = []

    def at(self, column: int, time: Ints, amount: Ints) -> None:
        change = np.zeros((len(time), 4), dtype=np.int64)
        change[:, column] = amount
        self.time.append(time)
        self.change.append(change)

    def between(self, column: int, begins: Ints, ends: Ints, amount: Ints) -> None:
        self.at(column, begins, amount)
        self.at(column, ends, -amount)

    def curve(self, begin: int, end: int) -> Curve:
        time = np.concatenate([np.array([begin], dtype=np.int64), *self.time])
        change = np.concatenate([np.zeros((1, 4), dtype=np.int64), *self.change])
        inside = time < end
        time, change = np.maximum(time[inside], begin), change[inside]
        moments, where = np.unique(time, return_inverse=True)
        sums = np.zeros((len(moments), 4), dtype=np.int64)
        np.add.at(sums, where, change)
        total = sums.cumsum(axis=0)
        keeps = np.append([True], (np.diff(total, axis=0) != 0).any(axis=1))
        return Curve(moments[keeps], *(total[keeps, column] for column in range(4)))


def worst_hour(plan: Plan, resource: int, curve: Curve, day: Day) -> tuple[int, int] | None:
    """
    Return begin (ms) and token-ms of the clock hour in which most stood in the queue of a resource, of the hours in
    which it is on duty at any time; None where nobody stood there then.
    """
    changes = plan.changes_of(resource)
    waits = []
    for begin, end in day.hours:
        first = int(np.searchsorted(changes["time"], begin, side="right")) - 1
        last = int(np.searchsorted(changes["time"], end, side="left"))
        if (changes["units"][max(first, 0) : last] > 0).any():
            waits.append((curve.queue_time(begin, end), begin))
    most, begin = max(waits, key=lambda each: (each[0], -each[1]), default=(0, 0))
    return (begin, most) if most else None
