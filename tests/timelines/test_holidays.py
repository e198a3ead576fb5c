"""Dates: public holidays, make-up working days, days of the month, and months of the year."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from tests.helper import plan_of, run
from zonesim.compiled.streams import run_key
from zonesim.engine.arrivals import arrival_times
from zonesim.faults import Faults
from zonesim.plan.calendars import Days
from zonesim.scenario import load_catalogue
from zonesim.scenario.calendars import Holidays
from zonesim.units import DAY, HOUR

H = 60
D = 24 * H

OFFICE = """
clock: {{start: "{start}", measure: {measure}, holidays: cn}}
calendars: {{shift: {{{shift}}}}}
flows: {{f: {{steps: {{work: {{take: 1 h, during: shift}}}}}}}}
traffic: {{a: {{flow: f, at: [{at}]}}}}
"""


def _ends(engine, start, measure, at, shift='mon-fri: ["08:00-17:00"]'):
    text = OFFICE.format(start=start, measure=measure, at=at, shift=shift)
    return run(text, engine=engine).ends("work")


def test_an_office_closes_on_a_public_holiday(engine):
    """
    Work that comes on the eve of the national holiday of 2018 after closing is done on 8 October.
    """
    assert _ends(engine, "2018-09-30", "9 d", "20 h") == {"a0": 8 * D + 9 * H}


def test_a_make_up_sunday_is_a_working_day(engine):
    """
    Sunday 30 September 2018 was worked to make up for the holiday: the office opens as on a Monday.
    """
    assert _ends(engine, "2018-09-30", "1 d", "1 h") == {"a0": 9 * H}


def test_on_a_holiday_a_calendar_follows_its_sunday(engine):
    """
    A desk with Sunday hours keeps them on 1 October, a Monday.
    """
    shift = 'mon-fri: ["08:00-17:00"], sun: ["10:00-12:00"]'

    assert _ends(engine, "2018-10-01", "1 d", "1 h", shift) == {"a0": 11 * H}


def test_always_stays_open_on_holidays(engine):
    """
    What never closes does not close for a holiday either.
    """
    assert _ends(engine, "2018-10-01", "1 d", "1 h", 'mon-sun: ["00:00-24:00"]') == {"a0": 2 * H}


def test_a_date_goes_before_the_holiday_and_the_day_of_the_month(engine):
    """
    Hours given for a date hold on that date, whatever day it is; an empty list closes it.
    """
    shift = 'mon-fri: ["08:00-17:00"], 2: ["20:00-24:00"], 2018-10-01: ["12:00-13:00"], 2018-10-02: []'

    assert _ends(engine, "2018-10-01", "2 d", "1 h, 14 h", shift) == {"a0": 13 * H, "a1": -1}


def test_a_day_of_the_month_goes_before_the_weekday(engine):
    """
    On the 15th the office opens at its own hours; on the days around it as on any weekday.
    """
    ends = _ends(engine, "2018-11-14", "3 d", "1 h, 25 h, 49 h", 'mon-fri: ["08:00-17:00"], 15: ["20:00-24:00"]')

    assert ends == {"a0": 9 * H, "a1": D + 21 * H, "a2": 2 * D + 9 * H}


@pytest.mark.parametrize(("start", "last"), [("2020-02-10", 29), ("2019-02-10", 28), ("2018-11-10", 30)])
def test_the_last_day_of_a_month(engine, start, last):
    """
    `last` is the 28th, 29th, 30th or 31st, as the month has it, and a number that the month lacks is no day.
    """
    ends = _ends(engine, start, "25 d", "1 h", 'last: ["00:00-24:00"], 30: ["00:00-00:30"]')

    assert ends == {"a0": (last - 10) * D + H}


def test_spans_of_neighbouring_days_run_through_midnight(engine):
    """
    The last day of a month and the first of the next are one open time.
    """
    text = OFFICE.format(
        start="2018-11-30", measure="2 d", at="23.5 h", shift='last: ["00:00-24:00"], 1: ["00:00-06:00"]'
    )

    assert run(text, engine=engine).ends("work") == {"a0": D + H // 2}


def test_the_library_has_month_end_and_workdays(engine):
    """
    `month_end` opens on the last day of a month, `workdays` on days that are worked.
    """
    text = """
