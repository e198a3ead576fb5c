"""How the units of a resource break down and are repaired."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from zonesim.scenario.fields import Duration, Strict, is_doubt
from zonesim.scenario.laws import Law


def _form_of_lasting(value: Any) -> str:  # noqa: ANN401
    return "law" if isinstance(value, Law) or (isinstance(value, dict) and not is_doubt(value)) else "duration"


Lasting = Annotated[
    Annotated[Duration, Tag("duration")] | Annotated[Law, Tag("law")],
    Discriminator(_form_of_lasting),
]
"""How long a state lasts: a fixed duration or a law."""


class Breakdowns(Strict):
    """
    Units break down and are repaired, in turns. What becomes of work in hand is what `at_shift_end` says: with `pause`
    it is interrupted and goes on when a unit is free again, otherwise it is finished first.
    """

    up: Lasting
    """How long a unit works from a repair (or the start) to its next breakdown, e.g. `{exponential: {mean: 40 h}}`."""
    repair: Lasting
    """How long it is out of order then, e.g. `2 h` or `{exponential: {mean: 2 h}}`."""
    clock: Literal["always", "busy"] = "always"
    """
    Which time counts towards `up`: `always` all of it, `busy` only that in which the unit is in use; the latter where
    there is a single unit.
    """
    of: Literal["unit", "whole"] = "unit"
    """What breaks down: `unit` each unit by itself, `whole` all units at once, as with a power cut."""


BreakdownsOrNone = Annotated[
    Annotated[Literal["none"], Tag("none")] | Annotated[Breakdowns, Tag("breakdowns")],
    Discriminator(lambda value: "breakdowns" if isinstance(value, dict | Breakdowns) else "none"),
]
"""How units break down, or the word `none`."""
