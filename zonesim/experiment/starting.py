"""Starting processes that work for this one, so that an interrupt is answered by this one alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Final, ParamSpec, TypeVar

from zonesim.stopping import undisturbed

_WARNINGS: Final = "PYTHONWARNINGS"

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Workers:
    """
    Processes that work for this one, deaf to interrupts; they end with it, however that happens.

    They are started as there is work for them. `broken`: whether one of them has died, so that they can do no more.
    """

    def __init__(self, count: int) -> None:
        self.broken = False
        self._pool = ProcessPoolExecutor(count, get_context("spawn"), _begin)

    def submit(self, call: Callable[Given, Answer], *args: Given.args, **more: Given.kwargs) -> Future[Answer]:
        """Return what will be the answer of a call in one of them; raises BrokenProcessPool when one has died."""
        with started_quietly():
            return self._pool.submit(call, *args, **more)

    def is_whole(self) -> bool:
        """Return whether none has died."""
        try:
            self.submit(os.getpid)
        except BrokenProcessPool:
            self.broken = True
        return not self.broken

    def stop(self, *, at_once: bool) -> None:
        """End them when their work is done, or in the middle of it."""
        if at_once:
            for process in list((self._pool._processes or {}).values()):  # noqa: SLF001  no public way to stop workers
                process.kill()
        self._pool.shutdown(wait=not at_once, cancel_futures=True)


_spare: dict[tuple[int, str], Workers] = {}
"""Processes without work, by how many they may be and the folder that they were started in; starting takes long."""


@contextmanager
def workers(count: int) -> Iterator[Workers]:
    """
    Give processes for what is done in the block; an exception that ends it ends them in the middle of their work.

    Those of a block before are given again.
    """
    kind = count, str(Path.cwd())
    own = _spare.pop(kind, None)
    for other in [*_spare.values(), *([own] if own is not None and not own.is_whole() else [])]:
        other.stop(at_once=True)
    _spare.clear()
    if own is None or own.broken:
        track_quietly()
        own = Workers(count)
    finished = False
    try:
        yield own
        finished = True
    finally:
        if finished and not own.broken:
            _spare[kind] = own
        else:
            own.stop(at_once=True)


def _begin() -> None:
    """Make a new process deaf to interrupts, since its parent decides when to stop, and follow the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """End this process when the one that started it has ended, however that happened."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def track_quietly() -> None:
    """Start the process that clears up what a pool leaves behind when it is stopped: it need not say that it does."""
    if not hasattr(signal, "pthread_sigmask"):
        return
    from multiprocessing.resource_tracker import ensure_running  # noqa: PLC0415  POSIX only

    before = os.environ.get(_WARNINGS)
    os.environ[_WARNINGS] = "ignore:resource_tracker"
    ensure_running()
    if before is None:
        del os.environ[_WARNINGS]
    else:
        os.environ[_WARNINGS] = before


@contextmanager
def started_quietly() -> Iterator[None]:
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
        with undisturbed():  # another thread may have got it
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
