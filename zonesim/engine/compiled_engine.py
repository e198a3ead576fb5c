"""
The compiled engine: the same records as the reference engine, row for row, many times as fast (docs/performance.md).

Here blocks are handed on, arrays grow, and what the kernel cannot say itself is put into words; `kernel` is the loop,
`kernel_input` what it reads, `inside` what is left when it is done.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from zonesim.compiled.streams import run_key
from zonesim.engine.arrivals import ClassLog, Population
from zonesim.engine.inside import Inside
from zonesim.engine.kernel import layout as k
from zonesim.engine.kernel.breakdowns import start_clocks
from zonesim.engine.kernel.loop import run
from zonesim.engine.kernel_input import input_of
from zonesim.engine.run_faults import endless, made_twice, overdrawn, spawn_loop, too_large, too_many_tokens
from zonesim.limits import LARGEST_ROOM, free_memory
from zonesim.plan import MARK, VISIT, Block, Plan, Sink, Totals

BLOCK_ROWS: Final = 16_384
"""Visits (and marks) in a record block."""

SLICE: Final = 1_000_000
"""Timed events after which a run looks up: an interrupt is answered between slices, each about a tenth of a second."""

IN_RESERVE: Final = 4
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


def arguments(plan: Plan) -> tuple[Any, ...]:
    """Return what the kernel `run` is handed at the beginning of a run (replication 0 of seed 0)."""
    return _Run(plan, 0, 0, Nowhere()).arguments()


class Nowhere:
    """A sink that keeps nothing."""

    def take(self, block: Block) -> None:
        """Let a block go."""


class _Run:
    """One replication."""

    def __init__(self, plan: Plan, seed: int, replication: int, sink: Sink) -> None:
        self.plan = plan
        self.sink = sink
        self.given = input_of(plan)
        self.room = self.given.room()
        self.room.begin(_FIRST_SLOTS, _FIRST_EVENTS, _FIRST_BATCHES)
        self.state: Any = self.room.states[0]
        self.state["key"] = run_key(seed, replication)
        if len(plan.adoptions):
            self.room.adopt(Population(plan, self.state["key"]))
        if len(plan.factors):
            self.room.multiply(plan, self.state["key"])
        # A clock that counts busy time may cut short at once what its unit has just gone on with.
        self.reserve = IN_RESERVE + 2 * self.given.busy_clocks
        self.rows = BLOCK_ROWS + self.reserve
        self.output = k.Output(
            np.empty(self.rows, dtype=VISIT),
            np.empty(BLOCK_ROWS, dtype=MARK),
            np.empty(BLOCK_ROWS, dtype=np.int64),
            np.zeros(len(plan.names.steps), dtype=np.int64),
        )
        self.classes = ClassLog(len(plan.names.sources))
        self._start()

    def _start(self) -> None:
        state, room = self.state, self.room
        state["free_slots"] = len(room.tokens.tokens) - 1
        state["batch_limit"] = len(room.batches.batches)
        state["events_limit"] = len(room.events) - IN_RESERVE
        state["marks_limit"] = state["arrivals_limit"] = BLOCK_ROWS - IN_RESERVE
        state["visits_limit"] = BLOCK_ROWS
        if state["clocks"]:
            start_clocks(state, self.given.draws, room.resources)

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
                self.state["events_limit"] += len(self.room.events)
                self.room.more_events()
            elif reason == k.NEED_BATCHES:
                self.state["batch_limit"] *= 2
                self.room.more_batches()
            elif reason != k.YIELD:
                self._fail(reason)
        self._close()
        totals = self._totals()
        self._leave_room()
        return totals

    def advance(self, events: int) -> int:
        """Let at most so many timed events happen; return why the kernel has come back."""
        self.state["budget"] = events
        reason: int = run(*self.arguments())
        return reason

    def arguments(self) -> tuple[Any, ...]:
        """Return what the kernel is handed."""
        given, room = self.given, self.room
        return (
            self.state,
            given.flow,
            given.draws,
            room.hours,
            room.resources,
            room.tokens,
            room.arrivals,
            room.batches,
            room.accounts,
            room.events,
            self.output,
        )

    def _flush(self) -> None:
        """Hand the rows written so far to the sink."""
        state, output = self.state, self.output
        visits, marks, arrived = (int(state[field]) for field in ("visits", "marks", "arrivals"))
        if arrived:
            came = output.arrivals[:arrived]
            self.classes.add(came >> 16, (came & 0xFFFF).astype(np.int16))
        state["visits"] = state["marks"] = state["arrivals"] = 0
        block = Block(output.visits[:visits], output.marks[:marks])
        if state["visits_limit"] < self.rows // 2:  # each interrupted token keeps a row for when it goes on
            state["visits_limit"] += self.rows
            self.rows *= 2
        # A block is the sink's own.
        self.output = output._replace(visits=np.empty(self.rows, dtype=VISIT), marks=np.empty_like(output.marks))
        self.sink.take(block)

    def _more_slots(self) -> None:
        tokens = self.room.tokens
        have = len(tokens.tokens)
        needed = 2 * sum(array.nbytes for array in tokens)
        if have > k.LARGEST_SLOT // 2 or needed > min(free_memory(), LARGEST_ROOM):
            raise too_large(have, needed, int(self.state["now"]))
        self.room.more_slots()
        self.state["free_slots"] += have

    def _leave_room(self) -> None:
        """Leave the room to the next run."""
        self.room.leave(int(self.state["fresh_slot"]), int(self.state["fresh_batch"]))
        if not self.given.spare:
            self.given.spare.append(self.room)

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
        number = int(self.room.tokens.tokens["number"][self.state["fault_token"]])
        amount, balance = int(self.state["fault_amount"]), int(self.room.accounts["balance"][fault])
        raise overdrawn(plan, fault, number, amount, balance - amount, int(self.state["now"]))

    # --- the end

    def _close(self) -> None:
        """Write open rows of whoever is still inside; raises RunFault if they wait for each other for ever."""
        self._flush()
        inside = Inside(self.plan, self.given, self.room)
        inside.check_deadlock()
        visits = inside.open_rows()
        for first in range(0, len(visits), BLOCK_ROWS):
            self.sink.take(Block(visits[first : first + BLOCK_ROWS], np.zeros(0, dtype=MARK)))

    def _totals(self) -> Totals:
        resources, sources, accounts = self.room.resources.states, self.room.arrivals.sources, self.room.accounts
        return Totals(
            busy=resources["busy"].copy(),
            open=resources["open"].copy(),
            broken=resources["broken"].copy(),
            queue=resources["queued"].copy(),
            peak=resources["peak"].copy(),
            at_step=self.output.at_step,
            arrivals=sources["arrived"].copy(),
            cohort=np.stack([sources["before_begin"], sources["before_end"]], axis=1),
            classes=self.classes.by_source(),
            events=int(self.state["event_count"]),
            levels=accounts["balance"].copy(),
            level_time=accounts["integral"].copy(),
        )
