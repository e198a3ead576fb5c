"""What a package of measures does, measure by measure: from the baseline to the package as a slide."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zonesim.analysis import Interval, interval
from zonesim.briefing.figures import finding, style
from zonesim.briefing.figures.context import FigureContext
from zonesim.briefing.figures.effects import value_text
from zonesim.kpi import Kpi

MOST_PANELS: Final = 4
MOST_STEPS: Final = 9
"""Measures that are told one by one; of more, the smallest are told together with the interaction."""

TOTAL: Final = "#8a8a8a"
NEITHER: Final = "#b8b8b8"
BETTER: Final = "#0072b2"
WORSE: Final = "#d55e00"
JOINT: Final = "#e69f00"
"""Colours of totals, of what is neither good nor bad, of what makes a value better or worse, and of the interaction."""

HATCHES: Final = {JOINT: "///", WORSE: "---"}
"""What a grey print tells apart too."""

Parts = Mapping[str, frozenset[str]]
"""By arm, what it is made of: measures as they are written, and changes of its own."""


@dataclass(frozen=True)
class _Bar:
    """A bar of a waterfall: its name, where it begins and ends, its interval, and its colour."""

    name: str
    begin: float
    end: float
    size: Interval
    colour: str


def parts_of(context: FigureContext) -> Parts:
    """Return what each arm is made of: its measures with their parameters."""
    return {
        name: frozenset(f"{each.measure} {each.limits()}" for each in arm.arm.measures)
        for name, arm in context.arms.items()
    }


def package_of(parts: Parts) -> tuple[str, list[str]] | None:
    """
    Return the largest arm that is made of what at least two other arms have one each of, and these arms in order.

    None when there is no such arm.
    """
    single = {name: next(iter(own)) for name, own in parts.items() if len(own) == 1}
    for name, own in sorted(parts.items(), key=lambda item: -len(item[1])):
        alone = [arm for arm, part in single.items() if part in own]
        if len(own) > 1 and {single[arm] for arm in alone} == own and len(alone) == len(own):
            return name, alone
    return None


def waterfall_figure(context: FigureContext) -> Figure | str:
    """Draw the way from the baseline to the package for the most telling KPIs, or say why not."""
    say = context.say
    found = package_of(parts_of(context))
    if found is None:
        return say("waterfall.no_package")
    package, alone = found
    kpis = [kpi for kpi in context.chief() if _known(context, kpi, [package, *alone])][:MOST_PANELS]
    if not kpis:
        return say("waterfall.none")
    notes = [
        say("waterfall.definition") if context.n > 1 else say("one_replication"),
        say("waterfall.interaction"),
        say("waterfall.colours"),
    ]
    figure = context.slide(
        finding.found(context, kpis, say("waterfall.title", package=context.arm_name(package)), [package]), notes
    )
    rows = 1 if len(kpis) <= 2 else 2  # noqa: PLR2004  panels side by side
    columns = -(-len(kpis) // rows)
    panels = style.panels(figure, rows, columns, left=0.75, above=0.5, below=0.62, gap=0.4)
    for kpi, axes in zip(kpis, panels, strict=False):
        _panel(axes, context, kpi, package, alone)
    for axes in panels[len(kpis) :]:
        axes.remove()
    return figure


def _known(context: FigureContext, kpi: Kpi, arms: Sequence[str]) -> bool:
    """Return whether all differences are known and one is not nothing."""
    values = [context.effects[arm, kpi.id].difference.value for arm in arms]
    return not any(map(math.isnan, values)) and any(values)


def bars(context: FigureContext, kpi: str, package: str, alone: Sequence[str]) -> list[_Bar]:
    """
    Return the bars: the baseline, each measure alone, the interaction, the package.

    The interaction is what the package does beyond the sum of its measures alone, replication by replication.
    """
    say, level = context.say, context.comparison.level
    base = context.column(context.baseline, kpi)
    steps = {arm: context.column(arm, kpi) - base for arm in alone}
    whole = context.column(package, kpi) - base
    joint = whole - sum(steps.values(), np.zeros(len(base)))
    order = sorted(steps, key=lambda arm: -abs(float(np.nanmean(steps[arm]))))
    told = [arm for arm in alone if arm in order[:MOST_STEPS]]
    rest = [arm for arm in alone if arm not in told]
    names = [(arm, steps[arm]) for arm in told]
    if rest:
        names.append((say("waterfall.rest", n=len(rest)), sum((steps[arm] for arm in rest), np.zeros(len(base)))))
    start = interval(base.tolist(), level)
    found = [_Bar(context.baseline, 0.0, start.value, start, TOTAL)]
    here = start.value
    for name, values in [*names, (say("waterfall.joint"), joint)]:
        size = interval(values.tolist(), level)
        colour = JOINT if values is joint else _colour(size.value, context.by_id[kpi].definition.better)
        found.append(_Bar(name, here, here + size.value, size, colour))
        here += size.value
    end = interval((base + whole).tolist(), level)
    return [*found, _Bar(package, 0.0, end.value, end, TOTAL)]


def _colour(change: float, better: str) -> str:
    """Return the colour of a change of a KPI of which `lower`, `higher` or `neither` is better."""
    if better == "neither":
        return NEITHER
    return BETTER if (change < 0) == (better == "lower") else WORSE


def _half(bar: _Bar) -> float:
    return bar.size.high - bar.size.value


def _tick(context: FigureContext, name: str, package: str, room: float) -> str:
    """Return what a bar is called in the room of its tick: an arm by its name, the package as all together."""
    if name not in context.names:
        return name
    full = context.arm_name(name)
    if "".join(style.two_lines(full, room, style.TINY)).replace(" ", "") == full.replace(" ", ""):
        return full
    if name == context.baseline:
        return context.say("effects.base")
    return context.say("waterfall.all") if name == package else name.replace("_", " ")


def _panel(axes: Axes, context: FigureContext, kpi: Kpi, package: str, alone: Sequence[str]) -> None:
    say = context.say
    factor = 100 if kpi.unit == "share" else 1
    found = bars(context, kpi.id, package, alone)
    high = max(max(bar.begin, bar.end, float(np.nan_to_num(bar.end + _half(bar)))) for bar in found) * factor
    low = min(min(bar.begin, bar.end, 0.0) for bar in found) * factor
    tall = (high - low) or 1.0
    wide = axes.get_position().width * style.WIDTH / len(found)
    for place, bar in enumerate(found):
        total = bar.colour == TOTAL
        begin, end = bar.begin * factor, bar.end * factor
        axes.bar(
            place,
            end - begin,
            bottom=begin,
            width=0.66,
            color=bar.colour,
            zorder=3,
            hatch=HATCHES.get(bar.colour, ""),
            edgecolor="white",
            linewidth=0.5,
        )
        half = _half(bar) * factor
        if not math.isnan(half):
            # What is measured is never negative, though Student's limits can be.
            below = min(half, end) if end >= 0 else half
            axes.errorbar(place, end, yerr=[[below], [half]], color=style.INK, capsize=4, linewidth=1.2, zorder=5)
        if place + 1 < len(found):
            axes.plot([place + 0.33, place + 0.67], [end, end], color=style.PALE, linewidth=0.8, zorder=2)
        top = max(begin, end, end + (0 if math.isnan(half) else half))
        if total:
            text = value_text(context, kpi, bar.size.value)
            if style.width_of(text, style.SMALL, bold=True) > 1.05 * wide:
                text = style.number(bar.size.value * factor)  # the unit stands at the axis
        else:
            text = style.with_limits(bar.size.value * factor, half).partition(" ±")[0]
        axes.annotate(
            style.fit(text, 1.05 * wide, style.SMALL, bold=total),
            (place, top),
            (0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=style.SMALL,
            weight="bold" if total else "normal",
            zorder=6,
        )
    axes.set_ylim(min(low * 1.15, 0.0), high + 0.2 * tall)
    axes.set_xlim(-0.6, len(found) - 0.4)
    names = [_tick(context, bar.name, package, 0.95 * wide) for bar in found]
    ticks = ["\n".join(style.two_lines(name, 0.95 * wide, style.TINY)) for name in names]
    axes.set_xticks(range(len(found)), ticks, fontsize=style.TINY)
    axes.tick_params(axis="x", length=0)
    unit = "%" if kpi.unit == "share" else say.unit(kpi.unit)
    axes.set_ylabel(unit, fontsize=style.SMALL)
    axes.grid(visible=True, axis="y", color=style.RULE, linewidth=0.8)
    style.title(axes, say("about", subject=context.subject_title(kpi), quantity=context.quantity(kpi)), above=0.12)
