"""Briefings as text that is kept beside an answer, so that documents are made of it later without a run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from zonesim.briefing.brief.model import Briefing, Cell, Chart, Column, Number, Range, Section, Series, Table, plain
from zonesim.briefing.text.documents import to_json
from zonesim.briefing.text.words import LANGUAGES, Language
from zonesim.faults import Place, ScenarioFault
from zonesim.writing import write_text

KEPT: Final = "briefing.json"

_DAMAGED: Final = "Run the same command again: it writes the file anew."


def keep_briefings(folder: Path, made: Mapping[Language, Briefing]) -> Path:
    """Write briefings by their language into a folder; return the path. Raises as `write_text`."""
    path = folder / KEPT
    found = {language: asdict(briefing) for language, briefing in made.items()}
    for briefing, own in zip(made.values(), found.values(), strict=True):
        for section, told in zip(briefing.sections, own["sections"], strict=True):
            for table, kept in zip(section.tables, told["tables"], strict=True):
                kept["rows"] = [[_kept(cell) for cell in row] for row in table.rows]
    write_text(path, to_json(found) + "\n")
    return path


def kept_briefings(folder: Path) -> dict[Language, Briefing]:
    """Return the briefings of a folder by their language; raises ScenarioFault where the file is none of these."""
    path = folder / KEPT
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {language: _briefing(found[language], language) for language in LANGUAGES}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ScenarioFault("is no briefing that zonesim has kept", Place(str(path)), _DAMAGED) from None


def _kept(cell: Cell) -> Any:  # noqa: ANN401  what JSON holds
    if isinstance(cell, str):
        return cell
    return {"number" if isinstance(cell, Number) else "range": asdict(cell)}


def _cell(kept: Any) -> Cell:  # noqa: ANN401  what JSON holds
    if isinstance(kept, str):
        return plain(kept)
    if "number" in kept:
        own = kept["number"]
        return Number(_number(own["value"]), own["style"], bool(own["signed"]))
    own = kept["range"]
    return Range(_number(own["low"]), _number(own["high"]), plain(own["to"]), own["style"])


def _number(kept: float | None) -> float:
    """Return a number: JSON has none for what is not known."""
    return math.nan if kept is None else float(kept)


def _texts(kept: list[str]) -> tuple[str, ...]:
    return tuple(plain(text) for text in kept)


def _briefing(kept: Mapping[str, Any], language: Language) -> Briefing:
    return Briefing(
        language=language,
        title=plain(kept["title"]),
        question=plain(kept["question"]),
        findings=_texts(kept["findings"]),
        sections=tuple(_section(each) for each in kept["sections"]),
        run=plain(kept["run"]),
        source=plain(kept["source"]),
        commands=_texts(kept["commands"]),
        words={key: plain(text) for key, text in kept["words"].items()},
    )


def _section(kept: Mapping[str, Any]) -> Section:
    tables = (
        Table(
            plain(each["title"]),
            tuple(Column(plain(column["head"]), column["kind"]) for column in each["columns"]),
            tuple(tuple(_cell(cell) for cell in row) for row in each["rows"]),
            _texts(each["notes"]),
            bool(each["long"]),
        )
        for each in kept["tables"]
    )
    charts = (
        Chart(
            plain(each["title"]),
            each["kind"],
            plain(each["unit"]),
            _texts(each["categories"]),
            tuple(
                Series(plain(own["name"]), *(tuple(map(_number, own[key])) for key in ("values", "lows", "highs")))
                for own in each["series"]
            ),
            _number(each["middle"]),
            plain(each["note"]),
        )
        for each in kept["charts"]
    )
    key, name, title = (plain(kept[each]) for each in ("key", "name", "title"))
    return Section(key, name, title, _texts(kept["paragraphs"]), tuple(charts), tuple(tables))
