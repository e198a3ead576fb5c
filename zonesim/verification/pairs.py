"""The documents of validation: published figures, and how an untuned model comes to its own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from zonesim.faults import Faults, ScenarioFault
from zonesim.scenario import check, read_file
from zonesim.scenario.fields import Name, Strict, Words, problem
from zonesim.scenario.labels import Text

PAIRS: Final = "pairs.yaml"
"""The file that names all pairs; the experiments that they are read from lie beside it."""

Number = Annotated[float, Field(allow_inf_nan=False)]
Ends = Annotated[list[Number], Field(min_length=2, max_length=2)]
Doubt = Annotated[list[Number], Field(min_length=3, max_length=3)]


class Published(Strict):
    """What was published: a value, a bound of it, or two ends."""

    value: Number | None = None
    """The figure itself, e.g. `-3`."""
    least: Number | None = None
    """The figure is at least so large, in size: `-60` means 60 or more less."""
    most: Number | None = None
    """The figure is at most so large."""
    between: Ends | None = None
    """The figure lies between these two."""
    kind: Literal["mean", "typical", "best", "bound"]
    """What the figure is: a mean, a typical case, a best case, or a bound that follows from others."""

    @model_validator(mode="after")
    def _one(self) -> Published:
        if sum(each is not None for each in (self.value, self.least, self.most, self.between)) != 1:
            raise problem("one of value, least, most and between is due", "Give one of them.")
        return self

    def holds(self, low: float, high: float) -> bool:
        """
        Return whether a range of the model agrees: it contains the value or meets the two ends, and reaches a bound or
        lies beyond it.
        """
        if self.value is not None:
            return low <= self.value <= high
        if self.between is not None:
            return low <= self.between[1] and high >= self.between[0]
        if self.least is not None:
            return low <= self.least if self.least < 0 else high >= self.least
        return self.most is not None and low <= self.most


class Pair(Strict):
    """A published figure with the experiment and the KPIs that predict it, or that it has calibrated."""

    id: Name
    """The number of the pair, e.g. `T4`."""
    label: Text
    """What is compared, e.g. `{en: Supervised transfer, zh: 监管运输}`."""
    place: Text
    """Where and when it was published."""
    change: Text
    """From what to what: regimes or practices."""
    rows: list[Name]
    """Rows of the collection of published figures that state it."""
    url: str = ""
    """Where it can be read."""
    calibrated: bool = False
    """Whether the library was set by this figure, so that it tests nothing."""
    fitted: Words | None = None
    """What of the pair itself the scenario uses, where it is no blind prediction."""
    experiment: Words
    """The experiment file, from the folder of this one."""
    arm: Name | None = None
    """The arm whose KPIs are read; without it the only one, or the one that is not the baseline."""
    form: Literal["level", "difference", "relative"]
    """Whether the level of the arm is meant, its difference to the baseline, or that as a share of the baseline."""
    kpis: Annotated[list[Name], Field(min_length=1)]
    """The KPIs whose sum is meant, e.g. `[F5.dwell.mean]`."""
    minus: Annotated[list[Name], Field(default_factory=list)]
    """KPIs that are taken off."""
    times: Doubt | None = None
    """Low, mode and high of a factor, drawn in each future like the other doubts."""
    per: Number = 1.0
    """What the result is divided by, e.g. a published base level."""
    unit: Words
    """The unit of the result and of the published figure, e.g. `h` or `%`."""
    published: Published
    """What was published."""
    band: Ends | None = None
    """The band in which a prediction was said to pass, by somebody who knew the outcomes."""
    reading: Words
    """What agreement or failure shows."""


class Validation(Strict):
    """All pairs, and what cannot be tested."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["validation"]
    """These are pairs of validation."""
    pairs: Annotated[list[Pair], Field(min_length=1)]
    """The pairs in the order in which they are told."""
    untested: list[Words]
    """What cannot be tested, and why, a sentence each."""


def read_pairs(folder: Path) -> Validation:
    """Return the pairs of a folder; raises Faults, with the place of each fault."""
    document = read_file(folder / PAIRS)
    found = check(Validation, document.tree, document.places, document.keys, file=document.file)
    names: set[str] = set()
    for number, pair in enumerate(found.pairs):
        if pair.id in names:
            place = document.place(("pairs", str(number), "id"))
            raise Faults([ScenarioFault(f"the pair '{pair.id}' stands twice", place, "Keep one of them.")])
        names.add(pair.id)
    return found


def spread_factor(low: float, high: float) -> float:
    """Return how many times larger the far end of a range is than the near one, in size; inf where 0 is inside."""
    if low <= 0 <= high:
        return math.inf
    return max(abs(low), abs(high)) / min(abs(low), abs(high))
