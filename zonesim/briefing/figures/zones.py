"""Zone by zone as a slide: how long the gate takes, how long goods stay, and the hours of officers, arm by arm."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from zonesim.analysis import interval, paired
from zonesim.briefing.figures import finding, style
from zonesim.briefing.figures.context import DWELL, FigureContext

PASSAGE: Final = "queue_and_lane.mean"
PASSES: Final = "passes.day"
ARRIVED: Final = "arrived.day"
BUSY_HOURS: Final = "busy_hours.day"
KPIS: Final = {"gate": (PASSAGE, PASSES), "flow": (DWELL, ARRIVED), "resource": (BUSY_HOURS,)}
"""What the figure is about, by scope."""

MOST_ZONES: Final = 6
HATCHES: Final = ("", "//", "..", "\\\\\\\\", "xx")
Floats = NDArray[np.float64]


def zones_figure(context: FigureContext) -> Figure | str:
    """Draw the modelled zones side by side, those with most traffic first, or say why not."""
    say = context.say
    if context.known is None:
        return say("no_scenario")
    zones = [name for name, zone in context.known.scenario.zones.items() if not zone.outside]
    if len(zones) < 2:  # noqa: PLR2004  zones to compare
        return say("zones.one")
    quantities: list[tuple[str, Callable[[FigureContext, str, str], Floats]]] = [
        ("zones.pass", gate_minutes),
        ("zones.dwell", dwell_hours),
        ("zones.officers", officer_hours),
    ]
    zones.sort(key=lambda zone: -float(np.nan_to_num(_passes(context, context.baseline, zone)).sum()))
    shown = zones[:MOST_ZONES]
    arms = context.shown()
    notes = [
        say("zones.bars") if context.n > 1 else say("one_replication"),
        say("zones.dwell_is"),
        *([say("not_drawn", names=say.listed(zones[MOST_ZONES:]))] if len(zones) > MOST_ZONES else []),
        *context.notes(),
    ]
    figure = context.slide(finding.told(context, _changes(context, shown), say("zones.title")), notes)
    handles = [Patch(**_look(place)) for place in range(len(arms))]
    legend = style.legend_above(figure, handles, [context.arm_label(arm) for arm in arms], sample=1.4)
    panels = style.panels(figure, 3, len(shown), left=0.62, above=0.58, below=0.05, gap=0.12, top=0.28 * legend)
    room = 0.95 * panels[0].get_position().width * style.WIDTH
    labels, letters = style.wrapped([context.zone_words(zone) for zone in shown], room, style.NORMAL, bold=True)
    names = dict(zip(shown, labels, strict=True))
    for row, (phrase, measure) in enumerate(quantities):
        highest = 0.0
        line = panels[row * len(shown) : (row + 1) * len(shown)]
        for zone, axes in zip(shown, line, strict=True):
            highest = max(highest, _bars(axes, context, [measure(context, arm, zone) for arm in arms]))
            if row == 0:
                axes.set_title(names[zone], fontsize=letters, loc="left", weight="bold", pad=0.34 / style.POINT)
        for axes in line:
            axes.set_ylim(0, 1.18 * highest or 1)
            if axes is not line[0]:
                axes.set_yticklabels([])
        style.put(
            figure,
            line[0].get_position().x0 * style.WIDTH - 0.5,
            line[0].get_position().y1 * style.HEIGHT + 0.16,
            say(phrase),
            style.NORMAL,
            bold=True,
        )
    return figure


def _changes(context: FigureContext, zones: Sequence[str]) -> list[finding.Change]:
    """Return what each arm changes in each zone, of what the panels show."""
    say, found = context.say, []
    quantities = (
        (say("zones.pass_is"), "min", gate_minutes, _passages),
        (say("zones.dwell_mean"), "h", dwell_hours, _dwells),
        (say("zones.officers"), "h/d", officer_hours, _hours),
    )
    for quantity, unit, measure, kpis in quantities:
        for zone in zones:
            base = measure(context, context.baseline, zone)
            for arm in context.names[1:]:
                own = measure(context, arm, zone)
                if np.isnan(base).all() and np.isnan(own).all():
                    continue  # nothing of the kind happens in this zone
                change = paired(base.tolist(), own.tolist(), context.comparison.level)
                mean = interval(base.tolist(), context.comparison.level).value
                words = context.arm_name(arm), context.zone_words(zone), quantity, unit
                tags = {context.effects[arm, kpi].tag for kpi in kpis(context, zone) if (arm, kpi) in context.effects}
                tag = finding.ECHO if tags == {finding.ECHO} else ""  # a result where any part of it is one
                found.append(finding.judged(context, finding.Change(*words, change, mean, tag)))
    return found


def _bars(axes: Axes, context: FigureContext, columns: Sequence[Floats]) -> float:
    """Draw a bar an arm with its interval and value; return the highest value."""
    highest = 0.0
    for place, column in enumerate(columns):
        found = interval(column.tolist(), context.comparison.level)
        if math.isnan(found.value):
            axes.text(place, 0, context.say("dwell.no_hours"), ha="center", va="bottom", fontsize=style.SMALL)
            continue
        axes.bar(place, found.value, width=0.72, zorder=3, **_look(place))
        top = found.value
        if not math.isnan(found.high):
            axes.errorbar(
                place, found.value, yerr=found.high - found.value, color=style.PALE, capsize=4, linewidth=1.4, zorder=5
            )
            top = found.high
        text = style.fit(style.number(found.value), axes.get_position().width * style.WIDTH / len(columns), style.SMALL)
        axes.annotate(
            text, (place, top), (0, 2), textcoords="offset points", ha="center", va="bottom", fontsize=style.SMALL
        )
        highest = max(highest, top)
    axes.set_xlim(-0.6, max(len(columns), 2) - 0.4)
    axes.set_xticks([])
    axes.grid(visible=True, axis="y", color=style.RULE, linewidth=0.8)
    return highest


def _look(place: int) -> dict[str, Any]:
    """Return the look of the bar of an arm: hatched, so that a grey print tells them apart."""
    return {
        "facecolor": style.ARMS[place % len(style.ARMS)],
        "edgecolor": "white",
        "linewidth": 0.6,
        "hatch": HATCHES[place % len(HATCHES)],
    }


def _directions(context: FigureContext, zone: str) -> list[str]:
    return [place for place in context.subjects(PASSAGE) if place.partition(".")[0] == zone]


def _passes(context: FigureContext, arm: str, zone: str) -> Floats:
    """Return the passages a day of a zone's gates by replication."""
    columns = [context.column(arm, f"{place}.{PASSES}") for place in _directions(context, zone)]
    return np.sum(columns, axis=0) if columns else np.full(context.n, math.nan)


