"""
What is proved of a program before it runs: on every way through it, tokens end with empty hands, take nothing twice,
never need more units at once than there are, change the customs status of their goods only as the law has it, and make
the marks that the law says something of (the gate, out of the zone) only with a status that may.

Tokens are followed through the program in all ways that shares, classes, flags and children allow. Two ways that
agree in what is in hand and in the flags that are still asked for are one. At first tokens may follow a practice at one
step and not at the next, which is more than they can: what holds on all these ways is proved without telling adopters
apart. Only where it does not hold are they followed by what they have adopted.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from zonesim.faults import ScenarioFault
from zonesim.plan.assembly import Spot
from zonesim.plan.instructions import decoded, leads_away, successors
from zonesim.plan.liveness import CHANGES_A_FLAG, flags_asked
from zonesim.plan.operations import NOWHERE, BranchOn, Instruction, SetWhat, Units, When, Who
from zonesim.plan.plan import MarkName, StepName

Row = tuple[int, ...]

REMEMBERED: Final = 1000
_proved: dict[bytes, tuple[int, tuple[int, ...]]] = {}
"""
Programs without faults by what their proof depends on, with their ways and the most units in hand at once, by resource
in the order in which they are met: futures of one arm have the same proof, and the same flow in zones of any size.
"""


_KEPT: Final = frozenset({"on", "what", "slot", "status", "statuses", "classes", "new_class"})
"""Operands that a proof looks at as they are; of others only whether they are -1, or what they stand for."""


class Way(NamedTuple):
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
    bits of those that may follow, marks with the bits of the statuses that may make them. `implied`, by flag of
    adoption: the bits of the flags that tokens with it have too. `edited` says who edited the flows of some steps, of
    which the paths in the world are given; "" when nobody did.
    """

    steps: Sequence[StepName]
    needs: Sequence[tuple[int, int]]
    shares: Sequence[tuple[float, ...]]
    resources: Sequence[str]
    most: Sequence[int]
    statuses: Sequence[str]
    legal: Sequence[int]
    marks: Sequence[MarkName]
    passes: Sequence[int]
    implied: Sequence[int] = ()
    edited: Callable[[Sequence[tuple[str, ...]]], str] = lambda _: ""

    def statuses_in(self, bits: int) -> str:
        """Return the names of the statuses with these bits, in their order."""
        return ", ".join(name for number, name in enumerate(self.statuses) if bits >> number & 1)


def prove(
    program: Sequence[Row],
    spots: Sequence[Spot | None],
    first: int,
    end: int,
    unset: int,
    ground: Ground,
    most: int,
    counted: set[bytes],
) -> tuple[list[ScenarioFault], int]:
    """
    Return what is wrong with the tokens that start at row `first`, whose routines end before row `end`, and how many
    ways they have: points of the program times what they hold and know there. More than `most` are not followed.

    Entries that differ only in what a proof does not look at, such as the same flow in another zone, have one proof:
    `counted` are those that have been counted, to which this one is added. `unset` are the flags that nobody has raised
    when a token starts.
    """
    code = decoded(program[first:end])
    if not any(each.facts.units is Units.KEEPS or each.facts.sets is SetWhat.STATUS for each in code):
        return [], 0  # blocks give back what they take, and the compiler of flows has counted their units
    key, met = _key(code, first, unset, ground)
    ways, in_hand = _proved.get(key, (most + 1, ()))
    if in_hand and all(units <= ground.most[resource] for units, resource in zip(in_hand, met, strict=True)):
        if key in counted:
            return [], 0
        if ways <= most:
            counted.add(key)
            return [], ways
    every_class = (1 << len(ground.shares[0])) - 1 if ground.shares else 1
    start = Way(known=unset, classes=every_class)
    adoption = (1 << len(ground.implied)) - 1
    prover = _Prover(code, spots, first, ground, ~adoption)
    faults, ways = prover.run(start, most)
    if faults and adoption:
        prover = _Prover(code, spots, first, ground)
        faults, ways = prover.run(start, most)
    if faults or ways > most:
        return faults, ways
    if len(_proved) >= REMEMBERED:
        _proved.clear()
    _proved[key] = ways, tuple(prover.most_in_hand.get(resource, 0) for resource in met)
    counted.add(key)
    return faults, ways


