"""The KPIs that a plan has: the declarations applied to its flows, steps, gates, resources, truths and zones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from zonesim.kpi.backlog import instants
from zonesim.kpi.definitions import SCOPES, Definition, Quantity, library, quantity_of
from zonesim.kpi.scopes import Scopes, scopes_of
from zonesim.kpi.weekly import growth_weeks
from zonesim.plan import NOWHERE, Plan, WaitsFor
from zonesim.units import UNITS


@dataclass(frozen=True)
class Kpi:
    """A KPI of a plan: its id, its definition, what it is about, and its labels."""

    id: str
    definition: Definition
    subject: str
    headline: bool
    en: str
    zh: str
    own_unit: str = ""
    """The unit of an account, as the scenario calls it, and a day of it."""

    @property
    def unit(self) -> str:
        """Return the unit of the value."""
        return self.own_unit or self.definition.unit

    @property
    def stage(self) -> tuple[str, str]:
        """Return the marks between which the stage lies that it is about; "" and "" where it is about none."""
        if self.definition.kind != "stages":
            return "", ""
        head, tail = f"{self.subject}.{self.definition.quantity}.", f".{self.definition.statistic}"
        first, _, last = self.id.removeprefix(head).removesuffix(tail).partition("_to_")
        return first, last

    @property
    def bound(self) -> bool:
        """Return whether it is a bound from the traffic equations, which no run has measured."""
        return self.definition.kind == "resource load"


@dataclass(frozen=True)
class Applied:
    """A quantity that is measured of a subject, with the KPIs that tell it; those of `stages` are one a stage."""

    subject: str
    quantity: Quantity
    kpis: tuple[Kpi, ...]
    stages: tuple[str, ...] = ()
    """The marks of the way, in order."""

    @cached_property
    def ids(self) -> dict[str, str]:
        """Return the ids of the KPIs by statistic."""
        return {kpi.definition.statistic: kpi.id for kpi in self.kpis}

    @cached_property
    def form(self) -> str:
        """Return what says what is measured, such as `time`."""
        return self.quantity.rule.form

    @cached_property
    def unit(self) -> int:
        """Return the ms of the unit in which times are given."""
        return round(UNITS["duration"][self.quantity.rule.unit])


def catalogue(plan: Plan) -> tuple[Kpi, ...]:
    """Return the KPIs of a plan in the order in which they are told."""
    return tuple(kpi for each in applied(plan, scopes_of(plan)) for kpi in each.kpis)


def quantities(plan: Plan) -> tuple[Quantity, ...]:
    """
    Return what is measured of a plan: the library's quantities, and behind them those of the scenario, and those of the
    library that are told group by group.
    """
    return (
        *(each for each in library() if each.rule.by is None),
        *(quantity_of(name, rule) for name, rule in plan.names.kpis),
    )


def applied(plan: Plan, scopes: Scopes) -> tuple[Applied, ...]:
    """Return all that is measured of a plan: scope after scope, subject after subject."""
    return tuple(_Catalogue(plan, scopes).all())


class _Catalogue:
    """Applies the declarations to the scopes of one plan."""

    def __init__(self, plan: Plan, scopes: Scopes) -> None:
        self.plan = plan
        self.scopes = scopes
        groups = scopes.groups
        flows = {groups[name] for name in plan.names.source_flows}
        self.twins = {name for name, own in groups.items() if name not in plan.names.source_flows and own in flows}
        """Entries that alone use their flow: their numbers are the flow's, and are told under its name."""
        self.limited = {str(plan.names.resources[resource]) for resource in scopes.limited}
        self.units = {str(account): account.unit for account in plan.names.accounts}
        """What each account counts."""

    @cached_property
    def in_line(self) -> set[int]:
        """Return the steps at which tokens wait for units, or for each other."""
        return {
            each.step
            for each in self.plan.code
            if each.facts.waits is WaitsFor.BATCH or (each.facts.waits is WaitsFor.UNITS and each.needs)
        }

    @cached_property
    def impatient(self) -> set[int]:
        """Return the steps at which tokens may give up waiting."""
        return {each.step for each in self.plan.code if each.facts.waits is WaitsFor.UNITS and each.patience != NOWHERE}

    @cached_property
    def used_up(self) -> set[str]:
        """Return the resources whose units nobody has in hand and gives back: stocks, but for those that steps hold."""
        names = self.plan.names
        held = {resource for step in names.steps for resource in step.resources}
        return {str(names.resources[resource]) for resource in self.plan.stocks - held}

    @cached_property
    def outside(self) -> set[str]:
        """Return the zones in which nothing is ever short: those beyond the model."""
        zones = {resource.zone for resource in self.plan.names.resources}
        return zones - {name.partition(".")[0] for name in self.limited}

    @cached_property
    def broken(self) -> set[str]:
        """Return the resources whose units break down."""
        return {str(self.plan.names.resources[resource]) for resource in self.plan.breakdowns["resource"].tolist()}

    def all(self) -> Iterator[Applied]:
        """Yield what is measured."""
        names, scopes = self.plan.names, self.scopes
        found = quantities(self.plan)
        subjects: dict[str, tuple[list[str], Callable[[str, Quantity], bool]]] = {
            "flow": (list(scopes.groups), self._of_flow),
            "step": (list(scopes.steps), self._of_step),
            "gate": (list(scopes.lanes), self._of_gate),
            "resource": (sorted(self.limited), self._of_resource),
            "account": ([str(account) for account in names.accounts], _always),
            "truth": ([f"all.{truth}" for truth in scopes.truths], _always),
            "zone": (sorted({*scopes.zones, *(each.zone for each in names.resources)} - {"all"}), self._of_zone),
            "all": (["all"], self._of_all),
        }
        for scope in SCOPES:
            own = [quantity for quantity in found if quantity.scope == scope]
            called, applies = subjects[scope]
            for subject in called:
                for quantity in own:
                    if self._is_meant(subject, quantity) and applies(subject, quantity):
                        yield self._apply(subject, quantity)

    def _is_meant(self, subject: str, quantity: Quantity) -> bool:
        """Return whether a quantity is of this subject too: it names it, its flow (or step of it), or nothing."""
        if quantity.rule.terminating and not self.plan.terminates:
            return False
        if quantity.rule.recovery is not None and not self.plan.reopenings(quantity.rule.recovery.after):
            return False
        only = quantity.rule.only
        if not only or subject in only:
            return True
        head, dot, rest = subject.partition(".")
        flows = self.scopes.flows.get(head, frozenset()) if quantity.scope in {"flow", "step"} else frozenset()
        return any(f"{flow}{dot}{rest}" in only for flow in flows)

    def _of_gate(self, name: str, quantity: Quantity) -> bool:
        among = quantity.rule.share.among if quantity.rule.share is not None else None
        return among is None or any(mark.place == name and mark.name == among for mark in self.plan.names.marks)

    def _of_flow(self, name: str, quantity: Quantity) -> bool:
        if quantity.group[0] and name not in self.plan.names.source_flows:
            return False
        rule, first = quantity.rule, self.scopes.first
        if rule.time is not None:
            ends = [rule.time.to, *([rule.time.once] if rule.time.once else [])]
            return rule.time.from_ in self.scopes.marks[name] and all(first(name, marks) for marks in ends)
        if rule.stages is not None:
            return bool(self.scopes.chain(name, rule.stages.through, rule.stages.to))
        if rule.share is not None:
            return rule.share.mark in self.scopes.marks[name]
        if rule.count is not None:
            return first(name, rule.count.mark) is not None
        entries = {self.plan.names.sources[source] for source in self.scopes.groups[name]}
        return self._has_kind(quantity, entries)

    def _has_kind(self, quantity: Quantity, entries: set[str] | None = None) -> bool:
        """Return whether tokens of the kind of a quantity leave, of some entries or (None) of all."""
        kind = quantity.rule.inside.kind if quantity.rule.inside is not None else None
        return kind is None or any(
            step.kind == kind and step.is_leave and (entries is None or step.entry in entries)
            for step in self.plan.names.steps
        )

    def _of_step(self, name: str, quantity: Quantity) -> bool:
        if quantity.rule.visits == "interruption":
            return name in self.scopes.interruptions
        if quantity.rule.visits in {"gave_up", "wait_all"}:
            return not self.impatient.isdisjoint(self.scopes.steps[name])
        return True

    def _of_resource(self, name: str, quantity: Quantity) -> bool:
        if quantity.rule.resource in {"utilisation", "busy", "load"} and name in self.used_up:
            return False
        if quantity.rule.resource == "backlog":
            first, last = instants(self.plan, quantity.rule.time_of_day)
            return last > first
        return quantity.rule.resource != "availability" or name in self.broken

    def _of_zone(self, zone: str, quantity: Quantity) -> bool:
        if quantity.rule.time is not None:
            return zone not in self.outside and bool(self.scopes.pooled(zone, quantity.rule))
        return any(each.zone == zone and each.role in quantity.rule.roles() for each in self.plan.names.resources)

    def _of_all(self, subject: str, quantity: Quantity) -> bool:
        if quantity.rule.time is not None:
            return bool(self.scopes.pooled(subject, quantity.rule))
        if quantity.rule.inside is not None:
            return self._has_kind(quantity)
        if quantity.rule.run == "work":
            return growth_weeks(self.plan) is not None
        return quantity.rule.run is not None or any(
            each.role in quantity.rule.roles() for each in self.plan.names.resources
        )

    def _apply(self, subject: str, quantity: Quantity) -> Applied:
        rule = quantity.rule
        if rule.stages is None:
            kpis = [self._kpi(subject, each, f"{subject}.{each.what}") for each in quantity.definitions.values()]
            return Applied(subject, quantity, tuple(kpis))
        chain = self.scopes.chain(subject, rule.stages.through, rule.stages.to)
        (each,) = quantity.definitions.values()
        kpis = [
            self._kpi(
                subject,
                each,
                f"{subject}.{quantity.name}.{earlier}_to_{later}.{each.statistic}",
                f"{earlier} → {later}",
            )
            for earlier, later in pairwise(chain)
        ]
        return Applied(subject, quantity, tuple(kpis), chain)

    def _kpi(self, subject: str, definition: Definition, name: str, label: str = "") -> Kpi:
        extra = f" ({label})" if label else ""
        english, chinese = f"{subject}: {definition.en}{extra}", f"{subject}：{definition.zh}{extra}"
        unit = self.units.get(subject, "") if definition.scope == "account" else ""
        own = f"{unit}/d" if unit and definition.statistic == "day" else unit
        return Kpi(name, definition, subject, self._is_headline(subject, definition), english, chinese, own)

    def _is_headline(self, subject: str, definition: Definition) -> bool:
        """
        Return whether a KPI is printed without being asked for.

        Of an entry of the traffic it is, where no flow has the mark that it is said to be a headline without; and never
        where the entry alone uses its flow, whose numbers are the same.
        """
        if definition.scope in {"flow", "step"} and subject.partition(".")[0] in self.twins:
            return False
        if definition.unless:
            shown = not any(definition.unless in marks for marks in self.scopes.marks.values())
        else:
            shown = definition.headline and (definition.scope != "flow" or subject in self.plan.names.source_flows)
        if definition.scope == "step" and definition.kind == "visits wait":
            return shown and not self.in_line.isdisjoint(self.scopes.steps[subject])
        if definition.scope == "account":
            return shown and subject.partition(".")[0] not in self.outside
        return shown and (definition.scope != "gate" or subject in self.limited)


def _always(_: str, __: Quantity) -> bool:
    return True
