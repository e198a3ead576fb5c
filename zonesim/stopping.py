"""
Stopping by Ctrl-C: at once, whatever is being done, with one line that says what is kept.

Nearly everything may be dropped where it is, since files are whole or not there: a thread is woken by the system itself
when the interrupt comes, says what is kept, and ends the process. So it does not matter that the main thread may be in
a compiler or a database, which answer late, or swallow the interrupt, or make something else of it. Only what has
something to put away (`with patiently()`) gets a KeyboardInterrupt instead, and a moment for it.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

STOPPED: Final = 130
"""What a command that was stopped returns."""

MOMENT: Final = 1.5
"""Seconds that there are to put things away."""

LONGEST: Final = 5.0
"""Seconds that what must not be left half done may take, such as starting a process."""

_NOTHING: Final = "no results are kept"


class _State:
    """What the main thread tells the one that waits for interrupts."""

    answering: bool = False
    kept: str = _NOTHING
    patient: bool = False
    busy: bool = False
    pending: bool = False
    """Whether things are being done that must not be left half done, and an interrupt waits for their end."""
    settled: bool = False
    """Whether an interrupt was answered with what is kept, or came too late to matter."""


def keep(text: str = _NOTHING) -> None:
    """Note what is kept if an interrupt comes from now on, as the end of a line."""
    _State.kept = text


def stopped() -> str:
    """Return the line that an interrupt is answered with."""
    return f"stopped; {_State.kept}"


@contextmanager
def patiently() -> Iterator[None]:
    """Answer an interrupt with KeyboardInterrupt in here, so that things can be put away."""
    _State.patient = True
    try:
        yield
    finally:
        _State.patient = False


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold back in here, for a moment, the KeyboardInterrupt of those who are patient."""
    _State.busy = True
    try:
        yield
    finally:
        _State.busy = False
    if _State.pending:
        _State.pending = False
        raise KeyboardInterrupt


def settled() -> None:
    """Note that the command is at its end: an interrupt changes nothing any more."""
    _State.settled = True


@contextmanager
def answered() -> Iterator[None]:
    """Answer interrupts in here, in the main thread of a command; inside itself it changes nothing."""
    if _State.answering or threading.current_thread() is not threading.main_thread():
        yield
        return
    _State.answering = True
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)  # noqa: FBT003
    keep()
    _State.patient = _State.settled = _State.busy = _State.pending = False
    handler = signal.signal(signal.SIGINT, _interrupt)
    wakes = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    thread = threading.Thread(target=_wait, args=(ours,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        _State.answering = False
        signal.set_wakeup_fd(wakes)
        signal.signal(signal.SIGINT, handler)
        theirs.close()  # which ends the thread
        thread.join(MOMENT)
        ours.close()


def _interrupt(*_: object) -> None:
    if _State.busy:
        _State.pending = True
    elif _State.patient:
        raise KeyboardInterrupt


def _wait(ours: socket.socket) -> None:
    """End the process when an interrupt comes: after a moment where there is something to put away, else at once."""
    if hasattr(signal, "pthread_sigmask"):  # who holds interrupts back in the main thread does so for the process
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    while True:
        with suppress(OSError):
            ours.settimeout(None)
            came = ours.recv(1)
            if not came:
                return
            if came[0] != signal.SIGINT:
                continue
            waited = 0.0
            while _State.busy and waited < LONGEST:
                time.sleep(LONGEST / 100)
                waited += LONGEST / 100
            if _State.patient:
                ours.settimeout(MOMENT)
                with suppress(TimeoutError):
                    if not ours.recv(1):
                        return
            if not _State.settled:
                _end()


def _end() -> None:
    """Say what is kept, and end this process with its threads and those that it has started."""
    shown = "\x1b[?25h\r\x1b[K" if sys.stderr.isatty() else ""  # a bar may have hidden the cursor
    with suppress(OSError):
        os.write(2, f"{shown}{stopped()}\n".encode())
    if "multiprocessing" in sys.modules:
        for child in sys.modules["multiprocessing"].active_children():
            child.kill()
    os._exit(STOPPED)
