"""Opening hours, and what happens to work in hand at closing."""

from __future__ import annotations

import pytest

from tests.helper import run

SHIFT = """
clock: {{start: "2018-09-03", measure: 24 h}}
calendars: {{shift: {{mon-sun: ["08:00-12:00", "13:00-17:00"]}}}}
zones: {{Z: {{desk: {{units: {units}, open: shift, at_shift_end: {rule}}}}}}}
flows: {{f: {{steps: {{work: {{hold: {{d: Z.desk}}, take: {take}}}}}}}}}
traffic: {{a: {{flow: f, at: {at}}}}}
"""
H = 60


def test_work_waits_for_the_opening(engine):
    """
    Who comes at night is served at opening, in order.
    """
    line = run(SHIFT.format(units=1, rule="finish", take="30 min", at="[1 h, 2 h]"), engine=engine)

    assert line.visits("work") == {"a0": (60, 8 * H, 8 * H + 30), "a1": (120, 8 * H + 30, 9 * H)}


def test_finish_lets_work_in_hand_end(engine):
    """
    With `finish` a service begun before closing ends in overtime; the next begins at the next opening.
    """
    line = run(SHIFT.format(units=1, rule="finish", take="20 min", at="[11 h, 11.5 h, 11.75 h, 11.8 h]"), engine=engine)

    assert line.starts("work") == {"a0": 11 * H, "a1": 11.5 * H, "a2": 11 * H + 50, "a3": 13 * H}
    assert line.ends("work")["a2"] == 12 * H + 10


def test_pause_carries_the_rest_over(engine):
    """
    With `pause` a service counts only open time: five minutes before closing and the rest after the break.
    """
    line = run(SHIFT.format(units=1, rule="pause", take="15 min", at="[11.75 h, 11.9166666666666 h]"), engine=engine)

    assert line.visits("work")["a0"] == (705, 705, 720)
    assert line.visits("work")["a1"] == (715, 13 * H, 13 * H + 15)


def test_a_break_in_the_middle_of_service(engine):
    """
    The professor's break 12:00-13:00 after Rossetti: a client at 11:55 with ten minutes ends 12:05 under finish, 13:05 under pause.
    """
    at = "[11.9166666666667 h]"

    assert run(SHIFT.format(units=1, rule="finish", take="10 min", at=at), engine=engine).ends("work") == {"a0": 725}
    assert run(SHIFT.format(units=1, rule="pause", take="10 min", at=at), engine=engine).ends("work") == {
        "a0": 13 * H + 5
    }


@pytest.mark.parametrize(
    ("rule", "started", "completed", "last", "mean_wait"),
    [
        ("finish", 39, 39, 479, 48.615385),
        ("pause", 38, 37, 474, 50.421053),
    ],
)
def test_one_break_two_rules(engine, rule, started, completed, last, mean_wait):
    """
    One server, service 12, arrivals every 10 to 470, on duty 0-245 and 275-480, nothing starts after: the numbers of the case.
    """
    times = ", ".join(f"{10 * number} min" for number in range(48))
    text = f"""
clock: {{start: "2018-09-03", measure: 24 h}}
calendars: {{shift: {{mon: ["00:00-04:05", "04:35-08:00"]}}}}
zones: {{Z: {{desk: {{units: 1, open: shift, at_shift_end: {rule}}}}}}}
flows: {{f: {{steps: {{work: {{hold: {{d: Z.desk}}, take: 12 min}}}}}}}}
traffic: {{a: {{flow: f, at: [{times}]}}}}
"""
    visits = run(text, engine=engine).visits("work").values()
    begun = [visit for visit in visits if visit[1] >= 0]

    assert len(begun) == started
    assert sum(visit[2] >= 0 for visit in begun) == completed
    assert max(visit[1] for visit in begun) == last
    assert sum(visit[1] - visit[0] for visit in begun) / started == pytest.approx(mean_wait, abs=1e-6)


def test_capacity_falls_by_closing_while_two_are_busy(engine):
    """
    Utilisation is busy over open time: work finished after closing counts as busy, so it passes 100 %.
    """
    line = run(SHIFT.format(units=2, rule="finish", take="5 h", at="[8 h, 8 h, 8 h]"), engine=engine)

    assert line.starts("work") == {"a0": 8 * H, "a1": 8 * H, "a2": 13 * H}
    assert line.totals.busy.tolist() == [15 * 60 * 60_000]
    assert line.totals.open.tolist() == [16 * 60 * 60_000]


