"""
How many replications are enough, for all arms at once, so that every difference to the baseline is known precisely.

Half of each paired interval is held against a share of the baseline's value (or of the difference), after every
replication: enough are those from which on the widest of all stays below it, over the next five as well (K. Hoad,
S. Robinson and R. Davies, Automated selection of the number of replications for a discrete-event simulation, Journal of
the Operational Research Society 61, 2010). So the number follows from the numbers alone, however many were run before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from zonesim.analysis.attribution import reasons_of
from zonesim.analysis.paired import LEVEL, student
from zonesim.analysis.precision import first_precise, looks_ahead, replications_for
from zonesim.experiment import CellTags, Design, Precision
from zonesim.plan import Floats


@dataclass(frozen=True)
class Width:
    """
    How precisely the difference of an arm in a KPI is known in a future: half its interval as a share of what it is
    held against, and how many replications it would take (0: these are enough). `reason`: why it is never known.
    """

    arm: str
    future: str
    kpi: str
    width: float
    needed: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Enough:
    """
    How many replications are enough, None where those that there are do not do; `widths`: what is known how precisely
    then, the widest first.
    """

    replications: int | None
    widths: tuple[Width, ...]

    def open(self, until: float) -> list[Width]:
        """Return what is not known precisely, though it could be."""
        return [each for each in self.widths if not each.reason and not each.width <= until]


Column = Callable[[str, str, str], Floats]
"""What a KPI (third) of an arm in a future is by replication, from 0 on: shape (replications,), nan: no value."""


def enough(
    design: Design,
    rule: Precision,
    replications: int,
    column: Column,
    withheld: Callable[[str, str, str], bool],
    tags: Mapping[tuple[str, str], CellTags],
) -> Enough:
    """
    Return whether so many replications are enough by a rule. `column`: the values of that many; `withheld`: whether a
    replication withholds a KPI, which then has no mean.
    """
    bounds = {kpi.id for kpi in design.kpis if kpi.bound}
    asked = [kpi for kpi in rule.kpis or design.reported if kpi not in bounds]
    others = [arm for arm in design.options if arm != design.baseline] or [design.baseline]
    series: list[tuple[str, str, str, Floats]] = []
    never: list[Width] = []
    for future in (each.name for each in design.futures):
        for arm in others:
            both = (design.baseline, arm)
            why = reasons_of({each: tags[each, future] for each in both})
            for kpi in asked:
                base, own = (column(each, future, kpi)[:replications] for each in both)
                reason = why(kpi) or ("missing" if any(withheld(each, future, kpi) for each in both) else "")
                held = base if rule.of == "baseline" or arm == design.baseline else own - base
                found = relative_widths(own if arm == design.baseline else own - base, held, design.level)
                if not reason and math.isnan(found[-1]):
                    reason = "no value" if np.isnan(own).all() or np.isnan(base).all() else "zero"
                if reason:
                    never.append(Width(arm, future, kpi, math.nan, reason=reason))
                else:
                    series.append((arm, future, kpi, found))
    if not series:
        return Enough(rule.at_least, tuple(never))
    widest = np.max([np.where(np.isnan(each), math.inf, each) for *_, each in series], axis=0)
    widest[: rule.at_least - 1] = math.inf
    count = first_precise(widest.tolist(), rule.until)
    last = replications if count is None else count + looks_ahead(count, 5)
    widths = [
        Width(arm, future, kpi, float(each[last - 1]), _needed(float(each[last - 1]), last, rule.until, design.level))
        for arm, future, kpi, each in series
    ]
    widths.sort(key=lambda each: -each.width)
    return Enough(None if count is None else last, (*widths, *never))


def relative_widths(values: Floats, held: Floats, level: float = LEVEL) -> Floats:
    """
    Return, for the first one, two, three … replications, half the interval of the mean of `values` over the mean of
    `held`, shape (replications,): nan where fewer than two have a value or that mean is 0, unless the interval is 0.
    """
    known = ~(np.isnan(values) | np.isnan(held))
    n = np.cumsum(known)
    own = np.where(known, values, 0.0)
    shift = own[known][0] if known.any() else 0.0  # squares of small differences to it lose no digits
    apart = np.where(known, own - shift, 0.0)
    first, second = np.cumsum(apart), np.cumsum(apart * apart)
    found = np.full(len(values), math.nan)
    means = np.cumsum(np.where(known, held, 0.0))
    for at in np.flatnonzero(n > 1):
        count = int(n[at])
        variance = max(float(second[at] - first[at] ** 2 / count) / (count - 1), 0.0)
        half = student(count - 1, level) * math.sqrt(variance / count)
        mean = abs(float(means[at])) / count
        found[at] = half / mean if mean else (0.0 if half == 0 else math.nan)
    return found


def _needed(width: float, count: int, until: float, level: float) -> int:
    """Return how many replications it takes to bring half an interval down to `until`; 0 where these are enough."""
    if width <= until:
        return 0
    spread = width * math.sqrt(count) / student(count - 1, level)
    return replications_for(spread, until, level)


def next_replications(found: Enough, rule: Precision, replications: int) -> int:
    """
    Return how many replications to look at next where these are not enough: as many as the widest interval is likely
    to need, but no more than four times as many at once.
    """
    needed = max((each.needed for each in found.open(rule.until)), default=replications)
    likely = needed + looks_ahead(needed, 5)
    return min(rule.at_most, max(replications + 5, min(likely, 4 * replications)))
