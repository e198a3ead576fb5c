"""The same network in Ciw and in zonesim."""

from __future__ import annotations

import math

import pytest

from tests.helper import column, kpis, plan_of

TEXT = """
clock: {warm_up: 500 min, measure: 3000 min, cool_down: 200 min}
zones: {Z: {documents: {units: 2}, lane: {units: 1}}}
flows:
  gate:
    steps:
      documents: {hold: {o: Z.documents}, take: {exponential: {mean: 5 min}}, next: {documents: 10 %, lane: 60 %, end: 30 %}}
      lane: {hold: {l: Z.lane}, take: {uniform: [2 min, 6 min]}}
traffic: {trucks: {flow: gate, rate: 0.2 /min}}
"""
RUNS = 30


def test_a_gate_of_two_steps():
    """
    Mean waits at documents and lane agree within 3.5 standard errors of both programs together.
    """
    ciw = pytest.importorskip("ciw")
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(0.2), None],
        service_distributions=[ciw.dists.Exponential(0.2), ciw.dists.Uniform(2, 6)],
        number_of_servers=[2, 1],
        routing=[[0.1, 0.6], [0.0, 0.0]],
    )
    theirs: dict[int, list[float]] = {1: [], 2: []}
    for seed in range(RUNS):
        ciw.seed(seed)
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_time(3700)
        for node, found in theirs.items():
            waits = [
                r.waiting_time for r in simulation.get_all_records() if r.node == node and 500 <= r.arrival_date < 3500
            ]
            found.append(sum(waits) / len(waits))
    ours = kpis(plan_of(TEXT), replications=RUNS)
    for node, step in ((1, "documents"), (2, "lane")):
        mine = column(ours, f"gate.{step}.wait.mean")
        mean = sum(theirs[node]) / RUNS
        variance = sum((value - mean) ** 2 for value in theirs[node]) / (RUNS - 1)
        error = math.sqrt((mine.var(ddof=1) + variance) / RUNS)

        assert abs(mine.mean() - mean) < 3.5 * error, (step, mine.mean(), mean)
