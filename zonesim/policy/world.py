"""
The world of a scenario: its document, the library's flows, calendars and profiles, and the parameters of the
measures.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zonesim.faults import Faults, Place, ScenarioFault
from zonesim.policy.demand import expand_traffic
from zonesim.policy.zones import fill_zones
from zonesim.scenario import Catalogue, Document, Flow, Path_, Scenario, check, load_catalogue, nearest, read_file
from zonesim.scenario.catalogue import adopt_places
from zonesim.scenario.fields import is_reference

_NOT_SCENARIO = ("library", "measures")


@dataclass
class World:
    """
    Plain data under one roof, so that every value has one stable path.

    `tree` holds the keys of the scenario, `library` (flows by name) and `measures` (parameters by measure).
    `places` and `keys` tell where each value and key was written.
    """

    file: str
    tree: dict[str, Any]
    places: dict[Path_, Place] = field(default_factory=dict)
    keys: dict[Path_, Place] = field(default_factory=dict)
    edited: dict[Path_, Any] = field(default_factory=dict)
    """Sources that edits gave with their values, by path."""

    def copy(self) -> World:
        """Return a world that can be edited without touching this one."""
        return World(self.file, copy.deepcopy(self.tree), dict(self.places), dict(self.keys), dict(self.edited))

    def place(self, path: Path_) -> Place:
        """Return where the value at `path` was written."""
        return nearest(self.places, path, self.file)

    def key_place(self, path: Path_) -> Place:
        """Return where the key at the end of `path` was written."""
        return self.keys.get(path) or self.place(path)

    def scenario(self) -> Scenario:
        """Return the scenario part as a checked model; raises Faults."""
        own = {key: value for key, value in self.tree.items() if key not in _NOT_SCENARIO}
        strays = [path for key in own if key != "flows" for path in _references(own[key], (key,))]
        if strays:
            fault, remedy = (
                "a parameter ($name) stands where none is known",
                "Only flows have parameters; write a value.",
            )
            raise Faults([ScenarioFault(fault, self.place(path), remedy) for path in strays])
        return check(Scenario, own, self.places, self.keys, file=self.file)

    def flows(self) -> dict[str, Flow]:
        """Return every flow, the library's and the scenario's own, as checked models; raises Faults."""
        flows: dict[str, Flow] = {}
        faults: list[ScenarioFault] = []
        for root in ("library", "flows"):
            for name, tree in self.tree.get(root, {}).items():
                try:
                    flows[name] = check(Flow, tree, self.places, self.keys, at=(root, name), file=self.file)
                except Faults as found:
                    faults += found.faults
        if faults:
            raise Faults(faults)
        return flows


def _references(node: Any, path: Path_) -> list[Path_]:  # noqa: ANN401
    """Return where `$name` stands below `node`."""
    if isinstance(node, dict):
        return [found for key, value in node.items() for found in _references(value, (*path, key))]
    if isinstance(node, list):
        return [found for number, value in enumerate(node) for found in _references(value, (*path, str(number)))]
    return [path] if is_reference(node) else []


def root_of(world: World, flow: str) -> str:
    """Return where a flow stands in the world: `flows` (the scenario's own) or `library`."""
    return "flows" if flow in world.tree.get("flows", {}) else "library"


def load_world(path: Path) -> World:
    """Return the world of a scenario file; raises Faults with all that is wrong in it."""
    return world_of(read_file(path))


def world_of(document: Document) -> World:
    """Return the world of a scenario document; raises Faults."""
    kind = document.tree.get("kind")
    if kind != "scenario":
        remedy = (
            "Write `kind: scenario`."
            if kind is None
            else "Only scenarios can be run; flows and measures belong to the library."
        )
        raise Faults([ScenarioFault(f"kind '{kind}' is not a scenario", document.place(("kind",)), remedy)])
    check(Scenario, document.tree, document.places, document.keys, file=document.file)
    catalogue = load_catalogue()
    world = World(document.file, copy.deepcopy(document.tree))
    _add_library(world, catalogue)
    adopt_places(document, (), (), world.places, world.keys)
    fill_zones(world, catalogue)
    expand_traffic(world)
    _fill_defaults(world)
    _fill_adoption(world, catalogue)
    return world


def _add_library(world: World, catalogue: Catalogue) -> None:
    world.tree["library"] = copy.deepcopy(catalogue.flows)
    world.tree["measures"] = {
        name: {key: param.default for key, param in measure.params.items()}
        for name, measure in catalogue.measures.items()
    }
    for table in ("calendars", "holidays", "profiles"):
        world.tree[table] = {**copy.deepcopy(getattr(catalogue, table)), **world.tree.get(table, {})}
    world.places.update(catalogue.places)
    world.keys.update(catalogue.keys)
    for name, measure in catalogue.measures.items():
        document = catalogue.documents[name]
        for key in measure.params:
            world.places["measures", name, key] = document.place(("params", key, "default"))


def _fill_defaults(world: World) -> None:
    """Write out the defaults that people want to edit, so that `set` finds them."""
    clock = world.tree["clock"]
    for key in ("warm_up", "cool_down"):
        clock.setdefault(key, "0 h")
    for zone in world.tree.get("zones", {}).values():
        for entry in zone.values():
            if isinstance(entry, dict) and "units" in entry:
                entry.setdefault("open", "always")
                entry.setdefault("at_shift_end", "finish")
    for root in ("library", "flows"):
        for flow in world.tree.get(root, {}).values():
            _fill_steps(flow.get("steps", {}))


def _fill_adoption(world: World, catalogue: Catalogue) -> None:
    """Write out the share that follows each practice in the scenario's regime, where the scenario says nothing else."""
    regime = catalogue.regimes.get(str(world.tree.setdefault("regime", "R1")))
    if regime is None:
        return
    document = catalogue.documents[regime.name]
    adopted = world.tree.setdefault("adopted", {})
    for measure, practices in regime.adopted.items():
        for practice, share in practices.items():
            if practice not in adopted.setdefault(measure, {}):
                adopted[measure][practice] = copy.deepcopy(share)
                world.places["adopted", measure, practice] = document.place(("adopted", measure, practice))


def _fill_steps(steps: dict[str, Any]) -> None:
    for step in steps.values():
        if isinstance(step.get("detect"), dict):
            step["detect"].setdefault("false_alarm", "0 %")
        _fill_steps(step.get("steps", {}))
