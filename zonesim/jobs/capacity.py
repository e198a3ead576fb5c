"""The job of `capacity`: how many times its demand every arm carries while promises hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from zonesim.analysis import (
    TOLERANCE,
    Bound,
    Limit,
    Look,
    Promise,
    bound_of,
    interval,
    limit_of,
    next_multiples,
    paired,
    promise,
    written_promise,
)
from zonesim.briefing.folders import results_folder, set_aside
from zonesim.briefing.tables.capacity import Carried, Used, capacity_document, capacity_rows, capacity_text
from zonesim.briefing.text.documents import to_json
from zonesim.briefing.text.values import level_text
from zonesim.briefing.text.words import Language, Words, language_named
from zonesim.experiment import (
    SHARED,
    USUAL_LEVEL,
    Design,
    Execution,
    Future,
    Store,
    plain_design,
    run_id,
    setting_of,
    slug,
)
from zonesim.faults import Faults, Place, ScenarioFault
from zonesim.jobs.job import Job
from zonesim.jobs.trials import Trials, Tried
from zonesim.kpi import Kpi, RunResult, catalogue
from zonesim.policy import Demand, ResolvedTree, arms_for, demand_of, open_world
from zonesim.writing import make_folder, write_table, write_text

DOCUMENT: Final = "capacity.json"
TABLE: Final = "capacity.csv"

WORK_KPIS: Final = ("all.work.first", "all.work.last")
"""Work in system in the first and in the last week of the window."""


@dataclass(frozen=True)
class Question:
    """What is asked: of which file and arms (None: all measures), which promises, how, and how near."""

    file: Path
    names: Sequence[str] | None
    settings: Sequence[str]
    promises: Sequence[str]
    replications: int
    seed: int
    level: float = USUAL_LEVEL
    tolerance: float = TOLERANCE
    figures: bool = True


@dataclass
class Search:
    """The search for the limits of all arms: what was looked at so far."""

    demand: Demand
    trials: Trials
    promises: tuple[Promise, ...]
    bounds: Mapping[str, Bound]
    tolerance: float
    looks: dict[str, list[Look]] = field(default_factory=dict)
    tried: dict[tuple[str, float], Tried] = field(default_factory=dict)

    def go(self) -> None:
        """Look at multiple after multiple until every limit is known to the tolerance."""
        self.looks = {arm: [] for arm in self.bounds}
        while wanted := {arm: found for arm in self.looks if (found := self._wanted(arm))}:
            futures = {
                arm: [future_of(self.demand, multiple) for multiple in multiples] for arm, multiples in wanted.items()
            }
            tries = self.trials.run(futures)
            for arm, multiples in wanted.items():
                for multiple, future in zip(multiples, futures[arm], strict=True):
                    tried = tries[arm, future.name]
                    self.tried[arm, multiple] = tried
                    self.looks[arm].append(look_of(multiple, tried, self.promises))

    def limit(self, arm: str) -> Limit:
        """Return the limit of an arm."""
        return limit_of(self.looks[arm], self.promises, self.trials.replications)

    def used(self, arm: str, multiple: float) -> Used:
        """Return what is used most, and where most wait, in the runs at the greatest multiple up to a limit."""
        run = [look.multiple for look in self.looks[arm] if not look.loaded]
        below = [each for each in run if each <= multiple] or run
        if not below:
            return Used()
        tried = self.tried[arm, max(below) if max(below) <= multiple else min(below)]
        return used_most(tried)

    def _wanted(self, arm: str) -> list[float]:
        return next_multiples(
            self.looks[arm], self.promises, self.bounds[arm], self.trials.replications, self.tolerance
        )


def capacity_job(question: Question, how: Execution, out: Path, language: str = "en") -> Job:
    """
    Search the largest multiple of demand that every arm carries, and write table, document and figure to a folder.

    Promises of the command stand in place of those of the scenario. Raises Faults before anything runs, RunFault where
    a replication fails.
    """
    speaking = language_named(language)
    world = open_world(question.file, question.settings)
    demand = demand_of(world)
    option = f"--measures {','.join(question.names or ())}"
    arms = arms_for(world, question.names, option)
    design = plain_design(
        question.file,
        world,
        arms,
        question.settings,
        seed=question.seed,
        replications=question.replications,
        level=question.level,
        kind="capacity",
        asked=[slug("-".join(["measures", *question.names]))] if question.names is not None else [],
    )
    promises = promises_of(world, question.promises, {kpi.id: kpi for kpi in design.kpis})
    design = replace(design, question=(*(each.text for each in promises), f"tolerance {question.tolerance:g}"))
    if question.promises:
        design.asked = (*design.asked, *(slug(each.kpi.rpartition(".")[0]) for each in promises))
    folder = results_folder(out, design)
    trials = Trials(
        question.file,
        world,
        {arm.name: arm for arm in arms},
        question.settings,
        question.seed,
        question.replications,
        how,
        Store.below(out, SHARED),
    )
    bounds = {name: bound_of(cell.plan, design.offset) for (name, _), cell in design.cells.items()}
    search = Search(demand, trials, promises, bounds, question.tolerance)
    search.go()
    carried = _carried(search, question.level)
    return _written(question, design, search, carried, folder, speaking)


def promises_of(world: ResolvedTree, written: Sequence[str], kpis: Mapping[str, Kpi]) -> tuple[Promise, ...]:
    """Return the promises of the command, or where it has none those of the scenario; raises Faults."""
    found: list[Promise] = []
    faults: list[ScenarioFault] = []
    for text in written:
        try:
            found.append(written_promise(text, kpis))
        except ScenarioFault as fault:
            faults.append(fault)
    for name, rule in world.scenario().promises.items() if not written else ():
        most = rule.most is not None
        key = "most" if most else "least"
        label = tuple((str(language), text) for language, text in rule.label.items())
        try:
            place, at = (world.place(("promises", name, each)) for each in ("kpi", key))
            found.append(
                promise(name, rule.kpi, getattr(rule, key), most=most, kpis=kpis, place=place, at=at, label=label)
            )
        except ScenarioFault as fault:
            faults.append(fault)
    names = [each.name for each in found]
    faults += [
        ScenarioFault(f"'{name}' is promised twice", Place("--promise"), "Keep one of them.")
        for name in {name for name in names if names.count(name) > 1}
    ]
    if faults:
        raise Faults(faults)
    return tuple(found)


def future_of(demand: Demand, multiple: float) -> Future:
    """Return the future with so many times the demand."""
    place = Place("a multiple of demand")
    edits = demand.edits(multiple) if multiple != 1 else []
    return Future(tuple(setting_of(path, by, factor=True, by=place.file, place=place) for path, by in edits))


def look_of(multiple: float, tried: Tried, promises: Sequence[Promise]) -> Look:
    """Return what was tried at a multiple as the search sees it."""
    if tried.loaded:
        return Look(multiple, tried.loaded)
    values = {each.name: np.array([kept(each, run) for run in tried.runs]) for each in promises}
    first, last = (np.array([run.values[key] for run in tried.runs if key in run.values]) for key in WORK_KPIS)
    return Look(multiple, (), values, first, last)


def kept(each: Promise, run: RunResult) -> float:
    """Return the KPI of a promise in a run: nan where nobody came, beyond every limit where it is withheld."""
    if each.kpi in run.withheld:
        return math.inf if each.most else -math.inf
    return run.values.get(each.kpi, math.nan)


def used_most(tried: Tried) -> Used:
    """Return the resource that is used most, and the one in front of which most wait, on average over the runs."""
    means: dict[str, list[tuple[float, str]]] = {"resource utilisation": [], "resource queue": []}
    for kpi in catalogue(tried.cell.plan):
        if kpi.definition.kind in means and kpi.definition.statistic in {"value", "mean"}:
            value = interval([run.values[kpi.id] for run in tried.runs]).value
            if not math.isnan(value):
                means[kpi.definition.kind].append((value, kpi.subject))
    (share, busiest), (tokens, longest) = (max(own, default=(math.nan, "")) for own in means.values())
    return Used(busiest, share, longest, tokens)


def _carried(search: Search, level: float) -> list[Carried]:
    """Return what every arm carries, beside the first one."""
    found: list[Carried] = []
    for arm, bound in search.bounds.items():
        limit = search.limit(arm)
        difference, ratio = None, None
        if found and not any(each.below or each.above for each in (limit, found[0].limit)):
            base = found[0].limit.multiples
            difference = paired(base.tolist(), limit.multiples.tolist(), level)
            ratio = interval((limit.multiples / base).tolist(), level)
        used = search.used(arm, float(limit.multiples.mean()))
        looks = tuple(sorted(search.looks[arm], key=lambda look: look.multiple))
        found.append(Carried(arm, limit, limit.mean(level), difference, ratio, bound, used, looks))
    return found


def _written(
    question: Question, design: Design, search: Search, carried: Sequence[Carried], folder: Path, language: Language
) -> Job:
    """Write what was found into the folder of the run, and return it for people."""
    say = Words(language, level=level_text(question.level))
    run = run_id(design)
    notes = [*design.notes(), *(f"warning: {text}" for text in _fixed(search.demand))]
    make_folder(folder)
    notes += set_aside(folder, DOCUMENT, run)
    document = {
        "run": run,
        "scenario": design.name,
        "settings": list(question.settings),
        "seed": question.seed,
        "replications": question.replications,
        "level": question.level,
        "tolerance": question.tolerance,
        **capacity_document(carried, search.promises, question.level),
        "fixed": list(search.demand.fixed),
        "files": [TABLE],
    }
    head, rows = capacity_rows(carried, run)
    write_table(folder / TABLE, head, rows)
    write_text(folder / DOCUMENT, to_json(document) + "\n")
    label = say.label(search.trials.world.scenario().label, design.name)
    title = say("capacity.title", name=label, n=question.replications, seed=question.seed)
    text = [title, say("capacity.run", run=run), *capacity_text(say, carried, search.promises)]
    return Job(document, "\n".join([*text, "", str(folder / TABLE), str(folder / DOCUMENT)]), notes)


def _fixed(demand: Demand) -> list[str]:
    """Return what is to be said of traffic that is not multiplied."""
    if not demand.fixed:
        return []
    names = ", ".join(demand.fixed)
    return [f"traffic {names}: listed or counted arrivals stay as they are written, whatever demand is multiplied by"]
