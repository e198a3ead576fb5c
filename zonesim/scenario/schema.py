"""
The JSON Schema of the format, for editors: made from the models, so that it cannot say anything else than they do.

One schema holds all kinds of documents and chooses by `kind`. It knows keys, types, units and allowed words; what
needs more than one place at a time (names that must exist, shares that must add up) only `zonesim validate` finds.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from zonesim import units
from zonesim.scenario.catalogue import KINDS
from zonesim.scenario.experiment_documents import Experiment
from zonesim.scenario.fields import CV_RANGE, EVERYTHING, LARGEST_RATIO, SHAPE_RANGE
from zonesim.scenario.labels import NOTE_KEYS
from zonesim.scenario.models import Scenario
from zonesim.scenario.steps import END, Step

Schema = dict[str, Any]

DOCUMENTS: Final[dict[str, type[BaseModel]]] = {"scenario": Scenario, "experiment": Experiment, **KINDS}
"""Every kind of document with its model."""

_PLAIN: Final = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_NUMBER: Final = rf"\+?{_PLAIN}(?:[eE][+-]?[0-9]+)?"
_ZERO: Final = r"[+-]?0+(?:\.0*)?"
_SHARE: Final = r"\+?0*(?:100(?:\.0*)?|[0-9]{1,2}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]-[0-9]+)?"
_SPAN: Final = r"^\d\d:\d\d-\d\d:\d\d$"
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"

REFERENCE: Final[Schema] = {
    "description": "A parameter of the flow or measure, e.g. `$km` or `$zone.docks`.",
    "type": "string",
    "pattern": r"^\$",
}
_ABOUT: Final = {
    "Duration": "A duration, e.g. `15 min`",
    "Time": "A duration, e.g. `15 min`, or a number of working days, e.g. `10 wd`",
    "Rate": "A rate of arrivals, e.g. `12 /h`",
    "Share": "A share, e.g. `5 %`",
    "Distance": "A distance, e.g. `99 km`",
    "Speed": "A speed, e.g. `45 km/h`",
    "CostRate": "What an hour costs, e.g. `60 CNY/h`",
    "Price": "What one costs, e.g. `150 CNY`",
}


def _doubtful(plain: Schema, about: str) -> Schema:
    """Return a value, a parameter in its place, or doubt about it."""
    one = [plain, {"$ref": "#/$defs/Reference"}]
    doubt = {
        "description": "Doubt: low, mode and high. Runs use the mode.",
        "type": "object",
        "properties": {"uncertain": {"type": "array", "items": {"anyOf": one}, "minItems": 3, "maxItems": 3}},
        "required": ["uncertain"],
        "additionalProperties": False,
    }
    return {"description": about, "anyOf": [*one, doubt]}


def _quantity(name: str) -> Schema:
    kind = {"Time": "duration", "CostRate": "cost rate"}.get(name, name.lower())
    known = {**units.UNITS[kind], **(units.UNITS[units.WORKING] if name == "Time" else {})}
    words = "|".join(sorted((unit.replace("/", r"\/") for unit in known), key=len, reverse=True))
    number = _SHARE if kind == "share" else _NUMBER
    zero = kind in {"duration", "share", "distance"}
    text: Schema = {"type": "string", "pattern": rf"^\s*{number}\s*(?:{words})\s*$"}
    if kind == "speed":
        text["pattern"] = r"^\s*(?!\+?[0.]*(?:[eE]|\s*[a-z]))" + text["pattern"].removeprefix(r"^\s*")
    if zero:
        text = {"type": "string", "pattern": rf"^\s*(?:{number}\s*(?:{words})|{_ZERO})\s*$"}
    plain = {"anyOf": [text, {"const": 0}]} if zero else text
    return _doubtful(plain, f"{_ABOUT[name]}. Units: {', '.join(known)}.")


def _number(what: str, bounds: tuple[float, float], example: float) -> Schema:
    low, high = bounds
    return {
        "description": f"{what} from {low:g} to {high:,}, e.g. `{example}`.",
        "anyOf": [{"type": "number", "minimum": low, "maximum": high}, {"$ref": "#/$defs/Reference"}],
    }


_WHOLE: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": 1_000_000}


def _types() -> dict[str, Schema]:
    """Return the definitions of the field types, by the names that `fields.in_schema` gives them."""
    return {
        "Reference": REFERENCE,
        **{name: _quantity(name) for name in _ABOUT},
        "Cv": _number("A coefficient of variation", CV_RANGE, 0.8),
        "Shape": _number("A shape", SHAPE_RANGE, 2),
        "Count": _doubtful(_WHOLE, "A whole number of at least 1, e.g. `3`."),
        "Phases": _doubtful(_WHOLE, "A whole number of at least 1, e.g. `3`."),
        "Capacity": {
            "description": "A whole number of at least 1, or `unlimited`.",
            "anyOf": [{"const": "unlimited"}, *_doubtful(_WHOLE, "")["anyOf"]],
        },
        "Staff": _doubtful({**_WHOLE, "minimum": 0}, "Units on duty, a whole number, e.g. `4`."),
        "Span": {"pattern": _SPAN},
        "Ratio": _doubtful(
            {"type": "number", "exclusiveMinimum": 0, "maximum": LARGEST_RATIO}, "A factor above 0, e.g. `3`."
        ),
        "Factor": {"description": "A factor above 0, e.g. `1.5`.", "type": "number", "exclusiveMinimum": 0},
        "Range": {
            "description": "`[low, high]`, `[low, mode, high]`, factors `{scale: [0.8, 1.5]}`, or `doubted`.",
            "anyOf": [
                {"const": "doubted"},
                {"type": "array", "minItems": 2, "maxItems": 3},
                {
                    "type": "object",
                    "properties": {"scale": {"type": "array", "minItems": 2, "maxItems": 3}},
                    "required": ["scale"],
                    "additionalProperties": False,
                },
            ],
        },
        "Value": {"description": "A value as the scenario has it at this path.", "not": {"type": "null"}},
        "Measures": {
            "description": "Measures, e.g. `[m10, {m11: {coverage: 60 %}}]`.",
            "type": "array",
            "items": {
                "anyOf": [{"$ref": "#/$defs/Name"}, {"type": "object", "minProperties": 1, "maxProperties": 1}],
            },
        },
        "Name": {"description": "A name.", "type": ["string", "number"]},
        "PartName": {"description": "A name without a dot.", "type": ["string", "integer"], "pattern": r"^[^.]*$"},
        "HeadName": {
            "description": f"A name without a dot, and not `{EVERYTHING}`.",
            "type": ["string", "integer"],
            "pattern": r"^[^.]*$",
            "not": {"const": EVERYTHING},
        },
        "Names": {
            "description": "A name, or a list of names.",
            "anyOf": [{"$ref": "#/$defs/Name"}, {"type": "array", "items": {"$ref": "#/$defs/Name"}}],
        },
        "Date": {"description": 'A date, e.g. `"2018-09-03"`.', "type": "string", "pattern": f"^{_DAY}$"},
        "Dates": {
            "description": "Dates, and ranges of dates, e.g. `2018-10-01..2018-10-07`.",
            "type": "array",
            "items": {"type": "string", "pattern": rf"^\s*{_DAY}\s*(?:\.\.\s*{_DAY}\s*)?$"},
        },
        "Spans": {
            "description": 'Opening hours, or moments, in ascending order, e.g. `["08:30-12:00", "13:00-17:00"]`.',
            "type": "array",
            "items": {"type": "string", "pattern": r"^\d\d:\d\d(-\d\d:\d\d)?$"},
        },
        "Durations": {
            "description": "A duration, or a list of durations.",
            "anyOf": [{"$ref": "#/$defs/Duration"}, {"type": "array", "items": {"$ref": "#/$defs/Duration"}}],
        },
        "Until": {
            "description": "A later step, e.g. `until leave_yard`.",
            "type": "string",
            "pattern": r"^until\s+\S+$",
        },
        "DurationKey": {"pattern": _quantity("Time")["anyOf"][0]["anyOf"][0]["pattern"]},
        "CountKey": {"pattern": "^[1-9][0-9]{0,3}$"},
        "StepName": {
            "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
            "not": {"enum": sorted({*Step.KEYS, END})},
        },
        "NotANote": {"not": {"enum": sorted(NOTE_KEYS)}},
    }


def json_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of every kind of document."""
    references, made = models_json_schema([(model, "validation") for model in DOCUMENTS.values()], by_alias=True)
    definitions = {name: _tidy(definition) for name, definition in {**made["$defs"], **_types()}.items()}
    kinds = {
        kind: references[model, "validation"]["$ref"].removeprefix("#/$defs/") for kind, model in DOCUMENTS.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "zonesim",
        "description": "Scenario files of zonesim, and the documents of its library.",
        "type": "object",
        "required": ["zonesim", "kind"],
        "properties": {
            "zonesim": {"description": "The version of the format.", "const": 1},
            "kind": {"description": "What kind of document this is.", "enum": list(kinds)},
        },
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": f"#/$defs/{name}"},
            }
            for kind, name in kinds.items()
        ],
        "$defs": dict(sorted(definitions.items())),
    }


def _tidy(node: Any) -> Any:  # noqa: ANN401
    """
    Return a schema with the field types in place, without made-up titles, and with `anyOf` for alternatives that
    exclude each other anyway (editors explain its failures better).
    """
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    out: Schema = {}
    for key, value in node.items():
        if key == "title" and isinstance(value, str):
            continue
        if key == "properties":
            out[key] = {name: _tidy(inner) for name, inner in value.items()}
        elif key == "x-type":
            out["$ref"] = f"#/$defs/{value}"
        elif key == "oneOf":
            out["anyOf"] = _tidy(value)
        elif key == "default":
            if value not in (None, {}, [], ""):
                out[key] = value
        elif key == "description":
            out[key] = " ".join(str(value).split())
        else:
            out[key] = _tidy(value)
    return out
