"""What `zonesim verify` prints and writes: every outside case with what was expected and what came out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import resources
from itertools import groupby
from typing import Any, Final

from rich.table import Table

from zonesim.analysis import LEVEL
from zonesim.briefing.tables.printing import printed
from zonesim.briefing.text.words import Words
from zonesim.engine import AUTO
from zonesim.verification import CaseFile, Finding

COLUMNS: Final = ("case", "what", "unit", "expected", "found", "half_width", "n", "verdict")


def verification_text(found: Sequence[Finding], say: Words) -> str:
    """Return what came out for people: the table, why traces differ, and a count."""
    failed = [finding for finding in found if not finding.passed]
    closing = say("verify.closing", passed=len(found) - len(failed), failed=len(failed))
    return f"{printed(_table(found, say))}\n{_reasons(failed)}{closing}"


def _table(found: Sequence[Finding], say: Words) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in COLUMNS:
        right = name in {"expected", "found", "half_width", "n"}
        table.add_column(say(f"verify.column.{name}"), justify="right" if right else "left", overflow="fold")
    for finding in found:
        table.add_row(f"{finding.case.id} {finding.case.name}", finding.what, *_cells(finding, say))
    return table


def _cells(finding: Finding, say: Words) -> list[str]:
    """Return unit, expected, found, half-width, n and verdict as text."""
    percent = finding.unit == "share"
    trace = finding.case.case.rule == "trace"
    unit = say("verify.instants") if finding.unit == "instants" else say.unit(finding.unit)
    judged = finding.judgement
    verdict = say(f"verify.verdict.{judged.verdict.name.lower()}")
    half = "" if trace else f"± {number(judged.half_width, percent=percent)}"
    return [
        unit,
        number(finding.expected, percent=percent),
        number(judged.found, percent=percent),
        half,
        str(judged.n),
        verdict,
    ]


def number(value: float, *, percent: bool = False) -> str:
    """Return a value with five significant digits, a share in per cent; `-` for none."""
    if math.isnan(value):
        return "-"
    return f"{100 * value if percent else value:.5g}"


def _reasons(failed: Sequence[Finding]) -> str:
    told = dict.fromkeys(f"{each.case.key}: {each.told}" for each in failed if each.told)
    return "".join(f"{line}\n" for line in told)


def verification_document(found: Sequence[Finding], engine: str, seed: int, *, quick: bool) -> dict[str, Any]:
    """Return what --json prints."""
    return {
        "engine": engine,
        "seed": seed,
        "quick": quick,
        "level": LEVEL,
        "passed": sum(each.passed for each in found),
        "failed": sum(not each.passed for each in found),
        "findings": [
            {
                "case": each.case.id,
                "name": each.case.name,
                "rule": each.case.case.rule,
                "what": each.what,
                "unit": each.unit,
                "expected": each.expected,
                "found": each.judgement.found,
                "half_width": each.judgement.half_width,
                "n": each.judgement.n,
                "verdict": str(each.judgement.verdict),
                "told": each.told,
            }
            for each in found
        ],
    }


# --- the page

HEAD: Final = """\
<!-- Written by `{command}`; do not edit. -->

{about}
## What came out

From `{command}`: {passed} passed, {failed} failed.

| id | case | values | source |
|---|---|---|---|
"""


def verification_page(
    files: Sequence[CaseFile], found: Sequence[Finding], *, engine: str, seed: int, quick: bool
) -> str:
    """Return docs/verification.md: every case with what was expected and what came out."""
    words = [
        "zonesim verify",
        "--quick" if quick else "",
        f"--engine {engine}" if engine != AUTO else "",
        f"--seed {seed}",
        "--write docs/verification.md",
    ]
    failed = sum(not each.passed for each in found)
    about = resources.files("zonesim.briefing").joinpath("verification_head.md").read_text(encoding="utf-8")
    told = {"command": " ".join(filter(None, words)), "about": about, "passed": len(found) - failed, "failed": failed}
    head = HEAD.format(**told)
    own = {file.model.id: [each for each in found if each.case.id == file.model.id] for file in files}
    lines = [
        f"| [{name}](#{name.lower()}) | {file.model.title.get('en', '')} | {len(own[name])} | {file.model.source} |"
        for file in files
        for name in [file.model.id]
    ]
    for file in files:
        lines += ["", f"## {file.model.id}", "", _titles(file)]
        for key, group in groupby(own[file.model.id], key=lambda each: each.case.key):
            lines += ["", *_case(list(group), key, quick=quick)]
    return head + "\n".join(lines) + "\n"


def _titles(file: CaseFile) -> str:
    title = file.model.title
    return f"{title.get('en', '')} {title.get('zh', '')}. Source: {file.model.source}."


def _case(found: Sequence[Finding], key: str, *, quick: bool) -> list[str]:
    case = found[0].case
    how = f", {case.case.how}" if case.case.how else ""
    short = ", run as with `--quick`" if case.quick and not quick and case.case.rule != "trace" else ""
    lines = [
        f"**{key}** (`{case.case.scenario}`, {case.case.rule}{how}{short})",
        "",
        "| what | unit | expected | found | ± | n | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    say = Words("en")
    return [*lines, *(f"| `{each.what}` | {' | '.join(_cells(each, say))} |".replace("± ", "") for each in found)]
