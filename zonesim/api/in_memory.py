"""Runs in memory as the doubts beside a comparison are read from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from zonesim.experiment import BesideInfo, CellTags, Design, Runs

Pair = tuple[str, str]


class InMemory:
    """What was run of a design, as `zonesim.analysis.beside.Ran` asks for it."""

    def __init__(self, design: Design, runs: Runs[Pair], tags: Mapping[Pair, CellTags]) -> None:
        self._design, self._runs, self._tags = design, runs, tags
        self._common: dict[str, list[int]] = {}

    @property
    def baseline(self) -> str:
        """Return the arm that differences are taken to."""
        return self._design.baseline

    @cached_property
    def beside(self) -> dict[str, BesideInfo]:
        """Return what was run beside the first future, by name."""
        return {
            each.name: BesideInfo(
                each.name,
                each.doubt,
                each.end,
                dict(each.label),
                tuple((own.path, own.text, own.number) for own in (each.future.settings if each.future else ())),
            )
            for each in self._design.beside
        }

    def common(self, future: str) -> list[int]:
        """Return the replications that every arm has finished."""
        if future not in self._common:
            done = [set(self._runs.finished[arm, future]) for arm in self._design.options]
            self._common[future] = sorted(set.intersection(*done))
        return self._common[future]

    def column(self, arm: str, future: str, kpi: str) -> NDArray[np.float64]:
        """Return a KPI by replication (those in `common`), nan where it has no value or is withheld."""
        runs = self._runs.results[arm, future]
        return np.array([runs[number].values.get(kpi, math.nan) for number in self.common(future)])

    def missing(self, arm: str, future: str, kpi: str) -> list[float]:
        """Return the shares of cases that are missing in the replications that withhold a KPI."""
        runs = self._runs.results[arm, future]
        return [runs[number].withheld[kpi] for number in self.common(future) if kpi in runs[number].withheld]

    def grows(self, arm: str, future: str, kpi: str) -> bool:
        """Return whether a KPI depends on the run length."""
        return kpi in self._tags[arm, future].unstable
