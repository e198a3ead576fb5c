"""Batches: tokens that wait for others and go on together, or one of them for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from zonesim import units
from zonesim.faults import ScenarioFault
from zonesim.plan.assembly import Label
from zonesim.plan.flows.emitter import Emitter
from zonesim.plan.flows.values import Values
from zonesim.plan.operations import NOWHERE, GatherBy, Op
from zonesim.plan.scope import Scope
from zonesim.scenario import Step
from zonesim.scenario.acts import FIRM, Gather
from zonesim.scenario.fields import mode_of
from zonesim.scenario.traffic import BatchLaw


class Batches:
    """Writes steps that gather; `inner` writes what the first member does for all."""

    def __init__(self, out: Emitter, values: Values, inner: Callable[[Scope], None]) -> None:
        self.out = out
        self.tables = out.tables
        self.world = out.world
        self.values = values
        self.inner = inner

    def write(self, step: Step, gather: Gather, scope: Scope) -> None:
        """Wait for a batch, or for a departure; with inner steps the first member does them for all."""
        place = self.world.place((*scope.text, "gather"))
        if gather.by == FIRM and not self.tables.tokens.parties_of(self.out.entry):
            remedy = "Give the scenario `firms`, or leave `by` out."
            raise ScenarioFault(f"tokens of traffic '{self.out.name}' have no firm to be gathered by", place, remedy)
        op = Op.GATHER if gather.most is None else Op.BOARD
        ends = self._ends(step, gather, scope) if gather.most is None else self._departs(gather, gather.most, scope)
        lines = self._lines(gather.by, scope)
        others, complete = Label(), Label()
        batches = [self.tables.batches.add((self.out.name, scope.path, mask, op), scope.path) for mask, _ in lines]
        for place_in_list, (mask, by) in enumerate(lines, start=1):
            another = Label()
            if place_in_list < len(lines):
                self.out.only_if_of_class(mask, another)
            self.out.emit(
                op,
                self.values.step_number(step, scope),
                batch=batches[place_in_list - 1],
                others_to=others if step.steps else NOWHERE,
                by=by,
                **ends,
            )
            if place_in_list < len(lines):
                self.out.jump(complete)
                self.out.place(another)
        self.out.place(complete)
        if step.steps:
            self.inner(replace(scope, leads=True))
            for batch in batches:  # who leads one leads no other of them, and nobody waits for those
                self.out.emit(Op.SCATTER, batch=batch)
            self.out.place(others)

    def _ends(self, step: Step, gather: Gather, scope: Scope) -> dict[str, Any]:
        """Return when a batch is complete, as operands of GATHER."""
        place = self.world.place((*scope.text, "gather"))
        number = NOWHERE if gather.number is None else self.values.count(gather.number, scope, place)
        timeout, stream = NOWHERE, 0
        if gather.within is not None:
            timeout = self.values.distribution(step, scope, gather.within, ("gather", "within"))
            stream = self.out.stream(scope, "within")
        calendar = NOWHERE
        if gather.until is not None:
            calendar = self.values.calendar(gather.until, scope, ("gather", "until"))
        return {"number": number, "timeout": timeout, "calendar": calendar, "stream": stream}

    def _departs(self, gather: Gather, most: Any, scope: Scope) -> dict[str, Any]:  # noqa: ANN401  a written number or law
        """Return when how many depart, as operands of BOARD."""
        if isinstance(most, BatchLaw):
            parts = [(float(key), units.parse_share(mode_of(share))) for key, share in most.discrete.items()]
        else:
            place = self.world.place((*scope.text, "gather", "most"))
            parts = [(float(self.values.count(most, scope, place)), 1.0)]
        calendar = self.values.calendar(str(gather.until), scope, ("gather", "until"))
        return {
            "most": self.tables.distributions.discrete(parts),
            "calendar": calendar,
            "stream": self.out.stream(scope, "most"),
        }

    def _lines(self, by: str | None, scope: Scope) -> list[tuple[int, GatherBy]]:
        """
        Return which tokens form batches apart, as the bits of their classes (0: all), and how each of these is parted
        again. Where classes are combinations with attributes, an attribute or the class is only a part of them.
        """
        classes = self.tables.classes
        if by is None or by == FIRM:
            return [(0, GatherBy.FIRM if by else GatherBy.SOURCE)]
        self.tables.tokens.known_attribute(by, self.world.place((*scope.text, "gather", "by")), FIRM)
        if not classes.attributes:
            return [(0, GatherBy.CLASS)]
        values = [value for value in classes.values[by] if value in self.out.possible[by]]
        return [(classes.mask(by, {value}), GatherBy.SOURCE) for value in values]
