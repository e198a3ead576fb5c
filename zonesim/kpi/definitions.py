"""
What each KPI means: the declarations of the library and of a scenario, statistic by statistic.

An id is `subject.quantity.statistic`. Subjects: a flow (`F1`), an entry of the traffic (or the group that it is told
with), a step of either (`bank.serve`), a gate direction (`TYP.lanes_in`), a resource (`TYP.officers`), a zone, or `all`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from zonesim.scenario import KpiDeclaration, load_catalogue
from zonesim.scenario.kpis import LATE, PLAIN_VALUE, KpiStatistic, Shown, ShownUnless, limit_of

SCOPES: Final = {
    "flow": "`FLOW` and `ENTRY`",
    "step": "`FLOW.STEP` and `ENTRY.STEP`",
    "gate": "`ZONE.LANES` (a direction of a gate)",
    "resource": "`ZONE.RESOURCE`",
    "account": "`ZONE.ACCOUNT`",
    "truth": "`all.TRUTH`",
    "zone": "`ZONE`",
    "all": "`all`",
}
"""Scopes in the order in which they are told, with what ids begin with."""

COMPUTED: Final = 9
"""
Version of how the numbers are computed from records, curves and samples among them. It is raised with every change of
`measure.py`, `folding.py` or `reducer.py` that changes or adds a number: stored numbers of other versions are not used again.
"""

_UNITS: Final = {
    "missing": "share",
    "share": "share",
    "rate": "share",
    "day": "/d",
    "late_day": "/d",
    "peak": "tokens",
    "end": "units",
}
_UNITS_OF: Final = {
    "inside mean": "tokens",
    "inside day": "h/d",
    "resource queue mean": "tokens",
    "resource backlog mean": "tokens",
    "resource busy day": "h/d",
    "account level mean": "units",
    "hours day": "h/d",
    "resource overtime value": "h",
    "run makespan value": "h",
    "run work first": "tokens",
    "run work last": "tokens",
    "cost day": "CNY/d",
}
_COUNTS: Final = {
    "time": "consignment",
    "time once": "consignment",
    "time within": "consignment",
    "stages": "consignment",
    "inside": "consignment",
    "recovery": "any token",
}
_ENGLISH: Final = {
    "mean": "{}, mean",
    "median": "{}, median",
    "missing": "{}, still missing",
    "late": "{}, late",
    "late_day": "{}, late per day",
    "longest": "{}, longest",
    "day": "{} per day",
}
_CHINESE: Final = {
    "mean": "{}均值",
    "median": "{}中位数",
    "missing": "{}未完成占比",
    "late": "{}超期占比",
    "late_day": "{}日均超期票数",
    "longest": "{}最长值",
    "day": "日均{}",
}
_CHINESE_UNITS: Final = {"ms": "毫秒", "s": "秒", "min": "分钟", "h": "小时", "d": "天"}


@dataclass(frozen=True)
class Definition:
    """
    What one statistic of a quantity means; headline rows are printed, all rows are written to files.

    `kind`: what is measured (`time`, `visits wait` …). `token`: what is counted. `unless`: a mark without which it is a
    headline. `better`: which way is good, `lower`, `higher` or `neither`. `control`: place among those that say what
    becomes of control, `order` among those shown where there is room for few (None: not among them).
    """

    scope: str
    quantity: str
    statistic: str
    kind: str
    unit: str
    token: str
    en: str
    zh: str
    meaning: str
    meaning_zh: str
    headline: bool = False
    unless: str = ""
    better: str = "neither"
    control: float | None = None
    order: float | None = None

    @property
    def group(self) -> tuple[str, str]:
        """
        Return what consignments are told by and the value that this tells of, such as `goods` and `food`; "" and ""
        where it is no KPI that is told by `each`.
        """
        return group_of(self.quantity)

    @property
    def what(self) -> str:
        """Return `quantity.statistic`, as it stands in ids."""
        return self.quantity if self.statistic == PLAIN_VALUE else f"{self.quantity}.{self.statistic}"


@dataclass(frozen=True)
class Quantity:
    """A declared KPI: its rule, and its definitions by statistic, in the order of the declaration."""

    name: str
    rule: KpiDeclaration
    definitions: dict[str, Definition]

    @cached_property
    def scope(self) -> str:
        """Return what it is told of."""
        return self.rule.where

    @property
    def told(self) -> tuple[Definition, ...]:
        """Return the definitions."""
        return tuple(self.definitions.values())

    @property
    def kind(self) -> str:
        """Return what is measured."""
        return self.rule.kind

    @property
    def group(self) -> tuple[str, str]:
        """Return what consignments are told by and the value that this tells of, see `Definition.group`."""
        return group_of(self.name)


def group_of(quantity: str) -> tuple[str, str]:
    """Return dimension and value of a quantity that is told by `each`, `dwell_by.goods.food`; "" and "" of others."""
    _, _, group = quantity.partition(".")
    dimension, dot, value = group.partition(".")
    return (dimension, value) if dot else ("", "")


def quantity_of(name: str, rule: KpiDeclaration) -> Quantity:
    """Return a declaration with what its statistics mean."""
    return Quantity(name, rule, {key: _definition(name, rule, key, own) for key, own in rule.statistics.items()})


@cache
def library() -> tuple[Quantity, ...]:
    """Return the KPIs of the library, scope after scope, each in its order."""
    return in_order(load_catalogue().kpis)


def in_order(declared: Iterable[tuple[str, KpiDeclaration]]) -> tuple[Quantity, ...]:
    """Return declarations as quantities, in the order in which scopes are told."""
    found = [quantity_of(name, rule) for name, rule in declared]
    return tuple(sorted(found, key=lambda each: list(SCOPES).index(each.scope)))


def definitions() -> tuple[Definition, ...]:
    """Return the definitions of the library."""
    return tuple(each for quantity in library() for each in quantity.definitions.values())


def way() -> tuple[str, ...]:
    """Return the marks between which the library tells stages, in their order."""
    return next((tuple(each.rule.stages.through) for each in library() if each.rule.stages is not None), ())


@cache
def table_version() -> str:
    """Return the version of the numbers: of their computing, and of what the library says that they are."""
    rows = [(quantity.name, quantity.rule.rule()) for quantity in library()]
    return f"{COMPUTED}-{hashlib.sha256(repr(rows).encode()).hexdigest()[:12]}"


def _definition(name: str, rule: KpiDeclaration, statistic: str, own: KpiStatistic) -> Definition:
    label = {**{str(key): text for key, text in rule.label.items()}}
    called = label.get("en") or label.get("zh") or name.replace("_", " ")
    meaning = {**rule.definition, **own.definition}
    shown = rule.headline if own.headline is None else own.headline
    english, chinese = _words(statistic)
    return Definition(
        scope=rule.where,
        quantity=name,
        statistic=statistic,
        kind=rule.kind,
        unit=_unit(rule, statistic),
        token=rule.counts or _counts(rule),
        en=own.label.get("en") or english.format(called),
        zh=own.label.get("zh") or chinese.format(label.get("zh") or called),
        meaning=meaning.get("en") or meaning.get("zh", ""),
        meaning_zh=meaning.get("zh") or meaning.get("en", ""),
        headline=shown is True,
        unless=_unless(shown),
        better=own.better or _better(rule, statistic),
        control=own.control,
        order=own.order,
    )


def _unless(shown: Shown) -> str:
    return shown.unless if isinstance(shown, ShownUnless) else ""


def _words(statistic: str) -> tuple[str, str]:
    """Return how a statistic of a quantity is called, with a place for the quantity."""
    limit = limit_of(statistic)
    if limit is not None:
        number, unit, _ = limit
        return f"{{}} within {number} {unit}", f"{{}}{number}{_CHINESE_UNITS[unit]}内占比"
    if statistic[0] == "p" and statistic[1:].isdigit():
        return f"{{}}, {statistic.upper()}", f"{{}}{statistic.upper()}"
    return _ENGLISH.get(statistic, "{}"), _CHINESE.get(statistic, "{}")


def _unit(rule: KpiDeclaration, statistic: str) -> str:
    known = _UNITS_OF.get(f"{rule.kind} {statistic}")
    if known is not None:
        return known
    if limit_of(statistic) is not None or statistic in {PLAIN_VALUE, LATE}:
        return "share"
    return _UNITS.get(statistic, rule.unit)


def _counts(rule: KpiDeclaration) -> str:
    if rule.where == "flow" and (rule.form == "share" or (rule.count is not None and rule.count.by == "consignment")):
        return "consignment"
    if rule.form in {"visits", "count", "truth"}:
        return "any token"
    return _COUNTS.get(rule.kind, "-")


def _better(rule: KpiDeclaration, statistic: str) -> str:
    """Return which way a statistic is good: a share within a time is so the other way round than the time."""
    if statistic == "missing" or (statistic == "day" and rule.time is not None):
        return "neither"
    if limit_of(statistic) is None:
        return rule.better
    return {"lower": "higher", "higher": "lower", "neither": "neither"}[rule.better]
