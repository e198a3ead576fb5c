"""`zonesim robust`: regrets, promises and boxes over the futures of an experiment, from file to table."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.helper import HEAD
from zonesim import cli

DESK = (
    HEAD.replace("timeline", "desk")
    + """clock: {warm_up: 4 h, measure: 300 h, cool_down: 10 h}
zones: {Z: {desk: {units: 1}, other: {units: unlimited}}}
flows:
  f: {source: assumed, steps: {read: {take: 10 min}, serve: {hold: {d: Z.desk}, take: {exponential: {mean: 6 min}}}}}
  g: {source: assumed, steps: {elsewhere: {hold: {d: Z.other}, take: 5 min}}}
promises: {desk: {kpi: f.serve.wait.mean, most: 10 min, label: {en: Soon served, zh: 及时受理}, source: assumed}}
traffic: {t: {flow: f, rate: 6 /h}, u: {flow: g, rate: 3 /h}}
"""
)

DESKS = """zonesim: 1
kind: experiment
name: desks
label: {en: Desks, zh: 窗口}
scenario: desk.yaml
baseline: one
arms:
  one: []
  two: {set: {zones.Z.desk.units: 2, flows.f.read.take: 16 min}}
futures:
  latin_hypercube: {n: 40, over: {traffic.t.rate: {scale: [0.5, 1.4]}, traffic.u.rate: {scale: [0.5, 2]}}}
replications: 5
kpis: [f.stay.mean]
"""


@pytest.fixture
def desks(tmp_path, monkeypatch):
    """Write a small experiment and go there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "desk.yaml").write_text(DESK, encoding="utf-8")
    (tmp_path / "desks.yaml").write_text(DESKS, encoding="utf-8")


def invoked(*words):
    """Return what `zonesim robust desks.yaml` does."""
    return CliRunner().invoke(
        cli.app, ["robust", "desks.yaml", *words, "--no-figures", "--workers", "1"], prog_name="zonesim"
    )


SMALLEST = ("--goal", "smallest f.stay.mean")


@pytest.mark.usefixtures("desks")
def test_where_a_second_desk_does_not_pay():
    """
    A second desk with a form of six minutes pays where demand is high: it does not below some multiple, and demand elsewhere has no part in it.
    """
    done = invoked(*SMALLEST, "--json")
    document = json.loads(done.stdout)
    arms = {each["arm"]: each for each in document["arms"]}
    (found,) = document["boxes"]
    two = arms["two"]

    assert done.exit_code == 0, done.output
    assert found["arm"] == "two"
    assert set(found["picked"]["limits"]) == {"traffic.t.rate"}
    assert 0.6 < found["picked"]["limits"]["traffic.t.rate"]["high"] < 1.25
    assert found["picked"]["density"] > 0.8
    assert found["picked"]["coverage"] > 0.8
    assert two["better"] + two["worse"] + two["unclear"] == 40
    assert found["cases"] == 40 - two["better"]
    assert arms["one"]["largest_regret"] > two["largest_regret"] > 0
    assert two["largest_regret"] < 6 / 60 + 0.001


@pytest.mark.usefixtures("desks")
def test_where_promises_are_broken():
    """
    One desk breaks its promise where demand is high, two never do; files and both languages say so, and the experiment has been run once.
    """
    sweep = CliRunner().invoke(cli.app, ["sweep", "desks.yaml", "--workers", "1"])
    cells = {path: path.stat().st_mtime_ns for path in Path("results", ".cells").rglob("*.parquet")}
    done = invoked(*SMALLEST, "--look-for", "broken")
    chinese = invoked(*SMALLEST, "--look-for", "broken", "--lang", "zh").stdout
    with Path("results/desks/boxes.csv").open(encoding="utf-8-sig", newline="") as text:
        boxes = list(csv.DictReader(text))
    with Path("results/desks/robustness.csv").open(encoding="utf-8-sig", newline="") as text:
        kept = {(row["arm"], row["quantity"]): row for row in csv.DictReader(text)}

    assert sweep.exit_code == done.exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in Path("results", ".cells").rglob("*.parquet")} == cells
    assert (kept["two", "kept"]["count"], kept["two", "kept"]["futures"]) == ("40", "40")
    assert 0 < int(kept["one", "kept"]["count"]) < 40
    assert (
        float(kept["one", "kept"]["low"]) < int(kept["one", "kept"]["count"]) / 40 < float(kept["one", "kept"]["high"])
    )
    assert {row["number"] for row in boxes if row["picked"]} == {"traffic.t.rate"}
    assert "where one does not keep its promises" in done.stdout
    assert "where two does not keep its promises: 0 of 40 futures\nnowhere" in done.stdout
    assert "one未满足承诺的情景" in chinese
    assert "及时受理" in chinese


