"""The command `serve`: the page that simulates, with the engine of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import FutureOption, Set, Workers, app, asked, workers_of


@app.command()
def serve(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Scenario files (YAML).", show_default=False)],
    host: Annotated[
        str, typer.Option(help="Where it is reached; any but this machine's own takes a --token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port.")] = 8765,
    token: Annotated[
        str, typer.Option(metavar="WORD", help="Word that the address must have.", show_default=False)
    ] = "",
    language: Annotated[
        str, typer.Option("--lang", metavar="LANGUAGE", help="Language that it opens in: en or zh.")
    ] = "en",
    clock: Annotated[
        str,
        typer.Option(metavar="CLOCK", help="short: a week each of warm-up, measuring and cool-down; file: as written."),
    ] = "short",
    workers: Workers = 0,
    settings: Set = None,
    future: FutureOption = "",
) -> None:
    """Serve the page of `whatif` from this machine, with its own engine: every measure, provinces, all levers."""
    from zonesim.cli.terminal import Terminal  # noqa: PLC0415
    from zonesim.jobs.serve import serve_job  # noqa: PLC0415

    wanted = asked(settings, future)
    serve_job(files, wanted, host, port, token, language, clock, workers_of(workers), Terminal().say)
