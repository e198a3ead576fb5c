"""Routines: one for the consignments of an entry, and one for each kind of child."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from zonesim.plan.assembly import Label, Routine
from zonesim.plan.flows.adopters import Adopters
from zonesim.plan.flows.emitter import Emitter
from zonesim.plan.operations import BranchOn, Op, SetWhat
from zonesim.plan.plan import StepName
from zonesim.plan.scope import Kind, Owner, Scope
from zonesim.scenario import Step
from zonesim.scenario.fields import CLASS

Known = Mapping[tuple[str, ...], Mapping[str, None]]
"""Truths by the step that the kind of token which has them begins at."""


class Routines:
    """
    Writes the beginning and the end of routines, around what their tokens do.

    `known`: the truths that tokens have whether somebody looks or not, by the step that their kind begins at.
    """

    def __init__(self, out: Emitter, adopters: Adopters, known: Known) -> None:
        self.out = out
        self.tables = out.tables
        self.adopters = adopters
        self.known = known

    def write(self, scope: Scope, body: Callable[[], None], *, is_consignment: bool) -> None:
        """Write one routine: truths first, then the body, then the end of the token."""
        outer, outer_truths = self.out.routine, self.out.truths
        self.out.routine, self.out.truths = Routine(), {}
        routine = self.out.routine
        self.out.routines.append(routine)
        body()
        self.out.write_leaving()
        for truth in self.known.get(scope.path, ()):
            if truth in self.tables.scenario.truth:  # a check of any other is a fault where it is written
                self.out.truths.setdefault(truth, self.out.order(scope))
        if is_consignment:
            self.out.mark("left", scope, kind=self.out.kind.name)
        truths = self.out.truths_in_order()
        owners = {truth: self.out.kind.owner(truth) for truth in (*truths, *self.out.kind.inherited)}
        name = StepName(
            self.out.name, self.out.entry.flow, (*scope.path, "left"), kind=self.out.kind.name, is_leave=True
        )
        step = self.tables.steps.add(
            (self.out.name, (*scope.path, "left")),
            self.out.order(scope),
            lambda: replace(name, truths=tuple((truth, *owner.numbers) for truth, owner in owners.items())),
        )
        routine.emit(Op.LEAVE, step)
        routine.close()
        tail, routine.rows = routine.rows, []
        if is_consignment:
            self.out.mark("arrived", scope, kind=self.out.kind.name)
            self._upgrades()
        for truth in truths:
            if truth not in self.out.kind.inherited:
                self._draw_truth(truth, scope)
        routine.rows += tail
        self.out.routine, self.out.truths = outer, outer_truths

    def start(
        self,
        scope: Scope,
        step: Step,
        most: int,
        group: int,
        kind: str,
        body: Callable[[], None],
        number: int | None = None,
    ) -> None:
        """Write a split into `number` (a distribution) of a kind, `most` at most, who do what `body` writes."""
        parent = self.out.kind
        base = self.out.children_at(scope, most).base
        start = Label()
        stream = self.out.stream(scope, "count")
        number = self.tables.distributions.discrete([(1.0, 1.0)]) if number is None else number
        self.out.emit(
            Op.SPLIT,
            number=number,
            stream=stream,
            child=start,
            base=base,
            stride=most,
            parent_base=parent.base,
            group=group,
        )
        brought: dict[str, Owner] = {}
        if step.background or step.parallel:
            for truth in (*self.out.truths_in_order(), *parent.inherited):
                owner = parent.owner(truth)
                brought[truth] = Owner(owner.base, base, most * owner.size)
        self.out.kind = Kind(kind, base, parent.count * most, brought)
        before = len(self.out.routines)
        self.write(scope, body, is_consignment=False)
        self.out.routines[before].rows.insert(0, start)
        self.out.kind = parent

    def _upgrades(self) -> None:
        """Give adopters of a practice the class that it sets."""
        for each in self.tables.tokens.upgrades:
            condition = self.adopters.condition_of(self.out.arm.uses[each.practice], self.adopters.zones)
            if each.old not in self.out.possible[CLASS] or condition is False:
                continue
            after = Label()
            if condition is not True:
                self.out.only_if(BranchOn.FLAG, after, flag=self.out.adopts(condition))
                self.tables.adoptions.note(condition, each.practice)
            mask = self.tables.classes.mask(CLASS, {each.old})
            self.out.only_if_of_class(mask, after)
            self.out.become({CLASS: each.name}, only=mask)
            self.out.place(after)

    def _draw_truth(self, truth: str, scope: Scope) -> None:
        """Decide whether a truth holds, the same way however often a token passes."""
        share = self.tables.truth_share(truth, self.out.possible)
        self.tables.truths[self.out.name, truth] = self.tables.truth_rates(truth, self.out.possible)
        stream = self.tables.streams.add(f"{self.out.name}//truth/{truth}")
        flag = self.out.flag(f"truth {truth}")
        yes, after = Label(), Label()
        self.out.emit(Op.SET, code=SetWhat.LOWER_FLAG, flag=flag)
        self.out.emit(Op.BRANCH, code=BranchOn.SHARE, share=share, stream=stream, target=yes, steady=1)
        self.out.jump(after)
        self.out.place(yes)
        self.out.emit(Op.SET, code=SetWhat.RAISE_FLAG, flag=flag)
        self.out.finding(truth, "true", scope)
        self.out.place(after)
