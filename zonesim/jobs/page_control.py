"""What a page that simulates tells of control: bands that follow from plans, with what they are called."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from zonesim.analysis import control_of
from zonesim.briefing.text.words import LANGUAGES, Words
from zonesim.experiment import Band
from zonesim.plan import Plan
from zonesim.policy import ResolvedTree

Row = tuple[str, str, str, list[float | None], list[float | None]]
"""Step or truth, truth, quantity, and by case of what nobody knows the least and the most that it may be."""

_OF_TRUTHS: Final = {
    "intercepted": "intercepted",
    "missed": "not_found",
    "detections": "caught",
    "false_stops": "false_stops",
}
_DAILY: Final = ("detections", "false_stops")


def control_rows(plan: Plan) -> list[Row]:
    """Return what is expected of control in a plan: of truths as shares or a day, of checks whom they meet."""
    found = control_of(plan)
    truths = [
        (truth, truth, word, *_ends(bands[name]))
        for truth, bands in found.truths.items()
        for word, name in _OF_TRUTHS.items()
    ]
    return [*truths, *((each.step, each.truth, "met", *_ends(each.met)) for each in found.checks)]


def _ends(band: Band) -> tuple[list[float | None], list[float | None]]:
    low, high = ([None if math.isnan(value) else value for value in part] for part in (band.low, band.high))
    return low, high


def control_told(
    world: ResolvedTree, rows: Sequence[Sequence[Row]], steps: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, Any]]:
    """Return what the rows of some plans are called, and their units, by step or truth, truth and quantity."""
    return dict(_told(world, dict.fromkeys(row[:3] for own in rows for row in own), steps))


def _told(
    world: ResolvedTree, keys: Mapping[tuple[str, str, str], None], steps: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for subject, truth, word in keys:
        label = (world.tree.get("truth", {}).get(truth) or {}).get("label") or {}
        found: dict[str, Any] = {"unit": "/d" if word in _DAILY else "share", "main": word != "met"}
        for language in LANGUAGES:
            say = Words(language)
            name = say.label(label, truth)
            where = (
                f"{steps[language].get(subject, subject)}{'，' if language == 'zh' else ', '}" if word == "met" else ""
            )
            found[str(language)] = f"{where}{name}{'：' if language == 'zh' else ': '}{say(f'control.{word}')}"
        yield f"{subject}/{truth}/{word}", found
