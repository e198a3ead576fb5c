"""The documents of the world: flows and scenarios."""

from __future__ import annotations

import datetime
import re
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from zonesim import units
from zonesim.scenario.fields import (
    ByClass,
    Count,
    Duration,
    Name,
    Rate,
    Share,
    Strict,
    Take,
    check_total,
    problem,
)

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
END: Final = "end"
"""Reserved as a place to go on: the end of the flow."""

Text = dict[Literal["en", "zh"], str]


class SourceNote(Strict):
    """Where a number comes from."""

    kind: Literal["found", "derived", "assumed"]
    title: Name = ""
    body: Name = ""
    date: Name = ""
    url: Name = ""
    confidence: Literal["high", "medium", "low"] = "low"


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


def _form_of_shares(value: Any) -> str:  # noqa: ANN401
    return "classes" if isinstance(value, dict) and "uncertain" not in value else "share"


Shares = Annotated[Annotated[Share, Tag("share")] | Annotated[ByClass, Tag("classes")], Discriminator(_form_of_shares)]
"""One share for all, or a share for each class."""

Priority = Annotated[
    Annotated[int, Tag("number")] | Annotated[dict[Name, int], Tag("classes")],
    Discriminator(lambda value: "classes" if isinstance(value, dict) else "number"),
]
"""A number, or one for each class; smaller is served first."""


class Units(Strict):
    """Several units of a resource."""

    resource: Name
    units: Count = 1


Hold = Annotated[
    Annotated[Name, Tag("name")] | Annotated[Units, Tag("units")],
    Discriminator(lambda value: "units" if isinstance(value, dict | Units) else "name"),
]


class OnHit(Strict):
    """What a check does with a token that it stops."""

    mark: Name


class Detect(Strict):
    """A check for a hidden truth, with its sensitivity and false-alarm rate."""

    truth: Name
    sensitivity: Share
    false_alarm: Share = "0 %"
    on_hit: OnHit | None = None


class When(BaseModel):
    """A condition: on a mark of this flow (`marked`, `unmarked`), on the class, or on a parameter of the flow."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Name | list[Name]]
    marked: Name | None = None
    unmarked: Name | None = None
    class_: Name | list[Name] | None = Field(default=None, alias="class")


class Count_(Strict):  # noqa: N801  `Count` is the field type
    """How many children: a number for each possible count, with its share."""

    discrete: dict[str, Share]

    @model_validator(mode="after")
    def _whole_numbers(self) -> Count_:
        for key in self.discrete:
            if not re.fullmatch(r"[1-9][0-9]?", key):
                raise problem(f"'{key}' is not a number of tokens from 1 to 63", "Write {1: 80 %, 2: 20 %}.")
        check_total(list(self.discrete.values()), "the shares of the counts")
        return self


HowMany = Annotated[
    Annotated[Count, Tag("number")] | Annotated[Count_, Tag("law")],
    Discriminator(lambda value: "law" if isinstance(value, dict | Count_) else "number"),
]


class Split(Strict):
    """The token becomes `count` children until the `join` of this step's name."""

    into: Name = "truck"
    count: HowMany = 1


Next = Annotated[
    Annotated[Name, Tag("step")] | Annotated[dict[Name, Share], Tag("shares")],
    Discriminator(lambda value: "shares" if isinstance(value, dict) else "step"),
]
"""The step to go on with, or the share of tokens for each; the rest goes on with the next step."""


def _names(value: Any) -> Any:  # noqa: ANN401
    return [value] if isinstance(value, str) else value


