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
from typing import Any, Final

from zonesim import units
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.plan.assembly import Label, Routine
from zonesim.plan.binding import bind, resolve
from zonesim.plan.operations import NOWHERE, BranchOn, Op, SetWhat
from zonesim.plan.plan import MarkName, StepName
from zonesim.plan.records import LARGEST_CHILD
from zonesim.plan.scope import Kind, Scope, consulted_marks
from zonesim.plan.world_tables import WorldTables
from zonesim.policy import PracticeUse, root_of
from zonesim.scenario.fields import By, Law, mode_of
from zonesim.scenario.models import END, Flow, Split, Step, Traffic, When

CALLS_DEEP: Final = 12
"""Deepest nesting of calls; deeper is taken for a flow that calls itself."""

FLAGS: Final = 63
"""Flags a token can carry (bits of an int64)."""


class EntryCompiler:
    """Compiles one traffic entry."""

    def __init__(self, tables: WorldTables, name: str, entry: Traffic) -> None:
        self.tables = tables
        self.arm = tables.arm
        self.name = name
        self.entry = entry
        self.routines: list[Routine] = []
        self.routine = Routine()
        self.kind = Kind("")
        self.classes = tables.classes_of(entry)
        self.next_child = 1
        self.child_bases: dict[tuple[tuple[str, ...], int], int] = {}
        self.flags = dict(tables.flags)
        self.consulted: frozenset[str] = frozenset()
        self.truths: dict[str, None] = {}
        self.text_place = Place(self.arm.world.file)

    # --- routines

    def compile(self) -> list[Routine]:
        """Return the routines of this entry, the consignments' own first; faults go to the collector."""
        place = self.arm.world.place(("traffic", self.name, "flow"))
        flow = self._flow(self.entry.flow, frozenset(), place)
        arguments = bind(
            flow,
            self.entry.with_,
            self.entry.flow,
            self.arm.world.place(("traffic", self.name, "with")),
            self.tables.scenario,
        )
        self.kind = Kind(flow.entity)
        scope = Scope(self.entry.flow, arguments)
        self._routine(scope, lambda: self._call(self.entry.flow, scope), is_consignment=True)
        return self.routines

    def _routine(self, scope: Scope, body: Callable[[], None], *, is_consignment: bool) -> None:
        """Write one routine: truths first, then the body, then the end of the token."""
        outer, outer_truths = self.routine, self.truths
        self.routine, self.truths = Routine(), {}
        routine = self.routine
        self.routines.append(routine)
        body()
        if is_consignment:
            self._mark("left", scope, kind=self.kind.name)
        step = self.tables.steps.add(
            (self.name, (*scope.path, "left")),
            StepName(self.name, self.entry.flow, (*scope.path, "left"), kind=self.kind.name, is_leave=True),
        )
        routine.emit(Op.LEAVE, step)
        tail, routine.rows = routine.rows, []
        if is_consignment:
            self._mark("arrived", scope, kind=self.kind.name)
            self._adoption_without_firm()
        for truth in self.truths:
            if truth not in self.kind.inherited:
                self._draw_truth(truth)
        routine.rows += tail
        self.routine, self.truths = outer, outer_truths

    def _adoption_without_firm(self) -> None:
        """Tokens that belong to no firm adopt one by one, each with the same luck in every arm."""
        if self.tables.parties_of(self.entry):
            return
        for use in self.arm.partial:
            share = self.tables.shares.add((use.share,) * len(self.tables.classes))
            stream = self.tables.streams.add(f"{self.name}//adoption/{use.measure}")
            self._chance(share, stream, self.flags[f"adopts {use.name}"])

    def _draw_truth(self, truth: str) -> None:
        share = self.tables.truth_share(truth, self.classes)
        stream = self.tables.streams.add(f"{self.name}//truth/{truth}")
        flag = self._flag(f"truth {truth}")
        self.routine.emit(Op.SET, NOWHERE, SetWhat.LOWER_FLAG, flag)
        self._chance(share, stream, flag)

    def _chance(self, share: int, stream: int, flag: int) -> None:
        """Raise `flag` with a probability; a token that passes again meets the same luck."""
        yes, after = Label(), Label()
        self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.SHARE, share, stream, yes, 1)
        self.routine.jump(after)
        self.routine.place(yes)
        self.routine.emit(Op.SET, NOWHERE, SetWhat.RAISE_FLAG, flag)
        self.routine.place(after)

    def _flag(self, name: str) -> int:
        if name not in self.flags:
            self.flags[name] = len(self.flags)
            if len(self.flags) > FLAGS:
                message = f"traffic '{self.name}' needs more than {FLAGS} flags"
                raise ScenarioFault(message, self.text_place, "Use fewer marks in conditions, or fewer truths.")
        return self.flags[name]

    # --- flows

    def _flow(self, name: str, adopted: frozenset[str], place: Place) -> Flow:
        flows = self.arm.flows(adopted)
        if name not in flows:
            raise UnknownName(f"no flow '{name}'", place, suggest(name, flows, "flows"))
        return flows[name]

    def _call(self, name: str, scope: Scope) -> None:
        """Write a flow in place: its one edition, or a choice by adoption flags between its editions."""
        self._editions(name, scope, list(self.arm.touching(name)), frozenset())

    def _editions(self, name: str, scope: Scope, open_uses: list[PracticeUse], adopted: frozenset[str]) -> None:
        if not open_uses:
            flow = self._flow(name, adopted, self.text_place)
            inner = replace(scope, flow=name, call=scope.path, text=(root_of(self.arm.world, name), name))
            place = (
                str(resolve(flow.place, scope.arguments, self.tables.scenario, self.text_place))
                if flow.place
                else scope.place
            )
            outer, self.consulted = self.consulted, consulted_marks(flow.steps)
            for mark in sorted(self.consulted):
                self.routine.emit(
                    Op.SET, NOWHERE, SetWhat.LOWER_FLAG, self._flag(f"mark {'.'.join((*inner.call, mark))}")
                )
            self._steps(flow.steps, replace(inner, place=place))
            self.consulted = outer
            return
        use, *rest = open_uses
        follows, after = Label(), Label()
        self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.FLAG, self.flags[f"adopts {use.name}"], 0, follows)
        self._editions(name, scope, rest, adopted)
        self.routine.jump(after)
        self.routine.place(follows)
        self._editions(name, scope, rest, adopted | {use.name})
        self.routine.place(after)

    def _steps(self, steps: Mapping[str, Step], scope: Scope) -> None:
        """Write a list of steps; `next` may name any of them, or the end of the list."""
        labels = {name: Label() for name in steps}
        labels[END] = Label()
        items = list(steps.items())
        position = 0
        while position < len(items):
            name, step = items[position]
            text = (*scope.text, "steps", name)
            self.text_place = self.arm.world.place(text)
            self.routine.place(labels[name])
            try:
                if step.split is not None:
                    position = self._split(items, position, scope)
                    name, step = items[position]
                    self._next(
                        step, labels, replace(scope, path=(*scope.path, name), text=(*scope.text, "steps", name))
                    )
                elif step.join is not None:
                    fault = f"'{name}' joins '{step.join}', which is no split before it"
                    self.tables.faults.add(ScenarioFault(fault, self.text_place, _JOIN_REMEDY))
                else:
                    self._step(name, step, replace(scope, text=text), labels)
            except ScenarioFault as found:
                self.tables.faults.add(found.at(self.arm.world.place(text)))
            position += 1
        self.routine.place(labels[END])

    def _next(self, step: Step, labels: dict[str, Label], scope: Scope) -> None:
        if step.next is None:
            return
        place = self.arm.world.place((*scope.text, "next"))
        shares = step.next if isinstance(step.next, dict) else {step.next: "100 %"}
        for target in shares:
            if target not in labels:
                raise UnknownName(f"no step '{target}' to go on with", place, suggest(target, labels, "steps"))
        if not isinstance(step.next, dict):
            self.routine.jump(labels[step.next])
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
            self.routine.jump(labels[target])
        self.routine.place(after)

    # --- steps

    def _step(self, name: str, step: Step, scope: Scope, labels: dict[str, Label]) -> None:
        after = Label()
        if not self._condition(step, name, scope, after):
            return
        inner = replace(scope, path=(*scope.path, name))
        if step.background:
            alone = replace(inner, depth=0, held=())
            self._children(inner, step, 1, NOWHERE, self._background_kind(step), lambda: self._body(step, alone))
        else:
            self._body(step, inner)
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
            for one in wanted:
                if one not in self.tables.classes:
                    raise UnknownName(f"no class '{one}'", place, suggest(one, self.tables.classes, "classes"))
            mask = sum(1 << number for number, one in enumerate(self.tables.classes) if one in wanted)
            self._only_if(BranchOn.CLASS, mask, after)
        for mark, yes in ((when.marked, True), (when.unmarked, False)):
            if mark is not None:
                flag = self._flag(f"mark {'.'.join((*scope.call, mark))}")
                if yes:
                    self._only_if(BranchOn.FLAG, flag, after)
                else:
                    self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.FLAG, flag, 0, after)
        return True

    def _only_if(self, on: BranchOn, operand: int, after: Label) -> None:
        yes = Label()
        self.routine.emit(Op.BRANCH, NOWHERE, on, operand, 0, yes)
        self.routine.jump(after)
        self.routine.place(yes)

    def _body(self, step: Step, scope: Scope) -> None:
        if step.call is not None:
            self._sub_flow(step, scope)
        elif step.hold:
            self._holding(step, scope)
        else:
            if step.take is not None:
                self._hold_time(step, scope, self._step_number(step, scope))
            self._work(step, scope)
        if step.correct is not None:
            self._known_truth(step.correct, scope)
            self.routine.emit(Op.SET, NOWHERE, SetWhat.LOWER_FLAG, self._flag(f"truth {step.correct}"))
        for mark in step.mark:
            self._note(mark, scope)

    def _sub_flow(self, step: Step, scope: Scope) -> None:
        place = self.arm.world.place((*scope.text, "call"))
        if scope.calls >= CALLS_DEEP:
            raise ScenarioFault(f"calls nested deeper than {CALLS_DEEP}", place, "A flow may not call itself.")
        flow = self._flow(str(step.call), frozenset(), place)
        given = {key: self._resolved(value, scope) for key, value in step.with_.items()}
        arguments = bind(flow, given, str(step.call), place, self.tables.scenario)
        self._call(str(step.call), replace(scope, arguments=arguments, calls=scope.calls + 1))

    def _holding(self, step: Step, scope: Scope) -> None:
        """Take units, do the work of the step with them in hand, give them back."""
        needs: dict[int, int] = {}
        for key, hold in step.hold.items():
            place = self.arm.world.place((*scope.text, "hold", key))
            written = hold if isinstance(hold, str) else hold.resource
            resource = self.tables.resource(self._resolved(written, scope), place)
            count = 1 if isinstance(hold, str) else self._count(hold.units, scope, place)
            needs[resource] = needs.get(resource, 0) + count
        in_hand = dict(scope.held)
        for resource, count in needs.items():
            in_hand[resource] = in_hand.get(resource, 0) + count
            most = self.tables.largest_capacity(resource)
            if in_hand[resource] > most:
                name = self.tables.resources.rows[resource]
                fault = f"needs {in_hand[resource]} units of {name}, which never has more than {most}"
                raise ScenarioFault(
                    fault, self.arm.world.place((*scope.text, "hold")), "Give it more units, or take fewer."
                )
        rows = tuple(sorted(needs.items()))
        first = self.tables.needs.add_run(rows)
        priority = self._priority_row(step, scope)
        number = self._step_number(step, scope)
        self.routine.emit(Op.SEIZE, number, first, len(rows), priority, scope.depth, NOWHERE, NOWHERE, 0)
        inner = replace(scope, depth=scope.depth + 1, held=tuple(sorted(in_hand.items())))
        if step.take is not None:
            self._hold_time(step, inner, NOWHERE)
        self._work(step, inner)
        self.routine.emit(Op.RELEASE, number, first, len(rows), scope.depth)

    def _work(self, step: Step, scope: Scope) -> None:
        """Write the check and the inner steps of a step."""
        if step.detect is not None:
            self._detect(step, scope)
        if step.steps:
            self._steps(step.steps, scope)

    def _hold_time(self, step: Step, scope: Scope, number: int) -> None:
        law = self._law(step, scope)
        stream = self.tables.streams.add(self._stream_name(scope, "take"))
        self.routine.emit(Op.HOLD, number, law, stream, self._calendar(step, scope))

    def _calendar(self, step: Step, scope: Scope) -> int:
        if step.during is not None:
            return self.tables.calendar(
                str(self._resolved(step.during, scope)), self.arm.world.place((*scope.text, "during"))
            )
        pausing = {self.tables.pausing_calendar(resource) for resource, _ in scope.held} - {None}
        if len(pausing) > 1:
            raise ScenarioFault(
                "two resources that pause at different hours are held at once",
                self.text_place,
                "Give them the same opening hours.",
            )
        return self.tables.calendar(str(pausing.pop()), self.text_place) if pausing else NOWHERE

    def _detect(self, step: Step, scope: Scope) -> None:
        detect = step.detect
        assert detect is not None  # noqa: S101  the caller has looked
        self._known_truth(detect.truth, scope)
        self.truths[detect.truth] = None
        wrong, hit, after = Label(), Label(), Label()
        self._mark(f"{detect.truth}.checked", scope)
        self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.FLAG, self._flag(f"truth {detect.truth}"), 0, wrong)
        alarm = self._share_row(detect.false_alarm, scope)
        if any(self.tables.shares.rows[alarm]):
            false = Label()
            stream = self.tables.streams.add(self._stream_name(scope, "false_alarm"))
            self.routine.emit(Op.BRANCH, NOWHERE, BranchOn.SHARE, alarm, stream, false, 0)
            self.routine.jump(after)
            self.routine.place(false)
            self._mark(f"{detect.truth}.false_stop", scope)
            if detect.on_hit is not None:
                self._note(detect.on_hit.mark, scope)
        self.routine.jump(after)
        self.routine.place(wrong)
        stream = self.tables.streams.add(self._stream_name(scope, "detect"))
        self.routine.emit(
            Op.BRANCH, NOWHERE, BranchOn.SHARE, self._share_row(detect.sensitivity, scope), stream, hit, 0
        )
        self._mark(f"{detect.truth}.missed", scope)
        self.routine.jump(after)
        self.routine.place(hit)
        self._mark(f"{detect.truth}.caught", scope)
        if detect.on_hit is not None:
            self._note(detect.on_hit.mark, scope)
        self.routine.place(after)

    def _known_truth(self, truth: str, scope: Scope) -> None:
        if truth not in self.tables.scenario.truth:
            place = self.arm.world.place((*scope.text, "detect"))
            raise UnknownName(
                f"no truth '{truth}' in the scenario", place, suggest(truth, self.tables.scenario.truth, "truths")
            )

    # --- children

    def _split(self, items: list[tuple[str, Step]], position: int, scope: Scope) -> int:
        """Write a split, its children's steps and its join; return the position of the join."""
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
            lambda: self._steps(between, replace(scope, depth=0, held=())),
            law=count,
        )
        self.routine.emit(Op.JOIN, NOWHERE, group)
        for mark in items[joins[0]][1].mark:
            self._note(mark, scope)
        return joins[0]

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
        brought = frozenset(self.truths) | parent.inherited if step.background else frozenset[str]()
        self.kind = Kind(kind, base, parent.count * most, brought)
        before = len(self.routines)
        self._routine(scope, body, is_consignment=False)
        self.routines[before].rows.insert(0, start)
        self.kind = parent

    # --- values

    def _resolved(self, value: Any, scope: Scope) -> Any:  # noqa: ANN401
        return resolve(value, scope.arguments, self.tables.scenario, self.arm.world.place(scope.text))

    def _count(self, value: Any, scope: Scope, place: Place) -> int:  # noqa: ANN401
        found = self._resolved(value, scope)
        if isinstance(found, bool) or not isinstance(found, int) or found < 1:
            raise ScenarioFault(f"expected a whole number of at least 1, found {units.describe(found)}", place)
        return found

    def _stream_name(self, scope: Scope, purpose: str) -> str:
        return f"{self.name}/{'.'.join(scope.path)}/{purpose}"

    def _step_number(self, step: Step, scope: Scope) -> int:
        held = [
            (
                self.tables.resource(
                    self._resolved(hold if isinstance(hold, str) else hold.resource, scope), self.text_place
                ),
                1 if isinstance(hold, str) else self._count(hold.units, scope, self.text_place),
            )
            for hold in step.hold.values()
        ]
        name = StepName(
            self.name,
            self.entry.flow,
            scope.path,
            {str(language): text for language, text in step.label.items()},
            tuple(resource for resource, _ in held),
            tuple(count for _, count in held),
            self.kind.name,
        )
        # Editions of a step that take other units are steps of their own, so that visits tell which units were in hand.
        return self.tables.steps.add((self.name, scope.path, tuple(held)), name)

    def _law(self, step: Step, scope: Scope, take: Any = None) -> int:  # noqa: ANN401
        take = step.take if take is None else take
        place = self.arm.world.place((*scope.text, "take"))
        try:
            if isinstance(take, Law):
                return self.tables.laws.law(take, lambda value: self._resolved(value, scope))
            if not isinstance(take, By):
                return self.tables.laws.duration(take, lambda value: self._resolved(value, scope))
        except ScenarioFault as fault:
            raise fault.at(place) from None
        cases = take.__pydantic_extra__
        if take.by == "class" and "class" not in scope.arguments:
            rows = {name: self._law(step, scope, case) for name, case in cases.items()}
            return self.tables.laws.by_class(
                self.tables.per_class(rows, self.classes, next(iter(rows.values())), place)
            )
        chosen = str(self._resolved(f"${take.by}", scope))
        if chosen not in cases:
            message = f"'{take.by}' is '{chosen}' here, for which no time is given"
            raise UnknownName(message, place, suggest(chosen, cases, "cases"))
        return self._law(step, scope, cases[chosen])

    def _share_row(self, share: Any, scope: Scope) -> int:  # noqa: ANN401
        place = self.arm.world.place((*scope.text, "share"))
        try:
            if not isinstance(share, dict) or "uncertain" in share:
                value = units.parse_share(self._resolved(share, scope))
                return self.tables.shares.add((value,) * len(self.tables.classes))
            values = {name: units.parse_share(self._resolved(one, scope)) for name, one in share.items()}
        except ScenarioFault as fault:
            raise fault.at(place) from None
        return self.tables.shares.add(tuple(self.tables.per_class(values, self.classes, 0.0, place)))

    def _priority_row(self, step: Step, scope: Scope) -> int:
        if step.priority is None or isinstance(step.priority, int):
            return self.tables.priorities.add((step.priority or 0,) * len(self.tables.classes))
        place = self.arm.world.place((*scope.text, "priority"))
        return self.tables.priorities.add(tuple(self.tables.per_class(step.priority, self.classes, 0, place)))

    # --- marks

    def _mark(self, mark: str, scope: Scope, *, kind: str | None = None) -> None:
        name = MarkName(self.name, self.entry.flow, scope.call, mark, scope.place, kind or self.kind.name)
        self.routine.emit(Op.MARK, NOWHERE, self.tables.marks.add((self.name, scope.call, mark), name))

    def _note(self, mark: str, scope: Scope) -> None:
        """Mark, and raise the flag when a condition of this flow asks for the mark."""
        self._mark(mark, scope)
        if mark in self.consulted:
            self.routine.emit(Op.SET, NOWHERE, SetWhat.RAISE_FLAG, self._flag(f"mark {'.'.join((*scope.call, mark))}"))


_JOIN_REMEDY: Final = "A join names a step with `split` that stands before it in the same list."
