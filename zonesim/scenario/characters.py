"""
Characters that are not what they seem: those that nobody sees, and those of a Chinese keyboard that look like a sign
of the format.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_JOINERS: Final = frozenset("\u00ad\u200c\u200d")
"""Format characters that scripts and pictograms need; they may stand in what people read, not in names."""

_TWINS: Final = {
    **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    **dict.fromkeys("“”„‟〝〞「」『』《》", '"'),
    **dict.fromkeys("‘’‚‛", "'"),
    **dict.fromkeys("【〔", "["),
    **dict.fromkeys("】〕", "]"),
    **dict.fromkeys("‐‑‒–—−﹣", "-"),
    **dict.fromkeys("∶︰﹕", ":"),
    **dict.fromkeys("、﹐﹑", ","),
    "。": ".",
    "﹒": ".",
    "﹪": "%",
    "⁄": "/",
}

_COLON: Final = re.compile(r"(?<![0-9０-９])[：∶](?=\S)|[：∶](?=[^\s0-9０-９])")
_THOUSANDS: Final = re.compile(r"(?<![\w.])([1-9][0-9]{0,2})((?:[,，'’_ \u3000][0-9]{3})+)(?![0-9])")


def visible(text: str) -> str:
    """Return `text` with an escape in the place of every character that is not seen or moves the cursor."""
    return "".join(each if each.isprintable() or each == "\u3000" else _escape(each) for each in text)


def _escape(character: str) -> str:
    return repr(character)[1:-1]


def unseen(text: str, *, name: bool) -> str:
    """
    Return the first character of `text` that nobody sees: a control, a mark of direction, a lone surrogate, and in a
    `name` also a line break, a tab and every other mark of no width; "" when there is none.
    """
    for each in text:
        kind = unicodedata.category(each)
        if kind in {"Cc", "Cs", "Zl", "Zp"} and (name or each not in "\n\t"):
            return each
        if kind == "Cf" and (name or each not in _JOINERS):
            return each
    return ""


def told(character: str) -> str:
    """Return a character with its number and name: `'：' (U+FF1A, fullwidth colon)`."""
    name = unicodedata.name(character, "").lower()
    return f"'{visible(character)}' (U+{ord(character):04X}{f', {name}' if name else ''})"


# --- signs of another keyboard


def twin(character: str) -> str:
    """Return the sign of the format that a character looks like; "" for none, and for the signs themselves."""
    if character.isascii():
        return ""
    if character in _TWINS:
        return _TWINS[character]
    if unicodedata.category(character) == "Zs":
        return " "
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.decimal(character))
    return ""


def slips(text: str) -> list[int]:
    """
    Return where in `text` a sign of another keyboard stands that was hardly meant.

    Chinese signs between Chinese letters are meant; full-width letters and digits never are.
    """
    if text.isascii():
        return []
    return [at for at, each in enumerate(text) if (sign := twin(each)) and (sign.isalnum() or not _meant(text, at))]


def _meant(text: str, at: int) -> bool:
    around = [text[next_to] for next_to in (at - 1, at + 1) if 0 <= next_to < len(text)]
    meant = [not each.isascii() for each in around]
    return any(meant) if text[at] in "（）" else bool(meant) and all(meant)


def corrected(text: str) -> str:
    """
    Return `text` with the signs of the format for those that look like them, and numbers without separators. A colon
    gets the space that YAML wants behind it, but not within a time of day.
    """
    plain = _THOUSANDS.sub(lambda match: match[1] + re.sub(r"[^0-9]", "", match[2]), text)
    written = "".join(twin(each) or each for each in _COLON.sub(": ", plain))
    return " ".join(written.split())


def thousands(text: str) -> int:
    """Return where the first sign stands that separates thousands in a number, -1 for none."""
    match = _THOUSANDS.search(text)
    return match.start(2) if match else -1
