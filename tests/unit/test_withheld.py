"""What has not ended when a run ends: what is withheld, where, and how that is told."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.helper import kpis, plan_of
from zonesim import cli
from zonesim.analysis import Column, compare, curve, judge
from zonesim.kpi import RunResult

NAN = math.nan

LONG_WORK = """zonesim: 1
kind: scenario
name: bias
clock: {measure: 5 h}
zones: {Z: {bay: {units: unlimited}}}
flows: {f: {steps: {serve: {hold: {b: Z.bay}, take: {exponential: {mean: 90 min}}}}}}
traffic: {a: {flow: f, rate: 1 /h}}
"""
LOST = """zonesim: 1
kind: scenario
name: visits
clock: {measure: 200 d}
zones: {Z: {line: {units: 1}}}
flows: {f: {steps: {talk: {hold: {l: Z.line}, patience: {longest: 0 s}, take: {exponential: {mean: 30 min}}}}}}
traffic: {a: {flow: f, rate: 2 /h}}
"""
IMPATIENT = """
clock: {measure: 1 h, cool_down: 1 h}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {serve: {hold: {d: Z.desk}, patience: {longest: 6 min}, take: 20 min}}}}
traffic: {a: {flow: f, at: [0 min, 2 min, 16 min]}}
"""


def test_where_one_replication_of_one_arm_withholds_a_kpi_no_arm_has_it():
    """
    The replications that are left are those in which little went on: neither a mean nor a difference is made of them.
    """
    found = judge({"R1": Column([90.0, 91.0, 89.0]), "11": Column([53.0, NAN, 60.0], [0.2])})

    assert [each.reason for each in found.intervals.values()] == ["missing", "missing"]
    assert all(math.isnan(each.value) and each.n == 0 for each in found.intervals.values())
    assert {(each.missing, each.withheld) for each in found.intervals.values()} == {(0.2, 1)}
    assert math.isnan(found.effects["11"][0].value)
    assert found.effects["11"][1] == "missing"


def test_an_arm_that_grows_does_not_take_the_others_along():
    """
    Of an arm that is not stable nothing is missing: its numbers depend on the run length. The others are compared.
    """
    columns = {"R1": Column([1.0, 2.0]), "one": Column([NAN, NAN], [0.9, 0.8]), "two": Column([2.0, 4.0])}
    found = judge(columns, unstable=["one"])

    assert [found.intervals[arm].reason for arm in columns] == ["", "grows", ""]
    assert found.effects["one"][1] == "grows"
    assert found.effects["two"][0].value == 1.5


def test_a_replication_without_a_case_is_left_out():
    """
    Where nobody came there is nothing to tell; that is no reason to withhold what the other replications tell.
    """
    found = judge({"R1": Column([1.0, NAN, 3.0]), "11": Column([2.0, 9.0, 6.0])})

    assert (found.intervals["R1"].value, found.intervals["R1"].n, found.intervals["R1"].reason) == (2.0, 2, "")
    assert found.effects["11"][0].value == 2.0


def test_the_level_widens_and_narrows_intervals():
    """
    Of 10, 20, 30 the half-width is Student's quantile with 2 degrees of freedom times 10 / √3: 2.920 at 90 %, 9.925 at 99 %.
    """
    for level, factor in ((0.90, 2.919986), (0.99, 9.924843)):
        found = judge({"R1": Column([10.0, 20.0, 30.0])}, level=level).intervals["R1"]

        assert found.high - found.value == pytest.approx(factor * 10 / math.sqrt(3), rel=1e-6)


def test_a_curve_is_withheld_as_a_whole():
    """
    An hour's mean over the runs that do not withhold the curve is a mean of the quiet ones.
    """
    runs = [RunResult({}, {"G.pass": np.array([1.0, 2.0])}) for _ in range(2)]
    assert [each.value for each in curve(runs, "G.pass")] == [1.0, 2.0]

    runs.append(RunResult({}, {"G.pass": np.array([NAN, NAN])}, withheld={"G.pass": 0.5}))
    assert all(each.reason == "missing" for each in curve(runs, "G.pass"))


def test_a_p95_never_stands_below_its_p90():
    """
    Replications that withhold P95 alone are not left out of it alone: it is withheld, and P90 stands.
    """
    runs = [RunResult({"f.dwell.p90": 9.0, "f.dwell.p95": 10.0}) for _ in range(3)]
    runs.append(RunResult({"f.dwell.p90": 30.0, "f.dwell.p95": NAN}, withheld={"f.dwell.p95": 0.07}))
    found = compare({"R1": runs}, ["f.dwell.p90", "f.dwell.p95"]).arms["R1"]

    assert found["f.dwell.p90"].value == 14.25
    assert found["f.dwell.p95"].reason == "missing"


def test_a_run_says_how_much_is_missing(tmp_path, monkeypatch):
    """
    Work of 90 min on average in a window of 5 h without cool-down: 53 min is the mean of what has ended, and is not given; tables say why.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bias.yaml").write_text(LONG_WORK, encoding="utf-8")
    done = CliRunner().invoke(
        cli.app, ["run", "bias.yaml", "--replications", "20", "--workers", "1"], prog_name="zonesim"
    )
    document = json.loads(next((tmp_path / "results").rglob("run.json")).read_text(encoding="utf-8"))
    cell = document["arms"]["R1"]["f.serve.service.mean"]
    with next((tmp_path / "results").rglob("run.csv")).open(encoding="utf-8-sig", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["kpi"] == "f.serve.service.mean")

    assert done.exit_code == 0
    assert "missing: up to" in done.output
    assert (cell["value"], cell["n"], cell["needed"], cell["reason"]) == (None, 0, None, "missing")
    assert cell["missing"] > 0.5
    assert 10 < cell["withheld"] <= 20
    assert (row["R1"], row["reason"], row["n"]) == ("", "missing", "0")


