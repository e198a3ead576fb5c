"""
Load of every resource from the traffic equations: a bound that needs no simulation.

Load = expected busy units over units there, of those that break down the share that is in order on average. The
expected visits of a token to every operation follow from the shares of the program; every hold counts for the units in
hand, waiting in a queue with units in hand does not, so the true load can only be higher. Of several lines of which the
shortest is chosen each gets the same share. By the hour: the arrivals' profile is moved by the mean time from
arrival to the step, and flattened when that is more than half a day; where a resource closes, work waits for the
opening, so its mean load is given for every open hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.plan.adoption import BY
from zonesim.plan.following import Crowd, Use, Walk
from zonesim.plan.laws import law_mean
from zonesim.plan.operations import NOWHERE, Op
from zonesim.plan.plan import LISTED_CLASS, UNLIMITED, Plan
from zonesim.units import DAY, HOUR, WEEK

NEGLIGIBLE: Final = 1e-9
MOST_STAYING: Final = 0.01
"""Share of tokens that may still be there after a long walk; the loop that keeps them is nearly without end."""

HOURS: Final = 168
BY_TOKEN: Final = BY["token"]


@dataclass(frozen=True)
class Load:
    """Load of a resource: mean over the run, and by hour of the week (168 values, Monday 00:00 first), 1 = 100 %."""

    resource: int
    mean: float
    hourly: NDArray[np.float64]

    @property
    def peak(self) -> float:
        """Return the load of the busiest hour."""
        return float(self.hourly.max())

    @property
    def peak_hour(self) -> int:
        """Return the busiest hour of the week (0 = Monday 00:00 to 01:00)."""
        return int(self.hourly.argmax())


def loads(plan: Plan, offset: int = 0) -> list[Load]:
    """
    Return the load of every resource that is not unlimited.

    Where tokens go round in a circle and never leave, how often they come depends on how long they wait: the resources
    that they use have no load here. `offset` is the distance of the run's start from Monday 00:00 in ms (see
    `zonesim.plan.calendars.monday_offset`).
    """
    offered = np.zeros((len(plan.resources), HOURS))
    circled: set[int] = set()
    for source in range(len(plan.sources)):
        rate = _weekly_rate(plan, source, offset)
        uses, leaves = _uses(plan, source)
        if not leaves:
            circled |= set(uses)
            continue
        for resource, use in uses.items():
            delay = use.delay / use.work
            shape = np.roll(rate, int(delay // HOUR)) if delay < DAY / 2 else np.full(HOURS, rate.mean())
            offered[resource] += shape * use.work
    found = []
    for resource in range(len(plan.resources)):
        units = _weekly_units(plan, resource, offset)
        if units.max() >= UNLIMITED or not units.any() or resource in circled:
            continue
        units = units * _in_order(plan, resource)
        mean = float(offered[resource].mean() / units.mean())
        always = bool(units.min() == units.max())
        hourly = offered[resource] / units.max() if always else np.where(units > 0, mean, 0.0)
        found.append(Load(resource, mean, hourly))
    return found


def overloaded_sources(plan: Plan, found: list[Load]) -> frozenset[int]:
    """
    Return the sources whose tokens use a resource with a mean load of 100 % or more: their queues grow with the
    run.
    """
    full = {load.resource for load in found if load.mean >= 1} - impatient(plan)
    return frozenset(source for source in range(len(plan.sources)) if full & set(_uses(plan, source)[0]))


def impatient(plan: Plan) -> frozenset[int]:
    """Return the resources whose lines cannot grow for ever, since everybody in them gives up in the end."""
    patience: dict[int, bool] = {}
    for op, _, first, rows, _, _, law, *_ in plan.program.tolist():
        if op == Op.SEIZE:
            for resource, _ in plan.needs[first : first + rows].tolist():
                patience[resource] = patience.get(resource, True) and law != NOWHERE
    return frozenset(resource for resource, gives_up in patience.items() if gives_up)


def mean_batch(plan: Plan, source: int) -> float:
    """Return how many tokens an arrival has, on average."""
    law = int(plan.sources[source, 8])
    return 1.0 if law == NOWHERE else law_mean(plan.laws, plan.numbers, law, 0)


def _weekly_rate(plan: Plan, source: int, offset: int) -> NDArray[np.float64]:
    """Return tokens per ms by hour of the week."""
    _, listed, first, count, *_ = plan.sources[source].tolist()
    size = mean_batch(plan, source)
    if listed or not count:
        return np.full(HOURS, size * count / plan.horizon)
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


def _mean_rate(plan: Plan, source: int) -> float:
    """Return the mean tokens per ms of the run."""
    _, listed, first, count, *_ = plan.sources[source].tolist()
    size = mean_batch(plan, source)
    if listed or not count:
        return float(size * count / plan.horizon)
    begin, rate, before = plan.rates[first + count - 1].tolist()
    return size * float(before + rate * (plan.horizon - begin)) / plan.horizon


def _weekly_units(plan: Plan, resource: int, offset: int) -> NDArray[np.float64]:
    """Return the units there by hour of the week (partly open hours count in part)."""
    first, count, *_ = plan.resources[resource].tolist()
    times, units = plan.changes[first : first + count].T.astype(float)
    if count == 1:
        return np.full(HOURS, units[0])
    weeks = max(1, -(-plan.horizon // WEEK))
    edges = np.arange(HOURS * weeks + 1) * float(HOUR)
    passed = np.concatenate([[0.0], np.cumsum(np.diff(times) * units[:-1])])
    row = np.searchsorted(times, edges, side="right") - 1
    total = passed[row] + (edges - times[row]) * units[row]
    values = np.diff(total) / HOUR
    values[edges[1:] > plan.horizon] = np.nan
    return _by_hour_of_week(values, offset)


def _in_order(plan: Plan, resource: int) -> float:
    """
    Return the mean share of the units of a resource that are not broken down, by time or, where its clock is busy, by
    time of work and of the repairs that follow from it.
    """
    for broken, _, _, up, _, repair, _ in plan.breakdowns.tolist():
        if broken == resource:  # all clocks of a resource have the same laws
            works, out = (law_mean(plan.laws, plan.numbers, law, 0) for law in (up, repair))
            return works / (works + out)
    return 1.0


def _by_hour_of_week(values: NDArray[np.float64], offset: int) -> NDArray[np.float64]:
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


def _uses(plan: Plan, source: int) -> tuple[dict[int, Use], bool]:
    """
    Return the expected use of every resource by a token of `source` with all its children, and whether it leaves at
    all.
    """
    stays = 0.0
    uses: dict[int, Use] = {}
    first = int(plan.sources[source, 0])
    kinds = _kinds(plan, source)
    crowd = Crowd(_mean_rate(plan, source))
    if (plan.program[:, 0] == Op.GATHER).any():
        for share, klass, flags in kinds:
            Walk(plan, share, {}, crowd).start(first, klass, flags, 0.0)
        crowd.known = True
    for share, klass, flags in kinds:
        stays += Walk(plan, share, uses, crowd).start(first, klass, flags, 0.0)
    leaves = stays < MOST_STAYING
    return {resource: use for resource, use in uses.items() if use.work > 0 or not leaves}, leaves


def _kinds(plan: Plan, source: int) -> list[tuple[float, int, int]]:
    """
    Return (share, class, adoption flags) of the tokens of a source, averaged over the run; practices adopted in one
    order are adopted together.
    """
    _, _, listed, rows, group, parties, fixed, mix, _ = plan.sources[source].tolist()
    if mix != NOWHERE:
        shares = np.diff(plan.mixes[mix], prepend=0.0)
        classes = [(float(share), klass) for klass, share in enumerate(shares) if share > 0]
    elif fixed == LISTED_CLASS:
        named = plan.times[listed : listed + rows, 1]
        classes = [(float((named == klass).mean()), int(klass)) for klass in np.unique(named)]
    elif fixed != NOWHERE:
        classes = [(1.0, fixed)]
    else:
        first, count = plan.groups[group].tolist()
        members = plan.members[first : first + count]
        classes = [(float(members[members[:, 2] == klass, 0].sum()), int(klass)) for klass in np.unique(members[:, 2])]
    kinds: dict[tuple[int, int], float] = {}
    for weight, orders in _adopted(plan, source, parties if group != NOWHERE else 0):
        for share, klass in classes:
            for combination in product(*(_prefixes(order) for order in orders)):
                part, flags = share * weight, 0
                for own, raised in combination:
                    part, flags = part * own, flags | raised
                kinds[klass, flags] = kinds.get((klass, flags), 0.0) + part
    return [(share, klass, flags) for (klass, flags), share in kinds.items() if share > NEGLIGIBLE]


def _adopted(plan: Plan, source: int, parties: int) -> list[tuple[float, list[list[tuple[float, int]]]]]:
    """
    Return, for each part of the run with shares of its own, how large it is and the (share, flag) of tokens of a
    source by order of adopters.
    """
    rows = [
        (*row, float(plan.adoption_shares[number]), int(plan.adoption_streams[number]))
        for number, row in enumerate(plan.adoptions.tolist())
        if row[1] == source or (row[1] == NOWHERE and parties)
    ]
    edges = sorted({0, plan.horizon, *(edge for row in rows for edge in row[4:6])})
    found = []
    for begin, end in pairwise(edges):
        orders: dict[int, dict[int, float]] = {}
        for flag, _, by, party, holds, until, share, stream in rows:
            if holds <= begin < until:
                met = share if by == BY_TOKEN or party != NOWHERE else share**parties  # all firms have to adopt
                order = orders.setdefault(stream, {})
                order[flag] = order.get(flag, 1.0) * met
        found.append(
            ((end - begin) / plan.horizon, [[(met, flag) for flag, met in order.items()] for order in orders.values()])
        )
    return found


def _prefixes(order: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """Return (share, flags) of those who adopt none, the most common, the two most common … practices of one order."""
    ranked = sorted(order, reverse=True)
    bounds = [1.0, *(share for share, _ in ranked), 0.0]
    flags = [0]
    for _, flag in ranked:
        flags.append(flags[-1] | 1 << flag)
    return [(bounds[count] - bounds[count + 1], flags[count]) for count in range(len(flags))]
