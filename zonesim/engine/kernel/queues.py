"""Queues of resources, and the rule by which requests are granted (it stands in `zonesim.engine.resources`)."""

from __future__ import annotations

from zonesim.compiled.jit import inlined, kernel
from zonesim.engine.kernel.breakdowns import start_or_stop
from zonesim.engine.kernel.layout import FOREVER, INTERRUPTED, Flow, Record, Resources, Rows, Tokens, at, wide
from zonesim.engine.kernel.tokens import has_unit, ready, will_resume


@inlined
def append(s: Record, resources: Resources, nodes: Rows, resource: int, priority: int, node: int) -> None:
    """Let a request join the queue of a resource behind those of its priority."""
    queue = resources.queues[at(resource * s.priorities + priority)]
    last = queue.last
    mine = nodes[at(node)]
    mine.next = 0
    mine.before = last
    if last == 0:
        queue.first = node
    else:
        nodes[at(last)].next = node
    queue.last = node
    state = resources.states[at(resource)]
    state.waiting += 1
    state.queued += s.left


@inlined
def prepend(s: Record, resources: Resources, nodes: Rows, resource: int, priority: int, node: int) -> None:
    """Let a request join the queue of a resource ahead of those of its priority."""
    queue = resources.queues[at(resource * s.priorities + priority)]
    first = queue.first
    mine = nodes[at(node)]
    mine.next = first
    mine.before = 0
    if first == 0:
        queue.last = node
    else:
        nodes[at(first)].before = node
    queue.first = node
    state = resources.states[at(resource)]
    state.waiting += 1
    state.queued += s.left


@inlined
def remove(s: Record, resources: Resources, nodes: Rows, resource: int, priority: int, node: int) -> None:
    """Let a request leave the queue of a resource."""
    queue = resources.queues[at(resource * s.priorities + priority)]
    mine = nodes[at(node)]
    following, before = mine.next, mine.before
    if before == 0:
        queue.first = following
    else:
        nodes[at(before)].next = following
    if following == 0:
        queue.last = before
    else:
        nodes[at(following)].before = before
    state = resources.states[at(resource)]
    state.waiting -= 1
    state.queued -= s.left


@inlined
def note_peak(s: Record, state: Record) -> None:
    """Let the longest queue count one that has grown."""
    if s.begin <= s.now < s.end:
        state.peak = max(state.peak, state.waiting)


@inlined
def need_of(s: Record, flow: Flow, tokens: Tokens, node: int) -> Record:
    """Return the need for which a node stands in a queue."""
    row = flow.program[at(tokens.tokens[at(node >> s.node_bits)].queue_row)]
    return flow.needs[at(row.seize_first_need + (node & ((1 << s.node_bits) - 1)))]


@kernel
def in_time(s: Record, flow: Flow, tokens: Tokens, resources: Resources, slot: int, row: Record, way: int) -> bool:
    """
    Return whether work that starts now ends before its units go off duty, or is among as much as has units that stay:
    asked of a `timed` SEIZE, which is a request's `way`, counted from 0.
    """
    end = s.now + tokens.lasts[at((slot << s.node_bits) + way)]
    for each in range(row.seize_needs):
        need = flow.needs[at(row.seize_first_need + each)]
        state = resources.states[at(need.resource)]
        while state.fall < state.falls_end and resources.falls[at(state.fall)].time <= s.now:
            state.fall += 1
        for number in range(state.fall, state.falls_end):
            fall = resources.falls[at(number)]
            if fall.time >= end:
                break
            if fall.beyond + need.units > fall.stay:
                return False
    return True


@kernel
def _note_end(s: Record, flow: Flow, tokens: Tokens, resources: Resources, slot: int, row: Record, way: int) -> None:
    """Count the units of work that starts now at each time of fewer units that it goes on beyond."""
    end = s.now + tokens.lasts[at((slot << s.node_bits) + way)]
    for each in range(row.seize_needs):
        need = flow.needs[at(row.seize_first_need + each)]
        state = resources.states[at(need.resource)]
        for number in range(state.fall, state.falls_end):
            fall = resources.falls[at(number)]
            if fall.time >= end:
                break
            fall.beyond += need.units


