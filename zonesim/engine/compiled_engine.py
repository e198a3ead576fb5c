"""
The compiled engine: the same records as the reference engine, row for row, many times as fast (docs/performance.md).

Here blocks are handed on, arrays grow, and what the kernel cannot say itself is put into words; `kernel` is the loop,
`kernel_input` what it reads, `inside` what is left when it is done.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zonesim.compiled.streams import run_key
from zonesim.engine.arrivals import Population
from zonesim.engine.inside import Inside
from zonesim.engine.kernel import layout as k
from zonesim.engine.kernel.breakdowns import start_clocks
from zonesim.engine.kernel.loop import run
from zonesim.engine.kernel_input import as_bytes, input_of, zeros
from zonesim.engine.run_faults import endless, made_twice, overdrawn, spawn_loop, too_large, too_many_tokens
from zonesim.limits import LARGEST_ROOM, free_memory
from zonesim.plan import MARK, NOWHERE, VISIT, Block, Ints, Plan, Sink, Totals

BLOCK_ROWS: Final = 16_384
"""Visits (and marks) in a record block."""

SLICE: Final = 1_000_000
"""Timed events after which a run looks up: an interrupt is answered between slices, each about a tenth of a second."""

_IN_RESERVE: Final = 4
"""A round of the kernel's loop adds fewer rows and events than this without looking."""

_FIRST_SLOTS: Final = 512
_FIRST_EVENTS: Final = 1024
_FIRST_BATCHES: Final = 64


def simulate(plan: Plan, seed: int, replication: int, sink: Sink) -> Totals:
    """
    Run one replication of `plan`; `sink` gets the records in blocks.

    `seed` and `replication` (both from 0) choose what is drawn; equal ones give equal records. Raises RunFault when the
    run cannot go on.
    """
    return _Run(plan, seed, replication, sink).run()


