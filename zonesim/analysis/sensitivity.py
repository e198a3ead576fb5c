"""
Which doubted numbers move a KPI: a tornado, Morris's elementary effects, and Sobol's indices.

All three are told of a KPI of one arm, or of the difference between two arms, replication by replication under the same
luck: a number that changes nothing leaves every run as it is, so its effect is 0 exactly and not only on average.

Intervals of a tornado are Student's over replications. Those of Morris and Sobol know of both kinds of chance: which
points were tried, and the luck of the runs. Trajectories (or rows of the sample) and replications are drawn anew
together, each with replacement (A. B. Owen, The pigeonhole bootstrap, Annals of Applied Statistics 1, 2007), and the
limits are percentiles of what comes out; that errs to the wide side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from zonesim.analysis.paired import LEVEL, Interval, interval
from zonesim.plan import Floats

Method = Literal["tornado", "morris", "sobol"]

METHODS: Final[tuple[Method, ...]] = ("tornado", "morris", "sobol")

QUANTITIES: Final[Mapping[Method, tuple[str, ...]]] = {
    "tornado": ("swing", "low", "high"),
    "morris": ("mu_star", "mu", "sigma"),
    "sobol": ("total", "first"),
}
"""What each method tells of a number; they are ranked by the first."""

LEVELS: Final = 4
"""Morris's grid: quantiles 0, 1/3, 2/3 and 1 of the law of each number."""

RESAMPLES: Final = 1000
"""So many times trajectories and replications are drawn anew."""

_TWO: Final = 2
"""A spread needs two."""


@dataclass(frozen=True)
class Influence:
    """What a method says of one number: by quantity (see `QUANTITIES`) its value with limits."""

    factor: str
    values: Mapping[str, Interval]


@dataclass(frozen=True)
class Sensitivity:
    """
    What moves a KPI, the most influential number first; `n` replications.

    `middle`: the KPI (or its difference) with every number at its mode. `unknown`: in how many of the `points` tried
    there is no value, because a line grows there or too much is unfinished; Sobol's indices are not given then.
    `luck`: the share of the variance between points that the luck of the runs leaves in their means (nan: one
    replication, or a tornado); where it is not small, indices are blurred, and more replications sharpen them.
    """

    kpi: str
    method: Method
    influences: tuple[Influence, ...]
    middle: Interval
    n: int
    points: int
    unknown: int = 0
    luck: float = math.nan


def swings(ends: Mapping[str, tuple[Floats, Floats]], level: float = LEVEL) -> list[Influence]:
    """
    Return what each number does from its low to its high end, all others at their modes.

    Each end: shape (replications,), under the same luck. A swing is the paired difference high - low. An end at which a
    replication has no value has none, and the swing is not given: it comes first, for a line grows.
    """
    found = []
    for name, (low, high) in ends.items():
        values = {"low": _known(low, level), "high": _known(high, level), "swing": _known(high - low, level)}
        found.append(Influence(name, values))
    return sorted(found, key=lambda each: -_rank(each.values["swing"]))


def trajectories(factors: int, count: int, seed: int) -> Floats:
    """
    Return Morris's sample of quantiles, shape (count × (factors + 1), factors): `count` walks from a point of the grid,
    in each of which every number takes one step. By SALib (T. Iwanaga, W. Usher, J. Herman 2022).
    """
    from SALib.sample import morris

    problem = {"num_vars": factors, "names": [f"x{number}" for number in range(factors)]}
    points = morris.sample({**problem, "bounds": [[0.0, 1.0]] * factors}, count, num_levels=LEVELS, seed=seed)
    return np.asarray(points, dtype=np.float64)


