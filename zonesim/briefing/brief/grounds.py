"""The sections on what the findings stand on: doubts, how the numbers were made, the arms, and the assumed numbers."""

from __future__ import annotations

import math
import platform
import shlex
from collections.abc import Sequence
from typing import Final

from zonesim.analysis import Effect
from zonesim.briefing.brief.facts import Telling, bare, style_of
from zonesim.briefing.brief.model import Cell, Chart, Column, Number, Section, Series, Table, plain
from zonesim.briefing.brief.sentences import Finding, ranked
from zonesim.briefing.tables.sources import sources_rows
from zonesim.briefing.text.values import level_text
from zonesim.briefing.text.words import Words
from zonesim.policy import Entry

MOST_BARS: Final = 10
MOST_SOURCES: Final = 20
MOST_MOVED: Final = 2
MATERIAL: Final = 0.02


def doubts(telling: Telling, told: Sequence[Finding]) -> Section:
    """Return what would change the findings: each at the low and the high end of the doubts that were run."""
    facts, say = telling.facts, telling.say
    known = [facts.effects[facts.lead, kpi] for kpi in _looked_at(telling, told) if (facts.lead, kpi) in facts.effects]
    first_ones = {each.kpi for each in told}
    doubted = sorted((each for each in known if each.doubtful and _matters(telling, each)), key=_moved)
    chosen = [each for each in known if each.kpi in first_ones or each in doubted[-MOST_MOVED:]]
    moved = [effect for effect in chosen if effect.moves]
    tables, charts = [], []
    for effect in moved:
        table, chart = _moves(telling, effect)
        tables.append(table)
        charts += [chart] if chart is not None else []
    title = _moved_title(telling, moved) if moved else say("brief.doubts.none")
    file = str(facts.results.provenance.get("scenario_file", facts.results.scenario))
    first = next((each.kpi for each in told if each.kpi), "")
    paragraphs = (
        [say("brief.doubts.how", command=plain(f"zonesim sources {shlex.quote(file)} --drives {first}"))]
        if first
        else []
    )
    return Section("doubts", say("brief.doubts"), title, tuple(paragraphs), tuple(charts), tuple(tables))


def _looked_at(telling: Telling, told: Sequence[Finding]) -> list[str]:
    """Return the KPIs whose doubts are told: those of the findings, and the other dwell times."""
    return list(dict.fromkeys([*(each.kpi for each in told if each.kpi), *ranked(telling.facts)]))


def _matters(telling: Telling, effect: Effect) -> bool:
    """Return whether an effect is worth a doubt: as written or at an end, `MATERIAL` of the baseline."""
    base = abs(telling.facts.value(telling.facts.baseline, effect.kpi))
    ends = [effect.difference.value, *(end for move in effect.moves for end in (move.low, move.high))]
    return any(abs(end) >= MATERIAL * base > 0 for end in ends)


def _moved(effect: Effect) -> float:
    """Return how far a doubt moves an effect at most, as a share of it."""
    size = abs(effect.difference.value)
    return max((move.spread(effect.difference) / size for move in effect.doubtful), default=0.0) if size else 0.0


def _moved_title(telling: Telling, moved: Sequence[Effect]) -> str:
    """Return which doubt moves a finding furthest, as a share of it, and whether it turns it around."""
    facts, say = telling.facts, telling.say
    doubtful = [(effect, effect.doubtful[0]) for effect in moved if effect.doubtful and _matters(telling, effect)]
    if not doubtful:
        return say("brief.doubts.small", n=len(moved))
    turned = [
        (effect, move)
        for effect in moved
        for move in effect.doubtful
        if _matters(telling, effect)
        and effect.difference.is_sure
        and any(end * effect.difference.value < 0 for end in (move.low, move.high))
    ]
    effect, move = max(turned or doubtful, key=lambda pair: _moved(pair[0]))
    kpi = facts.kpis[effect.kpi]
    low, high = (bare(end, kpi.unit) for end in (move.low, move.high))
    return say(
        "brief.doubts.turns" if turned else "brief.doubts.moves",
        doubt=plain(say.label(move.label, move.doubt)),
        what=telling.what(kpi),
        low=low,
        high=high,
        unit=telling.unit(kpi.unit, change=True),
    )


def _moves(telling: Telling, effect: Effect) -> tuple[Table, Chart | None]:
    """Return a finding at both ends of every doubt, the one that moves it furthest first, as a table and a tornado."""
    facts, say = telling.facts, telling.say
    kpi, factor = facts.kpis[effect.kpi], 100.0 if facts.kpis[effect.kpi].unit == "share" else 1.0
    moves = sorted(effect.moves, key=lambda move: -move.spread(effect.difference))
    rows: list[tuple[Cell, ...]] = []
    for move in moves:
        ends = {each.end: each for each in facts.results.beside.values() if each.doubt == move.doubt}
        texts = [
            say.quantities(say.listed(sorted({text for _, text, _ in ends[end].settings}))) if end in ends else ""
            for end in ("low", "high")
        ]
        values = [Number(end, style_of(kpi.unit), signed=True) for end in (move.low, move.high)]
        why = say.listed(dict.fromkeys(say(f"brief.tag.{reason}") for reason in move.reasons if reason))
        rows.append((plain(say.label(move.label, move.doubt)), plain(texts[0]), plain(texts[1]), *values, why))
    what, unit = telling.what(kpi), telling.unit(kpi.unit, change=True)
    columns = (
        Column(say("brief.doubt")),
        Column(say("brief.low_end")),
        Column(say("brief.high_end")),
        Column(say("brief.at_low"), "number"),
        Column(say("brief.at_high"), "number"),
        Column(say("brief.remark")),
    )
    middle = factor * effect.difference.value
    note = say("brief.moves.note", value=telling.amount(effect.difference.value, kpi.unit, change=True))
    table = Table(say("brief.moves", what=what, unit=unit), columns, tuple(rows), (note,))
    drawn = [] if not effect.doubtful else [move for move in moves if not math.isnan(move.low + move.high)][:MOST_BARS]
    if not drawn or math.isnan(middle):
        return table, None
    names = tuple(plain(say.label(move.label, move.doubt)) for move in drawn)
    series = (
        Series(say("brief.at_low"), tuple(factor * move.low for move in drawn)),
        Series(say("brief.at_high"), tuple(factor * move.high for move in drawn)),
    )
    return table, Chart(say("brief.moves", what=what, unit=unit), "ends", unit, names, series, middle)


