"""The command `reproduce`: a run again, by its number."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import Engine, Json, Workers, app, execution_of, finish


@app.command()
def reproduce(
    run: Annotated[
        str, typer.Argument(metavar="ID", help="The number of a run, such as r841bd7e0.", show_default=False)
    ],
    workers: Workers = 0,
    engine: Engine = "auto",
    as_json: Json = False,
    out: Annotated[Path, typer.Option(help="Folder in which the results of the run are.")] = Path("results"),
) -> None:
    """Run again what has a number, without what is stored, and say whether every number is the same."""
    from zonesim.jobs.reproduce import reproduce_job  # noqa: PLC0415

    finish(reproduce_job(run, execution_of(workers, engine), out), as_json)
