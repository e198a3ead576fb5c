"""What tokens go through in a plan: between two marks, in the passages of a gate, and in steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from zonesim.analysis.decisions import Decided, Decisions, Value, Way, who_adopts
from zonesim.plan import (
    NOWHERE,
    BranchOn,
    Instruction,
    MarkName,
    Plan,
    SetWhat,
    Units,
    WaitsFor,
    has_children,
    leads_away,
    successors,
)
from zonesim.plan import Distribution as Kind

StepKey = tuple[str, tuple[str, ...]]
"""Entry and path of a step."""

_MARK, _QUEUE, _CHOICE, _VALUE, _SHAPE, _STEPS = "mark", "queue", "choice", "value", "shape", "steps"
Item = tuple[str, Any]
"""
What a token meets on its way: a mark, where it may wait, the editions of a step, a value, a part of the shape, and
steps that it does itself or leaves to others in the background.
"""

Is = Callable[[MarkName], bool]


@dataclass
class Stretch:
    """What tokens meet between two marks: values, the shape of the way, and whether they may have to wait."""

    values: list[Value] = field(default_factory=list)
    shape: list[Value] = field(default_factory=list)
    waits: bool = False
    own: set[StepKey] = field(default_factory=set)
    sent: set[StepKey] = field(default_factory=set)
    """The steps that tokens do, and those that they leave to others in the background."""
    ends: list[bool] = field(default_factory=list)
    """Which of the two marks was met, in order: whether it was the early one."""


@dataclass(frozen=True)
class Marks:
    """Marks by name, of some entries, at a place, or of a truth."""

    name: str = ""
    entries: frozenset[str] = frozenset()
    place: str = ""
    truth: str = ""

    def are(self, mark: MarkName) -> bool:
        """Return whether a mark is one of them."""
        if self.truth:
            return mark.truth == self.truth
        return mark.name == self.name and (mark.place == self.place if self.place else mark.entry in self.entries)


def called(name: str) -> Is:
    """Return what tells marks of a name, whose ever they are."""
    return lambda mark: mark.name == name


class Reading:
    """A plan as it is read for echoes; what is read once is kept."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._ways: dict[int, list[Item]] = {}
        self._decisions: dict[int, Decisions] = {}

    def between(self, source: int, early: Is, late: Is) -> Stretch | None:
        """
        Return what a source's consignments meet between two marks, their joined children among it; None where the
        marks do not follow each other.
        """
        if source not in self._ways:
            first = int(self.plan.sources["first_row"][source])
            self._ways[source] = self._met(source, first, self._end_of(first), inline=True)
        return _between(self._ways[source], early, late)

    def at_gate(self, place: str, begins: str, ends: Sequence[str]) -> list[Stretch]:
        """Return what tokens meet in the passages of a gate, in every part of every entry that has one."""
        end = next((name for name in ends if name in self._mark_names), "")
        found = []
        for source, parts in self._parts.items():
            entry = self.plan.names.sources[source]
            own = {mark.scope for _, mark in self._marks.get(entry, ()) if mark.name == begins and mark.place == place}
            for scope in sorted(own):
                for part in parts:
                    stretch = _between(part, *(_in_scope(name, scope) for name in (begins, end)))
                    found += [stretch] if stretch is not None else []
        return found

    def decided(self, marks: Marks) -> Decided:
        """Return what decides whether some marks are made, in all entries that have them."""
        ways: set[Way] = set()
        sure = True
        for source, entry in enumerate(self.plan.names.sources):
            own = [number for number, mark in self._marks.get(entry, ()) if marks.are(mark)]
            if own:
                if source not in self._decisions:
                    self._decisions[source] = Decisions(self.plan, source)
                found = self._decisions[source].of(own)
                ways |= found.ways
                sure &= found.sure
        return Decided(frozenset(ways), sure)

    @cached_property
    def _marks(self) -> dict[str, list[tuple[int, MarkName]]]:
        """Return the marks of each entry with their numbers."""
        found: dict[str, list[tuple[int, MarkName]]] = {}
        for number, mark in enumerate(self.plan.names.marks):
            found.setdefault(mark.entry, []).append((number, mark))
        return found

    @cached_property
    def _mark_names(self) -> frozenset[str]:
        return frozenset(mark.name for mark in self.plan.names.marks)

    @cached_property
    def laws(self) -> dict[StepKey, set[Value]]:
        """Return, by entry and path of a step, the laws of the delays that happen in it."""
        return self._in_steps[0]

    @cached_property
    def shapes(self) -> dict[StepKey, set[Value]]:
        """Return, by entry and path of a step, the shape of the work in it."""
        return self._in_steps[1]

    @cached_property
    def _in_steps(self) -> tuple[dict[StepKey, set[Value]], dict[StepKey, set[Value]]]:
        """Return laws and shapes by step; who adopts is one of the laws, where the editions of a step have others."""
        laws: dict[StepKey, set[Value]] = {}
        shapes: dict[StepKey, set[Value]] = {}
        sides: dict[tuple[StepKey, Value], tuple[set[Value], set[Value]]] = {}
        in_slots: dict[int, int] = {}
        for row, each in enumerate(self.plan.code):
            facts = each.facts
            if facts.units is Units.RELEASES:
                in_slots.pop(each.slot, None)
            elif facts.units is not None:
                in_slots[each.slot] = each.step
            elif facts.ends:
                in_slots.clear()
            own = [*in_slots.values(), *([each.step] if facts.delays and each.step >= 0 else [])]
            for name in (self.plan.names.steps[number] for number in own):
                key = name.entry, name.path
                shapes.setdefault(key, set()).update(_shape(self.plan, each))
                if facts.delays:
                    law = _law(self.plan, each.duration)
                    laws.setdefault(key, set()).add(law)
                    for who, adopts in self._editions.get(row, ()):
                        sides.setdefault((key, who), (set(), set()))[adopts].add(law)
        for (key, who), (others, adopters) in sides.items():
            if others != adopters:
                laws[key].add(("adoption", who))
        return laws, shapes

    @cached_property
    def _editions(self) -> dict[int, list[tuple[Value, bool]]]:
        """Return the rows that belong to an edition of a step: who adopts, and whether it is that of the adopters."""
        found: dict[int, list[tuple[Value, bool]]] = {}
        starts = self.plan.sources["first_row"].tolist()
        source = 0
        for row, each in enumerate(self.plan.code):
            source = starts.index(row) if row in starts else source
            if each.facts.asks is BranchOn.FLAG and each.flag < len(self.plan.names.flags):
                who = who_adopts(self.plan, source, each.flag)
                for other in range(row + 1, _behind(self.plan, each.target)):
                    found.setdefault(other, []).append((who, other >= each.target))
        return found

    @cached_property
    def _parts(self) -> dict[int, list[list[Item]]]:
        """Return by source what is met in each part of its program: that of the consignment, those of children."""
        found: dict[int, list[list[Item]]] = {}
        starts = self.plan.sources["first_row"].tolist()
        for source, first in enumerate(starts):
            end = min((other for other in starts if other > first), default=len(self.plan.code))
            rows = range(first, end)
            children = [self.plan.code[row].child for row in rows if has_children(self.plan.code[row])]
            begins = [first, *dict.fromkeys(children)]
            found[source] = [self._met(source, row, self._end_of(row), inline=False) for row in begins]
        return found

    def _end_of(self, row: int) -> int:
        """Return the row at which the tokens end that start at a row."""
        return next(other for other in range(row, len(self.plan.code)) if self.plan.code[other].facts.ends)

    def _met(self, source: int, first: int, end: int, *, inline: bool) -> list[Item]:
        """Return what a source's tokens meet in some rows, `inline`: with the children that are waited for."""
        plan, entry = self.plan, self.plan.names.sources[source]
        found: list[Item] = []
        row = first
        while row < end:
            each = plan.code[row]
            facts = each.facts
            row += 1
            if facts.asks is BranchOn.FLAG and each.flag < len(plan.names.flags):
                adopters, after = each.target, _behind(plan, each.target)
                both = (
                    self._met(source, row, adopters, inline=inline),
                    self._met(source, adopters, after, inline=inline),
                )
                found.append((_CHOICE, (who_adopts(plan, source, each.flag), *both)))
                row = after
            elif facts.marks:
                if plan.names.marks[each.mark].entry == entry:
                    found.append((_MARK, plan.names.marks[each.mark]))
            elif has_children(each):
                if each.group == NOWHERE:
                    found.append((_STEPS, (False, self._steps(each.child, self._end_of(each.child)))))
                elif inline:
                    found += [(_SHAPE, ("split",)), (_VALUE, ("number", _law(plan, each.number)))]
                    found += self._met(source, each.child, self._end_of(each.child), inline=True)
            elif leads_away(each):
                # Behind a question it leads past what is done on yes; at the end of an edition past the other.
                if each.again or (row < end and plan.code[row - 2].facts.asks is None):
                    found.append((_SHAPE, ("jump", bool(each.again))))
            else:
                found.append((_STEPS, (True, self._steps(row - 1, row))))
                found += [(_SHAPE, part) for part in _shape(plan, each)]
                if facts.delays:
                    found.append((_VALUE, ("delay", _law(plan, each.duration))))
                elif facts.sets is SetWhat.CLASS:  # whose shares and times are then others
                    found.append((_VALUE, ("class", each.new_class)))
                elif facts.asks is BranchOn.SHARE:
                    found.append((_VALUE, ("share", *dict.fromkeys(plan.shares[each.share].tolist()))))
                if _may_wait(each):
                    found.append((_QUEUE, None))
        return found

    def _steps(self, first: int, end: int) -> set[StepKey]:
        """Return the steps that some rows work for."""
        rows = (self.plan.code[row].step for row in range(first, end))
        return {(name.entry, name.path) for name in (self.plan.names.steps[row] for row in rows if row >= 0)}


