"""Opening hours by day of the week, day of the month and date; public holidays with their make-up working days."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from pydantic import BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from zonesim import units
from zonesim.faults import UnitFault, near
from zonesim.limits import MOST_DATES
from zonesim.scenario.fields import (
    Duration,
    Name,
    Named,
    Strict,
    Whole,
    in_schema,
    inside,
    is_reference,
    mode_of,
    problem,
)
from zonesim.scenario.labels import Source, Text

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LAST: Final = "last"
"""The last day of a month, as a key of a calendar."""

YEARS: Final = (1900, 2199)
"""First and last year that a date may lie in."""

Minutes = tuple[int, int]
"""Minutes of the day at which something opens and closes."""

_SPAN: Final = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_MOMENT: Final = re.compile(r"\d\d:\d\d")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_DATE_LIKE: Final = re.compile(r"\d{4}\D")
_MONTH_DAYS: Final = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?")
_MEASURED: Final = re.compile(r"measure\+(\d{1,4})")
_ONE_DAY: Final = datetime.timedelta(days=1)


def parse_date(text: object) -> datetime.date:
    """Return the day that `2018-09-03` names."""
    try:
        day = datetime.date.fromisoformat(text if isinstance(text, str) and _DATE.fullmatch(text) else "")
    except ValueError:
        raise problem(f"expected a date, found {units.describe(text)}", 'Write a date such as "2018-09-03".') from None
    if not YEARS[0] <= day.year <= YEARS[1]:
        raise problem(f"'{text}' is no date of our time", f"Choose a year from {YEARS[0]} to {YEARS[1]}.")
    return day


def parse_dates(text: str) -> list[datetime.date]:
    """Return the days of `2018-10-01`, or of `2018-10-01..2018-10-07` with both ends."""
    first, _, last = text.partition("..")
    day, end = parse_date(first.strip()), parse_date((last or first).strip())
    if end < day:
        raise problem(f"'{text}' runs backward", "Write the earlier date first.")
    return [day + number * _ONE_DAY for number in range((end - day).days + 1)]


def parse_span(text: str) -> Minutes:
    """Return the minutes of the day at which `08:30-17:00` begins and ends."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise problem(f"expected opening hours, found '{text}'", 'Write them as "08:30-17:00".')
    hour, minute, to_hour, to_minute = (int(part) for part in match.groups())
    begin, end = 60 * hour + minute, 60 * to_hour + to_minute
    if not 0 <= begin < end <= 24 * 60 or max(minute, to_minute) > 59:  # noqa: PLR2004
        raise problem(f"'{text}' does not lie within a day", 'Write "22:00-24:00" and "00:00-06:00" for a night.')
    return begin, end


def parse_opening(text: str) -> Minutes:
    """Return the minutes of the day at which `08:30-17:00` begins and ends; those of the moment `08:30` are equal."""
    if not _MOMENT.fullmatch(text):
        if not _SPAN.fullmatch(text):
            remedy = 'Write a span such as "08:30-17:00", or a moment such as "06:00".'
            raise problem(f"expected opening hours, found '{text}'", remedy)
        return parse_span(text)
    begin = int(text[:2]) * 60 + int(text[3:])
    if begin >= 24 * 60 or int(text[3:]) > 59:  # noqa: PLR2004
        raise problem(f"'{text}' is no time of day", 'Write a moment such as "08:30".')
    return begin, begin


def parse_days(text: str) -> list[int]:
    """Return the days of the week (Monday 0) in `mon-fri` or `sat, sun`."""
    days: list[int] = []
    for part in re.split(r"\s*,\s*", text.strip()):
        first, _, last = part.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            remedy = 'Write days of the week (mon-fri), days of the month (1, 25-31, last) or dates ("2018-10-01").'
            raise problem(f"expected days, found '{text}'", remedy)
        begin, end = DAYS.index(first), DAYS.index(last or first)
        if end < begin:
            raise problem(f"'{part}' runs backward", "Write sat,sun,mon as a list.")
        days.extend(range(begin, end + 1))
    return days


DayKey = int | str | datetime.date
"""A day of the week as `mon`, one of the month as 1 to 31 or `last`, a date, or a day of the window as `measure+1`."""


