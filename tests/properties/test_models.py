"""Random models are not empty: everything that a plan can say happens in them, and often enough."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest

from tests.helper import run_plan
from tests.properties.coverage import seen_in
from tests.properties.plans import model_of
from zonesim.faults import RunFault
from zonesim.plan import ArrivalsBy
from zonesim.plan.distributions import Distribution
from zonesim.plan.operations import AtShiftEnd, BranchOn, GatherBy, Op, SetWhat

OFTEN = {
    *(op.name for op in Op if op not in {Op.KEEP, Op.SCATTER, Op.SPAWN, Op.WAIT_UNTIL, Op.BOARD}),
    "seize at once",
    "seize waits",
    "gives up",
    "a batch ends by time",
    "several granted at once",
    "a shift ends with work in hand",
    "hold in open time",
}
"""What has to happen in a fifth of the models and more, seen in the first forty of them."""

ALL = {
    *(op.name for op in Op),
    *(f"branch {on.name}, {answer}" for on in BranchOn for answer in ("yes", "no")),
    *(f"set {what.name}" for what in SetWhat),
    *(f"gather by {by.name}" for by in GatherBy),
    *(f"seize, {rule.name}" for rule in AtShiftEnd),
    *(
        f"law {law.name}" for law in Distribution if law != Distribution.SHIFTED
    ),  # only edits that scale a duration write it
    *(f"gather {end}" for end in ("number", "within", "until", "led")),
    *(f"seize of {count}" for count in (1, 2, 3)),
    *(f"wait for the {what}, {when}" for what in ("opening", "closing") for when in ("at once", "later")),
    "seize of several units",
    "newcomer passes a line",
    "either at once",
    "either at once, not the preferred",
    "either waits",
    "the way that is not preferred is granted",
    "gives up and goes back",
    "gives up and lets others pass",
    "jump back",
    "join waits",
    "split in the background",
    "a spawned token comes",
    "adopts",
    "preempted",
    "interrupted by a breakdown",
    "interrupted as units leave",
    "a departure leaves some behind",
    "board led",
    *(f"board by {by.name}" for by in GatherBy),
    "work that fits goes on while some units leave",
    "interrupted work goes on",
    "breaks down while in use",
    "is repaired",
    "busy clock",
    *(f"comes by {by.name}" for by in ArrivalsBy),
    "comes by a factor",
    "comes up to a number",
    "arrivals end",
    "a run ends empty",
    "deadlock",
    "account",
}
"""What has to happen in some models of two hundred; the last two are faults that end a run."""


def models_with(count: int) -> Counter[str]:
    """Return in how many of the first models each thing happens."""
    found: Counter[str] = Counter()
    for number in range(count):
        found.update(seen_in(model_of(number).plan).keys())
    return found


def test_the_most_important_happens_in_many_models():
    """
    In the first forty models: waiting, giving up, batches that end by time, work in hand at the end of a shift, open time.
    """
    found = models_with(40)

    assert {name: found[name] for name in OFTEN if found[name] < 8} == {}


@pytest.mark.slow
def test_everything_happens_in_two_hundred_models():
    """
    Every operation, question, change, law and rule is executed, and in at least two models each.
    """
    found = models_with(200)

    assert {name: found[name] for name in ALL if found[name] < 2} == {}


@pytest.mark.parametrize("count", [15, pytest.param(250, marks=pytest.mark.slow)])
def test_every_run_proves_its_integrals(count):
    """
    Busy, queue and step integrals follow from the rows, exactly, in every model that runs to its end.
    """
    ended = 0
    for number in range(2_000, 2_000 + count):
        with suppress(RunFault):
            run_plan(model_of(number).plan)
            ended += 1

    assert ended > 0.8 * count


def test_a_number_names_a_model():
    """
    The same number gives the same model and the same plan, in every process.
    """
    assert model_of(5).plan.identity == model_of(5).plan.identity
    assert str(model_of(5)) != str(model_of(6))
