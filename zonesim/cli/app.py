"""The application that commands register with, the options that several share, and how they print."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from zonesim.limits import MOST_WORKERS
from zonesim.version import __version__

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
FutureOption = Annotated[
    str,
    typer.Option(
        "--future",
        metavar="NAME",
        help="What nobody chooses, the same in all arms, e.g. demand_x2; see `zonesim futures`.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout; all else goes to stderr.")]
Replications = Annotated[int, typer.Option(min=1, max=100_000, help="Independent repetitions of each arm.")]
Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Chooses the luck; equal seeds give equal results.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes to run in; 0: one for each processor.")]
Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="NAME",
        help="What runs the plans: compiled, simpy, recursion (one line only), or auto (the fastest).",
    ),
]
Limit = Annotated[
    float | None,
    typer.Option("--time-limit", min=0.001, metavar="SECONDS", help="Stop a replication that takes longer; it failed."),
]
Scheduler = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        help="Run on the workers of a Dask cluster, e.g. tcp://10.0.0.5:8786, that see the folder of --out.",
    ),
]
Dask = Annotated[bool, typer.Option("--dask", help="Run on a Dask cluster of --workers processes started here.")]
Level = Annotated[
    float,
    typer.Option("--level", min=50, max=99.99, metavar="PERCENT", help="Confidence level of the intervals."),
]
Lang = Annotated[
    str, typer.Option("--lang", metavar="LANGUAGE", help="Language of what is written for people: en or zh.")
]
Goal = Annotated[str, typer.Option(metavar="'smallest KPI'", help="What is good: smallest KPI, or largest KPI.")]
Promises = Annotated[
    list[str] | None,
    typer.Option(
        "--promise",
        metavar="'KPI <= LIMIT'",
        help="What must hold, e.g. 'TYP.lanes_in.pass.p95 <= 30 min' (repeatable), in place of the scenario's.",
    ),
]
Figures = Annotated[bool, typer.Option("--figures/--no-figures", help="Draw figures, or leave that out and be faster.")]
Formats = Annotated[
    str, typer.Option("--format", help="File formats of figures, separated by commas: png, svg, pdf (text stays text).")
]
Out = Annotated[Path, typer.Option(help="Folder for results; each scenario gets a folder of its own below it.")]
ByReplication = Annotated[
    bool,
    typer.Option("--by-replication", help="Also write every KPI of every replication: replications.csv, and in JSON."),
]
ArmOption = Annotated[
    str,
    typer.Option("--arm", help="Measures, e.g. 11, 10+11 or '{m11: {coverage: 60 %, zones: [SIP]}}'; empty: baseline."),
]


def formats_of(given: str, *, figures: bool) -> list[str]:
    """Return the formats that figures are drawn in, none where there are to be none; raises UnknownName."""
    from zonesim.briefing.folders import formats_named  # noqa: PLC0415  loaded where it is asked for

    return formats_named(given) if figures else []


def _version(value: bool) -> None:
    if value:
        typer.echo(f"zonesim {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a fault.")] = False,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Take the options of every command; `main` has looked for --debug, which may stand anywhere, before."""


def asked(settings: list[str] | None, future: str) -> list[str]:
    """Return the future that is asked for, which is a setting too, and behind it the settings of `--set`."""
    return [*([f"future={future}"] if future else []), *(settings or [])]


def finish(job: Any, as_json: bool) -> None:  # noqa: ANN401  the job's type is imported with it
    """Print what a job found, its notes to stderr, and leave with its exit code when that is not 0."""
    if as_json:
        print_json(job.document)
    else:
        typer.echo(job.text)
    for line in job.notes:
        typer.echo(line, err=True)
    if job.exit_code:
        raise typer.Exit(job.exit_code)


def print_json(document: Any) -> None:  # noqa: ANN401
    """Print one JSON document on stdout."""
    from zonesim.briefing.text.documents import to_json  # noqa: PLC0415

    typer.echo(to_json(document))


def execution_of(
    workers: int,
    engine: str,
    limit: float | None = None,
    shard: str = "",
    scheduler: str = "local",
    *,
    dask: bool = False,
) -> Any:  # noqa: ANN401  its type is imported with it
    """Return by what means to run; who sits at the terminal is told how it goes on."""
    if dask and scheduler != "local":
        raise typer.BadParameter("goes without --dask, which starts a cluster of its own", param_hint="--scheduler")
    from zonesim.cli.terminal import Terminal  # noqa: PLC0415
    from zonesim.experiment import Execution, Shard  # noqa: PLC0415

    part = Shard.written(shard) if shard else None
    return Execution(workers_of(workers), engine, limit, Terminal(), part, "dask" if dask else scheduler)


def workers_of(wanted: int) -> int:
    """
    Return how many processes to run in: what is wanted, or for 0 one for each processor that may be used; never many
    more than there are processors.
    """
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(wanted or there, max(there, MOST_WORKERS))
