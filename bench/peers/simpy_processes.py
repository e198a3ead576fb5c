"""SimPy as its documentation teaches it: a process for each consignment, resources with `with`."""

from __future__ import annotations

import random
from collections.abc import Generator
from typing import Any

import simpy

from bench import workload
from bench.answers import Answers, Notes, mean

Process = Generator[simpy.Event, Any, None]

RANK = {"C": 0, "B": 1, "A": 2}
ENTRY = (workload.ENTRY[0], workload.ENTRY[2], workload.ENTRY[1])
EXIT = (workload.EXIT[0], workload.EXIT[2], workload.EXIT[1])
"""As `random.triangular` wants them: low, high, mode."""

CUMULATIVE = (0.6, 0.9, 1.0)


class Gate:
    """The stations, and what happens to a consignment at them."""

    def __init__(self, env: simpy.Environment, rng: random.Random, horizon: float) -> None:
        self.env = env
        self.rng = rng
        self.horizon = horizon
        self.notes = Notes()
        self.officers = simpy.Resource(env, workload.OFFICERS)
        self.lanes_in = simpy.Resource(env, workload.LANES_IN)
        self.bays = simpy.PriorityResource(env, workload.BAYS)
        self.lanes_out = simpy.Resource(env, workload.LANES_OUT)

    def arrivals(self) -> Process:
        """Let consignments come."""
        while True:
            yield self.env.timeout(self.rng.expovariate(1 / workload.INTERARRIVAL))
            klass = self.rng.choices(workload.CLASSES, cum_weights=CUMULATIVE)[0]
            self.env.process(self.consignment(klass))

    def consignment(self, klass: str) -> Process:
        """Go through the gate."""
        env, rng, notes = self.env, self.rng, self.notes
        arrived = env.now
        with self.officers.request() as request:
            yield request
            notes.waits["documents"][klass].append(env.now - arrived)
            takes = rng.lognormvariate(*workload.DOCUMENTS)
            self.use("documents", takes)
            yield env.timeout(takes)
        queued = env.now
        with self.lanes_in.request() as request:
            yield request
            notes.waits["entry"][klass].append(env.now - queued)
            takes = rng.triangular(*ENTRY)
            self.use("entry", takes)
            yield env.timeout(takes)
        if rng.random() < workload.INSPECTED[klass]:
            queued = env.now
            with self.bays.request(priority=RANK[klass]) as request:
                yield request
                notes.waits["inspection"][klass].append(env.now - queued)
                takes = rng.lognormvariate(*workload.INSPECTION)
                self.use("inspection", takes)
                yield env.timeout(takes)
        yield env.timeout(rng.expovariate(1 / workload.YARD))
        queued = env.now
        with self.lanes_out.request() as request:
            yield request
            notes.waits["exit"][klass].append(env.now - queued)
            takes = rng.triangular(*EXIT)
            self.use("exit", takes)
            yield env.timeout(takes)
        notes.stays[klass].append(env.now - arrived)

    def use(self, station: str, takes: float) -> None:
        """Note that a unit is used from now on, up to the horizon at most."""
        self.notes.busy[station] += min(takes, self.horizon - self.env.now)


def run(horizon: float, seed: int) -> Answers:
    """Run the gate network for `horizon` minutes."""
    env = simpy.Environment()
    gate = Gate(env, random.Random(seed), horizon)
    env.process(gate.arrivals())
    env.run(until=horizon)
    return gate.notes.answers(horizon)


class Line:
    """The single line."""

    def __init__(self, env: simpy.Environment, rng: random.Random, horizon: float) -> None:
        self.env, self.rng, self.horizon = env, rng, horizon
        self.officer = simpy.Resource(env)
        self.waits: list[float] = []
        self.completed, self.busy = 0, 0.0

    def arrivals(self) -> Process:
        """Let consignments come."""
        while True:
            yield self.env.timeout(self.rng.expovariate(1 / workload.INTERARRIVAL))
            self.env.process(self.consignment())

    def consignment(self) -> Process:
        """Wait for the officer and for the work to be done."""
        queued = self.env.now
        with self.officer.request() as request:
            yield request
            self.waits.append(self.env.now - queued)
            takes = self.rng.expovariate(1 / workload.SERVICE)
            self.busy += min(takes, self.horizon - self.env.now)
            yield self.env.timeout(takes)
        self.completed += 1


def run_single(horizon: float, seed: int) -> Answers:
    """Run the single line for `horizon` minutes."""
    env = simpy.Environment()
    line = Line(env, random.Random(seed), horizon)
    env.process(line.arrivals())
    env.run(until=horizon)
    return Answers({"completed": float(line.completed), "wait": mean(line.waits), "use": line.busy / horizon})
