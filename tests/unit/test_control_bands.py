"""Where nobody knows who is picked for a look, control is told as a band: in tables, files and figures, and no mean."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import openpyxl
import pytest

from tests.helper import HEAD, ROOT, add_measure, plan_of, plan_of_file
from tests.unit.test_effect_figures import texts, with_values
from tests.unit.test_expected_control import LIFTED
from zonesim.analysis import bands_of, control_of
from zonesim.api import load
from zonesim.briefing.figures import style
from zonesim.briefing.figures.effects import effects_figures
from zonesim.briefing.figures.results_context import results_context
from zonesim.briefing.figures.sweep import sweep_figures
from zonesim.briefing.figures.sweep_grid import Grid
from zonesim.briefing.text.step_words import facts_of
from zonesim.briefing.text.words import Words
from zonesim.experiment import Band, Execution, load_results
from zonesim.jobs.run import run_job
from zonesim.jobs.sweep import sweep_job
from zonesim.policy import Arm, Chosen
from zonesim.scenario import Step, load_catalogue

LESS = """name: mx
annex: 91
params: {}
practices:
  less:
    label: {en: Fewer looks, zh: 少查}
    adoption: {share: 100 %, of: token}
    edits: [{set: flows.f.look.share, to: {AEO: 1 %, ordinary: SHARE}}]
"""


def by_hand(ordinary: float, lift: float, ratio: float) -> float:
    """Return the share of the irregular that is caught, of which ordinary firms have 1 and AEO firms `ratio`."""
    return 0.9 * (min(1, lift * 0.01) * ratio + min(1, lift * ordinary)) / (ratio + 1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a scenario in which a lift of 1 to 10 and a ratio of 0.1 to 1 are possible."""
    path = tmp_path / "looks.yaml"
    path.write_text(HEAD + LIFTED.replace("1000 h", "100 h"), encoding="utf-8")
    return path


def compared(file: Path, monkeypatch: pytest.MonkeyPatch, share: str = "2.5 %"):
    """Return the job that compares with and without a measure which inspects ordinary firms more seldom."""
    add_measure(monkeypatch, LESS.replace("SHARE", share))
    job = run_job(file, ["mx"], (), 2, 1, Execution(1), file.parent / "out", only=False, with_figures=False)
    return job, Path(job.document["run"]["folder"])


def test_a_band_is_told_case_by_case():
    """
    A difference of bands is taken in each case, then the least and the most of these; where a share is of nothing it is
    unknown.
    """
    base, arm = Band((0.1, 0.4), (0.2, 0.4)), Band((0.05,), (0.05,))
    change, relative = arm.minus(base), arm.relative_to(base)

    assert (base.least, base.most) == (0.1, 0.4)
    assert change.low == pytest.approx((-0.15, -0.35))
    assert change.high == pytest.approx((-0.05, -0.35))
    assert (relative.least, relative.most) == pytest.approx((-0.875, -0.5))
    assert math.isnan(base.relative_to(Band((0.0,), (0.0,))).most)
    assert Band.of_document(base.document()) == base


def test_the_table_has_the_least_and_the_most_and_no_mean(file, monkeypatch):
    """
    Intercepted and its difference lie between what a hand finds at the ends of lift and ratio, have no mean, and a tag says why.
    """
    job, _ = compared(file, monkeypatch)
    told = job.document["arms"]["R1"]["all.irregular.caught.share"]
    ends = [by_hand(0.05, lift, ratio) for lift in (1, 10) for ratio in (0.1, 1)]
    less = [by_hand(0.025, lift, ratio) for lift in (1, 10) for ratio in (0.1, 1)]
    changes = [by_hand(0.025, lift, ratio) - by_hand(0.05, lift, ratio) for lift in (1, 10) for ratio in (0.1, 1)]
    (effect,) = (each for each in job.document["effects"] if each["kpi"] == "all.irregular.caught.share")

    assert math.isnan(told["value"])
    assert (told["low"], told["high"]) == pytest.approx((min(ends), max(ends)))
    assert told["reason"] == effect["tag"] == "band"
    assert math.isnan(effect["difference"])
    assert (effect["low"], effect["high"]) == pytest.approx((min(changes), max(changes)))
    assert effect["change"] == "worse"
    (row,) = (line for line in job.text.splitlines() if line.startswith("all.irregular Intercepted  "))
    *numbers, tag = (cell for cell in row.split()[4:] if cell not in {"to", "-"})
    ends_told = [100 * end for end in (min(ends), max(ends), min(less), max(less), min(changes), max(changes))]
    assert [float(number) for number in numbers] == pytest.approx(ends_told, abs=0.006)
    assert (row.split().count("-"), tag) == (2, "band")
    assert "band: the least and the most over what nobody knows of control" in job.text


