"""Assembling a program: routines of instructions with labels, linked to rows with row numbers."""

from __future__ import annotations

from collections.abc import Sequence

from zonesim.plan.operations import Op


class Label:
    """A place in a program; its row number is known after linking."""

    __slots__ = ("row",)

    def __init__(self) -> None:
        self.row = -1


Operand = int | Label


class Routine:
    """Instructions of one kind of token, in order. Labels may be used before they are placed."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, ...] | list[Operand] | Label] = []

    def emit(self, op: Op, step: int = -1, *operands: Operand) -> None:
        """Append an instruction."""
        self.rows.append([int(op), step, *operands])

    def place(self, label: Label) -> None:
        """Let `label` mean the next instruction."""
        self.rows.append(label)

    def jump(self, target: Label) -> None:
        """Append a jump; whether it goes backward is found when linking."""
        self.emit(Op.JUMP, -1, target, 0)


def link(routines: Sequence[Routine]) -> list[tuple[int, ...]]:
    """Return the rows of a program: all routines one behind the other, labels replaced by row numbers."""
    count = 0
    for routine in routines:
        for row in routine.rows:
            if isinstance(row, Label):
                row.row = count
            else:
                count += 1
    program: list[tuple[int, ...]] = []
    for routine in routines:
        for row in routine.rows:
            if isinstance(row, Label):
                continue
            linked = [part.row if isinstance(part, Label) else part for part in row]
            if linked[0] == Op.JUMP:
                linked[3] = int(linked[2] <= len(program))
            program.append(tuple(linked))
    return program
