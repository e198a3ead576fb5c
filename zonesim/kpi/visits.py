"""KPIs of visits: waits, services and their counts, over all steps and gate directions at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from zonesim.kpi import fold_layout as f
from zonesim.kpi.censoring import MOST_MISSING
from zonesim.kpi.numbers import NOBODY, Durations, Floats, joined
from zonesim.kpi.prepared import Pools, VisitColumn
from zonesim.kpi.reducer import Columns
from zonesim.plan import Ints
from zonesim.scenario.kpis import limit_of, quantile_of
from zonesim.units import DAY

_SUMS: Final = np.array(
    [
        f.COUNT,
        f.WAIT,
        f.SERVICE,
        f.OPEN,
        f.OPEN_WAIT,
        f.STILL_WAIT,
        f.GAVE_UP,
        f.GAVE_UP_WAIT,
        f.GAVE_UP_WAITED,
    ],
    dtype=np.int64,
)


@dataclass(frozen=True)
class Visits:
    """
    Of visits of measured tokens by pool, ms and numbers: `started`, sums of their waits and services, how many of them
    are `open` and what these waited, how many `still` wait, how many gave up, what these waited and how many of them
    did, and how many `waited` before they started.
    """

    started: Ints
    wait: Ints
    service: Ints
    open: Ints
    open_wait: Ints
    still: Ints
    gave_up: Ints
    gave_up_wait: Ints
    gave_up_waited: Ints
    waited: Ints

    @property
    def all(self) -> Ints:
        """Return how many visits there are: with units in hand or behind them, still waiting, or given up."""
        return self.started + self.still + self.gave_up


class VisitNumbers:
    """The numbers of the visits of one run."""

    def __init__(self, pools: Pools, columns: Columns, window: int, horizon: int) -> None:
        self.pools = pools
        self.columns = columns
        self.days = window / DAY
        self.horizon = horizon
        self.visits = self._summed()
        self._durations: dict[tuple[int, str], Durations] = {}

    def tell_all(self, columns: Sequence[VisitColumn]) -> list[tuple[Floats, Floats]]:
        """Return what `tell` does of each column, and give up the waits, which nobody needs any longer."""
        told = [self.tell(column) for column in columns]
        self._durations = {}
        self.columns.waits.give_up()
        return told

    def _summed(self) -> Visits:
        sums = np.zeros((_SUMS.size + 1, len(self.pools.rows)), dtype=np.int64)
        if self.pools.empty:
            counts = np.array(self.columns.waits.counts, dtype=np.int64)[self.pools.flat]
            parts = np.column_stack([self.columns.steps[self.pools.flat][:, _SUMS], counts])
            sums[:, : self.pools.empty] = np.add.reduceat(parts, self.pools.starts, axis=0).T
        return Visits(*sums)

    def tell(self, column: VisitColumn) -> tuple[Floats, Floats]:
        """Return, by subject, a statistic of visits, and where it is withheld the share that is missing, else 0."""
        q, limit = quantile_of(column.statistic), limit_of(column.statistic)
        if q is not None:
            values, missing = self._quantile(column, q)
        elif limit is not None:
            values, missing = self._within(column, limit[2])
        else:
            values, unknown, count = self._sums(column)
            withheld = unknown > MOST_MISSING * count
            with np.errstate(invalid="ignore", divide="ignore"):
                missing = np.where(withheld, unknown / count, 0.0)
            values = np.where(withheld, np.nan, values)
        return values[column.pools], missing[column.pools]

    def _quantile(self, column: VisitColumn, q: float) -> tuple[Floats, Floats]:
        """Return a quantile by pool; of waits those of which it falls among the zeros are told without a look."""
        own, what = self.visits, _what(column)
        zeros, place = own.started - own.waited, q * (own.started - 1)
        among = (np.ceil(place) < zeros) & (own.still == 0) & (what == "wait")
        values, missing = np.where(among, 0.0, np.nan), np.zeros(len(among))
        for pool in np.unique(column.pools[(~among & (own.started + own.still > 0))[column.pools]]).tolist():
            ((values[pool], missing[pool]),) = self.durations(pool, what).tell([column.statistic], column.unit)
        return values, missing

    def _within(self, column: VisitColumn, limit: int) -> tuple[Floats, Floats]:
        """
        Return by pool the share of visits that got the units, or ended, within a time; who gave up did not, and has no
        time of service.
        """
        what = _what(column)
        gave_up = self.visits.gave_up * (what != "service")
        values, missing = np.full(len(self.pools.rows), np.nan), np.zeros(len(self.pools.rows))
        for pool in np.unique(column.pools).tolist():
            values[pool], missing[pool] = self.durations(pool, what).within(limit, int(gave_up[pool]))
        return values, missing

    def _sums(self, column: VisitColumn) -> tuple[Floats, Ints, Ints]:
        """Return, by pool, a statistic that sums tell, how many of its cases are not known, and how many there are."""
        own = self.visits
        match column.kind.removeprefix("visits "), column.statistic:
            case "wait" | "interruption", "mean":
                return self._mean(own.wait, own.started, own.still, column.unit)
            case "wait_all", "mean":
                return self._mean(own.wait + own.gave_up_wait, own.started + own.gave_up, own.still, column.unit)
            case "service", "mean":
                return self._mean(own.service, own.started - own.open, own.open + own.still, column.unit)
            case "stay", "mean":
                stays = own.wait - own.open_wait + own.service
                return self._mean(stays, own.started - own.open, own.open + own.still, column.unit)
            case "gave_up", _:
                return _share(own.gave_up, own.all), own.still, own.all
            case "open", _:
                return _known(_share(own.open + own.still, own.all))
            case "wait", _:  # nothing is missing: who still waits when the run ends has waited
                return _known(_share(own.waited + own.still + own.gave_up_waited, own.all))
            case "interruption", _:
                return _known((own.started + own.still) / self.days)
            case _:
                return _known(own.all / self.days)

    @staticmethod
    def _mean(total: Ints, ended: Ints, missing: Ints, unit: int) -> tuple[Floats, Ints, Ints]:
        return _share(total, ended) / unit, missing, ended + missing

    def durations(self, pool: int, what: str = "wait") -> Durations:
        """
        Return the waits of those who got the units, or their services or stays, and for how long those were followed
        that have not ended when the run does.
        """
        if (pool, what) not in self._durations:
            own, rows = self.visits, self.pools.rows[pool]
            ended = int(own.started[pool])
            if what != "wait" and len(rows):
                rows = tuple((self.columns.steps[list(rows), int(f.SAMPLES)] + (what == "stay")).tolist())
                ended -= int(own.open[pool])
            waits = self.columns.waits
            kept = joined([waits.of(row) for row in rows]) if ended else np.zeros(0, dtype=np.int32)
            followed = self.horizon - np.concatenate([NOBODY, *(waits.queued(row) for row in rows)])
            self._durations[pool, what] = Durations(kept, followed, ended - len(kept))
        return self._durations[pool, what]


def _what(column: VisitColumn) -> str:
    """Return which time of a visit a column tells: `wait`, `service` or `stay`."""
    return column.kind.removeprefix("visits ")


def _share(part: Ints, whole: Ints) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(whole > 0, part / whole, np.nan)
    return found


def _known(values: Floats) -> tuple[Floats, Ints, Ints]:
    nothing = np.zeros(len(values), dtype=np.int64)
    return values, nothing, nothing
