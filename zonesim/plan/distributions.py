"""
Distributions of random values: their kinds, and mean, variance and range in closed form.

A distribution is a row (kind, first, count) of the distributions table; its parameters stand in the flat parameters
table, in units of the value (milliseconds for durations).
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Final

import numpy as np

from zonesim.plan.columns import Floats, Rows

_ZETA: Final = (1.6449340668482264, 1.2020569031595942, 1.0823232337111382, 1.0369277551433699, 1.0173430619844491)
"""Riemann's zeta function at 2, 3 …"""
_SMALL: Final = 1e-3
"""Below this, 1 / shape of a Weibull law is put into a power series: the difference of logarithms would lose digits."""
_TAIL: Final = 5.0
_LEVELS: Final = 60
"""From so many standard deviations on, the tail of a normal law is a continued fraction; so many levels are exact."""


class Distribution(IntEnum):
    """Kinds of distributions, each with its parameters."""

    CONSTANT = 0
    """value"""
    UNIFORM = 1
    """low, high"""
    TRIANGULAR = 2
    """low, mode, high"""
    PERT = 3
    """low, mode, high: beta with shapes 1 + 4 (mode - low) / (high - low) and 1 + 4 (high - mode) / (high - low)"""
    EXPONENTIAL = 4
    """mean"""
    ERLANG = 5
    """shape (whole), mean"""
    LOGNORMAL = 6
    """mean, coefficient of variation"""
    DISCRETE = 7
    """value, cumulative share, value, cumulative share …"""
    MIXTURE = 8
    """row of a distribution, cumulative share, row of a distribution, cumulative share …"""
    BY_CLASS = 9
    """row of the distribution of class 0, of class 1 …"""
    SHIFTED = 10
    """row of a distribution, offset, factor"""
    EMPIRICAL = 11
    """sorted values, drawn by linear interpolation (quantile type 7)"""
    WEIBULL = 12
    """shape, mean"""
    GAMMA = 13
    """mean, coefficient of variation"""
    NORMAL = 14
    """mean and standard deviation without the cut, low: given that the value is at least low"""


def distribution_mean(index: Rows, numbers: Floats, row: int, klass: int) -> float:
    """Return the mean of a distribution for tokens of class `klass`."""
    return _moments(index, numbers, row, klass)[0]


def distribution_variance(index: Rows, numbers: Floats, row: int, klass: int) -> float:
    """Return the variance of a distribution for tokens of class `klass`."""
    return _moments(index, numbers, row, klass)[1]


def distribution_range(index: Rows, numbers: Floats, row: int, klass: int) -> tuple[float, float]:
    """Return the least and the greatest value (inf: no bound) of a distribution for tokens of class `klass`."""
    kind, first, count = (int(value) for value in index[row])
    own = [float(value) for value in numbers[first : first + count]]
    if kind == Distribution.BY_CLASS:
        return distribution_range(index, numbers, int(own[klass]), klass)
    if kind == Distribution.SHIFTED:
        low, high = distribution_range(index, numbers, int(own[0]), klass)
        return own[1] + own[2] * low, own[1] + own[2] * high
    if kind == Distribution.CONSTANT:
        return own[0], own[0]
    if kind == Distribution.NORMAL:
        return own[2], math.inf
    if kind in (
        Distribution.UNIFORM,
        Distribution.TRIANGULAR,
        Distribution.PERT,
        Distribution.EMPIRICAL,
    ):
        return min(own), max(own)
    if kind in (Distribution.DISCRETE, Distribution.MIXTURE):
        taken = [value for value, share in zip(own[::2], np.diff(own[1::2], prepend=0.0), strict=True) if share > 0]
        parts = [(value, value) for value in taken]
        if kind == Distribution.MIXTURE:
            parts = [distribution_range(index, numbers, int(part), klass) for part in taken]
        return min(low for low, _ in parts), max(high for _, high in parts)
    mean = own[1] if kind in (Distribution.ERLANG, Distribution.WEIBULL) else own[0]
    return (0.0, math.inf) if mean > 0 else (mean, mean)


