"""Who follows a practice: the share of adopters by zone and over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from zonesim import units
from zonesim.faults import Faults, ScenarioFault, UnknownName, suggest
from zonesim.policy.arm import Arm, start_of
from zonesim.policy.loading import measures_in_force
from zonesim.policy.resolved_tree import ResolvedTree, by_zone
from zonesim.scenario import Catalogue, Practice
from zonesim.scenario.fields import mode_of

ALL_ZONES: Final = "all"
"""Stands for every zone that is not named."""


@dataclass(frozen=True)
class Following:
    """The share that follows a practice: `before` and, for tokens that arrive at or after `start` (ms), `after`."""

    before: float
    after: float
    start: int = 0

    @property
    def always(self) -> bool:
        """Return whether everybody follows it during the whole run."""
        return min(self.before, self.after) >= 1

    @property
    def never(self) -> bool:
        """Return whether nobody ever follows it."""
        return max(self.before, self.after) <= 0

    def implies(self, other: Following) -> bool:
        """Return whether everybody in it is in `other` too, when both are taken in one order of adopters."""
        return self.before <= other.before and self.after <= other.after


def following(before: float, after: float, start: int) -> Following:
    """Return the share over the run in its one form: what does not change has no start."""
    if start <= 0:
        before = after
    return Following(before, after, start if before != after else 0)


@dataclass(frozen=True)
class PracticeUse:
    """
    A practice that somebody follows.

    `flows` are the keys of the flows that it edits; `by_zone` the share of every zone, `elsewhere` that of a call which
    is in no zone; `modelled` the zones that are not `outside: true`.
    """

    name: str
    of: str
    flows: frozenset[str]
    by_zone: tuple[tuple[str, Following], ...]
    elsewhere: Following
    modelled: frozenset[str]
    start: str = ""
    """The date of the start, when there is one."""

    @property
    def measure(self) -> str:
        """Return the measure it belongs to; firms adopt all practices of a measure in one order."""
        return self.name.partition(".")[0]

    @property
    def followed(self) -> bool:
        """Return whether anybody ever follows it."""
        return not self.elsewhere.never or any(not own.never for _, own in self.by_zone)

    @property
    def everywhere(self) -> bool:
        """Return whether everybody follows it in every zone during the whole run."""
        return self.elsewhere.always and all(own.always for _, own in self.by_zone)

    @property
    def share(self) -> float:
        """Return the largest share that follows it in a modelled zone at the end of the run."""
        return max((own.after for zone, own in self.by_zone if zone in self.modelled), default=self.elsewhere.after)

    def at(self, zone: str) -> Following:
        """Return the share in a zone."""
        return dict(self.by_zone).get(zone, self.elsewhere)

    def within(self, zones: Sequence[str]) -> Following:
        """Return the share for what happens in all of `zones`: who is in follows it in each."""
        if not zones:
            return self.elsewhere
        all_of = [self.at(zone) for zone in zones]
        return following(
            min(own.before for own in all_of), min(own.after for own in all_of), max(own.start for own in all_of)
        )

    def words(self) -> str:
        """Return who follows it: `90 %`, `90 % from 2018-10-08 (before: 20 %)`, `SIP 90 %, others 0 %`."""
        zones = {zone: own for zone, own in self.by_zone if zone in self.modelled}
        if len(set(zones.values())) <= 1:
            return self._said(next(iter(zones.values()), self.elsewhere))
        common = max(set(zones.values()), key=lambda own: (list(zones.values()).count(own), -own.after))
        apart = [f"{zone} {self._said(own)}" for zone, own in zones.items() if own != common]
        return ", ".join([*apart, f"others {self._said(common)}"])

    def _said(self, own: Following) -> str:
        now = f"{100 * own.after:.3g} %"
        return f"{now} from {self.start} (before: {100 * own.before:.3g} %)" if own.start else now


def practice_uses(world: ResolvedTree, arm: Arm, catalogue: Catalogue) -> dict[str, PracticeUse]:
    """
    Return every practice of the library with the share that follows it in this arm, by `measure.practice`.

    The regime's share, by zone where the scenario says so, is raised to what the regime's own measures ask for, and to
    the measure's where the arm chooses it, from its start on and in its zones (and in zones outside the model, which
    limit nothing). The flows are not filled in.
    Raises Faults.
    """
    faults = _unknown_names(world, catalogue)
    if faults:
        raise Faults(faults)
    already = measures_in_force(world, catalogue)
    uses: dict[str, PracticeUse] = {}
    for measure in catalogue.measures.values():
        usual = {name: param.default for name, param in measure.params.items()}
        for key, practice in measure.practices.items():
            try:
                least = _target(world, usual, measure.name, key, practice) if measure.name in already else 0.0
                uses[f"{measure.name}.{key}"] = _use(world, arm, measure.name, key, practice, least)
            except ScenarioFault as fault:
                faults += fault.faults if isinstance(fault, Faults) else [fault]
    if faults:
        raise Faults(faults)
    return uses


def _use(world: ResolvedTree, arm: Arm, measure: str, key: str, practice: Practice, least: float) -> PracticeUse:
    zones: Mapping[str, Any] = world.tree.get("zones", {})
    modelled = frozenset(zone for zone, own in zones.items() if not own.get("outside"))
    written = world.tree.get("adopted", {}).get(measure, {}).get(key, "0 %")
    shares = written if by_zone(written) else {ALL_ZONES: written}
    chosen = arm.chosen(measure)
    params: Mapping[str, Any] = world.tree["measures"][measure]
    target = _target(world, params, measure, key, practice) if chosen is not None else 0.0
    start = start_of(world, chosen, arm) if chosen is not None else 0

    def own(zone: str) -> Following:
        base = max(units.parse_share(mode_of(shares.get(zone, shares.get(ALL_ZONES, "0 %")))), least)
        limited = chosen is None or (chosen.zones and zone in modelled and zone not in chosen.zones)
        return following(base, base if limited else max(base, target), start)

    found = tuple((zone, own(zone)) for zone in zones)
    inside = [each for zone, each in found if zone in modelled]
    base = max(units.parse_share(mode_of(shares.get(ALL_ZONES, "0 %"))), least)
    elsewhere = following(base, max(base, target), start)
    if inside:
        elsewhere = following(
            min(each.before for each in inside), min(each.after for each in inside), max(each.start for each in inside)
        )
    begins = chosen.start if chosen is not None and start > 0 else ""
    return PracticeUse(f"{measure}.{key}", practice.adoption.of, frozenset(), found, elsewhere, modelled, begins)


def _target(world: ResolvedTree, params: Mapping[str, Any], measure: str, key: str, practice: Practice) -> float:
    """Return the share of a practice that a measure with these parameters asks for; raises ScenarioFault."""
    wanted = practice.adoption.share
    if isinstance(wanted, str) and wanted.startswith("$"):
        wanted = params.get(wanted[1:], wanted)
    try:
        return units.parse_share(mode_of(wanted))
    except ScenarioFault as fault:
        place = world.place(("measures", measure))
        raise type(fault)(f"adoption of measure '{measure}.{key}': {fault.fault}", place, fault.remedy) from None


def _unknown_names(world: ResolvedTree, catalogue: Catalogue) -> list[ScenarioFault]:
    """Return what `adopted` names that nothing is called."""
    faults: list[ScenarioFault] = []
    zones = world.tree.get("zones", {})
    regimes = {catalogue.documents[name].file for name in catalogue.regimes}
    for name, practices in world.tree.get("adopted", {}).items():
        known = catalogue.measures.get(name)
        if known is None:
            place = world.key_place(("adopted", name))
            remedy = suggest(name, catalogue.measures, "measures")
            faults.append(UnknownName(f"no measure '{name}' in the library", place, remedy))
            continue
        for key, share in practices.items():
            if key not in known.practices:
                place = world.key_place(("adopted", name, key))
                remedy = suggest(key, known.practices, "practices")
                faults.append(UnknownName(f"measure '{name}' has no practice '{key}'", place, remedy))
            for zone in share if by_zone(share) else ():
                place = world.key_place(("adopted", name, key, zone))
                if zone not in zones and zone != ALL_ZONES and place.file not in regimes:
                    remedy = suggest(zone, [*zones, ALL_ZONES], "zones")
                    faults.append(UnknownName(f"no zone '{zone}' in the scenario", place, remedy))
    return faults
