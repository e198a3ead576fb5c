"""The page docs/reference/faults.md: a hand-written introduction, and every message of the package by stage."""

from __future__ import annotations

from pathlib import Path

from fault_sites import FIELD, Site, sites

PACKAGE = Path(__file__).resolve().parent.parent / "zonesim"
TEMPLATE = Path(__file__).with_suffix(".md")

STAGES = {
    "Reading a file": ("units.py", "scenario"),
    "Editing: measures, arms, settings": ("policy",),
    "Compiling a scenario": ("plan",),
    "Running": ("engine",),
    "Experiments and stored results": ("experiment",),
    "Fitting a log": ("fitting",),
    "The command line, reports and figures": ("briefing", "cli"),
}
"""Where messages come from, in the order in which a user meets them."""


def faults_page() -> str:
    """Return the page."""
    lines = [TEMPLATE.read_text(encoding="utf-8").rstrip()]
    for title, places in STAGES.items():
        rows = sorted({(site.text, site.remedy) for place in places for site in _below(place)} - {(FIELD, "")})
        lines += ["", f"## {title}", "", "| message | what would be right |", "|---|---|"]
        lines += [f"| {_cell(text)} | {_cell(remedy)} |" for text, remedy in rows if text.strip(f"{FIELD} ':")]
    return "\n".join(lines) + "\n"


def _below(place: str) -> list[Site]:
    root = PACKAGE / place
    files = sorted(root.rglob("*.py")) if root.is_dir() else [root]
    return [site for path in files for site in sites(path)]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
