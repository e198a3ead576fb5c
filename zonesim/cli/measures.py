"""The command `measures`: the measures of the library."""

from __future__ import annotations

import typer

from zonesim.cli.app import Json, app, print_json


@app.command()
def measures(as_json: Json = False) -> None:
    """List the measures of the library with what they change."""
    from zonesim.jobs.measures import measures_document, measures_text  # noqa: PLC0415

    if as_json:
        print_json(measures_document())
    else:
        typer.echo(measures_text())
