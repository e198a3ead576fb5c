"""How long it takes until something happens."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile

from bench.bench import Bench
from bench.measuring import done
from bench.programs import CIMBA, FOLDED, zonesim
from bench.report import Table, number

TEXT = (
    "Seconds that pass, and processor time, of whole processes; medians of {repeats}. A first run reads and compiles"
    " the gate network and simulates 500 minutes; cold: with no compiled kernels, as after an installation."
    " cimba keeps nothing of what it compiles: every first run is cold."
)


def starting(bench: Bench) -> Table:
    """Time the command line, and first runs with and without compiled kernels."""
    repeats = 2 if bench.quick else 7
    rows = []

    def median(label: str, words: list[str], environment: dict[str, str] | None = None, times: int = repeats) -> float:
        found = [done(words, environment) for _ in range(times)]
        seconds = statistics.median(each.seconds for each in found)
        rows.append([label, number(seconds), number(statistics.median(each.processor for each in found))])
        return seconds

    median("python, nothing else", [sys.executable, "-c", "pass"])
    median("import zonesim", [sys.executable, "-c", "import zonesim"])
    bench.facts["help"] = median("zonesim --help", [sys.executable, "-m", "zonesim", "--help"])
    for engine in bench.engines:
        asked = {"program": zonesim(engine, FOLDED).name, "horizon": 500, "seed": 1, "warm": False}
        words = [sys.executable, "-m", "bench.child", json.dumps(asked)]
        if not bench.quick:
            with tempfile.TemporaryDirectory(prefix="zonesim-bench-") as folder:
                median(f"first run, {engine}, cold", words, {"NUMBA_CACHE_DIR": folder}, times=1)
        median(f"first run, {engine}, warm", words)
    for program in bench.chosen(CIMBA):
        asked = {"program": program.name, "horizon": 500, "seed": 1, "warm": False}
        median("first run, cimba", [sys.executable, "-m", "bench.child", json.dumps(asked)])
    return Table("Start", TEXT.format(repeats=repeats), ("what", "s", "processor s"), rows)
