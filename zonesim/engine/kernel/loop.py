"""The run: who is next, and what it does."""

from __future__ import annotations

from typing import Final

from zonesim.compiled.jit import inlined, kernel
from zonesim.engine.kernel.arrivals import come, describe, describe_heir, next_arrival, spawn
from zonesim.engine.kernel.batches import board, complete, depart, gather, is_due, part, scatter
from zonesim.engine.kernel.calendars import end_of
from zonesim.engine.kernel.draws import draw_ahead, draw_for, duration_of
from zonesim.engine.kernel.events import close_hole, is_waiting, schedule, sweep_if_stale
from zonesim.engine.kernel.layout import (
    ARRIVAL,
    DELAY_END,
    DELAYING,
    DONE,
    EMPTY,
    FOREVER,
    FULL,
    IN_QUEUE,
    JOINING,
    LARGEST_SLOT,
    MOST_CHILDREN,
    NEED_BATCHES,
    NEED_EVENTS,
    NEED_SLOTS,
    NEVER,
    PATIENCE,
    RANK_BITS,
    RANK_MASK,
    SLOT_BITS,
    UNTIL,
    WORKING,
    YIELD,
    Arrivals,
    Batches,
    Draws,
    Flow,
    Hours,
    Output,
    Record,
    Resources,
    Rows,
    Tokens,
    at,
    wide,
)
from zonesim.engine.kernel.operations import due_at, is_answered_yes, keep, set_attribute, wait_until
from zonesim.engine.kernel.output import begin_visit, write_mark, write_visit
from zonesim.engine.kernel.preemption import begin_work, carry_on, change_capacity, resume_all, takes_over, work_ends
from zonesim.engine.kernel.queues import (
    append,
    ask_either,
    enter,
    leave_queues,
    note_peak,
    pass_on,
    peak_now,
    release,
    seize_of,
    serve_apart,
    stock,
)
from zonesim.engine.kernel.tokens import clear, has_unit, leave_run, loop_again, new_slot, ready, split
from zonesim.plan import CHILD_BITS, LARGEST_ORDINAL, Op

_SEIZE: Final = int(Op.SEIZE)
_DELAY: Final = int(Op.DELAY)
_RELEASE: Final = int(Op.RELEASE)
_MARK: Final = int(Op.MARK)
_SPLIT: Final = int(Op.SPLIT)
_GATHER: Final = int(Op.GATHER)
_BOARD: Final = int(Op.BOARD)
_SPAWN: Final = int(Op.SPAWN)
_BRANCH: Final = int(Op.BRANCH)
_JUMP: Final = int(Op.JUMP)
_SET: Final = int(Op.SET)
_JOIN: Final = int(Op.JOIN)
_WAIT_UNTIL: Final = int(Op.WAIT_UNTIL)
_LEAVE: Final = int(Op.LEAVE)
_KEEP: Final = int(Op.KEEP)
_EITHER: Final = int(Op.EITHER)
_DUE: Final = int(Op.DUE)
_STOCK: Final = int(Op.STOCK)
_WAITS: Final = -1
"""In place of an operation: the token that asked for units waits."""


