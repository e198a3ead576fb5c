"""The edges of windows, limits and comparisons: what stands exactly on one is on the side that the pages say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.helper import kpis, plan_of
from zonesim.analysis import Column, first_precise, judge, paired, replications_for, replications_needed
from zonesim.analysis.effects import tag_of
from zonesim.analysis.paired import Interval
from zonesim.experiment.store import cell_key
from zonesim.kpi.censoring import MOST_MISSING, share_within, too_many

NAN = math.nan
NOBODY = np.zeros(0, dtype=np.int64)

DAY_LONG = """
clock: {{warm_up: 10 h, measure: 10 h, cool_down: 100 h}}
flows: {{f: {{steps: {{enter: {{mark: declared}}, work: {{take: {take}, mark: released}}}}}}}}
traffic: {{a: {{flow: f, at: [{at}]}}}}
"""


def values(text: str, **filled: str) -> dict[str, float]:
    """Return the KPIs of a model without luck."""
    return kpis(plan_of(text.format(**filled)))[0].values


def test_the_window_has_its_first_moment_and_not_its_last():
    """
    Of arrivals 1 s before, at and after its begin and end, those at the begin and 1 s before the end are in the window.
    """
    at = "35999 s, 10 h, 36001 s, 71999 s, 20 h, 72001 s"
    found = values(DAY_LONG, take="1 min", at=at)

    assert found["f.arrived.day"] * 10 / 24 == pytest.approx(3)
    assert found["f.declarations.day"] * 10 / 24 == pytest.approx(3)


@pytest.mark.parametrize(("at", "count"), [("9 h", 1), ("599 min", 1), ("68399 s", 1), ("19 h", 0), ("32399 s", 0)])
def test_an_end_at_the_end_of_the_window_is_outside(at, count):
    """
    Work of an hour that ends at the window's begin is completed in it, at its end it is not.
    """
    assert values(DAY_LONG, take="1 h", at=at)["f.completed.day"] * 10 / 24 == pytest.approx(count)


@pytest.mark.parametrize(
    ("take", "within", "two_days"),
    [("24 h", 1, 1), ("86401 s", 0, 1), ("48 h", 0, 1), ("172801 s", 0, 0)],
)
def test_a_day_is_within_a_day(take, within, two_days):
    """
    What takes exactly 24 h is within 24 h, a second more is not; the same of 48 h, and of the customs time.
    """
    found = values(DAY_LONG, take=take, at="11 h")

    assert found["f.dwell.within_24h"] == within
    assert found["f.customs.within_24h"] == within
    assert found["f.dwell.within_48h"] == two_days


def test_who_was_followed_for_just_the_limit_may_end_then():
    """
    Nothing ends at the instant in which a run ends: followed for 100 ms, it may take 100 ms, and is undecided; for 101 ms it is not.
    """
    assert share_within(np.array([100, 101]), np.array([100, 101]), 100) == (0.25, 1)
    assert math.isnan(share_within(NOBODY, NOBODY, 100)[0])


def test_one_in_a_hundred_may_be_missing():
    """
    Of 200 two, not three; of none none.
    """
    assert [too_many(*pair) for pair in ((2, 200), (3, 200), (0, 0))] == [False, True, False]
    assert MOST_MISSING == 0.01


def test_a_wait_of_nothing_is_no_wait():
    """
    Of two that come together to one unit one waits; waits of exactly 0 are counted in the mean and not among those who wait.
    """
    text = """
