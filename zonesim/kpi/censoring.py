"""
What can be said of durations of which some have not ended when the run ends.

The unfinished ones are the long ones, so a mean of the others is too low, and the more so the more is missing: it is
withheld where more than `MOST_MISSING` of its values are missing. Of those that are missing it is known that they are
longer than they have been followed. So a quantile lies between that of the ended durations with the missing ones as
they have been followed, and that with these beyond all others, which is what is given; where the two are further apart
than `MOST_MISSING`, or the second is among the missing, it is withheld. Of a share within a time the same is true:
those followed for longer are decided, and where more than `MOST_MISSING` are not, it is withheld.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from zonesim.kpi.consignment_table import Spans
from zonesim.plan import Ints

MOST_MISSING: Final = 0.01
"""Largest share of values that are missing, or undecided, with which a number is still given."""

_NAN: Final = float("nan")
_SORTED: Final = 1 << 17
"""As many values are sorted at a time."""
_FIRST_BITS: Final = 16


def too_many(undecided: int, count: int) -> bool:
    """Return whether so many of `count` values are not known that nothing is said of them."""
    return undecided > MOST_MISSING * count


def share_within(spans: Spans, followed: Ints, limit: int, zeros: int = 0, others: int = 0) -> tuple[float, int]:
    """
    Return the share of durations of at most `limit`, of those that have ended (`zeros` of 0 and `spans`), those that
    have not but were `followed` for so long (all ms), and `others` that never will; and how many may yet end within it.
    nan for no durations.
    """
    count = zeros + len(spans) + len(followed) + others
    if not count:
        return _NAN, 0
    # Nothing ends at the last instant of a run: who was followed for just so long may end then.
    return (zeros + int(np.count_nonzero(spans <= limit))) / count, int(np.count_nonzero(followed <= limit))


def quantiles(spans: Spans, zeros: int, followed: Ints, shares: Sequence[float]) -> list[float]:
    """
    Return type 7 quantiles of `zeros` times 0, `spans` (not negative), and one value beyond each of `followed` (ms).

    nan where one falls among the values that are not known, or depends on how far beyond they are.
    """
    count = zeros + len(spans) + len(followed)
    found = _type_7([spans], zeros, count, shares)
    if not len(followed):
        return found
    least = _type_7([spans, followed], zeros, count, shares)
    return [value if value - lower <= MOST_MISSING * value else _NAN for value, lower in zip(found, least, strict=True)]


def _type_7(parts: Sequence[Spans], zeros: int, count: int, shares: Sequence[float]) -> list[float]:
    """Return quantiles of `zeros` times 0, `parts` and longer values, `count` in all; nan among the longer values."""
    known = zeros + sum(map(len, parts))
    places: list[tuple[int, int, float]] = []
    for q in shares:
        place = q * (count - 1)
        low = int(place)
        high = min(low + 1, count - 1) if place > low else low
        places.append((low, high, place - low))
    asked = {rank for low, high, _ in places if high < known for rank in (low, high) if rank >= zeros}
    values = _at_ranks(parts, zeros, asked)

    def value(rank: int) -> int:
        return values[rank] if rank >= zeros else 0

    return [
        value(low) + rest * (value(high) - value(low)) if count and high < known else _NAN for low, high, rest in places
    ]


def _at_ranks(parts: Sequence[Spans], zeros: int, ranks: Collection[int]) -> dict[int, int]:
    """
    Return by rank the values that stand there, of `zeros` times 0 and `parts` in order; no rank is below `zeros`.

    Many are counted by their first bits, and only those that share them with one asked for are sorted.
    """
    if not ranks:
        return {}
    if sum(map(len, parts)) <= _SORTED:
        ordered = np.concatenate(parts)
        ordered.sort()  # by vector instructions, in a tenth of the time that choosing a few ranks takes
        return {rank: int(ordered[rank - zeros]) for rank in ranks}
    slices = [part[first : first + _SORTED] for part in parts for first in range(0, len(part), _SORTED)]
    shift = max(max(int(each.max()) for each in slices).bit_length() - _FIRST_BITS, 0)
    counts = np.zeros(1 << _FIRST_BITS, dtype=np.int64)
    for each in slices:
        counts += np.bincount(each >> shift, minlength=len(counts))
    after = zeros + counts.cumsum()
    found: dict[int, int] = {}
    for bits in {int(np.searchsorted(after, rank, side="right")) for rank in ranks}:
        same = np.concatenate([each[each >> shift == bits] for each in slices])
        same.sort()
        first = int(after[bits]) - len(same)
        found |= {rank: int(same[rank - first]) for rank in ranks if first <= rank < after[bits]}
    return found


def quantile(spans: Spans, followed: Ints, q: float) -> float:
    """Return one quantile of `spans` and one value beyond each of `followed` (ms), as `quantiles` does."""
    return quantiles(spans, 0, followed, [q])[0]


def told_until(followed: Ints, count: int) -> float:
    """Return up to which duration (ms) the distribution of `count` durations is known; all of it: infinite."""
    spare = int(MOST_MISSING * count)
    return float(np.partition(followed, spare)[spare]) if len(followed) > spare else float("inf")
