"""
The laws of random durations: one key each, parts of a mixture, and laws that differ by something else.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from zonesim import units
from zonesim.faults import UnitFault
from zonesim.scenario.fields import (
    Cv,
    Distance,
    Name,
    Named,
    Phases,
    Shape,
    Share,
    Speed,
    Strict,
    Time,
    is_doubt,
    is_reference,
    is_word,
    keys_in_schema,
    mode_of,
    problem,
    told_by,
)


class Mean(Strict):
    """Parameter of an exponential law."""

    mean: Time
    """The mean, e.g. `10 min`."""


class MeanCv(Strict):
    """Mean and coefficient of variation (standard deviation / mean)."""

    mean: Time
    """The mean of the value itself, e.g. `10 min`."""
    cv: Cv
    """Standard deviation divided by mean, e.g. `0.8`."""


class Erlang(Strict):
    """Sum of `shape` exponential phases with the given total mean."""

    shape: Phases
    """The number of phases, e.g. `3`."""
    mean: Time
    """The mean of the sum, e.g. `10 min`."""


class Weibull(Strict):
    """Weibull law by shape and mean."""

    shape: Shape
    """Below 1 the end grows less likely with time, above 1 more, e.g. `2`."""
    mean: Time
    """The mean, e.g. `10 min`."""


class Normal(Strict):
    """Normal law cut off below `low` (default 0): the distribution given that the value is at least `low`."""

    mean: Time
    """The mean of the uncut law, e.g. `10 min`."""
    sd: Time
    """The standard deviation of the uncut law, e.g. `2 min`; with 0 the value is always the mean."""
    low: Time = 0
    """Values below this do not occur, e.g. `1 min`."""


Three = Annotated[list[Time], Field(min_length=3, max_length=3)]
Two = Annotated[list[Time], Field(min_length=2, max_length=2)]


def _one_of_the_laws(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a schema of laws says besides: one law, of one key or those of a haul."""
    single = [name for name in schema["properties"] if name not in {"distance", "speed", "cv", "share"}]
    return {"anyOf": [*({"required": [name]} for name in single), {"required": ["distance", "speed"]}]}


class Law(Strict):
    """A random duration: exactly one of these keys (a haul has `distance`, `speed` and maybe `cv`)."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema.update(_one_of_the_laws(schema)))

    constant: Time | None = None
    """The same for everybody, e.g. `10 min`."""
    uniform: Two | None = None
    """Equally likely between low and high, e.g. `[5 min, 15 min]`."""
    triangular: Three | None = None
    """Low, mode and high, e.g. `[5 min, 10 min, 30 min]`; mean (low + mode + high) / 3."""
    pert: Three | None = None
    """
    Low, mode and high of a beta law with weight 4, e.g. `[5 min, 10 min, 30 min]`; mean (low + 4 mode + high) / 6.
    """
    exponential: Mean | None = None
    """An exponential law, e.g. `{mean: 10 min}`."""
    erlang: Erlang | None = None
    """The sum of exponential phases, e.g. `{shape: 3, mean: 10 min}`."""
    gamma: MeanCv | None = None
    """A gamma law, e.g. `{mean: 10 min, cv: 0.5}`."""
    weibull: Weibull | None = None
    """A Weibull law, e.g. `{shape: 2, mean: 10 min}`."""
    lognormal: MeanCv | None = None
    """A lognormal law by mean and cv of the value itself, not of its logarithm, e.g. `{mean: 10 min, cv: 0.8}`."""
    normal: Normal | None = None
    """A normal law cut off below `low`, e.g. `{mean: 10 min, sd: 2 min}`."""
    discrete: Annotated[dict[str, Share], keys_in_schema("DurationKey")] | None = None
    """Durations with their shares, e.g. `{5 min: 30 %, 20 min: 70 %}`."""
    empirical: Annotated[list[Time], Field(min_length=1)] | None = None
    """
    Observed values, interpolated linearly between the sorted ones, e.g. `[3 min, 4 min, 9 min]`; a single one is
    always the value.
    """
    mixture: dict[Name, Part] | None = None
    """
    Named parts, each with its share and its law, e.g. `{fast: {share: 90 %, constant: 2 min}, slow: {share: 10 %,
    constant: 1 h}}`.
    """
    distance: Distance | None = None
    """How far a haul goes, e.g. `99 km`; needs `speed`."""
    speed: Speed | None = None
    """How fast a haul goes, e.g. `45 km/h`."""
    cv: Cv | None = None
    """The spread of a haul's duration (lognormal), e.g. `0.2`; without it the duration is fixed."""

    def times(self) -> list[Any]:
        """Return every duration in the law, as written."""
        found = [self.constant]
        for several in (self.uniform, self.triangular, self.pert, self.discrete, self.empirical):
            found += several or []
        for law in (self.exponential, self.erlang, self.gamma, self.weibull, self.lognormal):
            found.append(law.mean if law is not None else None)
        if self.normal is not None:
            found += [self.normal.mean, self.normal.sd, self.normal.low]
        for part in (self.mixture or {}).values():
            found += part.times()
        return [time for time in found if time is not None]

    @model_validator(mode="after")
    def _one_law(self) -> Law:
        if self.discrete:
            for key in self.discrete:
                try:
                    units.parse_time(key)
                except UnitFault as fault:
                    raise problem(fault.fault, fault.remedy, ("discrete", key)) from None
            check_total(list(self.discrete.values()), "the shares of discrete")
        given = [name for name in type(self).model_fields if getattr(self, name) is not None and name != "share"]
        if "distance" in given or "speed" in given:
            if set(given) - {"distance", "speed", "cv"} or not {"distance", "speed"} <= set(given):
                raise problem("a haul has a distance and a speed", "Write {distance: 99 km, speed: 45 km/h, cv: 0.2}.")
        elif len(given) != 1:
            found = "none" if not given else " and ".join(given)
            raise problem(
                f"exactly one law is due, found {found}", "Write one, such as {pert: [5 min, 10 min, 30 min]}."
            )
        check_one_kind(self.times())
        for name in ("uniform", "triangular", "pert"):
            values = getattr(self, name)
            if values and not any(is_reference(value) for value in values):
                numbers = [units.parse_time(mode_of(value)) for value in values]
                if numbers != sorted(numbers):
                    raise problem(f"the values of {name} are not in ascending order", "Write [low, mode, high].")
        if self.mixture:
            check_total([part.share for part in self.mixture.values()], "the shares of the mixture")
        return self


