"""The command `best`: which arm of an experiment is best."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import (
    Dask,
    Engine,
    Figures,
    Formats,
    FutureOption,
    Goal,
    Json,
    Lang,
    Level,
    Limit,
    Promises,
    Scheduler,
    Set,
    Workers,
    app,
    asked,
    execution_of,
    finish,
    formats_of,
)
from zonesim.cli.sweep import Experiment, Out, Replications, Seed


@app.command()
def best(
    file: Experiment,
    goal: Goal,
    indifference: Annotated[
        str, typer.Option(metavar="AMOUNT", help="The least difference of the KPI that counts, e.g. '5 min'.")
    ] = "",
    promise: Promises = None,
    budget: Annotated[
        list[str] | None,
        typer.Option(
            "--budget",
            metavar="'PATH + PATH <= N'",
            help="What it may cost in numbers of the scenario, e.g. units of lanes (repeatable).",
        ),
    ] = None,
    at: Annotated[str, typer.Option(metavar="FUTURE", help="The future of the experiment, where it has several.")] = "",
    method: Annotated[
        str, typer.Option(help="kn (a promised probability, as many runs as it takes) or ocba (a budget of runs).")
    ] = "kn",
    probability: Annotated[
        float, typer.Option(min=50, max=99.9, metavar="PERCENT", help="Of kn: how sure the choice has to be.")
    ] = 95,
    tolerance: Annotated[
        float,
        typer.Option(min=0.1, max=50, metavar="PERCENT", help="Of kn: how near to its limit a promise may be missed."),
    ] = 5,
    most: Annotated[int, typer.Option(min=3, max=100_000, help="Of kn: the most runs of an arm.")] = 500,
    runs: Annotated[int | None, typer.Option(min=1, help="Of ocba: runs in all.")] = None,
    first: Annotated[int, typer.Option(min=3, max=1000, help="Runs of each arm before any is left out.")] = 10,
    replications: Replications = None,
    seed: Seed = None,
    workers: Workers = 0,
    engine: Engine = "auto",
    time_limit: Limit = None,
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
    """Find the best arm of an experiment with a promised probability, and estimate it on runs of another seed."""
    from zonesim.jobs.best import Asked, best_job  # noqa: PLC0415

    question = Asked(
        file,
        asked(settings, future),
        goal,
        indifference,
        promise or [],
        budget or [],
        at,
        method,
        probability / 100,
        tolerance / 100,
        most,
        runs,
        first,
        replications,
        seed,
        level / 100,
    )
    how, kinds = (
        execution_of(workers, engine, time_limit, scheduler=scheduler, dask=dask),
        formats_of(formats, figures=figures),
    )
    finish(best_job(question, how, out, lang, kinds), as_json)
