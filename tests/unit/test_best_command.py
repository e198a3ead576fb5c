"""`zonesim best`: which arm of an experiment is best, from file to table."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.helper import HEAD
from tests.unit.test_expected_control import LIFTED
from zonesim import cli

DESK = (
    HEAD.replace("timeline", "desk")
    + """clock: {warm_up: 1 h, measure: 40 h, cool_down: 10 h}
zones: {Z: {desk: {units: 2, label: {en: Desk, zh: 审单窗口}}}}
flows: {f: {source: assumed, steps: {serve: {hold: {d: Z.desk}, take: {exponential: {mean: 9 min}}}}}}
promises: {desk: {kpi: f.serve.wait.mean, most: 15 min, label: {en: Soon served, zh: 及时审单}, source: assumed}}
traffic: {t: {flow: f, rate: 9 /h}}
"""
)

DESKS = """zonesim: 1
kind: experiment
name: desks
label: {en: Desks, zh: 窗口}
scenario: desk.yaml
baseline: two
arms:
  one: {set: {zones.Z.desk.units: 1}}
  two: []
  three: {set: {zones.Z.desk.units: 3}}
  four: {set: {zones.Z.desk.units: 4}}
  slower: {scale: {flows.f.serve.take: 1.25}}
replications: 6
"""


@pytest.fixture
def desks(tmp_path, monkeypatch):
    """Write a small experiment and go there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "desk.yaml").write_text(DESK, encoding="utf-8")
    (tmp_path / "desks.yaml").write_text(DESKS, encoding="utf-8")


def invoked(*words):
    """Return what `zonesim best desks.yaml` does."""
    return CliRunner().invoke(
        cli.app, ["best", "desks.yaml", *words, "--no-figures", "--workers", "1"], prog_name="zonesim"
    )


