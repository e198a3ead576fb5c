"""Intervals and paired effects of an experiment, arm by arm in every future."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from zonesim.analysis.effects import BY_HAND, Column, judge
from zonesim.analysis.paired import Difference, Interval
from zonesim.experiment import Results


@dataclass(frozen=True)
class Point:
    """
    A KPI of an arm in a future: its interval, and for arms but the baseline the paired difference to it in the same
    future, with the tag (see `Effect`). Where a value of the baseline is not given, its tag says why.
    """

    arm: str
    future: str
    kpi: str
    interval: Interval
    difference: Difference | None
    tag: str


def points(results: Results, kpis: Sequence[str]) -> Iterator[Point]:
    """Yield KPIs × futures × arms (baseline first), in this order; arms are compared within a future."""
    for kpi in kpis:
        for future in results.futures:
            cells = {arm: results.cells[arm, future] for arm in results.arms}
            found = judge(
                {
                    arm: Column(results.column(arm, future, kpi).tolist(), results.missing(arm, future, kpi))
                    for arm in results.arms
                },
                bound=results.kpis[kpi].bound,
                inputs=[arm for arm, cell in cells.items() if kpi in cell.inputs],
                unstable=[arm for arm, cell in cells.items() if kpi in cell.unstable],
                overruled=[arm for arm, cell in cells.items() if kpi in cell.overruled],
                level=results.level,
            )
            for arm, interval in found.intervals.items():
                said = BY_HAND if kpi in cells[arm].overruled else ""
                difference, tag = found.effects.get(arm, (None, interval.reason or said))
                yield Point(arm, future, kpi, interval, difference, tag)
