"""The section on the futures of an experiment: what it reports in each of them."""

from __future__ import annotations

import math

from zonesim.analysis import Point
from zonesim.briefing.brief.facts import Telling, style_of
from zonesim.briefing.brief.model import Cell, Column, Number, Section, Table, plain


def futures(telling: Telling) -> Section | None:
    """Return what the reported KPIs are in every future, arm by arm; None where there is one future."""
    facts, say = telling.facts, telling.say
    if not facts.points:
        return None
    rows: list[tuple[Cell, ...]] = []
    for point in facts.points:
        kpi, change = facts.results.kpis[point.kpi].kpi, point.difference
        style = style_of(kpi.unit)
        limits = (math.nan, math.nan) if change is None else (change.low, change.high)
        rows.append(
            (
                telling.head(telling.what(kpi), kpi.unit),
                _named(telling, point.future),
                telling.short(point.arm),
                Number(point.interval.value, style),
                Number(math.nan if change is None else change.value, style, signed=True),
                telling.limits(*limits, style),
                say(f"brief.tag.{point.tag.replace(' ', '_')}") if point.tag else "",
            )
        )
    columns = (
        Column(say("brief.kpi")),
        Column(say("brief.future")),
        Column(say("brief.arm")),
        Column(say("brief.level_is_of"), "number"),
        Column(say("brief.difference"), "number"),
        Column(say("brief.interval"), "range"),
        Column(say("brief.remark")),
    )
    table = Table(say("brief.futures.table"), columns, tuple(rows), (say("brief.futures.note"),))
    return Section("futures", say("brief.futures"), _title(telling), (), (), (table,))


def _title(telling: Telling) -> str:
    """Return in how many futures the lead arm is surely better, or worse, by the first KPI that is reported."""
    facts = telling.facts
    kpi = facts.results.kpis[facts.points[0].kpi]
    changes = [_change(each, kpi.better) for each in facts.points if (each.arm, each.kpi) == (facts.lead, kpi.id)]
    return telling.say(
        "brief.futures.title",
        what=telling.what(kpi.kpi),
        arm=telling.short(facts.lead),
        n=len(facts.results.futures),
        better=changes.count("better"),
        worse=changes.count("worse"),
    )


def _change(point: Point, better: str) -> str:
    return point.difference.change(better) if point.difference is not None else ""


def _named(telling: Telling, name: str) -> str:
    """Return what a future sets; the words for the scenario as written where it sets nothing."""
    from zonesim.briefing.figures.context import FigureContext  # noqa: PLC0415  matplotlib is slow to import
    from zonesim.briefing.text.varied_words import future_words  # noqa: PLC0415

    facts, say = telling.facts, telling.say
    settings = facts.results.futures[name].settings
    kpis = list(facts.kpis.values())
    context = FigureContext(facts.arms, {}, facts.comparison, kpis, facts.results.seed, say.language)
    return plain(future_words(context, settings)) if settings else say("path.as_written")
