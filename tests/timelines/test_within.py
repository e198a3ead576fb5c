"""Shares within a time, percentiles of services and stays, and times by class and attribute, worked out by hand."""

from __future__ import annotations

import math

import pytest

from tests.helper import kpis, plan_of
from zonesim.faults import Faults
from zonesim.kpi import catalogue

LINE = """
clock: {measure: 100 min, cool_down: 20 min}
attributes: {goods: {food: 100 %, cloth: 0 %}}
zones: {Z: {desk: {units: 1}, cash: {account: 1}}}
flows:
  f:
    within: [12 min, 90 min]
    steps:
      serve:
        hold: {d: Z.desk}
        take: {by: goods, food: 10 min, cloth: 2 min}
        patience: {longest: 30 min}
        within: {wait: [4 min, 3999 ms], service: 5 min, stay: [14 min, 1.5 h]}
      rest: {when: {goods: food}, take: 1 min, mark: rested}
traffic:
  a: {flow: f, at: [0 min, 6 min, 16 min], class: A}
  b: {flow: f, at: [18 min], class: B, attributes: {goods: cloth}}
kpis:
  long: {visits: stay, only: [f.serve], statistics: {median: {}, p90: {}, mean: {}}}
  work: {visits: service, only: [f.serve], statistics: {median: {}, within_2min: {}, within_120001ms: {}}}
  trip: {time: {from: arrived, to: left}, unit: min, by: goods, only: [f], samples: true, statistics: {mean: {}, within_14min: {}, missing: {}}}
  rested: {share: {marked: rested}, by: class, only: [f], statistics: {rate: {}}}
  food_of_a: {time: {from: arrived, to: rested}, unit: min, of: {goods: food, class: [A, B]}, only: [f], statistics: {mean: {}}}
"""

BY_HAND = {
    # Begun at 0, 10, 20, 30; waits 0, 4, 4, 12; services 10, 10, 10, 2; stays 10, 14, 14, 14.
    "f.serve.wait.within_4min": 3 / 4,
    "f.serve.wait.within_3999ms": 1 / 4,
    "f.serve.service.within_5min": 1 / 4,
    "f.serve.stay.within_14min": 1,
    "f.serve.stay.within_90min": 1,
    "a.serve.wait.within_4min": 1,
    "b.serve.wait.within_4min": 0,
    "f.serve.long.median": 14,
    "f.serve.long.p90": 14,
    "f.serve.long.mean": 13,
    "f.serve.work.median": 10,
    "f.serve.work.within_2min": 1 / 4,
    "f.serve.work.within_120001ms": 1 / 4,
    # Left after 11, 15, 15 and 14 min.
    "f.stay.within_12min": 1 / 4,
    "f.stay.within_90min": 1,
    "f.trip.food.mean": (11 + 15 + 15) / 3,
    "f.trip.cloth.mean": 14,
    "f.trip.food.within_14min": 1 / 3,
    "f.trip.cloth.within_14min": 1,
    "f.trip.food.missing": 0,
    "f.rested.A.rate": 1,
    "f.rested.B.rate": 0,
    "f.food_of_a.mean": (11 + 15 + 15) / 3,
}


def test_shares_within_a_time_by_hand(engine):
    """
    Waits, services and stays of a step and times inside are told within limits, to the millisecond and with equals.
    """
    found = kpis(plan_of(LINE), engine=engine)[0]

    assert {name: found.values[name] for name in BY_HAND} == pytest.approx(BY_HAND)
    assert {name for name in found.samples if name.startswith("f.trip.")} == {
        f"f.trip.{goods}{which}" for goods in ("food", "cloth") for which in ("", "_open")
    }


def test_what_is_told_within_a_time_is_printed():
    """
    A limit that somebody writes is a headline, in both languages, and its share is better high.
    """
    told = {kpi.id: kpi for kpi in catalogue(plan_of(LINE))}
    own = told["f.serve.stay.within_90min"]

    assert own.headline
    assert (own.en, own.zh) == ("f.serve: Wait and step within 90 min", "f.serve：等待及作业时间90分钟内占比")
    assert own.definition.better == "higher"
    assert told["f.trip.food.mean"].zh == "f：trip（food）均值"


