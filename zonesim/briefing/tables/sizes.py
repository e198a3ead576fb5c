"""The smallest numbers of units that hold the promises, as a table, as rows of a file, and as a document."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from zonesim.analysis import WORK, Interval, Promise, Sizes
from zonesim.briefing.tables.capacity import promise_text
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.values import figure_text
from zonesim.briefing.text.words import Words


@dataclass(frozen=True)
class Sized:
    """
    What was found of an arm, by resource: the units that it has `now`, the least of them by the load (`floor`), and the
    smallest that hold together (None: none do, `stuck` says what is broken whatever they are). `values`: by promise its
    KPI with the sizes found. `tried`: how many sizes were run.
    """

    arm: str
    now: Sizes
    floor: Sizes
    found: Sizes | None
    stuck: tuple[str, ...]
    values: Mapping[str, Interval]
    tried: int


def sizes_text(
    say: Words, sized: Sequence[Sized], promises: Sequence[Promise], called_as: Callable[[str], str] = str
) -> list[str]:
    """
    Return the lines that people read: the promises, a row for each arm and resource, and what the KPIs are then.
    `called_as`: what people call an arm.
    """
    lines = [say("capacity.promise", text=promise_text(say, each)) for each in promises]
    lines += [] if promises else [say("capacity.no_promise")]
    table = Table(box=None, pad_edge=False)
    for key in ("arm", "resource", "now", "floor", "needed"):
        side = "left" if key in {"arm", "resource"} else "right"
        table.add_column(say("capacity.arm" if key == "arm" else f"sizes.{key}"), justify=side)  # type: ignore[arg-type]
    for each in sized:
        for row, name in enumerate(each.now):
            needed = "-" if each.found is None else str(each.found[name])
            table.add_row("" if row else called_as(each.arm), name, str(each.now[name]), str(each.floor[name]), needed)
    lines += ["", printed(table), ""]
    called = {each.name: each.called(say.language) for each in promises} | {WORK: say("capacity.work")}
    for each in sized:
        if each.found is None:
            lines.append(
                say("sizes.stuck", arm=called_as(each.arm), names=say.listed(called[name] for name in each.stuck))
            )
        for promise in promises if each.found is not None else ():
            own, percent = each.values[promise.name], promise.unit == "share"
            value, low, high = (figure_text(number, percent=percent) for number in (own.value, own.low, own.high))
            told = {"value": value, "low": low, "high": high, "unit": "%" if percent else promise.unit}
            lines.append(say("sizes.value", arm=called_as(each.arm), name=called[promise.name], **told))
    return [*lines, say("sizes.note")]


def sizes_rows(sized: Sequence[Sized], growth: float, run: str) -> tuple[list[str], list[list[Any]]]:
    """Return head and rows of the table as a file, a row for each arm and resource."""
    head = ["arm", "resource", "growth", "units_now", "units_least", "units_needed", "run"]
    rows: list[list[Any]] = [
        [each.arm, name, growth, now, each.floor[name], math.nan if each.found is None else each.found[name], run]
        for each in sized
        for name, now in each.now.items()
    ]
    return head, rows


def sizes_document(sized: Sequence[Sized], promises: Sequence[Promise]) -> dict[str, Any]:
    """Return what --json tells of the sizes of every arm."""
    return {
        "promises": [each.text for each in promises],
        "arms": {
            each.arm: {
                "now": each.now,
                "least": each.floor,
                "needed": each.found,
                "stuck": list(each.stuck),
                "values": {
                    name: {"value": found.value, "low": found.low, "high": found.high, "n": found.n}
                    for name, found in each.values.items()
                },
                "tried": each.tried,
            }
            for each in sized
        },
    }
