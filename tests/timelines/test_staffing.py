"""Units by time of day, and what becomes of work in hand when only some of them leave."""

from __future__ import annotations

import pytest

from tests.helper import plan_of, run
from zonesim.engine import recursion

DAY = """
clock: {{start: "2018-09-03", measure: 24 h}}
zones: {{Z: {{desk: {{units: {{mon-sun: {{"08:00-12:00": 2, "12:00-14:00": 1, "14:00-18:00": 3}}}}, at_shift_end: {rule}}}}}}}
flows: {{f: {{steps: {{work: {{hold: {{d: Z.desk}}, take: {take}}}}}}}}}
traffic: {{a: {{flow: f, at: [{at}]}}}}
"""
H = 60


@pytest.mark.parametrize(
    ("rule", "starts", "ends"),
    [
        ("finish", [705, 705, 735, 825], [735, 735, 765, 855]),
        ("pause", [705, 705, 750, 825], [735, 750, 780, 855]),
        ("fits", [705, 735, 765, 825], [735, 765, 795, 855]),
    ],
)
def test_one_of_two_leaves(engine, rule, starts, ends):
    """
    Two begin half an hour of work at 11:45, one of the two desks closes at 12:00: it finishes, the latest is put off, or it has not begun.
    """
    at = "11.75 h, 11.75 h, 11.8 h, 13.75 h"
    line = run(DAY.format(rule=rule, take="30 min", at=at), engine=engine)

    assert list(line.starts("work").values()) == starts
    assert list(line.ends("work").values()) == ends
    assert line.totals.open.tolist() == [(4 * 2 + 2 * 1 + 4 * 3) * 3_600_000]
    assert line.totals.busy.tolist() == [4 * 30 * 60_000]


def test_more_units_come(engine):
    """
    Three wait for the one desk that stays over noon; at 14:00 two more open and both take one.
    """
    line = run(DAY.format(rule="finish", take="3 h", at="12 h, 12.1 h, 12.2 h, 12.3 h"), engine=engine)

    assert list(line.starts("work").values()) == [12 * H, 14 * H, 14 * H, 15 * H]


def test_fits_counts_who_stays_beyond(engine):
    """
    Of three desks two leave at noon: one long work goes on beyond noon, a short one passes that which would be the second.
    """
    text = DAY.format(rule="fits", take="{by: class, long: 2 h, short: 20 min}", at="0 h").replace(
        '"08:00-12:00": 2', '"08:00-12:00": 3'
    )
    head, _, _ = text.partition("traffic:")
    traffic = """traffic:
  a: {flow: f, at: [11 h, 11.1 h], class: long}
  b: {flow: f, at: [11.2 h, 11.9 h], class: short}
"""
    line = run(head + traffic, engine=engine)

    assert line.starts("work") == {"a0": 11 * H, "b0": 11.2 * H, "a1": 13 * H, "b1": 14 * H}


def test_pause_over_night_with_fewer_in_the_morning(engine):
    """
    Two works stand still over night; in the morning one desk opens: the later one waits for it and goes on.
    """
    text = """
clock: {start: "2018-09-03", measure: 2 d}
zones: {Z: {desk: {units: {mon: {"16:00-18:00": 2}, tue: {"08:00-12:00": 1}}, at_shift_end: pause}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: 60 min}}}}
traffic: {a: {flow: f, at: [17.5 h, 17.75 h]}}
"""
    line = run(text, engine=engine)

    assert line.visits("work") == {"a0": (17.5 * H, 17.5 * H, 32.5 * H), "a1": (17.75 * H, 17.75 * H, 33.25 * H)}
    assert line.rows("work.interrupted") == [("a1", (32 * H, 32.5 * H, 32.5 * H))]


def test_days_go_before_each_other_as_in_calendars(engine):
    """
    A date goes before the last of a month, that before a weekday; a holiday has the units of a Sunday.
    """
    text = """
clock: {start: "2018-09-29", measure: 5 d, holidays: mine}
holidays: {mine: {closed: ["2018-10-01"]}}
zones: {Z: {desk: {units: {mon-sat: [0, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 0],
  sun: {"01:00-02:00": 1}, last: {"00:00-01:00": 2}, "2018-10-02": {}}}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: 60 min}}}}
traffic: {a: {flow: f, at: [0 h]}}
"""
    plan = plan_of(text)
    changes = [(time // 3_600_000, units) for time, units in plan.changes_of(0).tolist()]

    assert changes == [(0, 0), (1, 5), (23, 0), (24, 2), (25, 0), (49, 1), (50, 0), (97, 5), (119, 0)]
    assert "come and go" in recursion.qualifies(plan)


def test_a_night_is_two_spans():
    """
    Units that stay over midnight do not change there.
    """
    text = """
clock: {start: "2018-09-03", measure: 2 d}
zones: {Z: {desk: {units: {mon-sun: {"00:00-06:00": 2, "06:00-22:00": 4, "22:00-24:00": 2}}}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: 60 min}}}}
traffic: {a: {flow: f, at: [0 h]}}
"""
    changes = [(time // 3_600_000, units) for time, units in plan_of(text).changes_of(0).tolist()]

    assert changes == [(0, 2), (6, 4), (22, 2), (30, 4), (46, 2)]


def test_values_of_the_table_are_set_and_scaled():
    """
    A path leads into the table, a factor scales it as a whole or one time of it, rounded; a doubtful number is its mode.
    """
    text = """
clock: {start: "2018-09-03", measure: 1 d}
zones: {Z: {desk: {units: {mon: {"00:00-12:00": 3, "12:00-24:00": {uncertain: [4, 5, 9]}}}}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: 60 min}}}}
traffic: {a: {flow: f, at: [0 h]}}
"""

    def units(*settings: str) -> list[int]:
        return plan_of(text, *settings).changes_of(0)["units"].tolist()

    assert units() == [3, 5]
    assert units("zones.Z.desk.units.mon.00:00-12:00=7") == [7, 5]
    assert units("zones.Z.desk.units*=1.5") == [4, 8]
    assert units("zones.Z.desk.units.mon.00:00-12:00*=1.5") == [4, 5]
    assert units("zones.Z.desk.units=6") == [6]
