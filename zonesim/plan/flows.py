"""
From flows to programs: one traffic entry becomes a routine for its consignments and one for each kind of child.

Everything a flow says is turned into the few operations of the plan here. Detection is a branch on a hidden truth
and one on the check's luck; partial adoption is a branch to one of two editions; a sub-flow is copied in place.
Steps, marks and streams are numbered by their place in the flow, so that the editions of a step are one step and
meet the same luck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from zonesim import units
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.limits import CALLS_DEEP
from zonesim.plan.adoption import Choice, Condition, Edition, editions
from zonesim.plan.assembly import Label, Routine
from zonesim.plan.binding import Arguments, bind, origin, resolve
from zonesim.plan.flow_work import WorkWriter
from zonesim.plan.operations import NOWHERE, BranchOn, Op, SetWhat
from zonesim.plan.plan import StepName
from zonesim.plan.records import LARGEST_CHILD
from zonesim.plan.scope import Kind, OpenList, Owner, Scope, consulted_marks
from zonesim.plan.truths import truths_of
from zonesim.policy import PracticeUse
from zonesim.scenario import Flow, Step
from zonesim.scenario.fields import mode_of
from zonesim.scenario.models import END, Param, Split


class EntryCompiler(WorkWriter):
    """Compiles one traffic entry."""

    zones: tuple[str, ...] = ()
    """The zones that the entry's flow names, in the order of its parameters."""

    # --- routines

    def compile(self) -> list[Routine]:
        """Return the routines of this entry, the consignments' own first; faults go to the collector."""
        place = self.arm.world.place(("traffic", self.name, "flow"))
        flow = self._flow(self.arm.world.flow_key(self.name), frozenset(), place)
        written = ("traffic", self.name, "with")
        origins = {key: (*written, key) for key in self.entry.with_}
        arguments = bind(
            flow,
            self.entry.with_,
            self.entry.flow,
            self.tables.scenario,
            lambda *key: self.arm.world.place((*written, *key)),
            origins,
        )
        self.kind = Kind(flow.entity)
        self.zones = _zones(flow, arguments)
        scope = Scope(self.entry.flow, arguments, origins)
        self.known = truths_of(self.arm, self.arm.world.flow_key(self.name), arguments)
        self._routine(scope, lambda: self._call(self.entry.flow, scope), is_consignment=True)
        return self.routines

    def _routine(self, scope: Scope, body: Callable[[], None], *, is_consignment: bool) -> None:
        """Write one routine: truths first, then the body, then the end of the token."""
        outer, outer_truths = self.routine, self.truths
        self.routine, self.truths = Routine(), {}
        routine = self.routine
        self.routines.append(routine)
        body()
        self._leaves()
        for truth in self.known.get(scope.path, ()):
            if truth in self.tables.scenario.truth:  # a check of any other is a fault where it is written
                self.truths.setdefault(truth)
        if is_consignment:
            self._mark("left", scope, kind=self.kind.name)
        owners = {truth: self.kind.owner(truth) for truth in (*self.truths, *self.kind.inherited)}
        name = StepName(
            self.name,
            self.entry.flow,
            (*scope.path, "left"),
            kind=self.kind.name,
            is_leave=True,
            truths=tuple((truth, owner.base, owner.first, owner.size) for truth, owner in owners.items()),
        )
        step = self.tables.steps.add((self.name, (*scope.path, "left")), name)
        routine.emit(Op.LEAVE, step)
        routine.close()
        tail, routine.rows = routine.rows, []
        if is_consignment:
            self._mark("arrived", scope, kind=self.kind.name)
            self._upgrades()
        for truth in self.truths:
            if truth not in self.kind.inherited:
                self._draw_truth(truth, scope)
        routine.rows += tail
        self.routine, self.truths = outer, outer_truths

    def _upgrades(self) -> None:
        """Give adopters of a practice the class that it sets."""
        for each in self.tables.upgrades:
            condition = self._condition_of(self.arm.uses[each.practice], self.zones)
            if each.old not in self.classes or condition is False:
                continue
            after, yes = Label(), Label()
            if condition is not True:
                self._only_if(BranchOn.FLAG, self._adopts(each.practice, condition), after)
            mask = 1 << self.tables.classes.index(each.old)
            self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.CLASS, mask, 0, yes)
            self.routine.jump(after)
            self.routine.place(yes)
            self.routine.emit(Op.SET, NOWHERE, SetWhat.CLASS, self.tables.classes.index(each.name))
            self.routine.place(after)

    def _draw_truth(self, truth: str, scope: Scope) -> None:
        share = self.tables.truth_share(truth, self.classes)
        stream = self.tables.streams.add(f"{self.name}//truth/{truth}")
        flag = self._flag(f"truth {truth}")
        yes, after = Label(), Label()
        self.routine.emit(Op.SET, NOWHERE, SetWhat.LOWER_FLAG, flag)
        self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.SHARE, share, stream, yes, 1)
        self.routine.jump(after)
        self.routine.place(yes)
        self.routine.emit(Op.SET, NOWHERE, SetWhat.RAISE_FLAG, flag)
        self._finding(truth, "true", scope)
        self.routine.place(after)

    # --- flows

    def _flow(self, key: str, adopted: frozenset[str], place: Place) -> Flow:
        if key not in self.tables.reach.keys:
            raise UnknownName(f"no flow '{key}'", place, suggest(key, self.arm.world.flow_keys(), "flows"))
        return self.arm.flow(key, adopted)

    def _call(self, name: str, scope: Scope) -> None:
        """
        Write a flow in place: its one edition, or a choice by adoption flags between its editions.

        A practice is followed in a call when it is followed in every zone that the call names; a call that names none
        is where the call around it is.
        """
        key = self.arm.world.flow_key(self.name) if not scope.path else name
        zones = _zones(self._flow(key, frozenset(), self.text_place), scope.arguments)
        scope = replace(scope, zones=zones or scope.zones)
        always: set[str] = set()
        open_uses: list[tuple[PracticeUse, Condition]] = []
        for use in self.arm.touching(key):
            condition = self._condition_of(use, scope.zones)
            if condition is True:
                always.add(use.name)
            elif condition is not False:
                open_uses.append((use, condition))

        def alike(one: frozenset[str], other: frozenset[str]) -> bool:
            return self.arm.flow(key, one) == self.arm.flow(key, other)

        chosen = editions(open_uses, frozenset(always), alike, self.text_place)
        self._edition(name, key, chosen, scope)
        for use, condition in open_uses:
            self.tables.adoptions.note(condition, use.name)

    def _condition_of(self, use: PracticeUse, zones: tuple[str, ...]) -> Condition | bool:
        """Return which tokens of this entry follow a practice in `zones`: all (True), none (False), or a condition."""
        share = use.within(zones)
        if share.always or share.never:
            return share.always
        parties = self.tables.parties_of(self.entry)
        if not parties or use.of == "token":
            return Condition(use.measure, "token", ((-1, share),))
        if len(zones) == parties > 1 and set(zones) == set(self.zones):
            # Each firm is in the zone of its own: the first in the first zone that the entry's flow names.
            parts = tuple((self.zones.index(zone), use.at(zone)) for zone in self.zones)
            if len({own for _, own in parts}) > 1:
                return Condition(use.measure, use.of, parts)
        return Condition(use.measure, use.of, ((-1, share),))

    def _adopts(self, practice: str, condition: Condition) -> int:
        return self.tables.adoptions.flag(condition, practice, self.number, self.name)

    def _edition(self, name: str, key: str, edition: Edition, scope: Scope) -> None:
        """Write an edition of a flow, or a choice between editions."""
        if isinstance(edition, Choice):
            follows, after = Label(), Label()
            flag = self._adopts(edition.name, edition.condition)
            self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.FLAG, flag, 0, follows)
            self._edition(name, key, edition.no, scope)
            self.routine.jump(after)
            self.routine.place(follows)
            self._edition(name, key, edition.yes, scope)
            self.routine.place(after)
            return
        flow = self._flow(key, edition, self.text_place)
        inner = replace(scope, flow=name, call=scope.path, text=self.arm.world.flow_path(key), lists=())
        place = (
            str(resolve(flow.place, scope.arguments, self.tables.scenario, self.text_place, scope.origins))
            if flow.place
            else scope.place
        )
        outer, self.consulted = self.consulted, consulted_marks(flow.steps)
        for mark in sorted(self.consulted):
            self.routine.emit(Op.SET, NOWHERE, SetWhat.LOWER_FLAG, self._flag(f"mark {'.'.join((*inner.call, mark))}"))
        self._steps(flow.steps, replace(inner, place=place))
        self.consulted = outer

    def _steps(self, steps: Mapping[str, Step], scope: Scope, key: str = "steps") -> None:
        """Write a list of steps; `next` may name any of them, or the end of the list."""
        items = list(steps.items())
        position = 0
        around, opened = self.routine.at, OpenList(steps)
        labels = {name: Label() for name in (*steps, END) if name not in opened.of_children}
        scope = replace(scope, lists=(*scope.lists, opened))
        while position < len(items):
            name, step = items[position]
            text = (*scope.text, key, name)
            self.text_place = self.routine.at = self.arm.world.place(text)
            if not self.tables.may_write(self.text_place):
                return
            opened.position = position
            if name in labels:  # all but the steps of children after a split that could not be written
                self.routine.place(labels[name])
            try:
                if step.split is not None:
                    position = self._split(items, position, scope, labels)
                    name, step = items[position]
                    self._give_back(opened, name)
                    self._next(
                        step, labels, replace(scope, path=(*scope.path, name), text=(*scope.text, "steps", name))
                    )
                elif step.join is not None:
                    fault = f"'{name}' joins '{step.join}', which is no split before it"
                    self.tables.faults.add(self.told(ScenarioFault(fault, self.text_place, _JOIN_REMEDY), text))
                else:
                    self._step(name, step, replace(scope, text=text), labels)
                    self._give_back(opened, name)
            except ScenarioFault as found:
                self.tables.faults.add(self.told(found.at(self.arm.world.place(text)), text))
            position += 1
        self.routine.place(labels[END])
        self.routine.at = around

    def _next(self, step: Step, labels: dict[str, Label], scope: Scope) -> None:
        if step.next is None:
            return
        place = self.arm.world.place((*scope.text, "next"))
        shares = step.next if isinstance(step.next, dict) else {step.next: "100 %"}
        targets = {target: self._way(target, labels, scope, place) for target in shares}
        if not isinstance(step.next, dict):
            self.routine.jump(targets[step.next])
            return
        # One draw decides between all targets: the branches compare it with the cumulative shares.
        stream = self.tables.streams.add(self._stream_name(scope, "next"))
        cumulative = 0.0
        ways = {target: Label() for target in shares}
        after = Label()
        for target, share in shares.items():
            cumulative += units.parse_share(mode_of(share))
            row = self.tables.shares.add((min(cumulative, 1.0),) * len(self.tables.classes))
            self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.SHARE, row, stream, ways[target], 0)
        self.routine.jump(after)
        for target, way in ways.items():
            self.routine.place(way)
            self.routine.jump(targets[target])
        self.routine.place(after)

    # --- steps

    def _step(self, name: str, step: Step, scope: Scope, labels: dict[str, Label]) -> None:
        after = Label()
        if not self._condition(step, name, scope, after):
            return
        inner = replace(scope, path=(*scope.path, name))
        if step.background:
            alone = inner.of_child()
            self._children(
                inner, step, 1, NOWHERE, self._background_kind(step), lambda: self._body(step, alone, {END: Label()})
            )
        else:
            self._body(step, inner, labels)
            if step.next is not None:
                self._give_back(scope.lists[-1], name)
        self._next(step, labels, inner)
        self.routine.place(after)

    def _condition(self, step: Step, name: str, scope: Scope, after: Label) -> bool:
        """Write the condition of a step; return False when it can never be met with these arguments."""
        if step.when is not None and not self._when(step.when, scope, after):
            return False
        if step.share is not None:
            row = self._share_row(step.share, scope)
            if not any(self.tables.shares.rows[row]):
                return False
            stream = self.tables.streams.add(self._stream_name(replace(scope, path=(*scope.path, name)), "share"))
            yes = Label()
            self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.SHARE, row, stream, yes, 0)
            self.routine.jump(after)
            self.routine.place(yes)
        return True

    def _body(self, step: Step, scope: Scope, labels: Mapping[str, Label]) -> None:
        if step.call is not None:
            self._sub_flow(step, scope)
        elif step.parallel:
            self._at_once(step, scope)
        elif step.wait_until is not None:
            self._waiting(step, scope)
        elif step.gather is not None:
            self._gathering(step, step.gather, scope)
        elif step.hold:
            self._holding(step, scope, labels)
        else:
            if step.take is not None:
                self._hold_time(step, scope, self._step_number(step, scope))
            self._work(step, scope)
        if step.correct is not None:
            self._correct(step.correct, scope)
        if step.set is not None:
            self._changes(step.set, scope)
        if step.spawn is not None:
            self._spawning(step, scope)
        for mark in step.mark:
            self._note(mark, scope)

    def _sub_flow(self, step: Step, scope: Scope) -> None:
        place = self.arm.world.place((*scope.text, "call"))
        if scope.calls >= CALLS_DEEP:
            raise ScenarioFault(f"calls nested deeper than {CALLS_DEEP}", place, "A flow may not call itself.")
        flow = self._flow(str(step.call), frozenset(), place)
        given = {key: self._resolved(value, scope) for key, value in step.with_.items()}
        origins = {
            key: origin(value, scope.arguments, scope.origins) or (*scope.text, "with", key)
            for key, value in step.with_.items()
        }

        def where(*key: str) -> Place:
            return self.arm.world.place((*scope.text, "with", *key)) if key else place

        arguments = bind(flow, given, str(step.call), self.tables.scenario, where, origins)
        self._call(str(step.call), replace(scope, arguments=arguments, origins=origins, calls=scope.calls + 1))

    # --- children

    def _split(self, items: list[tuple[str, Step]], position: int, scope: Scope, labels: Mapping[str, Label]) -> int:
        """
        Write a split, its children's steps and its join; return the position of the join. Who goes on with the join
        from elsewhere has no children to wait for.
        """
        name, step = items[position]
        assert step.split is not None  # noqa: S101  the caller has looked
        joins = [number for number in range(position + 1, len(items)) if items[number][1].join == name]
        if not joins:
            raise ScenarioFault(
                f"the split '{name}' is never joined",
                self.text_place,
                f"Add a step {{join: {name}}} after the children's steps.",
            )
        between = dict(items[position + 1 : joins[0]])
        inner = replace(scope, path=(*scope.path, name))
        count, most = self._how_many(step.split, replace(scope, text=(*scope.text, "steps", name)))
        group = self.tables.groups.add((self.name, inner.path), inner.path)
        self._children(
            inner,
            step,
            most,
            group,
            step.split.into,
            lambda: self._steps(between, scope.of_child()),
            law=count,
        )
        self.routine.place(labels[items[joins[0]][0]])
        self._give_back(scope.lists[-1], name)
        self.routine.emit(Op.JOIN, NOWHERE, group)
        for mark in items[joins[0]][1].mark:
            self._note(mark, scope)
        return joins[0]

    def _at_once(self, step: Step, scope: Scope) -> None:
        """Write branches that are done at the same time, each by a child; the token waits for all of them."""
        number = self._step_number(step, scope)
        first, none = self._needs({})
        self.routine.nested = max(self.routine.nested, scope.depth + 1)
        slot = scope.depth
        self.routine.emit(Op.SEIZE, number, first, none, self._priority_row(step, scope), slot, NOWHERE, NOWHERE, 0)
        group = self.tables.groups.add((self.name, scope.path), scope.path)
        alone = scope.of_child()
        for name, branch in step.parallel.items():
            body = partial(self._steps, {name: branch}, alone, "parallel")
            self._children(replace(scope, path=(*scope.path, name)), step, 1, group, "task", body)
        self.routine.emit(Op.JOIN, NOWHERE, group)
        self.routine.emit(Op.RELEASE, number, first, none, slot, 0)

    def _background_kind(self, step: Step) -> str:
        """Return what goes on in the background: the entity of the flow it runs (a truck that leaves), else a task."""
        if step.call is None:
            return "task"
        return self._flow(step.call, frozenset(), self.text_place).entity

    def _how_many(self, split: Split, scope: Scope) -> tuple[int, int]:
        """Return the law of a split's count and the largest count."""
        place = self.arm.world.place((*scope.text, "split", "count"))
        if isinstance(split.count, int | str) or not hasattr(split.count, "discrete"):
            number = self._count(split.count, scope, place)
            return self.tables.laws.discrete([(float(number), 1.0)]), number
        parts = [
            (float(key), units.parse_share(self._resolved(share, scope))) for key, share in split.count.discrete.items()
        ]
        return self.tables.laws.discrete(parts), max(int(key) for key in split.count.discrete)

    def _children(
        self,
        scope: Scope,
        step: Step,
        most: int,
        group: int,
        kind: str,
        body: Callable[[], None],
        law: int | None = None,
    ) -> None:
        parent = self.kind
        key = (scope.path, most)
        if key not in self.child_bases:
            self.child_bases[key] = self.next_child
            self.next_child += parent.count * most
        if self.next_child > LARGEST_CHILD + 1:
            remedy = "Use smaller splits, or several traffic entries."
            raise ScenarioFault(
                f"a consignment can become more than {LARGEST_CHILD} tokens here", self.text_place, remedy
            )
        base = self.child_bases[key]
        start = Label()
        stream = self.tables.streams.add(self._stream_name(scope, "count"))
        law = self.tables.laws.discrete([(1.0, 1.0)]) if law is None else law
        self.routine.emit(Op.SPLIT, NOWHERE, law, stream, start, base, most, parent.base, group)
        brought: dict[str, Owner] = {}
        if step.background or step.parallel:
            for truth in (*self.truths, *parent.inherited):
                owner = parent.owner(truth)
                brought[truth] = Owner(owner.base, base, most * owner.size)
        self.kind = Kind(kind, base, parent.count * most, brought)
        before = len(self.routines)
        self._routine(scope, body, is_consignment=False)
        self.routines[before].rows.insert(0, start)
        self.kind = parent


_JOIN_REMEDY: Final = "A join names a step with `split` that stands before it in the same list."


def _zones(flow: Flow, arguments: Arguments) -> tuple[str, ...]:
    """Return the zones that a call of a flow names, in the order of its parameters."""
    kinds = {key: spec.kind if isinstance(spec, Param) else spec for key, spec in flow.params.items()}
    return tuple(dict.fromkeys(str(arguments[key]) for key, kind in kinds.items() if kind == "zone"))
