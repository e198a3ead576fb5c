"""An arm of a scenario in futures of its doubted numbers: what `sources` and `sensitivity` are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from zonesim.analysis import Sensitivity, tornado
from zonesim.experiment import SHARED, Execution, Factor, Future, Store, factors_of
from zonesim.faults import Place, UnknownName, suggest
from zonesim.jobs.trials import Trials, Tried
from zonesim.kpi import Kpi, RunResult, catalogue
from zonesim.plan import Floats, Plan, compile_plan
from zonesim.policy import (
    Arm,
    Entry,
    ResolvedArm,
    ResolvedTree,
    arm_named,
    baseline,
    edit_entries,
    flows_in_use,
    open_world,
    register,
    resolve,
)

BATCH: Final = 100
"""So many futures are compiled and run at a time, so that what is finished is soon kept, and memory is bounded."""


@dataclass
class Doubted:
    """
    An arm of a scenario with the numbers that nobody is sure of.

    Its KPIs are those of the baseline, or where `arm` has measures the difference to the baseline, replication by
    replication under the same luck.
    """

    world: ResolvedTree
    arm: Arm
    factors: list[Factor]
    plan: Plan
    trials: Trials
    columns: dict[tuple[str, str], dict[str, Floats]] = field(default_factory=dict)
    """By arm and name of the future, KPIs that were asked for: shape (replications,)."""
    as_written: dict[str, Sequence[RunResult]] = field(default_factory=dict)
    """By arm the runs with every number at its mode."""

    @property
    def is_difference(self) -> bool:
        """Return whether numbers are differences to the baseline."""
        return len(self.trials.arms) > 1

    @property
    def kpis(self) -> dict[str, Kpi]:
        """Return the KPIs of the baseline by id."""
        return {kpi.id: kpi for kpi in catalogue(self.plan)}

    def run(self, futures: Sequence[Future], kpis: Sequence[str]) -> None:
        """
        Run what the store does not have of some futures, a batch at a time, and keep some KPIs of all: nan where one is
        withheld, and everywhere in a future in which a line grows by its loads.
        """
        for first in range(0, len(futures), BATCH):
            found = self.trials.run(dict.fromkeys(self.trials.arms, futures[first : first + BATCH]))
            for (arm, future), tried in found.items():
                self.columns[arm, future] = {kpi: _column(tried, kpi, self.trials.replications) for kpi in kpis}
                if future == Future().name:
                    self.as_written[arm] = tried.runs

    def values(self, kpi: str, future: Future) -> Floats:
        """Return a KPI in a future that was run, shape (replications,), nan where there is none."""
        base, arm = (self.columns[name, future.name][kpi] for name in (next(iter(self.trials.arms)), self.arm.name))
        return arm - base if self.is_difference else arm

    def tornado(self, kpis: Sequence[str], level: float) -> list[Sensitivity]:
        """Return what KPIs do where each number is at its low and at its high end, one at a time."""
        ends = {factor.name: factor.ends() for factor in self.factors}
        self.run([Future(), *(future for pair in ends.values() for future in pair)], kpis)

        def told(kpi: str) -> Sensitivity:
            values = {name: (self.values(kpi, low), self.values(kpi, high)) for name, (low, high) in ends.items()}
            return tornado(kpi, self.values(kpi, Future()), values, level)

        return [told(kpi) for kpi in kpis]

    def check_kpi(self, kpi: str, option: str) -> None:
        """Raise UnknownName for a KPI that the baseline does not have."""
        if kpi not in self.kpis:
            raise UnknownName(f"no KPI '{kpi}'", Place(option), suggest(kpi, self.kpis, "KPIs"))


def doubted(
    file: Path,
    settings: Sequence[str],
    arm: str,
    *,
    replications: int,
    seed: int,
    how: Execution,
    out: Path,
    measures: bool = False,
) -> Doubted:
    """
    Return an arm of a file with its doubted numbers, `measures`: the parameters of its measures among them, but for
    those that the arm itself says. Raises Faults.
    """
    world = open_world(file, settings)
    chosen, base = arm_named(world, arm), baseline(world)
    arms: Mapping[str, Arm] = {each.name: each for each in ([base, chosen] if chosen.measures else [base])}
    said = {("measures", each.measure, key) for each in chosen.measures for key, _ in each.params}
    factors = [
        factor
        for factor in factors_of(world, [each.measure for each in chosen.measures] if measures else ())
        if factor.path not in said
    ]
    trials = Trials(file, world, arms, settings, seed, replications, how, Store.below(out, SHARED))
    return Doubted(world, chosen, factors, compile_plan(resolve(world, base)), trials)


def _column(tried: Tried, kpi: str, replications: int) -> Floats:
    if tried.loaded:
        return np.full(replications, math.nan)
    return np.array([math.nan if kpi in run.withheld else run.values.get(kpi, math.nan) for run in tried.runs])


def numbers_of(arm: ResolvedArm) -> list[Entry]:
    """Return the numbers of the world as the arm finds it, then those that its measures bring."""
    used = flows_in_use(arm.world)
    brought = [each for each in edit_entries(arm) if each.path[0] != "library" or each.path[1] in used]
    return [*register(arm.world, used), *brought]


def kinds_of(entries: Sequence[Entry]) -> dict[str, str]:
    """Return by path where numbers come from: `found`, `derived` or `assumed`."""
    return {entry.dotted: entry.kind for entry in entries}


def kind_of(factor: str, kinds: Mapping[str, str]) -> str:
    """Return where a doubted number comes from: as the first number at its path or below; `assumed` where none is."""
    return next((kind for name, kind in kinds.items() if f"{name}.".startswith(f"{factor}.")), "assumed")
