"""
What a difference is made of: its direct part and congestion, and how far an assumption moves it.

The direct part of the difference of a duration is that of the same tokens, with the same luck, where every resource has
as many units as are asked for (`plan.without_limits`); congestion is the rest. Both are taken replication by
replication, so that they add up and each has an interval of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from zonesim.analysis.paired import LEVEL, Difference, Reason, paired
from zonesim.kpi import Definition
from zonesim.plan import Floats

NONE_OF_DIRECT: Final = 0.05
NONE_OF_BASE: Final = 0.01
"""Congestion below these shares, of the direct part or of the baseline, is none: see `is_none`."""

_TIMES: Final = frozenset({"ms", "s", "min", "h", "d"})
_OF_TOKENS: Final = frozenset({"time", "stages", "visits"})


def has_parts(definition: Definition) -> bool:
    """Return whether a KPI is a duration of single tokens, whose differences have a direct part and congestion."""
    return definition.unit in _TIMES and definition.kind.split()[0] in _OF_TOKENS


@dataclass(frozen=True)
class Parts:
    """The parts of a difference; `congestion` has no value where the difference has none (an arm is not stable)."""

    direct: Difference
    congestion: Difference


def parts_of(
    base: Sequence[float],
    arm: Sequence[float],
    free_base: Sequence[float],
    free_arm: Sequence[float],
    level: float = LEVEL,
) -> Parts:
    """
    Return the parts of a difference: values by replication of both arms, and of both with unlimited units (`free`).

    A replication counts where all four have a value, so that direct part and congestion add up.
    """
    known = [
        row for row in zip(base, arm, free_base, free_arm, strict=True) if not any(math.isnan(each) for each in row)
    ]
    direct = paired([row[2] for row in known], [row[3] for row in known], level)
    return Parts(direct, paired([row[3] - row[2] for row in known], [row[1] - row[0] for row in known], level))


def is_none(parts: Parts, base: float) -> bool:
    """
    Return whether congestion has no part in a difference: it is below 5 % of the direct part, or cannot be told from 0
    and is below 1 % of the baseline's value `base`.
    """
    size, direct = abs(parts.congestion.value), abs(parts.direct.value)
    if not direct > 0 or math.isnan(size):
        return False
    apart = parts.congestion.low > 0 or parts.congestion.high < 0
    return size < NONE_OF_DIRECT * direct or (size < NONE_OF_BASE * abs(base) and not apart)


@dataclass(frozen=True)
class Move:
    """
    What a doubt does to a difference: `low` and `high` are its values at the low and the high end of the doubt.

    Each is the difference as written plus the mean shift over the replications that ran at the end, which are paired
    with their twins as written: so few are enough, and both stand on the luck of all replications. `reasons`: why there
    is no value (nan) at the low and the high end, `grows` or `missing`. `label`: what people call the doubt, by
    language.
    """

    doubt: str
    label: Mapping[str, str]
    low: float
    high: float
    n: int
    reasons: tuple[Reason, Reason] = ("", "")

    def counts(self, difference: Difference) -> bool:
        """Return whether an end lies further from the difference than half its interval, or lets an arm grow there."""
        half = (difference.high - difference.low) / 2
        return "grows" in self.reasons or any(abs(end - difference.value) > half for end in (self.low, self.high))

    def spread(self, difference: Difference) -> float:
        """Return how far the difference is moved at most; infinitely far where an arm grows."""
        known = [abs(end - difference.value) for end in (self.low, self.high) if not math.isnan(end)]
        return math.inf if "grows" in self.reasons else max(known, default=0.0)


def shifted(difference: float, written: Floats, there: Floats) -> tuple[float, int]:
    """
    Return a difference as it is at an end of a doubt, and how many replications say so.

    `written` and `there`: differences by replication, of the same replications, as written and at the end, each of
    shape (replications,).
    """
    shifts = there - written
    known = shifts[~np.isnan(shifts)]
    return (difference + float(known.mean()), len(known)) if len(known) else (math.nan, 0)
