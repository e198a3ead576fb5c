"""Tables over futures: the values of each, and in how many of them an arm's difference has the same sign."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from zonesim.analysis import Stability
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.arm_names import ArmHeads
from zonesim.briefing.text.values import level_text
from zonesim.briefing.text.words import CHINESE, ENGLISH
from zonesim.experiment import Results
from zonesim.writing import write_table

FUTURES: Final = "futures.csv"
STABILITY: Final = "stability.csv"

FUTURE_COLUMNS: Final = ("future", "sample", "path", "text", "number", "run")
STABILITY_COLUMNS: Final = (
    *("arm", "kpi", "label_en", "label_zh", "sign", "same", "sure", "opposite", "surely_opposite", "unknown"),
    *("futures", "share_low", "share_high", "run"),
)

_MOST_TOLD: Final = 60
"""So many effects are printed; the file has all."""

_BOTH: Final = (ENGLISH, CHINESE)
_SIGNS: Final = {-1: "lower", 0: "equal", 1: "higher"}


def write_futures(folder: Path, results: Results) -> Path:
    """Write `futures.csv`, a row for each value of each future (one without a path where nothing is changed)."""
    path = folder / FUTURES
    write_table(path, FUTURE_COLUMNS, _future_rows(results))
    return path


def _future_rows(results: Results) -> Iterator[list[Any]]:
    for future in results.futures.values():
        for path, text, number in future.settings or (("", "", None),):
            yield [future.name, future.sample or "", path, text, "" if number is None else number, results.run]


def write_stability(folder: Path, results: Results, found: Sequence[Stability]) -> Path:
    """Write `stability.csv`, a row for each effect; return its path."""
    path = folder / STABILITY
    rows = (
        [
            *(each.arm, each.kpi, results.kpis[each.kpi].en, results.kpis[each.kpi].zh, _SIGNS[each.sign], each.same),
            *(each.sure, each.opposite, each.surely_opposite, each.unknown, each.futures, each.low, each.high),
            results.run,
        ]
        for each in found
    )
    write_table(path, STABILITY_COLUMNS, rows)
    return path


def stability_document(found: Sequence[Stability]) -> list[dict[str, Any]]:
    """Return all effects for --json."""
    return [{**asdict(each), "sign": _SIGNS[each.sign]} for each in found]


def stability_text(results: Results, found: Sequence[Stability], heads: ArmHeads) -> str:
    """Return a table of the signs of effects over futures, in both languages."""
    table = Table(box=None, pad_edge=False)
    for head in ("kpi", "arm", "", ""):
        table.add_column(head)
    for head in ("same", "surely", "opposite", "surely", "unknown", "futures", "share"):
        table.add_column(head, justify="right")
    for each in found[:_MOST_TOLD]:
        share = "" if each.low != each.low else f"{100 * each.low:.0f}-{100 * each.high:.0f} %"
        words = [say(f"stability.{_SIGNS[each.sign]}") for say in _BOTH]
        counts = (each.same, each.sure, each.opposite, each.surely_opposite, each.unknown, each.futures)
        table.add_row(each.kpi, heads.line(each.arm), *words, *map(str, counts), share)
    parts = [*(say("stability.title") for say in _BOTH), printed(table)]
    parts += [say("stability.legend", level=level_text(results.level)) for say in _BOTH]
    if len(found) > _MOST_TOLD:
        parts += [say("stability.more", n=len(found) - _MOST_TOLD, file=STABILITY) for say in _BOTH]
    return "\n".join(parts)
