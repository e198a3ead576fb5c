"""Faults for people at a terminal: with the line they stand in, and carets under the place."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Final

from rich.cells import cell_len

from zonesim.faults import LIBRARY, Faults, Place, ScenarioFault, ZonesimError
from zonesim.scenario.characters import unseen, visible
from zonesim.scenario.keyboard import VALUE, slip_in
from zonesim.scenario.paths import is_odd

WIDEST: Final = 100
"""Columns of a source line that are shown; of a longer line only the part around the place."""
LARGEST: Final = 20_000_000
"""Bytes of a file that is opened once more to show a line of it."""


def explain(error: ZonesimError) -> str:
    """Return the message of an error; each fault whose file can be read with its line and carets under the place."""
    faults = error.told() if isinstance(error, Faults) else [error]
    read: dict[str, list[str]] = {}
    seen: set[tuple[Place | None, str]] = set()
    return "\n".join(filter(None, (_explained(fault, read, seen) for fault in faults)))


def _explained(error: ZonesimError, read: dict[str, list[str]], seen: set[tuple[Place | None, str]]) -> str:
    """Return the message of a fault; "" for one that the same slip of the keyboard explains as one that was `seen`."""
    if not isinstance(error, ScenarioFault):
        return "\n".join(visible(line) for line in str(error).split("\n"))
    place, remedy = error.place, error.remedy
    slip = slip_in(error, _line(place, read)) if place is not None else None
    if slip is not None:
        remedy = slip.remedy
        place = replace(place, column=slip.column) if place is not None and slip.column else place
        if slip.column and (place, remedy) in seen:
            return ""
        seen.add((place, remedy))
    users = [f"    {visible(error.users)}", *_source(error.used[0], read)] if error.used else []
    head = f"{place}: {error.fault}" if place is not None else error.fault
    shown = _source(place, read) if place is not None else []
    return "\n".join([visible(head), *shown, *users, *([f"    {visible(remedy)}"] if remedy else [])])


def _line(place: Place | None, read: dict[str, list[str]]) -> str:
    """Return the line of a file that a place is in, or the text of an option; "" when it cannot be read."""
    if place is None or not place.line:
        return place.file if place is not None and place.file.startswith("--") else ""
    if place.file not in read:
        read[place.file] = _lines(place.file)
    lines = read[place.file]
    return lines[place.line - 1] if place.line <= len(lines) else ""


def _source(place: Place, read: dict[str, list[str]]) -> list[str]:
    """Return the line of a place with carets under it; nothing for an option, or a file that cannot be read."""
    if not place.line:
        return _under(place)
    _line(place, read)
    return excerpt(place, read[place.file])


def excerpt(place: Place, lines: list[str]) -> list[str]:
    """Return the line of a place and a line of carets under what stands there, or nothing without that line."""
    if not 0 < place.line <= len(lines):
        return []
    line = lines[place.line - 1]
    at = min(place.column - 1, len(line))
    match = VALUE.match(line, at, at + 2 * WIDEST)  # of a longer value only the beginning is shown
    length = len(match[0].rstrip()) if match else 0
    before, here, after = line[:at], line[at : at + length], line[at + length :]
    if len(line) > 2 * WIDEST or _width(line) > WIDEST:
        before = _last(before, WIDEST // 2)
        here = _first(here, WIDEST // 2)
        after = _first(after, max(WIDEST - _width(before) - _width(here), 10))
    number = f"{place.line:>5} | "
    return [
        f"{number}{_plain(before + here + after)}".rstrip(),
        f"{' ' * (len(number) - 2)}| {' ' * _width(before)}{'^' * max(_width(here), 1)}",
    ]


def _under(place: Place) -> list[str]:
    """Return carets under an option as it stands at the head of the message."""
    if not place.column or _width(place.file) > WIDEST:
        return []
    match = VALUE.match(place.file, place.column - 1)
    return [" " * _width(place.file[: place.column - 1]) + "^" * max(_width(match[0].rstrip()) if match else 0, 1)]


def _lines(file: str) -> list[str]:
    """Return the lines of a file of the user or of the library; none when it cannot be read."""
    path = files("zonesim") / file if file.startswith(LIBRARY) else Path(file)
    try:
        if isinstance(path, Path) and (is_odd(path) or path.stat().st_size > LARGEST):
            return []
        return _text(path.read_bytes()).split("\n")
    except OSError:
        return []


def _text(data: bytes) -> str:
    """Return a file's text: UTF-8, or GB 18030 where that alone can read all of it, as Chinese systems write."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    for encoding in ("utf-8-sig", "gb18030"):
        with suppress(UnicodeDecodeError):
            return data.decode(encoding)
    return data.decode("utf-8-sig", "replace")


def _width(text: str) -> int:
    """Return how many columns of a terminal `text` takes where it is shown."""
    return cell_len(_plain(text))


def _plain(text: str) -> str:
    """Return `text` with tabs as one space each, and a mark in the place of what could move the cursor."""
    spaced = text.replace("\t", " ").rstrip("\r")
    return "".join("�" if unseen(character, name=False) else character for character in spaced)


def _first(text: str, columns: int) -> str:
    """Return the beginning of `text` that takes at most so many columns, with a sign when something is left out."""
    end = taken = 0
    while end < min(len(text), 2 * WIDEST) and taken + _width(text[end]) <= columns:
        taken += _width(text[end])
        end += 1
    return text if end == len(text) else f"{text[: end - 1]}…"


def _last(text: str, columns: int) -> str:
    """Return the end of `text` in the same way."""
    kept = _first(text[::-1], columns)
    return kept[::-1]