def _key(code: Sequence[Instruction], first: int, unset: int, ground: Ground) -> tuple[bytes, list[int]]:
    """
    Return a hash of all that a proof depends on but the units that there are, and the resources that are met: rows are
    numbered from the first, resources and flags in the order in which they are met, of shares it is whether they are 0,
    1 or between; the rest is not looked at.
    """
    met: dict[int, int] = {}
    flags: dict[int, int] = {}

    def looked_at(each: Instruction) -> Iterator[object]:
        yield int(each.op)
        yield ground.steps[each.step].is_kept if each.step != NOWHERE else False
        for operand in each.declared:
            value, table = getattr(each, operand.name), operand.table
            if operand.name in _KEPT or value == NOWHERE:
                yield value
            elif operand.name == "flag":
                yield flags.setdefault(value, len(flags))
            elif operand.name == "mark":
                yield ground.passes[value]
            elif table == "program":
                yield value - first
            elif table == "needs":
                for resource, units in ground.needs[value : value + each.needs]:
                    yield met.setdefault(resource, len(met)), units
            elif table == "shares":
                yield tuple((share > 0, share < 1) for share in ground.shares[value])

    told = [tuple(looked_at(each)) for each in code]
    adopted = [flag for flag in flags if flag < len(ground.implied)]
    implied = [(flags[flag], [ground.implied[flag] >> other & 1 for other in adopted]) for flag in adopted]
    lowered = [unset >> flag & 1 for flag in flags]
    return hashlib.sha256(repr((told, lowered, ground.legal, implied)).encode()).digest(), list(met)


