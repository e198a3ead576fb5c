"""The command `show`: values with their origin, and process maps."""

from __future__ import annotations

from typing import Annotated

import typer

from zonesim.cli.app import ArmOption, File, Set, app


@app.command()
def show(
    file: File,
    arm: ArmOption = "",
    flow: Annotated[str, typer.Option("--flow", help="Only this flow.")] = "",
    settings: Set = None,
) -> None:
    """Show resolved values with their origin, and the process map, the baseline beside the arm."""
    from zonesim.jobs.show import show_text  # noqa: PLC0415

    typer.echo(show_text(file, settings or [], arm, flow))
