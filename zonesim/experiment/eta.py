"""What is left to run of an experiment, and how long it will take."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from zonesim.experiment.design import Design
from zonesim.experiment.estimate import Speed, pilot
from zonesim.experiment.runner import cells_of
from zonesim.experiment.store import Store
from zonesim.plan import Plan

_START: Final = 3.0
"""Seconds to start the workers and to load the kernels."""

MOST_PILOTS: Final = 16
"""Arms that are tried; the others are taken to be as fast as the baseline."""


@dataclass(frozen=True)
class Remaining:
    """
    Distinct plans, runs of them (replications) in all and done, processor seconds and seconds for what is left.

    `cells`: files of runs that are still to be written, `cells_done` those that are there, `disk` and `disk_done` the
    bytes that these take.
    """

    plans: int
    runs: int
    done: int
    work: float
    seconds: float
    cells: int
    cells_done: int
    disk: float
    disk_done: int


def remaining(design: Design, store: Store | None, workers: int, *, thorough: bool = False) -> Remaining:
    """
    Return what is left of a design, and how long it takes `workers` processes.

    Speeds come from pilot runs: of the baseline, or with `thorough` of every arm. Raises RunFault when they cannot run.
    """
    first = design.futures[0].name
    tried = [design.baseline]
    if thorough:
        keys: dict[str, str] = {}
        for name in [design.baseline, *design.options]:
            keys.setdefault(design.cells[name, first].key, name)
        tried = list(keys.values())[:MOST_PILOTS]
    speeds = {name: pilot(design.cells[name, first].plan, design.seed) for name in tried}
    seconds: dict[str, float] = {}
    missing: dict[str, list[int]] = {}
    plans: dict[str, Plan] = {}
    found: dict[str, Speed] = {}
    counts = design.counts()
    most: dict[str, int] = {}
    for pair, cell in design.cells.items():
        most[cell.key] = max(most.get(cell.key, 0), counts[pair])
    for (arm, _), cell in design.cells.items():
        if cell.key not in seconds:
            found[cell.key], plans[cell.key] = speeds.get(arm, speeds[design.baseline]), cell.plan
            seconds[cell.key] = found[cell.key].seconds(cell.plan)
            wanted = range(most[cell.key])
            there = set(store.finished(cell.key, wanted)) if store is not None else set()
            missing[cell.key] = [number for number in wanted if number not in there]
    left = {key: len(numbers) for key, numbers in missing.items()}
    cells = Counter(
        cell.key for cell in cells_of({key: plans[key] for key in plans if left[key]}, missing, workers, None)
    )
    work = sum(left[key] * seconds[key] + min(cells[key], workers) * found[key].once for key in seconds)
    runs, pending = sum(most.values()), sum(left.values())
    longest = max((seconds[key] + found[key].once for key in seconds if left[key]), default=0.0)
    wall = _START + max(work / min(workers, pending), longest) if pending else 0.0
    files = [path for key in plans for path in store.files(key)] if store is not None else []
    return Remaining(
        len(seconds),
        runs,
        runs - pending,
        work,
        wall,
        cells.total(),
        len(files),
        sum(found[key].disk(plans[key], left[key], cells[key]) for key in plans),
        sum(path.stat().st_size for path in files),
    )


def rough_size(size: float) -> str:
    """Return bytes that are not known exactly: `40 kB`, `12 MB`, `3.5 GB`."""
    for unit, one in (("GB", 1e9), ("MB", 1e6)):
        if size >= one:
            return f"{size / one:.1f} {unit}" if size < 10 * one else f"{size / one:.0f} {unit}"
    return f"{max(size / 1e3, 1):.0f} kB"


def rough_time(seconds: float) -> str:
    """Return a time that is not known exactly: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:  # noqa: PLR2004  seconds are clear up to there
        return f"{max(seconds, 1):.0f} s"
    if seconds < 5400:  # noqa: PLR2004
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
