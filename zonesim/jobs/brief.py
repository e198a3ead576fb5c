"""The job of `zonesim brief`: from a scenario, an experiment or a results folder to documents for people who decide."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zonesim.analysis import Costs, bound_of, compared, costs_of, gains, points, prices_of
from zonesim.briefing.brief.build import briefing_of
from zonesim.briefing.brief.docx import write_docx
from zonesim.briefing.brief.facts import Facts
from zonesim.briefing.brief.html import write_html
from zonesim.briefing.brief.kept import KEPT, kept_briefings
from zonesim.briefing.brief.model import Briefing
from zonesim.briefing.brief.pdf import check_typst, write_pdf
from zonesim.briefing.brief.pictures import can_draw
from zonesim.briefing.brief.pptx import write_pptx
from zonesim.briefing.brief.xlsx import write_xlsx
from zonesim.briefing.figures.fonts import REMEDY
from zonesim.briefing.tables.control import control_told
from zonesim.briefing.text.arm_names import everything_in
from zonesim.briefing.text.words import LANGUAGES, language_named
from zonesim.experiment import (
    INPUTS,
    MOST_AT_AN_END,
    STUDY,
    USUAL_LEVEL,
    USUAL_REPLICATIONS,
    USUAL_SEED,
    Design,
    Execution,
    Results,
    complete,
    draft_experiment,
    ends_of_doubts,
    is_experiment,
    load_results,
    plain_design,
    recall_design,
    unlimited_units,
)
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.jobs.doubted import numbers_of
from zonesim.jobs.job import Job, settings_words
from zonesim.jobs.run import run_job
from zonesim.jobs.sweep import sweep_job
from zonesim.policy import ResolvedArm, arms_for, open_world
from zonesim.scenario import read_file
from zonesim.stopping import keep
from zonesim.units import DAY, parse
from zonesim.writing import make_folder

BOTH: Final = "both"

NAME: Final = "briefing"
"""What the files are called, with the language behind it."""

Writer = Callable[[Path, Briefing], None]

WRITERS: Final[Mapping[str, Writer]] = {
    "html": write_html,
    "docx": write_docx,
    "pptx": write_pptx,
    "xlsx": write_xlsx,
    "pdf": write_pdf,
}
"""By the end of the names of files."""

MOST_REPORTED: Final = 8
"""KPIs of an experiment that are told in every future."""

KINDS: Final = ("compare", "run", "sweep")
"""Kinds of results that a briefing can be made of."""


@dataclass(frozen=True)
class Asked:
    """What is to be run where a file is named: which measures (None: all), settings, replications, seed, level."""

    measures: Sequence[str] | None
    settings: Sequence[str]
    replications: int | None
    seed: int | None
    level: float


def brief_job(target: Path, language: str, kinds: str, asked: Asked, how: Execution, out: Path, to: Path | None) -> Job:
    """
    Write briefings on a scenario or an experiment, which are run where `out` does not have their results, or on a
    results folder; each language and format of `kinds` is a file in `to`, or without it in the results folder.

    Raises Faults: an unknown language or format, no results that can be told of, what is missing for a format.
    """
    languages = [*LANGUAGES] if language == BOTH else [language_named(language)]
    writers = _writers(kinds)
    notes: list[str] = []
    if asked.measures is not None and not target.is_dir() and is_experiment(read_file(target)):
        fault = "an experiment names its own measures"
        raise ScenarioFault(fault, Place("--measures"), "Leave it out, or name a scenario.")
    if target.is_dir():
        folder = target
        if asked.settings or asked.measures is not None:
            remedy = "Name the scenario instead, or leave --set and --measures out."
            raise ScenarioFault("results have been computed already", Place(str(target)), remedy)
    else:
        stored = _stored(target, asked, out)
        if stored is None:
            job = _run(target, asked, how, out)
            if not isinstance(job.document.get("run"), dict):
                return job  # interrupted, or nothing was finished
            stored, notes = Path(job.document["run"]["folder"]), job.notes
        folder = stored
    told: list[str] = []
    if not (folder / STUDY).is_file() and (folder / KEPT).is_file():
        kept = kept_briefings(folder)
        made, run = {each: kept[each] for each in languages}, kept[languages[0]].run
    else:
        results = load_results(folder)
        facts, told = facts_of(results)
        made, run = {each: briefing_of(facts, each) for each in languages}, results.run
    into = folder if to is None else to
    make_folder(into)
    paths = []
    for each, briefing in made.items():
        end = f"-{run}" if to is not None and to.resolve() != folder.resolve() else ""
        for kind, write in writers.items():
            path = into / f"{NAME}_{each}{end}.{kind}"
            write(path, briefing)
            keep(f"{path} and what was written before it is kept")
            paths.append(str(path))
    if {"docx", "pdf"} & set(writers) and not all(map(can_draw, languages)):
        told.append(f"no font with Chinese letters: Word gets no pictures, PDF no Chinese letters. {REMEDY}")
    first = made[languages[0]]
    document = {
        "run": run,
        "folder": str(folder),
        "files": paths,
        "findings": {each: list(briefing.findings) for each, briefing in made.items()},
    }
    lines = [first.title, *(f"- {text}" for text in first.findings), "", *paths]
    return Job(document, "\n".join(lines), [*notes, *told])


def _writers(given: str) -> dict[str, Writer]:
    """Return the writers of a list such as `html,docx`; raises UnknownName."""
    names = list(dict.fromkeys(part.strip().lower() for part in given.split(",") if part.strip())) or ["html"]
    for name in names:
        if name not in WRITERS:
            raise UnknownName(f"no format '{name}'", Place("--to"), suggest(name, WRITERS, "formats"))
    if "pdf" in names:
        check_typst()
    return {name: WRITERS[name] for name in names}


def _stored(file: Path, asked: Asked, out: Path) -> Path | None:
    """
    Return the folder of results in `out` that running a file would find done: of the same plans, all finished.

    The plans of the first future are compared, which takes a second; building all of a comparison takes many.
    """
    wanted = _first_future(file, asked)
    for study in sorted(out.glob(f"*/{STUDY}")):
        with suppress(ScenarioFault):
            results = load_results(study.parent)
            if _is_of(results, wanted) and _is_complete(results, wanted):
                return study.parent
    return None


def _first_future(file: Path, asked: Asked) -> Design:
    """Return the design of what is asked for, of its first future alone; raises Faults."""
    if is_experiment(read_file(file)):
        design, wanted = draft_experiment(
            file, asked.settings, seed=asked.seed, replications=asked.replications, level=asked.level
        )
        design.futures = design.futures[:1]
        return complete(design, wanted)
    world = open_world(file, asked.settings)
    return plain_design(
        file,
        world,
        arms_for(world, asked.measures),
        asked.settings,
        seed=USUAL_SEED if asked.seed is None else asked.seed,
        replications=USUAL_REPLICATIONS if asked.replications is None else asked.replications,
        level=asked.level,
        parts=False,
        doubts=False,
    )


def _is_of(results: Results, wanted: Design) -> bool:
    """Return whether results are those of a design, as far as its first future tells."""
    first = wanted.futures[0].name
    return (
        (results.kind, results.name, results.given) == (wanted.kind, wanted.name, wanted.given)
        and (results.seed, results.level, list(results.arms)) == (wanted.seed, wanted.level, list(wanted.options))
        and (wanted.precision is not None or results.replications == wanted.replications)
        and next(iter(results.futures)) == first
        and all(results.cells[arm, first].key == wanted.cells[arm, first].key for arm in wanted.options)
        and all(results.cells[arm, first].tree == wanted.cells[arm, first].tree for arm in wanted.options)
    )


def _is_complete(results: Results, wanted: Design) -> bool:
    """Return whether all that a run makes is there: every replication, and what is run beside a comparison."""
    if results.failures or any(
        len(cell.replications) < (MOST_AT_AN_END if name in results.beside else results.replications)
        for (_, name), cell in results.cells.items()
    ):
        return False
    if wanted.kind == "sweep":
        inputs = results.folder / INPUTS / "experiment.yaml"
        return inputs.is_file() and inputs.read_bytes() == wanted.inputs["experiment.yaml"]
    if len(wanted.options) == 1:
        return True
    beside = {unlimited_units().name, *(each.name for each in ends_of_doubts(wanted.world))}
    return beside == set(results.beside)


def _run(file: Path, asked: Asked, how: Execution, out: Path) -> Job:
    """Run what `out` does not have of a scenario or an experiment."""
    if is_experiment(read_file(file)):
        return sweep_job(file, asked.settings, asked.replications, asked.seed, how, out, asked.level)
    return run_job(
        file,
        asked.measures,
        asked.settings,
        USUAL_REPLICATIONS if asked.replications is None else asked.replications,
        USUAL_SEED if asked.seed is None else asked.seed,
        how,
        out,
        only=False,
        with_figures=False,
        level=asked.level,
    )


# --- what a briefing is made from


def facts_of(results: Results) -> tuple[Facts, list[str]]:
    """
    Return what there is to tell of the first future of some results, and what is to be said of that: what this version
    cannot read any more is not told.

    Raises ScenarioFault for results of another kind, or of which no replication is finished in every arm.
    """
    place = Place(str(results.folder))
    if results.kind not in KINDS:
        fault = f"holds results of `{results.kind}`, of which there is no briefing"
        raise ScenarioFault(fault, place, "Name a folder of compare, run or sweep.")
    future = next(iter(results.futures))
    if not results.common(future):
        fault = "no replication is finished in all arms"
        raise ScenarioFault(fault, place, "Run the same command again to go on.")
    notes: list[str] = []
    design: Design | None = None
    try:
        design = recall_design(results, whole=False)
    except ScenarioFault:
        notes.append(
            f"{results.folder}: this version cannot read what was run, so labels, loads and costs are left out"
        )
    runs = {arm: results.runs(arm, future) for arm in results.arms}
    comparison = compared(results, future, _told(results, design), runs)
    arms = dict(design.resolved) if design is not None else {}
    bounds = (
        {arm: bound_of(design.cells[arm, future].plan, design.offset) for arm in results.arms}
        if design is not None
        else {}
    )
    costs: Costs | None = costs_of(design, comparison, runs) if design is not None else None
    begin, end = design.cells[results.baseline, future].plan.window.tolist()[:2] if design is not None else (0, 0)
    days = (end - begin) / DAY if design is not None else parse(results.clock["measure"], "duration") / DAY

    def column(arm: str, kpi: str) -> list[float]:
        return [run.values.get(kpi, math.nan) for run in runs[arm]]

    known = [results.kpis[name].kpi for name in comparison.arms[results.baseline]]
    return (
        Facts(
            results=results,
            comparison=comparison,
            runs=runs,
            arms=arms,
            bounds=bounds,
            costs=costs,
            gains=gains(comparison, known, column, days) if len(results.arms) > 1 else (),
            control=control_told(results),
            numbers=numbers_of(_with_most(results, arms)) if arms else (),
            everything=everything_in(design.world) if design is not None else frozenset(),
            unfinished=results.failures,
            original=_original(results),
            points=list(points(results, results.reported()[:MOST_REPORTED])) if len(results.futures) > 1 else (),
        ),
        notes,
    )


def _told(results: Results, design: Design | None) -> list[str]:
    """Return the ids of the KPIs that a briefing may tell: none of single steps, but for those that costs count."""
    plain = [name for name, kpi in results.kpis.items() if kpi.kpi.definition.scope != "step"]
    if design is None:
        return plain
    prices = prices_of(design.resolved, design.kpis)
    counted = (kpi for own in prices.values() for each in own for ids, _ in each.terms for kpi in ids)
    return list(dict.fromkeys([*plain, *(kpi for kpi in counted if kpi in results.kpis)]))


def _with_most(results: Results, arms: Mapping[str, ResolvedArm]) -> ResolvedArm:
    """Return the arm with most measures, the last of these, whose numbers are told."""
    return arms[max(reversed(list(results.arms)), key=lambda name: len(results.arms[name].chosen))]


def _original(results: Results) -> str:
    """Return the command that makes the results; empty where no command does, as for arms that Python made."""
    names = [name for name in results.arms if name != results.baseline]
    words = ["zonesim", results.kind, str(results.provenance.get("file", ""))]
    if results.kind != "sweep" and any(each.limits() for arm in results.arms.values() for each in arm.chosen):
        return ""
    if results.kind == "compare" and all(
        len(results.arms[name].chosen) == 1 for name in names[: max(len(names) - 1, 1)]
    ):
        alone = [name for name in names if len(results.arms[name].chosen) == 1]
        words += ["--measures", ",".join(alone)]
    if results.kind == "run" and results.arms[results.baseline].chosen:
        words += ["--arm", results.baseline]
    words += settings_words(results.given)
    usual = results.kind != "sweep"
    words += (
        ["--replications", str(results.replications)] if not usual or results.replications != USUAL_REPLICATIONS else []
    )
    words += ["--seed", str(results.seed)] if not usual or results.seed != USUAL_SEED else []
    words += ["--level", f"{100 * results.level:g}"] if results.level != USUAL_LEVEL else []
    return shlex.join(words)
