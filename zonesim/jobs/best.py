"""The job of `zonesim best`: which arm of an experiment is best, with a promised probability or a budget of runs."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np

from zonesim.analysis import (
    FIRST,
    STEP,
    Choice,
    Interval,
    Promise,
    allocated,
    chosen,
    in_unit,
    interval,
    paired,
    unstable,
)
from zonesim.briefing.folders import PNG, results_folder, set_aside
from zonesim.briefing.tables.best import COLUMNS, Estimate, Found, best_document, best_rows, best_text
from zonesim.briefing.text.arm_names import arm_lines, arms_of, called
from zonesim.briefing.text.documents import to_json
from zonesim.briefing.text.values import level_text
from zonesim.briefing.text.words import Words, language_named
from zonesim.experiment import (
    SHARED,
    USUAL_LEVEL,
    Design,
    Execution,
    Store,
    cell_key,
    checked_design,
    run_arms,
    run_id,
    slug,
)
from zonesim.faults import Place, RunFault, ScenarioFault, UnitFault, UnknownName, suggest
from zonesim.jobs.answers import keep_answer
from zonesim.jobs.asking import kept, promises_of
from zonesim.jobs.goal import Goal, goal_of
from zonesim.jobs.job import Job, settings_words
from zonesim.jobs.trials import worthwhile
from zonesim.kpi import Kpi, RunResult
from zonesim.limits import MOST_RUNS
from zonesim.plan import Floats
from zonesim.policy import Request, ResolvedTree, dotted, targets
from zonesim.scenario import Edit, Path_
from zonesim.stopping import keep
from zonesim.writing import make_folder, write_table, write_text

DOCUMENT: Final = "best.json"
TABLE: Final = "best.csv"

_BUDGET: Final = re.compile(r"\s*(.+?)\s*(?:<=|≤)\s*([0-9.]+)\s*")

Method = Literal["kn", "ocba"]

METHODS: Final[tuple[Method, ...]] = ("kn", "ocba")


@dataclass(frozen=True)
class Asked:
    """
    What is asked: of which experiment, in which of its `future`s (empty: the only one), with what `goal` (`smallest
    KPI`); `promises` in place of the scenario's, `budgets` (`PATH + PATH <= 6`).

    Of `kn`: an `indifference` in the unit of the goal (or another of its kind), the `tolerance` of promises as a share
    of their limits, the promised probability and the most runs of an arm; of `ocba`: the `runs` in all.
    """

    file: Path
    settings: Sequence[str]
    goal: str
    indifference: str = ""
    promises: Sequence[str] = ()
    budgets: Sequence[str] = ()
    future: str = ""
    method: str = "kn"
    probability: float = 0.95
    tolerance: float = 0.05
    most: int = 500
    runs: int | None = None
    first: int = FIRST
    replications: int | None = None
    seed: int | None = None
    level: float = USUAL_LEVEL


@dataclass
class Searched:
    """The runs of some arms in one future, as far as they are asked for; what the store has is not run again."""

    design: Design
    future: str
    goal: Goal
    promises: Sequence[Promise]
    how: Execution
    store: Store

    def __call__(self, counts: Mapping[str, int]) -> dict[str, Floats]:
        """Return what `zonesim.analysis.selection` observes."""
        found = {}
        for arm, runs in self.read(counts, self.design.seed).items():
            table = np.array([self._row(run) for run in runs], dtype=np.float64)
            found[arm] = table.reshape(len(runs), 1 + len(self.promises))
        return found

    def read(self, counts: Mapping[str, int], seed: int) -> dict[str, list[RunResult]]:
        """Return the first replications of some arms under a seed; raises RunFault, KeyboardInterrupt when stopped."""
        plans = {arm: self.design.cells[arm, self.future].plan for arm in counts}
        keep(f"what was finished is kept in {self.store.folder}: run the same command again to go on")
        with self.how.watch.progress(" | ".join(plans)[:60]) as progress:
            done = run_arms(
                plans,
                seed=seed,
                replications=dict(counts),
                how=worthwhile(self.how, plans.values(), STEP),
                offset=self.design.offset,
                progress=progress,
                store=self.store,
            )
        if done.interrupted:
            raise KeyboardInterrupt
        for arm, failures in done.failures.items():
            for failure in failures:
                fault = f"{arm}, replication {failure.replication}: {failure.message}"
                raise RunFault(f"{fault}\n    A search needs every replication.")
        keys = {arm: cell_key(plan, seed, self.design.offset) for arm, plan in plans.items()}
        return {
            arm: list(self.store.read(keys[arm], range(count), values_only=True).values())
            for arm, count in counts.items()
        }

    def value(self, run: RunResult) -> float:
        """Return the goal's KPI in a run, nan where it is withheld or there is none."""
        name = self.goal.kpi.id
        return math.nan if name in run.withheld else run.values.get(name, math.nan)

    def _row(self, run: RunResult) -> list[float]:
        """Return what is to be small, and by how much each promise is broken; nobody who came is nobody let down."""
        broken = []
        for each in self.promises:
            over = kept(each, run) - each.limit
            broken.append(0.0 if math.isnan(over) else over if each.most else -over)
        return [self.goal.sign * self.value(run), *broken]


