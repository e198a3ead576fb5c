"""
SimPy tuned by hand: its event list and clock alone, with callbacks for processes and our own counters for resources.

It schedules one event for each arrival, end of service and end of delay, and none for a grant.
"""

# ruff: noqa: SLF001  what SimPy keeps to itself is read without its properties, for speed
from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

import simpy
from simpy.events import NORMAL

from bench import workload
from bench.answers import Answers, Notes

RANK = {"C": 0, "B": 1, "A": 2}


class Event:
    """The least that SimPy's event list asks of an event."""

    __slots__ = ("_defused", "_ok", "_value", "callbacks")
    _value: Any

    def __init__(self, callback: Callable[[Any], None], value: object) -> None:
        self.callbacks = (callback,)
        self._ok = True
        self._value = value
        self._defused = False


class Consignment:
    """A consignment, and since when it waits."""

    __slots__ = ("arrived", "klass", "queued")

    def __init__(self, arrived: float, klass: str) -> None:
        self.arrived = arrived
        self.klass = klass
        self.queued = arrived


class Station:
    """Units with a line, first come first served."""

    def __init__(self, gate: Gate, name: str, takes: Callable[[], float], then: Callable[[Consignment], None]) -> None:
        self.env = gate.env
        self.horizon = gate.horizon
        self.free = workload.STATIONS[name]
        self.takes = takes
        self.then = then
        self.busy = 0.0
        self.waits = {klass: waits.append for klass, waits in gate.notes.waits[name].items()}
        self.line: Any = deque()
        self.ended = self.end

    def enter(self, consignment: Consignment) -> None:
        """Join the line, or start at once."""
        consignment.queued = self.env._now
        if self.free:
            self.free -= 1
            self.start(consignment)
        else:
            self.wait(consignment)

    def start(self, consignment: Consignment) -> None:
        """Use a unit that has been taken."""
        env = self.env
        now, takes = env._now, self.takes()
        self.waits[consignment.klass](now - consignment.queued)
        self.busy += takes if now + takes < self.horizon else self.horizon - now
        env.schedule(Event(self.ended, consignment), NORMAL, takes)

    def end(self, event: Event) -> None:
        """Give the unit to the next in line, and go on."""
        if self.line:
            self.start(self.next())
        else:
            self.free += 1
        self.then(event._value)

    def wait(self, consignment: Consignment) -> None:
        """Join the line."""
        self.line.append(consignment)

    def next(self) -> Consignment:
        """Take the first out of the line."""
        first: Consignment = self.line.popleft()
        return first


class PriorityStation(Station):
    """Units with a line by class."""

    def __init__(self, gate: Gate, name: str, takes: Callable[[], float], then: Callable[[Consignment], None]) -> None:
        super().__init__(gate, name, takes, then)
        self.line = []
        self.joined = 0

    def wait(self, consignment: Consignment) -> None:
        """Join the line."""
        self.joined += 1
        heappush(self.line, (RANK[consignment.klass], self.joined, consignment))

    def next(self) -> Consignment:
        """Take the first out of the line."""
        first: Consignment = heappop(self.line)[2]
        return first


class Gate:
    """The stations one behind the other."""

    def __init__(self, env: Any, seed: int, horizon: float) -> None:  # noqa: ANN401  SimPy types events more narrowly
        self.env = env
        self.horizon = horizon
        self.notes = Notes()
        rng = random.Random(seed)
        self.uniform, self.expovariate = rng.random, rng.expovariate
        lognormal, triangular = rng.lognormvariate, rng.triangular
        low, mode, high = workload.EXIT
        self.exit = Station(self, "exit", lambda: triangular(low, high, mode), self.leave)
        self.inspection = PriorityStation(self, "inspection", lambda: lognormal(*workload.INSPECTION), self.park)
        least, likely, most = workload.ENTRY
        self.entry = Station(self, "entry", lambda: triangular(least, most, likely), self.choose)
        self.documents = Station(self, "documents", lambda: lognormal(*workload.DOCUMENTS), self.entry.enter)
        self.parked, self.arrived = self.unpark, self.arrive
        self.next_arrival()

    def next_arrival(self) -> None:
        """Let the next consignment come."""
        self.env.schedule(Event(self.arrived, None), NORMAL, self.expovariate(1 / workload.INTERARRIVAL))

    def arrive(self, _: Event) -> None:
        """Begin."""
        self.next_arrival()
        u = self.uniform()
        klass = "A" if u < 0.6 else "B" if u < 0.9 else "C"  # noqa: PLR2004  the cumulative shares
        self.documents.enter(Consignment(self.env._now, klass))

    def choose(self, consignment: Consignment) -> None:
        """Go to the inspection, or past it."""
        if self.uniform() < workload.INSPECTED[consignment.klass]:
            self.inspection.enter(consignment)
        else:
            self.park(consignment)

    def park(self, consignment: Consignment) -> None:
        """Stay in the yard."""
        self.env.schedule(Event(self.parked, consignment), NORMAL, self.expovariate(1 / workload.YARD))

    def unpark(self, event: Event) -> None:
        """Go to the exit."""
        self.exit.enter(event._value)

    def leave(self, consignment: Consignment) -> None:
        """End."""
        self.notes.stays[consignment.klass].append(self.env._now - consignment.arrived)


def run(horizon: float, seed: int) -> Answers:
    """Run the gate network for `horizon` minutes."""
    env = simpy.Environment()
    gate = Gate(env, seed, horizon)
    env.run(until=horizon)
    for name, station in (
        ("documents", gate.documents),
        ("entry", gate.entry),
        ("inspection", gate.inspection),
        ("exit", gate.exit),
    ):
        gate.notes.busy[name] = station.busy
    return gate.notes.answers(horizon)
