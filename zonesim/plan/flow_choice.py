"""
A choice between lines: a step is written once for each line that it may stand in, behind branches to the shortest.

The variants are one step, with the same luck; the visits of each tell which resource was in hand.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from zonesim.faults import ScenarioFault
from zonesim.plan.assembly import Label
from zonesim.plan.flow_writer import FlowWriter
from zonesim.plan.operations import NOWHERE, BranchOn, Op
from zonesim.plan.scope import Scope
from zonesim.scenario import Step
from zonesim.scenario.steps import Shortest, Units


class ChoiceWriter(FlowWriter, ABC):
    """Writes steps that choose one of several resources."""

    @abstractmethod
    def _holding(self, step: Step, scope: Scope, labels: Mapping[str, Label]) -> None:
        """Write a step that takes units."""

    def _shortest(self, step: Step, key: str, hold: Shortest, scope: Scope, labels: Mapping[str, Label]) -> None:
        """Write a step whose hold `key` chooses between lines."""
        place = self.arm.world.place((*scope.text, "hold", key, "shortest"))
        names = [str(self._resolved(name, scope)) for name in hold.shortest]
        resources = [self.tables.resource(name, place) for name in names]
        if len(set(resources)) < len(resources):
            twice = next(name for number, name in enumerate(names) if name in names[:number])
            raise ScenarioFault(f"'{twice}' stands in the list twice", place, "Name each resource once.")
        first = self.tables.needs.add_run(tuple((resource, 1) for resource in resources))
        ways, after = [Label() for _ in names[1:]], Label()
        for number, way in enumerate(ways):
            self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.SHORTEST, first, len(names), way, number)
        # Who has taken none of the branches takes the last, which stands first.
        self._in_line(step, key, Units(resource=names[-1], units=hold.units), scope, labels)
        self.routine.jump(after)
        for name, way in zip(names[:-1], ways, strict=True):
            self.routine.place(way)
            self._in_line(step, key, Units(resource=name, units=hold.units), scope, labels)
            self.routine.jump(after)
        self.routine.place(after)

    def _in_line(self, step: Step, key: str, chosen: Units, scope: Scope, labels: Mapping[str, Label]) -> None:
        self._holding(step.model_copy(update={"hold": {**step.hold, key: chosen}}), scope, labels)
