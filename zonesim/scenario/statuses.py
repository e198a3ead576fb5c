"""Customs statuses of goods, which may follow which, and what goods may pass with each."""

from __future__ import annotations

from typing import Literal

from zonesim.scenario.fields import Name, PartName, Strict, Words
from zonesim.scenario.labels import Source, Text


class Status(Strict):
    """A status of goods, and the statuses that may follow it."""

    label: Text = {}
    """How people call it, e.g. `{en: bonded, zh: 保税}`."""
    to: dict[Name, Source] = {}
    """What may follow, each with where the rule comes from, e.g. `{declared: assumed}`."""
    passes: dict[PartName, Source] = {}
    """
    The marks that goods may make with it, each with where the rule comes from, e.g. `{out_of_zone: assumed}`. A mark
    that some status names is made with one of those that name it; where nothing is said of a flow's goods, by anybody.
    """
    source: Source | None = None
    """Where the status itself comes from."""
    note: Words | None = None
    """A remark for readers."""


class Statuses(Strict):
    """The statuses of the library."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["statuses"]
    """This is a table of statuses."""
    statuses: dict[Name, Status]
    """The statuses by name."""
