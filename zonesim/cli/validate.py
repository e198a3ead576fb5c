"""The command `validate`: what is wrong with a scenario, and how busy it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from zonesim.cli.app import FutureOption, Json, Set, app, asked, print_json
from zonesim.faults import Faults, ScenarioFault


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(help="Scenario files (YAML).", show_default=False)],
    settings: Set = None,
    future: FutureOption = "",
    as_json: Json = False,
) -> None:
    """Check scenario files, and print the load of every resource by hour."""
    from zonesim.jobs.validate import validate_file, validation_text  # noqa: PLC0415  slow imports, only when used

    faults: list[ScenarioFault] = []
    documents: list[dict[str, Any]] = []
    for file in files:
        try:
            found = validate_file(file, asked(settings, future))
        except ScenarioFault as fault:
            faults += fault.faults if isinstance(fault, Faults) else [fault]
            continue
        documents.append(found)
        if not as_json:
            typer.echo(validation_text(found))
    if as_json:
        print_json(documents)
    if faults:
        raise Faults(faults)
