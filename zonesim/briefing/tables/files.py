"""Results as tables for other programs: a long CSV, and a workbook with what is needed to judge the numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from zonesim.analysis import Bound, Costs, Point
from zonesim.briefing.tables import gains
from zonesim.briefing.tables.control import COLUMNS, control_rows, control_told
from zonesim.briefing.tables.costs import COLUMNS as COST_COLUMNS
from zonesim.briefing.tables.costs import PAYBACK_COLUMNS, cost_rows, payback_rows
from zonesim.briefing.tables.multiplicity import together_cells
from zonesim.briefing.tables.parts import DOUBT_COLUMNS, doubt_rows, has_doubts, part_cells, part_columns
from zonesim.briefing.tables.workbook import GENERAL, PERCENT, Cell, Sheet, Workbook, workbook
from zonesim.briefing.text.arm_names import ArmHeads
from zonesim.briefing.text.words import glossary
from zonesim.experiment import Results
from zonesim.policy import Entry
from zonesim.writing import write_table

CSV: Final = "results.csv"
EXCEL: Final = "results.xlsx"
BOUNDS: Final = "bounds.csv"
REPLICATIONS: Final = "replications.csv"

BY_REPLICATION: Final = ("arm", "future", "replication", "seed", "kpi", "value")

_FIXED: Final = ("experiment", "arm", "future")
_NUMBERS: Final = (
    "kpi",
    "label_en",
    "label_zh",
    "unit",
    "better",
    "value",
    "low",
    "high",
    "n",
    "missing",
    "withheld",
    "baseline",
    "difference",
    "diff_low",
    "diff_high",
    "diff_low_together",
    "diff_high_together",
    "change",
    "tag",
)
_RUN: Final = ("run", "seed", "replications", "settings")
"""Columns that tell which run a row belongs to."""


def columns_of(results: Results) -> list[str]:
    """Return the columns of the long table: every path that a future sets has one, and so have parts that were run."""
    return [*_FIXED, *_paths(results), *_NUMBERS, *part_columns(results), *_RUN]


def _paths(results: Results) -> list[str]:
    return list(dict.fromkeys(path for future in results.futures.values() for path, *_ in future.settings))


def rows_of(results: Results, found: Iterable[Point]) -> list[list[Any]]:
    """Return the rows of the long table; numbers are numbers, shares too (0 to 1), and what has no value is nan."""
    paths = _paths(results)
    rows = []
    for point in found:
        settings = {path: text for path, text, _ in _settings(results, point)}
        kpi, change = results.kpis[point.kpi], point.difference
        rows.append(
            [
                results.name,
                point.arm,
                point.future,
                *(settings.get(path, "") for path in paths),
                kpi.id,
                kpi.en,
                kpi.zh,
                kpi.unit,
                kpi.better,
                point.interval.value,
                point.interval.low,
                point.interval.high,
                point.interval.n,
                point.interval.missing,
                point.interval.withheld,
                results.baseline,
                *((change.value, change.low, change.high) if change is not None else (math.nan,) * 3),
                *together_cells(change),
                change.change(kpi.better) if change is not None else "",
                point.tag,
                *part_cells(results, point.parts),
                *_run(results),
            ]
        )
    return rows


def _run(results: Results) -> list[Any]:
    return [results.run, results.seed, results.replications, "; ".join(results.settings)]


def _settings(results: Results, point: Point) -> tuple[tuple[str, str, float | None], ...]:
    return results.futures[point.future].settings


def write_results(
    folder: Path,
    results: Results,
    found: Sequence[Point],
    register: Sequence[Entry] = (),
    *,
    table: bool = True,
    bounds: Mapping[str, Bound] | None = None,
    groups: Iterable[Sequence[Any]] = (),
    costs: Costs | None = None,
    heads: ArmHeads | None = None,
) -> list[Path]:
    """
    Write `results.csv` (unless `table` is false) and `results.xlsx`; return their paths. `bounds`: by arm how many
    times its demand it carries at most, `costs`: what it costs, where that is told. `groups`: rows of who gains, where
    there are groups. `heads`: what people call arms; the workbook has it beside the names that commands give.
    """
    paths = []
    if table:
        paths.append(folder / CSV)
        firsts = {len(_FIXED) + position for position in range(len(_paths(results)))}
        rows = (
            # The factor of a setting is a number.
            [cell.removeprefix("×") if position in firsts else cell for position, cell in enumerate(row)]
            for row in rows_of(results, found)
        )
        write_table(paths[-1], columns_of(results), rows)
    paths.append(folder / EXCEL)
    with workbook(paths[-1]) as plain:
        book = _Book(plain, heads or ArmHeads())
        _results_sheet(book, results, found)
        _effects_sheet(book, results, found)
        _doubts_sheet(book, results, found)
        _gains_sheet(book, list(groups))
        _control_sheet(book, results)
        if costs is not None:
            _cost_sheets(book, results, costs)
        _arms_sheet(book, results)
        if bounds:
            _bounds_sheet(book, results, bounds)
        _register_sheet(book, register)
        _provenance_sheet(book, results)
    return paths


# --- replication by replication


def by_replication(results: Results, kpis: Sequence[str]) -> Iterator[tuple[str, str, int, int, str, float]]:
    """
    Yield arm, future, replication, seed, KPI and value of every replication that all arms have finished; nan where a
    KPI has no value or is withheld.
    """
    for future in results.futures:
        for arm in results.arms:
            columns = [results.column(arm, future, kpi).tolist() for kpi in kpis]
            for place, replication in enumerate(results.common(future)):
                for kpi, column in zip(kpis, columns, strict=True):
                    yield arm, future, replication, results.seed, kpi, column[place]


def by_replication_document(results: Results, kpis: Sequence[str]) -> list[dict[str, Any]]:
    """Return the values of every replication for --json."""
    return [dict(zip(BY_REPLICATION, row, strict=True)) for row in by_replication(results, kpis)]


def write_by_replication(folder: Path, results: Results, kpis: Sequence[str]) -> Path:
    """Write `replications.csv`, a row for each arm, future, replication and KPI; return its path."""
    path = folder / REPLICATIONS
    rows = ([*row, results.run] for row in by_replication(results, kpis))
    write_table(path, [*BY_REPLICATION, "run"], rows)
    return path


# --- the workbook


_T = TypeVar("_T")

_CALLED: Final = ("arm_en", "arm_zh")
"""Columns behind the one of arms: what people call them."""


@dataclass(frozen=True)
class _Book:
    """A workbook, and what people call the arms in it."""

    book: Workbook
    heads: ArmHeads


class _ArmSheet:
    """A sheet in which every arm stands with what people call it, behind the name that commands give it."""

    def __init__(self, sheet: Sheet, heads: ArmHeads, at: int) -> None:
        self._sheet, self._heads, self._at = sheet, heads, at

    def append(self, cells: Sequence[Cell], formats: Sequence[str] = ()) -> None:
        """Write a row, as `Sheet.append`."""
        names = self._heads.both(str(cells[self._at]))
        told = [*formats, *[""] * (self._at + 1 - len(formats))]
        self._sheet.append(self._wider(cells, names), self._wider(told, ("", "")))

    def append_texts(self, cells: Sequence[object]) -> None:
        """Write a row of texts, as `Sheet.append_texts`."""
        self._sheet.append_texts(self._wider(cells, self._heads.both(str(cells[self._at]))))

    def filter_rows(self) -> None:
        """Let readers choose among the rows."""
        self._sheet.filter_rows()

    def _wider(self, cells: Sequence[_T], names: Sequence[_T]) -> list[_T]:
        return [*cells[: self._at + 1], *names, *cells[self._at + 1 :]]


def _sheet(book: _Book, title: str, heads: Sequence[str], widths: Sequence[int]) -> Sheet | _ArmSheet:
    """Return a new sheet with its header in English and Chinese; what people call an arm stands behind its name."""
    chinese = {name: words["zh"] for name, words in glossary()["columns"].items()}
    own, wide = list(heads), list(widths)
    at = own.index("arm") if "arm" in own else -1
    if at >= 0:
        own[at + 1 : at + 1], wide[at + 1 : at + 1] = _CALLED, (24, 20)
    sheet = book.book.sheet(title, [f"{head}\n{chinese[head]}" if head in chinese else head for head in own], wide)
    return sheet if at < 0 else _ArmSheet(sheet, book.heads, at)


def _results_sheet(book: _Book, results: Results, found: Sequence[Point]) -> None:
    paths = _paths(results)
    heads = columns_of(results)
    before, behind = [18, 16, 24], [28, 40, 34, 8, 10, 12, 12, 12, 8, 12, 12, 12, 12, 12, 12, 10, 12, 12, 8, 14, 30]
    behind[-4:-4] = [12 for _ in part_columns(results)]
    widths = [*before, *(16 for _ in paths), *behind]
    sheet = _sheet(book, "Results", heads, widths)
    first = len(_FIXED)
    shares = heads.index("missing")
    for point, row in zip(found, rows_of(results, found), strict=True):
        formats = [PERCENT if results.kpis[point.kpi].unit == "share" else ""] * len(row)
        formats[shares] = PERCENT
        numbers = {path: number for path, _, number in _settings(results, point)}
        for position, path in enumerate(paths, start=first):
            row[position], formats[position] = _setting_cell(row[position], numbers.get(path))
        sheet.append(row, formats)
    sheet.filter_rows()


def _setting_cell(text: str, number: float | None) -> tuple[Cell, str]:
    """Return a setting as a number with a format that shows its words (`×1.5`, `12 /h`): so it sorts and plots."""
    if number is None:
        return text, ""
    shown = f"{number:.12g}"
    if text == shown or text.count(shown) != 1:
        return number, GENERAL
    before, _, after = text.partition(shown)
    return number, "".join((f'"{before}"' if before else "", GENERAL, f'"{after}"' if after else ""))


def _effects_sheet(book: _Book, results: Results, found: Sequence[Point]) -> None:
    heads = ("arm", "future", "kpi", "label_en", "label_zh", "unit", "better")
    numbers = ("difference", "diff_low", "diff_high", "percent", "n", "baseline", "change", "tag")
    widths = (16, 24, 28, 40, 34, 8, 10, 12, 12, 12, 12, 8, 12, 10, 12, 12, 8, 14, 30)
    parts = part_columns(results)
    sheet = _sheet(
        book, "Effects", [*heads, *numbers, *parts, *_RUN], [*widths[:-4], *(12 for _ in parts), *widths[-4:]]
    )
    bases = {(each.future, each.kpi): each.interval.value for each in found if each.difference is None}
    for point in found:
        if point.difference is None:
            continue
        kpi, change = results.kpis[point.kpi], point.difference
        base = bases[point.future, point.kpi]
        relative = change.value / abs(base) if base else math.nan
        row: list[Cell] = [point.arm, point.future, kpi.id, kpi.en, kpi.zh, kpi.unit, kpi.better]
        row += [change.value, change.low, change.high, relative, change.n, results.baseline]
        row += [change.change(kpi.better), point.tag, *part_cells(results, point.parts), *_run(results)]
        own = PERCENT if kpi.unit == "share" else ""
        sheet.append(row, [*("" for _ in heads), own, own, own, PERCENT])


def _doubts_sheet(book: _Book, results: Results, found: Sequence[Point]) -> None:
    if not has_doubts(results):
        return
    widths = (16, 28, 40, 34, 8, 8, 12, 12, 12, 36, 36, 30, 12, 12, 10, 10, 8, 8)
    sheet = _sheet(book, "Doubts", DOUBT_COLUMNS, widths)
    for row in doubt_rows(results, found, few=True):
        own = PERCENT if row[4] == "share" else ""
        sheet.append(row, ["", "", "", "", "", "", own, own, own, "", "", "", own, own])
    sheet.filter_rows()


def _gains_sheet(book: _Book, rows: Sequence[Sequence[Any]]) -> None:
    if not rows:
        return
    sheet = _sheet(book, "Gains", gains.COLUMNS, gains.WIDTHS)
    for row in rows:
        sheet.append(row, gains.gain_formats())
    sheet.filter_rows()


def _control_sheet(book: _Book, results: Results) -> None:
    rows = control_rows(results, control_told(results))
    if not rows:
        return
    sheet = _sheet(book, "Control", COLUMNS, (16, 24, 36, 20, 16, 40, 34, 8, 12, 12, 14))
    for row in rows:
        share = row[COLUMNS.index("unit")] == "share"
        sheet.append(row, ["", "", "", "", "", "", "", "", PERCENT, PERCENT] if share else [])


def _cost_sheets(book: _Book, results: Results, costs: Costs) -> None:
    if not costs.lines:
        return
    sheet = _sheet(book, "Costs", COST_COLUMNS, (16, 8, 20, 12, 34, 24, 8, *(12 for _ in COST_COLUMNS[7:-1]), 14))
    for row in cost_rows(results, costs):
        sheet.append(row)
    if costs.paybacks:
        sheet = _sheet(book, "Payback", PAYBACK_COLUMNS, (16, 16, 28, 24, 12, 16, *(12 for _ in PAYBACK_COLUMNS[6:])))
        for row in payback_rows(results, costs):
            sheet.append(row)


def _arms_sheet(book: _Book, results: Results) -> None:
    heads = ("arm", "measures", "own changes", "path", "old", "new", "by", "at")
    sheet = _sheet(book, "Arms", heads, (16, 24, 36, 44, 30, 30, 20, 40))
    for arm in results.arms.values():
        edits = ", ".join(f"{path} {text}" for path, text, _ in arm.edits)
        own = (arm.name, ", ".join(arm.measures), edits)
        changes = results.provenance["changes"].get(arm.name, []) or [{}]
        for change in changes:
            sheet.append_texts([*own, *(change.get(key) for key in ("path", "old", "new", "by", "at"))])


_BOUNDS: Final = ("arm", "carries_at_most", "fully_loaded", "less", "unknown")


def _bounds_rows(bounds: Mapping[str, Bound]) -> Iterator[list[Any]]:
    """Yield a row an arm: the multiple of demand (nan: none is known) and what is fully loaded there."""
    for arm, bound in bounds.items():
        multiple = bound.multiple if math.isfinite(bound.multiple) else math.nan
        unknown = ", ".join(name for name, _ in bound.unknown)
        yield [arm, multiple, ", ".join(bound.names), int(bound.loose), unknown]


def write_bounds(folder: Path, results: Results, bounds: Mapping[str, Bound]) -> Path:
    """Write `bounds.csv`: by arm how many times its demand it carries at most, by the traffic equations."""
    path = folder / BOUNDS
    write_table(path, [*_BOUNDS, *_RUN], [[*row, *_run(results)] for row in _bounds_rows(bounds)])
    return path


def _bounds_sheet(book: _Book, results: Results, bounds: Mapping[str, Bound]) -> None:
    sheet = _sheet(book, "Bounds", (*_BOUNDS, "run"), (16, 16, 40, 8, 60, 12))
    for row in _bounds_rows(bounds):
        sheet.append([*row, results.run])


def _register_sheet(book: _Book, register: Sequence[Entry]) -> None:
    sheet = _sheet(book, "Register", ("path", "number", "kind", "source", "place"), (60, 16, 12, 60, 44))
    for entry in register:
        source = entry.source.title if entry.source is not None else ""
        sheet.append_texts([entry.dotted, entry.text, entry.kind, source, entry.place])


def _provenance_sheet(book: _Book, results: Results) -> None:
    sheet = _sheet(book, "Provenance", ("key", "text"), (36, 100))
    facts: list[tuple[str, Any]] = [
        ("run", results.run),
        ("settings", "; ".join(results.settings)),
        ("experiment", results.name),
        ("scenario", results.scenario),
        ("synthetic", results.synthetic),
        ("baseline", results.baseline),
        ("seed", results.seed),
        ("replications", results.replications),
        ("arms", ", ".join(results.arms)),
        ("futures", "; ".join(results.futures)),
        ("intervals", f"{100 * results.level:g} %, Student over replications; differences paired"),
    ]
    told = ("zonesim", "meaning", "kpi_table", "file", "scenario_file", "engine", "python")
    facts += [(key, results.provenance.get(key)) for key in told]
    facts.append(("all settings", ", ".join(results.provenance["settings"])))
    facts += [(f"numbers {kind}", count) for kind, count in results.provenance["numbers"].items()]
    facts += [(f"package {name}", version) for name, version in results.provenance["packages"].items()]
    facts += [
        (f"cells of {arm}, {future}", f"{cell.key} ({len(cell.replications)} replications)")
        for (arm, future), cell in results.cells.items()
    ]
    for key, value in facts:
        sheet.append([key, value if isinstance(value, int) else str(value or "")])
    for kpi in results.reported():
        sheet.append([kpi, results.kpis[kpi].kpi.definition.meaning])
