"""
The register of numbers: every quantity of a world with where it comes from.

A number belongs to the nearest `source` around it. Found numbers of low confidence, and numbers without any source,
count as assumed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from zonesim import units
from zonesim.faults import Place, ScenarioFault
from zonesim.policy.edits import dotted
from zonesim.policy.resolved_tree import USES, ResolvedTree
from zonesim.scenario import Path_, SourceNote, load_catalogue

KINDS: Final = ("found", "derived", "assumed")
_ROOTS: Final = (
    "adopted",
    "zones",
    "firms",
    "attributes",
    "truth",
    "traffic",
    "flows",
    "library",
    USES,
    "measures",
    "profiles",
    "factors",
    "calendars",
    "kpis",
    "costs",
    "investments",
    "promises",
)
_BARE_NUMBERS: Final = frozenset(
    {
        "units",
        "cv",
        "shape",
        "zipf",
        "count",
        "number",
        "most",
        "hours",
        "days",
        "months",
        "batch",
        "value",
        "account",
        "floor",
        "credit",
        "debit",
        "convert",
        "lots",
        "factors",
        "lift",
        "times",
        "life",
    }
)
_NO_NUMBERS: Final = frozenset({"label", "source", "note", "clock", "at", "by", "name", "priority", "trace"})


@dataclass(frozen=True)
class Entry:
    """A number: its path, its text, where it is written, and the source (None: none is given)."""

    path: Path_
    text: str
    place: Place
    source: SourceNote | None
    source_id: str = ""

    @property
    def dotted(self) -> str:
        """Return the path as people write it."""
        return dotted(self.path)

    @property
    def kind(self) -> str:
        """Return found, derived or assumed; low confidence and no source count as assumed."""
        if self.source is None or (self.source.kind == "found" and self.source.confidence == "low"):
            return "assumed"
        return self.source.kind


def register(world: ResolvedTree, flows: Sequence[str] | None = None) -> list[Entry]:
    """Return the numbers of a world; of the library only `flows`, when given."""
    catalogue = load_catalogue()
    notes = {**catalogue.sources}
    entries = []
    for root in _ROOTS:
        for path, value, source, key in numbers_in(world.tree.get(root), (root,), world.tree.get("source"), ""):
            if flows is not None and not _in_use(world, path, flows):
                continue
            if root == USES and not _differs(world, path, value):
                continue
            edited = next((path[:end] for end in range(len(path), 0, -1) if path[:end] in world.edited), None)
            note, name = (
                note_of(source, key, notes) if edited is None else note_of(world.edited[edited], path[-1], notes)
            )
            if root == "adopted" and str(world.tree["regime"]) in catalogue.regimes:
                note, name = note_of(catalogue.regimes[str(world.tree["regime"])].source, "", notes)
            if root == "measures" and edited is None:
                measure = catalogue.measures[path[1]]
                note, name = note_of(measure.params[path[2]].source, "", notes)
            entries.append(Entry(path, str(value), world.place(path), note, name))
    return entries


def _differs(world: ResolvedTree, path: Path_, value: Any) -> bool:  # noqa: ANN401
    """Return whether a number of an entry's own copy of a flow is not that of the flow."""
    node: Any = world.tree
    for part in (*world.flow_of(path[1]), *path[2:]):
        node = node[int(part)] if isinstance(node, list) else node.get(part) if isinstance(node, dict) else None
    return bool(node != value)


def _in_use(world: ResolvedTree, path: Path_, flows: Sequence[str]) -> bool:
    """Return whether a number of the library matters to a scenario that uses `flows`."""
    if path[0] == "library":
        return path[1] in flows
    if path[0] == "profiles":
        return path[1] in profiles_in_use(world)
    if path[0] in {"measures", "adopted"} or (path[0] in {"costs", "investments"} and world.place(path).in_library):
        return bool(set(flows) & set(world.tree["library"]))
    return True


def profiles_in_use(world: ResolvedTree) -> set[str]:
    """Return the profiles that the traffic of a world follows."""
    written = [entry.get("profile") for entry in world.tree["traffic"].values()]
    return {str(name) for names in written for name in (names if isinstance(names, list) else [names])}


def count_kinds(entries: Sequence[Entry]) -> dict[str, int]:
    """Return how many numbers are found, derived and assumed."""
    counted = Counter(entry.kind for entry in entries)
    return {kind: counted[kind] for kind in KINDS}


def flows_in_use(world: ResolvedTree) -> list[str]:
    """Return the flows that the traffic of a world runs through, with those that they call."""
    found: list[str] = []

    def visit(name: str) -> None:
        if name in found:
            return
        found.append(name)
        for root in ("flows", "library"):
            tree = world.tree.get(root, {}).get(name)
            if isinstance(tree, dict):
                calls(tree.get("steps", {}))

    def calls(steps: Any) -> None:  # noqa: ANN401
        for step in steps.values() if isinstance(steps, dict) else ():
            if isinstance(step, dict):
                if step.get("call"):
                    visit(str(step["call"]))
                calls(step.get("steps", {}))
                calls(step.get("parallel", {}))

    for entry in world.tree.get("traffic", {}).values():
        visit(str(entry.get("flow")))
    return found


def numbers_in(node: Any, path: Path_, source: Any, key: str) -> Iterator[tuple[Path_, Any, Any, str]]:  # noqa: ANN401
    """Yield (path, value, nearest source, key directly below the mapping that has it)."""
    if isinstance(node, dict):
        own = node.get("source")
        for name, value in node.items():
            if name in _NO_NUMBERS:
                continue
            near, below = (own, name) if own is not None else (source, key)
            yield from numbers_in(value, (*path, name), near, below)
            if "discrete" in path[-1:] and _is_number(name, path):
                yield (*path, name), name, near, below
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from numbers_in(value, (*path, str(position)), source, key)
    elif _is_number(node, path):
        yield path, node, source, key


def _is_number(value: Any, path: Path_) -> bool:  # noqa: ANN401
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, int | float):
        return bool(_BARE_NUMBERS & set(path))
    for kind in units.UNITS:
        try:
            units.parse(value, kind)
        except ScenarioFault:
            continue
        return True
    return False


def note_of(source: Any, key: str, notes: dict[str, SourceNote]) -> tuple[SourceNote | None, str]:  # noqa: ANN401
    """Return the note that a `source` means for a key beside it, and its id; None where there is none."""
    if isinstance(source, dict) and "kind" in source:
        return SourceNote(**source), ""
    if isinstance(source, SourceNote):
        return source, ""
    if isinstance(source, dict):
        source = source.get(key)
    if isinstance(source, list):
        source = source[0] if source else None
    return notes.get(str(source)), str(source or "")
