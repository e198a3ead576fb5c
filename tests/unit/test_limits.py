"""Where a run ends that would not end well: memory, time by the clock on the wall, an interrupt; and which engine runs."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helper import ROOT, RowLog, plan_of, plan_of_file
from zonesim import cli, limits
from zonesim.compiled import jit
from zonesim.engine import ENGINES, compiled_engine, engine_for, recursion
from zonesim.experiment import Execution, run_arms
from zonesim.experiment import runner as module
from zonesim.experiment.execution import no_longer_than
from zonesim.faults import RunFault, UnknownName

DESK = """
clock: {measure: 400 d}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: {exponential: {mean: 30 s}}}}}}
traffic: {a: {flow: f, rate: 1 /min}}
"""


def test_a_plan_that_does_not_fit_is_refused_with_the_estimate(monkeypatch):
    """
    Before anything runs: how much a replication needs, and how much there is for each worker.
    """
    monkeypatch.setattr(module, "free_memory", lambda: 20_000_000)
    with pytest.raises(RunFault) as found:
        run_arms({"R1": plan_of(DESK)}, seed=1, replications=2, how=Execution(2))

    assert (
        str(found.value)
        == """\
a replication has about 5.8e+05 tokens and needs about 0.022 GB of memory; 0.01 GB are free for it.
    Measure a shorter time, or use fewer --workers."""
    )


@pytest.mark.parametrize("module", [compiled_engine, recursion])
def test_a_queue_that_grows_beyond_memory_ends_the_run(module, monkeypatch):
    """
    The engine asks before it makes room for more tokens, and says how many are inside.
    """
    monkeypatch.setattr(module, "free_memory", lambda: 1_000_000)
    with pytest.raises(RunFault) as found:
        module.simulate(plan_of(DESK, "flows.f.work.take=3 min"), 1, 0, RowLog())

    assert " tokens are inside at " in str(found.value)
    assert ", and room for more would take 0.00" in str(found.value)
    assert """ GB, more than there is.
    Look for a queue that grows without end, for tokens that start more than one each, or simulate less at once.""" in str(
        found.value
    )


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer")
def test_a_replication_that_takes_too_long_fails_and_the_others_go_on(monkeypatch):
    """
    A limit in wall time stops the replication that runs, with what to do; the next one has its time again.
    """
    real = module.run_cell

    def slow_first(job, replication):
        if replication == 0:
            time.sleep(5)
        return real(job, replication)

    monkeypatch.setattr(module, "run_cell", slow_first)
    short = plan_of(DESK, "clock.measure=1 h")
    runs = run_arms({"R1": short}, seed=1, replications=2, how=Execution(1, "simpy", 2.0))
    (failure,) = runs.failures["R1"]

    assert sorted(runs.results["R1"]) == [1]
    assert (
        failure.message
        == """\
a replication takes longer than 2 s and was stopped.
    Give it more with --time-limit, or a shorter clock."""
    )
    with no_longer_than(None):
        pass


def test_an_unknown_engine_is_refused():
    """
    Engines are chosen by name.
    """
    with pytest.raises(UnknownName, match="no engine 'compield'"):
        Execution(1, "compield")


def test_auto_takes_the_fast_engine():
    """
    `auto` is the recursion for a single queue and else the compiled engine, any other name is that engine.
    """
    plan, network = plan_of(DESK, "clock.measure=1 h"), plan_of_file(ROOT / "scenarios" / "typical_zone.yaml")

    assert (engine_for(plan), engine_for(network)) == ("recursion", "compiled")
    assert [engine_for(plan, name) for name in sorted(ENGINES)] == sorted(ENGINES)


INTERRUPTED = """
import os, signal, time
from threading import Timer
from tests.helper import RowLog
from tests.unit.test_limits import DESK, plan_of
from zonesim.engine import simulate

signal.signal(signal.SIGINT, signal.default_int_handler)
sink, sent = RowLog(), []
simulate(plan_of(DESK, "clock.measure=1 h"), 1, 0, RowLog(), {name!r})
plan = plan_of(DESK, "clock.measure=20000 d", "traffic.a.rate=100 /min", "flows.f.work.take=0.1 s")

def send():
    sent.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)

Timer(0.3, send).start()
try:
    simulate(plan, 1, 0, sink, {name!r})
except KeyboardInterrupt:
    print(time.perf_counter() - sent[0], all((block.visits["ended"] >= block.visits["queued"]).all() for block in sink.blocks))
