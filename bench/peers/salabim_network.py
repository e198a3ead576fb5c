"""
salabim with `yield`: components, resources and its own monitors; no trace, no animation.

Its other mode, without `yield`, needs greenlets and does the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import salabim as sim

from bench import workload
from bench.answers import Answers

RANK = {"C": 0, "B": 1, "A": 2}


class Consignment(sim.Component):  # type: ignore[misc]  # it ships no types
    """A consignment that goes through the gate."""

    def setup(self, gate: Gate) -> None:
        """Begin."""
        self.gate = gate
        self.klass = gate.classes.sample()

    def process(self) -> Iterator[Any]:
        """Go through the gate."""
        gate, arrived = self.gate, self.env.now()
        yield self.request(gate.officers)
        yield self.hold(gate.documents)
        self.release(gate.officers)
        yield self.request(gate.lanes_in)
        yield self.hold(gate.entry)
        self.release(gate.lanes_in)
        if self.env.random.random() < workload.INSPECTED[self.klass]:
            queued = self.env.now()
            yield self.request((gate.bays, 1, RANK[self.klass]))
            gate.inspection_waits[self.klass].tally(self.env.now() - queued)
            yield self.hold(gate.inspection)
            self.release(gate.bays)
        yield self.hold(gate.yard)
        yield self.request(gate.lanes_out)
        yield self.hold(gate.exit)
        self.release(gate.lanes_out)
        gate.stays[self.klass].tally(self.env.now() - arrived)


class Gate:
    """Resources, laws and monitors."""

    def __init__(self, env: sim.Environment) -> None:
        self.officers = sim.Resource("officers", workload.OFFICERS, env=env)
        self.lanes_in = sim.Resource("lanes_in", workload.LANES_IN, env=env)
        self.bays = sim.Resource("bays", workload.BAYS, env=env)
        self.lanes_out = sim.Resource("lanes_out", workload.LANES_OUT, env=env)
        self.stations = {
            "documents": self.officers,
            "entry": self.lanes_in,
            "inspection": self.bays,
            "exit": self.lanes_out,
        }
        low, mode, high = workload.ENTRY
        least, likely, most = workload.EXIT
        self.entry = sim.Triangular(low, high, mode, env=env)
        self.exit = sim.Triangular(least, most, likely, env=env)
        self.yard = sim.Exponential(workload.YARD, env=env)
        self.documents = sim.External(env.random.lognormvariate, *workload.DOCUMENTS, env=env)
        self.inspection = sim.External(env.random.lognormvariate, *workload.INSPECTION, env=env)
        self.classes = sim.Pdf(workload.CLASSES, workload.CLASS_SHARES, env=env)
        self.stays = {klass: sim.Monitor(f"stay {klass}", env=env) for klass in workload.CLASSES}
        self.inspection_waits = {klass: sim.Monitor(f"wait {klass}", env=env) for klass in workload.CLASSES}


def run(horizon: float, seed: int) -> Answers:
    """Run the gate network for `horizon` minutes."""
    env = sim.Environment(trace=False, random_seed=seed, yieldless=False)
    gate = Gate(env)
    sim.ComponentGenerator(Consignment, iat=sim.Exponential(workload.INTERARRIVAL, env=env), gate=gate, env=env)
    env.run(till=horizon)
    everybody = sum(gate.stays.values(), start=sim.Monitor("stay", env=env))
    values = {
        "completed": float(everybody.number_of_entries()),
        "stay.mean": everybody.mean(),
        "stay.p95": everybody.percentile(95),
    }
    for klass in workload.CLASSES:
        values[f"stay.{klass}"] = gate.stays[klass].mean()
        values[f"wait.inspection.{klass}"] = gate.inspection_waits[klass].mean()
    for station, resource in gate.stations.items():
        values[f"wait.{station}"] = resource.requesters().length_of_stay.mean()
        values[f"use.{station}"] = resource.occupancy.mean()
    return Answers(values)
