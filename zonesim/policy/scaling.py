"""
Scaling: a quantity, or every time and amount within a law or another mapping, times a factor.

What is a time, a share or a name is what the models of the format say of its place, never what its key is called: a
class or a part of a mixture may be called `speed` or `cv`.
"""

from __future__ import annotations

import math
import re
import sys
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Discriminator, Tag, WithJsonSchema
from pydantic.fields import FieldInfo

from zonesim import units
from zonesim.faults import ScenarioFault
from zonesim.policy.resolved_tree import USES
from zonesim.scenario import Flow, Path_, Scenario
from zonesim.scenario.fields import is_reference
from zonesim.scenario.laws import Law

EXTENTS: Final = frozenset({"Duration", "Time", "Rate", "Distance", "Count", "Capacity", "Staff", "CostRate", "Price"})
"""Field types that are times or amounts: these are scaled wherever they stand in what is scaled."""

RATIOS: Final = frozenset({"Share", "Speed", "Cv", "Shape", "Phases"})
"""Field types that are scaled only when they themselves are meant: in a law they say how times are spread."""

WHOLE: Final = frozenset({"Count", "Capacity", "Staff", "Phases"})
"""Field types of whole numbers, to which a product is rounded."""

KEYS: Final = frozenset({"DurationKey", "CountKey"})
"""Types of keys that are times or amounts; what such a mapping holds is how often each comes."""

_QUANTITY: Final = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*([^\d\s].*?)?\s*")
_UNITS: Final = frozenset(unit for kind in units.UNITS.values() for unit in kind)
_ROOTS: Final[dict[str, Any]] = {"library": dict[str, Flow], USES: dict[str, Flow], "measures": Any}


def kind_at(tree: dict[str, Any], path: Path_) -> Any:  # noqa: ANN401
    """Return the type that the format gives the value at a path of a world's tree; Any where it gives none."""
    kind, value = _ROOTS.get(path[0]) or _inside(Scenario, tree, path[0]), tree[path[0]]
    for part in path[1:]:
        kind = _inside(kind, value, part)
        value = value[part]
    return kind


def can_be_scaled(tree: dict[str, Any], path: Path_) -> bool:
    """Return whether a value of a world's tree changes when it is scaled: 0 does not, nor does what has a parameter."""
    node: Any = tree
    for part in path:
        node = node[part]
    try:
        return bool(scaled(node, kind_at(tree, path), 2.0) != node)
    except ScenarioFault:
        return False


def scaled(value: Any, kind: Any, factor: float) -> Any:  # noqa: ANN401
    """
    Return a value of the given type times `factor`; as it is where nothing in it can be scaled.

    Raises ScenarioFault (without a place) for a law that cannot be scaled because a parameter (`$name`) stands in it.
    """
    return _scaled(value, kind, factor, meant=True)


def _scaled(value: Any, kind: Any, factor: float, *, meant: bool) -> Any:  # noqa: ANN401
    """Return a value times a factor; `meant`: a ratio is scaled too, for it is not the part of a law."""
    kind, marks = _form(kind, value)
    origin = get_origin(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel) and isinstance(value, dict):
        return _record(value, kind, factor, meant=meant)
    if origin is list and isinstance(value, list):
        return [_scaled(part, get_args(kind)[0], factor, meant=meant) for part in value]
    if origin is dict and isinstance(value, dict):
        if marks & KEYS:
            return {_times(key, factor): share for key, share in value.items()}
        return {key: _scaled(part, get_args(kind)[1], factor, meant=meant) for key, part in value.items()}
    if marks & EXTENTS or (meant and marks & RATIOS):
        if (name := _reference_in(value)) is not None:
            message = f"'{name}' in it stands for another value"
            raise ScenarioFault(message, remedy=f"Scale what is given for '{name}', or write the value here.")
        return _times(value, factor, whole=bool(marks & WHOLE))
    return _times(value, factor, whole=kind is int) if meant and not marks and kind in {int, float, Any} else value


