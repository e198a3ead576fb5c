"""Finding tokens that wait for each other for ever."""

from __future__ import annotations

from collections.abc import Iterable

from zonesim.engine.pools import Pool
from zonesim.engine.tokens import Token
from zonesim.faults import RunFault
from zonesim.plan.operations import NOWHERE
from zonesim.plan.plan import Plan
from zonesim.plan.records import NEVER
from zonesim.units import format_ms

NAMED = 6
"""How many of the waiting tokens a message names."""


def check_standstill(plan: Plan, inside: Iterable[Token], now: int) -> None:
    """
    Raise RunFault if some tokens can never go on, naming who waits for what.

    A token can go on if it lets time pass, or waits for a child that can, or waits for units that would be free if
    all tokens that can go on gave theirs back while the resource is open to its fullest. What remains waits only
    for each other: a deadlock.
    """
    tokens = list(inside)
    most = [int(plan.changes[first : first + rows, 1].max()) for first, rows, _ in plan.resources.tolist()]
    held_by: dict[int, list[tuple[Token, int]]] = {}
    children: dict[int, list[Token]] = {}
    for token in tokens:
        for pool, units in _held(token):
            held_by.setdefault(pool.number, []).append((token, units))
        if token.parent is not None:
            children.setdefault(id(token.parent), []).append(token)
    able = {id(token) for token in tokens if token.waits_for is None and token.joins == NOWHERE}
    waiting = [token for token in tokens if id(token) not in able]
    stuck: dict[int, int] = {}
    for token in waiting:
        for pool, units in _held(token):
            stuck[pool.number] = stuck.get(pool.number, 0) + units
    freed = True
    while freed:
        freed = False
        for token in waiting:
            if token.waits_for is not None:
                free = all(
                    units + stuck.get(pool.number, 0) <= most[pool.number] for pool, units in token.waits_for.needs
                )
            else:
                waited_for = [child for child in children.get(id(token), []) if child.group == token.joins]
                free = all(id(child) in able for child in waited_for)
            if free:
                freed = True
                able.add(id(token))
                for pool, units in _held(token):
                    stuck[pool.number] -= units
        waiting = [token for token in waiting if id(token) not in able]
    if waiting:
        raise RunFault(_story(plan, waiting, held_by, now))


def _held(token: Token) -> list[tuple[Pool, int]]:
    """Return the units that a token has in its hands."""
    return [need for visit in token.open.values() if visit.started != NEVER for need in visit.needs]


def _story(plan: Plan, waiting: list[Token], held_by: dict[int, list[tuple[Token, int]]], now: int) -> str:
    lines = [f"deadlock: {len(waiting)} tokens wait for each other and never go on (found at {format_ms(now)})"]
    units_first = [token for token in waiting if token.waits_for is not None]
    named = sorted(units_first or waiting, key=lambda each: each.number)[:NAMED]
    lines += [f"    {_name(plan, token)} waits {_for_what(plan, token, held_by)}" for token in named]
    if len(waiting) > NAMED:
        lines.append(f"    and {len(waiting) - NAMED} more")
    lines.append("    Let steps take their resources in one order, or give one of them more units.")
    return "\n".join(lines)


def _for_what(plan: Plan, token: Token, held_by: dict[int, list[tuple[Token, int]]]) -> str:
    if token.waits_for is None:
        return "for its children"
    step = plan.names.steps[token.waits_for.visit.step]
    parts = []
    for pool, units in token.waits_for.needs:
        holders = ", ".join(_name(plan, holder) for holder, _ in held_by.get(pool.number, [])[:3])
        parts.append(f"{units} of {plan.names.resources[pool.number]}" + (f" (held by {holders})" if holders else ""))
    return f"at {'.'.join(step.path)} for {' and '.join(parts)}"


def _name(plan: Plan, token: Token) -> str:
    source = plan.names.sources[token.number >> 32]
    return f"{source}#{token.ordinal}" + (f"/{token.child}" if token.child else "")
