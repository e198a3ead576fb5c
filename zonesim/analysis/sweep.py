"""Intervals and paired effects of an experiment, arm by arm in every future."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from zonesim.analysis.beside import free_column, with_moves
from zonesim.analysis.control import bands_of
from zonesim.analysis.effects import BY_HAND, Column, Comparison, compare_columns
from zonesim.analysis.paired import Difference, Interval
from zonesim.analysis.parts import Move, Parts
from zonesim.experiment import Results
from zonesim.kpi import RunResult


@dataclass(frozen=True)
class Point:
    """
    A KPI of an arm in a future: its interval, and for arms but the baseline the paired difference to it in the same
    future, with the tag, the parts and the moves (see `Effect`). Where a value of the baseline is not given, its tag
    says why.
    """

    arm: str
    future: str
    kpi: str
    interval: Interval
    difference: Difference | None
    tag: str
    parts: Parts | None = None
    moves: tuple[Move, ...] = ()


def compared(
    results: Results, future: str, kpis: Sequence[str], runs: Mapping[str, Sequence[RunResult]] | None = None
) -> Comparison:
    """
    Return intervals and effects of all arms in a future; `runs`: their numbers, where these are read already.

    In the first future differences have the parts and the moves of what was run beside it.
    """
    cells = {arm: results.cells[arm, future] for arm in results.arms}

    def column(arm: str, kpi: str) -> Column:
        if runs is not None:
            return Column.of(runs[arm], kpi)
        return Column(results.column(arm, future, kpi).tolist(), results.missing(arm, future, kpi))

    first = future == next(iter(results.futures))
    found = compare_columns(
        list(results.arms),
        column,
        kpis,
        bounds=[kpi for kpi in kpis if results.kpis[kpi].bound],
        inputs={arm: cell.inputs for arm, cell in cells.items()},
        unstable={arm: cell.unstable for arm, cell in cells.items()},
        overruled={arm: cell.overruled for arm, cell in cells.items()},
        echoes={arm: cell.echoes for arm, cell in cells.items()},
        mixed={arm: cell.mixed for arm, cell in cells.items()},
        free=(lambda arm, kpi: free_column(results, arm, future, results.kpis[kpi].kpi.definition, kpi))
        if first
        else None,
        bands=bands_of({arm: cell.control for arm, cell in cells.items()}),
        level=results.level,
    )
    return with_moves(found, results, future) if first else found


def points(results: Results, kpis: Sequence[str], known: Mapping[str, Comparison] | None = None) -> Iterator[Point]:
    """
    Yield KPIs × futures × arms (baseline first), in this order; arms are compared within a future.

    `known`: by future, what is compared already.
    """
    found = {future: (known or {}).get(future) or compared(results, future, kpis) for future in results.futures}
    effects = {
        future: {(effect.arm, effect.kpi): effect for effect in comparison.effects}
        for future, comparison in found.items()
    }
    for kpi in kpis:
        for future, comparison in found.items():
            for arm, column in comparison.arms.items():
                interval, effect = column[kpi], effects[future].get((arm, kpi))
                if effect is not None:
                    yield Point(arm, future, kpi, interval, effect.difference, effect.tag, effect.parts, effect.moves)
                    continue
                by_hand = kpi in results.cells[arm, future].overruled
                yield Point(arm, future, kpi, interval, None, interval.reason or (BY_HAND if by_hand else ""))
