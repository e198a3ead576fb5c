"""How many replications an interval needs, from those that are there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from zonesim.analysis.paired import LEVEL, interval, student

MOST: Final = 100_000_000
"""No more replications than these are ever said to be needed."""


def relative_half_widths(values: Sequence[float]) -> list[float]:
    """
    Return, for the first one, two, three … replications, half the width of the interval over the mean: nan for the
    first, and where the mean is 0.
    """
    found = []
    for count in range(1, len(values) + 1):
        now = interval(values[:count])
        found.append((now.high - now.low) / 2 / abs(now.value) if now.value else math.nan)
    return found


def first_precise(half_widths: Sequence[float], threshold: float, look_ahead: int = 5) -> int | None:
    """
    Return after how many replications the relative half-width is at most `threshold` and stays so over the next
    `look_ahead` replications (more in proportion above 100); None where it never does.

    Source: K. Hoad, S. Robinson, R. Davies, Automated selection of the number of replications for a discrete-event
    simulation, Journal of the Operational Research Society 61, 2010.
    """
    for count in range(1, len(half_widths) + 1):
        last = count + looks_ahead(count, look_ahead)
        if last > len(half_widths):
            return None
        if all(width <= threshold for width in half_widths[count - 1 : last]):  # never so for nan
            return count
    return None


def looks_ahead(count: int, look_ahead: int) -> int:
    """Return how many replications after the first `count` are looked at: `look_ahead`, in proportion above 100."""
    return look_ahead * max(count, 100) // 100


def replications_for(sd: float, half_width: float, level: float = LEVEL) -> int:
    """
    Return the least number of replications whose interval has at most this half-width, where their standard deviation
    is that of a pilot.

    Source: M. D. Rossetti, Simulation Modeling and Arena, chapter 3, the iterative method with Student's quantile.
    """
    from scipy.special import ndtri

    if sd == 0:
        return 2
    root = float(ndtri(0.5 + level / 2)) * sd / half_width  # the normal quantile is the smallest
    if root * root >= MOST:
        return MOST
    count = max(2, math.ceil(root * root))
    while count < MOST and student(count - 1, level) * sd / math.sqrt(count) > half_width:
        count += 1
    return min(count, MOST)


def replications_needed(values: Sequence[float], relative: float, level: float = LEVEL) -> int | None:
    """
    Return how many replications it takes for an interval of ± `relative` of the mean, as far as these replications can
    tell; None where fewer than two have a value, or the mean is 0. Not to be asked of a KPI that is withheld.
    """
    given = np.array([value for value in values if not math.isnan(value)], dtype=np.float64)
    if len(given) < 2 or not (mean := float(given.mean())):  # noqa: PLR2004  a spread needs two
        return None
    return replications_for(float(given.std(ddof=1)), relative * abs(mean), level)


def lag_one(values: Sequence[float]) -> float:
    """Return the correlation of neighbours in a series; near 0 where they are independent. nan where all are equal."""
    given = np.array(values, dtype=np.float64)
    apart = given - given.mean()
    spread = math.fsum((apart * apart).tolist())
    return math.fsum(float(one) * float(next_) for one, next_ in pairwise(apart)) / spread if spread else math.nan
