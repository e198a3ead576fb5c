"""How many times its demand an arm can carry at most, by the traffic equations: a bound, before any run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from zonesim.analysis.load_warnings import line_name, unknown_text
from zonesim.plan import Load, Plan, departures, loads

CLOSE: Final = 1e-3
"""Resources whose multiples differ by less than this share of them bind together."""


@dataclass(frozen=True)
class Bound:
    """
    The multiple of demand at which a resource is fully loaded, so that its line grows as long as a run lasts.

    `multiple`: inf where nothing is known to limit it. `names`: resources (or steps that wait for departures) that are
    loaded first, none where it is inf. `loose`: demand is too much already, and all that is known is that less than
    `multiple` can be carried. `unknown`: those whose load is not known, with why: they may limit it more.
    """

    multiple: float
    names: tuple[str, ...] = ()
    loose: bool = False
    unknown: tuple[tuple[str, str], ...] = ()


def bound_of(plan: Plan, offset: int) -> Bound:
    """
    Return the bound of a plan in multiples of its own demand. `offset`: of the start from Monday 00:00 in ms.

    A resource that has to do the share `must` of what it can, by arrivals that go on without end, is full at 1 / must
    times the demand. Where the least that must be done follows from a linear programme, this least grows at least in
    proportion to demand (it is convex in it, and 0 without), so 1 / must is a bound as long as must is below 1.
    """
    if plan.terminates:
        return Bound(math.inf)
    found: list[tuple[float, str, bool]] = []
    unknown: list[tuple[str, str]] = []
    for name, load in _named(plan, offset):
        if load.said:
            continue  # said by hand to be stable
        if not load.is_known:
            unknown.append((name, unknown_text(load)))
        if load.must > 0 and not any(plan.comes_to_an_end(source) for source in load.sources):
            loose = load.must >= 1 and not load.is_known
            found.append((1.0 if loose else 1 / load.must, name, loose))
    if not found:
        return Bound(math.inf, unknown=tuple(unknown))
    least = min(multiple for multiple, _, _ in found)
    binding = [each for each in found if each[0] <= least * (1 + CLOSE)]
    names = tuple(dict.fromkeys(name for _, name, _ in binding))
    return Bound(least, names, all(loose for _, _, loose in binding), tuple(unknown))


def grows(plan: Plan, offset: int) -> tuple[str, ...]:
    """Return the resources (or steps that wait for departures) whose load says that a line grows without end."""
    if plan.terminates:
        return ()
    return tuple(dict.fromkeys(name for name, load in _named(plan, offset) if load.grows))


def _named(plan: Plan, offset: int) -> Iterator[tuple[str, Load]]:
    """Yield the loads of resources and of lines for departures, each with the name that people know."""
    yield from ((str(plan.names.resources[load.resource]), load) for load in loads(plan, offset))
    yield from ((line_name(plan, load), load) for load in departures(plan, offset))
