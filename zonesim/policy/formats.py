"""What the format knows at a place of the world: read off the schema, which is made from the models."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from zonesim.policy.resolved_tree import USES
from zonesim.scenario import Path_
from zonesim.scenario.schema import json_schema

Schema = dict[str, Any]

_FLOWS: Final = ("library", "flows", USES)

AT_READING: Final = {"zones": frozenset({"from", "like"}), "traffic": frozenset({"generate"})}
"""Keys of zones and entries of the traffic that no edit gives them: what they say is done before edits are made."""

_NOT_SET: Final = frozenset({"zonesim", "kind", "edits"})
"""Such keys of the scenario itself."""


def keys_at(path: Path_, node: dict[str, Any]) -> tuple[frozenset[str], bool]:
    """
    Return the keys that the format knows in the mapping `node` at a path of the world, and whether people choose
    others.
    """
    root = "Flow" if len(path) > 1 and path[0] in _FLOWS else "Scenario"
    found = [_definitions()[root]]
    for part in path[2:] if root == "Flow" else path:
        found = [inner for schema in found for inner in _below(schema, part)]
    keys: set[str] = set()
    takes_names = False
    for schema in found:
        for form in _forms(schema, node):
            keys.update(form.get("properties", {}))
            others = form.get("additionalProperties", True)
            takes_names |= form.get("type") == "object" and isinstance(others, dict)
    done = _NOT_SET if not path else AT_READING.get(path[0], frozenset()) if len(path) == 2 else frozenset()  # noqa: PLR2004
    return frozenset(keys - done), takes_names


@cache
def _definitions() -> dict[str, Schema]:
    definitions: dict[str, Schema] = json_schema()["$defs"]
    return definitions


def _below(schema: Schema, part: str) -> Iterator[Schema]:
    """Yield what may stand at a key of what a schema describes."""
    for form in _forms(schema, None):
        others = form.get("additionalProperties")
        if part in form.get("properties", {}):
            yield form["properties"][part]
        elif isinstance(others, dict):
            yield others
        elif form.get("type") == "array":
            yield form.get("items", {})


def _forms(schema: Schema, node: dict[str, Any] | None) -> Iterator[Schema]:
    """Yield the forms of a schema, those alone that `node` has the keys for where it is given."""
    if "$ref" in schema:
        yield from _forms(_definitions()[schema["$ref"].removeprefix("#/$defs/")], node)
    for inner in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        if "type" in inner or "$ref" in inner or "anyOf" in inner:
            yield from _forms(inner, node)
    if "type" in schema and (node is None or set(schema.get("required", ())) <= set(node)):
        yield schema
