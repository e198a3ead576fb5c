"""The loads of a scenario as a document and as a table, with what is not known of them and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, Final

from rich.table import Table

from zonesim.analysis import NOTHING, hour_text, mean_text, unknown_text
from zonesim.plan import Load, Plan

MOST_ROWS: Final = 100
"""So many resources are in the printed table of loads, those with the highest ones."""

HOURS: Final = 24


def loads_document(plan: Plan, found: Sequence[Load]) -> dict[str, dict[str, Any]]:
    """
    Return what is told of loads, by resource.

    Keys: mean (nan: unknown), low, high, waits (whether waits with units in hand come on top), text (the mean in
    words), unknown (why it is, or None), grows, stable (as is said by hand, or None), peak, peak_hour and hourly (24
    values of the busiest day); the last three None where it is unknown.
    """
    return {str(plan.names.resources[load.resource]): _row_of(load) for load in found}


def _row_of(load: Load) -> dict[str, Any]:
    day = load.peak_hour // HOURS
    known = load.is_known
    return {
        "mean": load.mean,
        "low": load.low,
        "high": load.high,
        "waits": load.waits,
        "text": mean_text(load),
        "unknown": None if known else unknown_text(load),
        "grows": load.grows,
        "stable": load.said,
        "peak": load.peak if known else None,
        "peak_hour": hour_text(load.peak_hour) if known else None,
        "hourly": load.hourly[HOURS * day : HOURS * (day + 1)].tolist() if known else None,
    }


def load_table(found: Mapping[str, Mapping[str, Any]]) -> tuple[Table | None, list[str]]:
    """
    Return the loads of a document as a table, none where nothing is known of any, and the lines to print below it.
    """
    table = Table(
        title="Load from the traffic equations (bound), % by hour of the busiest day", box=None, pad_edge=False
    )
    for title in ("resource", "mean", "peak", "at", *(f"{hour:02d}" for hour in range(HOURS))):
        table.add_column(title, justify="left" if title in {"resource", "at"} else "right", no_wrap=True)
    shown = dict(found)
    if len(found) > MOST_ROWS:
        ranked = sorted(found.items(), key=lambda item: -_height(item[1]))
        shown = dict(ranked[:MOST_ROWS])
        height = _height(ranked[MOST_ROWS][1])
        left = f"and {len(ranked) - MOST_ROWS} more resources" + (f", none above {height:.0%}" if height < inf else "")
        table.caption = f"{left} (--json tells all)"
    for name, load in shown.items():
        if load["unknown"]:
            table.add_row(name, load["text"], *["-"] * (2 + HOURS))
        else:
            hours = [f"{100 * value:.0f}" for value in load["hourly"]]
            table.add_row(name, load["text"], f"{load['peak']:.0%}", load["peak_hour"], *hours)
    reasons: dict[str, list[str]] = {}
    for name, load in found.items():
        if load["unknown"]:
            reasons.setdefault(load["unknown"], []).append(name)
    lines = [
        f"{name}: unknown, because {reason}"
        for reason, names in reasons.items()
        for name in (names if len(names) <= MOST_ROWS else [f"{len(names)} resources"])
    ]
    if any(load["waits"] for load in shown.values()):
        lines.append("≥: time at rest with units in hand, in line for others or until the opening, comes on top")
    said = {name: load["stable"] for name, load in found.items() if load["stable"] is not None}
    lines += [f"{name}: said by hand to be {'stable' if own else 'not stable'}" for name, own in said.items()]
    return (None if all(load["text"] == NOTHING for load in found.values()) else table), lines


def _height(load: Mapping[str, Any]) -> float:
    """Return the greatest load that is told of a resource."""
    return float(load["high"] if load["unknown"] else load["peak"])
