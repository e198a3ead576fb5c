"""Commands that run scenarios: run, compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import (
    ArmOption,
    Engine,
    File,
    Json,
    Level,
    Limit,
    Out,
    Replications,
    Seed,
    Set,
    Workers,
    app,
    finish,
    how_of,
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
    warm_up: Annotated[
        bool,
        typer.Option("--warm-up", help="Also say whether the warm-up is long enough (MSER-5); runs twice as long."),
    ] = False,
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """Run one arm of a scenario and print its figures with intervals."""
    from zonesim.briefing.report import run_job  # noqa: PLC0415

    job = run_job(
        file,
        [arm] if arm else [],
        settings or [],
        replications,
        seed,
        how_of(workers, engine, time_limit),
        out,
        only=True,
        warm_up=warm_up,
        level=level / 100,
    )
    finish(job, as_json)


@app.command()
def compare(
    file: File,
    measures_: Annotated[
        str,
        typer.Option("--measures", help="Measures by annex number, e.g. 11,10; default: all of the library together."),
    ] = "",
    replications: Replications = 10,
    seed: Seed = 1,
    workers: Workers = 0,
    engine: Engine = "auto",
    time_limit: Limit = None,
    level: Level = 95,
    settings: Set = None,
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """Compare the baseline with measures under the same luck: a table, CSV, JSON and figures."""
    from zonesim.briefing.report import run_job  # noqa: PLC0415

    names = [part for part in measures_.split(",") if part.strip()] if measures_ else None
    how = how_of(workers, engine, time_limit)
    job = run_job(file, names, settings or [], replications, seed, how, out, only=False, level=level / 100)
    finish(job, as_json)