clock: {{measure: 1 h, cool_down: 1 h}}
zones: {{Z: {{desk: {{units: 1}}}}}}
flows: {{f: {{steps: {{serve: {{hold: {{d: Z.desk}}, take: 4 min}}}}}}}}
traffic: {{a: {{flow: f, at: [1 min, 1 min, 9 min]}}}}
"""
    found = values(text)

    assert found["f.serve.wait.share"] == pytest.approx(1 / 3)
    assert found["f.serve.wait.mean"] == pytest.approx(4 / 3)
    assert found["f.serve.wait.p95"] == pytest.approx(3.6)


def test_an_effect_of_one_per_cent_is_material():
    """
    Below 1 % of the baseline, whatever its sign, it is not; exactly 1 % is; nothing is not; without a baseline nobody knows.
    """

    def tag(change: float, base: float) -> str:
        found = paired([base, base], [base + change, base + change])
        return tag_of(found, Interval(base, NAN, NAN, 2), bound=False, echo=False)

    assert [tag(1.0, 100.0), tag(-1.0, 100.0), tag(1.0, -100.0)] == ["", "", ""]
    assert [tag(0.5, 100.0), tag(-0.5, 100.0), tag(0.0, 0.0)] == ["not material"] * 3
    assert tag(NAN, NAN) == ""


def test_the_interval_of_a_difference_is_that_of_the_pairs():
    """
    Differences 1, 2, 3 between replications that differ by hundreds: 2 ± 4.3027 × 1 / √3, however far the arms spread.
    """
    found = paired([100.0, 500.0, 900.0], [101.0, 502.0, 903.0])

    assert found.value == pytest.approx(2)
    assert found.high - found.value == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert found.value - found.low == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    both = judge({"R1": Column([100.0, 500.0, 900.0]), "11": Column([101.0, 502.0, 903.0])}).effects["11"][0]
    assert (both.low, both.high) == (found.low, found.high)


def test_a_width_that_is_just_the_threshold_is_precise():
    """
    Half-widths equal to the threshold, now and for the look-ahead, are narrow enough; a hair wider is not.
    """
    assert first_precise([NAN, *[0.05] * 6], 0.05, look_ahead=5) == 2
    assert first_precise([NAN, *[0.05] * 5, 0.0500001], 0.05, look_ahead=5) is None
    assert first_precise([NAN, *[0.05] * 5], 0.05, look_ahead=5) is None  # one too few to look ahead


def test_so_many_replications_are_enough_and_one_fewer_is_not():
    """
    The number that is told has at most the half-width, and the one below it more.
    """
    from scipy.stats import t

    for sd, half in ((10.0, 5.0), (3.0, 0.2), (1.0, 2.0)):
        n = replications_for(sd, half)

        assert t.ppf(0.975, n - 1) * sd / math.sqrt(n) <= half
        assert n == 2 or t.ppf(0.975, n - 2) * sd / math.sqrt(n - 1) > half
    assert replications_for(0.0, 1.0) == 2
    assert replications_for(1e9, 1e-9) == 100_000_000
    assert replications_needed([1.0, NAN], 0.05) is None
    assert replications_needed([-1.0, 1.0], 0.05) is None


@pytest.mark.parametrize(
    "change",
    [
        {"offset": 86_400_000},
        {"seed": 2},
        {"text": ("take: 4 min", "take: 5 min")},
        {"text": ("desk: {units: 1}", "desk: {units: 1, role: officer}")},
        {"text": ("serve:", "served:")},
        {"text": ("truth: {bad: {all: 5 %}}", "truth: {bad: {all: 6 %}}")},
    ],
    ids=["weekday", "seed", "time", "role", "name", "truth"],
)
def test_a_cell_has_another_key_when_anything_is_another(change):
    """
    The weekday of the start, the seed, a value, a role and a name each make a cell that is not taken for the other.
    """
    text = """
clock: {start: "2018-09-03", measure: 1 h}
truth: {bad: {all: 5 %}}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {serve: {hold: {d: Z.desk}, take: 4 min, detect: {truth: bad, sensitivity: 50 %}}}}}
traffic: {a: {flow: f, at: [1 min]}}
"""
    old = cell_key(plan_of(text), 1, 0)
    other = text.replace(*change["text"]) if "text" in change else text

    assert other != text or "text" not in change
    assert cell_key(plan_of(other), change.get("seed", 1), change.get("offset", 0)) != old
    assert cell_key(plan_of(text), 1, 0) == old


GATE = """
clock: {measure: 100 h, cool_down: 10 h}
zones: {Z: {lanes: {units: 9, role: lane}}}
flows:
  f:
    place: Z.lanes
    steps:
      come: {mark: gate_arrived}
      lane: {hold: {l: Z.lanes}, take: 1 min, mark: lane_left}
      desk: {share: 25 %, take: 1 min, mark: [stopped, manual]}
      gone: {mark: gate_passed}
