"""
Generators of demand: one traffic entry with `generate` becomes several ordinary entries.

They stand in the world like written ones: `show` lists them, edits reach them, each has its own random stream.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from zonesim import units
from zonesim.faults import Faults, ScenarioFault, UnknownName, suggest
from zonesim.policy.resolved_tree import ResolvedTree
from zonesim.scenario import Path_
from zonesim.scenario.fields import mode_of
from zonesim.scenario.traffic import Each, Generate, Gravity

EARTH_KM: Final = 6371.0
"""Mean radius of the earth."""

MOST_ENTRIES: Final = 400
"""Entries that one template may become; a plan has room for 512 in all."""


@dataclass(frozen=True)
class Pair:
    """Traffic from one zone to another: the road between them, and the share of the total."""

    sender: str
    receiver: str
    km: float
    share: float


@dataclass(frozen=True)
class Site:
    """A zone as the law of gravity sees it: its weight and its position in degrees."""

    name: str
    weight: float
    lat: float
    lon: float


def great_circle(one: Site, other: Site) -> float:
    """Return the distance of two sites on the sphere, in km."""
    lat, other_lat = math.radians(one.lat), math.radians(other.lat)
    half = (
        math.sin((other_lat - lat) / 2) ** 2
        + math.cos(lat) * math.cos(other_lat) * math.sin(math.radians(other.lon - one.lon) / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def pairs(sites: list[Site], law: Gravity) -> list[Pair]:
    """
    Return the pairs that exchange, both directions, with shares that add up to 1; none when nobody does.

    The share is proportional to the product of the weights over the road distance to the law's exponent; pairs with
    less than the law's `least` are left out, and their part goes to the others.
    """
    most = units.parse(mode_of(law.beyond), "distance") if law.beyond is not None else math.inf
    found: list[tuple[str, str, float, float]] = []
    for sender in sites:
        for receiver in sites:
            if sender.name == receiver.name:
                continue
            if law.through and not {sender.name, receiver.name} & set(law.through):
                continue
            km = law.detour * great_circle(sender, receiver)
            if km <= most:
                pull = sender.weight * receiver.weight / max(km, 1.0) ** law.exponent
                found.append((sender.name, receiver.name, km, pull))
    total = sum(pull for *_, pull in found)
    if law.least is not None:
        least = units.parse(mode_of(law.least), "rate") / units.parse(mode_of(law.total), "rate")
        found = [each for each in found if each[-1] >= least * total]
        total = sum(pull for *_, pull in found)
    return [Pair(sender, receiver, km, pull / total) for sender, receiver, km, pull in found if pull > 0]


def expand_traffic(world: ResolvedTree) -> None:
    """
    Replace the entries of `world` that have `generate` by those that they stand for, in their place.

    Raises Faults: zones that nobody has or that lack what the law goes by, names in `with` that stand for nothing, no
    pair or too many.
    """
    traffic: dict[str, dict[str, Any]] = world.tree["traffic"]
    expanded: dict[str, dict[str, Any]] = {}
    faults: list[ScenarioFault] = []
    for name, entry in traffic.items():
        if "generate" not in entry:
            expanded[name] = entry
            continue
        try:
            found = dict(_entries(world, name, entry))
        except ScenarioFault as fault:
            faults += fault.faults if isinstance(fault, Faults) else [fault]
            continue
        place = world.key_place(("traffic", name))
        faults += [
            ScenarioFault(f"'{name}' generates an entry '{key}', which exists", place, "Rename it.")
            for key in found
            if key in traffic or key in expanded
        ]
        expanded |= found
        for key in found:
            _place(world, name, key)
    if faults:
        raise Faults(faults)
    world.tree["traffic"] = expanded


def _entries(world: ResolvedTree, name: str, entry: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the entries that one stands for, with their names."""
    law = Generate(**entry["generate"])
    made = _of_pairs if law.gravity is not None else _of_zones
    several = list(made(world, name, entry, law))
    if len(several) > MOST_ENTRIES:
        remedy = "Name fewer zones, lower `beyond`, raise `least`, or use `through`."
        place = world.place(("traffic", name, "generate"))
        raise ScenarioFault(f"this gives {len(several)} entries, more than {MOST_ENTRIES}", place, remedy)
    return iter(several)


