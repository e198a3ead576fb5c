"""The command `attribute`: which measure of a package contributes how much."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import (
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
def attribute(
    file: File,
    measures_: Annotated[
        str,
        typer.Option("--measures", help="Measures of the package by number, e.g. 4,10,11; default: all that act."),
    ] = "",
    kpis: Annotated[str, typer.Option(help="KPIs by id, e.g. F1.dwell.mean; default: the headlines.")] = "",
    orders: Annotated[
        int, typer.Option(min=4, max=10_000, help="Orders that are drawn where a package is too large for all of them.")
    ] = 20,
    exact: Annotated[
        bool, typer.Option("--exact", help="Look at every combination of up to ten measures: 1,024 arms.")
    ] = False,
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
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """Take a package of measures apart: each alone, each as the last one, its Shapley value, and pairs."""
    from zonesim.jobs.attribute import Asked, attribute_job  # noqa: PLC0415

    names = [part for part in measures_.split(",") if part.strip()] if measures_ else None
    wanted = [part.strip() for part in kpis.split(",") if part.strip()]
    package = Asked(
        file, asked(settings, future), names, wanted, replications, seed, orders + orders % 2, exact, level / 100
    )
    finish(
        attribute_job(package, execution_of(workers, engine, time_limit, scheduler=scheduler, dask=dask), out), as_json
    )
