"""zonesim itself: gate_network.yaml on any of its engines."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from time import process_time
from typing import Final

import numpy as np

from bench import workload
from bench.answers import Answers
from bench.programs import COMPARED, DROPPED, FOLDED
from zonesim.compiled.streams import run_key
from zonesim.engine import ENGINES
from zonesim.kpi import Reducer, RunResult, measure
from zonesim.kpi.censoring import quantile
from zonesim.plan import Block, Plan, Sink, Totals, compile_plan
from zonesim.plan.records import NEVER, number_of, ordinal_of, place_of
from zonesim.policy import apply, baseline, load_world, parse_setting, resolve
from zonesim.units import HOUR, MINUTE

SCENARIO: Final = Path(__file__).resolve().parent.parent / "gate_network.yaml"
SINGLE: Final = SCENARIO.with_name("single_queue.yaml")


class Dropped:
    """A sink that forgets."""

    def take(self, block: Block) -> None:
        """Do nothing."""


class ByClass:
    """A sink that folds, and keeps what is told by class."""

    def __init__(self, plan: Plan, reducer: Reducer) -> None:
        self.reducer = reducer
        steps = plan.names.steps
        self.leave = next(row for row, step in enumerate(steps) if step.is_leave)
        self.inspection = next(row for row, step in enumerate(steps) if step.path == ("inspection",))
        self.parts: dict[str, list[np.ndarray]] = {"stay": [], "wait.inspection": []}

    def take(self, block: Block) -> None:
        """Fold a block."""
        self.reducer.take(block)
        step, ordinal = place_of(block.visits["key"]), ordinal_of(number_of(block.visits["key"]))
        queued, started, ended = (block.visits[column] for column in ("queued", "started", "ended"))
        left = (step == self.leave) & (ended != NEVER)
        self.parts["stay"].append(np.column_stack([ordinal[left], (ended - queued)[left]]))
        begun = (step == self.inspection) & (started != NEVER)
        self.parts["wait.inspection"].append(np.column_stack([ordinal[begun], (started - queued)[begun]]))

    def values(self, plan: Plan, totals: Totals) -> dict[str, float]:
        """Return the answers by class, in minutes."""
        found = {}
        for name, parts in self.parts.items():
            ordinal, spans = np.concatenate(parts).T
            classes = totals.classes[0][ordinal]
            for klass in workload.CLASSES:
                mine = spans[classes == plan.names.classes.index(klass)]
                found[f"{name}.{klass}"] = float(mine.mean()) / MINUTE if len(mine) else math.nan
        return found


@cache
def plan_of(horizon: float, yard: float = workload.YARD) -> Plan:
    """Return the plan of the gate network for so many minutes; `yard` is the mean delay there."""
    return _compiled(SCENARIO, horizon, f"flows.gate.yard.take.exponential.mean={yard} min")


@cache
def single_plan_of(horizon: float) -> Plan:
    """Return the plan of the single line for so many minutes."""
    return _compiled(SINGLE, horizon)


def _compiled(file: Path, horizon: float, *settings: str) -> Plan:
    world = load_world(file)
    apply(world, [parse_setting(setting) for setting in (f"clock.measure={horizon:.0f} min", *settings)])
    return compile_plan(resolve(world, baseline(world)))


def run(
    horizon: float, seed: int, *, engine: str = "simpy", records: str = COMPARED, yard: float = workload.YARD
) -> Answers:
    """
    Run the gate network for `horizon` minutes.

    It times itself, without reading and compiling the scenario, which is done once for all replications. What is not
    asked for by `records` is not timed.
    """
    plan = plan_of(horizon, yard)
    began = process_time()
    reducer = Reducer(plan)
    by_class = ByClass(plan, reducer)
    sinks: dict[str, Sink] = {DROPPED: Dropped(), COMPARED: by_class}
    sink = sinks.get(records, reducer)
    if records == DROPPED:
        began = process_time()
    totals = ENGINES[engine](plan, seed, 0, sink)
    ended = process_time()
    if records == DROPPED:
        return Answers({}, ended - began, totals.events)
    result = measure(plan, reducer, totals, {}, run_key(seed, 0))
    if records != FOLDED:
        ended = process_time()
    values = _values(result)
    if records == COMPARED:
        values |= by_class.values(plan, totals)
    return Answers(values, ended - began, totals.events)


def run_single(horizon: float, seed: int, *, engine: str = "recursion", records: str = FOLDED) -> Answers:
    """Run the single line for `horizon` minutes; it times itself as `run` does."""
    plan = single_plan_of(horizon)
    began = process_time()
    reducer = Reducer(plan)
    totals = ENGINES[engine](plan, seed, 0, Dropped() if records == DROPPED else reducer)
    seconds = process_time() - began
    if records == DROPPED:
        return Answers({}, seconds, totals.events)
    result = measure(plan, reducer, totals, {}, run_key(seed, 0))
    values = {
        "completed": float(len(result.samples["desk.dwell"])),
        "wait": result.values["desk.work.wait.mean"],
        "use": result.values["GATE.officer.utilisation"],
    }
    return Answers(values, seconds, totals.events)


def _values(result: RunResult) -> dict[str, float]:
    """Return the answers that KPIs give, of those that have left: means are not withheld here where many have not."""
    kpis, stays = result.values, result.samples["gate.dwell"]
    values = {
        "completed": float(len(stays)),
        "stay.mean": float(stays.mean(dtype=np.float64)) / MINUTE,
        "stay.p95": quantile(stays, np.zeros(0, dtype=np.int64), 0.95) / MINUTE,
    }
    resources = {"documents": "officers", "entry": "lanes_in", "inspection": "bays", "exit": "lanes_out"}
    for station, resource in resources.items():
        values[f"wait.{station}"] = kpis[f"gate.{station}.wait.mean"]
        values[f"use.{station}"] = kpis[f"GATE.{resource}.utilisation"]
    return values


def run_scenario(file: str, settings: list[str], engine: str, seed: int) -> dict[str, float]:
    """
    Run one replication of a scenario in its baseline.

    Return seconds (records folded, KPIs), those from the file to the plan, events and arrivals (`tokens`).
    """
    began = process_time()
    world = load_world(Path(file))
    apply(world, [parse_setting(setting) for setting in settings])
    plan = compile_plan(resolve(world, baseline(world)))
    compiled = process_time() - began
    ENGINES[engine](_short(plan), seed, 0, Reducer(plan))
    began = process_time()
    reducer = Reducer(plan)
    totals = ENGINES[engine](plan, seed, 0, reducer)
    measure(plan, reducer, totals, {}, run_key(seed, 0))
    seconds, tokens = process_time() - began, int(totals.arrivals.sum())
    return {"seconds": seconds, "compile_seconds": compiled, "events": totals.events, "tokens": tokens}


def _short(plan: Plan) -> Plan:
    """Return the plan of the first hour, to load all code."""
    return replace(plan, window=np.array([0, HOUR, HOUR], dtype=np.int64))
