"""How often tokens come and how many units there are: means over the measured window, and by hour of the week."""

from __future__ import annotations

from typing import Final

import numpy as np

from zonesim.plan.columns import Floats
from zonesim.plan.operations import NOWHERE
from zonesim.plan.plan import ArrivalsBy, Plan
from zonesim.units import HOUR, WEEK

HOURS: Final = 168

LATE: Final = 0.05
"""Share of the work that may be done outside of the window, or come into it from before."""


def mean_batch(plan: Plan, source: int) -> float:
    """Return how many tokens an arrival has, on average."""
    number = int(plan.sources["batch"][source])
    return 1.0 if number == NOWHERE else plan.mean(number, 0)


def is_listed(plan: Plan, source: int) -> bool:
    """Return whether the arrivals of a source are listed one by one, so that they come to an end."""
    return bool(plan.sources["arrivals"][source] == ArrivalsBy.LISTED)


def window_rate(plan: Plan, source: int) -> float:
    """Return the mean tokens per ms that arrive in the measured window."""
    if not plan.sources["count"][source]:
        return 0.0
    if is_listed(plan, source):
        times = plan.times_of(source)["time"]
        arrived = float(((times >= plan.begin) & (times < plan.end)).sum())
    else:
        arrived = _expected(plan, source, plan.end) - _expected(plan, source, plan.begin)
    return mean_batch(plan, source) * arrived / float(plan.end - plan.begin)


def mean_present(plan: Plan, source: int) -> float:
    """Return how many tokens of a source have arrived by now, as a mean over the measured window."""
    begin, end = plan.begin, plan.end
    if not plan.sources["count"][source]:
        return 0.0
    if is_listed(plan, source):
        there = np.clip(end - plan.times_of(source)["time"], 0, end - begin).sum() / (end - begin)
    else:
        there = np.mean([_expected(plan, source, time) for time in np.linspace(begin, end, 101)])
    return mean_batch(plan, source) * float(there)


def flat_rate(plan: Plan, source: int) -> float | None:
    """Return arrivals per ms of a source whose arrivals come one by one, at random and at one rate, None for others."""
    rates = plan.rates_of(source)["rate"].tolist()
    return float(rates[0]) if len(rates) == 1 and plan.sources["batch"][source] == NOWHERE else None


def _expected(plan: Plan, source: int, time: float) -> float:
    """Return the arrivals expected before `time`."""
    rates = plan.rates_of(source)
    row = rates[max(int(np.searchsorted(rates["begins"], time, side="right")) - 1, 0)]
    return float(row["expected_before"] + max(time - row["begins"], 0.0) * row["rate"])


