"""Runs again by their number: the same numbers to the last bit, or what differs and why."""

from __future__ import annotations

import math

import numpy as np
import pytest

from zonesim.experiment import Execution, Runs, load_results
from zonesim.faults import ScenarioFault, UnknownName
from zonesim.jobs.reproduce import _differ, reproduce_job
from zonesim.jobs.run import run_job
from zonesim.jobs.sweep import sweep_job
from zonesim.kpi import RunResult

DESK = """\
zonesim: 1
kind: scenario
name: desk
clock: {warm_up: 1 d, measure: 2 d, cool_down: 1 d}
zones: {Z: {desk: {units: 1}}}
flows:
  bank: {steps: {serve: {hold: {d: Z.desk}, take: {exponential: {mean: 5 min}}}}}
traffic: {customers: {flow: bank, rate: 8 /h}}
"""

SWEEP = """\
zonesim: 1
kind: experiment
name: desks
scenario: desk.yaml
arms: {one: [], two: {set: {zones.Z.desk.units: 2}}}
futures: {grid: {traffic.customers.rate: [8 /h, 9 /h]}}
kpis: [bank.dwell.mean]
replications: REPLICATIONS
"""


@pytest.fixture
def folder(tmp_path):
    """Return a folder with the scenario of a desk."""
    (tmp_path / "desk.yaml").write_text(DESK, encoding="utf-8")
    return tmp_path


def run_desk(folder, settings=()):
    """Run the desk and return its results."""
    job = run_job(folder / "desk.yaml", [], settings, 2, 1, Execution(1), folder / "results", only=True)
    return load_results(folder / "results" / job.document["run"]["folder"])


@pytest.mark.parametrize("engine", ["auto", "simpy"])
def test_a_run_is_the_same_again(folder, engine):
    """
    A run is found by its number and is the same to the last bit, on any engine and after its file has changed.
    """
    results = run_desk(folder, ("traffic.customers.rate=9 /h",))
    (folder / "desk.yaml").write_text("zonesim: 1\n", encoding="utf-8")
    job = reproduce_job(results.run, Execution(1, engine), folder / "results")

    assert job.document["equal"]
    assert job.document["replications"] == 2
    assert job.document["numbers"] == sum(len(each.values) for each in results.runs("R1", "as written"))
    assert job.exit_code == 0
    assert "are equal, to the last bit" in job.text


@pytest.mark.parametrize("replications", ["2", "{until: 90 %, at_least: 2, at_most: 4}"])
def test_a_sweep_is_the_same_again(folder, replications):
    """
    An experiment is the same again in every future, also one that ran as many replications as it took.
    """
    (folder / "desks.yaml").write_text(SWEEP.replace("REPLICATIONS", replications), encoding="utf-8")
    job = sweep_job(folder / "desks.yaml", [], None, None, Execution(1), folder / "results")
    found = reproduce_job(job.document["run"]["id"], Execution(1), folder / "results")

    assert found.document["equal"]
    assert found.document["replications"] >= 8


def test_what_differs_is_told(folder, monkeypatch):
    """
    Replications that do not come to their end this time are told, and the exit code is 1.
    """
    results = run_desk(folder)
    monkeypatch.setattr("zonesim.jobs.reproduce.run_arms", lambda *_, **__: Runs({}, {}))
    job = reproduce_job(results.run, Execution(1), folder / "results")

    assert not job.document["equal"]
    assert job.document["differences"] == [f"R1, as written, replication {n}: not finished this time" for n in (0, 1)]
    assert job.exit_code == 1
    assert "2 of 0 numbers differ" in job.text


def test_every_number_counts():
    """
    A number, a share that is missing, a curve or a duration that is another is told; none that is none is the same.
    """
    told = RunResult({"a": 1.0, "b": math.nan}, {"day": np.ones(3)}, {"dwell": np.arange(4)}, withheld={"c": 0.5})
    same = RunResult({"a": 1.0, "b": math.nan}, {"day": np.ones(3)}, {"dwell": np.arange(4)}, withheld={"c": 0.5})
    other = RunResult({"a": 1.0 + 1e-15, "b": 1.0}, {"day": np.zeros(3)}, {}, withheld={"c": 0.25})

    assert list(_differ(told, same)) == []
    assert [text.split()[0] for text in _differ(told, other)] == ["a", "b", "c", "curves", "samples"]


def test_an_unknown_number_is_a_fault(folder):
    """
    A number that no folder has is a fault that names those that are there.
    """
    results = run_desk(folder)
    with pytest.raises(UnknownName) as found:
        reproduce_job(results.run[:-1], Execution(1), folder / "results")
    with pytest.raises(UnknownName) as nothing:
        reproduce_job("r1", Execution(1), folder / "elsewhere")

    assert str(found.value).startswith(f"ID: no run '{results.run[:-1]}' in {folder / 'results'}")
    assert results.run in str(found.value)
    assert str(nothing.value).endswith(f"{folder / 'elsewhere'} holds no results: name the folder with --out.")


def test_what_cannot_be_run_again_is_said(folder):
    """
    What is in the folder may lead to other plans, as in another version, or may be gone: both are faults with a remedy.
    """
    results = run_desk(folder)
    copy = results.folder / "inputs" / "scenario.yaml"
    copy.write_text(DESK.replace("5 min", "6 min"), encoding="utf-8")
    with pytest.raises(ScenarioFault) as other:
        reproduce_job(results.run, Execution(1), folder / "results")
    copy.unlink()
    with pytest.raises(ScenarioFault) as gone:
        reproduce_job(results.run, Execution(1), folder / "results")

    assert f"run {results.run} was made by zonesim " in str(other.value)
    assert "); what is in its folder leads to other plans in this version" in str(other.value)
    assert "Install that version, or run the command anew: it gets a number of its own." in str(other.value)
    assert f"{copy}: cannot be read: No such file or directory" in str(gone.value)


def test_other_kinds_are_made_again_by_their_command(folder):
    """
    A run of another kind is a fault that says what is due.
    """
    results = run_desk(folder)
    study = results.folder / "study.json"
    study.write_text(study.read_text(encoding="utf-8").replace('"kind": "run"', '"kind": "best"'), encoding="utf-8")
    with pytest.raises(ScenarioFault) as found:
        reproduce_job(results.run, Execution(1), folder / "results")

    assert str(found.value) == (
        f"{results.folder}: is a run of `best`\n"
        "    Name a run of compare, run or sweep; others are made again by their own command."
    )
