"""From the columns of a run to its KPIs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zonesim.kpi.catalogue import Applied
from zonesim.kpi.censoring import too_many
from zonesim.kpi.consignment_table import Spans
from zonesim.kpi.firms import Sizes, size_names, sizes_of
from zonesim.kpi.fold_tables import ARRIVED, LEFT, TRUTH_MARKS
from zonesim.kpi.folding import count_within
from zonesim.kpi.numbers import NAN, NOBODY, Durations, Floats, Number, given, joined, mean, share
from zonesim.kpi.prepared import prepared
from zonesim.kpi.recovery import recovered
from zonesim.kpi.reducer import Columns, Reducer, by_hour
from zonesim.kpi.visits import VisitNumbers
from zonesim.kpi.weekly import growth_weeks
from zonesim.plan import NEVER, Ints, Plan, Totals
from zonesim.scenario import KpiDeclaration
from zonesim.scenario.fields import CLASS
from zonesim.scenario.kpis import FIRM_SIZE
from zonesim.units import DAY, HOUR, SECOND

_AT_A_TIME: Final = 1 << 17
"""Consignments whose times are copied at a time, where no list of all of them is asked for."""
_KNOWN: Final = ("true", "caught", "corrected")


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
    samples: dict[str, Spans] = field(default_factory=dict)
    """
    Durations in ms of the measured tokens, `FLOW.dwell` and `PLACE.pass` among them, ended ones only; `FLOW.dwell_open`
    and `PLACE.pass_open`, how long the others had been followed when the run ended. Numbers of 32 bits where they
    suffice; names may share an array.
    """
    events: int = 0
    withheld: dict[str, float] = field(default_factory=dict)
    """By id of a KPI or name of a curve that is withheld, the share of its cases that is missing or undecided."""


class Measurement:
    """Computes the KPIs of one run."""

    def __init__(self, plan: Plan, reducer: Reducer, totals: Totals, loads: dict[str, float], key: np.uint64) -> None:
        self.plan = plan
        self.key = key
        self.ready = prepared(plan)
        self.scopes = self.ready.scopes
        self.columns: Columns = reducer.finish(totals)
        self.facts = self.columns.dossiers.facts()
        self.totals = totals
        self.loads = loads
        self.window = int(plan.window[1] - plan.window[0])
        self.days = self.window / DAY
        self.horizon = int(plan.window[2])
        self.visits = VisitNumbers(self.ready.pools, self.columns, self.window, self.horizon)
        self.values: dict[str, float] = dict.fromkeys(self.ready.ids, NAN)
        self.withheld: dict[str, float] = {}
        self.curves: dict[str, NDArray[np.float64]] = {}
        self.samples: dict[str, Spans] = {}
        edges = np.array([plan.window[1]]), np.array([plan.window[0]])
        self.hours = (by_hour(edges[0]) - by_hour(edges[1])) / HOUR
        """How often each hour of the day lies in the window."""
        self._spans: dict[str, Spans] = {}
        self._durations: dict[tuple[str, ...], Durations] = {}
        """Of the sources at hand by two marks, those that are kept one by one."""
        self._sources: tuple[int, ...] = ()
        self._known: dict[tuple[tuple[int, ...], tuple[str, ...]], list[Number]] = {}
        self._kept: dict[tuple[tuple[int, ...], str], Durations] = {}
        self._completed: dict[tuple[str, int], int] = {}
        self._sized: dict[int, Sizes] = {}
        self._own: dict[str, NDArray[Any]] = {}
        """Of the sources at hand, `classes` and `sizes` of firms of the measured consignments."""
        self._asked: dict[str, tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None]] = {}
        self._measured: dict[str, Callable[[Applied], list[Number]]] = {
            "time": self._time,
            "stages": self._stages,
            "share": self._share,
            "count": self._count,
            "inside": self._inside,
        }

    def result(self) -> RunResult:
        """Return all KPIs of the plan's catalogue; visits are told first, for then there is room for samples."""
        visits = self.visits.tell_all(self.ready.columns)
        for each in self.ready.by_scope.get("flow", ()):
            self._flow(each)
        self._visits(visits)
        self._gates()
        self._recoveries()
        self._resources()
        self._accounts()
        self._truths()
        for scope in ("zone", "all"):
            for each in self.ready.by_scope.get(scope, ()):
                if each.form == "time":
                    self._flow(each)
                    continue
                match each.quantity.rule.run:
                    case "makespan":
                        self._tell(each, [self._emptied(self.columns.last)])
                    case "work":
                        found = self._work()
                        self._tell(each, [found[statistic] for statistic in each.ids])
                    case _:
                        self._tell(each, self._inside(each))
        return RunResult(self.values, self.curves, self.samples, self.totals.events, self.withheld)

    def _tell(self, each: Applied, numbers: Iterable[Number]) -> None:
        """Note the numbers of a quantity, in the order of its KPIs."""
        for kpi, (value, missing) in zip(each.kpis, numbers, strict=True):
            self.values[kpi.id] = value
            if missing:
                self.withheld[kpi.id] = missing

    # --- flows

    def _flow(self, each: Applied) -> None:
        """
        Note what is measured of a flow or an entry, or of the goods of a zone or of all; what has the same sources has
        the same numbers.
        """
        pooled = each.quantity.scope != "flow"
        sources = self.scopes.pooled(each.subject, each.quantity.rule) if pooled else self.scopes.groups[each.subject]
        if sources != self._sources:
            self._sources, self._spans, self._durations, self._own = sources, {}, {}, {}
        key = (sources, (each.quantity.name, *each.ids))
        if key not in self._known:
            self._known[key] = self._measured[each.form](each)
        self._tell(each, self._known[key])
        if (sources, each.quantity.name) in self._kept:
            self._keep(each, self._kept[sources, each.quantity.name])

    def _spans_to(self, mark: str) -> Spans:
        """
        Return how many ms after its arrival each measured consignment reached a mark, plus 1 (0: not yet).

        The last of its tokens to reach a mark counts, so a mark is missing as long as a token may yet reach it.
        """
        if mark not in self._spans:
            dossiers, measured = self.columns.dossiers, self.columns.measured
            parts = [dossiers.spans(mark, source, *measured[source].tolist()) for source in self._sources]
            self._spans[mark] = joined(parts)
        return self._spans[mark]

    def _ended(self, each: Applied, marks: list[str]) -> tuple[str, Spans]:
        """
        Return the first of some marks that a flow has, and the spans to it; where entries of several flows are told
        together, all these marks, and the spans to the first that each entry has.
        """
        if each.quantity.scope == "flow":
            end = self._end(each, marks)
            return end, self._spans_to(end)
        name = " ".join(marks)
        if name not in self._spans:
            dossiers, measured, own = self.columns.dossiers, self.columns.measured, self.scopes.own_marks
            ends = [next(mark for mark in marks if mark in own[source]) for source in self._sources]
            parts = [
                dossiers.spans(end, source, *measured[source].tolist())
                for end, source in zip(ends, self._sources, strict=True)
            ]
            self._spans[name] = joined(parts)
        return name, self._spans[name]

    def _end(self, each: Applied, marks: list[str]) -> str:
        """Return the first of some marks that a flow has."""
        found = self.scopes.first(each.subject, marks)
        assert found is not None, each.subject  # noqa: S101  else it would not be measured
        return found

    def _time(self, each: Applied) -> list[Number]:
        """Return the statistics of the time between two marks."""
        rule = each.quantity.rule
        assert rule.time is not None  # noqa: S101
        end, ended = self._ended(each, rule.time.to)
        if rule.time.within:
            begun = None if rule.time.from_ == ARRIVED else self._spans_to(rule.time.from_)
            return [self._time_within(begun, ended, each.unit)]
        if rule.time.once:
            once = self._spans_to(self._end(each, rule.time.once))
            return [self._time_once(self._spans_to(rule.time.from_), ended, once, each.unit)]
        key = (rule.time.from_, end, repr(rule.of))
        found = self._durations.get(key) or self._between_marks(rule.time.from_, ended, self._meant(each))
        if rule.samples:
            self._kept[self._sources, each.quantity.name] = self._durations[key] = found
        return found.tell(list(each.ids), each.unit, self.days)

    def _meant(self, each: Applied) -> NDArray[np.bool_] | None:
        """Return which measured consignments a quantity is of, by what they were when they arrived; None: all."""
        of = each.quantity.rule.of
        if not of:
            return None
        key = repr(of)
        if key not in self._asked:
            self._asked[key] = self._tables_of(of)
        by_class, by_size = self._asked[key]
        found: NDArray[np.bool_] | None = None
        if by_class is not None:
            found = by_class[self._of_measured("classes", self._classes)]
        if by_size is not None:
            sized: NDArray[np.bool_] = by_size[self._of_measured("sizes", self._sizes)]
            found = sized if found is None else found & sized
        return found

    def _tables_of(self, of: Mapping[str, list[str]]) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None]:
        """
        Return which classes, by number, and which sizes of firms, by place and that of none last, have the values that
        are asked for; None where all have.
        """
        names = self.plan.names
        values = {CLASS: names.classes, **dict(names.attributes)}
        asked = [np.isin(values[name], wanted) for name, wanted in of.items() if name != FIRM_SIZE]
        by_size = (
            np.array([*(size in of[FIRM_SIZE] for size in size_names(self.plan)), False]) if FIRM_SIZE in of else None
        )
        return (np.all(asked, axis=0) if asked else None), by_size

    def _of_measured(self, what: str, of_source: Callable[[int], NDArray[Any]]) -> NDArray[Any]:
        """Return what measured consignments of the sources at hand are, in the order of their spans."""
        if what not in self._own:
            parts = [of_source(source) for source in self._sources]
            self._own[what] = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return self._own[what]

    def _classes(self, source: int) -> NDArray[np.int16]:
        return self.totals.classes[source][slice(*self.columns.measured[source])]

    def _sizes(self, source: int) -> Sizes:
        """Return the sizes of the firms of the measured consignments of a source."""
        if source not in self._sized:
            self._sized[source] = sizes_of(self.plan, self.key, source, *self.columns.measured[source].tolist())
        return self._sized[source]

    def _between_marks(self, begin: str, ended: Spans, meant: NDArray[np.bool_] | None) -> Durations:
        """Return the durations from a mark until another, of which the spans since the arrival are given."""
        begun = None if begin == ARRIVED else self._spans_to(begin)
        if begun is None:
            whole, missing = (ended > 0, ended == 0) if meant is None else ((ended > 0) & meant, (ended == 0) & meant)
            spans = ended[whole]
            spans -= 1
            return Durations(spans, self._followed(missing))
        missing = (begun > 0) & (ended == 0)
        whole = (begun > 0) & (ended > 0)
        if meant is not None:
            missing, whole = missing & meant, whole & meant
        spans = np.maximum((ended - begun)[whole], 0)
        return Durations(spans, self._followed(missing) - (begun[missing] - 1))

    def _keep(self, each: Applied, found: Durations) -> None:
        """Keep durations one by one, where that is asked for."""
        if each.quantity.rule.samples:
            name = f"{each.subject}.{each.quantity.name}"
            self.samples[name], self.samples[f"{name}_open"] = found.spans, found.followed

    def _time_once(self, begun: Spans, ended: Spans, once: Spans, unit: int) -> Number:
        """
        Return the mean time between two marks of those who have reached a third. Missing are those who may yet reach
        it, and those with the first mark and without the second.
        """
        known = (once > 0) & (begun > 0) & (ended > 0)
        spans = np.maximum(ended - begun, 0)[known]
        missing = int(((once == 0) | ((begun > 0) & (ended == 0))).sum())
        return mean(int(spans.sum(dtype=np.int64)), len(spans), missing, unit)

    def _time_within(self, begun: Spans | None, ended: Spans, unit: int) -> Number:
        """Return the mean time between two marks (None: from arriving) of those with both by the end of the window."""
        known = ended > 0
        arrived = self.horizon - self._followed(known)
        spans = ended[known].astype(np.int64) - 1
        since = np.zeros(len(spans), dtype=np.int64) if begun is None else begun[known].astype(np.int64) - 1
        told = (arrived + spans < self.plan.end) & (since >= 0)
        return mean(int(np.maximum(spans - since, 0)[told].sum()), int(told.sum()), 0, unit)

    def _followed(self, missing: NDArray[np.bool_]) -> Ints:
        """Return for how long (ms) the consignments that are `missing` have been followed."""
        if not missing.any():
            return NOBODY
        dossiers, found, before = self.columns.dossiers, [], 0
        for source in self._sources:
            begin, end = self.columns.measured[source].tolist()
            for first in range(begin, end, _AT_A_TIME):
                after = min(first + _AT_A_TIME, end)
                part = missing[before + first - begin : before + after - begin]
                if part.any():
                    found.append(self.horizon - dossiers.when_arrived(source, first, after)[part])
            before += end - begin
        return np.concatenate(found)

    def _stages(self, each: Applied) -> list[Number]:
        """Return the mean times between marks, over those that have reached the last one."""
        spans = [self._spans_to(mark) for mark in each.stages]
        ended = spans[-1]
        sums, whole = [0] * len(spans), 0
        for first in range(0, len(ended), _AT_A_TIME):
            part = slice(first, first + _AT_A_TIME)
            done = ended[part] > 0
            later = ended[part][done]
            whole += len(later)
            for number in reversed(range(len(spans))):
                told = spans[number][part][done]
                # What is not marked, or later than the next, counts with the next.
                later = np.minimum(np.where(told > 0, told, later), later)
                sums[number] += int(later.sum(dtype=np.int64))
        unit = each.unit
        return [mean(until - since, whole, len(ended) - whole, unit) for since, until in pairwise(sums)]

    def _share(self, each: Applied) -> list[Number]:
        """Return the share of those with a mark; who is inside without it is undecided."""
        rule = each.quantity.rule
        assert rule.share is not None  # noqa: S101
        dossiers, measured = self.columns.dossiers, self.columns.measured
        mark = rule.share.mark
        seen = np.concatenate([dossiers.reached(mark, source, *measured[source].tolist()) for source in self._sources])
        open_ = ~seen & (self._spans_to(LEFT) == 0)
        meant = self._meant(each)
        if meant is not None:
            seen, open_ = seen[meant], open_[meant]
        return [given(share(int(np.count_nonzero(seen)), len(seen)), int(np.count_nonzero(open_)), len(seen))]

    def _count(self, each: Applied) -> list[Number]:
        """Return how many marks are made a day: by tokens, or by consignments, when their last token makes it."""
        rule = each.quantity.rule
        assert rule.count is not None  # noqa: S101
        mark = self._end(each, rule.count.mark)
        if rule.count.by == "token":
            column = self.ready.tables.counted.index(mark)
            found = float(self.columns.counted[list(self._sources), column].sum())
        elif mark == ARRIVED:
            cohort = self.totals.cohort[list(self._sources)]
            found = float((cohort[:, 1] - cohort[:, 0]).sum())
        else:
            found = sum(self._reaching(mark, source) for source in self._sources)
        return [Number(found / self.days)]

    def _reaching(self, mark: str, source: int) -> int:
        """Return how many consignments of a source, measured or not, reach a mark inside the window."""
        if (mark, source) not in self._completed:
            begin, close, _ = self.plan.window.tolist()
            dossiers, found = self.columns.dossiers, 0
            known = int(self.columns.known[source])
            for first in range(0, known, _AT_A_TIME):
                after = min(first + _AT_A_TIME, known)
                arrivals = dossiers.when_arrived(source, first, after)
                found += count_within(arrivals, dossiers.spans(mark, source, first, after), begin, close)
            self._completed[mark, source] = found
        return self._completed[mark, source]

    def _inside(self, each: Applied) -> list[Number]:
        return [self._hours(each, statistic) for statistic in each.ids]

    # --- steps and gates

    def _visits(self, told: list[tuple[Floats, Floats]]) -> None:
        for column, (values, missing) in zip(self.ready.columns, told, strict=True):
            self.values.update(zip(column.ids, values.tolist(), strict=True))
            self.withheld.update((column.ids[row], missing[row].item()) for row in np.flatnonzero(missing).tolist())

    def _passages(self, direction: int) -> dict[str, Ints]:
        """Return by mark when the passages of a gate direction made it, NEVER: not yet."""
        tables = self.ready.tables
        return {
            mark: np.concatenate([self.facts[kind].read(column) for kind in tables.passages[direction]])
            for column, mark in enumerate(tables.passage)
        }

    def _gates(self) -> None:
        told: dict[str, list[Applied]] = {place: [] for place in self.scopes.lanes}
        for each in self.ready.by_scope.get("gate", ()):
            if each.form != "recovery":
                told[each.subject].append(each)
        for number, (place, kpis) in enumerate(told.items()):
            self._gate(number, place, kpis)

    def _gate(self, direction: int, place: str, kpis: Sequence[Applied]) -> None:
        """Tell of a gate direction; its passages are in memory no longer than that."""
        own = self._passages(direction)
        self._curves(direction, place, own)
        for each in kpis:
            rule = each.quantity.rule
            if rule.time is not None:
                to = next((mark for mark in rule.time.to if mark in self.ready.gates[each.subject]), rule.time.to[0])
                found = self._between(own[rule.time.from_], own[to])
                self._keep(each, found)
                self._tell(each, found.tell(list(each.ids), each.unit))
            elif rule.share is not None:
                self._tell(each, [self._passing(place, own, rule)])
            else:
                count = int(self.columns.passages[direction].sum())
                self._tell(each, [Number(count / self.days)])

    def _recoveries(self) -> None:
        for each in (*self.ready.by_scope.get("step", ()), *self.ready.by_scope.get("gate", ())):
            rule = each.quantity.rule
            if rule.recovery is not None:
                steps = (self.scopes.lanes if rule.where == "gate" else self.scopes.steps)[each.subject]
                ends = self.plan.reopenings(rule.recovery.after)
                self._tell(each, recovered(self.columns.backlogs, ends, steps, each.unit, each.ids))

    def _between(self, begin: Ints, end: Ints) -> Durations:
        """Return durations (ms), and for how long those were followed that have not ended."""
        begun, ended = begin != NEVER, end != NEVER
        whole, missing = begun & ended, begun & ~ended
        spans = np.maximum((end - begin)[whole], 0)
        return Durations(spans, np.asarray(self.horizon - begin[missing], dtype=np.int64))

    def _passing(self, place: str, passages: dict[str, Ints], rule: KpiDeclaration) -> Number:
        """
        Return the share of passages with a mark, or without it.

        Who has not passed may yet be stopped: that nobody has looked so far says nothing. Nor is it known of those
        whether they will be `among` others.
        """
        tables, asked = self.ready.tables, rule.share
        assert asked is not None  # noqa: S101
        made = passages[asked.mark] != NEVER
        may = (passages[tables.passes] == NEVER) & (tables.passes in self.ready.gates[place])
        meant = np.ones_like(made) if asked.among is None else passages[asked.among] != NEVER
        undecided = int(np.count_nonzero(may & ~(made & meant)))
        found = meant & (made if asked.marked is not None else ~made & ~may)
        count = int(np.count_nonzero(meant))
        return given(share(int(np.count_nonzero(found)), count), undecided, count)

    def _curves(self, direction: int, place: str, passages: dict[str, Ints]) -> None:
        """Note the curves of a gate direction by hour of the day, and of the week."""
        columns, tables = self.columns, self.ready.tables
        arrived, passed = passages[tables.passage[0]], passages[tables.passes]
        whole = passed != NEVER
        hour = (arrived[whole] % DAY) // HOUR
        spent = np.bincount(hour, weights=(passed - arrived)[whole], minlength=24)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.curves[f"{place}.pass"] = spent / np.bincount(hour, minlength=24) / SECOND
            self.curves[f"{place}.wait"] = columns.waits_sum[direction] / columns.waits_begun[direction] / SECOND
            self.curves[f"{place}.passes"] = columns.passages[direction] / self.hours
            self.curves[f"{place}.queue_week"] = columns.queue_week[direction]
            self.curves[f"{place}.queue"] = columns.waiting[direction] / HOUR / self.hours
        pool = self.ready.pools.rows.index(self.scopes.lanes[place])
        started, still = int(self.visits.visits.started[pool]), int(self.visits.visits.still[pool])
        for name, unknown, count in (("pass", int((~whole).sum()), len(whole)), ("wait", still, started + still)):
            if too_many(unknown, count):
                self.withheld[f"{place}.{name}"] = unknown / count
                self.curves[f"{place}.{name}"] = np.full(24, NAN)

    # --- resources, truths, hours

    def _resources(self) -> None:
        for place, resource in enumerate(self.scopes.limited):
            self.curves[f"{self.plan.names.resources[resource]}.busy_week"] = self.columns.busy_week[place]
        totals = self.totals
        for each in self.ready.by_scope.get("resource", ()):
            (resource,) = self.ready.rows[each.subject, each.quantity.name].tolist()
            opened, busy = int(totals.open[resource]), int(totals.busy[resource])
            match each.quantity.rule.resource:
                case "utilisation":
                    numbers = [share(busy, opened)]
                case "availability":
                    numbers = [share(opened - int(totals.broken[resource]), opened)]
                case "queue":
                    known = {"mean": int(totals.queue[resource]) / self.window, "peak": float(totals.peak[resource])}
                    numbers = [known[statistic] for statistic in each.ids]
                case "backlog":
                    place = self.scopes.limited.index(resource)
                    waiting = self.columns.daily.days(place, each.quantity.rule.time_of_day)
                    known = {"mean": float(waiting.mean()), "share": float((waiting > 0).mean())}
                    numbers = [known[statistic] for statistic in each.ids]
                case "busy":
                    numbers = [busy / HOUR / self.days]
                case "overtime":
                    self._tell(each, [self._emptied(int(self.columns.overtime[resource]))])
                    continue
                case _:
                    numbers = [self.loads.get(each.subject, NAN)]
            self._tell(each, map(Number, numbers))

    def _emptied(self, time: int) -> Number:
        """Return hours that are known once all have left, withheld where somebody is still inside."""
        return Number(NAN, self._still_inside()) if self.columns.last == NEVER else Number(time / HOUR)

    def _work(self) -> dict[str, Number]:
        """Return how many consignments are inside on average, in the first and in the last week of the window."""
        parts = growth_weeks(self.plan)
        assert parts is not None  # noqa: S101  else it would not be measured
        spent = [0, 0]
        for source, known in enumerate(self.columns.known.tolist()):
            for first in range(0, known, _AT_A_TIME):
                after = min(first + _AT_A_TIME, known)
                arrived = self.columns.dossiers.when_arrived(source, first, after)
                spans = self.columns.dossiers.spans(LEFT, source, first, after).astype(np.int64)
                left = np.where(spans > 0, arrived + spans - 1, self.horizon)
                for number, (begin, end) in enumerate(parts):
                    inside = np.clip(left, begin, end) - np.clip(arrived, begin, end)
                    spent[number] += int(inside.sum())
        means = (time / (end - begin) for time, (begin, end) in zip(spent, parts, strict=True))
        return dict(zip(("first", "last"), map(Number, means), strict=True))

    def _still_inside(self) -> float:
        """Return the share of all consignments that have not left when the run ends."""
        dossiers, known = self.columns.dossiers, self.columns.known.tolist()
        inside = sum(int((dossiers.spans(LEFT, source, 0, count) == 0).sum()) for source, count in enumerate(known))
        return float(max(inside, 1) / max(sum(known), 1))

    def _accounts(self) -> None:
        accounts = {str(name): row for row, name in enumerate(self.plan.names.accounts)}
        for each in self.ready.by_scope.get("account", ()):
            row = accounts[each.subject]
            if each.quantity.rule.account == "level":
                level = {
                    "mean": float(self.totals.level_time[row]) / self.window,
                    "end": float(self.totals.levels[row]),
                }
                self._tell(each, [Number(level[statistic]) for statistic in each.ids])
            else:
                credited, debited = self.columns.booked[row].tolist()
                booked = credited if each.quantity.rule.account == "credited" else debited
                self._tell(each, [Number(booked / self.days)])

    def _truths(self) -> None:
        numbers = {f"all.{name}": self._truth(number) for number, name in enumerate(self.scopes.truths)}
        for each in self.ready.by_scope.get("truth", ()):
            truth = str(each.quantity.rule.truth)
            self._tell(each, [numbers[each.subject][truth, statistic] for statistic in each.ids])

    def _truth(self, number: int) -> dict[tuple[str, str], Number]:
        """Return by quantity and statistic what became of a truth."""
        made = dict(zip(TRUTH_MARKS, self.columns.truths[number].tolist(), strict=True))
        facts = self.facts[self.ready.tables.truths[number]].read(0)
        true, caught, corrected = ((facts >> TRUTH_MARKS.index(what) & 1) > 0 for what in _KNOWN)
        passed = true & ~caught & ~corrected
        inside = int((passed & (facts >> len(TRUTH_MARKS) > 0)).sum())
        cases, missed, found = int(true.sum()), int(passed.sum()) - inside, int((true & caught).sum())
        numbers = {
            ("cases", "day"): Number(cases / self.days),
            ("false_stops", "rate"): Number(share(made["false_stop"], made["checked"])),
        }
        for what, part in (("missed", missed), ("caught", found)):
            numbers[what, "share"] = given(share(part, cases), inside, cases)
            numbers[what, "day"] = given(part / self.days, inside, cases)
        return numbers

    def _hours(self, each: Applied, statistic: str) -> Number:
        """Return how many tokens are inside on average, or hours a day of tokens or resources, or what these cost."""
        key, rule = (each.subject, each.quantity.name), each.quantity.rule
        rows = self.ready.rows[key]
        if rule.inside is not None:
            spent = float(self.totals.at_step[rows].sum())
            return Number(spent / self.window if statistic == "mean" else spent / HOUR / self.days)
        of = rule.hours.of if rule.hours is not None else rule.cost.of if rule.cost is not None else "busy"
        spent_by = (self.totals.busy if of == "busy" else self.totals.open)[rows]
        if rule.cost is not None:
            return Number(float((spent_by * self.ready.rates[key]).sum()) / HOUR / self.days)
        return Number(float(spent_by.sum()) / HOUR / self.days)


def measure(plan: Plan, reducer: Reducer, totals: Totals, loads: dict[str, float], key: np.uint64) -> RunResult:
    """
    Return the KPIs of a run whose blocks `reducer` has taken; `loads` holds the load of each resource by name, `key` is
    that of the run (`compiled.streams.run_key`).
    """
    return Measurement(plan, reducer, totals, loads, key).result()
