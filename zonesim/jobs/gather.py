"""The job of `zonesim gather`: finished cells of several folders put together in one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zonesim.experiment import CELLS, SHARED, Store
from zonesim.faults import Faults, Place, ScenarioFault
from zonesim.jobs.job import Job


def gather_job(folders: Sequence[Path], out: Path) -> Job:
    """
    Put the finished cells of `folders` (what `--out` named there, or a results folder) beside those in `out`.

    Files that are damaged are noted and left out. Raises Faults for folders without cells, before anything is copied.
    """
    found = {folder: _cells_of(folder) for folder in folders}
    faults = [
        ScenarioFault("has no finished cells", Place(str(folder)), "Name what --out was where the parts were run.")
        for folder, cells in found.items()
        if cells is None
    ]
    if faults:
        raise Faults(faults)
    target = Store.below(out, SHARED)
    notes: list[str] = []
    rows: list[dict[str, Any]] = []
    for folder, cells in found.items():
        assert cells is not None  # noqa: S101  else a fault
        source = Store(cells)
        rows.append({"folder": str(folder), "new": source.give_all(target)})
        notes += source.notes
    lines = [f"{row['folder']}: {row['new']} new files" for row in rows]
    lines += ["", f"{sum(row['new'] for row in rows)} new files in {target.folder}"]
    return Job({"out": str(out), "folders": rows, "damaged": notes}, "\n".join(lines), notes, 1 if notes else 0)


def _cells_of(folder: Path) -> Path | None:
    """Return the folder of cells in a folder, or that it is itself; None where there is none."""
    if folder.name in {SHARED, CELLS}:
        return folder if folder.is_dir() else None
    return next((folder / name for name in (SHARED, CELLS) if (folder / name).is_dir()), None)
