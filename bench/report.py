"""Tables, for the terminal and for docs/performance.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table with a title and what should be known about it."""

    title: str
    text: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def plain(self) -> str:
        """Return it for a terminal."""
        rows = [self.header, *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(self.header))]
        lines = [
            "  ".join(
                cell.rjust(width) if column else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([f"== {self.title}", *([self.text] if self.text else []), *lines, ""])

    def markdown(self) -> str:
        """Return it for a page."""
        lines = [f"| {' | '.join(row)} |" for row in (self.header, ["---"] * len(self.header), *self.rows)]
        return "\n".join([f"## {self.title}", "", *([self.text, ""] if self.text else []), *lines, ""])


def parsed(markdown: str, title: str) -> list[list[str]]:
    """Return the rows of the table under a heading of a page, without its header; raises ValueError without one."""
    _, heading, rest = markdown.partition(f"## {title}\n")
    lines = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("|")]
    if not heading or len(lines) < 3:  # noqa: PLR2004  header, rule and a row
        message = f"the page has no table '{title}'"
        raise ValueError(message)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with so many digits that say something."""
    if value is None or value != value:  # noqa: PLR0124  nan
        return "-"
    if value == 0:
        return "0"
    whole = len(str(int(abs(value))))
    return f"{value:,.{max(digits - whole, 0)}f}" if abs(value) >= 1 else f"{value:.{digits}g}"
