"""
Write experiments/README.md: what the shipped experiments found, filled in from what they gave.

`python tools/findings.py [NAME…]` runs the commands in findings.yaml (all, or those named; what `results/` has is not
run again), keeps their tables and figures in experiments/stored, and writes the page. `--text` writes it from what is
kept, `--check` compares without writing.
"""

from __future__ import annotations

import csv
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml
from finding_words import Table, environment

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "experiments" / "README.md"
STORED: Final = ROOT / "experiments" / "stored"
TEMPLATE: Final = Path(__file__).with_name("findings_page.md")
COMMANDS: Final = Path(__file__).with_suffix(".yaml")
WIDE: Final = {"label_en", "label_zh", "settings"}
"""Columns that are not kept: words, and what the command says."""


@dataclass(frozen=True)
class Question:
    """What is run for a part of a finding, what of it is kept, and which figure is drawn (empty: none)."""

    name: str
    command: str
    tables: Sequence[str]
    figure: str = ""

    def path(self, table: str) -> Path:
        """Return where a table of it is kept."""
        return STORED / f"{self.name}.{table}"

    @property
    def picture(self) -> Path:
        """Return where its figure is kept."""
        return STORED / f"{self.name}.svg"

    @cached_property
    def stored(self) -> dict[str, Table]:
        """Return its kept tables by name, without `.csv`."""
        return {table.removesuffix(".csv"): Table(self.name, tuple(_rows(self.path(table)))) for table in self.tables}


def questions() -> dict[str, Question]:
    """Return every question of findings.yaml by its name."""
    document: Mapping[str, Mapping[str, Any]] = yaml.safe_load(COMMANDS.read_text(encoding="utf-8"))
    return {name: Question(name, **fields) for name, fields in document.items()}


def page(asked: Mapping[str, Question]) -> str:
    """Return the page; raises FalseClaim where a sentence of the template is not what the numbers say."""
    template = environment().from_string(TEMPLATE.read_text(encoding="utf-8"))
    names = {name: {**each.stored, "command": each.command} for name, each in asked.items()}
    return template.render(names).rstrip() + "\n"


def run(question: Question, results: Path) -> None:
    """Run a question's command, and keep its tables and its figure, as a drawing whose text is text."""
    job, *_ = shlex.split(question.command)
    draws = job not in {"sweep", "attribute"}  # their figures are those of `plot`
    drawing = (["--format", "svg"] if question.figure else ["--no-figures"]) if draws else []
    done = _zonesim([*shlex.split(question.command), *drawing, "--out", str(results)])
    (folder,) = {Path(line).parent for line in done.splitlines() if line.endswith(f"/{question.tables[0]}")}
    for table in question.tables:
        _keep(folder / table, question.path(table))
    if question.figure and not draws:
        _zonesim(["plot", str(folder), "--format", "svg"])
    if question.figure:
        shutil.copy(folder / f"{question.figure}.svg", question.picture)


def _zonesim(words: Sequence[str]) -> str:
    """Return what a command prints."""
    command = [sys.executable, "-m", "zonesim", *words]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"zonesim {shlex.join(words)} ended with {done.returncode}")
    return done.stdout


def _keep(found: Path, kept: Path) -> None:
    """Copy the columns of a table that are kept."""
    with found.open(encoding="utf-8-sig", newline="") as source:
        rows = list(csv.DictReader(source))
    columns = [column for column in rows[0] if column not in WIDE and any(row[column] for row in rows)]
    kept.parent.mkdir(exist_ok=True)
    with kept.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def main(words: Sequence[str]) -> int:
    """Run what is asked for and write the page, or with `--check` return 1 when it is not what the tables say."""
    asked = questions()
    if "--check" in words:
        if PAGE.read_text(encoding="utf-8") == page(asked):
            return 0
        print("experiments/README.md is not what the stored results say: run python tools/findings.py --text")
        return 1
    if "--text" not in words:
        for name in words or asked:
            print(f"{name}: {asked[name].command}", file=sys.stderr)
            run(asked[name], ROOT / "results")
    PAGE.write_text(page(asked), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
