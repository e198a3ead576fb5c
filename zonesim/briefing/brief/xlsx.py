"""A briefing as a workbook: a summary, then a sheet for each question; numbers are numbers, texts stay texts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from zonesim.briefing.brief.model import Briefing, Cell, Column, Number, Range, Section, Style, Table
from zonesim.briefing.tables.workbook import PERCENT, Page, workbook
from zonesim.briefing.tables.workbook import Cell as Written

_FORMATS: Final[dict[Style, str]] = {"plain": "", "share": PERCENT, "whole": "#,##0", "times": '"×"0.00'}
_WIDTHS: Final = (34, 24, *(14,) * 14)

MOST_LETTERS: Final = 31
"""Letters of the name of a sheet."""


def write_xlsx(path: Path, briefing: Briefing) -> None:
    """Write a briefing as a workbook, whole or not at all; raises ScenarioFault when it cannot be written."""
    with workbook(path) as book:
        _summary(book.page(_sheet_name(briefing.words["summary"]), (120,)), briefing)
        for section in briefing.sections:
            _section(book.page(_sheet_name(section.name), _WIDTHS), section, briefing)


def _sheet_name(text: str) -> str:
    """Return a name that a sheet may have."""
    return re.sub(r"[\[\]:*?/\\']", " ", text)[:MOST_LETTERS]


def _summary(page: Page, briefing: Briefing) -> None:
    page.title(briefing.title)
    page.append([briefing.source])
    page.skip()
    page.title(briefing.words["question"])
    page.append([briefing.question])
    page.skip()
    page.title(briefing.words["findings"])
    for number, text in enumerate(briefing.findings, start=1):
        page.append([f"{number}. {text}"])
    page.skip()
    page.title(briefing.words["contents"])
    for section in briefing.sections:
        page.append([f"{section.name}: {section.title}"])
    page.skip()
    page.title(briefing.words["commands"])
    for text in (briefing.words["again"], *briefing.commands):
        page.append([text])


def _section(page: Page, section: Section, briefing: Briefing) -> None:
    page.title(section.title)
    page.append([briefing.source])
    for text in section.paragraphs:
        page.append([text])
    for table in section.tables:
        page.skip()
        page.title(table.title)
        page.head([head for column in table.columns for head in _heads(column, briefing)])
        for cells, formats in _rows(table):
            page.append(cells, formats)
        for text in table.notes:
            page.append([text])


def _heads(column: Column, briefing: Briefing) -> list[str]:
    if column.kind != "range":
        return [column.head]
    left, right = ("（", "）") if briefing.language == "zh" else (" (", ")")
    return [f"{column.head}{left}{briefing.words[end]}{right}" for end in ("low", "high")]


def _rows(table: Table) -> Iterator[tuple[list[Written], list[str]]]:
    for row in table.rows:
        pairs = [pair for cell in row for pair in _written(cell)]
        yield [cell for cell, _ in pairs], [shown for _, shown in pairs]


def _written(cell: Cell) -> Iterator[tuple[Written, str]]:
    """Yield what stands in one cell of the workbook, or in two, with the format of the number."""
    if isinstance(cell, Number):
        yield _finite(cell.value), _FORMATS[cell.style]
    elif isinstance(cell, Range):
        yield from ((_finite(end), _FORMATS[cell.style]) for end in (cell.low, cell.high))
    else:
        yield cell, ""


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan
