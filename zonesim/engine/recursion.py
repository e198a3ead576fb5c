"""
The recursion engine: a single queue, first come first served, needs no event list.

Who comes as number i to a queue of one unit starts at S(i) = max(A(i), D(i - 1)) and leaves at D(i) = S(i) + B(i):
Lindley's recursion (The theory of queues with a single server, Mathematical Proceedings of the Cambridge Philosophical
Society 48, 1952). Of several equal units it takes the one that comes free first: Kiefer and Wolfowitz (On the theory of
queues with many servers, Transactions of the American Mathematical Society 78, 1955), who keep the work that is left
of each unit; here it is the instant at which it comes free, in whole ms.

All draws are those of the other engines, and of one instant the ends of work are taken first, by the tokens' numbers,
then those who come: so the records are equal to theirs, row for row.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from zonesim.compiled.streams import run_key
from zonesim.engine import recursion_kernel as k
from zonesim.engine.arrivals import ClassLog
from zonesim.engine.run_faults import too_large, too_many_tokens
from zonesim.engine.sampling import prepared
from zonesim.faults import RunFault
from zonesim.limits import LARGEST_ROOM, free_memory
from zonesim.plan import (
    LISTED_PART,
    MARK,
    NEVER,
    NOWHERE,
    NUMBER_BITS,
    UNLIMITED,
    VISIT,
    ArrivalsBy,
    Block,
    Distribution,
    Op,
    Plan,
    Sink,
    Totals,
    decoded,
)

BLOCK_ROWS: Final = 16_384
"""Visits (and marks) in a record block."""

MOST_UNITS: Final = 1 << k.UNIT_BITS
"""Of more units, all of which are looked at when one comes free, an event list finds the first one sooner."""

_FIRST_RING: Final = 2 * k.CHUNK

Row = Any
"""A row of a structured array."""


# --- which plans it runs
# --------------------------------------------------------------------------------------------------------------------


def qualifies(plan: Plan) -> str:
    """
    Return why the recursion cannot run a plan, in words; "" when it can.

    A plan qualifies when

    - its tokens come by a list, or by a rate without random factors and in any number; their class is not that of a
      firm, and they draw no attributes;
    - each takes one unit of one resource, lets time pass, gives it back and leaves; besides, moments are noted;
    - all take units of the same resource, and none is more important than another, gives up or is interrupted;
    - that resource has the same number of units for the whole run, MOST_UNITS at most, and nothing breaks down.
    """
    return _SingleQueue(plan).reason


class _SingleQueue:
    """
    A plan as the recursion reads it: the `resource`, how many `units` it has, the `sources` as the kernel wants them,
    and their `moments` behind each other; or the `reason` why it is none.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.resource = NOWHERE
        self.units = 0
        self.priorities: set[int] = set()
        self.sources = np.zeros(len(plan.sources), dtype=k.SOURCE)
        self.moments: list[int] = []
        self.reason = self._read()

    def _read(self) -> str:
        plan = self.plan
        if not len(plan.sources):
            return "nobody comes"
        if len(plan.breakdowns):
            return f"resource '{plan.names.resources[plan.breakdowns['resource'][0]]}' breaks down"
        if len(plan.attributes):
            return f"traffic '{plan.names.sources[plan.attributes['source'][0]]}' draws attributes"
        if len(plan.factors):
            return f"the rate of traffic '{plan.names.sources[plan.factors['source'][0]]}' has a random factor"
        for each in plan.limits:
            if each["most"] != NOWHERE:
                return f"traffic '{plan.names.sources[each['source']]}' comes up to a number only"
        for name, own, row in zip(plan.names.sources, self.sources, plan.sources, strict=True):
            reason = self._read_source(own, row) or self._read_routine(own, int(row["first_row"]))
            if reason:
                return f"traffic '{name}' {reason}"
        if len(self.priorities) > 1:
            return "some tokens are more important than others"
        for own, streams in zip(self.sources, plan.source_streams, strict=True):
            for name in ("arrival", "class", "batch"):
                own[f"{name}_stream"] = streams[name]
        return self._read_resource()

    def _read_source(self, own: Row, row: Row) -> str:
        for name in ("first", "count", "mix", "batch"):
            own[name] = row[name]
        own["klass"], own["listed"] = row["class"], row["arrivals"] == ArrivalsBy.LISTED
        if row["arrivals"] == ArrivalsBy.SPAWNED:
            return "is started by others"
        if row["arrivals"] == ArrivalsBy.RENEWAL:
            return "comes after gaps of its own law"
        if row["group"] != NOWHERE and row["class"] == NOWHERE and row["mix"] == NOWHERE:
            return "has the classes of its firms"
        if row["class"] == LISTED_PART:
            return "has attributes of a log"
        return ""

    def _read_routine(self, own: Row, first: int) -> str:
        """Read the operations of a source; return what makes them more than a wait for a unit and work."""
        expected = iter((Op.SEIZE, Op.DELAY, Op.RELEASE, Op.LEAVE))
        following = next(expected)
        own["on_arrival"] = own["on_start"] = own["on_end"] = len(self.moments)
        for row in self.plan.program[first:]:
            (each,) = decoded([row.item()])
            if each.op == Op.MARK:
                self.moments.append(each.mark)
                continue
            if each.op != following:
                return "does more than to wait for a unit, work and leave"
            reason = ""
            if each.op == Op.SEIZE:
                own["step"], own["on_start"] = each.step, len(self.moments)
                reason = self._read_needs(self.plan.needs_of(each.first_need, each.needs))
                reason = reason or ("gives up waiting" if each.patience != NOWHERE else "")
                self.priorities.update(self.plan.priorities[each.priority].tolist())
            elif each.op == Op.DELAY:
                own["on_end"], own["delay_step"], own["duration"] = len(self.moments), each.step, each.duration
                own["duration_stream"] = self.plan.streams[each.stream]
                own["exponential"] = self.plan.distributions["kind"][each.duration] == Distribution.EXPONENTIAL
                reason = "can be interrupted" if each.interrupted != NOWHERE else ""
                reason = "works by a calendar" if each.calendar != NOWHERE else reason
            elif each.op == Op.LEAVE:
                own["leave_step"] = each.step
                break
            if reason:
                return reason
            following = next(expected)
        own["moments"] = len(self.moments)
        return ""

    def _read_needs(self, needs: list[tuple[int, int]]) -> str:
        if len(needs) != 1 or needs[0][1] != 1:
            return "takes more than one unit"
        if self.resource not in {NOWHERE, needs[0][0]}:
            return "waits in another line"
        self.resource = needs[0][0]
        return ""

    def _read_resource(self) -> str:
        name, changes = self.plan.names.resources[self.resource], self.plan.changes_of(self.resource)
        self.units = int(changes["units"][0])
        if (changes["time"] < self.plan.horizon).sum() > 1:
            return f"units of resource '{name}' come and go"
        if not 1 <= self.units <= MOST_UNITS:
            return f"resource '{name}' has not 1 to {MOST_UNITS} units"
        return ""


