"""The command `sources`: the register of numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import (
    ArmOption,
    Engine,
    File,
    FutureOption,
    Json,
    Lang,
    Out,
    Seed,
    Set,
    Workers,
    app,
    asked,
    execution_of,
    finish,
)


@app.command()
def sources(
    file: File,
    arm: ArmOption = "",
    assumed: Annotated[bool, typer.Option("--assumed", help="Only numbers that nobody has published.")] = False,
    drives: Annotated[
        str,
        typer.Option(
            "--drives",
            metavar="KPI",
            help="Also run every doubted number at both its ends, and list those that move this KPI most.",
        ),
    ] = "",
    replications: Annotated[int, typer.Option(min=1, max=1000, help="With --drives: runs of each end.")] = 3,
    seed: Seed = 1,
    workers: Workers = 0,
    engine: Engine = "auto",
    settings: Set = None,
    future: FutureOption = "",
    csv: Annotated[bool, typer.Option("--csv", help="Print the numbers as CSV.")] = False,
    lang: Lang = "en",
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """List every number behind a scenario with where it comes from, and which of the assumed ones decide a headline."""
    from zonesim.jobs.sources import Asking, sources_job  # noqa: PLC0415  slow imports

    asking = Asking(file, asked(settings, future), arm, assumed, drives, replications, seed)
    finish(sources_job(asking, execution_of(workers, engine), out, csv=csv, language=lang), as_json)
