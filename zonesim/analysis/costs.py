"""
What a day costs, item by item and by who pays, and how soon what a measure needs pays for itself.

An amount is a figure in CNY times what KPIs count (`zonesim/library/costs.yaml`). The figures are doubted: amounts are
told with the usual ones, with an interval over replications, and with the least and the most over both ends of all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, Literal

import numpy as np

from zonesim.analysis.effects import MIX, NO_DIFFERENCE, Comparison
from zonesim.analysis.paired import Difference, Interval, Reason, interval, paired
from zonesim.experiment import Design
from zonesim.faults import Faults, Place, ScenarioFault, UnknownName, suggest
from zonesim.kpi import Kpi, RunResult
from zonesim.plan import UNLIMITED, Floats, Plan
from zonesim.policy import ResolvedArm
from zonesim.scenario import Cost, Investment, load_catalogue

YEAR: Final = 365.0
"""Days."""

TOTAL: Final = "total"

_HOURS: Final = {"s": 1 / 3600, "min": 1 / 60, "h": 1.0, "h/d": 1.0}
"""Units of KPIs that are times, in hours."""

_NUMBERS: Final = frozenset({"count", "visits all", "share"})
"""Kinds of KPIs that count who goes where: the same goods come in every arm, so these differ by what was edited."""

_DAILY: Final = frozenset({"/d", "h/d"})

Runs = Mapping[str, Sequence[RunResult]]
"""By arm, the replications that all arms have finished, in the same order."""


@dataclass(frozen=True)
class Priced:
    """A cost of an arm: the products of KPIs whose sum is paid for, each with what makes hours or pieces of it."""

    name: str
    rule: Cost
    terms: tuple[tuple[tuple[str, ...], float], ...]


@dataclass(frozen=True)
class Amount:
    """CNY a day: with the usual figures, and the `least` and the `most` over both ends of them; nan: not known."""

    usual: Interval
    least: float
    most: float


@dataclass(frozen=True)
class Saving:
    """
    The difference of an amount to the baseline, CNY a day, paired over replications, with the `least` and the `most`
    over both ends of the figures. `tag`: `input` where all that is counted only echoes edited values, `mix` where some
    of it is of goods that only one arm has.
    """

    usual: Difference
    least: float
    most: float
    tag: str


@dataclass(frozen=True)
class CostLine:
    """What is told of a cost, of all that somebody pays, or of everything: by arm, and against the baseline."""

    name: str
    kind: Literal["cost", "payer", "total"]
    payer: str
    label: Mapping[str, str]
    amounts: dict[str, Amount]
    differences: dict[str, Saving]


@dataclass(frozen=True)
class Payback:
    """
    What an arm of the measures that need it, and no others, has to buy, and how many years it takes to pay for itself
    by what all payers together save, upkeep taken off.

    `price`, `upkeep` (a year): CNY at low, usual and high figures. `years`: with usual figures, inf: never, nan: not
    known; `years_low` and `years_high` over the interval of the saving, `years_least` and `years_most` over all figures
    too. `life`: years that it lasts.
    """

    arm: str
    name: str
    label: Mapping[str, str]
    payer: str
    units: int
    zones: tuple[str, ...]
    price: tuple[float, float, float]
    upkeep: tuple[float, float, float]
    life: float
    years: float
    years_low: float
    years_high: float
    years_least: float
    years_most: float


@dataclass(frozen=True)
class Costs:
    """Costs of a comparison: lines, the consignments of a day by arm, what is bought, and names of unknown costs."""

    lines: tuple[CostLine, ...]
    consignments: dict[str, float]
    paybacks: tuple[Payback, ...]
    unknown: tuple[str, ...]

    def line(self, name: str) -> CostLine:
        """Return a line by the name of its cost or payer, or `total`; raises UnknownName."""
        known = {line.name: line for line in self.lines}
        if name not in known:
            raise UnknownName(f"no cost '{name}'", Place("cost"), suggest(name, known, "costs and payers"))
        return known[name]


# --- what is paid for


def prices_of(arms: Mapping[str, ResolvedArm], known: Iterable[Kpi]) -> dict[str, list[Priced]]:
    """
    Return the costs of each arm that there are in its scenario; raises Faults for those that name what is not there.

    `known`: the KPIs of all arms.
    """
    kpis = {kpi.id: kpi for kpi in known}
    faults: list[ScenarioFault] = []
    found: dict[str, list[Priced]] = {}
    for arm, resolved in arms.items():
        found[arm] = []
        for name, rule in resolved.scenario.costs.items():
            try:
                found[arm] += _priced(name, rule, resolved, kpis)
            except ScenarioFault as fault:
                faults.append(fault)
        faults += _strange_investments(resolved)
    if faults:
        raise Faults(list(dict.fromkeys(faults)))
    return found


def _priced(name: str, rule: Cost, resolved: ResolvedArm, kpis: Mapping[str, Kpi]) -> list[Priced]:
    """Return a cost with its KPIs, nothing where the scenario has none of what is paid for; raises ScenarioFault."""
    payers = load_catalogue().payers
    if rule.payer not in payers:
        place = resolved.world.place(("costs", name, "payer"))
        raise UnknownName(f"nobody is called '{rule.payer}'", place, suggest(rule.payer, payers, "payers"))
    told = {kpi.definition.what for kpi in kpis.values() if kpi.definition.scope == rule.scope}
    strange = next((what for what in rule.of if what not in told), None)
    library = resolved.world.place(("costs", name)).in_library
    if strange is not None:
        if library:  # of flows that the scenario has not
            return []
        place = resolved.world.place(("costs", name, "of"))
        raise UnknownName(f"no KPI '{strange}' of any {rule.scope}", place, suggest(strange, sorted(told), "KPIs"))
    terms = tuple(_terms(name, rule, resolved, kpis))
    if not terms and not library:
        place = resolved.world.place(("costs", name))
        raise ScenarioFault(f"nothing has all that cost '{name}' is told of", place, "Name other KPIs or subjects.")
    return [Priced(name, rule, terms)] if terms else []


def _terms(
    name: str, rule: Cost, resolved: ResolvedArm, kpis: Mapping[str, Kpi]
) -> Iterator[tuple[tuple[str, ...], float]]:
    """Yield the KPIs of each subject, whose product is paid for, with the hours that its unit is."""
    flows = {entry.flow for entry in resolved.scenario.traffic.values()}
    first = [kpi for kpi in kpis.values() if kpi.definition.scope == rule.scope and kpi.definition.what == rule.of[0]]
    for kpi in first:
        subject = kpi.subject
        head, _, rest = subject.partition(".")
        if rule.scope in {"flow", "step"} and head not in flows:
            continue  # an entry of the traffic, whose flow is told too
        called = rest if rule.scope == "resource" else subject
        if (rule.only and called not in rule.only) or called in rule.leave_out:
            continue
        if rule.role is not None and _role_of(resolved, head, rest) != rule.role:
            continue
        ids = tuple(f"{subject}.{what}" for what in rule.of)
        if all(each in kpis for each in ids):
            yield ids, _unit(name, rule, resolved, [kpis[each].unit for each in ids])


def _role_of(resolved: ResolvedArm, zone: str, name: str) -> str:
    """Return the role of a resource, empty without one."""
    return getattr(resolved.scenario.zones[zone].entries().get(name), "role", None) or ""


def _unit(name: str, rule: Cost, resolved: ResolvedArm, told: Sequence[str]) -> float:
    """Return how many hours, or pieces, a product of KPIs with these units is; raises ScenarioFault for other units."""
    times = [_HOURS[unit] for unit in told if unit in _HOURS]
    daily = sum(unit in _DAILY for unit in told)
    others = [unit for unit in told if unit not in {*_HOURS, *_DAILY, "share"}]
    if others or daily != 1 or len(times) != int(rule.hourly):
        place = resolved.world.place(("costs", name, "of"))
        due = "hours a day, for a `rate`" if rule.hourly else "a number a day, for a `price`"
        fault = f"{' × '.join(told)} is not {due}"
        raise ScenarioFault(fault, place, "Multiply e.g. a mean by arrived.day, or ask for visits.day.")
    return math.prod(times)


# --- what it comes to


def costs_of(design: Design, comparison: Comparison, runs: Runs) -> Costs:
    """Return what a comparison costs: every cost, every payer and the total, and paybacks; raises Faults."""
    books = _Books(design, comparison, runs, prices_of(design.resolved, design.kpis))
    lines = list(books.costs())
    payers = list(dict.fromkeys(line.payer for line in lines))
    catalogue = load_catalogue().payers
    sums = [
        books.together(payer, "payer", payer, catalogue[payer], [line for line in lines if line.payer == payer])
        for payer in payers
    ]
    total = [books.together(TOTAL, "total", "", {"en": "all together", "zh": "合计"}, lines)] if lines else []
    unknown = [line.name for line in lines if any(math.isnan(each.usual.value) for each in line.amounts.values())]
    found = (*lines, *sums, *total)
    paybacks = tuple(chain.from_iterable(books.paybacks(arm, total[0]) for arm in books.others)) if total else ()
    return Costs(found, {arm: books.consignments(arm) for arm in runs}, paybacks, tuple(unknown))


class _Books:
    """Adds up what the replications of a comparison cost."""

    def __init__(
        self, design: Design, comparison: Comparison, runs: Runs, prices: Mapping[str, Sequence[Priced]]
    ) -> None:
        self.design = design
        self.comparison = comparison
        self.runs = runs
        self.baseline = comparison.baseline
        self.others = [arm for arm in runs if arm != self.baseline]
        self.prices = {arm: {each.name: each for each in own} for arm, own in prices.items()}
        self.tags = {(effect.arm, effect.kpi): effect.tag for effect in comparison.effects}
        self.kinds = {kpi.id: kpi.definition.kind for kpi in design.kpis}
        self.days: dict[tuple[str, str], tuple[Floats, Reason]] = {}

    def costs(self) -> Iterator[CostLine]:
        """Yield a line for each cost that any arm has."""
        for name in dict.fromkeys(chain.from_iterable(self.prices.values())):
            rules = [own[name].rule for own in self.prices.values() if name in own]
            ends = {arm: own[name].rule.ends() if name in own else (0.0, 0.0, 0.0) for arm, own in self.prices.items()}
            amounts = {arm: self._amount(arm, name, ends[arm]) for arm in self.runs}
            differences = {arm: self._saving(arm, name, ends) for arm in self.others}
            label = {"en": name.replace("_", " "), "zh": name} | rules[0].label
            yield CostLine(name, "cost", rules[0].payer, label, amounts, differences)

    def together(
        self,
        name: str,
        kind: Literal["payer", "total"],
        payer: str,
        label: Mapping[str, str],
        lines: Sequence[CostLine],
    ) -> CostLine:
        """Return the sum of lines; not known where one of them is not."""
        names = [line.name for line in lines]
        daily = {arm: np.sum([self._usual(arm, each) for each in names], axis=0) for arm in self.runs}
        amounts, differences = {}, {}
        for arm in self.runs:
            reasons: list[Reason] = [line.amounts[arm].usual.reason for line in lines]
            least = sum(line.amounts[arm].least for line in lines)
            most = sum(line.amounts[arm].most for line in lines)
            amounts[arm] = Amount(self._mean(daily[arm], max(reasons, default="")), least, most)
        for arm in self.others:
            tags = {line.differences[arm].tag for line in lines if line.differences[arm].usual.value != 0}
            differences[arm] = Saving(
                self._change(daily[self.baseline], daily[arm]),
                sum(line.differences[arm].least for line in lines),
                sum(line.differences[arm].most for line in lines),
                MIX if MIX in tags else "input" if tags == {"input"} else "",
            )
        return CostLine(name, kind, payer, label, amounts, differences)

    def consignments(self, arm: str) -> float:
        """Return how many consignments arrive a day; nan where the scenario has none."""
        resolved = self.design.resolved[arm]
        flows = dict.fromkeys(entry.flow for entry in resolved.scenario.traffic.values())
        own = [flow for flow in flows if resolved.world.flow(flow).entity == "consignment"]
        columns = [self._column(arm, f"{flow}.arrived.day") for flow in own]
        return float(sum(columns, start=np.zeros(1)).mean()) if columns else math.nan

    def paybacks(self, arm: str, total: CostLine) -> Iterator[Payback]:
        """
        Yield what an arm needs that the baseline does not. The saving is that of the whole arm, so nothing is told of
        arms with other measures beside, which may have saved it.
        """
        resolved = self.design.resolved
        needing = {rule.measure for rule in resolved[arm].scenario.investments.values()}
        if not needing.issuperset(each.measure for each in resolved[arm].arm.measures):
            return
        plan = self.design.cells[arm, self.design.futures[0].name].plan
        saving = total.differences[arm]
        for name, rule in resolved[arm].scenario.investments.items():
            zones = [
                zone for zone in _zones(resolved[arm]) if _comes_to(rule, resolved[self.baseline], resolved[arm], zone)
            ]
            units = sum(_units(plan, zone, rule.role) for zone in zones)
            if not units:
                continue
            prices = [units * price for price in rule.prices()]
            upkeeps = [price * share for price, share in zip(prices, rule.upkeeps(), strict=True)]
            usual = saving.usual
            yield Payback(
                arm,
                name,
                {"en": name.replace("_", " "), "zh": name} | rule.label,
                rule.payer,
                units,
                tuple(zones),
                (prices[0], prices[1], prices[2]),
                (upkeeps[0], upkeeps[1], upkeeps[2]),
                rule.life,
                _years(prices[1], upkeeps[1], usual.value),
                _years(prices[1], upkeeps[1], usual.low),
                _years(prices[1], upkeeps[1], usual.high),
                _years(prices[0], upkeeps[0], saving.least),
                _years(prices[2], upkeeps[2], saving.most),
            )

    def _amount(self, arm: str, name: str, ends: Sequence[float]) -> Amount:
        counted, reason = self._counted(arm, name)
        low, usual, high = (counted * end for end in ends)
        return Amount(self._mean(usual, reason), float(low.mean()), float(high.mean()))

    def _saving(self, arm: str, name: str, ends: Mapping[str, Sequence[float]]) -> Saving:
        base, own = self._counted(self.baseline, name)[0], self._counted(arm, name)[0]
        changes = [own * new - base * old for old, new in zip(ends[self.baseline], ends[arm], strict=True)]
        means = [float(change.mean()) for change in changes]
        usual = self._change(base * ends[self.baseline][1], own * ends[arm][1])
        return Saving(usual, min(means), max(means), self._tag(arm, name, ends))

    def _tag(self, arm: str, name: str, ends: Mapping[str, Sequence[float]]) -> str:
        """Return `input` where figures were edited, or all KPIs that differ only echo edits."""
        if ends[arm] != ends[self.baseline]:
            return "input"
        ids = set(chain.from_iterable(ids for ids, _ in self._terms(arm, name)))
        moved = {self.tags.get((arm, kpi), "") for kpi in ids} - {"not material"}
        counted = all(self.kinds[kpi] in _NUMBERS for kpi in ids)
        return MIX if MIX in moved else "input" if counted or moved == {"input"} else ""

    def _terms(self, arm: str, name: str) -> tuple[tuple[tuple[str, ...], float], ...]:
        """Return what is paid for in an arm; what only another arm has is nothing here."""
        return self.prices[arm][name].terms if name in self.prices[arm] else ()

    def _usual(self, arm: str, name: str) -> Floats:
        """Return an amount by replication, with the usual figures."""
        price = self.prices[arm].get(name)
        return self._counted(arm, name)[0] * (price.rule.ends()[1] if price is not None else 0.0)

    def _counted(self, arm: str, name: str) -> tuple[Floats, Reason]:
        """Return what is paid for on a day, by replication (nan: not known, with the reason)."""
        if (arm, name) not in self.days:
            total = np.zeros(len(self.runs[arm]))
            reason: Reason = ""
            for ids, unit in self._terms(arm, name):
                columns = [self._column(arm, kpi) for kpi in ids]
                none = np.any([column == 0 for column in columns], axis=0)
                total = total + np.where(none, 0.0, unit * np.prod(columns, axis=0))
                reason = max([reason, *(self._reason(arm, kpi) for kpi in ids)])
            unknown = bool(reason) or bool(np.isnan(total).any())
            self.days[arm, name] = (np.full_like(total, math.nan), reason or "missing") if unknown else (total, "")
        return self.days[arm, name]

    def _reason(self, arm: str, kpi: str) -> Reason:
        found = self.comparison.arms[arm].get(kpi)
        return found.reason if found is not None else ""

    def _column(self, arm: str, kpi: str) -> Floats:
        """Return a KPI by replication; 0 where the arm has no such step or flow, so that nobody comes there."""
        if all(kpi not in run.values and kpi not in run.withheld for run in self.runs[arm]):
            return np.zeros(len(self.runs[arm]))
        return np.array([run.values.get(kpi, math.nan) for run in self.runs[arm]])

    def _mean(self, daily: Floats, reason: Reason) -> Interval:
        if np.isnan(daily).any():
            return Interval(math.nan, math.nan, math.nan, 0, reason or "missing")
        return interval(daily.tolist(), self.comparison.level)

    def _change(self, base: Floats, own: Floats) -> Difference:
        if np.isnan(base).any() or np.isnan(own).any():
            return NO_DIFFERENCE
        return paired(base.tolist(), own.tolist(), self.comparison.level)


# --- what is bought


def _strange_investments(resolved: ResolvedArm) -> Iterator[ScenarioFault]:
    catalogue = load_catalogue()
    for name, rule in resolved.scenario.investments.items():
        place = resolved.world.place(("investments", name))
        if rule.measure not in catalogue.measures:
            yield UnknownName(
                f"no measure '{rule.measure}'", place, suggest(rule.measure, catalogue.measures, "measures")
            )
        elif rule.practice not in (practices := catalogue.measures[rule.measure].practices):
            fault = f"measure {rule.measure} has no practice '{rule.practice}'"
            yield UnknownName(fault, place, suggest(rule.practice, practices, "practices"))
        if rule.payer not in catalogue.payers:
            yield UnknownName(
                f"nobody is called '{rule.payer}'", place, suggest(rule.payer, catalogue.payers, "payers")
            )


def _zones(resolved: ResolvedArm) -> list[str]:
    """Return the zones that are modelled."""
    return [name for name, zone in resolved.scenario.zones.items() if not zone.outside]


def _comes_to(rule: Investment, base: ResolvedArm, own: ResolvedArm, zone: str) -> bool:
    """Return whether more follow the practice in a zone than in the baseline."""
    name = f"{rule.measure}.{rule.practice}"
    return own.uses[name].at(zone).after > base.uses[name].at(zone).after


def _units(plan: Plan, zone: str, role: str) -> int:
    """Return the units of the resources of a zone with a role; those without limit are none."""
    found = 0
    for row, each in enumerate(plan.names.resources):
        units = plan.most_units(row)
        if each.zone == zone and each.role == role and units < UNLIMITED:
            found += units
    return found


def _years(price: float, upkeep: float, difference: float) -> float:
    """Return after how many years a price is earned by a difference of costs a day (a saving is below 0)."""
    if math.isnan(difference):
        return math.nan
    net = -YEAR * difference - upkeep
    return price / net if net > 0 else math.inf
