"""The file of a page that simulates: text, styles, code and data in one, for a disk without a network."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

LARGEST_PAGE: Final = 2_000_000
"""Bytes."""

_FOLDER: Final = "zonesim.briefing.whatif"

_PAGE: Final = ("plans.js", "asking.js", "means.js", "showing.js", "figures.js", "levers.js", "page.js")
_WORKER: Final = ("run.js", "fold.js", "worker.js")
"""Files of code in their order: each sees what those before it name."""


def page(about: Mapping[str, Any], pool: bytes, module: bytes, language: str) -> str:
    """
    Return the page. `about`: what `jobs.whatif` says of the plans; `pool`: their tables; `module`: the kernel.

    Nothing of a scenario is markup or code here: it stands in the data, and the page writes it as text.
    """
    told = json.dumps({**about, "words": _words(), "language": language}, ensure_ascii=False, separators=(",", ":"))
    return _template().render(
        connect="'self'" if "server" in about else "'none'",
        language="zh-CN" if language == "zh" else "en",
        title=about["title"][language],
        style=_file("whatif.css"),
        code=_code(_PAGE),
        worker=_code(_WORKER),
        about=_packed(told.encode()),
        pool=_packed(pool),
        module=_packed(module),
    )


def param_label(key: str) -> dict[str, str]:
    """Return what a parameter of a measure is called in both languages; in Chinese by its key where it has no word."""
    found: dict[str, str] = _words().get(f"param_{key}", {"en": key.replace("_", " "), "zh": key})
    return found


def _packed(data: bytes) -> str:
    """Return bytes for a page: deflated, as text of 64 letters."""
    return base64.b64encode(zlib.compress(data, 9)).decode()


def _file(name: str) -> Markup:
    """Return a file of ours as it is: none of it comes from a scenario."""
    return Markup((files(_FOLDER) / "templates" / name).read_text(encoding="utf-8"))  # noqa: S704


def _code(names: Sequence[str]) -> Markup:
    """Return files of code as one function, which leaves no names behind."""
    return Markup('"use strict";\n(() => {\n') + Markup("\n").join(map(_file, names)) + Markup("})();\n")


@cache
def _words() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((files(_FOLDER) / "words.yaml").read_text(encoding="utf-8"))
    return found


@cache
def _template() -> Template:
    loader = PackageLoader(_FOLDER, "templates")
    environment = Environment(autoescape=True, loader=loader, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("whatif.html")
