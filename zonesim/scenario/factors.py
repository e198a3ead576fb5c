"""Random factors of arrival rates: how busy a day, or a whole run, is."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from zonesim.scenario.fields import PLAIN, FactorsCv, FactorsShape, Phases, Share, Strict, problem
from zonesim.scenario.labels import Source, Text
from zonesim.scenario.laws import check_total

LARGEST: Final = 1e6
Amount = Annotated[float, Field(ge=0, le=LARGEST), PLAIN]
"""A plain number that is not negative."""

Two = Annotated[list[Amount], Field(min_length=2, max_length=2)]
Three = Annotated[list[Amount], Field(min_length=3, max_length=3)]

_KEY: Final = re.compile(r"[0-9]+(\.[0-9]+)?")

LAWS: Final = (
    "uniform",
    "triangular",
    "pert",
    "exponential",
    "erlang",
    "gamma",
    "weibull",
    "lognormal",
    "normal",
    "discrete",
    "empirical",
)
"""The laws of a factor."""


class FactorMean(Strict):
    """Parameter of an exponential factor."""

    mean: Amount
    """The mean, e.g. `1`."""


class FactorCv(Strict):
    """Mean and coefficient of variation of a factor."""

    mean: Amount = 1.0
    """The mean, e.g. `1`."""
    cv: FactorsCv
    """Standard deviation divided by mean, e.g. `0.2`."""


class FactorErlang(Strict):
    """An Erlang law of a factor."""

    shape: Phases
    """The number of phases, e.g. `3`."""
    mean: Amount = 1.0
    """The mean of the sum, e.g. `1`."""


class FactorWeibull(Strict):
    """A Weibull law of a factor."""

    shape: FactorsShape
    """Below 1 the end grows less likely with size, above 1 more, e.g. `2`."""
    mean: Amount = 1.0
    """The mean, e.g. `1`."""


class FactorNormal(Strict):
    """A normal law of a factor; what would be below `low` does not occur."""

    mean: Amount = 1.0
    """The mean of the uncut law, e.g. `1`."""
    sd: Annotated[float, Field(ge=1e-6, le=LARGEST), PLAIN]
    """Its standard deviation, e.g. `0.2`."""
    low: Amount = 0.0
    """The lowest value, e.g. `0.5`."""


class RandomFactor(Strict):
    """
    A random factor: exactly one law of plain numbers, drawn anew `each` day or replication.

    All entries that name it, and all arms that are compared, meet the same draws. Given the factor the arrivals are
    Poisson.
    """

    each: Literal["day", "replication"]
    """How often it is drawn: each `day` of the run from midnight on, or once for each `replication`."""
    uniform: Two | None = None
    """Equally likely between low and high, e.g. `[0.8, 1.2]`."""
    triangular: Three | None = None
    """Low, mode and high, e.g. `[0.5, 1, 1.5]`."""
    pert: Three | None = None
    """Low, mode and high of a beta law, e.g. `[0.5, 1, 2]`."""
    exponential: FactorMean | None = None
    """An exponential law, e.g. `{mean: 1}`."""
    erlang: FactorErlang | None = None
    """An Erlang law, e.g. `{shape: 4, mean: 1}`."""
    gamma: FactorCv | None = None
    """A gamma law, e.g. `{mean: 1, cv: 0.2}`: the arrivals of a day are then negative binomial."""
    weibull: FactorWeibull | None = None
    """A Weibull law, e.g. `{shape: 2, mean: 1}`."""
    lognormal: FactorCv | None = None
    """A lognormal law by mean and cv of the value itself, e.g. `{mean: 1, cv: 0.3}`."""
    normal: FactorNormal | None = None
    """A normal law cut off below `low`, e.g. `{mean: 1, sd: 0.2}`."""
    discrete: dict[str, Share] | None = None
    """Values with their shares, e.g. `{0.8: 50 %, 1.2: 50 %}`."""
    empirical: Annotated[list[Amount], Field(min_length=1)] | None = None
    """Observed values, interpolated linearly between the sorted ones, e.g. `[0.7, 0.9, 1.1, 1.4]`."""
    label: Text = {}
    """How people call it, e.g. `{en: Busy day, zh: 忙日}`."""
    source: Source | None = None
    """Where the numbers come from."""

    @model_validator(mode="after")
    def _one_law(self) -> RandomFactor:
        given = [name for name in LAWS if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise problem(f"exactly one law is due, found {found}", "Write one, such as {gamma: {mean: 1, cv: 0.2}}.")
        for name in ("uniform", "triangular", "pert"):
            values = getattr(self, name)
            if values and values != sorted(values):
                raise problem(f"the values of {name} are not in ascending order", "Write [low, mode, high].")
        for key in self.discrete or ():
            if not _KEY.fullmatch(key) or float(key) > LARGEST:
                raise problem(f"'{key}' is no factor", "Write {0.8: 50 %, 1.2: 50 %}.", ("discrete", key))
        if self.discrete is not None:
            check_total(list(self.discrete.values()), "the shares of discrete")
        return self

    @property
    def law(self) -> tuple[str, Any]:
        """Return the name of the law and what is written of it."""
        return next((name, getattr(self, name)) for name in LAWS if getattr(self, name) is not None)
