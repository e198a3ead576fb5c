"""
The smallest numbers of units that together hold what was promised: raised until it holds, then lowered while it does.

From a floor, below which the load of a resource is 1 or more, the resource that binds is raised, by more each time
that it binds again, until everything holds; then each in turn is lowered as far as it goes with the others as they
are, until none goes any further. What comes out is locally minimal: one unit fewer of any breaks something, while
another mixture may have fewer units in all. More units are taken never to do harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.analysis.capacity import WORK, Look
from zonesim.analysis.paired import interval
from zonesim.analysis.promises import Promise

MOST_UNITS: Final = 10_000
"""More units of a resource are not tried."""

Sizes = dict[str, int]


@dataclass(frozen=True)
class Verdict:
    """What became of some sizes: what is `broken` (nothing: they hold), and what binds, the first one first."""

    broken: tuple[str, ...]
    binding: tuple[str, ...] = ()


@dataclass
class Sizing:
    """
    A search for the smallest sizes. `floor`: least number of units by resource. `look`: what becomes of some sizes.

    `found` is None where no sizes hold: `stuck` says then what is broken whatever the units.
    """

    floor: Mapping[str, int]
    look: Callable[[Sizes], Verdict]
    found: Sizes | None = None
    stuck: tuple[str, ...] = ()
    seen: dict[tuple[int, ...], Verdict] = field(default_factory=dict)

    def go(self) -> None:
        """Search."""
        sizes = self._raised(dict(self.floor))
        if sizes is None:
            return
        before: Sizes = {}
        while sizes != before:
            before = dict(sizes)
            for name in sizes:
                sizes[name] = self._lowered(sizes, name)
        self.found = sizes

    def verdict(self, sizes: Sizes) -> Verdict:
        """Return what becomes of some sizes, looked at once."""
        key = tuple(sizes[name] for name in self.floor)
        if key not in self.seen:
            self.seen[key] = self.look(dict(sizes))
        return self.seen[key]

    def _raised(self, sizes: Sizes) -> Sizes | None:
        """Return sizes that hold, raised from some; None where raising does not help any more."""
        steps = dict.fromkeys(sizes, 1)
        while (verdict := self.verdict(sizes)).broken:
            name = next((each for each in verdict.binding if each in sizes and sizes[each] < MOST_UNITS), None)
            if name is None:
                self.stuck = verdict.broken
                return None
            sizes[name] = min(sizes[name] + steps[name], MOST_UNITS)
            steps[name] *= 2
        return sizes

    def _lowered(self, sizes: Sizes, name: str) -> int:
        """Return the smallest number of a resource that holds with the others as they are, by halving."""
        low, high = self.floor[name] - 1, sizes[name]  # `high` holds, `low` does not, or is below the floor
        while high - low > 1:
            middle = (low + high) // 2
            if self.verdict({**sizes, name: middle}).broken:
                low = middle
            else:
                high = middle
        return high


def broken_at(look: Look, promises: Sequence[Promise], level: float) -> tuple[str, ...]:
    """
    Return what is broken at a look: work that grows, and promises that the KPI keeps only on average: its confidence
    limit on the wrong side has to keep them too. Of one replication there is the value alone.
    """
    if look.grows:
        return (WORK,)
    return tuple(each.name for each in promises if not _surely_held(each, look.values[each.name], level))


def _surely_held(promise: Promise, values: NDArray[np.float64], level: float) -> bool:
    given = values[~np.isnan(values)]
    if not len(given):
        return True  # nobody came, nobody was let down
    if np.isinf(given).any():
        return False
    found = interval(given.tolist(), level)
    limit = found.value if found.n == 1 else found.high if promise.most else found.low
    return promise.holds(limit)
