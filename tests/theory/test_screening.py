"""Designs of experiments against their published generators, and main effects against a model that is known."""

from __future__ import annotations

import numpy as np
import pytest

from zonesim.analysis import contrasts, tells_pairs
from zonesim.experiment import Layout, is_orthogonal
from zonesim.experiment.screening import factorial, plackett_burman

PUBLISHED = {
    8: "+++-+--",
    12: "++-+++---+-",
    16: "++++-+-++--+---",
    20: "++--++++-+-+----++-",
    24: "+++++-+-++--++--+-+----",
}
"""First rows of Plackett and Burman (1946) by number of runs; the others are made by moving a row on, the last one is all -."""


@pytest.mark.parametrize("factors", range(1, 41))
@pytest.mark.parametrize("foldover", [False, True])
def test_columns_are_balanced_and_orthogonal(factors, foldover):
    """
    Every factor is there in half of the runs, every two of them together in a quarter, with no more runs than the next multiple of 4
    that has a design; with the foldover every product of two is orthogonal to every factor.
    """
    signs = plackett_burman(factors, foldover=foldover).astype(float)
    products = [signs[:, one] * signs[:, other] for one in range(factors) for other in range(one)]

    assert is_orthogonal(np.column_stack([np.ones(len(signs)), signs]))
    assert len(signs) > factors
    assert len(signs) <= (1 + foldover) * (4 * (factors // 4 + 1) if factors < 24 else 2 * factors)
    if foldover:
        assert not any((signs.T @ product).any() for product in products)


@pytest.mark.parametrize("runs", PUBLISHED)
def test_the_designs_are_those_published(runs):
    """
    The published row moved on a place a run: those of 12, 20 and 24 runs are made to the letter; in place of those of 8 and 16, which are
    orthogonal in the same way, stand the matrices of Sylvester, with as many runs.
    """
    first = np.array([1 if sign == "+" else -1 for sign in PUBLISHED[runs]])
    rows = np.stack([*(np.roll(first, shift) for shift in range(runs - 1)), np.full(runs - 1, -1)])
    made = plackett_burman(runs - 1)

    assert made.shape == rows.shape
    assert is_orthogonal(np.column_stack([np.ones(runs), rows.astype(float)]))
    if runs in {12, 20, 24}:
        assert np.array_equal(made, rows)


def test_a_factorial_has_every_combination_once():
    """
    The first factor changes fastest, and the run without any comes first.
    """
    assert factorial(2).tolist() == [[-1, -1], [1, -1], [-1, 1], [1, 1]]
    assert len({tuple(row) for row in factorial(5).tolist()}) == 32


def test_too_many_factors_have_no_design():
    """
    A design of more than 128 runs is not made.
    """
    with pytest.raises(ValueError, match="no design for 128 factors"):
        plackett_burman(128)


def layout_of(signs, kind="factorial", *, foldover=False):
    """Return a layout of factors a, b, c, ..., a run an arm."""
    names = tuple("abcdefghijk"[: signs.shape[1]])
    arms = tuple(f"arm {number}" for number in range(len(signs)))
    return Layout(kind, names, arms, tuple(map(tuple, signs.tolist())), foldover)


def measured(layout, blocks):
    """Return what is 10 + 4 a - 2 b + 3 ab in each run with a factor on (1) or off (0), more in some replications."""
    on = (np.array(layout.signs) + 1) / 2
    known = 10 + 4 * on[:, 0] - 2 * on[:, 1] + 3 * on[:, 0] * on[:, 1]
    return known[:, None] + np.array(blocks)[None, :]


def test_effects_of_a_known_model():
    """
    The main effect of a is 4 + 3/2 and that of b -2 + 3/2, their interaction 3/2, and c does nothing; luck that a replication gives to
    every arm is in none of them, so the intervals have no width.
    """
    layout = layout_of(factorial(3))
    found = contrasts("f", "k", layout, measured(layout, [0.0, 5.0, -7.0]))

    assert [found.main[name].value for name in "abc"] == pytest.approx([5.5, -0.5, 0.0], abs=1e-12)
    assert found.pairs["a", "b"].value == pytest.approx(1.5, abs=1e-12)
    assert [found.pairs[pair].value for pair in (("a", "c"), ("b", "c"))] == pytest.approx([0, 0], abs=1e-12)
    assert found.main["a"].high - found.main["a"].low == pytest.approx(0, abs=1e-12)
    assert found.main["a"].n == 3


def test_what_a_screening_design_cannot_tell_apart():
    """
    Seven factors in eight runs: the interaction of two stands in the main effect of a third, so no pairs are told; in the foldover main
    effects are clear of it.
    """
    plain, folded = (
        layout_of(plackett_burman(7, foldover=own), "plackett_burman", foldover=own) for own in (False, True)
    )
    mixed, clear = (contrasts("f", "k", own, measured(own, [0.0, 1.0])) for own in (plain, folded))

    assert not tells_pairs(plain)
    assert not tells_pairs(folded)
    assert mixed.pairs == clear.pairs == {}
    assert [clear.main[name].value for name in "abcdefg"] == pytest.approx([5.5, -0.5, 0, 0, 0, 0, 0], abs=1e-12)
    others = [abs(mixed.main[name].value) for name in "cdefg"]
    assert max(others) == pytest.approx(1.5, abs=1e-12)
    assert tells_pairs(layout_of(plackett_burman(3, foldover=True)))  # every combination of three


def test_one_unknown_run_leaves_nothing():
    """
    A contrast of runs of which one is not known is not known.
    """
    layout = layout_of(factorial(2))
    values = measured(layout, [0.0, 1.0])
    values[2, 1] = np.nan
    found = contrasts("f", "k", layout, values)

    assert found.reason == "missing"
    assert found.main == {}
