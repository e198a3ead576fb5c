"""The JSON Schema says what the reader says, and every shipped file leads editors to it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any, get_args, get_type_hints

import jsonschema
import pytest
from pydantic import BaseModel, BeforeValidator, WithJsonSchema

from tests.helper import ROOT
from tests.properties.fuzzing import misjudged
from zonesim import cli, units
from zonesim.faults import Faults, UnitFault, UnknownName
from zonesim.policy import world_of
from zonesim.scenario import check, read_text
from zonesim.scenario.reader import Document, Path_
from zonesim.scenario.schema import DOCUMENTS, json_schema

SCHEMA = json.loads((ROOT / "schema" / "zonesim.json").read_text(encoding="utf-8"))
FILES = sorted(
    path for folder in ("scenarios", "experiments", "zonesim/library") for path in (ROOT / folder).rglob("*.yaml")
)


@cache
def validator(definition: str = "") -> jsonschema.Draft202012Validator:
    """Return a validator for whole documents, or for one definition of the schema."""
    if not definition:
        return jsonschema.Draft202012Validator(SCHEMA)
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": SCHEMA["$defs"]})


def document_of(path) -> Document:
    """Return a shipped file, read."""
    return read_text(path.read_text(encoding="utf-8"), path.name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_shipped_files_name_the_schema_and_follow_it(path):
    """
    The first line leads editors to the schema, which has nothing against the file.
    """
    head, _, target = path.read_text(encoding="utf-8").partition("\n")[0].partition("$schema=")

    assert head == "# yaml-language-server: "
    assert (path.parent / target).resolve() == ROOT / "schema" / "zonesim.json"
    assert [error.message for error in validator().iter_errors(document_of(path).tree)] == []


ANYTHING = {("Edit", "to"), ("MeasureParam", "default"), ("MeasureParam", "low"), ("MeasureParam", "high")} | {
    ("Param", "default"),
    ("Setting", "value"),
}
"""Values whose kind depends on what they stand for."""


def test_every_key_is_described_and_limited():
    """
    Each key of each definition has a sentence, and says what may stand there unless that depends on another value.
    """
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for name, definition in SCHEMA["$defs"].items():
        for key, found in definition.get("properties", {}).items():
            if key != "uncertain":
                assert found.get("description"), (name, key)
            assert set(found) - {"description", "default"} or (name, key) in ANYTHING, (name, key)


def validators_without_schema(annotation: Any) -> bool:
    """Return whether a type somewhere reads a value in its own way and does not say so to the schema."""
    marks = getattr(annotation, "__metadata__", ())
    own = any(isinstance(mark, BeforeValidator) for mark in marks) and not any(
        isinstance(mark, WithJsonSchema) for mark in marks
    )
    return own or any(validators_without_schema(inner) for inner in get_args(annotation))


def test_own_ways_of_reading_are_in_the_schema():
    """
    A field with a reader of its own says with `in_schema` what may stand there.
    """
    seen: set[type] = set()
    models = list(DOCUMENTS.values())
    while models:
        model = models.pop()
        if model in seen:
            continue
        seen.add(model)
        for name, annotation in get_type_hints(model, include_extras=True).items():
            assert not validators_without_schema(annotation), f"{model.__name__}.{name} lacks in_schema(…)"
            models += [each for each in parts(annotation) if isinstance(each, type) and issubclass(each, BaseModel)]

    assert len(seen) > 30


def parts(annotation: Any) -> Iterator[Any]:
    """Yield a type and all types inside it."""
    yield annotation
    for inner in get_args(annotation):
        yield from parts(inner)


NUMBERS = (
    "5",
    "0",
    "2.5",
    ".5",
    "5.",
    "1e3",
    "2E-1",
    "+3",
    "-1",
    "100",
    "100.0",
    "101",
    "99.99",
    "1e30",
    "",
    "x",
    "1,5",
    "0.0",
    "٣",
)
UNITS = ("", "min", "h", "wd", "ms", " h", "/h", " /d", "%", " %", "km", "km/h", " week", "  s ", "hour", "Min")  # fmt: skip


@pytest.mark.parametrize("kind", sorted(units.UNITS))
def test_quantities_are_those_that_units_can_read(kind):
    """
    Over many texts, the pattern of a kind of quantity lets through what the units can read (but for what is too large).
    """
    definition = validator(kind.capitalize())
    if kind.capitalize() not in SCHEMA["$defs"]:
        pytest.skip("no key has this kind alone")
    parse = units.parse_share if kind == "share" else lambda text: units.parse(text, kind)
    values: list[Any] = [number + unit for number, unit in product(NUMBERS, UNITS)]
    for value in [*values, 0, 3, 2.5, True, None, [], {}]:
        try:
            parse(value)
            good = True
        except UnitFault as fault:
            good = kind != "share" and fault.fault.endswith("too large")
        assert definition.is_valid(value) == good, value
        if isinstance(value, str):
            assert definition.is_valid({"uncertain": [value] * 3}) == good, value
    assert definition.is_valid("$km")
    assert not definition.is_valid({"uncertain": ["$km", "$km"]})


def test_editors_never_underline_what_runs():
    """
    Of files with something changed, all that the schema refuses are refused by the reader too.
    """
    refused = 0
    for seed in range(150):
        try:
            document = read_text(misjudged(seed), "f.yaml")
        except Faults:
            continue
        if not validator().is_valid(document.tree):
            refused += 1
            with pytest.raises(Faults):
                world_of(document)

    assert refused > 40


def format_keys(node: Any, schemas: list[dict[str, Any]], path: Path_ = ()) -> Iterator[tuple[str, Path_]]:
    """Yield the definition and the path of every key of the format in a document, by walking the schema along it."""
    found: list[tuple[str, dict[str, Any]]] = []
    for name, schema in flat(schemas):
        found.append((name, schema))
    if isinstance(node, dict):
        for key, value in node.items():
            below = [schema["properties"][key] for _, schema in found if key in schema.get("properties", {})]
            owners = [name for name, schema in found if key in schema.get("properties", {})]
            if below:
                yield owners[0], (*path, key)
            else:
                below = [each for _, schema in found if isinstance(each := schema.get("additionalProperties"), dict)]
            yield from format_keys(value, below, (*path, key))
    elif isinstance(node, list):
        below = [schema["items"] for _, schema in found if "items" in schema]
        for number, value in enumerate(node):
            yield from format_keys(value, below, (*path, str(number)))


def flat(schemas: list[dict[str, Any]], name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield schemas with references followed and alternatives laid side by side."""
    for schema in schemas:
        if "$ref" in schema:
            target = schema["$ref"].rpartition("/")[2]
            yield from flat([SCHEMA["$defs"][target]], target)
        else:
            yield name, schema
            yield from flat(schema.get("anyOf", []), name)


