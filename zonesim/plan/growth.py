"""
Which resources are asked for more than they can do, whatever else happens.

The question is put for a long queue. Suppose that the queue of a resource is longer than any number for good: then who
looks at its length finds it long, and who has patience gives up. If the work that still has to be done there, by
arrivals that go on without end, is less than its units can do, the queue shrinks whenever it is long, so it does not
grow for ever. If it is as much or more, there is no way in which it could be done.

Where it depends on the state of the other resources how much comes, the least is sought that can come while each of
these is busy for at most all of its time: a linear programme over how often each way is taken. So those who find one
desk in use all go to the next, and what that one gets is at least what the first cannot do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from zonesim.plan.columns import Floats
from zonesim.plan.graph import END, Cause
from zonesim.plan.pace import mean_present, window_rate
from zonesim.plan.work import SAME, Work

Starts = Mapping[int, Sequence[tuple[float, int]]]

Entries = list[tuple[int, int, float]]
"""Row, column and value of the entries of a matrix that are not 0."""

OPEN: Final = {Cause.STATE, Cause.PATIENCE, Cause.SHORTEST, Cause.EITHER, Cause.STOCK, Cause.BATCH}
"""What decides which way a token takes."""

PENALTY: Final = 1e3
"""Price of more work at another resource than its units can do, where some are asked for too much together."""


def must_be_done(work: Work, starts: Starts, least: Floats, most: Floats, room: Floats) -> Floats:
    """
    Return, by resource and line for a departure, the load that has to be done in the long run.

    `least` and `most`: unit-ms per ms by column from arrivals that go on without end. `room`: units there on average.
    Of a line for a departure these are tokens and places per ms.
    """
    if not work.resources:
        return np.zeros(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = (np.where(np.isfinite(room) & (room > 0), each / room, 0.0) for each in (least, most))
    low, high = (each.reshape(-1, work.resources) for each in (low, high))
    must: Floats = low.max(axis=0)
    doubtful = [
        resource
        for resource in np.flatnonzero((must < 1 - SAME) & (high.max(axis=0) >= 1 - SAME)).tolist()
        if not OPEN.isdisjoint(work.causes.get(resource, ()))
    ]
    if doubtful:
        programme = _Programme(work, starts, least, room)
        for resource in doubtful:
            must[resource] = max(must[resource], programme.least_load(resource))
    return must


class _Programme:
    """
    A linear programme over how often each way is taken, in units of all arrivals.

    A variable is a node whose shares are known, or an edge of one whose shares are not. `balance`: what comes into a
    node goes out of it. `busy`: expected unit-ms by column.
    """

    def __init__(self, work: Work, starts: Starts, least: Floats, room: Floats) -> None:
        self.work, self.room, self.nodes = work, room, work.ways.nodes
        self.balance: Entries = []
        self.busy: Entries = []
        self.firsts: list[int] = []
        """The first variable of each node."""
        self.count = 0
        for node in self.nodes:
            self.firsts.append(self.count)
            self.count += 1 if node.cause is None else len(node.edges)
        self.enters = np.zeros(len(self.nodes))
        for source, kinds in starts.items():
            if not work.ways.plan.comes_to_an_end(source):
                for share, number in kinds:
                    self.enters[number] += share * window_rate(work.ways.plan, source)
        self.rounds = _rounds(work, starts)
        self.scale = float(self.enters.sum()) + sum(self.rounds.values())
        self.most = {
            column: max(1.0, float(least[column] / room[column]))
            for column in range(work.ways.columns)
            if 0 < room[column] < np.inf
        }
        self._fill()

    def _fill(self) -> None:
        for number, node in enumerate(self.nodes):
            first = self.firsts[number]
            own = [first] if node.cause is None else [first + position for position in range(len(node.edges))]
            if number not in self.rounds:
                self.balance += [(number, variable, 1.0) for variable in own]
            for position, edge in enumerate(node.edges):
                variable, weight = (first, edge.low) if node.cause is None else (own[position], 1.0)
                if edge.target != END and edge.target not in self.rounds:
                    self.balance.append((edge.target, variable, -weight))
                self.busy += [(column, variable, weight * each) for column, each in edge.work.items()]
            if node.joins:
                mean = self.work.last(node).mean
                self.busy += [(resource, first, units * mean) for resource, units in node.hands]

    def least_load(self, resource: int) -> float:
        """Return the least load of a resource in all ways that leave the others no more to do than they can."""
        if not self.scale > 0:
            return 0.0
        return max(self._least(column) for column in self.most if column % self.work.resources == resource)

    def _least(self, column: int) -> float:
        from scipy.optimize import linprog

        resources = self.work.resources
        others = [each for each in self.most if each % resources != column % resources]
        row_of = {other: row for row, other in enumerate(others)}
        above: Entries = [
            (row_of[each], variable, amount / self.room[each]) for each, variable, amount in self.busy if each in row_of
        ]
        above += [(row, self.count + row, -1.0) for row in range(len(others))]
        shares = self._shares(len(others))
        width = self.count + len(others)
        price = np.zeros(width)
        for each, variable, amount in self.busy:
            if each == column:
                price[variable] += amount / self.room[column]
        limits = np.tile([0.0, np.inf], (width, 1))
        queue = self.work.ways.queues.get(column % resources, {column % resources})
        for number, often in self.rounds.items():
            limits[self.firsts[number]] = often / self.scale
        for number, node in enumerate(self.nodes):
            if len(queue) == 1 and not node.of.isdisjoint(queue):
                limits[self.firsts[number] + 1, 1] = 0.0  # the queue is long: the second way is not taken
        rows = len(others) + len({row for row, _, _ in shares})
        found = linprog(
            price + np.concatenate([np.zeros(self.count), np.full(len(others), PENALTY)]),
            _matrix([*above, *shares], (rows, width)),
            np.concatenate([[self.most[each] / self.scale for each in others], np.zeros(rows - len(others))]),
            _matrix(self.balance, (len(self.nodes), width)),
            self.enters / self.scale,
            limits,
            method="highs",
        )
        return float(price @ found.x) * self.scale if found.status == 0 else 0.0

    def _shares(self, row: int) -> Entries:
        """Return rows, from `row` on, that keep the shares of nodes between their bounds."""
        found: Entries = []
        for number, node in enumerate(self.nodes):
            if node.cause is None:
                continue
            low, high, first = node.edges[0].low, node.edges[0].high, self.firsts[number]
            if low > 0:
                found += [(row, first, low - 1), (row, first + 1, low)]
                row += 1
            if high < 1:
                found += [(row, first, 1 - high), (row, first + 1, -high)]
                row += 1
        return found


def _rounds(work: Work, starts: Starts) -> dict[int, float]:
    """Return how often, per ms, listed tokens that never leave come to each node that they go round."""
    there: dict[int, float] = {}
    for source, kinds in starts.items():
        if work.ways.plan.comes_to_an_end(source):
            for share, number in kinds:
                there[number] = there.get(number, 0.0) + share * mean_present(work.ways.plan, source)
    found: dict[int, float] = {}
    for part in reversed(work.parts):
        tokens = sum(there.get(number, 0.0) for number in part)
        if part[0] in work.circles:
            found |= {number: tokens * work.circles[number] for number in part}
        elif len(part) == 1 and tokens and work.ways.nodes[part[0]].cause is None:
            for edge in work.ways.nodes[part[0]].edges:
                there[edge.target] = there.get(edge.target, 0.0) + tokens * edge.low * edge.own
    return found


def _matrix(entries: Sequence[Sequence[Any]], shape: tuple[int, int]) -> Any:  # noqa: ANN401  scipy has no types
    from scipy.sparse import coo_array

    rows, columns, values = (list(each) for each in zip(*entries, strict=True)) if entries else ([], [], [])
    return coo_array((values, (rows, columns)), shape=shape, dtype=float).tocsr()
