"""The gate over the day as a slide: vehicles waiting and pass time by hour of day, direction by direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from zonesim.analysis import Interval, curve
from zonesim.briefing.figures import finding, style
from zonesim.briefing.figures.context import FigureContext

PASSES: Final = "passes.day"
UTILISATION: Final = "utilisation"
PASSING: Final = "pass.mean"
KPIS: Final = {"gate": (PASSES, PASSING), "resource": (UTILISATION,)}
"""What the figure is about, by scope: directions with a limited number of lanes that pass most, and how fast."""

QUEUE: Final = "queue"
PASSAGE: Final = "pass"
CURVES: Final = (QUEUE, PASSAGE)
"""What is drawn of them: curves by hour of the day."""

MOST_PLACES: Final = 2
MOST_BAND: Final = 3
"""Panels end at this many times the highest mean; bands may go on."""

LONG: Final = 600.0
"""Seconds from which pass times are drawn in minutes."""

FEW: Final = 0.01
"""Vehicles waiting on average, below which there is no queue to draw."""

Curve = NDArray[np.float64]
Bands = dict[str, tuple[Curve, Curve, Curve]]
"""Mean and limits by hour of day, by arm."""


def gate_figure(context: FigureContext) -> Figure | str:
    """Draw the gate directions that pass most vehicles, or say why not."""
    say = context.say
    limited = set(context.subjects(UTILISATION))
    places = [place for place in _places(context) if place in limited]
    busiest = sorted(places, key=lambda place: -np.nan_to_num(context.mean(context.baseline, f"{place}.{PASSES}")))
    chosen = [place for place in places if place in busiest[:MOST_PLACES]]
    if not chosen:
        return say("gate.none")
    notes = [
        say("gate.days"),
        say("band.cut", times=MOST_BAND) if context.n > 1 else say("one_replication"),
        *([say("gate.busiest", n=MOST_PLACES, all=len(places))] if len(places) > MOST_PLACES else []),
        *context.notes(),
    ]
    times = [kpi for kpi in context.kpis if kpi.definition.what == PASSING and kpi.subject in chosen]
    figure = context.slide(finding.found(context, times, say("gate.title")), notes)
    handles = [Line2D([], [], **style.arm_look(position)) for position in range(len(context.shown()))]
    rows = style.legend_above(figure, handles, [context.arm_label(arm) for arm in context.shown()])
    panels = style.panels(figure, 2, len(chosen), left=0.85, above=0.4, below=0.55, gap=0.35, top=0.28 * rows)
    unit = "min" if any(highest(_bands(context, f"{place}.{PASSAGE}")) > LONG for place in chosen) else "s"
    for column, place in enumerate(chosen):
        title = context.place_words(place)
        above, below = panels[column], panels[len(chosen) + column]
        waiting = _bands(context, f"{place}.{QUEUE}")
        _panel(above, context, waiting, say("gate.waiting_y"))
        no_queue(above, context, waiting)
        style.title(above, say("gate.waiting", place=title), above=0.1)
        passing = _bands(context, f"{place}.{PASSAGE}")
        if unit == "min":
            passing = {arm: (mean / 60, low / 60, high / 60) for arm, (mean, low, high) in passing.items()}
        _panel(below, context, passing, say("gate.passing_y", unit=say.unit(unit)))
        style.title(below, say("gate.passing", place=title), above=0.1)
    return figure


def no_queue(axes: Axes, context: FigureContext, bands: Bands) -> None:
    """Where the mean never comes near one vehicle, give the axis whole vehicles and say so."""
    if highest(bands) >= FEW:
        return
    axes.set_ylim(0, 1)
    axes.text(
        0.5,
        0.5,
        context.say("gate.no_queue"),
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=style.NORMAL,
        color=style.PALE,
    )


def highest(bands: Bands) -> float:
    """Return the highest mean; hours without a value count as 0."""
    return max((float(np.nan_to_num(mean).max()) for mean, _, _ in bands.values()), default=0.0)


def _places(context: FigureContext) -> list[str]:
    names = (name.rpartition(".") for run in context.results[context.baseline] for name in run.curves)
    return list(dict.fromkeys(place for place, _, what in names if what == QUEUE))


def _bands(context: FigureContext, name: str) -> Bands:
    """Return mean and limits by hour of day for each arm that has the curve."""
    found = {}
    for arm in context.shown():
        runs = [run for run in context.results[arm] if name in run.curves]
        if runs:
            found[arm] = band(curve(runs, name, context.comparison.level))
    return found


def band(hours: Sequence[Interval]) -> tuple[Curve, Curve, Curve]:
    """
    Return mean and limits of a curve that is nowhere negative, hour by hour; the limits are the mean where there are
    fewer than two values.
    """
    mean = np.array([each.value for each in hours])
    low = np.array([each.low for each in hours])
    high = np.array([each.high for each in hours])
    # Neither waiting nor passing can be negative, though Student's limits can.
    return mean, np.maximum(np.where(np.isnan(low), mean, low), 0), np.where(np.isnan(high), mean, high)


def _panel(axes: Axes, context: FigureContext, bands: Bands, unit: str) -> None:
    middle = np.arange(24) + 0.5
    for position, arm in enumerate(context.shown()):
        if arm not in bands:
            continue
        mean, low, high = bands[arm]
        look = style.arm_look(position)
        axes.fill_between(middle, low, high, color=look["color"], alpha=0.16, linewidth=0)
        axes.plot(middle, mean, zorder=3 + position, **look)
    axes.set_xlim(0, 24)
    axes.set_xticks(range(0, 25, 3))
    # With few replications the limits can be so far apart that the means would be lost at the foot of the panel.
    limits = max((float(np.nan_to_num(high).max()) for _, _, high in bands.values()), default=0.0)
    axes.set_ylim(0, 1.08 * min(limits, MOST_BAND * highest(bands)) or 1)
    axes.set_xlabel(context.say("gate.x"), fontsize=style.SMALL)
    axes.set_ylabel(unit, fontsize=style.SMALL)
    axes.grid(visible=True, axis="y", color=style.RULE, linewidth=0.8)
