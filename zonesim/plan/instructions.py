"""Rows of a program as instructions with operands by name, as the operation table declares them."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from zonesim.plan.columns import Rows
from zonesim.plan.operations import (
    NOWHERE,
    OPERATIONS,
    PROGRAM_COLUMNS,
    Facts,
    Form,
    Instruction,
    Operation,
    Then,
    Who,
)

_Reader = Callable[[Sequence[int]], Instruction]


def _reader(operation: Operation, form: Form) -> _Reader:
    declared = tuple(each for each in form.operands if each)
    operands = [each.name for each in declared]
    name = operation.op.name.capitalize() + (form.code.name.title().replace("_", "") if form.code is not None else "")
    base = namedtuple(name, ("op", "step", *operands))  # type: ignore[misc]  # noqa: PYI024  its fields are data
    kind: Any = type(name, (base,), {"facts": form.facts, "declared": declared, "__slots__": ()})
    chosen = itemgetter(0, 1, *(form.column(each) for each in operands))
    return lambda row: cast("Instruction", kind._make(chosen(row)))


_CODED: Final = frozenset(int(op) for op, each in OPERATIONS.items() if len(each.forms) > 1)
"""Operations whose first operand says which operands the others are."""


def form_key(op: int, code: int | None) -> tuple[int, int]:
    """Return what a form is found by: plain numbers, for members of an enum are slow to look up."""
    return int(op), NOWHERE if code is None else int(code)


_READERS: Final[dict[tuple[int, int], _Reader]] = {
    form_key(op, form.code): _reader(operation, form)
    for op, operation in OPERATIONS.items()
    for form in operation.forms
}


def decoded(rows: Iterable[Sequence[int]]) -> list[Instruction]:
    """Return the rows of a program table, each of nine numbers, with their operands by name."""
    return [_READERS[row[0], row[2] if row[0] in _CODED else NOWHERE](row) for row in rows]


def successors(instruction: Instruction, row: int, starts: Sequence[int] | None = None) -> Iterator[tuple[Then, int]]:
    """
    Yield where tokens may go on after the instruction at a row, those that it starts only when `starts` says at which
    row the tokens of each source begin.
    """
    for then in instruction.facts.then:
        target = getattr(instruction, then.to) if then.to else row + 1
        if then.who is Who.HEIR:
            target = starts[target] if starts else NOWHERE
        if target != NOWHERE:
            yield then, target


def has_children(instruction: Instruction) -> bool:
    """Return whether tokens start here beside the one that goes on."""
    return any(then.who is Who.CHILD for then in instruction.facts.then)


def leads_away(instruction: Instruction) -> bool:
    """Return whether all that is done here is to go on elsewhere."""
    return instruction.facts == Facts((Then("target"),))


def rows_where(program: Rows, test: Callable[[Facts], object]) -> NDArray[np.bool_]:
    """Return which rows of a program table do what is asked for."""
    found = np.zeros(len(program), dtype=np.bool_)
    for op, operation in OPERATIONS.items():
        for form in operation.forms:
            if test(form.facts):
                rows = program["op"] == op
                found |= rows if form.code is None else rows & (program["a"] == form.code)
    return found


def program_rows(rows: Iterable[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return `rows`, each padded with zeros to the columns of a program."""
    width = len(PROGRAM_COLUMNS)
    return [(*row, *(0,) * (width - len(row))) for row in rows]
