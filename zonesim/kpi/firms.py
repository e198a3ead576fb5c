"""The firms of consignments by size: no record tells them, but whose a consignment is was drawn, and is drawn again."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.kpi.firm_draws import draw_sizes
from zonesim.kpi.fold_tables import KEPT
from zonesim.plan import NOWHERE, ArrivalsBy, Plan
from zonesim.policy import sizes

Sizes = NDArray[np.int8]

UNSIZED: Final = -1
"""Of consignments without a firm of their own, and of those that another one starts, which have its firms."""


@lru_cache(maxsize=KEPT)
def size_names(plan: Plan) -> tuple[str, ...]:
    """Return the sizes that firms of a plan have, the largest first; none where all firms are alike."""
    return tuple(dict.fromkeys(sizes(plan.members["share"].tolist())))


@lru_cache(maxsize=KEPT)
def _by_member(plan: Plan) -> Sizes:
    names = size_names(plan)
    return np.array([names.index(size) for size in sizes(plan.members["share"].tolist())], dtype=np.int8)


def sizes_of(plan: Plan, key: np.uint64, source: int, first: int, after: int) -> Sizes:
    """
    Return by place in `size_names` the size of the firm of each consignment `first` to `after` - 1 of a source, the
    first of its firms where it has several; `key`: that of the run.
    """
    own = plan.sources[source]
    found: Sizes = np.full(after - first, UNSIZED, dtype=np.int8)
    if own["group"] == NOWHERE or not own["parties"] or own["arrivals"] == ArrivalsBy.SPAWNED or not size_names(plan):
        return found
    cumulative = np.ascontiguousarray(plan.members["cumulative_share"])
    draw_sizes(key, plan.source_streams["firm"][source], first, cumulative, _by_member(plan), found)
    return found
