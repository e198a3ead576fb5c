"""What the arms change as a slide: paired differences with intervals, in per cent of the baseline and in units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zonesim.analysis import Effect
from zonesim.briefing.figures import effect_parts, finding, style
from zonesim.briefing.figures.context import MOST_ARMS, NOT_GIVEN, FigureContext
from zonesim.kpi import Kpi

ARROWS: Final = {"lower": " ↓", "higher": " ↑", "neither": ""}
"""The way that is good, behind the name of a KPI."""

MOST_ROWS: Final = 19
MOST_PAGES: Final = 3
"""Rows that are legible on one slide, and most slides."""

WIDEST: Final = 110.0
"""Per cent at which the axis ends at most; what lies beyond is told in words."""

ARM_NAMES: Final = 2.7
"""Inches for the names of arms, where each has a row."""

NAMES: Final = 3.3
VALUE: Final = 1.05
CHANGE: Final = 1.62
"""Inches for the names of KPIs, for the value of the baseline, and for the difference of one arm."""

MARKERS: Final = {"": "o", "input": "D", "not material": "o"}
SHAPES: Final = ("o", "s", "^", "P")
"""Of arms, where there are several: a grey print tells them apart too."""
FAINT: Final = "not material"
BAND: Final = "band"
THIN: Final = 0.004
"""The least width of the bar of a band, as a share of the axis."""


@dataclass(frozen=True)
class _Row:
    """A KPI, or without one the head of those about the same thing."""

    title: str
    kpi: Kpi | None = None


def effects_figures(context: FigureContext) -> dict[str, Figure] | str:
    """Return the effects of all arms by name of the slide, or say why there are none."""
    if len(context.names) < 2:  # noqa: PLR2004  something to compare with
        return context.say("effects.one_arm")
    if len(context.names) > MOST_ARMS:
        return _by_arm(context)
    kpis, left_out = _chosen(context)
    if not kpis:
        return context.say("effects.none")
    pages: list[list[_Row]] = [[]]
    for _, each in groupby(kpis, context.subject_title):
        group = list(each)
        rows = [_Row(context.subject_title(group[0])), *(_Row(directed(context, kpi), kpi) for kpi in group)]
        if pages[-1] and len(pages[-1]) + len(rows) > MOST_ROWS:
            pages.append([])
        while len(rows) > MOST_ROWS:
            pages[-1], rows = rows[:MOST_ROWS], [rows[0], *rows[MOST_ROWS:]]
            pages.append([])
        pages[-1] += rows
    notes = [context.say("effects.left_out", n=left_out)] if left_out else []
    left = sum(row.kpi is not None for page in pages[MOST_PAGES:] for row in page)
    notes += [context.say("effects.more", n=left)] if left else []
    return {
        f"effects{f'_{number + 1}' if number else ''}": _page(context, page, notes)
        for number, page in enumerate(pages[:MOST_PAGES])
    }


def _chosen(context: FigureContext) -> tuple[list[Kpi], int]:
    """
    Return the KPIs to draw, and how many were left out because no arm changes them, or by little.

    What an experiment names stays in its order; else what belongs together stands together, flows before places, the
    largest effects first.
    What is told first in any case is not left out. What changes by little is left out only where all would not fit on
    two slides.
    """
    if context.wanted:
        return [context.by_id[name] for name in context.wanted], 0
    others = context.names[1:]
    named = context.chief() if context.reported else [kpi for kpi in context.kpis if kpi.headline]
    kpis = [kpi for kpi in named if any(_has_value(context, arm, kpi) for arm in others)]
    telling = [kpi for kpi in kpis if not all(_is_nothing(context, arm, kpi) for arm in others)]
    if context.reported:
        return telling, len(kpis) - len(telling)
    first = [kpi for kpi in telling if context.with_and_without and kpi.definition.control is not None]
    rest = [kpi for kpi in telling if kpi not in first]
    if len(telling) > 2 * MOST_ROWS - 10:
        rest = [kpi for kpi in rest if any(context.effects[arm, kpi.id].tag != FAINT for arm in others)]
    sizes: dict[str, float] = {}
    for kpi in rest:
        sizes[kpi.subject] = max([sizes.get(kpi.subject, 0.0), *(_size(context, arm, kpi) for arm in others)])
    rest.sort(key=lambda kpi: (kpi.definition.scope != "flow", -sizes[kpi.subject]))
    subjects = list(dict.fromkeys(kpi.subject for kpi in first))
    first = sorted(context.told_first(first), key=lambda kpi: subjects.index(kpi.subject))
    return [*first, *rest], len(kpis) - len(first) - len(rest)


def directed(context: FigureContext, kpi: Kpi) -> str:
    """Return what a KPI measures with an arrow to the way that is good, where there is one."""
    return f"{context.quantity(kpi)}{ARROWS[kpi.definition.better]}"


def _size(context: FigureContext, arm: str, kpi: Kpi) -> float:
    """Return how large a difference is in per cent of the baseline; 0 where it may as well be none."""
    value, low, high = relative(context, arm, kpi)
    value = (low + high) / 2 if _is_band(context, arm, kpi) else value
    return 0.0 if math.isnan(value) or low <= 0 <= high else abs(value)


def _is_band(context: FigureContext, arm: str, kpi: Kpi) -> bool:
    """Return whether an effect lies between a least and a most over what nobody knows."""
    return context.effects[arm, kpi.id].tag == BAND


def _is_nothing(context: FigureContext, arm: str, kpi: Kpi) -> bool:
    """Return whether a difference is exactly 0 in every replication."""
    effect = context.effects[arm, kpi.id]
    return _known(effect) == effect.difference.low == effect.difference.high == 0


def _has_value(context: FigureContext, arm: str, kpi: Kpi) -> bool:
    """Return whether there is anything to say of an effect."""
    effect = context.effects[arm, kpi.id]
    return effect.tag in NOT_GIVEN or not math.isnan(_known(effect))


def _known(effect: Effect) -> float:
    """Return the value of an effect, or the least of a band; nan where nothing is known."""
    return effect.difference.low if effect.tag == BAND else effect.difference.value


def _notes(context: FigureContext, limits: tuple[float, float], kpis: Sequence[Kpi]) -> list[str]:
    say = context.say
    ends = [end for kpi in kpis for arm in context.names[1:] for end in relative(context, arm, kpi)]
    bands = any(_is_band(context, arm, kpi) for kpi in kpis for arm in context.names[1:])
    return [
        say("effects.definition") if context.n > 1 else say("one_replication"),
        say("effects.markers" if len(context.names) == 2 or len(context.names) > MOST_ARMS else "effects.shapes"),  # noqa: PLR2004  one arm
        *([say("effects.arrows")] if any(kpi.definition.better != "neither" for kpi in kpis) else []),
        *([say("effects.parts_note")] if effect_parts.parted(context, kpis) else []),
        *([say("effects.beyond")] if any(end < limits[0] or end > limits[1] for end in ends) else []),
        *([say("effects.band_note")] if bands else []),
        *([say("effects.missing_note")] if any(each.tag == "missing" for each in context.effects.values()) else []),
    ]


def _page(context: FigureContext, rows: Sequence[_Row], more: Sequence[str]) -> Figure:
    say = context.say
    others = context.names[1:]
    kpis = [row.kpi for row in rows if row.kpi is not None]
    limits = _limits(context, kpis)
    notes = [*_notes(context, limits, kpis), *more]
    figure = context.slide(finding.found(context, kpis, _topic(context)), notes)
    handles: list[Artist] = [Line2D([], [], markersize=8, **_look(place, len(others))) for place in range(len(others))]
    labels = [context.arm_label(arm) for arm in others]
    for handle, label in effect_parts.handles_of(context, kpis):
        handles.append(handle)
        labels.append(label)
    legend = style.legend_above(figure, handles, labels)
    wide = CHANGE if len(others) > 1 else CHANGE + 0.3
    axes = style.panels(figure, 1, 1, left=NAMES, above=0.5, below=0.55, top=0.28 * legend)[0]
    box = axes.get_position()
    right = (VALUE + wide * len(others) + 0.15) / style.WIDTH
    axes.set_position((box.x0, box.y0, box.width - right, box.height))
    axes.set_xlim(*limits)
    # Few rows stay as close to each other as many.
    axes.set_ylim(max(len(rows), 8) - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=style.INK, linewidth=1)
    axes.grid(visible=True, axis="x", color=style.RULE, linewidth=0.8)
    axes.set_xlabel(say("effects.x"), fontsize=style.SMALL)
    columns = _Columns(figure, axes, wide)
    columns.head(0, say("effects.base"))
    for place, arm in enumerate(others):
        columns.head(1 + place, say("effects.change") if len(others) == 1 else context.arm_name(arm))
    for number, row in enumerate(rows):
        room = NAMES - 0.06 - (0.0 if row.kpi is None else 0.18)
        head = row.kpi is None
        title, size = style.shrunk(row.title, room, style.NORMAL, bold=head)
        style.put(
            figure,
            style.MARGIN + (0.0 if head else 0.18),
            columns.height(number),
            title,
            size,
            bold=head,
        )
        if row.kpi is None:
            continue
        columns.write(number, 0, _baseline_text(context, row.kpi))
        for place, arm in enumerate(others):
            shift = 0.0 if len(others) == 1 else 0.62 * (place / (len(others) - 1) - 0.5)
            effect_parts.draw(axes, context, arm, row.kpi, number + shift)
            size = 8 if len(others) <= effect_parts.MOST_ARMS else 6
            _point(axes, context, arm, row.kpi, number + shift, _look(place, len(others)), size=size)
            columns.write(number, 1 + place, change_text(context, arm, row.kpi))
    return figure


def _topic(context: FigureContext) -> str:
    return context.say("effects.title", baseline=context.arm_name(context.baseline))


class _Columns:
    """The columns of numbers on the right of a panel, with their heads."""

    def __init__(self, figure: Figure, axes: Axes, wide: float) -> None:
        self.figure, self.axes, self.wide = figure, axes, wide
        self.left = axes.get_position().x1 * style.WIDTH + 0.15

    def height(self, row: float) -> float:
        """Return the height of a row in inches."""
        box = self.axes.get_position()
        low, high = self.axes.get_ylim()
        return float(box.y0 + box.height * (row - low) / (high - low)) * style.HEIGHT

    def write(self, row: int, column: int, text: str) -> None:
        """Write a number right-aligned into its column."""
        text, size = style.shrunk(text, self._room(column), style.NORMAL)
        self._put(column, self.height(row), text, size, style.INK)

    def head(self, column: int, text: str) -> None:
        """Write the head of a column in one line or two."""
        lines = style.two_lines(text, self._room(column), style.SMALL)
        for number, line in enumerate(reversed(lines)):
            self._put(column, self.height(-0.6) + 0.12 + 0.17 * number, line, style.SMALL, style.PALE)

    def _room(self, column: int) -> float:
        return (VALUE if column == 0 else self.wide) - 0.08

    def _put(self, column: int, y: float, text: str, size: float, colour: str) -> None:
        right = self.left + VALUE + self.wide * column - 0.05
        style.put(self.figure, right - style.width_of(text, size), y, text, size, colour=colour)


def _look(place: int, arms: int) -> dict[str, Any]:
    """Return the look of an arm that is no baseline, one of so many; the shape is its own where there are several."""
    colour = style.ARMS[(place + 1) % len(style.ARMS)]
    return {"color": colour, "linestyle": "none", "marker": SHAPES[place % len(SHAPES)] if arms > 1 else "o"}


def relative(context: FigureContext, arm: str, kpi: Kpi) -> tuple[float, float, float]:
    """Return a difference with its limits in per cent of the baseline's mean; nan where there is none."""
    effect = context.effects[arm, kpi.id]
    if effect.tag == BAND:
        low, high = effect.relative
        return math.nan, 100 * low, 100 * high
    change = effect.difference
    base = abs(context.mean(context.baseline, kpi.id))
    if not base > 0:
        return math.nan, math.nan, math.nan
    return 100 * change.value / base, 100 * change.low / base, 100 * change.high / base


