"""
What a page that simulates counts of the rows of a run: the KPIs that it can tell, and what each row means for them.

The page folds rows as `folding` does and makes numbers of them as `measure` does, for some kinds of KPIs: times
between two marks of a consignment, passages of a gate, waits for a lane, use of resources, hours of roles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zonesim.kpi import fold_layout as f
from zonesim.kpi.catalogue import Applied, Kpi
from zonesim.kpi.fold_tables import ARRIVED, fold_tables
from zonesim.kpi.prepared import Prepared, prepared
from zonesim.kpi.scopes import Scopes
from zonesim.plan import Plan
from zonesim.scenario.fields import EVERYTHING
from zonesim.scenario.kpis import quantile_of
from zonesim.units import HOUR

Shorts = NDArray[np.int32]

MARK_FIELDS: Final = ("arrives", "milestone", "gate", "what", "direction")
"""Of each mark: whether a consignment arrives with it, which milestone it is, of which gate passage, and what of it."""

STEP_FIELDS: Final = ("leaves", "reachable", "lane", "other")
"""
Of each step: whether tokens leave with it, bits of what they may have reached, gate directions whose lanes it holds.
"""

_LANES: Final = 2
"""Directions whose lanes a step holds at most; those of a step with more are not told."""

MOST_BITS: Final = 30

_SUMMED: Final = 8
"""Numbers from which on numpy does not add one after the other: a page that does would not have the same last digit."""

_FAR: Final = 0.9
"""Quantiles of the passage of a gate beyond which one stands among the main numbers."""


@dataclass(frozen=True)
class Asked:
    """
    What to count of a plan's rows: `marks` and `steps` with the fields above (-1: none), and the KPIs, each with what
    it is made of; `directions` are the gate directions, `kinds` how many kinds of passages there are.
    """

    marks: Shorts
    steps: Shorts
    kpis: tuple[dict[str, Any], ...]
    directions: tuple[str, ...]
    milestones: int


def asked_of(plan: Plan) -> Asked:
    """Return what a page counts of the rows of a plan."""
    ready = prepared(plan)
    found = [(kpi, made) for kpi, made in _told(ready) if kpi.headline]
    held = [_held(ready.scopes, step) for step in range(len(plan.names.steps))]
    untold = {place for own in held if len(own) > _LANES for place in own}
    found = [(kpi, made) for kpi, made in found if made.get("lane") not in untold]
    milestones = sorted({mark for _, made in found for mark in made.pop("marks", ())})[:MOST_BITS]
    kpis = []
    for kpi, made in found:
        if made["kind"] == "time":
            if not {made["from"], made["to"]} <= {ARRIVED, *milestones}:
                continue
            made["from"] = milestones.index(made["from"]) if made["from"] != ARRIVED else -1
            made["to"] = milestones.index(made["to"])
        about = {"id": kpi.id, "en": kpi.en, "zh": kpi.zh, "unit": kpi.unit, "better": kpi.definition.better}
        kpis.append(about | {"shape": f"{kpi.subject}.{kpi.definition.quantity}", "main": _is_main(kpi, made)} | made)
    return Asked(
        _marks(plan, milestones), _steps(plan, milestones), tuple(kpis), tuple(ready.scopes.lanes), len(milestones)
    )


def _is_main(kpi: Kpi, made: dict[str, Any]) -> bool:
    """Return whether a KPI stands among the main numbers: mean dwell, waits and long passages at gates, hours."""
    match made["kind"]:
        case "time":
            return kpi.definition.quantity == "dwell" and made["statistic"] == "mean"
        case "pass":
            return bool(made["q"] > _FAR)
        case kind:
            return kind in {"wait", "hours"} or (kind in {"inside", "cost"} and kpi.subject == EVERYTHING)


def _told(ready: Prepared) -> Iterator[tuple[Kpi, dict[str, Any]]]:
    """Yield the KPIs that a page can tell, each with what it is made of."""
    for each in ready.tables.applied:
        for kpi in each.kpis:
            made = _made(ready, each, kpi.definition.statistic)
            if made is not None:
                yield kpi, made


def _made(ready: Prepared, each: Applied, statistic: str) -> dict[str, Any] | None:
    """Return what a KPI is made of; None for one that a page does not tell."""
    rule, scope, scopes = each.quantity.rule, each.quantity.scope, ready.scopes
    q = quantile_of(statistic)
    told = {"statistic": "mean" if q is None else "quantile", "q": q or 0.0, "unit_ms": each.unit}
    if rule.time is not None and not (rule.time.within or rule.time.once or rule.of) and (q or statistic == "mean"):
        if scope == "flow":
            end = scopes.first(each.subject, rule.time.to)
            marks = {rule.time.from_, end} - {ARRIVED}
            made = {"kind": "time", "sources": list(scopes.groups[each.subject]), "from": rule.time.from_, "to": end}
            made |= {"flow": each.subject}
            return made | {"marks": marks} | told if end is not None else None
        if scope == "gate":
            tables, made_there = ready.tables, ready.gates[each.subject]
            end = next((mark for mark in rule.time.to if mark in made_there), rule.time.to[0])
            if (rule.time.from_, end) == (tables.passage[0], tables.passes):
                return {"kind": "pass", "lane": list(scopes.lanes).index(each.subject)} | told
        return None
    if rule.visits in {"wait", "service"} and scope == "gate" and (q or statistic == "mean"):
        if rule.visits == "wait" or q is None:
            return {"kind": rule.visits, "lane": list(scopes.lanes).index(each.subject)} | told
        return None
    rows = ready.rows.get((each.subject, each.quantity.name))
    if rule.resource == "utilisation" and rows is not None:
        return {"kind": "utilisation", "rows": rows.tolist()}
    if rows is None or statistic != "day":
        return None
    if rule.hours is not None:
        return {"kind": "hours", "rows": rows.tolist(), "of": rule.hours.of}
    if rule.inside is not None:
        return {"kind": "inside", "rows": rows.tolist(), "unit_ms": HOUR}
    if rule.cost is not None and len(rows) < _SUMMED:
        rates = np.asarray(ready.rates[each.subject, each.quantity.name], dtype=np.float64).tolist()
        return {"kind": "cost", "rows": rows.tolist(), "rates": rates, "of": rule.cost.of}
    return None


def _marks(plan: Plan, milestones: list[str]) -> Shorts:
    """Return what each mark is, with `MARK_FIELDS`."""
    tables = fold_tables(plan)
    written = tables.marks.reshape(-1, f.MARK_FIELDS)
    direction = {kind: place for place, kinds in enumerate(tables.passages) for kind in kinds}
    whats = {0: 0, tables.passage.index(tables.passes) if tables.passes in tables.passage else -2: 1}
    rows = np.full((len(plan.names.marks), len(MARK_FIELDS)), -1, dtype=np.int32)
    for row, mark, own in zip(rows, plan.names.marks, written.tolist(), strict=False):
        gate, what = own[f.GATE], whats.get(own[f.WHAT], -1)
        row[0] = own[f.ARRIVES]
        row[1] = milestones.index(mark.name) if mark.name in milestones else -1
        if gate >= 0 and what >= 0:
            row[2:] = gate, what, direction[gate]
    return rows


def _held(scopes: Scopes, step: int) -> list[int]:
    """Return the gate directions whose lanes a step holds."""
    return [place for place, own in enumerate(scopes.lanes.values()) if step in own]


def _steps(plan: Plan, milestones: list[str]) -> Shorts:
    """Return what each step is, with `STEP_FIELDS`."""
    tables = fold_tables(plan)
    rows = np.zeros((len(plan.names.steps), len(STEP_FIELDS)), dtype=np.int32)
    for number, (row, step) in enumerate(zip(rows, plan.names.steps, strict=True)):
        row[0] = step.is_leave
        for place, mark in enumerate(tables.milestones):
            if mark in milestones and int(tables.reachable[number]) >> place & 1:
                row[1] |= 1 << milestones.index(mark)
        held = _held(tables.scopes, number)[:_LANES]
        row[2:] = [*held, *[-1] * (_LANES - len(held))]
    return rows
