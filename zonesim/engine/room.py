"""What a run writes to: made once, and left as it was for the next run of the same plan."""

from __future__ import annotations

from itertools import accumulate
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zonesim.engine.arrivals import Population, rates_drawn
from zonesim.engine.kernel import layout as k
from zonesim.plan import NOWHERE, Plan

_CACHE_LINE: Final = 64


def zeros(count: int, dtype: np.dtype[Any]) -> k.Rows:
    """Return records, the first at the beginning of a line of the processor's cache."""
    space = np.zeros(count * dtype.itemsize + _CACHE_LINE, dtype=np.uint8)
    begin = -space.ctypes.data % _CACHE_LINE
    found: k.Rows = space[begin : begin + count * dtype.itemsize].view(dtype)
    return found


def as_bytes(rows: NDArray[Any]) -> NDArray[Any]:
    """Return each record as one value: numpy copies these whole, not field by field."""
    return rows.view(f"V{rows.itemsize}")


class Room:
    """
    The tables that a run changes, and slots for its tokens, events and batches.

    The tables are handed over as they are before anything happens. Here they lie side by side, so that one copy makes
    them so again.
    """

    def __init__(
        self,
        states: k.Rows,
        hours: k.Hours,
        resources: k.Resources,
        arrivals: k.Arrivals,
        batches: k.Batches,
        accounts: k.Rows,
    ) -> None:
        self._tables, copies = _side_by_side(
            states,
            hours.last_opened,
            resources.states,
            resources.queues,
            resources.falls,
            resources.clocks,
            arrivals.sources,
            arrivals.expected,
            batches.forming,
            batches.departed,
            accounts,
        )
        self._before = self._tables.copy()
        self.states, opened, units, queues, falls, clocks, sources, expected, *lines, self.accounts = copies
        self.hours = hours._replace(last_opened=opened)
        self.resources = resources._replace(states=units, queues=queues, falls=falls, clocks=clocks)
        members = len(arrivals.member_class)
        self.arrivals = arrivals._replace(
            sources=sources,
            expected=expected,
            member_flags=np.zeros(members + 1, dtype=np.int64),
            raised=np.zeros((len(arrivals.shares) + 1) * members, dtype=np.bool_),
        )
        self.batches = batches._replace(forming=lines[0], departed=lines[1])
        self.events = zeros(0, k.EVENT)
        self._blank = blank_slot(states[0])
        self.tokens = self._blank
        self._slots: list[k.Rows] = []
        """Of each array of `tokens`, its rows by slot."""

    def begin(self, slots: int, events: int, batches: int) -> None:
        """Be as before anything happens, with room for so many at least."""
        self._tables[:] = self._before
        if len(self.tokens.tokens) < slots:
            self._make_slots(slots)
        if len(self.events) < events:
            self.events = zeros(events, k.EVENT)
        if len(self.batches.batches) < batches:
            self.batches = self.batches._replace(batches=np.zeros(batches, dtype=k.BATCH))

    def adopt(self, population: Population) -> None:
        """Have the members as they are in a replication."""
        self.arrivals.member_flags[:-1] = population.flags
        raised = np.ravel(population.raised)
        self.arrivals.raised[: len(raised)] = raised

    def multiply(self, plan: Plan, key: np.uint64) -> None:
        """Have the rates as they are in a replication, where random factors multiply them."""
        rates = plan.rates
        for source in np.unique(plan.factors["source"]).tolist():
            drawn = rates_drawn(plan, source, key)
            own = self.arrivals.sources[source]
            own["first"], own["count"] = len(rates), len(drawn)
            rates = np.concatenate([rates, drawn])
        self.arrivals = self.arrivals._replace(rates=rates)

    def more_slots(self) -> None:
        """Have twice as many slots for tokens."""
        fewer, have = self._slots, len(self.tokens.tokens)
        self._make_slots(2 * have)
        for before, after in zip(fewer, self._slots, strict=True):
            after[:have] = before

    def more_events(self) -> None:
        """Have room for twice as many events."""
        self.events = _doubled(self.events)

    def more_batches(self) -> None:
        """Have room for twice as many batches."""
        self.batches = self.batches._replace(batches=_doubled(self.batches.batches))

    def leave(self, slots: int, batches: int) -> None:
        """Make the first slots and batches, which a run has used, blank again."""
        self._clear(slots)
        as_bytes(self.batches.batches)[:batches] = np.void(bytes(k.BATCH.itemsize))

    def _make_slots(self, count: int) -> None:
        self.tokens = k.Tokens._make(zeros(count * len(blank), blank.dtype) for blank in self._blank)
        self._slots = [
            as_bytes(rows).reshape(count, len(blank)) for rows, blank in zip(self.tokens, self._blank, strict=True)
        ]
        for rows, blank in zip(self._slots, self._blank, strict=True):
            if any(blank.tobytes()):  # else they are blank already
                rows[:] = as_bytes(blank)

    def _clear(self, count: int) -> None:
        """Make the first slots blank."""
        for rows, blank in zip(self._slots, self._blank, strict=True):
            if len(blank):
                rows[:count] = as_bytes(blank)


def blank_slot(state: k.Record) -> k.Tokens:
    """Return the slot of a token that has nothing in hand and waits for nobody."""
    blank = k.Tokens(
        zeros(1, k.TOKEN),
        zeros(int(state["open_visits"]), k.OPEN_VISIT),
        zeros(1 << int(state["node_bits"]), k.NODE),
        np.zeros(int(state["ahead"]), dtype=np.int64),
        np.zeros(int(state["parties"]), dtype=np.int64),
        np.zeros(int(state["groups"]), dtype=np.int64),
        zeros(int(state["interruptible"]), k.WORK),
        np.zeros(int(state["timed"]) << int(state["node_bits"]), dtype=np.int64),
        np.full(int(state["deadlines"]), NOWHERE, dtype=np.int64),
    )
    for field in ("number", "delay_step", "joins", "deadline"):
        blank.tokens[field] = NOWHERE
    blank.visits["queued"] = k.EMPTY
    return blank


def _side_by_side(*tables: NDArray[Any]) -> tuple[k.Rows, list[NDArray[Any]]]:
    """Return copies of some tables that lie side by side, each from the beginning of a line of the cache on."""
    lines = [-(-table.nbytes // _CACHE_LINE) for table in tables]
    every = zeros(sum(lines), np.dtype((np.void, _CACHE_LINE)))
    copies = []
    for first, table in zip(accumulate(lines, initial=0), tables, strict=False):
        copy = every[first:].view(np.uint8)[: table.nbytes].view(table.dtype)
        as_bytes(copy)[:] = as_bytes(table)
        copies.append(copy)
    return every, copies


def _doubled(rows: k.Rows) -> k.Rows:
    """Return records with as many more behind them."""
    more = zeros(2 * len(rows), rows.dtype)
    as_bytes(more)[: len(rows)] = as_bytes(rows)
    return more
