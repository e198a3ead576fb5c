"""Trucks and background branches: split, join, background."""

from __future__ import annotations

import pytest

from tests.helper import plan_of, run
from zonesim.faults import Faults, RunFault

SPLIT = """
clock: {{measure: 100 min}}
zones: {{Z: {{dock: {{units: {docks}}}}}}}
flows:
  f:
    steps:
      load: {{take: 5 min}}
      trucks: {{split: {{into: truck, count: {count}}}}}
      drive: {{take: 10 min}}
      unload: {{hold: {{d: Z.dock}}, take: 20 min}}
      together: {{join: trucks}}
      use: {{mark: usable}}
traffic: {{a: {{flow: f, at: [0 min]}}}}
"""


def test_join_waits_for_the_last_truck(engine):
    """
    Three trucks queue for one dock; the consignment goes on when the last is unloaded.
    """
    line = run(SPLIT.format(docks=1, count=3), engine=engine)

    assert line.visits("drive") == {"a0/1": (5, 5, 15), "a0/2": (5, 5, 15), "a0/3": (5, 5, 15)}
    assert line.visits("unload") == {"a0/1": (15, 15, 35), "a0/2": (15, 35, 55), "a0/3": (15, 55, 75)}
    assert line.marks("usable") == {"a0": 75}


def test_a_single_truck_is_a_token_of_its_own(engine):
    """
    A split into one truck makes one child, whose life has its own row.
    """
    line = run(SPLIT.format(docks=1, count=1), engine=engine)

    assert line.visits("unload") == {"a0/1": (15, 15, 35)}
    assert line.visits("trucks.left") == {"a0/1": (5, 5, 35)}
    assert line.visits("left") == {"a0": (0, 0, 35)}


def test_the_number_of_trucks_is_drawn(engine):
    """
    With a discrete law each consignment has its own number of trucks, with the shares of the law.
    """
    text = SPLIT.format(docks=1000, count="{discrete: {1: 50 %, 3: 50 %}}").replace("at: [0 min]", "rate: 50 /min")
    line = run(text, engine=engine)
    trucks = {}
    for name, _ in line.rows("drive"):
        trucks.setdefault(name.partition("/")[0], set()).add(name)
    counts = [len(own) for own in trucks.values()]

    assert set(counts) == {1, 3}
    assert sum(counts) / len(counts) == pytest.approx(2, rel=0.05)


def test_nobody_waits_for_a_background_branch(engine):
    """
    The truck leaves in the background while the goods are used at once; both end in their own time.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {lane: {units: 1}}}
flows:
  f:
    steps:
      unload: {take: 10 min}
      gate_out: {background: true, hold: {l: Z.lane}, take: 30 min}
      use: {take: 5 min, mark: usable}
traffic: {a: {flow: f, at: [0 min, 0 min]}}
"""
    line = run(text, engine=engine)

    assert line.marks("usable") == {"a0": 15, "a1": 15}
    assert line.visits("gate_out") == {"a0/1": (10, 10, 40), "a1/1": (10, 40, 70)}
    assert line.marks("left") == {"a0": 15, "a1": 15}


def test_the_parent_goes_on_before_its_child(engine):
    """
    At the instant of a background branch the parent takes the only unit first; the child starts from the ready list.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {desk: {units: 1}}}
flows:
  f:
    steps:
      aside: {background: true, hold: {d: Z.desk}, take: 10 min}
      main: {hold: {d: Z.desk}, take: 10 min}
traffic: {a: {flow: f, at: [0 min]}}
"""
    line = run(text, engine=engine)

    assert line.visits("main") == {"a0": (0, 0, 10)}
    assert line.visits("aside") == {"a0/1": (0, 10, 20)}


def test_trucks_of_trucks_have_numbers_of_their_own(engine):
    """
    A background branch of each truck is a child of its own: numbers do not collide.
    """
    text = """
clock: {measure: 100 min}
flows:
  f:
    steps:
      trucks: {split: {into: truck, count: 2}}
      drive: {take: 1 min}
      aside: {background: true, take: 2 min}
      more: {take: 1 min}
      together: {join: trucks}
traffic: {a: {flow: f, at: [0 min]}}
"""
    line = run(text, engine=engine)

    assert line.visits("drive") == {"a0/1": (0, 0, 1), "a0/2": (0, 0, 1)}
    assert line.visits("aside") == {"a0/3": (1, 1, 3), "a0/4": (1, 1, 3)}
    assert line.marks("left") == {"a0": 2}


def test_a_split_inside_a_loop_is_a_fault_when_children_meet_themselves(engine):
    """
    A loop that makes the same child again while it still exists cannot be told apart in the records.
    """
    text = """
clock: {measure: 100 min}
flows:
  f:
    steps:
      aside: {background: true, take: 50 min}
      wait: {take: 1 min, next: aside}
traffic: {a: {flow: f, at: [0 min]}}
"""
    with pytest.raises(RunFault, match="'aside' of traffic 'a' makes a child that still exists"):
        run(text, engine=engine)


def test_who_skips_a_split_may_go_on_with_its_join(engine):
    """
    A token that goes to the join from elsewhere has no children to wait for; by `next` and by giving up alike.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {desk: {units: 1}}}
flows:
  f:
    steps:
      ask: {hold: {d: Z.desk}, patience: {longest: 5 min, next: together}, take: 20 min}
      look: {when: {class: light}, next: together}
      trucks: {split: {count: 2}}
      drive: {take: 10 min}
      together: {join: trucks, mark: usable}
traffic: {a: {flow: f, at: [0 min, 1 min], class: heavy}, b: {flow: f, at: [20 min], class: light}}
"""
    line = run(text, engine=engine)

    assert line.marks("usable") == {"a1": 6, "a0": 30, "b0": 40}
    assert set(line.visits("drive")) == {"a0/1", "a0/2"}


@pytest.mark.parametrize("way", ["next: drive", "next: {drive: 50 %}", "patience: {longest: 1 min, next: drive}"])
def test_steps_of_children_are_for_children(way):
    """
    Nobody but a child gets among the steps between a split and its join.
    """
    text = SPLIT.format(docks=1, count=2).replace(
        "load: {take: 5 min}", f"load: {{hold: {{d: Z.dock}}, {way}, take: 5 min}}"
    )
    with pytest.raises(Faults) as found:
        plan_of(text)

    assert (
        "'drive' is only for the children of 'trucks' to go on with\n    Name 'trucks', its join, or a step outside."
        in str(found.value)
    )


def test_the_consignment_can_hold_units_while_its_trucks_run(engine):
    """
    A block around a split keeps its units until the trucks have joined.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {guarantee: {units: 1}}}
flows:
  f:
    steps:
      covered:
        hold: {g: Z.guarantee}
        steps:
          trucks: {split: {into: truck, count: 2}}
          drive: {take: 10 min}
          together: {join: trucks}
traffic: {a: {flow: f, at: [0 min, 1 min]}}
"""
    assert run(text, engine=engine).visits("covered") == {"a0": (0, 0, 10), "a1": (1, 10, 20)}
