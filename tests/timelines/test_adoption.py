"""Who follows a measure, from when and where: exact times."""

from __future__ import annotations

import pytest

from tests.helper import add_measure, kpis, plan_of, run_plan
from zonesim.faults import Faults
from zonesim.plan import loads
from zonesim.policy import Arm, Chosen

CREDIT = """name: m90
annex: 90
params: {share: {default: 100 %, low: 0 %, high: 100 %}}
practices:
  credit:
    label: {en: Top credit at once, zh: 直接认证}
    adoption: {share: $share, of: volume}
    sets_class: {ordinary: AEO}
"""

CLASSES = """
clock: {measure: 1 h}
zones: {Z: {desk: {units: 9}}}
truth: {bad: {AEO: 0 %, ordinary: 100 %, discredited: 0 %}}
flows:
  f:
    steps:
      work: {hold: {d: Z.desk}, take: {by: class, AEO: 1 min, ordinary: 5 min, discredited: 9 min}}
      top: {when: {class: AEO}, take: 2 min}
      check: {detect: {truth: bad, sensitivity: 100 %}}
traffic:
  a: {flow: f, at: [0 min], class: ordinary}
  b: {flow: f, at: [0 min], class: AEO}
  c: {flow: f, at: [0 min], class: discredited}
"""


def arm(*measures: Chosen) -> Arm:
    """Return an arm with these measures."""
    return Arm("with", measures)


def test_a_practice_gives_its_adopters_another_class(monkeypatch, engine):
    """
    Adopters of class ordinary get the times and conditions of AEO; other classes, the hidden truth and the class that results
    count stay.
    """
    add_measure(monkeypatch, CREDIT)
    base = run_plan(plan_of(CLASSES), engine=engine)
    line = run_plan(plan_of(CLASSES, arm=arm(Chosen("m90"))), engine=engine)

    assert base.ends("work") == {"a0": 5, "b0": 1, "c0": 9}
    assert line.ends("work") == {"a0": 1, "b0": 1, "c0": 9}
    assert line.ends("top") == {"a0": 3, "b0": 3}
    assert line.marks("bad.caught") == {"a0": 3}
    assert base.marks("bad.caught") == {"a0": 5}
    assert [own.tolist() for own in line.totals.classes] == [own.tolist() for own in base.totals.classes]


def test_the_load_of_upgraded_tokens_is_that_of_their_new_class(monkeypatch):
    """
    The traffic equations follow the change of class: (1 + 1 + 9) min over nine units and an hour.
    """
    add_measure(monkeypatch, CREDIT)

    assert loads(plan_of(CLASSES, arm=arm(Chosen("m90"))))[0].mean == pytest.approx(11 / 9 / 60)


def test_a_share_of_the_volume_is_upgraded(monkeypatch):
    """
    With 40 % of the volume adopting, 40 % of the ordinary volume is treated as AEO, in the mean over replications.
    """
    add_measure(monkeypatch, CREDIT)
    text = """
clock: {measure: 10 h}
firms: {count: 400, credit: {AEO: 20 %, ordinary: 80 %}}
flows: {f: {steps: {work: {take: {by: class, AEO: 0 min, ordinary: 10 min}}}}}
traffic: {a: {flow: f, rate: 5 /min}}
"""
    plan = plan_of(text, arm=arm(Chosen("m90", (("share", "40 %"),))))
    found = [run.values["f.work.service.mean"] * 60_000 for run in kpis(plan, replications=3)]

    assert sum(found) / 3 / 60_000 == pytest.approx(10 * 0.8 * 0.6, rel=0.05)


def test_two_measures_may_not_give_one_class_two_others(monkeypatch):
    """
    The fault names both practices and stands where the second says it.
    """
    add_measure(monkeypatch, CREDIT)
    add_measure(monkeypatch, CREDIT.replace("90", "91").replace("{ordinary: AEO}", "{ordinary: discredited}"))

    with pytest.raises(Faults) as caught:
        plan_of(CLASSES, arm=arm(Chosen("m90"), Chosen("m91")))
    assert str(caught.value) == (
        "library/measures/m91.yaml:12:28: practices 'm90.credit' and 'm91.credit' both set the class of 'ordinary'\n"
        "    Leave one of the measures out."
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    sets_class: {ordinary: AEO}\n", "", "a practice without 'edits' and without 'sets_class'\n    Say what it changes."),
        ("ordinary: AEO", "AEO: AEO", "'sets_class' gives class 'AEO' to itself\n    Name two classes."),
    ],
)  # fmt: skip
def test_a_practice_does_something(monkeypatch, old, new, message):
    """
    A practice that changes nothing is a fault of its file.
    """
    with pytest.raises(Faults) as caught:
        add_measure(monkeypatch, CREDIT.replace(old, new))

    assert str(caught.value).endswith(message)
