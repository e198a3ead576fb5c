"""
Why a text is not YAML: signs of a Chinese keyboard, a colon without a space, a tab.

A sign is to blame when the text gets further with the sign of the format in its place, so no guess is told.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import yaml

from zonesim.faults import Place, ScenarioFault
from zonesim.scenario.characters import corrected, slips, told, twin

_FASTEST: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

EFFORT: Final = 2_000_000 if _FASTEST is not yaml.SafeLoader else 200_000
"""Characters that are read in search of what is to blame, in about a second."""

MOST_SLIPS: Final = 20
TRIED: Final = 40
"""So many signs are told of one text; so many near a failure are tried."""

_WIDE_KEY: Final = re.compile(r"[ \t\u3000]*(?:- +)?[A-Za-z_][\w.-]*[：∶]")
_BARE_COLON: Final = re.compile(r"(?m)^[ \t]*(?:- +)?[A-Za-z_][\w.-]* *:(?=[^\s:/])")


@dataclass(frozen=True)
class _Failure:
    """Where reading stops, and where it was begun what is not ended there."""

    index: int
    line: int
    begun: int
    tab: bool


def blamed(text: str, file: str) -> list[ScenarioFault]:
    """Return a fault for each sign that keeps a text from being YAML; none when signs do not explain it."""
    faults: list[ScenarioFault] = []
    effort = 2 * len(text)
    failure = _failure(text) if effort <= EFFORT else None
    inserted: list[int] = []
    while failure is not None and len(faults) < MOST_SLIPS:
        if failure.tab:
            faults.append(_fault(text, failure.index, inserted, file))
            break
        near = [[at] for at in _near(text, failure)]
        for signs in (*near[:4], *_run_of_keys(text, failure), *near[4:]):
            effort += len(text)
            if effort > EFFORT:
                return faults
            mended = _mended(text, signs)
            after = _failure(mended)
            if signs and (after is None or after.index > failure.index + (len(mended) - len(text))):
                faults += [_fault(text, at, inserted, file) for at in signs[:MOST_SLIPS]]
                inserted = [each + sum(_grows(text, at) for at in signs if at < each) for each in inserted]
                inserted += [at + number for number, at in enumerate(each for each in signs if _grows(text, each))]
                text, failure = mended, after
                break
        else:
            break
    return faults


def _grows(text: str, at: int) -> bool:
    """Return whether a space has to be put behind the sign at `at`: behind every colon."""
    return (twin(text[at]) or ":") == ":" and bool(text[at + 1 : at + 2].strip())


def _mended(text: str, signs: list[int]) -> str:
    """Return `text` with the signs of the format at `signs`, in ascending order."""
    parts, done = [], 0
    for at in signs:
        parts += [text[done:at], twin(text[at]) or ":", " " if _grows(text, at) else ""]
        done = at + 1
    return "".join([*parts, text[done:]])


def _run_of_keys(text: str, failure: _Failure) -> tuple[list[int], list[int]]:
    """
    Return the wide colons behind the keys of the lines up to a failure, which together are one text to YAML; and all
    that was hardly meant in these lines.
    """
    lines = text.split("\n")
    begins = list(itertools.accumulate((len(line) + 1 for line in lines), initial=0))
    found: list[int] = []
    every: list[int] = []
    for number in range(min(failure.line, len(lines) - 1), -1, -1):
        match = _WIDE_KEY.match(lines[number])
        if match is not None:
            found.append(begins[number] + match.end() - 1)
            every += [begins[number] + at for at in slips(lines[number])]
        elif lines[number].strip() and number != failure.line:
            break
    return found[::-1], sorted(every)


def _failure(text: str) -> _Failure | None:
    try:
        for _ in yaml.parse(text, Loader=_FASTEST):
            pass
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark is None:
            return _Failure(len(text), 0, 0, tab=False)
        begun = error.context_mark.line if error.context_mark is not None else mark.line
        return _Failure(mark.index, mark.line, begun, text[mark.index : mark.index + 1] == "\t")
    except (yaml.YAMLError, RecursionError, ValueError):
        return _Failure(0, 0, 0, tab=False)
    return None


def _near(text: str, failure: _Failure) -> Iterator[int]:
    """Yield where a sign may be to blame, the nearest to the failure first."""
    signs = [at for at, each in enumerate(text) if twin(each)]
    signs += [match.end() - 1 for match in _BARE_COLON.finditer(text)]
    starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def distance(at: int) -> tuple[int, int]:
        line = _line(starts, at)
        return min(abs(line - failure.line), abs(line - failure.begun), abs(line + 1 - failure.line)), at

    yield from sorted((at for at in signs if at <= failure.index), key=distance)[:TRIED]


def _line(starts: list[int], at: int) -> int:
    low, high = 0, len(starts)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if starts[middle] <= at else (low, middle)
    return low


def _fault(text: str, at: int, inserted: list[int], file: str) -> ScenarioFault:
    """Return the fault of the sign at `at`, in a text into which spaces have been `inserted`."""
    begin = text.rfind("\n", 0, at) + 1
    place = Place(file, text.count("\n", 0, at) + 1, at - begin + 1 - sum(begin <= each < at for each in inserted))
    if text[at] == "\t":
        return ScenarioFault("a tab, which YAML does not allow here", place, "Write spaces.")
    sign = twin(text[at]) or ":"
    meant = "a space" if sign == " " else f"'{sign}'"
    remedy = f"Write {meant}."
    if sign == ":":
        line = text[begin : len(text) if (end := text.find("\n", at)) < 0 else end]
        before, after = re.split(r"[\s{,]", line[: at - begin].strip())[-1], line[at - begin + 1 :].strip()
        word = re.match(r"[^,}\]]*", after)
        remedy = f"Write {corrected(f'{before}: {word[0] if word else after}')}"
    if text[at] == ":":
        return ScenarioFault("no space after ':'", place, remedy)
    return ScenarioFault(f"{told(text[at])} stands where {meant} is due", place, remedy)
