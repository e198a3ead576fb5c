"""The page on designs of experiments: every file on it compiles, and every command runs."""

from __future__ import annotations

import re
import shutil

import pytest
from typer.testing import CliRunner

from tests.helper import ROOT
from zonesim import cli
from zonesim.experiment import read_design

PAGE = (ROOT / "docs" / "how-to" / "design-an-experiment.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```yaml experiment (\S+)\n(.*?)```", PAGE, re.DOTALL))
BEGIN, OTHERS = PAGE.split("## Arms made of a list of measures")
COMMANDS = re.findall(r"^\$ zonesim (\w+) (\S+)$", OTHERS, re.MULTILINE)
CLOCK = ("clock.warm_up=12 h", "clock.measure=1 d", "clock.cool_down=12 h")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a project with the files of the page."""
    (tmp_path / "zonesim.toml").touch()
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "cells"), [("left_out.yaml", 8), ("screening.yaml", 16), ("futures.yaml", 18), ("precise.yaml", 2)]
)
def test_files_of_the_page_compile(project, name, cells):
    """
    Each has as many arms in futures as it says.
    """
    assert len(read_design(project / name, CLOCK).cells) == cells
    assert len(FILES) == 4


@pytest.mark.slow
@pytest.mark.parametrize(("command", "name"), COMMANDS)
def test_commands_of_the_page_run(project, command, name):
    """
    With a short clock each ends well; what is promised to be written is there.
    """
    few = [] if name == "precise.yaml" else ["--replications", "2"]
    options = ["--workers", "1", *few, *(word for setting in CLOCK for word in ("--set", setting))]
    done = CliRunner().invoke(cli.app, [command, name, *options])
    written = {path.name for path in (project / "results").glob("*--*/*")} if command == "sweep" else set()

    assert done.exit_code == 0, done.output
    if command == "sweep":
        assert ("main_effects.csv" in written) == (name == "screening.yaml")
        assert ("futures.csv" in written) == ("stability.csv" in written) == (name == "futures.yaml")
        assert ("enough" in done.output) == (name == "precise.yaml")


@pytest.mark.slow
def test_the_experiment_to_begin_with_runs(project):
    """
    The commands of the first section end well as they stand, one after the other, and draw figures.
    """
    lines = re.findall(r"^\$ zonesim (.*)$", BEGIN, re.MULTILINE)
    for line in lines:
        done = CliRunner().invoke(cli.app, line.split())
        assert done.exit_code == 0, done.output

    assert [line.split()[0] for line in lines] == ["new", "plan", "sweep", "plot"]
    assert list((project / "results" / "my_question").glob("sweep*.png"))
