"""
The reference engine: interprets a plan with SimPy.

SimPy's event list keeps the order of an instant by priority: capacity changes, breakdowns and repairs (CHANGE); then,
resource by resource, what has to be interrupted (INTERRUPT); then, resource by resource, the lines (SERVE); tokens made
ready, first come first served (1); then timed events by rank and token number (2 and above). All meaning is in the
plan; here is nothing but interpretation.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
import simpy

from zonesim.engine.arriving import Population, arrivals
from zonesim.engine.batches import Batch, key_of, next_opening, until_open, until_shut
from zonesim.engine.breaking import BusyClock, Clock
from zonesim.engine.interrupting import Work, overtake, stop, too_many
from zonesim.engine.ledger import Ledger
from zonesim.engine.pools import Pool, Request, enter, give_back, leave, peak_now, serve, take
from zonesim.engine.recording import Recorder
from zonesim.engine.sampling import draw_ms, prepare
from zonesim.engine.standstill import check_standstill
from zonesim.engine.streams import lineage, run_key, uniform
from zonesim.engine.tokens import Token, Visit
from zonesim.engine.wording import endless, made_twice, spawn_loop, too_many_tokens
from zonesim.plan.operations import NOWHERE, AtShiftEnd, BranchOn, Op, SetWhat
from zonesim.plan.operations import Clock as Counts
from zonesim.plan.plan import Plan
from zonesim.plan.records import LARGEST_ORDINAL, NEVER, NUMBER_BITS, Sink, Totals, token_number

CHANGE: Final = -3 << 32
INTERRUPT: Final = -2 << 32
SERVE: Final = -1 << 32
READY: Final = 1
TIMED: Final = 2
"""
Priorities of SimPy events. INTERRUPT and SERVE have the number of the resource added; a timed event has TIMED + (rank
<< 40 | token number).
"""

HOLD_END: Final = 1 << NUMBER_BITS
ARRIVAL: Final = 2 << NUMBER_BITS
PATIENCE: Final = 3 << NUMBER_BITS
BATCH_TIMEOUT: Final = 4 << NUMBER_BITS
"""Ranks of timed events, shifted above the token number."""

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


class _Event(simpy.Event):
    """An event that is due at a fixed time, with a priority of our own."""

    def __init__(
        self, env: simpy.Environment, callback: Callable[[Any], None], value: object, priority: int, delay: int
    ) -> None:
        super().__init__(env)
        self._ok = True
        self._value = value
        self.callbacks = [callback]
        env.schedule(self, priority, delay)  # type: ignore[arg-type]  # any int orders the event list


class _Run:
    """One replication."""

    def __init__(self, plan: Plan, seed: int, replication: int, sink: Sink) -> None:
        self.plan = plan
        self.key = run_key(seed, replication)
        # SimPy types its clock as a float; ours only ever holds whole milliseconds.
        self.env: Any = simpy.Environment(0)
        begin, end, self.horizon = (int(value) for value in plan.window)
        self.begin, self.end = begin, end
        self.recorder = Recorder(sink, len(plan.names.steps), begin, end)
        self.program: list[list[int]] = plan.program.tolist()
        self.laws, self.numbers = prepare(plan.laws, plan.numbers)
        self.streams = list(plan.streams)
        self.shares: list[list[float]] = plan.shares.tolist()
        self.priorities: list[list[int]] = plan.priorities.tolist()
        self.pools = [Pool(number, begin, end, last=begin) for number in range(len(plan.resources))]
        broken = set(plan.breakdowns[:, 0].tolist())
        for pool, (first, rows, rule, preempts) in zip(self.pools, plan.resources.tolist(), strict=True):
            pool.preempts = bool(preempts)
            pool.pauses = rule == AtShiftEnd.PAUSE and (pool.preempts or pool.number in broken)
            if rule == AtShiftEnd.FITS:
                changes = plan.changes[first : first + rows].tolist()
                pool.closings = [time for (_, before), (time, units) in pairwise(changes) if units < before]
        self.needs = self._needs()
        self.spans = [plan.spans[first : first + rows].tolist() for first, rows in plan.calendars.tolist()]
        self.population = Population(plan, self.key)
        self.classes: list[list[int]] = [[] for _ in plan.names.sources]
        self.arrived_by = [[0, 0, 0] for _ in plan.names.sources]
        self.leave_steps = self._leave_steps()
        self.ledger = Ledger(plan, begin, end)
        self.inside: dict[int, Token] = {}
        self.spawned = [0] * len(plan.names.sources)
        self.spawn_time, self.spawns = -1, 0
        self.forming: dict[tuple[int, int], Batch] = {}
        self.in_line = 0
        self.in_front = 0
        self.grants = 0
        self.events = 0
        self.operations: dict[int, Callable[[Token, list[int]], bool]] = {
            Op.SEIZE: self._seize,
            Op.HOLD: self._hold,
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

    def _needs(self) -> dict[tuple[int, int], tuple[tuple[Pool, int], ...]]:
        """Return the needs of every SEIZE and RELEASE of the program by (first row, rows)."""
        found: dict[tuple[int, int], tuple[tuple[Pool, int], ...]] = {}
        for op, _, first, rows, *_ in self.program:
            if op in (Op.SEIZE, Op.RELEASE, Op.KEEP):
                found[first, rows] = tuple(
                    (self.pools[pool], units) for pool, units in self.plan.needs[first : first + rows].tolist()
                )
        return found

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
        for number, (first, rows, *_) in enumerate(self.plan.resources.tolist()):
            for time, units in self.plan.changes[first : first + rows].tolist():
                _Event(self.env, self._change, (number, units), CHANGE, time)
                self._settle(number, time)
        for clock in self._clocks():
            clock.start(0)
        _Event(self.env, lambda _: peak_now(self.pools, self.begin), None, TIMED - 1, self.begin)
        for source in range(len(self.plan.sources)):
            self._next_arrival(source, 0, arrivals(self.plan, source, self.key))
        # Events at or after the horizon do not happen: SimPy's own stop comes before every timed event of that instant.
        self.env.run(until=self.horizon)
        self._close()
        return self._totals()

    def _change(self, event: Any) -> None:  # noqa: ANN401
        number, units = event.value
        self.pools[number].schedule(units, self.env.now)

    def _settle(self, number: int, delay: int = 0) -> None:
        """Have a resource interrupt and serve when all changes of an instant are made."""
        if self.pools[number].pauses:
            _Event(self.env, self._cut_short, number, INTERRUPT + number, delay)
        _Event(self.env, self._serve, number, SERVE + number, delay)

    def _cut_short(self, event: Any) -> None:  # noqa: ANN401
        while (work := too_many(self.pools[event.value], self.env.now)) is not None:
            self._interrupt(work)

    def _serve(self, event: Any) -> None:  # noqa: ANN401
        pool = self.pools[event.value]
        self._grant(serve(pool, self.env.now))
        self._preempt(pool)

    def _clocks(self) -> Iterator[Clock]:
        """Return the clocks of all breakdowns."""
        for resource, units, counts, up_law, up_stream, law, stream in self.plan.breakdowns.tolist():
            pool = self.pools[resource]
            kind = BusyClock if counts == Counts.BUSY else Clock
            clock = kind(pool, units, (up_law, up_stream), (law, stream), self._draw_for_cycle, self._at)
            if isinstance(clock, BusyClock):
                pool.clock = clock
            yield clock

    def _draw_for_cycle(self, law: int, stream: int, cycle: int) -> int:
        value: int = draw_ms(self.laws, self.numbers, law, 0, self.key, self.streams[stream], cycle, 0, 0)
        return value

    def _at(self, time: int, pool: Pool, act: Callable[[int], None]) -> None:
        """Have `act` done among the capacity changes of a later instant."""
        if time < self.horizon:
            _Event(self.env, self._break, (pool, act), CHANGE, time - self.env.now)

    def _break(self, event: Any) -> None:  # noqa: ANN401
        pool, act = event.value
        act(self.env.now)
        self._settle(pool.number)

    def _next_arrival(self, source: int, ordinal: int, coming: Iterator[tuple[int, int]]) -> None:
        found = next(coming, None)
        if found is not None:
            time, arrival = found
            priority = TIMED + ARRIVAL + token_number(source, ordinal)
            _Event(self.env, self._arrive, (source, ordinal, arrival, coming), priority, time - self.env.now)

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

    def _ready(self, token: Token) -> None:
        """Let a token go on when those made ready before it have had their turn."""
        _Event(self.env, self._turn, token, READY, 0)

    def _turn(self, event: Any) -> None:  # noqa: ANN401
        self._go(event.value)

    def _draw(self, token: Token, law: int, stream: int) -> int:
        value: int = draw_ms(
            self.laws,
            self.numbers,
            law,
            token.klass,
            self.key,
            self.streams[stream],
            token.ordinal,
            token.child,
            token.passes,
        )
        return value

    # --- operations: each returns whether the token goes on at once

    def _seize(self, token: Token, row: list[int]) -> bool:
        _, step, first, rows, priority, slot, patience, renege_to, stream = row
        now = self.env.now
        self.in_line += 1
        needs = self.needs[first, rows]
        visit = token.open[slot] = Visit(step, now, NEVER, needs, self.priorities[priority][token.klass])
        request = Request(token, visit, visit.level, self.in_line, needs)
        if any(pool.closings for pool, _ in needs):  # the work is the one hold that follows
            request.lasts = self._draw(token, self.program[token.row][2], self.program[token.row][3])
        self.recorder.come(step, now)
        if enter(request, now) or self._takes_over(request):
            self._has_units(visit)
            visit.started = now
            return True
        token.waits_for = request
        if patience != NOWHERE:
            request.gives_up = True
            wait = self._draw(token, patience, stream)
            if now + wait < self.horizon:
                _Event(self.env, self._renege, (request, slot, renege_to), TIMED + PATIENCE + token.number, wait)
        return False

    def _renege(self, event: Any) -> None:  # noqa: ANN401
        """Let a token that still waits give up; it may have held up others in the lines that it leaves."""
        request, slot, target = event.value
        token = request.token
        if token.waits_for is not request:
            return
        now = self.env.now
        self.events += 1
        leave(request, now)
        token.waits_for = None
        visit = token.open.pop(slot)
        self.recorder.go(visit.step, token.number, visit.queued, NEVER, now)
        if target < token.row:
            self._pass_again(token)
        token.row = target
        self._ready(token)
        for pool, _ in request.needs:
            self._grant(serve(pool, now))
            self._preempt(pool)

    def _grant(self, requests: list[Request]) -> None:
        """Give waiters their units now; they move when their turn comes, and interrupted work just goes on."""
        for request in requests:
            token = request.token
            token.waits_for = None
            self._has_units(request.visit)
            if request.resumes is not None:
                self._resume(request.resumes, request.needs)
            else:
                request.visit.started = self.env.now
                self._ready(token)

    def _has_units(self, visit: Visit) -> None:
        self.grants += 1
        visit.granted = self.grants

    # --- interruptions (see zonesim.engine.interrupting)

    def _takes_over(self, request: Request) -> bool:
        """Let a newcomer that has joined its line take the unit of a victim; return whether it did."""
        pool = request.needs[0][0] if request.needs else None
        if pool is None or not pool.preempts or pool.line[0][1] is not request:
            return False
        return self._overtakes(pool) is not None

    def _preempt(self, pool: Pool) -> None:
        """Let those who wait take the units of victims."""
        while (request := self._overtakes(pool)) is not None:
            self._grant([request])

    def _overtakes(self, pool: Pool) -> Request | None:
        """Let the first in line take the unit of a victim; return its request if there is one."""
        found = overtake(pool, self.env.now)
        if found is None:
            return None
        request, work = found
        leave(request, self.env.now)
        self._interrupt(work)
        take(request, self.env.now)
        return request

    def _interrupt(self, work: Work) -> None:
        now = self.env.now
        done = now - work.since if work.calendar == NOWHERE else self._open_time(work.calendar, work.since, now)
        self.in_front -= 1
        stop(work, done, self.in_front, now)
        self.recorder.come(work.step, now)

    def _resume(self, work: Work, needs: tuple[tuple[Pool, int], ...]) -> None:
        now = self.env.now
        work.visit.needs = needs
        self.recorder.go(work.step, work.token.number, work.stopped, now, now)
        work.stopped = NEVER
        self._go_on(work)

    def _go_on(self, work: Work) -> None:
        """Key the end of a hold that can be interrupted."""
        now = self.env.now
        work.since, work.end = now, self._end_of(work.calendar, now, work.left)
        work.pool.work.append(work)
        if work.end < self.horizon:
            priority = TIMED + HOLD_END + work.token.number
            _Event(self.env, self._worked, (work, work.turn), priority, work.end - now)

    def _worked(self, event: Any) -> None:  # noqa: ANN401
        work, turn = event.value
        if work.turn == turn:
            work.pool.work.remove(work)
            work.token.work = None
            self._end_hold(work.token)

    def _release(self, token: Token, row: list[int]) -> bool:
        _, step, first, rows, slot, if_held, *_ = row
        if if_held and slot not in token.open:
            return True
        now = self.env.now
        visit = token.open.pop(slot)
        self.recorder.go(step, token.number, visit.queued, visit.started, now)
        needs = self.needs[first, rows]
        self._grant(give_back(needs, now))
        for pool, _ in needs:
            self._preempt(pool)
        return True

    def _keep(self, token: Token, row: list[int]) -> bool:
        _, step, first, rows, slot, to_slot, *_ = row
        now = self.env.now
        kept = self.needs[first, rows]
        before = token.open[slot]
        moved = dict(kept)
        before.needs = tuple((pool, units - moved.get(pool, 0)) for pool, units in before.needs)
        token.open[to_slot] = Visit(step, now, now, kept)
        self.recorder.come(step, now)
        return True

    def _hold(self, token: Token, row: list[int]) -> bool:
        _, step, law, stream, calendar, interrupted, *_ = row
        now = self.env.now
        duration = self._draw(token, law, stream)
        if step != NOWHERE:
            token.hold = Visit(step, now, now)
            self.recorder.come(step, now)
        if interrupted != NOWHERE and duration > 0:
            visit = next(each for each in token.open.values() if each.needs)
            pool = visit.needs[0][0]
            token.work = Work(token, visit, pool, interrupted, calendar, duration, now, now)
            self._go_on(token.work)
            self._preempt(pool)
            return False
        end = self._end_of(calendar, now, duration)
        if end < self.horizon:
            _Event(self.env, self._held, token, TIMED + HOLD_END + token.number, end - now)
        return False

    def _end_of(self, calendar: int, now: int, duration: int) -> int:
        return now + duration if calendar == NOWHERE else self._open_end(calendar, now, duration)

    def _held(self, event: Any) -> None:  # noqa: ANN401
        self._end_hold(event.value)

    def _end_hold(self, token: Token) -> None:
        self.events += 1
        visit = token.hold
        if visit is not None:
            self.recorder.go(visit.step, token.number, visit.queued, visit.started, self.env.now)
            token.hold = None
        self._go(token)

    def _open_end(self, calendar: int, now: int, duration: int) -> int:
        """
        Return when `duration` of open time has passed since `now`; exactly at closing still counts, 0 ends at once.
        """
        if duration == 0:
            return now
        spans = self.spans[calendar]
        if not spans:
            return self.horizon
        position = bisect_right(spans, now, key=lambda span: span[0]) - 1
        done = 0
        if position >= 0:
            opens, closes, before = spans[position]
            done = before + min(now, closes) - opens
        due = done + duration
        position = bisect_left(spans, due, key=lambda span: span[2]) - 1
        opens, closes, before = spans[position]
        return opens + due - before if due <= before + closes - opens else self.horizon

    def _open_time(self, calendar: int, begin: int, end: int) -> int:
        """Return how much of a time is open."""
        return self._open_before(calendar, end) - self._open_before(calendar, begin)

    def _open_before(self, calendar: int, time: int) -> int:
        spans = self.spans[calendar]
        position = bisect_right(spans, time, key=lambda span: span[0]) - 1
        if position < 0:
            return 0
        opens, closes, before = spans[position]
        return int(before + min(time, closes) - opens)

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
            _Event(self.env, self._waited, token, TIMED + HOLD_END + token.number, due - now)
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
            _Event(self.env, self._born, heir, TIMED + ARRIVAL + token_number(source, order), after)
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
                _Event(self.env, self._due, batch, TIMED + BATCH_TIMEOUT + token.number, batch.due - now)
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
