"""What figures are drawn from, and the words that are the same on all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim import __version__
from zonesim.analysis import Comparison, Difference
from zonesim.briefing.style import BETWEEN
from zonesim.briefing.words import Language, Words
from zonesim.kpi import Kpi, RunResult
from zonesim.policy import ResolvedArm
from zonesim.scenario import load_catalogue
from zonesim.units import parse

MOST_ARMS: Final = 5
"""Arms that one figure can tell apart."""


@dataclass(frozen=True)
class FigureContext:
    """
    What figures are drawn from: arms (baseline first), the runs of each, their comparison, the KPIs, the seed, and the
    language that they speak. `future`: in words, the future of an experiment that the runs belong to.
    """

    arms: Mapping[str, ResolvedArm]
    results: Mapping[str, Sequence[RunResult]]
    comparison: Comparison
    kpis: Sequence[Kpi]
    seed: int
    language: Language = "en"
    future: str = ""

    @cached_property
    def say(self) -> Words:
        """Return the words of the figures, the scenario's own labels of resources among them."""
        names: dict[str, str] = {}
        if self.language != "en":
            for zone in self.arms[self.baseline].scenario.zones.values():
                for name, entry in zone.entries().items():
                    if self.language in entry.label:
                        names.setdefault(name, entry.label[self.language])
        return Words(self.language, names)

    @property
    def baseline(self) -> str:
        """Return the name of the first arm."""
        return next(iter(self.arms))

    def shown(self) -> list[str]:
        """Return the arms that figures show: all, or where these are many the first ones and the last."""
        names = list(self.arms)
        return names if len(names) <= MOST_ARMS else [*names[: MOST_ARMS - 1], names[-1]]

    @property
    def n(self) -> int:
        """Return how many replications there are."""
        return len(next(iter(self.results.values()), ()))

    def caption(self) -> str:
        """Return the line that says where the numbers come from; its parts are `style.BETWEEN` apart."""
        say = self.say
        scenario = self.arms[self.baseline].scenario
        clock = scenario.clock
        warm_up = parse(clock.warm_up, "duration")
        parts = [
            say("caption.synthetic" if scenario.synthetic else "caption.scenario", name=scenario.name),
            *([self.future] if self.future else []),
            say("caption.replications", n=self.n),
            say("caption.seed", seed=self.seed),
            say(
                "caption.after_warm_up" if warm_up else "caption.measured",
                span=_span(clock.measure, say),
                warm_up=_span(clock.warm_up, say),
            ),
            say("caption.version", version=__version__),
            # Last: with many arms the line is cut.
            say("caption.arms", names=say.listed(self.arms)),
        ]
        return BETWEEN.join(parts if self.n else [parts[0], say("caption.no_run"), *parts[-2:]])

    def notes(self) -> list[str]:
        """Return what every figure that shows arms has to add."""
        left_out = len(self.arms) - len(self.shown())
        return [self.say("more_arms", n=left_out)] if left_out else []

    def arm_label(self, name: str) -> str:
        """Return how an arm is called in legends."""
        if name == self.baseline:
            return self.say("baseline", arm=name)
        return self.say("with_measure", n=1 + name.count("+"), arm=name)

    def flows(self) -> list[str]:
        """Return the flows of the traffic, those with goods that become usable first."""
        found = list(dict.fromkeys(entry.flow for entry in self.arms[self.baseline].scenario.traffic.values()))
        usable = {kpi.subject for kpi in self.kpis if ".stage." in kpi.id and kpi.id.endswith("_to_usable.mean")}
        return sorted(found, key=lambda flow: (flow not in usable, found.index(flow)))

    def flow_title(self, flow: str) -> str:
        """Return label and name of a flow."""
        return self.say.title(self.arms[self.baseline].flows()[flow].label, flow)

    def zone_title(self, zone: str) -> str:
        """Return label and name of a zone."""
        return self.say.title(self.arms[self.baseline].scenario.zones[zone].label, zone)

    def place_title(self, place: str, *, full: bool) -> str:
        """Return the label of a resource written as `ZONE.name`, `full`: with that name."""
        zone, _, name = place.partition(".")
        zones = self.arms[self.baseline].scenario.zones
        entry = zones[zone].entries().get(name) if zone in zones else None
        if entry is None or not entry.label:
            return place
        label = self.say.label(entry.label, name)
        return self.say("named", label=label, name=place) if full else label

    def practice(self, name: str) -> tuple[str, str]:
        """Return the label of a practice written as `measure.practice` (or of a measure), and what adoption counts."""
        measure, _, practice = name.partition(".")
        found = load_catalogue().measures.get(measure)
        if found is None:
            return "", ""
        if practice not in found.practices:
            return self.say.label(found.label, ""), ""
        return self.say.label(found.practices[practice].label, ""), found.practices[practice].adoption.of

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


def _span(text: str, say: Words) -> str:
    """Return a duration in words: `4 weeks`."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*(d|week)\s*", text)
    if found is None:
        return text
    unit = {"d": "day", "week": "week"}[found[2]]
    number = float(found[1])
    return say(f"span.{unit}", n=int(number) if number.is_integer() else found[1])
