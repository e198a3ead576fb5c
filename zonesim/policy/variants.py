"""
Variants of an arm: what it is where a few values are others, without making it concrete anew.

An experiment has an arm in thousands of futures that differ in a rate or a number of units. What the regime and the
measures do is the same in each of them, as long as they neither read nor change these values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from zonesim.faults import ScenarioFault
from zonesim.policy.arm import Arm
from zonesim.policy.arms import ResolvedArm
from zonesim.policy.edits import Change, Request, apply, targets
from zonesim.policy.resolved_tree import ResolvedTree
from zonesim.scenario import Path_, Scenario, check
from zonesim.scenario.fields import is_reference

_FLOWS: Final = frozenset({"flows", "library"})

_UNREAD: Final = {"traffic": 3, "zones": 4, "firms": 2, "truth": 3, "flows": 3, "library": 3}
"""
Roots below which regime and measures read nothing but what they edit (a traffic entry's flow excepted), and from
which length of a path on.
"""


def variant(
    base: ResolvedArm, written: ResolvedTree, arm: Arm, ahead: Sequence[Request], own: Sequence[Request]
) -> ResolvedArm | None:
    """
    Return `arm` made concrete in `written` after the edits `ahead` and `own`; of these, only `own` are among its
    changes.

    `base` is an arm with the same measures made concrete in `written` without these edits. None: the edits may have to
    do with what the regime or a measure does, or something is wrong, so that the arm must be made concrete anew.
    """
    if base.phases:
        return None
    edits = [*ahead, *own]
    try:
        paths = [targets(written, request) for request in edits]
        if any(paths != [targets(world, request) for request in edits] for world in base.worlds):
            return None
        changed = [path for found in paths for path in found]
        if any(request.edit.action not in {"set", "scale"} for request in edits) or not _apart(changed, base.touched):
            return None
        found = base.fork(changed)
        found.arm = arm
        changes = apply(found.world, edits)
        if not all(_alike(change) for change in changes):
            return None
        _put_first(found.world, written, edits)
        found.scenario = _checked(base.scenario, found.world, {path[0] for path in changed} - {"library"})
        if any(path[0] in _FLOWS for path in changed):
            apply(found.worlds[1], edits)
            found.check_flows()
    except ScenarioFault:
        return None
    before = sum(map(len, paths[: len(ahead)]))
    found.changes = [*changes[before:], *base.changes]
    return found


def _apart(paths: Sequence[Path_], touched: frozenset[Path_]) -> bool:
    """Return whether regime and measures neither read what stands at `paths` nor change anything beside it."""
    if any(len(path) < _UNREAD.get(path[0], len(path) + 1) or path[::2] == ("traffic", "flow") for path in paths):
        return False
    beside = {path[:-1] for path in paths}
    roots = {path[0] for path in paths}
    near = [path for path in touched if path[0] in roots]
    return not any(own[: len(path)] == path or path[: len(own)] == own for own in beside for path in near)


def _alike(change: Change) -> bool:
    """Return whether a new value has no place that the old one lacks, nor parameters where none are known."""
    return _no_larger(change.new, change.old) and (change.path[0] in _FLOWS or not _refers(change.new))


def _no_larger(new: Any, old: Any) -> bool:  # noqa: ANN401
    if not isinstance(new, dict):
        return True
    return isinstance(old, dict) and all(key in old and _no_larger(part, old[key]) for key, part in new.items())


def _refers(value: Any) -> bool:  # noqa: ANN401
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return is_reference(value) or any(map(_refers, parts))


def _put_first(world: ResolvedTree, written: ResolvedTree, edits: Sequence[Request]) -> None:
    """Let the world name the edits, which were made last, before what the measures did."""
    own = world.settings
    end = len(written.settings)
    world.settings = [*own[:end], *edits, *own[end : len(own) - len(edits)]]


def _checked(scenario: Scenario, world: ResolvedTree, roots: set[str]) -> Scenario:
    """
    Return a scenario with some of its roots, as they are in `world`, checked; raises Faults.

    Every root is checked by itself, so the others stay right.
    """
    needed = roots | {name for name, key in Scenario.model_fields.items() if key.is_required()}
    own = {name: value for name, value in world.tree.items() if name in needed}
    found = check(Scenario, own, world.places, world.keys, file=world.file)
    return scenario.model_copy(update={name: getattr(found, name) for name in roots})
