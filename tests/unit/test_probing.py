"""Slips of `best` and `robust` are told before all arms are planned, and never of a KPI that another arm has."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.unit.test_best_command import DESK, DESKS
from zonesim import cli
from zonesim.experiment import planning

FUTURES = DESKS + "futures: {grid: {traffic.t.rate: {scale: [0.5, 0.7, 0.9, 1]}}}\n"


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """Write a small experiment, go there, and count the plans that are made."""
    monkeypatch.chdir(tmp_path)
    Path("desk.yaml").write_text(DESK, encoding="utf-8")
    Path("desks.yaml").write_text(FUTURES, encoding="utf-8")
    made = []
    real = planning.compile_plan
    monkeypatch.setattr(planning, "compile_plan", lambda arm: made.append(arm) or real(arm))
    return made


def fault(*words):
    """Return what a command says that is wrong."""
    done = CliRunner().invoke(cli.app, [*words, "--workers", "1", "--no-figures"], prog_name="zonesim")
    assert done.exit_code != 0
    return str(done.exception)


BEST = ("best", "desks.yaml", "--at", "traffic.t.rate ×1")
GOAL = ("--goal", "smallest f.stay.mean", "--indifference")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*BEST, "--goal", "smallest f.stay.mena", "--indifference", "1 min"), "--goal: no KPI 'f.stay.mena'"),
        ((*BEST, *GOAL, "1 kg"), "--indifference: unknown unit 'kg' in '1 kg'"),
        ((*BEST, *GOAL, "1 min", "--promise", "f.serve.wait.mena <= 1 min"), "no KPI 'f.serve.wait.mena' in any arm"),
        ((*BEST, *GOAL, "1 min", "--promise", "f.serve.wait.mean <= 1 kg"), "unknown unit 'kg' in '1 kg'"),
        (("robust", "desks.yaml", "--goal", "smallest f.stay.mena"), "--goal: no KPI 'f.stay.mena'"),
        (("robust", "desks.yaml", "--goal", "largest Z.desk.load"), "--goal: 'Z.desk.load' is a bound"),
    ],
)
def test_one_plan_is_enough_to_tell(planned, words, message):
    """Of twenty plans only that of the baseline is made: the arms change units and times into others, which measures nothing new."""
    assert message in fault(*words)
    assert len(planned) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("best", "desks.yaml", "--at", "x", *GOAL, "1 min"), "--at: no future 'x' in this experiment"),
        ((*BEST, *GOAL, "1 min", "--runs", "50"), "--runs: a search with a promised probability runs as long as it takes"),
        (("robust", "desks.yaml", "--goal", "smallest f.stay.mean", "--arms", "tow"), "--arms: no arm 'tow'"),
    ],
)  # fmt: skip
def test_what_needs_no_plan_is_told_without_one(planned, words, message):
    """Wrong names of futures and arms and options that do not go together are told from the files alone."""
    assert message in fault(*words)
    assert planned == []


def test_a_kpi_of_another_arm_is_known(planned):
    """
    Where one waits only in an arm that makes units of what is unlimited, the goal is known, though the baseline lacks it: all arms
    are planned then.
    """
    Path("desk.yaml").write_text(DESK.replace("units: 2,", "units: unlimited,"), encoding="utf-8")
    text = DESKS.replace("  two: []\n", "  two: []\n  five: {set: {zones.Z.desk.units: 5}}\n")
    Path("desks.yaml").write_text(text, encoding="utf-8")
    words = ("best", "desks.yaml", "--goal", "smallest Z.desk.queue.mean", "--indifference", "1 kg")

    assert "--goal: no KPI" not in fault(*words)
    assert len(planned) > 2


def test_what_is_wrong_in_another_arm_is_told(planned):
    """A slip in the files is told as ever: an arm that names what there is none of."""
    Path("desks.yaml").write_text(FUTURES.replace("desk.units: 3", "dsk.units: 3"), encoding="utf-8")

    assert "zones.Z.dsk" in fault(*BEST, *GOAL, "1 min")
