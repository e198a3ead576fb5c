"""What follows from random plans about what is caught and missed is what a simulation finds."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from tests.helper import kpis
from tests.properties.test_loads_agree import REPLICATIONS, is_stable, steady
from zonesim.faults import Faults, RunFault
from zonesim.kpi import RunResult
from zonesim.plan import QUANTITIES, Plan, control


def runs_with_the_first(plan: Plan) -> bool:
    """Return whether runs use the least of every lift, so that the first case is that of a run."""
    return all(look.lift[0] == look.lift[1] for look in plan.names.looks.values())


def disagrees(plan: Plan, results: list[RunResult]) -> str:
    """
    Return how what is expected a day lies outside of what was simulated, or nothing.

    Allowed are five standard errors and what few cases a day may be off by chance.
    """
    found = control(plan)
    if found is None:
        return ""
    expected = found.of("t0")
    for quantity in ("cases", "caught", "missed"):
        values = np.array([run.values.get(f"all.t0.{quantity}.day", math.nan) for run in results])
        if np.isnan(values).any():
            continue
        low, high = expected[QUANTITIES.index(quantity), :, 0]
        mean = float(values.mean())
        days = 3 * len(values)
        allowed = 5 * max(
            float(values.std(ddof=1)) / math.sqrt(len(values)), math.sqrt(max(high, mean) / days), 1 / days
        )
        if not low - allowed <= mean <= high + allowed:
            return f"{quantity}: {mean:.3f} ± {allowed:.3f} for {low:.3f} to {high:.3f}"
    return ""


@pytest.mark.parametrize(("first", "count"), [(7_129, 26), pytest.param(7_155, 175, marks=pytest.mark.slow)])
def test_control_of_random_models_agrees_with_runs(first, count):
    """
    In stable random models as many cases a day are caught and missed as their plans say, or between the bounds; most
    plans have truths, many of these known to a point.
    """
    wrong: list[str] = []
    kinds: Counter[str] = Counter()
    for seed in range(first, first + count):
        try:
            plan = steady(seed).plan
            if not plan.names.truths or not runs_with_the_first(plan):
                continue
            results = kpis(plan, replications=REPLICATIONS)
        except (RunFault, Faults):
            continue
        if not is_stable(results):
            continue
        found = control(plan)
        if found is not None:
            low, high = found.of("t0")[QUANTITIES.index("missed"), :, 0]
            kinds["known" if high - low < 1e-9 * max(high, 1) else "bounds"] += 1
        wrong += [f"model {seed}, {each}" for each in [disagrees(plan, results)] if each]

    assert wrong == []
    assert kinds["known"] >= count / 30
    assert kinds["bounds"] >= count / 30
