"""The store of finished cells: whole files or none, found again by what they are, never trusted when damaged."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pytest

from tests.helper import ROOT, gone, plan_of
from zonesim.experiment import Execution, Store, cell_key, load_results, read_design, run_arms
from zonesim.experiment import runner as module
from zonesim.faults import ScenarioFault
from zonesim.kpi import RunResult

TEXT = """
clock: {measure: 2 h}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: {exponential: {mean: 5 min}}}}}}
traffic: {a: {flow: f, rate: 10 /h}}
"""


def result(value: float = 1.5) -> RunResult:
    """Return a run with every kind of number, among them nothing at all and no value."""
    return RunResult(
        {"Z.x.mean": value, "Z.none": math.nan},
        {"Z.queue": np.array([1.0, math.nan, 3.0]), "Z.never": np.zeros(0)},
        {"f.dwell": np.array([5, 3], dtype=np.int64), "g.dwell": np.zeros(0, dtype=np.int64)},
        77,
        {"f.dwell.mean": 0.25, "G.pass": 1.0},
    )


def same(one: RunResult, other: RunResult) -> bool:
    """Return whether two runs are equal to the last bit, kinds of numbers included; samples may have had fewer bits."""
    arrays = [(one.curves, other.curves), (one.samples, other.samples)]
    return (
        [(name, repr(value)) for name, value in one.values.items()]
        == [(name, repr(value)) for name, value in other.values.items()]
        and all(list(first) == list(second) for first, second in arrays)
        and all(
            first[name].dtype.kind == second[name].dtype.kind
            and np.array_equal(first[name], second[name], equal_nan=name in one.curves)
            for first, second in arrays
            for name in first
        )
        and one.events == other.events
        and one.withheld == other.withheld
    )


def test_what_is_written_is_read_again(tmp_path):
    """
    Values, curves and samples come back as they were, order, types, missing and empty ones included; also from a folder
    with characters that mean something to other programs.
    """
    folder = tmp_path / "it's [a] *folder?"
    Store.below(folder).write("k", {3: result(), 5: result(2.5)})
    found = Store.below(folder)

    assert found.finished("k", range(10)) == [3, 5]
    assert found.finished("other", range(10)) == []
    assert same(found.read("k", [5])[5], result(2.5))
    assert same(found.read("k", range(10))[3], result())
    assert found.notes == []


def test_files_are_plain_parquet(tmp_path):
    """
    A cell is a table that any program reads: a row a name, with a list of replications beside a list of numbers.
    """
    Store.below(tmp_path).write("k", {3: result(), 5: result(2.5)})
    cells = duckdb.read_parquet(f"{tmp_path}/cells/*.parquet")
    rows = {(kind, name): (replications, numbers) for kind, name, replications, numbers in cells.fetchall()}
    long = cells.filter("name = 'f.dwell'").select("unnest(replications), unnest(numbers)").fetchall()

    assert rows["value", "Z.x.mean"] == ([3, 5], [1.5, 2.5])
    assert all(math.isnan(number) for number in rows["value", "Z.none"][1])
    assert rows["curve", "Z.never"] == ([], [])
    assert long == [(3, 5.0), (3, 3.0), (5, 5.0), (5, 3.0)]


def test_a_real_run_is_stored_bit_by_bit(tmp_path):
    """
    The results of a run that went through the store are those of the same run without one.
    """
    store = Store.below(tmp_path)
    plan = plan_of(TEXT)
    plain = run_arms({"R1": plan}, seed=1, replications=2, how=Execution(1))
    kept = run_arms({"R1": plan}, seed=1, replications=2, how=Execution(1), store=store)
    found = store.read(cell_key(plan, 1, 0), range(2))

    assert kept.finished == {"R1": [0, 1]} == plain.finished
    assert kept.results == {"R1": {}}
    assert all(same(found[number], plain.results["R1"][number]) for number in range(2))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda data: data[:-200], "cannot be read"),
        (lambda data: data[:0], "cannot be read"),
        (lambda data: data[:0] + b"not parquet at all, but long enough to be read", "cannot be read"),
        (lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:], "; its replications are run again"),
    ],
    ids=["cut", "empty", "foreign", "one bit"],
)
def test_a_damaged_file_is_run_again(tmp_path, harm, words):
    """
    A file that is cut, empty, foreign or has one bit changed does not count; it is noted and replaced.
    """
    Store.below(tmp_path).write("k", {0: result()})
    (path,) = (tmp_path / "cells").iterdir()
    path.write_bytes(harm(path.read_bytes()))
    store = Store.below(tmp_path)

    assert store.finished("k", [0]) == []
    assert len(store.notes) == 1
    assert words in store.notes[0]
    assert store.notes[0].endswith("; its replications are run again")
    store.write("k", {0: result()})
    assert Store.below(tmp_path).finished("k", [0]) == [0]


def test_a_file_of_another_layout_does_not_count(tmp_path, monkeypatch):
    """
    A cell that another version of zonesim has laid out otherwise is noted in words and run again.
    """
    with monkeypatch.context() as older:
        older.setattr("zonesim.experiment.store.LAYOUT", 1)
        Store.below(tmp_path).write("k", {0: result()})
    store = Store.below(tmp_path)

    assert store.finished("k", [0]) == []
    assert store.notes[0].endswith("was written by another version of zonesim; its replications are run again")


def test_numbers_are_read_without_the_arrays(tmp_path):
    """
    Who asks for values gets them, with what is withheld, and no curves and samples.
    """
    Store.below(tmp_path).write("k", {0: result()})
    found = Store.below(tmp_path).read("k", [0], values_only=True)[0]

    assert (repr(found.values), found.withheld, found.events) == (repr(result().values), result().withheld, 77)
    assert not found.curves
    assert not found.samples


def test_single_durations_are_kept_of_dwell_only(tmp_path):
    """
    Of the durations of single tokens the store keeps those that a figure shows: dwell, of who has left or has not.
    """
    single = {name: np.array([1]) for name in ("f.dwell", "f.dwell_open", "Z.lanes.pass", "Z.lanes.pass_open")}
    store = Store.below(tmp_path)
    store.write("k", {0: dataclasses.replace(result(), samples=single)})

    assert list(store.read("k", [0])[0].samples) == ["f.dwell", "f.dwell_open"]


def test_a_file_under_a_foreign_name_does_not_count(tmp_path):
    """
    A cell that was renamed is not taken for the cell of another plan.
    """
    Store.below(tmp_path).write("k", {0: result()})
    (path,) = (tmp_path / "cells").iterdir()
    path.rename(path.with_name(path.name.replace("k-", "other-")))
    store = Store.below(tmp_path)

    assert store.finished("other", [0]) == []
    assert store.notes[0].endswith("is not a cell of this plan; its replications are run again")


def test_half_written_files_are_cleared_away(tmp_path):
    """
    What a killed process left under a temporary name is removed; what a living one is writing stays.
    """
    cells = tmp_path / "cells"
    cells.mkdir()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (cells / f"k-000000-000001.{ended.pid}.part").write_bytes(b"half")
    (cells / f"k-000002-000003.{os.getpid()}.part").write_bytes(b"half")
    Store.below(tmp_path)

    assert [path.name for path in cells.iterdir()] == [f"k-000002-000003.{os.getpid()}.part"]


def test_a_folder_that_cannot_be_made_is_a_fault(tmp_path):
    """
    Where no folder can be made, the fault names it and the option.
    """
    (tmp_path / "cells").write_text("a file", encoding="utf-8")
    with pytest.raises(ScenarioFault) as found:
        Store.below(tmp_path)

    assert (
        str(found.value) == f"{tmp_path}/cells: cannot write there: File exists\n    Choose another folder with --out."
    )


def test_only_what_is_missing_is_run(tmp_path, monkeypatch):
    """
    A second run of the same plan runs nothing; with more replications it runs only the new ones; with another seed or
    another plan it runs all.
    """
    ran = []
    real = module.run_cell
    monkeypatch.setattr(module, "run_cell", lambda job, number: (ran.append(number), real(job, number))[1])

    def go(plan, replications, seed=1):
        ran.clear()
        run_arms({"R1": plan}, seed=seed, replications=replications, how=Execution(1), store=Store.below(tmp_path))
        return sorted(ran)

    plan = plan_of(TEXT)
    assert go(plan, 3) == [0, 1, 2]
    assert go(plan, 3) == []
    assert go(plan, 5) == [3, 4]
    assert go(plan, 2) == []
    assert go(plan, 2, seed=2) == [0, 1]
    assert go(plan_of(TEXT, "flows.f.work.take=4 min"), 1) == [0]


def test_names_belong_to_the_key():
    """
    Two plans with equal arrays whose resources are called otherwise have KPIs of other names, so other cells; a label
    changes nothing.
    """
    one, other = plan_of(TEXT), plan_of(TEXT)
    resources = tuple(dataclasses.replace(each, zone="Y") for each in other.names.resources)
    labelled = tuple(dataclasses.replace(each, label={"en": "Desk"}) for each in other.names.resources)

    def key(rows):
        return cell_key(dataclasses.replace(other, names=dataclasses.replace(other.names, resources=rows)), 1, 0)

    assert one.identity == other.identity
    grouped = dataclasses.replace(one, names=dataclasses.replace(one.names, source_groups=("g",)))

    assert key(resources) != cell_key(one, 1, 0) == key(labelled)
    assert cell_key(grouped, 1, 0) != cell_key(one, 1, 0)


def test_a_failing_replication_does_not_take_its_neighbours_along(tmp_path, monkeypatch):
    """
    In a cell of three replications one fails: the other two are stored, and a second run runs only the failed one.
    """
    real = module.run_cell

    def fail(job, number):
        if number == 1:
            raise TypeError("no such thing")
        return real(job, number)

    monkeypatch.setattr(module, "run_cell", fail)
    plan = plan_of(TEXT)
    runs = run_arms({"R1": plan}, seed=1, replications=3, how=Execution(1), block=3, store=Store.below(tmp_path))
    monkeypatch.setattr(module, "run_cell", real)
    again = run_arms({"R1": plan}, seed=1, replications=3, how=Execution(1), store=Store.below(tmp_path))

    assert runs.finished == {"R1": [0, 2]}
    assert [failure.replication for failure in runs.failures["R1"]] == [1]
    assert again.finished == {"R1": [0, 1, 2]}


def test_an_interrupt_keeps_what_the_cell_had_finished(tmp_path, monkeypatch):
    """
    Ctrl-C in the middle of a cell keeps its finished replications.
    """
    real = module.run_cell

    def stop(job, number):
        if number == 2:
            raise KeyboardInterrupt
        return real(job, number)

    monkeypatch.setattr(module, "run_cell", stop)
    runs = run_arms(
        {"R1": plan_of(TEXT)}, seed=1, replications=4, how=Execution(1), block=4, store=Store.below(tmp_path)
    )

    assert runs.interrupted
    assert runs.finished == {"R1": [0, 1]}


def test_a_cell_that_cannot_be_stored_is_a_failure(tmp_path, monkeypatch):
    """
    A cell that cannot be stored is a failure that says so; the others go on.
    """
    real = Store.write

    def broken(self, key, results):
        if 0 in results:
            raise OSError(5, "Input/output error")
        real(self, key, results)

    monkeypatch.setattr(Store, "write", broken)
    runs = run_arms(
        {"R1": plan_of(TEXT)}, seed=1, replications=2, how=Execution(1), block=1, store=Store.below(tmp_path)
    )

    assert runs.finished == {"R1": [1]}
    assert runs.failures["R1"][0].message == "cannot be stored: [Errno 5] Input/output error"


# --- killed


SCENARIO = """zonesim: 1
kind: scenario
name: desk
clock: {warm_up: 1 d, measure: 30 d}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: {exponential: {mean: 5 min}}}}}}
traffic: {a: {flow: f, rate: 10 /h}}
"""
EXPERIMENT = """zonesim: 1
kind: experiment
name: killed
scenario: desk.yaml
arms: {R1: [], two: {set: {zones.Z.desk.units: 2}}}
replications: 4
kpis: [f.stay.mean, Z.desk.utilisation]
"""


def sweep(folder):
    """Start a sweep as a user would, in a session of its own."""
    words = [sys.executable, "-m", "zonesim", "sweep", "e.yaml", "--workers", "2", "--out", "out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def children(parent):
    """Return the processes that a process has started and that run simulations."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent and b"spawn_main" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def wait_for_cells(folder, process, number):
    """Wait until so many cells are finished; the process must not end before."""
    cells = folder / "out" / ".cells"
    for _ in range(600):
        if len(list(cells.glob("*.parquet"))) >= number:
            return {path.name: path.stat().st_mtime_ns for path in cells.glob("*.parquet")}
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("no cell in time")


