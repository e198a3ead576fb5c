"""Welch's plot as a slide: how many are inside from the very start of a run on, and where it has settled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zonesim.analysis import welch
from zonesim.briefing.figures import style
from zonesim.briefing.figures.context import FigureContext
from zonesim.briefing.text.warm_up import WarmUp
from zonesim.units import DAY, HOUR

MOST_PANELS: Final = 6

_RAW: Final = {"color": "#b4bac1", "linewidth": 0.8}
_AVERAGE: Final = {"color": style.ARMS[1], "linewidth": 2.2}
_GIVEN: Final = {"color": style.INK, "linewidth": 1.4, "linestyle": (0, (1, 1.5))}
_NEEDED: Final = {"color": style.WARN, "linewidth": 1.6}

_DAYS: Final = 4
"""Runs of more days than these have an axis of days, shorter ones one of hours."""


def warm_up_figure(context: FigureContext, found: Sequence[WarmUp], given: int) -> Figure:
    """
    Return a panel a flow (of many the first ones): the number inside, averaged over replications, Welch's moving
    average of it, the warm-up that is `given` (ms), and what MSER leaves out.
    """
    say = context.say
    shown = found[:MOST_PANELS]
    notes = [say("warm_up.note")]
    if len(found) > len(shown):
        notes.append(say("warm_up.more", n=len(found) - len(shown)))
    figure = context.slide(say("warm_up.title"), notes)
    handles = [Line2D([], [], **look) for look in (_RAW, _AVERAGE, _GIVEN, _NEEDED)]  # type: ignore[arg-type]
    labels = [say(f"warm_up.{name}") for name in ("inside", "average", "given", "needed")]
    rows = style.legend_above(figure, handles, labels)
    columns = 1 if len(shown) == 1 else 2
    panels = style.panels(
        figure, -(-len(shown) // columns), columns, left=0.85, above=0.34, below=0.55, gap=0.3, top=0.28 * rows
    )
    for own, axes in zip(shown, panels, strict=False):
        _draw(context, axes, own, given)
    for axes in panels[len(shown) :]:
        axes.remove()
    return figure


def _draw(context: FigureContext, axes: Axes, own: WarmUp, given: int) -> None:
    unit, name = (DAY, "days") if len(own.inside) * own.step > _DAYS * DAY else (HOUR, "hours")
    instants = (np.arange(len(own.inside)) + 0.5) * own.step / unit
    axes.plot(instants, own.inside, **_RAW)  # type: ignore[arg-type]
    if len(own.inside) // 2 >= own.window:
        average = welch(own.inside.tolist(), own.window)
        axes.plot(instants[: len(average)], average, zorder=3, **_AVERAGE)  # type: ignore[arg-type]
    axes.axvline(given / unit, zorder=4, **_GIVEN)  # type: ignore[arg-type]
    if own.needed is not None:
        axes.axvline(own.needed / unit, zorder=4, **_NEEDED)  # type: ignore[arg-type]
    axes.set_xlim(0, len(own.inside) * own.step / unit)
    axes.set_ylim(0, None)
    style.title(axes, context.flow_title(own.flow), above=0.1)
    axes.set_xlabel(context.say(f"warm_up.{name}"), fontsize=style.SMALL)
    axes.set_ylabel(context.say("warm_up.axis"), fontsize=style.SMALL)
    axes.grid(visible=True, axis="y", color=style.RULE, linewidth=0.8)
