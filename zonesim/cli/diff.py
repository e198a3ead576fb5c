"""The command `diff`: every value in which two arms differ."""

from __future__ import annotations

from typing import Annotated

import typer

from zonesim.cli.app import File, FutureOption, Json, Set, app, asked, print_json
from zonesim.faults import Place, ScenarioFault


@app.command()
def diff(
    file: File,
    arms: Annotated[
        list[str] | None,
        typer.Option(
            "--arm", help="One arm against the baseline, or two against each other: --arm 11 --arm 10+11 (repeatable)."
        ),
    ] = None,
    settings: Set = None,
    future: FutureOption = "",
    as_json: Json = False,
) -> None:
    """Show every value in which two arms differ: old and new, the measure that changes it, and where."""
    from zonesim.briefing.text.difference import diff_text  # noqa: PLC0415
    from zonesim.jobs.diff import diff_document  # noqa: PLC0415

    if arms and len(arms) > 2:  # noqa: PLR2004
        raise ScenarioFault("more than two arms", Place("--arm"), "Give --arm once or twice.")
    document = diff_document(file, asked(settings, future), arms or [])
    if as_json:
        print_json(document)
    else:
        typer.echo(diff_text(document))
