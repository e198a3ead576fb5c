"""Where the compiler of flows stands, and what it knows of the token at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from zonesim.plan.assembly import Block, Kept
from zonesim.plan.binding import Arguments, Origins
from zonesim.scenario import Step


@dataclass
class OpenList:
    """A list of steps that is being written, how far, and what is given back at the end of each of them."""

    steps: Mapping[str, Step]
    position: int = 0
    kept: dict[str, list[Kept]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Number the steps, and find those that are done by children."""
        self.numbers = {name: number for number, name in enumerate(self.steps)}
        self.of_children = _of_children(self.steps)


def _of_children(steps: Mapping[str, Step]) -> dict[str, str]:
    """Return the steps that stand between a split and its join, which the children do, with that split."""
    found: dict[str, str] = {}
    names = list(steps)
    ends: dict[str, int] = {}
    for number, step in enumerate(steps.values()):
        if step.join is not None:
            ends.setdefault(step.join, number)
    for number, (name, step) in enumerate(steps.items()):
        if step.split is not None and ends.get(name, -1) > number:
            found |= dict.fromkeys(names[number + 1 : ends[name]], name)
    return found


@dataclass(frozen=True)
class Scope:
    """
    Where the compiler stands.

    `origins` tell where in the world each argument was written.

    `path` leads through calls and blocks to the step; `call` is the part of it that leads to the flow, within which
    marks have their meaning; `text` is where the step is written. `depth` and `held` (resource, units) are what the
    token has in its hands. `zones` are those that the call is in. `lists` are the lists of steps around the step, the
    nearest last; `blocks` those that the token is inside of, likewise, those of the calls around it included. `leads`:
    whether others wait for the token to do the steps of their batch.
    """

    flow: str
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

    def of_child(self) -> Scope:
        """Return where a child stands that begins here: with nothing in its hands, and lists of its own."""
        return replace(self, depth=0, held=(), lists=(), blocks=(), leads=False)


@dataclass(frozen=True)
class Owner:
    """
    Whose a truth is that a kind of token brought along: child `first + n` has that of child `base + n // size`, which
    is the consignment itself for 0.
    """

    base: int
    first: int
    size: int


@dataclass(frozen=True)
class Kind:
    """
    A kind of token: what it is called, which child numbers it may have, and whose are the truths it brought along.
    """

    name: str
    base: int = 0
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
