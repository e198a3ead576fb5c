"""The process map of a flow as a tree of nodes: what the terminal prints and the figure draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from zonesim.policy import ResolvedArm
from zonesim.scenario import Flow, Step
from zonesim.scenario.fields import By, Law, mode_of

Status = Literal["same", "changed", "added", "removed"]


@dataclass
class Node:
    """
    A step of a process map.

    `time` and `holds` are as written; `condition` says who does it; `status` is against the conventional edition of
    the flow, with `old` the time it had there and `note` the practices that edit a flow, with the shares that
    follow them.
    """

    name: str
    label: dict[str, str]
    time: str = ""
    holds: str = ""
    condition: str = ""
    status: Status = "same"
    old: str = ""
    note: str = ""
    children: list[Node] = field(default_factory=list)

    def title(self, language: str = "en") -> str:
        """Return the label in a language, or the name."""
        return self.label.get(language) or self.label.get("en") or self.name.replace("_", " ")

    def line(self) -> str:
        """Return one line for the terminal."""
        parts = [
            self.title(),
            f"[{self.condition}]" if self.condition else "",
            self.time,
            f"holds {self.holds}" if self.holds else "",
        ]
        mark = {
            "same": "",
            "changed": f"(was {self.old})" if self.old else "(changed)",
            "added": "(added)",
            "removed": "(removed)",
        }
        text = "  ".join(part for part in [*parts, mark[self.status]] if part)
        return f"{text}  <{self.note}>" if self.note else text


@dataclass(frozen=True)
class _View:
    """
    How a map is drawn: the arm, the one it is compared with (None: by itself), and whether called flows are shown
    in place.
    """

    arm: ResolvedArm
    against: ResolvedArm | None
    expand: bool


def tree(arm: ResolvedArm, flow: str, *, against: ResolvedArm | None = None, expand: bool = True) -> Node:
    """
    Return the process map of a flow.

    By itself: as those walk it who follow none of the partly followed practices. `against` another arm: as adopters
    walk it, with what differs from the other arm's own map.
    """
    return _flow(_View(arm, against, expand), flow, {})


def _flow(view: _View, flow: str, arguments: Mapping[str, Any]) -> Node:
    uses = view.arm.touching(flow)
    base = (view.against or view.arm).flows()[flow]
    shown = view.arm.flows(frozenset(use.name for use in uses))[flow] if view.against else base
    node = Node(flow, _label(shown.label), note=", ".join(f"{use.name} {use.share:.0%}" for use in uses))
    node.children = _steps(view, base.steps, shown.steps, arguments)
    return node


def _label(label: Mapping[Any, str]) -> dict[str, str]:
    return {str(language): text for language, text in label.items()}


def _steps(view: _View, old: Mapping[str, Step], new: Mapping[str, Step], arguments: Mapping[str, Any]) -> list[Node]:
    nodes = []
    for name in _merged(list(old), list(new)):
        before, after = old.get(name), new.get(name)
        shown = after or before
        if shown is None or _is_bare(shown) or _excluded(shown, arguments):
            continue
        node = _node(view, name, shown, arguments)
        if before is None:
            node.status = "added"
        elif after is None:
            node.status = "removed"
        else:
            _compare(node, before, after)
            node.children = _steps(view, before.steps, after.steps, arguments) or node.children
        nodes.append(node)
    return nodes


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
    return not (step.take or step.hold or step.call or splits or step.detect or step.steps)


def _excluded(step: Step, arguments: Mapping[str, Any]) -> bool:
    """Return whether a step can never happen with these arguments (a parameter passed on is not known)."""
    for param, wanted in (step.when.__pydantic_extra__ or {}).items() if step.when is not None else ():
        given = str(arguments.get(param, "$"))
        if not given.startswith("$") and given not in (wanted if isinstance(wanted, list) else [wanted]):
            return True
    return False


def _node(view: _View, name: str, step: Step, arguments: Mapping[str, Any]) -> Node:
    node = Node(
        name, _label(step.label), take_text(step.take), ", ".join(map(_resource, step.hold.values())), _condition(step)
    )
    if step.call is not None and step.call in view.arm.flows():
        called = _flow(view, step.call, step.with_)
        node.note = called.note
        if view.expand:
            node.children = called.children
        else:
            node.time = f"flow {step.call}"
    if step.detect is not None:
        node.time = (
            f"finds {share_text(step.detect.sensitivity)}, false alarms {share_text(step.detect.false_alarm)}"
            if not node.time
            else node.time
        )
    if step.split is not None:
        node.time = f"{step.split.into}s: {_count(step.split.count)}"
    if step.steps and not node.children:
        node.children = _steps(view, step.steps, step.steps, arguments)
    return node


def _compare(node: Node, before: Step, after: Step) -> None:
    old_time, new_time = take_text(before.take), take_text(after.take)
    old_check, new_check = before.detect, after.detect
    differs = []
    if old_time != new_time:
        differs.append(old_time)
    if old_check is not None and new_check is not None and old_check != new_check:
        differs.append(f"{share_text(old_check.sensitivity)}, {share_text(old_check.false_alarm)}")
    if before.share != after.share:
        differs.append(f"{share_text(before.share)} of tokens" if before.share is not None else "all")
    if before.hold != after.hold:
        differs.append("holding " + (", ".join(map(_resource, before.hold.values())) or "nothing"))
    if differs:
        node.status, node.old = "changed", "; ".join(differs)


def _resource(hold: Any) -> str:  # noqa: ANN401
    name = str(hold if isinstance(hold, str) else hold.resource)
    units = "" if isinstance(hold, str) or hold.units == 1 else f"{hold.units} "
    return units + name.rpartition(".")[2].lstrip("$").replace("_", " ")


def _condition(step: Step) -> str:
    parts = []
    if step.when is not None:
        parts += [f"if {mark}" for mark in (step.when.marked,) if mark]
        parts += [f"unless {mark}" for mark in (step.when.unmarked,) if mark]
        parts += [f"{key} {value}" for key, value in (step.when.__pydantic_extra__ or {}).items()]
        parts += [f"class {step.when.class_}"] if step.when.class_ else []
    if step.share is not None:
        parts.append(share_text(step.share))
    if step.background:
        parts.append("background")
    return ", ".join(parts)


def share_text(share: Any) -> str:  # noqa: ANN401
    """Return a share as people read it; by class where it differs."""
    share = mode_of(share)
    if isinstance(share, dict):
        return ", ".join(
            f"{name} {mode_of(value)}" for name, value in share.items() if name != "all" or len(share) == 1
        )
    return str(share)


def _count(count: Any) -> str:  # noqa: ANN401
    if hasattr(count, "discrete"):
        return ", ".join(f"{number} in {mode_of(share)}" for number, share in count.discrete.items())
    return str(count)


def take_text(take: Any) -> str:  # noqa: ANN401
    """Return how long something takes, as written: `PERT 5 s / 10 s / 20 s`."""
    if take is None:
        return ""
    if isinstance(take, By):
        cases = ", ".join(f"{name}: {take_text(value)}" for name, value in (take.__pydantic_extra__ or {}).items())
        return f"by {take.by} ({cases})"
    if not isinstance(take, Law):
        return str(mode_of(take))
    if take.distance is not None:
        return f"{str(take.distance).lstrip('$')} at {mode_of(take.speed)}"
    if take.mixture is not None:
        return " or ".join(f"{mode_of(part.share)}: {take_text(part)}" for part in take.mixture.values())
    for name in type(take).model_fields:
        value = getattr(take, name)
        if value is None or name == "share":
            continue
        title = "PERT" if name == "pert" else name
        if isinstance(value, list):
            return f"{title} {_compact([str(mode_of(part)) for part in value])}"
        if isinstance(value, dict):
            return f"{title} " + ", ".join(f"{key} ({mode_of(share)})" for key, share in value.items())
        if hasattr(value, "model_fields"):
            return f"{title} " + ", ".join(f"{key} {mode_of(part)}" for key, part in value)
        return str(mode_of(value))
    return ""


def _compact(texts: list[str]) -> str:
    """Return `5 s / 10 s / 20 s` as `5/10/20 s` when the units agree."""
    split = [text.rpartition(" ") for text in texts]
    units = {unit for _, _, unit in split}
    return "/".join(number for number, _, _ in split) + f" {units.pop()}" if len(units) == 1 else " / ".join(texts)


def flows_changed(base: ResolvedArm, arm: ResolvedArm) -> list[str]:
    """
    Return the flows that the arm's adopters walk otherwise than the baseline's map says: those of the traffic and
    those called.
    """
    found: list[str] = []

    def visit(flow: str) -> None:
        if flow in found:
            return
        found.append(flow)
        for called in _calls(arm.flows()[flow]):
            visit(called)

    for entry in arm.scenario.traffic.values():
        visit(entry.flow)
    return [flow for flow in found if base.flows()[flow] != _adopted(arm, flow)]


def _adopted(arm: ResolvedArm, flow: str) -> Flow:
    return arm.flows(frozenset(use.name for use in arm.touching(flow)))[flow]


def _calls(flow: Flow) -> list[str]:
    found: list[str] = []

    def visit(steps: Mapping[str, Step]) -> None:
        for step in steps.values():
            found.extend([step.call] if step.call else [])
            visit(step.steps)

    visit(flow.steps)
    return list(dict.fromkeys(found))
