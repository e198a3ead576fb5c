"""How often tokens come and how many units there are: means over the measured window, and by hour of the week."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from zonesim.plan.columns import Floats
from zonesim.plan.operations import NOWHERE, ArrivalsBy
from zonesim.plan.plan import Plan
from zonesim.units import DAY, HOUR, WEEK

HOURS: Final = 168

_SURELY: Final = 6.0
"""So many standard deviations away nothing comes about."""

_MOST_INSTANTS: Final = 10_000
"""Instants by which arrivals that are expected are represented."""

_LONG: Final = 3.0
"""So many times the mean is a long work: at the end of a day that ends empty it reaches into the time after it."""

LATE: Final = 0.05
"""Share of the work that may be done outside of the window, or come into it from before."""


def mean_batch(plan: Plan, source: int) -> float:
    """Return how many tokens an arrival has, on average."""
    number = int(plan.sources["batch"][source])
    return 1.0 if number == NOWHERE else plan.mean(number, 0)


def comes_one_by_one(plan: Plan, source: int) -> bool:
    """Return whether the arrivals of a source are listed one by one."""
    return bool(plan.sources["arrivals"][source] == ArrivalsBy.LISTED)


def mean_factor(plan: Plan, source: int) -> float:
    """Return the mean of what the rate of a source is multiplied with."""
    return math.prod(plan.mean(int(plan.factors["distribution"][row]), 0) for row in plan.factors_of(source))


def expected_before(plan: Plan, source: int, times: Floats) -> Floats:
    """
    Return the arrivals of a source expected before each of `times` (ms). Those of a renewal are as many as in the long
    run; a greatest number cuts off the Poisson law of a rate, and of others the mean.
    """
    if comes_one_by_one(plan, source):
        return np.searchsorted(np.sort(plan.times_of(source)["time"]), times).astype(np.float64)
    found = _unlimited(plan, source, times)
    most = plan.most_arrivals(source)
    if most is None:
        return found
    if plan.factors_of(source) or len(plan.renewal_of(source)):
        return np.minimum(found, most)
    return np.array([_cut_off(mean, most) for mean in found.tolist()])


def _unlimited(plan: Plan, source: int, times: Floats) -> Floats:
    """Return the arrivals expected before each of `times`, however many there are at most."""
    for gap, calendar, begins, until in plan.renewal_of(source).tolist():
        ends = np.clip(times, begins, until)
        if calendar == NOWHERE:
            passed: Floats = (ends - begins) / plan.mean(gap, 0)
            return passed
        spans = plan.spans_of(calendar)
        opened = np.clip(ends[:, None], spans["opens"], spans["closes"]) - spans["opens"]
        before = np.clip(begins, spans["opens"], spans["closes"]) - spans["opens"]
        in_between: Floats = opened.sum(axis=1) - before.sum()
        return in_between / plan.mean(gap, 0)
    rates = plan.rates_of(source)
    if not len(rates):
        return np.zeros(len(times))
    row = np.maximum(np.searchsorted(rates["begins"], times, side="right") - 1, 0)
    own = rates[row]
    found: Floats = own["expected_before"] + np.maximum(times - own["begins"], 0.0) * own["rate"]
    return found * mean_factor(plan, source)


def _cut_off(mean: float, most: int) -> float:
    """Return the mean of a Poisson number that counts as `most` where it is larger: the sum of P(N >= k) up to it."""
    if mean <= 0 or most > mean + _SURELY * math.sqrt(mean) + _SURELY**2:
        return mean
    if most < mean - _SURELY * math.sqrt(mean):
        return float(most)
    below, found = 0.0, 0.0
    for number in range(most):
        below += math.exp(number * math.log(mean) - mean - math.lgamma(number + 1))
        found += max(1 - below, 0.0)
    return found


def is_cut_off_somewhere(plan: Plan, source: int) -> bool:
    """Return whether a greatest number ends arrivals at a time of which no more than that is known."""
    most = plan.most_arrivals(source)
    if most is None or not (plan.factors_of(source) or len(plan.renewal_of(source))):
        return False
    begin, end = (float(each) for each in _unlimited(plan, source, np.array([plan.begin, plan.end], dtype=float)))
    if plan.factors_of(source):
        return True
    gap = int(plan.renewal_of(source)["gap"][0])
    mean, variance = plan.mean(gap, 0), plan.variance(gap, 0)
    spread = [_SURELY * math.sqrt(count * variance) / mean for count in (begin, end)]
    surely_more, surely_less = most > end + spread[1] + 1, most < end - spread[1] - 1 and most > begin + spread[0]
    return not (surely_more or surely_less)


def window_rate(plan: Plan, source: int) -> float:
    """Return the mean tokens per ms that arrive in the measured window."""
    if not plan.sources["count"][source]:
        return 0.0
    begin, end = expected_before(plan, source, np.array([plan.begin, plan.end], dtype=float)).tolist()
    return mean_batch(plan, source) * float(end - begin) / float(plan.end - plan.begin)


def mean_present(plan: Plan, source: int) -> float:
    """Return how many tokens of a source have arrived by now, as a mean over the measured window."""
    begin, end = plan.begin, plan.end
    if not plan.sources["count"][source]:
        return 0.0
    if comes_one_by_one(plan, source):
        there = np.clip(end - plan.times_of(source)["time"], 0, end - begin).sum() / (end - begin)
    else:
        edges = np.asarray(np.linspace(begin, end, 101), dtype=np.float64)
        there = np.mean(expected_before(plan, source, edges))
    return mean_batch(plan, source) * float(there)


def flat_rate(plan: Plan, source: int) -> float | None:
    """Return arrivals per ms of a source whose arrivals come one by one, at random and at one rate, None for others."""
    rates = plan.rates_of(source)["rate"].tolist()
    alone = plan.sources["batch"][source] == NOWHERE and not plan.factors_of(source)
    return float(rates[0]) if len(rates) == 1 and alone and plan.most_arrivals(source) is None else None


def weekly_rate(plan: Plan, source: int, offset: int) -> Floats:
    """Return tokens per ms by hour of the week."""
    size = mean_batch(plan, source)
    table = plan.rates_of(source)
    if not len(table) and not len(plan.renewal_of(source)):
        return np.full(HOURS, window_rate(plan, source))
    weeks = max(1, -(-plan.horizon // WEEK))
    middles = (np.arange(HOURS * weeks) + 0.5) * HOUR
    if len(table) and plan.most_arrivals(source) is None and not (table["begins"] % HOUR).any():
        row = np.searchsorted(table["begins"], middles, side="right") - 1
        values = size * mean_factor(plan, source) * table["rate"][row]
    else:  # the rate changes within hours
        edges = np.asarray(np.arange(HOURS * weeks + 1) * float(HOUR), dtype=np.float64)
        values = size * np.diff(expected_before(plan, source, edges)) / HOUR
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


def opening_rate(plan: Plan, calendar: int) -> float:
    """
    Return how often, per ms, a calendar opens: a period where it has one, else the mean over the whole weeks, or days,
    of the measured window.
    """
    opens = plan.spans_of(calendar)["opens"]
    opens = opens[opens >= 0]
    gaps = np.unique(np.diff(opens))
    if len(gaps) == 1:
        return 1 / float(gaps[0])
    length = plan.end - plan.begin
    length -= length % next((unit for unit in (WEEK, DAY) if length >= unit), 1)
    return float(((opens >= plan.begin) & (opens < plan.begin + length)).sum()) / float(length)


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
    Return whether the window gets notably more or less work from arrivals that come to an end, or begin late, than they
    bring while it lasts.

    Each brings `work` unit-ms after `delay` ms. It is looked at twice: as if nobody waited, and as if `room` units did
    whatever there is to do at once. `room` are units there on average.
    """
    begin, end = float(plan.begin), float(plan.end)
    brought = window_rate(plan, source) * (end - begin) * work
    instants, weight = _instants(plan, source)
    times = np.sort(instants) + delay
    size = mean_batch(plan, source) * work * weight
    alone = [brought]
    for length in {max(work, 1.0), max(work, 1.0) * (_LONG if plan.terminates else 1)}:
        inside = np.clip(np.minimum(times + length, end) - np.maximum(times, begin), 0, None).sum()
        alone.append(float(inside) * size / length)
    left = [_backlog(times[times < edge].tolist(), size, room, edge) for edge in (begin, end)]
    together = size * float(((times >= begin) & (times < end)).sum()) + left[0] - left[1]
    return bool(max(abs(each - brought) for each in (*alone, together)) > LATE * brought)


def _instants(plan: Plan, source: int) -> tuple[Floats, float]:
    """Return the instants of arrivals, listed or expected, and how many arrivals each stands for."""
    if comes_one_by_one(plan, source):
        return plan.times_of(source)["time"].astype(float), 1.0
    edges = np.linspace(0, plan.horizon, _MOST_INSTANTS + 1)
    expected = expected_before(plan, source, edges)
    count = int(min(max(expected[-1], 1), _MOST_INSTANTS))
    weight = float(expected[-1]) / count
    return np.interp((np.arange(count) + 0.5) * weight, expected, edges), weight


def _backlog(times: list[float], size: float, room: float, until: float) -> float:
    """Return the work that is left at `until` of what has come before."""
    left, last = 0.0, 0.0
    for time in times:
        left = max(0.0, left - room * (time - last)) + size
        last = time
    return max(0.0, left - room * (until - last))