def _reference_in(value: Any) -> str | None:  # noqa: ANN401
    """Return the first parameter in a written value or in doubt about it."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return next((name for part in value if (name := _reference_in(part)) is not None), None)
    return str(value) if is_reference(value) else None


def _record(value: dict[str, Any], kind: type[BaseModel], factor: float, *, meant: bool) -> dict[str, Any]:
    """Return a mapping of the format with what in it is scaled; of names that people chose what is meant itself."""
    fields, others = _fields(kind)
    out = {}
    for key, part in value.items():
        own = fields.get(key, others)
        if key == "distance" and issubclass(kind, Law) and is_reference(part) and not is_reference(value.get("speed")):
            continue  # a haul of a length that the flow is told takes longer at a lower speed
        out[key] = _scaled(part, own, factor, meant=meant and (_is_anything(own, part) or key not in fields))
    if "distance" in value and "distance" not in out:
        return {**value, "speed": _times(value.get("speed"), 1 / factor)}
    return out


def _is_anything(kind: Any, value: Any) -> bool:  # noqa: ANN401
    """Return whether the format does not say what a value is: it is what the mapping around it is about."""
    form, marks = _form(kind, value)
    return form is Any and not marks


@cache
def _fields(kind: type[BaseModel]) -> tuple[dict[str, Any], Any]:
    """Return the types of a mapping's keys, and that of names that people choose."""
    hints = get_type_hints(kind, include_extras=True)
    fields = {field.alias or name: hints[name] for name, field in kind.model_fields.items()}
    extra = hints.get("__pydantic_extra__")
    return fields, get_args(extra)[1] if extra is not None else Any


def _inside(kind: Any, value: Any, key: str) -> Any:  # noqa: ANN401
    """Return the type of what stands under a key of a value."""
    kind, _ = _form(kind, value)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields, others = _fields(kind)
        return fields.get(key, others)
    return get_args(kind)[1] if get_origin(kind) is dict else Any


def _form(kind: Any, value: Any) -> tuple[Any, set[str]]:  # noqa: ANN401
    """Return the form of a type that a value has, and which field types it (or its keys) are marked as."""
    marks: set[str] = set()
    while True:
        origin = get_origin(kind)
        if origin is Annotated:
            kind, *notes = get_args(kind)
            marks |= {mark for note in notes if (mark := _mark(note))}
            chooser = next((note for note in notes if isinstance(note, Discriminator)), None)
            if chooser is not None and callable(chooser.discriminator):
                kind = _tagged(kind, chooser.discriminator(value))
        elif origin in {Union, UnionType}:
            forms = [form for form in get_args(kind) if form is not NoneType]
            fitting = [form for form in forms if (get_origin(form) is list) == isinstance(value, list)]
            kind = (fitting or forms)[0]
        else:
            return kind, marks


def _tagged(kind: Any, tag: Any) -> Any:  # noqa: ANN401
    """Return the alternative of a union that has a tag."""
    return next((form for form in get_args(kind) if any(note == Tag(tag) for note in form.__metadata__)), Any)


def _mark(note: Any) -> str:  # noqa: ANN401
    """Return which field type a note of `fields.in_schema` or `fields.keys_in_schema` names."""
    if isinstance(note, WithJsonSchema):
        return str((note.json_schema or {}).get("x-type", ""))
    if isinstance(note, FieldInfo) and isinstance(note.json_schema_extra, dict):
        names = note.json_schema_extra.get("propertyNames")
        return str(names.get("x-type", "")) if isinstance(names, dict) else ""
    return ""


def _times(value: Any, factor: float, *, whole: bool = False) -> Any:  # noqa: ANN401
    """Return a number or a written quantity, or doubt about one, times a factor; `whole`: rounded to a whole number."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        product = math.inf if abs(value) > sys.float_info.max else value * factor
        return round(product) if math.isfinite(product) and (whole or product == round(product)) else product
    if isinstance(value, str):
        match = _QUANTITY.fullmatch(value)
        known = match is not None and (match[2] is None or match[2] in _UNITS)
        return f"{float(match[1]) * factor:.12g} {match[2] or ''}".strip() if match and known else value
    if isinstance(value, list):
        return [_times(part, factor, whole=whole) for part in value]
    if isinstance(value, dict):
        return {key: _times(part, factor, whole=whole) for key, part in value.items()}
    return value
