"""docs/performance.md, made of what a bench found."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import machine, targets
from bench.bench import Bench
from bench.measuring import ROOT
from bench.peers import c_program
from bench.report import Table
from bench.workload import EVENTS

PAGE: Final = ROOT / "docs" / "performance.md"

HEAD: Final = """\
# Answers, speed and memory

One workload, the gate network of `bench/workload.py`, in several programs, each as an experienced user of its tool
would write it. Absolute times belong to a machine and to what else it does: compare ratios, and only those of one run.
Differences below 10 % are noise.

```console
$ {command}
```

{date}; {machine}.

"""

TAIL: Final = """\
## How to read this

Time per consignment is the processor time of one run divided by the consignments that are expected in it: one a
minute, with {events} events each. zonesim's time is that of engine and records; reading and compiling the scenario,
once for all replications, is left out and stands under *Start*. `bench/gate_network.c` is written for this workload
and knows no other. How fast SimPy, Ciw and salabim are depends on how Python was built. Answers are compared
before anything is timed: a program that simulates something else is not fast.

cimba compiles its model in every process, which is left out as well and stands there, too. The single line is M/M/1;
there `--engine auto` takes the recursion, which needs no event list.

`python -m bench --quick` takes about a minute; `--only agreement,simpy,c` runs some sections and programs. Exit code 1
means that answers disagree. Programs that are not installed are left out.

Others were tried by hand, once, in November 2026, on another machine and with a Python built for speed. Recorded, and
not measured by this command, in multiples of SimPy with processes there: SimPy with callbacks 4.6, Ciw 0.22, salabim
0.09, desimpy 0.48 2.6, dssim 1.3 0.71, simmer 4.4.6 1.9, JaamSim 2026-03 1.1, C and Rust 67.
"""


def text(bench: Bench, tables: Sequence[Table], *, command: str, date: str, machine_line: str) -> str:
    """Return the page."""
    parts = [HEAD.format(command=command, date=date, machine=machine_line)]
    parts += [f"{each.markdown()}\n" for each in (targets.table(bench.facts, bench.engine), *tables)]
    return "".join([*parts, TAIL.format(events=EVENTS)])


def write(bench: Bench, tables: Sequence[Table]) -> Path:
    """Write the page; return its path."""
    command = f"python -m bench{' --quick' if bench.quick else ''} --write"
    date = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    line = machine.describe(c_program.compiler())
    PAGE.write_text(text(bench, tables, command=command, date=date, machine_line=line), encoding="utf-8")
    return PAGE
