"""Figures without a run: contexts of made-up numbers in the typical zone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from tests.helper import ROOT
from zonesim.analysis import compare
from zonesim.briefing.figures.comparison import FigureContext
from zonesim.briefing.text.words import Language
from zonesim.kpi import Kpi, RunResult, catalogue
from zonesim.plan import compile_plan
from zonesim.policy import ResolvedArm, ResolvedTree, arms_for, load_world, resolve
from zonesim.units import HOUR

TYPICAL = ROOT / "scenarios" / "typical_zone.yaml"
NAN = float("nan")


def world_with(change: Callable[[ResolvedTree], None] | None = None) -> ResolvedTree:
    """Return the typical zone, changed."""
    world = load_world(TYPICAL)
    if change is not None:
        change(world)
    return world


def resolved(world: ResolvedTree, names: Sequence[str] | None = None) -> dict[str, ResolvedArm]:
    """Return the arms of a comparison; without names the baseline and the measures 10 and 11 together."""
    arms = arms_for(world, names or ["10", "11"])
    return {arm.name: resolve(world, arm) for arm in (arms if names else [arms[0], arms[-1]])}


@cache
def ordinary() -> dict[str, ResolvedArm]:
    """Return the baseline and the measures 10 and 11 together in the typical zone."""
    return resolved(world_with())


@cache
def kpis() -> tuple[Kpi, ...]:
    """Return the KPIs of the typical zone."""
    return catalogue(compile_plan(ordinary()["R1"]))


def made_up(
    arms: Mapping[str, ResolvedArm],
    *,
    n: int = 3,
    scale: float = 1.0,
    curves: bool = True,
    missing: float = 0.0,
    language: Language = "en",
) -> FigureContext:
    """Return a context of numbers that differ by KPI, arm and replication, all times `scale`."""
    results: dict[str, list[RunResult]] = {}
    for place, arm in enumerate(arms):
        results[arm] = []
        for replication in range(n):
            values = {
                kpi.id: missing
                if kpi.id.endswith(".missing")
                else scale * (1 + len(kpi.id) % 7 + replication / (1 + place))
                for kpi in kpis()
            }
            spread = np.linspace(0.2, 60.0 / (1 + place), 200) * scale * HOUR
            samples = {f"{flow}.dwell": spread.astype(np.int64) for flow in ("F1", "F5", "F4b", "visit")}
            open_ = np.full(round(200 * missing / (1 - missing)) if missing > 0 else 0, 100 * HOUR)
            samples |= {f"{name}_open": open_ for name in list(samples)}
            day = scale * (1 + np.sin(np.arange(24) / 4) + replication)
            found = {f"TYP.{lanes}.{what}": day for lanes in ("lanes_in", "lanes_out") for what in ("queue", "pass")}
            week = scale * (1 + np.sin(np.arange(168) / 9) + replication)
            found |= {f"TYP.{name}": week for name in ("lanes_in.queue_week", "lanes_out.queue_week", "yard.busy_week")}
            results[arm].append(RunResult(values, found if curves else {}, samples))
    return FigureContext(arms, results, compare(results, [kpi.id for kpi in kpis()]), kpis(), seed=1, language=language)
