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
    What a fault changes stands in the kernel exactly once, and the kernel is Python with the fault in it.
    """
    source = (ROOT / planted_faults.KERNEL).read_text(encoding="utf-8")

    assert ast.dump(ast.parse(planted_faults.planted(source, fault))) != ast.dump(ast.parse(source))


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
