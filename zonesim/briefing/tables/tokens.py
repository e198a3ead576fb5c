# ruff: noqa: S608  what queries are made of are names and numbers of this module; all others are quoted
"""The records of runs as a table: every visit and every mark of every token, with names, for other programs."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb
import numpy as np

from zonesim.engine import AUTO, simulate
from zonesim.faults import DiskFull, Place, ScenarioFault
from zonesim.plan import (
    NEVER,
    Block,
    MarkName,
    Names,
    Plan,
    StepName,
    child_of,
    number_of,
    ordinal_of,
    place_of,
    source_of,
)
from zonesim.writing import make_folder, unwritable, whole, write_table

ENDINGS: Final = (".parquet", ".csv")

OPTION: Final = "--tokens"

TIMES: Final = ("queued", "started", "ended")

COLUMNS: Final = (
    *("replication", "token", "entry", "flow", "class", "measured", "what", "name", "resources"),
    *(f"{time}_ms" for time in TIMES),
    *TIMES,
)
"""Columns of the table; the attributes of tokens stand behind the class."""

_AFTER_CLASS: Final = COLUMNS.index("class") + 1

_ELSEWHERE: Final = "Choose another file."

_MEMORY: Final = "512MB"
"""What the database may take before it uses the disk."""

_FETCHED: Final = 50_000
"""Rows of a CSV that are in memory at a time."""


def check_file(path: Path) -> None:
    """Raise ScenarioFault unless a table of tokens can have this name."""
    if path.suffix.lower() not in ENDINGS:
        fault = f"'{path.name}' ends neither in {' nor in '.join(ENDINGS)}"
        raise ScenarioFault(fault, Place(OPTION), "Write e.g. tokens.parquet.")
    make_folder(path.parent, _ELSEWHERE)


def write_tokens(
    path: Path, plan: Plan, start: str, seed: int, replications: Iterable[int], engine: str = AUTO
) -> None:
    """
    Run replications of a plan and write their rows to a file, whole or not at all: token by token, each with its visits
    and its marks in the order in which they came to an end, what has not ended last. `start`: the date on which the run
    begins.

    Blocks of rows go to a database beside the file until the run knows what each token is, so that memory does not grow
    with them. Raises RunFault, and ScenarioFault or DiskFull when the file cannot be written.
    """
    check_file(path)
    try:
        with _room_beside(path) as folder, duckdb.connect(str(folder / "rows.duckdb")) as database:
            database.execute(f"SET memory_limit = '{_MEMORY}'")
            _fill(database, plan, seed, replications, engine)
            _name(database, plan.names)
            columns = _columns(plan.names)
            if path.suffix.lower() == ".csv":
                database.execute(_query(plan.names, start, as_text=True))
                write_table(path, columns, _fetched(database))
            else:
                with whole(path, _ELSEWHERE) as part:
                    database.execute(f"COPY ({_query(plan.names, start)}) TO {_quoted(str(part))} (FORMAT parquet)")
    except duckdb.Error as error:
        if "No space left" in str(error):
            raise DiskFull(path) from None
        raise unwritable(path, OSError(str(error)), _ELSEWHERE) from None


@contextmanager
def _room_beside(path: Path) -> Iterator[Path]:
    """Give a folder beside a file that is there while it is written."""
    try:
        with TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise unwritable(path, error, _ELSEWHERE) from None


# --- rows


class _Rows:
    """A sink that puts the rows of a replication into a database."""

    def __init__(self, database: duckdb.DuckDBPyConnection, replication: int) -> None:
        self.database = database
        self.replication = replication

    def take(self, block: Block) -> None:
        """Put down a block: visits, and marks with their moment as an end."""
        for rows, is_mark in ((block.visits, False), (block.marks, True)):
            keys = np.ascontiguousarray(rows["key"])
            number = number_of(keys)
            never = np.full(len(rows), NEVER)
            times = {
                "queued": never if is_mark else rows["queued"],
                "started": never if is_mark else rows["started"],
                "ended": rows["time" if is_mark else "ended"],
            }
            columns = {
                "place": place_of(keys),
                "source": source_of(number),
                "ordinal": ordinal_of(number),
                "child": child_of(number),
                **{name: np.ascontiguousarray(own) for name, own in times.items()},
            }
            self.database.register("block", columns)
            self.database.execute(
                f"INSERT INTO rows SELECT {self.replication}, {is_mark}, place, source, ordinal, child,"
                f" {', '.join(TIMES)} FROM block"
            )
            self.database.unregister("block")


def _fill(database: duckdb.DuckDBPyConnection, plan: Plan, seed: int, replications: Iterable[int], engine: str) -> None:
    """Run replications, and keep all rows and what each consignment was when it arrived."""
    database.execute(
        "CREATE TABLE rows (replication INT, is_mark BOOL, place INT, source INT, ordinal INT, child INT,"
        " queued BIGINT, started BIGINT, ended BIGINT)"
    )
    database.execute("CREATE TABLE arrived (replication INT, source INT, ordinal INT, class INT, measured BOOL)")
    for replication in replications:
        totals = simulate(plan, seed, replication, _Rows(database, replication), engine)
        for source, classes in enumerate(totals.classes):
            first, after = totals.cohort[source].tolist()
            if len(classes):
                database.register("block", {"ordinal": np.arange(len(classes)), "class": classes.astype(np.int64)})
                measured = f"ordinal >= {first} AND ordinal < {after}"
                database.execute(
                    f"INSERT INTO arrived SELECT {replication}, {source}, ordinal, class, {measured} FROM block"
                )
                database.unregister("block")


# --- names


def _attributes(names: Names) -> list[str]:
    """Return what the columns of the attributes are called."""
    return [f"attribute_{name}" if name in COLUMNS else name for name, _ in names.attributes]


def _columns(names: Names) -> list[str]:
    return [*COLUMNS[:_AFTER_CLASS], *_attributes(names), *COLUMNS[_AFTER_CLASS:]]


def _name(database: duckdb.DuckDBPyConnection, names: Names) -> None:
    """Put down what numbers of steps, marks, sources and classes stand for."""
    steps = [(*_of_step(step), _resources(names, step)) for step in names.steps]
    _table(database, "steps", ("what", "name", "resources"), steps)
    _table(database, "moments", ("what", "name", "resources"), [("mark", _of_mark(mark), None) for mark in names.marks])
    _table(database, "sources", ("entry", "flow"), list(zip(names.sources, names.source_flows, strict=True)))
    values = [own for _, own in names.attributes]
    _table(database, "classes", ("class", *_attributes(names)), list(zip(names.classes, *values, strict=True)))


def _of_step(step: StepName) -> tuple[str, str]:
    """Return what the visits of a step are, and where."""
    if step.is_leave:
        return "stay", ".".join(step.path[:-1]) or step.flow
    if step.is_interruption:
        return "interruption", ".".join(step.path[:-1])
    return "kept" if step.is_kept else "visit", ".".join(step.path)


def _of_mark(mark: MarkName) -> str:
    return ".".join((*mark.scope, mark.name))


def _resources(names: Names, step: StepName) -> str | None:
    """Return the units that a visit has in hand: `Z.dock, Z.men (2)`."""
    told = [
        str(names.resources[resource]) + (f" ({units})" if units > 1 else "")
        for resource, units in zip(step.resources, step.units, strict=True)
    ]
    return ", ".join(told) or None


def _table(
    database: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], rows: Sequence[Sequence[str | None]]
) -> None:
    """Make a table of texts, with the number of each row in front."""
    declared = ", ".join(f"{_identifier(column)} VARCHAR" for column in columns)
    database.execute(f"CREATE TABLE {table} (number INT, {declared})")
    if rows:
        marks = ", ".join("?" for _ in range(len(columns) + 1))
        database.executemany(
            f"INSERT INTO {table} VALUES ({marks})", [[number, *row] for number, row in enumerate(rows)]
        )


# --- the table


def _query(names: Names, start: str, *, as_text: bool = False) -> str:
    """Return the query for the table; `as_text`: with dates and truth values as they are written in a CSV."""
    begin = int(datetime.datetime.fromisoformat(start).replace(tzinfo=datetime.UTC).timestamp()) * 1000
    dates = [f"make_timestamp_ms({begin} + nullif({time}, -1))" for time in TIMES]
    measured = "measured"
    if as_text:
        dates = [f"strftime({date}, '%Y-%m-%d %H:%M:%S.%g')" for date in dates]
        measured = "CAST(measured AS VARCHAR)"
    told = {
        "token": "entry || '#' || ordinal || CASE WHEN child > 0 THEN '/' || child ELSE '' END",
        "class": "nullif(classes.class, '')",
        "measured": measured,
        **{part: f"coalesce(steps.{part}, moments.{part})" for part in ("what", "name", "resources")},
        **{f"{time}_ms": f"nullif({time}, -1)" for time in TIMES},
        **dict(zip(TIMES, dates, strict=True)),
    }
    columns = ", ".join(
        f"{told.get(column, _identifier(column))} AS {_identifier(column)}" for column in _columns(names)
    )
    return f"""
        SELECT {columns}
        FROM rows
        JOIN arrived USING (replication, source, ordinal)
        JOIN sources ON sources.number = source
        JOIN classes ON classes.number = arrived.class
        LEFT JOIN steps ON NOT is_mark AND steps.number = place
        LEFT JOIN moments ON is_mark AND moments.number = place
        ORDER BY replication, source, ordinal, child, nullif(rows.ended, -1) NULLS LAST, is_mark, rows.rowid
    """


def _fetched(database: duckdb.DuckDBPyConnection) -> Iterator[Sequence[Any]]:
    while rows := database.fetchmany(_FETCHED):
        yield from rows


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
