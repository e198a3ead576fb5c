"""Flows: process maps of steps."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from zonesim import units
from zonesim.faults import suggest
from zonesim.scenario.acts import Changes, Due, Gather, Limits, Line, Patience, Spawn, WaitUntil, WaitWithin, Within
from zonesim.scenario.fields import (
    CLASS,
    ByClass,
    Count,
    HeadName,
    Name,
    PartName,
    Ratio,
    Share,
    ShareBy,
    Strict,
    Whole,
    Words,
    as_list,
    in_schema,
    is_doubt,
    keys_in_schema,
    problem,
    told_by,
)
from zonesim.scenario.labels import Source, Text
from zonesim.scenario.laws import Take, check_total

END: Final = "end"
"""Reserved as a place to go on: the end of the list of steps."""

LEAVE: Final = "leave"
"""As a place to go on: out of all blocks and calls, with empty hands; a step of the list with this name comes first."""


def _form_of_shares(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, ShareBy) or told_by(value):
        return "by"
    return "classes" if isinstance(value, dict) and not is_doubt(value) else "share"


Shares = Annotated[
    Annotated[Share, Tag("share")] | Annotated[ByClass, Tag("classes")] | Annotated[ShareBy, Tag("by")],
    Discriminator(_form_of_shares),
]
"""One share for all, a share for each class, or one by parameter, class or attribute."""

SharesByZone = Annotated[
    Annotated[Share, Tag("share")] | Annotated[dict[Name, Share], Tag("zones")],
    Discriminator(lambda value: "zones" if isinstance(value, dict) and not is_doubt(value) else "share"),
]
"""One share for all zones, or a share for each zone; `all` stands for every zone that is not named."""


class PriorityBy(BaseModel):
    """A different priority by a parameter of the flow, by class or attribute: `{by: goods, food: 1, all: 2}`."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)
    __pydantic_extra__: dict[str, CasePriority]
    by: Name = CLASS
    """
    A parameter of the flow, an attribute, or the `class`, which it is unless said; each other key is a value of it with
    its number, e.g. `{by: goods, food: 1, all: 2}`; `all` stands for every class or value that is not named.
    """


CasePriority = Annotated[
    Annotated[Whole, Tag("number")] | Annotated[PriorityBy, Tag("by")],
    Discriminator(lambda value: "by" if isinstance(value, dict | PriorityBy) else "number"),
]
"""A number, or one by something else again."""


def _form_of_priority(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, PriorityBy) or (isinstance(value, dict) and "by" in value):
        return "by"
    return "classes" if isinstance(value, dict) else "number"


Priority = Annotated[
    Annotated[Whole, Tag("number")]
    | Annotated[dict[Name, CasePriority], Tag("classes")]
    | Annotated[PriorityBy, Tag("by")],
    Discriminator(_form_of_priority),
]
"""A number, one for each class, or one by parameter, class or attribute; smaller is served first."""

PriorityBy.model_rebuild()


class Units(Strict):
    """Several units of a resource."""

    resource: Name
    """The resource, e.g. `GATE.lanes` or `$zone.docks`."""
    units: Count = 1
    """How many units at once, e.g. `2`."""


class Shortest(Strict):
    """One of several resources, each with a line of its own: that with the fewest, chosen on coming and kept."""

    shortest: Annotated[list[Name], Field(min_length=2)]
    """
    The resources, e.g. `[GATE.lane1, GATE.lane2]`; the first of those with the fewest tokens waiting and units in use,
    open or not, is taken.
    """
    units: Count = 1
    """How many units of it at once, e.g. `2`."""


class AnyOf(Strict):
    """One of several resources, with one line for all of them: the first of the list that is free, or comes free."""

    any: Annotated[list[Name], Field(min_length=2)]
    """
    The resources, the preferred first, e.g. `[BANK.fast, BANK.slow]`. Who waits stands in the queue of each; inside the
    step the name of the hold is the one that was taken, e.g. `take: {by: clerk, BANK.fast: 2 min, BANK.slow: 5 min}`.
    """
    units: Count = 1
    """How many units of it at once, e.g. `2`."""