@kernel
def _grantable(s: Record, flow: Flow, tokens: Tokens, resources: Resources, slot: int, row: Record, known: int) -> bool:
    """
    Return whether a request in a queue fits the free units, as the SEIZE `row` asks for them, and nobody ahead is short
    of one of its resources; `known` is a resource of which that is known (-1: none).
    """
    token = tokens.tokens[at(slot)]
    for each in range(row.seize_needs):
        need = flow.needs[at(row.seize_first_need + each)]
        resource = need.resource
        if resource == known:
            continue
        state = resources.states[at(resource)]
        free = state.capacity - state.used
        if need.units > free:
            return False
        if state.even != 0:
            continue
        found = False
        for priority in range(token.priority + 1):
            node = resources.queues[at(resource * s.priorities + priority)].first
            while node != 0:
                if node >> s.node_bits == slot:
                    found = True
                    break
                if need_of(s, flow, tokens, node).units > free:
                    return False
                node = tokens.nodes[at(node)].next
            if found:
                break
    return True


@kernel
def way_free(s: Record, flow: Flow, tokens: Tokens, resources: Resources, slot: int, known: int) -> int:
    """
    Return in which of the ways of an EITHER a request in its queues can be granted, the first of them, and -1 for none.
    """
    first = wide(tokens.tokens[at(slot)].queue_row)
    for way in range(flow.program[at(first)].ways):
        row = flow.program[at(seize_of(flow, first, way))]
        if _grantable(s, flow, tokens, resources, slot, row, known) and (
            row.timed == 0 or in_time(s, flow, tokens, resources, slot, row, way)
        ):
            return way
    return -1


@inlined
def seize_of(flow: Flow, either: int, way: int) -> int:
    """Return the row of the SEIZE that is a way of an EITHER: the first stands behind the branches to the others."""
    if way == 0:
        return either + flow.program[at(either)].ways
    return flow.program[at(either + way)].branch_target


@kernel
def take_way(s: Record, flow: Flow, tokens: Tokens, resources: Resources, slot: int, way: int) -> None:
    """Let a token leave the queues of an EITHER with the units of one of its ways."""
    token = tokens.tokens[at(slot)]
    leave_queues(s, flow, tokens, resources, slot)
    either = wide(token.queue_row)
    asked = flow.program[at(either)]
    place = seize_of(flow, either, way)
    row = flow.program[at(place)]
    seize(s, flow, tokens, resources, slot, row, way)
    tokens.visits[at(slot * s.open_visits + asked.seize_slot)].row = place
    if row.interruptible != 0:
        work = tokens.works[at(slot)]
        work.row = place
        work.priority = token.priority
        has_unit(s, tokens, slot)


@kernel
def leaves_others(s: Record, flow: Flow, tokens: Tokens, resources: Resources, slot: int, way: int) -> None:
    """Have the queues served that a token stood in for other ways of an EITHER than that in which it was granted."""
    either = wide(tokens.tokens[at(slot)].queue_row)
    asked, row = flow.program[at(either)], flow.program[at(seize_of(flow, either, way))]
    for each in range(asked.seize_needs):
        resource = flow.needs[at(asked.seize_first_need + each)].resource
        state = resources.states[at(resource)]
        takes = False
        for which in range(row.seize_needs):
            takes = takes or flow.needs[at(row.seize_first_need + which)].resource == resource
        if not takes and state.left == 0:
            state.left = 1
            s.left_queues += 1


@inlined
def seize(s: Record, flow: Flow, tokens: Tokens, resources: Resources, slot: int, row: Record, way: int) -> None:
    """Let a token take the units of a SEIZE, which is a request's `way`."""
    for each in range(row.seize_needs):
        need = flow.needs[at(row.seize_first_need + each)]
        state = resources.states[at(need.resource)]
        state.used += need.units
        state.busy += need.units * s.left
        if state.clock != 0:
            start_or_stop(s, resources, state)
    if row.timed != 0:  # then `in_time` has been asked in this instant
        _note_end(s, flow, tokens, resources, slot, row, way)


