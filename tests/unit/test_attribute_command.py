"""`zonesim attribute`: which measure contributes how much, from file to table."""

from __future__ import annotations

import csv
import json

import pytest
from typer.testing import CliRunner

from tests.helper import add_measure
from zonesim import cli

DESK = """\
zonesim: 1
kind: scenario
name: desk
clock: {start: "2018-09-03", measure: 10 d, cool_down: 1 d}
zones: {Z: {desk: {units: 1, role: officer}}}
flows:
  f:
    steps:
      first: {hold: {d: Z.desk}, take: {uniform: [20 min, 40 min]}}
      second: {take: 60 min}
traffic: {goods: {flow: f, rate: 12 /d}}
"""

MEASURE = """\
name: m{number}
annex: {number}
practices:
  p: {{label: {{en: P, zh: 做法}}, adoption: {{share: 100 %, of: token}}, edits: [{{{edit}}}]}}
"""

FASTER = (
    "set: flows.f.first.take, to: 10 min",
    "set: flows.f.second.take, to: 45 min",
    "add: flows.f.third, to: {take: 5 min}, after: second",
)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """Return the file of a desk, with three measures: a faster desk, 15 min less and 5 min more behind it."""
    for number, edit in enumerate(FASTER, start=90):
        add_measure(monkeypatch, MEASURE.format(number=number, edit=edit))
    path = tmp_path / "desk.yaml"
    path.write_text(DESK, encoding="utf-8")
    return path


def asked(desk, *options: str):
    """Return what the command says."""
    out = str(desk.parent / "out")
    return CliRunner().invoke(cli.app, ["attribute", str(desk), "--replications", "3", "--out", out, *options])


def test_what_each_measure_contributes(desk):
    """
    What comes behind the desk is 15 min less and 5 min more, whatever else is done; the rest is the faster desk; all arms are run once
    and the files say what the table says.
    """
    done = asked(desk, "--measures", "90,91,92", "--kpis", "f.dwell.mean")
    assert done.exit_code == 0, done.output
    (path,) = (desk.parent / "out").rglob("attribution.csv")
    with path.open(encoding="utf-8-sig", newline="") as text:
        rows = {(row["measure"], row["quantity"], row["with"]): row for row in csv.DictReader(text)}
    shapley = {name: float(rows[name, "shapley", ""]["difference"]) for name in ("m90", "m91", "m92")}
    joint = float(rows["", "joint", ""]["difference"])

    assert shapley["m91"] == pytest.approx(-0.25, abs=1e-9)
    assert shapley["m92"] == pytest.approx(5 / 60, abs=1e-9)
    assert sum(shapley.values()) == pytest.approx(joint, abs=1e-9)
    assert joint < -0.5
    assert abs(float(rows["m90", "pair", "m91"]["difference"])) < 1e-9
    assert float(rows["m91", "alone", ""]["difference"]) == pytest.approx(-0.25, abs=1e-9)
    assert "all together" in done.output
    assert "全部措施" in done.output


def test_the_document_has_the_same_numbers(desk):
    """
    --json has every row of the CSV, and says that all orders were looked at.
    """
    done = asked(desk, "--measures", "90,91", "--json")
    document = json.loads(done.output[done.output.index("{") :])
    (path,) = (desk.parent / "out").rglob("attribution.csv")
    with path.open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))

    assert document["exact"] is True
    assert len(document["attribution"]) == len(rows)
    assert [each["kpi"] for each in document["attribution"]] == [row["kpi"] for row in rows]


@pytest.mark.slow
def test_more_measures_are_taken_apart_exactly_where_that_is_asked_for(desk):
    """
    Of seven measures of which three act, all 128 packages are looked at: the others contribute nothing at all.
    """
    done = asked(desk, "--measures", "90,91,92,3,4,6,7", "--kpis", "f.dwell.mean", "--exact", "--json")
    document = json.loads(done.output[done.output.index("{") :])
    found = {row["measure"]: row["difference"] for row in document["attribution"] if row["quantity"] == "shapley"}

    assert document["exact"] is True
    assert {name for name, value in found.items() if value} == {"m90", "m91", "m92"}
    assert found["m91"] == pytest.approx(-0.25, abs=1e-9)
    assert len(list((desk.parent / "out" / ".cells").glob("*.parquet"))) == 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--measures", "90"), "1 measures to tell apart; from 2 to 16 can be"),
        (("--measures", "90,91", "--kpis", "f.dwel.mean"), "no KPI 'f.dwel.mean' in this scenario"),
        (("--measures", "90,77"), "no measure '77' in the library"),
        (("--measures", "90,91,92,3,4,5,6,7,8,9,10", "--exact"), "--exact: 11 measures have 2,048 packages"),
    ],
)
def test_what_cannot_be_taken_apart(desk, options, message):
    """
    Too few measures, and names of nothing, are told before anything runs.
    """
    done = asked(desk, *options)

    assert done.exit_code != 0
    assert message in str(done.exception) + done.output
