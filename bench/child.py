"""
One measurement in a process of its own: `python -m bench.child '{"program": "simpy", "horizon": 2000, …}'`.

It is kept on one core, runs the program once for a short while so that all code is loaded, then as asked, and prints
one line of JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from time import process_time
from typing import Any

from bench import machine
from bench.programs import by_name

WARM_UP = 500.0
"""Minutes of the run that is not measured."""


def measure(
    program: str,
    horizon: float,
    seed: int,
    runs: int = 1,
    *,
    warm: bool = True,
    **options: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """Return answers and seconds (of processor time) of each run; seeds are `seed` and those that follow."""
    tested = by_name(program)
    if warm:
        tested.run(WARM_UP, 0, **options)
    found = []
    for number in range(runs):
        began = process_time()
        answers = tested.run(horizon, seed + number, **options)
        seconds = process_time() - began
        found.append({**asdict(answers), "seconds": seconds if answers.seconds is None else answers.seconds})
    peak = found[-1]["peak_mb"] if found[-1]["peak_mb"] is not None else machine.peak_mb()
    return {"runs": found, "peak_mb": peak}


def zone(file: str, settings: list[str], engine: str, seed: int) -> dict[str, Any]:
    """Return events and seconds of one replication of a scenario in its baseline (see `zonesim_engines`)."""
    from bench.peers import zonesim_engines  # noqa: PLC0415  as late as the other programs are imported

    return {**zonesim_engines.run_scenario(file, settings, engine, seed), "peak_mb": machine.peak_mb()}


if __name__ == "__main__":
    machine.pin()
    asked = json.loads(sys.argv[1])
    print(json.dumps(zone(**asked) if "file" in asked else measure(**asked)))
