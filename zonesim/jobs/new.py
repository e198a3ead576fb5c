"""Scenarios and experiments to begin with: small, commented, to be edited."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from zonesim.faults import Place, ScenarioFault, UnknownName, suggest
from zonesim.writing import write_text

STARTERS: Final = {
    "queue": "a waiting line: a textbook model to play with",
    "gate": "a gate with lanes, officers, a check and an exception desk",
    "zone": "a bonded zone with the flows and measures of the library",
    "experiment": "lanes of a gate times growth of traffic, with the scenario that it is about beside it",
}

ABOUT: Final[Mapping[str, str]] = {"experiment": "gate"}
"""What is about a scenario, and the kind of that, which is called NAME_KIND."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")


def starter(kind: str, name: str) -> str:
    """Return the text of a starting scenario or experiment that is called `name`; raises UnknownName."""
    if kind not in STARTERS:
        raise UnknownName(f"no scenario '{kind}' to begin with", Place("--from"), suggest(kind, STARTERS, "ones"))
    text = (files("zonesim") / "briefing" / "starters" / f"{kind}.yaml").read_text(encoding="utf-8")
    return text.replace(f"my-{kind}", name)


def write_starter(target: str, kind: str) -> list[Path]:
    """
    Write a starting scenario to `target` (with or without .yaml), for an experiment also the scenario that it is about
    beside it; return the paths, that of `target` first.

    Raises ScenarioFault when the name cannot be one, when a file is there already or cannot be written; then none is
    written over, and nothing is written where one is there.
    """
    path = Path(target if target.endswith(".yaml") else f"{target}.yaml")
    name = path.stem
    if not _NAME.fullmatch(name):
        remedy = "Use letters, digits, '-', '_' and '.', at most 80."
        raise ScenarioFault(f"'{name}' cannot be the name of a scenario", Place("NAME"), remedy)
    texts = {path: starter(kind, name)}
    if kind in ABOUT:
        beside = f"{name}_{ABOUT[kind]}"
        texts[path.with_name(f"{beside}.yaml")] = starter(ABOUT[kind], beside)
    for each in texts:
        if each.exists() or each.is_symlink():
            remedy = "Choose another name, or move the file away."
            raise ScenarioFault("the file is there already", Place(str(each)), remedy)
    for each, text in reversed(texts.items()):
        write_text(each, text, "Check the folder.")
    return list(texts)
