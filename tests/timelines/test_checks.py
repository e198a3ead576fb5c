"""Hidden truths and the checks that find them or do not."""

from __future__ import annotations

from tests.helper import run

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
