"""Units that break down and are repaired: clocks, rules for work in hand, order within an instant."""

from __future__ import annotations

import pytest

from tests.helper import kpis, plan_of, run, run_plan
from zonesim.compiled.streams import run_key
from zonesim.engine.sampling import draw_ms, prepare
from zonesim.plan import loads

MINUTE = 60_000
HOUR = 60

DESK = """
clock: {{measure: {end}}}
zones: {{Z: {{desk: {{units: {units}, at_shift_end: {rule}, breakdowns: {{{breakdowns}}}}}}}}}
flows: {{f: {{params: {{t: duration}}, steps: {{work: {{hold: {{d: Z.desk}}, take: $t}}}}}}}}
traffic:
"""


def desk(
    *tokens: str,
    rule: str = "finish",
    breakdowns: str = "up: 10 min, repair: 3 min",
    units: int = 1,
    end: str = "60 min",
) -> str:
    """Return a scenario with a desk that breaks down; a token is written `name arrival service`, both in minutes."""
    text = DESK.format(units=units, rule=rule, breakdowns=breakdowns, end=end)
    for token in tokens:
        name, at, service = token.split()
        text += f"  {name}: {{flow: f, at: [{at} min], with: {{t: {service} min}}}}\n"
    return text


def test_work_in_hand_is_finished(engine):
    """
    With `finish` the work in hand at a breakdown ends, then the unit closes until its repair; clocks run from repair to
    repair: down 10-13, 23-26, 36-39, 49-52.
    """
    line = run(desk("a 8 4", "b 9 10", "c 24 1"), engine=engine)

    assert line.visits("work") == {"a0": (8, 8, 12), "b0": (9, 13, 23), "c0": (24, 26, 27)}
    assert line.rows("work.interrupted") == []
    assert line.totals.open.tolist() == [60 * MINUTE]
    assert line.totals.broken.tolist() == [12 * MINUTE]
    assert line.totals.busy.tolist() == [15 * MINUTE]


def test_a_unit_that_was_repaired_in_overtime_is_in_order(engine):
    """
    A repair that is over before the work in hand ends leaves no trace: the next is served at once.
    """
    line = run(desk("a 8 7", "b 9 2"), engine=engine)

    assert line.visits("work") == {"a0": (8, 8, 15), "b0": (9, 15, 17)}


def test_work_in_hand_is_interrupted(engine):
    """
    With `pause` the work in hand waits for the repair, before those who wait already.
    """
    line = run(desk("a 8 4", "b 9 10", rule="pause"), engine=engine)

    assert line.rows("work.interrupted") == [("a0", (10, 13, 13)), ("b0", (23, 26, 26))]
    assert line.visits("work") == {"a0": (8, 8, 15), "b0": (9, 15, 28)}
    assert line.totals.busy.tolist() == [14 * MINUTE]
    assert line.totals.peak.tolist() == [2]


def test_a_hold_that_ends_at_the_breakdown_has_ended(engine):
    """
    Work that ends at the minute of the breakdown is not interrupted; who comes at that minute waits.
    """
    line = run(desk("a 6 4", "b 10 2", rule="pause"), engine=engine)

    assert line.visits("work") == {"a0": (6, 6, 10), "b0": (10, 13, 15)}
    assert line.rows("work.interrupted") == []


def test_who_comes_at_the_end_of_the_repair_is_served(engine):
    """
    At one instant the repair comes first.
    """
    assert run(desk("a 13 2"), engine=engine).visits("work") == {"a0": (13, 13, 15)}


def test_two_breakdowns_at_one_instant(engine):
    """
    Two units with clocks of their own break down together, and the work with both goes on in the order in which it began,
    before those who wait. With the repairs come two units.
    """
    line = run(desk("a 2 20", "b 4 9", "c 5 1", units=2, rule="pause"), engine=engine)

    assert line.rows("work.interrupted") == [("a0", (10, 13, 13)), ("b0", (10, 13, 13)), ("a0", (23, 26, 26))]
    assert line.visits("work") == {"a0": (2, 2, 28), "b0": (4, 4, 16), "c0": (5, 16, 17)}
    assert line.totals.broken.tolist() == [2 * 12 * MINUTE]


def test_all_units_at_once(engine):
    """
    `of: whole` is one clock for all units; it does not depend on how many there are.
    """
    broken = "up: 10 min, repair: 3 min, of: whole"
    line = run(desk("a 2 20", "b 4 9", "c 5 1", units=2, rule="pause", breakdowns=broken), engine=engine)

    assert line.rows("work.interrupted") == [("a0", (10, 13, 13)), ("b0", (10, 13, 13)), ("a0", (23, 26, 26))]
    assert line.visits("work") == {"a0": (2, 2, 28), "b0": (4, 4, 16), "c0": (5, 16, 17)}
    assert line.plan.breakdowns[["resource", "units", "clock"]].tolist() == [(0, -1, 0)]


