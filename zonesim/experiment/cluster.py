"""
Tasks on the workers of a cluster (dask.distributed): of one that is there, or of one that is started here.

What a worker answers counts for nothing by itself: the caller looks at the files that were written. So the same task
may be run twice, a worker may die or come late, and the result is the same.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any, Final, TypeVar
from uuid import uuid4

from zonesim.experiment.execution import CLUSTER, OWN_CLUSTER, Watch
from zonesim.experiment.starting import started_quietly, track_quietly
from zonesim.faults import Place, RunFault, ScenarioFault

DEATHS: Final = 10
"""
So many workers may die in the middle of a task before it is given back as lost: on machines that may be taken away at
any time, the usual three are soon reached by bad luck. Of a cluster that is there already its own setting holds.
"""

_PATIENCE: Final = 0.1
"""Seconds between looks at answers, so that an interrupt is answered at once."""

_CONNECT: Final = 10.0
"""Seconds in which a scheduler has to answer."""

_COUNT_AGAIN: Final = 2.0
"""Seconds after which workers are counted anew: they come and go."""

_AHEAD: Final = 2
"""Tasks that are handed out for each thread of a worker, so that none waits for the next."""

Task = TypeVar("Task")


class Lost(Exception):
    """A task that was lost with the workers that ran it."""


@contextmanager
def connected(scheduler: str, workers: int) -> Iterator[Any]:
    """
    Give a client of the scheduler at an address, or of a cluster of so many processes that is started here and ends
    with the block.

    Raises ScenarioFault where dask.distributed is missing, or nobody answers.
    """
    if find_spec("distributed") is None:
        place = Place("--dask" if scheduler == OWN_CLUSTER else CLUSTER)
        fault = "a cluster takes the package 'distributed', which is not installed"
        raise ScenarioFault(fault, place, "Install it with: pip install 'zonesim[dask]'.")
    dask, distributed = import_module("dask"), import_module("distributed")
    settings = {
        "distributed.scheduler.allowed-failures": DEATHS,
        "distributed.admin.large-graph-warning-threshold": "1GB",  # a task has its plan with it
        "logging.distributed": "critical",  # what becomes of tasks is told by us
    }
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with dask.config.set(settings):
        if scheduler == OWN_CLUSTER:
            track_quietly()
            with started_quietly():  # also workers that take the place of others hear no interrupt
                cluster = distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    memory_limit=None,
                    silence_logs=logging.CRITICAL,
                )
            with cluster, distributed.Client(cluster, set_as_default=False) as client:
                yield client
            return
        try:
            client = distributed.Client(scheduler, timeout=_CONNECT, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            fault = f"no scheduler answers at {scheduler}: {reason}"
            remedy = (
                "Start one with `dask scheduler`, and workers with `dask worker ADDRESS`, where zonesim is installed."
            )
            raise ScenarioFault(fault, Place(CLUSTER), remedy) from None
        with client:
            yield client


def spread(
    client: Any,  # noqa: ANN401  distributed ships no types
    waiting: deque[Task],
    call: Callable[[Task], tuple[Any, ...]],
    is_done: Callable[[Task], bool],
    watch: Watch,
) -> Iterator[tuple[Task, Any]]:
    """
    Hand out tasks from the front of `waiting`, to which may be added meanwhile, and yield each with None when `is_done`
    finds that it was done, else with its answer, or with what was raised: `Lost` where its workers died. `call`: the
    function and its arguments for a task.

    Raises RunFault when the scheduler is gone.
    """
    answers: SimpleQueue[Any] = SimpleQueue()
    running: dict[Any, tuple[Task, Any]] = {}
    numbers, batch = count(), uuid4().hex
    room, counted, waited = 0, -_COUNT_AGAIN, perf_counter()
    try:
        while waiting or running:
            now = perf_counter()
            if now - counted >= _COUNT_AGAIN:
                room, counted = _AHEAD * _threads(client), now
                if room:
                    waited = now
                elif now - waited > _CONNECT:
                    watch.say(f"no workers at {client.scheduler.address}: waiting for some")
                    waited = now
            while waiting and len(running) < room:
                task = waiting.popleft()
                function, *arguments = call(task)
                future = client.submit(function, *arguments, key=f"cell-{batch}-{next(numbers)}", pure=False)
                running[future.key] = task, future
                future.add_done_callback(answers.put)
            try:
                future = answers.get(timeout=_PATIENCE)
            except Empty:
                continue
            task, _ = running.pop(future.key)
            # Fetching an answer takes longer than looking whether it is needed.
            yield task, None if future.status == "finished" and is_done(task) else _answer(future)
    finally:
        with suppress(Exception):  # the scheduler may be gone
            client.cancel([future for _, future in running.values()], force=True)


def _threads(client: Any) -> int:  # noqa: ANN401
    """Return how many tasks the workers of a cluster run at once; raises RunFault when its scheduler is gone."""
    try:
        if client.status == "running":
            return sum(client.nthreads().values())
    except (OSError, TimeoutError):
        pass
    raise RunFault(
        f"the scheduler at {client.scheduler.address} does not answer any more.\n"
        "    What was finished is kept: start one and run the same command again."
    )


def _answer(future: Any) -> Any:  # noqa: ANN401
    """Return what a task returned, or what it raised; `Lost` where it was lost with its workers."""
    if future.status == "finished":
        try:
            return future.result(timeout=_CONNECT)
        except Exception as error:  # noqa: BLE001  the worker that holds the answer may be gone by now
            return Lost(str(error))
    if future.status == "error":
        raised = future.exception(timeout=_CONNECT)
        return Lost(str(raised)) if isinstance(raised, import_module("distributed").KilledWorker) else raised
    return Lost(future.status)
