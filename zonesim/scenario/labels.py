"""What may stand beside any value: how people call it, and where it comes from."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Tag

from zonesim.faults import near
from zonesim.scenario.fields import Label, Name, Strict, Words, keys_in_schema

Text = dict[Literal["en", "zh"], Label]


NOTE_KEYS: Final = frozenset({"kind", "title", "body", "url", "confidence"})
"""A mapping with one of these keys is a note; another gives the source of each key beside it."""


class SourceNote(Strict):
    """Where a number comes from."""

    kind: Literal["found", "derived", "assumed"]
    """Published (`found`), computed from published numbers (`derived`), or our own guess (`assumed`)."""
    title: Words = ""
    """What it says, in a line."""
    body: Words = ""
    """Who published it."""
    date: Words = ""
    """When, e.g. `"2018-09-03"`."""
    url: Words = ""
    """Where it can be read."""
    confidence: Literal["high", "medium", "low"] = "low"
    """How sure the number is; found numbers of low confidence count as assumed."""


def _form_of_source(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, dict):
        return "note" if NOTE_KEYS & set(value) or any(near(key, ["kind"]) for key in value) else "table"
    return "list" if isinstance(value, list) else "id"


Source = Annotated[
    Annotated[Name, Tag("id")]
    | Annotated[list[Name], Tag("list")]
    | Annotated[SourceNote, Tag("note")]
    | Annotated[dict[Name, Name], keys_in_schema("NotANote"), Tag("table")],
    Discriminator(_form_of_source),
]
"""An id of library/sources.yaml, several of them, a note, or an id for each key beside it."""
