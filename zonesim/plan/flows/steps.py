"""Steps: lists of them in their editions, one step after the other, and where each leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final, NoReturn

from zonesim import units
from zonesim.faults import ScenarioFault
from zonesim.plan.assembly import Label, Spot
from zonesim.plan.editions import StepList, leaves
from zonesim.plan.flows.adopters import Adopters
from zonesim.plan.flows.batches import Batches
from zonesim.plan.flows.calls import Calls
from zonesim.plan.flows.checks import Checks
from zonesim.plan.flows.conditions import Conditions
from zonesim.plan.flows.delays import Delays
from zonesim.plan.flows.effects import Effects
from zonesim.plan.flows.emitter import Emitter
from zonesim.plan.flows.holding import Holding
from zonesim.plan.flows.routines import Known, Routines
from zonesim.plan.flows.values import Values
from zonesim.plan.operations import NOWHERE, BranchOn, Op
from zonesim.plan.scope import OpenList, Scope, Siblings
from zonesim.scenario import Step
from zonesim.scenario.fields import mode_of
from zonesim.scenario.models import END, Split

_JOIN_REMEDY: Final = "A join names a step with `split` that stands before it in the same list."


class StepCompiler:
    """Writes steps; each part of what a step does is written by a part of its own."""

    def __init__(self, out: Emitter, adopters: Adopters, known: Known) -> None:
        self.out = out
        self.tables = out.tables
        self.world = out.world
        self.values = Values(out)
        self.conditions = Conditions(out, self.values)
        self.delays = Delays(out, self.values)
        self.effects = Effects(out, self.values)
        self.holding = Holding(out, self.values, self.effects, self._with_units)
        self.batches = Batches(out, self.values, self.write_steps)
        self.checks = Checks(out, self.values)
        self.routines = Routines(out, adopters, known)
        self.calls = Calls(out, self.values, adopters, self.write_steps)

    def write_steps(self, scope: Scope) -> None:
        """Write the steps of a flow, or the inner steps of a step."""
        found = scope.edition.list_at((*scope.text[2:], "steps"))
        if isinstance(found, StepList):
            self.write_list(found, scope)
        else:
            self.out.choose(found, scope, lambda _, scope: self.write_steps(scope))

    def write_list(self, steps: StepList, scope: Scope) -> None:
        """Write a list of steps; `next` may name any of them, or the end of the list."""
        around, opened = self.out.routine.at, OpenList(steps)
        labels = {name: Label() for name in (*steps.names, END) if name not in steps.of_children}
        joining = set(steps.joins.values())
        scope = replace(scope, lists=(*scope.lists, opened))
        for position, name in enumerate(steps.names):
            if name in steps.of_children or name in joining:
                continue  # written with their split
            path = (*steps.path, name)
            text = (*scope.text[:2], *path)
            self.out.here = self.world.place(text)
            self.out.routine.at = Spot((*scope.path, name), text, self.out.here)
            if not self.tables.may_write(self.out.here):
                return
            opened.position = position
            self.out.place(labels[name])
            self.out.choose(scope.edition.step_at(path), replace(scope, text=text), partial(self._part, name, labels))
            self.holding.give_back(opened, name)
        self.out.place(labels[END])
        self.out.routine.at = around

    def _part(self, name: str, labels: dict[str, Label], step: Step | None, scope: Scope) -> None:
        """Write an edition of a step of a list, a split together with its children's steps and its join."""
        if step is None:
            return
        self.out.here = self.world.place(scope.text)
        try:
            if step.split is not None:
                self._split(name, step, scope, labels)
            elif step.join is not None:
                self._joins_nothing(name, step)
            else:
                self._step(name, step, scope, labels)
        except ScenarioFault as found:
            self.tables.faults.add(self.out.told(found.at(self.world.place(scope.text)), scope.text))

    def _joins_nothing(self, name: str, step: Step) -> NoReturn:
        fault = f"'{name}' joins '{step.join}', which is no split before it"
        raise ScenarioFault(fault, self.out.here, _JOIN_REMEDY)

    def _next(self, step: Step, labels: dict[str, Label], scope: Scope) -> None:
        """Go on with the steps that are named behind a step."""
        if step.next is None:
            return
        place = self.world.place((*scope.text, "next"))
        shares = step.next if isinstance(step.next, dict) else {step.next: "100 %"}
        targets = {target: self.out.way(target, labels, scope, place) for target in shares}
        if not isinstance(step.next, dict):
            self.out.jump(targets[step.next])
            return
        # One draw decides between all targets: the branches compare it with the cumulative shares.
        stream = self.out.stream(scope, "next")
        cumulative = 0.0
        ways = {target: Label() for target in shares}
        after = Label()
        for target, share in shares.items():
            cumulative += units.parse_share(mode_of(share))
            row = self.tables.shares.add((min(cumulative, 1.0),) * len(self.tables.classes))
            self.out.emit(Op.BRANCH, code=BranchOn.SHARE, share=row, stream=stream, target=ways[target], steady=0)
        self.out.jump(after)
        for target, way in ways.items():
            self.out.place(way)
            self.out.jump(targets[target])
        self.out.place(after)

    # --- one step

    def _step(self, name: str, step: Step, scope: Scope, labels: dict[str, Label]) -> None:
        """Write a step, for those who meet its condition."""
        after = Label()
        if not self.conditions.met(step, name, scope, after):
            return
        inner = replace(scope, path=(*scope.path, name))
        if step.background:
            alone = inner.of_child()
            self.routines.start(
                inner, step, 1, NOWHERE, self._kind_in_background(step), lambda: self._body(step, alone, {END: Label()})
            )
        else:
            self._body(step, inner, labels)
            if step.next is not None:
                self.holding.give_back(scope.lists[-1], name)
        self._next(step, labels, inner)
        self.out.place(after)

    def _body(self, step: Step, scope: Scope, labels: Mapping[str, Label]) -> None:
        """Write what a step does, in the order of the format."""
        subject = f"{self.out.entry.flow}.{'.'.join(scope.path)}"
        for kpi, limits in step.limits().items():
            for limit in limits:
                self.values.limit(("step", kpi), limit, subject, scope, "within")
        if step.due:
            self.delays.due(step, scope)
        if step.call is not None:
            self.calls.step(step, scope)
        elif step.parallel:
            self._at_once(step, scope)
        elif step.wait_until is not None:
            self.delays.until(step, scope)
        elif step.gather is not None:
            self.batches.write(step, step.gather, scope)
        elif step.hold or step.draw:
            self.holding.write(step, scope, labels)
        else:
            if step.take is not None:
                self.delays.write(step, scope, self.values.step_number(step, scope))
            self._work(step, scope)
        self._changes(step, scope)

    def _changes(self, step: Step, scope: Scope) -> None:
        """Write what is different, and noted, when a step is done."""
        if step.correct is not None:
            self.checks.correct(step.correct, scope)
        if step.set is not None:
            self.effects.write(step.set, scope)
        if step.spawn is not None:
            self.effects.spawn(step, scope)
        for mark in step.mark:
            self.out.note(mark, scope)

    def _with_units(self, step: Step, scope: Scope) -> None:
        """Write what is done with the units of a step in hand."""
        if step.take is not None:
            self.delays.write(step, scope, NOWHERE)
        self._work(step, scope)

    def _work(self, step: Step, scope: Scope) -> None:
        """Write the check and the inner steps of a step."""
        if step.detect is not None:
            self.checks.detect(step, scope)
        if step.steps:
            self.write_steps(scope)

    # --- children

    def _split(self, name: str, step: Step, scope: Scope, labels: dict[str, Label]) -> None:
        """
        Write a split, its children's steps and its join. Who goes on with the join from elsewhere has no children to
        wait for.
        """
        assert step.split is not None  # noqa: S101  the caller has looked
        opened = scope.lists[-1]
        if name not in opened.steps.joins:
            raise ScenarioFault(
                f"the split '{name}' is never joined",
                self.out.here,
                f"Add a step {{join: {name}}} after the children's steps.",
            )
        inner = replace(scope, path=(*scope.path, name))
        count, most = self._how_many(step.split, scope)
        self._changes(step, inner)  # children have what the token has when it is split
        group = self.tables.groups.add((self.out.name, inner.path), inner.path)
        between = partial(
            self.write_list, opened.steps.between(name), scope.of_child(Siblings(scope.call, name, count))
        )
        self.routines.start(inner, step, most, group, step.split.into, between, number=count)
        join = opened.steps.joins[name]
        self.out.place(labels[join])
        self.holding.give_back(opened, name)
        self.out.emit(Op.JOIN, group=group)
        path = (*opened.steps.path, join)
        joining = next(filter(None, leaves(scope.edition.step_at(path))))
        together = replace(scope, path=(*scope.path, join), text=(*scope.text[:2], *path))
        self._changes(joining, together)
        self.holding.give_back(opened, join)
        self._next(joining, labels, together)

    def _at_once(self, step: Step, scope: Scope) -> None:
        """Write branches that are done at the same time, each by a child; the token waits for all of them."""
        number = self.values.step_number(step, scope)
        first, none = self.values.needs({})
        self.out.routine.nested = max(self.out.routine.nested, scope.depth + 1)
        self.out.emit(
            Op.SEIZE,
            number,
            first_need=first,
            needs=none,
            priority=self.values.priority_row(step, scope),
            slot=scope.depth,
            patience=NOWHERE,
            renege_to=NOWHERE,
            stream=0,
        )
        group = self.tables.groups.add((self.out.name, scope.path), scope.path)
        alone = scope.of_child()
        for name in step.parallel:
            body = partial(self.write_list, scope.edition.branch((*scope.text[2:], "parallel", name)), alone)
            self.routines.start(replace(scope, path=(*scope.path, name)), step, 1, group, "task", body)
        self.out.emit(Op.JOIN, group=group)
        self.out.emit(Op.RELEASE, number, first_need=first, needs=none, slot=scope.depth, if_held=0)

    def _kind_in_background(self, step: Step) -> str:
        """Return what goes on in the background: the entity of the flow it runs (a truck that leaves), else a task."""
        if step.call is None:
            return "task"
        return self.out.flow(step.call, self.out.here).entity

    def _how_many(self, split: Split, scope: Scope) -> tuple[int, int]:
        """Return the distribution of a split's count and the largest count."""
        place = self.world.place((*scope.text, "split", "count"))
        if isinstance(split.count, int | str) or not hasattr(split.count, "discrete"):
            number = self.values.count(split.count, scope, place)
            return self.tables.distributions.discrete([(float(number), 1.0)]), number
        parts = [
            (float(key), units.parse_share(self.values.resolved(share, scope)))
            for key, share in split.count.discrete.items()
        ]
        return self.tables.distributions.discrete(parts), max(int(key) for key in split.count.discrete)