traffic: {a: {flow: f, rate: 60 /h}}
"""


def test_shares_of_passages_add_up():
    """
    Who passes is seen by an officer or by none: a quarter and three quarters.
    """
    found = kpis(plan_of(GATE))[0].values

    assert found["Z.lanes.manual.rate"] == pytest.approx(0.25, abs=0.02)
    assert found["Z.lanes.exceptions.rate"] == found["Z.lanes.manual.rate"]
    assert found["Z.lanes.automatic.rate"] == 1 - found["Z.lanes.manual.rate"]


def test_who_has_not_passed_has_not_passed_by_itself():
    """
    When a tenth is still at the gate as the run ends, nobody knows whether an officer will have a hand in it: no share is given, not a better one.
    """
    late = GATE.replace("measure: 100 h, cool_down: 10 h", "measure: 10 min").replace(
        "lane_left}", "lane_left}\n      road: {take: 5 min}"
    )
    result = kpis(plan_of(late))[0]

    for what in ("manual", "exceptions", "automatic"):
        assert math.isnan(result.values[f"Z.lanes.{what}.rate"])
        assert result.withheld[f"Z.lanes.{what}.rate"] > 0.3
    assert "Z.lanes.pass" in result.withheld


HELD = """
clock: {{measure: 10 h, cool_down: {cool}}}
flows:
  f:
    steps:
      go: {{next: {{{way}: 100 %}}}}
      first: {{mark: [in_zone, released], take: 2 h, next: out}}
      later: {{mark: in_zone, take: 3 h}}
      let: {{mark: released, take: 1 h, next: out}}
      never: {{mark: in_zone, take: 1 h, next: out}}
      before: {{mark: released, take: 1 h}}
      come: {{mark: in_zone, take: 1 h, next: out}}
      past: {{take: 1 h}}
      out: {{mark: usable}}
traffic: {{a: {{flow: f, at: [1 h]}}}}
"""


@pytest.mark.parametrize(
    ("way", "cool", "hours", "missing"),
    [
        ("first", "9 h", 0, 0),  # at the moment of arrival, both at once
        ("later", "9 h", 1, 0),
        ("before", "9 h", 0, 0),  # released before it comes in: no time, not a negative one
        ("later", "0 h", 1, 0),
        ("never", "9 h", NAN, 1),  # in the zone and never released
        ("past", "9 h", NAN, 0),  # never in the zone: nobody to tell of
    ],
)
def test_the_time_in_the_zone_before_the_release(way, cool, hours, missing):
    """
    From coming into the zone to the release, of goods that have both behind them; what is in the zone without a release is missing.
    """
    run = kpis(plan_of(HELD.format(way=way, cool=cool)))[0]

    assert run.values["f.pending.mean"] == pytest.approx(hours, nan_ok=True)
    assert run.withheld.get("f.pending.mean", 0) == missing


def test_goods_that_are_released_but_not_through_are_missing_there():
    """
    In the zone, released, and 30 min short of the end when the run ends: not ended, so not counted.
    """
    run = kpis(plan_of(HELD.format(way="later", cool="0 h").replace("at: [1 h]", "at: [390 min]")))[0]

    assert run.withheld["f.pending.mean"] == 1


def test_a_stay_of_nothing_is_a_stay():
    """
    Who leaves at the moment of arrival has stayed 0 h: it counts in the mean, and is not missing.
    """
    text = """
clock: {measure: 10 h, cool_down: 1 h}
flows: {f: {steps: {go: {next: {end: 50 %, work: 50 %}}, work: {take: 30 min}}}}
traffic: {a: {flow: f, rate: 60 /h}}
"""
    run = kpis(plan_of(text))[0]

    assert run.values["f.stay.missing"] == 0
    assert run.values["f.stay.mean"] == pytest.approx(0.25, abs=0.03)


def test_open_passages_have_been_followed_since_they_began():
    """
    Two vehicles come to a lane at 1 min and at 8 min, and the run ends at 10: followed for 2 min, the one served to its end in 4.
    """
    text = """
clock: {measure: 10 min}
zones: {Z: {lanes: {units: 2, role: lane}}}
flows:
  f:
    place: Z.lanes
    steps: {come: {mark: gate_arrived}, lane: {hold: {l: Z.lanes}, take: 4 min}, gone: {mark: [lane_left, gate_passed]}}
traffic: {a: {flow: f, at: [1 min, 8 min]}}
"""
    run = kpis(plan_of(text))[0]

    assert run.samples["Z.lanes.pass"].tolist() == [240_000]
    assert run.samples["Z.lanes.pass_open"].tolist() == [120_000]
    assert run.samples["f.dwell_open"].tolist() == [120_000]
    assert run.withheld["Z.lanes.lane.mean"] == 0.5
    assert run.withheld["Z.lanes.pass"] == 0.5
    assert np.isnan(run.curves["Z.lanes.pass"]).all()
    assert len(run.curves["Z.lanes.pass"]) == 24


def test_lane_times_are_of_those_who_have_left():
    """
    Of 200 vehicles the last still holds its lane: one in two hundred may be missing, and the mean is that of the 199.
    """
    text = """
