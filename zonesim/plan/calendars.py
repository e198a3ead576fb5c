"""Weekly opening hours laid out over the days of a run."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from zonesim.units import DAY, WEEK

Span = tuple[int, int]


def monday_offset(start: str) -> int:
    """Return how far, in ms, the run's start (a date, 00:00) lies behind Monday 00:00 of its week."""
    return datetime.date.fromisoformat(start).weekday() * DAY


def open_spans(week: Sequence[Span], offset: int, until: int) -> list[Span]:
    """
    Return the open spans of a run, in ms from its start, clipped to [0, until) and merged where they touch.

    `week` holds the spans of a week from Monday 00:00, in order; `offset` is `monday_offset` of the run's start.
    """
    spans: list[Span] = []
    for first in range(-offset, until, WEEK):
        for begin, end in week:
            low, high = max(first + begin, 0), min(first + end, until)
            if low >= high:
                continue
            if spans and spans[-1][1] == low:
                spans[-1] = (spans[-1][0], high)
            else:
                spans.append((low, high))
    return spans


def capacity_changes(spans: Sequence[Span], units: int, until: int) -> list[Span]:
    """
    Return (time, units from then on) for a resource that has `units` in open spans and none else; the first is at
    time 0.
    """
    changes = [] if spans and spans[0][0] == 0 else [(0, 0)]
    for begin, end in spans:
        changes.append((begin, units))
        if end < until:
            changes.append((end, 0))
    return changes
