"""The job of `zonesim measures`: the catalogue of measures, and the card of one."""

from __future__ import annotations

from typing import Any, Final

from rich.table import Table

from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.measure_card import card_document, card_parts, card_title, practice_words
from zonesim.faults import Place
from zonesim.policy import find_measure
from zonesim.scenario import load_catalogue

PAGE: Final = (
    "The measures of the library as cards, which `zonesim measures 11` prints too: those of the annex of the plan by",
    "number, then tasks of it. An arrow behind a KPI is the way in which it is expected to move, `=`: not at all;",
    "*edited*: the measure edits what the KPI is made of, so that its move tests nothing. Shares before the plan are",
    "those of the regime R1, by zone.",
)


def measures_document() -> list[dict[str, Any]]:
    """Return the cards of the measures of the library, in the order of the plan."""
    return [card_document(measure) for measure in load_catalogue().in_plan_order()]


def measure_document(name: str) -> dict[str, Any]:
    """Return the card of a measure, by its number in the plan or its name; raises UnknownName."""
    return card_document(find_measure(name, load_catalogue(), Place(f"measures {name}")))


def measures_text() -> str:
    """Return the measures of the library for people."""
    table = Table(box=None, pad_edge=False)
    for title in ("number", "measure", "措施", "practice", "what it changes"):
        table.add_column(title, overflow="fold")
    for measure in load_catalogue().in_plan_order():
        label = [measure.number, measure.label["en"], measure.label["zh"]]
        for name, practice in measure.practices.items():
            table.add_row(*label, f"{name}: {practice.label['en']}", "\n".join(practice_words(practice)))
            label = ["", "", ""]
        if measure.zone_edits:
            edits = "\n".join(f"{edit.action} {edit.path}" for edit in measure.zone_edits)
            table.add_row(*label, "", edits)
    return printed(table)


def measure_text(card: dict[str, Any]) -> str:
    """Return a card for people, in both languages."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(overflow="fold", no_wrap=True)
    table.add_column(overflow="fold")
    for part in card_parts(card):
        table.add_row(part.title, "\n".join(part.lines))
    return "\n".join([f"{card['id']}  {card_title(card)}", "", printed(table)])


def measures_page() -> str:
    """Return the page of cards, in Markdown."""
    lines = ["# Measures", "", *PAGE]
    for card in measures_document():
        lines += ["", f"## {card_title(card)}", ""]
        for part in card_parts(card):
            lines += [f"- **{part.title}**", *(_item(line) for line in part.lines)]
    return "\n".join(lines) + "\n"


def _item(line: str) -> str:
    """Return a line of a part as an item of a list; one that is set in belongs to the one before it."""
    return f"{'    ' if line.startswith(' ') else '  '}- {line.strip()}"
