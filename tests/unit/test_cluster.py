"""Cells on the workers of a Dask cluster: the same numbers as elsewhere, whatever dies; only whole files count."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from tests.helper import HEAD, ROOT, add_measure, plan_of
from tests.unit.test_experiment_workers import TEXT
from tests.unit.test_shards import SCENARIO
from zonesim import cli
from zonesim.experiment import Execution, Store, run_arms
from zonesim.experiment import cluster as cluster_module
from zonesim.experiment import runner as module
from zonesim.experiment.cluster import Lost, connected
from zonesim.experiment.execution import no_longer_than
from zonesim.experiment.runner import Cell, Outcome
from zonesim.faults import DiskFull, RunFault, ScenarioFault
from zonesim.kpi import table_version
from zonesim.plan import MEANING

EXPERIMENT = """\
zonesim: 1
kind: experiment
name: desks
scenario: desk.yaml
arms: {one: [], two: {set: {zones.Z.desk.units: 2}}}
futures: {grid: {traffic.a.rate: {scale: [1, 1.1, 1.2, 1.3]}}}
replications: 300
kpis: [f.dwell.mean, Z.desk.utilisation]
"""


# --- what the runner does with answers


class Pretended:
    """A cluster that answers what a test tells it to."""

    def __init__(self, monkeypatch, answer):
        self.answer, self.asked = answer, []

        @contextmanager
        def connected(scheduler, workers):
            yield self

        monkeypatch.setattr(module, "connected", connected)
        monkeypatch.setattr(module, "spread", self.spread)

    def spread(self, _client, waiting: deque, call, is_done, _watch):
        """Answer one task after the other."""
        while waiting:
            cell = waiting.popleft()
            self.asked.append(cell.replications)
            answer = self.answer(call(cell))
            yield cell, None if isinstance(answer, Outcome) and is_done(cell) else answer


def ran(tmp_path, replications: int = 4, block: int | None = 2):
    """Run a plan on the pretended cluster and return what became of it."""
    how = Execution(2, scheduler="tcp://nowhere:8786")
    store = Store.below(tmp_path)
    return run_arms({"R1": plan_of(TEXT)}, seed=1, replications=replications, how=how, store=store, block=block)


def test_what_is_lost_is_run_again_alone(tmp_path, monkeypatch):
    """
    A block that is lost with its workers is run again replication by replication; nothing is missing then.
    """
    pretended = Pretended(
        monkeypatch,
        lambda call: Lost("KilledWorker") if call[2].replications == (0, 1) else call[0](*call[1:]),
    )
    runs = ran(tmp_path)

    assert runs.complete() == [0, 1, 2, 3]
    assert not runs.failures["R1"]
    assert pretended.asked == [(0, 1), (2, 3), (0,), (1,)]


def test_a_replication_whose_workers_always_die_is_a_failure(tmp_path, monkeypatch):
    """
    Alone it has another chance, and no more; the others are not lost with it.
    """
    pretended = Pretended(monkeypatch, lambda call: Lost("x") if 1 in call[2].replications else call[0](*call[1:]))
    runs = ran(tmp_path)

    assert runs.complete() == [0, 2, 3]
    assert [failure.message for failure in runs.failures["R1"]] == ["the workers that ran it died (out of memory?)"]
    assert pretended.asked.count((1,)) == 2


def test_only_whole_files_count(tmp_path, monkeypatch):
    """
    A worker that says that it is done, and whose file is damaged, is not believed: it is run again.
    """

    def spoilt(call):
        answer = call[0](*call[1:])
        if call[2].replications == (2, 3):
            (path,) = (tmp_path / "cells").glob("*-000002-000003.parquet")
            path.write_bytes(path.read_bytes()[:-300])
        return answer

    Pretended(monkeypatch, spoilt)
    runs = ran(tmp_path)

    assert runs.complete() == [0, 1, 2, 3]
    assert not runs.failures["R1"]


def test_workers_that_see_another_folder_are_told(tmp_path, monkeypatch):
    """
    The first cell that is said to be finished and is not there ends the run: nothing would ever be.
    """
    Pretended(monkeypatch, lambda call: Outcome(call[2].replications))
    with pytest.raises(ScenarioFault) as found:
        ran(tmp_path)

    assert str(found.value) == (
        f"--scheduler: a worker has finished a cell, and there is no file of it in {tmp_path / 'cells'}\n"
        "    Name a folder with --out that all workers see by the same path."
    )


def test_faults_of_a_worker(tmp_path, monkeypatch):
    """
    A full disk ends the run, an unexpected error is a failure of its replications, and the others go on.
    """
    Pretended(monkeypatch, lambda _: DiskFull("x.parquet"))
    with pytest.raises(DiskFull):
        ran(tmp_path)
    Pretended(monkeypatch, lambda call: KeyError("zonesim") if call[2].replications == (0, 1) else call[0](*call[1:]))
    runs = ran(tmp_path)

    assert runs.complete() == [2, 3]
    assert [failure.message for failure in runs.failures["R1"]] == ["unexpected KeyError on a worker: 'zonesim'"] * 2


def test_another_version_on_a_worker_is_refused(monkeypatch):
    """
    A worker whose numbers mean something else runs nothing.
    """
    job = module.Job(plan_of(TEXT), 0, 1)
    assert module._on_cluster(job, Cell("k", (0,)), (MEANING, table_version())).finished == (0,)
    with pytest.raises(ScenarioFault, match="has another version of zonesim, whose numbers mean something else"):
        module._on_cluster(job, Cell("k", (0,)), (MEANING + 1, table_version()))


# --- what is asked for


@pytest.mark.parametrize("address", ["foo", "10.0.0.5:8786", "tcp://10.0.0.5", "http://10.0.0.5:8786"])
def test_what_is_no_address(address):
    """
    An address has a protocol and a port.
    """
    with pytest.raises(ScenarioFault) as found:
        Execution(1, scheduler=address)

    assert str(found.value) == (
        f"--scheduler: '{address}' is no address of a scheduler\n    Write local, or e.g. tcp://10.0.0.5:8786."
    )


def test_without_the_package_a_line_says_how_to_get_it(monkeypatch):
    """
    dask.distributed is an extra.
    """
    monkeypatch.setattr(cluster_module, "find_spec", lambda _: None)
    with pytest.raises(ScenarioFault) as found, connected("dask", 2):
        pass

    assert str(found.value) == (
        "--dask: a cluster takes the package 'distributed', which is not installed\n"
        "    Install it with: pip install 'zonesim[dask]'."
    )


def test_a_cluster_of_ones_own_or_another(tmp_path):
    """
    --dask starts a cluster, so it does not go with the address of one.
    """
    done = CliRunner().invoke(cli.app, ["sweep", "e.yaml", "--dask", "--scheduler", "tcp://a:1"])

    assert done.exit_code == 2
    assert "--dask" in done.output


ALIKE = {
    "attribute": ("desk.yaml", "--measures", "96,97", "--kpis", "f.stay.mean", "--replications", "3"),
    "compare": ("desk.yaml", "--measures", "96", "--replications", "3", "--no-parts", "--no-doubts", "--no-figures"),
    "sensitivity": ("desk.yaml", "--arm", "96", "--of", "f.stay.mean", "--replications", "2", "--no-figures"),
    "best": ("desks.yaml", "--goal", "smallest f.stay.mean", "--indifference", "30 s", "--no-figures"),
    "robust": ("grid.yaml", "--goal", "smallest f.stay.mean", "--no-figures"),
}
"""Commands that run on a cluster, beside `sweep`, each with what it is asked."""

DESK = """\
clock: {warm_up: 1 h, measure: 40 h, cool_down: 10 h}
zones: {Z: {desk: {units: 2}}}
flows: {f: {source: assumed, steps: {read: {take: 10 min}, serve: {hold: {d: Z.desk}, take: {exponential: {mean: 9 min}}}}}}
traffic: {t: {flow: f, rate: 9 /h}}
"""


def practice(number, edit):
    """Return a measure that makes a step shorter."""
    return (
        f"name: m{number}\nannex: {number}\nparams: {{coverage: {{default: 50 %, low: 20 %, high: 80 %, source: {{kind: assumed, title: a guess}}}}}}\n"
        f"practices: {{one: {{label: {{en: One, zh: 一}}, adoption: {{share: $coverage, of: token}}, edits: [{edit}]}}}}\n"
    )


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Write a small scenario and experiments of it, and go there; note by what means runs are done."""
    monkeypatch.chdir(tmp_path)
    add_measure(monkeypatch, practice(96, "{set: flows.f.read.take, to: 6 min}"))
    add_measure(monkeypatch, practice(97, "{scale: flows.f.serve.take, by: 0.9}"))
    (tmp_path / "desk.yaml").write_text(HEAD.replace("timeline", "desk") + DESK, encoding="utf-8")
    head = "zonesim: 1\nkind: experiment\nname: {}\nscenario: desk.yaml\nreplications: 3\nkpis: [f.stay.mean]\n"
    arms = "arms: {two: [], three: {set: {zones.Z.desk.units: 3}}}\n"
    (tmp_path / "desks.yaml").write_text(head.format("desks") + arms, encoding="utf-8")
    grid = "futures: {grid: {traffic.t.rate: {scale: [0.5, 1]}}}\n"
    (tmp_path / "grid.yaml").write_text(head.format("grid") + arms + grid, encoding="utf-8")
    schedulers = []
    real = module._everywhere

    def watched(jobs, cells, how, store):
        schedulers.append(how.scheduler)
        return real(jobs, cells, replace(how, scheduler="local"), store)

    monkeypatch.setattr(module, "_everywhere", watched)
    monkeypatch.setattr("zonesim.jobs.trials.WORTHWHILE", 0.0)
    return schedulers


