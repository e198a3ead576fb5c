"""
What a step does: conditions, units in hand, time, checks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.plan.assembly import Block, Kept, Label, Operand
from zonesim.plan.editions import leaves
from zonesim.plan.flow_choice import ChoiceWriter
from zonesim.plan.operations import NOWHERE, BranchOn, GatherBy, Op, SetWhat
from zonesim.plan.plan import MarkName, StepName
from zonesim.plan.scope import OpenList, Scope
from zonesim.plan.world_tables import CREDIT
from zonesim.scenario import Step
from zonesim.scenario.acts import Changes, Gather, Instant, start_of
from zonesim.scenario.models import When
from zonesim.scenario.steps import Shortest

OFFICE: Final = "office"
"""The calendar whose days are working days unless a step says another."""

_ALONE: Final = (
    "Take it in a step of its own, or leave out `preempt` and, where it breaks down, write `at_shift_end: finish`."
)


class WorkWriter(ChoiceWriter, ABC):
    """Writes what a single step does."""

    @abstractmethod
    def _steps(self, scope: Scope) -> None:
        """Write the inner steps of a step."""

    # --- conditions

    def _when(self, when: When, scope: Scope, after: Label) -> bool:
        place = self.arm.world.place((*scope.text, "when"))
        for param, wanted in (when.__pydantic_extra__ or {}).items():
            if param not in scope.arguments:
                raise UnknownName(f"no parameter '{param}' here", place, suggest(param, scope.arguments, "parameters"))
            allowed = wanted if isinstance(wanted, list) else [wanted]
            if str(self._resolved(f"${param}", scope)) not in allowed:
                return False
        if when.class_ is not None:
            wanted = when.class_ if isinstance(when.class_, list) else [when.class_]
            known = [self.tables.acts_as(name) for name in self.tables.classes]
            for one in wanted:
                if one not in known:
                    raise UnknownName(f"no class '{one}'", place, suggest(one, known, "classes"), owner=CREDIT)
            mask = sum(1 << number for number, name in enumerate(known) if name in wanted)
            self._only_if(BranchOn.CLASS, mask, after)
        if when.status is not None:
            wanted = when.status if isinstance(when.status, list) else [when.status]
            self._only_if(BranchOn.STATUS, sum({1 << self.tables.status(one, place) for one in wanted}), after)
        if when.queue is not None:
            line = self.tables.resource(self._resolved(when.queue.of, scope), place)
            self._only_if(BranchOn.QUEUE_LONGER, line, after, when.queue.longer_than)
        if when.shut is not None:
            self._only_if(BranchOn.CLOSED, self.tables.resource(self._resolved(when.shut, scope), place), after)
        if when.open is not None:
            resource = self.tables.resource(self._resolved(when.open, scope), place)
            self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.CLOSED, resource, 0, after)
        for mark, yes in ((when.marked, True), (when.unmarked, False)):
            if mark is not None:
                flag = self._flag(f"mark {'.'.join((*scope.call, mark))}")
                if yes:
                    self._only_if(BranchOn.FLAG, flag, after)
                else:
                    self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.FLAG, flag, 0, after)
        return True

    def _only_if(self, on: BranchOn, operand: int, after: Label, third: int = 0) -> None:
        yes = Label()
        self.routine.emit(Op.BRANCH, NOWHERE, on, operand, third, yes)
        self.routine.jump(after)
        self.routine.place(yes)

    # --- units and time

    def _holding(self, step: Step, scope: Scope, labels: Mapping[str, Label]) -> None:
        """
        Take units, do the work of the step with them in hand, give them back, but for those that are kept.

        `labels` are the steps that a token may go on with when it gives up waiting.
        """
        for key, hold in step.hold.items():
            if isinstance(hold, Shortest):
                self._shortest(step, key, hold, scope, labels)
                return
        taken: dict[str, tuple[int, int]] = {}
        needs: dict[int, int] = {}
        for key, hold in step.hold.items():
            place = self.arm.world.place((*scope.text, "hold", key))
            resource, count = self._units_of(hold, scope, place)
            taken[key] = (resource, count)
            needs[resource] = needs.get(resource, 0) + count
        in_hand = dict(scope.held)
        for resource, count in needs.items():
            in_hand[resource] = in_hand.get(resource, 0) + count
            most = self.tables.largest_capacity(resource)
            if in_hand[resource] > most:
                name = self.tables.resources.rows[resource]
                fault = f"needs {in_hand[resource]} units of {name}, which never has more than {most}"
                place, owner = self.arm.world.place((*scope.text, "hold")), self.tables.path_of(resource)
                raise ScenarioFault(fault, place, "Give it more units, or take fewer.", owner=owner)
        self._check_alone(needs, step, scope)
        first, count = self._needs(needs)
        priority = self._priority_row(step, scope)
        number = self._step_number(step, scope)
        self.routine.nested = max(self.routine.nested, scope.depth + 1)
        self._check_fits(step, needs, scope)
        patience, renege_to, stream = self._patience(step, scope, labels)
        self.routine.emit(Op.SEIZE, number, first, count, priority, scope.depth, patience, renege_to, stream)
        inner = replace(
            scope,
            depth=scope.depth + 1,
            held=tuple(sorted(in_hand.items())),
            blocks=(*scope.blocks, Block(number, first, count, scope.depth)),
        )
        if step.take is not None:
            self._hold_time(step, inner, NOWHERE)
        self._work(step, inner)
        for key in step.keep:
            self._keep(step, key, taken[key], scope)
            needs[taken[key][0]] -= taken[key][1]
        first, count = self._needs(needs)
        self.routine.emit(Op.RELEASE, number, first, count, scope.depth, 0)

    def _patience(self, step: Step, scope: Scope, labels: Mapping[str, Label]) -> tuple[int, Operand, int]:
        """Return law and stream of the longest wait, and where a token goes on that gives up."""
        if step.patience is None:
            return NOWHERE, NOWHERE, NOWHERE
        target = step.patience.next
        way = self._way(target, labels, scope, self.arm.world.place((*scope.text, "patience", "next")))
        law = self._law(step, scope, step.patience.longest, ("patience", "longest"))
        return law, way, self.tables.streams.add(self._stream_name(scope, "patience"))

    def _check_alone(self, needs: Mapping[int, int], step: Step, scope: Scope) -> None:
        """Raise ScenarioFault when units that may be lost in the middle of work are not the only ones in hand."""
        place = self.arm.world.place((*scope.text, "hold"))
        inside = [resource for resource, _ in scope.held if self.tables.interrupts(resource)]
        if inside:
            name = self.tables.resources.rows[inside[0]]
            fault = f"takes more while it has a unit of {name} in hand, whose work can be interrupted"
            raise ScenarioFault(fault, place, _ALONE, owner=self.tables.path_of(inside[0]))
        here = [resource for resource in needs if self.tables.interrupts(resource)]
        if here and (sum(needs.values()) > 1 or scope.held or step.keep):
            name = self.tables.resources.rows[here[0]]
            fault = f"work with {name} can be interrupted, so it is taken alone: one unit, with nothing else in hand"
            raise ScenarioFault(fault, place, _ALONE, owner=self.tables.path_of(here[0]))

    def _check_fits(self, step: Step, needs: Mapping[int, int], scope: Scope) -> None:
        """Raise ScenarioFault when nobody can tell at its start how long the work of a step takes."""
        tight = [resource for resource in needs if self.tables.starts_only_what_fits(resource)]
        if tight and (step.take is None or step.during or step.inside or step.detect or step.keep):
            name = self.tables.resources.rows[tight[0]]
            raise ScenarioFault(
                f"{name} starts only what fits, but how long this step takes is not known at its start",
                self.arm.world.place((*scope.text, "hold")),
                "Give the step one `take` and nothing else, or another `at_shift_end`.",
                owner=self.tables.path_of(tight[0]),
            )

    def _needs(self, units_of: Mapping[int, int]) -> tuple[int, int]:
        """Return first row and number of rows of the needs table."""
        rows = tuple(sorted((resource, units) for resource, units in units_of.items() if units))
        return self.tables.needs.add_run(rows), len(rows)

    # --- units that outlast their block

    def _keep(self, step: Step, key: str, taken: tuple[int, int], scope: Scope) -> None:
        """Move the units of a hold to a slot of their own, to be given back at the end of a later step."""
        place = self.arm.world.place((*scope.text, "keep", key))
        resource, units = taken
        name = self.tables.resources.rows[resource]
        if self.tables.pausing_calendar(resource) is not None:
            fault, owner = f"{name} pauses at closing and cannot be kept", self.tables.path_of(resource)
            raise ScenarioFault(fault, place, "Keep what has `finish`.", owner=owner)
        opened = self._list_of(step.keep[key], scope, place)
        path = (*scope.path, "keep", key)
        label = {
            str(language): f"{text}（续占）" if language == "zh" else f"{text} (kept)"
            for language, text in step.label.items()
        }
        step_name = StepName(
            self.name, self.entry.flow, path, label, (resource,), (units,), self.kind.name, is_kept=True
        )
        number = self.tables.steps.add((self.name, path, (taken,)), self.order(scope), lambda: step_name)
        first, count = self._needs({resource: units})
        slot = self.routine.slot_for_kept()
        self.routine.emit(Op.KEEP, number, first, count, scope.depth, slot)
        kept = Kept(slot, number, first, count)
        opened.kept.setdefault(step.keep[key], []).append(kept)
        self.routine.kept.append(kept)

    def _list_of(self, until: str, scope: Scope, place: Place) -> OpenList:
        """Return the list, of those around a step, in which the later step `until` stands."""
        for opened in reversed(scope.lists):
            steps = opened.steps
            if until not in steps.numbers or not scope.edition.has(steps, until):
                continue
            if until in steps.of_children:
                fault = f"'{until}' is done by the children of '{steps.of_children[until]}'"
                raise ScenarioFault(fault, place, "Name the join, or a step after it.")
            if any(step and step.background for step in leaves(scope.edition.step_at((*steps.path, until)))):
                raise ScenarioFault(f"nobody waits for the end of '{until}'", place, "Name a step of the token's own.")
            block = opened is not scope.lists[-1]  # the token is inside the step at hand of a list around this one
            if steps.numbers[until] < opened.position + (not block):
                raise ScenarioFault(f"'{until}' does not end later", place, "Name a step that stands further down.")
            return opened
        known = [name for opened in scope.lists for name in opened.steps.names if scope.edition.has(opened.steps, name)]
        raise UnknownName(f"no step '{until}' in this list or around it", place, suggest(until, known, "steps"))

    def _give_back(self, opened: OpenList, name: str) -> None:
        """Give back what was kept until the step `name`; nothing happens for tokens that have nothing."""
        for kept in opened.kept.get(name, ()):
            self.routine.emit(Op.RELEASE, kept.step, kept.first, kept.rows, kept.slot, 1)

    # --- batches

    def _gathering(self, step: Step, gather: Gather, scope: Scope) -> None:
        """Wait for a batch; with inner steps its first member does them for all."""
        place = self.arm.world.place((*scope.text, "gather"))
        if gather.by == "firm" and not self.tables.parties_of(self.entry):
            remedy = "Give the scenario `firms`, or leave `by` out."
            raise ScenarioFault(f"tokens of traffic '{self.name}' have no firm to be gathered by", place, remedy)
        number = NOWHERE if gather.number is None else self._count(gather.number, scope, place)
        law, stream = NOWHERE, 0
        if gather.within is not None:
            law = self._law(step, scope, gather.within, ("gather", "within"))
            stream = self.tables.streams.add(self._stream_name(scope, "within"))
        calendar = NOWHERE
        if gather.until is not None:
            calendar = self._named_calendar(gather.until, scope, ("gather", "until"))
        batch = self.tables.batches.add((self.name, scope.path), scope.path)
        by = {None: GatherBy.SOURCE, "firm": GatherBy.FIRM, "class": GatherBy.CLASS}[gather.by]
        others = Label()
        to = others if step.steps else NOWHERE
        self.routine.emit(Op.GATHER, self._step_number(step, scope), batch, number, law, calendar, to, by, stream)
        if step.steps:
            self._steps(replace(scope, leads=True))
            self.routine.emit(Op.SCATTER, NOWHERE, batch)
            self.routine.place(others)

    # --- time

    def _waiting(self, step: Step, scope: Scope) -> None:
        """Wait until a calendar is open, or shut."""
        written = step.wait_until
        closing = isinstance(written, Instant) and written.closing is not None
        name = (written.closing or written.opening) if isinstance(written, Instant) else written
        calendar = self._named_calendar(str(name), scope, ("wait_until",))
        self.routine.emit(Op.WAIT_UNTIL, self._step_number(step, scope), calendar, int(closing))

    def _spawning(self, step: Step, scope: Scope) -> None:
        """Start a token of another traffic entry."""
        place = self.arm.world.place((*scope.text, "spawn"))
        start = start_of(step.spawn)
        entries = self.tables.scenario.traffic
        if start.traffic not in entries:
            known = [name for name, entry in entries.items() if entry.spawned]
            raise UnknownName(f"no traffic '{start.traffic}'", place, suggest(start.traffic, known, "spawned traffic"))
        if not entries[start.traffic].spawned:
            remedy = "Give that entry `spawned: true` instead of a rate."
            raise ScenarioFault(f"traffic '{start.traffic}' arrives by itself", place, remedy)
        law = self.tables.laws.discrete([(0.0, 1.0)])
        if start.after is not None:
            law = self._law(step, scope, start.after, ("spawn", "after"))
        stream = self.tables.streams.add(self._stream_name(scope, "spawn"))
        self.routine.emit(Op.SPAWN, NOWHERE, sorted(entries).index(start.traffic), law, stream)

    def _named_calendar(self, name: str, scope: Scope, key: tuple[str, ...], *, whole_days: bool = False) -> int:
        """Return the number of the calendar written below `key` of a step, or of the whole days on which it opens."""
        place = self.arm.world.place((*scope.text, *key))
        return self.tables.calendar(str(self._resolved(name, scope)), place, whole_days=whole_days)

    def _work(self, step: Step, scope: Scope) -> None:
        """Write the check and the inner steps of a step."""
        if step.detect is not None:
            self._detect(step, scope)
        if step.steps:
            self._steps(scope)

    def _hold_time(self, step: Step, scope: Scope, number: Operand) -> None:
        working = self._in_working_days(step.take, scope)
        law = self._law(step, scope, working=working)
        stream = self.tables.streams.add(self._stream_name(scope, "take"))
        calendar = self._calendar(step, scope, working=working)
        self.routine.emit(Op.DELAY, number, law, stream, calendar, self._interruption(step, scope))

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
            self.name, self.entry.flow, path, label, (resource,), (units,), self.kind.name, is_interruption=True
        )
        return self.tables.steps.add((self.name, path, resource, "interrupted"), self.order(scope), lambda: name)

    def _calendar(self, step: Step, scope: Scope, *, working: bool) -> int:
        """
        Return the calendar in which a hold counts: none, `during`, that of the resource that pauses, or for working
        days the whole days on which `during` (the office) opens.
        """
        if step.during is not None or working:
            return self._named_calendar(step.during or OFFICE, scope, ("during",), whole_days=working)
        pausing = {self.tables.pausing_calendar(resource) for resource, _ in scope.held} - {None}
        if len(pausing) > 1:
            raise ScenarioFault(
                "two resources that pause at different hours are held at once",
                self.text_place,
                "Give them the same opening hours.",
                owner=self.tables.path_of(scope.held[-1][0]),
            )
        return self.tables.calendar(str(pausing.pop()), self.text_place) if pausing else NOWHERE

    # --- changes

    def _changes(self, changes: Changes, scope: Scope) -> None:
        """Credit and debit accounts, give the token another class, its goods another status."""
        for key, written, sign in (("credit", changes.credit, 1), ("debit", changes.debit, -1)):
            for name, quantity in written.items():
                place = self.arm.world.place((*scope.text, "set", key, name))
                account = self.tables.account(self._resolved(name, scope), place)
                amount = sign * self._count(quantity, scope, place)
                self.routine.emit(Op.SET, NOWHERE, SetWhat.ACCOUNT, account, amount)
                self._booked(account, amount, scope)
        if changes.class_ is not None:
            place = self.arm.world.place((*scope.text, "set", "class"))
            if changes.class_ not in self.tables.classes:
                known = [*filter(None, self.tables.classes)]
                remedy = suggest(changes.class_, known, "classes")
                raise UnknownName(f"no class '{changes.class_}'", place, remedy, owner=CREDIT)
            self.routine.emit(Op.SET, NOWHERE, SetWhat.CLASS, self.tables.classes.index(changes.class_))
        if changes.status is not None:
            number = self.tables.status(changes.status, self.arm.world.place((*scope.text, "set", "status")))
            self.routine.emit(Op.SET, NOWHERE, SetWhat.STATUS, number)
            self._note(f"status.{changes.status}", scope)

    def _booked(self, account: int, amount: int, scope: Scope) -> None:
        """Mark what an account gets or gives, so that the records alone tell how it stands."""
        mark = f"{self.tables.accounts.rows[account]}.{'credited' if amount > 0 else 'debited'}"
        name = MarkName(self.name, self.entry.flow, scope.call, mark, scope.place, self.kind.name, account, amount)
        number = self.tables.marks.add((self.name, scope.call, mark, amount), self.order(scope), lambda: name)
        self.routine.emit(Op.MARK, NOWHERE, number)

    # --- checks

    def _detect(self, step: Step, scope: Scope) -> None:
        detect = step.detect
        assert detect is not None  # noqa: S101  the caller has looked
        self._known_truth(detect.truth, scope)
        order = self.order(scope)
        self.truths[detect.truth] = min(self.truths.get(detect.truth, order), order)
        wrong, hit, after = Label(), Label(), Label()
        self._finding(detect.truth, "checked", scope)
        self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.FLAG, self._flag(f"truth {detect.truth}"), 0, wrong)
        alarm = self._share_row(detect.false_alarm, scope)
        if any(self.tables.shares.rows[alarm]):
            false = Label()
            stream = self.tables.streams.add(self._stream_name(scope, "false_alarm"))
            self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.SHARE, alarm, stream, false, 0)
            self.routine.jump(after)
            self.routine.place(false)
            self._finding(detect.truth, "false_stop", scope)
            if detect.on_hit is not None:
                self._note(detect.on_hit.mark, scope)
        self.routine.jump(after)
        self.routine.place(wrong)
        stream = self.tables.streams.add(self._stream_name(scope, "detect"))
        self.routine.emit(
            Op.BRANCH, NOWHERE, BranchOn.SHARE, self._share_row(detect.sensitivity, scope), stream, hit, 0
        )
        self._finding(detect.truth, "missed", scope)
        self.routine.jump(after)
        self.routine.place(hit)
        self._finding(detect.truth, "caught", scope)
        if detect.on_hit is not None:
            self._note(detect.on_hit.mark, scope)
        self.routine.place(after)

    def _correct(self, truth: str, scope: Scope) -> None:
        """Put a truth right, and mark it where there was something to put right."""
        self._known_truth(truth, scope)
        flag, wrong, after = self._flag(f"truth {truth}"), Label(), Label()
        self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.FLAG, flag, 0, wrong)
        self.routine.jump(after)
        self.routine.place(wrong)
        self._finding(truth, "corrected", scope)
        self.routine.emit(Op.SET, NOWHERE, SetWhat.LOWER_FLAG, flag)
        self.routine.place(after)

    def _known_truth(self, truth: str, scope: Scope) -> None:
        if truth not in self.tables.scenario.truth:
            place = self.arm.world.place((*scope.text, "detect"))
            remedy = suggest(truth, self.tables.scenario.truth, "truths")
            raise UnknownName(f"no truth '{truth}' in the scenario", place, remedy, owner=("truth",))
