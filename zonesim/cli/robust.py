"""The command `robust`: how the arms of an experiment do over its futures."""

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
def robust(
    file: Experiment,
    goal: Goal,
    promise: Promises = None,
    arms: Annotated[
        str,
        typer.Option(metavar="ARMS", help="Arms that a box of futures is looked for; default: all but the baseline."),
    ] = "",
    look_for: Annotated[
        str,
        typer.Option(
            "--look-for", help="Where an arm is not surely better (not-better), or does not keep its promises (broken)."
        ),
    ] = "not-better",
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
    """Tell regrets, promises kept and signs over the futures of an experiment, and where an arm does not do well."""
    from zonesim.jobs.robust import Asked, robust_job  # noqa: PLC0415

    question = Asked(
        file,
        asked(settings, future),
        goal,
        promise or [],
        [part.strip() for part in arms.split(",") if part.strip()],
        look_for,
        replications,
        seed,
        level / 100,
    )
    how, kinds = (
        execution_of(workers, engine, time_limit, scheduler=scheduler, dask=dask),
        formats_of(formats, figures=figures),
    )
    finish(robust_job(question, how, out, lang, kinds), as_json)