@pytest.mark.parametrize("command", ALIKE)
def test_other_commands_run_on_a_cluster_too(asked, command):
    """
    With --scheduler, or --dask, every cell goes to the cluster, which has the folder of all finished runs, and the tables are the same
    to the byte.
    """
    for options, folder in ((), "here"), (("--scheduler", "tcp://a:1"), "there"), (("--dask",), "own"):
        words = [command, *ALIKE[command], "--workers", "1", "--out", folder, *options]
        done = CliRunner().invoke(cli.app, words, prog_name="zonesim")
        assert done.exit_code == 0, done.output
        means = {"here": "local", "there": "tcp://a:1", "own": "dask"}[folder]
        assert set(asked) == {means}
        asked.clear()
    tables = [path.relative_to("here") for path in Path("here").rglob("*.csv")]

    assert tables
    for path in tables:
        assert (Path("there") / path).read_bytes() == (Path("here") / path).read_bytes()
        assert (Path("own") / path).read_bytes() == (Path("here") / path).read_bytes()


def test_a_round_of_a_moment_needs_no_cluster(asked, monkeypatch):
    """A search that asks for a few runs at a time does not wait for a cluster to start for each of them."""
    monkeypatch.setattr("zonesim.jobs.trials.WORTHWHILE", 3.0)
    done = CliRunner().invoke(cli.app, ["best", *ALIKE["best"], "--workers", "1", "--dask"], prog_name="zonesim")

    assert done.exit_code == 0, done.output
    assert set(asked) == {"local"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_nobody_answers(monkeypatch):
    """
    After some seconds without an answer a fault says how to start a scheduler.
    """
    monkeypatch.setattr(cluster_module, "_CONNECT", 1.0)
    with (
        pytest.raises(ScenarioFault, match="no scheduler answers at tcp://127.0.0.1:9: ") as found,
        connected("tcp://127.0.0.1:9", 1),
    ):
        pass

    assert "Start one with `dask scheduler`, and workers" in str(found.value)


def test_a_limit_holds_in_threads():
    """
    Workers run cells in other threads, which no signal reaches: the limit stops these too, and nothing is left of it afterwards.
    """
    import threading

    found: list[str] = []

    def work() -> None:
        try:
            with no_longer_than(0.1):
                while True:
                    pass
        except RunFault as fault:
            found.append(str(fault))
        with no_longer_than(5):
            found.append("in time")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)

    assert found == [
        "a replication takes longer than 0.1 s and was stopped.\n    Give it more with --time-limit, or a shorter clock.",
        "in time",
    ]


