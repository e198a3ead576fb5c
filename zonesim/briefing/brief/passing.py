"""The sections on how much passes and how long goods stay."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from zonesim.briefing.brief.facts import DWELL, Facts, Telling, capital
from zonesim.briefing.brief.model import Cell, Chart, Column, Number, Range, Section, Series, Table
from zonesim.briefing.brief.sentences import counted, ranked, waits_nowhere
from zonesim.kpi import way

MOST_BARS: Final = 10
MOST_STAGED: Final = 4
"""Flows in a chart, and in one of their stages."""

_SPREAD: Final = (
    ("mean", "plain"),
    ("median", "plain"),
    ("p90", "plain"),
    ("p95", "plain"),
    ("within_24h", "share"),
    ("within_48h", "share"),
)
"""What a Time Release Study tells of a time: the guide of the World Customs Organization, version 4."""

_AT_GATES: Final = ("passes.day", "wait.mean", "wait.p95", "pass.median", "pass.p95", "manual.rate")


def throughput(telling: Telling) -> Section:
    """Return how much demand each arm carries, what is then fully loaded, and the gates."""
    facts, say = telling.facts, telling.say
    tables, paragraphs = [], []
    if facts.bounds:
        tables.append(_capacity(telling))
    gates = _gates(telling)
    if gates is not None:
        tables.append(gates)
    charts = []
    waits = [f"{place}.wait.mean" for place in facts.places("gate") if f"{place}.wait.mean" in facts.kpis]
    quiet = [kpi for kpi in waits if waits_nowhere(facts, facts.kpis[kpi])]
    if quiet:
        names = say.listed(telling.subject(facts.kpis[kpi]) for kpi in quiet)
        paragraphs.append(say("brief.no_queue", names=names))
    if len(quiet) < len(waits):
        charts.append(_waits(telling, [kpi for kpi in waits if kpi not in quiet]))
    return Section(
        "throughput",
        say("brief.throughput"),
        _carries(telling),
        tuple(paragraphs),
        tuple(charts),
        tuple(tables),
    )


def _carries(telling: Telling) -> str:
    """Return how much the lead arm carries, as a finding."""
    facts, say = telling.facts, telling.say
    own, base = facts.bounds.get(facts.lead), facts.bounds.get(facts.baseline)
    if own is None or base is None:
        return say("brief.throughput.unknown")
    if math.isinf(own.multiple):
        return say("brief.throughput.none", arm=telling.arm(facts.lead))
    multiple, names = f"{own.multiple:.2f}", say.listed(map(telling.place, own.names))
    if facts.lead == facts.baseline or math.isinf(base.multiple):
        return say("brief.throughput.one", arm=telling.arm(facts.lead), multiple=multiple, names=names)
    return say(
        "brief.throughput.two",
        arm=telling.arm(facts.lead),
        multiple=multiple,
        names=names,
        baseline=telling.arm(facts.baseline),
        before=f"{base.multiple:.2f}",
    )


def _capacity(telling: Telling) -> Table:
    facts, say = telling.facts, telling.say
    heads = (say("brief.arm"), say("brief.carries"), say("brief.binding"), say("brief.unknown_load"))
    rows: list[tuple[Cell, ...]] = []
    for arm in facts.shown:
        bound = facts.bounds[arm]
        multiple = math.nan if math.isinf(bound.multiple) else bound.multiple
        unknown = say.listed(telling.place(name) for name, _ in bound.unknown)
        binding = say.listed(map(telling.place, bound.names))
        rows.append((telling.arm(arm), Number(multiple, "times"), binding, unknown))
    columns = (Column(heads[0]), Column(heads[1], "number"), Column(heads[2]), Column(heads[3]))
    return Table(say("brief.capacity"), columns, tuple(rows), (say("brief.capacity.note"),))


def _gates(telling: Telling) -> Table | None:
    """Return the gates arm by arm; None where there are none."""
    facts, say = telling.facts, telling.say
    kpis = {(place, what): f"{place}.{what}" for place in facts.places("gate") for what in _AT_GATES}
    known = {pair: facts.kpis[kpi] for pair, kpi in kpis.items() if kpi in facts.kpis}
    told = [what for what in _AT_GATES if any(pair[1] == what for pair in known)]
    if not told:
        return None
    firsts = [next(kpi for pair, kpi in known.items() if pair[1] == what) for what in told]
    heads = [telling.head(telling.quantity(kpi), kpi.unit) for kpi in firsts]
    rows: list[tuple[Cell, ...]] = []
    for place in dict.fromkeys(pair[0] for pair in known):
        for arm in facts.shown:
            cells = [
                Number(facts.value(arm, kpis[place, what]), "share" if kpi.unit == "share" else "plain")
                for what, kpi in zip(told, firsts, strict=True)
            ]
            rows.append((telling.place(place), telling.short(arm), *cells))
    columns = (Column(say("brief.gate")), Column(say("brief.arm")), *(Column(head, "number") for head in heads))
    return Table(say("brief.gates"), columns, tuple(rows))


def _waits(telling: Telling, kpis: list[str]) -> Chart:
    facts = telling.facts
    series = []
    for arm in facts.shown[:3]:
        found = [facts.level(arm, kpi) for kpi in kpis]
        values = [math.nan if each is None or each.reason else each.value for each in found]
        # Nobody waits less than not at all, whatever the interval says.
        lows = [math.nan if each is None else max(each.low, 0.0) for each in found]
        highs = [math.nan if each is None else each.high for each in found]
        series.append(Series(telling.short(arm), tuple(values), tuple(lows), tuple(highs)))
    first = facts.kpis[kpis[0]]
    names = tuple(telling.subject(facts.kpis[kpi]) for kpi in kpis)
    return Chart(telling.quantity(first), "bars", telling.unit(first.unit), names, tuple(series))


# --- how long goods stay


def dwell(telling: Telling) -> Section:
    """Return the dwell of each flow in the form of a time release study, and its stages."""
    facts, say = telling.facts, telling.say
    tables = [table for table in (_release_study(telling), _stages(telling)) if table is not None]
    charts = [chart for chart in (_changes(telling), _staged(telling)) if chart is not None]
    alone = facts.lead == facts.baseline
    title = say("brief.dwell.levels", n=len(facts.goods)) if alone else counted(telling)
    if not facts.flows:
        title = say("brief.dwell.nothing")
    return Section("dwell", say("brief.dwell"), title, (), tuple(charts), tuple(tables))


def _release_study(telling: Telling) -> Table | None:
    facts, say = telling.facts, telling.say
    if not facts.flows:
        return None
    rows: list[tuple[Cell, ...]] = []
    for flow in facts.flows:
        for arm in facts.shown:
            cells: list[Cell] = [Number(float(_count(facts, arm, flow)), "whole")]
            cells += [
                Number(facts.value(arm, f"{flow}.dwell.{statistic}"), "share" if style == "share" else "plain")
                for statistic, style in _SPREAD
            ]
            rows.append((telling.flow(flow), telling.short(arm), *cells, *_change(telling, arm, f"{flow}.{DWELL}")))
    notes = (say("brief.release_study.note"), *_remarks(telling))
    heads = [say("brief.n"), *(say(f"brief.spread.{statistic}") for statistic, _ in _SPREAD)]
    columns = (
        Column(say("brief.flow")),
        Column(say("brief.arm")),
        *(Column(head, "number") for head in heads),
        Column(say("brief.difference_h"), "number"),
        Column(say("brief.interval"), "range"),
    )
    return Table(say("brief.release_study"), columns, tuple(rows), notes)


def _remarks(telling: Telling) -> Iterator[str]:
    """Yield what is to be said of the differences of dwell times, each with the flows of which it is said."""
    facts, say = telling.facts, telling.say
    found: dict[str, list[str]] = {}
    for flow in facts.flows:
        for arm in facts.others:
            effect = facts.effects.get((arm, f"{flow}.{DWELL}"))
            if effect is not None and effect.tag:
                own = telling.flow(flow)
                several = len(facts.others) > 1
                name = say("brief.of", subject=own, quantity=telling.short(arm)) if several else own
                found.setdefault(effect.tag, []).append(name)
    for tag, names in found.items():
        yield say("brief.colon", what=capital(say(f"brief.tag.{tag.replace(' ', '_')}")), value=say.listed(names))


def _count(facts: Facts, arm: str, flow: str) -> int:
    """Return how many consignments of a flow were measured, in all replications."""
    return sum(len(run.samples.get(f"{flow}.dwell", ())) for run in facts.runs[arm])


def _change(telling: Telling, arm: str, kpi: str) -> tuple[Number, Range]:
    """Return the difference of an arm to the baseline for a table: its value and its limits."""
    effect = telling.facts.effects.get((arm, kpi))
    if effect is None:
        return Number(math.nan), telling.limits(math.nan, math.nan)
    change = effect.difference
    return Number(change.value, signed=True), telling.limits(change.low, change.high)


def _stage_kpis(facts: Facts, flow: str) -> list[str]:
    """Return the stages of a flow in their order."""
    marks = way()

    def place(kpi: str) -> int:
        first = facts.kpis[kpi].stage[0]
        return marks.index(first) if first in marks else len(marks)

    found = [kpi.id for kpi in facts.kpis.values() if kpi.subject == flow and kpi.definition.what == "stage.mean"]
    return sorted(found, key=place)


def _stage_name(telling: Telling, kpi: str) -> str:
    first, last = telling.facts.kpis[kpi].stage
    return telling.say("stages.between", first=telling.say.term(first), last=telling.say.term(last))


def _stages(telling: Telling) -> Table | None:
    facts, say = telling.facts, telling.say
    arms = facts.shown
    rows: list[tuple[Cell, ...]] = []
    for flow in facts.flows:
        for kpi in _stage_kpis(facts, flow):
            values = [Number(facts.value(arm, kpi)) for arm in arms]
            if not any(each.value > 0 for each in values):
                continue
            change = _change(telling, facts.lead, kpi) if facts.lead != facts.baseline else ()
            rows.append((telling.flow(flow), _stage_name(telling, kpi), *values, *change))
    if not rows:
        return None
    heads = [Column(say("brief.flow")), Column(say("brief.stage"))]
    heads += [Column(say("brief.mean_of", arm=telling.short(arm)), "number") for arm in arms]
    if facts.lead != facts.baseline:
        heads += [Column(say("brief.difference_h"), "number"), Column(say("brief.interval"), "range")]
    note = say("brief.stages.note", arm=telling.short(facts.lead)) if len(arms) > 2 else ""  # noqa: PLR2004
    return Table(say("brief.stages"), tuple(heads), tuple(rows), (note,) if note else ())


def _changes(telling: Telling) -> Chart | None:
    """Return how much sooner goods are through with the lead arm, flow by flow."""
    facts, say = telling.facts, telling.say
    if facts.lead == facts.baseline:
        return None
    kpis = [
        kpi
        for kpi in ranked(facts)
        if not math.isnan(facts.effects[facts.lead, kpi].difference.value)
        and facts.effects[facts.lead, kpi].tag != "mix"
    ][:MOST_BARS]
    if not kpis:
        return None
    kpis.sort(key=lambda kpi: -abs(facts.effects[facts.lead, kpi].difference.value))
    found = [facts.effects[facts.lead, kpi].difference for kpi in kpis]
    series = Series(
        telling.short(facts.lead),
        tuple(each.value for each in found),
        tuple(each.low for each in found),
        tuple(each.high for each in found),
    )
    names = tuple(telling.flow(facts.kpis[kpi].subject) for kpi in kpis)
    title = say("brief.dwell.changes", baseline=telling.arm(facts.baseline))
    return Chart(title, "bars", telling.unit("h"), names, (series,), note=say("brief.bars.note"))


def _staged(telling: Telling) -> Chart | None:
    """Return the stages of the flows that change most, arm below arm."""
    facts, say = telling.facts, telling.say
    flows = [kpi.removesuffix(f".{DWELL}") for kpi in ranked(facts)]
    known = [flow for flow in flows if _is_staged(facts, flow)][:MOST_STAGED]
    arms = facts.shown[:2]
    used = list(dict.fromkeys(facts.kpis[kpi].stage for flow in known for kpi in _stage_kpis(facts, flow)))
    if not used:
        return None
    marks = way()
    used.sort(key=lambda stage: marks.index(stage[0]) if stage[0] in marks else len(marks))
    by_stage = {(flow, facts.kpis[kpi].stage): kpi for flow in known for kpi in _stage_kpis(facts, flow)}
    rows = [(flow, arm) for flow in known for arm in arms]
    series = []
    for stage in used:
        values = [facts.value(arm, by_stage[flow, stage]) if (flow, stage) in by_stage else 0.0 for flow, arm in rows]
        if any(values):
            series.append(
                Series(_stage_name(telling, next(k for (_, s), k in by_stage.items() if s == stage)), tuple(values))
            )
    names = tuple(say("brief.colon", what=telling.flow(flow), value=telling.short(arm)) for flow, arm in rows)
    return Chart(say("brief.stages"), "stack", telling.unit("h"), names, tuple(series))


def _is_staged(facts: Facts, flow: str) -> bool:
    """Return whether a flow has several stages, all with a mean in the arms that are drawn."""
    kpis = _stage_kpis(facts, flow)
    values = [facts.value(arm, kpi) for arm in facts.shown[:2] for kpi in kpis]
    return len(kpis) > 1 and any(values) and not any(map(math.isnan, values))
