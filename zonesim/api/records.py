"""The records of one replication: who was where when, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from zonesim.api.relations import relation
from zonesim.engine import AUTO, simulate
from zonesim.plan import NEVER, Ints, Plan, RowLog, child_of, number_of, ordinal_of, place_of, source_of

_TOKEN: Final = [("entry", np.int64), ("ordinal", np.int64), ("child", np.int64)]

VISIT: Final = np.dtype([*_TOKEN, ("step", np.int64), ("queued", np.int64), ("started", np.int64), ("ended", np.int64)])
"""
A token at a step. `entry`: its traffic entry, as a place in `Records.entries`; `ordinal`: its number there, from 0;
`child`: 0 for the consignment itself; `step`: a place in `Records.steps`. Times are ms from the start of the run, -1
for never: not started, or still there when the run ended.
"""

MARK: Final = np.dtype([*_TOKEN, ("mark", np.int64), ("time", np.int64)])
"""A milestone of a token. `mark`: a place in `Records.mark_names`; `time`: ms from the start of the run."""


@dataclass(frozen=True)
class Records:
    """What one replication recorded, in the order in which it came to an end. Warm-up and cool-down are in it too."""

    visits: NDArray[np.void]
    """Structured array of dtype `VISIT`, shape (visits,)."""
    marks: NDArray[np.void]
    """Structured array of dtype `MARK`, shape (marks,)."""
    entries: tuple[str, ...]
    """Traffic entries by number."""
    flows: tuple[str, ...]
    """The flow of each traffic entry."""
    steps: tuple[str, ...]
    """Steps by number: `entry.step`, with the steps and blocks around it."""
    mark_names: tuple[str, ...]
    """Marks by number."""
    window: tuple[int, int]
    """Begin and end of the measured window, in ms from the start of the run."""
    horizon: int
    """When the run ended, in ms from its start."""

    def visit_relation(self) -> duckdb.DuckDBPyRelation:
        """
        Return the visits with columns entry, flow, ordinal, child, step (text), queued_ms, started_ms, ended_ms; never
        is NULL.
        """
        found = self.visits
        return relation(
            {
                **self._tokens(found),
                "step": _named(self.steps, found["step"]),
                "queued_ms": found["queued"],
                "started_ms": _or_null(found["started"]),
                "ended_ms": _or_null(found["ended"]),
            }
        ).project("* replace (cast(started_ms as bigint) as started_ms, cast(ended_ms as bigint) as ended_ms)")

    def mark_relation(self) -> duckdb.DuckDBPyRelation:
        """Return the marks with columns entry, flow, ordinal, child, mark (text), time_ms."""
        found = self.marks
        return relation(
            {**self._tokens(found), "mark": _named(self.mark_names, found["mark"]), "time_ms": found["time"]}
        )

    def _tokens(self, rows: NDArray[np.void]) -> dict[str, Any]:
        return {
            "entry": _named(self.entries, rows["entry"]),
            "flow": _named(self.flows, rows["entry"]),
            "ordinal": rows["ordinal"],
            "child": rows["child"],
        }


def records(plan: Plan, seed: int, replication: int, engine: str = AUTO) -> Records:
    """Return the records of one replication of a plan; raises RunFault."""
    log = RowLog()
    simulate(plan, seed, replication, log, engine)
    visits, marks = log.visits, log.marks
    found = _tokens(visits["key"], VISIT)
    found["step"] = place_of(visits["key"])
    found["queued"], found["started"], found["ended"] = visits["queued"], visits["started"], visits["ended"]
    noted = _tokens(marks["key"], MARK)
    noted["mark"], noted["time"] = place_of(marks["key"]), marks["time"]
    names = plan.names
    return Records(
        found,
        noted,
        tuple(names.sources),
        tuple(names.source_flows),
        tuple(f"{step.entry}.{'.'.join(step.path)}" for step in names.steps),
        tuple(mark.name for mark in names.marks),
        (plan.begin, plan.end),
        plan.horizon,
    )


def _tokens(keys: Ints, dtype: np.dtype[Any]) -> NDArray[np.void]:
    """Return rows of a dtype with the token of each key filled in."""
    rows = np.zeros(len(keys), dtype=dtype)
    numbers = number_of(keys)
    rows["entry"], rows["ordinal"], rows["child"] = source_of(numbers), ordinal_of(numbers), child_of(numbers)
    return rows


def _named(names: tuple[str, ...], numbers: Ints) -> NDArray[np.object_]:
    return np.array([*names, ""], dtype=object)[numbers]


def _or_null(times: Ints) -> NDArray[np.float64]:
    """Return times with nan for never; whole ms below 2^53 are exact."""
    return np.where(times == NEVER, np.nan, times.astype(np.float64))
