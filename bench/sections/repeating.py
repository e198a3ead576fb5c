"""What a replication costs beyond its simulation."""

from __future__ import annotations

from bench.bench import Bench
from bench.measuring import Job, measured
from bench.programs import SIMPY, C
from bench.report import Table, number

HORIZON = 2_000

TEXT = (
    "Many runs of {horizon:,} minutes in one process, and one run of as many minutes as all of them together. Beyond:"
    " what a short run takes longer than its share of the long one."
)


def repeating(bench: Bench) -> Table:
    """Compare many short runs with a long one."""
    repeats = 1 if bench.quick else 3
    programs = [program for records in bench.records for program in bench.ours(records)]
    programs += bench.chosen(SIMPY, C)
    jobs = []
    for program in programs:
        runs = int(max(min(200, program.pace * (1.0 if bench.quick else 5.0) / HORIZON), 2))
        jobs += [Job(program, HORIZON, runs), Job(program, HORIZON * runs)]
    found = measured(jobs, repeats)
    rows = []
    for short, long in zip(found[::2], found[1::2], strict=True):
        share = long.median / short.job.runs
        beyond = (short.median - share) / share
        rows.append(
            [
                short.job.program.label,
                str(short.job.runs),
                number(short.median * 1e3),
                number(share * 1e3),
                f"{beyond:+.1%}",
            ]
        )
        if short.job.program.name == bench.best.name:
            bench.facts["replication"] = 100 * beyond
    header = ("program", "runs", "ms a run", "ms of the long run", "beyond")
    return Table("Short runs", TEXT.format(horizon=HORIZON), header, rows)
