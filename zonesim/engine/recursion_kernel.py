"""
The compiled loops of the recursion: who comes when and for how long, and when each begins and ends.

Tokens lie in a ring in the order in which they come, which is the order in which they are served: those that wait are
the ring from `started` to `arrived`. Beside it, all that is known is when each unit comes free: the vector of Kiefer
and Wolfowitz, not kept in order but searched, for it is short. There is no event list.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zonesim.compiled.arithmetic import log
from zonesim.compiled.jit import inlined, kernel
from zonesim.compiled.streams import uniform
from zonesim.engine.sampling import sample, whole
from zonesim.plan import CHILD_BITS, LARGEST_ORDINAL, NUMBER_BITS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Words = NDArray[np.uint64]
Rows = NDArray[np.void]
Record = Any
"""One row of a structured array; numba knows its type."""

_u = np.uint64

CHUNK: Final = 8192
"""Tokens that are made at once; a power of two."""

UNIT_BITS: Final = 8
_UNIT_MASK: Final = (1 << UNIT_BITS) - 1
FOREVER: Final = np.iinfo(np.int64).max
_SOURCE_SHIFT: Final = 32
_LISTED_CLASS: Final = -2

DONE: Final = 0
FULL: Final = 1
"""A block of records is full."""
NEED_ARRIVALS: Final = 2
"""Nothing more is known of the time after the last token."""
TOO_MANY: Final = 3
"""A source has more tokens than there are numbers; `source` says which."""


def _record(**fields: str) -> np.dtype[Any]:
    """Return the type of a row: names by numpy's word for what they are."""
    return np.dtype([(name, kind) for kind, names in fields.items() for name in names.split()])


RUN: Final = _record(
    i8="begin end horizon units busy made arrived started peak peaked events visits marks most_marks source",
    u8="key",
)
"""
The one row of a run: the window, units of the queue and those at work, tokens made, come and begun so far, the longest
queue and whether the window has begun, timed events, rows written.
"""

SOURCE: Final = _record(
    i8="listed first count klass mix batch duration exponential "  # as in the plan; `duration`: row of its distribution
    "step delay_step leave_step on_arrival on_start on_end moments "  # what is written of its tokens
    "arrival in_hand time ordinal rate_row before_begin before_end inside working",
    u8="arrival_stream class_stream batch_stream duration_stream",
    f8="expected",
)
"""
A source: how its tokens come and what is written of them; then the number of the next arrival, its tokens still to come
and when, the ordinal of the next token, where in the rates it is and what was expected before; tokens that came before
the window begins and ends, and the token-ms inside and at work within it.
"""

UNIT: Final = _record(i8="queued started idle")
"""
A unit: since when the token is here that it works for, and since when it does; and, whatever unit that is, one of those
that do not work: they stand in the places from `busy` on.
"""


# --- who comes
# --------------------------------------------------------------------------------------------------------------------


@kernel
def _draw(lane: Floats, key: np.uint64, stream: np.uint64, first: int) -> None:
    """Fill a lane with uniform numbers for the ordinals from `first` on; the processor makes several at once."""
    for each in range(CHUNK):
        lane[_u(each)] = uniform(key, stream, first + each, 0, 0)


@kernel
def _exponential(lane: Floats, mean: float) -> None:
    """Turn uniform numbers into whole durations of an exponential law, as `sample` would one by one."""
    for each in range(CHUNK):
        lane[_u(each)] = whole(-mean * log(1.0 - lane[_u(each)]))


@kernel
def _fill_times(s: Record, own: Record, lane: Ints, scratch: Floats, rates: Rows, times: Rows) -> None:
    """Fill a lane with the times of the next arrivals of a source, FOREVER after the last one before the horizon."""
    number, horizon = own.arrival, s.horizon
    lane[:] = FOREVER
    if own.listed:
        for each in range(min(CHUNK, own.count - number)):
            time = times[_u(own.first + number + each)].time
            lane[_u(each)] = time if time < horizon else FOREVER
        return
    if own.count == 0:
        return
    _draw(scratch, s.key, own.arrival_stream, number)
    for each in range(CHUNK):
        scratch[_u(each)] = -log(scratch[_u(each)])
    expected, at = own.expected, own.rate_row
    last = own.count - 1
    row = rates[_u(own.first + at)]
    begins, before, rate = row.begins, row.expected_before, row.rate
    for each in range(CHUNK):
        expected += scratch[_u(each)]
        while at < last and rates[_u(own.first + at + 1)].expected_before <= expected:
            at += 1
            row = rates[_u(own.first + at)]
            begins, before, rate = row.begins, row.expected_before, row.rate
        if rate == 0.0:
            break
        when = begins + (expected - before) / rate
        if not when < horizon - 0.5:
            break
        lane[_u(each)] = int(when + 0.5)
    own.expected, own.rate_row = expected, at


