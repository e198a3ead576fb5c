"""What tables call arms: what people call them, in both languages; the name that commands take is told once above."""

from __future__ import annotations

from tests.helper import ROOT
from zonesim.briefing.tables.headlines import against
from zonesim.briefing.text.arm_names import ArmHeads, NamedArm, arm_lines, arm_title
from zonesim.briefing.text.words import CHINESE, ENGLISH
from zonesim.policy import Chosen, arms_for, open_world
from zonesim.scenario import load_catalogue

ELEVEN = next(measure for measure in load_catalogue().measures.values() if measure.number == "11")


def heads() -> ArmHeads:
    """Return the heads of a baseline, of measure 11, of an arm with a label, and of one that people have named."""
    arms = [
        NamedArm("R1", {}, ()),
        NamedArm("11", {}, (Chosen(ELEVEN.name),)),
        NamedArm("lanes_3", {"en": "Three lanes", "zh": "三条通道"}, ()),
        NamedArm("two_desks", {}, (), edited=True),
    ]
    return ArmHeads(arms)


def test_heads_are_what_people_call_an_arm():
    """English stands over Chinese; labels come first; a name that people gave is written once; others stay."""
    found = heads()

    assert found.head("R1") == "without measures\n不采取措施"
    assert found.head("11") == "measure 11\n措施11"
    assert found.line("lanes_3") == "Three lanes | 三条通道"
    assert (found.head("two_desks"), found.line("two_desks")) == ("two desks", "two desks")
    assert found.head("unheard") == "unheard"
    assert [found.column(names) for names in (["two_desks"], ["two_desks", "R1"])] == [False, True]
    assert against(found, "11", "R1") == "measure 11 against without measures | “措施11”与“不采取措施”相比"


def test_the_name_that_commands_take_stands_above():
    """Lines above a table have the name of each arm before what it is called, also where they differ by a letter."""
    world = open_world(ROOT / "scenarios" / "typical_zone.yaml", [])
    lines = arm_lines([NamedArm("R1", {}, ()), NamedArm("two_desks", {}, (), edited=True)], world)

    assert lines == ["R1: without measures | 不采取措施", "two_desks: two desks"]
    assert [arm_title(say, arms_for(world)[-1], world) for say in (ENGLISH, CHINESE)] == ["all measures", "全部措施"]
