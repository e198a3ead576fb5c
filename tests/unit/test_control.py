"""Control over all true cases, looked at or not: what nobody looks for is missed."""

from __future__ import annotations

import math

import pytest

from tests.helper import ROOT, add_measure, kpis, plan_of, plan_of_file
from zonesim.kpi import RunResult
from zonesim.policy import Arm, Chosen

WORLD = """
clock: {measure: 1000 h, cool_down: 10 h}
truth: {irregular: {all: 40 %}}
flows:
  f:
    steps:
      look: {share: SHARE, take: 1 min, detect: {truth: irregular, sensitivity: 80 %, false_alarm: 10 %}}
      go: {take: 1 min}
traffic: {a: {flow: f, rate: 60 /h}}
"""


def found(text: str, **more: str) -> RunResult:
    """Return the KPIs of one replication."""
    for name, value in more.items():
        text = text.replace(name, value)
    return kpis(plan_of(text))[0]


@pytest.mark.parametrize("share", ["100 %", "25 %", "0 %"])
def test_missed_is_of_all_true_cases(share):
    """
    Looking at a share of the goods with 80 % sensitivity catches that share of 80 % and misses all else; looking at none misses all.
    """
    values = found(WORLD, SHARE=share).values
    caught = 0.8 * float(share.split()[0]) / 100

    assert values["all.irregular.missed.share"] == pytest.approx(1 - caught, abs=0.01)
    assert values["all.irregular.caught.share"] == pytest.approx(caught, abs=0.01)
    assert values["all.irregular.cases.day"] == pytest.approx(0.4 * 60 * 24, rel=0.02)
    assert values["all.irregular.caught.day"] + values["all.irregular.missed.day"] == pytest.approx(
        values["all.irregular.cases.day"]
    )


def test_not_looking_does_not_change_who_is_irregular():
    """
    The same goods are irregular in the arm that never looks: the same number of cases to the last one.
    """
    looked, blind = (found(WORLD, SHARE=share).values["all.irregular.cases.day"] for share in ("100 %", "0 %"))

    assert looked == blind


def test_nobody_looks_and_there_is_no_false_stop_to_tell_of():
    """
    Without a check the share of checks that stop without cause is unknown, not 0.
    """
    assert math.isnan(found(WORLD, SHARE="0 %").values["all.irregular.false_stops.rate"])


INSPECTING = ("F1", "F1air", "F1b", "F1airb", "F2", "F2air", "F3", "F4a", "F5", "F6")


@pytest.mark.parametrize("what", ["share", "detect.sensitivity"])
def test_skipping_every_inspection_misses_everything(what):
    """
    In the library's flows, inspecting nobody, or looking without seeing, raises what is missed to 100 %.
    """
    clock = ("clock.warm_up=1 week", "clock.measure=3 week", "clock.cool_down=4 week")
    nobody = [f"library.{flow}.inspect.{what}=0 %" for flow in INSPECTING]
    values = kpis(plan_of_file(ROOT / "scenarios" / "typical_zone.yaml", *clock, *nobody))[0].values

    assert values["all.irregular.cases.day"] > 0
    assert values["all.irregular.missed.share"] == 1
    assert values["all.irregular.caught.day"] == 0


INNER = """
clock: {measure: 1000 h, cool_down: 10 h}
truth: {irregular: {all: 40 %}}
flows:
  outer: {steps: {into: {call: inner}}}
  inner: {steps: {look: {detect: {truth: irregular, sensitivity: 100 %}}, go: {take: 1 min}}}
traffic: {a: {flow: outer, rate: 60 /h}}
"""
AWAY = """name: mx
annex: 91
params: {}
practices:
  blind:
    label: {en: No looking, zh: 不查}
    adoption: {share: SHARE, of: token}
    edits: [{remove: flows.inner.look}]
"""


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_check_that_a_measure_takes_away_still_has_cases(monkeypatch, share):
    """
    A measure that removes a check for half of the goods, or for all, leaves their cases as they are, and they are missed.
    """
    add_measure(monkeypatch, AWAY.replace("SHARE", f"{100 * share:g} %"))
    values = kpis(plan_of(INNER, arm=Arm("blind", (Chosen("mx"),))))[0].values
    before = kpis(plan_of(INNER))[0].values

    assert values["all.irregular.cases.day"] == before["all.irregular.cases.day"]
    assert values["all.irregular.missed.share"] == pytest.approx(share, abs=0.02)


BESIDE = """
clock: {measure: 1000 h, cool_down: 10 h}
truth: {irregular: {all: 40 %}}
flows:
  f:
    steps:
      first: {detect: {truth: irregular, sensitivity: 50 %}}
      beside: {background: true, take: 1 h, detect: {truth: irregular, sensitivity: 100 %}}
      trucks: {split: {into: truck, count: 2}}
      drive: {take: 1 min, detect: {truth: irregular, sensitivity: 50 %}}
      together: {join: trucks}
traffic: {a: {flow: f, rate: 60 /h}}
"""


def test_what_is_found_beside_a_consignment_is_found_of_it():
    """
    A check in the background is of the same goods: with it no consignment is missed; each truck has papers of its own, of which half are.
    """
    values = found(BESIDE).values
    alone = found(
        BESIDE.replace(
            "      drive: {take: 1 min, detect: {truth: irregular, sensitivity: 50 %}}", "      drive: {take: 1 min}"
        )
    )

    assert alone.values["all.irregular.missed.share"] == 0
    assert alone.values["all.irregular.cases.day"] == pytest.approx(0.4 * 60 * 24, rel=0.02)
    assert values["all.irregular.cases.day"] == pytest.approx(3 * 0.4 * 60 * 24, rel=0.02)
    assert values["all.irregular.missed.share"] == pytest.approx(1 / 3, abs=0.01)


def test_who_is_inside_may_yet_be_caught():
    """
    While a tenth of the goods are inside at the end, uncaught, nothing is said of what is missed; the check in the background counts as inside.
    """
    late = BESIDE.replace("cool_down: 10 h", "cool_down: 0 h").replace("measure: 1000 h", "measure: 10 h")
    result = found(late)

    assert math.isnan(result.values["all.irregular.missed.share"])
    assert 0.01 < result.withheld["all.irregular.missed.share"] < 0.2


def test_what_is_put_right_is_neither_missed_nor_caught():
    """
    Papers put right in passing are no miss of anybody: half are put right, the other half missed.
    """
    text = WORLD.replace("SHARE", "0 %").replace(
        "go: {take: 1 min}", "go: {share: 50 %, take: 1 min, correct: irregular}"
    )
    values = found(text).values

    assert values["all.irregular.missed.share"] == pytest.approx(0.5, abs=0.01)
    assert values["all.irregular.caught.share"] == 0