OPEN = (
    LINE.replace("[0 min, 6 min, 16 min]", "[80 min, 81 min]")
    .replace("[18 min]", "[99 min]")
    .replace("cool_down: 20 min", "cool_down: 4 min")
    .replace("food: 10 min", "food: 15 min")
)


def test_what_has_not_ended_is_late_or_undecided(engine):
    """
    When the run ends who has been in service, or in the step, for longer than a limit is late; who might still be in time
    leaves the share undecided. Who still waits has yet to be served.
    """
    values = kpis(plan_of(OPEN), engine=engine)[0].values

    # At 104 min: the first was served from 80 to 95, the second has been since 95, the third waits since 99.
    assert values["f.serve.service.within_5min"] != values["f.serve.service.within_5min"]
    assert values["f.serve.stay.within_14min"] != values["f.serve.stay.within_14min"]
    assert values["a.serve.service.within_5min"] == 0
    assert values["a.serve.stay.within_14min"] == 0
    assert math.isnan(values["b.serve.stay.within_14min"])
    assert math.isnan(values["a.serve.stay.within_90min"])


def test_who_gives_up_got_nothing_in_time(engine):
    """
    A visit that ended without the unit is beyond any wait and any stay, and has no service.
    """
    text = LINE.replace("food: 10 min", "food: 40 min").replace("longest: 30 min", "longest: 5 min")
    values = kpis(plan_of(text), engine=engine)[0].values

    assert values["f.serve.wait.within_4min"] == 1 / 4
    assert values["f.serve.stay.within_90min"] == 1 / 4
    assert values["f.serve.service.within_5min"] == 0


DRAWN = """
clock: {measure: 2 h}
zones: {W: {shelf: {account: 2, short: wait}}}
flows:
  order: {steps: {get: {draw: {W.shelf: 2}, within: [30 min, 40 min]}, pair: {gather: {number: 2}, within: 5 min}}}
  deliver: {steps: {bring: {set: {credit: {W.shelf: 3}}}}}
traffic: {orders: {flow: order, at: [10 min, 20 min, 30 min, 40 min]}, lorries: {flow: deliver, at: [60 min, 90 min]}}
"""


def test_waits_for_a_stock_and_for_a_batch_are_told_within_a_time(engine):
    """
    Whoever draws or gathers has a visit with a wait. Orders wait 0, 40, 60 and 50 min for goods, then 50, 0, 0 and 0 min for a pair.
    """
    values = kpis(plan_of(DRAWN), engine=engine)[0].values

    assert values["order.get.wait.within_30min"] == 1 / 4
    assert values["order.get.wait.within_40min"] == 2 / 4
    assert values["order.pair.wait.within_5min"] == 3 / 4


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("within: {wait: [4 min, 3999 ms]", "within: {wait: [4 min, 0 s]", "a limit below a millisecond\n    Who does not wait is told as `wait.share`."),
        ("take: 1 min, mark: rested", "take: 1 min, mark: rested, within: 1 min", "'within' for the wait of a step that waits for nothing\n    Write within: {stay: 20 s}."),
        ("take: 1 min, mark: rested", "mark: rested, within: {stay: 1 min}", "'within' of a step without a visit\n    Write it at a step with `hold`, `draw`, `gather` or `take`."),
        ("take: 1 min, mark: rested", "draw: {Z.cash: 1}, within: 1 min", "nobody waits for account Z.cash\n    Give it `short: wait`, or write `set: {debit: …}` here."),
        ("by: goods, only", "by: godos, only", "no attribute 'godos'\n    Did you mean 'goods'?"),
        ("of: {goods: food", "of: {goods: fod", "'goods' has no value 'fod'\n    Did you mean 'food'?"),
        ("long: {visits: stay,", "long: {visits: stay, by: goods,", "'by' of what is no time and no share of consignments\n    Tell a `time` or a `share` of flows by it, or write entries of the traffic."),
    ],
)  # fmt: skip
def test_what_cannot_be_told(old, new, message):
    """
    A limit of nothing, of no wait, or of no visit is a fault, and so is a value that nobody has.
    """
    assert old in LINE
    with pytest.raises(Faults) as found:
        plan_of(LINE.replace(old, new))

    assert message in str(found.value)
