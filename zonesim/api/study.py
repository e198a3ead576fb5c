"""What was found: KPIs of every arm in every future, replication by replication, with intervals and differences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
from numpy.typing import NDArray

from zonesim.analysis import (
    NO_DIFFERENCE,
    Comparison,
    Costs,
    Difference,
    Effect,
    Interval,
    Move,
    Spread,
    bands_of,
    compare,
    control_of,
    costs_of,
    has_parts,
    range_of,
    tags_of,
    with_moves,
)
from zonesim.api.in_memory import InMemory
from zonesim.api.relations import relation
from zonesim.api.rows import Row, rows_text
from zonesim.briefing.text.values import level_text
from zonesim.experiment import SHARED, UNLIMITED_UNITS, CellControl, Design, Execution, Failure, Runs, Store, run_arms
from zonesim.faults import Place, RunFault, UnknownName, suggest
from zonesim.jobs.until_precise import Reached, run_until_precise
from zonesim.kpi import Kpi, RunResult


@dataclass(frozen=True)
class Study:
    """
    The numbers of a run, a comparison or a sweep.

    Where an arm or a future is not named, the only one there is is meant. Means are taken over the replications that
    every arm of a future has finished.
    """

    design: Design
    """What was run."""
    results: dict[tuple[str, str], list[RunResult]]
    """By arm and future, the numbers of each replication that all arms of the future have finished, in order."""
    failures: dict[tuple[str, str], list[Failure]]
    """By arm and future, the replications that could not be finished, with the reason."""
    finished: dict[str, list[int]]
    """By future, the numbers of these replications."""
    comparisons: dict[str, Comparison]
    """By future, intervals and effects."""
    precision: Reached | None = None
    """Of an experiment that is run until it is precise, what its rule has led to: `precision.found`."""

    @property
    def is_precise(self) -> bool:
        """Whether all differences are as precise as the experiment asks; True where it asks for a number of runs."""
        return self.precision is None or self.precision.found.replications is not None

    @property
    def arms(self) -> list[str]:
        """Names of the arms, the baseline first."""
        return list(self.design.options)

    @property
    def baseline(self) -> str:
        """Name of the arm that differences are taken to."""
        return self.design.baseline

    @property
    def futures(self) -> list[str]:
        """Names of the futures."""
        return list(self.comparisons)

    @cached_property
    def kpis(self) -> dict[str, Kpi]:
        """KPIs by id, with labels and units, in the order in which they are told."""
        return {kpi.id: kpi for kpi in self.design.kpis}

    def values(self, kpi: str, arm: str = "", future: str = "") -> NDArray[np.float64]:
        """
        Return a KPI by replication, shape (replications,); nan where it is undefined or withheld.

        Raises UnknownName.
        """
        self._known(kpi)
        return np.array([run.values.get(kpi, math.nan) for run in self.results[self._pair(arm, future)]])

    def interval(self, kpi: str, arm: str = "", future: str = "") -> Interval:
        """Return the mean of a KPI with its confidence limits; raises UnknownName."""
        self._known(kpi)
        arm, future = self._pair(arm, future)
        return self.comparisons[future].arms[arm][kpi]

    def difference(self, kpi: str, arm: str = "", future: str = "") -> Difference:
        """Return the mean paired difference of an arm to the baseline with its limits; raises UnknownName."""
        return self._effect(kpi, arm, future).difference

    def direct(self, kpi: str, arm: str = "", future: str = "") -> Difference:
        """
        Return the direct part of a difference, that with unlimited units; nan for what is no duration of single tokens,
        and where it was not run (see `Scenario.compare`). Raises UnknownName.
        """
        parts = self._effect(kpi, arm, future).parts
        return parts.direct if parts is not None else NO_DIFFERENCE

    def congestion(self, kpi: str, arm: str = "", future: str = "") -> Difference:
        """Return what is left of a difference without its direct part; nan as `direct`. Raises UnknownName."""
        parts = self._effect(kpi, arm, future).parts
        return parts.congestion if parts is not None else NO_DIFFERENCE

    def moves(self, kpi: str, arm: str = "", future: str = "") -> tuple[Move, ...]:
        """Return what each doubt that was run does to a difference (see `Scenario.compare`); raises UnknownName."""
        return self._effect(kpi, arm, future).moves

    def _effect(self, kpi: str, arm: str, future: str) -> Effect:
        self._known(kpi)
        others = [name for name in self.arms if name != self.baseline]
        arm, future = self._pair(arm or (others[0] if len(others) == 1 else ""), future)
        for effect in self.comparisons[future].effects:
            if (effect.arm, effect.kpi) == (arm, kpi):
                return effect
        remedy = suggest(arm, others, "arms beside it") if others else "Compare it with another arm."
        raise UnknownName(f"'{arm}' is the baseline", Place("arm"), remedy)

    def spread(self, kpi: str, arm: str = "") -> Spread:
        """
        Return median, 5th and 95th percentile of a KPI, and of its difference to the baseline, over the futures of a
        sample of doubts; raises UnknownName.
        """
        self._known(kpi)
        arm = _one("arm", arm, self.arms)
        futures = [each.name for each in self.design.futures if each.sample]
        value = range_of(self.interval(kpi, arm, future).value for future in futures)
        if arm == self.baseline:
            return Spread(arm, kpi, value, None)
        return Spread(arm, kpi, value, range_of(self.difference(kpi, arm, future).value for future in futures))

    def control(self, arm: str = "", future: str = "") -> CellControl:
        """
        Return what is expected of control, by truth and by check: bands over what nobody knows of who is picked for a
        look and of who is irregular. Raises UnknownName.
        """
        return control_of(self.design.cells[self._pair(arm, future)].plan)

    def costs(self) -> Costs:
        """
        Return what the arms cost in the first future: by item, by who pays and together, with differences to the
        baseline and how soon what a measure needs pays for itself.
        """
        future = self.futures[0]
        runs = {arm: self.results[arm, future] for arm in self.arms}
        return costs_of(self.design, self.comparisons[future], runs)

    def curve(self, name: str, arm: str = "", future: str = "") -> NDArray[np.float64]:
        """
        Return a curve by replication and hour, shape (replications, 24) or (replications, 168): `PLACE.queue`,
        `PLACE.wait`, `RESOURCE.busy_week` and others (see `RunResult.curves`). Raises UnknownName.
        """
        runs = self.results[self._pair(arm, future)]
        if name not in runs[0].curves:
            raise UnknownName(f"no curve '{name}'", Place("name"), suggest(name, runs[0].curves, "curves"))
        return np.array([run.curves[name] for run in runs])

    def samples(self, name: str, arm: str = "", future: str = "") -> list[NDArray[np.int64]]:
        """
        Return durations of single tokens in ms, one array a replication: `FLOW.dwell`, `PLACE.pass` of those that have
        ended, `FLOW.dwell_open`, `PLACE.pass_open` of those that have not. Raises UnknownName.
        """
        runs = self.results[self._pair(arm, future)]
        if name not in runs[0].samples:
            raise UnknownName(f"no samples '{name}'", Place("name"), suggest(name, runs[0].samples, "samples"))
        return [run.samples[name].astype(np.int64) for run in runs]

    def table(self, kpis: Iterable[str] | None = None) -> list[Row]:
        """
        Return rows of KPIs × futures × arms; `kpis`: ids, those that are reported when nothing is said, or all of
        `study.kpis`. Raises UnknownName.
        """
        wanted = list(self.design.reported if kpis is None else kpis)
        for kpi in wanted:
            self._known(kpi)
        return [self._row(kpi, arm, future) for kpi in wanted for future in self.futures for arm in self.arms]

    def relation(self, kpis: Iterable[str] | None = None) -> duckdb.DuckDBPyRelation:
        """Return `table(kpis)` as a relation with the columns of `Row`."""
        rows = [asdict(row) for row in self.table(kpis)]
        return relation({name: [row[name] for row in rows] for name in Row.__dataclass_fields__})

    def replications(self, kpis: Iterable[str] | None = None) -> duckdb.DuckDBPyRelation:
        """Return the numbers behind the means, with columns arm, future, replication, kpi, value; nan is NULL."""
        wanted = list(self.kpis if kpis is None else kpis)
        rows = [
            (arm, future, number, kpi, run.values.get(kpi, math.nan))
            for (arm, future), runs in self.results.items()
            for number, run in zip(self.finished[future], runs, strict=True)
            for kpi in wanted
        ]
        columns = zip(*rows, strict=True) if rows else ([] for _ in range(5))
        return relation(dict(zip(("arm", "future", "replication", "kpi", "value"), map(list, columns), strict=True)))

    def __str__(self) -> str:
        """Return the reported KPIs as a table of text."""
        design = self.design
        head = f"{design.name}: {design.replications} replications, seed {design.seed}"
        return f"{head}, {level_text(design.level)} % intervals\n{rows_text(self.table())}"

    def _row(self, kpi: str, arm: str, future: str) -> Row:
        known, mean = self.kpis[kpi], self.comparisons[future].arms[arm][kpi]
        tag = str(mean.reason)
        change, parts = NO_DIFFERENCE, None
        effect = self._effects.get((future, arm, kpi))
        if effect is not None:
            change, tag, parts = effect.difference, effect.tag, effect.parts
        return Row(
            *(future, arm, kpi, known.en, known.zh, known.unit),
            *(mean.value, mean.low, mean.high, mean.n),
            *(change.value, change.low, change.high),
            *(change.change(known.definition.better), tag),
            *((parts.direct.value, parts.congestion.value) if parts is not None else (math.nan, math.nan)),
        )

    @cached_property
    def _effects(self) -> dict[tuple[str, str, str], Effect]:
        """By future, arm and KPI."""
        return {
            (future, effect.arm, effect.kpi): effect
            for future, comparison in self.comparisons.items()
            for effect in comparison.effects
        }

    def _known(self, kpi: str) -> None:
        if kpi not in self.kpis:
            raise UnknownName(f"no KPI '{kpi}'", Place("kpi"), suggest(kpi, self.kpis, "KPIs"))

    def _pair(self, arm: str, future: str) -> tuple[str, str]:
        """Return arm and future by name, the only ones where none is named."""
        return _one("arm", arm, self.arms), _one("future", future, self.futures)


def _one(what: str, name: str, known: Sequence[str]) -> str:
    if not name and len(known) == 1:
        return known[0]
    if name not in known:
        fault = f"no {what} '{name}'" if name else f"which {what} is meant"
        raise UnknownName(fault, Place(what), suggest(name, known, f"{what}s"))
    return name


def studied(design: Design, how: Execution) -> Study:
    """
    Run a design and return what was found, in memory; one that is run until it is precise by way of a folder that is
    taken away again. Raises RunFault when a future has no replication to tell of.
    """
    if design.precision is None:
        runs = run_arms(design.plans(), seed=design.seed, replications=design.counts(), how=how, offset=design.offset)
        return _told(design, runs)
    with TemporaryDirectory() as folder:
        store = Store.below(Path(folder), SHARED)

        def run() -> Runs[tuple[str, str]]:
            return run_arms(
                design.plans(),
                seed=design.seed,
                replications=design.counts(),
                how=how,
                offset=design.offset,
                store=store,
            )

        runs, reached = run_until_precise(design, design.precision, how, store, run)
        runs.results = {
            pair: dict(store.read(design.cells[pair].key, numbers)) for pair, numbers in runs.finished.items()
        }
        return _told(design, runs, reached)


def _told(design: Design, runs: Runs[tuple[str, str]], reached: Reached | None = None) -> Study:
    if runs.interrupted:
        raise KeyboardInterrupt
    all_tags = tags_of(design)
    results: dict[tuple[str, str], list[RunResult]] = {}
    finished: dict[str, list[int]] = {}
    comparisons: dict[str, Comparison] = {}
    for future in (each.name for each in design.futures):
        pairs = [(arm, future) for arm in design.options]
        common = sorted(set.intersection(*(set(runs.finished[pair]) for pair in pairs)))
        if not common:
            reasons = [failure.message for pair in pairs for failure in runs.failures[pair]]
            raise RunFault(f"no replication was finished: {reasons[0]}" if reasons else "no replication was finished")
        finished[future] = common
        results |= {pair: [runs.results[pair][number] for number in common] for pair in pairs}
        tags = {arm: all_tags[arm, future] for arm in design.options}
        first = future == design.futures[0].name
        free = {
            arm: [runs.results[arm, UNLIMITED_UNITS].get(number, RunResult({})) for number in common]
            for arm in design.options
            if first and (arm, UNLIMITED_UNITS) in design.cells
        }
        found = compare(
            {arm: results[arm, future] for arm in design.options},
            [kpi.id for kpi in design.kpis],
            bounds=[kpi.id for kpi in design.kpis if kpi.bound],
            inputs={arm: each.inputs for arm, each in tags.items()},
            unstable={arm: each.unstable for arm, each in tags.items()},
            overruled={arm: each.overruled for arm, each in tags.items()},
            echoes={arm: each.echoes for arm, each in tags.items()},
            mixed={arm: each.mixed for arm, each in tags.items()},
            free=free or None,
            durations={kpi.id for kpi in design.kpis if has_parts(kpi.definition)},
            bands=bands_of({arm: each.control for arm, each in tags.items()}),
            level=design.level,
        )
        comparisons[future] = with_moves(found, InMemory(design, runs, all_tags), future) if first else found
    return Study(design, results, runs.failures, finished, comparisons, reached)
