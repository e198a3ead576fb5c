"""What `zonesim sources` prints: numbers with their sources, counts by kind, and what decides a headline."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.table import Table

from zonesim.analysis import Interval
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.words import Words
from zonesim.policy import KINDS, Entry
from zonesim.writing import for_spreadsheets

FIELDS: Final = ("path", "value", "kind", "body", "title", "date", "confidence", "url", "written")
SHOWN: Final = ("path", "value", "kind", "body", "title", "date", "confidence")
MOST_DRIVERS: Final = 12
"""Doubted values that are printed of those that move a KPI; the JSON has all."""


@dataclass(frozen=True)
class Driver:
    """A doubted value, and the KPI with it at its mode, its low and its high end."""

    path: str
    middle: Interval
    low: Interval
    high: Interval
    kind: str

    @property
    def swing(self) -> float:
        """Return by how much the KPI moves between the ends; inf where at one of them it is not given: a line grows."""
        found = abs(self.high.value - self.low.value)
        return math.inf if math.isnan(found) else found


def sources_rows(entries: Sequence[Entry]) -> list[dict[str, str]]:
    """Return a row for each value; the numbers of a list (low, mode, high; the hours of a profile) are one."""
    rows: dict[str, dict[str, str]] = {}
    for entry in entries:
        name = entry.dotted.rpartition(".")[0] if entry.path[-1].isdigit() else entry.dotted
        note = entry.source
        row = rows.setdefault(
            name,
            {
                "path": name,
                "value": "",
                "kind": entry.kind,
                "body": note.body if note else "",
                "title": note.title if note else "",
                "date": note.date if note else "",
                "confidence": note.confidence if note and note.kind != "assumed" else "",
                "url": note.url if note else "",
                "written": str(entry.place),
            },
        )
        row["value"] = f"{row['value']} / {entry.text}" if row["value"] else entry.text
    return list(rows.values())


def sources_document(arm: str, entries: Sequence[Entry], drivers: Sequence[Driver] | None, kpi: str) -> dict[str, Any]:
    """Return what --json tells: the rows, how many there are of each kind, and what moves a KPI."""
    rows = sources_rows(entries)
    counted = Counter(row["kind"] for row in rows)
    document: dict[str, Any] = {"arm": arm, "counts": {kind: counted[kind] for kind in KINDS}, "numbers": rows}
    if drivers is not None:
        whole = sum(driver.swing**2 for driver in drivers if math.isfinite(driver.swing))
        document["drives"] = {
            "kpi": kpi,
            "value": _number(drivers[0].middle.value) if drivers else None,
            "drivers": [
                {
                    "path": driver.path,
                    "kind": driver.kind,
                    "low": _number(driver.low.value),
                    "high": _number(driver.high.value),
                    "swing": driver.swing if math.isfinite(driver.swing) else None,
                    "share": _share(driver.swing, whole),
                }
                for driver in drivers
            ],
        }
    return document


def sources_csv(entries: Sequence[Entry]) -> str:
    """Return the rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: for_spreadsheets(value) for key, value in row.items()} for row in sources_rows(entries))
    return text.getvalue().rstrip("\n")


def sources_text(say: Words, document: Mapping[str, Any]) -> str:
    """Return the rows as a table, the counts, and what moves a KPI."""
    table = Table(box=None, pad_edge=False)
    for field in SHOWN:
        table.add_column(say(f"sources.{field}"), overflow="fold")
    for row in document["numbers"]:
        kind = say(f"sources.kind.{row['kind']}")
        table.add_row(row["path"], row["value"], kind, *(row[field] for field in SHOWN[3:]))
    counts = {kind: str(count) for kind, count in document["counts"].items()}
    lines = [printed(table), "", say("sources.counts", arm=document["arm"], **counts)]
    if "drives" in document:
        lines += ["", *_drives_text(say, document["drives"])]
    return "\n".join(lines)


def _drives_text(say: Words, drives: Mapping[str, Any]) -> list[str]:
    table = Table(box=None, pad_edge=False)
    for field, side in (("path", "left"), ("kind", "left"), ("low", "right"), ("high", "right"), ("share", "right")):
        table.add_column(say(f"sources.{field}"), justify=side, overflow="fold")  # type: ignore[arg-type]
    shown = [each for each in drives["drivers"] if each["swing"] != 0][:MOST_DRIVERS]
    for each in shown:
        ends = [_text(each[end]) for end in ("low", "high")]
        table.add_row(each["path"], say(f"sources.kind.{each['kind']}"), *ends, _percent(say, each["share"]))
    title = say("sources.drives", kpi=drives["kpi"], value=_text(drives["value"]))
    return [title, printed(table), say("sources.drives_note", count=str(len(drives["drivers"])))]


def _share(swing: float, whole: float) -> float | None:
    """Return a value's share of the variance, None where it has no finite one."""
    if math.isinf(swing):
        return None
    return swing**2 / whole if whole else 0.0


def _percent(say: Words, share: float | None) -> str:
    return say("sources.grows") if share is None else f"{100 * share:.0f} %"


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
