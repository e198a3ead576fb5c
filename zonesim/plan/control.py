"""
What is found of hidden truths and what is not, as expectations that follow from a plan: no run, no noise.

A token with a truth is missed when neither it nor what goes on beside it is ever stopped by a check, nor put right:
the product of these chances over branches that go on at the same time, their mean where chance decides. Where the state
of the system decides (a queue, hours, patience) nothing is known but bounds. All is told for each case of what is not
known before (`findings`).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np

from zonesim.plan.columns import Floats
from zonesim.plan.findings import CASES, Bearer, Check, FindingWays, bearer_of, finding_of
from zonesim.plan.graph import END, Edge, Node, nodes_in_order
from zonesim.plan.operations import Who
from zonesim.plan.pace import window_rate
from zonesim.plan.plan import Plan
from zonesim.units import DAY

ROUNDS: Final = 2_000
"""Sweeps through a loop before what still changes in it is taken to be unknown."""

CLOSE: Final = 1e-13

QUANTITIES: Final = ("cases", "caught", "missed", "checked", "false_stops")
"""Of who has a truth, and of all who are looked at."""

AT_CHECKS: Final = ("met", "seen", "found")
"""Of a check: cases that ever come to it, how often one does, and how often it is found then."""

LOW, HIGH = 0, 1

REMEMBERED: Final = 300
_remembered: dict[tuple[str, str], Control | None] = {}
"""What has been asked for before, of so many plans."""


@dataclass(frozen=True)
class Control:
    """
    What is expected a day of tokens that arrive in the measured window.

    Arrays have a row for each of `QUANTITIES` or `AT_CHECKS`; then least and most; then `CASES` cases.
    """

    truths: dict[tuple[str, str, int], Floats]
    """By entry, truth and class of the consignment at its arrival."""
    checks: dict[tuple[str, str, str], Floats]
    """By entry, truth and path of the step that checks."""

    def of(self, truth: str) -> Floats:
        """Return `QUANTITIES` of a truth over all entries and classes, shape (5, 2, CASES)."""
        own = [found for (_, name, _), found in self.truths.items() if name == truth]
        return np.sum(own, axis=0) if own else np.zeros((len(QUANTITIES), 2, CASES))


def control(plan: Plan) -> Control | None:
    """Return what is found and missed of the truths of a plan; None where there are too many ways to follow."""
    key = (plan.identity, repr((plan.names.looks, plan.names.truths)))
    if key not in _remembered:
        if len(_remembered) >= REMEMBERED:
            _remembered.clear()
        _remembered[key] = None
        with suppress(OverflowError):
            _remembered[key] = _control(plan)
    return _remembered[key]


def _control(plan: Plan) -> Control:
    truths: dict[tuple[str, str, int], Floats] = {}
    checks: dict[tuple[str, str, str], Floats] = {}
    ways = FindingWays(plan)
    for source in range(len(plan.sources)):
        rate = window_rate(plan, source) * DAY
        if not rate:
            continue
        starts = ways.of_source_alone(source)
        if not any(edge.findings for node in ways.nodes for edge in node.edges):
            continue
        chances = Chances(ways)
        for share, number in starts:
            klass, found = ways.nodes[number].state.klass, rate * share * chances.values[number].counts
            for bearer, row in chances.bearers.items():
                key = (bearer.entry, bearer.truth, klass)
                own = np.moveaxis(found[:, row : row + len(QUANTITIES)], 0, 1)
                truths[key] = truths[key] + own if key in truths else own
            for check, row in chances.checks.items():
                at = (check.entry, check.bearer.truth, check.path)
                own = np.moveaxis(found[:, row : row + len(AT_CHECKS)], 0, 1)
                checks[at] = checks[at] + own if at in checks else own
    return Control(truths, checks)


@dataclass
class Value:
    """What becomes of a token from a node on, by bound and case; shapes (2, rows, CASES)."""

    escapes: Floats
    """The chance that what a row stands for never happens: caught, caught or put right, seen by a check."""
    counts: Floats
    """How often what a row stands for is expected: `QUANTITIES` of each bearer, `AT_CHECKS` of each check."""


class Chances:
    """The values of all nodes of a graph."""

    def __init__(self, ways: FindingWays) -> None:
        self.ways = ways
        self.marks = ways.plan.names.marks
        told = {bearer_of(self.marks[each]) for node in ways.nodes for edge in node.edges for each in edge.findings}
        met = {check for node in ways.nodes if node.edges and (check := ways.check_at(node)) is not None}
        self.bearers = {each: len(QUANTITIES) * place for place, each in enumerate(sorted(told))}
        first = len(QUANTITIES) * len(told)
        self.checks = {each: first + len(AT_CHECKS) * place for place, each in enumerate(sorted(met))}
        self._caught = {each: 2 * place for place, each in enumerate(self.bearers)}
        self._seen = {each: 2 * len(told) + place for place, each in enumerate(self.checks)}
        self._shape = (2 * len(told) + len(met), first + len(AT_CHECKS) * len(met))
        self.values: dict[int, Value] = {END: self._end()}
        for part in nodes_in_order(ways.nodes):
            self._part(part)

    def _end(self) -> Value:
        escapes, counts = self._shape
        return Value(np.ones((2, escapes, CASES)), np.zeros((2, counts, CASES)))

    def _part(self, part: list[int]) -> None:
        nodes = self.ways.nodes
        if part == [END]:
            return
        if len(part) == 1 and all(edge.target != part[0] for edge in nodes[part[0]].edges):
            self.values[part[0]] = self._value(nodes[part[0]])
            return
        part = sorted(part, key=lambda number: -nodes[number].state.row)
        for number in part:
            self.values[number] = self._end()
        for _ in range(ROUNDS):
            change = 0.0
            for number in part:
                before, after = self.values[number], self._value(nodes[number])
                change = max(change, np.abs(after.escapes - before.escapes).max(initial=0.0))
                change = max(change, np.abs(after.counts - before.counts).max(initial=0.0))
                self.values[number] = after
            if change < CLOSE:
                return
        for number in part:  # it goes round too long to tell
            self.values[number].escapes[LOW] = 0.0
            self.values[number].counts[HIGH] = np.inf

    def _value(self, node: Node) -> Value:
        """Return the value of a node from those of the nodes behind it."""
        found = [self._along(edge) for edge in node.edges]
        if node.cause is not None:
            return _either(node, found)
        facts = self.ways.code[node.state.row].facts
        if any(not edge.own for edge in node.edges):
            return _both(node, found, beside=any(then.who is Who.CHILD for then in facts.then))
        shares = self.ways.shares_of(node)
        if shares is None:
            return _mean([np.asarray(edge.low) for edge in node.edges], found)
        check = self.ways.check_at(node)
        value = _mean([shares, 1 - shares], found)
        return value if check is None else self._looked_at(check, value, shares)

    def _looked_at(self, check: Check, value: Value, shares: Floats) -> Value:
        """Note that a token with a truth comes to a check."""
        value.escapes[:, self._seen[check]] = 0.0
        row = self.checks[check]
        value.counts[:, row + AT_CHECKS.index("seen")] += 1.0
        value.counts[:, row + AT_CHECKS.index("found")] += shares
        return value

    def _along(self, edge: Edge) -> Value:
        """Return the value of what lies on an edge and behind it."""
        after = self.values[edge.target]
        if not edge.findings:
            return after
        value = Value(after.escapes.copy(), after.counts.copy())
        for number in reversed(edge.findings):
            mark = self.marks[number]
            self._find(bearer_of(mark), finding_of(mark), value)
        return value

    def _find(self, bearer: Bearer, finding: str, value: Value) -> None:
        """Note what is found at a mark."""
        caught, row = self._caught[bearer], self.bearers[bearer]
        escapes, counts = value.escapes, value.counts
        if finding == "caught":
            escapes[:, caught : caught + 2] = 0.0
        elif finding == "corrected":
            escapes[:, caught + 1] = 0.0
        elif finding == "true":
            counts[:, row + QUANTITIES.index("cases")] += 1.0
            counts[:, row + QUANTITIES.index("caught")] += 1.0 - escapes[::-1, caught]
            counts[:, row + QUANTITIES.index("missed")] += escapes[:, caught + 1]
            for check, at in self.checks.items():
                if check.bearer == bearer:
                    counts[:, at + AT_CHECKS.index("met")] += 1.0 - escapes[::-1, self._seen[check]]
        elif finding in {"checked", "false_stop"}:
            counts[:, row + QUANTITIES.index("checked" if finding == "checked" else "false_stops")] += 1.0


def _mean(shares: list[Floats], found: list[Value]) -> Value:
    """Return the value where a share, one for all cases or one each, takes each of several ways."""
    together = list(zip(shares, found, strict=True))
    escapes = [share * each.escapes for share, each in together]
    with np.errstate(invalid="ignore"):  # of what has no bound nobody's share is nothing
        counts = [np.where(share > 0, share * each.counts, 0.0) for share, each in together]
    return Value(np.sum(escapes, axis=0), np.sum(counts, axis=0))


def _both(node: Node, found: list[Value], *, beside: bool) -> Value:
    """
    Return the value where a token goes on and others begin: children, who may bear its truths (`beside`), or tokens of
    their own.
    """
    value = Value(np.ones_like(found[0].escapes), np.zeros_like(found[0].counts))
    for edge, each in zip(node.edges, found, strict=True):
        if edge.own or beside:
            value.escapes = value.escapes * (each.escapes if edge.own else each.escapes**edge.low)
        value.counts = value.counts + edge.low * each.counts
    return value


def _either(node: Node, found: list[Value]) -> Value:
    """Return the value of a node whose shares are not known: anything between its bounds."""
    first, second = found
    ends = (node.edges[0].low, node.edges[0].high)
    mixed = [_mean([np.asarray(share), np.asarray(1 - share)], [first, second]) for share in ends]
    escapes = [each.escapes for each in mixed]
    counts = [each.counts for each in mixed]
    return Value(
        np.stack([np.minimum(*(each[LOW] for each in escapes)), np.maximum(*(each[HIGH] for each in escapes))]),
        np.stack([np.minimum(*(each[LOW] for each in counts)), np.maximum(*(each[HIGH] for each in counts))]),
    )
