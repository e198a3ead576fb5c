"""
The ways that tokens can take through a program, as a graph: what a token uses between two points where it goes on in
one of several ways, and how often it takes each.

What happens by chance has a share. What depends on the state of the system (how long a line is, whether somebody gives
up) has none before the run: there the share may be anything, and differ from token to token.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple

import numpy as np

from zonesim.plan.liveness import flags_asked
from zonesim.plan.operations import NOWHERE, AtShiftEnd, BranchOn, GatherBy, Op, SetWhat
from zonesim.plan.plan import UNLIMITED, Plan
from zonesim.units import DAY

MOST_NODES: Final = 30_000
MOST_VALUES: Final = 6_000_000
MOST_STEPS: Final = 200_000
"""
Points of choice that are followed, these times columns, and operations on all ways between them; loads of a plan with
more are unknown.
"""

END: Final = 0
"""Number of the node at which a token has left."""

Needs = tuple[tuple[int, int], ...]
"""(resource, units) of one request."""


class Cause(Enum):
    """Why the work of a resource, or how often it comes, is not known before the run."""

    STATE = "state"
    PATIENCE = "patience"
    SHORTEST = "shortest"
    BATCH = "batch"
    HOURS = "hours"
    LONGEST = "longest"
    CIRCLE = "circle"
    LISTED = "listed"
    SIZE = "size"


class State(NamedTuple):
    """
    A token at a row: its class, its flags as far as they are still asked for, its status, the units in hand by slot,
    the resources in the hands of those who wait for it (outermost first), the children it has not joined yet (group,
    start, law of their number), and from where on its luck lies that the branch before has looked at.
    """

    row: int
    klass: int
    flags: int
    status: int = NOWHERE
    hands: tuple[tuple[int, Needs], ...] = ()
    around: tuple[int, ...] = ()
    brood: tuple[tuple[int, State, int], ...] = ()
    luck: float = 0.0


@dataclass
class Edge:
    """
    A way from one node to the next.

    `work`: expected unit-ms by column (see `Ways.column`); `open_end`: the columns to which time may be added that is
    not known, with why; `late`: work times its delay after the node; `queued`: resources in hand while the token waits
    for others. `mean` to `most` is the expected time that it takes without such waits, `least` to `longest` all that it
    can take (inf: no bound).
    `low` to `high` is the share of tokens that take it, equal where it is known; a number above 1 for children. Not
    `own`: a child or a spawned token takes it, and the token itself another edge.
    """

    target: int = END
    low: float = 1.0
    high: float = 1.0
    own: bool = True
    work: dict[int, float] = field(default_factory=dict)
    open_end: dict[int, Cause] = field(default_factory=dict)
    late: dict[int, float] = field(default_factory=dict)
    queued: frozenset[int] = frozenset()
    waits: bool = False
    delay: float = 0.0
    mean: float = 0.0
    most: float = 0.0
    least: float = 0.0
    longest: float = 0.0


@dataclass
class Node:
    """
    A point where ways part, or loops close.

    `cause`: why the shares of its two edges are not known (None: they are). `of`: the resources whose lines decide,
    where its first edge is taken if these are long. `joins`: the children that the token waits for here, with the law
    of their number, and `hands` the units in hand meanwhile.
    """

    state: State
    edges: list[Edge] = field(default_factory=list)
    cause: Cause | None = None
    of: frozenset[int] = frozenset()
    joins: tuple[tuple[int, int], ...] = ()
    hands: Needs = ()


class Ways:
    """
    The graph of a plan, as far as it has been asked for.

    Columns are the resources, and then for each calendar that holds are counted in the resources again: what of their
    time is counted in that calendar.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rows: list[list[int]] = plan.program.tolist()
        self.needs: list[list[int]] = plan.needs.tolist()
        starts = dict(enumerate(plan.sources["first_row"].tolist()))
        self.asked = flags_asked(self.rows, 0, len(self.rows), starts)
        self.nodes: list[Node] = [Node(State(NOWHERE, 0, 0))]
        self.numbers: dict[State, int] = {}
        self.lines: dict[int, set[int]] = {}
        """By resource, those whose lines grow when it is asked for too much: who waits for it may hold others up."""
        self.patient: set[int] = set()
        """Resources that somebody waits for as long as it takes."""
        self.calendars = sorted({row[4] for row in self.rows if row[0] == Op.DELAY and self._closes(row[4])})
        self.limited = [plan.most_units(resource) < UNLIMITED for resource in range(len(plan.resources))]
        broken = np.isin(np.arange(len(plan.resources)), plan.breakdowns["resource"])
        self.shuts: list[bool] = ((plan.resources["changes"] > 1) | broken).tolist()
        self._pauses: list[bool] = (plan.resources["at_shift_end"] == AtShiftEnd.PAUSE).tolist()
        self._most = min(MOST_NODES, MOST_VALUES // max(self.columns, 1))
        self._steps = 0
        self._pending: list[int] = []

    @property
    def columns(self) -> int:
        """Return how many columns there are."""
        return len(self.plan.resources) * (1 + len(self.calendars))

    def column(self, resource: int, calendar: int = NOWHERE) -> int:
        """Return the column of a resource, or of what of its time counts in a calendar."""
        if calendar == NOWHERE:
            return resource
        return len(self.plan.resources) * (1 + self.calendars.index(calendar)) + resource

    def start(self, source: int, klass: int, flags: int) -> int:
        """
        Return the node at which tokens of a source start, with all that can be reached from there; raises OverflowError
        where there is too much.
        """
        row = int(self.plan.sources["first_row"][source])
        number = self._number(State(row, klass, flags & self.asked[row]))
        while self._pending:
            self._part(self._pending.pop())
        return number

    # --- nodes

    def _number(self, state: State) -> int:
        number = self.numbers.get(state)
        if number is None:
            number = self.numbers[state] = len(self.nodes)
            if number > self._most:
                raise OverflowError
            self.nodes.append(Node(state))
            self._pending.append(number)
        return number

    def _edge(self, state: State, low: float = 1.0, high: float | None = None, *, own: bool = True) -> Edge:
        """Return the edge that goes on with a state, up to the next node."""
        edge = Edge(low=low, high=low if high is None else high, own=own)
        following: State | None = state
        while following is not None:
            self._steps += 1
            state = following
            following = self._straight(state, edge)
        if self._steps > MOST_STEPS:
            raise OverflowError
        edge.target = END if self.rows[state.row][0] == Op.LEAVE else self._number(state)
        return edge

    def _part(self, number: int) -> None:
        """Write the edges of a node."""
        node = self.nodes[number]
        state = node.state
        op, _, a, b, c, d, _, f, _ = self.rows[state.row]
        after = self._after(state)
        if self._straight(state, Edge()) is not None or op == Op.LEAVE:
            node.edges = [self._edge(state)]  # a start
        elif op == Op.JUMP:
            node.edges = [self._edge(self._at(state, a))]
        elif op == Op.BRANCH and a == BranchOn.SHARE:
            share = float(self.plan.shares[b, state.klass])
            yes = max(0.0, share - state.luck) / (1 - state.luck)
            same = self.rows[state.row + 1]
            left = max(share, state.luck) if same[0] == Op.BRANCH and same[2] == a and same[4] == c else 0.0
            no = self._at(state, state.row + 1)._replace(luck=left)
            node.edges = [self._edge(self._at(state, d), yes), self._edge(no, 1 - yes)]
        elif op == Op.BRANCH:
            node.cause = Cause.SHORTEST if a == BranchOn.SHORTEST else Cause.STATE
            node.of = frozenset([b]) if a == BranchOn.QUEUE_LONGER else frozenset()
            node.edges = [self._edge(self._at(state, d), 0.0, 1.0), self._edge(after, 0.0, 1.0)]
        elif op == Op.SEIZE:
            node.cause, node.of = Cause.PATIENCE, frozenset(resource for resource, _ in self._asked_for(a, b))
            node.edges = [self._edge(self._at(state, f), 0.0, 1.0), self._edge(self._taken(state), 0.0, 1.0)]
            self._lines_of(state)
            if self.plan.range(self.rows[state.row][6], state.klass)[1] > 0:
                for edge in node.edges:
                    self._wait(edge, state)
        elif op == Op.GATHER:
            self._gather(node)
        elif op == Op.SPLIT:
            self._split(node)
        elif op == Op.SPAWN:
            self._spawn(node)
        else:  # JOIN
            node.joins = tuple((self._number(child), law) for group, child, law in state.brood if group == a)
            node.hands = self._in_hand(state)
            kept = tuple(each for each in state.brood if each[0] != a)
            node.edges = [self._edge(after._replace(brood=kept))]
        for edge in node.edges:
            edge.low = min(max(edge.low, 0.0), edge.high)
        if node.cause is None:
            node.edges = [edge for edge in node.edges if edge.high > 0]

    def _gather(self, node: Node) -> None:
        state = node.state
        _, _, _, number, timeout, calendar, others, by, _ = self.rows[state.row]
        low, high = (0.0 if number == NOWHERE else 1 / number), 1.0
        if timeout == calendar == NOWHERE and by != GatherBy.FIRM:
            high = low
        node.cause = Cause.BATCH if low < high else None
        node.edges = [
            self._edge(self._after(state), low, high),
            self._edge(self._at(state, others), 1 - high, 1 - low),
        ]
        for edge in node.edges:
            self._idle(edge, state, Cause.BATCH, DAY if calendar != NOWHERE else 0.0)

    def _split(self, node: Node) -> None:
        state = node.state
        _, _, law, _, child, _, _, _, group = self.rows[state.row]
        number = self.plan.mean(law, state.klass)
        around = (*state.around, *self._limited_in_hand(state)) if group != NOWHERE else ()
        start = State(child, state.klass, state.flags & self.asked[child], state.status, (), around)
        after = self._after(state)
        if group != NOWHERE:
            after = after._replace(brood=(*state.brood, (group, start, law)))
        node.edges = [self._edge(start, number, own=False), self._edge(after)]

    def _spawn(self, node: Node) -> None:
        state = node.state
        _, _, source, law, *_ = self.rows[state.row]
        row = int(self.plan.sources["first_row"][source])
        heir = self._edge(State(row, state.klass, state.flags & self.asked[row]), own=False)
        heir.delay += self.plan.mean(law, state.klass)
        node.edges = [heir, self._edge(self._after(state))]

    # --- what is done on the way

    def _straight(self, state: State, edge: Edge) -> State | None:
        """Do what is at the row of `state` and return what follows, None where a node is."""
        op, _, a, b, c, d, e, _, _ = self.rows[state.row]
        after = self._after(state)
        if op == Op.DELAY:
            self._hold(state, edge)
        elif op == Op.SEIZE:
            return self._seize(state, edge)
        elif op == Op.RELEASE:
            after = after._replace(hands=tuple(each for each in state.hands if each[0] != c))
        elif op == Op.KEEP:
            # The rest is given back at this very instant.
            after = after._replace(hands=(*state.hands, (d, self._asked_for(a, b))))
        elif op == Op.SET:
            after = self._set(after, a, b)
        elif op == Op.WAIT_UNTIL:
            if self._closes(a):
                self._idle(edge, state, Cause.HOURS, DAY / 2)
        elif op == Op.GATHER:
            if e != NOWHERE and b != 1:
                return None
            if b != 1:
                self._idle(edge, state, Cause.BATCH, DAY if d != NOWHERE else 0.0)
        elif op in (Op.BRANCH, Op.JUMP, Op.JOIN):
            return self._lead(state)
        elif op in (Op.SPLIT, Op.SPAWN, Op.LEAVE):
            return None
        return after

    def _lead(self, state: State) -> State | None:
        """Return where a token goes on that is led elsewhere or waits for children, None where a node is."""
        op, _, a, b, _, d, _, _, _ = self.rows[state.row]
        if op == Op.JUMP:
            return self._at(state, a) if b == 0 and a > state.row else None
        if op == Op.JOIN:
            return None if any(group == a for group, _, _ in state.brood) else self._after(state)
        known = self._answer(state)
        if known is None:
            return None
        return self._at(state, d) if known else self._after(state)

    def _seize(self, state: State, edge: Edge) -> State | None:
        """Take units, maybe after a wait; None where the token may give up."""
        _, _, first, count, _, _, patience, _, _ = self.rows[state.row]
        if self._may_wait(first, count):
            self._lines_of(state)
            if patience != NOWHERE:
                return None
            self._wait(edge, state)
            self.patient |= {resource for resource, _ in self._asked_for(first, count)}
        return self._taken(state)

    def _answer(self, state: State) -> bool | None:
        """Return how a BRANCH is answered, None where that is not known before the run."""
        _, _, on, operand, third, _, fifth, _, _ = self.rows[state.row]
        if on == BranchOn.FLAG:
            return bool(state.flags >> operand & 1)
        if on == BranchOn.CLASS:
            return bool(operand >> state.klass & 1)
        if on == BranchOn.STATUS:
            return state.status != NOWHERE and bool(operand >> state.status & 1)
        if on == BranchOn.SHARE:
            share = float(self.plan.shares[operand, state.klass])
            return False if share <= state.luck else True if share >= 1 else None
        if on == BranchOn.QUEUE_LONGER:
            return None if self._is_waited_for(operand) else False
        if on == BranchOn.CLOSED:
            return None if self.shuts[operand] else False
        return True if third - fifth == 1 else None

    def _hold(self, state: State, edge: Edge) -> None:
        _, _, law, _, calendar, *_ = self.rows[state.row]
        mean = self.plan.mean(law, state.klass)
        least, longest = self.plan.range(law, state.klass)
        closes = self._closes(calendar) and longest > 0
        for resource, units in self._in_hand(state):
            work = mean * units
            edge.work[resource] = edge.work.get(resource, 0.0) + work
            edge.late[resource] = edge.late.get(resource, 0.0) + work * edge.delay
            if not closes:
                continue
            column = self.column(resource, calendar)
            edge.work[column] = edge.work.get(column, 0.0) + work
            if self._pauses[resource]:
                edge.queued |= {resource}  # it is in hand overnight too
            else:
                edge.open_end[resource] = Cause.HOURS
        edge.delay += mean
        edge.mean += mean
        edge.most += math.inf if closes else mean
        edge.least += least
        edge.longest += math.inf if closes else longest

    def _set(self, state: State, what: int, operand: int) -> State:
        if what == SetWhat.RAISE_FLAG:
            return state._replace(flags=(state.flags | 1 << operand) & self.asked[state.row])
        if what == SetWhat.LOWER_FLAG:
            return state._replace(flags=state.flags & ~(1 << operand))
        if what == SetWhat.CLASS:
            return state._replace(klass=operand)
        return state._replace(status=operand) if what == SetWhat.STATUS else state

    def _wait(self, edge: Edge, state: State) -> None:
        """Note that the token waits in line with its units in hand."""
        edge.waits = True
        edge.queued |= {resource for resource, _ in self._in_hand(state)}

    def _idle(self, edge: Edge, state: State, cause: Cause, delay: float) -> None:
        """Note that the token waits, it is not known how long, for something else than units."""
        for resource, _ in self._in_hand(state):
            edge.open_end[resource] = cause
        edge.delay += delay
        edge.most = edge.longest = math.inf

    # --- states

    def _after(self, state: State) -> State:
        return self._at(state, min(state.row + 1, len(self.rows) - 1))

    def _at(self, state: State, row: int) -> State:
        return state._replace(row=row, flags=state.flags & self.asked[row], luck=0.0)

    def _taken(self, state: State) -> State:
        _, _, first, count, _, slot, *_ = self.rows[state.row]
        return self._after(state)._replace(hands=(*state.hands, (slot, self._asked_for(first, count))))

    def _asked_for(self, first: int, count: int) -> Needs:
        return tuple((resource, units) for resource, units in self.needs[first : first + count])

    def _in_hand(self, state: State) -> Needs:
        """Return the units in hand of resources that are not unlimited."""
        return tuple(need for _, needs in state.hands for need in needs if self.limited[need[0]])

    def _limited_in_hand(self, state: State) -> Iterator[int]:
        return (resource for resource, _ in self._in_hand(state))

    def _may_wait(self, first: int, count: int) -> bool:
        return any(self._is_waited_for(resource) for resource, _ in self.needs[first : first + count])

    def _is_waited_for(self, resource: int) -> bool:
        """Return whether anybody may wait for a resource; without limit it may still be shut."""
        return self.limited[resource] or self.shuts[resource]

    def _closes(self, calendar: int) -> bool:
        """Return whether a calendar is ever shut in the run."""
        if calendar == NOWHERE:
            return False
        spans = self.plan.spans_of(calendar).tolist()
        return not (len(spans) == 1 and spans[0][0] <= 0 and spans[0][1] >= self.plan.horizon)

    def _lines_of(self, state: State) -> None:
        """Note where the line is that grows when this request is made too often."""
        _, _, first, count, *_ = self.rows[state.row]
        outer = state.around[:1]
        if not outer:
            held = ([resource for resource, _ in needs if self.limited[resource]] for _, needs in state.hands)
            outer = tuple(next(filter(None, held), ()))
        for resource, _ in self.needs[first : first + count]:
            self.lines.setdefault(resource, set()).update(outer or (resource,))


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
