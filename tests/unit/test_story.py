"""The story of a token: what `zonesim trace` tells, from hand-made timelines."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.helper import HEAD, RowLog, plan_of
from zonesim import cli
from zonesim.briefing.text.story import span
from zonesim.briefing.text.words import Words
from zonesim.engine import simulate
from zonesim.faults import ScenarioFault
from zonesim.plan import NUMBER_BITS
from zonesim.tracing.story import Moment, Shortage, tell
from zonesim.tracing.trail import follow
from zonesim.units import DAY, HOUR, MINUTE, SECOND


def story(text: str, token: str, seed: int = 1) -> tuple[list[str], dict[str, Moment]]:
    """Return a story in brief, one line a moment in minutes, and its steps by the name of the last step of the path."""
    plan = plan_of(text)
    moments = tell(plan, follow(plan, token, seed, 0))
    lines, steps = [], {}
    for each in moments:
        time = f"{each.time / MINUTE:g}"
        if each.kind == "step":
            name = ".".join(plan.names.steps[each.step].path)
            lines.append(
                f"{time} {'  ' * each.depth}{name} w{each.waited / MINUTE:g} t{each.took / MINUTE if each.took != -1 else -1:g}"
            )
            steps[name.rpartition(".")[2]] = each
        else:
            marks = [plan.names.marks[mark].name for mark in each.marks]
            lines.append(
                f"{time} {each.kind}{f' {each.token}' if each.token else ''}{' ' + ' '.join(marks) if marks else ''}"
            )
    return lines, steps


def ahead(shortage: Shortage) -> list[tuple[str, str, float]]:
    """Return who was ahead in a wait: name, how, minutes."""
    return [(each.token, each.how, each.took / MINUTE if each.took != -1 else -1) for each in shortage.ahead]


DESK = """
clock: {measure: 1 d}
zones: {Z: {desk: {units: 1}}}
flows:
  f: {steps: {work: {hold: {d: Z.desk}, priority: {fast: 1, all: 2}, take: 10 min, mark: done}}}
traffic:
  a: {flow: f, at: [0 min, 1 min, 3 min], class: slow}
  b: {flow: f, at: [5 min], class: fast}
"""


def test_a_wait_names_who_was_ahead():
    """
    The third waits 37 minutes: behind the one being served, the one in line, and one who came later with priority.
    """
    lines, steps = story(DESK, "a#2")

    assert lines == ["3 arrived", "3 work w27 t10", "40 marks done", "40 left"]
    (shortage,) = steps["work"].shortages
    assert (shortage.short / MINUTE, shortage.closed, shortage.capacity, shortage.more) == (27, 0, 1, 0)
    assert ahead(shortage) == [("a#0", "served", 10), ("b#0", "overtook", 10), ("a#1", "before", 10)]


def test_the_first_waits_for_nobody():
    """
    Without a wait there is nothing to explain.
    """
    lines, steps = story(DESK, "a#0")

    assert lines == ["0 arrived", "0 work w0 t10", "10 marks done", "10 left"]
    assert steps["work"].shortages == ()


def test_who_still_works_when_the_story_ends_is_known():
    """
    Somebody who took the second desk before and keeps it beyond the end of the story is named, without a duration.
    """
    text = """
clock: {measure: 1 d}
zones: {Z: {desk: {units: 2}}}
flows:
  long: {steps: {work: {hold: {d: Z.desk}, take: 5 h}}}
  short: {steps: {work: {hold: {d: Z.desk}, take: 10 min}}}
traffic:
  a: {flow: long, at: [0 min]}
  b: {flow: short, at: [1 min, 2 min]}
"""
    _, steps = story(text, "b#1")
    (shortage,) = steps["work"].shortages

    assert ahead(shortage) == [("a#0", "served", -1), ("b#0", "served", 10)]
    assert shortage.short == 9 * MINUTE


def test_closed_hours_are_told_apart_from_busy_ones():
    """
    From 16:55 to 17:00 the desk is busy, then it is closed until 08:30.
    """
    text = """
