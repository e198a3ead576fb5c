"""Arrival rates of a run: a mean rate shaped by weights of hours, days and months, as a piecewise-constant function."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Final

from zonesim.plan.calendars import Days
from zonesim.scenario.times import Profile
from zonesim.units import DAY, HOUR

HOURS: Final = 24
DAYS: Final = 7
MONTHS: Final = 12
DAYS_OF_YEAR: Final = 365
FLAT: Final = [1.0] * (HOURS * DAYS)


@dataclass(frozen=True)
class Shape:
    """
    How the rate of an hour relates to the mean rate.

    `week`: 168 factors, Monday 00:00 first, with mean 1. `months`: 12 shares of the year's volume, or None.
    """

    week: Sequence[float]
    months: Sequence[float] | None = None

    @property
    def is_flat(self) -> bool:
        """Return whether the rate never changes."""
        return self.months is None and all(factor == self.week[0] for factor in self.week)

    def factors_of_day(self, number: int, days: Days) -> list[float]:
        """Return the 24 factors of a day of the run."""
        weekday = days.weekday(number)
        own = self.week[HOURS * weekday : HOURS * (weekday + 1)]
        if self.months is None:
            return list(own)
        day = days.date(number)
        length = calendar.monthrange(day.year, day.month)[1]
        factor = self.months[day.month - 1] * DAYS_OF_YEAR / length
        return [one * factor for one in own]


def shape_of(profiles: Sequence[Profile]) -> Shape:
    """Return the shape of profiles together: their weights of each hour, day and month multiplied."""
    if not profiles:
        return Shape(FLAT)
    hours = [prod(weights) for weights in zip(*(profile.hours for profile in profiles), strict=True)]
    days = [prod(weights) for weights in zip(*(profile.days for profile in profiles), strict=True)]
    seasons = [profile.months for profile in profiles if profile.months is not None]
    months = [prod(weights) for weights in zip(*seasons, strict=True)] if seasons else None
    return Shape(weekly_factors(hours, days), [weight / sum(months) for weight in months] if months else None)


def weekly_factors(hours: Sequence[float], days: Sequence[float]) -> list[float]:
    """
    Return 168 factors, Monday 00:00 first, with mean 1: how the rate of each hour of the week relates to the mean
    rate.
    """
    weights = [day * hour for day in days for hour in hours]
    mean = sum(weights) / len(weights)
    return [weight / mean for weight in weights]


def rate_rows(rate: float, shape: Shape, days: Days, until: int) -> list[tuple[float, float, float]]:
    """
    Return rows (from ms, arrivals per ms, arrivals expected before) over [0, until).

    `rate` is the mean, in arrivals per ms. Equal neighbours are merged.
    """
    if shape.is_flat:
        return [(0.0, rate * shape.week[0], 0.0)]
    steps: list[tuple[int, float]] = []
    for number in range(-(-until // DAY)):
        for hour, factor in enumerate(shape.factors_of_day(number, days)):
            time, value = number * DAY + hour * HOUR, rate * factor
            if time < until and (not steps or steps[-1][1] != value):
                steps.append((time, value))
    rows: list[tuple[float, float, float]] = []
    expected = 0.0
    for (time, value), (later, _) in pairwise([*steps, (until, 0.0)]):
        rows.append((float(time), value, expected))
        expected += (later - time) * value
    return rows
