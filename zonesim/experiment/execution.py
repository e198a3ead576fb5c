"""By what means runs are done: they change how long it takes, never the numbers."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from zonesim.engine import AUTO, ENGINES
from zonesim.faults import Place, RunFault, UnknownName, suggest

_ALARMS: Final = hasattr(signal, "setitimer")  # not on Windows

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
class Execution:
    """
    `workers`: processes; `engine`: its name, or `auto`; `limit`: seconds that a replication may take, None: as long as
    it takes; `watch`: who waits. Raises UnknownName for an engine that there is none of.
    """

    workers: int = 1
    engine: str = AUTO
    limit: float | None = None
    watch: Watch = field(default=NOBODY, compare=False)

    def __post_init__(self) -> None:
        """Refuse an engine that there is none of."""
        if self.engine not in {AUTO, *ENGINES}:
            known = [AUTO, *ENGINES]
            raise UnknownName(f"no engine '{self.engine}'", Place("--engine"), suggest(self.engine, known, "engines"))


@contextmanager
def no_longer_than(seconds: float | None) -> Iterator[None]:
    """
    Raise RunFault when what happens inside takes longer than so many seconds by the clock on the wall.

    Works in the main thread, which runs replications; where a system has no timer for it, there is no limit.
    """
    if seconds is None or not seconds < LONGEST or not _ALARMS:
        yield
        return

    def over(*_: object) -> None:
        raise RunFault(
            f"a replication takes longer than {seconds:g} s and was stopped.\n"
            "    Give it more with --time-limit, or a shorter clock."
        )

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
