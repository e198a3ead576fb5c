"""Waiting that ends by itself: patience, and going elsewhere because of a line or closed doors."""

from __future__ import annotations

import pytest

from tests.helper import kpis, plan_of, run
from zonesim.analysis import unstable
from zonesim.faults import Faults
from zonesim.kpi import catalogue

# Ciw's own case: arrivals every 7 minutes from 7 on, service 11, one server, patience 3.
RENEGE = """
clock: {{measure: 61 min}}
zones: {{Z: {{desk: {{units: 1, open: {open}}}}}}}
calendars: {{until_16: {{mon: ["00:00-00:16"]}}}}
flows:
  f:
    steps:
      serve: {{hold: {{d: Z.desk}}, patience: {{longest: 3 min, next: {next}}}, take: 11 min}}
      done: {{mark: served}}
      gone: {{take: 1 min}}
traffic: {{a: {{flow: f, at: [7 min, 14 min, 21 min, 28 min, 35 min, 42 min, 49 min, 56 min]}}}}
"""


def test_every_other_customer_gives_up(engine):
    """
    Odd customers are served 7-18, 21-32, 35-46 and 49-60; even ones leave at 17, 31, 45 and 59, each after 3 minutes.
    """
    line = run(RENEGE.format(open="always", next="end"), engine=engine)

    assert line.visits("serve") == {
        "a0": (7, 7, 18),
        "a1": (14, -1, 17),
        "a2": (21, 21, 32),
        "a3": (28, -1, 31),
        "a4": (35, 35, 46),
        "a5": (42, -1, 45),
        "a6": (49, 49, 60),
        "a7": (56, -1, 59),
    }
    assert line.marks("left")["a1"] == 17


def test_a_closed_desk_is_given_up_too(engine):
    """
    With the desk on duty until minute 16, finishing its work: customer 1 ends at 18, 2 gives up at 17, 3 at 24.
    """
    line = run(RENEGE.format(open="until_16", next="end"), engine=engine)

    assert [line.visits("serve")[name] for name in ("a0", "a1", "a2")] == [(7, 7, 18), (14, -1, 17), (21, -1, 24)]


def test_who_gives_up_goes_on_where_the_step_says(engine):
    """
    Whoever gives up skips what comes after the desk and does the step that is named.
    """
    line = run(RENEGE.format(open="always", next="gone"), engine=engine)

    assert line.visits("gone")["a1"] == (17, 17, 18)
    assert set(line.marks("served")) == {"a0", "a2", "a4", "a6"}


def test_a_unit_that_comes_at_the_last_moment_is_taken(engine):
    """
    A release at the very instant at which patience ends comes first: the unit is taken.
    """
    text = RENEGE.format(open="always", next="end").replace("longest: 3 min", "longest: 4 min")
    line = run(text, engine=engine)

    assert line.visits("serve")["a1"] == (14, 18, 29)


def test_who_gives_up_lets_those_behind_pass(engine):
    """
    A truck that waits for two bays holds up the next one, which needs one; when it gives up, the other starts at once.
    """
    text = """
clock: {measure: 60 min}
zones: {Z: {bay: {units: 2}}}
flows:
  small: {steps: {use: {hold: {b: Z.bay}, take: 30 min}}}
  large: {steps: {use: {hold: {b: {resource: Z.bay, units: 2}}, patience: {longest: 5 min}, take: 30 min}}}
traffic: {a: {flow: small, at: [0 min, 3 min]}, b: {flow: large, at: [1 min]}}
"""
    line = run(text, engine=engine)

    assert line.visits("use") == {"a0": (0, 0, 30), "b0": (1, -1, 6), "a1": (3, 6, 36)}


def test_giving_up_is_counted_and_lines_do_not_grow():
    """
    Half of the customers give up; the load is above 100 %, yet no number depends on the run length.
    """
    plan = plan_of(RENEGE.format(open="always", next="end"))
    (result,) = kpis(plan)

    assert result.values["f.serve.gave_up.share"] == 0.5
    assert unstable(plan, 0, catalogue(plan)) == frozenset()


