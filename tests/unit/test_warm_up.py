"""What a run says about its warm-up."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.helper import HEAD, column, kpis, plan_of
from zonesim import cli
from zonesim.analysis import Comparison
from zonesim.briefing.figures import fonts, style
from zonesim.briefing.figures.context import FigureContext, Told
from zonesim.briefing.figures.warm_up import warm_up_figure
from zonesim.briefing.text.warm_up import WarmUp, warm_up_document, warm_up_text, warm_ups
from zonesim.briefing.text.words import LANGUAGES
from zonesim.experiment.warm_up_series import inside_from_start, rhythm
from zonesim.units import DAY, HOUR, MINUTE, WEEK

BY_HAND = """
clock: {measure: 10 min, cool_down: 5 min}
zones: {Z: {desk: {units: 1}}}
flows:
  f: {steps: {serve: {hold: {d: Z.desk}, take: 4 min}}}
  g: {steps: {rest: {take: 100 h}}}
traffic: {a: {flow: f, at: [0 min, 1 min, 12 min]}, b: {flow: g, at: [90 s]}}
"""
FILLING = """
clock: {warm_up: 60 min, measure: 3000 min}
zones: {Z: {park: {units: unlimited}}}
flows: {visit: {steps: {stay: {hold: {p: Z.park}, take: {exponential: {mean: 2 h}}}}}}
traffic: {visitors: {flow: visit, rate: 60 /h}}
"""


def test_the_number_inside_from_the_start():
    """
    One is there from 0 to 4 min and one from 1 to 8, in parts of one minute; the other flow has one from 1.5 min on who
    is still inside at the end. Who comes after the measured window does not count.
    """
    found = inside_from_start(plan_of(BY_HAND), seed=1, replications=2, step=MINUTE)

    assert found["f"].tolist() == [1, 2, 2, 2, 1, 1, 1, 1, 0, 0]
    assert found["g"].tolist() == [0, 0.5, *([1] * 8)]


def test_it_is_the_same_number_as_the_kpi():
    """
    The mean over the measured window, and over replications, is `inside.mean`.
    """
    plan = plan_of(FILLING, "clock.measure=600 min")
    series = inside_from_start(plan, seed=1, replications=3, step=60 * MINUTE)["visit"]

    assert series[1:].mean() == pytest.approx(column(kpis(plan, replications=3), "visit.inside.mean").mean(), rel=1e-12)


def test_a_car_park_that_fills_needs_some_hours():
    """
    After t hours 120 (1 - exp(-t / 2 h)) cars are inside: the last 5 % come after 6 hours, so an hour is too short a
    warm-up and a day is enough.
    """
    plan = plan_of(FILLING)
    (found,) = warm_ups(plan, seed=1, replications=5)
    text = warm_up_text(plan, [found], 5)
    long = plan_of(FILLING, "clock.warm_up=24 h")

    assert found.needed is not None
    assert 4 * HOUR < found.needed < 20 * HOUR
    assert "over 5 replications; the scenario has 60 min:" in text
    assert text.endswith("are to be left out: too short")
    assert warm_up_text(long, warm_ups(long, 1, 5), 5).endswith("are to be left out: enough")
    assert warm_up_document(plan, [found]) == {"given_h": 1, "needed_h": {"visit": found.needed / HOUR}}


def test_a_weekly_rhythm_is_taken_week_by_week():
    """
    With a profile or with opening hours a value is a week; fewer than ten tell nothing. With a stay of a week the
    first weeks of thirty are still filling up.
    """
    daily = "\nprofiles: {day: {hours: [" + ", ".join("1" if 8 <= hour < 18 else "0" for hour in range(24)) + "]}}"
    short = plan_of(FILLING.replace("60 /h", "60 /d, profile: day") + daily)
    slow = FILLING.replace("60 /h", "60 /d, profile: day").replace("mean: 2 h", "mean: 1 week")
    (found,) = warm_ups(plan_of(slow + daily, "clock.measure=30 week"), seed=1, replications=2)

    assert rhythm(plan_of(FILLING)) is None
    assert rhythm(short) == WEEK
    assert warm_up_text(short, warm_ups(short, 1, 1), 1).endswith(
        "visit: the run is too short to tell where its start ends"
    )
    assert found.needed is not None
    assert found.needed % WEEK == 0
    assert found.needed >= 2 * WEEK


def test_run_says_it(tmp_path):
    """
    `run --warm-up` adds the lines below the table, and the numbers to the document.
    """
    file = tmp_path / "park.yaml"
    file.write_text("zonesim: 1\nkind: scenario\nname: park\n" + FILLING, encoding="utf-8")
    words = ["run", str(file), "--warm-up", "--replications", "2", "--workers", "1", "--out", str(tmp_path)]
    shown = CliRunner().invoke(cli.app, words)
    told = json.loads(next(tmp_path.rglob("run.json")).read_text(encoding="utf-8"))["warm_up"]

    assert "Warm-up by MSER-5, from the number inside over 2 replications; the scenario has 60 min:" in shown.stdout
    assert told["given_h"] == 1
    assert np.isfinite(told["needed_h"]["visit"])


def test_the_plot_is_drawn_where_it_is_asked_for(tmp_path):
    """`run --warm-up` draws Welch's plot beside its tables, and names the file; the averages reach over a twentieth of the run."""
    (tmp_path / "park.yaml").write_text(HEAD + FILLING, encoding="utf-8")
    words = ["run", str(tmp_path / "park.yaml"), "--warm-up", "--replications", "2", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(cli.app, words)
    (path,) = (tmp_path / "out").rglob("warm_up.png")
    (found,) = warm_ups(plan_of(FILLING), seed=1, replications=2)

    assert done.exit_code == 0, done.output
    assert str(path) in done.output
    assert path.stat().st_size > 10_000
    assert (len(found.inside), found.window) == (1000, 25)


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each == "en" or fonts.chinese() is not None])
def test_texts_of_the_plot_do_not_run_into_each_other(language):
    """Two flows, one of them too short to tell, in both languages: no text overlaps, and each flow has its panel."""
    flows = [
        WarmUp(name, needed, np.linspace(0, 50, 400) % 17, 6 * HOUR, 10)
        for name, needed in (("f", 20 * DAY), ("g", None))
    ]
    plan = plan_of(FILLING)
    told = Told("park", {"en": "A park", "zh": "停车场"}, True, "2018-09-03", "60 min", "3000 min")
    context = FigureContext({}, {"R1": ()}, Comparison("R1", {}, (), 0.95), (), 1, language, told=told)
    with style.look(language):
        figure = warm_up_figure(context, flows, plan.begin)

        assert style.overlaps(figure) == []
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["f", "g"]
