"""Cells, workers and what happens when something fails."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from tests.helper import ROOT, gone, plan_of
from zonesim.experiment import Execution, run_arms
from zonesim.experiment import runner as module

TEXT = """
clock: {measure: 2 h}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: {exponential: {mean: 5 min}}}}}}
traffic: {a: {flow: f, rate: 10 /h}}
"""
DEADLOCK = """
clock: {measure: 2 h}
zones: {Z: {a: {units: 1}, b: {units: 1}}}
flows:
  f: {steps: {outer: {hold: {x: Z.a}, steps: {go: {take: 1 min}, inner: {hold: {y: Z.b}, take: 1 min}}}}}
  g: {steps: {outer: {hold: {x: Z.b}, steps: {go: {take: 1 min}, inner: {hold: {y: Z.a}, take: 1 min}}}}}
traffic: {p: {flow: f, at: [0 min]}, q: {flow: g, at: [0 min]}}
"""


def test_results_do_not_depend_on_the_number_of_workers():
    """
    One process or two give the same numbers, replication by replication.
    """
    plans = {"R1": plan_of(TEXT), "slow": plan_of(TEXT, "flows.f.work.take=9 min")}
    one = run_arms(plans, seed=4, replications=3, how=Execution(1))
    two = run_arms(plans, seed=4, replications=3, how=Execution(2))

    assert one.complete() == two.complete() == [0, 1, 2]
    for arm in plans:
        for replication in range(3):
            first, second = one.results[arm][replication].values, two.results[arm][replication].values
            assert {k: repr(v) for k, v in first.items()} == {k: repr(v) for k, v in second.items()}


def test_equal_arms_share_their_cells():
    """
    Two arms with one plan are run once.
    """
    seen = []
    plans = {"R1": plan_of(TEXT), "same": plan_of(TEXT)}
    runs = run_arms(
        plans,
        seed=1,
        replications=2,
        how=Execution(1),
        block=1,
        progress=lambda done, total: seen.append((done, total)),
    )

    assert seen == [(1, 2), (2, 2)]
    assert runs.results["R1"] == runs.results["same"]


def test_what_is_worked_out_of_plans_does_not_stay_with_them():
    """
    Of thousands of plans that are run here one after the other, what running works out is kept of the last ones only.
    """
    plan = plan_of(TEXT)
    before = set(vars(plan))
    run_arms({"a": plan}, seed=1, replications=2, how=Execution(1))

    assert set(vars(plan)) - before <= {"identity", "code"}


def test_one_failing_arm_does_not_end_the_others():
    """
    A deadlock in one arm is noted with its story; the other arm has its results.
    """
    runs = run_arms({"good": plan_of(TEXT), "bad": plan_of(DEADLOCK)}, seed=1, replications=2, how=Execution(1))

    assert sorted(runs.results["good"]) == [0, 1]
    assert runs.results["bad"] == {}
    assert [failure.replication for failure in runs.failures["bad"]] == [0, 1]
    assert runs.failures["bad"][0].message.startswith("deadlock: 2 tokens")
    assert runs.failures["bad"][0].exit_code == 3
    assert runs.complete() == []


def test_an_interrupt_keeps_what_is_finished(monkeypatch):
    """
    Ctrl-C after the first cell returns that cell and says so.
    """
    real = module.run_cell
    calls = []

    def stop_at_the_second(job, replication):
        calls.append(replication)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(job, replication)

    monkeypatch.setattr(module, "run_cell", stop_at_the_second)
    runs = run_arms({"R1": plan_of(TEXT)}, seed=1, replications=5, how=Execution(1), block=1)

    assert runs.interrupted
    assert sorted(runs.results["R1"]) == [0]


@pytest.mark.slow
def test_ctrl_c_on_the_command_line(tmp_path):
    """
    An interrupted comparison ends with code 130 within seconds and leaves no worker behind.
    """
    command = [
        sys.executable,
        "-m",
        "zonesim",
        "compare",
        "scenarios/suzhou_industrial_park.yaml",
        "--out",
        str(tmp_path),
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    time.sleep(8)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "Traceback" not in errors
    assert gone(process.pid)
