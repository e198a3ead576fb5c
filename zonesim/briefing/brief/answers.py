"""Briefings on what a search found: what arms carry, which is best, which numbers decide; one page, and its grounds."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from zonesim.analysis import QUANTITIES, WORK, Difference, Interval, Promise, Sensitivity
from zonesim.briefing.brief.build import WRITERS_WORDS
from zonesim.briefing.brief.facts import capital
from zonesim.briefing.brief.grounds import register_of
from zonesim.briefing.brief.model import (
    Briefing,
    Cell,
    Chart,
    Column,
    Number,
    Range,
    Section,
    Series,
    Style,
    Table,
    plain,
)
from zonesim.briefing.figures.capacity import capacity_finding
from zonesim.briefing.figures.context import FigureContext
from zonesim.briefing.figures.influence import finding, moving_of
from zonesim.briefing.tables.best import Found, certainty_text, state_text
from zonesim.briefing.tables.capacity import Carried, carries_text, promise_text
from zonesim.briefing.text.bounds import multiple_text
from zonesim.briefing.text.values import level_text
from zonesim.briefing.text.varied_words import path_words
from zonesim.kpi import Kpi
from zonesim.policy import Entry
from zonesim.version import __version__

MOST_BARS: Final = 12


@dataclass(frozen=True)
class Frame:
    """
    What stands around an answer: the words and labels (`context`), how many replications and which seed, the numbers of
    the scenario, and the command that asks again.
    """

    context: FigureContext
    replications: int
    numbers: Sequence[Entry]
    command: str


def capacity_briefing(frame: Frame, carried: Sequence[Carried], promises: Sequence[Promise]) -> Briefing:
    """Return what every arm carries: multiples of demand with their limits, what breaks first, and the bound."""
    context = frame.context
    say, arm = context.say, context.arm_name
    called = {each.name: each.called(say.language) for each in promises} | {WORK: say("capacity.work")}
    legend = [
        _ends(say("capacity.legend", arm=arm(each.arm), carries=carries_text(say, each)), each.mean, say)
        for each in carried
    ]
    rows: list[tuple[Cell, ...]] = [
        (
            arm(each.arm),
            carries_text(say, each),
            Range(each.mean.low, each.mean.high, say("brief.to")),
            Number(float(len(each.limit.multiples)), "whole"),
            say.joined(f"{called[name]} ({count})" for name, count in each.limit.breaks.items()),
            say("capacity.used", name=context.place_words(each.used.busiest), share=f"{each.used.utilisation:.0%}")
            if each.used.busiest
            else "",
            multiple_text(each.bound),
            say.listed(context.place_words(name) for name in each.bound.names),
        )
        for each in carried
    ]
    kinds: dict[str, Any] = {"n": "number"}
    heads = ("arm", "carries", "limits", "n", "breaks", "binds", "bound", "bound_by")
    columns = tuple(
        Column(
            say("brief.limits_of") if key == "limits" else say(f"capacity.{key}"),
            kinds.get(key, "range" if key == "limits" else "text"),
        )
        for key in heads
    )
    series = _series(say("capacity.carries"), [each.mean for each in carried])
    chart = Chart(
        say("capacity.figure_title"), "bars", say("answer.times"), tuple(arm(each.arm) for each in carried), (series,)
    )
    told = [say("capacity.promise", text=promise_text(say, each)) for each in promises] or [say("capacity.no_promise")]
    table = Table(say("capacity.figure_title"), columns, tuple(rows), (say("capacity.bound_note"),))
    title = capacity_finding(context, carried)
    section = Section("answer", say("answer.name"), title, tuple(told), (chart,), (table,))
    question = say("answer.capacity", name=_scenario(context))
    findings = [*([title] if len(carried) > 1 else []), *legend]
    return _briefing(frame, say("capacity.figure_title"), question, findings, section)


def best_briefing(frame: Frame, found: Found, arms: Sequence[str], probability: float) -> Briefing:
    """Return which arm is best and how sure that is, its value on runs of its own, and what became of each arm."""
    context, kpi = frame.context, found.kpi
    say, arm, style = context.say, context.arm_name, _style(found.kpi)
    unit = "%" if kpi.unit == "share" else say.unit(kpi.unit)
    what = say("about", subject=context.subject_words(kpi), quantity=context.quantity(kpi))
    findings = [say("best.none")]
    if found.choice.best and found.estimate is not None:
        own = found.estimate
        findings = [certainty_text(say, found, probability, arm)]
        value = context.limits(own.value, kpi.unit)
        findings.append(say("answer.on_own_runs", arm=arm(found.choice.best), what=what, value=value, n=own.n))
        if own.difference is not None:
            findings.append(
                say("answer.against", baseline=arm(own.baseline), value=context.limits(own.difference, kpi.unit))
            )
        findings += [say("best.unsure", arm=arm(name)) for name in found.choice.unsure]
    standings = {each.arm: each for each in found.choice.standings}
    rows: list[tuple[Cell, ...]] = []
    for name in arms:
        mean = found.mean(standings[name].mean) if name in standings else math.nan
        limits = found.means.get(name)
        ends = (limits.low, limits.high) if limits is not None else (math.nan, math.nan)
        n = float(standings[name].n) if name in standings else 0.0
        state = state_text(say, found, name, arm)
        rows.append((arm(name), Number(mean, style), Range(*ends, say("brief.to"), style), Number(n, "whole"), state))
    columns = (
        Column(say("best.arm")),
        Column(say("brief.head", name=say("best.mean"), unit=unit), "number"),
        Column(say("brief.limits_of"), "range"),
        Column(say("best.n"), "number"),
        Column(say("best.state")),
    )
    shown = [name for name in arms if name in found.means][:MOST_BARS]
    factor = 100 if kpi.unit == "share" else 1
    series = _series(say("best.mean"), [found.means[name] for name in shown], factor)
    chart = Chart(what, "bars", unit, tuple(map(arm, shown)), (series,), note=say("answer.of_search"))
    told = tuple(say("capacity.promise", text=promise_text(say, each)) for each in found.promises)
    goal = say("answer.largest" if found.largest else "answer.smallest", what=what)
    section = Section("answer", say("answer.name"), findings[0], told, (chart,), (Table(what, columns, tuple(rows)),))
    question = say("answer.best", name=_experiment(context), goal=goal)
    return _briefing(frame, say("answer.best_title", goal=goal), question, findings, section)


def sensitivity_briefing(
    frame: Frame, told: Sequence[Sensitivity], kpis: dict[str, Kpi], arm: str, baseline: str | None, count: int
) -> Briefing:
    """
    Return which doubted numbers move each KPI most, with limits: a section a KPI. `baseline`: of differences to it;
    `count`: walks or rows of the sample.
    """
    context, difference = frame.context, baseline is not None
    say = context.say
    sections, findings = [], []
    for each in told:
        kpi = kpis[each.kpi]
        title = finding(context, each, kpi, difference=difference)
        findings.append(title)
        notes = (say(f"sensitivity.{each.method}_note", walks=count, rows=count, points=each.points),)
        chart, table = _drivers(context, each, kpi, notes)
        words = say("about", subject=context.subject_words(kpi), quantity=context.quantity(kpi))
        sections.append(Section("answer", words, title, (), (chart,) if chart else (), (table,) if table else ()))
    who = context.arm_name(arm)
    who = say("against", arm=who, baseline=context.arm_name(baseline)) if baseline is not None else who
    question = say("answer.sensitivity", name=_scenario(context), arm=who)
    return _briefing(frame, say("answer.sensitivity_title"), question, findings, *sections)


def _drivers(
    context: FigureContext, told: Sensitivity, kpi: Kpi, notes: tuple[str, ...]
) -> tuple[Chart | None, Table | None]:
    """Return the numbers that move a KPI, the strongest first, as a chart and a table; none where nothing does."""
    say, lead = context.say, QUANTITIES[told.method][0]
    moving, _ = moving_of(told)
    known = [each for each in moving if not math.isnan(each.values[lead].value)]
    if not moving:
        return None, None
    share = told.method == "sobol" or kpi.unit == "share"
    factor, style = (100 if share else 1), _style(kpi) if told.method != "sobol" else "share"
    unit = "%" if share else say.unit(kpi.unit)
    title = say("about", subject=context.subject_words(kpi), quantity=context.quantity(kpi))
    drawn = [path_words(context, each.factor) for each in known[:MOST_BARS]]
    if told.method == "tornado":
        both = tuple(
            Series(say(f"sensitivity.{end}"), tuple(factor * each.values[end].value for each in known[:MOST_BARS]))
            for end in ("low", "high")
        )
        chart: Chart | None = Chart(title, "ends", unit, tuple(drawn), both, factor * told.middle.value)
        if math.isnan(told.middle.value):
            chart = None
    else:
        own = _series(say(f"sensitivity.{lead}"), [each.values[lead] for each in known[:MOST_BARS]], factor)
        chart = Chart(title, "bars", unit, tuple(drawn), (own,))
    rows: list[tuple[Cell, ...]] = [
        (
            path_words(context, each.factor),
            each.factor,
            Number(each.values[lead].value, style, signed=told.method == "tornado"),
            Range(each.values[lead].low, each.values[lead].high, say("brief.to"), style),
        )
        for each in moving
    ]
    columns = (
        Column(say("answer.number")),
        Column(say("brief.path")),
        Column(say("brief.head", name=say(f"sensitivity.{lead}"), unit=unit), "number"),
        Column(say("brief.limits_of"), "range"),
    )
    return chart if known else None, Table(title, columns, tuple(rows), notes)


def _briefing(frame: Frame, title: str, question: str, findings: Sequence[str], *sections: Section) -> Briefing:
    """Return a briefing with its method and what is assumed."""
    context = frame.context
    say = context.say
    grounds = [_method(frame), register_of(say, frame.numbers)]
    return Briefing(
        language=say.language,
        title=plain(say("about", subject=_scenario(context), quantity=title)),
        question=plain(question),
        findings=tuple(plain(capital(each) if say.language == "en" else each) for each in findings),
        sections=(*sections, *(each for each in grounds if each is not None)),
        run=context.run,
        source=say(
            "brief.source_is",
            run=context.run,
            n=frame.replications,
            seed=context.seed,
            synthetic=say("brief.synthetic") if context.scenario.synthetic else "",
        ),
        commands=(plain(frame.command),),
        words={word: say(f"brief.word.{word}", n="{n}") for word in WRITERS_WORDS} | {"again": say("answer.again")},
    )


def _method(frame: Frame) -> Section:
    """Return how the numbers were made, item by item."""
    context = frame.context
    say, told = context.say, context.scenario
    facts = [
        ("run", context.run),
        ("scenario", _scenario(context)),
        ("synthetic", say("brief.yes" if told.synthetic else "brief.no")),
        ("settings", say.joined(context.settings)),
        ("clock", say("brief.clock_is", start=told.start, measure=say.quantities(told.measure))),
        ("warm_up", say.quantities(told.warm_up)),
        ("replications", str(frame.replications)),
        ("seed", str(context.seed)),
        ("level", say("brief.level_is", level=level_text(context.comparison.level))),
        ("luck", say("brief.luck_is")),
        ("version", __version__),
        ("made_on", f"Python {platform.python_version()}"),
    ]
    rows = tuple((say(f"brief.method.{key}"), plain(text)) for key, text in facts if text)
    columns = (Column(say("brief.item")), Column(say("brief.content")))
    title = say("brief.method.title", n=frame.replications, seed=context.seed)
    return Section("method", say("brief.method"), title, (), (), (Table(say("brief.method.table"), columns, rows),))


def _scenario(context: FigureContext) -> str:
    told = context.scenario
    return plain(context.say.label(told.label, told.name))


def _experiment(context: FigureContext) -> str:
    return plain(context.experiment or _scenario(context))


def _style(kpi: Kpi) -> Style:
    return "share" if kpi.unit == "share" else "plain"


def _series(name: str, found: Sequence[Interval | Difference], factor: float = 1.0) -> Series:
    columns = ([factor * getattr(each, key) for each in found] for key in ("value", "low", "high"))
    values, lows, highs = (tuple(column) for column in columns)
    return Series(name, values, lows, highs)


def _ends(text: str, own: Interval, say: Any) -> str:  # noqa: ANN401
    """Return a text with limits behind it, where there are any."""
    if math.isnan(own.low):
        return text
    return f"{text} {say('brief.limits', low=f'×{own.low:.2f}', high=f'×{own.high:.2f}')}".replace(" （", "（")
