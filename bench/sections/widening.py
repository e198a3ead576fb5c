"""What an event costs when very many consignments are inside at once."""

from __future__ import annotations

import math

from bench.bench import Bench
from bench.measuring import Job, measured
from bench.programs import DROPPED, C
from bench.report import Table, number
from bench.workload import YARD

TEXT = (
    "The same network with a longer delay in the yard; records dropped. Inside: consignments in the yard at the end,"
    " expected. The event list holds an entry for each of them."
)


def widening(bench: Bench) -> Table:
    """Compare runs with tens to a hundred thousand consignments inside."""
    rows = []
    delays = (YARD, 10_000.0) if bench.quick else (YARD, 10_000.0, 100_000.0)
    programs = [*bench.ours(DROPPED), *bench.chosen(C)]
    jobs = []
    for program in programs:
        for delay in delays:
            horizon = program.horizon(max(3 * delay, bench.horizon), 1.0 if bench.quick else 40.0)
            if horizon >= 2 * delay:
                jobs.append(Job(program, horizon, options={"yard": delay}))
    for each in measured(jobs, 1 if bench.quick else 3):
        delay = each.job.options["yard"]
        events = each.answers[-1].events or 0
        inside = delay * -math.expm1(-each.job.horizon / delay)
        rows.append(
            [
                each.job.program.label,
                number(delay),
                f"{inside:,.0f}",
                number(each.median / events * 1e9),
                number(each.peak_mb),
            ]
        )
    return Table("Many at once", TEXT, ("program", "delay, min", "inside", "ns an event", "peak MB"), rows)
