"""
The tables of a plan taken apart, and what has to change in them: whole tables, single words, or units for other units.

A change of units says which numbers of units become which, in whatever rows there are: so it composes with one of
hours, which sets the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zonesim.engine import tables_of
from zonesim.plan import Plan

WORD: Final = 4
"""Bytes of a word that a patch changes."""

_FEW: Final = 64
"""Words up to which a table is changed word by word, however many change: so levers compose that share it."""

_UNITS: Final = slice(4, None, 6)
"""Where the units stand in the words of a table of changes of capacity: time, resource and units, two words each."""

Tables = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Change:
    """What a level changes in a table: all of it, the words at some places, or units (those of a row become others)."""

    whole: NDArray[Any] | None = None
    places: NDArray[np.uint32] | None = None
    words: NDArray[np.uint32] | None = None
    units: Mapping[int, int] | None = None

    def applied_to(self, table: NDArray[Any]) -> NDArray[Any]:
        """Return a table with the change."""
        if self.whole is not None:
            return self.whole
        found = copy_of(table)
        own = words_of(found)
        if self.units is not None:
            own[_UNITS] = [self.units.get(units, units) for units in own[_UNITS].tolist()]
        elif self.places is not None and self.words is not None:
            own[self.places] = self.words
        return found


def composed(tables: Tables, changes: Sequence[Mapping[str, Change]]) -> Tables:
    """Return tables with changes: first those of whole tables and words, then those of units."""
    found = dict(tables)
    for of_units in (False, True):
        for change in changes:
            for name, own in change.items():
                if (own.units is not None) is of_units:
                    found[name] = own.applied_to(found.get(name, np.zeros(0, np.uint32)))
    return found


def split_tables(plan: Plan) -> Tables:
    """
    Return the tables of a plan, taken apart where levers change parts: changes of capacity by resource, rates by source
    (without what is expected before, which follows from them), the numbers of laws by law.
    """
    found = {name: _without_gaps(table) for name, table in tables_of(plan).items()}
    del found["ahead.numbers"]
    state = np.array(found["state"])
    state["changes"] = 0
    found["state"] = state
    changes = found.pop("resources.changes")
    for resource in range(len(plan.resources)):
        found[f"changes/{resource}"] = changes[changes["resource"] == resource]
    rates = found.pop("arrivals.rates")
    found["rates/begins"], found["rates/rate"] = np.array(rates["begins"]), np.array(rates["rate"])
    if not np.array_equal(expected_before(rates, plan), rates["expected_before"]):
        found["rates/expected"] = np.array(rates["expected_before"])
    numbers, laws = found.pop("draws.numbers"), found["draws.distributions"]
    place = int((laws[:, 1] + laws[:, 2]).max(initial=0))
    found["numbers/0"] = numbers[:place]
    count = 1
    while place < len(numbers):
        after = place + 3 + 2 * (int(numbers[place + 2]) + 2)
        found[f"numbers/{count}"] = numbers[place:after]
        place, count = after, count + 1
    return found


def _without_gaps(table: NDArray[Any]) -> NDArray[Any]:
    """Return a table with zeros between the fields of its rows, where anything may stand."""
    if table.dtype.fields is None:
        return table
    kept = np.zeros(table.itemsize, np.bool_)
    for own, place, *_ in table.dtype.fields.values():
        kept[place : place + own.itemsize] = True
    found = np.frombuffer(table.tobytes(), np.uint8).reshape(-1, table.itemsize) * kept
    return found.view(table.dtype).reshape(table.shape)


def expected_before(rates: NDArray[Any], plan: Plan) -> NDArray[np.float64]:
    """Return how many arrivals are expected before each row of the rates, added up row by row within each source."""
    found = np.zeros(len(rates))
    for source in range(len(plan.sources)):
        own = plan.rates_of(source)
        if len(own) == 0:
            continue
        first = int(plan.sources["first"][source])
        steps = np.diff(own["begins"]) * own["rate"][:-1]
        found[first + 1 : first + len(own)] = np.cumsum(steps)
    return found


def difference(base: Tables, other: Tables) -> dict[str, Change]:
    """Return what has to change in some tables so that they are the others."""
    found: dict[str, Change] = {}
    for name, table in other.items():
        before = base.get(name)
        if before is not None and before.nbytes == table.nbytes:
            one, two = words_of(before), words_of(table)
            places = np.flatnonzero(one != two)
            if len(places) == 0:
                continue
            if (units := _units(name, one, two)) is not None:
                found[name] = Change(units=units)
                continue
            if len(places) < len(two) // 4 or len(two) <= _FEW:
                found[name] = Change(None, places.astype(np.uint32), two[places])
                continue
        found[name] = Change(table)
    for name in base.keys() - other.keys():
        found[name] = Change(np.zeros(0, np.uint32))
    return found


def _units(name: str, one: NDArray[np.uint32], two: NDArray[np.uint32]) -> dict[int, int] | None:
    """Return which numbers of units become which; None where that is not all that changes in a table."""
    if not name.startswith("changes/"):
        return None
    found: dict[int, int] = {}
    for before, after in zip(one[_UNITS].tolist(), two[_UNITS].tolist(), strict=True):
        if found.setdefault(before, after) != after:
            return None
    found = {before: after for before, after in found.items() if before != after}
    made = np.array(one)
    made[_UNITS] = [found.get(units, units) for units in one[_UNITS].tolist()]
    return found if np.array_equal(made, two) else None


def copy_of(table: NDArray[Any]) -> NDArray[Any]:
    """Return a copy to the byte; what numpy copies has anything between the fields of its rows."""
    return np.frombuffer(bytearray(table.tobytes()), table.dtype).reshape(table.shape)


def same(one: NDArray[Any], other: NDArray[Any] | None) -> bool:
    """Return whether two tables are equal to the byte."""
    return other is not None and one.tobytes() == other.tobytes()


def words_of(table: NDArray[Any]) -> NDArray[np.uint32]:
    """Return the words of a table, which are its own where its bytes fill them; else bytes are added."""
    data = np.ascontiguousarray(table)
    flat = data.view(np.uint8).reshape(-1) if data.nbytes else np.zeros(0, np.uint8)
    if len(flat) % WORD:
        flat = np.concatenate([flat, np.zeros(WORD - len(flat) % WORD, np.uint8)])
    return flat.view(np.uint32)
