"""What an arm is: the measures that are chosen, each with parameters, a start and zones of its own."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from zonesim import units
from zonesim.faults import Faults, Place, ScenarioFault, UnknownName, suggest
from zonesim.policy.acting import acting
from zonesim.policy.resolved_tree import ResolvedTree
from zonesim.scenario import Catalogue, Measure, load_catalogue
from zonesim.scenario.fields import mode_of

OWN_KEYS: Final = ("start", "zones")
"""Keys of a chosen measure that are no parameters of it."""

DATE_REMEDY: Final = 'Write a date such as "2018-10-08".'


@dataclass(frozen=True)
class Chosen:
    """
    A measure in an arm.

    `params` replace the measure's defaults (`coverage: 60 %`). `start` is a date of the run: tokens that arrive at
    or after its 00:00 meet the measure (empty: from the first moment). `zones` are the zones where it is in force
    (empty: everywhere). `place` is where the choice is written, `places` where its keys are.
    """

    measure: str
    params: tuple[tuple[str, Any], ...] = ()
    start: str = ""
    zones: tuple[str, ...] = ()
    place: Place | None = field(default=None, compare=False)
    places: tuple[tuple[str, Place], ...] = field(default=(), compare=False)

    def where(self, key: str) -> Place | None:
        """Return where a key is written, else where the choice is."""
        return dict(self.places).get(key, self.place)

    def limits(self) -> str:
        """Return what sets this choice apart: `coverage 60 %, from 2018-10-08, in SIP`; "" when nothing does."""
        parts = [f"{key} {_brief(value)}" for key, value in self.params]
        parts += [f"from {self.start}"] if self.start else []
        parts += [f"in {', '.join(self.zones)}"] if self.zones else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Arm:
    """What is chosen: measures, none for the baseline. `name` is what results call it."""

    name: str
    measures: tuple[Chosen, ...] = ()

    def chosen(self, measure: str) -> Chosen | None:
        """Return the choice of a measure, None when it is not chosen."""
        return next((each for each in self.measures if each.measure == measure), None)


def _brief(value: Any) -> str:  # noqa: ANN401
    value = mode_of(value)
    return " / ".join(map(str, value)) if isinstance(value, list) else str(value)


def baseline(world: ResolvedTree) -> Arm:
    """Return the arm without measures, named after the scenario's regime."""
    return Arm(str(world.tree.get("regime", "R1")))


def find_measure(name: str, catalogue: Catalogue, place: Place) -> Measure:
    """Return a measure by its number in the plan or by its name; raises UnknownName."""
    text = name.strip()
    for measure in catalogue.measures.values():
        if text in {measure.name, measure.number}:
            return measure
    known = [measure.number for measure in catalogue.in_plan_order()]
    near = suggest(text, catalogue.measures) if not text.isdigit() else ""
    remedy = near if near.startswith("Did") else suggest(text, known, "measures")
    raise UnknownName(f"no measure '{text}' in the library", place, remedy)


def arms_for(world: ResolvedTree, names: Sequence[str] | None = None, option: str = "--measures") -> list[Arm]:
    """
    Return the arms of a comparison, baseline first.

    Without names: the baseline and all measures together that change anything which the scenario runs. With names
    (`option` is where they were given): the baseline, each measure alone, and all of them together, in the order given.
    """
    catalogue = load_catalogue()
    place = None if names is None else Place(option)
    if place is not None:
        chosen = [find_measure(name, catalogue, place) for name in names or ()]
    else:
        chosen = acting(world, catalogue)
    measures = list(dict.fromkeys(measure.name for measure in chosen))
    arms = [baseline(world)]
    if names is not None:
        arms += [Arm(catalogue.measures[name].number, (Chosen(name, place=place),)) for name in measures]
    if len(measures) > 1 or (names is None and measures):
        together = "+".join(catalogue.measures[name].number for name in measures)
        arms.append(Arm(together, tuple(Chosen(name, place=place) for name in measures)))
    return arms


# --- what can be wrong with a choice


def choice_faults(world: ResolvedTree, arm: Arm, catalogue: Catalogue) -> list[ScenarioFault]:
    """Return everything that is wrong with the choices of an arm in this world."""
    faults: list[ScenarioFault] = []
    seen: set[str] = set()
    for each in arm.measures:
        measure = catalogue.measures.get(each.measure)
        if measure is None:
            remedy = suggest(each.measure, catalogue.measures, "measures")
            faults.append(UnknownName(f"no measure '{each.measure}' in the library", _place(each, arm), remedy))
            continue
        if each.measure in seen:
            fault = f"measure '{each.measure}' stands twice in arm '{arm.name}'"
            faults.append(ScenarioFault(fault, _place(each, arm), "Keep one of them."))
        seen.add(each.measure)
        faults += _param_faults(each, arm, measure)
        faults += _zone_faults(world, each, arm)
        try:
            start_of(world, each, arm)
        except ScenarioFault as fault:
            faults.append(fault)
    return faults


