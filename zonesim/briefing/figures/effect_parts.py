"""Below the points of effects: bars of the direct part and of congestion, and how far an assumption moves them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from zonesim.analysis import Effect
from zonesim.briefing.figures import style
from zonesim.briefing.figures.context import FigureContext
from zonesim.kpi import Kpi

MOST_ARMS: Final = 2
"""So many arms beside the baseline leave room for bars."""

HEIGHT: Final = 0.15
"""Of a bar, in rows, where one arm stands beside the baseline."""

DIRECT: Final[dict[str, Any]] = {"facecolor": "#BFC5CC", "edgecolor": style.PALE, "linewidth": 0.6}
CONGESTION: Final[dict[str, Any]] = {"facecolor": "white", "edgecolor": style.PALE, "linewidth": 0.6, "hatch": "/////"}
RANGE: Final[dict[str, Any]] = {"color": style.INK, "linewidth": 1.1, "linestyle": (0, (1, 1.4))}


def parted(context: FigureContext, kpis: Iterable[Kpi]) -> bool:
    """Return whether bars of parts are drawn for some of these KPIs."""
    return any(_parts(context, arm, kpi) for kpi in kpis for arm in context.names[1:])


def doubtful(context: FigureContext, kpis: Iterable[Kpi]) -> bool:
    """Return whether an assumption moves one of these KPIs by more than half its interval."""
    return any(_ends(context, arm, kpi) for kpi in kpis for arm in context.names[1:])


def handles_of(context: FigureContext, kpis: Sequence[Kpi]) -> list[tuple[Artist, str]]:
    """Return the entries of the legend, with their labels."""
    found: list[tuple[Artist, str]] = []
    if parted(context, kpis):
        found += [(Patch(**DIRECT), context.say("effects.direct"))]
        found += [(Patch(**CONGESTION), context.say("effects.congestion"))]
    if doubtful(context, kpis):
        found += [(Line2D([], [], marker="|", markersize=6, **RANGE), context.say("effects.range"))]
    return found


def reach(context: FigureContext, kpis: Iterable[Kpi]) -> list[float]:
    """Return all places that bars and ranges of these KPIs come to, in per cent of the baseline."""
    found = []
    for kpi in kpis:
        for arm in context.names[1:]:
            found += [*(_parts(context, arm, kpi) or ()), *(_ends(context, arm, kpi) or ())]
    return found


def draw(axes: Axes, context: FigureContext, arm: str, kpi: Kpi, row: float) -> None:
    """
    Draw the parts of one effect and its range, within the axis.

    The upper bar is the direct part, from 0; the lower one congestion, from there to the whole. So parts that pull in
    different ways are seen as well.
    """
    left, right = axes.get_xlim()
    height = HEIGHT if len(context.names) == 2 else HEIGHT / 2  # noqa: PLR2004  one arm beside the baseline
    if found := _parts(context, arm, kpi):
        direct, whole = (min(max(each, left), right) for each in found)
        for begin, end, top, look in ((0.0, direct, row - height, DIRECT), (direct, whole, row, CONGESTION)):
            axes.barh(top, end - begin, height, left=begin, align="edge", zorder=2, **look)
    if found := _ends(context, arm, kpi):
        ends = [min(max(each, left), right) for each in found]
        axes.plot(ends, [row + 2.1 * height] * 2, marker="|", markersize=6, zorder=3, **RANGE)


def _parts(context: FigureContext, arm: str, kpi: Kpi) -> tuple[float, float] | None:
    """Return the direct part and the whole in per cent of the baseline; None where nothing is drawn of them."""
    effect, base = context.effects[arm, kpi.id], abs(context.mean(context.baseline, kpi.id))
    if effect.parts is None or not _fits(context) or not base > 0:
        return None
    direct, congestion = effect.parts.direct.value, effect.parts.congestion.value
    found = 100 * direct / base, 100 * (direct + congestion) / base
    return None if any(map(math.isnan, found)) or found == (0, 0) else found


def _ends(context: FigureContext, arm: str, kpi: Kpi) -> tuple[float, float] | None:
    """Return the ends of the doubt that moves an effect furthest, in per cent; None where none moves it far."""
    effect: Effect = context.effects[arm, kpi.id]
    base = abs(context.mean(context.baseline, kpi.id))
    if not _fits(context) or not base > 0:
        return None
    known = [move for move in effect.doubtful if not (math.isnan(move.low) or math.isnan(move.high))]
    return (100 * known[0].low / base, 100 * known[0].high / base) if known else None


def _fits(context: FigureContext) -> bool:
    return len(context.names) - 1 <= MOST_ARMS
