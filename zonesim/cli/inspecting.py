"""Commands that run nothing: validate, show, diff, measures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from zonesim.cli.app import ArmOption, File, Json, Set, app, print_json
from zonesim.faults import Faults, Place, ScenarioFault


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(help="Scenario files (YAML).", show_default=False)],
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Check scenario files, and print the load of every resource by hour."""
    from zonesim.briefing.inspection import validate_file, validation_text  # noqa: PLC0415  slow imports, only when used

    faults: list[ScenarioFault] = []
    documents: list[dict[str, Any]] = []
    for file in files:
        try:
            found = validate_file(file, settings or [])
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


@app.command()
def show(
    file: File,
    arm: ArmOption = "",
    flow: Annotated[str, typer.Option("--flow", help="Only this flow.")] = "",
    settings: Set = None,
) -> None:
    """Show resolved values with their origin, and the process map, the baseline beside the arm."""
    from zonesim.briefing.inspection import show_text  # noqa: PLC0415

    typer.echo(show_text(file, settings or [], arm, flow))


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
    as_json: Json = False,
) -> None:
    """Show every value in which two arms differ: old and new, the measure that changes it, and where."""
    from zonesim.briefing.difference import diff_document, diff_text  # noqa: PLC0415

    if arms and len(arms) > 2:  # noqa: PLR2004
        raise ScenarioFault("more than two arms", Place("--arm"), "Give --arm once or twice.")
    document = diff_document(file, settings or [], arms or [])
    if as_json:
        print_json(document)
    else:
        typer.echo(diff_text(document))


@app.command()
def measures(as_json: Json = False) -> None:
    """List the measures of the library with what they change."""
    from zonesim.briefing.inspection import measures_document, measures_text  # noqa: PLC0415

    if as_json:
        print_json(measures_document())
    else:
        typer.echo(measures_text())
