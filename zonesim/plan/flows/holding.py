"""
Units in hand: taking them, waiting in line, giving them back, keeping some of them beyond the step.

Of several lines the shortest, of several resources the first that is free: a step is written once for each resource
that it may take, behind branches to the one that is chosen. The variants are one step, with the same draws; the visits
of each tell which resource was in hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.plan.assembly import Block, Kept, Label, Operand
from zonesim.plan.editions import leaves
from zonesim.plan.flows.effects import Effects
from zonesim.plan.flows.emitter import Emitter
from zonesim.plan.flows.values import Values
from zonesim.plan.operations import NOWHERE, BranchOn, Op
from zonesim.plan.plan import StepName
from zonesim.plan.scope import OpenList, Scope
from zonesim.scenario import Step
from zonesim.scenario.steps import AnyOf, Shortest, Units

_ALONE: Final = (
    "Take it in a step of its own, or leave out `preempt` and, where it breaks down or some of its units leave, write"
    " `at_shift_end: finish`."
)


class Holding:
    """Writes steps that take units; `work` writes what is done with these in hand."""

    def __init__(self, out: Emitter, values: Values, effects: Effects, work: Callable[[Step, Scope], None]) -> None:
        self.out = out
        self.tables = out.tables
        self.world = out.world
        self.values = values
        self.effects = effects
        self.work = work

    def write(self, step: Step, scope: Scope, labels: Mapping[str, Label]) -> None:
        """
        Take units, do the work of the step with them in hand, give them back, but for those that are kept.

        `labels` are the steps that a token may go on with when it gives up waiting.
        """
        for key, hold in step.hold.items():
            if isinstance(hold, Shortest):
                self._shortest(step, key, hold, scope, labels)
                return
            if isinstance(hold, AnyOf):
                self._any(step, key, hold, scope, labels)
                return
        self._taking(step, scope, labels)

    def _taking(
        self, step: Step, scope: Scope, labels: Mapping[str, Label], lines: tuple[tuple[int, int], ...] = ()
    ) -> None:
        """
        Write a step that takes units, none of which is to be chosen any more. `lines` is what it has waited for where
        that is more, (resource, units).
        """
        taken: dict[str, tuple[int, int]] = {}
        needs: dict[int, int] = {}
        for key, hold in step.hold.items():
            place = self.world.place((*scope.text, "hold", key))
            resource, count = self.values.units_of(hold, scope, place)
            taken[key] = (resource, count)
            needs[resource] = needs.get(resource, 0) + count
        drawn = self._drawn(step, scope)
        in_hand = dict(scope.held)
        for resource, count in needs.items():
            in_hand[resource] = in_hand.get(resource, 0) + count
            most = self.tables.largest_capacity(resource)
            if in_hand[resource] > most:
                name = self.tables.resources.rows[resource]
                fault = f"needs {in_hand[resource]} units of {name}, which never has more than {most}"
                place, owner = self.world.place((*scope.text, "hold")), self.tables.path_of(resource)
                raise ScenarioFault(fault, place, "Give it more units, or take fewer.", owner=owner)
        asked = dict(needs)
        for _, resource, count in drawn:
            asked[resource] = asked.get(resource, 0) + count
        waits = not lines  # else it has waited before
        if waits and drawn:
            lines = tuple(asked.items())
        self._check_alone(asked, step, scope)
        first, count = self.values.needs(asked)
        priority = self.values.priority_row(step, scope)
        number = self.values.step_number(step, scope, lines)
        self.out.routine.nested = max(self.out.routine.nested, scope.depth + 1)
        self._check_fits(step, needs, scope)
        patience, renege_to, stream = self._patience(step, scope, labels) if waits else (NOWHERE, NOWHERE, NOWHERE)
        self.out.emit(
            Op.SEIZE,
            number,
            first_need=first,
            needs=count,
            priority=priority,
            slot=scope.depth,
            patience=patience,
            renege_to=renege_to,
            stream=stream,
        )
        for account, resource, amount in drawn:
            self.out.emit(Op.STOCK, resource=resource, amount=-amount)
            self.effects.book(account, -amount, scope)
        first, count = self.values.needs(needs)
        inner = replace(
            scope,
            depth=scope.depth + 1,
            held=tuple(sorted(in_hand.items())),
            blocks=(*scope.blocks, Block(number, first, count, scope.depth)),
        )
        self.work(step, inner)
        for key in step.keep:
            self._keep(step, key, taken[key], scope)
            needs[taken[key][0]] -= taken[key][1]
        first, count = self.values.needs(needs)
        self.out.emit(Op.RELEASE, number, first_need=first, needs=count, slot=scope.depth, if_held=0)

    def _drawn(self, step: Step, scope: Scope) -> list[tuple[int, int, int]]:
        """Return what a step draws: account, the same as a resource, and how much."""
        found = []
        for name, quantity in step.draw.items():
            place = self.world.place((*scope.text, "draw", name))
            account, resource = self.tables.stock(self.values.resolved(name, scope), place)
            found.append((account, resource, self.values.count(quantity, scope, place)))
        return found

    def _shortest(self, step: Step, key: str, hold: Shortest, scope: Scope, labels: Mapping[str, Label]) -> None:
        """Write a step whose hold `key` chooses between lines."""
        names, resources = self._listed(hold.shortest, (*scope.text, "hold", key, "shortest"), scope)
        first = self.tables.needs.add_run(tuple((resource, 1) for resource in resources))
        ways, after = [Label() for _ in names[1:]], Label()
        for number, way in enumerate(ways):
            self.out.emit(
                Op.BRANCH,
                code=BranchOn.SHORTEST,
                first_need=first,
                needs=len(names),
                target=way,
                candidate=number,
            )
        # Who has taken none of the branches takes the last, which stands first.
        for number in (len(names) - 1, *range(len(ways))):
            if number < len(ways):
                self.out.place(ways[number])
            self._taking(*_chosen(step, key, hold, names[number], names, scope), labels)
            self.out.jump(after)
        self.out.place(after)

    def _any(self, step: Step, key: str, hold: AnyOf, scope: Scope, labels: Mapping[str, Label]) -> None:
        """Write a step whose hold `key` takes the first of several resources that is free."""
        text = (*scope.text, "hold", key, "any")
        names, resources = self._listed(hold.any, text, scope)
        needs = dict.fromkeys(resources, 0)
        variants = [_chosen(step, key, hold, name, names, scope) for name in names]
        for variant, _ in variants:
            for name, other in variant.hold.items():
                place = self.world.place((*scope.text, "hold", name))
                resource, units = self.values.units_of(other, scope, place)
                if name != key and resource in resources:
                    raise ScenarioFault(
                        f"'{names[resources.index(resource)]}' is one of those that '{key}' may take",
                        place,
                        "Take it in a step of its own, or leave it out of the list.",
                    )
                needs[resource] = units
        for _, resource, units in self._drawn(step, scope):
            needs[resource] = needs.get(resource, 0) + units
        self._check_listed(resources, text)
        first, count = self.values.needs(needs)
        self.out.routine.nested = max(self.out.routine.nested, scope.depth + 1)
        patience, renege_to, stream = self._patience(step, scope, labels)
        self.out.emit(
            Op.EITHER,
            self.values.step_number(*variants[0], tuple(needs.items())),
            first_need=first,
            needs=count,
            priority=self.values.priority_row(step, scope),
            slot=scope.depth,
            patience=patience,
            renege_to=renege_to,
            stream=stream,
        )
        ways, after = [Label() for _ in names], Label()
        for number, way in enumerate(ways[1:], start=1):
            self.out.emit(Op.BRANCH, code=BranchOn.GRANTED, slot=scope.depth, candidate=number, target=way)
        # Who has taken none of the branches was given what is preferred, which stands first.
        for (variant, inner), way in zip(variants, ways, strict=True):
            self.out.place(way)
            self._taking(variant, inner, labels, tuple(needs.items()))
            self.out.jump(after)
        self.out.place(after)

    def _listed(self, written: Sequence[str], text: tuple[str, ...], scope: Scope) -> tuple[list[str], list[int]]:
        """Return names and numbers of the resources that a hold chooses from; raises ScenarioFault for one twice."""
        place = self.world.place(text)
        names = [str(self.values.resolved(name, scope)) for name in written]
        resources = [self.tables.resource(name, place) for name in names]
        if len(set(resources)) < len(resources):
            twice = next(name for number, name in enumerate(names) if name in names[:number])
            raise ScenarioFault(f"'{twice}' stands in the list twice", place, "Name each resource once.")
        return names, resources

    def _check_listed(self, resources: Sequence[int], text: tuple[str, ...]) -> None:
        """Raise ScenarioFault for a resource whose units are taken from others, which who waits for several cannot."""
        preemptive = [resource for resource in resources if self.tables.preempts(resource)]
        if preemptive:
            name = self.tables.resources.rows[preemptive[0]]
            fault = f"{name} has `preempt`, but who waits for any of several interrupts nobody"
            remedy = "Leave it out of the list, or leave out `preempt`."
            raise ScenarioFault(fault, self.world.place(text), remedy, owner=self.tables.path_of(preemptive[0]))

    def _patience(self, step: Step, scope: Scope, labels: Mapping[str, Label]) -> tuple[int, Operand, int]:
        """Return distribution and stream of the longest wait, and where a token goes on that gives up."""
        if step.patience is None:
            return NOWHERE, NOWHERE, NOWHERE
        target = step.patience.next
        way = self.out.way(target, labels, scope, self.world.place((*scope.text, "patience", "next")))
        if step.patience.until is not None:
            place = self.world.place((*scope.text, "patience", "until"))
            for_ever = self.tables.distributions.discrete([(float(self.tables.horizon), 1.0)])
            return for_ever, way, NOWHERE - 1 - self.out.deadline(step.patience.until, place)
        longest = self.values.distribution(step, scope, step.patience.longest, ("patience", "longest"))
        return longest, way, self.out.stream(scope, "patience")

    def _check_alone(self, needs: Mapping[int, int], step: Step, scope: Scope) -> None:
        """Raise ScenarioFault when units that may be lost in the middle of work are not the only ones in hand."""
        place = self.world.place((*scope.text, "hold"))
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
        if tight and (step.take is None or step.during or step.inside or step.detect or step.keep or step.draw):
            name = self.tables.resources.rows[tight[0]]
            raise ScenarioFault(
                f"{name} starts only what fits, but how long this step takes is not known at its start",
                self.world.place((*scope.text, "hold")),
                "Give the step one `take` and nothing else, or another `at_shift_end`.",
                owner=self.tables.path_of(tight[0]),
            )

    # --- units that outlast their block

    def _keep(self, step: Step, key: str, taken: tuple[int, int], scope: Scope) -> None:
        """Move the units of a hold to a slot of their own, to be given back at the end of a later step."""
        place = self.world.place((*scope.text, "keep", key))
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
            self.out.name, self.out.entry.flow, path, label, (resource,), (units,), self.out.kind.name, is_kept=True
        )
        number = self.tables.steps.add((self.out.name, path, (taken,)), self.out.order(scope), lambda: step_name)
        first, count = self.values.needs({resource: units})
        slot = self.out.routine.slot_for_kept()
        self.out.emit(Op.KEEP, number, first_need=first, needs=count, from_slot=scope.depth, slot=slot)
        kept = Kept(slot, number, first, count)
        opened.kept.setdefault(step.keep[key], []).append(kept)
        self.out.routine.kept.append(kept)

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

    def give_back(self, opened: OpenList, name: str) -> None:
        """Give back what was kept until the step `name`; nothing happens for tokens that have nothing."""
        for kept in opened.kept.get(name, ()):
            self.out.routine.release(kept, if_held=1)


def _chosen(
    step: Step, key: str, hold: Shortest | AnyOf, name: str, names: Sequence[str], scope: Scope
) -> tuple[Step, Scope]:
    """
    Return a step whose hold `key` is for the resource `name`, one of `names`, which its name stands for inside the
    step.
    """
    step = step.model_copy(update={"hold": {**step.hold, key: Units(resource=name, units=hold.units)}})
    choices = scope.choices if key in scope.arguments else {**scope.choices, key: names}
    return step, replace(scope, arguments={key: name, **scope.arguments}, choices=choices)
