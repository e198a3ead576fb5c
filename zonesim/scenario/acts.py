"""What a step may do besides holding, taking time and checking: gather a batch, change a token or an account."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from zonesim.scenario.fields import Count, Name, Strict, Take, problem


class Changes(Strict):
    """What a step changes: accounts, the class of the token, the customs status of its goods."""

    credit: dict[Name, Count] = {}
    """What is added to accounts, e.g. `{$zone.stock: 3}`."""
    debit: dict[Name, Count] = {}
    """What is taken from accounts, e.g. `{$zone.stock: 3}`; never below their floor."""
    class_: Name | None = Field(default=None, alias="class")
    """The class that the token has from now on, e.g. `ordinary`."""
    status: Name | None = None
    """The customs status that its goods have from now on, e.g. `released`; it must be a legal successor."""


class Gather(Strict):
    """
    The token waits until a batch is complete: at `number` members, when the first has waited `within`, or when the
    calendar `until` opens next, whichever comes first.
    """

    number: Count | None = None
    """Complete with this many members, e.g. `20`."""
    within: Take | None = None
    """Complete when the first member has waited this long, e.g. `4 h`."""
    until: Name | None = None
    """Complete when this calendar opens next, e.g. `office`; who comes at that very moment still belongs to it."""
    by: Literal["firm", "class"] | None = None
    """A batch for each firm or for each class; without it there is one for all tokens of the traffic entry."""

    @model_validator(mode="after")
    def _ends(self) -> Gather:
        if self.number is None and self.within is None and self.until is None:
            raise problem("a batch that is never complete", "Write {number: 20}, {within: 4 h} or {until: office}.")
        return self