class Step(Strict):
    """
    One step of a flow.

    In this order: `when` and `share` decide whether the token does it at all; `call` runs a sub-flow; `hold` takes
    units (waiting in line by `priority`), `take` lets time pass (`during`: only the open time of a calendar),
    `detect` checks, `steps` are done with the units in hand, which are then given back; `correct` mends a truth,
    `mark` notes the moment, `next` says where to go.
    """

    KEYS: ClassVar[frozenset[str]]

    label: Text = {}
    when: When | None = None
    share: Shares | None = None
    background: bool = False
    call: Name | None = None
    with_: dict[Name, Any] = Field(default={}, alias="with")
    split: Split | None = None
    join: Name | None = None
    hold: dict[Name, Hold] = {}
    priority: Priority | None = None
    take: Take | None = None
    during: Name | None = None
    detect: Detect | None = None
    steps: dict[Name, Step] = {}
    correct: Name | None = None
    mark: Annotated[list[Name], BeforeValidator(_names)] = []
    next: Next | None = None
    source: Source | None = None
    note: Name | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Step:
        acts = {"call": self.call, "split": self.split, "join": self.join}
        given = [name for name, value in acts.items() if value is not None]
        work = [name for name in ("hold", "take", "detect", "steps") if getattr(self, name)]
        if len(given) > 1 or (given and work):
            both = " and ".join([*given, *work][:2])
            raise problem(f"{both} in one step", "Make two steps of it.")
        if self.with_ and not self.call:
            raise problem("'with' without 'call'", "Name the flow to call.")
        if self.during and self.take is None:
            raise problem("'during' without 'take'", "Say how long it takes.")
        if self.priority is not None and not self.hold:
            raise problem("'priority' without 'hold'", "Say which resource is waited for.")
        if (self.split or self.join) and (self.share is not None or self.when or self.background):
            raise problem("a split or join cannot be conditional", "Put the condition on the steps between them.")
        if reserved := {"arrived", "left"} & set(self.mark):
            raise problem(f"the mark '{min(reserved)}' is set by itself", "Choose another name.")
        if self.background and self.next is not None:
            raise problem("a background step cannot say what is next", "Remove 'next'.")
        if isinstance(self.next, dict):
            total = sum(units.parse_share(share) for share in self.next.values() if not str(share).startswith("$"))
            if total > 1 + 1e-9:
                raise problem(f"the shares of next add up to {100 * total:.6g} %", "They may add up to 100 % at most.")
        return self


Step.model_rebuild()
Step.KEYS = frozenset(field.alias or name for name, field in Step.model_fields.items())


def _steps_named_well(steps: dict[str, Step]) -> None:
    for name, step in steps.items():
        if name in Step.KEYS or name == END:
            raise problem(f"'{name}' is a key of the format and cannot name a step", "Choose another name.")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise problem(f"'{name}' cannot name a step", "Use letters, digits and _.")
        _steps_named_well(step.steps)


class Param(Strict):
    """A parameter of a flow: its kind and default."""

    kind: Literal["zone", "resource", "distance", "duration", "share", "count", "name"]
    default: Any = None
    source: Source | None = None


def _form_of_param(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, list):
        return "choice"
    return "param" if isinstance(value, dict | Param) else "kind"


ParamSpec = Annotated[
    Annotated[Literal["zone", "resource", "distance", "duration", "share", "count", "name"], Tag("kind")]
    | Annotated[list[Name], Tag("choice")]
    | Annotated[Param, Tag("param")],
    Discriminator(_form_of_param),
]
"""A kind, a list of allowed words, or a kind with a default."""


class Flow(Strict):
    """A process map: an ordered mapping of steps with parameters."""

    label: Text = {}
    entity: Name = "consignment"
    params: dict[Name, ParamSpec] = {}
    place: Name | None = None
    steps: Annotated[dict[Name, Step], Field(min_length=1)]
    source: Source | None = None
    note: Name | None = None

    @model_validator(mode="after")
    def _well_named(self) -> Flow:
        _steps_named_well(self.steps)
        return self


class FlowDocument(Flow):
    """A flow in a file of its own."""

    zonesim: Literal[1]
    kind: Literal["flow"]
    name: Name


def _date(value: Any) -> str:  # noqa: ANN401
    try:
        return datetime.date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise problem(f"expected a date, found {units.describe(value)}", 'Write a date such as "2018-09-03".') from None


class Clock(Strict):
    """Start (a date, 00:00 local time), warm-up, measured window and cool-down."""

    start: Annotated[str, BeforeValidator(_date)] = "2018-09-03"
    warm_up: Duration = "0 h"
    measure: Duration
    cool_down: Duration = "0 h"
    source: Source | None = None