class _Run:
    """One replication."""

    def __init__(self, plan: Plan, seed: int, replication: int, sink: Sink) -> None:
        self.plan = plan
        self.sink = sink
        given = input_of(plan)
        self.given = given
        self.states = given.state.copy()
        self.state: Any = self.states[0]
        self.state["key"] = run_key(seed, replication)
        self.flow, self.draws, self.accounts = given.flow, given.draws, given.accounts.copy()
        self.hours = given.hours._replace(last_opened=given.hours.last_opened.copy())
        self.resources = given.resources._replace(
            states=given.resources.states.copy(),
            queues=np.zeros_like(given.resources.queues),
            falls=given.resources.falls.copy(),
            clocks=given.resources.clocks.copy(),
        )
        self.arrivals = given.population(Population(plan, self.state["key"]))
        self.tokens = self._room()
        self.events = zeros(_FIRST_EVENTS, k.EVENT)
        self.batches = given.batches._replace(
            batches=np.zeros(_FIRST_BATCHES, dtype=k.BATCH), forming=given.batches.forming.copy()
        )
        # A clock that counts busy time may cut short at once what its unit has just gone on with.
        self.reserve = _IN_RESERVE + 2 * int(given.resources.clocks["busy"].sum())
        self.rows = BLOCK_ROWS + self.reserve
        self.output = k.Output(
            np.zeros(self.rows, dtype=VISIT),
            np.zeros(BLOCK_ROWS, dtype=MARK),
            np.zeros(BLOCK_ROWS, dtype=np.int64),
            np.zeros(len(plan.names.steps), dtype=np.int64),
        )
        self.classes: list[list[NDArray[np.int16]]] = [[] for _ in plan.names.sources]
        self._start()

    def _start(self) -> None:
        state = self.state
        state["free_slots"] = len(self.tokens.tokens) - 1
        state["batch_limit"] = _FIRST_BATCHES
        state["events_limit"] = _FIRST_EVENTS - _IN_RESERVE
        state["marks_limit"] = state["arrivals_limit"] = BLOCK_ROWS - _IN_RESERVE
        state["visits_limit"] = self.rows - self.reserve
        if state["clocks"]:
            start_clocks(state, self.draws, self.resources)

    def run(self) -> Totals:
        """Run to the horizon and return the totals."""
        while True:
            reason = self.advance(SLICE)
            if reason == k.DONE:
                break
            if reason == k.FULL:
                self._flush()
            elif reason == k.NEED_SLOTS:
                self._more_slots()
            elif reason == k.NEED_EVENTS:
                self.state["events_limit"] += len(self.events)
                self.events = _doubled(self.events)
            elif reason == k.NEED_BATCHES:
                self.batches = self.batches._replace(batches=_doubled(self.batches.batches))
                self.state["batch_limit"] *= 2
            elif reason != k.YIELD:
                self._fail(reason)
        self._close()
        self._give_up_room()
        return self._totals()

    def advance(self, events: int) -> int:
        """Let at most so many timed events happen; return why the kernel has come back."""
        self.state["budget"] = events
        reason: int = run(
            self.state,
            self.flow,
            self.draws,
            self.hours,
            self.resources,
            self.tokens,
            self.arrivals,
            self.batches,
            self.accounts,
            self.events,
            self.output,
        )
        return reason

    def _flush(self) -> None:
        """Hand the rows written so far to the sink."""
        state, output = self.state, self.output
        visits, marks, arrived = (int(state[field]) for field in ("visits", "marks", "arrivals"))
        if arrived:
            self._note_classes(output.arrivals[:arrived])
        state["visits"] = state["marks"] = state["arrivals"] = 0
        block = Block(output.visits[:visits], output.marks[:marks])
        if state["visits_limit"] < self.rows // 2:  # each interrupted token keeps a row for when it goes on
            state["visits_limit"] += self.rows
            self.rows *= 2
        # A block is the sink's own.
        self.output = output._replace(visits=np.empty(self.rows, dtype=VISIT), marks=np.empty_like(output.marks))
        self.sink.take(block)

    def _note_classes(self, arrived: Ints) -> None:
        """Keep the classes of those who have arrived, by source; few sources arrive in a block of a small plan."""
        source, klass = arrived >> 16, (arrived & 0xFFFF).astype(np.int16)
        for each in np.flatnonzero(np.bincount(source)).tolist():
            self.classes[each].append(klass[source == each])

    def _more_slots(self) -> None:
        have = len(self.tokens.tokens)
        needed = 2 * sum(array.nbytes for array in self.tokens)
        if have > k.LARGEST_SLOT // 2 or needed > min(free_memory(), LARGEST_ROOM):
            raise too_large(have, needed, int(self.state["now"]))
        more = self._slots(2 * have)
        for before, after in zip(self.tokens, more, strict=True):
            as_bytes(after)[: len(before)] = as_bytes(before)
        self.tokens = more
        self.state["free_slots"] += have

    def _slots(self, count: int) -> k.Tokens:
        """Return slots of tokens that have nothing in hand and wait for nobody."""
        state = self.state
        tokens = k.Tokens(
            zeros(count, k.TOKEN),
            zeros(count * int(state["open_visits"]), k.OPEN_VISIT),
            zeros(count << int(state["node_bits"]), k.NODE),
            np.zeros(count * int(state["ahead"]), dtype=np.int64),
            np.zeros(count * int(state["parties"]), dtype=np.int64),
            np.zeros(count * int(state["groups"]), dtype=np.int64),
            zeros(count if state["interruptible"] else 1, k.WORK),
        )
        _empty(tokens.tokens, tokens.visits)
        return tokens

    def _room(self) -> k.Tokens:
        """Return the slots of an earlier run, or a few: what it took to make room is there for the next one."""
        try:
            spare = self.given.spare.pop()
        except IndexError:
            return self._slots(_FIRST_SLOTS)
        return spare if len(spare.tokens) >= _FIRST_SLOTS else self._slots(_FIRST_SLOTS)

    def _give_up_room(self) -> None:
        """Leave the slots to the next run, as they were before anybody came."""
        used, count = int(self.state["fresh_slot"]), len(self.tokens.tokens)
        for rows in self.tokens:
            as_bytes(rows)[: -(-len(rows) // count) * used] = np.void(bytes(rows.itemsize))
        visits = self.tokens.visits[: used * int(self.state["open_visits"])]
        _empty(self.tokens.tokens[:used], visits)
        if not self.given.spare:
            self.given.spare.append(self.tokens)

    def _fail(self, reason: int) -> None:
        plan, fault = self.plan, int(self.state["fault"])
        if reason == k.TWICE:
            raise made_twice(plan, fault)
        if reason == k.ENDLESS:
            raise endless(plan, fault)
        if reason == k.TOO_MANY:
            raise too_many_tokens(plan, fault)
        if reason == k.SPAWN_LOOP:
            raise spawn_loop(plan, fault)
        number = int(self.tokens.tokens["number"][self.state["fault_token"]])
        amount, balance = int(self.state["fault_amount"]), int(self.accounts["balance"][fault])
        raise overdrawn(plan, fault, number, amount, balance - amount, int(self.state["now"]))

    # --- the end

    def _close(self) -> None:
        """Write open rows of whoever is still inside; raises RunFault if they wait for each other for ever."""
        self._flush()
        inside = Inside(self.plan, self.given, self.state, self.tokens, self.batches.batches)
        inside.check_deadlock()
        visits = inside.open_rows()
        for first in range(0, len(visits), BLOCK_ROWS):
            self.sink.take(Block(visits[first : first + BLOCK_ROWS], np.zeros(0, dtype=MARK)))

    def _totals(self) -> Totals:
        resources, sources = self.resources.states, self.arrivals.sources
        return Totals(
            busy=resources["busy"].copy(),
            open=resources["open"].copy(),
            broken=resources["broken"].copy(),
            queue=resources["queued"].copy(),
            peak=resources["peak"].copy(),
            at_step=self.output.at_step,
            arrivals=sources["arrived"].copy(),
            cohort=np.stack([sources["before_begin"], sources["before_end"]], axis=1),
            classes=tuple(np.concatenate([np.zeros(0, dtype=np.int16), *parts]) for parts in self.classes),
            events=int(self.state["event_count"]),
            levels=self.accounts["balance"].copy(),
            level_time=self.accounts["integral"].copy(),
        )


def _empty(tokens: k.Rows, visits: k.Rows) -> None:
    """Make slots, all zeros, those of tokens with nothing in hand."""
    for field in ("number", "delay_step", "joins", "deadline"):
        tokens[field] = NOWHERE
    visits["queued"] = k.EMPTY


def _doubled(rows: k.Rows) -> k.Rows:
    """Return records with as many more behind them."""
    more = zeros(2 * len(rows), rows.dtype)
    as_bytes(more)[: len(rows)] = as_bytes(rows)
    return more
