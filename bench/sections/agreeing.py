"""Whether all programs simulate the same thing."""

from __future__ import annotations

from bench.answers import LARGEST_Z, REFERENCE, REFERENCE_HORIZON, REFERENCE_RUNS, agreement
from bench.bench import Bench
from bench.measuring import Job, measured
from bench.programs import COMPARED, Program
from bench.report import Table, number

TITLE = "Agreement of answers"

MOST_RUNS = 20

TEXT = (
    "Mean of each program's runs (minutes; utilisation as a share). z: the answer that is furthest off, in standard"
    f" errors. Every one of {len(REFERENCE)} answers has to lie within {LARGEST_Z:g} of the reference, which is the"
    f" mean of {REFERENCE_RUNS} runs of {REFERENCE_HORIZON:,} minutes."
)

SHOWN = ("stay.mean", "stay.p95", "stay.A", "stay.B", "stay.C", "wait.documents", "wait.inspection.C", "use.inspection")


def agreeing(bench: Bench) -> Table:
    """Compare the answers of every program with the reference."""
    rows = [["reference", "", "", *(number(REFERENCE[name][0], 4) for name in SHOWN), "", "", ""]]
    for program in [*bench.ours(COMPARED), *bench.peers]:
        job = _job(program, bench)
        (found,) = measured([job])
        agreed = agreement(found.answers, job.horizon)
        worst, z = agreed.worst
        cells = [number(agreed.rows[name][0], 4) for name in SHOWN]
        rows.append(
            [
                program.label,
                str(job.runs),
                number(job.horizon),
                *cells,
                worst,
                f"{z:+.1f}",
                "yes" if agreed.holds else "NO",
            ]
        )
        bench.disagreements += [
            f"{program.label}: {name} is {value:.4g}, the reference {expected:.4g}: {z:+.1f} standard errors"
            for name, (value, expected, z) in agreed.rows.items()
            if not abs(z) <= LARGEST_Z
        ]
    header = ("program", "runs", "minutes", *SHOWN, "furthest", "z", "agrees")
    return Table(TITLE, TEXT, header, rows)


def _job(program: Program, bench: Bench) -> Job:
    seconds = 1.0 if bench.quick else 10.0
    horizon = program.horizon(REFERENCE_HORIZON, seconds)
    return Job(program, horizon, max(min(int(program.pace * seconds / horizon), MOST_RUNS), 1))
