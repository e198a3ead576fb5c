"""
The largest multiple of demand that an arm carries: where work in system begins to grow, or a promise to break.

Every replication has a limit of its own, found by bracketing: all replications look at the same multiples under the
same luck, first at a coarse geometric row of them, from half of the bound of the traffic equations up while something
holds and down while something is broken, then in the middle of every bracket that is wider than the tolerance. The
limit of a replication is its first crossing from what holds to what does not; between the two closest multiples the
KPI is taken to be straight. The answer is the mean of these limits with Student's interval over replications.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.analysis.bounds import Bound
from zonesim.analysis.paired import Interval, interval
from zonesim.analysis.promises import Promise

LOWEST: Final = 0.05
HIGHEST: Final = 20.0
"""Multiples beyond which nothing is looked for: an answer lies below, or above."""

TOLERANCE: Final = 0.01
"""How wide the bracket of a limit may stay, as a share of it."""

STEP: Final = math.sqrt(2)
"""From one multiple of the coarse row to the next."""

EDGE: Final = 1e-4
"""So little above the bound of the traffic equations the load is surely 1."""

WORK: Final = "work in system"
"""What breaks where it grows, beside the promises."""

SURE: Final = 0.99
MATERIAL: Final = 0.05
"""Work in system grows where the last week has more than the first, surely, and by more than this share."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Look:
    """
    What was found at one multiple of demand.

    `loaded`: resources whose load says that a line grows; nothing is run then. `values`: by the name of a promise its
    KPI by replication, nan where there was no case, an infinite number on the wrong side where it is withheld for
    too much has not ended. `first` and `last`: work in system by replication in the first and last week of the window,
    empty where the window is too short for both.
    """

    multiple: float
    loaded: tuple[str, ...] = ()
    values: Mapping[str, Floats] = field(default_factory=dict)
    first: Floats = field(default_factory=lambda: np.zeros(0))
    last: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def grows(self) -> bool:
        """Return whether work in system grows: by the loads, or by what the runs have shown."""
        if self.loaded or len(self.first) < 2:  # noqa: PLR2004  one run shows no spread
            return bool(self.loaded)
        change = interval((self.last - self.first).tolist(), SURE)
        return change.low > 0 and change.value > MATERIAL * float(self.first.mean())


@dataclass(frozen=True)
class Limit:
    """
    The multiple of demand that an arm carries.

    `multiples`: by replication; LOWEST where something is broken even there, HIGHEST where nothing breaks. `below` and
    `above`: how many replications these are. `breaks`: what breaks first, `WORK` or the name of a promise, in how many
    replications. `withheld`: promises that broke because too much had not ended to tell.
    """

    multiples: Floats
    below: int
    above: int
    breaks: Mapping[str, int]
    withheld: tuple[str, ...]

    def mean(self, level: float) -> Interval:
        """Return the mean limit with its interval; no value where some replications have none within the range."""
        n = len(self.multiples)
        if self.below or self.above:
            return Interval(math.nan, math.nan, math.nan, n)
        return interval(self.multiples.tolist(), level)

    @property
    def first(self) -> str:
        """Return what breaks first in most replications, empty where nothing does."""
        return max(self.breaks, key=lambda name: self.breaks[name]) if self.breaks else ""


def next_multiples(
    looks: Sequence[Look], promises: Sequence[Promise], bound: Bound, replications: int, tolerance: float = TOLERANCE
) -> list[float]:
    """Return the multiples to look at next, in order; none where every limit is known to the tolerance."""
    top = bound.multiple * (1 + EDGE) if math.isfinite(bound.multiple) else 2.0
    top = min(max(top, LOWEST * STEP), HIGHEST)
    if not looks:
        return [max(top / 2, LOWEST), max(top / STEP, LOWEST)]
    looks = sorted(looks, key=lambda look: look.multiple)
    multiples = [look.multiple for look in looks]
    broken = _broken(looks, promises, replications)
    brackets = [_bracket(row) for row in broken.T]
    wanted: set[float] = set()
    if any(found is None and row.all() for found, row in zip(brackets, broken.T, strict=True)):
        wanted |= {max(multiples[0] / STEP, LOWEST)} - {multiples[0]}
    if any(found is None and not row[-1] for found, row in zip(brackets, broken.T, strict=True)):
        above = multiples[-1] * (STEP if multiples[-1] >= top else min(STEP, max(top / multiples[-1], 1 + tolerance)))
        wanted |= {min(above, HIGHEST)} - {multiples[-1]}
    for found in set(brackets) - {None}:
        assert found is not None  # noqa: S101
        low, high = multiples[found], multiples[found + 1]
        if high > low * (1 + tolerance):
            wanted.add(math.sqrt(low * high))
    return sorted(wanted)


