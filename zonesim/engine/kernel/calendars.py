"""Open time: what calendars are asked. The clock only goes on, so a span is looked for from the last one on."""

from __future__ import annotations

from zonesim.compiled.jit import kernel
from zonesim.engine.kernel.layout import Hours, Record, at, wide


@kernel
def _last_opened(s: Record, hours: Hours, calendar: int) -> int:
    """Return the last span of a calendar that has opened by now (-1: none)."""
    own = hours.calendars[at(calendar)]
    position = hours.last_opened[at(calendar)]
    while position + 1 < own.spans and hours.spans[at(own.first_span + position + 1)].opens <= s.now:
        position += 1
    hours.last_opened[at(calendar)] = position
    return position


@kernel
def end_of(s: Record, hours: Hours, calendar: int, duration: int) -> int:
    """
    Return when `duration` of a calendar's open time (-1: of any time) has passed; the horizon: not in this run. Exactly
    at closing still counts, 0 ends at once.
    """
    if calendar < 0:
        return s.now + duration
    if duration == 0:
        return s.now
    own = hours.calendars[at(calendar)]
    if own.spans == 0:
        return s.horizon
    position = _last_opened(s, hours, calendar)
    due = duration
    if position >= 0:
        span = hours.spans[at(own.first_span + position)]
        due += span.open_before + min(s.now, span.closes) - span.opens
    position = max(position, 0)
    while position + 1 < own.spans and hours.spans[at(own.first_span + position + 1)].open_before < due:
        position += 1
    span = hours.spans[at(own.first_span + position)]
    rest = due - span.open_before
    return span.opens + rest if rest <= span.closes - span.opens else s.horizon


@kernel
def next_opening(s: Record, hours: Hours, calendar: int, after: int) -> int:
    """Return when a calendar opens next, now included unless it has to be `after` that; -1: not again in this run."""
    own = hours.calendars[at(calendar)]
    position = _last_opened(s, hours, calendar)
    if after == 0 and position >= 0 and hours.spans[at(own.first_span + position)].opens == s.now:
        return s.now
    if position + 1 < own.spans:
        return hours.spans[at(own.first_span + position + 1)].opens
    return -1


@kernel
def instant_after(s: Record, hours: Hours, calendar: int, time: int, closing: int) -> int:
    """
    Return when a calendar opens next from a `time` of now or later on, that included, or when it closes next later than
    that; -1: not again in this run.
    """
    own = hours.calendars[at(calendar)]
    position = max(_last_opened(s, hours, calendar), 0)
    while position < own.spans:
        span = hours.spans[at(own.first_span + position)]
        if closing != 0 and span.closes > time:
            return span.closes
        if closing == 0 and span.opens >= time:
            return span.opens
        position += 1
    return -1


@kernel
def instant_of(s: Record, hours: Hours, calendar: int, closing: int) -> int:
    """Return when a calendar is open (or shut) next, now included; -1: not again in this run."""
    position = _last_opened(s, hours, calendar)
    closes = -1
    if position >= 0:
        closes = hours.spans[at(hours.calendars[at(calendar)].first_span + position)].closes
    if closing != 0:
        return max(s.now, closes)
    return s.now if s.now < closes else next_opening(s, hours, calendar, wide(0))


@kernel
def passed(s: Record, hours: Hours, calendar: int) -> int:
    """Return how much time has passed by now, or how much open time of a calendar."""
    if calendar < 0:
        return s.now
    position = _last_opened(s, hours, calendar)
    if position < 0:
        return 0
    span = hours.spans[at(hours.calendars[at(calendar)].first_span + position)]
    return span.open_before + min(s.now, span.closes) - span.opens
