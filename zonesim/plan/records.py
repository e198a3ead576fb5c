"""
Layout of what comes out of a run: record rows, keys and totals.

Rows are int64 throughout (`zonesim.plan.columns`) so that both engines can be compared byte by byte and a block can be
written anywhere without conversion. Times are milliseconds from the scenario's start. Rows stand in the order in which
they were completed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from zonesim.plan.columns import MARK, VISIT, Ints, Rows

NEVER: Final = -1
"""In a visit: `started` NEVER = it never got its units; `ended` NEVER = still there when the run ended."""

CHILD_BITS: Final = 6
ORDINAL_BITS: Final = 26
SOURCE_BITS: Final = 9
NUMBER_BITS: Final = CHILD_BITS + ORDINAL_BITS + SOURCE_BITS
"""
A token number: source << 32 | ordinal << 6 | child. It orders events of one instant and names the token in records.
"""

LARGEST_CHILD: Final = (1 << CHILD_BITS) - 1
LARGEST_ORDINAL: Final = (1 << ORDINAL_BITS) - 1
LARGEST_SOURCE: Final = (1 << SOURCE_BITS) - 1

_NUMBER_MASK: Final = (1 << NUMBER_BITS) - 1

Number = TypeVar("Number", int, Ints)
"""Keys or numbers of tokens, one or many."""


def token_number(source: int, ordinal: int, child: int = 0) -> int:
    """Return the 41-bit number of a token."""
    return source << (ORDINAL_BITS + CHILD_BITS) | ordinal << CHILD_BITS | child


def number_of(key: Number) -> Number:
    """Return the token numbers in visit or mark keys."""
    return key & _NUMBER_MASK


def place_of(key: Number) -> Number:
    """Return the step (of visit keys) or the mark (of mark keys)."""
    return key >> NUMBER_BITS


def source_of(number: Number) -> Number:
    """Return the rows of the sources table in token numbers."""
    return number >> (ORDINAL_BITS + CHILD_BITS)


def ordinal_of(number: Number) -> Number:
    """Return the ordinals, within their source, in token numbers."""
    return (number >> CHILD_BITS) & LARGEST_ORDINAL


def child_of(number: Number) -> Number:
    """Return the child numbers in token numbers; 0 is the consignment itself."""
    return number & LARGEST_CHILD


def consignment_of(number: Number) -> Number:
    """Return the numbers of the consignments that tokens belong to (their own where child is 0)."""
    return number & ~LARGEST_CHILD


@dataclass(frozen=True)
class Block:
    """Some rows of a run."""

    visits: Rows
    """Rows of dtype `VISIT`."""
    marks: Rows
    """Rows of dtype `MARK`."""


class Sink(Protocol):
    """Whoever takes record blocks as a run goes on: KPI reducers, a log writer."""

    def take(self, block: Block) -> None:
        """Fold one more block; blocks come in order and are not kept by the engine."""


@dataclass
class RowLog:
    """A sink that keeps every row of a run, in the order in which it was completed."""

    blocks: list[Block] = field(default_factory=list)
    """All that has been taken."""

    def take(self, block: Block) -> None:
        """Keep a block."""
        self.blocks.append(block)

    @property
    def visits(self) -> Rows:
        """Return all visit rows."""
        return np.concatenate([np.zeros(0, dtype=VISIT), *(block.visits for block in self.blocks)])

    @property
    def marks(self) -> Rows:
        """Return all mark rows."""
        return np.concatenate([np.zeros(0, dtype=MARK), *(block.marks for block in self.blocks)])


@dataclass(frozen=True)
class Totals:
    """
    What an engine counts itself, because visits cannot give it or so that visits can be checked against it; integrals
    are over the measured window.
    """

    busy: Ints
    """Unit-ms in use, shape (resources,)."""
    open: Ints
    """Unit-ms on duty as scheduled, shape (resources,)."""
    broken: Ints
    """Unit-ms of those on duty that were broken down, shape (resources,)."""
    queue: Ints
    """Token-ms in the queue, shape (resources,)."""
    peak: Ints
    """Longest queue within the window, shape (resources,)."""
    at_step: Ints
    """Token-ms at each step; for the step of a LEAVE, inside at all; shape (steps,)."""
    arrivals: Ints
    """Tokens that arrived in the whole run, shape (sources,)."""
    cohort: Ints
    """Ordinals of the first token that arrived in the window and of the first one after it, shape (sources, 2)."""
    classes: tuple[NDArray[np.int16], ...]
    """By source, the class of each of its consignments, by ordinal."""
    events: int
    """Timed events processed."""
    levels: Ints
    """How the accounts stand when the run ends, shape (accounts,)."""
    level_time: Ints
    """Quantity-ms of each account, shape (accounts,)."""
