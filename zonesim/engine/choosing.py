"""
Which engine executes a plan: both give equal records, so the choice is one of speed.

`auto` is the compiled engine; the SimPy engine is the reference that it is compared with.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

import numpy as np

from zonesim.engine import compiled_engine
from zonesim.engine.reference import engine as simpy_engine
from zonesim.plan.operations import Op
from zonesim.plan.plan import Plan
from zonesim.plan.records import Sink, Totals

Engine = Callable[[Plan, int, int, Sink], Totals]

AUTO: Final = "auto"

ENGINES: Final[dict[str, Engine]] = {"compiled": compiled_engine.simulate, "simpy": simpy_engine.simulate}
"""Engines by name."""


def engine_for(plan: Plan, wanted: str = AUTO) -> str:
    """
    Return the name of the engine that executes `plan` when `wanted` is asked for; says so on stderr when it is the
    slow one because of an operation that the kernel lacks.
    """
    if wanted != AUTO:
        return wanted
    lacking = sorted({Op(op).name for op in np.unique(plan.program[:, 0]).tolist()} - compiled_engine.KNOWN)
    if not lacking:
        return "compiled"
    sys.stderr.write(f"the compiled engine does not know {', '.join(lacking)}: running with SimPy, which is slow\n")
    return "simpy"


def simulate(plan: Plan, seed: int, replication: int, sink: Sink, engine: str = AUTO) -> Totals:
    """
    Run one replication of `plan`; `sink` gets the records in blocks.

    `seed` and `replication` (both from 0) choose the luck; equal ones give equal records. Raises RunFault when the
    run cannot go on.
    """
    return ENGINES[engine_for(plan, engine)](plan, seed, replication, sink)
