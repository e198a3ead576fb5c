"""What a comparison runs beside the scenario as written: unlimited units, and the ends of doubts."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import openpyxl
import pytest

import zonesim
from tests.helper import ROOT
from zonesim.experiment import Execution, plain_design
from zonesim.faults import Faults
from zonesim.jobs.run import run_job
from zonesim.policy import Arm, Chosen, arm_named, open_world

SCENARIO = """\
zonesim: 1
kind: scenario
name: doubted
clock: {start: "2018-09-03", warm_up: 1 d, measure: 10 d, cool_down: 2 d}
zones: {Z: {lanes: {units: 1, role: lane}, lanes_in: {units: 1}, gate_officers: {units: 1, role: officer}, exception_desk: {units: 1}}}
truth: {papers_wrong: {all: {uncertain: [1 %, 5 %, 12 %]}}}
flows:
  trip:
    entity: truck
    steps:
      papers: {take: {exponential: {mean: {uncertain: [1 h, 2 h, 2 h]}}}}
      rest: {take: {uncertain: [10 min, 30 min, 1 h]}}
      in: {call: gate, with: {zone: Z, lanes: Z.lanes, vehicle: freight}}
traffic: {trucks: {flow: trip, rate: 20 /h}}
doubts:
  truth.papers_wrong: {en: wrong papers, zh: 单证有误}
  flows.trip.rest: {en: the rest, zh: 休息}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the file of a gate with one lane, whose papers are doubted."""
    path = tmp_path / "doubted.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def compared(file: Path, *settings: str, replications: int = 3, **more: bool):
    """Return the job of a comparison of measure 11 with the baseline, and its folder."""
    out = file.parent / "out"
    job = run_job(file, ["11"], settings, replications, 1, Execution(1), out, only=False, with_figures=False, **more)
    return job, Path(job.document["run"]["folder"])


def test_a_doubt_that_moves_a_headline_stands_beside_it(file):
    """
    Wrong papers make exceptions and so move the effect on the gate by more than its interval: the row says between what
    and by which assumption. An elapsed rest before the gate moves nothing and is told nowhere but in the tables.
    """
    job, folder = compared(file)
    effects = {each["kpi"]: each for each in job.document["effects"]}
    gate = {each["doubt"]: each for each in effects["Z.lanes.pass.mean"]["doubts"]}
    with (folder / "doubts.csv").open(encoding="utf-8-sig", newline="") as text:
        rows = [row for row in csv.DictReader(text) if row["kpi"] == "Z.lanes.pass.mean"]

    assert gate["truth.papers_wrong"]["counts"]
    assert not gate["flows.trip.rest"]["counts"]
    assert gate["truth.papers_wrong"]["n"] == 3
    assert "a: wrong papers 单证有误 (1 % … 12 %, truth.papers_wrong)" in job.text
    assert "the rest" not in job.text
    assert {row["doubt"]: float(row["at_high"]) for row in rows} == {name: each["high"] for name, each in gate.items()}
    assert "Doubts" in openpyxl.load_workbook(folder / "results.xlsx").sheetnames


@pytest.mark.slow
def test_an_end_is_the_difference_there_where_all_replications_ran(file):
    """With as many replications as at the ends, the low and the high end are the differences of runs with these values."""
    job, _ = compared(file)
    effect = next(each for each in job.document["effects"] if each["kpi"] == "Z.lanes.pass.mean")
    ends = {each["doubt"]: (each["low"], each["high"]) for each in effect["doubts"]}["truth.papers_wrong"]
    for share, end in zip(("1 %", "12 %"), ends, strict=True):
        there, _ = compared(file, f"truth.papers_wrong.all={share}", parts=False, doubts=False)
        again = next(each for each in there.document["effects"] if each["kpi"] == "Z.lanes.pass.mean")

        assert again["difference"] == pytest.approx(end, rel=1e-12)
        assert again["direct"] is None
        assert again["doubts"] == []


def test_a_doubt_that_is_settled_is_not_run(file):
    """What `--set` decides has no ends any more, and a path that nothing stands at is a fault at its line."""
    world = open_world(file, ["truth.papers_wrong.all=5 %"])
    arms = [arm_named(world, ""), Arm("11", (Chosen("m11"),))]
    design = plain_design(file, world, arms, [], seed=1, replications=2)
    doubts = {each.doubt for each in design.beside}
    file.write_text(SCENARIO.replace("flows.trip.rest:", "flows.trip.rast:"), encoding="utf-8")

    assert "flows.trip.rest" in doubts
    assert "truth.papers_wrong" not in doubts
    with pytest.raises(Faults) as found:
        compared(file)
    assert "doubted.yaml:17:3: no value at 'flows.trip.rast', which is doubted" in str(found.value)
    assert "rest" in str(found.value)


def test_parts_are_columns_everywhere_and_can_be_left_out(file):
    """
    Direct part and congestion stand in the table, the CSV, the workbook and the JSON, and add up; `--no-parts` runs as
    before, in a folder of its own, and `--no-doubts` leaves out the ends.
    """
    job, folder = compared(file)
    with (folder / "compare.csv").open(encoding="utf-8-sig", newline="") as text:
        rows = {row["kpi"]: row for row in csv.DictReader(text)}
    row = rows["Z.lanes.pass.mean"]
    heads = [cell.value for cell in next(openpyxl.load_workbook(folder / "results.xlsx")["Effects"].rows)]
    plain, other = compared(file, parts=False, doubts=False)
    study = json.loads((other / "study.json").read_text(encoding="utf-8"))

    assert float(row["11 direct"]) + float(row["11 congestion"]) == pytest.approx(float(row["11 difference"]))
    assert float(row["11 direct low"]) < float(row["11 direct"]) < float(row["11 direct high"])
    assert rows["Z.lanes.utilisation"]["11 direct"] == ""
    assert "congestion" in job.text
    assert any(str(head).startswith("congestion_low\n") for head in heads)
    assert study["beside"] == []
    assert "no-parts-no-doubts" in other.name
    assert "congestion" not in plain.text
    assert plain.document["effects"][0]["direct"] is None


@pytest.mark.slow
def test_what_was_run_beside_is_found_again(file, monkeypatch):
    """A second comparison runs nothing anew, neither unlimited units nor ends of doubts, and says the same."""
    first, _ = compared(file)
    monkeypatch.setattr("zonesim.experiment.runner.run_cell", lambda *_: pytest.fail("runs again"))
    again, _ = compared(file)

    assert again.document["effects"] == first.document["effects"] or all(
        math.isnan(one[key]) == math.isnan(other[key])
        for one, other in zip(first.document["effects"], again.document["effects"], strict=True)
        for key in ("difference", "low", "high")
    )


def test_python_has_the_parts_and_the_doubts(file):
    """A comparison from Python tells direct part, congestion and moves of every difference, as the command does."""
    job, _ = compared(file)
    effect = next(each for each in job.document["effects"] if each["kpi"] == "Z.lanes.pass.mean")
    study = zonesim.load(file).compare("11", replications=3)
    kpi = "Z.lanes.pass.mean"
    without = zonesim.load(file).compare("11", replications=3, parts=False, doubts=False)
    (row,) = [row for row in study.table([kpi]) if row.arm == "11"]

    assert study.direct(kpi).value == row.direct == effect["direct"]["value"]
    assert study.congestion(kpi).high == effect["congestion"]["high"]
    assert {move.doubt: (move.low, move.high) for move in study.moves(kpi)} == {
        each["doubt"]: (each["low"], each["high"]) for each in effect["doubts"]
    }
    assert math.isnan(study.direct("Z.lanes.utilisation").value)
    assert math.isnan(without.direct(kpi).value)
    assert without.moves(kpi) == ()


def test_an_end_at_which_an_arm_grows_says_so(file):
    """Where so many papers are wrong that the exception desk cannot follow, the high end has no number but a reason."""
    file.write_text(SCENARIO.replace("12 %]", "40 %]"), encoding="utf-8")
    job, _ = compared(file, parts=False)
    effect = next(each for each in job.document["effects"] if each["kpi"] == "Z.lanes.pass.mean")
    move = next(each for each in effect["doubts"] if each["doubt"] == "truth.papers_wrong")

    assert (move["high"], move["high_reason"], move["counts"]) == (None, "grows", True) or math.isnan(move["high"])
    assert "… grows a" in job.text


def test_the_direct_part_is_known_where_lines_grow(file):
    """
    Where an arm is not stable there is no difference and no congestion, for both depend on the run length; what the
    measure does without a line is known all the same.
    """
    study = zonesim.load(file).set("traffic.trucks.rate=60 /h", "clock.measure=2 d").compare("11", replications=2)
    (effect,) = [each for each in study.comparisons["as written"].effects if each.kpi == "Z.lanes.pass.mean"]

    assert effect.tag == "grows"
    assert math.isnan(study.congestion("Z.lanes.pass.mean").value)
    assert study.direct("Z.lanes.pass.mean").value < 0


@pytest.mark.slow
def test_doubts_of_the_regime_hold_in_every_scenario():
    """The shipped regime names doubts that are there, with labels in both languages."""
    file = ROOT / "scenarios" / "typical_zone.yaml"
    world = open_world(file, [])
    design = plain_design(file, world, [arm_named(world, ""), Arm("11", (Chosen("m11"),))], [], seed=1, replications=20)
    ends = {(each.doubt, each.end): each for each in design.beside if each.doubt}
    counts = {pair[1]: count for pair, count in design.counts().items()}

    assert ("adopted.m21.enter_first", "high") in ends
    assert all({"en", "zh"} <= dict(each.label).keys() for each in ends.values())
    assert counts["unlimited units"] == 20
    assert {counts[each.name] for each in ends.values()} == {5}


def test_an_end_that_is_as_written_is_not_run_again(file):
    """Where the high end of a doubt is what runs use anyway, it is the same run as that of the scenario as written."""
    file.write_text(SCENARIO.replace("flows.trip.rest:", "flows.trip.papers:"), encoding="utf-8")
    world = open_world(file, [])
    design = plain_design(file, world, [arm_named(world, ""), Arm("11", (Chosen("m11"),))], [], seed=1, replications=2)
    ends = {(each.doubt, each.end): each.name for each in design.beside if each.doubt}
    keys = {end: design.cells["R1", ends["flows.trip.papers", end]].key for end in ("low", "high")}

    assert keys["high"] == design.cells["R1", "as written"].key
    assert keys["low"] != keys["high"]
