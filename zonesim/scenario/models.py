"""The documents of the world: zones, firms, truths, traffic, and the scenario that holds them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from zonesim import units
from zonesim.faults import UnitFault, suggest
from zonesim.scenario.acts import FIRM, Changes
from zonesim.scenario.breakdowns import BreakdownsOrNone
from zonesim.scenario.calendars import Calendar, Holidays, parse_days, parse_span
from zonesim.scenario.costs import Cost, Investment
from zonesim.scenario.edit import Edit
from zonesim.scenario.factors import RandomFactor
from zonesim.scenario.fields import (
    CLASS,
    EVERYTHING,
    PLAIN,
    HeadName,
    Name,
    Named,
    PartName,
    RelativeShare,
    Share,
    ShareBy,
    Strict,
    TruthShare,
    Words,
    check_keys,
    check_part,
    check_signs,
    keys_in_schema,
    mode_of,
    problem,
)
from zonesim.scenario.futures import NO_FUTURE, Future
from zonesim.scenario.kpis import EACH, FIRM_SIZE, KpiDeclaration
from zonesim.scenario.labels import Source, SourceNote, Text
from zonesim.scenario.laws import check_total
from zonesim.scenario.lots import ENTRY, Lot, check_lots
from zonesim.scenario.promises import PromiseRule
from zonesim.scenario.staffing import Capacity, Staffing
from zonesim.scenario.statuses import Status
from zonesim.scenario.steps import END, Flow, FlowDocument, Param, SharesByZone, Split, Step, When
from zonesim.scenario.times import Clock, Profile
from zonesim.scenario.traffic import Traffic

__all__ = [
    "END",
    "Attribute",
    "Calendar",
    "Clock",
    "Firms",
    "Flow",
    "FlowDocument",
    "Holidays",
    "Param",
    "Profile",
    "Resource",
    "Scenario",
    "Setting",
    "Source",
    "SourceNote",
    "Split",
    "Staffing",
    "Step",
    "Text",
    "Traffic",
    "Truth",
    "Volume",
    "When",
    "Zone",
    "parse_days",
    "parse_span",
]


class Resource(Strict):
    """Units of something that tokens wait for, with opening hours and the rule for work in hand at closing."""

    units: Capacity
    """
    How many there are, e.g. `3`, or `unlimited`; or how many are on duty when, e.g. `{mon-fri: {"06:00-14:00": 4,
    "14:00-22:00": 6}}`, in place of `open`.
    """
    open: Name = "always"
    """The calendar in which they work, e.g. `office`."""
    at_shift_end: Literal["finish", "pause", "fits"] = "finish"
    """
    What happens at closing time: work in hand is finished in overtime, or pauses until the opening, or nothing starts
    that would not end in time. Where only some of the units leave, with `pause` the work of as many is interrupted, the
    least important and latest first, and goes on when a unit is free; with `fits` no more work is in hand beyond that
    time than units stay. When a unit breaks down, work in hand pauses where this says `pause`, else it is finished
    first.
    """
    preempt: bool = False
    """
    Whether somebody more important (see `priority`) takes the unit of one who is being served; that one goes on with
    the rest of the work later. Such a resource is taken alone, one unit at a time.
    """
    breakdowns: BreakdownsOrNone = "none"
    """
    How its units break down and are repaired, e.g. `{up: {exponential: {mean: 40 h}}, repair: {exponential: {mean: 2
    h}}}`, or `none`.
    """
    role: Name = ""
    """
    What it is, for figures and for hours and costs: `lane`, `officer`, `desk`, `dock`, `yard`, `other`, or a word of
    your own, such as `clerk`.
    """
    stable: Literal["computed", True, False] = "computed"
    """
    Whether its line stays, however long the run lasts: as `computed` from the loads, or said by hand, `true` or
    `false`, which results show.
    """
    label: Text = {}
    """How people call it."""
    source: Source | None = None
    """Where the number comes from."""

    @model_validator(mode="after")
    def _opens_once(self) -> Resource:
        if isinstance(self.units, Staffing) and self.open != "always":
            fault = "`open` together with a table of units, which says itself when they are on duty"
            raise problem(fault, "Leave `open` out; times that the table does not name are closed.", ("open",))
        return self


Quantity = Annotated[int, Field(ge=-1_000_000_000_000, le=1_000_000_000_000), PLAIN]


class Account(Strict):
    """A quantity of a zone that steps credit and debit: a stock, a quota, a guarantee."""

    account: Quantity
    """What is in it when the run starts, a whole number, e.g. `500`."""
    floor: Quantity = 0
    """What it never falls below."""
    short: Literal["fault", "wait"] = "fault"
    """
    What becomes of who asks for more than is there: it is a `fault` of the run, or steps `wait` in line for it, with
    `draw` for what they use up and with `hold` for what they give back.
    """
    unit: Name = ""
    """What is counted, e.g. `t` or `pallets`."""
    by: Name | None = None
    """
    What says of which kind goods are that are booked: an attribute, e.g. `goods`, `class`, or `entry`, the entry of the
    traffic that they come by; with `lots`.
    """
    lots: dict[Name, Lot] = {}
    """
    What one unit of it is by kind, e.g. `{food: {start: 400, holds: {pieces: 9600, kg: 16000, CNY: 240000}}}`. Whatever
    is booked here is booked for these too; of a kind that has no lot nothing more is known.
    """
    label: Text = {}
    """How people call it."""
    source: Source | None = None
    """Where the number comes from."""

    @model_validator(mode="after")
    def _has_lots_of_kinds(self) -> Account:
        if (self.by is None) != (not self.lots):
            raise problem("'by' and 'lots' belong together", "Write both, or none of them.")
        if self.lots:
            check_lots(self.lots, self.account)
        made = [name for name, lot in self.lots.items() if lot.becomes and self.by in {CLASS, ENTRY}]
        if made:
            fault = f"'{made[0]}' becomes something else, but '{self.by}' says of which kind it is"
            raise problem(fault, "Tell kinds by an attribute, e.g. `by: goods`.", ("lots", made[0], "becomes"))
        return self

    @model_validator(mode="after")
    def _starts_above_its_floor(self) -> Account:
        if self.account < self.floor:
            raise problem(f"starts with {self.account}, below its floor {self.floor}", "Start higher, or lower it.")
        return self


class Setting(Strict):
    """A value of a zone that flows refer to as `$zone.name`."""

    value: Annotated[Any, AfterValidator(check_signs)]
    """The value, e.g. `50 %` or `12 km`."""
    label: Text = {}
    """How people call it."""
    source: Source | None = None
    """Where it comes from."""


def _form_of_zone_entry(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, Account) or (isinstance(value, dict) and "account" in value):
        return "account"
    return "setting" if isinstance(value, Setting) or (isinstance(value, dict) and "value" in value) else "resource"


class Zone(Named):
    """A zone: its resources and settings by name. `outside: true` is a partner zone where nothing is ever short."""

    __pydantic_extra__: dict[
        str,
        Annotated[
            Annotated[Resource, Tag("resource")]
            | Annotated[Setting, Tag("setting")]
            | Annotated[Account, Tag("account")],
            Discriminator(_form_of_zone_entry),
        ],
    ]
    from_: Name | None = Field(default=None, alias="from")
    """A zone of the library whose position, distances and trade are taken over, e.g. `SIP`."""
    like: Name | None = None
    """Another zone of this scenario whose resources and settings are taken over where this one gives none."""
    label: Text = {}
    """How people call the zone."""
    outside: bool = False
    """A partner zone beyond the model: nothing there is ever short."""
    source: Source | None = None
    """Where the numbers of the zone come from."""

    @model_validator(mode="before")
    @classmethod
    def _keys_name_nothing(cls, data: Any) -> Any:  # noqa: ANN401
        return check_keys(cls, data, "a resource, setting or account")

    @classmethod
    def fits_a_name(cls, value: Any) -> bool:  # noqa: ANN401
        """Return whether `value` looks like a resource, a setting or an account."""
        return isinstance(value, dict) and bool({"units", "value", "account"} & set(value))

    @model_validator(mode="after")
    def _well_named(self) -> Zone:
        for name in self.entries():
            check_part(name, name)
        return self

    def entries(self) -> dict[str, Resource | Setting | Account]:
        """Return resources, settings and accounts by name."""
        return self.__pydantic_extra__ or {}


class Volume(Strict):
    """How volume is spread over firms: the share of the k-th largest is proportional to 1 / k ** zipf."""

    zipf: Annotated[float, Field(ge=0, le=5), PLAIN]
    """0: all firms are equally large; 1: the second has half the volume of the first, the third a third, and so on."""


class Firms(Strict):
    """The firms that goods belong to, with the share of the volume of each credit class."""

    count: Annotated[int, Field(ge=1, le=100_000), PLAIN]
    """How many firms there are, e.g. `60`."""
    volume: Volume = Volume(zipf=0)
    """How unequal they are, e.g. `{zipf: 1.0}`."""
    credit: dict[Name, Share] = {}
    """
    The share of the volume of each credit class, e.g. `{AEO: 40 %, ordinary: 60 %}`; the first class has the
    largest firms.
    """
    source: Source | None = None
    """Where the numbers come from."""

    @model_validator(mode="after")
    def _adds_up(self) -> Firms:
        if self.credit:
            check_total(list(self.credit.values()), "the shares of the credit classes")
        return self


class Attribute(Named):
    """What tells tokens apart besides their class: its values with their shares, `goods: {food: 60 %, cloth: 40 %}`."""

    __pydantic_extra__: dict[str, Share]
    label: Text = {}
    """How people call it, e.g. `{en: Goods, zh: 货物}`."""
    source: Source | None = None
    """Where the shares come from."""

    @model_validator(mode="before")
    @classmethod
    def _keys_name_nothing(cls, data: Any) -> Any:  # noqa: ANN401
        return check_keys(cls, data, "a value")

    @classmethod
    def fits_a_name(cls, value: Any) -> bool:  # noqa: ANN401
        """Return whether `value` looks like the share of a value."""
        return _is_share(value)

    @model_validator(mode="after")
    def _adds_up(self) -> Attribute:
        if EVERYTHING in self.shares():
            raise problem(f"'{EVERYTHING}' stands for every value that is not named", "Rename it.", (EVERYTHING,))
        check_total(list(self.shares().values()), "the shares of the values")
        return self

    def shares(self) -> dict[str, Any]:
        """Return the share of each value."""
        return self.__pydantic_extra__ or {}


class Truth(Named):
    """
    A hidden fact about a token, by class `papers_wrong: {all: 5 %}`, or by attribute `{by: goods, food: 5 %}`; of one
    it may be told by that of another, `{ordinary: 0.5 %, AEO: {of: ordinary, times: 0.5}}`.
    """

    __pydantic_extra__: dict[str, TruthShare]
    by: Name = CLASS
    """What its shares are told by: the `class`, or an attribute, e.g. `goods`."""
    label: Text = {}
    """How people call it, e.g. `{en: Papers wrong, zh: 单证有误}`."""
    source: Source | None = None
    """Where the shares come from."""

    @model_validator(mode="before")
    @classmethod
    def _keys_name_nothing(cls, data: Any) -> Any:  # noqa: ANN401
        return check_keys(cls, data, "a class")

    @classmethod
    def fits_a_name(cls, value: Any) -> bool:  # noqa: ANN401
        """Return whether `value` looks like the share of a class."""
        if isinstance(value, dict):
            return bool({"by", "times", "of"} & set(value)) or _is_share(value)
        return _is_share(value) or isinstance(value, ShareBy | RelativeShare)

    @model_validator(mode="after")
    def _told_by_another(self) -> Truth:
        shares = self.shares()
        for name, share in shares.items():
            if isinstance(share, RelativeShare) and isinstance(shares.get(share.of), RelativeShare | ShareBy | None):
                known = [other for other, own in shares.items() if not isinstance(own, RelativeShare | ShareBy)]
                fault = f"'{share.of}' has no share here that another can be told by"
                raise problem(fault, suggest(share.of, known, "shares"), (name, "of"))
        return self

    def shares(self) -> dict[str, Any]:
        """Return the probability by class, or by value of the attribute `by`."""
        return self.__pydantic_extra__ or {}


def _is_share(value: Any) -> bool:  # noqa: ANN401
    try:
        units.parse_share(mode_of(value))
    except UnitFault:
        return False
    return True


class Scenario(Strict):
    """The world: zones, firms, truths and traffic, and flows of its own."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["scenario"]
    """This is a scenario."""
    name: Annotated[Name, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,80}$")]
    """The name of its results, e.g. `typical-zone`."""
    label: Text = {}
    """How people call it, e.g. `{en: A typical zone, zh: 典型综保区}`."""
    note: Words | None = None
    """A remark for readers."""
    synthetic: bool = False
    """Whether the zone is invented; every figure then says so."""
    clock: Clock
    """When the run starts and what is measured."""
    regime: Name = "R1"
    """The stage of supervision that is the baseline, e.g. `R1`."""
    adopted: dict[Name, dict[Name, SharesByZone]] = {}
    """
    Shares that already follow a practice, where the scenario differs from the regime: one for all zones, e.g. `{m11:
    {transfer: 30 %}}`, or one for each, e.g. `{m11: {gate: {SIP: 100 %, all: 0 %}}}`. Zones that are not named are as
    the regime says. What happens in two zones follows a practice when it is adopted in both.
    """
    calendars: dict[Name, Calendar] = {}
    """Opening hours by name, besides those of the library."""
    holidays: dict[Name, Holidays] = {}
    """Tables of holidays by name, besides those of the library, e.g. `{plant: {closed: ["2018-10-01"]}}`."""
    profiles: dict[Name, Profile] = {}
    """Shapes of arrivals by name, besides those of the library."""
    factors: dict[Name, RandomFactor] = {}
    """Random factors of arrival rates by name, e.g. `{busy_day: {each: day, gamma: {mean: 1, cv: 0.2}}}`."""
    zones: Annotated[dict[HeadName, Zone], keys_in_schema("HeadName")] = {}
    """The zones, each with its resources and settings."""
    firms: Firms | None = None
    """The firms that goods belong to."""
    attributes: Annotated[dict[PartName, Attribute], keys_in_schema("PartName")] = {}
    """
    What tells tokens apart besides their class, each with the shares of its values, e.g. `{goods: {food: 60 %, cloth:
    40 %}}`; every token has a value of each, drawn for itself alone. An entry of the traffic may say otherwise.
    """
    truth: Annotated[dict[PartName, Truth], keys_in_schema("PartName")] = {}
    """Hidden facts that checks look for, e.g. `{papers_wrong: {all: 5 %}}`."""
    statuses: dict[Name, Status] = {}
    """Customs statuses of its own, and further successors, and passages, of those of the library."""
    flows: Annotated[dict[HeadName, Flow], keys_in_schema("HeadName")] = {}
    """Flows of the scenario's own; one with the name of a library flow replaces it."""
    traffic: Annotated[dict[HeadName, Traffic], Field(min_length=1), keys_in_schema("HeadName")]
    """What arrives, by name."""
    kpis: Annotated[dict[PartName, KpiDeclaration], keys_in_schema("PartName")] = {}
    """KPIs of its own, besides those of the library, e.g. `{counter: {time: {from: called, to: served}, …}}`."""
    costs: dict[Name, Cost] = {}
    """
    What is paid for and by whom, besides what the library says, e.g. `{storage: {payer: firm, of: [port.mean,
    arrived.day], rate: 2 CNY/h}}`; one with the name of a cost of the library replaces it.
    """
    investments: dict[Name, Investment] = {}
    """What measures need, besides what the library says."""
    promises: dict[Name, PromiseRule] = {}
    """
    What is promised, by name, e.g. `{gate: {kpi: TYP.lanes_in.pass.p95, most: 30 min}}`: `zonesim capacity` looks for
    the demand at which it still holds.
    """
    edits: list[Edit] = []
    """
    Changes of the library's flows, and of what stands above, for this scenario alone, e.g. `[{set:
    library.gate.lane.compare.take, to: 5 s}]`. They hold in every arm; measures act on what they leave.
    """
    future: Name = NO_FUTURE
    """
    What nobody chooses and is so in every arm, by name, e.g. `demand_x2`: one of `futures`, or of the library; also
    `--future demand_x2`.
    """
    futures: dict[Name, Future] = {}
    """Futures of its own by name, besides those of the library; they are made only where `future` names them."""
    doubts: dict[Name, Text] = {}
    """
    Paths of `uncertain` values whose low and high ends `compare` runs too, besides those that the regime names, each
    with what people call it, e.g. `{traffic.imports.rate: {en: imports a day, zh: 日均进境票数}}`: where one of them
    moves a headline by more than half its interval, the headline says so.
    """
    source: Source | None = None
    """Where the numbers come from, unless something below says otherwise."""

    @model_validator(mode="after")
    def _futures_named_well(self) -> Scenario:
        if NO_FUTURE in self.futures:
            fault = f"'{NO_FUTURE}' means that there is no future and cannot name one"
            raise problem(fault, "Choose another name.", ("futures", NO_FUTURE))
        return self

    @model_validator(mode="after")
    def _attributes_named_well(self) -> Scenario:
        keys = {
            FIRM,
            FIRM_SIZE,
            EACH,
            "by",
            *(field.alias or name for each in (When, Changes) for name, field in each.model_fields.items()),
        }
        for name in self.attributes:
            if name in keys:
                fault = f"'{name}' is a key of the format and cannot name an attribute"
                raise problem(fault, "Choose another name.", ("attributes", name))
        return self