HELD = """
clock: {{measure: 200 min}}
zones: {{Z: {{lane: {{units: 1}}, desk: {{units: 1}}, bay: {{units: 1}}}}}}
flows:
  hog: {{steps: {{s: {{hold: {{d: Z.desk}}, take: 60 min}}}}}}
  lane:
    steps:
      ask: {{hold: {{d: Z.desk}}, patience: {{longest: 5 min{next}}}, take: 10 min}}
      sign: {{take: 2 min}}
  f:
    steps:
      bay: {{hold: {{b: Z.bay}}, keep: {{b: until last}}, take: 1 min}}
      inside: {{hold: {{l: Z.lane}}, steps: {{go: {{call: lane}}}}, mark: through}}
      after: {{take: 7 min}}
      last: {{take: 1 min}}
traffic: {{h: {{flow: hog, at: [0 min]}}, t: {{flow: f, at: [0 min, 1 min]}}}}
"""


def test_without_next_the_list_ends_and_what_follows_is_done(engine):
    """
    In a called flow inside a block, giving up at 6 ends that flow and the block: its lane is free at 6, the steps after it are
    done, and the bay, which is kept until the last of them, is free at 14. `end` says the same.
    """
    lines = [run(HELD.format(next=next_), engine=engine) for next_ in ("", ", next: end")]

    for line in lines:
        assert line.visits("inside.go.ask") == {"t0": (1, -1, 6), "t1": (15, -1, 20)}
        assert line.visits("inside") == {"t0": (1, 1, 6), "t1": (15, 15, 20)}
        assert line.visits("inside.go.sign") == {}
        assert line.visits("after") == {"t0": (6, 6, 13), "t1": (20, 20, 27)}
        assert line.visits("bay.keep.b") == {"t0": (1, 1, 14), "t1": (15, 15, 28)}
        assert line.marks("through") == {"t0": 6, "t1": 20}
        assert line.marks("left") == {"t0": 14, "t1": 28, "h0": 60}


def test_leaving_gives_back_all_that_is_in_hand(engine):
    """
    With `leave` the token is gone at 6, out of the call and the block, and the lane and the kept bay are free: the next one
    gets the bay at 6 instead of 14. Nothing that follows is done.
    """
    line = run(HELD.format(next=", next: leave"), engine=engine)

    assert line.visits("bay") == {"t0": (0, 0, 1), "t1": (1, 6, 7)}
    assert line.visits("bay.keep.b") == {"t0": (1, 1, 6), "t1": (7, 7, 12)}
    assert line.visits("inside") == {"t0": (1, 1, 6), "t1": (7, 7, 12)}
    assert line.visits("after") == line.marks("through") == {}
    assert line.marks("left") == {"t0": 6, "t1": 12, "h0": 60}


def test_a_step_may_send_away_from_within_a_block(engine):
    """
    `next: leave` is for every step: half an hour after it came in, the truck leaves with its lane given back.
    """
    text = """
clock: {measure: 2 h}
zones: {Z: {lane: {units: 1}}}
flows: {f: {steps: {lane: {hold: {l: Z.lane}, steps: {look: {take: 30 min, next: leave}, stamp: {take: 5 min}}}, after: {take: 1 min}}}}
traffic: {a: {flow: f, at: [0 min, 10 min]}}
"""
    line = run(text, engine=engine)

    assert line.visits("lane") == {"a0": (0, 0, 30), "a1": (10, 30, 60)}
    assert line.marks("left") == {"a0": 30, "a1": 60}
    assert line.visits("after") == line.visits("lane.stamp") == {}


