"""Waiting for others or for an hour: batches of tokens, and the instants of a calendar."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from zonesim.engine.tokens import Token
from zonesim.plan.operations import NOWHERE, GatherBy


@dataclass(slots=True, eq=False)
class Batch:
    """
    Tokens in the order in which they joined.

    `number` is that of the operation table, `key` what its members have in common. `due` is when it is complete
    whoever has come, -1: not by itself. Its first member leads when `led`.
    """

    number: int
    key: tuple[int, int]
    members: list[Token] = field(default_factory=list)
    due: int = NOWHERE
    complete: bool = False
    led: bool = False

    @property
    def leader(self) -> Token:
        """Return the first member."""
        return self.members[0]


def key_of(token: Token, number: int, by: int) -> tuple[int, int]:
    """Return which of the batches with this number a token belongs to."""
    if by == GatherBy.FIRM:
        return number, token.firms[0] if token.firms else NOWHERE
    return number, token.klass if by == GatherBy.CLASS else NOWHERE


def next_opening(spans: Sequence[Sequence[int]], now: int) -> int:
    """Return when a calendar with these open spans opens next, now included; -1: not again in this run."""
    row = bisect_left(spans, now, key=lambda span: span[0])
    return spans[row][0] if row < len(spans) else NOWHERE


def until_open(spans: Sequence[Sequence[int]], now: int) -> int:
    """Return `now` while a calendar is open, else when it opens next; -1: not again in this run."""
    row = bisect_right(spans, now, key=lambda span: span[0]) - 1
    return now if row >= 0 and now < spans[row][1] else next_opening(spans, now)


def until_shut(spans: Sequence[Sequence[int]], now: int) -> int:
    """Return when the open span around `now` closes, `now` itself while the calendar is shut."""
    row = bisect_right(spans, now, key=lambda span: span[0]) - 1
    return spans[row][1] if row >= 0 and now < spans[row][1] else now
