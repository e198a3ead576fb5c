"""What becomes of control, beside the table of KPIs: what is intercepted and missed, and what each check does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from zonesim.analysis import interval
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.arm_names import ArmHeads
from zonesim.briefing.text.values import band_text
from zonesim.briefing.text.words import CHINESE, ENGLISH, Words
from zonesim.experiment import Band, CellControl, Results
from zonesim.writing import write_table

CSV: Final = "control.csv"

OFFICER_HOURS: Final = "all.officer_hours.day"

COLUMNS: Final = ("arm", "future", "subject", "truth", "quantity", "label_en", "label_zh", "unit", "low", "high", "run")

_OF_TRUTHS: Final = (
    ("intercepted", "intercepted", "share"),
    ("missed", "not_found", "share"),
    ("detections", "caught", "/d"),
    ("false_stops", "false_stops", "/d"),
)
"""What is told of a truth: its word in the glossary, its band, its unit."""

_OF_CHECKS: Final = ("met", "power")
"""The same of a check: the cases of its flow that come to it, and of these those that it finds."""


@dataclass(frozen=True)
class Told:
    """
    The least and the most of a quantity of control in an arm and a future; nan: unknown. `subject`: the truth, or the
    step of a check.
    """

    arm: str
    future: str
    subject: str
    truth: str
    quantity: str
    unit: str
    low: float
    high: float

    def label(self, say: Words) -> str:
        """Return what the quantity is called."""
        return say(f"control.{self.quantity}")


def control_told(results: Results) -> list[Told]:
    """Return what is told of control in all arms and futures."""
    return [
        each
        for future in results.futures
        for arm in results.arms
        for each in _of_cell(results.cells[arm, future].control, arm, future, _officer_hours(results, arm, future))
    ]


def _of_cell(control: CellControl, arm: str, future: str, hours: float) -> Iterator[Told]:
    for truth, bands in control.truths.items():
        for quantity, name, unit in _OF_TRUTHS:
            band = bands[name]
            yield Told(arm, future, f"all.{truth}", truth, quantity, unit, band.least, band.most)
        low, high = _each(hours, bands["caught"])
        yield Told(arm, future, f"all.{truth}", truth, "hours_each", "h", low, high)
    for check in control.checks:
        for quantity, band in (("met", check.met), ("power", check.power)):
            yield Told(arm, future, check.step, check.truth, quantity, "share", band.least, band.most)


def _each(hours: float, detections: Band) -> tuple[float, float]:
    """Return the least and the most officer hours for one detection a day; nan where there may be none."""
    if not detections.least > 0:
        return math.nan, math.nan
    return hours / detections.most, hours / detections.least


def _officer_hours(results: Results, arm: str, future: str) -> float:
    """Return the officer hours a day, nan where they are not known."""
    cell = results.cells[arm, future]
    if OFFICER_HOURS not in results.kpis or OFFICER_HOURS in cell.unstable:
        return math.nan
    return interval(results.column(arm, future, OFFICER_HOURS).tolist()).value


def control_document(found: Sequence[Told]) -> list[dict[str, Any]]:
    """Return what is told of control for --json."""
    return [
        {
            "arm": each.arm,
            "future": each.future,
            "subject": each.subject,
            "truth": each.truth,
            "quantity": each.quantity,
            "unit": each.unit,
            "low": each.low,
            "high": each.high,
        }
        for each in found
    ]


def control_rows(results: Results, found: Sequence[Told]) -> list[list[Any]]:
    """Return what is told of control as rows with `COLUMNS`."""
    return [
        [
            *(each.arm, each.future, each.subject, each.truth, each.quantity),
            *(each.label(ENGLISH), each.label(CHINESE), each.unit, each.low, each.high, results.run),
        ]
        for each in found
    ]


def write_control(folder: Path, results: Results, found: Sequence[Told]) -> list[Path]:
    """Write `control.csv`, where there is something to tell; return its path."""
    if not found:
        return []
    path = folder / CSV
    write_table(path, COLUMNS, control_rows(results, found))
    return [path]


def control_text(results: Results, found: Sequence[Told], heads: ArmHeads) -> str:
    """Return what is told of control in one future as a table, arms across; empty where there is nothing to tell."""
    if not found:
        return ""
    lifts = [cell.control.lift for cell in results.cells.values() if cell.control.lift is not None]
    known = not any(cell.control.doubted for cell in results.cells.values())
    title = (
        ENGLISH("control.title")
        if known or not lifts
        else ENGLISH(
            "control.title_lift", low=f"{min(low for low, _ in lifts):g}", high=f"{max(high for _, high in lifts):g}"
        )
    )
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for head in ("control", "监管", "unit"):
        table.add_column(head)
    for arm in results.arms:
        table.add_column(heads.head(arm), justify="right")
    for names, told in _rows(found):
        cells = [" / ".join(_text(told.get((arm, name))) for name in names) for arm in results.arms]
        first = next(iter(told.values()))
        subject = first.subject if first.subject == f"all.{first.truth}" else f"{first.subject} ({first.truth})"
        labels = [" / ".join(say(f"control.{name}") for name in names) for say in (ENGLISH, CHINESE)]
        table.add_row(f"{subject} {labels[0]}", labels[1], "%" if first.unit == "share" else first.unit, *cells)
    return printed(table)


def _rows(found: Sequence[Told]) -> Iterator[tuple[tuple[str, ...], dict[tuple[str, str], Told]]]:
    """Yield the rows for people: quantities that stand beside each other, and what is told of them by arm and name."""
    rows: dict[tuple[str, str, tuple[str, ...]], dict[tuple[str, str], Told]] = {}
    for each in found:
        names = _OF_CHECKS if each.quantity in _OF_CHECKS else (each.quantity,)
        rows.setdefault((each.subject, each.truth, names), {})[each.arm, each.quantity] = each
    yield from ((names, told) for (_, _, names), told in rows.items())


def _text(told: Told | None) -> str:
    return "-" if told is None else band_text(told.low, told.high, percent=told.unit == "share")
