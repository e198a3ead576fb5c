"""A resource with `preempt: true`: who is more important takes the unit of one who is being served."""

from __future__ import annotations

import pytest

from tests.helper import add_measure, kpis, plan_of, run, run_plan
from zonesim.plan.operations import Op
from zonesim.policy import Arm, Chosen

DESK = """
clock: {{measure: {end}}}
zones: {{Z: {{desk: {{units: {units}, preempt: true}}}}}}
flows: {{f: {{params: {{t: duration}}, steps: {{work: {{hold: {{d: Z.desk}}, priority: {levels}, take: $t}}}}}}}}
traffic:
"""
MINUTE = 60_000


LEVELS = {"high": 1, "low": 2, "least": 3}


def desk(*tokens: str, units: int = 1, end: str = "60 min") -> str:
    """Return a scenario with a preemptive desk; a token is written `name class arrival service`, both in minutes."""
    levels = ", ".join(f"{name}: {LEVELS[name]}" for name in sorted({token.split()[1] for token in tokens}))
    text = DESK.format(units=units, end=end, levels=f"{{{levels}}}")
    for token in tokens:
        name, klass, at, service = token.split()
        text += f"  {name}: {{flow: f, at: [{at} min], with: {{t: {service} min}}, class: {klass}}}\n"
    return text


def test_the_interrupted_goes_on_with_the_rest(engine):
    """
    Two low ones and a high one at one server, after Ciw's test of preemptive priorities: the second low one works from 6.5
    to 7.5, waits four minutes and ends at 15.5. Its visit is one row; the interruption is a row of its own. It stands in
    line meanwhile, and the unit is in use all the time.
    """
    text = desk("a low 1.5 5", "b low 5 5", "c high 7.5 4")

    line = run(text, engine=engine)

    assert line.visits("work") == {"a0": (1.5, 1.5, 6.5), "b0": (5, 6.5, 15.5), "c0": (7.5, 7.5, 11.5)}
    assert line.rows("work.interrupted") == [("b0", (7.5, 11.5, 11.5))]
    assert line.totals.queue.tolist() == [int(5.5 * MINUTE)]
    assert line.totals.busy.tolist() == [14 * MINUTE]
    assert line.totals.peak.tolist() == [1]


def test_without_preempt_nobody_is_interrupted(engine):
    """
    The same three without `preempt`: the high one waits until 11.5.
    """
    line = run(desk("a low 1.5 5", "b low 5 5", "c high 7.5 4"), "zones.Z.desk.preempt=false", engine=engine)

    assert line.ends("work") == {"a0": 6.5, "b0": 11.5, "c0": 15.5}
    assert line.rows("work.interrupted") == []


def test_equals_do_not_interrupt_each_other(engine):
    """
    Who is as important as the one who is served waits behind.
    """
    line = run(desk("a low 0 5", "b low 2 5"), engine=engine)

    assert line.visits("work") == {"a0": (0, 0, 5), "b0": (2, 5, 10)}


def test_an_end_at_this_instant_is_no_interruption(engine):
    """
    A hold that ends at the minute in which a more important one comes is not interrupted, whichever of the two is told first.
    """
    line = run(desk("a low 1 4", "b high 5 3", "c low 6 4", "d low 20 5", "e high 25 1"), engine=engine)

    assert line.visits("work") == {
        "a0": (1, 1, 5),
        "b0": (5, 5, 8),
        "c0": (6, 8, 12),
        "d0": (20, 20, 25),
        "e0": (25, 25, 26),
    }
    assert line.rows("work.interrupted") == []


def test_the_victim_is_the_least_important_then_the_latest_granted(engine):
    """
    Of three who are served the least important loses its unit first, then, among equals, the one that was granted last.
    """
    text = desk("a low 0 30", "b least 1 30", "c low 2 30", "d high 5 10", "e high 6 10", units=3)

    line = run(text, engine=engine)

    assert line.rows("work.interrupted") == [("c0", (6, 15, 15)), ("b0", (5, 16, 16))]
    assert line.ends("work") == {"a0": 30, "b0": 42, "c0": 41, "d0": 15, "e0": 16}


