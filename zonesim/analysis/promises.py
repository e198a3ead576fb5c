"""Promises: what a KPI must not exceed, or must reach, as people write it, in the unit of the KPI."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from zonesim import units
from zonesim.faults import Place, ScenarioFault, UnitFault, UnknownName, suggest
from zonesim.kpi import Kpi

_WRITTEN: Final = re.compile(r"\s*(\S+?)\s*(<=|>=|≤|≥)\s*(.+?)\s*")
_SPANS: Final = ("ms", "s", "min", "h", "d")


@dataclass(frozen=True)
class Promise:
    """
    A KPI and its limit: at most `limit` where `most`, else at least, in the unit of the KPI.

    `name`: what people call it: that of the scenario, or what was written. `label`: by language.
    """

    name: str
    kpi: str
    limit: float
    most: bool
    unit: str
    label: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """Return it as it is written: `TYP.lanes_in.pass.p95 <= 30 min`."""
        shown, unit = (100 * self.limit, "%") if self.unit == "share" else (self.limit, self.unit)
        return f"{self.kpi} {'<=' if self.most else '>='} {shown:.6g} {unit}".rstrip()

    def called(self, language: str) -> str:
        """Return what people call it in a language."""
        return dict(self.label).get(language) or self.name

    def holds(self, value: float) -> bool:
        """Return whether a value keeps it; one that is not given does not."""
        return value <= self.limit if self.most else value >= self.limit


def written_promise(text: str, kpis: Mapping[str, Kpi]) -> Promise:
    """Return the promise of `--promise 'KPI <= 30 min'`; raises ScenarioFault: no promise, or none of a KPI here."""
    place = Place(f"--promise {text}")
    found = _WRITTEN.fullmatch(text)
    if found is None:
        remedy = "Write 'TYP.lanes_in.pass.p95 <= 30 min'."
        raise ScenarioFault("expected KPI <= LIMIT, or KPI >= LIMIT", place, remedy)
    return promise(text.strip(), found[1], found[3], most=found[2] in "<=≤", kpis=kpis, place=place, at=place)


def promise(
    name: str,
    kpi: str,
    limit: Any,  # noqa: ANN401  as a file has it
    *,
    most: bool,
    kpis: Mapping[str, Kpi],
    place: Place,
    at: Place,
    label: tuple[tuple[str, str], ...] = (),
) -> Promise:
    """
    Return a promise; `place` is where the KPI is named, `at` where the limit stands.

    Raises UnknownName with the nearest ids for a KPI that no arm has, UnitFault for a limit in another unit than its
    own, and ScenarioFault for a bound, which no run measures.
    """
    if kpi not in kpis:
        raise UnknownName(f"no KPI '{kpi}' in any arm", place, suggest(kpi, kpis))
    known = kpis[kpi]
    if known.bound:
        raise ScenarioFault(f"'{kpi}' is a bound, which no run measures", place, "Promise what is measured.")
    try:
        value = in_unit(limit, known.unit)
    except UnitFault as fault:
        raise fault.at(at) from None
    return Promise(name, kpi, value, most, known.unit, label)


def in_unit(limit: Any, unit: str) -> float:  # noqa: ANN401
    """Return a limit in the unit of a KPI; raises UnitFault."""
    if unit in _SPANS:
        return units.parse(limit, "duration") / units.UNITS["duration"][unit]
    if unit == "share":
        return units.parse_share(limit)
    text = str(limit).strip()
    number = text.removesuffix(unit).strip()
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if isinstance(limit, bool) or not math.isfinite(value):
        fault = f"expected a number of {unit}, found {units.describe(limit)}"
        raise UnitFault(fault, remedy=f"Write '12 {unit}'.")
    return value
