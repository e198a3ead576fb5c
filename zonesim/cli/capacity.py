"""The command `capacity`: how much demand every arm carries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import (
    Engine,
    Figures,
    File,
    Formats,
    FutureOption,
    Json,
    Lang,
    Level,
    Limit,
    Out,
    Promises,
    Replications,
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
def capacity(
    file: File,
    promise: Promises = None,
    measures_: Annotated[
        str,
        typer.Option("--measures", help="Measures by annex number, e.g. 11,10; default: all of the library together."),
    ] = "",
    tolerance: Annotated[
        float, typer.Option(min=0.01, max=20, metavar="PERCENT", help="How near the answer comes to the limit.")
    ] = 1,
    size: Annotated[
        str,
        typer.Option(
            "--size",
            metavar="NAMES",
            help="Ask for the smallest units of these resources that hold, e.g. lanes_in,TYP.officers, or all.",
        ),
    ] = "",
    growth: Annotated[
        float, typer.Option(min=0.05, max=20, metavar="TIMES", help="With --size: at so many times the demand.")
    ] = 1,
    replications: Replications = 10,
    seed: Seed = 1,
    workers: Workers = 0,
    engine: Engine = "auto",
    time_limit: Limit = None,
    level: Level = 95,
    settings: Set = None,
    future: FutureOption = "",
    figures: Figures = True,
    formats: Formats = "png",
    lang: Lang = "en",
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """Find the largest multiple of demand at which work in system does not grow and promises hold, for every arm."""
    from zonesim.jobs.asking import Question  # noqa: PLC0415
    from zonesim.jobs.capacity import capacity_job  # noqa: PLC0415

    question = Question(
        file,
        [part for part in measures_.split(",") if part.strip()] if measures_ else None,
        asked(settings, future),
        promise or [],
        replications,
        seed,
        level / 100,
        tolerance / 100,
    )
    how = execution_of(workers, engine, time_limit)
    names = [part.strip() for part in size.split(",") if part.strip()]
    if names:
        from zonesim.jobs.sizes import sizes_job  # noqa: PLC0415

        finish(sizes_job(question, names, growth, how, out, lang), as_json)
        return
    if growth != 1:
        raise typer.BadParameter("is asked of units: name them with --size", param_hint="--growth")
    finish(capacity_job(question, how, out, lang, formats_of(formats, figures=figures)), as_json)
