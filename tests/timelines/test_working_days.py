"""Working days: `10 wd` ends at the same time of day ten open days later."""

from __future__ import annotations

import pytest

from tests.helper import plan_of, run
from zonesim.briefing.text.step_words import take_text
from zonesim.faults import Faults
from zonesim.policy import apply, parse_setting, world_of
from zonesim.scenario import read_text
from zonesim.scenario.laws import Law

H = 60
D = 24 * H

# 3 September 2018 is a Monday; minutes count from its midnight.
TEXT = """
zonesim: 1
kind: scenario
name: licences
clock: {{start: "2018-09-03", measure: 40 d{holidays}}}
calendars: {{shop: {{sat-sun: ["10:00-11:00"]}}}}
flows: {{f: {{params: {{wait: {{kind: duration, default: 2 wd}}}}, steps: {{work: {{take: {take}{during}}}}}}}}}
traffic: {{a: {{flow: f, at: [{at}], class: A}}}}
"""


def _text(take, at="10 h", during="", holidays=""):
    return TEXT.format(
        take=take,
        at=at,
        during=f", during: {during}" if during else "",
        holidays=f", holidays: {holidays}" if holidays else "",
    )


def _ends(engine, *args, **kwargs):
    return run(_text(*args, **kwargs), engine=engine).ends("work")


def test_the_same_time_of_day_so_many_days_later(engine):
    """
    Ten working days from Monday 10:00 are Monday 10:00 two weeks later; from Friday 10:00 one is Monday 10:00.
    """
    assert _ends(engine, "10 wd") == {"a0": 14 * D + 10 * H}
    assert _ends(engine, "1 wd", f"{4 * 24 + 10} h") == {"a0": 7 * D + 10 * H}


def test_outside_office_hours_the_clock_still_counts(engine):
    """
    A day counts whole, not only its office hours: one working day from Monday 20:00 is Tuesday 20:00.
    """
    assert _ends(engine, "1 wd", "20 h") == {"a0": D + 20 * H}


def test_from_a_closed_day_the_count_begins_at_the_next_open_one(engine):
    """
    What comes on Saturday has had one working day when Monday ends.
    """
    assert _ends(engine, "1 wd", f"{5 * 24 + 10} h") == {"a0": 8 * D}


def test_holidays_are_no_working_days_and_make_up_days_are(engine):
    """
    Three working days from Friday 28 September 2018, 10:00: Saturday 29 and Sunday 30 are worked, then 8 October.
    """
    at = f"{25 * 24 + 10} h"

    assert _ends(engine, "3 wd", at, holidays="cn") == {"a0": 35 * D + 10 * H}
    assert _ends(engine, "3 wd", at) == {"a0": 30 * D + 10 * H}


def test_days_of_another_calendar(engine):
    """
    `during` says whose days count: two days of a shop that opens at weekends.
    """
    assert _ends(engine, "2 wd", during="shop") == {"a0": 7 * D}
    assert _ends(engine, "2 wd", "130 h", during="shop") == {"a0": 12 * D + 10 * H}


def test_laws_of_working_days(engine):
    """
    Every part of a law may count working days, a parameter may, and a zero needs no unit; halves are half days.
    """
    assert _ends(engine, "{uniform: [3 wd, 3 wd]}") == {"a0": 3 * D + 10 * H}
    assert _ends(engine, "$wait") == {"a0": 2 * D + 10 * H}
    assert _ends(engine, "{discrete: {0: 0 %, 1.5 wd: 100 %}}") == {"a0": 2 * D - 2 * H}
    assert _ends(engine, "{by: class, A: 2 wd, all: 1 wd}") == {"a0": 2 * D + 10 * H}
    assert _ends(engine, "{mixture: {x: {share: 100 %, constant: 2 wd}}}") == {"a0": 2 * D + 10 * H}
    assert 3 * D <= _ends(engine, "{pert: [3 wd, 7 wd, 10 wd]}")["a0"] <= 14 * D + 10 * H


def test_working_days_can_be_scaled_and_told():
    """
    An edit that scales them keeps the unit, and process maps say it.
    """
    world = world_of(read_text(_text("10 wd"), "timeline.yaml"))
    apply(world, [parse_setting("flows.f.work.take=5 wd")])

    assert world.tree["flows"]["f"]["steps"]["work"]["take"] == "5 wd"
    assert take_text("10 wd") == "10 wd"
    assert take_text(Law(pert=["3 wd", "7 wd", "10 wd"])) == "PERT 3/7/10 wd"


@pytest.mark.parametrize(
    ("take", "fault"),
    [
        (
            "{pert: [3 h, 7 wd, 10 wd]}",
            "7:83: working days and other durations in one law\n    Write all of them in wd, or none.",
        ),
        (
            "{by: class, A: 3 h, B: 1 wd}",
            "'3 h' is a duration, but a number of working days is due\n    Write a number of working days such as '10 wd'.",
        ),
        (
            "{mixture: {x: {share: 50 %, distance: 9 km, speed: 9 km/h}, y: {share: 50 %, constant: 1 wd}}}",
            "a haul in a law of working days\n    Write all of it in wd, or none.",
        ),
        ("{uniform: [1 h, $wait]}", "'1 h' is a duration, but a number of working days is due"),
        ("3 wds", "unknown unit 'wds' in '3 wds'"),
    ],
)
def test_mixing_is_a_fault(take, fault):
    """
    One law counts working days or time, not both.
    """
    with pytest.raises(Faults) as found:
        plan_of(_text(take))

    assert fault in str(found.value)


def test_elsewhere_a_duration_is_due():
    """
    A clock cannot be given in working days.
    """
    with pytest.raises(Faults) as found:
        plan_of(_text("1 wd").replace("measure: 40 d", "measure: 40 wd"))

    assert (
        "5:39: '40 wd' is a number of working days, but a duration is due\n    Write a duration such as '15 min'."
        in str(found.value)
    )


def test_a_calendar_that_never_opens_in_the_run(engine):
    """
    Waiting for a day that the run does not reach does not end, and is no mistake.
    """
    assert _ends(engine, "1 h", during="month_end").get("a0") == 27 * D + H

    text = _text("1 h", during="month_end").replace("measure: 40 d", "measure: 2 d")

    assert run(text, engine=engine).ends("work") == {"a0": -1}
