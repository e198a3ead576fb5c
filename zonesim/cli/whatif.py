"""The command `whatif`: a page that simulates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import File, FutureOption, Json, Set, Workers, app, asked, finish, workers_of


@app.command()
def whatif(
    file: File,
    page: Annotated[
        Path | None,
        typer.Option(
            "-o", "--page", metavar="HTML", help="The page; default: whatif-NAME.html in --out.", show_default=False
        ),
    ] = None,
    measures_: Annotated[
        str,
        typer.Option(
            "--measures", help="Measures to choose from, e.g. 11,10, six at most; default: the first of all that act."
        ),
    ] = "",
    levers: Annotated[
        list[str] | None,
        typer.Option(
            "--lever",
            metavar="PATH[=LOW..HIGH]",
            help="A number that can be moved too, e.g. library.yard.stay.share=40%..70%; again for more. Without ends: "
            "those of its `uncertain`.",
            show_default=False,
        ),
    ] = None,
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
    as_json: Json = False,
    out: Annotated[Path, typer.Option(help="Folder of the page, where -o names none.")] = Path("results"),
) -> None:
    """Write one HTML page that simulates in the browser, without a network: measures, levers and intervals."""
    from zonesim.cli.terminal import Terminal  # noqa: PLC0415
    from zonesim.jobs.whatif import whatif_job  # noqa: PLC0415

    names = [part for part in measures_.split(",") if part.strip()] if measures_ else None
    where = page or out / f"whatif-{file.stem}.html"
    given, say = asked(settings, future), Terminal().say
    job = whatif_job(file, names, given, where, language, clock, workers_of(workers), say, levers or ())
    finish(job, as_json)
