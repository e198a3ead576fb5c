"""What is caught and missed as it follows from a plan: by hand, and beside runs."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helper import ROOT, add_measure, kpis, plan_of, plan_of_file
from tests.unit.test_control import AWAY, BESIDE, INNER, WORLD
from zonesim.analysis import interval
from zonesim.faults import Faults
from zonesim.plan import AT_CHECKS, CASES, QUANTITIES, control
from zonesim.policy import Arm, Chosen
from zonesim.scenario import load_catalogue

DAY = 24 * 60
"""Tokens a day at 60 an hour."""


def shares(plan, truth: str = "irregular") -> dict[str, np.ndarray]:
    """Return caught, missed and false stops over cases, least and most, by case; shape (2, CASES)."""
    found = control(plan).of(truth)
    cases = found[QUANTITIES.index("cases")]
    return {name: found[QUANTITIES.index(name)] / cases for name in QUANTITIES}


@pytest.mark.parametrize("share", ["100 %", "25 %", "0 %"])
def test_a_check_of_some_catches_their_share(share):
    """
    Looking at a share with sensitivity 80 % catches 80 % of that share, misses the rest, and stops a tenth of the right ones it sees; to the last digit.
    """
    found = control(plan_of(WORLD.replace("SHARE", share))).of("irregular")
    looked = float(share.split()[0]) / 100
    by_hand = {
        "cases": 0.4,
        "caught": 0.32 * looked,
        "missed": 0.4 - 0.32 * looked,
        "checked": looked,
        "false_stops": 0.06 * looked,
    }

    for name, expected in by_hand.items():
        assert found[QUANTITIES.index(name)] == pytest.approx(expected * DAY), name


def test_what_goes_on_beside_is_of_the_same_goods():
    """
    A check in the background is one of the same goods: together with the first, and each truck's own, as by hand.
    """
    text = BESIDE.replace("sensitivity: 100 %", "sensitivity: 60 %")
    found = control(plan_of(text))
    own = found.of("irregular")

    assert own[QUANTITIES.index("cases")] == pytest.approx(3 * 0.4 * DAY)
    assert own[QUANTITIES.index("missed")] == pytest.approx((0.5 * 0.4 + 2 * 0.5) * 0.4 * DAY)


def test_what_is_put_right_is_neither_caught_nor_missed():
    """
    Of goods that nobody looks at half are put right, and half are missed.
    """
    text = WORLD.replace("SHARE", "0 %").replace(
        "go: {take: 1 min}", "go: {share: 50 %, take: 1 min, correct: irregular}"
    )
    found = shares(plan_of(text))

    assert found["missed"] == pytest.approx(0.5)
    assert not found["caught"].any()


LOOP = """
clock: {measure: 1000 h, cool_down: 10 h}
truth: {irregular: {all: 40 %}}
flows:
  f:
    steps:
      look: {share: 50 %, take: 1 min, detect: {truth: irregular, sensitivity: 20 %}}
      go: {take: 1 min, next: {look: 75 %}}
traffic: {a: {flow: f, rate: 60 /h}}
"""


def test_round_and_round_a_check_finds_more():
    """
    With one chance in ten a round and three in four for another one, what is missed is m = 0.9 (0.25 + 0.75 m), as in a run.
    """
    plan = plan_of(LOOP)
    missed = 0.9 * 0.25 / (1 - 0.9 * 0.75)
    (run,) = kpis(plan)

    assert shares(plan)["missed"] == pytest.approx(missed)
    assert run.values["all.irregular.missed.share"] == pytest.approx(missed, abs=0.01)


STATE = """
clock: {measure: 1000 h, cool_down: 10 h}
zones: {Z: {desk: {units: 1}}}
truth: {irregular: {all: 40 %}}
flows:
  f:
    steps:
      work: {hold: {d: Z.desk}, take: {exponential: {mean: 30 s}}}
      look: {when: {queue: {of: Z.desk, longer_than: 1}}, detect: {truth: irregular, sensitivity: 80 %}}
traffic: {a: {flow: f, rate: 60 /h}}
"""


def test_where_a_queue_decides_there_are_bounds():
    """
    Who is looked at only while a line is long is caught by none up to 80 %; a run lies between.
    """
    plan = plan_of(STATE)
    found = shares(plan)
    (run,) = kpis(plan)

    assert found["caught"][0] == pytest.approx(0)
    assert found["caught"][1] == pytest.approx(0.8)
    assert 0 < run.values["all.irregular.caught.share"] < 0.8


def test_a_check_tells_whom_it_meets_and_what_it_finds():
    """
    Of all with the truth half come to the first check, which finds 80 % of them.
    """
    checks = control(plan_of(WORLD.replace("SHARE", "50 %"))).checks
    met, seen, found = checks["a", "irregular", "look"][:, 0, 0]

    assert AT_CHECKS == ("met", "seen", "found")
    assert (met, seen) == pytest.approx((0.2 * DAY, 0.2 * DAY))
    assert found / seen == pytest.approx(0.8)


LIFTED = """
clock: {measure: 1000 h, cool_down: 10 h}
firms: {count: 4, volume: {zipf: 0.0}, credit: {AEO: 50 %, ordinary: 50 %}}
truth: {irregular: {ordinary: 10 %, AEO: {of: ordinary, times: {uncertain: [0.1, 0.5, 1]}}}}
flows:
  f:
    steps:
      look: {share: {AEO: 1 %, ordinary: 5 %}, detect: {truth: irregular, sensitivity: 90 %, lift: {uncertain: [1, 1, 10]}}}
      go: {take: 1 min}
