"""Faults planted in the compiled engine are seen."""

from __future__ import annotations

import ast
import sys

import pytest

from tests.helper import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import planted_faults

FAULTS = planted_faults.FAULTS


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_place_of_a_fault_is_in_the_kernel(fault):
    """
    What a fault changes stands in its function exactly once, and the module is Python with the fault in it.
    """
    source = planted_faults.source_of(fault)

    assert ast.dump(ast.parse(planted_faults.planted(source, fault))) != ast.dump(ast.parse(source))


def test_a_place_is_found_whatever_its_text_looks_like():
    """
    Line breaks, brackets and comments do not matter; a place that is gone or that is there twice is refused.
    """
    fault = planted_faults.Fault("less", "m", "f", "a.b + 1 < c", "a.b < c")
    text = "def f(a, c):\n    if (\n        a.b  # why\n        + 1\n    ) < c:\n        return 1\n{}"

    assert "if a.b < c:" in planted_faults.planted(text.format(""), fault)
    with pytest.raises(LookupError, match="its place is 2 times"):
        planted_faults.planted(text.format("    return a.b + 1 < c\n"), fault)
    with pytest.raises(LookupError, match="its place is 0 times"):
        planted_faults.planted("def g(a, c):\n    return a.b + 1 < c\n", fault)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_seen(fault):
    """
    Two hundred random models or the timelines see it.
    """
    assert planted_faults.look(fault, 200).caught


@pytest.mark.slow
def test_the_kernel_as_it_is_has_none():
    """
    Without a fault neither sees anything.
    """
    assert planted_faults.look(None, 40, both=True) == planted_faults.Verdict("", "")
