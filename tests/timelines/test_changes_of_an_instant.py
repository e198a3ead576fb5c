"""Openings and closings of one instant are all made before anybody is served."""

from __future__ import annotations

import pytest

from tests.helper import run

SCENE = """clock: {measure: 14 h}
calendars:
  early: {mon-sun: ["00:00-10:00", "11:00-24:00"]}
  late: {mon-sun: ["10:00-24:00"]}
zones: {Z: {ORDER}}
flows: {f: {steps: {serve: {hold: {x: Z.early, y: Z.late}, take: 5 min}}}}
traffic: {t: {flow: f, at: [590 min]}}
"""
EARLY = "early: {units: 1, open: early}"
LATE = "late: {units: 1, open: late}"


@pytest.mark.parametrize("order", [(EARLY, LATE), (LATE, EARLY)], ids=["closes first", "opens first"])
def test_one_that_closes_and_one_that_opens_at_once_are_never_both_open(engine, order):
    """
    At ten one desk closes and the other opens, in either order of the file: who needs both waits until eleven.
    """
    line = run(SCENE.replace("{ORDER}", "{" + ", ".join(order) + "}"), engine=engine)

    assert line.rows("serve") == [("t0", (590, 660, 665))]
