"""`zonesim fit`: what it prints and writes, that its scenarios run, and what it keeps to itself."""

from __future__ import annotations

import csv
import json
import os
import re

import pytest
from typer.testing import CliRunner

from tests.helper import kpis, plan_of_file, run_plan
from tests.logs import Stream, gate_log, soil
from zonesim.cli import app
from zonesim.faults import ScenarioFault
from zonesim.policy import arm_named, load_world
from zonesim.scenario.excerpts import explain

OPTIONS = (
    "--time-in",
    "进卡时间",
    "--time-out",
    "出卡时间",
    "--direction",
    "方向",
    "--kind",
    "车型",
    "--class",
    "信用等级",
)
SHORT = ("clock.warm_up=1 d", "clock.measure=2 d", "clock.cool_down=1 d")


def fit(folder, *words, days=14, streams=None, share=0.03):
    """Write a dirty log, fit it as a user would, and return the result and the folder of what was written."""
    log = gate_log(days=days, seed=4, **({"streams": streams} if streams else {}))
    (folder / "过车记录.csv").write_text(soil(log, share).text(), encoding="gb18030")
    options = words or (*OPTIONS, "--lane-time", "通道用时")
    done = CliRunner().invoke(app, ["fit", str(folder / "过车记录.csv"), *options, "--out", str(folder / "out")])
    return done, folder / "out", log


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A fit with every column mapped."""
    return fit(tmp_path_factory.mktemp("fit"))


def test_the_report_names_what_was_refused(fitted):
    """
    Rows read, used and refused are said with their reasons and first lines; the exit code is 0.
    """
    done, _, log = fitted

    assert done.exit_code == 0, done.output
    assert f"{len(log.rows):,} rows read" in done.output
    assert f"{sum(log.dirty.values())} refused" in done.output
    assert "Model beside log, by hour of the day (fragment.yaml, " in done.output
    assert "of 24 hours differ by more than chance." in done.output
    line = next(line for line in done.output.splitlines() if "time in cannot be read" in line)
    number = int(re.search(r"过车记录.csv:(\d+)", line)[1])
    assert "2018/13/45" in log.text().split("\n")[number - 1]


def test_nothing_of_single_vehicles_is_written(fitted):
    """
    No number plate, and no lane time, in anything written; the trace has four columns and the rows in order of time.
    """
    _, out, log = fitted
    for path in out.iterdir():
        if path.is_file() and path.suffix != ".png":
            assert "苏E" not in path.read_text(encoding="utf-8-sig"), path.name
    rows = list(csv.reader((out / "trace.csv").read_text(encoding="utf-8").splitlines()))

    assert rows[0] == ["time", "direction", "kind", "class"]
    assert len(rows) - 1 == len(log.rows) - sum(log.dirty.values())
    assert {row[1] for row in rows[1:]} == {"in", "out"}
    assert [row[0] for row in rows[1:]] == sorted(row[0] for row in rows[1:])


def test_the_document_has_aggregates_only(fitted):
    """
    fit.json tells rows by reason, rates with intervals, laws; every count in it is 5 at least or left out.
    """
    _, out, log = fitted
    document = json.loads((out / "fit.json").read_text(encoding="utf-8"))

    assert document["log"]["rows_refused"] == sum(log.dirty.values())
    assert {reason: found["rows"] for reason, found in document["log"]["refused"].items()} == dict(log.dirty)
    assert set(document["groups"]) == {"in_truck", "in_car", "out_truck", "out_car"}
    for group in document["groups"].values():
        assert group["rate_per_day"]["low"] < group["rate_per_day"]["value"] < group["rate_per_day"]["high"]
        cells = [value for day in group["week_per_hour"] for value in day if value is not None]
        assert all(value * 2 >= 5 for value in cells)
        assert group["lane_time"]["laws"][0]["law"].keys() == {"lognormal"}
        assert len(group["lane_time"]["empirical"]) <= 200


def test_the_replay_brings_the_vehicles_of_the_log(fitted):
    """
    replay.yaml compiles; a run of it has one token for each row used, in both arms of a comparison the same ones.
    """
    _, out, log = fitted
    used = len(log.rows) - sum(log.dirty.values())
    for arm in (None, arm_named(load_world(out / "replay.yaml"), "11")):
        plan = plan_of_file(out / "replay.yaml", "traffic.*.flow=gate", arm=arm)
        line = run_plan(plan)

        assert int(line.totals.arrivals.sum()) == used


def test_the_scenario_runs_and_has_the_rates_of_the_log(fitted):
    """
    fragment.yaml compiles; the vehicles that a run measures at each gate are those of the log within sampling error.
    """
    _, out, log = fitted
    days = 14
    results = kpis(
        plan_of_file(out / "fragment.yaml", "clock.measure=1 week", "clock.cool_down=1 d", "clock.warm_up=0 d"),
        replications=2,
    )
    for way, word in (("in", "进"), ("out", "出")):
        logged = sum(len(row) > 3 and row[3] == word for row in log.rows) / days
        found = sum(result.values[f"GATE.lanes_{way}.passes.day"] for result in results) / len(results)

        assert found == pytest.approx(logged, abs=5 * (logged / 14 + logged / days) ** 0.5)


def test_measures_compare_on_the_fitted_traffic(fitted):
    """
    Sent through the library's gate, the fitted traffic shows the effect of automatic comparison.
    """
    _, out, _ = fitted
    settings = [word for setting in (*SHORT, "traffic.*.flow=gate") for word in ("--set", setting)]
    done = CliRunner().invoke(
        app,
        [
            "compare",
            str(out / "fragment.yaml"),
            "--measures",
            "11",
            "--replications",
            "2",
            "--workers",
            "1",
            "--json",
            "--out",
            str(out),
            *settings,
        ],
    )
    document = json.loads(done.stdout)
    effect = next(each for each in document["effects"] if each["kpi"] == "GATE.lanes_in.lane.mean")

    assert done.exit_code == 0
    assert effect["high"] < 0


def test_a_visit_has_its_stay(tmp_path):
    """
    Without directions a row is a visit: in through the gate, the fitted stay, and out.
    """
    done, out, _ = fit(
        tmp_path, *OPTIONS[:4], "--kind", "车型", streams=(Stream("进", "货车", 150), Stream("进", "小车", 80)), share=0
    )
    plan = plan_of_file(out / "fragment.yaml", *SHORT)
    values = kpis(plan)[0].values

    assert done.exit_code == 0, done.output
    assert "Stay, time in to time out" in done.output
    assert values["GATE.lanes_out.passes.day"] > 0.8 * values["GATE.lanes_in.passes.day"] > 0


def test_a_chinese_report_is_chinese(tmp_path, monkeypatch):
    """
    With `--lang zh` nothing in the report is English but names of files, options, laws as the format writes them, and
    PERT, BIC and the like.
    """
    monkeypatch.setattr("zonesim.briefing.tables.printing.WIDTH", 1000)
    done, _, _ = fit(tmp_path, *OPTIONS, "--lang", "zh", days=7, share=0.1, streams=(Stream("进", "货车", 150),))
    text = done.output
    while "{" in text:
        text = re.sub(r"\{[^{}]*\}", "", text)
    text = re.sub(r"\S*/\S*|--\w+|'[^']*'|\w+\.(csv|json|yaml)", "", text)
    allowed = {"gb18030", "PERT", "BIC", "AD", "KS", "P95", "p", "zonesim", "compare", "unknown"}

    assert done.exit_code == 0, done.output
    assert set(re.findall(r"[A-Za-z][A-Za-z0-9]*", text)) <= allowed
    assert "2018/13/45 08:00:00：没有这一天" in done.output
    for name in ("fragment.yaml", "replay.yaml"):
        written = (tmp_path / "out" / name).read_text(encoding="utf-8")
        remarks = [line for line in written.splitlines() if line.startswith("#")]
        remarks += re.findall(r"title: (.*?)[,}]", written)

        assert remarks
        assert not [remark for remark in remarks if not re.search("[一-鿿]", remark)]


def test_column_names_of_a_chinese_terminal_are_read(tmp_path):
    """
    A terminal that sends GB 18030 names columns in bytes that are no UTF-8; they are the same names.
    """
    name = os.fsdecode("进卡时间".encode("gb18030"))
    done, _, _ = fit(tmp_path, "--time-in", name, days=2)

    assert done.exit_code == 0, done.output


def test_a_fault_in_a_chinese_file_shows_its_line(tmp_path):
    """
    The line of column names of a GB 18030 file is shown in letters, not in question marks.
    """
    done, _, _ = fit(tmp_path, "--time-in", "进卡时刻", days=2)

    assert "    1 | 车牌,进卡时间,出卡时间,方向" in explain(done.exception)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--time-in", "进卡时刻"), "no column '进卡时刻' (--time-in)\n    Did you mean '进卡时间'"),
        (
            ("--time-in", "进卡时间", "--zone", "1a"),
            "'1a' cannot name a zone (--zone)\n    Use letters, digits and _, a letter first.",
        ),
        (
            ("--time-in", "进卡时间", "--from", "3/9"),
            "--from: expected a date, found '3/9'\n    Write a date such as 2018-09-03.",
        ),
        (
            ("--time-in", "进卡时间", "--from", "2018-09-05", "--until", "2018-09-03"),
            "the period ends before it begins (--from, --until)\n    Turn the dates round.",
        ),
        (
            ("--time-in", "进卡时间", "--freight", "货车"),
            "--freight without --kind\n    Name the column with the kinds of vehicles.",
        ),
        (
            ("--time-in", "进卡时间", "--kind", "车型", "--freight", "火车"),
            "no kind '火车' in column '车型' (--freight)\n    Known kinds: 货车, 小车.",
        ),
        (
            ("--time-in", "进卡时间", "--span", "stay"),
            "--span without --time-out\n    Name the column with the times of leaving.",
        ),
        (
            ("--time-in", "进卡时间", "--longest", "30"),
            "--longest: '30' has no unit\n    Write a duration such as '15 min'.",
        ),
    ],
)
def test_options_that_cannot_be_meant(tmp_path, words, text):
    """
    Each has a fault of its own and exit code 2.
    """
    done, _, _ = fit(tmp_path, *words, days=2)

    assert isinstance(done.exception, ScenarioFault)
    assert text in str(done.exception)
    assert done.exception.exit_code == 2
