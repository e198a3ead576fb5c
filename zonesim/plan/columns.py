"""
The tables of a plan and the rows of records: each declared once, with the name, meaning and unit of its columns.

A table of named columns is a structured array, `plan.sources["first_row"]`; one whose columns are the classes is a
plain array of shape (n, classes), one of a single column a plain vector. All columns of a table have one type, so that
`flat` is a view of the same bytes: what compiled loops read, and what a plan is known by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Words = NDArray[np.uint64]
Rows = NDArray[np.void]
"""Rows with named columns: a structured array of shape (n,)."""


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    meaning: str
    unit: str = ""
    """Of its numbers; empty where they are counts, codes or numbers of rows."""


@dataclass(frozen=True)
class TableType:
    """A table: its columns, which all have the type `type`."""

    name: str
    type: type[np.int64 | np.float64 | np.uint64]
    columns: tuple[Column, ...]
    by_class: bool = False
    """Whether its only column is repeated for each class."""
    vector: bool = False
    """Whether it is a plain vector: of any length with one column, or of one number a column."""
    unless_empty: bool = False
    """Whether a plan is known by it only where it has rows: it came when plans without it had their names already."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the type of its array: structured where it has named columns."""
        if self.by_class or self.vector:
            return np.dtype(self.type)
        return np.dtype([(column.name, self.type) for column in self.columns])

    @property
    def shape(self) -> str:
        """Return the shape of its array, in words."""
        if self.by_class:
            return "(n, classes)"
        return f"({len(self.columns)},)" if self.vector and len(self.columns) > 1 else "(n,)"

    def array(self, rows: Sequence[Any] | NDArray[Any], classes: int = 1) -> NDArray[Any]:
        """Return rows, each a sequence of numbers, as an array of this table."""
        if isinstance(rows, np.ndarray) and rows.dtype == self.dtype:
            return rows
        if self.vector:
            return np.array(rows, dtype=self.type)
        width = classes if self.by_class else len(self.columns)
        plain = np.array(rows, dtype=self.type).reshape(len(rows), width)
        return plain if self.by_class else structured(plain, self.dtype)


def structured(plain: NDArray[Any], dtype: np.dtype[Any]) -> Rows:
    """Return rows of numbers, shape (n, columns) or behind each other, as rows with named columns: the same bytes."""
    found: Rows = np.ascontiguousarray(plain).reshape(-1).view(dtype)
    return found


def flat(rows: NDArray[Any]) -> NDArray[Any]:
    """Return rows with named columns as plain numbers of shape (n, columns): a view of the same bytes."""
    names = rows.dtype.names
    return rows if names is None else rows.view(rows.dtype[names[0]]).reshape(len(rows), len(names))


def as_dicts(rows: Rows) -> list[dict[str, Any]]:
    """Return rows with named columns as dicts of Python numbers, for who reads them one by one."""
    return [dict(zip(rows.dtype.names or (), row, strict=True)) for row in rows.tolist()]


def _columns(*named: tuple[str, str, str]) -> tuple[Column, ...]:
    return tuple(Column(*each) for each in named)


_STREAM: Final = "row of the streams table"

