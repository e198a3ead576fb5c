"""KPIs of runs small enough to work out by hand, and what is refused."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helper import RowLog, kpis, plan_of
from zonesim.compiled.streams import run_key
from zonesim.engine import simulate
from zonesim.faults import InternalError
from zonesim.kpi import Reducer, RunResult, catalogue, definitions, measure, page
from zonesim.kpi.censoring import MOST_MISSING, quantile, share_within
from zonesim.kpi.reducer import by_hour
from zonesim.plan import NUMBER_BITS, Block, Plan
from zonesim.plan.columns import flat

HOUR = 3_600_000

TRUCKS = """
clock: {warm_up: 60 min, measure: 60 min, cool_down: COOL}
zones: {Z: {dock: {units: 1}}}
flows:
  bring:
    entity: consignment
    steps:
      drive: {take: 10 min}
      release: {mark: [declared, released, pickup_allowed]}
      trucks: {split: {into: truck, count: 2}}
      unload: {hold: {d: Z.dock}, take: 10 min}
      use: {mark: usable}
      together: {join: trucks}
traffic: {a: {flow: bring, at: [55 min, 70 min]}}
"""

GATE = """
clock: {start: "2018-09-03", measure: 1 h, cool_down: 1 h}
zones: {Z: {lanes: {units: 1}, desk: {units: 1, role: officer}, clerks: {units: unlimited, role: officer}}}
truth: {bad: {all: 100 %}, odd: {all: 0 %}}
flows:
  gate:
    entity: truck
    place: Z.lanes
    steps:
      arrive: {mark: gate_arrived}
      lane: {hold: {l: Z.lanes}, take: 10 min, detect: {truth: bad, sensitivity: CATCH, on_hit: {mark: stopped}}}
      away: {mark: lane_left}
      look: {detect: {truth: odd, sensitivity: 100 %, false_alarm: ALARM}}
      talk: {when: {marked: stopped}, hold: {d: Z.desk}, take: 5 min, mark: manual}
      file: {background: true, hold: {c: Z.clerks}, take: 6 min}
      passed: {mark: gate_passed}
  visit: {entity: truck, steps: {in: {call: gate}, stay: {take: 1 min}}}
