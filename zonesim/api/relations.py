"""Arrays as DuckDB relations: tables that can be asked with SQL, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np


def relation(columns: Mapping[str, Any]) -> duckdb.DuckDBPyRelation:
    """
    Return a relation with these columns (arrays or lists of one length), on a connection of its own.

    nan becomes NULL. Text may be given as a list of str.
    """
    connection = duckdb.connect()
    connection.register("given", {name: _array(column) for name, column in columns.items()})
    return connection.table("given")


def _array(column: Any) -> Any:  # noqa: ANN401
    if isinstance(column, np.ndarray):
        return column
    return np.array(column, dtype=object if any(isinstance(value, str) for value in column) else None)
