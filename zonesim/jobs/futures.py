"""The job of `zonesim futures`: the named futures of the library, and of a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from zonesim.briefing.tables.printing import printed
from zonesim.policy import load_world
from zonesim.scenario import Future, load_catalogue


def futures_document(file: Path | None) -> list[dict[str, Any]]:
    """
    Return the named futures, those of a scenario first: name, whether it is the scenario's own, label, note, edits.

    Raises Faults with what is wrong in the file.
    """
    written: Mapping[str, Any] = load_world(file).tree.get("futures", {}) if file is not None else {}
    own = {name: Future.model_validate(tree) for name, tree in written.items()}
    found: dict[str, Future] = {**own, **{n: each for n, each in load_catalogue().futures.items() if n not in own}}
    return [
        {
            "name": name,
            "own": name in own,
            "label": {str(language): text for language, text in each.label.items()},
            "note": each.note or "",
            "edits": [
                {"action": edit.action, "path": edit.path, "to": edit.to, "by": edit.by, "note": edit.note or ""}
                for edit in each.edits
            ],
        }
        for name, each in found.items()
    ]


def futures_text(document: list[dict[str, Any]]) -> str:
    """Return the futures of a document for people."""
    table = Table(box=None, pad_edge=False)
    for title in ("future", "label", "情景", "what it changes"):
        table.add_column(title, overflow="fold")
    for each in document:
        edits = "\n".join(f"{edit['action']} {edit['path']}" for edit in each["edits"])
        table.add_row(each["name"], each["label"].get("en", ""), each["label"].get("zh", ""), edits)
    return printed(table)
