"""The command `replay`: a day of two arms side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zonesim.cli.app import FutureOption, Json, Lang, Out, Set, app, asked, finish


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A scenario or an experiment.", metavar="FILE", show_default=False)],
    arms: Annotated[
        list[str] | None,
        typer.Option(
            "--arm",
            help="One arm beside the baseline, or two beside each other: --arm R1 --arm 11, or arms of the experiment"
            " (repeatable).",
        ),
    ] = None,
    day: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100_000,
            help="Which day of the measured window, from 1; default: the weekday on which most consignments arrive.",
            show_default=False,
        ),
    ] = None,
    zones: Annotated[
        list[str] | None, typer.Option("--zone", help="Draw this zone, e.g. SIP (repeatable); default: all of them.")
    ] = None,
    at: Annotated[str, typer.Option(metavar="FUTURE", help="Of an experiment, which future; default: the first.")] = "",
    replication: Annotated[int, typer.Option(min=0, max=99_999, help="Which repetition; the first is 0.")] = 0,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Chooses the luck; default: 1, or the experiment's.")
    ] = None,
    settings: Set = None,
    future: FutureOption = "",
    page: Annotated[
        Path | None,
        typer.Option("-o", "--page", help="The file to write; default: one in the results folder.", show_default=False),
    ] = None,
    lang: Lang = "en",
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """Write one HTML page that plays a day of two arms side by side, truck by truck."""
    from zonesim.jobs.replay import Asked, replay_job  # noqa: PLC0415

    wanted = Asked(file, asked(settings, future), arms or [], day, zones or [], seed, replication, at)
    finish(replay_job(wanted, lang, page, out), as_json)