def _form_of_hold(value: Any) -> str:  # noqa: ANN401
    for form, kind in (("shortest", Shortest), ("any", AnyOf)):
        if isinstance(value, kind) or (isinstance(value, dict) and form in value):
            return form
    return "units" if isinstance(value, dict | Units) else "name"


Hold = Annotated[
    Annotated[Name, Tag("name")]
    | Annotated[Units, Tag("units")]
    | Annotated[Shortest, Tag("shortest")]
    | Annotated[AnyOf, Tag("any")],
    Discriminator(_form_of_hold),
]
"""A resource, several units of one, the shortest of several lines, or any of several resources."""


def _until(value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, str) or not re.fullmatch(r"until +[A-Za-z_][A-Za-z0-9_]*", value.strip()):
        raise problem(f"expected 'until STEP', found {units.describe(value)}", "Write {bay: until leave_yard}.")
    return value.split()[1]


Until = Annotated[str, BeforeValidator(_until), in_schema("Until")]
"""`until STEP`: the end of a later step."""


class OnHit(Strict):
    """What a check does with a token that it stops."""

    mark: PartName
    """The mark that a token gets that the check stops, e.g. `stopped`."""


class Detect(Strict):
    """A check for a hidden truth, with its sensitivity and false-alarm rate."""

    truth: Name
    """The hidden fact that is looked for, a name under `truth`, e.g. `papers_wrong`."""
    sensitivity: Share
    """The share of wrong ones that the check finds, e.g. `60 %`."""
    false_alarm: Share = "0 %"
    """The share of right ones that it stops, e.g. `1 %`."""
    lift: Ratio | None = None
    """
    How many times likelier a wrong one is to be picked for this step than the `share` of its class says, e.g. `3`: 1 is
    picking at random. As many are picked as before, so right ones are picked more seldom. Doubt about it,
    `{uncertain: [1, 1, 10]}`, makes what is caught a band.
    """
    source: Source | None = None
    """Where its numbers come from, where that is not said at the step."""
    on_hit: OnHit | None = None
    """What is done with a token that is stopped, e.g. `{mark: stopped}`."""


class When(BaseModel):
    """
    A condition: on a mark of this flow (`marked`, `unmarked`), on the class, or on a parameter of the flow or an
    attribute, e.g. `{goods: food}` or `{goods: [food, drinks]}`.
    """

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)
    __pydantic_extra__: dict[str, Name | list[Name]]
    marked: Name | None = None
    """Tokens that have this mark of the flow, e.g. `stopped`."""
    unmarked: Name | None = None
    """Tokens that do not have it, e.g. `stopped`."""
    class_: Name | list[Name] | None = Field(default=None, alias="class")
    """Tokens of this class, or of one of several, e.g. `AEO` or `[AEO, ordinary]`."""
    status: Name | list[Name] | None = None
    """Tokens whose goods have this customs status, or one of several, e.g. `selected`."""
    overdue: Name | None = None
    """Tokens whose deadline of this name (see `due`) has passed, e.g. `flight`."""
    in_time: Name | None = None
    """Tokens that have a deadline of this name which has not passed, e.g. `flight`."""
    last_of: Name | None = None
    """
    The last of the children of this split who comes here, once all have come, e.g. `trucks`; who has left before is not
    waited for.
    """
    queue: Line | None = None
    """Tokens that find this line too long, e.g. `{of: $lanes, longer_than: 3}`, as it is at their turn."""
    shut: Name | None = None
    """
    Tokens that find this resource without any unit on duty and in order, e.g. `$zone.officers`, or this calendar shut,
    e.g. `office`.
    """
    open: Name | None = None
    """
    Tokens that find at least one unit of this resource on duty and in order, e.g. `$zone.officers`, or this calendar
    open, e.g. `office`.
    """


class Count_(Strict):  # noqa: N801  `Count` is the field type
    """How many children: a number for each possible count, with its share."""

    discrete: Annotated[dict[str, Share], keys_in_schema("CountKey")]
    """The numbers with their shares, e.g. `{1: 80 %, 2: 20 %}`."""

    @model_validator(mode="after")
    def _whole_numbers(self) -> Count_:
        for key in self.discrete:
            if not re.fullmatch(r"[1-9][0-9]?", key) or int(key) > 63:  # noqa: PLR2004  children have 6 bits
                raise problem(
                    f"'{key}' is not a number of tokens from 1 to 63", "Write {1: 80 %, 2: 20 %}.", ("discrete", key)
                )
        check_total(list(self.discrete.values()), "the shares of the counts")
        return self


