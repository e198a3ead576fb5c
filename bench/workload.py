"""
The workloads, the same for every program; minutes throughout. The first is the "gate-network".

Consignments come one a minute (Poisson), 60, 30 and 10 % of class A, B and C. Documents, an entry lane, for some an
inspection, a delay in the yard and an exit lane follow each other. All lines are first come first served, but at the
inspection C goes before B before A; nobody is interrupted. A run starts empty and ends at its horizon.

The other is a single line, M/M/1: consignments come one a minute, one officer works SERVICE minutes on each, both
exponential.
"""

from __future__ import annotations

import math
from typing import Final

CLASSES: Final = ("A", "B", "C")
"""By priority at the inspection, the last first."""

CLASS_SHARES: Final = (0.6, 0.3, 0.1)
INSPECTED: Final = {"A": 0.08, "B": 0.15, "C": 0.30}
INTERARRIVAL: Final = 1.0
YARD: Final = 10.0
"""Mean of an exponential law."""

OFFICERS: Final = 4
LANES_IN: Final = 3
BAYS: Final = 8
LANES_OUT: Final = 3

ENTRY: Final = (1.0, 2.0, 4.5)
EXIT: Final = (0.5, 1.0, 2.0)
"""Triangular laws: low, mode, high."""


def lognormal(mean: float, cv: float) -> tuple[float, float]:
    """Return mean and standard deviation of the logarithm of a lognormal law given by mean and cv."""
    variance = math.log(1 + cv * cv)
    return math.log(mean) - variance / 2, math.sqrt(variance)


DOCUMENTS: Final = lognormal(3.0, 0.8)
INSPECTION: Final = lognormal(45.0, 1.0)

EVENTS: Final = 5.123
"""Arrivals, ends of service and ends of delay of one consignment, on average."""

SERVICE: Final = 0.8
"""Mean time of the officer in the single line."""

STATIONS: Final = {"documents": OFFICERS, "entry": LANES_IN, "inspection": BAYS, "exit": LANES_OUT}
"""Units by station. The yard has no limit, so it has neither waits nor a utilisation."""
