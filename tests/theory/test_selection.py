"""Ranking and selection on problems whose best is known: the promised probability is kept, and the winner is flattered."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from zonesim.analysis import allocated, chosen
from zonesim.analysis.selection import _added, probability_of, shares

NAMES = ["a", "b", "c", "d", "e"]


def normal(means, *, seed, rho=0.0, sds=None, promises=(), most=2000):
    """Return what observes normal arms with these means (and promises), correlated by `rho` between arms."""
    noise = np.random.default_rng(seed)
    common = noise.normal(size=(most, 1, 1))
    own = noise.normal(size=(most, len(means), 1 + len(promises)))
    luck = math.sqrt(rho) * common + math.sqrt(1 - rho) * own
    scale = np.ones(len(means)) if sds is None else np.array(sds)
    tables = {}
    for place, mean in enumerate(means):
        centre = np.array([mean, *(promise[place] for promise in promises)])
        tables[NAMES[place]] = centre + scale[place] * luck[:, place]
    return lambda counts: {arm: tables[arm][:count] for arm, count in counts.items()}


def at_least(successes, trials, promised):
    """Return whether so many successes are likely (1 in 1,000) or more where the promised probability is true."""
    return successes >= binom.ppf(0.001, trials, promised)


SLIPPAGE = [0.0, 0.5, 0.5, 0.5, 0.5]
"""The best is better than all others by just the indifference: the hardest case."""


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_the_best_is_found_as_often_as_promised(rho):
    """
    Two thousand searches among five arms in the slippage configuration: the best is found in 90 % or more, with
    independent luck and with common luck, and common luck takes fewer runs.
    """
    found = [
        chosen(NAMES, normal(SLIPPAGE, seed=seed, rho=rho), indifference=0.5, error=0.1, most=2000)
        for seed in range(2000)
    ]
    right = sum(each.best == "a" for each in found)

    assert all(each.decided for each in found)
    assert at_least(right, 2000, 0.9), right


@pytest.mark.slow
def test_common_luck_saves_runs():
    """Over two hundred searches common luck of correlation 0.6 takes fewer than six tenths of the runs."""
    runs = {
        rho: sum(
            standing.n
            for seed in range(200)
            for standing in chosen(NAMES, normal(SLIPPAGE, seed=seed, rho=rho), indifference=0.5, error=0.1).standings
        )
        for rho in (0.0, 0.6)
    }

    assert runs[0.6] < 0.6 * runs[0.0]


@pytest.mark.slow
def test_the_best_of_those_that_keep_their_promise_is_found():
    """
    Two thousand searches: the arm with the smallest mean breaks a promise by the tolerance, one is just the
    indifference worse than the best that keeps it, and all keep theirs by the tolerance: right in 90 % or more.
    """
    means, broken = [0.5, 0.0, 1.0, 1.0, 1.0], [-0.4, 0.4, -0.4, -0.4, -0.4]
    right = sum(
        chosen(NAMES, normal(means, seed=seed, promises=[broken]), indifference=0.5, error=0.1, tolerances=[0.4]).best
        == "a"
        for seed in range(2000)
    )

    assert at_least(right, 2000, 0.9), right


def test_the_winner_is_flattered_by_the_runs_that_chose_it():
    """
    Of five arms that are equal in truth the mean of the one chosen lies below it on the runs that chose it, surely so
    over 300 searches; on other runs it does not.
    """
    same, other = [], []
    for seed in range(300):
        found = chosen(NAMES, normal([1.0] * 5, seed=seed), indifference=0.5, error=0.1)
        same.append(next(each.mean for each in found.standings if each.arm == found.best))
        fresh = normal([1.0] * 5, seed=10_000 + seed)({found.best: 30})
        other.append(float(fresh[found.best][:, 0].mean()))
    flattery, honest = ((np.mean(each) - 1) / (np.std(each, ddof=1) / math.sqrt(len(each))) for each in (same, other))

    assert flattery < -4
    assert abs(honest) < 3


def test_what_became_of_each_arm():
    """
    Who is far behind leaves at the first look, beaten by the best; who breaks a promise leaves by its number; who has
    no value in a run is not compared.
    """
    observe = normal([0.0, 50.0, 0.0, 1.0], seed=1, promises=[[-9, -9, 9, -9]])

    def holed(counts):
        tables = {arm: table.copy() for arm, table in observe(counts).items()}
        if "d" in tables:
            tables["d"][3, 0] = np.nan
        return tables

    found = chosen(NAMES[:4], holed, indifference=0.5, error=0.05, tolerances=[1.0])
    told = {each.arm: (each.state, each.by, each.n) for each in found.standings}

    assert found.best == "a"
    assert told == {"a": ("best", "", 10), "b": ("beaten", "a", 10), "c": ("breaks", "0", 10), "d": ("missing", "", 10)}
    assert math.isnan(found.standings[3].mean)
    assert found.probability == 0.95


def test_arms_that_are_equal_to_the_digit_are_told_apart_by_their_order():
    """Two arms with the same plan have the same numbers; the first is named, and the search ends."""
    table = np.random.default_rng(1).normal(size=(1000, 1))
    found = chosen(
        ["a", "b"], lambda counts: {arm: table[:n] for arm, n in counts.items()}, indifference=0.1, error=0.05
    )

    assert (found.best, found.standings[1].state, found.standings[1].by) == ("a", "beaten", "a")


def test_where_runs_end_nothing_is_promised():
    """With twelve runs at most and arms that are alike, all that might be best are open and there is no probability."""
    found = chosen(NAMES, normal([0.0, 0.01, 0, 0, 0], seed=2), indifference=0.01, error=0.05, most=12)

    assert not found.decided
    assert math.isnan(found.probability)
    assert {each.state for each in found.standings} == {"best", "open"}
    assert {each.n for each in found.standings} == {12}


def test_a_promise_that_nobody_can_tell_is_told():
    """An arm just at its promise takes part, and nothing is promised of the choice: it might break it."""
    found = chosen(
        ["a", "b"], normal([0, 9], seed=1, promises=[[0, -99]]), indifference=1, error=0.05, tolerances=[0.01], most=20
    )

    assert (found.best, found.unsure, found.decided) == ("a", ("a",), False)
    assert math.isnan(found.probability)


def test_none_may_keep_the_promise():
    """Where all break it there is no best."""
    found = chosen(["a", "b"], normal([0, 0], seed=1, promises=[[9, 9]]), indifference=1, error=0.05, tolerances=[1.0])

    assert found.best == ""
    assert {each.state for each in found.standings} == {"breaks"}


def test_decisions_do_not_depend_on_how_many_are_run_at_a_time():
    """One by one, or fifty at a time: the same arm leaves after the same number of runs."""
    one, many = (
        chosen(NAMES, normal(SLIPPAGE, seed=7), indifference=0.5, error=0.1, step=step).standings for step in (1, 50)
    )

    assert [(each.arm, each.state, each.by) for each in one] == [(each.arm, each.state, each.by) for each in many]
    assert [each.n for each in one if each.state == "beaten"] == [each.n for each in many if each.state == "beaten"]


def test_shares_of_a_budget_are_those_of_the_rule():
    """
    Means 1 to 5 with equal spread: of the others 1, 1/4, 1/9 and 1/16 (Chen et al. 2000), the best the root of the sum
    of their squares.
    """
    found = shares(np.array([1.0, 2, 3, 4, 5]), np.ones(5) * 4)
    others = np.array([1, 1 / 4, 1 / 9, 1 / 16])
    expected = np.array([math.sqrt((others**2).sum()), *others])

    assert found == pytest.approx(expected / expected.sum())
    assert sum(_added(found, [10] * 5, 20)) == 20
    assert min(_added(found, [10] * 5, 20)) >= 0


@pytest.mark.slow
def test_a_budget_is_spent_better_than_in_equal_parts():
    """
    Two thousand problems with means 0 to 4 and spread 3, 250 runs: the best is found more often than with 50 runs each,
    surely so, and as often as estimated or more.
    """
    means = [0.0, 1.0, 2.0, 3.0, 4.0]
    smart = equal = 0
    estimated = []
    for seed in range(2000):
        observe = normal(means, seed=seed, sds=[3] * 5, most=300)
        found = allocated(NAMES, observe, budget=250, first=10)
        smart += found.best == "a"
        estimated.append(found.probability)
        columns = {arm: table[:50, 0] for arm, table in observe(dict.fromkeys(NAMES, 50)).items()}
        equal += min(columns, key=lambda arm: columns[arm].mean()) == "a"
        assert sum(each.n for each in found.standings) == 250

    assert (smart - equal) / math.sqrt(2000 * 0.05) > 3, (smart, equal)
    assert at_least(smart, 2000, float(np.mean(estimated))), (smart, np.mean(estimated))


def test_the_probability_of_two_arms():
    """Means one standard error of their difference apart: Φ(1) = 0.8413."""
    one = np.array([-1.0, 1.0] * 8)
    scale = math.sqrt(2 * one.var(ddof=1) / 16)

    assert probability_of([one, one + scale]) == pytest.approx(0.8413, abs=1e-4)
    assert probability_of([np.ones(3), np.full(3, 2.0)]) == 1
