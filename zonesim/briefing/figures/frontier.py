"""
Control against facilitation as a slide: what every arm changes in time and work, and beside it what its control misses.

Control that nobody knows to the point is a bar from its least to its most, so that no arm looks better than it is
known to be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zonesim.briefing.figures import finding, style
from zonesim.briefing.figures.context import FigureContext
from zonesim.kpi import Kpi

LEAST_ARMS: Final = 3
"""Two points are a comparison, and no frontier."""

MOST_PANELS: Final = 4
MARKERS: Final = ("o", "s", "^", "D", "v", "P")
"""By arm, so that arms are told apart in grey."""


def frontier_figure(context: FigureContext) -> Figure | str:
    """Draw a panel for each KPI of time or work over one of control, or say why not."""
    say = context.say
    if len(context.names) < LEAST_ARMS:
        return say("frontier.few")
    control = next((kpi for kpi in context.chief() if _is_of_control(kpi) and _is_known(context, kpi)), None)
    if control is None:
        return say("frontier.no_control")
    eased = [
        kpi
        for kpi in context.chief()
        if not _is_of_control(kpi) and kpi.definition.better == "lower" and _is_moved(context, kpi)
    ][:MOST_PANELS]
    if not eased:
        return say("frontier.nothing")
    arms = context.shown()
    is_band = any(context.comparison.arms[arm][control.id].reason == "band" for arm in arms)
    notes = [
        say("frontier.limits"),
        *([say("frontier.band")] if is_band else []),
        *context.notes(),
    ]
    topic = say("frontier.title", name=context.arm_name(context.baseline))
    figure = context.slide(finding.found(context, eased, topic), notes)
    handles = [_handle(place) for place in range(len(arms))]
    legend = style.legend_above(figure, handles, [context.arm_label(arm) for arm in arms])
    columns = 1 if len(eased) == 1 else 2
    rows = -(-len(eased) // columns)
    panels = style.panels(figure, rows, columns, left=0.95, above=0.42, below=0.62, gap=0.3, top=0.28 * legend)
    highest = max(_panel(axes, context, kpi, control, arms) for axes, kpi in zip(panels, eased, strict=False))
    for axes, kpi in zip(panels, eased, strict=False):
        axes.set_ylim(0, 1.08 * highest)
        style.title(axes, say("about", subject=context.subject_title(kpi), quantity=context.quantity(kpi)), above=0.12)
        unit = say("frontier.points") if kpi.unit == "share" else say.unit(kpi.unit)
        axes.set_xlabel(say("frontier.difference", unit=unit), fontsize=style.SMALL)
        axes.set_ylabel(_upright(context, control, axes), fontsize=style.SMALL)
    for axes in panels[len(eased) :]:
        axes.remove()
    return figure


def _handle(place: int) -> Line2D:
    return Line2D([], [], marker=MARKERS[place % len(MARKERS)], markersize=7, linestyle="", color=_colour(place))


def _colour(place: int) -> str:
    return style.ARMS[place % len(style.ARMS)]


def _upright(context: FigureContext, control: Kpi, axes: Axes) -> str:
    """Return the label of the vertical axis, on as many lines as its length asks for."""
    unit = "%" if control.unit == "share" else context.say.unit(control.unit)
    words = context.say("about", subject=context.subject_title(control), quantity=context.quantity(control))
    room = axes.get_position().height * style.HEIGHT
    return "\n".join(style.two_lines(f"{words}, {unit}", room, style.SMALL))


def _is_of_control(kpi: Kpi) -> bool:
    """Return whether a KPI says what control finds or misses, in shares."""
    return kpi.definition.scope == "truth" and kpi.definition.better == "lower" and kpi.unit == "share"


def _is_known(context: FigureContext, kpi: Kpi) -> bool:
    """Return whether every arm has a value of a KPI, or bounds of it."""
    found = [context.comparison.arms[arm].get(kpi.id) for arm in context.shown()]
    return all(each is not None and not math.isnan(each.low) for each in found)


def _is_moved(context: FigureContext, kpi: Kpi) -> bool:
    """Return whether some arm surely changes a KPI."""
    changes = [context.effect(arm, kpi.id) for arm in context.names]
    return any(each is not None and each.is_sure for each in changes)


def _panel(axes: Axes, context: FigureContext, kpi: Kpi, control: Kpi, arms: Sequence[str]) -> float:
    """Draw the arms of one panel; return the highest value of control."""
    times = 100.0 if control.unit == "share" else 1.0
    across = 100.0 if kpi.unit == "share" else 1.0
    highest = 0.0
    axes.axvline(0, color=style.RULE, linewidth=1.2, zorder=1)
    axes.grid(visible=True, axis="y", color=style.RULE, linewidth=0.8)
    for place, arm in enumerate(arms):
        change = context.effect(arm, kpi.id)
        x = (0.0, 0.0, 0.0) if change is None else (change.value, change.low, change.high)
        if math.isnan(x[0]):
            continue  # a line grows in this arm, or too much had not ended: there is no such point
        x = tuple(across * each for each in x)  # type: ignore[assignment]
        known = context.comparison.arms[arm][control.id]
        low, high = times * known.low, times * known.high
        middle = times * known.value if not math.isnan(known.value) else (low + high) / 2
        look: dict[str, Any] = {"color": _colour(place), "zorder": 3}
        wide = 5 if known.reason == "band" else 1.4
        axes.plot([x[0], x[0]], [low, high], linewidth=wide, alpha=0.45, solid_capstyle="butt", **look)
        axes.plot([x[1], x[2]], [middle, middle], linewidth=1.4, **look)
        axes.plot(x[0], middle, marker=MARKERS[place % len(MARKERS)], markersize=7, **look)
        highest = max(highest, high)
    axes.margins(x=0.12)
    return highest
