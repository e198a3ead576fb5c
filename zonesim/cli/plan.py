"""The command `plan`: what a sweep would run."""

from __future__ import annotations

from pathlib import Path

from zonesim.cli.app import FutureOption, Json, Set, Workers, app, asked, finish, workers_of
from zonesim.cli.sweep import Experiment, Out, Replications, Seed


@app.command()
def plan(
    file: Experiment,
    replications: Replications = None,
    seed: Seed = None,
    workers: Workers = 0,
    settings: Set = None,
    future: FutureOption = "",
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """Say what `sweep` would run, how much of it is done already, and how long the rest will take."""
    from zonesim.jobs.sweep import plan_job  # noqa: PLC0415

    finish(plan_job(file, asked(settings, future), replications, seed, workers_of(workers), out), as_json)
