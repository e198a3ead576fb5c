"""
Edits: named changes of values at dotted paths, the one way in which arms, measures and `--set` differ from the
scenario.

A path runs from the root of the world: `zones.TYP.lanes_in.units`, `traffic.*.rate`,
`library.gate.lane.compare.take.freight`. Inside a flow the word `steps` is left out. `*` stands for every key.
`library.F1.…` is every use of a flow, `traffic.import_sea.flow.…` the one use of it by that entry, which then has a
copy of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from zonesim.faults import Faults, Place, ScenarioFault, UnknownName, near, suggest
from zonesim.policy.formats import AT_READING, keys_at
from zonesim.policy.resolved_tree import USES, ResolvedTree
from zonesim.policy.scaling import kind_at, scaled
from zonesim.scenario import NOT_YAML, Edit, Path_, read_option

ANY: Final = "*"
"""Stands for every name at its place in a path."""


@dataclass(frozen=True)
class Request:
    """
    An edit with who asks for it (a measure, a practice, `regime R0`, `--set`), where it is written, values for its
    `$params`, the measures it comes `after`, and the `zones` that it is limited to (none: every zone).
    """

    edit: Edit
    by: str
    place: Place
    params: tuple[tuple[str, Any], ...] = ()
    after: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()

    @property
    def measure(self) -> str:
        """Return the measure that asks (the part of `by` before the dot)."""
        return self.by.partition(".")[0]

    @property
    def below_flow(self) -> Path_:
        """Return what the edit names below the flow that it is an edit of, without the word `steps`."""
        parts = self.edit.path.split(".")
        return tuple(part for part in parts[3 if parts[0] == "traffic" else 2 :] if part != "steps")

    @property
    def who(self) -> str:
        """Return who asks, in words."""
        if self.by.startswith(("-", "a ", "an ", "arm ")):
            return self.by
        kind, _, name = self.by.rpartition(" ")
        return f"{kind or 'measure'} '{name}'"


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
    if path[:1] == (USES,):
        path = ("traffic", path[1], "flow", *path[2:]) if len(path) > 1 else ("traffic",)
        return ".".join(part for part in path if part != "steps")
    in_flow = path[:1] in {("library",), ("flows",)}
    return ".".join(part for part in path if not (in_flow and part == "steps"))


def targets(world: ResolvedTree, request: Request) -> list[Path_]:
    """
    Return the concrete paths that an edit means in `world`.

    For `add` the last part need not exist, and for `set` not where the format has such a key. An edit of a flow also
    means the copies of it that traffic entries have of their own; `traffic.NAME.flow.STEP…` means the copy of that
    entry alone (which `apply` makes if there is none). Raises UnknownName with the nearest names when nothing is found,
    ScenarioFault for an edit outside its zones.
    """
    edit = request.edit
    parts = edit.path.split(".")
    last = parts.pop() if edit.action == "add" else None
    found: list[Path_] = [()]
    for number, part in enumerate(parts):
        deeper: list[Path_] = []
        for path in found:
            deeper += _below(_node(world, path), path, part)
        if not deeper and edit.action == "set" and number + 1 == len(parts):
            deeper = [new for path in found for new in _new_keys(_node(world, path), path, part, edit)]
        if not deeper:
            where = ".".join(parts[:number]) or "the scenario"
            known = sorted({key for path in found for key in _names_below(_node(world, path))})
            if edit.action == "set" and number + 1 == len(parts) and not near(part, known):
                known = near(part, _format_keys(world, found)) or known
            fault = f"{request.who} {edit.action}s '{edit.path}', but '{where}' has no '{part}'"
            raise UnknownName(fault, request.place, suggest(part, known), owner=found[0])
        found = deeper
        if number == 1:
            found = _with_copies(world, deeper)
        elif number == 2 and (last is not None or number + 1 < len(parts)):  # noqa: PLR2004  traffic.NAME.flow.…
            found = _own_flow(world, deeper)
    if last is not None:
        found = [(*path, *(("steps",) if _adds_a_step(_node(world, path), edit) else ()), last) for path in found]
    return _in_zones(found, request) if request.zones else found


def _with_copies(world: ResolvedTree, paths: list[Path_]) -> list[Path_]:
    """Return paths of flows with those of the copies that traffic entries have of them."""
    copies = [(USES, entry) for entry in world.tree.get(USES, {}) if world.flow_of(entry) in paths]
    return [*paths, *copies]


def _own_flow(world: ResolvedTree, paths: list[Path_]) -> list[Path_]:
    """Return paths that lead from a traffic entry into its flow as paths of the entry's own copy of the flow."""
    return [
        (USES, path[1]) if (path[0], path[2]) == ("traffic", "flow") and world.flow_of(path[1]) else path
        for path in paths
    ]


