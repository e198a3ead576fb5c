"""
Which files an input file may name: those inside its project folder, and nothing else.

A scenario from a stranger may name a log or another scenario. It must not make zonesim read, or show in a message,
a file of the person who runs it.
"""

from __future__ import annotations

import stat
from pathlib import Path, PureWindowsPath
from typing import Final

from zonesim.faults import Place, ScenarioFault

PROJECT_MARKS: Final = ("pyproject.toml", ".git", "zonesim.toml")
"""A folder that holds one of these is a project folder."""


def is_odd(path: Path) -> bool:
    """Return whether a path leads to a pipe, a device or the like, which may never end: neither file nor folder."""
    try:
        kind = path.stat().st_mode
    except (OSError, ValueError):
        return False  # told by whoever opens it
    return not stat.S_ISREG(kind) and not stat.S_ISDIR(kind)


ODD: Final = "is a pipe or a device, not a file"
"""What is said of such a path."""


def project_folder(named_in: Path) -> Path:
    """
    Return the project folder of an input file: the nearest folder above it with one of `PROJECT_MARKS`, else its own.
    """
    own = named_in.parent.resolve()
    for folder in (own, *own.parents):
        if any((folder / mark).exists() for mark in PROJECT_MARKS):
            return folder
    return own


def inside_project(written: str, named_in: Path, place: Place) -> Path:
    """
    Return the file that the input file `named_in` calls `written`, links resolved; `place` is where it says so.

    Raises ScenarioFault for an absolute path and for one that leaves the project folder. Whether the file exists is
    left to whoever reads it.
    """
    windows = PureWindowsPath(written)
    if written.startswith("~") or windows.drive or windows.root:
        raise ScenarioFault(
            f"'{written}' is not relative", place, "Name files from the folder of this file, e.g. ../data/log.csv."
        )
    root = project_folder(named_in)
    try:
        found = (named_in.parent.resolve() / written).resolve()
        found.exists()  # raises for a name that is longer than the system allows
    except (OSError, RuntimeError, ValueError):
        raise ScenarioFault(f"'{written}' cannot be a file", place, "Check the name.") from None
    if not found.is_relative_to(root):
        fault = f"'{written}' lies outside the project folder '{root.name}'"
        marks = f"{', '.join(PROJECT_MARKS[:-1])} or {PROJECT_MARKS[-1]}"
        raise ScenarioFault(fault, place, f"Copy it there. The project folder is the nearest with {marks}.")
    return found
