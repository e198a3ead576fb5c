"""Several arms compared at once: limits that hold together, and what is sure alone but not together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from zonesim.analysis import Difference
from zonesim.briefing.text.words import CHINESE, ENGLISH

MOST_NAMED: Final = 6
"""So many differences are named that are sure alone, but not together."""

Told = tuple[str, Difference]
"""What a difference is called, and the difference."""


def together_cells(difference: Difference | None) -> list[float]:
    """Return the limits of a difference that hold together with those of the other arms: its own where it is alone."""
    if difference is None:
        return [math.nan, math.nan]
    return [difference.low, difference.high] if difference.arms == 1 else list(difference.together)


def together_lines(told: Iterable[Told]) -> list[str]:
    """
    Return in both languages how many differences are surely not 0 by themselves, and how many of them together with
    those of the other arms; no line where no two arms are compared to a baseline.
    """
    known: Sequence[Told] = [(name, each) for name, each in told if each.arms > 1]
    if not known:
        return []
    sure = [(name, each) for name, each in known if each.is_sure]
    lost = [name for name, each in sure if not each.is_sure_together]
    most = max(each.arms for _, each in known)
    values = {"arms": most, "sure": len(sure), "together": len(sure) - len(lost), "n": len(sure)}
    lines = [say("together.told", **values) for say in (ENGLISH, CHINESE)]
    if lost:
        shown, more = lost[:MOST_NAMED], len(lost) - MOST_NAMED
        named = [*shown, *([f"+{more}"] if more > 0 else [])]
        lines += [say("together.lost", names=say.listed(named)) for say in (ENGLISH, CHINESE)]
    return lines
