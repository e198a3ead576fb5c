"""The job of `zonesim robust`: how the arms of an experiment do over its futures, and where one does not do well."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from zonesim.analysis import (
    Interval,
    Point,
    Promise,
    discovered,
    interval,
    keeps,
    kept_in,
    paired,
    points,
    regrets,
    trajectory,
)
from zonesim.briefing.folders import PNG
from zonesim.briefing.tables.robustness import (
    BOX_COLUMNS,
    COLUMNS,
    Discovery,
    Robust,
    box_rows,
    robust_document,
    robust_rows,
    robust_text,
)
from zonesim.briefing.text.arm_names import arm_lines, arms_of, called
from zonesim.briefing.text.values import level_text, run_document, told_run
from zonesim.briefing.text.words import Words, language_named
from zonesim.experiment import USUAL_LEVEL, Design, Execution, Results, checked_design, slug
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.jobs.asking import promises_of
from zonesim.jobs.goal import Goal, goal_of
from zonesim.jobs.job import Found, Job, run_and_report
from zonesim.plan import Floats
from zonesim.writing import write_table

TABLE: Final = "robustness.csv"
BOXES: Final = "boxes.csv"

LOOKS: Final = ("not-better", "broken")
"""What a box is looked for: futures in which an arm is not surely better, or does not keep its promises."""

FEWEST: Final = 20
"""Futures from which on a box is looked for: of fewer, a slice of a twentieth is no future."""


@dataclass(frozen=True)
class Asked:
    """
    What is asked: of which experiment, with what `goal` (`smallest KPI`), `promises` in place of the scenario's, for
    which of its `arms` a box is looked for (none: all but the baseline), and what it is to hold.
    """

    file: Path
    settings: Sequence[str]
    goal: str
    promises: Sequence[str] = ()
    arms: Sequence[str] = ()
    look_for: str = "not-better"
    replications: int | None = None
    seed: int | None = None
    level: float = USUAL_LEVEL


def robust_job(asked: Asked, how: Execution, out: Path, language: str = "en", formats: Sequence[str] = PNG) -> Job:
    """
    Run what `out` does not have of an experiment, as `sweep` does, and write `robustness.csv`, `boxes.csv` and,
    for `formats`, figures to the folder of that run.

    Raises what `robust_of` raises; UnknownName for a language that there is none of.
    """
    say = Words(language_named(language), level=level_text(asked.level))

    def report(found: Found, told: Robust) -> Job:
        drawn = _figures(found, told, say, formats) if formats else []
        return _written(found, told, drawn, say)

    return robust_of(asked, how, out, report)


def robust_of(asked: Asked, how: Execution, out: Path, report: Callable[[Found, Robust], Job]) -> Job:
    """
    Run what `out` does not have of an experiment, as `sweep` does, and report what its futures tell together.

    Raises Faults; ScenarioFault where there are no futures to tell apart, or no promise to look at; UnknownName for a
    goal, arm or what is looked for that there is none of.
    """
    if asked.look_for not in LOOKS:
        raise UnknownName(f"nothing '{asked.look_for}'", Place("--look-for"), suggest(asked.look_for, LOOKS, "words"))
    design = checked_design(
        asked.file,
        asked.settings,
        lambda draft: _check(draft, asked),
        lambda few: _question(few, asked),
        seed=asked.seed,
        replications=asked.replications,
        level=asked.level,
        how=how,
    )
    goal, promises = _question(design, asked)
    arms = _arms(design, asked)

    return run_and_report(
        design, how, out, lambda found: report(found, _told(found.results, asked, goal, promises, arms))
    )


def _question(design: Design, asked: Asked) -> tuple[Goal, tuple[Promise, ...]]:
    """Return goal and promises, by the KPIs of some arms; raises Faults, ScenarioFault where none could be broken."""
    goal = goal_of(design, asked.goal)
    promises = promises_of(design.world, asked.promises, {kpi.id: kpi for kpi in design.kpis})
    if asked.look_for == "broken" and not promises:
        fault = "there is no promise that could be broken"
        raise ScenarioFault(fault, Place("--look-for"), "Write --promise 'TYP.lanes_in.pass.p95 <= 30 min'.")
    return goal, promises


def _check(design: Design, asked: Asked) -> None:
    """Raise ScenarioFault where there is nothing to compare, UnknownName for an arm that there is none of."""
    if len(design.futures) < 2:  # noqa: PLR2004  robustness is over several
        fault = "one future: whether an arm does well in others cannot be told"
        remedy = "Write futures, e.g. futures: {latin_hypercube: {n: 100, over: doubts}}."
        raise ScenarioFault(fault, Place(str(asked.file)), remedy)
    for name in asked.arms:
        if name not in design.options:
            remedy = suggest(name, design.options, "arms")
            raise UnknownName(f"no arm '{name}' in this experiment", Place("--arms"), remedy)
        if name == design.baseline and asked.look_for == "not-better":
            fault = f"'{name}' is the baseline, which others are compared to"
            raise ScenarioFault(fault, Place("--arms"), "Name another, or ask with --look-for broken.")


def _arms(design: Design, asked: Asked) -> list[str]:
    """Return the arms that a box is looked for."""
    others = [name for name in design.options if name != design.baseline or asked.look_for == "broken"]
    return list(asked.arms) or others


def _told(results: Results, asked: Asked, goal: Goal, promises: Sequence[Promise], arms: Sequence[str]) -> Robust:
    """Return what the futures tell together: those of a sample, where there is one, else all."""
    sampled = [name for name, each in results.futures.items() if each.sample]
    futures = sampled or list(results.futures)
    name = goal.kpi.id
    values = {arm: {future: _values(results, arm, future, name) for future in futures} for arm in results.arms}
    known = [each for each in points(results, [name]) if each.future in futures]
    signs = {arm: _signs(known, arm, goal.sign) for arm in results.arms if arm != results.baseline}
    kept = [
        kept_in(
            arm,
            promise,
            [_interval(results, arm, future, promise.kpi) for future in futures],
            is_sample=bool(sampled),
            level=results.level,
        )
        for promise in promises
        for arm in results.arms
    ]
    names, table = _numbers(results, futures)
    return Robust(
        goal.kpi,
        goal.sign < 0,
        regrets(values, sign=goal.sign, level=results.level),
        kept,
        signs,
        [_discovery(results, arm, futures, values, goal, promises, asked.look_for, names, table) for arm in arms],
        asked.look_for,
        results.baseline,
        futures,
        {each: (float(column.min()), float(column.max())) for each, column in zip(names, table.T, strict=True)},
        _around(results, futures[0], names),
    )


def _written(found: Found, told: Robust, drawn: Sequence[Path], say: Words) -> Job:
    """Write what was found into the folder of the run, and return it for people."""
    results = found.results
    path, boxes = found.folder / TABLE, found.folder / BOXES
    write_table(path, COLUMNS, robust_rows(told, results.run))
    write_table(boxes, BOX_COLUMNS, box_rows(told, results.run))
    head = say(
        "robust.head",
        name=say.label(results.label, results.name),
        arms=len(results.arms),
        futures=len(told.futures),
        n=results.replications,
        seed=results.seed,
    )
    document = {"run": run_document(results), "futures": len(told.futures), **robust_document(told)}
    document["failures"] = list(found.failures)
    arms = arm_lines(arms_of(found.design), found.design.world)
    files = map(str, (path, boxes, *drawn))
    text = "\n".join(
        [head, told_run(results), *arms, "", *robust_text(say, told, called(found.design, say)), "", *files]
    )
    return Job(document, text)


def _figures(found: Found, told: Robust, say: Words, formats: Sequence[str]) -> list[Path]:
    """Draw regrets, and of each arm with a box that box, in the language that was asked for; return the files."""
    from zonesim.briefing.figures.context import FigureContext  # noqa: PLC0415  matplotlib is slow to import
    from zonesim.briefing.figures.robustness import box_figure, regret_figure  # noqa: PLC0415
    from zonesim.jobs.drawing import Figures, drawn  # noqa: PLC0415

    def draw(context: FigureContext) -> Figures:
        boxes = {f"box-{slug(each.arm)}": box_figure(context, told, each) for each in told.discoveries if each.picked}
        return {"regret": regret_figure(context, told), **boxes}

    results = found.results
    runs = {arm: results.runs(arm, told.futures[0], values_only=True) for arm in results.arms}
    return drawn(found.design, runs, say, found.folder, draw, ("box-*",), formats=formats, futures=len(told.futures))


def _signs(known: Sequence[Point], arm: str, sign: int) -> tuple[int, int, int]:
    """Return in how many futures an arm is surely better than the baseline, surely worse, and neither or unknown."""
    found = [each.difference for each in known if each.arm == arm and each.difference is not None]
    above, below = sum(each.low > 0 for each in found), sum(each.high < 0 for each in found)
    better, worse = (below, above) if sign > 0 else (above, below)
    return better, worse, len(found) - better - worse


def _values(results: Results, arm: str, future: str, kpi: str) -> Floats:
    """Return a KPI by replication, nan everywhere where it is not given."""
    column = results.column(arm, future, kpi)
    if results.grows(arm, future, kpi) or results.missing(arm, future, kpi) or not len(column):
        return np.full(max(len(column), 1), math.nan)
    return column


def _interval(results: Results, arm: str, future: str, kpi: str) -> Interval:
    """Return a KPI of an arm in a future, with the reason where it is not given."""
    if results.grows(arm, future, kpi):
        return Interval(math.nan, math.nan, math.nan, 0, "grows")
    if missing := results.missing(arm, future, kpi):
        return Interval(math.nan, math.nan, math.nan, 0, "missing", max(missing), len(missing))
    return interval(results.column(arm, future, kpi).tolist(), results.level)


def _numbers(results: Results, futures: Sequence[str]) -> tuple[list[str], Floats]:
    """Return the numbers that futures differ in, by path, and what each is, shape (futures, numbers)."""
    given = [{path: number for path, _, number in results.futures[future].settings} for future in futures]
    shared = [path for path in given[0] if all(isinstance(each.get(path), float) for each in given)]
    varied = [path for path in shared if len({each[path] for each in given}) > 1]
    table = np.array([[each[path] for path in varied] for each in given], dtype=np.float64)
    return varied, table.reshape(len(futures), len(varied))


def _around(results: Results, future: str, names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return by number what is written before and behind it: `×`, ` %`."""
    found = {}
    for path, text, number in results.futures[future].settings:
        shown = f"{number:.12g}" if isinstance(number, float) else ""
        if path in names and shown and text.count(shown) == 1:
            before, _, behind = text.partition(shown)
            found[path] = before, behind
    return found


