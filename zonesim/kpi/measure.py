"""From the columns of a run to its KPIs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.kpi import fold_layout as f
from zonesim.kpi.censoring import quantiles, share_within, too_many
from zonesim.kpi.consignment_table import Spans
from zonesim.kpi.fold_tables import TRUTH_MARKS
from zonesim.kpi.folding import count_within
from zonesim.kpi.reducer import Columns, Reducer, by_hour
from zonesim.plan.plan import Plan
from zonesim.plan.records import NEVER, Ints, Totals
from zonesim.units import DAY, HOUR, MINUTE, SECOND

_NAN: Final = float("nan")
_NOBODY: Final = np.zeros(0, dtype=np.int64)
_AT_A_TIME: Final = 1 << 17
"""Consignments whose times are copied at a time, where no list of all of them is asked for."""
_KNOWN: Final = ("true", "caught", "corrected")
_QUANTILES: Final = {"median": 0.5, "p90": 0.9, "p95": 0.95}


@dataclass(frozen=True)
class RunResult:
    """The numbers of one replication."""

    values: dict[str, float]
    """KPI by id, nan where it is undefined or withheld."""
    curves: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """
    24 values by hour of day, nan where the window has no such hour, nobody came or too many have not ended:
    `PLACE.queue` (tokens), `PLACE.passes` (per hour), `PLACE.wait` and `PLACE.pass` (s, means of those who came then).
    168 values by hour of the run's weeks, the run's first hour first: `PLACE.queue_week` (tokens) and
    `RESOURCE.busy_week` (units in use).
    """
    samples: dict[str, Ints] = field(default_factory=dict)
    """
    Durations in ms of the measured tokens, `FLOW.dwell` and `PLACE.pass`, ended ones only; `FLOW.dwell_open` and
    `PLACE.pass_open`, how long the others had been followed when the run ended.
    """
    events: int = 0
    withheld: dict[str, float] = field(default_factory=dict)
    """By id of a KPI or name of a curve that is withheld, the share of its cases that is missing or undecided."""


@dataclass(frozen=True, slots=True)
class Visits:
    """
    Of visits of measured tokens, ms and numbers: `started`, sums of their waits and services, how many of them are
    `open` and what these waited, how many `still` wait, how many gave up, what these waited and how many of them did,
    and how many `waited` before they started.
    """

    started: int = 0
    wait: int = 0
    service: int = 0
    open: int = 0
    open_wait: int = 0
    still: int = 0
    gave_up: int = 0
    gave_up_wait: int = 0
    gave_up_waited: int = 0
    waited: int = 0

    @property
    def all(self) -> int:
        """Return how many visits there are: with units in hand or behind them, still waiting, or given up."""
        return self.started + self.still + self.gave_up


_SUMS: Final = (
    f.COUNT,
    f.WAIT,
    f.SERVICE,
    f.OPEN,
    f.OPEN_WAIT,
    f.STILL_WAIT,
    f.GAVE_UP,
    f.GAVE_UP_WAIT,
    f.GAVE_UP_WAITED,
)


class Measurement:
    """Computes the KPIs of one run."""

    def __init__(self, plan: Plan, reducer: Reducer, totals: Totals, loads: dict[str, float]) -> None:
        self.plan = plan
        self.wanted = reducer.wanted
        self.scopes = reducer.scopes
        self.columns: Columns = reducer.finish(totals)
        self.steps = self.columns.steps.tolist()
        self.facts = list(self.columns.dossiers.facts())
        self.totals = totals
        self.window = int(plan.window[1] - plan.window[0])
        self.days = self.window / DAY
        self.horizon = int(plan.window[2])
        self.values: dict[str, float] = {f"{name}.load": load for name, load in loads.items()}
        self.withheld: dict[str, float] = {}
        self.curves: dict[str, NDArray[np.float64]] = {}
        self.samples: dict[str, Ints] = {}
        edges = np.array([plan.window[1]]), np.array([plan.window[0]])
        self.hours = (by_hour(edges[0]) - by_hour(edges[1])) / HOUR
        """How often each hour of the day lies in the window."""

    def result(self) -> RunResult:
        """Return all KPIs of the plan's catalogue."""
        for group, sources in self.scopes.groups.items():
            self._flow(group, list(sources))
        self._steps()
        for direction, place in enumerate(self.scopes.lanes):
            self._place(direction, place)
        self._resources()
        self._accounts()
        self._truths()
        leaves = [row for row, step in enumerate(self.plan.names.steps) if step.is_leave]
        self.values["all.truck_hours.day"] = self._truck_hours(leaves)
        values = {kpi.id: self.values.get(kpi.id, _NAN) for kpi in self.wanted.kpis}
        withheld = {name: share for name, share in self.withheld.items() if name in values or name in self.curves}
        return RunResult(values, self.curves, self.samples, self.totals.events, withheld)

    # --- flows

    def _flow(self, group: str, sources: list[int]) -> None:
        chain, end = self.scopes.chains[group], self.scopes.end_mark(group)
        spans = {name: self._spans(name, sources) for name in {*chain, end, "inspected", "left"}}
        ended = spans[end]
        count = len(ended)
        dwell = ended[ended > 0] - 1
        followed = self._followed(sources, ended == 0)
        self._statistics(f"{group}.dwell", dwell, followed, HOUR)
        for hours in (24, 48):
            self._within(f"{group}.dwell", hours, dwell, followed)
        self.samples[f"{group}.dwell"] = dwell.astype(np.int64)
        self.samples[f"{group}.dwell_open"] = followed
        if "pickup_allowed" in chain:
            self._since_arrival(f"{group}.clearance", sources, spans["pickup_allowed"])
        if {"declared", "released"} <= set(chain):
            self._customs(group, sources, spans["declared"], spans["released"])
        self._stages(group, chain[: chain.index(end) + 1], spans, len(dwell))
        if {"in_zone", "released"} <= set(chain):
            self._pending(group, ended, spans["in_zone"], spans["released"])
        if end == "left":
            self._copy(f"{group}.dwell", f"{group}.stay")
        else:
            self._since_arrival(f"{group}.stay", sources, spans["left"])
        seen, gone = spans["inspected"] > 0, spans["left"] > 0
        self._note(f"{group}.inspected.rate", _share(int(seen.sum()), count), int((~seen & ~gone).sum()), count)
        cohort = self.totals.cohort[sources]
        self.values[f"{group}.arrived.day"] = float((cohort[:, 1] - cohort[:, 0]).sum()) / self.days
        self.values[f"{group}.declarations.day"] = float(self.columns.declarations[sources].sum()) / self.days
        self.values[f"{group}.completed.day"] = self._completed(sources, end) / self.days
        entries = {self.plan.names.sources[source] for source in sources}
        ends = [row for row, step in enumerate(self.plan.names.steps) if step.is_leave and step.entry in entries]
        own = [row for row in ends if len(self.plan.names.steps[row].path) == 1]  # children end below a step
        self.values[f"{group}.inside.mean"] = float(self.totals.at_step[own].sum()) / self.window
        self.values[f"{group}.truck_hours.day"] = self._truck_hours(ends)

    def _spans(self, name: str, sources: list[int]) -> Spans:
        """
        Return how many ms after its arrival each measured consignment of `sources` reached a mark, plus 1 (0: not yet).

        The last of its tokens to reach a mark counts, so a mark is missing as long as a token may yet reach it.
        """
        dossiers, measured = self.columns.dossiers, self.columns.measured
        return _joined([dossiers.spans(name, source, *measured[source].tolist()) for source in sources])

    def _followed(self, sources: list[int], missing: NDArray[np.bool_]) -> Ints:
        """Return for how long (ms) the consignments of `sources` that are `missing` have been followed."""
        if not missing.any():
            return np.zeros(0, dtype=np.int64)
        dossiers, measured = self.columns.dossiers, self.columns.measured
        arrived = _joined([dossiers.when_arrived(source, *measured[source].tolist()) for source in sources])
        return np.asarray(self.horizon - arrived[missing], dtype=np.int64)

    def _customs(self, group: str, sources: list[int], declared: Spans, released: Spans) -> None:
        """Note how long declared consignments take to be released."""
        both = (declared > 0) & (released > 0)
        missing = (declared > 0) & (released == 0)
        customs = (released - declared)[both]
        followed = self._followed(sources, missing) - (declared[missing] - 1)
        self._statistics(f"{group}.customs", customs, followed, HOUR)
        self._within(f"{group}.customs", 24, customs, followed)

    def _pending(self, group: str, ended: Spans, in_zone: Spans, released: Spans) -> None:
        """
        Note how long goods are in the zone before their release. Missing are those that may yet come into the zone, and
        those in it that have no release.
        """
        known = (ended > 0) & (in_zone > 0) & (released > 0)
        pending = np.maximum(released - in_zone, 0)[known]
        missing = int(((ended == 0) | ((in_zone > 0) & (released == 0))).sum())
        self._mean(f"{group}.pending", int(pending.sum(dtype=np.int64)), len(pending), missing, HOUR)

    def _stages(self, group: str, stages: tuple[str, ...], spans: dict[str, Spans], whole: int) -> None:
        """Note the mean times between marks, over those that have reached the last one."""
        ended = spans[stages[-1]]
        sums = [0] * len(stages)
        for first in range(0, len(ended), _AT_A_TIME):
            part = slice(first, first + _AT_A_TIME)
            done = ended[part] > 0
            later = ended[part][done]
            for number in reversed(range(len(stages))):
                told = spans[stages[number]][part][done]
                # What is not marked, or later than the next, counts with the next.
                later = np.minimum(np.where(told > 0, told, later), later)
                sums[number] += int(later.sum(dtype=np.int64))
        for (earlier, since), (later_one, until) in pairwise(zip(stages, sums, strict=True)):
            name = f"{group}.stage.{earlier}_to_{later_one}.mean"
            self._note(name, (until - since) / whole / HOUR if whole else _NAN, len(ended) - whole, len(ended))

    def _completed(self, sources: list[int], end: str) -> int:
        """Return how many consignments, measured or not, reach their end inside the window."""
        begin, close, _ = self.plan.window.tolist()
        dossiers, found = self.columns.dossiers, 0
        for source in sources:
            known = int(self.columns.known[source])
            for first in range(0, known, _AT_A_TIME):
                after = min(first + _AT_A_TIME, known)
                arrivals = dossiers.when_arrived(source, first, after)
                found += count_within(arrivals, dossiers.spans(end, source, first, after), begin, close)
        return found

    def _since_arrival(self, name: str, sources: list[int], spans: Spans) -> None:
        self._statistics(name, spans[spans > 0] - 1, self._followed(sources, spans == 0), HOUR)

    def _duration(self, name: str, begin: Ints, end: Ints, unit: int) -> tuple[Ints, Ints]:
        """Note the statistics of durations (ms, in `unit`); return them, and how long the others were followed."""
        whole = end != NEVER
        spans = np.asarray((end - begin)[whole], dtype=np.int64)
        followed = np.asarray(self.horizon - begin[~whole], dtype=np.int64)
        self._statistics(name, spans, followed, unit)
        return spans, followed

    def _copy(self, one: str, other: str) -> None:
        """Note for one quantity what is known of another that is the same."""
        for what in ("missing", "mean", *_QUANTILES):
            for known in (self.values, self.withheld):
                if f"{one}.{what}" in known:
                    known[f"{other}.{what}"] = known[f"{one}.{what}"]

    def _note(self, name: str, value: float, unknown: int, count: int) -> None:
        """Note a number that `count` cases tell, or withhold it where too many of them are `unknown`."""
        withheld = too_many(unknown, count)
        self.values[name] = _NAN if withheld else value
        if withheld:
            self.withheld[name] = unknown / count

    def _statistics(self, name: str, spans: Spans, followed: Ints, unit: int) -> None:
        """Note what the catalogue asks for of spans, and of others that were `followed` without end so long (ms)."""
        self._mean(name, int(spans.sum(dtype=np.int64)), len(spans), len(followed), unit)
        self._quantiles(name, spans, 0, followed, unit)

    def _mean(self, name: str, total: int, ended: int, missing: int, unit: int) -> None:
        self.values[f"{name}.missing"] = _share(missing, ended + missing)
        self._note(f"{name}.mean", total / ended / unit if ended else _NAN, missing, ended + missing)

    def _quantiles(self, name: str, spans: Spans, zeros: int, followed: Ints, unit: int) -> None:
        asked = [what for what in _QUANTILES if f"{name}.{what}" in self.wanted.ids]
        if not asked:
            return
        found = quantiles(spans, zeros, followed, [_QUANTILES[what] for what in asked])
        for what, value in zip(asked, found, strict=True):
            self.values[f"{name}.{what}"] = value / unit
            if len(followed) and math.isnan(value):
                self.withheld[f"{name}.{what}"] = len(followed) / (zeros + len(spans) + len(followed))

    def _within(self, name: str, hours: int, spans: Spans, followed: Ints) -> None:
        """Note the share of spans of at most so many hours."""
        value, undecided = share_within(spans, followed, hours * HOUR)
        self._note(f"{name}.within_{hours}h", value, undecided, len(spans) + len(followed))

    # --- steps and gates

    def _steps(self) -> None:
        for name, rows in self.scopes.steps.items():
            visits = self._pooled(rows)
            missing = visits.open + visits.still
            self._waits(name, rows, visits, MINUTE)
            waited = visits.wait + visits.gave_up_wait
            self._mean(f"{name}.wait_all", waited, visits.started + visits.gave_up, visits.still, MINUTE)
            self._mean(f"{name}.service", visits.service, visits.started - visits.open, missing, MINUTE)
            stays = visits.wait - visits.open_wait + visits.service
            self._mean(f"{name}.stay", stays, visits.started - visits.open, missing, MINUTE)
            self.values[f"{name}.visits.day"] = visits.all / self.days
            self._note(f"{name}.gave_up.share", _share(visits.gave_up, visits.all), visits.still, visits.all)
            self.values[f"{name}.open.share"] = _share(missing, visits.all)
            # Nothing is missing here: who still waits when the run ends has waited.
            self.values[f"{name}.wait.share"] = _share(visits.waited + visits.still + visits.gave_up_waited, visits.all)
        for name, rows in self.scopes.interruptions.items():
            visits = self._pooled(rows)
            self._mean(f"{name}.interrupted", visits.wait, visits.started, visits.still, MINUTE)
            self.values[f"{name}.interruptions.day"] = (visits.started + visits.still) / self.days

    def _pooled(self, rows: tuple[int, ...]) -> Visits:
        """Return the sums of the visits of several steps together."""
        parts = [(*(self.steps[row][field] for field in _SUMS), self.columns.waits.counts[row]) for row in rows]
        return Visits(*map(sum, zip(*parts, strict=True))) if parts else Visits()

    def _waits(self, name: str, rows: tuple[int, ...], visits: Visits, unit: int) -> None:
        self._mean(f"{name}.wait", visits.wait, visits.started, visits.still, unit)
        kept = _joined([self.columns.waits.of(row) for row in rows]) if visits.waited else np.zeros(0, dtype=np.int32)
        still = np.concatenate([self.columns.waits.queued(row) for row in rows]) if visits.still else _NOBODY
        self._quantiles(f"{name}.wait", kept, visits.started - visits.waited, self.horizon - still, unit)

    def _place(self, direction: int, place: str) -> None:
        rows = self.scopes.lanes[place]
        visits = self._pooled(rows)
        self._waits(place, rows, visits, SECOND)
        ended, missing = visits.started - visits.open, visits.open + visits.still
        self._mean(f"{place}.lane", visits.service, ended, missing, SECOND)
        arrived, lane_left, passed, manual, stopped = np.concatenate(
            [self.facts[kind] for kind in self.wanted.passages[direction]]
        ).T
        spans = self._duration(f"{place}.pass", arrived, passed, SECOND)
        self.samples[f"{place}.pass"], self.samples[f"{place}.pass_open"] = spans
        self._duration(f"{place}.queue_and_lane", arrived, lane_left, SECOND)
        count = len(arrived)
        # Who has not passed may yet be stopped: that nobody has looked so far says nothing.
        may = (passed == NEVER) & self._told("gate_passed", place)
        for name, mark in (("exceptions", stopped), ("manual", manual)):
            undecided = int((may & (mark == NEVER)).sum())
            self._note(f"{place}.{name}.rate", _share(int((mark != NEVER).sum()), count), undecided, count)
        untouched = int(((manual == NEVER) & ~may).sum())
        self._note(f"{place}.automatic.rate", _share(untouched, count), int((may & (manual == NEVER)).sum()), count)
        columns = self.columns
        self.values[f"{place}.passes.day"] = int(columns.passages[direction].sum()) / self.days
        whole = passed != NEVER
        hour = (arrived[whole] % DAY) // HOUR
        spent = np.bincount(hour, weights=(passed - arrived)[whole], minlength=24)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.curves[f"{place}.pass"] = spent / np.bincount(hour, minlength=24) / SECOND
            self.curves[f"{place}.wait"] = columns.waits_sum[direction] / columns.waits_begun[direction] / SECOND
            self.curves[f"{place}.passes"] = columns.passages[direction] / self.hours
            self.curves[f"{place}.queue_week"] = columns.queue_week[direction]
            self.curves[f"{place}.queue"] = columns.waiting[direction] / HOUR / self.hours
        for name in (f"{place}.pass", f"{place}.wait"):
            if f"{name}.mean" in self.withheld:
                self.withheld[name] = self.withheld[f"{name}.mean"]
                self.curves[name] = np.full(len(self.curves[name]), _NAN)

    def _told(self, mark: str, place: str) -> bool:
        """Return whether a mark is made anywhere at a place."""
        return any(each.name == mark and each.place == place for each in self.plan.names.marks)

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
        for number, name in enumerate(self.scopes.truths):
            made = dict(zip(TRUTH_MARKS, self.columns.truths[number].tolist(), strict=True))
            facts = self.facts[self.wanted.truths[number]][:, 0]
            true, caught, corrected = ((facts >> TRUTH_MARKS.index(what) & 1) > 0 for what in _KNOWN)
            passed = true & ~caught & ~corrected
            inside = int((passed & (facts >> len(TRUTH_MARKS) > 0)).sum())
            cases, missed, found = int(true.sum()), int(passed.sum()) - inside, int((true & caught).sum())
            for what, part in (("missed", missed), ("caught", found)):
                self._note(f"all.{name}.{what}.share", _share(part, cases), inside, cases)
                self._note(f"all.{name}.{what}.day", part / self.days, inside, cases)
            self.values[f"all.{name}.cases.day"] = cases / self.days
            self.values[f"all.{name}.false_stops.rate"] = _share(made["false_stop"], made["checked"])

    def _truck_hours(self, ends: list[int]) -> float:
        """Return the hours a day that trucks spend inside, of the tokens that leave at one of the steps `ends`."""
        trucks = [row for row in ends if self.plan.names.steps[row].kind == "truck"]
        return float(self.totals.at_step[trucks].sum()) / HOUR / self.days


def measure(plan: Plan, reducer: Reducer, totals: Totals, loads: dict[str, float]) -> RunResult:
    """Return the KPIs of a run whose blocks `reducer` has taken; `loads` holds the load of each resource by name."""
    return Measurement(plan, reducer, totals, loads).result()


def _joined(parts: Sequence[Spans]) -> Spans:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)  # type: ignore[return-value]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else _NAN
