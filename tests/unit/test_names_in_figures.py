"""What figures call arms, groups of arms, what is varied and what is drawn first: never by the name of something else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.helper import ROOT
from tests.made_up import kpis, made_up, ordinary
from tests.unit.test_effect_figures import HOURS, texts, with_values
from zonesim.analysis import compare
from zonesim.briefing.figures import style
from zonesim.briefing.figures.effects import directed, effects_figures
from zonesim.briefing.figures.gate import gate_figure
from zonesim.briefing.figures.heat import heat_figures
from zonesim.briefing.figures.results_context import results_context
from zonesim.briefing.figures.sweep import sweep_figures
from zonesim.briefing.figures.sweep_grid import Grid
from zonesim.briefing.text.varied_words import axis_title, line_names, path_words
from zonesim.briefing.text.words import Words
from zonesim.experiment import Execution
from zonesim.jobs.sweep import sweep_job

EXPERIMENT = """zonesim: 1
kind: experiment
name: lanes
label: {en: Lanes and measures, zh: 通道与措施}
scenario: typical_zone.yaml
set: {clock.warm_up: 0 h, clock.measure: 1 d, clock.cool_down: 1 d}
baseline: three
arms:
  one: {set: {zones.TYP.lanes_in.units: 1, zones.TYP.lanes_out.units: 1}, label: {en: One lane, zh: 一条通道}}
  three: {set: {zones.TYP.lanes_in.units: 3, zones.TYP.lanes_out.units: 3}, label: {en: Three lanes, zh: 三条通道}}
  one_m11: {measures: [m11], set: {zones.TYP.lanes_in.units: 1, zones.TYP.lanes_out.units: 1}}
  three_m11:
    measures: [m11]
    set: {zones.TYP.lanes_in.units: 3, zones.TYP.lanes_out.units: 3}
    label: {en: Three lanes with measure 11, zh: 三条通道 + 措施11}
