"""The command `sweep`: every arm of an experiment in every future."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import (
    ByReplication,
    Dask,
    Engine,
    FutureOption,
    Json,
    Level,
    Limit,
    Scheduler,
    Set,
    Workers,
    app,
    asked,
    execution_of,
    finish,
)

Experiment = Annotated[Path, typer.Argument(metavar="EXPERIMENT", help="An experiment file.", show_default=False)]
Replications = Annotated[
    int | None,
    typer.Option(min=1, max=100_000, help="Repetitions of every arm in every future, instead of the file's."),
]
Seed = Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="Chooses the luck, instead of the file's seed.")]
Out = Annotated[Path, typer.Option(help="Folder for results; each experiment gets a folder of its own below it.")]


@app.command()
def sweep(
    file: Experiment,
    replications: Replications = None,
    seed: Seed = None,
    workers: Workers = 0,
    engine: Engine = "auto",
    time_limit: Limit = None,
    level: Level = 95,
    settings: Set = None,
    future: FutureOption = "",
    by_replication: ByReplication = False,
    shard: Annotated[
        str,
        typer.Option(help="Run only this part of the runs, e.g. 2/7, and put the parts together with `gather`."),
    ] = "",
    scheduler: Scheduler = "local",
    dask: Dask = False,
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """Run an experiment: every arm in every future. What is finished is kept, and not run again."""
    from zonesim.jobs.sweep import sweep_job  # noqa: PLC0415

    how = execution_of(workers, engine, time_limit, shard, scheduler, dask=dask)
    job = sweep_job(
        file, asked(settings, future), replications, seed, how, out, level / 100, by_replication=by_replication
    )
    finish(job, as_json)
