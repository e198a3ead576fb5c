"""The command `compare`: measures against the baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import (
    ByReplication,
    Dask,
    Engine,
    File,
    FutureOption,
    Json,
    Level,
    Limit,
    Out,
    Replications,
    Scheduler,
    Seed,
    Set,
    Workers,
    app,
    asked,
    execution_of,
    finish,
)


@app.command()
def compare(
    file: File,
    measures_: Annotated[
        str,
        typer.Option(
            "--measures", help="Measures by annex number, e.g. 11,10, or none; default: all of them together."
        ),
    ] = "",
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--change",
            metavar="PATH=VALUE",
            help="Change a value in all arms but the baseline, as --set does in all; with --measures none in one arm.",
        ),
    ] = None,
    replications: Replications = 10,
    seed: Seed = 1,
    workers: Workers = 0,
    engine: Engine = "auto",
    time_limit: Limit = None,
    scheduler: Scheduler = "local",
    dask: Dask = False,
    level: Level = 95,
    settings: Set = None,
    future: FutureOption = "",
    figures: Annotated[
        bool,
        typer.Option("--figures/--no-figures", help="Draw figures, or leave that to `plot`, and be faster."),
    ] = True,
    parts: Annotated[
        bool,
        typer.Option(
            "--parts/--no-parts",
            help="Also run all arms with unlimited units, to tell the direct part of a difference from congestion.",
        ),
    ] = True,
    doubts: Annotated[
        bool,
        typer.Option(
            "--doubts/--no-doubts",
            help="Also run the low and high ends of the doubts that regime and scenario name, 5 replications each.",
        ),
    ] = True,
    by_replication: ByReplication = False,
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """Compare the baseline with measures under the same luck: a table, CSV, JSON and figures."""
    from zonesim.jobs.run import run_job  # noqa: PLC0415

    names = [part for part in measures_.split(",") if part.strip()] if measures_ else None
    how = execution_of(workers, engine, time_limit, scheduler=scheduler, dask=dask)
    job = run_job(
        file,
        names,
        asked(settings, future),
        replications,
        seed,
        how,
        out,
        only=False,
        with_figures=figures,
        level=level / 100,
        by_replication=by_replication,
        parts=parts,
        doubts=doubts,
        changes=changes or (),
    )
    finish(job, as_json)
