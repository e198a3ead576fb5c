"""The gallery: the stored figures of the experiments with the commands that draw them, as tools/findings.py does."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml
from findings import ROOT, Question, questions

HEAD: Final = """\
# Gallery

Figures of the [experiments](../experiments/README.md), whose page says what each of them shows, with the commands that
draw them. `--lang zh` draws in Chinese, `--format png,svg,pdf` for a slide, the web or paper. `plot` draws every figure
that the results have, and says which it leaves out and why; the name below a figure is that of its file. Each carries
its run, its number of replications and its seed.
"""

OTHERS: Final = {
    "tornado": "Which doubted numbers decide what measure 11 does at the gate",
    "where_11_does_not_pay": "Where measure 11 does not pay",
}
"""What figures show whose experiment does not say it."""


def gallery_page() -> str:
    """Return docs/gallery.md."""
    return HEAD + "".join(_part(each) for each in questions().values() if each.figure)


def commands_of(question: Question) -> Iterator[str]:
    """Yield the commands that draw a question's figure, without the name of the program."""
    job, *rest = shlex.split(question.command)
    if job == "sweep":
        yield question.command
        yield f"plot results/{_named(ROOT / rest[0], 'name')} --format svg"
    else:
        yield f"{question.command} --format svg"


def _part(question: Question) -> str:
    """Return a figure with its title and commands."""
    words = shlex.split(question.command)
    title = OTHERS.get(question.name) or _named(ROOT / words[1], "label")
    lines = "".join(f"$ zonesim {command}\n" for command in commands_of(question))
    picture = f"../experiments/stored/{question.picture.name}"
    return f"\n## {title}\n\n```console\n{lines}```\n\n![{title}]({picture})\n\n`{question.figure}.svg`\n"


def _named(path: Path, key: str) -> str:
    """Return the name or the English label of an experiment."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))[key]
    return str(found["en"] if isinstance(found, dict) else found)
