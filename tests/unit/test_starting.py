"""`zonesim new` writes scenarios that are valid, run, and are never written over."""

from __future__ import annotations

import pytest

from tests.helper import kpis, plan_of
from zonesim import cli
from zonesim.faults import ScenarioFault, UnknownName
from zonesim.jobs.new import STARTERS, starter, write_starter
from zonesim.jobs.validate import validate_file


@pytest.mark.parametrize("kind", STARTERS)
def test_what_is_written_is_valid_and_commented(kind, tmp_path):
    """
    Each kind validates with the name it was given and without a warning, and its sections are explained.
    """
    path = write_starter(str(tmp_path / "first_try"), kind)
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
