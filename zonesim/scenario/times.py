"""The clock of a run, and profiles of arrivals."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from zonesim.scenario.calendars import DAYS, ByDay, check_days, parse_date, parse_day_keys
from zonesim.scenario.fields import PLAIN, Duration, Name, Strict, in_schema, inside, problem
from zonesim.scenario.labels import Source, Text


def _start(value: object) -> str:
    return parse_date(value).isoformat()


class Clock(Strict):
    """Start (a date, 00:00 local time), warm-up, measured window and cool-down."""

    start: Annotated[str, BeforeValidator(lambda value: parse_date(value).isoformat()), in_schema("Date")] = (
        "2018-09-03"
    )
    """The first day, from 00:00 local time, e.g. `"2018-09-03"`."""
    warm_up: Duration = "0 h"
    """How long the system fills before anything is measured, e.g. `2 week`."""
    measure: Duration
    """
    Tokens that arrive in this time are the ones that count, e.g. `4 week`; its end is not part of it, so who arrives at
    that very moment does not count, and with `ends: empty` does not come.
    """
    cool_down: Duration = "0 h"
    """
    How long they are followed afterwards, e.g. `2 week`, while others go on coming; with `ends: empty` how long at
    most, `30 d` where nothing else is said.
    """
    ends: Literal["at", "empty"] = "at"
    """
    When the run ends: `at` the end of `cool_down`, or when it is `empty`: nobody comes after the measured window, and
    all who are inside are followed until they have left, for `cool_down` at most.
    """
    holidays: Name | None = None
    """
    The table of holidays and make-up working days, e.g. `cn` (the library's, 2017 to 2020): on a holiday calendars and
    profiles follow their Sunday, on a make-up working day their Monday.
    """
    source: Source | None = None
    """Where the choice comes from."""


LONGEST_CLOSING: Final = "30 d"
"""How long a run that ends when it is empty goes on at most, where `cool_down` does not say it."""

Weight = Annotated[float, Field(ge=0, le=1e9), PLAIN]


HOURS: Final = 24
"""Hours of a day."""

PARTS: Final = (48, 96, 144, 288)
"""Into how many equal parts a profile may divide the day where hours are too coarse."""


_BY_DAY: Final = Discriminator(lambda value: "days" if isinstance(value, dict) else "day")
Hourly = Annotated[list[Weight], Field(min_length=HOURS, max_length=HOURS)]
Hours = Annotated[Annotated[Hourly, Tag("day")] | Annotated[dict[str, Hourly], Tag("days")], _BY_DAY]
Parts = Annotated[Annotated[list[Weight], Tag("day")] | Annotated[dict[str, list[Weight]], Tag("days")], _BY_DAY]
"""Weights of the hours, or shorter parts, of every day, or of each day that is named."""


class Profile(Strict):
    """
    When arrivals come: relative weights of the hours of a day, of the days of a week and of the months of a year.

    The mean rate stays, over an ordinary week and over a year of 365 days. Where days have hours of their own,
    `{mon-fri: […], sat: […]}`, their weights compare across days; days are named as in a calendar, those that are not
    have weight 0.
    """

    hours: Hours = [1.0] * HOURS
    """
    24 weights, from the hour after midnight, or by day, e.g. `{mon-fri: [24 weights], sat-sun: [24 weights]}`; only
    proportions matter.
    """
    parts: Parts | None = None
    """
    Weights of equal parts of the day in place of `hours`, from midnight on: 48 (half hours), 96 (quarters of an hour),
    144 (ten minutes) or 288 (five minutes); by day as `hours`.
    """
    days: Annotated[list[Weight], Field(min_length=7, max_length=7)] = [1.0] * 7
    """7 weights, Monday first; a holiday has that of Sunday, a make-up working day that of Monday."""
    months: Annotated[list[Weight], Field(min_length=12, max_length=12)] | None = None
    """12 weights, January first: the volume of each month, as monthly statistics give it."""
    label: Text = {}
    """How people call it."""
    source: Source | None = None
    """Where the shape comes from."""

    @model_validator(mode="after")
    def _somebody_comes(self) -> Profile:
        if self.parts is not None and "hours" in self.model_fields_set:
            raise problem("hours and parts together", "Keep one of them.")
        if self._written == {}:
            raise problem("all weights are 0", "Give at least one hour, one day and one month a weight.")
        if isinstance(self._written, dict):
            name = "hours" if self.parts is None else "parts"
            try:
                check_days(self._written)
            except PydanticCustomError as error:
                raise inside(error, name, *(error.context or {}).get("at", ())) from None
        for at, weights in _by_key(self.parts) if self.parts is not None else ():
            if len(weights) not in PARTS:
                raise problem(
                    f"{len(weights)} weights do not divide a day",
                    "Give 48 (half hours), 96 (quarters of an hour), 144 (ten minutes) or 288 (five minutes).",
                    ("parts", *at),
                )
            if len(weights) != self.length:
                fault = f"{len(weights)} weights, where other days have {self.length}"
                raise problem(fault, "Divide all days into as many parts.", ("parts", *at))
        week = [day * sum(self.of_weekday(weekday)) for weekday, day in enumerate(self.days)]
        if not sum(week) or (self.months is not None and not sum(self.months)):
            raise problem("all weights are 0", "Give at least one hour, one day and one month a weight.")
        return self

    @property
    def _written(self) -> list[float] | dict[str, list[float]]:
        return self.hours if self.parts is None else self.parts

    @property
    def period(self) -> str:
        """Return after what the shape repeats itself, but for the months: a `week`, a `day`, or "" where it is flat."""
        week = [self.of_weekday(weekday) for weekday in range(7)]
        if len(set(self.days)) > 1 or any(day != week[0] for day in week):
            return "week"
        return "day" if len(set(week[0])) > 1 else ""

    @property
    def length(self) -> int:
        """Return into how many equal parts a day is divided: hours, or shorter ones."""
        return len(next(weights for _, weights in _by_key(self._written)))

    @cached_property
    def by_day(self) -> ByDay[float]:
        """Return the weights of the parts of a day, by day."""
        written = self._written
        by_text = written if isinstance(written, dict) else {"mon-sun": written}
        return ByDay({key: weights for text, weights in by_text.items() for key in parse_day_keys(text)})

    def of_weekday(self, weekday: int) -> list[float]:
        """Return the weights of the parts of an ordinary day of the week (Monday 0)."""
        return self.by_day.by_key.get(DAYS[weekday]) or [0.0] * self.length

    def on(self, day: datetime.date, weekday: int, measured: datetime.date) -> list[float]:
        """Return the weights of the parts of a day that counts as `weekday`; the window begins on day `measured`."""
        return self.by_day.on(day, weekday, measured) or [0.0] * self.length

    @property
    def names_dates(self) -> bool:
        """Return whether some days have weights that are not those of a day of the week."""
        return not set(DAYS).issuperset(self.by_day.by_key)


def _by_key(written: Any) -> Iterator[tuple[tuple[str, ...], list[float]]]:  # noqa: ANN401
    """Yield the weights of each day that is written, with the key that leads there."""
    if isinstance(written, dict):
        yield from (((key,), weights) for key, weights in written.items())
    else:
        yield (), written
