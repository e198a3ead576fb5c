"""What tokens may be: their classes, those that practices make of them, and the values of their attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from zonesim import units
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.limits import MOST_COMBINATIONS
from zonesim.plan.classes import Classes
from zonesim.plan.reach import Reach
from zonesim.plan.tables import Collector
from zonesim.plan.traces import Traces
from zonesim.policy import Firm, ResolvedArm
from zonesim.scenario import Path_
from zonesim.scenario.fields import CLASS, EVERYTHING, mode_of
from zonesim.scenario.models import Traffic
from zonesim.scenario.traces import TraceRows

Value = TypeVar("Value")

CREDIT: Final = ("firms", "credit")
"""Where in the world the classes of firms are written."""

NO_CLASS = ""
"""Class of tokens that have none; it is class 0."""

Possible = Mapping[str, frozenset[str]]
"""The values that tokens may have, by attribute, the class among them."""


def diagonal(rows: Sequence[Sequence[Value]]) -> list[Value]:
    """Return of each combination's row its own value."""
    return [row[number] for number, row in enumerate(rows)]


class TokenClasses:
    """
    The classes and attributes of all tokens: `classes` numbers their combinations, `upgrades` are the practices that
    give those who follow them another class, `upgraded` the classes that these make, by name. Faults go to `faults`.
    """

    def __init__(
        self, arm: ResolvedArm, firms: Sequence[Firm], reach: Reach, traces: Traces, faults: Collector
    ) -> None:
        self.arm = arm
        self.scenario = arm.scenario
        self.firms = firms
        self.reach = reach
        self.traces = traces
        self.faults = faults
        classes = self._all_classes()
        self.upgrades = [each for each in arm.upgrades if each.old in classes]
        self.upgraded = {each.name: each for each in self.upgrades}
        self.classes = Classes([*classes, *self.upgraded], self._all_attributes())
        if len(self.classes) > MOST_COMBINATIONS:
            fault = f"{len(self.classes)} combinations of class and attributes, more than {MOST_COMBINATIONS}"
            remedy = "Leave out an attribute, or put values together."
            self.faults.add(ScenarioFault(fault, arm.world.place(("attributes",)), remedy))

    def _all_classes(self) -> list[str]:
        names = [NO_CLASS]
        if self.scenario.firms:
            names += list(self.scenario.firms.credit)
        for entry in self.scenario.traffic.values():
            names += [entry.class_] if entry.class_ else list(entry.classes or ())
        names += self.traces.classes()
        if EVERYTHING in names:
            fault = f"a class called '{EVERYTHING}', which stands for every class that is not named"
            self.faults.add(ScenarioFault(fault, self._place_of_class(EVERYTHING), "Choose another name."))
        return list(dict.fromkeys(names))

    def _place_of_class(self, name: str) -> Place:
        """Return where a class is named first: as one of the firms, or of an entry of the traffic."""
        world = self.arm.world
        entries = self.scenario.traffic
        keys: list[Path_] = [("firms", "credit", name), *(("traffic", entry, "classes", name) for entry in entries)]
        for path in keys:
            if path in world.keys:
                return world.keys[path]
        given = [("traffic", entry, "class") for entry, each in entries.items() if each.class_ == name]
        return world.place(given[0] if given else ("traffic",))

    def parties_of(self, entry: Traffic) -> int:
        """Return how many firms a consignment of this entry belongs to."""
        if entry.parties is not None:
            return entry.parties if self.firms else 0
        column = entry.trace.class_ if entry.trace is not None else None
        return 1 if self.firms and entry.class_ is None and entry.classes is None and column is None else 0

    def _rows_of(self, entry: Traffic) -> TraceRows:
        return next(self.traces.rows[name] for name, own in self.scenario.traffic.items() if own is entry)

    def _all_attributes(self) -> dict[str, list[str]]:
        """Return the values of each attribute: those that the scenario declares, and those that logs name."""
        found = {name: list(own.shares()) for name, own in self.scenario.attributes.items()}
        for entry, each in self.scenario.traffic.items():
            base = ("traffic", entry)
            for name, mix in each.attributes.items():
                place = self.arm.world.key_place((*base, "attributes", name))
                if self._is_attribute(name, place):
                    for value in mix if isinstance(mix, dict) else [mix]:
                        if value not in found[name]:
                            fault = f"'{name}' has no value '{value}'"
                            self.faults.add(UnknownName(fault, place, suggest(value, found[name], "values")))
            for name in each.trace.attributes if each.trace is not None else ():
                if self._is_attribute(name, self.arm.world.key_place((*base, "trace", "attributes", name))):
                    found[name] += [value for value in self.traces.values(entry, name) if value not in found[name]]
        return found

    def _is_attribute(self, name: str, place: Place) -> bool:
        """Return whether an attribute is declared, with a fault where it is not."""
        known = self.scenario.attributes
        if name not in known:
            remedy = suggest(name, known, "attributes") if known else "Declare it under `attributes` of the scenario."
            self.faults.add(UnknownName(f"no attribute '{name}'", place, remedy))
        return name in known

    def possible_of(self, entry: Traffic) -> Possible:
        """Return what consignments of this entry can be and become: practices and steps give them other values too."""
        given = self.reach.of(entry.flow).gives
        found: dict[str, frozenset[str]] = {}
        for attribute, values in self.classes.values.items():
            own = self._given(entry, attribute)
            if attribute == CLASS:
                own |= {name for name, each in self.upgraded.items() if each.old in own}
            found[attribute] = own | {value for value in given.get(attribute, ()) if value in values}
        return found

    def acts_as(self, name: str) -> str:
        """Return the class whose shares, times and priorities hold for class `name`: itself, but for upgraded ones."""
        return self.upgraded[name].new if name in self.upgraded else name

    def _given(self, entry: Traffic, attribute: str) -> frozenset[str]:
        """Return the values of an attribute with which consignments of this entry can arrive."""
        if entry.spawned:
            return self._given_by_starters(entry, attribute)
        if attribute != CLASS:
            mix = entry.attributes.get(attribute)
            if isinstance(mix, str):
                return frozenset({mix}) & frozenset(self.classes.values[attribute])
            if entry.trace is not None and attribute in entry.trace.attributes:
                return frozenset(self._rows_of(entry).attributes.get(attribute, ()))
            given = self.scenario.attributes[attribute].shares() if mix is None else mix
            some = {value for value, share in given.items() if units.parse_share(mode_of(share)) > 0}
            return frozenset(some) & frozenset(self.classes.values[attribute])
        if entry.class_ is not None:
            return frozenset({entry.class_})
        if entry.classes is not None:
            return frozenset(entry.classes)
        if entry.trace is not None and entry.trace.class_ is not None:
            return frozenset(self._rows_of(entry).classes)
        if self.parties_of(entry):
            return frozenset(firm.credit for firm in self.firms)
        return frozenset({NO_CLASS})

    def _given_by_starters(self, entry: Traffic, attribute: str) -> frozenset[str]:
        """Return the values of all who start tokens of an entry, themselves or through others that they start."""
        traffic = self.scenario.traffic
        started_by: dict[str, list[str]] = {}
        for name, each in traffic.items():
            for other in self.reach.of(each.flow).starts:
                started_by.setdefault(other, []).append(name)
        found: set[str] = set()
        pending = [name for name, each in traffic.items() if each is entry]
        seen = set(pending)
        while pending:
            for name in started_by.get(pending.pop(), ()):
                if not traffic[name].spawned:
                    found |= self.possible_of(traffic[name])[attribute]
                else:
                    given = self.reach.of(traffic[name].flow).gives.get(attribute, set())
                    found |= given & set(self.classes.values[attribute])
                    if name not in seen:
                        seen.add(name)
                        pending.append(name)
        nobody = {NO_CLASS} if attribute == CLASS else self.classes.values[attribute]
        return frozenset(found or nobody)

    def per_class(
        self,
        given: Mapping[str, Value],
        possible: Possible,
        unused: Value,
        place: Place,
        *,
        by: str = CLASS,
        truth: bool = False,
    ) -> list[Value]:
        """
        Return a value for each combination of class and attributes, `given` by one of them; `all` stands for every
        value of it that is not named.

        Upgraded classes have the value of their new class, a hidden `truth` that of the old one. Raises UnknownName for
        a class or value nobody has, ScenarioFault when one that occurs is not named.
        """
        self.known_attribute(by, place)
        known_as = {name: self._known_as(name, by, truth=truth) for name in self.classes.values[by]}
        for name in given:
            if name != EVERYTHING:
                self.known_value(by, name, place, EVERYTHING, truth=truth)
        missing = sorted(
            {known_as[name] for name in possible[by] if known_as[name] not in given and EVERYTHING not in given}
        )
        if missing:
            names = ", ".join(name or "(no class)" for name in missing)
            if by != CLASS:
                remedy = "Name every value, or add `all:`."
                raise ScenarioFault(f"nothing for '{by}' {names}", place, remedy, owner=("attributes", by))
            owner = CREDIT if self.scenario.firms and missing[0] in self.scenario.firms.credit else ()
            raise ScenarioFault(f"no value for class {names}", place, "Name every class, or add `all:`.", owner=owner)
        return [given.get(known_as[name], given.get(EVERYTHING, unused)) for name in self.classes.by_number(by)]

    def known_attribute(self, name: str, place: Place, *others: str) -> None:
        """Raise UnknownName unless tokens have an attribute of this name; `others` might be meant too."""
        if name not in self.classes.values:
            raise UnknownName(f"no attribute '{name}'", place, suggest(name, [*self.classes.values, *others]))

    def known_value(self, attribute: str, value: str, place: Place, *others: str, truth: bool = False) -> None:
        """Raise UnknownName unless an attribute has a value, or there is a class; `others` might be meant too."""
        known = [self._known_as(name, attribute, truth=truth) for name in self.classes.values[attribute]]
        if value not in known:
            named = [*filter(None, dict.fromkeys(known)), *others]
            if attribute == CLASS:
                raise UnknownName(f"no class '{value}'", place, suggest(value, named, "classes"), owner=CREDIT)
            fault, owner = f"'{attribute}' has no value '{value}'", ("attributes", attribute)
            raise UnknownName(fault, place, suggest(value, named, "values"), owner=owner)

    def _known_as(self, name: str, attribute: str, *, truth: bool) -> str:
        """Return the class or value by which what is written for it is found."""
        if attribute == CLASS and name in self.upgraded:
            return self.upgraded[name].old if truth else self.upgraded[name].new
        return name