@kernel
def run(
    s: Record,
    flow: Flow,
    draws: Draws,
    hours: Hours,
    resources: Resources,
    tokens: Tokens,
    arrivals: Arrivals,
    batches: Batches,
    accounts: Rows,
    events: Rows,
    output: Output,
) -> int:
    """
    Go on with a run until it is done, a block is full, something has to grow, or the budget of events is used up.

    Returns why; everything is in the arrays. A round of the loop takes the next token and lets it do what mostly comes
    in a row: give units back, note a moment, ask a question, take units, let time pass; whatever comes otherwise takes
    another round.
    """
    slot = s.current
    token = tokens.tokens[at(slot)]
    pc = wide(token.pc)
    reason = DONE

    while s.sources_started < s.sources:
        s.sources_started += 1
        reason = next_arrival(s, draws, hours, arrivals, events, s.sources_started - 1)
        if reason != DONE:
            return reason

    while True:
        if s.parting != 0:
            if not part(s, tokens, batches, output):
                reason = FULL
                break
            if slot == 0:
                continue

        if slot == 0:
            # --- who is next: the first of those made ready, else the next timed event
            if s.ready_first != 0 and s.next_change > s.now:
                slot = s.ready_first
                token = tokens.tokens[at(slot)]
                s.ready_first = token.next_ready
                if s.ready_first == 0:
                    s.ready_last = 0
                pc = wide(token.pc)
            else:
                if s.budget <= 0:
                    reason = YIELD
                    break
                s.budget -= 1
                close_hole(s, events)
                key = FOREVER
                if s.events > 0:
                    key = events[at(0)].due
                time = key >> RANK_BITS
                due = min(time, s.next_change)
                if due > s.now:
                    if due >= s.horizon:
                        if s.peaked == 0:
                            peak_now(s, resources)
                        break
                    if s.peaked == 0 and due > s.begin:
                        peak_now(s, resources)
                    s.now = due
                    s.left = s.end - min(max(due, s.begin), s.end)
                if s.visits >= s.visits_limit or s.arrivals >= s.arrivals_limit:
                    reason = FULL
                    break
                if s.events >= s.events_limit:
                    reason = NEED_EVENTS
                    break
                if s.next_change <= time:
                    change_capacity(s, flow, draws, tokens, resources, hours, events, output)
                    if s.peaked == 0 and s.now >= s.begin:
                        peak_now(s, resources)
                    continue
                if s.peaked == 0 and s.now >= s.begin:
                    peak_now(s, resources)
                rank = key & RANK_MASK
                who = events[at(0)].who
                number = who >> SLOT_BITS
                if rank == DELAY_END:
                    slot = who & LARGEST_SLOT
                    token = tokens.tokens[at(slot)]
                    s.hole = 1
                    if token.state >= WORKING and not work_ends(s, flow, tokens, resources, slot):
                        slot = 0
                        continue
                    s.event_count += 1
                    pc = wide(token.pc)
                    step = wide(token.delay_step)
                    if step >= 0:
                        started = s.now if token.state == UNTIL else token.delay_started
                        write_visit(s, output, step, number, token.delay_queued, started)
                        token.delay_step = -1
                elif rank == ARRIVAL:
                    if s.free_slots < 1:
                        reason = NEED_SLOTS
                        break
                    s.hole = 1
                    s.event_count += 1
                    slot = who & LARGEST_SLOT
                    source = number >> 32
                    if slot == 0:
                        slot = new_slot(s, tokens)
                        token = tokens.tokens[at(slot)]
                        clear(token)
                        token.ordinal = (number >> CHILD_BITS) & LARGEST_ORDINAL
                        token.child = 0
                        start = arrivals.sources[at(source)].first_row
                        draw_ahead(s, flow.program, draws.ahead, token, tokens.ahead, slot * s.ahead, start)
                        describe(s, flow, arrivals, tokens, slot, source)
                        reason = next_arrival(s, draws, hours, arrivals, events, source)
                        if reason != DONE:
                            break
                    else:
                        token = tokens.tokens[at(slot)]
                        describe_heir(s, flow, draws, arrivals, tokens, slot, source)
                    come(s, flow, arrivals, tokens, output, slot, source)
                    pc = wide(token.pc)
                elif rank == PATIENCE:
                    s.hole = 1
                    reason = _give_up(s, flow, tokens, resources, hours, events, output, who, time)
                    if reason != DONE:
                        break
                    continue
                else:
                    if s.free_batch == 0 and s.fresh_batch >= s.batch_limit:
                        reason = NEED_BATCHES
                        break
                    s.hole = 1
                    slot = who & LARGEST_SLOT
                    if is_due(s, tokens, batches, slot, number):
                        s.event_count += 1
                        token = tokens.tokens[at(slot)]
                        if flow.program[at(token.pc - 1)].op == _BOARD:
                            depart(s, flow, draws, tokens, batches, hours, events, wide(token.batch))
                        else:
                            complete(s, tokens, batches, wide(token.batch))
                    slot = 0
                    continue

        # --- the token in hand acts
        if s.visits >= s.visits_limit or s.marks >= s.marks_limit:
            reason = FULL
            break
        if s.events >= s.events_limit:
            reason = NEED_EVENTS
            break
        row = flow.program[at(pc)]
        op = row.op
        if op == _RELEASE:
            visit = tokens.visits[at(slot * s.open_visits + row.release_slot)]
            if visit.queued != EMPTY or row.release_if_held == 0:
                write_visit(s, output, row.step, token.number, visit.queued, visit.started)
                visit.queued = EMPTY
                if row.simple != 0:
                    state = resources.states[at(row.resource)]
                    if state.waiting > 0 and state.used <= state.capacity:
                        pass_on(s, flow, tokens, resources, wide(row.resource))
                    else:
                        state.used -= 1
                        state.busy -= s.left
                else:
                    release(s, flow, tokens, resources, row)
                    if row.interruptible != 0:
                        carry_on(s, flow, tokens, resources, hours, events, output, wide(row.resource))
                    elif s.resume_first != 0:
                        resume_all(s, flow, tokens, resources, hours, events, output)
            pc += 1
            row = flow.program[at(pc)]
            op = row.op
        if op == _MARK:
            write_mark(s, output, row.mark_mark, token.number)
            pc += 1
            row = flow.program[at(pc)]
            op = row.op
        if op == _BRANCH:
            yes = is_answered_yes(s, flow, draws, tokens, resources, slot, row)
            pc = row.branch_target if yes else pc + 1
            row = flow.program[at(pc)]
            op = row.op
        if op == _SEIZE:
            visit = tokens.visits[at(slot * s.open_visits + row.seize_slot)]
            visit.row = pc
            visit.kept = 0
            visit.queued = s.now
            begin_visit(s, output, row.step)
            if _seizes(s, flow, draws, tokens, resources, hours, output, slot, row, pc):
                visit.started = s.now
                pc += 1
                row = flow.program[at(pc)]
                op = row.op
            else:
                visit.started = NEVER
                token.state = IN_QUEUE
                token.pc = pc + 1
                token.gives_up = 0
                if row.seize_patience >= 0:
                    _be_patient(s, draws, tokens, events, slot, row)
                slot = 0
                op = _WAITS
        if op == _DELAY:
            duration = row.fixed_time
            if row.simple == 0:
                duration = duration_of(s, draws, tokens, slot, row)
            token.delay_step = row.step
            if row.step >= 0:
                token.delay_queued = s.now
                token.delay_started = s.now
                begin_visit(s, output, row.step)
            token.pc = pc + 1
            if row.delay_interrupted >= 0 and duration > 0:
                begin_work(s, flow, tokens, resources, hours, events, output, slot, duration)
            else:
                due = s.now + duration
                if row.delay_calendar >= 0:
                    due = end_of(s, hours, row.delay_calendar, duration)
                token.state = DELAYING
                if due < s.horizon:
                    schedule(s, events, due, DELAY_END, token.number, slot)
            slot = 0
        elif op == _LEAVE:
            write_visit(s, output, row.step, token.number, token.arrived, token.arrived)
            leave_run(s, tokens, slot)
            slot = 0
        elif op in (_WAITS, _RELEASE, _MARK, _BRANCH, _SEIZE):
            pass  # in the next round
        elif op == _JUMP:
            pc = row.jump_target
            if row.jump_again != 0:
                reason = loop_again(s, token)
        elif op == _SET:
            reason = set_attribute(s, accounts, token, slot, row)
            pc += 1
        elif op == _SPLIT:
            if s.free_slots < MOST_CHILDREN:
                reason = NEED_SLOTS
                break
            children = draw_for(s, draws, token, row.split_number, row.split_stream)
            eldest = row.split_base + (token.child - row.split_parent_base) * row.split_stride
            reason = split(s, flow, draws, tokens, output, slot, row, eldest, min(children, row.split_stride))
            pc += 1
        elif op == _JOIN:
            pc += 1
            if tokens.children[at(slot * s.groups + row.join_group)] > 0:
                token.joins = row.join_group
                token.state = JOINING
                token.pc = pc
                slot = 0
        elif op == _KEEP:
            keep(s, flow, tokens, output, slot, row, pc)
            pc += 1
        elif op == _WAIT_UNTIL:
            pc += 1
            token.pc = pc
            if wait_until(s, hours, events, output, token, slot, row):
                slot = 0
        elif op == _SPAWN:
            if s.free_slots < 1:
                reason = NEED_SLOTS
                break
            reason = spawn(s, draws, arrivals, tokens, events, slot, row)
            pc += 1
        elif op == _GATHER:
            if s.free_batch == 0 and s.fresh_batch >= s.batch_limit:
                reason = NEED_BATCHES
                break
            token.pc = pc
            gather(s, draws, tokens, batches, hours, events, output, slot, row)
            slot = 0
        elif op == _DUE:
            due_at(s, draws, tokens, hours, output, slot, row)
            pc += 1
        elif op == _STOCK:
            stock(s, flow, tokens, resources, row.stock_resource, row.stock_amount)
            if s.resume_first != 0:
                resume_all(s, flow, tokens, resources, hours, events, output)
            pc += 1
        elif op == _EITHER:
            following = _either(s, flow, draws, tokens, resources, output, slot, pc)
            if following > 0:
                pc = following
            else:
                if row.seize_patience >= 0:
                    _be_patient(s, draws, tokens, events, slot, row)
                slot = 0
        elif op == _BOARD:
            if s.free_batch == 0 and s.fresh_batch >= s.batch_limit:
                reason = NEED_BATCHES
                break
            token.pc = pc
            board(s, tokens, batches, hours, events, output, slot, row)
            slot = 0
        else:  # SCATTER
            scatter(s, batches, token, row.scatter_batch)
            pc += 1
        if reason != DONE:
            break

    if slot != 0:
        token.pc = pc
    s.current = slot
    return reason


