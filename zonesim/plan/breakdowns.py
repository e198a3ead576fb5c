"""Resources that break down or preempt: what is written of them becomes rows of the plan, or a fault."""

from __future__ import annotations

from typing import Any

from zonesim.faults import Place, ScenarioFault
from zonesim.limits import MOST_BREAKDOWNS, MOST_CLOCKS
from zonesim.plan.binding import resolve
from zonesim.plan.distributions import distribution_mean
from zonesim.plan.operations import NOWHERE, Clock
from zonesim.plan.plan import UNLIMITED, ResourceName
from zonesim.plan.world_tables import WorldTables
from zonesim.scenario.breakdowns import Breakdowns
from zonesim.scenario.laws import Law

Row = tuple[int, int, int, int, int, int, int]


def breakdown_rows(tables: WorldTables) -> list[Row]:
    """Return the breakdowns table, by resource and unit; faults go to the collector."""
    rows: list[Row] = []
    for resource, name in enumerate(tables.resources.rows):
        entry = tables.resource_entry(resource)
        if entry is None or (entry.breakdowns == "none" and not entry.preempt):
            continue
        most = tables.largest_capacity(resource)
        place = tables.arm.world.place(("zones", name.zone, name.name))
        try:
            if entry.preempt:
                _check_preemption(tables, resource, name, place)
            if entry.breakdowns != "none":
                rows += _rows(tables, resource, name, entry.breakdowns, most)
        except ScenarioFault as fault:
            tables.faults.add(fault.at(place))
    return rows


def _check_preemption(tables: WorldTables, resource: int, name: ResourceName, place: Place) -> None:
    if tables.starts_only_what_fits(resource):
        fault = f"{name} starts only what fits, but who preempts would make it end later"
        raise ScenarioFault(fault, place, "Leave out `preempt`, or choose another `at_shift_end`.")


def _rows(tables: WorldTables, resource: int, name: ResourceName, written: Breakdowns, most: int) -> list[Row]:
    world = tables.arm.world
    path = ("zones", name.zone, name.name, "breakdowns")
    if most >= UNLIMITED:
        raise ScenarioFault(
            f"{name} is unlimited and cannot break down", world.place(path), "Give it a number of units."
        )
    clock = Clock[written.clock.upper()]
    if clock == Clock.BUSY and most != 1:
        fault = f"the breakdowns of {name} count busy time, which is clear for a single unit only, but it has {most}"
        raise ScenarioFault(
            fault, world.place((*path, "clock")), "Write `clock: always`, or make resources of its units."
        )
    clocks = most if written.of == "unit" else 1
    if clocks > MOST_CLOCKS:
        fault = f"{name} has {most} units that break down each by itself, more than {MOST_CLOCKS}"
        raise ScenarioFault(fault, world.place((*path, "of")), "Write `of: whole`, or make it smaller.")
    laws = [
        _law(tables, written.up, world.place((*path, "up"))),
        _law(tables, written.repair, world.place((*path, "repair"))),
    ]
    up, repair = (distribution_mean(*tables.distributions.arrays(), law, 0) for law in laws)
    if not up > 0:
        raise ScenarioFault(
            f"{name} breaks down as soon as it is repaired", world.place((*path, "up")), "Give it some time."
        )
    expected = clocks * tables.horizon / (max(up, 1.0) + repair)
    if expected > MOST_BREAKDOWNS:
        fault = f"{name} is expected to break down {expected:.2g} times in this run, more than {MOST_BREAKDOWNS:,}"
        raise ScenarioFault(fault, world.place((*path, "up")), "Check the units, or measure a shorter time.")
    rows: list[Row] = []
    for unit in range(clocks):
        streams = [tables.streams.add(f"{name}//breakdown/{unit + 1}/{what}") for what in ("up", "repair")]
        units = 1 if written.of == "unit" else NOWHERE
        rows.append((resource, units, int(clock), laws[0], streams[0], laws[1], streams[1]))
    return rows


def _law(tables: WorldTables, written: Any, place: Place) -> int:  # noqa: ANN401
    def value(text: Any) -> Any:  # noqa: ANN401
        return resolve(text, {}, tables.scenario, place)

    try:
        return (
            tables.distributions.written(written, value)
            if isinstance(written, Law)
            else tables.distributions.duration(written, value)
        )
    except ScenarioFault as fault:
        raise fault.at(place) from None
