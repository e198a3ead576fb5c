"""The words of experiments/README.md: numbers of a stored table as people read them, and claims that must be true."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from jinja2 import Environment, StrictUndefined

SECONDS: Final = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
MINUS: Final = "−"


class FalseClaim(Exception):
    """A sentence of the page is not what the numbers say."""


@dataclass(frozen=True)
class Number:
    """A value of a table with its interval, in the unit in which it is told."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Number:
        """Return it in another unit."""
        return Number(self.value * factor, self.low * factor, self.high * factor)

    def overlaps(self, other: Number) -> bool:
        """Return whether the intervals of two numbers have something in common."""
        return self.low <= other.high and other.low <= self.high

    @property
    def half(self) -> float:
        """Half of the interval's width."""
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Table:
    """A stored table: rows of texts by column. `at`, `less`, `more` and `by` read the results of a sweep."""

    name: str
    rows: Sequence[Mapping[str, str]]

    def row(self, **where: str) -> Mapping[str, str]:
        """Return the one row in which columns have these texts; raises FalseClaim where there is none, or several."""
        found = [row for row in self.rows if all(row[column] == text for column, text in where.items())]
        if len(found) != 1:
            raise FalseClaim(f"{self.name}: {len(found)} rows with {where}")
        return found[0]

    def number(self, column: str = "value", unit: str = "", **where: str) -> float:
        """Return a number of the one row with these texts, a time in `unit`, a share in points of 100."""
        row = self.row(**where)
        return float(row[column] or "nan") * _factor(row.get("unit", ""), unit)

    def count(self, **where: str) -> int:
        """Return how many rows have these texts."""
        return sum(all(row[column] == text for column, text in where.items()) for row in self.rows)

    def level(self, arm: str, kpi: str, future: str | None = None, unit: str = "") -> Number:
        """Return the value of a KPI in an arm and a future (None: the first of the table)."""
        return self._number(arm, kpi, future, unit, ("value", "low", "high"))

    def change(self, arm: str, kpi: str, future: str | None = None, unit: str = "") -> Number:
        """Return the paired difference of an arm to the baseline."""
        return self._number(arm, kpi, future, unit, ("difference", "diff_low", "diff_high"))

    def at(self, arm: str, kpi: str, future: str | None = None, unit: str = "", digits: int = 3) -> str:
        """Return a value: `20.3`."""
        return number(self.level(arm, kpi, future, unit).value, digits)

    def less(self, arm: str, kpi: str, future: str | None = None, unit: str = "") -> str:
        """Return by how much an arm is surely below the baseline: `16.5 ± 1.5`."""
        found = self.change(arm, kpi, future, unit)
        if not found.high < 0:
            raise FalseClaim(f"{self.name}: {kpi} of {arm} in {future} is not surely less: {found}")
        return with_half(Number(-found.value, -found.high, -found.low))

    def more(self, arm: str, kpi: str, future: str | None = None, unit: str = "") -> str:
        """Return by how much an arm is surely above the baseline: `0.9 ± 0.4`."""
        found = self.change(arm, kpi, future, unit)
        if not found.low > 0:
            raise FalseClaim(f"{self.name}: {kpi} of {arm} in {future} is not surely more: {found}")
        return with_half(found)

    def by(self, arm: str, kpi: str, future: str | None = None, unit: str = "") -> str:
        """Return a difference that is sure or not: `−63 ± 558`."""
        return with_half(self.change(arm, kpi, future, unit))

    def unsure(self, arm: str, kpi: str, future: str | None = None) -> bool:
        """Return whether the interval of a difference holds 0."""
        found = self.change(arm, kpi, future)
        return found.low <= 0 <= found.high

    def immaterial(self, kpi: str) -> bool:
        """Return whether no arm changes a KPI by 1 % surely."""
        return all(
            row["tag"] == "not material" or self.unsure(row["arm"], kpi)
            for row in self.rows
            if row["kpi"] == kpi and row["difference"]
        )

    def band(self, arm: str, kpi: str, future: str | None = None, unit: str = "") -> str:
        """Return the bounds of what is known of a KPI that is a band: `74 to 97`."""
        row = self._row(arm, kpi, future)
        return _bounds(row, "low", "high", unit)

    def change_band(self, arm: str, kpi: str, future: str | None = None, unit: str = "") -> str:
        """Return the bounds of a difference: `−0.85 to 5.6`."""
        return _bounds(self._row(arm, kpi, future), "diff_low", "diff_high", unit)

    def additional(self, arm: str, kpi: str, future: str | None = None, unit: str = "") -> str:
        """Return the bounds of a difference that is surely above 0: `0.2 to 3`."""
        row = self._row(arm, kpi, future)
        if not float(row["diff_low"]) > 0:
            raise FalseClaim(f"{self.name}: {kpi} of {arm} is not surely more")
        return _bounds(row, "diff_low", "diff_high", unit)

    def fewer(self, arm: str, kpi: str, future: str | None = None, unit: str = "") -> str:
        """Return the bounds of a difference that is surely below 0, turned round: `1.2 to 15`."""
        row = self._row(arm, kpi, future)
        if not float(row["diff_high"]) < 0:
            raise FalseClaim(f"{self.name}: {kpi} of {arm} is not surely less")
        factor = -_factor(row["unit"], unit)
        return f"{number(factor * float(row['diff_high']), 2)} to {number(factor * float(row['diff_low']), 2)}"

    def part(self, measure: str, kpi: str, unit: str = "") -> str:
        """Return what a measure contributes by Shapley to what the package takes away: `35.5 ± 0.6`."""
        row = self.row(kpi=kpi, measure=measure, quantity="shapley")
        value, low, high = (float(row[column]) for column in ("difference", "diff_low", "diff_high"))
        return with_half(Number(-value, -high, -low).times(_factor(row["unit"], unit)))

    def moved(self, number: str, quantity: str, unit: str) -> str:
        """Return what a doubted number does to a KPI by a tornado (`swing`), or the KPI at an end, without its sign."""
        row = self.row(number=number, quantity=quantity)
        found = Number(*(float(row[column]) for column in ("value", "low", "high")))
        told = found.times(_factor(row["unit"], unit) * (1 if found.value > 0 else -1))
        return with_half(Number(told.value, min(told.low, told.high), max(told.low, told.high)))

    def holds_zero(self, number: str, quantity: str) -> bool:
        """Return whether the interval of a KPI at an end of a doubted number holds 0."""
        row = self.row(number=number, quantity=quantity)
        return float(row["low"]) <= 0 <= float(row["high"])

    def best_change(self) -> str:
        """Return by how much the best arm is below the baseline: `47.8 ± 1.0`."""
        row = self.row(state="best")
        value, low, high = (float(row[column]) for column in ("difference", "diff_low", "diff_high"))
        return with_half(Number(-value, -high, -low))

    def carries(self, arm: str) -> str:
        """Return how many times its demand an arm carries: `1.04 times its demand (1.02 to 1.05)`."""
        row = self.row(arm=arm)
        value, low, high = (number(float(row[column])) for column in ("multiple", "low", "high"))
        return f"{value} times its demand ({low} to {high})"

    def grows(self, arm: str, kpi: str, future: str | None = None) -> bool:
        """Return whether a KPI of an arm has no value, for it depends on the run length."""
        return self._row(arm, kpi, future)["tag"] == "grows"

    def _row(self, arm: str, kpi: str, future: str | None) -> Mapping[str, str]:
        return self.row(arm=arm, kpi=kpi, future=self.rows[0]["future"] if future is None else future)

    def _number(self, arm: str, kpi: str, future: str | None, unit: str, columns: Sequence[str]) -> Number:
        row = self._row(arm, kpi, future)
        value, low, high = (float(row[column] or "nan") for column in columns)
        found = Number(value, low, high).times(_factor(row["unit"], unit))
        if math.isnan(found.low):
            raise FalseClaim(f"{self.name}: {kpi} of {arm} in {future} has no value")
        return found


