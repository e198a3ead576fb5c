"""What figures are drawn from, and the words that are the same on all of them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from zonesim.analysis import Comparison, Difference, Effect, Interval
from zonesim.briefing.figures.style import BETWEEN, MARGIN, NORMAL, WIDTH, between, fit, number, slide, width_of
from zonesim.briefing.text.arm_names import AUTOMATIC, ArmNames, NamedArm, everything_in
from zonesim.briefing.text.words import Language, Words
from zonesim.experiment import is_future
from zonesim.kpi import Kpi, RunResult
from zonesim.policy import ResolvedArm
from zonesim.scenario import NO_FUTURE, Scenario, load_catalogue
from zonesim.units import parse
from zonesim.version import __version__

DWELL: Final = "dwell.mean"
KPIS: Final = {"flow": (DWELL,)}
"""By which flows are known, by scope."""

USABLE: Final = "usable"
"""The mark with which goods become usable."""

MOST_ARMS: Final = 5
"""Arms that one figure can tell apart."""

CAPTION_ROOM: Final = 4.0
"""Inches of a caption for what was set otherwise."""

NOT_GIVEN: Final = frozenset({"grows", "missing"})
"""Tags of what has no value, with a word that says why."""


@dataclass(frozen=True)
class Told:
    """What figures say of a scenario: its name and labels, whether it is synthetic, and its clock."""

    name: str
    label: Mapping[Any, str]
    synthetic: bool
    start: str
    warm_up: str
    measure: str

    @classmethod
    def of(cls, scenario: Scenario) -> Told:
        """Return what a scenario says."""
        clock = scenario.clock
        return cls(scenario.name, scenario.label, scenario.synthetic, str(clock.start), clock.warm_up, clock.measure)


@dataclass(frozen=True)
class FigureContext:
    """
    What figures are drawn from: arms (baseline first), the runs of each, their comparison, the KPIs, the seed, and the
    language that they speak.

    `arms` is empty when what the results were run from cannot be read: then there are no labels, and `told` says how
    it was called. `library_changed`: this version of zonesim makes other arms of it than those that were run.
    `future`: in words, the future of an experiment that the runs belong to. `wanted`: ids of KPIs to draw in place of
    the usual ones. `labels`: what an experiment calls its arms, by name. `run`: the number of the run; `settings`:
    those of `--set`, as people read them; `experiment`: what the experiment is called, `reported`: the KPIs that it
    names, in its order.
    """

    arms: Mapping[str, ResolvedArm]
    results: Mapping[str, Sequence[RunResult]]
    comparison: Comparison
    kpis: Sequence[Kpi]
    seed: int
    language: Language = "en"
    future: str = ""
    told: Told | None = None
    wanted: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    run: str = ""
    settings: Sequence[str] = ()
    experiment: str = ""
    reported: Sequence[str] = ()
    library_changed: bool = False

    @cached_property
    def say(self) -> Words:
        """Return the words of the figures, the scenario's own labels of resources and attributes among them."""
        names: dict[str, str] = {}
        if self.language != "en" and self.known is not None:
            scenario = self.known.scenario
            labelled = [each for zone in scenario.zones.values() for each in zone.entries().items()]
            for name, entry in (*labelled, *scenario.attributes.items()):
                if self.language in entry.label:
                    names.setdefault(name, entry.label[self.language])
        return Words(self.language, names, f"{100 * self.comparison.level:g}")

    @property
    def baseline(self) -> str:
        """Return the name of the first arm."""
        return self.comparison.baseline

    @property
    def names(self) -> list[str]:
        """Return the names of the arms, baseline first."""
        return list(self.results or self.arms)

    @property
    def known(self) -> ResolvedArm | None:
        """Return the baseline with the labels of everything, None when its scenario cannot be read."""
        return self.arms.get(self.baseline)

    @property
    def scenario(self) -> Told:
        """Return what there is to say of the scenario."""
        return self.told if self.told is not None else Told.of(self.arms[self.baseline].scenario)

    def shown(self) -> list[str]:
        """Return the arms that figures show: all, or where these are many the first ones and the last."""
        names = self.names
        return names if len(names) <= MOST_ARMS else [*names[: MOST_ARMS - 1], names[-1]]

    @property
    def n(self) -> int:
        """Return how many replications there are."""
        return len(next(iter(self.results.values()), ()))

    def caption(self) -> str:
        """Return the line that says where the numbers come from; its parts are `style.BETWEEN` apart."""
        say = self.say
        told = self.scenario
        warm_up = parse(told.warm_up, "duration")
        name = say.label(told.label, told.name)
        scenario = say("caption.scenario", name=name)
        if told.synthetic and not re.search(say("caption.synthetic_word"), name, re.IGNORECASE):
            scenario = say("caption.synthetic", name=name)
        parts = [
            *([self.experiment] if self.experiment else []),
            scenario,
            *([self.future] if self.future else []),
            *([say("caption.settings", settings=self._settings(CAPTION_ROOM))] if self.settings else []),
            say("caption.replications", n=self.n),
            say("caption.seed", seed=self.seed),
            *([say("caption.run", run=self.run)] if self.run else []),
            say(
                "caption.after_warm_up" if warm_up else "caption.measured",
                span=_span(told.measure, say),
                warm_up=_span(told.warm_up, say),
            ),
            say("caption.version", version=__version__),
            say("caption.arms", names=say.listed(map(self.arm_name, self.names)))
            if len(self.names) <= MOST_ARMS
            else say("caption.many_arms", n=len(self.names)),
        ]
        if self.n:
            return BETWEEN.join(parts)
        number = [say("caption.number", run=self.run)] if self.run else []
        kept = [scenario, say("caption.no_run"), *number, *parts[-2:]]
        if self.settings:
            kept.insert(1, say("caption.settings", settings=self._settings(CAPTION_ROOM)))
        return BETWEEN.join(kept)

    def slide(self, title: str, notes: Sequence[str]) -> Figure:
        """Return an empty slide that says what is drawn, of which run, and over its title what was set otherwise."""
        room = WIDTH - 2 * MARGIN - 1.5
        mark = self.say("what_if", settings=self._settings(room)) if self.settings else ""
        return slide(title, self.caption(), notes, mark)

    def _setting(self, text: str) -> str:
        """Return a setting as people read it; a future with its label."""
        return self.say("caption.future", name=self.future_title(text.partition(" ")[2])) if is_future(text) else text

    def future_title(self, name: str) -> str:
        """Return label and name of a named future; the words for none."""
        if name == NO_FUTURE:
            return self.say("path.as_written")
        own = self.known.scenario.futures if self.known is not None else {}
        found = own.get(name) or load_catalogue().futures.get(name)
        return self.say.title(found.label, name) if found is not None else name

    def _settings(self, room: float) -> str:
        """Return the settings of `--set`, as many as fit into `room` inches, and how many there are besides."""
        kept = [self._setting(text) for text in self.settings]
        while len(kept) > 1 and width_of(self.say.joined(kept), NORMAL) > room:
            kept.pop()
        more = len(self.settings) - len(kept)
        return self.say.joined([fit(self.say.joined(kept), room, NORMAL), *([f"+{more}"] if more else [])])

    def notes(self) -> list[str]:
        """Return what every figure that shows arms has to add."""
        left_out = len(self.names) - len(self.shown())
        return [self.say("more_arms", n=left_out)] if left_out else []

    def arm_label(self, name: str) -> str:
        """Return how an arm is called in legends."""
        called = self.arm_name(name)
        return self.say("baseline", arm=called) if name == self.baseline else called

    def arm_name(self, name: str) -> str:
        """Return how an arm is called: its label, what it is made of where its name says no more, or its name."""
        if self.labels.get(name, name) != name:
            return self.labels[name]
        return self._arm_names.short(name) if name in self.arms else name.replace("_", " ")

    @cached_property
    def _arm_names(self) -> ArmNames:
        """Return the names of the arms that commands have made; what people have named keeps its name."""
        made = [
            NamedArm(name, {}, each.arm.measures, AUTOMATIC.fullmatch(name) is None) for name, each in self.arms.items()
        ]
        return ArmNames(self.say, made, everything_in(self.known.world) if self.known is not None else ())

    def flows(self) -> list[str]:
        """Return the flows of the traffic, those with goods that become usable first."""
        if self.known is not None:
            found = list(dict.fromkeys(str(entry.flow) for entry in self.known.scenario.traffic.values()))
        else:
            found = self.subjects(DWELL)
        return sorted(found, key=lambda flow: (flow not in self.with_usable, found.index(flow)))

    @cached_property
    def with_usable(self) -> frozenset[str]:
        """Return the flows, and entries of the traffic, whose goods become usable."""
        return frozenset(kpi.subject for kpi in self.kpis if kpi.stage[1] == USABLE)

    def flow_title(self, flow: str) -> str:
        """Return label and name of a flow; of an entry of the traffic its name."""
        flows = self.known.flows() if self.known is not None else {}
        return self.say.title(flows[flow].label, flow) if flow in flows else flow

    def zone_title(self, zone: str) -> str:
        """Return label and name of a zone."""
        return self.say.title(self.known.scenario.zones[zone].label, zone) if self.known is not None else zone

    def place_title(self, place: str, *, full: bool) -> str:
        """Return the label of a resource written as `ZONE.name`, `full`: with that name."""
        zone, _, name = place.partition(".")
        zones = self.known.scenario.zones if self.known is not None else {}
        entry = zones[zone].entries().get(name) if zone in zones else None
        if entry is None or not entry.label:
            return place
        label = self.say.label(entry.label, name)
        return self.say("named", label=label, name=place) if full else label

    def subject_title(self, kpi: Kpi) -> str:
        """Return what a KPI is about, in words."""
        scope = kpi.definition.scope
        if scope == "flow":
            return self.flow_title(kpi.subject)
        if scope == "zone":
            return self.zone_words(kpi.subject)
        if scope in {"gate", "resource"}:
            return self.place_words(kpi.subject)
        if scope == "truth":
            truth = kpi.subject.partition(".")[2]
            truths = self.known.scenario.truth if self.known is not None else {}
            return self.say.label(truths[truth].label, truth) if truth in truths else truth
        return self.say("everything") if scope == "all" else kpi.subject

    def subject_words(self, kpi: Kpi) -> str:
        """Return what a KPI is about as people call it, without the names that files have for it."""
        flows = self.known.flows() if self.known is not None else {}
        if kpi.definition.scope == "flow" and kpi.subject in flows:
            return self.say.label(flows[kpi.subject].label, kpi.subject)
        return self.subject_title(kpi)

    def place_words(self, place: str) -> str:
        """Return the label of a resource written as `ZONE.name`, with that of its zone where there are several."""
        zone = place.partition(".")[0]
        zones = self.known.scenario.zones if self.known is not None else {}
        label = self.place_title(place, full=False)
        several = len(self._zones_of_places) > 1
        named = several and zone in zones
        return self.say("of_zone", zone=self.zone_words(zone), label=label) if named else label

    @cached_property
    def _zones_of_places(self) -> frozenset[str]:
        """Return the zones whose gates and resources are told of."""
        told = [kpi for kpi in self.kpis if kpi.definition.scope in {"gate", "resource"} and kpi.headline]
        return frozenset(kpi.subject.partition(".")[0] for kpi in told)

    def zone_words(self, zone: str) -> str:
        """Return the label of a zone, or its name."""
        zones = self.known.scenario.zones if self.known is not None else {}
        return self.say.label(zones[zone].label, zone) if zone in zones else zone

    def quantity(self, kpi: Kpi) -> str:
        """Return what a KPI measures, in words."""
        words = kpi.definition.en if self.language == "en" else kpi.definition.zh
        first, last = kpi.stage
        if not first:
            return words
        between = self.say("stages.between", first=self.say.term(first), last=self.say.term(last))
        return self.say("named", label=words, name=between)

    def limits(self, own: Interval | Difference, unit: str) -> str:
        """Return a value of a KPI with its unit and its limits, where it has any: `0.34 h (0.29 to 0.39)`."""
        factor = 100 if unit == "share" else 1
        shown = "%" if unit == "share" else self.say.unit(unit)
        if math.isnan(own.low):
            return self.say("value.alone", value=number(factor * own.value), unit=shown)
        value, low, high = between(factor * own.value, factor * own.low, factor * own.high)
        return self.say("value.limits", value=value, unit=shown, low=low, high=high)

    def practice(self, name: str) -> tuple[str, str]:
        """Return the label of a practice written as `measure.practice` (or of a measure), and what adoption counts."""
        measure, _, practice = name.partition(".")
        found = load_catalogue().measures.get(measure)
        if found is None:
            return "", ""
        if practice not in found.practices:
            return self.say.label(found.label, ""), ""
        return self.say.label(found.practices[practice].label, ""), found.practices[practice].adoption.of

    # --- numbers

    @cached_property
    def by_id(self) -> dict[str, Kpi]:
        """Return the KPIs by id."""
        return {kpi.id: kpi for kpi in self.kpis}

    def subjects(self, what: str) -> list[str]:
        """Return what a KPI is told of, which is named by quantity and statistic: `dwell.mean`."""
        return [kpi.subject for kpi in self.kpis if kpi.definition.what == what]

    @cached_property
    def effects(self) -> dict[tuple[str, str], Effect]:
        """Return the effects by arm and KPI."""
        return {(each.arm, each.kpi): each for each in self.comparison.effects}

    def mean(self, arm: str, kpi: str) -> float:
        """Return the mean of a KPI over replications; nan when there is none."""
        found = self.comparison.arms[arm].get(kpi)
        return found.value if found is not None else float("nan")

    def effect(self, arm: str, kpi: str) -> Difference | None:
        """Return the paired difference of an arm to the baseline, None for the baseline itself."""
        found = self.effects.get((arm, kpi))
        return found.difference if found is not None else None

    def size(self, arm: str, kpi: str) -> float:
        """Return how large a material effect is, as a share of the baseline; 0 for any other."""
        effect = self.effects[arm, kpi]
        base = abs(self.mean(self.baseline, kpi))
        told = effect.tag in {"", "input", "stable by hand"} and base > 0
        return abs(effect.difference.value) / base if told else 0.0

    def by_change(self, flows: Iterable[str]) -> list[str]:
        """Return flows with those first whose mean dwell changes most, as a share of its baseline, in any arm shown."""

        def changed(flow: str) -> float:
            base = self.mean(self.baseline, f"{flow}.{DWELL}")
            found = [self.effect(arm, f"{flow}.{DWELL}") for arm in self.shown()]
            sizes = [abs(each.value) / base for each in found if each is not None and not math.isnan(each.value)]
            return max(sizes, default=0.0) if base else 0.0

        return sorted(flows, key=lambda flow: -changed(flow))

    def column(self, arm: str, kpi: str) -> NDArray[np.float64]:
        """Return a KPI by replication, nan where it has no value, and everywhere when it is not given."""
        found = self.comparison.arms[arm].get(kpi)
        if found is not None and found.reason:
            return np.full(len(self.results[arm]), np.nan)
        return np.array([run.values.get(kpi, float("nan")) for run in self.results[arm]], dtype=np.float64)

    @cached_property
    def with_and_without(self) -> bool:
        """Return whether the arms differ in measures, so that the question is what these do."""
        return len({tuple(each.measure for each in arm.arm.measures) for arm in self.arms.values()}) > 1

    def told_first(self, kpis: Iterable[Kpi]) -> list[Kpi]:
        """
        Return KPIs with those first that say what measures do to control, and to the hours of officers.

        Where the arms do not differ in measures they stay in their order.
        """
        if not self.with_and_without:
            return list(kpis)
        return sorted(kpis, key=lambda kpi: math.inf if kpi.definition.control is None else kpi.definition.control)

    def chief(self) -> list[Kpi]:
        """
        Return the KPIs that figures with one panel a KPI show: those asked for, those that the experiment names, or the
        most telling; what measures do to control comes first.
        """
        if self.wanted:
            return [self.by_id[name] for name in self.wanted]
        if self.reported:
            return self.told_first(self.by_id[name] for name in self.reported if name in self.by_id)
        ranked: dict[tuple[float, str], list[tuple[float, Kpi]]] = {}
        for kpi in self.kpis:
            if kpi.headline and kpi.definition.order is not None:
                size = max((self.size(arm, kpi.id) for arm in self.names[1:]), default=0.0)
                ranked.setdefault((kpi.definition.order, kpi.definition.what), []).append((-size, kpi))
        rows = [sorted(found, key=lambda pair: pair[0]) for _, found in sorted(ranked.items())]
        turns = [row[turn] for turn in range(max(map(len, rows), default=0)) for row in rows if turn < len(row)]
        # What an arm changes comes before what no arm does.
        return self.told_first(kpi for size, kpi in sorted(turns, key=lambda pair: pair[0] >= 0))

    def pooled(self, arm: str, sample: str) -> NDArray[np.int64]:
        """Return the durations (ms) of all replications of an arm together, short to long."""
        parts = [run.samples[sample] for run in self.results[arm] if sample in run.samples]
        return np.sort(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)


def _span(text: str, say: Words) -> str:
    """Return a duration in words: `4 weeks`."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*(d|week)\s*", text)
    if found is None:
        return text
    unit = {"d": "day", "week": "week"}[found[2]]
    number = float(found[1])
    return say(f"span.{unit}", n=int(number) if number.is_integer() else found[1])
