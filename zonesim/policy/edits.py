"""
Edits: named changes of values at dotted paths, the one way in which arms, measures and `--set` differ from the
scenario.

A path runs from the root of the world: `zones.TYP.lanes_in.units`, `traffic.*.rate`,
`library.gate.lane.compare.take.freight`. Inside a flow the word `steps` is left out. `*` stands for every key. In
an arm, two measures may not edit one value, unless both scale it or one of them declares to come `after` the other.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zonesim.faults import Faults, MeasureConflict, Place, ScenarioFault, UnknownName, suggest
from zonesim.policy.world import World
from zonesim.scenario import Edit, Path_, read_text


@dataclass(frozen=True)
class Request:
    """
    An edit with who asks for it (a measure, a practice, `--set`), where it is written, and values for its
    `$params`.
    """

    edit: Edit
    by: str
    place: Place
    params: tuple[tuple[str, Any], ...] = ()
    after: tuple[str, ...] = ()

    @property
    def measure(self) -> str:
        """Return the measure that asks (the part of `by` before the dot)."""
        return self.by.partition(".")[0]


@dataclass(frozen=True)
class Change:
    """A value that was changed: path, what it was, what it is (None: not there), by whom and where that is written."""

    path: Path_
    old: Any
    new: Any
    by: str
    place: Place

    @property
    def dotted(self) -> str:
        """Return the path as people write it."""
        return dotted(self.path)


def dotted(path: Path_) -> str:
    """Return a world path as people write it, without the word `steps`."""
    in_flow = path[:1] in {("library",), ("flows",)}
    return ".".join(part for part in path if not (in_flow and part == "steps"))


def targets(world: World, request: Request) -> list[Path_]:
    """
    Return the concrete paths that an edit means in `world`.

    For `add` the last part need not exist. Raises UnknownName with the nearest names when nothing is found.
    """
    edit = request.edit
    parts = edit.path.split(".")
    last = parts.pop() if edit.action == "add" else None
    found: list[Path_] = [()]
    for number, part in enumerate(parts):
        deeper: list[Path_] = []
        for path in found:
            deeper += _below(_get(world.tree, path), path, part)
        if not deeper:
            where = ".".join(parts[:number]) or "the scenario"
            known = sorted({key for path in found for key in _names_below(_get(world.tree, path))})
            fault = f"{_who(request)} {edit.action}s '{edit.path}', but '{where}' has no '{part}'"
            raise UnknownName(fault, request.place, suggest(part, known))
        found = deeper
    if last is None:
        return found
    return [(*path, *(("steps",) if _adds_a_step(_get(world.tree, path), edit) else ()), last) for path in found]


def _who(request: Request) -> str:
    return request.by if request.by.startswith(("-", "a ", "arm ")) else f"measure '{request.by}'"


def _get(tree: Any, path: Path_) -> Any:  # noqa: ANN401
    for part in path:
        tree = tree[int(part)] if isinstance(tree, list) else tree[part]
    return tree


def _below(node: Any, path: Path_, part: str) -> list[Path_]:  # noqa: ANN401
    if not isinstance(node, dict):
        return []
    steps = node.get("steps") if isinstance(node.get("steps"), dict) else {}
    if part == "*":
        return [(*path, key) for key in (steps or node)] if not steps else [(*path, "steps", key) for key in steps]
    if part in node:
        return [(*path, part)]
    if steps and part in steps:
        return [(*path, "steps", part)]
    return []


def _names_below(node: Any) -> list[str]:  # noqa: ANN401
    if not isinstance(node, dict):
        return []
    steps = node.get("steps")
    return [*(key for key in node if key != "steps"), *(steps if isinstance(steps, dict) else ())]


def _adds_a_step(node: Any, edit: Edit) -> bool:  # noqa: ANN401
    return isinstance(node, dict) and isinstance(node.get("steps"), dict) and isinstance(edit.to, dict)


def apply(world: World, requests: Sequence[Request]) -> list[Change]:
    """
    Carry out edits in order and return what changed; `world` is changed in place.

    Raises Faults with every edit that cannot be carried out.
    """
    changes: list[Change] = []
    faults: list[ScenarioFault] = []
    for request in requests:
        try:
            changes += _apply(world, request)
        except ScenarioFault as fault:
            faults.append(fault)
    if faults:
        raise Faults(faults)
    return changes


def _apply(world: World, request: Request) -> list[Change]:
    edit = request.edit
    changes = []
    for path in targets(world, request):
        parent, key = _get(world.tree, path[:-1]), path[-1]
        old = copy.deepcopy(parent.get(key))
        new = None
        if edit.action == "remove":
            del parent[key]
        elif edit.action == "scale":
            new = _scaled(old, float(edit.by or 1))
            if new == old and edit.by != 1:
                raise ScenarioFault(
                    f"{_who(request)} scales '{edit.path}', which has nothing to scale",
                    request.place,
                    "Scale a quantity or a law.",
                )
            parent[key] = new
        else:
            new = _filled(edit.to, dict(request.params), request)
            if edit.action == "add":
                if key in parent:
                    raise ScenarioFault(f"{_who(request)} adds '{edit.path}', which exists", request.place, "Use set.")
                _insert(parent, key, new, request)
            else:
                parent[key] = new
        world.places = {known: place for known, place in world.places.items() if known[: len(path)] != path}
        world.keys = {known: place for known, place in world.keys.items() if known[: len(path)] != path}
        if edit.action != "remove":
            world.places[path] = request.place
            world.edited[path] = edit.source or "assumed"
        changes.append(Change(path, old, copy.deepcopy(new), request.by, request.place))
    return changes


def _insert(parent: dict[str, Any], key: str, value: Any, request: Request) -> None:  # noqa: ANN401
    neighbour = request.edit.after or request.edit.before
    if neighbour is None:
        parent[key] = value
        return
    if neighbour not in parent:
        raise UnknownName(
            f"{_who(request)} adds next to '{neighbour}', which does not exist",
            request.place,
            suggest(neighbour, parent),
        )
    items = list(parent.items())
    position = [name for name, _ in items].index(neighbour) + (request.edit.after is not None)
    items.insert(position, (key, value))
    parent.clear()
    parent.update(items)


def _filled(value: Any, params: dict[str, Any], request: Request) -> Any:  # noqa: ANN401
    """
    Return `value` with the measure's `$params` filled in; a `$name` that is no parameter stays (the flow knows it).
    """
    if isinstance(value, dict):
        return {key: _filled(part, params, request) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, params, request) for part in value]
    if isinstance(value, str) and value.startswith("$") and value[1:] in params:
        return copy.deepcopy(params[value[1:]])
    return value


_QUANTITY = re.compile(r"\s*([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)\s*([^\d\s].*?)?\s*")
_KEPT_BY_SCALE = frozenset({"cv", "share", "shape", "speed", "by", "source", "label", "note", "zipf"})


def _scaled(value: Any, factor: float) -> Any:  # noqa: ANN401
    """Return a quantity times `factor`, or a law with every duration in it times `factor`; shares inside a law stay."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        scaled = value * factor
        return round(scaled) if isinstance(value, int) else scaled
    if isinstance(value, str):
        match = _QUANTITY.fullmatch(value)
        return f"{float(match[1]) * factor:.12g} {match[2] or ''}".strip() if match else value
    if isinstance(value, list):
        return [_scaled(part, factor) for part in value]
    if "discrete" in value:
        return {**value, "discrete": {_scaled(key, factor): share for key, share in value["discrete"].items()}}
    return {key: part if key in _KEPT_BY_SCALE else _scaled(part, factor) for key, part in value.items()}


