"""
Units in the reference engine: when they open, break down and come back; who takes, keeps, loses and gives them back.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from zonesim.engine.breakdowns import BusyClock, Clock
from zonesim.engine.preemption import Work, overtake, stop, too_many
from zonesim.engine.reference.state import CHANGE, DELAY_END, INTERRUPT, PATIENCE, SERVE, TIMED, Event, Ground
from zonesim.engine.resources import Pool, Request, enter, give_back, leave, serve, take
from zonesim.engine.tokens import Token, Visit
from zonesim.plan.operations import NOWHERE, AtShiftEnd, Op
from zonesim.plan.operations import Clock as Counts
from zonesim.plan.plan import Plan
from zonesim.plan.records import NEVER, Sink


class Stations(Ground, ABC):
    """Interprets all that is done with units and with time."""

    def __init__(self, plan: Plan, seed: int, replication: int, sink: Sink) -> None:
        super().__init__(plan, seed, replication, sink)
        self.priorities: list[list[int]] = plan.priorities.tolist()
        broken = set(plan.breakdowns[:, 0].tolist())
        for pool, (first, rows, rule, preempts) in zip(self.pools, plan.resources.tolist(), strict=True):
            pool.preempts = bool(preempts)
            pool.pauses = rule == AtShiftEnd.PAUSE and (pool.preempts or pool.number in broken)
            if rule == AtShiftEnd.FITS:
                changes = plan.changes[first : first + rows].tolist()
                pool.closings = [time for (_, before), (time, units) in pairwise(changes) if units < before]
        self.needs = self._needs()
        self.in_line = 0
        self.in_front = 0
        self.grants = 0

    def _needs(self) -> dict[tuple[int, int], tuple[tuple[Pool, int], ...]]:
        """Return the needs of every SEIZE and RELEASE of the program by (first row, rows)."""
        found: dict[tuple[int, int], tuple[tuple[Pool, int], ...]] = {}
        for op, _, first, rows, *_ in self.program:
            if op in (Op.SEIZE, Op.RELEASE, Op.KEEP):
                found[first, rows] = tuple(
                    (self.pools[pool], units) for pool, units in self.plan.needs[first : first + rows].tolist()
                )
        return found

    # --- units come and go

    def _open_and_break(self) -> None:
        """Set all changes of capacity and the clocks of all breakdowns going."""
        for number, (first, rows, *_) in enumerate(self.plan.resources.tolist()):
            for time, units in self.plan.changes[first : first + rows].tolist():
                Event(self.env, self._change, (number, units), CHANGE, time)
                self._settle(number, time)
        for clock in self._clocks():
            clock.start(0)

    def _change(self, event: Any) -> None:  # noqa: ANN401
        number, units = event.value
        self.pools[number].schedule(units, self.env.now)

    def _settle(self, number: int, delay: int = 0) -> None:
        """Have a resource interrupt and serve when all changes of an instant are made."""
        if self.pools[number].pauses:
            Event(self.env, self._cut_short, number, INTERRUPT + number, delay)
        Event(self.env, self._serve, number, SERVE + number, delay)

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

    def _at(self, time: int, pool: Pool, act: Callable[[int], None]) -> None:
        """Have `act` done among the capacity changes of a later instant."""
        if time < self.horizon:
            Event(self.env, self._break, (pool, act), CHANGE, time - self.env.now)

    def _break(self, event: Any) -> None:  # noqa: ANN401
        pool, act = event.value
        act(self.env.now)
        self._settle(pool.number)

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
                Event(self.env, self._renege, (request, slot, renege_to), TIMED + PATIENCE + token.number, wait)
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

    # --- interruptions (see zonesim.engine.preemption)

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
            priority = TIMED + DELAY_END + work.token.number
            Event(self.env, self._worked, (work, work.turn), priority, work.end - now)

    def _worked(self, event: Any) -> None:  # noqa: ANN401
        work, turn = event.value
        if work.turn == turn:
            work.pool.work.remove(work)
            work.token.work = None
            self._end_hold(work.token)

    # --- units given back, time that passes

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
            Event(self.env, self._held, token, TIMED + DELAY_END + token.number, end - now)
        return False

    def _held(self, event: Any) -> None:  # noqa: ANN401
        self._end_hold(event.value)

    def _end_hold(self, token: Token) -> None:
        self.events += 1
        visit = token.hold
        if visit is not None:
            self.recorder.go(visit.step, token.number, visit.queued, visit.started, self.env.now)
            token.hold = None
        self._go(token)
