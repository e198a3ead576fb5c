"""`capacity` from the command line: its files, its words in both languages, its promises and faults."""

from __future__ import annotations

import csv
import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.helper import ROOT, plan_of
from zonesim import cli
from zonesim.analysis import bound_of
from zonesim.briefing.figures import fonts, style
from zonesim.briefing.text.bounds import bound_text
from zonesim.briefing.text.words import Words
from zonesim.experiment import Execution
from zonesim.faults import ScenarioFault
from zonesim.jobs.asking import Question
from zonesim.jobs.capacity import capacity_job
from zonesim.jobs.sizes import check_units
from zonesim.plan import compile_plan
from zonesim.policy import arms_for, load_world, resolve
from zonesim.scenario.staffing import most_on_duty, with_most

DESK = """\
zonesim: 1
kind: scenario
name: desk
label: {en: A desk, zh: 柜台}
clock: {warm_up: 1 d, measure: 8 d, cool_down: 6 h}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {serve: {hold: {d: Z.desk}, take: {exponential: {mean: 1 min}}}}}}
traffic: {t: {flow: f, rate: 30 /h}}
promises: {short: {kpi: f.serve.stay.mean, most: 2.5 min, label: {en: Served in 2.5 min, zh: 两分半办结}}}
"""


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Path:
    """Give the file of a desk, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "desk.yaml"
    file.write_text(DESK, encoding="utf-8")
    return file


def invoked(*words: str):
    """Return what a command of zonesim did."""
    return CliRunner().invoke(cli.app, [*words], prog_name="zonesim")


def faulty(file: Path, *words: str) -> str:
    """Return the message of a command that is refused before anything runs."""
    done = invoked("capacity", str(file), *words)
    assert done.exception is not None
    assert not list((file.parent / "results").rglob("*.json"))
    return str(done.exception)


def test_the_scenario_promises_and_the_answer_is_kept(desk):
    """
    The promise of the file is held against demand: its label stands in the table, and folder, CSV and JSON have the answer; in Chinese too.
    """
    words = ("capacity", "desk.yaml", "--replications", "2", "--tolerance", "10", "--workers", "1")
    done = invoked(*words)
    (folder,) = Path("results").glob("desk--capacity-*")
    document = json.loads((folder / "capacity.json").read_text(encoding="utf-8"))
    with (folder / "capacity.csv").open(encoding="utf-8-sig") as file:
        (row,) = csv.DictReader(file)
    found = document["arms"]["R1"]["multiple"]["value"]

    assert done.exit_code == 0
    assert found == pytest.approx(1.2, rel=0.1)
    assert float(row["multiple"]) == found
    assert row["run"] == document["run"]
    assert f"×{found:.2f}" in done.output
    assert "promise: Served in 2.5 min: f.serve.stay.mean <= 2.5 min" in done.output
    assert "Served in 2.5 min (2)" in done.output
    assert document["promises"][0]["most"] == 2.5
    assert "承诺：两分半办结" in invoked(*words, "--lang", "zh").output


def test_promises_of_the_command_stand_in_place_of_the_files(desk):
    """`--promise` replaces what the file promises, in the KPI's own unit or another of its kind; a share is a share."""
    asked = ["--promise", "f.serve.wait.share <= 60 %", "--promise", "f.serve.wait.p95 <= 300 s"]
    done = invoked(
        "capacity", "desk.yaml", *asked, "--replications", "1", "--tolerance", "20", "--json", "--workers", "1"
    )
    told = json.loads(done.stdout)["promises"]

    assert [(each["kpi"], each["most"], each["unit"]) for each in told] == [
        ("f.serve.wait.share", 0.6, "share"),
        ("f.serve.wait.p95", 5.0, "min"),
    ]


