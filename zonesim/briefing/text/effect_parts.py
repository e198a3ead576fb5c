"""What differences are made of, and what doubts do to them, as text and for documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from zonesim.analysis import Difference, Effect
from zonesim.briefing.text.values import figure_text
from zonesim.experiment import Results


def made_of(effect: Effect) -> dict[str, Any]:
    """Return the parts of an effect and what doubts do to it, for --json."""
    parts = effect.parts
    return {
        "direct": _difference(parts.direct) if parts is not None else None,
        "congestion": _difference(parts.congestion) if parts is not None else None,
        "doubts": [
            {
                "doubt": move.doubt,
                "label": dict(move.label),
                "low": move.low,
                "high": move.high,
                "low_reason": move.reasons[0],
                "high_reason": move.reasons[1],
                "n": move.n,
                "counts": move.counts(effect.difference),
            }
            for move in effect.moves
        ],
    }


def _difference(each: Difference) -> dict[str, Any]:
    return {"value": each.value, "low": each.low, "high": each.high, "n": each.n}


def letters_of(effects: Iterable[Effect]) -> dict[str, str]:
    """Return a letter for each doubt that moves one of some effects by more than half its interval, in their order."""
    found = dict.fromkeys(move.doubt for effect in effects for move in effect.doubtful)
    return {doubt: chr(ord("a") + number) for number, doubt in enumerate(found)}


def doubt_text(effect: Effect, letters: Mapping[str, str], *, percent: bool) -> str:
    """
    Return what an effect is at the low and the high end of the doubt that moves it furthest, with the letters of all
    that move it by more than half its interval: `-1.00 … -21.50 a`, `-3.20 … grows b`; empty where none does.
    """
    if not effect.doubtful:
        return ""
    move = effect.doubtful[0]
    ends = zip((move.low, move.high), move.reasons, strict=True)
    low, high = (reason or figure_text(end, percent=percent) for end, reason in ends)
    return f"{low} … {high} {','.join(letters[move.doubt] for move in effect.doubtful)}"


def doubt_lines(results: Results, letters: Mapping[str, str]) -> list[str]:
    """Return the lines below a table that say what its letters mean; none where it has none."""
    if not letters:
        return []
    lines = [
        "",
        "low … high: the difference at the low and the high end of the assumption that moves it furthest, where one"
        " moves it by more than half its interval.",
    ]
    for doubt, letter in letters.items():
        ends = {each.end: each for each in results.beside.values() if each.doubt == doubt}
        label = ends["low"].label
        low, high = (sorted({text for _, text, _ in ends[end].settings}) for end in ("low", "high"))
        lines.append(
            f"{letter}: {label.get('en', doubt)} {label.get('zh', '')} ({', '.join(low)} … {', '.join(high)}, {doubt})"
        )
    return lines
