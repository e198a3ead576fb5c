"""
What is proved of a program before it runs: on every way through it, tokens end with empty hands, take nothing twice,
never need more units at once than there are, and change the customs status of their goods only as the law has it.

Tokens are followed through the program in all ways that shares, classes, flags and children allow. Two ways that
agree in what is in hand and in the flags that are still asked for are one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from zonesim.faults import Place, ScenarioFault
from zonesim.plan.liveness import flags_asked
from zonesim.plan.operations import NOWHERE, BranchOn, Op, SetWhat
from zonesim.plan.plan import StepName

Row = tuple[int, ...]


@dataclass(frozen=True)
class Way:
    """
    What is known of a token at a row: the slots in use, each with the row that filled it, the flags (`known` are
    those whose `value` is known), the status (-1: none yet) and the bits of the classes it may have.
    """

    hands: tuple[tuple[int, int], ...] = ()
    known: int = 0
    value: int = 0
    status: int = NOWHERE
    classes: int = 1


@dataclass(frozen=True)
class Ground:
    """
    What a program refers to: steps, rows of needs and shares, names and most units of the resources, statuses with the
    bits of those that may follow.
    """

    steps: Sequence[StepName]
    needs: Sequence[tuple[int, int]]
    shares: Sequence[tuple[float, ...]]
    resources: Sequence[str]
    most: Sequence[int]
    statuses: Sequence[str]
    legal: Sequence[int]


def prove(
    program: Sequence[Row], places: Sequence[Place | None], first: int, end: int, unset: int, ground: Ground, most: int
) -> tuple[list[ScenarioFault], int]:
    """
    Return what is wrong with the tokens that start at row `first`, whose routines end before row `end`, and how many
    ways they have: points of the program times what they hold and know there. More than `most` are not followed.

    `unset` are the flags that nobody has raised when a token starts.
    """
    if not any(row[0] == Op.KEEP or row[:3:2] == (Op.SET, SetWhat.STATUS) for row in program[first:end]):
        return [], 0  # blocks give back what they take, and the compiler of flows has counted their units
    every_class = (1 << len(ground.shares[0])) - 1 if ground.shares else 1
    return _Prover(program, places, first, end, ground).run(Way(known=unset, classes=every_class), most)


class _Prover:
    """Follows the tokens of one traffic entry."""

    def __init__(
        self, program: Sequence[Row], places: Sequence[Place | None], first: int, end: int, ground: Ground
    ) -> None:
        self.program = program
        self.places = places
        self.first = first
        self.ground = ground
        self.asked = flags_asked(program, first, end)
        self.faults: dict[tuple[int, str], ScenarioFault] = {}

    def run(self, start: Way, most: int) -> tuple[list[ScenarioFault], int]:
        """Return the faults on all ways from `start`, and how many ways there are: `most` + 1 when there are more."""
        seen: set[tuple[int, Way]] = set()
        pending = [(self.first, start)]
        while pending and len(seen) <= most:
            row, way = pending.pop()
            live = self.asked[row - self.first]
            way = replace(way, known=way.known & live, value=way.value & way.known & live)
            if (row, way) in seen:
                continue
            seen.add((row, way))
            pending += self._ways_on(row, way)
        return list(self.faults.values()), len(seen)

    def _ways_on(self, row: int, way: Way) -> Iterator[tuple[int, Way]]:
        """Yield where a token can be after the operation at `row`."""
        op, _, a, b, c, d, e, f = (*self.program[row], *(0,) * 7)[:8]
        if op == Op.LEAVE:
            self._leaves(way)
            return
        if op == Op.JUMP:
            yield a, way
            return
        if op == Op.BRANCH:
            yield from self._branches(row, way, a, b, d)
            return
        if op == Op.SEIZE:
            if f >= 0:
                yield f, way
            way = self._fills(row, d, way)
        elif op == Op.RELEASE:
            way = replace(way, hands=tuple(each for each in way.hands if each[0] != c))
        elif op == Op.KEEP:
            way = self._fills(row, d, way)
        elif op == Op.DELAY and d != NOWHERE:
            self._alone(row, way)
        elif op == Op.SET and a in (SetWhat.RAISE_FLAG, SetWhat.LOWER_FLAG):
            bit = 1 << b
            raised = way.value | bit if a == SetWhat.RAISE_FLAG else way.value & ~bit
            way = replace(way, known=way.known | bit, value=raised)
        elif op == Op.SET and a == SetWhat.STATUS:
            way = self._becomes(row, b, way)
        elif op == Op.SET and a == SetWhat.CLASS:
            way = replace(way, classes=1 << b)
        elif op == Op.GATHER and e >= 0:
            yield e, way
        elif op == Op.SPLIT:
            yield c, replace(way, hands=())
        yield row + 1, way

    def _branches(self, row: int, way: Way, on: int, operand: int, target: int) -> Iterator[tuple[int, Way]]:
        yes, no = True, True
        if on == BranchOn.SHARE:
            shares = list(enumerate(self.ground.shares[operand]))
            taken = sum(1 << klass for klass, share in shares if share > 0)
            passed = sum(1 << klass for klass, share in shares if share < 1)
            if way.classes & taken:
                yield target, replace(way, classes=way.classes & taken)
            if way.classes & passed:
                yield row + 1, replace(way, classes=way.classes & passed)
            return
        elif on == BranchOn.FLAG:
            bit = 1 << operand
            yes, no = not way.known & bit or bool(way.value & bit), not way.known & bit or not way.value & bit
            known = replace(way, known=way.known | bit)
            if yes:
                yield target, replace(known, value=way.value | bit)
            if no:
                yield row + 1, replace(known, value=way.value & ~bit)
            return
        elif on == BranchOn.STATUS:
            yes = way.status != NOWHERE and bool(operand >> way.status & 1)
            no = not yes
        elif on == BranchOn.CLASS:
            if way.classes & operand:
                yield target, replace(way, classes=way.classes & operand)
            if way.classes & ~operand:
                yield row + 1, replace(way, classes=way.classes & ~operand)
            return
        if yes:
            yield target, way
        if no:
            yield row + 1, way

    def _becomes(self, row: int, status: int, way: Way) -> Way:
        if way.status not in (NOWHERE, status) and not self.ground.legal[way.status] >> status & 1:
            names = self.ground.statuses
            old, new = names[way.status], names[status]
            after = [name for number, name in enumerate(names) if self.ground.legal[way.status] >> number & 1]
            remedy = f"After '{old}' come: {', '.join(after)}." if after else f"Nothing comes after '{old}'."
            self._fault(row, f"status '{new}' may come after '{old}', which is not legal", remedy)
        return replace(way, status=status)

    def _fills(self, row: int, slot: int, way: Way) -> Way:
        if any(each[0] == slot for each in way.hands):
            remedy = "Give them back first: `until` a step that every way back passes."
            self._fault(row, f"{self._name(row)} may be done again while its units are still kept", remedy)
        hands = tuple(sorted((*(each for each in way.hands if each[0] != slot), (slot, row))))
        for resource, units in self._in_hand(hands).items() if self.program[row][0] == Op.SEIZE else ():
            if units > self.ground.most[resource]:
                name, most = self.ground.resources[resource], self.ground.most[resource]
                had = f"{self._name(row)} has {units} units of {name} in hand with those kept before"
                fault = f"{had}, but there are never more than {most}"
                owner = ("zones", *name.split(".", 1))
                self._fault(row, fault, "Give it more units, or keep them for a shorter time.", owner)
        return replace(way, hands=hands)

    def _in_hand(self, hands: tuple[tuple[int, int], ...]) -> dict[int, int]:
        """Return the units in hand by resource."""
        units_of: dict[int, int] = {}
        for _, row in hands:
            first, count = self.program[row][2:4]
            for resource, units in self.ground.needs[first : first + count]:
                units_of[resource] = units_of.get(resource, 0) + units
        return units_of

    def _leaves(self, way: Way) -> None:
        for _, row in way.hands:
            first, count = self.program[row][2:4]
            names = " and ".join(self.ground.resources[each] for each, _ in self.ground.needs[first : first + count])
            fault = f"a token may end with {names} still in hand"
            self._fault(row, fault, "Let every way from here pass the step named after `until`.")

    def _alone(self, row: int, way: Way) -> None:
        """Note a fault where work that can be interrupted is done with units kept from before in hand."""
        steps = [self.ground.steps[self.program[filled][1]] for _, filled in way.hands]
        kept = [self.ground.resources[step.resources[0]] for step in steps if step.is_kept]
        if kept:
            own = self.ground.resources[self.ground.steps[self.program[row][5]].resources[0]]
            fault = f"work with {own} can be interrupted, but {kept[0]} may still be kept from before"
            self._fault(row, fault, "Give that back first, or leave out `preempt`.")

    def _name(self, row: int) -> str:
        step = self.ground.steps[self.program[row][1]]
        return f"'{'.'.join(step.path[:-2] if step.is_kept else step.path)}'"

    def _fault(self, row: int, fault: str, remedy: str, owner: tuple[str, ...] = ()) -> None:
        self.faults.setdefault((row, fault), ScenarioFault(fault, self.places[row], remedy, owner=owner))
