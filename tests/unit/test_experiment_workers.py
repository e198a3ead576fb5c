"""What becomes of the cells when a worker dies, of the workers when the parent dies, and of unexpected errors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing import active_children

import pytest

from tests.helper import ROOT, gone, plan_of
from zonesim.experiment import Execution, run_arms
from zonesim.experiment import runner as module
from zonesim.experiment.runner import Cell, Job

TEXT = """
clock: {measure: 2 h}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: {exponential: {mean: 5 min}}}}}}
traffic: {a: {flow: f, rate: 10 /h}}
"""


class Poison:
    """Ends the process that unpickles it."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        """Have `os._exit(9)` called."""
        return os._exit, (9,)


@pytest.mark.slow
def test_no_cell_is_lost_with_a_worker_that_dies_once():
    """
    A worker killed from outside costs time, and no result: the cells in its hands are run again.
    """
    plans = {"R1": plan_of(TEXT)}

    def kill_one(done: int, total: int) -> None:
        if done == 2:
            os.kill(active_children()[0].pid, signal.SIGKILL)

    runs = run_arms(plans, seed=4, replications=12, how=Execution(2), block=1, progress=kill_one)
    expected = run_arms(plans, seed=4, replications=12, how=Execution(1))

    assert runs.complete() == list(range(12))
    assert not runs.failures["R1"]
    values = [[repr(each.results["R1"][n].values) for n in range(12)] for each in (runs, expected)]
    assert values[0] == values[1]


def test_a_cell_that_kills_its_worker_is_a_failure():
    """
    When the worker of a cell dies again though it ran alone, the cell is a failure that says so.
    """
    jobs = {"p": Job(plan_of(TEXT), 0, Poison())}
    cells = [Cell("p", (0,)), Cell("p", (1,))]
    found = dict(module._in_processes(jobs, cells, 2))

    assert set(found) == set(cells)
    assert all("died" in failure.message for outcome in found.values() for failure in outcome.failures)
    assert [outcome.finished for outcome in found.values()] == [(), ()]
    assert sum(len(outcome.failures) for outcome in found.values()) == 2


def test_an_unexpected_error_is_told_with_its_line(monkeypatch):
    """
    A defect in one cell is a failure with code 70 that names the error and where it was; the other cells go on.
    """
    real = module.run_cell

    def fail_once(job, replication):
        if replication == 1:
            raise TypeError("no such thing")
        return real(job, replication)

    monkeypatch.setattr(module, "run_cell", fail_once)
    runs = run_arms({"R1": plan_of(TEXT)}, seed=1, replications=3, how=Execution(1))
    (failure,) = runs.failures["R1"]

    assert sorted(runs.results["R1"]) == [0, 2]
    assert (failure.replication, failure.exit_code) == (1, 70)
    assert failure.message.startswith("unexpected TypeError in test_experiment_workers.py:")
    assert failure.message.endswith(": no such thing")


SCRIPT = """
from tests.helper import plan_of
from zonesim.experiment import Execution, run_arms

if __name__ == "__main__":
    text = {text!r}
    plans = {{"R1": plan_of(text, "clock.measure=2000 week")}}
    run_arms(plans, seed=1, replications=8, how=Execution(2))
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("after", [1.0, 1.5, 4.0])
def test_workers_end_with_whoever_started_them(tmp_path, how, after):
    """
    Whenever it comes, an interrupt of the whole group or the death of the parent leaves no worker, and no worker prints
    a traceback.
    """
    script = tmp_path / "long.py"
    script.write_text(SCRIPT.format(text=TEXT), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(script)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(after)
    if how == signal.SIGINT:
        os.killpg(process.pid, how)
    else:
        process.kill()
    _, errors = process.communicate(timeout=20)

    assert "Process SpawnProcess" not in errors
    assert gone(process.pid)
