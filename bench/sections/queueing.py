"""How fast programs are where there is nothing but one line."""

from __future__ import annotations

from bench.answers import LARGEST_Z, single_agreement
from bench.bench import Bench
from bench.measuring import Found, Job, measured
from bench.programs import CIMBA, DROPPED, FOLDED, SIMPY, zonesim
from bench.report import Table, number

TEXT = (
    "M/M/1 with a load of 0.8: processor time of one run, medians of {repeats}, taken in turn, each in a process of its"
    " own, what is compiled left out. zonesim's three engines give the same records to the byte; the recursion runs"
    " only plans of one line, and `auto` takes it for them. z: the answer that is furthest off theory, in standard"
    f" errors; {LARGEST_Z:g} at most. Without records there are no answers."
)

LENGTH = 10
"""How many times as long as one of the gate network a run may be: there is less to do."""


def queueing(bench: Bench) -> Table:
    """Compare the speed of programs at a single line, and their answers with theory."""
    ours = [
        zonesim(engine, records)
        for engine in [*bench.engines, "recursion"]
        for records in ((FOLDED,) if engine == "simpy" else (DROPPED, FOLDED))
    ]
    programs = bench.chosen(*ours, CIMBA, SIMPY)
    jobs = [
        Job(program, program.horizon(LENGTH * bench.horizon, bench.seconds), options={"single": True})
        for program in programs
    ]
    found = {each.job.program.name: each for each in measured(jobs, bench.repeats)}
    for records in (DROPPED, FOLDED):
        compiled, recursion = (found.get(zonesim(engine, records).name) for engine in ("compiled", "recursion"))
        if compiled and recursion:
            bench.facts[f"recursion.{records}"] = compiled.micros / recursion.micros
    header = ("program", "minutes", "s", "±", "ns a consignment", "× SimPy", "peak MB", "wait, min", "z", "agrees")
    rows = [_row(bench, each, found.get(SIMPY.name)) for each in found.values()]
    return Table("A single line", TEXT.format(repeats=bench.repeats), header, rows)


def _row(bench: Bench, found: Found, simpy: Found | None) -> list[str]:
    label = found.job.program.label
    cells = [
        label,
        number(found.job.horizon),
        number(found.median),
        f"{found.spread:.0%}",
        number(found.micros * 1e3),
        number(simpy.micros / found.micros if simpy else None),
        number(found.peak_mb),
    ]
    if not found.answers[0].values:
        return [*cells, "-", "-", "-"]
    agreed = single_agreement(found.answers, found.job.horizon)
    bench.disagreements += [
        f"{label}, a single line: {name} is {value:.4g}, in theory {expected:.4g}: {z:+.1f} standard errors"
        for name, (value, expected, z) in agreed.rows.items()
        if not abs(z) <= LARGEST_Z
    ]
    wait, z = agreed.rows["wait"][0], agreed.worst[1]
    return [*cells, number(wait), f"{z:+.1f}", "yes" if agreed.holds else "NO"]
