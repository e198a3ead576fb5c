"""Where the time goes as a slide: the mean stages of each flow as bars, arm below arm."""

from __future__ import annotations

import math
from typing import Final

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from zonesim.briefing.figures import finding, style
from zonesim.briefing.figures.context import DWELL, FigureContext
from zonesim.briefing.text.words import Words
from zonesim.kpi import way

STAGE: Final = "stage.mean"
KPIS: Final = {"flow": (STAGE, DWELL)}
"""What the figure is about, by scope."""

MOST_PANELS: Final = 4
MOST_ROWS: Final = 12
"""Bars that a slide has room for, all panels together."""

MANY: Final = 4
"""Arms from which bars stand close to each other."""

NAMES: Final = 2.3
"""Most inches for the names of arms."""

Stage = tuple[str, str]


def stages_figure(context: FigureContext) -> Figure | str:
    """Draw the mean time between milestones, or say why not."""
    say = context.say
    found, withheld = _stages(context)
    if not found:
        return say("stages.none")
    used = sorted({stage for table in found.values() for stage in table}, key=_order)
    colours = {
        stage: to_hex(colormaps["viridis"](0.05 + 0.9 * place / max(len(used) - 1, 1)))
        for place, stage in enumerate(used)
    }
    most = min(MOST_PANELS, max(1, MOST_ROWS // len(context.shown())))
    ranked = context.by_change(found)
    notes = [
        say("stages.definition"),
        *([say("not_drawn", names=say.listed(ranked[most:]))] if len(found) > most else []),
        *([say("stages.withheld", names=say.listed(withheld))] if withheld else []),
        *context.notes(),
    ]
    dwells = [kpi for kpi in context.kpis if kpi.definition.what == DWELL and kpi.subject in ranked[:most]]
    figure = context.slide(finding.found(context, dwells, say("stages.title")), notes)
    handles = [Patch(facecolor=colours[stage], edgecolor="white") for stage in used]
    rows = style.legend_above(figure, handles, [_words(stage, say) for stage in used], sample=1.4)
    flows = ranked[:most]
    names, letters = style.wrapped([context.arm_label(arm) for arm in context.shown()], NAMES, style.NORMAL)
    left = max(style.width_of(line, letters) for name in names for line in name.split("\n")) + 0.15
    for flow, axes in zip(
        flows, style.panels(figure, len(flows), 1, left=left, above=0.36, below=0.5, top=0.28 * rows), strict=True
    ):
        _panel(axes, context, flow, found[flow], colours)
        axes.set_yticks(range(len(names)), names, fontsize=letters)
    scale = say("stages.own_scale" if len(flows) > 1 else "stages.hours")
    figure.axes[-1].set_xlabel(scale, fontsize=style.SMALL)
    return figure


def _stages(context: FigureContext) -> tuple[dict[str, dict[Stage, list[float]]], list[str]]:
    """Return by flow and stage the mean hours of each shown arm, and the flows where one has no mean."""
    arms = context.shown()
    found: dict[str, dict[Stage, list[float]]] = {}
    withheld = []
    for flow in context.flows():
        table: dict[Stage, list[float]] = {}
        for kpi in context.kpis:
            if kpi.subject == flow and kpi.definition.what == STAGE:
                table[kpi.stage] = [context.mean(arm, kpi.id) for arm in arms]
        if any(math.isnan(value) for values in table.values() for value in values):
            withheld.append(flow)
        elif len(table) > 1 and any(any(values) for values in table.values()):
            found[flow] = {stage: values for stage, values in table.items() if any(values)}
    return found, withheld


def _order(stage: Stage) -> tuple[int, int]:
    marks = way()
    first, last = (marks.index(mark) if mark in marks else len(marks) for mark in stage)
    return first, last


def _words(stage: Stage, say: Words) -> str:
    return say("stages.between", first=say.term(stage[0]), last=say.term(stage[1]))


def _panel(
    axes: Axes,
    context: FigureContext,
    flow: str,
    table: dict[Stage, list[float]],
    colours: dict[Stage, str],
) -> None:
    arms = context.shown()
    totals = [sum(values[row] for values in table.values()) for row in range(len(arms))]
    words = [_total(context, arm, flow, total) for arm, total in zip(arms, totals, strict=True)]
    wide = axes.get_position().width * style.WIDTH
    # Inches per hour: the longest that leaves room for the words behind every bar.
    inch = min(
        (wide - style.width_of(text, style.NORMAL, bold=True) - 0.15) / total
        for text, total in zip(words, totals, strict=True)
        if total
    )
    thick = 0.66 if len(arms) < MANY else 0.86
    tall = thick * axes.get_position().height * style.HEIGHT / len(arms) > 1.2 * style.SMALL * style.POINT
    for row, total in enumerate(totals):
        left = 0.0
        for stage, values in table.items():
            axes.barh(row, values[row], left=left, color=colours[stage], height=thick, edgecolor="white", linewidth=0.8)
            text = style.number(values[row])
            if tall and values[row] * inch > style.width_of(text, style.SMALL) + 0.08:
                ink = "white" if style.grey(colours[stage]) < 0.5 else style.INK  # noqa: PLR2004
                axes.text(
                    left + values[row] / 2,
                    row,
                    text,
                    ha="center",
                    va="center_baseline",
                    fontsize=style.SMALL,
                    color=ink,
                )
            left += values[row]
        axes.text(
            total + 0.08 / inch, row, words[row], ha="left", va="center_baseline", fontsize=style.NORMAL, weight="bold"
        )
    axes.set_ylim(len(arms) - 0.45, -0.55)
    axes.set_xlim(0, wide / inch)
    axes.tick_params(axis="y", length=0)
    style.title(axes, context.flow_title(flow), above=0.08)


def _total(context: FigureContext, arm: str, flow: str, total: float) -> str:
    """Return a bar's total, with the paired difference to the baseline where there is one."""
    effect = context.effect(arm, f"{flow}.{DWELL}")
    if effect is None or math.isnan(effect.value):
        return context.say("stages.total", total=style.number(total))
    change = style.with_limits(effect.value, effect.high - effect.value)
    return context.say("stages.changed", total=style.number(total), change=change)
