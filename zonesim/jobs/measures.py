"""The job of `zonesim measures`: the catalogue of measures."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from zonesim.briefing.tables.printing import printed
from zonesim.scenario import load_catalogue


def measures_document() -> list[dict[str, Any]]:
    """Return the measures of the library: id, annex, label, basis, practices with their edits."""
    document = []
    for measure in load_catalogue().by_annex().values():
        edits = [
            {"practice": name, "action": edit.action, "path": edit.path, "to": edit.to, "by": edit.by}
            for name, practice in measure.practices.items()
            for edit in practice.edits
        ]
        edits += [
            {"practice": None, "action": edit.action, "path": edit.path, "to": edit.to, "by": edit.by}
            for edit in measure.zone_edits
        ]
        document.append(
            {
                "id": measure.name,
                "annex": measure.annex,
                "label": dict(measure.label),
                "basis": {"text": measure.basis.text, "date": measure.basis.date},
                "params": {name: param.default for name, param in measure.params.items()},
                "moves": list(measure.moves),
                "sets_class": {
                    name: dict(practice.sets_class)
                    for name, practice in measure.practices.items()
                    if practice.sets_class
                },
                "edits": edits,
            }
        )
    return document


def measures_text() -> str:
    """Return the measures of the library for people."""
    table = Table(box=None, pad_edge=False)
    for title in ("annex", "measure", "措施", "practice", "what it changes"):
        table.add_column(title, overflow="fold")
    for measure in load_catalogue().by_annex().values():
        label = [str(measure.annex), measure.label["en"], measure.label["zh"]]
        for name, practice in measure.practices.items():
            edits = "\n".join(
                [f"{edit.action} {edit.path}" for edit in practice.edits]
                + [f"treat class {old} as {new}" for old, new in practice.sets_class.items()]
            )
            table.add_row(*label, f"{name}: {practice.label['en']}", edits)
            label = ["", "", ""]
    return printed(table)
