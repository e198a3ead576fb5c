"""Effects: what each arm changes against the baseline, KPI by KPI."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Final

import numpy as np

from zonesim.analysis.paired import LEVEL, Difference, Interval, Reason, interval, paired, together
from zonesim.analysis.parts import Move, Parts, is_none, parts_of
from zonesim.experiment import Band
from zonesim.kpi import RunResult

BY_HAND: Final = "stable by hand"
BAND: Final = "band"
MIX: Final = "mix"

Bands = Mapping[str, Mapping[str, Band]]
"""By arm, KPIs with what they may be."""

MATERIAL: Final = 0.01
"""An effect below this share of the baseline is tagged `not material`."""


NO_DIFFERENCE: Final = Difference(math.nan, math.nan, math.nan, 0, math.nan)
"""Stands for one that is not known."""


@dataclass(frozen=True)
class Effect:
    """
    The effect of an arm on a KPI.

    `tag`: `grows` (an arm is not stable, so the size depends on the run length and none is given), `missing` (too many
    cases have not ended in a replication of an arm, and none is given), `stable by hand` (it would be tagged `grows`,
    but the scenario says by hand that the line is stable), `band` (no mean, but the least and the most over what nobody
    knows of control; `relative`: as shares of the baseline), `mix` (a mean or share over goods that the baseline has
    and others that it has not, so no difference is given), `bound` (from the traffic equations, not simulated), `input`
    (only echoes edited values), `not material` (nothing, or below 1 % of the baseline), or empty. `parts`:
    direct part and congestion of a duration, where they were run. `moves`: what the doubts do to it that were run.
    """

    arm: str
    kpi: str
    difference: Difference
    tag: str
    parts: Parts | None = None
    moves: tuple[Move, ...] = ()
    relative: tuple[float, float] = (math.nan, math.nan)

    @property
    def doubtful(self) -> list[Move]:
        """Return the doubts that move it by more than half its interval, the one that moves it furthest first."""
        found = [move for move in self.moves if move.counts(self.difference)]
        return sorted(found, key=lambda move: -move.spread(self.difference))


@dataclass(frozen=True)
class Column:
    """
    A KPI of an arm by replication: its `values` (nan: it has none, or it is withheld), and for the replications that
    withhold it the shares of cases that are `missing`.
    """

    values: Sequence[float]
    missing: Sequence[float] = ()

    @classmethod
    def of(cls, runs: Sequence[RunResult], kpi: str) -> Column:
        """Return a KPI of some runs."""
        return cls(
            [run.values.get(kpi, math.nan) for run in runs],
            [run.withheld[kpi] for run in runs if kpi in run.withheld],
        )


@dataclass(frozen=True)
class Judgement:
    """What there is to say of a KPI: intervals by arm, and for arms but the baseline the difference and its tag."""

    intervals: dict[str, Interval]
    effects: dict[str, tuple[Difference, str]]
    parts: dict[str, Parts] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """Intervals by arm and KPI, the effects of all arms but the baseline, and the level of the intervals."""

    baseline: str
    arms: dict[str, dict[str, Interval]]
    effects: tuple[Effect, ...]
    level: float = LEVEL

    def variance_reduction(self, kpis: Collection[str]) -> float:
        """Return the median variance reduction over `kpis` that differ between arms; nan when none does."""
        found = [
            effect.difference.variance_reduction
            for effect in self.effects
            if effect.kpi in kpis and not math.isnan(effect.difference.variance_reduction)
        ]
        return median(found) if found else math.nan


def compare(
    results: Mapping[str, Sequence[RunResult]],
    kpis: Sequence[str],
    *,
    bounds: Collection[str] = (),
    inputs: Mapping[str, Collection[str]] | None = None,
    unstable: Mapping[str, Collection[str]] | None = None,
    overruled: Mapping[str, Collection[str]] | None = None,
    echoes: Mapping[str, Collection[str]] | None = None,
    mixed: Mapping[str, Collection[str]] | None = None,
    free: Mapping[str, Sequence[RunResult]] | None = None,
    durations: Collection[str] = (),
    bands: Bands | None = None,
    level: float = LEVEL,
) -> Comparison:
    """
    Return intervals and effects; the first arm is the baseline and the replications of all arms are in the same order.

    `bounds`, and by arm `inputs`, `unstable`, `overruled` and `mixed`, name the KPIs that get those tags; `bands` are
    what is given in place of means. `free`: the same arms and replications with unlimited units, for the parts of the
    KPIs in `durations`; `echoes`: the KPIs of an arm that are inputs where congestion has no part in them.
    """
    return compare_columns(
        list(results),
        lambda arm, kpi: Column.of(results[arm], kpi),
        kpis,
        bounds=bounds,
        inputs=inputs or {},
        unstable=unstable or {},
        overruled=overruled or {},
        echoes=echoes or {},
        mixed=mixed or {},
        free=None if free is None else lambda arm, kpi: Column.of(free[arm], kpi) if kpi in durations else None,
        bands=bands or {},
        level=level,
    )


def compare_columns(
    names: Sequence[str],
    column: Callable[[str, str], Column],
    kpis: Sequence[str],
    *,
    bounds: Collection[str],
    inputs: Mapping[str, Collection[str]],
    unstable: Mapping[str, Collection[str]],
    overruled: Mapping[str, Collection[str]],
    echoes: Mapping[str, Collection[str]],
    bands: Bands,
    mixed: Mapping[str, Collection[str]] | None = None,
    free: Callable[[str, str], Column | None] | None = None,
    level: float = LEVEL,
) -> Comparison:
    """
    Return intervals and effects of arms by their names, the baseline first.

    `column`: a KPI of an arm; `free`: the KPI of the arm with unlimited units, None where it has no parts.
    """
    arms: dict[str, dict[str, Interval]] = {arm: {} for arm in names}
    effects: dict[str, list[Effect]] = {arm: [] for arm in names}
    for kpi in kpis:
        if all(kpi in bands.get(arm, ()) for arm in names):
            own = {arm: bands[arm][kpi] for arm in names}
            for arm, band in own.items():
                arms[arm][kpi] = Interval(math.nan, band.least, band.most, 0, BAND)
                if arm != names[0]:
                    effects[arm].append(_between(arm, kpi, own[names[0]], band))
            continue
        found = judge(
            {arm: column(arm, kpi) for arm in names},
            bound=kpi in bounds,
            inputs=[arm for arm in names if kpi in inputs.get(arm, ())],
            unstable=[arm for arm in names if kpi in unstable.get(arm, ())],
            overruled=[arm for arm in names if kpi in overruled.get(arm, ())],
            echoes=[arm for arm in names if kpi in echoes.get(arm, ())],
            mixed=[arm for arm in names if kpi in (mixed or {}).get(arm, ())],
            free=_free(names, kpi, free),
            level=level,
        )
        for arm, each in found.intervals.items():
            arms[arm][kpi] = each
        for arm, (difference, tag) in found.effects.items():
            effects[arm].append(Effect(arm, kpi, difference, tag, found.parts.get(arm)))
    return Comparison(names[0], arms, tuple(each for own in effects.values() for each in own), level)


def _free(names: Sequence[str], kpi: str, free: Callable[[str, str], Column | None] | None) -> dict[str, Column] | None:
    """Return a KPI of all arms with unlimited units; None where it was not run, or has no parts."""
    found = {} if free is None else {arm: free(arm, kpi) for arm in names}
    known = {arm: column for arm, column in found.items() if column is not None and not column.missing}
    return known if known and len(known) == len(names) else None


def _between(arm: str, kpi: str, base: Band, band: Band) -> Effect:
    """Return the effect of an arm on what is known as a band: the least and the most, case by case."""
    change, relative = band.minus(base), band.relative_to(base)
    difference = Difference(math.nan, change.least, change.most, 0, math.nan)
    return Effect(arm, kpi, difference, BAND, relative=(relative.least, relative.most))


def judge(
    columns: Mapping[str, Column],
    *,
    bound: bool = False,
    inputs: Collection[str] = (),
    unstable: Collection[str] = (),
    overruled: Collection[str] = (),
    echoes: Collection[str] = (),
    mixed: Collection[str] = (),
    free: Mapping[str, Column] | None = None,
    level: float = LEVEL,
) -> Judgement:
    """
    Return what a KPI says of some arms that are compared, the baseline first.

    An arm in `unstable` says nothing. Where any replication of any other arm withholds the KPI, none of them says
    anything: the replications that are left are those in which least was going on, and no sample of all. Those in
    `overruled` would grow, if it were not said by hand that they do not. Those in `inputs` and `echoes` follow from
    edited values alone; where the KPI is known with unlimited units (`free`, all arms), they are inputs if congestion
    has no part in the difference, and where it is not, those in `inputs` are. Those in `mixed` have a level and no
    difference, for it would be one between other goods.
    """
    baseline = next(iter(columns))
    missing = [share for arm, column in columns.items() if arm not in unstable for share in column.missing]
    intervals: dict[str, Interval] = {}
    for arm, column in columns.items():
        if arm in unstable:
            intervals[arm] = _nothing("grows")
        elif missing:
            intervals[arm] = _nothing("missing", max(missing), len(missing))
        else:
            intervals[arm] = interval(column.values, level)
    effects: dict[str, tuple[Difference, str]] = {}
    parts: dict[str, Parts] = {}
    for arm, column in columns.items():
        if arm == baseline:
            continue
        if arm in mixed:
            effects[arm] = NO_DIFFERENCE, intervals[baseline].reason or intervals[arm].reason or MIX
            continue
        if free is not None:
            parts[arm] = parts_of(
                columns[baseline].values, column.values, free[baseline].values, free[arm].values, level
            )
        reason = intervals[baseline].reason or intervals[arm].reason
        if reason:
            effects[arm] = NO_DIFFERENCE, reason
            if free is not None:
                parts[arm] = Parts(paired(free[baseline].values, free[arm].values, level), NO_DIFFERENCE)
            continue
        difference = paired(columns[baseline].values, column.values, level)
        by_hand = baseline in overruled or arm in overruled
        echo = arm in inputs
        if arm in parts:
            echo = (echo or arm in echoes) and is_none(parts[arm], intervals[baseline].value)
        tag = tag_of(difference, intervals[baseline], bound=bound, echo=echo)
        effects[arm] = difference, BY_HAND if by_hand else tag
    return Judgement(intervals, _at_once(effects, level), parts)


def _at_once(effects: Mapping[str, tuple[Difference, str]], level: float) -> dict[str, tuple[Difference, str]]:
    """Return differences with the limits that hold together with those of the other arms that have one."""
    arms = sum(not math.isnan(difference.low) for difference, _ in effects.values())
    return {
        arm: (replace(own, together=together(own, arms, level), arms=arms), tag)
        if arms > 1 and not math.isnan(own.low)
        else (own, tag)
        for arm, (own, tag) in effects.items()
    }


def tag_of(difference: Difference, base: Interval, *, bound: bool, echo: bool) -> str:
    """Return the tag of a difference to the baseline `base` (see `Effect`)."""
    if bound:
        return "bound"
    if echo and difference.value != 0:
        return "input"
    if difference.value == 0 or abs(difference.value) < MATERIAL * abs(base.value):  # never so for nan
        return "not material"
    return ""


def curve(runs: Sequence[RunResult], name: str, level: float = LEVEL) -> list[Interval]:
    """Return the intervals of a curve point by point; of nothing, where one of the runs withholds it."""
    missing = [run.withheld[name] for run in runs if name in run.withheld]
    points = len(runs[0].curves[name])
    if missing:
        return [_nothing("missing", max(missing), len(missing))] * points
    return [interval([float(run.curves[name][point]) for run in runs], level) for point in range(points)]


def curve_means(runs: Sequence[RunResult], name: str) -> list[float]:
    """Return the means of a curve point by point, over the runs that have one there; nan where one withholds it."""
    table = np.array([run.curves[name] for run in runs], dtype=np.float64).T
    if any(name in run.withheld for run in runs):
        return [math.nan] * len(table)
    means: list[float] = np.ascontiguousarray(table).mean(axis=1).tolist()
    for point in np.flatnonzero(np.isnan(table).any(axis=1)).tolist():
        means[point] = interval(table[point].tolist()).value
    return means


def _nothing(reason: Reason, missing: float = 0.0, withheld: int = 0) -> Interval:
    """Return what stands in place of an interval that is not given."""
    return Interval(math.nan, math.nan, math.nan, 0, reason, missing, withheld)
