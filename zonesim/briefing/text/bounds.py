"""How many times its demand an arm carries at most, by the traffic equations, in words and as a document."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from zonesim.analysis import Bound
from zonesim.briefing.text.arm_names import ArmHeads
from zonesim.briefing.text.words import CHINESE, ENGLISH, Words

MOST_NAMED: Final = 6
"""Resources of an unknown load that are named; of more their number is told."""


def bound_lines(bounds: Mapping[str, Bound], heads: ArmHeads) -> list[str]:
    """Return a line an arm, in both languages: what it carries at most, and what is fully loaded then."""
    return [
        " | ".join(
            say("named_is", name=name, text=bound_text(say, bound))
            for say, name in zip((ENGLISH, CHINESE), heads.both(arm), strict=True)
        )
        for arm, bound in bounds.items()
    ]


def bound_text(say: Words, bound: Bound) -> str:
    """Return what is known of how many times its demand an arm carries; where nothing is, why."""
    unknown = say.listed(name for name, _ in bound.unknown)
    if len(bound.unknown) > MOST_NAMED:
        unknown = say("bound.several", count=str(len(bound.unknown)))
    if math.isinf(bound.multiple):
        return say("bound.unknown", names=unknown) if unknown else say("bound.none")
    phrase = "bound.less" if bound.loose else "bound.most"
    text = say(phrase, value=number_text(bound.multiple), names=say.listed(bound.names))
    return say("bound.and_unknown", text=text, names=unknown) if unknown else text


def bound_names(say: Words, bound: Bound) -> str:
    """Return what is fully loaded at the bound."""
    return say.listed(bound.names)


def multiple_text(bound: Bound) -> str:
    """Return the multiple of a bound: `≤ ×1.32`, `-` where nothing is known to limit it."""
    if math.isinf(bound.multiple):
        return "-"
    return f"{'<' if bound.loose else '≤'} ×{number_text(bound.multiple)}"


def number_text(multiple: float, *, signed: bool = False) -> str:
    """Return a multiple with three digits or so, `-` for none."""
    if math.isnan(multiple):
        return "-"
    return f"{multiple:{'+' if signed else ''}.{3 if abs(multiple) < 1 else 2 if abs(multiple) < 10 else 1}f}"  # noqa: PLR2004


def bound_document(bound: Bound) -> dict[str, Any]:
    """
    Return a bound for --json: `multiple` (None: nothing is known to limit it), the `resources` that are fully loaded
    there, `loose` where it is less than that, and `unknown`: resources whose load is not known, with why.
    """
    return {
        "multiple": None if math.isinf(bound.multiple) else bound.multiple,
        "resources": list(bound.names),
        "loose": bound.loose,
        "unknown": dict(bound.unknown),
    }