# --- on a cluster


@pytest.fixture
def desks(tmp_path):
    """Return a folder with the experiment, of 2,400 short runs."""
    (tmp_path / "zonesim.toml").write_text("", encoding="utf-8")
    (tmp_path / "desk.yaml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "desks.yaml").write_text(EXPERIMENT, encoding="utf-8")
    return tmp_path


def started(desks, out: str, *options: str) -> subprocess.Popen:
    """Start a sweep."""
    words = [sys.executable, "-m", "zonesim", "sweep", "desks.yaml", "--out", out, "--by-replication", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        words,
        cwd=desks,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def swept(desks, out: str, *options: str) -> dict[str, bytes]:
    """Sweep to the end and return the tables."""
    process = started(desks, out, *options)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0, told
    return tables(desks / out)


def tables(out: Path) -> dict[str, bytes]:
    """Return the tables of the experiment in a folder."""
    return {name: (out / "desks" / name).read_bytes() for name in ("results.csv", "replications.csv")}


def cells(desks, out: str) -> list[Path]:
    """Return the files of cells that are there."""
    return sorted((desks / out / ".cells").glob("*.parquet"))


def wait_for(what, seconds: float = 120.0):
    """Wait until something is so, and return it."""
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)
    return found


def gone(process: int) -> bool:
    """Return whether a process ends within some seconds."""
    psutil = import_module("psutil")
    try:
        psutil.Process(process).wait(10)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def workers_of(process: int) -> list[int]:
    """Return the processes that a process has started to work for it."""
    psutil = import_module("psutil")
    try:
        children = psutil.Process(process).children(recursive=True)
        return [each.pid for each in children if "spawn_main" in " ".join(each.cmdline())]
    except psutil.NoSuchProcess:
        return []


@pytest.mark.slow
@pytest.mark.parametrize("how", [("--dask",), ()], ids=["dask", "processes"])
def test_the_result_is_the_same_whatever_dies(desks, how):
    """
    A worker is killed, then the parent, then a cell is cut off and another is made of rubbish: the same command goes on, and the tables are
    those of an undisturbed run in one process, to the byte. No process is left behind.
    """
    expected = swept(desks, "undisturbed", "--workers", "1")
    process = started(desks, "out", "--workers", "2", *how)
    wait_for(lambda: cells(desks, "out"))
    first = wait_for(lambda: workers_of(process.pid))
    os.kill(first[0], signal.SIGKILL)
    before = len(cells(desks, "out"))
    wait_for(lambda: len(cells(desks, "out")) > before or process.poll() is not None)
    assert process.poll() is None, "the sweep was over before it was killed: give it more to do"
    left = workers_of(process.pid)
    process.kill()
    process.communicate()
    assert all(gone(worker) for worker in left)
    there = cells(desks, "out")
    there[0].write_bytes(there[0].read_bytes()[:-100])
    there[-1].write_bytes(b"rubbish")

    assert len(there) > 0
    assert not (desks / "out" / "desks").exists()
    assert swept(desks, "out", "--workers", "2", *how) == expected


@pytest.mark.slow
def test_a_full_disk_ends_the_run_and_loses_nothing(desks, monkeypatch):
    """
    The third cell finds no room: the run ends with what to do, and the same command goes on where it was when there is room.
    """
    expected = swept(desks, "undisturbed", "--workers", "1")
    real, written = Store.write, []

    def write(self, key, results):
        if len(written) == 2:
            raise DiskFull(self.folder / key)
        written.append(key)
        real(self, key, results)

    run = ["sweep", str(desks / "desks.yaml"), "--out", str(desks / "out"), "--workers", "1", "--by-replication"]
    with monkeypatch.context() as patched:
        patched.setattr(Store, "write", write)
        done = CliRunner().invoke(cli.app, run)

    assert isinstance(done.exception, DiskFull)
    assert "Make room and run the same command again" in str(done.exception)
    assert len(cells(desks, "out")) == 2
    assert swept(desks, "out", "--workers", "1") == expected


@pytest.mark.slow
def test_an_interrupt_on_a_cluster_keeps_what_is_finished(desks):
    """
    Ctrl-C, which a terminal sends to the workers too, ends the command soon, with one line that says what is kept, and no worker stays.
    """
    process = started(desks, "out", "--workers", "2", "--dask")
    wait_for(lambda: cells(desks, "out"))
    left = wait_for(lambda: workers_of(process.pid))
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=15)

    assert process.returncode == 130
    assert told.splitlines() == [
        "stopped; what was finished is kept in out/.cells: run the same command again to go on"
    ]
    assert all(gone(worker) for worker in left)
    assert cells(desks, "out")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_workers_of_a_cluster_that_is_there_may_all_die(desks, tmp_path):
    """
    A cluster elsewhere loses all its workers at once and gets others: the tables are those of a run in one process.
    """
    distributed = import_module("distributed")
    expected = swept(desks, "undisturbed", "--workers", "1")
    options = {
        "n_workers": 2,
        "threads_per_worker": 2,
        "dashboard_address": None,
        "memory_limit": None,
        "silence_logs": 60,
    }
    with distributed.LocalCluster(**options) as cluster:
        process = started(desks, "out", "--scheduler", cluster.scheduler_address)
        wait_for(lambda: cells(desks, "out"))
        for nanny in list(cluster.workers.values()):
            os.kill(nanny.pid, signal.SIGKILL)
        _, told = process.communicate(timeout=300)

    assert process.returncode == 0, told
    assert tables(desks / "out") == expected


def test_a_scheduler_that_is_gone_is_told():
    """
    Where the scheduler answers no more the run ends with what to do, and what is finished stays.
    """
    gone = SimpleNamespace(status="closed", scheduler=SimpleNamespace(address="tcp://nowhere:8786"))
    with pytest.raises(RunFault) as told:
        cluster_module._threads(gone)

    assert str(told.value).endswith(
        "the scheduler at tcp://nowhere:8786 does not answer any more.\n    What was finished is kept: start one and run the same command again."
    )
