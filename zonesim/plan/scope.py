"""Where the compiler of flows stands, and what it knows of the token at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from zonesim.plan.assembly import Block, Kept, Later, Operand
from zonesim.plan.binding import Arguments, Origins
from zonesim.plan.editions import Edition, StepList
from zonesim.plan.tables import Order
from zonesim.scenario import Step


@dataclass
class OpenList:
    """A list of steps that is being written, how far, and what is given back at the end of each of them."""

    steps: StepList
    position: int = 0
    kept: dict[str, list[Kept]] = field(default_factory=dict)


@dataclass(frozen=True)
class Siblings:
    """The children of a split: in which call, what it is called, and how many they are (a distribution)."""

    call: tuple[str, ...]
    split: str
    number: int


@dataclass(frozen=True)
class Scope:
    """
    Where the compiler stands.

    `origins` tell where in the world each argument was written.

    `choices` are the resources that a hold with a choice may stand for, by its name.

    `path` leads through calls and blocks to the step; `call` is the part of it that leads to the flow, within which
    marks have their meaning; `text` is where the step is written. `depth` and `held` (resource, units) are what the
    token has in its hands. `zones` are those that the call is in. `lists` are the lists of steps around the step, the
    nearest last; `blocks` those that the token is inside of, likewise, those of the calls around it included. `leads`:
    whether others wait for the token to do the steps of their batch. `edition` is what is known of the practices that
    the token follows in this flow, `order` where the call of the flow stands. `siblings`: whose child of a split it is.
    """

    flow: str
    edition: Edition
    arguments: Arguments
    origins: Origins
    path: tuple[str, ...] = ()
    call: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    place: str = ""
    depth: int = 0
    held: tuple[tuple[int, int], ...] = ()
    calls: int = 0
    zones: tuple[str, ...] = ()
    lists: tuple[OpenList, ...] = ()
    blocks: tuple[Block, ...] = ()
    leads: bool = False
    order: Order = ()
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    siblings: Siblings | None = None

    def of_child(self, siblings: Siblings | None = None) -> Scope:
        """Return where a child stands that begins here: with nothing in its hands, and lists of its own."""
        return replace(self, depth=0, held=(), lists=(), blocks=(), leads=False, siblings=siblings)


@dataclass(frozen=True)
class Owner:
    """
    Whose a truth is that a kind of token brought along: child `first + n` has that of child `base + n // size`, which
    is the consignment itself for 0.
    """

    base: Operand
    first: Operand
    size: int

    @property
    def numbers(self) -> tuple[int, int, int]:
        """Return base, first and size, once child numbers are given."""
        base, first = (part.row if isinstance(part, Later) else part for part in (self.base, self.first))
        return base, first, self.size


@dataclass(frozen=True)
class Kind:
    """
    A kind of token: what it is called, which child numbers it may have, and whose are the truths it brought along.
    """

    name: str
    base: Operand = 0
    count: int = 1
    inherited: Mapping[str, Owner] = field(default_factory=dict)

    def owner(self, truth: str) -> Owner:
        """Return whose a truth is: of the token itself, unless it brought it along."""
        return self.inherited.get(truth, Owner(self.base, self.base, 1))


def consulted_marks(steps: Mapping[str, Step]) -> frozenset[str]:
    """Return the marks that conditions in these steps ask for."""
    found: set[str] = set()
    for step in steps.values():
        if step.when is not None:
            found |= {mark for mark in (step.when.marked, step.when.unmarked) if mark is not None}
        found |= consulted_marks(step.inside)
    return frozenset(found)