DURING = """
clock: {{start: "2018-09-03", measure: 3 d}}
calendars: {{shift: {{mon-fri: ["08:00-12:00"]}}}}
flows: {{f: {{steps: {{work: {{take: {take}, during: shift}}}}}}}}
traffic: {{a: {{flow: f, at: {at}}}}}
"""


def test_a_hold_that_ends_exactly_at_closing_has_ended(engine):
    """
    Open time up to the very end of a shift counts; a minute more ends on the next day.
    """
    line = run(DURING.format(take="4 h", at="[8 h, 8.0166666666666666 h]"), engine=engine)

    assert line.ends("work") == {"a0": 12 * H, "a1": 32 * H + 1}


def test_a_zero_hold_ends_while_closed(engine):
    """
    No open time is needed for nothing.
    """
    assert run(DURING.format(take="0 h", at="[1 h]"), engine=engine).ends("work") == {"a0": H}


def test_open_time_runs_over_a_night(engine):
    """
    Six hours of open time begun at ten end at twelve on the next day.
    """
    assert run(DURING.format(take="6 h", at="[10 h]"), engine=engine).ends("work") == {"a0": 24 * H + 12 * H}


def test_the_start_date_sets_the_day_of_the_week(engine):
    """
    A run that starts on a Saturday waits until Monday for an office that opens Monday to Friday.
    """
    text = DURING.format(take="1 h", at="[1 h]").replace("2018-09-03", "2018-09-08").replace("3 d", "4 d")

    assert run(text, engine=engine).ends("work") == {"a0": 2 * 24 * H + 9 * H}


def test_all_capacity_changes_of_an_instant_come_before_service(engine):
    """
    Two resources that open at the same instant: the one who needs both starts then, whichever opens first in the file.
    """
    text = """
clock: {start: "2018-09-03", measure: 1 d}
calendars: {late: {mon: ["09:00-17:00"]}}
zones: {Z: {a: {units: 1, open: late}, b: {units: 1, open: late}}}
flows:
  one: {steps: {work: {hold: {b: Z.b}, take: 60 min}}}
  both: {steps: {work: {hold: {a: Z.a, b: Z.b}, take: 60 min}}}
traffic: {x: {flow: both, at: [1 h]}, y: {flow: one, at: [2 h]}}
"""
    line = run(text, engine=engine)

    assert line.starts("work") == {"x0": 540, "y0": 600}


def test_priority_and_closing_together(engine):
    """
    At opening the more important of those who waited over night goes first.
    """
    text = """
clock: {start: "2018-09-03", measure: 1 d}
calendars: {day: {mon: ["08:00-17:00"]}}
zones: {Z: {desk: {units: 1, open: day}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, priority: {high: 1, low: 2}, take: 10 min}}}}
traffic: {l: {flow: f, at: [1 h, 2 h], class: low}, h: {flow: f, at: [3 h], class: high}}
"""
    assert run(text, engine=engine).starts("work") == {"h0": 480, "l0": 490, "l1": 500}


def test_several_units_and_closing_together(engine):
    """
    A request for two units at closing time waits for both over the night, though one is free in overtime's shadow.
    """
    text = """
clock: {start: "2018-09-03", measure: 2 d}
calendars: {day: {mon-sun: ["08:00-17:00"]}}
zones: {Z: {bay: {units: 2, open: day}}}
flows:
  one: {steps: {work: {hold: {b: Z.bay}, take: 60 min}}}
  two: {steps: {work: {hold: {b: {resource: Z.bay, units: 2}}, take: 60 min}}}
traffic: {a: {flow: one, at: [16.5 h]}, b: {flow: two, at: [16.75 h]}, c: {flow: one, at: [16.8 h]}}
"""
    assert run(text, engine=engine).starts("work") == {"a0": 990, "b0": 24 * H + 480, "c0": 24 * H + 540}


def test_pause_and_queue_together(engine):
    """
    A paused service keeps its unit over the break; the next one starts when it has ended.
    """
    line = run(SHIFT.format(units=1, rule="pause", take="2 h", at="[11 h, 11.25 h]"), engine=engine)

    assert line.visits("work") == {"a0": (660, 660, 14 * H), "a1": (675, 14 * H, 16 * H)}
