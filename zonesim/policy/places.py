"""Where the values of a world were written: a table by path, of which copies share what neither of them changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Final

from zonesim.faults import Place
from zonesim.scenario import Path_

_HEAD: Final = 2
"""So many names of a path say in which part of the table it stands: `library.F5`, `traffic.import_sea`."""


class PlaceTable(MutableMapping[Path_, Place]):
    """Places by path. A copy takes no longer than there are parts, and to look below a path no longer than one part."""

    def __init__(self, places: Mapping[Path_, Place] | None = None) -> None:
        self._parts: dict[Path_, dict[Path_, Place]] = {}
        self._own: set[Path_] = set()
        """The parts that no other table shares."""
        if places:
            self.update(places)

    def copy(self) -> PlaceTable:
        """Return a table that can be changed without changing this one."""
        found = PlaceTable()
        found._parts = dict(self._parts)
        self._own = set()
        return found

    def __getitem__(self, path: Path_) -> Place:
        return self._parts[path[:_HEAD]][path]

    def get(self, path: Path_, default: Place | None = None) -> Place | None:  # type: ignore[override]  # one default
        """Return the place of a path."""
        part = self._parts.get(path[:_HEAD])
        return default if part is None else part.get(path, default)

    def __contains__(self, path: object) -> bool:
        return isinstance(path, tuple) and path in self._parts.get(path[:_HEAD], ())

    def __setitem__(self, path: Path_, place: Place) -> None:
        self._writable(path[:_HEAD])[path] = place

    def __delitem__(self, path: Path_) -> None:
        del self._writable(path[:_HEAD])[path]

    def __iter__(self) -> Iterator[Path_]:
        for part in self._parts.values():
            yield from part

    def __len__(self) -> int:
        return sum(map(len, self._parts.values()))

    def below(self, path: Path_) -> list[tuple[Path_, Place]]:
        """Return what stands at a path and below it, in the order in which it came, with the places."""
        end = len(path)
        parts = [self._parts.get(path[:_HEAD], {})] if end >= _HEAD else list(self._parts.values())
        return [(known, place) for part in parts for known, place in part.items() if known[:end] == path]

    def forget(self, path: Path_) -> None:
        """Take out what stands at a path and below it."""
        for known, _ in self.below(path):
            del self[known]

    def repeat(self, old: Path_, new: Path_) -> None:
        """Let what stands at `new` and below have the places of what stands at `old` and below."""
        for path, place in self.below(old):
            self[new + path[len(old) :]] = place

    def _writable(self, head: Path_) -> dict[Path_, Place]:
        if head not in self._own:
            self._parts[head] = dict(self._parts.get(head, {}))
            self._own.add(head)
        return self._parts[head]
