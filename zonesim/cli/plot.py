"""The command `plot`: figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import FutureOption, Lang, Set, app, asked


@app.command()
def plot(
    target: Annotated[
        Path, typer.Argument(help="A results folder of compare or sweep, or a scenario file.", show_default=False)
    ],
    language: Lang = "en",
    formats: Annotated[
        str, typer.Option("--format", help="File formats, separated by commas: png, svg, pdf (text stays text).")
    ] = "png",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the figures, whose names then end with the run's number; default: the results folder.",
            show_default=False,
        ),
    ] = None,
    kpi: Annotated[
        list[str] | None,
        typer.Option("--kpi", metavar="ID", help="Draw this KPI instead of the usual ones (repeatable)."),
    ] = None,
    settings: Set = None,
    future: FutureOption = "",
) -> None:
    """Draw the figures that results allow, or what a scenario shows without a run: process maps and loads."""
    from zonesim.jobs.plot import plot_job  # noqa: PLC0415  matplotlib is slow to import

    job = plot_job(target, language, formats, out, kpi or [], asked(settings, future))
    typer.echo(job.text)
    for line in job.notes:
        typer.echo(line, err=True)