def best_job(asked: Asked, how: Execution, out: Path, language: str = "en", formats: Sequence[str] = PNG) -> Job:
    """
    Find the best arm of an experiment, and write `best.csv`, `best.json` and, for `formats`, a figure to a folder of
    this run; cells that `out` has are not run again.

    Raises what `best_of` raises; UnknownName for a language that there is none of.
    """
    say = Words(language_named(language), level=level_text(asked.level))
    runs, found = best_of(asked, how, out)
    folder = results_folder(out, runs.design)
    make_folder(folder)
    notes = [*runs.design.notes(), *set_aside(folder, DOCUMENT, run_id(runs.design))]
    drawn = _figures(asked, runs, found, folder, say, formats) if formats and found.choice.best else []
    return _written(asked, runs.design, folder, found, drawn, notes, say)


def best_of(asked: Asked, how: Execution, out: Path) -> tuple[Searched, Found]:
    """
    Run the arms of an experiment as far as it takes to tell the best one, and estimate that one on runs of another
    seed; cells that `out` has are not run again. Return what was run, and what was found.

    Raises Faults and RunFault; ScenarioFault, UnitFault or UnknownName for a goal, budget, future or amount that cannot
    be, with the option that names it.
    """
    if asked.method not in METHODS:
        raise UnknownName(f"no method '{asked.method}'", Place("--method"), suggest(asked.method, METHODS, "methods"))
    design = checked_design(
        asked.file,
        asked.settings,
        lambda draft: _check(asked, draft),
        lambda few: _question(asked, few),
        seed=asked.seed,
        replications=asked.replications,
        how=how,
    )
    future = _future(design, asked.future)
    goal, promises, indifference = _question(asked, design)
    costs = _costs(design, asked.budgets)
    design = _asked_design(design, asked, future, indifference, promises)
    runs = Searched(design, future, goal, promises, how, Store.below(out, SHARED))
    left = {arm: "budget" for arm, over in costs.items() if over}
    left |= {arm: "grows" for arm in _growing(design, future, goal, promises) if arm not in left}
    choice = _chosen(asked, [arm for arm in design.options if arm not in left], runs, indifference, promises)
    means, promised = _means(runs, choice, asked.level)
    found = Found(
        goal.kpi,
        goal.sign < 0,
        asked.method,
        choice,
        left,
        tuple(promises),
        _estimate(runs, choice, asked.level),
        indifference,
        means,
        promised,
    )
    return runs, found


def _question(asked: Asked, design: Design) -> tuple[Goal, tuple[Promise, ...], float]:
    """Return goal, promises and indifference in the unit of the goal, by the KPIs of some arms; raises Faults."""
    goal = goal_of(design, asked.goal)
    promises = () if asked.method == "ocba" else _promises(design, asked)
    return goal, promises, _indifference(asked, goal.kpi) if asked.method == "kn" else math.nan