def test_resuming_is_a_grant(engine):
    """
    A token that has resumed was granted later than all before it, also than its equal that had come after it: this one
    waited for children with its unit in hand when the first was interrupted, so it was not the victim. Of the two, both
    at work now, the one that has resumed is the next.
    """
    text = """
clock: {measure: 60 min}
zones: {Z: {desk: {units: 2, preempt: true}}}
flows:
  f: {steps: {work: {hold: {d: Z.desk}, priority: {high: 1, low: 2}, take: {by: class, high: 1 min, low: 30 min}}}}
  with_children:
    steps:
      block:
        hold: {d: Z.desk}
        priority: 2
        steps: {both: {parallel: {x: {take: 3 min}, y: {take: 4 min}}}, then: {take: 30 min}}
traffic:
  a: {flow: f, at: [0 min], class: low}
  b: {flow: with_children, at: [1 min]}
  c: {flow: f, at: [2 min, 12 min], class: high}
"""
    line = run(text, engine=engine)

    assert line.rows("work.interrupted") == [("a0", (2, 3, 3)), ("a0", (12, 13, 13))]
    assert line.rows("block.then.interrupted") == []


def test_the_interrupted_stands_before_its_equals(engine):
    """
    The interrupted goes on before others of its level who have waited longer, and before those interrupted earlier.
    """
    text = desk("a low 0 10", "b low 1 4", "c high 2 3", "d least 0 2")

    line = run(text, engine=engine)

    assert line.visits("work") == {"a0": (0, 0, 13), "b0": (1, 13, 17), "c0": (2, 2, 5), "d0": (0, 17, 19)}

    both = run(desk("a low 0 10", "b low 0 10", "c high 3 4", "d high 5 4", units=2), engine=engine)

    assert both.rows("work.interrupted") == [("a0", (5, 7, 7)), ("b0", (3, 9, 9))]


def test_interrupted_again_and_again(engine):
    """
    Each interruption keeps what was done before it: 2 + 3 + 5 minutes of ten. Whoever interrupts can be interrupted too.
    """
    text = desk("a least 0 10", "b low 2 1", "c low 6 4", "d high 7 2")

    line = run(text, engine=engine)

    assert line.rows("work.interrupted") == [("a0", (2, 3, 3)), ("c0", (7, 9, 9)), ("a0", (6, 12, 12))]
    assert line.visits("work") == {"a0": (0, 0, 17), "b0": (2, 2, 3), "c0": (6, 6, 12), "d0": (7, 7, 9)}


def test_who_was_granted_but_has_not_begun_yields_as_it_begins(engine):
    """
    A token gives a unit back, which goes to the next in line, and asks for it again at once, more urgently: the other has
    not begun to work and cannot be interrupted yet. It is as soon as it begins, after no time.
    """
    text = """
clock: {measure: 60 min}
zones: {Z: {desk: {units: 1, preempt: true}}}
flows:
  f:
    steps:
      first: {hold: {d: Z.desk}, priority: 2, take: 5 min}
      again: {hold: {d: Z.desk}, priority: 1, take: 3 min}
traffic: {a: {flow: f, at: [0 min, 1 min]}}
"""
    line = run(text, engine=engine)

    assert line.visits("first") == {"a0": (0, 0, 5), "a1": (1, 5, 13)}
    assert line.visits("again") == {"a0": (5, 5, 8), "a1": (13, 13, 16)}
    assert line.rows("first.interrupted") == [("a1", (5, 8, 8))]
    assert line.totals.busy.tolist() == [16 * MINUTE]


def test_a_unit_in_overtime_is_not_taken(engine):
    """
    Work that is finished after closing keeps its unit, which is about to close; who is more important waits for the opening.
    When the unit opens while the work still goes on, it is interrupted then.
    """
    text = """
clock: {start: "2018-09-03", measure: 24 h}
calendars: {shift: {mon-sun: ["08:00-12:00", "13:00-17:00"]}}
zones: {Z: {desk: {units: 1, open: shift, preempt: true}}}
flows: {f: {params: {t: duration}, steps: {work: {hold: {d: Z.desk}, priority: {high: 1, low: 2}, take: $t}}}}
traffic:
  a: {flow: f, at: [690 min], with: {t: 120 min}, class: low}
  b: {flow: f, at: [730 min], with: {t: 5 min}, class: high}
"""
    line = run(text, engine=engine)

    assert line.visits("work") == {"a0": (690, 690, 815), "b0": (730, 780, 785)}
    assert line.rows("work.interrupted") == [("a0", (780, 785, 785))]


