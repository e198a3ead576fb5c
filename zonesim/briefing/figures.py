"""The figures of a comparison, each a slide in a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from zonesim.briefing import style
from zonesim.briefing.context import FigureContext
from zonesim.briefing.dwell_figure import dwell_figure
from zonesim.briefing.gate_figure import gate_figure
from zonesim.briefing.map_figure import map_figures
from zonesim.briefing.stages_figure import stages_figure

__all__ = ["FigureContext", "draw_all", "figures"]


FILES: Final = ("process_map_*", "dwell", "stages", "gate_queue")


def figures(context: FigureContext) -> dict[str, Figure]:
    """Return every figure that the results allow, by the name of its file."""
    with style.look():
        found = map_figures(context)
        others = {"dwell": dwell_figure(context), "stages": stages_figure(context), "gate_queue": gate_figure(context)}
    return found | {name: figure for name, figure in others.items() if figure is not None}


def draw_all(folder: Path, context: FigureContext) -> list[Path]:
    """Draw every figure that the results allow as PNG into `folder`, in place of earlier ones; return the paths."""
    for stale in (path for pattern in FILES for path in folder.glob(f"{pattern}.png")):
        stale.unlink()
    paths = []
    with style.look():
        for name, figure in figures(context).items():
            path = folder / f"{name}.png"
            figure.savefig(path, dpi=style.DPI, metadata={"Software": "zonesim"})
            paths.append(path)
    return paths
