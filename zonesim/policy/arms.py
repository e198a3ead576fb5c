"""
Arms: the baseline regime, and the regime with measures.

A practice that everybody follows everywhere is edited into the flows. One that only some follow (a share, in some
zones, from some date on) gives the steps that it edits two editions; a token takes the one that its adoption flag says.
A measure never lowers the share that a regime already has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from zonesim.faults import Faults, MeasureConflict, ScenarioFault
from zonesim.policy.adoption import PracticeUse, practice_uses
from zonesim.policy.arm import Arm, choice_faults, settle_params, start_of
from zonesim.policy.conflicts import Claim, check_conflicts, in_order
from zonesim.policy.edits import Change, Request, apply, dotted, targets
from zonesim.policy.futures import Met, meet
from zonesim.policy.loading import measures_in_force
from zonesim.policy.readers import told_to_reader
from zonesim.policy.regimes import enter
from zonesim.policy.resolved_tree import USES, ResolvedTree
from zonesim.scenario import Catalogue, Flow, Measure, Path_, Scenario, load_catalogue


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

    `world` is what those meet who follow only what everybody follows everywhere; `scenario` is checked from it.
    """

    arm: Arm
    world: ResolvedTree
    scenario: Scenario
    uses: dict[str, PracticeUse]
    """Every practice of the library by `measure.practice`, with the share that follows it in this arm."""
    edits: dict[str, list[Request]]
    """By key of a flow: the edits of it by practices, in the order in which they act."""
    phases: list[tuple[int, Scenario]] = field(default_factory=list)
    """From when on (ms) zones are as in which scenario, after the first one; in order."""
    changes: list[Change] = field(default_factory=list)
    upgrades: tuple[Upgrade, ...] = ()
    """Changes of class by the practices that somebody follows."""
    warnings: list[str] = field(default_factory=list)
    """What is allowed but odd: parameters outside the bounds that the library gives them."""
    met: Met = field(default_factory=Met)
    """The future that holds in every arm, and what it changed."""
    touched: frozenset[Path_] = frozenset()
    """What the regime, the future, the measures and what they made others do again mean to change."""
    _pristine: ResolvedTree | None = None
    _editions: dict[tuple[str, frozenset[str]], Flow] = field(default_factory=dict)
    _bare: dict[str, Flow] = field(default_factory=dict)

    @property
    def shares(self) -> dict[str, float]:
        """Return every practice with the largest share that follows it in a modelled zone at the end of the run."""
        return {name: use.share for name, use in self.uses.items()}

    @cached_property
    def partial(self) -> tuple[PracticeUse, ...]:
        """Return the practices that some follow and some do not: by share, zone or time of arrival."""
        return tuple(use for use in self.uses.values() if use.followed and not use.everywhere)

    def touching(self, flow: str) -> tuple[PracticeUse, ...]:
        """Return the partly followed practices that edit the flow with this key."""
        return tuple(use for use in self.partial if self._known(flow) in use.flows)

    def edits_of(self, flow: str) -> dict[str, tuple[Path_, ...]]:
        """Return what each practice names in its edits of the flow with this key (see `Request.below_flow`)."""
        found: dict[str, tuple[Path_, ...]] = {}
        for request in self.edits.get(self._known(flow), ()):
            found[request.by] = (*found.get(request.by, ()), request.below_flow)
        return found

    def _known(self, key: str) -> str:
        """Return the key of a flow; an entry without a copy of its own walks the flow that it names."""
        entry = key.removeprefix("traffic.")
        return self.world.flow_key(entry) if entry != key and entry in self.world.tree["traffic"] else key

    def flow(self, key: str, adopted: frozenset[str] = frozenset()) -> Flow:
        """
        Return a flow as a token walks it that follows the partial practices in `adopted`.

        `key` is the name of a flow, or `traffic.ENTRY` for an entry's own copy. Raises Faults.
        """
        key = self._known(key)
        adopted &= {use.name for use in self.touching(key)}
        if (key, adopted) not in self._editions:
            if adopted and self._pristine is not None:
                followed = adopted | {name for name, use in self.uses.items() if use.everywhere}
                requests = [request for request in self.edits[key] if request.by in followed]
                self._editions[key, adopted] = _edition(self._pristine, key, requests)
            else:
                self._editions[key, adopted] = self.world.flow(key)
        return self._editions[key, adopted]

    def bare_flow(self, key: str) -> Flow:
        """Return a flow, by its key, as it is where nobody follows any practice; raises Faults."""
        key = self._known(key)
        if key not in self._bare:
            self._bare[key] = self.worlds[1].flow(key)
        return self._bare[key]

    def flows(self, adopted: frozenset[str] = frozenset()) -> dict[str, Flow]:
        """Return all flows as such a token walks them; raises Faults."""
        return {key: self.flow(key, adopted) for key in self.world.flow_keys()}

    def check_flows(self) -> None:
        """Raise Faults unless every flow is right, whichever of the practices that edit it a token follows."""
        for key in self.world.flow_keys():
            names = [use.name for use in self.touching(key)]
            for adopted in [(), *((name,) for name in names), tuple(names)]:
                self.flow(key, frozenset(adopted))

    @property
    def worlds(self) -> tuple[ResolvedTree, ResolvedTree]:
        """Return the world, and that in which nobody follows any practice."""
        return self.world, self._pristine or self.world

    def fork(self, paths: Sequence[Path_]) -> ResolvedArm:
        """
        Return the same arm in worlds in which the values at `paths` can be replaced; of the checked flows it has those
        that none of the paths leads into.
        """
        changed = {path[:2] for path in paths if path[0] in {"library", "flows", USES}}
        if not changed:
            return replace(self, world=self.world.copy())
        world, pristine = (own.copy() for own in self.worlds)
        editions = {known: flow for known, flow in self._editions.items() if world.flow_path(known[0]) not in changed}
        bare = {key: flow for key, flow in self._bare.items() if world.flow_path(key) not in changed}
        return replace(self, world=world, _pristine=pristine, _editions=editions, _bare=bare)


