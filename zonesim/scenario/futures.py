"""Futures as documents: what nobody chooses, as named edits that are the same in all arms."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from zonesim.scenario.edit import Edit
from zonesim.scenario.fields import Name, Strict, Words, problem
from zonesim.scenario.labels import Source, Text

NO_FUTURE: Final = "none"
"""What `future` says where nothing is otherwise than it is written."""


class Future(Strict):
    """What nobody chooses, such as twice the demand: edits that hold in every arm, before those of measures."""

    label: Text = {}
    """How people call it, e.g. `{en: Twice the demand, zh: 需求翻倍}`."""
    edits: Annotated[list[Edit], Field(min_length=1)]
    """
    What is different, e.g. `[{scale: traffic.*.rate, by: 2}]`. They act on what the regime, the scenario and `--set`
    leave; a path with `*` that leads nowhere changes nothing.
    """
    source: Source | None = None
    """Where the numbers come from, unless an edit says otherwise."""
    note: Words | None = None
    """A remark for readers."""


class FutureDocument(Future):
    """A future of the library in a file of its own."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["future"]
    """This is a future."""
    name: Name
    """What `future` and `--future` call it by, e.g. `demand_x2`."""

    @model_validator(mode="after")
    def _is_named(self) -> FutureDocument:
        if self.name == NO_FUTURE:
            raise problem(f"'{NO_FUTURE}' is no name of a future, for it means that there is none", "Choose another.")
        return self
