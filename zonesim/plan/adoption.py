"""Adoption in a plan: the flags that say what a token follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zonesim.plan.operations import NOWHERE
from zonesim.policy import Following

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

    def flag(self, condition: Condition, source: int, entry: str) -> int:
        """Return the flag of a condition that some tokens of a traffic entry meet."""
        if condition not in self.flags:
            self.flags[condition] = len(self.practices)
            self.practices.append({})
        flag = self.flags[condition]
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

    def implied(self) -> list[int]:
        """Return, for each flag, the bits of those that tokens with it have too, its own included."""
        return [
            sum(1 << number for other, number in self.flags.items() if condition.implies(other))
            for condition in self.flags
        ]

    def _add(self, flag: int, source: int, by: int, party: int, share: Following, stream: str) -> None:
        times = [(0, share.start, share.before)] if share.start else []
        for begin, end, value in [*times, (share.start, self.horizon, share.after)]:
            self.rows.append((flag, source, by, party, begin, end))
            self.shares.append(value)
            self.streams.append(stream)