clock: {start: "2018-09-03", measure: 3 d}
zones: {Z: {desk: {units: 1, open: office}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: 20 min}}}}
traffic: {a: {flow: f, at: [1010 min, 1015 min]}}
"""
    lines, steps = story(text, "a#1")
    (shortage,) = steps["work"].shortages

    assert lines[1] == "1015 work w935 t20"
    assert (shortage.short / MINUTE, shortage.closed / MINUTE) == (5, 930)


def test_work_that_pauses_says_how_long_it_was_closed():
    """
    Two hours of office time begun at 16:00 last until 09:30, 15.5 hours of it closed.
    """
    text = """
clock: {start: "2018-09-03", measure: 3 d}
flows: {f: {steps: {read: {take: 2 h, during: office}}}}
traffic: {a: {flow: f, at: [16 h]}}
"""
    lines, steps = story(text, "a#0")

    assert lines[1] == "960 read w0 t1050"
    assert steps["read"].paused == 15.5 * HOUR


def test_inner_steps_stand_below_the_block_and_two_resources_apart():
    """
    The inner step of a block is one deeper; of two needs only the one that was short is named.
    """
    text = """
clock: {measure: 1 d}
zones: {Z: {lane: {units: 2}, officer: {units: 1}}}
flows:
  f:
    steps:
      lane:
        hold: {l: Z.lane}
        steps:
          look: {hold: {o: Z.officer}, take: 10 min}
          jot: {take: 1 min}
traffic: {a: {flow: f, at: [0 min, 1 min]}}
"""
    lines, steps = story(text, "a#1")

    assert lines == ["1 arrived", "1 lane w0 t20", "1   lane.look w9 t10", "20   lane.jot w0 t1", "21 left"]
    assert [shortage.short for shortage in steps["look"].shortages] == [9 * MINUTE]


def test_children_have_their_own_lines():
    """
    Trucks begin at the split, queue for one dock and are done one after the other; the consignment leaves with the last.
    """
    text = """
clock: {measure: 1 d}
zones: {Z: {dock: {units: 1}}}
flows: {f: {steps: {load: {take: 5 min}, trucks: {split: {into: truck, count: 2}}, dock: {hold: {d: Z.dock}, take: 30 min}, all: {join: trucks}}}}
traffic: {a: {flow: f, at: [0 min]}}
"""
    lines, steps = story(text, "a#0")

    assert lines == [
        "0 arrived", "0 load w0 t5", "5 begins 1", "5 begins 2", "5 dock w0 t30", "5 dock w30 t30",
        "35 leaves 1", "65 leaves 2", "65 left",
    ]  # fmt: skip
    assert ahead(steps["dock"].shortages[0]) == [("a#0/1", "served", 30)]


def test_a_check_that_stops_is_told():
    """
    Findings of checks are marks of their own.
    """
    text = """
clock: {measure: 1 d}
truth: {wrong: {all: 100 %}}
flows: {f: {steps: {look: {take: 1 min, detect: {truth: wrong, sensitivity: 100 %, on_hit: {mark: stopped}}}, desk: {when: {marked: stopped}, take: 9 min, correct: wrong}}}}
traffic: {a: {flow: f, at: [0 min]}}
"""
    lines, _ = story(text, "a#0")

    assert lines == [
        "0 arrived",
        "0 marks wrong.true",
        "0 look w0 t1",
        "1 marks wrong.checked wrong.caught stopped",
        "1 desk w0 t9",
        "10 marks wrong.corrected",
        "10 left",
    ]


def test_a_batch_is_waited_for():
    """
    The first of three waits until the third has come, for its batch and no resource.
    """
    text = """
clock: {measure: 1 d}
flows: {f: {steps: {fill: {gather: {number: 3}}, go: {take: 5 min}}}}
traffic: {a: {flow: f, at: [0 min, 4 min, 9 min]}}
"""
    lines, steps = story(text, "a#0")

    assert lines == ["0 arrived", "0 fill w9 t0", "9 go w0 t5", "14 left"]
    assert steps["fill"].for_batch
    assert steps["fill"].shortages == ()


def test_who_is_served_in_the_same_instant_is_ahead_only_if_it_came_before():
    """
    Two desks are free at 10: c, in line since 0, and d, in line since 5, take them. c was ahead of d, and d of nobody.
    """
    text = """
