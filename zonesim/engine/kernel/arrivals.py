"""Who arrives when, with which class, flags and members (what it means stands in `zonesim.engine.arrivals`)."""

from __future__ import annotations

from typing import Final

import numpy as np

from zonesim.compiled.arithmetic import log
from zonesim.compiled.jit import inlined, kernel
from zonesim.compiled.streams import lineage, uniform, unit
from zonesim.engine.kernel.draws import draw_ahead_apart, draw_for
from zonesim.engine.kernel.events import schedule
from zonesim.engine.kernel.layout import (
    ARRIVAL,
    DONE,
    GOING,
    MOST_SPAWNS,
    SPAWN_LOOP,
    TOO_MANY,
    UNBORN,
    Arrivals,
    Draws,
    Floats,
    Flow,
    Hours,
    Output,
    Record,
    Rows,
    Tokens,
    at,
    wide,
)
from zonesim.engine.kernel.output import begin_visit
from zonesim.engine.kernel.tokens import clear, inherit_members, new_slot
from zonesim.engine.sampling import sample, whole
from zonesim.plan import CHILD_BITS, LARGEST_ORDINAL, NOWHERE, ArrivalsBy

BY_TOKEN: Final = 2
"""Code of a share of the tokens in the plan's table of adoptions."""
_ZERO: Final = wide(0)
_LISTED: Final = int(ArrivalsBy.LISTED)
_RENEWAL: Final = int(ArrivalsBy.RENEWAL)
LISTED_CLASS: Final = -2
"""Class of a source whose arrivals have each a class of their own."""


@inlined
def _above(numbers: Floats, first: int, count: int, value: float) -> int:
    """Return how many of `count` rising numbers are not above `value`."""
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if value < numbers[at(first + middle)]:
            high = middle
        else:
            low = middle + 1
    return low


@inlined
def next_arrival(s: Record, draws: Draws, hours: Hours, arrivals: Arrivals, events: Rows, number: int) -> int:
    """Schedule the next token of a source, if there is one; return DONE or a fault."""
    source = arrivals.sources[at(number)]
    streams = arrivals.streams[at(number)]
    while source.in_hand == 0:
        arrival = source.arrival
        if arrival >= source.most:
            return DONE
        if source.arrivals == _LISTED:
            time = arrivals.times[at(source.first + arrival)].time
            if time >= s.horizon:
                return DONE
        elif source.arrivals == _RENEWAL:
            time = _next_renewal(s, draws, hours, arrivals, number)
            if time >= source.until:
                return DONE
        else:
            total = arrivals.expected[at(number)] - log(uniform(s.key, streams.arrival, arrival, _ZERO, _ZERO))
            arrivals.expected[at(number)] = total
            row = source.rate_row
            while row + 1 < source.count and arrivals.rates[at(source.first + row + 1)].expected_before <= total:
                row += 1
            source.rate_row = row
            rate = arrivals.rates[at(source.first + row)]
            if rate.rate == 0.0:
                return DONE
            when = rate.begins + (total - rate.expected_before) / rate.rate
            if not when < s.horizon - 0.5:
                return DONE
            time = int(when + 0.5)
        source.arrival = arrival + 1
        size = 1
        if source.batch >= 0:
            size = _size_of(s, draws, source, streams.batch)
        source.in_hand = size
        source.due = time
        source.announced += size
        if source.announced > LARGEST_ORDINAL + 1:
            s.fault = number
            return TOO_MANY
    source.in_hand -= 1
    ordinal = source.ordinal
    source.ordinal = ordinal + 1
    schedule(s, events, source.due, ARRIVAL, (number << 32) | (ordinal << CHILD_BITS), _ZERO)
    return DONE


