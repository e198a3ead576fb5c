"""Ctrl-C at any moment: code 130, one line that says what is kept, at once, and never a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helper import ROOT

TYPICAL = str(ROOT / "scenarios" / "typical_zone.yaml")

SLOW_TO_ANSWER = """
import signal, sys, time
from zonesim.stopping import answered, keep, patiently

def swallow(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            time.sleep(0.05)
        except BaseException:
            pass

with answered():
    keep("a test is kept")
    print("ready", flush=True)
    if sys.argv[1] == "patient":
        with patiently():
            swallow(30)
    elif sys.argv[1] == "long call":
        __import__("ctypes").CDLL(None).sleep(30)
    else:
        swallow(30)
"""


def stopped(words: list[str], *, after: float, cwd: Path) -> tuple[int, float, str]:
    """Start a process, interrupt it after some seconds, and return its code, how long it took to end, and its stderr."""
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    begin = time.monotonic()
    try:
        _, said = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, time.monotonic() - begin, said


@pytest.mark.parametrize("how", ["patient", "long call", "swallowing"])
def test_an_interrupt_that_is_swallowed_ends_the_process_all_the_same(tmp_path, how):
    """
    Whether the main thread swallows every exception or sits in a foreign function, the process ends within two seconds.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_TO_ANSWER, how],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)

    assert (process.returncode, said) == (130, "stopped; a test is kept\n")
    assert time.monotonic() - begin < (4 if how == "patient" else 2)


@pytest.mark.parametrize("after", [0.6, 1.5])
def test_a_command_is_stopped_at_once(tmp_path, after):
    """
    While modules are imported and while a run is laid out, a comparison ends with code 130 and one line.
    """
    code, took, said = stopped(["-m", "zonesim", "compare", TYPICAL], after=after, cwd=tmp_path)

    assert code == 130
    assert took < 2
    assert said.startswith("stopped; ")
    assert said.count("\n") == 1


COMMANDS = {
    "run": ["run", TYPICAL, "--replications", "2"],
    "compare": ["compare", TYPICAL, "--replications", "2"],
    "plot": ["plot", TYPICAL],
    "plan": ["plan", str(ROOT / "experiments" / "adoption_of_11.yaml")],
    "sweep": ["sweep", str(ROOT / "experiments" / "adoption_of_11.yaml"), "--replications", "1"],
    "trace": ["trace", TYPICAL],
    "verify": ["verify", "--quick"],
    "validate": ["validate", TYPICAL],
}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_stopped_at_once(tmp_path, command):
    """
    Half a second, two and five seconds after its start each command ends with code 130 and one line, if it is not done by then.
    """
    for after in (0.5, 2, 5):
        code, took, said = stopped(["-m", "zonesim", *COMMANDS[command]], after=after, cwd=tmp_path)

        assert code in {0, 130}
        assert took < 2 or code == 0
        assert "Traceback" not in said
        assert code == 0 or said.splitlines()[-1].startswith("stopped; ")


@pytest.mark.slow
def test_an_interrupt_while_the_engine_is_compiled(tmp_path):
    """
    In the middle of the compiler, which answers late and in its own way, it is the same.
    """
    for after in (6, 12):
        process = [sys.executable, "-m", "zonesim", "run", TYPICAL, "--replications", "1"]
        with subprocess.Popen(
            process,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path / f"cache{after}")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            time.sleep(after)
            begin = time.monotonic()
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=30)

        assert running.returncode == 130
        assert time.monotonic() - begin < 2
        assert said.splitlines()[-1].startswith("stopped; ")


@pytest.mark.slow
def test_twenty_interrupts_lose_nothing(tmp_path):
    """
    A comparison that is stopped at twenty moments, from its start to the last figure, ends like one that never was, and leaves
    nothing half written.
    """
    words = ["-m", "zonesim", "compare", TYPICAL, "--replications", "2", "--workers", "1"]
    begin = time.monotonic()
    subprocess.run(
        [sys.executable, *words, "--out", "whole"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    length = time.monotonic() - begin
    for moment in range(1, 21):
        code, took, said = stopped([*words, "--out", "often"], after=0.2 + length * moment / 21, cwd=tmp_path)

        assert code == 0 or (code == 130 and took < 2 and said.splitlines()[-1].startswith("stopped; ")), said
    subprocess.run(
        [sys.executable, *words, "--out", "often"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    files = {name: sorted((tmp_path / name).rglob("*.csv")) for name in ("whole", "often")}

    assert not list((tmp_path / "often").rglob("*.part"))
    assert [path.read_bytes() for path in files["whole"]] == [path.read_bytes() for path in files["often"]]
    assert files["often"]
