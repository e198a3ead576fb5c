"""
The reference engine: interprets a plan, operation by operation, as plainly as it can be written.

All meaning is in the plan; here is nothing but interpretation. An engine has an event list, calendars, draws, resources
(`reference.resources`) and a recorder, and lets tokens walk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from zonesim.engine.arrivals import Population, arrivals_of
from zonesim.engine.deadlock import check_deadlock
from zonesim.engine.reference.calendars import Calendars
from zonesim.engine.reference.draws import Draws
from zonesim.engine.reference.events import ARRIVAL, BATCH_TIMEOUT, DELAY_END, READY, TIMED, EventList
from zonesim.engine.reference.recording import Ledger, Recorder
from zonesim.engine.reference.resources import Resources
from zonesim.engine.run_faults import endless, made_twice, spawn_loop, too_many_tokens
from zonesim.engine.state import Batch, Token, Visit
from zonesim.plan import (
    LARGEST_ORDINAL,
    NEVER,
    NOWHERE,
    BranchOn,
    GatherBy,
    Instruction,
    Op,
    Plan,
    SetWhat,
    Sink,
    Totals,
    token_number,
)

MOST_LOOPS: Final = 200_000
"""Backward jumps of one token within one instant that are taken for an endless loop."""

MOST_SPAWNS: Final = 200_000
"""Tokens started by others within one instant that are taken for an endless loop."""


def simulate(plan: Plan, seed: int, replication: int, sink: Sink) -> Totals:
    """
    Run one replication of `plan`; `sink` gets the records in blocks.

    `seed` and `replication` (both from 0) choose what is drawn; equal ones give equal records. Raises RunFault when the
    run cannot go on.
    """
    return ReferenceEngine(plan, seed, replication, sink).run()


class ReferenceEngine:
    """One replication."""

    resources_type = Resources

    def __init__(self, plan: Plan, seed: int, replication: int, sink: Sink) -> None:
        self.plan = plan
        self.begin, self.end, self.horizon = (int(time) for time in plan.window)
        self.program = plan.code
        self.shares: list[list[float]] = plan.shares.tolist()
        self.events = EventList(self.horizon)
        self.recorder = Recorder(sink, len(plan.names.steps), self.begin, self.end)
        self.draws = Draws(plan, seed, replication)
        self.calendars = Calendars(plan)
        self.resources = self.resources_type(plan, self.events, self.recorder, self.draws, self.calendars, self)
        self.population = Population(plan, self.draws.key)
        self.ledger = Ledger(plan, self.begin, self.end)
        self.classes: list[list[int]] = [[] for _ in plan.names.sources]
        self.arrived_by = [[0, 0, 0] for _ in plan.names.sources]
        self.leave_steps = self._leave_steps()
        self.inside: dict[int, Token] = {}
        self.spawned = [0] * len(plan.names.sources)
        self.spawn_time, self.spawns = -1, 0
        self.forming: dict[tuple[int, int], Batch] = {}
        self.departed: dict[tuple[int, int], int] = {}
        self.operations: dict[int, Callable[[Token, Instruction], bool]] = {
            Op.SEIZE: self.resources.seize,
            Op.EITHER: self.resources.either,
            Op.DELAY: self.resources.delay,
            Op.RELEASE: self.resources.release,
            Op.KEEP: self.resources.keep,
            Op.STOCK: self.resources.stock,
            Op.MARK: self._mark,
            Op.DUE: self._due_at,
            Op.SPLIT: self._split,
            Op.BRANCH: self._branch,
            Op.JUMP: self._jump,
            Op.SET: self._set,
            Op.JOIN: self._join,
            Op.GATHER: self._gather,
            Op.BOARD: self._board,
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
            if self.program[row].facts.ends:
                step = self.program[row].step
            steps[row] = step
        return steps

    # --- the run

    def run(self) -> Totals:
        """Run to the horizon and return the totals."""
        self.resources.start()
        self.events.at(self.begin, TIMED - 1, lambda: self.resources.peak_now(self.begin))
        for source in range(len(self.plan.sources)):
            self._next_arrival(source, 0, arrivals_of(self.plan, source, self.draws.key))
        self.events.run()
        self._close()
        return self._totals()

    def _next_arrival(self, source: int, ordinal: int, coming: Iterator[tuple[int, int]]) -> None:
        found = next(coming, None)
        if found is not None:
            time, arrival = found
            priority = ARRIVAL + token_number(source, ordinal)
            self.events.at(time, priority, lambda: self._arrive(source, ordinal, arrival, coming))

    def _arrive(self, source: int, ordinal: int, arrival: int, coming: Iterator[tuple[int, int]]) -> None:
        self.events.count += 1
        self._next_arrival(source, ordinal + 1, coming)
        self._come(source, ordinal, *self.population.describe(source, ordinal, self.events.now, arrival))

    def _come(self, source: int, ordinal: int, klass: int, flags: int, members: tuple[int, ...]) -> None:
        """Let the next token of a source arrive."""
        now = self.events.now
        self.classes[source].append(klass)
        counted = self.arrived_by[source]
        number = token_number(source, counted[0])
        counted[0] += 1
        counted[1] += now < self.begin
        counted[2] += now < self.end
        row = int(self.plan.sources["first_row"][source])
        token = Token(number, ordinal, 0, row, now, self.leave_steps[row], klass, flags, members=members)
        self._enter(token)
        self._go(token)

    def _enter(self, token: Token) -> None:
        if token.number in self.inside:
            raise made_twice(self.plan, token.leave_step)
        self.inside[token.number] = token
        self.recorder.come(token.leave_step, self.events.now)

    def ready(self, token: Token) -> None:
        """Let a token go on when those made ready before it have had their turn."""
        self.events.at(self.events.now, READY, lambda: self._go(token))

    def end_delay(self, token: Token) -> None:
        """Let a token whose delay has ended go on now."""
        self.events.count += 1
        visit = token.delay
        if visit is not None:
            self.recorder.go(visit.step, token.number, visit.queued, visit.started, self.events.now)
            token.delay = None
        self._go(token)

    def loop(self, token: Token) -> None:
        """Count one more backward jump of a token, so that it draws anew."""
        if token.loop(self.events.now) > MOST_LOOPS:
            raise endless(self.plan, token.leave_step)

    def _go(self, token: Token) -> None:
        """Let a token act until it waits or leaves."""
        program, operations = self.program, self.operations
        while True:
            each = program[token.row]
            token.row += 1
            if not operations[each.op](token, each):
                return

    # --- operations: each returns whether the token goes on at once

    def _mark(self, token: Token, each: Instruction) -> bool:
        self.recorder.mark(each.mark, token.number, self.events.now)
        return True

    def _due_at(self, token: Token, each: Instruction) -> bool:
        now = self.events.now
        time = 0 if each.duration == NOWHERE else self.draws.for_token(token, each.duration, each.stream)
        if each.which == NOWHERE:
            due = self.calendars.end_of(each.calendar, now, time)
        else:
            due = (self.calendars.next_closing if each.which else self.calendars.next_opening)(
                each.calendar, now + time
            )
        token.dues.pop(each.deadline, None)
        if due != NOWHERE:
            token.dues[each.deadline] = due
            self.recorder.mark(each.mark, token.number, due)
        return True

    def _split(self, token: Token, each: Instruction) -> bool:
        count = self.draws.for_token(token, each.number, each.stream)
        first = each.base + (token.child - each.parent_base) * each.stride
        for child in range(first, first + min(count, each.stride)):
            number = token.number - token.child + child
            new = Token(
                number,
                token.ordinal,
                child,
                each.child,
                self.events.now,
                self.leave_steps[each.child],
                token.klass,
                token.flags,
                token.loop_count,
            )
            new.members, new.status, new.dues = token.members, token.status, {**token.dues}
            if each.group != NOWHERE:
                new.parent, new.group = token, each.group
                token.children[each.group] = token.children.get(each.group, 0) + 1
            self._enter(new)
            self.ready(new)
        return True

    def _branch(self, token: Token, each: Instruction) -> bool:
        resources = self.resources.states
        if each.on == BranchOn.SHARE:
            share = self.shares[each.share][token.klass]
            yes = self.draws.below(share, token, each.stream, 0 if each.steady else token.loop_count)
        elif each.on == BranchOn.FLAG:
            yes = bool(token.flags >> each.flag & 1)
        elif each.on == BranchOn.CLASS:
            yes = bool(each.classes >> token.klass & 1)
        elif each.on == BranchOn.QUEUE_LONGER:
            yes = len(resources[each.resource].queue) > each.length
        elif each.on == BranchOn.STATUS:
            yes = token.status != NOWHERE and bool(each.statuses >> token.status & 1)
        elif each.on == BranchOn.SHORTEST:
            candidates = [resources[number] for number, _ in self.plan.needs_of(each.first_need, each.needs)]
            there = [len(resource.queue) + resource.used for resource in candidates]
            yes = there.index(min(there)) == each.candidate
        elif each.on == BranchOn.OVERDUE:
            due = token.dues.get(each.deadline)
            yes = due is not None and (self.events.now > due) == bool(each.passed)
        elif each.on == BranchOn.LAST:
            yes = self._is_last(token, each.flag)
        elif each.on == BranchOn.GRANTED:
            yes = token.open[each.slot].way == each.candidate
        else:
            yes = resources[each.resource].capacity == 0
        if yes:
            token.row = each.target
        return True

    def _is_last(self, token: Token, flag: int) -> bool:
        """Return whether all other children that somebody still waits for with this one have a flag."""
        if token.parent is None or token.parent.number not in self.inside:
            return False
        family = (each for each in self.inside.values() if each.parent is token.parent and each.group == token.group)
        return all(each is token or each.flags >> flag & 1 for each in family)

    def _jump(self, token: Token, each: Instruction) -> bool:
        token.row = each.target
        if each.again:
            self.loop(token)
        return True

    def _set(self, token: Token, each: Instruction) -> bool:
        if each.what == SetWhat.RAISE_FLAG:
            token.flags |= 1 << each.flag
        elif each.what == SetWhat.LOWER_FLAG:
            token.flags &= ~(1 << each.flag)
        elif each.what == SetWhat.CLASS:
            token.klass = each.new_class
        elif each.what == SetWhat.STATUS:
            token.status = each.status
        else:
            self.ledger.book(each.account, each.amount, token, self.events.now)
        return True

    def _join(self, token: Token, each: Instruction) -> bool:
        if token.children.get(each.group, 0):
            token.joins = each.group
            return False
        return True

    def _wait_until(self, token: Token, each: Instruction) -> bool:
        now = self.events.now
        due = (self.calendars.until_shut if each.which else self.calendars.until_open)(each.calendar, now)
        self.recorder.come(each.step, now)
        if due == now:
            self.recorder.go(each.step, token.number, now, now, now)
            return True
        token.delay = Visit(each.step, now, NEVER)
        if due != NOWHERE:
            self.events.at(due, DELAY_END + token.number, lambda: self._waited(token))
        return False

    def _waited(self, token: Token) -> None:
        assert token.delay is not None  # noqa: S101  the visit of its wait
        token.delay.started = self.events.now
        self.end_delay(token)

    def _spawn(self, token: Token, each: Instruction) -> bool:
        now, source = self.events.now, each.source
        due = now + self.draws.for_token(token, each.delay, each.stream)
        order = self.spawned[source]
        if order > LARGEST_ORDINAL:
            raise too_many_tokens(self.plan, source)
        if self.spawn_time != now:
            self.spawn_time, self.spawns = now, 0
        self.spawns += 1
        if self.spawns > MOST_SPAWNS:
            raise spawn_loop(self.plan, source)
        self.spawned[source] += 1
        if due < self.horizon:
            ordinal, klass, members = self.draws.ordinal_of_heir(token, each.stream), token.klass, token.members
            priority = ARRIVAL + token_number(source, order)
            self.events.at(due, priority, lambda: self._born(source, ordinal, klass, members))
        return True

    def _born(self, source: int, ordinal: int, klass: int, members: tuple[int, ...]) -> None:
        self.events.count += 1
        flags = self.population.flags_of(source, members, ordinal, self.events.now)
        self._come(source, ordinal, klass, flags, members)

    def _gather(self, token: Token, each: Instruction) -> bool:
        now, led = self.events.now, each.others_to != NOWHERE
        token.delay = Visit(each.step, now, NEVER)
        self.recorder.come(each.step, now)
        key = _batch_key(token, each.batch, each.by)
        batch = self.forming.get(key)
        if batch is None:
            batch = self.forming[key] = Batch(each.batch, key, led=led)
        batch.tokens.append(token)
        token.batch = batch
        if batch.led and led and len(batch.tokens) > 1:
            token.row = each.others_to
        if len(batch.tokens) == each.number:
            self._complete(batch)
        elif len(batch.tokens) == 1:
            ends = [] if each.timeout == NOWHERE else [now + self.draws.for_token(token, each.timeout, each.stream)]
            opening = NOWHERE if each.calendar == NOWHERE else self.calendars.next_opening(each.calendar, now)
            ends += [opening] if opening != NOWHERE else []
            if ends and min(ends) < self.horizon:
                batch.due = min(ends)
                self.events.at(batch.due, BATCH_TIMEOUT + token.number, lambda: self._due(batch))
        return False

    def _due(self, batch: Batch) -> None:
        if not batch.complete:
            self.events.count += 1
            self._complete(batch)

    def _complete(self, batch: Batch) -> None:
        """Let the tokens of a batch go on in the order in which they joined, or its leader alone."""
        del self.forming[batch.key]
        self._let_go(batch)

    def _let_go(self, batch: Batch) -> None:
        """Let the tokens of a batch that is forming no more go on."""
        batch.complete = True
        for token in batch.tokens:
            assert token.delay is not None  # noqa: S101  the visit of its wait
            token.delay.started = self.events.now
        if batch.led:
            batch.leader.leads[batch.number] = batch
        for token in batch.tokens[: 1 if batch.led else None]:
            self._part(token)

    def _board(self, token: Token, each: Instruction) -> bool:
        now = self.events.now
        token.delay = Visit(each.step, now, NEVER)
        self.recorder.come(each.step, now)
        key = _batch_key(token, each.batch, each.by)
        line = self.forming.setdefault(key, Batch(each.batch, key))
        line.tokens.append(token)
        token.batch = line
        if len(line.tokens) == 1:
            self._await(line)
        return False

    def _await(self, line: Batch) -> None:
        """Have those who are first in a line depart at the next opening of their calendar; none is joined late."""
        now, first = self.events.now, line.leader
        late = self.departed.get(line.key) == now
        due = self.calendars.next_opening(self.program[first.row - 1].calendar, now + late)
        line.due = due if due < self.horizon else NOWHERE
        if line.due != NOWHERE:
            self.events.at(due, BATCH_TIMEOUT + first.number, lambda: self._depart(line))

    def _depart(self, line: Batch) -> None:
        """Let as many of a line go on as there is room for; the others wait for the next departure."""
        self.events.count += 1
        each = self.program[line.leader.row - 1]
        most = self.draws.for_token(line.leader, each.most, each.stream)
        self.departed[line.key] = self.events.now
        going = line
        if len(line.tokens) > most:
            going = Batch(line.number, line.key, line.tokens[:most])
            line.tokens = line.tokens[most:]
            for token in going.tokens:
                token.batch = going
            self._await(line)
        else:
            del self.forming[line.key]
        going.led = each.others_to != NOWHERE
        for token in going.tokens[1:] if going.led else ():
            others_to = self.program[token.row - 1].others_to
            token.row = token.row if others_to == NOWHERE else others_to
        self._let_go(going)

    def _part(self, token: Token) -> None:
        """End the wait for a batch and let the token go on when its turn comes."""
        visit = token.delay
        assert visit is not None  # noqa: S101  the visit of its wait
        self.recorder.go(visit.step, token.number, visit.queued, visit.started, self.events.now)
        token.delay = token.batch = None
        self.ready(token)

    def _scatter(self, token: Token, each: Instruction) -> bool:
        batch = token.leads.pop(each.batch, None)
        for other in batch.tokens[1:] if batch is not None else ():
            self._part(other)
        return True

    def _leave(self, token: Token, each: Instruction) -> bool:
        del self.inside[token.number]
        self.recorder.go(each.step, token.number, token.arrived, token.arrived, self.events.now)
        parent = token.parent
        if parent is not None:
            parent.children[token.group] -= 1
            if parent.children[token.group] == 0 and parent.joins == token.group:
                parent.joins = NOWHERE
                self.ready(parent)
        return False

    # --- the end

    def _close(self) -> None:
        """Write open rows of whoever is still inside, in the order of token numbers, and close the integrals."""
        check_deadlock(self.plan, self.inside.values(), self.horizon)
        for number in sorted(self.inside):
            token = self.inside[number]
            for visit in [*(token.open[slot] for slot in sorted(token.open)), *([token.delay] if token.delay else [])]:
                self.recorder.row(visit.step, number, visit.queued, visit.started, NEVER)
            if token.work is not None and token.work.stopped != NEVER:
                self.recorder.row(token.work.step, number, token.work.stopped, NEVER, NEVER)
            self.recorder.row(token.leave_step, number, token.arrived, token.arrived, NEVER)
        self.recorder.close(self.horizon)
        self.resources.close(self.horizon)
        self.ledger.close(self.horizon)

    def _totals(self) -> Totals:
        def ints(values: list[Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
            return np.array(values, dtype=np.int64)

        resources = self.resources.states
        return Totals(
            busy=ints([each.busy for each in resources]),
            open=ints([each.open for each in resources]),
            broken=ints([each.broken for each in resources]),
            queue=ints([each.queued for each in resources]),
            peak=ints([each.peak for each in resources]),
            at_step=ints(self.recorder.integral),
            arrivals=ints([counted[0] for counted in self.arrived_by]),
            cohort=ints([counted[1:] for counted in self.arrived_by]).reshape(-1, 2),
            classes=tuple(np.array(classes, dtype=np.int16) for classes in self.classes),
            events=self.events.count,
            levels=ints(self.ledger.balance),
            level_time=ints(self.ledger.integral),
        )


def _batch_key(token: Token, number: int, by: int) -> tuple[int, int]:
    """Return which of the batches with this number a token belongs to."""
    if by == GatherBy.FIRM:
        return number, token.members[0] if token.members else NOWHERE
    return number, token.klass if by == GatherBy.CLASS else NOWHERE