def test_one_of_two_units_interrupts_the_latest_granted(engine):
    """
    Each unit has luck of its own. When the first of two breaks down, the work that was begun later is interrupted; the unit
    that is in order goes on.
    """
    text = desk(
        "a 0 600",
        "b 1 600",
        units=2,
        rule="pause",
        end="120 min",
        breakdowns="up: {uniform: [10 min, 100 min]}, repair: 5 min",
    )
    plan = plan_of(text)
    laws, numbers = prepare(plan.distributions, plan.parameters)
    up = [
        draw_ms(laws, numbers, row["up"], 0, run_key(1, 0), plan.streams[row["up_stream"]], 0, 0, 0)
        for row in plan.breakdowns
    ]

    line = run_plan(plan, engine=engine)

    assert up[0] != up[1]
    assert line.rows("work.interrupted")[0] == ("b0", (min(up) / MINUTE, min(up) / MINUTE + 5, min(up) / MINUTE + 5))


def test_the_busy_clock_counts_use_alone(engine):
    """
    Five minutes of use: three by the first, two by the second, which is interrupted then; idle time does not count. The next
    five begin with the repair: two by the second, three by the third, which ends at that very minute.
    """
    broken = "up: 5 min, repair: 2 min, clock: busy"
    line = run(desk("a 1 3", "b 10 4", "c 20 3", "d 23 1", rule="pause", breakdowns=broken), engine=engine)

    assert line.rows("work.interrupted") == [("b0", (12, 14, 14))]
    assert line.visits("work") == {"a0": (1, 1, 4), "b0": (10, 10, 16), "c0": (20, 20, 23), "d0": (23, 25, 26)}
    assert line.totals.broken.tolist() == [4 * MINUTE]


def test_the_busy_clock_runs_on_when_the_unit_changes_hands(engine):
    """
    A unit that is given to the next in line is in use without a break.
    """
    broken = "up: 5 min, repair: 2 min, clock: busy"
    line = run(desk("a 0 3", "b 1 4", breakdowns=broken, rule="pause"), engine=engine)

    assert line.rows("work.interrupted") == [("b0", (5, 7, 7))]
    assert line.ends("work") == {"a0": 3, "b0": 9}


def test_a_busy_clock_stands_while_work_is_finished_on_a_broken_unit(engine):
    """
    With `finish` the broken unit still works until its work ends, but that does not count towards the next breakdown.
    """
    broken = "up: 5 min, repair: 2 min, clock: busy"
    line = run(desk("a 0 6", "b 1 8", "c 2 1", breakdowns=broken), engine=engine)

    assert line.visits("work") == {"a0": (0, 0, 6), "b0": (1, 7, 15), "c0": (2, 15, 16)}
    assert line.totals.broken.tolist() == [4 * MINUTE]


def test_a_busy_clock_stands_while_work_pauses_at_night(engine):
    """
    Where work pauses at closing, the hours until the opening do not count as use: 60 minutes of use before closing, 60 after the
    break.
    """
    text = """
clock: {start: "2018-09-03", measure: 24 h}
calendars: {shift: {mon-sun: ["08:00-12:00", "13:00-17:00"]}}
zones:
  Z: {desk: {units: 1, open: shift, at_shift_end: pause, breakdowns: {up: 2 h, repair: 15 min, clock: busy}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: 150 min}}}}
traffic: {a: {flow: f, at: [11 h]}}
"""
    line = run(text, engine=engine)

    assert line.rows("work.interrupted") == [("a0", (14 * HOUR, 14 * HOUR + 15, 14 * HOUR + 15))]
    assert line.visits("work") == {"a0": (11 * HOUR, 11 * HOUR, 14 * HOUR + 45)}


PAUSE = """
clock: {start: "2018-09-03", measure: 6 h}
calendars: {shift: {mon-sun: ["00:00-01:00", "02:00-06:00"]}}
zones: {Z: {desk: {units: 1, open: shift, at_shift_end: pause, breakdowns: {up: 1 h, repair: 10 min, clock: busy}}}}
flows: {f: {params: {t: duration}, steps: {work: {hold: {d: Z.desk}, take: $t}}}}
traffic:
  a: {flow: f, at: [0 min], with: {t: $first}}
  b: {flow: f, at: [130 min, 130 min], with: {t: 20 min}}
"""


