"""The sections of a bench, in the order in which they run; each returns a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bench.bench import Bench
from bench.report import Table
from bench.sections.agreeing import agreeing
from bench.sections.comparing import comparing
from bench.sections.growing import growing
from bench.sections.listing import listing
from bench.sections.queueing import queueing
from bench.sections.racing import racing
from bench.sections.repeating import repeating
from bench.sections.starting import starting
from bench.sections.widening import widening
from bench.sections.zoning import zoning

SECTIONS: Final[dict[str, Callable[[Bench], Table]]] = {
    "agreement": agreeing,
    "ratios": racing,
    "single": queueing,
    "scaling": growing,
    "replications": repeating,
    "wide": widening,
    "zone": zoning,
    "zones": listing,
    "start": starting,
    "compare": comparing,
}
"""Sections by name."""
