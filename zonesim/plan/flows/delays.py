"""Time that passes: work, and waiting for an instant."""

from __future__ import annotations

from typing import Final

from zonesim.faults import ScenarioFault
from zonesim.plan.assembly import Operand
from zonesim.plan.flows.emitter import Emitter
from zonesim.plan.flows.values import Values
from zonesim.plan.operations import NOWHERE, Op
from zonesim.plan.plan import StepName
from zonesim.plan.scope import Scope
from zonesim.plan.world_tables import Obligation
from zonesim.scenario import Step
from zonesim.scenario.acts import Deadline, Instant, when_of

OFFICE: Final = "office"
"""The calendar whose days are working days unless a step says another."""


class Delays:
    """Writes how long steps take."""

    def __init__(self, out: Emitter, values: Values) -> None:
        self.out = out
        self.tables = out.tables
        self.world = out.world
        self.values = values

    def write(self, step: Step, scope: Scope, number: Operand) -> None:
        """Let the time of a step pass, as a visit of the step `number` if it is one of its own."""
        working = self.values.in_working_days(step.take, scope)
        duration = self.values.distribution(step, scope, working=working)
        stream = self.out.stream(scope, "take")
        calendar = self._calendar(step, scope, working=working)
        interrupted = self._interruption(step, scope)
        self.out.emit(Op.DELAY, number, duration=duration, stream=stream, calendar=calendar, interrupted=interrupted)

    def due(self, step: Step, scope: Scope) -> None:
        """Note the deadlines of a step, each with a mark at the moment of it."""
        for name, due in step.due.items():
            key = ("due", name)
            mark = f"{name}.due"
            number = self.out.mark_number(mark, scope)
            deadline = self.out.deadline(name, self.world.place((*scope.text, *key)))
            self.tables.deadlines[name][self.out.entry.flow] = None
            mark_due = due.mark if isinstance(due, Deadline) else "left"
            obligation = self.tables.obligations.setdefault((name, mark_due), Obligation(due))
            obligation.flows.setdefault(self.out.entry.flow, self.world.place((*scope.text, *key)))
            written = when_of(due)
            duration, stream, calendar, which = NOWHERE, 0, NOWHERE, NOWHERE
            if isinstance(written, Instant):
                which = int(written.closing is not None)
                calendar = self.values.calendar(str(written.closing or written.opening), scope, key)
                after = due.after if isinstance(due, Deadline) else None
                if after is not None:
                    duration = self.values.distribution(step, scope, after, (*key, "after"), working=False)
                    stream = self.out.stream(scope, f"due {name}")
            else:
                working = self.values.in_working_days(written, scope)
                duration = self.values.distribution(step, scope, written, key, working=working)
                stream = self.out.stream(scope, f"due {name}")
                if working:
                    calendar = self.values.calendar(OFFICE, scope, key, whole_days=True)
            self.out.emit(
                Op.DUE,
                mark=number,
                deadline=deadline,
                duration=duration,
                stream=stream,
                calendar=calendar,
                which=which,
            )

    def until(self, step: Step, scope: Scope) -> None:
        """Wait until a calendar is open, or shut."""
        written = step.wait_until
        closing = isinstance(written, Instant) and written.closing is not None
        name = (written.closing or written.opening) if isinstance(written, Instant) else written
        calendar = self.values.calendar(str(name), scope, ("wait_until",), opens=closing)
        self.out.emit(Op.WAIT_UNTIL, self.values.step_number(step, scope), calendar=calendar, which=int(closing))

    def _interruption(self, step: Step, scope: Scope) -> Operand:
        """Return the step of the visits that tell the interruptions of a hold, -1 where there are none."""
        if len(scope.held) != 1 or not self.tables.interrupts(scope.held[0][0]):
            return NOWHERE
        resource, units = scope.held[0]
        path = (*scope.path, "interrupted")
        label = {
            str(language): f"{text}（中断）" if language == "zh" else f"{text} (interrupted)"
            for language, text in step.label.items()
        }
        name = StepName(
            self.out.name,
            self.out.entry.flow,
            path,
            label,
            (resource,),
            (units,),
            self.out.kind.name,
            is_interruption=True,
        )
        return self.tables.steps.add(
            (self.out.name, path, resource, "interrupted"), self.out.order(scope), lambda: name
        )

    def _calendar(self, step: Step, scope: Scope, *, working: bool) -> int:
        """
        Return the calendar in which a hold counts: none, `during`, that of the resource that pauses, or for working
        days the whole days on which `during` (the office) opens.
        """
        if step.during is not None or working:
            return self.values.calendar(step.during or OFFICE, scope, ("during",), opens=True, whole_days=working)
        pausing = {self.tables.pausing_calendar(resource) for resource, _ in scope.held} - {None}
        if len(pausing) > 1:
            raise ScenarioFault(
                "two resources that pause at different hours are held at once",
                self.out.here,
                "Give them the same opening hours.",
                owner=self.tables.path_of(scope.held[-1][0]),
            )
        return self.tables.calendar(str(pausing.pop()), self.out.here) if pausing else NOWHERE
