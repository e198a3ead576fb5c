"""How much memory there is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_UNKNOWN: Final = 1 << 62


def free_memory() -> int:
    """Return how many bytes may still be used; very many where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return _UNKNOWN