traffic: {a: {flow: f, rate: 60 /h}}
"""


@pytest.mark.parametrize("ratio", [0.1, 1.0])
@pytest.mark.parametrize("lift", [1, 10])
def test_every_corner_of_what_is_not_known_is_that_of_a_plan_with_it(lift, ratio):
    """
    At each end of lift and of the ratio of classes the cases say what the plan says in which these are written, and
    what a hand finds.
    """
    found = shares(plan_of(LIFTED))
    written = shares(plan_of(LIFTED, f"flows.f.look.detect.lift={lift}", f"truth.irregular.AEO.times={ratio:g}"))
    case = (CASES // 2 if ratio == 1 else 0) + (CASES // 2 - 1 if lift == 10 else 0)
    by_hand = 0.9 * (min(1, lift * 0.01) * ratio + min(1, lift * 0.05)) / (ratio + 1)

    for name in ("caught", "missed", "checked"):
        assert found[name][:, case] == pytest.approx(written[name][:, 0]), name
    assert found["caught"][:, case] == pytest.approx(by_hand)


def test_a_lift_is_what_a_run_finds():
    """
    With lift 4 written, a run catches and looks as often as its plan says.
    """
    plan = plan_of(LIFTED, "flows.f.look.detect.lift=4", "truth.irregular.AEO.times=0.5")
    found = shares(plan)
    (run,) = kpis(plan)

    assert run.values["all.irregular.caught.share"] == pytest.approx(float(found["caught"][0, 0]), abs=0.01)


def test_a_check_of_a_flow_that_is_called_counts():
    """
    A flow that is called has its check in it, which is followed like one of its own.
    """
    assert shares(plan_of(INNER))["caught"] == pytest.approx(1)


FLOWS = [
    name
    for name, flow in load_catalogue().flows.items()
    if flow["steps"].get("inspect", {}).get("detect", {}).get("truth") == "irregular"
]
"""The flows of the library in which goods are inspected."""


@pytest.mark.parametrize("what", ["share", "detect.sensitivity"])
def test_skipping_every_inspection_misses_exactly_everything(what):
    """
    In the library's flows as they were, inspecting nobody, or looking without seeing, misses 100 % in every case of
    what is not known; with inspections some are caught.
    """
    scenario = ROOT / "scenarios" / "all_flows.yaml"
    seen = shares(plan_of_file(scenario, "regime=R0"))
    blind = shares(plan_of_file(scenario, "regime=R0", *[f"library.{flow}.inspect.{what}=0 %" for flow in FLOWS]))

    assert (seen["missed"] < 1).all()
    assert (blind["missed"] == 1).all()
    assert not blind["caught"].any()


@pytest.mark.slow
@pytest.mark.parametrize("arm", ["", "11"])
def test_wrong_papers_of_every_flow_are_found_as_often_as_expected(arm):
    """
    In the scenario with every flow, with and without measure 11, a simulation has as many wrong papers a day, caught and missed, as its
    plan says, within the interval.
    """
    chosen = Arm("11", (Chosen("m11"),)) if arm else None
    plan = plan_of_file(ROOT / "scenarios" / "all_flows.yaml", arm=chosen)
    expected = control(plan).of("papers_wrong")
    results = kpis(plan, replications=8)
    for name in ("cases", "caught", "missed"):
        found = interval([run.values[f"all.papers_wrong.{name}.day"] for run in results], 0.999)

        assert found.low <= expected[QUANTITIES.index(name), 0, 0] <= found.high, name


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_measure_that_takes_every_check_away_misses_exactly_everything(monkeypatch, share):
    """
    Where a measure removes the check for some of the goods these are missed, and their cases stay.
    """
    add_measure(monkeypatch, AWAY.replace("SHARE", f"{100 * share:g} %"))
    found = control(plan_of(INNER, arm=Arm("blind", (Chosen("mx"),)))).of("irregular")

    assert found[QUANTITIES.index("cases")] == pytest.approx(0.4 * DAY)
    assert found[QUANTITIES.index("missed")] == pytest.approx(0.4 * DAY * share)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "share: {AEO: 1 %, ordinary: 5 %}, ",
            "",
            "timeline.yaml:11:60: 'lift' in a step without 'share'\n    Say which share is picked; a check of all has no lift.",
        ),
        (
            "{uncertain: [1, 1, 10]}",
            "0",
            "timeline.yaml:11:100: expected a factor above 0, 1,000 at most, found '0'\n    Write a number such as 3.",
        ),
        (
            "of: ordinary",
            "of: ordinry",
            "timeline.yaml:7:43: 'ordinry' has no share here that another can be told by\n    Did you mean 'ordinary'?",
        ),
    ],
)
def test_what_says_nothing_of_control_is_a_fault(old, new, told):
    """
    A lift without a share, a lift of nothing, and a share told by one that there is not, are faults with their places.
    """
    with pytest.raises(Faults) as found:
        plan_of(LIFTED.replace(old, new))

    assert str(found.value) == told
