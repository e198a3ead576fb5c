"""
Write docs/validation.md: what the library was calibrated to, and what an untuned model says of published pairs.
`python tools/validation.py` runs all of it (some minutes), `--check` compares without writing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from zonesim.briefing.tables.validation import validation_page
from zonesim.experiment import Execution
from zonesim.verification import FUTURES, predict, read_pairs

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "validation"
PAGE = ROOT / "docs" / "validation.md"


def page(workers: int = 1) -> str:
    """Return the page, from runs of every experiment in all futures."""
    document = read_pairs(FOLDER)
    return validation_page(document, predict(document.pairs, FOLDER, Execution(workers)), FUTURES)


def main() -> int:
    """Write the page, or with `--check` return 1 when it is not what the model says."""
    text = page(os.cpu_count() or 1)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == text:
        return 0
    print("docs/validation.md is not what the model says: run python tools/validation.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
