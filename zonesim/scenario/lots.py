"""What one unit of an account is, for goods of each kind: pieces, weight, value, and what it is worked into."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from zonesim.faults import suggest
from zonesim.scenario.fields import PLAIN, Count, Name, PartName, Strict, keys_in_schema, problem
from zonesim.scenario.labels import Source, Text

GRAMS: Final = {"g": 1, "kg": 1_000, "t": 1_000_000}
"""Units of weight, in g."""

IN_CHINESE: Final = {"pieces": "件", "g": "克", "kg": "千克", "t": "吨", "CNY": "元"}
"""What some units are called."""

ENTRY: Final = "entry"
"""Goods are of the kind of the traffic entry that they come by."""

LARGEST: Final = 1_000_000_000
"""Most of a unit that one lot holds, or lots that there are at the start."""

Amount = Annotated[int, Field(ge=0, le=LARGEST), PLAIN]


class Lot(Strict):
    """What one unit of an account is, where the goods are of one kind."""

    start: Amount = 0
    """How many units of the account are of this kind when the run starts; those of all kinds add up to it."""
    holds: Annotated[dict[PartName, Amount], Field(min_length=1), keys_in_schema("PartName")]
    """
    How much of what one unit is, e.g. `{pieces: 9600, kg: 16000, CNY: 240000}`; of each an account is kept beside, such
    as `ledger_food_kg`.
    """
    becomes: dict[Name, Count] = {}
    """
    What one unit of it is worked into by `set: {convert: …}`, and how many of each, e.g. `{product: 1, remnants: 1}`;
    the goods are then the first of them. What is worked weighs as much as what comes of it.
    """
    label: Text = {}
    """How people call the kind."""
    source: Source | None = None
    """Where the numbers come from."""

    @property
    def grams(self) -> int:
        """Return what one unit weighs, in g; 0 where no weight is given."""
        return sum(number * GRAMS.get(unit, 0) for unit, number in self.holds.items())


def check_lots(lots: dict[str, Lot], start: int) -> None:
    """Raise a problem unless lots add up to what there is at the start and weigh what they are worked into."""
    total = sum(lot.start for lot in lots.values())
    if total != start:
        fault = f"starts with {start:,}, but its lots with {total:,} in all"
        raise problem(fault, "Say by `start` how many are of each kind.", ("lots",))
    for name, lot in lots.items():
        for other in lot.becomes:
            if other not in lots:
                fault = f"'{name}' becomes '{other}', of which there are no lots"
                raise problem(fault, suggest(other, lots, "lots"), ("lots", name, "becomes", other))
        made = sum(lots[other].grams * number for other, number in lot.becomes.items())
        if lot.becomes and made != lot.grams:
            fault = f"one of '{name}' weighs {lot.grams:,} g and becomes {made:,} g"
            raise problem(fault, "What is lost is something too: write remnants.", ("lots", name, "becomes"))
