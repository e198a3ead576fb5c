"""What the library's flows of services and research promise: the order of their steps, what they book, and what a measure takes away."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest

from tests.helper import ROOT, Timeline, column, kpis, plan_of, plan_of_file, run_plan
from zonesim.plan import place_of
from zonesim.policy import Arm, Chosen

ZONE = """
clock: {start: "2018-09-03", measure: 30 d, cool_down: 50 week}
zones:
  Z:
    lanes_in: {units: unlimited}
    lanes_out: {units: unlimited}
    gate_officers: {units: unlimited}
    exception_desk: {units: unlimited}
    officers: {units: unlimited, open: office}
    inspectors: {units: unlimited, open: office}
    docks: {units: unlimited}
    yard: {units: unlimited}
    line: {units: 1}
    art_store: {units: unlimited}
    ledger: {account: 1000}
  B: {inspectors: {units: unlimited, open: office}}
firms: {count: 30, credit: {AEO: 40 %, ordinary: 59.9 %, discredited: 0.1 %}}
truth: {papers_wrong: {all: 5 %}, irregular: {all: 20 %}}
"""
SERVICES = ROOT / "scenarios" / "services.yaml"


@cache
def walked(flow: str, more: str, measure: str = "", *settings: str, rate: str = "3 /d") -> Timeline:
    """Return a run of one flow in a zone where nobody waits for a unit, with a measure followed by all."""
    text = ZONE + f"traffic: {{goods: {{flow: {flow}, with: {{zone: Z{more}}}, rate: {rate}, until: measure}}}}\n"
    arm = Arm(measure, (Chosen(measure),)) if measure else None
    return run_plan(plan_of(text, *settings, arm=arm))


def steps(line: Timeline) -> Counter[str]:
    """Return how often a step was visited, by its path."""
    return Counter(".".join(line.plan.names.steps[place_of(key)].path) for key, *_ in line.sink.visits.tolist())


def level(line: Timeline) -> int:
    """Return what the ledger has when all have left, beyond what it had at the start."""
    names = line.plan.names.marks
    booked = [names[place_of(key)] for key, _ in line.sink.marks.tolist()]
    return sum(each.amount for each in booked if each.name.endswith((".credited", ".debited")))


REPAIRS = ("F8", ", port_km: 99 km, business: repair")
FULL = "measures.m14.coverage=100 %"


def test_a_repair_is_inspected_and_leaves_or_is_destroyed():
    """
    Before the plan every case waits for its approval and is inspected at the port before it is released; the ledger has in the end what it had, for what
    comes in goes back abroad or is destroyed under supervision.
    """
    line = walked(*REPAIRS, "", "library.F8.scrapped.share=30 %")
    seen = steps(line)
    goods = {name for name in line.marks("usable") if "/" not in name}

    assert len(goods) > 60
    assert seen["approval"] == seen["port_check"] == len(goods)
    assert seen["back.depart"] + seen["scrapped.destroy"] == len(goods)
    assert 0.15 * len(goods) < seen["scrapped.destroy"] < 0.45 * len(goods)
    assert level(line) == 0
    inspected, released = (line.marks(mark) for mark in ("inspected", "released"))
    assert all(inspected[name] <= released[name] for name in goods if name in released)


def test_measure_14_moves_the_inspection_into_the_zone():
    """
    With it no case is approved one by one nor inspected at the port: as many are looked at, by the zone's inspectors, with the same power, and the
    loop takes less than half as long.
    """
    before, after = walked(*REPAIRS), walked(*REPAIRS, "m14", FULL)
    seen = steps(after)

    assert (seen["approval"], seen["port_check"], seen["parts"]) == (0, 0, 0)
    assert seen["zone_check"] == steps(before)["port_check"]
    found = [
        sum(1 for key, _ in line.sink.marks.tolist() if line.plan.names.marks[place_of(key)].name == "inspected")
        for line in (before, after)
    ]
    assert found[1] == found[0]
    spans = [
        np.mean(list(line.marks("usable").values())) - np.mean(list(line.marks("arrived").values()))
        for line in (before, after)
    ]
    assert spans[1] < 0.5 * spans[0]


def test_a_machine_is_rebuilt_with_a_licence_and_for_longer():
    """
    Remanufacturing walks the way of repairs, with a licence for used machinery and a work of weeks.
    """
    line = walked("F8r", ", port_km: 99 km")
    work = [end - start for _, (_, start, end) in line.rows("goods.work")]

    assert steps(line)["goods.licence"] == steps(line)["goods.work"] > 60
    assert 20 < np.mean(work) / (24 * 60) < 55


TRADE = ("F17", ", port_km: 99 km")


@pytest.mark.parametrize(("measure", "passes"), [("", 4), ("m20", 0)])
def test_each_change_of_owner_is_one_out_and_in(measure, passes):
    """
    Before the plan a lot that changes owner passes the gate four times and is declared twice; with measure 20 it does neither, and as many lots change
    owner as before. The ledger has in the end what it had.
    """
    settings = ("library.F17.trade.share.uncertain=[0 %, 60 %, 80 %]",) + (
        ("measures.m20.coverage=100 %",) if measure else ()
    )
    line, first = walked(*TRADE, measure, *settings), walked(*TRADE, "", settings[0])
    seen = steps(line)
    lots = seen["examine"]
    changes = seen["owner"] - lots
    own = sum(
        count
        for path, count in seen.items()
        if path.startswith("trade.") and path.rpartition(".")[2] in {"lane", "light"}
    )

    assert changes > 60
    assert changes == steps(first)["owner"] - steps(first)["examine"]
    assert own == passes * changes
    declared = sum(1 for key, _ in line.sink.marks.tolist() if line.plan.names.marks[place_of(key)].name == "declared")
    assert declared == 2 * lots + passes // 2 * changes
    assert level(line) == 0


def test_a_leased_aircraft_passes_no_gate():
    """
    Before the plan the zone's inspectors see it and it is ferried; with measure 17 those of its base see it, after a message between the offices, and nobody ferries it.
    """
    more = ", base: B"
    before, after = walked("F16", more), walked("F16", more, "m17")

    assert not any("lane" in path for line in (before, after) for path in steps(line))
    assert (
        steps(before)["inspect"] == steps(before)["ferry"] == steps(after)["base_check"] == steps(after)["message"] > 60
    )
    assert steps(after)["inspect"] == steps(after)["ferry"] == 0
    assert set(before.marks("inspected")) == set(after.marks("inspected"))


def test_only_consumables_of_research_are_written_off():
    """
    A consumable is debited when it is used up, long after it was usable; a sample stays on the ledger. Devices need no licence, for those that would do not come.
    """
    for item, debited in (("sample", False), ("consumable", True), ("device", False)):
        line = walked("F10", f", airport_km: 129 km, item: {item}")
        count = len({name.partition("/")[0] for name in line.marks("usable")})
        assert level(line) == (0 if debited else count)
        assert (steps(line)["licence"] > 0) == (item != "device")
        assert steps(line)["verify"] == (count if debited else 0)


def test_art_that_is_shown_outside_is_approved_twice_and_comes_back():
    """
    What leaves the zone to be shown has a second approval, while it stays in the store, passes the gate out and in, and stays on the ledger until it leaves the
    country; with measure 13 the second approval is gone.
    """
    more = ", airport_km: 129 km"
    before, after = walked("F15", more), walked("F15", more, "m13", "measures.m13.coverage=100 %")
    seen = steps(before)

    assert seen["store.opening"] > 60
    assert seen["store.second_approval"] == seen["shown.show"] > 20
    assert seen["store.second_approval"] + seen["store.hang"] == seen["store.opening"] == seen["away.depart"]
    assert seen["shown.gate_out.lane"] == seen["shown.gate_in.lane"] == seen["shown.show"]
    assert steps(after)["store.second_approval"] == 0
    assert steps(after)["shown.show"] == seen["shown.show"]
    assert level(before) == level(after) == 0
    approvals = [[end - start for _, (_, start, end) in line.rows("approval")] for line in (before, after)]
    assert np.mean(approvals[1]) < 0.3 * np.mean(approvals[0])


def test_entrusted_work_waits_for_own_jobs():
    """
    On one line an own job that comes while an entrusted one waits goes first, and one that comes while it is worked waits for its end.
    """
    text = ZONE.replace("line: {units: 1}", "line: {units: 1, open: always}") + (
        "flows: {own: {entity: job, params: {zone: zone}, steps: {job: {call: processing, with: {zone: Z}}}}}\n"
        "traffic: {entrusted: {flow: F9, with: {zone: Z}, rate: 2 /d, until: measure}, own: {flow: own, with: {zone: Z}, rate: 2 /d, until: measure}}\n"
    )
    line = run_plan(plan_of(text))
    waits = {
        path: np.mean([start - queued for _, (queued, start, _) in line.rows(path)])
        for path in ("process", "job.process")
    }

    assert 0 < waits["job.process"] < 0.6 * waits["process"]
    assert level(line) == 0


@pytest.mark.slow
def test_what_a_measure_brings_exists_with_it_alone():
    """
    Without a measure nobody of those who would come does; with measure 7 all of them do, and none of the other businesses.
    """
    short = ("clock.warm_up=1 week", "clock.measure=4 week", "clock.cool_down=4 week")
    before = kpis(plan_of_file(SERVICES, *short), replications=2)
    after = kpis(plan_of_file(SERVICES, *short, arm=Arm("7", (Chosen("m07"),))), replications=2)

    for flow in ("F9", "F8r", "F10r", "F10s"):
        assert not column(before, f"{flow}.arrived.day").any()
    assert (column(after, "research_new.arrived.day") == column(after, "more_research.arrived.day")).all()
    assert column(after, "research_new.arrived.day").mean() == pytest.approx(0.6, rel=0.4)
    for entry in ("entrusted", "rebuilt", "devices_new", "outsourcing_new"):
        assert not column(after, f"{entry}.arrived.day").any()


@pytest.mark.slow
def test_the_services_have_the_level_that_is_written_down():
    """
    What stands at the head of each flow is what comes out: about 52 days for a repair and its test, four weeks for a sample with a licence, 44 days for
    art, a day's ferry and more for an aircraft; desks and inspectors are used for two to four fifths of their hours.
    """
    found = kpis(plan_of_file(SERVICES), replications=4)
    day = 24

    assert column(found, "F8.dwell.mean").mean() == pytest.approx(52 * day, rel=0.1)
    assert column(found, "samples.dwell.mean").mean() == pytest.approx(18 * day, rel=0.15)
    assert column(found, "F15.dwell.mean").mean() == pytest.approx(44 * day, rel=0.15)
    assert column(found, "F17.dwell.mean").mean() == pytest.approx(12 * day, rel=0.1)
    assert 2 * day < column(found, "F16.dwell.mean").mean() < 5 * day
    for desk in ("officers", "inspectors"):
        assert 0.3 < column(found, f"SRV.{desk}.utilisation").mean() < 0.8
