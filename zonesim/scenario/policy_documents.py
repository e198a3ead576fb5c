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
    """The text of policy that a measure rests on."""

    text: Words
    """The document, e.g. `苏政发〔2019〕40号 附件 11`."""
    date: Words
    """Its date, e.g. `"2019-06-07"`."""
    body: Words = ""
    """Who issued it."""
    url: Words = ""
    """Where it can be read."""


class Measure(Strict):
    """A named, referenced change of policy: practices with adoption, and edits of zones that hold for everybody."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["measure"]
    """This is a measure."""
    name: Name
    """What arms call it by, e.g. `m11`."""
    annex: Annotated[int, Field(ge=1, le=99), PLAIN]
    """Its number in the annex of the plan, e.g. `11`."""
    label: Text
    """How people call it."""
    basis: Basis
    """The text of policy that it rests on."""
    params: dict[Name, MeasureParam] = {}
    """Its parameters, used in its edits as `$name`."""
    practices: dict[Name, Practice] = {}
    """Ways of working that firms adopt."""
    zone_edits: list[Edit] = []
    """Changes of zones that hold for everybody."""
    after: list[Name] = []
    """Measures whose edits of the same value come first, e.g. `[m5]`."""
    moves: list[Name] = []
    """The KPIs that are expected to move."""
    note: Words | None = None
    """A remark for readers."""
    source: Source | None = None
    """Where the numbers come from."""


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