def _discovery(
    results: Results,
    arm: str,
    futures: Sequence[str],
    values: dict[str, dict[str, Floats]],
    goal: Goal,
    promises: Sequence[Promise],
    look_for: str,
    names: Sequence[str],
    table: Floats,
) -> Discovery:
    """Return the box of futures in which an arm does not do well."""
    found = [
        _is_broken(results, arm, future, promises)
        if look_for == "broken"
        else _is_no_better(values[results.baseline][future], values[arm][future], goal.sign, results.level)
        for future in futures
    ]
    told = [place for place, each in enumerate(found) if each is not None]
    cases = np.array([bool(found[place]) for place in told], dtype=np.bool_)
    count = int(cases.sum()) if told else 0
    own = table[told]
    numbers = dict(zip(names, own.T, strict=True))
    if len(told) < FEWEST or not names:
        return Discovery(arm, count, len(told), (), None, numbers, cases, "few")
    if count in {0, len(told)}:
        return Discovery(arm, count, len(told), (), None, numbers, cases, "none" if not count else "all")
    boxes, picked = trajectory(names, own, cases), discovered(names, own, cases)
    return Discovery(arm, count, len(told), boxes, picked, numbers, cases)


def _is_broken(results: Results, arm: str, future: str, promises: Sequence[Promise]) -> bool:
    return not all(keeps(_interval(results, arm, future, each.kpi), each)[0] for each in promises)


def _is_no_better(base: Floats, arm: Floats, sign: int, level: float) -> bool | None:
    """
    Return whether an arm is not surely better than the baseline: it is none where it has no value and the baseline has,
    and is where it is the other way round; None where neither has.
    """
    if np.isnan(base).any() or np.isnan(arm).any():
        return None if np.isnan(base).any() and np.isnan(arm).any() else bool(np.isnan(arm).any())
    found = paired((sign * base).tolist(), (sign * arm).tolist(), level)
    return not found.high < 0
