"""What can be run: a scenario with its settings and arm, or an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from zonesim.analysis import FIRST
from zonesim.api.records import Records, records
from zonesim.api.searches import Best, Robustness, Sensitivities, finished_runs
from zonesim.api.study import Study, studied
from zonesim.briefing.tables.robustness import Robust
from zonesim.engine import AUTO
from zonesim.experiment import (
    FUTURE,
    USUAL_LEVEL,
    USUAL_REPLICATIONS,
    USUAL_SEED,
    Execution,
    grid_design,
    is_experiment,
    plain_design,
    read_design,
)
from zonesim.faults import RunFault
from zonesim.jobs.best import Asked as AskedBest
from zonesim.jobs.best import best_of
from zonesim.jobs.job import INTERRUPTED, Found, Job
from zonesim.jobs.robust import Asked as AskedRobust
from zonesim.jobs.robust import robust_of
from zonesim.jobs.sensitivity import Asked as AskedSensitivity
from zonesim.jobs.sensitivity import sensitivities
from zonesim.plan import Plan, compile_plan
from zonesim.policy import Arm, ResolvedTree, arm_named, arms_for, baseline, open_world, resolve
from zonesim.scenario import read_file


def load(path: str | Path) -> Scenario | Experiment:
    """
    Return what a YAML file describes: a `Scenario`, or an `Experiment` when the file says `kind: experiment`.

    Raises ScenarioFault (Faults, when there are several) for all that is wrong in it, each with its line.
    """
    file = Path(path)
    if is_experiment(read_file(file)):
        experiment = Experiment(file)
        experiment.check()
        return experiment
    scenario = Scenario(file)
    scenario.check()
    return scenario


@dataclass(frozen=True)
class Scenario:
    """
    A scenario file with settings and an arm. It never changes: `arm` and `set` return others.

    Arms are written as for `--arm`: "11", "10+11", "{m11: {coverage: 60 %, zones: [SIP]}}", "" for the baseline.
    Settings are written as for `--set`: "zones.TYP.lanes_in.units=2", "traffic.*.rate*=1.5".
    """

    file: Path
    """The scenario file."""
    settings: tuple[str, ...] = ()
    """Changes of values, in the order in which they are made."""
    measures: str = ""
    """The arm that `run` and `records` use."""

    def set(self, *settings: str) -> Scenario:
        """Return this scenario with further settings; raises ScenarioFault for one that cannot be made."""
        found = replace(self, settings=(*self.settings, *settings))
        found.check()
        return found

    def arm(self, measures: str) -> Scenario:
        """Return this scenario with the measures of an arm in force; raises ScenarioFault for one there is none of."""
        found = replace(self, measures=measures)
        found.check()
        return found

    def future(self, name: str) -> Scenario:
        """
        Return this scenario as it is in a named future, of the library or its own, the same in all arms: "demand_x2",
        or "none". Raises ScenarioFault for one that is not known.
        """
        found = self.set(f"{FUTURE}={name}")
        resolve(found._world, baseline(found._world))  # noqa: SLF001  its own kind
        return found

    def check(self) -> None:
        """Read the file and look at settings and arm; raises ScenarioFault."""
        arm_named(self._world, self.measures)

    def run(
        self,
        replications: int = USUAL_REPLICATIONS,
        *,
        seed: int = USUAL_SEED,
        level: float = USUAL_LEVEL,
        workers: int = 1,
        engine: str = AUTO,
    ) -> Study:
        """
        Run the arm of this scenario and return its KPIs.

        `replications`: independent repetitions, from 1; `seed`: chooses the draws, equal ones give equal numbers;
        `level`: confidence level of intervals, e.g. 0.95; `workers`: processes to run in (above 1 a script needs
        `if __name__ == "__main__":`); `engine`: auto, or one of the engines by name. Raises ScenarioFault when the
        scenario cannot be run, RunFault when no replication could be finished.
        """
        return self._study([self.measures], replications, seed, level, Execution(workers, engine), kind="run")

    def compare(
        self,
        *arms: str,
        replications: int = USUAL_REPLICATIONS,
        seed: int = USUAL_SEED,
        level: float = USUAL_LEVEL,
        workers: int = 1,
        engine: str = AUTO,
        parts: bool = True,
        doubts: bool = True,
    ) -> Study:
        """
        Run the baseline and some arms under the same draws, and return KPIs and paired differences.

        Without arms: all measures of the library together. `parts`: also run all arms with unlimited units, for the
        direct part of differences of durations and for congestion; `doubts`: also run the low and high ends of the
        doubts that regime and scenario name, at most 5 replications each. The other arguments are those of `run`, and
        so are the faults.
        """
        how = Execution(workers, engine)
        return self._study(arms, replications, seed, level, how, kind="compare", parts=parts, doubts=doubts)

    def sweep(
        self,
        vary: Mapping[str, Sequence[Any] | Mapping[str, Sequence[float]]],
        *arms: str,
        replications: int = USUAL_REPLICATIONS,
        seed: int = USUAL_SEED,
        level: float = USUAL_LEVEL,
        workers: int = 1,
        engine: str = AUTO,
    ) -> Study:
        """
        Run the baseline and some arms in every combination of the values in `vary`.

        `vary`: by path the values, e.g. `{"zones.TYP.lanes_in.units": [1, 2]}`, or factors,
        `{"traffic.*.rate": {"scale": [1.0, 1.5]}}`, as below `futures: grid:` in an experiment file. The other
        arguments are those of `run`, and so are the faults.
        """
        how = Execution(workers, engine)
        design = grid_design(
            self.file,
            self._world,
            self._arms(arms) if arms else [arm_named(self._world, "")],
            self.settings,
            vary,
            seed=seed,
            replications=replications,
            level=level,
            how=how,
        )
        return studied(design, how)

    def sensitivity(
        self,
        *kpis: str,
        method: str = "tornado",
        numbers: Sequence[str] = (),
        points: int | None = None,
        replications: int = 5,
        seed: int = USUAL_SEED,
        level: float = USUAL_LEVEL,
        workers: int = 1,
        engine: str = AUTO,
        out: str | Path | None = None,
    ) -> Sensitivities:
        """
        Find which doubted numbers decide KPIs of this scenario, or where it has an arm what that does to them.

        Without KPIs: those that it promises, or the headlines. `method`: tornado, morris or sobol; `numbers`: paths of
        those that are doubted, or what lies above them (none: all); `points`: walks of morris, or rows of sobol. `out`:
        a folder that keeps finished runs, as that of `--out`, None for none. The other arguments are those of `run`;
        raises ScenarioFault for what cannot be asked, RunFault when a run fails.
        """
        asked = AskedSensitivity(
            self.file, self.settings, self.measures, kpis, method, numbers, points, replications, seed, level
        )
        with finished_runs(out) as folder:
            return Sensitivities(sensitivities(asked, Execution(workers, engine), folder))

    def records(self, replication: int = 0, *, seed: int = USUAL_SEED, engine: str = AUTO) -> Records:
        """
        Return every visit and every mark of one replication (numbered from 0) of the arm of this scenario.

        They take 32 and 16 bytes each; a year of a large zone has tens of millions. Raises RunFault.
        """
        return records(self.plan, seed, replication, engine)

    @cached_property
    def plan(self) -> Plan:
        """The compiled plan of the arm: what an engine reads. Raises Faults when it cannot be compiled."""
        return compile_plan(resolve(self._world, arm_named(self._world, self.measures)))

    @cached_property
    def _world(self) -> ResolvedTree:
        """The scenario with its settings, read once."""
        return open_world(self.file, self.settings)

    def _arms(self, texts: Sequence[str]) -> list[Arm]:
        """Return the baseline and these arms, each once; all measures together where none is named."""
        if not texts:
            return arms_for(self._world)
        return list({arm.name: arm for arm in (arm_named(self._world, text) for text in ("", *texts))}.values())

    def _study(
        self,
        arms: Sequence[str],
        replications: int,
        seed: int,
        level: float,
        how: Execution,
        *,
        kind: str,
        parts: bool = False,
        doubts: bool = False,
    ) -> Study:
        chosen = [arm_named(self._world, self.measures)] if kind == "run" else self._arms(arms)
        design = plain_design(
            self.file,
            self._world,
            chosen,
            self.settings,
            seed=seed,
            replications=replications,
            level=level,
            kind="run" if kind == "run" else "compare",
            parts=parts,
            doubts=doubts,
            how=how,
        )
        return studied(design, how)


@dataclass(frozen=True)
class Experiment:
    """An experiment file: arms, futures, replications and seed are those that it names unless others are asked for."""

    file: Path
    """The experiment file."""
    settings: tuple[str, ...] = ()
    """Changes of values of its scenario, in all arms and futures."""

    def set(self, *settings: str) -> Experiment:
        """Return this experiment with further settings; raises ScenarioFault for one that cannot be made."""
        found = replace(self, settings=(*self.settings, *settings))
        found.check()
        return found

    def future(self, name: str) -> Experiment:
        """Return this experiment in a named future, in all arms; raises ScenarioFault for one that is not known."""
        return self.set(f"{FUTURE}={name}")

    def check(self) -> None:
        """Read the file and its scenario and compile every arm in every future; raises Faults."""
        read_design(self.file, self.settings)

    def sweep(
        self,
        replications: int | None = None,
        *,
        seed: int | None = None,
        level: float = USUAL_LEVEL,
        workers: int = 1,
        engine: str = AUTO,
    ) -> Study:
        """
        Run every arm in every future and return KPIs and paired differences.

        `replications`, `seed`: None for those of the file. Where that says `until: 5 %`, as many are run as it takes,
        and `Study.is_precise` tells whether they did. The other arguments are those of `Scenario.run`, and so are the
        faults.
        """
        how = Execution(workers, engine)
        design = read_design(self.file, self.settings, seed=seed, replications=replications, level=level, how=how)
        return studied(design, how)

    def best(
        self,
        goal: str,
        indifference: str = "",
        *,
        promises: Sequence[str] = (),
        budgets: Sequence[str] = (),
        at: str = "",
        method: str = "kn",
        probability: float = 0.95,
        tolerance: float = 0.05,
        most: int = 500,
        runs: int | None = None,
        first: int = FIRST,
        replications: int | None = None,
        seed: int | None = None,
        level: float = USUAL_LEVEL,
        workers: int = 1,
        engine: str = AUTO,
        out: str | Path | None = None,
    ) -> Best:
        """
        Find the best arm: `goal` is "smallest KPI" or "largest KPI", `indifference` the least difference that counts.

        `promises` ("KPI <= 30 min") stand in place of the scenario's, `budgets` ("zones.TYP.lanes_in.units <= 6") leave
        arms out, `at` names the future where there are several. `method`: kn, with the promised `probability` and the
        `tolerance` of promises as a share, at `most` so many runs of an arm; or ocba, with `runs` in all; `first` runs
        of each arm before any is left out. `replications`: those with another seed that the best arm is estimated on.
        `out`: a folder that keeps finished runs, None for none. The other arguments are those of `Scenario.run`.
        Raises ScenarioFault for what cannot be asked, RunFault when a run fails.
        """
        asked = AskedBest(
            self.file,
            self.settings,
            goal,
            indifference,
            promises,
            budgets,
            at,
            method,
            probability,
            tolerance,
            most,
            runs,
            first,
            replications,
            seed,
            level,
        )
        with finished_runs(out) as folder:
            searched, found = best_of(asked, Execution(workers, engine), folder)
            return Best(searched.design, found, probability)

    def robust(
        self,
        goal: str,
        *,
        promises: Sequence[str] = (),
        arms: Sequence[str] = (),
        look_for: str = "not-better",
        replications: int | None = None,
        seed: int | None = None,
        level: float = USUAL_LEVEL,
        workers: int = 1,
        engine: str = AUTO,
        out: str | Path | None = None,
    ) -> Robustness:
        """
        Tell regrets, promises kept and signs over the futures of this experiment, and where an arm does not do well.

        `goal` and `promises` are those of `best`; `arms`: those that a box of futures is looked for (none: all but the
        baseline); `look_for`: "not-better" or "broken". `out`: a folder that keeps finished runs, None for none. The
        other arguments are those of `Scenario.run`. Raises ScenarioFault for what cannot be asked, RunFault when no
        replication could be finished.
        """
        asked = AskedRobust(self.file, self.settings, goal, promises, arms, look_for, replications, seed, level)
        told: list[Robustness] = []

        def report(found: Found, own: Robust) -> Job:
            told.append(Robustness(found.design, own, found.results.run))
            return Job({}, "")

        with finished_runs(out) as folder:
            job = robust_of(asked, Execution(workers, engine), folder, report)
        if job.exit_code == INTERRUPTED:
            raise KeyboardInterrupt
        if not told:
            raise RunFault(job.notes[-1] if job.notes else job.text)
        return told[0]
