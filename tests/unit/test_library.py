"""The same battery over everything in the library, and over every shipped scenario."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.helper import ROOT, add_measure, column, kpis, plan_of_file, shipped
from zonesim.analysis import bands_of, control_of, paired
from zonesim.faults import Faults
from zonesim.jobs.job import left_out_notes
from zonesim.kpi import RunResult, catalogue
from zonesim.plan import loads
from zonesim.policy import Arm, Chosen, arms_for, flows_in_use, left_out, load_world, open_world, register, resolve
from zonesim.scenario import Measure, load_catalogue
from zonesim.units import HOUR

LIBRARY = load_catalogue()
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))
TYPICAL = ROOT / "scenarios" / "typical_zone.yaml"
ALL_FLOWS = ROOT / "scenarios" / "all_flows.yaml"
SHOWCASES = [path for path in SCENARIOS if path.stem in {"all_flows", "services", "goods", "zone_and_port"}]
"""The scenarios through which together every flow of the library runs."""
MONTH = ("clock.warm_up=1 week", "clock.measure=2 week", "clock.cool_down=4 week")
BANDS = frozenset({"all.irregular.caught.share"})
"""KPIs of measures' cards that are bands."""

PARK = ROOT / "scenarios" / "suzhou_industrial_park.yaml"


@pytest.mark.parametrize("path", shipped())
def test_every_number_has_a_source(path):
    """
    No number of a shipped scenario, in the baseline or with all measures, is without a source; ids exist in the library.
    """
    world = load_world(path)
    for arm in arms_for(world):
        entries = register(resolve(world, arm).world, flows_in_use(world))

        assert [entry.dotted for entry in entries if entry.source is None] == []


def test_sources_say_what_they_are():
    """
    What is found or derived names its body, date and confidence; all say in a line what the number is.
    """
    for name, source in LIBRARY.sources.items():
        assert source.title, name
        if source.kind != "assumed":
            assert source.body, name
            assert source.date, name
            assert "confidence" in source.model_fields_set, name


def test_what_was_moved_is_not_called_found():
    """
    No time of Qingdao, rate of the United States or share of another year counts as published for a zone of Jiangsu in 2018.
    """
    for name, source in LIBRARY.sources.items():
        if any(word in source.title for word in ("Qingdao", "US ", "Japan", "Yiwu", "taken for")):
            assert source.kind in {"derived", "assumed"}, name
            assert source.confidence != "high", name


@pytest.mark.parametrize("measure", LIBRARY.measures.values(), ids=lambda measure: measure.name)
def test_a_measure_is_complete(measure):
    """
    A measure has all that a card needs: labels and wording in both languages, departments that the library knows, the plan and a notice as its basis, how
    it works, what is published or that nothing is, parameters with bounds, and KPIs that it is expected to move or to leave alone.
    """
    assert set(measure.label) == {"en", "zh"}
    assert measure.wording is not None
    assert set(measure.wording) == {"en", "zh"}
    assert measure.departments
    assert set(measure.departments) <= set(LIBRARY.departments)
    plan, *notices = measure.basis
    assert "苏政发〔2019〕40号" in plan.text
    assert notices, "the notice of the customs administration or the State Council stands beside the plan"
    assert all(each.date and each.body for each in measure.basis)
    assert measure.mechanism
    assert len(set(measure.mechanism)) == len(measure.mechanism)
    assert measure.published or "published" in (measure.note or "")
    assert all(set(each.what) == {"en", "zh"} for each in measure.published)
    assert {str(each.source) for each in measure.published if isinstance(each.source, str)} <= set(LIBRARY.sources)
    assert measure.expects
    assert all(param.low is not None and param.high is not None and param.source for param in measure.params.values())
    assert all(set(practice.label) == {"en", "zh"} for practice in measure.practices.values())


def showcase(measure: Measure) -> Path:
    """Return the first scenario of the showcases in which a measure changes anything that is run."""
    return next(path for path in SHOWCASES if measure.number not in left_out(load_world(path)))


SHOWN = [measure for measure in LIBRARY.measures.values() if showcase(measure) == ALL_FLOWS]


@pytest.fixture(scope="module")
def every_flow() -> list[RunResult]:
    """The baseline of the scenario with every flow."""
    return kpis(plan_of_file(ALL_FLOWS, *MONTH), replications=12)


