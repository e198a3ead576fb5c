"""What an evaluation of zones asks for, as far as an arm tells it without a run: no score, and nothing of time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from zonesim.kpi import fold_tables, pooled
from zonesim.plan import ArrivalsBy, Plan, expected_before, mean_batch
from zonesim.policy import KINDS, USES, ResolvedArm, flows_in_use, register
from zonesim.scenario import Indicator, Zone
from zonesim.units import DAY

GOODS: Final = "goods_dwell.mean"
"""The KPI whose consignments are the goods of a zone."""


@dataclass(frozen=True)
class Told:
    """
    An indicator of a zone: `value` (nan: not known), `kind` of its weakest source, `found`, `derived` or `assumed`.

    `volume`: it is consignments a day in place of a value, `at_least` where some of them are started by others, whose
    number no rate says.
    """

    value: float
    kind: str
    volume: bool = False
    at_least: bool = False


@dataclass(frozen=True)
class Followed:
    """A measure and the share that follows its practice most followed in a zone at the end, and what that is of."""

    measure: str
    practice: str
    share: float
    of: str


@dataclass(frozen=True)
class ZoneTold:
    """What is told of a zone: indicators by name, the flows of goods that pass its gates, and who follows measures."""

    zone: str
    indicators: dict[str, Told]
    flows: tuple[str, ...]
    followed: tuple[Followed, ...]


def evaluated(arm: ResolvedArm, plan: Plan, indicators: dict[str, Indicator]) -> tuple[ZoneTold, ...]:
    """Return what is told of the modelled zones of an arm, in their order."""
    reader = _Reader(arm, plan)
    return tuple(
        ZoneTold(
            name,
            {key: reader.told(name, zone, each) for key, each in indicators.items()},
            reader.flows(name),
            tuple(reader.followed(name)),
        )
        for name, zone in arm.scenario.zones.items()
        if not zone.outside
    )


class _Reader:
    """Reads zones off an arm and its plan."""

    def __init__(self, arm: ResolvedArm, plan: Plan) -> None:
        self.arm = arm
        self.plan = plan
        self.used = flows_in_use(arm.world)
        copies = {key for key in arm.world.flow_keys() if arm.world.flow_path(key)[0] == USES}
        self.acting = {*self.used, *copies}
        """Keys of flows in use, and of copies that entries have of their own."""
        self.kinds = {entry.path: entry.kind for entry in register(arm.world, self.used)}
        self.passing = fold_tables(plan).scopes.zones
        self.goods = pooled(plan)
        begin, end, _ = plan.window.tolist()
        edges = np.array([begin, end], dtype=float)
        self.a_day = [
            mean_batch(plan, source) * float(np.diff(expected_before(plan, source, edges))[0]) / ((end - begin) / DAY)
            for source in range(len(plan.sources))
        ]

    def told(self, name: str, zone: Zone, asked: Indicator) -> Told:
        """Return an indicator of a zone."""
        keys = [key for key in (asked.setting, asked.per) if key is not None]
        values = [getattr(zone.entries().get(key), "value", None) for key in keys]
        if None not in values and keys:
            numbers = [float(str(value)) for value in values]
            kind = self._weakest(*(("zones", name, key) for key in keys))
            return Told(numbers[0] / (numbers[1] if asked.per else 1.0), kind)
        if not asked.flows:
            return Told(math.nan, "assumed")
        names = self.plan.names
        rows = [row for row in self.passing.get(name, ()) if names.source_flows[row] in asked.flows]
        spawned = [self.plan.sources["arrivals"][row] == ArrivalsBy.SPAWNED for row in rows]
        kind = self._weakest(*(("traffic", *names.sources[row].split(".")[:1]) for row in rows))
        return Told(sum(self.a_day[row] for row in rows), kind, volume=True, at_least=any(spawned))

    def flows(self, zone: str) -> tuple[str, ...]:
        """Return the flows of goods that pass the gates of a zone, in the order of the traffic."""
        rows = self.goods.get(f"{zone}.{GOODS}", ())
        return tuple(dict.fromkeys(self.plan.names.source_flows[row] for row in rows))

    def followed(self, zone: str) -> Iterator[Followed]:
        """Yield the measures that somebody follows in a zone and that act on a flow in use."""
        uses: dict[str, list[tuple[float, str, str]]] = {}
        for use in self.arm.uses.values():
            share = use.at(zone).after
            if share > 0 and use.flows & self.acting:
                uses.setdefault(use.measure, []).append((share, use.name, use.of))
        for measure, found in uses.items():
            share, name, of = max(found)
            yield Followed(measure, name, share, of)

    def _weakest(self, *paths: tuple[str, ...]) -> str:
        """Return the weakest kind of source of the numbers below some paths; assumed where none is known."""
        found = [kind for path, kind in self.kinds.items() if any(path[: len(own)] == own for own in paths)]
        return max(found, key=KINDS.index, default="assumed")