futures: {grid: {traffic.*.rate: {scale: [1, 2]}}}
replications: 2
kpis: [TYP.lanes_in.pass.mean, TYP.lanes_in.utilisation, all.officer_hours.day, visit.dwell.mean]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run one lane and three, with and without a measure, at two demands; three lanes are the baseline."""
    home = tmp_path_factory.mktemp("lanes")
    (home / "typical_zone.yaml").write_bytes((ROOT / "scenarios" / "typical_zone.yaml").read_bytes())
    (home / "e.yaml").write_text(EXPERIMENT, encoding="utf-8")
    job = sweep_job(home / "e.yaml", [], None, None, Execution(1), home / "out")
    assert job.exit_code == 0
    return home / "out" / "lanes"


def grid_of(folder: Path, language: str = "en"):
    """Return the context of the results in a language, and their grid."""
    shown = results_context(folder, language, ())
    return shown.context, Grid(shown.results, shown.context.known.world.tree)


def test_a_group_of_arms_is_never_called_like_one_of_them(folder):
    """
    One lane and three without measures are one line: it is called by what they have in common, and not three lanes,
    though the baseline is among them.
    """
    context, grid = grid_of(folder)
    chinese, _ = grid_of(folder, "zh")

    assert list(grid.lines.values()) == [["three", "one"], ["one_m11", "three_m11"]]
    assert list(line_names(context, grid).values()) == ["no measures", "with measure 11"]
    assert list(line_names(chinese, grid).values()) == ["无措施", "实施措施 11"]


def test_a_heat_map_compares_with_the_baseline_by_its_label(folder):
    """
    No panel shows the difference of the baseline to itself: its cells say that they are the baseline, and the panels
    are named after groups and the label of the baseline.
    """
    context, grid = grid_of(folder)
    with style.look():
        drawn = heat_figures(context, grid)
    assert isinstance(drawn, dict)
    figure = drawn["heat_all_officer_hours_day"]
    heads = [" ".join(axes.get_title(loc="left").split()) for axes in figure.axes]
    cells = [text.get_text() for text in figure.axes[1].texts]

    assert heads == [
        "no measures: value",
        "no measures: difference to Three lanes",
        "with measure 11: difference to Three lanes",
    ]
    assert cells.count("baseline") == 2
    assert "-" not in cells
    assert figure.axes[0].get_ylabel() == "units of Gate in, Gate out"
    assert figure.axes[0].get_xlabel() == "demand of all traffic, factor"


def test_a_legend_for_hatching_needs_hatching(folder):
    """
    What hatched cells mean is said only where a cell is hatched.
    """
    context, grid = grid_of(folder)
    with style.look():
        drawn = heat_figures(context, grid)
    assert isinstance(drawn, dict)
    for figure in drawn.values():
        hatched = any(patch.get_hatch() for axes in figure.axes for patch in axes.patches)
        assert hatched == any("hatched" in text for text in texts(figure))


def test_curves_are_those_of_the_experiment_with_control_first(folder):
    """
    The question is with and without a measure: hours of officers come first, then the experiment's KPIs in its order,
    and no others; one slide has two of them.
    """
    context, grid = grid_of(folder)
    with style.look():
        drawn = sweep_figures(context, grid)
    assert isinstance(drawn, dict)
    labels = [axes.get_ylabel() for figure in drawn.values() for axes in figure.axes if axes.get_ylabel()]

    assert [kpi.id for kpi in context.chief()] == [
        "all.officer_hours.day",
        "TYP.lanes_in.pass.mean",
        "TYP.lanes_in.utilisation",
        "visit.dwell.mean",
    ]
    assert [label.partition("\n")[2] for label in labels] == [
        "Officer hours per day, h/d",
        "Mean time with exceptions, s",
        "Utilisation, %",
        "Dwell, mean, h",
    ]
    assert [text.get_text() for text in drawn["sweep"].legends[0].get_texts()] == ["no measures", "with measure 11"]
    assert drawn["sweep"].axes[0].get_title(loc="left") == "units of Gate in, Gate out: 1"


@pytest.mark.parametrize(
    ("language", "said", "unsaid"),
    [
        ("en", ("Lanes and measures", "A busy medium zone (synthetic)", "Three lanes", "one m11"), "typical-zone"),
        ("zh", ("通道与措施", "繁忙的中型综保区（虚构）", "三条通道", "全部车流的需求：×1"), "Three lanes"),
    ],
)
def test_footers_speak_in_labels(folder, language, said, unsaid):
    """
    A footer says the labels of experiment, scenario, arms and what is varied, in the language of the figure.
    """
    caption = results_context(folder, language, ()).context.caption()

    for words in said:
        assert words in caption
    assert unsaid not in caption


def test_effects_of_an_experiment_are_its_kpis_by_label(folder):
    """
    The forest of an experiment has its KPIs in their order, control first, and its arms by their labels.
    """
    context, _ = grid_of(folder)
    with style.look():
        drawn = effects_figures(context)
    assert isinstance(drawn, dict)
    said = texts(drawn["effects"])
    expected = ["Officer hours per day ↓", "Mean time with exceptions ↓", "Utilisation"]

    assert [text for text in said if text in expected] == expected
    assert any(text.startswith("Officer hours per day: 25.2 h/d less (19.1 to 31.2) with one m11") for text in said)
    assert "One lane" in said
    assert not {"three", "one", "three_m11"} & set(said)


@pytest.mark.parametrize(
    ("path", "en", "zh"),
    [
        ("traffic.*.rate", "demand of all traffic", "全部车流的需求"),
        ("traffic.import_sea.rate", "demand: First-line import by sea (F1)", "一线进境（海运）（F1）的需求"),
        ("zones.TYP.docks.units", "units of Docks", "装卸月台的数量"),
        ("m11.coverage", "coverage of measure 11", "措施11的覆盖率"),
        ("measures.m21.coverage", "coverage of measure 21", "措施21的覆盖率"),
        (
            "library.gate.lane.compare.take",
            "time of Gate › Lane for goods vehicles › Compare data",
            "卡口 › 货车通道 › 数据比对的时长",
        ),
        ("library.F4b.approve.take.pert", "time of F4b › Officer approves", "F4b › 审批作业的时长"),
        (
            "library.gate.lane.check.detect.false_alarm",
            "false alarms of Gate › Lane for goods vehicles › Check papers",
            "卡口 › 货车通道 › 单证核对的误报率",
        ),
        ("truth.papers_wrong.all", "how often: Papers wrong", "单证有误的发生率"),
        ("library.gate.lane.compare.hold", "library.gate.lane.compare.hold", "library.gate.lane.compare.hold"),
        ("clock.measure", "clock.measure", "clock.measure"),
    ],
)
def test_paths_in_words(path, en, zh):
    """
    What is varied is said in words where there are words for it, in both languages; else by its path.
    """
    assert path_words(made_up(ordinary()), path) == en
    assert path_words(made_up(ordinary(), language="zh"), path) == zh


def test_a_share_of_a_measure_is_an_axis_in_words(tmp_path):
    """
    The title of an axis that a measure's parameter makes is no path.
    """
    context = made_up(ordinary(), language="zh")
    axis = type("Axis", (), {"path": "m11.coverage", "together": (), "is_factor": False})

    assert axis_title(context, axis) == "措施11的覆盖率"


# --- effects of measures


def test_control_and_hours_of_officers_come_first():
    """
    Where arms differ in measures, what is missed and stopped wrongly stands first on the first slide, then the hours of
    officers; then flows.
    """
    context = made_up(ordinary())
    with style.look():
        drawn = effects_figures(context)
    assert isinstance(drawn, dict)
    said = texts(drawn["effects"])
    order = [said.index(words) for words in ("Missed ↓", "Officer hours per day ↓", "Dwell, mean ↓")]

    assert order == sorted(order)


def test_a_row_of_nothing_is_not_drawn():
    """
    A KPI that no arm changes in any replication has no row, and is counted with what is left out.
    """
    some = [kpi.id for kpi in kpis() if kpi.headline][:2]
    context = with_values({"R1": [10.0, 12.0], "11": [5.0, 6.0]})
    for arm, runs in context.results.items():
        for number, each in enumerate(runs):
            each.values[some[0]] = 3.0 + number
            each.values[some[1]] = 3.0 + number + (arm == "11")
    renewed = replace(context, comparison=compare(context.results, [kpi.id for kpi in kpis()]))
    with style.look():
        drawn = effects_figures(renewed)
    assert isinstance(drawn, dict)
    said = texts(drawn["effects"])
    names = {kpi.id: directed(renewed, kpi) for kpi in kpis()}

    assert names[some[0]] not in said
    assert names[some[1]] in said
    assert names[HOURS] in said
    assert any("left out: 1 KPI" in text for text in said)


def test_an_interval_beyond_the_axis_ends_in_an_arrow():
    """
    An interval that goes on beyond the axis has an arrow at its end there and the footer says what that means; one that
    ends within has none.
    """
    wide = with_values({"R1": [10.0, 10.5, 10.2], "11": [3.0, 14.0, 1.0]})
    near = with_values({"R1": [10.0, 10.5, 10.2], "11": [9.0, 9.6, 9.1]})
    found = {}
    for name, context in {"wide": wide, "near": near}.items():
        with style.look():
            drawn = effects_figures(context)
        assert isinstance(drawn, dict)
        markers = {str(line.get_marker()) for line in drawn["effects"].axes[0].get_lines()}
        found[name] = ("<" in markers, any("beyond the axis" in text for text in texts(drawn["effects"])))

    assert found == {"wide": (True, True), "near": (False, False)}


def test_no_queue_is_said_and_not_magnified():
    """
    A queue of a thousandth of a vehicle is no curve on an axis of its own: the axis has whole vehicles, and it is said.
    """
    with style.look():
        figure = gate_figure(made_up(ordinary(), scale=0.0001))
        ordinary_ = gate_figure(made_up(ordinary()))
    assert not isinstance(figure, str)
    assert not isinstance(ordinary_, str)

    assert figure.axes[0].get_ylim() == (0, 1)
    assert "no queue to speak of" in [text.get_text() for text in figure.axes[0].texts]
    assert not ordinary_.axes[0].texts


def test_long_heads_take_two_lines_and_long_notes_smaller_letters():
    """
    A head too long for its column goes on in a second line, at a space where it has one; a footer that is too long for
    three lines takes four smaller ones before anything is cut.
    """
    with style.look():
        room = style.width_of("Three lanes each way", style.SMALL)
        lines = style.two_lines("Three lanes each way with measure 11", room, style.SMALL)
        notes = ["a note of some length that says what is drawn and how it is meant " * 2] * 3
        figure = style.slide("Title", "scenario", [note.strip() for note in notes])
        said = [text.get_text() for text in figure.texts]

    assert lines[0] == "Three lanes each way"
    assert lines[1].startswith("with")
    assert style.two_lines("short", room, style.SMALL) == ["short"]
    assert not any(text.endswith("…") for text in said)


def test_units_of_a_scenario_are_told_in_chinese():
    """
    Numbers on a process map have Chinese units; words that only look like units stay.
    """
    chinese = Words("zh")

    assert chinese.quantities("5/10/20 s、30 min / 2 h、45 km/h") == "5/10/20 秒、30 分钟 / 2 小时、45 公里/小时"
    assert chinese.quantities("F1 hub、3 sheds") == "F1 hub、3 sheds"
    assert Words("en").quantities("30 min") == "30 min"
