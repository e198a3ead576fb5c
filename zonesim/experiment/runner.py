"""Running arms: every cell is one plan and one replication, in this process or in several."""

from __future__ import annotations

import os
import signal
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Final

from zonesim.engine import simulate
from zonesim.faults import ZonesimError
from zonesim.kpi import Reducer, RunResult, measure
from zonesim.plan import Plan, loads

PATIENCE: Final = 0.2
"""Seconds between looks at finished cells, so that an interrupt is answered at once."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Failure:
    """A cell that could not be finished, with the reason and the exit code of its fault."""

    replication: int
    message: str
    exit_code: int = 3


@dataclass(frozen=True)
class Cell:
    """One plan (by identity) and one replication."""

    identity: str
    replication: int


@dataclass
class Runs:
    """Results by arm and replication, what failed, and whether the run was stopped before its end."""

    results: dict[str, dict[int, RunResult]] = field(default_factory=dict)
    failures: dict[str, list[Failure]] = field(default_factory=dict)
    interrupted: bool = False

    def complete(self) -> list[int]:
        """Return the replications that every arm has finished, in order."""
        done = [set(results) for results in self.results.values()]
        return sorted(set.intersection(*done)) if done else []


@dataclass(frozen=True)
class Job:
    """What a worker needs for a cell besides its number: the plan, its loads and the seed."""

    plan: Plan
    loads: dict[str, float]
    seed: int


_jobs: dict[str, Job] = {}


def run_cell(job: Job, replication: int) -> RunResult:
    """Return the KPIs of one replication; raises RunFault, or BrokenPromise if the run contradicts its own records."""
    reducer = Reducer(job.plan)
    totals = simulate(job.plan, job.seed, replication, reducer)
    return measure(job.plan, reducer, totals, job.loads)


def run_arms(
    plans: dict[str, Plan],
    *,
    seed: int,
    replications: int,
    workers: int,
    offset: int = 0,
    progress: Progress | None = None,
) -> Runs:
    """
    Run every arm `replications` times (numbered from 0) under common random numbers.

    Arms with equal plans share their cells. A cell that fails is noted and the others go on. An interrupt stops the
    workers and returns what is finished. The result does not depend on `workers` or on the order in which cells
    end. `offset` is the distance of the run's start from Monday 00:00 in ms, for the loads.
    """
    jobs: dict[str, Job] = {}
    for plan in plans.values():
        if plan.identity not in jobs:
            bounds = {str(plan.names.resources[load.resource]): load.mean for load in loads(plan, offset)}
            jobs[plan.identity] = Job(plan, bounds, seed)
    cells = [Cell(identity, replication) for replication in range(replications) for identity in jobs]
    done: dict[Cell, RunResult | Failure] = {}
    runs = Runs({name: {} for name in plans}, {name: [] for name in plans})
    try:
        for cell, outcome in (
            _in_processes(jobs, cells, workers) if workers > 1 and len(cells) > 1 else _here(jobs, cells)
        ):
            done[cell] = outcome
            if progress is not None:
                progress(len(done), len(cells))
    except KeyboardInterrupt:
        runs.interrupted = True
    for name, plan in plans.items():
        for replication in range(replications):
            outcome_ = done.get(Cell(plan.identity, replication))
            if isinstance(outcome_, RunResult):
                runs.results[name][replication] = outcome_
            elif outcome_ is not None:
                runs.failures[name].append(outcome_)
    return runs


def _attempt(job: Job, replication: int) -> RunResult | Failure:
    try:
        return run_cell(job, replication)
    except ZonesimError as fault:
        return Failure(replication, str(fault), fault.exit_code)
    except Exception as error:  # noqa: BLE001  whatever happens in one cell, the others go on
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}:{frame.lineno}"
        return Failure(replication, f"unexpected {type(error).__name__} in {where}: {error}", ZonesimError.exit_code)


def _here(jobs: dict[str, Job], cells: list[Cell]) -> Iterator[tuple[Cell, RunResult | Failure]]:
    for cell in cells:
        yield cell, _attempt(jobs[cell.identity], cell.replication)


def _start_worker(jobs: dict[str, Job]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    Thread(target=_follow_parent, daemon=True).start()
    _jobs.update(jobs)


def _follow_parent() -> None:
    """End this process when the one that started it has ended, however that happened."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _in_worker(cell: Cell) -> RunResult | Failure:
    return _attempt(_jobs[cell.identity], cell.replication)


def _in_processes(jobs: dict[str, Job], cells: list[Cell], workers: int) -> Iterator[tuple[Cell, RunResult | Failure]]:
    """
    Yield outcomes as they come.

    When a worker dies, the cells that were in hand are run again, each alone: one whose worker dies again is a failure,
    and the others are not lost with it.
    """
    waiting, doubtful = deque(cells), deque[Cell]()
    while waiting or doubtful:
        if doubtful:
            for cell in (yield from _in_pool(jobs, deque([doubtful.popleft()]), 1)):
                yield cell, Failure(cell.replication, "the process that ran it died (out of memory?)")
        else:
            doubtful.extend((yield from _in_pool(jobs, waiting, min(workers, len(waiting)))))


def _in_pool(
    jobs: dict[str, Job], waiting: deque[Cell], workers: int
) -> Generator[tuple[Cell, RunResult | Failure], None, list[Cell]]:
    """Run cells from the front of `waiting` until it is empty or a worker dies; return the cells lost with it."""
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start_worker, (jobs,))
    running: dict[Future[RunResult | Failure], Cell] = {}
    lost: list[Cell] = []
    sound, stopped = True, True
    try:
        while (waiting and sound) or running:
            while waiting and sound and len(running) < workers:
                try:
                    with _started_quietly():
                        running[pool.submit(_in_worker, waiting[0])] = waiting[0]
                    waiting.popleft()
                except BrokenProcessPool:
                    sound = False
            ended, _ = wait(running, timeout=PATIENCE, return_when=FIRST_COMPLETED)
            for future in ended:
                cell = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    lost.append(cell)
                    sound = False
                else:
                    yield cell, future.result()
        stopped = False
    finally:
        if stopped:
            for process in list((pool._processes or {}).values()):  # noqa: SLF001  no public way to stop workers at once
                process.kill()
        pool.shutdown(wait=True, cancel_futures=True)
    return lost


@contextmanager
def _started_quietly() -> Iterator[None]:
    """
    Hold an interrupt back while a process is started.

    A half-started process would end with a traceback. Processes inherit that they are not interrupted themselves.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows: they are deaf only from their own first line on
        yield
        return
    from multiprocessing.resource_tracker import ensure_running  # noqa: PLC0415  POSIX only

    ensure_running()  # started inside, the tracker would end the hold
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