def test_skipping_every_look_is_a_band_of_100_per_cent(file, monkeypatch):
    """
    A measure after which nobody is inspected misses exactly all, whatever the lift: that is no echo of a run's luck.
    """
    add_measure(monkeypatch, LESS.replace("{AEO: 1 %, ordinary: SHARE}", "0 %"))
    cells = {
        "R1": control_of(plan_of(LIFTED)),
        "mx": control_of(plan_of(LIFTED, arm=Arm("mx", (Chosen("mx"),)))),
    }
    bands = bands_of(cells)

    assert (bands["mx"]["all.irregular.missed.share"].least, bands["mx"]["all.irregular.missed.share"].most) == (1, 1)
    assert bands["R1"]["all.irregular.missed.share"].most < 1
    assert bands["mx"]["all.irregular.cases.day"] == bands["R1"]["all.irregular.cases.day"]


def test_beside_the_table_stands_what_each_check_does(file, monkeypatch):
    """
    Text, JSON, CSV and workbook tell for each truth what is intercepted and missed, detections, false stops and officer hours for
    one of them, and for each check who comes to it and what it finds, with the words of both languages.
    """
    job, folder = compared(file, monkeypatch)
    with (folder / "control.csv").open(encoding="utf-8-sig") as found:
        rows = {(row["arm"], row["subject"], row["quantity"]): row for row in csv.DictReader(found)}
    sheet = openpyxl.load_workbook(folder / "results.xlsx")["Control"]
    document = {(each["arm"], each["subject"], each["quantity"]): each for each in job.document["control"]}
    met = rows["R1", "f.look", "met"]
    ends = [by_hand(0.05, lift, ratio) / 0.9 for lift in (1, 10) for ratio in (0.1, 1)]

    assert set(rows) == set(document)
    assert (float(met["low"]), float(met["high"])) == pytest.approx((min(ends), max(ends)))
    assert (met["label_en"], met["label_zh"]) == ("Reached, of cases", "到达检查的问题占比")
    assert float(rows["R1", "f.look", "power"]["low"]) == pytest.approx(0.9)
    assert document["91", "all.irregular", "missed"]["high"] < 1
    assert rows["R1", "all.irregular", "hours_each"]["low"] == ""  # no officer in this scenario
    assert sheet.max_row == 1 + len(rows)
    assert "Control, as expected from the plan: least to most over a targeting lift of 1 to 10" in job.text
    assert "f.look (irregular) Reached, of cases / power" in job.text


def test_bands_are_kept_with_the_results(file, monkeypatch):
    """
    What `study.json` keeps of control is what the plans say, so that a figure drawn later has the same bands.
    """
    _, folder = compared(file, monkeypatch)
    results = load_results(folder)
    (future,) = results.futures
    kept = results.cells["R1", future].control

    assert kept == control_of(plan_of_file(file))
    assert json.loads((folder / "study.json").read_text(encoding="utf-8"))["cells"][0]["control"]["doubted"] == [
        "irregular"
    ]