@pytest.mark.parametrize(
    ("first", "interrupted", "visits"),
    [
        ("90 min", ("a0", (120, 130, 130)), {"a0": (0, 0, 160), "b0": (130, 160, 180), "b1": (130, 180, 210)}),
        ("60 min", ("b0", (130, 140, 140)), {"a0": (0, 0, 60), "b0": (130, 130, 160), "b1": (130, 160, 180)}),
    ],
)
def test_a_unit_whose_time_is_up_breaks_down_when_it_comes_into_use(engine, first, interrupted, visits):
    """
    The hour of use is over at closing, and closing comes first. The unit breaks down when it is used again: at the opening if
    work waits for it, else as soon as somebody takes it, before anybody else acts.
    """
    line = run(PAUSE.replace("$first", first), engine=engine)

    assert line.rows("work.interrupted")[0] == interrupted
    assert line.visits("work") == visits


SHIFT = """
clock: {{start: "2018-09-03", measure: 24 h}}
calendars: {{shift: {{mon-sun: ["08:00-12:00", "13:00-17:00"]}}}}
zones: {{Z: {{desk: {{units: 1, open: shift, at_shift_end: {rule}, breakdowns: {{up: {up}, repair: {repair}}}}}}}}}
flows: {{f: {{steps: {{work: {{hold: {{d: Z.desk}}, take: 60 min}}}}}}}}
traffic: {{a: {{flow: f, at: [690 min, 691 min]}}}}
"""


@pytest.mark.parametrize(
    ("rule", "up", "repair", "visits", "interrupted"),
    [
        ("finish", "12 h", "30 min", {"a0": (690, 690, 750), "a1": (691, 780, 840)}, []),
        ("finish", "12 h", "90 min", {"a0": (690, 690, 750), "a1": (691, 810, 870)}, []),
        ("pause", "12 h", "30 min", {"a0": (690, 690, 810), "a1": (691, 810, 870)}, []),
        ("pause", "12 h", "90 min", {"a0": (690, 690, 840), "a1": (691, 840, 900)}, [("a0", (780, 810, 810))]),
        ("pause", "12 h", "60 min", {"a0": (690, 690, 810), "a1": (691, 810, 870)}, []),
        ("pause", "13 h", "15 min", {"a0": (690, 690, 825), "a1": (691, 825, 885)}, [("a0", (780, 795, 795))]),
        ("fits", "10 h", "90 min", {"a0": (690, 780, 840), "a1": (691, 840, 900)}, []),
    ],
)
def test_breakdowns_at_the_edges_of_a_shift(engine, rule, up, repair, visits, interrupted):
    """
    Breakdown at closing, repair before, at or after the opening, breakdown at the opening. A work that pauses at closing is
    not interrupted as long as it is closed, only if its unit is still broken when it opens.
    """
    line = run(SHIFT.format(rule=rule, up=up, repair=repair), engine=engine)

    assert line.visits("work") == visits
    assert line.rows("work.interrupted") == interrupted


def test_a_broken_unit_counts_as_broken_only_while_it_is_scheduled(engine):
    """
    Broken unit time is what is missing of scheduled time: a breakdown from 11:30 to 13:30 with a break in it is one hour.
    """
    line = run(SHIFT.format(rule="finish", up="11.5 h", repair="2 h"), engine=engine)

    assert line.totals.broken.tolist() == [60 * MINUTE]
    assert line.totals.open.tolist() == [8 * 60 * MINUTE]


def test_breakdowns_and_preemption_together(engine):
    """
    Two units, one of which breaks down: the least important loses its unit, though it was granted first. A more important one
    that comes meanwhile interrupts the other. After the repair the more important of the two goes on first.
    """
    text = """
clock: {measure: 60 min}
zones: {Z: {desk: {units: 1, at_shift_end: pause, preempt: true, breakdowns: {up: 10 min, repair: 5 min}}}}
flows: {f: {params: {t: duration}, steps: {work: {hold: {d: Z.desk}, priority: {high: 1, low: 2}, take: $t}}}}
traffic:
  a: {flow: f, at: [2 min], with: {t: 6 min}, class: low}
  b: {flow: f, at: [4 min], with: {t: 7 min}, class: high}
  c: {flow: f, at: [12 min], with: {t: 1 min}, class: high}
"""
    line = run(text, engine=engine)

    assert line.visits("work") == {"a0": (2, 2, 21), "b0": (4, 4, 16), "c0": (12, 16, 17)}
    assert line.rows("work.interrupted") == [("b0", (10, 15, 15)), ("a0", (4, 17, 17))]


