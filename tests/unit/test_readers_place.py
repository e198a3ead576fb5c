"""What the reader's own file makes wrong in the library is told at the reader's line, the library's second."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helper import ROOT
from zonesim.faults import Faults, Place
from zonesim.plan import compile_plan
from zonesim.policy import ResolvedTree, apply, arm_named, arms_for, load_world, parse_setting, resolve
from zonesim.scenario.excerpts import explain

TYPICAL = ROOT / "scenarios" / "typical_zone.yaml"
SHIPPED = sorted((ROOT / "scenarios").glob("*.yaml"))


def compiled(world: ResolvedTree, *arms: str) -> Faults | None:
    """Return what is wrong with arms of a world."""
    try:
        for name in arms:
            compile_plan(resolve(world, arm_named(world, name)))
    except Faults as found:
        return found
    return None


def without(world: ResolvedTree, *path: str) -> ResolvedTree:
    """Return a world that lacks the value at a path; its places stay."""
    cut = world.copy()
    node = cut.tree
    for part in path[:-1]:
        node = node[part]
    del node[path[-1]]
    return cut


def test_the_zone_that_lacks_something_comes_first():
    """
    One fault for the zone, at the zone, however often the library needs what is missing; then the library's first line.
    """
    found = compiled(without(load_world(TYPICAL), "zones", "TYP", "lanes_out"), "")
    assert found is not None
    (fault,) = found.faults
    zone = load_world(TYPICAL).key_place(("zones", "TYP"))

    assert fault.place == zone
    assert fault.fault == "zone 'TYP' has no 'lanes_out'"
    assert fault.used[0].file == "library/flows/F1.yaml"
    assert len(fault.used) > 2
    shown = explain(fault).splitlines()
    assert shown[0] == f"{zone}: zone 'TYP' has no 'lanes_out'"
    assert shown[1] == f"{zone.line:>5} |   TYP:"
    assert shown[3].startswith("    used at zonesim's own library/flows/F1.yaml:69:5 and ")
    assert shown[4].startswith("   69 | ")
    assert shown[-1] == "    Did you mean 'lanes_in'?"


@pytest.mark.parametrize(
    "file",
    [pytest.param(file, id=file.stem, marks=() if file == TYPICAL else pytest.mark.slow) for file in SHIPPED],
)
def test_whatever_is_left_out_of_zones_and_arguments_is_told_in_the_scenario(file):
    """
    Each entry of each zone and each argument of each traffic entry is left out in turn: no fault stands in the library.
    """
    world = load_world(file)
    cuts = [("zones", zone, key) for zone, entries in world.tree["zones"].items() for key in entries]
    cuts += [
        ("traffic", name, "with", key) for name, each in world.tree["traffic"].items() for key in each.get("with", ())
    ]
    told = 0
    for path in cuts[:: 4 if file == TYPICAL else 1]:
        found = compiled(without(world, *path), "")
        for fault in found.faults if found is not None else ():
            assert fault.place is not None
            assert (fault.place.file, path) == (str(file), path)
            assert fault.place.line > 1
            told += 1

    assert told > 4


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("zones.TYP.lanes_in.at_shift_end=fits", "--set zones.TYP.lanes_in.at_shift_end=fits: TYP.lanes_in starts only what fits"),
        ("traffic.import_sea.with.port_km=5 min", "--set traffic.import_sea.with.port_km=5 min: '5 min' is a duration"),
        ("traffic.import_sea.with.zone=XX", "--set traffic.import_sea.with.zone=XX: no zone 'XX'"),
        ("library.gate.lane=3", "--set library.gate.lane=3: 'lane' must be a mapping"),
        ("library.gate.lane.hold.officer=TYP.none", "--set library.gate.lane.hold.officer=TYP.none: zone 'TYP' has no"),
        ("library.F1.haul.take.distance=$none", "--set library.F1.haul.take.distance=$none: no parameter 'none' here"),
        ("library.F5.gate_in.with={a: 1}", "--set library.F5.gate_in.with={a: 1}: flow 'gate'"),
        ("library.F1.together.join=x", "--set library.F1.together.join=x: the split 'trucks'"),
        ("adopted.m11.transfer.uncertain=x", "--set adopted.m11.transfer.uncertain=x: expected a share"),
        ("truth={}", "--set truth={}: no truth 'papers_wrong' in the scenario"),
    ],
)  # fmt: skip
def test_what_an_option_makes_wrong_in_the_library_is_told_at_the_option(setting, expected):
    """
    A setting of a zone, of an argument or of the library's own text stands first.
    """
    world = load_world(TYPICAL)
    apply(world, [parse_setting(setting)])
    found = compiled(world, "", "11")

    assert found is not None
    assert str(found).startswith(expected)


def test_a_class_that_nobody_has_is_told_at_the_classes_of_the_firms():
    """
    The library's shares by credit class need the classes of the scenario.
    """
    world = load_world(TYPICAL)
    shares = world.tree["firms"]["credit"]
    world.tree["firms"]["credit"] = {f"{name}_x": share for name, share in shares.items()}
    found = compiled(world, "")

    assert found is not None
    of_library = [fault.place for fault in found.faults if fault.used]
    assert of_library == [world.key_place(("firms", "credit"))]


def test_measures_chosen_on_the_command_line_know_their_option():
    """
    Measures of an arm stand where they were chosen, so that what is wrong with them is told there.
    """
    world = load_world(TYPICAL)

    assert [each.place for each in arm_named(world, "10+11").measures] == [Place("--arm 10+11"), Place("--arm 10+11")]
    assert [each.place for each in arms_for(world, ["11"])[-1].measures] == [Place("--measures")]


def test_a_folder_of_the_reader_that_is_called_library_is_the_readers(tmp_path, monkeypatch):
    """
    A scenario in a folder `library` is shown from there, and is never taken for a file of ours.
    """
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "x.yaml").write_text("zonesim: 1\nkind: scenario\nname: x\nclok: 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Faults) as found:
        load_world(Path("library/x.yaml"))

    assert "./library/x.yaml:4:1: unknown key 'clok'\n    4 | clok: 1" in explain(found.value)
