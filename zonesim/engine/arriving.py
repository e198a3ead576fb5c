"""Who arrives when, and with which firm and class: pure functions of seed, replication and ordinal."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import count

import numpy as np
from numpy.typing import NDArray

from zonesim.engine.arithmetic import log
from zonesim.engine.streams import uniform
from zonesim.faults import RunFault
from zonesim.plan.operations import NOWHERE
from zonesim.plan.plan import Plan
from zonesim.plan.records import LARGEST_ORDINAL


def arrival_times(plan: Plan, source: int, key: np.uint64) -> Iterator[int]:
    """
    Yield the arrival times (ms) of a source up to the end of the run.

    Rates: the expected number of arrivals grows by an exponential step of mean 1 and is inverted exactly through the
    piecewise-constant rate, so the rate at the candidate time decides (Çinlar's inversion).
    """
    _, listed, first, rows, *_ = (int(value) for value in plan.sources[source])
    if listed:
        yield from (int(time) for time in plan.times[first : first + rows] if time < plan.horizon)
        return
    table = plan.rates[first : first + rows]
    begins = [float(value) for value in table[:, 0]]
    rates = [float(value) for value in table[:, 1]]
    before = [float(value) for value in table[:, 2]]
    stream = plan.source_streams[source, 0]
    expected = 0.0
    for ordinal in count():
        if ordinal > LARGEST_ORDINAL:
            message = f"traffic '{plan.names.sources[source]}' has more than {LARGEST_ORDINAL + 1} arrivals"
            raise RunFault(message)
        expected -= log(uniform(key, stream, ordinal, 0, 0))
        row = bisect_right(before, expected) - 1
        if rates[row] == 0.0:
            return
        time = begins[row] + (expected - before[row]) / rates[row]
        if not time < plan.horizon - 0.5:
            return
        yield int(time + 0.5)


class Population:
    """
    The firms of a plan: which firms adopt which practice in this replication, and which firms a consignment belongs
    to.
    """

    def __init__(self, plan: Plan, key: np.uint64) -> None:
        self.plan = plan
        self.key = key
        self.cumulative = [float(value) for value in plan.members[:, 1]]
        self.classes = [int(value) for value in plan.members[:, 2]]
        self.flags = self._adopters()

    def _adopters(self) -> list[int]:
        """
        Return the adoption flags of each firm.

        Firms adopt in an order drawn once a replication. A firm is in when the middle of its slice of the volume
        (or of the number of firms) lies within the share, so that the expected share is met however large single
        firms are.
        """
        firms = len(self.classes)
        flags = [0] * firms
        for row, (flag, _, by_number) in enumerate(self.plan.adoptions.tolist()):
            stream = self.plan.adoption_streams[row]
            order = sorted(range(firms), key=lambda firm: (uniform(self.key, stream, firm, 0, 0), firm))
            begun = 0.0
            for firm in order:
                weight = 1 / firms if by_number else float(self.plan.members[firm, 0])
                if begun + weight / 2 <= float(self.plan.adoption_shares[row]):
                    flags[firm] |= 1 << flag
                begun += weight
        return flags

    def describe(self, source: int, ordinal: int) -> tuple[int, int, int]:
        """Return class, adoption flags and first firm (-1: none) of a consignment; it adopts what all its firms do."""
        _, _, _, _, group, parties, fixed, mix = self.plan.sources[source].tolist()
        klass, flags, first = max(fixed, 0), 0, NOWHERE
        if group != NOWHERE:
            stream = self.plan.source_streams[source, 1]
            firms = [
                min(bisect_right(self.cumulative, uniform(self.key, stream, ordinal, 0, party)), len(self.classes) - 1)
                for party in range(parties)
            ]
            first = firms[0]
            flags = self.flags[first]
            for firm in firms[1:]:
                flags &= self.flags[firm]
            if fixed == NOWHERE and mix == NOWHERE:
                klass = self.classes[first]
        if mix != NOWHERE:
            shares: NDArray[np.float64] = self.plan.mixes[mix]
            drawn = uniform(self.key, self.plan.source_streams[source, 2], ordinal, 0, 0)
            klass = min(int(np.searchsorted(shares, drawn, side="right")), len(shares) - 1)
        return klass, flags, first
