"""How often tokens come and how many units there are: means over the measured window, and by hour of the week."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.plan.distributions import law_mean
from zonesim.plan.operations import NOWHERE
from zonesim.plan.plan import Plan
from zonesim.units import HOUR, WEEK

Floats = NDArray[np.float64]

HOURS: Final = 168


def mean_batch(plan: Plan, source: int) -> float:
    """Return how many tokens an arrival has, on average."""
    law = int(plan.sources[source, 8])
    return 1.0 if law == NOWHERE else law_mean(plan.laws, plan.numbers, law, 0)


def is_listed(plan: Plan, source: int) -> bool:
    """Return whether the arrivals of a source are listed one by one, so that they come to an end."""
    return bool(plan.sources[source, 1] == 1)


def window_rate(plan: Plan, source: int) -> float:
    """
    Return the mean tokens per ms that arrive in the measured window.
    """
    _, _, first, count, *_ = plan.sources[source].tolist()
    begin, end = plan.window[:2].astype(float).tolist()
    if not count:
        return 0.0
    if is_listed(plan, source):
        times = plan.times[first : first + count, 0]
        arrived = float(((times >= begin) & (times < end)).sum())
    else:
        arrived = _expected(plan, source, end) - _expected(plan, source, begin)
    return mean_batch(plan, source) * arrived / float(end - begin)


def mean_present(plan: Plan, source: int) -> float:
    """Return how many tokens of a source have arrived by now, as a mean over the measured window."""
    _, _, first, count, *_ = plan.sources[source].tolist()
    begin, end = plan.window[:2].tolist()
    if not count:
        return 0.0
    if is_listed(plan, source):
        there = np.clip(end - plan.times[first : first + count, 0], 0, end - begin).sum() / (end - begin)
    else:
        there = np.mean([_expected(plan, source, time) for time in np.linspace(begin, end, 101)])
    return mean_batch(plan, source) * float(there)


def flat_rate(plan: Plan, source: int) -> float | None:
    """Return arrivals per ms of a source whose arrivals come one by one, at random and at one rate, None for others."""
    _, kind, first, count, *_, batch = plan.sources[source].tolist()
    return float(plan.rates[first, 1]) if kind == 0 and count == 1 and batch == NOWHERE else None


def _expected(plan: Plan, source: int, time: float) -> float:
    """Return the arrivals expected before `time`."""
    _, _, first, count, *_ = plan.sources[source].tolist()
    begins, rates, before = plan.rates[first : first + count].T
    row = max(int(np.searchsorted(begins, time, side="right")) - 1, 0)
    return float(before[row] + max(time - begins[row], 0.0) * rates[row])


def weekly_rate(plan: Plan, source: int, offset: int) -> Floats:
    """Return tokens per ms by hour of the week."""
    _, _, first, count, *_ = plan.sources[source].tolist()
    size = mean_batch(plan, source)
    if is_listed(plan, source) or not count:
        return np.full(HOURS, window_rate(plan, source))
    begins, rates, before = plan.rates[first : first + count].T
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
    first, count, *_ = plan.resources[resource].tolist()
    times, units = plan.changes[first : first + count].T.astype(float)
    if count == 1:
        return np.full(HOURS, units[0])
    weeks = max(1, -(-plan.horizon // WEEK))
    edges = np.arange(HOURS * weeks + 1) * float(HOUR)
    values = np.diff(_passed(times, units, np.asarray(edges, dtype=np.float64))) / HOUR
    values[edges[1:] > plan.horizon] = np.nan
    return _by_hour_of_week(values, offset)


def window_units(plan: Plan, resource: int, calendar: int = NOWHERE) -> float:
    """Return the mean units there in the measured window, only those of a calendar's open time where one is given."""
    first, count, *_ = plan.resources[resource].tolist()
    times, units = plan.changes[first : first + count].T.astype(float)
    begin, end = plan.window[:2].astype(float).tolist()
    opens, closes = np.array([begin]), np.array([end])
    if calendar != NOWHERE:
        first, count = plan.calendars[calendar].tolist()
        opens, closes, _ = plan.spans[first : first + count].T.astype(float)
    passed = [_passed(times, units, np.clip(edges, begin, end)).sum() for edges in (opens, closes)]
    return float(passed[1] - passed[0]) / float(end - begin)


def in_order(plan: Plan, resource: int) -> float:
    """
    Return the mean share of the units of a resource that are not broken down, by time or, where its clock is busy, by
    time of work and of the repairs that follow from it.
    """
    for broken, _, _, up, _, repair, _ in plan.breakdowns.tolist():
        if broken == resource:  # all clocks of a resource have the same laws
            works, out = (law_mean(plan.laws, plan.numbers, law, 0) for law in (up, repair))
            return works / (works + out)
    return 1.0


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
