"""One traffic entry: from its flow and arguments to its routines."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from zonesim.faults import ScenarioFault
from zonesim.plan.assembly import Routine
from zonesim.plan.binding import bind
from zonesim.plan.editions import Edition, FlowTexts
from zonesim.plan.flows.adopters import Adopters, zones_of
from zonesim.plan.flows.emitter import Emitter
from zonesim.plan.flows.steps import StepCompiler
from zonesim.plan.scope import Kind, Scope
from zonesim.plan.truths import truths_of
from zonesim.plan.world_tables import WorldTables
from zonesim.scenario.models import Traffic


class EntryCompiler:
    """Compiles one traffic entry."""

    def __init__(self, tables: WorldTables, name: str, entry: Traffic, number: int) -> None:
        self.tables = tables
        self.name = name
        self.entry = entry
        self.out = Emitter(tables, name, entry, number)

    def compile(self) -> list[Routine]:
        """Return the routines of this entry, the consignments' own first; faults go to the collector."""
        world = self.tables.arm.world
        key, place = world.flow_key(self.name), world.place(("traffic", self.name, "flow"))
        flow = self.out.flow(key, place)
        written = ("traffic", self.name, "with")
        origins = {name: (*written, name) for name in self.entry.with_}
        given = self.entry.with_
        arguments = bind(
            flow, given, self.entry.flow, self.tables.scenario, lambda *own: world.place((*written, *own)), origins
        )
        self.out.kind = Kind(flow.entity)
        adopters = Adopters(self.out, zones_of(flow, arguments))
        steps = StepCompiler(self.out, adopters, truths_of(self.tables.arm, key, arguments))
        nobody = FlowTexts(lambda _: flow, (), frozenset(), place)
        scope = Scope(self.entry.flow, Edition(nobody), arguments, origins, order=(self.out.number,))
        for limit in flow.within:
            told = replace(scope, text=world.flow_path(key))
            steps.values.limit(("flow", "stay"), limit, self.entry.flow, told, "within")
        body = partial(steps.calls.write, self.entry.flow, scope)
        steps.routines.write(scope, body, is_consignment=True)
        return self.out.routines

    def told(self, fault: ScenarioFault) -> ScenarioFault:
        """Return a fault of this entry told where the reader led to it."""
        return self.out.told(fault)

    def close(self) -> None:
        """Give children their numbers, and note a fault when there are too many flags; call when all is written."""
        self.out.close()
