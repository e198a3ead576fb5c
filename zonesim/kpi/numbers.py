"""Numbers of KPIs: what is given, and what is withheld because too many of its cases are missing or undecided."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zonesim.kpi.censoring import quantiles, share_within, too_many
from zonesim.kpi.consignment_table import Spans
from zonesim.plan import Ints
from zonesim.scenario.kpis import LATE, LATE_DAY, limit_of, quantile_of

NAN: Final = float("nan")
NOBODY: Final = np.zeros(0, dtype=np.int64)


class Number(NamedTuple):
    """A number (nan: undefined or withheld), and where it is withheld the share of its cases that is missing."""

    value: float
    missing: float = 0.0


def given(value: float, unknown: int, count: int) -> Number:
    """Return a number that `count` cases tell, or withhold it where too many of them are `unknown`."""
    return Number(NAN, unknown / count) if too_many(unknown, count) else Number(value)


def share(part: int, whole: int) -> float:
    """Return a part of a whole; nan where there is no whole."""
    return part / whole if whole else NAN


def mean(total: int, ended: int, missing: int, unit: int) -> Number:
    """Return the mean of durations that add up to `total` ms, in `unit`; `missing` of them have not ended."""
    return given(total / ended / unit if ended else NAN, missing, ended + missing)


@dataclass(frozen=True)
class Durations:
    """
    Durations in ms: `zeros` of 0 ms, and `spans`; `followed`, for how long those were followed that have not ended when
    the run does.
    """

    spans: Spans
    followed: Ints
    zeros: int = 0
    _known: dict[tuple[str, int], Number] = field(default_factory=dict, compare=False, repr=False)

    @property
    def count(self) -> int:
        """Return how many there are."""
        return self.zeros + len(self.spans) + len(self.followed)

    def tell(self, statistics: Sequence[str], unit: int, days: float = NAN) -> list[Number]:
        """
        Return statistics: the mean and quantiles in `unit` (ms), shares within a time, the share that is missing, and
        how many there are a day in a window of so many `days`.
        """
        told = self._known
        asked = [name for name in statistics if (name, unit) not in told]
        shares = {name: q for name in asked if (q := quantile_of(name)) is not None}
        found = dict(zip(shares, self._quantiles(list(shares.values()), unit), strict=True))
        told |= {(name, unit): found[name] if name in shares else self._one(name, unit, days) for name in asked}
        return [told[name, unit] for name in statistics]

    def _one(self, statistic: str, unit: int, days: float) -> Number:
        missing = len(self.followed)
        if statistic == "day":
            return Number(self.count / days)
        if statistic == "missing":
            return Number(share(missing, self.count))
        if statistic == "mean":
            return mean(int(self.spans.sum(dtype=np.int64)), self.zeros + len(self.spans), missing, unit)
        if statistic in {LATE, LATE_DAY}:
            late = self._late
            undecided = int(np.count_nonzero(self.followed <= 0))
            return given(share(late, self.count) if statistic == LATE else late / days, undecided, self.count)
        limit = limit_of(statistic)
        assert limit is not None, statistic  # noqa: S101  the declaration was checked
        return self.within(limit[2])

    def within(self, limit: int, others: int = 0) -> Number:
        """Return the share of at most `limit` ms, of these and of `others` that will never end in time."""
        value, undecided = share_within(self.spans, self.followed, limit, self.zeros, others)
        return given(value, undecided, self.count + others)

    @property
    def _late(self) -> int:
        """Return how many are known to be above 0, also of those that have not ended."""
        return int(np.count_nonzero(self.spans > 0)) + int(np.count_nonzero(self.followed > 0))

    def _quantiles(self, shares: Sequence[float], unit: int) -> list[Number]:
        if not shares:
            return []
        withheld = len(self.followed) / self.count if len(self.followed) else 0.0
        found = quantiles(self.spans, self.zeros, self.followed, shares)
        return [Number(NAN, withheld) if math.isnan(value) else Number(value / unit) for value in found]


def joined(parts: Sequence[Spans]) -> Spans:
    """Return durations one behind the other."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)  # type: ignore[return-value]


Floats = NDArray[np.float64]
