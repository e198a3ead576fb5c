"""Zones that take over what others have: facts of the library (`from`), and entries of another zone (`like`)."""

from __future__ import annotations

import copy
from typing import Any

from zonesim.faults import Faults, ScenarioFault, UnknownName, suggest
from zonesim.policy.resolved_tree import ResolvedTree
from zonesim.scenario import Catalogue, Document

_OWN = frozenset({"from", "like", "label"})
"""Keys of a zone that another zone does not take over with `like`."""


def fill_zones(world: ResolvedTree, catalogue: Catalogue) -> None:
    """
    Write out in `world` what zones take over; a zone's own entries stay, then those of `like`, then those of `from`.

    Raises Faults for zones that nobody has and for zones that are like each other in a circle.
    """
    zones: dict[str, dict[str, Any]] = world.tree.get("zones", {})
    faults: list[ScenarioFault] = []
    done: set[str] = set()
    for name in zones:
        try:
            _like(world, name, zones, done, ())
        except ScenarioFault as fault:
            faults.append(fault)
    for name, zone in zones.items():
        source = zone.pop("from", None)
        zone.pop("like", None)
        if source is None:
            continue
        if str(source) not in catalogue.zones:
            place = world.place(("zones", name, "from"))
            remedy = suggest(str(source), catalogue.zones, "zones")
            faults.append(UnknownName(f"no zone '{source}' in the library", place, remedy))
            continue
        _take(world, name, zone, copy.deepcopy(catalogue.zones[str(source)]), catalogue.documents["zones"], str(source))
    if faults:
        raise Faults(faults)


def _like(
    world: ResolvedTree, name: str, zones: dict[str, dict[str, Any]], done: set[str], above: tuple[str, ...]
) -> None:
    model = zones[name].get("like")
    if model is None or name in done:
        return
    place = world.place(("zones", name, "like"))
    if model not in zones:
        raise UnknownName(f"no zone '{model}'", place, suggest(str(model), zones, "zones"))
    if model in (*above, name):
        raise ScenarioFault(f"zone '{name}' is like itself", place, "Let one of the zones have entries of its own.")
    _like(world, str(model), zones, done, (*above, name))
    for key, value in zones[str(model)].items():
        if key not in _OWN and key not in zones[name]:
            zones[name][key] = copy.deepcopy(value)
            _copy_places(world, ("zones", str(model), key), ("zones", name, key))
    done.add(name)


def _copy_places(world: ResolvedTree, old: tuple[str, ...], new: tuple[str, ...]) -> None:
    for table in (world.places, world.keys):
        table.repeat(old, new)


def _take(
    world: ResolvedTree, name: str, zone: dict[str, Any], facts: dict[str, Any], document: Document, source: str
) -> None:
    for key, value in facts.items():
        if key not in zone:
            zone[key] = value
            place = document.place(("zones", source, key))
            world.places["zones", name, key] = place
            world.places["zones", name, key, "value"] = place
