"""The sections on what stands beside time: control, costs, and who gains or waits."""

from __future__ import annotations

import math
from typing import Final

from zonesim.analysis import ALL, GATE, YEAR, Gain
from zonesim.briefing.brief.facts import Telling, style_of
from zonesim.briefing.brief.model import Cell, Chart, Column, Number, Range, Section, Series, Table, plain
from zonesim.briefing.brief.sentences import cost_sentence, effect_sentence
from zonesim.briefing.tables.control import Told
from zonesim.briefing.tables.costs import payback_lines
from zonesim.briefing.tables.gains import group_label
from zonesim.scenario.fields import EVERYTHING

MOST_GROUPS: Final = 15

_QUANTITIES: Final = ("intercepted", "missed", "detections", "false_stops", "hours_each")
"""What is told of a hidden truth, in this order."""


def control(telling: Telling) -> Section | None:
    """Return what becomes of control, as bands over what nobody knows; None where nothing is hidden or checked."""
    facts, say = telling.facts, telling.say
    found = {
        (each.truth, each.quantity, each.arm): each
        for each in facts.control
        if each.future == facts.future and each.quantity in _QUANTITIES
    }
    if not found:
        return None
    truths = list(dict.fromkeys(truth for truth, _, _ in found))
    rows: list[tuple[Cell, ...]] = []
    for truth in truths:
        for quantity in _QUANTITIES:
            told = [found.get((truth, quantity, arm)) for arm in facts.shown]
            if not any(told):
                continue
            unit = next(each.unit for each in told if each is not None)
            rows.append(
                (
                    telling.truth(truth),
                    _in(telling, say(f"control.{quantity}"), unit),
                    *(_band(telling, each) for each in told),
                )
            )
    columns = (
        Column(say("brief.truth")),
        Column(say("brief.quantity")),
        *(Column(telling.short(arm), "range") for arm in facts.shown),
    )
    notes = (say("brief.control.note"),)
    table = Table(say("brief.control.table"), columns, tuple(rows), notes)
    return Section(
        "control",
        say("brief.control"),
        _control_title(telling),
        (say("brief.control.why"),) if any(each.low != each.high for each in found.values()) else (),
        tuple(_missed(telling, found, truth) for truth in truths if _is_known(telling, found, truth)),
        (table,),
    )


def _band(telling: Telling, told: Told | None) -> Range:
    if told is None:
        return telling.limits(math.nan, math.nan)
    return telling.limits(told.low, told.high, style_of(told.unit))


def _in(telling: Telling, name: str, unit: str) -> str:
    """Return a quantity with its unit, also a day, which its name does not tell."""
    return name if unit == "share" else telling.say("brief.head", name=name, unit=telling.unit(unit))


def _is_known(telling: Telling, found: dict[tuple[str, str, str], Told], truth: str) -> bool:
    told = [found.get((truth, "missed", arm)) for arm in telling.facts.shown]
    return all(each is not None and not math.isnan(each.low) for each in told)


def _missed(telling: Telling, found: dict[tuple[str, str, str], Told], truth: str) -> Chart:
    """Return the share that is missed, from the least to the most, arm below arm."""
    facts, say = telling.facts, telling.say
    told = [found[truth, "missed", arm] for arm in facts.shown]
    lows, highs = tuple(100 * each.low for each in told), tuple(100 * each.high for each in told)
    middles = tuple((low + high) / 2 for low, high in zip(lows, highs, strict=True))
    title = say("brief.of", subject=telling.truth(truth), quantity=say("control.missed"))
    names = tuple(telling.short(arm) for arm in facts.shown)
    known = all(low == high for low, high in zip(lows, highs, strict=True))
    series = Series(say("control.missed"), middles) if known else Series(say("control.missed"), middles, lows, highs)
    return Chart(title, "bars" if known else "band", "%", names, (series,))


def _control_title(telling: Telling) -> str:
    facts, say = telling.facts, telling.say
    if facts.lead == facts.baseline:
        return say("brief.control.levels")
    missed = [k for k in facts.kpis.values() if k.definition.scope == "truth" and k.definition.what == "missed.share"]
    told = [effect_sentence(telling, facts.lead, kpi) for kpi in missed]
    return say.joined(told) if told else say("brief.control.levels")


# --- costs


