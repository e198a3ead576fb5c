"""The command `gather`: parts of an experiment that were run elsewhere, put together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import Json, app, finish

Folders = Annotated[
    list[Path],
    typer.Argument(metavar="DIR…", help="Folders that --out named for the parts.", show_default=False),
]
Out = Annotated[Path, typer.Option(help="Folder for results, beside which the finished cells come.")]


@app.command()
def gather(folders: Folders, as_json: Json = False, out: Out = Path("results")) -> None:
    """Put finished cells of several folders together, so that `sweep` finds all parts of an experiment."""
    from zonesim.jobs.gather import gather_job  # noqa: PLC0415

    finish(gather_job(folders, out), as_json)
