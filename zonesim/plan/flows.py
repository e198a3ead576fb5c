"""
From flows to programs: one traffic entry becomes a routine for its consignments and one for each kind of child.

Everything a flow says is turned into the few operations of the plan here. Detection is a branch on a hidden truth
and one on the check's luck; partial adoption is a branch to one of two editions of a step; a sub-flow is copied in
place. Steps, marks and streams are told apart by their place in the flow, so that the editions of a step are one step
and meet the same luck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final, NoReturn

from zonesim import units
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.limits import CALLS_DEEP
from zonesim.plan.adoption import Condition
from zonesim.plan.assembly import Label, Routine
from zonesim.plan.binding import Arguments, bind, origin, resolve
from zonesim.plan.editions import Edition, FlowTexts, Same, StepList, Text, Texts, Use, leaves
from zonesim.plan.flow_work import WorkWriter
from zonesim.plan.flow_writer import ChildNumbers
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
        nobody = FlowTexts(lambda _: flow, (), frozenset(), place)
        scope = Scope(self.entry.flow, Edition(nobody), arguments, origins, order=(self.number,))
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
                self.truths.setdefault(truth, self.order(scope))
        if is_consignment:
            self._mark("left", scope, kind=self.kind.name)
        truths = self._truths()
        owners = {truth: self.kind.owner(truth) for truth in (*truths, *self.kind.inherited)}
        name = StepName(self.name, self.entry.flow, (*scope.path, "left"), kind=self.kind.name, is_leave=True)
        step = self.tables.steps.add(
            (self.name, (*scope.path, "left")),
            self.order(scope),
            lambda: replace(name, truths=tuple((truth, *owner.numbers) for truth, owner in owners.items())),
        )
        routine.emit(Op.LEAVE, step)
        routine.close()
        tail, routine.rows = routine.rows, []
        if is_consignment:
            self._mark("arrived", scope, kind=self.kind.name)
            self._upgrades()
        for truth in truths:
            if truth not in self.kind.inherited:
                self._draw_truth(truth, scope)
        routine.rows += tail
        self.routine, self.truths = outer, outer_truths

    def _truths(self) -> list[str]:
        """Return the truths of the tokens of the routine at hand, in order."""
        return sorted(self.truths, key=self.truths.__getitem__)

    def _upgrades(self) -> None:
        """Give adopters of a practice the class that it sets."""
        for each in self.tables.upgrades:
            condition = self._condition_of(self.arm.uses[each.practice], self.zones)
            if each.old not in self.classes or condition is False:
                continue
            after, yes = Label(), Label()
            if condition is not True:
                self._only_if(BranchOn.FLAG, self._adopts(condition), after)
                self.tables.adoptions.note(condition, each.practice)
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
        Write a flow in place.

        A practice is followed in a call when it is followed in every zone that the call names; a call that names none
        is where the call around it is.
        """
        key = self.arm.world.flow_key(self.name) if not scope.path else name
        zones = _zones(self._flow(key, frozenset(), self.text_place), scope.arguments) or scope.zones
        always: set[str] = set()
        uses: list[Use] = []
        edits = self.arm.edits_of(key)
        for practice in self.arm.touching(key):
            condition = self._condition_of(practice, zones)
            if condition is True:
                always.add(practice.name)
            elif condition is not False:
                uses.append(Use(practice.name, condition, edits[practice.name]))
        texts = FlowTexts(partial(self.arm.flow, key), uses, frozenset(always), self.text_place)
        inner = replace(
            scope,
            flow=name,
            edition=Edition(texts),
            order=self.order(scope),
            call=scope.path,
            text=self.arm.world.flow_path(key),
            lists=(),
            zones=zones,
        )
        outer = self.consulted
        self._choose(inner.edition.flow(), inner, self._whole)
        self.consulted = outer
        for use in uses:
            self.tables.adoptions.note(use.condition, use.name)

    def _whole(self, flow: Flow, scope: Scope) -> None:
        """Write a flow, whose place all tokens agree in."""
        if flow.place:
            place = resolve(flow.place, scope.arguments, self.tables.scenario, self.text_place, scope.origins)
            scope = replace(scope, place=str(place))
        self.consulted = frozenset[str]().union(*(consulted_marks(each.steps) for each in scope.edition.seen()))
        for mark in sorted(self.consulted):
            self.routine.emit(Op.SET, NOWHERE, SetWhat.LOWER_FLAG, self._flag(f"mark {'.'.join((*scope.call, mark))}"))
        self._steps(scope)

    def _choose(self, texts: Texts[Text], scope: Scope, write: Callable[[Text, Scope], None]) -> None:
        """Write the one text of a part, or a choice between its editions."""
        if isinstance(texts, Same):
            write(texts.text, scope)
            return
        routine, first = self.routine, len(self.routine.rows)
        self._choose(texts.no, replace(scope, edition=scope.edition.outside(texts.condition)), write)
        follows = len(routine.rows)
        self._choose(texts.yes, replace(scope, edition=scope.edition.among(texts.condition)), write)
        if routine.does(first):  # else neither edition does anything with these arguments
            routine.part(first, follows, self._adopts(texts.condition))

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

    def _adopts(self, condition: Condition) -> int:
        return self.tables.adoptions.flag(condition, self.number, self.name)

    def _steps(self, scope: Scope) -> None:
        """Write the steps of a flow, or the inner steps of a step."""
        found = scope.edition.list_at((*scope.text[2:], "steps"))
        if isinstance(found, StepList):
            self._list(found, scope)
        else:
            self._choose(found, scope, lambda _, scope: self._steps(scope))

    def _list(self, steps: StepList, scope: Scope) -> None:
        """Write a list of steps; `next` may name any of them, or the end of the list."""
        around, opened = self.routine.at, OpenList(steps)
        labels = {name: Label() for name in (*steps.names, END) if name not in steps.of_children}
        joining = set(steps.joins.values())
        scope = replace(scope, lists=(*scope.lists, opened))
        for position, name in enumerate(steps.names):
            if name in steps.of_children or name in joining:
                continue  # written with their split
            path = (*steps.path, name)
            text = (*scope.text[:2], *path)
            self.text_place = self.routine.at = self.arm.world.place(text)
            if not self.tables.may_write(self.text_place):
                return
            opened.position = position
            self.routine.place(labels[name])
            self._choose(scope.edition.step_at(path), replace(scope, text=text), partial(self._part, name, labels))
            self._give_back(opened, name)
        self.routine.place(labels[END])
        self.routine.at = around

    def _part(self, name: str, labels: dict[str, Label], step: Step | None, scope: Scope) -> None:
        """Write an edition of a step of a list, a split together with its children's steps and its join."""
        if step is None:
            return
        try:
            if step.split is not None:
                self._split(name, step, scope, labels)
            elif step.join is not None:
                self._joins_nothing(name, step)
            else:
                self._step(name, step, scope, labels)
        except ScenarioFault as found:
            self.tables.faults.add(self.told(found.at(self.arm.world.place(scope.text)), scope.text))

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

    def _joins_nothing(self, name: str, step: Step) -> NoReturn:
        fault = f"'{name}' joins '{step.join}', which is no split before it"
        raise ScenarioFault(fault, self.text_place, _JOIN_REMEDY)

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
                self.text_place,
                f"Add a step {{join: {name}}} after the children's steps.",
            )
        inner = replace(scope, path=(*scope.path, name))
        count, most = self._how_many(step.split, scope)
        group = self.tables.groups.add((self.name, inner.path), inner.path)
        between = partial(self._list, opened.steps.between(name), scope.of_child())
        self._children(inner, step, most, group, step.split.into, between, law=count)
        join = opened.steps.joins[name]
        self.routine.place(labels[join])
        self._give_back(opened, name)
        self.routine.emit(Op.JOIN, NOWHERE, group)
        path = (*opened.steps.path, join)
        joining = next(filter(None, leaves(scope.edition.step_at(path))))
        for mark in joining.mark:
            self._note(mark, scope)
        self._give_back(opened, join)
        self._next(joining, labels, replace(scope, path=(*scope.path, join), text=(*scope.text[:2], *path)))

    def _at_once(self, step: Step, scope: Scope) -> None:
        """Write branches that are done at the same time, each by a child; the token waits for all of them."""
        number = self._step_number(step, scope)
        first, none = self._needs({})
        self.routine.nested = max(self.routine.nested, scope.depth + 1)
        slot = scope.depth
        self.routine.emit(Op.SEIZE, number, first, none, self._priority_row(step, scope), slot, NOWHERE, NOWHERE, 0)
        group = self.tables.groups.add((self.name, scope.path), scope.path)
        alone = scope.of_child()
        for name in step.parallel:
            body = partial(self._list, scope.edition.branch((*scope.text[2:], "parallel", name)), alone)
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
        order = self.order(scope)
        numbers = self.child_bases.setdefault((scope.path, most), ChildNumbers(order, 0))
        numbers.order = min(numbers.order, order)
        numbers.count = max(numbers.count, parent.count * most)
        if sum(each.count for each in self.child_bases.values()) > LARGEST_CHILD:
            remedy = "Use smaller splits, or several traffic entries."
            raise ScenarioFault(
                f"a consignment can become more than {LARGEST_CHILD} tokens here", self.text_place, remedy
            )
        base = numbers.base
        start = Label()
        stream = self.tables.streams.add(self._stream_name(scope, "count"))
        law = self.tables.laws.discrete([(1.0, 1.0)]) if law is None else law
        self.routine.emit(Op.SPLIT, NOWHERE, law, stream, start, base, most, parent.base, group)
        brought: dict[str, Owner] = {}
        if step.background or step.parallel:
            for truth in (*self._truths(), *parent.inherited):
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
