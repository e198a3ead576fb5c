"""
Units in the reference engine: when they open, break down and come back; who seizes, keeps, loses and releases them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Protocol

from zonesim.engine.breakdowns import BusyClock, Clock
from zonesim.engine.preemption import interrupt, overtake, too_many
from zonesim.engine.reference.calendars import Calendars
from zonesim.engine.reference.draws import Draws
from zonesim.engine.reference.events import CHANGE, DELAY_END, INTERRUPT, PATIENCE, SERVE, EventList
from zonesim.engine.reference.recording import Recorder
from zonesim.engine.resources import enter, leave, peak_now, release, seize, serve
from zonesim.engine.state import Act, Fall, Needs, Request, ResourceState, Token, Visit, Way, Work
from zonesim.plan import NEVER, NOWHERE, Instruction, Plan, WaitsFor, as_dicts, ways_of
from zonesim.plan import Clock as Counts


class Walk(Protocol):
    """What is done with tokens that have got units, or have not."""

    def ready(self, token: Token) -> None:
        """Let a token go on when those made ready before it have had their turn."""

    def end_delay(self, token: Token) -> None:
        """Let a token whose delay has ended go on now."""

    def loop(self, token: Token) -> None:
        """Count one more backward jump of a token."""


class Resources:
    """All resources of a replication."""

    def __init__(
        self, plan: Plan, events: EventList, recorder: Recorder, draws: Draws, calendars: Calendars, walk: Walk
    ) -> None:
        self.plan = plan
        self.events, self.recorder, self.draws, self.calendars, self.walk = events, recorder, draws, calendars, walk
        self.program = plan.code
        self.priorities: list[list[int]] = plan.priorities.tolist()
        begin, end, _ = (int(time) for time in plan.window)
        self.states = [ResourceState(number, begin, end, last=begin) for number in range(len(plan.resources))]
        for resource in self.states:
            resource.preempts = bool(plan.resources["preempts"][resource.number])
            resource.pauses = plan.pauses(resource.number)
            resource.falls = [Fall(time, units) for time, units in plan.falls_of(resource.number)]
        self.needs = self._needs()
        self.joined = 0
        self.put_ahead = 0
        self.grants = 0

    def _needs(self) -> dict[tuple[int, int], Needs]:
        """Return the needs of everything in the program that moves units, by (first row, rows)."""
        moving = (each for each in self.program if each.facts.units is not None or each.facts.waits is WaitsFor.UNITS)
        asked = {(each.first_need, each.needs) for each in moving}
        return {
            (first, rows): tuple((self.states[number], units) for number, units in self.plan.needs_of(first, rows))
            for first, rows in asked
        }

    # --- units come and go

    def start(self) -> None:
        """Set all changes of capacity and the clocks of all breakdowns going."""
        for resource in self.states:
            for time, units in self.plan.changes_of(resource.number).tolist():
                self.events.at(time, CHANGE, partial(self._schedule, resource, units))
                self._settle(resource, time)
        for clock in self._clocks():
            clock.start(0)

    def _schedule(self, resource: ResourceState, units: int) -> None:
        resource.schedule(units, self.events.now)

    def _settle(self, resource: ResourceState, time: int) -> None:
        """Have a resource interrupt and serve when all changes of an instant are made."""
        if resource.pauses:
            self.events.at(time, INTERRUPT + resource.number, lambda: self._cut_short(resource))
        self.events.at(time, SERVE + resource.number, lambda: self._serve(resource))

    def _cut_short(self, resource: ResourceState) -> None:
        while (work := too_many(resource, self.events.now)) is not None:
            self._interrupt(work)

    def _serve(self, resource: ResourceState) -> None:
        self._grant(serve([resource], self.events.now))
        self._preempt(resource)

    def _clocks(self) -> Iterator[Clock]:
        """Return the clocks of all breakdowns."""
        for own in as_dicts(self.plan.breakdowns):
            resource = self.states[own["resource"]]
            up, repair = (own["up"], own["up_stream"]), (own["repair"], own["repair_stream"])
            kind = BusyClock if own["clock"] == Counts.BUSY else Clock
            clock = kind(resource, own["units"], up, repair, self.draws.for_cycle, self._change_at)
            if isinstance(clock, BusyClock):
                resource.clock = clock
            yield clock

    def _change_at(self, time: int, resource: ResourceState, act: Act) -> None:
        """Have `act` done among the capacity changes of a later instant."""

        def change() -> None:
            act(time)
            self._settle(resource, time)

        self.events.at(time, CHANGE, change)

    def peak_now(self, now: int) -> None:
        """Let the longest queues count what already waits when the measured window begins."""
        peak_now(self.states, now)

    def close(self, now: int) -> None:
        """Bring all integrals up to the end of the run."""
        for resource in self.states:
            resource.count(now)

    # --- SEIZE

    def seize(self, token: Token, each: Instruction) -> bool:
        """Ask for units; return whether the token goes on at once."""
        visit = token.open.get(each.slot)
        if visit is not None:  # an EITHER has got them
            self.recorder.move(visit.step, each.step, visit.queued, self.events.now)
            visit.step = each.step
            return True
        return self._ask(token, each, [token.row - 1])

    def either(self, token: Token, each: Instruction) -> bool:
        """Ask for what one of several SEIZEs asks for; return whether the token goes on at once."""
        return self._ask(token, each, ways_of(self.program, token.row - 1))

    def _ask(self, token: Token, each: Instruction, seizes: list[int]) -> bool:
        """Ask for what one of the SEIZEs at some rows asks for; return whether the token goes on at once."""
        now = self.events.now
        self.joined += 1
        needs = self.needs[each.first_need, each.needs]
        priority = self.priorities[each.priority][token.klass]
        visit = token.open[each.slot] = Visit(each.step, now, NEVER, needs, priority)
        ways = tuple(self._way(token, row) for row in seizes)
        request = Request(token, visit, visit.priority, self.joined, needs, ways)
        self.recorder.come(each.step, now)
        if enter(request, now) or self._takes_over(request):
            self._has_units(visit)
            visit.started = now
            return True
        token.waits_for = request
        if each.patience != NOWHERE:
            request.gives_up = True
            if each.stream < NOWHERE:  # until a deadline, which may have passed
                due = max(token.dues.get(NOWHERE - 1 - each.stream, self.events.horizon), now)
            else:
                due = now + self.draws.for_token(token, each.patience, each.stream)
            self.events.at(due, PATIENCE + token.number, lambda: self.renege(request, each.slot, each.renege_to))
        return False

    def _way(self, token: Token, row: int) -> Way:
        """Return what the SEIZE at a row asks for."""
        each = self.program[row]
        way = Way(self.needs[each.first_need, each.needs])
        if any(resource.falls for resource, _ in way.needs):  # the work is the one delay that follows
            work = self.program[row + 1]
            way.lasts = self.draws.for_token(token, work.duration, work.stream)
        return way

    def renege(self, request: Request, slot: int, target: int) -> None:
        """Let a token that still waits give up; it may have held up others in the queues that it leaves."""
        token = request.token
        if token.waits_for is not request:
            return
        now = self.events.now
        self.events.count += 1
        leave(request, now)
        token.waits_for = None
        visit = token.open.pop(slot)
        self.recorder.go(visit.step, token.number, visit.queued, NEVER, now)
        if target < token.row:
            self.walk.loop(token)
        token.row = target
        self.walk.ready(token)
        for resource, _ in request.needs:
            self._serve(resource)

    def _grant(self, requests: list[Request]) -> None:
        """Give waiters their units now; they move when their turn comes, and interrupted work just goes on."""
        for request in requests:
            token = request.token
            token.waits_for = None
            self._has_units(request.visit)
            if request.resumes is not None:
                self._resume(request.resumes)
            else:
                request.visit.started = self.events.now
                self.walk.ready(token)

    def _has_units(self, visit: Visit) -> None:
        self.grants += 1
        visit.granted = self.grants

    # --- interruptions (see zonesim.engine.preemption)

    def _takes_over(self, request: Request) -> bool:
        """Let a newcomer that has joined its queue take the unit of a victim; return whether it did."""
        resource = request.needs[0][0] if request.needs else None
        if resource is None or not resource.preempts or resource.queue[0][1] is not request:
            return False
        return self._overtakes(resource) is not None

    def _preempt(self, resource: ResourceState) -> None:
        """Let those who wait take the units of victims."""
        while (request := self._overtakes(resource)) is not None:
            self._grant([request])

    def _overtakes(self, resource: ResourceState) -> Request | None:
        """Let the first in the queue take the unit of a victim; return its request if there is one."""
        found = overtake(resource, self.events.now)
        if found is None:
            return None
        request, work = found
        leave(request, self.events.now)
        self._interrupt(work)
        seize(request, 0, self.events.now)
        return request

    def _interrupt(self, work: Work) -> None:
        now = self.events.now
        self.put_ahead -= 1
        interrupt(work, self.calendars.passed(work.calendar, work.since, now), self.put_ahead, now)
        self.recorder.come(work.step, now)

    def _resume(self, work: Work) -> None:
        now = self.events.now
        self.recorder.go(work.step, work.token.number, work.stopped, now, now)
        work.stopped = NEVER
        self._go_on(work)

    def _go_on(self, work: Work) -> None:
        """Schedule the end of a delay that can be interrupted."""
        now = self.events.now
        work.since, work.end = now, self.calendars.end_of(work.calendar, now, work.left)
        work.resource.work.append(work)
        epoch = work.epoch

        def end() -> None:
            if work.epoch == epoch:
                work.resource.work.remove(work)
                work.token.work = None
                self.walk.end_delay(work.token)

        self.events.at(work.end, DELAY_END + work.token.number, end)

    # --- RELEASE, KEEP, DELAY

    def release(self, token: Token, each: Instruction) -> bool:
        """Give the units of a visit back."""
        if each.if_held and each.slot not in token.open:
            return True
        now = self.events.now
        visit = token.open.pop(each.slot)
        self.recorder.go(each.step, token.number, visit.queued, visit.started, now)
        needs = self.needs[each.first_need, each.needs]
        self._grant(release(needs, now))
        for resource, _ in needs:
            self._preempt(resource)
        return True

    def keep(self, token: Token, each: Instruction) -> bool:
        """Let some units of a visit belong to another one from now on."""
        now = self.events.now
        kept = self.needs[each.first_need, each.needs]
        before = token.open[each.from_slot]
        moved = dict(kept)
        before.needs = tuple((resource, units - moved.get(resource, 0)) for resource, units in before.needs)
        token.open[each.slot] = Visit(each.step, now, now, kept)
        self.recorder.come(each.step, now)
        return True

    def stock(self, _: Token, each: Instruction) -> bool:
        """Change how many units of a resource there are."""
        resource, now = self.states[each.resource], self.events.now
        if each.amount < 0:
            resource.use(each.amount, now)
        resource.schedule(resource.scheduled + each.amount, now)
        if each.amount > 0:
            self._serve(resource)
        return True

    def delay(self, token: Token, each: Instruction) -> bool:
        """Let time pass."""
        now = self.events.now
        duration = self.draws.for_token(token, each.duration, each.stream)
        if each.step != NOWHERE:
            token.delay = Visit(each.step, now, now)
            self.recorder.come(each.step, now)
        if each.interrupted != NOWHERE and duration > 0:
            visit = next(visit for visit in token.open.values() if visit.needs)
            resource = visit.needs[0][0]
            token.work = Work(token, visit, resource, each.interrupted, each.calendar, duration, now, now)
            self._go_on(token.work)
            self._preempt(resource)
            return False
        end = self.calendars.end_of(each.calendar, now, duration)
        self.events.at(end, DELAY_END + token.number, lambda: self.walk.end_delay(token))
        return False
