"""How fast each program is."""

from __future__ import annotations

from bench.bench import Bench
from bench.measuring import Found, Job, measured
from bench.programs import C_LOG, CIMBA, CIW, SALABIM, SIMPY, C
from bench.report import Table, number

TEXT = (
    "Processor time of one run, which on an idle core is the time that passes; medians of {repeats}, taken in turn,"
    " each in a process of its own on one core, all code loaded."
    " ±: half of what lies between fastest and slowest. A program too slow for the whole horizon runs a shorter one."
    " What is compiled in every process (cimba) is left out and stands under Start."
    " C and zonesim without records keep the least: C its answers, zonesim the time integrals of its totals."
)


def racing(bench: Bench) -> Table:
    """Compare the speed of every program."""
    ours = [program for records in bench.records for program in bench.ours(records)]
    programs = [*ours, *bench.peers, *bench.chosen(C_LOG)]
    jobs = [Job(program, program.horizon(bench.horizon, bench.seconds)) for program in programs]
    found = {each.job.program.name: each for each in measured(jobs, bench.repeats)}
    best = found.get(bench.best.name)
    for peer in (SIMPY, C, CIW, SALABIM, CIMBA):
        if best is not None and peer.name in found:
            bench.facts[peer.name] = found[peer.name].micros / best.micros
    if C.name in found:
        bench.facts["c.nanoseconds"] = found[C.name].micros * 1e3
    rows = [_row(each, found.get(SIMPY.name), found.get(C.name)) for each in found.values()]
    header = ("program", "minutes", "s", "±", "µs a consignment", "× SimPy", "of C", "peak MB")
    return Table("Speed", TEXT.format(repeats=bench.repeats), header, rows)


def _row(found: Found, simpy: Found | None, c: Found | None) -> list[str]:
    return [
        found.job.program.label,
        number(found.job.horizon),
        number(found.median),
        f"{found.spread:.0%}",
        number(found.micros),
        number(simpy.micros / found.micros if simpy else None),
        number(c.micros / found.micros if c else None),
        number(found.peak_mb),
    ]
