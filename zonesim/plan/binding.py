"""Filling in `$name` and `$zone.name`: the arguments of a flow and what they refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zonesim import units
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.scenario.fields import mode_of
from zonesim.scenario.models import Account, Flow, Param, Resource, Scenario, Setting

Arguments = Mapping[str, Any]


def resolve(value: Any, arguments: Arguments, scenario: Scenario, place: Place) -> Any:  # noqa: ANN401
    """
    Return what a written value means: an argument for `$name`, a resource's dotted name or a setting's value for
    `$zone.name`, the mode of an uncertain value, else the value itself. Raises UnknownName.
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
        raise UnknownName(
            f"'${name}' is '{found}', which is no zone", place, suggest(str(found), scenario.zones, "zones")
        )
    entries = zone.entries()
    if attribute not in entries:
        raise UnknownName(f"zone '{found}' has no '{attribute}'", place, suggest(attribute, entries))
    entry = entries[attribute]
    return mode_of(entry.value) if isinstance(entry, Setting) else f"{found}.{attribute}"


def bind(flow: Flow, given: Arguments, name: str, place: Place, scenario: Scenario) -> dict[str, Any]:
    """
    Return the arguments of a flow: what is given, else the defaults.

    Raises ScenarioFault for one that is missing or not allowed, UnknownName for one the flow does not have.
    """
    for key in given:
        if key not in flow.params:
            raise UnknownName(f"flow '{name}' has no parameter '{key}'", place, suggest(key, flow.params, "parameters"))
    bound: dict[str, Any] = {}
    for key, spec in flow.params.items():
        if key in given:
            bound[key] = given[key]
        elif isinstance(spec, Param) and spec.default is not None:
            bound[key] = spec.default
        else:
            raise ScenarioFault(f"flow '{name}' needs the parameter '{key}'", place, f"Add `with: {{{key}: …}}`.")
        if isinstance(spec, list) and str(bound[key]) not in spec:
            message = f"'{bound[key]}' is not allowed for parameter '{key}' of flow '{name}'"
            raise UnknownName(message, place, suggest(str(bound[key]), spec))
        kind = spec.kind if isinstance(spec, Param) else str(spec)
        if kind == "zone" and str(bound[key]) not in scenario.zones:
            message = f"no zone '{bound[key]}' for parameter '{key}' of flow '{name}'"
            raise UnknownName(message, place, suggest(str(bound[key]), scenario.zones, "zones"))
        if kind == "resource":
            find_resource(bound[key], scenario, place)
        if kind in {"distance", "duration", "share"}:
            try:
                value = mode_of(bound[key])
                _ = units.parse_time(value) if kind == "duration" else units.parse(value, str(kind))
            except ScenarioFault as fault:
                raise fault.at(place) from None
    return bound


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


def find_resource(value: Any, scenario: Scenario, place: Place) -> tuple[str, str, Resource]:  # noqa: ANN401
    """Return (zone, name, resource) for a dotted name; raises UnknownName."""
    zone_name, _, name = str(value).partition(".")
    zone = scenario.zones.get(zone_name)
    if zone is None:
        raise UnknownName(
            f"'{value}' is no resource: no zone '{zone_name}'", place, suggest(zone_name, scenario.zones, "zones")
        )
    entry = zone.entries().get(name)
    if not isinstance(entry, Resource):
        known = [f"{zone_name}.{key}" for key, each in zone.entries().items() if isinstance(each, Resource)]
        raise UnknownName(
            f"zone '{zone_name}' has no resource '{name}'", place, suggest(f"{zone_name}.{name}", known, "resources")
        )
    return zone_name, name, entry
