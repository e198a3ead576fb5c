"""Which engine executes a plan: all give equal records, so the choice is one of speed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zonesim.engine import simpy_engine
from zonesim.plan.plan import Plan
from zonesim.plan.records import Sink, Totals

Engine = Callable[[Plan, int, int, Sink], Totals]

ENGINES: Final[dict[str, Engine]] = {"simpy": simpy_engine.simulate}
"""Engines by name."""


def simulate(plan: Plan, seed: int, replication: int, sink: Sink) -> Totals:
    """
    Run one replication of `plan`; `sink` gets the records in blocks.

    `seed` and `replication` (both from 0) choose the luck; equal ones give equal records. Raises RunFault when the
    run cannot go on.
    """
    return ENGINES["simpy"](plan, seed, replication, sink)