traffic: {t: {flow: visit, at: [0 min, 0 min, 30 min]}}
"""


def measured(text: str) -> RunResult:
    """Return the KPIs of the one replication of a model without luck."""
    return kpis(plan_of(text))[0]


def test_the_last_truck_counts():
    """
    A consignment is usable when its last truck is: of the one that arrives at 70, the trucks come to the dock at 80,
    find the other consignment's there until 85, and are unloaded at 95 and at 105.
    """
    values = measured(TRUCKS.replace("COOL", "60 min")).values

    assert values["bring.arrived.day"] == 24
    assert values["bring.dwell.mean"] == pytest.approx(35 / 60)
    assert values["bring.clearance.mean"] == pytest.approx(10 / 60)
    assert values["bring.stage.pickup_allowed_to_usable.mean"] == pytest.approx(25 / 60)
    assert values["bring.unload.wait.mean"] == pytest.approx((5 + 15) / 2)
    assert values["bring.unload.visits.day"] == 48


def test_completed_counts_consignments_in_the_window():
    """
    Both consignments become usable inside the window, at 85 and at 105, one of them arrived before it; their four
    trucks are no consignments.
    """
    values = measured(TRUCKS.replace("COOL", "60 min")).values

    assert values["bring.completed.day"] == 48


@pytest.mark.parametrize(("minutes", "missing", "completed"), [(40, 1, 1), (50, 0, 2)])
def test_a_mark_is_missing_while_a_truck_may_yet_reach_it(minutes, missing, completed):
    """
    When the run ends at 100, one truck of the second consignment is done and the other is not: the consignment is
    neither usable nor completed, and its dwell is not that of its first truck. At 110 it is.
    """
    text = TRUCKS.replace("measure: 60 min", f"measure: {minutes} min").replace("COOL", "0 min")
    values = measured(text).values

    assert values["bring.dwell.missing"] == missing
    assert math.isnan(values["bring.dwell.mean"]) == bool(missing)
    assert values["bring.completed.day"] * minutes / 1440 == pytest.approx(completed)


def test_a_gate_passage_from_arrival_to_the_bar():
    """
    Trucks at 0, 0 and 30 in one lane of 10 minutes, with every fault caught and a desk of 5 minutes: passes of 15, 25
    and 15 minutes, one of three waits for the lane.
    """
    found = measured(GATE.replace("CATCH", "100 %").replace("ALARM", "0 %"))
    values = found.values

    assert found.samples["Z.lanes.pass"].tolist() == [15 * 60_000, 25 * 60_000, 15 * 60_000]
    assert values["Z.lanes.lane.mean"] == 600
    assert values["Z.lanes.wait.mean"] == 200
    assert values["Z.lanes.queue_and_lane.mean"] == 800
    assert values["Z.lanes.pass.median"] == 900
    assert values["Z.lanes.pass.p95"] == pytest.approx(0.1 * 900 + 0.9 * 1500)
    assert values["Z.lanes.passes.day"] == 72
    assert values["Z.lanes.exceptions.rate"] == values["Z.lanes.manual.rate"] == 1
    assert values["Z.lanes.automatic.rate"] == 0
    assert values["Z.lanes.queue.mean"] == pytest.approx(10 / 60)
    assert values["Z.lanes.utilisation"] == pytest.approx(30 / 60)
    assert values["visit.in.lane.wait.share"] == pytest.approx(1 / 3)
    assert values["all.bad.missed.share"] == 0
    assert values["all.bad.caught.day"] == 72
    assert values["all.odd.false_stops.rate"] == 0
    assert math.isnan(values["all.odd.missed.share"])


def test_what_a_check_misses_and_stops_in_vain():
    """
    A blind check misses every fault and sends nobody to the desk; a nervous one stops every sound truck.
    """
    values = measured(GATE.replace("CATCH", "0 %").replace("ALARM", "100 %")).values

    assert values["all.bad.missed.share"] == 1
    assert values["all.bad.missed.day"] == 72
    assert values["all.odd.false_stops.rate"] == 1
    assert values["Z.lanes.exceptions.rate"] == 0
    assert values["Z.lanes.automatic.rate"] == 1


def test_officer_hours_count_every_officer():
    """
    Officers whom nobody ever waits for work as well: three trucks take 5 minutes at the desk and 6 of a clerk.
    """
    values = measured(GATE.replace("CATCH", "100 %").replace("ALARM", "0 %")).values

    assert values["all.officer_hours.day"] == pytest.approx(3 * 11 / 60 * 24)


def test_hours_of_a_window_of_part_of_a_day():
    """
    In a window of one hour a curve has one value: one truck waits for 10 of 60 minutes, 3 come in the hour, and other
    hours have none.
    """
    curves = measured(GATE.replace("CATCH", "100 %").replace("ALARM", "0 %")).curves

    assert curves["Z.lanes.queue"][0] == pytest.approx(10 / 60)
    assert curves["Z.lanes.passes"][0] == 3
    assert curves["Z.lanes.wait"][0] == 200
    assert curves["Z.lanes.pass"][0] == pytest.approx(1100)
    assert curves["Z.lanes.queue_week"][0] == pytest.approx(10 / 60)
    assert np.isnan(np.concatenate([curve[1:] for curve in curves.values()])).all()


def test_a_wait_that_has_ended_is_known():
    """
    Who is being served when the run ends has a wait; only the service is missing, and means of it are withheld.
    """
    values = measured("""
clock: {measure: 30 min}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: 20 min}}}}
traffic: {a: {flow: f, at: [0 min, 10 min]}}
""").values

    assert values["f.work.wait.mean"] == 5
    assert values["f.work.wait.share"] == 0.5
    assert values["f.work.open.share"] == 0.5
    assert math.isnan(values["f.work.service.mean"])
    assert math.isnan(values["f.work.stay.mean"])


def test_two_needs_of_one_resource_stand_in_one_line():
    """
    A step that takes a resource twice waits once and works with two units: at 10 the second token waits until 20.
    """
    values = measured("""
clock: {measure: 40 min}
zones: {Z: {desk: {units: 2}}}
flows: {f: {steps: {work: {hold: {d: Z.desk, e: Z.desk}, take: 20 min}}}}
traffic: {a: {flow: f, at: [0 min, 10 min]}}
""").values

    assert values["Z.desk.queue.mean"] == pytest.approx(10 / 40)
    assert values["Z.desk.utilisation"] == 1


def test_nothing_measured_has_no_numbers():
    """
    Without an arrival in the window there is no mean, no quantile and no share; counts are zero.
    """
    values = measured("""
