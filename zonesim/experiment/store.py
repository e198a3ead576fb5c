"""
The store: finished cells of an experiment as Parquet files, one a block of replications.

A cell's numbers are a pure function of its plan (with the names that KPIs are called by), the seed and the
replication, so a file is found again by the hash of these and of the versions of their meaning, whatever the arm or
the experiment is called. Files are written under another name and renamed, so a file that has its name is whole; one
that is damaged, or is no cell of this plan, is noted and its replications are run again.

A file has one row a name: `kind, name, replications, numbers`, where `kind` is `value` (a KPI), `withheld` (its missing
share), `curve`, `sample` (ms) or `events`. The two lists are equally long: each number beside the replication it is of.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from zonesim.faults import DiskFull
from zonesim.kpi import RunResult, table_version
from zonesim.plan import MEANING, Plan
from zonesim.writing import make_folder, whole

FOLDER: Final = "cells"
"""Folder of cells in a results folder: those that its numbers come from."""

SHARED: Final = ".cells"
"""Folder of cells beside the results folders: all that were ever finished there, for every run that can use them."""

LAYOUT: Final = 2
"""Version of the layout of a file."""

SAMPLES: Final = frozenset({"dwell", "dwell_open"})
"""Durations that are kept one by one: those that a figure shows the distribution of."""

_FILES: Final = "*-*-*.parquet"
_TAG: Final = "zonesim"
_KEY_LENGTH: Final = 32

_READ: Final = "SELECT filename, kind, name, replications, numbers FROM read_parquet($1, filename=true)"
_READ_VALUES: Final = f"{_READ} WHERE kind IN ('value', 'withheld', 'events')"
_WRITE: Final = """
    COPY (
        SELECT
            kind,
            name,
            replications::INTEGER[] AS replications,
            -- What has no value comes out of numpy as NULL; in the file it is a number like the others.
            [coalesce(number, 'nan'::DOUBLE) FOR number IN numbers::DOUBLE[]] AS numbers
        FROM rows
    ) TO {file} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{tag}: {head}}})
