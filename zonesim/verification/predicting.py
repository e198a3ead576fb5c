"""What the model says of published pairs: at the modes of all doubts, and over a sample of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from zonesim.analysis import Range, range_of
from zonesim.experiment import Design, Execution, drawn, read_design, run_arms
from zonesim.faults import Place, RunFault, UnknownName, suggest
from zonesim.verification.pairs import Pair

FUTURES = 100
"""How many futures a range is taken over."""


@dataclass(frozen=True)
class Prediction:
    """What the model says of a pair: with all doubts at their modes, and its range over a sample (n 0: none)."""

    pair: Pair
    mode: float
    range: Range

    @property
    def inside(self) -> bool:
        """Return whether the published figure agrees with the range (see `Published.holds`)."""
        return self.pair.published.holds(self.range.low, self.range.high)


def predict(pairs: Sequence[Pair], folder: Path, how: Execution, futures: int = FUTURES) -> list[Prediction]:
    """
    Return the predictions of pairs, those of one experiment from the same runs; `futures`: of each sample the first so
    many, 0 for the modes alone. Raises Faults for an experiment that is wrong, RunFault where a replication fails.
    """
    found: dict[str, Prediction] = {}
    for file, group in groupby(sorted(pairs, key=lambda pair: pair.experiment), key=lambda pair: pair.experiment):
        members = list(group)
        design = read_design(folder / file, (), sample=futures)
        means = _means(design, how, sorted({kpi for pair in members for kpi in (*pair.kpis, *pair.minus)}))
        found |= {pair.id: _prediction(pair, design, means) for pair in members}
    return [found[pair.id] for pair in pairs]


def _means(design: Design, how: Execution, kpis: Sequence[str]) -> dict[tuple[str, str], dict[str, float]]:
    """Return KPIs by arm and future, each the mean over replications; nan where one has no value."""
    known = [kpi.id for kpi in design.kpis]
    for kpi in kpis:
        if kpi not in known:
            raise UnknownName(f"no KPI '{kpi}'", Place(str(design.file)), suggest(kpi, known, "KPIs"))
    runs = run_arms(
        design.plans(),
        seed=design.seed,
        replications=design.replications,
        how=how,
        offset=design.offset,
        only=frozenset(kpis),
    )
    if runs.interrupted:
        raise KeyboardInterrupt
    for failures in runs.failures.values():
        for failure in failures:
            raise RunFault(failure.message)
    return {
        pair: {
            kpi: float(np.mean([run.values.get(kpi, math.nan) for _, run in sorted(results.items())])) for kpi in kpis
        }
        for pair, results in runs.results.items()
    }


def _prediction(pair: Pair, design: Design, means: Mapping[tuple[str, str], Mapping[str, float]]) -> Prediction:
    others = [name for name in design.options if name != design.baseline]
    arm = pair.arm or (others[0] if others else design.baseline)
    sample = [future for future in design.futures if future.sample]
    low, mode, high = pair.times or [1.0, 1.0, 1.0]
    factors = [row["times"] for row in drawn({"times": (low, mode, high)}, len(sample))]
    found = [_value(pair, arm, design.baseline, means, each.name) for each in sample]
    first = _value(pair, arm, design.baseline, means, design.futures[0].name)
    return Prediction(
        pair,
        mode * first / pair.per,
        range_of(factor * value / pair.per for factor, value in zip(factors, found, strict=True)),
    )


def _value(
    pair: Pair, arm: str, baseline: str, means: Mapping[tuple[str, str], Mapping[str, float]], future: str
) -> float:
    """Return what a pair is about in a future, before its factor: level, difference, or per cent of the baseline."""
    own, base = (
        sum(means[name, future][kpi] for kpi in pair.kpis) - sum(means[name, future][kpi] for kpi in pair.minus)
        for name in (arm, baseline)
    )
    if pair.form == "level":
        return own
    if pair.form == "difference":
        return own - base
    return 100 * (own / base - 1) if base else math.nan
