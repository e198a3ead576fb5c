"""How busy a week is before anything has run: the load of every resource by hour of the week, as a slide."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from zonesim.briefing.figures import style
from zonesim.briefing.figures.context import FigureContext
from zonesim.plan import Load, compile_plan, loads, monday_offset

MOST_ROWS: Final = 18
NAMES: Final = 3.2
"""Most resources on one slide, and most inches for their names."""

FULL: Final = 1.0
BUSY: Final = LinearSegmentedColormap.from_list("busy", ["#ffffff", "#c9dff0", "#5f9fcf", "#0b4f86"])
OVER: Final = "#d55e00"
UNKNOWN: Final = "#e6e6e6"
"""From idle to full; hours with more work than units are of another colour, and so is what is not known."""


def load_figure(context: FigureContext) -> Figure | str:
    """Draw the loads of the baseline from the traffic equations, or say why not."""
    say = context.say
    arm = context.arms[context.baseline]
    plan = compile_plan(arm)
    found = loads(plan, monday_offset(arm.scenario.clock.start))
    if not found:
        return say("loads.none")
    found.sort(key=lambda load: (not load.is_known, -load.low))
    shown = found[:MOST_ROWS]
    names = [str(plan.names.resources[load.resource]) for load in shown]
    titles, letters = style.wrapped([context.place_words(name) for name in names], NAMES, style.NORMAL, lines=1)
    left_out = len(found) - len(shown)
    notes = [
        say("loads.definition"),
        say("loads.over"),
        *([say("loads.more", n=left_out)] if left_out else []),
    ]
    figure = context.slide(_finding(context, shown[0], titles[0]), notes)
    left = max(style.width_of(title, letters) for title in titles) + 0.15
    axes = style.panels(figure, 1, 1, left=left, above=0.45, below=0.45)[0]
    box = axes.get_position()
    figures_room = 1.35 / style.WIDTH
    axes.set_position((box.x0, box.y0, box.width - figures_room, box.height))
    _draw(axes, context, shown)
    axes.set_yticks(range(len(shown)), titles, fontsize=letters)
    return figure


def _finding(context: FigureContext, fullest: Load, place: str) -> str:
    """Return which resource is the fullest, and how full; it is no estimate, so there is no interval."""
    if not fullest.is_known:
        return context.say("loads.title")
    least = "≥ " if fullest.waits else ""
    mean, peak = style.percent(round(fullest.mean, 3)), style.percent(round(fullest.peak, 3))
    return context.say("loads.found", place=place, mean=f"{least}{mean}", peak=peak)


def _draw(axes: Axes, context: FigureContext, shown: list[Load]) -> None:
    say = context.say
    table = np.array([load.hourly if load.is_known else np.full(168, np.nan) for load in shown])
    colours = BUSY(np.clip(table, 0, FULL))
    colours[table > FULL] = [*style.rgb(OVER), 1.0]
    colours[np.isnan(table)] = [*style.rgb(UNKNOWN), 1.0]
    axes.imshow(colours, aspect="auto", extent=(0, 168, len(shown) - 0.5, -0.5), interpolation="nearest")
    for row, load in enumerate(shown):
        words = say("loads.unknown")
        if load.is_known:
            least = "≥ " if load.waits else ""
            mean, peak = style.percent(round(load.mean, 3)), style.percent(round(load.peak, 3))
            words = say("loads.row", mean=f"{least}{mean}", peak=peak)
        axes.text(170, row, words, ha="left", va="center_baseline", fontsize=style.NORMAL)
    axes.text(170, -0.8, say("loads.head"), ha="left", va="bottom", fontsize=style.SMALL, color=style.PALE)
    for row in range(1, len(shown)):
        axes.axhline(row - 0.5, color="white", linewidth=1.5)
    style.week_axis(axes, say)
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
