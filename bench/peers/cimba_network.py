"""
cimba: models in Python that numba compiles onto a C library; a process for each consignment, resources and data sets.

What it compiles, once a process, is told apart from the run by cimba itself and not part of its seconds.
"""

from __future__ import annotations

from functools import cache
from time import process_time
from typing import Any

import cimba as cb
import numpy as np
from cimba import random

from bench import workload
from bench.answers import Answers
from bench.workload import CLASSES

ENTRY, EXIT, DOCUMENTS, INSPECTION = workload.ENTRY, workload.EXIT, workload.DOCUMENTS, workload.INSPECTION
SHARES, INTERARRIVAL, YARD, SERVICE = (
    workload.CLASS_SHARES,
    workload.INTERARRIVAL,
    workload.YARD,
    workload.SERVICE,
)
INSPECTED = tuple(workload.INSPECTED[klass] for klass in CLASSES)


class Station(cb.Model):
    """Units, and how long people waited for them."""

    units: cb.Resource = cb.Resource()
    waits: cb.Dataset = cb.Dataset()  # type: ignore[no-untyped-call]
    wait: cb.Output[float]
    use: cb.Output[float]

    def __init__(self, units: int) -> None:
        self.units.initial_capacity = units

    @cb.on_end  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Tell the means."""
        self.wait = self.waits.sample_mean()
        self.use = self.units.utilization()


class Kind(cb.Model):
    """What is known of a class of consignments."""

    stays: cb.Dataset = cb.Dataset()  # type: ignore[no-untyped-call]
    waits: cb.Dataset = cb.Dataset()  # type: ignore[no-untyped-call]
    wait: cb.Output[float]

    def __init__(self) -> None:
        self.stays.capture()

    @cb.on_end  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Tell the mean wait at the inspection."""
        self.wait = self.waits.sample_mean()


class Consignment(cb.Model):
    """A consignment that goes through the gate."""

    gate: cb.Ref[Gate]
    klass: int

    @cb.process
    def go(self) -> None:
        """Go through the gate."""
        gate, klass, arrived = self.gate, self.klass, cb.now()
        gate.documents.units.acquire(1)
        gate.documents.waits.record(cb.now() - arrived)
        cb.hold(random.lognormal(DOCUMENTS[0], DOCUMENTS[1]))
        gate.documents.units.release(1)
        queued = cb.now()
        gate.entry.units.acquire(1)
        gate.entry.waits.record(cb.now() - queued)
        cb.hold(random.triangular(ENTRY[0], ENTRY[1], ENTRY[2]))
        gate.entry.units.release(1)
        if random.bernoulli(INSPECTED[klass]):
            queued = cb.now()
            gate.inspection.units.acquire(1, priority=klass)
            gate.inspection.waits.record(cb.now() - queued)
            gate.kinds[klass].waits.record(cb.now() - queued)
            cb.hold(random.lognormal(INSPECTION[0], INSPECTION[1]))
            gate.inspection.units.release(1)
        cb.hold(random.exponential(YARD))
        queued = cb.now()
        gate.exit.units.acquire(1)
        gate.exit.waits.record(cb.now() - queued)
        cb.hold(random.triangular(EXIT[0], EXIT[1], EXIT[2]))
        gate.exit.units.release(1)
        gate.kinds[klass].stays.record(cb.now() - arrived)
        cb.release(self)


class Gate(cb.Model):
    """All of it."""

    documents: Station
    entry: Station
    inspection: Station
    exit: Station
    kinds: list[Kind]

    def __init__(self) -> None:
        for name, units in workload.STATIONS.items():
            setattr(self, name, Station(units))
        self.kinds = [Kind() for _ in CLASSES]

    @cb.process
    def arrivals(self) -> None:
        """Let consignments come."""
        while True:
            cb.hold(random.exponential(INTERARRIVAL))
            cb.spawn(Consignment, gate=self, klass=random.categorical(SHARES))


class Line(cb.Model):
    """The single line, as cimba's own first example: one process puts in who comes, another one serves."""

    queue: cb.Store[float] = cb.Store()
    waits: cb.Dataset = cb.Dataset()  # type: ignore[no-untyped-call]
    left: int = 0
    busy: float = 0.0
    completed: cb.Output[float]
    wait: cb.Output[float]
    use: cb.Output[float]

    @cb.process
    def arrivals(self) -> None:
        """Let consignments come."""
        while True:
            cb.hold(random.exponential(INTERARRIVAL))
            self.queue.put(cb.now())

    @cb.process
    def officer(self) -> None:
        """Work on one after the other; the last one may not be done at the end."""
        while True:
            came = self.queue.get()
            self.waits.record(cb.now() - came)
            takes = random.exponential(SERVICE)
            cb.hold(takes)
            self.busy += takes
            self.left += 1

    @cb.on_end  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Tell the answers."""
        self.completed = float(self.left)
        self.wait = self.waits.sample_mean()
        self.use = self.busy / cb.now()


@cache
def compiled(model: type[cb.Model]) -> Any:  # noqa: ANN401  it carries no types
    """Return a model, compiled in a run that is not measured."""
    found = model()
    cb.Experiment(found, window=cb.Window(duration=1.0)).run(workers=1)
    return found


def run_single(horizon: float, seed: int) -> Answers:
    """Run the single line for `horizon` minutes."""
    line = compiled(Line)
    began = process_time()
    found = cb.Experiment(line, window=cb.Window(duration=horizon), seed=seed).run(workers=1)
    values = {name: float(getattr(found[line], name)[0, 0]) for name in ("completed", "wait", "use")}
    return Answers(values, process_time() - began)


def run(horizon: float, seed: int) -> Answers:
    """Run the gate network for `horizon` minutes."""
    gate = compiled(Gate)
    began = process_time()
    found = cb.Experiment(gate, window=cb.Window(duration=horizon), seed=seed).run(workers=1)
    stays = {klass: found[kind].stays.trial(0, 0)[1] for klass, kind in zip(CLASSES, gate.kinds, strict=True)}
    everybody = np.concatenate(list(stays.values()))
    values = {
        "completed": float(len(everybody)),
        "stay.mean": float(everybody.mean()),
        "stay.p95": float(np.quantile(everybody, 0.95)),
    }
    for klass, kind in zip(CLASSES, gate.kinds, strict=True):
        values[f"stay.{klass}"] = float(stays[klass].mean())
        values[f"wait.inspection.{klass}"] = float(found[kind].wait[0, 0])
    for name in workload.STATIONS:
        station = found[getattr(gate, name)]
        values[f"wait.{name}"], values[f"use.{name}"] = float(station.wait[0, 0]), float(station.use[0, 0])
    return Answers(values, process_time() - began)
