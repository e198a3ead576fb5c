"""Scenarios to begin with: small, commented, to be edited."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Final

from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.writing import write_text

STARTERS: Final = {
    "queue": "a waiting line: a textbook model to play with",
    "gate": "a gate with lanes, officers, a check and an exception desk",
    "zone": "a bonded zone with the flows and measures of the library",
}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")


def starter(kind: str, name: str) -> str:
    """Return the text of a starting scenario that is called `name`; raises UnknownName."""
    if kind not in STARTERS:
        raise UnknownName(f"no scenario '{kind}' to begin with", Place("--from"), suggest(kind, STARTERS, "ones"))
    text = (files("zonesim") / "briefing" / "starters" / f"{kind}.yaml").read_text(encoding="utf-8")
    return text.replace(f"my-{kind}", name)


def write_starter(target: str, kind: str) -> Path:
    """
    Write a starting scenario to `target` (with or without .yaml) and return its path.

    Raises ScenarioFault when the name cannot be one, when the file is there already or cannot be written.
    """
    path = Path(target if target.endswith(".yaml") else f"{target}.yaml")
    name = path.stem
    if not _NAME.fullmatch(name):
        remedy = "Use letters, digits, '-', '_' and '.', at most 80."
        raise ScenarioFault(f"'{name}' cannot be the name of a scenario", Place("NAME"), remedy)
    text = starter(kind, name)
    if path.exists() or path.is_symlink():
        remedy = "Choose another name, or move the file away."
        raise ScenarioFault("the file is there already", Place(str(path)), remedy)
    write_text(path, text, "Check the folder.")
    return path
