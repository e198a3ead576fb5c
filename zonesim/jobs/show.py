"""The job of `zonesim show`: values with their origin, the changes of an arm, process maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.tree import Tree

from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.process_map import Node, tree
from zonesim.faults import Place, UnknownName, suggest
from zonesim.plan import compile_plan
from zonesim.policy import (
    USES,
    Change,
    Entry,
    ResolvedArm,
    arm_named,
    baseline,
    dotted,
    flows_in_use,
    open_world,
    register,
    resolve,
)


def show_text(file: Path, settings: Sequence[str], arm_name: str, flow: str) -> str:
    """
    Return resolved values with their origin, the changes of the arm, and the process map, the baseline beside the
    arm.
    """
    world = open_world(file, settings)
    first = resolve(world, baseline(world))
    arm = arm_named(world, arm_name)
    second = resolve(world, arm) if arm.measures else None
    for each in (first, second):
        if each is not None:
            compile_plan(each)  # a scenario that cannot run is refused: a flow that does not exist has no map
    used = flows_in_use(world)
    if flow and flow not in used:
        raise UnknownName(
            f"no flow '{flow}' in the traffic of this scenario", Place("--flow"), suggest(flow, used, "flows")
        )
    chosen = second or first
    parts = ["\n".join([*_limits(chosen), *(f"warning: {warning}" for warning in chosen.warnings)])]
    parts += [_adoption(first, second), _values(chosen, [flow] if flow else used, only_flow=bool(flow))]
    if chosen.met.changes:
        parts.append(_changes(f"Changes of future {chosen.met.name}", chosen, chosen.met.changes, flow))
    if second is not None:
        parts.append(_changes(f"Changes of {second.arm.name}", second, second.changes, flow))
    roots = {str(entry.flow) for entry in first.scenario.traffic.values()}
    names = [flow] if flow else [name for name in used if name in roots]
    names += [key for key in chosen.world.flow_keys() if key not in used and _is_copy_of(chosen, key, names)]
    parts += [_map(first, second, name) for name in names]
    return "\n\n".join(part for part in parts if part)


def _limits(arm: ResolvedArm) -> list[str]:
    """Return a line for each measure that is chosen with parameters, a start or zones of its own."""
    return [f"{each.measure}: {each.limits()}" for each in arm.arm.measures if each.limits()]


def _is_copy_of(arm: ResolvedArm, key: str, flows: Sequence[str]) -> bool:
    """Return whether `key` is a traffic entry's own copy of one of `flows`."""
    root, entry = arm.world.flow_path(key)
    return root == USES and arm.world.flow_of(entry)[1] in flows


def _adoption(first: ResolvedArm, second: ResolvedArm | None) -> str:
    table = Table(title="Practices and the share that follows them", title_justify="left", box=None, pad_edge=False)
    table.add_column("practice")
    table.add_column(first.arm.name, justify="right")
    if second is not None:
        table.add_column(second.arm.name, justify="right")
    for name, use in first.uses.items():
        table.add_row(name, use.words(), *([second.uses[name].words()] if second is not None else []))
    return printed(table)


def _values(arm: ResolvedArm, flows: Sequence[str], *, only_flow: bool) -> str:
    table = Table(
        title=f"Values of {arm.arm.name} and where they come from", title_justify="left", box=None, pad_edge=False
    )
    for title in ("path", "value", "kind", "source", "written at"):
        table.add_column(title, overflow="fold")
    rows: dict[str, tuple[list[str], Entry]] = {}
    for entry in register(arm.world, flows):
        if only_flow and entry.path[0] == USES:
            flow = arm.world.flow_of(entry.path[1])[1]
        else:
            flow = entry.path[1] if entry.path[0] in {"library", "flows"} else ""
        if only_flow and flow not in flows:
            continue
        # The values of a list (low, mode, high; the hours of a profile) are one row.
        name = dotted(entry.path[:-1]) if entry.path[-1].isdigit() else entry.dotted
        rows.setdefault(name, ([], entry))[0].append(entry.text)
    for name, (texts, entry) in rows.items():
        table.add_row(name, " / ".join(texts), entry.kind, entry.source_id, str(entry.place))
    return printed(table)


def _changes(title: str, arm: ResolvedArm, changes: Sequence[Change], flow: str) -> str:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in ("path", "old", "new", "by", "written at"):
        table.add_column(column, overflow="fold")
    for change in changes:
        root, name = change.path[:2]
        if flow and flow not in (arm.world.flow_of(name) if root == USES else (name,)):
            continue
        chosen = arm.arm.chosen(change.by.partition(".")[0])
        scope = replace(chosen, params=()).limits() if chosen is not None else ""
        by = f"{change.by}, {scope}" if scope else change.by
        table.add_row(dotted(change.path), _brief(change.old), _brief(change.new), by, str(change.place))
    return printed(table)


def _brief(value: Any) -> str:  # noqa: ANN401
    if value is None:
        return "-"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_brief(part)}" for key, part in value.items() if key not in {"label", "source"})
    return " / ".join(map(_brief, value)) if isinstance(value, list) else str(value)


def _map(first: ResolvedArm, second: ResolvedArm | None, flow: str) -> str:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column(f"{flow}: {first.arm.name}", vertical="top")
    cells: list[Tree] = [_branch(tree(first, flow))]
    if second is not None:
        table.add_column(f"{flow}: {second.arm.name}", vertical="top")
        cells.append(_branch(tree(second, flow, against=first)))
    table.add_row(*cells)
    return printed(table)


def _branch(node: Node) -> Tree:
    branch = Tree(node.line())
    for child in node.children:
        branch.children.append(_branch(child))
    return branch