def costs(telling: Telling) -> Section | None:
    """Return what a day costs by who pays; None where nothing is paid for, or it is not known."""
    facts, say = telling.facts, telling.say
    if facts.costs is None or not facts.costs.lines:
        return None
    payers = [line for line in facts.costs.lines if line.kind != "cost"]
    alone = facts.lead == facts.baseline
    rows: list[tuple[Cell, ...]] = []
    for arm in facts.shown if alone else facts.others:
        for line in payers:
            name = plain(say.label(line.label, line.name))
            before = line.amounts[facts.baseline].usual
            if alone:
                amount = line.amounts[arm]
                limits = telling.limits(before.low, before.high, "whole")
                ends = telling.limits(amount.least, amount.most, "whole")
                rows.append(
                    (name, Number(before.value, "whole"), limits, ends, Number(YEAR * before.value / 1000, "whole"))
                )
                continue
            saving = line.differences[arm]
            change = saving.usual
            rows.append(
                (
                    telling.short(arm),
                    name,
                    Number(before.value, "whole"),
                    Number(change.value, "whole", signed=True),
                    telling.limits(change.low, change.high, "whole"),
                    telling.limits(saving.least, saving.most, "whole"),
                    Number(YEAR * change.value / 1000, "whole", signed=True),
                )
            )
    heads = [Column(say("brief.arm"))] if not alone else []
    heads += [Column(say("brief.payer")), Column(say("brief.amount_of", arm=telling.short(facts.baseline)), "number")]
    heads += [Column(say("brief.difference"), "number")] if not alone else []
    heads += [Column(say("brief.interval"), "range"), Column(say("brief.least_most"), "range")]
    heads += [Column(say("brief.per_year"), "number")]
    table = Table(say("brief.costs.table"), tuple(heads), tuple(rows), (say("brief.costs.note"),))
    paybacks = [
        plain(line) for each in facts.costs.paybacks for line in _one_language(telling, list(payback_lines(each)))
    ]
    charts = () if alone else (_savings(telling),)
    return Section("costs", say("brief.costs"), cost_sentence(telling), tuple(paybacks), charts, (table,))


def _one_language(telling: Telling, lines: list[str]) -> list[str]:
    """Return of lines that alternate between English and Chinese those of the briefing."""
    return lines[0 if telling.say.language == "en" else 1 :: 2]


def _savings(telling: Telling) -> Chart:
    """Return what each payer pays more or less with the lead arm."""
    facts, say = telling.facts, telling.say
    assert facts.costs is not None  # noqa: S101  asked only where there are costs
    payers = [line for line in facts.costs.lines if line.kind == "payer"]
    found = [line.differences[facts.lead].usual for line in payers]
    series = Series(
        telling.short(facts.lead),
        tuple(each.value for each in found),
        tuple(each.low for each in found),
        tuple(each.high for each in found),
    )
    names = tuple(plain(say.label(line.label, line.name)) for line in payers)
    title = say("brief.costs.changes", baseline=telling.arm(facts.baseline))
    return Chart(title, "bars", telling.unit("CNY/d"), names, (series,), note=say("brief.bars.note"))


# --- who gains


def gains(telling: Telling) -> Section | None:
    """Return who gains and who waits; None where there are no groups."""
    facts, say = telling.facts, telling.say
    scenario = facts.arms[facts.baseline].scenario if facts.arms else None
    own = [each for each in facts.gains if each.arm == facts.lead and each.subject == EVERYTHING]
    if scenario is None or not any(each.by != ALL for each in own):
        return None
    groups = [each for each in own if each.by not in {ALL, GATE}]
    differ, lose = [each for each in groups if each.differs], [each for each in own if each.loses]
    title = say("brief.gains.title", n=len(groups), differ=len(differ), lose=len(lose))
    told = sorted((each for each in own if each.by != ALL), key=lambda each: (not each.loses, not each.differs))
    rows = [_gain_row(telling, each) for each in [*(each for each in own if each.by == ALL), *told[:MOST_GROUPS]]]
    heads = (
        Column(say("brief.group")),
        Column(say("brief.a_day"), "number"),
        Column(say("brief.mean_of", arm=telling.short(facts.baseline)), "number"),
        Column(say("brief.mean_of", arm=telling.short(facts.lead)), "number"),
        Column(say("brief.difference"), "number"),
        Column(say("brief.interval"), "range"),
        Column(say("brief.apart"), "number"),
        Column(say("brief.interval"), "range"),
        Column(say("brief.remark")),
    )
    notes = (
        say("brief.gains.note"),
        *([say("brief.more_rows", n=len(told) - MOST_GROUPS)] if len(told) > MOST_GROUPS else []),
    )
    return Section(
        "gains", say("brief.gains"), title, (), (), (Table(say("brief.gains.table"), heads, tuple(rows), notes),)
    )


def _gain_row(telling: Telling, each: Gain) -> tuple[Cell, ...]:
    facts, say = telling.facts, telling.say
    kpi = facts.kpis[each.kpi]
    name = plain(group_label(each, facts.arms[facts.baseline].scenario, say))
    remark = say(f"brief.tag.{each.tag.replace(' ', '_')}") if each.tag else ""
    remark = say("brief.tag.worse") if each.loses else remark
    return (
        say("brief.head", name=name, unit=telling.unit(kpi.unit)),
        Number(each.cases),
        Number(each.base.value),
        Number(each.own.value),
        Number(each.difference.value, signed=True),
        telling.limits(each.difference.low, each.difference.high),
        Number(each.apart.value, signed=True),
        telling.limits(each.apart.low, each.apart.high),
        remark,
    )