@inlined
def release(s: Record, flow: Flow, tokens: Tokens, resources: Resources, row: Record) -> None:
    """Give the units of a RELEASE back, then serve those who wait for them."""
    for each in range(row.release_needs):
        need = flow.needs[at(row.release_first_need + each)]
        state = resources.states[at(need.resource)]
        state.used -= need.units
        state.busy -= need.units * s.left
        if state.clock != 0:
            start_or_stop(s, resources, state)
    for each in range(row.release_needs):
        resource = flow.needs[at(row.release_first_need + each)].resource
        if resources.states[at(resource)].waiting > 0:
            serve(s, flow, tokens, resources, resource)
    if s.left_queues > 0:
        serve_left(s, flow, tokens, resources)


@inlined
def leave_queues(s: Record, flow: Flow, tokens: Tokens, resources: Resources, slot: int) -> None:
    """Let a token leave the queues in which it waits."""
    token = tokens.tokens[at(slot)]
    row = flow.program[at(token.queue_row)]
    for each in range(row.seize_needs):
        resource = flow.needs[at(row.seize_first_need + each)].resource
        remove(s, resources, tokens.nodes, resource, wide(token.priority), (slot << s.node_bits) + each)


@inlined
def enter(s: Record, flow: Flow, tokens: Tokens, resources: Resources, slot: int, row: Record) -> bool:
    """Let a newcomer join its queues; return True, with the units seized, when it need not wait."""
    ends_in_time = row.timed == 0 or in_time(s, flow, tokens, resources, slot, row, 0)
    if ends_in_time and _are_free(flow, resources, row):
        seize(s, flow, tokens, resources, slot, row, 0)
        return True
    return _join(s, flow, tokens, resources, slot, row, ends_in_time)


@inlined
def _are_free(flow: Flow, resources: Resources, row: Record) -> bool:
    """Return whether nobody waits for the resources of a SEIZE and all its units are free."""
    for each in range(row.seize_needs):
        need = flow.needs[at(row.seize_first_need + each)]
        state = resources.states[at(need.resource)]
        if state.waiting != 0 or need.units > state.capacity - state.used:
            return False
    return True


@inlined
def _join(
    s: Record,
    flow: Flow,
    tokens: Tokens,
    resources: Resources,
    slot: int,
    row: Record,
    ends_in_time: bool,  # noqa: FBT001  a kernel takes plain values
) -> bool:
    """Put a newcomer into its queues, unless it may pass all ahead of it; then return True, with the units seized."""
    token = tokens.tokens[at(slot)]
    for each in range(row.seize_needs):
        resource = flow.needs[at(row.seize_first_need + each)].resource
        append(s, resources, tokens.nodes, resource, wide(token.priority), (slot << s.node_bits) + each)
    if ends_in_time and _grantable(s, flow, tokens, resources, slot, row, wide(-1)):
        leave_queues(s, flow, tokens, resources, slot)
        seize(s, flow, tokens, resources, slot, row, 0)
        return True
    for each in range(row.seize_needs):
        note_peak(s, resources.states[at(flow.needs[at(row.seize_first_need + each)].resource)])
    return False


@inlined
def grant(s: Record, flow: Flow, tokens: Tokens, slot: int) -> None:
    """Give a waiter its units now; it moves when its turn comes."""
    token = tokens.tokens[at(slot)]
    place = flow.program[at(token.queue_row)].seize_slot
    tokens.visits[at(slot * s.open_visits + place)].started = s.now
    if token.deadline >= 0:
        token.deadline = -1
        s.stale += 1
    ready(s, tokens, slot)


