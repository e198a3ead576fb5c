"""The command `futures`: what may be asked for with `--future`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import Json, app, print_json


@app.command()
def futures(
    file: Annotated[
        Path | None, typer.Argument(help="A scenario file (YAML) that may have futures of its own.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """List the named futures of the library, and of a scenario, with what they change."""
    from zonesim.jobs.futures import futures_document, futures_text  # noqa: PLC0415

    document = futures_document(file)
    if as_json:
        print_json(document)
    else:
        typer.echo(futures_text(document))
