"""
The ways through a plan on which hidden truths are drawn, looked for and found, at every end of what is not known of
them.

What is not known before any run: how much likelier who has a truth is to be picked for a look (the lift), and how many
of one class have it against another. Runs use one value of each; here the graph of the ways has at each point where
these decide a share for each case, the lift from its least to its greatest, the ratio at its least and its greatest.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from zonesim.plan.columns import Floats
from zonesim.plan.graph import Edge, Needs, Node, State
from zonesim.plan.operations import BranchOn, Instruction
from zonesim.plan.plan import Look, MarkName, Plan, Truths
from zonesim.plan.ways import Ways

LIFTS: Final = 5
"""So many lifts are looked at, from the least to the greatest: where a share reaches all, more may lie in between."""

CASES: Final = 2 * LIFTS
"""Cases: each lift, with the least ratio of classes and with the greatest."""


class Bearer(NamedTuple):
    """Who has a truth: consignments of an entry (base 0), or children by the base of their numbers."""

    entry: str
    truth: str
    base: int


class Check(NamedTuple):
    """A check at a step of an entry: who comes to it with the truth is found, or not."""

    entry: str
    path: str
    bearer: Bearer


def bearer_of(mark: MarkName) -> Bearer:
    """Return whose truth a mark says something of."""
    return Bearer(mark.entry, mark.truth, mark.owner[0])


def finding_of(mark: MarkName) -> str:
    """Return what a mark says of a truth: `true`, `checked`, `caught`, `missed`, `false_stop` or `corrected`."""
    return mark.name.rpartition(".")[2]


class FindingWays(Ways):
    """The graph of a plan with the findings on its edges, and nodes wherever the cases may part."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self._telling = {number for number, mark in enumerate(plan.names.marks) if mark.truth}
        streams = {name: number for number, name in enumerate(plan.names.streams)}
        self._drawn: dict[int, Truths] = {
            streams[f"{entry}//truth/{truth}"]: truths
            for (entry, truth), truths in plan.names.truths.items()
            if truths.low != truths.high
        }
        self.checks = self._checks()
        """Checks, by the stream on which it is drawn whether they find."""

    def _checks(self) -> dict[int, Check]:
        """Return the checks: branches behind which it is marked that a truth is missed."""
        found: dict[int, Check] = {}
        for each, behind in zip(self.code, self.code[1:], strict=False):
            if each.facts.asks is BranchOn.SHARE and behind.facts.marks and behind.mark in self._telling:
                mark = self.plan.names.marks[behind.mark]
                if finding_of(mark) == "missed":
                    path = self.plan.names.streams[each.stream].split("/")[1]
                    found[each.stream] = Check(mark.entry, path, bearer_of(mark))
        return found

    def of_source_alone(self, source: int) -> list[tuple[float, int]]:
        """Return what `of_source` does, with a graph that has nothing of the sources before; raises OverflowError."""
        del self.nodes[1:]
        self.numbers.clear()
        self._steps = 0
        return self.of_source(source)

    def shares_of(self, node: Node) -> Floats | None:
        """Return the share, shape (CASES,), that takes the first edge of a node at which cases part; None: no such."""
        each = self.code[node.state.row]
        if not self._parts(each):
            return None
        klass = node.state.klass
        if (look := self._look(each)) is not None:
            return self._picked(look, node.state)
        if (truths := self._drawn.get(each.stream)) is not None:
            return np.repeat([truths.low[klass], truths.high[klass]], LIFTS)
        return np.full(CASES, self.plan.shares[each.share, klass])

    def check_at(self, node: Node) -> Check | None:
        """Return the check at which it is decided here whether it finds."""
        each = self.code[node.state.row]
        return self.checks.get(each.stream) if each.facts.asks is BranchOn.SHARE else None

    def _look(self, each: Instruction) -> Look | None:
        return self.plan.names.looks.get((each.stream, each.share))

    def _picked(self, look: Look, state: State) -> Floats:
        """Return the share that a look picks of tokens such as this one."""
        rates = self.plan.names.truths[look.entry, look.truth]
        with_it = bool(state.flags >> look.flag & 1)
        lifts = np.linspace(look.lift[0], look.lift[2], LIFTS).tolist()
        return np.array(
            [look.picked(own, lift)[not with_it][state.klass] for own in (rates.low, rates.high) for lift in lifts]
        )

    def _parts(self, each: Instruction) -> bool:
        """Return whether there are two ways here in some case, and which share takes each may differ between cases."""
        if each.facts.asks is not BranchOn.SHARE:
            return False
        return self._look(each) is not None or each.stream in self._drawn or each.stream in self.checks

    def _part(self, number: int) -> None:
        node = self.nodes[number]
        state, each = node.state, self.code[node.state.row]
        if not self._parts(each):
            super()._part(number)
            return
        node.edges = [self._edge(self._at(state, each.target)), self._edge(self._after(state))]

    def _answer(self, each: Instruction, state: State) -> bool | None:
        return None if self._parts(each) else super()._answer(each, state)

    def _straight(self, state: State, edge: Edge) -> State | None:
        each = self.code[state.row]
        if each.facts.marks and each.mark in self._telling:
            edge.findings += (each.mark,)
        return super()._straight(state, edge)

    def _in_hand(self, state: State) -> Needs:  # noqa: ARG002  the same for all
        """Units in hand, and the time that passes, change nothing of what is found."""
        return ()

    def _delay(self, each: Instruction, state: State, edge: Edge) -> None:
        pass

    def _meet_again(self, row: int, each: Instruction, order: int) -> bool:  # noqa: ARG002  the same for all
        """Who has adopted is decided once: whether a token is found twice is no sum of works."""
        return False
