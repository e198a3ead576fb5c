"""Several arms compared at once: limits that hold together in tables and documents, and the lines that tell of them."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.helper import HEAD
from zonesim import cli
from zonesim.analysis import Difference, paired, together
from zonesim.briefing.tables.multiplicity import together_cells, together_lines

DESK = (
    HEAD.replace("timeline", "desk")
    + """clock: {warm_up: 1 h, measure: 40 h, cool_down: 10 h}
zones: {Z: {desk: {units: 2}}}
flows: {f: {source: assumed, steps: {serve: {hold: {d: Z.desk}, take: {exponential: {mean: 9 min}}}}}}
traffic: {t: {flow: f, rate: 9 /h}}
"""
)

DESKS = """zonesim: 1
kind: experiment
name: desks
scenario: desk.yaml
baseline: two
arms:
  two: []
  three: {set: {zones.Z.desk.units: 3}}
  four: {set: {zones.Z.desk.units: 4}}
  same: {scale: {flows.f.serve.take: 0.999}}
replications: 5
kpis: [f.stay.mean]
"""


def test_limits_of_several_arms_are_in_the_table(tmp_path, monkeypatch):
    """
    A sweep of three arms against one tells for each the limits that hold alone and those that hold together, in CSV and JSON,
    and how many differences are sure either way, in both languages.
    """
    monkeypatch.chdir(tmp_path)
    Path("desk.yaml").write_text(DESK, encoding="utf-8")
    Path("desks.yaml").write_text(DESKS, encoding="utf-8")
    done = CliRunner().invoke(cli.app, ["sweep", "desks.yaml", "--workers", "1"])
    with Path("results/desks/results.csv").open(encoding="utf-8-sig", newline="") as text:
        rows = {row["arm"]: row for row in csv.DictReader(text)}
    document = json.loads(CliRunner().invoke(cli.app, ["sweep", "desks.yaml", "--json"]).stdout)
    told = {each["arm"]: each for each in document["results"]}
    three = rows["three"]
    own = Difference(*(float(three[key]) for key in ("difference", "diff_low", "diff_high")), 5, 1.0)

    assert done.exit_code == 0, done.output
    assert float(three["diff_low_together"]) < float(three["diff_low"])
    assert float(three["diff_high_together"]) > float(three["diff_high"])
    assert (float(three["diff_low_together"]), float(three["diff_high_together"])) == pytest.approx(together(own, 3))
    assert told["three"]["diff_low_together"] == pytest.approx(float(three["diff_low_together"]))
    assert rows["two"]["diff_low_together"] == ""
    assert "3 arms at once: of" in done.output
    assert "同时比较3个方案" in done.output


def difference(values: list[float], arms: int) -> Difference:
    """Return a difference that is compared with others."""
    own = paired([0.0] * len(values), values)
    return Difference(own.value, own.low, own.high, own.n, own.variance_reduction, together(own, arms), arms)


def test_what_is_sure_alone_but_not_together_is_named():
    """
    A difference whose own limits are above 0, and with twenty arms no longer, is counted and named; one of a single arm has
    its own limits and no line.
    """
    weak, strong = (difference(values, 20) for values in ([1.0, 2, 3, 1, 2], [9.0, 9.5, 9, 9.5, 9]))
    lines = together_lines([("weak", weak), ("strong", strong)])

    assert (weak.is_sure, weak.is_sure_together) == (True, False)
    assert (strong.is_sure, strong.is_sure_together) == (True, True)
    assert lines == [
        "20 arms at once: of 2 differences that are surely not 0 alone, 1 are so with all arms together (Bonferroni)",
        "同时比较20个方案：单独看确定不为0的差异有2项，其中同时成立者1项（邦费罗尼校正）",
        "sure alone, not together: weak",
        "仅单独成立：weak",
    ]
    assert together_lines([("alone", paired([0.0, 0.0], [1.0, 2.0]))]) == []


def test_cells_of_one_arm_and_of_none():
    """One arm has its own limits; the baseline has none."""
    own = paired([0.0, 0.0], [1.0, 2.0])

    assert together_cells(own) == [own.low, own.high]
    assert all(map(math.isnan, together_cells(None)))
