"""Sensitivity, the best arm and robustness from Python: the numbers of the commands, as tables, without files."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

import zonesim
from tests.unit import test_best_command, test_robust_command, test_sensitivity_command
from zonesim.experiment import Execution
from zonesim.jobs.best import Asked as AskedBest
from zonesim.jobs.best import best_job
from zonesim.jobs.robust import Asked as AskedRobust
from zonesim.jobs.robust import robust_job
from zonesim.jobs.sensitivity import Asked, sensitivity_job


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Go to an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder):
    """Return the names of what lies in a folder."""
    return sorted(path.name for path in Path(folder).iterdir())


def written(name):
    """Return the rows of a table that a command has written."""
    (path,) = Path("results").glob(f"*/{name}")
    with path.open(encoding="utf-8-sig", newline="") as text:
        return list(csv.DictReader(text))


def same(found, expected):
    """Return whether rows from Python are those of a CSV, where what has no value is empty."""
    told = [
        {key: "" if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}
        for row in found
    ]
    return [list(row) for row in told] == [list(row) for row in expected] and all(
        str(value) == given or (given and float(value) == pytest.approx(float(given)))
        for row, other in zip(told, expected, strict=True)
        for value, given in zip(row.values(), other.values(), strict=True)
    )


def test_sensitivity_is_that_of_the_command(here):
    """
    The rows are those of `sensitivity.csv`, numbers are ranked and have their limits; nothing is left in the folder.
    """
    Path("desk.yaml").write_text(test_sensitivity_command.DESK, encoding="utf-8")
    found = zonesim.load("desk.yaml").sensitivity("f.stay.mean", method="morris", points=3, replications=2)
    lone = files(here)
    asked = Asked(Path("desk.yaml"), [], kpis=["f.stay.mean"], method="morris", count=3, replications=2)
    sensitivity_job(asked, Execution(), Path("results"), formats=())
    first = found.numbers()[0]

    assert lone == ["desk.yaml"]
    assert same(found.table(), written("sensitivity.csv"))
    assert found.kpis == ["f.stay.mean"]
    assert found.quantities == ("mu_star", "mu", "sigma")
    assert found.value(first).value == max(found.value(name).value for name in found.numbers())
    assert found.value(first).low < found.value(first).value < found.value(first).high
    assert found.relation().filter("quantity = 'mu_star'").aggregate("max(value)").fetchall()[0] == (
        pytest.approx(found.value(first).value),
    )
    assert 0 < found.middle().value < 1
    assert 0 <= found.luck() < 1
    assert first in str(found)
    with pytest.raises(zonesim.ScenarioFault, match="no quantity 'sigm'"):
        found.value(first, "sigm")
    with pytest.raises(zonesim.ScenarioFault, match="no number 'x'"):
        found.value("x")


def test_the_best_is_that_of_the_command(here):
    """
    The same arm with the same probability, and the rows of `best.csv`; a folder that is named keeps the runs, which the command finds.
    """
    Path("desk.yaml").write_text(test_best_command.DESK, encoding="utf-8")
    Path("desks.yaml").write_text(test_best_command.DESKS, encoding="utf-8")
    desks = zonesim.load("desks.yaml")
    budget = ["zones.Z.desk.units <= 3"]
    found = desks.best("smallest f.stay.mean", "0.5 min", budgets=budget, out="results")
    cells = {path: path.stat().st_mtime_ns for path in Path("results", ".cells").rglob("*.parquet")}
    asked = AskedBest(Path("desks.yaml"), [], "smallest f.stay.mean", "0.5 min", budgets=budget)
    job = best_job(asked, Execution(), Path("results"), formats=())
    estimate = job.document["estimate"]

    assert {path: path.stat().st_mtime_ns for path in Path("results", ".cells").rglob("*.parquet")} == cells
    assert (found.arm, found.probability) == ("three", 0.95)
    assert found.value.value == estimate["value"]
    assert found.difference.high == estimate["diff_high"] < 0
    assert same(found.table(), written("best.csv"))
    assert "best: three" in str(found)
    assert desks.best("smallest f.stay.mean", "0.5 min", budgets=["zones.Z.desk.units <= 0"]).value is None
    with pytest.raises(zonesim.ScenarioFault, match="no KPI 'f.stay.mena'"):
        desks.best("smallest f.stay.mena", "0.5 min")


@pytest.mark.slow
def test_robustness_is_that_of_the_command(here):
    """The same regrets and the same box, as rows and by name; nothing is left in the folder."""
    Path("desk.yaml").write_text(test_robust_command.DESK, encoding="utf-8")
    Path("desks.yaml").write_text(test_robust_command.DESKS, encoding="utf-8")
    desks = zonesim.load("desks.yaml")
    found = desks.robust("smallest f.stay.mean")
    lone = files(here)
    asked = AskedRobust(Path("desks.yaml"), [], "smallest f.stay.mean")
    job = robust_job(asked, Execution(), Path("results"), formats=())
    (box,) = job.document["boxes"]
    one, two = job.document["arms"]

    assert lone == ["desk.yaml", "desks.yaml"]
    assert found.regret("two").value == two["mean_regret"]
    assert found.largest_regret("one").value == one["largest_regret"]
    assert found.box("two").limits["traffic.t.rate"].high == box["picked"]["limits"]["traffic.t.rate"]["high"]
    assert same(found.table(), written("robustness.csv"))
    assert same(found.boxes(), written("boxes.csv"))
    assert found.relation().filter("quantity = 'largest_regret'").aggregate("count(*)").fetchall()[0] == (2,)
    assert "where two is not surely better than one" in str(found)
    with pytest.raises(zonesim.ScenarioFault, match="no arm 'tow'"):
        found.regret("tow")
