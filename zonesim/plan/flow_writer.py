"""
The ground that the compiler of flows stands on: the routine being written, values, flags, streams, marks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

from zonesim import units
from zonesim.faults import Faults, Place, ScenarioFault, UnknownName, suggest
from zonesim.plan.assembly import Label, Later, Routine
from zonesim.plan.binding import check_count, origin, resolve
from zonesim.plan.operations import NOWHERE, Op, SetWhat
from zonesim.plan.plan import MarkName, StepName
from zonesim.plan.scope import Kind, Scope
from zonesim.plan.tables import Order
from zonesim.plan.world_tables import WorldTables
from zonesim.scenario import Step
from zonesim.scenario.fields import By, Law
from zonesim.scenario.models import END, Traffic
from zonesim.scenario.steps import LEAVE

FLAGS: Final = 63
"""Flags a token can carry (bits of an int64)."""


@dataclass
class ChildNumbers:
    """The numbers of the children of one place: how many, and the first of them, which follows from their order."""

    order: Order
    count: int
    base: Later = field(default_factory=Later)


class FlowWriter:
    """Writes instructions of one traffic entry, and knows what its flows refer to."""

    def __init__(self, tables: WorldTables, name: str, entry: Traffic, number: int) -> None:
        self.tables = tables
        self.arm = tables.arm
        self.name = name
        self.entry = entry
        self.number = number
        self.routines: list[Routine] = []
        self.routine = Routine()
        self.kind = Kind("")
        given = tables.reach.of(entry.flow).classes
        self.classes = tables.classes_of(entry) | {name for name in given if name in tables.classes}
        self.child_bases: dict[tuple[tuple[str, ...], int], ChildNumbers] = {}
        self.flags: dict[str, int] = {}
        self.consulted: frozenset[str] = frozenset()
        self.truths: dict[str, Order] = {}
        """The truths that the tokens of the routine at hand are checked for, with where that is first."""
        self._written = count()
        self.known: Mapping[tuple[str, ...], Mapping[str, None]] = {}
        """The truths that tokens have whether somebody looks or not, by the step that their kind begins at."""
        self.text_place = Place(self.arm.world.file)
        self.origin: tuple[str, ...] = ()

    # --- instructions

    def _flag(self, name: str) -> int:
        if name not in self.flags:
            # From the top: the flags of adoption, which all entries share, are counted from the bottom.
            self.flags[name] = FLAGS - 1 - len(self.flags)
        return self.flags[name]

    def order(self, scope: Scope) -> Order:
        """
        Return where what is written next stands: things are numbered as if the editions of a flow were written one
        after the other, so that what nobody changes keeps its numbers, and with them its luck, in every arm.
        """
        return (*scope.order, scope.edition.rank, next(self._written))

    def close(self) -> None:
        """Give children their numbers, and note a fault when this entry needs more flags than a token has."""
        after = 1
        for numbers in sorted(self.child_bases.values(), key=lambda each: each.order):
            numbers.base.row = after
            after += numbers.count
        if len(self.flags) + len(self.tables.adoptions.names) > FLAGS:
            message = f"traffic '{self.name}' needs more than {FLAGS} flags"
            place = self.arm.world.place(("traffic", self.name))
            remedy = "Use fewer marks in conditions, fewer truths, or fewer measures at once."
            self.tables.faults.add(ScenarioFault(message, place, remedy))

    # --- values

    def _resolved(self, value: Any, scope: Scope) -> Any:  # noqa: ANN401
        """Return what a written value means here; `origin` is then where a value was written that it refers to."""
        place = self.arm.world.place(scope.text)
        self.origin = origin(value, scope.arguments, scope.origins)
        return resolve(value, scope.arguments, self.tables.scenario, place, scope.origins)

    def _count(self, value: Any, scope: Scope, place: Place) -> int:  # noqa: ANN401
        try:
            return check_count(self._resolved(value, scope))
        except ScenarioFault as fault:
            raise self._of_value(fault, place) from None

    def _of_value(self, fault: ScenarioFault, place: Place) -> ScenarioFault:
        """Return a fault of the value that was resolved last, at `place` where it has none of its own."""
        fault = fault.at(place)
        fault.owner = fault.owner or self.origin
        return fault

    def told(self, fault: ScenarioFault, text: tuple[str, ...] = ()) -> ScenarioFault:
        """
        Return a fault of this entry told where the reader's file, or an option, led to what the library says in the
        step at `text`.
        """
        if isinstance(fault, Faults):
            return Faults([self.told(each, text) for each in fault.faults])
        world = self.arm.world
        place = world.readers_place(fault.owner, text, text[:2], ("traffic", self.name))
        return fault.led_to_from(place or world.place(()))

    def _stream_name(self, scope: Scope, purpose: str) -> str:
        return f"{self.name}/{'.'.join(scope.path)}/{purpose}"

    def _units_of(self, hold: Any, scope: Scope, place: Place) -> tuple[int, int]:  # noqa: ANN401
        """Return the resource of a hold and how many units it takes; which of several lines is chosen already."""
        written = hold if isinstance(hold, str) else hold.resource
        resource = self.tables.resource(self._resolved(written, scope), place)
        return resource, 1 if isinstance(hold, str) else self._count(hold.units, scope, place)

    def _step_number(self, step: Step, scope: Scope) -> Later:
        held = [self._units_of(hold, scope, self.text_place) for hold in step.hold.values()]
        name = StepName(
            self.name,
            self.entry.flow,
            scope.path,
            {str(language): text for language, text in step.label.items()},
            tuple(resource for resource, _ in held),
            tuple(count for _, count in held),
            self.kind.name,
        )
        # Editions of a step that take other units are steps of their own, so that visits tell which units were in hand.
        return self.tables.steps.add((self.name, scope.path, tuple(held)), self.order(scope), lambda: name)

    def _law(
        self,
        step: Step,
        scope: Scope,
        take: Any = None,  # noqa: ANN401
        key: tuple[str, ...] = ("take",),
        *,
        working: bool = False,
    ) -> int:
        take = step.take if take is None else take
        place = self.arm.world.place((*scope.text, *key))
        try:
            if isinstance(take, Law):
                return self.tables.laws.law(take, lambda value: self._resolved(value, scope), working=working)
            if not isinstance(take, By):
                return self.tables.laws.duration(take, lambda value: self._resolved(value, scope), working=working)
        except ScenarioFault as fault:
            raise self._of_value(fault, place) from None
        cases = take.__pydantic_extra__
        if take.by == "class" and "class" not in scope.arguments:
            rows = {name: self._law(step, scope, case, key, working=working) for name, case in cases.items()}
            return self.tables.laws.by_class(
                self.tables.per_class(rows, self.classes, next(iter(rows.values())), place)
            )
        chosen = str(self._resolved(f"${take.by}", scope))
        if chosen not in cases:
            message = f"'{take.by}' is '{chosen}' here, for which no time is given"
            raise UnknownName(message, place, suggest(chosen, cases, "cases"))
        return self._law(step, scope, cases[chosen], key, working=working)

    def _in_working_days(self, take: Any, scope: Scope) -> bool:  # noqa: ANN401
        """Return whether a written time counts working days; a mixture is found when its law is written."""
        if isinstance(take, By):
            cases = take.__pydantic_extra__
            if take.by != "class" or "class" in scope.arguments:
                chosen = str(self._resolved(f"${take.by}", scope))
                cases = {chosen: cases[chosen]} if chosen in cases else {}
            return any(self._in_working_days(case, scope) for case in cases.values())
        times = take.times() if isinstance(take, Law) else [take]
        return any(units.is_working(self._resolved(time, scope)) for time in times)

    def _share_row(self, share: Any, scope: Scope) -> int:  # noqa: ANN401
        place = self.arm.world.place((*scope.text, "share"))
        try:
            if not isinstance(share, dict) or "uncertain" in share:
                value = units.parse_share(self._resolved(share, scope))
                return self.tables.shares.add((value,) * len(self.tables.classes))
            values = {name: units.parse_share(self._resolved(one, scope)) for name, one in share.items()}
        except ScenarioFault as fault:
            raise self._of_value(fault, place) from None
        return self.tables.shares.add(tuple(self.tables.per_class(values, self.classes, 0.0, place)))

    def _priority_row(self, step: Step, scope: Scope) -> int:
        if step.priority is None or isinstance(step.priority, int):
            return self.tables.priorities.add((step.priority or 0,) * len(self.tables.classes))
        place = self.arm.world.place((*scope.text, "priority"))
        return self.tables.priorities.add(tuple(self.tables.per_class(step.priority, self.classes, 0, place)))

    # --- ways

    def _way(self, target: str, labels: Mapping[str, Label], scope: Scope, place: Place) -> Label:
        """
        Return where a token goes on with the step `target` of the list that it is in, or to leave with empty hands.

        Raises ScenarioFault unless it can.
        """
        here = [name for name in labels if name == END or scope.edition.has(scope.lists[-1].steps, name)]
        if target in here:
            return labels[target]
        if target == LEAVE:
            if scope.leads:
                fault = "others wait for the end of these steps, which one does for its batch"
                raise ScenarioFault(fault, place, "Go on with `end`, and let it leave after the batch.")
            return self.routine.leaving.setdefault(scope.blocks, Label())
        of_children = scope.lists[-1].steps.of_children
        if target in of_children:
            fault = f"'{target}' is only for the children of '{of_children[target]}' to go on with"
            raise ScenarioFault(fault, place, f"Name '{of_children[target]}', its join, or a step outside.")
        raise UnknownName(f"no step '{target}' to go on with", place, suggest(target, [*here, LEAVE], "steps"))

    def _leaves(self) -> None:
        """Write the ways on which tokens give back all that they have, to the end of the routine."""
        routine = self.routine
        if not routine.leaving:
            return
        end, empty = Label(), Label()
        routine.jump(end)
        for blocks, way in routine.leaving.items():
            routine.place(way)
            for block in reversed(blocks):
                routine.emit(Op.RELEASE, block.step, block.first, block.rows, block.slot, 0)
            routine.jump(empty)
        routine.place(empty)
        for kept in routine.kept:
            routine.emit(Op.RELEASE, kept.step, kept.first, kept.rows, kept.slot, 1)
        routine.place(end)

    # --- marks

    def _mark(self, mark: str, scope: Scope, *, kind: str | None = None) -> None:
        name = MarkName(self.name, self.entry.flow, scope.call, mark, scope.place, kind or self.kind.name)
        number = self.tables.marks.add((self.name, scope.call, mark), self.order(scope), lambda: name)
        self.routine.emit(Op.MARK, NOWHERE, number)

    def _finding(self, truth: str, finding: str, scope: Scope) -> None:
        """Mark what is so, or was found, of a truth; it says whose truth that is."""
        owner = self.kind.owner(truth)
        mark = f"{truth}.{finding}"
        name = MarkName(self.name, self.entry.flow, scope.call, mark, scope.place, self.kind.name, truth=truth)
        number = self.tables.marks.add(
            (self.name, scope.call, mark, owner), self.order(scope), lambda: replace(name, owner=owner.numbers)
        )
        self.routine.emit(Op.MARK, NOWHERE, number)

    def _note(self, mark: str, scope: Scope) -> None:
        """Mark, and raise the flag when a condition of this flow asks for the mark."""
        self._mark(mark, scope)
        if mark in self.consulted:
            self.routine.emit(Op.SET, NOWHERE, SetWhat.RAISE_FLAG, self._flag(f"mark {'.'.join((*scope.call, mark))}"))