@pytest.mark.parametrize(
    ("promise", "message"),
    [
        ("f.serv.wait.p95 <= 3 min", "no KPI 'f.serv.wait.p95' in any arm\n    Did you mean 'f.serve.wait.p95'"),
        (
            "f.serve.wait.p95 < 3 min",
            "expected KPI <= LIMIT, or KPI >= LIMIT\n    Write 'TYP.lanes_in.pass.p95 <= 30 min'.",
        ),
        ("f.serve.wait.p95 <= 3", "'3' has no unit"),
        ("f.serve.wait.p95 <= 3 %", "'3 %' is a share, but a duration is due"),
        ("f.serve.wait.share <= 120 %", "'120 %' is more than 100 %"),
        ("Z.desk.queue.mean <= many", "expected a number of tokens, found 'many'"),
        ("Z.desk.load <= 90 %", "'Z.desk.load' is a bound, which no run measures"),
    ],
)
def test_a_promise_that_cannot_be_held(desk, promise, message):
    """A promise of no KPI, in no unit or in a wrong one is refused with what would be right, before anything runs."""
    assert f"--promise {promise}: {message}" in faulty(desk, "--promise", promise)


def test_a_promise_of_the_file_is_told_where_it_stands(desk):
    """
    An unknown KPI of the file's promise is told at its line, by `validate` too, and so is a limit of the wrong kind, or two limits.
    """
    desk.write_text(DESK.replace("f.serve.stay.mean", "f.serve.stay.mode"), encoding="utf-8")
    assert "desk.yaml:9:" in faulty(desk)
    assert "no KPI 'f.serve.stay.mode' in any arm" in str(invoked("validate", "desk.yaml").exception)
    desk.write_text(DESK.replace("2.5 min,", "2.5 km,"), encoding="utf-8")
    assert "'2.5 km' is a distance, but a duration is due" in faulty(desk)
    desk.write_text(DESK.replace("most: 2.5 min", "most: 2.5 min, least: 1 min"), encoding="utf-8")
    assert "a promise has either `most` or `least`" in faulty(desk)


def test_promises_that_are_none(desk):
    """The same promise twice, and a limit that is a list, are refused."""
    twice = ["--promise", "f.serve.wait.mean <= 1 min"] * 2
    assert "--promise: 'f.serve.wait.mean <= 1 min' is promised twice\n    Keep one of them." in faulty(desk, *twice)
    desk.write_text(DESK.replace("most: 2.5 min", "most: [2.5 min]"), encoding="utf-8")
    assert "expected a quantity\n    Write a limit such as 30 min" in faulty(desk)


def test_a_replication_that_fails_stops_the_search(desk):
    """A search needs all its replications: of one that fails, arm, multiple and reason are told, with its exit code."""
    text = DESK.replace("zones: {Z: {", "zones: {Z: {stock: {account: 5}, ")
    text = text.replace("{hold: {d: Z.desk},", "{hold: {d: Z.desk}, set: {debit: {Z.stock: 1}},")
    desk.write_text(text, encoding="utf-8")
    done = invoked("capacity", "desk.yaml", "--replications", "1", "--workers", "1")

    assert "account Z.stock would be overdrawn" in str(done.exception)
    assert "A search needs every replication." in str(done.exception)
    assert done.exception.exit_code == 3


def test_units_that_an_arm_sets_itself():
    """Where the plan of an arm has other units than were asked for, the arm is named."""
    plan = plan_of(DESK)
    check_units("11", plan, {"Z.desk": 1})
    with pytest.raises(ScenarioFault, match="arm '11' sets the units of Z.desk itself"):
        check_units("11", plan, {"Z.desk": 2})


def test_arrivals_that_have_no_multiple(desk):
    """
    Listed arrivals alone cannot be multiplied and are refused; beside a rate they stay as they are, and a warning says so.
    """
    listed = DESK.replace("rate: 30 /h", "at: [1 min, 2 min]")
    desk.write_text(listed, encoding="utf-8")
    assert "no traffic that could be multiplied" in faulty(desk)
    desk.write_text(DESK.replace("{t: {", "{u: {flow: f, at: [26 h]}, t: {"), encoding="utf-8")
    done = invoked("capacity", "desk.yaml", "--replications", "1", "--tolerance", "20", "--workers", "1")

    assert "warning: traffic u: listed or counted arrivals stay as they are written" in done.stderr