def _limits(context: FigureContext, kpis: Sequence[Kpi]) -> tuple[float, float]:
    """Return where the axis ends: at all points and limits, but no further than `WIDEST`."""
    values = [value for kpi in kpis for arm in context.names[1:] for value in relative(context, arm, kpi)]
    values += effect_parts.reach(context, kpis)
    known = [min(max(value, -WIDEST), WIDEST) for value in values if not math.isnan(value)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    room = 0.06 * max(high - low, 2.0)
    return min(low, 0.0) - room, max(high, 0.0) + room


def _point(
    axes: Axes, context: FigureContext, arm: str, kpi: Kpi, row: float, look: dict[str, Any], *, size: float
) -> None:
    """Draw one effect: hollow and thin where it is not material, an arrow where it lies beyond the axis."""
    tag = context.effects[arm, kpi.id].tag
    value, low, high = relative(context, arm, kpi)
    left, right = axes.get_xlim()
    if tag == BAND and not math.isnan(low):
        _bar(axes, max(low, left), min(high, right), row, look["color"])
    if math.isnan(value):
        return
    faint = tag == FAINT
    colour = look["color"]
    if not math.isnan(low):
        axes.plot(
            [max(low, left), min(high, right)], [row, row], color=colour, linewidth=1.0 if faint else 2.2, zorder=4
        )
        for edge, marker, cut in ((left, "<", low < left <= value), (right, ">", high > right >= value)):
            if cut:
                axes.plot(
                    [edge], [row], marker=marker, markersize=0.8 * size, color=colour, linestyle="none", clip_on=False
                )
    beyond = value < left or value > right
    axes.plot(
        [min(max(value, left), right)],
        [row],
        marker=("<" if value < left else ">")
        if beyond
        else MARKERS.get(tag, "o")
        if len(context.names) == 2  # noqa: PLR2004  one arm: its shape is free to tell the tag
        else look["marker"],
        markersize=size * (0.8 if faint else 1),
        color=colour,
        markerfacecolor="white" if faint or tag == "input" else colour,
        markeredgewidth=1.4,
        linestyle="none",
        clip_on=False,
        zorder=5,
    )


def _bar(axes: Axes, low: float, high: float, row: float, colour: str) -> None:
    """Draw a band, broad and pale: within it nothing is likelier. One without extent stays in sight."""
    left, right = axes.get_xlim()
    least = THIN * (right - left)
    if high - low < least:
        low, high = (low + high - least) / 2, (low + high + least) / 2
    axes.plot([low, high], [row, row], color=colour, linewidth=9, alpha=0.45, solid_capstyle="butt", zorder=4)


def value_text(context: FigureContext, kpi: Kpi, value: float) -> str:
    """Return a value with its unit."""
    if math.isnan(value):
        return "-"
    if kpi.unit == "share":
        return style.percent(round(value, 4))
    return context.say("effects.value", value=style.number(value), unit=context.say.unit(kpi.unit))


def _baseline_text(context: FigureContext, kpi: Kpi) -> str:
    """Return the value of the baseline, or the least and the most that it may be."""
    found = context.comparison.arms[context.baseline].get(kpi.id)
    if found is not None and found.reason == BAND:
        return context.say(
            "effects.value",
            value=_from_to(context, kpi, found.low, found.high),
            unit=context.say.unit(kpi.unit),
        )
    return value_text(context, kpi, context.mean(context.baseline, kpi.id))


def _from_to(context: FigureContext, kpi: Kpi, low: float, high: float) -> str:
    """Return the least and the most of a quantity in the unit of its KPI (of a share: per cent, or points)."""
    if math.isnan(low):
        return "-"
    factor = 100 if kpi.unit == "share" else 1
    return context.say("effects.from_to", low=style.number(factor * low), high=style.number(factor * high))


def change_text(context: FigureContext, arm: str, kpi: Kpi) -> str:
    """Return a difference with its limits in the unit of the KPI (of a share: points), or why there is none."""
    effect = context.effects[arm, kpi.id]
    change = effect.difference
    if effect.tag in NOT_GIVEN:
        return context.say(f"effects.{effect.tag}")
    if effect.tag == BAND:
        return _from_to(context, kpi, change.low, change.high)
    if math.isnan(change.value):
        return "-"
    factor = 100 if kpi.unit == "share" else 1
    return style.with_limits(factor * change.value, factor * (change.high - change.value))


# --- many arms


def _by_arm(context: FigureContext) -> dict[str, Figure] | str:
    """Draw the most telling KPIs side by side with one row an arm."""
    say = context.say
    others = context.names[1:]
    kpis = [kpi for kpi in context.chief() if any(_has_value(context, arm, kpi) for arm in others)]
    if not kpis:
        return say("effects.none")
    pages = [kpis[first : first + 4] for first in (0, 4) if kpis[first : first + 4]]
    return {
        f"effects{f'_{number + 1}' if number else ''}": _arms_page(context, page) for number, page in enumerate(pages)
    }


def _arms_page(context: FigureContext, kpis: Sequence[Kpi]) -> Figure:
    say = context.say
    others = context.names[1:]
    most = 24
    rows = others[:most]
    ends = (-WIDEST, WIDEST)
    notes = [*_notes(context, ends, kpis), *([say("more_arms", n=len(others) - most)] if len(others) > most else [])]
    figure = context.slide(finding.found(context, kpis, _topic(context)), notes)
    names, letters = style.wrapped([context.arm_name(arm) for arm in rows], ARM_NAMES, style.SMALL, lines=1)
    wide = max(style.width_of(name, letters) for name in names) + 0.15
    numbers = 1.1
    each = (style.WIDTH - 2 * style.MARGIN - wide) / len(kpis)
    for column, (kpi, axes) in enumerate(
        zip(kpis, style.panels(figure, 1, len(kpis), left=0.0, above=0.66, below=0.55, gap=0.0), strict=True)
    ):
        box = axes.get_position()
        x = style.MARGIN + wide + each * column
        axes.set_position((x / style.WIDTH, box.y0, (each - numbers - 0.15) / style.WIDTH, box.height))
        axes.set_xlim(*_limits(context, [kpi]))
        axes.set_ylim(max(len(rows), 4) - 0.4, -0.6)
        axes.set_yticks(range(len(rows)), names if column == 0 else [""] * len(rows), fontsize=letters)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.axvline(0, color=style.INK, linewidth=1)
        axes.grid(visible=True, axis="x", color=style.RULE, linewidth=0.8)
        axes.set_xlabel(say("effects.x_short"), fontsize=style.SMALL)
        columns = _Columns(figure, axes, numbers)
        for number, arm in enumerate(rows):
            _point(axes, context, arm, kpi, number, _look(0, 1), size=7)
            text, size = style.shrunk(change_text(context, arm, kpi), numbers - 0.05, style.SMALL)
            style.put(figure, columns.left - 0.05, columns.height(number), text, size)
        top = columns.height(-0.6)
        base = _baseline_text(context, kpi)
        lines = (
            (0.5, context.subject_title(kpi), True),
            (0.32, context.quantity(kpi), False),
            (0.14, say("effects.base_is", value=base), False),
        )
        for above, text, bold in lines:
            style.put(
                figure, x, top + above, style.fit(text, each - 0.15, style.SMALL, bold=bold), style.SMALL, bold=bold
            )
    return figure
