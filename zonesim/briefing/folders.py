"""Where results are kept: one folder a run, so that nothing in it belongs to another run."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from zonesim.briefing.figures import COMPARED, VARIED
from zonesim.experiment import STUDY, Design, folder_name
from zonesim.faults import Place, UnknownName, suggest
from zonesim.scenario.paths import is_odd
from zonesim.writing import make_folder, unwritable

EARLIER: Final = "earlier"
"""What a run is called whose folder does not say its number."""

MOST_LETTERS: Final = 120
"""Letters of a file's name, at most."""

FORMATS: Final = ("png", "svg", "pdf")
PNG: Final = ("png",)
"""Formats of figures, and those that they have where nobody asks for others."""


def formats_named(given: str) -> list[str]:
    """Return the formats in a list such as `png,svg`; raises UnknownName."""
    found = list(dict.fromkeys(part.strip().lower() for part in given.split(",") if part.strip()))
    for part in found:
        if part not in FORMATS:
            raise UnknownName(f"no format '{part}'", Place("--format"), suggest(part, FORMATS, "formats"))
    return found or [*PNG]


def results_folder(out: Path, design: Design) -> Path:
    """Return the folder of a run's results, which need not exist; raises ScenarioFault when it cannot be written."""
    folder = out / folder_name(design)
    make_folder(out)
    if folder.exists() or folder.is_symlink():
        make_folder(folder)
    return folder


def make_room(folder: Path, run: str, finished: Collection[tuple[str, str, int]]) -> list[str]:
    """
    Make the folder of a run's results, so that it holds nothing of another run; return what is to be said of that.

    The folder of a file as it is written may hold an earlier state of the file, or a file of the same name: that run
    moves to a folder with its number. `finished`: arm, future and replication of all that the run has finished; when
    it had finished less before, its figures are taken away.

    Raises ScenarioFault when it cannot be written.
    """
    notes = []
    before = run_in(folder)
    own = folder.with_name(f"{folder.name}--{run}")
    try:
        if before and before != run:
            kept = _free(folder.with_name(f"{folder.name}--{before}"))
            folder.rename(kept)
            notes.append(f"{folder} held run {before}, of another state of the file: it is kept in {kept}")
        if not folder.exists() and run_in(own) == run:
            own.rename(folder)
        make_folder(folder)
        if run_in(folder) == run and _finished(folder) != set(finished):
            clear_figures(folder)
    except OSError as error:
        raise unwritable(folder, error) from None
    return notes


def set_aside(folder: Path, document: str, run: str) -> list[str]:
    """
    Move the files of an earlier run, which its `document` in the folder lists, into a folder beneath with its number.

    For folders that people choose, which may hold files of their own. Return what is to be said of it; raises
    ScenarioFault when it cannot be done.
    """
    before = _read(folder / document).get("run")
    if not isinstance(before, str) or not before.isalnum() or before == run:
        return []
    kept = folder / before
    try:
        kept.mkdir(exist_ok=True)
        for name in sorted(files_listed(folder, document)):
            if (folder / name).is_file():
                (folder / name).replace(kept / name)
    except OSError as error:
        raise unwritable(folder, error) from None
    return [f"{folder} held {before}, from another log or asked for otherwise: it is kept in {kept}"]


def files_listed(folder: Path, document: str) -> set[str]:
    """Return the names of the files that a document in a folder lists as those of its run, itself among them."""
    listed = _read(folder / document).get("files")
    names = {name for name in listed if isinstance(name, str)} if isinstance(listed, list) else set()
    return {document, *(name for name in names if name == Path(name).name and name not in {"", ".", ".."})}


def run_in(folder: Path) -> str:
    """Return the number of the run whose results a folder holds, "" when it holds none."""
    if not (folder / STUDY).exists():
        return ""
    run = _study(folder).get("run")
    return run if isinstance(run, str) and run.isalnum() else EARLIER


def file_names(names: Iterable[str]) -> list[str]:
    """
    Return names for files, no two the same: also where a disk takes `F1` for `f1`, or a character that no file may have
    is written as a dash.
    """
    taken: set[str] = set()
    found = []
    for name in names:
        plain = re.sub(r'[\x00-\x1f<>:"/\\|?*]', "-", name)[:MOST_LETTERS].rstrip(". ") or "figure"
        own, number = plain, 2
        while own.casefold() in taken:
            own, number = f"{plain}-{number}", number + 1
        taken.add(own.casefold())
        found.append(own)
    return found


def clear_figures(folder: Path) -> None:
    """Take the figures out of a results folder."""
    for kind in FORMATS:
        for name in (*COMPARED, *VARIED):
            for end in ("", "_zh"):
                for path in folder.glob(f"{name}{end}.{kind}"):
                    path.unlink(missing_ok=True)


def _study(folder: Path) -> dict[str, object]:
    return _read(folder / STUDY)


def _read(path: Path) -> dict[str, object]:
    """Return a JSON document, empty when there is none."""
    if is_odd(path):
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _finished(folder: Path) -> set[tuple[str, str, int]]:
    cells = _study(folder).get("cells")
    try:
        return {
            (each["arm"], each["future"], number)
            for each in (cells if isinstance(cells, list) else [])
            for number in each["replications"]
        }
    except (KeyError, TypeError):
        return set()


def _free(path: Path) -> Path:
    """Return a path that is not taken, a number behind it where need be."""
    number = 2
    found = path
    while found.exists():
        found = path.with_name(f"{path.name}-{number}")
        number += 1
    return found
