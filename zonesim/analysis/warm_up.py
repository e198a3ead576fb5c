"""How much of the start of a run does not belong to its steady state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Truncation:
    """
    What MSER makes of a series: how many of its values are to be left out at the start, the mean of the others, and
    the statistic by number of batches left out. `found` is false where the best place is the end of the search: the
    series is then too short to tell.
    """

    leave_out: int
    mean: float
    statistics: tuple[float, ...]
    found: bool


def mser(values: Sequence[float], batch: int = 5) -> Truncation:
    """
    Return where to cut the start off a series, by the marginal standard error rule on means of `batch` neighbours
    (MSER-5).

    The cut leaves the smallest squared standard error of the mean of what remains; it is looked for in the first half.
    What does not fill a batch at the end is left out. Raises ValueError for fewer than two batches.

    Source: K. P. White, An effective truncation heuristic for bias reduction in simulation output, Simulation 69, 1997;
    K. P. White, M. J. Cobb, S. C. Spratt, A comparison of five steady-state truncation heuristics, WSC 2000.
    """
    series = np.array(values, dtype=np.float64)
    count = len(series) // batch
    if count < 2:  # noqa: PLR2004  a mean and something to compare it with
        raise ValueError(f"{len(series)} values do not make two batches of {batch}")
    means = series[: count * batch].reshape(count, batch).mean(axis=1)
    statistics = []
    for cut in range(count // 2 + 1):
        rest = means[cut:]
        statistics.append(float(((rest - rest.mean()) ** 2).sum()) / len(rest) ** 2)
    best = min(range(len(statistics)), key=statistics.__getitem__)
    mean = math.fsum(means[best:].tolist()) / (count - best)
    return Truncation(best * batch, mean, tuple(statistics), best < count // 2)


def welch(values: Sequence[float], window: int) -> NDArray[np.float64]:
    """
    Return Welch's moving averages of a series (a mean over replications at each instant): of `window` values to either
    side, of fewer at the start, where there are no more before; the last `window` values have none.

    The series has reached its steady state where this curve has become level. Raises ValueError for a window of less
    than 1, or of more than half the series.

    Source: P. D. Welch, The statistical analysis of simulation results, in S. S. Lavenberg (ed.), Computer Performance
    Modeling Handbook, 1983; as in A. M. Law, Simulation Modeling and Analysis, chapter 9.
    """
    series = np.array(values, dtype=np.float64)
    if not 1 <= window <= len(series) // 2:
        raise ValueError(f"a window of {window} to either side does not fit into {len(series)} values")
    sums = np.concatenate([[0.0], series.cumsum()])
    places = np.arange(len(series) - window)
    reach = np.minimum(places, window)
    return np.asarray((sums[places + reach + 1] - sums[places - reach]) / (2 * reach + 1), dtype=np.float64)
