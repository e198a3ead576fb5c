"""The workload written by hand in C (gate_network.c), compiled on the spot where there is a compiler."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from bench import workload
from bench.answers import Answers

SOURCE: Final = Path(__file__).resolve().parent.parent / "gate_network.c"
PROGRAM: Final = "ZONESIM_BENCH_C"
"""Environment variable with the path of the compiled program: processes started by the one that compiled it find it."""

FLAGS: Final = ("-O3", "-march=native", "-std=c11")


def compiler() -> str | None:
    """Return the C compiler of this machine, if any."""
    return next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)


def build(folder: Path) -> Path | None:
    """Compile the program into `folder`; None where there is no compiler or it cannot."""
    program = folder / "gate_network"
    for flags in (FLAGS, FLAGS[:1] + FLAGS[2:]):  # not every compiler knows what it runs on
        words = [str(compiler()), *flags, str(SOURCE), "-o", str(program), "-lm"]
        if compiler() and subprocess.run(words, check=False, capture_output=True).returncode == 0:
            return program
    return None


def is_here() -> bool:
    """Return whether the program can run on this machine."""
    return _program() is not None


@cache
def _program() -> Path | None:
    if PROGRAM in os.environ:
        return Path(os.environ[PROGRAM])
    folder = tempfile.mkdtemp(prefix="zonesim-bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    program = build(Path(folder))
    if program:
        os.environ[PROGRAM] = str(program)
    return program


def run(horizon: float, seed: int, *, log: bool = False, yard: float = workload.YARD) -> Answers:
    """Run the gate network for `horizon` minutes; the program times itself, without its start."""
    return replications(horizon, seed, 1, log=log, yard=yard)[0]


def replications(
    horizon: float, seed: int, runs: int, *, log: bool = False, yard: float = workload.YARD
) -> list[Answers]:
    """Run it several times in one process, with this seed and those that follow."""
    words = [str(_program()), str(horizon), str(seed), str(runs), str(int(log)), str(yard)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    found = []
    for line in done.stdout.splitlines():
        values: dict[str, float] = json.loads(line.replace("nan", "NaN"))
        seconds, events, peak = values.pop("seconds"), int(values.pop("events")), values.pop("peak_mb")
        found.append(Answers(values, seconds, events, peak))
    return found
