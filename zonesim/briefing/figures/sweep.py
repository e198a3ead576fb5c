"""How a KPI goes with what is varied, as a slide: one line an arm, with bands, panel by panel."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zonesim.analysis import Point
from zonesim.briefing.figures import finding, style
from zonesim.briefing.figures.context import MOST_ARMS, NOT_GIVEN, FigureContext
from zonesim.briefing.figures.sweep_grid import Axis, Grid
from zonesim.briefing.text.varied_words import axis_title, axis_words, level_words, line_names
from zonesim.kpi import Kpi

MOST_LEVELS: Final = 4
MOST_KPIS: Final = 4
MOST_PAGES: Final = 2


def sweep_figures(context: FigureContext, grid: Grid) -> dict[str, Figure] | str:
    """
    Return the curves over the axis with most values, by name of the slide, or say why there are none.

    With a second axis, each of its values has a column of panels, and each KPI a row.
    """
    say = context.say
    if not grid.axes:
        return say("sweep.nothing")
    over, beside = grid.axes[0], grid.axes[1] if len(grid.axes) > 1 else None
    kpis = drawable(context, grid, bands=True)
    if not kpis:
        return say("sweep.no_kpi")
    each = 2 if beside is not None else MOST_KPIS
    pages = [kpis[first : first + each] for first in range(0, len(kpis), each)][:MOST_PAGES]
    return {
        f"sweep{f'_{number + 1}' if number else ''}": _page(context, grid, page, over, beside)
        for number, page in enumerate(pages)
    }


def drawable(context: FigureContext, grid: Grid, *, bands: bool = False) -> list[Kpi]:
    """Return the KPIs of an experiment that have a value somewhere (or are known as `bands`), as they are told."""
    found = []
    for kpi in context.chief():
        tables = [grid.table(kpi.id, line, grid.axes[:2]) for line in grid.lines]
        values = [
            point.interval.low if bands and point.interval.reason == "band" else point.interval.value
            for table in tables
            for _, point in table.values()
        ]
        if not all(map(math.isnan, values)):
            found.append(kpi)
    return found


def told_points(
    context: FigureContext, grid: Grid, kpis: Sequence[Kpi], used: Sequence[Axis], levels: Sequence[float | None]
) -> Iterator[tuple[Kpi, Point, str, str]]:
    """
    Yield the points that a figure shows with their KPI, the name of their arm, and in words where futures have put
    them; `levels`: of the second axis, those that are drawn.
    """
    futures = {path for info in grid.results.futures.values() for path, *_ in info.settings}
    for kpi in kpis:
        for line in shown_lines(grid):
            for where, (_, point) in grid.table(kpi.id, line, used).items():
                if len(used) > 1 and where[1] is not None and where[1] not in levels:
                    continue
                told = [
                    level_words(context, axis, at)
                    for axis, at in zip(used, where, strict=True)
                    if at is not None and axis.path in futures
                ]
                yield kpi, point, context.arm_name(point.arm), context.say.joined(told)


def shown_lines(grid: Grid) -> list[str]:
    """Return the lines that a figure can tell apart: all, or the first ones and the last."""
    lines = list(grid.lines)
    return lines if len(lines) <= MOST_ARMS else [*lines[: MOST_ARMS - 1], lines[-1]]


def _page(context: FigureContext, grid: Grid, kpis: Sequence[Kpi], over: Axis, beside: Axis | None) -> Figure:
    say = context.say
    lines = shown_lines(grid)
    levels: list[float | None] = [None] if beside is None else list(beside.numbers[:MOST_LEVELS])
    used = [over] if beside is None else [over, beside]
    left_out = len(grid.lines) - len(lines)
    tags = {point.tag for kpi in kpis for line in lines for _, point in grid.table(kpi.id, line, used).values()}
    notes = [
        say("band") if context.n > 1 else say("one_replication"),
        *([say("sweep.unstable")] if "grows" in tags else []),
        *([say("sweep.missing")] if "missing" in tags else []),
        *([say("sweep.band")] if "band" in tags else []),
        *[say("sweep.held", value=level_words(context, *held)) for held in grid.held(used)],
        *(
            [say("not_drawn", names=f"{axis_words(context, beside)} > {beside.tick(levels[-1] or 0)}")]
            if beside is not None and len(beside.numbers) > MOST_LEVELS
            else []
        ),
        *([say("more_arms", n=left_out)] if left_out else []),
    ]
    title = finding.found_at(
        context, told_points(context, grid, kpis, used, levels), say("sweep.title", name=axis_words(context, over))
    )
    figure = context.slide(title, notes)
    looks = [Line2D([], [], marker="o", markersize=6, **style.arm_look(place)) for place in range(len(lines))]
    names = line_names(context, grid)
    legend = style.legend_above(figure, looks, [names[line] for line in lines])
    if beside is None:
        columns = 1 if len(kpis) == 1 else 2
        rows = -(-len(kpis) // columns)
    else:
        columns, rows = len(levels), len(kpis)
    panels = style.panels(figure, rows, columns, left=0.95, above=0.42, below=0.62, gap=0.3, top=0.28 * legend)
    jobs = [(kpi, level) for kpi in kpis for level in levels]
    highest: dict[str, float] = {}
    for (kpi, level), axes in zip(jobs, panels, strict=False):
        top = _panel(axes, grid, kpi, lines, used, level)
        highest[kpi.id] = max(highest.get(kpi.id, 0.0), top)
        head = say("about", subject=context.subject_title(kpi), quantity=context.quantity(kpi))
        if beside is not None and level is not None:
            head = level_words(context, beside, level)
            if level == levels[0]:
                _two_lines(axes, context.subject_title(kpi), f"{context.quantity(kpi)}, {_unit(context, kpi)}")
        else:
            axes.set_ylabel(_unit(context, kpi), fontsize=style.SMALL)
        style.title(axes, head, above=0.12)
        axes.set_xlabel(
            style.fit(axis_title(context, over), axes.get_position().width * style.WIDTH, style.SMALL),
            fontsize=style.SMALL,
        )
    for (kpi, _), axes in zip(jobs, panels, strict=False):
        axes.set_ylim(0, 1.12 * highest[kpi.id] or 1)
    for axes in panels[len(jobs) :]:
        axes.remove()
    return figure


def _two_lines(axes: Axes, *lines: str) -> None:
    """Write the label of a vertical axis in lines, in letters small enough for the height of its panel."""
    room = axes.get_position().height * style.HEIGHT
    size = min(style.shrunk(line, room, style.SMALL)[1] for line in lines)
    axes.set_ylabel("\n".join(style.fit(line, room, size) for line in lines), fontsize=size, linespacing=1.4)


def _unit(context: FigureContext, kpi: Kpi) -> str:
    return "%" if kpi.unit == "share" else context.say.unit(kpi.unit)


def _panel(
    axes: Axes,
    grid: Grid,
    kpi: Kpi,
    lines: Sequence[str],
    used: Sequence[Axis],
    level: float | None,
) -> float:
    """Draw the lines of a KPI; return the highest value or limit."""
    factor = 100 if kpi.unit == "share" else 1
    over = used[0]
    numbers = over.numbers
    room = 0.06 * (numbers[-1] - numbers[0])
    highest = 0.0
    for place, line in enumerate(lines):
        table = grid.table(kpi.id, line, used)
        look = style.arm_look(place)
        row: list[tuple[float, Point]] = []
        for where, (_, point) in table.items():
            if len(used) > 1 and where[1] is not None and where[1] != level:
                continue
            if where[0] is None:  # the line has no place on this axis: it is the same everywhere
                row = [(number, point) for number in (numbers[0] - room, numbers[-1] + room)]
                break
            row.append((where[0], point))
        row.sort(key=lambda pair: pair[0])
        xs = [x for x, _ in row]
        mean = [factor * point.interval.value for _, point in row]
        low = [factor * point.interval.low for _, point in row]
        high = [factor * point.interval.high for _, point in row]
        flat = all(x not in numbers for x in xs)
        axes.fill_between(xs, low, high, color=look["color"], alpha=0.16, linewidth=0)
        axes.plot(xs, mean, marker="" if flat else "o", markersize=6, zorder=3 + place, **look)
        for x, point in row:
            if point.tag in NOT_GIVEN and math.isnan(point.interval.value):
                shift = 0.18 * room * (place - (len(lines) - 1) / 2)
                axes.plot(
                    [x + shift],
                    [0.97],
                    marker="^",
                    markersize=9,
                    markerfacecolor="white",
                    markeredgewidth=1.6,
                    color=look["color"],
                    transform=axes.get_xaxis_transform(),
                    linestyle="none",
                    clip_on=False,
                    zorder=8,
                )
        known = [value for value in (*mean, *high) if not math.isnan(value)]
        highest = max([highest, *known])
    axes.set_xlim(numbers[0] - room, numbers[-1] + room)
    shown = numbers if len(numbers) <= 8 else numbers[:: -(-len(numbers) // 8)]  # noqa: PLR2004  labels beside each other
    axes.set_xticks(shown, [over.tick(number) for number in shown])
    axes.grid(visible=True, axis="y", color=style.RULE, linewidth=0.8)
    return highest
