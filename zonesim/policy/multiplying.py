"""What it means to multiply demand: which values of the traffic are scaled, and what cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from zonesim.faults import Faults, Place, ScenarioFault
from zonesim.policy.edits import Request
from zonesim.policy.resolved_tree import ResolvedTree
from zonesim.policy.scaling import kind_at, scaled
from zonesim.scenario import Edit

BY: Final = "a multiple of demand"
"""Who asks for the edits that multiply demand, in messages."""

_PROBE: Final = 2.0


@dataclass(frozen=True)
class Demand:
    """
    The traffic of a scenario as something to multiply.

    `rates`: paths of rates, which are multiplied; `gaps`: paths of gaps between arrivals, which are divided; `fixed`:
    entries that stay as they are written, for their arrivals are listed, or counted beforehand.
    """

    rates: tuple[str, ...]
    gaps: tuple[str, ...]
    fixed: tuple[str, ...]

    def edits(self, factor: float) -> list[tuple[str, float]]:
        """Return path and factor of every value that makes the demand `factor` times as large."""
        return [*((path, factor) for path in self.rates), *((path, 1 / factor) for path in self.gaps)]

    def requests(self, factor: float) -> list[Request]:
        """Return the edits that make the demand `factor` times as large; none for a factor of 1."""
        told = self.edits(factor) if factor != 1 else []
        return [Request(Edit(scale=path, by=each), BY, Place(BY)) for path, each in told]


def demand_of(world: ResolvedTree) -> Demand:
    """
    Return what of a world's traffic is multiplied: every rate, and every law of gaps; batches stay, so tokens are
    multiplied with arrivals, and what steps spawn follows by itself.

    Raises Faults where nothing can be: a list of arrivals, or a log, is what was, and twice of it is not known.
    """
    rates: list[str] = []
    gaps: list[str] = []
    fixed: list[str] = []
    for name, entry in world.tree["traffic"].items():
        if entry.get("spawned"):
            continue
        key = next((key for key in ("rate", "every") if key in entry), None)
        if key is None or "most" in entry:
            fixed.append(name)
        elif _scales(world, name, key):
            (rates if key == "rate" else gaps).append(f"traffic.{name}.{key}")
    if not rates and not gaps:
        fault = "no traffic that could be multiplied"
        remedy = "Write a `rate` or gaps (`every`) without `most`: listed arrivals and logs have no multiple."
        raise Faults([ScenarioFault(fault, world.place(("traffic",)), remedy)])
    plain = {path.split(".")[1] for path in rates} == {
        name for name, entry in world.tree["traffic"].items() if "rate" in entry
    }
    return Demand(("traffic.*.rate",) if plain and len(rates) > 1 else tuple(rates), tuple(gaps), tuple(fixed))


def _scales(world: ResolvedTree, name: str, key: str) -> bool:
    """Return whether a value of an entry changes when it is scaled: a rate of 0 does not."""
    value: Any = world.tree["traffic"][name][key]
    return bool(scaled(value, kind_at(world.tree, ("traffic", name, key)), _PROBE) != value)