@pytest.mark.slow
@pytest.mark.parametrize("how", ["interrupt", "kill the parent", "kill a worker"])
def test_nothing_finished_is_lost(tmp_path, how):
    """
    Whatever ends a sweep, the same command goes on: finished cells stay as they are, and the numbers are those of a
    sweep that nobody disturbed. An interrupt ends with code 130 within a second or so and says how to go on.
    """
    (tmp_path / "desk.yaml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "e.yaml").write_text(EXPERIMENT, encoding="utf-8")
    process = sweep(tmp_path)
    before = wait_for_cells(tmp_path, process, 2)
    if how == "interrupt":
        started = time.perf_counter()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert time.perf_counter() - started < 3  # one second on a machine with nothing else to do
        assert process.returncode == 130
        # On a busy machine there may be no time left to count them.
        told = (
            r"stopped; (\d of 8 runs are|what was finished is) kept in out/\.cells: run the same command again to go on"
        )
        assert re.fullmatch(told, errors.splitlines()[0])
    elif how == "kill the parent":
        process.kill()
        process.communicate(timeout=20)
        assert gone(process.pid)
    else:
        workers = children(process.pid)
        os.kill(workers[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    again = sweep(tmp_path)
    _, errors = again.communicate(timeout=60)
    cells = tmp_path / "out" / ".cells"

    assert (again.returncode, errors) == (0, "")
    assert before.items() <= {path.name: path.stat().st_mtime_ns for path in cells.iterdir()}.items()
    found = load_results(tmp_path / "out" / "killed")
    design = read_design(tmp_path / "e.yaml", ())
    calm = run_arms(design.plans(), seed=1, replications=4, how=Execution(1))
    for (arm, future), results in calm.results.items():
        for kpi in found.kpis:
            expected = np.array([run.values[kpi] for run in results.values()])
            assert np.array_equal(found.column(arm, future, kpi), expected, equal_nan=True)
    assert json.loads((tmp_path / "out" / "killed" / "study.json").read_text(encoding="utf-8"))["failures"] == []
