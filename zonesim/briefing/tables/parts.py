"""What differences are made of as columns of tables, and what doubts do to them as a table of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from zonesim.analysis import Comparison, Effect, Parts, Point
from zonesim.experiment import UNLIMITED_UNITS, Results
from zonesim.writing import write_table

DOUBTS: Final = "doubts.csv"

PARTS: Final = ("direct", "direct_low", "direct_high", "congestion", "congestion_low", "congestion_high")

DOUBT_COLUMNS: Final = (
    *("arm", "kpi", "label_en", "label_zh", "unit", "headline", "difference", "diff_low", "diff_high"),
    *("doubt", "doubt_en", "doubt_zh", "at_low", "at_high", "low_reason", "high_reason", "n", "counts"),
)


def part_columns(results: Results) -> tuple[str, ...]:
    """Return the columns of the parts of differences; none where they were not run."""
    return PARTS if UNLIMITED_UNITS in results.beside else ()


def part_cells(results: Results, parts: Parts | None) -> list[float]:
    """Return the parts of a difference by `part_columns`, nan where it has none."""
    if not part_columns(results):
        return []
    if parts is None:
        return [math.nan] * len(PARTS)
    return [each for own in (parts.direct, parts.congestion) for each in (own.value, own.low, own.high)]


def has_doubts(results: Results) -> bool:
    """Return whether the ends of any doubt were run."""
    return any(each.doubt for each in results.beside.values())


def doubt_rows(results: Results, effects: Iterable[Effect | Point], *, few: bool = False) -> Iterator[list[Any]]:
    """
    Yield what every doubt does to every difference, by `DOUBT_COLUMNS`; `n`: replications at the ends. `few`: only to
    headlines, and to others where it counts.
    """
    for effect in effects:
        kpi, change = results.kpis[effect.kpi], effect.difference
        if change is None:
            continue
        for move in effect.moves:
            if few and not (kpi.headline or move.counts(change)):
                continue
            yield [
                *(effect.arm, kpi.id, kpi.en, kpi.zh, kpi.unit, int(kpi.headline)),
                *(change.value, change.low, change.high),
                *(move.doubt, move.label.get("en", ""), move.label.get("zh", "")),
                *(move.low, move.high, *move.reasons, move.n, int(move.counts(change))),
            ]


def write_doubts(folder: Path, results: Results, comparison: Comparison) -> list[Path]:
    """Write `doubts.csv`, a row for each arm, KPI and doubt; return its path, nothing where no doubt was run."""
    if not has_doubts(results):
        return []
    path = folder / DOUBTS
    rows = ([*row, results.run] for row in doubt_rows(results, comparison.effects))
    write_table(path, [*DOUBT_COLUMNS, "run"], rows)
    return [path]