def parse_day_keys(text: str) -> list[DayKey]:
    """
    Return the days that a key of a calendar names: `mon-fri`, `1`, `25-31`, `last`, `2018-10-01`, `measure+1`, or
    several.
    """
    keys: list[DayKey] = []
    for part in re.split(r"\s*,\s*", text.strip()):
        month_days = _MONTH_DAYS.fullmatch(part)
        if part == LAST:
            keys.append(LAST)
        elif measured := _MEASURED.fullmatch(part):
            keys.append(_of_window(int(measured[1])))
        elif month_days:
            first, last = int(month_days[1]), int(month_days[2] or month_days[1])
            if not 1 <= first <= last <= 31:  # noqa: PLR2004  days of a month
                raise problem(f"'{part}' is no day of a month", "Write a number from 1 to 31, or last.")
            keys.extend(range(first, last + 1))
        elif _DATE_LIKE.match(part):
            keys.extend(parse_dates(part))
        else:
            keys.extend(DAYS[day] for day in parse_days(part))
    return keys


def _of_window(number: int) -> str:
    """Return the key of a day of the measured window, the one in which it begins being 0."""
    return f"measure+{number}"


Part = TypeVar("Part")
"""A part of a day, and what is so in it."""


@dataclass(frozen=True)
class ByDay(Generic[Part]):
    """
    Parts of days by day: of a day of the measured window, else of a date, of the last day of a month, of a day of the
    month, of a weekday.
    """

    by_key: dict[DayKey, list[Part]] = field(default_factory=dict)

    @property
    def most_parts(self) -> int:
        """Return how many parts a day may have."""
        return max(map(len, self.by_key.values()), default=0)

    def on(self, day: datetime.date, weekday: int, measured: datetime.date) -> list[Part]:
        """Return the parts of a day that counts as `weekday` (Monday 0), where the window begins on day `measured`."""
        keys: tuple[DayKey, ...] = (_of_window((day - measured).days), day, day.day, DAYS[weekday])
        if (day + _ONE_DAY).day == 1:
            keys = (*keys[:2], LAST, *keys[2:])
        return next((self.by_key[key] for key in keys if key in self.by_key), [])


def check_days(keys: Iterable[str]) -> None:
    """Raise a problem if a key names no days, or days that another one has named."""
    seen: set[DayKey] = set()
    for key in keys:
        try:
            days = parse_day_keys(key)
            if seen & set(days) or len(set(days)) < len(days):
                raise problem(f"'{key}' names a day twice", "Give each day once.")
        except PydanticCustomError as error:
            raise inside(error, key) from None
        seen |= set(days)


class Calendar(Named):
    """
    Opening hours by day: `{mon-fri: ["08:30-17:00"], last: ["08:30-20:00"]}`; days not named are closed.

    A key names days of the week (`mon-fri`), days of the month (`1`, `25-31`, `last`), dates (`"2018-10-01"`,
    `"2018-10-01..2018-10-07"`) or days of the measured window (`measure+0` is the one in which it begins). These go
    before a date, a date before a day of the month, that before a day of the week; an empty list closes. On a holiday
    of `clock: {holidays: …}` the hours are those of a Sunday, on a make-up working day those of a Monday. A time alone,
    `"08:30"`, is a moment: something departs, and nothing is open. `{every: 8 h, first: 2 h}` in place of days are
    moments of any period, counted from the start of the run, or, with `lasts`, as many openings.
    """

    __pydantic_extra__: dict[str, Annotated[list[Name], in_schema("Spans")]]
    every: Duration | None = None
    """The period of moments, or openings, that follow no day, e.g. `7 h`."""
    first: Duration | None = None
    """When the first of them is, from the start of the run, e.g. `2 h`; without it at once."""
    lasts: Duration | None = None
    """How long it is open each time, e.g. `30 s`; without it they are moments."""
    source: Source | None = None
    """Where the hours come from."""
    label: Text = {}
    """How people call them."""

    @model_validator(mode="before")
    @classmethod
    def _hours_are_lists(cls, data: Any) -> Any:  # noqa: ANN401
        for key, value in data.items() if isinstance(data, dict) else ():
            if key in cls.model_fields or isinstance(value, list) or near(key, cls.model_fields):
                continue
            try:
                parse_day_keys(key)
            except PydanticCustomError:
                every = value if _is_duration(value) else "8 h"
                remedy = f'Write {{every: {every}}}, or days with their hours: {{mon-fri: ["08:30-17:00"]}}.'
                raise problem(f"unknown key '{key}'", remedy, (key,)) from None
            hours = value if isinstance(value, str) and value else "08:30-17:00"
            raise problem(
                f"the hours of '{key}' must be a list, found {units.describe(value)}", f'Write ["{hours}"].', (key,)
            )
        return data

    @model_validator(mode="after")
    def _repeats(self) -> Calendar:
        times = {"every": self.every, "first": self.first, "lasts": self.lasts}
        for key, time in times.items():
            if is_reference(mode_of(time)):
                raise problem(f"a parameter ({mode_of(time)}) stands where none is known", "Write a time.", (key,))
        if self.every is None:
            if alone := next((key for key in ("first", "lasts") if times[key] is not None), None):
                raise problem(f"'{alone}' without 'every'", "Write {every: 8 h, first: 2 h}, or days.", (alone,))
            return self
        if self.__pydantic_extra__:
            raise problem("'every' together with days", "Keep one of them.", ("every",))
        every, _, lasts = self.period()
        if every < 1 or lasts >= every:
            raise problem("a period that ends before its opening does", "Give `every` a longer time.", ("every",))
        return self

    @model_validator(mode="after")
    def _parses(self) -> Calendar:
        check_days(self.__pydantic_extra__ or {})
        for key, spans in (self.__pydantic_extra__ or {}).items():
            parsed: list[Minutes] = []
            for number, span in enumerate(spans):
                try:
                    parsed.append(parse_opening(span))
                except PydanticCustomError as error:
                    raise inside(error, key, str(number)) from None
            for number, (earlier, later) in enumerate(pairwise(parsed), start=1):
                if later[0] < earlier[1] or (
                    later[0] == earlier[1] and (earlier[0] == later[0] or later[0] == later[1])
                ):
                    remedy = "Write them in ascending order."
                    raise problem("opening hours overlap or are not in order", remedy, (key, str(number)))
        return self

    @classmethod
    def fits_a_name(cls, value: Any) -> bool:  # noqa: ANN401
        """Return whether `value` looks like opening hours."""
        return isinstance(value, list)

    def period(self) -> tuple[int, int, int]:
        """Return `every`, `first` and `lasts` in ms; the first is 0 where the calendar goes by days."""
        times = (self.every, self.first, self.lasts)
        every, first, lasts = (round(units.parse(mode_of(time or 0), "duration")) for time in times)
        return every, first, lasts

    def hours(self) -> ByDay[Minutes]:
        """Return the opening hours by day."""
        return ByDay(
            {
                key: [parse_opening(span) for span in spans]
                for text, spans in (self.__pydantic_extra__ or {}).items()
                for key in parse_day_keys(text)
            }
        )