def told(*words):
    """Return what --json tells."""
    done = invoked(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


SMALLEST = ("--goal", "smallest f.stay.mean", "--indifference", "0.5 min")


@pytest.mark.usefixtures("desks")
def test_the_best_within_a_budget_that_keeps_the_promise():
    """
    Four desks are over the budget, with one the line grows, slower service breaks the promise: three are best, with two second.
    """
    found = told(*SMALLEST, "--budget", "zones.Z.desk.units <= 3")
    states = {each["arm"]: (each["state"], each["by"]) for each in found["arms"]}

    assert found["best"] == "three"
    assert found["probability"] == 0.95
    assert "better by 0.00833 h or more" in invoked(*SMALLEST, "--budget", "zones.Z.desk.units <= 3").stdout
    assert states == {
        "one": ("grows", ""),
        "two": ("beaten", "three"),
        "three": ("best", ""),
        "four": ("budget", ""),
        "slower": ("breaks", "f.serve.wait.mean <= 15 min"),
    }


@pytest.mark.usefixtures("desks")
def test_the_best_is_estimated_on_runs_of_another_seed():
    """
    What is told of the best are the runs of the next seed, which chose nothing: those that a sweep with that seed has.
    """
    found = told(*SMALLEST, "--budget", "zones.Z.desk.units <= 3")["estimate"]
    sweep = ["sweep", "desks.yaml", "--seed", "2", "--json", "--workers", "1", "--out", "other"]
    document = json.loads(CliRunner().invoke(cli.app, sweep).stdout)
    (row,) = (each for each in document["results"] if each["kpi"] == "f.stay.mean" and each["arm"] == "three")

    assert found["seed"] == 2
    assert found["n"] == 6
    for key in ("value", "low", "high", "difference", "diff_low", "diff_high"):
        assert found[key] == pytest.approx(row[key], rel=1e-12)


@pytest.mark.usefixtures("desks")
def test_the_largest_and_a_budget_of_runs():
    """
    The largest use is that of the one desk, whose promise is not asked for by a budget of runs; all runs of it are spent.
    """
    done = invoked("--goal", "largest Z.desk.utilisation", "--method", "ocba", "--runs", "60", "--lang", "zh")
    (path,) = Path("results").glob("*/best.csv")
    with path.open(encoding="utf-8-sig", newline="") as text:
        rows = {row["arm"]: row for row in csv.DictReader(text)}

    assert done.exit_code == 0, done.output
    assert "最优：one（就本次运行而言）" in done.stdout
    assert sum(int(row["n_in_search"]) for row in rows.values()) == 60
    assert float(rows["slower"]["mean_in_search"]) > float(rows["two"]["mean_in_search"]) > 0
    assert rows["two"]["label_zh"]
    assert "what the scenario promises is not asked for" in done.output


@pytest.mark.usefixtures("desks")
def test_a_search_goes_on_where_it_was():
    """Asked again it runs nothing, and says the same."""
    first = told(*SMALLEST)
    cells = {path: path.stat().st_mtime_ns for path in Path("results", ".cells").rglob("*.parquet")}

    assert told(*SMALLEST) == first
    assert {path: path.stat().st_mtime_ns for path in Path("results", ".cells").rglob("*.parquet")} == cells


@pytest.mark.usefixtures("desks")
def test_where_runs_end_it_says_so():
    """Two arms that are nearly alike and few runs: nothing is promised, in either language."""
    Path("desks.yaml").write_text(DESKS.replace("1.25", "1.001"), encoding="utf-8")
    words = (
        "--goal",
        "smallest f.stay.mean",
        "--indifference",
        "1 s",
        "--most",
        "12",
        "--budget",
        "zones.Z.desk.units <= 2",
    )
    found = told(*words)

    assert (found["decided"], found["probability"]) == (False, None)
    assert "not decided: two has the best mean so far" in invoked(*words).stdout
    assert "未定：two目前均值最优" in invoked(*words, "--lang", "zh").stdout


@pytest.mark.usefixtures("desks")
def test_none_may_be_left():
    """Where no arm is within the budget there is nothing to choose from."""
    done = invoked(*SMALLEST, "--budget", "zones.Z.desk.units <= 0")

    assert done.exit_code == 0
    assert "no arm is left to choose from" in done.stdout


FUTURES = DESKS + "futures: {grid: {traffic.t.rate: {scale: [0.5, 1]}}}\n"


@pytest.mark.usefixtures("desks")
def test_a_future_is_named_where_there_are_several():
    """
    The best arm may be another in each future, so one has to be named; at half the demand one desk
    carries it, but breaks the promise.
    """
    Path("desks.yaml").write_text(FUTURES, encoding="utf-8")
    none = invoked(*SMALLEST)
    found = told(*SMALLEST, "--at", "traffic.t.rate ×0.5", "--budget", "zones.Z.desk.units <= 1")

    assert str(none.exception) == (
        "--at: 2 futures, and the best arm may be another in each\n"
        "    Name one of 'traffic.t.rate ×0.5', 'traffic.t.rate ×1'."
    )
    assert {each["arm"]: each["state"] for each in found["arms"]}["one"] == "breaks"
    assert "no future 'x' in this experiment" in str(invoked(*SMALLEST, "--at", "x").exception)


@pytest.mark.usefixtures("desks")
def test_a_band_has_no_best():
    """What depends on what nobody knows of control has no mean, and so no arm of which it is smallest."""
    Path("desk.yaml").write_text(HEAD + LIFTED, encoding="utf-8")
    Path("desks.yaml").write_text(
        "zonesim: 1\nkind: experiment\nname: e\nscenario: desk.yaml\narms: {R1: [], other: {set: {clock.measure: 2 d}}}\n",
        encoding="utf-8",
    )
    done = invoked("--goal", "smallest all.irregular.missed.share", "--indifference", "1 %")

    assert str(done.exception) == (
        "--goal: 'all.irregular.missed.share' is a band over what nobody knows of control, and has no mean\n"
        "    Ask for what has a mean."
    )


@pytest.mark.usefixtures("desks")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--goal", "smalest f.stay.mean"), "--goal: expected smallest KPI, or largest KPI\n    Write 'smallest F4b.dwell.mean'."),
        (("--goal", "smallest f.stay.mena"), "--goal: no KPI 'f.stay.mena' in this experiment\n    Did you mean 'f.stay.mean'"),
        (("--goal", "smallest Z.desk.load"), "--goal: 'Z.desk.load' is a bound, which no run measures\n    Ask for what is measured."),
        (("--goal", "smallest f.stay.mean"), "--indifference: which difference would you not care for? Without one no number of runs is enough\n    Write --indifference '1 h', in the unit of f.stay.mean."),
        (("--goal", "smallest f.stay.mean", "--indifference", "0 min"), "--indifference: '0 min' is no difference\n    Write '1 h'."),
        (("--goal", "smallest f.stay.mean", "--indifference", "5 kg"), "--indifference: "),
        ((*SMALLEST, "--method", "kn2"), "--method: no method 'kn2'\n    Did you mean 'kn'?"),
        ((*SMALLEST, "--runs", "50"), "--runs: a search with a promised probability runs as long as it takes\n    Ask with --method ocba, or for no more than --most of an arm."),
        ((*SMALLEST, "--most", "5"), "--most: no more than 5 runs of an arm, and 10 first ones\n    Write --most 10 or more."),
        ((*SMALLEST, "--method", "ocba", "--runs", "100"), "--indifference: a budget of runs knows no indifference\n    Ask with --method kn, or leave it out."),
        (("--goal", "smallest f.stay.mean", "--method", "ocba"), "--runs: 5 arms with 10 first runs each take 50 runs\n    Write --runs 100, for instance."),
        (("--goal", "smallest f.stay.mean", "--method", "ocba", "--runs", "99", "--promise", "f.serve.wait.mean <= 1 h"), "--promise: a budget of runs is spent on the goal alone\n    Ask with --method kn."),
        ((*SMALLEST, "--promise", "f.serve.wait.mean <= 0 min"), "' has a limit of 0, of which no share is a tolerance\n    Write a limit above 0, e.g. the least that counts."),
        ((*SMALLEST, "--budget", "zones.Z.dsk.units <= 3"), "--budget zones.Z.dsk.units <= 3: no value at 'zones.Z.dsk.units'\n    Did you mean 'desk'?"),
        ((*SMALLEST, "--budget", "zones.Z.desk.units"), "expected PATH + PATH <= NUMBER\n    Write 'zones.TYP.lanes_in.units <= 6'."),
        ((*SMALLEST, "--budget", "flows.f.serve.take <= 3"), "'flows.f.serve.take' is no number in the arm 'two'\n    Name what is one number, such as units."),
    ],
)  # fmt: skip
def test_slips_are_told(words, message):
    """Each slip is told with its option and what would be right, before anything runs."""
    done = invoked(*words)

    assert done.exit_code != 0
    assert message in str(done.exception)
    assert not Path("results").exists() or not list(Path("results").rglob("*.parquet"))
