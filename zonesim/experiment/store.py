"""
The store: finished cells of an experiment as Parquet files, one a block of replications.

A cell's numbers are a pure function of its plan (with the names that KPIs are called by), the seed and the
replication, so a file is found again by the hash of these and of the versions of their meaning, whatever the arm or
the experiment is called. Files are written under another name and renamed, so a file that has its name is whole; one
that is damaged, or is no cell of this plan, is noted and its replications are run again.

A file has one row a number: `replication, kind, name, position, value`, where `kind` is `value` (a KPI), `withheld`
(its missing share), `curve`, `sample` (ms) or `events`. A curve or sample without numbers is one row at position -1.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from zonesim.faults import DiskFull
from zonesim.kpi import RunResult, table_version
from zonesim.plan import Plan
from zonesim.plan.plan import MEANING
from zonesim.writing import make_folder, whole

FOLDER: Final = "cells"
"""Folder of cells in a results folder: those that its numbers come from."""

SHARED: Final = ".cells"
"""Folder of cells beside the results folders: all that were ever finished there, for every run that can use them."""

_TAG: Final = "zonesim"
_KEY_LENGTH: Final = 32
_NOTHING: Final = np.array([math.nan])
_BEFORE: Final = np.array([-1], dtype=np.int32)
_READ: Final = "SELECT replication, kind, name, position, value FROM read_parquet($1)"


def cell_key(plan: Plan, seed: int, offset: int) -> str:
    """
    Return the hash (32 hex digits) of all that the numbers of a plan depend on but the replication.

    `offset` is the distance of the run's start from Monday 00:00 in ms, which the load of a resource depends on.
    """
    names = plan.names
    told = (
        [
            (step.entry, step.flow, step.path, step.resources, step.units, step.kind, step.is_leave, step.truths)
            for step in names.steps
        ],
        [
            (mark.entry, mark.flow, mark.scope, mark.name, mark.place, mark.kind, mark.truth, mark.owner)
            for mark in names.marks
        ],
        [(resource.zone, resource.name, resource.role) for resource in names.resources],
        (names.sources, names.source_flows, names.source_groups, names.classes),
    )
    text = repr(("zonesim cell", plan.identity, told, seed, offset, MEANING, table_version()))
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]


@dataclass
class Store:
    """The folder of finished cells of one experiment; `notes` tells of files that could not be used."""

    folder: Path
    notes: list[str] = field(default_factory=list)
    _known: dict[str, dict[int, Path]] = field(default_factory=dict)
    _sound: dict[Path, list[int]] = field(default_factory=dict)
    """Replications in files that have been found whole: these are looked at once."""

    @classmethod
    def below(cls, folder: Path, name: str = FOLDER) -> Store:
        """
        Return the store in a results folder, made if need be, without what a killed process left half written.

        `name`: `SHARED` for the one beside the results folders.

        Raises ScenarioFault when it cannot be written.
        """
        cells = folder / name
        make_folder(cells)
        return cls(cells)

    def finished(self, key: str, replications: Sequence[int]) -> list[int]:
        """Return those of `replications` that are stored whole; a damaged file is noted, once, and does not count."""
        if key not in self._known:
            known: dict[int, Path] = {}
            for path in sorted(self.folder.glob(f"{key}-*.parquet")):
                head = self._sound.get(path) or self._checked(path, key)
                if head is not None:
                    self._sound[path] = head
                    known.update({number: path for number in head if number not in known})
            self._known[key] = known
        return [number for number in replications if number in self._known[key]]

    def forget(self, key: str) -> None:
        """Look again for the files of a plan the next time: other processes have written some."""
        self._known.pop(key, None)

    def write(self, key: str, results: Mapping[int, RunResult]) -> None:
        """Write the results of a block of replications as one file; it appears whole or not at all."""
        if not results:
            return
        numbers = sorted(results)
        final = self.folder / f"{key}-{numbers[0]:06d}-{numbers[-1]:06d}.parquet"
        names, rows = _rows(results)
        head = json.dumps({"key": key, "replications": numbers, "digest": _digest(names, rows)})
        with whole(final) as part, _connect() as connection:
            connection.register("numbers", rows)
            connection.register(
                "names",
                {
                    "id": np.arange(len(names), dtype=np.int32),
                    "kind": np.array([kind for kind, _ in names], dtype=object),
                    "name": np.array([name for _, name in names], dtype=object),
                },
            )
            try:
                connection.execute(
                    # What has no value comes out of numpy as NULL; in the file it is a number like the others.
                    "COPY (SELECT replication, kind, name, position, coalesce(value, 'nan'::DOUBLE) AS value"  # noqa: S608  the name of the file is quoted
                    f" FROM numbers JOIN names USING (id) ORDER BY row) TO {_quoted(str(part))}"
                    f" (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{_TAG}: {_quoted(head)}}})"
                )
            except duckdb.Error as error:
                if os.strerror(errno.ENOSPC) in str(error):
                    raise DiskFull(final) from None
                raise
        self.forget(key)

    def read(self, key: str, replications: Sequence[int]) -> dict[int, RunResult]:
        """Return the results of those of `replications` that are stored."""
        wanted = self.finished(key, replications)
        found: dict[int, RunResult] = {}
        for path in dict.fromkeys(self._known[key][number] for number in wanted):
            found.update(_results(_table(path)))
        return {number: found[number] for number in wanted}

    def keep(self, key: str, replications: Sequence[int], folder: Path) -> None:
        """
        Put the files with these replications into the store of a results folder, which then needs no other folder.

        They are the same files under a second name where the disk can do that, else copies.
        """
        make_folder(folder)
        for path in dict.fromkeys(self._known[key][number] for number in self.finished(key, replications)):
            kept = folder / path.name
            if kept.exists() and kept.samefile(path):
                continue
            with whole(kept) as part:
                part.unlink(missing_ok=True)
                try:
                    part.hardlink_to(path)
                except OSError:
                    shutil.copy2(path, part)

    def _checked(self, path: Path, key: str) -> list[int] | None:
        """Return the replications in a file, or None with a note when it is not a whole cell of this plan."""
        if not path.is_file():
            self.notes.append(f"{path}: is not a file; its replications are run again")
            return None
        try:
            head = _head(path)
            table = _table(path)
            if head.get("key") != key:
                reason = "is not a cell of this plan"
            elif head.get("digest") != _digest_of(table):
                reason = "is damaged"
            else:
                return [int(number) for number in head["replications"]]
        except (duckdb.Error, OSError, ValueError, KeyError, TypeError) as error:
            reason = f"cannot be read ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
        self.notes.append(f"{path}: {reason}; its replications are run again")
        return None


def _connect() -> duckdb.DuckDBPyConnection:
    """Return a database in memory that uses one processor: cells are written and read by several processes."""
    return duckdb.connect(config={"threads": 1})


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _rows(results: Mapping[int, RunResult]) -> tuple[list[tuple[str, str]], dict[str, NDArray[Any]]]:
    """Return (kind, name) by id, and the columns of numbers."""
    names: dict[tuple[str, str], int] = {}
    parts: list[tuple[int, int, NDArray[np.float64]]] = []
    for number, result in sorted(results.items()):
        columns = [("value", name, np.array([value])) for name, value in result.values.items()]
        columns += [("withheld", name, np.array([share])) for name, share in result.withheld.items()]
        columns += [("curve", name, curve) for name, curve in result.curves.items()]
        columns += [("sample", name, sample) for name, sample in result.samples.items()]
        columns += [("events", "", np.array([result.events]))]
        for kind, name, values in columns:
            identity = names.setdefault((kind, name), len(names))
            parts.append((number, identity, values.astype(np.float64) if len(values) else _NOTHING))
    lengths = [len(values) for *_, values in parts]
    positions = [np.arange(len(values), dtype=np.int32) if values is not _NOTHING else _BEFORE for *_, values in parts]
    total = sum(lengths)
    return list(names), {
        "row": np.arange(total, dtype=np.int64),
        "replication": np.repeat(np.array([number for number, *_ in parts], dtype=np.int32), lengths),
        "id": np.repeat(np.array([identity for _, identity, _ in parts], dtype=np.int32), lengths),
        "position": np.concatenate(positions),
        "value": np.concatenate([values for *_, values in parts]),
    }


def _digest(names: Sequence[tuple[str, str]], rows: Mapping[str, NDArray[Any]]) -> str:
    """Return the hash of numbers and names; every missing number (nan) counts as one and the same."""
    return _hash(names, rows["id"], rows["replication"], rows["position"], rows["value"])


def _digest_of(table: Mapping[str, NDArray[Any]]) -> str:
    """Return the same hash of a table that was read."""
    names: dict[tuple[str, str], int] = {}
    pairs = zip(table["kind"].tolist(), table["name"].tolist(), strict=True)
    ids = np.array([names.setdefault(pair, len(names)) for pair in pairs], dtype=np.int32)
    return _hash(list(names), ids, table["replication"], table["position"], table["value"])


def _hash(names: Sequence[tuple[str, str]], *columns: NDArray[Any]) -> str:
    digest = hashlib.sha256(repr(list(names)).encode())
    for column in columns:
        kind = np.float64 if column.dtype.kind == "f" else np.int64
        values: NDArray[Any] = np.ascontiguousarray(column, dtype=kind)
        if kind is np.float64:
            values = np.where(np.isnan(values), math.nan, values)
        digest.update(values.tobytes())
    return digest.hexdigest()


def _head(path: Path) -> dict[str, Any]:
    """Return what a file says about itself; empty for a file that zonesim has not written."""
    connection = _connect()
    try:
        pairs = connection.execute("SELECT key, value FROM parquet_kv_metadata($1)", [str(path)]).fetchall()
    finally:
        connection.close()
    text = next((bytes(value).decode() for key, value in pairs if bytes(key).decode() == _TAG), "{}")
    head = json.loads(text)
    if not isinstance(head, dict):
        raise TypeError("no mapping")
    return head


def _table(path: Path) -> dict[str, NDArray[Any]]:
    """Return the columns of a file in the order in which they were written."""
    connection = _connect()
    try:
        found = connection.execute(_READ, [str(path)]).fetchnumpy()
    finally:
        connection.close()
    if found["value"].dtype.kind != "f" or any(np.ma.is_masked(column) for column in found.values()):
        raise TypeError("columns of another kind")
    return {name: np.asarray(column) for name, column in found.items()}


def _results(table: Mapping[str, NDArray[Any]]) -> dict[int, RunResult]:
    """Return the runs in a table by replication."""
    replication, kind, name = table["replication"], table["kind"], table["name"]
    found: dict[int, RunResult] = {}
    edges = np.flatnonzero(np.concatenate([[True], table["position"][1:] <= 0]))
    for first, after in zip(edges.tolist(), [*edges[1:].tolist(), len(replication)], strict=True):
        number = int(replication[first])
        values = table["value"][first:after] if table["position"][first] >= 0 else table["value"][:0]
        old = found.setdefault(number, RunResult({}))
        if kind[first] == "value":
            old.values[name[first]] = float(values[0])
        elif kind[first] == "withheld":
            old.withheld[name[first]] = float(values[0])
        elif kind[first] == "curve":
            old.curves[name[first]] = values.copy()
        elif kind[first] == "sample":
            old.samples[name[first]] = values.astype(np.int64)
        else:
            found[number] = replace(old, events=int(values[0]))
    return found
