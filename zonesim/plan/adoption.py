"""Adoption in a plan: the flags that say what a token follows, and the choice between the editions of a flow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from zonesim.faults import Place, ScenarioFault
from zonesim.limits import MOST_EDITIONS
from zonesim.plan.operations import NOWHERE
from zonesim.policy import Following, PracticeUse

BY: Final = {"volume": 0, "firms": 1, "token": 2}
"""Codes of what a share of adopters is a share of."""

Row = tuple[int, int, int, int, int, int]


@dataclass(frozen=True)
class Condition:
    """
    Whom a flag is raised for: tokens whose firms are among the adopters of a measure.

    `parts` are (party, share): each has to be met, by the firm that is that party or (-1) by all firms of the token.
    `of` is volume, firms, or token (the token adopts by itself).
    """

    measure: str
    of: str
    parts: tuple[tuple[int, Following], ...]

    def implies(self, other: Condition) -> bool:
        """Return whether every token that meets this condition meets the other one too."""
        alike = (self.measure, self.of, len(self.parts)) == (other.measure, other.of, len(other.parts))
        return alike and all(
            party == other_party and own.implies(other_own)
            for (party, own), (other_party, other_own) in zip(self.parts, other.parts, strict=True)
        )


class Adoptions:
    """The adoptions table under construction; equal conditions share a flag."""

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self.flags: dict[Condition, int] = {}
        self.practices: list[dict[str, None]] = []
        self.rows: list[Row] = []
        self.shares: list[float] = []
        self.streams: list[str] = []
        self._sources: set[tuple[Condition, int]] = set()

    @property
    def names(self) -> list[str]:
        """Return what each flag says: the practices that tokens with it follow."""
        return [f"adopts {', '.join(practices)}" for practices in self.practices]

    def flag(self, condition: Condition, practice: str, source: int, entry: str) -> int:
        """Return the flag of a condition under which tokens of a traffic entry follow a practice."""
        if condition not in self.flags:
            self.flags[condition] = len(self.practices)
            self.practices.append({})
        flag = self.flags[condition]
        self.note(condition, practice)
        alone = condition.of == "token"
        steady = not alone and all(party == NOWHERE and not share.start for party, share in condition.parts)
        own = NOWHERE if steady else source
        if (condition, own) not in self._sources:
            self._sources.add((condition, own))
            stream = f"{entry if alone else ''}//adoption/{condition.measure}"
            for party, share in condition.parts:
                self._add(flag, own, BY[condition.of], party, share, stream)
        return flag

    def note(self, condition: Condition, practice: str) -> None:
        """Note that tokens under a condition, if it has a flag, follow a practice; practices may share a flag."""
        if condition in self.flags:
            self.practices[self.flags[condition]][practice] = None

    def _add(self, flag: int, source: int, by: int, party: int, share: Following, stream: str) -> None:
        times = [(0, share.start, share.before)] if share.start else []
        for begin, end, value in [*times, (share.start, self.horizon, share.after)]:
            self.rows.append((flag, source, by, party, begin, end))
            self.shares.append(value)
            self.streams.append(stream)


# --- editions

Followed = frozenset[str]


@dataclass(frozen=True)
class Choice:
    """A choice between editions of a flow by whether a token meets a condition."""

    name: str
    condition: Condition
    no: Edition
    yes: Edition


Edition = Followed | Choice
"""The practices that are followed, or a choice between two editions."""


def editions(
    uses: Sequence[tuple[PracticeUse, Condition]],
    always: Followed,
    same: Callable[[Followed, Followed], bool],
    place: Place,
) -> Edition:
    """
    Return how the edition of a flow is chosen: as few choices as tell different texts apart.

    `uses` are the practices that edit the flow and that some tokens follow there, `always` those that all follow,
    `same` tells whether two sets of practices make the same text. What one condition says about another is used:
    tokens outside 90 % of an order are outside its first 50 % too. Raises ScenarioFault, at `place`, for too many.
    """
    count = 0

    def choose(rest: Sequence[tuple[PracticeUse, Condition]], followed: Followed, facts: list[_Fact]) -> Edition:
        nonlocal count
        if not rest:
            count += 1
            if count > MOST_EDITIONS:
                fault = f"{len(uses)} practices that only some follow make more than {MOST_EDITIONS} editions of a flow"
                raise ScenarioFault(fault, place, "Let some of them be followed by all, or leave measures out.")
            return followed
        (use, condition), *others = rest
        known = _known(condition, facts)
        if known is not None:
            return choose(others, followed | {use.name} if known else followed, facts)
        no = choose(others, followed, [*facts, (condition, False)])
        yes = choose(others, followed | {use.name}, [*facts, (condition, True)])
        return no if _equal(no, yes, same) else Choice(use.name, condition, no, yes)

    return choose(uses, always, [])


_Fact = tuple[Condition, bool]


def _known(condition: Condition, facts: Sequence[_Fact]) -> bool | None:
    for fact, holds in facts:
        if holds and fact.implies(condition):
            return True
        if not holds and condition.implies(fact):
            return False
    return None


def _equal(one: Edition, other: Edition, same: Callable[[Followed, Followed], bool]) -> bool:
    if isinstance(one, Choice) and isinstance(other, Choice):
        return one.condition == other.condition and _equal(one.no, other.no, same) and _equal(one.yes, other.yes, same)
    return not isinstance(one, Choice) and not isinstance(other, Choice) and same(one, other)