@kernel
def _batch_size(s: Record, own: Record, number: int, laws: Ints, numbers: Floats) -> int:
    """Return how many tokens come with the arrival of this number."""
    first, count = laws[own.batch, 1], laws[own.batch, 2]
    part = first
    if count > 2:  # noqa: PLR2004  more than one size
        drawn = uniform(s.key, own.batch_stream, number, 0, 0)
        while drawn >= numbers[part + 1] and part + 2 < first + count:
            part += 2
    return int(numbers[part])


@kernel
def _class_of(s: Record, own: Record, arrival: int, ordinal: int, times: Rows, mixes: Floats) -> int:
    """Return the class of a token that comes with an arrival, where it is listed or drawn."""
    if own.klass == _LISTED_CLASS:
        return times[own.first + arrival]["class"]
    drawn = uniform(s.key, own.class_stream, ordinal, 0, 0)
    klass = 0
    for part in range(mixes.shape[1] - 1):
        klass += drawn >= mixes[own.mix, part]
    return klass


@kernel
def _from_source(
    s: Record,
    own: Record,
    source: int,
    until: int,
    count: int,
    coming: Ints,
    lane: Floats,
    scratch: Floats,
    rates: Rows,
    times: Rows,
    mixes: Floats,
    laws: Ints,
    numbers: Floats,
    token_times: Ints,
    token_numbers: Ints,
    token_durations: Ints,
    classes: Ints,
) -> int:
    """
    Add the tokens of a source that come up to `until` to the `count` of this chunk; return how many there are then, -1
    when the source has more than there are numbers for. What changes all the time is kept in variables.
    """
    first = s.made & (len(token_times) - 1)
    begin, end = s.begin, s.end
    time, in_hand, ordinal, arrival = own.time, own.in_hand, own.ordinal, own.arrival
    drawn, exponential, inside = own.klass == _LISTED_CLASS or own.mix >= 0, own.exponential, own.inside
    klass = max(own.klass, 0)
    while True:
        if in_hand == 0:
            place = arrival & (CHUNK - 1)
            if place == 0:
                own.arrival = arrival
                _fill_times(s, own, coming, scratch, rates, times)
            time, in_hand = coming[_u(place)], 1
            if own.batch >= 0 and time < FOREVER:
                in_hand = _batch_size(s, own, arrival, laws, numbers)
            arrival += 1
            if ordinal + in_hand > LARGEST_ORDINAL + 1 and time < FOREVER:
                return -1
            continue
        if time > until or count == CHUNK:
            break
        if drawn:
            klass = _class_of(s, own, arrival - 1, ordinal, times, mixes)
        place = ordinal & (CHUNK - 1)
        if place == 0:
            _draw(lane, s.key, own.duration_stream, ordinal)
            if exponential:
                _exponential(lane, numbers[laws[own.duration, 1]])
        value = lane[_u(place)]
        if not exponential:
            value = sample(laws, numbers, own.duration, value, klass)
        here = _u(first + count)
        token_times[here] = time
        token_numbers[here] = (source << _SOURCE_SHIFT) | (ordinal << CHILD_BITS)
        token_durations[here] = whole(value)
        classes[_u(count)] = klass
        inside += end - min(max(time, begin), end)
        if time < begin:
            own.before_begin = ordinal + 1
        if time < end:
            own.before_end = ordinal + 1
        in_hand -= 1
        ordinal += 1
        count += 1
    own.time, own.in_hand, own.ordinal, own.arrival, own.inside = time, in_hand, ordinal, arrival, inside
    return count


@kernel
def arrive(
    run: Rows,
    sources: Rows,
    coming: Ints,
    lanes: Floats,
    scratch: Floats,
    rates: Rows,
    times: Rows,
    mixes: Floats,
    laws: Ints,
    numbers: Floats,
    token_times: Ints,
    token_numbers: Ints,
    token_durations: Ints,
    classes: Ints,
) -> int:
    """
    Make the next CHUNK tokens of all sources, in the order in which they come, or what is left of them; return DONE or
    TOO_MANY.

    `coming` holds for each source when its next arrivals are; `lanes` the uniform numbers of the durations of its
    tokens, or the durations themselves where they are exponential; `classes` are those of this chunk.
    """
    s = run[0]
    count = 0
    while True:
        source, until = 0, FOREVER - 1
        for other in range(1, len(sources)):  # the earliest, the first of several; the others come after `until`
            if sources[_u(other)].time < sources[_u(source)].time:
                until = min(until, sources[_u(source)].time - 1)
                source = other
            else:
                until = min(until, sources[_u(other)].time)
        if count == CHUNK or sources[_u(source)].time == FOREVER:
            break
        count = _from_source(
            s,
            sources[_u(source)],
            source,
            until,
            count,
            coming[_u(source)],
            lanes[_u(source)],
            scratch,
            rates,
            times,
            mixes,
            laws,
            numbers,
            token_times,
            token_numbers,
            token_durations,
            classes,
        )
        if count < 0:
            s.source = source
            return TOO_MANY
    s.made += count
    return DONE


# --- who works
# --------------------------------------------------------------------------------------------------------------------