def _in_scope(name: str, scope: tuple[str, ...]) -> Is:
    return lambda mark: mark.name == name and mark.scope == scope


def _may_wait(each: Instruction) -> bool:
    """Return whether a token may have to wait at an instruction, it is not known how long."""
    return each.facts.waits is not None or (each.facts.delays and each.interrupted != NOWHERE)


def _shape(plan: Plan, each: Instruction) -> list[Value]:
    """Return what an instruction has to do with the shape of a way: not times and shares, nor which units it takes."""
    facts = each.facts
    if facts.asks is not None:
        upgrades = facts.asks is BranchOn.CLASS and plan.code[each.target].facts.sets is SetWhat.CLASS
        return [] if facts.asks is BranchOn.SHARE or upgrades else [(facts.asks.name,)]
    if facts.waits is WaitsFor.UNITS:
        ways = [("one of several",)] if facts.units is None else []
        return [*ways, *([("patience", _law(plan, each.patience))] if each.patience != NOWHERE else [])]
    if facts.waits is WaitsFor.BATCH:
        most = _law(plan, each.most) if facts.departs else (each.number,)
        return [("batch", each.op, *most, _hours(plan, each.calendar), each.by)]
    if facts.waits is not None:
        return [(facts.waits.name, _hours(plan, each.calendar) if facts.waits is WaitsFor.INSTANT else "")]
    if facts.delays and each.calendar != NOWHERE:
        return [("during", _hours(plan, each.calendar))]
    return []


