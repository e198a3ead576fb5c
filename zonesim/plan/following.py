"""Tokens followed through a program by their shares: what they use, how late, and whether they leave."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Final

from zonesim.plan.laws import law_mean
from zonesim.plan.operations import NOWHERE, BranchOn, Op, SetWhat
from zonesim.plan.plan import Plan
from zonesim.units import DAY

NEGLIGIBLE: Final = 1e-9
GENERATIONS: Final = 8
"""How often tokens start tokens that start tokens before the rest is left out."""

LONGEST: Final = 50_000
"""So many operations of a walk tell who leaves: hundreds of rounds through any flow."""

Hands = tuple[tuple[int, tuple[tuple[int, int], ...]], ...]
"""Units in hand: by slot, (resource, units)."""

State = tuple[int, int, int, Hands]
"""Row, class, flags and hands of a token."""


@dataclass
class Use:
    """Expected unit-ms of one resource by one token of a source, and the mean delay after arrival, weighted by it."""

    work: float = 0.0
    delay: float = 0.0


@dataclass
class Crowd:
    """
    Arrivals per ms at each batch; while they are not `known` they are added up, as if everybody led one.

    `rate` are the arrivals per ms of the source.
    """

    rate: float
    known: bool = False
    joined: dict[int, float] = field(default_factory=dict)

    def leading(self, plan: Plan, amount: float, klass: int, gather: tuple[int, int, int, int]) -> float:
        """Return the least share of tokens that lead their batch; batches by firm or class are smaller."""
        batch, number, timeout, calendar = gather
        if not self.known:
            self.joined[batch] = self.joined.get(batch, 0.0) + amount * self.rate
            return 1.0
        pace = self.joined[batch]
        shares = [0.0 if number == NOWHERE else 1 / number]
        if timeout != NOWHERE:
            shares.append(1 / (1 + pace * law_mean(plan.laws, plan.numbers, timeout, klass)))
        if calendar != NOWHERE:
            shares.append(float(plan.calendars[calendar, 1]) / max(pace * plan.horizon, NEGLIGIBLE))
        return min(1.0, max(shares))


class Walk:
    """
    A share of tokens followed through the program, adding up what they use.

    States are taken in the order of rows, so those of a program without loops are met once; loops converge
    geometrically. Who never leaves is followed for as long as it takes to say so.
    """

    def __init__(self, plan: Plan, share: float, uses: dict[int, Use], crowd: Crowd, generation: int = 0) -> None:
        self.plan = plan
        self.share = share
        self.uses = uses
        self.crowd = crowd
        self.generation = generation
        self.mass: dict[State, tuple[float, float]] = {}
        self.queue: list[State] = []

    def start(self, row: int, klass: int, flags: int, delay: float) -> float:
        """
        Follow the tokens from `row`, where they stand `delay` ms after arrival with empty hands; return how many have
        not left after as many operations as are taken.
        """
        self._move(row, klass, flags, (), self.share, self.share * delay)
        for _ in range(LONGEST):
            if not self.queue:
                return 0.0
            state = heapq.heappop(self.queue)
            self._act(*state, *self.mass.pop(state))
        return sum(amount for amount, _ in self.mass.values())

    def _move(self, row: int, klass: int, flags: int, hands: Hands, amount: float, late: float) -> None:
        if amount <= NEGLIGIBLE * self.share:
            return
        state = (row, klass, flags, hands)
        before = self.mass.get(state)
        if before is None:
            heapq.heappush(self.queue, state)
            before = (0.0, 0.0)
        self.mass[state] = (before[0] + amount, before[1] + late)

    def _act(self, row: int, klass: int, flags: int, hands: Hands, amount: float, late: float) -> None:
        op, _, a, b, c, d, e, *_ = self.plan.program[row].tolist()
        if op == Op.LEAVE:
            return
        if op == Op.JUMP:
            self._move(a, klass, flags, hands, amount, late)
            return
        if op == Op.BRANCH:
            yes = 1 / (c - e) if a == BranchOn.SHORTEST else self._share(a, b, klass, flags)
            self._move(d, klass, flags, hands, amount * yes, late * yes)
            self._move(row + 1, klass, flags, hands, amount * (1 - yes), late * (1 - yes))
            return
        if op == Op.HOLD:
            mean = law_mean(self.plan.laws, self.plan.numbers, a, klass)
            for resource, units in (need for _, needs in hands for need in needs):
                use = self.uses.setdefault(resource, Use())
                use.work += amount * mean * units
                use.delay += late * mean * units
            late += amount * mean
        elif op == Op.SEIZE:
            hands = (*hands, (d, self._needs(a, b)))
        elif op == Op.RELEASE:
            hands = tuple(each for each in hands if each[0] != c)
        elif op == Op.KEEP:
            hands = (*hands, (d, self._needs(a, b)))  # the rest is given back at this very instant
        elif op == Op.SET and a == SetWhat.RAISE_FLAG:
            flags |= 1 << b
        elif op == Op.SET and a == SetWhat.LOWER_FLAG:
            flags &= ~(1 << b)
        elif op == Op.SET and a == SetWhat.CLASS:
            klass = b
        elif op == Op.SPLIT:
            count = law_mean(self.plan.laws, self.plan.numbers, a, klass)
            Walk(self.plan, amount * count, self.uses, self.crowd, self.generation).start(
                c, klass, flags, late / amount
            )
        elif op == Op.SPAWN:
            self._spawn(a, klass, flags, amount, late / amount + law_mean(self.plan.laws, self.plan.numbers, b, klass))
        elif op == Op.WAIT_UNTIL:
            late += amount * DAY / 2
        elif op == Op.GATHER:
            late += amount * (DAY if d != NOWHERE else 0.0)
            if e != NOWHERE:
                led = self.crowd.leading(self.plan, amount, klass, (a, b, c, d))
                self._move(e, klass, flags, hands, amount * (1 - led), late * (1 - led))
                amount, late = amount * led, late * led
        self._move(row + 1, klass, flags, hands, amount, late)

    def _spawn(self, source: int, klass: int, flags: int, amount: float, delay: float) -> None:
        """Follow the tokens that are started; where they start others in turn, as long as these matter."""
        if self.generation < GENERATIONS:
            walk = Walk(self.plan, amount, self.uses, self.crowd, self.generation + 1)
            walk.start(int(self.plan.sources[source, 0]), klass, flags, delay)

    def _needs(self, first: int, rows: int) -> tuple[tuple[int, int], ...]:
        return tuple((resource, units) for resource, units in self.plan.needs[first : first + rows].tolist())

    def _share(self, on: int, operand: int, klass: int, flags: int) -> float:
        """Return the share of tokens that a BRANCH answers with yes."""
        if on == BranchOn.SHARE:
            return float(self.plan.shares[operand, klass])
        if on == BranchOn.FLAG:
            return float(flags >> operand & 1)
        if on == BranchOn.CLASS:
            return float(operand >> klass & 1)
        return 0.0  # the state of a queue is not known before the run
