"""What a slip of the keyboard has to do with a fault: the sign that stands where another one is due, and the remedy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from zonesim.faults import ScenarioFault
from zonesim.scenario.characters import corrected, slips, thousands, told, twin

VALUE: Final = re.compile(
    r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|[\[{&*!|>]|(?:(?![,\]}](?:\s|$|[,\]}])|:(?:\s|$)|\s#).)+"
)
"""What stands at a place of a line of YAML: quoted text, the sign that opens something, or plain text."""

_NO_SPACE: Final = re.compile(r"['\"]?[A-Za-z_][\w.]*(:)(?=[^\s:/])")
_CUT_NUMBER: Final = re.compile(r"(?<![\w.])([1-9][0-9]{0,2})(,)([0-9]{3}(?:,[0-9]{3})*)(?=[^0-9]|$)")
_WHOLE: Final = re.compile(r"found a (?:mapping|list)|entries")
"""Faults of all that stands between brackets, one of whose items may hold the slip."""
_NAMED: Final = re.compile(r"'(.)' \(U\+")
_STRUCTURE: Final = frozenset(",:;[]{}%#\"'= ")
_CLOSED: Final = {"[": "]", "{": "}"}
_LONGEST: Final = 80


@dataclass(frozen=True)
class Slip:
    """The column of a sign in the line (0: not known), and what to write."""

    column: int
    remedy: str


def slip_in(fault: ScenarioFault, line: str) -> Slip | None:
    """Return the slip that explains a fault in this line of a file, or text of an option; None when there is none."""
    if fault.place is None:
        return None
    start = fault.place.column - 1
    if named := _NAMED.match(fault.fault):
        return Slip(line.find(named[1], max(start, 0)) + 1, fault.remedy)
    if not fault.place.line and slips(fault.place.file) and not fault.place.file.startswith("--"):
        return Slip(0, f"Is this meant: {corrected(fault.place.file)}?")
    if fault.place.line and not fault.place.file.endswith((".yaml", ".yml")):
        return _in_words(fault, line)  # a row of a log: only what the fault quotes
    if fault.place.file.startswith("--"):
        return _in_text(line, 0) or _in_words(fault, line)
    match = VALUE.match(line, start) if 0 <= start < len(line) else None
    if (
        match is not None
        and len(match[0]) > 1
        and (found := _in_text(match[0].rstrip(), start, line[start + len(match[0].rstrip()) :]))
    ):
        return found
    if match is not None and _WHOLE.search(fault.fault) and (found := _inside(line, start)):
        return found
    begin = max(line.rfind(sign, 0, max(start, 0)) for sign in "{[,") + 1
    end = match.end() if match is not None and len(match[0]) > 1 else start
    before = line[begin:end]
    skipped = len(before) - len(before.lstrip())
    found = _in_text(before.strip(), begin + skipped)
    return found or _cut_number(line, start) or _in_words(fault, line[max(start, 0) :], max(start, 0))


def _inside(line: str, start: int) -> Slip | None:
    """Return the slip in one of the items of what a bracket opens at `start`."""
    for item in re.finditer(r"[^{}\[\],]+", line[start:]):
        text = item[0].strip()
        if slips(text):
            return _in_text(text, start + item.start() + item[0].index(text))
    return None


def _ends(character: str, sign: str) -> bool:
    return (twin(character) or character) == _CLOSED[sign]


def _in_text(text: str, start: int, behind: str = "") -> Slip | None:
    """Return the slip in a text that begins at column `start` (from 0) of its line, with what stands `behind` it."""
    found = slips(text) or [at for at, each in enumerate(text) if twin(each) in _STRUCTURE and twin(each)]
    cut = thousands(text)
    if cut >= 0 and (not found or cut <= found[0]):
        return Slip(start + cut + 1, f"A number has no sign between its thousands: write {_short(corrected(text))}.")
    if found:
        sign = twin(text[found[0]])
        rest = text[found[0] :] + behind
        if sign in _CLOSED and (end := next((at for at, each in enumerate(rest) if _ends(each, sign)), 0)):
            text = text[: found[0]] + rest[: end + 1]
        is_no = "no plain space" if sign == " " else f"not '{sign}'"
        return Slip(start + found[0] + 1, f"{told(text[found[0]])} is {is_no}: write {_short(corrected(text))}.")
    if bare := _NO_SPACE.match(text):
        mended = f"{text[: bare.end(1)]} {text[bare.end(1) :]}"
        return Slip(start + bare.start(1) + 1, f"A space is due after ':': write {_short(mended)}.")
    return None


def _cut_number(line: str, start: int) -> Slip | None:
    """Return the slip of a number that its own comma has cut in two at a place: `{rate: 1,040 /d}`."""
    for match in _CUT_NUMBER.finditer(line):
        if match.start() <= start <= match.end():
            whole = match[1] + match[3].replace(",", "")
            rest = re.match(r" ?[^\s,\]}]*", line[match.end() :])
            written = f"{whole}{rest[0] if rest else ''}".rstrip()
            return Slip(match.start(2) + 1, f"A number has no sign between its thousands: write {written}.")
    return None


def _in_words(fault: ScenarioFault, line: str, start: int = 0) -> Slip | None:
    """Return the slip in what a fault quotes; its column where this rest of a line, from `start` on, has it too."""
    for quoted in re.findall(r"'([^']*)'", fault.fault):
        if (found := _in_text(quoted, 0)) and not _NO_SPACE.match(quoted):
            at = line.find(quoted)
            return Slip(start + at + found.column if at >= 0 else 0, found.remedy)
    return None


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