HowMany = Annotated[
    Annotated[Count, Tag("number")] | Annotated[Count_, Tag("law")],
    Discriminator(lambda value: "law" if isinstance(value, dict | Count_) else "number"),
]


class Split(Strict):
    """The token becomes `count` children until the `join` of this step's name."""

    into: Name = "truck"
    """What the children are called, e.g. `truck`."""
    count: HowMany = 1
    """How many, e.g. `2` or `{discrete: {1: 80 %, 2: 20 %}}`; at most 63 a consignment."""


Next = Annotated[
    Annotated[Name, Tag("step")] | Annotated[dict[Name, Share], Tag("shares")],
    Discriminator(lambda value: "shares" if isinstance(value, dict) else "step"),
]
"""The step to go on with, or the share of tokens for each; the rest goes on with the next step."""


class Step(Strict):
    """
    One step of a flow.

    In this order: `when` and `share` decide whether the token does it at all; `due` notes deadlines; `call` runs a
    sub-flow, `gather` waits for a batch, `wait_until` for an hour, `parallel` does several steps at once; `hold` takes
    units and `draw` stock (waiting in line by `priority`), `take` lets time pass (`during`: only the open time of a
    calendar), `detect` checks, `steps` are done with the units in hand, which are then given back; `correct` mends a
    truth, `set` changes accounts, class, attributes or status, `spawn` starts another token, `mark` notes the moment,
    `next` says where to go.
    """

    KEYS: ClassVar[frozenset[str]]

    label: Text = {}
    """How people call the step, e.g. `{en: Weigh, zh: 过磅}`."""
    when: When | None = None
    """
    Only tokens that meet this condition do the step, e.g. `{marked: stopped}`, `{class: AEO}` or `{vehicle:
    freight}`.
    """
    share: Shares | None = None
    """
    Only this share of tokens does the step, e.g. `5 %`, by class `{AEO: 1 %, all: 3 %}`, or by attribute `{by: goods,
    food: 5 %, all: 1 %}`.
    """
    background: bool = False
    """Whether the step is done in a branch of its own that nobody waits for."""
    due: dict[PartName, Due] = {}
    """
    Notes a deadline under a name, in place of an earlier one: a time from now on, or an instant of a calendar, e.g.
    `{papers: 14 wd}` or `{flight: {closing: cutoff}}`; with a mark it is for making that, e.g. `{entry: {within: 14 d,
    mark: declared}}`. Children inherit it, called flows know it, and results tell who leaves, or makes the mark, late.
    """
    call: Name | None = None
    """A flow to go through as a part of this one, e.g. `gate`."""
    with_: dict[Name, Any] = Field(default={}, alias="with")
    """The arguments of the flow that is called, e.g. `{zone: $zone, lanes: $zone.lanes_in}`."""
    split: Split | None = None
    """The token becomes children, which do the steps up to the join, e.g. `{into: truck, count: 2}`."""
    join: Name | None = None
    """The split whose children are waited for here, e.g. `trucks`."""
    gather: Gather | None = None
    """
    The token waits for a batch to be complete, e.g. `{number: 20, within: 4 h}`; with inner `steps` the first member
    does them for all.
    """
    parallel: Annotated[dict[Name, Step], keys_in_schema("StepName")] = {}
    """
    Steps that the token does at the same time; it goes on when all are done, e.g. `{papers: {take: 2 h}, goods:
    {steps: …}}`.
    """
    wait_until: WaitUntil | None = None
    """Waits until a calendar is open, or until it is shut, e.g. `office` or `{closing: office}`."""
    hold: dict[Name, Hold] = {}
    """
    Units that are taken, all or nothing, waiting in line, and given back at the end of the step, e.g. `{lane:
    GATE.lanes}`; of several lines the shortest with `{lane: {shortest: [GATE.left, GATE.right]}}`, of several resources
    the first that is free with `{clerk: {any: [BANK.fast, BANK.slow]}}`. Who is first in line and lacks units of this
    resource holds up those behind; who only lacks another resource is passed by them.
    """
    draw: dict[Name, Count] = {}
    """
    What is taken from accounts with `short: wait` and used up, e.g. `{$zone.stock: 3}`: all or nothing together with
    `hold`, waiting in line until there is enough.
    """
    keep: dict[Name, Until] = {}
    """
    What `hold` took under this name is given back only when a later step ends, of this list or one around it, e.g.
    `{bay: until leave_yard}`.
    """
    priority: Priority | None = None
    """
    The place in line, smaller first, e.g. `1`, by class `{express: 1, all: 2}`, or by attribute `{by: goods, food: 1,
    all: 2}`; equals are first come, first served.
    """
    patience: Patience | None = None
    """The token gives up when it has waited too long, e.g. `{longest: 30 min, next: complain}`."""
    take: Take | None = None
    """How long the work takes, with the units in hand, e.g. `10 min` or `{pert: [5 min, 10 min, 30 min]}`."""
    during: Name | None = None
    """
    The calendar whose open time alone counts for `take`, e.g. `office`. For working days (`10 wd`) the days on which it
    opens count, whole; without it those of `office`.
    """
    detect: Detect | None = None
    """A check for a hidden truth, e.g. `{truth: papers_wrong, sensitivity: 60 %}`."""
    steps: Annotated[dict[Name, Step], keys_in_schema("StepName")] = {}
    """Inner steps, done with the units in hand."""
    correct: Name | None = None
    """The truth that is put right here: later checks find nothing, e.g. `papers_wrong`."""
    set: Changes | None = None
    """What is changed when the work is done, e.g. `{debit: {$zone.stock: 3}, status: released}`."""
    spawn: Spawn | None = None
    """Starts a token of another traffic entry, e.g. `returns` or `{traffic: returns, after: 3 d}`."""
    mark: Annotated[list[PartName], BeforeValidator(as_list), in_schema("Names")] = []
    """Notes the moment under this name, or under several, e.g. `released` or `[released, pickup_allowed]`."""
    within: WaitWithin | None = None
    """
    Told in results: the share of visits that wait at most so long, e.g. `20 s` or `[20 s, 1 min]`, or `{wait: 20 s,
    stay: 10 min}` for the time with the work too.
    """
    next: Next | None = None
    """
    Where to go on: a step of the same list, `end` (of this list: a flow or block ends), `leave` (it gives back all that
    it has and leaves), or shares of them, e.g. `{rework: 10 %}`; backward makes a loop.
    """
    source: Source | None = None
    """Where the numbers of the step come from, e.g. `assumed`."""
    note: Words | None = None
    """A remark for readers."""

    @model_validator(mode="after")
    def _fits_together(self) -> Step:
        acts = ("call", "split", "join", "gather", "parallel", "wait_until")
        given = [name for name in acts if getattr(self, name)]
        work = [name for name in ("hold", "draw", "take", "detect", "steps") if getattr(self, name)]
        if given == ["gather"] and work == ["steps"]:
            work = []  # what the leader does for all
        if len(given) > 1 or (given and work):
            both = " and ".join([*given, *work][:2])
            raise problem(f"{both} in one step", "Make two steps of it.")
        for name, branch in self.parallel.items():
            if branch.next is not None or branch.background or branch.split or branch.join:
                fault = f"'{name}' is a branch of parallel, which can neither split, go elsewhere nor be left behind"
                raise problem(fault, "Put such a step into its `steps`.")
        if self.with_ and not self.call:
            raise problem("'with' without 'call'", "Name the flow to call.")
        if self.during and self.take is None:
            raise problem("'during' without 'take'", "Say how long it takes.")
        if sum(isinstance(hold, Shortest | AnyOf) for hold in self.hold.values()) > 1:
            raise problem("two choices of a line in one step", "Make two steps of it.", ("hold",))
        if strange := sorted(set(self.keep) - set(self.hold)):
            raise problem(f"'{strange[0]}' is kept but not held", suggest(strange[0], self.hold, "holds"))
        for name in ("priority", "patience"):
            if getattr(self, name) is not None and not (self.hold or self.draw):
                raise problem(f"'{name}' without 'hold'", "Say which resource is waited for.")
        if self.patience and self.background:
            raise problem("a background step that gives up goes nowhere", "Remove 'patience', or 'background'.")
        if (self.split or self.join) and self.due:
            raise problem("a split or join notes no deadline", "Note it at a step before.", ("due",))
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

    @model_validator(mode="after")
    def _lifts_a_share(self) -> Step:
        if self.detect is not None and self.detect.lift is not None and self.share is None:
            fault = "'lift' in a step without 'share'"
            raise problem(fault, "Say which share is picked; a check of all has no lift.", ("detect", "lift"))
        return self

    @model_validator(mode="after")
    def _has_what_is_told(self) -> Step:
        waits = self.hold or self.draw or self.gather or self.wait_until
        if self.within is not None and not (waits or self.take or self.parallel):
            raise problem(
                "'within' of a step without a visit",
                "Write it at a step with `hold`, `draw`, `gather` or `take`.",
                ("within",),
            )
        if self.limits()["wait"] and not waits:
            remedy = "Write within: {stay: 20 s}."
            raise problem("'within' for the wait of a step that waits for nothing", remedy, ("within",))
        return self

    def limits(self) -> dict[str, list[Any]]:
        """Return the limits within which shares of visits are told, by the time that they are for."""
        return self.within.limits() if isinstance(self.within, Within) else {"wait": self.within or []}

    @property
    def inside(self) -> dict[str, Step]:
        """Return the inner steps, those of a block and branches that are done at the same time."""
        return {**self.steps, **self.parallel}


