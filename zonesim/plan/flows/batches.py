"""Batches: tokens that wait for others and go on together, or one of them for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from zonesim.faults import ScenarioFault
from zonesim.plan.assembly import Label
from zonesim.plan.flows.emitter import Emitter
from zonesim.plan.flows.values import Values
from zonesim.plan.operations import NOWHERE, GatherBy, Op
from zonesim.plan.scope import Scope
from zonesim.scenario import Step
from zonesim.scenario.acts import Gather


class Batches:
    """Writes steps that gather; `inner` writes what the first member does for all."""

    def __init__(self, out: Emitter, values: Values, inner: Callable[[Scope], None]) -> None:
        self.out = out
        self.tables = out.tables
        self.world = out.world
        self.values = values
        self.inner = inner

    def write(self, step: Step, gather: Gather, scope: Scope) -> None:
        """Wait for a batch; with inner steps its first member does them for all."""
        place = self.world.place((*scope.text, "gather"))
        if gather.by == "firm" and not self.tables.parties_of(self.out.entry):
            remedy = "Give the scenario `firms`, or leave `by` out."
            raise ScenarioFault(f"tokens of traffic '{self.out.name}' have no firm to be gathered by", place, remedy)
        number = NOWHERE if gather.number is None else self.values.count(gather.number, scope, place)
        timeout, stream = NOWHERE, 0
        if gather.within is not None:
            timeout = self.values.distribution(step, scope, gather.within, ("gather", "within"))
            stream = self.out.stream(scope, "within")
        calendar = NOWHERE
        if gather.until is not None:
            calendar = self.values.calendar(gather.until, scope, ("gather", "until"))
        batch = self.tables.batches.add((self.out.name, scope.path), scope.path)
        by = {None: GatherBy.SOURCE, "firm": GatherBy.FIRM, "class": GatherBy.CLASS}[gather.by]
        others = Label()
        to = others if step.steps else NOWHERE
        self.out.emit(
            Op.GATHER,
            self.values.step_number(step, scope),
            batch=batch,
            number=number,
            timeout=timeout,
            calendar=calendar,
            others_to=to,
            by=by,
            stream=stream,
        )
        if step.steps:
            self.inner(replace(scope, leads=True))
            self.out.emit(Op.SCATTER, batch=batch)
            self.out.place(others)
