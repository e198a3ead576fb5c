"""Which tokens of an entry follow a practice."""

from __future__ import annotations

from zonesim.plan.adoption import Condition
from zonesim.plan.binding import Arguments
from zonesim.plan.flows.emitter import Emitter
from zonesim.policy import PracticeUse
from zonesim.scenario import Flow
from zonesim.scenario.models import Param


class Adopters:
    """Tells who adopts; `zones` are those that the entry's flow names, in the order of its parameters."""

    def __init__(self, out: Emitter, zones: tuple[str, ...]) -> None:
        self.out = out
        self.tables = out.tables
        self.zones = zones

    def condition_of(self, use: PracticeUse, zones: tuple[str, ...]) -> Condition | bool:
        """Return which tokens of this entry follow a practice in `zones`: all (True), none (False), or a condition."""
        share = use.within(zones)
        if share.always or share.never:
            return share.always
        parties = self.tables.tokens.parties_of(self.out.entry)
        if not parties or use.of == "token":
            return Condition(use.measure, "token", ((-1, share),))
        if len(zones) == parties > 1 and set(zones) == set(self.zones):
            # Each firm is in the zone of its own: the first in the first zone that the entry's flow names.
            parts = tuple((self.zones.index(zone), use.at(zone)) for zone in self.zones)
            if len({own for _, own in parts}) > 1:
                return Condition(use.measure, use.of, parts)
        return Condition(use.measure, use.of, ((-1, share),))


def zones_of(flow: Flow, arguments: Arguments) -> tuple[str, ...]:
    """Return the zones that a call of a flow names, in the order of its parameters."""
    kinds = {key: spec.kind if isinstance(spec, Param) else spec for key, spec in flow.params.items()}
    return tuple(dict.fromkeys(str(arguments[key]) for key, kind in kinds.items() if kind == "zone"))