def test_with_a_cool_down_the_mean_is_the_true_one():
    """
    The same work followed to its end: 90 min, within four standard errors.
    """
    runs = kpis(plan_of(LONG_WORK.replace("measure: 5 h", "measure: 400 h, cool_down: 60 h")), replications=10)
    values = [run.values["f.serve.service.mean"] for run in runs]

    assert abs(np.mean(values) - 90) < 4 * np.std(values, ddof=1) / math.sqrt(10)


def test_visits_count_who_gave_up_too():
    """
    Half of the calls are lost: visits are all 48 arrivals a day, and the share that gave up is a share of them.
    """
    values = kpis(plan_of(LOST))[0].values

    assert values["f.talk.visits.day"] == pytest.approx(values["f.arrived.day"], rel=1e-3)
    assert values["f.talk.gave_up.share"] == pytest.approx(0.5, abs=0.03)


def test_waits_with_and_without_those_who_gave_up():
    """
    At 0 one is served until 20; one comes at 2 and gives up at 8; one comes at 16 and waits 4: served waits 0 and 4, all waits 0, 6 and 4.
    """
    values = kpis(plan_of(IMPATIENT))[0].values

    assert values["f.serve.visits.day"] == 3 * 24
    assert values["f.serve.wait.mean"] == pytest.approx(2)
    assert values["f.serve.wait_all.mean"] == pytest.approx(10 / 3)
    assert values["f.serve.wait.share"] == pytest.approx(2 / 3)
    assert values["f.serve.gave_up.share"] == pytest.approx(1 / 3)


def test_who_still_waits_may_yet_give_up():
    """
    Without a cool-down nobody knows what becomes of the one that came at 56: no share that gave up is given, all visits are counted.
    """
    found = kpis(plan_of(IMPATIENT.replace(", cool_down: 1 h", "").replace("16 min]", "50 min, 56 min]")))[0]

    assert math.isnan(found.values["f.serve.gave_up.share"])
    assert found.withheld["f.serve.gave_up.share"] == 1 / 4
    assert found.values["f.serve.visits.day"] == 4 * 24


INSPECTED = """
clock: {measure: 10 h, cool_down: COOL}
flows:
  f:
    steps:
      ask: {mark: declared}
      enter: {take: 1 h, mark: in_zone}
      wait: {take: {discrete: {1 h: 50 %, 3 h: 50 %}}, mark: [inspected, released]}
      stow: {take: 1 h, mark: usable}
traffic: {a: {flow: f, at: [1 h, 9 h]}}
"""


def test_shares_of_what_may_yet_happen_are_withheld():
    """
    Who is inside and has not been inspected may yet be; and may be through within 24 h.
    """
    late = kpis(plan_of(INSPECTED.replace("COOL", "90 min")))[0]
    followed = kpis(plan_of(INSPECTED.replace("COOL", "9 h")))[0]

    for kpi in ("f.inspected.rate", "f.dwell.within_24h", "f.customs.within_24h", "f.pending.mean", "f.dwell.mean"):
        assert math.isnan(late.values[kpi])
        assert late.withheld[kpi] == 0.5
        assert followed.values[kpi] > 0
    assert not followed.withheld


def test_goods_that_never_come_into_the_zone_have_no_time_there():
    """
    Half of the goods leave without passing the zone: the time before release is that of the others, and nothing is missing.
    """
    text = (
        INSPECTED.replace("COOL", "9 h")
        .replace("at: [1 h, 9 h]", "rate: 20 /h")
        .replace("ask: {mark: declared}", "ask: {mark: declared, next: {enter: 50 %, end: 50 %}}")
        .replace("{take: {discrete: {1 h: 50 %, 3 h: 50 %}}, mark", "{take: 2 h, mark")
        .replace("mark: usable", "mark: left_zone")
    )
    found = kpis(plan_of(text))[0]

    assert found.values["f.pending.mean"] == pytest.approx(2)