def test_compare_and_run_say_first_what_is_carried_at_most(desk):
    """
    The lines before the table of KPIs name the arms, the bound and what is fully loaded there, in both languages; files have it too.
    """
    done = invoked("run", "desk.yaml", "--replications", "1", "--workers", "1")
    lines = done.output.splitlines()
    (folder,) = Path("results").glob("desk--run*")
    with (folder / "bounds.csv").open(encoding="utf-8-sig") as file:
        (row,) = csv.DictReader(file)
    document = json.loads((folder / "run.json").read_text(encoding="utf-8"))

    assert lines[2] == "R1: without measures | 不采取措施"
    assert lines[3] == (
        "without measures: carries at most 2.00 times this demand: Z.desk is then fully loaded (bound of the traffic equations)"
        " | 不采取措施：至多承载现有需求的2.00倍：届时Z.desk满负荷（流量方程上界）"
    )
    assert [lines[4].strip(), lines[5].split()[:4]] == ["without measures", ["KPI", "指标", "unit", "不采取措施"]]
    assert (row["arm"], row["fully_loaded"]) == ("R1", "Z.desk")
    assert float(row["carries_at_most"]) == document["bounds"]["R1"]["multiple"] == pytest.approx(2.0)


def test_bounds_of_the_shipped_zone():
    """The measures together let the typical zone carry more, by the traffic equations; both bounds name a resource."""
    world = load_world(ROOT / "scenarios" / "typical_zone.yaml")
    before, after = (bound_of(compile_plan(resolve(world, arm)), 0) for arm in arms_for(world))

    assert 1 < before.multiple < after.multiple
    assert before.names
    assert after.names


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("promises", [[], ["f.serve.stay.mean <= 2.5 min", "f.serve.wait.share <= 70 %"]])
def test_the_figure_of_what_is_carried(desk, monkeypatch, language, promises):
    """
    The figure has a panel a promise, or work in system without one, what is carried where the table says it is, marked in the panel of the promise that breaks, and no texts that run into each other.
    """
    if language == "zh" and fonts.chinese() is None:
        pytest.skip("no font with Chinese letters")
    desk.write_text(DESK[: DESK.index("promises:")], encoding="utf-8")
    drawn = {}

    def saved(_, figures, *__):
        drawn.update(figures)
        return [Path("capacity.png")]

    monkeypatch.setattr("zonesim.jobs.drawing.save_all", saved)
    question = Question(desk, None, [], promises, 3, 1, tolerance=0.1)
    job = capacity_job(question, Execution(1), Path("results"), language)
    figure = drawn["capacity"]
    found = job.document["arms"]["R1"]["multiple"]["value"]

    with style.look(language):
        assert style.overlaps(figure) == []
    assert len(figure.axes) == max(len(promises), 1)
    for axes, limit in zip(figure.axes, [2.5, 70] if promises else [0], strict=True):
        marks = [line.get_xydata()[0].tolist() for line in axes.lines if line.get_marker() == "D"]
        assert marks == (
            [pytest.approx([found, limit])] if limit != 70 else []
        )  # the second promise does not break there
        assert any(line.get_xdata()[0] == found and line.get_linestyle() == ":" for line in axes.lines)
        assert axes.get_xlim()[0] < found < axes.get_xlim()[1]
    assert job.document["files"] == ["capacity.csv", "capacity.png"]


