"""The documents of policy: measures, regimes, and the shared tables of the library."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from zonesim.scenario.edit import Edit
from zonesim.scenario.fields import PLAIN, Name, Named, Share, Strict, Words, problem
from zonesim.scenario.models import Calendar, Profile, Source, SourceNote, Text
from zonesim.scenario.steps import SharesByZone


class Adoption(Strict):
    """Who follows a practice: a share `of` the volume, of the number of firms, or of the tokens one by one."""

    share: Share
    """The share that follows the practice, e.g. `90 %` or `$coverage`."""
    of: Literal["volume", "firms", "token"] = "volume"
    """
    What it is a share of. With `volume` and `firms` whole firms adopt, in one order for all practices of a measure;
    with `token` each consignment or vehicle decides for itself, as those without a firm always do.
    """


class MeasureParam(Strict):
    """A parameter of a measure with its default and bounds."""

    default: Any
    """The value unless an arm says otherwise, e.g. `90 %`."""
    low: Any = None
    """The lowest sensible value."""
    high: Any = None
    """The highest sensible value."""
    source: Source | None = None
    """Where they come from."""


class Practice(Strict):
    """A way of working that firms adopt: the edits, and the change of credit class, hold for those who do."""

    label: Text
    """How people call it."""
    adoption: Adoption
    """Who follows it."""
    edits: list[Edit] = []
    """What is different for those who do."""
    sets_class: dict[Name, Name] = {}
    """
    Credit class that adopters are treated as from their arrival on, e.g. `{ordinary: AEO}`: its shares, times,
    priorities and conditions hold for them. The share of adopters counts all firms, those of other classes too. Hidden
    truths stay those of the old class, and results by class count a token in its old class, so that arms compare the
    same tokens.
    """
    source: Source | None = None
    """Where the numbers come from."""
    note: Words | None = None
    """A remark for readers."""

    @model_validator(mode="after")
    def _does_something(self) -> Practice:
        if not self.edits and not self.sets_class:
            raise problem("a practice without 'edits' and without 'sets_class'", "Say what it changes.")
        for old, new in self.sets_class.items():
            if old == new:
                raise problem(f"'sets_class' gives class '{old}' to itself", "Name two classes.")
        return self


class Basis(Strict):
    """A text of policy that a measure rests on."""

    text: Words
    """The document, e.g. `苏政发〔2019〕40号 附件 11`."""
    date: Words
    """Its date, e.g. `"2019-06-07"`."""
    body: Words = ""
    """Who issued it."""
    url: Words = ""
    """Where it can be read."""


Mechanism = Literal["remove", "shorten", "automate", "parallel", "later", "share", "mix", "eligibility", "cost"]
"""
How a measure works: a step is left out, takes less time, is done by a system, beside others or after them; a share or
probability changes; there are other goods; what was not allowed is; something costs less.
"""


class Published(Strict):
    """What somebody has published of a change like that of a measure, before and after."""

    what: Text
    """What was measured, e.g. `{en: time at the gate, zh: 过卡时间}`."""
    where: Words
    """Place and year, e.g. `Zhangjiagang 2014`."""
    before: Words
    """The figure before, e.g. `5 min`."""
    after: Words
    """The figure after, e.g. `10 s`."""
    kind: Literal["mean", "typical", "best", "target", "rule"]
    """What the figures are: of all cases, of a usual one, of the best; what is aimed at, or what a rule allows."""
    source: Source
    """Where they are published."""


class Expectation(Strict):
    """Which way a measure is expected to move a KPI."""

    sign: Literal["up", "down", "none"]
    """Up, down, or not at all."""
    edited: bool = False
    """Whether the measure edits what the KPI is made of, so that its move echoes the edit and tests nothing."""


class Measure(Strict):
    """A named, referenced change of policy: practices with adoption, and edits of zones that hold for everybody."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["measure"]
    """This is a measure."""
    name: Name
    """What arms call it by, e.g. `m11`."""
    annex: Annotated[int, Field(ge=1, le=99), PLAIN] | None = None
    """Its number in the annex of the plan, e.g. `11`."""
    task: Annotated[int, Field(ge=1, le=99), PLAIN] | None = None
    """In place of `annex`: the number of the task of the plan that it is, e.g. `8`."""
    label: Text
    """How people call it."""
    wording: Text | None = None
    """What the plan says, in short."""
    departments: list[Name] = []
    """Who is responsible, by the ids of `departments` in the tables of the library, e.g. `[customs, commerce]`."""
    basis: Annotated[list[Basis], Field(min_length=1)]
    """The texts of policy that it rests on: the plan, and the notices that carry it out."""
    mechanism: list[Mechanism] = []
    """
    How it works: `remove` a step, `shorten` it, `automate` it, do it in `parallel` or `later`; another `share`, another
    `mix` of goods, `eligibility`, `cost`.
    """
    params: dict[Name, MeasureParam] = {}
    """Its parameters, used in its edits as `$name`."""
    practices: dict[Name, Practice] = {}
    """Ways of working that firms adopt."""
    zone_edits: list[Edit] = []
    """Changes of zones that hold for everybody."""
    after: list[Name] = []
    """Measures whose edits of the same value come first, e.g. `[m5]`."""
    expects: dict[Name, Expectation] = {}
    """Which way it is expected to move which KPIs, e.g. `{F5.dwell.mean: {sign: down, edited: true}}`."""
    published: list[Published] = []
    """What is published of such changes."""
    note: Words | None = None
    """A remark for readers."""
    source: Source | None = None
    """Where the numbers come from."""

    @model_validator(mode="after")
    def _has_one_number(self) -> Measure:
        if (self.annex is None) == (self.task is None):
            found = "neither 'annex' nor 'task'" if self.annex is None else "both 'annex' and 'task'"
            raise problem(f"a measure with {found}", "Give it one number: `annex: 11`, or `task: 8`.")
        return self

    @property
    def number(self) -> str:
        """Return what people call it by: its number in the annex, e.g. `11`; for a task of the plan its name."""
        return str(self.annex) if self.annex is not None else self.name

    @property
    def moves(self) -> list[str]:
        """Return the KPIs that are expected to move."""
        return [kpi for kpi, expected in self.expects.items() if expected.sign != "none"]


