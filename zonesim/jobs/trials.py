"""Runs that a search asks for one after the other: arms with changed demand or units, all under the same luck."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from zonesim.analysis import grows
from zonesim.experiment import (
    LOCAL,
    Combination,
    Design,
    Execution,
    Future,
    Store,
    plain_design,
    rough_seconds,
    run_arms,
)
from zonesim.faults import RunFault
from zonesim.kpi import RunResult
from zonesim.plan import Plan
from zonesim.policy import Arm, ResolvedTree
from zonesim.stopping import keep

WORTHWHILE: Final = 3.0
"""Seconds of work from which on it is shared among processes, which take about so long to start."""


@dataclass(frozen=True)
class Tried:
    """What was tried: its plan, the resources whose load says that a line grows, and the runs, none of these then."""

    cell: Combination
    loaded: tuple[str, ...]
    runs: tuple[RunResult, ...] = ()


@dataclass
class Trials:
    """
    Tries arms of a scenario in futures. What the store has is not run again, and what a search asks for depends on
    numbers alone, so a search that was stopped goes on where it was.
    """

    file: Path
    world: ResolvedTree
    arms: Mapping[str, Arm]
    settings: Sequence[str]
    seed: int
    replications: int
    how: Execution
    store: Store
    count: int = field(default=0)
    """Runs of which results were used."""

    def design(self, arm: str, futures: Sequence[Future]) -> Design:
        """Return an arm in some futures, compiled; raises Faults."""
        return plain_design(
            self.file,
            self.world,
            [self.arms[arm]],
            self.settings,
            seed=self.seed,
            replications=self.replications,
            kind="capacity",
            futures=futures,
            how=self.how,
        )

    def run(self, wanted: Mapping[str, Sequence[Future]]) -> dict[tuple[str, str], Tried]:
        """
        Return by arm and name of the future what was found there, run as far as the store lacks it. What has a line
        that grows by its loads is not run.

        Raises RunFault for a replication that fails, Faults for an arm that cannot be, KeyboardInterrupt when stopped.
        """
        found: dict[tuple[str, str], Tried] = {}
        offset = 0
        for arm, futures in wanted.items():
            if futures:
                design = self.design(arm, futures)
                offset = design.offset
                found |= {pair: Tried(cell, grows(cell.plan, offset)) for pair, cell in design.cells.items()}
        plans = {pair: each.cell.plan for pair, each in found.items() if not each.loaded}
        if not plans:
            return found
        keep(f"what was finished is kept in {self.store.folder}: run the same command again to go on")
        with self.how.watch.progress(" | ".join(sorted({future for _, future in plans}))[:60]) as progress:
            done = run_arms(
                plans,
                seed=self.seed,
                replications=self.replications,
                how=worthwhile(self.how, plans.values(), self.replications),
                offset=offset,
                progress=progress,
                store=self.store,
            )
        if done.interrupted:
            raise KeyboardInterrupt
        for (arm, future), failures in done.failures.items():
            for failure in failures:
                fault = f"{arm}, {future}, replication {failure.replication}: {failure.message}"
                raise RunFault(f"{fault}\n    A search needs every replication.")
        for pair in plans:
            runs = self.store.read(found[pair].cell.key, range(self.replications), values_only=True)
            found[pair] = Tried(found[pair].cell, (), tuple(runs.values()))
            self.count += len(runs)
        return found


def worthwhile(how: Execution, plans: Iterable[Plan], replications: int) -> Execution:
    """
    Return how to run some plans: a round of a search that takes a moment only is not worth more processes, nor a
    cluster.
    """
    seconds = replications * sum(map(rough_seconds, plans))
    return replace(how, workers=1, scheduler=LOCAL) if seconds < WORTHWHILE else how
