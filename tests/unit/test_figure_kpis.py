"""What figures draw of the library's KPIs, and of curves and durations beside them, is declared at the top of each and exists."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helper import ROOT, kpis, plan_of_file
from zonesim.kpi import Quantity, quantities

FOLDER = ROOT / "zonesim" / "briefing" / "figures"
FILES = sorted(FOLDER.glob("[a-z]*.py"), key=lambda path: path.stem)


@pytest.fixture(scope="module")
def plan():
    """The typical zone, for a week."""
    return plan_of_file(ROOT / "scenarios" / "typical_zone.yaml", "clock.warm_up=0 h", "clock.measure=1 week")


def named(found: tuple[Quantity, ...]) -> dict[str, set[str]]:
    """What stands in ids behind what each is about, by scope."""
    names: dict[str, set[str]] = {}
    for quantity in found:
        names.setdefault(quantity.scope, set()).update(each.what for each in quantity.told)
    return names


def unnamed(path: Path, whats: set[str]) -> Iterator[str]:
    """Texts in a module that name a KPI, but for those that are a constant of it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {node.value for node in tree.body if isinstance(node, ast.AnnAssign)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and node not in constants else None
        if isinstance(text, str) and any(text == what or f".{what}" in text for what in whats):
            yield f"{path.name}:{node.lineno}: {text}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_figures_declare_the_kpis_that_they_are_about(path, plan):
    """
    The KPIs that a figure names are in the catalogue, in the scope that it says, and it names no others further down.
    """
    module = importlib.import_module(f"zonesim.briefing.figures.{path.stem}")
    there = named(quantities(plan))

    assert [
        (scope, name)
        for scope, names in getattr(module, "KPIS", {}).items()
        for name in names
        if name not in there[scope]
    ] == []
    assert not list(unnamed(path, set().union(*there.values())))


def test_curves_and_durations_of_figures_exist(plan):
    """
    What a run tells beside its KPIs has the names by which figures ask for it.
    """
    (result,) = kpis(plan)
    modules = [importlib.import_module(f"zonesim.briefing.figures.{path.stem}") for path in FILES]
    curves = {name for module in modules for name in getattr(module, "CURVES", ())}
    samples = {name for module in modules for name in getattr(module, "SAMPLES", ())}

    assert curves
    assert samples
    assert curves <= {name.rpartition(".")[2] for name in result.curves}
    assert samples <= {name.rpartition(".")[2] for name in result.samples}


def test_an_id_further_down_is_seen(tmp_path):
    """
    A name in the middle of a text counts, one at the top of the module does not.
    """
    path = tmp_path / "case.py"
    path.write_text('PASS: Final = "pass.mean"\ndef f(place): return f"{place}.pass.mean"\n', encoding="utf-8")

    assert len(list(unnamed(path, {"pass.mean"}))) == 1
