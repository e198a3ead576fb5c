"""What a sample of doubts leaves open: the range of a KPI over its futures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from zonesim.analysis.sweep import Point

LOW: Final = 0.05
HIGH: Final = 0.95
"""The range of a sample lies between these shares of its futures."""


@dataclass(frozen=True)
class Range:
    """Median, 5th and 95th percentile over the futures of a sample that have the value, and how many have."""

    median: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Spread:
    """A KPI of an arm over a sample: its mean in each future, and for arms but the baseline the difference to it."""

    arm: str
    kpi: str
    value: Range
    difference: Range | None


def range_of(values: Iterable[float]) -> Range:
    """Return the range of values by linear interpolation; nan where there are none, those that are nan are left out."""
    known = np.array([value for value in values if math.isfinite(value)], dtype=np.float64)
    if not len(known):
        return Range(math.nan, math.nan, math.nan, 0)
    low, median, high = np.quantile(known, [LOW, 0.5, HIGH]).tolist()
    return Range(median, low, high, len(known))


def spreads(found: Sequence[Point], sample: Mapping[str, int]) -> list[Spread]:
    """Return KPIs × arms over the futures that `sample` gives a number, in the order of the points."""
    drawn: dict[tuple[str, str], list[Point]] = {}
    for point in found:
        if sample.get(point.future):
            drawn.setdefault((point.kpi, point.arm), []).append(point)
    return [
        Spread(
            arm,
            kpi,
            range_of(each.interval.value for each in rows),
            range_of(each.difference.value for each in rows if each.difference is not None)
            if any(each.difference is not None for each in rows)
            else None,
        )
        for (kpi, arm), rows in drawn.items()
    ]
