"""`zonesim new` writes scenarios that are valid, run, and are never written over."""

from __future__ import annotations

import json

import pytest

from tests.helper import kpis, plan_of
from zonesim import cli
from zonesim.experiment import read_design
from zonesim.faults import ScenarioFault, UnknownName
from zonesim.jobs.new import ABOUT, STARTERS, starter, write_starter
from zonesim.jobs.validate import validate_file


@pytest.mark.parametrize("kind", [kind for kind in STARTERS if kind not in ABOUT])
def test_what_is_written_is_valid_and_commented(kind, tmp_path):
    """
    Each kind validates with the name it was given and without a warning, and its sections are explained.
    """
    (path,) = write_starter(str(tmp_path / "first_try"), kind)
    text = path.read_text(encoding="utf-8")
    found = validate_file(path, [])

    assert path == tmp_path / "first_try.yaml"
    assert found["scenario"] == "first_try"
    assert found["warnings"] == []
    assert "zonesim validate first_try.yaml" in text
    assert "my-" not in text
    assert text.count("# ") >= 12


@pytest.mark.parametrize(
    ("kind", "kpi", "low", "high"),
    [("queue", "counter.serve.wait.mean", 2, 8), ("gate", "PORT.lanes.pass.mean", 60, 400), ("zone", "F1.dwell.mean", 100, 220)],
)  # fmt: skip
def test_what_is_written_runs(kind, kpi, low, high):
    """
    Run for some days, each kind gives its main figure in the right order of size.
    """
    days = "2 d" if kind != "zone" else "1 d"
    clock = (
        "clock.warm_up=1 d",
        f"clock.measure={days}",
        "clock.cool_down=18 d" if kind == "zone" else "clock.cool_down=1 d",
    )
    values = kpis(plan_of(starter(kind, "x"), *clock))[0].values

    assert low < values[kpi] < high, values


def test_an_experiment_to_begin_with_is_whole(tmp_path):
    """
    `--from experiment` writes a commented experiment and the scenario that it is about: three arms of lanes in three futures of growth, which compile without
    a fault; the scenario validates without a warning, and its comments name files that are there.
    """
    path, scenario = write_starter(str(tmp_path / "my_question.yaml"), "experiment")
    design = read_design(path, [])
    text = path.read_text(encoding="utf-8")

    assert (path, scenario) == (tmp_path / "my_question.yaml", tmp_path / "my_question_gate.yaml")
    assert list(design.options) == ["two_lanes", "one_lane", "three_lanes"]
    assert design.name == "my_question"
    assert [future.name for future in design.futures] == [
        f"traffic.*.rate ×{factor}" for factor in ("1", "1.25", "1.5")
    ]
    assert len(design.cells) == 9
    assert validate_file(scenario, [])["warnings"] == []
    assert "zonesim plan my_question.yaml" in text
    assert "my-" not in text + scenario.read_text(encoding="utf-8")
    assert text.count("# ") >= 12


