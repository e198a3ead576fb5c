"""What all write to who compile a traffic entry: routines, choices, flags, marks, numbers of steps and children."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Final

from zonesim.faults import Faults, Place, ScenarioFault, UnknownName, suggest
from zonesim.plan.adoption import Condition
from zonesim.plan.assembly import Label, Later, Operand, Routine
from zonesim.plan.editions import Same, Text, Texts
from zonesim.plan.operations import NOWHERE, BranchOn, Op, SetWhat
from zonesim.plan.plan import MarkName
from zonesim.plan.records import LARGEST_CHILD
from zonesim.plan.scope import Kind, Scope
from zonesim.plan.tables import Order
from zonesim.plan.world_tables import WorldTables
from zonesim.scenario import Flow
from zonesim.scenario.models import END, Traffic
from zonesim.scenario.steps import LEAVE

FLAGS: Final = 63
"""Flags a token can carry (bits of an int64)."""

CLASSES_IN_A_MASK: Final = 62
"""Classes that the bits of one number can tell apart."""


@dataclass
class ChildNumbers:
    """The numbers of the children of one place: how many, and the first of them, which follows from their order."""

    order: Order
    count: int
    base: Later = field(default_factory=Later)


class Emitter:
    """
    The routines of one traffic entry under construction, and what is known of the token that walks the one at hand.

    `routine` is the one at hand, `kind` the kind of its tokens, `truths` what they are checked for, with where that is
    first. `here` is where the step at hand is written. `consulted` are the marks that the conditions of the flow at
    hand ask for, `possible` the classes, and values of attributes, that tokens of the entry may have.
    """

    def __init__(self, tables: WorldTables, name: str, entry: Traffic, number: int) -> None:
        self.tables = tables
        self.arm = tables.arm
        self.world = tables.arm.world
        self.name = name
        self.entry = entry
        self.number = number
        self.routines: list[Routine] = []
        self.routine = Routine()
        self.kind = Kind("")
        self.possible = tables.tokens.possible_of(entry)
        self.child_bases: dict[tuple[tuple[str, ...], int], ChildNumbers] = {}
        self.flags: dict[str, int] = {}
        self.consulted: frozenset[str] = frozenset()
        self.truths: dict[str, Order] = {}
        self.here = Place(self.world.file)
        self._written = count()

    def close(self) -> None:
        """Give children their numbers, and note a fault when this entry needs more flags than a token has."""
        after = 1
        for numbers in sorted(self.child_bases.values(), key=lambda each: each.order):
            numbers.base.row = after
            after += numbers.count
        if len(self.flags) + len(self.tables.adoptions.names) > FLAGS:
            message = f"traffic '{self.name}' needs more than {FLAGS} flags"
            place = self.world.place(("traffic", self.name))
            remedy = "Use fewer marks in conditions, fewer truths, or fewer measures at once."
            self.tables.faults.add(ScenarioFault(message, place, remedy))

    def told(self, fault: ScenarioFault, text: tuple[str, ...] = ()) -> ScenarioFault:
        """
        Return a fault of this entry told where the reader's file, or an option, led to what the library says in the
        step at `text`.
        """
        if isinstance(fault, Faults):
            return Faults([self.told(each, text) for each in fault.faults])
        world = self.world
        place = world.readers_place(fault.owner, text, text[:2], ("traffic", self.name))
        return fault.led_to_from(place or world.place(()))

    # --- operations

    def emit(
        self, op: Op, step: Operand = NOWHERE, code: BranchOn | SetWhat | None = None, **operands: Operand
    ) -> None:
        """Append an operation, with its operands by name, to the routine at hand."""
        self.routine.emit(op, step, code, **operands)

    def jump(self, target: Label) -> None:
        """Append a jump to it."""
        self.routine.jump(target)

    def place(self, label: Label) -> None:
        """Let `label` mean the operation that comes next in it."""
        self.routine.place(label)

    # --- places and numbers

    def order(self, scope: Scope) -> Order:
        """
        Return where what is written next stands: things are numbered as if the editions of a flow were written one
        after the other, so that what nobody changes keeps its numbers, and with them its draws, in every arm.
        """
        return (*scope.order, scope.edition.rank, next(self._written))

    def stream(self, scope: Scope, purpose: str) -> int:
        """Return the random stream of a purpose at a step."""
        return self.tables.streams.add(f"{self.name}/{'.'.join(scope.path)}/{purpose}")

    def flag(self, name: str) -> int:
        """Return the number of a flag of the tokens of this entry."""
        if name not in self.flags:
            # From the top: the flags of adoption, which all entries share, are counted from the bottom.
            self.flags[name] = FLAGS - 1 - len(self.flags)
        return self.flags[name]

    def mark_flag(self, mark: str, scope: Scope) -> int:
        """Return the flag that says whether a token has a mark of the flow at hand."""
        return self.flag(f"mark {'.'.join((*scope.call, mark))}")

    def children_at(self, scope: Scope, most: int) -> ChildNumbers:
        """Return the numbers of the children that tokens of the kind at hand have at a place, `most` each."""
        order = self.order(scope)
        numbers = self.child_bases.setdefault((scope.path, most), ChildNumbers(order, 0))
        numbers.order = min(numbers.order, order)
        numbers.count = max(numbers.count, self.kind.count * most)
        if sum(each.count for each in self.child_bases.values()) > LARGEST_CHILD:
            remedy = "Use smaller splits, or several traffic entries."
            raise ScenarioFault(f"a consignment can become more than {LARGEST_CHILD} tokens here", self.here, remedy)
        return numbers

    def flow(self, key: str, place: Place) -> Flow:
        """Return a flow by its key, as followers of no practice see it; raises UnknownName."""
        if key not in self.tables.reach.keys:
            raise UnknownName(f"no flow '{key}'", place, suggest(key, self.world.flow_keys(), "flows"))
        return self.arm.flow(key)

    # --- choices

    def only_if(self, on: BranchOn, after: Label, **operands: int) -> None:
        """Let only tokens for whom a question is answered yes go on here, and the others at `after`."""
        yes = Label()
        self.emit(Op.BRANCH, code=on, target=yes, **operands)
        self.jump(after)
        self.place(yes)

    def only_if_of_class(self, classes: int, after: Label) -> None:
        """
        Let only tokens go on here whose class is in the bits `classes`.

        Where there are more classes than a number has bits, it is a share of all of some and of none of the others.
        """
        count = len(self.tables.classes)
        if count <= CLASSES_IN_A_MASK:
            self.only_if(BranchOn.CLASS, after, classes=classes)
            return
        share = self.tables.shares.add(tuple(float(classes >> number & 1) for number in range(count)))
        stream = self.tables.streams.add(f"{self.name}//class")  # nothing hangs on what is drawn
        self.only_if(BranchOn.SHARE, after, share=share, stream=stream, steady=1)

    def become(self, to: Mapping[str, str], *, only: int = -1) -> None:
        """
        Give tokens, of those whose class is in the bits `only`, another class or other values of attributes; what else
        they are they stay.
        """
        some = only & self.tables.classes.mask_of_all(self.possible)
        targets = {target: mask & some for target, mask in self.tables.classes.changed(to).items() if mask & some}
        after = Label()
        for target, mask in list(targets.items())[:-1]:
            other = Label()
            self.only_if_of_class(mask, other)
            self.emit(Op.SET, code=SetWhat.CLASS, new_class=target)
            self.jump(after)
            self.place(other)
        self.emit(Op.SET, code=SetWhat.CLASS, new_class=list(targets)[-1])
        self.place(after)

    def adopts(self, condition: Condition) -> int:
        """Return the flag of those who meet a condition of adoption."""
        return self.tables.adoptions.flag(condition, self.number, self.name)

    def choose(self, texts: Texts[Text], scope: Scope, write: Callable[[Text, Scope], None]) -> None:
        """Write the one text of a part, or a choice between its editions."""
        if isinstance(texts, Same):
            write(texts.text, scope)
            return
        routine, first = self.routine, len(self.routine.rows)
        self.choose(texts.no, replace(scope, edition=scope.edition.outside(texts.condition)), write)
        follows = len(routine.rows)
        self.choose(texts.yes, replace(scope, edition=scope.edition.among(texts.condition)), write)
        if routine.does(first):  # else neither edition does anything with these arguments
            routine.part(first, follows, self.adopts(texts.condition))

    # --- ways

    def way(self, target: str, labels: Mapping[str, Label], scope: Scope, place: Place) -> Label:
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

    def write_leaving(self) -> None:
        """Write the ways on which tokens give back all that they have, to the end of the routine."""
        routine = self.routine
        if not routine.leaving:
            return
        end, empty = Label(), Label()
        routine.jump(end)
        for blocks, way in routine.leaving.items():
            routine.place(way)
            for block in reversed(blocks):
                routine.release(block, if_held=0)
            routine.jump(empty)
        routine.place(empty)
        for kept in routine.kept:
            routine.release(kept, if_held=1)
        routine.place(end)

    # --- marks

    def mark(self, mark: str, scope: Scope, *, kind: str | None = None) -> None:
        """Mark the moment."""
        self.emit(Op.MARK, mark=self.mark_number(mark, scope, kind=kind))

    def mark_number(self, mark: str, scope: Scope, *, kind: str | None = None) -> Later:
        """Return the number of a mark."""
        name = MarkName(self.name, self.entry.flow, scope.call, mark, scope.place, kind or self.kind.name)
        return self.tables.marks.add((self.name, scope.call, mark), self.order(scope), lambda: name)

    def deadline(self, name: str, place: Place) -> int:
        """Return the number of a deadline that tokens of the entry at hand may have; raises UnknownName."""
        known = self.tables.reach.of(self.entry.flow).deadlines
        if name not in known:
            raise UnknownName(f"no deadline '{name}'", place, suggest(name, known, "deadlines"))
        self.tables.deadlines.setdefault(name, {})
        return list(self.tables.deadlines).index(name)

    def finding(self, truth: str, finding: str, scope: Scope) -> None:
        """Mark what is so, or was found, of a truth; it says whose truth that is."""
        owner = self.kind.owner(truth)
        mark = f"{truth}.{finding}"
        name = MarkName(self.name, self.entry.flow, scope.call, mark, scope.place, self.kind.name, truth=truth)
        number = self.tables.marks.add(
            (self.name, scope.call, mark, owner), self.order(scope), lambda: replace(name, owner=owner.numbers)
        )
        self.emit(Op.MARK, mark=number)

    def note(self, mark: str, scope: Scope) -> None:
        """Mark, and raise the flag when a condition of this flow asks for the mark."""
        self.mark(mark, scope)
        if mark in self.consulted:
            self.emit(Op.SET, code=SetWhat.RAISE_FLAG, flag=self.mark_flag(mark, scope))

    # --- truths

    def checked(self, truth: str, scope: Scope) -> None:
        """Note that the tokens at hand are checked for a truth."""
        order = self.order(scope)
        self.truths[truth] = min(self.truths.get(truth, order), order)

    def truths_in_order(self) -> list[str]:
        """Return the truths of the tokens of the routine at hand, in order."""
        return sorted(self.truths, key=self.truths.__getitem__)
