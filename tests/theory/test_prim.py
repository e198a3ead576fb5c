"""Scenario discovery: boxes that were put there are found, peeling is that of a plain program, and chance is told."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, qmc

from zonesim.analysis import discovered, trajectory
from zonesim.analysis.prim import LEAST_MASS, PEEL, _inside, _peeled

NAMES = ["a", "b", "c", "d", "e"]


def futures(count=400, seed=1):
    """Return futures spread evenly over five numbers from 0 to 1."""
    return qmc.LatinHypercube(5, rng=seed).random(count)


def test_a_box_that_was_put_there_is_found():
    """
    All futures with a above 0.6 and b below 0.4 are cases: the box has these limits to within two slices, nearly all
    cases and hardly anything else, and says nothing of the other numbers.
    """
    values = futures()
    box = discovered(NAMES, values, (values[:, 0] > 0.6) & (values[:, 1] < 0.4))

    assert box is not None
    assert set(box.limits) == {"a", "b"}
    assert box.limits["a"].low == pytest.approx(0.6, abs=0.05)
    assert box.limits["a"].high == values[:, 0].max()
    assert box.limits["b"].high == pytest.approx(0.4, abs=0.05)
    assert box.coverage > 0.9
    assert box.density > 0.9
    assert max(own.chance for own in box.limits.values()) < 1e-6
    assert box.chance == 0.01


def _whole(values, box):
    """Return the corners of a box."""
    low, high = values.min(axis=0), values.max(axis=0)
    for name, own in box.limits.items():
        low[NAMES.index(name)], high[NAMES.index(name)] = own.low, own.high
    return low, high


def test_a_noisy_box_is_found():
    """
    With nine in ten cases inside a box and one in ten outside the box is found again, with its richness.
    """
    values = futures(600, seed=3)
    inside = (values[:, 2] > 0.5) & (values[:, 3] < 0.5)
    cases = np.random.default_rng(1).random(600) < np.where(inside, 0.9, 0.1)
    box = discovered(NAMES, values, cases)

    assert box is not None
    assert set(box.limits) == {"c", "d"}
    assert box.limits["c"].low == pytest.approx(0.5, abs=0.06)
    assert box.limits["d"].high == pytest.approx(0.5, abs=0.06)
    assert box.density == pytest.approx(0.9, abs=0.06)


@pytest.mark.slow
def test_luck_makes_no_box():
    """
    Where cases have nothing to do with the numbers a box is told in 5 % of trials or fewer: no more than 7 of 60, which is likely then.
    """
    told = 0
    for seed in range(60):
        values = futures(60, seed=seed)
        told += discovered(NAMES, values, np.random.default_rng(seed).random(60) < 0.3) is not None

    assert told <= binom.ppf(0.99, 60, 0.05), told


def test_coverage_and_density_by_hand():
    """
    Ten futures along a line with cases at 0, 1 and 2, and one more at 9: the box up to 2 has three of four cases and
    nothing else. Its quasi-p-value is the chance of three cases in three at four in ten: 0.064, so luck lifts it.
    """
    values = np.arange(10.0)[:, None]
    cases = np.isin(np.arange(10), [0, 1, 2, 9])
    box = next(each for each in trajectory(["x"], values, cases) if each.density == 1)

    assert (box.inside, box.cases, box.coverage) == (3, 3, 0.75)
    assert (box.limits["x"].low, box.limits["x"].high) == (0, 2)
    assert box.limits["x"].chance == pytest.approx(0.4**3)
    assert box.merit == pytest.approx(2 * 0.75 / 1.75)
    assert discovered(["x"], values, cases) is None


def test_quasi_p_values_are_binomial_tails():
    """Of each limit: the chance of as many cases among as many futures at the density without it (Bryant and Lempert 2010)."""
    values = futures(200, seed=5)
    cases = np.random.default_rng(2).random(200) < np.where(values[:, 0] > 0.7, 0.8, 0.2)
    box = discovered(NAMES, values, cases)
    low, high = _whole(values, box)
    low[0], high[0] = -math.inf, math.inf
    without = _inside(values, low, high)
    expected = binom.sf(box.cases - 1, box.inside, cases[without].mean())

    assert box.limits["a"].chance == pytest.approx(expected, rel=1e-9)


def plain_peel(rows, cases):
    """
    Return the futures that are left after each slice, by a program that goes through lists (Friedman and Fisher 1999); of slices that
    are alike it takes one that restricts no further number, then the first, upper ends before lower ones.
    """
    left, restricted = list(range(len(rows))), set()
    found = [set(left)]
    while True:
        best = None
        mean = sum(cases[row] for row in left) / len(left)
        take = max(1, math.ceil(PEEL * len(left)))
        for number in range(len(rows[0])):
            ordered = sorted(rows[row][number] for row in left)
            for kept in (
                [row for row in left if rows[row][number] < ordered[-take]],
                [row for row in left if rows[row][number] > ordered[take - 1]],
            ):
                if len(kept) < max(LEAST_MASS * len(rows), 1) or len(kept) == len(left):
                    continue
                gain = (sum(cases[row] for row in kept) / len(kept) - mean) / (len(left) - len(kept))
                if best is None or (gain, number in restricted) > best[0]:
                    best = (gain, number in restricted), kept, number
        if best is None:
            return found
        left = best[1]
        restricted.add(best[2])
        found.append(set(left))


@pytest.mark.parametrize("seed", range(4))
def test_peeling_is_that_of_a_plain_program(seed):
    """
    Slice by slice the same futures are left as by lists and loops, also where numbers are whole and many futures share one.
    """
    values = futures(120, seed=seed)
    values[:, 1] = np.floor(4 * values[:, 1])
    cases = np.random.default_rng(seed).random(120) < np.where(values[:, 0] + values[:, 1] > 2.5, 0.7, 0.1)
    boxes = [(values.min(axis=0), values.max(axis=0))]
    while (smaller := _peeled(values, cases, *boxes[-1])) is not None:
        boxes.append(smaller)
    mine = [set(np.flatnonzero(_inside(values, *box)).tolist()) for box in boxes]

    assert mine == plain_peel(values.tolist(), cases.tolist())


def test_nothing_to_find():
    """Without any case, and where all are, there is no trajectory and no box."""
    values = futures(50)

    assert trajectory(NAMES, values, np.zeros(50, dtype=bool)) == []
    assert discovered(NAMES, values, np.ones(50, dtype=bool)) is None
