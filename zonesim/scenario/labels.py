"""What may stand beside any value: how people call it, and where it comes from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from zonesim.scenario.fields import Name, Strict

Text = dict[Literal["en", "zh"], str]


class SourceNote(Strict):
    """Where a number comes from."""

    kind: Literal["found", "derived", "assumed"]
    """Published (`found`), computed from published numbers (`derived`), or our own guess (`assumed`)."""
    title: Name = ""
    """What it says, in a line."""
    body: Name = ""
    """Who published it."""
    date: Name = ""
    """When, e.g. `"2018-09-03"`."""
    url: Name = ""
    """Where it can be read."""
    confidence: Literal["high", "medium", "low"] = "low"
    """How sure the number is; found numbers of low confidence count as assumed."""


def _form_of_source(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, dict):
        return "note" if "kind" in value else "table"
    return "list" if isinstance(value, list) else "id"


Source = Annotated[
    Annotated[Name, Tag("id")]
    | Annotated[list[Name], Tag("list")]
    | Annotated[SourceNote, Tag("note")]
    | Annotated[dict[Name, Name], Tag("table")],
    Discriminator(_form_of_source),
]
"""An id of library/sources.yaml, several of them, a note, or an id for each key beside it."""
