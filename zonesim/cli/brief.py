"""The command `brief`: documents for people who decide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import (
    Engine,
    FutureOption,
    Json,
    Level,
    Limit,
    Out,
    Set,
    Workers,
    app,
    asked,
    execution_of,
    finish,
)


@app.command()
def brief(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|DIR",
            help="A scenario or an experiment, or a results folder of compare, run or sweep.",
            show_default=False,
        ),
    ],
    language: Annotated[str, typer.Option("--lang", metavar="LANGUAGE", help="en, zh or both.")] = "both",
    formats: Annotated[
        str, typer.Option("--to", metavar="FORMATS", help="Formats, separated by commas: html, docx, pptx, xlsx, pdf.")
    ] = "html",
    measures_: Annotated[
        str,
        typer.Option("--measures", help="Of a scenario: measures by annex number, e.g. 11,10; default: all together."),
    ] = "",
    replications: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, help="Independent repetitions of each arm; default: 10, or the experiment's."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Chooses the luck; default: 1, or the experiment's.")
    ] = None,
    workers: Workers = 0,
    engine: Engine = "auto",
    time_limit: Limit = None,
    level: Level = 95,
    settings: Set = None,
    future: FutureOption = "",
    into: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the documents, whose names then end with the run's number; default: the results folder.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """Write a briefing: findings with intervals, tables, charts, doubts and method, in Chinese and English."""
    from zonesim.jobs.brief import Asked, brief_job  # noqa: PLC0415

    names = [part for part in measures_.split(",") if part.strip()] if measures_ else None
    wanted = Asked(names, asked(settings, future), replications, seed, level / 100)
    job = brief_job(target, language, formats, wanted, execution_of(workers, engine, time_limit), out, into)
    finish(job, as_json)
