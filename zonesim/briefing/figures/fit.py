"""A fit as slides: arrivals over the week as logged and as fitted, and times beside the laws that describe them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from zonesim.briefing.figures import style
from zonesim.briefing.text.words import Language, Words
from zonesim.fitting import DAY_HOURS, SMALLEST_CELL, WEEK_DAYS, Candidate, Check, Durations, Fit, Group
from zonesim.units import HOUR, MINUTE, SECOND
from zonesim.version import __version__

MOST: Final = 4
"""Groups that are drawn: those with most rows."""

LAWS: Final = 3
"""Laws that are drawn beside the data."""

BARS: Final = 40
GREY: Final = "#c4c4c4"
END: Final = 0.99
"""Where the horizontal axis ends: at this share of the data."""

Numbers = NDArray[np.float64]


def draw_fit(fit: Fit, folder: Path, language: Language) -> list[Path]:
    """Draw the slides of a fit into `folder`, in place of earlier ones; return the paths. Raises ScenarioFault."""
    stale = set(folder.glob("fit_*.png"))
    paths = []
    with style.look(language):
        for name, figure in fit_figures(fit, language):
            path = folder / f"fit_{name}.png"
            style.save(figure, path)
            paths.append(path)
    for path in stale.difference(paths):
        path.unlink()
    return paths


def draw_beside(check: Check, fit: Fit, folder: Path, language: Language) -> Path:
    """Draw the fitted scenario beside the log into `folder`; return the path. Raises ScenarioFault."""
    path = folder / "fit_check.png"
    with style.look(language):
        style.save(beside_figure(check, fit, language), path)
    return path


def beside_figure(check: Check, fit: Fit, language: Language) -> Figure:
    """Return the slide of log and model by hour of the day; call within `style.look`."""
    say = Words(language)
    notes = [say("fit.bars_of_hours"), say("fit.few", n=SMALLEST_CELL)]
    notes.append(say("fit.runs", n=check.runs, weeks=check.weeks))
    figure = style.slide(say("fit.beside"), _caption(fit, say), notes)
    handles = [
        Line2D([], [], marker="o", linestyle="", color=style.PALE, markersize=5),
        Line2D([], [], color=style.ARMS[1], linewidth=2.2),
    ]
    used = style.legend_above(figure, handles, [say("fit.logged"), say("fit.model")])
    ways = check.ways[:MOST]
    timed = any(not np.isnan(each.logged_mean_ms) for each in ways)
    axes = style.panels(figure, len(ways), 1 + timed, left=0.75, above=0.45, below=0.6, gap=0.55, top=0.28 * used)
    at = np.arange(DAY_HOURS) + 0.5
    for row, each in enumerate(ways):
        known = say(f"fit.{each.way}") if each.way in {"in", "out"} else each.direction
        name = known if fit.request.columns.direction else say("fit.all")
        panels = axes[row * (1 + timed) : (row + 1) * (1 + timed)]
        half = 1.96 * each.error
        panels[0].vlines(at, np.maximum(each.logged - half, 0), each.logged + half, color=GREY, linewidth=1.2)
        rates = (each.logged, each.modelled, "fit.beside_rate", "fit.per_hour")
        times = (each.logged_ms / MINUTE, each.modelled_ms / MINUTE, "fit.beside_time", "fit.minutes")
        for panel, (logged, modelled, title, unit) in zip(panels, (rates, times), strict=False):
            panel.plot(at, logged, "o", color=style.PALE, markersize=4)
            panel.stairs(
                np.nan_to_num(modelled), np.arange(DAY_HOURS + 1), color=style.ARMS[1], linewidth=1.8, zorder=3
            )
            panel.set_xlim(0, DAY_HOURS)
            panel.set_xticks(range(0, DAY_HOURS + 1, 3))
            top_of = [*(logged + half if panel is panels[0] else logged), *modelled, 0.0]
            panel.set_ylim(0, 1.06 * max(float(np.nanmax(top_of)), 1e-9))
            panel.set_xlabel(say("fit.hour"), fontsize=style.SMALL)
            panel.set_ylabel(say(unit), fontsize=style.SMALL)
            panel.grid(visible=True, axis="y", color=style.RULE, linewidth=0.8)
            style.title(panel, say(title, name=name), above=0.12)
    return figure


def fit_figures(fit: Fit, language: Language) -> Iterator[tuple[str, Figure]]:
    """Yield the slides with the names of their files; call within `style.look`."""
    say = Words(language)
    groups = sorted(fit.groups, key=lambda group: -group.arrivals.count)[:MOST]
    yield "arrivals", _arrivals(fit, groups, say)
    for group in groups:
        if group.lane is not None and not group.lane_pooled:
            yield f"lane_{group.name}", _times(fit, group, group.lane, say("fit.lane"), say)
        if group.span is not None:
            yield f"{fit.span}_{group.name}", _times(fit, group, group.span, say(f"fit.{fit.span}"), say)


def _caption(fit: Fit, say: Words) -> str:
    first, last = fit.log.dates
    parts = [
        say("fit.rows", n=f"{len(fit.log):,}", file=fit.log.file.name),
        say("fit.period", first=first, last=last, days=fit.period.days),
        say("fit.refused", n=f"{fit.log.refused.total:,}"),
        say("caption.number", run=fit.run),
        say("caption.version", version=__version__),
    ]
    return style.BETWEEN.join(parts)


def _title(group: Group, say: Words) -> str:
    if say.language == "en":
        return group.name
    way = {"in": say("fit.in"), "out": say("fit.out")}.get(group.direction, group.direction)
    return f"{way}{group.kind}" or group.name


# --- arrivals


def _arrivals(fit: Fit, groups: list[Group], say: Words) -> Figure:
    left_out = len(fit.groups) - len(groups)
    notes = [say("fit.bars"), say("fit.few", n=SMALLEST_CELL), *([say("fit.more", n=left_out)] if left_out else [])]
    figure = style.slide(say("fit.arrivals"), _caption(fit, say), notes)
    rows = 1 if len(groups) == 1 else 2
    columns = -(-len(groups) // rows)
    handles = [
        Line2D([], [], marker="o", linestyle="", color=style.PALE, markersize=5),
        Line2D([], [], color=style.ARMS[1], linewidth=2.2),
    ]
    used = style.legend_above(figure, handles, [say("fit.logged"), say("fit.fitted")])
    top = 0.28 * used
    axes = style.panels(figure, rows, columns, left=0.75, above=0.45, below=0.4, gap=0.4, top=top)
    for panel, group in zip(axes, groups, strict=False):
        _week(panel, fit, group, say)
    for panel in axes[len(groups) :]:
        panel.remove()
    return figure


def _week(axes: Axes, fit: Fit, group: Group, say: Words) -> None:
    found = group.arrivals
    exposure = np.bincount(fit.period.weekdays()[fit.period.used], minlength=WEEK_DAYS).astype(float)
    logged = found.week.ravel()
    with np.errstate(divide="ignore", invalid="ignore"):
        half = 1.96 * np.sqrt(np.maximum(found.dispersion.index, 1.0) * logged / np.repeat(exposure, DAY_HOURS))
    fitted = np.zeros((WEEK_DAYS, DAY_HOURS))
    for part in found.parts:
        days, hours = np.array(part.days), np.array(part.hours)
        fitted += part.rate * WEEK_DAYS * days[:, None] / days.sum() * hours / hours.sum()
    at = np.arange(WEEK_DAYS * DAY_HOURS) + 0.5
    some = ~np.isnan(logged) & ~np.isnan(half)
    axes.vlines(at[some], np.maximum(logged - half, 0)[some], (logged + half)[some], color=GREY, linewidth=1.2)
    axes.plot(at[some], logged[some], "o", color=style.PALE, markersize=2.6)
    axes.stairs(fitted.ravel(), np.arange(WEEK_DAYS * DAY_HOURS + 1), color=style.ARMS[1], linewidth=1.8, zorder=3)
    style.week_axis(axes, say)
    axes.set_ylim(0, 1.08 * max(float((logged + half)[some].max(initial=0)), float(fitted.max())))
    axes.set_ylabel(say("fit.per_hour"), fontsize=style.SMALL)
    axes.grid(visible=True, axis="y", color=style.RULE, linewidth=0.8)
    words = say(
        "fit.rate",
        name=_title(group, say),
        rate=style.number(found.rate),
        low=style.number(found.low),
        high=style.number(found.high),
        index=style.number(found.dispersion.index),
    )
    style.title(axes, words, above=0.12)


# --- times


def _times(fit: Fit, group: Group, durations: Durations, what: str, say: Words) -> Figure:
    unit, size = _unit(durations)
    word = say.unit(unit)
    shown = durations.candidates[:LAWS]
    notes = [say("fit.best"), say(f"fit.{fit.span}_note" if durations is group.span else "fit.lane_note")]
    title = say("fit.times", what=what, name=_title(group, say), n=f"{durations.count:,}")
    figure = style.slide(title, _caption(fit, say), notes)
    handles: list[Line2D | Patch] = [
        Patch(color=GREY),
        *(Line2D([], [], **style.arm_look(n + 1)) for n in range(len(shown))),
    ]
    labels = [say("fit.logged"), *(_law_label(law, say) for law in shown)]
    used = style.legend_above(figure, handles, labels)
    top = 0.28 * used
    axes = style.panels(figure, 1, 3, left=0.75, above=0.45, below=0.6, gap=0.4, top=top)
    values = durations.sample / size
    end = float(np.quantile(values, END))
    grid = np.linspace(end / 400, end, 400)
    _density(axes[0], values, durations.resolution / size, end)
    for number, law in enumerate(shown):
        look = style.arm_look(number + 1)
        with np.errstate(all="ignore"):
            axes[0].plot(grid, law.pdf(grid * size) * size, zorder=5 - number, **look)
            axes[1].plot(grid, 100 * law.cdf(grid * size), zorder=5 - number, **look)
    points = np.array(durations.empirical) / size
    shares = 100 * np.linspace(0, 1, len(points))
    axes[1].fill_between(points, 0, shares, color=GREY, linewidth=0)
    axes[1].set_ylim(0, 101)
    axes[0].set_ylim(bottom=0)
    for number, law in reversed(list(enumerate(shown))):
        _quantiles(axes[2], law, points, size, number)
    for panel, key in zip(axes, ("fit.density", "fit.share", "fit.quantiles"), strict=True):
        style.title(panel, say(key), above=0.12)
        panel.grid(visible=True, color=style.RULE, linewidth=0.8)
        panel.set_xlim(0, end)
        panel.set_xlabel(say("fit.axis" if panel is axes[2] else "fit.time", unit=word), fontsize=style.SMALL)
    axes[0].set_ylabel(say("fit.per_unit", unit=word), fontsize=style.SMALL)
    axes[1].set_ylabel(say("fit.percent"), fontsize=style.SMALL)
    axes[2].set_ylabel(say("fit.axis_law", unit=word), fontsize=style.SMALL)
    axes[2].plot([0, end], [0, end], color=GREY, linewidth=1.2, zorder=1)
    axes[2].set_ylim(0, end)
    return figure


def _unit(durations: Durations) -> tuple[str, int]:
    middle = durations.quantiles[0.5]
    return ("s", SECOND) if middle < 3 * MINUTE else ("min", MINUTE) if middle < 3 * HOUR else ("h", HOUR)


def _law_label(law: Candidate, say: Words) -> str:
    return say("fit.law", name=say(f"fit.law.{law.name}"), gap=style.percent(round(law.ks, 3)))


def _density(axes: Axes, values: Numbers, resolution: float, end: float) -> None:
    """
    Draw a histogram up to `end`, with bars as wide as whole steps of the log's clock and five rows in each at least.
    """
    width = max(np.ceil(end / BARS / resolution), 1) * resolution
    begin = max(float(np.floor(values[0] / resolution)) * resolution - resolution / 2, 0.0)
    edges = np.arange(begin, end + width, width)
    counts, edges = np.histogram(values, edges)
    kept, heights, gathered = [float(edges[0])], [], 0
    for count, right in zip(counts.tolist(), edges[1:].tolist(), strict=True):
        gathered += count
        if gathered >= SMALLEST_CELL:
            heights.append(gathered / len(values) / (right - kept[-1]))
            kept.append(right)
            gathered = 0
    if heights:
        axes.stairs(heights, kept, fill=True, color=GREY, linewidth=0)


def _quantiles(axes: Axes, law: Candidate, points: Numbers, size: float, number: int) -> None:
    """Draw the law's quantiles against those of the log: the points of the empirical law."""
    if len(points) < 3:  # noqa: PLR2004
        return
    shares = np.linspace(0, 1, len(points))[1:-1]
    fine = np.linspace(points[0] / 20, points[-1] * 3, 20_000)
    with np.errstate(all="ignore"):
        below = law.cdf(fine * size)
    inside = np.isfinite(below)
    axes.plot(
        points[1:-1], np.interp(shares, below[inside], fine[inside]), zorder=5 - number, **style.arm_look(number + 1)
    )
