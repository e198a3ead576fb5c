"""The job of `zonesim query`: SQL over the numbers of a results folder."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
from rich.table import Table

from zonesim.analysis import points
from zonesim.briefing.tables.printing import printed
from zonesim.experiment import Results, load_results
from zonesim.faults import Place, ScenarioFault
from zonesim.jobs.job import Job
from zonesim.writing import for_spreadsheets

MOST_ROWS: Final = 200
"""So many rows are printed for people; --csv and --json have all."""

TABLES: Final = {
    "results": "arm, future, kpi, value, low, high, n, difference, diff_low, diff_high, tag",
    "replications": "arm, future, replication, kpi, value",
    "kpis": "kpi, label_en, label_zh, unit, better",
    "arms": "arm, label_en, label_zh, measures",
    "futures": "future, path, text, number",
}
"""The tables and their columns."""


def query_job(folder: Path, sql: str, *, as_csv: bool) -> Job:
    """
    Return what a query finds in the tables of a results folder (`TABLES`), in memory: no file is read or written by it.

    Raises Faults for a folder without results, ScenarioFault with what the database says of a query that is wrong.
    """
    results = load_results(folder)
    with duckdb.connect() as connection:
        for name, columns in _tables(results).items():
            connection.register("given", columns)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")  # noqa: S608  a name of TABLES
            connection.unregister("given")
        connection.execute("SET enable_external_access = false; SET lock_configuration = true")
        try:
            asked = connection.execute(sql)
            heads = [str(column[0]) for column in asked.description or ()]
            rows = asked.fetchall()
        except duckdb.Error as error:
            known = "; ".join(f"{name}({columns})" for name, columns in TABLES.items())
            raise ScenarioFault(str(error).splitlines()[0], Place("SQL"), f"Tables: {known}.") from None
    document = {"run": results.run, "columns": heads, "rows": [dict(zip(heads, row, strict=True)) for row in rows]}
    return Job(document, _csv(heads, rows) if as_csv else _text(heads, rows))


def _tables(results: Results) -> dict[str, dict[str, Any]]:
    """Return the tables of a results folder by column."""
    told = list(points(results, results.reported()))
    kpis = [results.kpis[kpi] for kpi in results.reported()]
    futures = [(name, *setting) for name, future in results.futures.items() for setting in future.settings]
    columns: dict[str, list[list[Any]]] = {
        "results": [
            [
                *(each.arm, each.future, each.kpi, each.interval.value, each.interval.low, each.interval.high),
                each.interval.n,
                *(
                    (each.difference.value, each.difference.low, each.difference.high)
                    if each.difference is not None
                    else (math.nan,) * 3
                ),
                each.tag,
            ]
            for each in told
        ],
        "replications": [
            [arm, future, number, kpi, value]
            for future in results.futures
            for arm in results.arms
            for kpi in results.reported()
            for number, value in zip(results.common(future), results.column(arm, future, kpi).tolist(), strict=True)
        ],
        "kpis": [[each.id, each.en, each.zh, each.unit, each.better] for each in kpis],
        "arms": [
            [arm.name, arm.label.get("en", ""), arm.label.get("zh", ""), ", ".join(arm.measures)]
            for arm in results.arms.values()
        ],
        "futures": [[name, path, text, math.nan if number is None else number] for name, path, text, number in futures],
    }
    return {name: _by_column(TABLES[name].split(", "), rows) for name, rows in columns.items()}


def _by_column(heads: list[str], rows: list[list[Any]]) -> dict[str, Any]:
    parts = list(zip(*rows, strict=True)) if rows else [()] * len(heads)
    numbers = {"value", "low", "high", "n", "difference", "diff_low", "diff_high", "replication", "number"}
    return {
        head: np.array(part, dtype=np.float64 if head in numbers else object)
        for head, part in zip(heads, parts, strict=True)
    }


def _text(heads: list[str], rows: list[tuple[Any, ...]]) -> str:
    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(head)
    for row in rows[:MOST_ROWS]:
        table.add_row(
            *("" if cell is None else f"{cell:.6g}" if isinstance(cell, float) else str(cell) for cell in row)
        )
    more = f"\n{len(rows) - MOST_ROWS} more rows: --csv or --json" if len(rows) > MOST_ROWS else ""
    return printed(table) + more


def _csv(heads: list[str], rows: list[tuple[Any, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(["" if cell is None else for_spreadsheets(str(cell)) for cell in row] for row in rows)
    return text.getvalue().rstrip("\n")
