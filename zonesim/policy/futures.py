"""Named futures: what nobody chooses, made of the world behind its regime and before measures, the same in all arms."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from zonesim.faults import Faults, ScenarioFault, UnknownName, suggest
from zonesim.policy.edits import ANY, Change, Request, apply, dotted, targets
from zonesim.policy.loading import OWN_EDIT
from zonesim.policy.register import flows_in_use
from zonesim.policy.resolved_tree import ResolvedTree
from zonesim.scenario import NO_FUTURE, Catalogue, Edit, Future, Path_, load_catalogue


@dataclass(frozen=True)
class Met:
    """A future that has been made of a world: its name, and what it changed; none where nothing is otherwise."""

    name: str = NO_FUTURE
    changes: tuple[Change, ...] = ()

    def warning(self, world: ResolvedTree, measures: Sequence[Request]) -> str:
        """
        Return what is to be said where nobody meets what the future changes, though these edits of `measures` act; else
        "".
        """
        if self.name == NO_FUTURE:
            return ""
        used = set(flows_in_use(world))
        called = [(request.edit.path.split(".")[1], set(_calls(request.edit.to))) for request in measures]
        while more := {name for flow, names in called if flow in used for name in names} - used:
            used |= more
        flows = {change.path[1]: None for change in self.changes if change.path[0] in {"library", "flows"}}
        calendars = {change.path[1]: None for change in self.changes if change.path[0] == "calendars"}
        others = any(change.path[0] not in {"library", "flows", "calendars"} for change in self.changes)
        if others or not used.isdisjoint(flows) or any(_is_asked(name, world, used) for name in calendars):
            return ""
        why = [f"no traffic walks {', '.join(flows)}"] if flows else []
        why += [f"nothing goes by {', '.join(calendars)}"] if calendars else []
        return f"future {self.name} changes nothing here: {' and '.join(why) or 'nothing that it edits is there'}"


def known_futures(world: ResolvedTree, catalogue: Catalogue) -> list[str]:
    """Return the names of the futures that a scenario may meet: its own, and those of the library."""
    return list(dict.fromkeys([*world.tree.get("futures", {}), *catalogue.futures]))


def meet(world: ResolvedTree, catalogue: Catalogue) -> Met:
    """
    Make the future that `world` names of it, and return what changed.

    Its edits act on what the regime, the scenario and `--set` leave. Raises Faults: a name that no future has, an edit
    that cannot be made, a value that the future would take back from who has set it.
    """
    name = str(world.tree.get("future", NO_FUTURE))
    if name == NO_FUTURE:
        return Met()
    requests = [request for request in _requests(world, name, catalogue) if _leads_somewhere(world, request)]
    if faults := _swallowed(world, name, requests):
        raise Faults(faults)
    settings = list(world.settings)
    changes = apply(world, requests)
    world.settings = settings
    return Met(name, tuple(changes))


def _requests(world: ResolvedTree, name: str, catalogue: Catalogue) -> list[Request]:
    """Return the edits of a future, its own source where they have none; raises Faults for a name that none has."""
    own = world.tree.get("futures", {}).get(name)
    future: Future
    if own is not None:
        future = Future.model_validate(own)
        places = [world.place(("futures", name, "edits", str(each))) for each in range(len(future.edits))]
    elif name in catalogue.futures:
        future, document = catalogue.futures[name], catalogue.documents[name]
        places = [document.place(("edits", str(each))) for each in range(len(future.edits))]
    else:
        known = [*known_futures(world, catalogue), NO_FUTURE]
        fault = UnknownName(f"unknown future '{name}'", world.place(("future",)), suggest(name, known, "futures"))
        raise Faults([fault])
    return [
        Request(_sourced(edit, future), f"future {name}", place)
        for edit, place in zip(future.edits, places, strict=True)
    ]


def _sourced(edit: Edit, future: Future) -> Edit:
    return edit if edit.source is not None else edit.model_copy(update={"source": future.source})


def _leads_somewhere(world: ResolvedTree, request: Request) -> bool:
    """Return whether there is anything to edit: of what is said of all names (`*`) there may be nothing."""
    if ANY not in request.edit.path.split("."):
        return True
    with suppress(UnknownName):
        return bool(targets(world, request))
    return False


def _swallowed(world: ResolvedTree, name: str, requests: Sequence[Request]) -> list[ScenarioFault]:
    """Return a fault for each value that somebody has set beside the file, and that the future would take back."""
    lost = [
        path for request in requests if request.edit.action in {"set", "remove"} for path in targets(world, request)
    ]
    faults: list[ScenarioFault] = []
    for setting in world.settings:
        if setting.by == OWN_EDIT:
            continue
        own: list[Path_] = []
        with suppress(ScenarioFault):  # what it took out is not there any more
            own = targets(world, setting)
        both = next((path for path in own for other in lost if path[: len(other)] == other), None)
        if both is not None:
            fault = f"{setting.who} and future '{name}' both change '{dotted(both)}'"
            faults.append(ScenarioFault(fault, setting.place, "Leave one of them out, or write a future of your own."))
    return faults


def _is_asked(calendar: str, world: ResolvedTree, flows: Container[str]) -> bool:
    """Return whether anything in the scenario, in these flows or in what any measure makes of them names a calendar."""
    tree = world.tree
    own = [tree.get(root) for root in ("zones", "traffic", "kpis")]
    own += [flow for root in ("library", "flows") for name, flow in tree.get(root, {}).items() if name in flows]
    edits = (
        edit for each in load_catalogue().measures.values() for way in each.practices.values() for edit in way.edits
    )
    return _names(calendar, [*own, *(edit.to for edit in edits if edit.path.split(".")[1] in flows)])


def _names(name: str, node: Any) -> bool:  # noqa: ANN401
    """Return whether a name stands somewhere below a written value."""
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return node == name or any(_names(name, part) for part in parts)


def _calls(node: Any) -> Iterator[str]:  # noqa: ANN401
    """Yield the flows that a written step calls, inner steps among them."""
    if isinstance(node, dict):
        if isinstance(node.get("call"), str):
            yield node["call"]
        for value in node.values():
            yield from _calls(value)
