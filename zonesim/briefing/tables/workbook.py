"""Workbooks, written row by row: every text stays a text, whatever it begins with."""

from __future__ import annotations

import errno
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final

from xlsxwriter import Workbook as Book
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from zonesim.writing import for_spreadsheets, whole

Cell = str | int | float
"""An empty text, nan and infinity leave a cell empty."""

GENERAL: Final = "General"
PERCENT: Final = "0.00%"

_LONGEST_TEXT: Final = 32_000
"""Letters of a cell that every spreadsheet program takes."""

_OPTIONS: Final = {
    "constant_memory": True,  # a row is written when the next one begins
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}


@contextmanager
def workbook(path: Path) -> Iterator[Workbook]:
    """Give an empty workbook that is written to `path`, whole or not at all; raises as `whole`."""
    with whole(path) as part:
        book = Book(str(part), _OPTIONS)
        yield Workbook(book)
        try:
            book.close()
        except FileCreateError as error:
            cause = error.args[0] if error.args else None
            raise cause if isinstance(cause, OSError) else OSError(errno.EIO, str(error)) from None


class Workbook:
    """The sheets of a workbook, and the formats that they share."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._formats: dict[str, Format] = {}
        self.header: Format = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self.bold: Format = book.add_format({"bold": True})
        self.quoted: Format = book.add_format({"quote_prefix": True})

    def format(self, text: str) -> Format:
        """Return the format of a number as spreadsheets write it, such as `0.00%`."""
        if text not in self._formats:
            self._formats[text] = self._book.add_format({"num_format": text})
        return self._formats[text]

    def sheet(self, title: str, heads: Sequence[str], widths: Sequence[int]) -> Sheet:
        """Return a new sheet with its header, which stays in sight."""
        sheet = self._book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        for number, width in enumerate(widths):
            sheet.set_column(number, number, width)
        for number, head in enumerate(heads):
            sheet.write_string(0, number, head, self.header)
        return Sheet(self, sheet, len(heads))

    def page(self, title: str, widths: Sequence[int]) -> Page:
        """Return a new sheet without a header, whose columns have some widths."""
        sheet = self._book.add_worksheet(title)
        for number, width in enumerate(widths):
            sheet.set_column(number, number, width)
        return Page(self, sheet)


class Page:
    """A sheet with texts and tables below each other, of which nothing is said beforehand."""

    def __init__(self, book: Workbook, sheet: Worksheet) -> None:
        self._sheet = Sheet(book, sheet, 0, first=0)
        self._book = book

    def title(self, text: str) -> None:
        """Write a bold text that may run over the columns behind."""
        self._sheet.append_bold([text], self._book.bold)

    def head(self, cells: Sequence[str]) -> None:
        """Write a row of bold texts, each in the width of its column."""
        self._sheet.append_bold(cells, self._book.header)

    def append(self, cells: Sequence[Cell], formats: Sequence[str] = ()) -> None:
        """Write a row, as `Sheet.append`."""
        self._sheet.append(cells, formats)

    def skip(self) -> None:
        """Leave a row empty."""
        self._sheet.append(())


class Sheet:
    """A sheet that is filled from the top."""

    def __init__(self, book: Workbook, sheet: Worksheet, columns: int, *, first: int = 1) -> None:
        self._book, self._sheet, self._columns = book, sheet, columns
        self._row = first - 1

    def append(self, cells: Sequence[Cell], formats: Sequence[str] = ()) -> None:
        """
        Write the next row.

        `formats`: of the numbers that have a fraction, from the left; where it ends or is empty they have two digits
        behind the point, below 1 three.
        """
        self._row += 1
        for column, value in enumerate(cells):
            if isinstance(value, str):
                self._write_text(column, value)
            elif isinstance(value, bool):
                self._sheet.write_boolean(self._row, column, value)
            elif isinstance(value, int):
                self._sheet.write_number(self._row, column, value)
            elif math.isfinite(value):
                asked = formats[column] if column < len(formats) else ""
                shown = self._book.format(asked or ("0.000" if abs(value) < 1 else "0.00"))
                self._sheet.write_number(self._row, column, value, shown)

    def append_bold(self, cells: Sequence[str], bold: Format) -> None:
        """Write the next row of texts in a format, so that it is a head."""
        self._row += 1
        for column, value in enumerate(cells):
            self._sheet.write_string(self._row, column, _shown(value)[0], bold)

    def append_texts(self, cells: Sequence[object]) -> None:
        """Write the next row, every cell as a text, nothing for None."""
        self.append(["" if cell is None else str(cell) for cell in cells])

    def filter_rows(self) -> None:
        """Let readers choose among the rows by the words of each column."""
        self._sheet.autofilter(0, 0, self._row, self._columns - 1)

    def _write_text(self, column: int, value: str) -> None:
        text, quoted = _shown(value)
        if text:
            self._sheet.write_string(self._row, column, text, self._book.quoted if quoted else None)


@lru_cache(10_000)  # labels come again and again
def _shown(value: str) -> tuple[str, bool]:
    """
    Return a text without what no cell takes, and whether it begins like a formula: it is none, nor will it be one when
    it is edited.
    """
    text = value
    if not text.isprintable() or len(text) > _LONGEST_TEXT:
        text = "".join(letter for letter in text if letter >= " " or letter in "\n\t")[:_LONGEST_TEXT]
    return text, for_spreadsheets(text) != text
