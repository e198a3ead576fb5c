"""The week as a slide: who waits for the lanes, and how full yards and docks are, hour by hour, arm over arm."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zonesim.analysis import curve
from zonesim.briefing.figures import finding, style
from zonesim.briefing.figures.context import FigureContext
from zonesim.briefing.figures.gate import MOST_BAND, UTILISATION, Bands, band, highest, no_queue
from zonesim.plan import monday_offset
from zonesim.scenario.staffing import Staffing, units_by_hour
from zonesim.units import HOUR

QUEUE: Final = "queue_week"
BUSY: Final = "busy_week"
WAIT: Final = "wait.mean"
"""What the title may tell of gate directions; of resources it is how much they are used."""

CURVES: Final = (QUEUE, BUSY)
"""What is drawn, of gate directions and of resources: curves by hour of the week."""

MOST_EACH: Final = 2
"""Directions of gates, and yards, on one slide."""

ROLES: Final = ("yard", "dock")
"""What is drawn as full or not, the most telling first; without such resources the busiest ones are."""


def week_figure(context: FigureContext) -> Figure | str:
    """Draw the busiest gate directions and the fullest yards over the week, or say why not."""
    say = context.say
    names = {name: None for run in context.results[context.baseline] for name in run.curves}
    waited = [name for name in names if _parts(name)[1] == QUEUE]
    queues = _fullest(context, waited)
    yards = _yards(context, [name for name in names if _parts(name)[1] == BUSY])
    if not queues and not yards:
        return say("week.none")
    panels = [*queues, *yards]
    left_out = len(waited) - len(queues)
    notes = [
        say("band.cut", times=MOST_BAND) if context.n > 1 else say("one_replication"),
        *([say("week.units")] if yards else []),
        *([say("gate.busiest", n=len(queues), all=len(queues) + left_out)] if left_out else []),
        *context.notes(),
    ]
    waits = [kpi for kpi in context.kpis if kpi.definition.what == WAIT and f"{kpi.subject}.{QUEUE}" in queues]
    used = [kpi for kpi in context.kpis if kpi.definition.what == UTILISATION and f"{kpi.subject}.{BUSY}" in yards]
    figure = context.slide(finding.found(context, [*waits, *used], say("week.title")), notes)
    arms = context.shown()
    handles = [Line2D([], [], **style.arm_look(place)) for place in range(len(arms))]
    legend = style.legend_above(figure, handles, [context.arm_label(arm) for arm in arms])
    rows = style.panels(figure, len(panels), 1, left=0.85, above=0.34, below=0.3, top=0.28 * legend)
    for name, axes in zip(panels, rows, strict=True):
        place, what = _parts(name)
        waiting = what == QUEUE
        bands = weekly(context, name)
        _panel(axes, context, bands)
        if waiting:
            no_queue(axes, context, bands)
        title = context.place_words(place)
        style.title(axes, say("week.waiting" if waiting else "week.busy", place=title), above=0.08)
        axes.set_ylabel(say("week.waiting_y" if waiting else "week.busy_y"), fontsize=style.SMALL)
        units = [] if waiting else _units(context, place)
        if units:
            dotted: dict[str, Any] = {"color": style.PALE, "linewidth": 1.2, "linestyle": (0, (1, 1.5)), "zorder": 2}
            if len(set(units)) > 1:
                axes.stairs(units, range(len(units) + 1), baseline=None, **dotted)
            else:
                axes.axhline(units[0], **dotted)
            axes.set_ylim(0, max(axes.get_ylim()[1], 1.08 * max(units)))
    return figure


def _parts(name: str) -> tuple[str, str]:
    """Return of what a curve is, and which."""
    place, _, what = name.rpartition(".")
    return place, what


def weekly(context: FigureContext, name: str) -> Bands:
    """Return mean and limits of a curve for each arm, from Monday 00:00 on."""
    shift = monday_offset(context.scenario.start) // HOUR
    found = {}
    for arm in context.shown():
        runs = [run for run in context.results[arm] if name in run.curves]
        if runs:
            hours = curve(runs, name, context.comparison.level)
            found[arm] = band([hours[(hour - shift) % len(hours)] for hour in range(len(hours))])
    return found


def _fullest(context: FigureContext, names: list[str]) -> list[str]:
    """Return the curves with the highest means in any arm, in the order given."""
    means = {name: highest(weekly(context, name)) for name in names}
    chosen = sorted(names, key=lambda name: -means[name])[:MOST_EACH]
    return [name for name in names if name in chosen]


def _yards(context: FigureContext, names: list[str]) -> list[str]:
    """Return the curves of yards, else of docks, else of the fullest resources that are no lanes or officers."""
    roles = {name: _role(context, _parts(name)[0]) for name in names}
    for role in ROLES:
        if found := [name for name in names if roles[name] == role]:
            return _fullest(context, found)
    return _fullest(context, [name for name in names if roles[name] not in {"lane", "officer"}])


def _role(context: FigureContext, place: str) -> str:
    zone, _, name = place.partition(".")
    zones = context.known.scenario.zones if context.known is not None else {}
    return str(getattr(zones[zone].entries().get(name), "role", "")) if zone in zones else name


def _units(context: FigureContext, place: str) -> list[float]:
    """Return how many units a resource has in each hour of the week; nothing when it is not known."""
    zone, _, name = place.partition(".")
    zones = context.known.scenario.zones if context.known is not None else {}
    units = getattr(zones[zone].entries().get(name), "units", 0) if zone in zones else 0
    return units_by_hour(units) if isinstance(units, int | Staffing) and units else []


def _panel(axes: Axes, context: FigureContext, bands: Bands) -> None:
    middle = np.arange(style.WEEK_HOURS) + 0.5
    for position, arm in enumerate(context.shown()):
        if arm not in bands:
            continue
        mean, low, high = bands[arm]
        look = style.arm_look(position)
        axes.fill_between(middle, low, high, color=look["color"], alpha=0.16, linewidth=0)
        axes.plot(middle, mean, zorder=3 + position, **(look | {"linewidth": 1.6}))
    style.week_axis(axes, context.say)
    limits = max((float(np.nan_to_num(high).max()) for _, _, high in bands.values()), default=0.0)
    axes.set_ylim(0, 1.08 * min(limits, MOST_BAND * highest(bands)) or 1)
    axes.grid(visible=True, axis="y", color=style.RULE, linewidth=0.8)
