"""
Scenario discovery: a box in the space of futures in which something happens, such as that a measure does not pay.

The patient rule induction method peels a thin slice off the box again and again, the one whose loss makes what is left
richest in cases, then pastes slices back as long as that does no harm. Sources: J. H. Friedman and N. I. Fisher, Bump
hunting in high-dimensional data, Statistics and Computing 9, 1999; B. P. Bryant and R. J. Lempert, Thinking inside the
box, Technological Forecasting and Social Change 77, 2010 (coverage, density, quasi-p-values). The gain of a slice is
counted per future that it takes away (the lenient criterion of Friedman and Fisher), so that values which many futures
share do not cost too much; slice by slice it is the peeling of the EMA workbench (tests/against). Among many numbers
some box can always be found: one that shuffled cases give as well is none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.plan import Floats

PEEL: Final = 0.05
"""Share of the futures in the box that a slice takes away, and that one pasted back adds."""

LEAST_MASS: Final = 0.05
"""Peeling ends when a box holds a smaller share of all futures."""

CHANCE: Final = 0.05
"""A limit that chance would make as likely as this is lifted again; a box that is as likely is none."""

SHUFFLES: Final = 99
"""So many times cases are dealt to the futures anew, to see how good a box luck makes."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Limits:
    """The lower and upper limit of a number in a box, and how likely chance alone makes it as good (quasi-p-value)."""

    low: float
    high: float
    chance: float


@dataclass(frozen=True)
class Box:
    """
    A box: `limits` by number, of those that it restricts; `inside` futures, with `cases` among them.

    `coverage`: the share of all cases that lie inside; `density`: the share of cases among the futures inside.
    `chance`: the share of shuffles (this one among them) with a box of as much merit or more; nan where none was made.
    """

    limits: Mapping[str, Limits]
    inside: int
    cases: int
    coverage: float
    density: float
    chance: float = math.nan

    @property
    def merit(self) -> float:
        """Return the harmonic mean of coverage and density, by which a box is picked from a trajectory."""
        total = self.coverage + self.density
        return 2 * self.coverage * self.density / total if total else 0.0


def trajectory(names: Sequence[str], values: Floats, cases: Bools) -> list[Box]:
    """
    Return boxes from all futures to ever fewer: `values` of shape (futures, numbers), `cases` of shape (futures,).

    Each is one slice smaller than the one before, with the slices pasted back that cost nothing at the end of peeling;
    empty where there is no case, or nothing but cases.
    """
    if not cases.any() or cases.all():
        return []
    low, high = values.min(axis=0), values.max(axis=0)
    boxes = [(low.copy(), high.copy())]
    while (smaller := _peeled(values, cases, *boxes[-1])) is not None:
        boxes.append(smaller)
    return [_box(names, values, cases, *_pasted(values, cases, *box)) for box in boxes]


def discovered(names: Sequence[str], values: Floats, cases: Bools) -> Box | None:
    """
    Return the box of the trajectory with the greatest merit, without the limits that chance would make as well, the
    weakest lifted first; None where no limit is left, or where cases that are shuffled give a box as good too often.
    """
    boxes = trajectory(names, values, cases)
    if not boxes:
        return None
    best = max(boxes, key=lambda box: box.merit)
    luck = _luck(names, values, cases, best.merit)
    if luck > CHANCE:
        return None
    low, high = values.min(axis=0), values.max(axis=0)
    limits = dict(best.limits)
    while limits:
        box = _box(names, values, cases, *_corners(names, low, high, limits))
        limits = dict(box.limits)
        weakest = max(limits, key=lambda name: limits[name].chance, default="")
        if not weakest or limits[weakest].chance <= CHANCE:
            return replace(box, chance=luck) if limits else None
        del limits[weakest]
    return None


def _luck(names: Sequence[str], values: Floats, cases: Bools, merit: float) -> float:
    """Return how often shuffled cases have a box of this merit; 1 as soon as that is too often."""
    deal = np.random.default_rng(len(values))  # noqa: TID251  shuffling draws nothing that a run is made of
    as_good = 1
    for _ in range(SHUFFLES):
        boxes = trajectory(names, values, deal.permutation(cases))
        as_good += max(box.merit for box in boxes) >= merit
        if as_good > CHANCE * (SHUFFLES + 1):
            return 1.0
    return as_good / (SHUFFLES + 1)