@inlined
def _seizes(
    s: Record,
    flow: Flow,
    draws: Draws,
    tokens: Tokens,
    resources: Resources,
    hours: Hours,
    output: Output,
    slot: int,
    row: Record,
    pc: int,
) -> bool:
    """Let a token ask for units; return True, with the units seized, when it need not wait."""
    token = tokens.tokens[at(slot)]
    if row.simple != 0:
        state = resources.states[at(row.resource)]
        if state.used < state.capacity:  # then nobody waits
            state.used += 1
            state.busy += s.left
            return True
        priority = flow.priorities[at(row.seize_priority * s.classes + token.klass)]
        token.priority = priority
        token.queue_row = pc
        append(s, resources, tokens.nodes, wide(row.resource), priority, slot << s.node_bits)
        note_peak(s, state)
        return False
    token.priority = flow.priorities[at(row.seize_priority * s.classes + token.klass)]
    token.queue_row = pc
    if row.timed != 0:  # the work is the one delay that follows
        work = flow.program[at(pc + 1)]
        lasts = draw_for(s, draws, token, work.delay_duration, work.delay_stream)
        tokens.lasts[at(slot << s.node_bits)] = lasts
    has_units = enter(s, flow, tokens, resources, slot, row)
    if row.interruptible != 0:
        has_units = has_units or takes_over(s, flow, tokens, resources, hours, output, slot)
        work = tokens.works[at(slot)]
        work.row = pc
        work.priority = token.priority
        if has_units:
            has_unit(s, tokens, slot)
    return has_units


