"""The command `new`: a scenario or an experiment to begin with."""

from __future__ import annotations

from typing import Annotated

import typer

from zonesim.cli.app import app


@app.command()
def new(
    name: Annotated[
        str, typer.Argument(help="Name of the scenario or experiment, which is written to NAME.yaml.", metavar="NAME")
    ],
    kind: Annotated[
        str,
        typer.Option(
            "--from",
            help="What to begin with: zone (library flows), gate (own flow), queue (textbook), or experiment (lanes"
            " times growth, with the gate that it is about in NAME_gate.yaml).",
        ),
    ] = "zone",
) -> None:
    """Write a commented scenario or experiment to begin with; never over a file that is there."""
    from zonesim.jobs.new import ABOUT, write_starter  # noqa: PLC0415

    paths = write_starter(name, kind)
    command = "plan" if kind in ABOUT else "validate"
    typer.echo(f"{' and '.join(map(str, paths))} written. Next: zonesim {command} {paths[0]}")
