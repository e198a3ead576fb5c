"""Arrival rates of a run: a mean rate shaped by weights of hours, days and months, as a piecewise-constant function."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import lcm, prod
from typing import Final

from zonesim.plan.calendars import Days
from zonesim.scenario.times import Profile
from zonesim.units import DAY

HOURS: Final = 24
DAYS: Final = 7
MONTHS: Final = 12
DAYS_OF_YEAR: Final = 365
FLAT: Final = [1.0] * (HOURS * DAYS)


@dataclass(frozen=True)
class Shape:
    """
    How the rate of a part of the week relates to the mean rate.

    `week`: factors with mean 1 of the hours of the week, Monday 00:00 first, or of shorter parts of equal length.
    `months`: 12 shares of the year's volume, or None.
    """

    week: Sequence[float]
    months: Sequence[float] | None = None

    @property
    def is_flat(self) -> bool:
        """Return whether the rate never changes."""
        return self.months is None and all(factor == self.week[0] for factor in self.week)

    def factors_of_day(self, number: int, days: Days) -> list[float]:
        """Return the factors of the hours, or shorter parts, of a day of the run."""
        weekday, parts = days.weekday(number), len(self.week) // DAYS
        own = self.week[parts * weekday : parts * (weekday + 1)]
        if self.months is None:
            return list(own)
        day = days.date(number)
        length = calendar.monthrange(day.year, day.month)[1]
        factor = self.months[day.month - 1] * DAYS_OF_YEAR / length
        return [one * factor for one in own]


def shape_of(profiles: Sequence[Profile]) -> Shape:
    """Return the shape of profiles together: their weights of each part of the day, day and month multiplied."""
    if not profiles:
        return Shape(FLAT)
    finest = lcm(*(len(profile.of_day) for profile in profiles))
    alike = [[weight for weight in each.of_day for _ in range(finest // len(each.of_day))] for each in profiles]
    parts = [prod(weights) for weights in zip(*alike, strict=True)]
    days = [prod(weights) for weights in zip(*(profile.days for profile in profiles), strict=True)]
    seasons = [profile.months for profile in profiles if profile.months is not None]
    months = [prod(weights) for weights in zip(*seasons, strict=True)] if seasons else None
    return Shape(weekly_factors(parts, days), [weight / sum(months) for weight in months] if months else None)


def weekly_factors(parts: Sequence[float], days: Sequence[float]) -> list[float]:
    """
    Return factors with mean 1, Monday 00:00 first: how the rate of each part of each day of the week relates to the
    mean rate.
    """
    weights = [day * part for day in days for part in parts]
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
        factors = shape.factors_of_day(number, days)
        for part, factor in enumerate(factors):
            time, value = number * DAY + part * (DAY // len(factors)), rate * factor
            if time < until and (not steps or steps[-1][1] != value):
                steps.append((time, value))
    rows: list[tuple[float, float, float]] = []
    expected = 0.0
    for (time, value), (later, _) in pairwise([*steps, (until, 0.0)]):
        rows.append((float(time), value, expected))
        expected += (later - time) * value
    return rows
