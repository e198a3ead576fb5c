"""The page docs/reference/statuses.md: the customs statuses of the library and their rules, each with its basis."""

from __future__ import annotations

from typing import Any

from zonesim.scenario import load_catalogue

INTRODUCTION = """\
# Customs statuses

What goods may be in the eyes of customs, which status may follow which, and with which they may make the marks of the
gate. Every way through every compiled flow is held against both tables before a run, in every arm: a change that
stands in no row is refused, and so is a load that makes a mark of the second table with a status that does not stand
there, with the steps that it went and the measure whose edit led there. The first status of a load is free. Plain
traffic, of which no status is said, is not asked, and an empty truck makes no mark `goods_vehicle`. A scenario adds
statuses and rules of its own under `statuses:` ([format.md](format.md)).

*assumed*: written as the trade knows it, no paragraph has been found; *low*: the paragraph is told from memory.

"""

CHANGES = """\
## What may follow 状态变更

| status | 状态 | may become | 可变更为 | basis 依据 |
|---|---|---|---|---|"""

PASSAGES = """
## What passes the gate 可通过的标记

| mark 标记 | status | 状态 | basis 依据 |
|---|---|---|---|"""


def statuses_page() -> str:
    """Return docs/reference/statuses.md."""
    statuses = load_catalogue().statuses
    lines = [INTRODUCTION + CHANGES]
    for status in statuses.values():
        rules = status.get("to", {})
        if not rules:
            lines.append(f"| {_names(status)} | nothing | 无 | |")
        for other, source in rules.items():
            lines.append(f"| {_names(status)} | {_names(statuses[other])} | {_basis(source)} |")
    lines.append(PASSAGES)
    marks = dict.fromkeys(mark for status in statuses.values() for mark in status.get("passes", {}))
    for mark in marks:
        may = [status for status in statuses.values() if mark in status.get("passes", {})]
        lines += [f"| `{mark}` | {_names(status)} | {_basis(status['passes'][mark])} |" for status in may]
    return "\n".join(lines) + "\n"


def _names(status: dict[str, Any]) -> str:
    """Return what a status is called, a column for each language."""
    return f"{status['label']['en']} | {status['label']['zh']}"


def _basis(source: str) -> str:
    """Return what a rule rests on: title, body, date and confidence of what was found, else that it is assumed."""
    note = load_catalogue().sources[source]
    if note.kind == "assumed":
        return f"*assumed*: {note.title}" if source != "assumed" else "*assumed*"
    return f"{note.title} ({', '.join(filter(None, (note.body, note.date, note.confidence)))})"
