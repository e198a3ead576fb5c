"""What is on the stage of a replay: the zones, their counters, the roads between them, and steps without a counter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.briefing.text.story import step_labels, way_to
from zonesim.briefing.text.words import LANGUAGES, Words
from zonesim.experiment import Option
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.plan import UNLIMITED, Plan, Rows, StepName, consignment_of, number_of, place_of
from zonesim.policy import ResolvedArm
from zonesim.scenario import Flow
from zonesim.tracing.day import Day, last_moment, present

MOST_ZONES: Final = 4
"""Zones that one page draws, at most."""

MOST_GROUPS: Final = 9
"""Steps without a counter that have a line of their own."""

MOST_ROADS: Final = 6
"""Roads that are drawn."""

ROLES: Final = ("lane", "yard", "dock")
"""Roles of counters in the order in which they are drawn; a token that holds several stands at the first."""

OUTSIDE: Final = ""
"""Where a road leads to or from when no zone is known there: a port, an airport, a firm."""

NOWHERE: Final = -1

Label = dict[str, str]
Road = tuple[str, str]
Way = tuple[str, tuple[str, ...]]
"""A traffic entry, and the path of a step in its flow."""


@dataclass(frozen=True)
class Played:
    """An arm as it was run once: all its visits and marks, and by source the class of each consignment."""

    option: Option
    arm: ResolvedArm
    plan: Plan
    visits: Rows
    marks: Rows
    classes: tuple[NDArray[np.int16], ...]
    grows: frozenset[int] = frozenset()
    """The resources in front of which the line grows as long as the run lasts."""

    @cached_property
    def flows(self) -> Mapping[str, Flow]:
        """Return the flows of the arm by name."""
        return self.arm.flows()


@dataclass(frozen=True)
class Stage:
    """
    What is drawn. `counters`: (zone, name) of resources; `groups`: labels of steps without
    a counter; the last but one stands for all the others, the last for what is done at counters of other zones.
    """

    zones: tuple[str, ...]
    counters: tuple[tuple[str, str], ...]
    groups: tuple[Label, ...]

    def counter_of(self, plan: Plan, step: StepName) -> int:
        """Return the counter at which a token is drawn at a step, -1: none."""
        own = [plan.names.resources[resource] for resource in step.asked]
        found = [(rank_of(each.role), self._place(each.zone, each.name)) for each in own]
        return min(((rank, place) for rank, place in found if place != NOWHERE), default=(0, NOWHERE))[1]

    def holds(self, plan: Plan) -> frozenset[Way]:
        """Return the steps at a counter of any zone: what is done within them is drawn there, or not at all."""
        return frozenset((step.entry, step.path) for step in plan.names.steps if step.asked and not step.is_leave)

    def group_of(self, plan: Plan, step: StepName, label: Label) -> int:
        """Return the line of a step that is drawn at no counter."""
        if around(step) & self.holds(plan):
            return len(self.groups) - 1
        return self.groups.index(label) if label in self.groups[:-2] else len(self.groups) - 2

    def _place(self, zone: str, name: str) -> int:
        return self.counters.index((zone, name)) if (zone, name) in self.counters else NOWHERE


def around(step: StepName) -> set[Way]:
    """Return a step and the steps that it stands in."""
    return {(step.entry, step.path[:end]) for end in range(1, len(step.path) + 1)}


def rank_of(role: str) -> int:
    """Return the place of a role in the order in which counters are drawn."""
    return ROLES.index(role) if role in ROLES else len(ROLES)


def zones_asked(played: Sequence[Played], wanted: Sequence[str]) -> tuple[str, ...]:
    """
    Return the zones that are drawn: those wanted, or all that are modelled; raises UnknownName for one that is not
    there, ScenarioFault when there are too many.
    """
    scenario = played[0].arm.scenario
    known = [name for name, zone in scenario.zones.items() if not zone.outside]
    for name in wanted:
        if name not in known:
            raise UnknownName(f"no zone '{name}' to draw", Place("--zone"), suggest(name, known, "zones"))
    found = tuple(dict.fromkeys(wanted)) or tuple(known)
    if len(found) > MOST_ZONES:
        fault = f"{len(found)} zones are more than a page can show"
        raise ScenarioFault(fault, Place("--zone"), f"Choose up to {MOST_ZONES}, e.g. --zone {found[0]}.")
    return found


def resources_in(plan: Plan, zones: Sequence[str]) -> frozenset[int]:
    """Return the resources of some zones."""
    return frozenset(row for row, each in enumerate(plan.names.resources) if each.zone in zones)


def stage_of(played: Sequence[Played], zones: tuple[str, ...], day: Day) -> Stage:
    """Return what is drawn of some zones on a day."""
    found: dict[tuple[str, str], tuple[int, int, int]] = {}
    for each in played:
        names = each.plan.names
        steps = np.unique(place_of(_on(each, day)["key"])).tolist()
        asked = {resource for step in steps for resource in names.steps[step].asked}
        for row in sorted(asked - each.plan.stocks):
            own = names.resources[row]
            if own.zone in zones and each.plan.most_units(row) < UNLIMITED:
                found.setdefault((own.zone, own.name), (zones.index(own.zone), rank_of(own.role), row))
    counters = tuple(sorted(found, key=lambda each: found[each]))
    return Stage(zones, counters, _groups(played, Stage(zones, counters, ()), day))


def _on(played: Played, day: Day) -> Rows:
    """Return the visits that lie on a day, at least in part."""
    visits = played.visits
    found: Rows = visits[(visits["queued"] < day.end) & (last_moment(visits, played.plan.horizon) >= day.begin)]
    return found


def _groups(played: Sequence[Played], stage: Stage, day: Day) -> tuple[Label, ...]:
    """Return the labels of the steps without a counter at which most tokens are on the day, and one for the others."""
    counted: Counter[tuple[str, ...]] = Counter()
    for each in played:
        resources = resources_in(each.plan, stage.zones)
        shown = present(each.plan, each.visits, day.begin, day.end, resources)
        rows = _on(each, day)
        own = np.isin(consignment_of(number_of(rows["key"])), shown)
        held = stage.holds(each.plan)
        steps, counts = np.unique(place_of(rows["key"][own]), return_counts=True)
        for step, count in zip(steps.tolist(), counts.tolist(), strict=True):
            name = each.plan.names.steps[step]
            if not name.is_leave and not around(name) & held and not is_road(each.flows, name):
                counted[tuple(label_of(each.flows, name).values())] += count
    named = [dict(zip(map(str, LANGUAGES), label, strict=True)) for label, _ in counted.most_common(MOST_GROUPS)]
    last = ("replay.other_steps", "replay.other_zones")
    return (*named, *({str(language): Words(language)(word) for language in LANGUAGES} for word in last))


def is_road(flows: Mapping[str, Flow], step: StepName) -> bool:
    """Return whether a step is a way of so many km."""
    found = way_to(flows, step)
    last = found[-1][1] if found else None
    return last is not None and last.take is not None and getattr(last.take, "distance", None) is not None


def label_of(flows: Mapping[str, Flow], step: StepName) -> Label:
    """Return what a step itself is called, by language."""
    return {language: step_labels(flows, step, Words(language))[-1] for language in LANGUAGES}
