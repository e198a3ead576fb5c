"""From a scenario file to its tree: with the library, and with every default written out that people want to edit."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any, Final

from zonesim.faults import Faults, ScenarioFault, UnknownName, suggest
from zonesim.policy.acting import acting, idle
from zonesim.policy.demand import expand_traffic
from zonesim.policy.edits import Request, apply
from zonesim.policy.places import PlaceTable
from zonesim.policy.resolved_tree import ResolvedTree, by_zone
from zonesim.policy.zones import fill_zones
from zonesim.scenario import Catalogue, Document, Edit, Path_, Regime, Scenario, check, load_catalogue, read_file
from zonesim.scenario.catalogue import adopt_places
from zonesim.scenario.times import LONGEST_CLOSING

OWN_EDIT: Final = "an edit of the scenario"
"""Who asks for the edits that a scenario makes itself."""


def load_world(path: Path) -> ResolvedTree:
    """Return the world of a scenario file; raises Faults with all that is wrong in it."""
    return world_of(read_file(path))


def world_of(document: Document) -> ResolvedTree:
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
    world = ResolvedTree(document.file, copy.deepcopy(document.tree))
    _add_library(world, catalogue)
    adopt_places(document, (), (), world.places, world.keys)
    fill_zones(world, catalogue)
    expand_traffic(world)
    _fill_defaults(world)
    fill_adoption(world, catalogue)
    _make_edits(world, document)
    return world


def _make_edits(world: ResolvedTree, document: Document) -> None:
    """
    Make the scenario's own edits, whose places are in its file; after a regime those are made again that it touches.
    Raises Faults.
    """
    edits = world.tree.pop("edits", [])
    source = world.tree.get("source")
    requests = []
    for position, written in enumerate(edits):
        edit = Edit(**{"source": source, **written})
        requests.append(Request(edit, OWN_EDIT, document.place(("edits", str(position)))))
    apply(world, requests)


@cache
def _library() -> tuple[dict[str, Any], PlaceTable, PlaceTable]:
    """Return the flows of the library with their defaults written out, and where all of the library is written."""
    catalogue = load_catalogue()
    flows = copy.deepcopy(catalogue.flows)
    for flow in flows.values():
        _fill_steps(flow.get("steps", {}))
    return flows, PlaceTable(catalogue.places), PlaceTable(catalogue.keys)


def _add_library(world: ResolvedTree, catalogue: Catalogue) -> None:
    flows, places, keys = _library()
    world.tree["library"] = dict(flows)
    world.places, world.keys = places.copy(), keys.copy()
    world.tree["measures"] = {
        name: {key: param.default for key, param in measure.params.items()}
        for name, measure in catalogue.measures.items()
    }
    for table in ("calendars", "holidays", "profiles", "costs", "investments"):
        world.tree[table] = {**copy.deepcopy(getattr(catalogue, table)), **world.tree.get(table, {})}
    own = world.tree.get("statuses", {})
    world.tree["statuses"] = {**copy.deepcopy(catalogue.statuses), **own}
    for name in set(own) & set(catalogue.statuses):  # further rules of a status of the library
        both = copy.deepcopy(catalogue.statuses[name])
        rules = {key: {**both.get(key, {}), **own[name].get(key, {})} for key in ("to", "passes")}
        world.tree["statuses"][name] = {**both, **own[name], **rules}
    for name, measure in catalogue.measures.items():
        document = catalogue.documents[name]
        for key in measure.params:
            world.places["measures", name, key] = document.place(("params", key, "default"))


def _fill_defaults(world: ResolvedTree) -> None:
    """Write out the defaults that people want to edit, so that `set` finds them."""
    clock = world.tree["clock"]
    clock.setdefault("warm_up", "0 h")
    clock.setdefault("cool_down", LONGEST_CLOSING if clock.get("ends") == "empty" else "0 h")
    for zone in world.tree.get("zones", {}).values():
        for entry in zone.values():
            if isinstance(entry, dict) and "units" in entry:
                entry.setdefault("open", "always")
                entry.setdefault("at_shift_end", "finish")
                entry.setdefault("stable", "computed")
                entry.setdefault("preempt", False)
                broken = entry.setdefault("breakdowns", "none")
                if isinstance(broken, dict):
                    broken.setdefault("clock", "always")
                    broken.setdefault("of", "unit")
            if isinstance(entry, dict) and "account" in entry:
                entry.setdefault("floor", 0)
    for flow in world.tree.get("flows", {}).values():
        _fill_steps(flow.get("steps", {}))


def regime_of(world: ResolvedTree, catalogue: Catalogue) -> Regime:
    """Return the regime that a world names; raises Faults."""
    name = str(world.tree.get("regime", "R1"))
    if name not in catalogue.regimes:
        place = world.place(("regime",))
        raise Faults([UnknownName(f"unknown regime '{name}'", place, suggest(name, catalogue.regimes, "regimes"))])
    return catalogue.regimes[name]


def regimes_behind(regime: Regime, catalogue: Catalogue) -> list[Regime]:
    """Return a regime and those that it is like, the one that is least like it last."""
    found = [regime]
    while found[-1].like is not None:
        found.append(catalogue.regimes[found[-1].like])
    return found


def measures_in_force(world: ResolvedTree, catalogue: Catalogue) -> frozenset[str]:
    """
    Return the measures that are in force in every arm, by the regime that a world names, as far as they change anything
    that is run; raises Faults.
    """
    named = measures_of_regime(world, catalogue)
    return frozenset(measure.name for measure in acting(world, catalogue, named)) if named else named


def measures_of_regime(world: ResolvedTree, catalogue: Catalogue) -> frozenset[str]:
    """Return the measures that the regime of a world puts into force; raises Faults."""
    behind = regimes_behind(regime_of(world, catalogue), catalogue)
    return frozenset(name for regime in behind for name in regime.measures)


def left_out(world: ResolvedTree) -> list[str]:
    """Return the numbers of the measures of the library that change nothing which a scenario runs."""
    return [measure.number for measure in idle(world, load_catalogue())]


def fill_adoption(world: ResolvedTree, catalogue: Catalogue) -> None:
    """
    Write out the share that follows each practice in the scenario's regime, where the scenario says nothing else.

    A scenario that gives shares by zone without `all` leaves the other zones with what the regime says.
    """
    regime = catalogue.regimes.get(str(world.tree.setdefault("regime", "R1")))
    for each in regimes_behind(regime, catalogue) if regime is not None else ():
        _fill_shares(world, each, catalogue.documents[each.name])


def _fill_shares(world: ResolvedTree, regime: Regime, document: Document) -> None:
    world.tree.setdefault("adopted", {})
    for measure, practices in regime.adopted.items():
        world.open(("adopted", measure)).setdefault(measure, {})
        written = world.tree["adopted"][measure]
        for practice, share in practices.items() if isinstance(written, dict) else ():
            path = ("adopted", measure, practice)
            given: dict[Path_, Any] = {path: share}
            if practice in written:
                zones = share if by_zone(share) else {"all": share}
                own = written[practice] if by_zone(written[practice]) else zones
                given = {(*path, zone): value for zone, value in zones.items() if zone not in own}
            for at, value in given.items():
                world.open(at)[at[-1]] = value
                world.places[at] = document.place(path)


def _fill_steps(steps: dict[str, Any]) -> None:
    for step in steps.values():
        if isinstance(step.get("detect"), dict):
            step["detect"].setdefault("false_alarm", "0 %")
        _fill_steps(step.get("steps", {}))
        _fill_steps(step.get("parallel", {}))