def _of_pairs(
    world: ResolvedTree, name: str, entry: dict[str, Any], generate: Generate
) -> Iterator[tuple[str, dict[str, Any]]]:
    law = cast("Gravity", generate.gravity)
    path = ("traffic", name, "generate", "gravity")
    found = pairs(_sites(world, law, path), law)
    if not found:
        fault = "no two of these zones exchange anything"
        raise ScenarioFault(fault, world.place(path), "Raise `beyond`, or name other zones.")
    for pair in found:
        known = {"from": pair.sender, "to": pair.receiver, "km": f"{pair.km:.1f} km"}
        one = _made(world, name, entry, known)
        one["rate"] = _part(law.total, pair.share)
        one.setdefault("group", name)
        one["label"] = _label(world, one.get("label", {}), (pair.sender, pair.receiver))
        yield f"{name}_{pair.sender}_{pair.receiver}", one


def _of_zones(
    world: ResolvedTree, name: str, entry: dict[str, Any], generate: Generate
) -> Iterator[tuple[str, dict[str, Any]]]:
    law = cast("Each", generate.each)
    path = ("traffic", name, "generate", "each")
    zones: dict[str, dict[str, Any]] = world.tree.get("zones", {})
    names = law.zones or [zone for zone, own in zones.items() if not own.get("outside", False)]
    values = dict(_values(world, law, names, path))
    if law.rate is not None:
        unknown = [word for word in law.rate if word not in values.values()]
        for word in unknown[:1]:
            fault = f"no zone here has the {law.by} '{word}'"
            raise UnknownName(fault, world.place((*path, "rate", word)), suggest(word, set(map(str, values.values()))))
        rates = {zone: law.rate[str(word)] for zone, word in values.items() if str(word) in law.rate}
    else:
        whole = sum(values.values())
        if not whole:
            raise ScenarioFault(
                f"no zone here has more than 0 of '{law.by}'", world.place((*path, "by")), "Give a zone some."
            )
        rates = {zone: _part(law.total, number / whole) for zone, number in values.items() if number > 0}
    for zone, rate in rates.items():
        one = _made(world, name, entry, {"zone": zone})
        one["rate"] = copy.deepcopy(rate)
        one["label"] = _label(world, one.get("label", {}), (zone,))
        yield f"{name}_{zone}", one


def _values(world: ResolvedTree, law: Each, names: list[str], path: Path_) -> Iterator[tuple[str, Any]]:
    """Yield the setting of each zone that the law goes by: a word, or for a total a number of 0 or more."""
    zones: dict[str, dict[str, Any]] = world.tree.get("zones", {})
    faults: list[ScenarioFault] = []
    for position, zone in enumerate(names):
        place = world.place((*path, "zones", str(position)) if law.zones else (*path, "by"))
        if zone not in zones:
            faults.append(UnknownName(f"no zone '{zone}'", place, suggest(zone, zones, "zones")))
            continue
        setting = zones[zone].get(law.by)
        value = mode_of(setting.get("value")) if isinstance(setting, dict) else None
        number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        if value is None or (law.total is not None and not number):
            what = "number" if law.total is not None else "word"
            remedy = f"Give it `{law.by}: {{value: …}}`, or take it over with `from`."
            faults.append(ScenarioFault(f"zone '{zone}' has no {what} '{law.by}'", place, remedy))
            continue
        yield zone, value
    if faults:
        raise Faults(faults)


def _made(world: ResolvedTree, name: str, entry: dict[str, Any], known: dict[str, str]) -> dict[str, Any]:
    """Return an entry without what it is made by, with its arguments filled in."""
    one = {key: copy.deepcopy(value) for key, value in entry.items() if key != "generate"}
    given = one.get("with", {})
    one["with"] = {key: _filled(world, value, known, ("traffic", name, "with", key)) for key, value in given.items()}
    return one


