import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helper import ROOT

PACKAGE = ROOT / "zonesim"

WHOLE = {"analysis", "engine", "experiment", "fitting", "kpi", "plan", "policy", "verification"}
"""Rooms of which others see the face only."""


def _face(room: str) -> set[str]:
    """The names that a room exports."""
    path = PACKAGE / room / "__init__.py"
    for node in ast.parse(path.read_text(encoding="utf-8")).body if path.exists() else ():
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return set(ast.literal_eval(node.value))
    return set()


def _imports(path: Path) -> Iterator[tuple[str, str]]:
    """Module and name of everything that a file imports from zonesim."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "zonesim":
            yield from ((node.module, name.name) for name in node.names)
        elif isinstance(node, ast.Import):
            yield from ((name.name, "") for name in node.names if name.name.partition(".")[0] == "zonesim")


def _faults(path: Path, own: str, faces: dict[str, set[str]]) -> Iterator[str]:
    for module, name in _imports(path):
        _, _, inside = module.partition(".")
        room, _, submodule = inside.partition(".")
        if room in faces and room != own:
            if any(part.startswith("_") and part != "__init__" for part in (*inside.split("."), name)):
                yield f"{path}: {module}.{name} is private to {room}"
            elif submodule and (name in faces[room] or room in WHOLE):
                yield f"{path}: {name} comes from zonesim.{room}, not from {module}"
            elif room in WHOLE and name not in faces[room]:
                yield f"{path}: zonesim.{room} does not export {name or 'itself'}"


def test_rooms_are_entered_by_the_door():
    """
    No file imports a private name of another folder, or takes from a module of it what the folder itself exports; of some
    folders the others know the face only.
    """
    faces = {path.name: _face(path.name) for path in PACKAGE.iterdir() if path.is_dir()}
    found = [
        fault
        for path in sorted(PACKAGE.rglob("*.py"))
        for fault in _faults(path, path.relative_to(PACKAGE).parts[0], faces)
    ]

    assert not found
    assert len(faces["plan"]) > 50


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from zonesim.plan import Plan", 0),
        ("from zonesim.plan.plan import Plan", 1),
        ("from zonesim.plan.ways import Ways", 1),
        ("from zonesim.kpi.folding import _hidden", 1),
        ("from zonesim.kpi.weekly import Occupancy", 1),
        ("from zonesim.scenario.paths import ODD", 0),
        ("from zonesim.experiment.eta import Remaining", 1),
        ("from zonesim.fitting import log", 1),
        ("from zonesim.fitting import fit_log", 0),
        ("from zonesim.engine.kernel import loop", 0),
        ("from numpy import _core", 0),
    ],
)
def test_a_way_past_the_door_is_seen(tmp_path, text, expected):
    """
    A private name, what a face exports taken from elsewhere, or any module of such a folder is a fault; a room's own is not.
    """
    path = tmp_path / "case.py"
    path.write_text(text, encoding="utf-8")
    faces = {room: _face(room) for room in ("engine", "experiment", "fitting", "kpi", "plan", "scenario")}

    assert len(list(_faults(path, "engine", faces))) == expected


@pytest.mark.parametrize("room", ["analysis", "api", "engine", "experiment", "kpi", "plan", "policy", "scenario"])
def test_a_face_exports_what_it_names(room):
    """
    Each name that a room exports is defined or imported there.
    """
    tree = ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8"))
    imported = {
        name.asname or name.name for node in tree.body if isinstance(node, ast.ImportFrom) for name in node.names
    }
    defined = (
        {getattr(node, "name", "") for node in tree.body}
        | {ast.unparse(target) for node in tree.body if isinstance(node, ast.Assign) for target in node.targets}
        | {ast.unparse(node.target) for node in tree.body if isinstance(node, ast.AnnAssign)}
    )

    assert _face(room) <= imported | defined
