"""
The loops that fold record rows, compiled: one pass over the marks of a block and one over its visits.

What a row is wanted for stands in small tables, by step and by mark; sums are integers. What grows (dossiers, notes,
waits) grows between two calls only, so these loops never run out of room.

What comes next is hard to guess, for rows of all steps are mixed, and a wrong guess costs the processor more than the
row itself. So what most rows need is done for all of them, adding 0 where it is not meant, and only what is rare asks.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.compiled.jit import inlined, kernel
from zonesim.kpi import fold_layout as f
from zonesim.plan import CHILD_BITS, LARGEST_CHILD, LARGEST_ORDINAL, LARGEST_SOURCE, NEVER, NUMBER_BITS
from zonesim.units import HOUR

Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]

_u = np.uint64
_i = np.int64

_ONE: Final = _u(1)
_TWO: Final = _u(2)
_THREE: Final = _u(3)
_FOUR: Final = _u(4)
_FIVE: Final = _u(5)
_KEY: Final = _u(NUMBER_BITS)
_CHILD: Final = _u(CHILD_BITS)
_CHILD_MASK: Final = _u(LARGEST_CHILD)
_ORDINAL_MASK: Final = _u(LARGEST_ORDINAL)
_SOURCE: Final = _u(CHILD_BITS + LARGEST_ORDINAL.bit_length())
_SOURCE_MASK: Final = _u(LARGEST_SOURCE)
_NUMBER_MASK: Final = _u((1 << NUMBER_BITS) - 1)
_CHUNK_BITS: Final = _u(f.CHUNK_BITS)
_CHUNK: Final = _u(f.CHUNK)
_CHUNK_MASK: Final = _u(f.CHUNK - 1)
_HOUR: Final = _u(HOUR)
_DAY_HOURS: Final = _u(24)
_STEP: Final = _u(f.STEP_FIELDS)
_MARK: Final = _u(f.MARK_FIELDS)
_SOURCE_ROW: Final = _u(f.SOURCE_FIELDS)
_NOTE: Final = _u(f.NOTE_FIELDS)
_ACCOUNT: Final = _u(f.ACCOUNT_FIELDS)
_UNSEEN: Final = f.UNSEEN
_LONG: Final = f.LONG


# --- marks


@inlined
def _find(notes: Ints, latest: int, tag: int) -> int:
    """Return the number of the latest note with a tag in the chain that begins with `latest`, 0: none."""
    note = latest
    while note and notes[_u(note - 1) * _NOTE + f.TAG] != tag:
        note = notes[_u(note - 1) * _NOTE + f.NEXT]
    return note


@inlined
def _write(state: Ints, heads: Shorts, notes: Ints, dossier: np.uint64, tag: int, empty: int) -> int:
    """Put a new note in front of the chain of a dossier and return its number; its facts are `empty`."""
    at = _u(state[f.NOTES]) * _NOTE
    note = state[f.NOTES] + 1
    state[f.NOTES] = note
    notes[at + f.TAG] = tag
    notes[at + f.NEXT] = heads[dossier]
    for fact in range(f.FACTS, _NOTE):
        notes[at + fact] = empty
    heads[dossier] = note
    return note  # type: ignore[no-any-return]


@inlined
def _add_bit(state: Ints, heads: Shorts, notes: Ints, dossier: np.uint64, tag: int, bit: int) -> None:
    note = _find(notes, heads[dossier], tag)
    if not note:
        note = _write(state, heads, notes, dossier, tag, 0)
    notes[_u(note - 1) * _NOTE + f.FACTS] |= 1 << bit


@inlined
def _open_chunk(state: Ints, directory: Ints, sources: Ints, bases: Ints, source: np.uint64, time: int) -> None:
    chunk = sources[source * _SOURCE_ROW + f.OPENED]
    sources[source * _SOURCE_ROW + f.OPENED] = chunk + 1
    directory[source * _u(state[f.STRIDE]) + _u(chunk)] = state[f.CHUNKS]
    bases[_u(state[f.CHUNKS])] = time
    state[f.CHUNKS] += 1


@inlined
def _arrival(state: Ints, base: int, arrivals: Shorts, far: Ints, dossier: np.uint64, arrives: int, time: int) -> int:
    """Return when a consignment arrived, which is noted if it `arrives` (1, else 0) at this time."""
    after = _i(arrivals[dossier])
    after += (time - base - after) * arrives
    if 0 <= after < _LONG:
        arrivals[dossier] = after
        return base + after  # type: ignore[return-value]
    if arrives:
        far[_u(state[f.FAR])] = time
        state[f.FAR] += 1
        arrivals[dossier] = -state[f.FAR]
    return far[_u(-1 - arrivals[dossier])]  # type: ignore[no-any-return]


@inlined
def _book(state: Ints, accounts: Ints, row: np.uint64, amount: int, time: int) -> None:
    begin, end = state[f.BEGIN], state[f.END]
    accounts[row + f.ADDED] += amount
    accounts[row + f.AREA] += amount * (end - min(max(time, begin), end))
    if begin <= time < end:
        accounts[row + (f.DEBITED if amount < 0 else f.CREDITED)] += abs(amount)


@inlined
def _tell(
    state: Ints,
    table: Ints,
    mark: np.uint64,
    time: int,
    heads: Shorts,
    notes: Ints,
    truths: Ints,
    dossier: np.uint64,
    child: np.int64,
) -> None:
    """Note what a mark of a measured token says of the passage of a gate and of a truth."""
    if table[mark + f.GATE] >= 0:
        tag = table[mark + f.GATE] << CHILD_BITS | child
        if not table[mark + f.WHAT]:
            note = _write(state, heads, notes, dossier, tag, NEVER)
        else:
            note = _find(notes, heads[dossier], tag)
        if note:
            notes[_u(note - 1) * _NOTE + f.FACTS + _u(table[mark + f.WHAT])] = time
    if table[mark + f.TRUTH] >= 0:
        finding = table[mark + f.FINDING]
        truths[_u(table[mark + f.TRUTH]) * f.FINDINGS + _u(finding)] += 1
        if table[mark + f.TRUTH_NOTE] >= 0:
            owner = table[mark + f.OWNER_BASE] + (child - table[mark + f.OWNER_FIRST]) // table[mark + f.OWNER_SIZE]
            _add_bit(state, heads, notes, dossier, table[mark + f.TRUTH_NOTE] << CHILD_BITS | owner, finding)


@kernel
def fold_marks(
    state: Ints,
    marks: Ints,
    table: Ints,
    sources: Ints,
    directory: Ints,
    bases: Ints,
    arrivals: Shorts,
    far: Ints,
    milestones: Shorts,
    heads: Shorts,
    notes: Ints,
    late: Ints,
    counted: Ints,
    passages: Ints,
    truths: Ints,
    accounts: Ints,
) -> None:
    """Fold some marks, flat: key, time of each."""
    begin, end = state[f.BEGIN], state[f.END]
    width, stride, counts = _u(state[f.MILESTONES]), _u(state[f.STRIDE]), _u(state[f.COUNTS])
    for row in range(_u(0), _u(len(marks)), _TWO):
        key, time = _u(marks[row]), marks[row + _ONE]
        mark = (key >> _KEY) * _MARK
        if not table[mark + f.WANTED]:
            continue
        source, ordinal = key >> _SOURCE & _SOURCE_MASK, key >> _CHILD & _ORDINAL_MASK
        number = _i(ordinal)
        arrives = table[mark + f.ARRIVES]
        own = source * _SOURCE_ROW
        while number >> f.CHUNK_BITS >= sources[own + f.OPENED]:
            _open_chunk(state, directory, sources, bases, source, time)
        sources[own + f.SEEN] = max(sources[own + f.SEEN], number + 1)
        # Ordinals grow with time: the first that arrives after a moment is the least.
        if sources[own + f.FIRST] == _UNSEEN and arrives and time >= begin:
            sources[own + f.FIRST] = number
        if time >= end and sources[own + f.AFTER] == _UNSEEN and arrives:
            sources[own + f.AFTER] = number
        chunk, place = _u(directory[source * stride + (ordinal >> _CHUNK_BITS)]), ordinal & _CHUNK_MASK
        dossier = chunk * _CHUNK + place
        arrived = _arrival(state, bases[chunk], arrivals, far, dossier, arrives, time)
        cell = (chunk * width + _u(table[mark + f.MILESTONE])) * _CHUNK + place
        span = (time - arrived + 1) * table[mark + f.TELLS]
        milestones[cell] = max(_i(milestones[cell]), min(span, _LONG))
        if span >= _LONG:
            at = _u(state[f.LATE]) * _TWO
            state[f.LATE] += 1
            late[at], late[at + _ONE] = _i(cell), span
        child = _i(key & _CHILD_MASK)
        if child and span:
            tag = state[f.REACHED] << CHILD_BITS | child
            _add_bit(state, heads, notes, dossier, tag, table[mark + f.MILESTONE])
        if not table[mark + f.MORE]:
            continue
        inside = begin <= time < end
        if inside and table[mark + f.COUNTED] >= 0:
            counted[source * counts + _u(table[mark + f.COUNTED])] += 1
        if inside and table[mark + f.BEGINS] >= 0:
            passages[_u(table[mark + f.BEGINS]) * _DAY_HOURS + _u(time) // _HOUR % _DAY_HOURS] += 1
        if table[mark + f.ACCOUNT] >= 0:
            _book(state, accounts, _u(table[mark + f.ACCOUNT]) * _ACCOUNT, table[mark + f.AMOUNT], time)
        if sources[own + f.FIRST] <= number < sources[own + f.AFTER]:
            _tell(state, table, mark, time, heads, notes, truths, dossier, child)


@kernel
def fold_inside(
    state: Ints, inside: Ints, owners: Ints, sources: Ints, directory: Ints, heads: Shorts, notes: Ints
) -> None:
    """
    Note with the truths that may yet be found out that somebody is inside who has them.

    `inside`, flat: LEAVE pseudo-step and number of each token. `owners`, flat: step, kind of note, and base, first and
    size of a child's number (see `fold_layout`) for each truth of the tokens that a LEAVE ends; rows of a step
    together.
    """
    stride = _u(state[f.STRIDE])
    for row in range(_u(0), _u(len(inside)), _TWO):
        step, key = inside[row], _u(inside[row + _ONE])
        source, ordinal, child = key >> _SOURCE & _SOURCE_MASK, key >> _CHILD & _ORDINAL_MASK, _i(key & _CHILD_MASK)
        own = source * _SOURCE_ROW
        if not sources[own + f.FIRST] <= _i(ordinal) < sources[own + f.AFTER]:
            continue
        chunk = _u(directory[source * stride + (ordinal >> _CHUNK_BITS)])
        dossier = chunk * _CHUNK + (ordinal & _CHUNK_MASK)
        for at in range(_u(0), _u(len(owners)), _FIVE):
            if owners[at] != step:
                continue
            owner = owners[at + _TWO] + (child - owners[at + _THREE]) // owners[at + _FOUR]
            note = _find(notes, heads[dossier], owners[at + _ONE] << CHILD_BITS | owner)
            if note:
                notes[_u(note - 1) * _NOTE + f.FACTS] |= 1 << _i(f.FINDINGS)


@kernel
def take_back(
    state: Ints,
    inside: Ints,
    reachable: Ints,
    directory: Ints,
    milestones: Shorts,
    heads: Shorts,
    notes: Ints,
    taken: Ints,
) -> int:
    """
    Take back the milestones that a child who is inside has yet to reach; what a consignment itself has yet to reach, it
    has not reached. Return how many were taken back, which `taken` holds then, flat: milestone, number of the token.

    `inside`, flat: LEAVE pseudo-step and number of each token; `reachable`: by step, bits of the milestones that the
    routine which it ends may reach.
    """
    found = _u(0)
    width, stride = _u(state[f.MILESTONES]), _u(state[f.STRIDE])
    for row in range(_u(0), _u(len(inside)), _TWO):
        step, key = _u(inside[row]), _u(inside[row + _ONE])
        source, ordinal, child = key >> _SOURCE & _SOURCE_MASK, key >> _CHILD & _ORDINAL_MASK, _i(key & _CHILD_MASK)
        if not child or not reachable[step]:
            continue
        chunk = _u(directory[source * stride + (ordinal >> _CHUNK_BITS)])
        place = ordinal & _CHUNK_MASK
        note = _find(notes, heads[chunk * _CHUNK + place], state[f.REACHED] << CHILD_BITS | child)
        reached = notes[_u(note - 1) * _NOTE + f.FACTS] if note else 0
        missing = reachable[step] & ~reached
        for milestone in range(_u(0), width):
            cell = (chunk * width + milestone) * _CHUNK + place
            if missing >> _i(milestone) & 1 and milestones[cell]:
                milestones[cell] = 0
                taken[found], taken[found + _ONE] = _i(milestone), _i(key)
                found += _TWO
    return _i(found) // 2  # type: ignore[return-value]


# --- visits


@inlined
def _occupy(cells: Ints, row: np.uint64, first_hour: np.uint64, start: int, stop: int, units: int) -> None:
    """
    Add a stay of `units`, clipped to the window, to the occupancy of a group whose cells begin at `row`.

    A cell holds full hours before it, and the rest within its hour.
    """
    hour = _u(stop) // _HOUR
    cell = row + (hour - first_hour) * _TWO
    if start >= _i(hour * _HOUR):
        cells[cell + _ONE] += units * (stop - start)
        return
    cells[cell] += units
    cells[cell + _ONE] += units * (stop - _i(hour * _HOUR))
    hour = _u(start) // _HOUR
    cell = row + (hour - first_hour) * _TWO
    cells[cell] -= units
    cells[cell + _ONE] -= units * (start - _i(hour * _HOUR))


@kernel
def occupy(cells: Ints, hours: int, first: int, group: Ints, start: Ints, stop: Ints, units: Ints) -> None:
    """Add stays, clipped to the window whose first hour is `first`; group -1: in no group. Rows have `hours` cells."""
    for place in range(len(group)):
        if group[place] >= 0:
            row = _u(group[place] * hours * 2)
            _occupy(cells, row, _u(first), start[place], stop[place], units[place])


@inlined
def _keep(
    state: Ints, steps: Ints, step: np.uint64, wait: int, waits: Shorts, owners: Shorts, late: Ints, number: np.int64
) -> None:
    """Keep a wait of step `number` for quantiles; one of 0 ms is written where the next one will stand."""
    if steps[step + f.KEPT] == steps[step + f.KEPT_END]:
        owners[_u(state[f.WAITS])] = number
        steps[step + f.KEPT] = state[f.WAITS] * f.CHUNK
        steps[step + f.KEPT_END] = steps[step + f.KEPT] + f.CHUNK
        state[f.WAITS] += 1
    waits[_u(steps[step + f.KEPT])] = wait
    if wait >= _LONG:
        waits[_u(steps[step + f.KEPT])] = _LONG
        at = _u(state[f.LATE_WAITS]) * _TWO
        state[f.LATE_WAITS] += 1
        late[at], late[at + _ONE] = number, wait
    steps[step + f.KEPT] += wait != 0


@inlined
def _leave_open(state: Ints, inside: Ints, step: np.int64, what: int | np.int64) -> None:
    """Put down what has not ended when the run ends: the step, and the token inside or when it was queued."""
    at = _u(state[f.INSIDE]) * _TWO
    state[f.INSIDE] += 1
    inside[at], inside[at + _ONE] = step, what


@inlined
def _keep_times(
    state: Ints,
    steps: Ints,
    step: np.uint64,
    number: np.int64,
    wait: int,
    samples: np.int64,
    times: tuple[int, int, int],
    waits: Shorts,
    owners: Shorts,
    late: Ints,
    inside: Ints,
) -> None:
    """
    Keep the wait of a visit of step `number`, and with `samples` its service and its stay (`times`: queued, started,
    ended), or since when these go on; who still waits has yet to be served.
    """
    _keep(state, steps, step, wait, waits, owners, late, number)
    if samples == 0:
        return
    queued, started, ended = times
    if ended == NEVER:
        _leave_open(state, inside, samples, started if started != NEVER else state[f.HORIZON])
        _leave_open(state, inside, samples + 1, queued)
    elif started != NEVER:
        _keep(state, steps, _u(samples) * _STEP, ended - started, waits, owners, late, samples)
        _keep(state, steps, _u(samples + 1) * _STEP, ended - queued, waits, owners, late, samples + 1)


@kernel
def fold_visits(
    state: Ints,
    visits: Ints,
    steps: Ints,
    takes: Ints,
    lanes: Ints,
    sources: Ints,
    busy: Ints,
    waiting: Ints,
    lane_waits: Ints,
    lane_begun: Ints,
    waits: Shorts,
    owners: Shorts,
    late: Ints,
    inside: Ints,
) -> None:
    """Fold some visits, flat: key, queued, started, ended of each."""
    begin, end, horizon = state[f.BEGIN], state[f.END], state[f.HORIZON]
    first_hour = _u(begin) // _HOUR
    for row in range(_u(0), _u(len(visits)), _FOUR):
        key, queued, started, ended = _u(visits[row]), visits[row + _ONE], visits[row + _TWO], visits[row + _THREE]
        step = (key >> _KEY) * _STEP
        source, ordinal = key >> _SOURCE & _SOURCE_MASK, _i(key >> _CHILD & _ORDINAL_MASK)
        own = source * _SOURCE_ROW
        measured = (sources[own + f.FIRST] <= ordinal) & (ordinal < sources[own + f.AFTER])
        wait, service = started - queued, ended - started
        come, start, gone = queued, started, ended
        if not (measured & (queued >= begin) & (started != NEVER) & (ended != NEVER) & (ended <= end)):
            begun, over = started != NEVER, ended != NEVER
            come = min(max(queued, begin), end)
            gone = min(max(ended if over else horizon, begin), end)
            start = min(max(started, begin), end) if begun else gone
            leaves = steps[step + f.KIND] == f.LEAVES
            if not over and (
                (leaves and (key & _CHILD_MASK or (measured and state[f.TRUTHS])))
                or (measured and not begun and not leaves)
            ):
                _leave_open(state, inside, _i(key >> _KEY), _i(key & _NUMBER_MASK) if leaves else queued)
            if measured and begun and not over:
                service = 0
                steps[step + f.OPEN] += 1
                steps[step + f.OPEN_WAIT] += wait
            elif measured and not begun:
                steps[step + (f.GAVE_UP if over else f.STILL_WAIT)] += 1
                steps[step + f.GAVE_UP_WAIT] += over * (ended - queued)
                steps[step + f.GAVE_UP_WAITED] += over & (ended > queued)
                wait = service = 0
                steps[step + f.COUNT] -= 1
            elif not measured:
                wait = service = 0
                steps[step + f.COUNT] -= 1
            steps[step + f.MORE_STAY] += gone - come - wait - service
            steps[step + f.MORE_WAIT] += start - come - wait
        steps[step + f.COUNT] += 1
        steps[step + f.WAIT] += wait
        steps[step + f.SERVICE] += service
        _keep_times(
            state,
            steps,
            step,
            _i(key >> _KEY),
            wait,
            steps[step + f.SAMPLES] * measured,
            (queued, started, ended),
            waits,
            owners,
            late,
            inside,
        )
        units = steps[step + f.UNITS]
        _occupy(busy, _u(steps[step + f.GROUP]), first_hour, start if units else gone, gone, units)
        if not steps[step + f.MORE_ROWS]:
            continue
        since, until = start, gone
        if steps[step + f.KIND] == f.INTERRUPTED:  # while it waits for its unit, the visit of its step seems to use one
            since, until = come, start
        for take in range(_u(steps[step + f.TAKES]), _u(steps[step + f.TAKES_END]), _TWO):
            _occupy(busy, _u(takes[take]), first_hour, since, until, takes[take + _ONE])
        for lane in range(_u(steps[step + f.LANES]), _u(steps[step + f.LANES_END]), _TWO):
            _occupy(waiting, _u(lanes[lane]), first_hour, come, start, 1)
            if measured and started != NEVER:
                at = _u(lanes[lane + _ONE]) + _u(queued) // _HOUR % _DAY_HOURS
                lane_waits[at] += started - queued
                lane_begun[at] += 1


@kernel
def arrange(chunks: Shorts, order: Ints, aside: Shorts) -> None:
    """
    Bring chunks into an order: at each place the one that `order` names, in which they are then counted as done (-1).
    There is room for one chunk `aside`.
    """
    size = len(aside)
    for first in range(len(order)):
        if order[first] < 0:
            continue
        for each in range(size):
            aside[each] = chunks[first * size + each]
        place = first
        while order[place] != first:
            other = order[place]
            for each in range(size):
                chunks[place * size + each] = chunks[other * size + each]
            order[place] = -1
            place = other
        for each in range(size):
            chunks[place * size + each] = aside[each]
        order[place] = -1


@kernel
def count_within(arrivals: Ints, spans: Ints | Shorts, begin: int, end: int) -> int:
    """Return how many of some spans, plus 1 and 0 where there is none, end from `begin` on and before `end`."""
    found = 0
    for place in range(len(arrivals)):
        time = arrivals[place] + spans[place] - 1
        if spans[place] > 0 and begin <= time < end:
            found += 1
    return found