def _sites(world: ResolvedTree, law: Gravity, path: Path_) -> list[Site]:
    zones: dict[str, dict[str, Any]] = world.tree.get("zones", {})
    faults: list[ScenarioFault] = []
    wanted = {law.weight, "lat", "lon"}
    names = law.zones or [name for name, zone in zones.items() if wanted <= set(zone)]
    sites = []
    for position, name in enumerate(names):
        place = world.place((*path, "zones", str(position)))
        if name not in zones:
            faults.append(UnknownName(f"no zone '{name}'", place, suggest(name, zones, "zones")))
            continue
        numbers = {}
        for key in (law.weight, "lat", "lon"):
            value = zones[name].get(key, {})
            number = mode_of(value.get("value")) if isinstance(value, dict) else None
            if isinstance(number, bool) or not isinstance(number, int | float) or (key == law.weight and number < 0):
                remedy = f"Give it `{key}: {{value: …}}`, or take it over with `from`."
                faults.append(ScenarioFault(f"zone '{name}' has no number '{key}'", place, remedy))
                continue
            numbers[key] = float(number)
        if len(numbers) == len(wanted):
            sites.append(Site(name, numbers[law.weight], numbers["lat"], numbers["lon"]))
    for position, name in enumerate(law.through):
        if name not in names:
            place = world.place((*path, "through", str(position)))
            faults.append(UnknownName(f"'{name}' is none of the zones that exchange", place, suggest(name, names)))
    if faults:
        raise Faults(faults)
    return sites


def _filled(world: ResolvedTree, value: Any, known: dict[str, str], path: Path_) -> Any:  # noqa: ANN401
    """Return a value of `with`: names such as `$from` and `$km` filled in, `$from.port_km` by what the zone says."""
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    name, dot, attribute = value[1:].partition(".")
    if name not in known or (dot and name == "km"):
        told = ", ".join(f"${each}" for each in known)
        raise UnknownName(f"'{value}' stands for nothing here", world.place(path), f"Known: {told}.")
    if not dot:
        return known[name]
    zone = world.tree["zones"][known[name]]
    entry = zone.get(attribute)
    if not isinstance(entry, dict):
        remedy = suggest(attribute, [key for key, each in zone.items() if isinstance(each, dict)])
        raise UnknownName(f"zone '{known[name]}' has no '{attribute}'", world.place(path), remedy)
    return entry["value"] if "value" in entry else f"{known[name]}.{attribute}"


def _part(total: Any, share: float) -> Any:  # noqa: ANN401
    """Return a share of a rate, with its doubt."""
    if isinstance(total, dict):
        return {"uncertain": [_part(part, share) for part in total["uncertain"]]}
    return f"{units.parse(total, 'rate') * share * units.DAY:.6g} /d"


def _label(world: ResolvedTree, label: dict[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """Return the label of the template with its zones in it, one or two."""
    zones = world.tree["zones"]
    ends = [(name, zones[name].get("label", {})) for name in names]
    found = {}
    for language, to, colon in (("en", " to ", ": "), ("zh", " 至 ", "：")):
        way = to.join(str(own.get(language, own.get("en", name))) for name, own in ends)
        found[language] = f"{label[language]}{colon}{way}" if language in label else way
    return found


def _place(world: ResolvedTree, template: str, name: str) -> None:
    """Let every value of a generated entry stand where its template says it; its rate stands where its law does."""
    for table in (world.places, world.keys):
        for path, place in table.below(("traffic", template)):
            if path[2:3] != ("generate",):
                table["traffic", name, *path[2:]] = place
    law = ("traffic", template, "generate")
    places = [world.places[path] for path in ((*law, "gravity", "total"), (*law, "each")) if path in world.places]
    world.places["traffic", name, "rate"] = places[0] if places else world.place(law)
