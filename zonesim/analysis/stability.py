"""Whether what an arm does has the same sign in every future, or only in some."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from zonesim.analysis.paired import LEVEL, Difference
from zonesim.analysis.sweep import Point


@dataclass(frozen=True)
class Stability:
    """
    The sign of an arm's difference in a KPI over futures: `sign` is that of the median (-1, 0 or 1), `same` in how many
    futures it is that, `sure` in how many of these the interval is on this side of 0; `opposite` and
    `surely_opposite` the same of the other side; `unknown` the futures without a difference, of `futures` in all.

    `low` and `high` are limits of the share of futures with this sign, where the futures are a sample (nan where not).
    """

    arm: str
    kpi: str
    sign: int
    same: int
    sure: int
    opposite: int
    surely_opposite: int
    unknown: int
    futures: int
    low: float = math.nan
    high: float = math.nan


def stabilities(points: Sequence[Point], sampled: Collection[str], level: float = LEVEL) -> Iterator[Stability]:
    """
    Yield KPIs × arms (not the baseline) over the futures that were `sampled`, or over all where none were; nothing
    where there is one future.
    """
    rows: dict[tuple[str, str], list[Difference | None]] = {}
    base = {point.arm for point in points if point.difference is None}
    arms = {point.arm for point in points if point.difference is not None} or base
    for point in points:
        if point.arm in arms and (not sampled or point.future in sampled):
            rows.setdefault((point.kpi, point.arm), []).append(point.difference)
    for (kpi, arm), found in rows.items():
        if len(found) > 1 and any(each is not None for each in found):
            yield stability(arm, kpi, found, is_sample=bool(sampled), level=level)


def stability(
    arm: str, kpi: str, found: Sequence[Difference | None], *, is_sample: bool, level: float = LEVEL
) -> Stability:
    """Return the sign of the differences of an arm over futures, None where a future has none."""
    known = [each for each in found if each is not None and math.isfinite(each.value)]
    unknown = len(found) - len(known)
    if not known:
        return Stability(arm, kpi, 0, 0, 0, 0, 0, unknown, len(found))
    sign = _sign(median(each.value for each in known))
    signs = Counter(_sign(each.value) for each in known)
    sure = Counter(1 if each.low > 0 else -1 for each in known if each.low > 0 or each.high < 0)
    opposite = (signs[-sign], sure[-sign]) if sign else (0, 0)
    limits = share_interval(signs[sign], len(known), level) if is_sample else (math.nan, math.nan)
    return Stability(arm, kpi, sign, signs[sign], sure[sign], *opposite, unknown, len(found), *limits)


def share_interval(count: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """
    Return limits of a share of which `count` of `n` draws are seen, that hold whatever the share is.

    Source: C. J. Clopper, E. S. Pearson, The use of confidence or fiducial limits, Biometrika 26, 1934. Draws that are
    spread evenly over their ranges vary less than independent ones, so the limits are rather too wide.
    """
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(count, n - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, n - count, 1 - tail)) if count < n else 1.0
    return low, high


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
