"""The command line: reads options, calls the rooms in order, prints. It holds no logic of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from zonesim import __version__
from zonesim.faults import Faults, ScenarioFault, ZonesimError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Simulate the flow of bonded goods through comprehensive bonded zones, with and without supervision measures.",
    epilog="Exit codes: 0 done, 1 some runs failed, 2 wrong input, 3 a run cannot go on, 70 a defect, 130 stopped.",
)

File = Annotated[Path, typer.Argument(help="A scenario file (YAML).", show_default=False)]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a value, e.g. zones.TYP.lanes_in.units=2 (repeatable)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout; all else goes to stderr.")]
Replications = Annotated[int, typer.Option(min=1, max=100_000, help="Independent repetitions of each arm.")]
Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Chooses the luck; equal seeds give equal results.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes to run in; 0: one for each processor.")]
Out = Annotated[Path, typer.Option(help="Folder for results; each scenario gets a folder of its own below it.")]
ArmOption = Annotated[
    str, typer.Option("--arm", help="Measures by annex number, e.g. 11 or 10+11; empty: the baseline.")
]


def _version(value: bool) -> None:
    if value:
        typer.echo(f"zonesim {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a fault.")] = False,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    context.obj = {"debug": debug}


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
        _print_json(documents)
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
def measures(as_json: Json = False) -> None:
    """List the measures of the library with what they change."""
    from zonesim.briefing.inspection import measures_document, measures_text  # noqa: PLC0415

    if as_json:
        _print_json(measures_document())
    else:
        typer.echo(measures_text())


@app.command()
def run(
    file: File,
    arm: ArmOption = "",
    replications: Replications = 10,
    seed: Seed = 1,
    workers: Workers = 0,
    settings: Set = None,
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """Run one arm of a scenario and print its figures with intervals."""
    from zonesim.briefing.report import run_job  # noqa: PLC0415

    job = run_job(file, [arm] if arm else [], settings or [], replications, seed, _workers(workers), out, only=True)
    _finish(job, as_json)


@app.command()
def compare(
    file: File,
    measures_: Annotated[
        str,
        typer.Option("--measures", help="Measures by annex number, e.g. 11,10; default: all of the library together."),
    ] = "",
    replications: Replications = 10,
    seed: Seed = 1,
    workers: Workers = 0,
    settings: Set = None,
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """Compare the baseline with measures under the same luck: a table, CSV, JSON and figures."""
    from zonesim.briefing.report import run_job  # noqa: PLC0415

    names = [part for part in measures_.split(",") if part.strip()] if measures_ else None
    job = run_job(file, names, settings or [], replications, seed, _workers(workers), out, only=False)
    _finish(job, as_json)


def _finish(job: Any, as_json: bool) -> None:  # noqa: ANN401  the job's type is imported with it
    if as_json:
        _print_json(job.document)
    else:
        typer.echo(job.text)
    for line in job.notes:
        typer.echo(line, err=True)
    if job.exit_code:
        raise typer.Exit(job.exit_code)


def _print_json(document: Any) -> None:  # noqa: ANN401
    from zonesim.briefing.documents import to_json  # noqa: PLC0415

    typer.echo(to_json(document))


def _workers(wanted: int) -> int:
    return wanted or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else wanted or os.cpu_count() or 1


def main() -> None:
    """Run the command line and exit with the documented code."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        code = app(arguments, prog_name="zonesim", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("stopped", err=True)
        sys.exit(130)
    except ZonesimError as error:
        if debug:
            raise
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # a wrong option or command
            error.show()  # type: ignore[attr-defined]
            sys.exit(error.exit_code)
        if debug:
            raise
        kind = type(error).__name__
        typer.echo(
            f"unexpected {kind}: {error}\n    This is a defect of zonesim. Run again with --debug and report it.",
            err=True,
        )
        sys.exit(70)
