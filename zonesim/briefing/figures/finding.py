"""Titles that tell what was found: the largest sure difference of what a figure shows, with its limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from zonesim.analysis import MATERIAL, Difference, Point, together
from zonesim.briefing.figures.context import NOT_GIVEN, FigureContext
from zonesim.briefing.figures.style import between, number, percent
from zonesim.kpi import Kpi
from zonesim.units import UNITS

ECHO: Final = "input"
FAINT: Final = "not material"

TELLING: Final = ("", "stable by hand", ECHO)
"""Tags of the effects that a title may tell, those that are results before those that echo what was edited."""


@dataclass(frozen=True)
class Change:
    """
    A difference that a title may tell, all in words but the numbers: what an arm changes, of what (`subject`, empty:
    of all), in a `unit`, against a value of the baseline, with its tag. `where`: at which values of what is varied.
    """

    arm: str
    subject: str
    quantity: str
    unit: str
    difference: Difference
    base: float
    tag: str
    where: str = ""

    @property
    def size(self) -> float:
        """Return how large it is, as a share of the baseline."""
        return abs(self.difference.value) / abs(self.base) if self.base else 0.0

    @property
    def is_telling(self) -> bool:
        """Return whether it is no trifle, and sure among all arms together, or there is one replication alone."""
        change = self.difference
        return self.tag in TELLING and bool(change.value) and (change.is_sure_together or math.isnan(change.low))


def found(context: FigureContext, kpis: Iterable[Kpi], topic: str, arms: Sequence[str] = ()) -> str:
    """
    Return a title: of the KPIs the difference to the baseline that is sure and largest as a share of it, in any of the
    arms (empty: all); or that none is sure. `topic`: the title where there is nothing to compare, or something is not
    known.
    """
    pairs = [(arm, kpi) for kpi in kpis for arm in arms or context.names[1:] if (arm, kpi.id) in context.effects]
    return told(context, [_change(context, *pair) for pair in pairs], topic)


def found_at(context: FigureContext, points: Iterable[tuple[Kpi, Point, str, str]], topic: str) -> str:
    """
    Return the same of points of an experiment: each with its KPI, the name of its arm, and where it is. What counts is
    the size as a share of the largest baseline of its KPI: a queue that is gone where there was hardly one is less.
    """
    compared = [(*each, each[1].difference) for each in points]
    bases: dict[str, float] = {}
    for kpi, point, _, _, change in compared:
        base = 0.0 if change is None else abs(point.interval.value - change.value)
        bases[kpi.id] = max(bases.get(kpi.id, 0.0), 0.0 if math.isnan(base) else base)
    changes = [
        Change(arm, *_words(context, kpi), kpi.unit, change, bases[kpi.id], point.tag, where)
        for kpi, point, arm, where, change in compared
        if change is not None
    ]
    return told(context, changes, topic)


def told(context: FigureContext, changes: Sequence[Change], topic: str) -> str:
    """Return the largest change that is sure as a title, else that none is; see `found`."""
    sure = [each for each in changes if each.is_telling]
    if sure:
        return _told(context, min(sure, key=lambda each: (each.tag == ECHO, -each.size)))
    if not changes or any(each.tag in NOT_GIVEN or math.isnan(each.difference.value) for each in changes):
        return topic
    return context.say("finding.none", topic=topic, share=percent(MATERIAL))


def judged(context: FigureContext, change: Change) -> Change:
    """Return a change that was worked out for a figure with the limits for all arms together, and a tag for trifles."""
    arms = len(context.names) - 1
    limits = together(change.difference, arms, context.comparison.level)
    small = change.size < MATERIAL
    return replace(
        change,
        difference=replace(change.difference, arms=arms, together=limits),
        tag=FAINT if small and change.tag in TELLING else change.tag,
    )


def _change(context: FigureContext, arm: str, kpi: Kpi) -> Change:
    effect = context.effects[arm, kpi.id]
    base = context.mean(context.baseline, kpi.id)
    return Change(context.arm_name(arm), *_words(context, kpi), kpi.unit, effect.difference, base, effect.tag)


def _words(context: FigureContext, kpi: Kpi) -> tuple[str, str]:
    """Return what a KPI is about, empty where it is about all, and what it measures."""
    return "" if kpi.definition.scope == "all" else context.subject_words(kpi), context.quantity(kpi)


def _told(context: FigureContext, own: Change) -> str:
    """Return a difference as a title: of what, by how much, between which limits, with which arm, and where."""
    say, change, words = context.say, own.difference, own.quantity
    if say.language == "en" and own.subject:
        words = words[:1].lower() + words[1:]
    head = words.removesuffix(say("brief.mean_end"))
    words = words if head == words else say("brief.mean_is", quantity=head)
    amount, limits = _amount(context, change, own.unit)
    text = say(
        f"finding.{'time' if own.unit in UNITS['duration'] else 'number'}.{'less' if change.value < 0 else 'more'}",
        what=say("brief.of", subject=own.subject, quantity=words) if own.subject else words,
        amount=amount,
        limits=limits,
        arm=own.arm,
    )
    text = say("finding.at", told=text, where=own.where) if own.where else text
    return say("finding.echo", told=text) if own.tag == ECHO else text


def _amount(context: FigureContext, change: Difference, unit: str) -> tuple[str, str]:
    """Return the size of a difference with its unit, and its limits."""
    say, factor = context.say, 100 if unit == "share" else 1
    shown = say("brief.points") if unit == "share" else say.unit(unit)
    value, low, high = (factor * abs(each) for each in (change.value, change.low, change.high))
    if math.isnan(low):
        return say("brief.amount", value=number(value), unit=shown), say("brief.one_replication")
    middle, least, most = between(value, min(low, high), max(low, high))
    return say("brief.amount", value=middle, unit=shown), say("brief.limits", low=least, high=most)
