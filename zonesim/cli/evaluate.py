"""The command `evaluate`: what an evaluation of zones asks for."""

from __future__ import annotations

from typing import Annotated

import typer

from zonesim.cli.app import ArmOption, File, FutureOption, Json, Lang, Set, app, asked, finish


@app.command()
def evaluate(
    file: File,
    arm: ArmOption = "",
    settings: Set = None,
    future: FutureOption = "",
    csv: Annotated[bool, typer.Option("--csv", help="Print the table as CSV.")] = False,
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """Tell of every zone what the national evaluation asks for, as far as the model knows it, without a run."""
    from zonesim.jobs.evaluate import evaluate_job  # noqa: PLC0415  slow imports

    finish(evaluate_job(file, asked(settings, future), arm, csv=csv, language=lang), as_json)
