"""
The world of a scenario: its document, the library's flows, calendars and profiles, and the parameters of the
measures.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import Any, Final

from zonesim.faults import Faults, Place, ScenarioFault
from zonesim.policy.places import PlaceTable
from zonesim.scenario import Flow, Path_, Scenario, check, nearest
from zonesim.scenario.fields import is_reference

USES: Final = "uses"
"""Root of the copies of flows that single traffic entries have of their own, by entry."""

_NOT_SCENARIO: Final = ("library", "measures", USES)


@dataclass
class ResolvedTree:
    """
    Plain data under one roof, so that every value has one stable path.

    `tree` holds the keys of the scenario, `library` (flows by name), `measures` (parameters by measure) and `uses`
    (flows that one traffic entry has to itself, because an edit means only that use of it). `places` and `keys` tell
    where each value and key was written.

    Worlds share what they have in common: nothing that stands in the tree is changed in place but through `open`.
    """

    file: str
    tree: dict[str, Any]
    places: PlaceTable = field(default_factory=PlaceTable)
    keys: PlaceTable = field(default_factory=PlaceTable)
    edited: dict[Path_, Any] = field(default_factory=dict)
    """Sources that edits gave with their values, by path."""
    settings: list[Any] = field(default_factory=list)
    """Edits in the order in which they were made."""

    def copy(self) -> ResolvedTree:
        """Return a world that can be edited without touching this one."""
        return ResolvedTree(
            self.file,
            dict(self.tree),
            self.places.copy(),
            self.keys.copy(),
            dict(self.edited),
            list(self.settings),
        )

    def open(self, path: Path_) -> dict[str, Any]:
        """Return the mapping around what stands at `path`, to be changed: it and those around it become its own."""
        node: Any = self.tree
        for part in path[:-1]:
            key = int(part) if isinstance(node, list) else part
            node[key] = copy(node[key])
            node = node[key]
        found: dict[str, Any] = node
        return found

    def has(self, path: Path_) -> bool:
        """Return whether anything stands at `path`."""
        node: Any = self.tree
        for part in path:
            if not isinstance(node, dict) or part not in node:
                return False
            node = node[part]
        return True

    def forget(self, path: Path_) -> None:
        """Forget where what stands at `path` and below was written."""
        self.places.forget(path)
        self.keys.forget(path)

    # --- flows and the copies of them

    def flow_of(self, entry: str) -> Path_:
        """Return the path of the flow that a traffic entry names, () when there is no such flow."""
        name = str(self.tree["traffic"][entry].get("flow"))
        root = root_of(self, name)
        return (root, name) if name in self.tree.get(root, {}) else ()

    def own_flow(self, entry: str) -> None:
        """Give a traffic entry a copy of its flow, if it has none yet."""
        if entry in self.tree.setdefault(USES, {}):
            return
        path = self.flow_of(entry)
        self.open((USES, entry))[entry] = self.tree[path[0]][path[1]]
        for table in (self.places, self.keys):
            table.repeat(path, (USES, entry))
        for key in [key for key in self.edited if key[:2] == path]:
            self.edited[USES, entry, *key[2:]] = self.edited[key]

    def flow_key(self, entry: str) -> str:
        """Return the key in `flows` of the flow that a traffic entry walks: its name, or `traffic.ENTRY` for a copy."""
        return f"traffic.{entry}" if entry in self.tree.get(USES, {}) else str(self.tree["traffic"][entry].get("flow"))

    def flow_path(self, key: str) -> Path_:
        """Return the path of the flow with a key."""
        entry = key.removeprefix("traffic.")
        return (USES, entry) if entry != key and entry in self.tree.get(USES, {}) else (root_of(self, key), key)

    def flow_keys(self) -> list[str]:
        """Return the keys of all flows."""
        names = [*self.tree.get("library", {}), *self.tree.get("flows", {})]
        return list(dict.fromkeys([*names, *(f"traffic.{entry}" for entry in self.tree.get(USES, {}))]))

    def flow(self, key: str) -> Flow:
        """Return a flow as a checked model; raises Faults."""
        path = self.flow_path(key)
        try:
            return _checked(_get(self.tree, path), self, path)
        except Faults as found:
            for fault in found.faults:
                fault.owner = path  # the library's text is right: an edit has made it wrong
            raise

    def place(self, path: Path_) -> Place:
        """Return where the value at `path` was written."""
        return nearest(self.places, path, self.file)

    def key_place(self, path: Path_) -> Place:
        """Return where the key at the end of `path` was written."""
        return self.keys.get(path) or self.place(path)

    def readers_place(self, *paths: Path_, default: Place | None = None) -> Place | None:
        """
        Return where the reader changed or wrote what stands at the first of `paths` that the reader has to do with: by
        an edit at the path or below it, else at the path itself; `default` where nothing there is the reader's.
        """
        for path in filter(None, paths):
            around = [self.keys.get(path), *(self.places.get(path[:end]) for end in range(len(path), 0, -1))]
            own = next(filter(None, around), None)
            below = [place for _, place in self.places.below(path)]
            edits = [place for place in reversed(below) if place.file != self.file]
            for place in filter(None, (*edits, own)):
                if not place.in_library:
                    return place
        return default

    def scenario(self) -> Scenario:
        """Return the scenario part as a checked model; raises Faults."""
        own = {key: value for key, value in self.tree.items() if key not in _NOT_SCENARIO}
        strays = [path for key in own if key not in {"flows", "futures"} for path in _references(own[key], (key,))]
        if strays:
            fault, remedy = (
                "a parameter ($name) stands where none is known",
                "Only flows have parameters; write a value.",
            )
            raise Faults([ScenarioFault(fault, self.place(path), remedy) for path in strays])
        return check(Scenario, own, self.places, self.keys, file=self.file)

    def flows(self) -> dict[str, Flow]:
        """Return every flow as a checked model, the library's, the scenario's own and copies; raises Faults."""
        flows: dict[str, Flow] = {}
        faults: list[ScenarioFault] = []
        for key in self.flow_keys():
            try:
                flows[key] = self.flow(key)
            except Faults as found:
                faults += found.faults
        if faults:
            raise Faults(faults)
        return flows


_KNOWN: Final[dict[int, tuple[dict[str, Any], Flow]]] = {}
"""Flows by the text that they are checked from, which nobody changes; it is kept with them."""

_MOST_KNOWN: Final = 2000


def _checked(text: Any, world: ResolvedTree, path: Path_) -> Flow:  # noqa: ANN401
    """Return the text of a flow, which stands at a path of a world, as a checked model; raises Faults."""
    known = _KNOWN.get(id(text))
    if known is not None:
        return known[1]
    found = check(Flow, text, world.places, world.keys, at=path, file=world.file)
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    _KNOWN[id(text)] = text, found
    return found


def _get(tree: Any, path: Path_) -> Any:  # noqa: ANN401
    for part in path:
        tree = tree[part]
    return tree


def _references(node: Any, path: Path_) -> list[Path_]:  # noqa: ANN401
    """Return where `$name` stands below `node`."""
    if isinstance(node, dict):
        return [found for key, value in node.items() for found in _references(value, (*path, key))]
    if isinstance(node, list):
        return [found for number, value in enumerate(node) for found in _references(value, (*path, str(number)))]
    return [path] if is_reference(node) else []


def root_of(world: ResolvedTree, flow: str) -> str:
    """Return where a flow stands in the world: `flows` (the scenario's own) or `library`."""
    return "flows" if flow in world.tree.get("flows", {}) else "library"


def by_zone(share: Any) -> bool:  # noqa: ANN401
    """Return whether a written share is one for each zone, and not one for all."""
    return isinstance(share, dict) and "uncertain" not in share
