"""What jobs share: what they hand back, and the way from a design to its report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from zonesim.analysis import arrival_warnings, load_warnings, tags_of
from zonesim.briefing.folders import make_room, results_folder
from zonesim.experiment import (
    SHARED,
    Design,
    Execution,
    Results,
    Runs,
    Shard,
    Store,
    load_results,
    remaining,
    rough_time,
    run_arms,
    run_id,
    study_document,
    write_inputs,
    write_study,
)
from zonesim.faults import ZonesimError
from zonesim.jobs.until_precise import Reached, precision_document, precision_text, refuse_parts, run_until_precise
from zonesim.policy import ResolvedTree, arms_for, left_out
from zonesim.stopping import STOPPED, keep

INTERRUPTED: Final = STOPPED
SOME_FAILED: Final = 1

LONG: Final = 10
"""Seconds from which on people are told how long a run will take."""

MOST_WARNINGS: Final = 20
"""So many warnings are told to people; the JSON has all."""

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


@dataclass(frozen=True)
class Found:
    """What a design has found: its results in a folder of their own, what is said of its loads, and what failed."""

    design: Design
    results: Results
    folder: Path
    warnings: list[str]
    failures: list[str]


def run_and_report(design: Design, how: Execution, out: Path, report: Callable[[Found], Job]) -> Job:
    """
    Run what `out` does not have of a design, keep what was found in a folder of this run there, and report it.

    The job's notes and exit code are added to those of `report`, which is not asked when the runs were interrupted, or
    when no future has a replication that every arm has finished.
    """
    refuse_parts(design, how)
    folder = results_folder(out, design)
    store = Store.below(out, SHARED)
    reached: Reached | None = None
    if design.precision is not None:
        runs, reached = run_until_precise(design, design.precision, how, store, lambda: _run(design, how, store))
    else:
        runs = _run(design, how, store)
    what: dict[str, Any] = {"experiment" if design.kind == "sweep" else "scenario": design.name}
    if runs.interrupted:
        notes = [*store.notes, f"stopped; {_kept(design, runs, store)}"]
        return Job({**what, "interrupted": True}, "", notes, INTERRUPTED)
    if how.shard is not None:
        return _part_done(design, runs, store, how.shard, what)
    failed = [(pair, failure) for pair, each in runs.failures.items() for failure in each]
    told = 2 if design.kind == "sweep" else 1
    failures = [
        f"{', '.join(pair[:told])}, replication {failure.replication}: {failure.message}" for pair, failure in failed
    ]
    warnings = warnings_of(design)
    notes = [*design.notes(), *first_ones(warnings), *store.notes, *failures]
    if not _anything_finished(design, runs):
        code = max((failure.exit_code for _, failure in failed), default=3)
        return Job({**what, "failures": failures}, "no replication was finished", notes, code)
    results, moved = _write(design, runs, folder, store)
    job = report(Found(design, results, folder, warnings, failures))
    if reached is not None:
        job.document["precision"] = precision_document(reached)
        job.text += f"\n\n{precision_text(reached)}"
    job.notes[:0] = [*notes, *moved]
    job.document.setdefault("warnings", warnings)
    job.exit_code = job.exit_code or (SOME_FAILED if failures else 0)
    return job


def _part_done(design: Design, runs: Runs[Pair], store: Store, shard: Shard, what: dict[str, Any]) -> Job:
    """Say what a part of the runs has left in the store; what was found is told when all parts are together."""
    failures = list(dict.fromkeys(each.message for own in runs.failures.values() for each in own))
    done, total = _counted(design, runs)
    text = f"part {shard}: {done} of {total} runs of the experiment are kept in {store.folder}"
    if done < total:
        text += "\nput the parts together with `zonesim gather DIR…`, then run the same command without --shard"
    document = {**what, "shard": str(shard), "done": done, "runs": total, "failures": failures}
    return Job(document, text, [*store.notes, *failures], SOME_FAILED if failures else 0)


def _run(design: Design, how: Execution, store: Store) -> Runs[Pair]:
    """Run what the store does not have; tell who waits how long it will take, and how far it is."""
    if how.watch.is_somebody and how.shard is None:
        _announce(design, how, store)
    keep(f"what was finished is kept in {store.folder}: run the same command again to go on")
    names = " | ".join(design.options)
    with how.watch.progress(names if len(names) <= 60 else design.name) as progress:  # noqa: PLR2004  columns
        runs = run_arms(
            design.plans(),
            seed=design.seed,
            replications=design.counts(),
            how=how,
            offset=design.offset,
            progress=progress,
            store=store,
        )
    keep(_kept(design, runs, store))
    return runs


def _announce(design: Design, how: Execution, store: Store) -> None:
    try:
        ahead = remaining(design, store, how.workers)
    except ZonesimError:
        return  # the run itself says what is wrong
    if ahead.seconds > LONG:
        done = f" ({ahead.done} of {ahead.runs} runs are done)" if ahead.done else ""
        how.watch.say(f"about {rough_time(ahead.seconds)}{done}")


def _anything_finished(design: Design, runs: Runs[Pair]) -> bool:
    """Return whether there is a replication that every arm of a future has finished."""
    return any(
        set.intersection(*(set(runs.finished[arm, future.name]) for arm in design.options)) for future in design.futures
    )


def _write(design: Design, runs: Runs[Pair], folder: Path, store: Store) -> tuple[Results, list[str]]:
    """
    Put into the folder of a run all that its figures and tables are made from: what was run, its cells, its inputs.

    Return the results that this leads to, and what is to be said of what the folder held before.
    """
    finished = {(*pair, number) for pair, numbers in runs.finished.items() for number in numbers}
    notes = make_room(folder, run_id(design), finished)
    write_study(folder, study_document(design, runs, tags_of(design)))
    write_inputs(folder, design)
    kept = Store.below(folder)
    for pair, cell in design.cells.items():
        store.keep(cell.key, runs.finished[pair], kept)
    return load_results(folder, kept), notes


def left_out_notes(world: ResolvedTree) -> list[str]:
    """
    Return a line that says which measures are not among "all measures" of a scenario, and why; no line where none is
    left out, or where there are none together.
    """
    names = left_out(world)
    together = len(arms_for(world)) > 1
    told = f"left out, for nothing that they change is run here: measures {', '.join(names)}"
    return [told] if names and together else []


def warnings_of(design: Design) -> list[str]:
    """Return the warnings of the arrivals and loads of a design, each once, with where it holds if not everywhere."""
    found: dict[str, list[Pair]] = {}
    told: dict[int, list[str]] = {}  # arms may share a plan
    for pair, cell in design.main().items():
        if id(cell.plan) not in told:
            told[id(cell.plan)] = [*arrival_warnings(cell.plan), *load_warnings(cell.plan, design.offset)]
        for warning in told[id(cell.plan)]:
            found.setdefault(warning, []).append(pair)
    return [f"warning: {text}{_where(design, pairs)}" for text, pairs in found.items()]


def settings_words(settings: Sequence[str]) -> list[str]:
    """Return the options of a command that set what was set."""
    words: list[str] = []
    for text in settings:
        name = text.removeprefix("future=")
        words += ["--future", name] if name != text else ["--set", text]
    return words


def first_ones(warnings: Sequence[str]) -> list[str]:
    """Return the warnings that people are told: of many, as futures make them, the first ones and how many more."""
    more = len(warnings) - MOST_WARNINGS
    if more <= 0:
        return list(warnings)
    return [*warnings[:MOST_WARNINGS], f"warning: {more} more warnings like these, see --json"]


def _where(design: Design, pairs: list[Pair]) -> str:
    if len(pairs) == len(design.main()):
        return ""
    told = [", ".join(pair) if len(design.futures) > 1 else pair[0] for pair in pairs[:MOST_TOLD]]
    more = f" and {len(pairs) - MOST_TOLD} more" if len(pairs) > MOST_TOLD else ""
    return f" ({'; '.join(told)}{more})"


def _kept(design: Design, runs: Runs[Pair], store: Store) -> str:
    done, total = _counted(design, runs)
    return f"{done} of {total} runs are kept in {store.folder}: run the same command again to go on"


def _counted(design: Design, runs: Runs[Pair]) -> tuple[int, int]:
    """Return how many runs are done, and how many there are; those of equal plans count once."""
    counts = design.counts()
    pairs: dict[str, Pair] = {}
    for pair, cell in design.cells.items():
        pairs[cell.key] = max(pairs.get(cell.key, pair), pair, key=counts.__getitem__)
    done = sum(len(runs.finished[pair]) for pair in pairs.values())
    return done, sum(counts[pair] for pair in pairs.values())
