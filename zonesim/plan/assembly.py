"""Assembling a program: routines of instructions with labels, linked to rows with row numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from zonesim.faults import Place
from zonesim.plan.instructions import form_key
from zonesim.plan.operations import NOWHERE, OPERATIONS, BranchOn, Op, SetWhat, column

_TARGET: Final = column(Op.JUMP, "target")
_AGAIN: Final = column(Op.JUMP, "again")

Value = TypeVar("Value")
"""What stands for an operand while a program is written: a number, or a label that becomes one."""

_OPERANDS: Final[dict[tuple[int, int], tuple[str, ...]]] = {
    form_key(op, form.code): tuple(each.name if each else "" for each in form.operands[form.code is not None :])
    for op, operation in OPERATIONS.items()
    for form in operation.forms
}
"""The names of the operands in their order, behind the code."""


def row_of(op: Op, step: Value, code: BranchOn | SetWhat | None, operands: Mapping[str, Value]) -> list[int | Value]:
    """Return a row of a program with operands by name; raises TypeError when they are not those of the operation."""
    names = _OPERANDS[form_key(op, code)]
    head: list[int | Value] = [int(op), step] if code is None else [int(op), step, int(code)]
    if names == tuple(operands):
        return [*head, *operands.values()]
    if len(operands) != len(names) - names.count("") or not operands.keys() <= set(names):
        raise TypeError(f"{op.name} has {', '.join(filter(None, names))}, not {', '.join(operands)}")
    return [*head, *(operands.get(name, 0) for name in names)]


class Later:
    """A number that is known later: a row of a table once it is closed, a row of the program once it is linked."""

    __slots__ = ("row",)

    def __init__(self) -> None:
        self.row = -1


class Label(Later):
    """A place in a program."""

    __slots__ = ()


Operand = int | Later


class Spot(NamedTuple):
    """
    Where an operation comes from: the step that it works for, by its `path` from the outside in, and where that is
    written, as a `place` and as a path of the world (`text`).
    """

    path: tuple[str, ...]
    text: tuple[str, ...]
    place: Place


class Written(list[Operand]):
    """An operation with its operands, and where it comes from."""

    __slots__ = ("spot",)

    def __init__(self, parts: Sequence[Operand], spot: Spot | None) -> None:
        super().__init__(parts)
        self.spot = spot


@dataclass(frozen=True)
class Kept:
    """Units in a slot that wait for the end of a later step: the step of their visit, and their rows of needs."""

    slot: Later
    step: Later
    first: int
    rows: int


@dataclass(frozen=True)
class Block:
    """What a token holds inside a block: the step of its visit, its rows of needs, and the slot."""

    step: Later
    first: int
    rows: int
    slot: int


class Routine:
    """
    Instructions of one kind of token, in order. Labels may be used before they are placed.

    `at` is where the step at hand stands. Slots below `nested` belong to blocks, by their depth; those above to
    units that are kept after their block, all of which `kept` lists. `leaving`: where a token goes on, by the blocks
    that it is inside of, to give back all that it has and leave.
    """

    def __init__(self) -> None:
        self.rows: list[Written | Label] = []
        self.at: Spot | None = None
        self.nested = 0
        self._kept: list[Later] = []
        self.leaving: dict[tuple[Block, ...], Label] = {}
        self.kept: list[Kept] = []

    def emit(
        self, op: Op, step: Operand = NOWHERE, code: BranchOn | SetWhat | None = None, **operands: Operand
    ) -> None:
        """Append an operation with its operands by name, and the code that they belong to where it has several."""
        self.rows.append(Written(row_of(op, step, code, operands), self.at))

    def release(self, held: Block | Kept, *, if_held: int) -> None:
        """Append the end of the visit of units in a slot."""
        self.emit(Op.RELEASE, held.step, first_need=held.first, needs=held.rows, slot=held.slot, if_held=if_held)

    def does(self, first: int) -> bool:
        """Return whether anything is done from the row `first` on."""
        return any(isinstance(row, Written) for row in self.rows[first:])

    def part(self, first: int, follows: int, flag: int) -> None:
        """Let only tokens without a flag do the rows from `first` on, and those with it those from `follows` on."""
        yes, after = Label(), Label()
        if self.does(follows):
            self.rows.insert(follows, Written(row_of(Op.JUMP, NOWHERE, None, {"target": after, "again": 0}), self.at))
            follows += 1
        self.rows.insert(follows, yes)
        self.rows.insert(
            first, Written(row_of(Op.BRANCH, NOWHERE, BranchOn.FLAG, {"flag": flag, "target": yes}), self.at)
        )
        self.rows.append(after)

    def slot_for_kept(self) -> Later:
        """Return a slot of its own; its number is known when the routine is closed."""
        self._kept.append(Later())
        return self._kept[-1]

    def close(self) -> None:
        """Number the slots of kept units."""
        for number, slot in enumerate(self._kept):
            slot.row = self.nested + number

    def place(self, label: Label) -> None:
        """Let `label` mean the next instruction."""
        self.rows.append(label)

    def jump(self, target: Label) -> None:
        """Append a jump; whether it goes backward is found when linking."""
        self.emit(Op.JUMP, target=target, again=0)


def link(routines: Sequence[Routine]) -> tuple[list[tuple[int, ...]], list[Spot | None]]:
    """
    Return the rows of a program, all routines one behind the other with row numbers for labels, and where each comes
    from.
    """
    count = 0
    for routine in routines:
        for row in routine.rows:
            if isinstance(row, Label):
                row.row = count
            else:
                count += 1
    program: list[tuple[int, ...]] = []
    spots: list[Spot | None] = []
    for routine in routines:
        for row in routine.rows:
            if isinstance(row, Label):
                continue
            linked = [part.row if isinstance(part, Later) else part for part in row]
            if linked[0] == Op.JUMP:
                linked[_AGAIN] = int(linked[_TARGET] <= len(program))
            program.append(tuple(linked))
            spots.append(row.spot)
    return program, spots
