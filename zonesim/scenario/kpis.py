"""KPIs as documents: what is measured where, its statistics, and what people call it."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from zonesim.scenario.fields import (
    CostRate,
    Name,
    PartName,
    Real,
    Share,
    Strict,
    Words,
    as_list,
    in_schema,
    keys_in_schema,
    problem,
)
from zonesim.scenario.labels import Source, Text
from zonesim.scenario.laws import check_total
from zonesim.units import DAY, HOUR, MINUTE, SECOND

Scope = Literal["flow", "step", "gate", "resource", "account", "truth", "zone", "all"]
Better = Literal["lower", "higher", "neither"]
NameList = Annotated[list[Name], BeforeValidator(as_list), in_schema("Names")]

FORMS: Final[dict[str, tuple[Scope, ...]]] = {
    "time": ("flow", "gate", "zone", "all"),
    "stages": ("flow",),
    "share": ("flow", "gate"),
    "count": ("flow", "gate"),
    "inside": ("flow", "all"),
    "visits": ("step", "gate"),
    "resource": ("resource",),
    "account": ("account",),
    "truth": ("truth",),
    "hours": ("all", "zone"),
    "cost": ("all", "zone"),
    "run": ("all",),
    "recovery": ("gate", "step"),
}
"""What can be measured, each with the scopes where it can be, the usual one first."""

PLAIN_VALUE: Final = "value"
"""The statistic of what is one number only; ids leave it out."""

LATE: Final = "late"
"""The statistic of a time that is the share of those above 0."""

LATE_DAY: Final = "late_day"
"""The statistic of a time that is how many a day are above 0."""

FIRM_SIZE: Final = "firm_size"
"""What a KPI of consignments can be told by besides their class and attributes: the size of the firm they belong to."""

EACH: Final = "each"
"""In place of one dimension: all that there are, one after the other."""

_POOLED: Final = ("zone", "all")
"""Scopes in which a time is that of the goods of several entries together."""

_SPAN: Final = ("mean", "median", "pNN", "within_TIME", "missing")
_STATISTICS: Final[dict[str, tuple[str, ...]]] = {
    "time": (*_SPAN, LATE, LATE_DAY, "day"),
    "time once": ("mean",),
    "time within": ("mean",),
    "stages": ("mean",),
    "share": ("rate",),
    "count": ("day",),
    "inside": ("mean", "day"),
    "visits wait": ("mean", "median", "pNN", "within_TIME", "share"),
    "visits wait_all": ("mean",),
    "visits service": ("mean", "median", "pNN", "within_TIME"),
    "visits stay": ("mean", "median", "pNN", "within_TIME"),
    "visits all": ("day",),
    "visits gave_up": ("share",),
    "visits open": ("share",),
    "visits interruption": ("mean", "day"),
    "resource availability": (PLAIN_VALUE,),
    "resource utilisation": (PLAIN_VALUE,),
    "resource queue": ("mean", "peak"),
    "resource backlog": ("mean", "share"),
    "resource busy": ("day",),
    "resource load": (PLAIN_VALUE,),
    "resource overtime": (PLAIN_VALUE,),
    "account level": ("mean", "end"),
    "account credited": ("day",),
    "account debited": ("day",),
    "truth missed": ("share", "day"),
    "truth caught": ("share", "day"),
    "truth cases": ("day",),
    "truth false_stops": ("rate",),
    "hours": ("day",),
    "cost": ("day",),
    "run makespan": (PLAIN_VALUE,),
    "run work": ("first", "last"),
    "recovery": ("mean", "longest"),
}
"""The statistics of each form, by the quantity where it has several."""

_PERCENTILE: Final = re.compile(r"p([1-9][0-9]?)")
_WITHIN: Final = re.compile(r"within_([1-9][0-9]{0,8})(ms|s|min|h|d)")
_MOMENT: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")

NO_TIME: Final = -1
"""In place of a time of day where there is none."""

_MS: Final = {"d": DAY, "h": HOUR, "min": MINUTE, "s": SECOND, "ms": 1}


@cache
def quantile_of(statistic: str) -> float | None:
    """Return the share below a quantile such as `p95` or `median`; None where a statistic is none."""
    if statistic == "median":
        return 0.5
    found = _PERCENTILE.fullmatch(statistic)
    return int(found[1]) / 100 if found else None


@cache
def limit_of(statistic: str) -> tuple[int, str, int] | None:
    """Return number, unit and ms of a limit such as `within_24h`; None where a statistic is none."""
    found = _WITHIN.fullmatch(statistic)
    return (int(found[1]), found[2], int(found[1]) * _MS[found[2]]) if found else None


def within(limit: int) -> str:
    """Return the name of the share within a time of so many ms: `within_90min`, `within_20s`."""
    unit = next(unit for unit, ms in _MS.items() if limit % ms == 0)
    return f"within_{limit // _MS[unit]}{unit}"


class Between(Strict):
    """Two marks of one token, and the time from the first to the second."""

    from_: Name = Field(alias="from")
    """The mark with which the time begins, e.g. `declared`; `arrived` is set by itself."""
    to: NameList
    """The mark with which it ends, or several: the first of them that the flow has; `left` is set by itself."""
    once: NameList = []
    """Only those count that have both marks and have reached this one too; who may yet do so is missing."""
    within: Literal["window"] | None = None
    """
    With `window` only those count who have both marks by the end of the measured window: who had not is left out, and
    the slow are, so this is no mean over all.
    """


class Stages(Strict):
    """The way through several marks, cut into the times between each and the next."""

    through: Annotated[list[Name], Field(min_length=2)]
    """The marks in their order; a flow has the stages between those that it has."""
    to: NameList
    """Where the last stage ends, or several: the first of them that the flow has."""

    @model_validator(mode="after")
    def _ends_on_the_way(self) -> Stages:
        for mark in self.to:
            if mark not in self.through:
                raise problem(f"the way through {', '.join(self.through)} has no '{mark}'", "End at one of its marks.")
        return self


class Marked(Strict):
    """Those who have a mark, or who have it not."""

    marked: Name | None = None
    """Who has this mark, e.g. `inspected`."""
    unmarked: Name | None = None
    """Who has it not, e.g. `manual`; at a gate only."""
    among: Name | None = None
    """Of those who have this mark, in place of all, e.g. `goods_vehicle`; at a gate only."""

    @model_validator(mode="after")
    def _one(self) -> Marked:
        if (self.marked is None) == (self.unmarked is None):
            raise problem("a share is of those marked or of those unmarked", "Write {marked: inspected}.")
        return self

    @property
    def mark(self) -> str:
        """Return the mark."""
        return self.marked if self.marked is not None else str(self.unmarked)


class Counted(Strict):
    """Marks that are counted inside the window, whoever makes them."""

    mark: NameList
    """The mark, or several: the first of them that the flow has."""
    by: Literal["token", "consignment"] = "token"
    """What counts: each token that makes it, or each consignment, when its last token makes it."""


class Present(Strict):
    """Tokens inside the model, over time."""

    kind: Name | None = None
    """Only tokens of this kind, e.g. `truck`; without it the consignments of a flow."""


class RoleHours(Strict):
    """Unit time of the resources with a role."""

    role: NameList
    """The role, or several, e.g. `officer`."""
    of: Literal["busy", "open"] = "busy"
    """Time in which units are in use, or in which they are on duty."""


class RoleCost(Strict):
    """What the unit time of resources costs."""

    rate: Annotated[dict[Name, CostRate], Field(min_length=1)]
    """What an hour of a unit costs, by role, e.g. `{clerk: 60 CNY/h}`."""
    of: Literal["busy", "open"] = "busy"
    """Time in which units are in use, or in which they are on duty and paid."""


class Recovery(Strict):
    """How long a line needs after a closing: until nobody who had come before its end waits any more."""

    after: Name
    """The calendar whose closings are meant, those that end inside the measured window, e.g. `automatic_release`."""


class ShownUnless(Strict):
    """A KPI that is printed where no flow of the traffic has a mark."""

    unless: Name
    """The mark, e.g. `usable`."""


def _form_of_shown(value: Any) -> str:  # noqa: ANN401
    return "unless" if isinstance(value, dict | ShownUnless) else "plain"


Shown = Annotated[Annotated[bool, Tag("plain")] | Annotated[ShownUnless, Tag("unless")], Discriminator(_form_of_shown)]


class KpiStatistic(Strict):
    """A statistic of a KPI; what it does not say it takes from the KPI."""

    label: Text = {}
    """How people call it, where that is not the label of the KPI with the words of the statistic."""
    definition: Text = {}
    """What it means, where that differs from the KPI."""
    headline: Shown | None = None
    """Whether it is printed, and drawn, without being asked for."""
    better: Better | None = None
    """Which way is good."""
    control: Real | None = None
    """Place among those that say what becomes of control, which come first where measures are compared."""
    order: Real | None = None
    """Place among the KPIs that figures show where there is room for few, the smallest first; none: not among them."""


class KpiDeclaration(Strict):
    """
    A KPI: exactly one of `time`, `stages`, `share`, `count`, `inside`, `visits`, `resource`, `account`, `truth`,
    `hours`, `cost`, `run` and `recovery` says what is measured, `statistics` what is told of it.
    """

    label: Text = {}
    """How people call it, in both languages, e.g. `{en: Time at the counter, zh: 柜台时间}`."""
    definition: Text = {}
    """What it means, in a line."""
    scope: Scope | None = None
    """
    What it is told of: each `flow` (and entry of the traffic), each `step`, each direction of a `gate`, each
    `resource`, `account`, `truth` or `zone`, or of `all` together. Without it the usual one of what is measured.
    """
    only: list[Name] = []
    """Only these flows, entries, steps (`FLOW.STEP`), resources (`ZONE.NAME`) or zones; none: all that have it."""
    of: dict[Name, NameList] = {}
    """
    Only consignments that arrive with this class or value of an attribute, or with one of several, e.g. `{goods: food}`
    or `{class: [AEO]}`, or that belong to a firm of a size (`{firm_size: large}`): of a `time` or `share` of flows.
    """
    by: Name | None = None
    """
    Told once for each class (`class`), size of firm (`firm_size`) or value of an attribute, such as `goods`, in place
    of one for all: `FLOW.NAME.food.mean`; by `each` of these, `FLOW.NAME.goods.food.mean`, of whole flows.
    """
    having: NameList = []
    """Of a time of a zone, or of all: only the entries of the traffic whose tokens may make one of these marks."""
    time: Between | None = None
    """
    The time between two marks, e.g. `{from: called, to: served}`: of consignments, whose last token to make a mark
    counts; at a gate of the tokens that pass it. Of a zone: of all consignments of the entries whose tokens pass a gate
    of it; of all: of those that pass any.
    """
    stages: Stages | None = None
    """The times between each two consecutive marks of a way."""
    share: Marked | None = None
    """The share of those with a mark, e.g. `{marked: inspected}`; who is still inside without it is undecided."""
    count: Counted | None = None
    """How often a mark is made, e.g. `{mark: served}`."""
    inside: Present | None = None
    """Tokens inside: their number (`mean`), or their hours a day (`day`)."""
    visits: Literal["wait", "wait_all", "service", "stay", "all", "gave_up", "open", "interruption"] | None = None
    """
    Of the visits of a step (or of the lanes of a gate): the `wait` for units of those who got them, `wait_all` that of
    those who gave up too, `service` the time after it, `stay` both; `all`, `open` and those that `gave_up` are counted;
    `interruption`: of their work.
    """
    resource: Literal["availability", "utilisation", "queue", "backlog", "busy", "load", "overtime"] | None = None
    """
    What is measured of the units of a resource and the line for them; `backlog`: the line at a time of day, see `at`;
    `overtime`: unit-hours in use after the measured window.
    """
    at: Words | None = None
    """Of a `backlog`: the time of day, e.g. `"20:00"`, when the work of the day should be done."""
    account: Literal["level", "credited", "debited"] | None = None
    """What is measured of an account."""
    truth: Literal["missed", "caught", "cases", "false_stops"] | None = None
    """What is measured of a hidden truth and the checks that look for it."""
    hours: RoleHours | None = None
    """Hours of the resources with a role, e.g. `{role: officer}`."""
    cost: RoleCost | None = None
    """What these hours cost, e.g. `{rate: {clerk: 60 CNY/h}, of: open}`."""
    run: Literal["makespan", "work"] | None = None
    """
    What is measured of a whole run: `makespan`, from its start until the last token has left; `work`, consignments
    inside, in the `first` and in the `last` week of the window, so that these can be compared.
    """
    recovery: Recovery | None = None
    """
    The time from the end of each closing of a calendar until nobody who came before it waits any more, 0 where nobody
    did: at the lanes of a gate, or at a step. Not known where somebody still waits when the run ends.
    """
    terminating: bool = False
    """Whether it is told of runs that end empty only (`clock: {ends: empty}`)."""
    unit: Literal["s", "min", "h"] = "min"
    """The unit of times."""
    counts: Words | None = None
    """What is counted, e.g. `truck`, for readers."""
    better: Better = "neither"
    """
    Which way is good. A share within a time is good the other way round than the time itself; what is missing is
    neither.
    """
    headline: Shown = True
    """Whether its statistics are printed, and drawn, without being asked for."""
    samples: bool = False
    """Whether its durations are kept one by one, for curves of their distribution."""
    statistics: Annotated[dict[PartName, KpiStatistic], Field(min_length=1), keys_in_schema("PartName")]
    """
    What is told of it, by name: `mean`, `median`, `p90` and other percentiles, `within_10min` and other limits (`ms`,
    `s`, `min`, `h`, `d`), `missing` of a time and `day`, how many it is of; `longest` of a recovery; `share`, `day`,
    `rate`, `peak`, `end`, `first`, `last` or `value` of what is no time.
    """
    source: Source | None = None
    """Where its numbers come from."""
    note: Words | None = None
    """A remark for readers."""

    @model_validator(mode="after")
    def _fits(self) -> KpiDeclaration:
        given = [name for name in FORMS if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise problem(
                f"exactly one of {', '.join(FORMS)} is due, found {found}",
                "Write e.g. time: {from: called, to: served}.",
            )
        if self.scope is not None and self.scope not in FORMS[self.form]:
            remedy = f"Write `scope: {' or '.join(FORMS[self.form])}`."
            raise problem(f"'{self.form}' is not told of the scope '{self.scope}'", remedy, ("scope",))
        known = _STATISTICS[self.kind]
        for name in self.statistics:
            if _family(name) not in known:
                remedy = f"Of this there are: {', '.join(known)}."
                raise problem(f"no statistic '{name}' of {self.kind}", remedy, ("statistics", name))
        pooled = self.time is not None and self.where in _POOLED
        if (self.of or self.by) and not (self.where == "flow" and self.kind in {"time", "share"}) and not pooled:
            told = "of" if self.of else "by"
            fault = f"'{told}' of what is no time and no share of consignments"
            raise problem(fault, "Tell a `time` or a `share` of flows by it, or write entries of the traffic.", (told,))
        if (self.at is None) == (self.resource == "backlog"):
            what = "a backlog is told at a time of day" if self.at is None else "a time of day of what is no backlog"
            raise problem(what, 'Write {resource: backlog, at: "20:00"}.', ("resource" if self.at is None else "at",))
        if self.at is not None and self.time_of_day == NO_TIME:
            raise problem(f"'{self.at}' is no time of day", 'Write "20:00".', ("at",))
        if self.time is not None and self.time.within is not None and (self.time.once or self.where != "flow"):
            raise problem("`within` is told of flows, and without `once`", "Leave out one of them.", ("time",))
        if pooled and self.time is not None and self.time.once:
            raise problem("`once` is told of flows and gates", "Leave it out, or `scope`.", ("time", "once"))
        if self.having and not pooled:
            fault = "`having` of what is no time of a zone or of all"
            raise problem(fault, "Leave it out, or name flows with `only`.", ("having",))
        if self.share is not None and self.share.unmarked is not None and self.where != "gate":
            raise problem("a share of those without a mark is told at a gate only", "Write {marked: …}.", ("share",))
        if self.share is not None and self.share.among is not None and self.where != "gate":
            remedy = "Leave it out, or tell the share of a class or attribute with `of`."
            raise problem("`among` is told at a gate only", remedy, ("share", "among"))
        return self

    @property
    def form(self) -> str:
        """Return what says what is measured: such as `time` or `share`."""
        return next(name for name in FORMS if getattr(self, name) is not None)

    @property
    def where(self) -> Scope:
        """Return the scope."""
        return self.scope or FORMS[self.form][0]

    @property
    def kind(self) -> str:
        """Return what says what is measured, with the quantity where it has several, such as `visits wait`."""
        value = getattr(self, self.form)
        if isinstance(value, str):
            return f"{self.form} {value}"
        if self.time is not None and (self.time.once or self.time.within):
            return "time once" if self.time.once else "time within"
        return self.form

    @property
    def time_of_day(self) -> int:
        """Return the time of day of a backlog in ms, NO_TIME where it is none."""
        found = _MOMENT.fullmatch(self.at or "")
        return int(found[1]) * HOUR + int(found[2]) * MINUTE if found else NO_TIME

    def rule(self) -> str:
        """Return as text all that its numbers depend on: nothing of what people call it, or think of it."""
        told = {"label", "definition", "better", "headline", "counts", "source", "note", "statistics"}
        told |= {
            name for name in ("of", "by", "having", "at", "recovery") if not getattr(self, name)
        }  # rules without them are known as before
        return f"{self.model_dump(exclude=told)!r} {list(self.statistics)}"

    def roles(self) -> tuple[str, ...]:
        """Return the roles whose resources it is about."""
        if self.hours is not None:
            return tuple(self.hours.role)
        return tuple(self.cost.rate) if self.cost is not None else ()

    def consignment_marks(self) -> tuple[str, ...]:
        """Return the marks of which it asks when consignments reached them."""
        if self.time is not None and self.where in _POOLED:
            return (self.time.from_, *self.time.to)
        if self.where != "flow":
            return ()
        if self.time is not None:
            return (self.time.from_, *self.time.to, *self.time.once)
        if self.stages is not None:
            return (*self.stages.through, *self.stages.to)
        if self.share is not None:
            return (self.share.mark,)
        return tuple(self.count.mark) if self.count is not None and self.count.by == "consignment" else ()

    def counted_marks(self) -> tuple[str, ...]:
        """Return the marks that it counts, token by token."""
        own = self.count is not None and self.where == "flow" and self.count.by == "token"
        return tuple(self.count.mark) if own and self.count is not None else ()

    def passage_marks(self) -> tuple[str, ...]:
        """Return the marks that it asks for of a passage of a gate."""
        if self.where != "gate":
            return ()
        if self.time is not None:
            return (self.time.from_, *self.time.to, *self.time.once)
        if self.share is not None:
            return tuple(mark for mark in (self.share.mark, self.share.among) if mark is not None)
        return tuple(self.count.mark) if self.count is not None else ()


def _family(statistic: str) -> str:
    """Return a statistic with what may be chosen in it left open: `pNN`, `within_TIME`."""
    if _PERCENTILE.fullmatch(statistic):
        return "pNN"
    return "within_TIME" if _WITHIN.fullmatch(statistic) else statistic


class Passage(Strict):
    """The marks with which the passage of a gate begins and ends, in a flow that has a `place`."""

    from_: Name = Field(alias="from")
    """The mark of coming to the gate, e.g. `gate_arrived`; its place is a direction of a gate."""
    to: Name
    """The mark of having passed it, e.g. `gate_passed`."""


class FirmSize(Strict):
    """A size of firms: those who together make up a share of the volume, behind those of the sizes before it."""

    share: Share
    """The share of the volume, e.g. `50 %`."""
    label: Text
    """How people call firms of this size."""


class KpisDocument(Strict):
    """KPIs of the library; those of one file have names of their own, those of one scope stand in one file."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["kpis"]
    """This is a table of KPIs."""
    name: Name
    """The name of the table, e.g. `flow`."""
    passage: Passage | None = None
    """What a passage of a gate is; once in the library."""
    firm_sizes: dict[PartName, FirmSize] = {}
    """The sizes of firms by rank of volume, the largest first; once in the library."""
    kpis: Annotated[dict[PartName, KpiDeclaration], keys_in_schema("PartName")]
    """The KPIs by name, in the order in which they are told; an id is subject, name and statistic."""

    @model_validator(mode="after")
    def _adds_up(self) -> KpisDocument:
        if self.firm_sizes:
            check_total([size.share for size in self.firm_sizes.values()], "the shares of the sizes of firms")
        return self
