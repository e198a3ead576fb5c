"""Values as a run draws them: each law against the exact mean, variance and distribution, and the streams against each other."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numba
import numpy as np
import pytest
from scipy import special, stats

from zonesim.compiled import streams
from zonesim.engine import sampling
from zonesim.plan.distributions import Distribution

SOME, MANY = 20_000, 1_000_000
LARGEST_DISTANCE = 2.23
"""Critical value of Kolmogorov's distance times the root of n: a right law is beyond it once in ten thousand times."""


class Joined:
    """A law made of parts with their shares."""

    def __init__(self, *parts: tuple[float, object]) -> None:
        self.parts = parts

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """Return the distribution function."""
        return sum(share * law.cdf(x) for share, law in self.parts)

    def mean(self) -> float:
        """Return the mean."""
        return sum(share * law.mean() for share, law in self.parts)

    def var(self) -> float:
        """Return the variance."""
        return sum(share * (law.var() + law.mean() ** 2) for share, law in self.parts) - self.mean() ** 2


CUT = stats.truncnorm(-0.5, np.inf, 5, 2)
"""A normal law of mean 5 and standard deviation 2, given that the value is at least 4."""

LAWS: dict[str, tuple[list[tuple[Distribution, list[float]]], object]] = {
    "uniform": ([(Distribution.UNIFORM, [2.0, 6.0])], stats.uniform(2, 4)),
    "triangular": ([(Distribution.TRIANGULAR, [1.0, 2.0, 6.0])], stats.triang(0.2, 1, 5)),
    "triangular, mode at low": ([(Distribution.TRIANGULAR, [1.0, 1.0, 6.0])], stats.triang(0, 1, 5)),
    "PERT": ([(Distribution.PERT, [5.0, 10.0, 20.0])], stats.beta(1 + 4 / 3, 1 + 8 / 3, 5, 15)),
    "PERT, mode at high": ([(Distribution.PERT, [0.0, 10.0, 10.0])], stats.beta(5, 1, 0, 10)),
    "exponential": ([(Distribution.EXPONENTIAL, [4.0])], stats.expon(scale=4)),
    "Erlang": ([(Distribution.ERLANG, [3.0, 6.0])], stats.gamma(3, scale=2)),
    "gamma": ([(Distribution.GAMMA, [10.0, 1.25])], stats.gamma(0.64, scale=10 / 0.64)),
    "gamma, nearly normal": ([(Distribution.GAMMA, [10.0, 0.05])], stats.gamma(400, scale=10 / 400)),
    "Weibull": ([(Distribution.WEIBULL, [1.7, 3.0])], stats.weibull_min(1.7, scale=3 / special.gamma(1 + 1 / 1.7))),
    "Weibull, falling": (
        [(Distribution.WEIBULL, [0.8, 3.0])],
        stats.weibull_min(0.8, scale=3 / special.gamma(1 + 1 / 0.8)),
    ),
    "lognormal": (
        [(Distribution.LOGNORMAL, [3.0, 0.8])],
        stats.lognorm(math.sqrt(math.log(1.64)), scale=3 / math.sqrt(1.64)),
    ),
    "normal, cut": ([(Distribution.NORMAL, [5.0, 2.0, 4.0])], CUT),
    "normal, hardly cut": ([(Distribution.NORMAL, [50.0, 5.0, 0.0])], stats.truncnorm(-10, np.inf, 50, 5)),
    "empirical": (
        [(Distribution.EMPIRICAL, [1.0, 2.0, 7.0])],
        Joined((0.5, stats.uniform(1, 1)), (0.5, stats.uniform(2, 5))),
    ),
    "mixture": (
        [
            (Distribution.MIXTURE, [1.0, 0.7, 2.0, 1.0]),
            (Distribution.EXPONENTIAL, [2.0]),
            (Distribution.UNIFORM, [10.0, 20.0]),
        ],
        Joined((0.7, stats.expon(scale=2)), (0.3, stats.uniform(10, 10))),
    ),
    "by class": (
        [
            (Distribution.BY_CLASS, [1.0, 2.0]),
            (Distribution.EXPONENTIAL, [2.0]),
            (Distribution.UNIFORM, [10.0, 20.0]),
        ],
        stats.expon(scale=2),
    ),
    "shifted and scaled": (
        [(Distribution.SHIFTED, [1.0, 100.0, 2.0]), (Distribution.EXPONENTIAL, [4.0])],
        stats.expon(100, 8),
    ),
}
"""By name: the rows of a plan's laws, of which the first is drawn, and the exact law; tokens are of class 0."""

STEPS: dict[str, tuple[list[tuple[Distribution, list[float]]], dict[float, float]]] = {
    "constant": ([(Distribution.CONSTANT, [5.0])], {5.0: 1.0}),
    "discrete": ([(Distribution.DISCRETE, [1.0, 0.5, 4.0, 0.8, 9.0, 1.0])], {1.0: 0.5, 4.0: 0.3, 9.0: 0.2}),
    "mixture of constants": (
        [
            (Distribution.MIXTURE, [1.0, 0.25, 2.0, 1.0]),
            (Distribution.CONSTANT, [3.0]),
            (Distribution.CONSTANT, [8.0]),
        ],
        {3.0: 0.25, 8.0: 0.75},
    ),
}
"""The same for laws of single values, with the share of each."""


