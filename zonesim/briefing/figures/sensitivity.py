"""The tornado as a slide: what a KPI is with each doubted number at its low and at its high end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from zonesim.analysis import Influence, Sensitivity
from zonesim.briefing.figures import marks, style
from zonesim.briefing.figures.context import FigureContext
from zonesim.briefing.figures.influence import finding, more_notes, moving_of
from zonesim.briefing.text.varied_words import path_words
from zonesim.kpi import Kpi

HEIGHT: Final = 0.62
"""Of a bar, in rows."""

LABELS: Final = 4.6
"""Inches for the numbers' names."""

ENDS: Final = {"low": (style.ARMS[1], ""), "high": (style.ARMS[3], "///")}
"""Colour and hatch of the bars of both ends: also without colours they are told apart."""


def tornado_figure(context: FigureContext, told: Sensitivity, kpi: Kpi, *, difference: bool) -> Figure:
    """
    Return a bar a number from the KPI at its low end to that at its high end, the longest above, with the intervals of
    both ends as whiskers, and a line where all numbers are at their modes. Numbers that move nothing are left out.
    """
    say = context.say
    moving, shown = moving_of(told)
    notes = [
        say("sensitivity.figure_note"),
        say("sensitivity.figure_lines"),
        *more_notes(context, told, moving, shown),
    ]
    figure = context.slide(finding(context, told, kpi, difference=difference), notes)
    handles = [Patch(facecolor=colour, edgecolor=style.INK, hatch=hatch) for colour, hatch in ENDS.values()]
    rows = style.legend_above(figure, handles, [say("sensitivity.figure_low"), say("sensitivity.figure_high")])
    (axes,) = style.panels(figure, 1, 1, left=LABELS, above=0.15, below=0.55, top=0.28 * rows)
    factor = 100 if kpi.unit == "share" else 1
    _draw(context, axes, told, shown, factor)
    axes.set_xlabel("%" if kpi.unit == "share" else say.unit(kpi.unit), fontsize=style.SMALL)
    return figure


def _draw(context: FigureContext, axes: Axes, told: Sensitivity, shown: Sequence[Influence], factor: float) -> None:
    middle = factor * told.middle.value
    labels = []
    for row, each in enumerate(shown):
        for end, (colour, hatch) in ENDS.items():
            own = each.values[end]
            if math.isnan(own.value):
                continue
            value = factor * own.value
            if not math.isnan(middle):
                look: dict[str, Any] = {"color": colour, "edgecolor": style.INK, "linewidth": 0.6, "hatch": hatch}
                axes.barh(row, value - middle, HEIGHT, left=middle, alpha=0.75, zorder=2, **look)
            if not math.isnan(own.low):
                axes.plot([factor * own.low, factor * own.high], [row, row], color=style.INK, linewidth=1, zorder=3)
            axes.plot([value], [row], marker="|", markersize=10, color=colour, zorder=4)
        if math.isnan(each.values["swing"].value):
            marks.words(axes, row, context.say("sensitivity.figure_grows"))
        labels.append(path_words(context, each.factor))
    style.name_rows(axes, labels, LABELS - 0.2, style.SMALL)
    axes.set_ylim(max(len(shown), 4) - 0.4, -0.6)
    if not math.isnan(middle):
        axes.axvline(middle, color=style.INK, linewidth=1.2, zorder=5)
    axes.grid(visible=True, axis="x", color=style.RULE, linewidth=0.8)
    axes.tick_params(axis="y", length=0)
