"""What tests of whole runs share: from YAML text to visits and marks that can be compared with a hand-made timeline."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from zonesim.compiled.streams import run_key
from zonesim.engine import ENGINES as ALL_ENGINES
from zonesim.engine import recursion
from zonesim.kpi import Reducer, RunResult, measure
from zonesim.plan import NUMBER_BITS, Plan, RowLog, Totals, compile_plan, number_of, place_of
from zonesim.policy import Arm, ResolvedTree, apply, baseline, load_world, parse_setting, resolve, world_of
from zonesim.scenario import Measure, check, load_catalogue, read_text
from zonesim.units import MINUTE

ROOT = Path(__file__).resolve().parent.parent

ENGINES = {name: engine for name, engine in ALL_ENGINES.items() if name != "recursion"}
"""Engines that run every plan."""


def shipped() -> list:
    """Return the shipped scenarios as parameters; that of the province, with 21 zones, is for the slow suite."""
    return [
        pytest.param(path, id=path.stem, marks=pytest.mark.slow if path.stem == "jiangsu_2019" else ())
        for path in sorted((ROOT / "scenarios").glob("*.yaml"))
    ]


HEAD = """\
zonesim: 1
kind: scenario
name: timeline
"""


@dataclass
class Timeline:
    """A run told in minutes; -1 stays -1."""

    plan: Plan
    sink: RowLog
    totals: Totals

    def visits(self, step: str) -> dict[str, tuple[float, float, float]]:
        """Return (queued, started, ended) at a step by token: `entry0`, `entry0/1` for a child; the last visit of each."""
        return dict(self.rows(step))

    def rows(self, step: str) -> list[tuple[str, tuple[float, float, float]]]:
        """Return the visits of a step in the order in which they ended."""
        found = []
        for key, *times in self.sink.visits.tolist():
            if ".".join(self.plan.names.steps[key >> NUMBER_BITS].path) == step:
                found.append((self.name(key & (1 << NUMBER_BITS) - 1), tuple(_minutes(time) for time in times)))
        return found

    def starts(self, step: str) -> dict[str, float]:
        """Return when each token started at a step."""
        return {name: times[1] for name, times in self.visits(step).items()}

    def ends(self, step: str) -> dict[str, float]:
        """Return when each token ended at a step."""
        return {name: times[2] for name, times in self.visits(step).items()}

    def marks(self, mark: str) -> dict[str, float]:
        """Return the time of a mark by token; the last of each."""
        found = {}
        for key, when in self.sink.marks.tolist():
            if self.plan.names.marks[key >> NUMBER_BITS].name == mark:
                found[self.name(key & (1 << NUMBER_BITS) - 1)] = _minutes(when)
        return found

    def name(self, number: int) -> str:
        """Return how a token is called here."""
        return self.plan.names.token(number).replace("#", "")


def _minutes(time: int) -> float:
    return time if time == -1 else time / MINUTE


def plan_of(text: str, *settings: str, arm: Arm | None = None) -> Plan:
    """Return the plan of a scenario text (with or without the head lines) in its baseline, after edits like those of --set."""
    body = text if "kind: scenario" in text else HEAD + text
    return plan_of_world(world_of(read_text(body, "timeline.yaml")), *settings, arm=arm)


def plan_of_file(path: Path, *settings: str, arm: Arm | None = None) -> Plan:
    """Return the plan of a scenario file."""
    return plan_of_world(load_world(path), *settings, arm=arm)


def plan_of_world(world: ResolvedTree, *settings: str, arm: Arm | None = None) -> Plan:
    """Return the plan of a world."""
    apply(world, [parse_setting(setting) for setting in settings])
    return compile_plan(resolve(world, arm or baseline(world)))


def run(text: str, *settings: str, engine: str = "compiled", seed: int = 1, replication: int = 0) -> Timeline:
    """Run a scenario text and return its timeline; every run also proves its time integrals."""
    return run_plan(plan_of(text, *settings), engine=engine, seed=seed, replication=replication)


def run_plan(plan: Plan, *, engine: str = "compiled", seed: int = 1, replication: int = 0) -> Timeline:
    """Run a plan and return its timeline; one that qualifies for the recursion is run by that as well."""
    sink = RowLog()
    totals = ENGINES[engine](plan, seed, replication, sink)
    if engine == "compiled" and not recursion.qualifies(plan):
        other = RowLog()
        again = recursion.simulate(plan, seed, replication, other)
        assert other.visits.tobytes() == sink.visits.tobytes()
        assert other.marks.tobytes() == sink.marks.tobytes()
        assert str(again) == str(totals)
    reducer = Reducer(plan)
    for block in sink.blocks:
        reducer.take(block)
    reducer.finish(totals)
    return Timeline(plan, sink, totals)


def kpis(plan: Plan, *, seed: int = 1, replications: int = 1, engine: str = "compiled") -> list[RunResult]:
    """Return the KPIs of some replications."""
    found = []
    for replication in range(replications):
        reducer = Reducer(plan)
        totals = ENGINES[engine](plan, seed, replication, reducer)
        found.append(measure(plan, reducer, totals, {}, run_key(seed, replication)))
    return found


def column(results: Sequence[RunResult], kpi: str) -> np.ndarray:
    """Return one KPI over replications."""
    return np.array([result.values[kpi] for result in results])


def add_measure(monkeypatch: pytest.MonkeyPatch, text: str) -> Measure:
    """Put a measure, written without its head lines, into the library for the length of a test."""
    head = 'zonesim: 1\nkind: measure\nlabel: {en: A test, zh: 试验}\nbasis: [{text: none, date: "2019-06-07"}]\n'
    document = read_text(head + text, f"library/measures/{text.split()[1]}.yaml")
    measure = check(Measure, document.tree, document.places, document.keys, file=document.file)
    library = load_catalogue()
    monkeypatch.setitem(library.measures, measure.name, measure)
    monkeypatch.setitem(library.documents, measure.name, document)
    return measure


def gone(group: int) -> bool:
    """Return whether every process of a group ends within 5 seconds, the time the system takes to clear them away."""
    for _ in range(50):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


__all__ = [
    "ENGINES",
    "ROOT",
    "RowLog",
    "Timeline",
    "add_measure",
    "column",
    "gone",
    "kpis",
    "number_of",
    "place_of",
    "plan_of",
    "plan_of_file",
    "run",
    "run_plan",
]
