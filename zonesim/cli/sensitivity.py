"""The command `sensitivity`: which doubted numbers move a KPI, or what an arm does to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import (
    ArmOption,
    Dask,
    Engine,
    Figures,
    File,
    Formats,
    FutureOption,
    Json,
    Lang,
    Level,
    Out,
    Scheduler,
    Seed,
    Set,
    Workers,
    app,
    asked,
    execution_of,
    finish,
    formats_of,
)


@app.command()
def sensitivity(
    file: File,
    of: Annotated[
        str,
        typer.Option(
            "--of", metavar="KPI", help="KPIs by id, e.g. F1.dwell.mean; default: those promised, or headlines."
        ),
    ] = "",
    arm: ArmOption = "",
    method: Annotated[
        str, typer.Option(help="tornado (one number at a time), morris (screening) or sobol (shares of variance).")
    ] = "tornado",
    numbers: Annotated[
        str, typer.Option(metavar="PATHS", help="Only the doubted numbers at these paths or below; default: all.")
    ] = "",
    points: Annotated[
        int | None,
        typer.Option(
            min=1, max=65_536, help="Walks of morris (10), or rows of the sample of sobol (64, a power of 2)."
        ),
    ] = None,
    replications: Annotated[int, typer.Option(min=1, max=1000, help="Runs of each arm in each future.")] = 5,
    seed: Seed = 1,
    workers: Workers = 0,
    engine: Engine = "auto",
    scheduler: Scheduler = "local",
    dask: Dask = False,
    level: Level = 95,
    settings: Set = None,
    future: FutureOption = "",
    figures: Figures = True,
    formats: Formats = "png",
    lang: Lang = "en",
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """Find which doubted numbers move a KPI, or what measures do to it: tornado, Morris, Sobol."""
    from zonesim.jobs.sensitivity import Asked, sensitivity_job  # noqa: PLC0415

    question = Asked(
        file,
        asked(settings, future),
        arm,
        [part.strip() for part in of.split(",") if part.strip()],
        method,
        [part.strip() for part in numbers.split(",") if part.strip()],
        points,
        replications,
        seed,
        level / 100,
    )
    how = execution_of(workers, engine, scheduler=scheduler, dask=dask)
    kinds = formats_of(formats, figures=figures)
    finish(sensitivity_job(question, how, out, lang, kinds), as_json)
