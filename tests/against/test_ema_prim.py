"""Scenario discovery against the EMA workbench: the same boxes, slice by slice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from zonesim.analysis import trajectory
from zonesim.analysis.prim import _inside, _peeled

SETS = json.loads(Path(__file__).with_name("ema_prim.json").read_text(encoding="utf-8"))["sets"]
NAMES = ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("given", SETS, ids=[f"{each['kind']} {each['seed']}" for each in SETS])
def test_peeling_is_that_of_the_workbench(given):
    """
    As long as a slice makes a box richer both peel the same one: the same futures are inside, with the same coverage and density. The
    workbench then stops; here peeling goes on to the least mass, for the box is picked from all of them.
    """
    values, cases = np.array(given["values"]), np.array(given["cases"], dtype=bool)
    boxes = [(values.min(axis=0), values.max(axis=0))]
    while (smaller := _peeled(values, cases, *boxes[-1])) is not None:
        boxes.append(smaller)
    told = given["trajectory"]

    assert len(told) >= 4
    for theirs, own in zip(told, boxes, strict=False):
        inside = _inside(values, *own)
        assert inside.tolist() == _inside(values, np.array(theirs["low"]), np.array(theirs["high"])).tolist()
        assert inside.sum() == theirs["inside"]
        assert cases[inside].sum() / cases.sum() == pytest.approx(theirs["coverage"], abs=1e-12)
        assert cases[inside].mean() == pytest.approx(theirs["density"], abs=1e-12)
    if len(boxes) > len(told):
        before, after = (cases[_inside(values, *box)].mean() for box in boxes[len(told) - 1 : len(told) + 1])
        assert after <= before


@pytest.mark.parametrize("given", SETS, ids=[f"{each['kind']} {each['seed']}" for each in SETS])
def test_boxes_with_slices_pasted_back_are_as_rich(given):
    """
    What is told of each box of the trajectory is after pasting, which the workbench does for the last one alone: no box is poorer in
    cases than the one that was peeled, nor does it hold fewer of them.
    """
    values, cases = np.array(given["values"]), np.array(given["cases"], dtype=bool)
    boxes = trajectory(NAMES, values, cases)

    for theirs, own in zip(given["trajectory"], boxes, strict=False):
        assert own.density >= theirs["density"] - 1e-12
        assert own.coverage >= theirs["coverage"] - 1e-12
