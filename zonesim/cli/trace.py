"""The command `trace`: what happened to one token."""

from __future__ import annotations

from typing import Annotated

import typer

from zonesim.cli.app import ArmOption, File, FutureOption, Json, Lang, Seed, Set, app, asked, finish

SLOWEST = "slowest"


@app.command()
def trace(
    file: File,
    token: Annotated[
        str,
        typer.Option(
            "--token",
            help="Traffic entry and number, the first is 0: import_sea#12; or slowest, or slowest:F5 (flow or entry).",
        ),
    ] = SLOWEST,
    arm: ArmOption = "",
    replication: Annotated[int, typer.Option(min=0, max=99_999, help="Which repetition; the first is 0.")] = 0,
    seed: Seed = 1,
    settings: Set = None,
    future: FutureOption = "",
    language: Lang = "en",
    as_json: Json = False,
) -> None:
    """Tell the story of one consignment or truck: each step, each wait with what was short and who was ahead."""
    from zonesim.jobs.trace import trace_job  # noqa: PLC0415

    finish(trace_job(file, asked(settings, future), arm, token, seed, replication, language), as_json)