_SPAN: Final = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


def parse_span(text: str) -> tuple[int, int]:
    """Return the minutes of the day at which `08:30-17:00` begins and ends."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise problem(f"expected opening hours, found '{text}'", 'Write them as "08:30-17:00".')
    hour, minute, to_hour, to_minute = (int(part) for part in match.groups())
    begin, end = 60 * hour + minute, 60 * to_hour + to_minute
    if not 0 <= begin < end <= 24 * 60 or max(minute, to_minute) > 59:  # noqa: PLR2004
        raise problem(f"'{text}' does not lie within a day", 'Write "22:00-24:00" and "00:00-06:00" for a night.')
    return begin, end


def parse_days(text: str) -> list[int]:
    """Return the days of the week (Monday 0) in `mon-fri` or `sat, sun`."""
    days: list[int] = []
    for part in re.split(r"\s*,\s*", text.strip()):
        first, _, last = part.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            raise problem(
                f"expected days, found '{text}'", "Write mon, tue, wed, thu, fri, sat, sun or a range such as mon-fri."
            )
        begin, end = DAYS.index(first), DAYS.index(last or first)
        if end < begin:
            raise problem(f"'{part}' runs backward", "Write sat,sun,mon as a list.")
        days.extend(range(begin, end + 1))
    return days


class Calendar(BaseModel):
    """Opening hours by day of the week: `{mon-fri: ["08:30-17:00"]}`; days not named are closed."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, list[Name]]
    source: Source | None = None
    label: Text = {}

    @model_validator(mode="after")
    def _parses(self) -> Calendar:
        seen: set[int] = set()
        for key, spans in (self.__pydantic_extra__ or {}).items():
            days = parse_days(key)
            if seen & set(days):
                raise problem(f"'{key}' names a day twice", "Give each day once.")
            seen |= set(days)
            parsed = [parse_span(span) for span in spans]
            if any(later[0] < earlier[1] for earlier, later in pairwise(parsed)):
                raise problem("opening hours overlap or are not in order", "Write them in ascending order.")
        return self

    def week(self) -> list[tuple[int, int]]:
        """Return the open spans of a week, in ms from Monday 00:00, merged and in order."""
        spans = sorted(
            (day * units.DAY + begin * units.MINUTE, day * units.DAY + end * units.MINUTE)
            for key, texts in (self.__pydantic_extra__ or {}).items()
            for day in parse_days(key)
            for begin, end in map(parse_span, texts)
        )
        merged: list[tuple[int, int]] = []
        for begin, end in spans:
            if merged and merged[-1][1] == begin:
                merged[-1] = (merged[-1][0], end)
            else:
                merged.append((begin, end))
        return merged


class Resource(Strict):
    """Units of something that tokens wait for, with opening hours and the rule for work in hand at closing."""

    units: Annotated[Any, BeforeValidator(lambda value: value if value == "unlimited" else _units(value))]
    open: Name = "always"
    at_shift_end: Literal["finish", "pause"] = "finish"
    role: Literal["", "lane", "officer", "desk", "dock", "yard", "other"] = ""
    label: Text = {}
    source: Source | None = None


def _units(value: Any) -> Any:  # noqa: ANN401
    ok = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 1_000_000  # noqa: PLR2004
    doubt = isinstance(value, dict) and set(value) == {"uncertain"} and isinstance(value["uncertain"], list)
    if doubt and len(value["uncertain"]) == 3:  # noqa: PLR2004
        for part in value["uncertain"]:
            _units(part)
        return value
    if not ok:
        raise problem(
            f"expected a number of units, found {units.describe(value)}", "Write a whole number, or unlimited."
        )
    return value


class Setting(Strict):
    """A value of a zone that flows refer to as `$zone.name`."""

    value: Any
    label: Text = {}
    source: Source | None = None


def _form_of_zone_entry(value: Any) -> str:  # noqa: ANN401
    return "setting" if isinstance(value, Setting) or (isinstance(value, dict) and "value" in value) else "resource"