def _moments(index: Rows, numbers: Floats, row: int, klass: int) -> tuple[float, float]:
    """Return mean and variance."""
    kind, first, count = (int(value) for value in index[row])
    own = [float(value) for value in numbers[first : first + count]]
    if kind == Distribution.BY_CLASS:
        return _moments(index, numbers, int(own[klass]), klass)
    if kind == Distribution.SHIFTED:
        mean, variance = _moments(index, numbers, int(own[0]), klass)
        return own[1] + own[2] * mean, own[2] ** 2 * variance
    if kind in (Distribution.DISCRETE, Distribution.MIXTURE):
        shares = np.diff(own[1::2], prepend=0.0)
        parts = [(value, 0.0) for value in own[::2]]
        if kind == Distribution.MIXTURE:
            parts = [_moments(index, numbers, int(part), klass) for part in own[::2]]
        mean = float(sum(share * part[0] for share, part in zip(shares, parts, strict=True)))
        within = sum(share * (part[1] + (part[0] - mean) ** 2) for share, part in zip(shares, parts, strict=True))
        return mean, float(within)
    if kind == Distribution.EMPIRICAL:
        middles, widths = (np.array(own[:-1]) + np.array(own[1:])) / 2, np.diff(own)
        return float(middles.mean()), float(middles.var() + (widths**2).mean() / 12)
    return _simple_moments(Distribution(kind), own)


def _simple_moments(kind: Distribution, own: list[float]) -> tuple[float, float]:
    if kind == Distribution.CONSTANT:
        return own[0], 0.0
    if kind == Distribution.UNIFORM:
        return (own[0] + own[1]) / 2, (own[1] - own[0]) ** 2 / 12
    if kind == Distribution.TRIANGULAR:
        low, mode, high = own
        return sum(own) / 3, ((high - low) ** 2 - (mode - low) * (high - mode)) / 18
    if kind == Distribution.PERT:
        low, mode, high = own
        mean = (low + 4 * mode + high) / 6
        return mean, (mean - low) * (high - mean) / 7
    if kind == Distribution.EXPONENTIAL:
        return own[0], own[0] ** 2
    if kind == Distribution.ERLANG:
        return own[1], own[1] ** 2 / own[0]
    if kind == Distribution.WEIBULL:
        return own[1], own[1] ** 2 * _weibull_variance(1 / own[0])
    if kind == Distribution.NORMAL:
        mean, sd, low = own
        more, variance = _normal_beyond((low - mean) / sd)
        return max(mean, low) + sd * more, sd**2 * variance
    return own[0], (own[0] * own[1]) ** 2  # LOGNORMAL and GAMMA are given by mean and coefficient of variation


def _weibull_variance(x: float) -> float:
    """Return the variance of a Weibull law of mean 1 and shape 1 / x."""
    if x < _SMALL:
        logarithm = sum(zeta * (2.0**n - 2) * (-x) ** n / n for n, zeta in enumerate(_ZETA, 2))
    else:
        logarithm = math.lgamma(1 + 2 * x) - 2 * math.lgamma(1 + x)
    return math.expm1(logarithm)


def _normal_beyond(cut: float) -> tuple[float, float]:
    """Return by how much the mean of the standard normal law above `cut` is above 0 and `cut`, and the variance."""
    if cut < _TAIL:
        density = math.exp(-cut * cut / 2) / math.sqrt(2 * math.pi)
        hazard = density / (math.erfc(cut / math.sqrt(2)) / 2)
        return hazard - max(cut, 0.0), 1 + cut * hazard - hazard**2
    rest = cut
    for level in range(_LEVELS, 2, -1):  # hazard = cut + 1 / (cut + 2 / (cut + 3 / (cut + …)))
        rest = cut + level / rest
    second = 2 / rest
    first = 1 / (cut + second)
    return first, (second - first) * first
