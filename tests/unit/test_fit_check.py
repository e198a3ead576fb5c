"""`zonesim fit`: the fitted scenario beside its log by hour, and times that cannot be what they are said to be."""

from __future__ import annotations

import csv
import datetime
import json
from collections import Counter

import numpy as np
import pytest
from matplotlib import pyplot as plt
from typer.testing import CliRunner

from tests.helper import kpis, plan_of_file
from tests.logs import DAY_SHAPE, gate_log
from zonesim.briefing.figures import style
from zonesim.briefing.figures.fit import beside_figure
from zonesim.cli import app
from zonesim.fitting import Columns, Request, Rules, fit_log
from zonesim.fitting.beside import put_beside
from zonesim.fitting.fragment import write_fit
from zonesim.fitting.plausible import _waiting, doubts

COLUMNS = Columns("进卡时间", "出卡时间", "方向", lane_time="通道用时")
STAYS = Columns("进卡时间", "出卡时间")


def made(folder, columns=COLUMNS, *, span=None, lanes=0, longer=0.0, days=14):
    """Return the fit of a log whose times out are `longer` minutes later than the gate is, and the log."""
    log = gate_log(days=days, seed=4)
    at = log.header.index("出卡时间")
    for row in log.rows:
        left = datetime.datetime.strptime(row[at], "%Y/%m/%d %H:%M:%S")  # noqa: DTZ007  logs have local times
        row[at] = f"{left + datetime.timedelta(minutes=longer):%Y/%m/%d %H:%M:%S}"
    path = folder / "log.csv"
    path.write_text(log.text(), encoding="utf-8")
    return fit_log(Request(path, columns, Rules(), lanes=lanes, span=span)), log


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """A fit, its log, the check of its scenario, and the folder."""
    folder = tmp_path_factory.mktemp("check")
    fit, log = made(folder)
    paths = write_fit(fit, folder)
    return fit, log, put_beside(fit, paths[0]), paths[0]


def test_the_hours_of_the_log_are_counted_as_a_reader_would(checked):
    """
    Of a log of whole weeks, an hour's vehicles are its rows over the days; the time is their mean time in to time out.
    """
    _, log, check, _ = checked
    for each in check.ways:
        mine = [row for row in log.rows if row[3] == each.direction or row[3] == {"in": "进", "out": "出"}[each.way]]
        hours = Counter(int(row[1].split(" ")[1].split(":")[0]) for row in mine)

        assert each.logged[9] == pytest.approx(hours[9] / 14)
        assert each.logged_a_day == pytest.approx(len(mine) / 14)
        assert each.error[9] == pytest.approx(hours[9] ** 0.5 / 14)
    assert [each.way for each in check.ways] == ["in", "out"]


def test_a_log_whose_times_out_are_its_times_in_has_a_finding(tmp_path):
    """
    Where everybody leaves at once, the finding says that the model takes longer; nothing is divided by 0.
    """
    path = tmp_path / "log.csv"
    days = (f"2018-09-{day:02d} {hour:02d}:15:00" for day in range(3, 17) for hour in range(8, 18))
    path.write_text("\n".join(["in", *days]), encoding="utf-8")
    done = CliRunner().invoke(app, ["fit", str(path), "--time-in", "in", "--time-out", "in", "--out", str(tmp_path)])

    assert done.exit_code == 0, done.output
    assert "in the model, 0 ms in the log: the model has fewer lanes" in done.output


def test_the_model_has_the_arrivals_of_the_log_hour_by_hour(checked):
    """
    A scenario fitted to a Poisson log has its vehicles a day, no hour beyond chance but one in a hundred, and times
    that are those of its lanes; the vehicles are those that its KPIs count.
    """
    _, _, check, path = checked
    counted = kpis(plan_of_file(path), replications=check.runs)
    for each in check.ways:
        passes = np.mean([run.values[f"GATE.lanes_{each.way}.passes.day"] for run in counted])

        assert each.modelled_a_day == pytest.approx(each.logged_a_day, rel=0.05)
        assert len(each.apart) <= 1
        assert each.modelled_a_day == pytest.approx(passes, rel=0.002)
        assert each.modelled_mean_ms == pytest.approx(each.logged_mean_ms, rel=0.3)
        assert np.corrcoef(each.modelled, DAY_SHAPE)[0, 1] > 0.98


