"""How long runs will take: expected tokens times what a few of them cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import Final

import numpy as np

from zonesim.compiled.streams import run_key
from zonesim.engine import simulate
from zonesim.experiment.store import is_kept
from zonesim.kpi import Reducer, RunResult, measure
from zonesim.plan import TABLES, Plan, Totals, Units, expected_before, mean_batch, rows_where

PILOT: Final = 400
LONG_PILOT: Final = 4000
"""
Tokens of a pilot run: enough to meet the common paths, and done in a fraction of a second; of a large plan, whose runs
take a while however few there are, one in a hundred of its tokens, and no more than the second.
"""

_TYPICAL: Final = 0.000003
"""Seconds that a token takes, order of magnitude, where nothing has been tried."""

_NAME_BYTES: Final = 4.0
_NUMBER_BYTES: Final = 2.0
"""Bytes on the disk of a name in a file of cells, and of a number, compressed: measured on the shipped scenarios."""

_CLASS_BYTES: Final = 6
_VALUE_BYTES: Final = 8


def expected_tokens(plan: Plan, until: int | None = None) -> float:
    """Return how many tokens arrive before `until` (ms; the end of the run), on average."""
    end = np.array([plan.horizon if until is None else until], dtype=float)
    return sum(
        mean_batch(plan, source) * float(expected_before(plan, source, end)[0]) for source in range(len(plan.sources))
    )


def rough_seconds(plan: Plan) -> float:
    """Return how long a replication takes, order of magnitude, without trying."""
    return expected_tokens(plan) * _TYPICAL


def rough_bytes(plan: Plan) -> float:
    """
    Return how much memory the results of a replication take while it runs, order of magnitude, without trying: each
    token keeps its class, and each measured one a wait and a time for every step and every moment of its flow.
    """
    measured = expected_tokens(plan, plan.end) - expected_tokens(plan, plan.begin)
    kept = rows_where(plan.program, lambda facts: facts.units is Units.SEIZES or facts.delays or facts.marks)
    each = int(kept.sum()) / max(len(plan.sources), 1)
    return _CLASS_BYTES * expected_tokens(plan) + _VALUE_BYTES * each * measured


@dataclass(frozen=True)
class Speed:
    """
    What a pilot run measured: seconds a token, seconds a replication whatever its length, and seconds that a process
    takes `once` for a plan; how many `names` its results have, how many `numbers` whatever its length, and how many
    durations are kept of a measured token.
    """

    token: float
    fixed: float
    once: float
    names: int
    numbers: int
    samples: float

    def seconds(self, plan: Plan) -> float:
        """Return how long a replication of a plan takes."""
        return self.fixed + self.token * expected_tokens(plan)

    def disk(self, plan: Plan, runs: int, cells: int) -> float:
        """Return how many bytes so many replications of a plan take on the disk, in so many files."""
        measured = expected_tokens(plan, plan.end) - expected_tokens(plan, plan.begin)
        return _NAME_BYTES * self.names * cells + _NUMBER_BYTES * runs * (self.numbers + self.samples * measured)


def pilot(plan: Plan, seed: int) -> Speed:
    """
    Return the speed of a plan from a run of its first tokens to their end: nobody arrives after them.

    The time that a run spends on tokens it does not finish is counted in full, and what overload costs is not seen, so
    it is an estimate. Raises RunFault when the plan cannot run.
    """
    short = first_tokens(plan, int(min(max(PILOT, expected_tokens(plan) / 100), LONG_PILOT)))

    def timed() -> tuple[float, float, float, Totals, RunResult]:
        """Run it, and return seconds to make ready, to simulate and to measure."""
        began = perf_counter()
        reducer = Reducer(short)
        ready = perf_counter()
        totals = simulate(short, seed, 0, reducer)
        simulated = perf_counter()
        found = measure(short, reducer, totals, {}, run_key(seed, 0))
        return ready - began, simulated - ready, perf_counter() - simulated, totals, found

    made_ready, _, first, _, _ = timed()  # works tables out of the plan, which are kept, and loads the kernels
    again, simulated, fixed, totals, found = timed()
    once = made_ready - again + max(first - fixed, 0.0)
    tokens = max(int(totals.arrivals.sum()), 1)
    kept = [durations for name, durations in found.samples.items() if is_kept(name)]
    return Speed(
        simulated / tokens,
        fixed,
        once,
        1 + len(found.values) + len(found.curves) + len(kept),
        len(found.values) + sum(map(len, found.curves.values())),
        sum(map(len, kept)) / tokens,
    )


def first_tokens(plan: Plan, tokens: int) -> Plan:
    """Return a plan in which nobody arrives after about as many tokens."""
    low, high = 0, plan.horizon
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if expected_tokens(plan, middle) < tokens else (low, middle)
    rates: list[tuple[float, ...]] = []
    sources, renewals = plan.sources.copy(), plan.renewals.copy()
    renewals["until"] = np.minimum(renewals["until"], high)
    for source in range(len(sources)):
        if len(plan.renewal_of(source)):
            continue
        own = plan.rates_of(source)
        if not len(own):  # spawned tokens have no arrivals of their own
            sources["count"][source] = int((plan.times_of(source)["time"] < high).sum())
            continue
        kept = own[own["begins"] < high]
        last = kept[-1]
        stop = (float(high), 0.0, float(last["expected_before"] + last["rate"] * (high - last["begins"])))
        sources["first"][source], sources["count"][source] = len(rates), len(kept) + 1
        rates += [*kept.tolist(), stop]
    window = TABLES["window"].array([0, plan.end, plan.horizon])  # the KPIs have something to measure
    return replace(plan, sources=sources, renewals=renewals, rates=TABLES["rates"].array(rates), window=window)
