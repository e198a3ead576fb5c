"""
What tells one result from another: a short number of the run, and the name of the folder it is kept in.

A file run as it is written with the usual options is kept in a folder of its own name, so that people find it. What
was asked beyond that (settings, other arms, another n or seed) stands in the folder's name with the number of the
run, so that no what-if takes the place of another or of the file as written.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

from zonesim.experiment.futures import FUTURE

if TYPE_CHECKING:
    from zonesim.experiment.design import Design

Kind = Literal["compare", "run", "sweep", "capacity", "sensitivity", "best"]

USUAL_LEVEL: Final = 0.95
USUAL_REPLICATIONS: Final = 10
USUAL_SEED: Final = 1
"""What `run` and `compare` take when nothing is said; an experiment says its own."""

DIGITS: Final = 8
"""Digits of the number of a run."""

_WORDS: Final = 48
"""Letters of a folder's name that say what was asked for, at most; the number behind them tells the rest apart."""


def run_id(design: Design) -> str:
    """
    Return the number of a run, `r` and 8 hex digits: equal for two runs that ask for the same numbers, told alike.

    It counts the kind of run, its name, settings, arms, futures, reported KPIs, seed, replications and level, and by
    the keys of its cells the plans, so also every number of the scenario and the meaning that this version gives it.
    """
    told = (
        ["zonesim run", design.kind, design.name, design.baseline, told_settings(design)],
        [[arm, future, cell.key] for (arm, future), cell in design.cells.items()],
        [
            list(design.reported),
            design.seed,
            # How many are enough follows from the rest.
            design.replications if design.precision is None else design.precision.rule(),
            design.level,
        ],
        *([list(design.question)] if design.question else []),
    )
    return number_of(told)


def number_of(told: object) -> str:
    """Return the number of what was run or drawn, `r` and 8 hex digits, from all that tells it from others."""
    # The letter keeps spreadsheets from reading a number such as 1234e567.
    return "r" + hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()[:DIGITS]


def folder_name(design: Design) -> str:
    """Return the name of the folder of a run: `zone`, `zone--run`, `zone--rate-x2-r3f9a1c07`."""
    kind = [design.kind] if design.kind not in {"compare", "sweep"} else []
    if not design.asked:
        return "--".join([design.name, *kind])
    words = "-".join([*kind, *design.asked])[:_WORDS].strip("-._")
    return f"{design.name}--{words}-{run_id(design)}"


def asked_settings(settings: Sequence[str]) -> tuple[str, ...]:
    """Return `--set` as words of a folder's name: `traffic.*.rate*=2` is `rate-x2`."""
    return tuple(filter(None, map(_asked_setting, settings)))


def asked_number(letter: str, number: float, usual: float) -> tuple[str, ...]:
    """Return a number as a word of a folder's name, nothing where it is the usual one."""
    return () if number == usual else (f"{letter}{number:.12g}",)


def told_setting(text: str) -> str:
    """Return `--set` as people read it: `traffic.*.rate × 2`, `zones.TYP.lanes_in.units = 1`, `future outage`."""
    path, is_factor, value = _parts(text)
    return f"{path} {value}" if path == FUTURE else f"{path} {'×' if is_factor else '='} {value}"


def is_future(told: str) -> bool:
    """Return whether a setting, as people read it, names the future that is met."""
    return told.startswith(f"{FUTURE} ")


def told_settings(design: Design) -> list[str]:
    """Return the settings of `--set` as people read them."""
    return [told_setting(text) for text in design.given]


def slug(text: str) -> str:
    """Return a text as a part of a file's name: letters, digits, dots, dashes and underscores of ASCII."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-._")


def _asked_setting(text: str) -> str:
    path, is_factor, value = _parts(text)
    if path == FUTURE:
        return slug(value)
    last = [part for part in path.split(".")[-2:] if part != "*"]
    return slug(f"{'.'.join(last)}-{'x' if is_factor else ''}{value}")


def _parts(text: str) -> tuple[str, bool, str]:
    """Return path, whether the value is a factor, and the value of `--set`."""
    path, _, value = (part.strip() for part in text.partition("="))
    is_factor = path.endswith("*") and not path.endswith(".*")
    return (path[:-1].strip() if is_factor else path), is_factor, value
