"""Seizing, holding and releasing: who is served when."""

from __future__ import annotations

import pytest

from tests.helper import run

DESK = """
clock: {{measure: 100 min}}
zones: {{Z: {{desk: {{units: {units}}}, other: {{units: 1}}}}}}
flows:
  f: {{steps: {{work: {{hold: {{d: Z.desk}}, take: {take}}}}}}}
traffic:
  a: {{flow: f, at: {at}}}
"""


def test_single_server_hand_trace(engine):
    """
    One server, first come first served: the bank by hand of Rossetti's book, with an arrival at the instant of a departure.
    """
    text = """
clock: {measure: 31 min}
zones: {Z: {desk: {units: 1}}}
flows: {f: {params: {t: duration}, steps: {work: {hold: {d: Z.desk}, take: $t}}}}
traffic:
"""
    arrivals, services = [3, 11, 13, 14, 17, 19, 21, 27], [4, 4, 4, 3, 2, 4, 3, 2]
    for number, (time, service) in enumerate(zip(arrivals, services, strict=True)):
        text += f"  c{number}: {{flow: f, at: [{time} min], with: {{t: {service} min}}}}\n"

    line = run(text, engine=engine)

    assert line.visits("work") == {
        "c00": (3, 3, 7),
        "c10": (11, 11, 15),
        "c20": (13, 15, 19),
        "c30": (14, 19, 22),
        "c40": (17, 22, 24),
        "c50": (19, 24, 28),
        "c60": (21, 28, -1),
        "c70": (27, -1, -1),
    }
    assert line.totals.queue.tolist() == [28 * 60_000]
    assert line.totals.busy.tolist() == [24 * 60_000]


def test_law_trace_stops_in_the_middle_of_service(engine):
    """
    Law's single-server hand trace up to 8.6: area under the queue 9.9, busy 7.7; a customer in service does not queue.
    """
    gaps, services = [0.4, 1.2, 0.5, 1.7, 0.2, 1.6, 0.2, 1.4, 1.9], [2.0, 0.7, 0.2, 1.1, 3.7, 0.6]
    text = """
clock: {measure: 8.6 min}
zones: {Z: {desk: {units: 1}}}
flows: {f: {params: {t: duration}, steps: {work: {hold: {d: Z.desk}, take: $t}}}}
traffic:
"""
    time = 0.0
    for number, gap in enumerate(gaps):
        time += gap
        service = services[number] if number < len(services) else 1
        text += f"  c{number}: {{flow: f, at: [{time:.1f} min], with: {{t: {service} min}}}}\n"

    line = run(text, engine=engine)

    assert line.totals.queue.tolist() == [594_000]
    assert line.totals.busy.tolist() == [462_000]


def test_several_units_serve_in_parallel(engine):
    """
    Two units serve two at once; the third waits for the first of them.
    """
    line = run(DESK.format(units=2, take="10 min", at="[0 min, 1 min, 2 min]"), engine=engine)

    assert line.visits("work") == {"a0": (0, 0, 10), "a1": (1, 1, 11), "a2": (2, 10, 20)}


def test_a_zero_hold_ends_at_once(engine):
    """
    A step of no length is visited and takes no time.
    """
    line = run(DESK.format(units=1, take="0 min", at="[3 min, 3 min]"), engine=engine)

    assert line.visits("work") == {"a0": (3, 3, 3), "a1": (3, 3, 3)}


PRIORITY = """
clock: {measure: 100 min}
zones: {Z: {desk: {units: 1}}}
flows:
  f: {steps: {work: {hold: {d: Z.desk}, priority: {high: 1, low: 2}, take: 5 min}}}
traffic:
  high: {flow: f, at: [7.5 min], class: high}
  low: {flow: f, at: [1.5 min, 5 min, 5.5 min], class: low}
"""


def test_priority_is_not_preemptive(engine):
    """
    A more important token passes those who wait but not the one in service; within a class it is first come first served.
    """
    line = run(PRIORITY, engine=engine)

    assert line.starts("work") == {"low0": 1.5, "low1": 6.5, "high0": 11.5, "low2": 16.5}


MULTI = """
clock: {measure: 100 min}
zones: {Z: {bay: {units: 3}, crane: {units: 1}}}
flows:
  small: {steps: {work: {hold: {b: Z.bay}, take: 10 min}}}
  big: {steps: {work: {hold: {b: {resource: Z.bay, units: 3}}, take: 10 min}}}
  both: {steps: {work: {hold: {b: Z.bay, c: Z.crane}, take: 10 min}}}
  crane: {steps: {work: {hold: {c: Z.crane}, take: 20 min}}}
"""


def test_a_large_request_is_not_starved(engine):
    """
    Head-of-line blocking: while three units are waited for, later small requests do not pass though one unit is free.
    """
    line = run(
        MULTI
        + "traffic: {a: {flow: small, at: [0 min, 2 min]}, b: {flow: big, at: [3 min]}, c: {flow: small, at: [4 min]}}",
        engine=engine,
    )

    assert line.starts("work") == {"a0": 0, "a1": 2, "b0": 12, "c0": 22}


