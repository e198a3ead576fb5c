"""How long the main job takes."""

from __future__ import annotations

import os
import sys
import tempfile

from bench.bench import Bench
from bench.measuring import done
from bench.report import Table, number

FILE = "scenarios/typical_zone.yaml"

TEXT = (
    f"`zonesim compare {FILE} --replications N` as a user runs it, on all {{cores}} cores, with reading, compiling,"
    " tables and figures; kernels compiled before, no results kept from before."
)


def comparing(bench: Bench) -> Table:
    """Compare the typical zone with and without the measures."""
    words = [sys.executable, "-m", "zonesim", "compare", FILE, "--replications"]
    short = [f"--set=clock.{key}=1 d" for key in ("warm_up", "measure", "cool_down")]
    text = TEXT.format(cores=os.cpu_count())
    header = ("replications of 2 arms", "length", "s", "processor s")
    rows = []
    if bench.quick:
        return Table("The main job", text, header, [["30", "its own clock", "left out when quick", ""]])
    for replications, more in ((1, short), (30, [])):
        with tempfile.TemporaryDirectory(prefix="zonesim-bench-") as folder:
            found = done([*words, str(replications), *more, "--out", folder])
        length = "three days" if more else "its own clock"
        rows.append([str(replications), length, number(found.seconds), number(found.processor)])
        if not more:
            bench.facts["compare"] = found.seconds
    return Table("The main job", text, header, rows)
