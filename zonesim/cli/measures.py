"""The command `measures`: the measures of the library, and the card of one."""

from __future__ import annotations

from typing import Annotated

import typer

from zonesim.cli.app import Json, app, print_json


@app.command()
def measures(
    name: Annotated[
        str, typer.Argument(help="A measure, by its number in the plan or its id: 11 or m11.", show_default=False)
    ] = "",
    as_json: Json = False,
) -> None:
    """List the measures of the library with what they change, or print the card of one."""
    from zonesim.jobs.measures import measure_document, measure_text, measures_document, measures_text  # noqa: PLC0415

    if name:
        card = measure_document(name)
        if as_json:
            print_json(card)
        else:
            typer.echo(measure_text(card))
    elif as_json:
        print_json(measures_document())
    else:
        typer.echo(measures_text())
