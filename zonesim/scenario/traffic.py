"""What arrives: at a rate, at listed times, as in a log, or generated from a law of exchange between zones."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from zonesim import units
from zonesim.faults import near
from zonesim.scenario.breakdowns import Lasting
from zonesim.scenario.fields import (
    PLAIN,
    Count,
    Distance,
    Duration,
    HeadName,
    Name,
    Rate,
    Share,
    Strict,
    Words,
    in_schema,
    inside,
    is_doubt,
    is_reference,
    keys_in_schema,
    mode_of,
    problem,
)
from zonesim.scenario.labels import Source, Text
from zonesim.scenario.laws import Law, check_total


def _names(value: Any) -> Any:  # noqa: ANN401
    return value if isinstance(value, list) else [value]


class Gravity(Strict):
    """
    Exchange between zones: from one to another in proportion to weight times weight over distance to the `exponent`.

    The distance is the great circle between the zones' `lat` and `lon` times `detour`.
    """

    zones: list[Name] = []
    """The zones that exchange, e.g. `[KS, SIP, WX]`; without it all that have the weight and a position."""
    weight: Name = "trade"
    """The setting of a zone that says how much it exchanges, e.g. `trade`."""
    exponent: Annotated[float, Field(ge=0, le=5), PLAIN] = 1.0
    """How fast exchange falls with distance, e.g. `1`; 0: not at all."""
    beyond: Distance | None = None
    """The road distance beyond which nobody exchanges, e.g. `350 km`."""
    detour: Annotated[float, Field(ge=1, le=5), PLAIN] = 1.3
    """Road distance over great circle."""
    total: Rate
    """What all generated entries have together, both directions, e.g. `120 /d`."""
    least: Rate | None = None
    """Pairs that would have less than this have nothing, and the others their part, e.g. `0.2 /d`."""
    through: list[Name] = []
    """Only entries from or to one of these zones, e.g. `[KS]`; without it all."""


class Each(Strict):
    """
    One entry for every zone, at a rate that goes by a setting of the zone: by a word, such as its size, or in
    proportion to a number.
    """

    zones: list[Name] = []
    """The zones, e.g. `[KS, SIP]`; without it all that are not `outside`."""
    by: Name
    """The setting of a zone that says how much comes, e.g. `size`, or `trade`."""
    rate: Annotated[dict[Name, Rate], Field(min_length=1)] | None = None
    """The rate for each word, e.g. `{L: 160 /d, M: 20 /d, S: 4 /d}`; a zone whose word is not named has no entry."""
    total: Rate | None = None
    """What all zones have together, each in proportion to its number, e.g. `900 /d`."""

    @model_validator(mode="after")
    def _one_way(self) -> Each:
        if (self.rate is None) == (self.total is None):
            raise problem("exactly one of rate and total is due", "Write rates by word, or a total by a number.")
        return self


class Generate(Strict):
    """How one entry becomes several: one for each zone, or one for each pair of zones and direction."""

    gravity: Gravity | None = None
    """By weight and distance; `$from`, `$to` and `$km` in `with` stand for the two zones and the road between them."""
    each: Each | None = None
    """For every zone; `$zone` in `with` stands for it, `$zone.port_km` for what it says."""

    @model_validator(mode="after")
    def _one_law(self) -> Generate:
        if (self.gravity is None) == (self.each is None):
            raise problem("exactly one of gravity and each is due", "Write one of them.")
        return self


class Trace(Strict):
    """Arrivals from a log: one row of a CSV file is one arrival. The first row of the file names the columns."""

    file: Words
    """The file, from the folder of this one and inside the project folder, e.g. `../data/gate_log.csv`."""
    time: Words
    """
    The column of times: `2018-09-03 08:15:20`, a duration from the start such as `15 min`, or plain numbers with
    `unit`.
    """
    unit: Literal["ms", "s", "min", "h", "d"] | None = None
    """The unit of plain numbers, counted from the start of the run, e.g. `s`."""
    class_: Words | None = Field(default=None, alias="class")
    """The column of classes, e.g. `credit`."""
    attributes: dict[Name, Words] = {}
    """The columns of attributes, by name, e.g. `{goods: commodity}`."""
    where: dict[Words, Annotated[list[Words], BeforeValidator(_names), in_schema("Names")]] = {}
    """Only rows with these values, by column, e.g. `{direction: in, kind: [freight, heavy]}`."""
    sort: bool = False
    """Whether the rows may stand in any order."""
    outside: Literal["refuse", "ignore"] = "refuse"
    """What to do with rows outside the run: `refuse` them as a fault, or `ignore` and count them."""
    encoding: Literal["utf-8", "gb18030"] = "utf-8"
    """How the file is written."""


class BatchLaw(Strict):
    """How many at once: a share for each number."""

    discrete: Annotated[dict[str, Share], keys_in_schema("CountKey")]
    """Shares by number, e.g. `{1: 80 %, 10: 20 %}`."""

    @model_validator(mode="after")
    def _whole_numbers(self) -> BatchLaw:
        for key in self.discrete:
            if not re.fullmatch(r"[1-9][0-9]{0,3}", key):
                raise problem(f"'{key}' is not a number of tokens from 1 to 9999", "Write {1: 80 %, 10: 20 %}.")
        check_total(list(self.discrete.values()), "the shares of the batch")
        return self


HowManyAtOnce = Annotated[
    Annotated[Count, Tag("number")] | Annotated[BatchLaw, Tag("law")],
    Discriminator(lambda value: "law" if isinstance(value, BatchLaw) or _is_law(value) else "number"),
]
"""How many come, or go, at once: a number, or a share for each number."""


def _is_law(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, dict) and not is_doubt(value)


def _form_of_mix(value: Any) -> str:  # noqa: ANN401
    return "mix" if isinstance(value, dict) else "value"


AttributeMix = Annotated[
    Annotated[Name, Tag("value")] | Annotated[dict[Name, Share], Tag("mix")], Discriminator(_form_of_mix)
]
"""The value of an attribute that all tokens of an entry have, or the shares of its values."""


MEASURE: Final = "measure"
"""The end of the measured window, in words."""


def _end_of_arrivals(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str) and not is_reference(value) and not any(each.isdigit() for each in value):
        remedy = f"Did you mean '{MEASURE}'?" if near(value, [MEASURE]) else f"Write '8 h', or {MEASURE}."
        raise problem(f"expected a duration or '{MEASURE}', found '{value}'", remedy)
    return value


def _no_law(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict) and (law := next((key for key in value if key in Law.model_fields), None)):
        remedy = f"Write `every: {{{law}: …}}` in place of `rate`, or a number such as 12 /h."
        raise problem("a rate is a number; a law is one of the gaps between arrivals", remedy)
    return value


Until = Annotated[
    Annotated[Literal["measure"], Tag("measure")]
    | Annotated[Duration, BeforeValidator(_end_of_arrivals), in_schema("Duration"), Tag("duration")],
    Discriminator(lambda value: MEASURE if value == MEASURE else "duration"),
]
"""When arrivals end: a time from the start, or the end of the measured window."""


class Traffic(Strict):
    """
    Tokens that come into a flow: at a `rate` shaped by a `profile`, one after the other with random gaps (`every`),
    `at` listed times, as in a `trace`, or several entries by `generate`.
    """

    flow: Name
    """The flow that the tokens go through, e.g. `F1`."""
    with_: dict[Name, Any] = Field(default={}, alias="with")
    """Its arguments, e.g. `{zone: TYP, port_km: 99 km}`."""
    rate: Annotated[Rate, BeforeValidator(_no_law), in_schema("Rate")] | None = None
    """How many arrive on average, e.g. `40 /d`; the times are random (Poisson)."""
    profile: Annotated[list[Name], BeforeValidator(_names), in_schema("Names")] = []
    """How the rate changes with time, e.g. `plant_day`; several multiply, e.g. `[plant_day, season_import]`."""
    factor: Annotated[list[Name], BeforeValidator(_names), in_schema("Names")] = []
    """Random factors of the rate (see `factors`), e.g. `busy_day`; several multiply."""
    every: Lasting | None = None
    """
    The gap between one arrival and the next, in place of a rate: a law or a duration, e.g. `{erlang: {shape: 2, mean:
    5 min}}`. Gaps are independent, and the first arrival comes after one.
    """
    during: Name | None = None
    """With `every`: only the open time of this calendar counts, e.g. `office`."""
    at: list[Duration] | None = None
    """
    Listed times of arrival instead of a rate, from the start of the run, e.g. `[0 min, 5 min]`. Who comes after its
    end, or with `ends: empty` after that of `measure`, is left out, with a warning.
    """
    trace: Trace | None = None
    """Arrivals as in a log, e.g. `{file: ../data/gate_log.csv, time: arrived}`."""
    batch: HowManyAtOnce = 1
    """
    How many tokens come at each arrival, e.g. `5` or `{discrete: {1: 80 %, 10: 20 %}}`; `rate` counts arrivals, not
    tokens.
    """
    from_: Duration | None = Field(default=None, alias="from")
    """Nobody comes before this time from the start, e.g. `2 h`; with `every` the first gap begins then."""
    until: Until | None = None
    """Nobody comes from this time on: a duration from the start, e.g. `8 h`, or `measure`, the end of the window."""
    most: Count | None = None
    """How many arrivals there are at most in a run, e.g. `100`; fewer where it ends before."""
    spawned: bool = False
    """
    Instead of a rate: steps with `spawn` start its tokens, which have the firm, class and attributes of who starts
    them.
    """
    generate: Generate | None = None
    """
    Instead of a rate: entries for pairs of zones, e.g. `{gravity: {zones: [KS, SIP], total: 20 /d}}`, or for every
    zone, e.g. `{each: {by: size, rate: {L: 160 /d, S: 4 /d}}}`.
    """
    class_: Name | None = Field(default=None, alias="class")
    """The class of all of them, e.g. `AEO`."""
    classes: dict[Name, Share] | None = None
    """The shares of the classes, e.g. `{A: 60 %, B: 40 %}`; without them a token has the class of its firm."""
    attributes: dict[Name, AttributeMix] = {}
    """
    Attributes, by name, that differ from those at the top of the scenario: one value for all of them, or shares, e.g.
    `{goods: food}` or `{goods: {food: 80 %, electronics: 20 %}}`.
    """
    parties: Annotated[int, Field(ge=0, le=2), PLAIN] | None = None
    """How many firms a token belongs to: 1 where the scenario has firms, 2 for sender and receiver, 0 for none."""
    group: HeadName | None = None
    """Entries of one group are told as one in results, e.g. `transfers`; without it each by its own name."""
    label: Text = {}
    """How people call it."""
    source: Source | None = None
    """Where the numbers come from."""

    @model_validator(mode="after")
    def _arrives(self) -> Traffic:
        given = [name for name in ("rate", "every", "at", "trace", "generate") if getattr(self, name) is not None]
        given += ["spawned"] if self.spawned else []
        if not given:
            raise problem("traffic needs either a rate or listed times", "Write rate: 12 /h, or at: [0 min, 5 min].")
        if len(given) > 1:
            raise problem(f"{given[0]} and {given[1]} together", "Keep one of them.")
        self._check_shape()
        self._check_limits(given[0])
        if self.spawned and (self.class_ is not None or self.classes is not None):
            raise problem("spawned tokens have the class of who starts them", "Remove the class.")
        if self.spawned and self.attributes:
            raise problem("spawned tokens have the attributes of who starts them", "Remove them.", ("attributes",))
        for name, mix in self.attributes.items():
            if self.trace is not None and name in self.trace.attributes:
                raise problem(f"a column and a mix for '{name}'", "Keep one of them.", ("attributes", name))
            if isinstance(mix, dict):
                try:
                    check_total(list(mix.values()), f"the shares of '{name}'")
                except PydanticCustomError as error:
                    raise inside(error, "attributes", name) from None
        if self.spawned and self.batch != 1:
            raise problem("spawned tokens come one by one", "Remove the batch.")
        if self.at is not None:
            for number, time in enumerate(self.at):
                if is_reference(mode_of(time)):
                    fault, remedy = f"a parameter ({mode_of(time)}) stands where none is known", "Write a time."
                    raise problem(fault, remedy, ("at", str(number)))
            times = [units.parse(mode_of(time), "duration") for time in self.at]
            if times != sorted(times):
                raise problem("the listed times are not in ascending order", "Sort them.")
        column = self.trace.class_ if self.trace is not None else None
        said = {"class": self.class_, "classes": self.classes, "a column of classes": column}
        twice = [name for name, value in said.items() if value is not None]
        if len(twice) > 1:
            raise problem(f"{twice[0]} and {twice[1]} together", "Keep one of them.")
        if self.classes is not None:
            check_total(list(self.classes.values()), "the shares of the classes")
        return self

    def _check_shape(self) -> None:
        """Raise a problem where something shapes or counts arrivals that are not made in its way."""
        if self.profile and self.every is not None:
            fault = "a profile shapes a rate, and gaps that are drawn one by one have none"
            raise problem(fault, "Write `during: CALENDAR`, in whose open time gaps count, or a rate.", ("profile",))
        rated = self.rate is not None or self.generate is not None
        if self.profile and not rated:
            raise problem("a profile without a rate", "Remove the profile.")
        if self.factor and not rated:
            raise problem("a factor multiplies a rate, and there is none", "Write a rate.", ("factor",))
        if twice := [name for name in self.factor if self.factor.count(name) > 1]:
            raise problem(f"the factor '{twice[0]}' is named twice", "Name it once.", ("factor",))
        if self.during is not None and self.every is None:
            remedy = "Shape a rate with a `profile`." if rated else "Remove it."
            raise problem("`during` says which time gaps count in, and there is no `every`", remedy, ("during",))

    def _check_limits(self, by: str) -> None:
        """Raise a problem where limits stand beside arrivals that have none, or leave nobody."""
        named = {"from": self.from_, "until": self.until, "most": self.most}
        limits = [name for name, value in named.items() if value is not None]
        if limits and by == "at":
            raise problem(f"`{limits[0]}` beside listed times", "List the times that are meant.", (limits[0],))
        if limits and by == "spawned":
            fault = "spawned tokens come when a step starts them"
            raise problem(fault, f"Remove `{limits[0]}`.", (limits[0],))
        if self.from_ is not None and self.until not in {None, "measure"}:
            begin, end = (units.parse(mode_of(value), "duration") for value in (self.from_, self.until))
            if not begin < end:
                raise problem("arrivals end before they begin", "Write a later `until`.", ("until",))
