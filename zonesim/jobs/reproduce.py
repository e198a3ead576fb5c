"""The job of `zonesim reproduce`: run again what has a number, and say whether every number is the same."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from zonesim.briefing.folders import run_in
from zonesim.experiment import STUDY, Execution, Results, Store, load_results, recall_design, run_arms, run_id
from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.jobs.job import INTERRUPTED, SOME_FAILED, Job
from zonesim.kpi import RunResult

KINDS: Final = ("compare", "run", "sweep")
"""Kinds of results that can be run again by their number."""

MOST_TOLD: Final = 20
"""So many numbers that differ are told."""


def reproduce_job(run: str, how: Execution, out: Path) -> Job:
    """
    Run again the results in `out` whose number is `run`, from the files in their folder and without any stored cell,
    and compare every number with what is stored, to the last bit.

    The job's exit code is 1 where numbers differ. Raises UnknownName for a number that no folder has, ScenarioFault
    where the files are gone or lead to other plans in this version, or for results of another kind.
    """
    results = load_results(_folder(run, out))
    place = Place(str(results.folder))
    if results.kind not in KINDS:
        remedy = "Name a run of compare, run or sweep; others are made again by their own command."
        raise ScenarioFault(f"is a run of `{results.kind}`", place, remedy)
    design = recall_design(results, whole=True, how=how)
    if run_id(design) != run:
        made = results.provenance
        fault = (
            f"run {run} was made by zonesim {made.get('zonesim')} (meaning {made.get('meaning')});"
            " what is in its folder leads to other plans in this version"
        )
        raise ScenarioFault(fault, place, "Install that version, or run the command anew: it gets a number of its own.")
    with tempfile.TemporaryDirectory() as folder:
        store = Store.below(Path(folder))
        with how.watch.progress(run) as progress:
            runs = run_arms(
                design.plans(),
                seed=design.seed,
                replications=design.counts(),
                how=how,
                offset=design.offset,
                progress=progress,
                store=store,
            )
        if runs.interrupted:
            return Job({"run": run, "interrupted": True}, "", ["stopped; nothing was changed"], INTERRUPTED)
        numbers, different = 0, []
        for (arm, future), cell in results.cells.items():
            stored = results.store.read(cell.key, cell.replications)
            again = store.read(cell.key, cell.replications)
            for number, told in stored.items():
                where = f"{arm}, {future}, replication {number}"
                if number not in again:
                    different.append(f"{where}: not finished this time")
                    continue
                numbers += len(told.values)
                different += [f"{where}: {what}" for what in _differ(told, again[number])]
    return _told(results, numbers, different)


def _told(results: Results, numbers: int, different: list[str]) -> Job:
    """Return what has come out."""
    replications = sum(len(cell.replications) for cell in results.cells.values())
    document = {
        "run": results.run,
        "folder": str(results.folder),
        "equal": not different,
        "replications": replications,
        "numbers": numbers,
        "different": len(different),
        "differences": different[:MOST_TOLD],
    }
    head = f"run {results.run} ({results.folder})"
    if not different:
        return Job(
            document, f"{head}: all {numbers:,} numbers of {replications} replications are equal, to the last bit"
        )
    more = [f"and {len(different) - MOST_TOLD:,} more"] if len(different) > MOST_TOLD else []
    lines = [f"{head}: {len(different):,} of {numbers:,} numbers differ", *different[:MOST_TOLD], *more]
    return Job(document, "\n".join(lines), exit_code=SOME_FAILED)


def _folder(run: str, out: Path) -> Path:
    """Return the folder in `out` that holds a run; raises UnknownName."""
    known = {run_in(study.parent): study.parent for study in sorted(out.glob(f"*/{STUDY}"))}
    if run not in known:
        remedy = suggest(run, known, "runs") if known else f"{out} holds no results: name the folder with --out."
        raise UnknownName(f"no run '{run}' in {out}", Place("ID"), remedy)
    return known[run]


def _differ(told: RunResult, again: RunResult) -> Iterator[str]:
    """Yield what is not the same in two replications."""
    for name, value in told.values.items():
        other = again.values.get(name)
        if other is None or not np.array_equal(value, other, equal_nan=True):
            yield f"{name} {value!r} and {other!r}"
    for name, share in told.withheld.items():
        if again.withheld.get(name) != share:
            yield f"{name} is withheld otherwise"
    for kind in ("curves", "samples"):
        own, others = getattr(told, kind), getattr(again, kind)
        for name, points in own.items():
            if name not in others or not np.array_equal(points, others[name], equal_nan=True):
                yield f"{kind} {name}"
