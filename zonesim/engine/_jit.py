"""
Compiling kernels: where numba keeps what it compiled is settled here, before numba is imported.

Compiled code is kept in the package's folder when that can be written, else in the user's cache folder, else in a
temporary one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., object])


def _settle_cache() -> None:
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    here = Path(__file__).resolve().parent
    if os.access(here, os.W_OK):
        return
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path("~").expanduser() / ".cache")
    for folder in (
        base / "zonesim",
        Path(tempfile.gettempdir()) / f"zonesim-{os.getuid() if hasattr(os, 'getuid') else 0}",
    ):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            os.environ["NUMBA_CACHE_DIR"] = str(folder)
            return


_settle_cache()

from numba import njit  # noqa: E402  only after the cache folder is settled


def kernel(function: Function) -> Function:
    """Compile `function` with numba on its first call, and keep the result; no fast mathematics, so that bits agree."""
    return cast("Function", njit(cache=True)(function))