"""


@pytest.mark.parametrize("name", ["compiled", "recursion", "simpy"])
def test_an_interrupt_is_answered_within_a_second(name):
    """
    Ctrl-C in the middle of a long run of any engine; the sink has only had whole blocks.
    """
    code = INTERRUPTED.format(name=name)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True, timeout=100
    )
    seconds, whole = done.stdout.split()

    assert float(seconds) < 1
    assert whole == "True"


def _home(module: str, name: str) -> tuple[str, str]:
    """Return the module in which a name of a room's face is defined, and its name there."""
    path = ROOT / (module.replace(".", "/") + "/__init__.py")
    if path.exists():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and name in [each.name for each in node.names]:
                return _home(node.module, name)
        if (path.parent / f"{name}.py").exists():
            return f"{module}.{name}", ""
    return module, name


def _imported(path: Path) -> set[Path]:
    """Return the files from which a file takes names, through the faces of rooms to where they are defined."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module.startswith("zonesim")]
    homes = {_home(node.module, each.name)[0] for node in imports for each in node.names}
    files = {ROOT / (home.replace(".", "/") + ".py") for home in homes}
    return {file if file.exists() else file.with_suffix("") / "__init__.py" for file in files}


def test_the_fingerprint_of_compiled_code_covers_all_that_can_be_in_it():
    """
    Every module with a kernel and all that it imports of zonesim's, directly or not, is among the sources that name the
    folder of compiled code.
    """
    modules = (ROOT / "zonesim").rglob("*.py")
    waiting = [path for path in modules if re.search(r"^@(kernel|inlined)$", path.read_text("utf-8"), re.MULTILINE)]
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += _imported(path)
    loaded = {path.relative_to(ROOT / "zonesim").as_posix() for path in seen}

    assert {"engine/kernel/loop.py", "kpi/folding.py", "plan/operations.py"} <= loaded
    assert loaded <= set(jit.SOURCES)
    assert all((ROOT / "zonesim" / source).exists() for source in jit.SOURCES)


def test_where_compiled_code_is_kept(tmp_path):
    """
    The folder that is asked for holds one for this version of the sources; another version would have another.
    """
    code = "from zonesim.compiled import jit; print(jit.CACHE)"
    asked = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True, env=asked)

    assert done.stdout.strip() == str(tmp_path / f"kernels-{jit.fingerprint()}")


def test_what_needs_more_memory_than_there_is_ends_in_words(monkeypatch, capsys):
    """
    Memory that is not there ends a command with code 3 and what to do, and a replication without the others.
    """

    def greedy(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(cli, "app", greedy)
    monkeypatch.setattr(sys, "argv", ["zonesim", "trace"])
    with pytest.raises(SystemExit) as found:
        cli._run()

    words = (
        "there is not enough memory for this\n    Simulate a shorter time or less traffic. What was finished is kept."
    )
    assert found.value.code == 3
    assert capsys.readouterr().err == words + "\n"

    monkeypatch.setattr(module, "run_cell", greedy)
    job = module.Job(plan_of(DESK), 0, 1)
    outcome = module._attempt(job, module.Cell("key", (0, 1)))

    assert [(each.message, each.exit_code) for each in outcome.failures] == [(words, 3)] * 2


@pytest.mark.parametrize(
    ("files", "free"),
    [
        (
            {"memory.max": "1000000", "memory.current": "400000", "memory.stat": "anon 300000\ninactive_file 100000\n"},
            700_000,
        ),
        ({"memory.max": "1000", "memory.current": "4000", "memory.stat": "inactive_file 0\n"}, 0),
        (
            {
                "memory/memory.limit_in_bytes": "1000000",
                "memory/memory.usage_in_bytes": "400000",
                "memory/memory.stat": "inactive_file 7\ntotal_inactive_file 50000\n",
            },
            650_000,
        ),
    ],
    ids=["version 2", "more than there is", "version 1"],
)
def test_a_container_has_its_limit(monkeypatch, tmp_path, files, free):
    """
    What may be used is what the container's limit leaves, where that is less than what the machine has.
    """
    (tmp_path / "memory").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="ascii")
    monkeypatch.setattr(limits, "CONTROL_GROUPS", tmp_path)

    assert limits.free_memory() == free


def test_without_a_container_the_machine_counts(monkeypatch, tmp_path):
    """
    A limit of `max`, or none at all, leaves what the machine has.
    """
    monkeypatch.setattr(limits, "CONTROL_GROUPS", tmp_path)
    plain = limits.free_memory()
    (tmp_path / "memory.max").write_text("max\n", encoding="ascii")

    assert plain > 1_000_000
    assert limits.free_memory() > 1_000_000
