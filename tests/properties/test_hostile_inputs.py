"""Ten thousand broken and strange inputs of the whole command line: each is refused in words, or runs."""

from __future__ import annotations

import os

import pytest

from tests.properties import fuzzing

BLOCK = 250
FEW = 30
"""So many cases are tried in the fast suite."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork") or not os.path.exists("/proc/self/statm"), reason="needs Linux")  # noqa: PTH110


@pytest.mark.parametrize(
    ("first", "count"),
    [pytest.param(0, FEW), *(pytest.param(FEW + BLOCK * block, BLOCK, marks=pytest.mark.slow) for block in range(40))],
)
def test_an_input_is_refused_in_words_or_runs(first, count):
    """
    Whatever is given: a documented exit code and never that of a defect, a place and a remedy for each refusal, no
    traceback, and within 20 s of processor time and 1 GB.
    """
    fuzzing.load()
    codes = []
    for number in range(first, first + count):
        outcome = fuzzing.tried(fuzzing.case_of(number))
        codes.append(outcome.code)

        assert outcome.wrong() == "", (number, fuzzing.case_of(number).words, outcome.err[-2000:])

    assert {0, 2} <= set(codes)
