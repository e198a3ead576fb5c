"""Ciw: a network of five nodes with three customer classes, and a discipline of its own at the inspection."""

from __future__ import annotations

from typing import Any

import ciw

from bench import workload
from bench.answers import Answers, Notes

NODES = {"documents": 1, "entry": 2, "inspection": 3, "yard": 4, "exit": 5}


def by_class(individuals: list[Any], _: float) -> object:
    """Return who is served next at the inspection: C before B before A, within a class who came first."""
    return max(individuals, key=lambda individual: individual.customer_class)  # the first of equals


def network() -> object:
    """Return the network as Ciw describes it."""
    low, mode, high = workload.ENTRY
    least, likely, most = workload.EXIT
    services = [
        ciw.dists.Lognormal(*workload.DOCUMENTS),
        ciw.dists.Triangular(low, mode, high),
        ciw.dists.Lognormal(*workload.INSPECTION),
        ciw.dists.Exponential(1 / workload.YARD),
        ciw.dists.Triangular(least, likely, most),
    ]
    shares = dict(zip(workload.CLASSES, workload.CLASS_SHARES, strict=True))
    return ciw.create_network(
        arrival_distributions={
            klass: [ciw.dists.Exponential(share / workload.INTERARRIVAL), None, None, None, None]
            for klass, share in shares.items()
        },
        service_distributions=dict.fromkeys(workload.CLASSES, services),
        number_of_servers=[workload.OFFICERS, workload.LANES_IN, workload.BAYS, float("inf"), workload.LANES_OUT],
        service_disciplines=[
            ciw.disciplines.FIFO,
            ciw.disciplines.FIFO,
            by_class,
            ciw.disciplines.FIFO,
            ciw.disciplines.FIFO,
        ],
        routing={
            klass: [
                [0.0, 1.0, 0.0, 0.0, 0.0],
                [0.0, 0.0, inspected, 1.0 - inspected, 0.0],
                [0.0, 0.0, 0.0, 1.0, 0.0],
                [0.0, 0.0, 0.0, 0.0, 1.0],
                [0.0, 0.0, 0.0, 0.0, 0.0],
            ]
            for klass, inspected in workload.INSPECTED.items()
        },
    )


def run(horizon: float, seed: int) -> Answers:
    """Run the gate network for `horizon` minutes."""
    ciw.seed(seed)
    simulation = ciw.Simulation(network())
    simulation.simulate_until_max_time(horizon)
    notes = Notes()
    for individual in simulation.nodes[-1].all_individuals:
        records = individual.data_records
        notes.stays[individual.customer_class].append(records[-1].exit_date - records[0].arrival_date)
    stations = {node: station for station, node in NODES.items() if station in notes.waits}
    for record in simulation.get_all_records():
        if record.node in stations:
            notes.waits[stations[record.node]][record.customer_class].append(record.waiting_time)
    for node, station in stations.items():
        found = simulation.transitive_nodes[node - 1].server_utilisation
        notes.busy[station] = found * workload.STATIONS[station] * horizon
    return notes.answers(horizon)
