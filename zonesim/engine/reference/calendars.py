"""Open time: what calendars are asked in the reference engine."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from zonesim.plan import NOWHERE, Plan


class Calendars:
    """The open spans of each calendar up to the horizon: opens, closes (ms), open ms before."""

    def __init__(self, plan: Plan) -> None:
        self.horizon = plan.horizon
        self.spans: list[list[tuple[int, int, int]]] = [
            plan.spans_of(calendar).tolist() for calendar in range(len(plan.calendars))
        ]

    def end_of(self, calendar: int, now: int, duration: int) -> int:
        """
        Return when `duration` of a calendar's open time (NOWHERE: of any time) has passed; the horizon: not in this
        run. Exactly at closing still counts, 0 ends at once.
        """
        if calendar == NOWHERE:
            return now + duration
        if duration == 0:
            return now
        spans = self.spans[calendar]
        if not spans:
            return self.horizon
        due = self._open_before(calendar, now) + duration
        opens, closes, before = spans[bisect_left(spans, due, key=lambda span: span[2]) - 1]
        return opens + due - before if due <= before + closes - opens else self.horizon

    def passed(self, calendar: int, begin: int, end: int) -> int:
        """Return how much of a calendar's open time (NOWHERE: of any time) lies between two times."""
        if calendar == NOWHERE:
            return end - begin
        return self._open_before(calendar, end) - self._open_before(calendar, begin)

    def next_opening(self, calendar: int, now: int) -> int:
        """Return when a calendar opens next, now included; NOWHERE: not again in this run."""
        spans = self.spans[calendar]
        row = bisect_left(spans, now, key=lambda span: span[0])
        return spans[row][0] if row < len(spans) else NOWHERE

    def next_closing(self, calendar: int, now: int) -> int:
        """Return when a calendar closes next, later than now; NOWHERE: not again in this run."""
        return next((closes for _, closes, _ in self.spans[calendar] if closes > now), NOWHERE)

    def until_open(self, calendar: int, now: int) -> int:
        """Return `now` while a calendar is open, else when it opens next; NOWHERE: not again in this run."""
        return now if now < self._closes(calendar, now) else self.next_opening(calendar, now)

    def until_shut(self, calendar: int, now: int) -> int:
        """Return when the open span around `now` closes, `now` itself while the calendar is shut."""
        return max(now, self._closes(calendar, now))

    def _closes(self, calendar: int, now: int) -> int:
        """Return when the last span that has opened by now closes or has closed; NOWHERE: none has opened."""
        spans = self.spans[calendar]
        row = bisect_right(spans, now, key=lambda span: span[0]) - 1
        return spans[row][1] if row >= 0 else NOWHERE

    def _open_before(self, calendar: int, time: int) -> int:
        """Return how much open time there is before `time`."""
        spans = self.spans[calendar]
        row = bisect_right(spans, time, key=lambda span: span[0]) - 1
        if row < 0:
            return 0
        opens, closes, before = spans[row]
        return before + min(time, closes) - opens
