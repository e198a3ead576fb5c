"""
What each measure of a package contributes: alone, as the last one, and its Shapley value, which adds up to the whole.

All of it is worked out replication by replication under the same luck, so that every part has an interval of its own. A
Shapley value is the mean contribution over all orders in which the measures could come (L. S. Shapley, A value for
n-person games, 1953); where there are too many arms for that, over a sample of orders, each with its reverse. The
interaction of two measures is their Shapley interaction index (M. Grabisch and M. Roubens, An axiomatic approach to the
concept of interaction, 1999): what both together do beyond what each does, over all orders.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Protocol

import numpy as np

from zonesim.analysis.control import bands_of
from zonesim.analysis.effects import BAND, MATERIAL, MIX, NO_DIFFERENCE
from zonesim.analysis.paired import LEVEL, Difference, interval, student
from zonesim.experiment import CellControl, Results
from zonesim.plan import Floats

MOST_EXACT: Final = 6
"""Packages of so many measures are always taken apart exactly, by 2 ** 6 arms; larger ones by a sample of orders."""

LARGEST_EXACT: Final = 10
"""So many measures can be taken apart exactly where that is asked for, by 2 ** 10 arms."""

ORDERS: Final = 20
"""So many orders, half of them the reverse of the others, are drawn for a larger package."""

Package = frozenset[str]
"""Measures by name."""


class Tagged(Protocol):
    """What is known of the KPIs of a cell by their ids."""

    @property
    def unstable(self) -> frozenset[str]:
        """Those that depend on the run length."""

    @property
    def mixed(self) -> frozenset[str]:
        """Those that are told over other goods than the baseline's."""

    @property
    def control(self) -> CellControl:
        """What is expected of control."""


Values = Mapping[Package, Floats]
"""What a KPI is in each replication, shape (replications,), by the measures in force; nan: not known."""


@dataclass(frozen=True)
class Contribution:
    """
    What a measure contributes to the difference of the whole package: `alone` against nothing, `last` against the
    package without it, `shapley` on average over the orders. Differences of the KPI, in its unit.
    """

    measure: str
    alone: Difference
    last: Difference
    shapley: Difference


@dataclass(frozen=True)
class Attribution:
    """
    A KPI's difference between the whole package and nothing, `joint`, and what it is made of. `interactions`: by pair
    of measures; none where orders were sampled. `exact`: whether all orders were looked at. `reason`: why nothing is
    given.
    """

    kpi: str
    joint: Difference
    contributions: tuple[Contribution, ...] = ()
    interactions: Mapping[tuple[str, str], Difference] | None = None
    exact: bool = True
    reason: str = ""
    base: float = math.nan
    """The mean without any of the measures."""

    @property
    def is_material(self) -> bool:
        """Return whether the whole package surely moves the KPI, and by 1 % of what it is without."""
        moved = self.joint.low > 0 or self.joint.high < 0
        return moved and abs(self.joint.value) >= MATERIAL * abs(self.base)


def reasons(results: Results, future: str, arms: Iterable[str]) -> Callable[[str], str]:
    """
    Return what says of a KPI why arms are not told apart by it in a future: it is a band in one, is over other goods in
    one, or grows in one; "" where nothing speaks against it.
    """
    return reasons_of({arm: results.cells[arm, future] for arm in arms})


def reasons_of(cells: Mapping[str, Tagged]) -> Callable[[str], str]:
    """Return what `reasons` does, from the tags of cells by arm."""
    bands = bands_of({arm: cell.control for arm, cell in cells.items()})

    def reason(kpi: str) -> str:
        if any(kpi in own for own in bands.values()):
            return BAND
        if any(kpi in cell.mixed for cell in cells.values()):
            return MIX
        return "grows" if any(kpi in cell.unstable for cell in cells.values()) else ""

    return reason


def packages(
    measures: Sequence[str], *, seed: int = 1, orders: int = ORDERS, most_exact: int = MOST_EXACT
) -> list[Package]:
    """
    Return the packages whose arms have to be run, the empty one first, the whole one last: all of up to `most_exact`
    measures, else those of a sample of `orders`.
    """
    if len(measures) <= most_exact:
        return [frozenset(each) for size in range(len(measures) + 1) for each in combinations(measures, size)]
    found = [frozenset(order[:size]) for order in _orders(measures, seed, orders) for size in range(len(order) + 1)]
    found += [frozenset([each]) for each in measures]
    found += [frozenset(measures) - {each} for each in measures]
    return sorted(dict.fromkeys(found), key=lambda each: (len(each), [measures.index(own) for own in sorted(each)]))


