"""Morris's screening and Sobol's shares as slides: which doubted numbers move a KPI, and whether alone or together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zonesim.analysis import QUANTITIES, Influence, Interval, Sensitivity
from zonesim.briefing.figures import marks, style
from zonesim.briefing.figures.context import FigureContext
from zonesim.briefing.text.varied_words import path_words
from zonesim.kpi import Kpi

MOST_ROWS: Final = 14
NAMES: Final = 4.4
"""Inches for the names of numbers."""

STRAIGHT: Final = (0.1, 0.5, 1.0)
"""
Ratios σ / μ* at which lines are drawn: below the first a number acts along a straight line, below the second always in
one way, below the third nearly so. Source: D. Garcia Sanchez, B. Lacarrière, M. Musy, B. Bourges, Application of
sensitivity analysis in building energy simulations, Energy and Buildings 68, 2014.
"""

TOTAL: Final[dict[str, Any]] = {"marker": "o", "markerfacecolor": "white", "markeredgewidth": 1.8, "markersize": 9}
FIRST: Final[dict[str, Any]] = {"marker": "D", "markersize": 7}


def influence_figure(context: FigureContext, told: Sensitivity, kpi: Kpi, *, difference: bool) -> Figure:
    """Return what Morris or Sobol says of a KPI, see `morris_figure` and `sobol_figure`."""
    draw = morris_figure if told.method == "morris" else sobol_figure
    return draw(context, told, kpi, difference=difference)


def morris_figure(context: FigureContext, told: Sensitivity, kpi: Kpi, *, difference: bool) -> Figure:
    """
    Return μ* of each number with its interval, the largest above, and beside it σ over μ* with the intervals of both:
    how much an effect depends on the other numbers. Numbers that move nothing are left out.
    """
    say = context.say
    moving, shown = moving_of(told)
    notes = [
        say("sensitivity.figure_morris"),
        say("sensitivity.figure_points"),
        *more_notes(context, told, moving, shown),
    ]
    figure = context.slide(finding(context, told, kpi, difference=difference), notes)
    factor = 100 if kpi.unit == "share" else 1
    unit = "%" if kpi.unit == "share" else say.unit(kpi.unit)
    handles = [Line2D([], [], linewidth=1.2, **_line(place)) for place in range(len(STRAIGHT))]
    rows = style.legend_above(figure, handles, [say(f"sensitivity.slope_{slope:g}") for slope in STRAIGHT])
    left, right = style.columns(figure, [(NAMES, 0.45), (0.95, 0.55)], above=0.15, below=0.6, top=0.28 * rows)
    names = [f"{number}  {path_words(context, each.factor)}" for number, each in enumerate(shown, start=1)]
    _rows(left, names)
    for row, each in enumerate(shown):
        own = each.values["mu_star"]
        if math.isnan(own.value):
            marks.words(left, row, say("sensitivity.figure_grows"))
            continue
        marks.whisker(left, row, own, factor, marker="o", markersize=8, color=style.INK)
    left.set_xlim(0, None)
    left.set_xlabel(say("sensitivity.axis_mu_star", unit=unit), fontsize=style.SMALL)
    _scatter(right, shown, factor)
    right.set_xlabel(say("sensitivity.axis_mu_star", unit=unit), fontsize=style.SMALL)
    right.set_ylabel(say("sensitivity.axis_sigma", unit=unit), fontsize=style.SMALL)
    return figure


def sobol_figure(context: FigureContext, told: Sensitivity, kpi: Kpi, *, difference: bool) -> Figure:
    """
    Return the total and the first index of each number with their intervals, in per cent, the largest total above.
    Numbers that move nothing are left out.
    """
    say = context.say
    moving, shown = moving_of(told)
    own = 100 * sum(each.values["first"].value for each in told.influences)
    notes = [
        say("sensitivity.figure_sobol"),
        say("sensitivity.figure_alone", share=f"{min(max(own, 0), 100):.0f}"),
        *more_notes(context, told, moving, shown),
    ]
    figure = context.slide(finding(context, told, kpi, difference=difference), notes)
    handles = [Line2D([], [], linestyle="none", color=style.INK, **look) for look in (TOTAL, FIRST)]
    rows = style.legend_above(figure, handles, [say("sensitivity.legend_total"), say("sensitivity.legend_first")])
    (axes,) = style.columns(figure, [(NAMES, 1.0)], above=0.15, below=0.6, top=0.28 * rows)
    _rows(axes, [path_words(context, each.factor) for each in shown])
    for row, each in enumerate(shown):
        marks.whisker(axes, row - 0.16, each.values["total"], 100, color=style.INK, **TOTAL)
        marks.whisker(axes, row + 0.16, each.values["first"], 100, color=style.INK, **FIRST)
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, 0.0), max(high, 100.0))
    axes.axvline(0, color=style.INK, linewidth=0.8)
    axes.set_xlabel(say("sensitivity.axis_share"), fontsize=style.SMALL)
    return figure


def moving_of(told: Sensitivity) -> tuple[list[Influence], list[Influence]]:
    """Return the numbers that move a KPI at all, and those of them that there is room for."""
    lead = QUANTITIES[told.method][0]
    moving = [each for each in told.influences if each.values[lead].value != 0]
    return moving, moving[:MOST_ROWS]


def more_notes(
    context: FigureContext, told: Sensitivity, moving: Sequence[Influence], shown: Sequence[Influence]
) -> list[str]:
    """Return how many numbers are not drawn, and in how many futures there is no value."""
    say = context.say
    notes = []
    if more := len(moving) - len(shown):
        notes.append(say("sensitivity.more", n=more, file="sensitivity.csv"))
    if still := len(told.influences) - len(moving):
        notes.append(say("sensitivity.still", n=still))
    if told.unknown and told.method != "tornado":
        notes.append(say("sensitivity.unknown", n=told.unknown, points=told.points))
    return notes


def finding(context: FigureContext, told: Sensitivity, kpi: Kpi, *, difference: bool) -> str:
    """Return what was found, as the title says it: which number moves the KPI most, and by how much, with limits."""
    say = context.say
    words = say("about", subject=context.subject_title(kpi), quantity=context.quantity(kpi))
    subject = say("sensitivity.effect_on", kpi=words) if difference else words
    quantity = QUANTITIES[told.method][0]
    known = [each for each in told.influences if not math.isnan(each.values[quantity].value)]
    if not told.influences:
        return say("sensitivity.found_nothing", kpi=subject, n=told.unknown, points=told.points)
    lead = told.influences[0] if told.method == "tornado" or not known else known[0]
    own, number = lead.values[quantity], path_words(context, lead.factor)
    if told.method == "tornado" and math.isnan(own.value) and not math.isnan(told.middle.value):
        return say("sensitivity.found_grows", kpi=subject, number=number)
    if math.isnan(own.value):
        return say("sensitivity.found_nothing", kpi=subject, n=told.unknown, points=told.points)
    is_share = told.method == "sobol" or kpi.unit == "share"
    size = own if told.method != "tornado" or own.value > 0 else Interval(-own.value, -own.high, -own.low, own.n)
    value = context.limits(size, "share" if is_share else kpi.unit)
    way = "" if told.method != "tornado" else "_up" if own.value > 0 else "_down"
    return say(f"sensitivity.found_{told.method}{way}", kpi=subject, number=number, value=value)


def _rows(axes: Axes, names: Sequence[str]) -> None:
    """Write the names of rows, the first above; few rows stay as close to each other as some."""
    style.name_rows(axes, names, NAMES - 0.2, style.SMALL)
    axes.set_ylim(max(len(names), 4) - 0.4, -0.6)
    axes.grid(visible=True, axis="x", color=style.RULE, linewidth=0.8)
    axes.tick_params(axis="y", length=0)


def _line(place: int) -> dict[str, Any]:
    """Return how one of the lines of `STRAIGHT` looks."""
    return style.arm_look(1 + place) | {"color": style.PALE}


def _scatter(axes: Axes, shown: Sequence[Influence], factor: float) -> None:
    """Draw σ over μ*, the rows' numbers beside the points, and the lines of `STRAIGHT`."""
    known = [
        (number, each.values["mu_star"], each.values["sigma"])
        for number, each in enumerate(shown, start=1)
        if not math.isnan(each.values["mu_star"].value)
    ]
    for _, size, spread in known:
        axes.errorbar(
            [factor * size.value],
            [factor * spread.value],
            xerr=marks.reach(size, factor),
            yerr=marks.reach(spread, factor),
            marker="o",
            markersize=6,
            color=style.INK,
            ecolor=style.PALE,
            elinewidth=1,
            zorder=3,
        )
    right = factor * max((max(size.value, size.high) for _, size, _ in known), default=1.0) * 1.08 or 1.0
    top = factor * max((max(spread.value, spread.high) for _, _, spread in known), default=1.0) * 1.12
    axes.set_xlim(0, right)
    axes.set_ylim(0, max(top, 0.15 * right))
    for place, slope in enumerate(STRAIGHT):
        axes.plot([0, right], [0, slope * right], linewidth=0.9, zorder=1, **_line(place))
    marks.labels(axes, {str(number): (factor * size.value, factor * spread.value) for number, size, spread in known})