def gate_minutes(context: FigureContext, arm: str, zone: str) -> Floats:
    """Return the mean time to pass a gate of the zone (min) by replication, over all directions."""
    places = _directions(context, zone)
    times = [context.column(arm, f"{place}.{PASSAGE}") / 60 for place in places]
    return _weighted(times, [context.column(arm, f"{place}.{PASSES}") for place in places], context.n)


def _passages(context: FigureContext, zone: str) -> list[str]:
    return [f"{place}.{PASSAGE}" for place in _directions(context, zone)]


def _dwells(context: FigureContext, zone: str) -> list[str]:
    return [f"{group}.{DWELL}" for group in _groups(context, zone)]


def _hours(context: FigureContext, zone: str) -> list[str]:
    """Return the KPIs of the busy hours of a zone's officers."""
    entries = context.known.scenario.zones[zone].entries() if context.known is not None else {}
    names = [f"{zone}.{name}.{BUSY_HOURS}" for name, own in entries.items() if getattr(own, "role", "") == "officer"]
    return [name for name in names if name in context.by_id]


def dwell_hours(context: FigureContext, arm: str, zone: str) -> Floats:
    """Return the mean dwell (h) by replication of consignments that become usable in the zone."""
    groups = _groups(context, zone)
    times = [context.column(arm, name) for name in _dwells(context, zone)]
    return _weighted(times, [context.column(arm, f"{group}.{ARRIVED}") for group in groups], context.n)


def _groups(context: FigureContext, zone: str) -> list[str]:
    """Return flows or entries of the traffic with goods that become usable, whose last zone is this one."""
    scenario = context.known.scenario if context.known is not None else None
    if scenario is None:
        return []
    uses = [str(entry.flow) for entry in scenario.traffic.values()]
    found = []
    for name, entry in scenario.traffic.items():
        named = [str(value) for value in entry.with_.values() if str(value) in scenario.zones]
        group = name if uses.count(str(entry.flow)) > 1 else str(entry.flow)
        if named and named[-1] == zone and group in context.with_usable:
            found.append(group)
    return found


def officer_hours(context: FigureContext, arm: str, zone: str) -> Floats:
    """Return the busy hours a day of the zone's officers by replication."""
    columns = [context.column(arm, name) for name in _hours(context, zone)]
    return np.sum(columns, axis=0) if columns else np.full(context.n, math.nan)


def _weighted(values: Sequence[Floats], weights: Sequence[Floats], n: int) -> Floats:
    """Return weighted means by replication; nan where nothing has weight, or what has weight has no value."""
    if not values:
        return np.full(n, math.nan)
    parts = np.array(values), np.nan_to_num(np.array(weights))
    total = parts[1].sum(axis=0)
    sums = np.where(parts[1] > 0, parts[0] * parts[1], 0.0).sum(axis=0)
    return np.where(total > 0, sums / np.where(total > 0, total, 1.0), math.nan)
