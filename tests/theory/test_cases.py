"""The outside cases: timelines on every engine, exact and published values with wide intervals, and the page of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.helper import ENGINES, ROOT
from zonesim.experiment import Execution
from zonesim.verification import CaseFile, Prepared, Verdict, prepared, read_cases, trace, verify

FILES = read_cases()
TRACES = [
    pytest.param(file, name, id=f"{file.model.id} {name}")
    for file in FILES
    for name, case in file.model.cases.items()
    if case.rule == "trace"
]

FAST = {
    "S08 M/M/1, load 0.5",
    "S08 M/M/3, a bank",
    "S08 Erlang B, 2 lines, load 1, exponential calls",
    "S08 Erlang B, 5 lines, load 4, constant calls",
    "S08 Erlang B, 5 lines, load 4, lognormal calls",
    "S08 M/M/1/6",
    "S08 five machines, 2 repairers",
    "S09 constant, load 0.5",
    "S09 triangular, load 0.5",
    "S09 uniform, load 0.5",
    "S09 Erlang-2, load 0.5",
    "S09 PERT, load 0.5",
    "S09 gamma, load 0.5",
    "S09 Weibull, load 0.5",
}
"""Cases that the compiled engine runs in about a second or less: in the fast tests."""

FAST_ON_SIMPY = {"S08 Erlang B, 1 line, load 1, exponential calls", "S08 Erlang B, 5 lines, load 4, constant calls"}
"""The few that the SimPy engine runs as fast."""

ON_SIMPY = FAST | {"S09 constant, load 0.8", "S10 nobody is interrupted", "S14 by the clock", "S14 by the time in use"}
"""What the SimPy engine runs in the slow tests: it takes some forty times as long, and its records are the same."""


def others() -> Iterator[object]:
    """Yield the cases that are no traces with the engines that run them, slow ones marked."""
    for file in FILES:
        for name, case in file.model.cases.items():
            key = f"{file.model.id} {name}"
            if case.rule == "trace" or case.quick is False:
                continue
            for engine in ENGINES:
                fast = key in (FAST_ON_SIMPY if engine == "simpy" else FAST)
                if fast or engine != "simpy" or key in ON_SIMPY:
                    marks = () if fast else (pytest.mark.slow,)
                    yield pytest.param(file, name, engine, id=f"{engine}-{key}", marks=marks)


def prepare(file: CaseFile, name: str) -> Prepared:
    """Return one case as `--quick` runs it."""
    (case,) = prepared(file, quick=True, only=name)
    return case


@pytest.mark.parametrize(("file", "name"), TRACES)
def test_trace(file, name, engine):
    """
    Every instant and every value is the expected one.
    """
    found = trace(prepare(file, name), engine)

    assert [(each.what, each.told, each.judgement) for each in found if not each.passed] == []
    assert found


@pytest.mark.parametrize(("file", "name", "engine"), list(others()))
def test_value(file, name, engine):
    """
    The mean is the exact or published one, within its error and an interval of 5 %.
    """
    found = list(verify([prepare(file, name)], how=Execution(1, engine)))

    assert [(each.what, each.told, each.expected, each.judgement) for each in found if not each.passed] == []
    assert found


def test_lists_name_cases():
    """
    The lists of fast cases and of those for the SimPy engine name cases that there are.
    """
    keys = {f"{file.model.id} {name}" for file in FILES for name in file.model.cases}

    assert keys >= FAST | FAST_ON_SIMPY | ON_SIMPY


def test_the_page_lists_every_case():
    """
    docs/verification.md has every case, in order and no other, but for those too long for `--quick`, which it may lack;
    what was found is as expected. `zonesim verify --write docs/verification.md` renews it.
    """
    page = (ROOT / "docs" / "verification.md").read_text(encoding="utf-8")
    every = {f"{file.model.id} {name}": case for file in FILES for name, case in file.model.cases.items()}
    shown = re.findall(r"^\*\*(S\d\d .*?)\*\* \(`", page, re.MULTILINE)
    keys = [key for key, case in every.items() if key in shown or case.quick is not False]

    assert shown == keys
    values = re.findall(r"^\| `.*\| (\w[\w ]*) \|$", page.partition("## What came out")[2], re.MULTILINE)
    assert len(values) >= len(keys)
    assert set(values) == {str(Verdict.PASSED)}
