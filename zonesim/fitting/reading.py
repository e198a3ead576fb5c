"""
Text files of strangers as rows: encoding and separator are found, every line is one row or says why not.

A file is read line by line, so memory is bounded by the longest line that is accepted; a quote that is never closed
costs one row, not the rest of the file.
"""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Final

from zonesim.faults import Place, ScenarioFault
from zonesim.scenario.paths import ODD, is_odd

LONGEST_LINE: Final = 100_000
"""Characters of a line; what is longer is no row of a log."""

MOST_LINES_OF_A_ROW: Final = 10
"""Lines that a quoted cell may run over."""

HEADER_WITHIN: Final = 30
"""The line with the column names is looked for in so many first lines: exports begin with titles."""

_SEPARATORS: Final = (",", ";", "\t", "|")
_CHUNK: Final = 1 << 20
_UNKNOWN: Final = "\ufffd"
_ASCII: Final = bytes(range(128))


@dataclass(slots=True)
class Row:
    """A row: the number of its first line, its cells; `broken` says why they cannot be used."""

    line: int
    cells: list[str]
    broken: str = ""
    unknown_letters: bool = False


@dataclass(frozen=True)
class Form:
    """How a file is written: its encoding, the separator, the line of the header and the column names."""

    encoding: str
    separator: str
    header_line: int
    names: tuple[str, ...]


def find_form(path: Path, wanted: list[str]) -> Form:
    """
    Return how a file is written, looking for a header that names the `wanted` columns.

    Where no line names them all, the header is the line that names most of them, or the first with several cells.
    Raises ScenarioFault when the file cannot be read as text with columns.
    """
    encoding = _encoding(path)
    with open_text(path, encoding) as file:
        lines = [line for _, line in zip(range(HEADER_WITHIN), _lines(file), strict=False)]
    if not any(line.strip() for line in lines):
        raise ScenarioFault("the file is empty", Place(str(path)), "Give a CSV file with a header and rows.")
    best: tuple[int, int, int] = (0, 0, 0)
    form = None
    for separator in _SEPARATORS:
        for number, line in enumerate(lines, start=1):
            names = tuple(_clean(name) for name in _split(line, separator) or [])
            filled = sum(bool(name) for name in names)
            score = (sum(name in names for name in wanted), min(filled, 2), -number)
            if filled and score > best:
                best, form = score, Form(encoding, separator, number, names)
    if form is None:
        raise ScenarioFault("no line with column names", Place(str(path), 1, 1), "Give a CSV file with a header.")
    return form


def rows_of(path: Path, form: Form) -> Iterator[Row]:
    """Yield the rows below the header, blank lines too (they have no filled cells)."""
    with open_text(path, form.encoding) as file:
        lines = islice(enumerate(_lines(file), start=1), form.header_line, None)
        ahead: deque[tuple[int, str]] = deque()
        while (found := ahead.popleft() if ahead else next(lines, None)) is not None:
            number, line = found
            if '"' not in line:
                cells = line.rstrip("\r\n").split(form.separator)
                yield Row(number, cells, "the line is too long" if len(line) >= LONGEST_LINE else "", _UNKNOWN in line)
                continue
            text, used = line, 0
            while text.count('"') % 2 and used < MOST_LINES_OF_A_ROW:
                if used == len(ahead):
                    more = next(lines, None)
                    if more is None:
                        break
                    ahead.append(more)
                text, used = text + ahead[used][1], used + 1
            joined = _split(text, form.separator)
            if text.count('"') % 2 or joined is None or (used and len(joined) != len(form.names)):
                # The quote was a slip: the lines after it stand for themselves again.
                yield Row(number, line.rstrip("\r\n").split(form.separator), "a quote is not closed")
                continue
            for _ in range(used):
                ahead.popleft()
            yield Row(number, joined, unknown_letters=_UNKNOWN in text)


def open_text(path: Path, encoding: str) -> IO[str]:
    """Return a file as text; bytes that are none become U+FFFD."""
    return path.open(encoding=encoding, errors="replace", newline="")


def is_broken(text: str) -> bool:
    """Return whether bytes of a text could not be decoded."""
    return _UNKNOWN in text


def _clean(name: str) -> str:
    return name.strip().strip("\ufeff\u200b").strip()


def _lines(file: IO[str]) -> Iterator[str]:
    """Yield lines; of one that is too long only the beginning."""
    while line := file.readline(LONGEST_LINE):
        rest = line
        while len(rest) >= LONGEST_LINE and not rest.endswith(("\n", "\r")):
            rest = file.readline(LONGEST_LINE)
        yield line


def _split(text: str, separator: str) -> list[str] | None:
    """
    Return the cells of a line with quotes, or of several that are one row; None when the quotes are not those of a CSV.
    """
    lines = text.rstrip("\r\n").splitlines(keepends=True)
    try:
        return list(next(csv.reader(lines, delimiter=separator, strict=True), []))
    except csv.Error:
        return None


def _encoding(path: Path) -> str:
    """
    Return the encoding: by byte order mark, else UTF-8, or GB18030 where more than one in twenty of the bytes beyond
    ASCII is wrong as UTF-8 (a slip of the pen in a UTF-8 file costs its row, not the file).

    Raises ScenarioFault.
    """
    place = Place(str(path))
    if is_odd(path):
        raise ScenarioFault(ODD, place, "Save it as a file first.")
    wrong = beyond = 0
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
    try:
        with path.open("rb") as file:
            head = file.read(4)
            if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
                raise ScenarioFault(
                    "this is a workbook, not a text file", place, "Save the sheet as CSV (UTF-8) and give that."
                )
            if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return "utf-16"
            file.seek(0)
            while chunk := file.read(_CHUNK):
                if chunk.count(0) > len(chunk) // 100:
                    raise ScenarioFault("this is no text file", place, "Give a CSV file with a header and rows.")
                if not chunk.isascii():
                    beyond += len(chunk.translate(None, _ASCII))
                    wrong += decoder.decode(chunk).count(_UNKNOWN)
    except OSError as error:
        raise ScenarioFault(f"cannot read the file: {error.strerror}", place, "Check the path.") from None
    return "utf-8-sig" if 20 * wrong <= beyond else "gb18030"