def elementary_effects(points: Floats, values: Floats) -> Floats:
    """
    Return the change of a KPI over each step, per unit of quantile: shape (factors, walks, replications).

    `points` as `trajectories` gives them, `values` of shape (points, replications). Source: M. D. Morris, Factorial
    sampling plans for preliminary computational experiments, Technometrics 33, 1991.
    """
    factors = points.shape[1]
    walks = points.reshape(-1, factors + 1, factors)
    steps = np.diff(walks, axis=1)
    changes = np.diff(values.reshape(len(walks), factors + 1, -1), axis=1)
    moved = np.abs(steps).argmax(axis=2)
    lengths = np.take_along_axis(steps, moved[..., None], axis=2)
    found = np.empty((factors, len(walks), values.shape[1]))
    found[moved, np.arange(len(walks))[:, None]] = changes / lengths
    return found


def screened(names: Sequence[str], effects: Floats, *, seed: int, level: float = LEVEL) -> list[Influence]:
    """
    Return by number the mean of its elementary effects (`mu`), the mean of their sizes (`mu_star`) and their standard
    deviation over walks (`sigma`), the largest `mu_star` first; nothing is given of a number with an unknown effect.

    Each effect is the mean over replications; where luck moves it, its size errs upwards, which `luck` of the result
    tells. Source of `mu_star`: F. Campolongo, J. Cariboni, A. Saltelli, Environmental Modelling & Software 22, 2007.
    """
    walks, n = effects.shape[1:]
    rows, runs = _drawn(seed, walks), _drawn(seed + 1, n)

    def told(of: Callable[[Floats], Floats]) -> list[Interval]:
        value = of(effects.mean(axis=2))
        again = np.array([of(effects[:, row][:, :, run].mean(axis=2)) for row, run in zip(rows, runs, strict=True)])
        return _limits(value, again, walks, level)

    by_quantity = {
        "mu_star": told(lambda each: np.abs(each).mean(axis=1)),
        "mu": told(lambda each: each.mean(axis=1)),
        "sigma": told(lambda each: each.std(axis=1, ddof=1 if walks > 1 else 0)),
    }
    return _ranked(names, by_quantity, "mu_star")


def saltelli(factors: int, count: int, seed: int) -> Floats:
    """
    Return Sobol's sample of quantiles, shape (count × (factors + 2), factors): the rows of A, those of B, and for each
    number those of A with its column from B, from a scrambled Sobol sequence (`scipy.stats.qmc`). `count` is a power of
    2. Source: A. Saltelli et al., Variance based sensitivity analysis of model output, Computer Physics Communications
    181, 2010.
    """
    from scipy.stats import qmc

    both = qmc.Sobol(2 * factors, scramble=True, rng=seed).random(count)
    first, second = both[:, :factors], both[:, factors:]
    mixed = np.repeat(first[None], factors, axis=0)
    for number in range(factors):
        mixed[number, :, number] = second[:, number]
    return np.concatenate([first, second, *mixed])


def indices(values: Floats, factors: int) -> tuple[Floats, Floats]:
    """
    Return first-order and total indices, each of shape (factors,), of values in the order of `saltelli`.

    By `scipy.stats.sobol_indices`: the estimators of Saltelli et al. 2010. Where the values do not vary they are 0.
    """
    from scipy.stats import sobol_indices

    count = len(values) // (factors + 2)
    parts = values.reshape(factors + 2, 1, count)
    found = sobol_indices(func={"f_A": parts[0], "f_B": parts[1], "f_AB": parts[2:]}, n=count)
    return np.atleast_1d(found.first_order), np.atleast_1d(found.total_order)


def apportioned(names: Sequence[str], values: Floats, *, seed: int, level: float = LEVEL) -> list[Influence]:
    """
    Return by number which share of the variance is its own (`first`), and which share is gone where it alone is known
    (`total`, interactions among it), the largest `total` first. `values`: shape (points, replications), all known, in
    the order of `saltelli`. The indices are those of the means over replications.
    """
    factors, n = len(names), values.shape[1]
    blocks = values.reshape(factors + 2, -1, n)
    count = blocks.shape[1]
    first, total = indices(values.mean(axis=1), factors)
    again = np.array(
        [
            indices(blocks[:, row][:, :, run].mean(axis=2).ravel(), factors)
            for row, run in zip(_drawn(seed, count), _drawn(seed + 1, n), strict=True)
        ]
    )
    by_quantity = {
        "total": _limits(total, again[:, 1], count, level),
        "first": _limits(first, again[:, 0], count, level),
    }
    return _ranked(names, by_quantity, "total")