@pytest.mark.slow
@pytest.mark.parametrize("measure", SHOWN, ids=lambda measure: measure.name)
def test_a_measure_moves_what_its_card_names(measure, every_flow):
    """
    Each KPI that a measure's card names differs from the baseline beyond its interval; measure 8 at full reach, and it and measure 5 in more replications,
    because they move the means of all by little. One that is a band (see the next test) has no mean.
    """
    full = ("measures.m08.reach=100 %",) if measure.name == "m08" else ()
    count = 12 if measure.name in {"m05", "m08"} else 4
    arm = Arm(measure.number, (Chosen(measure.name),))
    with_it = kpis(plan_of_file(ALL_FLOWS, *MONTH, *full, arm=arm), replications=count)
    for kpi in set(measure.moves) - BANDS:
        found = paired(list(column(every_flow[:count], kpi)), list(column(with_it, kpi)))
        assert found.low * found.high > 0, (kpi, found)


@pytest.mark.parametrize(
    "measure",
    [
        pytest.param(each, marks=[] if each in SHOWN or each.name == "m14" else pytest.mark.slow, id=each.name)
        for each in LIBRARY.measures.values()
    ],
)
def test_a_measure_that_removes_a_look_says_so(measure):
    """
    Control is never free: a measure intercepts less of what is irregular, whatever the lift, if and only if its card names it. Where it brings
    other goods, which are looked at as their kind is, the share of all says nothing, so the number that is caught is what must not fall. Looks that are moved from
    one line to the other (task 7) hit the same goods twice less often, and may intercept more by two points.
    """
    arm = Arm(measure.number, (Chosen(measure.name),))
    plans = {name: plan_of_file(showcase(measure), arm=one) for name, one in (("", None), ("m", arm))}
    bands = bands_of({name: control_of(plan) for name, plan in plans.items()})
    (intercepted,) = BANDS
    if "mix" in measure.mechanism:
        caught = intercepted.replace("share", "day")
        assert bands["m"][caught].minus(bands[""][caught]).least > -1e-9
        return
    change = bands["m"][intercepted].minus(bands[""][intercepted])

    assert (change.most < -1e-9) == (intercepted in measure.moves)
    assert change.most < (0.02 if measure.name == "t07" else 1e-9)


def test_every_flow_is_used():
    """
    The shipped scenarios run each flow of the library, so each measure has something to act on; each shows which flows are its own.
    """
    used = {path.stem: set(flows_in_use(load_world(path))) for path in SCENARIOS}

    assert set().union(*used.values()) >= set(LIBRARY.flows)
    assert used["goods"] > {"F7a", "F7b", "F7d", "F11", "F12", "F13", "F14"}
    assert used["zone_and_port"] > {"F1e", "F2p", "F3c", "F4y", "sides"}
    assert used["services"] > {"F8", "F8r", "F9", "F10", "F10r", "F10s", "F15", "F16", "F17", "writeoff", "filing"}


@pytest.mark.parametrize("name", LIBRARY.flows)
def test_steps_have_labels_in_both_languages(name):
    """
    Every step that takes time or waits is labelled in English and Chinese.
    """

    def check(steps):
        for step_name, step in steps.items():
            if {"take", "hold", "call"} & set(step):
                assert set(step.get("label", {})) == {"en", "zh"}, f"{name}.{step_name}"
            check(step.get("steps", {}))

    check(LIBRARY.flows[name]["steps"])


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=pytest.mark.slow) if path.stem in {"jiangsu_2019", "kunshan", "services"} else path
        for path in SCENARIOS
    ],
    ids=lambda path: path.stem,
)
def test_a_shipped_scenario_runs(path):
    """
    A day of every shipped scenario runs in every arm, with no KPI outside its possible range.
    """
    world = load_world(path)
    for arm in arms_for(world, ["11", "10"]):
        plan = plan_of_file(path, "clock.warm_up=0 d", "clock.measure=1 d", "clock.cool_down=1 d", arm=arm)
        result = kpis(plan)[0]
        for kpi in catalogue(plan):
            value = result.values[kpi.id]
            assert math.isnan(value) or value >= 0, kpi.id
            if kpi.unit == "share" and kpi.definition.what not in {"utilisation", "load"}:
                assert math.isnan(value) or value <= 1, kpi.id


def test_the_typical_zone_is_medium():
    """
    About twelve hundred vehicles a day pass its gates, in both directions together: the upper end of what is assumed of a medium zone.
    """
    results = kpis(plan_of_file(TYPICAL, "clock.warm_up=1 week", "clock.measure=2 week"), replications=2)
    passes = column(results, "TYP.lanes_in.passes.day").mean() + column(results, "TYP.lanes_out.passes.day").mean()

    assert passes == pytest.approx(1_200, rel=0.06)


