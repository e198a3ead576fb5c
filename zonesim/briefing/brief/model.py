"""
What a briefing says, before anybody lays it out: sections of paragraphs, tables and charts in one language.

A writer renders this and knows nothing of simulations, so that a number is the same in every document. Texts are plain:
whatever a label holds, they have no control characters, and no writer reads markup in them.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from zonesim.briefing.text.values import figure_text
from zonesim.briefing.text.words import Language

PERCENT: Final = "\u00a0%"
"""Stands behind a share, on the same line."""

NONE: Final = "–"
"""Stands for a number that there is none of."""

FIRST_WIDE: Final = 0x2E80
"""Letters from here on are as wide as they are high: Chinese."""

_MANY: Final = 1000
"""Numbers from here on are told without a fraction."""

Style = Literal["plain", "share", "whole", "times"]
"""`plain`: about three digits; `share`: 0 to 1, told in per cent; `whole`: no fraction; `times`: a multiple."""


def plain(text: str) -> str:
    """Return a text on one line without letters that steer terminals, printers or the direction of writing."""
    kept = (" " if letter.isspace() else letter for letter in text)
    found = "".join(letter for letter in kept if unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    return " ".join(found.split())


def number_text(value: float, style: Style = "plain", *, signed: bool = False) -> str:
    """Return a number as people read it, `NONE` for none; `signed`: with its sign, also where it is more."""
    if math.isnan(value):
        return NONE
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if style == "whole":
        text = f"{value:,.0f}"
    elif style == "times":
        text = f"×{value:.2f}"
    elif style == "plain" and abs(value) >= _MANY:
        text = f"{value:,.0f}"
    else:
        text = figure_text(value, percent=style == "share")
    text = "0" if text == "-0" else text
    mark = "+" if signed and value > 0 and text != "0" else ""
    return f"{mark}{text.replace('-', '−')}{PERCENT if style == 'share' else ''}"


@dataclass(frozen=True)
class Number:
    """A number of a table: nan for none."""

    value: float
    style: Style = "plain"
    signed: bool = False

    @property
    def text(self) -> str:
        """Return it as people read it."""
        return number_text(self.value, self.style, signed=self.signed)


@dataclass(frozen=True)
class Range:
    """The limits of a number, or the least and the most that it may be; `to` is the word between them."""

    low: float
    high: float
    to: str
    style: Style = "plain"

    @property
    def text(self) -> str:
        """Return both limits as people read them, one where they read alike."""
        low, high = number_text(self.low, self.style), number_text(self.high, self.style)
        if low == high:
            return low
        if self.style == "share" and NONE not in {low, high}:
            low = low.removesuffix(PERCENT)
        return f"{low} {self.to} {high}" if self.to.isascii() else f"{low}{self.to}{high}"


Cell = str | Number | Range


def text_of(cell: Cell) -> str:
    """Return a cell as people read it."""
    return cell if isinstance(cell, str) else cell.text


def room_of(text: str) -> int:
    """Return how much room a text takes, in Latin letters; a Chinese one takes that of two."""
    return sum(2 if ord(letter) > FIRST_WIDE else 1 for letter in text)


LEAST: Final = 9
MOST: Final = 24
"""Letters of the narrowest and of the widest column."""

Kind = Literal["text", "number", "range"]


@dataclass(frozen=True)
class Column:
    """A column of a table: its head, and what stands in it."""

    head: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """A table: its title, columns, rows of as many cells, and the notes below it. `long`: an appendix."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    long: bool = False

    def widths(self) -> tuple[float, ...]:
        """Return how wide columns should be for what stands in them, as shares of the whole."""
        texts = [
            [column.head.split(" ")[0], *(text_of(row[place]) for row in self.rows)]
            for place, column in enumerate(self.columns)
        ]
        wide = [min(max(LEAST, *map(room_of, column)), MOST) for column in texts]
        return tuple(each / sum(wide) for each in wide)

    def lean(self) -> Table:
        """Return the table without columns of texts in which nothing stands."""
        kept = [
            place
            for place, column in enumerate(self.columns)
            if column.kind != "text" or not self.rows or any(row[place] for row in self.rows)
        ]
        columns = tuple(self.columns[place] for place in kept)
        return replace(self, columns=columns, rows=tuple(tuple(row[place] for place in kept) for row in self.rows))


@dataclass(frozen=True)
class Series:
    """Bars of one kind: a value for each category (nan: none), and its limits where there are any."""

    name: str
    values: tuple[float, ...]
    lows: tuple[float, ...] = ()
    highs: tuple[float, ...] = ()


@dataclass(frozen=True)
class Chart:
    """
    A chart of horizontal bars, category below category.

    `bars`: a bar for each series, with its limits; `stack`: the series of a category one after the other; `ends`: two
    series from `middle` on, as in a tornado; `band`: one series, from its low to its high.
    """

    title: str
    kind: Literal["bars", "stack", "ends", "band"]
    unit: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    middle: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A part of a briefing: `name`, short, as on a tab; `title`, a finding; paragraphs, charts and tables."""

    key: str
    name: str
    title: str
    paragraphs: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Briefing:
    """
    A briefing in one language. `source`: the line that stands below every table and chart, with the number of the run;
    `commands`: what makes its numbers again.
    """

    language: Language
    title: str
    question: str
    findings: tuple[str, ...]
    sections: tuple[Section, ...]
    run: str
    source: str
    commands: tuple[str, ...]
    words: dict[str, str] = field(default_factory=dict)
    """What writers say themselves: `findings`, `question`, `contents`, `commands`."""