clock: {measure: 10 h}
zones: {Z: {lanes: {units: 9, role: lane}}}
flows:
  f:
    place: Z.lanes
    steps: {come: {mark: gate_arrived}, lane: {hold: {l: Z.lanes}, take: 2 min}, gone: {mark: [lane_left, gate_passed]}}
traffic: {a: {flow: f, at: [TIMES]}}
"""
    times = ", ".join([*(f"{number} min" for number in range(199)), "599 min"])
    values = kpis(plan_of(text.replace("TIMES", times)))[0].values

    assert values["Z.lanes.lane.mean"] == pytest.approx(120)
    assert values["Z.lanes.pass.missing"] == pytest.approx(1 / 200)


def test_the_level_goes_everywhere():
    """
    Intervals, differences, curves and the replications that they need are of the level that was asked for.
    """
    from zonesim.analysis import compare, curve
    from zonesim.kpi import RunResult

    runs = [RunResult({"k": value}, {"c": np.array([value])}) for value in (10.0, 20.0, 30.0)]
    others = [RunResult({"k": value}) for value in (11.0, 22.0, 33.0)]
    found = compare({"R1": runs, "11": others}, ["k"], level=0.90)
    half = 2.919986 / math.sqrt(3)

    assert (found.level, found.baseline) == (0.90, "R1")
    assert found.arms["R1"]["k"].high - 20 == pytest.approx(10 * half, rel=1e-6)
    assert found.effects[0].arm == "11"
    assert found.effects[0].tag == ""
    assert found.effects[0].difference.high - 2 == pytest.approx(half, rel=1e-6)
    assert curve(runs, "c", 0.90)[0].high - 20 == pytest.approx(10 * half, rel=1e-6)
    assert replications_for(10.0, 5.0, 0.90) == 13  # 16.4 at the normal quantile of 95 %, 10.8 at that of 90 %
    assert replications_needed([10.0, 20.0, 30.0], 0.25, 0.90) == 13
    assert replications_needed([10.0, 12.0], 0.5) is not None


def test_what_is_not_there_is_not_a_number():
    """
    No value has no limits; one value has no limits and n 1; two arms without the same replications cannot be paired.
    """
    from zonesim.analysis import interval

    none, one = interval([]), interval([5.0])
    given_up = judge({"R1": Column([1.0, 2.0]), "11": Column([NAN, 2.0], [0.5])})

    assert (none.n, one.n, one.value) == (0, 1, 5.0)
    for each in (none, one, *given_up.intervals.values(), given_up.effects["11"][0]):
        assert math.isnan(each.low)
        assert math.isnan(each.high)
    assert given_up.effects["11"][0].n == 0
    assert math.isnan(given_up.effects["11"][0].variance_reduction)
    assert math.isnan(paired([1.0], [2.0]).variance_reduction)
    assert paired([1.0, 5.0], [2.0, 8.0]).variance_reduction == pytest.approx((8 + 18) / 2)
    with pytest.raises(ValueError, match="zip"):
        paired([1.0, 2.0], [1.0])


def test_paths_are_told_as_people_write_them():
    """
    `steps` stands in no path of a flow that people read, and the copy of a flow that an entry has is the entry's flow.
    """
    from zonesim.policy.edits import dotted
    from zonesim.policy.resolved_tree import USES

    assert dotted(("library", "gate", "steps", "lane", "steps", "compare", "take")) == "library.gate.lane.compare.take"
    assert dotted(("flows", "f", "steps", "work")) == "flows.f.work"
    assert dotted((USES, "cars", "steps", "go", "take")) == "traffic.cars.flow.go.take"
    assert dotted((USES,)) == "traffic"
    assert dotted(("zones", "Z", "steps", "units")) == "zones.Z.steps.units"


def test_the_shortest_series_for_a_warm_up():
    """
    Two batches are enough to look for the end of the warm-up, one is not; the cut is looked for up to the middle, and not found there.
    """
    from zonesim.analysis import mser

    assert mser([1.0, 1.0], batch=1).leave_out == 0
    assert mser([9.0, *[1.0] * 5], batch=1).leave_out == 1
    assert mser([9.0, *[1.0] * 5], batch=1).found
    middle = mser([9.0, 9.0, 9.0, 1.0, 1.0, 1.0], batch=1)
    assert (middle.leave_out, middle.found) == (3, False)
    with pytest.raises(ValueError, match="two batches"):
        mser([1.0], batch=1)
