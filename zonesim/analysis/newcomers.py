"""What of an arm is told over goods that the baseline has not: a mean or share over another mix is no effect."""

from __future__ import annotations

from collections.abc import Sequence

from zonesim.kpi import Kpi, fold_tables, pooled
from zonesim.plan import Plan, control

_COUNTS = frozenset({"/d", "h/d", "CNY/d"})
"""Units of what is added up: more goods are more, which is an effect."""


def mixed(base: Plan, plan: Plan, kpis: Sequence[Kpi]) -> frozenset[str]:
    """
    Return the KPIs of `plan` that are means or shares over entries of the traffic that nobody comes by in `base` and
    over others together: at a gate that both pass, of a truth that both may have, of a flow that both walk, of the
    goods of a zone.

    Who comes is read off the ways on which truths are drawn; goods that meet no check of any kind are not seen.
    """
    new = _told(plan) - _told(base)
    if not new:
        return frozenset()
    tables = fold_tables(plan)
    told = {truth for _, truth in new}
    entries = {entry for entry, _ in new}
    places = {mark.place for mark in plan.names.marks if mark.name == tables.passage[0] and mark.entry in entries}

    def partly(members: tuple[int, ...]) -> bool:
        return 0 < len(entries & {plan.names.sources[source] for source in members}) < len(members)

    groups = {group for group, members in tables.scopes.groups.items() if partly(members)}
    goods = {kpi for kpi, members in pooled(plan).items() if partly(members)}
    subjects = {
        "gate": places,
        "truth": {f"all.{truth}" for truth in told & {truth for _, truth in _told(base)}},
        "flow": groups,
        "step": groups,
    }
    return frozenset(
        kpi.id
        for kpi in kpis
        if kpi.unit not in _COUNTS and (kpi.id in goods or _subject(kpi) in subjects.get(str(kpi.definition.scope), ()))
    )


def _subject(kpi: Kpi) -> str:
    return kpi.subject.partition(".")[0] if kpi.definition.scope == "step" else kpi.subject


def _told(plan: Plan) -> frozenset[tuple[str, str]]:
    """Return the entries of the traffic that somebody comes by with a truth, each with its truths."""
    known = control(plan)
    return frozenset() if known is None else frozenset((entry, truth) for entry, truth, _ in known.truths)
