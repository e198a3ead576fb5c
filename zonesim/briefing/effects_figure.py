"""What the arms change as a slide: paired differences with intervals, in per cent of the baseline and in units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zonesim.briefing import style
from zonesim.briefing.context import MOST_ARMS, NOT_GIVEN, FigureContext
from zonesim.kpi import Kpi

MOST_ROWS: Final = 19
MOST_PAGES: Final = 3
"""Rows that are legible on one slide, and most slides."""

WIDEST: Final = 110.0
"""Per cent at which the axis ends at most; what lies beyond is told in words."""

TINY: Final = 8.5
"""Size of letters of numbers too long for their column."""

NAMES: Final = 3.3
VALUE: Final = 1.05
CHANGE: Final = 1.62
"""Inches for the names of KPIs, for the value of the baseline, and for the difference of one arm."""

MARKERS: Final = {"": "o", "input": "D", "not material": "o"}
FAINT: Final = "not material"


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
        rows = [_Row(context.subject_title(group[0])), *(_Row(context.quantity(kpi), kpi) for kpi in group)]
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
    Return the KPIs to draw, and how many were left out because no arm changes them by much.

    These are left out only where all would not fit on two slides.
    """
    if context.wanted:
        return [context.by_id[name] for name in context.wanted], 0
    others = context.names[1:]
    kpis = [kpi for kpi in context.kpis if kpi.headline and any(_told(context, arm, kpi) for arm in others)]
    if len(kpis) <= 2 * MOST_ROWS - 10:
        return kpis, 0
    telling = [kpi for kpi in kpis if any(context.effects[arm, kpi.id].tag != FAINT for arm in others)]
    return telling, len(kpis) - len(telling)


def _told(context: FigureContext, arm: str, kpi: Kpi) -> bool:
    """Return whether there is anything to say of an effect."""
    effect = context.effects[arm, kpi.id]
    return effect.tag in NOT_GIVEN or not math.isnan(effect.difference.value)


def _notes(context: FigureContext) -> list[str]:
    say = context.say
    return [
        say("effects.definition") if context.n > 1 else say("one_replication"),
        say("effects.markers"),
        *([say("effects.missing_note")] if any(each.tag == "missing" for each in context.effects.values()) else []),
    ]


def _page(context: FigureContext, rows: Sequence[_Row], more: Sequence[str]) -> Figure:
    say = context.say
    others = context.names[1:]
    base = context.arm_label(context.baseline)
    notes = [*_notes(context), *more]
    figure = context.slide(say("effects.title", baseline=context.baseline), notes)
    handles = [Line2D([], [], marker="o", markersize=8, **_look(place)) for place in range(len(others))]
    legend = style.legend_above(figure, handles, [context.arm_label(arm) for arm in others])
    wide = CHANGE if len(others) > 1 else CHANGE + 0.3
    axes = style.panels(figure, 1, 1, left=NAMES, above=0.4, below=0.55, top=0.28 * legend)[0]
    box = axes.get_position()
    right = (VALUE + wide * len(others) + 0.15) / style.WIDTH
    axes.set_position((box.x0, box.y0, box.width - right, box.height))
    limits = _limits(context, [row.kpi for row in rows if row.kpi is not None])
    axes.set_xlim(*limits)
    # Few rows stay as close to each other as many.
    axes.set_ylim(max(len(rows), 8) - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=style.INK, linewidth=1)
    axes.grid(visible=True, axis="x", color=style.RULE, linewidth=0.8)
    axes.set_xlabel(say("effects.x", baseline=context.baseline), fontsize=style.SMALL)
    columns = _Columns(figure, axes, wide)
    columns.write(-1, 0, style.fit(base, VALUE - 0.1, style.SMALL), pale=True)
    for place, arm in enumerate(others):
        words = style.fit(say("effects.change", arm=arm), wide - 0.1, style.SMALL)
        columns.write(-1, 1 + place, words, pale=True)
    for number, row in enumerate(rows):
        room = NAMES - 0.06 - (0.0 if row.kpi is None else 0.18)
        head = row.kpi is None
        size = style.NORMAL if style.width_of(row.title, style.NORMAL, bold=head) <= room else style.SMALL
        title = style.fit(row.title, room, size, bold=head)
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
        columns.write(number, 0, value_text(context, row.kpi, context.mean(context.baseline, row.kpi.id)))
        for place, arm in enumerate(others):
            shift = 0.0 if len(others) == 1 else 0.62 * (place / (len(others) - 1) - 0.5)
            _point(axes, context, arm, row.kpi, number + shift, _look(place), size=8 if len(others) < 3 else 6)  # noqa: PLR2004
            columns.write(number, 1 + place, change_text(context, arm, row.kpi))
    return figure


class _Columns:
    """The columns of numbers on the right of a panel; row -1 is their head."""

    def __init__(self, figure: Figure, axes: Axes, wide: float) -> None:
        self.figure, self.axes, self.wide = figure, axes, wide
        self.left = axes.get_position().x1 * style.WIDTH + 0.15

    def height(self, row: float) -> float:
        """Return the height of a row in inches."""
        box = self.axes.get_position()
        low, high = self.axes.get_ylim()
        return float(box.y0 + box.height * (row - low) / (high - low)) * style.HEIGHT

    def write(self, row: int, column: int, text: str, *, pale: bool = False) -> None:
        """Write a number right-aligned into its column."""
        right = self.left + VALUE + self.wide * column - 0.05
        room = (VALUE if column == 0 else self.wide) - 0.08
        text, size = _shrunk(text, room, style.SMALL if pale else style.NORMAL)
        x = right - style.width_of(text, size)
        y = self.height(-0.6) + 0.14 if row < 0 else self.height(row)
        style.put(self.figure, x, y, text, size, colour=style.PALE if pale else style.INK)


