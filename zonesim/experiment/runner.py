"""
Running arms: every cell is one plan and a block of replications, in this process or in several.

With a store a cell is written where it was run, as soon as it is finished; what the store has is not run again.
"""

from __future__ import annotations

import traceback
from collections import Counter, deque
from collections.abc import Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from socket import gethostname
from threading import Lock
from typing import Final, Generic, TypeVar

from zonesim.compiled.streams import run_key
from zonesim.engine import engine_for, is_ready, note_ready, simulate, too_long
from zonesim.experiment.cluster import Lost, connected, spread
from zonesim.experiment.estimate import expected_tokens, first_tokens, rough_bytes, rough_seconds
from zonesim.experiment.execution import CLUSTER, LOCAL, NOBODY, Execution, Progress, Shard, no_longer_than
from zonesim.experiment.starting import workers
from zonesim.experiment.store import Store, cell_key
from zonesim.faults import DiskFull, OutOfMemory, Place, ScenarioFault, ZonesimError
from zonesim.kpi import Reducer, RunResult, measure, table_version
from zonesim.limits import free_memory
from zonesim.plan import MEANING, Plan, loads
from zonesim.stopping import patiently

PATIENCE: Final = 0.2
"""Seconds between looks at finished cells, so that an interrupt is answered at once."""

LEAST_WORK: Final = 1.5
"""Seconds that the work of a cell should take at least, so that starting and storing it costs little beside."""

_AHEAD: Final = 2
"""So many cells are in hand for each worker, so that it need not wait for the next one."""

_MOST_WARM: Final = 200
"""So many plans are kept in a worker."""

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Failure:
    """A replication that could not be finished, with the reason and the exit code of its fault."""

    replication: int
    message: str
    exit_code: int = 3