@kernel
def _next_renewal(s: Record, draws: Draws, hours: Hours, arrivals: Arrivals, number: int) -> int:
    """Return when the next token of a renewal comes: gaps are added up, and each sum is rounded once."""
    source = arrivals.sources[at(number)]
    stream = arrivals.streams[at(number)].arrival
    drawn = uniform(s.key, stream, source.arrival, _ZERO, _ZERO)
    total = arrivals.expected[at(number)] + sample(draws.distributions, draws.numbers, source.gap, drawn, 0)
    arrivals.expected[at(number)] = total
    passed = whole(total)
    if source.calendar < 0 or passed == 0:
        return source.begins + passed
    own = hours.calendars[at(source.calendar)]
    if own.spans == 0:
        return source.until
    due = source.open_before + passed
    span = source.rate_row
    while span + 1 < own.spans and hours.spans[at(own.first_span + span + 1)].open_before < due:
        span += 1
    source.rate_row = span
    at_hand = hours.spans[at(own.first_span + span)]
    rest = due - at_hand.open_before
    return at_hand.opens + rest if rest <= at_hand.closes - at_hand.opens else source.until


@inlined
def _size_of(s: Record, draws: Draws, source: Record, stream: np.uint64) -> int:
    """Return how many tokens come with the arrival at hand, which has just been counted."""
    first, count = draws.distributions[source.batch, 1], draws.distributions[source.batch, 2]
    part = first
    if count > 2:  # noqa: PLR2004  more than one size
        drawn = uniform(s.key, stream, source.arrival - 1, _ZERO, _ZERO)
        while drawn >= draws.numbers[at(part + 1)] and part + 2 < first + count:
            part += 2
    return int(draws.numbers[at(part)])


@kernel
def flags_of(s: Record, arrivals: Arrivals, tokens: Tokens, slot: int, number: int) -> int:
    """Return the flags of a token that arrives now; each needs all its members."""
    source = arrivals.sources[at(number)]
    own = slot * s.parties + 1
    count = tokens.members[at(own - 1)]
    flags = 0
    if count > 0:
        flags = arrivals.member_flags[at(tokens.members[at(own)])]
        for place in range(1, count):
            flags &= arrivals.member_flags[at(tokens.members[at(own + place)])]
    for each in range(source.rules):
        rules = arrivals.rules[at(source.first_rule + each)]
        some, every = False, True
        for which in range(rules.count):
            rule = arrivals.rule_rows[at(rules.first + which)]
            if not rule.begins <= s.now < rule.until:
                continue
            some = True
            if rule.by == BY_TOKEN:
                stream = arrivals.share_streams[at(rule.row)]
                drawn = uniform(s.key, stream, wide(tokens.tokens[at(slot)].ordinal), _ZERO, _ZERO)
                every &= drawn < arrivals.shares[at(rule.row)]
            else:
                party = rule.party
                first, last = (0, count) if party < 0 else (party, min(party + 1, count))
                if first >= last:
                    every = False
                for place in range(first, last):
                    every &= arrivals.raised[at(rule.row * s.members + tokens.members[at(own + place)])]
        if some and every:
            flags |= 1 << rules.flag
    return flags