"""


def is_kept(name: str) -> bool:
    """Return whether the durations of a name are kept one by one."""
    return name.rpartition(".")[2] in SAMPLES


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
        [(name, rule.rule()) for name, rule in names.kpis],
    )
    text = repr(("zonesim cell", plan.identity, told, seed, offset, MEANING, table_version()))
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]


@dataclass
class Store:
    """
    The folder of finished cells of one experiment; `notes` tells of files that could not be used.

    What lies there is looked at once; `trust` and `has` add to it, and `look_again` begins anew.
    """

    folder: Path
    notes: list[str] = field(default_factory=list)
    _listed: dict[str, list[Path]] | None = None
    """The files that there are by plan; None until the folder is looked at, which takes long where it holds many."""
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
            for path in self._files_of(key):
                head = self._sound.get(path) or self._checked(path, key)
                if head is not None:
                    self._sound[path] = head
                    known.update({number: path for number in head if number not in known})
            self._known[key] = known
        return [number for number in replications if number in self._known[key]]

    def files(self, key: str) -> list[Path]:
        """Return the whole files of a plan, each once."""
        self.finished(key, ())
        return list(dict.fromkeys(self._known[key].values()))

    def look_again(self) -> None:
        """Look for files anew the next time: others have written some."""
        self._listed = None
        self._known.clear()

    def trust(self, key: str, replications: Sequence[int]) -> None:
        """Take the file that another process has just written of these replications for whole; it is not looked at."""
        if replications:
            self._note(key, self._path(key, replications), sorted(replications))

    def has(self, key: str, replications: Sequence[int]) -> bool:
        """
        Return whether the file that a cell of just these replications is written to is there and whole; a damaged one
        is noted.
        """
        path = self._path(key, replications)
        head = self._checked(path, key) if path.exists() else None
        if head is None:
            return False
        self._note(key, path, head)
        return set(replications) <= set(head)

    def _note(self, key: str, path: Path, replications: list[int]) -> None:
        """Note that a whole file of these replications is there."""
        self._sound[path] = replications
        if self._listed is not None and path not in self._listed.setdefault(key, []):
            self._listed[key].append(path)
        if key in self._known:
            self._known[key] |= {number: path for number in replications if number not in self._known[key]}

    def _files_of(self, key: str) -> list[Path]:
        """Return what is called like a file of a plan, in order."""
        if self._listed is None:
            self._listed = {}
            for path in sorted(self.folder.glob(_FILES)):
                self._listed.setdefault(path.stem.rsplit("-", 2)[0], []).append(path)
        return self._listed.get(key, [])

    def write(self, key: str, results: Mapping[int, RunResult]) -> None:
        """Write the results of a block of replications as one file; it appears whole or not at all."""
        if not results:
            return
        numbers = sorted(results)
        final = self._path(key, numbers)
        table = _Table.of(results)
        head = json.dumps({"layout": LAYOUT, "key": key, "replications": numbers, "digest": table.digest()})
        with whole(final) as part, _connection() as connection:
            connection.register("rows", table.columns())
            try:
                connection.execute(_WRITE.format(file=_quoted(str(part)), tag=_TAG, head=_quoted(head)))
            except duckdb.Error as error:
                if os.strerror(errno.ENOSPC) in str(error):
                    raise DiskFull(final) from None
                raise
        self.trust(key, numbers)

    def read(self, key: str, replications: Sequence[int], *, values_only: bool = False) -> dict[int, RunResult]:
        """Return the results of those of `replications` that are stored; with `values_only` no curves and samples."""
        return self.read_all({key: replications}, values_only=values_only)[key]

    def read_all(
        self, wanted: Mapping[str, Sequence[int]], *, values_only: bool = False
    ) -> dict[str, dict[int, RunResult]]:
        """Return what `read` returns of several plans, by key: many files at once take half of the time."""
        there = {key: self.finished(key, numbers) for key, numbers in wanted.items()}
        paths = {key: list(dict.fromkeys(self._known[key][each] for each in own)) for key, own in there.items()}
        tables = _Table.read_all([path for own in paths.values() for path in own], values_only=values_only)
        found: dict[str, dict[int, RunResult]] = {}
        for key, own in there.items():
            runs = {number: run for path in paths[key] for number, run in tables[path].results().items()}
            found[key] = {number: runs[number] for number in own}
        return found

    def keep(self, key: str, replications: Sequence[int], other: Store) -> None:
        """
        Put the files with these replications into another store, which then needs this one no more.

        They are the same files under a second name where the disk can do that, else copies.
        """
        for path in dict.fromkeys(self._known[key][number] for number in self.finished(key, replications)):
            self._give(path, key, other)

    def give_all(self, other: Store) -> int:
        """
        Put every whole file into another store as `keep` does, and return how many it had not; `notes` tells of files
        that are not whole.
        """
        given = 0
        for path in sorted(self.folder.glob(_FILES)):
            key = path.stem.rsplit("-", 2)[0]
            head = self._checked(path, key)
            if head is not None:
                self._sound[path] = head
                given += not (other.folder / path.name).exists()
                self._give(path, key, other)
        return given

    def _give(self, path: Path, key: str, other: Store) -> None:
        """Put a whole file into another store."""
        kept = other.folder / path.name
        if not (kept.exists() and kept.samefile(path)):
            with whole(kept) as part:
                part.unlink(missing_ok=True)
                try:
                    part.hardlink_to(path)
                except OSError:
                    shutil.copy2(path, part)
        other.trust(key, self._sound[path])

    def _path(self, key: str, replications: Sequence[int]) -> Path:
        return self.folder / f"{key}-{min(replications):06d}-{max(replications):06d}.parquet"

    def _checked(self, path: Path, key: str) -> list[int] | None:
        """Return the replications in a file, or None with a note when it is not a whole cell of this plan."""
        if not path.is_file():
            self._noted(f"{path}: is not a file; its replications are run again")
            return None
        try:
            head = _head(path)
            if head.get("key", key) != key:
                reason = "is not a cell of this plan"
            elif head and head.get("layout") != LAYOUT:
                reason = "was written by another version of zonesim"
            elif _Table.read(path).digest() != head.get("digest"):
                reason = "is damaged"
            else:
                return [int(number) for number in head["replications"]]
        except (duckdb.Error, OSError, ValueError, KeyError, TypeError) as error:
            reason = f"cannot be read ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
        self._noted(f"{path}: {reason}; its replications are run again")
        return None

    def _noted(self, text: str) -> None:
        """Note what is wrong with a file, once however often it is looked at."""
        if text not in self.notes:
            self.notes.append(text)


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """Return a database in memory that uses one processor: cells are written and read by several processes."""
    return duckdb.connect(config={"threads": 1})


def _connection() -> duckdb.DuckDBPyConnection:
    """Return a connection of its own to the database; it is closed where its block ends."""
    return _database().cursor()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class _Table:
    """The rows of a file: names as (kind, name), and for each the replications beside their numbers."""

    names: list[tuple[str, str]]
    replications: list[NDArray[np.int32]]
    numbers: list[NDArray[np.float64]]

    @classmethod
    def of(cls, results: Mapping[int, RunResult]) -> _Table:
        """Return the table of some runs, replications in order."""
        numbers, runs = zip(*sorted(results.items()), strict=True)
        found = cls([], [], [])
        found._add_singles("events", numbers, [{"": run.events} for run in runs])
        found._add_singles("value", numbers, [run.values for run in runs])
        found._add_singles("withheld", numbers, [run.withheld for run in runs])
        found._add_arrays("curve", numbers, [run.curves for run in runs])
        samples = [{name: kept for name, kept in run.samples.items() if is_kept(name)} for run in runs]
        found._add_arrays("sample", numbers, samples)
        return found

    def _add_singles(self, kind: str, replications: Sequence[int], runs: Sequence[Mapping[str, float]]) -> None:
        for name in dict.fromkeys(name for run in runs for name in run):
            known = [(number, run[name]) for number, run in zip(replications, runs, strict=True) if name in run]
            self.names.append((kind, name))
            self.replications.append(np.array([number for number, _ in known], dtype=np.int32))
            self.numbers.append(np.array([value for _, value in known], dtype=np.float64))

    def _add_arrays(self, kind: str, replications: Sequence[int], runs: Sequence[Mapping[str, NDArray[Any]]]) -> None:
        for name in dict.fromkeys(name for run in runs for name in run):
            parts = [run[name] for run in runs]
            self.names.append((kind, name))
            self.replications.append(np.repeat(np.array(replications, dtype=np.int32), [len(part) for part in parts]))
            self.numbers.append(np.concatenate(parts).astype(np.float64, copy=False))

    @classmethod
    def read(cls, path: Path) -> _Table:
        """Return the table in a file; raises TypeError for columns of another kind."""
        return cls.read_all([path])[path]

    @classmethod
    def read_all(cls, paths: Sequence[Path], *, values_only: bool = False) -> dict[Path, _Table]:
        """Return the tables in files, `values_only`: without curves and samples; raises TypeError as `read` does."""
        if not paths:
            return {}
        with _connection() as connection:
            query = _READ_VALUES if values_only else _READ
            columns = connection.execute(query, [[str(path) for path in paths]]).fetchnumpy()
        found = {str(path): cls([], [], []) for path in paths}
        for file, *row in zip(*(column.tolist() for column in columns.values()), strict=True):
            found[file].add(*row)
        return {path: found[str(path)] for path in paths}

    def add(self, kind: str, name: str, replications: NDArray[np.int32], numbers: NDArray[np.float64]) -> None:
        """Add a row of a file; raises TypeError for columns of another kind."""
        if any(type(each) is not np.ndarray or each.dtype.kind not in "if" for each in (replications, numbers)):
            raise TypeError("columns of another kind")
        self.names.append((kind, name))
        self.replications.append(replications)
        self.numbers.append(numbers)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the rows as columns."""
        kinds, names = zip(*self.names, strict=True)
        found = {"kind": np.array(kinds, dtype=object), "name": np.array(names, dtype=object)}
        for name, lists in (("replications", self.replications), ("numbers", self.numbers)):
            found[name] = np.empty(len(lists), dtype=object)
            found[name][:] = lists
        return found

    def digest(self) -> str:
        """Return a hash of all that is in the table; every missing number (nan) counts as one and the same."""
        digest = hashlib.sha256(repr((self.names, [len(each) for each in self.numbers])).encode())
        numbers = np.concatenate(self.numbers)
        digest.update(np.concatenate(self.replications).astype(np.int64).tobytes())
        digest.update(np.where(np.isnan(numbers), math.nan, numbers).tobytes())
        return digest.hexdigest()

    def results(self) -> dict[int, RunResult]:
        """Return the runs in the table by replication."""
        found: dict[int, RunResult] = {}
        for (kind, name), replications, numbers in zip(self.names, self.replications, self.numbers, strict=True):
            if kind in {"curve", "sample"}:
                ends = np.searchsorted(replications, list(found), side="right")
                for run, part in zip(found.values(), np.split(numbers, ends[:-1]), strict=True):
                    if kind == "curve":
                        run.curves[name] = part
                    else:
                        run.samples[name] = part.astype(np.int64)
                continue
            for number, value in zip(replications.tolist(), numbers.tolist(), strict=True):
                if kind == "events":
                    found[number] = RunResult({}, events=int(value))
                elif kind == "value":
                    found[number].values[name] = value
                else:
                    found[number].withheld[name] = value
        return found


def _head(path: Path) -> dict[str, Any]:
    """Return what a file says about itself; empty for a file that zonesim has not written."""
    with _connection() as connection:
        pairs = connection.execute("SELECT key, value FROM parquet_kv_metadata($1)", [str(path)]).fetchall()
    text = next((bytes(value).decode() for key, value in pairs if bytes(key).decode() == _TAG), "{}")
    head = json.loads(text)
    if not isinstance(head, dict):
        raise TypeError("no mapping")
    return head
