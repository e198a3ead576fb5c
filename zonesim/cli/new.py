"""The command `new`: a scenario to begin with."""

from __future__ import annotations

from typing import Annotated

import typer

from zonesim.cli.app import app


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the scenario, which is written to NAME.yaml.", metavar="NAME")],
    kind: Annotated[
        str,
        typer.Option("--from", help="What to begin with: zone (library flows), gate (own flow), queue (textbook)."),
    ] = "zone",
) -> None:
    """Write a commented scenario to begin with; never over a file that is there."""
    from zonesim.jobs.new import write_starter  # noqa: PLC0415

    path = write_starter(name, kind)
    typer.echo(f"{path} written. Next: zonesim validate {path}")
