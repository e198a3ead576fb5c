"""Arrival rates of a run: a mean rate shaped by weights of hours and days, as a piecewise-constant function."""

from __future__ import annotations

from collections.abc import Sequence

from zonesim.units import HOUR

HOURS: int = 24
DAYS: int = 7


def weekly_factors(hours: Sequence[float], days: Sequence[float]) -> list[float]:
    """
    Return 168 factors, Monday 00:00 first, with mean 1: how the rate of each hour of the week relates to the mean
    rate.
    """
    weights = [day * hour for day in days for hour in hours]
    mean = sum(weights) / len(weights)
    return [weight / mean for weight in weights]


def rate_rows(rate: float, factors: Sequence[float], offset: int, until: int) -> list[tuple[float, float, float]]:
    """
    Return rows (from ms, arrivals per ms, arrivals expected before) over [0, until).

    `rate` is the mean, in arrivals per ms; `offset` is the distance of the start from Monday 00:00 in ms. Equal
    neighbours are merged.
    """
    rows: list[tuple[float, float, float]] = []
    expected = 0.0
    time = 0
    while time < until:
        hour = ((time + offset) // HOUR) % (HOURS * DAYS)
        value = rate * factors[hour]
        if not rows or rows[-1][1] != value:
            if rows:
                expected += (time - rows[-1][0]) * rows[-1][1]
            rows.append((float(time), value, expected))
        time += HOUR - (time + offset) % HOUR
        if all(factor == factors[0] for factor in factors):
            break
    return rows
