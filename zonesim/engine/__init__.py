"""
Engines: executing a plan.

All engines give equal records, so the choice between them is one of speed; the SimPy engine is the reference that the
others are compared with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zonesim.compiled.jit import is_ready, note_ready
from zonesim.engine import compiled_engine, recursion
from zonesim.engine.arrivals import Population, arrivals_of
from zonesim.engine.image import layout, tables_of
from zonesim.engine.reference import engine as reference_engine
from zonesim.engine.run_faults import too_long
from zonesim.engine.wasm import module_bytes
from zonesim.plan import Plan, Sink, Totals

__all__ = [
    "AUTO",
    "ENGINES",
    "Engine",
    "Population",
    "arrivals_of",
    "engine_for",
    "is_ready",
    "layout",
    "module_bytes",
    "note_ready",
    "simulate",
    "tables_of",
    "too_long",
]

Engine = Callable[[Plan, int, int, Sink], Totals]

AUTO: Final = "auto"

ENGINES: Final[dict[str, Engine]] = {
    "compiled": compiled_engine.simulate,
    "recursion": recursion.simulate,
    "simpy": reference_engine.simulate,
}
"""Engines by name. All but the recursion run every plan."""


def engine_for(plan: Plan, wanted: str = AUTO) -> str:
    """Return the name of the engine that executes `plan` when `wanted` is asked for: the fastest one for `auto`."""
    if wanted != AUTO:
        return wanted
    return "compiled" if recursion.qualifies(plan) else "recursion"


def simulate(plan: Plan, seed: int, replication: int, sink: Sink, engine: str = AUTO) -> Totals:
    """
    Run one replication of `plan`; `sink` gets the records in blocks.

    `seed` and `replication` (both from 0) choose what is drawn; equal ones give equal records. Raises RunFault when the
    run cannot go on.
    """
    return ENGINES[engine_for(plan, engine)](plan, seed, replication, sink)