class _Prover:
    """Follows the tokens of one traffic entry, which are told apart by the flags whose bits are in `told`."""

    def __init__(
        self, code: Sequence[Instruction], spots: Sequence[Spot | None], first: int, ground: Ground, told: int = -1
    ) -> None:
        self.code = code
        """Its rows are numbered from `first` on."""
        self.spots = spots
        self.first = first
        self.ground = ground
        self.asked = [flags & told for flags in flags_asked(code, first)]
        self.has_statuses = any(each.facts.sets is SetWhat.STATUS for each in code)
        """Whether anything is said of the goods of its tokens; of plain traffic nothing is."""
        self.came: dict[tuple[int, Way], tuple[int, Way] | None] = {}
        """Where a token was before it came to a row in a way."""
        self.faults: dict[tuple[int, str], ScenarioFault] = {}
        self.most_in_hand: dict[int, int] = {}
        """By resource."""

    def run(self, start: Way, most: int) -> tuple[list[ScenarioFault], int]:
        """Return the faults on all ways from `start`, and how many ways there are: `most` + 1 when there are more."""
        pending: deque[tuple[int, Way, tuple[int, Way] | None]] = deque([(self.first, start, None)])
        while pending and len(self.came) <= most:
            row, way, before = pending.popleft()
            live = self.asked[row - self.first]
            if way.known & ~live:
                way = way._replace(known=way.known & live, value=way.value & live)
            here = row, way
            if here in self.came:
                continue
            self.came[here] = before
            pending += ((*then, here) for then in self._ways_on(*here))
        return list(self.faults.values()), len(self.came)

    def _ways_on(self, row: int, way: Way) -> Iterator[tuple[int, Way]]:
        """Yield where a token can be after the operation at `row`."""
        each = self.code[row - self.first]
        if each.facts.ends:
            self._leaves(way)
        done = self._done(row, each, way)
        for then, target in successors(each, row):
            if then.when is When.YES or then.when is When.NO:
                answered = self._answered(each, way, then.when is When.YES)
                if answered is not None:
                    yield target, answered
            elif then.who is Who.CHILD:
                yield target, done._replace(hands=())
            else:
                yield target, way if then.when is When.GIVES_UP else done

    def _done(self, row: int, each: Instruction, way: Way) -> Way:
        """Return what is known of a token that has done what is at `row`."""
        facts = each.facts
        if facts.units is Units.RELEASES:
            return way._replace(hands=tuple(held for held in way.hands if held[0] != each.slot))
        if facts.units is not None:
            return self._fills(row, each, way)
        if facts.delays and each.interrupted != NOWHERE:
            self._alone(each, row, way)
        if facts.marks:
            self._passes(each.mark, row, way)
        if facts.sets in CHANGES_A_FLAG:
            return _knowing(way, each.flag, raised=facts.sets is SetWhat.RAISE_FLAG)
        if facts.sets is SetWhat.STATUS:
            return self._becomes(row, each.status, way)
        return way._replace(classes=1 << each.new_class) if facts.sets is SetWhat.CLASS else way

    def _answered(self, each: Instruction, way: Way, yes: bool) -> Way | None:  # noqa: FBT001  an answer
        """Return what is known of a token whose question is answered yes or no, None when it cannot be."""
        asks = each.facts.asks
        if asks is BranchOn.FLAG:
            if way.known >> each.flag & 1 and bool(way.value >> each.flag & 1) != yes:
                return None
            return self._answered_by(each.flag, way, yes=yes)
        if asks is BranchOn.STATUS:
            return way if yes == (way.status != NOWHERE and bool(each.statuses >> way.status & 1)) else None
        if asks is BranchOn.CLASS:
            classes = each.classes if yes else ~each.classes
        elif asks is BranchOn.SHARE:
            shares = enumerate(self.ground.shares[each.share])
            classes = sum(1 << klass for klass, share in shares if (share > 0 if yes else share < 1))
        else:
            return way
        return way._replace(classes=way.classes & classes) if way.classes & classes else None

    def _answered_by(self, flag: int, way: Way, *, yes: bool) -> Way:
        """Return what is known of a token that has a flag, or does not have it, and so has others or not."""
        for other, implied in enumerate(self.ground.implied):
            if (self.ground.implied[flag] >> other if yes and flag < len(self.ground.implied) else implied >> flag) & 1:
                way = _knowing(way, other, raised=yes)
        return _knowing(way, flag, raised=yes)

    def _becomes(self, row: int, status: int, way: Way) -> Way:
        if way.status not in (NOWHERE, status) and not self.ground.legal[way.status] >> status & 1:
            names = self.ground.statuses
            old, new = names[way.status], names[status]
            after = self.ground.statuses_in(self.ground.legal[way.status])
            remedy = f"After '{old}' come: {after}." if after else f"Nothing comes after '{old}'."
            self._fault(row, f"status '{new}' may come after '{old}', which is not legal", remedy)
        return way._replace(status=status)

    def _passes(self, mark: int, row: int, way: Way) -> None:
        """Note a fault where goods make a mark with a status that may not."""
        may, name = self.ground.passes[mark], self.ground.marks[mark]
        if not self.has_statuses or may < 0 or (way.status != NOWHERE and may >> way.status & 1):
            return
        goods = "of no status" if way.status == NOWHERE else f"that are '{self.ground.statuses[way.status]}'"
        at = f" at {name.place}" if name.place else ""
        fault = f"goods {goods} may make the mark '{name.name}'{at}, which is not legal"
        if (row, fault) in self.faults:
            return
        spots = self._since_the_status(row, way)
        last = spots[-1].path if spots else (name.name,)
        walked = [*dict.fromkeys(spot.path[0] for spot in spots if spot.path[0] != last[0]), ".".join(last)]
        edited = self.ground.edited([spot.text for spot in spots])
        remedy = f"They went {' → '.join(walked)}.{f' {edited}' if edited else ''}"
        self._fault(row, fault, f"{remedy} Legal with: {self.ground.statuses_in(may)}.")

    def _since_the_status(self, row: int, way: Way) -> list[Spot]:
        """Return the steps that a token went since it was given its status, with that and the one it is at."""
        found: list[Spot] = []
        here: tuple[int, Way] | None = row, way
        while here is not None:
            each, spot = self.code[here[0] - self.first], self.spots[here[0]]
            passes_by = each.facts.asks is not None or leads_away(each)
            if spot is not None and not passes_by and spot not in found[-1:]:
                found.append(spot)
            if each.facts.sets is SetWhat.STATUS:
                break
            here = self.came[here]
        return found[::-1]

    def _fills(self, row: int, each: Instruction, way: Way) -> Way:
        slot = each.slot
        if any(held[0] == slot for held in way.hands):
            remedy = "Give them back first: `until` a step that every way back passes."
            self._fault(row, f"{self._name(row)} may be done again while its units are still kept", remedy)
        hands = tuple(sorted((*(held for held in way.hands if held[0] != slot), (slot, row))))
        for resource, units in self._in_hand(hands).items() if each.facts.units is Units.SEIZES else ():
            self.most_in_hand[resource] = max(units, self.most_in_hand.get(resource, 0))
            if units > self.ground.most[resource]:
                name, most = self.ground.resources[resource], self.ground.most[resource]
                had = f"{self._name(row)} has {units} units of {name} in hand with those kept before"
                fault = f"{had}, but there are never more than {most}"
                owner = ("zones", *name.split(".", 1))
                self._fault(row, fault, "Give it more units, or keep them for a shorter time.", owner)
        return way._replace(hands=hands)

    def _in_hand(self, hands: tuple[tuple[int, int], ...]) -> dict[int, int]:
        """Return the units in hand by resource."""
        units_of: dict[int, int] = {}
        for _, row in hands:
            for resource, units in self._needs_of(row):
                units_of[resource] = units_of.get(resource, 0) + units
        return units_of

    def _needs_of(self, row: int) -> Sequence[tuple[int, int]]:
        """Return (resource, units) of the request at a row."""
        each = self.code[row - self.first]
        return self.ground.needs[each.first_need : each.first_need + each.needs]

    def _leaves(self, way: Way) -> None:
        for _, row in way.hands:
            names = " and ".join(self.ground.resources[resource] for resource, _ in self._needs_of(row))
            fault = f"a token may end with {names} still in hand"
            self._fault(row, fault, "Let every way from here pass the step named after `until`.")

    def _alone(self, each: Instruction, row: int, way: Way) -> None:
        """Note a fault where work that can be interrupted is done with units kept from before in hand."""
        steps = [self.ground.steps[self.code[filled - self.first].step] for _, filled in way.hands]
        kept = [self.ground.resources[step.resources[0]] for step in steps if step.is_kept]
        if kept:
            own = self.ground.resources[self.ground.steps[each.interrupted].resources[0]]
            fault = f"work with {own} can be interrupted, but {kept[0]} may still be kept from before"
            self._fault(row, fault, "Give that back first, or leave out `preempt`.")

    def _name(self, row: int) -> str:
        step = self.ground.steps[self.code[row - self.first].step]
        return f"'{'.'.join(step.path[:-2] if step.is_kept else step.path)}'"

    def _fault(self, row: int, fault: str, remedy: str, owner: tuple[str, ...] = ()) -> None:
        spot = self.spots[row]
        place = None if spot is None else spot.place
        self.faults.setdefault((row, fault), ScenarioFault(fault, place, remedy, owner=owner))


def _knowing(way: Way, flag: int, *, raised: bool) -> Way:
    """Return what is known of a token when it is also known whether a flag is raised."""
    bit = 1 << flag
    return way._replace(known=way.known | bit, value=way.value | bit if raised else way.value & ~bit)