def attribute(
    kpi: str,
    values: Values,
    measures: Sequence[str],
    *,
    seed: int = 1,
    orders: int = ORDERS,
    most_exact: int = MOST_EXACT,
    level: float = LEVEL,
) -> Attribution:
    """
    Return what each measure contributes to a KPI; `values` has every package that `packages` names for the same
    `measures`, `seed`, `orders` and `most_exact`.
    """
    whole, nothing = frozenset(measures), frozenset[str]()
    joint = values[whole] - values[nothing]
    if np.isnan(np.concatenate(list(values.values()))).any():
        return Attribution(kpi, NO_DIFFERENCE, reason="missing")
    exact = len(measures) <= most_exact
    drawn = [] if exact else _orders(measures, seed, orders)
    found = tuple(
        Contribution(
            measure,
            _difference(values[frozenset([measure])] - values[nothing], level),
            _difference(values[whole] - values[whole - {measure}], level),
            _difference(shapley(values, measures, measure), level)
            if exact
            else _sampled(np.array([_marginal(values, order, measure) for order in drawn]), level),
        )
        for measure in measures
    )
    pairs = {
        (one, other): _difference(interaction(values, measures, one, other), level)
        for one, other in (combinations(measures, 2) if exact else ())
    }
    base = float(values[nothing].mean())
    return Attribution(kpi, _difference(joint, level), found, pairs if exact else None, exact, base=base)


def shapley(values: Values, measures: Sequence[str], measure: str) -> Floats:
    """Return a measure's Shapley value by replication, shape (replications,), from the values of all packages."""
    n = len(measures)
    rest = [each for each in measures if each != measure]
    total = np.zeros_like(values[frozenset()])
    for size in range(n):
        weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
        for others in combinations(rest, size):
            before = frozenset(others)
            total += weight * (values[before | {measure}] - values[before])
    return total


def interaction(values: Values, measures: Sequence[str], one: str, other: str) -> Floats:
    """Return the Shapley interaction index of two measures by replication, shape (replications,)."""
    n = len(measures)
    rest = [each for each in measures if each not in (one, other)]
    total = np.zeros_like(values[frozenset()])
    for size in range(n - 1):
        weight = math.factorial(size) * math.factorial(n - size - 2) / math.factorial(n - 1)
        for others in combinations(rest, size):
            before = frozenset(others)
            both, none = values[before | {one, other}], values[before]
            total += weight * (both - values[before | {one}] - values[before | {other}] + none)
    return total


def _orders(measures: Sequence[str], seed: int, orders: int) -> list[tuple[str, ...]]:
    """Return a sample of orders of the measures, each followed by its reverse: a function of seed, draw and names."""

    def drawn(draw: int, measure: str) -> bytes:
        return hashlib.sha256(f"order {seed} {draw} {measure}".encode()).digest()

    found: list[tuple[str, ...]] = []
    for draw in range(orders // 2):
        order = tuple(sorted(measures, key=lambda measure: drawn(draw, measure)))
        found += [order, order[::-1]]
    return found


def _marginal(values: Values, order: Sequence[str], measure: str) -> Floats:
    """Return what a measure adds to those before it in an order, by replication."""
    before = frozenset(order[: order.index(measure)])
    return values[before | {measure}] - values[before]


def _difference(by_replication: Floats, level: float) -> Difference:
    found = interval(by_replication.tolist(), level)
    return Difference(found.value, found.low, found.high, found.n, math.nan)


def _sampled(added: Floats, level: float) -> Difference:
    """
    Return the mean over orders and replications, `added` shape (orders, replications); its interval knows of both: of
    which orders were drawn (an order with its reverse is one draw), and of the luck of the runs.
    """
    draws, n = added.reshape(-1, 2, added.shape[1]).mean(axis=1), added.shape[1]
    mean = float(draws.mean())
    if n < 2 or len(draws) < 2:  # noqa: PLR2004  a spread needs two
        return Difference(mean, math.nan, math.nan, n, math.nan)
    variance = float(draws.mean(axis=0).var(ddof=1)) / n + float(draws.mean(axis=1).var(ddof=1)) / len(draws)
    half = student(min(n, len(draws)) - 1, level) * math.sqrt(variance)
    return Difference(mean, mean - half, mean + half, n, math.nan)


def attributions(
    kpis: Iterable[str],
    values: Callable[[str], Values],
    measures: Sequence[str],
    *,
    reason: Callable[[str], str],
    seed: int = 1,
    orders: int = ORDERS,
    most_exact: int = MOST_EXACT,
    level: float = LEVEL,
) -> list[Attribution]:
    """Return what each measure contributes to some KPIs; nothing where there is a `reason` why not."""
    return [
        Attribution(kpi, NO_DIFFERENCE, reason=why)
        if (why := reason(kpi))
        else attribute(kpi, values(kpi), measures, seed=seed, orders=orders, most_exact=most_exact, level=level)
        for kpi in kpis
    ]
