"""Effects: what each arm changes against the baseline, KPI by KPI."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from zonesim.analysis.paired import Difference, Interval, interval, paired
from zonesim.kpi import RunResult

MATERIAL: Final = 0.01
"""An effect below this share of the baseline is tagged `not material`."""


@dataclass(frozen=True)
class Effect:
    """
    The effect of an arm on a KPI.

    `tag`: `grows` (an arm is not stable, so the size depends on the run length and none is given), `bound` (from
    the traffic equations, not simulated), `input` (only echoes an edited value), `not material` (nothing, or below
    1 % of the baseline), or empty.
    """

    arm: str
    kpi: str
    difference: Difference
    tag: str


@dataclass(frozen=True)
class Comparison:
    """Intervals by arm and KPI, and the effects of all arms but the baseline."""

    baseline: str
    arms: dict[str, dict[str, Interval]]
    effects: tuple[Effect, ...]

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
    growing: Mapping[str, Collection[str]] | None = None,
) -> Comparison:
    """
    Return intervals and effects; the first arm is the baseline and the replications of all arms are in the same order.

    `bounds`, and by arm `inputs` and `growing`, name the KPIs that get those tags.
    """
    baseline = next(iter(results))
    values = {
        arm: {kpi: [run.values.get(kpi, math.nan) for run in runs] for kpi in kpis} for arm, runs in results.items()
    }
    arms = {arm: {kpi: interval(column) for kpi, column in columns.items()} for arm, columns in values.items()}
    effects = []
    unstable = set((growing or {}).get(baseline, ()))
    for arm, columns in values.items():
        if arm == baseline:
            continue
        for kpi, column in columns.items():
            difference = paired(values[baseline][kpi], column)
            tag = tag_of(
                difference,
                arms[baseline][kpi],
                grows=kpi in unstable or kpi in (growing or {}).get(arm, ()),
                bound=kpi in bounds,
                echo=kpi in (inputs or {}).get(arm, ()),
            )
            if tag == "grows":
                difference = withheld(difference)
            effects.append(Effect(arm, kpi, difference, tag))
    return Comparison(baseline, arms, tuple(effects))


def tag_of(difference: Difference, base: Interval, *, grows: bool, bound: bool, echo: bool) -> str:
    """Return the tag of a difference to the baseline `base` (see `Effect`)."""
    if grows:
        return "grows"
    if bound:
        return "bound"
    if echo:
        return "input"
    if difference.value == 0 or abs(difference.value) < MATERIAL * abs(base.value):  # never so for nan
        return "not material"
    return ""


def withheld(difference: Difference) -> Difference:
    """Return what stands in place of a difference that depends on the run length: its n alone."""
    return Difference(math.nan, math.nan, math.nan, difference.n, math.nan)
