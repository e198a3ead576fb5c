"""
The graph of the ways that tokens can take: points where ways part, what a token is there, and what lies on the ways
between them; and its parts that are circles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple

from zonesim.plan.kinds import Orders
from zonesim.plan.operations import NOWHERE

END: Final = 0
"""Number of the node at which a token has left."""

Needs = tuple[tuple[int, int], ...]
"""(resource, units) of one request."""


class Cause(Enum):
    """Why the work of a resource, or how often it comes, is not known before the run."""

    STATE = "state"
    PATIENCE = "patience"
    SHORTEST = "shortest"
    EITHER = "either"
    STOCK = "stock"
    BATCH = "batch"
    HOURS = "hours"
    LONGEST = "longest"
    CIRCLE = "circle"
    LISTED = "listed"
    LATE = "late"
    FIRM = "firm"
    SIZE = "size"


class State(NamedTuple):
    """
    A token at a row: its class, its flags as far as they are still asked for, its status, the units in hand by slot,
    the resources in the hands of those who wait for it (outermost first), the children it has not joined yet (group,
    start, distribution of their number), and from where on the number lies that the branch before has drawn. `open` are
    the flags of adoption that are decided only where they are asked for, by `orders` (see `kinds`). `goes`: it has a
    place at the departure that it waits for here.
    """

    row: int
    klass: int
    flags: int
    status: int = NOWHERE
    hands: tuple[tuple[int, Needs], ...] = ()
    around: tuple[int, ...] = ()
    brood: tuple[tuple[int, State, int], ...] = ()
    drawn: float = 0.0
    open: int = 0
    orders: Orders = ()
    goes: bool = False


class Line(NamedTuple):
    """Who waits for one departure: a batch, and the class of its tokens where each has a line of its own."""

    batch: int
    klass: int = NOWHERE


@dataclass
class Edge:
    """A way from one node to the next; times in ms, inf for no bound."""

    target: int = END
    """The node that it leads to."""
    low: float = 1.0
    """The least share of tokens that take it, a number above 1 for children."""
    high: float = 1.0
    """The greatest; equal to the least where it is known."""
    own: bool = True
    """Whether the token itself takes it; else a child or a spawned token does, and the token another edge."""
    work: dict[int, float] = field(default_factory=dict)
    """Expected unit-ms by column (see `Ways.column`)."""
    open_end: dict[int, Cause] = field(default_factory=dict)
    """The columns to which time may be added that is not known, with why."""
    late: dict[int, float] = field(default_factory=dict)
    """Work times its delay after the node."""
    queued: frozenset[int] = frozenset()
    """Resources in hand while the token waits for others."""
    waits: bool = False
    """Whether it may wait in a queue."""
    delay: float = 0.0
    """Expected time until now, where it is known or guessed."""
    mean: float = 0.0
    """Least expected time that it takes without waits in queues."""
    most: float = 0.0
    """Greatest expected time."""
    least: float = 0.0
    """Least time that it can take."""
    longest: float = 0.0
    """Longest time that it can take."""
    findings: tuple[int, ...] = ()
    """Marks on the way that say something of a truth, in order; noted where somebody asks for them."""


@dataclass
class Node:
    """A point where ways part, or loops close."""

    state: State
    """The token that comes here."""
    edges: list[Edge] = field(default_factory=list)
    """Its ways on."""
    cause: Cause | None = None
    """Why the shares of its two edges are not known; None: they are."""
    of: frozenset[int] = frozenset()
    """The resources whose queues decide, where its first edge is taken if these are long."""
    joins: tuple[tuple[int, int], ...] = ()
    """The children that the token waits for here, each with the distribution of their number."""
    hands: Needs = ()
    """The units in hand meanwhile."""
    line: Line | None = None
    """The line for a departure in which the token stands here, until it has a place."""


def nodes_in_order(nodes: list[Node]) -> Iterator[list[int]]:
    """Yield the strongly connected parts of a graph, each behind all that can be reached from it (Tarjan)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    for root in range(len(nodes)):
        if root in index:
            continue
        work = [(root, iter(_next_of(nodes[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            number, following = work[-1]
            for other in following:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(_next_of(nodes[other]))))
                    break
                if other in on_stack:
                    low[number] = min(low[number], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[number])
                if low[number] == index[number]:
                    part: list[int] = []
                    while not part or part[-1] != number:
                        part.append(stack.pop())
                        on_stack.discard(part[-1])
                    yield part


def _next_of(node: Node) -> list[int]:
    return [edge.target for edge in node.edges] + [child for child, _ in node.joins]
