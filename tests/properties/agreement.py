"""What an engine makes of a plan, and where two of them differ first."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pytest

from tests.helper import RowLog
from zonesim.engine import ENGINES, Engine, compiled_engine
from zonesim.engine.kernel_input import input_of
from zonesim.faults import RunFault
from zonesim.plan import Block, Plan, Sink, Totals
from zonesim.plan.columns import MARK, VISIT
from zonesim.plan.records import NUMBER_BITS, number_of
from zonesim.units import format_ms


@dataclass(frozen=True)
class Outcome:
    """The rows of a run in their order with its totals, or the fault that ended it."""

    visits: np.ndarray
    marks: np.ndarray
    totals: Totals | None
    fault: str


def cramped(plan: Plan, seed: int, replication: int, sink: Sink) -> Totals:
    """Run a plan on the compiled engine with next to no room: it returns, grows and hands blocks on all the time."""
    input_of(plan).spare.clear()
    with pytest.MonkeyPatch.context() as patch:
        for name, room in ROOM.items():
            patch.setattr(compiled_engine, name, room)
        return compiled_engine.simulate(plan, seed, replication, sink)


ROOM = {"BLOCK_ROWS": 23, "SLICE": 97, "_FIRST_SLOTS": 2, "_FIRST_EVENTS": 16, "_FIRST_BATCHES": 2}
"""Rows of a block, events of a slice, and how many tokens, events and batches there is room for at first."""


MOST_ROWS = 300_000
"""Rows after which a random model is given up: now and then one starts more tokens than end, and more of them, for ever."""


class _Rows(RowLog):
    """A log that ends a run with too many rows; every engine has the same number of them."""

    count = 0

    def take(self, block: Block) -> None:
        super().take(block)
        self.count += len(block.visits) + len(block.marks)
        if self.count > MOST_ROWS:
            raise RunFault("more rows than a random model is followed for")


def outcome(plan: Plan, engine: str | Engine, seed: int = 1, replication: int = 0) -> Outcome:
    """Run a plan on an engine."""
    simulate = ENGINES[engine] if isinstance(engine, str) else engine
    sink = _Rows()
    totals, fault = None, ""
    try:
        totals = simulate(plan, seed, replication, sink)
    except RunFault as found:
        fault = str(found)
    visits = [block.visits for block in sink.blocks]
    marks = [block.marks for block in sink.blocks]
    if fault:  # how much of a broken run has been handed over is not part of its meaning
        visits, marks = [], []
    return Outcome(
        np.concatenate([np.empty(0, VISIT), *visits]),
        np.concatenate([np.empty(0, MARK), *marks]),
        totals,
        fault,
    )


def difference(plan: Plan, one: Outcome, other: Outcome) -> str:
    """Return the first thing in which two outcomes of a plan differ, for people; "" when they are equal to the byte."""
    if one.fault != other.fault:
        return f"fault:\n  {one.fault or 'none'}\n  {other.fault or 'none'}"
    for name in ("visits", "marks"):
        first, second = getattr(one, name), getattr(other, name)
        if first.dtype != second.dtype or first.shape[1:] != second.shape[1:]:
            return f"{name}: {first.dtype} {first.shape} against {second.dtype} {second.shape}"
        if first.tobytes() != second.tobytes():
            return f"{name}, {len(first)} rows against {len(second)}:\n{_first_row(plan, name, first, second)}"
    return _other_total(plan, one.totals, other.totals)


def _first_row(plan: Plan, name: str, one: np.ndarray, other: np.ndarray) -> str:
    common = min(len(one), len(other))
    apart = np.flatnonzero(one[:common] != other[:common])
    row = int(apart[0]) if len(apart) else common
    lines = []
    for number in range(max(0, row - 3), row + 3):
        for side, table in (("one  ", one), ("other", other)):
            if number < len(table) and (number >= row or side == "one  "):
                sign = ">" if number == row else " "
                lines.append(
                    f"{sign} row {number} {side if number >= row else 'both '} {told(plan, name, table[number])}"
                )
    return "\n".join(lines)


def told(plan: Plan, name: str, row: np.ndarray) -> str:
    """Return a visit or mark for people."""
    key, *times = row.tolist()
    number = number_of(key)
    token = plan.names.token(number)
    if name == "marks":
        return f"{token} mark {plan.names.marks[key >> NUMBER_BITS].name} at {format_ms(times[0])} ({times[0]})"
    step = plan.names.steps[key >> NUMBER_BITS]
    words = ", ".join(
        f"{what} {'-' if time == -1 else f'{format_ms(time)} ({time})'}"
        for what, time in zip(VISIT.names[1:], times, strict=True)
    )
    return f"{token} at {'.'.join(step.path)}: {words}"


def _other_total(plan: Plan, one: Totals | None, other: Totals | None) -> str:
    if one is None or other is None:
        return "" if one is other else "one has totals, the other has none"
    for field in fields(Totals):
        first, second = getattr(one, field.name), getattr(other, field.name)
        if field.name == "classes":
            equal = len(first) == len(second) and all(_same(a, b) for a, b in zip(first, second, strict=True))
        elif field.name == "events":
            equal = first == second
        else:
            equal = _same(first, second)
        if not equal:
            return f"totals.{field.name}:\n  one   {_plain(first)}\n  other {_plain(second)}"
    return ""


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return str([_plain(each) for each in value])
    return f"{value.dtype} {value.tolist()}" if isinstance(value, np.ndarray) else str(value)
