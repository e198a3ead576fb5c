"""Who sits at the terminal and waits: told on stderr how runs go on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from zonesim.experiment import Progress, Watch


class Terminal(Watch):
    """Lines on stderr, and where that is a terminal a bar."""

    @property
    def is_somebody(self) -> bool:
        """Return whether anybody can see the bar."""
        return sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Print a line."""
        typer.echo(text, err=True)

    @contextmanager
    def progress(self, name: str) -> Iterator[Progress]:
        """Show a bar until the block ends."""
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Bar(*columns, console=console, transient=True, disable=not self.is_somebody) as bar:
            task = bar.add_task(name, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
