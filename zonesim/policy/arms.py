"""
Arms: the baseline regime, and the regime with measures.

A practice that everybody follows is edited into the flows. One that only a share follows gives its flow two
editions; a token walks the one that its adoption flag says. A measure never lowers the share that a regime already
has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from zonesim import units
from zonesim.faults import Faults, MeasureConflict, ScenarioFault, UnknownName, suggest
from zonesim.policy.chosen import Arm, choice_faults, settle_params
from zonesim.policy.edits import Change, Request, apply, check_conflicts, targets
from zonesim.policy.regimes import enter
from zonesim.policy.world import World
from zonesim.scenario import Catalogue, Edit, Flow, Measure, Scenario, load_catalogue
from zonesim.scenario.fields import mode_of


@dataclass(frozen=True)
class PracticeUse:
    """A practice followed by a share strictly between 0 and 1, and the flows that it edits."""

    name: str
    share: float
    of: str
    flows: frozenset[str]

    @property
    def measure(self) -> str:
        """Return the measure it belongs to; firms adopt all practices of a measure in one order."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Upgrade:
    """A practice gives its adopters of class `old` what class `new` gets."""

    practice: str
    old: str
    new: str

    @property
    def name(self) -> str:
        """Return the name of the class of such tokens: neither `old` nor `new`, for truths stay those of `old`."""
        return f"{self.old}>{self.new}"


@dataclass
class ResolvedArm:
    """
    An arm made concrete: the checked scenario, the flows for any set of adopted practices, and the log of changes.
    """

    arm: Arm
    world: World
    scenario: Scenario
    partial: tuple[PracticeUse, ...]
    requests: dict[str, tuple[Request, ...]]
    changes: list[Change] = field(default_factory=list)
    shares: dict[str, float] = field(default_factory=dict)
    """Every practice of the library with the share that follows it in this arm."""
    upgrades: tuple[Upgrade, ...] = ()
    """Changes of class by the practices that somebody follows."""
    warnings: list[str] = field(default_factory=list)
    """What is allowed but odd: parameters outside the bounds that the library gives them."""
    _flows: dict[frozenset[str], dict[str, Flow]] = field(default_factory=dict)
    _worlds: dict[frozenset[str], World] = field(default_factory=dict)

    def touching(self, flow: str) -> tuple[PracticeUse, ...]:
        """Return the partly followed practices that edit `flow`."""
        return tuple(use for use in self.partial if flow in use.flows)

    def world_for(self, adopted: frozenset[str]) -> World:
        """Return the world as a token sees it that follows the partial practices in `adopted`."""
        if adopted not in self._worlds:
            world = self.world.copy() if adopted else self.world
            if adopted:
                apply(
                    world,
                    [request for use in self.partial if use.name in adopted for request in self.requests[use.name]],
                )
            self._worlds[adopted] = world
        return self._worlds[adopted]

    def flows(self, adopted: frozenset[str] = frozenset()) -> dict[str, Flow]:
        """Return the checked flows of that world; raises Faults."""
        if adopted not in self._flows:
            self._flows[adopted] = self.world_for(adopted).flows()
        return self._flows[adopted]


def resolve(world: World, arm: Arm) -> ResolvedArm:
    """
    Return `arm` made concrete in `world` (which stays as it is).

    Raises Faults: a choice that does not fit the world, an edit whose path does not exist, two measures that edit
    one value, a value that is wrong after the edit.
    """
    catalogue = load_catalogue()
    world = world.copy()
    enter(world, catalogue)
    if faults := choice_faults(world, arm, catalogue):
        raise Faults(faults)
    warnings = settle_params(world, arm, catalogue)
    scenario = world.scenario()
    shares, uses = _adoption(world, scenario, arm, catalogue)
    everyone: list[Request] = []
    by_practice: dict[str, tuple[Request, ...]] = {}
    for measure in catalogue.measures.values():
        params = tuple(world.tree["measures"][measure.name].items())
        for key, practice in measure.practices.items():
            name = f"{measure.name}.{key}"
            if shares[name] > 0:
                edits = _requests(practice.edits, name, measure, ("practices", key, "edits"), params, catalogue)
                by_practice[name] = tuple(edits)
        if arm.chosen(measure.name) is not None:
            everyone += _requests(measure.zone_edits, measure.name, measure, ("zone_edits",), params, catalogue)
    ordered = [request for name in by_practice for request in by_practice[name]]
    check_conflicts(world, [*ordered, *everyone])
    partial = tuple(
        PracticeUse(name, shares[name], uses[name], _edited_flows(world, requests))
        for name, requests in by_practice.items()
        if shares[name] < 1
    )
    full = [request for name in by_practice if shares[name] >= 1 for request in by_practice[name]]
    changes = apply(world, [*full, *everyone])
    upgrades = _upgrades(shares, catalogue)
    resolved = ResolvedArm(arm, world, world.scenario(), partial, by_practice, changes, shares, upgrades, warnings)
    for use in partial:
        shadow = world.copy()
        changes += apply(shadow, list(by_practice[use.name]))
    for size in range(len(partial) + 1):
        for subset in combinations([use.name for use in partial], size):
            if not subset or any(
                set(subset) <= {use.name for use in resolved.touching(flow)} for flow in _all_flows(world)
            ):
                resolved.flows(frozenset(subset))
    return resolved


