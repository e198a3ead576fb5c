"""A replay as one HTML file that needs no network: the document packed, and the script that plays it."""

from __future__ import annotations

import base64
import gzip
import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from zonesim.writing import write_text

SCRIPTS: Final = ("model", "stage", "story", "play")
"""Parts of the script, in the order in which they are read."""

OPEN: Final = ("</", "<\\/")


def write_page(path: Path, document: dict[str, Any], language: str) -> int:
    """
    Write a replay as HTML that begins in a language, whole or not at all; return its size in bytes.

    Raises ScenarioFault when it cannot be written.
    """
    loader = PackageLoader("zonesim.briefing.replay", "page")
    environment = Environment(
        autoescape=True, loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    words = document["words"][language]
    text = environment.get_template("replay.html").render(
        language=language,
        title=f"{document['scenario'][language]} - {words['title']}",
        no_script=" ".join(own["no_script"] for own in document["words"].values()),
        too_old=" ".join(own["too_old"] for own in document["words"].values()),
        loading=words["loading"],
        style=_own("replay.css"),
        script=_own(*(f"{name}.js" for name in SCRIPTS)),
        data=packed(document),
    )
    write_text(path, text, "Choose another file with -o.")
    return len(text.encode())


def packed(document: dict[str, Any]) -> str:
    """Return a document as JSON, compressed, in letters that mean nothing in HTML."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).replace(*OPEN)
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _own(*names: str) -> Markup:
    """Return files of the page as they are: they are ours, and hold nothing of a scenario."""
    folder = files("zonesim.briefing.replay") / "page"
    return Markup("\n".join((folder / name).read_text(encoding="utf-8") for name in names))  # noqa: S704
