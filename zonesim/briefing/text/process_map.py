"""The process map of a flow as a tree of nodes: what the terminal prints and the figure draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from zonesim.briefing.text.step_words import Facts, facts_of
from zonesim.briefing.text.words import ENGLISH, Words
from zonesim.policy import Change, ResolvedArm
from zonesim.scenario import Flow, Step

Status = Literal["same", "changed", "added", "removed"]
Kind = Literal["flow", "step", "block", "call"]

_SILENT: Final = frozenset({"label", "steps", "parallel", "source", "note", "mark"})
"""Keys of a step whose change does not change the step itself: words, and what is told by nodes of its own."""


@dataclass
class Node:
    """
    A step of a process map, or the whole flow.

    `facts` are as in the arm shown, `was` as in the baseline (of an added step: nothing; a removed step has the
    same in both). `practices` are those that make the difference, by name; `note` says which partly followed
    practices edit a flow, and the shares that follow them. `inside`: a called flow that is not shown in place has
    changes.
    """

    name: str
    label: dict[str, str]
    kind: Kind = "step"
    facts: Facts = field(default_factory=Facts)
    was: Facts = field(default_factory=Facts)
    status: Status = "same"
    practices: tuple[str, ...] = ()
    note: str = ""
    inside: bool = False
    children: list[Node] = field(default_factory=list)

    def title(self, language: str = "en") -> str:
        """Return the label in a language, or the name."""
        return self.label.get(language) or self.label.get("en") or self.name.replace("_", " ")

    def line(self) -> str:
        """Return one line for the terminal."""
        facts = self.facts
        parts = [
            self.title(),
            f"[{facts.condition}]" if facts.condition else "",
            facts.time,
            facts.check,
            f"holds {facts.holds}" if facts.holds else "",
            f"then {facts.then}" if facts.then else "",
        ]
        if self.status == "changed":
            old = self.was.unlike(facts)
            parts.append(f"(was {old})" if old else "(changed)")
        elif self.status != "same":
            parts.append(f"({self.status})")
        parts.append(f"<{self.note}>" if self.note else "")
        return "  ".join(part for part in parts if part)

    def differs(self) -> bool:
        """Return whether the step or anything in it is not as in the baseline."""
        return self.status != "same" or self.inside or any(child.differs() for child in self.children)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        """Return the nodes below this one, top to bottom, each with its depth."""
        for child in self.children:
            yield depth, child
            yield from child.walk(depth + 1)


@dataclass(frozen=True)
class _View:
    """
    How a map is drawn: the arm, the one it is compared with (None: by itself), and whether called flows are shown
    in place. `edited`: by flow and step, the practices that edit it.
    """

    arm: ResolvedArm
    against: ResolvedArm | None
    expand: bool
    edited: Mapping[tuple[str, ...], tuple[str, ...]]
    say: Words


def tree(
    arm: ResolvedArm,
    flow: str,
    *,
    against: ResolvedArm | None = None,
    expand: bool = True,
    say: Words = ENGLISH,
) -> Node:
    """
    Return the process map of a flow.

    By itself: as those walk it who follow none of the partly followed practices. `against` another arm: as adopters
    walk it, with what differs from the other arm's own map.
    """
    return _flow(_View(arm, against, expand, _edited(arm.changes), say), flow, {})


def _edited(changes: list[Change]) -> dict[tuple[str, ...], tuple[str, ...]]:
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for change in changes:
        if change.path[0] not in {"library", "flows"}:
            continue
        place, rest = [change.path[1]], change.path[2:]
        while rest[:1] in {("steps",), ("parallel",)} and len(rest) > 1:
            place.append(rest[1])
            rest = rest[2:]
        key = tuple(place)
        found[key] = tuple(dict.fromkeys((*found.get(key, ()), change.by)))
    return found


def _flow(view: _View, flow: str, arguments: Mapping[str, Any]) -> Node:
    uses = view.arm.touching(flow)
    base = (view.against or view.arm).flow(flow)
    shown = _adopted(view.arm, flow) if view.against else base
    note = ", ".join(f"{use.name} {use.words()}" for use in uses)
    node = Node(flow, _label(shown.label), "flow", note=note)
    node.children = _steps(view, (flow,), base.steps, shown.steps, arguments)
    return node


def _label(label: Mapping[Any, str]) -> dict[str, str]:
    return {str(language): text for language, text in label.items()}


def _steps(
    view: _View, place: tuple[str, ...], old: Mapping[str, Step], new: Mapping[str, Step], arguments: Mapping[str, Any]
) -> list[Node]:
    nodes = []
    for name in _merged(list(old), list(new)):
        before, after = old.get(name), new.get(name)
        shown = after or before
        if shown is None or _is_bare(shown) or _excluded(shown, arguments):
            continue
        here = (*place, name)
        node = Node(name, _label(shown.label), "block" if shown.inside else "step", facts_of(shown, view.say))
        node.was = facts_of(before, view.say) if before is not None else Facts()
        node.status = _status(before, after)
        node.practices = view.edited.get(here, ()) if node.status != "same" else ()
        node.children = _steps(view, here, before.inside if before else {}, after.inside if after else {}, arguments)
        if shown.call is not None and shown.call in view.arm.flows():
            _add_called(view, node, shown.call, shown.with_)
        nodes.append(node)
    return nodes


def _add_called(view: _View, node: Node, flow: str, arguments: Mapping[str, Any]) -> None:
    called = _flow(view, flow, arguments)
    node.kind = "call"
    if view.expand:
        node.note, node.children = called.note, called.children
    else:
        node.inside = node.status == "same" and called.differs()
        name = flow if view.say.language == "en" else view.say.label(called.label, flow)
        title = view.say("step.flow", name=name)
        node.facts = replace(node.facts, time=title)
        node.was = replace(node.was, time=title)


def _status(before: Step | None, after: Step | None) -> Status:
    if before is None:
        return "added"
    if after is None:
        return "removed"
    keys = set(type(before).model_fields) - _SILENT
    return "changed" if any(getattr(before, key) != getattr(after, key) for key in keys) else "same"


def _merged(old: list[str], new: list[str]) -> list[str]:
    """Return the names of both, removed ones at the place where they stood."""
    merged = list(new)
    for position, name in enumerate(old):
        if name not in merged:
            earlier = [merged.index(other) for other in old[:position] if other in merged]
            merged.insert(max(earlier, default=-1) + 1, name)
    return merged


def _is_bare(step: Step) -> bool:
    """Return whether a step only marks a moment or joins; such steps are not drawn."""
    splits = step.split is not None and step.split.count != 1
    return not (
        step.take
        or step.hold
        or step.draw
        or step.call
        or splits
        or step.detect
        or step.inside
        or step.wait_until
        or step.spawn
        or step.next
        or step.gather
        or step.set
    )


def _excluded(step: Step, arguments: Mapping[str, Any]) -> bool:
    """Return whether a step can never happen with these arguments (a parameter passed on is not known)."""
    for param, wanted in (step.when.__pydantic_extra__ or {}).items() if step.when is not None else ():
        given = str(arguments.get(param, "$"))
        if not given.startswith("$") and given not in (wanted if isinstance(wanted, list) else [wanted]):
            return True
    return False


def flows_changed(base: ResolvedArm, arm: ResolvedArm) -> list[str]:
    """
    Return the flows of the traffic, and those they call, that more or other tokens walk differently in the arm.

    That is: adopters in the arm do not walk the flow as the baseline's map says, and the arm changes who adopts.
    """
    found: list[str] = []

    def visit(flow: str) -> None:
        if flow in found:
            return
        found.append(flow)
        for called in _calls(_adopted(arm, flow)):
            visit(called)

    for entry in arm.scenario.traffic.values():
        visit(entry.flow)
    return [
        flow
        for flow in found
        if base.flows()[flow] != _adopted(arm, flow)
        and (base.flows()[flow] != arm.flows()[flow] or _followed(base, flow) != _followed(arm, flow))
    ]


def _followed(arm: ResolvedArm, flow: str) -> dict[str, Any]:
    return {use.name: use.by_zone for use in arm.touching(flow)}


def _adopted(arm: ResolvedArm, flow: str) -> Flow:
    return arm.flows(frozenset(use.name for use in arm.touching(flow)))[flow]


def _calls(flow: Flow) -> list[str]:
    found: list[str] = []

    def visit(steps: Mapping[str, Step]) -> None:
        for step in steps.values():
            found.extend([step.call] if step.call else [])
            visit(step.inside)

    visit(flow.steps)
    return list(dict.fromkeys(found))
