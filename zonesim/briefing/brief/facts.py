"""What a briefing is made from, and how it calls things in one language."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from zonesim.analysis import Bound, Comparison, Costs, Effect, Gain, Interval, Point
from zonesim.briefing.brief.model import Range, Style, number_text, plain
from zonesim.briefing.tables.control import Told
from zonesim.briefing.text.arm_names import ArmNames, NamedArm
from zonesim.briefing.text.words import Words
from zonesim.experiment import Results
from zonesim.kpi import Kpi, RunResult
from zonesim.policy import Entry, ResolvedArm

DWELL: Final = "dwell.mean"

TIMES: Final = frozenset({"ms", "s", "min", "h", "d"})


@dataclass(frozen=True)
class Facts:
    """
    What was found in the first future of some results.

    `arms` are those that were run, none where this version cannot read them any more: then there are no labels,
    `bounds` and `costs`. `numbers`: the register of the arm with most measures. `everything`: the measures that act in
    the scenario. `unfinished`: what failed, a line each. `original`: the command that made the results.
    `points`: what an experiment reports in all its futures, where there are several.
    """

    results: Results
    comparison: Comparison
    runs: Mapping[str, Sequence[RunResult]]
    arms: Mapping[str, ResolvedArm]
    bounds: Mapping[str, Bound]
    costs: Costs | None
    gains: Sequence[Gain]
    control: Sequence[Told]
    numbers: Sequence[Entry]
    everything: frozenset[str]
    unfinished: Sequence[str]
    original: str
    points: Sequence[Point] = ()

    @property
    def future(self) -> str:
        """Return the future that is told, the first one."""
        return next(iter(self.results.futures))

    @property
    def baseline(self) -> str:
        """Return the arm that differences are taken to."""
        return self.comparison.baseline

    @cached_property
    def lead(self) -> str:
        """Return the arm that the findings are about: the last of those with most measures, or the only one."""
        others = [name for name in self.results.arms if name != self.baseline]
        return max(reversed(others), key=lambda name: len(self.results.arms[name].chosen), default=self.baseline)

    @property
    def others(self) -> list[str]:
        """Return the arms but the baseline, the lead first."""
        rest = [name for name in self.results.arms if name not in {self.baseline, self.lead}]
        return [self.lead, *rest] if self.lead != self.baseline else []

    @property
    def shown(self) -> list[str]:
        """Return the arms that stand side by side in tables: the baseline and the lead first."""
        return [self.baseline, *self.others]

    @cached_property
    def effects(self) -> dict[tuple[str, str], Effect]:
        """Return the effects by arm and KPI."""
        return {(each.arm, each.kpi): each for each in self.comparison.effects}

    @cached_property
    def kpis(self) -> dict[str, Kpi]:
        """Return the KPIs that are compared, by id."""
        known = next(iter(self.comparison.arms.values()))
        return {name: self.results.kpis[name].kpi for name in known}

    @property
    def asked(self) -> list[str]:
        """Return the KPIs that an experiment names, in its order; none where it tells the headlines."""
        results = self.results
        named = results.reported() if results.kind == "sweep" else []
        return [] if set(named) == {name for name, kpi in results.kpis.items() if kpi.headline} else named

    def level(self, arm: str, kpi: str) -> Interval | None:
        """Return a KPI of an arm, None where there is none."""
        return self.comparison.arms[arm].get(kpi)

    def value(self, arm: str, kpi: str) -> float:
        """Return the mean of a KPI of an arm; nan where there is none."""
        found = self.level(arm, kpi)
        return math.nan if found is None or found.reason else found.value

    @cached_property
    def flows(self) -> list[str]:
        """Return the flows of the traffic, in the order of the file, that have a dwell time."""
        told = [kpi.subject for kpi in self.kpis.values() if kpi.definition.what == DWELL]
        known = self.arms.get(self.baseline)
        if known is None:
            return told
        return [str(flow) for flow in dict.fromkeys(e.flow for e in known.scenario.traffic.values()) if flow in told]

    @cached_property
    def goods(self) -> list[str]:
        """Return the flows of goods among them, which are what is asked about; all where there are none."""
        known = self.arms.get(self.baseline)
        found = [flow for flow in self.flows if known is None or known.world.flow(flow).entity == "consignment"]
        return found or self.flows

    def places(self, scope: str) -> list[str]:
        """Return the gates, or resources, of the zones that are modelled."""
        found = dict.fromkeys(kpi.subject for kpi in self.kpis.values() if kpi.definition.scope == scope)
        known = self.arms.get(self.baseline)
        zones = known.scenario.zones if known is not None else {}
        return [name for name in found if (zone := name.partition(".")[0]) not in zones or not zones[zone].outside]


class Telling:
    """How a briefing calls arms, flows, places, quantities and units in one language."""

    def __init__(self, facts: Facts, say: Words) -> None:
        self.facts = facts
        self.say = say
        arms = [NamedArm(arm.name, arm.label, arm.chosen, bool(arm.edits)) for arm in facts.results.arms.values()]
        self.names = ArmNames(say, arms, facts.everything)
        flows = {flow: self._flow(flow) for flow in facts.flows}
        counted = Counter(flows.values())
        self._flows = {
            flow: label if counted[label] == 1 else say("named", label=label, name=flow)
            for flow, label in flows.items()
        }

    def arm(self, name: str) -> str:
        """Return what an arm is called."""
        return plain(self.names.title(name))

    def short(self, name: str) -> str:
        """Return what an arm is called in few words."""
        return plain(self.names.short(name))

    def flow(self, name: str) -> str:
        """Return what a flow is called."""
        return self._flows.get(name, plain(name))

    def _flow(self, name: str) -> str:
        known = self.facts.arms.get(self.facts.baseline)
        if known is None:
            return plain(name)
        return plain(self.say.label(known.world.flow(name).label, name))

    def place(self, name: str) -> str:
        """Return what a resource or gate is called, with its zone where there are several."""
        zone, _, rest = name.partition(".")
        known = self.facts.arms.get(self.facts.baseline)
        entry = known.scenario.zones[zone].entries().get(rest) if known and zone in known.scenario.zones else None
        if known is None or entry is None:
            return plain(name)
        label = self.say.label(entry.label, rest)
        several = sum(not each.outside for each in known.scenario.zones.values()) > 1
        where = self.say.label(known.scenario.zones[zone].label, zone)
        return plain(self.say("gains.gate", zone=where, lanes=label) if several else label)

    def truth(self, name: str) -> str:
        """Return what a hidden truth is called."""
        known = self.facts.arms.get(self.facts.baseline)
        truths = known.scenario.truth if known is not None else {}
        return plain(self.say.label(truths[name].label, name) if name in truths else name)

    def subject(self, kpi: Kpi) -> str:
        """Return what a KPI is about."""
        scope = kpi.definition.scope
        if scope == "flow":
            return self.flow(kpi.subject)
        if scope in {"gate", "resource", "account"}:
            return self.place(kpi.subject)
        if scope == "truth":
            return self.truth(kpi.subject.partition(".")[2])
        return "" if scope == "all" else plain(kpi.subject)

    def quantity(self, kpi: Kpi) -> str:
        """Return what a KPI measures."""
        return plain(kpi.definition.en if self.say.language == "en" else kpi.definition.zh)

    def what(self, kpi: Kpi) -> str:
        """Return what a KPI is about and what it measures: `Transfers, mean dwell`."""
        subject, quantity = self.subject(kpi), self.quantity(kpi)
        if not subject:
            return quantity
        if self.say.language == "en":
            quantity = quantity[:1].lower() + quantity[1:]
        head, mean = quantity.removesuffix(self.say("brief.mean_end")), quantity.endswith(self.say("brief.mean_end"))
        quantity = self.say("brief.mean_is", quantity=head) if mean else quantity
        return self.say("brief.of", subject=subject, quantity=quantity)

    def unit(self, unit: str, *, change: bool = False) -> str:
        """Return a unit behind a number; `change`: of a difference, which for a share is in points."""
        if unit == "share":
            return self.say("brief.points") if change else "%"
        return plain(self.say.unit(unit))

    def head(self, name: str, unit: str) -> str:
        """Return the head of a column with its unit, where its cells or its name do not tell that."""
        return name if unit in {"share", "/d"} else self.say("brief.head", name=name, unit=self.unit(unit))

    def amount(self, value: float, unit: str, digits: int | None = None, *, change: bool = False) -> str:
        """Return a number with its unit."""
        return self.say("brief.amount", value=bare(value, unit, digits), unit=self.unit(unit, change=change))

    def limits(self, low: float, high: float, style: Style = "plain") -> Range:
        """Return limits for a cell of a table."""
        return Range(low, high, self.say("brief.to"), style)

    def between(self, low: float, high: float, unit: str) -> str:
        """Return limits as a text with the unit."""
        digits = digits_of(unit, low, high)
        return self.say("brief.from_to", low=bare(low, unit, digits), high=self.amount(high, unit, digits, change=True))


def style_of(unit: str) -> Style:
    """Return how numbers of a unit are written."""
    return "share" if unit == "share" else "plain"


def digits_of(unit: str, *values: float) -> int:
    """Return with how many digits behind the point numbers of a sentence are told, so that the largest has three."""
    factor = 100 if unit == "share" else 1
    most = max((factor * abs(value) for value in values if math.isfinite(value)), default=0.0)
    return next((digits for limit, digits in ((99.5, 0), (9.95, 1), (0.995, 2)) if most >= limit), 3)


def bare(value: float, unit: str, digits: int | None = None) -> str:
    """Return a number without its unit, a share in per cent; `digits` behind the point, without them as it deserves."""
    shown = 100 * value if unit == "share" else value
    if math.isnan(shown) or math.isinf(shown):
        return number_text(shown)
    digits = digits_of(unit, value) if digits is None else digits
    text = f"{shown:,.{digits}f}"
    return text.removeprefix("-") if not float(text.replace(",", "")) else text.replace("-", "−")


def capital(text: str) -> str:
    """Return a sentence with its first letter large."""
    return text[:1].upper() + text[1:]
