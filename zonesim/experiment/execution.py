"""By what means runs are done: they change how long it takes, never the numbers."""

from __future__ import annotations

import ctypes
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from zonesim.engine import AUTO, ENGINES
from zonesim.faults import Place, RunFault, ScenarioFault, UnknownName, suggest

_ADDRESS: Final = re.compile(r"(tcp|tls|ucx|ws|wss)://[^\s/]+:[0-9]+")

_ALARMS: Final = hasattr(signal, "setitimer")  # not on Windows

CLUSTER: Final = "--scheduler"

LOCAL: Final = "local"
"""In processes of this machine, without a cluster."""

OWN_CLUSTER: Final = "dask"
"""On a cluster of processes that is started on this machine."""

LONGEST: Final = 1e9
"""Seconds beyond which a limit is none: thirty years."""


Progress = Callable[[int, int], None]
"""Is told how many runs are done and how many were to do."""


class Watch:
    """Who waits for runs, and is told how they go on. This one is nobody."""

    @property
    def is_somebody(self) -> bool:
        """Return whether it is worth finding out how long runs will take."""
        return False

    def say(self, text: str) -> None:
        """Tell a line that helps to wait."""

    @contextmanager
    def progress(self, name: str) -> Iterator[Progress]:  # noqa: ARG002  nobody asks
        """Show how far runs are that go by a name, until the block ends."""
        yield lambda _done, _total: None


NOBODY: Final = Watch()


@dataclass(frozen=True)
class Shard:
    """
    One of `count` parts of the runs of an experiment, numbered from 1: the runs are dealt out one by one, so that parts
    are as large as each other and together are all. Raises ScenarioFault for a part that there is none of.
    """

    number: int
    count: int

    def __post_init__(self) -> None:
        """Refuse a part that there is none of."""
        if not 1 <= self.number <= self.count:
            fault = f"there is no part {self.number} of {self.count}"
            raise ScenarioFault(fault, Place("--shard"), "Write e.g. 1/4, 2/4, 3/4 and 4/4.")

    @classmethod
    def written(cls, text: str) -> Shard:
        """Return what `2/7` means; raises ScenarioFault."""
        number, stroke, count = text.partition("/")
        if not (stroke and number.strip().isdecimal() and count.strip().isdecimal()):
            raise ScenarioFault(f"'{text}' is no part of the runs", Place("--shard"), "Write e.g. 2/7.")
        return cls(int(number), int(count))

    def has(self, place: int) -> bool:
        """Return whether the run at a place in the order of all runs, from 0, belongs to it."""
        return place % self.count == self.number - 1

    def __str__(self) -> str:
        """Return it as people write it."""
        return f"{self.number}/{self.count}"


@dataclass(frozen=True)
class Execution:
    """
    `workers`: processes; `engine`: its name, or `auto`; `limit`: seconds that a replication may take, None: as long as
    it takes; `watch`: who waits; `shard`: the part of the runs that is run here, None: all; `scheduler`: `local`, or
    the address of that of a cluster, or `dask` for a cluster of one's own. Raises UnknownName for an engine that there
    is none of, ScenarioFault for what is no address.
    """

    workers: int = 1
    engine: str = AUTO
    limit: float | None = None
    watch: Watch = field(default=NOBODY, compare=False)
    shard: Shard | None = None
    scheduler: str = LOCAL

    def __post_init__(self) -> None:
        """Refuse an engine that there is none of, and an address that is none."""
        if self.scheduler not in {LOCAL, OWN_CLUSTER} and not _ADDRESS.fullmatch(self.scheduler):
            fault = f"'{self.scheduler}' is no address of a scheduler"
            raise ScenarioFault(fault, Place(CLUSTER), "Write local, or e.g. tcp://10.0.0.5:8786.")
        if self.engine not in {AUTO, *ENGINES}:
            known = [AUTO, *ENGINES]
            raise UnknownName(f"no engine '{self.engine}'", Place("--engine"), suggest(self.engine, known, "engines"))


ALONE: Final = Execution()
"""In this process, and nobody waits."""


def _told(seconds: float) -> str:
    return (
        f"a replication takes longer than {seconds:g} s and was stopped.\n"
        "    Give it more with --time-limit, or a shorter clock."
    )


@contextmanager
def no_longer_than(seconds: float | None) -> Iterator[None]:
    """
    Raise RunFault when what happens inside takes longer than so many seconds by the clock on the wall.

    By a signal in the main thread, which runs replications; workers of a cluster run them in others, which are
    interrupted from a thread beside.
    """
    if seconds is None or not seconds < LONGEST:
        yield
    elif threading.current_thread() is threading.main_thread() and _ALARMS:
        with _by_signal(seconds):
            yield
    else:
        with _from_beside(seconds):
            yield


@contextmanager
def _by_signal(seconds: float) -> Iterator[None]:
    def over(*_: object) -> None:
        raise RunFault(_told(seconds))

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _Over(BaseException):
    """Time is over: raised in the thread that runs a replication."""


@contextmanager
def _from_beside(seconds: float) -> Iterator[None]:
    thread, lock = ctypes.c_ulong(threading.get_ident()), threading.Lock()
    ended = False

    def interrupt() -> None:
        with lock:
            if not ended:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_Over))

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except _Over:
        raise RunFault(_told(seconds)) from None
    finally:
        with lock:
            ended = True
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)  # one that is on its way comes no more
        timer.cancel()