clock: {measure: 10 h, cool_down: 10 h}
zones: {Z: {desk: {units: 1}}}
flows: {f: {steps: {work: {hold: {d: Z.desk}, take: 30 min}}}}
traffic: {a: {flow: f, at: [11 h]}}
""").values

    assert all(
        math.isnan(values[f"f.{what}"]) for what in ("dwell.mean", "dwell.p95", "dwell.missing", "work.wait.share")
    )
    assert values["f.arrived.day"] == values["f.completed.day"] == values["Z.desk.utilisation"] == 0


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(0, 5), st.sampled_from([0.0, 0.25, 0.5, 0.9, 0.95, 1.0]))
def test_quantiles_are_type_7_and_take_the_missing_for_longest(spans, missing, q):
    """
    As numpy's default over the values and `missing` infinite ones; nan where that is not finite.
    """
    found = quantile(np.array(spans, dtype=np.int64), np.full(missing, 50), q)
    everything = [float(span) for span in spans] + [1e300] * missing
    expected = float(np.quantile(everything, q)) if everything else math.nan

    assert math.isnan(found) if math.isnan(expected) or expected > 1e200 else found == pytest.approx(expected)


@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(1, 400)), min_size=1, max_size=80),
    st.sampled_from([0.1, 0.5, 0.9, 0.95]),
)
def test_a_quantile_of_what_has_not_ended_is_that_of_all_or_none(pairs, q):
    """
    However long the durations really are that were followed for a while only: a quantile that is given is theirs to 1 %, and so is a share.
    """
    ended = np.array([span for span, seen in pairs if span <= seen], dtype=np.int64)
    followed = np.array([seen for span, seen in pairs if span > seen], dtype=np.int64)
    truth = float(np.quantile([span for span, _ in pairs], q))
    found = quantile(ended, followed, q)
    share, undecided = share_within(ended, followed, 100)
    within = sum(span <= 100 for span, _ in pairs)

    assert math.isnan(found) or abs(found - truth) <= MOST_MISSING * found + 1e-9
    assert within - undecided <= round(share * len(pairs)) <= within


@pytest.mark.parametrize(
    ("late", "mean", "median", "p95"), [(1, 10, 10, 10), (2, math.nan, 10, 10), (11, math.nan, 10, math.nan)]
)
def test_a_mean_is_withheld_above_one_in_a_hundred(late, mean, median, p95):
    """
    Of 200 consignments 2 may be missing, 3 may not; the median stands, and P95 until it falls among the missing.
    """
    values = measured(f"""