def weekly_rate(plan: Plan, source: int, offset: int) -> Floats:
    """Return tokens per ms by hour of the week."""
    size = mean_batch(plan, source)
    table = plan.rates_of(source)
    if not len(table):
        return np.full(HOURS, window_rate(plan, source))
    begins, rates, before = table["begins"], table["rate"], table["expected_before"]
    weeks = max(1, -(-plan.horizon // WEEK))
    middles = (np.arange(HOURS * weeks) + 0.5) * HOUR
    values = size * rates[np.searchsorted(begins, middles, side="right") - 1]
    if (begins % HOUR).any():  # the rate changes within hours
        edges = np.arange(HOURS * weeks + 1) * float(HOUR)
        row = np.searchsorted(begins, edges, side="right") - 1
        values = size * np.diff(before[row] + (edges - begins[row]) * rates[row]) / HOUR
    values[middles >= plan.horizon] = np.nan
    return _by_hour_of_week(values, offset)


def weekly_units(plan: Plan, resource: int, offset: int) -> Floats:
    """Return the units there by hour of the week (partly open hours count in part)."""
    times, units = _changes(plan, resource)
    if len(times) == 1:
        return np.full(HOURS, units[0])
    weeks = max(1, -(-plan.horizon // WEEK))
    edges = np.arange(HOURS * weeks + 1) * float(HOUR)
    values = np.diff(_passed(times, units, np.asarray(edges, dtype=np.float64))) / HOUR
    values[edges[1:] > plan.horizon] = np.nan
    return _by_hour_of_week(values, offset)


def window_units(plan: Plan, resource: int, calendar: int = NOWHERE) -> float:
    """Return the mean units there in the measured window, only those of a calendar's open time where one is given."""
    times, units = _changes(plan, resource)
    begin, end = float(plan.begin), float(plan.end)
    opens, closes = np.array([begin]), np.array([end])
    if calendar != NOWHERE:
        spans = plan.spans_of(calendar)
        opens, closes = spans["opens"].astype(float), spans["closes"].astype(float)
    passed = [_passed(times, units, np.clip(edges, begin, end)).sum() for edges in (opens, closes)]
    return float(passed[1] - passed[0]) / (end - begin)


def in_order(plan: Plan, resource: int) -> float:
    """
    Return the mean share of the units of a resource that are not broken down, by time or, where its clock is busy, by
    time of work and of the repairs that follow from it.
    """
    for clock in plan.breakdowns[plan.breakdowns["resource"] == resource][:1]:  # all of a resource are alike
        works, out = plan.mean(clock["up"], 0), plan.mean(clock["repair"], 0)
        return works / (works + out)
    return 1.0


def _changes(plan: Plan, resource: int) -> tuple[Floats, Floats]:
    """Return when (ms) the capacity of a resource changes, and its units from then on."""
    changes = plan.changes_of(resource)
    return changes["time"].astype(float), changes["units"].astype(float)


def _passed(times: Floats, units: Floats, edges: Floats) -> Floats:
    """Return the unit-ms there before each of `edges`."""
    before = np.concatenate([[0.0], np.cumsum(np.diff(times) * units[:-1])])
    row = np.searchsorted(times, edges, side="right") - 1
    passed: Floats = before[row] + (edges - times[row]) * units[row]
    return passed


def _by_hour_of_week(values: Floats, offset: int) -> Floats:
    """
    Return the mean of hourly values of a run by hour of the week, Monday first; hours never seen take the mean of
    the others.
    """
    hours = (np.arange(len(values)) + offset // HOUR) % HOURS
    seen = ~np.isnan(values)
    if not seen.any():
        return np.full(HOURS, 0.0)
    count = np.bincount(hours[seen], minlength=HOURS)
    total = np.bincount(hours[seen], weights=values[seen], minlength=HOURS)
    return np.where(count > 0, total / np.maximum(count, 1), values[seen].mean())


def spills(plan: Plan, source: int, delay: float, work: float, room: float) -> bool:
    """
    Return whether the window gets notably more or less work from listed arrivals than they bring while it lasts.

    Each brings `work` unit-ms after `delay` ms. It is looked at twice: as if nobody waited, and as if `room` units did
    whatever there is to do at once. `room` are units there on average.
    """
    begin, end = float(plan.begin), float(plan.end)
    times = np.sort(plan.times_of(source)["time"]) + delay
    brought = window_rate(plan, source) * (end - begin) * work
    size = mean_batch(plan, source) * work
    length = max(work, 1.0)
    alone = np.clip(np.minimum(times + length, end) - np.maximum(times, begin), 0, None).sum() * size / length
    left = [_backlog(times[times < edge].tolist(), size, room, edge) for edge in (begin, end)]
    together = size * float(((times >= begin) & (times < end)).sum()) + left[0] - left[1]
    return bool(max(abs(alone - brought), abs(together - brought)) > LATE * brought)


def _backlog(times: list[float], size: float, room: float, until: float) -> float:
    """Return the work that is left at `until` of what has come before."""
    left, last = 0.0, 0.0
    for time in times:
        left = max(0.0, left - room * (time - last)) + size
        last = time
    return max(0.0, left - room * (until - last))
