"""What every arm carries, as a table, as rows of a file, and as a document."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table

from zonesim.analysis import HIGHEST, LOWEST, WORK, Bound, Difference, Interval, Limit, Look, Promise, interval
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.bounds import bound_document, bound_names, multiple_text, number_text
from zonesim.briefing.text.words import Words


@dataclass(frozen=True)
class Used:
    """
    The resource that is used most, with the share of its open time, and the one in front of which most wait, with how
    many; "" and nan where no resource is limited.
    """

    busiest: str = ""
    utilisation: float = math.nan
    longest: str = ""
    queue: float = math.nan


@dataclass(frozen=True)
class Carried:
    """
    What an arm carries: its limit by replication and on average, the paired difference and ratio to the first arm (None
    for that one, and where one of them has no limit), the bound of the traffic equations, what is used at the limit,
    and all that was looked at.
    """

    arm: str
    limit: Limit
    mean: Interval
    difference: Difference | None
    ratio: Interval | None
    bound: Bound
    used: Used
    looks: tuple[Look, ...]


def capacity_text(
    say: Words, carried: Sequence[Carried], promises: Sequence[Promise], name: Callable[[str], str] = str
) -> list[str]:
    """
    Return the lines that people read: the promises, a row an arm, and what is to be said of them. `name`: what people
    call an arm.
    """
    lines = [say("capacity.promise", text=promise_text(say, each)) for each in promises]
    lines += [] if promises else [say("capacity.no_promise")]
    table = Table(box=None, pad_edge=False)
    for key, side in _COLUMNS.items():
        table.add_column(say(f"capacity.{key}"), justify=side, overflow="fold")  # type: ignore[arg-type]
    for each in carried:
        table.add_row(name(each.arm), *_cells(say, each, promises))
    lines += ["", printed(table), ""]
    for each in carried[1:]:
        if each.difference is not None and each.ratio is not None:
            lines.append(
                say(
                    "capacity.difference",
                    arm=name(each.arm),
                    base=name(carried[0].arm),
                    value=number_text(each.difference.value, signed=True),
                    low=number_text(each.difference.low, signed=True),
                    high=number_text(each.difference.high, signed=True),
                    ratio=number_text(each.ratio.value),
                    ratio_low=number_text(each.ratio.low),
                    ratio_high=number_text(each.ratio.high),
                )
            )
    lines += [line for each in carried for line in _remarks(say, each, promises, name(each.arm))]
    lines += [say("capacity.bound_note")]
    if any(not len(look.first) for each in carried for look in each.looks if not look.loaded):
        lines.append(say("capacity.short"))
    return lines


_COLUMNS = {
    "arm": "left",
    "carries": "right",
    "low": "right",
    "high": "right",
    "n": "right",
    "breaks": "left",
    "binds": "left",
    "bound": "right",
    "bound_by": "left",
}


def _cells(say: Words, each: Carried, promises: Sequence[Promise]) -> list[str]:
    called = {promise.name: promise.called(say.language) for promise in promises} | {WORK: say("capacity.work")}
    breaks = [f"{called[name]} ({count})" for name, count in each.limit.breaks.items()]
    used = each.used
    binds = (
        say("capacity.used", name=used.busiest, share=f"{used.utilisation:.0%}")
        if used.busiest
        else say("capacity.none")
    )
    return [
        carries_text(say, each),
        number_text(each.mean.low),
        number_text(each.mean.high),
        str(len(each.limit.multiples)),
        say.joined(breaks) or "-",
        binds,
        multiple_text(each.bound),
        bound_names(say, each.bound) or "-",
    ]


def carries_text(say: Words, each: Carried) -> str:
    """Return the multiple that an arm carries: `×1.31`, `below ×0.05`, `above ×20`, or `-` where runs disagree."""
    n = len(each.limit.multiples)
    if each.limit.below == n:
        return say("capacity.below", value=f"{LOWEST:g}")
    if each.limit.above == n:
        return say("capacity.above", value=f"{HIGHEST:g}")
    return "-" if math.isnan(each.mean.value) else f"×{number_text(each.mean.value)}"


def _remarks(say: Words, each: Carried, promises: Sequence[Promise], arm: str) -> list[str]:
    """Return what else is to be said of an arm."""
    n, limit = len(each.limit.multiples), each.limit
    lines = []
    if limit.below and limit.below < n:
        lines.append(say("capacity.some_below", arm=arm, count=limit.below, total=n, value=f"{LOWEST:g}"))
    if limit.above and limit.above < n:
        lines.append(say("capacity.some_above", arm=arm, count=limit.above, total=n, value=f"{HIGHEST:g}"))
    called = {promise.name: promise.called(say.language) for promise in promises}
    lines += [say("capacity.withheld", arm=arm, name=called[name]) for name in limit.withheld]
    if each.used.longest and each.used.longest != each.used.busiest and each.used.queue > 0:
        lines.append(say("capacity.longest", arm=arm, name=each.used.longest, queue=f"{each.used.queue:.3g}"))
    return lines


def promise_text(say: Words, each: Promise) -> str:
    """Return a promise as people call it, with the KPI and its limit."""
    called = each.called(say.language)
    return each.text if called == each.name and each.kpi in each.name else f"{called}: {each.text}"


def capacity_rows(carried: Sequence[Carried], run: str) -> tuple[list[str], list[list[Any]]]:
    """Return head and rows of the table as a file, a row an arm."""
    head = ["arm", "multiple", "low", "high", "n", "below", "above", "breaks_first"]
    head += ["difference", "diff_low", "diff_high", "ratio", "ratio_low", "ratio_high"]
    head += ["busiest", "utilisation", "longest_queue", "queue", "bound", "bound_by", "run"]
    none = Difference(math.nan, math.nan, math.nan, 0, math.nan)
    rows: list[list[Any]] = []
    for each in carried:
        change, ratio = each.difference or none, each.ratio or none
        rows.append(
            [
                *(each.arm, each.mean.value, each.mean.low, each.mean.high, len(each.limit.multiples)),
                *(each.limit.below, each.limit.above, each.limit.first),
                *(change.value, change.low, change.high, ratio.value, ratio.low, ratio.high),
                *(each.used.busiest, each.used.utilisation, each.used.longest, each.used.queue),
                *(each.bound.multiple, " ".join(each.bound.names), run),
            ]
        )
    return head, rows


def capacity_document(carried: Sequence[Carried], promises: Sequence[Promise], level: float) -> dict[str, Any]:
    """Return what --json tells of promises and arms; `looks` holds every multiple that was looked at."""
    return {
        "promises": [
            {
                "name": each.name,
                "label": dict(each.label),
                "kpi": each.kpi,
                "most" if each.most else "least": each.limit,
                "unit": each.unit,
            }
            for each in promises
        ],
        "arms": {each.arm: _arm(each, promises, level) for each in carried},
    }


def _arm(each: Carried, promises: Sequence[Promise], level: float) -> dict[str, Any]:
    return {
        "multiple": _interval(each.mean),
        "by_replication": each.limit.multiples.tolist(),
        "below": each.limit.below,
        "above": each.limit.above,
        "breaks": dict(each.limit.breaks),
        "withheld": list(each.limit.withheld),
        "difference": None if each.difference is None else _interval(each.difference),
        "ratio": None if each.ratio is None else _interval(each.ratio),
        "busiest": {"resource": each.used.busiest or None, "utilisation": each.used.utilisation},
        "longest_queue": {"resource": each.used.longest or None, "tokens": each.used.queue},
        "bound": bound_document(each.bound),
        "looks": [_look(look, promises, level) for look in each.looks],
    }


def _look(look: Look, promises: Sequence[Promise], level: float) -> dict[str, Any]:
    values: Mapping[str, np.ndarray] = look.values
    return {
        "multiple": look.multiple,
        "loaded": list(look.loaded),
        "grows": look.grows,
        "work_first_week": float(look.first.mean()) if len(look.first) else None,
        "work_last_week": float(look.last.mean()) if len(look.last) else None,
        "values": {} if look.loaded else {each.name: told(values[each.name], level) for each in promises},
    }


def told(values: np.ndarray, level: float) -> dict[str, Any]:
    """Return the mean of a KPI with its interval, none where it is withheld in a run, and in how many it is."""
    withheld = int(np.isinf(values).sum())
    mean = Interval(math.nan, math.nan, math.nan, len(values)) if withheld else interval(values.tolist(), level)
    return {**_interval(mean), "withheld": withheld}


def _interval(found: Interval | Difference) -> dict[str, Any]:
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n}