clock: {measure: 1 h}
zones: {Z: {desk: {units: 2}}}
flows: {f: {steps: {serve: {hold: {d: Z.desk}, take: 10 min}}}}
traffic: {a: {flow: f, at: [0 min]}, b: {flow: f, at: [0 min]}, c: {flow: f, at: [0 min]}, d: {flow: f, at: [5 min]}}
"""
    served = [("a#0", "served", 10), ("b#0", "served", 10)]

    assert ahead(story(text, "c#0")[1]["serve"].shortages[0]) == served
    assert ahead(story(text, "d#0")[1]["serve"].shortages[0]) == [*served, ("c#0", "before", 10)]


REASONS = """
clock: {start: "2018-09-03", measure: 5 d}
zones:
  OUT: {desk: {units: unlimited, open: office}}
  Z: {fit: {units: 1, open: office, at_shift_end: fits}, dock: {units: 3}}
flows:
  f:
    steps:
      ask: {hold: {d: OUT.desk}, take: 10 min}
      evening: {wait_until: {closing: office}}
      morning: {wait_until: office}
      long: {hold: {x: Z.fit}, take: 5 h}
  two: {steps: {dock: {hold: {x: {resource: Z.dock, units: 3}}, take: 10 min}}}
  one: {steps: {dock: {hold: {x: Z.dock}, take: 10 min}}}
traffic:
  a: {flow: f, at: [1 h, 1 h]}
  b: {flow: one, at: [1 min]}
  c: {flow: two, at: [2 min]}
  d: {flow: one, at: [3 min]}
"""


def test_every_wait_has_its_reason(tmp_path, monkeypatch, capsys):
    """
    A desk without limit is closed until 08:30; then a calendar has to shut, and to open. The second work of 5 h would end after
    closing, so it waits from 13:30, when the first is done, for the next morning. Behind who asks for three docks one waits for eight
    minutes though two are free, and that one for nine, fewer than three being free.
    """
    file = tmp_path / "reasons.yaml"
    file.write_text(HEAD + REASONS, encoding="utf-8")
    steps = story(REASONS, "a#1")[1]
    (closed,), (late,) = steps["ask"].shortages, steps["long"].shortages
    (behind,), (few,) = (story(REASONS, token)[1]["dock"].shortages for token in ("d#0", "c#0"))
    told = {
        (token, say): " ".join(command(monkeypatch, capsys, str(file), "--token", token, "--lang", say)[1].split())
        for token in ("a#1", "c#0", "d#0")
        for say in ("en", "zh")
    }

    assert (closed.closed / HOUR, closed.short, closed.ahead) == (7.5, 0, ())
    assert [steps[name].until for name in ("ask", "evening", "morning")] == ["", "closing", "opening"]
    assert (late.short / HOUR, late.unfit / HOUR, late.closed / HOUR, late.behind) == (5, 3.5, 15.5, 0)
    assert (behind.behind / MINUTE, behind.short / MINUTE) == (8, 10)
    assert (few.short / MINUTE, few.behind) == (9, 0)
    assert "OUT.desk closed for 7 h 30 min" in told["a#1", "en"]
    assert "until its calendar shuts" in told["a#1", "en"]
    assert "Z.fit: would not be done before closing time, for 3 h 30 min" in told["a#1", "en"]
    assert "fewer than 3 of 3 free for 9 min" in told["c#0", "en"]
    assert "in line behind somebody who asks for more than is free, for 8 min" in " ".join(told["d#0", "en"].split())
    assert "等待作业时间结束" in told["a#1", "zh"]
    assert "关闭前来不及完成" in told["a#1", "zh"]
    assert "空闲不足3个" in told["c#0", "zh"]
    assert "前面有人所需多于空闲数" in told["d#0", "zh"]


RANDOM = """
clock: {warm_up: 1 h, measure: 4 h, cool_down: 2 h}
zones: {Z: {desk: {units: 2}, lift: {units: 1}}}
flows:
  f:
    steps:
      work: {hold: {d: Z.desk}, take: {exponential: {mean: 10 min}}, steps: {up: {share: 30 %, hold: {l: Z.lift}, take: 3 min}}}
      again: {share: 20 %, take: 1 min, next: work}
