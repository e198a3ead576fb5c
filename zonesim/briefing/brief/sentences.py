"""Findings as sentences: what changed, by how much, between which limits; or that no difference can be told."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from zonesim.analysis import TOTAL, Difference, Effect
from zonesim.briefing.brief.facts import DWELL, TIMES, Facts, Telling, bare, capital, digits_of
from zonesim.kpi import Kpi

MOST: Final = 3

NOBODY: Final = 1.0
"""Seconds of mean wait below which nobody is said to wait."""

_HOURS: Final = "all.officer_hours.day"
_IN_SECONDS: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_GATE: Final = "queue_and_lane.mean"


@dataclass(frozen=True)
class Finding:
    """A sentence, and the KPI that it tells ("" for costs)."""

    text: str
    kpi: str

    @classmethod
    def of(cls, text: str, kpi: str) -> Finding:
        """Return a finding that begins with a large letter."""
        return cls(capital(text), kpi)


def findings(telling: Telling) -> tuple[Finding, ...]:
    """
    Return what is to be known first, of the arm with most measures: how long goods stay, the gate, control, and where
    one of these is not told the work of officers and the costs, `MOST` in all. Of one arm alone: how long goods stay.
    Of an experiment that names KPIs: these first.
    """
    facts = telling.facts
    flows = ranked(facts)
    if facts.lead == facts.baseline:
        return tuple(Finding.of(level_sentence(telling, facts.kpis[kpi]), kpi) for kpi in flows[:MOST])
    asked = [kpi for kpi in facts.asked if kpi in facts.kpis]
    topics = [flows[:1], _gates(facts)[:1], _control(facts)[:1], [_HOURS] if _HOURS in facts.kpis else []]
    chosen = list(dict.fromkeys([*asked, *(kpi for topic in topics for kpi in topic)]))[:MOST]
    told = [Finding.of(effect_sentence(telling, facts.lead, facts.kpis[kpi]), kpi) for kpi in chosen]
    if len(told) < MOST and facts.costs is not None and facts.costs.lines:
        told.append(Finding.of(cost_sentence(telling), ""))
    more = [kpi for kpi in flows[1:] if kpi not in chosen][: MOST - len(told)]
    return (*told, *(Finding.of(effect_sentence(telling, facts.lead, facts.kpis[kpi]), kpi) for kpi in more))


def ranked(facts: Facts) -> list[str]:
    """
    Return the dwell times of the flows of goods, those first whose goods together gain or lose most hours a day: what
    is not sure, or not known, comes last.
    """

    def size(kpi: str) -> tuple[int, float]:
        arrived = facts.value(facts.baseline, f"{kpi.removesuffix(DWELL)}arrived.day")
        effect = facts.effects.get((facts.lead, kpi))
        if effect is None:
            return 0, -(arrived if arrived > 0 else 0.0)
        known = effect.difference
        if math.isnan(known.value):
            return 2, 0.0
        return 0 if known.is_sure or math.isnan(known.low) else 1, -abs(known.value) * (arrived if arrived > 0 else 1.0)

    return sorted((f"{flow}.{DWELL}" for flow in facts.goods), key=size)


def _gates(facts: Facts) -> list[str]:
    """Return the times of the gates, the one that changes most first."""
    found = [f"{place}.{_GATE}" for place in facts.places("gate") if f"{place}.{_GATE}" in facts.kpis]
    return sorted(found, key=lambda kpi: -_size(facts.effects[facts.lead, kpi]))


def _size(effect: Effect) -> float:
    return 0.0 if math.isnan(effect.difference.value) else abs(effect.difference.value)


def _control(facts: Facts) -> list[str]:
    """Return what is missed of each hidden truth, the one first of which most more is missed."""
    found = [
        kpi.id
        for kpi in facts.kpis.values()
        if kpi.definition.scope == "truth" and kpi.definition.what == "missed.share"
    ]

    def worst(kpi: str) -> float:
        change = facts.effects[facts.lead, kpi].difference
        return -change.high if not math.isnan(change.high) else math.inf

    return sorted(found, key=worst)


# --- one sentence


def effect_sentence(telling: Telling, arm: str, kpi: Kpi) -> str:
    """Return what an arm does to a KPI: by how much, between which limits, from which value to which."""
    facts, say = telling.facts, telling.say
    effect = facts.effects[arm, kpi.id]
    what = telling.what(kpi)
    base, own = facts.level(facts.baseline, kpi.id), facts.level(arm, kpi.id)
    if effect.tag in {"grows", "missing", "mix"}:
        return say("brief.not_given", what=what, why=say(f"brief.tag.{effect.tag}"))
    if effect.tag == "band":
        return _band_sentence(telling, effect, kpi)
    if base is None or own is None or math.isnan(effect.difference.value):
        return say("brief.not_given", what=what, why=say("brief.tag.none"))
    if waits_nowhere(facts, kpi):
        return say("brief.nobody", what=what)
    return change_sentence(telling, what, kpi.unit, effect.difference, (base.value, own.value))


def waits_nowhere(facts: Facts, kpi: Kpi) -> bool:
    """Return whether a KPI is a wait, and nobody waits in any arm: a mean below a second."""
    if kpi.unit not in _IN_SECONDS or not kpi.definition.quantity.rpartition(".")[2].startswith("wait"):
        return False
    means = [facts.value(arm, kpi.id) for arm in facts.results.arms]
    return all(_IN_SECONDS[kpi.unit] * value < NOBODY for value in means)


def change_sentence(
    telling: Telling, what: str, unit: str, change: Difference, ends: tuple[float, float] | None = None
) -> str:
    """Return a difference as a sentence: its size and its limits, or that none can be told."""
    say = telling.say
    if change.value == change.low == change.high == 0:
        return say("brief.same", what=what)
    digits = digits_of(unit, change.value)
    if math.isnan(change.low):
        limits = say("brief.one_replication")
    elif not change.is_sure:
        return say("brief.unsure", what=what, limits=telling.between(change.low, change.high, unit))
    else:
        ordered = sorted((abs(change.low), abs(change.high)))
        limits = say("brief.limits", low=bare(ordered[0], unit, digits), high=bare(ordered[1], unit, digits))
    kind = "time" if unit in TIMES else "number"
    way = "less" if change.value < 0 else "more"
    told = say(
        f"brief.{kind}.{way}",
        what=what,
        amount=telling.amount(abs(change.value), unit, digits, change=True),
        limits=limits,
    )
    if ends is None:
        return told
    before, after = bare(ends[0], unit), telling.amount(ends[1], unit)
    return say(f"brief.ends.{way}", told=told, before=before, after=after)


def _band_sentence(telling: Telling, effect: Effect, kpi: Kpi) -> str:
    """Return what an arm does to a KPI that is known as a band: least to most, whatever nobody knows."""
    say, change, what = telling.say, effect.difference, telling.what(kpi)
    if math.isnan(change.low):
        return say("brief.not_given", what=what, why=say("brief.tag.none"))
    if change.low == change.high == 0:
        return say("brief.same", what=what)
    if change.low < 0 < change.high:
        return say("brief.band.either", what=what, limits=telling.between(change.low, change.high, kpi.unit))
    low, high = sorted((abs(change.low), abs(change.high)))
    way = "less" if change.high <= 0 else "more"
    return say(f"brief.band.{way}", what=what, limits=telling.between(low, high, kpi.unit))


def level_sentence(telling: Telling, kpi: Kpi) -> str:
    """Return the value of a KPI in the only arm with its limits."""
    facts, say = telling.facts, telling.say
    found = facts.level(facts.baseline, kpi.id)
    if found is None or math.isnan(found.value):
        return say("brief.not_given", what=telling.what(kpi), why=say("brief.tag.none"))
    limits = (
        say("brief.one_replication")
        if math.isnan(found.low)
        else say("brief.limits", low=bare(found.low, kpi.unit), high=bare(found.high, kpi.unit))
    )
    return say("brief.level", what=telling.what(kpi), amount=telling.amount(found.value, kpi.unit), limits=limits)


def cost_sentence(telling: Telling) -> str:
    """Return what all payers together pay more or less, or pay where there is one arm."""
    facts, say = telling.facts, telling.say
    assert facts.costs is not None  # noqa: S101  asked only where there are costs
    line = facts.costs.line(TOTAL)
    what = say("brief.all_payers")
    if facts.lead == facts.baseline:
        usual = line.amounts[facts.lead].usual
        limits = say("brief.limits", low=bare(usual.low, "CNY/d"), high=bare(usual.high, "CNY/d"))
        return say("brief.level", what=what, amount=telling.amount(usual.value, "CNY/d"), limits=limits)
    change = line.differences[facts.lead].usual
    if math.isnan(change.value):
        return say("brief.not_given", what=what, why=say("brief.tag.none"))
    return change_sentence(telling, what, "CNY/d", change)


def counted(telling: Telling) -> str:
    """Return of how many flows goods are through sooner, or later, with the lead arm, and how many tell nothing."""
    facts = telling.facts
    changes = list(_dwell_changes(facts))
    sooner = sum(change.high < 0 for change in changes)
    later = sum(change.low > 0 for change in changes)
    n = len(facts.goods)
    if n and n in (sooner, later):
        return telling.say("brief.dwell.all_sooner" if sooner else "brief.dwell.all_later", n=n)
    return telling.say("brief.dwell.title", n=n, sooner=sooner, later=later, unsure=n - sooner - later)


def _dwell_changes(facts: Facts) -> Iterator[Difference]:
    for flow in facts.goods:
        effect = facts.effects.get((facts.lead, f"{flow}.{DWELL}"))
        if effect is not None and not math.isnan(effect.difference.low):
            yield effect.difference