def check_conflicts(world: World, requests: Sequence[Request]) -> None:
    """Raise Faults when two measures edit one value of `world`, unless both scale it or one comes `after` the other."""
    claims: list[tuple[Path_, Request]] = []
    faults: list[ScenarioFault] = []
    for request in requests:
        try:
            claims += [(path, request) for path in targets(world, request)]
        except ScenarioFault as fault:
            faults.append(fault)
    for number, (path, request) in enumerate(claims):
        for other_path, other in claims[:number]:
            short = min(len(path), len(other_path))
            if request.measure == other.measure or path[:short] != other_path[:short]:
                continue
            if request.edit.action == other.edit.action == "scale":
                continue
            if other.measure in request.after or request.measure in other.after:
                continue
            both = f"measures '{other.measure}' and '{request.measure}' both edit '{dotted(path[:short])}'"
            faults.append(
                MeasureConflict(
                    f"{both} (the other at {other.place})",
                    request.place,
                    f"Leave one out, or declare `after: [{other.measure}]`.",
                )
            )
    if faults:
        raise Faults(faults)


def parse_setting(text: str) -> Request:
    """Return the edit of `--set PATH=VALUE`; the value is read as YAML. Raises ScenarioFault."""
    path, equals, value = text.partition("=")
    place = Place(f"--set {text}")
    if not equals or not path.strip() or not value.strip():
        raise ScenarioFault("expected PATH=VALUE", place, "Write --set zones.TYP.lanes_in.units=4.")
    try:
        parsed = read_text(f"value: {value.strip()}", str(place)).tree["value"]
    except Faults:
        parsed = value.strip()
    if parsed is None:
        raise ScenarioFault("a value is due", place, "Write --set zones.TYP.lanes_in.units=4.")
    return Request(Edit(set=path.strip(), to=parsed), "--set", place)
