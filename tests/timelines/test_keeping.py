"""Units that outlast the block which took them: the yard is seized before the lane is released."""

from __future__ import annotations

import pytest

from tests.helper import kpis, plan_of, run
from zonesim.faults import Faults, RunFault
from zonesim.plan import loads

YARD = """
clock: {measure: 100 min}
zones: {Z: {lane: {units: 1}, bays: {units: 1}}}
flows:
  visit:
    steps:
      gate:
        hold: {lane: Z.lane}
        steps:
          weigh: {take: 2 min}
          enter: {hold: {bay: Z.bays}, keep: {bay: until leave_yard}}
      park: {take: 10 min}
      leave_yard: {take: 3 min, mark: out}
      away: {take: 4 min}
traffic: {a: {flow: visit, at: [0 min, 0 min, 0 min]}}
"""


def test_a_full_yard_holds_the_lane(engine):
    """
    A truck leaves the lane only with a bay in hand, which it gives back when it has left the yard: the next one stands in the lane until then.
    """
    line = run(YARD, engine=engine)

    assert line.visits("gate") == {"a0": (0, 0, 2), "a1": (0, 2, 15), "a2": (0, 15, 28)}
    assert line.visits("gate.enter") == {"a0": (2, 2, 2), "a1": (4, 15, 15), "a2": (17, 28, 28)}
    assert line.visits("gate.enter.keep.bay") == {"a0": (2, 2, 15), "a1": (15, 15, 28), "a2": (28, 28, 41)}
    assert line.marks("out") == {"a0": 15, "a1": 28, "a2": 41}
    assert line.totals.busy.tolist() == [28 * 60_000, 39 * 60_000]


def test_kept_units_are_used_and_loaded():
    """
    Utilisation and the load from the traffic equations count the kept time; the visit of what is kept has KPIs of its own.
    """
    plan = plan_of(YARD.replace("at: [0 min, 0 min, 0 min]", "rate: 1 /h"))
    found = {str(plan.names.resources[each.resource]): each.mean for each in loads(plan)}

    assert found == pytest.approx({"Z.lane": 2 / 60, "Z.bays": 13 / 60})
    assert kpis(plan_of(YARD))[0].values["visit.gate.enter.keep.bay.service.mean"] == pytest.approx(13)
    assert kpis(plan_of(YARD))[0].values["Z.bays.utilisation"] == pytest.approx(0.39)


def test_some_are_kept_and_some_given_back(engine):
    """
    Of three units of two resources the block gives back what is not kept; two keeps of one step end at two places.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {lane: {units: 1}, seal: {units: 2}, bay: {units: 1}}}
flows:
  f:
    steps:
      start: {hold: {l: Z.lane, s: {resource: Z.seal, units: 2}, b: Z.bay}, keep: {s: until end_seal, b: until end_bay}, take: 5 min}
      end_bay: {take: 5 min}
      end_seal: {take: 5 min}
traffic: {a: {flow: f, at: [0 min, 1 min]}}
"""
    line = run(text, engine=engine)

    assert line.visits("start") == {"a0": (0, 0, 5), "a1": (1, 15, 20)}
    assert line.visits("start.keep.b") == {"a0": (5, 5, 10), "a1": (20, 20, 25)}
    assert line.visits("start.keep.s") == {"a0": (5, 5, 15), "a1": (20, 20, 30)}


def test_who_has_taken_nothing_gives_nothing_back(engine):
    """
    Under a condition only some take a unit; the place where it is given back does nothing for the others, and when it is skipped itself it still gives back.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {bay: {units: 1}}}
flows:
  f:
    steps:
      park: {when: {class: heavy}, hold: {b: Z.bay}, keep: {b: until leave}}
      work: {take: 10 min}
      leave: {when: {class: light}, take: 1 min}
traffic: {h: {flow: f, class: heavy, at: [0 min, 0 min]}, l: {flow: f, class: light, at: [0 min]}}
"""
    line = run(text, engine=engine)

    assert line.visits("park") == {"h0": (0, 0, 0), "h1": (0, 10, 10)}
    assert line.visits("park.keep.b") == {"h0": (0, 0, 10), "h1": (10, 10, 20)}
    assert line.marks("left") == {"l0": 11, "h0": 10, "h1": 20}


def test_kept_until_the_block_around_ends_and_past_a_jump(engine):
    """
    `until` may name the block that is under way, and `next` at that step leaves with empty hands.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {bay: {units: 1}}}
flows:
  f:
    steps:
      block:
        steps:
          take: {hold: {b: Z.bay}, keep: {b: until block}}
          work: {take: 10 min}
        next: end
      never: {take: 50 min}
traffic: {a: {flow: f, at: [0 min, 0 min]}}
"""
    text = text.replace("take: {hold", "grab: {hold")

    assert run(text, engine=engine).visits("block.grab.keep.b") == {"a0": (0, 0, 10), "a1": (10, 10, 20)}


