"""From the columns of a run to its KPIs."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.kpi.catalogue import LIBRARY_MARKS, catalogue
from zonesim.kpi.reducer import GATE_MARKS, INSPECTED, TRUTH_MARKS, Columns, Reducer, by_hour
from zonesim.plan.plan import Plan
from zonesim.plan.records import Ints, Totals, consignment_of, source_of
from zonesim.units import DAY, HOUR, MINUTE, SECOND

MOST_MISSING: Final = 0.01
"""Largest share of missing values with which a mean is still given."""

_NONE: Final = -1
LAST: Final = np.iinfo(np.int64).max
_NAN: Final = float("nan")


@dataclass(frozen=True)
class RunResult:
    """
    The numbers of one replication.

    `values`: KPI by id, nan where it is undefined or withheld. `curves`: 24 values by hour of day, nan where the window
    has no such hour or nobody came: `PLACE.queue` (tokens), `PLACE.passes` (per hour), `PLACE.wait` and `PLACE.pass`
    (s, means of those who came then and of those who have passed). 168 values by hour of the run's weeks, the
    run's first hour first: `PLACE.queue_week` (tokens) and `RESOURCE.busy_week` (units in use). `samples`: durations in
    ms of the measured tokens, `FLOW.dwell` and `PLACE.pass`, ended ones only.
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
        edges = np.array([plan.window[1]]), np.array([plan.window[0]])
        self.hours = (by_hour(edges[0]) - by_hour(edges[1])) / HOUR
        """How often each hour of the day lies in the window."""

    def result(self) -> RunResult:
        """Return all KPIs of the plan's catalogue."""
        for group, sources in self.scopes.groups.items():
            self._flow(group, np.array(sources))
        self._steps()
        for direction, place in enumerate(self.scopes.lanes):
            self._place(direction, place)
        self._resources()
        self._accounts()
        self._truths()
        leaves = [row for row, step in enumerate(self.plan.names.steps) if step.is_leave]
        self.values["all.truck_hours.day"] = self._truck_hours(leaves)
        wanted = {kpi.id: self.values.get(kpi.id, _NAN) for kpi in catalogue(self.plan)}
        return RunResult(wanted, self.curves, self.samples, self.totals.events)

    # --- flows

    def _flow(self, group: str, sources: Ints) -> None:
        times = self._milestones(sources)
        count = len(times["arrived"])
        chain = self.scopes.chains[group]
        end = self.scopes.end_mark(group)
        dwell = self._duration(f"{group}.dwell", times["arrived"], times[end], HOUR)
        self.samples[f"{group}.dwell"] = dwell
        for hours in (24, 48):
            self.values[f"{group}.dwell.within_{hours}h"] = _share(int((dwell <= hours * HOUR).sum()), count)
        if "pickup_allowed" in chain:
            self._duration(f"{group}.clearance", times["arrived"], times["pickup_allowed"], HOUR)
        if {"declared", "released"} <= set(chain):
            customs = self._duration(f"{group}.customs", times["declared"], times["released"], HOUR)
            declared = int((times["declared"] != _NONE).sum())
            self.values[f"{group}.customs.within_24h"] = _share(int((customs <= 24 * HOUR).sum()), declared)
        stages = chain[: chain.index(end) + 1]
        whole = times[end] != _NONE
        withheld = not whole.any() or whole.sum() < (1 - MOST_MISSING) * count
        told = np.array([times[mark][whole] for mark in stages])
        told[told == _NONE] = LAST
        told = np.minimum.accumulate(told[::-1])[
            ::-1
        ]  # what is not marked, or later than the next, counts with the next
        for number, (earlier, later) in enumerate(pairwise(stages)):
            spans = told[number + 1] - told[number]
            self.values[f"{group}.stage.{earlier}_to_{later}.mean"] = _NAN if withheld else float(spans.mean()) / HOUR
        if {"in_zone", "released"} <= set(chain):
            both = whole & (times["in_zone"] != _NONE) & (times["released"] != _NONE)
            missing = count - int(both.sum())
            spans = np.maximum(times["released"] - times["in_zone"], 0)[both]
            self._statistics(f"{group}.pending", spans, missing, HOUR)
        self._duration(f"{group}.stay", times["arrived"], times["left"], HOUR)
        self.values[f"{group}.inspected.rate"] = _share(int((times["inspected"] != _NONE).sum()), count)
        cohort = self.totals.cohort[sources]
        self.values[f"{group}.arrived.day"] = float((cohort[:, 1] - cohort[:, 0]).sum()) / self.days
        self.values[f"{group}.declarations.day"] = float(self.columns.declarations[sources].sum()) / self.days
        self.values[f"{group}.completed.day"] = self._completed(sources, LIBRARY_MARKS.index(end)) / self.days
        entries = {self.plan.names.sources[source] for source in sources}
        ends = [row for row, step in enumerate(self.plan.names.steps) if step.is_leave and step.entry in entries]
        own = [row for row in ends if len(self.plan.names.steps[row].path) == 1]  # children end below a step
        self.values[f"{group}.inside.mean"] = float(self.totals.at_step[own].sum()) / self.window
        self.values[f"{group}.truck_hours.day"] = self._truck_hours(ends)

    def _milestones(self, sources: Ints) -> dict[str, Ints]:
        """
        Return when each measured consignment of `sources` reached each milestone, -1 where it has not.

        The last of its tokens to reach a mark counts, so a mark is missing as long as a token may yet reach it.
        """
        position, token, time = self.columns.milestones.T
        mine = np.isin(source_of(token), sources)
        position, consignment, time = position[mine], consignment_of(token[mine]), time[mine]
        known = np.sort(consignment[position == LIBRARY_MARKS.index("arrived")])
        last = np.full((INSPECTED + 1, len(known)), _NONE, dtype=np.int64)
        np.maximum.at(last, (position, np.searchsorted(known, consignment)), time)
        late, whose = self.columns.unsettled.T
        mine = _among(whose, known)
        last[late[mine], np.searchsorted(known, whose[mine])] = _NONE
        return dict(zip((*LIBRARY_MARKS, "inspected"), last, strict=True))

    def _completed(self, sources: Ints, end: int) -> int:
        """Return how many consignments, measured or not, reach their end inside the window."""
        position, token, time = self.columns.ends.T
        mine = (position == end) & np.isin(source_of(token), sources)
        consignments, row = np.unique(consignment_of(token[mine]), return_inverse=True)
        last = np.full(len(consignments), _NONE, dtype=np.int64)
        np.maximum.at(last, row, time[mine])
        late, whose = self.columns.unsettled.T
        last[_among(consignments, np.sort(whose[late == end]))] = _NONE
        begin, close, _ = self.plan.window
        return int(((last >= begin) & (last < close)).sum())

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
        self.values[f"{name}.mean"] = _NAN if withheld else float(spans.mean()) / unit
        for statistic, q in (("median", 0.5), ("p90", 0.9), ("p95", 0.95)):
            self.values[f"{name}.{statistic}"] = quantile(spans, missing, q) / unit

    # --- steps and gates

    def _steps(self) -> None:
        step, wait, service = self.columns.visits.T
        order = np.argsort(step, kind="stable")
        self.waits, self.services = wait[order], service[order]
        self.edges = np.searchsorted(step[order], np.arange(len(self.plan.names.steps) + 1)).tolist()
        for name, rows in self.scopes.steps.items():
            waits, services, stays = self._pooled(rows)
            count = len(waits)
            self._statistics(f"{name}.wait", waits[waits != _NONE], int((waits == _NONE).sum()), MINUTE)
            missing = int((services == _NONE).sum())
            self._statistics(f"{name}.service", services[services != _NONE], missing, MINUTE)
            self._statistics(f"{name}.stay", stays[stays != _NONE], missing, MINUTE)
            self.values[f"{name}.visits.day"] = count / self.days
            gave_up = int(self.columns.gave_up[list(rows)].sum())
            self.values[f"{name}.gave_up.share"] = _share(gave_up, gave_up + count)
            self.values[f"{name}.open.share"] = _share(missing, count)
            # Nothing is missing here: who still waits when the run ends has waited.
            self.values[f"{name}.wait.share"] = _share(int((waits != 0).sum()), count)
        for name, rows in self.scopes.interruptions.items():
            waits, _, _ = self._pooled(rows)
            self._statistics(f"{name}.interrupted", waits[waits != _NONE], int((waits == _NONE).sum()), MINUTE)
            self.values[f"{name}.interruptions.day"] = len(waits) / self.days

    def _pooled(self, rows: tuple[int, ...]) -> tuple[Ints, Ints, Ints]:
        """Return waits, services and their sums (-1: not ended) of the visits of several steps together."""
        parts = [slice(self.edges[row], self.edges[row + 1]) for row in rows]
        empty = np.zeros(0, dtype=np.int64)
        waits = np.concatenate([empty, *(self.waits[part] for part in parts)])
        services = np.concatenate([empty, *(self.services[part] for part in parts)])
        return waits, services, np.where(services == _NONE, _NONE, waits + services)

    def _place(self, direction: int, place: str) -> None:
        waits, services, _ = self._pooled(self.scopes.lanes[place])
        self._statistics(f"{place}.wait", waits[waits != _NONE], int((waits == _NONE).sum()), SECOND)
        self._statistics(f"{place}.lane", services[services != _NONE], int((services == _NONE).sum()), SECOND)
        arrived, lane_left, passed, manual, stopped = self._passages(place)
        self.samples[f"{place}.pass"] = self._duration(f"{place}.pass", arrived, passed, SECOND)
        self._duration(f"{place}.queue_and_lane", arrived, lane_left, SECOND)
        count = len(arrived)
        self.values[f"{place}.exceptions.rate"] = _share(int((stopped != _NONE).sum()), count)
        self.values[f"{place}.manual.rate"] = _share(int((manual != _NONE).sum()), count)
        self.values[f"{place}.automatic.rate"] = _share(int((manual == _NONE).sum()), count)
        columns = self.columns
        self.values[f"{place}.passes.day"] = int(columns.passages[direction].sum()) / self.days
        whole = passed != _NONE
        hour = (arrived[whole] % DAY) // HOUR
        spent = np.bincount(hour, weights=(passed - arrived)[whole], minlength=24)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.curves[f"{place}.pass"] = spent / np.bincount(hour, minlength=24) / SECOND
            self.curves[f"{place}.wait"] = columns.waits[direction] / columns.waits_begun[direction] / SECOND
            self.curves[f"{place}.passes"] = columns.passages[direction] / self.hours
            self.curves[f"{place}.queue_week"] = columns.queue_week[direction]
            self.curves[f"{place}.queue"] = columns.waiting[direction] / HOUR / self.hours

    def _passages(self, place: str) -> Ints:
        """
        Return, for each passage of a gate direction by a measured token, the times of GATE_MARKS (-1: not noted);
        shape (5, passages).

        Marks of one token in one call of the gate are in order of time; each gate_arrived begins a passage.
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
        begins = np.flatnonzero(what == GATE_MARKS.index("gate_arrived"))
        passage = np.searchsorted(begins, np.arange(len(what)), side="right") - 1
        start = begins[passage] if len(begins) else passage
        own = (passage >= 0) & (scope[start] == scope) & (token[start] == token)
        found = np.full((len(GATE_MARKS), len(begins)), _NONE, dtype=np.int64)
        found[what[own], passage[own]] = time[own]
        return found

    # --- resources, truths, hours

    def _resources(self) -> None:
        for place, resource in enumerate(self.scopes.limited):
            name = self.plan.names.resources[resource]
            self.curves[f"{name}.busy_week"] = self.columns.busy_week[place]
            busy, opened = int(self.totals.busy[resource]), int(self.totals.open[resource])
            self.values[f"{name}.utilisation"] = _share(busy, opened)
            broken = int(self.totals.broken[resource])
            self.values[f"{name}.availability"] = _share(opened - broken, opened)
            self.values[f"{name}.queue.mean"] = float(self.totals.queue[resource]) / self.window
            self.values[f"{name}.queue.peak"] = float(self.totals.peak[resource])
            self.values[f"{name}.busy_hours.day"] = busy / HOUR / self.days
        officers = [row for row, resource in enumerate(self.plan.names.resources) if resource.role == "officer"]
        self.values["all.officer_hours.day"] = float(self.totals.busy[officers].sum()) / HOUR / self.days

    def _accounts(self) -> None:
        for row, name in enumerate(self.plan.names.accounts):
            credited, debited = self.columns.booked[row].tolist()
            self.values[f"{name}.level.mean"] = float(self.totals.level_time[row]) / self.window
            self.values[f"{name}.level.end"] = float(self.totals.levels[row])
            self.values[f"{name}.credited.day"] = credited / self.days
            self.values[f"{name}.debited.day"] = debited / self.days

    def _truths(self) -> None:
        truth, finding, token = self.columns.truths.T
        for number, name in enumerate(self.scopes.truths):
            checked, caught, missed, false_stop = (
                token[(truth == number) & (finding == which)] for which in range(len(TRUTH_MARKS))
            )
            found = np.unique(caught)
            passed = np.setdiff1d(missed, found)
            self.values[f"all.{name}.missed.share"] = _share(len(passed), len(passed) + len(found))
            self.values[f"all.{name}.missed.day"] = len(passed) / self.days
            self.values[f"all.{name}.caught.day"] = len(found) / self.days
            self.values[f"all.{name}.false_stops.rate"] = _share(len(false_stop), len(checked))

    def _truck_hours(self, ends: list[int]) -> float:
        """Return the hours a day that trucks spend inside, of the tokens that leave at one of the steps `ends`."""
        trucks = [row for row in ends if self.plan.names.steps[row].kind == "truck"]
        return float(self.totals.at_step[trucks].sum()) / HOUR / self.days


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
        return _NAN
    place = q * (count - 1)
    low = int(place)
    high = min(low + 1, count - 1) if place > low else low
    if high >= len(spans):
        return _NAN
    two = np.partition(spans, (low, high))[[low, high]]
    return float(two[0] + (place - low) * (two[1] - two[0]))


def _among(values: Ints, ordered: Ints) -> NDArray[np.bool_]:
    """Return which values are among ascending ones; much faster than `np.isin` where either are many."""
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    place = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return np.asarray(ordered[place] == values, dtype=bool)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else _NAN
