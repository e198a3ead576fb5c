"""
The ways that tokens can take through a program, as a graph: what a token uses between two points where it goes on in
one of several ways, and how often it takes each.

What happens by chance has a share. What depends on the state of the system (how long a queue is, whether somebody gives
up) has none before the run: there the share may be anything, and differ from token to token.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Final

import numpy as np

from zonesim.plan.graph import END, Cause, Edge, Line, Needs, Node, State
from zonesim.plan.instructions import successors
from zonesim.plan.kinds import MOST_KINDS, adopting, flags_of, kinds_of
from zonesim.plan.liveness import flags_asked
from zonesim.plan.operations import NOWHERE, AtShiftEnd, BranchOn, GatherBy, Instruction, SetWhat, Units, WaitsFor, Who
from zonesim.plan.plan import UNLIMITED, Plan
from zonesim.units import DAY

MOST_NODES: Final = 30_000
MOST_VALUES: Final = 6_000_000
MOST_STEPS: Final = 200_000
"""
Points of choice that are followed, these times columns, and operations on all ways between them; loads of a plan with
more are unknown.
"""

_CAUSES: Final = {BranchOn.SHORTEST: Cause.SHORTEST, BranchOn.GRANTED: Cause.EITHER}
"""Why it is not known how a question is answered, where not because of the state of the system in general."""


class Ways:
    """
    The graph of a plan, as far as it has been asked for.

    Columns are the resources with the lines for departures, whose work is one place for each token, and then for each
    calendar that delays are counted in all these again: what of their time is counted in that calendar.
    """

    def __init__(self, plan: Plan, most_kinds: int = MOST_KINDS) -> None:
        self.plan = plan
        self._most_kinds = most_kinds
        self.code = plan.code
        self.needs: list[tuple[int, int]] = plan.needs.tolist()
        self.starts: list[int] = plan.sources["first_row"].tolist()
        self.asked = flags_asked(self.code, starts=self.starts)
        self.nodes: list[Node] = [Node(State(NOWHERE, 0, 0))]
        self.numbers: dict[State, int] = {}
        self.queues: dict[int, set[int]] = {}
        """By resource, those whose queues grow when it is asked for too much: who waits for it may hold others up."""
        self.patient: set[int] = set()
        """Resources that somebody waits for as long as it takes."""
        self.calendars = sorted(
            {each.calendar for each in self.code if each.facts.delays and self._closes(each.calendar)}
        )
        self.lines = self._lines()
        """The lines for departures, with the rows of the program at which tokens come to each."""
        self.servers = len(plan.resources) + len(self.lines)
        """Resources and lines for departures, in this order."""
        self.limited = [plan.most_units(resource) < UNLIMITED for resource in range(len(plan.resources))]
        broken = np.isin(np.arange(len(plan.resources)), plan.breakdowns["resource"])
        stocks = np.isin(np.arange(len(plan.resources)), [*plan.stocks])
        self.shuts: list[bool] = ((plan.resources["changes"] > 1) | broken | stocks).tolist()
        self._pauses: list[bool] = (plan.resources["at_shift_end"] == AtShiftEnd.PAUSE).tolist()
        self._most = min(MOST_NODES, MOST_VALUES // max(self.columns, 1))
        # The same step is met in many states, and some laws take long to work out.
        self._mean, self._range = cache(plan.mean), cache(plan.range)
        self._steps = 0
        self._closed: dict[tuple[int, int], bool] = {}
        self._pending: list[int] = []

    @property
    def columns(self) -> int:
        """Return how many columns there are."""
        return self.servers * (1 + len(self.calendars))

    def column(self, resource: int, calendar: int = NOWHERE) -> int:
        """Return the column of a resource or line, or of what of its time counts in a calendar."""
        if calendar == NOWHERE:
            return resource
        return self.servers * (1 + self.calendars.index(calendar)) + resource

    def column_of_line(self, line: Line) -> int:
        """Return the column of a line for a departure."""
        return len(self.plan.resources) + list(self.lines).index(line)

    def _lines(self) -> dict[Line, list[int]]:
        found: dict[Line, list[int]] = {}
        for row, each in enumerate(self.code):
            if each.facts.departs:
                for klass in range(max(len(self.plan.names.classes), 1)) if each.by == GatherBy.CLASS else (NOWHERE,):
                    found.setdefault(Line(each.batch, klass), []).append(row)
        return found

    def of_source(self, source: int) -> list[tuple[float, int]]:
        """
        Return the share of each kind of tokens of a source and the node at which they start, with all that can be
        reached from there; raises OverflowError where there is too much.
        """
        row = self.starts[source]
        found = [
            (kind.share, self._number(State(row, kind.klass, kind.flags, open=kind.open, orders=kind.orders)))
            for kind in kinds_of(self.plan, source, self.asked[row], self._most_kinds)
        ]
        while self._pending:
            self._part(self._pending.pop())
        return found

    def let_go(self, line: Line, low: float, high: float) -> None:
        """Let only a share (least, greatest) of those who come to a line for a departure ever go; the others stay."""
        for node in self.nodes:
            if node.line == line:
                goes = node.edges[0]
                goes.low, goes.high = low, high
                node.cause = Cause.BATCH if low < high else None
                stays = Edge(low=1 - high, high=1 - low, work={self.column_of_line(line): 1.0})
                self._idle(stays, node.state, Cause.BATCH)
                node.edges = [goes, stays] if stays.high > 0 else [goes]

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

    def _edge(
        self, state: State, low: float = 1.0, high: float | None = None, *, own: bool = True, delay: float = 0.0
    ) -> Edge:
        """Return the edge that goes on with a state, after a delay, up to the next node."""
        edge = Edge(low=low, high=low if high is None else high, own=own, delay=delay)
        following: State | None = state
        while following is not None:
            self._steps += 1
            state = following
            following = self._straight(state, edge)
        if self._steps > MOST_STEPS:
            raise OverflowError
        edge.target = END if self.code[state.row].facts.ends else self._number(state)
        return edge

    def _part(self, number: int) -> None:
        """Write the edges of a node."""
        node = self.nodes[number]
        state = node.state
        each = self.code[state.row]
        facts = each.facts
        if self._straight(state, Edge()) is not None or facts.ends:
            node.edges = [self._edge(state)]  # a start
        elif facts.asks is BranchOn.FLAG:
            self._choose(node, each)
        elif facts.asks is BranchOn.SHARE:
            share = float(self.plan.shares[each.share, state.klass])
            yes = max(0.0, share - state.drawn) / (1 - state.drawn)
            same = self.code[state.row + 1]
            again = same.facts.asks is BranchOn.SHARE and same.stream == each.stream
            no = self._after(state)._replace(drawn=max(share, state.drawn) if again else 0.0)
            node.edges = [self._edge(self._at(state, each.target), yes), self._edge(no, 1 - yes)]
        elif facts.asks is BranchOn.LAST:  # one of those who come; `low` may be too much where some leave before
            share = 1 / self._mean(each.number, state.klass)
            node.edges = [self._edge(self._at(state, each.target), share), self._edge(self._after(state), 1 - share)]
        elif facts.asks is not None:
            node.cause = _CAUSES.get(facts.asks, Cause.STATE)
            node.of = frozenset([each.resource]) if facts.asks is BranchOn.QUEUE_LONGER else frozenset()
            node.edges = [
                self._edge(self._at(state, each.target), 0.0, 1.0),
                self._edge(self._after(state), 0.0, 1.0),
            ]
        elif facts.waits is not None:
            self._stand(node, each)
        elif any(then.who is Who.CHILD for then in facts.then):
            self._split(node, each)
        elif any(then.who is Who.HEIR for then in facts.then):
            self._spawn(node, each)
        else:  # back to where a loop begins
            node.edges = [self._edge(self._at(state, row)) for _, row in successors(each, state.row)]
        for edge in node.edges:
            edge.low = min(max(edge.low, 0.0), edge.high)
        if node.cause is None:
            node.edges = [edge for edge in node.edges if edge.high > 0]

    def _choose(self, node: Node, each: Instruction) -> None:
        """Write the edges of a node at which it is decided whether a token has adopted what is asked for."""
        state = node.state
        lowered = flags_of(state.orders) & ~state.open & ~state.flags
        share = adopting(state.orders, each.flag, state.flags, lowered)
        order = next((flags_of((own,)) for own in state.orders if flags_of((own,)) >> each.flag & 1), 0)
        if self._meet_again(state.row, each, order):
            known = adopts = state
        else:
            known = state._replace(open=state.open & ~(1 << each.flag))
            adopts = known._replace(flags=state.flags | 1 << each.flag)
        node.edges = [self._edge(self._at(adopts, each.target), share), self._edge(self._after(known), 1 - share)]

    def _meet_again(self, row: int, each: Instruction, order: int) -> bool:
        """
        Return whether adopters and others meet again behind a choice, wherever they went in it, and nothing tells them
        apart there. Then expected work behind it is the same for both, and it may be decided anew who has adopted.

        `order` are the flags that have to do with the one at hand: none of them may be asked for on the way.
        """
        if (row, order) not in self._closed:
            last = each.target - 1
            ways = [to for then, to in successors(self.code[last], last) if then.who is Who.ITSELF]
            behind = max(each.target, *ways, 0)
            self._closed[row, order] = all(
                not (self.code[own].facts.asks is BranchOn.FLAG and order >> self.code[own].flag & 1)
                and self._stays(own, row, behind)
                for own in range(row + 1, behind)
            )
        return self._closed[row, order]

    def _stays(self, own: int, first: int, behind: int) -> bool:
        """Return whether a token goes on between two rows, with nothing kept and no attribute changed, and alone."""
        each = self.code[own]
        unchanged = each.facts.units is not Units.KEEPS and each.facts.sets in (None, SetWhat.ACCOUNT)
        ways = successors(each, own, self.starts)
        return (
            unchanged
            and not each.facts.ends
            and all(then.who is Who.ITSELF and first < to <= behind for then, to in ways)
        )

    def _stand(self, node: Node, each: Instruction) -> None:
        """Write the edges of a node at which a token waits and does not always go on alike."""
        if each.facts.waits is WaitsFor.UNITS:
            self._may_give_up(node, each)
        elif each.facts.waits is WaitsFor.BATCH:
            self._gather(node, each)
        else:
            state = node.state
            node.joins = tuple(
                (self._number(child), number) for group, child, number in state.brood if group == each.group
            )
            node.hands = self._in_hand(state)
            kept = tuple(child for child in state.brood if child[0] != each.group)
            node.edges = [self._edge(self._after(state)._replace(brood=kept))]

    def _may_give_up(self, node: Node, each: Instruction) -> None:
        state, takes = node.state, each.facts.units is Units.SEIZES
        served = self._edge(self._taken(state) if takes else self._after(state), 0.0, 1.0)
        self._queues_of(state)
        if each.patience == NOWHERE:  # who waits for a stock that nobody brings never goes on
            node.cause, node.edges = Cause.STOCK, [Edge(low=0.0), served]
            for edge in node.edges:
                self._wait(edge, state)
            return
        node.cause = Cause.PATIENCE
        if takes:  # who may be served elsewhere does not give up because one queue is long
            node.of = frozenset(resource for resource, _ in self.needs_of(each))
        node.edges = [self._edge(self._at(state, each.renege_to), 0.0, 1.0), served]
        if self._range(each.patience, state.klass)[1] > 0:
            for edge in node.edges:
                self._wait(edge, state)

    def _gather(self, node: Node, each: Instruction) -> None:
        state = node.state
        if each.facts.departs and not state.goes:
            node.line = Line(each.batch, state.klass if each.by == GatherBy.CLASS else NOWHERE)
            column = self.column_of_line(node.line)
            node.edges = [self._edge(state._replace(goes=True))]
            node.edges[0].work[column] = 1.0
            self.queues.setdefault(column, set()).update(self._outer(state))
            return
        most = self._most_together(each, state)
        low, high = (0.0 if most == NOWHERE else 1 / most), 1.0
        if not each.facts.departs and each.timeout == each.calendar == NOWHERE and each.by != GatherBy.FIRM:
            high = low
        node.cause = Cause.BATCH if low < high else None
        delay = DAY if each.calendar != NOWHERE else 0.0
        node.edges = [
            self._edge(self._after(state), low, high, delay=delay),
            self._edge(self._at(state, each.others_to), 1 - high, 1 - low, delay=delay),
        ]
        for edge in node.edges:
            self._idle(edge, state, Cause.BATCH)

    def _most_together(self, each: Instruction, state: State) -> int:
        """Return the most members that a batch may have, or that may go together; NOWHERE: any number."""
        return int(self._range(each.most, state.klass)[1]) if each.facts.departs else each.number

    def _split(self, node: Node, each: Instruction) -> None:
        state = node.state
        number = self._mean(each.number, state.klass)
        around = (*state.around, *self._limited_in_hand(state)) if each.group != NOWHERE else ()
        start = self._at(state._replace(hands=(), around=around, brood=()), each.child)
        after = self._after(state)
        if each.group != NOWHERE:
            after = after._replace(brood=(*state.brood, (each.group, start, each.number)))
        node.edges = [self._edge(start, number, own=False), self._edge(after)]

    def _spawn(self, node: Node, each: Instruction) -> None:
        state = node.state
        row = self.starts[each.source]
        start = self._at(state._replace(status=NOWHERE, hands=(), around=(), brood=()), row)
        heir = self._edge(start, own=False, delay=self._mean(each.delay, state.klass))
        node.edges = [heir, self._edge(self._after(state))]

    # --- what is done on the way

    def _straight(self, state: State, edge: Edge) -> State | None:
        """Do what is at the row of `state` and return what follows, None where a node is."""
        each = self.code[state.row]
        facts = each.facts
        if facts.delays:
            self._delay(each, state, edge)
        elif facts.units is Units.SEIZES:
            return self._seize(each, state, edge)
        elif facts.units is Units.RELEASES:
            return self._after(state)._replace(hands=tuple(held for held in state.hands if held[0] != each.slot))
        elif facts.units is Units.KEEPS:
            # The rest is given back at this very instant.
            return self._after(state)._replace(hands=(*state.hands, (each.slot, self.needs_of(each))))
        elif facts.sets is not None:
            return self._set(each, self._after(state))
        elif facts.waits is WaitsFor.UNITS:
            return self._offered(each, state, edge)
        elif facts.waits is not None:
            return self._after(state) if self._passes(each, state, edge) else None
        return self._lead(each, state)

    def _passes(self, each: Instruction, state: State, edge: Edge) -> bool:
        """Wait for something else than units; return whether all go on alike."""
        waits = each.facts.waits
        if waits is WaitsFor.CHILDREN:
            return all(group != each.group for group, _, _ in state.brood)
        if waits is WaitsFor.INSTANT:
            if self._closes(each.calendar):
                self._idle(edge, state, Cause.HOURS, DAY / 2)
        elif each.facts.departs or each.number != 1:
            if each.facts.departs and not state.goes:
                return False
            if each.others_to != NOWHERE:
                return False
            self._idle(edge, state, Cause.BATCH, DAY if each.calendar != NOWHERE else 0.0)
        return True

    def _lead(self, each: Instruction, state: State) -> State | None:
        """Return where a token goes on, None where that is in several ways, back to a loop, or nowhere."""
        facts = each.facts
        if facts.asks is not None:
            known = self._answer(each, state)
            if known is None:
                return None
            return self._at(state, each.target) if known else self._after(state)
        ways = list(successors(each, state.row, self.starts))
        if len(ways) != 1:
            return None
        (row,) = (row for _, row in ways)
        return self._at(state, row) if row > state.row else None

    def _seize(self, each: Instruction, state: State, edge: Edge) -> State | None:
        """Take units, maybe after a wait; None where the token may give up."""
        needs = self.needs_of(each)
        if any(self._is_waited_for(resource) for resource, _ in needs):
            self._queues_of(state)
            if each.patience != NOWHERE or self._draws(needs):
                return None
            self._wait(edge, state)
            self.patient |= {resource for resource, _ in needs}
        return self._taken(state)

    def _offered(self, each: Instruction, state: State, edge: Edge) -> State | None:
        """Wait for what one of several requests asks for, which are made behind; None where the token may give up."""
        self._queues_of(state)
        self.patient |= {resource for resource, _ in self.needs_of(each)}  # how many are turned away has no formula
        if each.patience != NOWHERE or self._draws(self.needs_of(each)):
            return None
        self._wait(edge, state)
        return self._after(state)

    def _draws(self, needs: Needs) -> bool:
        """Return whether any of some units is of a stock."""
        return not self.plan.stocks.isdisjoint(resource for resource, _ in needs)

    def _answer(self, each: Instruction, state: State) -> bool | None:
        """Return how a question is answered, None where that is not known before the run."""
        asks = each.facts.asks
        if asks is BranchOn.FLAG:
            return None if state.open >> each.flag & 1 else bool(state.flags >> each.flag & 1)
        if asks is BranchOn.CLASS:
            return bool(each.classes >> state.klass & 1)
        if asks is BranchOn.STATUS:
            return state.status != NOWHERE and bool(each.statuses >> state.status & 1)
        if asks is BranchOn.SHARE:
            share = float(self.plan.shares[each.share, state.klass])
            return False if share <= state.drawn else True if share >= 1 else None
        if asks is BranchOn.QUEUE_LONGER:
            return None if self._is_waited_for(each.resource) else False
        if asks is BranchOn.CLOSED:
            return None if self.shuts[each.resource] else False
        if asks in (BranchOn.GRANTED, BranchOn.OVERDUE, BranchOn.LAST):
            return None
        return True if each.needs - each.candidate == 1 else None

    def _delay(self, each: Instruction, state: State, edge: Edge) -> None:
        mean = self._mean(each.duration, state.klass)
        least, longest = self._range(each.duration, state.klass)
        closes = self._closes(each.calendar) and longest > 0
        for resource, units in self._in_hand(state):
            work = mean * units
            edge.work[resource] = edge.work.get(resource, 0.0) + work
            edge.late[resource] = edge.late.get(resource, 0.0) + work * edge.delay
            if not closes:
                continue
            column = self.column(resource, each.calendar)
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

    def _set(self, each: Instruction, after: State) -> State:
        sets = each.facts.sets
        if sets is SetWhat.RAISE_FLAG:
            return self._at(after._replace(flags=after.flags | 1 << each.flag), after.row)
        if sets is SetWhat.LOWER_FLAG:
            return after._replace(flags=after.flags & ~(1 << each.flag))
        if sets is SetWhat.CLASS:
            return after._replace(klass=each.new_class)
        return after._replace(status=each.status) if sets is SetWhat.STATUS else after

    def _wait(self, edge: Edge, state: State) -> None:
        """Note that the token waits in a queue with its units in hand."""
        edge.waits = True
        edge.queued |= {resource for resource, _ in self._in_hand(state)}

    def _idle(self, edge: Edge, state: State, cause: Cause, delay: float = 0.0) -> None:
        """Note that the token waits, it is not known how long, for something else than units; `delay` is a guess."""
        for resource, _ in self._in_hand(state):
            edge.open_end[resource] = cause
        edge.delay += delay
        edge.most = edge.longest = math.inf

    # --- states

    def _after(self, state: State) -> State:
        return self._at(state, min(state.row + 1, len(self.code) - 1))

    def _at(self, state: State, row: int) -> State:
        asked = self.asked[row]
        if not state.open:  # most states by far, so written out
            return State(row, state.klass, state.flags & asked, state.status, state.hands, state.around, state.brood)
        # What has been decided in an order, and what has not, tells something of what is still asked for in it.
        orders = tuple(order for order in state.orders if state.open & asked & flags_of((order,)))
        told = asked | flags_of(orders)
        known = state.open & told
        return state._replace(row=row, flags=state.flags & told, drawn=0.0, open=known, orders=orders, goes=False)

    def _taken(self, state: State) -> State:
        each = self.code[state.row]
        return self._after(state)._replace(hands=(*state.hands, (each.slot, self.needs_of(each))))

    def needs_of(self, each: Instruction) -> Needs:
        """Return (resource, units) of a request."""
        return tuple(self.needs[each.first_need : each.first_need + each.needs])

    def _in_hand(self, state: State) -> Needs:
        """Return the units in hand of resources that are not unlimited."""
        return tuple(need for _, needs in state.hands for need in needs if self.limited[need[0]])

    def _limited_in_hand(self, state: State) -> Iterator[int]:
        return (resource for resource, _ in self._in_hand(state))

    def _is_waited_for(self, resource: int) -> bool:
        """Return whether anybody may wait for a resource; without limit it may still be shut."""
        return self.limited[resource] or self.shuts[resource]

    def _closes(self, calendar: int) -> bool:
        """Return whether a calendar is ever shut in the run."""
        if calendar == NOWHERE:
            return False
        spans = self.plan.spans_of(calendar).tolist()
        return not (len(spans) == 1 and spans[0][0] <= 0 and spans[0][1] >= self.plan.horizon)

    def _queues_of(self, state: State) -> None:
        """Note where the queue is that grows when this request is made too often."""
        outer = self._outer(state)
        for resource, _ in self.needs_of(self.code[state.row]):
            self.queues.setdefault(resource, set()).update(outer or (resource,))

    def _outer(self, state: State) -> tuple[int, ...]:
        """Return the resources in front of which who is held up at `state` lets others wait, none where in none."""
        held = ([resource for resource, _ in needs if self.limited[resource]] for _, needs in state.hands)
        return state.around[:1] or tuple(next(filter(None, held), ()))
