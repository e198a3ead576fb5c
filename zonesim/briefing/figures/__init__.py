"""
What people look at: slides, one figure a module.

A figure is a function from a `FigureContext` to a matplotlib figure, to several by the names of their files, or to the
words that say why the results do not allow it. What stands in `FIGURES` is drawn by `compare` and `plot`.
"""

from typing import Final

FIGURES: Final[dict[str, str]] = {
    "process_map": "process_map:map_figures",
    "effects": "effects:effects_figures",
    "dwell": "dwell:dwell_figure",
    "stages": "stages:stages_figure",
    "gate_queue": "gate:gate_figure",
    "week": "week:week_figure",
    "waterfall": "waterfall:waterfall_figure",
    "frontier": "frontier:frontier_figure",
    "zones": "zones:zones_figure",
    "zone_map": "zone_map:zone_map_figure",
}
"""
The figures of arms side by side, in the order in which they are told: the name of the file (`NAME`, or `NAME_…` where
there are several), and the module here with its function.
"""

COMPARED: Final = tuple(pattern for name in FIGURES for pattern in (name, f"{name}_*"))
"""Patterns of the names of their files, without language and format."""

VARIED: Final = ("sweep", "sweep_*", "heat_*")
"""The same of figures of what was varied."""