def _place(chosen: Chosen, arm: Arm, key: str = "") -> Place:
    return (chosen.where(key) if key else chosen.place) or Place(f"arm '{arm.name}'")


def _param_faults(chosen: Chosen, arm: Arm, measure: Measure) -> list[ScenarioFault]:
    faults: list[ScenarioFault] = []
    for key, value in chosen.params:
        place = _place(chosen, arm, key)
        if key not in measure.params:
            fault = f"measure '{measure.name}' has no parameter '{key}'"
            faults.append(UnknownName(fault, place, suggest(key, [*measure.params, *OWN_KEYS], "keys")))
            continue
        try:
            quantity(value, measure.params[key].default)
        except ScenarioFault as found:
            fault = f"parameter '{key}' of measure '{measure.name}': {found.fault}"
            faults.append(type(found)(fault, place, found.remedy))
    return faults


def _zone_faults(world: ResolvedTree, chosen: Chosen, arm: Arm) -> list[ScenarioFault]:
    zones: dict[str, Any] = world.tree.get("zones", {})
    place = _place(chosen, arm, "zones")
    faults: list[ScenarioFault] = []
    for zone in chosen.zones:
        if zone not in zones:
            fault = f"no zone '{zone}' in the scenario, to which measure '{chosen.measure}' is limited"
            faults.append(UnknownName(fault, place, suggest(zone, zones, "zones")))
        elif zones[zone].get("outside"):
            fault = f"zone '{zone}', to which measure '{chosen.measure}' is limited, lies outside the model"
            faults.append(ScenarioFault(fault, place, "Name zones that are not `outside: true`."))
    return faults


def start_of(world: ResolvedTree, chosen: Chosen, arm: Arm) -> int:
    """Return when a chosen measure starts, in ms of the run (0: from the first moment); raises ScenarioFault."""
    if not chosen.start:
        return 0
    place = _place(chosen, arm, "start")
    try:
        date = datetime.date.fromisoformat(chosen.start)
    except ValueError:
        raise ScenarioFault(f"expected a date, found '{chosen.start}'", place, DATE_REMEDY) from None
    clock = world.tree["clock"]
    first = datetime.date.fromisoformat(str(clock.get("start", "2018-09-03")))
    parts = (clock.get(key, "0 h") for key in ("warm_up", "measure", "cool_down"))
    length = round(sum(units.parse(mode_of(part), "duration") for part in parts))
    start = (date - first).days * units.DAY
    if not 0 <= start < length:
        last = first + datetime.timedelta(days=max(length - 1, 0) // units.DAY)
        fault = f"measure '{chosen.measure}' starts on {chosen.start}, outside the run"
        raise ScenarioFault(fault, place, f"The run lasts from {first} to {last}.")
    return start


def quantity(value: Any, like: Any) -> float | None:  # noqa: ANN401
    """
    Return `value` as a number in the unit of its kind; it must be of the same kind as `like`.

    A value of a kind that is no single quantity (a law, a word) is None. Raises UnitFault without a place.
    """
    value, like = mode_of(value), mode_of(like)
    if isinstance(like, int | float) and not isinstance(like, bool):
        if isinstance(value, bool) or not isinstance(value, int | float):
            message = f"expected a number, found {units.describe(value)}"
            raise ScenarioFault(message, remedy=f"Write a number such as {like}.")
        return float(value)
    for kind in units.UNITS:
        try:
            units.parse(like, kind)
        except ScenarioFault:
            continue
        return units.parse_share(value) if kind == "share" else units.parse(value, kind)
    return None


def settle_params(world: ResolvedTree, arm: Arm, catalogue: Catalogue) -> list[str]:
    """
    Write the parameters of an arm's choices into `world`; return a warning for each value outside its bounds.

    Raises Faults when a parameter, also one given by `--set`, is of the wrong kind.
    """
    for each in arm.measures:
        for key, value in each.params:
            world.open(("measures", each.measure, key))[key] = value
            world.places["measures", each.measure, key] = _place(each, arm, key)
            world.edited["measures", each.measure, key] = "assumed"
    faults: list[ScenarioFault] = []
    warnings: list[str] = []
    for name, params in world.tree["measures"].items():
        for key, value in params.items():
            param = catalogue.measures[name].params[key]
            try:
                number = quantity(value, param.default)
            except ScenarioFault as found:
                fault = f"parameter '{key}' of measure '{name}': {found.fault}"
                faults.append(type(found)(fault, world.place(("measures", name, key)), found.remedy))
                continue
            if number is None or arm.chosen(name) is None or param.low is None or param.high is None:
                continue
            low, high = quantity(param.low, param.default), quantity(param.high, param.default)
            if low is not None and high is not None and not low <= number <= high:
                bounds = f"{param.low} to {param.high}"
                warnings.append(f"measure {name}: {key} {_brief(value)} lies outside the doubt about it, {bounds}")
    if faults:
        raise Faults(faults)
    return warnings
