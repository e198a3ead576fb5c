"""What can be said without a run: loads, resolved values with their origin, the catalogue of measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from zonesim.analysis import load_warnings
from zonesim.briefing.load_table import load_table, loads_document
from zonesim.briefing.process_map import Node, tree
from zonesim.faults import Place, UnknownName, suggest
from zonesim.plan import compile_plan, loads, monday_offset
from zonesim.policy import (
    Entry,
    ResolvedArm,
    World,
    apply,
    arm_named,
    arms_for,
    baseline,
    count_kinds,
    dotted,
    flows_in_use,
    load_world,
    parse_setting,
    register,
    resolve,
)
from zonesim.policy.world import USES
from zonesim.scenario import load_catalogue
from zonesim.units import DAY, WEEK, parse

WIDTH: Final = 150
"""Columns of printed tables when standard output is no terminal."""


def open_world(file: Path, settings: Sequence[str]) -> World:
    """Return the world of a scenario with the edits of `--set`; raises ScenarioFault."""
    world = load_world(file)
    apply(world, [parse_setting(text) for text in settings])
    return world


# --- validate
# -----------------------------------------------------------------------------------------------------------------


def validate_file(file: Path, settings: Sequence[str]) -> dict[str, Any]:
    """
    Check a scenario in its baseline and with all measures of the library; return what can be said of it.

    Keys: file, scenario, flows, traffic, loads (see `loads_document`), numbers (found, derived, assumed), warnings.
    Raises Faults.
    """
    world = open_world(file, settings)
    arms = [resolve(world, arm) for arm in arms_for(world)]
    plans = [compile_plan(arm) for arm in arms]
    plan = plans[0]
    offset = monday_offset(arms[0].scenario.clock.start)
    return {
        "file": str(file),
        "scenario": arms[0].scenario.name,
        "flows": flows_in_use(world),
        "traffic": list(plan.names.sources),
        "loads": loads_document(plan, loads(plan, offset)),
        "numbers": count_kinds(register(world, flows_in_use(world))),
        "warnings": [*load_warnings(plan, offset), *_warnings(arms[0]), *plan.names.notes],
    }


def _warnings(arm: ResolvedArm) -> list[str]:
    shadowed = [name for name in arm.scenario.flows if name in load_catalogue().flows]
    warnings = [
        f"flow {name} replaces the library's flow of that name here; measures do not edit it" for name in shadowed
    ]
    clock = arm.scenario.clock
    names = {name for entry in arm.scenario.traffic.values() for name in entry.profile}
    periods = {arm.scenario.profiles[name].period for name in names if name in arm.scenario.profiles}
    measured = parse(clock.measure, "duration")
    if "week" in periods and measured % WEEK:
        warnings.append(f"clock.measure is {clock.measure}: with a weekly profile, measure whole weeks")
    elif "day" in periods and measured % DAY:
        warnings.append(f"clock.measure is {clock.measure}: with a daily profile, measure whole days")
    return warnings


def validation_text(found: dict[str, Any]) -> str:
    """Return the outcome of `validate_file` for people."""
    numbers = found["numbers"]
    lines = [
        f"{found['file']}: valid",
        f"traffic: {', '.join(found['traffic'])}; flows: {', '.join(found['flows'])}",
        f"numbers: {numbers['found']} found, {numbers['derived']} derived, {numbers['assumed']} assumed",
    ]
    lines += [f"warning: {warning}" for warning in found["warnings"]]
    if found["loads"]:
        table, below = load_table(found["loads"])
        lines += [printed(table), *below]
    return "\n".join(lines)


# --- show
# ---------------------------------------------------------------------------------------------------------------------


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
    if second is not None:
        parts.append(_changes(second, flow))
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


def _changes(arm: ResolvedArm, flow: str) -> str:
    table = Table(title=f"Changes of {arm.arm.name}", title_justify="left", box=None, pad_edge=False)
    for title in ("path", "old", "new", "by", "written at"):
        table.add_column(title, overflow="fold")
    for change in arm.changes:
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


# --- measures
# -----------------------------------------------------------------------------------------------------------------


def measures_document() -> list[dict[str, Any]]:
    """Return the measures of the library: id, annex, label, basis, practices with their edits."""
    document = []
    for measure in load_catalogue().by_annex().values():
        edits = [
            {"practice": name, "action": edit.action, "path": edit.path, "to": edit.to, "by": edit.by}
            for name, practice in measure.practices.items()
            for edit in practice.edits
        ]
        edits += [
            {"practice": None, "action": edit.action, "path": edit.path, "to": edit.to, "by": edit.by}
            for edit in measure.zone_edits
        ]
        document.append(
            {
                "id": measure.name,
                "annex": measure.annex,
                "label": dict(measure.label),
                "basis": {"text": measure.basis.text, "date": measure.basis.date},
                "params": {name: param.default for name, param in measure.params.items()},
                "moves": list(measure.moves),
                "sets_class": {
                    name: dict(practice.sets_class)
                    for name, practice in measure.practices.items()
                    if practice.sets_class
                },
                "edits": edits,
            }
        )
    return document


def measures_text() -> str:
    """Return the measures of the library for people."""
    table = Table(box=None, pad_edge=False)
    for title in ("annex", "measure", "措施", "practice", "what it changes"):
        table.add_column(title, overflow="fold")
    for measure in load_catalogue().by_annex().values():
        label = [str(measure.annex), measure.label["en"], measure.label["zh"]]
        for name, practice in measure.practices.items():
            edits = "\n".join(
                [f"{edit.action} {edit.path}" for edit in practice.edits]
                + [f"treat class {old} as {new}" for old, new in practice.sets_class.items()]
            )
            table.add_row(*label, f"{name}: {practice.label['en']}", edits)
            label = ["", "", ""]
    return printed(table)


def printed(item: Any) -> str:  # noqa: ANN401  anything rich can print
    """Return what rich would print, as text: as wide as the terminal, or WIDTH columns."""
    console = Console(no_color=True, highlight=False, markup=False, width=None if Console().is_terminal else WIDTH)
    with console.capture() as capture:
        console.print(item)
    return "\n".join(line.rstrip() for line in capture.get().rstrip().splitlines())