def test_a_figure_draws_a_band_as_a_bar_without_a_point():
    """
    In the figure of effects a band is a bar from its least to its most, in per cent of the baseline case by case, with no mark in it;
    the numbers beside it are the two ends.
    """
    kpi = "all.irregular.missed.share"
    bands = {"R1": {kpi: Band((0.8, 0.9), (0.8, 0.9))}, "11": {kpi: Band((0.84, 0.99), (0.84, 0.99))}}
    context = with_values({"R1": [0.5, 0.6], "11": [0.7, 0.8]}, kpi, bands=bands)
    with style.look():
        drawn = effects_figures(context)
    assert isinstance(drawn, dict)
    lines = drawn["effects"].axes[0].get_lines()
    bars = [list(line.get_xdata()) for line in lines if line.get_linewidth() == 9]
    points = [line for line in lines if line.get_marker() not in {"", "None", None}]
    said = texts(drawn["effects"])

    assert bars == [pytest.approx([5.0, 10.0])]
    assert points == []
    assert f"{style.number(80)} to {style.number(90)} %" in said
    assert f"{style.number(4)} to {style.number(9)}" in said
    assert any("a bar without a mark: least to most" in text for text in said)


@pytest.mark.parametrize("name", ["typical_zone", "all_flows", "suzhou_industrial_park", "kunshan"])
def test_no_shipped_scenario_prints_a_point_of_what_nobody_knows(name):
    """
    In the scenarios of the library the irregular goods are doubted, so that what is intercepted and missed of them has
    two different ends and no mean.
    """
    control = control_of(plan_of_file(ROOT / "scenarios" / f"{name}.yaml"))
    missed = control.truths["irregular"]["not_found"]

    assert control.doubted == ("irregular",)
    assert 0.5 < missed.least < missed.most < 1
    assert control.lift == (1, 10)


def test_python_has_the_same_bands(file):
    """
    A study in memory has the ends as limits of the interval, without a mean, and what each check does.
    """
    study = load(file).run(replications=2)
    found = study.interval("all.irregular.caught.share")
    ends = [by_hand(0.05, lift, ratio) for lift in (1, 10) for ratio in (0.1, 1)]

    assert math.isnan(found.value)
    assert (found.low, found.high) == pytest.approx((min(ends), max(ends)))
    assert study.control().truths["irregular"]["intercepted"].most == pytest.approx(max(ends))
    assert [(check.step, check.power.least) for check in study.control().checks] == [("f.look", pytest.approx(0.9))]


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "finds 90 %, picked with lift 1 (1 to 10)"), ("zh", "查出90 %、布控倍数1（1至10）")],
)
def test_a_step_says_how_it_picks(language, told):
    """
    Process maps tell the lift of a check and its range beside what it finds.
    """
    step = Step(**load_catalogue().flows["F1"]["steps"]["inspect"])

    assert facts_of(step, Words(language)).check.startswith(told)


EXPERIMENT = """zonesim: 1
kind: experiment
name: looked
scenario: looks.yaml
arms: {today: [], less: {set: {flows.f.look.share: {AEO: 1 %, ordinary: 2.5 %}}}}
futures: {grid: {traffic.a.rate: [30 /h, 60 /h]}}
replications: 2
kpis: [all.irregular.caught.share, f.dwell.mean]
"""


def test_a_sweep_has_the_bands_of_every_future(file):
    """
    Tables, files and curves of an experiment have the bands too, in every future: areas without a line.
    """
    (file.parent / "e.yaml").write_text(EXPERIMENT, encoding="utf-8")
    job = sweep_job(file.parent / "e.yaml", [], None, None, Execution(1), file.parent)
    with (file.parent / "looked" / "control.csv").open(encoding="utf-8-sig") as found:
        futures = {row["future"] for row in csv.DictReader(found)}
    shown = results_context(file.parent / "looked", "en", ())
    assert shown.context.known is not None
    with style.look():
        drawn = sweep_figures(shown.context, Grid(shown.results, shown.context.known.world.tree))
    assert isinstance(drawn, dict)
    panel = next(axes for axes in drawn["sweep"].axes if "Intercepted" in axes.get_title(loc="left"))
    heights = sorted({float(path.vertices[:, 1].max()) for area in panel.collections for path in area.get_paths()})
    most = [100 * max(by_hand(share, 10, ratio) for ratio in (0.1, 1)) for share in (0.025, 0.05)]

    assert len(futures) == 2
    assert {row["tag"] for row in job.document["results"] if row["kpi"] == "all.irregular.caught.share"} == {"band"}
    assert heights == pytest.approx(most)
    assert any("without a line: least to most" in text for text in texts(drawn["sweep"]))
