"""Runs of Ciw, and whether their means agree with those of zonesim."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tests.helper import column, kpis
from zonesim.engine import engine_for
from zonesim.plan import Plan

Records = list[Any]
"""Data records of Ciw: one for each visit of a customer to a node."""

Z = 3.5
"""Standard errors of both programs together within which their means lie: one sound pair in two thousand is outside."""


def runs_of(network: Any, runs: int, window: tuple[float, float], until: float) -> list[Records]:
    """Return, run by run, the records of customers who came to the first node of theirs inside the window."""
    import ciw

    found = []
    for seed in range(runs):
        ciw.seed(seed)
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_time(until)
        records = simulation.get_all_records()
        first: dict[int, float] = {}
        for record in records:
            first[record.id_number] = min(record.arrival_date, first.get(record.id_number, math.inf))
        found.append([record for record in records if window[0] <= first[record.id_number] < window[1]])
    return found


def mean(values: Sequence[float]) -> float:
    """Return the mean of what one run has."""
    return sum(values) / len(values)


def waits(node: int, kind: str = "service", name: str | None = None) -> Callable[[Records], float]:
    """Return what gives the mean wait at a node of a run, of one class of customers or of all."""
    return lambda records: mean(
        [
            float(record.waiting_time)
            for record in records
            if record.node == node and record.record_type == kind and name in {None, record.customer_class}
        ]
    )


def stays(name: str | None = None) -> Callable[[Records], float]:
    """Return what gives the mean time in the system of a run, of one class of customers or of all."""

    def of(records: Records) -> float:
        spans: dict[int, tuple[float, float]] = {}
        for record in records:
            if name in {None, record.original_customer_class}:
                begin, end = spans.get(record.id_number, (math.inf, 0.0))
                spans[record.id_number] = (min(begin, record.arrival_date), max(end, record.exit_date))
        return mean([end - begin for begin, end in spans.values()])

    return of


def assert_agree(
    plan: Plan, theirs: Sequence[Records], pairs: Mapping[str, tuple[float, Callable[[Records], float]]], widest: float
) -> None:
    """
    Assert that each KPI, times a factor, has the mean that the runs of Ciw have, within `Z` errors of both together,
    and that this is at most the share `widest` of the mean, so that no wide interval agrees.
    """
    ours = kpis(plan, replications=len(theirs), engine=engine_for(plan))
    for kpi, (factor, of) in pairs.items():
        mine = column(ours, kpi) * factor
        other = np.array([of(records) for records in theirs])
        error = math.sqrt((mine.var(ddof=1) + other.var(ddof=1)) / len(theirs))

        assert abs(mine.mean() - other.mean()) < Z * error, (kpi, mine.mean(), other.mean(), error)
        assert Z * error < widest * other.mean(), (kpi, mine.mean(), other.mean(), error)
