"""What each measure does over a factorial or screening design: a table for each KPI, and all of it as CSV and JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from zonesim.analysis import Difference, Factors, tells_pairs
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.values import figure_text, level_text
from zonesim.briefing.text.words import CHINESE, ENGLISH
from zonesim.experiment import Layout, Results
from zonesim.scenario import load_catalogue
from zonesim.writing import write_table

CSV: Final = "main_effects.csv"

COLUMNS: Final = (
    *("future", "kpi", "label_en", "label_zh", "unit", "quantity", "measure", "measure_en", "measure_zh", "with"),
    *("difference", "diff_low", "diff_high", "n", "percent", "reason", "run"),
)

_BOTH: Final = (ENGLISH, CHINESE)


def main_effects_rows(results: Results, told: Sequence[Factors]) -> Iterator[list[Any]]:
    """Yield all as rows with `COLUMNS`: `main` of each measure, then each `pair`; `none` with the reason."""
    measures = load_catalogue().measures
    for each in told:
        kpi = results.kpis[each.kpi]
        head = [each.future, kpi.id, kpi.en, kpi.zh, kpi.unit]
        tail = [each.reason, results.run]
        if each.reason:
            yield [*head, "none", "", "", "", "", *[math.nan] * 3, 0, math.nan, *tail]
        for name, value in each.main.items():
            label = measures[name].label
            yield [*head, "main", name, label["en"], label["zh"], "", *_numbers(value, each), *tail]
        for (one, other), value in each.pairs.items():
            label = measures[one].label
            yield [*head, "pair", one, label["en"], label["zh"], other, *_numbers(value, each), *tail]


def main_effects_document(results: Results, layout: Layout, told: Sequence[Factors]) -> dict[str, Any]:
    """Return everything for --json."""
    return {
        "kind": layout.kind,
        "foldover": layout.foldover,
        "measures": list(layout.measures),
        "runs": [{"arm": arm, "signs": list(row)} for arm, row in zip(layout.arms, layout.signs, strict=True)],
        "tells_pairs": tells_pairs(layout),
        "effects": [dict(zip(COLUMNS[:-1], row, strict=False)) for row in main_effects_rows(results, told)],
    }


def write_main_effects(folder: Path, results: Results, told: Sequence[Factors]) -> Path:
    """Write `main_effects.csv`; return its path."""
    path = folder / CSV
    write_table(path, COLUMNS, main_effects_rows(results, told))
    return path


def main_effects_text(results: Results, layout: Layout, told: Sequence[Factors]) -> str:
    """Return a table for each KPI in the first future, the strongest measure first, in both languages."""
    first = next(iter(results.futures))
    say = {"n": len(results.common(first)), "level": level_text(results.level), "runs": len(layout.arms)}
    parts = [each(f"main_effects.{layout.kind}", **say) for each in _BOTH]
    if not tells_pairs(layout):
        parts += [each(f"main_effects.{'clear' if layout.foldover else 'mixed'}") for each in _BOTH]
    for each in (own for own in told if own.future == first):
        parts += ["", *_of_kpi(results, each)]
    if len(results.futures) > 1:
        parts += ["", *(each("main_effects.more", n=len(results.futures) - 1, file=CSV) for each in _BOTH)]
    return "\n".join(parts)


def _of_kpi(results: Results, each: Factors) -> Iterator[str]:
    kpi = results.kpis[each.kpi]
    percent = kpi.unit == "share"
    yield f"{kpi.id}: {kpi.en} | {kpi.zh}, {'%' if percent else kpi.unit}"
    if each.reason:
        yield from (say(f"attribution.{each.reason}") for say in _BOTH)
        return
    table = Table(box=None, pad_edge=False)
    for head in ("measure", "措施"):
        table.add_column(head)
    for head in ("main effect", "low", "high"):
        table.add_column(head, justify="right")
    for name, value in sorted(each.main.items(), key=lambda own: -abs(own[1].value)):
        table.add_row(*_named(name), *_cells(value, percent=percent))
    for (one, other), value in sorted(each.pairs.items(), key=lambda own: -abs(own[1].value)):
        if value.low > 0 or value.high < 0:
            numbers = " × ".join(load_catalogue().measures[name].number for name in (one, other))
            table.add_row(f"{numbers} together", f"{numbers} 交互作用", *_cells(value, percent=percent))
    yield printed(table)


def _named(name: str) -> list[str]:
    measure = load_catalogue().measures[name]
    return [f"{measure.number} {say.label(measure.label, measure.name)}" for say in _BOTH]


def _cells(value: Difference, *, percent: bool) -> list[str]:
    return [figure_text(each, percent=percent) for each in (value.value, value.low, value.high)]


def _numbers(value: Difference, each: Factors) -> list[float]:
    """Return an effect with its limits, the replications, and its share of the mean over all runs."""
    share = value.value / abs(each.base) if each.base else math.nan
    return [value.value, value.low, value.high, value.n, share]