Step.model_rebuild()
Step.KEYS = frozenset(field.alias or name for name, field in Step.model_fields.items())


def _steps_named_well(steps: dict[str, Step], around: tuple[str, ...] = (), key: str = "steps") -> None:
    for name, step in steps.items():
        at = (*around, key, name)
        if name in Step.KEYS or name == END:
            raise problem(f"'{name}' is a key of the format and cannot name a step", "Choose another name.", at)
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise problem(f"'{name}' cannot name a step", "Use letters, digits and _.", at)
        _steps_named_well(step.steps, at)
        _steps_named_well(step.parallel, at, "parallel")


class Param(Strict):
    """A parameter of a flow: its kind and default."""

    kind: Literal["zone", "resource", "distance", "duration", "share", "count", "name"]
    """What may be given for it."""
    default: Any = None
    """What holds when nothing is given, e.g. `10 km`."""
    source: Source | None = None
    """Where the default comes from."""


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
    """How people call the flow, e.g. `{en: Gate, zh: 卡口}`."""
    entity: Name = "consignment"
    """What walks it, e.g. `consignment`, `truck`, `customer`."""
    params: Annotated[dict[PartName, ParamSpec], keys_in_schema("PartName")] = {}
    """
    The parameters that callers and traffic fill in, e.g. `{zone: zone, km: distance, vehicle: [freight, other]}`;
    used as `$zone`.
    """
    place: Name | None = None
    """The resource whose passages are counted as those of a gate, e.g. `$lanes`."""
    within: Limits = []
    """
    Told in results, of the traffic that walks it: the share that leaves at most so long after its arrival, e.g. `2 h`
    or `[2 h, 1 d]`.
    """
    steps: Annotated[dict[Name, Step], Field(min_length=1), keys_in_schema("StepName")]
    """The steps in order, by name."""
    source: Source | None = None
    """Where the numbers come from."""
    note: Words | None = None
    """A remark for readers."""

    @model_validator(mode="after")
    def _well_named(self) -> Flow:
        _steps_named_well(self.steps)
        for name in set(self.params) & set(When.model_fields):
            fault = f"'{name}' is a key of `when` and cannot name a parameter"
            raise problem(fault, "Choose another name.", ("params", name))
        return self


class FlowDocument(Flow):
    """A flow in a file of its own."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["flow"]
    """This is a flow."""
    name: HeadName
    """What scenarios and calls name it by, e.g. `F1`."""