@kernel
def _either(
    s: Record, flow: Flow, draws: Draws, tokens: Tokens, resources: Resources, output: Output, slot: int, pc: int
) -> int:
    """
    Let a token ask for what one of several SEIZEs asks for; return the row behind that of which it has the units, -1
    where it waits: when these are granted it comes here again.
    """
    token, row = tokens.tokens[at(slot)], flow.program[at(pc)]
    visit = tokens.visits[at(slot * s.open_visits + row.seize_slot)]
    if visit.queued == EMPTY:
        visit.row = pc
        visit.kept = 0
        visit.queued = s.now
        visit.started = NEVER
        begin_visit(s, output, row.step)
        token.priority = flow.priorities[at(row.seize_priority * s.classes + token.klass)]
        token.queue_row = pc
        for way in range(row.ways):
            place = seize_of(flow, pc, way)
            if flow.program[at(place)].timed != 0:  # the work is the one delay that follows
                work = flow.program[at(place + 1)]
                lasts = draw_for(s, draws, token, work.delay_duration, work.delay_stream)
                tokens.lasts[at((slot << s.node_bits) + way)] = lasts
        if not ask_either(s, flow, tokens, resources, slot):
            token.state = IN_QUEUE
            token.pc = pc
            token.gives_up = 0
            return -1
        visit.started = s.now
    place = visit.row
    step = flow.program[at(place)].step
    since = s.end - min(max(visit.queued, s.begin), s.end)
    output.at_step[at(row.step)] -= since
    output.at_step[at(step)] += since
    return place + 1


