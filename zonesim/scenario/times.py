"""The clock of a run, calendars of opening hours, and profiles of arrivals."""

from __future__ import annotations

import datetime
import re
from itertools import pairwise
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from zonesim import units
from zonesim.scenario.fields import Duration, Name, Strict, problem
from zonesim.scenario.labels import Source, Text

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _date(value: Any) -> str:  # noqa: ANN401
    try:
        return datetime.date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise problem(f"expected a date, found {units.describe(value)}", 'Write a date such as "2018-09-03".') from None


class Clock(Strict):
    """Start (a date, 00:00 local time), warm-up, measured window and cool-down."""

    start: Annotated[str, BeforeValidator(_date)] = "2018-09-03"
    """The first day, from 00:00 local time, e.g. `"2018-09-03"`."""
    warm_up: Duration = "0 h"
    """How long the system fills before anything is measured, e.g. `2 week`."""
    measure: Duration
    """Tokens that arrive in this time are the ones that count, e.g. `4 week`."""
    cool_down: Duration = "0 h"
    """How long they are followed afterwards, e.g. `2 week`."""
    source: Source | None = None
    """Where the choice comes from."""


_SPAN: Final = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


def parse_span(text: str) -> tuple[int, int]:
    """Return the minutes of the day at which `08:30-17:00` begins and ends."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise problem(f"expected opening hours, found '{text}'", 'Write them as "08:30-17:00".')
    hour, minute, to_hour, to_minute = (int(part) for part in match.groups())
    begin, end = 60 * hour + minute, 60 * to_hour + to_minute
    if not 0 <= begin < end <= 24 * 60 or max(minute, to_minute) > 59:  # noqa: PLR2004
        raise problem(f"'{text}' does not lie within a day", 'Write "22:00-24:00" and "00:00-06:00" for a night.')
    return begin, end


def parse_days(text: str) -> list[int]:
    """Return the days of the week (Monday 0) in `mon-fri` or `sat, sun`."""
    days: list[int] = []
    for part in re.split(r"\s*,\s*", text.strip()):
        first, _, last = part.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            raise problem(
                f"expected days, found '{text}'", "Write mon, tue, wed, thu, fri, sat, sun or a range such as mon-fri."
            )
        begin, end = DAYS.index(first), DAYS.index(last or first)
        if end < begin:
            raise problem(f"'{part}' runs backward", "Write sat,sun,mon as a list.")
        days.extend(range(begin, end + 1))
    return days


class Calendar(BaseModel):
    """Opening hours by day of the week: `{mon-fri: ["08:30-17:00"]}`; days not named are closed."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)
    __pydantic_extra__: dict[str, list[Name]]
    source: Source | None = None
    """Where the hours come from."""
    label: Text = {}
    """How people call them."""

    @model_validator(mode="after")
    def _parses(self) -> Calendar:
        seen: set[int] = set()
        for key, spans in (self.__pydantic_extra__ or {}).items():
            days = parse_days(key)
            if seen & set(days):
                raise problem(f"'{key}' names a day twice", "Give each day once.")
            seen |= set(days)
            parsed = [parse_span(span) for span in spans]
            if any(later[0] < earlier[1] for earlier, later in pairwise(parsed)):
                raise problem("opening hours overlap or are not in order", "Write them in ascending order.")
        return self

    def week(self) -> list[tuple[int, int]]:
        """Return the open spans of a week, in ms from Monday 00:00, merged and in order."""
        spans = sorted(
            (day * units.DAY + begin * units.MINUTE, day * units.DAY + end * units.MINUTE)
            for key, texts in (self.__pydantic_extra__ or {}).items()
            for day in parse_days(key)
            for begin, end in map(parse_span, texts)
        )
        merged: list[tuple[int, int]] = []
        for begin, end in spans:
            if merged and merged[-1][1] == begin:
                merged[-1] = (merged[-1][0], end)
            else:
                merged.append((begin, end))
        return merged


Weight = Annotated[float, Field(ge=0)]


class Profile(Strict):
    """When arrivals come: relative weights of the 24 hours of a day and of the days of a week."""

    hours: Annotated[list[Weight], Field(min_length=24, max_length=24)] = [1.0] * 24
    """24 weights, from the hour after midnight; only proportions matter."""
    days: Annotated[list[Weight], Field(min_length=7, max_length=7)] = [1.0] * 7
    """7 weights, Monday first."""
    label: Text = {}
    """How people call it."""
    source: Source | None = None
    """Where the shape comes from."""

    @model_validator(mode="after")
    def _somebody_comes(self) -> Profile:
        if not sum(self.hours) or not sum(self.days):
            raise problem("all weights are 0", "Give at least one hour and one day a weight.")
        return self
