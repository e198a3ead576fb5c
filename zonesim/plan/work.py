"""
How much of every resource a token uses from each point of its way on: as little and as much as may be.

At a node whose shares are known the expected work is the mean over its edges; where they are not, whatever decides may
decide anew for every token, and the least is that of the edge with less, the most that of the edge with more (the
values of a Markov decision process in which the state of the system decides). Where both edges lead to the same work it
is known again. Waiting in a queue with units in hand comes on top; it is noted beside (`waits`).

Parts of a program in which tokens go round and round without leaving have no work in all but a rate: what a round
uses over what it takes, where nothing in it depends on the state of the system.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.plan.graph import END, Cause, Edge, Node, nodes_in_order
from zonesim.plan.ways import Ways

Floats = NDArray[np.float64]

SAME: Final = 1e-9
"""Shares and relative differences below this are none."""

ROUNDS: Final = 400
MOST_STEPS: Final = 8_000
"""
Sweeps through a loop in which shares are not known, and nodes that are looked at in them, before the most of the loop
is taken to have no bound.
"""

LARGEST_LOOP: Final = 1200
"""Nodes of a loop whose equations are solved at once."""


@dataclass(frozen=True)
class Span:
    """The time (ms) until a token has left, without waits in queues."""

    mean: float = 0.0
    """Least that its mean may be."""
    most: float = 0.0
    """Most that its mean may be."""
    least: float = 0.0
    """Least that it can take."""
    longest: float = 0.0
    """Most that it can take."""
    waits: bool = False
    """Whether the token may wait in a queue meanwhile."""

    def and_then(self, edge: Edge) -> Span:
        """Return the time from the beginning of an edge on, where this is the time from its end on."""
        return Span(
            self.mean + edge.mean,
            self.most + edge.most,
            self.least + edge.least,
            self.longest + edge.longest,
            self.waits or edge.waits,
        )


UNKNOWN: Final = Span(0.0, math.inf, 0.0, math.inf, waits=True)


@dataclass
class Value:
    """What a token uses from a node on."""

    low: Floats
    """Least unit-ms by column and, for tokens that never leave, unit-ms per ms in the long run; shape (2, columns)."""
    high: Floats
    """The most, likewise."""
    likely: Floats
    """Unit-ms by resource where what is not known goes either way equally often."""
    late: Floats
    """The same times its delay after the node."""
    waits: NDArray[np.bool_]
    """By resource, whether it is in hand in a queue for others."""
    span: Span = field(default_factory=Span)
    """The time until the token itself leaves."""


class Work:
    """The values of all nodes; `causes` says, by column, why it is not known how much it is used."""

    def __init__(self, ways: Ways) -> None:
        self.ways = ways
        self.resources = ways.servers
        self.causes: dict[int, set[Cause]] = {}
        self.values: dict[int, Value] = {END: self._nothing()}
        self.parts = list(nodes_in_order(ways.nodes))
        self.circles: dict[int, float] = {}
        """By node that tokens never get away from: how often each comes to it, per ms."""
        for part in self.parts:
            self._part(part)

    def _nothing(self) -> Value:
        columns, resources = self.ways.columns, self.resources
        return Value(
            low=np.zeros((2, columns)),
            high=np.zeros((2, columns)),
            likely=np.zeros(resources),
            late=np.zeros(resources),
            waits=np.zeros(resources, dtype=bool),
        )

    # --- one node

    def _part(self, part: list[int]) -> None:
        if part == [END]:
            return
        nodes = self.ways.nodes
        if len(part) == 1 and all(edge.target != part[0] for edge in nodes[part[0]].edges):
            self.values[part[0]] = self._value(nodes[part[0]])
            return
        inside = set(part)
        part = sorted(part, key=lambda number: -nodes[number].state.row)
        for number in part:
            self.values[number] = self._nothing()
        if any(_may_leave(nodes[number], inside) for number in part):
            known = all(nodes[number].cause is None and not nodes[number].joins for number in part)
            if known and len(part) <= LARGEST_LOOP:
                self._solve(part)
            else:
                self._sweep(part, inside)
        else:
            self._circle(part, inside)

    def _value(self, node: Node, inside: frozenset[int] | set[int] = frozenset()) -> Value:
        """Return the value of a node from those of the nodes behind it."""
        found = [self.along(edge) for edge in node.edges]
        if node.cause is not None:
            value = self._either(node, found)
        else:
            shares = [edge.low for edge in node.edges]
            own = [each.span for each, edge in zip(found, node.edges, strict=True) if edge.own]
            value = Value(
                _sum(shares, [each.low for each in found]),
                _sum(shares, [each.high for each in found]),
                _sum(shares, [each.likely for each in found]),
                _sum(shares, [each.late for each in found]),
                np.logical_or.reduce([each.waits for each in found]),
                _mixed([edge.low for edge in node.edges if edge.own], own),
            )
        return self._joined(node, value, inside) if node.joins else value

    def along(self, edge: Edge) -> Value:
        """Return the value of what lies behind an edge and on it."""
        after = self.values[edge.target]
        low, high, likely = after.low.copy(), after.high.copy(), after.likely.copy()
        for column, work in edge.work.items():
            low[0, column] += work
            high[0, column] += work
            if column < self.resources:
                likely[column] += work
        for column, cause in edge.open_end.items():
            high[0, column] = math.inf
            self.causes.setdefault(column, set()).add(cause)
        late = after.late + edge.delay * after.likely
        for column, product in edge.late.items():
            late[column] += product
        waits = after.waits
        if edge.queued:
            waits = waits.copy()
            waits[list(edge.queued)] = True
        return Value(low, high, likely, late, waits, after.span.and_then(edge))

    def _either(self, node: Node, found: list[Value]) -> Value:
        """Return the value of a node whose shares are not known."""
        first, second = found
        bounds = (node.edges[0].low, node.edges[0].high)
        lows = [_sum([share, 1 - share], [first.low, second.low]) for share in bounds]
        highs = [_sum([share, 1 - share], [first.high, second.high]) for share in bounds]
        low, high = np.minimum(*lows), np.maximum(*highs)
        for column in np.flatnonzero((_apart(low, high)).any(axis=0)).tolist():
            self.causes.setdefault(column, set()).add(node.cause or Cause.STATE)
        middle = sum(bounds) / 2
        spans = [first.span, second.span]
        return Value(
            low,
            high,
            middle * first.likely + (1 - middle) * second.likely,
            middle * first.late + (1 - middle) * second.late,
            first.waits | second.waits,
            Span(
                min(span.mean for span in spans),
                max(span.most for span in spans),
                min(span.least for span in spans),
                max(span.longest for span in spans),
                any(span.waits for span in spans),
            ),
        )

    def _joined(self, node: Node, value: Value, inside: frozenset[int] | set[int]) -> Value:
        """Add the wait for the last of the children, with units in hand."""
        last = self.last(node, inside)
        for resource, units in node.hands:
            value.low[0, resource] += units * last.mean
            value.high[0, resource] += units * last.most
            value.likely[resource] += units * last.mean
            value.waits[resource] |= last.waits
            if last.most > last.mean * (1 + SAME):
                self.causes.setdefault(resource, set()).add(Cause.LONGEST)
        wait = Edge(mean=last.mean, most=last.most, least=last.least, longest=last.longest, waits=last.waits)
        value.late += last.mean * value.likely
        value.span = value.span.and_then(wait)
        return value

    def last(self, node: Node, inside: frozenset[int] | set[int] = frozenset()) -> Span:
        """
        Return the time until the last of the children has left: at least the longest mean; at most the sum of the
        means, and what the longest can take; exactly that of children that are never earlier than the others.
        """
        children = [(UNKNOWN if child in inside else self.values[child].span, number) for child, number in node.joins]
        plan = self.ways.plan
        spans, total = [], 0.0
        for span, number in children:
            fewest, many = plan.range(number, 0)
            if fewest < 1:
                span = Span(0.0, span.most, 0.0, span.longest, span.waits)  # noqa: PLW2901  perhaps there is none
            spans.append(span)
            total += plan.mean(number, 0) * span.most if span.most < math.inf else math.inf
            if many > 1 and span.longest > span.least:
                spans.append(Span(span.mean, math.inf, span.least, span.longest, span.waits))
        longest, least = max(span.longest for span in spans), max(span.least for span in spans)
        mean, most = max(span.mean for span in spans), min(total, longest)
        for number, span in enumerate(spans):
            others = spans[:number] + spans[number + 1 :]
            if span.most < math.inf and all(other.longest <= span.least for other in others):
                most = min(most, span.most)
        return Span(mean, max(mean, most), least, longest, any(span.waits for span in spans))

    # --- loops

    def _weights(self, part: list[int], *, own: bool = False) -> Floats:
        """Return the expected steps from each node of a loop to each."""
        place = {number: position for position, number in enumerate(part)}
        weights = np.zeros((len(part), len(part)))
        for number in part:
            for edge in self.ways.nodes[number].edges:
                if edge.target in place and (edge.own or not own):
                    weights[place[number], place[edge.target]] += (edge.low + edge.high) / 2
        return weights

    def _solve(self, part: list[int]) -> None:
        """Solve the equations of a loop that tokens leave, all of whose shares are known."""
        system = np.eye(len(part)) - self._weights(part)
        found = [self._value(self.ways.nodes[number]) for number in part]
        waits = np.logical_or.reduce([each.waits for each in found])
        shape = found[0].low.shape
        low = np.linalg.solve(system, np.array([each.low.ravel() for each in found])).reshape(len(found), *shape)
        high = _solved(system, np.array([each.high.ravel() for each in found])).reshape(len(found), *shape)
        likely = np.linalg.solve(system, np.array([each.likely for each in found]))
        if min(low.min(initial=0.0), likely.min(initial=0.0)) < -SAME:
            self._without_bound(part)  # children of children without end
            return
        for position, number in enumerate(part):
            self.values[number].likely = likely[position]
        late = np.array([self._value(self.ways.nodes[number]).late for number in part])
        late = np.linalg.solve(system, late)
        spans = np.array([[each.span.mean, each.span.most] for each in found])
        spans = _solved(np.eye(len(part)) - self._weights(part, own=True), spans)
        queued = any(each.span.waits for each in found)
        for position, number in enumerate(part):
            mean, most = np.maximum(spans[position], 0.0).tolist()
            span = Span(mean, most, 0.0, math.inf, queued)
            self.values[number] = Value(low[position], high[position], likely[position], late[position], waits, span)

    def _sweep(self, part: list[int], inside: set[int]) -> None:
        """
        Go through a loop again and again until its values stay.

        They come from below, so the least is a bound wherever this ends; a most that still grows has no bound.
        """
        grown = np.zeros((2, self.ways.columns), dtype=bool)
        slower = False
        for _ in range(max(3, min(ROUNDS, MOST_STEPS // len(part)))):
            grown[:], slower = False, False
            for number in part:
                before, after = self.values[number], self._value(self.ways.nodes[number], inside)
                grown |= _apart(before.high, after.high)
                slower |= after.span.most - before.span.most > SAME * after.span.most
                slower |= bool(_apart(before.low, after.low).any() or _apart(before.likely, after.likely).any())
                self.values[number] = after
            if not grown.any() and not slower:
                break
        for number in part:
            value = self.values[number]
            value.high[grown] = math.inf
            most = math.inf if slower else value.span.most
            value.span = Span(value.span.mean, most, 0.0, math.inf, value.span.waits)
        for column in np.flatnonzero(grown.any(axis=0)).tolist():
            self.causes.setdefault(column, set()).add(Cause.CIRCLE)

    def _circle(self, part: list[int], inside: set[int]) -> None:
        """Find at what rate tokens use resources that go round without end."""
        nodes = self.ways.nodes
        weights = self._weights(part)
        edges = [edge for number in part for edge in nodes[number].edges if edge.target in inside]
        even = np.allclose(weights.sum(axis=1), 1.0, rtol=0, atol=SAME)
        free = all(nodes[number].cause is None and not nodes[number].joins for number in part)
        steady = not any(edge.waits or edge.most > edge.mean for edge in edges)
        if not (even and free and steady and len(part) <= LARGEST_LOOP):
            self._without_bound(part)
            return
        system = np.vstack([np.eye(len(part)) - weights.T, np.ones(len(part))])
        often = np.linalg.lstsq(system, np.append(np.zeros(len(part)), 1.0), rcond=None)[0]
        found = [self._value(nodes[number]) for number in part]
        lasts = [
            sum(
                edge.low * (edge.mean if edge.own else edge.delay)
                for edge in nodes[number].edges
                if edge.target in inside
            )
            for number in part
        ]
        time = float(often @ np.array(lasts))
        if not time > 0 or any(each.high[1].any() for each in found):
            self._without_bound(part)
            return
        self.circles |= dict(zip(part, (often / time).tolist(), strict=True))
        low, high = self._nothing().low, self._nothing().low
        low[1] = _sum(often.tolist(), [each.low[0] for each in found]) / time
        high[1] = _sum(often.tolist(), [each.high[0] for each in found]) / time
        likely = np.zeros(self.resources)
        waits = np.logical_or.reduce([each.waits for each in found])
        for number in part:
            self.values[number] = Value(low.copy(), high.copy(), likely.copy(), likely.copy(), waits, UNKNOWN)

    def _without_bound(self, part: list[int]) -> None:
        """Let it be unknown how much tokens in a loop use, of all that they use there at all."""
        nodes = self.ways.nodes
        used = np.zeros(self.ways.columns, dtype=bool)
        for number in part:
            for edge in nodes[number].edges:
                after = self.along(edge)
                used |= (after.high > 0).any(axis=0)
        for column in np.flatnonzero(used).tolist():
            self.causes.setdefault(column, set()).add(Cause.CIRCLE)
        waits = np.zeros(self.resources, dtype=bool)
        for number in part:
            value = self._nothing()
            value.high[1, used] = math.inf
            self.values[number] = Value(value.low, value.high, value.likely, value.late, waits, UNKNOWN)


def _may_leave(node: Node, inside: set[int]) -> bool:
    """Return whether a token may go on outside of a loop."""
    if node.cause is not None:
        return any(edge.target not in inside for edge in node.edges)
    return sum(edge.low for edge in node.edges if edge.target in inside) < 1 - SAME


def _apart(low: Floats, high: Floats) -> NDArray[np.bool_]:
    """Return where two arrays differ by more than rounding."""
    with np.errstate(invalid="ignore"):
        return np.asarray((low != high) & ~(np.abs(high - low) <= SAME * np.abs(high)))


def _sum(shares: list[float], arrays: list[Floats]) -> Floats:
    """Return the sum of arrays times their shares; what is infinite counts where its share is not 0."""
    total: Floats = np.zeros_like(arrays[0])
    for share, array in zip(shares, arrays, strict=True):
        if share > 0:
            np.add(total, share * array, out=total)
    return total


def _mixed(shares: list[float], spans: list[Span]) -> Span:
    """Return the time of tokens of which each share takes one of several ways."""
    return Span(
        sum(share * span.mean for share, span in zip(shares, spans, strict=True)),
        sum(share * span.most for share, span in zip(shares, spans, strict=True)),
        min((span.least for span in spans), default=0.0),
        max((span.longest for span in spans), default=0.0),
        any(span.waits for span in spans),
    )


def _solved(system: Floats, right: Floats) -> Floats:
    """Solve equations some of whose columns are infinite; these stay so."""
    endless = np.isinf(right).any(axis=0)
    found = np.asarray(np.linalg.solve(system, np.where(endless, 0.0, right)), dtype=np.float64)
    found[:, endless] = math.inf
    return found
