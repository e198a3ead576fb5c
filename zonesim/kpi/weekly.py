"""How many are there, hour by hour: time spent in groups of places inside the window, folded block by block."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.kpi.folding import occupy
from zonesim.plan import Ints, Plan
from zonesim.units import DAY, HOUR, WEEK

WEEK_HOURS: Final = 168


def growth_weeks(plan: Plan) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """
    Return the first and the last part of the window that can be compared to see whether work in system grows, each as
    (begin, end) in ms: whole weeks, or so many days as lie in the window on both ends of a whole week, for the days of
    a week differ. None where the window has less than eight days, or ends empty.
    """
    begin, end = int(plan.window[0]), int(plan.window[1])
    part = min(WEEK, end - begin - WEEK) // DAY * DAY
    if part <= 0 or plan.terminates:
        return None
    apart = (end - begin - part) // WEEK * WEEK
    return (begin, begin + part), (begin + apart, begin + apart + part)


class Occupancy:
    """
    Token-ms (or unit-ms) of each group in each hour of the window.

    A stay adds to the hours that it touches in constant time: only where it begins and ends is noted, as full hours
    before that point and a rest within its hour. `cells` holds both, as `folding` reads them.
    """

    def __init__(self, groups: int, begin: int, end: int) -> None:
        self.begin, self.end = begin, end
        self.base = begin // HOUR
        self.hours = max(-(-end // HOUR) - self.base, 0)
        self.cells = np.zeros(max(groups, 1) * (self.hours + 1) * 2, dtype=np.int64)
        self.groups = groups

    def add(self, group: Ints, start: Ints, stop: Ints, units: Ints) -> None:
        """Add stays clipped to the window, all arrays of the length of `group` (-1: in no group)."""
        occupy(self.cells, self.hours + 1, self.base, group, start, stop, units)

    def by_hour(self) -> Ints:
        """Return ms by group and hour of the window; the first hour is the one in which the window begins."""
        points, rests = np.moveaxis(self.cells.reshape(-1, self.hours + 1, 2)[: self.groups], 2, 0)
        later = points[:, ::-1].cumsum(axis=1)[:, ::-1]
        found: Ints = HOUR * later[:, 1:] + rests[:, :-1]
        return found

    def folded(self, period: int) -> Ints:
        """Return ms by group and hour of a period (24: of the day; 168: of the run's weeks, its first hour first)."""
        found = np.zeros((period, self.groups), dtype=np.int64)
        np.add.at(found, (self.base + np.arange(self.hours)) % period, self.by_hour().T)
        return found.T

    def means(self, period: int) -> NDArray[np.float64]:
        """Return the mean number by group and hour of a period, nan where the window has no such hour."""
        window = Occupancy(1, self.begin, self.end)
        edges = np.array([self.begin]), np.array([self.end])
        window.add(np.zeros(1, dtype=np.int64), *edges, np.ones(1, dtype=np.int64))
        with np.errstate(invalid="ignore", divide="ignore"):
            found: NDArray[np.float64] = self.folded(period) / window.folded(period)
        return found