def _in_zones(paths: list[Path_], request: Request) -> list[Path_]:
    """Return the paths in the zones that the edit is limited to; raises ScenarioFault when it names another place."""
    named = request.edit.path.split(".")[1:2]
    kept = [path for path in paths if path[0] == "zones" and path[1] in request.zones]
    if kept and (named == [ANY] or len(kept) == len(paths)):
        return kept
    where = f"limited to {', '.join(request.zones)}"
    fault = f"{request.who} {request.edit.action}s '{request.edit.path}', but is {where}"
    raise ScenarioFault(fault, request.place, "Limit it to a zone that it edits, or to none.")


def _node(world: ResolvedTree, path: Path_) -> Any:  # noqa: ANN401
    """Return what stands at a path; for a traffic entry without a copy of its flow, that flow."""
    if path[:1] == (USES,) and len(path) > 1 and path[1] not in world.tree.get(USES, {}):
        path = (*world.flow_of(path[1]), *path[2:])
    return _get(world.tree, path)


def _get(tree: Any, path: Path_) -> Any:  # noqa: ANN401
    for part in path:
        tree = tree[int(part)] if isinstance(tree, list) else tree[part]
    return tree


def _below(node: Any, path: Path_, part: str) -> list[Path_]:  # noqa: ANN401
    if not isinstance(node, dict):
        return []
    steps = node.get("steps") if isinstance(node.get("steps"), dict) else {}
    if part == ANY:
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


def _new_keys(node: Any, path: Path_, part: str, edit: Edit) -> list[Path_]:  # noqa: ANN401
    """
    Return the path of a key that is not there yet, where the format has it; nothing where it has none.

    A new name among those that people choose needs a mapping, or a name that none of the others is like: so what is
    misspelt does not become something new.
    """
    if not isinstance(node, dict) or part == ANY or (len(path) == 2 and part in AT_READING.get(path[0], ())):  # noqa: PLR2004
        return []
    keys, takes_names = keys_at(path, node)
    if isinstance(node.get("steps"), dict) and isinstance(edit.to, dict) and part not in keys:
        return [(*path, "steps", part)]
    if part in keys or (takes_names and (isinstance(edit.to, dict) or not near(part, node))):
        return [(*path, part)]
    return []


def _format_keys(world: ResolvedTree, paths: Sequence[Path_]) -> list[str]:
    """Return the keys that the format knows at some paths."""
    nodes = [(path, _node(world, path)) for path in paths]
    return sorted({key for path, node in nodes if isinstance(node, dict) for key in keys_at(path, node)[0]})


def _adds_a_step(node: Any, edit: Edit) -> bool:  # noqa: ANN401
    return isinstance(node, dict) and isinstance(node.get("steps"), dict) and isinstance(edit.to, dict)


def apply(world: ResolvedTree, requests: Sequence[Request], within: Path_ = ()) -> list[Change]:
    """
    Carry out edits in order and return what changed; `world` is changed in place, only below the path `within`.

    Raises Faults with every edit that cannot be carried out.
    """
    changes: list[Change] = []
    faults: list[ScenarioFault] = []
    for request in requests:
        try:
            paths = [path for path in targets(world, request) if path[: len(within)] == within]
            own = [_change(world, request, path) for path in paths]
            _check_scaled(request, own)
            changes += own
        except ScenarioFault as fault:
            faults.append(fault)
        world.settings.append(request)
    if faults:
        raise Faults(faults)
    if any(_is_part(change.path) and isinstance(change.new, dict) for change in changes):
        world.scenario()  # all that reads the world relies on its parts
    return changes


