"""The documents of outside cases: scenarios with results that somebody else has worked out or published."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from zonesim import units
from zonesim.scenario.experiment_documents import Value
from zonesim.scenario.fields import PLAIN, Duration, Name, Share, Strict, problem
from zonesim.scenario.labels import Text

NEVER: Final = "never"
"""What a document writes for an instant that does not come."""


def _amount(value: Any) -> Any:  # noqa: ANN401
    """Accept a finite number or a text; whether that is a quantity of the right kind shows when the KPI is known."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise problem(f"expected a value, found {units.describe(value)}", "Write a number, or one such as 4.44 min.")
    if isinstance(value, float) and not math.isfinite(value):
        raise problem(f"expected a value, found {units.describe(value)}", "Write a number, or one such as 4.44 min.")
    return value


Amount = Annotated[Any, BeforeValidator(_amount)]
"""A value of a KPI: `4.444 min`, `17.3 %`, `960 /d`, or a plain number in the KPI's own unit."""


class Published(Strict):
    """A value with the error of whoever has published it: `half_width` of a 95 % interval or `sd`, over `n` runs."""

    value: Amount
    """The published mean, e.g. `0.5134 min`."""
    half_width: Amount | None = None
    """Half the width of its 95 % interval, e.g. `0.0228 min`."""
    sd: Amount | None = None
    """The standard deviation of a single run, e.g. `2.864`."""
    n: Annotated[int, Field(ge=1), PLAIN]
    """Over how many runs the mean is."""

    @model_validator(mode="after")
    def _one_error(self) -> Published:
        if (self.half_width is None) == (self.sd is None):
            raise problem("a published value has either a half_width or an sd", "Give one of them.")
        if self.half_width is not None and self.n < 2:  # noqa: PLR2004
            raise problem("no interval comes from one run", "Give the sd of a run.")
        return self


Expected = Annotated[
    Annotated[Amount, Tag("value")] | Annotated[Published, Tag("published")],
    Discriminator(lambda value: "published" if isinstance(value, dict | Published) else "value"),
]


def _instant(value: Any) -> Any:  # noqa: ANN401
    """Accept a number of minutes, `never`, or nothing where nothing is said."""
    if value is None or value == NEVER:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value >= 0):
        raise problem(
            f"expected an instant, found {units.describe(value)}", "Write minutes such as 2.7, never, or ~ for any."
        )
    return float(value)


Instant = Annotated[Any, BeforeValidator(_instant)]
Times = Annotated[list[Instant], Field(min_length=3, max_length=3)]
"""When a token queued, started and ended at a step."""


def _form_of_visits(value: Any) -> str:  # noqa: ANN401
    return "many" if isinstance(value, list) and value and isinstance(value[0], list) else "one"


Visits = Annotated[
    Annotated[Times, Tag("one")] | Annotated[list[Times], Tag("many")],
    Discriminator(_form_of_visits),
]
"""`[queued, started, ended]`, or a list of them where a token comes several times."""


class Station(Strict):
    """A station by which the length of a run is worked out, so that the mean wait is known as well as is asked for."""

    load: Annotated[float, Field(gt=0, lt=1), PLAIN]
    """Its utilisation, e.g. `0.8`."""
    service: Duration
    """The mean service time, e.g. `10 min`."""
    servers: Annotated[int, Field(ge=1, le=1000), PLAIN] = 1
    """How many servers it has."""
    cv2: Annotated[float, Field(ge=0, le=100), PLAIN] = 1
    """The squared coefficient of variation of the service times; 1 for exponential ones."""
    longer: Annotated[float, Field(ge=1, le=100), PLAIN] = 1
    """How many times longer a run has to be, where rare long services make the mean uncertain."""


class Short(Strict):
    """How a case is run with `--quick`, where a shorter measured window alone does not do."""

    set: dict[Name, Value] = {}
    """Values of the scenario, by path, on top of those of the case."""
    replications: Annotated[int, Field(ge=1, le=100_000), PLAIN] | None = None
    """How many runs."""


class Case(Strict):
    """One scenario with what comes out of it."""

    scenario: Name
    """The scenario file, from the folder of this file."""
    set: dict[Name, Value] = {}
    """Values of the scenario that are otherwise in this case, by path, e.g. `{zones.BANK.clerks.units: 4}`."""
    rule: Literal["trace", "exact", "published"]
    """
    `trace`: every replication gives these values, within 1e-9. `exact`: the mean over replications is the exact value
    within its error, and that error is small. `published`: the mean is the published one within both errors.
    """
    replications: Annotated[int, Field(ge=1, le=100_000), PLAIN] | None = None
    """How many runs; 1 for a trace and 30 otherwise if nothing is said."""
    widest: Share | None = None
    """The largest half-width of the 95 % interval, as a share of the value; 1 % if nothing is said (published: 5 %)."""
    station: Station | None = None
    """Makes warm-up and measured window as long as theory asks for."""
    length: Duration | None = None
    """The measured window of the full run, e.g. `40000 min`, where no theory gives it; `--quick` takes a 25th of it."""
    quick: bool | Short = True
    """Whether `--quick` runs the case, or how."""
    expect: dict[Name, Expected] = {}
    """Values by KPI id, or by ids with ` / ` between them for a ratio, e.g. `{bank.serve.wait.mean: 4.444 min}`."""
    visits: dict[Name, dict[Name, Visits]] = {}
    """Times in minutes by step and token, e.g. `{serve: {customers#0: [3, 3, 7]}}`. Of a trace."""
    marks: dict[Name, dict[Name, Instant]] = {}
    """The last time of a mark in minutes by token, e.g. `{left: {customers#0: 7}}`. Of a trace."""
    complete: bool = True
    """Whether every token that comes to the steps and marks is listed."""
    how: Name = ""
    """How the values were got, e.g. `calc: Erlang C`."""

    @model_validator(mode="after")
    def _has_what_its_rule_needs(self) -> Case:
        if not (self.expect or self.visits or self.marks):
            raise problem("nothing is expected", "Give expect, visits or marks.")
        if self.rule != "trace" and (self.visits or self.marks):
            raise problem("visits and marks belong to a trace", "Write `rule: trace`, or give expect.")
        published = [isinstance(value, Published) for value in self.expect.values()]
        if self.rule == "published" and not all(published):
            raise problem("a published value has an error", "Write {value: …, half_width: …, n: …}.")
        if self.rule != "published" and any(published):
            raise problem("only a published value has an error", "Write `rule: published`, or the value alone.")
        if self.rule == "exact" and (self.replications or FEWEST) < FEWEST:
            raise problem(f"an exact value needs {FEWEST} replications", "Give more, or leave them out.")
        if self.station is not None and self.length is not None:
            raise problem("station and length together", "Keep one of them.")
        return self


FEWEST: Final = 30
"""Replications from which on the errors of means are trusted."""


class Cases(Strict):
    """A file of cases of one kind."""

    zonesim: Literal[1]
    """The version of the format."""
    kind: Literal["cases"]
    """What the file is."""
    id: Annotated[Name, Field(pattern=r"^[A-Z][0-9]{2}$")]
    """The number of the case, e.g. `S08`."""
    title: Text
    """What it is about, e.g. `{en: A bank by hand, zh: 手算银行}`."""
    source: Name
    """Who has worked it out or published it."""
    cases: Annotated[dict[Name, Case], Field(min_length=1)]
    """The single cases by name."""
