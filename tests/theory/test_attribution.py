"""What each measure of a package contributes: against all orders one by one, games with known values, and sums to the digit."""

from __future__ import annotations

from itertools import chain, combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zonesim.analysis import LARGEST_EXACT, MOST_EXACT, Attribution, Package, attribute, packages
from zonesim.plan import Floats


def game(names: str, worth) -> dict[Package, Floats]:
    """Return what every package is worth in one replication."""
    subsets = chain.from_iterable(combinations(names, size) for size in range(len(names) + 1))
    return {frozenset(each): np.atleast_1d(np.asarray(worth(frozenset(each)), dtype=float)) for each in subsets}


def told(found: Attribution) -> dict[str, float]:
    """Return the Shapley values by measure."""
    return {each.measure: each.shapley.value for each in found.contributions}


def test_two_gloves_make_a_pair():
    """
    One left and two right gloves, a pair is worth 1: the left one contributes 2/3, each right one 1/6.
    """
    found = attribute("pairs", game("lrs", lambda own: float("l" in own and len(own) > 1)), "lrs")

    assert told(found) == pytest.approx({"l": 2 / 3, "r": 1 / 6, "s": 1 / 6})
    assert found.joint.value == 1


def test_an_airport_pays_for_its_runway():
    """
    A runway costs what the largest plane needs (1, 2 or 4): each stretch is shared by those who need it, 1/3, 1/3 + 1/2 and 1/3 + 1/2 + 2.
    """
    needs = {"a": 1.0, "b": 2.0, "c": 4.0}
    found = attribute("cost", game("abc", lambda own: max((needs[each] for each in own), default=0.0)), "abc")

    assert told(found) == pytest.approx({"a": 1 / 3, "b": 5 / 6, "c": 17 / 6})
    assert found.contributions[2].alone.value == 4
    assert found.contributions[2].last.value == 2


def test_what_adds_up_has_no_interaction_and_a_product_has():
    """
    The value of a sum is its terms, with no interaction; of x y with both or nothing, half each and an interaction of 1.
    """
    worth = {"a": 3.0, "b": -1.0, "c": 0.5}
    plain = attribute("sum", game("abc", lambda own: sum(worth[each] for each in own)), "abc")
    both = attribute("product", game("ab", lambda own: float(len(own) == 2)), "ab")

    assert told(plain) == pytest.approx(worth)
    assert plain.interactions is not None
    assert all(abs(each.value) < 1e-12 for each in plain.interactions.values())
    assert told(both) == pytest.approx({"a": 0.5, "b": 0.5})
    assert both.interactions is not None
    assert both.interactions["a", "b"].value == pytest.approx(1)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 5), st.integers(0, 10_000))
def test_shapley_values_are_means_over_all_orders(size, seed):
    """
    Of any game they equal the mean of what each adds over all orders, one by one; in every replication they add up to the
    difference of the whole package to 1e-9.
    """
    names = "abcde"[:size]
    luck = np.random.default_rng(seed)
    values = game(names, lambda _: luck.normal(size=3) * 1e3)
    found = attribute("any", values, names)
    added = {name: [] for name in names}
    for order in permutations(names):
        for place, name in enumerate(order):
            before = frozenset(order[:place])
            added[name].append((values[before | {name}] - values[before]).mean())

    assert told(found) == pytest.approx({name: np.mean(own) for name, own in added.items()}, abs=1e-9)
    assert sum(told(found).values()) == pytest.approx(found.joint.value, abs=1e-9)


def test_a_sample_of_orders_adds_up_too_and_knows_that_it_is_one():
    """
    With more measures than are looked at in all orders, the parts of a sample of orders add up to the whole to 1e-9, and
    the true values lie in their intervals about as often as these promise.
    """
    names = [f"m{number}" for number in range(MOST_EXACT + 3)]
    worth = {name: number + 1.0 for number, name in enumerate(names)}
    covered, asked = 0, 0
    for seed in range(30):
        luck = np.random.default_rng(seed)
        noise = luck.normal(size=8)

        def value(own: Package, noise: Floats = noise) -> Floats:
            return 0.1 * sum(worth[each] for each in own) ** 2 + noise + 0.01 * len(own) * noise

        wanted = packages(names, seed=seed, orders=20)
        found = attribute("square", {each: value(each) for each in wanted}, names, seed=seed, orders=20)
        total = sum(worth.values())
        assert not found.exact
        assert found.interactions is None
        assert sum(told(found).values()) == pytest.approx(found.joint.value, abs=1e-9)
        for each in found.contributions:
            true = 0.1 * worth[each.measure] * total  # of the square of a sum, each term's share of the whole
            covered += each.shapley.low <= true + 0.01 * noise.mean() <= each.shapley.high
            asked += 1

    assert covered / asked > 0.9


def test_all_orders_of_more_measures_are_looked_at_where_that_is_asked_for():
    """
    Of ten measures all 1,024 packages give the exact values, which differ from those of a sample, and all pairs.
    """
    names = [f"m{number}" for number in range(LARGEST_EXACT)]
    wanted = packages(names, most_exact=LARGEST_EXACT)
    worth = {name: number + 1.0 for number, name in enumerate(names)}
    values = {each: np.array([sum(worth[own] for own in each) ** 2 + luck for luck in (0.0, 1.0)]) for each in wanted}
    found = attribute("square", values, names, most_exact=LARGEST_EXACT)
    total = sum(worth.values())

    assert len(wanted) == 2**LARGEST_EXACT
    assert found.exact
    assert told(found) == pytest.approx({name: own * total for name, own in worth.items()}, abs=1e-9)
    assert {pair: value.value for pair, value in (found.interactions or {}).items()} == pytest.approx(
        {(one, other): 2 * worth[one] * worth[other] for one, other in combinations(names, 2)}, abs=1e-9
    )


def test_packages_are_what_has_to_be_run():
    """
    All subsets of a few measures, the empty one first and the whole one last; of many the prefixes of the orders, each
    measure alone and each left out.
    """
    few = packages(["a", "b", "c"])
    names = [f"m{number}" for number in range(9)]
    many = packages(names, orders=4)

    assert len(few) == len(set(few)) == 8
    assert (few[0], few[-1]) == (frozenset(), frozenset("abc"))
    assert (many[0], many[-1]) == (frozenset(), frozenset(names))
    assert {frozenset([name]) for name in names} <= set(many)
    assert {frozenset(names) - {name} for name in names} <= set(many)
    assert len(many) <= 2 + 2 * 9 + 4 * 8
    assert packages(names, orders=4) == many != packages(names, orders=4, seed=2)


def test_what_is_not_known_anywhere_is_not_taken_apart():
    """
    A replication without a value in one arm leaves nothing to tell: no mean over those that have one.
    """
    values = game("ab", lambda own: [1.0, np.nan if own == frozenset("a") else 2.0])

    found = attribute("gone", values, "ab")

    assert found.reason == "missing"
    assert found.contributions == ()
    assert np.isnan(found.joint.value)
