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
