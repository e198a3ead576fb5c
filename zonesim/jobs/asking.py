"""What `capacity` is asked, made ready: the scenario, its arms, what is promised, and what runs are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from zonesim.analysis import TOLERANCE, Look, Promise, promise, written_promise
from zonesim.briefing.folders import results_folder
from zonesim.briefing.text.arm_names import arm_lines, arms_of
from zonesim.briefing.text.values import level_text
from zonesim.briefing.text.words import Language, Words, language_named
from zonesim.experiment import SHARED, USUAL_LEVEL, Design, Execution, Store, plain_design, run_id, slug, told_settings
from zonesim.faults import Faults, Place, ScenarioFault
from zonesim.jobs.trials import Trials, Tried
from zonesim.kpi import Kpi, RunResult
from zonesim.policy import Demand, ResolvedTree, arms_for, demand_of, open_world

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


@dataclass(frozen=True)
class Asked:
    """A question made ready; `design`: the arms with the demand as it is written, compiled."""

    question: Question
    world: ResolvedTree
    demand: Demand
    design: Design
    promises: tuple[Promise, ...]
    trials: Trials
    folder: Path
    language: Language


def made_ready(
    question: Question, how: Execution, out: Path, language: str, *, words: Sequence[str] = (), more: Sequence[str] = ()
) -> Asked:
    """
    Return a question made ready. Promises of the command stand in place of those of the scenario.

    `words`: what is asked beyond, as words of a folder's name; `more`: the same for the number of the run. Raises
    Faults with what is wrong, before anything runs.
    """
    speaking = language_named(language)
    world = open_world(question.file, question.settings)
    demand = demand_of(world)
    arms = arms_for(world, question.names, f"--measures {','.join(question.names or ())}")
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
    own = [slug(each.kpi.rpartition(".")[0]) for each in promises] if question.promises else []
    design = replace(
        design,
        question=(*(each.text for each in promises), f"tolerance {question.tolerance:g}", *more),
        asked=(*design.asked, *own, *words),
    )
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
    return Asked(question, world, demand, design, promises, trials, results_folder(out, design), speaking)


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


def not_multiplied(demand: Demand) -> list[str]:
    """Return warnings of traffic that is not multiplied."""
    if not demand.fixed:
        return []
    what = "listed or counted arrivals stay as they are written, whatever demand is multiplied by"
    return [f"warning: traffic {', '.join(demand.fixed)}: {what}"]


def words_of(asked: Asked) -> Words:
    """Return the words in the language that was asked for."""
    return Words(asked.language, level=level_text(asked.question.level))


def head_lines(asked: Asked, phrase: str, **values: object) -> list[str]:
    """Return the first lines for people: what was asked of which scenario, and the number of the run."""
    say, question = words_of(asked), asked.question
    name = say.label(asked.world.scenario().label, asked.design.name)
    title = say(phrase, name=name, n=question.replications, seed=question.seed, **values)
    settings = "; ".join(told_settings(asked.design))
    run = say("capacity.run", run=run_id(asked.design)) + (f", --set {settings}" if settings else "")
    return [title, run, *arm_lines(arms_of(asked.design), asked.world)]


def told(asked: Asked) -> dict[str, Any]:
    """Return what documents say of a question."""
    question = asked.question
    return {
        "run": run_id(asked.design),
        "scenario": asked.design.name,
        "settings": list(question.settings),
        "seed": question.seed,
        "replications": question.replications,
        "level": question.level,
        "fixed": list(asked.demand.fixed),
    }
