"""Branches that a token goes through at the same time: parallel."""

from __future__ import annotations

import pytest

from tests.helper import plan_of, run
from zonesim.faults import Faults

POSTING = """
clock: {measure: 200 min}
zones: {Z: {desk: {units: 1}}}
flows:
  f:
    steps:
      first: {share: 100 %, take: 5 min, mark: seen}
      both:
        parallel:
          papers: {hold: {d: Z.desk}, take: 30 min}
          goods: {steps: {drive: {take: 10 min}, unload: {take: 10 min}}}
        mark: posted
      last: {take: 1 min}
traffic: {a: {flow: f, at: [0 min, 2 min]}}
"""


def test_a_token_goes_on_when_the_slowest_branch_is_done(engine):
    """
    Papers and goods run side by side; posting waits for both, and the next token's papers wait at the desk.
    """
    line = run(POSTING, engine=engine)

    assert line.visits("both.papers") == {"a0/1": (5, 5, 35), "a1/1": (7, 35, 65)}
    assert line.visits("both.goods.drive") == {"a0/2": (5, 5, 15), "a1/2": (7, 7, 17)}
    assert line.visits("both.goods.unload") == {"a0/2": (15, 15, 25), "a1/2": (17, 17, 27)}
    assert line.marks("posted") == {"a0": 35, "a1": 65}
    assert line.visits("both") == {"a0": (5, 5, 35), "a1": (7, 7, 65)}
    assert line.visits("last") == {"a0": (35, 35, 36), "a1": (65, 65, 66)}


def test_branches_wait_with_the_units_of_the_block_in_hand(engine):
    """
    A block that holds a bay keeps it while its branches run: the second token gets the bay when the first is done.
    """
    text = """
clock: {measure: 200 min}
zones: {Z: {bay: {units: 1}}}
flows:
  f:
    steps:
      stay: {hold: {b: Z.bay}, steps: {both: {parallel: {long: {take: 20 min}, short: {take: 5 min}}}}}
traffic: {a: {flow: f, at: [0 min, 1 min]}}
"""
    line = run(text, engine=engine)

    assert line.visits("stay") == {"a0": (0, 0, 20), "a1": (1, 20, 40)}


def test_a_branch_sees_what_was_marked_before(engine):
    """
    A condition inside a branch looks at marks of the flow that were set before the branches began.
    """
    text = """
clock: {measure: 100 min}
flows:
  f:
    steps:
      check: {share: 100 %, take: 1 min, mark: flagged}
      both:
        parallel:
          look: {steps: {search: {when: {marked: flagged}, take: 9 min}, wave: {when: {unmarked: flagged}, take: 2 min}}}
          wait: {take: 3 min}
traffic: {a: {flow: f, at: [0 min]}}
"""
    line = run(text, engine=engine)

    assert line.visits("both.look.search") == {"a0/1": (1, 1, 10)}
    assert line.visits("both.look.wave") == {}


def test_a_branch_cannot_go_elsewhere():
    """
    A branch with `next` is refused at its place.
    """
    text = POSTING.replace("papers: {hold: {d: Z.desk}, take: 30 min}", "papers: {take: 30 min, next: goods}")
    with pytest.raises(Faults) as found:
        plan_of(text)

    assert "'papers' is a branch of parallel, which can neither split, go elsewhere nor be left behind" in str(
        found.value
    )
