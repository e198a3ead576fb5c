"""Compiling: from a resolved arm to a plan."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from zonesim.faults import Faults, ScenarioFault
from zonesim.limits import MOST_WAYS
from zonesim.plan.assembly import Routine, Spot, link
from zonesim.plan.breakdowns import breakdown_rows
from zonesim.plan.columns import TABLES
from zonesim.plan.flows import FLAGS, EntryCompiler
from zonesim.plan.instructions import program_rows
from zonesim.plan.kpis import due_kpis, grouped_kpis, own_kpis, unmet_deadlines, watch_hours, within_kpis
from zonesim.plan.naming import colliding
from zonesim.plan.operations import NOWHERE
from zonesim.plan.plan import Names, Plan
from zonesim.plan.proving import Ground, prove
from zonesim.plan.records import LARGEST_SOURCE
from zonesim.plan.source_rows import Arrivals
from zonesim.plan.tables import stream_identity
from zonesim.plan.world_tables import WorldTables
from zonesim.policy import ResolvedArm, edits_of_flows
from zonesim.scenario.fields import CLASS


def compile_plan(arm: ResolvedArm) -> Plan:
    """
    Return the plan of an arm.

    Raises Faults with everything that does not fit together: unknown flows, resources, calendars, truths, classes;
    missing parameters; requests that can never be met.
    """
    tables = WorldTables(arm)
    _check_clock(tables)
    entries = dict(sorted(arm.scenario.traffic.items()))
    if len(entries) > LARGEST_SOURCE + 1:
        tables.faults.add(
            ScenarioFault(
                f"more than {LARGEST_SOURCE + 1} traffic entries",
                arm.world.place(("traffic",)),
                "Put those together that walk one flow, with `classes` or `batch`.",
            )
        )
    arrivals = Arrivals(tables)
    routines: list[Routine] = []
    firsts: list[Routine] = []
    flows: list[str] = []
    compilers: list[EntryCompiler] = []
    for number, (name, entry) in enumerate(entries.items()):
        compiler = EntryCompiler(tables, name, entry, number)
        compilers.append(compiler)
        try:
            own = compiler.compile()
            arrivals.add(name, entry)
        except ScenarioFault as fault:
            tables.faults.add(compiler.told(fault))
            continue
        firsts.append(own[0])
        routines += own
        flows.append(entry.flow)
    for compiler in compilers:
        compiler.close()
    tables.steps.close()
    tables.marks.close()
    for collision in colliding(arm.world, entries, tables.steps.rows, tables.marks.rows):
        tables.faults.add(collision)
    notes = watch_hours(tables)
    kpis = (*own_kpis(tables, entries), *within_kpis(tables), *due_kpis(tables), *grouped_kpis(tables))
    breakdowns = breakdown_rows(tables)
    if tables.faults.faults:
        flat = [
            each for fault in tables.faults.faults for each in (fault.faults if isinstance(fault, Faults) else [fault])
        ]
        raise Faults(flat)
    starts = _starts(routines)
    linked, spots = link(routines)
    program = program_rows(linked)
    _prove(tables, program, spots, compilers, [starts[id(first)] for first in firsts])
    if unmet := list(unmet_deadlines(tables)):
        raise Faults(unmet)
    resources, changes = tables.resource_rows()
    calendars, spans = tables.calendar_rows()
    distributions, parameters = tables.distributions.arrays()
    group_rows, members = _firms(tables)
    adoptions = tables.adoptions
    sources = [(starts[id(first)], *row) for first, row in zip(firsts, arrivals.rows, strict=True)]
    rows: dict[str, Any] = {
        "program": program,
        "needs": tables.needs.rows,
        "priorities": tables.priorities.rows,
        "shares": tables.shares.rows,
        "distributions": distributions,
        "parameters": parameters,
        "streams": _identities(tables.streams.names),
        "resources": resources,
        "changes": changes,
        "breakdowns": breakdowns,
        "calendars": calendars,
        "spans": spans,
        "sources": sources,
        "source_streams": [
            _identities([f"{name}//{column.name}" for column in TABLES["source_streams"].columns]) for name in entries
        ],
        "rates": np.concatenate([np.zeros((0, 3)), *arrivals.rates]),
        "times": arrivals.times,
        "mixes": arrivals.mixes,
        "groups": group_rows,
        "members": members,
        "adoptions": adoptions.rows,
        "adoption_shares": adoptions.shares,
        "adoption_streams": _identities(adoptions.streams),
        "accounts": tables.account_rows,
        "window": [tables.warm_up, tables.measured, tables.horizon],
        "renewals": arrivals.renewals,
        "limits": arrivals.limits,
        "factors": arrivals.factors,
        "factor_streams": _identities(arrivals.factor_streams),
        "attributes": arrivals.attributes,
        "attribute_shares": arrivals.attribute_shares,
        "attribute_streams": _identities(arrivals.attribute_streams),
    }
    return Plan(
        **{name: table.array(rows[name], len(tables.classes)) for name, table in TABLES.items()},
        names=Names(
            steps=tuple(tables.steps.rows),
            marks=tuple(tables.marks.rows),
            resources=tuple(tables.resources.rows),
            accounts=tuple(tables.accounts.rows),
            statuses=tuple(tables.statuses),
            sources=tuple(entries),
            source_flows=tuple(flows),
            source_groups=tuple(entry.group or name for name, entry in entries.items()),
            classes=tables.classes.by_number(CLASS),
            flags=tuple(adoptions.names),
            streams=tuple(tables.streams.names),
            groups=len(tables.groups.rows),
            notes=(*tables.traces.notes, *dict.fromkeys(notes)),
            kpis=kpis,
            looks=tables.looks,
            truths=tables.truths,
            attributes=tuple((name, tables.classes.by_number(name)) for name in tables.classes.attributes),
        ),
    )


def _prove(
    tables: WorldTables,
    program: Sequence[tuple[int, ...]],
    spots: Sequence[Spot | None],
    entries: Sequence[EntryCompiler],
    firsts: Sequence[int],
) -> None:
    """
    Raise Faults unless every token of every entry can only end with empty hands, and with statuses that are legal where
    they change and where it passes.
    """
    names = [str(name) for name in tables.resources.rows]
    most = [tables.largest_capacity(resource) for resource in range(len(names))]
    rows = (tables.steps.rows, tables.needs.rows, tables.shares.rows)
    marks = list(tables.marks.rows)
    passes = [tables.passing.get(mark.name, NOWHERE) for mark in marks]
    ground = Ground(
        *rows,
        names,
        most,
        tables.statuses,
        tables.legal,
        marks,
        passes,
        tables.adoptions.implied(),
        partial(edits_of_flows, tables.arm),
    )
    unset = (1 << FLAGS) - 1 & ~((1 << len(tables.adoptions.names)) - 1)
    faults: list[ScenarioFault] = []
    left = MOST_WAYS
    counted: set[bytes] = set()
    for entry, (first, end) in zip(entries, pairwise([*firsts, len(program)]), strict=True):
        found, ways = prove(program, spots, first, end, unset, ground, left, counted)
        faults += [entry.told(fault) for fault in found]
        left -= ways
        if left < 0:
            fault = f"more than {MOST_WAYS:,} ways through the flows that differ in what is kept, known or the status"
            remedy = "Give back what is kept before the next choices (`until` an earlier step), or choose less often."
            place = tables.arm.world.place(("traffic", entry.name, "flow"))
            raise Faults([*faults, ScenarioFault(fault, place, remedy)])
    if faults:
        raise Faults(faults)


def _check_clock(tables: WorldTables) -> None:
    place = tables.arm.world.place(("clock",))
    if tables.measured <= tables.warm_up:
        tables.faults.add(ScenarioFault("nothing is measured", place, "Write `measure: 4 week`."))


def _starts(routines: Sequence[Routine]) -> dict[int, int]:
    """Return the first row of each routine, by identity."""
    starts: dict[int, int] = {}
    count = 0
    for routine in routines:
        starts[id(routine)] = count
        count += sum(isinstance(row, list) for row in routine.rows)
    return starts


def _firms(tables: WorldTables) -> tuple[list[tuple[int, int]], list[tuple[float, float, float]]]:
    members: list[tuple[float, float, float]] = []
    cumulative = 0.0
    for firm in tables.firms:
        cumulative += firm.share
        members.append((firm.share, cumulative, float(tables.classes.part(CLASS, firm.credit))))
    if members:
        members[-1] = (members[-1][0], 1.0, members[-1][2])
    return ([(0, len(members))] if members else []), members


def _identities(names: Sequence[str]) -> list[int]:
    return [stream_identity(name) for name in names]
