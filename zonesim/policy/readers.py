"""Whose fault it is: what goes wrong in the library is told where the reader's file, or an option, led to it."""

from __future__ import annotations

from zonesim.faults import Faults, Place, ScenarioFault
from zonesim.policy.arm import Arm
from zonesim.policy.edits import Request
from zonesim.policy.resolved_tree import ResolvedTree
from zonesim.scenario import Catalogue


def told_to_reader(found: ScenarioFault, world: ResolvedTree, arm: Arm, catalogue: Catalogue) -> Faults:
    """
    Return what was found in resolving an arm: each fault that stands in the library at what the reader wrote or changed
    of the thing that is at fault, else at the choice of the measure, or of the regime, whose file it stands in.
    """
    faults = found.faults if isinstance(found, Faults) else [found]
    return Faults([each.led_to_from(_leading(each, world, arm, catalogue)) for each in faults])


def _leading(fault: ScenarioFault, world: ResolvedTree, arm: Arm, catalogue: Catalogue) -> Place:
    if fault.place is None:
        return world.place(())
    chosen = [
        each.place
        for each in arm.measures
        if each.measure in catalogue.documents and catalogue.documents[each.measure].file == fault.place.file
    ]
    edits: list[Request] = world.settings
    shares = [each.place for each in edits if each.edit.path.startswith("adopted") and not each.place.in_library]
    if fault.place.file in {catalogue.documents[name].file for name in catalogue.regimes} and shares:
        return shares[-1]
    if fault.place.file in {catalogue.documents[name].file for name in catalogue.futures}:
        return world.readers_place(("future",)) or world.place(())
    own = world.readers_place(fault.owner, default=next(filter(None, chosen), None))
    return own or world.readers_place(("regime",)) or world.place(())
