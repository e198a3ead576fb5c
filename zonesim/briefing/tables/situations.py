"""What `zonesim verify --situations` prints: each rule of procedure in words, and whether the flows follow it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.words import Words
from zonesim.verification import Outcome


def situations_text(found: Sequence[Outcome], say: Words) -> str:
    """Return a table of situations, the words of those that do not hold with why, and a count."""
    table = Table(box=None, pad_edge=False)
    for name in ("situation", "flow", "measures", "verdict"):
        table.add_column(say(f"situations.{name}"), overflow="fold")
    for each in found:
        own = each.situation
        called = f"{each.id}: {say.label(own.label, each.id)}"
        table.add_row(called, own.flow, " ".join([*own.measures, *own.practices]), say(f"situations.{_verdict(each)}"))
    failed = [each for each in found if not each.holds]
    lines = [printed(table)]
    for each in failed:
        lines += ["", *words_of_situation(each, say), *(f"  {failure}" for failure in each.failures)]
    lines += ["", say("situations.closing", passed=str(len(found) - len(failed)), failed=str(len(failed)))]
    return "\n".join(lines)


def words_of_situation(each: Outcome, say: Words) -> list[str]:
    """Return a situation in words, as a customs officer reviews it."""
    own = each.situation
    parts = [(key, say.label(getattr(own, key), "")) for key in ("given", "when", "then")]
    head = f"{each.id}: {say.label(own.label, each.id)} ({own.basis})"
    return [head, *(f"  {say(f'situations.{key}')} {text}" for key, text in parts)]


def situations_document(found: Sequence[Outcome]) -> dict[str, Any]:
    """Return what --json tells: every situation with its words in both languages, and what failed."""
    return {
        "situations": [
            {
                "id": each.id,
                "label": dict(each.situation.label),
                "given": dict(each.situation.given),
                "when": dict(each.situation.when),
                "then": dict(each.situation.then),
                "basis": each.situation.basis,
                "flow": each.situation.flow,
                "measures": [*each.situation.measures, *each.situation.practices],
                "holds": each.holds,
                "failures": list(each.failures),
            }
            for each in found
        ]
    }


def _verdict(each: Outcome) -> str:
    return "holds" if each.holds else "fails"
