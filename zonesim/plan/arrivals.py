"""Arrival rates of a run: a mean rate shaped by weights of hours, days and months, as a piecewise-constant function."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from math import lcm, prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.faults import Place, ScenarioFault
from zonesim.plan.calendars import Days
from zonesim.scenario.times import Profile
from zonesim.units import DAY

HOURS: Final = 24
DAYS: Final = 7
DAYS_OF_YEAR: Final = 365
LEAST_WEIGHT: Final = 1e-100
"""What is below it in sum cannot be told from 0."""

FLAT: Final = [1.0] * (HOURS * DAYS)


@dataclass(frozen=True)
class Shape:
    """How the rate of a part of the week relates to the mean rate."""

    week: Sequence[float]
    """Factors with mean 1 of the hours of the week, Monday 00:00 first, or of shorter parts of equal length."""
    months: Sequence[float] | None = None
    """12 shares of the year's volume, or None."""
    profiles: Sequence[Profile] = ()
    """What it is made of, where some days are not like those of an ordinary week."""
    mean: float = 1.0
    """The mean of their weights over an ordinary week."""

    @property
    def is_flat(self) -> bool:
        """Return whether the rate never changes."""
        return self.months is None and not self.profiles and all(factor == self.week[0] for factor in self.week)

    @property
    def parts(self) -> int:
        """Return into how many parts the day is divided."""
        return len(self.week) // DAYS

    def kind_of_day(self, number: int, days: Days) -> tuple[int, ...]:
        """Return what the factors of a day of the run depend on."""
        if self.profiles:
            return (number,)
        if self.months is None:
            return (days.weekday(number),)
        day = days.date(number)
        return days.weekday(number), day.month, calendar.monthrange(day.year, day.month)[1]

    def factors_of_day(self, number: int, days: Days) -> list[float]:
        """Return the factors of the hours, or shorter parts, of a day of the run."""
        weekday, parts = days.weekday(number), self.parts
        own = self.week[parts * weekday : parts * (weekday + 1)]
        day = days.date(number)
        if self.profiles:
            found = [profile.on(day, weekday, days.measured) for profile in self.profiles]
            weights = _of_day(self.profiles, found, weekday)
            own = [weight / self.mean for weight in weights]
        if self.months is None:
            return list(own)
        length = calendar.monthrange(day.year, day.month)[1]
        factor = self.months[day.month - 1] * DAYS_OF_YEAR / length
        return [one * factor for one in own]


def shape_of(profiles: Sequence[Profile], place: Place) -> Shape:
    """
    Return the shape of profiles together: their weights of each part of the day, day and month multiplied.

    Raises ScenarioFault, at `place`, when they leave no time at all.
    """
    if not profiles:
        return Shape(FLAT)
    week = [
        _of_day(profiles, [profile.of_weekday(weekday) for profile in profiles], weekday) for weekday in range(DAYS)
    ]
    seasons = [profile.months for profile in profiles if profile.months is not None]
    months = [prod(weights) for weights in zip(*seasons, strict=True)] if seasons else None
    weights = [weight for day in week for weight in day]
    if not all(sum(each) > LEAST_WEIGHT for each in (weights, months or [1.0])):
        remedy = "Give some hour, some day and some month a weight in all of them."
        raise ScenarioFault("with these profiles together nobody ever comes", place, remedy)
    mean = sum(weights) / len(weights)
    return Shape(
        [weight / mean for weight in weights],
        [weight / sum(months) for weight in months] if months else None,
        profiles if any(profile.names_dates for profile in profiles) else (),
        mean,
    )


def _of_day(profiles: Sequence[Profile], by_profile: Sequence[Sequence[float]], weekday: int) -> list[float]:
    """Return the weights of the parts of a day: those of profiles multiplied, with their weights of its weekday."""
    finest = lcm(*(len(weights) for weights in by_profile))
    alike = [[weight for weight in weights for _ in range(finest // len(weights))] for weights in by_profile]
    day = prod(profile.days[weekday] for profile in profiles)
    return [day * prod(weights) for weights in zip(*alike, strict=True)]


@dataclass(frozen=True)
class Course:
    """A shape over a run."""

    times: NDArray[np.int64]
    """From when on (ms) each factor holds."""
    factors: NDArray[np.float64]
    """The rate in units of its mean."""
    until: int
    """When the run ends (ms)."""


def course_of(shape: Shape, days: Days, until: int) -> Course:
    """Return the course of a shape over the days of a run."""
    if shape.is_flat:
        return Course(np.zeros(1, dtype=np.int64), np.array(shape.week[:1]), until)
    by_day: dict[tuple[int, ...], list[float]] = {}
    rows: list[list[float]] = []
    for number in range(-(-until // DAY)):
        key = shape.kind_of_day(number, days)
        if key not in by_day:
            by_day[key] = shape.factors_of_day(number, days)
        rows.append(by_day[key])
    factors = np.array(rows, dtype=np.float64).ravel()
    times = np.arange(len(factors), dtype=np.int64) * (DAY // shape.parts)
    return Course(times[times < until], factors[times < until], until)


def rate_rows(rate: float, course: Course) -> NDArray[np.float64]:
    """
    Return rows (from ms, arrivals per ms, arrivals expected before), shape (n, 3), over the run.

    `rate` is the mean, in arrivals per ms. Equal neighbours are merged.
    """
    return _rows(course.times, rate * course.factors, course.until)


def clipped(rows: NDArray[np.float64], begins: int, ends: int, until: int) -> NDArray[np.float64]:
    """Return rows of rates over a run that lasts `until`, with nobody before `begins` and from `ends` on (ms)."""
    times = rows[:, 0].astype(np.int64)
    edges = np.unique([*times, *(edge for edge in (begins, ends) if edge < until)])
    values = rows[np.searchsorted(times, edges, side="right") - 1, 1]
    return _rows(edges, np.where((begins <= edges) & (edges < ends), values, 0.0), until)


def _rows(times: NDArray[np.int64], values: NDArray[np.float64], until: int) -> NDArray[np.float64]:
    """Return rows of rates that hold from `times` on; equal neighbours are merged."""
    begins = np.ones(len(values), dtype=np.bool_)
    begins[1:] = values[1:] != values[:-1]
    times, values = times[begins], values[begins]
    expected = np.cumsum(np.diff(times, append=until) * values)
    return np.stack([times.astype(np.float64), values, np.concatenate([[0.0], expected[:-1]])], axis=1)
