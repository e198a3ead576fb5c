"""Figures of results folders: curves over what was varied, heat maps, and what is said when they cannot be drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from zonesim import cli
from zonesim.briefing.figures import fonts, style
from zonesim.briefing.figures.heat import heat_figures
from zonesim.briefing.figures.results_context import results_context
from zonesim.briefing.figures.sweep import shown_lines, sweep_figures
from zonesim.briefing.figures.sweep_grid import Grid
from zonesim.experiment import load_results
from zonesim.faults import ScenarioFault
from zonesim.jobs.plot import plot_job

SCENARIO = """zonesim: 1
kind: scenario
name: desk
clock: {warm_up: 2 h, measure: 20 h, cool_down: 3 h}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: {exponential: {mean: 5 min}}}}}}
traffic: {a: {flow: f, rate: 6 /h}}
"""
EXPERIMENT = """zonesim: 1
kind: experiment
name: varied
scenario: desk.yaml
arms: {one: {label: {en: One desk, zh: 一个柜台}}, two: {set: {zones.Z.desk.units: 2}, label: {en: Two desks, zh: 两个柜台}}}
futures: {grid: {traffic.a.rate: [4 /h, 6 /h, 15 /h], flows.f.work.take: {scale: [1, 1.5]}}}
replications: 3
kpis: [f.stay.mean, Z.desk.utilisation]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a small experiment with two arms and two things that nobody chooses."""
    home = tmp_path_factory.mktemp("sweep")
    (home / "desk.yaml").write_text(SCENARIO, encoding="utf-8")
    (home / "e.yaml").write_text(EXPERIMENT, encoding="utf-8")
    done = CliRunner().invoke(
        cli.app, ["sweep", str(home / "e.yaml"), "--out", str(home / "out"), "--workers", "1"], prog_name="zonesim"
    )
    assert done.exit_code == 0, done.output
    return home / "out" / "varied"


def grid_of(folder: Path) -> Grid:
    """Return the grid of the small experiment."""
    shown = results_context(folder, "en", ())
    assert shown.context.known is not None
    return Grid(shown.results, shown.context.known.world.tree)


def test_what_varies_most_is_the_first_axis_and_arms_are_lines(folder):
    """
    The rate has three values, the factor two; the number of desks, which only arms vary, tells two lines apart.
    """
    grid = grid_of(folder)

    assert [axis.path for axis in grid.axes] == ["traffic.a.rate", "flows.f.work.take"]
    assert grid.axes[0].texts == ("4 /h", "6 /h", "15 /h")
    assert grid.axes[1].is_factor
    assert shown_lines(grid) == ["one", "two"]


def test_points_are_those_of_the_results(folder):
    """
    Each point of a curve is the mean over replications of its arm in its future; an unstable one has no difference.
    """
    grid = grid_of(folder)
    table = grid.table("f.stay.mean", "two", grid.axes)
    rates = sorted({where[0] for where in table})
    future, point = table[rates[1], 1.0]

    assert point.interval.value == pytest.approx(grid.results.column("two", future, "f.stay.mean").mean())
    assert point.difference is not None
    alone = grid.table("f.stay.mean", "one", grid.axes)
    crowded = [each for where, (_, each) in alone.items() if where[0] == rates[-1]]

    assert {each.tag for each in crowded} == {"grows"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_curves_and_heat_maps_are_drawn_without_overlaps(folder, language):
    """
    Both kinds of figures are drawn in both languages, no text runs into another, and each arm is called by its label.
    """
    if language == "zh" and not fonts.chinese():
        with pytest.raises(ScenarioFault, match="fonts-noto-cjk"), style.look("zh"):
            pass
        return
    shown = results_context(folder, language, ())
    grid = grid_of(folder)
    with style.look(language):
        curves, maps = sweep_figures(shown.context, grid), heat_figures(shown.context, grid)
        assert not isinstance(curves, str)
        assert not isinstance(maps, str)
        figures = [*curves.values(), *maps.values()]
        found = [style.overlaps(figure) for figure in figures]
        words = {text.get_text() for figure in curves.values() for text in figure.legends[0].get_texts()}

    assert len(figures) >= 3
    assert found == [[]] * len(figures)
    assert any(("Two desks" if language == "en" else "两个柜台") in word for word in words)


def test_a_folder_without_results_is_a_fault(tmp_path):
    """
    `plot` of a folder that no run has written says so, with what to name instead.
    """
    with pytest.raises(ScenarioFault) as found:
        plot_job(tmp_path, "en", "png", None, [], [])

    assert (
        str(found.value) == f"{tmp_path}/study.json: cannot be read: No such file or directory\n"
        "    Name a results folder of `sweep` or `compare`."
    )


def test_an_unknown_kpi_is_a_fault(folder):
    """
    A KPI that the results do not have is named, with one that is near.
    """
    with pytest.raises(ScenarioFault) as found:
        plot_job(folder, "en", "png", None, ["f.stay.maen"], [])

    assert (
        str(found.value)
        == "--kpi: no KPI 'f.stay.maen' in these results\n    Did you mean 'f.stay.mean' or 'a.stay.mean' or 'f.work.stay.mean'?"
    )


def test_results_are_drawn_when_their_scenario_is_gone(folder, tmp_path):
    """
    Figures of a folder whose scenario is not there any more are drawn from the folder alone; nothing has changed then.
    Outside the results folder the number of the run stands in the names of the files.
    """
    scenario = folder.parent.parent / "desk.yaml"
    text = scenario.read_text(encoding="utf-8")
    scenario.unlink()
    try:
        job = plot_job(folder, "en", "png", tmp_path, [], [])
    finally:
        scenario.write_text(text, encoding="utf-8")

    number = load_results(folder).run
    assert (tmp_path / f"sweep-{number}.png").is_file()
    assert (tmp_path / f"effects-{number}.png").is_file()
    assert job.notes == []


def test_a_scenario_without_measures_has_maps_too(tmp_path):
    """
    Where no measure acts, the map shows the flows of the traffic, with what each kind of step does.
    """
    text = """zonesim: 1
kind: scenario
name: kinds
clock: {measure: 1 d}
zones: {Z: {desk: {units: 1, open: office}}}
flows:
  f:
    steps:
      both: {parallel: {papers: {hold: {d: Z.desk}, patience: {longest: 3 h}, take: 20 min}, goods: {take: 1 h}}}
      wait: {wait_until: office}
      back: {share: 10 %, spawn: {traffic: r, after: 1 h}}
traffic: {a: {flow: f, rate: 4 /h}, r: {flow: f, spawned: true}}
"""
    (tmp_path / "kinds.yaml").write_text(text, encoding="utf-8")
    job = plot_job(tmp_path / "kinds.yaml", "en", "svg", tmp_path, [], [])
    (path,) = tmp_path.glob("process_map_f-*.svg")
    drawn = path.read_text(encoding="utf-8")

    assert job.document["skipped"] == {}
    for words in ("at the same time", "gives up after 3 h", "until office opens", "starts r after 1 h"):
        assert words in drawn