def test_the_typical_zone_is_busy():
    """
    In the baseline its gates and bays are near their limit in the busiest hour and far from it on average, desks and inspectors are used for
    half to four fifths of their hours, and vehicles queue for seconds to minutes; nothing grows.
    """
    plan = plan_of_file(TYPICAL)
    bounds = {str(plan.names.resources[load.resource]): load for load in loads(plan)}
    found = kpis(plan)[0].values

    for lanes in ("TYP.lanes_in", "TYP.lanes_out"):
        assert 0.6 < bounds[lanes].peak < 0.9
        assert 10 < found[f"{lanes}.wait.mean"] < 120
        assert 60 < found[f"{lanes}.wait.p95"] < 600
    assert 0.8 < bounds["TYP.yard"].peak < 1
    for desk in ("TYP.officers", "TYP.inspectors"):
        assert 0.5 < found[f"{desk}.utilisation"] < 0.8


# --- plausibility of Suzhou Industrial Park (published: 12 lanes, more than 6,000 vehicles a day, more than 300 yard bays)


def park_plan(*settings: str):
    """Return the park's baseline plan with a short clock."""
    return plan_of_file(PARK, "clock.warm_up=1 week", "clock.measure=1 week", "clock.cool_down=1 week", *settings)


def test_the_park_has_its_published_size():
    """
    Twelve lanes, 300 bays, and six thousand vehicles a day offered to the gates.
    """
    world = load_world(PARK)
    zone = world.tree["zones"]["SIP"]
    plan = park_plan()
    rate = sum(plan.rates["rate"][first] for first in plan.sources["first"].tolist())

    assert (zone["lanes_in"]["units"], zone["lanes_out"]["units"], zone["yard"]["units"]) == (6, 6, 300)
    assert rate > 0
    found = kpis(park_plan("clock.warm_up=1 week", "clock.measure=2 d", "clock.cool_down=0 d"))[0].values
    assert 5_500 < found["SIP.lanes_in.passes.day"] + found["SIP.lanes_out.passes.day"] < 8_000


@pytest.mark.slow
def test_the_parks_lanes_are_stable_in_the_baseline():
    """
    The gate ran, so its load stays below one in the busiest hour, and mean lane time lies in the band that this needs (below 72 s at a
    10 % peak hour with six lanes); all vehicles at the published two minutes would contradict it.
    """
    plan = park_plan()
    bounds = {str(plan.names.resources[load.resource]): load for load in loads(plan)}
    slow = park_plan(
        "library.gate.lane.compare.take=110 s",
        "library.gate.light.look.take=120 s",
        "adopted.m11.gate=0 %",
        "adopted.m11.comparison=0 %",
    )
    slow_bounds = {str(slow.names.resources[load.resource]): load for load in loads(slow)}

    assert bounds["SIP.lanes_in"].peak < 1
    assert slow_bounds["SIP.lanes_in"].peak > 1
    lane = kpis(plan)[0].values["SIP.lanes_in.lane.mean"]
    assert 40 < lane < 72


def test_the_parks_yard_is_near_its_bound():
    """
    Share entering the yard times mean stay is at most 1.2 h over a 12 h day for 300 bays and 3,000 vehicles; goods vehicles alone, half of
    them, fill half of the bays at the peak. (The bays were said to be often full, of years before 2014 and of all vehicles.)
    """
    plan = park_plan()
    load = next(load for load in loads(plan) if str(plan.names.resources[load.resource]) == "SIP.yard")
    stay_hours = load.mean * 300 * 24 / 3_000

    assert 0.6 < stay_hours <= 1.2
    assert 0.4 < load.peak < 1


@pytest.mark.parametrize(("seconds", "wait"), [(30, 0.4), (60, 35)])
def test_six_lanes_at_the_peak(tmp_path, seconds, wait):
    """
    Finding 2 of the collection: M/M/6 at 300 vehicles an hour waits 0.4 s at 30 s of service and 35 s at 60 s.
    """
    text = f"""zonesim: 1
kind: scenario
name: lanes
clock: {{warm_up: 20 h, measure: 150 h, cool_down: 5 h}}
zones: {{G: {{lanes: {{units: 6}}}}}}
flows: {{f: {{steps: {{lane: {{hold: {{l: G.lanes}}, take: {{exponential: {{mean: {seconds} s}}}}}}}}}}}}
traffic: {{v: {{flow: f, rate: 300 /h}}}}
"""
    (tmp_path / "lanes.yaml").write_text(text, encoding="utf-8")
    found = column(kpis(plan_of_file(tmp_path / "lanes.yaml"), replications=4), "f.lane.wait.mean").mean() * 60

    assert found == pytest.approx(wait, rel=0.2)


@pytest.mark.slow
def test_customs_time_of_imports_is_the_published_mean():
    """
    Declared to released, inspections included, takes 9.07 h on average in the baseline and 93.1 % within 24 h, as nationally in 2018Q1.
    """
    results = kpis(
        plan_of_file(TYPICAL, "traffic.import_sea.rate=200 /d", "adopted.m21.enter_first=0 %"), replications=4
    )

    assert column(results, "F1.customs.mean").mean() == pytest.approx(9.07, rel=0.04)
    assert column(results, "F1.customs.within_24h").mean() == pytest.approx(0.931, abs=0.01)