@dataclass(frozen=True)
class Cell:
    """One plan (by key) and a block of replications."""

    key: str
    replications: tuple[int, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: the replications that were finished, their results unless stored, and what failed."""

    finished: tuple[int, ...] = ()
    results: dict[int, RunResult] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()


@dataclass
class Runs(Generic[Name]):
    """
    What was run, by arm (or arm and future).

    `finished`: replications, those that were in the store before among them. `results`: their numbers, where no store
    keeps them. `failures`: what failed. `interrupted`: whether the run was stopped before its end.
    """

    finished: dict[Name, list[int]] = field(default_factory=dict)
    results: dict[Name, dict[int, RunResult]] = field(default_factory=dict)
    failures: dict[Name, list[Failure]] = field(default_factory=dict)
    interrupted: bool = False

    def complete(self) -> list[int]:
        """Return the replications that every arm has finished, in order."""
        done = [set(numbers) for numbers in self.finished.values()]
        return sorted(set.intersection(*done)) if done else []


@dataclass(frozen=True)
class Job:
    """
    What a worker needs for a cell besides its numbers: the plan, the distance of the start from Monday 00:00 (ms),
    the seed, and where to store it.

    `how`: by what means. `only`: KPIs that are kept, without curves and samples; None for all.
    """

    plan: Plan
    offset: int
    seed: int
    store: Path | None = None
    how: Execution = field(default_factory=Execution)
    only: frozenset[str] | None = None

    @cached_property
    def loads(self) -> dict[str, float]:
        """Return the loads of resources by name, bounds that the traffic equations give, where they are known."""
        found = loads(self.plan, self.offset)
        return {str(self.plan.names.resources[each.resource]): each.mean for each in found if each.is_known}


def run_cell(job: Job, replication: int) -> RunResult:
    """Return the KPIs of one replication; raises RunFault, or InternalError if the run contradicts its own records."""
    reducer = Reducer(job.plan)
    totals = simulate(job.plan, job.seed, replication, reducer, job.how.engine)
    found = measure(job.plan, reducer, totals, job.loads, run_key(job.seed, replication))
    if job.only is None:
        return found
    values = {name: found.values[name] for name in job.only & found.values.keys()}
    withheld = {name: share for name, share in found.withheld.items() if name in values}
    return RunResult(values, events=found.events, withheld=withheld)


def run_arms(
    plans: Mapping[Name, Plan],
    *,
    seed: int,
    replications: int | Mapping[Name, int],
    how: Execution,
    offset: int = 0,
    progress: Progress | None = None,
    store: Store | None = None,
    block: int | None = None,
    only: frozenset[str] | None = None,
) -> Runs[Name]:
    """
    Run every arm `replications` times (one number, or one for each; numbered from 0) under common random numbers.

    Arms with equal plans share their cells, and what `store` has is not run again. A replication that fails is noted
    and the others go on. An interrupt stops the workers and returns what is finished. The result does not depend on
    `how` they are run, on the store (which keeps fewer samples) or on the order in which cells end. `offset` is the
    distance of the run's start from Monday 00:00 in ms, for the loads. `progress` is called with the replications that
    are done and those that were to do. `block`: so many replications are a cell (None: as many as make a cell worth its
    while). `only`: the KPIs that results keep, without curves and samples; None for everything. Raises RunFault, before
    anything runs, for a plan that does not fit into memory, and DiskFull. A `shard` of `how` leaves the other runs out;
    those of other shards that the store has are found.
    """
    keys = {name: cell_key(plan, seed, offset) for name, plan in plans.items()}
    distinct = {keys[name]: plan for name, plan in plans.items()}
    wanted = {name: range(replications if isinstance(replications, int) else replications[name]) for name in plans}
    most: dict[str, range] = {}
    for name, key in keys.items():
        most[key] = max(most.get(key, range(0)), wanted[name], key=len)
    there = {key: store.finished(key, most[key]) if store is not None else [] for key in distinct}
    own_part = _part(most, how.shard)
    missing = {key: [number for number in own_part[key] if number not in set(there[key])] for key in distinct}
    cells = cells_of({key: plan for key, plan in distinct.items() if missing[key]}, missing, how.workers, block)
    _check_room({cell.key: distinct[cell.key] for cell in cells}.values(), min(how.workers, len(cells)))
    jobs = {
        key: _job(distinct[key], seed, offset, store, how, only) for key in dict.fromkeys(cell.key for cell in cells)
    }
    done: dict[str, list[Outcome]] = {key: [Outcome(tuple(there[key]))] for key in distinct}
    runs: Runs[Name] = Runs()
    total, count = sum(map(len, missing.values())), 0
    if cells and not is_ready():
        how.watch.say("compiling the engine: half a minute, once after installing")
        _compile_all(distinct[cells[0].key])
    try:
        with patiently():
            for cell, outcome in _everywhere(jobs, cells, how, store):
                done[cell.key].append(outcome)
                if store is not None and how.scheduler == LOCAL:
                    store.trust(cell.key, outcome.finished)
                count += len(cell.replications)
                if progress is not None:
                    progress(count, total)
    except KeyboardInterrupt:
        runs.interrupted = True
    if store is not None and cells:
        store.look_again()
    for name, key in keys.items():
        own = wanted[name]
        runs.finished[name] = sorted(number for outcome in done[key] for number in outcome.finished if number in own)
        runs.results[name] = {
            number: result
            for outcome in done[key]
            for number, result in sorted(outcome.results.items())
            if number in own
        }
        runs.failures[name] = [failure for outcome in done[key] for failure in outcome.failures]
        if store is not None:
            runs.finished[name] = store.finished(key, own)  # what an interrupted cell has kept among them
    return runs


def _part(wanted: Mapping[str, range], shard: Shard | None) -> dict[str, list[int]]:
    """Return the replications of each plan that are run here: all, or those that a part of the runs is dealt."""
    if shard is None:
        return {key: list(numbers) for key, numbers in wanted.items()}
    firsts = dict(zip(wanted, accumulate(map(len, wanted.values()), initial=0), strict=False))
    return {key: [number for number in numbers if shard.has(firsts[key] + number)] for key, numbers in wanted.items()}


def _compile_all(plan: Plan) -> None:
    """Let everything be compiled, which takes a while once, before several processes would do it at once."""
    short = first_tokens(plan, 2)
    for engine in dict.fromkeys(("compiled", engine_for(short))):
        with suppress(ZonesimError):  # the run itself says what is wrong with the plan
            run_cell(Job(short, 0, 0, how=Execution(1, engine)), 0)
    note_ready()


def _check_room(plans: Iterable[Plan], workers: int) -> None:
    """Raise RunFault for a plan whose replications cannot fit into memory."""
    there = free_memory() // max(workers, 1)
    for plan in plans:
        needed = rough_bytes(plan)
        if needed > there:
            raise too_long(needed, there, expected_tokens(plan))


def cells_of(
    plans: Mapping[str, Plan], missing: Mapping[str, Sequence[int]], workers: int, block: int | None
) -> list[Cell]:
    """Return the cells in the order in which they are run: the first replications of all plans, then the next ones."""
    cells: list[Cell] = []
    for key, plan in plans.items():
        numbers = missing[key]
        share = -(-len(numbers) * len(plans) // workers)  # with few plans, every worker has some of a plan's runs
        size = block or max(1, min(share, round(LEAST_WORK / max(rough_seconds(plan), 1e-6))))
        cells += [Cell(key, tuple(numbers[first : first + size])) for first in range(0, len(numbers), size)]
    return sorted(cells, key=lambda cell: cell.replications[0])


def _job(plan: Plan, seed: int, offset: int, store: Store | None, how: Execution, only: frozenset[str] | None) -> Job:
    folder = store.folder.absolute() if store is not None else None
    return Job(plan, offset, seed, folder, replace(how, watch=NOBODY), only)


def _attempt(job: Job, cell: Cell) -> Outcome:
    """Run the replications of a cell one after the other and store those that were finished."""
    results: dict[int, RunResult] = {}
    failures: list[Failure] = []
    for replication in cell.replications:
        try:
            with no_longer_than(job.how.limit):
                results[replication] = run_cell(job, replication)
        except ZonesimError as fault:
            failures.append(Failure(replication, str(fault), fault.exit_code))
        except MemoryError:
            failures.append(Failure(replication, str(OutOfMemory()), OutOfMemory.exit_code))
        except Exception as error:  # noqa: BLE001  whatever happens in one replication, the others go on
            failures.append(Failure(replication, _unexpected(error), ZonesimError.exit_code))
        except KeyboardInterrupt:
            if job.store is not None:
                Store(job.store).write(cell.key, results)
            raise
    if job.store is None:
        return Outcome(tuple(results), results, tuple(failures))
    try:
        Store(job.store).write(cell.key, results)
    except DiskFull:
        raise  # there will be no room for the others either
    except Exception as error:  # noqa: BLE001  the results of this cell are lost, no others
        failures += [Failure(replication, f"cannot be stored: {error}") for replication in results]
        return Outcome(failures=tuple(failures))
    return Outcome(tuple(results), failures=tuple(failures))


def _unexpected(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"unexpected {type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}: {error}"


def _everywhere(
    jobs: dict[str, Job], cells: Sequence[Cell], how: Execution, store: Store | None
) -> Iterator[tuple[Cell, Outcome]]:
    """Return the outcomes of cells as they come: from a cluster, from processes, or from this one."""
    if how.scheduler != LOCAL and store is not None and cells:
        return _in_cluster(jobs, cells, how, store)
    if how.workers > 1 and len(cells) > 1:
        return _in_processes(jobs, cells, how.workers)
    return _here(jobs, cells)


def _in_cluster(
    jobs: Mapping[str, Job], cells: Sequence[Cell], how: Execution, store: Store
) -> Iterator[tuple[Cell, Outcome]]:
    """
    Yield outcomes as they come from the workers of a cluster. Only files count: what a worker says it has finished is
    finished when there is a whole file of it here.

    What is lost with its workers, or has no whole file, is run again replication by replication, and each of these once
    more; one that is lost then is a failure.
    """
    waiting = deque(cells)
    lost: Counter[Cell] = Counter()
    seen = False
    meaning = (MEANING, table_version())

    def call(cell: Cell) -> tuple[object, ...]:
        return _on_cluster, jobs[cell.key], cell, meaning

    def is_done(cell: Cell) -> bool:
        return store.has(cell.key, cell.replications)

    with connected(how.scheduler, how.workers) as client:
        for cell, answer in spread(client, waiting, call, is_done, how.watch):
            if isinstance(answer, ZonesimError):
                raise answer
            if answer is None:
                seen = True
                yield cell, Outcome(cell.replications)
                continue
            if isinstance(answer, Outcome):
                if not answer.finished or store.has(cell.key, answer.finished):
                    seen = seen or bool(answer.finished)
                    yield cell, answer
                    continue
                if not seen:
                    raise ScenarioFault(
                        f"a worker has finished a cell, and there is no file of it in {store.folder.absolute()}",
                        Place(CLUSTER),
                        "Name a folder with --out that all workers see by the same path.",
                    )
            elif not isinstance(answer, Lost):
                told = f"unexpected {type(answer).__name__} on a worker: {answer}"
                failed = (Failure(number, told, ZonesimError.exit_code) for number in cell.replications)
                yield cell, Outcome(failures=tuple(failed))
                continue
            lost[cell] += 1
            if len(cell.replications) > 1:
                waiting.extend(Cell(cell.key, (number,)) for number in cell.replications)
            elif lost[cell] > 1:
                died = "the workers that ran it died (out of memory?)"
                yield cell, Outcome(failures=tuple(Failure(number, died) for number in cell.replications))
            else:
                waiting.append(cell)


_one_at_a_time = Lock()


def _on_cluster(job: Job, cell: Cell, meaning: tuple[int, str]) -> Outcome:
    """
    Run a cell on a worker of a cluster, one at a time in a process; raises ScenarioFault where another version of
    zonesim runs, whose numbers mean something else.
    """
    if meaning != (MEANING, table_version()):
        fault = f"the worker on {gethostname()} has another version of zonesim, whose numbers mean something else"
        raise ScenarioFault(fault, Place(CLUSTER), "Install the version on workers that runs the command.")
    with _one_at_a_time:
        return _attempt(job, cell)


def _here(jobs: Mapping[str, Job], cells: Sequence[Cell]) -> Iterator[tuple[Cell, Outcome]]:
    for cell in cells:
        yield cell, _attempt_warm(replace(jobs[cell.key], plan=copy(jobs[cell.key].plan)), cell)


_warm: dict[str, Plan] = {}
"""Plans that cells of this process had before, by key, with what was worked out of them: that takes room."""


def _attempt_warm(job: Job, cell: Cell) -> Outcome:
    """Run a cell in this process, with the plan of cells before where there were some."""
    if len(_warm) >= _MOST_WARM:
        _warm.clear()
    return _attempt(replace(job, plan=_warm.setdefault(cell.key, job.plan)), cell)


def _in_processes(
    jobs: Mapping[str, Job], cells: Sequence[Cell], count: int
) -> Generator[tuple[Cell, Outcome], None, None]:
    """
    Yield outcomes as they come.

    When a worker dies, the cells that were in hand are run again, each alone, then replication by replication: one
    whose worker dies again is a failure, and the others are not lost with it.
    """
    waiting, doubtful = deque(cells), deque[Cell]()
    while waiting or doubtful:
        if doubtful:
            for cell in (yield from _in_pool(jobs, deque([doubtful.popleft()]), 1)):
                if len(cell.replications) > 1:
                    doubtful.extend(Cell(cell.key, (number,)) for number in cell.replications)
                    continue
                died = "the process that ran it died (out of memory?)"
                yield cell, Outcome(failures=tuple(Failure(number, died) for number in cell.replications))
        else:
            doubtful.extend((yield from _in_pool(jobs, waiting, min(count, len(waiting)))))


def _in_pool(
    jobs: Mapping[str, Job], waiting: deque[Cell], count: int
) -> Generator[tuple[Cell, Outcome], None, list[Cell]]:
    """Run cells from the front of `waiting` until it is empty or a worker dies; return the cells lost with it."""
    running: dict[Future[Outcome], Cell] = {}
    lost: list[Cell] = []
    with workers(count) as pool:
        while (waiting and not pool.broken) or running:
            while waiting and not pool.broken and len(running) < _AHEAD * count:
                try:
                    running[pool.submit(_attempt_warm, jobs[waiting[0].key], waiting[0])] = waiting[0]
                    waiting.popleft()
                except BrokenProcessPool:
                    pool.broken = True
            ended, _ = wait(running, timeout=PATIENCE, return_when=FIRST_COMPLETED)
            for future in ended:
                cell = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    lost.append(cell)
                    pool.broken = True
                else:
                    yield cell, future.result()
    return lost