def _means(runs: Searched, choice: Choice, level: float) -> tuple[dict[str, Interval], dict[str, tuple[Interval, ...]]]:
    """Return by arm the goal's KPI, and those of the promises, over the runs that it took part in."""
    read = runs.read({each.arm: each.n for each in choice.standings}, runs.design.seed)
    own = {arm: _interval([runs.value(run) for run in found], level) for arm, found in read.items()}
    promised = {
        arm: tuple(_interval([kept(each, run) for run in found], level, nobody=True) for each in runs.promises)
        for arm, found in read.items()
    }
    return own, promised


def _interval(values: Sequence[float], level: float, *, nobody: bool = False) -> Interval:
    """
    Return an interval over runs: without a value where one of them has none, unless that only says that nobody came,
    and infinite where one is.
    """
    if infinite := [value for value in values if math.isinf(value)]:
        return Interval(infinite[0], math.nan, math.nan, len(values))
    if not nobody and any(map(math.isnan, values)):
        return Interval(math.nan, math.nan, math.nan, 0)
    return interval(values, level)


def _chosen(
    asked: Asked, names: Sequence[str], runs: Searched, indifference: float, promises: Sequence[Promise]
) -> Choice:
    """Return the best of some arms by the method that is asked for."""
    if not names:
        return Choice("", math.nan, ())
    if asked.runs is not None:
        return allocated(names, runs, budget=asked.runs, first=asked.first)
    return chosen(
        names,
        runs,
        indifference=indifference,
        error=1 - asked.probability,
        tolerances=[asked.tolerance * abs(each.limit) for each in promises],
        first=asked.first,
        most=asked.most,
    )


def _future(design: Design, name: str) -> str:
    """Return the name of the future that is asked for, or of the only one; raises ScenarioFault, UnknownName."""
    names = [each.name for each in design.futures]
    if name and name not in names:
        raise UnknownName(f"no future '{name}' in this experiment", Place("--at"), suggest(name, names, "futures"))
    if not name and len(names) > 1:
        shown = ", ".join(f"'{each}'" for each in names[:3])
        fault = f"{len(names)} futures, and the best arm may be another in each"
        raise ScenarioFault(fault, Place("--at"), f"Name one of {shown}{', …' if len(names) > 3 else ''}.")  # noqa: PLR2004
    return name or names[0]


def _promises(design: Design, asked: Asked) -> tuple[Promise, ...]:
    """Return the promises of the command, or of the scenario; raises ScenarioFault for one without a tolerance."""
    found = promises_of(design.world, asked.promises, {kpi.id: kpi for kpi in design.kpis})
    for each in found:
        if each.limit == 0:
            fault = f"'{each.text}' has a limit of 0, of which no share is a tolerance"
            raise ScenarioFault(fault, Place("--promise"), "Write a limit above 0, e.g. the least that counts.")
    return found


def _check(asked: Asked, design: Design) -> None:
    """Raise ScenarioFault for options that do not go together, UnknownName for a future that there is none of."""
    _future(design, asked.future)
    if asked.method == "ocba":
        if asked.promises:
            fault = "a budget of runs is spent on the goal alone"
            raise ScenarioFault(fault, Place("--promise"), "Ask with --method kn.")
        if asked.indifference:
            fault = "a budget of runs knows no indifference"
            raise ScenarioFault(fault, Place("--indifference"), "Ask with --method kn, or leave it out.")
        least = asked.first * len(design.options)
        if asked.runs is None or asked.runs < least:
            fault = f"{len(design.options)} arms with {asked.first} first runs each take {least} runs"
            raise ScenarioFault(fault, Place("--runs"), f"Write --runs {2 * least}, for instance.")
        if asked.runs > MOST_RUNS:
            raise ScenarioFault(f"more than {MOST_RUNS:,} runs", Place("--runs"), "Ask for fewer.")
        return
    if asked.runs is not None:
        fault = "a search with a promised probability runs as long as it takes"
        raise ScenarioFault(fault, Place("--runs"), "Ask with --method ocba, or for no more than --most of an arm.")
    if asked.most < asked.first:
        fault = f"no more than {asked.most} runs of an arm, and {asked.first} first ones"
        raise ScenarioFault(fault, Place("--most"), f"Write --most {asked.first} or more.")