def test_the_rest_counts_open_time(engine):
    """
    Where work pauses at closing, what is left after an interruption is left of open time: 20 of 60 minutes before closing, 10
    after the break, then an interruption of five, then the other 30.
    """
    text = """
clock: {start: "2018-09-03", measure: 24 h}
calendars: {shift: {mon-sun: ["08:00-12:00", "13:00-17:00"]}}
zones: {Z: {desk: {units: 1, open: shift, at_shift_end: pause, preempt: true}}}
flows: {f: {params: {t: duration}, steps: {work: {hold: {d: Z.desk}, priority: {high: 1, low: 2}, take: $t}}}}
traffic:
  a: {flow: f, at: [700 min], with: {t: 60 min}, class: low}
  b: {flow: f, at: [790 min], with: {t: 5 min}, class: high}
"""
    line = run(text, engine=engine)

    assert line.visits("work") == {"a0": (700, 700, 825), "b0": (790, 790, 795)}
    assert line.rows("work.interrupted") == [("a0", (790, 795, 795))]


def test_shifts_and_preemption_after_ciw(engine):
    """
    Ciw's schedule test with two classes: one comes every 7 and takes 5.5, an urgent one every 13 and takes 1.5; off duty from
    20.3 to 22, work is interrupted. Times are in hours here, 10 for one of Ciw's.
    """
    text = """
clock: {start: "2018-09-03", measure: 400 h}
calendars: {duty: {1-10: ["00:00-24:00"], 11: ["00:00-11:00"], 12: ["04:00-24:00"], 13-31: ["00:00-24:00"]}}
zones: {Z: {desk: {units: 1, open: duty, at_shift_end: pause, preempt: true}}}
flows: {f: {params: {t: duration}, steps: {work: {hold: {d: Z.desk}, priority: {urgent: 1, plain: 2}, take: $t}}}}
traffic:
  c0: {flow: f, at: [70 h, 140 h, 210 h, 280 h], with: {t: 55 h}, class: plain}
  c1: {flow: f, at: [130 h, 260 h], with: {t: 15 h}, class: urgent}
"""
    line = run(text, engine=engine)

    hours = {name: tuple(time / 60 for time in times) for name, times in line.visits("work").items()}
    assert hours == {
        "c00": (70, 70, 125),
        "c10": (130, 130, 145),
        "c01": (140, 145, 200),
        "c02": (210, 220, 290),
        "c11": (260, 260, 275),
        "c03": (280, 290, 345),
    }
    assert line.rows("work.interrupted") == [("c02", (260 * 60, 275 * 60, 275 * 60))]


CREW = """name: m93
annex: 93
zone_edits: [{set: zones.*.desk.units, to: UNITS}]
"""
DAY = 24 * 60


def days(line) -> dict[str, tuple[float, ...]]:
    """Return the visits to the work of a run in days."""
    return {name: tuple(time / DAY for time in times) for name, times in line.visits("work").items()}


def test_a_smaller_crew_after_a_closing_after_ciw(monkeypatch, engine):
    """
    Ciw's schedule of four servers to 12.5, none to 17, then one, work interrupted: the four at work go on one after the other
    in the order in which they began, before those who wait. One of Ciw's times is a day here.
    """
    add_measure(monkeypatch, CREW.replace("UNITS", "1"))
    text = """
clock: {start: "2018-09-03", measure: 40 d}
calendars: {duty: {1-14: ["00:00-24:00"], 15: ["00:00-12:00"], 20-31: ["00:00-24:00"]}}
zones: {Z: {desk: {units: 4, open: duty, at_shift_end: pause, preempt: true}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: 10 d}}}}
traffic: {a: {flow: f, at: [3 d, 6 d, 9 d, 12 d, 15 d]}}
"""
    with_start = Arm("with", (Chosen("m93", start="2018-09-20"),))
    line = run_plan(plan_of(text, arm=with_start), engine=engine)

    assert days(line) == {
        "a0": (3, 3, 17.5),
        "a1": (6, 6, 21),
        "a2": (9, 9, 27.5),
        "a3": (12, 12, 37),
        "a4": (15, 37, -1 / DAY),
    }
    assert [(name, stop[0] / DAY, stop[1] / DAY) for name, stop in line.rows("work.interrupted")] == [
        ("a1", 17, 17.5),
        ("a2", 17, 21),
        ("a3", 17, 27.5),
    ]


