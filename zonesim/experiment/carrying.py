"""
Carrying what a lever changes over from one combination of measures to another, whose tables have other rows.

A guess, which whoever carries has to check against a plan that is compiled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zonesim.experiment.shelf_tables import Change, Tables, copy_of, difference, same

_SHARES: Final = ("arrivals.shares", "adoption_shares")
"""Tables with a row for each practice; its stream says which it is."""


@dataclass(frozen=True)
class Origin:
    """What the levels of a lever change in a combination, and the tables there that they change, with their keys."""

    levels: list[dict[str, Change]]
    tables: Tables


def carried(origin: Origin, tables: Tables) -> list[dict[str, Change]] | None:
    """Return what the levels change in other tables; None where that does not follow from what they change at home."""
    found = []
    for level in origin.levels:
        own: dict[str, Change] = {}
        for name, change in level.items():
            base, other = origin.tables.get(name), tables.get(name)
            if (base is None and other is None) or (base is not None and same(base, other)):
                own[name] = change
                continue
            if base is None or other is None:
                return None
            made = _row_by_row(name, origin.tables, change.applied_to(base), tables)
            if made is None:
                return None
            own |= difference({name: other}, {name: made})
        found.append(own)
    return found


def _row_by_row(name: str, base: Tables, after: NDArray[Any], tables: Tables) -> NDArray[Any] | None:
    """Return a table with the rows changed that stand for what has changed in the `base`."""
    if len(after) != len(base[name]):
        return None
    if name in _SHARES:
        keys, own = _by_key(base["adoption_streams"]), _by_key(tables["adoption_streams"])
        rows = [(own.get(key), after[row]) for key, row in keys.items() if not _equal(after[row], base[name][row])]
        return _with(tables[name], rows)
    if name == "numbers/0":
        return _laws(base, after, tables)
    values = _becomes(base[name], after)
    if values is None:
        return None
    there = map(_bytes, tables[name])
    return _with(tables[name], [(row, values[key]) for row, key in enumerate(there) if key in values])


def _laws(base: Tables, after: NDArray[Any], tables: Tables) -> NDArray[Any] | None:
    """Return the numbers of laws, those changed that had the numbers of laws that have changed."""
    values: dict[tuple[int, bytes], bytes] = {}
    for kind, first, count in base["draws.distributions"].tolist():
        key = kind, base["numbers/0"][first : first + count].tobytes()
        becomes = after[first : first + count].tobytes()
        if values.setdefault(key, becomes) != becomes:
            return None
    found = copy_of(tables["numbers/0"])
    for kind, first, count in tables["draws.distributions"].tolist():
        key = kind, found[first : first + count].tobytes()
        if key in values:
            found[first : first + count] = np.frombuffer(values[key], found.dtype)
    return found


def _becomes(base: NDArray[Any], after: NDArray[Any]) -> dict[bytes, Any] | None:
    """Return which rows become which; None where rows that were equal become different ones."""
    found: dict[bytes, Any] = {}
    for one, other in zip(base, after, strict=True):
        if not _equal(found.setdefault(_bytes(one), other), other):
            return None
    return {key: row for key, row in found.items() if _bytes(row) != key}


def _with(table: NDArray[Any], rows: Sequence[tuple[int | None, Any]]) -> NDArray[Any] | None:
    found = copy_of(table)
    for row, value in rows:
        if row is None:
            return None
        found[row] = value
    return found


def _by_key(streams: NDArray[Any]) -> Mapping[bytes, int]:
    return {_bytes(row): number for number, row in enumerate(streams)}


def _bytes(row: Any) -> bytes:  # noqa: ANN401
    return np.asarray(row).tobytes()


def _equal(one: Any, other: Any) -> bool:  # noqa: ANN401
    return _bytes(one) == _bytes(other)
