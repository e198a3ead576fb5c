"""Figures of `sensitivity`, `best` and `robust`: they show the numbers of the tables, in both languages, also in grey."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit import test_best_command, test_robust_command, test_sensitivity_command
from zonesim.briefing.figures import fonts, marks, style
from zonesim.experiment import Execution
from zonesim.jobs import best, robust, sensitivity

needs_font = pytest.mark.skipif(fonts.chinese() is None, reason="no font with Chinese letters")
BOTH = pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=needs_font)])


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Go to an empty folder, where figures are kept by name in place of being written."""
    monkeypatch.chdir(tmp_path)
    found = {}

    def saved(_, figures, *__):
        found.update(figures)
        return [Path(f"{name}.png") for name in figures]

    monkeypatch.setattr("zonesim.jobs.drawing.save_all", saved)
    return found


def titles(figure):
    """Return what stands above a slide, in one line."""
    return " ".join(text.get_text() for text in figure.texts if text.get_fontweight() == "bold")


def check(figure, language):
    """No text runs into another or off the slide, and no title is cut."""
    with style.look(language):
        assert style.overlaps(figure) == []
    assert "…" not in titles(figure)


def points(axes, marker):
    """Return the points with a marker, as rows of x and y."""
    return np.array([xy for line in axes.lines if line.get_marker() == marker for xy in line.get_xydata().tolist()])


def moved(method, language, **more):
    """Return what `sensitivity` says of the small scenario."""
    asked = sensitivity.Asked(Path("desk.yaml"), [], kpis=["f.stay.mean"], method=method, replications=2, **more)
    job = sensitivity.sensitivity_job(asked, Execution(1), Path("results"), language)
    (own,) = job.document["sensitivity"]
    return job, {(row["number"], row["quantity"]): row["value"] for row in own["values"]}


@BOTH
@pytest.mark.parametrize("method", ["tornado", "morris", "sobol"])
def test_sensitivity_is_drawn(drawn, language, method):
    """
    Each method has a figure whose title names the number that moves the KPI most with its interval, whose points are the table's.
    """
    Path("desk.yaml").write_text(test_sensitivity_command.DESK, encoding="utf-8")
    job, rows = moved(method, language, count=None if method == "tornado" else 8)
    figure = drawn[f"{method}-f.stay.mean"]
    left = figure.axes[0]

    check(figure, language)
    assert job.document["files"] == ["sensitivity.csv", f"{method}-f.stay.mean.png"]
    assert ("moves it most" in titles(figure) or "has a part in" in titles(figure)) == (language == "en")
    assert (" to " if language == "en" else "至") in titles(figure)
    if method == "morris":
        told = [rows[name, "mu_star"] for name, quantity in rows if quantity == "mu_star" and rows[name, quantity]]
        both = [[rows[name, "mu_star"], rows[name, "sigma"]] for name, quantity in rows if quantity == "mu_star"][:3]
        assert points(left, "o")[:, 0].tolist() == pytest.approx(told)
        assert np.allclose(points(figure.axes[1], "o"), both)
        assert {text.get_text() for text in figure.axes[1].texts} == {"1", "2", "3"}
    if method == "sobol":
        for marker, quantity in (("o", "total"), ("D", "first")):
            told = [100 * value for (_, own), value in rows.items() if own == quantity][:3]
            assert points(left, marker)[:, 0].tolist() == pytest.approx(told)
    if method == "tornado":
        assert {patch.get_hatch() for patch in left.patches} == {"", "///"}


def test_where_every_line_grows_there_is_no_figure(drawn):
    """Of futures without a value nothing is drawn: no slide of empty rows; a tornado still shows the ends that have one."""
    text = test_sensitivity_command.DESK.replace("4 min, 6 min]", "60 min, 90 min]")
    Path("desk.yaml").write_text(text, encoding="utf-8")
    job, _ = moved("morris", "en", count=2)

    assert not drawn
    assert job.document["files"] == ["sensitivity.csv"]

    moved("tornado", "en")
    assert "a line grows in" in titles(drawn["tornado-f.stay.mean"])