def test_a_second_server_comes_on_duty_after_ciw(monkeypatch, engine):
    """
    Ciw's test of a low one (at 1, six long) that a high one (at 3, ten long) interrupts: it ends at 17, or at 9 when a second
    server comes on duty at 5.
    """
    add_measure(monkeypatch, CREW.replace("UNITS", "2"))
    text = """
clock: {start: "2018-09-03", measure: 20 d}
zones: {Z: {desk: {units: 1, preempt: true}}}
flows: {f: {params: {t: duration}, steps: {work: {hold: {d: Z.desk}, priority: {high: 1, low: 2}, take: $t}}}}
traffic:
  high: {flow: f, at: [3 d], with: {t: 10 d}, class: high}
  low: {flow: f, at: [1 d], with: {t: 6 d}, class: low}
"""
    alone = run(text, engine=engine)
    two = run_plan(plan_of(text, arm=Arm("with", (Chosen("m93", start="2018-09-08"),))), engine=engine)

    assert days(alone) == {"high0": (3, 3, 13), "low0": (1, 1, 17)}
    assert days(two) == {"high0": (3, 3, 13), "low0": (1, 1, 9)}


def test_interruptions_do_not_count_in_the_week_of_a_resource():
    """
    The curve of units in use leaves the interruptions out, so that it adds up to the busy time.
    """
    plan = plan_of(desk("a low 30 120", "b high 50 100", end="1 d"))

    result = kpis(plan)[0]

    assert result.curves["Z.desk.busy_week"][:5] == pytest.approx([0.5, 1, 1, 1, 1 / 6])
    assert result.values["Z.desk.busy_hours.day"] == pytest.approx(220 / 60)


def test_holds_inside_a_block_can_be_interrupted(engine):
    """
    A block that takes a preemptive unit has inner steps, each with a visit of its own; the one that is interrupted goes on.
    """
    text = """
clock: {measure: 60 min}
zones: {Z: {desk: {units: 1, preempt: true}}}
flows:
  f:
    steps:
      block:
        hold: {d: Z.desk}
        priority: {high: 1, low: 2}
        steps: {one: {take: 4 min}, two: {take: 6 min}}
traffic:
  a: {flow: f, at: [0 min], class: low}
  b: {flow: f, at: [5 min], class: high}
"""
    line = run(text, engine=engine)

    assert line.visits("block") == {"a0": (0, 0, 20), "b0": (5, 5, 15)}
    assert line.visits("block.one") == {"a0": (0, 0, 4), "b0": (5, 5, 9)}
    assert line.visits("block.two") == {"a0": (4, 4, 20), "b0": (9, 9, 15)}
    assert line.rows("block.two.interrupted") == [("a0", (5, 15, 15))]
    assert line.rows("block.one.interrupted") == []


def test_a_wait_for_children_with_a_unit_in_hand_is_not_interrupted(engine):
    """
    Only work is interrupted: who waits for children with the unit in hand keeps it, and yields when its own work goes on.
    """
    text = """
clock: {measure: 60 min}
zones: {Z: {desk: {units: 1, preempt: true}}}
flows:
  f:
    steps:
      block:
        hold: {d: Z.desk}
        priority: {high: 1, low: 2}
        steps: {both: {parallel: {x: {take: 4 min}, y: {take: 6 min}}}, then: {take: 2 min}}
traffic:
  a: {flow: f, at: [0 min], class: low}
  b: {flow: f, at: [1 min], class: high}
"""
    line = run(text, engine=engine)

    assert line.visits("block") == {"a0": (0, 0, 16), "b0": (1, 6, 14)}
    assert line.rows("block.then.interrupted") == [("a0", (6, 14, 14))]


