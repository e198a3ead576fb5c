"""What every arm carries, as a slide: what is promised over multiples of demand, and where each arm breaks it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zonesim.analysis import Interval, Look, Promise, interval, together
from zonesim.briefing.figures import style
from zonesim.briefing.figures.context import MOST_ARMS, FigureContext
from zonesim.briefing.tables.capacity import Carried, carries_text
from zonesim.briefing.text.bounds import number_text

MOST_PANELS: Final = 4
HEADROOM: Final = 2.0
"""Panels end at so many times the limit that is promised: beyond it curves soon go to the sky."""


@dataclass(frozen=True)
class _Panel:
    """A quantity over multiples of demand; without a `promise` it is work in system."""

    title: str
    unit: str
    factor: float
    promise: Promise | None


def capacity_figure(context: FigureContext, carried: Sequence[Carried], promises: Sequence[Promise]) -> Figure:
    """
    Return a panel a promise (of many the first ones): the KPI over multiples of demand with its band, one curve an arm,
    the promise as a line, dotted the multiple that each arm carries, and where this promise breaks its interval.
    """
    say = context.say
    shown = carried[:MOST_ARMS]
    wanted = [_of_promise(context, each) for each in promises[:MOST_PANELS]] or [_of_work(context)]
    notes = [
        say("band") if context.n > 1 else say("one_replication"),
        say("capacity.figure_note"),
        *([say("more_arms", n=len(carried) - len(shown))] if len(carried) > len(shown) else []),
        *([say("capacity.more_promises", n=len(promises) - MOST_PANELS)] if len(promises) > MOST_PANELS else []),
    ]
    figure = context.slide(capacity_finding(context, carried), notes)
    looks = [Line2D([], [], marker="o", markersize=6, **style.arm_look(place)) for place in range(len(shown))]
    labels = [
        say("capacity.legend", arm=context.arm_label(each.arm), carries=carries_text(say, each)) for each in shown
    ]
    rows = style.legend_above(figure, looks, labels)
    columns = 1 if len(wanted) == 1 else 2
    panels = style.panels(
        figure, -(-len(wanted) // columns), columns, left=0.95, above=0.42, below=0.62, gap=0.3, top=0.28 * rows
    )
    left, right = _ends(shown)
    for own, axes in zip(wanted, panels, strict=False):
        _draw(context, axes, own, shown, right)
        axes.set_xlim(left, right)
    for axes in panels[len(wanted) :]:
        axes.remove()
    return figure


def capacity_finding(context: FigureContext, carried: Sequence[Carried]) -> str:
    """Return what was found: the largest difference in what is carried that is sure among all arms; of one arm that."""
    say, topic = context.say, context.say("capacity.figure_title")
    others = [(each.arm, each.difference) for each in carried[1:]]
    if not others:
        (own,) = carried
        if math.isnan(own.mean.value):
            return topic
        ends = {"low": number_text(own.mean.low), "high": number_text(own.mean.high)}
        return say("capacity.found_one", arm=context.arm_name(own.arm), value=number_text(own.mean.value), **ends)
    known = [(arm, change) for arm, change in others if change is not None and not math.isnan(change.low)]
    sure = []
    for arm, change in known:
        low, high = together(change, len(others), context.comparison.level)
        if low > 0 or high < 0:
            sure.append((arm, change))
    if not sure:
        return say("capacity.found_none", topic=topic) if len(known) == len(others) else topic
    arm, change = max(sure, key=lambda pair: abs(pair[1].value))
    low, high = sorted((abs(change.low), abs(change.high)))
    return say(
        "capacity.found_more" if change.value > 0 else "capacity.found_less",
        arm=context.arm_name(arm),
        value=number_text(abs(change.value)),
        low=number_text(low),
        high=number_text(high),
    )


def _of_promise(context: FigureContext, each: Promise) -> _Panel:
    kpi = context.by_id[each.kpi]
    words = context.say("about", subject=context.subject_title(kpi), quantity=context.quantity(kpi))
    title = dict(each.label).get(context.language) or words
    percent = each.unit == "share"
    return _Panel(title, "%" if percent else context.say.unit(each.unit), 100 if percent else 1, each)


def _of_work(context: FigureContext) -> _Panel:
    return _Panel(context.say("capacity.work_by_week"), context.say.unit("tokens"), 1, None)


def _ends(carried: Sequence[Carried]) -> tuple[float, float]:
    """Return the multiples at which panels begin and end: below all that was run, and above all that is carried."""
    means = [each.mean.value for each in carried if not math.isnan(each.mean.value)]
    run = [look.multiple for each in carried for look in each.looks if not look.loaded]
    return 0.9 * min([1.0, *run]), 1.15 * max(means) if means else max([1.0, *run])


def _values(look: Look, promise: Promise | None, level: float) -> Interval:
    """Return the mean of what a panel draws at a look, none where it is withheld in a run."""
    values = look.last if promise is None else look.values[promise.name]
    if not len(values) or np.isinf(values).any():
        return Interval(math.nan, math.nan, math.nan, len(values))
    return interval(values.tolist(), level)


def _draw(context: FigureContext, axes: Axes, own: _Panel, carried: Sequence[Carried], right: float) -> None:
    level, promise = context.comparison.level, own.promise
    limit = math.nan if promise is None else own.factor * promise.limit
    highest = 0.0
    for place, each in enumerate(carried):
        look = style.arm_look(place)
        run = [(known.multiple, _values(known, promise, level)) for known in each.looks if not known.loaded]
        run = [(multiple, found) for multiple, found in run if not math.isnan(found.value)]
        xs = [multiple for multiple, _ in run]
        mean, low, high = (
            [own.factor * value for value in column]
            for column in ([f.value for _, f in run], [f.low for _, f in run], [f.high for _, f in run])
        )
        axes.fill_between(xs, low, high, color=look["color"], alpha=0.16, linewidth=0)
        axes.plot(xs, mean, marker="o", markersize=4, zorder=3 + place, **look)
        highest = max([highest, *(value for x, value in zip(xs, mean, strict=True) if x <= right)])
        if not math.isnan(each.mean.value):
            axes.axvline(each.mean.value, color=look["color"], linewidth=1, linestyle=":", zorder=2)
            if promise is None or promise.name in each.limit.breaks:
                _mark(axes, each.mean, 0.0 if promise is None else limit, place)
    if not math.isnan(limit):
        axes.axhline(limit, color=style.WARN, linewidth=1.4, zorder=2)
    top = highest if math.isnan(limit) else min(max(highest, 1.2 * limit), HEADROOM * limit) or highest
    axes.set_ylim(0, 1.05 * top or 1)
    style.title(axes, own.title, above=0.12)
    axes.set_ylabel(own.unit, fontsize=style.SMALL)
    axes.set_xlabel(context.say("capacity.axis"), fontsize=style.SMALL)
    axes.grid(visible=True, axis="y", color=style.RULE, linewidth=0.8)


def _mark(axes: Axes, mean: Interval, height: float, place: int) -> None:
    """Draw what an arm carries, with its interval, at the height of the promise that breaks there."""
    spread = None if math.isnan(mean.low) else [[mean.value - mean.low], [mean.high - mean.value]]
    axes.errorbar(
        [mean.value],
        [height],
        xerr=spread,
        marker="D",
        markersize=9,
        markerfacecolor="white",
        markeredgewidth=1.8,
        capsize=6,
        color=style.arm_look(place)["color"],
        linestyle="none",
        clip_on=False,
        zorder=10 + place,
    )
