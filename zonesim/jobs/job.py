"""What the jobs of the command line share: the job itself, running a design, keeping what it found, numbers as text."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from zonesim.analysis import load_warnings, overruled, trivially_changed, unstable
from zonesim.briefing.folders import make_room
from zonesim.experiment import (
    Design,
    Execution,
    Results,
    Runs,
    Store,
    load_results,
    run_arms,
    run_id,
    study_document,
    write_inputs,
    write_study,
)
from zonesim.experiment.eta import in_words, remaining
from zonesim.faults import ZonesimError
from zonesim.stopping import STOPPED, keep

INTERRUPTED: Final = STOPPED
SOME_FAILED: Final = 1

LONG: Final = 10
"""Seconds from which on people are told how long a run will take."""

MOST_TOLD: Final = 3
"""So many arms in futures are named in a warning that holds for some."""

Pair = tuple[str, str]


@dataclass
class Job:
    """What the command line prints: the document for --json, the text for people, notes for stderr, the exit code."""

    document: dict[str, Any]
    text: str
    notes: list[str] = field(default_factory=list)
    exit_code: int = 0


def run_design(design: Design, how: Execution, store: Store) -> Runs[Pair]:
    """Run what the store does not have, on a terminal with the time it will take and a progress bar."""
    if sys.stderr.isatty():
        _announce(design, how.workers, store)
    keep(f"what was finished is kept in {store.folder}: run the same command again to go on")
    names = " | ".join(design.options)
    with shown_progress(names if len(names) <= 60 else design.name) as progress:  # noqa: PLR2004  columns
        runs = run_arms(
            design.plans(),
            seed=design.seed,
            replications=design.replications,
            how=how,
            offset=design.offset,
            progress=progress,
            store=store,
        )
    keep(_kept(design, runs, store))
    return runs


@contextmanager
def shown_progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr, if that is a terminal; it is told how many runs are done and how many were to do."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _announce(design: Design, workers: int, store: Store) -> None:
    try:
        ahead = remaining(design, store, workers)
    except ZonesimError:
        return  # the run itself says what is wrong
    if ahead.seconds > LONG:
        done = f" ({ahead.done} of {ahead.runs} runs are done)" if ahead.done else ""
        sys.stderr.write(f"about {in_words(ahead.seconds)}{done}\n")


def anything_finished(design: Design, runs: Runs[Pair]) -> bool:
    """Return whether there is a replication that every arm of a future has finished."""
    return any(
        set.intersection(*(set(runs.finished[arm, future.name]) for arm in design.options)) for future in design.futures
    )


def write_found(design: Design, runs: Runs[Pair], folder: Path, store: Store) -> tuple[Results, list[str]]:
    """
    Put into the folder of a run all that its figures and tables are made from: what was run, its cells, its inputs.

    Return the results that this leads to, and what is to be said of what the folder held before.
    """
    inputs, grown, released = {}, {}, {}
    for (arm, future), cell in design.cells.items():
        base = design.cells[design.baseline, future]
        inputs[arm, future] = (
            trivially_changed(base.plan, cell.plan, cell.changes) if arm != design.baseline else frozenset()
        )
        grown[arm, future] = unstable(cell.plan, design.offset, design.kpis)
        released[arm, future] = overruled(cell.plan, design.offset, design.kpis)
    finished = {(*pair, number) for pair, numbers in runs.finished.items() for number in numbers}
    notes = make_room(folder, run_id(design), finished)
    write_study(folder, study_document(design, runs, inputs, grown, released))
    write_inputs(folder, design)
    kept = Store.below(folder)
    for pair, cell in design.cells.items():
        store.keep(cell.key, runs.finished[pair], kept)
    return load_results(folder, kept), notes


def warnings_of(design: Design) -> list[str]:
    """Return the warnings of the loads of a design, each once, with where it holds if not everywhere."""
    found: dict[str, list[Pair]] = {}
    for pair, cell in design.cells.items():
        for warning in load_warnings(cell.plan, design.offset):
            found.setdefault(warning, []).append(pair)
    return [f"warning: {text}{_where(design, pairs)}" for text, pairs in found.items()]


def _where(design: Design, pairs: list[Pair]) -> str:
    if len(pairs) == len(design.cells):
        return ""
    told = [", ".join(pair) if len(design.futures) > 1 else pair[0] for pair in pairs[:MOST_TOLD]]
    more = f" and {len(pairs) - MOST_TOLD} more" if len(pairs) > MOST_TOLD else ""
    return f" ({'; '.join(told)}{more})"


def stopped_note(design: Design, runs: Runs[Pair], store: Store) -> str:
    """Return what to say after an interrupt: what is kept, and how to go on."""
    return f"stopped; {_kept(design, runs, store)}"


def _kept(design: Design, runs: Runs[Pair], store: Store) -> str:
    pairs = {cell.key: pair for pair, cell in design.cells.items()}
    done = sum(len(runs.finished[pair]) for pair in pairs.values())
    total = len(pairs) * design.replications
    return f"{done} of {total} runs are kept in {store.folder}: run the same command again to go on"
