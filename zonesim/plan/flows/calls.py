"""Calls: a flow in place of a step, with its arguments, in the editions that tokens of the entry walk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from zonesim.faults import Place, ScenarioFault
from zonesim.limits import CALLS_DEEP
from zonesim.plan.binding import bind, origin, resolve
from zonesim.plan.editions import Edition, FlowTexts, Use
from zonesim.plan.flows.adopters import Adopters, zones_of
from zonesim.plan.flows.emitter import Emitter
from zonesim.plan.flows.values import Values
from zonesim.plan.operations import Op, SetWhat
from zonesim.plan.scope import Scope, consulted_marks
from zonesim.scenario import Flow, Step


class Calls:
    """Writes flows in place; `steps` writes the steps of one."""

    def __init__(self, out: Emitter, values: Values, adopters: Adopters, steps: Callable[[Scope], None]) -> None:
        self.out = out
        self.tables = out.tables
        self.world = out.world
        self.values = values
        self.adopters = adopters
        self.steps = steps

    def write(self, name: str, scope: Scope) -> None:
        """
        Write a flow in place.

        A practice is followed in a call when it is followed in every zone that the call names; a call that names none
        is where the call around it is.
        """
        key = self.world.flow_key(self.out.name) if not scope.path else name
        zones = zones_of(self.out.flow(key, self.out.here), scope.arguments) or scope.zones
        always: set[str] = set()
        uses: list[Use] = []
        edits = self.out.arm.edits_of(key)
        for practice in self.out.arm.touching(key):
            condition = self.adopters.condition_of(practice, zones)
            if condition is True:
                always.add(practice.name)
            elif condition is not False:
                uses.append(Use(practice.name, condition, edits[practice.name]))
        texts = FlowTexts(partial(self.out.arm.flow, key), uses, frozenset(always), self.out.here)
        inner = replace(
            scope,
            flow=name,
            edition=Edition(texts),
            order=self.out.order(scope),
            call=scope.path,
            text=self.world.flow_path(key),
            lists=(),
            zones=zones,
        )
        outer = self.out.consulted
        self.out.choose(inner.edition.flow(), inner, self._whole)
        self.out.consulted = outer
        for use in uses:
            self.tables.adoptions.note(use.condition, use.name)

    def _whole(self, flow: Flow, scope: Scope) -> None:
        """Write a flow, whose place all tokens agree in."""
        if both := sorted(set(flow.params) & set(self.tables.classes.attributes)):
            place = self.world.key_place(("attributes", both[0]))
            raise ScenarioFault(f"'{both[0]}' is a parameter of the flow '{scope.flow}' too", place, "Rename it.")
        if flow.place:
            place = resolve(flow.place, scope.arguments, self.tables.scenario, self.out.here, scope.origins)
            scope = replace(scope, place=str(place))
        self.out.consulted = frozenset[str]().union(*(consulted_marks(each.steps) for each in scope.edition.seen()))
        for mark in sorted(self.out.consulted):
            self.out.emit(Op.SET, code=SetWhat.LOWER_FLAG, flag=self.out.mark_flag(mark, scope))
        self.steps(scope)

    def step(self, step: Step, scope: Scope) -> None:
        """Write the flow that a step calls."""
        place = self.world.place((*scope.text, "call"))
        if scope.calls >= CALLS_DEEP:
            raise ScenarioFault(f"calls nested deeper than {CALLS_DEEP}", place, "A flow may not call itself.")
        flow = self.out.flow(str(step.call), place)
        given = {key: self.values.resolved(value, scope) for key, value in step.with_.items()}
        origins = {
            key: origin(value, scope.arguments, scope.origins) or (*scope.text, "with", key)
            for key, value in step.with_.items()
        }

        def where(*key: str) -> Place:
            return self.world.place((*scope.text, "with", *key)) if key else place

        arguments = bind(flow, given, str(step.call), self.tables.scenario, where, origins)
        self.write(
            str(step.call), replace(scope, arguments=arguments, origins=origins, choices={}, calls=scope.calls + 1)
        )
