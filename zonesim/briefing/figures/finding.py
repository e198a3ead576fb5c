"""Titles that tell what was found: the largest sure difference of what a figure shows, with its limits."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from zonesim.analysis import MATERIAL, Difference
from zonesim.briefing.figures.context import NOT_GIVEN, FigureContext
from zonesim.briefing.figures.style import between, number, percent
from zonesim.kpi import Kpi
from zonesim.units import UNITS

ECHO: Final = "input"

TELLING: Final = ("", "stable by hand", ECHO)
"""Tags of the effects that a title may tell, those that are results before those that echo what was edited."""


def found(context: FigureContext, kpis: Iterable[Kpi], topic: str) -> str:
    """
    Return a title: of the KPIs the difference to the baseline that is sure and largest as a share of it, in any arm; or
    that none is sure. `topic`: the title where there is nothing to compare, or something is not known.
    """
    pairs = [(arm, kpi) for kpi in kpis for arm in context.names[1:] if (arm, kpi.id) in context.effects]
    sure = [pair for pair in pairs if _is_telling(context, *pair)]
    if sure:
        return _told(context, *min(sure, key=lambda pair: _rank(context, *pair)))
    if not pairs or any(context.effects[arm, kpi.id].tag in NOT_GIVEN for arm, kpi in pairs):
        return topic
    return context.say("finding.none", topic=topic, share=percent(MATERIAL))


def _is_telling(context: FigureContext, arm: str, kpi: Kpi) -> bool:
    """Return whether an effect is no trifle, and sure among all arms together, or there is one replication alone."""
    effect = context.effects[arm, kpi.id]
    change = effect.difference
    return effect.tag in TELLING and bool(change.value) and (change.is_sure_together or math.isnan(change.low))


def _rank(context: FigureContext, arm: str, kpi: Kpi) -> tuple[bool, float]:
    return context.effects[arm, kpi.id].tag == ECHO, -context.size(arm, kpi.id)


def _told(context: FigureContext, arm: str, kpi: Kpi) -> str:
    """Return a difference as a title: of what, by how much, between which limits, with which arm."""
    say, effect = context.say, context.effects[arm, kpi.id]
    change, words, of_all = effect.difference, context.quantity(kpi), kpi.definition.scope == "all"
    if say.language == "en" and not of_all:
        words = words[:1].lower() + words[1:]
    head = words.removesuffix(say("brief.mean_end"))
    words = words if head == words else say("brief.mean_is", quantity=head)
    amount, limits = _amount(context, change, kpi.unit)
    told = say(
        f"finding.{'time' if kpi.unit in UNITS['duration'] else 'number'}.{'less' if change.value < 0 else 'more'}",
        what=words if of_all else say("brief.of", subject=context.subject_words(kpi), quantity=words),
        amount=amount,
        limits=limits,
        arm=context.arm_name(arm),
    )
    return say("finding.echo", told=told) if effect.tag == ECHO else told


def _amount(context: FigureContext, change: Difference, unit: str) -> tuple[str, str]:
    """Return the size of a difference with its unit, and its limits."""
    say, factor = context.say, 100 if unit == "share" else 1
    shown = say("brief.points") if unit == "share" else say.unit(unit)
    value, low, high = (factor * abs(each) for each in (change.value, change.low, change.high))
    if math.isnan(low):
        return say("brief.amount", value=number(value), unit=shown), say("brief.one_replication")
    told, least, most = between(value, min(low, high), max(low, high))
    return say("brief.amount", value=told, unit=shown), say("brief.limits", low=least, high=most)
