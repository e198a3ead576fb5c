"""Intervals over replications, and paired differences between arms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from zonesim.experiment import USUAL_LEVEL

LEVEL: Final = USUAL_LEVEL
"""Confidence level of intervals where nobody asks for another."""

Reason = Literal["", "grows", "missing", "band"]
"""
Why a number is not given: it depends on the run length, too much of what it is made of is missing, or it depends on
what nobody knows: then limits are given, the least and the most that it may be.
"""


@dataclass(frozen=True)
class Interval:
    """
    Mean over `n` replications with its confidence limits (nan when n < 2, or when there is no value).

    `reason`: why there is no value though replications have some. Where it is `missing`, `missing` is the largest share
    of cases that is missing (or undecided) in a replication, and `withheld` in how many replications it is too large.
    """

    value: float
    low: float
    high: float
    n: int
    reason: Reason = ""
    missing: float = 0.0
    withheld: int = 0


@dataclass(frozen=True)
class Difference:
    """
    Mean paired difference arm - baseline with its limits.

    `variance_reduction` = (variance of the baseline + variance of the arm) / variance of the difference: how many
    times more replications independent luck would have needed. `together`: limits that hold at once with those of all
    arms that are compared to the baseline (see `together`); its own where it is the only one, or nobody asked.
    """

    value: float
    low: float
    high: float
    n: int
    variance_reduction: float
    together: tuple[float, float] = (math.nan, math.nan)
    arms: int = 1
    """How many arms are compared at once."""

    @property
    def is_sure(self) -> bool:
        """Return whether its own limits are on one side of 0."""
        return self.low > 0 or self.high < 0

    @property
    def is_sure_together(self) -> bool:
        """Return whether the limits that hold together are on one side of 0."""
        low, high = (self.low, self.high) if self.arms == 1 else self.together
        return low > 0 or high < 0

    def change(self, better: str) -> str:
        """
        Return `better` or `worse` where the limits are on one side of 0 and there is a way that is good: `better` says
        which, `lower` or `higher`. Empty where they are not, or where neither way is.
        """
        if better not in {"lower", "higher"} or not self.is_sure:
            return ""
        return "better" if (self.high < 0) == (better == "lower") else "worse"


def interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """
    Return Student's interval of the mean of independent replications; replications without a value are left out.

    That is right where a replication has no case to tell of. Where its value is withheld because its long cases have
    not ended, the others are no sample of all: ask `effects.judge`.
    """
    given = np.array([value for value in values if not math.isnan(value)], dtype=np.float64)
    n = len(given)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    mean = float(given.mean())
    if n == 1:
        return Interval(mean, math.nan, math.nan, 1)
    half = student(n - 1, level) * float(given.std(ddof=1)) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n)


def paired(base: Sequence[float], arm: Sequence[float], level: float = LEVEL) -> Difference:
    """
    Return the paired difference over replications in which both arms have a value; the sequences are in the same
    order.
    """
    both = [
        (first, second)
        for first, second in zip(base, arm, strict=True)
        if not (math.isnan(first) or math.isnan(second))
    ]
    found = interval([second - first for first, second in both], level)
    reduction = math.nan
    if len(both) > 1:
        firsts, seconds = np.array(both, dtype=np.float64).T
        spread = float((seconds - firsts).var(ddof=1))
        reduction = float(firsts.var(ddof=1) + seconds.var(ddof=1)) / spread if spread > 0 else math.nan
    return Difference(found.value, found.low, found.high, found.n, reduction)


def together(difference: Difference, arms: int, level: float = LEVEL) -> tuple[float, float]:
    """
    Return the limits of a difference that hold together with those of all `arms` that are compared to one baseline, at
    the same `level` at which its own limits hold alone.

    Each is told at a level of 1 - (1 - level) / arms (Bonferroni): that holds whatever ties the differences, while
    Dunnett's limits are for arms that are independent with one variance, which arms under the same luck are not.
    """
    if arms == 1 or difference.n < 2 or math.isnan(difference.low):  # noqa: PLR2004  a spread needs two
        return difference.low, difference.high
    half = (difference.high - difference.low) / 2
    half *= student(difference.n - 1, 1 - (1 - level) / arms) / student(difference.n - 1, level)
    return difference.value - half, difference.value + half


@lru_cache(1000)
def student(freedom: int, level: float = LEVEL) -> float:
    """Return the quantile of Student's distribution that cuts the same off on both sides, and leaves `level`."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + level / 2))
