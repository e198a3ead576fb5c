"""How an arm does over many futures: what it costs to have chosen it, and in how many of them promises are kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zonesim.analysis.paired import LEVEL, Difference, Interval, interval, paired
from zonesim.analysis.promises import Promise
from zonesim.analysis.stability import share_interval
from zonesim.plan import Floats


@dataclass(frozen=True)
class Regret:
    """
    What it costs to have chosen an arm: in each future, how much worse it is than the arm that is best there (L. J.
    Savage, The theory of statistical decision, 1951); over the `futures` in which every arm has a value.

    `mean` over them, with Student's `limits` over replications, each a mean over futures (nan where these differ in
    number), and the `largest`, which is in the future `worst`, with the limits of the paired difference there; `best`:
    in how many it is the best itself. `unknown`: futures in which it has no value and another arm has, because a line
    grows or too much is missing, so that no largest regret can be told. `costs`: by future. The best of several means
    is a little too good, so regrets err upwards by luck.
    """

    arm: str
    mean: float
    limits: tuple[float, float]
    largest: Difference | None
    worst: str
    best: int
    futures: int
    unknown: int
    costs: Mapping[str, float]


@dataclass(frozen=True)
class Kept:
    """
    In how many of the `futures` an arm keeps a promise: on average (`kept`), and with its limit of confidence too
    (`surely`). `low` and `high`: limits of the share that keeps it, where futures are a sample (nan where not).
    """

    arm: str
    promise: Promise
    kept: int
    surely: int
    futures: int
    low: float
    high: float


def regrets(values: Mapping[str, Mapping[str, Floats]], *, sign: int, level: float = LEVEL) -> list[Regret]:
    """
    Return the regrets of arms, `values` by arm and future, shape (replications,), nan where a replication has no value;
    `sign`: 1 where small is good, -1 where large is. Arms are paired within a future.
    """
    futures = list(next(iter(values.values())))
    known = {future: {arm for arm in values if not np.isnan(values[arm][future]).any()} for future in futures}
    whole = [future for future in futures if len(known[future]) == len(values)]
    means = {arm: {future: sign * float(own[future].mean()) for future in whole} for arm, own in values.items()}
    best = {future: min(values, key=lambda arm: means[arm][future]) for future in whole}
    found = []
    for arm in values:
        unknown = sum(arm not in known[future] and bool(known[future]) for future in futures)
        costs = {future: means[arm][future] - means[best[future]][future] for future in whole}
        worst = max(whole, key=costs.__getitem__, default="")
        largest = None
        if worst and not unknown:
            one, other = values[best[worst]][worst], values[arm][worst]
            largest = paired((sign * one).tolist(), (sign * other).tolist(), level)
        mean = math.fsum(costs.values()) / len(whole) if whole else math.nan
        wins = sum(cost == 0 for cost in costs.values())
        limits = _limits([sign * (values[arm][future] - values[best[future]][future]) for future in whole], level)
        found.append(Regret(arm, mean, limits, largest, worst if largest else "", wins, len(whole), unknown, costs))
    return found


def _limits(costs: Sequence[Floats], level: float) -> tuple[float, float]:
    """Return limits of a mean over futures, `costs` of each by replication."""
    if not costs or len({len(each) for each in costs}) > 1:
        return math.nan, math.nan
    found = interval(np.mean(costs, axis=0).tolist(), level)
    return found.low, found.high


def keeps(found: Interval, promise: Promise) -> tuple[bool, bool]:
    """
    Return whether a KPI keeps a promise on average, and with its limit of confidence too. What is not given because a
    line grows or too much is missing keeps none; where nobody came, nobody was let down.
    """
    if math.isnan(found.value):
        return (not found.reason, not found.reason)
    limit = found.value if math.isnan(found.low) else found.high if promise.most else found.low
    return promise.holds(found.value), promise.holds(limit)


def kept_in(arm: str, promise: Promise, found: Sequence[Interval], *, is_sample: bool, level: float = LEVEL) -> Kept:
    """Return in how many futures an arm keeps a promise; `found`: its KPI in each."""
    both = [keeps(each, promise) for each in found]
    kept, surely = (sum(each[place] for each in both) for place in (0, 1))
    limits = share_interval(kept, len(found), level) if is_sample else (math.nan, math.nan)
    return Kept(arm, promise, kept, surely, len(found), *limits)
