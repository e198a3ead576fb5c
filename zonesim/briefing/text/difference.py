"""What sets two arms apart: every value old and new, with the measure that changed it and where that is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.table import Table

from zonesim.briefing.tables.printing import printed
from zonesim.faults import Place
from zonesim.policy import Change, ResolvedArm, dotted
from zonesim.scenario import Path_


@dataclass(frozen=True)
class Difference:
    """A value that differs: in the first arm, in the second, by whom, for which share of tokens, written where."""

    path: Path_
    old: Any
    new: Any
    by: str
    share: float
    place: Place

    @property
    def dotted(self) -> str:
        """Return the path as people write it."""
        return dotted(self.path)


def differences(first: ResolvedArm, second: ResolvedArm) -> list[Difference]:
    """
    Return the values in which two arms of one world differ, in the order of the second arm's changes, then the
    first's.

    `share` is the share of the volume (or of firms, or of tokens) that meets the new value: that of its practice, 1
    for what holds for everybody. What both arms change alike, to whatever share, is no difference of a value.
    """
    own = {_key(change): change for change in first.changes}
    found = [
        Difference(change.path, change.old, change.new, change.by, second.shares.get(change.by, 1.0), change.place)
        for change in second.changes
        if _key(change) not in own
    ]
    theirs = {_key(change) for change in second.changes}
    undone = [
        Difference(change.path, change.new, change.old, change.by, first.shares.get(change.by, 1.0), change.place)
        for key, change in own.items()
        if key not in theirs
    ]
    return found + undone


def _key(change: Change) -> tuple[Path_, str, str, str]:
    return change.path, change.by, repr(change.old), repr(change.new)


def diff_text(document: dict[str, Any]) -> str:
    """Return the outcome of `diff_document` for people."""
    first, second = document["arms"]
    if not (document["practices"] or document["classes"] or document["changes"]):
        return f"{first} and {second} are equal in {document['scenario']}"
    parts = []
    if document["practices"]:
        table = _table("practice", first, second)
        for row in document["practices"]:
            table.add_row(row["practice"], f"{row['first']:.0%}", f"{row['second']:.0%}")
        parts.append(f"Share that follows a practice\n{printed(table)}")
    if document["classes"]:
        table = _table("class", "as", "by", first, second)
        for row in document["classes"]:
            shares = (f"{row['first']:.0%}", f"{row['second']:.0%}")
            table.add_row(row["old"], row["new"], row["practice"], *shares)
        parts.append(f"Firms treated as another class\n{printed(table)}")
    if document["changes"]:
        table = _table("path", first, second, "for", "by", "written at")
        for row in document["changes"]:
            share = "all" if row["share"] == 1 else f"{row['share']:.0%}"
            table.add_row(row["path"], brief(row["old"]), brief(row["new"]), share, row["by"], row["place"])
        parts.append(f"Values\n{printed(table)}")
    return "\n\n".join(parts)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def brief(value: Any) -> str:  # noqa: ANN401
    """Return a value on one line, as YAML has it, without labels and sources; `-` for what is not there."""
    if value is None:
        return "-"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {brief(each)}" for key, each in value.items() if key not in _ASIDE) + "}"
    return f"[{', '.join(map(brief, value))}]" if isinstance(value, list) else str(value)


_ASIDE = {"label", "source", "note"}