def _corners(names: Sequence[str], low: Floats, high: Floats, limits: Mapping[str, Limits]) -> tuple[Floats, Floats]:
    """Return the corners of the box that has these limits and no others."""
    lower, upper = low.copy(), high.copy()
    for name, own in limits.items():
        place = names.index(name)
        lower[place], upper[place] = own.low, own.high
    return lower, upper


def _inside(values: Floats, low: Floats, high: Floats) -> Bools:
    return np.asarray(((values >= low) & (values <= high)).all(axis=1), dtype=np.bool_)


def _peeled(values: Floats, cases: Bools, low: Floats, high: Floats) -> tuple[Floats, Floats] | None:
    """
    Return the box without its worst slice, of slices that are alike one that restricts no further number, then the
    first; None where nothing can be taken away, or too little would be left.
    """
    inside = _inside(values, low, high)
    own, hits = values[inside], cases[inside]
    before, least = hits.mean(), LEAST_MASS * len(values)
    free = (low == values.min(axis=0)) & (high == values.max(axis=0))
    best, found = (-np.inf, False), None
    for number in range(values.shape[1]):
        column = own[:, number]
        for is_low in (False, True):
            kept = _slice(column, is_low=is_low)
            left = int(kept.sum())
            if left == len(column) or left < max(least, 1):
                continue
            gain = (hits[kept].mean() - before) / (len(column) - left)
            if (gain, not free[number]) > best:
                lower, upper = low.copy(), high.copy()
                (lower if is_low else upper)[number] = column[kept].min() if is_low else column[kept].max()
                best, found = (gain, not free[number]), (lower, upper)
    return found


def _slice(column: Floats, *, is_low: bool) -> Bools:
    """Return what stays when a slice of at least `PEEL` is taken off one side; all equal values go together."""
    count = max(1, int(np.ceil(PEEL * len(column))))
    ordered = np.sort(column)
    return np.asarray(column > ordered[count - 1] if is_low else column < ordered[-count], dtype=np.bool_)


def _pasted(values: Floats, cases: Bools, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Return the box with the slices pasted back that make it no poorer in cases, the best first."""
    lower, upper = low.copy(), high.copy()
    while True:
        inside = _inside(values, lower, upper)
        density, count = cases[inside].mean(), max(1, int(np.ceil(PEEL * inside.sum())))
        best, found = density, None
        for number in range(values.shape[1]):
            for is_low in (True, False):
                wider = _wider(values, lower, upper, number, count, is_low=is_low)
                if wider is None:
                    continue
                more = cases[_inside(values, *wider)].mean()
                if more > best or (more == best and found is None and more == 1):  # richer, or as pure and larger
                    best, found = more, wider
        if found is None:
            return lower, upper
        lower, upper = found


def _wider(
    values: Floats, low: Floats, high: Floats, number: int, count: int, *, is_low: bool
) -> tuple[Floats, Floats] | None:
    """Return the box with one side moved out over the next `count` futures; None where there are none beyond it."""
    lower, upper = low.copy(), high.copy()
    lower[number], upper[number] = -np.inf, np.inf
    column = values[_inside(values, lower, upper), number]
    beyond = np.sort(column[column < low[number]])[::-1] if is_low else np.sort(column[column > high[number]])
    if not len(beyond):
        return None
    lower[number], upper[number] = low[number], high[number]
    (lower if is_low else upper)[number] = beyond[min(count, len(beyond)) - 1]
    return lower, upper


def _box(names: Sequence[str], values: Floats, cases: Bools, low: Floats, high: Floats) -> Box:
    """Return a box with its limits, those that hold a future off."""
    from scipy.special import bdtrc

    inside = _inside(values, low, high)
    total, hits = int(inside.sum()), int(cases[inside].sum())
    limits = {}
    for number, name in enumerate(names):
        lower, upper = low.copy(), high.copy()
        lower[number], upper[number] = -np.inf, np.inf
        without = _inside(values, lower, upper)
        if without.sum() == total:
            continue
        density = float(cases[without].mean())
        chance = float(bdtrc(hits - 1, total, density)) if hits else 1.0
        limits[name] = Limits(float(low[number]), float(high[number]), chance)
    return Box(limits, total, hits, hits / int(cases.sum()), hits / total)
