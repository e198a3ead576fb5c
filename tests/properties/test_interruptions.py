"""
What must hold in every run with preemption and breakdowns, read off the rows alone, on desks made at random.

The schedule of the units is worked out here a second time, from constant times of up and repair and the opening hours.
Times are whole minutes on purpose: many things happen at one instant.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from tests.helper import Timeline, run

END = 600
"""Length of a run in minutes."""

SHIFT = [(60, 200), (260, 420), (470, 600)]
"""Opening hours in minutes of the day."""

LAST = 3
AGAIN = 10
"""The least important level; its tokens come back for so many minutes at once, and are the most important then."""

FEW = 16
MANY = 320
"""Desks in the fast tests and in all."""


@dataclass(frozen=True)
class Desk:
    """A desk made at random: units, rule, and minutes of up and repair; tokens are (level, arrival, service)."""

    units: int
    preempt: bool
    pause: bool
    shift: bool
    whole: bool
    up: int
    repair: int
    tokens: tuple[tuple[int, int, int], ...]

    @classmethod
    def of(cls, seed: int) -> Desk:
        """Return the desk of a seed."""
        luck = random.Random(seed)
        tokens = tuple(
            (luck.randint(1, LAST), 5 * luck.randint(0, 90), 5 * luck.randint(1, 12))
            for _ in range(luck.randint(8, 30))
        )
        preempt, pause, shift, whole = (luck.random() < share for share in (0.75, 0.5, 0.4, 0.5))
        return cls(
            luck.randint(1, 3),
            preempt,
            pause,
            shift,
            whole,
            *(5 * luck.randint(*many) for many in ((6, 50), (1, 10))),
            tokens,
        )

    def text(self) -> str:
        """Return the scenario."""
        hours = ", ".join(f'"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}"' for a, b in SHIFT)
        lines = [
            f'clock: {{start: "2018-09-03", measure: {END} min}}',
            f"calendars: {{shift: {{mon-sun: [{hours}]}}}}",
            "zones:",
            "  Z:",
            "    desk:",
            f"      {{units: {self.units}, open: {'shift' if self.shift else 'always'},",
            f"      at_shift_end: {'pause' if self.pause else 'finish'}, preempt: {str(self.preempt).lower()},",
            f"      breakdowns: {{up: {self.up} min, repair: {self.repair} min, of: {'whole' if self.whole else 'unit'}}}}}",
            "flows:",
        ]
        again = f", again: {{hold: {{d: Z.desk}}, priority: 1, take: {AGAIN} min}}"
        lines += [
            f"  f{level}: {{params: {{t: duration}}, steps: {{work: {{hold: {{d: Z.desk}}, priority: {level}, take: $t}}"
            f"{again if level == LAST else ''}}}}}"
            for level in range(1, LAST + 1)
        ]
        lines.append("traffic:")
        lines += [
            f"  t{number}: {{flow: f{level}, at: [{at} min], with: {{t: {take} min}}}}"
            for number, (level, at, take) in enumerate(self.tokens)
        ]
        return "\n".join(lines) + "\n"

    def opened(self, time: float) -> bool:
        """Return whether the desk is open."""
        return not self.shift or any(begin <= time < end for begin, end in SHIFT)

    def capacity(self, time: float) -> int:
        """Return how many units are open and in order."""
        return self.units if self.opened(time) and time % (self.up + self.repair) < self.up else 0


@dataclass(frozen=True)
class Stay:
    """A token at the desk: level, service, since when it waits, spans in which it has a unit; all in minutes."""

    level: int
    take: int
    waits: tuple[tuple[float, float], ...]
    works: tuple[tuple[float, float], ...]
    ended: bool


def stays(desk: Desk, line: Timeline) -> list[Stay]:
    """Return the stays of a run, read off its rows."""
    found = []
    for step in ("work", "again"):
        stops: dict[str, list[tuple[float, float]]] = {}
        for name, (queued, started, _) in line.rows(f"{step}.interrupted"):
            stops.setdefault(name, []).append((queued, started if started != -1 else END))
        for name, (queued, started, ended) in line.rows(step):
            level, _, take = desk.tokens[int(name[1:-1])]
            own = sorted(stops.pop(name, []))
            begin, until = (started if started != -1 else END), (ended if ended != -1 else END)
            edges = [begin, *(time for stop in own for time in stop), until]
            works = tuple(zip(edges[::2], edges[1::2], strict=True))
            level, take = (level, take) if step == "work" else (1, AGAIN)
            found.append(Stay(level, take, ((queued, begin), *own), works, ended != -1))
        assert not stops
    return found


def within(spans: tuple[tuple[float, float], ...], time: float) -> bool:
    """Return whether a time lies in one of some spans."""
    return any(begin <= time < end for begin, end in spans)


@pytest.mark.parametrize(
    ("first", "last"), [(0, FEW), pytest.param(FEW, MANY, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_what_holds_between_any_two_events(engine, first: int, last: int):
    """
    Between any two events: no unit idles that somebody waits for; where work pauses, no more work goes on than there are
    units; nobody waits for a unit on duty that serves somebody less important, if the desk preempts, and nobody is
    interrupted if it neither preempts nor pauses, or with nothing left to do. All who have ended have worked as long as they
    should, in open time.
    """
    for seed in range(first, last):
        desk = Desk.of(seed)
        line = run(desk.text(), engine=engine)
        rows = stays(desk, line)
        times = sorted({time for each in rows for span in (*each.waits, *each.works) for time in span})
        edges = {edge for span in SHIFT for edge in span} | {
            edge for cycle in range(0, END, desk.up + desk.repair) for edge in (cycle, cycle + desk.up)
        }
        times = sorted({*times, *(edge for edge in edges if edge < END), 0, END})
        for begin, end in zip(times[:-1], times[1:], strict=True):
            time = (begin + end) / 2
            waiting = [each.level for each in rows if within(each.waits, time)]
            served = [each.level for each in rows if within(each.works, time)]
            capacity = desk.capacity(time)
            assert not waiting or len(served) >= capacity, (seed, time)
            if desk.pause and desk.opened(time):
                assert len(served) <= capacity, (seed, time)
            if desk.preempt and waiting and served and len(served) <= capacity:
                assert min(waiting) >= max(served), (seed, time)
        for each in rows:
            assert desk.preempt or desk.pause or len(each.works) == 1, seed
            assert worked(desk, each.works[:-1]) < each.take, seed
            if each.ended:
                assert worked(desk, each.works) == each.take, seed


def worked(desk: Desk, works: tuple[tuple[float, float], ...]) -> float:
    """Return the minutes worked in some spans: with `pause` only open time counts."""
    if not (desk.pause and desk.shift):
        return sum(end - begin for begin, end in works)
    return sum(max(0, min(end, closes) - max(begin, opens)) for begin, end in works for opens, closes in SHIFT)
