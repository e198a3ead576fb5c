"""The job of `zonesim validate`: what is wrong with a scenario, and how busy it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from zonesim.analysis import arrival_warnings, load_warnings, prices_of
from zonesim.briefing.tables.loads import load_table, loads_document
from zonesim.briefing.tables.printing import printed
from zonesim.jobs.asking import promises_of
from zonesim.kpi import catalogue
from zonesim.plan import compile_plan, loads, monday_offset
from zonesim.policy import (
    ResolvedArm,
    arms_for,
    count_kinds,
    flows_in_use,
    open_world,
    register,
    resolve,
)
from zonesim.scenario import NO_FUTURE, load_catalogue
from zonesim.units import DAY, WEEK, parse

MOST_NAMED: Final = 40
"""Entries of the traffic that are named one by one."""


def validate_file(file: Path, settings: Sequence[str]) -> dict[str, Any]:
    """
    Check a scenario in its baseline and with all measures of the library, and what it promises; return what can be said
    of it.

    Keys: file, scenario, future, flows, traffic, loads (see `loads_document`), numbers (found, derived, assumed),
    warnings. Raises Faults.
    """
    world = open_world(file, settings)
    arms = [resolve(world, arm) for arm in arms_for(world)]
    plans = [compile_plan(arm) for arm in arms]
    plan = plans[0]
    own = any(
        not world.place((table, name)).in_library for table in ("costs", "investments") for name in world.tree[table]
    )
    kpis = {kpi.id: kpi for each in plans for kpi in catalogue(each)} if own or world.tree.get("promises") else {}
    promises_of(world, (), kpis)
    if own:
        prices_of({each.arm.name: each for each in arms}, kpis.values())
    offset = monday_offset(arms[0].scenario.clock.start)
    return {
        "file": str(file),
        "scenario": arms[0].scenario.name,
        "future": arms[0].met.name,
        "flows": flows_in_use(world),
        "traffic": list(plan.names.sources),
        "loads": loads_document(plan, loads(plan, offset)),
        "numbers": count_kinds(register(world, flows_in_use(world))),
        "warnings": [*arrival_warnings(plan), *load_warnings(plan, offset), *_warnings(arms[0]), *plan.names.notes],
    }


def _warnings(arm: ResolvedArm) -> list[str]:
    shadowed = [name for name in arm.scenario.flows if name in load_catalogue().flows]
    warnings = [
        f"flow {name} replaces the library's flow of that name here; measures do not edit it" for name in shadowed
    ]
    warnings += arm.warnings
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
        f"{found['file']}: valid" + (f", future {found['future']}" if found["future"] != NO_FUTURE else ""),
        f"traffic: {_listed(found['traffic'])}; flows: {', '.join(found['flows'])}",
        f"numbers: {numbers['found']} found, {numbers['derived']} derived, {numbers['assumed']} assumed",
    ]
    lines += [f"warning: {warning}" for warning in found["warnings"]]
    if found["loads"]:
        table, below = load_table(found["loads"])
        lines += [*([printed(table)] if table else []), *below]
    return "\n".join(lines)


def _listed(names: Sequence[str]) -> str:
    """Return names one after the other, the first of them where there are too many to read."""
    first = ", ".join(names[:MOST_NAMED])
    return first if len(names) <= MOST_NAMED else f"{first} and {len(names) - MOST_NAMED} more entries"
