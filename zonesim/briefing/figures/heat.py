"""Two things varied at once, as a slide: the baseline's value, and each arm's difference, cell by cell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from zonesim.analysis import Point
from zonesim.briefing.figures import finding, style
from zonesim.briefing.figures.context import NOT_GIVEN, FigureContext
from zonesim.briefing.figures.sweep import drawable, told_points
from zonesim.briefing.figures.sweep_grid import Axis, Grid
from zonesim.briefing.folders import file_names
from zonesim.briefing.text.varied_words import axis_title, level_words, line_names
from zonesim.kpi import Kpi

MOST_PANELS: Final = 3
MOST_SLIDES: Final = 3
DARK: Final = 0.5
"""Cells darker than this have white numbers."""

VALUES: Final = LinearSegmentedColormap.from_list("values", ["#f3f7fb", "#9cc3e4", "#0b4f86"])
CHANGES: Final = LinearSegmentedColormap.from_list("changes", ["#0b4f86", "#7fb2da", "#ffffff", "#f2b482", "#a83f00"])
EMPTY: Final = "#e6e6e6"

Cells = Mapping[tuple[float, float], Point]


def heat_figures(context: FigureContext, grid: Grid) -> dict[str, Figure] | str:
    """Return heat maps of the most telling KPIs by name of the slide, or say why there are none."""
    say = context.say
    if len(grid.axes) < 2:  # noqa: PLR2004  two axes
        return say("heat.one_axis")
    across, up = grid.axes[:2]
    kpis = drawable(context, grid)[:MOST_SLIDES]
    names = file_names(f"heat_{kpi.id.replace('.', '_')}" for kpi in kpis)
    found = {name: _page(context, grid, kpi, across, up) for name, kpi in zip(names, kpis, strict=True)}
    drawn = {name: figure for name, figure in found.items() if figure is not None}
    return drawn or say("sweep.no_kpi")


def _page(context: FigureContext, grid: Grid, kpi: Kpi, across: Axis, up: Axis) -> Figure | None:
    say = context.say
    panels: list[tuple[str, Cells, bool]] = []
    names = line_names(context, grid)
    baseline = context.arm_name(context.baseline)
    for line, arms in grid.lines.items():
        cells = _cells(grid, kpi, line, across, up)
        if not cells:
            continue
        if grid.results.baseline in arms:
            panels.insert(0, (say("heat.value", arm=names[line]), cells, False))
        if any(point.difference is not None for point in cells.values()):
            panels.append((say("heat.change", arm=names[line], baseline=baseline), cells, True))
    if not panels:
        return None
    left_out = max(len(panels) - MOST_PANELS, 0)
    hatched = any(changes and _open(point) for _, cells, changes in panels[:MOST_PANELS] for point in cells.values())
    panels = panels[:MOST_PANELS]
    notes = [
        *([say("heat.hatch")] if hatched else []),
        *([say("heat.points")] if kpi.unit == "share" else []),
        *[say("sweep.held", value=level_words(context, *held)) for held in grid.held([across, up])],
        *([say("heat.more", n=left_out)] if left_out else []),
    ]
    title = say("about", subject=context.subject_title(kpi), quantity=context.quantity(kpi))
    unit = "%" if kpi.unit == "share" else say.unit(kpi.unit)
    points = told_points(context, grid, [kpi], [across, up], up.numbers)
    topic = say("heat.title", title=title, unit=unit)
    figure = context.slide(finding.found_at(context, points, topic), notes)
    labels = [up.tick(number) for number in up.numbers]
    left = 0.45 + max(style.width_of(label, style.SMALL) for label in labels)
    drawn = style.panels(figure, 1, len(panels), left=left, above=0.58, below=0.7, gap=0.2)
    for (head, cells, changes), axes in zip(panels, drawn, strict=True):
        _draw(axes, context, kpi, cells, across, up, changes=changes)
        style.long_title(axes, head, above=0.1)
        room = axes.get_position()
        axes.set_xlabel(
            style.fit(axis_title(context, across), room.width * style.WIDTH, style.SMALL), fontsize=style.SMALL
        )
        axes.set_yticks(range(len(labels)), labels, fontsize=style.SMALL)
        if axes is drawn[0]:
            axes.set_ylabel(
                style.fit(axis_title(context, up), room.height * style.HEIGHT, style.SMALL), fontsize=style.SMALL
            )
    return figure


def _cells(grid: Grid, kpi: Kpi, line: str, across: Axis, up: Axis) -> Cells:
    """Return the points of a line that has a place on both axes."""
    table = grid.table(kpi.id, line, [across, up])
    found: dict[tuple[float, float], Point] = {}
    for (x, y), (_, point) in table.items():
        if x is not None and y is not None:
            found[x, y] = point
    return found


def _draw(axes: Axes, context: FigureContext, kpi: Kpi, cells: Cells, across: Axis, up: Axis, *, changes: bool) -> None:
    factor = 100 if kpi.unit == "share" else 1
    values = {place: factor * _value(point, changes=changes) for place, point in cells.items()}
    known = [value for value in values.values() if not math.isnan(value)]
    most = max(map(abs, known), default=0.0) or 1.0
    least = min(known, default=0.0)
    wide = axes.get_position().width * style.WIDTH / len(across.numbers)
    for (x, y), value in values.items():
        column, row = across.numbers.index(x), up.numbers.index(y)
        point = cells[x, y]
        if math.isnan(value):
            colour, text = EMPTY, _why_not(context, point)
        elif changes:
            colour, text = to_hex(CHANGES(0.5 + 0.5 * value / most)), f"{'+' if value > 0 else ''}{style.number(value)}"
        else:
            colour, text = to_hex(VALUES((value - least) / ((most - least) or 1.0))), style.number(value)
        open_ = changes and _open(point)
        axes.add_patch(
            Rectangle(
                (column - 0.5, row - 0.5),
                1,
                1,
                facecolor=colour,
                edgecolor="#8a8a8a" if open_ else "white",
                hatch="////" if open_ else "",
                linewidth=0.0 if open_ else 1.5,
            )
        )
        ink = "white" if style.grey(colour) < DARK else style.INK
        size = next(
            (size for size in (style.LARGE, style.NORMAL, style.SMALL, 8) if style.width_of(text, size) < 0.9 * wide), 8
        )
        shown = style.fit(text, 0.96 * wide, size)
        axes.text(
            column,
            row,
            shown,
            ha="center",
            va="center_baseline",
            fontsize=size,
            color=ink,
            bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.5} if open_ else None,
        )
    axes.set_xlim(-0.5, len(across.numbers) - 0.5)
    axes.set_ylim(-0.5, len(up.numbers) - 0.5)
    axes.set_xticks(range(len(across.numbers)), [across.tick(number) for number in across.numbers])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _open(point: Point) -> bool:
    """Return whether the interval of a difference includes 0."""
    return point.difference is not None and point.difference.low <= 0 <= point.difference.high


def _why_not(context: FigureContext, point: Point) -> str:
    """Return what stands in a cell without a number."""
    if point.tag in NOT_GIVEN:
        return context.say(f"effects.{point.tag}")
    return context.say("heat.baseline") if point.arm == context.baseline else "-"


def _value(point: Point, *, changes: bool) -> float:
    if not changes:
        return point.interval.value
    return point.difference.value if point.difference is not None else math.nan
