"""
What one file may ask for at most: the home of every limit on size and work.

A small file can describe endless work. What it asks for is counted before it is built, and refused with a fault that
names the limit, long before time or memory run out. The page of the format lists `TABLE`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

# --- what is read

LARGEST_FILE: Final = 2_000_000
"""Bytes of a file in YAML."""

MOST_VALUES: Final = 200_000
"""Values in a file; one that is repeated by an alias counts each time."""

DEEPEST: Final = 40
"""Levels of mappings and lists inside each other."""

LARGEST_TRACE: Final = 256_000_000
"""Bytes of a log of arrivals."""

MOST_ARRIVALS: Final = 2_000_000
"""Arrivals from one log."""

MOST_LINES: Final = 5_000_000
"""Lines of a log of arrivals, those that are left out counted too."""

MOST_WRONG: Final = 10_000
"""Wrong rows of a log, after which it is read no further."""

MOST_CLASSES: Final = 50
"""Classes that a column of a log may name."""

MOST_COMBINATIONS: Final = 500
"""Combinations of class and attributes."""

MOST_DATES: Final = 120_000
"""Dates in one list of holidays: every day of three centuries."""

# --- what is compiled

LONGEST_RUN_YEARS: Final = 100
"""Years from the start of a run to its end."""

CALLS_DEEP: Final = 12
"""Calls of flows inside each other; deeper is taken for a flow that calls itself."""

MOST_STEPS: Final = 150_000
"""Steps of all entries together, those of called flows counted at every call and in every edition."""

MOST_EDITIONS: Final = 1_024
"""Editions of one step: n practices that edit it and only some follow, each by itself, make up to 2 ** n of them."""

MOST_WAYS: Final = 100_000
"""
Points of the program times what tokens may keep, know and be there (hands, flags, status, classes), of all entries that
keep units or change a status.
"""

MOST_RATES: Final = 4_000_000
"""Changes of the rates of arrival in a run: parts of the day times days, of all entries together."""

MOST_CHANGES: Final = 4_000_000
"""Openings and closings in a run, of all resources together and of all calendars together."""

MOST_KPI_MARKS: Final = 60
"""Marks that the KPIs of a run ask for when consignments reached them."""

MOST_PASSAGE_MARKS: Final = 6
"""Marks that the KPIs of a gate ask for, that with which a passage begins among them."""

MOST_CLOCKS: Final = 1_000
"""Units of one resource that may each break down by itself."""

MOST_BREAKDOWNS: Final = 100_000_000
"""Breakdowns that are to be expected in a run."""

# --- what is run

MOST_CELLS: Final = 10_000
"""Arms times futures of an experiment."""

MOST_RUNS: Final = 1_000_000
"""Arms times futures times replications."""

MOST_WORKERS: Final = 64
"""Processes, where the machine has not more processors."""

LARGEST_ROOM: Final = 1 << 30
"""Bytes for the tokens that are inside at once."""

TABLE: Final = (
    ("size of a file", f"{LARGEST_FILE:,} bytes"),
    ("values in a file, aliases counted each time", f"{MOST_VALUES:,}"),
    ("levels inside each other", f"{DEEPEST}"),
    ("size of a log of arrivals", f"{LARGEST_TRACE:,} bytes"),
    ("arrivals from one log", f"{MOST_ARRIVALS:,}"),
    ("lines of a log, those that are left out counted too", f"{MOST_LINES:,}"),
    ("classes in a column of a log", f"{MOST_CLASSES}"),
    ("combinations of class and attributes", f"{MOST_COMBINATIONS}"),
    ("dates in a list of holidays", f"{MOST_DATES:,}"),
    ("length of a run", f"{LONGEST_RUN_YEARS} years"),
    ("calls of flows inside each other", f"{CALLS_DEEP}"),
    ("steps of all entries, called flows counted at every call", f"{MOST_STEPS:,}"),
    ("editions of a step, by practices that only some follow", f"{MOST_EDITIONS:,}"),
    ("ways through flows that keep units or set a status: rows times what may be kept and known", f"{MOST_WAYS:,}"),
    ("changes of arrival rates in a run, all entries together", f"{MOST_RATES:,}"),
    ("openings and closings in a run, all resources together", f"{MOST_CHANGES:,}"),
    ("units of a resource that break down each by itself", f"{MOST_CLOCKS:,}"),
    ("breakdowns in a run", f"{MOST_BREAKDOWNS:,}"),
    ("arms times futures", f"{MOST_CELLS:,}"),
    ("arms times futures times replications", f"{MOST_RUNS:,}"),
    ("memory for the tokens inside at once", f"{LARGEST_ROOM / 1e9:.2g} GB"),
)
"""Every limit that a user can meet, in words, with its value."""

_UNKNOWN: Final = 1 << 62


CONTROL_GROUPS: Final = Path("/sys/fs/cgroup")
"""Where Linux says what a container may use: version 2 in the folder itself, version 1 below `memory`."""

_GROUP_FILES: Final = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)
"""Of each version: the limit, what is used, and the count in what is used that is given up when need be."""


def free_memory() -> int:
    """Return how many bytes may still be used, on the machine and in its container; very many where nobody says."""
    return min(_free_on_machine(), _free_in_container())


def _free_on_machine() -> int:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return _UNKNOWN


def _free_in_container() -> int:
    for limit, used, counts, spare in _GROUP_FILES:
        try:
            most = int((CONTROL_GROUPS / limit).read_text(encoding="ascii"))
            now = int((CONTROL_GROUPS / used).read_text(encoding="ascii"))
            lines = (CONTROL_GROUPS / counts).read_text(encoding="ascii").splitlines()
        except (OSError, ValueError):  # no such version, or `max`: no limit
            continue
        kept = dict(line.split() for line in lines)
        return max(most - now + int(kept.get(spare, 0)), 0)
    return _UNKNOWN
