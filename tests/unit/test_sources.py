"""The register of numbers as a command: sources, counts, and which assumed numbers decide a KPI."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.helper import HEAD, ROOT
from tests.unit.test_withheld import LONG_WORK
from zonesim import cli

SCENARIO = (
    HEAD
    + """clock: {warm_up: 1 h, measure: 40 h, cool_down: 10 h}
zones: {Z: {desk: {units: 1, source: {kind: found, title: a count, body: the office, date: "2018", confidence: high}}}}
flows:
  f:
    entity: case
    source: assumed
    steps:
      read: {take: 10 min}
      serve: {hold: {d: Z.desk}, take: {exponential: {mean: {uncertain: [5 min, 6 min, 7 min]}}}}
      close: {take: 0 min}
traffic: {t: {flow: f, rate: 6 /h, source: {kind: derived, title: "=2+2 of a log"}}}
"""
)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """Write a small scenario and go there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "desk.yaml").write_text(SCENARIO, encoding="utf-8")


def invoked(*words):
    """Return what `zonesim sources` does."""
    return CliRunner().invoke(cli.app, ["sources", *words, "--workers", "1"], prog_name="zonesim")


def document(*words):
    """Return what --json tells."""
    done = invoked(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.usefixtures("desk")
def test_every_number_has_its_source():
    """Numbers stand with kind, body, title, date, confidence and place, and are counted by kind; --assumed leaves the rest out."""
    found = document("desk.yaml")
    rows = {row["path"]: row for row in found["numbers"]}

    assert rows["zones.Z.desk.units"] == {
        "path": "zones.Z.desk.units",
        "value": "1",
        "kind": "found",
        "body": "the office",
        "title": "a count",
        "date": "2018",
        "confidence": "high",
        "url": "",
        "written": "desk.yaml:5:27",
    }
    assert rows["flows.f.serve.take.exponential.mean.uncertain"]["value"] == "5 min / 6 min / 7 min"
    assert found["counts"] == {"found": 1, "derived": 1, "assumed": 3}
    assert {row["kind"] for row in document("desk.yaml", "--assumed")["numbers"]} == {"assumed"}


@pytest.mark.usefixtures("desk")
def test_what_decides_a_kpi_is_found_one_by_one():
    """
    Of the time inside: reading half or twice as long moves it by 15 min, service by its doubt and the queue by more; what is 0 cannot be scaled.
    """
    drives = document("desk.yaml", "--drives", "f.stay.mean", "--replications", "4")["drives"]
    drivers = {each["path"]: each for each in drives["drivers"]}

    assert set(drivers) == {"flows.f.read.take", "flows.f.serve.take.exponential.mean"}
    read = drivers["flows.f.read.take"]
    assert read["high"] - read["low"] == pytest.approx(15 / 60, abs=1e-6)
    assert read["low"] == pytest.approx(drives["value"] - 5 / 60, abs=1e-6)
    assert sum(each["share"] for each in drivers.values()) == pytest.approx(1)


@pytest.mark.usefixtures("desk")
def test_an_end_at_which_a_line_grows_comes_first():
    """Where at one end a line grows there is no mean to tell: the number stands first, and says so in both languages."""
    Path("desk.yaml").write_text(SCENARIO.replace("[5 min, 6 min, 7 min]", "[5 min, 6 min, 20 min]"), encoding="utf-8")
    drives = document("desk.yaml", "--drives", "f.stay.mean", "--replications", "2")["drives"]

    assert drives["drivers"][0]["path"] == "flows.f.serve.take.exponential.mean"
    assert (drives["drivers"][0]["high"], drives["drivers"][0]["share"]) == (None, None)
    assert "a line grows" in invoked("desk.yaml", "--drives", "f.stay.mean", "--replications", "2").output
    assert (
        "队列持续增长" in invoked("desk.yaml", "--drives", "f.stay.mean", "--replications", "2", "--lang", "zh").output
    )


@pytest.mark.usefixtures("desk")
def test_there_is_no_mean_over_the_runs_that_finished():
    """Where some runs withhold the KPI, for too much was unfinished, no number is made of the others."""
    Path("bias.yaml").write_text(LONG_WORK, encoding="utf-8")
    drives = document("bias.yaml", "--drives", "f.serve.service.mean", "--replications", "20")["drives"]

    assert drives["value"] is None
    assert [(each["low"], each["high"], each["share"]) for each in drives["drivers"]] == [(None, None, None)]


@pytest.mark.usefixtures("desk")
def test_the_csv_can_be_read_and_holds_no_formula():
    """--csv has a row for each number; what a spreadsheet would take for a formula is text."""
    rows = list(csv.DictReader(io.StringIO(invoked("desk.yaml", "--csv").stdout)))

    assert len(rows) == 5
    assert [row["title"] for row in rows if row["path"] == "traffic.t.rate"] == ["'=2+2 of a log"]


@pytest.mark.usefixtures("desk")
def test_slips_are_told():
    """An unknown KPI is named with what is near it."""
    done = invoked("desk.yaml", "--drives", "f.stay.mena")

    assert "--drives: no KPI 'f.stay.mena'\n    Did you mean 'f.stay.mean'" in str(done.exception)


def test_what_a_measure_brings_is_in_the_register():
    """With measure 10 the register has the numbers of its edits, with the sources that they name."""
    found = document(str(ROOT / "scenarios" / "document_desk.yaml"), "--arm", "10")
    own = [
        row for row in found["numbers"] if row["written"].endswith(tuple(f"m10.yaml:{line}:9" for line in range(40)))
    ]

    assert found["arm"] == "10"
    assert own or any("m10.yaml" in row["written"] for row in found["numbers"])