def test_an_hour_that_differs_is_marked(checked):
    """
    An hour whose rate in the model is not that of the log stands apart.
    """
    _, _, check, _ = checked
    each = check.ways[0]
    moved = each.modelled.copy()
    moved[[9, 15]] *= 2

    assert type(each)(**{**each.__dict__, "modelled": moved}).apart == sorted({9, 15, *each.apart})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_figure_has_a_panel_of_vehicles_and_one_of_times_for_each_way(checked, language):
    """
    Log and scenario stand in each of four panels, in the language asked for.
    """
    fit, _, check, _ = checked
    with style.look(language):
        figure = beside_figure(check, fit, language)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    plt.close("all")

    assert len(titles) == 4
    assert titles[0] == {"en": "in: vehicles", "zh": "进：车辆数"}[language]


@pytest.mark.parametrize(("load", "lanes", "wait"), [(0.5, 1, 1.0), (0.9, 1, 9.0), (0.5, 2, 1 / 3), (0.8, 2, 16 / 9)])
def test_waits_are_those_of_erlang(load, lanes, wait):
    """
    The wait of an M/M/c queue in mean services: rho / (1 - rho) for one lane, rho² / (1 - rho²) for two.
    """
    assert _waiting(load, lanes) == pytest.approx(wait)


def test_hours_at_a_gate_are_told_as_impossible(tmp_path):
    """
    Passages of 80 minutes where lanes are idle cannot be: each group is named, and `--span stay` puts it right. As
    stays in the zone, and as the passages of a gate that is really so, nothing is remarked.
    """
    long, _ = made(tmp_path, longer=80)

    assert {each.kind for each in doubts(long)} == {"passage"}
    assert len(doubts(long)) == len(long.groups)
    assert doubts(made(tmp_path, longer=80, span="stay")[0]) == []
    assert doubts(made(tmp_path)[0]) == []


def test_a_queue_may_be_as_long_as_the_gate_is_full(tmp_path):
    """
    Where the lane times load the lanes that there are, no passage is too long to be true.
    """
    fit, _ = made(tmp_path, longer=80, lanes=1)
    for group in fit.groups:
        object.__setattr__(group.lane, "mean", 5.0 * group.lane.mean)

    assert doubts(fit) == []


def test_lanes_of_hours_and_stays_of_minutes_are_told(tmp_path):
    """
    Without lane times, vehicles that met nobody and yet took 80 minutes were no vehicles in a lane; and stays of two
    minutes are passages.
    """
    lane, _ = made(tmp_path, Columns("进卡时间", "出卡时间", "方向"), longer=80, lanes=200)
    stay, _ = made(tmp_path, STAYS)

    assert {each.kind for each in doubts(lane)} == {"lane"}
    assert [each.kind for each in doubts(stay)] == ["stay"]


def test_the_report_tells_both(tmp_path):
    """
    The command says what is impossible with the way out, and writes the hours as a table, a CSV file and a figure, in
    Chinese; with --no-check it does not run the scenario.
    """
    made(tmp_path, longer=80, days=4)
    words = ["fit", str(tmp_path / "log.csv"), "--time-in", "进卡时间", "--time-out", "出卡时间", "--direction", "方向"]
    words += ["--lane-time", "通道用时", "--out"]
    chinese = CliRunner().invoke(app, [*words, str(tmp_path / "out"), "--lang", "zh"])
    quick = CliRunner().invoke(app, [*words, str(tmp_path / "quick"), "--no-check"])
    document = json.loads((tmp_path / "out" / "fit.json").read_text(encoding="utf-8"))
    table = list(csv.reader((tmp_path / "out" / "fit_check.csv").read_text(encoding="utf-8-sig").splitlines()))

    assert "不可能成立" in chinese.output
    assert "请用 --span stay。" in chinese.output
    assert "模型与日志对照，按时段（fragment.yaml，" in chinese.output
    assert len(document["warnings"]) == 2
    assert len(document["beside"]["by_direction"]["in"]["vehicles_an_hour"]["log"]) == 24
    assert len(table) == 1 + 2 * 2 * 24
    assert (tmp_path / "out" / "fit_check.png").exists()
    assert "is impossible" in quick.output
    assert "say --span stay." in quick.output
    assert "Model beside log" not in quick.output
    assert not (tmp_path / "quick" / "fit_check.csv").exists()
