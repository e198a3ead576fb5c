"""Of which kinds the tokens of a source are: classes, and the practices that they have adopted, with their shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise, product
from typing import Final, NamedTuple

import numpy as np

from zonesim.plan.adoption import BY
from zonesim.plan.operations import NOWHERE
from zonesim.plan.plan import LISTED_CLASS, LISTED_PART, Plan

NEGLIGIBLE: Final = 1e-9
BY_TOKEN: Final = BY["token"]

MOST_KINDS: Final = 1_000
"""Kinds of tokens of a source that are told apart from the start on; of more, what they adopt is left open."""

Orders = tuple[tuple[tuple[float, int], ...], ...]
"""By order of adopters, the (share, flag) of what is adopted in it: who has a flag has those of larger shares too."""


class Kind(NamedTuple):
    """Tokens of one kind: their share, class and flags; `open` are the bits of flags that some have, by `orders`."""

    share: float
    klass: int
    flags: int
    open: int = 0
    orders: Orders = ()


def kinds_of(plan: Plan, source: int, asked: int = -1, most: int = MOST_KINDS) -> list[Kind]:
    """
    Return the kinds of tokens of a source, averaged over the run, as far as the flags whose bits are in `asked` tell
    them apart; practices adopted in one order are adopted together. Of more than `most` kinds it is left open what they
    adopt.
    """
    own = plan.sources[source]
    mix, fixed = int(own["mix"]), int(own["class"])
    members = plan.members_of(own["group"])
    if mix != NOWHERE:
        shares = np.diff(plan.mixes[mix], prepend=0.0)
        classes = [(float(share), klass) for klass, share in enumerate(shares) if share > 0]
    elif fixed == LISTED_CLASS:
        classes = _listed(plan, source)
    elif fixed >= 0:
        classes = [(1.0, fixed)]
    else:
        classes = [
            (float(members["share"][members["class"] == klass].sum()), int(klass))
            for klass in np.unique(members["class"])
        ]
    if fixed == LISTED_PART:
        classes = _with(classes, _listed(plan, source))
    for row in plan.attributes[plan.attributes["source"] == source]:
        shares = np.diff(plan.attribute_shares[row["first"] : row["first"] + row["values"]], prepend=0.0)
        values = [(float(share), int(row["step"]) * place) for place, share in enumerate(shares) if share > 0]
        classes = _with(classes, values)
    parts = [
        (weight, tuple(tuple(each for each in order if asked >> each[1] & 1) for order in orders))
        for weight, orders in _adopted(plan, source, int(own["parties"]) if own["group"] != NOWHERE else 0)
    ]
    if any(math.prod(len(order) + 1 for order in orders) > most for _, orders in parts):
        return [
            Kind(share * weight, klass, 0, flags_of(orders), orders)
            for weight, orders in parts
            for share, klass in classes
        ]
    kinds: dict[tuple[int, int], float] = {}
    for weight, orders in parts:
        for share, klass in classes:
            for combination in product(*(_prefixes(order) for order in orders)):
                part, flags = share * weight, 0
                for met, raised in combination:
                    part, flags = part * met, flags | raised
                kinds[klass, flags] = kinds.get((klass, flags), 0.0) + part
    return [Kind(share, klass, flags) for (klass, flags), share in kinds.items() if share > NEGLIGIBLE]


def _listed(plan: Plan, source: int) -> list[tuple[float, int]]:
    """Return what a source lists with the times of its arrivals, each with its share."""
    named = plan.times_of(source)["class"]
    return [(float((named == klass).mean()), int(klass)) for klass in np.unique(named)]


def _with(classes: list[tuple[float, int]], parts: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """Return classes with a part that is added to each, independent of it."""
    return [(share * weight, klass + part) for share, klass in classes for weight, part in parts]


def flags_of(orders: Orders) -> int:
    """Return the bits of all flags in some orders."""
    return sum(1 << flag for order in orders for _, flag in order)


def adopting(orders: Orders, flag: int, raised: int, lowered: int) -> float:
    """Return the share that has a flag of those who have the flags `raised` and do not have the flags `lowered`."""
    for order in orders:
        shares = {own: share for share, own in order}
        if flag in shares:
            most = min([1.0, *(share for own, share in shares.items() if raised >> own & 1)])
            least = max([0.0, *(share for own, share in shares.items() if lowered >> own & 1)])
            return min(max((shares[flag] - least) / (most - least), 0.0), 1.0) if most > least else 0.0
    return 0.0


def _adopted(plan: Plan, source: int, parties: int) -> list[tuple[float, list[list[tuple[float, int]]]]]:
    """
    Return, for each part of the run with shares of its own, how large it is and the (share, flag) of tokens of a
    source by order of adopters.
    """
    mine = (plan.adoptions["source"] == source) | ((plan.adoptions["source"] == NOWHERE) & bool(parties))
    rows = [
        (*row, share, stream)
        for row, share, stream in zip(
            plan.adoptions[mine].tolist(),
            plan.adoption_shares[mine].tolist(),
            plan.adoption_streams[mine].tolist(),
            strict=True,
        )
    ]
    edges = sorted({0, plan.horizon, *plan.adoptions[mine]["begins"].tolist(), *plan.adoptions[mine]["until"].tolist()})
    found = []
    for begin, end in pairwise(edges):
        orders: dict[int, dict[int, float]] = {}
        for flag, _, by, party, holds, until, share, stream in rows:
            if holds <= begin < until:
                met = share if by == BY_TOKEN or party != NOWHERE else share**parties  # all firms have to adopt
                order = orders.setdefault(stream, {})
                order[flag] = order.get(flag, 1.0) * met
        found.append(
            ((end - begin) / plan.horizon, [[(met, flag) for flag, met in order.items()] for order in orders.values()])
        )
    return found


def _prefixes(order: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    """Return (share, flags) of those who adopt none, the most common, the two most common … practices of one order."""
    ranked = sorted(order, reverse=True)
    bounds = [1.0, *(share for share, _ in ranked), 0.0]
    flags = [0]
    for _, flag in ranked:
        flags.append(flags[-1] | 1 << flag)
    return [(bounds[count] - bounds[count + 1], flags[count]) for count in range(len(flags))]
