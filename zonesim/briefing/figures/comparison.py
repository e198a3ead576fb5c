"""The figures of a comparison, each a slide in a file of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from matplotlib.figure import Figure

from zonesim.briefing.figures import COMPARED, FIGURES, style
from zonesim.briefing.figures.context import FigureContext
from zonesim.briefing.folders import file_names

__all__ = ["FigureContext", "draw_all", "figures", "save_all"]


def figures(context: FigureContext) -> dict[str, Figure]:
    """Return every figure that the results allow, by the name of its file."""
    return {name: figure for name, figure in attempt(context).items() if not isinstance(figure, str)}


def attempt(context: FigureContext) -> dict[str, Figure | str]:
    """Return every figure by the name of its file, or in words why the results do not allow it."""
    found: dict[str, Figure | str] = {}
    with style.look(context.language):
        for name, place in FIGURES.items():
            module, _, function = place.partition(":")
            drawn = getattr(import_module(f"zonesim.briefing.figures.{module}"), function)(context)
            found |= drawn if isinstance(drawn, dict) else {name: drawn}
    return found


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