def _is_duration(value: Any) -> bool:  # noqa: ANN401
    try:
        units.parse(value, "duration")
    except UnitFault:
        return False
    return True


def _date_texts(value: Any) -> Any:  # noqa: ANN401
    count = 0
    for text in value if isinstance(value, list) else ():
        count += len(parse_dates(str(text)))
        if count > MOST_DATES:
            raise problem(f"more than {MOST_DATES:,} dates", "Name each day once.")
    return value


Dates = Annotated[list[Name], BeforeValidator(_date_texts), in_schema("Dates")]
"""Dates, and ranges of dates as `2018-10-01..2018-10-07`."""


class Holidays(Strict):
    """
    Days that differ from what their day of the week says, for all calendars and profiles of a run.

    On a closed day they follow their Sunday (so `always` stays open), on a working day their Monday.
    """

    closed: Dates = []
    """Holidays, e.g. `["2018-10-01..2018-10-07"]`."""
    working: Dates = []
    """Weekend days worked to make up for them, e.g. `["2018-09-29", "2018-09-30"]`."""
    years: list[Whole] = []
    """The years that the table knows, e.g. `[2018, 2019]`; a run must lie within them. Without it, all."""
    label: Text = {}
    """How people call them."""
    source: Source | None = None
    """Where the dates come from."""

    @model_validator(mode="after")
    def _agree(self) -> Holidays:
        closed, working = self.closed_days(), self.working_days()
        if both := closed & working:
            raise problem(f"{min(both)} is closed and working", "Keep it in one of the lists.")
        strange = [day for day in sorted(closed | working) if self.years and day.year not in self.years]
        if strange:
            raise problem(f"{strange[0]} does not lie in the years of the table", "Add the year to `years`.")
        return self

    def closed_days(self) -> frozenset[datetime.date]:
        """Return the holidays."""
        return frozenset(_all(self.closed))

    def working_days(self) -> frozenset[datetime.date]:
        """Return the make-up working days."""
        return frozenset(_all(self.working))


def _all(texts: list[str]) -> Iterator[datetime.date]:
    for text in texts:
        yield from parse_dates(text)


class HolidaysDocument(Holidays):
    """A table of holidays in a file of its own."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["holidays"]
    """This is a table of holidays."""
    name: Name
    """What scenarios call it, e.g. `cn`."""
