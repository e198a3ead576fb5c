"""Dwell time as a slide: how it is spread over consignments, flow by flow, arm over arm."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from zonesim.briefing.figures import finding, style
from zonesim.briefing.figures.context import DWELL, FigureContext
from zonesim.briefing.text.words import Words
from zonesim.kpi import quantile, told_until
from zonesim.units import HOUR

SPANS: Final = "dwell"
OPEN: Final = "dwell_open"
SAMPLES: Final = (SPANS, OPEN)
"""What is drawn of a flow: its durations, and for how long those were followed that had not ended."""

MOST_PANELS: Final = 4
POINTS: Final = 600
"""Points of a curve: enough for a smooth line on a slide."""

TAIL: Final = 0.99
"""Where the horizontal axis ends: at this share of the slowest arm's consignments."""


def dwell_figure(context: FigureContext) -> Figure | str:
    """Draw the share of consignments that are through after a time, or say why not."""
    say = context.say
    arms = context.shown()
    known = [flow for flow in context.flows() if any(len(context.pooled(arm, f"{flow}.{SPANS}")) for arm in arms)]
    flows = context.by_change(known)
    if not flows:
        return say("dwell.none")
    notes = [
        say("dwell.definition"),
        say("dwell.pooled"),
        say("dwell.markers"),
        *([say("not_drawn", names=say.listed(flows[MOST_PANELS:]))] if len(flows) > MOST_PANELS else []),
        *context.notes(),
    ]
    flows = flows[:MOST_PANELS]
    dwells = [kpi for kpi in context.kpis if kpi.definition.what == DWELL and kpi.subject in flows]
    figure = context.slide(finding.found(context, dwells, say("dwell.title")), notes)
    rows = 1 if len(flows) <= 2 else 2  # noqa: PLR2004  panels side by side
    columns = -(-len(flows) // rows)
    above = 0.4 + 0.2 * len(arms)
    for flow, axes in zip(
        flows,
        style.panels(figure, rows, columns, left=0.7, above=above, below=0.55, gap=0.45)[: len(flows)],
        strict=True,
    ):
        _panel(axes, context, flow)
    for axes in figure.axes[len(flows) :]:
        axes.remove()
    return figure


def _panel(axes: Axes, context: FigureContext, flow: str) -> None:
    say = context.say
    longest = 0.0
    handles, labels = [], []
    for position, arm in enumerate(context.shown()):
        spans = context.pooled(arm, f"{flow}.{SPANS}")
        followed = context.pooled(arm, f"{flow}.{OPEN}")
        if not len(spans):
            continue
        missing = len(followed)
        count = len(spans) + missing
        look = style.arm_look(position)
        given = context.comparison.arms[arm].get(f"{flow}.{DWELL}")
        if given is not None and given.reason == "grows":  # how long it takes depends on how long the run is
            labels.append(_label(axes, context, arm, "dwell.arm_grows", {}))
            handles.append(Line2D([], [], **look))
            continue
        # Whoever has no end yet may be through before those who took longer than that one has been followed.
        known = spans[spans <= told_until(followed, count)]
        if len(known):
            axes.plot(*_curve(known, count), zorder=3 + position, **look)
        median, late = (quantile(spans, followed, q) / HOUR for q in (0.5, 0.95))
        for value, height, marker in ((median, 50, "o"), (late, 95, "D")):
            if not np.isnan(value):
                axes.plot(
                    [value],
                    [height],
                    marker,
                    color=look["color"],
                    markersize=8,
                    markeredgecolor="white",
                    zorder=9,
                    clip_on=False,
                )
        longest = max(longest, float(spans[int(TAIL * (len(spans) - 1))]) / HOUR, 0.0 if np.isnan(late) else late)
        words = {"median": _hours(median, say), "late": _hours(late, say), "missing": style.percent(missing / count)}
        labels.append(_label(axes, context, arm, "dwell.arm_missing" if missing else "dwell.arm", words))
        handles.append(Line2D([], [], marker="o", markersize=7, markeredgecolor="white", **look))
    style.title(axes, context.flow_title(flow), above=0.12 + 0.2 * len(labels))
    style.legend(axes, handles, labels)
    axes.set_xlim(0, longest * 1.04 or 1)
    axes.set_ylim(0, 101)
    axes.set_yticks(range(0, 101, 25))
    axes.set_xlabel(say("dwell.x"), fontsize=style.SMALL)
    axes.set_ylabel(say("dwell.y"), fontsize=style.SMALL)
    axes.grid(visible=True, color=style.RULE, linewidth=0.8)


def _label(axes: Axes, context: FigureContext, arm: str, phrase: str, words: dict[str, str]) -> str:
    """Return a line of the legend: the name of the arm, cut where the line is too long, and its numbers."""
    room = axes.get_position().width * style.WIDTH - style.LEGEND_SAMPLE
    numbers = context.say(phrase, arm="", **words)
    name = style.fit(context.arm_label(arm), room - style.width_of(numbers, style.SMALL), style.SMALL)
    return context.say(phrase, arm=name, **words)


def _hours(value: float, say: Words) -> str:
    if np.isnan(value):
        return say("dwell.no_hours")
    return say("dwell.hours", value=f"{value:,.0f}" if value >= 100 else style.number(value))  # noqa: PLR2004  three digits do


def _curve(spans: NDArray[np.int64], count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return hours and the per cent of `count` consignments that took no longer, thinned to what a slide can show."""
    chosen = np.unique(np.linspace(0, len(spans) - 1, min(len(spans), POINTS)).astype(np.int64))
    hours = spans[chosen] / HOUR
    share = 100.0 * (chosen + 1) / count
    return np.concatenate([hours[:1], hours]), np.concatenate([[0.0], share])