GRID = DESKS[: DESKS.index("futures:")] + "futures: {grid: {traffic.t.rate: {scale: [0.5, 2]}}}\nreplications: 2\n"


@pytest.mark.usefixtures("desks")
def test_few_futures_and_a_line_that_grows():
    """
    Of two futures no box is looked for; where one desk's line grows its largest regret is not told, and nor do shares have limits.
    """
    Path("desks.yaml").write_text(GRID, encoding="utf-8")
    document = json.loads(invoked(*SMALLEST, "--json").stdout)
    one, two = document["arms"]

    assert (one["unknown"], one["largest_regret"], one["futures"]) == (1, None, 1)
    assert two["unknown"] == 0
    assert document["boxes"][0]["why_none"] == "few"
    assert one["promises"][0]["low"] is None
    assert "no value in 1 future: a line grows" in invoked(*SMALLEST).stdout


@pytest.mark.usefixtures("desks")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--goal", "f.stay.mean"), "--goal: expected smallest KPI, or largest KPI"),
        ((*SMALLEST, "--look-for", "brokn"), "--look-for: nothing 'brokn'\n    Did you mean 'broken'?"),
        ((*SMALLEST, "--arms", "tow"), "--arms: no arm 'tow' in this experiment\n    Did you mean 'two'?"),
        ((*SMALLEST, "--arms", "one"), "--arms: 'one' is the baseline, which others are compared to\n    Name another, or ask with --look-for broken."),
        ((*SMALLEST, "--promise", "f.serve.wait.mena <= 3 min"), "no KPI 'f.serve.wait.mena' in any arm"),
    ],
)  # fmt: skip
def test_slips_are_told(words, message):
    """Each slip is told with its option and what would be right, before anything runs."""
    done = invoked(*words)

    assert message in str(done.exception)
    assert not Path("results").exists() or not list(Path("results").rglob("*.parquet"))


@pytest.mark.usefixtures("desks")
def test_one_future_is_no_many():
    """Without futures there is nothing to be robust over; without promises none is broken."""
    plain = DESKS[: DESKS.index("futures:")] + "replications: 2\n"
    Path("desks.yaml").write_text(plain, encoding="utf-8")
    one = str(invoked(*SMALLEST).exception)
    Path("desks.yaml").write_text(DESKS, encoding="utf-8")
    Path("desk.yaml").write_text(
        DESK.replace(DESK[DESK.index("promises:") : DESK.index("traffic:")], ""), encoding="utf-8"
    )
    none = str(invoked(*SMALLEST, "--look-for", "broken").exception)

    assert "desks.yaml: one future: whether an arm does well in others cannot be told\n    Write futures, e.g." in one
    assert "--look-for: there is no promise that could be broken\n    Write --promise" in none


@pytest.mark.slow
@pytest.mark.usefixtures("desks")
def test_many_futures_do_not_bury_the_answer_in_warnings():
    """
    Where a line grows in many futures, each by another load, the first twenty warnings are told and how many more there are; --json
    has all.
    """
    Path("desks.yaml").write_text(
        DESKS.replace("[0.5, 1.4]", "[1.7, 3]").replace("replications: 5", "replications: 1"), encoding="utf-8"
    )
    done = invoked(*SMALLEST)
    told = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    document = json.loads(invoked(*SMALLEST, "--json").stdout)

    assert len(told) == 21
    assert told[-1] == f"warning: {len(document['warnings']) - 20} more warnings like these, see --json"
