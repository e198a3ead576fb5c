"""`zonesim plan`: what is left, what is done, how long it takes and how much room on the disk."""

from __future__ import annotations

import json
import shutil
from time import sleep
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from tests.helper import HEAD, plan_of
from tests.unit.test_experiment_documents import design, folder
from zonesim import cli
from zonesim.experiment import estimate, rough_size
from zonesim.experiment.estimate import pilot
from zonesim.kpi import Reducer

__all__ = ["folder"]

TEXT = "arms: {three: [], four: {set: {zones.BANK.clerks.units: 4}}}\nfutures: {grid: {traffic.*.rate: {scale: [1, 1.1]}}}\nreplications: 6\n"


def asked(folder, command: str, *options: str):
    """Return what a command says of the experiment of the bank."""
    return CliRunner().invoke(
        cli.app, [command, str(folder / "e.yaml"), "--workers", "1", "--out", str(folder / "out"), *options]
    )


def test_what_is_left_and_what_is_done(folder):
    """
    Before, a part of, and after a sweep: runs and cells that are done and left, and what they take on the disk, which was estimated to half as
    much again before anything was run.
    """
    design(folder, TEXT)
    before = json.loads(asked(folder, "plan", "--json").stdout)
    assert asked(folder, "sweep", "--replications", "2").exit_code == 0
    between = json.loads(asked(folder, "plan", "--json").stdout)
    text = asked(folder, "plan").output
    assert asked(folder, "sweep").exit_code == 0
    after = json.loads(asked(folder, "plan", "--json").stdout)
    files = list((folder / "out" / ".cells").glob("*.parquet"))
    alone = json.loads(asked(folder, "plan", "--json", "--out", str(folder / "elsewhere")).stdout)

    assert (before["runs"], before["runs_done"], before["cells"], before["cells_done"], before["bytes_done"]) == (
        24,
        0,
        4,
        0,
        0,
    )
    assert (between["runs_done"], between["cells"], between["cells_done"]) == (8, 4, 4)
    assert (after["runs_done"], after["cells"], after["cells_done"], after["bytes"]) == (24, 0, 8, 0)
    assert after["bytes_done"] == sum(path.stat().st_size for path in files)
    assert 1 / 1.5 < (between["bytes"] + between["bytes_done"]) / after["bytes_done"] < 1.5
    assert alone["bytes"] == before["bytes"]
    assert "24 runs, 8 of them done (4 cells, " in text
    assert "left: 4 cells, about " in text
    assert " on the disk" in text
    assert "nothing is left to run" in asked(folder, "plan").output


def test_a_disk_that_is_too_small_is_told(folder, monkeypatch):
    """
    Where the runs take more than is free, a warning says so before anything runs.
    """
    design(folder, TEXT)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2000))
    done = asked(folder, "plan")

    assert done.exit_code == 0
    assert "warning: 2 kB are free for " in done.stderr
    assert "and the runs take more" in done.stderr


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (0, "1 kB"),
        (40_400, "40 kB"),
        (1_240_000, "1.2 MB"),
        (12_400_000, "12 MB"),
        (3.46e9, "3.5 GB"),
        (4e13, "40000 GB"),
    ],
)
def test_sizes_in_words(size, told):
    """
    Two digits are enough for what is not known exactly.
    """
    assert rough_size(size) == told


def test_what_a_plan_takes_once_is_not_counted_for_every_token(monkeypatch):
    """
    Tables that a process works out once for a plan may take far longer than a pilot run: they are told by themselves, not spread over
    its tokens, nor counted for every replication.
    """
    plan = plan_of(
        HEAD
        + "clock: {measure: 10 d}\nflows: {f: {steps: {a: {take: 1 min}}}}\ntraffic: {t: {flow: f, rate: 100 /h}}\n"
    )
    pilot(plan, 1)
    seen = set()

    def slow(short):
        if id(short) not in seen:
            seen.add(id(short))
            sleep(0.5)
        return Reducer(short)

    monkeypatch.setattr(estimate, "Reducer", slow)
    speed = pilot(plan, 1)

    assert 0.5 <= speed.once < 1.5
    assert speed.token * 400 + speed.fixed < 0.25
