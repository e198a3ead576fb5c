"""
The fitted scenario beside the log that it came from: arrivals and times by hour of the day, simulated and as logged.

Both are counted alike: over the days of the week that the log has, each with the same weight, by the hour of arrival.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.engine import simulate
from zonesim.fitting.arrivals import DAY_HOURS, SMALLEST_CELL, WEEK_DAYS
from zonesim.fitting.fragment import entry_name
from zonesim.fitting.job import Fit
from zonesim.fitting.log import UNKNOWN
from zonesim.plan import Block, Plan, compile_plan, number_of, place_of, rows_where, source_of
from zonesim.policy import baseline, load_world, resolve
from zonesim.units import DAY, HOUR

Numbers = NDArray[np.float64]

ENOUGH: Final = 20_000
MOST_RUNS: Final = 10
"""Replications are run until so many vehicles are expected, but no more than so many."""

SURE: Final = 3.0
"""An hour differs by more than chance from so many standard errors of the log's count on."""


@dataclass(frozen=True)
class Beside:
    """
    One direction of the gate (all of it where the log has none), by hour of the day.

    `logged`, `modelled`: vehicles an hour; `error`: standard error of the logged ones. `logged_ms`, `modelled_ms`:
    mean time in to time out of those who came in that hour. nan: fewer than SMALLEST_CELL rows, or not known. Vehicles
    a day and the mean times are over all hours.
    """

    way: str
    direction: str
    logged: Numbers
    error: Numbers
    modelled: Numbers
    logged_ms: Numbers
    modelled_ms: Numbers
    logged_a_day: float
    modelled_a_day: float
    logged_mean_ms: float
    modelled_mean_ms: float

    @property
    def apart(self) -> list[int]:
        """Return the hours in which the arrivals differ by more than chance."""
        with np.errstate(invalid="ignore"):
            far = np.abs(self.modelled - self.logged) > SURE * self.error
        return [int(hour) for hour in np.flatnonzero(far)]


@dataclass(frozen=True)
class Check:
    """The fitted scenario beside its log, by direction; `runs` replications of `weeks` weeks each."""

    ways: list[Beside]
    runs: int
    weeks: int


class _Hours:
    """Folds a run into counts and times by entry, weekday and hour of arrival."""

    def __init__(self, plan: Plan) -> None:
        leaves = plan.program["step"][rows_where(plan.program, lambda facts: facts.ends)]
        self.leaves = np.unique(leaves)
        self.begin, self.end = plan.begin, plan.end
        shape = (len(plan.names.sources), WEEK_DAYS * DAY_HOURS)
        self.counts, self.times = np.zeros(shape), np.zeros(shape)

    def take(self, block: Block) -> None:
        """Fold one more block."""
        keys, came, left = (block.visits[column] for column in ("key", "queued", "ended"))
        mine = np.isin(place_of(keys), self.leaves) & (came >= self.begin) & (came < self.end)
        sources, hours = source_of(number_of(keys[mine])), came[mine] // HOUR % (WEEK_DAYS * DAY_HOURS)
        np.add.at(self.counts, (sources, hours), 1)
        np.add.at(self.times, (sources, hours), (left - came)[mine])


def put_beside(fit: Fit, scenario: Path) -> Check:
    """
    Run the fitted scenario in `scenario` and return it beside the log.

    Raises ScenarioFault or RunFault when it cannot be run.
    """
    plan = compile_plan(resolve(world := load_world(scenario), baseline(world)))
    weeks = max((plan.end - plan.begin) // (WEEK_DAYS * DAY), 1)
    a_run = sum(group.arrivals.rate for group in fit.groups) * WEEK_DAYS * weeks
    runs = min(max(math.ceil(ENOUGH / max(a_run, 1.0)), 1), MOST_RUNS)
    folded = _Hours(plan)
    for replication in range(runs):
        simulate(plan, 1, replication, folded)
    ways = {group.way: group.direction for group in fit.groups}
    return Check([_of_way(fit, plan, folded, runs * weeks, way, ways[way]) for way in sorted(ways)], runs, weeks)


def _of_way(fit: Fit, plan: Plan, folded: _Hours, weeks: int, way: str, direction: str) -> Beside:
    log, period = fit.log, fit.period
    names = {entry_name(group, part) for group in fit.groups if group.way == way for part in group.arrivals.parts}
    entries = [number for number, entry in enumerate(plan.names.sources) if entry in names]
    mine = log.direction == log.directions.index(direction)
    used = mine & period.used[(log.time_in // DAY - period.first).clip(0, len(period.used) - 1)]
    exposure = np.bincount(period.weekdays()[period.used], minlength=WEEK_DAYS).astype(float)
    seen = exposure > 0
    cells = (log.time_in[used] // HOUR + 3 * DAY_HOURS) % (WEEK_DAYS * DAY_HOURS)  # 1970-01-01 was a Thursday
    counts = np.bincount(cells, minlength=WEEK_DAYS * DAY_HOURS).reshape(WEEK_DAYS, DAY_HOURS).astype(float)
    logged = (counts[seen] / exposure[seen, None]).mean(axis=0)
    error = np.sqrt((counts[seen] / exposure[seen, None] ** 2).sum(axis=0)) / seen.sum()
    few = counts.sum(axis=0) < SMALLEST_CELL
    known = used & (log.stay != UNKNOWN)
    hours = log.time_in[known] // HOUR % DAY_HOURS
    modelled = folded.counts[entries].sum(axis=0).reshape(WEEK_DAYS, DAY_HOURS)
    spent = folded.times[entries].sum(axis=0).reshape(WEEK_DAYS, DAY_HOURS)
    return Beside(
        way,
        direction,
        np.where(few, np.nan, logged),
        np.where(few, np.nan, np.maximum(error, 1e-9)),
        modelled[seen].mean(axis=0) / weeks,
        _means(
            np.bincount(hours, log.stay[known], DAY_HOURS).astype(float),
            np.bincount(hours, minlength=DAY_HOURS).astype(float),
        ),
        _means(spent[seen].sum(axis=0), modelled[seen].sum(axis=0)),
        float(logged.sum()),
        float(modelled[seen].sum() / seen.sum() / weeks),
        float(log.stay[known].mean()) if known.any() else math.nan,
        float(spent.sum() / modelled.sum()) if modelled.sum() else math.nan,
    )


def _means(sums: Numbers, counts: Numbers) -> Numbers:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(counts >= SMALLEST_CELL, sums / counts, np.nan)
