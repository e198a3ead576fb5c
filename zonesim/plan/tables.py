"""Tables under construction: rows are added once and found again, so equal rows share a number."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from zonesim.faults import InternalError, ScenarioFault
from zonesim.plan.assembly import Later

Row = TypeVar("Row", bound=Hashable)

Order = tuple[int, ...]
"""Where something stands in a flow and those around it, so that what comes first is less."""


class Table(Generic[Row]):
    """Rows in order of their first use."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._numbers: dict[Row, int] = {}
        self._places: dict[Row, list[int]] = {}
        self._runs: dict[tuple[Row, ...], int] = {(): 0}

    def add(self, row: Row) -> int:
        """Return the number of `row`, adding it if it is new."""
        if row not in self._numbers:
            self._append(row)
        return self._numbers[row]

    def add_run(self, rows: tuple[Row, ...]) -> int:
        """Return the number of the first of `rows`, which then stand one behind the other."""
        if rows not in self._runs:
            starts = self._places.get(rows[0], [])
            found = (start for start in starts if tuple(self.rows[start : start + len(rows)]) == rows)
            self._runs[rows] = next(found, len(self.rows))
            if self._runs[rows] == len(self.rows):
                for row in rows:
                    self._append(row)
        return self._runs[rows]

    def _append(self, row: Row) -> None:
        self._numbers.setdefault(row, len(self.rows))
        self._places.setdefault(row, []).append(len(self.rows))
        self.rows.append(row)


class Keyed(Generic[Row]):
    """Descriptions found by a key; the first description of a key stays."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._numbers: dict[Hashable, int] = {}

    def add(self, key: Hashable, row: Row) -> int:
        """Return the number of `key`, adding `row` for it if it is new."""
        if key not in self._numbers:
            self._numbers[key] = len(self.rows)
            self.rows.append(row)
        return self._numbers[key]

    def number(self, key: Hashable) -> int:
        """Return the number of a key that is there."""
        return self._numbers[key]


class Numbered(Generic[Row]):
    """
    Descriptions found by a key, and numbered in the end by their order: that of their first place.

    Of the descriptions of a key, the first in order stays. `rows` are there once the table is closed.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._found: dict[Hashable, tuple[Order, Callable[[], Row]]] = {}
        self._numbers: dict[Hashable, Later] = {}

    def add(self, key: Hashable, order: Order, row: Callable[[], Row]) -> Later:
        """Return the number of `key`; its description at this place is what `row` returns when the table is closed."""
        if key not in self._found or order < self._found[key][0]:
            self._found[key] = (order, row)
        return self._numbers.setdefault(key, Later())

    def close(self) -> None:
        """Number the rows."""
        for key, (_, row) in sorted(self._found.items(), key=lambda item: item[1][0]):
            self._numbers[key].row = len(self.rows)
            self.rows.append(row())


class Streams:
    """Random streams by the name of their place in the model."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._ids: dict[int, str] = {}

    def add(self, name: str) -> int:
        """Return the number of the stream called `name`; two names with one identity are a fault."""
        if name not in self._numbers:
            identity = stream_identity(name)
            if identity in self._ids:
                message = f"streams '{name}' and '{self._ids[identity]}' have the same identity; rename a step"
                raise InternalError(message)
            self._ids[identity] = name
            self._numbers[name] = len(self.names)
            self.names.append(name)
        return self._numbers[name]


def stream_identity(name: str) -> int:
    """Return the 64-bit identity of a stream: BLAKE2b of its name."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


class Collector:
    """Faults gathered while compiling, so that all of them are reported together."""

    def __init__(self) -> None:
        self.faults: list[ScenarioFault] = []

    def add(self, fault: ScenarioFault) -> None:
        """Keep one more fault."""
        self.faults.append(fault)
