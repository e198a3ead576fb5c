"""Opening hours and holidays laid out over the days of a run."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from zonesim.scenario.calendars import ByDay, Holidays, Minutes
from zonesim.scenario.staffing import Shift
from zonesim.units import DAY, MINUTE

Span = tuple[int, int]

_SUNDAY = 6
_MONDAY = 0


def monday_offset(start: str) -> int:
    """Return how far, in ms, the run's start (a date, 00:00) lies behind Monday 00:00 of its week."""
    return datetime.date.fromisoformat(start).weekday() * DAY


@dataclass(frozen=True)
class Days:
    """The days of a run, numbered from 0: their dates, and the day of the week that they count as."""

    start: datetime.date
    """Day 0."""
    closed: frozenset[datetime.date] = frozenset()
    """Holidays: they count as Sundays."""
    working: frozenset[datetime.date] = frozenset()
    """Days at a weekend that are worked: they count as Mondays."""
    warm_up: int = 0
    """Number of the day in which the measured window begins."""

    @classmethod
    def of(cls, start: str, holidays: Holidays | None = None, warm_up: int = 0) -> Days:
        """Return the days of a run that starts on the date `start`, with the given holidays and days of warm-up."""
        first = datetime.date.fromisoformat(start)
        if holidays is None:
            return cls(first, warm_up=warm_up)
        return cls(first, holidays.closed_days(), holidays.working_days(), warm_up)

    @property
    def measured(self) -> datetime.date:
        """Return the day in which the measured window begins."""
        return self.date(self.warm_up)

    def date(self, number: int) -> datetime.date:
        """Return the date of a day."""
        return self.start + datetime.timedelta(days=number)

    def weekday(self, number: int) -> int:
        """Return what day of the week (Monday 0) a day counts as; a holiday is a Sunday, a make-up day a Monday."""
        day = self.date(number)
        if day in self.closed:
            return _SUNDAY
        return _MONDAY if day in self.working else day.weekday()


def open_spans(hours: ByDay[Minutes], days: Days, until: int, *, whole_days: bool = False) -> list[Span]:
    """
    Return the open spans of a run, in ms from its start, clipped to [0, until) and merged where they touch.

    With `whole_days` they are the whole days on which the calendar opens at all. A moment is a span without length.
    """
    spans: list[Span] = []
    for number in range(-(-until // DAY)):
        minutes = hours.on(days.date(number), days.weekday(number), days.measured)
        if whole_days and minutes:
            minutes = [(0, DAY // MINUTE)]
        for begin, end in minutes:
            low, high = number * DAY + begin * MINUTE, min(number * DAY + end * MINUTE, until)
            if low >= until or low > high:
                continue
            if spans and spans[-1][1] == low and low < high:
                spans[-1] = (spans[-1][0], high)
            else:
                spans.append((low, high))
    return spans


def periodic_spans(period: tuple[int, int, int], until: int, *, whole_days: bool = False) -> list[Span]:
    """Return the same of what opens every so many ms, from a first time on, for so long."""
    every, first, lasts = period
    spans = [(begin, min(begin + lasts, until)) for begin in range(first, until, every)]
    if not whole_days:
        return spans
    found = sorted({number for begin, end in spans for number in range(begin // DAY, max(end - 1, begin) // DAY + 1)})
    return joined([], [(number * DAY, min((number + 1) * DAY, until)) for number in found])


def capacity_changes(spans: Sequence[Span], units: int, until: int) -> list[Span]:
    """
    Return (time, units from then on) for a resource that has `units` in open spans and none else; the first is at
    time 0.
    """
    changes = [] if spans and spans[0][0] == 0 else [(0, 0)]
    for begin, end in spans:
        changes.append((begin, units))
        if end < until:
            changes.append((end, 0))
    return changes


def staffing_changes(shifts: ByDay[Shift], days: Days, until: int) -> list[Span]:
    """Return (time, units from then on) for a resource with these shifts; the first is at time 0, no two are equal."""
    changes: list[Span] = [(0, 0)]
    for number in range(-(-until // DAY)):
        for begin, end, units in shifts.on(days.date(number), days.weekday(number), days.measured):
            changes += [(number * DAY + begin * MINUTE, units), (number * DAY + end * MINUTE, 0)]
    latest = dict(changes)  # of several at one time the last: a shift that begins where one ends
    return settled([change for change in latest.items() if change[0] < until])


def settled(changes: Sequence[Span]) -> list[Span]:
    """Return the changes that change anything."""
    return [change for number, change in enumerate(changes) if not number or change[1] != changes[number - 1][1]]


def spans_above_0(changes: Sequence[Span], until: int) -> list[Span]:
    """Return the spans in which there are any units."""
    ends = [*(time for time, _ in changes[1:]), until]
    return joined([], [(time, end) for (time, units), end in zip(changes, ends, strict=True) if units])


def falls_in_part(levels: Sequence[int]) -> bool:
    """Return whether units leave while others of the resource stay, or fewer come back than have left."""
    there = [units for units in levels if units]
    return any(later < earlier for earlier, later in pairwise(there))


def joined(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """
    Return the spans of `one`, then those of `other`, which begin no earlier than these end; merged where they touch.
    """
    spans = list(one)
    for begin, end in other:
        if spans and spans[-1][1] == begin:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((begin, end))
    return spans
