"""The scopes of a plan: which rows of its tables belong to which flow, step, gate direction, resource and truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zonesim.plan import UNLIMITED, Names, Plan
from zonesim.scenario import KpiDeclaration, load_catalogue
from zonesim.scenario.fields import EVERYTHING


@dataclass(frozen=True)
class Scopes:
    """
    Which rows of a plan's tables belong to which scope.

    `groups`: flows, and entries of the traffic or the groups that they are told with, with their sources; `flows`: the
    flows that each of them walks, and `marks` the marks that their tokens may make. `steps`: rows of the step table,
    and `interruptions` those of the interruptions of these steps. `lanes`: by gate direction, rows of the steps that
    hold its lanes. `limited`: resources that somebody may wait for. `zones`: by zone the sources whose tokens pass a
    gate of it, and as `all` those that pass any. `own_marks`: by source the marks that its tokens may make.
    """

    groups: dict[str, tuple[int, ...]]
    flows: dict[str, frozenset[str]]
    marks: dict[str, frozenset[str]]
    steps: dict[str, tuple[int, ...]]
    interruptions: dict[str, tuple[int, ...]]
    lanes: dict[str, tuple[int, ...]]
    truths: tuple[str, ...]
    limited: tuple[int, ...]
    zones: dict[str, tuple[int, ...]]
    own_marks: tuple[frozenset[str], ...]

    def first(self, group: str, marks: Sequence[str]) -> str | None:
        """Return the first of some marks that the tokens of a group may make; None: none of them."""
        return next((mark for mark in marks if mark in self.marks[group]), None)

    def chain(self, group: str, through: Sequence[str], to: Sequence[str]) -> tuple[str, ...]:
        """Return the marks of a way that a group has, up to the first of `to` that it has."""
        end = self.first(group, to)
        chain = [mark for mark in through if mark in self.marks[group]]
        return tuple(chain[: chain.index(end) + 1]) if end in chain else ()

    def pooled(self, subject: str, rule: KpiDeclaration) -> tuple[int, ...]:
        """Return the sources whose consignments a time of a zone, or of all, is of: those that can have it."""
        assert rule.time is not None  # noqa: S101  nothing else is pooled
        asked = [[rule.time.from_], rule.time.to, *([rule.having] if rule.having else [])]
        return tuple(
            source
            for source in self.zones.get(subject, ())
            if all(not self.own_marks[source].isdisjoint(marks) for marks in asked)
        )


def scopes_of(plan: Plan) -> Scopes:
    """Return the scopes of a plan."""
    names = plan.names
    groups = _groups(names)
    groups_of: dict[str, list[str]] = {}
    for name, sources in groups.items():
        for source in sources:
            groups_of.setdefault(names.sources[source], []).append(name)
    marks: dict[str, set[str]] = {name: set() for name in groups}
    own: dict[str, set[str]] = {name: set() for name in names.sources}
    for mark in names.marks:
        own[mark.entry].add(mark.name)
        for name in groups_of[mark.entry]:
            marks[name].add(mark.name)
    steps: dict[str, list[int]] = {}
    interruptions: dict[str, list[int]] = {}
    places = gate_directions(names)
    lanes: dict[str, list[int]] = {place: [] for place in sorted(places)}
    for number, step in enumerate(names.steps):
        if step.is_leave:
            continue
        found, path = (interruptions, step.path[:-1]) if step.is_interruption else (steps, step.path)
        for name in groups_of[step.entry]:
            found.setdefault(f"{name}.{'.'.join(path)}", []).append(number)
        if step.is_kept or step.is_interruption:
            continue  # what is kept after its block has no wait of its own
        for place in {str(names.resources[resource]) for resource in step.resources} & places:
            lanes[place].append(number)
    return Scopes(
        groups=groups,
        flows={name: frozenset(names.source_flows[row] for row in rows) for name, rows in groups.items()},
        marks={name: frozenset(made) for name, made in marks.items()},
        steps={name: tuple(rows) for name, rows in steps.items()},
        interruptions={name: tuple(rows) for name, rows in interruptions.items()},
        lanes={name: tuple(rows) for name, rows in lanes.items()},
        truths=tuple(sorted({mark.truth for mark in names.marks if mark.truth})),
        limited=tuple(
            row for row in range(len(plan.resources)) if plan.most_units(row) < UNLIMITED or row in plan.stocks
        ),
        zones=_zones(names),
        own_marks=tuple(frozenset(own[name]) for name in names.sources),
    )


def gate_directions(names: Names) -> set[str]:
    """Return the places at which tokens begin the passage of a gate, as the library says what that is."""
    passage = load_catalogue().passage
    return {mark.place for mark in names.marks if passage is not None and mark.name == passage.from_}


def _zones(names: Names) -> dict[str, tuple[int, ...]]:
    passage = load_catalogue().passage
    rows = {name: row for row, name in enumerate(names.sources)}
    found: dict[str, set[int]] = {}
    for mark in names.marks:
        if passage is not None and mark.name == passage.from_ and mark.place:
            for subject in (mark.place.partition(".")[0], EVERYTHING):
                found.setdefault(subject, set()).add(rows[mark.entry])
    return {name: tuple(sorted(own)) for name, own in found.items()}


def _groups(names: Names) -> dict[str, tuple[int, ...]]:
    groups: dict[str, list[int]] = {}
    for called in (names.source_flows, names.source_groups):
        found: dict[str, list[int]] = {}
        for source, name in enumerate(called):
            found.setdefault(name, []).append(source)
        groups |= found  # an entry that is called like its flow is the only one that uses it
    return {name: tuple(sources) for name, sources in groups.items()}