@pytest.mark.slow
def test_an_experiment_to_begin_with_sweeps(tmp_path, monkeypatch, capsys):
    """
    It sweeps: with every growth one lane has a longer line than two, surely, and three a shorter one.
    """
    monkeypatch.chdir(tmp_path)
    write_starter("q", "experiment")
    monkeypatch.setattr("sys.argv", ["zonesim", "sweep", "q.yaml", "--workers", "1", "--json"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    document = json.loads(capsys.readouterr().out)
    rows = [row for row in document["results"] if row["kpi"] == "PORT.lanes.queue.mean" and row["arm"] != "two_lanes"]

    assert end.value.code == 0
    assert len(rows) == 6
    for row in rows:
        assert (row["diff_low"] > 0) if row["arm"] == "one_lane" else (row["diff_high"] < 0)


def test_neither_file_of_an_experiment_is_written_over(tmp_path):
    """
    Where the scenario is there already nothing is written, and it stays as it is.
    """
    (tmp_path / "q_gate.yaml").write_text("precious", encoding="utf-8")
    with pytest.raises(ScenarioFault, match="q_gate.yaml: the file is there already"):
        write_starter(str(tmp_path / "q"), "experiment")

    assert [path.name for path in tmp_path.iterdir()] == ["q_gate.yaml"]
    assert (tmp_path / "q_gate.yaml").read_text(encoding="utf-8") == "precious"


def test_nothing_is_written_over(tmp_path):
    """
    A file that is there stays as it is, with the exact words of the fault.
    """
    path = tmp_path / "mine.yaml"
    path.write_text("precious", encoding="utf-8")
    with pytest.raises(ScenarioFault) as caught:
        write_starter(str(path), "zone")

    assert str(caught.value) == f"{path}: the file is there already\n    Choose another name, or move the file away."
    assert path.read_text(encoding="utf-8") == "precious"


@pytest.mark.parametrize(
    ("target", "kind", "message"),
    [
        ("x", "gat", "--from: no scenario 'gat' to begin with\n    Did you mean 'gate'?"),
        ("a b", "gate", "NAME: 'a b' cannot be the name of a scenario\n    Use letters, digits, '-', '_' and '.', at most 80."),
        ("nowhere/x", "gate", "nowhere/x.yaml: cannot write there: No such file or directory\n    Check the folder."),
    ],
)  # fmt: skip
def test_faults_of_new(target, kind, message, tmp_path, monkeypatch):
    """
    Wrong names, kinds and folders are faults with a remedy.
    """
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ScenarioFault, UnknownName)) as caught:
        write_starter(target, kind)

    assert str(caught.value) == message


def test_the_command_says_what_comes_next(tmp_path, monkeypatch, capsys):
    """
    `zonesim new NAME` writes NAME.yaml (a zone) and names the next command.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["zonesim", "new", "harbour"])
    with pytest.raises(SystemExit) as end:
        cli.main()

    assert end.value.code == 0
    assert capsys.readouterr().out == "harbour.yaml written. Next: zonesim validate harbour.yaml\n"
    assert "name: harbour" in (tmp_path / "harbour.yaml").read_text(encoding="utf-8")


def test_the_command_says_what_comes_after_an_experiment(tmp_path, monkeypatch, capsys):
    """
    `zonesim new --from experiment NAME` names both files, and `plan` as what comes next.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["zonesim", "new", "--from", "experiment", "q"])
    with pytest.raises(SystemExit) as end:
        cli.main()

    assert end.value.code == 0
    assert capsys.readouterr().out == "q.yaml and q_gate.yaml written. Next: zonesim plan q.yaml\n"


@pytest.mark.parametrize(
    ("profile", "measure", "expected"),
    [
        ("hours: [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]", "36 h", "with a daily profile, measure whole days"),
        ("hours: [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]", "3 d", ""),
        ("days: [1, 1, 1, 1, 1, 0, 0]", "3 d", "with a weekly profile, measure whole weeks"),
        ("days: [1, 1, 1, 1, 1, 0, 0]", "2 week", ""),
        ("days: [2, 2, 2, 2, 2, 2, 2]", "36 h", ""),
        ("months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]", "36 h", ""),
    ],
)  # fmt: skip
def test_what_repeats_is_measured_whole(tmp_path, profile, measure, expected):
    """
    Weeks where the days of a profile differ, days where only its hours do, anything where it is flat.
    """
    path = tmp_path / "x.yaml"
    path.write_text(
        f"zonesim: 1\nkind: scenario\nname: x\nclock: {{measure: {measure}}}\nprofiles: {{p: {{{profile}}}}}\n"
        "flows: {f: {steps: {s: {take: 5 min}}}}\ntraffic: {t: {flow: f, rate: 3 /h, profile: p}}\n",
        encoding="utf-8",
    )
    found = [each for each in validate_file(path, [])["warnings"] if each.startswith("clock.measure")]

    assert found == ([f"clock.measure is {measure}: {expected}"] if expected else [])