def limit_of(looks: Sequence[Look], promises: Sequence[Promise], replications: int) -> Limit:
    """Return the limit that some looks lead to, all at different multiples."""
    looks = sorted(looks, key=lambda look: look.multiple)
    broken = _broken(looks, promises, replications)
    multiples = np.zeros(replications)
    below = above = 0
    breaks: Counter[str] = Counter()
    withheld: set[str] = set()
    for replication, row in enumerate(broken.T):
        place = _bracket(row)
        if place is None:
            below, above = below + bool(row.all()), above + (not row.all())
            multiples[replication] = LOWEST if row.all() else HIGHEST
            first = _first(looks[0], promises, replication) if row.all() else ()
        else:
            multiples[replication], first = _crossing(looks[place], looks[place + 1], promises, replication)
        breaks.update(first)
        withheld |= {
            each.name
            for each in promises
            if each.name in first and np.isinf(looks[0 if place is None else place + 1].values[each.name][replication])
        }
    order = [*(each.name for each in promises), WORK]
    return Limit(
        multiples, below, above, {name: breaks[name] for name in order if breaks[name]}, tuple(sorted(withheld))
    )


def _broken(looks: Sequence[Look], promises: Sequence[Promise], replications: int) -> NDArray[np.bool_]:
    """Return by look and replication whether anything is broken."""
    found = np.zeros((len(looks), replications), dtype=bool)
    for row, look in zip(found, looks, strict=True):
        row[:] = look.grows
        for each in promises:
            if not look.loaded:
                row |= [_breaks(each, value) for value in look.values[each.name].tolist()]
    return found


def _breaks(promise: Promise, value: float) -> bool:
    """Return whether a value breaks a promise; where nobody came, nobody was let down."""
    return not math.isnan(value) and not promise.holds(value)


def _bracket(broken: NDArray[np.bool_]) -> int | None:
    """Return the place of the last look that holds before the first crossing, None where there is no crossing."""
    found = np.flatnonzero(~broken[:-1] & broken[1:])
    return int(found[0]) if len(found) else None


def _first(look: Look, promises: Sequence[Promise], replication: int) -> tuple[str, ...]:
    """Return what is broken at a look in a replication."""
    if look.loaded:
        return (WORK,)
    found = [each.name for each in promises if _breaks(each, float(look.values[each.name][replication]))]
    return (*found, *([WORK] if look.grows else []))


def _crossing(low: Look, high: Look, promises: Sequence[Promise], replication: int) -> tuple[float, tuple[str, ...]]:
    """
    Return where a replication crosses between two neighbouring looks, and what breaks first there.

    A KPI that has a number at both is taken to be straight between them. Of work that grows, or of a KPI that is
    withheld, nothing is known but that it lies between: the middle; the load alone says that its look is the limit.
    """
    middle = math.sqrt(low.multiple * high.multiple)
    if high.loaded:
        return high.multiple / (1 + EDGE), (WORK,)
    found: dict[str, float] = {WORK: middle} if high.grows else {}
    for each in promises:
        after, before = (float(look.values[each.name][replication]) for look in (high, low))
        if not _breaks(each, after):
            continue
        share = (each.limit - before) / (after - before) if math.isfinite(after) and math.isfinite(before) else math.nan
        straight = low.multiple + share * (high.multiple - low.multiple)
        found[each.name] = middle if math.isnan(share) else straight
    least = min(found.values())
    return least, tuple(name for name, multiple in found.items() if multiple <= least)
