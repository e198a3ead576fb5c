"""What measuring the runs of a plan needs besides their columns: which rows each KPI is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from zonesim import units
from zonesim.kpi.catalogue import Applied
from zonesim.kpi.fold_tables import KEPT, FoldTables, fold_tables
from zonesim.kpi.scopes import Scopes
from zonesim.plan import Ints, Plan
from zonesim.scenario.fields import mode_of


@dataclass(frozen=True, eq=False)
class Pools:
    """
    Steps whose visits are told together: `rows` of the step table by pool, and the same flat with where each begins.

    Pools without a step stand last, from `empty` on.
    """

    rows: tuple[tuple[int, ...], ...]
    flat: Ints
    starts: Ints
    empty: int


@dataclass(frozen=True, eq=False)
class VisitColumn:
    """One statistic of visits over all subjects that have it: their pools, the ids, the kind, and the unit in ms."""

    kind: str
    statistic: str
    unit: int
    pools: Ints
    ids: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Prepared:
    """
    What is measured of a plan, arranged for measuring.

    `ids`: of all KPIs, in their order. `by_scope`: all that is measured but visits, by scope. `columns`: the visits.
    `rows`: by subject and quantity, rows of the steps or resources that it is about; `rates`: what their hours cost.
    `gates`: by gate direction, the marks made there.
    """

    tables: FoldTables
    ids: tuple[str, ...]
    by_scope: dict[str, tuple[Applied, ...]]
    pools: Pools
    columns: tuple[VisitColumn, ...]
    rows: dict[tuple[str, str], Ints]
    rates: dict[tuple[str, str], np.ndarray]
    gates: dict[str, frozenset[str]]

    @property
    def scopes(self) -> Scopes:
        """Return the scopes."""
        return self.tables.scopes


@lru_cache(maxsize=KEPT)
def prepared(plan: Plan) -> Prepared:
    """Return what measuring the runs of a plan needs; asked again for the same object, it is there."""
    tables = fold_tables(plan)
    scopes = tables.scopes
    visits = [each for each in tables.applied if each.quantity.rule.visits is not None]
    pools = _pools([_visited(scopes, each) for each in visits])
    others = [each for each in tables.applied if each.quantity.rule.visits is None]
    rows = {(each.subject, each.quantity.name): _rows(plan, scopes, each) for each in others}
    places = {place: frozenset(mark.name for mark in plan.names.marks if mark.place == place) for place in scopes.lanes}
    return Prepared(
        tables=tables,
        ids=tuple(kpi.id for each in tables.applied for kpi in each.kpis),
        by_scope={
            scope: tuple(each for each in others if each.quantity.scope == scope)
            for scope in {each.quantity.scope for each in tables.applied}
        },
        pools=pools,
        columns=tuple(_columns(scopes, visits, pools)),
        rows={key: own for key, own in rows.items() if own is not None},
        rates={
            (each.subject, each.quantity.name): _rates(plan, each)
            for each in others
            if each.quantity.rule.cost is not None
        },
        gates=places,
    )


def _visited(scopes: Scopes, each: Applied) -> tuple[int, ...]:
    """Return the steps whose visits are told of a subject."""
    if each.quantity.scope == "gate":
        return scopes.lanes[each.subject]
    return (scopes.interruptions if each.quantity.rule.visits == "interruption" else scopes.steps)[each.subject]


def _pools(visited: Iterable[tuple[int, ...]]) -> Pools:
    found = dict.fromkeys(visited)
    rows = [*filter(None, found), *(own for own in found if not own)]
    full = [own for own in rows if own]
    return Pools(
        rows=tuple(rows),
        flat=np.array([row for own in full for row in own], dtype=np.int64),
        starts=np.cumsum([0, *map(len, full[:-1])], dtype=np.int64) if full else np.zeros(0, dtype=np.int64),
        empty=len(full),
    )


def _columns(scopes: Scopes, visits: list[Applied], pools: Pools) -> Iterable[VisitColumn]:
    numbers = {rows: number for number, rows in enumerate(pools.rows)}
    told: dict[tuple[str, str, str, str], list[Applied]] = {}
    for each in visits:
        for statistic in each.ids:
            told.setdefault((each.quantity.scope, each.quantity.name, each.quantity.kind, statistic), []).append(each)
    for (_, _, kind, statistic), own in told.items():
        places = np.array([numbers[_visited(scopes, each)] for each in own], dtype=np.int64)
        unit = own[0].unit
        yield VisitColumn(kind, statistic, unit, places, tuple(each.ids[statistic] for each in own))


def _rows(plan: Plan, scopes: Scopes, each: Applied) -> Ints | None:
    """Return the LEAVE pseudo-steps of the tokens, or the resources, that a quantity is about; None: of neither."""
    rule, names = each.quantity.rule, plan.names
    if rule.inside is not None:
        entries = {names.sources[source] for source in scopes.groups[each.subject]} if each.subject != "all" else None
        kind = rule.inside.kind
        found = [
            row
            for row, step in enumerate(names.steps)
            if step.is_leave
            and (entries is None or step.entry in entries)
            # The end of a child lies below the step that makes it.
            and (len(step.path) == 1 if kind is None else step.kind == kind)
        ]
    elif roles := rule.roles():
        zone = each.subject if each.quantity.scope == "zone" else None
        found = [row for row, own in enumerate(names.resources) if own.role in roles and zone in {None, own.zone}]
    elif rule.resource is not None:
        found = [row for row in scopes.limited if str(names.resources[row]) == each.subject]
    else:
        return None
    return np.array(found, dtype=np.int64)


def _rates(plan: Plan, each: Applied) -> np.ndarray:
    """Return what an hour of a unit costs, by resource that a quantity is about."""
    cost = each.quantity.rule.cost
    assert cost is not None  # noqa: S101
    rates = {role: units.parse(mode_of(rate), "cost rate") for role, rate in cost.rate.items()}
    zone = each.subject if each.quantity.scope == "zone" else None
    return np.array([rates[own.role] for own in plan.names.resources if own.role in rates and zone in {None, own.zone}])