@pytest.mark.slow
def test_overall_inspection_rate_is_plausible():
    """
    With discredited firms at 0.1 % of the volume the overall rate of imports stays between 1 and 4 %.
    """
    found = column(kpis(plan_of_file(PARK, "clock.measure=1 week"), replications=1), "F1.inspected.rate").mean()

    assert 0.01 < found < 0.04


@pytest.mark.slow
def test_hauls_take_their_distance():
    """
    99 km at 45 km/h take 2.2 h on average.
    """
    found = column(kpis(plan_of_file(TYPICAL), replications=2), "F1.haul.service.mean").mean()

    assert found * 60_000 == pytest.approx(99 / 45 * HOUR, rel=0.02)


def test_the_package_leaves_out_what_cannot_act():
    """
    Without names a comparison takes the measures that change anything which the scenario runs: 4 needs domestic sales, and own flows know none.
    """
    park = [chosen.measure for chosen in arms_for(load_world(PARK))[-1].measures]
    every = [chosen.measure for chosen in arms_for(load_world(ALL_FLOWS))[-1].measures]
    order = [measure.name for measure in LIBRARY.in_plan_order()]

    assert "m04" not in park
    assert {"m10", "m11"} <= set(park) < set(every)
    assert every == [name for name in order if name in every]
    told = ", ".join(LIBRARY.measures[name].number for name in order if name not in park)
    assert left_out_notes(load_world(PARK)) == [f"left out, for nothing that they change is run here: measures {told}"]
    assert left_out_notes(load_world(ROOT / "tests" / "cases" / "station.yaml")) == []
    assert left_out(load_world(PARK)) == [LIBRARY.measures[name].number for name in order if name not in park]
    assert {"3", "20"} <= set(left_out(load_world(TYPICAL)))
    assert arms_for(load_world(TYPICAL))[-1].name == "4+5+8+10+11+21"
    assert len(arms_for(load_world(ROOT / "tests" / "cases" / "station.yaml"))) == 1


@pytest.mark.parametrize(
    ("numbers", "what"),
    [("note: none\n", "neither 'annex' nor 'task'"), ("annex: 9\ntask: 8\n", "both 'annex' and 'task'")],
)
def test_a_measure_has_one_number(monkeypatch, numbers, what):
    """
    A measure is an item of the annex or a task of the plan, not both and not neither.
    """
    with pytest.raises(Faults) as caught:
        add_measure(monkeypatch, f"name: m96\n{numbers}practices: {{}}\n")

    message = (
        f"library/measures/m96.yaml:1:1: a measure with {what}\n    Give it one number: `annex: 11`, or `task: 8`."
    )
    assert str(caught.value.faults[0]) == message


def test_a_task_of_the_plan_stands_behind_its_annex(monkeypatch):
    """
    A measure with a task is called by its name, also in arms, and comes behind the items of the annex.
    """
    practice = "practices: {p: {label: {en: A, zh: 甲}, adoption: {share: 10 %}, edits: [{set: library.visit.business.take, to: 1 h}]}}"
    for number in (88, 85):
        add_measure(monkeypatch, f"name: t{number}\ntask: {number}\n{practice}\n")

    assert [measure.number for measure in LIBRARY.in_plan_order()][-2:] == ["t85", "t88"]
    assert arms_for(load_world(TYPICAL))[-1].name.endswith("+21+t85+t88")
    assert arms_for(load_world(TYPICAL), ["t88"])[-1].name == "t88"


def test_an_edit_of_zones_acts_where_the_zone_is(monkeypatch):
    """
    A measure that changes zones or traffic belongs to the package where what it names is there, and nowhere else; in R2 too, which would fail else.
    """
    add_measure(monkeypatch, "name: m97\nannex: 97\nzone_edits:\n  - {set: zones.ALL.docks.units, to: 17}\n")
    monkeypatch.setitem(LIBRARY.regimes, "R2", LIBRARY.regimes["R2"].model_copy(update={"measures": ["m97"]}))

    assert "97" in left_out(load_world(TYPICAL))
    assert "m97" in [chosen.measure for chosen in arms_for(load_world(ALL_FLOWS))[-1].measures]
    for file, docks in ((TYPICAL, None), (ALL_FLOWS, 17)):
        world = open_world(file, ["regime=R2"])
        found = resolve(world, arms_for(world, [])[0]).world.tree["zones"].get("ALL", {})
        assert found.get("docks", {}).get("units") == docks
