"""From plain data to models: every fault of a document at once, each at its place, in words for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from zonesim import units
from zonesim.faults import MOST_TOLD, Faults, MoreFaults, Place, ScenarioFault, UnknownName, suggest
from zonesim.scenario.fields import keys_of
from zonesim.scenario.forms import below_another, mapping_like
from zonesim.scenario.reader import Path_, nearest

_COUNTED: Final = "Leave some out, or add some."
_LOOK: Final = "Look up what may stand there with `zonesim schema`."

Model = TypeVar("Model", bound=BaseModel)


def check(
    model: type[Model],
    tree: dict[str, Any],
    places: Mapping[Path_, Place],
    keys: Mapping[Path_, Place],
    *,
    at: Path_ = (),
    file: str = "",
) -> Model:
    """
    Return `tree`, which stands at path `at` of a document with these `places` and `keys`, as a model.

    Raises Faults with all that is wrong in it.
    """
    unknown: list[tuple[int, str, type[BaseModel]]] = []
    faults: list[ScenarioFault] = []
    result: Model | None = None
    try:
        result = model.model_validate(tree, context={"unknown": unknown})
    except ValidationError as error:
        faults += [_fault(details, tree, places, keys, at, file) for details in error.errors(include_url=False)]
    except ScenarioFault as fault:  # where a validator reads what others have not looked at yet
        faults.append(fault.at(nearest(places, at, file)))
    if unknown:
        faults += _unknown_keys(unknown, tree, places, keys, at, file)
    if faults or result is None:
        raise Faults(faults)
    return result


def _unknown_keys(
    unknown: Sequence[tuple[int, str, type[BaseModel]]],
    tree: dict[str, Any],
    places: Mapping[Path_, Place],
    keys: Mapping[Path_, Place],
    at: Path_,
    file: str,
) -> list[ScenarioFault]:
    """Return a fault for each of the first unknown keys, and one for all the others: what is near costs time."""
    where = {id(node): path for path, node in _mappings(tree, at)}
    models: dict[tuple[Place, str], type[BaseModel]] = {}
    for mapping, key, model in unknown:
        path = (*where.get(mapping, at), key)
        models[keys.get(path) or nearest(places, path, file), key] = model
    found = sorted(models)
    faults: list[ScenarioFault] = [
        UnknownName(f"unknown key '{key}'", place, f"Write {below}.")
        if (below := below_another(key, models[place, key]))
        else UnknownName(f"unknown key '{key}'", place, suggest(key, keys_of(models[place, key]), "keys"))
        for place, key in found[:MOST_TOLD]
    ]
    if len(found) > MOST_TOLD:
        faults.append(MoreFaults(len(found) - MOST_TOLD, found[MOST_TOLD][0]))
    return faults


def _mappings(node: Any, path: Path_) -> list[tuple[Path_, Any]]:  # noqa: ANN401
    """Return every mapping below `node` with its path."""
    found: list[tuple[Path_, Any]] = []
    if isinstance(node, dict):
        found.append((path, node))
        for key, value in node.items():
            found += _mappings(value, (*path, key))
    elif isinstance(node, list):
        for position, value in enumerate(node):
            found += _mappings(value, (*path, str(position)))
    return found


def _fault(
    details: ErrorDetails,
    tree: dict[str, Any],
    places: Mapping[Path_, Place],
    keys: Mapping[Path_, Place],
    at: Path_,
    file: str,
) -> ScenarioFault:
    path, node = at, tree
    found: Any = node
    for part in details["loc"]:
        # The location of an error also names the forms of a union it went through; these are no keys of the document.
        if isinstance(found, dict) and str(part) in found:
            found = found[str(part)]
        elif isinstance(found, list) and isinstance(part, int) and part < len(found):
            found = found[part]
        else:
            continue
        path = (*path, str(part))
    fault, remedy = _words(details, found, path)
    if at_inside := details.get("ctx", {}).get("at"):
        full = (*path, *at_inside)
        place = keys.get(full) or nearest(places, full, file)
        return (UnknownName if fault.startswith("unknown key") else ScenarioFault)(fault, place, remedy)
    key = keys.get(path) if details["loc"][-1:] == ("[key]",) else None  # it is the key that is wrong, not its value
    return ScenarioFault(fault, key or nearest(places, path, file), remedy)


def _words(details: ErrorDetails, found: Any, path: Path_) -> tuple[str, str]:  # noqa: ANN401
    kind = details["type"]
    context = details.get("ctx", {})
    key = path[-1] if path else "the document"
    if key.isdecimal() and len(path) > 1:
        key = f"{path[-2]}[{key}]"
    shown = units.describe(found)
    if kind == "zonesim":
        return str(context["fault"]), str(context["remedy"])
    if kind == "missing":
        missing = details["loc"][-1]
        return f"key '{missing}' is missing in '{key}'", f"Add '{missing}:' there."
    if kind == "literal_error":
        expected = str(context.get("expected", "")).replace("True", "true").replace("False", "false")
        choices = [choice.strip().strip("'") for choice in expected.replace(" or ", ", ").split(",")]
        return f"{shown} is not allowed for '{key}'", suggest(str(found), choices)
    if kind in {"model_type", "dict_type", "model_attributes_type"}:
        return f"'{key}' must be a mapping, found {shown}", mapping_like(key, found, context.get("class_name", ""))
    if kind == "string_type":
        return f"'{key}' must be text, found {shown}", "Put it in quotes."
    if kind == "list_type":
        return f"'{key}' must be a list, found {shown}", "Write [first, second]."
    if kind in {"too_short", "too_long"}:
        low = context.get("min_length", context.get("max_length"))
        return f"'{key}' has {context.get('actual_length')} entries, {low} {'are' if low != 1 else 'is'} due", _COUNTED
    if kind.startswith(("int", "float", "finite")):
        what = "a whole number" if kind.startswith("int") else "a number"
        return f"'{key}' must be {what}, found {shown}", "Write a number such as 3."
    if kind.startswith("bool"):
        return f"'{key}' must be true or false, found {shown}", "Write true or false."
    if kind == "string_pattern_mismatch":
        return f"'{found}' cannot be a {key}", "Use letters, digits, '-', '_' and '.', at most 80."
    if kind.startswith(("greater", "less")):
        bound = next(iter(context.values()), "")
        return f"'{key}' is {shown}, which is outside its bounds (limit {bound})", "Choose a value within."
    message = str(details["msg"])
    return f"'{key}': {message[:1].lower()}{message[1:]}, found {shown}", _LOOK
