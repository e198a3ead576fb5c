"""Commands that help writing scenarios: new, schema."""

from __future__ import annotations

from typing import Annotated

import typer

from zonesim.cli.app import app, print_json


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the scenario, which is written to NAME.yaml.", metavar="NAME")],
    kind: Annotated[
        str,
        typer.Option("--from", help="What to begin with: zone (library flows), gate (own flow), queue (textbook)."),
    ] = "zone",
) -> None:
    """Write a commented scenario to begin with; never over a file that is there."""
    from zonesim.briefing.starting import write_starter  # noqa: PLC0415

    path = write_starter(name, kind)
    typer.echo(f"{path} written. Next: zonesim validate {path}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors that check while one types."""
    from zonesim.scenario.schema import json_schema  # noqa: PLC0415

    print_json(json_schema())
