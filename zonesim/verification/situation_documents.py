"""The documents of situations: rules of procedure in words, each with a scene and what must come of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from zonesim.scenario.fields import PLAIN, Duration, Name, Strict, Words
from zonesim.scenario.labels import Text


class Within(Strict):
    """How much time may lie between two milestones."""

    start: Name = Field(alias="from")
    """The first: a mark, or `arrived`."""
    to: Name
    """The second, a mark."""
    least: Duration | None = None
    """The least time that has to lie between them, e.g. `14 h`."""
    most: Duration | None = None
    """The most time that may lie between them, e.g. `2 h`."""


class Expectation(Strict):
    """What must come of a situation, each time."""

    order: list[Name] = []
    """Marks that are made, each not before the one that stands in front of it, e.g. `[declared, released, in_zone]`."""
    lacks: list[Name] = []
    """Marks that nobody makes, e.g. `[declared]`."""
    counts: dict[Name, Annotated[int, Field(ge=0), PLAIN]] = {}
    """How many times a mark is made, by anybody, e.g. `{gate_passed: 2}`."""
    within: list[Within] = []
    """Times between milestones."""
    hours: dict[Name, Words] = {}
    """Marks that are made in these hours of a working day alone, e.g. `{allowed: "08:30-17:00"}`."""
    status: Name | None = None
    """The status of the goods in the end, e.g. `bonded`."""
    ledger: dict[Name, Annotated[int, PLAIN]] = {}
    """By how much accounts have changed in the end, e.g. `{A.ledger: 1}`."""
    refused: Words | None = None
    """A part of the message with which the scene is refused before it is run, since the law does not allow it."""


class Situation(Strict):
    """One rule of procedure, in words and as a scene."""

    label: Text
    """What it is called, e.g. `{en: A truck with wrong papers is stopped, zh: 单证有误车辆被拦停}`."""
    given: Text
    """What the case is, in words."""
    when: Text
    """What happens, in words."""
    then: Text
    """What must come of it, in words."""
    basis: Words
    """Where the rule comes from: a notice, the plan, or `assumed`."""
    flow: Name
    """The flow that the consignment goes through, e.g. `F5`."""
    arguments: dict[Name, Any] = Field(default={}, alias="with")
    """Its arguments; zones, distances and the like that are not named are those of the stage."""
    measures: list[Name] = []
    """Measures that are in force and followed by everybody, e.g. `[m11]`; the others are followed by nobody."""
    practices: list[Name] = []
    """Single practices that everybody follows besides, e.g. `[m21.batch]`."""
    regime: Name = "R1"
    """The regime whose flows they are."""
    arrives: Words = "2018-09-05 10:00"
    """When it comes, date and time of day, e.g. `2018-09-07 18:00`: a Friday evening."""
    count: Annotated[int, Field(ge=1, le=100), PLAIN] = 1
    """How many come, all at that moment."""
    settings: dict[Name, Any] = Field(default={}, alias="set")
    """What is different on the stage, by path, e.g. `{truth.papers_wrong.all: 100 %}`."""
    edits: list[Any] = []
    """Edits of flows, as in a scenario: for scenes that the law does not allow."""
    follow: Duration = "60 d"
    """How long it is followed."""
    expect: Expectation
    """What must come of it."""


class Situations(Strict):
    """A file of situations."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["situations"]
    """These are situations."""
    situations: Annotated[dict[Name, Situation], Field(min_length=1)]
    """The situations, by id."""
