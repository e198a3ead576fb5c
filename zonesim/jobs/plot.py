"""The job of `zonesim plot`: which figures a results folder or a scenario gives, and what is not drawn and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure

from zonesim.analysis import Comparison
from zonesim.briefing.figures import style
from zonesim.briefing.figures.comparison import FigureContext, attempt, save_all
from zonesim.briefing.figures.heat import heat_figures
from zonesim.briefing.figures.load import load_figure
from zonesim.briefing.figures.process_map import map_figures
from zonesim.briefing.figures.results_context import results_context
from zonesim.briefing.figures.sweep import sweep_figures
from zonesim.briefing.figures.sweep_grid import Grid
from zonesim.briefing.folders import formats_named
from zonesim.briefing.text.words import Language, language_named
from zonesim.experiment import asked_settings, number_of, told_setting, tree_hash
from zonesim.faults import Place, ScenarioFault
from zonesim.jobs.job import Job
from zonesim.plan import compile_plan
from zonesim.policy import arms_for, open_world, resolve
from zonesim.stopping import keep
from zonesim.writing import make_folder


def plot_job(
    target: Path, language: str, formats: str, out: Path | None, kpis: Sequence[str], settings: Sequence[str]
) -> Job:
    """
    Draw the figures of a results folder, or of a scenario file what needs no run.

    Files go to the results folder, or for a scenario to `results/NAME--scenario` with its number behind it; in another
    folder, `out`, the number stands behind the name of each file. Raises ScenarioFault.
    """
    speaking = language_named(language)
    kinds = formats_named(formats)
    if not target.is_dir():
        return _scenario(target, speaking, kinds, out, kpis, settings)
    if settings:
        raise ScenarioFault("results have been computed already", Place("--set"), "Run again with this --set instead.")
    return _folder(target, speaking, kinds, out, kpis)


def _scenario(
    file: Path, language: Language, kinds: Sequence[str], out: Path | None, kpis: Sequence[str], settings: Sequence[str]
) -> Job:
    """Draw the process maps and the loads of a scenario."""
    if kpis:
        raise ScenarioFault(
            "a scenario has no KPIs to draw before it has run", Place("--kpi"), "Name a results folder instead."
        )
    world = open_world(file, settings)
    arms = {arm.name: resolve(world, arm) for arm in arms_for(world)}
    for arm in arms.values():
        compile_plan(arm)  # a scenario that cannot run is refused here, where its faults are told with their places
    baseline = next(iter(arms))
    told = [told_setting(text) for text in settings]
    run = number_of([told, *map(tree_hash, arms.values())])
    context = FigureContext(arms, {}, Comparison(baseline, {}, ()), (), 0, language, run=run, settings=told)
    found: dict[str, Figure | str] = {}
    with style.look(language):
        maps = map_figures(context)
        found |= {"process_map": maps} if isinstance(maps, str) else maps
        found["loads"] = load_figure(context)
    words = "-".join(["scenario", *asked_settings(settings), run])
    folder = Path("results") / f"{context.arms[baseline].scenario.name}--{words}"
    return _written(folder if out is None else out, found, context, kinds, run if out is not None else "")


def _folder(folder: Path, language: Language, kinds: Sequence[str], out: Path | None, kpis: Sequence[str]) -> Job:
    """Draw what was run: the first future arm by arm, and how the numbers go with what was varied."""
    shown = results_context(folder, language, kpis)
    found = attempt(shown.context)
    tree = shown.context.known.world.tree if shown.context.known is not None else {}
    grid = Grid(shown.results, tree)
    with style.look(language):
        several = len(shown.results.futures)
        futures = shown.context.say("caption.futures", n=several) if several > 1 else ""
        varied = replace(shown.context, future=futures)
        curves, maps = sweep_figures(varied, grid), heat_figures(varied, grid)
    found |= {"sweep": curves} if isinstance(curves, str) else curves
    found |= {"heat": maps} if isinstance(maps, str) else maps
    elsewhere = out is not None and out.resolve() != folder.resolve()
    end = shown.context.run if elsewhere else ""
    job = _written(folder if out is None else out, found, shown.context, kinds, end)
    if shown.changed:
        job.notes.append(shown.context.say("scenario_changed"))
    return job


def _written(
    folder: Path, found: Mapping[str, Figure | str], context: FigureContext, kinds: Sequence[str], end: str
) -> Job:
    """Write what was drawn, `end` behind the name of each file, and say what was not."""
    make_folder(folder)
    keep(f"figures that were drawn are kept in {folder}")
    behind = f"-{end}" if end else ""
    drawn = {f"{name}{behind}": figure for name, figure in found.items() if not isinstance(figure, str)}
    paths = save_all(folder, drawn, context, (), kinds)
    skipped = {name: why for name, why in found.items() if isinstance(why, str)}
    lines = [*map(str, paths), *(context.say("skipped", name=name, why=why) for name, why in skipped.items())]
    document = {"files": [str(path) for path in paths], "skipped": skipped}
    return Job(document, "\n".join(lines))
