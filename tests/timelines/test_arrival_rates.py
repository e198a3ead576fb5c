"""Rates that change within the hour."""

from __future__ import annotations

import pytest

from tests.helper import plan_of, run_plan
from zonesim.plan import loads
from zonesim.units import HOUR, MINUTE

TEXT = """
clock: {{start: "2018-09-03", measure: 1 d}}
profiles:
  quarters: {{parts: {parts}}}
  morning: {{hours: {hours}}}
zones: {{Z: {{desk: {{units: 2}}}}}}
flows: {{f: {{steps: {{serve: {{hold: {{d: Z.desk}}, take: 1 min}}}}}}}}
traffic: {{a: {{flow: f, rate: 96 /h, profile: {profile}}}}}
"""
PARTS = [0, 4, 0, 0] * 24
HOURS = [0] * 8 + [1] * 4 + [0] * 12


def _plan(profile):
    return plan_of(TEXT.format(parts=PARTS, hours=HOURS, profile=profile))


def test_everybody_comes_in_the_second_quarter_of_an_hour():
    """
    A weight of 4 on one quarter of each hour and of 0 on the others: 384 an hour in that quarter, nobody else, and the
    mean of 96 an hour stays.
    """
    line = run_plan(_plan("quarters"))
    queued = line.sink.visits["queued"]

    assert ((queued % HOUR >= 15 * MINUTE) & (queued % HOUR <= 30 * MINUTE)).all()
    assert line.plan.rates["begins"][:2].tolist() == [0, 15 * MINUTE]
    assert line.plan.rates["rate"][:2] == pytest.approx([0, 384 / HOUR])
    assert int(line.totals.arrivals.sum()) == pytest.approx(96 * 24, abs=4 * 48)


def test_hours_and_quarters_multiply():
    """
    Four hours of the morning, of these the second quarters: 24 times the mean rate, in four spans.
    """
    rates = _plan("[quarters, morning]").rates

    assert rates["begins"].tolist() == [0] + [
        8 * HOUR + quarter * 15 * MINUTE for quarter in (1, 2, 5, 6, 9, 10, 13, 14)
    ]
    assert rates["rate"][1::2] == pytest.approx(24 * 96 / HOUR)
    assert not rates["rate"][::2].any()


def test_the_load_of_an_hour_is_that_of_all_its_quarters():
    """
    96 tokens an hour of one minute each load two desks to 80 % in every hour, however they spread within it.
    """
    assert loads(_plan("quarters"))[0].hourly == pytest.approx(0.8)


WEEK = """
clock: {{start: "2018-09-28", measure: 6 d, holidays: mine}}
holidays: {{mine: {{closed: ["2018-10-02"]}}}}
profiles:
  shop: {{hours: {{mon-fri: {weekday}, sat: {saturday}, last: {last}}}, days: {days}}}
  double: {{parts: {{mon-sun: {double}, "2018-10-01": {single}}}}}
zones: {{Z: {{desk: {{units: 2}}}}}}
flows: {{f: {{steps: {{serve: {{hold: {{d: Z.desk}}, take: 1 min}}}}}}}}
traffic: {{a: {{flow: f, rate: 7 /h, profile: {profile}}}}}
"""


def _rates(profile: str, days: str = "[1, 1, 1, 1, 1, 1, 1]") -> list[tuple[float, float]]:
    """Return (hours from the start, arrivals an hour from then on)."""
    plan = plan_of(
        WEEK.format(
            weekday=[0] * 8 + [1] * 8 + [0] * 8,
            saturday=[0] * 8 + [4] * 2 + [0] * 14,
            last=[0] * 23 + [2],
            double=[1] * 48,
            single=[2] * 48,
            days=days,
            profile=profile,
        )
    )
    return [(begin / HOUR, round(rate * HOUR, 9)) for begin, rate, _ in plan.rates.tolist()]


def test_days_have_hours_of_their_own():
    """
    Forty hours of weight 1 and two of weight 4 are a week of 48: weight 1 is 3.5 times the mean. A Sunday has nobody, but as
    the last of the month an hour of weight 2; the Tuesday is a holiday, so nobody comes.
    """
    unit = 7 * 168 / 48
    assert _rates("shop") == [
        (0, 0), (8, unit), (16, 0), (32, 4 * unit), (34, 0), (71, 2 * unit), (72, 0), (80, unit), (88, 0), (128, unit), (136, 0),
    ]  # fmt: skip


def test_weights_of_days_and_other_profiles_multiply():
    """
    With a weight of 3 on Saturday its two hours weigh 24 of 64; on a date on which another profile is twice as high, so is
    the rate, and the week that the mean is of stays an ordinary one.
    """
    unit = 7 * 168 / 64
    assert _rates("[shop, double]", "[1, 1, 1, 1, 1, 3, 1]") == [
        (0, 0), (8, unit), (16, 0), (32, 12 * unit), (34, 0), (71, 2 * unit), (72, 0), (80, 2 * unit), (88, 0), (128, unit), (136, 0),
    ]  # fmt: skip
