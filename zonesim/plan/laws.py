"""
Laws of random values: their kinds, and mean and variance in closed form.

A law is a row (kind, first number, count of numbers) of the laws table; its numbers stand in the flat numbers
table, in units of the value (milliseconds for durations).
"""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Law(IntEnum):
    """Kinds of laws; the numbers of each stand behind it."""

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
    """row of a law, cumulative share, row of a law, cumulative share …"""
    BY_CLASS = 9
    """row of the law of class 0, of class 1 …"""
    SHIFTED = 10
    """row of a law, offset, factor"""
    EMPIRICAL = 11
    """sorted values, drawn by linear interpolation (quantile type 7)"""
    WEIBULL = 12
    """shape, mean"""
    GAMMA = 13
    """mean, coefficient of variation"""
    NORMAL = 14
    """mean and standard deviation of the uncut law, low: the law given that the value is at least low"""


def law_mean(index: NDArray[np.int64], numbers: NDArray[np.float64], row: int, klass: int) -> float:
    """Return the mean of a law for tokens of class `klass`."""
    return _moments(index, numbers, row, klass)[0]


def law_variance(index: NDArray[np.int64], numbers: NDArray[np.float64], row: int, klass: int) -> float:
    """Return the variance of a law for tokens of class `klass`."""
    return _moments(index, numbers, row, klass)[1]


def _moments(index: NDArray[np.int64], numbers: NDArray[np.float64], row: int, klass: int) -> tuple[float, float]:
    """Return mean and variance."""
    kind, first, count = (int(value) for value in index[row])
    own = [float(value) for value in numbers[first : first + count]]
    if kind == Law.BY_CLASS:
        return _moments(index, numbers, int(own[klass]), klass)
    if kind == Law.SHIFTED:
        mean, variance = _moments(index, numbers, int(own[0]), klass)
        return own[1] + own[2] * mean, own[2] ** 2 * variance
    if kind in (Law.DISCRETE, Law.MIXTURE):
        shares = np.diff(own[1::2], prepend=0.0)
        parts = [(value, 0.0) for value in own[::2]]
        if kind == Law.MIXTURE:
            parts = [_moments(index, numbers, int(part), klass) for part in own[::2]]
        mean = float(sum(share * part[0] for share, part in zip(shares, parts, strict=True)))
        second = float(sum(share * (part[1] + part[0] ** 2) for share, part in zip(shares, parts, strict=True)))
        return mean, max(second - mean**2, 0.0)
    if kind == Law.EMPIRICAL:
        lows, highs = np.array(own[:-1]), np.array(own[1:])
        mean = float(((lows + highs) / 2).mean())
        return mean, float(((lows**2 + lows * highs + highs**2) / 3).mean()) - mean**2
    return _simple_moments(Law(kind), own)


def _simple_moments(kind: Law, own: list[float]) -> tuple[float, float]:
    if kind == Law.CONSTANT:
        return own[0], 0.0
    if kind == Law.UNIFORM:
        return (own[0] + own[1]) / 2, (own[1] - own[0]) ** 2 / 12
    if kind == Law.TRIANGULAR:
        low, mode, high = own
        return sum(own) / 3, (low**2 + mode**2 + high**2 - low * mode - low * high - mode * high) / 18
    if kind == Law.PERT:
        low, mode, high = own
        mean = (low + 4 * mode + high) / 6
        return mean, (mean - low) * (high - mean) / 7
    if kind == Law.EXPONENTIAL:
        return own[0], own[0] ** 2
    if kind == Law.ERLANG:
        return own[1], own[1] ** 2 / own[0]
    if kind == Law.WEIBULL:
        ratio = math.gamma(1 + 2 / own[0]) / math.gamma(1 + 1 / own[0]) ** 2
        return own[1], own[1] ** 2 * (ratio - 1)
    if kind == Law.NORMAL:
        mean, sd, low = own
        cut = (low - mean) / sd
        density = math.exp(-cut * cut / 2) / math.sqrt(2 * math.pi)
        hazard = density / (math.erfc(cut / math.sqrt(2)) / 2)
        return mean + sd * hazard, sd**2 * (1 + cut * hazard - hazard**2)
    return own[0], (own[0] * own[1]) ** 2  # LOGNORMAL and GAMMA are given by mean and coefficient of variation
