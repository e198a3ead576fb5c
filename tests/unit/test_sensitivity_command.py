"""`zonesim sensitivity`: which doubted numbers decide, from file to table, figure and CSV."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.helper import HEAD, ROOT, add_measure
from zonesim import cli
from zonesim.experiment import Factor
from zonesim.jobs import doubted

DESK = (
    HEAD
    + """clock: {warm_up: 1 h, measure: 40 h, cool_down: 10 h}
zones: {Z: {desk: {units: 1}, other: {units: unlimited}}}
flows:
  f:
    source: assumed
    steps:
      read: {take: 10 min}
      serve: {hold: {d: Z.desk}, take: {exponential: {mean: {uncertain: [3 min, 4 min, 6 min]}}}}
  g:
    source: {kind: found, title: a count, body: the office, date: "2018", confidence: high}
    steps:
      elsewhere: {hold: {d: Z.other}, take: {exponential: {mean: {uncertain: [1 min, 5 min, 20 min]}}}}
traffic: {t: {flow: f, rate: {uncertain: [5 /h, 6 /h, 7 /h]}}, u: {flow: g, rate: 3 /h}}
"""
)

READ, SERVE, ELSEWHERE, RATE = (
    "flows.f.read.take",
    "flows.f.serve.take.exponential.mean",
    "flows.g.elsewhere.take.exponential.mean",
    "traffic.t.rate",
)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """Write a small scenario and go there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "desk.yaml").write_text(DESK, encoding="utf-8")


def invoked(*words):
    """Return what `zonesim sensitivity desk.yaml` does."""
    return CliRunner().invoke(cli.app, ["sensitivity", "desk.yaml", *words, "--workers", "1"], prog_name="zonesim")


def told(*words):
    """Return what --json tells of the only KPI, by number and quantity, and the whole document."""
    done = invoked(*words, "--of", "f.stay.mean", "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    (own,) = document["sensitivity"]
    return {(row["number"], row["quantity"]): row for row in own["values"]}, document


@pytest.mark.usefixtures("desk")
def test_a_tornado_has_what_can_be_worked_out():
    """
    Reading half or twice as long moves the time inside by 15 min in every replication; what is elsewhere by 0 exactly.
    """
    rows, _ = told("--replications", "3", "--no-figures")

    assert rows[READ, "swing"]["value"] == pytest.approx(15 / 60, abs=1e-6)
    assert rows[READ, "swing"]["high"] - rows[READ, "swing"]["low"] < 1e-6
    assert (rows[ELSEWHERE, "swing"]["value"], rows[ELSEWHERE, "swing"]["low"]) == (0, 0)
    assert rows[SERVE, "swing"]["low"] > 0
    assert rows["", "middle"]["value"] == pytest.approx(rows[READ, "low"]["value"] + 5 / 60, abs=1e-6)


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("method", "points", "quantities"),
    [("morris", "4", ("mu_star", "mu", "sigma")), ("sobol", "8", ("total", "first"))],
)
def test_what_changes_nothing_has_index_zero_exactly(method, points, quantities):
    """
    The number of a flow that shares nothing has an index of 0 with limits of 0, by either method; the others have not.
    """
    rows, document = told("--method", method, "--points", points, "--replications", "2")

    for quantity in quantities:
        own = rows[ELSEWHERE, quantity]
        assert (own["value"], own["low"], own["high"]) == (0, 0, 0)
    for other in (READ, SERVE, RATE):
        assert rows[other, quantities[0]]["value"] > 0
    assert 0 <= document["sensitivity"][0]["luck"] < 0.5


