"""
Who gains: what an arm changes for each group of goods and each gate, and whether that differs from what it changes for
all of them.

Groups are zones, credit classes and sizes of firms, and values of attributes; a group has the same consignments in
every arm, so that differences are paired group by group.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from zonesim.analysis.effects import NO_DIFFERENCE, Comparison
from zonesim.analysis.paired import Difference, Interval, interval, paired
from zonesim.kpi import Kpi
from zonesim.scenario.fields import EVERYTHING

ZONE: Final = "zone"
GATE: Final = "gate"
ALL: Final = "all"
"""Dimensions that no consignment has by itself: the zone, the direction of a gate, and no group at all."""

FEWEST: Final = 30
"""Consignments or passages in all replications below which a group is too small to say anything of: a convention."""

FEW: Final = "few"
"""Tag of a group with fewer."""

_BY: Final = "_by"
_MEAN: Final = "mean"
_CASES: Final = "day"

Column = Callable[[str, str], Sequence[float]]
"""By arm and KPI the values by replication, nan where there is none."""


@dataclass(frozen=True)
class Gain:
    """
    What an arm changes for a group: `by` what it is one, such as `class`, and its `value`, such as `AEO`; `subject`:
    the flow whose goods are meant, or `all`.

    `base` and `own`: the mean time in the baseline and in the arm; `difference`: paired. `apart`: the difference of the
    group less that of all that it is part of, paired likewise (nan: not known). `cases`: how many consignments or
    passages a day the mean is of in the baseline. `tag`: that of the effect, or `few`.
    """

    arm: str
    kpi: str
    by: str
    value: str
    subject: str
    base: Interval
    own: Interval
    difference: Difference
    apart: Difference
    cases: float
    tag: str
    better: str

    @property
    def relative(self) -> float:
        """Return the difference as a share of the baseline; nan where there is none."""
        return self.difference.value / abs(self.base.value) if self.base.value else math.nan

    @property
    def differs(self) -> bool:
        """Return whether the group gains clearly more or less than all that it is part of."""
        return self.tag != FEW and (self.apart.low > 0 or self.apart.high < 0)

    @property
    def loses(self) -> bool:
        """Return whether the group is clearly worse off than in the baseline."""
        return self.tag != FEW and self.difference.change(self.better) == "worse"


def gains(comparison: Comparison, kpis: Sequence[Kpi], column: Column, days: float) -> tuple[Gain, ...]:
    """
    Return what every arm but the baseline changes for every group, arm by arm in the order of the KPIs: whole groups of
    goods first, then those of each flow, then gates. `days`: of the measured window.
    """
    effects = {(effect.arm, effect.kpi): effect for effect in comparison.effects}
    known = {kpi.id for kpi in kpis}
    grouped = sorted(_grouped(kpis), key=lambda each: (each[1] == GATE, each[3] != EVERYTHING))
    found = []
    for arm in (name for name in comparison.arms if name != comparison.baseline):
        given = {effect.kpi for effect in comparison.effects if effect.arm == arm and effect.difference.n}
        for kpi, by, value, subject in grouped:
            effect, head = effects[arm, kpi.id], f"{kpi.subject}.{kpi.definition.quantity}"
            whole, cases = _whole(kpi, by), _cases(f"{head}.{_CASES}", kpi, known)
            count = interval(column(comparison.baseline, cases), comparison.level) if cases else None
            seen = math.nan if count is None else count.value
            few = seen * days * len(column(comparison.baseline, kpi.id)) < FEWEST
            found.append(
                Gain(
                    *(arm, kpi.id, by, value, subject),
                    comparison.arms[comparison.baseline][kpi.id],
                    comparison.arms[arm][kpi.id],
                    effect.difference,
                    _apart(comparison, arm, kpi.id, whole, column) if {kpi.id, whole} <= given else NO_DIFFERENCE,
                    seen,
                    FEW if few and not effect.tag else effect.tag,
                    kpi.definition.better,
                )
            )
    return tuple(found)


def _grouped(kpis: Sequence[Kpi]) -> Iterator[tuple[Kpi, str, str, str]]:
    """Yield the mean times of groups, each with dimension, value and subject; of a single zone there are none."""
    means = [kpi for kpi in kpis if kpi.definition.statistic == _MEAN and kpi.definition.kind == "time"]
    several = len({kpi.subject for kpi in means if kpi.definition.scope == ZONE}) > 1
    for kpi in means:
        by, value = kpi.definition.group
        if by:
            yield kpi, by, value, kpi.subject
        elif kpi.definition.scope == EVERYTHING:
            yield kpi, ALL, EVERYTHING, EVERYTHING
        elif several and kpi.definition.scope == ZONE:
            yield kpi, ZONE, kpi.subject, EVERYTHING
        elif several and kpi.definition.scope == GATE and kpi.headline:
            yield kpi, GATE, kpi.subject, EVERYTHING


def _whole(kpi: Kpi, by: str) -> str:
    """Return the id of what a group is part of: `NAME` of the same subject for `NAME_by`, that of all for a zone."""
    if by in {ALL, GATE}:
        return ""
    name = kpi.definition.quantity.partition(".")[0].removesuffix(_BY)
    return f"{EVERYTHING if by == ZONE else kpi.subject}.{name}.{_MEAN}"


def _cases(own: str, kpi: Kpi, known: set[str]) -> str:
    """Return the KPI that says how many a mean is of, empty where there is none."""
    at_gate = f"{kpi.subject}.passes.{_CASES}"
    return next((each for each in (own, at_gate if kpi.definition.scope == GATE else "") if each in known), "")


def _apart(comparison: Comparison, arm: str, group: str, whole: str, column: Column) -> Difference:
    """Return the paired difference of a group less that of the whole."""
    changes = [
        [after - before for before, after in zip(column(comparison.baseline, kpi), column(arm, kpi), strict=True)]
        for kpi in (whole, group)
    ]
    return paired(changes[0], changes[1], comparison.level)
