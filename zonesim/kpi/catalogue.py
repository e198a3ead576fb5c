"""The KPIs that a plan has: the definitions applied to its flows, steps, gates, resources and truths."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from zonesim.kpi.definitions import BY_NAME, Definition
from zonesim.plan.operations import NOWHERE, Op
from zonesim.plan.plan import UNLIMITED, Plan

LIBRARY_MARKS: Final = ("arrived", "declared", "released", "pickup_allowed", "out_of_zone", "in_zone", "usable", "left")
"""Marks of a consignment, in the order in which stages are told."""


@dataclass(frozen=True)
class Kpi:
    """A KPI of a plan: its id, its definition, what it is about, and its labels."""

    id: str
    definition: Definition
    subject: str
    headline: bool
    en: str
    zh: str

    @property
    def unit(self) -> str:
        """Return the unit of the value."""
        return self.definition.unit


@dataclass(frozen=True)
class Layout:
    """
    Which rows of a plan's tables belong to which scope.

    `groups`: flows, and entries of the traffic or the groups that they are told with, with their sources. `chains`: the
    library marks of each group, in order. `steps`: rows of the step table, and `interruptions` those of the
    interruptions of these steps. `lanes`: by gate direction, rows of the steps that hold its lanes. `limited`:
    resources that somebody may wait for. `inspected`: groups with a mark of inspection.
    """

    groups: dict[str, tuple[int, ...]]
    chains: dict[str, tuple[str, ...]]
    steps: dict[str, tuple[int, ...]]
    interruptions: dict[str, tuple[int, ...]]
    lanes: dict[str, tuple[int, ...]]
    truths: tuple[str, ...]
    limited: tuple[int, ...]
    inspected: frozenset[str]

    def end_mark(self, group: str) -> str:
        """Return the mark that ends the dwell of a flow."""
        return "usable" if "usable" in self.chains[group] else "left"


def layout(plan: Plan) -> Layout:
    """Return the scopes of a plan."""
    names = plan.names
    groups: dict[str, list[int]] = {}
    for called in (names.source_flows, names.source_groups):
        found: dict[str, list[int]] = {}
        for source, name in enumerate(called):
            found.setdefault(name, []).append(source)
        groups |= found  # an entry that is called like its flow is the only one that uses it
    groups_of: dict[str, list[str]] = {}
    for name, sources in groups.items():
        for source in sources:
            groups_of.setdefault(names.sources[source], []).append(name)
    marks: dict[str, set[str]] = {name: set() for name in groups}
    for mark in names.marks:
        for name in groups_of[mark.entry]:
            marks[name].add(mark.name)
    steps: dict[str, list[int]] = {}
    interruptions: dict[str, list[int]] = {}
    lanes: dict[str, list[int]] = {}
    places = {mark.place for mark in names.marks if mark.name == "gate_arrived"}
    for number, step in enumerate(names.steps):
        if step.is_leave:
            continue
        if step.is_interruption:
            for name in groups_of[step.entry]:
                interruptions.setdefault(f"{name}.{'.'.join(step.path[:-1])}", []).append(number)
            continue
        for name in groups_of[step.entry]:
            steps.setdefault(f"{name}.{'.'.join(step.path)}", []).append(number)
        held = set() if step.is_kept else {str(names.resources[resource]) for resource in step.resources}
        for place in held & places:  # what is kept after its block has no wait of its own
            lanes.setdefault(place, []).append(number)
    limited = [resource for resource in range(len(plan.resources)) if plan.most_units(resource) < UNLIMITED]
    truths = sorted({mark.truth for mark in names.marks if mark.truth})
    return Layout(
        groups={name: tuple(sources) for name, sources in groups.items()},
        chains={name: tuple(mark for mark in LIBRARY_MARKS if mark in marks[name]) for name in groups},
        steps={name: tuple(rows) for name, rows in steps.items()},
        interruptions={name: tuple(rows) for name, rows in interruptions.items()},
        lanes={name: tuple(lanes.get(name, ())) for name in sorted(places)},
        truths=tuple(truths),
        limited=tuple(limited),
        inspected=frozenset(name for name in groups if "inspected" in marks[name]),
    )


def catalogue(plan: Plan) -> tuple[Kpi, ...]:
    """Return the KPIs of a plan in the order in which they are told."""
    return tuple(_Teller(plan).tell())


class _Teller:
    """Applies the definitions to the scopes of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.scopes = layout(plan)
        groups = self.scopes.groups
        flows = {groups[name] for name in plan.names.source_flows}
        self.twins = {name for name, own in groups.items() if name not in plan.names.source_flows and own in flows}
        """Entries that alone use their flow: their numbers are the flow's, and are told under its name."""
        self.library = any("usable" in chain for chain in self.scopes.chains.values())
        self.limited = {str(plan.names.resources[resource]) for resource in self.scopes.limited}
        self.in_line = {
            step
            for op, step, _, needs in plan.program[["op", "step", "a", "b"]].tolist()
            if op == Op.GATHER or (op == Op.SEIZE and needs)
        }
        self.impatient = {row[1] for row in plan.program.tolist() if row[0] == Op.SEIZE and row[6] != NOWHERE}
        self.found: list[Kpi] = []

    def tell(self) -> list[Kpi]:
        """Return the KPIs: flows, steps, gates, resources, accounts, truths, everything."""
        for name in self.scopes.groups:
            self._flow(name)
        for name in self.scopes.steps:
            for what in (
                "wait.mean",
                "wait.p95",
                "wait.share",
                "service.mean",
                "stay.mean",
                "visits.day",
                "open.share",
            ):
                waits = (
                    what == "wait.mean" and not self.library and not self.in_line.isdisjoint(self.scopes.steps[name])
                )
                self._add("step", what, name, shown=waits)
            if not self.impatient.isdisjoint(self.scopes.steps[name]):
                self._add("step", "gave_up.share", name)
                self._add("step", "wait_all.mean", name)
            if name in self.scopes.interruptions:
                self._add("step", "interruptions.day", name)
                self._add("step", "interrupted.mean", name)
        for name in self.scopes.lanes:
            for definition in BY_NAME.values():
                if definition.scope == "place":
                    self._add("place", definition.what, name, shown=definition.headline and name in self.limited)
        broken = {str(self.plan.names.resources[resource]) for resource in self.plan.breakdowns["resource"].tolist()}
        for name in sorted(self.limited):
            if name in broken:
                self._add("resource", "availability", name)
            for what in ("utilisation", "queue.mean", "queue.peak", "busy_hours.day", "load"):
                self._add("resource", what, name, shown=True if what == "queue.mean" and not self.library else None)
        for account in self.plan.names.accounts:
            for what in ("level.mean", "level.end", "credited.day", "debited.day"):
                self._add("account", what, str(account))
        for truth in self.scopes.truths:
            for what in ("missed.share", "missed.day", "caught.share", "caught.day", "cases.day", "false_stops.rate"):
                self._add("truth", what, f"all.{truth}")
        if any(resource.role == "officer" for resource in self.plan.names.resources):
            self._add("all", "officer_hours.day", "all")
        if any(step.kind == "truck" and step.is_leave for step in self.plan.names.steps):
            self._add("all", "truck_hours.day", "all")
        return self.found

    def _add(self, scope: str, what: str, subject: str, *, shown: bool | None = None, label: str = "") -> None:
        definition = BY_NAME[scope, "stage" if what.startswith("stage.") else what]
        headline = definition.headline if shown is None else shown
        if scope in {"flow", "step"} and subject.partition(".")[0] in self.twins:
            headline = False
        extra = f" ({label})" if label else ""
        english, chinese = f"{subject}: {definition.en}{extra}", f"{subject}：{definition.zh}{extra}"
        self.found.append(Kpi(f"{subject}.{what}", definition, subject, headline, english, chinese))

    def _flow(self, name: str) -> None:
        whole = name in self.plan.names.source_flows
        chain = self.scopes.chains[name]
        end = self.scopes.end_mark(name)
        statistics = [definition.what for definition in BY_NAME.values() if definition.what.startswith("dwell.")]
        if "pickup_allowed" in chain:
            statistics += ["clearance.mean", "clearance.p95"]
        if {"declared", "released"} <= set(chain):
            statistics += ["customs.mean", "customs.p95", "customs.within_24h"]
        if "declared" in chain:
            statistics.append("declarations.day")
        if {"in_zone", "released"} <= set(chain):
            statistics.append("pending.mean")
        if name in self.scopes.inspected:
            statistics.append("inspected.rate")
        for what in statistics:
            self._add("flow", what, name, shown=None if whole else False)
        for earlier, later in pairwise(chain[: chain.index(end) + 1]):
            self._add("flow", f"stage.{earlier}_to_{later}.mean", name, label=f"{earlier} → {later}")
        for what in ("stay.mean", "stay.p95", "stay.missing", "inside.mean", "arrived.day", "completed.day"):
            own = what in {"stay.mean", "inside.mean"} and not self.library
            self._add("flow", what, name, shown=own or (what == "completed.day" and whole))
        entries = {self.plan.names.sources[source] for source in self.scopes.groups[name]}
        if any(step.kind == "truck" and step.is_leave and step.entry in entries for step in self.plan.names.steps):
            self._add("flow", "truck_hours.day", name)
