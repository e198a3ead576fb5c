"""The command `run`: one arm of a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import (
    ArmOption,
    ByReplication,
    Engine,
    File,
    FutureOption,
    Json,
    Level,
    Limit,
    Out,
    Replications,
    Seed,
    Set,
    Workers,
    app,
    asked,
    execution_of,
    finish,
)


@app.command()
def run(
    file: File,
    arm: ArmOption = "",
    replications: Replications = 10,
    seed: Seed = 1,
    workers: Workers = 0,
    engine: Engine = "auto",
    time_limit: Limit = None,
    level: Level = 95,
    settings: Set = None,
    future: FutureOption = "",
    warm_up: Annotated[
        bool,
        typer.Option(
            "--warm-up",
            help="Also say and draw whether the warm-up is long enough (MSER-5, Welch); runs twice as long.",
        ),
    ] = False,
    by_replication: ByReplication = False,
    tokens: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write every visit and mark of every token to a .parquet or .csv; runs twice as long.",
        ),
    ] = None,
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """Run one arm of a scenario and print its figures with intervals."""
    from zonesim.jobs.run import run_job  # noqa: PLC0415

    job = run_job(
        file,
        [arm] if arm else [],
        asked(settings, future),
        replications,
        seed,
        execution_of(workers, engine, time_limit),
        out,
        only=True,
        warm_up=warm_up,
        level=level / 100,
        by_replication=by_replication,
        tokens=tokens,
    )
    finish(job, as_json)
