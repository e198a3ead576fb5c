"""
What each measure does on average over a factorial or screening design, and which two do more or less together.

The main effect of a measure is the mean over the runs with it less the mean over those without; the interaction of two
is half the difference between the effect of one with the other and without it (G. E. P. Box, J. S. Hunter and
W. G. Hunter, Statistics for Experimenters, 2005). Both are contrasts of the arms, worked out replication by replication
under the same luck: a replication is a block, so what its luck adds to every arm is in none of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from zonesim.analysis.attribution import reasons
from zonesim.analysis.paired import LEVEL, Difference, interval
from zonesim.experiment import Layout, Results, is_orthogonal
from zonesim.plan import Floats


@dataclass(frozen=True)
class Factors:
    """
    A KPI in a future: the `main` effect of each measure, and the `pairs`, none where the design cannot tell them apart
    from main effects or from each other. `base`: its mean over all runs. `reason`: why nothing is given.
    """

    future: str
    kpi: str
    main: Mapping[str, Difference]
    pairs: Mapping[tuple[str, str], Difference]
    base: float = math.nan
    reason: str = ""


def tells_pairs(layout: Layout) -> bool:
    """Return whether a design tells interactions of two apart from main effects and from each other."""
    signs = np.array(layout.signs, dtype=np.float64)
    return is_orthogonal(np.column_stack([np.ones(len(signs)), signs, *_products(signs)]))


def factors(results: Results, layout: Layout, kpis: Sequence[str]) -> Iterator[Factors]:
    """Yield futures × KPIs with what the design says of each."""
    for future in results.futures:
        why = reasons(results, future, layout.arms)
        for kpi in kpis:
            if reason := why(kpi):
                yield Factors(future, kpi, {}, {}, reason=reason)
                continue
            values = np.array([results.column(arm, future, kpi) for arm in layout.arms])
            yield contrasts(future, kpi, layout, values, results.level)


def contrasts(future: str, kpi: str, layout: Layout, values: Floats, level: float = LEVEL) -> Factors:
    """Return main effects and pairs from `values`, shape (runs, replications), a row a run of the layout."""
    if np.isnan(values).any():
        return Factors(future, kpi, {}, {}, reason="missing")
    signs = np.array(layout.signs, dtype=np.float64)
    half = len(signs) / 2
    main = {name: _told(signs[:, at] @ values / half, level) for at, name in enumerate(layout.measures)}
    named = combinations(layout.measures, 2)
    pairs = (
        {pair: _told(column @ values / half, level) for pair, column in zip(named, _products(signs), strict=True)}
        if tells_pairs(layout)
        else {}
    )
    return Factors(future, kpi, main, pairs, float(values.mean()))


def _products(signs: Floats) -> list[Floats]:
    """Return the columns of the interactions of two, each shape (runs,)."""
    return [signs[:, one] * signs[:, other] for one, other in combinations(range(signs.shape[1]), 2)]


def _told(by_replication: Floats, level: float) -> Difference:
    found = interval(by_replication.tolist(), level)
    return Difference(found.value, found.low, found.high, found.n, math.nan)