clock: {start: "2018-09-29", measure: 12 d, holidays: cn}
flows:
  list: {steps: {wait: {take: 1 min, during: month_end}}}
  post: {steps: {wait: {take: 1 min, during: workdays}}}
traffic: {a: {flow: list, at: [1 h]}, b: {flow: post, at: [1 h, 50 h]}}
"""
    line = run(text, engine=engine)

    assert line.ends("wait") == {"a0": D + 1, "b0": H + 1, "b1": 9 * D + 1}


OWN = """
clock: {start: "2018-09-03", measure: 3 d, holidays: plant}
holidays: {plant: {closed: ["2018-09-03..2018-09-04"], working: ["2018-09-05"]}}
calendars: {mondays: {mon: ["08:00-17:00"]}}
flows: {f: {steps: {work: {take: 1 h, during: mondays}}}}
traffic: {a: {flow: f, at: [1 h]}}
"""


def test_a_table_of_its_own(engine):
    """
    A scenario may name holidays and working days itself; they hold for any year.
    """
    assert run(OWN, engine=engine).ends("work") == {"a0": 2 * D + 9 * H}


def _fault(text):
    with pytest.raises(Faults) as found:
        plan_of(text)
    return str(found.value)


def test_a_run_beyond_the_years_of_the_table():
    """
    Holidays of a year that the table does not know are not guessed.
    """
    text = OFFICE.format(start="2020-12-30", measure="3 d", at="1 h", shift='mon: ["08:00-17:00"]')

    assert _fault(text) == (
        "timeline.yaml:5:54: the run goes from 2020-12-30 to 2021-01-01, but holidays 'cn' are known for"
        " 2017, 2018, 2019, 2020\n    Choose another start, or write a table of your own under `holidays`."
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("holidays: plant", "holidays: plants", "5:54: no holidays 'plants'\n    Did you mean 'plant'?"),
        (
            'working: ["2018-09-05"]',
            "working: [2018-09-04]",
            "6:19: 2018-09-04 is closed and working\n    Keep it in one",
        ),
        ("2018-09-05", "2018-9-5", "expected a date, found '2018-9-5'\n    Write a date such as \"2018-09-03\"."),
        ("2018-09-03..2018-09-04", "2018-09-03..2018-09-01", "runs backward\n    Write the earlier date first."),
        ("closed:", "years: [2019], closed:", "2018-09-03 does not lie in the years of the table\n    Add the year"),
        ("mon: [", "32: [", "'32' is no day of a month\n    Write a number from 1 to 31, or last."),
        (
            "mon: [",
            "monday: [",
            "expected days, found 'monday'\n    Write days of the week (mon-fri), days of the month (1",
        ),
        ("mon: [", "3-7: [], 5: [", "'5' names a day twice\n    Give each day once."),
        (
            'start: "2018-09-03"',
            'start: "1066-10-14"',
            "'1066-10-14' is no date of our time\n    Choose a year from 1900",
        ),
    ],
)
def test_dates_that_are_wrong(old, new, fault):
    """
    Each mistake is named at its place, with what would be right.
    """
    assert fault in _fault(OWN.replace(old, new))


def test_the_holidays_of_four_years():
    """
    With the table, 2017 and 2020 have 249 working days, 2018 and 2019 have 250; every make-up day is on a weekend.
    """
    table = Holidays(**{key: value for key, value in load_catalogue().holidays["cn"].items() if key != "source"})
    days = Days.of("2017-01-01", table)
    worked = dict.fromkeys(table.years, 0)
    for number in range((datetime.date(2021, 1, 1) - days.start).days):
        worked[days.date(number).year] += days.weekday(number) < 5

    assert worked == {2017: 249, 2018: 250, 2019: 250, 2020: 249}
    assert all(day.weekday() >= 5 for day in table.working_days())


ARRIVALS = """
clock: {{start: "{start}", measure: {measure}{holidays}}}
profiles: {{p: {{days: [2, 1, 1, 1, 1, 1, 0]}}, s: {{months: [31, 0, 62, 30, 31, 30, 31, 31, 30, 31, 30, 31]}}}}
flows: {{f: {{steps: {{work: {{take: 1 h}}}}}}}}
traffic: {{a: {{flow: f, rate: 70 /d, profile: {profile}}}}}
"""


def _by_day(profile, start, measure, holidays=""):
    plan = plan_of(ARRIVALS.format(profile=profile, start=start, measure=measure, holidays=holidays))
    begins, rates = plan.rates_of(0)["begins"], plan.rates_of(0)["rate"]
    middles = np.arange(0, plan.horizon, DAY) + DAY / 2
    daily = rates[np.searchsorted(begins, middles, side="right") - 1] * DAY
    return plan, [float(value) for value in daily]


def test_arrivals_follow_sunday_on_a_holiday():
    """
    On 1 October 2018, a Monday and a holiday, nobody comes who does not come on Sundays; on make-up Sunday 30
    September they come as on a Monday. In seven ordinary days as many come as the rate says.
    """
    _, rates = _by_day("p", "2018-09-28", "5 d", ", holidays: cn")

    assert rates == pytest.approx([70, 140, 140, 0, 0])

    _, rates = _by_day("p", "2018-09-03", "7 d", ", holidays: cn")

    assert sum(rates) == pytest.approx(7 * 70)


def test_months_share_the_year():
    """
    A month has its weight of the year's volume, spread over its days: with the weight of two months March has twice the mean rate.
    """
    _, rates = _by_day("s", "2019-01-01", "365 d")
    weight = 365 / 368

    assert rates[0] == pytest.approx(70 * weight)
    assert rates[31:59] == [0] * 28
    assert rates[59:90] == pytest.approx([140 * weight] * 31)
    assert sum(rates) == pytest.approx(365 * 70)


def test_profiles_multiply():
    """
    A weekly and a monthly profile together: a Monday in March has the product of both.
    """
    _, rates = _by_day("[p, s]", "2019-03-03", "3 d")

    assert rates == pytest.approx([0, 280 * 365 / 368, 140 * 365 / 368])


def test_arrivals_invert_the_dated_rate_exactly():
    """
    Between two arrivals lies an exponential step of the expected number, through a closed month and a holiday.
    """
    plan, _ = _by_day("[p, s]", "2019-01-28", "40 d", ", holidays: cn")
    times = np.array(list(arrival_times(plan, 0, run_key(3, 0))))
    rows = plan.rates[np.searchsorted(plan.rates["begins"], times, side="right") - 1]
    expected = rows["expected_before"] + (times - rows["begins"]) * rows["rate"]
    steps = np.diff(expected, prepend=0.0)

    assert not ((times >= 4 * DAY) & (times < 32 * DAY)).any()
    assert (rows["rate"] > 0).all()
    assert steps.min() > -1e-3
    assert steps.mean() == pytest.approx(1, abs=0.1)
    last = plan.rates[-1]
    assert len(times) == pytest.approx(
        last["expected_before"] + (plan.horizon - last["begins"]) * last["rate"], rel=0.1
    )


def test_a_run_of_a_century_is_refused_at_once():
    """
    A clock beyond a hundred years is a fault, whatever calendars would have to be laid out.
    """
    text = ARRIVALS.format(profile="p", start="2199-12-31", measure="1e6 d", holidays="")

    assert "the run is longer than a hundred years" in _fault(text)
    assert HOUR == 3_600_000
