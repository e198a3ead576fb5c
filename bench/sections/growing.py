"""What longer runs cost, in time and memory."""

from __future__ import annotations

from bench.bench import Bench
from bench.measuring import Found, Job, measured
from bench.programs import SIMPY, C
from bench.report import Table, number

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
SHORT, LONG, LONGEST = 10_000, 1_000_000, 10_000_000

TEXT = (
    "Microseconds a consignment / peak MB of the process. Only sizes that a program does in reasonable time; short runs"
    " are repeated, and their median counts."
)


def growing(bench: Bench) -> Table:
    """Measure runs of 10 k to 10 M consignments (100 k when quick)."""
    sizes = SIZES[:2] if bench.quick else SIZES
    seconds = 2.0 if bench.quick else 15.0
    programs = [each for records in bench.records[:2] for each in bench.ours(records)]
    programs += bench.chosen(SIMPY, C)
    jobs = [
        Job(program, size, runs=max(min(int(program.pace / size), 20), 1))
        for program in programs
        for size in sizes
        if size <= program.pace * seconds
    ]
    found = {(each.job.program.name, int(each.job.horizon)): each for each in measured(jobs, 1 if bench.quick else 2)}
    best = bench.best.name
    if {(best, SHORT), (best, LONG)} <= found.keys():
        bench.facts["growth"] = found[best, LONG].micros / found[best, SHORT].micros
    longest = found.get((best, LONGEST))
    if longest is not None and longest.peak_mb is not None:
        bench.facts["memory"] = longest.peak_mb
    rows = [[each.label, *(_cell(found.get((each.name, size))) for size in sizes)] for each in programs]
    return Table("Long runs", TEXT, ("program", *(f"{size:,}" for size in sizes)), rows)


def _cell(found: Found | None) -> str:
    return f"{number(found.micros)} / {number(found.peak_mb)}" if found else "-"
