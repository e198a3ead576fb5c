"""Where tokens go: conditions, shares, next, loops, calls."""

from __future__ import annotations

import pytest

from tests.helper import run
from zonesim.faults import RunFault

FLOW = """
clock: {measure: 100 min}
flows:
  f:
    steps:
"""


def test_share_of_none_and_of_all(engine):
    """
    A step with share 0 % is never done, with 100 % always.
    """
    text = (
        FLOW
        + """
      never: {share: 0 %, take: 5 min}
      always: {share: 100 %, take: 7 min}
traffic: {a: {flow: f, at: [0 min]}}
"""
    )
    line = run(text, engine=engine)

    assert line.visits("never") == {}
    assert line.marks("left") == {"a0": 7}


def test_share_by_class(engine):
    """
    A share can differ by class; `all` stands for the classes that are not named.
    """
    text = (
        FLOW
        + """
      look: {share: {AEO: 0 %, all: 100 %}, take: 5 min}
traffic: {a: {flow: f, at: [0 min], class: AEO}, b: {flow: f, at: [0 min], class: other}}
"""
    )
    assert run(text, engine=engine).marks("left") == {"a0": 0, "b0": 5}


def test_time_by_class_and_condition_on_class(engine):
    """
    A time can differ by class, and a step can be for one class only.
    """
    text = (
        FLOW
        + """
      work: {take: {by: class, fast: 1 min, all: 9 min}}
      extra: {when: {class: slow}, take: 10 min}
traffic: {a: {flow: f, at: [0 min], class: fast}, b: {flow: f, at: [0 min], class: slow}}
"""
    )
    assert run(text, engine=engine).marks("left") == {"a0": 1, "b0": 19}


def test_next_skips_forward_and_ends(engine):
    """
    `next` names the step to go on with, or the end of the flow.
    """
    text = (
        FLOW
        + """
      first: {take: 1 min, next: third}
      second: {take: 10 min}
      third: {take: 2 min, next: end}
      fourth: {take: 20 min}
traffic: {a: {flow: f, at: [0 min]}}
"""
    )
    line = run(text, engine=engine)

    assert line.marks("left") == {"a0": 3}
    assert line.visits("second") == line.visits("fourth") == {}


def test_next_by_shares_falls_through_for_the_rest(engine):
    """
    Shares of `next` below 100 % leave the rest with the following step.
    """
    text = (
        FLOW
        + """
      first: {take: 1 min, next: {third: 0 %}}
      second: {take: 10 min}
      third: {take: 2 min}
traffic: {a: {flow: f, at: [0 min]}}
"""
    )
    assert run(text, engine=engine).marks("left") == {"a0": 13}


def test_a_loop_draws_anew_in_each_pass(engine):
    """
    Rework with share one half is repeated sometimes and ended sometimes: a pass has its own luck.
    """
    text = """
clock: {measure: 10000 min}
flows: {f: {steps: {work: {take: 1 min, next: {work: 50 %}}}}}
traffic: {a: {flow: f, rate: 1 /min}}
"""
    line = run(text, engine=engine)
    passes = {}
    for name, _ in line.rows("work"):
        passes[name] = passes.get(name, 0) + 1

    assert {1, 2, 3, 4} <= set(passes.values())
    assert sum(passes.values()) / len(passes) == pytest.approx(2, rel=0.05)


def test_a_loop_and_a_queue_together(engine):
    """
    Who comes back queues again, behind those who have come meanwhile.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {desk: {units: 1}}}
flows:
  f:
    steps:
      work: {hold: {d: Z.desk}, take: 10 min, mark: done}
      again: {when: {unmarked: twice}, mark: twice, next: work}
traffic: {a: {flow: f, at: [0 min, 1 min]}}
"""
    line = run(text, engine=engine)

    assert [name for name, _ in line.rows("work")] == ["a0", "a1", "a0", "a1"]
    assert line.marks("left") == {"a0": 30, "a1": 40}


