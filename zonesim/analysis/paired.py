"""Intervals over replications, and paired differences between arms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

LEVEL: Final = 0.95
"""Confidence level of every interval."""


@dataclass(frozen=True)
class Interval:
    """Mean over `n` replications with its confidence limits (nan when n < 2, or when there is no value)."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Difference:
    """
    Mean paired difference arm - baseline with its limits.

    `variance_reduction` = (variance of the baseline + variance of the arm) / variance of the difference: how many
    times more replications independent luck would have needed.
    """

    value: float
    low: float
    high: float
    n: int
    variance_reduction: float


def interval(values: Sequence[float]) -> Interval:
    """Return Student's interval of the mean of independent replications; replications without a value are left out."""
    given = np.array([value for value in values if not math.isnan(value)], dtype=np.float64)
    n = len(given)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    mean = float(given.mean())
    if n == 1:
        return Interval(mean, math.nan, math.nan, 1)
    half = _student(n - 1) * float(given.std(ddof=1)) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n)


def paired(base: Sequence[float], arm: Sequence[float]) -> Difference:
    """
    Return the paired difference over replications in which both arms have a value; the sequences are in the same
    order.
    """
    both = [
        (first, second)
        for first, second in zip(base, arm, strict=True)
        if not (math.isnan(first) or math.isnan(second))
    ]
    found = interval([second - first for first, second in both])
    reduction = math.nan
    if len(both) > 1:
        firsts, seconds = np.array(both, dtype=np.float64).T
        spread = float((seconds - firsts).var(ddof=1))
        reduction = float(firsts.var(ddof=1) + seconds.var(ddof=1)) / spread if spread > 0 else math.nan
    return Difference(found.value, found.low, found.high, found.n, reduction)


def _student(freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + LEVEL / 2))
