"""The outside cases: timelines on every engine, exact and published values with wide intervals."""

from __future__ import annotations

import pytest

from zonesim.engine.compiled_engine import lacks
from zonesim.verification import Prepared, prepared, read_cases, trace, verify

FILES = read_cases()
TRACES = [
    pytest.param(file, name, id=f"{file.model.id} {name}")
    for file in FILES
    for name, case in file.model.cases.items()
    if case.rule == "trace"
]
OTHERS = [
    pytest.param(file, name, id=f"{file.model.id} {name}")
    for file in FILES
    for name, case in file.model.cases.items()
    if case.rule != "trace" and case.quick is not False
]


def prepare(file, name: str, engine: str) -> Prepared:
    """Return one case as `--quick` runs it; skip the test when the engine lacks what it asks for."""
    (case,) = prepared(file, quick=True, only=name)
    if engine == "compiled" and (lacking := lacks(case.plan)):
        pytest.skip(f"the compiled engine does not know {lacking}")
    return case


@pytest.mark.parametrize(("file", "name"), TRACES)
def test_trace(file, name, engine):
    """
    Every instant and every value is the expected one.
    """
    found = trace(prepare(file, name, engine), engine)

    assert [(each.what, each.told, each.judgement) for each in found if not each.passed] == []
    assert found


@pytest.mark.slow
@pytest.mark.parametrize(("file", "name"), OTHERS)
def test_value(file, name, engine):
    """
    The mean is the exact or published one, within its error and an interval of 5 %.
    """
    found = list(verify([prepare(file, name, engine)], engine=engine, workers=1))

    assert [(each.what, each.told, each.expected, each.judgement) for each in found if not each.passed] == []
    assert found