class Zone(BaseModel):
    """A zone: its resources and settings by name. `outside: true` is a partner zone where nothing is ever short."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[
        str,
        Annotated[
            Annotated[Resource, Tag("resource")] | Annotated[Setting, Tag("setting")],
            Discriminator(_form_of_zone_entry),
        ],
    ]
    label: Text = {}
    outside: bool = False
    source: Source | None = None

    def entries(self) -> dict[str, Resource | Setting]:
        """Return resources and settings by name."""
        return self.__pydantic_extra__ or {}


class Volume(Strict):
    """How volume is spread over firms: the share of the k-th largest is proportional to 1 / k ** zipf."""

    zipf: Annotated[float, Field(ge=0, le=5)]


class Firms(Strict):
    """The firms that goods belong to, with the share of the volume of each credit class."""

    count: Annotated[int, Field(ge=1, le=100_000)]
    volume: Volume = Volume(zipf=0)
    credit: dict[Name, Share] = {}
    source: Source | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> Firms:
        if self.credit:
            check_total(list(self.credit.values()), "the shares of the credit classes")
        return self


class Truth(BaseModel):
    """A hidden fact about a token, by class: `papers_wrong: {all: 5 %}`."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Share]
    label: Text = {}
    source: Source | None = None

    def shares(self) -> dict[str, Any]:
        """Return the probability by class."""
        return self.__pydantic_extra__ or {}


Weight = Annotated[float, Field(ge=0)]


class Profile(Strict):
    """When arrivals come: relative weights of the 24 hours of a day and of the days of a week."""

    hours: Annotated[list[Weight], Field(min_length=24, max_length=24)] = [1.0] * 24
    days: Annotated[list[Weight], Field(min_length=7, max_length=7)] = [1.0] * 7
    label: Text = {}
    source: Source | None = None

    @model_validator(mode="after")
    def _somebody_comes(self) -> Profile:
        if not sum(self.hours) or not sum(self.days):
            raise problem("all weights are 0", "Give at least one hour and one day a weight.")
        return self


class Traffic(Strict):
    """A stream of tokens into a flow: at a `rate` shaped by a `profile`, or `at` listed times."""

    flow: Name
    with_: dict[Name, Any] = Field(default={}, alias="with")
    rate: Rate | None = None
    profile: Name | None = None
    at: list[Duration] | None = None
    class_: Name | None = Field(default=None, alias="class")
    classes: dict[Name, Share] | None = None
    parties: Annotated[int, Field(ge=0, le=2)] | None = None
    label: Text = {}
    source: Source | None = None

    @model_validator(mode="after")
    def _arrives(self) -> Traffic:
        if (self.rate is None) == (self.at is None):
            raise problem("traffic needs either a rate or listed times", "Write rate: 12 /h, or at: [0 min, 5 min].")
        if self.at is not None and self.profile is not None:
            raise problem("a profile without a rate", "Remove the profile.")
        if self.at is not None:
            times = [units.parse(time, "duration") for time in self.at]
            if times != sorted(times):
                raise problem("the listed times are not in ascending order", "Sort them.")
        if self.class_ is not None and self.classes is not None:
            raise problem("class and classes together", "Keep one of them.")
        if self.classes is not None:
            check_total(list(self.classes.values()), "the shares of the classes")
        return self


class Scenario(Strict):
    """The world: zones, firms, truths and traffic, and flows of its own."""

    zonesim: Literal[1]
    kind: Literal["scenario"]
    name: Annotated[Name, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,80}$")]
    label: Text = {}
    note: Name | None = None
    synthetic: bool = False
    clock: Clock
    regime: Name = "R1"
    adopted: dict[Name, dict[Name, Share]] = {}
    calendars: dict[Name, Calendar] = {}
    profiles: dict[Name, Profile] = {}
    zones: dict[Name, Zone] = {}
    firms: Firms | None = None
    truth: dict[Name, Truth] = {}
    flows: dict[Name, Flow] = {}
    traffic: Annotated[dict[Name, Traffic], Field(min_length=1)]
    source: Source | None = None