def _indifference(asked: Asked, kpi: Kpi) -> float:
    """Return the least difference that counts in the unit of the goal; raises ScenarioFault, UnitFault."""
    place = Place("--indifference")
    unit = "%" if kpi.unit == "share" else kpi.unit
    if not asked.indifference:
        fault = "which difference would you not care for? Without one no number of runs is enough"
        raise ScenarioFault(fault, place, f"Write --indifference '1 {unit}', in the unit of {kpi.id}.")
    try:
        found = in_unit(asked.indifference, kpi.unit)
    except UnitFault as fault:
        raise fault.at(place) from None
    if found <= 0:
        raise ScenarioFault(f"'{asked.indifference}' is no difference", place, f"Write '1 {unit}'.")
    return found


def _costs(design: Design, budgets: Sequence[str]) -> dict[str, bool]:
    """
    Return by arm whether it is over a budget; what is chosen is no future, so that it is the same in all of them.

    Raises ScenarioFault, UnknownName.
    """
    over = dict.fromkeys(design.options, False)
    for text in budgets:
        place = Place(f"--budget {text}")
        match = _BUDGET.fullmatch(text)
        if match is None:
            raise ScenarioFault("expected PATH + PATH <= NUMBER", place, "Write 'zones.TYP.lanes_in.units <= 6'.")
        for arm, resolved in design.resolved.items():
            spent = 0.0
            for path in match[1].split("+"):
                for at in _named(resolved.world, path.strip(), place):
                    value = _at(resolved.world.tree, at)
                    if isinstance(value, bool) or not isinstance(value, int | float):
                        fault = f"'{dotted(at)}' is no number in the arm '{arm}'"
                        raise ScenarioFault(fault, place, "Name what is one number, such as units.")
                    spent += value
            over[arm] |= spent > float(match[2])
    return over


def _named(world: ResolvedTree, path: str, place: Place) -> list[Path_]:
    """Return the places that a path of a budget names; raises UnknownName."""
    try:
        return targets(world, Request(Edit(remove=path), "a budget", place))
    except UnknownName as fault:
        raise UnknownName(f"no value at '{path}'", place, fault.remedy) from None


def _at(node: object, path: Sequence[str]) -> object:
    for part in path:
        node = node[int(part)] if isinstance(node, list) else node[part]  # type: ignore[index]  # a path that is there
    return node


def _growing(design: Design, future: str, goal: Goal, promises: Sequence[Promise]) -> list[str]:
    """Return the arms in which the goal, or what is promised, depends on the run length because a line grows."""
    wanted = [kpi for kpi in design.kpis if kpi.id in {goal.kpi.id, *(each.kpi for each in promises)}]
    return [arm for arm in design.options if unstable(design.cells[arm, future].plan, design.offset, wanted)]


def _asked_design(
    design: Design, asked: Asked, future: str, indifference: float, promises: Sequence[Promise]
) -> Design:
    """Return the design with what tells this search from others."""
    question = (
        *(asked.goal, asked.method, *(each.text for each in promises), *asked.budgets),
        *(f"{asked.probability:g}", f"{asked.tolerance:g}", f"{indifference:g}"),
        *(str(asked.most), str(asked.runs), str(asked.first)),
    )
    words = [
        slug(asked.goal),
        *([asked.method] if asked.method != "kn" else []),
        *([slug(future)] if asked.future else []),
    ]
    return replace(
        design,
        kind="best",
        level=asked.level,
        futures=tuple(each for each in design.futures if each.name == future),
        cells={pair: cell for pair, cell in design.cells.items() if pair[1] == future},
        asked=(*words, *design.asked),
        question=question,
        precision=None,  # a search ends by its own rule
    )


