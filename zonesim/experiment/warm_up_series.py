"""The number inside over a whole run, from its very start on: what a warm-up is judged by."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zonesim.engine import simulate
from zonesim.plan import NEVER, Block, Ints, Plan, place_of
from zonesim.units import WEEK


@dataclass
class _Stays:
    """A sink that keeps when the consignments of each flow arrived and left (never: when the run ends)."""

    plan: Plan
    begun: dict[str, list[Ints]] = field(default_factory=dict)
    ended: dict[str, list[Ints]] = field(default_factory=dict)

    def take(self, block: Block) -> None:
        """Note the stays that a block tells of."""
        step = place_of(block.visits["key"])
        for number, name in enumerate(self.plan.names.steps):
            if name.is_leave and len(name.path) == 1:  # children end below a step
                rows = block.visits[step == number]
                self.begun.setdefault(name.flow, []).append(rows["queued"])
                ended = np.where(rows["ended"] == NEVER, self.plan.horizon, rows["ended"])
                self.ended.setdefault(name.flow, []).append(ended)


def rhythm(plan: Plan) -> int | None:
    """Return after how long (ms) arrivals and opening hours repeat: a week, or None where they never change."""
    changes = any(len(plan.rates_of(source)) > 1 for source in range(len(plan.sources)))
    shifts = (plan.resources["changes"] > 1).any()
    return WEEK if changes or shifts or len(plan.calendars) else None


def inside_from_start(plan: Plan, *, seed: int, replications: int, step: int) -> dict[str, NDArray[np.float64]]:
    """
    Return, by flow, how many consignments are inside on average in each whole `step` ms from the start to the end of
    the measured window, averaged over replications (numbered from 0). Raises RunFault when a run cannot go on.
    """
    edges = np.arange(0, plan.end + 1, step, dtype=np.int64)
    found: dict[str, NDArray[np.float64]] = {}
    for replication in range(replications):
        stays = _Stays(plan)
        simulate(plan, seed, replication, stays)
        for flow, begun in stays.begun.items():
            spent = _passed(np.concatenate(begun), edges) - _passed(np.concatenate(stays.ended[flow]), edges)
            found[flow] = found.get(flow, np.zeros(len(edges) - 1)) + np.diff(spent) / step / replications
    return found


def _passed(instants: Ints, edges: Ints) -> NDArray[np.float64]:
    """Return, for each edge, the time (ms) that has passed since the instants before it, added up."""
    ordered = np.sort(instants)
    before = np.searchsorted(ordered, edges, side="right")
    total = np.concatenate([[0], ordered.cumsum()])[before]
    return np.asarray(before * edges - total, dtype=np.float64)
