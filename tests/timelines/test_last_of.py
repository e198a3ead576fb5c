"""The last of the children of a split: `when: {last_of: …}` lets one of them do a step, once, when all have come."""

from __future__ import annotations

import pytest

from tests.helper import plan_of, run
from zonesim.faults import Faults

THREE = """
clock: {measure: 200 min}
zones: {Z: {lane: {units: 1}, stock: {account: 9, unit: lots}}}
flows:
  f:
    steps:
      trucks: {split: {into: truck, count: 3}}
      lane: {hold: {l: Z.lane}, take: 10 min}
      posted: {when: {last_of: trucks}, mark: posted, set: {debit: {Z.stock: 1}}}
      haul: {take: 7 min}
      all: {join: trucks, mark: there}
traffic: {a: {flow: f, at: [0 min, 100 min]}}
"""


def test_the_last_child_that_comes_does_it(engine):
    """
    Three trucks pass one lane, ten minutes each: the consignment is posted when the last one is past, seven minutes before
    that one is there, and once.
    """
    line = run(THREE, engine=engine)

    assert sorted(line.marks("posted").values()) == [30, 130]
    assert line.marks("there") == {"a0": 37, "a1": 137}
    assert line.totals.levels.tolist() == [7]


def test_who_leaves_before_is_not_waited_for(engine):
    """
    One of two trucks is turned away in the lane: the other one is the last. If the last of those on the way is turned
    away, nobody does the step.
    """
    text = """
clock: {measure: 100 min}
zones: {Z: {lane: {units: 1}, scale: {units: 1}}}
flows:
  f:
    params: {first: duration}
    steps:
      trucks: {split: {count: 2}}
      lane: {hold: {l: Z.lane}, patience: {longest: $first, next: leave}, take: 10 min}
      posted: {when: {last_of: trucks}, mark: posted}
      all: {join: trucks, mark: there}
traffic:
  a: {flow: f, at: [0 min], with: {first: 5 min}}
  b: {flow: f, at: [50 min], with: {first: 10 min}}
"""
    line = run(text, engine=engine)

    assert sorted(line.marks("posted").values()) == [10, 70]
    assert line.marks("there") == {"a0": 10, "b0": 70}


def test_nobody_is_last_when_the_last_on_the_way_leaves(engine):
    """A truck that passes while another one still waits is not the last, and is not made so afterwards."""
    text = """
clock: {measure: 100 min}
zones: {Z: {lane: {units: 1}}}
flows:
  f:
    steps:
      trucks: {split: {count: 2}}
      lane: {hold: {l: Z.lane}, patience: {longest: 15 min, next: leave}, take: 10 min, keep: {l: until stay}}
      posted: {when: {last_of: trucks}, mark: posted}
      stay: {take: 20 min}
      all: {join: trucks, mark: there}
traffic: {a: {flow: f, at: [0 min]}}
"""
    line = run(text, engine=engine)

    assert line.marks("posted") == {}
    assert line.marks("there") == {"a0": 30}


def test_once_however_often_they_come(engine):
    """Trucks that go round twice are counted at their first pass, and nobody is the last a second time."""
    text = """
clock: {measure: 100 min}
zones: {Z: {}}
flows:
  f:
    steps:
      trucks: {split: {count: 2}}
      way: {take: 10 min}
      posted: {when: {last_of: trucks}, mark: posted}
      again: {when: {unmarked: been}, mark: been, next: way}
      all: {join: trucks, mark: there}
traffic: {a: {flow: f, at: [0 min]}}
"""
    line = run(text, engine=engine)

    assert list(line.marks("posted").values()) == [10]
    assert line.marks("there") == {"a0": 20}


def test_in_a_called_flow_it_is_that_flows_split(engine):
    """Each call has children of its own, of which one is the last; blocks between a split and its join are behind it."""
    text = """
clock: {measure: 100 min}
zones: {Z: {}}
flows:
  part:
    steps:
      trucks: {split: {count: 2}}
      way: {take: 10 min}
      block: {steps: {posted: {when: {last_of: trucks}, mark: posted}}}
      all: {join: trucks}
  f: {steps: {one: {call: part}, two: {call: part}, rest: {split: {count: 2}}, third: {call: part}, all: {join: rest}}}
traffic: {a: {flow: f, at: [0 min]}}
"""
    line = run(text, engine=engine)

    assert sorted(line.marks("posted").values()) == [10, 20, 30, 30]


@pytest.mark.parametrize(
    "steps",
    [
        "{posted: {when: {last_of: trucks}}, trucks: {split: {}}, all: {join: trucks}}",
        "{trucks: {split: {}}, posted: {when: {last_of: truck}}, all: {join: trucks}}",
        "{trucks: {split: {}}, b: {background: true, steps: {posted: {when: {last_of: trucks}}}}, all: {join: trucks}}",
    ],
)
def test_it_names_the_split_it_is_behind(steps):
    """Who is no child of the split that is named is told so, at the line."""
    text = f"clock: {{measure: 1 h}}\nzones: {{Z: {{}}}}\nflows: {{f: {{steps: {steps}}}}}\ntraffic: {{a: {{flow: f, at: [0 h]}}}}\n"
    with pytest.raises(Faults) as told:
        plan_of(text)

    assert "the token here is no child of a split 'truck" in str(told.value)
    assert "Name the split that this step stands behind, before its join." in str(told.value)
