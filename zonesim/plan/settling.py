"""
Shares that depend on the state of the system and follow from the arrivals all the same, in closed form.

Both need a Poisson stream of one rate. Such a stream stays one where tokens part by chance and where each is delayed by
itself; not where they wait for each other.

- Everybody who finds the units of a resource in use goes on elsewhere: Erlang's loss formula, whatever the distribution
  of the work.
- One leads a batch: one in so many as a batch has members on average.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from zonesim.plan.graph import Cause, Edge, Node
from zonesim.plan.operations import NOWHERE, GatherBy
from zonesim.plan.pace import flat_rate
from zonesim.plan.ways import Ways
from zonesim.plan.work import SAME, Work

Starts = Mapping[int, Sequence[tuple[float, int]]]


def settle(ways: Ways, starts: Starts, work: Work) -> bool:
    """Fix the shares of the nodes at which they are known in closed form; return whether there are any."""
    if not any(node.cause in {Cause.PATIENCE, Cause.BATCH} for node in ways.nodes):
        return False
    rates = _poisson(ways, starts, work)
    losses = _losses(ways, rates, work)
    batches = _batches(ways, rates)
    for number, share in (losses | batches).items():
        node = ways.nodes[number]
        node.cause = None
        for edge, each in zip(node.edges, (share, 1 - share), strict=True):
            edge.low = edge.high = each
    return bool(losses or batches)


def _poisson(ways: Ways, starts: Starts, work: Work) -> dict[int, float]:
    """Return the arrivals per ms at the nodes whose arrivals are a Poisson stream of one rate."""
    rates: dict[int, float] = {}
    mixed: set[int] = set()
    for source, kinds in starts.items():
        rate = flat_rate(ways.plan, source)
        for share, number in kinds:
            if rate is None:
                mixed.add(number)
            else:
                rates[number] = rates.get(number, 0.0) + share * rate
    for part in reversed(work.parts):
        loop = len(part) > 1 or any(edge.target == part[0] for edge in ways.nodes[part[0]].edges)
        for number in part:
            node = ways.nodes[number]
            keeps = number in rates and number not in mixed and not loop and node.cause is None and not node.joins
            for edge in node.edges:
                if keeps and edge.own and not edge.waits and edge.most <= edge.mean:
                    rates[edge.target] = rates.get(edge.target, 0.0) + rates[number] * edge.low
                else:
                    mixed.add(edge.target)
            if loop:
                mixed.add(number)
    return {number: rate for number, rate in rates.items() if number not in mixed}


def _losses(ways: Ways, rates: Mapping[int, float], work: Work) -> dict[int, float]:
    """Return, by node, the share of those who find everything in use and go away at once."""
    plan = ways.plan
    asked: dict[int, list[int]] = {}
    for number, node in enumerate(ways.nodes):
        if node.cause is Cause.PATIENCE:
            for resource in node.of:
                asked.setdefault(resource, []).append(number)
    found: dict[int, float] = {}
    for resource, numbers in asked.items():
        changes = plan.changes_of(resource)
        if len(changes) > 1 or ways.shuts[resource] or resource in ways.patient:
            continue
        if not all(number in rates and _goes_at_once(ways, ways.nodes[number]) for number in numbers):
            continue
        behind = _reached(ways, (edge for number in numbers for edge in ways.nodes[number].edges))
        if not behind.isdisjoint(numbers):
            continue
        offered, known = 0.0, True
        for number in numbers:
            value = work.along(ways.nodes[number].edges[1])
            low, high = float(value.low[0, resource]), float(value.high[0, resource])
            known &= high - low <= SAME * high and not value.waits[resource]
            offered += rates[number] * low
        if known:
            lost = erlang_loss(int(changes["units"][0]), offered)
            found |= dict.fromkeys(numbers, lost)
    return found


def _goes_at_once(ways: Ways, node: Node) -> bool:
    """Return whether a request is for one unit of one resource and does not wait for it."""
    each = ways.code[node.state.row]
    longest = ways.plan.range(each.patience, node.state.klass)[1]
    return longest == 0 and [units for _, units in ways.needs_of(each)] == [1]


def _reached(ways: Ways, edges: Iterable[Edge]) -> set[int]:
    """Return the nodes that can be reached along edges."""
    found: set[int] = set()
    pending = [edge.target for edge in edges]
    while pending:
        number = pending.pop()
        if number not in found:
            found.add(number)
            pending += [edge.target for edge in ways.nodes[number].edges]
    return found


def erlang_loss(units: int, offered: float) -> float:
    """Return the share of Poisson arrivals that find all `units` in use where these would be `offered` busy ones."""
    lost = 1.0
    for number in range(1, units + 1):
        lost = offered * lost / (number + offered * lost)
    return lost


def _batches(ways: Ways, rates: Mapping[int, float]) -> dict[int, float]:
    """Return, by node, the share of those who lead their batch."""
    joined: dict[tuple[int, int], list[int]] = {}
    for number, node in enumerate(ways.nodes):
        if node.cause is Cause.BATCH:
            each = ways.code[node.state.row]
            klass = node.state.klass if each.by == GatherBy.CLASS else NOWHERE
            joined.setdefault((each.batch, klass), []).append(number)
    found: dict[int, float] = {}
    for numbers in joined.values():
        if all(number in rates for number in numbers):
            shares = {_leading(ways, ways.nodes[number], sum(rates[each] for each in numbers)) for number in numbers}
            share = shares.pop() if len(shares) == 1 else None
            if share is not None:
                found |= dict.fromkeys(numbers, share)
    return found


def _leading(ways: Ways, node: Node, pace: float) -> float | None:
    """Return the share of those who come at `pace` per ms and lead a batch, None where no formula is known."""
    plan, klass = ways.plan, node.state.klass
    each = ways.code[node.state.row]
    if each.facts.departs:
        return None  # the line that is left from one departure to the next has no mean in closed form
    number, timeout, calendar = each.number, each.timeout, each.calendar
    if each.by == GatherBy.FIRM:
        return None
    if timeout == calendar == NOWHERE:
        return 1 / number
    if calendar == NOWHERE and number == NOWHERE:
        return 1 / (1 + pace * plan.mean(timeout, klass))
    if calendar == NOWHERE:
        least, longest = plan.range(timeout, klass)
        return 1 / _mean_size(pace * longest, number) if least == longest else None
    if timeout == number == NOWHERE:
        opens = [0, *(time for time in plan.spans_of(calendar)["opens"].tolist() if time > 0)]
        gaps = [later - time for time, later in pairwise(opens) if plan.begin <= later < plan.end]
        return float(sum(-math.expm1(-pace * gap) for gap in gaps) / (pace * (plan.end - plan.begin)))
    return None


def _mean_size(expected: float, number: int) -> float:
    """Return the mean of the least of `number` and 1 + a Poisson number of which so many are expected."""
    exactly, below, size = math.exp(-expected), 0.0, 1.0
    for others in range(1, number):
        below += exactly
        size += max(0.0, 1 - below)
        exactly *= expected / others
    return size
