"""The project folder: which files an input file may name."""

from __future__ import annotations

import pytest

from zonesim.faults import Place, ScenarioFault
from zonesim.scenario.paths import inside_project, project_folder

PLACE = Place("scenarios/a.yaml", 3, 7)


@pytest.fixture
def project(tmp_path):
    """Return a project folder with a scenario in a folder of its own, beside a folder that does not belong to it."""
    root = tmp_path / "project"
    (root / "scenarios").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "zonesim.toml").touch()
    (root / "data" / "log.csv").touch()
    (tmp_path / "secret.csv").touch()
    return root


def _fault(written, named_in):
    with pytest.raises(ScenarioFault) as found:
        inside_project(written, named_in, PLACE)
    return str(found.value)


def test_a_file_is_named_from_the_folder_of_the_file_that_names_it(project):
    """
    `../data/log.csv` in scenarios/a.yaml is data/log.csv of the project.
    """
    assert inside_project("../data/log.csv", project / "scenarios" / "a.yaml", PLACE) == project / "data" / "log.csv"


@pytest.mark.parametrize("mark", ["pyproject.toml", ".git", "zonesim.toml"])
def test_the_nearest_mark_makes_the_project_folder(tmp_path, mark):
    """
    The nearest folder above with a mark is the project folder, also when one further out has one too.
    """
    inner = tmp_path / "outer" / "inner" / "deep"
    inner.mkdir(parents=True)
    (tmp_path / "outer" / ".git").mkdir()
    (tmp_path / "outer" / "inner" / mark).mkdir()

    assert project_folder(inner / "a.yaml") == tmp_path / "outer" / "inner"


def test_without_a_mark_the_own_folder_is_the_project_folder(tmp_path):
    """
    A lone scenario may name files beside and below it only.
    """
    (tmp_path / "lone").mkdir()
    scenario = tmp_path / "lone" / "a.yaml"

    assert project_folder(scenario) == tmp_path / "lone"
    assert inside_project("sub/log.csv", scenario, PLACE) == tmp_path / "lone" / "sub" / "log.csv"
    assert "'../log.csv' lies outside the project folder 'lone'" in _fault("../log.csv", scenario)


def test_no_way_leads_out(project):
    """
    Neither dots nor a link lead out of the project folder, and the message says where it ends.
    """
    scenario = project / "scenarios" / "a.yaml"
    (project / "data" / "link.csv").symlink_to(project.parent / "secret.csv")
    (project / "data" / "up").symlink_to(project.parent)

    assert _fault("../../secret.csv", scenario) == (
        "scenarios/a.yaml:3:7: '../../secret.csv' lies outside the project folder 'project'\n"
        "    Copy it there. The project folder is the nearest with pyproject.toml, .git or zonesim.toml."
    )
    assert "lies outside" in _fault("../data/link.csv", scenario)
    assert "lies outside" in _fault("../data/up/secret.csv", scenario)


def test_a_link_that_stays_inside_is_followed(project):
    """
    Links within the project are as good as the file.
    """
    (project / "scenarios" / "log.csv").symlink_to(project / "data" / "log.csv")

    assert inside_project("log.csv", project / "scenarios" / "a.yaml", PLACE) == project / "data" / "log.csv"


@pytest.mark.parametrize("written", ["/etc/passwd", "~/log.csv", "C:\\log.csv", "C:log.csv", "\\\\host\\share\\x.csv"])
def test_absolute_paths_are_refused(project, written):
    """
    A path must be relative on every system.
    """
    assert _fault(written, project / "scenarios" / "a.yaml") == (
        f"scenarios/a.yaml:3:7: '{written}' is not relative\n"
        "    Name files from the folder of this file, e.g. ../data/log.csv."
    )


def test_a_name_that_no_file_can_have(project):
    """
    A zero byte or a link to itself is a fault of the input, no crash.
    """
    (project / "data" / "loop").symlink_to(project / "data" / "loop")

    assert _fault("a\0b", project / "scenarios" / "a.yaml").startswith("scenarios/a.yaml:3:7: 'a\0b' cannot be a file")
