"""Whose a consignment is, drawn again as the engine has drawn it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zonesim.compiled.jit import kernel
from zonesim.compiled.streams import uniform


@kernel
def draw_sizes(
    key: np.uint64,
    stream: np.uint64,
    first: int,
    cumulative: NDArray[np.float64],
    by_member: NDArray[np.int8],
    found: NDArray[np.int8],
) -> None:
    """Fill `found` with the sizes of the firms of consignments, as `engine.arrivals` draws these."""
    last = len(cumulative) - 1
    for place in range(len(found)):
        member = int(np.searchsorted(cumulative, uniform(key, stream, first + place, 0, 0), side="right"))
        found[place] = by_member[min(member, last)]