def test_the_interrupted_at_the_end_of_the_run(engine):
    """
    A token that is still interrupted when the run ends has an open visit and an open interruption.
    """
    line = run(desk("a low 0 10", "b high 4 50", end="20 min"), engine=engine)

    assert line.visits("work") == {"a0": (0, 0, -1), "b0": (4, 4, -1)}
    assert line.rows("work.interrupted") == [("a0", (4, -1, -1))]
    assert line.totals.busy.tolist() == [20 * MINUTE]


def test_a_patient_one_that_preempts_does_not_give_up(engine):
    """
    Patience is for the first wait alone: an interrupted token does not give up, however long it waits.
    """
    text = desk("a low 0 10", "b high 4 20").replace("take: $t", "patience: {longest: 2 min}, take: $t")

    assert run(text, engine=engine).visits("work") == {"a0": (0, 0, 30), "b0": (4, 4, 24)}


def test_a_hold_of_no_time_ends_at_once(engine):
    """
    A hold of no time cannot be interrupted, and is not held up by who waits.
    """
    line = run(desk("a low 5 0", "b high 5 3", "c low 5 0"), engine=engine)

    assert line.visits("work") == {"a0": (5, 5, 5), "b0": (5, 5, 8), "c0": (5, 8, 8)}


def test_what_is_counted_of_interruptions():
    """
    Interruptions have KPIs of the step: how many a day and how long. The time in the step goes on while it is interrupted.
    """
    plan = plan_of(desk("a low 1.5 5", "b low 5 5", "c high 7.5 4", end="1 d"))

    values = kpis(plan)[0].values

    assert values["b.work.interruptions.day"] == 1
    assert values["b.work.interrupted.mean"] == 4
    assert values["b.work.service.mean"] == 9
    assert values["a.work.interruptions.day"] == 0
    assert not any(kpi.startswith("b.work.interrupted.w") for kpi in values)
    assert ((plan.program["op"] == Op.DELAY) & (plan.program["d"] >= 0)).sum() == 3


def test_the_level_is_that_of_the_unit_in_hand(engine):
    """
    What is done at once within the work takes no units and has a priority of its own, which does not make the work with the
    unit more important: it is interrupted by who is more important than it was when it took the unit, and by nobody else.
    """
    text = """
clock: {measure: 60 min}
zones: {Z: {desk: {units: 1, preempt: true}}}
flows:
  low:
    steps:
      work: {hold: {d: Z.desk}, priority: 2, steps: {both: {parallel: {x: {take: 1 min}, y: {take: 2 min}}}, rest: {take: 10 min}}}
  other: {steps: {visit: {hold: {d: Z.desk}, priority: {vital: 1, idle: 3}, take: 3 min}}}
traffic:
  a: {flow: low, at: [0 min]}
  b: {flow: other, at: [5 min], class: idle}
  c: {flow: other, at: [6 min], class: vital}
"""
    line = run(text, engine=engine)

    assert line.rows("work.rest.interrupted") == [("a0", (6, 9, 9))]
    assert line.visits("visit") == {"b0": (5, 15, 18), "c0": (6, 6, 9)}


def test_a_preemptive_unit_may_be_taken_for_no_time(engine):
    """
    Where nobody works with a unit that could be taken away from him, `preempt` changes nothing.
    """
    text = """
clock: {measure: 60 min}
zones: {Z: {desk: {units: 1, preempt: true}}}
flows: {f: {steps: {look: {hold: {d: Z.desk}, priority: {high: 1, low: 2}}, walk: {take: 5 min}}}}
traffic:
  a: {flow: f, at: [1 min, 3 min], class: low}
  b: {flow: f, at: [1 min], class: high}
"""
    line = run(text, engine=engine)

    assert line.visits("look") == {"a0": (1, 1, 1), "a1": (3, 3, 3), "b0": (1, 1, 1)}
    assert line.visits("left") == {"a0": (1, 1, 6), "a1": (3, 3, 8), "b0": (1, 1, 6)}