def _estimate(runs: Searched, choice: Choice, level: float) -> Estimate | None:
    """Return the chosen arm, and what it changes against the baseline, on runs that nothing was chosen by."""
    if not choice.best:
        return None
    design = runs.design
    seed, base = design.seed + 1, design.baseline
    arms = dict.fromkeys([base, choice.best], design.replications)
    columns = {arm: [runs.value(run) for run in own] for arm, own in runs.read(arms, seed).items()}
    missing = any(map(math.isnan, columns[choice.best]))
    value = interval([] if missing else columns[choice.best], level)
    difference = None
    if choice.best != base and not missing and not any(map(math.isnan, columns[base])):
        grows = unstable(design.cells[base, runs.future].plan, design.offset, [runs.goal.kpi])
        difference = None if grows else paired(columns[base], columns[choice.best], level)
    return Estimate(value, difference, base, seed, design.replications)


def _figures(
    asked: Asked, runs: Searched, found: Found, folder: Path, say: Words, formats: Sequence[str]
) -> list[Path]:
    """Draw the arms and the chosen one, in the language that was asked for; return the files."""
    from zonesim.briefing.figures.best import best_figure  # noqa: PLC0415  matplotlib is slow to import
    from zonesim.jobs.drawing import drawn  # noqa: PLC0415

    design = runs.design
    best = found.choice.best
    counted = runs.read({best: found.means[best].n}, design.seed)[best]
    return drawn(
        design,
        dict.fromkeys(design.options, counted),  # what captions count are the runs of the best
        say,
        folder,
        lambda context: {"best": best_figure(context, found, list(design.options), asked.probability)},
        formats=formats,
    )


def _keep(asked: Asked, design: Design, folder: Path, found: Found) -> None:
    """Keep the briefing on what was found."""
    from zonesim.briefing.brief.answers import best_briefing  # noqa: PLC0415  matplotlib is slow to import

    words = ["best", str(asked.file), "--goal", asked.goal, *settings_words(asked.settings)]
    words += ["--indifference", asked.indifference] if asked.indifference else []
    words += [word for text in asked.promises for word in ("--promise", text)]
    words += [word for text in asked.budgets for word in ("--budget", text)]
    words += ["--at", asked.future] if asked.future else []
    words += ["--method", asked.method, "--runs", str(asked.runs)] if asked.runs is not None else []
    if asked.method == "kn":
        words += ["--probability", f"{100 * asked.probability:g}", "--tolerance", f"{100 * asked.tolerance:g}"]
        words += ["--most", str(asked.most)]
    words += [
        "--replications",
        str(design.replications),
        "--seed",
        str(design.seed),
        "--level",
        f"{100 * asked.level:g}",
    ]
    keep_answer(
        folder,
        design,
        {},
        design.replications,
        words,
        lambda frame: best_briefing(frame, found, list(design.options), asked.probability),
    )


def _written(
    asked: Asked,
    design: Design,
    folder: Path,
    found: Found,
    drawn: Sequence[Path],
    notes: list[str],
    say: Words,
) -> Job:
    """Write what was found into the folder of the run, and return it for people."""
    run = run_id(design)
    if asked.method == "ocba" and design.world.scenario().promises:
        notes.append("what the scenario promises is not asked for: a budget of runs is spent on the goal alone")
    document = {
        "run": run,
        "experiment": design.name,
        "future": design.futures[0].name,
        "settings": list(asked.settings),
        "seed": design.seed,
        "level": asked.level,
        **best_document(found),
        "files": [TABLE, *(path.name for path in drawn)],
    }
    table, kept_in = folder / TABLE, folder / DOCUMENT
    write_table(table, COLUMNS, best_rows(found, run))
    write_text(kept_in, to_json(document) + "\n")
    _keep(asked, design, folder, found)
    name = say.label(design.label, design.name)
    lines = best_text(
        say,
        found,
        name=name,
        run=run,
        seed=design.seed,
        arms=list(design.options),
        probability=asked.probability,
        called=called(design, say),
    )
    lines[2:2] = arm_lines(arms_of(design), design.world)  # behind the title and the number of the run
    return Job(document, "\n".join([*lines, "", *map(str, (table, kept_in, *drawn))]), notes)