def test_sizes_from_the_command_line(desk):
    """Twice the demand needs two desks by the load and three to be served in time; table, CSV and JSON say so, in Chinese too."""
    words = ("capacity", "desk.yaml", "--size", "desk", "--growth", "2", "--replications", "3", "--workers", "1")
    done = invoked(*words, "--promise", "f.serve.wait.mean <= 5 s")
    (folder,) = Path("results").glob("desk--capacity-*size-desk-x2*")
    with (folder / "sizes.csv").open(encoding="utf-8-sig") as file:
        (row,) = csv.DictReader(file)
    document = json.loads((folder / "sizes.json").read_text(encoding="utf-8"))

    assert done.exit_code == 0
    assert (row["resource"], row["units_now"], row["units_least"], row["units_needed"]) == ("Z.desk", "1", "2", "3")
    assert document["arms"]["R1"]["needed"] == {"Z.desk": 3}
    assert "units that hold at 2 times its demand" in done.output
    assert "需求为2倍时所需的资源数" in invoked(*words, "--promise", "f.serve.wait.mean <= 5 s", "--lang", "zh").output


def test_units_by_the_hour_keep_their_proportion(desk):
    """Of units by the hour the largest number is searched, and the others stay in proportion to it, rounded up."""
    table = {"mon-fri": {"08:00-16:00": 4, "16:00-24:00": 1}, "sat": [0] * 23 + [3]}
    assert most_on_duty(table) == 4
    assert with_most(table, 8) == {"mon-fri": {"08:00-16:00": 8, "16:00-24:00": 2}, "sat": [0] * 23 + [6]}
    assert with_most(table, 2)["mon-fri"] == {"08:00-16:00": 2, "16:00-24:00": 1}
    assert with_most(3, 5) == 5

    desk.write_text(
        DESK.replace("units: 1", 'units: {mon-sun: {"00:00-12:00": 1, "12:00-24:00": 1}}'), encoding="utf-8"
    )
    words = ("capacity", "desk.yaml", "--size", "desk", "--growth", "2", "--replications", "3", "--workers", "1")
    assert invoked(*words, "--promise", "f.serve.wait.mean <= 5 s").exit_code == 0
    (folder,) = Path("results").glob("desk--capacity-*size-desk-x2*")
    assert json.loads((folder / "sizes.json").read_text(encoding="utf-8"))["arms"]["R1"]["needed"] == {"Z.desk": 3}


def test_units_that_cannot_be_sized(desk):
    """A resource that there is none of, and a growth without a size, are refused with what would be right."""
    assert "--size dekk: no limited resource 'dekk'\n    Did you mean 'desk'" in faulty(desk, "--size", "dekk")
    assert "name them with --size" in invoked("capacity", "desk.yaml", "--growth", "2").output


def test_the_page_shows_what_the_command_prints(tmp_path, monkeypatch):
    """The commands of the page print what the page shows, but for the number of the run, which goes with the version."""
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "how-to" / "ask-for-capacity.md").read_text(encoding="utf-8")
    (scenario,) = re.findall(r"```yaml scenario\n(.*?)```", page, re.DOTALL)
    Path("gate.yaml").write_text(scenario, encoding="utf-8")
    shown = re.findall(r"```console\n\$ zonesim (.*?)\n(.*?)```", page, re.DOTALL)

    assert shown
    for words, output in shown:
        done = invoked(*shlex.split(words), "--workers", "1")
        assert re.sub(r"\br[0-9a-f]{8}\b", "", done.output) == re.sub(r"\br[0-9a-f]{8}\b", "", output), words


def test_what_is_not_known_is_said(desk):
    """
    Nobody knows how many give up a wait: what is left bounds demand, and the resource is named as unknown; without any limited resource nothing is.
    """
    text = DESK.replace("hold: {d: Z.desk}", "hold: {d: Z.desk}, patience: {longest: 3 min, next: leave}")
    say = Words("en")
    desk.write_text(text.replace("promises:", "# promises:"), encoding="utf-8")
    world = load_world(desk)
    bound = bound_of(compile_plan(resolve(world, arms_for(world, [])[0])), 0)
    assert bound_text(say, bound).startswith("how much demand it carries is not known: the load of Z.desk depends")

    desk.write_text(DESK.replace("units: 1", "units: unlimited"), encoding="utf-8")
    world = load_world(desk)
    bound = bound_of(compile_plan(resolve(world, arms_for(world, [])[0])), 0)
    assert bound_text(say, bound) == "no resource is known to limit its demand (traffic equations)"