def test_a_sub_flow_gets_its_arguments(engine):
    """
    A called flow works with the resource and the words that it is given, and its marks belong to each call.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {first: {units: 1}, second: {units: 1}}}
flows:
  pass:
    params: {lane: resource, kind: [quick, slow]}
    steps:
      drive: {hold: {l: $lane}, take: {by: kind, quick: 1 min, slow: 10 min}}
      flagged: {when: {kind: slow}, mark: noticed}
      stop: {when: {marked: noticed}, take: 5 min}
  f:
    steps:
      in: {call: pass, with: {lane: Z.first, kind: slow}}
      out: {call: pass, with: {lane: Z.second, kind: quick}}
traffic: {a: {flow: f, at: [0 min]}}
"""
    line = run(text, engine=engine)

    assert line.visits("in.drive") == {"a0": (0, 0, 10)}
    assert line.visits("in.stop") == {"a0": (10, 10, 15)}
    assert line.visits("out.drive") == {"a0": (15, 15, 16)}
    assert line.visits("out.stop") == {}


def test_a_zone_is_an_argument(engine):
    """
    `$zone.name` is the zone's resource or setting; a parameter has a default.
    """
    text = """
clock: {measure: 100 min}
zones:
  A: {desk: {units: 1}, speed: {value: 60 km/h}}
  B: {desk: {units: 1}, speed: {value: 30 km/h}}
flows:
  f:
    params: {zone: zone, km: {kind: distance, default: 10 km}}
    steps:
      drive: {take: {distance: $km, speed: $zone.speed}}
      work: {hold: {d: $zone.desk}, take: 1 min}
traffic: {a: {flow: f, at: [0 min], with: {zone: A}}, b: {flow: f, at: [0 min], with: {zone: B, km: 20 km}}}
"""
    assert run(text, engine=engine).visits("work") == {"a0": (10, 10, 11), "b0": (40, 40, 41)}


def test_a_loop_that_takes_no_time_is_a_fault(engine):
    """
    A token that goes round for ever within one instant is reported, not run for ever.
    """
    text = (
        FLOW
        + """
      spin: {mark: round, next: spin}
traffic: {a: {flow: f, at: [0 min]}}
"""
    )
    with pytest.raises(RunFault, match="traffic 'a' goes round in a loop that takes no time"):
        run(text, engine=engine)


def test_deadlock_names_who_waits_for_what(engine):
    """
    Two tokens that hold what the other wants never go on; the fault names both, what they wait for, and who has it.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {a: {units: 1}, b: {units: 1}}}
flows:
  f: {steps: {outer: {hold: {x: Z.a}, steps: {go: {take: 1 min}, inner: {hold: {y: Z.b}, take: 1 min}}}}}
  g: {steps: {outer: {hold: {x: Z.b}, steps: {go: {take: 1 min}, inner: {hold: {y: Z.a}, take: 1 min}}}}}
traffic: {p: {flow: f, at: [0 min]}, q: {flow: g, at: [0 min]}}
"""
    with pytest.raises(RunFault) as caught:
        run(text, engine=engine)

    assert str(caught.value) == (
        "deadlock: 2 tokens wait for each other and never go on (found at 1.67 h)\n"
        "    p#0 waits at outer.inner for 1 of Z.b (held by q#0)\n"
        "    q#0 waits at outer.inner for 1 of Z.a (held by p#0)\n"
        "    Let steps take their resources in one order, or give one of them more units."
    )


def test_waiting_for_an_opening_beyond_the_end_is_no_deadlock(engine):
    """
    A token that waits for office hours when the run ends is unfinished, not deadlocked.
    """
    text = """
clock: {start: "2018-09-08", measure: 12 h}
zones: {Z: {desk: {units: 1}, officer: {units: 1, open: office}}}
calendars: {office: {sat: ["08:00-09:00"]}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, steps: {look: {hold: {o: Z.officer}, take: 10 min}}}}}}
traffic: {a: {flow: f, at: [10 h]}}
"""
    assert run(text, engine=engine).visits("work.look") == {"a0": (600, -1, -1)}