@inlined
def describe(s: Record, flow: Flow, arrivals: Arrivals, tokens: Tokens, slot: int, number: int) -> None:
    """Give a token that arrives its members, class and flags; its arrival has been counted."""
    source = arrivals.sources[at(number)]
    token = tokens.tokens[at(slot)]
    fixed = source.klass
    listed = 0
    if fixed <= LISTED_CLASS:
        listed = max(arrivals.times[at(source.first + source.arrival - 1)]["class"], 0)
        fixed = 0 if fixed == LISTED_CLASS else NOWHERE
    klass = max(fixed, 0)
    own = slot * s.parties
    tokens.members[at(own)] = 0
    if source.group >= 0:
        tokens.members[at(own)] = source.parties
        stream = arrivals.streams[at(number)].firm
        for party in range(source.parties):
            drawn = uniform(s.key, stream, wide(token.ordinal), _ZERO, party)
            member = min(_above(arrivals.cumulative_share, 0, s.members, drawn), s.members - 1)
            tokens.members[at(own + party + 1)] = member
        if fixed == NOWHERE and source.mix == NOWHERE:
            klass = arrivals.member_class[at(tokens.members[at(own + 1)])]
    if source.mix >= 0:
        last = s.classes - 1
        drawn = unit(tokens.ahead[at(slot * s.ahead + flow.program[at(source.first_row)].ahead_class)])
        klass = 0
        for part in range(last):
            klass += drawn >= arrivals.mixes[at(source.mix * s.classes + part)]
    klass += listed
    for row in range(source.first_attribute, source.first_attribute + source.attributes):
        attribute = arrivals.attributes[at(row)]
        drawn = uniform(s.key, arrivals.attribute_streams[at(row)], wide(token.ordinal), _ZERO, _ZERO)
        values = attribute["values"]
        klass += attribute.step * min(_above(arrivals.attribute_shares, attribute.first, values, drawn), values - 1)
    token.klass = klass
    token.flags = 0
    if tokens.members[at(own)] + source.rules > 0:
        token.flags = flags_of(s, arrivals, tokens, slot, number)


@kernel
def describe_heir(
    s: Record, flow: Flow, draws: Draws, arrivals: Arrivals, tokens: Tokens, slot: int, number: int
) -> None:
    """Make the first draws and find the flags of a token that another one has started; it has class and members."""
    token = tokens.tokens[at(slot)]
    token.state = GOING
    token.child = 0
    draw_ahead_apart(
        s, flow.program, draws.ahead, token, tokens.ahead, slot * s.ahead, arrivals.sources[at(number)].first_row
    )
    token.flags = flags_of(s, arrivals, tokens, slot, number)


@inlined
def come(s: Record, flow: Flow, arrivals: Arrivals, tokens: Tokens, output: Output, slot: int, number: int) -> None:
    """Let the next token of a source arrive; class, flags and members are known."""
    source = arrivals.sources[at(number)]
    token = tokens.tokens[at(slot)]
    count = source.arrived
    source.arrived = count + 1
    source.before_begin += s.now < s.begin
    source.before_end += s.now < s.end
    output.arrivals[at(s.arrivals)] = (number << 16) | token.klass
    s.arrivals += 1
    token.number = (number << 32) | (count << CHILD_BITS)
    token.child = 0
    token.pc = source.first_row
    token.arrived = s.now
    token.next_kin = slot
    token.last_kin = slot
    leave = wide(flow.program[at(source.first_row)].leaves_at)
    token.leave_step = leave
    begin_visit(s, output, leave)


@kernel
def spawn(s: Record, draws: Draws, arrivals: Arrivals, tokens: Tokens, events: Rows, slot: int, row: Record) -> int:
    """Let a token start one of another source, after a time; return DONE or a fault. There is a free slot."""
    token = tokens.tokens[at(slot)]
    number = row.spawn_source
    due = s.now + draw_for(s, draws, token, row.spawn_delay, row.spawn_stream)
    source = arrivals.sources[at(number)]
    order = source.spawned
    if order > LARGEST_ORDINAL:
        s.fault = number
        return TOO_MANY
    if s.spawn_time != s.now:
        s.spawn_time = s.now
        s.spawns = 0
    s.spawns += 1
    if s.spawns > MOST_SPAWNS:
        s.fault = number
        return SPAWN_LOOP
    source.spawned = order + 1
    if due < s.horizon:
        unborn = new_slot(s, tokens)
        heir = tokens.tokens[at(unborn)]
        clear(heir)
        heir.state = UNBORN
        heir.number = -1
        heir.ordinal = lineage(
            draws.streams[at(row.spawn_stream)],
            wide(token.ordinal),
            wide(token.child),
            wide(token.loop_count),
        )
        heir.klass = token.klass
        inherit_members(s, tokens, slot, unborn)
        schedule(s, events, due, ARRIVAL, (number << 32) | (order << CHILD_BITS), unborn)
    return DONE
