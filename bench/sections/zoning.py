"""How long a real zone takes."""

from __future__ import annotations

from bench.bench import Bench
from bench.measuring import ROOT, child
from bench.report import Table, number

FILE = "scenarios/suzhou_industrial_park.yaml"
EVENTS_A_SECOND = 17e6 / 2
"""What the target asks for on the reference core."""

REFERENCE_C = 313.0
"""Nanoseconds that the C program took a consignment on the reference core."""

TEXT = f"One replication of `{FILE}` in its baseline, {{length}}, on one core: engine, records folded, all KPIs."


def zoning(bench: Bench) -> Table:
    """Run the Suzhou Industrial Park zone on every engine."""
    clock = ("1 d", "2 d", "1 d") if bench.quick else ("1 week", "3 week", "1 week")
    settings = [f"clock.{key}={text}" for key, text in zip(("warm_up", "measure", "cool_down"), clock, strict=True)]
    rows = []
    for engine in bench.engines:
        found = child(file=str(ROOT / FILE), settings=settings, engine=engine, seed=1)
        seconds, events = found["seconds"], found["events"]
        rows.append(
            [
                engine,
                number(seconds),
                f"{found['tokens']:,}",
                f"{events:,}",
                number(seconds / events * 1e9),
                number(found["peak_mb"]),
            ]
        )
        if engine == bench.engine:
            scale = bench.facts.get("c.nanoseconds", REFERENCE_C) / REFERENCE_C
            bench.facts["zone"] = seconds / (events / EVENTS_A_SECOND * scale)
    header = ("engine", "s", "arrivals", "events", "ns an event", "peak MB")
    return Table("A real zone", TEXT.format(length="four days" if bench.quick else "five weeks"), header, rows)