def test_a_loop_takes_again_what_it_has_given_back(engine):
    """
    Round a loop a unit may be kept again when the way back passes the step that gives it back.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {bay: {units: 1}}}
flows:
  f:
    steps:
      park: {hold: {b: Z.bay}, keep: {b: until leave}}
      work: {take: 10 min}
      leave: {next: {park: 100 %}}
traffic: {a: {flow: f, at: [0 min]}}
"""
    assert [times for _, times in run(text, engine=engine).rows("park.keep.b")][:3] == [
        (0, 0, 10),
        (10, 10, 20),
        (20, 20, 30),
    ]


def test_kept_units_are_open_rows_at_the_end(engine):
    """
    Who still keeps a unit when the run ends has an open row for it.
    """
    line = run(YARD.replace("100 min}", "10 min}"), engine=engine)

    assert line.visits("gate.enter.keep.bay") == {"a0": (2, 2, -1)}


STEPS = """
clock: {{measure: 1 d}}
zones: {{Z: {{bay: {{units: 2}}, lane: {{units: 1, open: office, at_shift_end: pause}}}}}}
flows:
  f:
    steps:
      {steps}
traffic: {{a: {{flow: f, at: [0 min]}}}}
"""


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("park: {hold: {b: Z.bay}, keep: {b: until leev}}\n      leave: {take: 1 min}", "10:42: no step 'leev' in this list or around it\n    Did you mean 'leave'?"),
        ("park: {hold: {b: Z.bay}, keep: {c: until leave}}\n      leave: {take: 1 min}", "10:13: 'c' is kept but not held\n    Known holds: b."),
        ("park: {hold: {b: Z.bay}, keep: {b: leave}}\n      leave: {take: 1 min}", "10:42: expected 'until STEP', found 'leave'\n    Write {bay: until leave_yard}."),
        ("leave: {take: 1 min}\n      park: {hold: {b: Z.bay}, keep: {b: until leave}}", "'leave' does not end later\n    Name a step that stands further down."),
        ("park: {hold: {b: Z.bay}, keep: {b: until park}}", "'park' does not end later"),
        ("park: {hold: {b: Z.bay}, keep: {b: until leave}}\n      go: {next: end}\n      leave: {take: 1 min}", "10:13: a token may end with Z.bay still in hand\n    Let every way from here pass the step named after `until`."),
        ("park: {hold: {b: Z.bay}, keep: {b: until leave}}\n      go: {next: {park: 10 %}}\n      leave: {take: 1 min}", "10:13: 'park' may be done again while its units are still kept\n    Give them back first: `until` a step that every way back passes."),
        ("park: {hold: {b: Z.bay}, keep: {b: until leave}}\n      more: {hold: {b: {resource: Z.bay, units: 2}}}\n      leave: {take: 1 min}", "11:13: 'more' has 3 units of Z.bay in hand with those kept before, but there are never more than 2\n    Give it more units, or keep them for a shorter time."),
        ("park: {hold: {b: Z.bay}, keep: {b: until drive}}\n      t: {split: {count: 2}}\n      drive: {take: 1 min}\n      all: {join: t}", "'drive' is done by the children of 't'\n    Name the join, or a step after it."),
        ("park: {hold: {b: Z.bay}, keep: {b: until away}}\n      away: {background: true, take: 1 min}", "nobody waits for the end of 'away'\n    Name a step of the token's own."),
        ("park: {hold: {b: Z.lane}, keep: {b: until leave}}\n      leave: {take: 1 min}", "Z.lane pauses at closing and cannot be kept\n    Keep what has `finish`."),
    ],
)  # fmt: skip
def test_what_cannot_be_kept(steps, message):
    """
    A name that is none, a step that does not come, a way that passes no return, a second taking: each is a fault at its place.
    """
    with pytest.raises(Faults) as caught:
        plan_of(STEPS.format(steps=steps))

    assert message in str(caught.value)


def test_a_deadlock_over_kept_units_is_named(engine):
    """
    Two trucks that each keep a bay and wait for the other's stand for ever: the run says who holds what.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {a: {units: 1}, b: {units: 1}}}
flows:
  ab: {steps: {one: {hold: {x: Z.a}, keep: {x: until two}, take: 1 min}, pause: {take: 1 min}, two: {hold: {y: Z.b}, take: 1 min}}}
  ba: {steps: {one: {hold: {x: Z.b}, keep: {x: until two}, take: 1 min}, pause: {take: 1 min}, two: {hold: {y: Z.a}, take: 1 min}}}
traffic: {p: {flow: ab, at: [0 min]}, q: {flow: ba, at: [0 min]}}
"""
    with pytest.raises(RunFault, match=r"p#0 waits at two for 1 of Z.b \(held by q#0\)"):
        run(text, engine=engine)


def test_children_come_with_empty_hands(engine):
    """
    What the consignment keeps stays with it while its trucks run; the join gives it back.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {bay: {units: 1}}}
flows:
  f:
    steps:
      park: {hold: {b: Z.bay}, keep: {b: until all}}
      t: {split: {count: 2}}
      drive: {take: 7 min}
      all: {join: t}
traffic: {a: {flow: f, at: [0 min, 1 min]}}
"""
    assert run(text, engine=engine).visits("park.keep.b") == {"a0": (0, 0, 7), "a1": (7, 7, 14)}
