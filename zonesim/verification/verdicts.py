"""Whether what came out is what was expected, and whether enough was run to say so."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from zonesim.verification.documents import FEWEST

NEAR: Final = 1e-9
"""How near a value of a trace is to what is expected, relative above 1 and absolute below."""

SURE: Final = 0.9995
"""Student's quantile within which the mean lies of the exact value: one correct value in a thousand is outside."""

BOTH: Final = 3.3
"""Standard errors within which two means lie of each other: about one correct value in a thousand is outside."""


class Verdict(StrEnum):
    """What is said of a value."""

    PASSED = "passed"
    DIFFERS = "differs"
    TOO_WIDE = "too wide"
    """It agrees, but so would many other values: the run proves nothing."""
    MISSING = "missing"
    """Some replications have no value."""
    FAILED = "failed"
    """Some replications could not be run."""


@dataclass(frozen=True)
class Judgement:
    """The verdict on a value, the mean that came out, half the width of its 95 % interval, and over how many runs."""

    verdict: Verdict
    found: float
    half_width: float
    n: int


def near(found: float, expected: float) -> bool:
    """Return whether a value of a trace is the expected one."""
    return abs(found - expected) <= NEAR * max(1.0, abs(expected))


def traced(values: Sequence[float], expected: float) -> Judgement:
    """Judge values that every replication has to give; told is the one farthest from what is expected."""
    if not values or any(math.isnan(value) for value in values):
        return Judgement(Verdict.MISSING, math.nan, 0.0, len(values))
    worst = max(values, key=lambda value: abs(value - expected))
    return Judgement(Verdict.PASSED if near(worst, expected) else Verdict.DIFFERS, worst, 0.0, len(values))


def exact(values: Sequence[float], expected: float, widest: float) -> Judgement:
    """
    Judge values whose mean is known exactly.

    Passed when the mean lies within t(0.9995) standard errors of it, and the half-width of the 95 % interval is at most
    `widest` of it, so that no wide interval passes. At least 30 replications.
    """
    return _judged(values, expected, widest, lambda n, error: student(SURE, n - 1) * error)


def published(values: Sequence[float], expected: float, error: float, widest: float) -> Judgement:
    """
    Judge values against a published mean with the standard error `error`: the two lie within 3.3 of their common
    standard error, and our own interval is no wider than `widest` of the mean.
    """
    return _judged(values, expected, widest, lambda _, own: BOTH * math.hypot(own, error))


def published_error(n: int, *, half_width: float | None, sd: float | None) -> float:
    """Return the standard error of a published mean of `n` runs, from its 95 % interval or from the sd of a run."""
    return half_width / student(0.975, n - 1) if half_width is not None else (sd or 0.0) / math.sqrt(n)


def _judged(
    values: Sequence[float], expected: float, widest: float, allowed: Callable[[int, float], float]
) -> Judgement:
    n = len(values)
    if n < FEWEST or any(math.isnan(value) for value in values):
        return Judgement(Verdict.MISSING, math.nan, math.nan, n)
    array = np.array(values, dtype=np.float64)
    mean, own = float(array.mean()), float(array.std(ddof=1)) / math.sqrt(n)
    half = student(0.975, n - 1) * own
    if abs(mean - expected) > allowed(n, own) + NEAR * max(1.0, abs(expected)):
        return Judgement(Verdict.DIFFERS, mean, half, n)
    narrow = half <= widest * abs(expected) or (expected == 0 and half == 0)
    return Judgement(Verdict.PASSED if narrow else Verdict.TOO_WIDE, mean, half, n)


def student(quantile: float, freedom: int) -> float:
    """Return a quantile of Student's distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, quantile))
