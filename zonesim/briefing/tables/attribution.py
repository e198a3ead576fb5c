"""What each measure of a package contributes: a table for each KPI, and all of it as CSV and JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from zonesim.analysis import Attribution, Contribution, Difference
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.values import figure_text, level_text, told_run
from zonesim.briefing.text.words import CHINESE, ENGLISH
from zonesim.experiment import Results
from zonesim.scenario import load_catalogue
from zonesim.writing import write_table

CSV: Final = "attribution.csv"

COLUMNS: Final = (
    *("kpi", "label_en", "label_zh", "unit", "measure", "measure_en", "measure_zh", "with", "quantity"),
    *("difference", "diff_low", "diff_high", "n", "percent", "reason", "run"),
)


_MOST_PAIRS: Final = 5

_MOST_TOLD: Final = 12
"""So many KPIs are printed where nobody asked for any: those that surely move by 1 % or more, in their order."""


def attribution_rows(results: Results, told: Sequence[Attribution]) -> Iterator[list[Any]]:
    """Yield all as rows with `COLUMNS`: `joint`, then `alone`, `last`, `shapley` of each measure, then `pair`s."""
    measures = load_catalogue().measures
    for each in told:
        kpi = results.kpis[each.kpi]
        head = [kpi.id, kpi.en, kpi.zh, kpi.unit]
        tail = [each.reason, results.run]
        yield [*head, "", "", "", "", "joint", *_numbers(each.joint), _part(each.joint, each), *tail]
        for own in each.contributions:
            label = measures[own.measure].label
            named = [own.measure, label["en"], label["zh"], ""]
            for quantity, value in (("alone", own.alone), ("last", own.last), ("shapley", own.shapley)):
                yield [*head, *named, quantity, *_numbers(value), _part(value, each), *tail]
        for (one, other), value in (each.interactions or {}).items():
            label = measures[one].label
            yield [*head, one, label["en"], label["zh"], other, "pair", *_numbers(value), _part(value, each), *tail]


def attribution_document(results: Results, told: Sequence[Attribution]) -> dict[str, Any]:
    """Return everything for --json."""
    return {
        "run": results.run,
        "baseline": results.baseline,
        "level": results.level,
        "exact": all(each.exact for each in told),
        "attribution": [dict(zip(COLUMNS[:-1], row, strict=False)) for row in attribution_rows(results, told)],
    }


def write_attribution(folder: Path, results: Results, told: Sequence[Attribution]) -> Path:
    """Write `attribution.csv`; return its path."""
    path = folder / CSV
    write_table(path, COLUMNS, attribution_rows(results, told))
    return path


def attribution_text(results: Results, told: Sequence[Attribution], *, every: bool) -> str:
    """Return a table for each KPI, `every` one or those that move by what counts, in both languages."""
    shown = [each for each in told if every or each.is_material]
    hidden = [] if every else shown[_MOST_TOLD:]
    shown = shown if every else shown[:_MOST_TOLD]
    n = len(results.common(next(iter(results.futures))))
    parts = [
        ENGLISH("attribution.title", name=results.scenario, n=n, seed=results.seed, level=level_text(results.level)),
        told_run(results),
    ]
    for each in shown:
        parts += ["", *_of_kpi(results, each)]
    if hidden:
        parts += ["", *(say("attribution.more", n=len(hidden), file=CSV) for say in (ENGLISH, CHINESE))]
    if not shown:
        parts += ["", *(say("attribution.nothing") for say in (ENGLISH, CHINESE))]
    if shown and not all(each.exact for each in shown):
        parts += ["", *(say("attribution.sampled") for say in (ENGLISH, CHINESE))]
    return "\n".join(parts)


def _of_kpi(results: Results, each: Attribution) -> Iterator[str]:
    kpi = results.kpis[each.kpi]
    percent = kpi.unit == "share"
    unit = "%" if percent else kpi.unit
    yield f"{kpi.id}: {kpi.en} | {kpi.zh}, {unit}"
    if each.reason:
        yield from (say(f"attribution.{each.reason}") for say in (ENGLISH, CHINESE))
        return
    table = Table(box=None, pad_edge=False)
    for head in ("measure", "措施"):
        table.add_column(head)
    for head in ("alone", "last", "Shapley", "low", "high", "% of all"):
        table.add_column(head, justify="right")
    for own in sorted(each.contributions, key=lambda own: -abs(own.shapley.value)):
        table.add_row(*_named(own), *_cells(own, percent=percent), _percent(_part(own.shapley, each)))
    joint = [figure_text(value, percent=percent) for value in (each.joint.value, each.joint.low, each.joint.high)]
    table.add_row(ENGLISH("attribution.joint"), CHINESE("attribution.joint"), "", "", *joint, "100")
    yield printed(table)
    yield from _pairs(each, percent=percent)


def _pairs(each: Attribution, *, percent: bool) -> Iterator[str]:
    """Yield the pairs that surely do more, or less, together than one by one, the strongest first."""
    sure = [(pair, value) for pair, value in (each.interactions or {}).items() if value.low > 0 or value.high < 0]
    if not sure:
        return
    sure.sort(key=lambda own: -abs(own[1].value))
    numbers = {name: measure.number for name, measure in load_catalogue().measures.items()}
    told = ", ".join(
        f"{numbers[one]} × {numbers[other]} {figure_text(value.value, percent=percent)}"
        for (one, other), value in sure[:_MOST_PAIRS]
    )
    yield from (say("attribution.pairs", pairs=told) for say in (ENGLISH, CHINESE))


def _named(own: Contribution) -> list[str]:
    measure = load_catalogue().measures[own.measure]
    return [f"{measure.number} {say.label(measure.label, measure.name)}" for say in (ENGLISH, CHINESE)]


def _cells(own: Contribution, *, percent: bool) -> list[str]:
    values = (own.alone.value, own.last.value, own.shapley.value, own.shapley.low, own.shapley.high)
    return [figure_text(value, percent=percent) for value in values]


def _numbers(value: Difference) -> list[float]:
    return [value.value, value.low, value.high, value.n]


def _part(value: Difference, each: Attribution) -> float:
    """Return a difference as a share of the whole package's, nan where that is none."""
    return value.value / each.joint.value if each.joint.value else math.nan


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else str(round(100 * share))
