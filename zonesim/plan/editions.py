"""
The editions of a flow: what its steps say to tokens that follow different practices.

A practice that only some follow changes some steps. Tokens part at each of these, by the flag that says whether they
follow it, and meet again behind; the smallest part whose text differs is what has several editions:

- a step, with its inner steps only if the step itself differs, since a block of steps shares what it has in hand;
- a list of steps, where practices change which children a split has, or the order of the steps;
- the flow, where they change its place.

An edition of a part is found by the practices whose edits can reach it, so that practices of other parts do not
multiply it. In a list, the steps that not all editions have stand in an order that each edition agrees with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Any, Final, Generic, TypeVar

from zonesim.faults import InternalError, Place, ScenarioFault
from zonesim.limits import MOST_EDITIONS
from zonesim.plan.adoption import Condition
from zonesim.policy import ANY
from zonesim.scenario import Flow, Step

Text = TypeVar("Text")

Path = tuple[str, ...]
"""Where a part of a flow stands in it: `("steps", "lane", "steps", "check")`."""

Followed = frozenset[str]
"""Names of practices."""

Part = tuple[str | None, str | None, Step | None]
"""What the editions of a list agree in for a step: the split whose children do it, its join, all of a split or join."""

Form = list[tuple[str, Part]]
"""The steps of a list in order, with what its editions have to agree in."""

_FLOW_KEYS: Final = frozenset(field.alias or name for name, field in Flow.model_fields.items()) - {"steps"}


@dataclass(frozen=True)
class Use:
    """A practice that some tokens follow in a call of a flow: on which condition, and where in the flow it may edit."""

    name: str
    condition: Condition
    edits: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Same(Generic[Text]):
    """One text for all."""

    text: Text


@dataclass(frozen=True)
class Choice(Generic[Text]):
    """A choice between texts by whether a token meets a condition."""

    condition: Condition
    no: Texts[Text]
    yes: Texts[Text]


Texts = Same[Text] | Choice[Text]


class StepList:
    """
    The steps of a list in all its editions, in an order that each of them agrees with.

    `path` is where the list stands in its flow. `joins`: the step that joins each split. `everywhere`: the steps that
    every edition has.
    """

    def __init__(self, path: Path, names: Sequence[str], joins: Mapping[str, str], everywhere: Followed) -> None:
        self.path = path
        self.names = tuple(names)
        self.numbers = {name: number for number, name in enumerate(self.names)}
        self.joins = {split: join for split, join in joins.items() if split in self.numbers and join in self.numbers}
        self.everywhere = everywhere

    @cached_property
    def of_children(self) -> dict[str, str]:
        """Return the steps that stand between a split and its join, which the children do, with that split."""
        found: dict[str, str] = {}
        for split in self.names:
            if split in self.joins:
                found |= dict.fromkeys(self.between(split).names, split)
        return found

    def between(self, split: str) -> StepList:
        """Return the list of the steps that the children of a split do."""
        names = self.names[self.numbers[split] + 1 : self.numbers[self.joins[split]]]
        return StepList(self.path, names, self.joins, self.everywhere)


class FlowTexts:
    """The texts of a flow in one call of it, by the practices that are followed; `always` are those that all follow."""

    def __init__(self, flow: Callable[[Followed], Flow], uses: Sequence[Use], always: Followed, place: Place) -> None:
        self.flow = flow
        self.uses = tuple(uses)
        self.always = always
        self.place = place

    def at(self, followed: Followed, path: Path) -> Any:  # noqa: ANN401
        """Return the step, or the list of steps by name, at a path in an edition; None where there is none."""
        node: Any = self.flow(followed)
        for part in path:
            if node is None:
                return None
            node = node.get(part) if isinstance(node, Mapping) else getattr(node, part)
        return node


@dataclass(frozen=True)
class Edition:
    """What is known of the tokens at some point of a flow: which conditions they meet, and which not."""

    texts: FlowTexts
    facts: tuple[tuple[Condition, bool], ...] = ()

    def among(self, condition: Condition) -> Edition:
        """Return what is known of those who meet a condition."""
        return Edition(self.texts, (*self.facts, (condition, True)))

    def outside(self, condition: Condition) -> Edition:
        """Return what is known of those who do not meet a condition."""
        return Edition(self.texts, (*self.facts, (condition, False)))

    def meets(self, condition: Condition) -> bool | None:
        """
        Return whether the tokens meet a condition, None where some do. What one condition says about another is used:
        tokens outside 90 % of an order are outside its first 50 % too.
        """
        for fact, holds in self.facts:
            if holds and fact.implies(condition):
                return True
            if not holds and condition.implies(fact):
                return False
        return None

    @cached_property
    def plain(self) -> Followed:
        """Return the practices that all of the tokens follow."""
        return self.texts.always | {use.name for use in self.texts.uses if self.meets(use.condition)}

    @cached_property
    def rank(self) -> int:
        """
        Return the number of the first edition of the flow that agrees with what is known, when the editions are read
        in the order of the practices: nobody follows any, only the last, only the one before it, both, and so on.
        """
        return sum(1 << number for number, use in enumerate(reversed(self.texts.uses)) if use.name in self.plain)

    def flow(self) -> Texts[Flow]:
        """Return the flow, whose steps are not looked at, in its editions."""
        uses = [use for use in self.texts.uses if any(edit[:1] == () or edit[0] in _FLOW_KEYS for edit in use.edits)]
        return self._choose(uses, self.texts.flow, lambda flow: flow.model_copy(update={"steps": {}}))

    def step_at(self, path: Path) -> Texts[Step | None]:
        """Return a step, whose inner steps are not looked at, in its editions: None where it is not."""
        inner = self._that_may_empty(path)
        uses = [use for use in self.texts.uses if use in inner or any(_reaches(edit, path) for edit in use.edits)]
        return self._choose(uses, lambda followed: self.texts.at(followed, path), _alone)

    def list_at(self, path: Path) -> StepList | Choice[Form]:
        """Return a list of steps, or a choice behind which more of it is alike."""
        uses = self._open(path)
        merged = self._merged(path, self._samples(uses))
        if merged is not None:
            return merged

        def form(followed: Followed) -> Form:
            return _form(self.texts.at(followed, path) or {})

        apart = [use for use in uses if self._merged(path, self._samples([use])) is None]
        found = self._choose(apart or uses, form, _as_it_is)
        if isinstance(found, Same):
            raise InternalError(f"the editions of {path} neither agree nor differ")
        return found

    def branch(self, path: Path) -> StepList:
        """Return the list of the one step at a path, which is done at the same time as others."""
        return StepList(path[:-1], path[-1:], {}, frozenset(path[-1:]))

    def has(self, steps: StepList, name: str) -> bool:
        """Return whether the tokens all find a step in its list."""
        if name in steps.everywhere:
            return True
        return all(step is not None for step in leaves(self.step_at((*steps.path, name))))

    def seen(self) -> Iterator[Flow]:
        """Yield the texts of the flow in which every step stands that some of the tokens find."""
        return map(self.texts.flow, self._samples(self.texts.uses))

    # --- inner steps

    def _that_may_empty(self, path: Path) -> list[Use]:
        """
        Return the practices that give a step its first inner steps or take its last: whether it has any changes what
        it does itself.
        """
        edited = {use: names for use in self.texts.uses if (names := set(_inner_names(use.edits, path)))}
        step = self.texts.at(self.plain, path) if edited else None
        if step is None or ANY in set().union(*edited.values()):
            return list(edited)
        return [] if set(step.steps) - set().union(*edited.values()) else list(edited)

    # --- lists

    def _open(self, path: Path) -> list[Use]:
        """Return the practices that some follow and that may edit something in a list."""
        own = path[:-1]
        return [
            use
            for use in self.texts.uses
            if self.meets(use.condition) is None and any(_agree(edit, own) for edit in use.edits)
        ]

    def _samples(self, uses: Sequence[Use]) -> list[Followed]:
        """Return the practices that are followed where none of `uses` is, one by one, and all."""
        every = self
        for use in uses:
            if every.meets(use.condition) is None:
                every = every.among(use.condition)
        alone = [self.among(use.condition).plain for use in uses if self.meets(use.condition) is None]
        return list(dict.fromkeys([self.plain, *alone, every.plain]))

    def _merged(self, path: Path, editions: Sequence[Followed]) -> StepList | None:
        """Return a list in all its editions, None where they do not agree in its order or in splits and joins."""
        samples: list[Mapping[str, Step]] = [self.texts.at(followed, path) or {} for followed in editions]
        names = _in_order([list(steps) for steps in samples])
        joins: dict[str, str] = {}
        for steps in samples:
            joins |= _joins(steps)
        first: dict[str, Part] = {}
        if names is None or any(first.setdefault(name, own) != own for steps in samples for name, own in _form(steps)):
            return None
        everywhere = frozenset.intersection(*(frozenset(steps) for steps in samples))
        merged = StepList(path, names, joins, everywhere)
        if any(first[name][0] != merged.of_children.get(name) for name in names):
            return None
        if any(split not in everywhere and _times(self.step_at((*path, split))) > 1 for split in merged.joins):
            return None
        return merged

    # --- choices

    def _choose(
        self, uses: Sequence[Use], text: Callable[[Followed], Text], alike: Callable[[Text], object]
    ) -> Texts[Text]:
        """
        Return how a text is chosen: as few choices as tell different texts apart.

        `uses` are the practices that may edit it, `text` is the text for those who follow some practices, `alike` what
        is compared of it. Raises ScenarioFault for too many editions.
        """
        count = 0

        def choose(rest: Sequence[Use], known: Edition) -> Texts[Text]:
            nonlocal count
            while rest and known.meets(rest[0].condition) is not None:
                rest = rest[1:]
            if not rest:
                count += 1
                if count > MOST_EDITIONS:
                    many = f"{len(uses)} practices that only some follow"
                    fault = f"{many} make more than {MOST_EDITIONS} editions of a step"
                    remedy = "Let some of them be followed by all, or leave measures out."
                    raise ScenarioFault(fault, self.texts.place, remedy)
                return Same(text(known.plain))
            condition = rest[0].condition
            no, yes = choose(rest[1:], known.outside(condition)), choose(rest[1:], known.among(condition))
            return no if _equal(no, yes, alike) else Choice(condition, no, yes)

        return choose(uses, self)


def leaves(texts: Texts[Text]) -> Iterator[Text]:
    """Yield the texts that are chosen between."""
    if isinstance(texts, Choice):
        yield from leaves(texts.no)
        yield from leaves(texts.yes)
    else:
        yield texts.text


def one_edition(steps: Mapping[str, Step]) -> StepList:
    """Return a list of steps of which there is one edition only."""
    return StepList(("steps",), list(steps), _joins(steps), frozenset(steps))


def _as_it_is(text: Text) -> Text:
    return text


def _equal(one: Texts[Text], other: Texts[Text], alike: Callable[[Text], object]) -> bool:
    if isinstance(one, Choice) and isinstance(other, Choice):
        same = one.condition == other.condition
        return same and _equal(one.no, other.no, alike) and _equal(one.yes, other.yes, alike)
    if isinstance(one, Choice) or isinstance(other, Choice):
        return False
    return bool(alike(one.text) == alike(other.text))


def _times(texts: Texts[Step | None]) -> int:
    """Return in how many of its editions a step is there."""
    return sum(step is not None for step in leaves(texts))


# --- where edits reach


def _named(path: Path) -> Path:
    """Return a path as edits name it, without the word `steps`."""
    return tuple(part for part in path if part != "steps")


def _agree(edit: Path, path: Path) -> bool:
    """Return whether what an edit names may be above a path, there, or below it."""
    return all(ANY in (own, part) or own == part for own, part in zip(edit, _named(path), strict=False))


def _reaches(edit: Path, path: Path) -> bool:
    """Return whether an edit may change the step at a path by more than what one of its inner steps says."""
    if not _agree(edit, path):
        return False
    below = edit[len(_named(path)) :]
    if not below:
        return True
    in_branch = below[0] == "parallel" and len(below) > 2 and below[1] != ANY  # noqa: PLR2004  parallel.NAME.KEY
    return below[0] == ANY or (below[0] in Step.KEYS and not in_branch)


def _inner_names(edits: Sequence[Path], path: Path) -> Iterator[str]:
    """Yield the inner steps of the step at a path that edits add, remove or replace."""
    own = _named(path)
    for edit in edits:
        if len(edit) == len(own) + 1 and _agree(edit, path) and edit[-1] not in Step.KEYS:
            yield edit[-1]


# --- what is compared


def _alone(step: Step | None) -> Any:  # noqa: ANN401
    """Return a step without its inner steps."""
    if step is None:
        return None
    return step.model_copy(update={"steps": {}, "parallel": {}}), bool(step.steps), tuple(step.parallel)


def _joins(steps: Mapping[str, Step]) -> dict[str, str]:
    """Return the step that joins each split of a list."""
    found: dict[str, str] = {}
    open_: set[str] = set()
    for name, step in steps.items():
        if step.join in open_ and step.join is not None:
            found.setdefault(step.join, name)
        if step.split is not None:
            open_.add(name)
    return found


def _form(steps: Mapping[str, Step]) -> Form:
    """Return the steps of a list, each with the split whose children do it, and all of it if it is a split or join."""
    joins = _joins(steps)
    of_children = StepList((), list(steps), joins, frozenset()).of_children
    return [
        (name, (of_children.get(name), joins.get(name), step if step.split or step.join else None))
        for name, step in steps.items()
    ]


def _in_order(lists: Sequence[Sequence[str]]) -> list[str] | None:
    """Return all names in an order that every list agrees with, else as they come first; None if there is none."""
    first = {name: number for number, name in enumerate(dict.fromkeys(name for own in lists for name in own))}
    pairs = {pair for own in lists for pair in pairwise(own)}
    after: dict[str, list[str]] = {name: [] for name in first}
    before = dict.fromkeys(first, 0)
    for name, following in pairs:
        after[name].append(following)
        before[following] += 1
    ready = [(first[name], name) for name, count in before.items() if not count]
    heapify(ready)
    found: list[str] = []
    while ready:
        _, name = heappop(ready)
        found.append(name)
        for other in after[name]:
            before[other] -= 1
            if not before[other]:
                heappush(ready, (first[other], other))
    return found if len(found) == len(first) else None
