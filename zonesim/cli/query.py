"""The command `query`: SQL over the numbers of a results folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import Json, app, finish

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A results folder.", show_default=False)]
Sql = Annotated[
    str,
    typer.Argument(
        metavar="SQL",
        help="A query over the tables results, replications, kpis, arms and futures.",
        show_default=False,
    ),
]


@app.command()
def query(
    folder: Folder,
    sql: Sql,
    csv: Annotated[bool, typer.Option("--csv", help="Print all rows as CSV.")] = False,
    as_json: Json = False,
) -> None:
    """Ask the numbers of a results folder with SQL; the folder stays as it is."""
    from zonesim.jobs.query import query_job  # noqa: PLC0415

    finish(query_job(folder, sql, as_csv=csv), as_json)
