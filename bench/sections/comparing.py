"""How long the main job takes."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence

from bench.bench import Bench
from bench.measuring import Done, done
from bench.report import Table, number

ZONE = "scenarios/typical_zone.yaml"
PARK = "scenarios/suzhou_industrial_park.yaml"
LONG = ("--replications", "30", "--workers", "1")
SHORT = ("--replications", "1", *(f"--set=clock.{key}=1 d" for key in ("warm_up", "measure", "cool_down")))

TEXT = (
    "`zonesim compare` as a user runs it: reading, compiling, runs of 2 arms, tables and figures; kernels compiled"
    " before, no results kept from before; {repeats}. `make run` compares both scenarios on all {cores} cores. Again:"
    " the same command once more, with all runs kept."
)


def comparing(bench: Bench) -> Table:
    """Compare the typical zone, and a real one, with and without the measures."""
    repeats = 1 if bench.quick else 3
    rows: list[list[str]] = []

    def row(label: str, commands: Sequence[Sequence[str]], *, again: bool = False) -> tuple[float, float]:
        found = [_all(commands, again=again) for _ in range(repeats)]
        seconds = statistics.median(sum(each.seconds for each in run) for run in found)
        processor = statistics.median(sum(each.processor for each in run) for run in found)
        rows.append([label, number(seconds), number(processor)])
        return seconds, processor

    row("three days, one replication", [(ZONE, *SHORT)])
    if not bench.quick:
        _, bench.facts["compare"] = row("30 replications, one worker", [(ZONE, *LONG)])
        _, bench.facts["tables"] = row("the same without figures", [(ZONE, *LONG, "--no-figures")])
        row("the same again", [(ZONE, *LONG, "--no-figures")], again=True)
        bench.facts["run"], _ = row("make run", [(ZONE,), (PARK,)])
    text = TEXT.format(cores=os.cpu_count(), repeats="once" if repeats == 1 else f"medians of {repeats}")
    return Table("The main job", text, ("what", "s", "processor s"), rows)


def _all(commands: Sequence[Sequence[str]], *, again: bool) -> list[Done]:
    """Run commands with results in a folder of their own, with `again` a second time, which alone counts."""
    with tempfile.TemporaryDirectory(prefix="zonesim-bench-") as folder:
        words = [[sys.executable, "-m", "zonesim", "compare", *command, "--out", folder] for command in commands]
        if again:
            for each in words:
                done(each)
        return [done(each) for each in words]
