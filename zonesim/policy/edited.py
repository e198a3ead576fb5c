"""Who edited a flow so that goods go another way through it, or with another status."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from zonesim.policy.arms import ResolvedArm
from zonesim.policy.edits import Request
from zonesim.policy.resolved_tree import USES
from zonesim.scenario import Path_, load_catalogue

_MOST_TOLD: Final = 3

_LEADS_NOWHERE: Final = frozenset(
    {
        "take",
        "during",
        "hold",
        "draw",
        "keep",
        "priority",
        "patience",
        "detect",
        "within",
        "mark",
        "label",
        "source",
        "note",
    }
)
"""Keys of a step of which no value moves goods to another step or gives them another status."""

_LEADS: Final = frozenset({"set", "status", "next", "call", "split", "join", "gather", "parallel"})
"""Keys of a step that may: a step that has one matters when it is added, taken out or put under a condition."""

_CONDITIONS: Final = frozenset({"when", "share"})


def edits_of_flows(arm: ResolvedArm, steps: Sequence[Path_]) -> str:
    """
    Return who edited the flow that the first of some steps stands in, by paths of the world, else that of the next, and
    where; "" when nobody edited any of them so that goods may go another way or have another status.
    """
    world = arm.world
    partly = [request for requests in arm.edits.values() for request in requests]
    made: list[Request] = [*world.settings, *partly]
    for flow in dict.fromkeys(step[:2] for step in steps):
        heads = {flow, world.flow_of(flow[1]), ("traffic", flow[1])} if flow[0] == USES else {flow}
        told = list(dict.fromkeys(_words(each) for each in made if _head(each) in heads and _leads(each)))
        if told:
            more = f" and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
            return f"Edited by {'; '.join(told[:_MOST_TOLD])}{more}."
    return ""


def _words(request: Request) -> str:
    return f"{request.who} ({request.edit.action} {request.edit.path}, {request.place})"


def _head(request: Request) -> Path_:
    return tuple(request.edit.path.split(".")[:2])


def _leads(request: Request) -> bool:
    """Return whether an edit may lead goods elsewhere, or give them another status."""
    path = request.below_flow
    if _LEADS_NOWHERE & set(path):
        return False
    changed = request.edit.to
    if path and path[-1] in _CONDITIONS:
        changed = _of_library(request, path[:-1])
    elif request.edit.action == "remove":
        changed = _of_library(request, path)
    return not isinstance(changed, dict) or bool(_LEADS & {*path, *_keys(changed)})


def _of_library(request: Request, path: Path_) -> Any:  # noqa: ANN401  whatever stands there
    """Return what the library has at a path of the flow that is edited, without `steps`; None where it has nothing."""
    node: Any = load_catalogue().flows.get(_head(request)[-1], {})
    for part in path:
        inside = [node, *(node.get(key, {}) for key in ("steps", "parallel"))] if isinstance(node, dict) else []
        node = next((each[part] for each in inside if part in each), None)
    return node


def _keys(value: Any) -> Iterator[str]:  # noqa: ANN401  whatever an edit brings
    if isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from _keys(part)
