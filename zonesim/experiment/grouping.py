"""
Levels of several levers worked out from one plan, where the levers change different things.

What each lever touches is known from one of its levels. A plan with others of their levels tells what each changes
there, as long as everything that changes is touched by one of them alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from zonesim.experiment.shelf_tables import Change

Touched = Mapping[str, frozenset[int] | None]
"""By table the numbers that are changed, of 8 bytes each; None: any of them."""

_NUMBER: Final = 2
"""Words of a number."""


def touched_by(changes: Mapping[str, Change]) -> Touched:
    """Return what a level touches."""
    return {
        name: None if own.places is None else frozenset((own.places // _NUMBER).tolist())
        for name, own in changes.items()
    }


def are_apart(one: Touched, other: Touched) -> bool:
    """Return whether two levers change different things."""
    for name in one.keys() & other.keys():
        first, second = one[name], other[name]
        if first is None or second is None or first & second:
            return False
    return True


def grouped(touched: Mapping[int, Touched]) -> list[list[int]]:
    """Return levers in groups of those that change different things."""
    groups: list[list[int]] = []
    for lever, own in touched.items():
        for group in groups:
            if all(are_apart(own, touched[other]) for other in group):
                group.append(lever)
                break
        else:
            groups.append([lever])
    return groups


def attributed(changes: Mapping[str, Change], touched: Sequence[Touched]) -> list[dict[str, Change]] | None:
    """Return what of some changes is whose; None where something is nobody's."""
    found: list[dict[str, Change]] = [{} for _ in touched]
    for name, change in changes.items():
        owners = [number for number, own in enumerate(touched) if name in own]
        if len(owners) == 1:
            found[owners[0]][name] = change
            continue
        if change.places is None or change.words is None:
            return None
        left = len(change.places)
        for owner in owners:
            numbers = touched[owner][name] or frozenset()
            own = np.isin(change.places // _NUMBER, list(numbers))
            if own.any():
                found[owner][name] = Change(None, change.places[own], change.words[own])
                left -= int(own.sum())
        if left:
            return None
    return found
