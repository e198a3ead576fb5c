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

from collections.abc import Sequence
from typing import Final

import numpy as np

from zonesim.kpi.consignment_table import Spans
from zonesim.plan import Ints

MOST_MISSING: Final = 0.01
"""Largest share of values that are missing, or undecided, with which a number is still given."""

_NAN: Final = float("nan")


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
    known = zeros + len(spans)
    found = _type_7(spans.copy(), zeros, known + len(followed), shares)
    if not len(followed):
        return found
    small = followed.max() <= np.iinfo(spans.dtype).max  # where they fit, the copy of all is half as large
    longer = followed.astype(spans.dtype) if small else followed
    least = _type_7(np.concatenate([spans, longer]), zeros, known + len(followed), shares)
    return [value if value - lower <= MOST_MISSING * value else _NAN for value, lower in zip(found, least, strict=True)]


def _type_7(spans: Spans, zeros: int, count: int, shares: Sequence[float]) -> list[float]:
    """
    Return quantiles of `zeros` times 0, `spans` and longer values, `count` in all; nan among the longer values. Brings
    `spans` into another order.
    """
    known = zeros + len(spans)
    places: list[tuple[int, int, float]] = []
    for q in shares:
        place = q * (count - 1)
        low = int(place)
        high = min(low + 1, count - 1) if place > low else low
        places.append((low, high, place - low))
    if any(zeros <= high and low < known for low, high, _ in places):
        spans.sort()  # by vector instructions, in a tenth of the time that choosing a few ranks takes

    def value(rank: int) -> int:
        return int(spans[rank - zeros]) if rank >= zeros else 0

    return [
        value(low) + rest * (value(high) - value(low)) if count and high < known else _NAN for low, high, rest in places
    ]


def quantile(spans: Spans, followed: Ints, q: float) -> float:
    """Return one quantile of `spans` and one value beyond each of `followed` (ms), as `quantiles` does."""
    return quantiles(spans, 0, followed, [q])[0]


def told_until(followed: Ints, count: int) -> float:
    """Return up to which duration (ms) the distribution of `count` durations is known; all of it: infinite."""
    spare = int(MOST_MISSING * count)
    return float(np.partition(followed, spare)[spare]) if len(followed) > spare else float("inf")