traffic: {a: {flow: f, rate: 11 /h}, b: {flow: f, rate: 1 /h}}
"""


def test_a_run_that_is_cut_short_is_the_same_so_far():
    """
    The rows of a story are those of the whole run that ended before it; nothing is missing.
    """
    plan = plan_of(RANDOM)
    whole = RowLog()
    simulate(plan, 1, 0, whole)
    trail = follow(plan, "a#20", 1, 0)
    before = whole.visits[(whole.visits["ended"] != -1) & (whole.visits["ended"] <= trail.end)]
    cut = trail.visits[trail.visits["ended"] != -1]

    assert trail.left
    assert len(before) > 50
    assert sorted(map(tuple, before.tolist())) == sorted(map(tuple, cut.tolist()))
    assert np.all(trail.visits["queued"] <= trail.end)


def test_every_wait_in_a_busy_system_is_explained():
    """
    Over all tokens: the time short and closed adds up to the wait where one resource is asked for, and somebody is ahead.
    """
    plan = plan_of(RANDOM)
    waits = 0
    for ordinal in range(15, 35):
        for each in tell(plan, follow(plan, f"a#{ordinal}", 1, 0)):
            if each.waited:
                waits += 1
                (shortage,) = each.shortages
                assert shortage.short == each.waited
                assert shortage.closed == 0
                assert shortage.ahead

    assert waits > 5


def test_the_slowest_is_the_one_with_the_longest_stay():
    """
    Of a flow or an entry, among those that arrive in the measured window.
    """
    plan = plan_of(RANDOM)
    whole = RowLog()
    simulate(plan, 1, 0, whole)
    leave = {number for number, step in enumerate(plan.names.steps) if step.is_leave}
    stays = {}
    for key, queued, _, ended in whole.visits.tolist():
        if key >> NUMBER_BITS in leave and HOUR <= queued < 5 * HOUR:
            stays[key & (1 << NUMBER_BITS) - 1] = (ended if ended != -1 else plan.horizon) - queued
    for which, source in (("slowest", (0, 1)), ("slowest:f", (0, 1)), ("slowest:b", (1,))):
        own = {number: stay for number, stay in stays.items() if number >> 32 in source}

        assert own[follow(plan, which, 1, 0).number] == max(own.values())


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("a", "--token: 'a' names no token\n    Write import_sea#12 (traffic entry and number, the first is 0), slowest, or slowest:F5."),
        ("a#-1", "--token: 'a#-1' names no token\n    Write import_sea#12 (traffic entry and number, the first is 0), slowest, or slowest:F5."),
        ("c#1", "--token: no traffic 'c'\n    Known traffic: a, b."),
        ("a#3", "--token: traffic 'a' has no token 3 in this run\n    Its 3 tokens are a#0 to a#2."),
        ("slowest:g", "--token: no flow or traffic 'g'\n    Known: a, b, f."),
    ],
)  # fmt: skip
def test_tokens_that_are_not_there(token, message):
    """
    A token that the run does not have is a fault with its remedy.
    """
    with pytest.raises(ScenarioFault) as caught:
        follow(plan_of(DESK), token, 1, 0)

    assert str(caught.value) == message


def test_nobody_in_the_window():
    """
    Without arrivals in the measured window nobody is slowest.
    """
    with pytest.raises(ScenarioFault, match="no token arrives in the measured window"):
        follow(plan_of(DESK.replace("measure: 1 d", "warm_up: 1 h, measure: 1 h")), "slowest", 1, 0)


@pytest.mark.parametrize(
    ("ms", "en", "zh"),
    [
        (0, "0 s", "0秒"), (12, "12 ms", "12毫秒"), (61 * SECOND, "1 min 1 s", "1分1秒"), (HOUR, "1 h", "1小时"),
        (11 * HOUR + 44 * SECOND, "11 h", "11小时"), (2 * DAY + 3 * HOUR, "2 d 3 h", "2天3小时"), (59_700, "1 min", "1分"),
    ],
)  # fmt: skip
def test_durations(ms, en, zh):
    """
    Durations are told in at most two neighbouring units.
    """
    assert (span(ms, Words("en")), span(ms, Words("zh"))) == (en, zh)


def command(monkeypatch, capsys, *words: str) -> tuple[int, str, str]:
    """Run the command line in this process."""
    monkeypatch.setattr("sys.argv", ["zonesim", "trace", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code, *capsys.readouterr()


LABELLED = HEAD + DESK.replace("work: {", "work: {label: {en: At the desk, zh: 柜台}, ").replace(
    "{units: 1}", "{units: 1, label: {en: Desk, zh: 服务台}}"
)


def test_the_command_tells_it_in_both_languages(tmp_path, monkeypatch, capsys):
    """
    Dates come from the clock, labels from the scenario, words from the glossary.
    """
    file = tmp_path / "desk.yaml"
    file.write_text(LABELLED, encoding="utf-8")
    code, english, _ = command(monkeypatch, capsys, str(file), "--token", "a#1")
    _, chinese, _ = command(monkeypatch, capsys, str(file), "--token", "a#1", "--lang", "zh")

    assert code == 0
    assert [" ".join(line.split()) for line in english.splitlines()] == [
        "a#1: f; arm R1, replication 0, seed 1; class slow",
        "29 min from arrival to leaving; 19 min waited, children included",
        "",
        "time since arrival who step waited took happened".replace("happened", "what happened"),
        "Mon 09-03 00:01:00 0 s arrives",
        "Mon 09-03 00:01:00 0 s At the desk 19 min 10 min Desk (Z.desk): its unit in use for 19 min; ahead: a#0 being served (10 min), b#0 served first (10 min)",
        "Mon 09-03 00:30:00 29 min done",
        "Mon 09-03 00:30:00 29 min leaves",
    ]
    assert "柜台" in chinese
    assert "服务台（Z.desk）：1个全部占用19分" in chinese
    assert "a#0（正在办理，10分）" in chinese
    assert command(monkeypatch, capsys, str(file), "--lang", "fr")[::2] == (
        2,
        "--lang: no language 'fr'\n    Known languages: en, zh.\n",
    )


INTERRUPTED = """
clock: {start: "2018-09-03", measure: 60 min}
zones: {Z: {desk: {units: 1, at_shift_end: pause, preempt: true, breakdowns: {up: 30 min, repair: 5 min}}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, priority: {fast: 1, all: 2}, take: 25 min}}}}
traffic:
  a: {flow: f, at: [0 min, 1 min], class: slow}
  b: {flow: f, at: [10 min], class: fast}
