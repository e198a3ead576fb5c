"""From written distributions (`pert: [5 min, 10 min, 30 min]`) to rows of their table, all values in milliseconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from zonesim import units
from zonesim.faults import ScenarioFault
from zonesim.plan.columns import TABLES, Floats, Rows
from zonesim.plan.distributions import Distribution as Kind
from zonesim.plan.tables import Keyed
from zonesim.scenario.factors import RandomFactor
from zonesim.scenario.fields import check_cv, check_phases, check_shape, mode_of
from zonesim.scenario.laws import Law

LawRow = tuple[int, tuple[float, ...]]
Resolve = Callable[[Any], Any]

_SPREAD: Final = 1e-3
"""A standard deviation below a thousandth of the millisecond to which durations are rounded is none."""


class Distributions:
    """The distributions table under construction: kind and parameters of each distinct distribution."""

    def __init__(self) -> None:
        self.table: Keyed[LawRow] = Keyed()

    def add(self, kind: Kind, *numbers: float) -> int:
        """Return the row of a distribution."""
        row = (int(kind), tuple(float(number) for number in numbers))
        return self.table.add(row, row)

    def arrays(self) -> tuple[Rows, Floats]:
        """Return the distributions table and the table of their parameters."""
        rows: list[tuple[int, int, int]] = []
        numbers: list[float] = []
        for kind, own in self.table.rows:
            rows.append((kind, len(numbers), len(own)))
            numbers += own
        return TABLES["distributions"].array(rows), TABLES["parameters"].array(numbers)

    def duration(self, text: Any, resolve: Resolve, *, working: bool = False) -> int:  # noqa: ANN401
        """Return the row of a fixed duration, or of a number of working days (24 h each) when `working`."""
        return self.add(Kind.CONSTANT, units.parse(resolve(text), units.WORKING if working else "duration"))

    def written(self, law: Law, resolve: Resolve, *, working: bool = False) -> int:
        """
        Return the row of a written distribution, of working days (24 h each) when `working`.

        Raises ScenarioFault when a parameter fits badly, also when it counts the other kind of time.
        """

        def ms(text: Any) -> float:  # noqa: ANN401
            return units.parse(resolve(text), units.WORKING if working else "duration")

        if law.constant is not None:
            return self.add(Kind.CONSTANT, ms(law.constant))
        for name, kind in (("uniform", Kind.UNIFORM), ("triangular", Kind.TRIANGULAR), ("pert", Kind.PERT)):
            texts = getattr(law, name)
            if texts is not None:
                values = [ms(text) for text in texts]
                if values != sorted(values):
                    message = f"the values of {name} are not in ascending order"
                    raise ScenarioFault(message, remedy="Write [low, mode, high].")
                return self.add(Kind.CONSTANT, values[0]) if values[0] == values[-1] else self.add(kind, *values)
        if law.exponential is not None:
            return self.add(Kind.EXPONENTIAL, ms(law.exponential.mean))
        if law.erlang is not None:
            return self.add(Kind.ERLANG, check_phases(resolve(law.erlang.shape)), ms(law.erlang.mean))
        if law.gamma is not None:
            return self.add(Kind.GAMMA, ms(law.gamma.mean), check_cv(resolve(law.gamma.cv)))
        if law.weibull is not None:
            return self.add(Kind.WEIBULL, check_shape(resolve(law.weibull.shape)), ms(law.weibull.mean))
        if law.lognormal is not None:
            return self.add(Kind.LOGNORMAL, ms(law.lognormal.mean), check_cv(resolve(law.lognormal.cv)))
        if law.normal is not None:
            return self._normal(ms(law.normal.mean), ms(law.normal.sd), ms(law.normal.low))
        if law.discrete is not None:
            return self.discrete(
                [(ms(value), units.parse_share(resolve(share))) for value, share in law.discrete.items()]
            )
        if law.empirical is not None:
            values = sorted(ms(value) for value in law.empirical)
            return self.add(Kind.CONSTANT, values[0]) if len(values) == 1 else self.add(Kind.EMPIRICAL, *values)
        if law.mixture is not None:
            parts = [
                (float(self.written(part, resolve, working=working)), units.parse_share(resolve(part.share)))
                for part in law.mixture.values()
            ]
            return self.add(Kind.MIXTURE, *_cumulative(parts))
        if working:
            message = "a haul in a law of working days"
            raise ScenarioFault(message, remedy="Write all of it in wd, or none.")
        return self._haul(law, resolve)

    def _normal(self, mean: float, sd: float, low: float) -> int:
        if sd >= _SPREAD:
            return self.add(Kind.NORMAL, mean, sd, low)
        if mean < low:
            message = "a normal law without spread (sd 0) has no value above its low"
            raise ScenarioFault(message, remedy="Lower low, or raise mean or sd.")
        return self.add(Kind.CONSTANT, mean)

    def _haul(self, law: Law, resolve: Resolve) -> int:
        distance, speed = resolve(law.distance), resolve(law.speed)
        mean = units.parse(distance, "distance") / units.parse(speed, "speed") * units.HOUR
        if not mean < units.LARGEST:
            message = f"a haul of '{distance}' at '{speed}' takes longer than any run"
            raise ScenarioFault(message, remedy="Check the units: distances are in km or m, speeds in km/h.")
        if law.cv is None:
            return self.add(Kind.CONSTANT, mean)
        return self.add(Kind.LOGNORMAL, mean, check_cv(resolve(law.cv)))

    def discrete(self, parts: list[tuple[float, float]]) -> int:
        """Return the row of a discrete distribution, given (value, share) pairs."""
        return self.add(Kind.DISCRETE, *_cumulative(parts))

    def factor(self, factor: RandomFactor) -> int:
        """Return the row of the law of a random factor, whose values are plain numbers."""
        name, law = factor.law
        if name == "discrete":
            return self.discrete([(float(key), units.parse_share(mode_of(share))) for key, share in law.items()])
        if name == "normal":
            return self.add(Kind.NORMAL, law.mean, law.sd, law.low)
        if isinstance(law, list):
            values = sorted(law)
            return (
                self.add(Kind.CONSTANT, values[0]) if values[0] == values[-1] else self.add(Kind[name.upper()], *values)
            )
        if name == "exponential":
            return self.add(Kind.EXPONENTIAL, law.mean)
        first = (mode_of(law.shape),) if name in {"erlang", "weibull"} else ()
        last = (law.cv,) if name in {"gamma", "lognormal"} else ()
        return self.add(Kind[name.upper()], *first, law.mean, *last)

    def by_class(self, rows: list[int]) -> int:
        """Return the row of a distribution that differs by class; one row when it does not."""
        return rows[0] if len(set(rows)) == 1 else self.add(Kind.BY_CLASS, *rows)


def _cumulative(parts: list[tuple[float, float]]) -> list[float]:
    """
    Return value, cumulative share, value, cumulative share …; from the last part with a share on exactly 1.

    Raises ScenarioFault.
    """
    total = sum(share for _, share in parts)
    if abs(total - 1) > 1e-9:  # noqa: PLR2004
        message = f"the shares add up to {100 * total:.6g} %"
        raise ScenarioFault(message, remedy="They must add up to 100 %.")
    numbers: list[float] = []
    cumulative = 0.0
    for value, share in parts:
        cumulative += share
        numbers += [value, cumulative]
    last = max(part for part, (_, share) in enumerate(parts) if share > 0)
    for part in range(last, len(parts)):
        numbers[2 * part + 1] = 1.0
    return numbers