@BOTH
def test_the_best_is_drawn(drawn, language):
    """
    A row an arm: means as in the table, the chosen one as a star and on other runs, a broken promise as a cross beyond its limit.
    """
    Path("desk.yaml").write_text(test_best_command.DESK, encoding="utf-8")
    Path("desks.yaml").write_text(test_best_command.DESKS, encoding="utf-8")
    asked = best.Asked(Path("desks.yaml"), [], "smallest f.stay.mean", "0.5 min", budgets=["zones.Z.desk.units <= 3"])
    job = best.best_job(asked, Execution(1), Path("results"), language)
    figure = drawn["best"]
    goal, promise = figure.axes
    arms = [each["arm"] for each in job.document["arms"]]
    means = {each["arm"]: each["mean"] for each in job.document["arms"]}
    names = [label.get_text() for label in goal.get_yticklabels()]

    check(figure, language)
    assert [name.split(" ")[0].split("（")[0] for name in names] == ["two", "one", "three", "four", "slower"]
    assert points(goal, "*").tolist() == [[pytest.approx(means["three"]), 2]]
    assert points(goal, "D").tolist() == [[pytest.approx(job.document["estimate"]["value"]), 2.3]]
    assert points(goal, "X").tolist() == [[pytest.approx(means["slower"]), 4]]
    assert points(goal, "o").tolist() == [[pytest.approx(means["two"]), 0]]
    assert points(promise, "X")[0][0] > 15 > points(promise, "o")[:, 0].max()
    assert {"one", "four"} <= set(arms)
    assert ("worse than three" if language == "en" else "劣于three") in {text.get_text() for text in promise.texts}
    assert f"{job.document['estimate']['value']:.3f}" in titles(figure)


@BOTH
def test_robustness_is_drawn(drawn, language):
    """
    Regrets of every future, their mean and the largest are those of the table; the box of futures has its cases inside, told by shape,
    and the star is the box that is picked.
    """
    Path("desk.yaml").write_text(test_robust_command.DESK, encoding="utf-8")
    Path("desks.yaml").write_text(test_robust_command.DESKS, encoding="utf-8")
    asked = robust.Asked(Path("desks.yaml"), [], "smallest f.stay.mean")
    job = robust.robust_job(asked, Execution(1), Path("results"), language)
    regret, box = drawn["regret"], drawn["box-two"]
    arms = job.document["arms"]
    (found,) = job.document["boxes"]
    limit = found["picked"]["limits"]["traffic.t.rate"]["high"]
    left, right = box.axes

    check(regret, language)
    check(box, language)
    assert points(regret.axes[0], "D")[:, 0].tolist() == pytest.approx([arm["mean_regret"] for arm in arms])
    assert points(regret.axes[0], ">")[:, 0].tolist() == pytest.approx([arm["largest_regret"] for arm in arms])
    assert (points(regret.axes[0], "|")[:, 1] % 1 > 0.2).sum() == 80  # below the rows; on them are ends of intervals
    assert all(arm["mean_low"] < arm["mean_regret"] < arm["mean_high"] for arm in arms)
    assert len(points(left, "o")) == found["cases"]
    assert len(points(left, "^")) == 40 - found["cases"]
    assert (points(left, "o")[:, 0] <= limit).mean() == pytest.approx(found["picked"]["coverage"])
    assert left.patches[0].get_x() + left.patches[0].get_width() == pytest.approx(limit)
    assert points(right, "*")[0].tolist() == pytest.approx(
        [100 * found["picked"][key] for key in ("coverage", "density")]
    )
    assert len(points(right, "o")) == len(found["trajectory"])


def test_words_beside_points_do_not_meet():
    """Of points on one spot each has its word where no other is, or none; also at the edge no word leaves the panel."""
    with style.look():
        figure = style.slide("Points", "caption")
        (axes,) = style.columns(figure, [(1.0, 1.0)], above=0.3)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        marks.labels(axes, {f"{number}": (0.5, 0.5) for number in range(12)} | {"corner": (0.0, 0.0)})
        words = [text.get_text() for text in axes.texts]

        assert style.overlaps(figure) == []
    assert "corner" in words
    assert 4 <= len(words) <= 9


def test_a_long_title_takes_two_lines():
    """What does not fit into one line is told in two, whole."""
    with style.look():
        figure = style.slide("A finding with its interval, " * 5 + "to the end", "caption")

        assert style.overlaps(figure) == []
    assert titles(figure) == "A finding with its interval, " * 5 + "to the end"