@pytest.mark.usefixtures("desk")
def test_cells_are_kept():
    """
    What a tornado has run is not run again for another KPI, nor by `sources`; more replications run only the new ones.
    """
    assert invoked("--of", "f.stay.mean", "--replications", "2", "--no-figures").exit_code == 0
    cells = {path: path.stat().st_mtime_ns for path in Path("results", ".cells").rglob("*.parquet")}
    assert invoked("--of", "f.serve.wait.mean", "--replications", "2", "--no-figures").exit_code == 0
    words = ["sources", "desk.yaml", "--drives", "f.stay.mean", "--replications", "2", "--workers", "1"]
    assert CliRunner().invoke(cli.app, words).exit_code == 0

    assert {path: path.stat().st_mtime_ns for path in Path("results", ".cells").rglob("*.parquet")} == cells
    assert cells


@pytest.mark.usefixtures("desk")
def test_what_is_told_does_not_depend_on_batches(monkeypatch):
    """Three futures at a time, or a hundred, with results of their own: the same numbers."""
    words = ("--method", "morris", "--points", "3", "--replications", "2")
    whole, _ = told(*words, "--out", "one")
    monkeypatch.setattr(doubted, "BATCH", 3)
    batches, _ = told(*words, "--out", "other")

    assert batches == whole


@pytest.mark.usefixtures("desk")
def test_files_say_what_the_table_says():
    """
    The CSV has the rows of the JSON, with labels in both languages; the table is there in both, the figure in the language asked for.
    """
    rows, document = told("--replications", "2")
    (path,) = Path("results").glob("*/sensitivity.csv")
    with path.open(encoding="utf-8-sig", newline="") as text:
        written = list(csv.DictReader(text))
    chinese = invoked("--of", "f.stay.mean", "--replications", "2", "--lang", "zh", "--no-figures").stdout

    assert [(row["number"], row["quantity"]) for row in written] == list(rows)
    assert {row["label_zh"] for row in written} == {"f：在途总时间均值"}
    assert (path.parent / "tornado-f.stay.mean.png").stat().st_size > 10_000
    assert document["files"] == ["sensitivity.csv", "tornado-f.stay.mean.png"]
    assert "哪些存疑参数起决定作用" in chinese
    assert "1项参数对结果毫无影响" in chinese


@pytest.mark.usefixtures("desk")
def test_an_end_at_which_a_line_grows_is_told():
    """
    Where service may be longer than gaps that number stands first without a swing, and Sobol tells no shares.
    """
    Path("desk.yaml").write_text(DESK.replace("4 min, 6 min]", "4 min, 20 min]"), encoding="utf-8")
    rows, document = told("--replications", "2", "--no-figures")
    first = next(name for name, quantity in rows if quantity == "swing")
    shares = invoked("--of", "f.stay.mean", "--method", "sobol", "--points", "8", "--replications", "2").stdout

    assert (first, rows[SERVE, "swing"]["value"], rows[SERVE, "swing"]["reason"]) == (SERVE, None, "grows")
    assert document["sensitivity"][0]["unknown"] == 1
    assert "no shares of variance can be told" in shares


