"""The figures of a comparison, each a slide in a file of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from zonesim.briefing.figures import style
from zonesim.briefing.figures.context import FigureContext
from zonesim.briefing.figures.dwell import dwell_figure
from zonesim.briefing.figures.effects import effects_figures
from zonesim.briefing.figures.gate import gate_figure
from zonesim.briefing.figures.process_map import map_figures
from zonesim.briefing.figures.stages import stages_figure
from zonesim.briefing.figures.waterfall import waterfall_figure
from zonesim.briefing.figures.week import week_figure
from zonesim.briefing.figures.zones import zones_figure
from zonesim.briefing.folders import COMPARED, file_names

__all__ = ["FigureContext", "draw_all", "figures", "save_all"]


def figures(context: FigureContext) -> dict[str, Figure]:
    """Return every figure that the results allow, by the name of its file."""
    return {name: figure for name, figure in attempt(context).items() if not isinstance(figure, str)}


def attempt(context: FigureContext) -> dict[str, Figure | str]:
    """Return every figure by the name of its file, or in words why the results do not allow it."""
    with style.look(context.language):
        maps = map_figures(context)
        found: dict[str, Figure | str] = {"process_map": maps} if isinstance(maps, str) else {**maps}
        effects = effects_figures(context)
        found |= {"effects": effects} if isinstance(effects, str) else effects
        found["dwell"] = dwell_figure(context)
        found["stages"] = stages_figure(context)
        found["gate_queue"] = gate_figure(context)
        found["week"] = week_figure(context)
        found["waterfall"] = waterfall_figure(context, parts_of(context))
        found["zones"] = zones_figure(context)
    return found


def parts_of(context: FigureContext) -> dict[str, frozenset[str]]:
    """Return what each arm is made of: its measures with their parameters."""
    return {
        name: frozenset(f"{each.measure} {each.limits()}" for each in arm.arm.measures)
        for name, arm in context.arms.items()
    }


def draw_all(folder: Path, context: FigureContext) -> list[Path]:
    """Draw every figure that the results allow as PNG into `folder`, in place of earlier ones; return the paths."""
    return save_all(folder, figures(context), context, COMPARED)


def save_all(
    folder: Path,
    drawn: Mapping[str, Figure],
    context: FigureContext,
    stale: Sequence[str],
    formats: Sequence[str] = ("png",),
) -> list[Path]:
    """
    Write figures into `folder` in each format and return the paths.

    Files of the same language and format called like `stale` (patterns) are taken away. Chinese figures have
    `_zh` behind their names.
    """
    end = "" if context.language == "en" else f"_{context.language}"
    paths = []
    with style.look(context.language):
        for kind in formats:
            for name, figure in zip(file_names(drawn), drawn.values(), strict=True):
                path = folder / f"{name}{end}.{kind}"
                style.save(figure, path)
                paths.append(path)
            for old in {path for pattern in stale for path in folder.glob(f"{pattern}{end}.{kind}")}.difference(paths):
                if end or not old.stem.endswith("_zh"):
                    old.unlink()
    return paths