_TABLES: Final = (
    TableType(
        "program",
        np.int64,
        _columns(
            ("op", "code of the operation", ""),
            ("step", "row of the step table that it works for, -1: none", ""),
            *((letter, "an operand: see the operation table", "") for letter in "abcdefg"),
        ),
    ),
    TableType(
        "needs",
        np.int64,
        _columns(("resource", "row of the resources table", ""), ("units", "how many of its units", "")),
    ),
    TableType(
        "priorities", np.int64, _columns(("priority", "of each class; smaller is served first", "")), by_class=True
    ),
    TableType("shares", np.float64, _columns(("share", "probability for each class", "")), by_class=True),
    TableType(
        "distributions",
        np.int64,
        _columns(
            ("kind", "a zonesim.plan.distributions.Distribution", ""),
            ("first", "first row of the parameters table", ""),
            ("count", "how many parameters", ""),
        ),
    ),
    TableType(
        "parameters",
        np.float64,
        _columns(("parameter", "of a distribution", "that of the value: ms for durations")),
        vector=True,
    ),
    TableType(
        "streams",
        np.uint64,
        _columns(("identity", "of each random stream, a hash of its place in the model", "")),
        vector=True,
    ),
    TableType(
        "resources",
        np.int64,
        _columns(
            ("first_change", "first row of the changes table", ""),
            ("changes", "how many capacity changes", ""),
            ("at_shift_end", "rule for work in hand when units close or break down (AtShiftEnd)", ""),
            ("preempts", "1: who is more important takes the unit of one who is served", ""),
        ),
    ),
    TableType(
        "changes",
        np.int64,
        _columns(
            ("time", "when; the first change of each resource is at time 0", "ms"),
            ("units", "units from then on", ""),
        ),
    ),
    TableType(
        "breakdowns",
        np.int64,
        _columns(
            ("resource", "row of the resources table", ""),
            ("units", "that break down together, -1: all", ""),
            ("clock", "which time counts (Clock)", ""),
            (
                "up",
                "row of the distributions table: time until a breakdown, at least 1, drawn for class 0; the ordinal of"
                " a draw is the number of the cycle, from 0",
                "ms",
            ),
            ("up_stream", _STREAM, ""),
            ("repair", "row of the distributions table: time of the repair, drawn likewise", "ms"),
            ("repair_stream", _STREAM, ""),
        ),
    ),
    TableType(
        "calendars",
        np.int64,
        _columns(("first_span", "first row of the spans table", ""), ("spans", "how many open spans", "")),
    ),
    TableType(
        "spans",
        np.int64,
        _columns(
            ("opens", "begin of an open span", "ms"),
            ("closes", "its end", "ms"),
            ("open_before", "open time before this span", "ms"),
        ),
    ),
    TableType(
        "sources",
        np.int64,
        _columns(
            ("first_row", "row of the program at which its tokens start", ""),
            ("arrivals", "how they come (ArrivalsBy)", ""),
            ("first", "first row of its rates or times, or its row of renewals", ""),
            ("count", "how many of them", ""),
            ("group", "row of the groups table: its firms, -1: none", ""),
            ("parties", "firms that a token has", ""),
            (
                "class",
                "class of its tokens, -1: drawn, -2: listed with the time, -3: drawn, and what is listed with the time"
                " is added",
                "",
            ),
            ("mix", "row of the mixes table, -1: none", ""),
            ("batch", "row of the distributions table: tokens of an arrival, -1: one", ""),
        ),
    ),
    TableType(
        "source_streams",
        np.uint64,
        _columns(
            ("arrival", "identity of the stream of the times between arrivals", ""),
            ("firm", "of the firms", ""),
            ("class", "of the class", ""),
            ("batch", "of the number of tokens of an arrival", ""),
        ),
    ),
    TableType(
        "rates",
        np.float64,
        _columns(
            ("begins", "from when on", "ms"),
            ("rate", "arrivals from then on", "1/ms"),
            ("expected_before", "arrivals expected before then", ""),
        ),
    ),
    TableType(
        "times",
        np.int64,
        _columns(("time", "a listed arrival", "ms"), ("class", "its class, where the source says so", "")),
    ),
    TableType("mixes", np.float64, _columns(("share", "cumulative share of each class", "")), by_class=True),
    TableType(
        "groups",
        np.int64,
        _columns(("first_member", "first row of the members table", ""), ("members", "how many firms", "")),
    ),
    TableType(
        "members",
        np.float64,
        _columns(
            ("share", "of the volume", ""),
            ("cumulative_share", "of it and the members before it", ""),
            ("class", "that the firm gives its tokens", ""),
        ),
    ),
    TableType(
        "adoptions",
        np.int64,
        _columns(
            ("flag", "raised on a token when every row of it that holds at its arrival is met", ""),
            ("source", "row of the sources table, -1: all that have firms, for all parties and the whole run", ""),
            ("by", "what the share is of: 0 the volume, 1 the firms, 2 the tokens, each by itself", ""),
            ("party", "whose firm has to adopt, -1: all firms of the token", ""),
            ("begins", "the row holds from this arrival time on", "ms"),
            ("until", "and until this one", "ms"),
        ),
    ),
    TableType("adoption_shares", np.float64, _columns(("share", "that adopts, by row of adoptions", "")), vector=True),
    TableType(
        "adoption_streams",
        np.uint64,
        _columns(
            (
                "identity",
                "of the stream of the order in which firms adopt, drawn once a replication, or of the tokens' own"
                " draws, by row of adoptions",
                "",
            ),
        ),
        vector=True,
    ),
    TableType(
        "accounts",
        np.int64,
        _columns(
            ("start", "quantity at the start", "that of the account"),
            ("least", "least quantity", "that of the account"),
        ),
    ),
    TableType(
        "window",
        np.int64,
        _columns(
            ("begin", "end of the warm-up", "ms"),
            ("end", "end of measuring", "ms"),
            ("horizon", "end of the run", "ms"),
        ),
        vector=True,
    ),
    TableType(
        "renewals",
        np.int64,
        _columns(
            ("gap", "row of the distributions table: time from one arrival to the next, drawn for class 0", "ms"),
            ("calendar", "row of the calendars table in whose open time gaps count, -1: in any time", ""),
            ("begins", "when the first gap begins", "ms"),
            ("until", "nobody arrives from then on", "ms"),
        ),
        unless_empty=True,
    ),
    TableType(
        "limits",
        np.int64,
        _columns(
            ("source", "row of the sources table, in ascending order: its arrivals begin late, are cut off or end", ""),
            ("begins", "nobody arrives before", "ms"),
            ("most", "arrivals at most, -1: any number", ""),
            ("ends", "whether arrivals come to an end by themselves (Ends)", ""),
        ),
        unless_empty=True,
    ),
    TableType(
        "factors",
        np.int64,
        _columns(
            ("source", "row of the sources table, in ascending order: its rate is multiplied", ""),
            ("distribution", "row of the distributions table: the factor, a number", ""),
            ("each", "1: drawn each day, with its number from 0 as ordinal, 0: once a replication", ""),
        ),
        unless_empty=True,
    ),
    TableType(
        "factor_streams",
        np.uint64,
        _columns(("identity", "of the stream of a factor, by row of factors", "")),
        vector=True,
        unless_empty=True,
    ),
    TableType(
        "attributes",
        np.int64,
        _columns(
            ("source", "row of the sources table, in ascending order: its tokens have a value of an attribute", ""),
            ("step", "by how much the class grows from one value to the next", ""),
            ("first", "first of its values in the table of shares", ""),
            ("values", "how many of them", ""),
        ),
        unless_empty=True,
    ),
    TableType(
        "attribute_shares",
        np.float64,
        _columns(("share", "of a value and those before it, by attribute and value", "")),
        vector=True,
        unless_empty=True,
    ),
    TableType(
        "attribute_streams",
        np.uint64,
        _columns(("identity", "of the stream of an attribute, by row of attributes", "")),
        vector=True,
        unless_empty=True,
    ),
)

TABLES: Final[dict[str, TableType]] = {table.name: table for table in _TABLES}
"""The tables of a plan by name, in the order in which its identity is made."""

VISITS: Final = TableType(
    "visits",
    np.int64,
    _columns(
        ("key", "step << 41 | token number", ""),
        ("queued", "when the token came to the step", "ms"),
        ("started", "when it got its units, -1: it never did", "ms"),
        ("ended", "when it was done, -1: still there when the run ended", "ms"),
    ),
)
"""A token at a step; 32 bytes a row."""

MARKS: Final = TableType(
    "marks",
    np.int64,
    _columns(("key", "mark << 41 | token number", ""), ("time", "when the milestone was reached", "ms")),
)
"""A milestone of a token; 16 bytes a row."""

VISIT: Final = VISITS.dtype
MARK: Final = MARKS.dtype
