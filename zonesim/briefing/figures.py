"""The figures of a comparison, each a slide: dwell, stages, the gate over the day, and the process map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from zonesim.analysis import Comparison, interval
from zonesim.briefing import style
from zonesim.briefing.map_figure import map_figure
from zonesim.briefing.process_map import flows_changed
from zonesim.kpi import Kpi, RunResult
from zonesim.policy import ResolvedArm
from zonesim.units import HOUR

MOST_PANELS = 4
NARROW = 0.06
"""Share of the axis below which a bar is too narrow for its number."""


@dataclass(frozen=True)
class FigureContext:
    """What figures are drawn from: arms (baseline first), the runs of each, their comparison, the KPIs, the seed."""

    arms: Mapping[str, ResolvedArm]
    results: Mapping[str, Sequence[RunResult]]
    comparison: Comparison
    kpis: Sequence[Kpi]
    seed: int

    @property
    def baseline(self) -> str:
        """Return the name of the first arm."""
        return next(iter(self.arms))

    def caption(self) -> str:
        """Return the line that says where the numbers come from."""
        scenario = self.arms[self.baseline].scenario
        n = len(next(iter(self.results.values())))
        words = [
            f"scenario {scenario.name}{' (synthetic)' if scenario.synthetic else ''}",
            f"baseline {self.baseline}",
            f"measured {scenario.clock.measure}",
            f"n = {n} replications",
            f"seed {self.seed}",
            "zonesim",
        ]
        return "   |   ".join(words)

    def arm_label(self, name: str) -> str:
        """Return how an arm is called in legends."""
        return f"{name} (baseline)" if name == self.baseline else f"with measure{'s' if '+' in name else ''} {name}"

    def flows(self) -> list[str]:
        """Return the flows of the traffic, those with goods that become usable first."""
        found = list(dict.fromkeys(entry.flow for entry in self.arms[self.baseline].scenario.traffic.values()))
        ids = {kpi.id for kpi in self.kpis}
        return sorted(
            found,
            key=lambda flow: (
                not any(i.startswith(f"{flow}.stage.") and "usable" in i for i in ids),
                found.index(flow),
            ),
        )

    def flow_title(self, flow: str) -> str:
        """Return name and label of a flow."""
        label = self.arms[self.baseline].flows()[flow].label.get("en", "")
        return f"{flow}: {label}" if label and label.lower() != flow else label or flow


def draw_all(folder: Path, context: FigureContext) -> list[Path]:
    """Draw every figure that the results allow as PNG into `folder`; return the paths."""
    figures = _maps(context)
    for name, figure in (("dwell", dwell(context)), ("stages", stages(context)), ("gate_day", gate_day(context))):
        if figure is not None:
            figures[name] = figure
    for stale in folder.glob("process_map_*.png"):
        stale.unlink()
    paths = []
    for name, figure in figures.items():
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=style.DPI, metadata={"Software": "zonesim"})
        paths.append(path)
    return paths


def _maps(context: FigureContext) -> dict[str, Figure]:
    """Draw the process maps of the flows that the last arm changes."""
    base, last = context.arms[context.baseline], list(context.arms)[-1]
    if last == context.baseline:
        return {}
    arm = context.arms[last]
    return {
        f"process_map_{flow}": map_figure(
            base,
            arm,
            flow,
            f"{context.flow_title(flow)}: {context.baseline} and {context.arm_label(last)}",
            context.caption(),
        )
        for flow in flows_changed(base, arm)[:MOST_PANELS]
    }


# --- dwell


def dwell(context: FigureContext) -> Figure | None:
    """Draw, flow by flow, the share of consignments that are through after a time; median and P95 are marked."""
    flows = [
        flow for flow in context.flows() if any(len(_pool(context, arm, f"{flow}.dwell")) for arm in context.arms)
    ][:MOST_PANELS]
    if not flows:
        return None
    figure = style.slide("Dwell time: share of consignments that are through", context.caption())
    rows = 1 if len(flows) <= 2 else 2  # noqa: PLR2004  panels side by side
    columns = -(-len(flows) // rows)
    for number, flow in enumerate(flows):
        axes = figure.add_subplot(rows, columns, number + 1)
        longest = 0.0
        lines = []
        for position, arm in enumerate(context.arms):
            hours = np.sort(_pool(context, arm, f"{flow}.dwell")) / HOUR
            missing = _mean(context, arm, f"{flow}.dwell.missing")
            if not len(hours):
                continue
            share = np.arange(1, len(hours) + 1) / len(hours) * (1 - missing)
            colour = style.colour(position)
            axes.step(hours, 100 * share, where="post", color=colour, linestyle=style.DASHES[position % 5], linewidth=2)
            for q, marker in ((50, "o"), (95, "D")):
                reached = np.searchsorted(100 * share, q)
                if reached < len(hours):
                    axes.plot([hours[reached]], [q], marker, color=colour, markersize=6, markeredgecolor="white")
            longest = max(longest, float(np.quantile(hours, 0.995)))
            median, late = (_mean(context, arm, f"{flow}.dwell.{what}") for what in ("median", "p95"))
            still = f", {missing:.2%} still missing" if missing > 0 else ""
            lines.append((colour, f"{context.arm_label(arm)}: median {median:.3g} h, P95 {late:.3g} h{still}"))
        axes.set_title(
            context.flow_title(flow), fontsize=style.NORMAL, loc="left", color=style.INK, pad=8 + 13 * len(lines)
        )
        for row, (colour, text) in enumerate(reversed(lines)):
            axes.annotate(
                text,
                (0, 1),
                (0, 5 + 13 * row),
                xycoords="axes fraction",
                textcoords="offset points",
                fontsize=style.SMALL,
                color=colour,
            )
        axes.set_xlim(0, longest * 1.02 or 1)
        axes.set_ylim(0, 102)
        axes.set_xlabel("hours since arrival", fontsize=style.SMALL)
        axes.set_ylabel("share through, %", fontsize=style.SMALL)
        style.tidy(axes)
    figure.subplots_adjust(left=0.07, right=0.97, top=0.82, bottom=0.13, hspace=0.75, wspace=0.2)
    figure.text(
        0.97, 0.2 / style.HEIGHT, "● median   ◆ P95", fontsize=style.SMALL, color=style.PALE, ha="right", va="center"
    )
    return figure


# --- stages


def stages(context: FigureContext) -> Figure | None:
    """Draw where the time goes: the mean stages of each flow, arm below arm."""
    ids = [kpi.id for kpi in context.kpis]
    flows = []
    for flow in context.flows():
        chain = [i for i in ids if i.startswith(f"{flow}.stage.")]
        if len(chain) > 1 and all(not np.isnan(_mean(context, arm, i)) for arm in context.arms for i in chain):
            flows.append((flow, chain))
    flows = flows[:MOST_PANELS]
    if not flows:
        return None
    figure = style.slide("Where the time goes: mean time between milestones", context.caption())
    for number, (flow, chain) in enumerate(flows):
        axes = figure.add_subplot(len(flows), 1, number + 1)
        arms = list(context.arms)
        values = {arm: [_mean(context, arm, i) for i in chain] for arm in arms}
        widest = max(sum(column) for column in values.values()) or 1.0
        for row, arm in enumerate(arms):
            left = 0.0
            for position, value in enumerate(values[arm]):
                colour = style.STAGES[position % len(style.STAGES)]
                axes.barh(row, value, left=left, color=colour, height=0.62, edgecolor="white", linewidth=0.8)
                if value > NARROW * widest:
                    dark = position % len(style.STAGES) in {0, 1, 5}
                    axes.text(
                        left + value / 2,
                        row,
                        f"{value:.3g}",
                        ha="center",
                        va="center",
                        fontsize=style.SMALL,
                        color="white" if dark else style.INK,
                    )
                left += value
            axes.text(
                left + 0.01 * widest,
                row,
                f"{left:.4g} h",
                ha="left",
                va="center",
                fontsize=style.SMALL,
                weight="bold",
                color=style.INK,
            )
        axes.set_yticks(range(len(arms)), [context.arm_label(arm) for arm in arms])
        axes.invert_yaxis()
        axes.set_xlim(0, widest * 1.12)
        axes.set_title(context.flow_title(flow), fontsize=style.NORMAL, loc="left", color=style.INK)
        style.tidy(axes)
        axes.grid(visible=False)
        handles = [
            axes.barh([0], [0], color=style.STAGES[position % len(style.STAGES)]) for position in range(len(chain))
        ]
        names = [i.split(".stage.")[1].removesuffix(".mean").replace("_to_", " → ").replace("_", " ") for i in chain]
        axes.legend(
            handles,
            names,
            ncols=len(chain),
            fontsize=8,
            frameon=False,
            loc="lower right",
            bbox_to_anchor=(1, 0.98),
            handlelength=1,
            columnspacing=1,
        )
        if number == len(flows) - 1:
            axes.set_xlabel("hours", fontsize=style.SMALL)
    figure.subplots_adjust(left=0.17, right=0.97, top=0.86, bottom=0.13, hspace=0.75)
    return figure


# --- the gate over the day


def gate_day(context: FigureContext) -> Figure | None:
    """Draw queue and pass time of each gate direction by hour of day, with 95 % bands over replications."""
    first = context.results[context.baseline][0]
    limited = {kpi.subject for kpi in context.kpis if kpi.definition.what == "utilisation"}
    places = [name.removesuffix(".queue") for name in first.curves if name.endswith(".queue")]
    places = [place for place in places if place in limited][:2]
    if not places:
        return None
    figure = style.slide("The gate over the day", context.caption())
    hours = np.arange(24) + 0.5
    for column, place in enumerate(places):
        for row, (what, unit, title) in enumerate(
            (
                ("queue", "vehicles", "Mean number waiting for a lane"),
                ("pass", "s", "Mean pass time, exceptions included"),
            )
        ):
            axes = figure.add_subplot(2, len(places), row * len(places) + column + 1)
            for position, arm in enumerate(context.arms):
                mean, low, high = _band([run.curves[f"{place}.{what}"] for run in context.results[arm]])
                colour = style.colour(position)
                axes.plot(
                    hours,
                    mean,
                    color=colour,
                    linestyle=style.DASHES[position % 5],
                    linewidth=2,
                    label=context.arm_label(arm),
                )
                axes.fill_between(hours, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.set_title(
                f"{place}: {title[0].lower()}{title[1:]}", fontsize=style.NORMAL, loc="left", color=style.INK
            )
            axes.set_xlim(0, 24)
            axes.set_xticks(range(0, 25, 3))
            axes.set_ylim(bottom=0)
            axes.set_ylabel(unit, fontsize=style.SMALL)
            axes.set_xlabel("hour of day", fontsize=style.SMALL)
            style.tidy(axes)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="upper right",
        bbox_to_anchor=(0.975, 0.985),
        ncols=len(labels),
        fontsize=style.NORMAL,
        frameon=False,
    )
    figure.text(
        0.97,
        0.2 / style.HEIGHT,
        "bands: 95 % over replications",
        fontsize=style.SMALL,
        color=style.PALE,
        ha="right",
        va="center",
    )
    figure.subplots_adjust(left=0.07, right=0.97, top=0.85, bottom=0.14, hspace=0.55, wspace=0.2)
    return figure


# --- numbers


def _pool(context: FigureContext, arm: str, sample: str) -> NDArray[np.float64]:
    """Return the durations (ms) of all replications together."""
    parts = [run.samples[sample] for run in context.results[arm] if sample in run.samples]
    return np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)


def _mean(context: FigureContext, arm: str, kpi: str) -> float:
    column: dict[str, Any] = dict(context.comparison.arms[arm])
    return float(column[kpi].value) if kpi in column else float("nan")


def _band(curves: Sequence[NDArray[np.float64]]) -> tuple[list[float], list[float], list[float]]:
    """Return mean and limits hour by hour; without limits where there are fewer than two values."""
    found = [interval([float(curve[hour]) for curve in curves]) for hour in range(24)]
    mean = [each.value for each in found]
    low = [max(each.low, 0.0) if not np.isnan(each.low) else each.value for each in found]
    high = [each.high if not np.isnan(each.high) else each.value for each in found]
    return mean, low, high
