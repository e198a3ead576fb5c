"""How long every zone together takes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.bench import Bench
from bench.measuring import child
from bench.province import CLOCK, TRAFFIC, listed, province
from bench.report import Table, number

TEXT = (
    "One replication of {zones} zones with {entries} entries of traffic each and every flow of the library, {length},"
    " on one core. Compile: from the file to the plan. Run: engine, records folded, all KPIs."
)


def listing(bench: Bench) -> Table:
    """Run every zone of the library's list on the engine that users get."""
    clock = ("1 d", "2 d", "1 d") if bench.quick else CLOCK
    with tempfile.TemporaryDirectory(prefix="zonesim-bench-") as folder:
        file = Path(folder) / "province.yaml"
        file.write_text(province(clock), encoding="utf-8")
        found = child(file=str(file), settings=[], engine=bench.engine, seed=1)
    if not bench.quick:
        bench.facts |= {
            "province.compile": found["compile_seconds"],
            "province.run": found["seconds"],
            "province.memory": found["peak_mb"],
        }
    row = [
        bench.engine,
        number(found["compile_seconds"]),
        number(found["seconds"]),
        f"{found['tokens']:,}",
        f"{found['events']:,}",
        number(found["seconds"] / found["events"] * 1e9),
        number(found["peak_mb"]),
    ]
    text = TEXT.format(zones=len(listed()), entries=len(TRAFFIC), length="four days" if bench.quick else "five weeks")
    header = ("engine", "compile s", "run s", "arrivals", "events", "ns an event", "peak MB")
    return Table("Every zone", text, header, [row])