@inlined
def serve(s: Record, flow: Flow, tokens: Tokens, resources: Resources, resource: int) -> None:
    """Grant, in order, every request waiting for a resource that the rule allows now."""
    state = resources.states[at(resource)]
    passed_over = 0
    for priority in range(s.priorities):
        node = resources.queues[at(resource * s.priorities + priority)].first
        while node != 0:
            slot = node >> s.node_bits
            token = tokens.tokens[at(slot)]
            units = need_of(s, flow, tokens, node).units
            # Whoever is short of this resource blocks all behind; also someone passed over, whom a later grant has
            # made short.
            if max(units, passed_over) > state.capacity - state.used:
                return
            following = tokens.nodes[at(node)].next
            row = flow.program[at(token.queue_row)]
            if row.ways != 0:
                way = way_free(s, flow, tokens, resources, slot, resource)
                if way >= 0:
                    take_way(s, flow, tokens, resources, slot, way)
                    leaves_others(s, flow, tokens, resources, slot, way)
                    grant(s, flow, tokens, slot)
                else:
                    passed_over = max(passed_over, units)
                node = following
                continue
            grantable = row.seize_needs == 1 or _grantable(s, flow, tokens, resources, slot, row, resource)
            if grantable and (row.timed == 0 or in_time(s, flow, tokens, resources, slot, row, 0)):
                leave_queues(s, flow, tokens, resources, slot)
                seize(s, flow, tokens, resources, slot, row, 0)
                if row.interruptible != 0:
                    has_unit(s, tokens, slot)
                if token.state == INTERRUPTED:
                    will_resume(s, tokens, slot)
                else:
                    grant(s, flow, tokens, slot)
            else:
                passed_over = max(passed_over, units)
            node = following


@kernel
def serve_apart(s: Record, flow: Flow, tokens: Tokens, resources: Resources, resource: int) -> None:
    """Do the same, out of the way of the loop: where no units are given back; then serve what was left meanwhile."""
    serve(s, flow, tokens, resources, resource)
    if s.left_queues > 0:
        serve_left(s, flow, tokens, resources)


@kernel
def serve_left(s: Record, flow: Flow, tokens: Tokens, resources: Resources) -> None:
    """Serve the queues, by their numbers, in which somebody stood and held up others who was granted elsewhere."""
    while s.left_queues > 0:
        resource = 0
        while resources.states[at(resource)].left == 0:
            resource += 1
        resources.states[at(resource)].left = 0
        s.left_queues -= 1
        serve(s, flow, tokens, resources, resource)


@kernel
def stock(s: Record, flow: Flow, tokens: Tokens, resources: Resources, resource: int, amount: int) -> None:
    """Bring units of a resource and serve those who wait for them, or use up some that have just been seized."""
    state = resources.states[at(resource)]
    state.scheduled += amount
    state.capacity += amount
    state.open += amount * s.left
    if amount < 0:
        state.used += amount
        state.busy += amount * s.left
    elif state.waiting > 0:
        serve_apart(s, flow, tokens, resources, resource)


@kernel
def ask_either(s: Record, flow: Flow, tokens: Tokens, resources: Resources, slot: int) -> bool:
    """Let a newcomer join the queues of an EITHER; return True, with the units of a way, when it need not wait."""
    token = tokens.tokens[at(slot)]
    row = flow.program[at(token.queue_row)]
    for each in range(row.seize_needs):
        resource = flow.needs[at(row.seize_first_need + each)].resource
        append(s, resources, tokens.nodes, resource, wide(token.priority), (slot << s.node_bits) + each)
    way = way_free(s, flow, tokens, resources, slot, wide(-1))
    if way >= 0:
        take_way(s, flow, tokens, resources, slot, way)
        return True
    for each in range(row.seize_needs):
        note_peak(s, resources.states[at(flow.needs[at(row.seize_first_need + each)].resource)])
    return False


@inlined
def pass_on(s: Record, flow: Flow, tokens: Tokens, resources: Resources, resource: int) -> None:
    """Give a unit that comes free to the first in the queue of a resource of which all ask one unit alone."""
    priority = 0
    while resources.queues[at(resource * s.priorities + priority)].first == 0:
        priority += 1
    node = resources.queues[at(resource * s.priorities + priority)].first
    remove(s, resources, tokens.nodes, resource, priority, node)
    grant(s, flow, tokens, node >> s.node_bits)


@inlined
def shortest(flow: Flow, resources: Resources, first: int, count: int) -> int:
    """Return which of some resources is the first of those with the fewest tokens in the queue and units in use."""
    found, least = 0, FOREVER
    for each in range(count):
        state = resources.states[at(flow.needs[at(first + each)].resource)]
        there = state.waiting + state.used
        if there < least:
            found, least = each, there
    return found


@kernel
def peak_now(s: Record, resources: Resources) -> None:
    """Let the longest queues count what already waits when the measured window begins."""
    s.peaked = 1
    for resource in range(s.resources):
        state = resources.states[at(resource)]
        state.peak = max(state.peak, state.waiting)
