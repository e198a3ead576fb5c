"""The machine that a bench runs on: what it is, one core of it, and the memory that a process has used."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
from importlib import util
from importlib.metadata import version
from pathlib import Path

PEERS = {"simpy": "SimPy", "ciw": "Ciw", "salabim": "salabim", "cimba": "cimba"}


def pin() -> None:
    """Keep this process, and what it starts, on one core, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def peak_mb() -> float | None:
    """Return the peak memory of this process in MB, None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():  # rusage would also count the process that started this one
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) / 1024
    try:
        import resource  # noqa: PLC0415  not on every system
    except ImportError:
        return None
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def describe(compiler: str | None) -> str:
    """Return a line about the machine and the versions of what is compared on it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parts = [
        f"{_processor()}, {cores} cores, {platform.system()}",
        f"Python {platform.python_version()} built {_build()}",
        *(f"{label} {version(name)}" for name, label in PEERS.items() if util.find_spec(name)),
        *(f"{name} {version(name)}" for name in ("numba", "numpy")),
    ]
    if compiler:
        words = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
        parts.append(words.stdout.partition("\n")[0])
    if hasattr(os, "getloadavg"):
        parts.append(f"load {os.getloadavg()[0]:.1f} at the end")
    return "; ".join(parts)


def _build() -> str:
    """Return whether this Python was built as fast as it can be, which all programs but C feel."""
    arguments = sysconfig.get_config_var("CONFIG_ARGS")
    if not arguments:
        return "in a way that it does not tell"
    return f"with{'' if '--enable-optimizations' in arguments else 'out'} profile-guided optimisation"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