class Regime(Strict):
    """A stage of supervision: which practices are in use to what share, and edits of the conventional flows."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["regime"]
    """This is a regime."""
    name: Name
    """What scenarios call it by, e.g. `R1`."""
    label: Text
    """How people call it."""
    like: Name | None = None
    """The regime that it is like where it says nothing else, e.g. `R1`; its edits come before those that stand here."""
    adopted: dict[Name, dict[Name, SharesByZone]] = {}
    """The share that follows each practice of each measure, e.g. `{m11: {transfer: 50 %}}`; also by zone."""
    measures: list[Name] = []
    """
    Measures that are in force already, e.g. `[m10, m11]`: they raise the shares of their practices, those that the
    scenario gives too, to what they ask for with their usual parameters, and never lower one.
    """
    edits: list[Edit] = []
    """What is different from the library's flows."""
    doubts: dict[Name, Text] = {}
    """Paths of doubts that `compare` shows the low and the high end of beside its headlines, with their labels."""
    source: Source | None = None
    """Where the numbers come from."""
    note: Words | None = None
    """A remark for readers."""


class Tables(Strict):
    """Shared calendars, profiles and roles of the library."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["tables"]
    """These are shared tables."""
    calendars: dict[Name, Calendar] = {}
    """Opening hours by name."""
    profiles: dict[Name, Profile] = {}
    """Shapes of arrivals by name."""
    roles: dict[Name, Text] = {}
    """What resources can be, by name."""
    departments: dict[Name, Text] = {}
    """Who can be responsible for a measure, by name."""


class Sources(Strict):
    """The sources of the library by id."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["sources"]
    """These are sources."""
    sources: dict[Name, SourceNote]
    """The sources by id."""


class ZoneColumn(Strict):
    """What a fact about zones is, and where all values of it come from."""

    label: Text
    """How people call it, e.g. `{en: Latitude, zh: 纬度}`."""
    source: Source
    """Where the values come from."""


class ZoneFacts(Named):
    """Facts about one zone: a value for each column."""

    __pydantic_extra__: dict[str, str | int | float]
    label: Text
    """How people call the zone."""

    @classmethod
    def fits_a_name(cls, value: Any) -> bool:  # noqa: ANN401
        """Return whether `value` looks like a fact."""
        return isinstance(value, str | int | float)


class ZonesDocument(Strict):
    """Facts about real zones that scenarios take over with `from`."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["zones"]
    """This is a table of zones."""
    columns: dict[Name, ZoneColumn]
    """The facts that are known."""
    zones: dict[Name, ZoneFacts]
    """The zones by id, e.g. `{SIP: {label: {en: Suzhou Industrial Park, zh: 苏州工业园综合保税区}, lat: 31.33}}`."""

    @model_validator(mode="after")
    def _columns_are_known(self) -> ZonesDocument:
        for name, facts in self.zones.items():
            for key in facts.model_extra or {}:
                if key not in self.columns:
                    raise problem(f"zone '{name}' has a fact '{key}' without a column", "Describe it under `columns`.")
        return self

    def as_settings(self, tree: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Return the zones of the document `tree` as a scenario would write them: settings with label and source."""
        columns = tree["columns"]
        return {
            name: {
                "label": facts["label"],
                **{key: {"value": value, **columns[key]} for key, value in facts.items() if key != "label"},
            }
            for name, facts in tree["zones"].items()
        }