def _change(world: ResolvedTree, request: Request, path: Path_) -> Change:
    """Carry out an edit at one of the paths that it means."""
    edit = request.edit
    if path[0] == USES:
        world.own_flow(path[1])
    parent, key = world.open(path), path[-1]
    old = parent.get(key)
    new = None
    if edit.action == "remove":
        del parent[key]
    elif edit.action == "scale":
        new = _scaled(world, request, path, old)
        parent[key] = new
    else:
        new = _filled(edit.to, dict(request.params), request)
        if not_edited := AT_READING.get(path[0], frozenset()) & set(new if isinstance(new, dict) else ()):
            fault = f"{request.who} {edit.action}s '{edit.path}' with '{min(not_edited)}', which is done on reading"
            raise ScenarioFault(fault, request.place, "Write it in the file.")
        if edit.action == "set":
            _check_kept_whole(path, old, new, request)
            parent[key] = new
        elif key in parent:
            raise ScenarioFault(f"{request.who} adds '{edit.path}', which exists", request.place, "Use set.")
        else:
            _insert(parent, key, new, request)
    world.forget(path)
    if path[0] == "traffic" and path[2:] == ("flow",):
        world.tree[USES] = {entry: flow for entry, flow in world.tree.get(USES, {}).items() if entry != path[1]}
    if edit.action != "remove":
        world.places[path] = request.place
        world.edited[path] = edit.source or "assumed"
    return Change(path, old, new, request.by, request.place)


def _scaled(world: ResolvedTree, request: Request, path: Path_, old: Any) -> Any:  # noqa: ANN401
    """Return what stands at a path times the factor of an edit."""
    edit = request.edit
    try:
        return scaled(old, kind_at(world.tree, path), float(edit.by or 1))
    except ScenarioFault as fault:
        message = f"{request.who} scales '{edit.path}', but {fault.fault}"
        raise ScenarioFault(message, request.place, fault.remedy) from None


def _check_scaled(request: Request, changes: Sequence[Change]) -> None:
    """Raise ScenarioFault where an edit that scales changes nothing; of several values some may be 0."""
    edit = request.edit
    if edit.action == "scale" and edit.by != 1 and changes and all(each.old == each.new for each in changes):
        message = f"{request.who} scales '{edit.path}', which has nothing to scale"
        raise ScenarioFault(message, request.place, "Scale a quantity or a law.")


def _is_part(path: Path_) -> bool:
    """Return whether a path leads to a part of the world; further down mappings are one way of several to write."""
    return len(path) <= 2 and path[-1] not in {"label", "source"}  # noqa: PLR2004  zones, and zones.NAME


def _check_kept_whole(path: Path_, old: Any, new: Any, request: Request) -> None:  # noqa: ANN401
    """Raise ScenarioFault if a part of the world, e.g. a zone, an entry or a measure, would be no mapping any more."""
    if not _is_part(path) or not isinstance(old, dict):
        return
    if not isinstance(new, dict) or path[0] == "measures":
        fault = f"{request.who} sets '{dotted(path)}', which is not one value but a mapping"
        raise ScenarioFault(fault, request.place, f"Set what stands below it. {suggest('', old, 'keys')}".rstrip())


def _insert(parent: dict[str, Any], key: str, value: Any, request: Request) -> None:  # noqa: ANN401
    neighbour = request.edit.after or request.edit.before
    if neighbour is None:
        parent[key] = value
        return
    if neighbour not in parent:
        raise UnknownName(
            f"{request.who} adds next to '{neighbour}', which does not exist",
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
        return params[value[1:]]
    return value


def parse_setting(text: str, option: str = "--set") -> Request:
    """
    Return the edit of `--set PATH=VALUE` (the value is read as YAML) or `--set PATH*=FACTOR`, which scales. `option` is
    where it was given.

    Raises ScenarioFault.
    """
    text = text.strip()
    path, equals, value = (part.strip() for part in text.partition("="))
    place = Place(f"--future {value}" if path == "future" and value and option == "--set" else f"{option} {text}")
    if not equals or not path or not value:
        raise ScenarioFault("expected PATH=VALUE", place, f"Write {option} zones.TYP.lanes_in.units=4.")
    if path.endswith("*") and not path.endswith(".*"):
        try:
            factor = float(value)
        except ValueError:
            factor = 0.0
        if not 0 < factor < math.inf:
            fault = f"expected a factor above 0, found '{value}'"
            raise ScenarioFault(fault, place, f"Write {option} 'traffic.*.rate*=1.5'.")
        return Request(Edit(scale=path[:-1].strip(), by=factor), option, place)
    try:
        parsed = read_option(value, place.file, "value: ").tree["value"]
    except Faults as found:
        if value[0] in "[{\"'" or not all(fault.fault.startswith(NOT_YAML) for fault in found.faults):
            raise
        parsed = value
    if parsed is None:
        remedy = f"Write {option} zones.TYP.lanes_in.units=4; `edits: [{{remove: {path}}}]` in the file drops a key."
        raise ScenarioFault("a value is due", place, remedy)
    return Request(Edit(set=path, to=parsed), option, place)
