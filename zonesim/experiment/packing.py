"""Tables packed as one string of bytes, for a page that simulates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonesim.experiment.shelf_tables import WORD, words_of


class Packing:
    """
    Tables as one string of bytes that compresses well: each as words of 32 bits, column by column of its rows, each
    word less the one above it; those of one name side by side. A table is called by a number.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, bytes], int] = {}
        self._tables: list[tuple[str, NDArray[np.uint32]]] = []

    def add(self, name: str, table: NDArray[Any], width: int = 0) -> int:
        """Return the number of a table, whose rows have so many bytes (0: its own items)."""
        width = max((width or table.itemsize) // WORD, 1)
        words = words_of(table)
        key = (name, width, words.tobytes())
        if key not in self._known:
            self._known[key] = len(self._tables)
            rows = words.reshape(-1, width) if len(words) % width == 0 else words.reshape(-1, 1)
            self._tables.append((name, rows))
        return self._known[key]

    def packed(self) -> tuple[list[list[int]], bytes]:
        """Return of each table its rows, words of a row and group, and the bytes of all, group by group."""
        groups: dict[tuple[str, int], list[int]] = {}
        for number, (name, rows) in enumerate(self._tables):
            groups.setdefault((name, rows.shape[1]), []).append(number)
        index = [[0, 0, 0]] * len(self._tables)
        parts: list[bytes] = []
        for group, members in enumerate(groups.values()):
            for number in members:
                rows = self._tables[number][1]
                index[number] = [*rows.shape, group]
            parts += self._columns(members)
        return index, b"".join(parts)

    def _columns(self, members: Sequence[int]) -> Iterator[bytes]:
        for column in range(self._tables[members[0]][1].shape[1]):
            for number in members:
                words = np.array(self._tables[number][1][:, column])
                words[1:] -= self._tables[number][1][:-1, column]
                yield words.tobytes()