def number(value: float, digits: int = 3) -> str:
    """Return a number with so many digits that count: `20.3`, `3,323`, `−0.9`."""
    places = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
    return _signed(round(value, places), places)


def with_half(found: Number) -> str:
    """Return a number with half of its interval, both to the place of the second digit of the half: `16.5 ± 1.5`."""
    places = max(0, 1 - math.floor(math.log10(found.half))) if found.half else 2
    return f"{_signed(found.value, places)} ± {_signed(found.half, places)}"


def sure(claim: bool) -> str:  # noqa: FBT001  it reads as a sentence in the template
    """Return nothing to be written where a claim is true; raises FalseClaim where it is not."""
    if not claim:
        raise FalseClaim("a claim of the page is not true")
    return ""


def environment() -> Environment:
    """Return how the page is filled in: a name that is not there is a fault."""
    found = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701
    found.globals |= {"sure": sure, "number": number}
    return found


def _bounds(row: Mapping[str, str], low: str, high: str, unit: str) -> str:
    factor = _factor(row["unit"], unit)
    return f"{number(factor * float(row[low]), 2)} to {number(factor * float(row[high]), 2)}"


def _signed(value: float, places: int) -> str:
    return f"{value:,.{places}f}".replace("-", MINUS)


def _factor(unit: str, wanted: str) -> float:
    """Return by what a number in `unit` is multiplied to be told in `wanted`; shares are told in points of 100."""
    if unit == "share":
        return 100.0
    return SECONDS[unit] / SECONDS[wanted] if wanted else 1.0
