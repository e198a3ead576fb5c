"""Hidden truths and the checks that find them or do not."""

from __future__ import annotations

import pytest

from tests.helper import plan_of, run

GATE = """
clock: {{measure: 100 min}}
zones: {{Z: {{lane: {{units: 1}}, desk: {{units: 1}}}}}}
truth: {{papers_wrong: {{all: {wrong}}}}}
flows:
  gate:
    steps:
      lane:
        hold: {{l: Z.lane}}
        steps:
          drive: {{take: 1 min}}
          check: {{detect: {{truth: papers_wrong, sensitivity: {finds}, false_alarm: {false}}}}}
      side: {{when: {{marked: stopped}}, hold: {{d: Z.desk}}, take: 30 min, correct: papers_wrong}}
      again: {{detect: {{truth: papers_wrong, sensitivity: 100 %}}}}
traffic: {{a: {{flow: gate, at: [0 min, 0 min]}}}}
""".replace("false_alarm: {false}}}}}", "false_alarm: {false}, on_hit: {{mark: stopped}}}}}}")


def story(engine: str, **values: str) -> dict[str, list[str]]:
    """Return who has which mark of the check."""
    line = run(GATE.format(**values), engine=engine)
    marks = ("checked", "caught", "missed", "false_stop")
    return {mark: sorted(line.marks(f"papers_wrong.{mark}")) for mark in marks} | {
        "left": list(line.marks("left").values())
    }


def test_a_sharp_check_stops_what_is_wrong(engine):
    """
    With sensitivity 100 % every wrong paper is caught; the exception desk is outside the lane, and corrected papers pass.
    """
    assert story(engine, wrong="100 %", finds="100 %", false="0 %") == {
        "checked": ["a0", "a1"],
        "caught": ["a0", "a1"],
        "missed": [],
        "false_stop": [],
        "left": [31, 61],
    }


def test_a_blind_check_misses_and_a_later_one_catches(engine):
    """
    With sensitivity 0 % the truth stays with the token: a later check finds it.
    """
    found = story(engine, wrong="100 %", finds="0 %", false="0 %")

    assert found["missed"] == ["a0", "a1"]
    assert found["caught"] == ["a0", "a1"]
    assert found["left"] == [1, 2]


def test_a_false_alarm_stops_who_is_right(engine):
    """
    With false alarms of 100 % every right paper is stopped, and counted as a false stop.
    """
    assert story(engine, wrong="0 %", finds="100 %", false="100 %") == {
        "checked": ["a0", "a1"],
        "caught": [],
        "missed": [],
        "false_stop": ["a0", "a1"],
        "left": [31, 61],
    }


def test_a_truth_is_the_same_whatever_the_check(engine):
    """
    Which papers are wrong does not depend on how they are checked.
    """
    many = GATE.replace("at: [0 min, 0 min]", "rate: 5 /min")
    blind = run(many.format(wrong="30 %", finds="0 %", false="0 %"), engine=engine)
    sharp = run(many.format(wrong="30 %", finds="100 %", false="0 %"), engine=engine)
    both = set(blind.marks("papers_wrong.checked")) & set(sharp.marks("papers_wrong.checked"))

    assert both
    assert both & set(blind.marks("papers_wrong.missed")) == both & set(sharp.marks("papers_wrong.caught"))


PICKED = """
clock: {{measure: 3000 min}}
truth: {{odd: {{a: 20 %, b: 60 %}}}}
flows:
  f: {{steps: {{look: {{share: {{a: 25 %, b: 50 %}}, take: 1 min, detect: {{truth: odd, sensitivity: 100 %{lift}}}}}}}}}
traffic: {{a: {{flow: f, classes: {{a: 50 %, b: 50 %}}, rate: 10 /min}}}}
"""


def picked(engine: str, lift: str) -> dict[str, set[str]]:
    """Return of those who have left who has the truth, who was looked at, and who was caught."""
    line = run(PICKED.format(lift=lift), engine=engine)
    return {mark: set(line.marks(f"odd.{mark}")) & set(line.marks("left")) for mark in ("true", "checked", "caught")}


def test_a_lift_picks_the_same_with_a_sharper_eye(engine):
    """
    With lift 1.5 all with the truth who were picked at random are picked again, and more of them; of the others some
    are left out, and nobody comes in. As many are looked at as before.
    """
    blind, sharp = picked(engine, ""), picked(engine, ", lift: 1.5")

    assert blind["true"] == sharp["true"]
    assert blind["caught"] < sharp["caught"]
    assert sharp["checked"] - sharp["true"] < blind["checked"] - blind["true"]
    assert len(sharp["checked"]) == pytest.approx(len(blind["checked"]), rel=0.03)
    assert len(sharp["caught"]) == pytest.approx(1.5 * len(blind["caught"]), rel=0.03)


def test_a_lift_that_would_pick_more_than_all_picks_all(engine):
    """
    With lift 4 all with the truth are looked at, and of class b (half is picked, 60 % have it) nobody else: more are
    looked at than without a lift.
    """
    found = picked(engine, ", lift: 4")

    assert found["caught"] == found["true"]
    assert len(found["checked"]) == pytest.approx(3000 * 10 * (0.5 * 0.25 + 0.5 * 0.6), rel=0.03)


def test_a_lift_of_one_is_picking_at_random():
    """
    With lift 1, doubted or not, the plan is the same as without.
    """
    lifts = ("", ", lift: 1", ", lift: {uncertain: [1, 1, 10]}")

    assert len({plan_of(PICKED.format(lift=lift)).identity for lift in lifts}) == 1
