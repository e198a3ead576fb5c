"""One line for several resources: what is known of it in closed form."""

from __future__ import annotations

import pytest

from tests.helper import run

BANK = """
clock: {warm_up: 2 h, measure: 3 d}
zones: {Z: {one: {units: 1}, two: {units: 1}, three: {units: 1}, clerks: {units: 3}}}
flows: {f: {steps: {serve: {hold: {c: HOLD}, priority: {A: 1, all: 2}, take: {exponential: {mean: 5 min}}}}}}
traffic: {a: {flow: f, rate: 33 /h, classes: {A: 30 %, B: 70 %}}}
"""


@pytest.mark.parametrize("patience", ["", "patience: {longest: {exponential: {mean: 8 min}}}, "])
def test_equal_resources_are_units_of_one(patience: str) -> None:
    """
    Any of three resources with a unit each is one resource with three units: every token waits for exactly as long.
    """
    text = BANK.replace("priority", patience + "priority")
    apart = run(text.replace("HOLD", "{any: [Z.one, Z.two, Z.three]}"))
    together = run(text.replace("HOLD", "Z.clerks"))

    assert sorted(apart.rows("serve")) == sorted(together.rows("serve"))
