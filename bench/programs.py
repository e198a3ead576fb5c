"""Which programs are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from bench.answers import Answers
from bench.peers import c_program

DROPPED: Final = "dropped"
FOLDED: Final = "folded"
MEASURED: Final = "measured"
COMPARED: Final = "compared"
"""
What becomes of the records: nothing; they are folded as they come; and all KPIs are computed, too; and the answers by
class as well, which are none of its KPIs.
"""


@dataclass(frozen=True)
class Program:
    """
    A program under test.

    `module` in bench.peers has its `run`, which gets `options` by keyword, and for some a `run_single`, which runs the
    single line. `needs` names the package it is made with.
    `pace` is about how many consignments it does in a second, by which the size of its runs is chosen.
    """

    name: str
    label: str
    module: str
    pace: float
    options: Mapping[str, Any] = field(default_factory=dict)
    needs: str = ""

    def run(self, horizon: float, seed: int, *, single: bool = False, **options: Any) -> Answers:  # noqa: ANN401  as the module wants them
        """Run the gate network, or the single line."""
        module = import_module(f"bench.peers.{self.module}")
        found: Answers = (module.run_single if single else module.run)(horizon, seed, **{**self.options, **options})
        return found

    @property
    def family(self) -> str:
        """Return how it is chosen: its name, and for zonesim `zonesim-ENGINE`, whatever becomes of the records."""
        return self.name.rpartition("-")[0] if self.module == "zonesim_engines" else self.name

    @property
    def is_here(self) -> bool:
        """Return whether this machine has what it needs."""
        return c_program.is_here() if self.needs == "cc" else not self.needs or bool(find_spec(self.needs))

    def horizon(self, most: float, seconds: float) -> float:
        """Return how many minutes it simulates in about so many seconds: a round number, `most` at most."""
        step = 1_000.0
        return max(min(most, self.pace * seconds // step * step), step)


SIMPY: Final = Program("simpy", "SimPy, processes", "simpy_processes", 4e4, needs="simpy")
CALLBACKS: Final = Program("simpy-callbacks", "SimPy, callbacks by hand", "simpy_callbacks", 2e5, needs="simpy")
CIW: Final = Program("ciw", "Ciw", "ciw_network", 8e3, needs="ciw")
SALABIM: Final = Program("salabim", "salabim, with yield", "salabim_network", 3e3, needs="salabim")
CIMBA: Final = Program("cimba", "cimba, processes", "cimba_network", 3e5, needs="cimba")
C: Final = Program("c", "C by hand", "c_program", 3e6, needs="cc")
C_LOG: Final = Program("c-log", "C by hand, with records", "c_program", 3e6, {"log": True}, needs="cc")

PEERS: Final = (SIMPY, CALLBACKS, CIW, SALABIM, CIMBA, C)


PACES: Final = {"simpy": 1e4}
"""Of zonesim's engines, where they are slow."""


def zonesim(engine: str, records: str) -> Program:
    """Return zonesim on an engine; `records` says what becomes of them (see bench.peers.zonesim_engines)."""
    told = {DROPPED: ", records dropped", FOLDED: ", records folded", MEASURED: ", folded, all KPIs"}.get(records, "")
    options = {"engine": engine, "records": records}
    pace = PACES.get(engine, 2e6)
    return Program(f"zonesim-{engine}-{records}", f"zonesim, {engine}{told}", "zonesim_engines", pace, options)


def by_name(name: str) -> Program:
    """Return the program of this name, zonesim's as `zonesim-ENGINE-RECORDS`."""
    for program in (*PEERS, C_LOG):
        if program.name == name:
            return program
    _, engine, records = name.split("-")
    return zonesim(engine, records)
