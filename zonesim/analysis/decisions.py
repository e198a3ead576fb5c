"""What decides whether a mark is made: the shares and the adoption that lead to it, worked out from the program."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import pairwise
from operator import and_, or_
from typing import Final

import numpy as np

from zonesim.plan import NOWHERE, BranchOn, Plan, SetWhat, has_children, successors

Value = tuple[object, ...]

_KNOWN: Final = frozenset({BranchOn.SHARE, BranchOn.FLAG, BranchOn.CLASS})
"""Questions whose answer does not depend on who else is there."""


@dataclass(frozen=True)
class Way:
    """
    What leads to a place in a program: the shares that are drawn on the way there, `all_shares` those too that decided
    about flags which are asked for, and who adopts what (with True before it) or does not.
    """

    shares: frozenset[Value]
    all_shares: frozenset[Value]
    adoption: frozenset[Value]


@dataclass(frozen=True)
class Decided:
    """
    What decides whether a mark is made: the ways to all places in the program that make it. `sure`: whether it is these
    alone, and not who else is there.
    """

    ways: frozenset[Way]
    sure: bool

    @property
    def told(self) -> object:
        """Return the shares that lead to the mark, and who adopts what, where those who do come to it otherwise."""
        sides: dict[Value, tuple[set[frozenset[Value]], set[frozenset[Value]]]] = {}
        for way in self.ways:
            for does, *who in way.adoption:
                sides.setdefault(tuple(who), (set(), set()))[bool(does)].add(way.shares)
        apart = {who for who, (others, adopters) in sides.items() if others != adopters}
        return {way.all_shares for way in self.ways}, apart


class Decisions:
    """
    The decisions of one entry's program.

    A row depends on a branch when one answer always leads to it and the other may not (control dependence by
    post-dominators: Ferrante, Ottenstein, Warren, The program dependence graph and its use in optimization, ACM
    Transactions on Programming Languages and Systems 9, 1987), and where the branch asks for a flag, on what raises it.
    """

    def __init__(self, plan: Plan, source: int) -> None:
        self.plan = plan
        starts = sorted({*plan.sources["first_row"].tolist(), len(plan.code)})
        first = int(plan.sources["first_row"][source])
        self.first, self.end = next((begin, end) for begin, end in pairwise(starts) if begin == first)
        self.source = source
        self._known: dict[int, tuple[Way, bool]] = {}

    def of(self, marks: Iterable[int]) -> Decided:
        """Return what decides whether some marks, by their numbers, are made."""
        wanted = set(marks)
        ways, sure = set(), True
        for row in range(self.first, self.end):
            each = self.plan.code[row]
            if each.facts.marks and each.mark in wanted:
                if row not in self._known:
                    self._known[row] = self._way_to(row)
                way, own = self._known[row]
                ways.add(way)
                sure &= own
        return Decided(frozenset(ways), sure)

    def _way_to(self, row: int) -> tuple[Way, bool]:
        """Return what decides whether a row is reached, and whether it is this alone."""
        shares: set[Value] = set()
        adoption: set[Value] = set()
        flags: set[int] = set()
        seen, ahead = {row}, [row]

        def follow(direct: set[Value]) -> bool:
            """Go back over the questions that lead to what is ahead; return whether all answers are known."""
            known = True
            while ahead:
                for branch, on_yes in self._branches(ahead.pop()):
                    each = self.plan.code[branch]
                    asks = each.facts.asks
                    if asks is BranchOn.FLAG and each.flag < len(self.plan.names.flags):
                        direct.add((on_yes, *who_adopts(self.plan, self.source, each.flag)))
                    if branch in seen:
                        continue
                    seen.add(branch)
                    ahead.append(branch)
                    if asks is BranchOn.SHARE:
                        values = dict.fromkeys(self.plan.shares[each.share].tolist())
                        shares.add(tuple(values))
                        news = [other for other in self._classed if len(values) > 1 and other not in seen]
                        seen.update(news)
                        ahead.extend(news)
                    elif asks is BranchOn.FLAG:
                        flags.add(each.flag)
                    known &= each.facts.waits is None and (asks is None or asks in _KNOWN)
            return known

        sure = follow(adoption)
        own = frozenset(shares)
        asked: set[int] = set()
        while flags - asked:
            asked |= (now := flags - asked)
            news = [other for flag in now for other in self._raised.get(flag, ()) if other not in seen]
            seen.update(news)
            ahead += news
            sure &= follow(set())  # who adopts what only leads to a flag in another way, which shares say
        return Way(own, frozenset(shares), frozenset(adoption)), sure

    def _branches(self, row: int) -> list[tuple[int, bool]]:
        """Return the rows with several ways on that decide whether a row is reached, and whether it is so on yes."""
        at = row - self.first
        return [
            (branch, not self._always[branch + 1 - self.first] >> at & 1) for branch, led in self._led if led >> at & 1
        ]

    @cached_property
    def _raised(self) -> dict[int, list[int]]:
        """Return the rows that raise or lower a flag."""
        found: dict[int, list[int]] = {}
        for row in range(self.first, self.end):
            each = self.plan.code[row]
            if each.facts.sets in {SetWhat.RAISE_FLAG, SetWhat.LOWER_FLAG}:
                found.setdefault(each.flag, []).append(row)
        return found

    @cached_property
    def _classed(self) -> list[int]:
        """Return the rows that give tokens another class."""
        rows = range(self.first, self.end)
        return [row for row in rows if self.plan.code[row].facts.sets is SetWhat.CLASS]

    @cached_property
    def _next(self) -> list[list[int]]:
        rows = range(self.first, self.end)
        return [sorted({target for _, target in successors(self.plan.code[row], row)}) for row in rows]

    @cached_property
    def _led(self) -> list[tuple[int, int]]:
        """Return the rows with several ways on, each with the rows that one of them always leads to, as bits."""
        found = []
        for at, ways in enumerate(self._next):
            if len(ways) > 1 and at not in self._splits:
                some = reduce(or_, (self._always[way - self.first] for way in ways))
                found.append((self.first + at, some & ~(self._always[at] & ~(1 << at))))
        return found

    @cached_property
    def _always(self) -> list[int]:
        """Return the rows that are always reached from each row, itself among them, as bits."""
        count = self.end - self.first
        found = [(1 << count) - 1] * count
        changed = True
        while changed:
            changed = False
            for at in range(count - 1, -1, -1):
                ways = self._next[at]
                meet = or_ if at in self._splits else and_
                own = 1 << at | (reduce(meet, (found[way - self.first] for way in ways)) if ways else 0)
                if own != found[at]:
                    found[at], changed = own, True
        return found

    @cached_property
    def _splits(self) -> frozenset[int]:
        """Return the rows, from the first one on, that tokens go on from on all ways: a parent and its children."""
        return frozenset(row - self.first for row in range(self.first, self.end) if has_children(self.plan.code[row]))


def who_adopts(plan: Plan, source: int, flag: int) -> Value:
    """Return the shares of a source's tokens that have a flag of adoption, with of what, of whom and when."""
    own = (plan.adoptions["flag"] == flag) & np.isin(plan.adoptions["source"], (source, NOWHERE))
    whom = plan.adoptions[["by", "party", "begins", "until"]][own].tolist()
    return (*whom, *plan.adoption_shares[own].tolist())
