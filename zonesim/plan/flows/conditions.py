"""Whether a token does a step: on its attributes, the state of the system, or by chance."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.plan.assembly import Label
from zonesim.plan.flows.emitter import Emitter
from zonesim.plan.flows.values import Values
from zonesim.plan.operations import BranchOn, Op, SetWhat
from zonesim.plan.plan import Look
from zonesim.plan.scope import Scope
from zonesim.scenario import Step
from zonesim.scenario.fields import CLASS
from zonesim.scenario.steps import Detect, When


class Conditions:
    """Writes the conditions of steps."""

    def __init__(self, out: Emitter, values: Values) -> None:
        self.out = out
        self.tables = out.tables
        self.world = out.world
        self.values = values

    def met(self, step: Step, name: str, scope: Scope, after: Label) -> bool:
        """Write the condition of a step; return False when it can never be met with these arguments."""
        if step.when is not None and not self._when(step.when, scope, after):
            return False
        if step.share is not None:
            row = self.values.share_row(step.share, scope)
            if not any(self.tables.shares.rows[row]):
                return False
            stream = self.out.stream(replace(scope, path=(*scope.path, name)), "share")
            if step.detect is not None and step.detect.lift is not None:
                self._pick(step.detect, row, stream, scope, after)
            else:
                self._picked(row, stream, after)
        return True

    def _picked(self, row: int, stream: int, after: Label) -> None:
        """Let only a share of tokens go on here, and the others at `after`."""
        yes = Label()
        self.out.emit(Op.BRANCH, code=BranchOn.SHARE, share=row, stream=stream, target=yes, steady=0)
        self.out.jump(after)
        self.out.place(yes)

    def _pick(self, detect: Detect, row: int, stream: int, scope: Scope, after: Label) -> None:
        """
        Let those go on here that a check picks: who has the truth more often than who has it not.

        Both compare the same draw with their share, so who is picked at random is picked by a sharper eye too, if true.
        """
        shares, truth = self.tables.shares, detect.truth
        self.values.known_truth(truth, scope)
        self.out.checked(truth, scope)  # a step in the background is of the truth of the token that is picked here
        flag = self.out.flag(f"truth {truth}")
        look = Look(shares.rows[row], self.out.name, truth, flag, self.values.ends_of_lift(detect.lift, scope))
        rates = self.tables.truth_rates(truth, self.out.possible).mode
        rows = [shares.add(own) if own != shares.rows[row] else row for own in look.picked(rates, look.lift[1])]
        self.tables.looks |= {(stream, own): look for own in rows}
        if rows[0] == rows[1]:
            self._picked(row, stream, after)
            return
        wrong, both = Label(), Label()
        self.out.emit(Op.BRANCH, code=BranchOn.FLAG, flag=flag, target=wrong)
        self._picked(rows[1], stream, after)
        self.out.jump(both)
        self.out.place(wrong)
        self._picked(rows[0], stream, after)
        self.out.place(both)

    def _when(self, when: When, scope: Scope, after: Label) -> bool:
        place = self.world.place((*scope.text, "when"))
        for name, wanted in (when.__pydantic_extra__ or {}).items():
            allowed = wanted if isinstance(wanted, list) else [wanted]
            if name in scope.arguments:
                if str(self.values.resolved(f"${name}", scope)) not in allowed:
                    return False
            elif name in self.tables.classes.attributes:
                self._attribute(name, allowed, place, after)
            else:
                known = [*scope.arguments, *self.tables.classes.attributes]
                raise UnknownName(f"no parameter '{name}' here", place, suggest(name, known, "parameters"))
        if when.class_ is not None:
            wanted = when.class_ if isinstance(when.class_, list) else [when.class_]
            for one in wanted:
                self.tables.tokens.known_value(CLASS, one, place)
            acting = {name for name in self.tables.classes.values[CLASS] if self.tables.tokens.acts_as(name) in wanted}
            self.out.only_if_of_class(self.tables.classes.mask(CLASS, acting), after)
        if when.status is not None:
            wanted = when.status if isinstance(when.status, list) else [when.status]
            mask = sum({1 << self.tables.status(one, place) for one in wanted})
            self.out.only_if(BranchOn.STATUS, after, statuses=mask)
        if when.queue is not None:
            resource = self.tables.resource(self.values.resolved(when.queue.of, scope), place)
            self.out.only_if(BranchOn.QUEUE_LONGER, after, resource=resource, length=when.queue.longer_than)
        for due, passed in ((when.overdue, 1), (when.in_time, 0)):
            if due is not None:
                self.out.only_if(BranchOn.OVERDUE, after, deadline=self.out.deadline(due, place), passed=passed)
        if when.last_of is not None:
            self._last(when.last_of, scope, after)
        for door, is_open in ((when.shut, False), (when.open, True)):
            if door is not None and not self._door(self.values.resolved(door, scope), place, after, is_open=is_open):
                return False
        for mark, yes in ((when.marked, True), (when.unmarked, False)):
            if mark is not None:
                flag = self.out.mark_flag(mark, scope)
                if yes:
                    self.out.only_if(BranchOn.FLAG, after, flag=flag)
                else:
                    self.out.emit(Op.BRANCH, code=BranchOn.FLAG, flag=flag, target=after)
        return True

    def _last(self, split: str, scope: Scope, after: Label) -> None:
        """Let only the last of the children of a split go on here, and only once."""
        siblings = scope.siblings
        if siblings is None or (siblings.call, siblings.split) != (scope.call, split):
            place = self.world.place((*scope.text, "when", "last_of"))
            fault = f"the token here is no child of a split '{split}'"
            raise ScenarioFault(fault, place, "Name the split that this step stands behind, before its join.")
        flag = self.out.flag(f"been at {'.'.join((*scope.path, *scope.text[-1:]))}")
        self.out.emit(Op.BRANCH, code=BranchOn.FLAG, flag=flag, target=after)
        self.out.emit(Op.SET, code=SetWhat.RAISE_FLAG, flag=flag)
        self.out.only_if(BranchOn.LAST, after, flag=flag, number=siblings.number)

    def _door(self, name: Any, place: Place, after: Label, *, is_open: bool) -> bool:  # noqa: ANN401
        """
        Let only tokens go on that find a resource, or a calendar, open or shut; return False where none ever does.

        A calendar that is open, or shut, during the whole run asks nothing of a run.
        """
        if "." not in str(name) and name in self.tables.scenario.calendars:
            resource = self.tables.hours(name, place)
            if resource is None:
                return self.tables.begins_open(name, place) == is_open
        else:
            resource = self.tables.resource(name, place)
        if is_open:
            self.out.emit(Op.BRANCH, code=BranchOn.CLOSED, resource=resource, target=after)
        else:
            self.out.only_if(BranchOn.CLOSED, after, resource=resource)
        return True

    def _attribute(self, name: str, wanted: list[str], place: Place, after: Label) -> None:
        """Let only tokens go on that have one of some values of an attribute."""
        for one in wanted:
            self.tables.tokens.known_value(name, one, place)
        self.out.only_if_of_class(self.tables.classes.mask(name, wanted), after)
