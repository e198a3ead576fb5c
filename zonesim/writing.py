"""
Files that are written: each whole or not at all, so that an older one stays until the new one is there, and each text
such that a spreadsheet takes it for a text.
"""

from __future__ import annotations

import csv
import errno
import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import gethostname
from typing import Any, Final

from zonesim.faults import DiskFull, Place, ScenarioFault, ZonesimError

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

ELSEWHERE: Final = "Choose another folder with --out."

_PART: Final = re.compile(r".*\.([0-9]+)(?:@([^.]*))?\.part")
"""
What is being written is called after the file, the process that writes it and its machine: several may write to a
folder that they share.
"""

_MACHINE: Final = re.sub(r"[^A-Za-z0-9_-]", "-", gethostname())

_EXECUTED: Final = tuple("=+-@\t\r\n＝＋－＠")
"""What a text begins with that spreadsheets take for a formula."""


def make_folder(folder: Path, remedy: str = ELSEWHERE) -> None:
    """
    Make a folder, if need be, and take away what killed processes have left half written in it.

    Raises ScenarioFault when nothing can be written there, DiskFull.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part in folder.glob("*.part"):
            written_by = _PART.fullmatch(part.name)
            here = written_by is not None and written_by[2] in {None, _MACHINE}
            if written_by is not None and here and not _alive(int(written_by[1])):
                part.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(folder, error, remedy) from None
    if not os.access(folder, os.W_OK):
        raise ScenarioFault("cannot write there", Place(str(folder)), remedy)


@contextmanager
def whole(path: Path, remedy: str = ELSEWHERE) -> Iterator[Path]:
    """
    Give a path beside `path` to write to; what is written there takes the place of `path` when all is well.

    Raises ScenarioFault when it cannot be written, DiskFull.
    """
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "no ordinary file"
        raise ScenarioFault(f"cannot be written: there is {what} of this name", Place(str(path)), remedy)
    part = path.with_name(f"{path.name}.{os.getpid()}@{_MACHINE}.part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise unwritable(path, error, remedy) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def write_text(path: Path, text: str, remedy: str = ELSEWHERE) -> None:
    """Write a file of text as UTF-8; raises as `whole`."""
    with whole(path, remedy) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def write_table(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table as CSV, with the mark by which spreadsheets know UTF-8; nan is empty. Raises as `whole`."""
    with whole(path) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        for row in (head, *rows):
            writer.writerow([_cell(value) for value in row])


def for_spreadsheets(text: str) -> str:
    """Return a text that no spreadsheet executes: one that begins like a formula, and is no number, stands behind '."""
    if not text.lstrip(" ").startswith(_EXECUTED):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def _cell(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, float) and math.isnan(value):
        return ""
    return for_spreadsheets(value) if isinstance(value, str) else value


def unwritable(path: Path, error: OSError, remedy: str = ELSEWHERE) -> ZonesimError:
    """Return the fault that says why a file or folder cannot be written."""
    if error.errno in FULL:
        return DiskFull(path)
    return ScenarioFault(f"cannot write there: {error.strerror or error}", Place(str(path)), remedy)


def _alive(process: int) -> bool:
    """Return whether a process still runs."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
