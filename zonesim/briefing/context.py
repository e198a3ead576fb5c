"""What figures are drawn from, and the words that are the same on all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim import __version__
from zonesim.analysis import Comparison, Difference
from zonesim.briefing.style import BETWEEN
from zonesim.kpi import Kpi, RunResult
from zonesim.policy import ResolvedArm
from zonesim.scenario import load_catalogue
from zonesim.units import parse

MOST_ARMS: Final = 5
"""Arms that one figure can tell apart."""


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

    def shown(self) -> list[str]:
        """Return the arms that figures show: all, or where these are many the first ones and the last."""
        names = list(self.arms)
        return names if len(names) <= MOST_ARMS else [*names[: MOST_ARMS - 1], names[-1]]

    def caption(self) -> str:
        """Return the line that says where the numbers come from; its parts are `style.BETWEEN` apart."""
        scenario = self.arms[self.baseline].scenario
        clock = scenario.clock
        n = len(next(iter(self.results.values())))
        warm_up = f" after {_span(clock.warm_up)} of warm-up" if parse(clock.warm_up, "duration") else ""
        parts = [
            f"Scenario {scenario.name}{' (synthetic)' if scenario.synthetic else ''}",
            f"{n} replication{'' if n == 1 else 's'}",
            f"seed {self.seed}",
            f"measured {_span(clock.measure)}{warm_up}",
            f"zonesim {__version__}",
            # Last: with many arms the line is cut.
            f"arms {', '.join(self.arms)}",
        ]
        return BETWEEN.join(parts)

    def notes(self) -> list[str]:
        """Return what every figure that shows arms has to add."""
        left_out = len(self.arms) - len(self.shown())
        return [f"{left_out} more arms not drawn"] if left_out else []

    def arm_label(self, name: str) -> str:
        """Return how an arm is called in legends."""
        return f"{name} (baseline)" if name == self.baseline else f"with measure{'s' if '+' in name else ''} {name}"

    def flows(self) -> list[str]:
        """Return the flows of the traffic, those with goods that become usable first."""
        found = list(dict.fromkeys(entry.flow for entry in self.arms[self.baseline].scenario.traffic.values()))
        usable = {kpi.subject for kpi in self.kpis if ".stage." in kpi.id and kpi.id.endswith("_to_usable.mean")}
        return sorted(found, key=lambda flow: (flow not in usable, found.index(flow)))

    def flow_title(self, flow: str) -> str:
        """Return label and name of a flow."""
        label = self.arms[self.baseline].flows()[flow].label.get("en", "")
        return f"{label} ({flow})" if label and flow.lower() not in label.lower() else label or flow

    def place_title(self, place: str, *, full: bool) -> str:
        """Return the label of a resource written as `ZONE.name`, `full`: with that name."""
        zone, _, name = place.partition(".")
        zones = self.arms[self.baseline].scenario.zones
        entry = zones[zone].entries().get(name) if zone in zones else None
        label = entry.label.get("en", "") if entry is not None else ""
        return (f"{label} ({place})" if full else label) if label else place

    def practice(self, name: str) -> tuple[str, str]:
        """Return the label of a practice written as `measure.practice` (or of a measure), and what adoption counts."""
        measure, _, practice = name.partition(".")
        found = load_catalogue().measures.get(measure)
        if found is None:
            return "", ""
        if practice not in found.practices:
            return found.label.get("en", ""), ""
        return found.practices[practice].label.get("en", ""), found.practices[practice].adoption.of

    def mean(self, arm: str, kpi: str) -> float:
        """Return the mean of a KPI over replications; nan when there is none."""
        found = self.comparison.arms[arm].get(kpi)
        return found.value if found is not None else float("nan")

    def effect(self, arm: str, kpi: str) -> Difference | None:
        """Return the paired difference of an arm to the baseline, None for the baseline itself."""
        return next((each.difference for each in self.comparison.effects if (each.arm, each.kpi) == (arm, kpi)), None)

    def pooled(self, arm: str, sample: str) -> NDArray[np.int64]:
        """Return the durations (ms) of all replications of an arm together, short to long."""
        parts = [run.samples[sample] for run in self.results[arm] if sample in run.samples]
        return np.sort(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)

    def pooled_missing(self, arm: str, sample: str) -> int:
        """Return how many of these durations had no end when the runs ended."""
        missing = 0
        for run in self.results[arm]:
            share = run.values.get(f"{sample}.missing", float("nan"))
            if sample in run.samples and 0 < share < 1:
                missing += round(len(run.samples[sample]) * share / (1 - share))
        return missing


def _span(text: str) -> str:
    """Return a duration in words: `4 weeks`."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*(d|week)\s*", text)
    if found is None:
        return text
    unit = {"d": "day", "week": "week"}[found[2]]
    return f"{found[1]} {unit}{'' if float(found[1]) == 1 else 's'}"
