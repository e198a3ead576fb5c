"""
The reference engine: interprets a plan with SimPy.

All meaning is in the plan; here is nothing but interpretation, on SimPy's event list (`simpy_ground`). What is done
with units stands in `simpy_stations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from zonesim.compiled.streams import lineage, uniform
from zonesim.engine.arrivals import Population, arrivals
from zonesim.engine.batches import Batch, key_of, next_opening, until_open, until_shut
from zonesim.engine.deadlock import check_standstill
from zonesim.engine.ledger import Ledger
from zonesim.engine.reference.resources import Stations
from zonesim.engine.reference.state import ARRIVAL, BATCH_TIMEOUT, DELAY_END, TIMED, Event
from zonesim.engine.resources import peak_now
from zonesim.engine.run_faults import endless, made_twice, spawn_loop, too_many_tokens
from zonesim.engine.tokens import Token, Visit
from zonesim.plan.operations import NOWHERE, BranchOn, Op, SetWhat
from zonesim.plan.plan import Plan
from zonesim.plan.records import LARGEST_ORDINAL, NEVER, Sink, Totals, token_number

MOST_TURNS: Final = 200_000
"""Backward jumps of one token within one instant that are taken for an endless loop."""

MOST_SPAWNS: Final = 200_000
"""Tokens started by others within one instant that are taken for an endless loop."""


def simulate(plan: Plan, seed: int, replication: int, sink: Sink) -> Totals:
    """
    Run one replication of `plan`; `sink` gets the records in blocks.

    `seed` and `replication` (both from 0) choose the luck; equal ones give equal records. Raises RunFault when the
    run cannot go on.
    """
    return _Run(plan, seed, replication, sink).run()


class _Run(Stations):
    """One replication."""

    def __init__(self, plan: Plan, seed: int, replication: int, sink: Sink) -> None:
        super().__init__(plan, seed, replication, sink)
        self.shares: list[list[float]] = plan.shares.tolist()
        self.population = Population(plan, self.key)
        self.classes: list[list[int]] = [[] for _ in plan.names.sources]
        self.arrived_by = [[0, 0, 0] for _ in plan.names.sources]
        self.leave_steps = self._leave_steps()
        self.ledger = Ledger(plan, self.begin, self.end)
        self.inside: dict[int, Token] = {}
        self.spawned = [0] * len(plan.names.sources)
        self.spawn_time, self.spawns = -1, 0
        self.forming: dict[tuple[int, int], Batch] = {}
        self.operations: dict[int, Callable[[Token, list[int]], bool]] = {
            Op.SEIZE: self._seize,
            Op.DELAY: self._hold,
            Op.RELEASE: self._release,
            Op.KEEP: self._keep,
            Op.MARK: self._mark,
            Op.SPLIT: self._split,
            Op.BRANCH: self._branch,
            Op.JUMP: self._jump,
            Op.SET: self._set,
            Op.JOIN: self._join,
            Op.GATHER: self._gather,
            Op.WAIT_UNTIL: self._wait_until,
            Op.SPAWN: self._spawn,
            Op.SCATTER: self._scatter,
            Op.LEAVE: self._leave,
        }

    def _leave_steps(self) -> list[int]:
        """Return, for each row of the program, the pseudo-step of the LEAVE that ends its routine."""
        steps = [NOWHERE] * len(self.program)
        step = NOWHERE
        for row in range(len(self.program) - 1, -1, -1):
            if self.program[row][0] == Op.LEAVE:
                step = self.program[row][1]
            steps[row] = step
        return steps

    # --- the run

    def run(self) -> Totals:
        """Run to the horizon and return the totals."""
        self._open_and_break()
        Event(self.env, lambda _: peak_now(self.pools, self.begin), None, TIMED - 1, self.begin)
        for source in range(len(self.plan.sources)):
            self._next_arrival(source, 0, arrivals(self.plan, source, self.key))
        # Events at or after the horizon do not happen: SimPy's own stop comes before every timed event of that instant.
        self.env.run(until=self.horizon)
        self._close()
        return self._totals()

    def _next_arrival(self, source: int, ordinal: int, coming: Iterator[tuple[int, int]]) -> None:
        found = next(coming, None)
        if found is not None:
            time, arrival = found
            priority = TIMED + ARRIVAL + token_number(source, ordinal)
            Event(self.env, self._arrive, (source, ordinal, arrival, coming), priority, time - self.env.now)

    def _arrive(self, event: Any) -> None:  # noqa: ANN401
        source, ordinal, arrival, coming = event.value
        now = self.env.now
        self.events += 1
        self._next_arrival(source, ordinal + 1, coming)
        self._come(source, ordinal, *self.population.describe(source, ordinal, now, arrival))

    def _come(self, source: int, luck: int, klass: int, flags: int, firms: tuple[int, ...]) -> None:
        """Let the next token of a source arrive."""
        now = self.env.now
        self.classes[source].append(klass)
        counted = self.arrived_by[source]
        number = token_number(source, counted[0])
        counted[0] += 1
        counted[1] += now < self.begin
        counted[2] += now < self.end
        row = int(self.plan.sources[source, 0])
        token = Token(number, luck, 0, row, now, self.leave_steps[row], klass, flags, firms=firms)
        self._enter(token)
        self._go(token)

    def _enter(self, token: Token) -> None:
        if token.number in self.inside:
            raise made_twice(self.plan, token.leave_step)
        self.inside[token.number] = token
        self.recorder.come(token.leave_step, self.env.now)

    def _go(self, token: Token) -> None:
        """Let a token act until it waits or leaves."""
        program, operations = self.program, self.operations
        while True:
            row = program[token.row]
            token.row += 1
            if not operations[row[0]](token, row):
                return

    # --- operations: each returns whether the token goes on at once

    def _mark(self, token: Token, row: list[int]) -> bool:
        self.recorder.mark(row[2], token.number, self.env.now)
        return True

    def _split(self, token: Token, row: list[int]) -> bool:
        _, _, law, stream, child_row, base, most, parent_base, group = row
        count = self._draw(token, law, stream)
        first = base + (token.child - parent_base) * most
        for child in range(first, first + min(count, most)):
            number = token.number - token.child + child
            new = Token(
                number,
                token.ordinal,
                child,
                child_row,
                self.env.now,
                self.leave_steps[child_row],
                token.klass,
                token.flags,
                token.passes,
            )
            new.firms, new.status = token.firms, token.status
            if group != NOWHERE:
                new.parent, new.group = token, group
                token.children[group] = token.children.get(group, 0) + 1
            self._enter(new)
            self._ready(new)
        return True

    def _branch(self, token: Token, row: list[int]) -> bool:
        _, _, on, operand, third, target, steady, *_ = row
        if on == BranchOn.SHARE:
            share = self.shares[operand][token.klass]
            passes = 0 if steady else token.passes
            yes = share > 0.0 and uniform(self.key, self.streams[third], token.ordinal, token.child, passes) < share
        elif on == BranchOn.FLAG:
            yes = bool(token.flags >> operand & 1)
        elif on == BranchOn.CLASS:
            yes = bool(operand >> token.klass & 1)
        elif on == BranchOn.QUEUE_LONGER:
            yes = len(self.pools[operand].line) > third
        elif on == BranchOn.STATUS:
            yes = token.status != NOWHERE and bool(operand >> token.status & 1)
        elif on == BranchOn.SHORTEST:
            pools = [self.pools[resource] for resource in self.plan.needs[operand : operand + third, 0].tolist()]
            there = [len(pool.line) + pool.used for pool in pools]
            yes = there.index(min(there)) == steady
        else:
            yes = self.pools[operand].capacity == 0
        if yes:
            token.row = target
        return True

    def _jump(self, token: Token, row: list[int]) -> bool:
        _, _, target, again, *_ = row
        token.row = target
        if again:
            self._pass_again(token)
        return True

    def _pass_again(self, token: Token) -> None:
        """Count one more pass of a token that goes back, so that it draws anew."""
        token.passes += 1
        if token.turn_time != self.env.now:
            token.turn_time, token.turns = self.env.now, 0
        token.turns += 1
        if token.turns > MOST_TURNS:
            raise endless(self.plan, token.leave_step)

    def _set(self, token: Token, row: list[int]) -> bool:
        _, _, what, operand, amount, *_ = row
        if what == SetWhat.RAISE_FLAG:
            token.flags |= 1 << operand
        elif what == SetWhat.LOWER_FLAG:
            token.flags &= ~(1 << operand)
        elif what == SetWhat.CLASS:
            token.klass = operand
        elif what == SetWhat.STATUS:
            token.status = operand
        else:
            self.ledger.book(operand, amount, token, self.env.now)
        return True

    def _join(self, token: Token, row: list[int]) -> bool:
        group = row[2]
        if token.children.get(group, 0):
            token.joins = group
            return False
        return True

    def _wait_until(self, token: Token, row: list[int]) -> bool:
        _, step, calendar, closing, *_ = row
        now = self.env.now
        due = (until_shut if closing else until_open)(self.spans[calendar], now)
        self.recorder.come(step, now)
        if due == now:
            self.recorder.go(step, token.number, now, now, now)
            return True
        token.hold = Visit(step, now, NEVER)
        if due != NOWHERE and due < self.horizon:
            Event(self.env, self._waited, token, TIMED + DELAY_END + token.number, due - now)
        return False

    def _waited(self, event: Any) -> None:  # noqa: ANN401
        event.value.hold.started = self.env.now
        self._held(event)

    def _spawn(self, token: Token, row: list[int]) -> bool:
        _, _, source, delay, stream, *_ = row
        after = self._draw(token, delay, stream)
        order = self.spawned[source]
        if order > LARGEST_ORDINAL:
            raise too_many_tokens(self.plan, source)
        if self.spawn_time != self.env.now:
            self.spawn_time, self.spawns = self.env.now, 0
        self.spawns += 1
        if self.spawns > MOST_SPAWNS:
            raise spawn_loop(self.plan, source)
        self.spawned[source] += 1
        if self.env.now + after < self.horizon:
            luck = int(lineage(self.streams[stream], token.ordinal, token.child, token.passes))
            heir = (source, luck, token.klass, token.firms)
            Event(self.env, self._born, heir, TIMED + ARRIVAL + token_number(source, order), after)
        return True

    def _born(self, event: Any) -> None:  # noqa: ANN401
        source, luck, klass, firms = event.value
        self.events += 1
        self._come(source, luck, klass, self.population.adopted(source, firms, luck, self.env.now), firms)

    def _gather(self, token: Token, row: list[int]) -> bool:
        _, step, number, most, timeout, calendar, others_to, by, stream = row
        now = self.env.now
        token.hold = Visit(step, now, NEVER)
        self.recorder.come(step, now)
        key = key_of(token, number, by)
        batch = self.forming.get(key)
        if batch is None:
            batch = self.forming[key] = Batch(number, key, led=others_to != NOWHERE)
        batch.members.append(token)
        token.batch = batch
        if batch.led and others_to != NOWHERE and len(batch.members) > 1:
            token.row = others_to
        if len(batch.members) == most:
            self._complete(batch)
        elif len(batch.members) == 1:
            ends = [] if timeout == NOWHERE else [now + self._draw(token, timeout, stream)]
            opening = NOWHERE if calendar == NOWHERE else next_opening(self.spans[calendar], now)
            ends += [opening] if opening != NOWHERE else []
            if ends and min(ends) < self.horizon:
                batch.due = min(ends)
                Event(self.env, self._due, batch, TIMED + BATCH_TIMEOUT + token.number, batch.due - now)
        return False

    def _due(self, event: Any) -> None:  # noqa: ANN401
        batch: Batch = event.value
        if not batch.complete:
            self.events += 1
            self._complete(batch)

    def _complete(self, batch: Batch) -> None:
        """Let the members of a batch go on in the order in which they joined, or its leader alone."""
        del self.forming[batch.key]
        batch.complete = True
        for token in batch.members:
            assert token.hold is not None  # noqa: S101  the visit of its wait
            token.hold.started = self.env.now
        if batch.led:
            batch.leader.leads[batch.number] = batch
        for token in batch.members[: 1 if batch.led else None]:
            self._part(token)

    def _part(self, token: Token) -> None:
        """End a member's wait and let it go on when its turn comes."""
        visit = token.hold
        assert visit is not None  # noqa: S101  the visit of its wait
        self.recorder.go(visit.step, token.number, visit.queued, visit.started, self.env.now)
        token.hold = token.batch = None
        self._ready(token)

    def _scatter(self, token: Token, row: list[int]) -> bool:
        batch = token.leads.pop(row[2], None)
        for member in batch.members[1:] if batch is not None else ():
            self._part(member)
        return True

    def _leave(self, token: Token, row: list[int]) -> bool:
        del self.inside[token.number]
        self.recorder.go(row[1], token.number, token.arrived, token.arrived, self.env.now)
        parent = token.parent
        if parent is not None:
            parent.children[token.group] -= 1
            if parent.children[token.group] == 0 and parent.joins == token.group:
                parent.joins = NOWHERE
                self._ready(parent)
        return False

    # --- the end

    def _close(self) -> None:
        """Write open rows of whoever is still inside, in the order of token numbers, and close the integrals."""
        check_standstill(self.plan, self.inside.values(), int(self.env.now))
        for number in sorted(self.inside):
            token = self.inside[number]
            for visit in [*(token.open[slot] for slot in sorted(token.open)), *([token.hold] if token.hold else [])]:
                self.recorder.row(visit.step, number, visit.queued, visit.started, NEVER)
            if token.work is not None and token.work.stopped != NEVER:
                self.recorder.row(token.work.step, number, token.work.stopped, NEVER, NEVER)
            self.recorder.row(token.leave_step, number, token.arrived, token.arrived, NEVER)
        self.recorder.close(self.horizon)
        for pool in self.pools:
            pool.count(self.horizon)
        self.ledger.close(self.horizon)

    def _totals(self) -> Totals:
        def ints(values: list[Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
            return np.array(values, dtype=np.int64)

        return Totals(
            busy=ints([pool.busy for pool in self.pools]),
            open=ints([pool.open for pool in self.pools]),
            broken=ints([pool.broken for pool in self.pools]),
            queue=ints([pool.queue for pool in self.pools]),
            peak=ints([pool.peak for pool in self.pools]),
            at_step=ints(self.recorder.integral),
            arrivals=ints([counted[0] for counted in self.arrived_by]),
            cohort=ints([counted[1:] for counted in self.arrived_by]).reshape(-1, 2),
            classes=tuple(np.array(classes, dtype=np.int16) for classes in self.classes),
            events=self.events,
            levels=ints(self.ledger.level),
            level_time=ints(self.ledger.integral),
        )
