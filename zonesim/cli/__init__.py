"""The command line: reads options, calls the rooms in order, prints. It holds no logic of its own."""

from __future__ import annotations

import gc
import io
import os
import sys
from typing import Final

import typer

from zonesim.cli import (
    attribute,
    best,
    brief,
    capacity,
    compare,
    diff,
    evaluate,
    fit,
    futures,
    gather,
    measures,
    new,
    plan,
    plot,
    query,
    replay,
    reproduce,
    robust,
    run,
    schema,
    sensitivity,
    serve,
    show,
    sources,
    sweep,
    trace,
    validate,
    verify,
    whatif,
)
from zonesim.cli.app import app
from zonesim.faults import DiskFull, OutOfMemory, ZonesimError
from zonesim.stopping import STOPPED, answered, settled, stopped
from zonesim.writing import FULL

__all__ = [
    "app",
    "attribute",
    "best",
    "brief",
    "capacity",
    "compare",
    "diff",
    "evaluate",
    "fit",
    "futures",
    "gather",
    "main",
    "measures",
    "new",
    "plan",
    "plot",
    "query",
    "replay",
    "reproduce",
    "robust",
    "run",
    "schema",
    "sensitivity",
    "serve",
    "show",
    "sources",
    "sweep",
    "trace",
    "validate",
    "verify",
    "whatif",
]


_SELDOM: Final = (100_000, 20, 20)
"""
How seldom unused objects are looked for: a command makes some hundred thousand that stay until it ends, and Python's
own numbers (700, 10, 10) take a tenth of its time to look through them again and again.
"""


def _tell_slips(arguments: list[str]) -> None:
    """Name the signs of a Chinese keyboard in the arguments, which may be why an option is not known."""
    from zonesim.scenario.characters import corrected, slips, told  # noqa: PLC0415  only where something is wrong

    for argument in arguments:
        for at in slips(argument)[:1]:
            typer.echo(f"    {told(argument[at])} in '{argument}': write {corrected(argument)}.", err=True)


def _drop_output() -> None:
    """Let nothing more be written to standard output, which does not take it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Run the command line and exit with the documented code; interrupts are answered."""
    gc.set_threshold(*_SELDOM)
    with answered():
        _run()


def _run() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a letter shows a mark in its place
            stream.reconfigure(errors="replace")
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        code = app(arguments, prog_name="zonesim", standalone_mode=False)
        settled()
        sys.exit(code if isinstance(code, int) else 0)
    except (typer.Abort, KeyboardInterrupt):
        settled()
        typer.echo(stopped(), err=True)
        sys.exit(STOPPED)
    except ZonesimError as error:
        if debug:
            raise
        from zonesim.scenario.excerpts import explain  # noqa: PLC0415  the help does without the language

        typer.echo(explain(error), err=True)
        sys.exit(error.exit_code)
    except MemoryError:
        if debug:
            raise
        fault = OutOfMemory()
        typer.echo(str(fault), err=True)
        sys.exit(fault.exit_code)
    except BrokenPipeError:
        _drop_output()
        sys.exit(0)
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # a wrong option or command
            error.show()  # type: ignore[attr-defined]
            _tell_slips(arguments)
            sys.exit(error.exit_code)
        if debug:
            raise
        if isinstance(error, OSError) and error.errno in FULL:  # what is printed goes to a file
            _drop_output()
            full = DiskFull(error.filename or "standard output")
            typer.echo(str(full), err=True)
            sys.exit(full.exit_code)
        kind = type(error).__name__
        typer.echo(
            f"unexpected {kind}: {error}\n    This is a defect of zonesim. Run again with --debug and report it.",
            err=True,
        )
        sys.exit(70)