def test_a_child_that_leaves_does_not_take_its_parent_along(engine):
    """
    Of two trucks, one gives up after 5 minutes and gives its lane back; the consignment goes on when the other is done.
    """
    text = """
clock: {measure: 2 h}
zones: {Z: {lane: {units: 2}, dock: {units: 1}}}
flows:
  f:
    steps:
      trucks: {split: {into: truck, count: 2}}
      lane: {hold: {l: Z.lane}, steps: {dock: {hold: {d: Z.dock}, patience: {longest: 5 min, next: leave}, take: 30 min}}}
      sweep: {take: 2 min}
      all: {join: trucks}
      count: {take: 1 min}
traffic: {a: {flow: f, at: [0 min]}}
"""
    line = run(text, engine=engine)

    assert line.visits("lane") == {"a0/1": (0, 0, 30), "a0/2": (0, 0, 5)}
    assert line.visits("sweep") == {"a0/1": (30, 30, 32)}
    assert line.visits("count") == {"a0": (32, 32, 33)}


def test_who_works_for_a_batch_cannot_leave_it():
    """
    The others of a batch wait for its leader, who may therefore go to the end of its steps but not away.
    """
    text = """
clock: {measure: 2 h}
zones: {Z: {dock: {units: 1}}}
flows: {f: {steps: {fill: {gather: {number: 2}, steps: {dock: {hold: {d: Z.dock}, patience: {longest: 5 min, next: leave}, take: 30 min}}}}}}
traffic: {a: {flow: f, at: [0 min, 1 min]}}
"""
    with pytest.raises(Faults) as found:
        run(text)

    assert str(found.value).splitlines() == [
        "timeline.yaml:7:116: others wait for the end of these steps, which one does for its batch",
        "    Go on with `end`, and let it leave after the batch.",
    ]


def test_a_step_that_is_called_leave_is_meant_first(engine):
    """
    In a list with a step `leave` the word means that step.
    """
    text = RENEGE.format(open="always", next="leave").replace("gone: {take", "leave: {take")

    assert run(text, engine=engine).visits("leave")["a1"] == (17, 17, 18)


BALK = """
clock: {measure: 51 min}
zones: {Z: {desk: {units: 1}}}
flows:
  f:
    steps:
      look: {when: {queue: {of: Z.desk, longer_than: 1}}, mark: turned_away, next: end}
      serve: {hold: {d: Z.desk}, take: 21 min}
traffic: {a: {flow: f, at: [5 min, 10 min, 15 min, 20 min, 25 min, 30 min, 35 min, 40 min, 45 min, 50 min]}}
"""


def test_a_long_line_turns_newcomers_away(engine):
    """
    Whoever finds one in service and two waiting goes away: at 20, 25, 35, 40 and 45; services 5-26 and 26-47.
    """
    line = run(BALK, engine=engine)

    assert sorted(line.marks("turned_away").values()) == [20, 25, 35, 40, 45]
    assert [line.visits("serve")[name] for name in ("a0", "a1")] == [(5, 5, 26), (10, 26, 47)]


def test_conditions_on_duty(engine):
    """
    In the morning, before the officers come, trucks take the machine; from half past eight on they see an officer. At
    17:00 sharp the officers are off duty.
    """
    text = """
clock: {start: "2018-09-03", measure: 1 d}
zones: {Z: {officer: {units: 1, open: office}}}
flows:
  f:
    steps:
      person: {when: {open: Z.officer}, take: 2 min}
      machine: {when: {shut: Z.officer}, take: 1 min}
traffic: {a: {flow: f, at: [100 min, 510 min, 1020 min]}}
"""
    line = run(text, engine=engine)

    assert line.starts("machine") == {"a0": 100, "a2": 1020}
    assert line.starts("person") == {"a1": 510}


def test_steps_named_by_patience_must_exist():
    """
    A step that does not exist is named with its place and what is near.
    """
    with pytest.raises(Faults) as found:
        plan_of(RENEGE.format(open="always", next="gonne"))

    assert "no step 'gonne' to go on with" in str(found.value)
    assert "Did you mean 'gone'" in str(found.value)