"""


def test_an_interruption_names_who_took_the_unit_or_that_it_was_broken():
    """
    Work of 25 minutes is interrupted after ten by a more important one, which in its turn loses five minutes to a breakdown at
    30. Who waits finds the unit in use for 45 minutes and broken for five; interrupted work is told as several uses of the unit.
    """
    lines, steps = story(INTERRUPTED, "a#0")

    assert lines == ["0 arrived", "0 work w0 t55", "10   work.interrupted w30 t0", "55 left"]
    (shortage,) = steps["interrupted"].shortages
    assert (shortage.short / MINUTE, shortage.broken / MINUTE) == (25, 5)
    assert ahead(shortage) == [("b#0", "served", 20), ("b#0", "overtook", 5)]

    lines, steps = story(INTERRUPTED, "b#0")

    assert lines == ["10 arrived", "10 work w0 t30", "30   work.interrupted w5 t0", "40 left"]
    (shortage,) = steps["interrupted"].shortages
    assert (shortage.short, shortage.broken / MINUTE, ahead(shortage)) == (0, 5, [])

    lines, steps = story(INTERRUPTED, "a#1")

    (shortage,) = steps["work"].shortages
    assert (shortage.short / MINUTE, shortage.broken / MINUTE) == (49, 5)
    assert ahead(shortage)[0] == ("a#0", "served", 10)


def test_interruptions_in_words(tmp_path, monkeypatch, capsys):
    """
    The line of an interruption says how long it was and why, in both languages.
    """
    file = tmp_path / "desk.yaml"
    file.write_text(HEAD + INTERRUPTED, encoding="utf-8")
    _, english, _ = command(monkeypatch, capsys, str(file), "--token", "a#0")
    _, chinese, _ = command(monkeypatch, capsys, str(file), "--token", "a#0", "--lang", "zh")

    assert (
        "interrupted 30 min Z.desk: its unit in use for 25 min; Z.desk: broken down for 5 min; ahead: b#0"
        in " ".join(english.split())
    )
    assert "Z.desk故障5分" in chinese
    assert "中断" in chinese


def test_the_command_prints_a_document(tmp_path, monkeypatch, capsys):
    """
    --json has ms, dates and labels in both languages.
    """
    file = tmp_path / "desk.yaml"
    file.write_text(LABELLED, encoding="utf-8")
    document = json.loads(command(monkeypatch, capsys, str(file), "--token", "slowest", "--json")[1])

    assert (document["token"], document["arrived_ms"], document["left_ms"], document["waited_ms"]) == (
        "a#2",
        180_000,
        2_400_000,
        1_620_000,
    )
    assert document["moments"][1] == {
        "kind": "step", "child": 0, "time_ms": 180_000, "time": "2018-09-03 00:03:00.000", "step": "work",
        "label": {"en": "At the desk", "zh": "柜台"}, "waited_ms": 1_620_000, "took_ms": 600_000, "gave_up": False, "interruption": False, "paused_ms": 0,
        "for_batch": False, "until": None,
        "waited_for": [{
            "resource": "Z.desk", "units": 1, "of": 1, "short_ms": 1_620_000, "closed_ms": 0, "behind_ms": 0, "unfit_ms": 0, "broken_ms": 0, "more_ahead": 0,
            "ahead": [
                {"token": "a#0", "step": "work", "how": "served", "took_ms": 600_000},
                {"token": "b#0", "step": "work", "how": "overtook", "took_ms": 600_000},
                {"token": "a#1", "step": "work", "how": "before", "took_ms": 600_000},
            ],
        }],
    }  # fmt: skip


def test_a_wait_that_is_given_up_says_so():
    """
    Whoever gives up after 3 minutes has waited 3 minutes, took nothing, and is said to give up, not to go on.
    """
    text = DESK.replace("take: 10 min", "patience: {longest: 3 min}, take: 10 min")
    _, steps = story(text, "a#1")

    assert steps["work"].gave_up
    assert (steps["work"].waited, steps["work"].took) == (3 * MINUTE, -1)
    assert Words("en")("story.gave_up") == "gives up"
    assert Words("zh")("story.gave_up") == "放弃等候"


def test_a_wait_for_a_departure_is_told_as_one():
    """
    The second finds no room at two and waits for the departure at ten: it is told in both languages, and is no batch.
    """
    text = """
clock: {measure: 1 d}
calendars: {barges: {every: 8 h, first: 2 h}}
flows: {f: {steps: {go: {gather: {until: barges, most: 1}}}}}
traffic: {a: {flow: f, at: [1 h, 1 h]}}
"""
    lines, steps = story(text, "a#1")

    assert lines == ["60 arrived", "60 go w540 t0", "600 left"]
    assert (steps["go"].until, steps["go"].for_batch) == ("departure", False)
    assert Words("en")("story.departure") == "for a departure with room for it"
    assert Words("zh")("story.departure") == "等候有空位的班次"
