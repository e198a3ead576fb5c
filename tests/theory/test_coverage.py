"""Whether intervals hold what they promise: paired differences of queues whose transient means are known exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from zonesim.analysis import interval, paired, together

CUSTOMERS = 50
ARRIVALS = 1.0
SERVICE = (1.25, 1.35, 1.5, 2.0)
"""Rates of service of the baseline and of three faster arms; loads of 0.8 to 0.5."""


def mean_wait(rate: float) -> float:
    """
    Return the exact mean wait of the first customers of an M/M/1 that starts empty.

    By the number that each arrival finds: from i found, j >= 1 are found next with probability p q^(i + 1 - j), 0 with
    q^(i + 1), where q is the chance that a service ends before the next arrival (Kelton and Law 1985).
    """
    ends = rate / (ARRIVALS + rate)
    found = np.zeros(CUSTOMERS + 1)
    found[0] = 1
    total = 0.0
    for _ in range(CUSTOMERS):
        total += float(np.arange(len(found)) @ found) / rate
        following = np.zeros_like(found)
        for number, chance in enumerate(found[:-1]):
            following[0] += chance * ends ** (number + 1)
            for left in range(1, number + 2):
                following[left] += chance * (1 - ends) * ends ** (number + 1 - left)
        found = following
    return total / CUSTOMERS


def waits(experiments: int, replications: int, seed: int) -> np.ndarray:
    """
    Return the mean waits of simulated runs, shape (arms, experiments, replications): Lindley's recursion under common
    luck, the same gaps and the same quantiles of service in all arms.
    """
    luck = np.random.default_rng(seed)
    shape = (experiments, replications)
    wait = np.zeros((len(SERVICE), *shape))
    total = np.zeros_like(wait)
    for _ in range(CUSTOMERS):
        total += wait
        work, gap = luck.exponential(size=shape), luck.exponential(1 / ARRIVALS, shape)
        for arm, rate in enumerate(SERVICE):
            wait[arm] = np.maximum(wait[arm] + work / rate - gap, 0)
    return total / CUSTOMERS


EXACT = [mean_wait(rate) for rate in SERVICE]


def test_the_exact_means_are_those_that_are_simulated():
    """
    Within four standard errors of 40,000 runs, and far below those of the steady state, 3.2 at a load of 0.8.
    """
    runs = waits(40_000, 1, seed=1)[:, :, 0]
    errors = runs.std(axis=1, ddof=1) / math.sqrt(runs.shape[1])

    assert (np.abs(runs.mean(axis=1) - EXACT) < 4 * errors).all()
    assert EXACT[0] < 0.75 * 3.2


@pytest.mark.slow
@pytest.mark.parametrize(("replications", "expected"), [(10, 0.889), (30, 0.929), (100, 0.940)])
def test_paired_intervals_hold_the_difference(replications, expected):
    """
    Of ten thousand experiments with intervals of 95 %, so many hold the exact difference of short runs: 89 % with ten
    replications, for differences of waits are skewed, 93 % with thirty and 94 % with a hundred. Longer runs are less skewed.
    """
    base, arm = waits(10_000, replications, seed=replications)[:2]
    exact = EXACT[1] - EXACT[0]
    found = [paired(one, other) for one, other in zip(base.tolist(), arm.tolist(), strict=True)]
    held = np.mean([each.low <= exact <= each.high for each in found])

    assert held == pytest.approx(expected, abs=0.008)


def test_pairing_saves_runs():
    """Common luck needs less than a tenth of the runs that independent luck would, for the nearest arm."""
    base, arm = waits(200, 30, seed=5)[:2]
    saved = [paired(one, other).variance_reduction for one, other in zip(base.tolist(), arm.tolist(), strict=True)]

    assert np.median(saved) > 10


@pytest.mark.slow
def test_intervals_of_several_arms_hold_all_differences_together():
    """
    Three arms against one baseline, ten thousand experiments with a hundred replications: taken alone all three intervals
    hold in 92 %, clearly fewer than 95 %; taken together (Bonferroni) in 96 %, however alike the arms' luck is.
    """
    runs = waits(10_000, 100, seed=9)
    alone = jointly = 0
    for place in range(runs.shape[1]):
        found = [paired(runs[0, place].tolist(), runs[arm, place].tolist()) for arm in (1, 2, 3)]
        wider = [together(each, 3) for each in found]
        exact = [EXACT[arm] - EXACT[0] for arm in (1, 2, 3)]
        alone += all(each.low <= value <= each.high for each, value in zip(found, exact, strict=True))
        jointly += all(low <= value <= high for (low, high), value in zip(wider, exact, strict=True))

    assert alone < binom.ppf(0.001, 10_000, 0.95)
    assert jointly >= binom.ppf(0.001, 10_000, 0.95), jointly


def test_how_much_wider_intervals_are_together():
    """
    Of four arms a level of 98.75 % each: with ten replications t(0.99375, 9) = 3.1109 in place of 2.2622. One alone stays.
    """
    found = paired([0.0] * 10, [float(value) for value in range(10)])
    half = (found.high - found.low) / 2
    low, high = together(found, 4)

    assert together(found, 1) == (found.low, found.high)
    assert (high - low) / 2 == pytest.approx(half * 3.1109 / 2.2622, rel=1e-4)
    assert (high + low) / 2 == pytest.approx(found.value)
    assert all(map(math.isnan, together(paired([1.0], [2.0]), 3)))


def test_intervals_of_a_normal_mean_hold_as_promised():
    """Of ten thousand means of five normal values, 95 % intervals hold 0 in 95 % to within binomial error."""
    values = np.random.default_rng(3).normal(size=(10_000, 5))
    held = sum(each.low <= 0 <= each.high for each in (interval(row) for row in values.tolist()))

    assert binom.ppf(0.001, 10_000, 0.95) <= held <= binom.ppf(0.999, 10_000, 0.95)