# --- how the numbers were made


def method(telling: Telling) -> Section:
    """Return how the numbers were made, and what each arm is."""
    facts, say = telling.facts, telling.say
    results, made = facts.results, facts.results.provenance
    n = len(results.common(facts.future))
    facts_told = [
        ("run", results.run),
        ("scenario", say.label(results.scenario_label, results.scenario)),
        ("synthetic", say("brief.yes" if results.synthetic else "brief.no")),
        ("settings", say.joined(results.settings)),
        ("future", say("brief.first_future", n=len(results.futures)) if len(results.futures) > 1 else ""),
        (
            "clock",
            say("brief.clock_is", start=results.clock["start"], measure=say.quantities(results.clock["measure"])),
        ),
        ("warm_up", say.quantities(results.clock["warm_up"])),
        ("replications", say("brief.replications_are", n=n, asked=results.replications)),
        ("seed", str(results.seed)),
        ("level", say("brief.level_is", level=level_text(results.level))),
        ("luck", say("brief.luck_is")),
        ("unfinished", say.joined(facts.unfinished) or say("brief.unfinished_none")),
        ("version", say("brief.version_is", version=made.get("zonesim", ""), meaning=made.get("meaning", ""))),
        ("engine", say("brief.engine_is")),
        ("made_on", f"Python {made.get('python', platform.python_version())}"),
    ]
    rows = tuple((say(f"brief.method.{key}"), plain(text)) for key, text in facts_told if text)
    columns = (Column(say("brief.item")), Column(say("brief.content")))
    tables = [Table(say("brief.method.table"), columns, rows), _arms(telling)]
    return Section(
        "method", say("brief.method"), say("brief.method.title", n=n, seed=results.seed), (), (), tuple(tables)
    )


def _arms(telling: Telling) -> Table:
    say = telling.say
    legend = dict(telling.names.legend())
    rows = tuple(
        (
            telling.short(name),
            plain(say.joined(legend[telling.names.short(name)])) or say("brief.no_measure"),
            _own(telling, name),
        )
        for name in telling.facts.results.arms
    )
    columns = (Column(say("brief.arm")), Column(say("brief.measures")), Column(say("brief.own_changes")))
    return Table(say("brief.arms"), columns, rows)


def _own(telling: Telling, name: str) -> str:
    """Return the own changes of an arm."""
    return plain(telling.say.joined(f"{path} {text}" for path, text, _ in telling.facts.results.arms[name].edits))


# --- what is assumed


def register(telling: Telling) -> Section | None:
    """Return the assumed numbers: by source in short, one by one as an appendix; None where they cannot be read."""
    return register_of(telling.say, telling.facts.numbers)


def register_of(say: Words, numbers: Sequence[Entry]) -> Section | None:
    """Return the same of some numbers; None where there are none."""
    rows = sources_rows(numbers)
    if not rows:
        return None
    assumed = [row for row in rows if row["kind"] == "assumed"]
    counts = {kind: sum(row["kind"] == kind for row in rows) for kind in ("found", "derived", "assumed")}
    by_source: dict[str, list[dict[str, str]]] = {}
    for row in assumed:
        by_source.setdefault(plain(row["title"]) or say("brief.no_source"), []).append(row)
    most = sorted(by_source.items(), key=lambda pair: -len(pair[1]))
    short: list[tuple[Cell, ...]] = [
        (title, Number(float(len(own)), "whole"), say.listed(plain(row["path"]) for row in own[:2]))
        for title, own in most[:MOST_SOURCES]
    ]
    heads = (Column(say("brief.reason")), Column(say("brief.values"), "number"), Column(say("brief.examples")))
    left = (say("brief.more_sources", n=len(most) - MOST_SOURCES),) if len(most) > MOST_SOURCES else ()
    whole: list[tuple[Cell, ...]] = [
        (plain(row["path"]), plain(row["value"]), plain(row["title"]) or say("brief.no_source")) for row in assumed
    ]
    columns = (Column(say("brief.path")), Column(say("brief.value")), Column(say("brief.reason")))
    return Section(
        "register",
        say("brief.register"),
        say("brief.register.title", **counts),
        (say("brief.register.how"),),
        (),
        (
            Table(say("brief.register.by_source"), heads, tuple(short), left),
            Table(say("brief.register.table"), columns, tuple(whole), long=True),
        ),
    )
