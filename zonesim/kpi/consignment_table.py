"""What a run's consignments reached, and the waits of its visits: arrays that grow between blocks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zonesim.kpi import fold_layout as f
from zonesim.kpi import folding
from zonesim.kpi.fold_tables import ARRIVED, FoldTables
from zonesim.plan import CHILD_BITS, Ints, ordinal_of, source_of

Spans = NDArray[np.int32] | NDArray[np.int64]

_FIRST_PLACES: Final = 64
_LARGE: Final = 1 << 24
"""Bytes."""


def room(array: NDArray[Any], length: int, *, zeros: bool = True) -> NDArray[Any]:
    """
    Return an array of at least `length` that begins with `array` and goes on with zeros, or with anything. Nobody may
    hold a view of it.

    Large arrays grow in place and by little, so that no two of them are there.
    """
    if len(array) >= length:
        return array
    if array.nbytes > _LARGE:
        array.resize(max(length, len(array) * 17 // 16), refcheck=False)
        return array
    grown = (np.zeros if zeros else np.empty)(max(length, 2 * len(array)), dtype=array.dtype)
    grown[: len(array)] = array
    return grown


@dataclass(frozen=True)
class Facts:
    """The facts of the notes of one kind, which take memory while somebody reads them."""

    notes: Ints
    """All notes; shape (n, NOTE_FIELDS)."""
    rows: Ints
    """Which of them, in the order in which they were begun."""

    def read(self, column: int) -> Ints:
        """Return one of the five facts of each note."""
        found: Ints = self.notes[self.rows, f.FACTS + column]
        return found


class Dossiers:
    """
    The dossiers and notes of a run's consignments, as `folding` lays them out.

    4 bytes a consignment and 4 for each of its milestones (4 more where there are notes, and 56 for each of these).
    """

    def __init__(self, tables: FoldTables, sources: int, state: Ints) -> None:
        self.tables = tables
        self.state = state
        self.sources = np.zeros((max(sources, 1), f.SOURCE_FIELDS), dtype=np.int64)
        self.sources[:, : f.SEEN] = f.UNSEEN
        state[f.STRIDE] = _FIRST_PLACES
        self.width = max(len(tables.milestones), 1)
        state[f.MILESTONES] = self.width
        state[f.REACHED] = tables.reached
        self.directory = np.zeros(len(self.sources) * _FIRST_PLACES, dtype=np.int64)
        self.bases = np.zeros(1, dtype=np.int64)
        self.arrivals = np.zeros(1, dtype=np.int32)
        self.far = np.zeros(1, dtype=np.int64)
        self.milestones = np.zeros(1, dtype=np.int32)
        self.heads = np.zeros(1, dtype=np.int32)
        self.notes = np.zeros(1, dtype=np.int64)
        self.late = np.zeros(1, dtype=np.int64)
        self.settled_late: dict[tuple[int, int], tuple[Ints, Ints]] = {}
        """By position of the milestone and source: ordinals, and the spans that take more than 31 bits."""
        self.taken = np.zeros((0, 2), dtype=np.int64)
        """Position of the milestone, and number of the token, of each milestone that was taken back."""

    def make_room(self, marks: int) -> None:
        """Grow so that so many marks find room."""
        places, stride = (int(self.sources[:, f.SEEN].max()) + marks) // f.CHUNK + 2, int(self.state[f.STRIDE])
        if places > stride:
            directory = np.zeros((len(self.sources), 2 * places), dtype=np.int64)
            directory[:, :stride] = self.directory.reshape(-1, stride)
            self.directory, self.state[f.STRIDE] = directory.ravel(), 2 * places
        rows = (int(self.state[f.CHUNKS]) + marks // f.CHUNK + len(self.sources)) * f.CHUNK
        self.bases = room(self.bases, rows // f.CHUNK)
        self.arrivals = room(self.arrivals, rows)
        self.far = room(self.far, int(self.state[f.FAR]) + marks, zeros=False)
        self.milestones = room(self.milestones, rows * self.width)
        self.late = room(self.late, 2 * (int(self.state[f.LATE]) + marks), zeros=False)
        if self.tables.noting:
            self.heads = room(self.heads, rows)
            self.notes = room(self.notes, (int(self.state[f.NOTES]) + marks) * f.NOTE_FIELDS, zeros=False)

    def settle(self, inside: Ints) -> None:
        """
        Look up the milestones that were late, and take back those that a child among those `inside` (LEAVE
        pseudo-step, token) has yet to reach; nothing is folded after this.
        """
        if late := int(self.state[f.LATE]):
            cells, spans = self.late[: 2 * late].reshape(-1, 2).T
            chunks, columns = np.divmod(cells >> f.CHUNK_BITS, self.width)
            source, place = self._owners()[chunks].T
            ordinal = place * f.CHUNK + (cells & (f.CHUNK - 1))
            for key in set(zip(columns.tolist(), source.tolist(), strict=True)):
                mine = (columns == key[0]) & (source == key[1])
                self.settled_late[key] = ordinal[mine], spans[mine]
        taken = np.zeros(2 * self.width * len(inside), dtype=np.int64)
        count = folding.take_back(
            self.state,
            np.ascontiguousarray(inside).ravel(),
            self.tables.reachable,
            self.directory,
            self.milestones,
            self.heads,
            self.notes,
            taken,
        )
        self.taken = taken[: 2 * count].reshape(-1, 2)

    def when_arrived(self, source: int, first: int, after: int) -> Ints:
        """Return when the consignments `first` to `after` - 1 of a source arrived (ms)."""
        after_base = self._rows(_chunks(self.arrivals, 1)[:, 0], source, first, after)
        chunks = self._places(source, first, after)
        found: Ints = self.bases[np.repeat(chunks, f.CHUNK)][first % f.CHUNK :][: after - first] + after_base
        if self.state[f.FAR]:
            far = after_base < 0
            found[far] = self.far[-1 - after_base[far]]
        return found

    def spans(self, name: str, source: int, first: int, after: int) -> Spans:
        """Return how many ms after its arrival each consignment reached a milestone, plus 1; 0: it has not."""
        if name not in self.tables.milestones:
            return np.broadcast_to(np.int32(name == ARRIVED), (after - first,))  # takes no memory
        column = self.tables.milestones.index(name)
        found: Spans = self._rows(_chunks(self.milestones, self.width)[:, column], source, first, after)
        if (column, source) in self.settled_late:
            ordinals, spans = self.settled_late[column, source]
            inside = (ordinals >= first) & (ordinals < after)
            place, spans = ordinals[inside] - first, spans[inside]
            reached = found[place] > 0  # it may be taken back
            found = found.astype(np.int64)
            np.maximum.at(found, place[reached], spans[reached])
        return found

    def reached(self, name: str, source: int, first: int, after: int) -> NDArray[np.bool_]:
        """Return whether any token of each consignment has reached a milestone, whoever may yet do so."""
        found = self.spans(name, source, first, after) > 0
        if name in self.tables.milestones and len(self.taken):
            milestones, numbers = self.taken.T
            mine = (milestones == self.tables.milestones.index(name)) & (source_of(numbers) == source)
            ordinals = ordinal_of(numbers[mine])
            found[ordinals[(ordinals >= first) & (ordinals < after)] - first] = True
        return found

    def _owners(self) -> Ints:
        """Return, by chunk, the source that it belongs to and its number there."""
        owners = np.zeros((int(self.state[f.CHUNKS]), 2), dtype=np.int64)
        directory = self.directory.reshape(len(self.sources), -1)
        for source, opened in enumerate(self.sources[:, f.OPENED].tolist()):
            owners[directory[source, :opened], 0] = source
            owners[directory[source, :opened], 1] = np.arange(opened)
        return owners

    def _places(self, source: int, first: int, after: int) -> Ints:
        """Return the chunks in which the dossiers of consignments of a source lie."""
        low, high = first >> f.CHUNK_BITS, (after + f.CHUNK - 1) >> f.CHUNK_BITS
        return self.directory[source * int(self.state[f.STRIDE]) :][low:high]

    def _rows(self, chunks: NDArray[Any], source: int, first: int, after: int) -> NDArray[Any]:
        """Return what is told of the consignments `first` to `after` - 1 of a source; a view, where they lie so."""
        begin = first % f.CHUNK
        rows = _taken(chunks, self._places(source, first, after)).reshape(-1)
        return rows[begin : begin + after - first]

    def facts(self) -> list[Facts]:
        """Return the facts of all notes by kind, each in the order in which its notes were begun."""
        notes = self.notes[: int(self.state[f.NOTES]) * f.NOTE_FIELDS].reshape(-1, f.NOTE_FIELDS)
        kinds = (notes[:, f.TAG] >> CHILD_BITS).astype(np.int16)  # few, so that sorting counts them
        order = np.argsort(kinds, kind="stable")
        edges = np.searchsorted(kinds[order], np.arange(self.tables.reached + 1)).tolist()
        return [Facts(notes, order[first:after]) for first, after in pairwise(edges)]


class Waits:
    """
    The waits of measured tokens by step, but for those of 0 ms, and of some steps the services and stays: 4 bytes each.
    """

    def __init__(self, steps: int, state: Ints, times: int = 1) -> None:
        self.state = state
        self.steps = steps
        self.times = times
        """How many times of a visit are kept at most."""
        self.kept = np.zeros(1, dtype=np.int32)
        self.owners = np.zeros(1, dtype=np.int32)
        self.counts: list[int] = []
        """By step; `first` says where its waits begin in `kept`."""
        self.first: list[int] = []
        self.late = np.zeros(1, dtype=np.int64)
        self.still = np.zeros((0, 2), dtype=np.int64)
        """Step, and when it was queued (ms), of each visit that still waits when the run ends."""

    def make_room(self, visits: int) -> None:
        """Grow so that so many visits find room."""
        times = visits * self.times
        chunks = int(self.state[f.WAITS]) + times // f.CHUNK + self.steps + 1
        self.kept = room(self.kept, chunks * f.CHUNK, zeros=False)
        self.owners = room(self.owners, chunks, zeros=False)
        self.late = room(self.late, 2 * (int(self.state[f.LATE_WAITS]) + times), zeros=False)

    def settle(self, steps: Ints, still: Ints) -> None:
        """
        Bring the waits of each step together, and find how many there are; `still`: step and time of queueing of the
        visits that still wait. Nothing is kept after this.
        """
        self.still = still
        owners = self.owners[: int(self.state[f.WAITS])]
        chunks = np.bincount(owners, minlength=self.steps)
        self.counts = (chunks * f.CHUNK - steps[:, f.KEPT_END] + steps[:, f.KEPT]).tolist()
        self.first = ((chunks.cumsum() - chunks) * f.CHUNK).tolist()
        folding.arrange(self.kept, np.argsort(owners, kind="stable"), np.empty(f.CHUNK, dtype=np.int32))

    def of(self, step: int) -> Spans:
        """Return the waits at a step; a view, where they all fit into it."""
        first = self.first[step]
        found: Spans = self.kept[first : first + self.counts[step]]
        if late := int(self.state[f.LATE_WAITS]):
            numbers, waits = self.late[: 2 * late].reshape(-1, 2).T
            found = np.concatenate([found[found < f.LONG], waits[numbers == step]])
        return found

    def give_up(self) -> None:
        """Keep no waits any longer."""
        self.kept = np.zeros(0, dtype=np.int32)

    def queued(self, step: int) -> Ints:
        """Return when those that still wait at a step when the run ends were queued (ms)."""
        found: Ints = self.still[self.still[:, 0] == step, 1]
        return found


def _chunks(array: NDArray[Any], width: int) -> NDArray[Any]:
    """Return an array as chunks of so many columns."""
    return array[: len(array) // (width * f.CHUNK) * width * f.CHUNK].reshape(-1, width, f.CHUNK)


def _taken(rows: NDArray[Any], places: Ints) -> NDArray[Any]:
    """Return rows of an array; where they follow each other, a view."""
    if len(places) and (np.diff(places) == 1).all():
        return rows[places[0] : places[-1] + 1]
    found: NDArray[Any] = rows[places]
    return found
