"""How long a line needs to recover: from the end of a closing until nobody who had come before it waits any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from zonesim.kpi.numbers import NAN, Number, given
from zonesim.plan import NEVER, Ints, place_of


class Backlogs:
    """Who waits, measured or not, at each of some moments, and until when: `ends`, in ms."""

    def __init__(self, ends: Iterable[int]) -> None:
        self.found: dict[int, list[Ints]] = {end: [] for end in sorted(set(ends))}

    def take(self, visits: Ints) -> None:
        """Note of some visits, flat, those that wait at one of the moments."""
        if not self.found:
            return
        rows = visits.reshape(-1, 4)
        queued, started, ended = rows[:, 1], rows[:, 2], rows[:, 3]
        until = np.where(started == NEVER, ended, started)  # who gives up waits no longer
        for end, kept in self.found.items():
            waits = (queued < end) & ((until > end) | (until == NEVER))
            if waits.any():
                kept.append(np.column_stack([place_of(rows[waits, 0]), until[waits]]))

    def finish(self) -> dict[int, Ints]:
        """Return by moment who waits: rows of step and the time until which, NEVER where that is not known."""
        nobody = np.zeros((0, 2), dtype=np.int64)
        return {end: np.concatenate([nobody, *kept]) for end, kept in self.found.items()}


def recovered(
    backlogs: Mapping[int, Ints], ends: Sequence[int], steps: Sequence[int], unit: int, statistics: Iterable[str]
) -> list[Number]:
    """
    Return the mean and the longest time, in `unit` (ms), from each of `ends` until nobody waits at `steps` who had come
    before; withheld where somebody still does when the run ends.
    """
    spans: list[int] = []
    for end in ends:
        waits = backlogs[end]
        until = waits[np.isin(waits[:, 0], steps), 1]
        if not (until == NEVER).any():
            spans.append(int(until.max()) - end if len(until) else 0)
    missing = len(ends) - len(spans)
    told = {"mean": sum(spans) / len(spans) / unit, "longest": max(spans) / unit} if spans else {}
    return [given(told.get(name, NAN), missing, len(ends)) for name in statistics]
