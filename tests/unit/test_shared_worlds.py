"""Worlds share what they have in common: what one of them changes, no other sees."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helper import ROOT
from zonesim.faults import Place
from zonesim.policy import arms_for, load_world, resolve
from zonesim.policy.edits import apply, parse_setting
from zonesim.policy.places import PlaceTable
from zonesim.scenario import load_catalogue

PATHS = st.lists(st.sampled_from(["library", "F5", "steps", "take"]), max_size=4).map(tuple)


@given(
    first=st.dictionaries(PATHS, st.integers(0, 9)),
    changes=st.lists(st.tuples(st.sampled_from(["set", "forget", "repeat"]), PATHS, PATHS), max_size=8),
)
def test_a_table_is_a_mapping_and_a_copy_is_apart(first, changes):
    """
    A table of places does what a plain mapping by path does; what is done to a copy, and then to the first one, stays there.
    """
    table, plain = PlaceTable({path: Place(str(own)) for path, own in first.items()}), dict(first)
    other = table.copy()
    for what, path, to in changes:
        below = {known: own for known, own in plain.items() if known[: len(path)] == path}
        if what == "set":
            other[path], plain[path] = Place("new"), -1
        elif what == "forget":
            other.forget(path)
            plain = {known: own for known, own in plain.items() if known not in below}
        else:
            other.repeat(path, to)
            plain |= {(*to, *known[len(path) :]): own for known, own in below.items()}

    assert {path: place.file for path, place in table.items()} == {path: str(own) for path, own in first.items()}
    assert {path: place.file for path, place in other.items()} == {
        path: "new" if own == -1 else str(own) for path, own in plain.items()
    }
    assert len(other) == len(plain)
    assert all(path in other and other[path] == other.get(path) for path in plain)
    table[("zones",)] = Place("late")
    assert other.get(("zones",)) is None
    with pytest.raises(KeyError):
        _ = other[("zones",)]


@pytest.mark.parametrize("name", ["all_flows", "suzhou_industrial_park"])
def test_an_arm_changes_neither_its_world_nor_the_library(name):
    """
    To make the baseline, all measures, and a world with edits of the scenario's own concrete leaves the world, its places and the library as
    they were, though what nobody edits is one and the same text in all of them.
    """
    world = load_world(ROOT / "scenarios" / f"{name}.yaml")
    before = copy.deepcopy((world.tree, dict(world.places), dict(world.keys), load_catalogue().flows))
    own = world.copy()
    apply(
        own, [parse_setting("library.F5.seal.take=1 h"), parse_setting("regime=R0"), parse_setting("traffic.*.rate*=2")]
    )
    found = [resolve(each, arm) for each in (world, own) for arm in arms_for(world)]

    assert (world.tree, dict(world.places), dict(world.keys), load_catalogue().flows) == before
    assert own.tree["library"]["F5"] != world.tree["library"]["F5"]
    assert all(each.world.tree["library"]["due"] is world.tree["library"]["due"] for each in found)


def test_what_is_checked_once_is_known_by_its_text():
    """
    Two worlds that have a flow in common have one checked flow; a world that edits it has another one.
    """
    world = load_world(ROOT / "scenarios" / "all_flows.yaml")
    other = world.copy()
    apply(other, [parse_setting("library.F5.seal.take=1 h")])

    assert world.copy().flow("F5") is world.flow("F5")
    assert other.flow("F5") is not world.flow("F5")
    assert other.flow("F5").steps["seal"].take == "1 h"
    assert world.flow("F5").steps["seal"].take != "1 h"
