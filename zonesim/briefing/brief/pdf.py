"""A briefing as PDF, set by Typst: an extra, for it is large."""

from __future__ import annotations

import importlib.util
import json
from importlib import resources
from pathlib import Path
from typing import Any

from zonesim.briefing.brief.model import Briefing, Section, text_of
from zonesim.briefing.brief.svg import svg_of
from zonesim.faults import Place, ScenarioFault
from zonesim.writing import whole


def check_typst() -> None:
    """Raise ScenarioFault where Typst is not installed: before anything is run."""
    if importlib.util.find_spec("typst") is None:
        fault = "PDF is set by Typst, which is not installed"
        raise ScenarioFault(fault, Place("--to"), "Install it with: pip install 'zonesim[pdf]', or write docx.")


def write_pdf(path: Path, briefing: Briefing) -> None:
    """Write a briefing as PDF, whole or not at all; raises ScenarioFault when it cannot be written."""
    import typst  # noqa: PLC0415  an extra

    template = resources.files("zonesim.briefing.brief").joinpath("templates", "briefing.typ").read_bytes()
    found = typst.compile(template, format="pdf", sys_inputs={"data": json.dumps(_document(briefing))})
    with whole(path) as part:
        part.write_bytes(found)


def _document(briefing: Briefing) -> dict[str, Any]:
    """Return what the template asks for: texts, and charts as drawings."""
    return {
        "language": briefing.language,
        "title": briefing.title,
        "question": briefing.question,
        "findings": briefing.findings,
        "source": briefing.source,
        "commands": briefing.commands,
        "words": briefing.words,
        "sections": [_section(section) for section in briefing.sections],
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "name": section.name,
        "title": section.title,
        "paragraphs": section.paragraphs,
        "charts": [{"title": chart.title, "svg": svg_of(chart)} for chart in section.charts],
        "tables": [
            {
                "title": table.title,
                "widths": table.widths(),
                "kinds": [column.kind for column in table.columns],
                "heads": [column.head for column in table.columns],
                "rows": [[text_of(cell) for cell in row] for row in table.rows],
                "notes": table.notes,
            }
            for table in section.tables
            if not table.long
        ],
    }