def ready(rows: list[tuple[Distribution, list[float]]]) -> tuple[np.ndarray, np.ndarray]:
    """Return laws as draws want them."""
    index, numbers = [], []
    for kind, own in rows:
        index.append((int(kind), len(numbers), len(own)))
        numbers += own
    return sampling.prepare(np.array(index, dtype=np.int64), np.array(numbers, dtype=np.float64))


def fill(values: np.ndarray, index: np.ndarray, numbers: np.ndarray, key: np.uint64, stream: np.uint64) -> None:
    """Draw by ordinal, as tokens of one step do."""
    for ordinal in range(len(values)):
        values[ordinal] = sampling.sample(index, numbers, 0, streams.uniform(key, stream, ordinal, 0, 0), 0)


fill_fast: Callable[..., None] = numba.njit(fill)
"""The same compiled, for a million draws."""


@cache
def drawn(name: str, count: int) -> np.ndarray:
    """Return as many values of a law."""
    rows, _ = {**LAWS, **STEPS}[name]
    values = np.empty(count)
    (fill if count == SOME else fill_fast)(
        values, *ready(rows), streams.run_key(7, 3), np.uint64(0x1234_5678_9ABC_DEF1)
    )
    return values


COUNTS = [SOME, pytest.param(MANY, marks=pytest.mark.slow)]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", LAWS)
def test_what_is_drawn_has_the_law(name, count):
    """
    The largest distance between the distribution of the values and the exact one is below Kolmogorov's critical value.
    """
    exact = LAWS[name][1]
    values = np.sort(drawn(name, count))
    there = exact.cdf(values)
    distance = max(np.max(np.arange(1, count + 1) / count - there), np.max(there - np.arange(count) / count))

    assert distance * math.sqrt(count) < LARGEST_DISTANCE


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", LAWS)
def test_what_is_drawn_has_mean_and_variance(name, count):
    """
    Mean and variance lie within 4.5 standard errors of the closed forms.
    """
    exact = LAWS[name][1]
    values = drawn(name, count)
    centred = (values - exact.mean()) ** 2
    error = math.sqrt(exact.var() / count)

    assert abs(values.mean() - exact.mean()) < 4.5 * error
    assert abs(centred.mean() - exact.var()) < 4.5 * centred.std() / math.sqrt(count)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", STEPS)
def test_single_values_have_their_shares(name, count):
    """
    Only the values of the law occur, each with its share.
    """
    shares = STEPS[name][1]
    found, counts = np.unique(drawn(name, count), return_counts=True)

    assert found.tolist() == sorted(shares)
    assert len(shares) == 1 or stats.chisquare(counts, [shares[value] * count for value in found]).pvalue > 1e-4


# --- streams

PLACES = {
    "ordinals": [{"ordinal": 0}, {"ordinal": 1}, {"ordinal": 7}],
    "children": [{"child": 0}, {"child": 1}, {"child": 63}],
    "passes": [{"passes": 0}, {"passes": 1}, {"passes": 2}],
    "streams": [{"stream": 1 << 40}, {"stream": 1 << 41}, {"stream": (1 << 40) + 1}],
    "replications": [{"replication": 0}, {"replication": 1}, {"replication": 2}],
    "seeds": [{"seed": 0}, {"seed": 1}, {"seed": 1 << 40}],
    "child and pass": [{"child": 1}, {"passes": 1}, {"child": 1, "passes": 1}],
}


def uniforms(count: int, **where: int) -> np.ndarray:
    """Return uniform numbers by ordinal, from the one given on, at one place."""
    place = {"seed": 5, "replication": 0, "stream": 1 << 40, "ordinal": 0, "child": 0, "passes": 0} | where
    key, stream = streams.run_key(place["seed"], place["replication"]), np.uint64(place["stream"])
    first = place["ordinal"]
    return np.array(
        [streams.uniform(key, stream, n, place["child"], place["passes"]) for n in range(first, first + count)]
    )


@pytest.mark.parametrize("what", PLACES)
def test_neighbours_have_nothing_in_common(what):
    """
    Numbers at neighbouring places are uncorrelated and fill the square and the cube evenly.
    """
    count = 12_000
    found = [uniforms(count, **place) for place in PLACES[what]]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        square = np.histogram2d(found[one], found[other], 10, ((0, 1), (0, 1)))[0]

        assert abs(np.corrcoef(found[one], found[other])[0, 1]) < 4.5 / math.sqrt(count)
        assert stats.chisquare(square.ravel()).pvalue > 1e-5
    cube = np.histogramdd(np.stack(found, axis=1), 5, ((0, 1),) * 3)[0]

    assert stats.chisquare(cube.ravel()).pvalue > 1e-5


def test_heirs_have_luck_of_their_own():
    """
    Tokens that others start have each a luck of their own by parent, child number and pass, also from two places.
    """
    lucks = [
        streams.lineage(np.uint64(stream), ordinal, child, passes)
        for stream in (11, 12)
        for ordinal in range(300)
        for child in range(4)
        for passes in range(3)
    ]
    key = streams.run_key(5, 0)
    numbers = np.array([streams.uniform(key, np.uint64(3), luck, 0, 0) for luck in lucks])

    assert len(set(lucks)) == len(lucks)
    assert stats.kstest(numbers, "uniform").pvalue > 1e-4
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 4.5 / math.sqrt(len(numbers))
