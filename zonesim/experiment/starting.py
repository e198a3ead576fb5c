"""Starting processes that work for this one, so that an interrupt is answered by this one alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from zonesim.stopping import undisturbed

_WARNINGS: Final = "PYTHONWARNINGS"


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