def _hours(plan: Plan, calendar: int) -> bytes:
    return b"" if calendar == NOWHERE else plan.spans_of(calendar).tobytes()


def _law(plan: Plan, row: int) -> Value:
    """Return kind and numbers of a law, those of its parts included."""
    kind, first, count = plan.distributions[row].tolist()
    numbers = plan.parameters[first : first + count].tolist()
    if kind == Kind.BY_CLASS:  # an arm may have a class more that is like another
        laws = list(dict.fromkeys(_law(plan, int(number)) for number in numbers))
        return laws[0] if len(laws) == 1 else (kind, *laws)
    if kind == Kind.MIXTURE:
        return (
            kind,
            *((_law(plan, int(part)), share) for part, share in zip(numbers[::2], numbers[1::2], strict=True)),
        )
    return (kind, *numbers)


def _behind(plan: Plan, adopters: int) -> int:
    """Return the row behind a choice between editions, that of adopters at row `adopters`: where the others jump to."""
    (target,) = [row for _, row in successors(plan.code[adopters - 1], adopters - 1)][-1:] or [adopters]
    return max(target, adopters)


def _between(way: Sequence[Item], early: Is, late: Is) -> Stretch | None:
    """Return what is met between two marks of a way; None where they do not follow each other on it."""
    ended = False

    def read(way: Sequence[Item], begun: frozenset[bool], found: Stretch) -> frozenset[bool]:
        """Return whether tokens are between the marks behind a part of the way: both, where some are."""
        nonlocal ended
        for kind, value in way:
            if kind == _CHOICE:
                who, *editions = value
                no, yes = Stretch(), Stretch()
                behind = [read(each, begun, own) for each, own in zip(editions, (no, yes), strict=True)]
                same = no.values == yes.values and no.shape == yes.shape
                found.values += no.values if same else [("adoption", who), *no.values, *yes.values]
                if no.shape != yes.shape or no.ends != yes.ends:
                    found.shape.append(("editions", who, *map(repr, (no.shape, no.ends, yes.shape, yes.ends))))
                else:
                    found.shape += no.shape
                found.ends += no.ends
                found.waits |= no.waits or yes.waits
                found.own |= no.own | yes.own
                found.sent |= no.sent | yes.sent
                begun = behind[0] | behind[1]
            elif kind == _MARK and early(value):
                begun = frozenset([True])
                found.ends.append(True)
            elif kind == _MARK and late(value):
                ended |= True in begun
                begun = frozenset([False])
                found.ends.append(False)
            elif True in begun and kind == _QUEUE:
                found.waits = True
            elif True in begun and kind == _STEPS:
                itself, steps = value
                (found.own if itself else found.sent).update(steps)
            elif True in begun and kind == _VALUE:
                found.values.append(value)
            elif True in begun and kind == _SHAPE:
                found.shape.append(value)
        return begun

    found = Stretch()
    begun = read(way, frozenset([False]), found)
    return found if ended and True not in begun else None