_EDITIONS: Final[dict[tuple[object, ...], tuple[object, Flow]]] = {}
"""Editions that were made before, by the texts of flow and edits, which nobody changes; these are kept with them."""

_MOST_EDITIONS: Final = 2000


def _edition(world: ResolvedTree, key: str, requests: Sequence[Request]) -> Flow:
    """Return a flow of a world after some edits; raises Faults."""
    path = world.flow_path(key)
    if path[0] == USES:  # what edits mean there depends on other entries too
        return _edited_flow(world, key, requests)
    text = world.tree[path[0]][path[1]]
    known = (path, id(text), *((id(request.edit), repr(request.params)) for request in requests))
    if known not in _EDITIONS:
        if len(_EDITIONS) >= _MOST_EDITIONS:
            _EDITIONS.clear()
        kept = text, [request.edit for request in requests]
        _EDITIONS[known] = kept, _edited_flow(world, key, requests)
    return _EDITIONS[known][1]


def _edited_flow(world: ResolvedTree, key: str, requests: Sequence[Request]) -> Flow:
    edited = world.copy()
    apply(edited, requests, within=world.flow_path(key))
    return edited.flow(key)


def resolve(world: ResolvedTree, arm: Arm) -> ResolvedArm:
    """
    Return `arm` made concrete in `world` (which stays as it is).

    Raises Faults: a choice that does not fit the world, an edit whose path does not exist, two measures that edit
    one value, a value that is wrong after the edit.
    """
    catalogue = load_catalogue()
    world = world.copy()
    try:
        return _resolved(world, arm, catalogue)
    except ScenarioFault as found:
        raise told_to_reader(found, world, arm, catalogue) from None


def _resolved(world: ResolvedTree, arm: Arm, catalogue: Catalogue) -> ResolvedArm:
    touched = {change.path for change in enter(world, catalogue)}
    met = meet(world, catalogue)
    touched |= {change.path for change in met.changes}
    if faults := choice_faults(world, arm, catalogue):
        raise Faults(faults)
    warnings = settle_params(world, arm, catalogue)
    world.scenario()
    uses = practice_uses(world, arm, catalogue)
    measures = in_order(catalogue)
    requests = [request for measure in measures for request in _requests(world, arm, measure, uses, catalogue)]
    warnings += filter(None, [met.warning(world, requests)])
    _give_copies(world, requests)
    claims = check_conflicts(world, requests, lambda one, other: _ever_together(uses, one, other))
    uses, edits = _edited(world, uses, claims)
    for_everybody = _zone_edits(arm, world, requests)
    changes = apply(world, for_everybody.get(0, []))
    pristine = world.copy()
    full = [request for request in requests if request.by in uses and uses[request.by].everywhere]
    changes += apply(world, full)
    resolved = ResolvedArm(arm, world, world.scenario(), uses, edits, warnings=warnings, met=met, _pristine=pristine)
    partly = {use.name for use in resolved.partial}
    resolved.changes = changes + apply(world.copy(), [request for request in requests if request.by in partly])
    resolved.upgrades = _upgrades(uses, catalogue)
    resolved.phases, later = _phases(pristine, arm, for_everybody)
    resolved.changes += later
    touched |= {path for path, _ in claims} | {change.path for change in resolved.changes}
    resolved.touched = frozenset(touched)
    resolved.check_flows()
    return resolved


def _requests(
    world: ResolvedTree, arm: Arm, measure: Measure, uses: Mapping[str, PracticeUse], catalogue: Catalogue
) -> list[Request]:
    """Return the edits of a measure that act in this arm: of practices that somebody follows, and of zones."""
    document = catalogue.documents[measure.name]
    params = tuple(world.tree["measures"][measure.name].items())
    found: list[Request] = []
    for key, practice in measure.practices.items():
        use = uses[f"{measure.name}.{key}"]
        if not use.followed:
            continue
        for position, edit in enumerate(practice.edits):
            place = document.place(("practices", key, "edits", str(position)))
            found.append(Request(edit, use.name, place, params, tuple(measure.after)))
    chosen = arm.chosen(measure.name)
    in_force = chosen is not None or measure.name in measures_in_force(world, catalogue)
    for position, edit in enumerate(measure.zone_edits if in_force else ()):
        place = document.place(("zone_edits", str(position)))
        zones = chosen.zones if chosen is not None else ()
        found.append(Request(edit, measure.name, place, params, tuple(measure.after), zones))
    return found