@inlined
def _be_patient(s: Record, draws: Draws, tokens: Tokens, events: Rows, slot: int, row: Record) -> None:
    """Let a token that waits for units give up after some time."""
    token = tokens.tokens[at(slot)]
    token.gives_up = 1
    if row.seize_stream < -1:  # until a deadline of the token, which may have passed
        due = tokens.dues[at(slot * s.deadlines - row.seize_stream - 2)]
        deadline = max(due, s.now) if due >= 0 else s.horizon
    else:
        deadline = s.now + draw_for(s, draws, token, row.seize_patience, row.seize_stream)
    if deadline < s.horizon:
        token.deadline = deadline
        schedule(s, events, deadline, PATIENCE, token.number, slot)
        sweep_if_stale(s, events, tokens)


@kernel
def _give_up(
    s: Record,
    flow: Flow,
    tokens: Tokens,
    resources: Resources,
    hours: Hours,
    events: Rows,
    output: Output,
    who: int,
    time: int,
) -> int:
    """
    Let a token that still waits give up; it may have held up others in the queues that it leaves. Returns DONE or a
    fault.
    """
    slot, number = who & LARGEST_SLOT, who >> SLOT_BITS
    token = tokens.tokens[at(slot)]
    if not is_waiting(token, number, time):
        s.stale -= 1
        return DONE
    s.event_count += 1
    token.deadline = -1
    pc = token.queue_row
    row = flow.program[at(pc)]
    leave_queues(s, flow, tokens, resources, slot)
    visit = tokens.visits[at(slot * s.open_visits + row.seize_slot)]
    write_visit(s, output, row.step, number, visit.queued, NEVER)
    visit.queued = EMPTY
    if row.seize_renege_to <= pc:
        reason = loop_again(s, token)
        if reason != DONE:
            return reason
    token.pc = row.seize_renege_to
    ready(s, tokens, slot)
    for each in range(row.seize_needs):
        resource = flow.needs[at(row.seize_first_need + each)].resource
        if resources.states[at(resource)].waiting > 0:
            serve_apart(s, flow, tokens, resources, resource)
        if row.interruptible != 0:
            carry_on(s, flow, tokens, resources, hours, events, output, resource)
        elif s.resume_first != 0:
            resume_all(s, flow, tokens, resources, hours, events, output)
    return DONE