def misspelt(document: Document, path: Path_) -> tuple[dict[str, Any], str]:
    """Return the document with two letters of the key at `path` changed round, and the key that is then there."""
    tree = copy.deepcopy(document.tree)
    node: Any = tree
    for part in path[:-1]:
        node = node[int(part)] if isinstance(node, list) else node[part]
    key = path[-1]
    wrong = key + "e" if len(key) == 1 or key[-1] == key[-2] else key[:-2] + key[-1] + key[-2]
    items = [(wrong if name == key else name, value) for name, value in node.items()]
    node.clear()
    node.update(items)
    return tree, wrong


COULD_BE_A_NAME = {
    *(("When", key) for key in ("marked", "unmarked", "last_of", "class")),
    *(("Changes", key) for key in ("status", "class", "credit", "debit")),
    ("Account", "account"),
    ("Range", "scale"),
}
"""
Misspelt, these are read as something else: parameters of the flow, attributes, a resource. It is found when the scenario is compiled, or told of that.
"""


@cache
def every_key() -> dict[tuple[str, str], tuple[Any, Path_]]:
    """Return, for every key that some shipped file uses, one of these files and the path of the key in it."""
    found: dict[tuple[str, str], tuple[Any, Path_]] = {}
    for path in FILES:
        tree = document_of(path).tree
        root = SCHEMA["$defs"][DOCUMENTS[tree["kind"]].__name__]
        found.update(((owner, at[-1]), (path, at)) for owner, at in format_keys(tree, [root]))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_misspelt_key_is_named_with_what_was_meant(path):
    """
    Each key that the shipped files use, once misspelt, is refused by the schema, and by the reader at its place with a suggestion.
    """
    document = document_of(path)
    model = DOCUMENTS[document.tree["kind"]]
    own = {pair: at for pair, (file, at) in every_key().items() if file == path}
    for (owner, key), at in own.items():
        if (owner, key) in COULD_BE_A_NAME:
            continue
        tree, wrong = misspelt(document, at)
        keys = {(*at[:-1], wrong): document.keys[at], **document.keys}
        assert not validator().is_valid(tree), at
        with pytest.raises(Faults) as caught:
            check(model, tree, document.places, keys, file=path.name)
        named = [fault for fault in caught.value.faults if f"'{wrong}'" in fault.fault]
        assert named, (at, str(caught.value))
        assert isinstance(named[0], UnknownName), (at, str(caught.value))
        assert named[0].place == document.keys[at]
        assert f"'{key}'" in named[0].remedy, (at, str(caught.value))


def test_the_command_prints_the_schema(capsys, monkeypatch):
    """
    `zonesim schema` prints what schema/zonesim.json holds, for whoever has only the package.
    """
    monkeypatch.setattr("sys.argv", ["zonesim", "schema"])
    with pytest.raises(SystemExit) as end:
        cli.main()

    assert end.value.code == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA == json_schema()
