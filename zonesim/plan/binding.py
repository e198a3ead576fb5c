"""Filling in `$name` and `$zone.name`: the arguments of a flow and what they refer to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from zonesim import units
from zonesim.faults import Faults, Place, ScenarioFault, UnknownName, suggest
from zonesim.scenario import Flow, Scenario
from zonesim.scenario.fields import mode_of
from zonesim.scenario.models import Account, Param, Resource, Setting

Arguments = Mapping[str, Any]


Origins = Mapping[str, tuple[str, ...]]
"""Where in the world each argument was written."""


def origin(value: Any, arguments: Arguments, origins: Origins) -> tuple[str, ...]:  # noqa: ANN401
    """Return the path in the world of what a written `$name` or `$zone.name` stands for, () for anything else."""
    value = mode_of(value)
    if not isinstance(value, str) or not value.startswith("$"):
        return ()
    name, dot, attribute = value[1:].partition(".")
    return ("zones", str(arguments.get(name)), attribute) if dot else origins.get(name, ())


def resolve(
    value: Any,  # noqa: ANN401
    arguments: Arguments,
    scenario: Scenario,
    place: Place,
    origins: Origins | None = None,
) -> Any:  # noqa: ANN401
    """
    Return what a written value means: an argument for `$name`, a resource's dotted name or a setting's value for
    `$zone.name`, the mode of an uncertain value, else the value itself. Raises UnknownName, whose owner is the zone
    that lacks something, or the argument (by `origins`).
    """
    value = mode_of(value)
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    name, dot, attribute = value[1:].partition(".")
    if name not in arguments:
        raise UnknownName(f"no parameter '{name}' here", place, suggest(name, arguments, "parameters"))
    found = arguments[name]
    if not dot:
        return mode_of(found)
    zone = scenario.zones.get(str(found))
    if zone is None:
        remedy = suggest(str(found), scenario.zones, "zones")
        owner = (origins or {}).get(name, ())
        raise UnknownName(f"'${name}' is '{found}', which is no zone", place, remedy, owner=owner)
    entries = zone.entries()
    if attribute not in entries:
        remedy = suggest(attribute, entries)
        raise UnknownName(f"zone '{found}' has no '{attribute}'", place, remedy, owner=("zones", str(found)))
    entry = entries[attribute]
    return mode_of(entry.value) if isinstance(entry, Setting) else f"{found}.{attribute}"


def bind(
    flow: Flow,
    given: Arguments,
    name: str,
    scenario: Scenario,
    where: Callable[..., Place],
    origins: Origins | None = None,
) -> dict[str, Any]:
    """
    Return the arguments of a flow: what is given, else the defaults.

    `where()` is the place of the call, `where(key)` that of an argument; `origins` where in the world each was written
    first. Raises Faults: arguments that are missing or not allowed, and those that the flow does not have.
    """
    faults: list[ScenarioFault] = [
        UnknownName(f"flow '{name}' has no parameter '{key}'", where(key), suggest(key, flow.params, "parameters"))
        for key in given
        if key not in flow.params
    ]
    bound: dict[str, Any] = {}
    for key, spec in flow.params.items():
        default = spec.default if isinstance(spec, Param) else None
        bound[key] = given.get(key, default)
        if key not in given and default is None:
            fault = f"flow '{name}' needs the parameter '{key}'"
            faults.append(ScenarioFault(fault, where(), f"Add `with: {{{key}: …}}`."))
            continue
        try:
            _check_argument(bound[key], key, spec, name, scenario)
        except ScenarioFault as fault:
            owner = (origins or {}).get(key, ()) or fault.owner
            faults.append(type(fault)(fault.fault, where(key), fault.remedy, owner=owner))
    if faults:
        raise Faults(faults)
    return bound


def _check_argument(value: Any, key: str, spec: str | Sequence[str] | Param, name: str, scenario: Scenario) -> None:  # noqa: ANN401
    """Raise ScenarioFault, without a place, unless `value` may be given for parameter `key` of the flow `name`."""
    kind = spec.kind if isinstance(spec, Param) else spec
    written = mode_of(value)
    if not isinstance(kind, str) and str(value) not in kind:
        message = f"'{value}' is not allowed for parameter '{key}' of flow '{name}'"
        raise UnknownName(message, remedy=suggest(str(value), kind))
    if kind == "zone" and str(value) not in scenario.zones:
        message = f"no zone '{value}' for parameter '{key}' of flow '{name}'"
        raise UnknownName(message, remedy=suggest(str(value), scenario.zones, "zones"))
    if kind == "resource":
        find_resource(value, scenario, None)
    elif kind == "count":
        check_count(written)
    elif kind == "duration":
        units.parse_time(written)
    elif kind == "share":
        units.parse_share(written)
    elif kind == "distance":
        units.parse(written, "distance")


def check_count(value: Any, place: Place | None = None) -> int:  # noqa: ANN401
    """Return a whole number of at least 1; raises ScenarioFault for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        fault = f"expected a whole number of at least 1, found {units.describe(value)}"
        raise ScenarioFault(fault, place, "Write a number such as 3.")
    return value


def find_account(value: Any, scenario: Scenario, place: Place) -> tuple[str, str]:  # noqa: ANN401
    """Return (zone, name) for the dotted name of an account; raises UnknownName."""
    accounts = {
        f"{zone}.{name}": (zone, name)
        for zone, each in scenario.zones.items()
        for name, entry in each.entries().items()
        if isinstance(entry, Account)
    }
    if value not in accounts:
        raise UnknownName(f"no account '{value}'", place, suggest(str(value), accounts, "accounts"))
    return accounts[value]


def is_waited_for(entry: Any) -> bool:  # noqa: ANN401
    """Return whether what is written in a zone is an account that tokens wait for."""
    return isinstance(entry, Account) and entry.short == "wait"


def find_resource(value: Any, scenario: Scenario, place: Place | None) -> tuple[str, str]:  # noqa: ANN401
    """Return (zone, name) for the dotted name of a resource, or an account that is waited for; raises UnknownName."""
    zone_name, _, name = str(value).partition(".")
    zone = scenario.zones.get(zone_name)
    if zone is None:
        raise UnknownName(
            f"'{value}' is no resource: no zone '{zone_name}'", place, suggest(zone_name, scenario.zones, "zones")
        )
    entry = zone.entries().get(name)
    if not isinstance(entry, Resource) and not is_waited_for(entry):
        known = [f"{zone_name}.{key}" for key, each in zone.entries().items() if isinstance(each, Resource)]
        remedy = suggest(f"{zone_name}.{name}", known, "resources")
        raise UnknownName(
            f"zone '{zone_name}' has no resource '{name}'", place, remedy, owner=("zones", zone_name, name)
        )
    return zone_name, name