@pytest.mark.usefixtures("desk")
def test_what_an_arm_does_has_the_parameters_of_its_measures(monkeypatch):
    """
    Of an arm it is the difference to the baseline that is told: what both share moves it less, and the measure's own number is among those doubted.
    """
    add_measure(
        monkeypatch,
        """name: m95
annex: 95
params: {coverage: {default: 50 %, low: 20 %, high: 80 %, source: {kind: assumed, title: a guess}}}
practices:
  one: {label: {en: One, zh: 一}, adoption: {share: $coverage, of: token}, edits: [{set: flows.f.read.take, to: 5 min}]}
""",
    )
    rows, document = told("--arm", "95", "--replications", "2", "--no-figures")

    assert document["baseline"] == "R1"
    assert rows["", "middle"]["value"] == pytest.approx(-0.5 * 5 / 60, abs=0.012)
    assert rows["measures.m95.coverage", "swing"]["value"] == pytest.approx(-0.6 * 5 / 60, abs=0.012)
    assert abs(rows[SERVE, "swing"]["value"]) < 0.01


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--of", "f.stay.mena"), "--of: no KPI 'f.stay.mena'\n    Did you mean 'f.stay.mean'"),
        (("--method", "sobl"), "--method: no method 'sobl'\n    Did you mean 'sobol'"),
        (("--numbers", "flows.f.serv"), "--numbers: no doubted number at 'flows.f.serv'\n    Did you mean 'flows.f.serve"),
        (("--method", "sobol", "--points", "48"), "--points: 48 rows are no power of 2, which a Sobol sequence is balanced at\n    Write 32."),
        (("--method", "morris", "--points", "1"), "--points: 1 walk or row tells no spread\n    Ask for at least 2."),
        (("--points", "8"), "--points: a tornado tries both ends of every number, and no points besides\n    Ask with --method morris or sobol, or leave it out."),
        (("--method", "morris", "--numbers", "traffic"), "--numbers: morris tells numbers apart, and there is one: traffic.t.rate\n    Ask with --method tornado."),
        (("--method", "morris", "--replications", "1"), "--replications: the luck of one replication cannot be told from what the numbers do\n    Ask for at least 2."),
        (("--of", "Z.desk.load"), "--of: 'Z.desk.load' is a bound, which no run measures\n    Ask of what is measured."),
        (("--lang", "fr"), "--lang: no language 'fr'"),
    ],
)  # fmt: skip
def test_slips_are_told(words, message):
    """Each slip is told with its option and what would be right, before anything runs."""
    done = invoked(*words)

    assert done.exit_code != 0
    assert message in str(done.exception)
    assert not Path("results").exists() or not list(Path("results").rglob("*.parquet"))


def test_nothing_doubted_is_told(tmp_path, monkeypatch):
    """A scenario of known numbers alone has nothing to ask."""
    monkeypatch.chdir(tmp_path)
    text = HEAD + "clock: {measure: 1 d}\nflows: {f: {steps: {a: {take: 0 min}}}}\ntraffic: {t: {flow: f, at: [1 h]}}\n"
    Path("desk.yaml").write_text(text, encoding="utf-8")
    done = invoked()

    assert "desk.yaml: no number is doubted, and no time is assumed" in str(done.exception)
    assert "Write {uncertain: [low, mode, high]}" in str(done.exception)


def test_quantiles_of_a_number():
    """
    From low to high; whole numbers stay whole; a factor on times is 1 in the middle, and as likely half as twice.
    """
    share = Factor(("truth", "x"), "2 %", "5 %", "8 %")
    units = Factor(("zones", "Z", "units"), 1, 2, 5)
    times = Factor(("flows", "f", "take"), 0.5, 1.0, 2.0, scaled=True)

    assert [share.at(each).text for each in (0, 0.5, 1)] == ["2 %", "5 %", "8 %"]
    assert [units.at(each).text for each in (0, 1)] == ["1", "5"]
    assert [times.at(each).number for each in (0, 0.5, 1)] == pytest.approx([0.5, 1, 2])
    assert math.log(times.at(0.2).number) == pytest.approx(-math.log(times.at(0.8).number), abs=1e-5)
    assert times.at(0.5).request.edit.scale == "flows.f.take"


@pytest.mark.slow
def test_a_shipped_scenario(tmp_path):
    """
    What measure 10 does at the busy desk depends on how long an approval takes, and on how much of it the measure covers.
    """
    file = str(ROOT / "scenarios" / "document_desk.yaml")
    words = [
        "sensitivity",
        file,
        "--arm",
        "10",
        "--replications",
        "2",
        "--no-figures",
        "--json",
        "--out",
        str(tmp_path),
    ]
    done = CliRunner().invoke(cli.app, words)
    (own,) = json.loads(done.stdout)["sensitivity"]
    first = [row["number"] for row in own["values"] if row["quantity"] == "swing"][:2]

    assert own["kpi"] == "F4b.approve.wait.mean"
    assert first == ["library.F4b.approve.take", "measures.m10.coverage"]
