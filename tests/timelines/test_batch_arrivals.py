"""Several tokens at one arrival."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.helper import plan_of, run
from zonesim.compiled.streams import run_key
from zonesim.engine.arrivals import arrivals_of
from zonesim.experiment.estimate import expected_tokens
from zonesim.faults import Faults
from zonesim.plan import loads
from zonesim.units import DAY

DESK = """
clock: {{measure: 10 d}}
zones: {{Z: {{desk: {{units: 1}}}}}}
flows: {{f: {{steps: {{work: {{hold: {{d: Z.desk}}, take: 1 min}}}}}}}}
traffic: {{a: {{flow: f, {traffic}}}}}
"""


def test_tokens_of_one_arrival_come_at_one_instant(engine):
    """
    Three at 0 and three at 10 minutes: they are served in the order of their numbers.
    """
    line = run(DESK.format(traffic="at: [0 min, 10 min], batch: 3"), engine=engine)

    assert line.visits("work") == {
        "a0": (0, 0, 1),
        "a1": (0, 1, 2),
        "a2": (0, 2, 3),
        "a3": (10, 10, 11),
        "a4": (10, 11, 12),
        "a5": (10, 12, 13),
    }
    assert line.totals.arrivals.tolist() == [6]


def test_a_batch_does_not_move_the_arrivals(engine):
    """
    The times are those of the same entry without batches: how many come is drawn by a stream of its own.
    """
    one = run(DESK.format(traffic="rate: 12 /d"), engine=engine)
    many = run(DESK.format(traffic="rate: 12 /d, batch: {discrete: {1: 50 %, 4: 50 %}}"), engine=engine)
    singles = [visit[0] for visit in one.visits("work").values()]
    batches = Counter(visit[0] for visit in many.visits("work").values())

    assert sorted(batches) == sorted(singles)
    assert set(batches.values()) == {1, 4}


def test_sizes_have_their_shares():
    """
    Of many arrivals four fifths bring one token, one fifth ten; each replication draws anew.
    """
    plan = plan_of(DESK.format(traffic="rate: 400 /d, batch: {discrete: {1: 80 %, 10: 20 %}}"))
    found = [Counter(number for _, number in arrivals_of(plan, 0, run_key(1, replication))) for replication in (0, 1)]
    sizes = Counter(found[0].values())

    assert set(sizes) == {1, 10}
    assert sizes[10] / sum(sizes.values()) == pytest.approx(0.2, abs=0.03)
    assert list(found[0].values())[:200] != list(found[1].values())[:200]


def test_loads_count_tokens():
    """
    Ten arrivals a day of 2.8 tokens each load a desk with 28 minutes a day, and that many tokens are expected.
    """
    plan = plan_of(DESK.format(traffic="rate: 10 /d, batch: {discrete: {1: 80 %, 10: 20 %}}"))

    assert loads(plan)[0].mean == pytest.approx(28 / 1440)
    assert expected_tokens(plan, DAY) == pytest.approx(28)
    assert expected_tokens(plan_of(DESK.format(traffic="at: [1 h, 2 h], batch: 3"))) == 6


@pytest.mark.parametrize(
    ("batch", "fault"),
    [
        ("0", "expected a whole number of at least 1, found '0'"),
        ("{discrete: {1: 80 %, 10: 30 %}}", "the shares of the batch add up to 110 %\n    They must add up to 100 %."),
        (
            "{discrete: {0: 80 %, 10: 20 %}}",
            "'0' is not a number of tokens from 1 to 9999\n    Write {1: 80 %, 10: 20 %}.",
        ),
        ("{descrete: {1: 100 %}}", "unknown key 'descrete'\n    Did you mean 'discrete'?"),
    ],
)
def test_batches_that_are_wrong(batch, fault):
    """
    Each mistake is named, with what would be right.
    """
    with pytest.raises(Faults) as found:
        plan_of(DESK.format(traffic=f"rate: 1 /d, batch: {batch}"))

    assert fault in str(found.value)
