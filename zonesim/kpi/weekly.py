"""How many are there, hour by hour: time spent in groups of places inside the window, folded block by block."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.plan.records import Ints
from zonesim.units import HOUR

WEEK_HOURS: Final = 168


class Occupancy:
    """
    Token-ms (or unit-ms) of each group in each hour of the window.

    A stay adds to the hours that it touches in constant time: only where it begins and ends is noted, as full hours
    before that point and a rest within its hour.
    """

    def __init__(self, groups: int, begin: int, end: int) -> None:
        self.begin, self.end = begin, end
        self.base = begin // HOUR
        self.hours = max(-(-end // HOUR) - self.base, 0)
        shape = (groups, self.hours + 1)
        self.points = np.zeros(shape, dtype=np.int64)
        self.rests = np.zeros(shape, dtype=np.int64)

    def add(self, group: Ints, start: Ints, stop: Ints, units: Ints | int = 1) -> None:
        """Add stays clipped to the window, all arrays of the length of `group` (-1: in no group)."""
        real = (group >= 0) & (stop > start)
        where = group[real]
        amount = np.broadcast_to(np.asarray(units, dtype=np.int64), group.shape)[real]
        for time, sign in ((stop[real], amount), (start[real], -amount)):
            hour, rest = time // HOUR, time % HOUR
            np.add.at(self.points, (where, hour - self.base), sign)
            np.add.at(self.rests, (where, hour - self.base), sign * rest)

    def by_hour(self) -> Ints:
        """Return ms by group and hour of the window; the first hour is the one in which the window begins."""
        later = self.points[:, ::-1].cumsum(axis=1)[:, ::-1]
        found: Ints = HOUR * later[:, 1:] + self.rests[:, :-1]
        return found

    def folded(self, period: int) -> Ints:
        """Return ms by group and hour of a period (24: of the day; 168: of the run's weeks, its first hour first)."""
        found = np.zeros((period, len(self.points)), dtype=np.int64)
        np.add.at(found, (self.base + np.arange(self.hours)) % period, self.by_hour().T)
        return found.T

    def means(self, period: int) -> NDArray[np.float64]:
        """Return the mean number by group and hour of a period, nan where the window has no such hour."""
        window = Occupancy(1, self.begin, self.end)
        edges = np.array([self.begin]), np.array([self.end])
        window.add(np.zeros(1, dtype=np.int64), *edges)
        with np.errstate(invalid="ignore", divide="ignore"):
            found: NDArray[np.float64] = self.folded(period) / window.folded(period)
        return found
