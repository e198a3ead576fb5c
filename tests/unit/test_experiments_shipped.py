"""The experiments that the project ships: each is run briefly."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.helper import ROOT
from zonesim import cli
from zonesim.experiment import read_design

EXPERIMENTS = sorted((ROOT / "experiments").glob("*.yaml"))


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment_can_be_run(path: Path):
    """
    Every arm of a shipped experiment compiles in every future, and its finding stands in the README of the folder.
    """
    design = read_design(path, ["clock.warm_up=1 d", "clock.measure=1 d"])

    assert len(design.cells) == len(design.options) * len(design.futures) > 1
    assert f"## {path.name}" in (ROOT / "experiments" / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment_runs(path: Path, tmp_path: Path):
    """
    Every arm in every future of a shipped experiment gives each KPI that it reports a row.
    """
    clock = ("clock.warm_up=1 d", "clock.measure=1 d", "clock.cool_down=1 d")
    words = ["sweep", str(path), "--out", str(tmp_path), "--workers", "1", "--replications", "1"]
    done = CliRunner().invoke(
        cli.app, [*words, *(word for setting in clock for word in ("--set", setting))], prog_name="zonesim"
    )
    (folder,) = (path for path in tmp_path.iterdir() if path.name != ".cells")
    with (folder / "results.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))

    assert done.exit_code == 0, done.output
    arms, futures, kpis = ({row[name] for row in rows} for name in ("arm", "future", "kpi"))
    assert len(rows) == len(arms) * len(futures) * len(kpis)
