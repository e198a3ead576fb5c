"""How arms do over many futures, as slides: what each costs to have chosen, and the box of futures where one fails."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from zonesim.analysis import Bools, Box, Interval, Regret, share_interval
from zonesim.briefing.figures import marks, style
from zonesim.briefing.figures.context import FigureContext
from zonesim.briefing.tables.robustness import Discovery, Robust
from zonesim.briefing.text.varied_words import path_words
from zonesim.plan import Floats

MOST_ARMS: Final = 12
NAMES: Final = 3.0
NUMBERS: Final = (2.1, 2.1, 0.9)
"""Inches for the names of arms, and for what stands behind them: the mean, the largest, in how many it is the best."""

MEAN: Final[dict[str, Any]] = {"marker": "D", "markersize": 8, "color": style.INK}
LARGEST: Final[dict[str, Any]] = {
    "marker": ">",
    "markersize": 9,
    "color": style.ARMS[2],
    "markerfacecolor": "white",
    "markeredgewidth": 1.8,
}
FUTURE: Final[dict[str, Any]] = {"marker": "|", "markersize": 9, "color": style.PALE, "alpha": 0.7}

CASE: Final[dict[str, Any]] = {"marker": "o", "color": style.INK, "markersize": 7}
OTHER: Final[dict[str, Any]] = {
    "marker": "^",
    "color": style.ARMS[1],
    "markerfacecolor": "white",
    "markeredgewidth": 1.4,
    "markersize": 7,
}
ELSEWHERE: Final = 0.22
"""How faint points are that another number keeps out of the box."""


def regret_figure(context: FigureContext, told: Robust) -> Figure:
    """
    Return a row an arm (of many those with the least mean regret, and the baseline): its regret in each future, their
    mean with its interval over replications, and the largest with that of the paired difference there.
    """
    say, kpi = context.say, told.kpi
    shown = _shown(told)
    factor = 100 if kpi.unit == "share" else 1
    notes = [
        say("robust.figure_regret"),
        *([say("more_arms", n=len(told.regrets) - len(shown))] if len(shown) < len(told.regrets) else []),
    ]
    figure = context.slide(_regret_title(context, told), notes)
    handles = [Line2D([], [], linestyle="none", **look) for look in (FUTURE, MEAN, LARGEST)]
    labels = [say(f"robust.legend_{name}") for name in ("future", "mean", "largest")]
    rows = style.legend_above(figure, handles, labels)
    (axes,) = style.columns(figure, [(NAMES, 1.0)], above=0.45, below=0.6, top=0.28 * rows)
    box = axes.get_position()
    axes.set_position((box.x0, box.y0, box.width - sum(NUMBERS) / style.WIDTH, box.height))
    edges = np.cumsum([0.15, *NUMBERS[:-1]])
    heads = (say("robust.mean_regret"), say("robust.largest_regret"), say("robust.best_in"))
    for edge, head, room in zip(edges, heads, NUMBERS, strict=True):
        marks.behind(axes, -0.8, edge, style.fit(head, room - 0.1, style.SMALL), colour=style.PALE)
    for row, each in enumerate(shown):
        costs = [factor * cost for cost in each.costs.values()]
        axes.plot(costs, [row + 0.24] * len(costs), linestyle="none", zorder=2, **FUTURE)
        mean = Interval(each.mean, *each.limits, len(costs))
        marks.whisker(axes, row, mean, factor, **MEAN)
        words = ["-", "-"] if math.isnan(each.mean) else [context.limits(mean, kpi.unit), "-"]
        if each.largest is not None:
            marks.whisker(axes, row, each.largest, factor, **LARGEST)
            words[1] = context.limits(each.largest, kpi.unit)
        elif each.unknown:
            words[1] = say("robust.figure_unknown", n=each.unknown)
        words.append(say("robust.of", n=each.best, total=each.futures))
        for edge, text, room in zip(edges, words, NUMBERS, strict=True):
            shown_text, size = style.shrunk(text, room - 0.1, style.SMALL)
            marks.behind(axes, row, edge, shown_text, size=size)
    style.name_rows(axes, [context.arm_label(each.arm) for each in shown], NAMES - 0.2, style.SMALL)
    axes.set_ylim(max(len(shown), 4) - 0.4, -0.6)
    axes.set_xlim(-0.02 * axes.get_xlim()[1], None)  # the marks of no regret are whole
    axes.grid(visible=True, axis="x", color=style.RULE, linewidth=0.8)
    axes.tick_params(axis="y", length=0)
    unit = "%" if kpi.unit == "share" else say.unit(kpi.unit)
    axes.set_xlabel(say("robust.axis_regret", unit=unit), fontsize=style.SMALL)
    return figure


def _shown(told: Robust) -> list[Regret]:
    """Return the arms that there is room for, in their order."""
    if len(told.regrets) <= MOST_ARMS:
        return list(told.regrets)
    ranked = sorted(
        told.regrets, key=lambda each: (each.arm != told.baseline, math.inf if math.isnan(each.mean) else each.mean)
    )
    kept = {each.arm for each in ranked[:MOST_ARMS]}
    return [each for each in told.regrets if each.arm in kept]


def _regret_title(context: FigureContext, told: Robust) -> str:
    """Return what was found: the arm whose largest regret is least, or without one that with the least mean."""
    say, kpi = context.say, told.kpi
    words = say("about", subject=context.subject_title(kpi), quantity=context.quantity(kpi))
    sure = [(each.largest.value, each) for each in told.regrets if each.largest is not None]
    if sure:
        _, best = min(sure, key=lambda pair: pair[0])
        arm = context.arm_name(best.arm)
        if best.largest is not None and best.largest.value > 0:
            return say("robust.found_largest", kpi=words, arm=arm, value=context.limits(best.largest, kpi.unit))
        return say("robust.found_always", kpi=words, arm=arm, n=best.futures)
    known = [each for each in told.regrets if not math.isnan(each.mean)]
    if not known:
        return say("robust.found_none", kpi=words)
    best = min(known, key=lambda each: each.mean)
    value = context.limits(Interval(best.mean, *best.limits, best.futures), kpi.unit)
    return say("robust.found_mean", kpi=words, arm=context.arm_name(best.arm), value=value)


# --- the box of futures in which an arm does not do well


def box_figure(context: FigureContext, told: Robust, found: Discovery) -> Figure:
    """
    Return the futures as points in the two numbers that restrict the picked box most, with the box, and beside it
    density over coverage of all boxes of the trajectory. What is looked for is told by the shape of a point.

    `found.picked` has to be there.
    """
    say = context.say
    box = found.picked
    if box is None:
        raise ValueError(found.arm)
    share = Interval(box.density, *share_interval(box.cases, box.inside, context.comparison.level), box.inside)
    ordered = sorted(box.limits, key=lambda name: box.limits[name].chance)
    limits = say.listed(
        f"{path_words(context, name)} {say.quantities(told.limit(name, box.limits[name]))}" for name in ordered
    )
    names = [context.arm_name(name) for name in (found.arm, told.baseline)]
    title = say(
        f"robust.found_box.{told.looked_for}",
        arm=names[0],
        baseline=names[1],
        share=context.limits(share, "share"),
        limits=limits,
    )
    notes = [
        say("robust.figure_box", coverage=f"{100 * box.coverage:.0f}", chance=f"{100 * box.chance:.0f}"),
        *([say("robust.figure_elsewhere")] if len(ordered) > _AXES else []),
        say("robust.figure_sample"),
    ]
    figure = context.slide(title, notes)
    handles = [
        Line2D([], [], linestyle="none", **CASE),
        Line2D([], [], linestyle="none", **OTHER),
        Patch(facecolor="#f4e4d8", edgecolor=style.WARN, linewidth=1.6),
    ]
    labels = [
        say(f"robust.case.{told.looked_for}", arm=names[0], baseline=names[1]),
        say(f"robust.other.{told.looked_for}", arm=names[0], baseline=names[1]),
        say("robust.legend_box"),
    ]
    rows = style.legend_above(figure, handles, labels, sample=1.6)
    left, right = style.columns(figure, [(0.95, 0.58), (0.95, 0.42)], above=0.42, below=0.62, top=0.28 * rows)
    _points(context, left, told, found, box, ordered)
    _trajectory(context, right, found, box)
    return figure


_AXES: Final = 2


def _points(
    context: FigureContext, axes: Axes, told: Robust, found: Discovery, box: Box, ordered: Sequence[str]
) -> None:
    """Draw the futures in two numbers, and the box."""
    others = [name for name in found.numbers if name not in ordered]
    drawn = [*ordered, *others][:_AXES]
    columns = [found.numbers[name] for name in drawn]
    if len(columns) == 1:  # one number alone: futures one above the other
        columns.append(np.arange(len(columns[0]), dtype=np.float64))
        axes.set_yticks([])
    within = _within(found, box, [name for name in ordered if name not in drawn])
    for look, of_kind in ((OTHER, ~found.is_case), (CASE, found.is_case)):
        for chosen, alpha in ((of_kind & ~within, ELSEWHERE), (of_kind & within, 1.0)):
            axes.plot(columns[0][chosen], columns[1][chosen], linestyle="none", alpha=alpha, zorder=3, **look)
    spans = []
    for place, column in enumerate(columns):
        low, high = float(column.min()), float(column.max())
        room = 0.04 * (high - low)
        (axes.set_xlim if place == 0 else axes.set_ylim)(low - room, high + room)
        own = box.limits.get(drawn[place]) if place < len(drawn) else None
        begin = own.low if own is not None and own.low > low else low - room
        end = own.high if own is not None and own.high < high else high + room
        spans.append((begin, end))
    (x, right), (y, top) = spans
    axes.add_patch(
        Rectangle((x, y), right - x, top - y, facecolor="#f4e4d8", edgecolor=style.WARN, linewidth=1.6, zorder=1)
    )
    sides = axes.get_position()
    words = [_axis_words(context, told, name) for name in drawn]
    axes.set_xlabel(style.fit(words[0], sides.width * style.WIDTH, style.SMALL), fontsize=style.SMALL)
    if len(words) > 1:
        axes.set_ylabel(style.fit(words[1], sides.height * style.HEIGHT, style.SMALL), fontsize=style.SMALL)
    style.title(axes, context.say("robust.panel_futures", n=found.futures), above=0.12)


def _axis_words(context: FigureContext, told: Robust, name: str) -> str:
    """Return what a number is called on its axis, with its unit."""
    before, behind = told.around.get(name, ("", ""))
    words, say = path_words(context, name), context.say
    if before == "×":
        return say("sweep.factor", path=words)
    unit = say.quantities(f"0{behind}").removeprefix("0").strip()
    return say("robust.axis", path=words, unit=unit) if unit else words


def _within(found: Discovery, box: Box, names: Sequence[str]) -> Bools:
    """Return which futures some limits of a box let in."""
    inside = np.ones(len(found.is_case), dtype=np.bool_)
    for name in names:
        column: Floats = found.numbers[name]
        inside &= (column >= box.limits[name].low) & (column <= box.limits[name].high)
    return inside


def _trajectory(context: FigureContext, axes: Axes, found: Discovery, box: Box) -> None:
    """Draw density over coverage of the boxes, from all futures to ever fewer, and the one that is picked."""
    say = context.say
    xs, ys = (
        [100 * value for value in own] for own in ([b.coverage for b in found.boxes], [b.density for b in found.boxes])
    )
    axes.plot(xs, ys, color=style.PALE, linewidth=1, marker="o", markersize=5, markerfacecolor="white", zorder=2)
    whole = 100 * found.cases / found.futures
    axes.axhline(whole, color=style.INK, linewidth=1, linestyle=":", zorder=1)
    axes.plot(
        [100 * box.coverage],
        [100 * box.density],
        marker="*",
        markersize=17,
        color=style.WARN,
        linestyle="none",
        zorder=4,
    )
    axes.set_xlim(-3, 103)
    axes.set_ylim(min(0.0, whole), 104)
    axes.annotate(
        say("robust.base_rate", share=f"{whole:.0f}"),
        (0, whole),
        xytext=(2, -4),
        textcoords="offset points",
        ha="left",
        va="top",
        fontsize=style.TINY,
        color=style.PALE,
    )
    axes.set_xlabel(say("robust.axis_coverage"), fontsize=style.SMALL)
    axes.set_ylabel(say("robust.axis_density"), fontsize=style.SMALL)
    axes.grid(visible=True, color=style.RULE, linewidth=0.8)
    style.title(axes, say("robust.panel_trajectory"), above=0.12)
