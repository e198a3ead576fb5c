"""The clock of a run, and profiles of arrivals."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, Field, model_validator

from zonesim.scenario.calendars import parse_date
from zonesim.scenario.fields import PLAIN, Duration, Name, Strict, in_schema, problem
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
    """Tokens that arrive in this time are the ones that count, e.g. `4 week`."""
    cool_down: Duration = "0 h"
    """How long they are followed afterwards, e.g. `2 week`."""
    holidays: Name | None = None
    """
    The table of holidays and make-up working days, e.g. `cn` (the library's, 2017 to 2020): on a holiday calendars and
    profiles follow their Sunday, on a make-up working day their Monday.
    """
    source: Source | None = None
    """Where the choice comes from."""


Weight = Annotated[float, Field(ge=0, le=1e9), PLAIN]


HOURS: Final = 24
"""Hours of a day."""

PARTS: Final = (48, 96, 144, 288)
"""Into how many equal parts a profile may divide the day where hours are too coarse."""


class Profile(Strict):
    """
    When arrivals come: relative weights of the hours of a day, of the days of a week and of the months of a year.

    The mean rate stays, over an ordinary week and over a year of 365 days.
    """

    hours: Annotated[list[Weight], Field(min_length=24, max_length=24)] = [1.0] * 24
    """24 weights, from the hour after midnight; only proportions matter."""
    parts: list[Weight] | None = None
    """
    Weights of equal parts of the day in place of `hours`, from midnight on: 48 (half hours), 96 (quarters of an hour),
    144 (ten minutes) or 288 (five minutes).
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
        if self.parts is not None:
            if "hours" in self.model_fields_set:
                raise problem("hours and parts together", "Keep one of them.")
            if len(self.parts) not in PARTS:
                raise problem(
                    f"{len(self.parts)} weights do not divide a day",
                    "Give 48 (half hours), 96 (quarters of an hour), 144 (ten minutes) or 288 (five minutes).",
                    ("parts",),
                )
        if not sum(self.of_day) or not sum(self.days) or (self.months is not None and not sum(self.months)):
            raise problem("all weights are 0", "Give at least one hour, one day and one month a weight.")
        return self

    @property
    def period(self) -> str:
        """Return after what the shape repeats itself, but for the months: a `week`, a `day`, or "" where it is flat."""
        if len(set(self.days)) > 1:
            return "week"
        return "day" if len(set(self.of_day)) > 1 else ""

    @property
    def of_day(self) -> list[float]:
        """Return the weights of the equal parts of a day, hours or shorter."""
        return self.hours if self.parts is None else self.parts
