"""Intervals and paired effects of an experiment, arm by arm in every future."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from zonesim.analysis.effects import tag_of, withheld
from zonesim.analysis.paired import Difference, Interval, interval, paired
from zonesim.experiment import Results


@dataclass(frozen=True)
class Point:
    """
    A KPI of an arm in a future: its interval, and for arms but the baseline the paired difference to it in the same
    future, with the tag (see `Effect`). Where an arm grows, the baseline's value is tagged too.
    """

    arm: str
    future: str
    kpi: str
    interval: Interval
    difference: Difference | None
    tag: str


def points(results: Results, kpis: Sequence[str]) -> Iterator[Point]:
    """Yield KPIs × futures × arms (baseline first), in this order."""
    for kpi in kpis:
        for future in results.futures:
            base = results.column(results.baseline, future, kpi)
            unstable = kpi in results.cells[results.baseline, future].growing
            first = interval(base.tolist())
            for arm in results.arms:
                column = results.column(arm, future, kpi)
                cell = results.cells[arm, future]
                found = interval(column.tolist())
                grows = kpi in cell.growing
                shown = Interval(math.nan, math.nan, math.nan, found.n) if grows else found
                if arm == results.baseline:
                    yield Point(arm, future, kpi, shown, None, "grows" if grows else "")
                    continue
                difference = paired(base.tolist(), column.tolist())
                tag = tag_of(
                    difference,
                    first,
                    grows=grows or unstable,
                    bound=results.kpis[kpi].bound,
                    echo=kpi in cell.inputs,
                )
                yield Point(arm, future, kpi, shown, withheld(difference) if tag == "grows" else difference, tag)
