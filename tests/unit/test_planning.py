"""Planning in several processes: the same plans, arms, warnings and faults as in one."""

import os
import pickle
from concurrent.futures import wait
from importlib import import_module

import pytest

from zonesim.experiment import Execution, Store, load_results, planning, read_design, starting
from zonesim.experiment.planning import Planner
from zonesim.faults import Faults
from zonesim.jobs.sweep import sweep_job
from zonesim.plan import loads

DESK = """
zonesim: 1
kind: scenario
name: desk
label: {en: A desk, zh: 一个窗口}
clock: {start: "2018-09-03", warm_up: 1 d, measure: 2 d, cool_down: 1 d}
zones: {Z: {desk: {units: 2, label: {en: Desk, zh: 审单窗口}}}}
flows: {f: {steps: {serve: {hold: {d: Z.desk}, take: {exponential: {mean: 9 min}}}}}}
traffic: {goods: {flow: f, rate: 9 /h}}
"""

DESKS = """
zonesim: 1
kind: experiment
name: desks
label: {en: Desks, zh: 窗口}
scenario: desk.yaml
baseline: two
arms:
  two: []
  three: {set: {zones.Z.desk.units: 3}}
  again: []
futures: {grid: {traffic.goods.rate: [RATES]}}
replications: 2
"""


@pytest.fixture
def in_processes(monkeypatch):
    """Let every plan but the first be made in processes, one at a time, which are waited for."""
    submit = starting.Workers.submit

    def patient(self, call, *args):
        answer = submit(self, call, *args)
        if args[1:] == (range(0),):
            wait([answer])
        return answer

    monkeypatch.setattr(starting.Workers, "submit", patient)
    monkeypatch.setattr(planning, "_TRIED", 0.0)
    monkeypatch.setattr(planning, "_LONG", 0.0)
    monkeypatch.setattr(planning, "_CHUNK", 1e-9)


def written(folder, rates):
    """Write an experiment in some futures, and return its file."""
    (folder / "desk.yaml").write_text(DESK, encoding="utf-8")
    file = folder / "desks.yaml"
    file.write_text(DESKS.replace("RATES", ", ".join(rates)), encoding="utf-8")
    return file


def known(design):
    """Return all that is known of the arms of a design, by arm and future."""
    return {
        pair: (cell.key, cell.tree, cell.changes, cell.shares, cell.warnings, cell.plan.identity, cell.plan.names)
        for pair, cell in design.cells.items()
    }


def test_plans_of_two_processes_are_those_of_one(tmp_path, in_processes):
    """
    Keys, scenarios, changes, plans, KPIs and notes are the same, and arms that were planned elsewhere are made concrete
    when they are asked for.
    """
    file = written(tmp_path, ["9 /h", "10 /h", "11 /h"])
    one, two = read_design(file, []), read_design(file, [], how=Execution(2))

    assert known(one) == known(two)
    assert (one.kpis, one.reported, one.offset, one.notes()) == (two.kpis, two.reported, two.offset, two.notes())
    assert list(one.resolved) == list(two.resolved) == ["two", "three", "again"]
    assert [planning.tree_hash(arm) for arm in two.resolved.values()] == [
        planning.tree_hash(arm) for arm in one.resolved.values()
    ]
    assert [arm.arm.name for arm in two.resolved.values()] == ["two", "three", "again"]


def test_loads_are_worked_out_where_plans_are_made(tmp_path, in_processes, monkeypatch):
    """
    The loads of plans that processes have made are known here, and are those of plans made here.
    """
    module = import_module("zonesim.plan.loads")
    file = written(tmp_path, ["7 /h", "8 /h"])

    def told(design):
        return {
            pair: [(each.low, each.must, each.hourly.tolist()) for each in loads(cell.plan, design.offset)]
            for pair, cell in design.cells.items()
        }

    expected = told(read_design(file, []))
    monkeypatch.setattr(module, "_remembered", type(module._remembered)())
    design = read_design(file, [], how=Execution(2))
    loads(next(iter(design.cells.values())).plan, design.offset)  # the first one was made here
    monkeypatch.setattr(module, "_loads", lambda *_: pytest.fail("loads are worked out again"))

    assert told(design) == expected


def test_cells_are_read_once_whatever_arms_share_them(tmp_path, monkeypatch):
    """
    Arms with equal plans have the same cells: these are read once, those of all futures together.
    """
    file = written(tmp_path, ["7 /h", "8 /h"])
    sweep_job(file, [], None, None, Execution(1), tmp_path / "out")
    results = load_results(tmp_path / "out" / "desks")
    asked, read_all = [], Store.read_all
    monkeypatch.setattr(
        Store, "read_all", lambda self, wanted, **how: (asked.append(list(wanted)), read_all(self, wanted, **how))[1]
    )
    found = {pair: results.column(*pair, "f.stay.mean").tolist() for pair in results.cells}

    assert [sorted(each) for each in asked] == [sorted({cell.key for cell in results.cells.values()})]
    for (arm, future), values in found.items():
        runs = results.store.read(results.cells[arm, future].key, results.common(future))
        assert values == [run.values["f.stay.mean"] for run in runs.values()]
    first = next(iter(results.futures))
    assert found["two", first] == found["again", first] != found["three", first]


def test_faults_that_processes_meet_are_told_as_in_one(tmp_path, in_processes):
    """
    What is wrong in some futures is told once, with the same words and places.
    """
    file = written(tmp_path, ["9 /h", "1 km", "11 /h", "12 kg"])
    told = []
    for workers in (1, 2):
        with pytest.raises(Faults) as caught:
            read_design(file, [], how=Execution(workers))
        told.append(str(caught.value))

    assert told[0] == told[1]
    assert "1 km" in told[0]
    assert "12 kg" in told[0]


def test_plans_of_a_process_that_dies_are_made_here(tmp_path, in_processes, monkeypatch):
    """
    Where a process dies, its plans are made in this one.
    """
    file = written(tmp_path, ["9 /h", "10 /h"])
    expected = known(read_design(file, []))
    monkeypatch.setattr(pickle, "dumps", lambda what: _deadly(what) if isinstance(what, planning.Sketch) else b"")

    assert known(read_design(file, [], how=Execution(2))) == expected


def _deadly(sketch):
    """Return what ends the process that reads it."""
    del sketch
    return b"cos\n_exit\n(I9\ntR."


def test_processes_wait_for_more_work():
    """
    Those of a block before are given again, unless one has died, or others are asked for.
    """
    with starting.workers(2) as first:
        assert first.submit(os.getpid).result() != os.getpid()
    with starting.workers(2) as second:
        pass
    with starting.workers(1) as other:
        pass
    with starting.workers(1) as broken:
        broken.broken = True
    with starting.workers(1) as fresh:
        assert fresh.submit(os.getpid).result() != os.getpid()

    assert second is first
    assert other is broken
    assert fresh is not broken
    with pytest.raises(RuntimeError):
        first.submit(os.getpid)


def test_a_planner_counts_arms_that_differ_in_their_names_once(tmp_path):
    """
    Two of three arms have no edits: two plans in each of two futures.
    """
    design = read_design(written(tmp_path, ["9 /h", "10 /h"]), [])

    assert len(Planner(design.sketch())) == 4
    assert len(design.cells) == 6