def test_conditions_see_what_is_in_order(engine):
    """
    A resource all of whose units are broken is shut for `when`.
    """
    text = desk("a 11 1", "b 14 1").replace(
        "steps: {work:", "steps: {away: {when: {shut: Z.desk}, take: 0 s, mark: sent_away, next: end}, work:"
    )
    line = run(text, engine=engine)

    assert line.marks("sent_away") == {"a0": 11}
    assert line.starts("work") == {"b0": 14}


def test_the_end_of_the_run_during_a_repair(engine):
    """
    A run may end while units are broken and tokens wait for them: a repair would come, so this is no deadlock.
    """
    line = run(desk("a 8 4", "b 9 1", rule="pause", end="12 min"), engine=engine)

    assert line.visits("work") == {"a0": (8, 8, -1), "b0": (9, -1, -1)}
    assert line.rows("work.interrupted") == [("a0", (10, -1, -1))]


def test_a_breakdown_at_the_end_of_the_run_does_not_happen(engine):
    """
    Events at the end of the run do not happen.
    """
    line = run(desk("a 8 4", rule="pause", end="10 min"), engine=engine)

    assert line.visits("work") == {"a0": (8, 8, -1)}
    assert line.rows("work.interrupted") == []


def test_luck_does_not_depend_on_the_tokens(engine):
    """
    When a unit breaks down depends on its own streams alone: more tokens, another step, the same breakdowns.
    """
    broken = "up: {exponential: {mean: 20 min}}, repair: {exponential: {mean: 5 min}}"
    one = run(desk("a 8 4", end="1 d", breakdowns=broken), engine=engine)
    two = run(desk("a 8 4", "b 30 700", end="1 d", breakdowns=broken), engine=engine)

    assert one.totals.broken.tolist() == two.totals.broken.tolist()
    assert 0 < one.totals.broken[0] < 24 * 60 * MINUTE


SOUND = """
clock: {measure: 10 min}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: 1 min}}}}
traffic: {a: {flow: f, at: [1 min]}}
"""


def test_availability_and_load():
    """
    Availability is the share of open time in order; the bound of the load counts the mean of what is in order.
    """
    plan = plan_of(desk("a 8 12", end="130 min"))

    values = kpis(plan)[0].values

    assert values["Z.desk.availability"] == pytest.approx(1 - 30 / 130)
    assert values["Z.desk.utilisation"] == pytest.approx(12 / 130)
    assert loads(plan)[0].mean == pytest.approx(12 / 130 / (10 / 13))
    assert "Z.desk.availability" not in kpis(plan_of(SOUND))[0].values


def test_settings_reach_breakdowns(engine):
    """
    An edit switches breakdowns off and on, makes them rarer or repairs shorter, and changes their clock.
    """
    text = desk("a 8 4", "b 20 4", rule="pause")

    assert run(text, engine=engine).ends("work") == {"a0": 15, "b0": 27}
    assert run(text, "zones.Z.desk.breakdowns=none", engine=engine).ends("work") == {"a0": 12, "b0": 24}
    assert run(text, "zones.Z.desk.breakdowns.up*=2", engine=engine).ends("work") == {"a0": 12, "b0": 27}
    assert run(text, "zones.*.desk.breakdowns.repair=1 min", engine=engine).ends("work") == {"a0": 13, "b0": 25}
    assert run(text, "zones.Z.desk.breakdowns.clock=busy", engine=engine).ends("work") == {"a0": 12, "b0": 24}
    assert run(text, "zones.Z.desk.at_shift_end=finish", engine=engine).ends("work") == {"a0": 12, "b0": 24}
    sound = text.replace("breakdowns: {up: 10 min, repair: 3 min}", "breakdowns: none")
    assert run(sound, "zones.Z.desk.breakdowns={up: 10 min, repair: 3 min}", engine=engine).ends("work")["a0"] == 15


def test_zones_that_are_alike_break_down_each_by_itself(engine):
    """
    A zone `like` another has its breakdowns, with luck of its own, and an edit of one leaves the other as it is.
    """
    text = desk(
        "a 8 4", rule="pause", breakdowns="up: {exponential: {mean: 20 min}}, repair: 5 min", end="1 d"
    ).replace("zones: {Z:", "zones: {Y: {like: Z}, Z:")
    names = [str(name) for name in plan_of(text).names.resources]
    both = dict(zip(names, run(text, engine=engine).totals.broken.tolist(), strict=True))
    one = dict(zip(names, run(text, "zones.Y.desk.breakdowns=none", engine=engine).totals.broken.tolist(), strict=True))

    assert both["Y.desk"] != both["Z.desk"]
    assert one == {"Y.desk": 0, "Z.desk": both["Z.desk"]}
