"""The documents of policy: measures, regimes, and the shared tables of the library."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from zonesim.scenario.fields import Name, Share, Strict, problem
from zonesim.scenario.models import Calendar, Profile, Source, SourceNote, Text


class Adoption(Strict):
    """Who follows a practice: a share `of` the volume or of the number of firms."""

    share: Share
    of: Literal["volume", "firms"] = "volume"


class Edit(Strict):
    """
    One change of the resolved scenario.

    `set` and `remove` need the path to exist, `add` needs it not to; `scale` multiplies a quantity or every
    duration of a law.
    """

    set: Name | None = None
    scale: Name | None = None
    add: Name | None = None
    remove: Name | None = None
    to: Any = None
    by: float | None = None
    after: Name | None = None
    before: Name | None = None
    source: Source | None = None
    note: Name | None = None

    @model_validator(mode="after")
    def _one_action(self) -> Edit:
        given = [name for name in ("set", "scale", "add", "remove") if getattr(self, name) is not None]
        if len(given) != 1:
            raise problem("an edit is exactly one of set, scale, add, remove", "Write {set: PATH, to: VALUE}.")
        action = given[0]
        if (action in {"set", "add"}) != (self.to is not None):
            raise problem(
                f"'{action}' {'needs' if action in {'set', 'add'} else 'takes no'} 'to'",
                "Write {set: PATH, to: VALUE}.",
            )
        if (action == "scale") != (self.by is not None):
            raise problem(
                f"'{action}' {'needs' if action == 'scale' else 'takes no'} 'by'", "Write {scale: PATH, by: 0.5}."
            )
        if (self.after or self.before) and action != "add":
            raise problem("'after' and 'before' belong to 'add'", "Remove them.")
        if self.by is not None and not self.by > 0:
            raise problem("'by' must be above 0", "Write {scale: PATH, by: 0.5}.")
        return self

    @property
    def action(self) -> str:
        """Return set, scale, add or remove."""
        return next(name for name in ("set", "scale", "add", "remove") if getattr(self, name) is not None)

    @property
    def path(self) -> str:
        """Return the dotted path that is edited."""
        path: str = getattr(self, self.action)
        return path


class MeasureParam(Strict):
    """A parameter of a measure with its default and bounds."""

    default: Any
    low: Any = None
    high: Any = None
    source: Source | None = None


class Practice(Strict):
    """A way of working that firms adopt: the edits hold for those who do."""

    label: Text
    adoption: Adoption
    edits: Annotated[list[Edit], Field(min_length=1)]
    source: Source | None = None
    note: Name | None = None


class Basis(Strict):
    """The text of policy that a measure rests on."""

    text: Name
    date: Name
    body: Name = ""
    url: Name = ""


class Measure(Strict):
    """A named, referenced change of policy: practices with adoption, and edits of zones that hold for everybody."""

    zonesim: Literal[1]
    kind: Literal["measure"]
    name: Name
    annex: Annotated[int, Field(ge=1, le=99)]
    label: Text
    basis: Basis
    params: dict[Name, MeasureParam] = {}
    practices: dict[Name, Practice] = {}
    zone_edits: list[Edit] = []
    after: list[Name] = []
    moves: list[Name] = []
    note: Name | None = None
    source: Source | None = None


class Regime(Strict):
    """A stage of supervision: which practices are in use to what share, and edits of the conventional flows."""

    zonesim: Literal[1]
    kind: Literal["regime"]
    name: Name
    label: Text
    adopted: dict[Name, dict[Name, Share]] = {}
    edits: list[Edit] = []
    source: Source | None = None
    note: Name | None = None


class Tables(Strict):
    """Shared calendars and profiles of the library."""

    zonesim: Literal[1]
    kind: Literal["tables"]
    calendars: dict[Name, Calendar] = {}
    profiles: dict[Name, Profile] = {}


class Sources(Strict):
    """The sources of the library by id."""

    zonesim: Literal[1]
    kind: Literal["sources"]
    sources: dict[Name, SourceNote]
