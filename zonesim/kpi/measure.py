"""From the columns of a run to its KPIs."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.kpi.catalogue import LIBRARY_MARKS, catalogue
from zonesim.kpi.reducer import GATE_MARKS, Columns, Reducer
from zonesim.plan.plan import Plan
from zonesim.plan.records import Ints, Totals, source_of
from zonesim.units import DAY, HOUR, MINUTE, SECOND

MOST_MISSING: Final = 0.01
"""Largest share of missing values with which a mean is still given."""

_NONE: Final = -1


@dataclass(frozen=True)
class RunResult:
    """
    The numbers of one replication.

    `values`: KPI by id, nan where it is undefined or withheld. `curves`: 24 values by hour of day, `PLACE.queue`
    (tokens), `PLACE.pass` (s),
    `PLACE.passes` (per hour). `samples`: durations in ms of the measured tokens, `FLOW.dwell` and `PLACE.pass`,
    ended ones only.
    """

    values: dict[str, float]
    curves: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    samples: dict[str, Ints] = field(default_factory=dict)
    events: int = 0


class Measurement:
    """Computes the KPIs of one run."""

    def __init__(self, plan: Plan, reducer: Reducer, totals: Totals, loads: dict[str, float]) -> None:
        self.plan = plan
        self.scopes = reducer.scopes
        self.columns: Columns = reducer.finish(totals)
        self.totals = totals
        self.window = int(plan.window[1] - plan.window[0])
        self.days = self.window / DAY
        self.values: dict[str, float] = {f"{name}.load": load for name, load in loads.items()}
        self.curves: dict[str, NDArray[np.float64]] = {}
        self.samples: dict[str, Ints] = {}
        self.cohort = totals.cohort[:, 1] - totals.cohort[:, 0]

    def result(self) -> RunResult:
        """Return all KPIs of the plan's catalogue."""
        for group, sources in self.scopes.groups.items():
            self._flow(group, np.array(sources))
        self._steps()
        for place in self.scopes.lanes:
            self._place(place)
        self._resources()
        self._truths()
        self._truck_hours()
        wanted = {kpi.id: self.values.get(kpi.id, float("nan")) for kpi in catalogue(self.plan)}
        return RunResult(wanted, self.curves, self.samples, self.totals.events)

    # --- flows

    def _flow(self, group: str, sources: Ints) -> None:
        stage, consignment, time = self.columns.milestones.T
        mine = np.isin(source_of(consignment), sources)
        stage, consignment, time = stage[mine], consignment[mine], time[mine]
        arrived_mark = LIBRARY_MARKS.index("arrived")
        known = np.sort(consignment[stage == arrived_mark])
        last = np.full((len(LIBRARY_MARKS) + 1, len(known)), _NONE, dtype=np.int64)
        if len(known):
            np.maximum.at(last, (stage, np.searchsorted(known, consignment)), time)
        times = dict(zip((*LIBRARY_MARKS, "inspected"), last, strict=True))
        chain = self.scopes.chains[group]
        end = self.scopes.end_mark(group)
        dwell = self._duration(f"{group}.dwell", times["arrived"], times[end], HOUR)
        self.samples[f"{group}.dwell"] = dwell
        for hours in (24, 48):
            self.values[f"{group}.dwell.within_{hours}h"] = _share(int((dwell <= hours * HOUR).sum()), len(known))
        if "pickup_allowed" in chain:
            self._duration(f"{group}.clearance", times["arrived"], times["pickup_allowed"], HOUR)
        if {"declared", "released"} <= set(chain):
            customs = self._duration(f"{group}.customs", times["declared"], times["released"], HOUR)
            self.values[f"{group}.customs.within_24h"] = _share(int((customs <= 24 * HOUR).sum()), len(known))
        done = times[end] != _NONE
        stages = chain[: chain.index(end) + 1]
        for earlier, later in pairwise(stages):
            both = done & (times[earlier] != _NONE) & (times[later] != _NONE)
            spans = (times[later] - times[earlier])[both]
            withheld = not both.any() or both.sum() < (1 - MOST_MISSING) * len(known)
            self.values[f"{group}.stage.{earlier}_to_{later}.mean"] = float("nan") if withheld else spans.mean() / HOUR
        self._duration(f"{group}.stay", times["arrived"], times["left"], HOUR)
        self.values[f"{group}.inspected.rate"] = _share(int((times["inspected"] != _NONE).sum()), len(known))
        self.values[f"{group}.arrived.day"] = float(self.cohort[sources].sum()) / self.days
        inside = [
            number
            for number, step in enumerate(self.plan.names.steps)
            if step.is_leave and step.path == ("left",) and self.plan.names.sources.index(step.entry) in sources
        ]
        self.values[f"{group}.inside.mean"] = float(self.totals.at_step[inside].sum()) / self.window
        self.values[f"{group}.completed.day"] = self._completed(group, sources) / self.days

    def _completed(self, group: str, sources: Ints) -> float:
        """Return how many end marks fall into the window, of all consignments, measured or not."""
        marks = [
            number
            for number, mark in enumerate(self.plan.names.marks)
            if mark.name == self.scopes.end_mark(group) and self.plan.names.sources.index(mark.entry) in sources
        ]
        return float(self.columns.in_window[marks].sum())

    def _duration(self, name: str, begin: Ints, end: Ints, unit: int) -> Ints:
        """Note the statistics of durations (ms, in `unit`) that the catalogue may ask for; return the finished ones."""
        begun = begin != _NONE
        whole = begun & (end != _NONE)
        spans = (end - begin)[whole]
        self._statistics(name, spans, int(begun.sum()) - len(spans), unit)
        return np.asarray(spans, dtype=np.int64)

    def _statistics(self, name: str, spans: Ints, missing: int, unit: int) -> None:
        count = len(spans) + missing
        self.values[f"{name}.missing"] = _share(missing, count)
        withheld = count == 0 or missing > MOST_MISSING * count
        self.values[f"{name}.mean"] = float("nan") if withheld else float(spans.mean()) / unit
        for statistic, q in (("median", 0.5), ("p90", 0.9), ("p95", 0.95)):
            self.values[f"{name}.{statistic}"] = quantile(spans, missing, q) / unit

    # --- steps and gates

    def _steps(self) -> None:
        step, wait, service = self.columns.visits.T
        order = np.argsort(step, kind="stable")
        step, wait, service = step[order], wait[order], service[order]
        edges = np.searchsorted(step, np.arange(len(self.plan.names.steps) + 1))
        self.waits = [wait[edges[row] : edges[row + 1]] for row in range(len(self.plan.names.steps))]
        self.services = [service[edges[row] : edges[row + 1]] for row in range(len(self.plan.names.steps))]
        for name, rows in self.scopes.steps.items():
            waits, services, still = self._pooled(rows)
            count = len(waits) + still
            withheld = count == 0 or still > MOST_MISSING * count
            nan = float("nan")
            self.values[f"{name}.visits.day"] = count / self.days
            self.values[f"{name}.open.share"] = _share(still, count)
            self.values[f"{name}.wait.mean"] = nan if withheld else float(waits.mean()) / MINUTE
            self.values[f"{name}.wait.p95"] = quantile(waits, still, 0.95) / MINUTE
            self.values[f"{name}.wait.share"] = nan if withheld else float((waits > 0).mean())
            self.values[f"{name}.service.mean"] = nan if withheld else float(services.mean()) / MINUTE
            self.values[f"{name}.stay.mean"] = nan if withheld else float((waits + services).mean()) / MINUTE

    def _pooled(self, rows: tuple[int, ...]) -> tuple[Ints, Ints, int]:
        """Return waits, services and the number of visits not ended, of several steps together."""
        if not rows:
            empty = np.zeros(0, dtype=np.int64)
            return empty, empty, 0
        waits = np.concatenate([self.waits[row] for row in rows])
        services = np.concatenate([self.services[row] for row in rows])
        return waits, services, int(self.columns.open_visits[list(rows)].sum())

    def _place(self, place: str) -> None:
        waits, services, still = self._pooled(self.scopes.lanes[place])
        self._statistics(f"{place}.wait", waits, still, SECOND)
        self._statistics(f"{place}.lane", services, still, SECOND)
        arrived, lane_left, passed, manual, stopped = self._passages(place)
        self._statistics(f"{place}.pass", (passed - arrived)[passed != _NONE], int((passed == _NONE).sum()), SECOND)
        self.samples[f"{place}.pass"] = (passed - arrived)[passed != _NONE]
        through = lane_left != _NONE
        self._statistics(f"{place}.queue_and_lane", (lane_left - arrived)[through], int((~through).sum()), SECOND)
        count = len(arrived)
        self.values[f"{place}.passes.day"] = count / self.days
        self.values[f"{place}.exceptions.rate"] = _share(int(stopped.sum()), count)
        self.values[f"{place}.manual.rate"] = _share(int(manual.sum()), count)
        self.values[f"{place}.automatic.rate"] = _share(count - int(manual.sum()), count)
        hour = (arrived % DAY) // HOUR
        times = np.where(passed == _NONE, np.nan, (passed - arrived) / SECOND)
        whole = ~np.isnan(times)
        counted = np.bincount(hour[whole], minlength=24)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.curves[f"{place}.pass"] = np.bincount(hour[whole], weights=times[whole], minlength=24) / counted
        self.curves[f"{place}.passes"] = np.bincount(hour, minlength=24) / self.days
        self.curves[f"{place}.queue"] = self.columns.waiting[place] / (self.window / 24)

    def _passages(self, place: str) -> tuple[Ints, Ints, Ints, NDArray[np.bool_], NDArray[np.bool_]]:
        """
        Return each passage of a gate direction: gate_arrived, lane_left, gate_passed (-1: not yet), manual and stopped.

        Marks of one token at one gate are in order of time; each gate_arrived begins a passage.
        """
        names = self.plan.names.marks
        scopes: dict[tuple[str, tuple[str, ...]], int] = {}
        scope_of = np.full(len(names), _NONE, dtype=np.int64)
        what_of = np.full(len(names), _NONE, dtype=np.int64)
        for number, mark in enumerate(names):
            if mark.place == place and mark.name in GATE_MARKS:
                scope_of[number] = scopes.setdefault((mark.entry, mark.scope), len(scopes))
                what_of[number] = GATE_MARKS.index(mark.name)
        mark, token, time = self.columns.gates.T
        mine = scope_of[mark] != _NONE
        scope, what, token, time = scope_of[mark[mine]], what_of[mark[mine]], token[mine], time[mine]
        order = np.lexsort((np.arange(len(time)), token, scope))
        scope, what, token, time = scope[order], what[order], token[order], time[order]
        begins = what == GATE_MARKS.index("gate_arrived")
        passage = np.cumsum(begins) - 1
        count = int(begins.sum())
        found = np.full((len(GATE_MARKS), count), _NONE, dtype=np.int64)
        found[what, passage] = time
        return found[0], found[1], found[2], found[3] != _NONE, found[4] != _NONE

    # --- resources, truths, hours

    def _resources(self) -> None:
        officers = 0.0
        for resource in self.scopes.limited:
            name = self.plan.names.resources[resource]
            busy, opened = int(self.totals.busy[resource]), int(self.totals.open[resource])
            self.values[f"{name}.utilisation"] = _share(busy, opened)
            self.values[f"{name}.queue.mean"] = float(self.totals.queue[resource]) / self.window
            self.values[f"{name}.queue.peak"] = float(self.totals.peak[resource])
            self.values[f"{name}.busy_hours.day"] = busy / HOUR / self.days
            officers += busy if name.role == "officer" else 0
        self.values["all.officer_hours.day"] = officers / HOUR / self.days

    def _truths(self) -> None:
        mark, token, _ = self.columns.truths.T
        names = np.array([name.name for name in self.plan.names.marks])
        for truth in self.scopes.truths:
            wanted = {
                what: token[names[mark] == f"{truth}.{what}"] for what in ("checked", "caught", "missed", "false_stop")
            }
            caught = np.unique(wanted["caught"])
            missed = np.setdiff1d(wanted["missed"], caught)
            self.values[f"all.{truth}.missed.share"] = _share(len(missed), len(missed) + len(caught))
            self.values[f"all.{truth}.missed.day"] = len(missed) / self.days
            self.values[f"all.{truth}.caught.day"] = len(caught) / self.days
            self.values[f"all.{truth}.false_stops.rate"] = _share(len(wanted["false_stop"]), len(wanted["checked"]))

    def _truck_hours(self) -> None:
        hours: dict[str, float] = {}
        for number, step in enumerate(self.plan.names.steps):
            if step.is_leave and step.kind == "truck":
                spent = float(self.totals.at_step[number]) / HOUR / self.days
                for name in {"all", step.flow, step.entry}:
                    hours[name] = hours.get(name, 0.0) + spent
        for name, spent in hours.items():
            self.values[f"{name}.truck_hours.day"] = spent


def measure(plan: Plan, reducer: Reducer, totals: Totals, loads: dict[str, float]) -> RunResult:
    """Return the KPIs of a run whose blocks `reducer` has taken; `loads` holds the load of each resource by name."""
    return Measurement(plan, reducer, totals, loads).result()


def quantile(spans: Ints, missing: int, q: float) -> float:
    """
    Return the type 7 quantile of `spans` and `missing` values longer than all of them; nan when it falls among the
    missing.
    """
    count = len(spans) + missing
    if count == 0:
        return float("nan")
    place = q * (count - 1)
    low = int(place)
    high = min(low + 1, count - 1) if place > low else low
    if high >= len(spans):
        return float("nan")
    two = np.partition(spans, (low, high))[[low, high]]
    return float(two[0] + (place - low) * (two[1] - two[0]))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
