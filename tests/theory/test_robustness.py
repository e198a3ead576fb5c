"""Regret and promises kept over futures, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from zonesim.analysis import Interval, Promise, keeps, kept_in, regrets

VALUES = {
    "a": {"calm": np.array([10.0, 12.0]), "busy": np.array([30.0, 34.0]), "worst": np.array([50.0, 50.0])},
    "b": {"calm": np.array([14.0, 16.0]), "busy": np.array([20.0, 24.0]), "worst": np.array([50.0, 50.0])},
}


def told(values, sign=1):
    """Return the regrets by arm."""
    return {each.arm: each for each in regrets(values, sign=sign)}


def test_regrets_by_hand():
    """
    A is 10 worse than b where it is busy, b 4 worse than a where it is calm: mean regrets 10/3 and 4/3, paired to the digit.
    """
    found = told(VALUES)

    assert found["a"].mean == pytest.approx(10 / 3)
    assert found["b"].mean == pytest.approx(4 / 3)
    assert (found["a"].worst, found["a"].largest.value, found["a"].largest.low) == ("busy", 10, 10)
    assert (found["b"].worst, found["b"].largest.value) == ("calm", 4)
    assert (found["a"].best, found["b"].best) == (2, 2)


def test_where_large_is_good_it_is_the_other_way_round():
    """Of the same numbers a is then the better one where it is busy."""
    found = told(VALUES, sign=-1)

    assert (found["a"].worst, found["a"].largest.value) == ("calm", 4)
    assert (found["b"].worst, found["b"].largest.value) == ("busy", 10)


def test_where_a_line_grows_no_largest_regret_is_told():
    """An arm without a value where another has one might be as bad as one likes; futures that nobody has count for nobody."""
    values = {arm: dict(own) for arm, own in VALUES.items()}
    values["a"]["busy"] = np.array([30.0, math.nan])
    values["a"]["worst"] = values["b"]["worst"] = np.array([math.nan, math.nan])
    found = told(values)

    assert (found["a"].unknown, found["a"].largest, found["a"].futures) == (1, None, 1)
    assert (found["b"].unknown, found["b"].largest.value) == (0, 4)
    assert found["a"].mean == 0


PROMISE = Promise("soon", "f.wait.mean", 10.0, most=True, unit="min")


def test_what_keeps_a_promise():
    """
    On average, and surely where the limit does too; what grows keeps none; where nobody came nobody was let down.
    """
    nothing = (math.nan, math.nan, math.nan, 0)

    assert keeps(Interval(8, 7, 9, 5), PROMISE) == (True, True)
    assert keeps(Interval(9, 7, 11, 5), PROMISE) == (True, False)
    assert keeps(Interval(11, 9, 13, 5), PROMISE) == (False, False)
    assert keeps(Interval(*nothing, "grows"), PROMISE) == (False, False)
    assert keeps(Interval(*nothing), PROMISE) == (True, True)


def test_the_share_of_futures_has_limits():
    """
    Kept in 3 of 4: limits of Clopper and Pearson, 0.194 to 0.994; none where the futures are no sample.
    """
    found = [Interval(8, 7, 9, 5), Interval(9, 7, 11, 5), Interval(5, 5, 5, 5), Interval(99, 90, 108, 5)]
    sample, listed = (kept_in("a", PROMISE, found, is_sample=each) for each in (True, False))

    assert (sample.kept, sample.surely, sample.futures) == (3, 2, 4)
    assert (sample.low, sample.high) == pytest.approx((0.1941, 0.9937), abs=1e-4)
    assert math.isnan(listed.low)
