"""Fixtures of all tests."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import settings

from tests.helper import ENGINES, ROOT
from zonesim.compiled.jit import is_ready, note_ready

settings.register_profile("zonesim", deadline=None)  # how fast a machine is proves nothing
settings.load_profile("zonesim")


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    """Give every engine in turn."""
    return request.param


QUEUE = "clock: {measure: 1 h}\\nzones: {Z: {d: {units: 1}}}\\nflows: {f: {steps: {s: {hold: {u: Z.d}, take: 1 min}}}}\\ntraffic: {t: {flow: f, rate: 1 /min}}"

COMPILING = (
    f"from tests.helper import kpis, plan_of; kpis(plan_of('{QUEUE}'), engine='compiled')",
    f"from tests.helper import RowLog, plan_of; from zonesim.engine import ENGINES;"
    f" ENGINES['recursion'](plan_of('{QUEUE}'), 1, 0, RowLog())",
)
"""What compiles the kernels of the engines, in two processes side by side."""


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the kernels once, before the workers would each do it at the same time."""
    if hasattr(session.config, "workerinput") or session.config.option.collectonly or is_ready():
        return
    running = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for code in COMPILING]
    if all(process.wait() == 0 for process in running):
        note_ready()
