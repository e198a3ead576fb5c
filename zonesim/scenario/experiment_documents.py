"""The document of an experiment: arms that somebody chooses, futures that nobody chooses, and how often each is run."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from zonesim import units
from zonesim.scenario.fields import PLAIN, Name, Share, Strict, Words, in_schema, problem
from zonesim.scenario.labels import Text
from zonesim.scenario.reader import Path_

_ARM: str = "Write [m11], [] for the baseline, or {measures: [m11], set: {zones.TYP.lanes_in.units: 2}}."


def _factor(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value > 0):
        raise problem(f"expected a factor above 0, found {units.describe(value)}", "Write a number such as 1.5.")
    return value


def _value(value: Any) -> Any:  # noqa: ANN401
    if value is None:
        raise problem("a value is due, found nothing", "Write a value such as 2 or 12 /h.")
    return value


def _measures(value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, list):
        raise problem(f"expected a list of measures, found {units.describe(value)}", "Write [m11], or [] for none.")
    return value


Factor = Annotated[Any, BeforeValidator(_factor), in_schema("Factor")]
Value = Annotated[Any, BeforeValidator(_value), in_schema("Value")]
Measures = Annotated[list[Any], BeforeValidator(_measures), in_schema("Measures")]


class ArmDocument(Strict):
    """An arm with changes of its own: what somebody could choose besides measures, such as the number of lanes."""

    measures: Measures = []
    """The measures in force, e.g. `[m10, {m11: {coverage: 60 %}}]`; none for the regime as it is."""
    set: dict[Name, Value] = {}
    """Values of the scenario that this arm has otherwise, by path, e.g. `{zones.TYP.lanes_in.units: 2}`."""
    scale: dict[Name, Factor] = {}
    """Quantities that this arm multiplies, by path, e.g. `{library.gate.lane.compare.take: 0.8}`."""
    label: Text = {}
    """How people call the arm."""


class Scale(Strict):
    """Factors that a quantity is multiplied by, one a future."""

    scale: Annotated[list[Factor], Field(min_length=1)]
    """The factors, e.g. `[1.0, 1.5, 2.0]`."""


Kind = Literal["each_alone", "each_left_out", "all_pairs", "factorial", "plackett_burman"]

SCREENING: tuple[Kind, ...] = ("factorial", "plackett_burman")
"""The kinds whose arms together tell the effect of each measure."""


def _form_of_kinds(value: Any) -> str:  # noqa: ANN401
    return "list" if isinstance(value, list) else "one"


def _form_of_package(value: Any) -> str:  # noqa: ANN401
    return "word" if isinstance(value, str) else "list"


class ArmsDesign(Strict):
    """Arms that are made of a list of measures, beside those that are written one by one."""

    arms: Annotated[
        Annotated[Kind, Tag("one")] | Annotated[Annotated[list[Kind], Field(min_length=1)], Tag("list")],
        Discriminator(_form_of_kinds),
    ]
    """
    Which arms, one kind or a list: `each_alone`, each measure by itself; `each_left_out`, all of them, and all but
    each; `all_pairs`, every two of them; `factorial`, every combination; `plackett_burman`, a few combinations that
    tell the main effect of each. The arm without any of them is always there.
    """
    of: Annotated[
        Annotated[Literal["all"], Tag("word")] | Annotated[Measures, Tag("list")], Discriminator(_form_of_package)
    ] = "all"
    """The measures, e.g. `[m10, {m11: {coverage: 60 %}}]`; `all` that change anything which the scenario runs."""
    foldover: bool = False
    """
    Whether `plackett_burman` also runs every combination with all measures switched, twice the arms: main effects are
    then clear of interactions of two.
    """

    @property
    def kinds(self) -> list[Kind]:
        """Return which arms are made, as a list."""
        return self.arms if isinstance(self.arms, list) else [self.arms]

    @model_validator(mode="after")
    def _fits(self) -> ArmsDesign:
        twice = next((kind for kind in self.kinds if self.kinds.count(kind) > 1), None)
        if twice is not None:
            raise problem(f"'{twice}' stands twice", "Keep one of them.", ("arms",))
        if set(SCREENING) <= set(self.kinds):
            both = "'factorial' and 'plackett_burman' both tell main effects"
            raise problem(both, "Keep one: factorial for a few measures, plackett_burman for many.", ("arms",))
        if self.foldover and "plackett_burman" not in self.kinds:
            raise problem("only plackett_burman has a foldover", "Leave it out.", ("foldover",))
        return self


def _form_of_values(value: Any) -> str:  # noqa: ANN401
    return "scale" if isinstance(value, Scale | dict) else "values"


Values = Annotated[
    Annotated[Annotated[list[Value], Field(min_length=1)], Tag("values")] | Annotated[Scale, Tag("scale")],
    Discriminator(_form_of_values),
]
"""What a path is in each future: `[2, 3, 4]`, or `{scale: [1.0, 1.5]}` times what the scenario says."""


def _form_of_arm(value: Any) -> str:  # noqa: ANN401
    return "arm" if isinstance(value, ArmDocument | dict) else "measures"


def _arm(value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, list):
        raise problem(f"expected an arm, found {units.describe(value)}", _ARM)
    return value


Arm = Annotated[
    Annotated[list[Any], BeforeValidator(_arm), in_schema("Measures"), Tag("measures")]
    | Annotated[ArmDocument, Tag("arm")],
    Discriminator(_form_of_arm),
]
"""An arm: the list of its measures, or a mapping with `measures`, `set`, `scale` and `label`."""


def _range(value: Any) -> Any:  # noqa: ANN401
    listed = value["scale"] if isinstance(value, dict) and set(value) == {"scale"} else value
    if value == DOUBTED or (isinstance(listed, list) and len(listed) in {2, 3}):
        return value
    raise problem(
        f"expected a range, found {units.describe(value)}",
        "Write [low, high], [low, mode, high], {scale: [0.8, 1.5]}, or doubted.",
    )


DOUBTED: Final = "doubted"
"""In place of a range: that of the `uncertain` values there."""

Range = Annotated[Any, BeforeValidator(_range), in_schema("Range")]


def _form_of_over(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, dict):
        return "ranges"
    return "list" if isinstance(value, list) else "word"


Over = Annotated[
    Annotated[Literal["doubts"], Tag("word")]
    | Annotated[Annotated[list[Name], Field(min_length=1)], Tag("list")]
    | Annotated[Annotated[dict[Name, Range], Field(min_length=1)], Tag("ranges")],
    Discriminator(_form_of_over),
]
"""What is drawn: all doubts in use, those at some paths, or ranges by path."""


class Drawn(Strict):
    """Futures in which several values are drawn at once, each from its own range, by the seed of the experiment."""

    n: Annotated[int, Field(ge=1, le=1_000), PLAIN]
    """How many futures are drawn, e.g. `20`; for `sobol` a power of two."""
    over: Over = "doubts"
    """
    What is drawn: `doubts`, every `uncertain` value in use with its low, mode and high (by a triangular law); a list of
    paths, the doubts there; or ranges by path, e.g. `{traffic.*.rate: {scale: [0.8, 1.5]}, zones.TYP.docks.units: [8,
    12], measures.m11.coverage: doubted}`: `[low, high]` uniform, `[low, mode, high]` triangular, `{scale: …}` factors.
    """


class Futures(Strict):
    """The futures: every row of the grid with every row of the zipped values, and beside them those that are drawn."""

    grid: dict[Name, Values] = {}
    """Paths with the values they take, all combined, e.g. `{traffic.*.rate: {scale: [1.0, 1.5, 2.0]}}`."""
    zip: dict[Name, Values] = {}
    """Paths that change together: the first values of all, then the second ones; the lists are of one length."""
    latin_hypercube: Drawn | None = None
    """Futures that are drawn so that each value falls once into each of `n` slices of equal probability."""
    sobol: Drawn | None = None
    """Futures that are drawn by a scrambled Sobol sequence, which fills the space of all values evenly."""

    @model_validator(mode="after")
    def _one_length(self) -> Futures:
        lengths = {path: count(values) for path, values in self.zip.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"'{path}' has {length}" for path, length in lengths.items())
            raise problem(f"zipped lists differ in length: {told}", "Give each the same number of values.")
        if self.latin_hypercube is not None and self.sobol is not None:
            raise problem("'latin_hypercube' and 'sobol' both draw futures", "Keep one of them.", ("sobol",))
        if self.sobol is not None and (n := self.sobol.n) & (n - 1):
            lower, upper = 1 << (n.bit_length() - 1), 1 << n.bit_length()
            fault = f"{n} futures of a Sobol sequence, which is even over powers of two"
            raise problem(fault, f"Write n: {lower} or n: {upper}.", ("sobol", "n"))
        return self

    @property
    def drawn(self) -> tuple[Literal["latin_hypercube", "sobol"], Drawn] | None:
        """Return how futures are drawn and which; None where none are."""
        if self.latin_hypercube is not None:
            return "latin_hypercube", self.latin_hypercube
        return ("sobol", self.sobol) if self.sobol is not None else None


class Sample(Strict):
    """A sample of all doubts at once: in each of its futures every doubted value is drawn by its triangular law."""

    sample: Annotated[int, Field(ge=0, le=1_000), PLAIN]
    """How many futures are drawn, e.g. `100`."""
    of: list[Name] = []
    """The paths that are drawn, with all below them; all doubts in use if nothing is said."""


class Until(Strict):
    """
    As many replications as it takes until every difference to the baseline is known precisely, one number for all arms
    and futures: half of its interval is at most `until`, and stays so over the next five replications (more in
    proportion above 100).
    """

    until: Share
    """How wide half an interval may be, e.g. `5 %`."""
    of: Literal["baseline", "difference"] = "baseline"
    """Of what: the value of the baseline, or the difference itself, which takes far more where it is small."""
    at_least: Annotated[int, Field(ge=2, le=100_000), PLAIN] = 5
    """So many replications are run in any case."""
    at_most: Annotated[int, Field(ge=2, le=100_000), PLAIN] = 100
    """No more than these are run; what is not known precisely by then is told."""
    kpis: list[Name] = []
    """What has to be known, by id; what is reported if nothing is said."""

    @model_validator(mode="after")
    def _fits(self) -> Until:
        if not units.parse_share(self.until) > 0:
            raise problem("half an interval of 0 % is never reached", "Write e.g. until: 5 %.", ("until",))
        if self.at_most < self.at_least:
            told = f"at most {self.at_most} replications, and at least {self.at_least}"
            raise problem(told, "Give at_most the larger number.", ("at_most",))
        return self


def _form_of_replications(value: Any) -> str:  # noqa: ANN401
    return "rule" if isinstance(value, Until | dict) else "number"


def _form_of_doubts(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, Sample | dict):
        return "sample"
    return "list" if isinstance(value, list) else "whether"


Doubts = Annotated[
    Annotated[bool, Tag("whether")] | Annotated[list[Name], Tag("list")] | Annotated[Sample, Tag("sample")],
    Discriminator(_form_of_doubts),
]
"""What becomes of the doubts: `true`, a list of paths, or `{sample: 100}`."""


def count(values: Any) -> int:  # noqa: ANN401
    """Return how many values a path takes."""
    return len(values.scale if isinstance(values, Scale) else values)


class Experiment(Strict):
    """Arms times futures times replications of one scenario, under the same luck."""

    zonesim: Literal[1]
    """Version of the format."""
    kind: Literal["experiment"]
    """What the file is."""
    name: Annotated[Name, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,80}$")]
    """Name of the results folder."""
    label: Text = {}
    """How people call the experiment."""
    scenario: Words
    """The scenario file, from the folder of this file, e.g. `../scenarios/typical_zone.yaml`."""
    set: dict[Name, Value] = {}
    """Values of the scenario that are otherwise in all arms and futures, by path, e.g. `{clock.measure: 2 week}`."""
    arms: dict[Name, Arm] = {}
    """
    What is compared, by name, e.g. `{R1: [], m11: [m11], narrow: [{m11: {coverage: 60 %}}]}`; at least one, or a
    `design`.
    """
    design: ArmsDesign | None = None
    """Arms that are made of a list of measures, e.g. `{arms: each_left_out, of: [m10, m11]}`."""
    baseline: Name | None = None
    """
    The arm that differences are taken to; if nothing is said that of a `design` without any of its measures, else the
    first one.
    """
    futures: Futures = Futures()
    """What nobody chooses: demand, laws, shares. Every arm meets every future."""
    doubts: Doubts = False
    """
    Whether the low and the high end of each `uncertain` value in use is a future, one value at a time: `true`, or a
    list of paths; or `{sample: 100}`, so many futures in which all of them are drawn at once.
    """
    replications: Annotated[
        Annotated[Annotated[int, Field(ge=1, le=100_000), PLAIN], Tag("number")] | Annotated[Until, Tag("rule")],
        Discriminator(_form_of_replications),
    ] = 10
    """
    Repetitions of every arm in every future; or `{until: 5 %, at_most: 100}`, as many as it takes until differences are
    known to 5 % of the baseline's value.
    """
    seed: Annotated[int, Field(ge=0, lt=2**63), PLAIN] = 1
    """Chooses the luck, the same in all arms and futures."""
    kpis: list[Name] = []
    """What is reported, by id, e.g. `[F1.dwell.mean, TYP.lanes_in.pass.p95]`; the headlines if nothing is said."""
    note: Words | None = None
    """A sentence for people who read the file."""

    @model_validator(mode="after")
    def _has_arms(self) -> Experiment:
        if not self.arms and self.design is None:
            raise problem("there are no arms", "Write `arms: {R1: [], m11: [m11]}`, or a `design`.", ("arms",))
        if isinstance(self.doubts, Sample) and self.futures.drawn is not None:
            both = f"'sample' and '{self.futures.drawn[0]}' both draw futures"
            raise problem(both, "Keep one of them.", ("doubts", "sample"))
        return self

    def written_measures(self, arm: str) -> tuple[list[Any], Path_]:
        """Return the measures of an arm as they are written, and where in the document."""
        own = self.arms[arm]
        return (own.measures, ("arms", arm, "measures")) if isinstance(own, ArmDocument) else (own, ("arms", arm))