def test_all_or_nothing(engine):
    """
    A request for two resources takes neither until both are free, and so does not keep the free one from others.
    """
    line = run(
        MULTI
        + "traffic: {a: {flow: crane, at: [0 min]}, b: {flow: both, at: [1 min]}, c: {flow: small, at: [2 min, 3 min, 4 min]}}",
        engine=engine,
    )

    assert line.visits("work") == {
        "a0": (0, 0, 20),
        "b0": (1, 20, 30),
        "c0": (2, 2, 12),
        "c1": (3, 3, 13),
        "c2": (4, 4, 14),
    }


def test_shortage_is_judged_at_each_grant(engine):
    """
    A waiter passed over for want of the crane, whom a later grant makes short of bays, blocks those behind it from then on.
    """
    text = """
clock: {measure: 200 min}
zones: {Z: {bay: {units: 2}, crane: {units: 1}}}
flows:
  hog: {steps: {work: {hold: {b: {resource: Z.bay, units: 2}}, take: 10 min}}}
  crane: {steps: {work: {hold: {c: Z.crane}, take: 50 min}}}
  pair: {steps: {work: {hold: {b: {resource: Z.bay, units: 2}, c: Z.crane}, take: 10 min}}}
  one: {steps: {work: {hold: {b: Z.bay}, take: 30 min}}}
traffic:
  a: {flow: hog, at: [0 min]}
  b: {flow: crane, at: [0 min]}
  c: {flow: pair, at: [1 min]}
  d: {flow: one, at: [2 min]}
  e: {flow: one, at: [3 min]}
"""
    line = run(text, engine=engine)

    # At 10 both bays come free. The pair lacks the crane and is passed over, d takes one bay; now the pair is short of bays,
    # and e waits. At 40 the pair is short of the crane alone, and e goes on.
    assert line.starts("work") == {"a0": 0, "b0": 0, "d0": 10, "e0": 40, "c0": 70}


def test_a_newcomer_does_not_overtake(engine):
    """
    A unit freed at the instant of an arrival goes to the one who waits, not to the newcomer: releases come before arrivals.
    """
    line = run(DESK.format(units=1, take="10 min", at="[0 min, 1 min, 10 min]"), engine=engine)

    assert line.starts("work") == {"a0": 0, "a1": 10, "a2": 20}


def test_nested_blocks_return_what_they_took(engine):
    """
    A step inside a block waits with the outer unit in hand: the lane stays held while the officer is busy.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {lane: {units: 1}, officer: {units: 1}}}
flows:
  f:
    steps:
      lane:
        hold: {l: Z.lane}
        steps:
          drive: {take: 2 min}
          look: {hold: {o: Z.officer}, take: 5 min}
  g: {steps: {busy: {hold: {o: Z.officer}, take: 10 min}}}
traffic: {a: {flow: f, at: [0 min, 1 min]}, b: {flow: g, at: [0 min]}}
"""
    line = run(text, engine=engine)

    assert line.visits("lane.look") == {"a0": (2, 10, 15), "a1": (17, 17, 22)}
    assert line.visits("lane") == {"a0": (0, 0, 15), "a1": (1, 15, 22)}


@pytest.mark.parametrize(("first", "second"), [("a", "b"), ("b", "a")])
def test_equal_arrivals_are_served_by_name(engine, first, second):
    """
    Two arrivals of one instant are in the order of their entries' names, wherever they stand in the file.
    """
    text = f"""
clock: {{measure: 100 min}}
zones: {{Z: {{desk: {{units: 1}}}}}}
flows: {{f: {{steps: {{work: {{hold: {{d: Z.desk}}, take: 5 min}}}}}}}}
traffic: {{{first}: {{flow: f, at: [1 min]}}, {second}: {{flow: f, at: [1 min]}}}}
"""
    line = run(text, engine=engine)

    assert line.starts("work") == {"a0": 1, "b0": 6}


def test_who_lacks_another_resource_is_passed(engine):
    """
    The first in line for the bay waits for the crane until 60, and one behind it that needs the bay alone goes in at 2. The
    first in line for two bays, of which one is free, holds up the one behind it, which starts after it, at 22.
    """
    text = """
clock: {measure: 2 h}
zones: {Z: {bay: {units: 2}, crane: {units: 1}}}
flows:
  crane: {steps: {use: {hold: {c: Z.crane}, take: 60 min}}}
  both: {steps: {use: {hold: {b: {resource: Z.bay, units: TWO}, c: CRANE}, take: 10 min}}}
  bay: {steps: {use: {hold: {b: Z.bay}, take: 10 min}}}
traffic: {a: {flow: crane, at: [0 min]}, b: {flow: both, at: [1 min]}, c: {flow: bay, at: [2 min]}}
"""
    other = run(text.replace("TWO", "1").replace("CRANE", "Z.crane"), engine=engine)
    same = run(
        text.replace("TWO", "2").replace(", c: CRANE", "").replace("crane: {steps: {use: {hold: {c: Z.crane}, take: 60", "crane: {steps: {use: {hold: {c: Z.bay}, take: 12"),
        engine=engine,
    )  # fmt: skip

    assert other.visits("use") == {"a0": (0, 0, 60), "b0": (1, 60, 70), "c0": (2, 2, 12)}
    assert same.visits("use") == {"a0": (0, 0, 12), "b0": (1, 12, 22), "c0": (2, 22, 32)}