def _shrunk(text: str, room: float, size: float) -> tuple[str, float]:
    """Return a text and the size at which it fits; one that fits at none is cut."""
    sizes = [each for each in (style.NORMAL, style.SMALL, TINY) if each <= size]
    found = next((each for each in sizes if style.width_of(text, each) <= room), TINY)
    return style.fit(text, room, found), found


def _look(place: int) -> dict[str, Any]:
    """Return the look of an arm that is no baseline."""
    return {"color": style.ARMS[(place + 1) % len(style.ARMS)], "linestyle": "none"}


def relative(context: FigureContext, arm: str, kpi: Kpi) -> tuple[float, float, float]:
    """Return a difference with its limits in per cent of the baseline's mean; nan where there is none."""
    change = context.effects[arm, kpi.id].difference
    base = abs(context.mean(context.baseline, kpi.id))
    if not base > 0:
        return math.nan, math.nan, math.nan
    return 100 * change.value / base, 100 * change.low / base, 100 * change.high / base


def _limits(context: FigureContext, kpis: Sequence[Kpi]) -> tuple[float, float]:
    """Return where the axis ends: at all points and limits, but no further than `WIDEST`."""
    values = [value for kpi in kpis for arm in context.names[1:] for value in relative(context, arm, kpi)]
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
    if math.isnan(value):
        return
    left, right = axes.get_xlim()
    faint = tag == FAINT
    colour = look["color"]
    if not math.isnan(low):
        axes.plot(
            [max(low, left), min(high, right)], [row, row], color=colour, linewidth=1.0 if faint else 2.2, zorder=4
        )
    beyond = value < left or value > right
    axes.plot(
        [min(max(value, left), right)],
        [row],
        marker=("<" if value < left else ">") if beyond else MARKERS.get(tag, "o"),
        markersize=size * (0.8 if faint else 1),
        color=colour,
        markerfacecolor="white" if faint or tag == "input" else colour,
        markeredgewidth=1.4,
        linestyle="none",
        clip_on=False,
        zorder=5,
    )


def value_text(context: FigureContext, kpi: Kpi, value: float) -> str:
    """Return a value with its unit."""
    if math.isnan(value):
        return "-"
    if kpi.unit == "share":
        return style.percent(round(value, 4))
    return context.say("effects.value", value=style.number(value), unit=context.say.unit(kpi.unit))


def change_text(context: FigureContext, arm: str, kpi: Kpi) -> str:
    """Return a difference with its limits in the unit of the KPI (of a share: points), or why there is none."""
    effect = context.effects[arm, kpi.id]
    change = effect.difference
    if effect.tag in NOT_GIVEN:
        return context.say(f"effects.{effect.tag}")
    if math.isnan(change.value):
        return "-"
    factor = 100 if kpi.unit == "share" else 1
    return style.with_limits(factor * change.value, factor * (change.high - change.value))


# --- many arms


def _by_arm(context: FigureContext) -> dict[str, Figure] | str:
    """Draw the most telling KPIs side by side with one row an arm."""
    say = context.say
    others = context.names[1:]
    kpis = [kpi for kpi in context.chief() if any(_told(context, arm, kpi) for arm in others)]
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
    notes = [*_notes(context), *([say("more_arms", n=len(others) - most)] if len(others) > most else [])]
    figure = context.slide(say("effects.title", baseline=context.baseline), notes)
    names = [style.fit(arm, 1.5, style.NORMAL) for arm in rows]
    wide = max(style.width_of(name, style.NORMAL) for name in names) + 0.15
    numbers = 1.1
    each = (style.WIDTH - 2 * style.MARGIN - wide) / len(kpis)
    for column, (kpi, axes) in enumerate(
        zip(kpis, style.panels(figure, 1, len(kpis), left=0.0, above=0.62, below=0.55, gap=0.0), strict=True)
    ):
        box = axes.get_position()
        x = style.MARGIN + wide + each * column
        axes.set_position((x / style.WIDTH, box.y0, (each - numbers - 0.15) / style.WIDTH, box.height))
        axes.set_xlim(*_limits(context, [kpi]))
        axes.set_ylim(max(len(rows), 8) - 0.4, -0.6)
        axes.set_yticks(range(len(rows)), names if column == 0 else [""] * len(rows), fontsize=style.NORMAL)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.axvline(0, color=style.INK, linewidth=1)
        axes.grid(visible=True, axis="x", color=style.RULE, linewidth=0.8)
        axes.set_xlabel(say("effects.x_short"), fontsize=style.SMALL)
        columns = _Columns(figure, axes, numbers)
        for number, arm in enumerate(rows):
            _point(axes, context, arm, kpi, number, _look(0), size=7)
            text, size = _shrunk(change_text(context, arm, kpi), numbers - 0.05, style.SMALL)
            style.put(figure, columns.left - 0.05, columns.height(number), text, size)
        top = columns.height(-0.6)
        base = value_text(context, kpi, context.mean(context.baseline, kpi.id))
        lines = (
            (0.42, context.subject_title(kpi), True),
            (0.24, context.quantity(kpi), False),
            (0.07, say("effects.base_is", baseline=context.baseline, value=base), False),
        )
        for above, text, bold in lines:
            style.put(
                figure, x, top + above, style.fit(text, each - 0.15, style.SMALL, bold=bold), style.SMALL, bold=bold
            )
    return figure
