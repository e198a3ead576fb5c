"""Starting tokens of another traffic entry: spawn."""

from __future__ import annotations

import pytest

from tests.helper import kpis, plan_of, run
from zonesim.faults import Faults, RunFault

RETURNS = """
clock: {measure: 300 min}
zones: {Z: {desk: {units: 1}}}
flows:
  sale: {steps: {sell: {take: 10 min, spawn: {traffic: returns, after: 30 min}}, pack: {take: 5 min}}}
  back: {steps: {receive: {hold: {d: Z.desk}, take: 20 min}}}
traffic:
  goods: {flow: sale, at: [0 min, 5 min]}
  returns: {flow: back, spawned: true}
"""


def test_a_spawned_token_arrives_after_its_delay(engine):
    """
    Each sale starts a return half an hour later; the seller goes on at once, and the second return waits at the desk.
    """
    line = run(RETURNS, engine=engine)

    assert line.visits("pack") == {"goods0": (10, 10, 15), "goods1": (15, 15, 20)}
    assert line.visits("receive") == {"returns0": (40, 40, 60), "returns1": (45, 60, 80)}
    assert line.marks("arrived") == {"goods0": 0, "goods1": 5, "returns0": 40, "returns1": 45}


def test_a_token_spawned_at_once_starts_in_the_same_instant(engine):
    """
    Without a delay the new token arrives at the instant of the step; a share spawns for some only.
    """
    text = RETURNS.replace("{traffic: returns, after: 30 min}", "returns")
    line = run(text, engine=engine)

    assert line.starts("receive") == {"returns0": 10, "returns1": 30}


def test_the_luck_of_spawned_tokens_does_not_depend_on_their_order(engine):
    """
    What a spawned token draws follows from its parent: when returns arrive in another order, each parent's return
    takes as long as before.
    """
    text = """
clock: {measure: 1000 min}
flows:
  sale: {steps: {a: {take: AFTER, spawn: returns}}}
  back: {steps: {receive: {take: {uniform: [1 min, 100 min]}}}}
traffic: {goods: {flow: sale, at: [0 min, 10 min, 20 min]}, returns: {flow: back, spawned: true}}
"""

    def durations(after):
        line = run(text.replace("AFTER", after), engine=engine)
        return [round(ended - started, 6) for _, (_, started, ended) in sorted(line.rows("receive"))]

    in_order, reversed_ = durations("5 min"), durations("{by: class, all: 5 min}")
    assert in_order == reversed_
    line = run(
        text.replace(
            "{a: {take: AFTER, spawn: returns}}", "{a: {take: {discrete: {5 min: 50 %, 60 min: 50 %}}, spawn: returns}}"
        ),
        engine=engine,
    )
    mixed = sorted(round(ended - started, 6) for _, (_, started, ended) in line.rows("receive"))

    assert mixed == sorted(in_order)


def test_spawned_tokens_are_counted_like_others(engine):
    """
    Flow KPIs of spawned traffic count those that arrive inside the window.
    """
    plan = plan_of(RETURNS)
    (result,) = kpis(plan, engine=engine)

    assert result.values["back.stay.mean"] == pytest.approx((20 + 35) / 2 / 60)
    assert result.values["back.arrived.day"] == pytest.approx(2 / (300 / 1440))


def test_only_spawned_traffic_can_be_started():
    """
    Traffic that arrives by itself cannot be spawned as well, and a name that no traffic has is named.
    """
    with pytest.raises(Faults) as found:
        plan_of(RETURNS.replace("{flow: back, spawned: true}", "{flow: back, rate: 3 /h}"))
    with pytest.raises(Faults) as unknown:
        plan_of(RETURNS.replace("traffic: returns, after", "traffic: retuns, after"))

    assert "traffic 'returns' arrives by itself" in str(found.value)
    assert "no traffic 'retuns'" in str(unknown.value)
    assert "Did you mean 'returns'?" in str(unknown.value)


def test_tokens_that_start_one_another_at_one_instant_are_a_fault(engine):
    """
    A spawn without delay whose tokens spawn again is reported, not run for ever.
    """
    text = """
clock: {measure: 1 h}
flows: {f: {steps: {again: {spawn: {traffic: more}}}}}
traffic: {a: {flow: f, at: [0 min]}, more: {flow: f, spawned: true}}
"""
    with pytest.raises(
        RunFault,
        match="traffic 'more' is started again and again at one instant\n    Give the spawn an 'after', and let each token start one other at most.",
    ):
        run(text, engine=engine)
