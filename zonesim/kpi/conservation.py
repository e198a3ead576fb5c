"""
The exact identity between what the engine counts and what its records say.

Over the measured window, the tokens at a step integrated over time are the sum of their stays clipped to it, in ms,
with no remainder; the same holds for the queue and the busy units of every resource. Every run proves it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from zonesim.faults import InternalError
from zonesim.kpi import fold_layout as f
from zonesim.kpi.fold_tables import KEPT
from zonesim.plan import NEVER, Ints, Plan, Totals


def check_integrals(plan: Plan, totals: Totals, stays: Ints, waits: Ints) -> None:
    """
    Raise InternalError unless the engine's own integrals equal those of the records: by step, the sums over all visits
    of stays and waits, clipped to the window (ms).
    """
    names, uses = plan.names, _uses(plan)
    services = stays - waits
    queue, busy = (np.zeros(len(names.resources), dtype=np.int64) for _ in range(2))
    np.add.at(queue, uses.queues[:, 1], waits[uses.queues[:, 0]])
    # While work is interrupted its unit is not in use, though the visit of its step goes on.
    spent = np.where(uses.stopped, -waits[uses.units[:, 0]], services[uses.units[:, 0]])
    np.add.at(busy, uses.units[:, 1], uses.units[:, 2] * spent)
    _equal(totals.at_step, stays, lambda row: f"tokens at {names.steps[row].entry}/{'.'.join(names.steps[row].path)}")
    _equal(totals.queue, queue, lambda row: f"queue of {names.resources[row]}")
    _equal(totals.busy, busy, lambda row: f"use of {names.resources[row]}")


def overtime(plan: Plan, late: Ints) -> Ints:
    """
    Return, by resource, the unit-ms in use after the measured window. `late`: (step, queued, started, ended) of all
    visits that end after it, or not at all.
    """
    uses = _uses(plan)
    found = np.zeros(len(plan.names.resources), dtype=np.int64)
    step, times = late[:, 0], late[:, 1:].copy()
    times[times == NEVER] = plan.horizon
    queued, started, ended = np.maximum(times, plan.end).T
    spent = {True: queued - started, False: ended - started}  # interrupted work has its unit not in use meanwhile
    for (number, resource, units), stopped in zip(uses.units.tolist(), uses.stopped.tolist(), strict=True):
        found[resource] += units * int(spent[stopped][step == number].sum())
    return found


@dataclass(frozen=True, eq=False)
class _Uses:
    """
    What steps use. `queues`: (step, resource); a token stands in one queue once, however many units it asks for.
    `units`: (step, resource, units), and whether it is `stopped`: an interruption.
    """

    queues: Ints
    units: Ints
    stopped: NDArray[np.bool_]


@lru_cache(maxsize=KEPT)
def _uses(plan: Plan) -> _Uses:
    steps = list(enumerate(plan.names.steps))
    queues = [(number, resource) for number, step in steps for resource in step.asked]
    units = [
        (number, *pair, step.is_interruption)
        for number, step in steps
        for pair in zip(step.resources, step.units, strict=True)
    ]
    rows = np.array(units, dtype=np.int64).reshape(-1, 4)
    return _Uses(np.array(queues, dtype=np.int64).reshape(-1, 2), rows[:, :3], rows[:, 3] > 0)


class Books:
    """
    Sums over all bookings by account: what is added in the whole run, its quantity-ms inside the window, and what is
    `booked` there, credits and debits apart. `accounts` holds them, with the fields that `fold_layout` names.
    """

    def __init__(self, plan: Plan) -> None:
        self.names = plan.names.accounts
        self.start = plan.accounts["start"]
        rows = np.zeros((max(len(self.names), 1), f.ACCOUNT_FIELDS), dtype=np.int64)
        rows[: len(self.names), f.AREA] = self.start * int(plan.window[1] - plan.window[0])
        self.accounts = rows.ravel()

    @property
    def _rows(self) -> Ints:
        return self.accounts.reshape(-1, f.ACCOUNT_FIELDS)[: len(self.names)]

    @property
    def booked(self) -> Ints:
        """Return credits and debits inside the window; shape (accounts, 2)."""
        return self._rows[:, f.CREDITED :]

    def check(self, totals: Totals) -> None:
        """Raise InternalError unless start + credits - debits is what every account of the engine holds at the end."""
        for row, name in enumerate(self.names):
            told, held = int(self.start[row] + self._rows[row, f.ADDED]), int(totals.levels[row])
            if told != held:
                message = f"account {name}: the engine ends with {held}, the records say {told}"
                raise InternalError(message)
        _equal(totals.level_time, self._rows[:, f.AREA], lambda row: f"account {self.names[row]}")


def check_cohort(totals: Totals, first: Ints, after: Ints, sources: Sequence[str]) -> None:
    """
    Raise InternalError unless the measured ordinals `first` to `after` - 1 of each source, as the marks of arrival tell
    them, are those that the engine counted.
    """
    from_marks = np.minimum(np.column_stack([first, after]), totals.arrivals[:, None])
    for source, told, counted in zip(sources, from_marks.tolist(), totals.cohort.tolist(), strict=True):
        if told != counted:
            message = f"measured consignments of {source}: the engine counts {counted}, the marks say {told}"
            raise InternalError(message)


def _equal(engine: Ints, records: Ints, name: Callable[[int], str]) -> None:
    if not np.array_equal(engine, records):
        row = int(np.flatnonzero(engine != records)[0])
        message = f"time integral of {name(row)}: the engine counts {engine[row]} ms, the records say {records[row]} ms"
        raise InternalError(message)