clock: {{measure: 1 h, cool_down: 9 min}}
flows: {{f: {{steps: {{work: {{take: 10 min}}}}}}}}
traffic: {{a: {{flow: f, at: [{", ".join(["1 min"] * (199 - late) + ["59.5 min"] * (late + 1))}]}}}}
""").values

    assert values["f.dwell.missing"] == (late + 1) / 200
    assert values["f.dwell.mean"] * 60 == pytest.approx(mean, nan_ok=True)
    assert values["f.dwell.median"] * 60 == pytest.approx(median)
    assert values["f.dwell.p95"] * 60 == pytest.approx(p95, nan_ok=True)


@given(st.lists(st.tuples(st.integers(0, 400 * HOUR), st.integers(0, 400 * HOUR)), max_size=20))
def test_time_is_shared_out_among_the_hours_of_the_day(pairs):
    """
    The hours of the day of some spans add up to their lengths, and no hour gets more than there are of it.
    """
    low, high = np.sort(np.array(pairs, dtype=np.int64).reshape(-1, 2), axis=1).T
    found = by_hour(high) - by_hour(low)

    assert found.sum() == (high - low).sum()
    assert (found >= 0).all()
    assert (found <= len(pairs) * 17 * HOUR).all()


# --- folding


@pytest.fixture(scope="module")
def recorded() -> tuple[Plan, RowLog, object]:
    """Return a run with a warm-up, trucks and a cool-down that is too short, and its rows."""
    text = TRUCKS.replace("COOL", "20 min").replace("at: [55 min, 70 min]", "rate: 2 /h")
    plan = plan_of(text, "clock.warm_up=10 h", "clock.measure=40 h")
    sink = RowLog()
    return plan, sink, simulate(plan, 1, 0, sink)


def test_folding_does_not_depend_on_blocks(recorded):
    """
    One block, or blocks of a few rows cut at moments of the run, give the same numbers.
    """
    plan, sink, totals = recorded
    whole = Reducer(plan)
    whole.take(Block(sink.visits, sink.marks))
    expected = measure(plan, whole, totals, {}, run_key(1, 0)).values
    for step in (1, 7, 400):
        # A row is handed over with the block in which it is completed: cut visits and marks at the same times.
        cut = np.arange(0, plan.horizon + step * HOUR // 4, step * HOUR // 4)
        ended = np.where(sink.visits["ended"] < 0, plan.horizon, sink.visits["ended"])
        rows, marks = np.searchsorted(ended, cut), np.searchsorted(sink.marks["time"], cut)
        reducer = Reducer(plan)
        for part, notes in zip(np.split(sink.visits, rows), np.split(sink.marks, marks), strict=True):
            reducer.take(Block(part, notes))

        assert measure(plan, reducer, totals, {}, run_key(1, 0)).values == pytest.approx(
            expected, nan_ok=True, rel=0, abs=0
        )


@pytest.mark.parametrize("column", ["queued", "started", "ended"])
def test_a_wrong_millisecond_is_a_broken_promise(recorded, column):
    """
    A visit that is one millisecond off anywhere inside the window contradicts the engine's own integrals.
    """
    plan, sink, totals = recorded
    visits = sink.visits.copy()
    holds = [bool(step.resources) for step in plan.names.steps]
    times = flat(visits)[:, 1:]
    inside = ((times > plan.begin) & (times < plan.end - 1)).all(axis=1)
    row = np.flatnonzero(inside & np.array(holds)[visits["key"] >> NUMBER_BITS])[0]
    visits[column][row] += 1
    reducer = Reducer(plan)
    reducer.take(Block(visits, sink.marks))

    with pytest.raises(InternalError, match="the engine counts"):
        reducer.finish(totals)


def test_a_lost_arrival_is_a_broken_promise(recorded):
    """
    The measured consignments by their marks of arrival must be those that the engine counted.
    """
    plan, sink, totals = recorded
    cohort = totals.cohort.copy()
    cohort[0, 1] -= 1
    reducer = Reducer(plan)
    reducer.take(Block(sink.visits, sink.marks))

    with pytest.raises(InternalError, match="measured consignments of a"):
        reducer.finish(dataclasses.replace(totals, cohort=cohort))


def test_a_run_is_told_once(recorded):
    """
    What a run has left is folded in place, so that telling it a second time is refused and not wrong.
    """
    plan, sink, totals = recorded
    reducer = Reducer(plan)
    reducer.take(Block(sink.visits, sink.marks))
    reducer.finish(totals)

    with pytest.raises(InternalError, match="told again"):
        reducer.finish(totals)


# --- the table


def test_every_definition_stands_on_the_page():
    """
    The page of KPIs has one row for each definition, with both labels and its meaning.
    """
    text = page()
    for row in definitions():
        assert f"| {row.en} | {row.zh} | {row.meaning} | {row.meaning_zh} |" in text


def test_a_catalogue_names_each_kpi_once(recorded):
    """
    Ids are unique, begin with their subject, and the labels carry the subject in both languages.
    """
    plan, *_ = recorded
    rows = catalogue(plan)

    assert len({kpi.id for kpi in rows}) == len(rows)
    assert all(kpi.id.startswith(f"{kpi.subject}.") and kpi.subject in kpi.en and kpi.subject in kpi.zh for kpi in rows)


def test_loads_are_passed_on():
    """
    The load of a resource is what the caller says, in every replication.
    """
    plan = plan_of(TRUCKS.replace("COOL", "60 min"))
    reducer = Reducer(plan)
    totals = simulate(plan, 1, 0, reducer)

    assert measure(plan, reducer, totals, {"Z.dock": 0.7}, run_key(1, 0)).values["Z.dock.load"] == 0.7


LATE_PAPERS = """
clock: {measure: 10 h, cool_down: 10 h}
flows:
  enter:
    steps:
      ways: {next: {papers_first: 0 %, goods_first: 100 %}}
      papers_first: {take: 1 h, mark: [declared, released]}
      goods_first: {take: 2 h, mark: in_zone}
      papers: {take: 3 h, mark: declared}
      review: {take: 4 h, mark: released}
      use: {take: 5 h, mark: usable}
traffic: {a: {flow: enter, at: [0 h, 1 h]}}
"""


def test_a_mark_made_late_counts_with_the_next_stage():
    """
    Goods that are in the zone after 2 h, declared after 5, released after 9 and usable after 14 h have no stage up to the declaration that
    ends before they are in the zone: 2 h to the declaration, none to the release and into the zone, 12 h in the zone, 14 h in all. They
    pend for 7 h, and each is one declaration.
    """
    values = measured(LATE_PAPERS).values
    stages = ("arrived_to_declared", "declared_to_released", "released_to_in_zone", "in_zone_to_usable")

    assert [values[f"enter.stage.{stage}.mean"] for stage in stages] == [2, 0, 0, 12]
    assert values["enter.dwell.mean"] == 14
    assert values["enter.customs.mean"] == 4
    assert values["enter.pending.mean"] == 7
    assert values["enter.declarations.day"] == pytest.approx(2 / (10 / 24))