# --- a run
# --------------------------------------------------------------------------------------------------------------------


def simulate(plan: Plan, seed: int, replication: int, sink: Sink) -> Totals:
    """
    Run one replication of `plan`; `sink` gets the records in blocks.

    `seed` and `replication` (both from 0) choose what is drawn; equal ones give equal records. Raises RunFault when the
    run cannot go on, also for a plan that does not qualify.
    """
    queue = _SingleQueue(plan)
    if queue.reason:
        raise RunFault(
            f"the engine 'recursion' runs one line for equal units, first come first served: {queue.reason}\n"
            "    Use --engine auto, which takes it where it can."
        )
    return _Run(queue, seed, replication, sink).run()


class _Run:
    """One replication."""

    def __init__(self, queue: _SingleQueue, seed: int, replication: int, sink: Sink) -> None:
        self.plan, self.sink, self.resource, self.sources = queue.plan, sink, queue.resource, queue.sources
        self.moments = np.array([*queue.moments, 0], dtype=np.int64)
        plan = self.plan
        laws, numbers = prepared(plan.distributions.tobytes(), plan.parameters.tobytes())
        self.laws, self.numbers = laws, numbers if len(numbers) else np.zeros(1)
        self.state = np.zeros(1, dtype=k.RUN)
        own = self.state[0]
        own["begin"], own["end"], own["horizon"] = plan.window
        own["key"] = run_key(seed, replication)
        own["units"] = queue.units
        own["most_marks"] = (self.sources["moments"] - self.sources["on_arrival"]).max()
        self.ends = np.full(queue.units, k.FOREVER)
        self.workers = np.zeros(queue.units, dtype=np.int64)
        self.units = np.zeros(queue.units, dtype=k.UNIT)
        self.units["idle"] = np.arange(queue.units)
        self.coming = np.empty((len(self.sources), k.CHUNK), dtype=np.int64)
        self.lanes = np.empty((len(self.sources), k.CHUNK))
        self.scratch = np.empty(k.CHUNK)
        self.ring = np.empty((3, _FIRST_RING), dtype=np.int64)
        """Tokens made and not yet begun: time of arrival, number, duration."""
        self.classes_made = np.empty(k.CHUNK, dtype=np.int64)
        self.visits = np.empty(BLOCK_ROWS + 3, dtype=VISIT)
        self.marks = np.empty(BLOCK_ROWS + 2 * int(own["most_marks"]), dtype=MARK)
        self.classes = ClassLog(len(plan.names.sources))

    def run(self) -> Totals:
        """Run to the horizon and return the totals."""
        reason, every = k.NEED_ARRIVALS, False
        while reason != k.DONE:
            if reason == k.FULL:
                self._flush()
                self.visits, self.marks = np.empty_like(self.visits), np.empty_like(self.marks)
            elif reason == k.NEED_ARRIVALS:
                every = not self._arrive()
            reason = self._serve(every=every)
        self._flush()
        self._close()
        return self._totals()

    def _serve(self, *, every: bool) -> int:
        """Go on until more tokens have to be made, a block is full or, if `every` token is made, to the end."""
        times, numbers, durations = self.ring
        reason: int = k.serve(
            self.state,
            self.sources,
            times,
            numbers,
            durations,
            self.ends,
            self.workers,
            self.units,
            self.moments,
            self.visits,
            self.marks,
            every,
        )
        return reason

    def _arrive(self) -> bool:
        """Make the next tokens; return whether there may be more."""
        own, plan = self.state[0], self.plan
        if own["made"] - own["started"] + k.CHUNK > self.ring.shape[1]:
            self._more_room()
        before, (times, numbers, durations) = int(own["made"]), self.ring
        reason: int = k.arrive(
            self.state,
            self.sources,
            self.coming,
            self.lanes,
            self.scratch,
            plan.rates,
            plan.times,
            plan.mixes,
            self.laws,
            self.numbers,
            times,
            numbers,
            durations,
            self.classes_made,
        )
        if reason == k.TOO_MANY:
            raise too_many_tokens(plan, int(own["source"]))
        made = int(own["made"]) - before
        first = before % self.ring.shape[1]
        self.classes.add(self.ring[1, first : first + made] >> 32, self.classes_made[:made].astype(np.int16))
        return made == k.CHUNK

    def _more_room(self) -> None:
        """Let twice as many tokens wait."""
        own, have = self.state[0], self.ring.shape[1]
        if 2 * self.ring.nbytes > min(free_memory(), LARGEST_ROOM):
            now = int(self.ring[0, int(own["made"] - 1) % have])
            raise too_large(int(own["arrived"] - own["started"] + own["busy"]), 2 * self.ring.nbytes, now)
        waiting = np.arange(own["started"], own["made"])
        larger = np.empty((3, 2 * have), dtype=np.int64)
        larger[:, waiting % (2 * have)] = self.ring[:, waiting % have]
        self.ring = larger

    def _flush(self) -> None:
        """Hand the rows written so far to the sink, whose own the arrays are from now on."""
        own = self.state[0]
        self.sink.take(Block(self.visits[: own["visits"]], self.marks[: own["marks"]]))
        own["visits"] = own["marks"] = 0

    def _close(self) -> None:
        """Write open rows of whoever is still inside, in the order of token numbers."""
        own = self.state[0]
        waiting = np.arange(own["started"], own["arrived"]) % self.ring.shape[1]
        busy = self.ends < k.FOREVER
        working = self.units[busy]
        number = np.concatenate([self.workers[busy] >> k.UNIT_BITS, self.ring[1, waiting]])
        queued = np.concatenate([working["queued"], self.ring[0, waiting]])
        started = np.concatenate([working["started"], np.full(len(waiting), NEVER)])
        order = np.argsort(number)
        number, queued, started = number[order], queued[order], started[order]
        source = self.sources[number >> 32]
        rows = np.empty((len(number), 3), dtype=VISIT)
        for place, step in enumerate(("step", "delay_step", "leave_step")):
            rows["key"][:, place] = source[step] << NUMBER_BITS | number
        rows["queued"], rows["started"], rows["ended"] = queued[:, None], started[:, None], NEVER
        rows["queued"][:, 1], rows["started"][:, 2] = started, queued
        written = np.ones(rows.shape, dtype=bool)
        written[:, 1] = (source["delay_step"] != NOWHERE) & (started != NEVER)
        visits = rows[written]
        for first in range(0, len(visits), BLOCK_ROWS):
            self.sink.take(Block(visits[first : first + BLOCK_ROWS], np.zeros(0, dtype=MARK)))

    def _totals(self) -> Totals:
        plan, own, sources = self.plan, self.state[0], self.sources
        length = plan.end - plan.begin
        busy, queue, peak = (np.zeros(len(plan.resources), dtype=np.int64) for _ in range(3))
        busy[self.resource] = sources["working"].sum()
        queue[self.resource] = (sources["inside"] - sources["working"]).sum()
        peak[self.resource] = own["peak"]
        at_step = np.zeros(len(plan.names.steps), dtype=np.int64)
        at_step[sources["step"]] = at_step[sources["leave_step"]] = sources["inside"]
        delays = sources["delay_step"] != NOWHERE
        at_step[sources["delay_step"][delays]] = sources["working"][delays]
        return Totals(
            busy=busy,
            open=np.array([_open(plan, number) for number in range(len(plan.resources))], dtype=np.int64),
            broken=np.zeros_like(busy),
            queue=queue,
            peak=peak,
            at_step=at_step,
            arrivals=sources["ordinal"].copy(),
            cohort=np.stack([sources["before_begin"], sources["before_end"]], axis=1),
            classes=self.classes.by_source(),
            events=int(own["events"]),
            levels=plan.accounts["start"].copy(),
            level_time=plan.accounts["start"] * length,
        )


def _open(plan: Plan, resource: int) -> int:
    """Return the unit-ms of a resource on duty within the window; an unlimited one has none."""
    found = 0
    changes = plan.changes_of(resource)
    ends = [*changes["time"][1:].tolist(), plan.end]
    for (begins, units), ends_at in zip(changes.tolist(), ends, strict=True):
        if units < UNLIMITED:
            found += units * max(min(ends_at, plan.end) - max(begins, plan.begin), 0)
    return found