def _upgrades(shares: Mapping[str, float], catalogue: Catalogue) -> tuple[Upgrade, ...]:
    """Return the changes of class by practices with a share; raises Faults when two give one class different ones."""
    found: list[Upgrade] = []
    faults: list[ScenarioFault] = []
    for measure in catalogue.measures.values():
        for key, practice in measure.practices.items():
            name = f"{measure.name}.{key}"
            for old, new in practice.sets_class.items() if shares[name] > 0 else ():
                other = next((each for each in found if each.old == old and each.new != new), None)
                if other is not None:
                    place = catalogue.documents[measure.name].place(("practices", key, "sets_class", old))
                    fault = f"practices '{other.practice}' and '{name}' both set the class of '{old}'"
                    faults.append(MeasureConflict(fault, place, "Leave one of the measures out."))
                found.append(Upgrade(name, old, new))
    if faults:
        raise Faults(faults)
    return tuple(found)


def _all_flows(world: World) -> list[str]:
    return [*world.tree.get("library", {}), *world.tree.get("flows", {})]


def _adoption(
    world: World, scenario: Scenario, arm: Arm, catalogue: Catalogue
) -> tuple[dict[str, float], dict[str, str]]:
    """Return the share of every practice in this arm, and of what it is a share."""
    faults: list[ScenarioFault] = []
    shares: dict[str, float] = {}
    uses: dict[str, str] = {}
    for measure in catalogue.measures.values():
        params: dict[str, Any] = world.tree["measures"][measure.name]
        for key, practice in measure.practices.items():
            name = f"{measure.name}.{key}"
            share = units.parse_share(mode_of(scenario.adopted.get(measure.name, {}).get(key, "0 %")))
            if arm.chosen(measure.name) is not None:
                wanted = practice.adoption.share
                wanted = (
                    params.get(wanted[1:], wanted) if isinstance(wanted, str) and wanted.startswith("$") else wanted
                )
                try:
                    share = max(share, units.parse_share(mode_of(wanted)))
                except ScenarioFault as fault:
                    place = world.place(("measures", measure.name))
                    faults.append(type(fault)(f"adoption of measure '{name}': {fault.fault}", place, fault.remedy))
            shares[name] = share
            uses[name] = practice.adoption.of
    for name, practices in scenario.adopted.items():
        known = catalogue.measures.get(name)
        if known is None:
            place = world.key_place(("adopted", name))
            faults.append(
                UnknownName(f"no measure '{name}' in the library", place, suggest(name, catalogue.measures, "measures"))
            )
            continue
        for key in practices:
            if key not in known.practices:
                place = world.key_place(("adopted", name, key))
                remedy = suggest(key, known.practices, "practices")
                faults.append(UnknownName(f"measure '{name}' has no practice '{key}'", place, remedy))
    if faults:
        raise Faults(faults)
    return shares, uses


def _requests(
    edits: Sequence[Edit],
    name: str,
    measure: Measure,
    at: tuple[str, ...],
    params: tuple[tuple[str, Any], ...],
    catalogue: Catalogue,
) -> list[Request]:
    document = catalogue.documents[measure.name]
    return [
        Request(edit, name, document.place((*at, str(position))), params, tuple(measure.after))
        for position, edit in enumerate(edits)
    ]


def _edited_flows(world: World, requests: Sequence[Request]) -> frozenset[str]:
    """Return the flows that a practice edits; raises Faults if it edits anything else."""
    flows: set[str] = set()
    for request in requests:
        for path in targets(world, request):
            if path[0] not in {"library", "flows"}:
                fault = f"practice '{request.by}' edits '{request.edit.path}', which holds for everybody"
                raise Faults([ScenarioFault(fault, request.place, "Move it to `zone_edits`.")])
            flows.add(path[1])
    return frozenset(flows)
