"""How many wait for a resource at a time of day, day by day: what is left over when the day's work should be done."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zonesim.kpi.scopes import Scopes
from zonesim.plan import NEVER, Ints, Plan, place_of
from zonesim.units import DAY


def instants(plan: Plan, at: int) -> tuple[int, int]:
    """Return the first day with a time of day (ms) inside the window, and the first one behind it; equal for none."""
    begin, end = int(plan.window[0]), int(plan.window[1])
    return -((at - begin) // DAY), max(-((at - end) // DAY), -((at - begin) // DAY))


class DailyBacklog:
    """
    Tokens that wait for each limited resource at some times of day, by day of the window.

    Who waits at an instant has joined the line at it or before, and gets the units, or gives up, after it; those whose
    work is interrupted wait too, as in the queue. A token that may take one of several resources waits for all of them.
    """

    def __init__(self, plan: Plan, scopes: Scopes, times: Sequence[int]) -> None:
        """Look at some times of day (ms) of a plan."""
        self.horizon = int(plan.window[2])
        self.times = {at: instants(plan, at) for at in times}
        place_of = {resource: place for place, resource in enumerate(scopes.limited)}
        own: list[list[int]] = [
            sorted({place_of[each] for each in step.resources if each in place_of})
            if not (step.is_leave or step.is_kept)
            else []
            for step in plan.names.steps
        ]
        self.counts = np.array([*map(len, own), 0], dtype=np.int64)
        """By step, for how many limited resources its visits wait."""
        self.places = np.array([place for places in own for place in places], dtype=np.int64)
        self.firsts = np.cumsum([0, *map(len, own)], dtype=np.int64)
        self.changes = {
            at: np.zeros((len(scopes.limited), last - first + 1), dtype=np.int64)
            for at, (first, last) in self.times.items()
        }

    def take(self, visits: Ints) -> None:
        """Count the waits of some visits, rows of (key, queued, started, ended)."""
        for at in self.times:
            # Of a million rows a few are there at an instant: these are picked out before anything else is asked.
            passed = (visits[:, 2] - (at + 1)) // DAY != (visits[:, 1] - (at + 1)) // DAY
            passed |= visits[:, 2] == NEVER
            if passed.any():
                self._count(at, visits[passed])

    def _count(self, at: int, visits: Ints) -> None:
        first, last = self.times[at]
        steps, queued, started, ended = place_of(visits[:, 0]), visits[:, 1], visits[:, 2], visits[:, 3]
        until = np.where(started != NEVER, started, np.where(ended != NEVER, ended, self.horizon))
        since, before = (np.clip(-((at - time) // DAY), first, last) - first for time in (queued, until))
        counts = np.where(before > since, self.counts[steps], 0)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        places = self.places[np.repeat(self.firsts[steps], counts) + within]
        np.add.at(self.changes[at], (places, np.repeat(since, counts)), 1)
        np.add.at(self.changes[at], (places, np.repeat(before, counts)), -1)

    def days(self, place: int, at: int) -> NDArray[np.int64]:
        """Return by day of the window how many wait at a time of day for the limited resource at a place."""
        found: NDArray[np.int64] = self.changes[at][place].cumsum()[:-1]
        return found