def _give_copies(world: ResolvedTree, requests: Sequence[Request]) -> None:
    """Give traffic entries whose flow is edited for them alone a copy of it, so that all edits of it meet there."""
    for request in requests:
        if request.edit.path.startswith("traffic."):
            with suppress(ScenarioFault):  # a path that does not exist is a fault where it is carried out
                for path in targets(world, request):
                    if path[0] == USES:
                        world.own_flow(path[1])


def _ever_together(uses: Mapping[str, PracticeUse], one: Request, other: Request) -> bool:
    """Return whether anybody ever meets both edits: practices that are followed in different zones do not meet."""
    first, second = uses.get(one.by), uses.get(other.by)
    if first is None or second is None or not first.by_zone:
        return True
    return any(not own.never and not second.at(zone).never for zone, own in first.by_zone if zone in first.modelled)


def _edited(
    world: ResolvedTree, uses: Mapping[str, PracticeUse], claims: Sequence[Claim]
) -> tuple[dict[str, PracticeUse], dict[str, list[Request]]]:
    """Return the practices with the flows that they edit, and the edits by flow; raises Faults if one edits else."""
    keys = {world.flow_path(key): key for key in world.flow_keys()}
    touched: dict[str, set[str]] = {}
    edits: dict[str, list[Request]] = {}
    for path, request in claims:
        if request.by not in uses:
            continue
        if path[0] not in {"library", "flows", USES}:
            fault = f"practice '{request.by}' edits '{request.edit.path}', which holds for everybody"
            raise Faults([ScenarioFault(fault, request.place, "Move it to `zone_edits`.")])
        key = keys.get(path[:2])
        if key is not None:
            touched.setdefault(request.by, set()).add(key)
            if request not in edits.setdefault(key, []):
                edits[key].append(request)
    found = {name: replace(use, flows=frozenset(touched.get(name, ()))) for name, use in uses.items()}
    return found, edits


# --- what holds for everybody in a zone


def _start(arm: Arm, world: ResolvedTree, request: Request) -> int:
    chosen = arm.chosen(request.by)
    return start_of(world, chosen, arm) if chosen is not None else 0


def _zone_edits(arm: Arm, world: ResolvedTree, requests: Sequence[Request]) -> dict[int, list[Request]]:
    """Return the edits that hold for everybody by the time from which they hold."""
    found: dict[int, list[Request]] = {}
    for request in requests:
        if "." not in request.by:
            found.setdefault(_start(arm, world, request), []).append(request)
    return found


def _phases(
    pristine: ResolvedTree, arm: Arm, edits: Mapping[int, Sequence[Request]]
) -> tuple[list[tuple[int, Scenario]], list[Change]]:
    """Return the scenarios whose zones hold from later starts on, and what changes then; raises Faults."""
    world = pristine.copy()
    phases: list[tuple[int, Scenario]] = []
    changes: list[Change] = []
    faults: list[ScenarioFault] = []
    for start in sorted(edits):
        if start <= 0:
            continue
        for request in edits[start]:
            others = [path for path in targets(world, request) if not _is_capacity(path)]
            if others:
                chosen = arm.chosen(request.by)
                since = chosen.start if chosen is not None else ""
                fault = f"{request.who} edits '{dotted(others[0])}' from {since} on"
                remedy = "With a start, `zone_edits` change `units` and `open` of resources only."
                faults.append(ScenarioFault(fault, request.place, remedy))
        if not faults:
            changes += apply(world, edits[start])
            phases.append((start, world.scenario()))
    if faults:
        raise Faults(faults)
    return phases, changes


def _is_capacity(path: Path_) -> bool:
    return len(path) >= 4 and path[0] == "zones" and path[3] in {"units", "open"}  # noqa: PLR2004  or in a table


def _upgrades(uses: Mapping[str, PracticeUse], catalogue: Catalogue) -> tuple[Upgrade, ...]:
    """Return the changes of class by practices with a share; raises Faults when two give one class different ones."""
    found: list[Upgrade] = []
    faults: list[ScenarioFault] = []
    for measure in catalogue.measures.values():
        for key, practice in measure.practices.items():
            use = uses[f"{measure.name}.{key}"]
            for old, new in practice.sets_class.items() if use.followed else ():
                other = next((each for each in found if each.old == old and each.new != new), None)
                if other is not None:
                    place = catalogue.documents[measure.name].place(("practices", key, "sets_class", old))
                    fault = f"practices '{other.practice}' and '{use.name}' both set the class of '{old}'"
                    faults.append(MeasureConflict(fault, place, "Leave one of the measures out."))
                found.append(Upgrade(use.name, old, new))
    if faults:
        raise Faults(faults)
    return tuple(found)
