"""Arms as people write them: a list of measures in an experiment file, a few words on the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from zonesim import units
from zonesim.faults import Faults, Place, ScenarioFault
from zonesim.policy.arm import DATE_REMEDY, OWN_KEYS, Arm, Chosen, arms_for, baseline, choice_faults, find_measure
from zonesim.policy.resolved_tree import ResolvedTree
from zonesim.scenario import Catalogue, Document, Path_, load_catalogue, read_option
from zonesim.scenario.characters import told


def arm_from(name: str, written: Any, world: ResolvedTree, document: Document | None = None, at: Path_ = ()) -> Arm:  # noqa: ANN401
    """
    Return the arm written as a list of measures: `[m10, {m11: {coverage: 60 %, start: "2018-10-08", zones: [SIP]}}]`.

    A measure is called by its name or its number in the annex; an empty list (or nothing) is the baseline with a
    name of its own. `document` and `at` tell where the list stands, so that faults have places. Raises Faults with
    all that is wrong: unknown measures, parameters, zones; dates outside the run; a measure twice.
    """
    catalogue = load_catalogue()

    def place(*path: str) -> Place:
        return document.place((*at, *path)) if document is not None else Place(f"arm '{name}'")

    if written is not None and not isinstance(written, list):
        fault = f"arm '{name}' must be a list of measures, found {units.describe(written)}"
        raise Faults([ScenarioFault(fault, place(), "Write [m11], or [] for the baseline.")])
    faults: list[ScenarioFault] = []
    chosen: list[Chosen] = []
    for position, item in enumerate(written or []):
        here = str(position)
        try:
            chosen.append(_chosen(item, catalogue, lambda *path, here=here: place(here, *path)))
        except ScenarioFault as fault:
            faults += fault.faults if isinstance(fault, Faults) else [fault]
    arm = Arm(name, tuple(chosen))
    faults += choice_faults(world, arm, catalogue)
    if faults:
        raise Faults(faults)
    return arm


def _chosen(item: Any, catalogue: Catalogue, place: Any) -> Chosen:  # noqa: ANN401
    if isinstance(item, str | int) and not isinstance(item, bool):
        return Chosen(find_measure(str(item), catalogue, place()).name, place=place())
    if not isinstance(item, Mapping) or len(item) != 1:
        fault = f"expected a measure, found {units.describe(item)}"
        raise ScenarioFault(fault, place(), "Write m11, or {m11: {coverage: 60 %}}.")
    ((key, own),) = item.items()
    measure = find_measure(str(key), catalogue, place(str(key)))
    if not isinstance(own, Mapping):
        fault = f"what is said of measure '{measure.name}' must be a mapping, found {units.describe(own)}"
        raise ScenarioFault(fault, place(str(key)), "Write {m11: {coverage: 60 %}}.")
    faults: list[ScenarioFault] = []
    start, zones = own.get("start", ""), own.get("zones", [])
    if not isinstance(start, str):
        faults.append(
            ScenarioFault(f"expected a date, found {units.describe(start)}", place(key, "start"), DATE_REMEDY)
        )
    if not isinstance(zones, list) or ("zones" in own and not zones):
        fault = f"expected a list of zones, found {units.describe(zones)}" if zones != [] else "no zones are listed"
        faults.append(ScenarioFault(fault, place(key, "zones"), "Write zones: [SIP], or leave it out for all zones."))
    if faults:
        raise Faults(faults)
    params = tuple((str(name), value) for name, value in own.items() if name not in OWN_KEYS)
    places = tuple((str(name), place(key, name)) for name in own)
    return Chosen(measure.name, params, start, tuple(str(zone) for zone in zones), place(key), places)


def arm_named(world: ResolvedTree, text: str, option: str = "--arm") -> Arm:
    """
    Return the arm that a word or a list on the command line means.

    `11` or `m10+m11` are measures; "" and the regime's name the baseline; `[m10, {m11: {zones: [SIP]}}]` (or one such
    mapping alone) is written as in an experiment file. Raises ScenarioFault.
    """
    text = text.strip()
    if text in {"", baseline(world).name}:
        return baseline(world)
    if joined := re.search(r"[,，、;；＋&]", text) if text[0] not in "[{" else None:
        fault = f"{told(joined[0])} stands between the measures of one arm"
        place = Place(f"{option} {text}", 0, len(option) + 2 + joined.start())
        meant = re.sub(r"\s*[,，、;；＋&]+\s*", "+", text)
        raise ScenarioFault(fault, place, f"Write {meant}.")
    if text[0] not in "[{":
        return arms_for(world, text.split("+"), f"{option} {text}")[-1]
    before, after = ("arm: ", "") if text[0] == "[" else ("arm: [", "]")
    document = read_option(text, f"{option} {text}", before, after)
    arm = arm_from("given", document.tree["arm"], world, document, ("arm",))
    catalogue = load_catalogue()
    names = []
    for each in arm.measures:
        limits = each.limits()
        names.append(f"{catalogue.measures[each.measure].number}{f' ({limits})' if limits else ''}")
    return Arm("+".join(names) or "none", arm.measures)