@inlined
def _first_end(ends: Ints, workers: Ints) -> tuple[int, int]:
    """
    Return when the next unit comes free, FOREVER if none works, and which: of several the one of the smallest token.

    Two loops without a choice: the processor looks at several units at once.
    """
    earliest = FOREVER
    for unit in range(len(ends)):
        earliest = min(earliest, ends[_u(unit)])
    first = FOREVER
    for unit in range(len(ends)):
        first = min(first, workers[_u(unit)] if ends[_u(unit)] == earliest else FOREVER)
    return earliest, first


@inlined
def _write(visits: Rows, visit: int, step: int, number: int, queued: int, started: int, ended: int) -> int:
    """Write a visit; return how many rows there are then."""
    row = visits[_u(visit)]
    row.key, row.queued, row.started, row.ended = (step << NUMBER_BITS) | number, queued, started, ended
    return visit + 1


@inlined
def _note(marks: Rows, mark: int, moments: Ints, first: int, end: int, number: int, now: int) -> int:
    """Write the milestones `first` to `end` of a token; return how many rows there are then."""
    for each in range(first, end):
        row = marks[_u(mark)]
        row.key, row.time = (moments[_u(each)] << NUMBER_BITS) | number, now
        mark += 1
    return mark


@kernel
def serve(  # noqa: PLR0915  one loop, for what changes with every event is kept in variables
    run: Rows,
    sources: Rows,
    token_times: Ints,
    token_numbers: Ints,
    token_durations: Ints,
    ends: Ints,
    workers: Ints,
    units: Rows,
    moments: Ints,
    visits: Rows,
    marks: Rows,
    every: bool,  # noqa: FBT001  a kernel takes plain values
) -> int:
    """
    Let tokens come, wait, work and leave, event by event: the ends of work of an instant by the tokens' numbers, then
    those who come. Returns FULL, or NEED_ARRIVALS after the last token that is made; where that was `every` one, goes
    on to the horizon and returns DONE.
    """
    s = run[0]
    window_begin, window_end, horizon = s.begin, s.end, s.horizon
    made, arrived, started, busy = s.made, s.arrived, s.started, s.busy
    most, ring = s.units, len(token_times) - 1
    visits_limit, marks_limit = len(visits) - 3, len(marks) - 2 * s.most_marks
    visit, mark, events, peaked = s.visits, s.marks, s.events, s.peaked
    end, first = _first_end(ends, workers)
    reason = DONE
    while True:
        if visit > visits_limit or mark > marks_limit:
            reason = FULL
            break
        coming = horizon - 1
        if arrived < made:
            coming = token_times[_u(arrived & ring)]
        elif not every:
            reason = NEED_ARRIVALS
            break
        elif end > coming:
            break
        now = min(end, coming)
        if peaked == 0 and now >= window_begin:
            s.peak, peaked = arrived - started, 1
        events += 1
        left = window_end - min(max(now, window_begin), window_end)
        if end > coming:
            here = _u(arrived & ring)
            arrived += 1
            number = token_numbers[here]
            own = sources[_u(number >> _SOURCE_SHIFT)]
            mark = _note(marks, mark, moments, own.on_arrival, own.on_start, number, now)
            if busy < most:
                started += 1
                place = units[_u(busy)].idle
                busy += 1
                unit = units[_u(place)]
                unit.queued = unit.started = now
                own.working += left
                due, worker = now + token_durations[here], (number << UNIT_BITS) | place
                ends[_u(place)], workers[_u(place)] = due, worker
                if due < end or (due == end and worker < first):
                    end, first = due, worker
                mark = _note(marks, mark, moments, own.on_start, own.on_end, number, now)
            elif window_begin <= now < window_end:
                s.peak = max(s.peak, arrived - started)
            continue
        number, place = first >> UNIT_BITS, _u(first & _UNIT_MASK)
        unit = units[place]
        queued, since = unit.queued, unit.started
        own = sources[_u(number >> _SOURCE_SHIFT)]
        own.inside -= left
        own.working -= left
        if own.delay_step >= 0:
            visit = _write(visits, visit, own.delay_step, number, since, since, now)
        visit = _write(visits, visit, own.step, number, queued, since, now)
        visit = _write(visits, visit, own.leave_step, number, queued, queued, now)
        mark = _note(marks, mark, moments, own.on_end, own.moments, number, now)
        if started < arrived:
            here = _u(started & ring)
            started += 1
            number = token_numbers[here]
            own = sources[_u(number >> _SOURCE_SHIFT)]
            own.working += left
            unit.queued, unit.started = token_times[here], now
            ends[place], workers[place] = now + token_durations[here], (number << UNIT_BITS) | np.int64(place)
            mark = _note(marks, mark, moments, own.on_start, own.on_end, number, now)
        else:
            busy -= 1
            units[_u(busy)].idle = np.int64(place)
            ends[place] = FOREVER
        end, first = _first_end(ends, workers)
    if reason == DONE and peaked == 0:
        s.peak = arrived - started
    s.arrived, s.started, s.busy = arrived, started, busy
    s.visits, s.marks, s.events, s.peaked = visit, mark, events, peaked
    return reason