class Part(Law):
    """One part of a mixture: its share and its law."""

    share: Share
    """How often the value comes from this part, e.g. `90 %`."""


def check_one_kind(times: list[Any]) -> None:
    """Raise a problem if some of these durations count working days and others time; 0 is neither."""
    written = [mode_of(time) for time in times if not is_reference(mode_of(time))]
    kinds = {units.is_working(time) for time in written if units.parse_time(time) > 0}
    if len(kinds) > 1:
        raise problem("working days and other durations in one law", "Write all of them in wd, or none.")


def check_total(shares: list[Any], what: str) -> None:
    """Raise a problem unless `shares` add up to 100 %; shares with a parameter are left for later."""
    if any(is_reference(mode_of(share)) for share in shares):
        return
    total = sum(units.parse_share(mode_of(share)) for share in shares)
    if abs(total - 1) > 1e-9:  # noqa: PLR2004
        raise problem(f"{what} add up to {100 * total:.6g} %", "They must add up to 100 %.")


class By(Named):
    """
    A different law by a parameter of the flow, by class or attribute, or by what was taken: `{by: vehicle, freight: …,
    other: …}`.
    """

    __pydantic_extra__: dict[str, Take]
    by: Name
    """
    A parameter of the flow, `class`, an attribute, or a `hold` with a choice (`any`, `shortest`) of this step or one
    around it; each other key is a value of it with its law, e.g. `{by: vehicle, freight: 3 min, other: 1 min}`; `all`
    stands for every value that is not named.
    """

    @classmethod
    def fits_a_name(cls, value: Any) -> bool:  # noqa: ANN401
        """Return whether `value` looks like the law of a value."""
        return not is_word(value)


def _form_of_take(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, By) or told_by(value):
        return "by"
    if isinstance(value, Law) or (isinstance(value, dict) and not is_doubt(value)):
        return "law"
    return "duration"


Take = Annotated[
    Annotated[Time, Tag("duration")] | Annotated[Law, Tag("law")] | Annotated[By, Tag("by")],
    Discriminator(_form_of_take),
]
"""How long something takes: a fixed duration, a law, or a law by parameter, class or attribute."""


Law.model_rebuild()
Part.model_rebuild()
By.model_rebuild()
