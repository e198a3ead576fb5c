"""Finding tokens that wait for each other for ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from zonesim.engine.state import ResourceState, Token
from zonesim.faults import RunFault
from zonesim.plan import NEVER, NOWHERE, Instruction, Plan, Then, Units, WaitsFor, When, successors
from zonesim.units import format_ms

NAMED: Final = 6
"""How many of the waiting tokens a message names."""

KEPT: Final = 8
"""Plans of which is kept where tokens may go on."""


def check_deadlock(plan: Plan, inside: Iterable[Token], now: int) -> None:
    """
    Raise RunFault if some tokens can never go on, naming who waits for what.

    A token can go on if it lets time pass, or waits for a child that can, or waits for units that would be free if
    all tokens that can go on gave theirs back while the resource is open to its fullest. A batch can be completed
    when its time will come, or when another token can still get there. What remains waits only for each other: a
    deadlock, unless nobody but incomplete batches remains.
    """
    search = _Search(plan, sorted(inside, key=lambda token: token.number))
    search.run()
    if any(token.batch is None for token in search.waiting):
        raise RunFault(_story(plan, search.waiting, search.held_by, now))


class _Search:
    """Looks for tokens that can go on, until no more are found."""

    def __init__(self, plan: Plan, tokens: list[Token]) -> None:
        self.plan = plan
        self.most = [plan.most_units(resource) for resource in range(len(plan.resources))]
        self.held_by: dict[int, list[tuple[Token, int]]] = {}
        self.children: dict[int, list[Token]] = {}
        for token in tokens:
            for resource, units in _held(token):
                self.held_by.setdefault(resource.number, []).append((token, units))
            if token.parent is not None:
                self.children.setdefault(id(token.parent), []).append(token)
        self.waiting = [token for token in tokens if token.waits_for or token.joins != NOWHERE or token.batch]
        self.stuck: dict[int, int] = {}
        for token in self.waiting:
            for resource, units in _held(token):
                self.stuck[resource.number] = self.stuck.get(resource.number, 0) + units
        waits = {id(token) for token in self.waiting}
        self.able = [token for token in tokens if id(token) not in waits]
        self.known = {id(token) for token in self.able}
        self.filled: set[int] = set()
        """Batches that have been found to fill: the more tokens can go on, the more."""
        self.sought = -1
        """How many tokens could go on when these were last sought."""

    def run(self) -> None:
        """Leave in `waiting` those that can never go on."""
        freed = True
        while freed:
            freed = False
            for token in self.waiting:
                if self._can_go_on(token):
                    freed = True
                    self.able.append(token)
                    self.known.add(id(token))
                    for resource, units in _held(token):
                        self.stuck[resource.number] -= units
            self.waiting = [token for token in self.waiting if id(token) not in self.known]

    def _can_go_on(self, token: Token) -> bool:
        if token.waits_for is not None:
            if token.waits_for.gives_up:
                return True
            return any(self._would_be_met(way.needs) for way in token.waits_for.ways)
        if token.batch is None:
            waited_for = [child for child in self.children.get(id(token), []) if child.group == token.joins]
            return all(id(child) in self.known for child in waited_for)
        if token.batch.complete:
            return id(token.batch.leader) in self.known
        return token.batch.due != NOWHERE or self._somebody_joins(token.batch.number)

    def _would_be_met(self, needs: Iterable[tuple[ResourceState, int]]) -> bool:
        return all(
            units + self.stuck.get(resource.number, 0) <= self.most[resource.number] for resource, units in needs
        )

    def _somebody_joins(self, batch: int) -> bool:
        """Return whether a token that can go on, or one still to come, can reach a batch."""
        if batch not in self.filled and self.sought < len(self.able):
            self.sought = len(self.able)
            self.filled = batches_that_fill(self.plan, [token.row for token in self.able], self.stuck)
        return batch in self.filled


def batches_that_fill(plan: Plan, rows: Iterable[int], stuck: Mapping[int, int]) -> set[int]:
    """
    Return the numbers of the batches that a token which goes on at one of `rows`, or one still to come, can reach while
    so many units of each resource are `stuck`.
    """
    ways = _ways(plan)
    pending = [*rows, *ways.firsts]
    found = set()
    seen = set(pending)
    while pending:
        row = pending.pop()
        if ways.batches[row] != NOWHERE:
            found.add(ways.batches[row])
        for target, needs in ways.targets[row]:
            if target in seen or (needs and any(stuck.get(resource, 0) > spare for resource, spare in needs)):
                continue
            seen.add(target)
            pending.append(target)
    return found


@dataclass(frozen=True)
class _Ways:
    """
    Where tokens of a plan may go on.

    `firsts`: rows at which those begin that are still to come. By row, `batches`: the number of the batch that is
    waited for there, NOWHERE for none, and `targets`: the rows behind it, each with the resources that are asked for on
    the way and how many of their units may be stuck at most.
    """

    firsts: tuple[int, ...]
    batches: tuple[int, ...]
    targets: tuple[tuple[tuple[int, tuple[tuple[int, int], ...]], ...], ...]


@lru_cache(maxsize=KEPT)
def _ways(plan: Plan) -> _Ways:
    """Return where tokens of a plan may go on; asked again for the same plan, it is there."""
    starts: list[int] = plan.sources["first_row"].tolist()
    return _Ways(
        tuple(first for source, first in enumerate(starts) if plan.goes_on(source)),
        tuple(each.batch if each.facts.waits is WaitsFor.BATCH else NOWHERE for each in plan.code),
        tuple(
            tuple((target, _spare(plan, each, then)) for then, target in successors(each, row, starts))
            for row, each in enumerate(plan.code)
        ),
    )


def _spare(plan: Plan, each: Instruction, then: Then) -> tuple[tuple[int, int], ...]:
    """Return how many units of each resource there are beside those that are asked for on the way to go on."""
    if then.when is not When.SERVED or each.facts.units is not Units.SEIZES:
        return ()
    needs = plan.needs_of(each.first_need, each.needs)
    return tuple((int(resource), plan.most_units(resource) - int(units)) for resource, units in needs)


def _held(token: Token) -> list[tuple[ResourceState, int]]:
    """Return the units that a token has in its hands."""
    return [need for visit in token.open.values() if visit.started != NEVER for need in visit.needs]


def _story(plan: Plan, waiting: list[Token], held_by: dict[int, list[tuple[Token, int]]], now: int) -> str:
    lines = [f"deadlock: {len(waiting)} tokens wait for each other and never go on (found at {format_ms(now)})"]
    units_first = [token for token in waiting if token.waits_for is not None]
    named = sorted(units_first or waiting, key=lambda each: each.number)[:NAMED]
    lines += [f"    {plan.names.token(token.number)} waits {_for_what(plan, token, held_by)}" for token in named]
    if len(waiting) > NAMED:
        lines.append(f"    and {len(waiting) - NAMED} more")
    lines.append("    Let steps take their resources in one order, or give one of them more units.")
    return "\n".join(lines)


def _for_what(plan: Plan, token: Token, held_by: dict[int, list[tuple[Token, int]]]) -> str:
    if token.batch is not None and token.delay is not None:
        return f"at {'.'.join(plan.names.steps[token.delay.step].path)} for its batch"
    if token.waits_for is None:
        return "for its children"
    step = plan.names.steps[token.waits_for.visit.step]
    ways = []
    for way in token.waits_for.ways:
        parts = []
        for resource, units in way.needs:
            holders = ", ".join(plan.names.token(holder.number) for holder, _ in held_by.get(resource.number, [])[:3])
            parts.append(
                f"{units} of {plan.names.resources[resource.number]}" + (f" (held by {holders})" if holders else "")
            )
        ways.append(" and ".join(parts))
    return f"at {'.'.join(step.path)} for {', or '.join(ways)}"
