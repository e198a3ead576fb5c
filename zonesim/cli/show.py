"""The command `show`: values with their origin, and process maps."""

from __future__ import annotations

from typing import Annotated

import typer

from zonesim.cli.app import ArmOption, File, FutureOption, Set, app, asked


@app.command()
def show(
    file: File,
    arm: ArmOption = "",
    flow: Annotated[str, typer.Option("--flow", help="Only this flow.")] = "",
    settings: Set = None,
    future: FutureOption = "",
) -> None:
    """Show resolved values with their origin, and the process map, the baseline beside the arm."""
    from zonesim.jobs.show import show_text  # noqa: PLC0415

    typer.echo(show_text(file, asked(settings, future), arm, flow))
