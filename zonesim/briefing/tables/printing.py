"""Tables as plain text."""

from __future__ import annotations

from typing import Any, Final

from rich.console import Console

WIDTH: Final = 180
"""Columns of printed tables when standard output is no terminal."""


def printed(item: Any) -> str:  # noqa: ANN401  anything rich can print
    """Return what rich would print, as text: as wide as the terminal, or WIDTH columns."""
    console = Console(no_color=True, highlight=False, markup=False, width=None if Console().is_terminal else WIDTH)
    with console.capture() as capture:
        console.print(item)
    return "\n".join(line.rstrip() for line in capture.get().rstrip().splitlines())
