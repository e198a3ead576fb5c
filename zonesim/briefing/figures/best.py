"""Which arm is best, as a slide: means of the arms, whether they keep what is promised, and which one is chosen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zonesim.analysis import Interval, Promise
from zonesim.briefing.figures import marks, style
from zonesim.briefing.figures.context import FigureContext
from zonesim.briefing.tables.best import Found, certainty_text, state_text

MOST_ARMS: Final = 14
MOST_PROMISES: Final = 2
NAMES: Final = 2.8
STATES: Final = 2.6
"""Inches for the names of arms, and for what became of them."""

BEST: Final[dict[str, Any]] = {"marker": "*", "markersize": 15, "color": style.WARN}
FRESH: Final[dict[str, Any]] = {
    "marker": "D",
    "markersize": 7,
    "color": style.WARN,
    "markerfacecolor": "white",
    "markeredgewidth": 1.6,
}
KEPT: Final[dict[str, Any]] = {"marker": "o", "markersize": 7, "color": style.INK}
BROKEN: Final[dict[str, Any]] = {"marker": "X", "markersize": 9, "color": style.PALE}


def best_figure(context: FigureContext, found: Found, arms: Sequence[str], probability: float) -> Figure:
    """
    Return a row an arm (of many those with the best means): its mean in the search, in panels beside it what is
    promised, and in words what became of it; the chosen arm also on runs of its own. `found` has to have chosen one.
    """
    say = context.say
    shown = _shown(found, arms)
    promises = list(enumerate(found.promises))[:MOST_PROMISES]
    left_out = len(found.promises) - len(promises)
    notes = [
        certainty_text(say, found, probability, context.arm_name),
        say("best.figure_lines", n=found.estimate.n if found.estimate else 0),
        *([say("capacity.more_promises", n=left_out)] if left_out else []),
        *([say("more_arms", n=len(arms) - len(shown))] if len(shown) < len(arms) else []),
    ]
    figure = context.slide(_title(context, found), notes)
    looks = [BEST, FRESH, KEPT, *([BROKEN] if found.promises else [])]
    words = ["legend_best", "legend_fresh", "legend_kept" if found.promises else "legend_other", "legend_broken"]
    handles = [Line2D([], [], linestyle="none", **look) for look in looks]
    rows = style.legend_above(figure, handles, [say(f"best.{word}") for word in words[: len(looks)]], sample=1.6)
    parts = [(NAMES, 1.4), *((0.3, 1.0) for _ in promises)]
    panels = style.columns(figure, parts, above=0.42, below=0.6, top=0.28 * rows)
    _make_room(panels)
    _goal(context, panels[0], found, shown)
    for (number, promise), axes in zip(promises, panels[1:], strict=True):
        _promise(context, axes, found, shown, number, promise)
    style.name_rows(panels[0], [context.arm_label(arm) for arm in shown], NAMES - 0.2, style.SMALL)
    for axes in panels:
        axes.set_ylim(max(len(shown), 4) - 0.4, -0.6)
        axes.grid(visible=True, axis="x", color=style.RULE, linewidth=0.8)
        axes.tick_params(axis="y", length=0)
    for axes in panels[1:]:
        axes.set_yticks([])
    for row, arm in enumerate(shown):
        text, size = style.shrunk(state_text(say, found, arm, context.arm_name), STATES - 0.2, style.SMALL)
        marks.behind(panels[-1], row, 0.2, text, size=size)
    return figure


def _shown(found: Found, arms: Sequence[str]) -> list[str]:
    """Return the arms that there is room for, in their order: those with the best means first to stay."""
    if len(arms) <= MOST_ARMS:
        return list(arms)
    means = {each.arm: each.mean for each in found.choice.standings}
    ranked = sorted(arms, key=lambda arm: (arm != found.choice.best, _rank(means.get(arm, math.nan))))
    return [arm for arm in arms if arm in ranked[:MOST_ARMS]]


def _rank(mean: float) -> float:
    return math.inf if math.isnan(mean) else mean


def _title(context: FigureContext, found: Found) -> str:
    """Return what was found: the best arm and its value on runs that nothing was chosen by."""
    say, kpi, own = context.say, found.kpi, found.estimate
    words = say("about", subject=context.subject_title(kpi), quantity=context.quantity(kpi))
    arm = context.arm_name(found.choice.best)
    value = context.limits(own.value if own is not None else found.means[found.choice.best], kpi.unit)
    phrase = "best.found_open" if math.isnan(found.choice.probability) else "best.found"
    return say(phrase, kpi=words, arm=arm, value=value)


def _make_room(panels: Sequence[Axes]) -> None:
    """Keep the right edge of the slide free for what became of arms."""
    first, last = panels[0].get_position(), panels[-1].get_position()
    left = first.x0
    ratio = (last.x1 - STATES / style.WIDTH - left) / (last.x1 - left)
    for axes in panels:
        box = axes.get_position()
        axes.set_position((left + (box.x0 - left) * ratio, box.y0, box.width * ratio, box.height))


def _breaks(found: Found, arm: str, number: int) -> bool:
    promise = found.promises[number]
    return not promise.holds(found.promised[arm][number].value)


def _goal(context: FigureContext, axes: Axes, found: Found, shown: Sequence[str]) -> None:
    kpi, best = found.kpi, found.choice.best
    factor = 100 if kpi.unit == "share" else 1
    broken = {each.arm for each in found.choice.standings if each.state == "breaks"}
    for row, arm in enumerate(shown):
        if arm not in found.means:
            continue
        look = BEST if arm == best else BROKEN if arm in broken else KEPT
        marks.whisker(axes, row, found.means[arm], factor, **look)
        if arm == best and found.estimate is not None:
            marks.whisker(axes, row + 0.3, found.estimate.value, factor, **FRESH)
    style.title(axes, context.quantity(kpi), above=0.12)
    axes.set_xlabel("%" if kpi.unit == "share" else context.say.unit(kpi.unit), fontsize=style.SMALL)


def _promise(
    context: FigureContext, axes: Axes, found: Found, shown: Sequence[str], number: int, promise: Promise
) -> None:
    """Draw the KPI of a promise by arm, its limit, and hatched where it is broken."""
    factor = 100 if promise.unit == "share" else 1
    known: list[Interval] = []
    for row, arm in enumerate(shown):
        if arm not in found.promised:
            continue
        own = found.promised[arm][number]
        if math.isinf(own.value):
            marks.words(axes, row, context.say("best.figure_withheld"))
        elif not math.isnan(own.value):
            known.append(own)
            marks.whisker(axes, row, own, factor, **(BROKEN if _breaks(found, arm, number) else KEPT))
    limit = factor * promise.limit
    ends = [
        limit,
        *(factor * end for each in known for end in (each.value, each.low, each.high) if not math.isnan(end)),
    ]
    room = 0.08 * (max(ends) - min(ends)) or 0.1 * abs(limit) or 1.0
    low, high = min(ends) - room, max(ends) + room
    axes.set_xlim(low, high)
    axes.axvline(limit, color=style.WARN, linewidth=1.6, zorder=2)
    begin, end = (limit, high) if promise.most else (low, limit)
    axes.axvspan(begin, end, facecolor="none", edgecolor="#d9b9a5", hatch="///", linewidth=0, zorder=0)
    kpi = context.by_id[promise.kpi]
    about = context.say("about", subject=context.subject_title(kpi), quantity=context.quantity(kpi))
    most = f"{limit:g} {'%' if promise.unit == 'share' else context.say.unit(promise.unit)}"
    words = dict(promise.label).get(context.language) or f"{about} {'≤' if promise.most else '≥'} {most}"
    style.long_title(axes, words, above=0.12)
    axes.set_xlabel("%" if promise.unit == "share" else context.say.unit(promise.unit), fontsize=style.SMALL)
