"""
The exact identity between what the engine counts and what its records say.

Over the measured window, the tokens at a step integrated over time are the sum of their stays clipped to it, in ms,
with no remainder; the same holds for the queue and the busy units of every resource. Every run proves it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zonesim.faults import BrokenPromise
from zonesim.plan.plan import Plan
from zonesim.plan.records import Ints, Totals


class Integrals:
    """Sums over all visits, by step, of stays, waits and times with units in hand, clipped to the window (ms)."""

    def __init__(self, plan: Plan) -> None:
        self.names = plan.names
        steps = len(plan.names.steps)
        self.stays = np.zeros(steps, dtype=np.int64)
        self.waits = np.zeros(steps, dtype=np.int64)
        self.services = np.zeros(steps, dtype=np.int64)

    def add(self, step: Ints, queued: Ints, started: Ints, ended: Ints) -> None:
        """Add visits whose times are clipped to the window, all three arrays of the length of `step`."""
        np.add.at(self.stays, step, ended - queued)
        np.add.at(self.waits, step, started - queued)
        np.add.at(self.services, step, ended - started)

    def check(self, totals: Totals) -> None:
        """Raise BrokenPromise unless the engine's own integrals equal these."""
        names = self.names
        resources = len(names.resources)
        queue, busy = np.zeros(resources, dtype=np.int64), np.zeros(resources, dtype=np.int64)
        for number, step in enumerate(names.steps):
            for resource in set(step.resources):  # a token stands in one line once, however many units it asks for
                queue[resource] += self.waits[number]
            for resource, units in zip(step.resources, step.units, strict=True):
                # While work is interrupted its unit is not in use, though the visit of its step goes on.
                busy[resource] += units * (-self.waits[number] if step.is_interruption else self.services[number])
        steps = [f"tokens at {step.entry}/{'.'.join(step.path)}" for step in names.steps]
        _equal(totals.at_step, self.stays, steps)
        _equal(totals.queue, queue, [f"queue of {name}" for name in names.resources])
        _equal(totals.busy, busy, [f"use of {name}" for name in names.resources])


class Books:
    """
    Sums over all bookings by account: what is added in the whole run, its quantity-ms inside the window, and what is
    `booked` there, credits and debits apart.
    """

    def __init__(self, plan: Plan) -> None:
        marks = plan.names.marks
        self.names = plan.names.accounts
        self.begin, self.end, _ = (int(value) for value in plan.window)
        self.start = plan.accounts[:, 0]
        self.account = np.array([mark.account for mark in marks], dtype=np.int64)
        self.amount = np.array([mark.amount for mark in marks], dtype=np.int64)
        self.added = np.zeros(len(self.names), dtype=np.int64)
        self.area = self.start * (self.end - self.begin)
        self.booked = np.zeros((len(self.names), 2), dtype=np.int64)

    def add(self, mark: Ints, time: Ints) -> None:
        """Add those of some marks that are bookings."""
        books = self.account[mark] >= 0
        if not books.any():
            return
        account, amount, when = self.account[mark[books]], self.amount[mark[books]], time[books]
        np.add.at(self.added, account, amount)
        np.add.at(self.area, account, amount * (self.end - np.clip(when, self.begin, self.end)))
        inside = (when >= self.begin) & (when < self.end)
        side = (amount[inside] < 0).astype(np.int64)
        np.add.at(self.booked, (account[inside], side), np.abs(amount[inside]))

    def check(self, totals: Totals) -> None:
        """Raise BrokenPromise unless start + credits - debits is what every account of the engine holds at the end."""
        for row, name in enumerate(self.names):
            told, held = int(self.start[row] + self.added[row]), int(totals.levels[row])
            if told != held:
                message = f"account {name}: the engine ends with {held}, the records say {told}"
                raise BrokenPromise(message)
        _equal(totals.level_time, self.area, [f"account {name}" for name in self.names])


def check_cohort(totals: Totals, first: Ints, after: Ints, sources: Sequence[str]) -> None:
    """
    Raise BrokenPromise unless the measured ordinals `first` to `after` - 1 of each source, as the marks of arrival tell
    them, are those that the engine counted.
    """
    from_marks = np.minimum(np.column_stack([first, after]), totals.arrivals[:, None])
    for source, told, counted in zip(sources, from_marks.tolist(), totals.cohort.tolist(), strict=True):
        if told != counted:
            message = f"measured consignments of {source}: the engine counts {counted}, the marks say {told}"
            raise BrokenPromise(message)


def _equal(engine: Ints, records: Ints, names: Sequence[str]) -> None:
    if not np.array_equal(engine, records):
        row = int(np.flatnonzero(engine != records)[0])
        message = (
            f"time integral of {names[row]}: the engine counts {engine[row]} ms, the records say {records[row]} ms"
        )
        raise BrokenPromise(message)
