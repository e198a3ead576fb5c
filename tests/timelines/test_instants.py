"""Waiting for an hour: wait_until."""

from __future__ import annotations

from tests.helper import run

WAIT = """
clock: {{start: "2018-09-03", measure: 3 d}}
calendars: {{office: {{mon-fri: ["08:30-17:00"]}}}}
flows:
  f: {{steps: {{come: {{take: 10 min}}, wait: {{wait_until: {until}}}, work: {{take: 1 min}}}}}}
traffic: {{a: {{flow: f, at: [0 min, 560 min, 1010 min, 1200 min]}}}}
"""


def test_waits_for_the_next_opening(engine):
    """
    Before opening a token waits for half past eight; while the office is open it goes on at once; at 17:00 sharp and in
    the evening it waits for the next morning. The wait is a wait: it starts when the hour has come.
    """
    line = run(WAIT.format(until="office"), engine=engine)

    assert line.visits("wait") == {
        "a0": (10, 510, 510),
        "a1": (570, 570, 570),
        "a2": (1020, 1950, 1950),
        "a3": (1210, 1950, 1950),
    }
    assert line.visits("work")["a2"] == (1950, 1950, 1951)


def test_waits_for_the_closing(engine):
    """
    While the office is open a token waits until it closes; while it is shut it goes on at once.
    """
    line = run(WAIT.format(until="{closing: office}"), engine=engine)

    assert line.visits("wait") == {
        "a0": (10, 10, 10),
        "a1": (570, 1020, 1020),
        "a2": (1020, 1020, 1020),
        "a3": (1210, 1210, 1210),
    }


def test_an_hour_after_the_end_does_not_come(engine):
    """
    A token that waits for an opening after the run is still there at its end, and the run ends well.
    """
    text = WAIT.format(until="monthly").replace("calendars: {", 'calendars: {monthly: {15: ["09:00-10:00"]}, ')
    line = run(text, engine=engine)

    assert line.visits("wait")["a0"] == (10, -1, -1)
