"""Which installed letters figures are written with, and what to install where Chinese ones are missing."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from matplotlib import font_manager

from zonesim.briefing.text.words import Language
from zonesim.faults import ScenarioFault

LATIN: Final = "DejaVu Sans"
"""Comes with matplotlib, so that English figures are the same on every machine."""

CHINESE: Final = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Noto Sans CJK JP",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Arial Unicode MS",
)
"""Families with simplified Chinese letters, the best first."""

_FILES: Final = ("cjk", "notosanssc", "sourcehansans", "pingfang", "hiragino", "msyh", "simhei", "wqy", "arial unicode")
"""Parts of names of files that such families come in, in small letters."""

REMEDY: Final = (
    "Install one, such as the package fonts-noto-cjk (Debian, Ubuntu), google-noto-sans-cjk-fonts (Fedora) or"
    " font-noto-sans-cjk (Homebrew), or draw with --lang en."
)


@cache
def chinese() -> str | None:
    """Return the best installed family with Chinese letters, or None; also sees fonts that were installed just now."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    if not known & set(CHINESE):
        for path in sorted(font_manager.findSystemFonts()):
            if any(part in Path(path).name.lower() for part in _FILES):
                font_manager.fontManager.addfont(path)
        known = {font.name for font in font_manager.fontManager.ttflist}
    return next((family for family in CHINESE if family in known), None)


def families(language: Language) -> list[str]:
    """
    Return the families to write a language with, in the order in which they are asked for a letter.

    Raises ScenarioFault when Chinese is wanted and no such font is installed.
    """
    found = chinese()
    if language == "en":
        return [LATIN, found] if found else [LATIN]
    if found is None:
        raise ScenarioFault("no font with Chinese letters is installed", None, REMEDY)
    return [found, LATIN]


def embeds_as_outlines() -> bool:
    """
    Return whether the Chinese font keeps its letters as PostScript outlines.

    Such a font cannot go into a PDF as TrueType: viewers would show nothing. Its letters go in one by one, still as
    text that can be searched.
    """
    found = chinese()
    if found is None:
        return False
    with Path(font_manager.findfont(found)).open("rb") as file:
        head = file.read(4)
        if head == b"ttcf":
            file.seek(12)
            file.seek(int.from_bytes(file.read(4), "big"))
            head = file.read(4)
    return head == b"OTTO"


@contextmanager
def every_letter() -> Iterator[None]:
    """Raise ScenarioFault where a figure would show an empty box, because no font has the letter."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=r"Glyph \d+ .* missing")
        try:
            yield
        except UserWarning as warning:
            raise ScenarioFault(f"a letter cannot be drawn: {warning}", None, REMEDY) from None