def luck_share(values: Floats) -> float:
    """
    Return which share of the variance between points is left by the luck of the runs in their means over replications.

    `values`: shape (points, replications). Luck that moves all points alike cancels; what is left is the interaction of
    points and replications, as in an analysis of variance of two ways. nan for one replication; 0 where nothing varies.
    """
    points, n = values.shape
    if n < _TWO or points < _TWO:
        return math.nan
    between = float(values.mean(axis=1).var(ddof=1))
    left = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0, keepdims=True) + values.mean()
    noise = float((left**2).sum()) / ((points - 1) * (n - 1)) / n
    return min(noise / between, 1.0) if between > 0 else 0.0


def sensitivity(
    kpi: str,
    method: Method,
    names: Sequence[str],
    points: Floats,
    values: Floats,
    middle: Floats,
    *,
    seed: int,
    level: float = LEVEL,
) -> Sensitivity:
    """
    Return what `morris` or `sobol` says of a KPI: `values` of shape (points, replications) at `points`, nan where there
    is none, and `middle`, shape (replications,), with every number at its mode.
    """
    unknown = int(np.isnan(values).any(axis=1).sum())
    if method == "morris":
        found = screened(names, elementary_effects(points, values), seed=seed, level=level)
    else:
        found = apportioned(names, values, seed=seed, level=level) if not unknown else []
    known = values[~np.isnan(values).any(axis=1)]
    centre = _known(middle, level)
    return Sensitivity(kpi, method, tuple(found), centre, len(middle), len(points), unknown, luck_share(known))


def tornado(kpi: str, middle: Floats, ends: Mapping[str, tuple[Floats, Floats]], level: float = LEVEL) -> Sensitivity:
    """Return what a tornado says of a KPI, see `swings`."""
    unknown = sum(int(np.isnan(end).any()) for pair in ends.values() for end in pair)
    found = swings(ends, level)
    return Sensitivity(kpi, "tornado", tuple(found), _known(middle, level), len(middle), 2 * len(ends), unknown)


def _known(values: Floats, level: float) -> Interval:
    """
    Return an interval over replications, without a value where one of them has none: a mean over the runs that finished
    would be of those in which least was going on.
    """
    if np.isnan(values).any():
        return Interval(math.nan, math.nan, math.nan, 0, "grows")
    return interval(values.tolist(), level)


def _rank(own: Interval) -> float:
    return math.inf if math.isnan(own.value) else abs(own.value)


def _ranked(names: Sequence[str], by_quantity: Mapping[str, Sequence[Interval]], first: str) -> list[Influence]:
    found = [
        Influence(name, {quantity: values[number] for quantity, values in by_quantity.items()})
        for number, name in enumerate(names)
    ]
    return sorted(found, key=lambda each: -_rank(each.values[first]))


def _limits(value: Floats, again: Floats, n: int, level: float) -> list[Interval]:
    """Return values with percentiles of what resampling gave, `again` of shape (resamples, factors)."""
    low, high = np.quantile(again, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return [
        Interval(math.nan, math.nan, math.nan, 0, "grows")
        if math.isnan(own)
        else Interval(own, float(low[number]), float(high[number]), n)
        for number, own in enumerate(value.tolist())
    ]


def _drawn(seed: int, count: int) -> list[np.ndarray]:
    """Return for each resample which of `count` are in it: a generator of its own, no luck of a run."""
    luck = np.random.default_rng(seed)  # noqa: TID251  resampling draws nothing that a run is made of
    return list(luck.integers(count, size=(RESAMPLES, count)))
