"""Documents say what the code does: generated pages are current, examples run, links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.helper import ROOT, kpis, plan_of

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = [
    pytest.param(text, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, text in enumerate(
        re.findall(r"```yaml scenario\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL), start=1
    )
]


def test_generated_pages_are_current():
    """
    docs/reference is what the tables in the code say; `python tools/reference.py` renews it.
    """
    done = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_run(text):
    """
    Every whole scenario in the documents runs and has figures.
    """
    values = kpis(plan_of(text))[0].values

    assert any(value > 0 for value in values.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """
    A relative link names a file that is there, a link within the page a heading of it.
    """
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), target
    headings = {
        re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
        for line in re.findall(r"^#+ (.*)", text, re.MULTILINE)
    }
    for anchor in re.findall(r"\]\(#([^)]+)\)", text):
        assert anchor in headings, anchor


COMMANDS = re.findall(
    r"^\$ \.venv/bin/zonesim (.*?)\s*(?:#.*)?$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
)


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_of_the_readme_run(line, tmp_path):
    """
    Each command of the README ends well (with a short clock, so that the test is short).
    """
    words = line.split()
    if words[0] in {"run", "compare"}:
        clock = ("clock.warm_up=1 d", "clock.measure=1 d", "clock.cool_down=1 d")
        words += [
            "--replications",
            "2",
            "--out",
            str(tmp_path),
            *(word for setting in clock for word in ("--set", setting)),
        ]
    done = subprocess.run(
        [sys.executable, "-m", "zonesim", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_the_readme_shows_every_command():
    """
    No command is left out.
    """
    assert {line.split()[0] for line in COMMANDS} == {"validate", "show", "measures", "run", "compare"}
