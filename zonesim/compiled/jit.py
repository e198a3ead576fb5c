"""
Compiling kernels: where numba keeps what it compiled is settled here, before numba is imported.

numba looks only at the file of a compiled function for changes, not at those of what it calls. So the folder's name
holds a fingerprint of every source that can end up in a kernel: changed code finds an empty folder, never stale code.
It lies in the package when that can be written, else in the user's cache folder, else in a temporary one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., object])

_PREFIX: Final = "kernels-"
_ENVIRONMENT: Final = "NUMBA_CACHE_DIR"
_UNUSED_DAYS: Final = 30
"""Folders of other versions that have not been used for so long are cleared away."""


SOURCES: Final = (
    "compiled/jit.py",
    "compiled/arithmetic.py",
    "engine/kernel/__init__.py",
    "engine/kernel/arrivals.py",
    "engine/kernel/batches.py",
    "engine/kernel/breakdowns.py",
    "engine/kernel/calendars.py",
    "engine/kernel/draws.py",
    "engine/kernel/events.py",
    "engine/kernel/layout.py",
    "engine/kernel/loop.py",
    "engine/kernel/operations.py",
    "engine/kernel/output.py",
    "engine/kernel/preemption.py",
    "engine/kernel/queues.py",
    "engine/kernel/tokens.py",
    "engine/recursion_kernel.py",
    "engine/sampling.py",
    "compiled/streams.py",
    "faults.py",
    "kpi/firm_draws.py",
    "kpi/fold_layout.py",
    "kpi/folding.py",
    "limits.py",
    "plan/columns.py",
    "plan/distributions.py",
    "plan/operations.py",
    "plan/records.py",
    "units.py",
)
"""Every module with a kernel, and all that these import of ours; a test looks whether the list is complete."""


def sources_digest() -> str:
    """Return a hash (16 hex digits) of `SOURCES`: equal where compiled code means the same."""
    return _sources().hexdigest()[:16]


def _sources() -> hashlib._Hash:
    digest = hashlib.sha256()
    for source in SOURCES:
        digest.update((Path(__file__).resolve().parent.parent / source).read_bytes())
    return digest


def fingerprint() -> str:
    """Return a hash (16 hex digits) of what compiled code depends on: `SOURCES`, and numba's settings."""
    digest = _sources()
    for name in sorted(os.environ):
        if name.startswith("NUMBA_") and name != _ENVIRONMENT:
            digest.update(f"{name}={os.environ[name]}".encode())
    return digest.hexdigest()[:16]


def _bases() -> Iterator[Path]:
    """Yield where the folder may lie, the best place first."""
    wanted = os.environ.get(_ENVIRONMENT)
    if wanted:  # a process started by one of ours inherits the folder itself
        yield Path(wanted).parent if Path(wanted).name.startswith(_PREFIX) else Path(wanted)
    yield Path(__file__).resolve().parent / "__pycache__"
    with suppress(RuntimeError):  # nobody's home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path("~").expanduser() / ".cache") / "zonesim"
    with suppress(OSError):
        shared = Path(tempfile.gettempdir()) / f"zonesim-{_user()}"
        shared.mkdir(mode=0o700, exist_ok=True)
        if _is_mine(shared):  # what is in it will be executed
            yield shared


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _is_mine(folder: Path) -> bool:
    return not hasattr(os, "getuid") or folder.stat().st_uid == _user()


def _settle_cache() -> Path | None:
    name = _PREFIX + fingerprint()
    for base in _bases():
        folder = base / name
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            os.environ[_ENVIRONMENT] = str(folder)
            _clear_away(base, folder)
            return folder
    return None


def _clear_away(base: Path, kept: Path) -> None:
    with suppress(OSError):  # somebody else may be faster
        kept.touch()
        oldest = time.time() - _UNUSED_DAYS * 86_400  # noqa: TID251  the age of files, not a run's clock
        for folder in base.glob(_PREFIX + "*"):
            if folder != kept and folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)


CACHE: Final = _settle_cache()
"""Where compiled code is kept; None: nowhere, it is compiled anew in every process."""

_READY: Final = "ready"


def is_ready() -> bool:
    """Return whether somebody has noted that everything is compiled and kept."""
    return CACHE is not None and (CACHE / _READY).exists()


def note_ready() -> None:
    """Note that everything is compiled and kept."""
    if CACHE is not None:
        with suppress(OSError):
            (CACHE / _READY).touch()


from numba import njit  # noqa: E402  only after the cache folder is settled

_njit: Any = njit  # its types do not know every option


def kernel(function: Function) -> Function:
    """
    Compile `function` with numba on its first call, and keep the result; no fast mathematics, so that bits agree.

    Kernels allocate nothing, so numba need not count references to their arrays: without `_nrt=False` that would be
    half of a run's time. They divide as numpy does, by 0 to inf or nan: a test of each divisor would keep the processor
    from working on several numbers at once.
    """
    return cast("Function", _njit(cache=True, _nrt=False, error_model="numpy")(function))


def inlined(function: Function) -> Function:
    """
    Compile a kernel into each of its callers: for those that every event goes through. A call passes seven words for
    each array.
    """
    return cast("Function", _njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)(function))
